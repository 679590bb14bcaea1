//! `stackc prereqs`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{FindingsFormat, Global, Prereqs, PrereqsFormat};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::prereqs::{
    Prerequisites, after, json, json_after, k3s_config, nix, prerequisites, text, text_after,
};
use crate::world::World;
use std::convert::identity;

pub(super) fn run(global: &Global, options: &Prereqs, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let selection = session.one(options.environment.as_deref())?;
        let build = session.compile_environments(&selection, None, identity)?;
        let mut data = String::new();
        for environment in &build.environments {
            if options.after {
                let checks = after(&environment.sequence);
                data.push_str(&match options.format {
                    PrereqsFormat::Json => format!("{:#}\n", json_after(&environment.name, &checks)),
                    _ => text_after(&environment.name, &checks),
                });
                continue;
            }
            let mut needed = prerequisites(&environment.sequence, &environment.hosts);
            if let Some(machine) = &options.machine {
                keep(&mut needed, machine, &mut session.sink)?;
            }
            data.push_str(&match options.format {
                PrereqsFormat::Text => text(&needed),
                PrereqsFormat::Json => format!("{:#}\n", json(&needed)),
                PrereqsFormat::K3sConfig => {
                    if needed.machines().is_empty() {
                        return Err(session.sink.report(no_k3s(&environment.name)));
                    }
                    k3s_config(needed.machines())
                }
                PrereqsFormat::Nix => nix(&needed),
            });
        }
        Ok(Outcome::data(data))
    })
}

/// Leaves the machine that was asked for.
fn keep(needed: &mut Prerequisites, machine: &str, sink: &mut Sink) -> Result<(), Reported> {
    let names: Vec<String> = needed.machines().iter().map(|machine| machine.name.to_string()).collect();
    if needed.keep_machine(machine) {
        return Ok(());
    }
    let finding = Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no machine `{machine}`"));
    Err(sink.report(match did_you_mean(machine, names.iter().map(String::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding.help("the environment configures no machine that runs k3s"),
        None => finding.help(format!("the machines are {}", names.join(", "))),
    }))
}

fn no_k3s(environment: &str) -> Diagnostic {
    Diagnostic::error(codes::UNKNOWN_NAME, format!("no machine of `{environment}` runs k3s"))
        .help("the formats `text` and `json` print what it needs instead")
}
