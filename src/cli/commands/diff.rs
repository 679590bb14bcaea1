//! `stackc diff`.

use super::common::{compiled, tell};
use crate::cli::arguments::{Diff, DiffFormat, Global};
use crate::cli::{Console, Exit};
use crate::diag::Sink;
use crate::diff::{Base, diff, json, text, unified};
use crate::publish::complete;
use crate::source::Sources;
use crate::world::World;

pub(super) fn run(global: &Global, options: &Diff, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let (world, build) = match compiled(global, &options.compile, world, console) {
        Ok(done) => done,
        Err(exit) => return exit,
    };
    let mut sink = Sink::new();
    let base = match &options.against {
        Some(revision) => Base::Revision { revision: revision.clone() },
        None => Base::Files,
    };
    if let (Base::Files, Some(environment)) = (&base, build.environments.first()) {
        let output = environment.tree.output();
        // What an interrupted build left half written is no base to compare with.
        let _completed = complete(&output.dir.join(&output.prefix), &world, &mut sink);
    }
    let trees = build.environments.into_iter().map(|environment| environment.tree).collect();
    let changes = diff(trees, &base, &world, &mut sink);
    tell(sink.found(), &Sources::new(), options.compile.format, console);
    let Ok(changes) = changes else { return Exit::Findings };
    let out = match options.form {
        DiffFormat::Text => text(&changes),
        DiffFormat::Unified => unified(&changes),
        DiffFormat::Json => format!("{:#}\n", json(&changes)),
    };
    console.data(out.as_bytes());
    if changes.is_empty() {
        console.status("no differences");
        return Exit::Fine;
    }
    if options.exit_code { Exit::Findings } else { Exit::Fine }
}
