//! The environments of this repository compile, with no warning but those that are meant; the built-in stacks are sound.

use camino::Utf8PathBuf;
use stackc::check;
use stackc::diag::{Sink, render};
use stackc::driver::{self, Wish};
use stackc::load::{self, Selection};
use stackc::source::Sources;
use stackc::world::memory::MemoryWorld;
use stackc::world::os::OsWorld;

#[test]
fn every_environment_compiles_with_the_two_warnings_that_are_meant() {
    let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let sources = Sources::new();
    let mut sink = Sink::new();
    let wish = Wish::default();
    let build = driver::compile(&world, &sources, &wish, &mut sink);
    // What the documents themselves ask for and a person should know: two replicas in production, and a Kubernetes
    // that is older than what Flux supports.
    let mut codes: Vec<&str> = sink.found().iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    let words = render::human(sink.found(), &sources, render::Style::default());
    assert_eq!(codes, ["few-replicas", "unsupported-kubernetes"], "{words}");
    assert!(build.is_ok_and(|build| build.environments.len() > 7), "{words}");
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
