//! The stacks `chart` and `manifests`: what they require, provide and declare comes from the overlay.
//!
//! Their document is completed with the instance's own data, in which `${` stays literal, and read as any other,
//! so that every fault points at the overlay's line.

use crate::diag::{Reported, Sink};
use crate::load::stack::{self, Inputs};
use crate::load::{Capabilities, Stack};
use crate::source::Sources;
use crate::value::{Entry, Map, Node, Value};
use std::sync::Arc;

/// The stack of an instance: the shared one, or one of its own where it is made of its inputs.
pub(super) fn specialize(
    shared: &Arc<Stack>,
    capabilities: &Capabilities,
    inputs: &Node,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<Arc<Stack>, Reported> {
    let Some(document) = &shared.synthetic else { return Ok(Arc::clone(shared)) };
    let mut document = document.clone();
    if let Some(spec) = member(&mut document, "spec") {
        for key in ["requires", "declares"] {
            if let Some(node) = inputs.get(key) {
                put(spec, key, literal(node));
            }
        }
        const PARTS: [(&str, &[&str]); 2] =
            [("charts", &["release"]), ("manifests", &["path", "url", "sha256", "git", "delivery"])];
        for (list, keys) in PARTS {
            let Some(item) = member(spec, list).and_then(first_item) else { continue };
            for key in keys {
                if let Some(node) = inputs.get(key) {
                    put(item, key, literal(node));
                }
            }
        }
        for (key, convert) in [("provides", offer as fn(&Arc<str>, &Entry) -> Node), ("secrets", secret)] {
            if let Some(node) = inputs.get(key) {
                let items = node.as_map().into_iter().flatten();
                let items: Vec<Node> = items.map(|(name, entry)| convert(name, entry)).collect();
                put(spec, key, Node::new(items, node.origin.clone()));
            }
        }
    }
    let types = Inputs {
        written: true,
        schema: Arc::clone(&shared.schema),
        types: Arc::clone(&shared.types),
        names: shared.inputs.clone(),
    };
    let stack = stack::read(&shared.name, &document, types, true, sources, sink)?;
    stack::check_capabilities(&stack, capabilities, sink);
    sink.finish(Arc::new(stack))
}

fn member<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(map) => map.get_mut(key).map(|entry| &mut entry.node),
        _ => None,
    }
}

fn first_item(node: &mut Node) -> Option<&mut Node> {
    match &mut node.value {
        Value::List(items) => items.first_mut(),
        _ => None,
    }
}

fn put(map: &mut Node, key: &str, node: Node) {
    if let Value::Map(map) = &mut map.value {
        let _old = map.insert(key.into(), Entry { key: node.origin.clone(), node });
    }
}

/// `NAME: exports` as an entry of `provides`.
fn offer(name: &Arc<str>, entry: &Entry) -> Node {
    let mut offer = named(name, entry);
    put(&mut offer, "exports", literal(&entry.node));
    offer
}

/// `NAME: {namespace, keys: [KEY]}` as an entry of `secrets`.
fn secret(name: &Arc<str>, entry: &Entry) -> Node {
    let mut secret = named(name, entry);
    if let Some(namespace) = entry.node.get("namespace") {
        put(&mut secret, "namespace", literal(namespace));
    }
    let mut keys = Map::new();
    for key in entry.node.get("keys").and_then(Node::as_list).unwrap_or_default() {
        if let Value::String(name) = &key.value {
            let options = Node::new(Map::new(), key.origin.clone());
            let _same = keys.insert(Arc::clone(name), Entry { key: key.origin.clone(), node: options });
        }
    }
    put(&mut secret, "keys", Node::new(keys, entry.node.origin.clone()));
    secret
}

fn named(name: &Arc<str>, entry: &Entry) -> Node {
    let mut node = Node::new(Map::new(), entry.node.origin.clone());
    put(&mut node, "name", literal(&Node::new(Value::String(Arc::clone(name)), entry.key.clone())));
    node
}

/// A copy in which nothing is an expression.
fn literal(node: &Node) -> Node {
    let value = match &node.value {
        Value::String(text) if text.contains("${") => Value::from(text.replace("${", "$${")),
        Value::List(items) => Value::List(items.iter().map(literal).collect()),
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(key, entry)| {
                    let key_text =
                        if key.contains("${") { key.replace("${", "$${").into() } else { Arc::clone(key) };
                    (key_text, Entry { key: entry.key.clone(), node: literal(&entry.node) })
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node { value, origin: node.origin.clone() }
}
