//! `Tree, base -> ChangeSet`: what a build would change, file by file, object by object, field by field.
//!
//! The base is the files on disk, or those of a Git revision. Only files that stackc wrote before (its own list says
//! which) are ever replaced or removed; one that somebody edited since is reported, one that somebody else put there
//! is an error.

mod base;
mod fields;
mod objects;
mod print;
mod schemas;

pub use base::Base;
pub use fields::FieldChange;
pub use objects::{DocumentChange, DocumentId, Whole};
pub(crate) use print::counts;
pub use print::{json, text, unified};

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::emit::{self, Tree};
use crate::model::Output;
use crate::world::git::CommitId;
use crate::world::{World, WorldError};
use base::Reader;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path below `<output.dir>/<output.prefix>`.
    pub path: Utf8PathBuf,
    /// Its bytes in the base; `None` where it is new.
    pub before: Option<Vec<u8>>,
    /// Its bytes now; `None` where it is removed.
    pub after: Option<Vec<u8>>,
}

/// What changes in one environment.
#[derive(Clone, Debug)]
pub struct EnvironmentChanges {
    environment: Arc<str>,
    files: Vec<FileChange>,
    unchanged: usize,
}

impl EnvironmentChanges {
    /// The environment.
    pub fn environment(&self) -> &Arc<str> {
        &self.environment
    }

    /// Its files that change, by path; the list of files among them.
    pub fn files(&self) -> &[FileChange] {
        &self.files
    }

    /// How many files stay as they are.
    pub fn unchanged(&self) -> usize {
        self.unchanged
    }

    /// What changes object by object.
    pub fn documents(&self) -> Vec<DocumentChange> {
        objects::changes(&self.environment, &self.files)
    }
}

/// What a build changes. Only [`diff`] makes one.
#[derive(Clone, Debug)]
pub struct ChangeSet {
    root: Utf8PathBuf,
    prefix: Utf8PathBuf,
    tip: Option<CommitId>,
    environments: Vec<EnvironmentChanges>,
}

impl ChangeSet {
    /// The folder that the paths of files count from, relative to the project.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The folder that they count from in a branch.
    pub fn prefix(&self) -> &Utf8Path {
        &self.prefix
    }

    /// The commit that it was compared with.
    pub fn tip(&self) -> Option<&CommitId> {
        self.tip.as_ref()
    }

    /// The environments, in the order they were given.
    pub fn environments(&self) -> &[EnvironmentChanges] {
        &self.environments
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.environments.iter().all(|environment| environment.files.is_empty())
    }
}

/// Compares trees with a base.
pub fn diff(
    trees: Vec<Tree>,
    base: &Base,
    world: &dyn World,
    sink: &mut Sink,
) -> Result<ChangeSet, Reported> {
    let output = trees.first().map(|tree| tree.output().clone());
    let prefix = output.as_ref().map(|output| output.prefix.clone()).unwrap_or_default();
    let root = output.map(|output| output.root()).unwrap_or_default();
    let reader = Reader::open(base, &root, &prefix, world, sink)?;
    let mut environments = Vec::with_capacity(trees.len());
    for tree in trees {
        environments.extend(compare(&tree, base, &reader, sink));
    }
    let tip = reader.tip().cloned();
    sink.finish(ChangeSet { root, prefix, tip, environments })
}

fn compare(tree: &Tree, base: &Base, reader: &Reader<'_>, sink: &mut Sink) -> Option<EnvironmentChanges> {
    let environment = tree.environment();
    let list_path = Tree::list_path(environment);
    let read = |path: &Utf8Path, sink: &mut Sink| match reader.read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            sink.report(unreadable(&error));
            None
        }
    };
    let list = read(&list_path, sink)?;
    let listed: BTreeMap<Utf8PathBuf, String> = match &list {
        None => BTreeMap::new(),
        Some(bytes) => {
            if let Some(listed) =
                std::str::from_utf8(bytes).ok().and_then(|text| emit::read_list(environment, text))
            {
                listed
            } else {
                sink.report(damaged(&list_path, bytes, tree.output()));
                return None;
            }
        }
    };
    let mut files = Vec::new();
    let mut unchanged = 0;
    // Where the environment is no more its list goes, too.
    let own = list.as_ref().map(|_| &list_path);
    let paths: BTreeSet<&Utf8PathBuf> = tree.files().keys().chain(listed.keys()).chain(own).collect();
    for path in paths {
        let before = if *path == list_path { list.clone() } else { read(path, sink)? };
        let after = tree.files().get(path);
        if before.as_ref() == after {
            unchanged += 1;
            continue;
        }
        if let Some(bytes) = &before {
            match listed.get(path) {
                None if *path != list_path => {
                    sink.report(foreign(path, base));
                    continue;
                }
                Some(sum) if emit::digest(bytes) != *sum => {
                    sink.report(edited(path, after.is_some(), environment));
                    if after.is_none() {
                        continue;
                    }
                }
                _ => {}
            }
        }
        if before.is_some() || after.is_some() {
            files.push(FileChange { path: path.clone(), before, after: after.cloned() });
        }
    }
    Some(EnvironmentChanges { environment: Arc::clone(environment), files, unchanged })
}

fn unreadable(error: &WorldError) -> Diagnostic {
    Diagnostic::error(codes::UNREADABLE_FILE, error.to_string()).help("check the file's type and rights")
}

fn foreign(path: &Utf8Path, base: &Base) -> Diagnostic {
    let place = match base {
        Base::Files => "on disk",
        Base::Revision { .. } | Base::Branch { .. } => "in the repository",
    };
    Diagnostic::error(
        codes::FOREIGN_FILE,
        format!("`{path}` is {place} already, and stackc did not write it"),
    )
    .help("move it away, or choose another `output` in `stackc.yaml`: only files that stackc wrote are replaced")
}

fn edited(path: &Utf8Path, stays: bool, environment: &str) -> Diagnostic {
    let (message, help) = if stays {
        (
            format!("`{path}` was edited by hand since stackc wrote it; the edit is replaced"),
            format!("say it in `overlays/{environment}/overlay.yaml` instead: an input, or a patch"),
        )
    } else {
        (
            format!("`{path}` is no longer part of the output and was edited by hand; it is left alone"),
            "remove it once the edit is no longer wanted".to_owned(),
        )
    };
    Diagnostic::warning(codes::EDITED_BY_HAND, message).help(help)
}

/// The finding for a list of files that cannot be read.
fn damaged(path: &Utf8Path, bytes: &[u8], output: &Output) -> Diagnostic {
    let finding = Diagnostic::error(codes::DAMAGED_LIST, format!("the list of files `{path}` is damaged"))
        .note("without it nobody knows which files stackc wrote");
    let markers: [&[u8]; 2] = [b"<<<<<<< ", b">>>>>>> "];
    if bytes.split(|byte| *byte == b'\n').any(|line| markers.iter().any(|marker| line.starts_with(marker))) {
        // At the root of the repository the sources lie beside the tree.
        let root = output.root();
        let folder = match root.as_str().trim_start_matches("./").trim_end_matches('/') {
            "" | "." => "envs",
            folder => folder,
        };
        return finding.note("it holds the conflict markers of a merge").help(format!(
            "take one side of the tree (`git restore --source=HEAD --staged --worktree -- {folder}`), run `stackc build`, and commit what it writes"
        ));
    }
    finding.help(
        "restore it from Git, or delete it together with the files of that environment, and build again",
    )
}

#[cfg(test)]
pub(crate) mod tests;
