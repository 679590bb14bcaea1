//! `stackc check`.

use super::session::{Outcome, Telling, count, run as session};
use crate::cli::arguments::{Check, Global};
use crate::cli::{Console, Exit};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Check, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Output(options.compile.format), world, console, |session| {
        let build = session.compile(&options.compile, |environment| environment.size())?;
        let objects: usize = build.environments.iter().map(|size| size.objects).sum();
        let units: usize = build.environments.iter().map(|size| size.units).sum();
        Ok(Outcome::status(vec![format!(
            "{} fine: {} in {}",
            count(build.environments.len(), "environment"),
            count(objects, "object"),
            count(units, "unit")
        )]))
    })
}
