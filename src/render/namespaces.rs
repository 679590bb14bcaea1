//! Namespaces: one object for each namespace that instances use.
//!
//! The compiler writes them, except for those that a cluster or Flux has from the start, and merges what it knows
//! into one that a stack or chart makes. They belong to the environment, not to an instance.

use super::{Part, Placed, Surroundings, scope::place_of};
use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::model::{Gvk, Object, ObjectId, ObjectSource};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Namespaces that exist before anything of the tree is applied.
const GIVEN: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease", "flux-system"];

/// Whether a namespace is there from the start.
pub(super) fn is_given(name: &str) -> bool {
    GIVEN.contains(&name)
}

pub(super) fn write(surroundings: &Surroundings, parts: &[Part], objects: &mut Vec<Placed>, sink: &mut Sink) {
    let mut wanted: BTreeMap<Arc<str>, Vec<usize>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        let named = part.instance.namespace.iter();
        for namespace in named.chain(part.releases.iter().map(|release| &release.release.namespace)) {
            wanted.entry(Arc::clone(namespace)).or_default().push(index);
        }
    }
    let used = used_namespaces(surroundings, parts, objects);
    let mut made = BTreeMap::new();
    for (index, placed) in objects.iter().enumerate() {
        if placed.object.gvk.group.is_empty() && &*placed.object.gvk.kind == "Namespace" {
            made.insert(Arc::clone(&placed.object.id.name), index);
        }
    }
    let external: BTreeSet<&str> = surroundings
        .externals
        .iter()
        .filter(|external| &*external.id.kind == "Namespace")
        .map(|external| &*external.id.name)
        .collect();
    for (name, place) in &used {
        if !is_given(name)
            && !wanted.contains_key(name)
            && !made.contains_key(name)
            && !external.contains(&**name)
        {
            sink.report(missing(name, place, wanted.keys().chain(made.keys())));
        }
    }
    let bearer = |name: &str| used.contains_key(name);
    for (name, users) in &wanted {
        if is_given(name) || external.contains(&**name) {
            continue;
        }
        let labels: Vec<&Node> = users
            .iter()
            .filter(|user| parts[**user].instance.namespace.as_ref() == Some(name))
            .filter_map(|user| parts[*user].instance.namespace_labels.as_ref())
            .collect();
        match made.get(name) {
            Some(index) => label(&mut objects[*index].object.node, &labels),
            None if bearer(name) => {
                objects.push(namespace(name, parts[users[0]].instance.namespace_span, &labels));
            }
            None => {}
        }
    }
    for index in made.into_values() {
        objects[index].part = None;
    }
}

struct Use {
    what: String,
    at: Option<Span>,
    instance: Option<Span>,
}

/// Every namespace that something lives in, with the first thing that does.
fn used_namespaces(
    surroundings: &Surroundings,
    parts: &[Part],
    objects: &[Placed],
) -> BTreeMap<Arc<str>, Use> {
    let mut used = BTreeMap::new();
    let mut add = |name: &Arc<str>, found: &dyn Fn() -> Use| {
        if !used.contains_key(name) {
            used.insert(Arc::clone(name), found());
        }
    };
    for placed in objects {
        if let Some(namespace) = &placed.object.id.namespace {
            add(namespace, &|| Use {
                what: placed.object.id.to_string(),
                at: placed
                    .object
                    .node
                    .at(&["metadata", "namespace"])
                    .and_then(|node| node.origin.editable())
                    .or_else(|| place_of(placed, parts)),
                instance: placed.part.map(|part| parts[part].instance.span),
            });
        }
    }
    for part in parts {
        for release in &part.releases {
            add(&release.release.namespace, &|| Use {
                what: format!("release {}", release.release.name),
                at: Some(release.release.span),
                instance: Some(part.instance.span),
            });
        }
    }
    for file in &surroundings.encrypted {
        for (id, _) in &file.objects {
            if let Some(namespace) = &id.namespace {
                add(namespace, &|| Use { what: id.to_string(), at: Some(file.span.head()), instance: None });
            }
        }
    }
    used
}

fn missing<'a>(name: &str, place: &Use, known: impl Iterator<Item = &'a Arc<str>>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        codes::NAMESPACE_MISSING,
        format!("nobody creates the namespace `{name}` that `{}` lives in", place.what),
    )
    .at(place.at, "this namespace")
    .related(place.instance.filter(|span| Some(*span) != place.at), "of this instance")
    .object(place.what.clone());
    if let Some(meant) = did_you_mean(name, known.map(AsRef::as_ref)) {
        diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    }
    diagnostic.help(format!(
        "give an instance `namespace: {name}`, or name it in the overlay: `externals: {{{name}: {{kind: Namespace, name: {name}}}}}`"
    ))
}

fn namespace(name: &Arc<str>, at: Option<Span>, labels: &[&Node]) -> Placed {
    let origin = Origin::link(OriginKind::Rule {
        rule: "Namespaces are written for the instances that use them",
        was: at.map_or(Origin::Compiler, Origin::from),
    });
    let text = |text: &str| Node::new(text, origin.clone());
    let entry = |node: Node| Entry { key: origin.clone(), node };
    let metadata: Map = [(Arc::from("name"), entry(text(name)))].into_iter().collect();
    let map: Map = [
        (Arc::from("apiVersion"), entry(text("v1"))),
        (Arc::from("kind"), entry(text("Namespace"))),
        (Arc::from("metadata"), entry(Node::new(metadata, origin.clone()))),
    ]
    .into_iter()
    .collect();
    let mut node = Node::new(map, origin);
    label(&mut node, labels);
    let id = ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name: Arc::clone(name) };
    let source = ObjectSource::Compiler { reason: "an instance uses this namespace" };
    Placed { object: Object { id, gvk: Gvk::new("v1", "Namespace"), node, source }, part: None }
}

/// Adds labels that the Namespace does not set itself.
fn label(node: &mut Node, sets: &[&Node]) {
    let labels: Map = sets
        .iter()
        .filter_map(|set| set.as_map())
        .flat_map(|map| map.iter().map(|(key, entry)| (Arc::clone(key), entry.clone())))
        .collect();
    if labels.is_empty() {
        return;
    }
    let Value::Map(map) = &mut node.value else { return };
    let Some(Value::Map(metadata)) = map.get_mut("metadata").map(|entry| &mut entry.node.value) else {
        return;
    };
    let present = metadata.get_or_insert_with(Arc::from("labels"), || Entry {
        key: Origin::Compiler,
        node: Node::new(Map::new(), Origin::Compiler),
    });
    if let Value::Map(present) = &mut present.node.value {
        for (key, entry) in labels {
            present.get_or_insert_with(key, || entry);
        }
    }
}
