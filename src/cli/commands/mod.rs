//! One file a command.

mod completions;

use super::arguments::{Arguments, Command, When};
use super::{Console, Exit};
use crate::world::World;

pub(super) fn dispatch(arguments: &Arguments, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let global = &arguments.global;
    let color = match global.color {
        When::Auto => None,
        When::Always => Some(true),
        When::Never => Some(false),
    };
    console.set(color, global.quiet, global.verbose);
    match &arguments.command {
        Command::Completions(options) => completions::run(options, console),
        Command::Template(options) => super::template::run(options, world, console),
        _ => Exit::Failure,
    }
}
