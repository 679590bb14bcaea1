//! Arguments in, exit code out.

use stackc::cli::{self, Console, Exit};
use stackc::world::os::{self, OsWorld};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let terminal = os::terminal();
    let progress = terminal.progress.then(|| Box::new(std::io::stderr()) as _);
    let mut console = Console::new(&mut out, &mut err)
        .with_color(terminal.color)
        .with_width(terminal.width)
        .with_progress(progress);
    let exit = match OsWorld::here() {
        Ok(world) => cli::run(os::arguments(), &world, &mut console),
        Err(error) => {
            console.talk(&format!("error: {error}\n"));
            Exit::Failure
        }
    };
    ExitCode::from(exit.code())
}
