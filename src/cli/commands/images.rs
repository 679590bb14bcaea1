//! `stackc images`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{Global, Images, ImagesFormat};
use crate::cli::{Console, Exit};
use crate::images::{images, json, list, text};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Images, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(options.compile.format), world, console, |session| {
        let build = session.compile(&options.compile, |environment| images(&environment.sequence))?;
        let all = build.environments;
        let data = match options.form {
            ImagesFormat::Json => {
                format!("{:#}\n", serde_json::Value::from(all.iter().map(json).collect::<Vec<_>>()))
            }
            ImagesFormat::List => list(&all),
            ImagesFormat::Text if all.len() == 1 => all.iter().map(text).collect(),
            ImagesFormat::Text => {
                all.iter().fold(String::new(), |out, one| out + "# " + &one.environment + "\n" + &text(one))
            }
        };
        let status = all
            .iter()
            .filter(|one| !one.unknown.is_empty())
            .map(|one| {
                format!(
                    "{}: the images of {} are not known, since they stay releases; `--charts rendered` knows them",
                    one.environment,
                    one.unknown.join(", ")
                )
            })
            .collect();
        Ok(Outcome { status, ..Outcome::data(data) })
    })
}
