//! `stackc check`.

use super::session::{Outcome, Telling, count, run as session};
use crate::cli::arguments::{Check, Global};
use crate::cli::{Console, Exit};
use crate::driver::Size;
use crate::world::World;

pub(super) fn run(global: &Global, options: &Check, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Output(options.compile.format), world, console, |session| {
        let sizes: Vec<Size> = if let Some(record) = session.record(&options.compile) {
            session.retell(&record, &options.compile)?;
            record.environments().iter().map(|environment| environment.size).collect()
        } else {
            session.compile(&options.compile, |environment| environment.size())?.environments
        };
        let objects: usize = sizes.iter().map(|size| size.objects).sum();
        let units: usize = sizes.iter().map(|size| size.units).sum();
        Ok(Outcome::status(vec![format!(
            "{} fine: {} in {}",
            count(sizes.len(), "environment"),
            count(objects, "object"),
            count(units, "unit")
        )]))
    })
}
