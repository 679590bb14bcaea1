//! `stackc graph`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{FindingsFormat, Global, Graph, GraphFormat};
use crate::cli::{Console, Exit};
use crate::order;
use crate::world::World;
use std::convert::identity;

pub(super) fn run(global: &Global, options: &Graph, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let selection = session.one(options.environment.as_deref())?;
        let build = session.compile_environments(&selection, None, identity)?;
        let text = build.environments.iter().map(|environment| match options.format {
            GraphFormat::Text => order::text(&environment.sequence),
            GraphFormat::Mermaid => order::mermaid(&environment.sequence),
            GraphFormat::Dot => order::dot(&environment.sequence),
            GraphFormat::Svg => order::svg(&environment.sequence),
        });
        Ok(Outcome::data(text.collect::<String>()))
    })
}
