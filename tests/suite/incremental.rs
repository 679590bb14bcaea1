//! What earlier builds remember costs time where it is lost, and never changes what comes out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A project of two environments with a chart each, and a cache of its own.
struct Project(tempfile::TempDir);

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  minReadySeconds: {{ .Values.ready }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: {{ .Values.account }}
      containers: [{name: web, image: example.org/web:1}]
";

fn overlay(name: &str, ready: u8, account: &str) -> String {
    format!(
        "apiVersion: stackc.dev/v1alpha1
kind: Overlay
metadata: {{name: {name}}}
spec:
  environment: development
  kubernetes: \"1.34\"
  stacks:
    web:
      stack: chart
      chart: {{source: local, name: web, version: 0.1.0}}
      namespace: web
      values: {{ready: {ready}, account: {account}}}
  deliver: {{charts: rendered}}
"
    )
}

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        project.write(
            "stackc.yaml",
            "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\nspec:\n  sources:\n    local: {path: charts}\n  output: {dir: dist}\n",
        );
        project.write("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
        project.write("charts/web/values.yaml", "ready: 1\naccount: default\n");
        project.write("charts/web/templates/deployment.yaml", DEPLOYMENT);
        project.write("overlays/one/overlay.yaml", &overlay("one", 1, "default"));
        project.write("overlays/two/overlay.yaml", &overlay("two", 2, "default"));
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("project").join(name)
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(path, text).expect("a writable folder");
    }

    /// Exit code, standard output and standard error.
    fn run(&self, line: &str) -> (i32, String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_stackc"))
            .args(line.split(' '))
            .current_dir(self.path("."))
            .env("STACKC_CACHE", self.cache())
            .output()
            .expect("the program");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
    }

    fn build(&self) -> String {
        let (code, _, words) = self.run("build -v");
        assert_eq!(code, 0, "{words}");
        words
    }

    /// By the path below `dist`.
    fn tree(&self) -> Files {
        let root = self.path("dist");
        let below = |path: PathBuf| path.strip_prefix(&root).expect("below").to_owned();
        files(&root).into_iter().map(|(path, bytes)| (below(path), bytes)).collect()
    }

    /// The tree that a build makes which knows nothing of earlier ones, in another folder.
    fn anew(&self) -> Files {
        let other = Self(tempfile::tempdir().expect("a folder"));
        for (path, bytes) in files(&self.path(".")) {
            let name = path.strip_prefix(self.path(".")).expect("below").to_string_lossy().into_owned();
            if !name.starts_with("dist") {
                other.write(&name, std::str::from_utf8(&bytes).expect("text"));
            }
        }
        let (code, _, words) = other.run("build --fresh");
        assert_eq!(code, 0, "{words}");
        other.tree()
    }
}

fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("a readable file"));
        }
    }
    found
}

fn says(words: &str, what: &str) {
    assert!(words.contains(what), "`{what}` is not said:\n{words}");
}

#[test]
fn a_release_is_rendered_again_only_where_its_inputs_changed() {
    let project = Project::new();
    says(&project.build(), "charts: 2 rendered, 0 remembered");
    let first = project.tree();
    says(&project.build(), "nothing changed in two: ");

    // A comment changes what is read and nothing that charts see.
    project.write("overlays/two/overlay.yaml", &format!("# a comment\n{}", overlay("two", 2, "default")));
    says(&project.build(), "charts: 0 rendered, 2 remembered");
    assert_eq!(project.tree(), first);

    project.write("overlays/two/overlay.yaml", &overlay("two", 3, "default"));
    says(&project.build(), "charts: 1 rendered, 1 remembered");
    assert_ne!(project.tree(), first);
    assert_eq!(project.tree(), project.anew());

    project.write("charts/web/templates/deployment.yaml", &DEPLOYMENT.replace("web:1", "web:2"));
    let words = project.build();
    says(&words, "charts: 2 rendered, 0 remembered");
    says(&words, "one: 2 files written");
    assert_eq!(project.tree(), project.anew());

    project.write("overlays/one/overlay.yaml", &overlay("one", 1, "default").replace("1.34", "1.35"));
    says(&project.build(), "charts: 1 rendered, 1 remembered");
    assert_eq!(project.tree(), project.anew());
}

#[test]
fn the_same_release_in_two_environments_is_rendered_once() {
    let project = Project::new();
    project.write("overlays/two/overlay.yaml", &overlay("two", 1, "default"));
    let (code, _, words) = project.run("build -v --threads 1");
    assert_eq!(code, 0, "{words}");
    says(&words, "charts: 1 rendered, 1 remembered");
}

#[test]
fn a_cache_that_is_lost_or_damaged_changes_nothing() {
    let project = Project::new();
    project.build();
    let wanted = project.tree();

    fs::remove_dir_all(project.cache()).expect("a cache");
    says(&project.build(), "charts: 2 rendered, 0 remembered");
    assert_eq!(project.tree(), wanted);

    let mut touched = Vec::new();
    for (path, bytes) in files(&project.cache()) {
        let text = String::from_utf8(bytes).expect("text");
        let damaged = text.replace("minReadySeconds: 1", "minReadySeconds: 7").replace("\"one\"", "\"eno\"");
        if damaged != text {
            touched.push(path.parent().and_then(Path::file_name).expect("a folder").to_owned());
        }
        fs::write(path, damaged).expect("a writable cache");
    }
    assert!(["builds", "rendered"].iter().all(|kind| touched.iter().any(|of| of == kind)), "{touched:?}");
    project.build();
    assert_eq!(project.tree(), wanted);
    assert_eq!(project.tree(), project.anew());

    for path in files(&project.cache()).into_keys() {
        fs::write(path, "").expect("a writable cache");
    }
    says(&project.build(), "charts: 2 rendered, 0 remembered");
    assert_eq!(project.tree(), wanted);
}

#[test]
fn a_tree_that_was_touched_is_not_taken_for_the_last_one() {
    let project = Project::new();
    project.build();
    let wanted = project.tree();
    let file = project.path("dist/envs/one/web/deployment-web.yaml");

    fs::remove_file(&file).expect("a file");
    assert_eq!(project.run("build --check").0, 1, "a missing file is drift");
    says(&project.build(), "one: 1 file written");
    assert_eq!(project.tree(), wanted);

    fs::write(&file, "edited: by hand\n").expect("a writable file");
    assert_eq!(project.run("build --check").0, 1, "an edited file is drift");
    says(&project.build(), "edited by hand");
    assert_eq!(project.tree(), wanted);

    fs::remove_dir_all(project.path("dist")).expect("the tree");
    project.build();
    assert_eq!(project.tree(), wanted);
}

#[test]
fn findings_are_told_again_and_in_the_same_place() {
    let project = Project::new();
    project.write(
        "overlays/one/overlay.yaml",
        &overlay("one", 1, "default").replace("ready: 1,", "ready: 1, redy: 2,"),
    );
    let first = project.run("build --format json");
    assert_eq!(first.0, 0, "{}", first.2);
    says(&first.1, "unread-value");
    assert_eq!(project.run("build --format json").1, first.1, "nothing changed, and the warning stands");
    assert_eq!(project.run("check --format json").1, first.1);
    assert_eq!(project.run("build --deny-warnings").0, 1);
    assert_eq!(project.run("build --fresh --format json").1, first.1);

    // What is found in an object that comes from memory is placed as if it had been rendered.
    project.write("overlays/one/overlay.yaml", &overlay("one", 1, "default"));
    project.build();
    project.write("overlays/one/overlay.yaml", &overlay("one", 1, "nobody"));
    project.write("overlays/two/overlay.yaml", &overlay("two", 1, "nobody"));
    let remembered = project.run("build --format json");
    assert_eq!(remembered.0, 1, "an account that nobody makes: {}", remembered.1);
    says(&remembered.1, "overlays/two/overlay.yaml");
    assert_eq!(project.run("build --fresh --format json").1, remembered.1);
    assert_eq!(project.run("build --format json").1, remembered.1);
}

#[test]
fn what_is_not_compiled_from_files_alone_is_compiled_each_time() {
    let project = Project::new();
    project.build();
    for line in ["build -v --fresh", "build -v --locked", "build -v -e one"] {
        let (code, _, words) = project.run(line);
        assert_eq!(code, 0, "{line}: {words}");
        says(&words, "compiled one: ");
    }
    let (_, _, words) = project.run("build -v -e one");
    says(&words, "nothing changed in one: ");
    assert!(!words.contains("two"), "{words}");
}

#[test]
fn the_tree_of_an_environment_that_is_no_more_is_told_and_pruned() {
    let project = Project::new();
    project.build();
    fs::remove_dir_all(project.path("overlays/two")).expect("an overlay");
    let words = project.build();
    says(&words, "warning[orphaned-tree]: `two` is no environment");
    assert_eq!(project.run("build --check").0, 1);
    says(&project.build(), "orphaned-tree");
    let (code, _, words) = project.run("build --prune");
    assert_eq!(code, 0, "{words}");
    says(&words, "two: 0 files written, 9 removed");
    assert!(!project.path("dist/envs/two").join(".stackc-files").exists());
    assert_eq!(project.tree(), project.anew());
    assert_eq!(project.run("build --check").0, 0);
}

#[test]
fn builds_of_one_project_at_once_wait_for_each_other() {
    let project = Project::new();
    for round in 0..4 {
        project.write("overlays/one/overlay.yaml", &overlay("one", 10 + round, "default"));
        project.write("overlays/two/overlay.yaml", &overlay("two", 20 + round, "default"));
        std::thread::scope(|scope| {
            let lines = ["build -e one", "build -e two", "build", "build --fresh"];
            let builds: Vec<_> = lines.map(|line| scope.spawn(|| project.run(line))).into_iter().collect();
            for build in builds {
                let (code, _, words) = build.join().expect("a build");
                assert_eq!(code, 0, "{words}");
            }
        });
        assert_eq!(project.tree(), project.anew());
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_no_hindrance() {
    let project = Project::new();
    fs::write(project.cache(), "a file").expect("a writable folder");
    says(&project.build(), "one: 9 files written");
    assert_eq!(project.tree(), project.anew());
}

#[cfg(unix)]
#[test]
fn nothing_is_written_behind_a_link() {
    let project = Project::new();
    let outside = project.0.path().join("outside");
    fs::create_dir_all(&outside).expect("a folder");
    fs::create_dir_all(project.path("dist/envs/one")).expect("a folder");
    std::os::unix::fs::symlink(&outside, project.path("dist/envs/one/web")).expect("a link");
    let (code, _, words) = project.run("build");
    assert_eq!(code, 3, "{words}");
    says(&words, "is a link");
    assert!(files(&outside).is_empty());
    assert!(!project.path("dist/.stackc-journal").exists());
}

#[test]
fn commands_that_write_nothing_leave_a_journal_alone() {
    let project = Project::new();
    project.build();
    let wanted = project.tree();
    project.write(
        "dist/.stackc-journal",
        "{\"version\":1,\"steps\":[{\"path\":\"envs/one/x\",\"bytes\":\"eA==\"}]}",
    );
    for line in ["build --check", "diff"] {
        let (code, _, words) = project.run(line);
        assert_eq!(code, 1, "{line}: {words}");
        says(&words, "half written");
        assert!(!project.path("dist/envs/one/x").exists());
    }
    says(&project.build(), "completed what an interrupted build had left");
    fs::remove_file(project.path("dist/envs/one/x")).expect("what the journal said");
    assert_eq!(project.tree(), wanted);
}
