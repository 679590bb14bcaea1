//! Capabilities: which offers hold, who steps back for whom, and who meets which requirement.

use super::evaluate::key;
use super::exports::field_of;
use super::{ActiveOffer, Bound, InstanceScope, Resolution, Stage, rounds, value};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::{quoted, suggest};
use crate::load::{Capability, Offer, Requirement};
use crate::model::Binding;
use crate::source::{Sources, Span};
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// A requirement whose condition holds.
struct Active {
    instance: usize,
    requirement: usize,
    /// The key of the `forEach`.
    key: Option<Arc<str>>,
    select: Option<Node>,
}

/// Stages 3 and 4.
pub(super) fn bind(resolution: &mut Resolution, sources: &Sources, sink: &mut Sink) {
    let offers = active_offers(resolution, sink);
    resolution.offers = offers;
    keys(resolution, sink);
    let requirements = active_requirements(resolution, sink);
    if sink.failed() {
        return;
    }
    step_back(resolution);
    let conflicts = conflicts(resolution, sink);
    describe(resolution);
    for active in requirements {
        // Of a capability that is in conflict, nobody can say which provider is meant.
        let instance = &resolution.instances[active.instance];
        let capability = &instance.stack.requires[active.requirement].capability;
        if !conflicts.contains(capability) {
            requirement(resolution, &active, sources, sink);
        }
    }
}

fn active_offers(resolution: &Resolution, sink: &mut Sink) -> Vec<ActiveOffer> {
    let mut found = Vec::new();
    for (index, instance) in resolution.instances.iter().enumerate() {
        let scope = InstanceScope::new(resolution, index, Stage::Conditions, None);
        for (position, offer) in instance.stack.provides.iter().enumerate() {
            let mut own = Sink::new();
            let rounds = rounds(&offer.guard, &scope, &mut own).unwrap_or_default();
            for finding in own.into_found() {
                let _told = sink.report(resolution.while_in(finding, &instance.name));
            }
            let fixed =
                offer.fixed_by.as_ref().and_then(|path| instance.written.lookup(path)).and_then(Node::span);
            for variables in rounds {
                found.push(ActiveOffer {
                    instance: index,
                    offer: position,
                    capability: Arc::clone(&offer.capability),
                    variables,
                    key: None,
                    fixed,
                    displaced: None,
                    exports: fields(resolution, offer).map(|name| (name, OnceLock::new())).collect(),
                });
            }
        }
    }
    found
}

/// The fields that an offer may export.
fn fields<'r>(resolution: &'r Resolution, offer: &'r Offer) -> impl Iterator<Item = Arc<str>> + 'r {
    let typed = resolution.project.capabilities().get(&offer.capability).filter(|_| offer.whole.is_some());
    offer.exports.keys().chain(typed.into_iter().flat_map(|capability| &capability.fields)).cloned()
}

/// Evaluates the exports that tell providers apart, which may read no more than conditions may.
fn keys(resolution: &mut Resolution, sink: &mut Sink) {
    let mut found = Vec::new();
    for offer in &resolution.offers {
        let capability = resolution.project.capabilities().get(&offer.capability);
        let key = capability.and_then(|capability| capability.key.as_ref()).and_then(|field| {
            let scope = InstanceScope::new(resolution, offer.instance, Stage::Conditions, None);
            let scope = offer.variables.over(&scope);
            match field_of(offer.declared(&resolution.instances), field, &scope) {
                Ok(node) => node,
                Err(findings) => {
                    let name = &resolution.instances[offer.instance].name;
                    for finding in findings {
                        let _told = sink.report(resolution.while_in(finding, name));
                    }
                    None
                }
            }
        });
        found.push(key);
    }
    for (offer, key) in resolution.offers.iter_mut().zip(found) {
        offer.key = key;
    }
}

fn active_requirements(resolution: &Resolution, sink: &mut Sink) -> Vec<Active> {
    let mut found = Vec::new();
    for (index, instance) in resolution.instances.iter().enumerate() {
        let scope = InstanceScope::new(resolution, index, Stage::Conditions, None);
        let mut own = Sink::new();
        for (position, requirement) in instance.stack.requires.iter().enumerate() {
            for variables in rounds(&requirement.guard, &scope, &mut own).unwrap_or_default() {
                let select = requirement
                    .select
                    .as_ref()
                    .and_then(|template| value(template, &variables.over(&scope), &mut own).ok().flatten());
                let key = key(&variables);
                found.push(Active { instance: index, requirement: position, key, select });
            }
        }
        for finding in own.into_found() {
            let _told = sink.report(resolution.while_in(finding, &instance.name));
        }
    }
    found
}

/// Offers that yield step back where one that does not is active, and with them the rest of their group.
fn step_back(resolution: &mut Resolution) {
    let instances = &resolution.instances;
    let mut firm: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for (index, offer) in resolution.offers.iter().enumerate() {
        if !offer.yields(instances) {
            let _first = firm.entry(Arc::clone(&offer.capability)).or_insert(index);
        }
    }
    let mut groups: BTreeMap<(usize, Arc<str>), usize> = BTreeMap::new();
    let mut displaced: Vec<Option<usize>> = resolution
        .offers
        .iter()
        .map(|offer| {
            let by = *firm.get(&offer.capability).filter(|_| offer.yields(instances))?;
            if let Some(group) = &offer.declared(instances).group {
                let _first = groups.entry((offer.instance, Arc::clone(group))).or_insert(by);
            }
            Some(by)
        })
        .collect();
    for (index, offer) in resolution.offers.iter().enumerate() {
        if displaced[index].is_none()
            && offer.yields(instances)
            && let Some(group) = &offer.declared(instances).group
        {
            displaced[index] = groups.get(&(offer.instance, Arc::clone(group))).copied();
        }
    }
    for (offer, by) in resolution.offers.iter_mut().zip(displaced) {
        offer.displaced = by;
    }
}

/// Tells where two offers in force cannot stand beside each other. The capabilities in conflict.
fn conflicts(resolution: &Resolution, sink: &mut Sink) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    let mut by_capability: BTreeMap<&Arc<str>, Vec<&ActiveOffer>> = BTreeMap::new();
    for offer in resolution.offers.iter().filter(|offer| offer.displaced.is_none()) {
        by_capability.entry(&offer.capability).or_default().push(offer);
    }
    for (name, offers) in by_capability {
        let Some(capability) = resolution.project.capabilities().get(name) else { continue };
        let pair = if capability.exclusive && offers.len() > 1 {
            Some((offers[0], offers[1]))
        } else if capability.key.is_some() {
            let with_key = |index: usize| offers[index].key.as_ref().map(|key| &key.value);
            (1..offers.len())
                .find_map(|later| {
                    (0..later)
                        .find(|earlier| with_key(*earlier).is_some() && with_key(*earlier) == with_key(later))
                        .map(|earlier| (earlier, later))
                })
                .map(|(earlier, later)| (offers[earlier], offers[later]))
        } else {
            None
        };
        if let Some((first, second)) = pair {
            let _new = found.insert(Arc::clone(name));
            let _told = sink.report(conflict(resolution, capability, first, second));
        }
    }
    found
}

fn conflict(
    resolution: &Resolution,
    capability: &Capability,
    first: &ActiveOffer,
    second: &ActiveOffer,
) -> Diagnostic {
    let instances = &resolution.instances;
    let name = |offer: &ActiveOffer| Arc::clone(&instances[offer.instance].name);
    let (one, other) = (name(first), name(second));
    let fact = match (&first.key, capability.exclusive) {
        (Some(key), false) => {
            let key = key.as_str().unwrap_or("the same");
            if one == other {
                format!("`{one}` provides the `{}` `{key}` twice", capability.name)
            } else {
                format!("`{one}` and `{other}` both provide the `{}` `{key}`", capability.name)
            }
        }
        _ if one == other => format!("`{one}` provides `{}` twice; a cluster has it once", capability.name),
        _ => format!("`{one}` and `{other}` both provide `{}`; a cluster has it once", capability.name),
    };
    let place = |offer: &ActiveOffer| match (&offer.key, capability.exclusive) {
        (Some(key), false) => key.origin.editable().unwrap_or(instances[offer.instance].span),
        _ => offer.fixed.unwrap_or(instances[offer.instance].span),
    };
    let label = |offer: &ActiveOffer| {
        let name = &instances[offer.instance].name;
        match offer.fixed {
            Some(_) => format!("with this set, `{name}` does not step back"),
            None => format!("`{name}` provides it"),
        }
    };
    let mut finding = Diagnostic::error(codes::CAPABILITY_CONFLICT, fact)
        .at(place(second), label(second))
        .related(place(first), label(first));
    for offer in [first, second] {
        if let Some(path) = offer.declared(instances).fixed_by.as_ref().filter(|_| offer.fixed.is_some()) {
            let name = &instances[offer.instance].name;
            finding = finding.help(format!("take `{path}` out, and `{name}` steps back"));
        }
    }
    if finding.helps.is_empty() {
        finding = finding.help(if one == other {
            "give each its own name".to_owned()
        } else {
            format!("take `{one}` or `{other}` out, or tell one of them not to provide it")
        });
    }
    finding
}

/// Sets what `provides` and `yielded` mean.
fn describe(resolution: &mut Resolution) {
    let mut all: Vec<(Map, Vec<Node>)> = Vec::new();
    for (index, instance) in resolution.instances.iter().enumerate() {
        let mut provides = Map::new();
        let mut yielded: Vec<Node> = Vec::new();
        for offer in &instance.stack.provides {
            let mine = || {
                resolution
                    .offers
                    .iter()
                    .filter(|active| active.instance == index && active.capability == offer.capability)
            };
            let holds = mine().any(|active| active.displaced.is_none());
            let by = mine().find_map(|active| active.displaced).map(|by| resolution.offers[by].instance);
            let origin = by.map_or(Origin::Written(offer.span), |by| {
                Origin::link(OriginKind::Rule {
                    rule: "a bundled provider steps back",
                    was: Origin::Written(resolution.instances[by].span),
                })
            });
            let entry = Entry { key: Origin::Compiler, node: Node::new(holds, origin.clone()) };
            let _same = provides.insert(Arc::clone(&offer.capability), entry);
            let name = Value::String(Arc::clone(&offer.capability));
            if by.is_some() && !holds && !yielded.iter().any(|known| known.value == name) {
                yielded.push(Node::new(name, origin));
            }
        }
        all.push((provides, yielded));
    }
    for (instance, (provides, yielded)) in resolution.instances.iter_mut().zip(all) {
        instance.provides = Node::new(provides, Origin::Compiler);
        instance.yielded = Node::new(yielded, Origin::Compiler);
    }
}

/// Binds one requirement, or tells why it cannot be.
fn requirement(resolution: &mut Resolution, active: &Active, sources: &Sources, sink: &mut Sink) {
    let instance = &resolution.instances[active.instance];
    let requirement = &instance.stack.requires[active.requirement];
    let candidates: Vec<usize> = (0..resolution.offers.len())
        .filter(|index| {
            let offer = &resolution.offers[*index];
            offer.capability == requirement.capability
                && offer.instance != active.instance
                && offer.displaced.is_none()
        })
        .collect();
    let chosen = match (&active.select, candidates.as_slice()) {
        (None, [only]) => Some(*only),
        (None, []) if requirement.optional => None,
        (None, []) => {
            let finding = unresolved(resolution, active, requirement, sources);
            let _told = sink.report(finding);
            None
        }
        (None, several) => {
            let _told = ambiguous(resolution, active, requirement, several, sink);
            None
        }
        (Some(wanted), _) => {
            let found = candidates.iter().copied().find(|index| {
                resolution.offers[*index].key.as_ref().is_some_and(|key| key.value == wanted.value)
            });
            if found.is_none() && !requirement.optional {
                let finding = unselected(resolution, active, requirement, wanted, &candidates, sources);
                let _told = sink.report(finding);
            }
            found
        }
    };
    let Some(chosen) = chosen else { return };
    let provider = &resolution.offers[chosen];
    let binding = Binding {
        capability: Arc::clone(&requirement.capability),
        consumer: Arc::clone(&instance.name),
        provider: Arc::clone(&resolution.instances[provider.instance].name),
        unit: provider.declared(&resolution.instances).unit.clone(),
        order: requirement.order,
        span: requirement.span,
    };
    let capability = Arc::clone(&requirement.capability);
    let known = |known: &Binding| {
        known.capability == binding.capability
            && known.consumer == binding.consumer
            && known.provider == binding.provider
            && known.unit == binding.unit
    };
    if !resolution.bindings.iter().any(known) {
        resolution.bindings.push(binding);
    }
    let requires = &mut resolution.instances[active.instance].requires;
    match &active.key {
        None => {
            let _none = requires.insert(capability, Bound::One(chosen));
        }
        Some(key) => {
            let many = requires.entry(capability).or_insert_with(|| Bound::Many(IndexMap::new()));
            if let Bound::Many(members) = many {
                let _same = members.insert(Arc::clone(key), chosen);
            }
        }
    }
}

fn unresolved(
    resolution: &Resolution,
    active: &Active,
    requirement: &Requirement,
    sources: &Sources,
) -> Diagnostic {
    let instance = &resolution.instances[active.instance];
    let capability = &requirement.capability;
    let fact =
        format!("`{}` requires `{capability}`, which nothing in this environment provides", instance.name);
    let mut finding = Diagnostic::error(codes::UNRESOLVED_CAPABILITY, fact)
        .at(instance.span, "required by this instance")
        .related(requirement.span, "where its stack says so");
    if let Some(known) = resolution.project.capabilities().get(capability)
        && !known.description.is_empty()
    {
        finding = finding.note(format!("`{capability}`: {}", known.description));
    }
    let mut here = false;
    for (index, other) in resolution.instances.iter().enumerate() {
        if index == active.instance
            || !other.stack.provides.iter().any(|offer| offer.capability == *capability)
        {
            continue;
        }
        here = true;
        let displaced = resolution
            .offers
            .iter()
            .find(|offer| offer.instance == index && offer.capability == *capability)
            .and_then(|offer| offer.displaced)
            .map(|by| &resolution.offers[by]);
        finding = match displaced {
            Some(by) => finding.related(
                resolution.instances[by.instance].span,
                format!("`{}` stepped back, since this provides `{}`", other.name, by.capability),
            ),
            None => finding.related(
                other.span,
                format!("`{}` could provide it, but not with its inputs as they are", other.name),
            ),
        };
    }
    let could = providers(resolution, capability, sources);
    if could.is_empty() && here {
        finding.help(format!("change what is shown above, or take `{}` out", instance.name))
    } else if could.is_empty() {
        finding.help(format!("no stack provides `{capability}`: write one, or take `{}` out", instance.name))
    } else {
        finding.help(format!(
            "add one of the stacks that can provide it: {}",
            quoted(could.iter().map(AsRef::as_ref))
        ))
    }
}

/// The stacks that offer a capability on some condition, other than those in use.
fn providers(resolution: &Resolution, capability: &str, sources: &Sources) -> Vec<Arc<str>> {
    let library = resolution.project.library();
    library
        .names()
        .filter(|name| {
            !resolution.instances.iter().any(|instance| instance.stack.name == **name)
                && library.stack(name, sources).is_some_and(|stack| {
                    stack.provides.iter().any(|offer| offer.capability.as_ref() == capability)
                })
        })
        .cloned()
        .collect()
}

fn ambiguous(
    resolution: &Resolution,
    active: &Active,
    requirement: &Requirement,
    several: &[usize],
    sink: &mut Sink,
) -> Reported {
    let instance = &resolution.instances[active.instance];
    let names: Vec<String> = several
        .iter()
        .map(|index| {
            let offer = &resolution.offers[*index];
            let name = &resolution.instances[offer.instance].name;
            match offer.key.as_ref().and_then(Node::as_str) {
                Some(key) => format!("`{name}` (`{key}`)"),
                None => format!("`{name}`"),
            }
        })
        .collect();
    let fact = format!(
        "`{}` requires one `{}`, and there are {}: {}",
        instance.name,
        requirement.capability,
        names.len(),
        names.join(", ")
    );
    let mut finding = Diagnostic::error(codes::AMBIGUOUS_CAPABILITY, fact)
        .at(instance.span, "required by this instance")
        .related(requirement.span, "without `select`");
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for index in several {
        let offer = &resolution.offers[*index];
        let place = offer.key.as_ref().and_then(|key| key.origin.editable());
        let place = place.unwrap_or(resolution.instances[offer.instance].span);
        if seen.insert(place) {
            finding = finding.related(place, "one provider");
        }
    }
    sink.report(
        finding.help("leave one provider in the environment, or let the stack say which with `select`"),
    )
}

fn unselected(
    resolution: &Resolution,
    active: &Active,
    requirement: &Requirement,
    wanted: &Node,
    candidates: &[usize],
    sources: &Sources,
) -> Diagnostic {
    let instance = &resolution.instances[active.instance];
    let capability = &requirement.capability;
    let field = resolution.project.capabilities().get(capability).and_then(|known| known.key.as_ref());
    let Some(field) = field else {
        return Diagnostic::error(
            codes::UNRESOLVED_CAPABILITY,
            format!("`select` cannot choose among providers of `{capability}`, which has no `x-key`"),
        )
        .at(requirement.span, "")
        .help("take `select` out");
    };
    let name = wanted.as_str().map_or_else(|| wanted.to_json().to_string(), str::to_owned);
    let fact = format!(
        "`{}` selects the `{capability}` with the {field} `{name}`, which nothing provides",
        instance.name
    );
    let finding = Diagnostic::error(codes::UNRESOLVED_CAPABILITY, fact)
        .at(wanted.origin.editable().unwrap_or(instance.span), "selected here")
        .related(requirement.span, "where its stack says so");
    let keys: Vec<&str> = candidates
        .iter()
        .filter_map(|index| resolution.offers[*index].key.as_ref().and_then(Node::as_str))
        .collect();
    if keys.is_empty() {
        let could = providers(resolution, capability, sources);
        return if could.is_empty() {
            finding.help(format!("add a stack that provides `{capability}`"))
        } else {
            finding.help(format!(
                "add one of the stacks that can provide it: {}",
                quoted(could.iter().map(AsRef::as_ref))
            ))
        };
    }
    suggest(finding, &name, keys.into_iter(), "there are")
}
