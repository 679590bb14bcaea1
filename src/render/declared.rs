//! What stacks declare of their charts, held against what the charts brought.
//!
//! While a chart stays a release, `declares` stands for what is in it; so it has to be right, and rendering the same
//! environment proves it. What was brought decides from then on: the declarations that it proves are taken away.

use super::{Part, Placed};
use crate::diag::{Diagnostic, Sink, codes};
use crate::load::SYNTHETIC_STACKS;
use crate::model::{DeclaredBy, DeclaredCrd, ObjectSource};
use crate::schema::kinds;
use crate::source::Span;
use crate::value::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The instances whose charts and manifests are all among the objects.
pub(super) fn settle(parts: &mut [Part], whole: &[usize], objects: &[Placed], sink: &mut Sink) {
    for index in whole {
        let mine: Vec<&Placed> = objects
            .iter()
            .filter(|placed| placed.part == Some(*index))
            .filter(|placed| {
                matches!(placed.object.source, ObjectSource::Chart { .. } | ObjectSource::Manifest { .. })
            })
            .collect();
        definitions(&mut parts[*index], &mine, sink);
        webhooks(&mut parts[*index], &mine, sink);
    }
}

/// The place of the chart in the stack that made an object.
fn maker(placed: &Placed) -> Option<Span> {
    match &placed.object.source {
        ObjectSource::Chart { span, .. } | ObjectSource::Manifest { span } => Some(*span),
        _ => None,
    }
}

fn definitions(part: &mut Part, mine: &[&Placed], sink: &mut Sink) {
    let text = |node: &Node, keys: &[&str]| node.at(keys).and_then(Node::as_str).map(Arc::from);
    let mut brought: BTreeMap<(Arc<str>, Arc<str>), &Placed> = BTreeMap::new();
    for placed in mine.iter().filter(|placed| &*placed.object.id.kind == "CustomResourceDefinition") {
        let node = &placed.object.node;
        if let (Some(group), Some(kind)) =
            (text(node, &["spec", "group"]), text(node, &["spec", "names", "kind"]))
        {
            brought.insert((group, kind), placed);
        }
    }
    let declared = std::mem::take(&mut part.declares.crds);
    let (by_chart, others): (Vec<DeclaredCrd>, Vec<DeclaredCrd>) =
        declared.into_iter().partition(|crd| crd.by == DeclaredBy::Chart);
    for crd in &by_chart {
        let Some(placed) = brought.get(&(Arc::clone(&crd.group), Arc::clone(&crd.kind))) else {
            sink.report(
                differs(part, &format!("declares the kind `{}` of `{}`, which its charts do not bring", crd.kind, crd.group))
                    .at(crd.span, "declared here")
                    .related(part.span, "for this instance")
                    .help("take it out of `declares.crds`, bind it to a version with `when`, or write `by: operator`"),
            );
            continue;
        };
        let served: Vec<&str> = served(&placed.object.node);
        let scope = placed.object.node.at(&["spec", "scope"]).and_then(Node::as_str).unwrap_or_default();
        let missing: Vec<String> = crd
            .versions
            .iter()
            .filter(|version| !served.contains(&&***version))
            .map(|version| format!("`{version}`"))
            .collect();
        if !missing.is_empty() || (scope == "Namespaced") != crd.namespaced {
            let versions: Vec<String> = served.iter().map(|version| (*version).to_owned()).collect();
            sink.report(
                differs(
                    part,
                    &format!(
                        "declares the kind `{}` of `{}` otherwise than its charts bring it",
                        crd.kind, crd.group
                    ),
                )
                .at(crd.span, "declared here")
                .related(part.span, "for this instance")
                .help(format!("write `versions: [{}], scope: {scope}`", versions.join(", "))),
            );
        }
    }
    for ((group, kind), placed) in &brought {
        let known = by_chart.iter().chain(&others).any(|crd| crd.group == *group && crd.kind == *kind);
        if !known {
            let scope =
                placed.object.node.at(&["spec", "scope"]).and_then(Node::as_str).unwrap_or("Namespaced");
            sink.report(
                differs(part, &format!("does not declare the kind `{kind}` of `{group}`, which its charts bring"))
                    .at(place(part, placed), "brought by this")
                    .related(part.span, "for this instance")
                    .help(format!(
                        "add `{{group: {group}, kind: {kind}, versions: [{}], scope: {scope}, by: chart}}` to `declares.crds`",
                        served(&placed.object.node).join(", ")
                    )),
            );
        }
    }
    // Whether deleting a resource deletes data is nowhere in its definition.
    part.declares.crds = others;
    part.declares.crds.extend(by_chart.into_iter().filter(|crd| crd.stateful));
}

fn differs(part: &Part, words: &str) -> Diagnostic {
    Diagnostic::error(codes::DECLARES_DIFFER, format!("the stack `{}` {words}", part.stack))
}

/// The chart's place in the stack; for a stack that is only what the overlay says, the instance.
fn place(part: &Part, placed: &Placed) -> Span {
    if SYNTHETIC_STACKS.contains(&&*part.stack) { part.span } else { maker(placed).unwrap_or(part.span) }
}

fn served(definition: &Node) -> Vec<&str> {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_list).unwrap_or_default().iter();
    versions
        .filter(|version| version.get("served").and_then(Node::as_bool) == Some(true))
        .filter_map(|version| version.get("name").and_then(Node::as_str))
        .collect()
}

/// Webhooks by the Service behind them, with the custom groups that they admit.
fn webhooks(part: &mut Part, mine: &[&Placed], sink: &mut Sink) {
    let custom =
        |group: &str| !group.is_empty() && group != "*" && kinds::all().all(|known| known.group != group);
    let mut brought: BTreeMap<Arc<str>, (BTreeSet<Arc<str>>, &Placed)> = BTreeMap::new();
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    for placed in mine.iter().filter(|placed| kinds.contains(&&*placed.object.id.kind)) {
        for webhook in placed.object.node.get("webhooks").and_then(Node::as_list).unwrap_or_default() {
            let service = webhook.at(&["clientConfig", "service", "name"]).and_then(Node::as_str);
            let (groups, _) = brought
                .entry(service.unwrap_or_default().into())
                .or_insert_with(|| (BTreeSet::new(), placed));
            for rule in webhook.get("rules").and_then(Node::as_list).unwrap_or_default() {
                let listed = rule.get("apiGroups").and_then(Node::as_list).unwrap_or_default().iter();
                groups.extend(listed.filter_map(Node::as_str).filter(|group| custom(group)).map(Arc::from));
            }
        }
    }
    for declared in std::mem::take(&mut part.declares.webhooks) {
        if !brought.contains_key(&declared.service) {
            sink.report(
                differs(
                    part,
                    &format!(
                        "declares a webhook behind the Service `{}`, which its charts do not bring",
                        declared.service
                    ),
                )
                .at(declared.span, "declared here")
                .related(part.span, "for this instance")
                .help(
                    "take it out of `declares.webhooks`, or bind it to the value that brings it with `when`",
                ),
            );
            continue;
        }
        if let Some((groups, _)) = brought.get_mut(&declared.service) {
            groups.retain(|group| !declared.groups.contains(group));
        }
    }
    for (service, (groups, placed)) in brought.iter().filter(|(_, (groups, _))| !groups.is_empty()) {
        let groups: Vec<&str> = groups.iter().map(|group| &**group).collect();
        sink.report(
            differs(
                part,
                &format!("does not declare that `{}` admits objects of {}", placed.object.id, list(&groups)),
            )
            .at(place(part, placed), "brought by this")
            .related(part.span, "for this instance")
            .help(format!(
                "add `{{groups: [{}], service: {service}}}` to `declares.webhooks`",
                groups.join(", ")
            )),
        );
    }
}

fn list(groups: &[&str]) -> String {
    groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
}
