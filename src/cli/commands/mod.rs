//! One file a command.

mod completions;

use super::arguments::{Arguments, Command, When};
use super::{Console, Exit};
use crate::world::World;

pub(super) fn dispatch(arguments: &Arguments, _world: &dyn World, console: &mut Console<'_>) -> Exit {
    let global = &arguments.global;
    let color = match global.color {
        When::Auto => None,
        When::Always => Some(true),
        When::Never => Some(false),
    };
    console.set(color, global.quiet, global.verbose);
    match &arguments.command {
        Command::Completions(options) => completions::run(options, console),
        _ => Exit::Failure,
    }
}
