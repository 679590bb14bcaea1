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
use arguments::{Command, Global};
use clap::{Args as _, CommandFactory as _, FromArgMatches as _};
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
    let exit = dispatch(arguments.into_iter().collect(), world, console);
    match console.unwritten() {
        None => exit,
        Some(error) => {
            console.talk(&format!("error: cannot write to standard output: {error}\n"));
            Exit::Failure
        }
    }
}

fn dispatch(arguments: Vec<OsString>, world: &dyn World, console: &mut Console<'_>) -> Exit {
    if let Some(arguments) = template_alone(&arguments) {
        return commands::dispatch(&arguments, world, console);
    }
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

/// The command line of `stackc template`, read without the other commands, whose description is a twentieth of a render.
/// Nothing where it is not a good one: that is told with all of them at hand.
fn template_alone(arguments: &[OsString]) -> Option<Arguments> {
    arguments.get(1).filter(|name| *name == "template")?;
    let command = Global::augment_args(clap::Command::new("stackc")).subcommand(template::command());
    let matches = command.try_get_matches_from(arguments).ok()?;
    let global = Global::from_arg_matches(&matches).ok()?;
    let (_, matches) = matches.subcommand()?;
    let command = Command::Template(template::Args::from_arg_matches(matches).ok()?);
    Some(Arguments { global, command })
}

mod commands;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_read_alone_as_with_all_commands() {
        for line in [
            "stackc template rel chart -n ns --set a=b -f values.yaml --include-crds",
            "stackc template --color never -q rel chart --threads 1",
            "stackc template rel chart --verbose --color=always -C folder -j2",
            "stackc template --help",
            "stackc template",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let all = Arguments::command().try_get_matches_from(&words).expect("a command line");
            let all = Arguments::from_arg_matches(&all).expect("arguments");
            assert_eq!(format!("{:?}", template_alone(&words).expect(line)), format!("{all:?}"));
        }
        for line in ["stackc", "stackc check template", "stackc -q template rel", "stackc template --color x"]
        {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(template_alone(&words).is_none(), "{line}");
        }
    }
    /// A stream that fails in one way.
    struct Failing(std::io::ErrorKind);

    impl std::io::Write for Failing {
        fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn output_that_is_not_written_is_told_unless_nobody_reads_it() {
        use std::io::ErrorKind;
        let world = crate::world::memory::MemoryWorld::new();
        for (kind, exit) in [(ErrorKind::StorageFull, Exit::Failure), (ErrorKind::BrokenPipe, Exit::Fine)] {
            let mut err = Vec::new();
            let mut out = Failing(kind);
            let mut console = Console::new(&mut out, &mut err);
            assert_eq!(run(["stackc", "--version"].map(OsString::from), &world, &mut console), exit);
            let told = String::from_utf8_lossy(&err);
            assert_eq!(told.contains("cannot write to standard output"), exit == Exit::Failure, "{told}");
        }
    }
}
