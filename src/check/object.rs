//! The shape of an object: what has to be there before anybody can say which object it is.
//!
//! What names and values are allowed is left to validation.

use super::plain_text;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::{self, Fields};
use crate::model::{Gvk, Object, ObjectId, ObjectSource};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// An object from its data. `place` is where it is written, `instance` the key of its instance in the overlay.
pub(crate) fn object(
    node: Node,
    source: ObjectSource,
    place: Span,
    instance: Span,
    sink: &mut Sink,
) -> Result<Object, Reported> {
    let (gvk, id) = identity(&node, place, sink)?;
    if &*id.group == "kustomize.config.k8s.io" {
        let fact = "a kustomization is no object: it says how files are put together";
        return Err(sink.report(
            Diagnostic::error(codes::INVALID_OBJECT, fact)
                .at(place.head(), "")
                .help("run `kubectl kustomize` on the folder and keep its output as a manifest"),
        ));
    }
    let object = Object { id, gvk, node, source };
    plain_text::refuse(&object, Some(place), Some(instance), sink)?;
    Ok(object)
}

fn identity(node: &Node, place: Span, sink: &mut Sink) -> Result<(Gvk, ObjectId), Reported> {
    let invalid = |fact: String, span: Option<Span>, help: &str, sink: &mut Sink| {
        let finding = Diagnostic::error(codes::INVALID_OBJECT, fact).at(span.unwrap_or(place), "");
        sink.report(finding.help(help))
    };
    let Value::Map(map) = &node.value else {
        let fact = format!("an object has to be a map, and this is {}", fields::article(node.value.kind()));
        return Err(invalid(fact, node.origin.editable(), "write `apiVersion`, `kind` and `metadata`", sink));
    };
    let mut word = |key: &str| match map.get(key).map(|entry| &entry.node) {
        Some(Node { value: Value::String(text), .. }) if !text.is_empty() => Ok(Arc::clone(text)),
        Some(found) => {
            let fact = format!("`{key}` of an object has to be a string that is not empty");
            Err(invalid(
                fact,
                found.origin.editable(),
                "put it in quotes where YAML reads it as something else",
                sink,
            ))
        }
        None => Err(invalid(
            format!("the object has no `{key}`"),
            node.span(),
            &format!("add `{key}: ...`"),
            sink,
        )),
    };
    let (api_version, kind) = (word("apiVersion"), word("kind"));
    let (api_version, kind) = (api_version?, kind?);
    let gvk = Gvk::new(&api_version, &kind);
    let what = format!("`metadata` of the {kind}");
    let Some(metadata) = map.get("metadata").map(|entry| &entry.node) else {
        return Err(invalid(
            format!("the {kind} has no `metadata`"),
            node.span(),
            "add `metadata: {name: ...}`",
            sink,
        ));
    };
    let metadata = Fields::any(metadata, &what, sink)?;
    if metadata.get("name").is_none() && metadata.get("generateName").is_some() {
        let fact = format!("the {kind} leaves its name to the server");
        let help =
            "give it a `name`: a tree that is applied again and again needs the same objects each time";
        return Err(invalid(fact, metadata.key_span("generateName"), help, sink));
    }
    let name = metadata.required_text("name", sink)?;
    let namespace = metadata.text("namespace", sink)?;
    if let Some(namespace) = namespace.as_ref().filter(|name| !fields::is_label(name, 63)) {
        let at = metadata.get("namespace").and_then(|node| node.origin.editable()).unwrap_or(place);
        return Err(sink.report(fields::invalid_label(namespace, "a namespace", 63, Some(at))));
    }
    Ok((gvk.clone(), ObjectId { group: gvk.group, kind, namespace, name }))
}

/// Sets `metadata.namespace` where the object says none.
pub(crate) fn set_namespace(node: &mut Node, namespace: &Node) {
    let origin = node.origin.clone();
    let Value::Map(map) = &mut node.value else { return };
    let metadata = map.get_or_insert_with("metadata".into(), || Entry {
        key: origin.clone(),
        node: Node::new(Map::new(), origin),
    });
    let Value::Map(metadata) = &mut metadata.node.value else { return };
    if !metadata.contains_key("namespace") {
        let rule = OriginKind::Rule { rule: "the namespace of the manifest", was: namespace.origin.clone() };
        let node = Node { value: namespace.value.clone(), origin: Origin::link(rule) };
        let _none = metadata.insert("namespace".into(), Entry { key: node.origin.clone(), node });
    }
}
