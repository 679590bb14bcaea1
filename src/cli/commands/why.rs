//! `stackc why`.

use super::session::{Outcome, Telling, delivery, run as session};
use crate::cli::arguments::{DataFormat, FindingsFormat, Global, Why};
use crate::cli::{Console, Exit};
use crate::why::{json, text, why};
use crate::world::World;
use std::convert::identity;

pub(super) fn run(global: &Global, options: &Why, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let selection = session.one(options.environment.as_deref())?;
        let build = session.compile_environments(&selection, delivery(options.charts), identity)?;
        let environment =
            build.environments.first().expect("one environment was selected, or loading failed");
        let answer = why(&environment.sequence, &environment.tree, &options.object, &options.field)
            .map_err(|finding| session.sink.report(*finding))?;
        Ok(Outcome::data(if options.json || options.format == DataFormat::Json {
            format!("{:#}\n", json(&answer, &session.sources))
        } else {
            text(&answer, &session.sources)
        }))
    })
}
