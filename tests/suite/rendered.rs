//! Every environment of this repository with its charts rendered, from the folder of recorded packages.
//!
//! What comes out holds the text of others, so only digests and inventories of it are kept here.

use camino::{Utf8Path, Utf8PathBuf};
use stackc::diag::{Sink, render};
use stackc::driver::{self, Wish};
use stackc::load::Selection;
use stackc::model::ChartDelivery;
use stackc::package::ContentDigest;
use stackc::package::cache::Cache;
use stackc::package::lock::{self, Lock};
use stackc::package::source::{Network, Packages};
use stackc::package::supply::{Access, Package};
use stackc::source::Sources;
use stackc::value::{Origin, OriginKind};
use stackc::world::World as _;
use stackc::world::os::OsWorld;
use std::collections::BTreeMap;

/// The recorded packages, where this machine has them.
pub(super) fn mirror() -> Option<Utf8PathBuf> {
    let root = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found =
        root.ancestors().skip(1).map(|above| above.join("shared/charts")).find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: there is no `../shared/charts`; the environments are not rendered here");
    }
    found
}

/// A copy of the project in a folder of its own, with everything that it names pinned.
fn vendored(mirror: &Utf8Path, scratch: &Utf8Path) -> OsWorld {
    let root = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for part in ["stackc.yaml", "overlays", "stacks", "schemas"] {
        copy(&root.join(part), &scratch.join(part));
    }
    let cache = scratch.join("cache");
    let variables = BTreeMap::from([("STACKC_CACHE".to_owned(), cache.to_string())]);
    let world = OsWorld::new(scratch.to_owned()).with_variables(variables);
    let sources = Sources::new();
    let mut sink = Sink::new();
    let (_, wants) = driver::wanted(&world, &sources, &Selection::All, &mut sink)
        .unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)));
    let packages = Packages::new(&world, Cache::open(&world), Some(mirror.to_owned()), Network::Off);
    let mut lock = Lock::default();
    for want in wants {
        let Package::Locked(wanted) = want.package else { continue };
        if lock.get(&wanted).is_none() {
            let pinned = packages.resolve(&wanted).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            lock.insert(wanted, pinned);
        }
    }
    world.write(Utf8Path::new(lock::FILE), lock.text().as_bytes()).expect("the lock is written");
    world
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    if from.is_file() {
        std::fs::copy(from, to).expect("a file is copied");
        return;
    }
    std::fs::create_dir_all(to).expect("a folder is made");
    for entry in from.read_dir_utf8().expect("a folder is read") {
        let entry = entry.expect("an entry is read");
        copy(entry.path(), &to.join(entry.file_name()));
    }
}

/// `stackc` in the scratch copy.
fn stackc(scratch: &Utf8Path, mirror: &Utf8Path, threads: &str, arguments: &[&str]) -> String {
    let output = assert_cmd::Command::cargo_bin("stackc")
        .expect("the binary is built")
        .current_dir(scratch)
        .env("STACKC_CACHE", scratch.join("cache"))
        .env("STACKC_MIRROR", mirror)
        .env("RAYON_NUM_THREADS", threads)
        .args(arguments)
        .output()
        .expect("it runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    words
}

/// The files below a folder, with their bytes.
fn files(folder: &Utf8Path, found: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) {
    for entry in folder.read_dir_utf8().expect("a folder is read") {
        let entry = entry.expect("an entry is read");
        if entry.path().is_dir() {
            files(entry.path(), found);
        } else {
            found.insert(entry.path().to_owned(), std::fs::read(entry.path()).expect("a file is read"));
        }
    }
}

/// What an environment's tree holds: each unit with a digest of its files, and the files.
fn inventory(environment: &Utf8Path) -> String {
    let mut found = BTreeMap::new();
    files(environment, &mut found);
    let mut units: BTreeMap<String, Vec<(String, &[u8])>> = BTreeMap::new();
    for (path, bytes) in &found {
        let path = path.strip_prefix(environment).expect("it is below").as_str();
        let (unit, file) = path.split_once('/').unwrap_or((".", path));
        if path != ".stackc-files" {
            units.entry(unit.to_owned()).or_default().push((file.to_owned(), bytes));
        }
    }
    let mut out = String::new();
    for (unit, files) in units {
        let all: Vec<u8> =
            files.iter().flat_map(|(name, bytes)| [name.as_bytes(), b"\n", bytes].concat()).collect();
        let digest = ContentDigest::of(&all);
        out.push_str(&format!("{unit} {}\n", &digest.hex()[..16]));
        for (name, _) in files {
            out.push_str(&format!("  {name}\n"));
        }
    }
    out
}

#[test]
fn every_environment_is_rendered_as_recorded() {
    let Some(mirror) = mirror() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a path of UTF-8");
    vendored(&mirror, &scratch);
    stackc(&scratch, &mirror, "8", &["build"]);
    let mut as_written = BTreeMap::new();
    files(&scratch.join("dist/hosts"), &mut as_written);
    assert!(!as_written.is_empty(), "some environment writes files of hosts");

    stackc(&scratch, &mirror, "8", &["build", "--charts", "rendered"]);
    let mut hosts = BTreeMap::new();
    files(&scratch.join("dist/hosts"), &mut hosts);
    assert_eq!(hosts, as_written, "files of hosts are as the overlays say, however charts are delivered");

    let words = stackc(&scratch, &mirror, "1", &["build", "--charts", "rendered", "--fresh"]);
    let count = words.lines().filter(|line| line.contains(": unchanged, ")).count();
    assert_eq!(count, scratch.join("dist/envs").read_dir_utf8().expect("environments").count(), "{words}");

    let recorded = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rendered");
    let mut wrong = String::new();
    for entry in scratch.join("dist/envs").read_dir_utf8().expect("environments") {
        let entry = entry.expect("an environment");
        let found = inventory(entry.path());
        let file = recorded.join(format!("{}.txt", entry.file_name()));
        if std::env::var_os("STACKC_BLESS").is_some() {
            std::fs::create_dir_all(&recorded).expect("the folder");
            std::fs::write(&file, &found).expect("the inventory is written");
        }
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        for line in similar::TextDiff::from_lines(&known, &found).unified_diff().iter_hunks() {
            wrong.push_str(&format!("{}:\n{line}", entry.file_name()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{wrong}\nwhere this is meant: STACKC_BLESS=1 cargo test --test suite rendered"
    );
    from_memory(&scratch, &mirror);
    kustomize(&scratch);
}

/// The tree is the same where nothing is known but what earlier builds made of the charts, and where nothing changed.
fn from_memory(scratch: &Utf8Path, mirror: &Utf8Path) {
    std::fs::remove_dir_all(scratch.join("cache/builds")).expect("records of builds");
    for made in ["charts: 0 rendered, ", "nothing changed in "] {
        let words = stackc(scratch, mirror, "8", &["build", "--charts", "rendered", "-v"]);
        assert!(words.lines().any(|line| line.starts_with(made)), "{words}");
        assert!(!words.contains(" written"), "{words}");
    }
}

/// Every folder of a unit is one that `kubectl` builds.
fn kustomize(scratch: &Utf8Path) {
    if std::process::Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        eprintln!("SKIPPED: there is no `kubectl`; units are not built with it");
        return;
    }
    let mut wrong = String::new();
    for environment in scratch.join("dist/envs").read_dir_utf8().expect("environments") {
        for unit in environment.expect("an environment").path().read_dir_utf8().expect("units") {
            let unit = unit.expect("a unit");
            if !unit.path().is_dir() {
                continue;
            }
            let output = std::process::Command::new("kubectl")
                .arg("kustomize")
                .arg(unit.path())
                .output()
                .expect("it runs");
            if !output.status.success() {
                wrong.push_str(&format!("{}: {}\n", unit.path(), String::from_utf8_lossy(&output.stderr)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The example of the README: a chart in the project, rendered without network and lock.
#[test]
fn the_example_is_rendered() {
    let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/greeter"));
    let sources = Sources::new();
    let mut sink = Sink::new();
    let wish = Wish::default();
    let build = driver::compile(&world, &sources, &wish, &mut sink)
        .unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)));
    assert_eq!(sink.found(), [], "no finding");
    let files = build.environments[0].tree.files();
    let deployment =
        files.get(Utf8Path::new("envs/dev/greeter/deployment-greeter.yaml")).expect("a Deployment");
    let text = String::from_utf8_lossy(deployment);
    assert!(text.contains("  namespace: greeter\n") && text.contains("  replicas: 2\n"), "{text}");

    // The field leads to the line of the template that made it, and on to the line of the overlay that a user edits.
    let objects = build.environments[0].sequence.objects().iter().map(|placed| &placed.object);
    let deployment =
        objects.into_iter().find(|object| &*object.id.kind == "Deployment").expect("a Deployment");
    let replicas = deployment.node.at(&["spec", "replicas"]).expect("replicas");
    let place = |span| sources.place(span);
    assert_eq!(replicas.span().map(place).as_deref(), Some("greeter/templates/deployment.yaml:7:16"));
    assert_eq!(replicas.origin.editable().map(place).as_deref(), Some("overlays/dev/overlay.yaml:14:19"));
    let Origin::Link(kind) = &replicas.origin else { panic!("no chain") };
    let OriginKind::Template { because, .. } = kind.as_ref() else { panic!("not made by a template") };
    assert_eq!(because.reads.iter().map(|read| read.path.to_string()).collect::<Vec<_>>(), ["replicas"]);
}

/// Every environment with its charts rendered, where the recorded packages are.
pub(super) fn environments() -> Option<driver::Build> {
    let mirror = mirror()?;
    let folder = tempfile::tempdir().expect("a folder");
    let world = vendored(&mirror, Utf8Path::from_path(folder.path()).expect("a path of UTF-8"));
    let sources = Sources::new();
    let mut sink = Sink::new();
    let access = Access { mirror: Some(mirror), network: Network::Off, ..Access::default() };
    let wish = Wish { charts: Some(ChartDelivery::Rendered), access, ..Wish::default() };
    let build = driver::compile(&world, &sources, &wish, &mut sink)
        .unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)));
    Some(build)
}
