//! The environments of this repository, through the phases that look at what is written.

use camino::Utf8PathBuf;
use stackc::diag::{Sink, render};
use stackc::load::{self, Selection};
use stackc::source::Sources;
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
    assert!(sink.found().is_empty(), "{}", render::human(sink.found(), &sources, render::Style::default()));
}
