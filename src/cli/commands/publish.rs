//! `stackc publish`.

use super::common::{compiled, tell};
use crate::cli::arguments::{Global, Publish};
use crate::cli::{Console, Exit};
use crate::diag::Sink;
use crate::diff::{Base, diff};
use crate::publish::{Destination, publish};
use crate::source::Sources;
use crate::world::World;

pub(super) fn run(global: &Global, options: &Publish, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let (world, build) = match compiled(global, &options.compile, world, console) {
        Ok(done) => done,
        Err(exit) => return exit,
    };
    let mut sink = Sink::new();
    let base = Base::Branch { repository: options.repository.clone(), branch: options.branch.clone() };
    let destination = Destination::Branch {
        repository: options.repository.clone(),
        branch: options.branch.clone(),
        title: options.message.clone(),
    };
    let trees = build.environments.into_iter().map(|environment| environment.tree).collect();
    let receipt = diff(trees, &base, &world, &mut sink)
        .and_then(|changes| publish(changes, &destination, &world, &mut sink));
    tell(sink.found(), &Sources::new(), options.compile.format, console);
    match receipt {
        Ok(receipt) => {
            match receipt.commit() {
                Some(commit) => {
                    console.status(&format!("{} written, {} removed", receipt.written(), receipt.removed()));
                    console.data(format!("{commit}\n").as_bytes());
                }
                None => console.status(&format!("nothing changed on `{}`", options.branch)),
            }
            Exit::Fine
        }
        Err(_reported) => Exit::Findings,
    }
}
