//! What neither tool may prune: definitions, Namespaces, claims on volumes, resources whose deletion deletes data, and
//! what Helm never deletes (`helm.sh/resource-policy: keep`).

use crate::model::Object;
use crate::render::{Placed, Scopes};
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// For kluctl and for Flux.
const PROTECTIONS: &[(&str, &str)] =
    &[("kluctl.io/skip-delete", "true"), ("kustomize.toolkit.fluxcd.io/prune", "disabled")];

pub(super) fn protect(objects: &mut [Placed], scopes: &Scopes) {
    for placed in objects {
        let node = &placed.object.node;
        let rule = if is_protected(&placed.object, scopes) {
            "what holds data or definitions is never pruned"
        } else if is_kept(node) {
            "what Helm keeps is never pruned"
        } else {
            continue;
        };
        annotate(&mut placed.object.node, rule);
    }
}

/// Whether Helm would leave the object where it is; it reads the word without regard to case and spaces.
fn is_kept(node: &Node) -> bool {
    let policy = node.at(&["metadata", "annotations", "helm.sh/resource-policy"]).and_then(Node::as_str);
    policy.is_some_and(|word| word.trim().eq_ignore_ascii_case("keep"))
}

fn is_protected(object: &Object, scopes: &Scopes) -> bool {
    matches!(
        (&*object.id.group, &*object.id.kind),
        ("", "Namespace" | "PersistentVolumeClaim") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    ) || scopes.custom(&object.id.group, &object.id.kind).is_some_and(|known| known.stateful)
}

fn annotate(node: &mut Node, rule: &'static str) {
    let origin = Origin::link(OriginKind::Rule { rule, was: node.origin.clone() });
    let empty = || Entry { key: origin.clone(), node: Node::new(Map::new(), origin.clone()) };
    let Value::Map(map) = &mut node.value else { return };
    let Value::Map(metadata) = &mut map.get_or_insert_with(Arc::from("metadata"), empty).node.value else {
        return;
    };
    let annotations = metadata.get_or_insert_with(Arc::from("annotations"), empty);
    if !matches!(annotations.node.value, Value::Map(_)) {
        *annotations = empty();
    }
    if let Value::Map(annotations) = &mut annotations.node.value {
        for (key, value) in PROTECTIONS {
            // A stack or patch that says otherwise knows why.
            annotations.get_or_insert_with(Arc::from(*key), || Entry {
                key: origin.clone(),
                node: Node::new(*value, origin.clone()),
            });
        }
    }
}
