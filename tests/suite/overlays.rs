//! The environments of this repository, through the phases that look at what is written.

use camino::Utf8PathBuf;
use stackc::diag::{Sink, render};
use stackc::load::{self, Selection};
use stackc::source::Sources;
use stackc::world::memory::MemoryWorld;
use stackc::world::os::OsWorld;
use stackc::{check, resolve};
use std::sync::Arc;

#[test]
fn every_environment_is_found_right() {
    let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let sources = Sources::new();
    let mut sink = Sink::new();
    let mut count = 0;
    if let Ok(project) = load::load(&world, &sources, &Selection::All, &mut sink) {
        let project = Arc::new(project);
        for documents in project.environments() {
            let program = resolve::resolve(&world, &sources, &project, documents, &mut sink)
                .and_then(|resolution| check::check(resolution, &mut sink));
            if let Ok(program) = program
                && check::files(&program.late(), &[], &mut sink).is_ok()
            {
                count += 1;
            }
        }
        assert_eq!(count, project.environments().len(), "{}", render::short(sink.found(), &sources));
    }
    // Two replicas of boilstream in production are what its document runs: the one warning that is meant to be there.
    let codes: Vec<&str> = sink.found().iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(
        codes,
        ["few-replicas"],
        "{}",
        render::human(sink.found(), &sources, render::Style::default())
    );
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
