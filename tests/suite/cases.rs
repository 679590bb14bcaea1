//! Runs every folder of `tests/cases/<phase>/<what_it_shows>/`.
//!
//! `case.toml` says what to run: `command = "check -e shop"` is a command line of `stackc`; `phase = "check"` runs the
//! phases up to that one and writes what came out as JSON. `exit` is the exit code (0 where it is left out), `from` a
//! folder of `tests/cases/shared`, or an overlay of this repository such as `overlays/docfast`, whose files lie below
//! those of `in/`. `edit.diff` changes those files: `@ PATH`, then lines with ` `, `-` and `+` before them, of which the
//! first two stand in the file exactly once. What is printed on standard error is `stderr.txt`; `out/` holds standard
//! output as `stdout.txt` and every file that was written or removed. `STACKC_BLESS=1` writes what came out; nobody
//! types it by hand.

use camino::Utf8PathBuf;
use serde_json::{Value as Json, json};
use stackc::check::{self, Program};
use stackc::cli::{self, Console};
use stackc::diag::{Sink, render};
use stackc::load::{self, Selection};
use stackc::resolve;
use stackc::source::Sources;
use stackc::value::Node;
use stackc::world::memory::MemoryWorld;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// All files below a folder, by their path from it.
fn files(folder: &Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name =
                    path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                found.insert(name.into(), fs::read(&path).expect("a readable fixture"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// The keys of a `case.toml`: strings, numbers and booleans at the top level.
struct Case(BTreeMap<String, String>);

impl Case {
    const KEYS: &[&str] = &["command", "phase", "exit", "from", "environments"];

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut found = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) =
                line.split_once('=').unwrap_or_else(|| panic!("{}: no `=` in `{line}`", path.display()));
            let key = key.trim();
            assert!(Self::KEYS.contains(&key), "{}: unknown key `{key}`", path.display());
            found.insert(key.to_owned(), value.trim().trim_matches('"').to_owned());
        }
        Self(found)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// What a run gave.
struct Outcome {
    exit: u8,
    stderr: String,
    out: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

fn command(line: &str, world: &MemoryWorld) -> Outcome {
    let before = world.files();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("stackc").chain(line.split_whitespace()).map(Into::into);
    let exit = cli::run(arguments, world, &mut Console::new(&mut out, &mut err));
    let mut changed = BTreeMap::new();
    if !out.is_empty() {
        changed.insert("stdout.txt".into(), out);
    }
    let after = world.files();
    for (path, bytes) in &after {
        if before.get(path) != Some(bytes) {
            changed.insert(path.clone(), bytes.clone());
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        changed.insert(format!("{path}.removed").into(), Vec::new());
    }
    Outcome { exit: exit.code(), stderr: String::from_utf8(err).expect("text"), out: changed }
}

fn phases(last: &str, environments: Option<&str>, world: &MemoryWorld) -> Outcome {
    let sources = Sources::new();
    let mut sink = Sink::new();
    let mut out = BTreeMap::new();
    let selection = match environments {
        None => Selection::All,
        Some(names) => Selection::Named(names.split_whitespace().map(ToOwned::to_owned).collect()),
    };
    if let Ok(project) = load::load(world, &sources, &selection, &mut sink) {
        let project = Arc::new(project);
        for documents in project.environments() {
            if last == "load" {
                continue;
            }
            let Ok(resolution) = resolve::resolve(world, &sources, &project, documents, &mut sink) else {
                continue;
            };
            if last == "resolve" {
                continue;
            }
            let Ok(program) = check::check(resolution, &mut sink) else { continue };
            let mut found = describe(&program, &sources);
            if last == "files"
                && let Ok(files) = check::files(&program.late(), Some(&[]), &mut sink)
            {
                let files = files.iter().map(|file| (file.path.to_string(), file.content.to_json()));
                found["files"] = Json::Object(files.collect());
            }
            let text = serde_json::to_string_pretty(&found).expect("JSON is printable") + "\n";
            out.insert(format!("{}.json", documents.name).into(), text.into_bytes());
        }
    }
    let exit = u8::from(sink.failed());
    let stderr = render::human(sink.found(), &sources, render::Style::default());
    Outcome { exit, stderr, out }
}

/// A program in the parts that later phases see.
fn describe(program: &Program, sources: &Sources) -> Json {
    let instances = program.instances().iter().map(|instance| {
        let objects: Vec<Json> = instance.objects.iter().map(|object| object.node.to_json()).collect();
        let releases: Vec<Json> = instance
            .releases
            .iter()
            .map(|release| {
                json!({
                    "name": release.name.as_ref(),
                    "namespace": release.namespace.as_ref(),
                    "chart": format!("{}/{}@{}", release.chart.source.name, release.chart.name, release.chart.version),
                    "delivery": format!("{:?}", release.delivery),
                    "helm": release.helm.as_ref(),
                    "values": release.values.to_json(),
                })
            })
            .collect();
        let secrets: Vec<String> = instance
            .secrets
            .iter()
            .map(|secret| {
                let keys: Vec<String> = secret
                    .keys
                    .iter()
                    .map(|key| {
                        let word = |name: &str, value: &Option<Arc<str>>| {
                            value.as_ref().map_or_else(String::new, |value| format!(" {name}={value}"))
                        };
                        format!("{}{}{}", key.name, word("format", &key.format), word("placeholder", &key.placeholder))
                    })
                    .collect();
                format!("{}/{}: {}", secret.namespace, secret.name, keys.join(", "))
            })
            .collect();
        let declares = &instance.declares;
        let crds = declares.crds.iter().map(|crd| format!("{}.{} {:?}", crd.kind, crd.group, crd.by));
        let webhooks = declares.webhooks.iter().map(|hook| format!("{}: {}", hook.service, hook.groups.join(", ")));
        let creates = declares.creates.iter().map(|made| format!("{}: {}", made.id, made.keys.join(", ")));
        let found = json!({
            "stack": instance.stack.as_ref(),
            "namespace": instance.namespace.as_deref(),
            "namespaceLabels": instance.namespace_labels.as_ref().map(Node::to_json),
            "after": instance.after.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>(),
            "provides": instance.provides.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
            "objects": objects,
            "references": instance.references.iter().map(|reference| reference.url.as_ref()).collect::<Vec<_>>(),
            "releases": releases,
            "secrets": secrets,
            "declares": crds.chain(webhooks).chain(creates).collect::<Vec<_>>(),
        });
        (instance.name.to_string(), pruned(found))
    });
    let bindings: Vec<String> = program
        .bindings()
        .iter()
        .map(|binding| {
            let order = if binding.order { "" } else { " (no order)" };
            format!("{} -> {}: {}{order}", binding.consumer, binding.provider, binding.capability)
        })
        .collect();
    let environment = program.environment();
    let deliver = program.deliver();
    pruned(json!({
        "environment": format!("{} {} {}", environment.name, environment.environment, environment.kubernetes),
        "deliver": {
            "charts": format!("{:?}", deliver.charts),
            "flux": deliver.flux.as_ref().map(|flux| format!("{}/{}", flux.source_kind, flux.source_name)),
            "kluctl": deliver.kluctl.as_ref().map(|kluctl| kluctl.discriminator.as_ref()),
        },
        "instances": Json::Object(instances.collect()),
        "bindings": bindings,
        "externals": program.externals().iter().map(|external| external.id.to_string()).collect::<Vec<_>>(),
        "patches": program.patches().iter().map(|patch| {
            format!("{} at {}", patch.name, sources.place(patch.span))
        }).collect::<Vec<_>>(),
        "encrypted": program.encrypted().iter().map(|file| file.path.to_string()).collect::<Vec<_>>(),
    }))
}

/// Without what is empty, so that a case shows what it is about.
fn pruned(mut json: Json) -> Json {
    if let Json::Object(map) = &mut json {
        map.retain(|_, value| match value {
            Json::Null => false,
            Json::Array(items) => !items.is_empty(),
            _ => true,
        });
    }
    json
}

/// What a case starts from: a shared folder, or an overlay of this repository with the bases it may extend.
fn start(from: &str) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let Some(name) = from.strip_prefix("overlays/") else {
        let shared = root().join("shared").join(from);
        assert!(shared.is_dir(), "no shared folder `{}`", shared.display());
        return files(&shared);
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    for part in ["base", name] {
        let folder = Path::new("overlays").join(part);
        let below = files(&repository.join(&folder));
        assert!(!below.is_empty(), "no overlay `{}`", folder.display());
        found
            .extend(below.into_iter().map(|(path, bytes)| (format!("overlays/{part}/{path}").into(), bytes)));
    }
    let project = fs::read(repository.join("stackc.yaml")).expect("the repository's own project");
    found.insert("stackc.yaml".into(), project);
    found
}

/// Applies an `edit.diff`: a change that no longer fits what it changes fails the case.
fn edit(text: &str, files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) {
    for part in format!("\n{text}").split("\n@ ").skip(1) {
        let (path, body) = part.split_once('\n').expect("a path on a line of its own");
        let (mut before, mut after) = (String::new(), String::new());
        for line in body.lines() {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
            if sign != "+" {
                before.push_str(&format!("{rest}\n"));
            }
            if sign != "-" {
                after.push_str(&format!("{rest}\n"));
            }
            assert!(["+", "-", " "].contains(&sign), "`{line}` starts with none of `+`, `-` and a space");
        }
        let bytes =
            files.get_mut(camino::Utf8Path::new(path.trim())).unwrap_or_else(|| panic!("no file `{path}`"));
        let whole = format!("\n{}", String::from_utf8(std::mem::take(bytes)).expect("text"));
        let before = format!("\n{before}");
        let count = whole.matches(&before).count();
        assert!(count == 1, "these lines stand {count} times in `{path}`:{before}");
        *bytes = whole.replacen(&before, &format!("\n{after}"), 1).split_off(1).into_bytes();
    }
}

fn run(case: &Case, folder: &Path) -> Outcome {
    let mut input = case.get("from").map(start).unwrap_or_default();
    input.extend(files(&folder.join("in")));
    if let Ok(text) = fs::read_to_string(folder.join("edit.diff")) {
        edit(&text, &mut input);
    }
    let mut world = MemoryWorld::new();
    for (path, bytes) in input {
        world = world.with(path.as_str(), bytes);
    }
    match (case.get("command"), case.get("phase")) {
        (Some(line), None) => command(line, &world),
        (None, Some(last)) => phases(last, case.get("environments"), &world),
        _ => panic!("{}: say either `command` or `phase`", folder.display()),
    }
}

/// What differs between a case's folder and a run of it, in words.
fn compare(folder: &Path, case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let exit: u8 = case.get("exit").map_or(0, |exit| exit.parse().expect("`exit` is a number"));
    if outcome.exit != exit {
        wrong.push(format!("exit {} where {exit} was expected", outcome.exit));
    }
    let stderr = fs::read_to_string(folder.join("stderr.txt")).unwrap_or_default();
    if stderr != outcome.stderr {
        wrong.push(format!("stderr differs\n--- expected\n{stderr}\n--- found\n{}", outcome.stderr));
    }
    let expected = files(&folder.join("out"));
    for (path, bytes) in &outcome.out {
        if expected.get(path) != Some(bytes) {
            wrong.push(format!("out/{path} differs\n--- found\n{}", String::from_utf8_lossy(bytes)));
        }
    }
    for path in expected.keys().filter(|path| !outcome.out.contains_key(*path)) {
        wrong.push(format!("out/{path} was not written"));
    }
    wrong
}

fn bless(folder: &Path, outcome: &Outcome) {
    let out = folder.join("out");
    if out.exists() {
        fs::remove_dir_all(&out).expect("a writable fixture");
    }
    let write = |path: &Path, bytes: &[u8]| {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable fixture");
        fs::write(path, bytes).expect("a writable fixture");
    };
    for (path, bytes) in &outcome.out {
        write(&out.join(path), bytes);
    }
    let stderr = folder.join("stderr.txt");
    if outcome.stderr.is_empty() {
        drop(fs::remove_file(stderr));
    } else {
        write(&stderr, outcome.stderr.as_bytes());
    }
}

#[test]
fn every_case_gives_what_it_says() {
    let blessed = std::env::var_os("STACKC_BLESS").is_some();
    let only = std::env::var("STACKC_CASE").ok();
    let mut wrong = Vec::new();
    let mut count = 0;
    for phase in folders(&root()).into_iter().filter(|phase| !phase.ends_with("shared")) {
        for folder in folders(&phase) {
            let name = folder.strip_prefix(root()).expect("below the root").display().to_string();
            if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
                continue;
            }
            count += 1;
            let case = Case::read(&folder.join("case.toml"));
            let outcome = run(&case, &folder);
            if blessed {
                bless(&folder, &outcome);
            }
            let found = compare(&folder, &case, &outcome);
            wrong.extend(found.into_iter().map(|words| format!("{name}: {words}")));
        }
    }
    assert!(count > 0 || only.is_some(), "there are no cases");
    assert!(wrong.is_empty(), "{} of {count} cases differ:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_shared_folder_is_used() {
    let mut used = BTreeSet::new();
    for phase in folders(&root()).into_iter().filter(|phase| !phase.ends_with("shared")) {
        for folder in folders(&phase) {
            if let Some(from) = Case::read(&folder.join("case.toml")).get("from") {
                used.insert(from.to_owned());
            }
        }
    }
    for shared in folders(&root().join("shared")) {
        let name = shared.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(used.contains(&name), "no case starts from `tests/cases/shared/{name}`");
    }
}
