//! What stacks declare of their charts, held against what the charts brought.
//!
//! While a chart stays a release, `declares` stands for what is in it; so it has to be right, and rendering the same
//! environment proves it. What was brought decides from then on: the declarations that it proves are taken away.

use super::{Part, Placed};
use crate::diag::{Diagnostic, Sink, codes};
use crate::load::SYNTHETIC_STACKS;
use crate::model::{DeclaredBy, DeclaredCrd, ObjectSource};
use crate::schema::kinds;
use crate::source::{Sources, Span};
use crate::value::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The instances whose charts and manifests are all among the objects.
pub(super) fn settle(
    parts: &mut [Part],
    whole: &[usize],
    objects: &[Placed],
    sources: &Sources,
    sink: &mut Sink,
) {
    for index in whole {
        let mine: Vec<&Placed> = objects
            .iter()
            .filter(|placed| placed.part == Some(*index))
            .filter(|placed| {
                matches!(placed.object.source, ObjectSource::Chart { .. } | ObjectSource::Manifest { .. })
            })
            .collect();
        let part = &mut parts[*index];
        let mut missing = Missing::of(part);
        definitions(part, &mine, &mut missing, sink);
        webhooks(part, &mine, &mut missing, sink);
        missing.tell(part, sources, sink);
    }
}

/// What an instance brings and does not declare: it is told as one block, to be pasted as it stands.
struct Missing {
    declares_crds: bool,
    declares_webhooks: bool,
    declares_something: bool,
    crds: Vec<String>,
    webhooks: Vec<String>,
    /// The first of it in words, and its place.
    first: Option<(String, Span)>,
}

impl Missing {
    fn of(part: &Part) -> Self {
        let declares = &part.instance.declares;
        let (declares_crds, declares_webhooks) = (!declares.crds.is_empty(), !declares.webhooks.is_empty());
        Self {
            declares_crds,
            declares_webhooks,
            declares_something: declares_crds || declares_webhooks || !declares.creates.is_empty(),
            crds: Vec::new(),
            webhooks: Vec::new(),
            first: None,
        }
    }

    fn tell(&self, part: &Part, sources: &Sources, sink: &mut Sink) {
        let Some((words, at)) = &self.first else { return };
        let count = |number: usize, one: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {one}s"),
        };
        let fact = match (self.crds.len(), self.webhooks.len()) {
            (1, 0) | (0, 1) => words.clone(),
            (crds, 0) => format!("does not declare {} that its charts bring", count(crds, "kind")),
            (0, webhooks) => format!("does not declare {} that its charts bring", count(webhooks, "webhook")),
            (crds, webhooks) => format!(
                "does not declare {} and {} that its charts bring",
                count(crds, "kind"),
                count(webhooks, "webhook")
            ),
        };
        sink.report(
            differs(part, &fact)
                .at(*at, if *at == part.instance.span { "this instance" } else { "brought by this" })
                .related(Some(part.instance.span).filter(|span| span != at), "for this instance")
                .help(self.block(part, *at, sources)),
        );
    }

    /// The lines to be added, with a line above them that says where.
    fn block(&self, part: &Part, at: Span, sources: &Sources) -> String {
        let own = SYNTHETIC_STACKS.contains(&&*part.instance.stack);
        let file = sources.name(if own { part.instance.span.file } else { at.file });
        let below = if own { child_column(part.instance.span, sources) } else { Some(2) };
        let column = below.unwrap_or(0);
        if own && self.declares_something || !own && (self.declares_crds || self.declares_webhooks) {
            let whose =
                if own { format!("the instance `{}`", part.instance.name) } else { format!("`{file}`") };
            let (list, items) = match (self.crds.is_empty(), self.webhooks.is_empty()) {
                (false, true) if self.declares_crds => (".crds", items(&self.crds, column + 4)),
                (true, false) if self.declares_webhooks => (".webhooks", items(&self.webhooks, column + 4)),
                _ => ("", self.lists(column + 2)),
            };
            return format!("add to `declares{list}` of {whose}:{items}");
        }
        if !own {
            return format!("add to `spec` of `{file}`:\n  declares:{}", self.lists(4));
        }
        if below.is_none() {
            let lists = [("crds", &self.crds), ("webhooks", &self.webhooks)].into_iter();
            let lists = lists.filter(|(_, items)| !items.is_empty());
            let lists: Vec<String> =
                lists.map(|(name, items)| format!("{name}: [{}]", items.join(", "))).collect();
            return format!(
                "add `declares: {{{}}}` to the instance `{}`",
                lists.join(", "),
                part.instance.name
            );
        }
        let line = sources.get(part.instance.span.file).line_column(part.instance.span.start).line;
        let (lists, indent) = (self.lists(column + 2), " ".repeat(column));
        format!(
            "put these lines below `{}:`, line {line} of `{file}`:\n{indent}declares:{lists}",
            part.instance.name
        )
    }

    fn lists(&self, column: usize) -> String {
        let indent = " ".repeat(column);
        [("crds", &self.crds), ("webhooks", &self.webhooks)]
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .fold(String::new(), |out, (name, list)| {
                out + &format!("\n{indent}{name}:{}", items(list, column + 2))
            })
    }
}

fn items(list: &[String], column: usize) -> String {
    let indent = " ".repeat(column);
    list.iter().fold(String::new(), |out, item| out + &format!("\n{indent}- {item}"))
}

/// The column of what stands below a key, counted from 0; `None` where it stands on the key's own line.
fn child_column(key: Span, sources: &Sources) -> Option<usize> {
    let file = sources.get(key.file);
    let line = file.line_column(key.start).line;
    let (_, behind) = file.line(line).split_once(':')?;
    if !matches!(behind.trim_start().chars().next(), None | Some('#')) {
        return None;
    }
    let column = |text: &str| text.len() - text.trim_start().len();
    let filled = |text: &str| !matches!(text.trim_start().chars().next(), None | Some('#'));
    let last = file.line_column(u32::MAX).line;
    (line + 1..=last).map(|line| file.line(line)).find(|text| filled(text)).map(column)
}

/// The place of the chart in the stack that made an object.
fn maker(placed: &Placed) -> Option<Span> {
    match &placed.object.source {
        ObjectSource::Chart { span, .. } | ObjectSource::Manifest { span } => Some(*span),
        _ => None,
    }
}

fn definitions(part: &mut Part, mine: &[&Placed], missing: &mut Missing, sink: &mut Sink) {
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
    let declared = std::mem::take(&mut part.instance.declares.crds);
    let (by_chart, others): (Vec<DeclaredCrd>, Vec<DeclaredCrd>) =
        declared.into_iter().partition(|crd| crd.by == DeclaredBy::Chart);
    for crd in &by_chart {
        let Some(placed) = brought.get(&(Arc::clone(&crd.group), Arc::clone(&crd.kind))) else {
            sink.report(
                differs(part, &format!("declares the kind `{}` of `{}`, which its charts do not bring", crd.kind, crd.group))
                    .at(crd.span, "declared here")
                    .related(part.instance.span, "for this instance")
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
                .related(part.instance.span, "for this instance")
                .help(format!("write `versions: [{}], scope: {scope}`", versions.join(", "))),
            );
        }
    }
    for ((group, kind), placed) in &brought {
        let known = by_chart.iter().chain(&others).any(|crd| crd.group == *group && crd.kind == *kind);
        if !known {
            let scope =
                placed.object.node.at(&["spec", "scope"]).and_then(Node::as_str).unwrap_or("Namespaced");
            let words = format!("does not declare the kind `{kind}` of `{group}`, which its charts bring");
            missing.first.get_or_insert_with(|| (words, place(part, placed)));
            missing.crds.push(format!(
                "{{group: {group}, kind: {kind}, versions: [{}], scope: {scope}, by: chart}}",
                served(&placed.object.node).join(", ")
            ));
        }
    }
    // Whether deleting a resource deletes data is nowhere in its definition.
    part.instance.declares.crds = others;
    part.instance.declares.crds.extend(by_chart.into_iter().filter(|crd| crd.stateful));
}

fn differs(part: &Part, words: &str) -> Diagnostic {
    let whose = if SYNTHETIC_STACKS.contains(&&*part.instance.stack) {
        format!("the instance `{}`", part.instance.name)
    } else {
        format!("the stack `{}`", part.instance.stack)
    };
    Diagnostic::error(codes::DECLARES_DIFFER, format!("{whose} {words}"))
}

/// The chart's place in the stack; for a stack that is only what the overlay says, the instance.
fn place(part: &Part, placed: &Placed) -> Span {
    if SYNTHETIC_STACKS.contains(&&*part.instance.stack) {
        part.instance.span
    } else {
        maker(placed).unwrap_or(part.instance.span)
    }
}

fn served(definition: &Node) -> Vec<&str> {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_list).unwrap_or_default().iter();
    versions
        .filter(|version| version.get("served").and_then(Node::as_bool) == Some(true))
        .filter_map(|version| version.get("name").and_then(Node::as_str))
        .collect()
}

/// Webhooks by the Service behind them, with the custom groups that they admit.
fn webhooks(part: &mut Part, mine: &[&Placed], missing: &mut Missing, sink: &mut Sink) {
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
    for declared in std::mem::take(&mut part.instance.declares.webhooks) {
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
                .related(part.instance.span, "for this instance")
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
        let words =
            format!("does not declare that `{}` admits objects of {}", placed.object.id, list(&groups));
        missing.first.get_or_insert_with(|| (words, place(part, placed)));
        missing.webhooks.push(format!("{{groups: [{}], service: {service}}}", groups.join(", ")));
    }
}

fn list(groups: &[&str]) -> String {
    groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
}
