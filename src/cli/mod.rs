//! Arguments and commands; the only place that prints.
//!
//! [`run`] takes arguments, a world and a console and gives the exit code: 0 fine, 1 findings (or drift, or
//! differences that were asked for), 2 a wrong command line, 3 a fault of the machine or of stackc itself.
//! Data goes to standard output, talk to standard error.

mod arguments;
mod console;
mod progress;
pub mod template;

pub use arguments::Arguments;
pub use console::Console;

use crate::world::World;
use clap::{CommandFactory as _, FromArgMatches as _};
use std::ffi::OsString;

/// How a run ended, as the shell sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine,
    /// Errors were found, or a difference that was asked about.
    Findings,
    /// The command line was wrong.
    Usage,
    /// The machine, or stackc itself, failed.
    Failure,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Failure => 3,
        }
    }
}

/// Runs one command line.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    world: &dyn World,
    console: &mut Console<'_>,
) -> Exit {
    let command = Arguments::command().term_width(console.width());
    let parsed =
        command.try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    match parsed {
        Ok(arguments) => commands::dispatch(&arguments, world, console),
        Err(error) => {
            let text =
                if console.color() { error.render().ansi().to_string() } else { error.render().to_string() };
            if error.use_stderr() {
                console.talk(&text);
                Exit::Usage
            } else {
                console.data(text.as_bytes());
                Exit::Fine
            }
        }
    }
}

mod commands;
