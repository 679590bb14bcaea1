//! Edges between units, each with the reasons for it.

use super::{Need, Reason, UnitKind, cut::Cut};
use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::link::{Edge, Referrer, Target, pod_spec};
use crate::model::{ChartDelivery, ObjectId};
use crate::render::{KindOwner, Part, Placed, Scopes, Surroundings};
use crate::schema::kinds;
use crate::source::Span;
use crate::value::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The edges of each unit, by the unit that has to be first.
pub(super) type Needs = Vec<BTreeMap<usize, Vec<Reason>>>;

struct Edges<'a> {
    surroundings: &'a Surroundings,
    parts: &'a [Part],
    objects: &'a [Placed],
    cut: &'a Cut,
    needs: Needs,
}

impl Edges<'_> {
    fn add(&mut self, from: usize, to: usize, text: impl FnOnce() -> String, at: Option<Span>) {
        if from == to {
            return;
        }
        let reasons = self.needs[from].entry(to).or_default();
        // A handful of reasons says enough; a unit may have thousands of objects.
        if reasons.len() < 8 {
            let reason = Reason { text: text(), at };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
}

pub(super) fn edges(
    surroundings: &Surroundings,
    parts: &[Part],
    objects: &[Placed],
    scopes: &Scopes,
    links: &[Edge],
    cut: &Cut,
    sink: &mut Sink,
) -> Needs {
    let mut edges =
        Edges { surroundings, parts, objects, cut, needs: vec![BTreeMap::new(); cut.units.len()] };
    edges.within_instances();
    edges.namespaces();
    edges.sources();
    edges.definitions(scopes);
    edges.links(links);
    edges.bindings(sink);
    edges.by_hand(sink);
    edges.uninitialized();
    edges.unconnected();
    edges.needs
}

/// The groups whose objects a webhook admits: group, instance, and the webhook's object where it is in the tree.
/// Kubernetes' own groups are left out: a webhook for Pods would come before everything, itself included.
pub(super) fn admitted_groups(parts: &[Part], objects: &[Placed]) -> Vec<(Arc<str>, usize, Option<usize>)> {
    let custom =
        |group: &str| !group.is_empty() && group != "*" && kinds::all().all(|known| known.group != group);
    let mut groups = BTreeSet::new();
    for (index, part) in parts.iter().enumerate() {
        for webhook in &part.instance.declares.webhooks {
            groups.extend(
                webhook
                    .groups
                    .iter()
                    .filter(|group| custom(group))
                    .map(|group| (Arc::clone(group), index, None)),
            );
        }
    }
    for (index, placed) in objects.iter().enumerate() {
        let kind = &*placed.object.id.kind;
        let Some(part) = placed
            .part
            .filter(|_| matches!(kind, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"))
        else {
            continue;
        };
        let list =
            |node: &Node, key: &str| node.get(key).and_then(Node::as_list).unwrap_or_default().to_vec();
        for webhook in list(&placed.object.node, "webhooks") {
            for rule in list(&webhook, "rules") {
                for group in list(&rule, "apiGroups") {
                    if let Some(group) = group.as_str().filter(|group| custom(group)) {
                        groups.insert((Arc::from(group), part, Some(index)));
                    }
                }
            }
        }
    }
    groups.into_iter().collect()
}

impl Edges<'_> {
    /// crds, references -> pre -> main -> config; and crds, references -> pre -> leaf. A leaf waits for the rest of its
    /// instance only where its objects say so: a Gateway is not healthy before the certificate that waits beside it.
    fn within_instances(&mut self) {
        let cut = self.cut;
        for part in 0..self.parts.len() {
            let name = Arc::clone(&self.parts[part].instance.name);
            let at = Some(self.parts[part].instance.span);
            let mut before: Vec<usize> = cut.references[part].clone();
            for (kind, unit) in &cut.of_part[part] {
                let what = match kind {
                    UnitKind::Pre(step) if *step > 0 => "the Jobs that it waits for",
                    UnitKind::Config => "the definitions and webhooks of its resources",
                    _ => "its definitions and what it wants before itself",
                };
                for first in &before {
                    self.add(*unit, *first, || format!("`{name}` comes after {what}"), at);
                }
                if *kind != UnitKind::Leaf {
                    before = vec![*unit];
                }
            }
        }
    }

    fn namespaces(&mut self) {
        let Some(namespaces) = self.cut.namespaces else { return };
        let made: BTreeSet<Arc<str>> = self.cut.units[namespaces]
            .objects
            .iter()
            .map(|index| Arc::clone(&self.objects[*index].object.id.name))
            .collect();
        for index in 0..self.objects.len() {
            let object = &self.objects[index].object;
            if let Some(namespace) =
                object.id.namespace.as_ref().filter(|namespace| made.contains(*namespace))
            {
                let at = object.node.at(&["metadata", "namespace"]).and_then(|node| node.origin.editable());
                self.add(
                    self.cut.of_object[index],
                    namespaces,
                    || format!("`{}` lives in namespace `{namespace}`", object.id),
                    at,
                );
            }
        }
        for unit in 0..self.cut.units.len() {
            let Some(part) = self.cut.units[unit].part else { continue };
            for release in &self.cut.units[unit].releases {
                let release = &self.parts[part].releases[*release].release;
                if made.contains(&release.namespace) {
                    self.add(
                        unit,
                        namespaces,
                        || format!("release `{}` lives in namespace `{}`", release.name, release.namespace),
                        Some(release.span),
                    );
                }
            }
        }
        for (index, file) in self.surroundings.encrypted.iter().enumerate() {
            for (id, _) in &file.objects {
                if let Some(namespace) = id.namespace.as_ref().filter(|namespace| made.contains(*namespace)) {
                    let unit = self.cut.of_encrypted[index];
                    self.add(
                        unit,
                        namespaces,
                        || format!("`{id}` lives in namespace `{namespace}`"),
                        Some(file.span.head()),
                    );
                }
            }
        }
    }

    fn sources(&mut self) {
        let Some(sources) = self.cut.sources else { return };
        for unit in 0..self.cut.units.len() {
            let from = &self.cut.units[unit];
            if !from.releases.is_empty() || from.kind == UnitKind::Reference {
                let at = from.part.map(|part| self.parts[part].instance.span);
                let name = Arc::clone(&from.name);
                self.add(unit, sources, || format!("what `{name}` is fetched from"), at);
            }
        }
    }

    /// A custom resource after its definition and the webhooks that admit it.
    fn definitions(&mut self, scopes: &Scopes) {
        let admitted = admitted_groups(self.parts, self.objects);
        for index in 0..self.objects.len() {
            let object = &self.objects[index].object;
            let place = object.node.get("kind").and_then(|node| node.origin.editable());
            self.definition(self.cut.of_object[index], &object.id, place, scopes, &admitted);
        }
        for (index, file) in self.surroundings.encrypted.iter().enumerate() {
            for (id, _) in &file.objects {
                self.definition(self.cut.of_encrypted[index], id, Some(file.span.head()), scopes, &admitted);
            }
        }
    }

    fn definition(
        &mut self,
        unit: usize,
        id: &ObjectId,
        at: Option<Span>,
        scopes: &Scopes,
        admitted: &[(Arc<str>, usize, Option<usize>)],
    ) {
        let Some(known) = scopes.custom(&id.group, &id.kind) else { return };
        let definition = match known.owner {
            KindOwner::Object(index) => Some(self.cut.of_object[index]),
            KindOwner::Declared(part, _) => self.cut.references[part]
                .last()
                .copied()
                .filter(|_| !self.cut.of_part[part].contains_key(&UnitKind::Main))
                .or_else(|| self.provider(part)),
            KindOwner::Cluster => None,
        };
        if let Some(definition) = definition {
            self.add(unit, definition, || format!("`{id}` needs the definition of {}", id.kind), at);
        }
        for (group, part, webhook) in admitted.iter().filter(|(group, _, _)| *group == id.group) {
            let to = match webhook {
                Some(index) => Some(self.answers(*part, self.cut.of_object[*index], unit)),
                None => self.provider(*part),
            };
            if let Some(to) = to {
                self.add(unit, to, || format!("`{id}` is admitted by the webhook for `{group}`"), at);
            }
        }
    }

    /// The unit with the Pods behind a webhook: a hook of a chart makes the webhook itself before they are there.
    fn answers(&self, part: usize, webhook: usize, for_unit: usize) -> usize {
        let is_early = |unit: usize| {
            let unit = &self.cut.units[unit];
            unit.part == Some(part) && matches!(unit.kind, UnitKind::Pre(_))
        };
        let pods = self.provider(part).filter(|_| is_early(webhook) && !is_early(for_unit));
        pods.unwrap_or(webhook)
    }

    /// The unit that brings what an instance declares: the one with its controllers.
    fn provider(&self, part: usize) -> Option<usize> {
        self.cut.of_part[part].get(&UnitKind::Main).copied().or_else(|| self.cut.main(part))
    }

    fn links(&mut self, links: &[Edge]) {
        for link in links.iter().filter(|link| link.order) {
            let (from, holder) = match link.from {
                Referrer::Object(index) => {
                    (Some(self.cut.of_object[index]), self.objects[index].object.id.to_string())
                }
                Referrer::Part(part) => {
                    (self.cut.main(part), format!("stack of {}", self.parts[part].instance.name))
                }
            };
            let (to, target) = match link.to {
                Target::Object(index) => {
                    (Some(self.cut.of_object[index]), self.objects[index].object.id.to_string())
                }
                Target::Encrypted(index) => {
                    (Some(self.cut.of_encrypted[index]), self.surroundings.encrypted[index].path.to_string())
                }
                Target::Part(part) => {
                    (self.provider(part), format!("what `{}` makes", self.parts[part].instance.name))
                }
                Target::External(_) | Target::Given => (None, String::new()),
            };
            if let (Some(from), Some(to)) = (from, to) {
                self.add(from, to, || format!("`{}` of `{holder}` names `{target}`", link.field), link.at);
            }
        }
    }

    /// The units of an instance that wait for what others provide: all but its definitions.
    fn consumers(&self, part: usize) -> Vec<usize> {
        let all = self.cut.of_part[part].iter();
        let waiting: Vec<usize> =
            all.clone().filter(|(kind, _)| **kind != UnitKind::Crds).map(|(_, unit)| *unit).collect();
        if waiting.is_empty() { all.map(|(_, unit)| *unit).collect() } else { waiting }
    }

    fn bindings(&mut self, sink: &mut Sink) {
        let by_name: BTreeMap<&str, usize> =
            self.parts.iter().enumerate().map(|(index, part)| (&*part.instance.name, index)).collect();
        for binding in self.surroundings.bindings.iter().filter(|binding| binding.order) {
            let part = |name: &str| by_name.get(name).copied();
            let (Some(consumer), Some(provider)) = (part(&binding.consumer), part(&binding.provider)) else {
                continue;
            };
            if consumer == provider {
                continue;
            }
            let to = match &binding.unit {
                None => self.cut.main(provider),
                Some(unit) => match self.named_unit(provider, unit) {
                    Ok(unit) => unit,
                    Err(meant) => {
                        sink.report(unknown_unit(&binding.provider, unit, binding.span, meant));
                        continue;
                    }
                },
            };
            let Some(to) = to else { continue };
            for unit in self.consumers(consumer) {
                self.add(
                    unit,
                    to,
                    || {
                        format!(
                            "`{}` requires `{}`, which `{}` provides",
                            binding.consumer, binding.capability, binding.provider
                        )
                    },
                    Some(binding.span),
                );
            }
        }
    }

    /// The unit of an instance that `provides[].unit` names; the main one where that unit was not needed.
    fn named_unit(&self, part: usize, name: &str) -> Result<Option<usize>, Option<&'static str>> {
        const NAMES: &[(&str, UnitKind)] = &[
            ("main", UnitKind::Main),
            ("crds", UnitKind::Crds),
            ("pre", UnitKind::Pre(0)),
            ("config", UnitKind::Config),
            ("leaf", UnitKind::Leaf),
        ];
        let instance = &*self.parts[part].instance.name;
        let short = name.strip_prefix(instance).map_or(name, |rest| {
            rest.strip_prefix('-').unwrap_or(if rest.is_empty() { "main" } else { name })
        });
        match NAMES.iter().find(|(known, _)| *known == short) {
            Some((_, kind)) => {
                let unit = match kind {
                    UnitKind::Pre(_) => self.cut.pre(part),
                    kind => self.cut.of_part[part].get(kind).copied(),
                };
                Ok(unit.or_else(|| self.cut.main(part)))
            }
            None => Err(did_you_mean(short, NAMES.iter().map(|(known, _)| *known))
                .and_then(|meant| NAMES.iter().find(|(known, _)| *known == meant).map(|(known, _)| *known))),
        }
    }

    fn by_hand(&mut self, sink: &mut Sink) {
        for part in 0..self.parts.len() {
            for (name, span) in &self.parts[part].instance.after {
                let Some(other) = self.parts.iter().position(|other| other.instance.name == *name) else {
                    let meant = did_you_mean(name, self.parts.iter().map(|part| &*part.instance.name));
                    let mut diagnostic = Diagnostic::error(
                        codes::UNKNOWN_UNIT,
                        format!("`after` names `{name}`, which is no instance of this environment"),
                    )
                    .at(*span, "no such instance");
                    if let Some(meant) = meant {
                        diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
                    }
                    sink.report(diagnostic);
                    continue;
                };
                let first: Vec<usize> = [UnitKind::Config, UnitKind::Main]
                    .iter()
                    .filter_map(|kind| self.cut.of_part[other].get(kind).copied())
                    .chain(self.cut.main(other))
                    .collect();
                let units: Vec<usize> = self.cut.of_part[part].values().copied().collect();
                for unit in units {
                    for to in &first {
                        let own = Arc::clone(&self.parts[part].instance.name);
                        self.add(
                            unit,
                            *to,
                            || format!("`{own}` is said to come after `{name}`"),
                            Some(*span),
                        );
                    }
                }
            }
        }
    }

    /// Where an instance clears the `uninitialized` taint, Pods that do not tolerate it wait for that instance.
    fn uninitialized(&mut self) {
        let clears = |part: &Part| part.instance.provides.iter().any(|name| &**name == "initializedNodes");
        let Some(provider) = self.parts.iter().position(clears) else { return };
        let Some(to) = self.cut.main(provider) else { return };
        for index in 0..self.objects.len() {
            let placed = &self.objects[index];
            if placed.part == Some(provider) {
                continue;
            }
            let Some((_, pods)) = pod_spec(&placed.object) else { continue };
            if !tolerates(pods) {
                let id = placed.object.id.to_string();
                let at = placed.object.node.span();
                self.add(
                    self.cut.of_object[index],
                    to,
                    || format!("Pods of `{id}` do not run on uninitialized nodes"),
                    at,
                );
            }
        }
    }

    /// Where the Pods that clear the `uninitialized` taint are not on the host's network, they wait for the Pod network.
    /// A release of a network is not waited for: its hooks may run on initialized nodes only.
    fn unconnected(&mut self) {
        let Some((nodes, network)) = super::cut::node_setup(self.parts, self.objects) else { return };
        let released = |delivery: &ChartDelivery| *delivery == ChartDelivery::Release;
        let releases = &self.parts[network].releases;
        if releases.iter().any(|delivered| released(&delivered.release.delivery)) {
            return;
        }
        let Some(to) = self.cut.main(network) else { return };
        for index in 0..self.objects.len() {
            let placed = &self.objects[index];
            if placed.part != Some(nodes) {
                continue;
            }
            let Some((_, pods)) = pod_spec(&placed.object) else { continue };
            if pods.get("hostNetwork").and_then(Node::as_bool) != Some(true) {
                let (id, at) = (placed.object.id.to_string(), placed.object.node.span());
                let name = Arc::clone(&self.parts[network].instance.name);
                let from = self.cut.of_object[index];
                self.add(
                    from,
                    to,
                    || format!("Pods of `{id}` need the network that `{name}` gives them"),
                    at,
                );
            }
        }
    }
}

fn unknown_unit(provider: &str, unit: &str, at: Span, meant: Option<&str>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        codes::UNKNOWN_UNIT,
        format!("`{provider}` provides with unit `{unit}`, which an instance cannot have"),
    )
    .at(at, "required here");
    if let Some(meant) = meant {
        diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    }
    diagnostic.help("`provides[].unit` is one of `main`, `crds`, `pre`, `config`, `leaf`")
}

/// Whether Pods tolerate nodes that no cloud controller has seen yet.
pub(super) fn tolerates(pods: &Node) -> bool {
    const TAINT: &str = "node.cloudprovider.kubernetes.io/uninitialized";
    pods.get("tolerations").and_then(Node::as_list).unwrap_or_default().iter().any(|toleration| {
        let word = |key: &str| toleration.get(key).and_then(Node::as_str).filter(|word| !word.is_empty());
        let key = word("key").is_none_or(|key| key == TAINT)
            && (word("key").is_some() || word("operator") == Some("Exists"));
        let value = word("operator") == Some("Exists") || word("value") == Some("true");
        key && value && word("effect").is_none_or(|effect| effect == "NoSchedule")
    })
}

/// The needs of a unit as the later steps want them.
pub(super) fn listed(needs: BTreeMap<usize, Vec<Reason>>) -> Vec<Need> {
    needs.into_iter().map(|(unit, reasons)| Need { unit, reasons }).collect()
}
