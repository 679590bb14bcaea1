//! Charts that lie on disk: a folder walked as Helm walks it, or an archive.
//!
//! Links are followed; a link that leads back to a folder around it, a device, and a file over 5 MiB are refused.

use super::archive::{self, Budget, MAX_FILE_SIZE};
use super::ignore::Rules;
use super::load::load;
use super::{Chart, ChartError, ChartFile};
use crate::helm::profile::Profile;
use crate::source::Sources;
use crate::world::{EntryKind, World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};

/// What a folder's files may hold together; Helm knows no limit here.
const MAX_FOLDER_SIZE: u64 = 4 * archive::MAX_CHART_SIZE;
/// How deep folders may lie in folders.
const MAX_DEPTH: usize = 255;

/// Loads the chart at `path`, a folder or an archive.
pub fn load_path(
    world: &dyn World,
    path: &Utf8Path,
    profile: &'static Profile,
    sources: Option<&Sources>,
) -> Result<Chart, ChartError> {
    let mut budget = Budget::default();
    let place = path.as_str().trim_end_matches('/');
    match world.kind(path) {
        None => Err(ChartError::NotFound(path.to_string())),
        Some(EntryKind::Folder) => {
            let manifest = path.join("Chart.yaml");
            if profile.detect_chart_version && world.kind(&manifest).is_none() {
                return Err(ChartError::NoChartYaml(absolute(world, &manifest).to_string()));
            }
            load(read_folder(world, path)?, place, profile, sources, &mut budget)
        }
        Some(_) => {
            let packed = world.read(path).map_err(|error| unreadable(&error))?;
            if !packed.starts_with(b"\x1f\x8b\x08") {
                let name = absolute(world, path).to_string();
                return Err(ChartError::NotAnArchive(name, archive::content_type(&packed)));
            }
            let files = archive::read(&packed, &mut budget)?;
            load(files, place, profile, sources, &mut budget)
        }
    }
}

/// The files of a chart's folder that `.helmignore` leaves, by path.
pub fn read_folder(world: &dyn World, folder: &Utf8Path) -> Result<Vec<ChartFile>, ChartError> {
    let ignore = folder.join(".helmignore");
    let rules = match world.kind(&ignore) {
        Some(_) => {
            let text = world.read(&ignore).map_err(|error| unreadable(&error))?;
            Rules::parse(&String::from_utf8_lossy(&text)).map_err(ChartError::Ignore)?
        }
        None => Rules::default(),
    };
    let mut walk = Walk { world, folder, rules, files: Vec::new(), size: 0 };
    let mut above = Vec::new();
    walk.folder("", &mut above)?;
    Ok(walk.files)
}

struct Walk<'a> {
    world: &'a dyn World,
    folder: &'a Utf8Path,
    rules: Rules,
    files: Vec<ChartFile>,
    size: u64,
}

impl Walk<'_> {
    /// Takes in the folder at `inner`, relative to the chart; `above` are the real paths of the folders around it.
    fn folder(&mut self, inner: &str, above: &mut Vec<Utf8PathBuf>) -> Result<(), ChartError> {
        let path = self.folder.join(inner);
        let real = self.world.real_path(&path).map_err(|error| unreadable(&error))?;
        if above.contains(&real) || above.len() > MAX_DEPTH {
            return Err(ChartError::Link(path.to_string(), "EvalSymlinks: too many links".to_owned()));
        }
        above.push(real);
        for entry in self.world.list(&path).map_err(|error| unreadable(&error))? {
            let inner = if inner.is_empty() { entry.name.clone() } else { format!("{inner}/{}", entry.name) };
            let path = self.folder.join(&inner);
            match entry.kind {
                EntryKind::Folder if self.rules.ignores(&inner, true) => {}
                EntryKind::Folder => self.folder(&inner, above)?,
                _ if self.rules.ignores(&inner, false) => {}
                EntryKind::File => self.file(&inner, &path)?,
                EntryKind::Other if self.world.kind(&path).is_none() => {
                    let words = format!("lstat {path}: no such file or directory");
                    return Err(ChartError::Link(path.to_string(), words));
                }
                EntryKind::Other => return Err(ChartError::IrregularFile(path.to_string())),
            }
        }
        above.pop();
        Ok(())
    }

    fn file(&mut self, inner: &str, path: &Utf8Path) -> Result<(), ChartError> {
        let size = self.world.size(path).map_err(|error| unreadable(&error))?;
        if size > MAX_FILE_SIZE {
            return Err(ChartError::FileTooLarge(path.file_name().unwrap_or_default().to_owned()));
        }
        self.size += size;
        if self.size > MAX_FOLDER_SIZE {
            return Err(ChartError::ArchiveTooLarge);
        }
        let data = self.world.read(path).map_err(|error| unreadable(&error))?;
        self.files.push(ChartFile { name: inner.into(), data: archive::without_bom(data).into() });
        Ok(())
    }
}

/// The path from the root of the machine, for messages.
fn absolute(world: &dyn World, path: &Utf8Path) -> Utf8PathBuf {
    world.root().map_or_else(|| path.to_owned(), |root| super::gopath::clean(root.join(path).as_str()).into())
}

fn unreadable(error: &WorldError) -> ChartError {
    ChartError::Unreadable(match error {
        WorldError::Missing(path) => format!("open {path}: no such file or directory"),
        WorldError::Failed(path, words) => format!("open {path}: {words}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};
    use crate::world::memory::MemoryWorld;

    fn world() -> MemoryWorld {
        MemoryWorld::new()
            .with("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n")
            .with("c/values.yaml", "a: 1\n")
            .with("c/.helmignore", "*.bak\nsecret/\n")
            .with("c/templates/a.yaml", "a: 1\n")
            .with("c/templates/.hidden", "no\n")
            .with("c/x.bak", "no\n")
            .with("c/secret/key", "no\n")
            .with("c/crds/crd.yaml", "\u{feff}kind: CustomResourceDefinition\n")
            .with("c/charts/sub/Chart.yaml", "apiVersion: v1\nname: sub\nversion: 1.0.0\n")
            .with("c/charts/sub/requirements.yaml", "dependencies: []\n")
            .with("c/charts/_skipped/Chart.yaml", "name: [")
            .with("c/charts/README.md", "no chart\n")
    }

    #[test]
    fn a_folder_is_sorted_into_its_roles() {
        let chart = load_path(&world(), "c".into(), &HELM_4_2, None).map_err(|e| e.to_string());
        // A file right in charts/ makes a chart without files, which Helm refuses.
        assert_eq!(
            chart.err().as_deref(),
            Some("error unpacking subchart README.md in c: Chart.yaml file is missing")
        );
        let world = world();
        World::remove(&world, "c/charts/README.md".into()).expect("memory");
        let chart = load_path(&world, "c".into(), &HELM_4_2, None).expect("good");
        let names = |files: &[ChartFile]| files.iter().map(|f| f.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&chart.templates), ["templates/a.yaml"]);
        assert_eq!(names(&chart.files), [".helmignore", "crds/crd.yaml"]);
        assert_eq!(chart.crds().count(), 1);
        assert_eq!(chart.dependencies.len(), 1);
        assert_eq!(names(&chart.dependencies[0].files), ["requirements.yaml"]);
    }

    #[test]
    fn refusals_are_helms() {
        let refused = |world: &MemoryWorld, path: &str, profile| {
            load_path(world, path.into(), profile, None).expect_err(path).to_string()
        };
        let world = world().with("empty/x", "").with("v.yaml", "a: 1\n").with("v.txt", "a: 1\n");
        assert_eq!(refused(&world, "nowhere", &HELM_4_2), "path \"nowhere\" not found");
        assert_eq!(
            refused(&world, "empty", &HELM_4_2),
            "unable to detect chart at empty/Chart.yaml: open empty/Chart.yaml: no such file or directory"
        );
        assert_eq!(refused(&world, "empty", &HELM_3_21), "Chart.yaml file is missing");
        assert_eq!(
            refused(&world, "v.yaml", &HELM_4_2),
            "file 'v.yaml' seems to be a YAML file, but expected a gzipped archive"
        );
        assert_eq!(
            refused(&world, "v.txt", &HELM_4_2),
            "file 'v.txt' does not appear to be a gzipped archive; got 'application/octet-stream'"
        );
    }
}
