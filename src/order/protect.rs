//! What neither tool may prune: definitions, Namespaces, claims on volumes, and resources whose deletion deletes data.

use crate::model::Object;
use crate::render::{Placed, Scopes};
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// For kluctl and for Flux.
const PROTECTIONS: &[(&str, &str)] =
    &[("kluctl.io/skip-delete", "true"), ("kustomize.toolkit.fluxcd.io/prune", "disabled")];

pub(super) fn protect(objects: &mut [Placed], scopes: &Scopes) {
    for placed in objects {
        if is_protected(&placed.object, scopes) {
            annotate(&mut placed.object.node);
        }
    }
}

fn is_protected(object: &Object, scopes: &Scopes) -> bool {
    matches!(
        (&*object.id.group, &*object.id.kind),
        ("", "Namespace" | "PersistentVolumeClaim") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    ) || scopes.custom(&object.id.group, &object.id.kind).is_some_and(|known| known.stateful)
}

fn annotate(node: &mut Node) {
    let origin = Origin::link(OriginKind::Rule {
        rule: "what holds data or definitions is never pruned",
        was: node.origin.clone(),
    });
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
