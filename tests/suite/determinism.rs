//! The same files give the same bytes, whatever the machine, and a build that is killed loses nothing.
//!
//! Everything here runs the real program on real folders: other numbers of threads, places, folders to start from,
//! locales, time zones, homes and orders of files, and builds that are killed at some point.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A file's bytes by its path below some folder.
type Files = BTreeMap<String, Vec<u8>>;

fn files(root: &Path) -> Files {
    fn walk(root: &Path, folder: &Path, found: &mut Files) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name =
                    path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read(&path).expect("a readable file"));
            }
        }
    }
    let mut found = Files::new();
    walk(root, root, &mut found);
    found
}

/// This repository's project without its output: the file, the overlays, the stacks and their schemas.
fn project() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Files::new();
    found.insert("stackc.yaml".into(), fs::read(root.join("stackc.yaml")).expect("the project file"));
    for part in ["overlays", "stacks", "schemas"] {
        found.extend(
            files(&root.join(part)).into_iter().map(|(path, bytes)| (format!("{part}/{path}"), bytes)),
        );
    }
    found
}

fn write<'f>(root: &Path, files: impl Iterator<Item = (&'f String, &'f Vec<u8>)>) {
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(path, bytes).expect("a writable folder");
    }
}

fn stackc(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stackc"));
    command.current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("STACKC_CACHE", super::CACHE);
    command
}

fn fine(command: &mut Command) -> Output {
    let output = command.output().expect("stackc starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Asserts that two trees are the same, and says which file differs first.
fn same(what: &str, wanted: &Files, found: &Files) {
    let paths = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(wanted), paths(found), "{what}: other files");
    let differs = wanted.iter().find(|(path, bytes)| found.get(*path) != Some(bytes));
    assert!(differs.is_none(), "{what}: {} differs", differs.map_or("", |(path, _)| path));
}

#[test]
fn every_environment_is_the_same_bytes_everywhere() {
    let project = project();
    let first = tempfile::tempdir().expect("a folder");
    write(first.path(), project.iter());
    let told = fine(stackc(first.path()).args(["build", "--fresh", "-j", "1"])).stderr;
    let wanted = files(&first.path().join("dist"));
    assert!(wanted.len() > 200, "only {} files", wanted.len());

    fine(stackc(first.path()).args(["build", "--fresh", "--check", "-j", "8"]));
    fine(stackc(first.path()).args(["build", "--fresh"]));
    same("built twice", &wanted, &files(&first.path().join("dist")));

    // Another place, deeper, whose files came into being in the opposite order; started from elsewhere.
    let other = tempfile::tempdir().expect("a folder");
    let deep = other.path().join("some where/else/ünder");
    write(&deep, project.iter().rev());
    let again = fine(
        stackc(other.path())
            .args(["build", "--fresh", "-j", "8", "-C", "some where/else/ünder"])
            .envs([("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8"), ("TZ", "Asia/Kathmandu")])
            .envs([("HOME", "/nonexistent"), ("XDG_CACHE_HOME", "/nonexistent/cache"), ("USER", "someone")])
            .envs([("COLUMNS", "40"), ("NO_COLOR", "1"), ("TMPDIR", "/nonexistent")]),
    );
    same("elsewhere", &wanted, &files(&deep.join("dist")));
    assert_eq!(String::from_utf8_lossy(&told), String::from_utf8_lossy(&again.stderr), "other words");

    // From a folder inside the project, without any environment at all.
    let inside = deep.join("overlays/docfast");
    fs::remove_dir_all(deep.join("dist")).expect("a folder");
    fine(stackc(&inside).args(["build", "--fresh"]).args(["-C", "../.."]).env_clear());
    same("without an environment", &wanted, &files(&deep.join("dist")));

    // One environment after the other is all of them at once.
    fs::remove_dir_all(deep.join("dist")).expect("a folder");
    for entry in fs::read_dir(deep.join("overlays")).expect("overlays") {
        let folder = entry.expect("an entry").path();
        if folder.join("overlay.yaml").is_file() {
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            fine(stackc(&deep).args(["build", "--fresh", "-e", &name]));
        }
    }
    same("one by one", &wanted, &files(&deep.join("dist")));
}

/// Builds of the same project before and after a change, and a folder where builds are killed.
struct Killed {
    folder: tempfile::TempDir,
    after: Vec<u8>,
    before: Vec<u8>,
}

impl Killed {
    const OVERLAY: &str = "overlays/shop/overlay.yaml";

    fn overlay(replicas: u8, more: &str) -> Vec<u8> {
        format!(
            "apiVersion: stackc.dev/v1alpha1
kind: Overlay
metadata: {{name: shop}}
spec:
  environment: testing
  kubernetes: \"1.34\"
  stacks:
    k3s: {{version: v1.34.4+k3s1, nodes: {{node: {{role: server, arch: amd64, privateIP: 192.168.1.10}}}}}}
    cert-manager: {{}}
    hello: {{stack: web-app, namespace: hello, image: {{repository: example.org/hello, tag: v1}}, port: 80, replicas: {replicas}}}
{more}  deliver: {{charts: release}}
"
        )
        .into_bytes()
    }

    fn state(&self) -> Files {
        files(&self.folder.path().join("dist"))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(Self::OVERLAY)
    }

    fn build(&self) -> (Files, Duration) {
        let start = Instant::now();
        fine(stackc(self.folder.path()).arg("build"));
        (self.state(), start.elapsed())
    }
}

#[test]
fn a_killed_build_leaves_the_old_tree_or_the_new_or_a_journal() {
    let killed = Killed {
        folder: tempfile::tempdir().expect("a folder"),
        before: Killed::overlay(
            1,
            "    metrics-server: {}\n    again: {stack: web-app, namespace: again, image: {repository: example.org/again, tag: v1}, port: 80, replicas: 1}\n",
        ),
        after: Killed::overlay(2, ""),
    };
    let head = "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\nspec:\n  output: {dir: dist, prefix: ''}\n";
    fs::write(killed.folder.path().join("stackc.yaml"), head).expect("a writable folder");
    fs::create_dir_all(killed.path().parent().expect("a folder")).expect("a writable folder");
    fs::write(killed.path(), &killed.after).expect("a writable folder");
    let (new, _) = killed.build();
    fs::write(killed.path(), &killed.before).expect("a writable folder");
    let (old, took) = killed.build();
    assert_ne!(old, new, "the two builds have to differ");

    let mut caught = 0;
    for moment in 0..24_u32 {
        fs::write(killed.path(), &killed.before).expect("a writable folder");
        same("the old tree", &old, &killed.build().0);
        fs::write(killed.path(), &killed.after).expect("a writable folder");
        let mut child = stackc(killed.folder.path())
            .arg("build")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("stackc starts");
        std::thread::sleep(took * moment / 16);
        // On Unix this is SIGKILL; it may be over by now.
        drop(child.kill());
        child.wait().expect("a child");
        let left = killed.state();
        let temporary = |path: &str| {
            let process = path.rsplit_once(".stackc-").map_or("", |(_, process)| process);
            !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())
        };
        let tree: Files =
            left.iter().filter(|(path, _)| !temporary(path)).map(|(p, b)| (p.clone(), b.clone())).collect();
        if tree.contains_key(".stackc-journal") {
            caught += 1;
        } else {
            let other = |whole: &Files| -> Vec<String> {
                let paths = whole.keys().chain(tree.keys());
                paths.filter(|path| whole.get(*path) != tree.get(*path)).cloned().collect()
            };
            assert!(
                tree == old || tree == new,
                "killed at {moment}, without a journal: other than the old tree in {:?}, than the new one in {:?}",
                other(&old),
                other(&new)
            );
        }
        let (next, _) = killed.build();
        same("the next build", &new, &next);
    }
    eprintln!("{caught} of 24 builds were killed with a journal");
}
