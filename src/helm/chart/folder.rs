//! Charts that lie on disk: a folder walked as Helm walks it, or an archive.
//!
//! Links are followed; a link that leads back to a folder around it, a device, and a file over 5 MiB are refused.

use super::archive::{self, Budget, MAX_FILE_SIZE};
use super::ignore::Rules;
use super::load::{self, load};
use super::{Chart, ChartError, ChartFile};
use crate::helm::profile::Profile;
use crate::source::Sources;
use camino::{Utf8Path, Utf8PathBuf};

/// What a folder's files may hold together; Helm knows no limit here.
const MAX_FOLDER_SIZE: u64 = 2 * archive::MAX_CHART_SIZE;
/// How deep folders may lie in folders.
const MAX_DEPTH: usize = 255;

/// Steps that the rules of `.helmignore` may take for all files.
const MAX_IGNORE_STEPS: u64 = 100_000_000;

/// What stands at a path, links followed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, a socket, a pipe.
    Other,
    /// A link that leads nowhere.
    Broken,
}

/// The disk that charts lie on. Errors are the system's words.
pub trait Disk {
    /// What is at a path.
    fn kind(&self, path: &Utf8Path) -> Option<Kind>;
    /// The names in a folder in order, with what they are.
    fn list(&self, path: &Utf8Path) -> Result<Vec<(String, Kind)>, String>;
    /// The bytes of a file.
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, String>;
    /// The size of a file.
    fn size(&self, path: &Utf8Path) -> Result<u64, String>;
    /// The path with all links resolved.
    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, String>;
    /// The path from the root of the machine.
    fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf;
}

/// Loads the chart at `path`, a folder or an archive.
pub fn load_path(
    disk: &dyn Disk,
    path: &Utf8Path,
    profile: &'static Profile,
    sources: Option<&Sources>,
) -> Result<Chart, ChartError> {
    let mut budget = Budget::default();
    let place = path.as_str().trim_end_matches('/');
    match disk.kind(path) {
        None => Err(ChartError::NotFound(path.to_string())),
        Some(Kind::Folder) => {
            let manifest = path.join("Chart.yaml");
            if profile.detect_chart_version && disk.kind(&manifest).is_none() {
                return Err(ChartError::NoChartYaml(disk.absolute(&manifest).to_string()));
            }
            if profile.detect_chart_version {
                // Helm looks at the file itself, whatever `.helmignore` says of it.
                load::detect_version(&disk.read(&manifest).map_err(ChartError::Unreadable)?)?;
            }
            load::unpacked(read_folder(disk, path)?, place, profile, sources, &mut budget)
        }
        Some(_) => {
            let packed = disk.read(path).map_err(ChartError::Unreadable)?;
            if !packed.starts_with(b"\x1f\x8b\x08") {
                let name = disk.absolute(path).to_string();
                return Err(ChartError::NotAnArchive(name, archive::content_type(&packed)));
            }
            let files = archive::read(&packed, &mut budget)?;
            load(files, place, profile, sources, &mut budget)
        }
    }
}

/// The files of a chart's folder that `.helmignore` leaves, by path.
pub fn read_folder(disk: &dyn Disk, folder: &Utf8Path) -> Result<Vec<ChartFile>, ChartError> {
    let ignore = folder.join(".helmignore");
    let rules = match disk.kind(&ignore) {
        Some(Kind::Other) => return Err(ChartError::IrregularFile(ignore.to_string())),
        Some(kind) => {
            if kind == Kind::File && disk.size(&ignore).map_err(ChartError::Unreadable)? > MAX_FILE_SIZE {
                return Err(ChartError::FileTooLarge(".helmignore".to_owned()));
            }
            let text = disk.read(&ignore).map_err(ChartError::Unreadable)?;
            Rules::parse(&String::from_utf8_lossy(&text)).map_err(ChartError::Ignore)?
        }
        None => Rules::default(),
    };
    let mut walk = Walk { disk, folder, rules, files: Vec::new(), size: 0, entries: 0, ignoring: 0 };
    let mut above = Vec::new();
    walk.folder("", &mut above)?;
    Ok(walk.files)
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    folder: &'a Utf8Path,
    rules: Rules,
    files: Vec<ChartFile>,
    size: u64,
    entries: usize,
    /// Steps that the rules took.
    ignoring: u64,
}

impl Walk<'_> {
    /// Takes in the folder at `inner`, relative to the chart; `above` are the real paths of the folders around it.
    fn folder(&mut self, inner: &str, above: &mut Vec<Utf8PathBuf>) -> Result<(), ChartError> {
        let path = self.folder.join(inner);
        let real = self.disk.real_path(&path).map_err(ChartError::Unreadable)?;
        if above.contains(&real) || above.len() > MAX_DEPTH {
            return Err(ChartError::Link(path.to_string(), "EvalSymlinks: too many links".to_owned()));
        }
        above.push(real);
        for (name, kind) in self.disk.list(&path).map_err(ChartError::Unreadable)? {
            let inner = if inner.is_empty() { name } else { format!("{inner}/{name}") };
            let path = self.folder.join(&inner);
            self.entries += 1;
            if self.entries > archive::MAX_FILES {
                return Err(ChartError::TooManyFiles);
            }
            self.ignoring = self.ignoring.saturating_add(self.rules.cost(&inner));
            if self.ignoring > MAX_IGNORE_STEPS {
                return Err(ChartError::SlowIgnore);
            }
            match kind {
                // A link is followed before it is asked whether it counts.
                Kind::Broken => {
                    let words = format!("lstat {path}: no such file or directory");
                    return Err(ChartError::Link(path.to_string(), words));
                }
                Kind::Folder if self.rules.ignores(&inner, true) => {}
                Kind::Folder => self.folder(&inner, above)?,
                _ if self.rules.ignores(&inner, false) => {}
                Kind::File => self.file(&inner, &path)?,
                Kind::Other => return Err(ChartError::IrregularFile(path.to_string())),
            }
        }
        above.pop();
        Ok(())
    }

    fn file(&mut self, inner: &str, path: &Utf8Path) -> Result<(), ChartError> {
        let size = self.disk.size(path).map_err(ChartError::Unreadable)?;
        if size > MAX_FILE_SIZE {
            return Err(ChartError::FileTooLarge(path.file_name().unwrap_or_default().to_owned()));
        }
        self.size += size;
        if self.size > MAX_FOLDER_SIZE {
            return Err(ChartError::ArchiveTooLarge);
        }
        let data = self.disk.read(path).map_err(ChartError::Unreadable)?;
        self.files.push(ChartFile { name: inner.into(), data: archive::without_bom(data).into() });
        Ok(())
    }
}
