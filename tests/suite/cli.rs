//! Whole processes: exit codes, streams, files and repositories, as a shell sees them.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

fn stackc(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("stackc").expect("the binary is built");
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("NO_COLOR")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("STACKC_CACHE", super::CACHE)
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .output()
        .expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

/// A project as `stackc init` makes it.
fn project() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let made = stackc(folder.path(), &["init", "--name", "shop"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    folder
}

fn overlay(folder: &TempDir) -> PathBuf {
    folder.path().join("overlays/dev/overlay.yaml")
}

#[cfg(unix)]
#[test]
fn set_leaves_links_and_rights_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = project();
    let behind = folder.path().join("elsewhere.yaml");
    fs::rename(overlay(&folder), &behind).expect("moved");
    fs::set_permissions(&behind, fs::Permissions::from_mode(0o640)).expect("rights");
    std::os::unix::fs::symlink("../../elsewhere.yaml", overlay(&folder)).expect("linked");
    let set = stackc(folder.path(), &["set", "hello.replicas", "3"]);
    assert_eq!(code(&set), 0, "{}", err(&set));
    assert!(fs::symlink_metadata(overlay(&folder)).expect("there").is_symlink());
    assert!(fs::read_to_string(&behind).expect("read").contains("replicas: 3"));
    assert_eq!(fs::metadata(&behind).expect("there").permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_init_writes_builds_and_stays_as_it_is() {
    let folder = project();
    let built = stackc(folder.path(), &["build"]);
    assert_eq!((code(&built), out(&built).as_str()), (0, ""), "{}", err(&built));
    assert!(err(&built).starts_with("dev: "), "{}", err(&built));
    let again = stackc(folder.path(), &["build"]);
    assert!(err(&again).starts_with("dev: unchanged, "), "{}", err(&again));
    // Every path that Flux is given leads somewhere in the repository.
    let units = fs::read_to_string(folder.path().join("dist/clusters/dev/units.yaml")).expect("the units");
    let paths: Vec<&str> = units.lines().filter_map(|line| line.strip_prefix("  path: ./")).collect();
    assert!(paths.len() > 3, "{units}");
    for path in paths {
        assert!(folder.path().join(path).join("kustomization.yaml").is_file(), "{path}");
    }
    let check = stackc(folder.path(), &["build", "--check"]);
    assert_eq!(code(&check), 0);
    let quiet = stackc(folder.path(), &["build", "-q"]);
    assert_eq!((out(&quiet), err(&quiet)), (String::new(), String::new()));
    let verbose = stackc(folder.path(), &["check", "-v", "-j", "1"]);
    assert!(err(&verbose).contains("nothing changed in dev: "), "{}", err(&verbose));
    let verbose = stackc(folder.path(), &["check", "-v", "-j", "1", "--fresh"]);
    assert!(err(&verbose).contains("compiled dev: "), "{}", err(&verbose));
    // A second time nothing is touched.
    fs::write(overlay(&folder), "mine").expect("written");
    let again = stackc(folder.path(), &["init"]);
    assert!(err(&again).contains("kept  overlays/dev/overlay.yaml"));
    assert_eq!(fs::read_to_string(overlay(&folder)).expect("read"), "mine");
}

#[test]
fn exit_codes_say_who_is_at_fault() {
    let empty = TempDir::new().expect("a folder");
    for arguments in
        [&["build"][..], &["check"], &["graph"], &["explain", "a.b"], &["prereqs"], &["set", "a.b", "1"]]
    {
        let found = stackc(empty.path(), arguments);
        assert_eq!(code(&found), 1, "{arguments:?}");
        assert!(err(&found).contains("run `stackc init`"), "{arguments:?}: {}", err(&found));
    }
    for arguments in
        [&["bild"][..], &["build", "--charts", "raw"], &["build", "-e"], &["check", "-q", "-v"], &[]]
    {
        assert_eq!(code(&stackc(empty.path(), arguments)), 2, "{arguments:?}");
    }
    for arguments in
        [&["--help"][..], &["--version"], &["stack", "list"], &["completions", "bash"], &["schema"]]
    {
        let fine = stackc(empty.path(), arguments);
        assert_eq!(code(&fine), 0, "{arguments:?}");
        assert!(!out(&fine).is_empty() && err(&fine).is_empty(), "{arguments:?}");
    }
    let folder = project();
    assert_eq!(code(&stackc(folder.path(), &["check", "-e", "prod"])), 1);
    assert_eq!(code(&stackc(folder.path(), &["build", "--check"])), 1);
    // A file stands where the output's folder has to be.
    fs::write(folder.path().join("dist"), "").expect("written");
    let blocked = stackc(folder.path(), &["build"]);
    assert_ne!(code(&blocked), 0, "{}", err(&blocked));
}

#[test]
fn a_project_is_found_from_its_folders() {
    let folder = project();
    let inner = folder.path().join("overlays/dev");
    let found = stackc(&inner, &["explain", "hello.replicas"]);
    assert_eq!(code(&found), 0, "{}", err(&found));
    let elsewhere = TempDir::new().expect("a folder");
    let root = folder.path().to_string_lossy().into_owned();
    let found = stackc(elsewhere.path(), &["-C", &root, "explain", "hello.replicas", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(value["value"], 1);
}

#[test]
fn findings_are_one_document_and_data_stays_alone() {
    let folder = project();
    let text = fs::read_to_string(overlay(&folder)).expect("read");
    fs::write(overlay(&folder), text.replace("replicas: 1", "replica: 1")).expect("written");
    for format in ["json", "sarif", "github"] {
        let found = stackc(folder.path(), &["build", "--format", format]);
        assert_eq!((code(&found), err(&found).as_str()), (1, ""), "{format}");
        assert!(out(&found).contains("unknown-key"), "{format}");
    }
    let sarif = stackc(folder.path(), &["build", "--check", "--format", "sarif"]);
    let _one: serde_json::Value = serde_json::from_slice(&sarif.stdout).expect("one SARIF log");
    let found = stackc(folder.path(), &["diff", "--as", "json", "--format", "json"]);
    assert_eq!((code(&found), out(&found).as_str()), (1, ""));
    let colored = stackc(folder.path(), &["check", "--color", "always"]);
    assert!(err(&colored).contains('\u{1b}'));
    assert!(!err(&stackc(folder.path(), &["check"])).contains('\u{1b}'));
}

#[test]
fn differences_are_told_and_end_as_asked() {
    let folder = project();
    assert_eq!(code(&stackc(folder.path(), &["diff", "--exit-code"])), 1);
    assert_eq!(code(&stackc(folder.path(), &["build"])), 0);
    let same = stackc(folder.path(), &["diff", "--exit-code"]);
    assert_eq!((code(&same), out(&same).as_str(), err(&same).as_str()), (0, "no changes\n", ""));
    assert_eq!(code(&stackc(folder.path(), &["set", "hello.replicas", "2"])), 0);
    let changed = stackc(folder.path(), &["diff"]);
    assert_eq!(code(&changed), 0);
    assert!(out(&changed).contains("spec.replicas"), "{}", out(&changed));
}

#[test]
fn set_changes_its_line_or_nothing() {
    let folder = project();
    let before = fs::read_to_string(overlay(&folder)).expect("read");
    let set = |arguments: &[&str]| stackc(folder.path(), &[&["set"], arguments].concat());
    let text = || fs::read_to_string(overlay(&folder)).expect("read");
    let shown = set(&["hello.image.tag", "1.10", "--dry-run"]);
    assert!(
        out(&shown).contains("+      image: {repository: docker.io/traefik/whoami, tag: \"1.10\"}\n"),
        "{}",
        out(&shown)
    );
    assert_eq!(text(), before);
    let done = set(&["hello.image.tag", "1.10"]);
    assert_eq!(code(&done), 0, "{}", err(&done));
    assert_eq!(text(), before.replace("tag: v1.11.0", "tag: \"1.10\""));
    let same = set(&["hello.image.tag", "1.10"]);
    assert!(err(&same).contains("unchanged"), "{}", err(&same));
    for (path, value, word) in [
        ("hello.replicas", "many", "nothing was written"),
        ("hello.replica", "3", "did you mean `replicas`?"),
        ("helo.replicas", "3", "did you mean `hello`?"),
        ("hello.replicas", "{", "the value is not YAML"),
        ("a[", "3", "is no path"),
    ] {
        let refused = set(&[path, value]);
        assert_eq!(code(&refused), 1, "{path} {value}");
        assert!(err(&refused).contains(word), "{path} {value}: {}", err(&refused));
        assert_eq!(text(), before.replace("tag: v1.11.0", "tag: \"1.10\""), "{path} {value}");
    }
    // What is text is written as text, also where no schema says so.
    let quoted = set(&["kubernetes", "1.34"]);
    assert!(err(&quoted).contains("unchanged"), "{}", err(&quoted));
    // What is not there yet is added where it belongs.
    assert_eq!(
        code(&set(&["coredns.replicas", "2"])),
        1,
        "an instance that does not exist is no typing error to keep"
    );
    let added = set(&["hello.resources.limits", "{memory: 256Mi}"]);
    assert_eq!(code(&added), 0, "{}", err(&added));
    assert!(text().contains("      ingress: {host: hello.example.com, issuer: letsencrypt-staging}\n      resources:\n        limits: {memory: 256Mi}\n"), "{}", text());
}

#[test]
fn a_value_of_a_base_is_set_in_the_overlay_or_where_it_is_written() {
    let folder = project();
    let base = folder.path().join("overlays/base/shared/overlay.yaml");
    fs::create_dir_all(base.parent().expect("a folder")).expect("made");
    let shared = "apiVersion: stackc.dev/v1alpha1\nkind: Overlay\nspec:\n  stacks:\n    cert-manager: {namespace: tls}\n";
    fs::write(&base, shared).expect("written");
    let text = fs::read_to_string(overlay(&folder))
        .expect("read")
        .replace("spec:\n", "spec:\n  extends: [../base/shared]\n");
    fs::write(overlay(&folder), &text).expect("written");
    let own = stackc(folder.path(), &["set", "cert-manager.namespace", "certs"]);
    assert_eq!(code(&own), 0, "{}", err(&own));
    assert!(err(&own).contains("overlays/base/shared/overlay.yaml says"), "{}", err(&own));
    assert_eq!(fs::read_to_string(&base).expect("read"), shared);
    assert!(fs::read_to_string(overlay(&folder)).expect("read").contains("cert-manager: {namespace: certs}"));
    fs::write(overlay(&folder), &text).expect("written");
    let there = stackc(folder.path(), &["set", "cert-manager.namespace", "certs", "--in-base"]);
    assert_eq!(code(&there), 0, "{}", err(&there));
    assert_eq!(fs::read_to_string(&base).expect("read"), shared.replace("tls", "certs"));
    assert_eq!(fs::read_to_string(overlay(&folder)).expect("read"), text);
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", err(&output));
    out(&output)
}

#[test]
fn publishing_is_one_commit_a_build_and_leaves_the_work_tree_alone() {
    let folder = project();
    let root = folder.path();
    git(root, &["init", "-q", "-b", "main"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "start"]);
    let bare = TempDir::new().expect("a folder");
    git(bare.path(), &["init", "-q", "--bare"]);
    let other = bare.path().to_string_lossy().into_owned();
    for place in [&[][..], &["--repository", &other]] {
        let publish =
            |more: &[&str]| stackc(root, &[&["publish", "--branch", "deploy"], place, more].concat());
        let home = if place.is_empty() { root } else { bare.path() };
        let first = publish(&[]);
        assert_eq!(code(&first), 0, "{}", err(&first));
        assert_eq!(out(&first).trim(), git(home, &["rev-parse", "deploy"]).trim());
        let again = publish(&[]);
        assert_eq!((code(&again), out(&again).as_str()), (0, ""), "{}", err(&again));
        assert_eq!(err(&again), "nothing changed on `deploy`\n");
        let _set = stackc(root, &["set", "hello.replicas", if place.is_empty() { "2" } else { "3" }]);
        let changed = publish(&["-m", "more of it"]);
        assert_eq!(code(&changed), 0, "{}", err(&changed));
        assert_eq!(git(home, &["rev-list", "--count", "deploy"]).trim(), "2");
        let message = git(home, &["log", "-1", "--format=%B", "deploy"]);
        assert!(message.starts_with("more of it\n") && message.contains("dev"), "{message}");
        assert!(
            git(home, &["show", "--stat", "--format=", "deploy"]).contains("hello"),
            "the changed object"
        );
    }
    // Only the overlay was changed, by `set`; nothing was checked out or staged.
    assert_eq!(git(root, &["status", "--porcelain"]), " M overlays/dev/overlay.yaml\n");
    assert!(!root.join("dist").exists() && !root.join("envs").exists());
}

#[test]
fn a_branch_that_another_work_tree_shows_is_told() {
    let folder = project();
    let root = folder.path();
    git(root, &["init", "-q", "-b", "main"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "start"]);
    let beside = TempDir::new().expect("a folder");
    let other = beside.path().join("deploy").display().to_string();
    git(root, &["worktree", "add", "-q", "-b", "deploy", &other]);
    let told = stackc(root, &["publish", "--branch", "deploy"]);
    assert_eq!(code(&told), 0, "{}", err(&told));
    assert!(err(&told).contains("branch `deploy` is checked out in `"), "{}", err(&told));
    assert!(err(&told).contains("/deploy reset --hard`"), "{}", err(&told));
    // From there, the main work tree is the other one.
    let _set = stackc(Path::new(&other), &["set", "hello.replicas", "2"]);
    let back = stackc(Path::new(&other), &["publish", "--branch", "main"]);
    assert_eq!(code(&back), 0, "{}", err(&back));
    assert!(err(&back).contains("branch `main` is checked out in `"), "{}", err(&back));
    let free = stackc(root, &["publish", "--branch", "free"]);
    assert!(code(&free) == 0 && !err(&free).contains("checked out"), "{}", err(&free));
}
