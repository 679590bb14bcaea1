//! `stackc vendor`, `outdated` and builds from the lock: the program as users run it, against a server on this machine.

use super::packages::{Script, Server, index, package, plain};
use assert_cmd::Command;
use stackc::package::ContentDigest;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};
use std::time::Duration;

/// A project in a folder of its own, with a home and a cache of its own.
struct Project {
    folder: tempfile::TempDir,
}

/// What a run printed and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "`{words}` is not in:\n{}", self.err);
        self
    }
}

impl Project {
    /// One environment for each range of `app`, from this source.
    fn new(source: &str, environments: &[(&str, &str)]) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder") };
        project.write(
            "stackc.yaml",
            &format!(
                "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {{name: shop}}\nspec:\n  sources: {{ours: {{url: \"{source}\"}}}}\n  output: {{dir: dist}}\n"
            ),
        );
        for (name, range) in environments {
            project.environment(name, range);
        }
        project
    }

    fn environment(&self, name: &str, range: &str) {
        self.write(
            &format!("overlays/{name}/overlay.yaml"),
            &format!(
                "apiVersion: stackc.dev/v1alpha1\nkind: Overlay\nmetadata: {{name: {name}}}\nspec:\n  environment: development\n  kubernetes: \"1.34\"\n  stacks:\n    app:\n      stack: chart\n      namespace: app\n      chart: {{source: ours, name: app, version: \"{range}\"}}\n"
            ),
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("project").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        fs::write(path, text).expect("room");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn lock(&self) -> String {
        self.read("stackc.lock")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The variables of a run: nothing of the machine's own.
    fn variables(&self) -> Vec<(String, String)> {
        vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("HOME".to_owned(), self.folder.path().display().to_string()),
            ("STACKC_CACHE".to_owned(), self.cache().display().to_string()),
            // Nothing here gets better by waiting.
            ("STACKC_RETRIES".to_owned(), "0".to_owned()),
        ]
    }

    fn run(&self, line: &str) -> Ran {
        self.run_with(line, &[])
    }

    fn run_with(&self, line: &str, more: &[(&str, &str)]) -> Ran {
        let done = Command::new(env!("CARGO_BIN_EXE_stackc"))
            .args(line.split(' '))
            .current_dir(self.path("."))
            .env_clear()
            .envs(self.variables())
            .envs(more.iter().copied())
            .output()
            .expect("the program");
        Ran {
            code: done.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A repository with these versions of `app`.
fn repository(versions: &[&str]) -> Script {
    let mut entries = String::from("  app:\n");
    let mut script = Script::new();
    for version in versions {
        entries.push_str(&format!("  - {{name: app, version: {version}, urls: [app-{version}.tgz]}}\n"));
        script.insert(format!("/app-{version}.tgz"), plain(200, &[], &package("app", version)));
    }
    script.insert("/index.yaml".to_owned(), index(&entries));
    script
}

#[test]
fn vendored_once_a_build_needs_no_network_and_trusts_no_other_bytes() {
    let server = Server::start(|_| repository(&["1.0.0", "1.1.0", "2.0.0"]));
    let project = Project::new(&server.url(), &[("dev", "^1.0")]);
    project
        .run("build")
        .ends(1)
        .says("not-locked")
        .says("overlays/dev/overlay.yaml:11")
        .says("stackc vendor");
    project.run("vendor").ends(0).says("added    app 1.1.0").says("1 package, 1 added");
    let lock = project.lock();
    let digest = ContentDigest::of(&package("app", "1.1.0"));
    assert!(lock.contains(&format!("    version: \"1.1.0\"\n    digest: {digest}\n")), "{lock}");
    project.run("vendor").ends(0).says("1 package, unchanged");
    project.run("vendor --frozen").ends(0);

    let asked = server.seen().len();
    project.run("build --frozen").ends(0);
    assert!(
        files(&project.path("dist")).iter().any(|path| {
            fs::read_to_string(path)
                .is_ok_and(|text| text.contains("kind: ConfigMap") && text.contains("1.1.0"))
        }),
        "{:?}",
        files(&project.path("dist"))
    );
    project.run("build --frozen").ends(0).says("unchanged");
    assert_eq!(server.seen().len(), asked, "a build from the cache asked the server");

    // Other digests in the lock: both are shown, offline and online, and the cache stays as it is.
    let before = files(&project.cache());
    let other = ContentDigest::of(b"other");
    project.write("stackc.lock", &lock.replace(digest.as_str(), other.as_str()));
    for line in ["build --frozen", "build --offline", "build", "vendor"] {
        project.run(line).ends(1).says("digest-mismatch").says(digest.as_str()).says(other.as_str());
    }
    assert_eq!(files(&project.cache()), before);

    // An empty cache: nothing without network, the same bytes with it.
    project.write("stackc.lock", &lock);
    fs::remove_dir_all(project.cache()).expect("a cache");
    project.run("build --offline").ends(1).says("package-unavailable").says("the network is switched off");
    project.run("build").ends(0).says("unchanged");
}

#[test]
fn a_damaged_cache_heals_and_a_deleted_one_changes_nothing() {
    let server = Server::start(|_| repository(&["1.0.0"]));
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    project.run("vendor").ends(0);
    project.run("build").ends(0);
    for path in files(&project.cache()).iter().filter(|path| path.display().to_string().contains("sha256")) {
        fs::write(path, b"damaged").expect("room");
    }
    project.run("build").ends(0).says("unchanged");
    project.run("build --offline").ends(0);
}

#[test]
fn updates_stay_in_their_ranges_and_say_what_moved() {
    let old = Server::start(|_| repository(&["1.0.0", "1.1.0"]));
    let project = Project::new(&old.url(), &[("dev", "^1.0"), ("prod", "1.0.0")]);
    project.run("vendor").ends(0).says("2 packages, 2 added");
    let new = Server::start(|_| repository(&["1.0.0", "1.1.0", "1.4.0", "2.0.0"]));
    // The same repository, somewhat later.
    for name in ["stackc.yaml", "stackc.lock"] {
        project.write(name, &project.read(name).replace(&old.url(), &new.url()));
    }
    project.run("vendor").ends(0).says("2 packages, unchanged");
    let outdated = project.run("outdated --format json").ends(0).out;
    let outdated: serde_json::Value = serde_json::from_str(&outdated).expect("JSON");
    assert_eq!(outdated[0]["chart"], "app");
    assert_eq!(outdated[0]["wanted"], "1.0.0");
    assert_eq!(outdated[0]["inRange"], serde_json::Value::Null);
    assert_eq!(outdated[0]["newest"], "2.0.0");
    assert_eq!(outdated[0]["environments"], serde_json::json!(["prod"]));
    assert_eq!((&outdated[1]["current"], &outdated[1]["inRange"]), (&"1.1.0".into(), &"1.4.0".into()));
    let table = project.run("outdated --exit-code").ends(1).out;
    assert!(table.contains("app      ^1.0    1.1.0    1.4.0     2.0.0   dev\n"), "{table}");
    project.run("vendor --locked --update").ends(1).says("lock-outdated").says("app 1.1.0 -> 1.4.0");
    project.run("vendor --update appp").ends(1).says("unknown-package").says("did you mean `app`?");
    project.run("vendor --update app").ends(0).says("moved    app 1.1.0 -> 1.4.0").says("1 moved");

    // Another version in the overlay takes the place of the old one; only all environments together drop one.
    project.environment("prod", "2.0.0");
    project.run("vendor -e dev").ends(0).says("2 packages, unchanged");
    project.run("build --frozen").ends(1).says("not-locked").says("lock-outdated").says("stackc.lock:4");
    project.run("vendor -e prod").ends(0).says("added    app 2.0.0").says("3 packages, 1 added");
    project.run("vendor").ends(0).says("dropped  app 1.0.0").says("2 packages, 1 dropped");
    project.run("build --frozen").ends(0);
}

#[test]
fn a_source_that_cannot_be_asked_is_not_called_up_to_date() {
    let project = Project::new("http://127.0.0.1:1", &[("dev", "1.0.0")]);
    let told = project.run("outdated").ends(1).says("package-unavailable").says("try again later");
    assert!(!told.err.contains("nothing newer"), "{}", told.err);
}

#[test]
fn a_file_of_a_release_is_outdated_by_the_tags_of_its_repository() {
    let server = Server::start(|_| {
        let object = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: app}\ndata: {a: b}\n";
        let refs = ["v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0-rc.1", "chart-3.0.0", "nightly"]
            .iter()
            .enumerate()
            .fold(String::new(), |out, (number, tag)| {
                out + &format!("{:040x}\trefs/tags/{tag}\n", number + 1)
            });
        // Git's oldest protocol over HTTP is files.
        let kind = [("content-type", "text/plain")];
        [
            ("/o/p/info/refs?service=git-upload-pack".to_owned(), plain(200, &kind, refs.as_bytes())),
            ("/o/p/HEAD".to_owned(), plain(200, &kind, b"ref: refs/heads/main\n")),
            ("/o/p/releases/download/v1.0.0/install.yaml".to_owned(), plain(200, &[], object)),
            ("/crds.yaml".to_owned(), plain(200, &[], object)),
            ("/files/releases/download/v1.0.0/install.yaml".to_owned(), plain(200, &[], object)),
        ]
        .into()
    });
    let project = Project::new(&server.url(), &[]);
    let root = server.url();
    let overlay = |name: &str, path: &str| {
        project.write(
            &format!("overlays/{name}/overlay.yaml"),
            &format!(
                "apiVersion: stackc.dev/v1alpha1\nkind: Overlay\nmetadata: {{name: {name}}}\nspec:\n  environment: development\n  kubernetes: \"1.34\"\n  stacks:\n    app: {{stack: manifests, namespace: app, url: \"{root}{path}\"}}\n"
            ),
        );
    };
    overlay("dev", "/o/p/releases/download/v1.0.0/install.yaml");
    overlay("odd", "/crds.yaml");
    overlay("served", "/files/releases/download/v1.0.0/install.yaml");
    project.run("vendor").ends(0).says("3 packages, 3 added");
    let told = project.run("outdated --exit-code").ends(1);
    let row = "o/p/releases/download/v1.0.0/install.yaml  -       v1.0.0   -         v1.10.0  dev\n";
    assert!(told.out.contains(row) && told.out.lines().count() == 2, "{}", told.out);
    let told = told.says("crds.yaml`: its address names no release");
    // Whoever serves copies of releases need not have the repository.
    told.says("/files/releases/download/v1.0.0/install.yaml`: ");
    let data: serde_json::Value =
        serde_json::from_str(&project.run("outdated --format json").ends(0).out).expect("JSON");
    let of = |name: &str| {
        data.as_array().into_iter().flatten().find(|entry| entry["environments"][0] == name).expect(name)
    };
    assert_eq!((&of("dev")["newest"], &of("dev")["unknown"]), (&"v1.10.0".into(), &serde_json::Value::Null));
    assert_eq!(
        (&of("odd")["newest"], &of("odd")["current"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert!(
        of("odd")["unknown"].is_string() && of("odd")["manifest"].is_string() && of("odd")["chart"].is_null()
    );
}

#[test]
fn bytes_that_were_published_again_need_the_name_to_be_taken() {
    let old = Server::start(|_| repository(&["1.0.0"]));
    let project = Project::new(&old.url(), &[("dev", "1.0.0")]);
    project.run("vendor").ends(0);
    let new = Server::start(|_| {
        let text = "apiVersion: v2\nname: app\nversion: 1.0.0\ndescription: another\n";
        let other = super::packages::packed(&[("app/Chart.yaml", text)]);
        let mut script = repository(&["1.0.0"]);
        script.insert("/app-1.0.0.tgz".to_owned(), plain(200, &[], &other));
        script
    });
    for name in ["stackc.yaml", "stackc.lock"] {
        project.write(name, &project.read(name).replace(&old.url(), &new.url()));
    }
    let before = (project.lock(), files(&project.cache()));
    project.run("vendor --update").ends(1).says("digest-mismatch").says("stackc vendor --update NAME");
    assert_eq!((project.lock(), files(&project.cache())), before);
    project.run("vendor --update app").ends(0).says("app 1.0.0: other bytes, sha256:");
    assert_ne!(project.lock(), before.0);
}

#[test]
fn two_at_once_do_not_undo_each_other() {
    let server = Server::start(|_| repository(&["1.0.0", "1.1.0"]));
    let project = Project::new(&server.url(), &[("a", "1.0.0"), ("b", "1.1.0")]);
    for round in 0..3 {
        drop(fs::remove_file(project.path("stackc.lock")));
        drop(fs::remove_dir_all(project.cache()));
        let started: Vec<_> = ["a", "b", "a", "b"]
            .iter()
            .map(|name| {
                Program::new(env!("CARGO_BIN_EXE_stackc"))
                    .args(["vendor", "-e", name])
                    .current_dir(project.path("."))
                    .env_clear()
                    .envs(project.variables())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("the program")
            })
            .collect();
        for mut child in started {
            assert!(child.wait().expect("an end").success(), "round {round}");
        }
        assert_eq!(project.lock().matches("- chart:").count(), 2, "round {round}: {}", project.lock());
        project.run("build --frozen").ends(0);
    }
}

#[test]
fn killed_in_the_middle_it_starts_again() {
    let server = Server::start(|_| {
        let mut script = repository(&["1.0.0"]);
        script.insert("stall /app-1.0.0.tgz".to_owned(), Vec::new());
        script
    });
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    let mut child = Program::new(env!("CARGO_BIN_EXE_stackc"))
        .arg("vendor")
        .current_dir(project.path("."))
        .env_clear()
        .envs(project.variables())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    while !server.seen().iter().any(|line| line.starts_with("/app-1.0.0.tgz")) {
        assert!(child.try_wait().expect("a state").is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a kill");
    child.wait().expect("an end");
    assert_eq!(project.lock(), "");
    assert_eq!(files(&project.cache().join("sha256")), Vec::<PathBuf>::new());
    project.run("vendor").ends(0).says("added    app 1.0.0");
    project.run("build --frozen").ends(0);
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let server = Server::start(|_| {
        let mut script = repository(&["1.0.0"]);
        script.insert("stall /app-1.0.0.tgz".to_owned(), Vec::new());
        script
    });
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    project
        .run_with("vendor", &[("STACKC_TIMEOUT", "1")])
        .ends(1)
        .says("package-unavailable")
        .says("timeout");
    assert_eq!(project.lock(), "");
}

#[test]
fn a_folder_for_machines_without_network() {
    let server = Server::start(|_| repository(&["1.0.0", "1.1.0"]));
    let project = Project::new(&server.url(), &[("dev", "^1.0"), ("prod", "1.0.0")]);
    project.run("vendor --to ../packages").ends(0).says("2 packages in ../packages");
    let folder = project.folder.path().join("packages");
    let names: Vec<_> =
        files(&folder).iter().map(|path| path.file_name().expect("a name").to_owned()).collect();
    assert_eq!(names, ["app-1.0.0.tgz", "app-1.1.0.tgz"]);
    fs::remove_dir_all(project.cache()).expect("a cache");
    let asked = server.seen().len();
    project.run_with("build --frozen", &[("STACKC_MIRROR", "../packages")]).ends(0);
    assert_eq!(server.seen().len(), asked);

    // The mirror and the lock have come apart: the cache still has the pinned bytes, `--frozen` tells.
    fs::copy(folder.join("app-1.0.0.tgz"), folder.join("app-1.1.0.tgz")).expect("a copy");
    project.run_with("build", &[("STACKC_MIRROR", "../packages")]).ends(0);
    project.run_with("build --frozen", &[("STACKC_MIRROR", "../packages")]).ends(1).says("digest-mismatch");
}

#[test]
fn without_any_network_a_build_from_the_cache_works() {
    let server = Server::start(|_| repository(&["1.0.0"]));
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    project.run("vendor").ends(0);
    let lonely = |line: &str| {
        Program::new("unshare")
            .args(["-rn", env!("CARGO_BIN_EXE_stackc")])
            .args(line.split(' '))
            .current_dir(project.path("."))
            .env_clear()
            .envs(project.variables())
            .output()
    };
    if !Program::new("unshare").args(["-rn", "true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: `unshare -rn` is not allowed here, a machine without network is not tried");
        return;
    }
    let done = lonely("build").expect("unshare");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::remove_dir_all(project.cache()).expect("a cache");
    let done = lonely("build").expect("unshare");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && words.contains("package-unavailable"), "{words}");
}

#[test]
fn logins_reach_their_host_and_nothing_else() {
    let other =
        Server::start(|_| [("/far.tgz".to_owned(), plain(200, &[], &package("app", "1.0.0")))].into());
    let target = format!("{}/far.tgz", other.url());
    let server = Server::start(|_| {
        let mut script = repository(&["1.0.0"]);
        script.insert("login /index.yaml".to_owned(), Vec::new());
        script.insert("login /app-1.0.0.tgz".to_owned(), Vec::new());
        script.insert("/app-1.0.0.tgz".to_owned(), plain(302, &[("location", &target)], b""));
        script
    });
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    project.run("vendor").ends(1).says("answered 401").says("set `STACKC_LOGIN_127_0_0_1_");

    // A credential helper of Docker's, on the path.
    let tools = project.folder.path().join("tools");
    fs::create_dir_all(&tools).expect("room");
    let helper = tools.join("docker-credential-test");
    fs::write(
        &helper,
        "#!/bin/sh\nread host\nprintf '{\"Username\":\"me\",\"Secret\":\"s3cret-of-mine\"}'\n",
    )
    .expect("room");
    Program::new("chmod").arg("+x").arg(&helper).status().expect("chmod");
    let docker = project.folder.path().join(".docker");
    fs::create_dir_all(&docker).expect("room");
    fs::write(
        docker.join("config.json"),
        format!("{{\"credHelpers\": {{\"127.0.0.1:{}\": \"test\"}}}}", server.port),
    )
    .expect("room");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let ran = project.run_with("vendor --verbose", &[("PATH", &path)]).ends(0);
    assert!(server.seen().iter().any(|line| line.contains("/app-1.0.0.tgz Basic ")), "{:?}", server.seen());
    assert_eq!(other.seen(), ["/far.tgz -"]);
    let mut texts = vec![ran.out, ran.err, project.lock()];
    texts.extend(
        files(&project.cache())
            .iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned()),
    );
    for text in texts {
        assert!(!text.contains("s3cret-of-mine") && !text.contains("bWU6czNjcmV0LW9mLW1pbmU="), "{text}");
    }
}

#[test]
fn a_lock_that_cannot_be_trusted_is_not_used() {
    let server = Server::start(|_| repository(&["1.0.0"]));
    let project = Project::new(&server.url(), &[("dev", "1.0.0")]);
    project.run("vendor").ends(0);
    let lock = project.lock();
    let merged =
        lock.replace("packages:\n", "packages:\n<<<<<<< HEAD\n").clone() + "=======\n>>>>>>> other\n";
    project.write("stackc.lock", &merged);
    for line in ["build", "vendor", "outdated"] {
        project
            .run(line)
            .ends(1)
            .says("lock-malformed")
            .says("stackc.lock:4")
            .says("git checkout --theirs stackc.lock");
    }
    assert_eq!(project.lock(), merged, "a lock that is not understood is not written over");
    project.write("stackc.lock", &lock.replace("sha256:", "sha257:"));
    project.run("build").ends(1).says("lock-malformed").says("stackc.lock:4");
}

#[test]
fn every_environment_here_is_vendored_from_the_mirror() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(mirror) = [here.join("../shared/charts"), here.join("../../shared/charts")]
        .into_iter()
        .find(|folder| folder.is_dir())
        .and_then(|folder| folder.canonicalize().ok())
    else {
        eprintln!("SKIPPED: no `../shared/charts` beside the repository, its environments are not vendored");
        return;
    };
    let project = Project::new("https://charts.example.org", &[]);
    for path in files(&here.join("overlays")).into_iter().chain([here.join("stackc.yaml")]) {
        let target = project.path(path.strip_prefix(here).expect("below").to_str().expect("UTF-8"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("room");
        fs::copy(path, target).expect("a copy");
    }
    let mirror = mirror.display().to_string();
    project.run_with("vendor --offline", &[("STACKC_MIRROR", &mirror)]).ends(0).says("added    cert-manager");
    let lock = project.lock();
    assert!(lock.matches("- chart:").count() > 10, "{lock}");
    assert!(lock.contains("- manifest: \"https://github.com/kubernetes-sigs/gateway-api/"), "{lock}");
    project.run_with("vendor --frozen", &[("STACKC_MIRROR", &mirror)]).ends(0).says("unchanged");
    project.run_with("vendor --frozen --to ../packages", &[("STACKC_MIRROR", &mirror)]).ends(0);
    fs::remove_file(project.path("stackc.lock")).expect("a lock");
    fs::remove_dir_all(project.cache()).expect("a cache");
    project.run_with("vendor --offline", &[("STACKC_MIRROR", "../packages")]).ends(0);
    assert_eq!(project.lock(), lock, "the folder that was written is a mirror like the one it came from");
}

#[test]
fn a_release_from_git_is_fetched_at_the_pinned_commit() {
    let project = Project::new("https://charts.example.org", &[]);
    let charts = project.folder.path().join("charts");
    fs::create_dir_all(charts.join("app")).expect("room");
    fs::write(charts.join("app/Chart.yaml"), "apiVersion: v2\nname: app\nversion: 0.1.0\n").expect("room");
    git(&charts, &["init", "-q", "-b", "main"]);
    git(&charts, &["add", "."]);
    git(&charts, &["commit", "-qm", "one"]);
    git(&charts, &["branch", "1.x"]);
    let commit = git(&charts, &["rev-parse", "HEAD"]);
    project.write(
        "overlays/dev/overlay.yaml",
        &format!(
            "apiVersion: stackc.dev/v1alpha1\nkind: Overlay\nmetadata: {{name: dev}}\nspec:\n  environment: development\n  kubernetes: \"1.34\"\n  deliver: {{charts: release, flux: {{}}, kluctl: {{}}}}\n  stacks:\n    app:\n      stack: chart\n      namespace: app\n      chart: {{source: {{git: \"file://{}\", revision: 1.x}}, name: app, version: \"0.1.0\"}}\n",
            charts.display()
        ),
    );
    let fetched = |what: &str| {
        let paths = files(&project.path("dist"));
        let sources: Vec<&PathBuf> = paths
            .iter()
            .filter(|path| {
                let path = path.display().to_string();
                path.contains("/sources/gitrepository-app-") || path.ends_with("/helm-chart.yaml")
            })
            .collect();
        sources.len() == 2
            && sources.iter().all(|path| fs::read_to_string(path).expect("a file").contains(what))
    };
    // Nothing is pinned yet: a branch, as its name looks.
    project.run("build").ends(0);
    assert!(fetched("branch: 1.x\n"), "{:?}", files(&project.path("dist")));
    project.run("vendor").ends(0);
    project.run("build --frozen").ends(0);
    assert!(fetched(&format!("commit: {commit}\n")), "{:?}", files(&project.path("dist")));
    // The branch moves, and the tree does not.
    git(&charts, &["commit", "-qm", "two", "--allow-empty"]);
    git(&charts, &["branch", "-f", "1.x"]);
    project.run("build").ends(0).says("unchanged");
}

/// Runs git as somebody who has set nothing.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let done = Program::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn charts_in_git_are_the_same_bytes_whatever_git_is_told_and_touch_no_repository() {
    let project = Project::new("https://charts.example.org", &[("dev", "1.0.0")]);
    let charts = project.folder.path().join("charts");
    let write = |name: &str, text: &str| {
        let path = charts.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("room");
        fs::write(path, text).expect("room");
    };
    write("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n");
    write("app/values.yaml", "a: 1\n");
    write("app/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n");
    // More than a pipe holds, on the way in and on the way out.
    for number in 0..2000 {
        write(&format!("app/files/{number}.txt"), &format!("{number}\n").repeat(20));
    }
    git(&charts, &["init", "-q", "-b", "main"]);
    git(&charts, &["add", "."]);
    git(&charts, &["commit", "-qm", "one"]);
    let commit = git(&charts, &["rev-parse", "HEAD"]);
    git(&charts, &["commit", "-qm", "two", "--allow-empty"]);
    let file = project.read("stackc.yaml").replace(
        "{url: \"https://charts.example.org\"}",
        &format!("{{git: \"file://{}\", revision: {commit}}}", charts.display()),
    );
    project.write("stackc.yaml", &file);
    project.run("vendor").ends(0);
    let lock = project.lock();

    // The user's own repository, as its hooks name it, and a server that hands out tips only.
    let own = project.path(".");
    git(&own, &["init", "-q", "-b", "main"]);
    git(&own, &["add", "."]);
    git(&own, &["commit", "-qm", "own"]);
    let refs = git(&own, &["for-each-ref"]);
    let of_hooks = own.join(".git").display().to_string();
    let told = [
        ("GIT_DIR", of_hooks.as_str()),
        ("GIT_WORK_TREE", "."),
        ("GIT_INDEX_FILE", ".git/index"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "protocol.version"),
        ("GIT_CONFIG_VALUE_0", "0"),
    ];
    fs::remove_dir_all(project.cache()).expect("a cache");
    project.run_with("vendor", &told).ends(0).says("unchanged");
    assert_eq!(git(&own, &["for-each-ref"]), refs);
    assert!(!own.join(".git/shallow").exists() && !own.join(".git/FETCH_HEAD").exists());

    // Somebody whose files end their lines otherwise, and whose attributes leave some out.
    let home = project.folder.path();
    let attributes = home.join("attributes").display().to_string();
    fs::write(home.join("attributes"), "* text eol=crlf\nvalues.yaml export-ignore\n").expect("room");
    fs::write(
        home.join(".gitconfig"),
        format!("[core]\n\tautocrlf = true\n\tattributesFile = {attributes}\n\teol = crlf\n"),
    )
    .expect("room");
    fs::remove_dir_all(project.cache()).expect("a cache");
    project.run("vendor").ends(0).says("unchanged");
    project.run("build --frozen").ends(0);
    assert_eq!(project.lock(), lock);
}
