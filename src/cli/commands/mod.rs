//! One file a command.

mod build;
mod check;
mod completions;
mod diff;
mod explain;
mod graph;
mod images;
mod init;
mod outdated;
mod prereqs;
mod publish;
mod schema;
mod session;
mod set;
mod stack;
mod validate;
mod vendor;
mod why;

use super::arguments::{Arguments, Command, When};
use super::progress::Watched;
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
    let watched = console.take_progress().map(|terminal| Watched::new(world, terminal, console.width()));
    let world = watched.as_ref().map_or(world, |watched| watched);
    if global.threads == 0 {
        return command(arguments, world, console);
    }
    match rayon::ThreadPoolBuilder::new().num_threads(global.threads).build() {
        Ok(pool) => pool.install(|| command(arguments, world, console)),
        Err(error) => {
            console.talk(&format!("error: {} threads cannot be had: {error}\n", global.threads));
            Exit::Failure
        }
    }
}

fn command(arguments: &Arguments, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let global = &arguments.global;
    match &arguments.command {
        Command::Completions(options) => completions::run(options, console),
        Command::Template(options) => super::template::run(options, world, console),
        Command::Init(options) => init::run(global, options, world, console),
        Command::Check(options) => check::run(global, options, world, console),
        Command::Validate(options) => validate::run(options, world, console),
        Command::Graph(options) => graph::run(global, options, world, console),
        Command::Prereqs(options) => prereqs::run(global, options, world, console),
        Command::Set(options) => set::run(global, options, world, console),
        Command::Schema(options) => schema::run(global, options, world, console),
        Command::Why(options) => why::run(global, options, world, console),
        Command::Images(options) => images::run(global, options, world, console),
        Command::Explain(options) => explain::run(global, options, world, console),
        Command::Stack(command) => stack::run(global, command, world, console),
        Command::Build(options) => build::run(global, options, world, console),
        Command::Vendor(options) => vendor::run(global, options, world, console),
        Command::Outdated(options) => outdated::run(global, options, world, console),
        Command::Diff(options) => diff::run(global, options, world, console),
        Command::Publish(options) => publish::run(global, options, world, console),
    }
}
