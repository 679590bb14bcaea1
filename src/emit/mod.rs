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
mod units;

use crate::diag::{Reported, Sink};
use crate::digest::ContentDigest;
use crate::model::{HostFile, Output};
use crate::order::Sequence;
use camino::{Utf8Path, Utf8PathBuf};
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

    /// The path of the list of files of an environment.
    pub fn list_path(environment: &str) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("envs/{environment}/.stackc-files"))
    }
}

/// A list of files as [`Tree`]s carry it: path to SHA-256 in hex. `None` where a line is malformed.
pub fn read_list(text: &str) -> Option<BTreeMap<Utf8PathBuf, String>> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (digest, path) = line.split_once("  ")?;
            let hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let path = Utf8Path::new(path);
            let inside = path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
            (hex && inside && !path.as_str().is_empty()).then(|| (path.to_owned(), digest.to_owned()))
        })
        .collect()
}

/// SHA-256 of a file's bytes, as in a list of files.
pub fn digest(bytes: &[u8]) -> String {
    ContentDigest::of(bytes).hex().to_owned()
}

/// Writes an environment down.
pub fn emit(sequence: &Sequence, hosts: &[HostFile], sink: &mut Sink) -> Result<Tree, Reported> {
    let environment = Arc::clone(&sequence.surroundings().environment.name);
    let mut files = BTreeMap::new();
    let folders = units::write(sequence, &mut files, sink);
    if sequence.surroundings().deliver.flux.is_some() {
        flux::write(sequence, &folders, &mut files, sink);
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
