//! The environments of this repository: they compile, always to the same bytes, and kustomize builds every unit.

use camino::Utf8PathBuf;
use stackc::check;
use stackc::diag::{Sink, render};
use stackc::driver::{self, Build, Wish};
use stackc::load::{self, Selection};
use stackc::package::supply::Access;
use stackc::source::Sources;
use stackc::world::memory::MemoryWorld;
use stackc::world::os::OsWorld;
use std::fs;
use std::process::Command;

fn compiled(sink: &mut Sink, sources: &Sources) -> Option<Build> {
    let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    driver::compile(
        &world,
        sources,
        &Wish { selection: Selection::All, charts: None, access: Access::default() },
        sink,
    )
    .ok()
}

#[test]
fn every_environment_compiles_twice_to_the_same_bytes() {
    let sources = Sources::new();
    let mut sink = Sink::new();
    let first = compiled(&mut sink, &sources);
    // What the documents themselves ask for and a person should know: two replicas in production, and a Kubernetes
    // that is older than what Flux supports.
    let mut codes: Vec<&str> = sink.found().iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        ["few-replicas", "unsupported-kubernetes"],
        "{}",
        render::human(sink.found(), &sources, render::Style::default())
    );
    let second = compiled(&mut Sink::new(), &Sources::new()).expect("compiled before");
    for (one, other) in first.expect("compiled").environments.iter().zip(&second.environments) {
        assert!(one.tree.files() == other.tree.files(), "`{}` differs between two builds", one.name);
    }
}

/// kluctl renders charts beside a unit's kustomization; an empty list stands for what it would write.
const RENDERED_BY_KLUCTL: &str = "helm-rendered.yaml";

#[test]
fn kustomize_builds_every_unit() {
    if Command::new("kubectl").arg("version").arg("--client").output().is_err() {
        eprintln!("SKIPPED: there is no `kubectl` here to build the units with");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let build = compiled(&mut Sink::new(), &Sources::new()).expect("the environments compile");
    let mut units = Vec::new();
    for (path, bytes) in build.environments.iter().flat_map(|environment| environment.tree.files()) {
        let place = folder.path().join(path);
        let parent = place.parent().expect("a folder");
        fs::create_dir_all(parent).expect("a folder can be made");
        fs::write(&place, bytes).expect("a file can be written");
        if path.file_name() == Some("kustomization.yaml") {
            if String::from_utf8_lossy(bytes).contains(RENDERED_BY_KLUCTL) {
                let stand_in = "apiVersion: v1\nkind: List\nitems: []\n";
                fs::write(parent.join(RENDERED_BY_KLUCTL), stand_in).expect("a file can be written");
            }
            units.push(parent.to_owned());
        }
    }
    assert!(units.len() > 50, "{} units", units.len());
    let wrong: Vec<String> = units
        .iter()
        .filter_map(|unit| {
            let output = Command::new("kubectl").arg("kustomize").arg(unit).output().expect("kubectl runs");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            (!output.status.success()).then(|| format!("{}: {text}", unit.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} units:\n{}", wrong.len(), units.len(), wrong.join("\n"));
}

#[test]
fn every_built_in_stack_is_sound_and_reads_its_inputs() {
    let world = MemoryWorld::new()
        .with("stackc.yaml", "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {name: none}\n");
    let sources = Sources::new();
    let mut sink = Sink::new();
    let project = load::load(&world, &sources, &Selection::Named(Vec::new()), &mut sink).expect("a project");
    let mut wrong = String::new();
    for name in project.library().names().filter(|name| !load::SYNTHETIC_STACKS.contains(&name.as_ref())) {
        wrong.push_str(&render::short(project.library().findings(name, &sources), &sources));
        let Some(stack) = project.library().stack(name, &sources) else { continue };
        for unread in check::unread(stack) {
            let place = unread.span.map_or_else(String::new, |span| sources.place(span));
            wrong.push_str(&format!("{place}: nothing in the stack `{name}` reads `{}`\n", unread.input));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
