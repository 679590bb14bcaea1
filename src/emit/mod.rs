//! `Sequence -> Tree`: every file of an environment, in memory.
//!
//! Below `<output.dir>/<output.prefix>`: `clusters/<env>/` is what Flux syncs, `envs/<env>/` is a kluctl project whose
//! unit folders Flux applies too, `flux/<env>/` holds what only Flux has, `hosts/<env>/` what is no Kubernetes object.
//! Each unit is one folder with an explicit `kustomization.yaml`, self-contained. The same sequence gives the same
//! bytes.

mod document;
mod flux;
mod hosts;
mod kluctl;
mod names;
mod release;
mod sources;
mod units;

use crate::diag::{Reported, Sink};
use crate::digest::ContentDigest;
use crate::model::{HostFile, Output};
use crate::order::Sequence;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Every file of an environment. Only [`emit`] makes one.
#[derive(Clone, Debug)]
pub struct Tree {
    environment: Arc<str>,
    output: Output,
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

impl Tree {
    /// The environment.
    pub fn environment(&self) -> &Arc<str> {
        &self.environment
    }

    /// Where it is written.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The files by path below `<output.dir>/<output.prefix>`, the list of files included.
    pub fn files(&self) -> &BTreeMap<Utf8PathBuf, Vec<u8>> {
        &self.files
    }

    /// Nothing: what an environment that is no more has to have.
    pub fn empty(environment: Arc<str>, output: Output) -> Self {
        Self { environment, output, files: BTreeMap::new() }
    }

    /// The path of the list of files of an environment.
    pub fn list_path(environment: &str) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("envs/{environment}/.stackc-files"))
    }
}

/// The folders of a tree, each with one folder for each environment.
const FOLDERS: [&str; 4] = ["clusters", "envs", "flux", "hosts"];

/// Whether a tree of `environment` (of any, where it is `None`) may have a file at this path. Nothing else is ever
/// written or removed, whatever lists and journals on the disk say.
pub(crate) fn may_hold(path: &Utf8Path, environment: Option<&str>) -> bool {
    let mut parts = path.components().map(|part| match part {
        Utf8Component::Normal(name) => Some(name),
        _ => None,
    });
    let folder = parts.next().flatten().is_some_and(|folder| FOLDERS.contains(&folder));
    let owner = parts.next().flatten().is_some_and(|owner| environment.is_none_or(|wanted| owner == wanted));
    let mut below = 0;
    let plain = parts.all(|part| {
        below += 1;
        part.is_some_and(is_plain)
    });
    folder && owner && plain && below > 0
}

/// A name that every file system, Git and a line of a list can hold, and that steers no Git.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.to_ascii_lowercase().starts_with(".git") && !name.contains(char::is_control)
}

/// The list of files of an environment's [`Tree`]: path to SHA-256 in hex. `None` where a line is malformed, or names
/// what no tree of this environment can hold.
pub fn read_list(environment: &str, text: &str) -> Option<BTreeMap<Utf8PathBuf, String>> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (digest, path) = line.split_once("  ")?;
            let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let path = Utf8Path::new(path);
            (hex && may_hold(path, Some(environment))).then(|| (path.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// A path below a folder, with `/` on every system: what readers of a tree, lists of files and Git go by.
pub fn slashed(folder: impl AsRef<str>, path: impl AsRef<str>) -> Utf8PathBuf {
    let (folder, path) = (folder.as_ref().trim_end_matches('/'), path.as_ref());
    match (folder, path) {
        ("", only) | (only, "") => only.into(),
        _ if Utf8Path::new(path).is_absolute() => path.into(),
        _ => format!("{folder}/{path}").into(),
    }
}

/// SHA-256 of a file's bytes, as in a list of files.
pub fn digest(bytes: &[u8]) -> String {
    ContentDigest::of(bytes).hex().to_owned()
}

/// Writes an environment down.
pub fn emit(sequence: &Sequence, hosts: &[HostFile], sink: &mut Sink) -> Result<Tree, Reported> {
    let environment = Arc::clone(&sequence.surroundings().environment.name);
    let mut files = BTreeMap::new();
    let named = sources::Named::of(sequence);
    let folders = units::write(sequence, &named, &mut files, sink);
    if sequence.surroundings().deliver.flux.is_some() {
        flux::write(sequence, &folders, &named, &mut files, sink);
    }
    if sequence.surroundings().deliver.kluctl.is_some() {
        kluctl::write(sequence, &folders, &mut files, sink);
    }
    hosts::write(&environment, hosts, &mut files, sink);
    let mut listed: Vec<_> = files.iter().collect();
    listed.sort_by_key(|(path, _)| path.as_str());
    let mut list = String::new();
    for (path, bytes) in listed {
        let _ = writeln!(list, "{}  {path}", digest(bytes));
    }
    files.insert(Tree::list_path(&environment), list.into_bytes());
    let output = sequence.surroundings().environment.output.clone();
    sink.finish(Tree { environment, output, files })
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod tests;
