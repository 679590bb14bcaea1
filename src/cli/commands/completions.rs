//! `stackc completions`.

use crate::cli::arguments::{Arguments, Completions};
use crate::cli::{Console, Exit};
use clap::CommandFactory as _;

pub(super) fn run(options: &Completions, console: &mut Console<'_>) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "stackc", &mut script);
    console.data(&script);
    Exit::Fine
}
