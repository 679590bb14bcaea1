//! `Manifests -> Sequence`: units, and which waits for which.
//!
//! A unit is what Flux applies as one Kustomization and kluctl as one deployment item. Instances are cut into units
//! by what may not be applied together ([`cut`]); edges come from what objects say of each other, from bindings, and
//! from `after` ([`edges`]). A cycle is refused with the field behind every edge ([`cycle`]). Units come out in the
//! order of their levels, then by name, so that the result depends on nothing but the objects.

mod cut;
mod cycle;
mod edges;
mod graph;
mod health;
mod policy;
mod protect;

pub use graph::{dot, mermaid, svg, text};
pub use policy::{Expression, Health, HealthCheck};

use crate::check::UnitObjects;
use crate::diag::{Reported, Sink};
use crate::link::{Edge, Referrer, Target};
use crate::render::{DeliveredRelease, Part, Placed, Surroundings};
use crate::source::Span;
use crate::validate::Manifests;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a unit is for; those of an instance in their order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKind {
    /// The Namespaces of the environment.
    Namespaces,
    /// Chart and manifest sources, which Flux alone needs.
    Sources,
    /// Encrypted Secrets that the delivery tool decrypts.
    Secrets,
    /// Encrypted resources that an operator decrypts.
    SopsSecrets,
    /// A manifest that Flux fetches by itself.
    Reference,
    /// Custom resource definitions of an instance.
    Crds,
    /// What an instance wants before itself, step by step from 0.
    Pre(u32),
    /// What waits for the world outside, and what nothing waits for.
    Leaf,
    /// The instance itself.
    Main,
    /// Custom resources of its own definitions.
    Config,
}

/// Why a unit waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In words: the field and the object that holds it.
    pub text: String,
    /// The place that a user would edit.
    pub at: Option<Span>,
}

/// An edge: a unit that has to be there first.
#[derive(Clone, Debug)]
pub struct Need {
    /// The index of that unit.
    pub unit: usize,
    /// Every reason for it, in the order they were found.
    pub reasons: Vec<Reason>,
}

/// A unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its name, unique in the environment.
    pub name: Arc<str>,
    /// What it is for.
    pub kind: UnitKind,
    /// The index of its instance; `None` for units of the environment.
    pub part: Option<usize>,
    /// Its objects, by index, in the order in which they are applied.
    pub objects: Vec<usize>,
    /// Its releases, by index in its instance.
    pub releases: Vec<usize>,
    /// Its reference, by index in its instance.
    pub reference: Option<usize>,
    /// Its encrypted files, by index.
    pub encrypted: Vec<usize>,
    /// The units that have to be there first, by index.
    pub needs: Vec<Need>,
    /// Those of `needs` that no other need implies.
    pub depends_on: Vec<usize>,
    /// How many levels of units come before it.
    pub level: usize,
    /// How its health is known.
    pub health: Health,
    /// How long it may take, in seconds.
    pub timeout: u32,
    /// Deleting the unit must not delete what it holds.
    pub orphan: bool,
}

impl Unit {
    /// Whether only Flux has this unit.
    pub fn flux_only(&self) -> bool {
        matches!(self.kind, UnitKind::Sources | UnitKind::Reference)
    }
}

/// The units of an environment in their order. Only [`order`] makes one.
#[derive(Clone, Debug)]
pub struct Sequence {
    surroundings: Surroundings,
    parts: Vec<Part>,
    objects: Vec<Placed>,
    units: Vec<Unit>,
    readers: Vec<BTreeSet<Arc<str>>>,
}

impl Sequence {
    /// What is known besides objects.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The instances, in the order of the overlay.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The objects, protections added.
    pub fn objects(&self) -> &[Placed] {
        &self.objects
    }

    /// The units, by level and name.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The instances that read an external, by its index among the externals.
    pub fn readers(&self, external: usize) -> &BTreeSet<Arc<str>> {
        &self.readers[external]
    }

    /// The releases of a unit.
    pub fn releases<'a>(&'a self, unit: &'a Unit) -> impl Iterator<Item = &'a DeliveredRelease> {
        let part = unit.part.map(|part| &self.parts[part]);
        unit.releases.iter().filter_map(move |index| part.map(|part| &part.releases[*index]))
    }

    /// What a person has to apply before Flux can run: the network, node initialization and DNS, with all that
    /// they need, in order.
    pub fn handover(&self) -> Vec<&Unit> {
        let first = |part: usize| {
            self.parts[part].instance.provides.iter().any(|name| {
                matches!(
                    &**name,
                    "podNetwork" | "serviceProxy" | "clusterDns" | "cloudController" | "initializedNodes"
                )
            })
        };
        let mut wanted = vec![false; self.units.len()];
        for (index, unit) in self.units.iter().enumerate().rev() {
            if unit.part.is_some_and(first) && unit.kind != UnitKind::Leaf {
                wanted[index] = true;
            }
            if wanted[index] {
                for need in &unit.needs {
                    wanted[need.unit] = true;
                }
            }
        }
        self.units
            .iter()
            .zip(wanted)
            .filter(|(unit, wanted)| *wanted && !unit.flux_only())
            .map(|(unit, _)| unit)
            .collect()
    }

    /// The objects of every unit, for host files that embed them.
    pub fn unit_objects(&self) -> Vec<UnitObjects> {
        self.units
            .iter()
            .filter(|unit| !unit.flux_only())
            .map(|unit| UnitObjects {
                name: Arc::clone(&unit.name),
                level: unit.level,
                objects: unit
                    .objects
                    .iter()
                    .map(|index| Arc::new(self.objects[*index].object.node.clone()))
                    .collect(),
            })
            .collect()
    }
}

/// Cuts an environment into units and orders them.
pub fn order(manifests: Manifests, sink: &mut Sink) -> Result<Sequence, Reported> {
    let (rendering, links) = manifests.into_linked().into_parts();
    let (surroundings, parts, mut objects, scopes) = rendering.into_parts();
    let readers = readers(&surroundings, &parts, &objects, &links);
    let cut = cut::cut(&surroundings, &parts, &objects, &scopes, &links, sink);
    let needs = edges::edges(&surroundings, &parts, &objects, &scopes, &links, &cut, sink);
    sink.finish(())?;
    let mut units = cycle::sorted(cut.units, needs, sink)?;
    for unit in &mut units {
        policy::decide(unit, &parts, &objects, &scopes);
    }
    protect::protect(&mut objects, &scopes);
    Ok(Sequence { surroundings, parts, objects, units, readers })
}

/// Who reads each external, by what the references say.
fn readers(
    surroundings: &Surroundings,
    parts: &[Part],
    objects: &[Placed],
    links: &[Edge],
) -> Vec<BTreeSet<Arc<str>>> {
    let mut readers = vec![BTreeSet::new(); surroundings.externals.len()];
    for link in links {
        let Target::External(external) = link.to else { continue };
        let part = match link.from {
            Referrer::Object(object) => objects[object].part,
            Referrer::Part(part) => Some(part),
        };
        readers[external].extend(part.map(|part| Arc::clone(&parts[part].instance.name)));
    }
    readers
}

#[cfg(test)]
pub(crate) mod tests;
