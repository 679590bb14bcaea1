//! Git repositories on this machine: reading files of any revision, and commits that touch no work tree.
//!
//! libgit2 does both in process; fetching and pushing are left to the `git` program. What libgit2 cannot open (partial
//! clones, reftable, SHA-256) is refused in its own words.

use super::{World, WorldError};
use camino::{Utf8Path, Utf8PathBuf};
use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, ObjectType, Oid, Signature};
use std::collections::BTreeMap;

/// A commit, as hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId(String);

impl std::fmt::Display for CommitId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl CommitId {
    /// The whole name in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, as people read them.
    pub fn short(&self) -> &str {
        &self.0[..self.0.len().min(10)]
    }
}

/// A work tree of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkTree {
    /// That of the folder which was opened.
    Here,
    /// Another one.
    At(Utf8PathBuf),
}

/// What a commit changes: paths from the root of the repository, `None` to remove a file.
pub type Changes = BTreeMap<Utf8PathBuf, Option<Vec<u8>>>;

/// An open repository.
pub struct Repository {
    git: git2::Repository,
    path: Utf8PathBuf,
    author: Option<(String, String)>,
}

impl Repository {
    /// The repository that a folder is in.
    pub fn open(world: &dyn World, path: &Utf8Path) -> Result<Self, WorldError> {
        let Some(root) = world.root() else {
            return Err(WorldError::Failed(path.to_owned(), "there are no repositories here".to_owned()));
        };
        let folder = root.join(path);
        let git = git2::Repository::discover(&folder).map_err(|error| {
            if error.code() == ErrorCode::NotFound {
                WorldError::Failed(path.to_owned(), "it is in no Git repository".to_owned())
            } else {
                WorldError::Failed(path.to_owned(), error.message().to_owned())
            }
        })?;
        let author = world.variable("GIT_AUTHOR_NAME").zip(world.variable("GIT_AUTHOR_EMAIL"));
        Ok(Self { git, path: folder, author })
    }

    fn failure(&self, error: &git2::Error) -> WorldError {
        WorldError::Failed(self.path.clone(), error.message().to_owned())
    }

    /// Where the folder that was opened is below the root of the work tree; empty in a bare repository.
    pub fn below_root(&self) -> Utf8PathBuf {
        let inside = || {
            let root = self.git.workdir()?.canonicalize().ok()?;
            let here = self.path.as_std_path().canonicalize().ok()?;
            Utf8PathBuf::from_path_buf(here.strip_prefix(root).ok()?.to_owned()).ok()
        };
        inside().unwrap_or_default()
    }

    /// The commit that a revision names: a branch, a tag, `HEAD~1`; `None` where there is no such thing.
    pub fn resolve(&self, revision: &str) -> Result<Option<CommitId>, WorldError> {
        match self.git.revparse_single(revision).and_then(|object| object.peel_to_commit()) {
            Ok(commit) => Ok(Some(CommitId(commit.id().to_string()))),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) => Ok(None),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Branches and tags, for whoever misspelt one.
    pub fn names(&self) -> Vec<String> {
        let names = self.git.references().map(|references| {
            references
                .filter_map(|reference| reference.ok()?.shorthand().ok().map(str::to_owned))
                .collect::<Vec<_>>()
        });
        names.unwrap_or_default()
    }

    /// Whether a branch may have this name.
    pub fn is_branch_name(name: &str) -> bool {
        git2::Branch::name_is_valid(name).unwrap_or(false)
    }

    /// The tip of a local branch; `None` where there is no such branch.
    pub fn branch(&self, name: &str) -> Result<Option<CommitId>, WorldError> {
        match self.git.find_reference(&format!("refs/heads/{name}")).and_then(|found| found.peel_to_commit())
        {
            Ok(commit) => Ok(Some(CommitId(commit.id().to_string()))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Which work tree shows a branch: that of the folder, or another one that `git worktree add` made.
    pub fn checked_out(&self, name: &str) -> Option<WorkTree> {
        let shows = |git: &git2::Repository| {
            let head = git.find_reference("HEAD").ok();
            let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
            !git.is_bare() && target == Some(&format!("refs/heads/{name}"))
        };
        if shows(&self.git) {
            return Some(WorkTree::Here);
        }
        let folder = |git: &git2::Repository| Some(git.workdir()?.to_str()?.trim_end_matches('/').into());
        // Of a repository that was opened in a linked work tree, the main one is among the others.
        let main = git2::Repository::open(self.git.commondir()).ok().into_iter();
        let names = self.git.worktrees().ok();
        let linked = names.iter().flat_map(|names| names.iter()).filter_map(|name| {
            git2::Repository::open_from_worktree(&self.git.find_worktree(name.ok()??).ok()?).ok()
        });
        main.chain(linked).find(|git| shows(git)).as_ref().and_then(folder).map(WorkTree::At)
    }

    /// A file of a commit; `None` where it has none at this path.
    pub fn read(&self, commit: &CommitId, path: &Utf8Path) -> Result<Option<Vec<u8>>, WorldError> {
        let found = Oid::from_str(&commit.0)
            .and_then(|id| self.git.find_commit(id))
            .and_then(|commit| commit.tree())
            .and_then(|tree| tree.get_path(path.as_std_path()))
            .and_then(|entry| entry.to_object(&self.git));
        match found {
            Ok(object) => Ok(object.as_blob().map(|blob| blob.content().to_vec())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Adds a commit to a branch, or makes the branch. Fails where the branch is no longer at `parent`.
    pub fn commit(
        &self,
        branch: &str,
        parent: Option<&CommitId>,
        changes: &Changes,
        message: &str,
    ) -> Result<CommitId, WorldError> {
        self.write(branch, parent, changes, message).map_err(|error| self.failure(&error))
    }

    fn write(
        &self,
        branch: &str,
        parent: Option<&CommitId>,
        changes: &Changes,
        message: &str,
    ) -> Result<CommitId, git2::Error> {
        let parent = parent
            .map(|parent| Oid::from_str(&parent.0).and_then(|id| self.git.find_commit(id)))
            .transpose()?;
        let base = match &parent {
            Some(commit) => commit.tree()?,
            None => self.git.find_tree(self.git.treebuilder(None)?.write()?)?,
        };
        let mut update = TreeUpdateBuilder::new();
        for (path, bytes) in changes {
            match bytes {
                Some(bytes) => {
                    update.upsert(path.as_str(), self.git.blob(bytes)?, FileMode::Blob);
                }
                None if base.get_path(path.as_std_path()).is_ok() => {
                    update.remove(path.as_str());
                }
                None => {}
            }
        }
        let tree = update.create_updated(&self.git, &base)?;
        let tree = self.without_empty(tree, Some(base.id()))?.unwrap_or(self.git.treebuilder(None)?.write()?);
        let tree = self.git.find_tree(tree)?;
        let signature = match (&self.author, self.git.signature()) {
            (Some((name, email)), _) => Signature::now(name, email)?,
            (None, Ok(signature)) => signature,
            (None, Err(_)) => Signature::now("stackc", "stackc@localhost")?,
        };
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let reference = format!("refs/heads/{branch}");
        if parent.is_none() && self.git.find_reference(&reference).is_ok() {
            return Err(git2::Error::from_str("the branch was made in the meantime"));
        }
        let id = self.git.commit(Some(&reference), &signature, &signature, message, &tree, &parents)?;
        Ok(CommitId(id.to_string()))
    }

    /// The tree without folders that have nothing in them any more; `None` where nothing is left. Only what differs
    /// from `base` is looked into.
    fn without_empty(&self, id: Oid, base: Option<Oid>) -> Result<Option<Oid>, git2::Error> {
        if Some(id) == base {
            return Ok(Some(id));
        }
        let base = base.map(|base| self.git.find_tree(base)).transpose()?;
        let tree = self.git.find_tree(id)?;
        let mut builder = self.git.treebuilder(Some(&tree))?;
        let mut changed = false;
        for entry in &tree {
            if entry.kind() != Some(ObjectType::Tree) {
                continue;
            }
            let before = base
                .as_ref()
                .and_then(|base| base.get_name_bytes(entry.name_bytes()).map(|entry| entry.id()));
            let before = before.filter(|id| self.git.find_tree(*id).is_ok());
            match self.without_empty(entry.id(), before)? {
                None => {
                    builder.remove(entry.name_bytes())?;
                    changed = true;
                }
                Some(kept) if kept != entry.id() => {
                    builder.insert(entry.name_bytes(), kept, entry.filemode())?;
                    changed = true;
                }
                Some(_) => {}
            }
        }
        if builder.is_empty() {
            return Ok(None);
        }
        if changed { builder.write().map(Some) } else { Ok(Some(id)) }
    }
}
