//! A folder in place of the network: `<name>-<version>.tgz`, and `manifests/<file>` for plain manifests.

use super::PackageError;
use crate::world::{EntryKind, World};
use camino::{Utf8Path, Utf8PathBuf};

/// The versions of a chart that the folder holds, with their files.
pub(super) fn versions(
    world: &dyn World,
    folder: &Utf8Path,
    name: &str,
) -> Result<Vec<(String, Utf8PathBuf)>, PackageError> {
    let entries = world.list(folder).map_err(|error| PackageError::World(format!("the mirror: {error}")))?;
    Ok(entries
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::File)
        .filter_map(|entry| {
            let stem = entry.name.strip_suffix(".tgz")?;
            let version = stem.strip_prefix(name)?.strip_prefix('-')?;
            // `cert-manager-webhook-hetzner-1.4.0` is no version of `cert-manager`.
            let digits = version.strip_prefix('v').unwrap_or(version);
            digits
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| (version.to_owned(), folder.join(&entry.name)))
        })
        .collect())
}

/// The names of charts in the folder, for a did-you-mean.
pub(super) fn names(world: &dyn World, folder: &Utf8Path) -> Vec<String> {
    let mut names: Vec<String> = world
        .list(folder)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|entry| {
            let stem = entry.name.strip_suffix(".tgz")?.to_owned();
            let cut = stem.match_indices('-').map(|(at, _)| at).rfind(|at| {
                stem[at + 1..].trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())
            })?;
            Some(stem[..cut].to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The file that stands for a manifest's URL: `manifests/` and the last part of the path, or that part with the
/// version and channel of a release URL (`gateway-api-v1.3.0-standard.yaml` for
/// `.../gateway-api/releases/download/v1.3.0/standard-install.yaml`).
pub(super) fn manifest(world: &dyn World, folder: &Utf8Path, url: &str) -> Option<Utf8PathBuf> {
    let parts: Vec<&str> = url.split('/').collect();
    let file = *parts.last()?;
    let mut candidates = vec![folder.join("manifests").join(file)];
    if let [.., project, "releases", "download", version, file] = parts.as_slice() {
        let stem = file.strip_suffix(".yaml").unwrap_or(file);
        let channel = stem.strip_suffix("-install").unwrap_or(stem);
        candidates.push(folder.join("manifests").join(format!("{project}-{version}-{channel}.yaml")));
    }
    candidates.into_iter().find(|path| world.kind(path) == Some(EntryKind::File))
}
