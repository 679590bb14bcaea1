//! Gateway API: whether a Gateway admits a route, and whether a backend in another namespace may be used.
//!
//! The API accepts such routes and answers 404 or 500; here they are errors.

use super::table::ROUTE_PORT;
use super::{Edge, Linker, Referrer, Target, ports};
use crate::diag::{Diagnostic, codes};
use crate::model::{Object, ObjectId};
use crate::value::{Node, Path};
use std::sync::Arc;

const GROUP: &str = "gateway.networking.k8s.io";
const ROUTES: &[&str] = &["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

pub(super) fn check(linker: &mut Linker<'_>) {
    let rendering = linker.rendering;
    for (index, placed) in rendering.objects().iter().enumerate() {
        let object = &placed.object;
        if &*object.id.group != GROUP {
            continue;
        }
        if ROUTES.contains(&&*object.id.kind) {
            parents(linker, index, object);
            backends(linker, index, object);
        } else if &*object.id.kind == "Gateway" {
            certificates(linker, object);
        }
    }
}

fn parents(linker: &mut Linker<'_>, index: usize, route: &Object) {
    let rendering = linker.rendering;
    let list = route.node.at(&["spec", "parentRefs"]).and_then(Node::as_list).unwrap_or_default();
    for (number, reference) in list.iter().enumerate() {
        let (id, name) = match identity(route, reference, GROUP, "Gateway") {
            Some(found) if &*found.0.kind == "Gateway" => found,
            _ => continue,
        };
        let path = Path::of(&["spec", "parentRefs"]).index(number).key("name");
        let Some(known) = linker.universe.find(&id) else {
            linker.missing(route, &path, name, &id);
            continue;
        };
        linker.edges.push(Edge {
            from: Referrer::Object(index),
            to: known.target,
            field: path.to_string(),
            at: name.origin.editable(),
            order: true,
            derived: known.derived,
        });
        if let Target::Object(at) = known.target {
            admitted(linker, route, reference, &rendering.objects()[at].object);
        }
    }
}

/// Whether one listener of the Gateway takes the route.
fn admitted(linker: &mut Linker<'_>, route: &Object, reference: &Node, gateway: &Object) {
    let listeners = gateway.node.at(&["spec", "listeners"]).and_then(Node::as_list).unwrap_or_default();
    let section = reference.get("sectionName").and_then(Node::as_str);
    let port = reference.get("port").and_then(Node::as_int);
    let meant: Vec<&Node> = listeners
        .iter()
        .filter(|listener| {
            section.is_none_or(|name| listener.get("name").and_then(Node::as_str) == Some(name))
        })
        .filter(|listener| port.is_none_or(|port| listener.get("port").and_then(Node::as_int) == Some(port)))
        .collect();
    let refused = |message: String, at: &Node, label: &str, help: String| {
        Diagnostic::error(codes::ROUTE_NOT_ADMITTED, message)
            .at(at.origin.editable().or_else(|| reference.origin.editable()), label)
            .object(route.id.to_string())
            .help(help)
            .note("the route would be accepted by the API server, and answer 404")
    };
    if meant.is_empty() {
        let names: Vec<String> = listeners
            .iter()
            .filter_map(|listener| listener.get("name").and_then(Node::as_str))
            .map(|name| format!("`{name}`"))
            .collect();
        let at = reference.get("sectionName").or_else(|| reference.get("port")).unwrap_or(reference);
        linker.sink.report(refused(
            format!("`{}` names a listener that `{}` does not have", route.id, gateway.id),
            at,
            "no such listener",
            format!("its listeners: {}", names.join(", ")),
        ));
        return;
    }
    if !meant.iter().any(|listener| admits_namespace(linker, listener, route, gateway)) {
        let own = route.id.namespace.as_deref().unwrap_or_default();
        let from = meant[0].at(&["allowedRoutes", "namespaces", "from"]);
        let word = from.and_then(Node::as_str).unwrap_or("Same");
        linker.sink.report(
            refused(
                format!("`{}` does not admit routes from namespace `{own}`, where `{}` lives", gateway.id, route.id),
                reference.get("name").unwrap_or(reference),
                "attaches here",
                "set `allowedRoutes: {namespaces: {from: All}}` (or a `Selector`) on the listener, or put the route beside its Gateway".to_owned(),
            )
            .related(from.unwrap_or(meant[0]).origin.editable(), format!("admits `{word}`")),
        );
        return;
    }
    if !meant.iter().any(|listener| admits_kind(listener, &route.id.kind)) {
        linker.sink.report(
            refused(
                format!("no listener of `{}` takes a {}", gateway.id, route.id.kind),
                reference.get("name").unwrap_or(reference),
                "attaches here",
                format!(
                    "a {} needs a listener of another protocol, or `allowedRoutes.kinds` that name it",
                    route.id.kind
                ),
            )
            .related(meant[0].origin.editable(), "the listener"),
        );
    }
}

fn admits_namespace(linker: &Linker<'_>, listener: &Node, route: &Object, gateway: &Object) -> bool {
    let namespaces = listener.at(&["allowedRoutes", "namespaces"]);
    match namespaces.and_then(|rule| rule.get("from")).and_then(Node::as_str).unwrap_or("Same") {
        "All" => true,
        "Selector" => {
            let Some(selector) = namespaces.and_then(|rule| rule.get("selector")) else { return false };
            selects(linker, selector, route.id.namespace.as_deref().unwrap_or_default())
        }
        "None" => false,
        _ => route.id.namespace == gateway.id.namespace,
    }
}

/// Whether a label selector takes a namespace; true where its labels are not known.
fn selects(linker: &Linker<'_>, selector: &Node, namespace: &str) -> bool {
    let id =
        ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name: Arc::from(namespace) };
    let object = match linker.universe.find(&id).map(|known| known.target) {
        Some(Target::Object(at)) => Some(&linker.rendering.objects()[at].object),
        _ => None,
    };
    let label = |key: &str| -> Option<&str> {
        if key == "kubernetes.io/metadata.name" {
            return Some(namespace);
        }
        object.and_then(|object| object.node.at(&["metadata", "labels", key])).and_then(Node::as_str)
    };
    let unknown = |key: &str| object.is_none() && key != "kubernetes.io/metadata.name";
    let by_label = selector.get("matchLabels").and_then(Node::as_map).into_iter().flatten();
    let mut labels = by_label.map(|(key, entry)| unknown(key) || label(key) == entry.node.as_str());
    let expressions = selector.get("matchExpressions").and_then(Node::as_list).unwrap_or_default();
    labels.all(|holds| holds)
        && expressions.iter().all(|expression| {
            let key = expression.get("key").and_then(Node::as_str).unwrap_or_default();
            let values = expression.get("values").and_then(Node::as_list).unwrap_or_default();
            let within =
                || label(key).is_some_and(|have| values.iter().any(|value| value.as_str() == Some(have)));
            unknown(key)
                || match expression.get("operator").and_then(Node::as_str) {
                    Some("In") => within(),
                    Some("NotIn") => !within(),
                    Some("Exists") => label(key).is_some(),
                    Some("DoesNotExist") => label(key).is_none(),
                    _ => true,
                }
        })
}

/// Whether a listener takes a kind of route: by its list, else by its protocol.
fn admits_kind(listener: &Node, kind: &str) -> bool {
    let listed = listener.at(&["allowedRoutes", "kinds"]).and_then(Node::as_list).unwrap_or_default();
    if !listed.is_empty() {
        return listed.iter().any(|entry| entry.get("kind").and_then(Node::as_str) == Some(kind));
    }
    match listener.get("protocol").and_then(Node::as_str) {
        Some("HTTP" | "HTTPS") => matches!(kind, "HTTPRoute" | "GRPCRoute"),
        Some("TLS") => matches!(kind, "TLSRoute" | "TCPRoute"),
        Some("TCP") => kind == "TCPRoute",
        Some("UDP") => kind == "UDPRoute",
        _ => true,
    }
}

fn backends(linker: &mut Linker<'_>, index: usize, route: &Object) {
    let rules = route.node.at(&["spec", "rules"]).and_then(Node::as_list).unwrap_or_default();
    for (rule_number, rule) in rules.iter().enumerate() {
        let list = rule.get("backendRefs").and_then(Node::as_list).unwrap_or_default();
        for (number, reference) in list.iter().enumerate() {
            let Some((id, name)) = identity(route, reference, "", "Service") else { continue };
            let path =
                Path::of(&["spec", "rules"]).index(rule_number).key("backendRefs").index(number).key("name");
            match linker.universe.find(&id) {
                Some(known) => {
                    linker.edges.push(Edge {
                        from: Referrer::Object(index),
                        to: known.target,
                        field: path.to_string(),
                        at: name.origin.editable(),
                        order: false,
                        derived: known.derived,
                    });
                    if &*id.kind == "Service" && id.group.is_empty() {
                        ports::referred(linker, route, (reference, &ROUTE_PORT), (&id, &known));
                    }
                }
                // Backends of other groups are an implementation's own: only Services are known well enough.
                None if &*id.kind == "Service" && id.group.is_empty() => {
                    linker.missing(route, &path, name, &id);
                }
                None => {}
            }
            granted(linker, route, &id, reference);
        }
    }
}

fn certificates(linker: &mut Linker<'_>, gateway: &Object) {
    let listeners = gateway.node.at(&["spec", "listeners"]).and_then(Node::as_list).unwrap_or_default();
    for listener in listeners {
        let list = listener.at(&["tls", "certificateRefs"]).and_then(Node::as_list).unwrap_or_default();
        for reference in list {
            if let Some((id, _)) = identity(gateway, reference, "", "Secret") {
                granted(linker, gateway, &id, reference);
            }
        }
    }
}

fn identity<'n>(
    holder: &Object,
    reference: &'n Node,
    default_group: &str,
    default_kind: &str,
) -> Option<(ObjectId, &'n Node)> {
    let text = |key: &str| reference.get(key).and_then(Node::as_str);
    let name = reference.get("name")?;
    let id = ObjectId {
        group: text("group").unwrap_or(default_group).into(),
        kind: text("kind").unwrap_or(default_kind).into(),
        namespace: text("namespace").map(Arc::from).or_else(|| holder.id.namespace.clone()),
        name: name.as_str()?.into(),
    };
    Some((id, name))
}

/// A reference into another namespace needs a `ReferenceGrant` there.
fn granted(linker: &mut Linker<'_>, from: &Object, to: &ObjectId, reference: &Node) {
    if to.namespace == from.id.namespace {
        return;
    }
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let allowed = linker.rendering.objects().iter().any(|placed| {
        let grant = &placed.object;
        if &*grant.id.kind != "ReferenceGrant" || grant.id.namespace != to.namespace {
            return false;
        }
        let side = |key: &str| grant.node.at(&["spec", key]).and_then(Node::as_list).unwrap_or_default();
        side("from").iter().any(|entry| {
            text(entry, "group").as_deref() == Some(&from.id.group)
                && text(entry, "kind").as_deref() == Some(&from.id.kind)
                && text(entry, "namespace").as_deref() == from.id.namespace.as_deref()
        }) && side("to").iter().any(|entry| {
            text(entry, "group").unwrap_or_default() == *to.group
                && text(entry, "kind").as_deref() == Some(&to.kind)
                && text(entry, "name").is_none_or(|name| name.is_empty() || name == *to.name)
        })
    });
    if allowed {
        return;
    }
    let there = to.namespace.as_deref().unwrap_or_default();
    let here = from.id.namespace.as_deref().unwrap_or_default();
    let at = reference.get("namespace").unwrap_or(reference);
    linker.sink.report(
        Diagnostic::error(
            codes::MISSING_REFERENCE_GRANT,
            format!("`{}` uses `{to}` of another namespace, and no ReferenceGrant there allows it", from.id),
        )
        .at(at.origin.editable(), "another namespace")
        .object(from.id.to_string())
        .note("the API server would take it, and the Gateway would not use the backend")
        .help(format!(
            "add a ReferenceGrant in namespace `{there}`: `from: [{{group: {}, kind: {}, namespace: {here}}}]`, `to: [{{group: \"{}\", kind: {}}}]`",
            from.id.group, from.id.kind, to.group, to.kind
        )),
    );
}
