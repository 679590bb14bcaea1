//! `stackc publish`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{Global, Publish};
use crate::cli::{Console, Exit};
use crate::diff::{Base, diff};
use crate::publish::{Destination, publish};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Publish, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(options.compile.format), world, console, |session| {
        let trees = session.compile(&options.compile, |environment| environment.tree)?.environments;
        let base = Base::Branch { repository: options.repository.clone(), branch: options.branch.clone() };
        let changes = diff(trees, &base, &session.world, &mut session.sink)?;
        session.deny(&options.compile)?;
        let destination = Destination::Branch {
            repository: options.repository.clone(),
            branch: options.branch.clone(),
            title: options.message.clone(),
        };
        let receipt = publish(changes, &destination, &session.world, &mut session.sink)?;
        Ok(match receipt.commit() {
            Some(commit) => {
                let mut outcome = Outcome::data(format!("{commit}\n"));
                outcome.status.push(format!("{} written, {} removed", receipt.written(), receipt.removed()));
                outcome
            }
            None => Outcome::status(vec![format!("nothing changed on `{}`", options.branch)]),
        })
    })
}
