//! The world as the disk that charts lie on.

use super::{EntryKind, World, WorldError};
use crate::helm::chart::folder::{Disk, Kind};
use camino::{Utf8Path, Utf8PathBuf};

/// A world that charts are loaded from.
pub struct ChartDisk<'a>(pub &'a dyn World);

impl Disk for ChartDisk<'_> {
    fn kind(&self, path: &Utf8Path) -> Option<Kind> {
        self.0.kind(path).map(|kind| match kind {
            EntryKind::File => Kind::File,
            EntryKind::Folder => Kind::Folder,
            EntryKind::Other => Kind::Other,
        })
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<(String, Kind)>, String> {
        let entries = self.0.list(path).map_err(|error| words(&error))?;
        Ok(entries
            .into_iter()
            .map(|entry| {
                let kind = self.kind(&path.join(&entry.name)).unwrap_or(Kind::Broken);
                (entry.name, kind)
            })
            .collect())
    }

    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, String> {
        self.0.read(path).map_err(|error| words(&error))
    }

    fn size(&self, path: &Utf8Path) -> Result<u64, String> {
        self.0.size(path).map_err(|error| words(&error))
    }

    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, String> {
        self.0.real_path(path).map_err(|error| words(&error))
    }

    fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = self.0.root().map_or_else(|| path.to_owned(), |root| root.join(path));
        crate::helm::gopath::clean(path.as_str()).into()
    }
}

/// A failure in the words of Go's `os` package.
pub fn words(error: &WorldError) -> String {
    match error {
        WorldError::Missing(path) => format!("open {path}: no such file or directory"),
        WorldError::Failed(path, words) => {
            let words = words.split(" (os error").next().unwrap_or(words).to_lowercase();
            format!("open {path}: {words}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::chart::{ChartFile, load_path};
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
        let chart = load_path(&ChartDisk(&world()), "c".into(), &HELM_4_2, None).map_err(|e| e.to_string());
        // A file right in charts/ makes a chart without files, which Helm refuses.
        assert_eq!(
            chart.err().as_deref(),
            Some("error unpacking subchart README.md in c: Chart.yaml file is missing")
        );
        let world = world();
        World::remove(&world, "c/charts/README.md".into()).expect("memory");
        let chart = load_path(&ChartDisk(&world), "c".into(), &HELM_4_2, None).expect("good");
        let names = |files: &[ChartFile]| files.iter().map(|f| f.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&chart.templates), ["templates/a.yaml"]);
        assert_eq!(names(&chart.files), [".helmignore", "crds/crd.yaml"]);
        assert_eq!(chart.crds().count(), 1);
        assert_eq!(chart.dependencies.len(), 1);
        assert_eq!(names(&chart.dependencies[0].files), ["requirements.yaml"]);
    }

    #[test]
    fn rules_that_take_for_ever_are_refused() {
        let mut world = world().with("c/.helmignore", "*a*b*c\n".repeat(20_000));
        for at in 0..400 {
            world = world.with(&format!("c/f{at}"), "");
        }
        let refused = load_path(&ChartDisk(&world), "c".into(), &HELM_4_2, None).expect_err("slow");
        assert_eq!(refused.to_string(), ".helmignore takes more than 100 million steps to read this folder");
        let world = world.with("c/.helmignore", "#".repeat((5 << 20) + 1));
        let refused = load_path(&ChartDisk(&world), "c".into(), &HELM_4_2, None).expect_err("large");
        assert_eq!(
            refused.to_string(),
            "chart file \".helmignore\" is larger than the maximum file size 5242880"
        );
    }

    #[test]
    fn refusals_are_helms() {
        let refused = |world: &MemoryWorld, path: &str, profile| {
            load_path(&ChartDisk(world), path.into(), profile, None).expect_err(path).to_string()
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
