//! Cutting instances into units by what may not be applied together.
//!
//! - what a chart wants before itself is `<instance>-pre`; where Jobs in it wait for each other, the later ones are
//!   `<instance>-pre-2` and so on;
//! - definitions come before what uses them: `<instance>-crds`, where the instance has anything else;
//! - a custom resource never shares a unit with its definition or the webhook that admits it: `<instance>-config`;
//! - what waits for the world outside (a certificate that waits for DNS) or would never become ready by itself (a
//!   claim that only `CronJobs` mount) holds nobody up: `<instance>-leaf`; so do the Jobs of a Pod network that run
//!   only on nodes which a cloud controller has seen, because that controller may need the network itself;
//! - Namespaces, encrypted files and chart sources are units of the environment.

use super::{Health, Unit, UnitKind};
use crate::diag::{Diagnostic, Sink, codes};
use crate::link::{Edge, Referrer, Target, pod_spec};
use crate::model::{ChartDelivery, ChartSourceKind, Object, ObjectSource, Stage};
use crate::render::{KindOwner, Part, Placed, Scopes, Surroundings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The units of an environment, not ordered yet, and where everything went.
pub(super) struct Cut {
    pub(super) units: Vec<Unit>,
    /// The unit of each object.
    pub(super) of_object: Vec<usize>,
    /// The unit of each encrypted file.
    pub(super) of_encrypted: Vec<usize>,
    /// The units of each instance.
    pub(super) of_part: Vec<BTreeMap<UnitKind, usize>>,
    /// The references of each instance, several of one kind.
    pub(super) references: Vec<Vec<usize>>,
    pub(super) namespaces: Option<usize>,
    pub(super) sources: Option<usize>,
}

impl Cut {
    /// The unit that stands for an instance: the main one, else the last that others may wait for.
    pub(super) fn main(&self, part: usize) -> Option<usize> {
        let units = &self.of_part[part];
        [UnitKind::Main, UnitKind::Config]
            .iter()
            .find_map(|kind| units.get(kind).copied())
            .or_else(|| self.pre(part))
            .or_else(|| units.get(&UnitKind::Crds).copied())
            .or_else(|| self.references[part].last().copied())
            .or_else(|| units.get(&UnitKind::Leaf).copied())
    }

    /// The last step of what an instance wants before itself.
    pub(super) fn pre(&self, part: usize) -> Option<usize> {
        let steps = self.of_part[part].range(UnitKind::Pre(0)..=UnitKind::Pre(u32::MAX));
        steps.last().map(|(_, unit)| *unit)
    }
}

pub(super) fn cut(
    surroundings: &Surroundings,
    parts: &[Part],
    objects: &[Placed],
    scopes: &Scopes,
    links: &[Edge],
    sink: &mut Sink,
) -> Cut {
    let mut leaves = leaves(objects, links);
    leaves.extend(after_nodes(parts, objects));
    let admitted = super::edges::admitted_groups(parts, objects);
    let mut kinds: Vec<UnitKind> = objects
        .iter()
        .enumerate()
        .map(|(index, placed)| kind_of(index, placed, objects, scopes, &leaves, &admitted))
        .collect();
    settle(&mut kinds, parts, objects);

    let mut cut = Cut {
        units: Vec::new(),
        of_object: Vec::with_capacity(objects.len()),
        of_encrypted: Vec::new(),
        of_part: vec![BTreeMap::new(); parts.len()],
        references: vec![Vec::new(); parts.len()],
        namespaces: None,
        sources: None,
    };
    releases_and_references(surroundings, parts, &mut cut);
    for (index, placed) in objects.iter().enumerate() {
        let unit = match placed.part {
            Some(part) => unit_of(&mut cut, parts, part, kinds[index]),
            None => *cut
                .namespaces
                .get_or_insert_with(|| push(&mut cut.units, "namespaces", UnitKind::Namespaces, None)),
        };
        cut.units[unit].objects.push(index);
        cut.of_object.push(unit);
    }
    encrypted(surroundings, &mut cut);
    refuse_twins(&cut.units, parts, surroundings, sink);
    for unit in &mut cut.units {
        unit.objects.sort_by_key(|index| sort_key(&objects[*index].object));
    }
    cut
}

fn push(units: &mut Vec<Unit>, name: &str, kind: UnitKind, part: Option<usize>) -> usize {
    units.push(Unit {
        name: Arc::from(name),
        kind,
        part,
        objects: Vec::new(),
        releases: Vec::new(),
        reference: None,
        encrypted: Vec::new(),
        needs: Vec::new(),
        depends_on: Vec::new(),
        level: 0,
        health: Health::None,
        timeout: 0,
        orphan: false,
    });
    units.len() - 1
}

fn unit_of(cut: &mut Cut, parts: &[Part], part: usize, kind: UnitKind) -> usize {
    if let Some(unit) = cut.of_part[part].get(&kind) {
        return *unit;
    }
    let name = &parts[part].instance.name;
    let name = match kind {
        UnitKind::Crds => format!("{name}-crds"),
        UnitKind::Pre(0) => format!("{name}-pre"),
        UnitKind::Pre(step) => format!("{name}-pre-{}", step + 1),
        UnitKind::Config => format!("{name}-config"),
        UnitKind::Leaf => format!("{name}-leaf"),
        _ => name.to_string(),
    };
    let unit = push(&mut cut.units, &name, kind, Some(part));
    cut.of_part[part].insert(kind, unit);
    unit
}

fn releases_and_references(surroundings: &Surroundings, parts: &[Part], cut: &mut Cut) {
    let flux = surroundings.deliver.flux.is_some();
    for (index, part) in parts.iter().enumerate() {
        for (at, delivered) in part.releases.iter().enumerate() {
            if delivered.release.delivery != ChartDelivery::Release {
                continue;
            }
            let unit = unit_of(cut, parts, index, UnitKind::Main);
            cut.units[unit].releases.push(at);
            let shared = matches!(
                delivered.release.chart.source.kind,
                ChartSourceKind::Http(_) | ChartSourceKind::Git { .. }
            );
            if flux && shared && cut.sources.is_none() {
                cut.sources = Some(push(&mut cut.units, "sources", UnitKind::Sources, None));
            }
        }
        for (at, reference) in part.instance.references.iter().enumerate() {
            if !flux || reference.git.is_none() {
                continue;
            }
            if cut.sources.is_none() {
                cut.sources = Some(push(&mut cut.units, "sources", UnitKind::Sources, None));
            }
            let name = format!("{}-{}", part.instance.name, reference.name);
            let unit = push(&mut cut.units, &name, UnitKind::Reference, Some(index));
            cut.units[unit].reference = Some(at);
            cut.references[index].push(unit);
        }
    }
}

fn encrypted(surroundings: &Surroundings, cut: &mut Cut) {
    let mut of_kind = BTreeMap::new();
    for (index, file) in surroundings.encrypted.iter().enumerate() {
        let (name, kind) = if file.sops_secret {
            ("sopssecrets", UnitKind::SopsSecrets)
        } else {
            ("secrets", UnitKind::Secrets)
        };
        let unit = *of_kind.entry(kind).or_insert_with(|| push(&mut cut.units, name, kind, None));
        cut.units[unit].encrypted.push(index);
        cut.of_encrypted.push(unit);
    }
}

/// Objects that hold nobody up: certificates that no Pod mounts, claims that only `CronJobs` mount, those `CronJobs`.
fn leaves(objects: &[Placed], links: &[Edge]) -> BTreeSet<usize> {
    let is = |index: usize, group: &str, kind: &str| {
        let id = &objects[index].object.id;
        &*id.group == group && &*id.kind == kind
    };
    let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in links.iter().filter(|edge| edge.order) {
        if let (Referrer::Object(from), Target::Object(to)) = (edge.from, edge.to) {
            users.entry(to).or_default().push(from);
        }
    }
    let mut leaves = BTreeSet::new();
    for index in 0..objects.len() {
        let of = users.get(&index).map_or(&[][..], Vec::as_slice);
        if is(index, "cert-manager.io", "Certificate") && of.is_empty() {
            leaves.insert(index);
        }
        if is(index, "", "PersistentVolumeClaim") && of.iter().all(|user| is(*user, "batch", "CronJob")) {
            leaves.insert(index);
            leaves.extend(of.iter().copied().filter(|user| objects[*user].part == objects[index].part));
        }
    }
    leaves
}

/// The instance whose Pods clear the `uninitialized` taint, and the one that gives Pods their network, where they are two.
pub(super) fn node_setup(parts: &[Part], objects: &[Placed]) -> Option<(usize, usize)> {
    let provider = |capability: &str| {
        parts.iter().position(|part| part.instance.provides.iter().any(|name| &**name == capability))
    };
    let (nodes, network) = (provider("initializedNodes")?, provider("podNetwork")?);
    // A distribution of Kubernetes does it in its own process.
    let by_pods = !parts[nodes].releases.is_empty()
        || objects.iter().any(|placed| placed.part == Some(nodes) && pod_spec(&placed.object).is_some());
    (nodes != network && by_pods).then_some((nodes, network))
}

/// What a Pod network runs beside its agents on initialized nodes only. Were it in the main unit, the network would wait
/// for the cloud controller, whose own Pods may need the network.
fn after_nodes(parts: &[Part], objects: &[Placed]) -> impl Iterator<Item = usize> {
    let network = node_setup(parts, objects).map(|(_, network)| network);
    let waits = move |placed: &Placed| {
        network.is_some()
            && placed.part == network
            && &*placed.object.id.kind != "DaemonSet"
            && pod_spec(&placed.object).is_some_and(|(_, pods)| !super::edges::tolerates(pods))
    };
    objects.iter().enumerate().filter(move |(_, placed)| waits(placed)).map(|(index, _)| index)
}

fn kind_of(
    index: usize,
    placed: &Placed,
    objects: &[Placed],
    scopes: &Scopes,
    leaves: &BTreeSet<usize>,
    admitted: &[(Arc<str>, usize, Option<usize>)],
) -> UnitKind {
    let id = &placed.object.id;
    let Some(part) = placed.part else { return UnitKind::Namespaces };
    if &*id.kind == "CustomResourceDefinition" && &*id.group == "apiextensions.k8s.io" {
        return UnitKind::Crds;
    }
    if let ObjectSource::Chart { stage: Stage::Before(step), .. } = placed.object.source {
        return UnitKind::Pre(step);
    }
    if leaves.contains(&index) {
        return UnitKind::Leaf;
    }
    let Some(known) = scopes.custom(&id.group, &id.kind) else { return UnitKind::Main };
    let own_definition = match known.owner {
        KindOwner::Object(at) => objects[at].part == Some(part),
        KindOwner::Declared(owner, _) => owner == part,
        KindOwner::Cluster => false,
    };
    let own_webhook = admitted.iter().any(|(group, owner, _)| *owner == part && *group == id.group);
    if own_definition || own_webhook { UnitKind::Config } else { UnitKind::Main }
}

/// Takes back a cut that an instance does not need: definitions alone, or custom resources alone, are its main unit.
fn settle(kinds: &mut [UnitKind], parts: &[Part], objects: &[Placed]) {
    for (index, part) in parts.iter().enumerate() {
        let mut present: BTreeSet<UnitKind> = objects
            .iter()
            .zip(kinds.iter())
            .filter(|(placed, _)| placed.part == Some(index))
            .map(|(_, kind)| *kind)
            .collect();
        if part.releases.iter().any(|delivered| delivered.release.delivery == ChartDelivery::Release) {
            present.insert(UnitKind::Main);
        }
        if present.contains(&UnitKind::Main) {
            continue;
        }
        let alone = [UnitKind::Crds, UnitKind::Config].into_iter().find(|kind| {
            present.contains(kind) && present.iter().all(|other| other == kind || *other == UnitKind::Leaf)
        });
        if let Some(alone) =
            alone.filter(|kind| *kind != UnitKind::Config || part.instance.references.is_empty())
        {
            for (placed, kind) in objects.iter().zip(kinds.iter_mut()) {
                if placed.part == Some(index) && *kind == alone {
                    *kind = UnitKind::Main;
                }
            }
        }
    }
}

/// Two units of one name would overwrite each other; `flux-system` is Flux's own.
fn refuse_twins(units: &[Unit], parts: &[Part], surroundings: &Surroundings, sink: &mut Sink) {
    let mut seen: BTreeMap<&str, &Unit> = BTreeMap::new();
    let owner = |unit: &Unit| unit.part.map(|part| &parts[part]);
    for unit in units {
        let taken = seen.insert(&unit.name, unit);
        let whose = |unit: &Unit| {
            owner(unit)
                .map_or("the environment itself".to_owned(), |part| format!("`{}`", part.instance.name))
        };
        if let Some(first) = taken {
            let (at, other) = if unit.part.is_some() { (unit, first) } else { (first, unit) };
            sink.report(
                Diagnostic::error(
                    codes::DUPLICATE_UNIT,
                    format!(
                        "two units would be named `{}`: of {} and of {}",
                        unit.name,
                        whose(first),
                        whose(unit)
                    ),
                )
                .at(
                    owner(at).map_or(surroundings.environment.span, |part| part.instance.span),
                    "this instance",
                )
                .related(owner(other).map(|part| part.instance.span), "and this one")
                .help("give one of the instances another name"),
            );
        } else if &*unit.name == "flux-system" {
            sink.report(
                Diagnostic::error(codes::DUPLICATE_UNIT, "the unit `flux-system` is Flux's own")
                    .at(
                        owner(unit).map_or(surroundings.environment.span, |part| part.instance.span),
                        "this instance",
                    )
                    .help("give the instance another name"),
            );
        }
    }
}

/// The order in which the objects of a unit are applied: kluctl keeps it, one after the other.
fn sort_key(object: &Object) -> (usize, crate::model::ObjectId) {
    const ORDER: &[&str] = &[
        "Namespace",
        "CustomResourceDefinition",
        "PriorityClass",
        "StorageClass",
        "IngressClass",
        "GatewayClass",
        "RuntimeClass",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "ConfigMap",
        "Secret",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Service",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Ingress",
        "APIService",
    ];
    let id = &object.id;
    let webhooks = matches!(&*id.kind, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration");
    let rank = if webhooks {
        ORDER.len() + 1
    } else {
        ORDER.iter().position(|kind| **kind == *id.kind).unwrap_or(ORDER.len())
    };
    (rank, id.clone())
}
