//! What an environment needs that is not in its tree, and how a person sees afterwards that it is well.
//!
//! Stacks say it in `prereqs`, `verify` and `secrets`; the compiler adds what it knows itself: the flags of k3s, Secrets
//! that exist in no place of the tree, and manifests that stay references. Everything here is read from a compiled
//! environment, so it cannot disagree with the tree. No value of a Secret is ever known here, so none can be printed.

mod data;
mod machine;
mod nix;
mod secrets;
mod table;
mod text;

pub use data::{json, json_after};
pub use machine::{Machine, k3s_config};
pub use nix::nix;
pub use secrets::{HandMade, Key};
pub use text::{text, text_after};

use crate::model::{HostFile, ManifestReference};
use crate::order::Sequence;
use crate::value::Node;
use camino::Utf8PathBuf;
use std::sync::Arc;

/// What has to be there before an environment is deployed.
#[derive(Clone, Debug)]
pub struct Prerequisites {
    environment: Arc<str>,
    items: Vec<Item>,
    machines: Vec<Machine>,
    secrets: Vec<HandMade>,
    references: Vec<Reference>,
    handover: Vec<Arc<str>>,
    /// Where kluctl's project lies, from the project's own folder.
    folder: Utf8PathBuf,
    targets: Targets,
}

/// Who applies the tree, as far as it makes a difference.
#[derive(Copy, Clone, Debug)]
struct Targets {
    flux: bool,
    kluctl: bool,
    /// A machine brings the cluster up by itself, from its cloud-config.
    cloud_config: bool,
}

/// Something that a stack says must be there, once for all instances that say it.
#[derive(Clone, Debug)]
struct Item {
    instances: Vec<Arc<str>>,
    kind: Arc<str>,
    data: Node,
}

/// A manifest that the target fetches by itself, where it can.
#[derive(Clone, Debug)]
struct Reference {
    instance: Arc<str>,
    manifest: ManifestReference,
}

/// Kinds of things that are one thing by name, whoever asks for it.
const NAMED: &[(&str, &str)] =
    &[("kernelModule", "name"), ("sysctl", "name"), ("port", "port"), ("trustedInterface", "name")];

/// Reads from a compiled environment what it needs.
pub fn prerequisites(sequence: &Sequence, hosts: &[HostFile]) -> Prerequisites {
    let surroundings = sequence.surroundings();
    let mut items: Vec<Item> = Vec::new();
    for part in sequence.parts() {
        for prereq in &part.instance.prereqs {
            let name = name_of(&prereq.kind, &prereq.data);
            let same = |item: &&mut Item| {
                item.kind == prereq.kind
                    && (item.data.value == prereq.data.value
                        || name.is_some() && name_of(&item.kind, &item.data) == name)
            };
            match items.iter_mut().find(same) {
                Some(item) if item.instances.contains(&part.instance.name) => {}
                Some(item) => item.instances.push(Arc::clone(&part.instance.name)),
                None => items.push(Item {
                    instances: vec![Arc::clone(&part.instance.name)],
                    kind: Arc::clone(&prereq.kind),
                    data: prereq.data.clone(),
                }),
            }
        }
    }
    // By number, as people look for them; everything else keeps the order of the stacks.
    items.sort_by_key(|item| match &*item.kind {
        "port" => port(item.data.get("port").and_then(Node::as_str).unwrap_or_default()),
        _ => (String::new(), 0),
    });
    let references = sequence
        .parts()
        .iter()
        .flat_map(|part| {
            part.instance.references.iter().map(|manifest| Reference {
                instance: Arc::clone(&part.instance.name),
                manifest: manifest.clone(),
            })
        })
        .collect();
    Prerequisites {
        environment: Arc::clone(&surroundings.environment.name),
        machines: machine::machines(sequence, hosts, &items),
        items,
        secrets: secrets::hand_made(sequence),
        references,
        handover: sequence.handover().into_iter().map(|unit| Arc::clone(&unit.name)).collect(),
        folder: surroundings
            .environment
            .output
            .dir
            .join(&surroundings.environment.output.prefix)
            .join("envs")
            .join(&*surroundings.environment.name),
        targets: Targets {
            flux: surroundings.deliver.flux.is_some(),
            kluctl: surroundings.deliver.kluctl.is_some(),
            cloud_config: hosts.iter().any(|host| host.format == crate::model::HostFormat::CloudConfig),
        },
    }
}

/// `tcp/2379-2380` as what it sorts by.
fn port(text: &str) -> (String, u32) {
    let (protocol, number) = text.split_once('/').unwrap_or(("", text));
    let number = number.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    (protocol.to_owned(), number)
}

fn name_of<'a>(kind: &str, data: &'a Node) -> Option<&'a str> {
    let (_, field) = NAMED.iter().find(|(known, _)| *known == kind)?;
    data.get(field).and_then(Node::as_str)
}

impl Prerequisites {
    /// The machines that k3s runs on, servers first.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// Leaves one machine of several; `false` where there is none of that name.
    pub fn keep_machine(&mut self, name: &str) -> bool {
        self.machines.retain(|machine| *machine.name == *name);
        !self.machines.is_empty()
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| *item.kind == *kind)
    }
}

/// A check of the running cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The instance that it is of.
    pub instance: Arc<str>,
    /// Its id in the stack.
    pub id: Arc<str>,
    /// What it shows.
    pub description: Arc<str>,
    /// The command.
    pub command: Arc<str>,
}

/// What a person runs against the running cluster, in the order in which its parts come up.
pub fn after(sequence: &Sequence) -> Vec<After> {
    let mut level = vec![u32::MAX; sequence.parts().len()];
    for unit in sequence.units() {
        if let Some(part) = unit.part {
            level[part] = level[part].min(u32::try_from(unit.level).unwrap_or(u32::MAX));
        }
    }
    // What has no unit of its own is the ground that the rest stands on.
    let ground = |part: usize| if level[part] == u32::MAX { 0 } else { level[part] + 1 };
    let mut order: Vec<usize> = (0..level.len()).collect();
    order.sort_by_key(|part| ground(*part));
    order
        .into_iter()
        .flat_map(|part| {
            let part = &sequence.parts()[part];
            part.instance.verify.iter().map(|check| After {
                instance: Arc::clone(&part.instance.name),
                id: Arc::clone(&check.id),
                description: Arc::clone(&check.description),
                command: Arc::clone(&check.command),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
