//! `stackc schema`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{FindingsFormat, Global, Schema, SchemaOf};
use crate::cli::{Console, Exit};
use crate::load::{PROJECT_SCHEMA, library, overlay_schema};
use crate::world::World;
use camino::Utf8Path;

pub(super) fn run(global: &Global, options: &Schema, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let text = match options.of {
            SchemaOf::Project => PROJECT_SCHEMA.to_owned(),
            SchemaOf::Overlay => {
                let library = library(&session.world, &session.sources, &mut session.sink);
                format!("{:#}\n", overlay_schema(&library, &session.sources))
            }
        };
        match &options.write {
            None => Ok(Outcome::data(text)),
            Some(path) => {
                session.write(Utf8Path::new(path), &text)?;
                Ok(Outcome::status(vec![format!("wrote {path}")]))
            }
        }
    })
}
