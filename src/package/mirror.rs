//! A folder in place of the network: `<name>-<version>.tgz`, and `manifests/<file>` for plain manifests.
//!
//! Read where `mirror:` or `STACKC_MIRROR` names one, written by `stackc vendor --to`. Two packages that would have one
//! file name (forks of a chart with one version) are told apart by digest, in `sha256/`.

use super::lock::{Pinned, Wanted};
use super::{ContentDigest, PackageError};
use crate::diag::did_you_mean;
use crate::world::{EntryKind, World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};

/// A mirror's folder, or a folder of the project that charts lie in.
pub struct Mirror<'a> {
    world: &'a dyn World,
    folder: Utf8PathBuf,
}

impl<'a> Mirror<'a> {
    /// The mirror in this folder.
    pub fn at(world: &'a dyn World, folder: Utf8PathBuf) -> Self {
        Self { world, folder }
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// The versions of a chart that the folder holds.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<String>, PackageError> {
        let entries =
            self.world.list(&self.folder).map_err(|error| PackageError::World(error.to_string()))?;
        let found: Vec<String> = entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::File)
            .filter_map(|entry| {
                let version = entry.name.strip_suffix(".tgz")?.strip_prefix(name)?.strip_prefix('-')?;
                // `cert-manager-webhook-hetzner-1.4.0` is no version of `cert-manager`.
                let digits = version.strip_prefix('v').unwrap_or(version);
                digits.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
            })
            .collect();
        if found.is_empty() {
            let names = entries.iter().filter_map(|entry| name_of(&entry.name));
            return Err(PackageError::NoSuchChart {
                name: name.to_owned(),
                source: self.folder.to_string(),
                near: did_you_mean(name, names).map(str::to_owned),
            });
        }
        Ok(found)
    }

    /// The bytes of a chart's version.
    pub(super) fn chart(&self, name: &str, version: &str) -> Result<Vec<u8>, PackageError> {
        self.read(&self.folder.join(chart_file(name, version)))
    }

    /// The bytes of the file that stands for a manifest's URL.
    pub(super) fn manifest(&self, url: &str) -> Result<Vec<u8>, PackageError> {
        let folder = self.folder.join("manifests");
        let named = manifest_file(url);
        [named.as_str(), last_part(url).as_str()]
            .into_iter()
            .map(|name| folder.join(name))
            .find(|path| self.world.kind(path) == Some(EntryKind::File))
            .ok_or_else(|| {
                PackageError::World(format!(
                    "the mirror `{}` has no `manifests/{named}` for `{url}`",
                    self.folder
                ))
            })
            .and_then(|path| self.read(&path))
    }

    /// The tags of the releases of which it has the file that a URL names.
    pub(super) fn manifest_tags(&self, url: &str, tag: &str) -> Result<Vec<String>, PackageError> {
        let named = manifest_file(url);
        let Some((before, behind)) = named.split_once(&plain(tag)) else { return Ok(Vec::new()) };
        let entries = self.world.list(&self.folder.join("manifests"));
        let entries = entries.map_err(|error| PackageError::World(error.to_string()))?;
        let tag = |name: &str| name.strip_prefix(before)?.strip_suffix(behind).map(str::to_owned);
        Ok(entries.iter().filter_map(|entry| tag(&entry.name)).collect())
    }

    /// What the mirror has for a pin; `None` where it has nothing. Bytes of the pinned digest come first.
    pub(super) fn pinned(&self, wanted: &Wanted, pinned: &Pinned) -> Option<Vec<u8>> {
        if let Ok(bytes) = self.world.read(&self.by_digest(&pinned.digest)) {
            return Some(bytes);
        }
        match wanted {
            Wanted::Chart { name, .. } => self.chart(name, &pinned.version).ok(),
            Wanted::Manifest { url } => self.manifest(url).ok(),
        }
    }

    /// Writes a package where it will be found; the file's path.
    pub fn put(&self, wanted: &Wanted, pinned: &Pinned, bytes: &[u8]) -> Result<Utf8PathBuf, PackageError> {
        let path = match wanted {
            Wanted::Chart { name, .. } => self.folder.join(chart_file(name, &pinned.version)),
            Wanted::Manifest { url } => self.folder.join("manifests").join(manifest_file(url)),
        };
        match self.world.read(&path) {
            Ok(there) if there == bytes => Ok(path),
            Ok(_) => self.write(self.by_digest(&pinned.digest), bytes),
            Err(_) => self.write(path, bytes),
        }
    }

    fn write(&self, path: Utf8PathBuf, bytes: &[u8]) -> Result<Utf8PathBuf, PackageError> {
        match self.world.write(&path, bytes) {
            Ok(()) => Ok(path),
            Err(error) => Err(PackageError::World(error.to_string())),
        }
    }

    fn by_digest(&self, digest: &ContentDigest) -> Utf8PathBuf {
        self.folder.join("sha256").join(digest.hex())
    }

    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, PackageError> {
        self.world.read(path).map_err(|error| match error {
            WorldError::Missing(path) => PackageError::World(format!("there is no `{path}`")),
            other @ WorldError::Failed(..) => PackageError::World(other.to_string()),
        })
    }
}

/// Names and versions come from servers and overlays: what would climb out of the folder becomes `_`.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-._+".contains(c) { c } else { '_' }).collect()
}

pub(super) fn chart_file(name: &str, version: &str) -> String {
    format!("{}-{}.tgz", plain(name), plain(version))
}

/// `cert-manager` of `cert-manager-v1.17.2.tgz`.
fn name_of(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".tgz")?;
    let cut = stem
        .match_indices('-')
        .map(|(at, _)| at)
        .rfind(|at| stem[at + 1..].trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()))?;
    Some(&stem[..cut])
}

/// The file that stands for a manifest's URL. One of a release is named by project, version and channel
/// (`gateway-api-v1.3.0-standard.yaml` for `.../gateway-api/releases/download/v1.3.0/standard-install.yaml`); any other by
/// its own name and the URL's digest, because many URLs end in `install.yaml`.
fn manifest_file(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let file = last_part(url);
    let (stem, ending) = file.rsplit_once('.').unwrap_or((&file, "yaml"));
    if let [.., project, "releases", "download", version, _] = parts.as_slice() {
        let channel = stem.strip_suffix("-install").unwrap_or(stem);
        return format!("{}-{}-{channel}.yaml", plain(project), plain(version));
    }
    format!("{stem}-{}.{ending}", &ContentDigest::of(url.as_bytes()).hex()[..12])
}

/// The name of the file itself, as a person may have put it into the folder.
fn last_part(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    plain(path.trim_end_matches('/').rsplit('/').next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    fn pinned(version: &str, bytes: &[u8]) -> Pinned {
        Pinned { version: version.into(), digest: ContentDigest::of(bytes), manifest: None, commit: None }
    }

    fn chart(source: &str) -> Wanted {
        Wanted::Chart { name: "a".into(), range: "1.0.0".into(), source: source.into() }
    }

    #[test]
    fn what_is_put_is_found_and_forks_do_not_overwrite_each_other() {
        let world = MemoryWorld::new();
        let mirror = Mirror::at(&world, "m".into());
        for bytes in [b"one".as_slice(), b"two", b"one"] {
            let pin = pinned("1.0.0", bytes);
            mirror.put(&chart("https://x.example.org"), &pin, bytes).expect("room");
            assert_eq!(mirror.pinned(&chart("https://x.example.org"), &pin).as_deref(), Some(bytes));
        }
        let url = Wanted::Manifest { url: "https://h/p/releases/download/v1/standard-install.yaml".into() };
        let path = mirror.put(&url, &pinned("", b"m"), b"m").expect("room");
        assert_eq!(path, "m/manifests/p-v1-standard.yaml");
        assert_eq!(mirror.manifest(url.name()).expect("a file"), b"m");
        assert_eq!(world.files().len(), 3);
    }

    #[test]
    fn names_of_files_stay_in_the_folder() {
        let world = MemoryWorld::new();
        let mirror = Mirror::at(&world, "m".into());
        let wanted = Wanted::Chart { name: "../../x".into(), range: "1".into(), source: "https://h".into() };
        let path = mirror.put(&wanted, &pinned("1/../../y", b"x"), b"x").expect("room");
        assert_eq!(path, "m/.._.._x-1_.._.._y.tgz");
        assert_eq!(name_of("cert-manager-webhook-hetzner-1.4.0.tgz"), Some("cert-manager-webhook-hetzner"));
    }
}
