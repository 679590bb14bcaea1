//! `stackc check`.

use super::common::{compiled, count};
use crate::cli::arguments::{Check, Global};
use crate::cli::{Console, Exit};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Check, world: &dyn World, console: &mut Console<'_>) -> Exit {
    match compiled(global, &options.compile, world, console) {
        Ok((_, build)) => {
            let objects: usize =
                build.environments.iter().map(|environment| environment.sequence.objects().len()).sum();
            let units: usize =
                build.environments.iter().map(|environment| environment.sequence.units().len()).sum();
            console.status(&format!(
                "{} fine: {} in {}",
                count(build.environments.len(), "environment"),
                count(objects, "object"),
                count(units, "unit")
            ));
            Exit::Fine
        }
        Err(exit) => exit,
    }
}
