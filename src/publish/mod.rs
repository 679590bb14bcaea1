//! `ChangeSet -> Receipt`: the only writer.
//!
//! Files are written through a journal: a build that is killed leaves the old tree, or the new one, or a journal that
//! the next command completes. A branch gets one commit, and none where nothing changes; no work tree is touched.

mod branch;
mod journal;

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::diff::ChangeSet;
use crate::world::git::CommitId;
use crate::world::{World, WorldError};
use camino::Utf8PathBuf;

/// Where a change set goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The files on disk.
    Files,
    /// A branch. The change set has to be against the same branch.
    Branch {
        /// The repository's folder; the project's own where it is `None`.
        repository: Option<Utf8PathBuf>,
        /// The branch; made where it does not exist.
        branch: String,
        /// The first line of the message, in place of the usual one.
        title: Option<String>,
    },
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    written: usize,
    removed: usize,
    unchanged: usize,
    commit: Option<CommitId>,
}

impl Receipt {
    /// How many files were written.
    pub fn written(&self) -> usize {
        self.written
    }

    /// How many files were removed.
    pub fn removed(&self) -> usize {
        self.removed
    }

    /// How many files stayed as they were.
    pub fn unchanged(&self) -> usize {
        self.unchanged
    }

    /// The commit, where one was made.
    pub fn commit(&self) -> Option<&CommitId> {
        self.commit.as_ref()
    }
}

/// Writes a change set.
pub fn publish(
    changes: ChangeSet,
    destination: &Destination,
    world: &dyn World,
    sink: &mut Sink,
) -> Result<Receipt, Reported> {
    let files = || changes.environments().iter().flat_map(super::diff::EnvironmentChanges::files);
    let written = files().filter(|file| file.after.is_some()).count();
    let removed = files().count() - written;
    let unchanged = changes.environments().iter().map(super::diff::EnvironmentChanges::unchanged).sum();
    let commit = match destination {
        Destination::Files => {
            if !changes.is_empty() {
                journal::write(&changes, world).map_err(|error| sink.report(unwritten(&error)))?;
            }
            None
        }
        Destination::Branch { repository, branch, title } => {
            branch::commit(&changes, repository.as_deref(), branch, title.as_deref(), world, sink)?
        }
    };
    drop(changes);
    sink.finish(Receipt { written, removed, unchanged, commit })
}

/// Completes what a killed build left behind in an output folder; call it before anything is compared with the files
/// there. The answer is whether there was anything.
pub fn complete(root: &camino::Utf8Path, world: &dyn World, sink: &mut Sink) -> Result<bool, Reported> {
    journal::complete(root, world, sink)
}

/// Whether a killed build left something behind that [`complete`] would complete.
pub fn is_pending(root: &camino::Utf8Path, world: &dyn World) -> bool {
    journal::is_pending(root, world)
}

fn unwritten(error: &WorldError) -> Diagnostic {
    Diagnostic::error(codes::UNWRITTEN, format!("the output could not be written: {error}"))
        .note("what is missing is written by the next `stackc build`")
        .help("check the rights and the space of the output folder")
}

#[cfg(test)]
mod tests;
