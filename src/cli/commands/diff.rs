//! `stackc diff`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{Diff, DiffFormat, Global};
use crate::cli::{Console, Exit};
use crate::diff::{Base, diff, json, text, unified};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Diff, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(options.compile.format), world, console, |session| {
        let trees = session.compile(&options.compile, |environment| environment.tree)?.environments;
        let base = if let Some(revision) = &options.against {
            Base::Revision { revision: revision.clone() }
        } else {
            // What an interrupted build left half written is no base to compare with.
            if let Some(tree) = trees.first() {
                session.refuse_half_written(&tree.output().root())?;
            }
            Base::Files
        };
        let changes = diff(trees, &base, &session.world, &mut session.sink)?;
        let data = match options.form {
            DiffFormat::Text => text(&changes),
            DiffFormat::Unified => unified(&changes),
            DiffFormat::Json => format!("{:#}\n", json(&changes)),
        };
        let mut outcome = Outcome::data(data);
        if changes.is_empty() {
            // The text says so itself; an empty diff would leave one wondering.
            if outcome.data.is_empty() {
                outcome.status.push("no differences".to_owned());
            }
        } else if options.exit_code {
            outcome.exit = Exit::Findings;
        }
        Ok(outcome)
    })
}
