//! The shape of an object: what has to be there before anybody can say which object it is.
//!
//! What names and values are allowed is left to validation.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::{self, Fields};
use crate::model::{Gvk, Object, ObjectId, ObjectSource};
use crate::source::Span;
use crate::value::{Because, Entry, Map, Node, Origin, OriginKind, Read, Value};
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
    plain_text(&object, place, instance, sink)?;
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

/// Refuses credentials in plain text: they would be in the repository for good.
fn plain_text(object: &Object, place: Span, instance: Span, sink: &mut Sink) -> Result<(), Reported> {
    let secret = object.id.group.is_empty() && object.id.kind.as_ref() == "Secret";
    let sops = object.id.group.as_ref() == "isindir.github.com" && object.id.kind.as_ref() == "SopsSecret";
    let holders: Vec<&Node> = if secret {
        vec![&object.node]
    } else if sops {
        object
            .node
            .at(&["spec", "secretTemplates"])
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .collect()
    } else {
        return Ok(());
    };
    for holder in holders {
        for field in ["data", "stringData"] {
            for (key, entry) in holder.get(field).and_then(Node::as_map).into_iter().flatten() {
                let filled = match &entry.node.value {
                    Value::String(text) => !text.is_empty() && !text.starts_with("ENC["),
                    Value::Null => false,
                    _ => true,
                };
                if !filled {
                    continue;
                }
                let fact =
                    format!("`{field}.{key}` of {} would be written to the tree in plain text", object.id);
                let at = entry.node.origin.editable().unwrap_or(place);
                let made = because(&object.node.origin);
                let help = if secret {
                    let first =
                        if made.is_some() { "switch it off by the chart's values; then " } else { "" };
                    format!(
                        "{first}encrypt it with sops as `overlays/<env>/secrets/{}.sops.yaml`, or name it under `externals` where somebody else makes it; \
                         a value that was committed is known and has to be changed",
                        object.id.name
                    )
                } else {
                    "encrypt it with `sops encrypt`; a value that was committed is known and has to be changed".to_owned()
                };
                let mut finding =
                    Diagnostic::error(codes::PLAIN_SECRET, fact).at(at, "").object(object.id.to_string());
                if at != place {
                    finding = finding.related(place, "the object is made here");
                }
                if instance != at {
                    finding = finding.related(instance, "for this instance");
                }
                let reads = made.map(|made| reads(made, &entry.node.origin)).unwrap_or_default();
                finding = reads.into_iter().fold(finding, Diagnostic::note);
                return Err(sink.report(finding.help(help)));
            }
        }
    }
    Ok(())
}

/// What led a template to an object.
fn because(origin: &Origin) -> Option<&Because> {
    match origin {
        Origin::Link(kind) if let OriginKind::Template { because, .. } = kind.as_ref() => Some(because),
        other => because(other.was()?),
    }
}

/// The values of a chart that decide whether an object is made, and those that one field of it is made from.
fn reads(object: &Because, field: &Origin) -> Vec<String> {
    let paths = |reads: &mut dyn Iterator<Item = &Read>| {
        let mut paths: Vec<String> = Vec::new();
        for path in reads.map(|read| format!("`{}`", read.path)) {
            if !paths.contains(&path) && paths.len() < 4 {
                paths.push(path);
            }
        }
        paths.join(", ")
    };
    let conditions = object.around.iter().filter(|around| !around.is_call);
    let decided = paths(&mut conditions.flat_map(|around| &around.reads));
    let made = because(field).map(|field| paths(&mut field.reads.iter())).unwrap_or_default();
    let notes =
        [("whether the chart makes it depends on", decided), ("the chart makes this value from", made)];
    notes
        .into_iter()
        .filter(|(_, paths)| !paths.is_empty())
        .map(|(words, paths)| format!("{words} {paths}"))
        .collect()
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
