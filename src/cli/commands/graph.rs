//! `stackc graph`.

use super::common::{compiled, one_name};
use crate::cli::arguments::{Compile, FindingsFormat, Global, Graph, GraphFormat};
use crate::cli::{Console, Exit};
use crate::order;
use crate::world::World;

pub(super) fn run(global: &Global, options: &Graph, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let name = match one_name(global, options.environment.as_deref(), world, console) {
        Ok(name) => name,
        Err(exit) => return exit,
    };
    let compile = Compile {
        environments: vec![name],
        charts: None,
        format: FindingsFormat::Human,
        deny_warnings: false,
    };
    match compiled(global, &compile, world, console) {
        Ok((_, build)) => {
            for environment in &build.environments {
                let text = match options.format {
                    GraphFormat::Text => order::text(&environment.sequence),
                    GraphFormat::Mermaid => order::mermaid(&environment.sequence),
                    GraphFormat::Dot => order::dot(&environment.sequence),
                    GraphFormat::Svg => order::svg(&environment.sequence),
                };
                console.data(text.as_bytes());
            }
            Exit::Fine
        }
        Err(exit) => exit,
    }
}
