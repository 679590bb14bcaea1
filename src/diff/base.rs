//! What a tree is compared with.

use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::world::git::{CommitId, Repository};
use crate::world::{EntryKind, World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};

/// What a tree is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The files on disk.
    Files,
    /// The files of a revision of the project's own repository.
    Revision {
        /// A branch, a tag, a commit, `HEAD~1`.
        revision: String,
    },
    /// The files at the tip of a branch, which may not exist yet.
    Branch {
        /// The repository's folder; the project's own where it is `None`.
        repository: Option<Utf8PathBuf>,
        /// The branch.
        branch: String,
    },
}

/// Reads files of a base.
pub(super) enum Reader<'w> {
    Disk { world: &'w dyn World, root: Utf8PathBuf },
    Git { repository: Repository, commit: Option<CommitId>, root: Utf8PathBuf, also: Option<Utf8PathBuf> },
}

impl<'w> Reader<'w> {
    pub(super) fn open(
        base: &Base,
        root: &Utf8Path,
        prefix: &Utf8Path,
        world: &'w dyn World,
        sink: &mut Sink,
    ) -> Result<Self, Reported> {
        let open = |path: &Utf8Path, sink: &mut Sink| {
            Repository::open(world, path).map_err(|error| sink.report(unopened(&error)))
        };
        match base {
            Base::Files => Ok(Self::Disk { world, root: root.to_owned() }),
            Base::Revision { revision } => {
                let repository = open(Utf8Path::new("."), sink)?;
                let commit = repository.resolve(revision).map_err(|error| sink.report(unopened(&error)))?;
                let Some(commit) = commit else {
                    let names = repository.names();
                    let mut diagnostic = Diagnostic::error(
                        codes::UNKNOWN_REVISION,
                        format!("`{revision}` is no revision of this repository"),
                    );
                    if let Some(meant) = did_you_mean(revision, names.iter().map(String::as_str)) {
                        diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
                    }
                    return Err(sink.report(diagnostic.help("name a branch, a tag or a commit")));
                };
                // A branch that holds nothing but published trees has them at its root.
                let below = clean(&repository.below_root().join(root));
                Ok(Self::Git { repository, commit: Some(commit), root: below, also: Some(clean(prefix)) })
            }
            Base::Branch { repository, branch } => {
                let path = repository.as_deref().unwrap_or(Utf8Path::new("."));
                let repository = open(path, sink)?;
                if !Repository::is_branch_name(branch) {
                    return Err(sink.report(
                        Diagnostic::error(
                            codes::UNKNOWN_REVISION,
                            format!("`{branch}` cannot be the name of a branch"),
                        )
                        .help("choose another `--branch`"),
                    ));
                }
                let commit = repository.branch(branch).map_err(|error| sink.report(unopened(&error)))?;
                Ok(Self::Git { repository, commit, root: clean(prefix), also: None })
            }
        }
    }

    /// The commit that is read from.
    pub(super) fn tip(&self) -> Option<&CommitId> {
        match self {
            Self::Disk { .. } => None,
            Self::Git { commit, .. } => commit.as_ref(),
        }
    }

    /// A file below the root; `None` where there is none.
    pub(super) fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>, WorldError> {
        match self {
            Self::Disk { world, root } => match world.read(&root.join(path)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(WorldError::Missing(_)) => Ok(None),
                // Where a file was there may be a folder now.
                Err(_) if world.kind(&root.join(path)) == Some(EntryKind::Folder) => Ok(None),
                Err(error) => Err(error),
            },
            Self::Git { commit: None, .. } => Ok(None),
            Self::Git { repository, commit: Some(commit), root, also } => {
                match (repository.read(commit, &root.join(path))?, also) {
                    (None, Some(also)) if also != root => repository.read(commit, &also.join(path)),
                    (found, _) => Ok(found),
                }
            }
        }
    }
}

/// A path without `.` and with `..` resolved, as Git spells paths.
fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            camino::Utf8Component::Normal(name) => out.push(name),
            camino::Utf8Component::ParentDir => {
                out.pop();
            }
            _ => {}
        }
    }
    out
}

fn unopened(error: &WorldError) -> Diagnostic {
    Diagnostic::error(codes::UNUSABLE_REPOSITORY, error.to_string())
        .help("run the command in a Git repository, or name one that `git` itself can open")
}
