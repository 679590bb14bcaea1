use super::*;
use crate::diff::tests::{changed, tree, world_with};
use crate::diff::{Base, diff};
use crate::emit::Tree;
use crate::order::tests::operated;
use crate::world::memory::MemoryWorld;
use crate::world::os::OsWorld;
use crate::world::passes_on;
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A world that stops working after a number of changes, as if the process were killed.
struct Stopping<'w> {
    world: &'w MemoryWorld,
    left: AtomicUsize,
}

impl Stopping<'_> {
    fn step(&self) -> Result<(), WorldError> {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken
            .map(drop)
            .map_err(|left| WorldError::Failed("x".into(), format!("stopped with {left} steps left")))
    }
}

impl World for Stopping<'_> {
    passes_on!(world: read list kind size real_path now random standard_input exclusive variable pause fetch);
    passes_on!(world: execute);

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.step()?;
        self.world.write(path, bytes)
    }
    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.step()?;
        self.world.keep(path, bytes)
    }
    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.step()?;
        self.world.remove(path)
    }
    fn remove_empty_folder(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.step()?;
        self.world.remove_empty_folder(path)
    }
    fn root(&self) -> Option<&Utf8Path> {
        None
    }
}

fn build(tree: Tree, world: &dyn World) -> Result<Receipt, Reported> {
    let mut sink = Sink::new();
    complete(Utf8Path::new("."), world, &mut sink)?;
    let changes = diff(vec![tree], &Base::Files, world, &mut sink)?;
    publish(changes, &Destination::Files, world, &mut sink)
}

fn files(tree: &Tree) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    tree.files().clone()
}

#[test]
fn a_build_that_is_stopped_anywhere_leaves_old_or_new_or_a_journal() {
    let (old, new) = (tree(operated()), tree(changed(operated())));
    let mut stopped = 0;
    loop {
        let world = world_with(&old).with("clusters/test/flux-system/gotk-sync.yaml", "theirs");
        let with_theirs = |tree: &Tree| {
            let mut files = files(tree);
            files.insert("clusters/test/flux-system/gotk-sync.yaml".into(), b"theirs".to_vec());
            files
        };
        let stopping = Stopping { world: &world, left: AtomicUsize::new(stopped) };
        let done = build(new.clone(), &stopping).is_ok();
        let journal = world.files().contains_key(Utf8Path::new(".stackc-journal"));
        if done {
            assert!(!journal);
            assert_eq!(world.files(), with_theirs(&new));
            break;
        }
        if !journal {
            assert!(
                world.files() == with_theirs(&old) || world.files() == with_theirs(&new),
                "after {stopped}"
            );
        }
        let completed =
            complete(Utf8Path::new("."), &world, &mut Sink::new()).expect("a journal that can be read");
        assert_eq!(completed, journal);
        assert_eq!(world.files(), with_theirs(if journal { &new } else { &old }), "after {stopped}");
        stopped += 1;
    }
    assert!(stopped > 5, "the build takes several steps");
}

#[test]
fn only_what_was_written_before_is_removed() {
    let world = world_with(&tree(operated())).with("envs/test/app/notes.txt", "mine");
    let receipt = build(tree(changed(operated())), &world).expect("a receipt");
    assert_eq!((receipt.removed(), receipt.commit()), (1, None));
    assert!(world.files().contains_key(Utf8Path::new("envs/test/app/notes.txt")));
    assert!(!world.files().contains_key(Utf8Path::new("envs/test/app/thing-theirs.yaml")));
    let again = build(tree(changed(operated())), &world).expect("a receipt");
    assert_eq!((again.written(), again.removed()), (0, 0));
}

#[test]
fn a_journal_that_leads_outside_is_refused() {
    for journal in [
        "{",
        "{\"version\":1,\"steps\":[{\"path\":\"../x\",\"bytes\":null}]}",
        "{\"version\":1,\"steps\":[{\"path\":\".git/config\",\"bytes\":\"\"}]}",
        "{\"version\":1,\"steps\":[{\"path\":\"stackc.yaml\",\"bytes\":\"\"}]}",
        "{\"version\":1,\"steps\":[{\"path\":\"envs/dev/.git/config\",\"bytes\":\"\"}]}",
        "{\"version\":2,\"steps\":[]}",
    ] {
        let world = MemoryWorld::new().with(".stackc-journal", journal).with("x", "y");
        let mut sink = Sink::new();
        assert!(complete(Utf8Path::new("."), &world, &mut sink).is_err());
        assert_eq!(sink.found()[0].code, codes::DAMAGED_JOURNAL);
    }
}

fn publish_to(tree: Tree, branch: &str, world: &dyn World) -> (Option<Receipt>, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let base = Base::Branch { repository: None, branch: branch.to_owned() };
    let destination = Destination::Branch { repository: None, branch: branch.to_owned(), title: None };
    let receipt = diff(vec![tree], &base, world, &mut sink)
        .and_then(|changes| publish(changes, &destination, world, &mut sink));
    (receipt.ok(), sink.into_found())
}

#[test]
fn a_branch_gets_one_commit_and_none_where_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let git = git2::Repository::init(folder.path()).expect("a repository");
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    let world = OsWorld::new(root.clone());
    let (first, found) = publish_to(tree(operated()), "deploy", &world);
    assert_eq!(found, []);
    let first = first.and_then(|receipt| receipt.commit().cloned()).expect("a commit");
    let (again, _) = publish_to(tree(operated()), "deploy", &world);
    assert_eq!(again.expect("a receipt").commit(), None);
    let (second, _) = publish_to(tree(changed(operated())), "deploy", &world);
    let second = second.and_then(|receipt| receipt.commit().cloned()).expect("a commit");
    let commit = git.find_commit(git2::Oid::from_str(second.as_str()).expect("a name")).expect("a commit");
    assert_eq!(commit.parent_id(0).expect("a parent").to_string(), first.as_str());
    let message = commit.message().expect("a message");
    assert!(message.starts_with("Publish test\n\ntest: 1 added, 3 changed, 1 removed\n"), "{message}");
    assert!(message.contains("  ~ ConfigMap/shop/c: data.b\n"), "{message}");
    let entries = |tree: &git2::Tree<'_>| {
        tree.iter().map(|entry| entry.name().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let written = commit.tree().expect("a tree");
    assert_eq!(entries(&written), ["clusters", "envs", "flux"]);
    assert!(written.get_path(std::path::Path::new("envs/test/app/thing-theirs.yaml")).is_err());
    // Nothing but `.git` in the work tree.
    assert_eq!(world.list(Utf8Path::new(".")).expect("a folder").len(), 1);
    // Against a revision, with a name that is not quite right.
    let mut sink = Sink::new();
    let against = |revision: &str| Base::Revision { revision: revision.to_owned() };
    let changes = diff(vec![tree(operated())], &against("deploy~1"), &world, &mut sink).expect("changes");
    assert!(changes.is_empty());
    assert!(diff(vec![tree(operated())], &against("depoly"), &world, &mut sink).is_err());
    assert_eq!(sink.found()[0].helps[0], "did you mean `deploy`?");
}

#[test]
fn a_branch_that_moved_meanwhile_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    git2::Repository::init(folder.path()).expect("a repository");
    let world = OsWorld::new(Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8"));
    publish_to(tree(operated()), "deploy", &world);
    let mut sink = Sink::new();
    let base = Base::Branch { repository: None, branch: "deploy".to_owned() };
    let changes = diff(vec![tree(changed(operated()))], &base, &world, &mut sink).expect("changes");
    publish_to(tree(changed(operated())), "deploy", &world);
    let destination = Destination::Branch { repository: None, branch: "deploy".to_owned(), title: None };
    assert!(publish(changes, &destination, &world, &mut sink).is_err());
    assert_eq!(sink.found()[0].code, codes::UNUSABLE_REPOSITORY);
}

#[test]
fn there_is_no_repository_in_memory() {
    let (receipt, found) = publish_to(tree(operated()), "deploy", &MemoryWorld::new());
    assert!(receipt.is_none());
    assert_eq!(found[0].code, codes::UNUSABLE_REPOSITORY);
}
