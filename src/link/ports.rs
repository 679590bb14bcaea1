//! Ports of Services: those that others send to, and those of the Pods that Services send on to. And what a selector
//! selects.
//!
//! The API server takes all of it; requests then end nowhere. A port that is not there is an error, as a missing key is.
//! What Pods have is only told as a warning: something may change them on their way into the cluster.

use super::{Linker, Target, pod_spec, universe::Known};
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::model::{Object, ObjectId};
use crate::render::Rendering;
use crate::source::Span;
use crate::value::{Map, Node, Number, Value};
use std::collections::BTreeMap;

/// Where a reference to a Service says which port, below the reference; without one, a port that is meant all the same.
#[derive(Debug)]
pub(super) struct PortField {
    pub(super) at: &'static [&'static str],
    pub(super) default: Option<i64>,
}

/// Checks the port that `reference` names of a Service, as its field tells.
pub(super) fn referred(
    linker: &mut Linker<'_>,
    from: &Object,
    (reference, field): (&Node, &PortField),
    (service, known): (&ObjectId, &Known),
) {
    let given = field.at.iter().find_map(|path| reference.at(&path.split('.').collect::<Vec<_>>()));
    let number = |node: &Node| match &node.value {
        Value::Number(Number::Int(number)) => Some(Port::Number(*number)),
        Value::String(name) => Some(name.parse().map_or_else(|_| Port::Name(name.to_string()), Port::Number)),
        _ => None,
    };
    let (port, at) = match given {
        Some(node) => (number(node), node),
        None => (field.default.map(Port::Number), reference),
    };
    if let Some(port) = port {
        served(linker, from, (&port, at.origin.editable()), (service, known));
    }
}

/// A port as it is referred to.
enum Port {
    Number(i64),
    Name(String),
}

impl std::fmt::Display for Port {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(out, "{number}"),
            Self::Name(name) => out.write_str(name),
        }
    }
}

fn served(
    linker: &mut Linker<'_>,
    from: &Object,
    (port, at): (&Port, Option<Span>),
    (service, known): (&ObjectId, &Known),
) {
    let Target::Object(index) = known.target else { return };
    let object = &linker.rendering.objects()[index].object;
    if known.derived || object.id != *service || is_external_name(object) {
        return;
    }
    let ports = object.node.at(&["spec", "ports"]).and_then(Node::as_list).unwrap_or_default();
    let is_it = |entry: &&Node| match port {
        Port::Number(number) => entry.get("port").and_then(Node::as_int) == Some(*number),
        Port::Name(name) => entry.get("name").and_then(Node::as_str) == Some(name),
    };
    // A headless Service may do without ports: its names lead to Pods.
    if ports.is_empty() || ports.iter().any(|entry| is_it(&entry)) {
        return;
    }
    let name = |entry: &Node| entry.get("name").and_then(Node::as_str).map(str::to_owned);
    let own: Vec<String> = ports
        .iter()
        .filter_map(|entry| {
            let number = entry.get("port").and_then(Node::as_int)?;
            Some(name(entry).map_or_else(|| format!("`{number}`"), |name| format!("`{number}` (`{name}`)")))
        })
        .collect();
    let leads_to_it = |entry: &&Node| {
        entry.get("targetPort").is_some_and(|target| match port {
            Port::Number(number) => target.as_int() == Some(*number),
            Port::Name(name) => target.as_str() == Some(name),
        })
    };
    let before_pods = ports.iter().find(leads_to_it).and_then(|entry| entry.get("port")?.as_int());
    let help = match (before_pods, port) {
        (Some(number), _) => {
            format!("`{port}` is the port of its Pods (`targetPort`); the Service's own is `{number}`")
        }
        (_, Port::Name(wanted)) => {
            let names: Vec<String> = ports.iter().filter_map(name).collect();
            match did_you_mean(wanted, names.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("its ports: {}", own.join(", ")),
            }
        }
        _ => format!("its ports: {}", own.join(", ")),
    };
    linker.sink.report(
        Diagnostic::error(
            codes::MISSING_PORT,
            format!("`{}` sends to port `{port}` of `{service}`, which has no such port", from.id),
        )
        .at(at, "this port")
        .related(known.span, format!("`{service}` is from here"))
        .object(from.id.to_string())
        .help(help),
    );
}

fn is_external_name(service: &Object) -> bool {
    service.node.at(&["spec", "type"]).and_then(Node::as_str) == Some("ExternalName")
}

/// The Pods that an object makes: who it is, their labels, their specification.
struct Template<'a> {
    object: &'a Object,
    part: Option<usize>,
    labels: Option<&'a Map>,
    pods: &'a Node,
}

impl Template<'_> {
    fn has(&self, selector: &Map) -> bool {
        selector.iter().all(|(key, wanted)| {
            self.labels.and_then(|labels| labels.get(key)).is_some_and(|label| label.node == wanted.node)
        })
    }

    fn names_port(&self, port: &str) -> bool {
        self.container_ports().any(|own| own == port)
    }

    fn container_ports(&self) -> impl Iterator<Item = &str> {
        ["containers", "initContainers"]
            .into_iter()
            .filter_map(|list| self.pods.get(list).and_then(Node::as_list))
            .flatten()
            .filter_map(|container| container.get("ports").and_then(Node::as_list))
            .flatten()
            .filter_map(|port| port.get("name").and_then(Node::as_str))
    }
}

/// By namespace.
fn templates(rendering: &Rendering) -> BTreeMap<Option<&str>, Vec<Template<'_>>> {
    let mut all: BTreeMap<Option<&str>, Vec<Template<'_>>> = BTreeMap::new();
    for placed in rendering.objects() {
        let object = &placed.object;
        let Some((mut holder, pods)) = pod_spec(object) else { continue };
        holder.pop();
        let holder = object.node.lookup(&holder);
        let labels = holder.and_then(|holder| holder.at(&["metadata", "labels"])).and_then(Node::as_map);
        let template = Template { object, part: placed.part, labels, pods };
        all.entry(object.id.namespace.as_deref()).or_default().push(template);
    }
    all
}

/// Checks what Services and disruption budgets select, and the names of ports that Services send on to.
pub(super) fn check(linker: &mut Linker<'_>) {
    let rendering = linker.rendering;
    let templates = templates(rendering);
    for placed in rendering.objects() {
        let object = &placed.object;
        let path: &[&str] = match (&*object.id.group, &*object.id.kind) {
            ("", "Service") if !is_external_name(object) => &["spec", "selector"],
            ("policy", "PodDisruptionBudget") => &["spec", "selector", "matchLabels"],
            _ => continue,
        };
        let Some(node) = object.node.at(path) else { continue };
        let Some(selector) = node.as_map().filter(|selector| !selector.is_empty()) else { continue };
        let beside = templates.get(&object.id.namespace.as_deref()).map(Vec::as_slice).unwrap_or_default();
        let selected: Vec<&Template<'_>> = beside.iter().filter(|template| template.has(selector)).collect();
        if selected.is_empty() {
            nothing(linker, (object, placed.part), (node, selector), beside);
        } else if object.id.group.is_empty() {
            target_ports(linker, object, &selected);
        }
    }
}

/// A selector that fits no Pods. Operators make Pods that are not in the tree, so this is told only where the same
/// instance makes Pods that have all of the selector's keys.
fn nothing(
    linker: &mut Linker<'_>,
    (object, part): (&Object, Option<usize>),
    (node, selector): (&Node, &Map),
    beside: &[Template<'_>],
) {
    let label = |template: &Template<'_>, key: &str| {
        template.labels.and_then(|labels| labels.get(key)).map(|entry| entry.node.clone())
    };
    let near = beside
        .iter()
        .filter(|template| template.part == part && part.is_some())
        .filter(|template| selector.keys().all(|key| label(template, key).is_some()))
        .min_by_key(|template| {
            selector
                .iter()
                .filter(|(key, wanted)| label(template, key).as_ref() != Some(&wanted.node))
                .count()
        });
    let Some(near) = near else { return };
    let differs = selector.iter().find_map(|(key, wanted)| {
        let own = label(near, key)?;
        (own != wanted.node).then_some((key, wanted, own))
    });
    let Some((key, wanted, own)) = differs else { return };
    let text = |node: &Node| node.as_str().unwrap_or_default().to_owned();
    linker.sink.report(
        Diagnostic::warning(
            codes::SELECTS_NOTHING,
            format!("`{}` selects Pods with `{key}: {}`, which nothing makes", object.id, text(&wanted.node)),
        )
        .at(wanted.node.origin.editable().or(node.origin.editable()), "this label")
        .related(own.origin.editable(), format!("`{}` makes Pods with this one", near.object.id))
        .object(object.id.to_string())
        .help(format!("to select those, write `{key}: {}`", text(&own))),
    );
}

/// Names of ports that none of the Pods has.
fn target_ports(linker: &mut Linker<'_>, service: &Object, selected: &[&Template<'_>]) {
    for port in service.node.at(&["spec", "ports"]).and_then(Node::as_list).unwrap_or_default() {
        let Some(target) = port.get("targetPort") else { continue };
        let Some(name) = target.as_str().filter(|name| !name.is_empty() && name.parse::<u16>().is_err())
        else {
            continue;
        };
        if selected.iter().any(|template| template.names_port(name)) {
            continue;
        }
        let names: Vec<&str> = selected.iter().flat_map(|template| template.container_ports()).collect();
        let help = match did_you_mean(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => format!("name a port of a container `{name}`, or give the number"),
            None => format!("their ports: `{}`", names.join("`, `")),
        };
        let makers: Vec<String> =
            selected.iter().map(|template| format!("`{}`", template.object.id)).collect();
        linker.sink.report(
            Diagnostic::warning(
                codes::MISSING_TARGET_PORT,
                format!(
                    "`{}` sends on to port `{name}`, which the Pods of {} do not have",
                    service.id,
                    makers.join(", ")
                ),
            )
            .at(target.origin.editable(), "this port")
            .related(selected[0].object.node.span(), "the Pods are from here")
            .object(service.id.to_string())
            .help(help),
        );
    }
}
