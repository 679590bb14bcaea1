//! Defaults, which the validator does not apply, and doubles for `number`.
//!
//! Defaults come from `properties`, `patternProperties`, `additionalProperties`, `items`, local `$ref` and `allOf`.
//! An absent parent appears only through a default of its own. A default's origin is its place in the schema.

use super::typed::Patterns;
use super::{own_types, parts};
use crate::value::{Entry, Map, Node, Number, Origin, OriginKind, Value};
use std::sync::Arc;

/// How deep defaults may make defaults: only a schema that contains itself goes further.
const MAX_DEPTH: usize = 64;

pub(super) fn complete(root: &Node, patterns: &Patterns, input: Node) -> Node {
    Completion { root, patterns }.node(root, input, 0)
}

struct Completion<'a> {
    root: &'a Node,
    patterns: &'a Patterns,
}

impl Completion<'_> {
    fn node(&self, schema: &Node, mut node: Node, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            return node;
        }
        let parts = parts(self.root, schema);
        match &mut node.value {
            Value::Map(map) => self.members(&parts, map, depth),
            Value::List(items) => {
                let first = parts.iter().find_map(|part| part.get("prefixItems").and_then(Node::as_list));
                let rest = parts.iter().find_map(|part| part.get("items"));
                for (index, item) in items.iter_mut().enumerate() {
                    let schema = first.and_then(|first| first.get(index)).or(rest);
                    if let Some(schema) = schema {
                        let empty = Node { value: Value::Null, origin: Origin::Compiler };
                        *item = self.node(schema, std::mem::replace(item, empty), depth + 1);
                    }
                }
            }
            Value::Number(number) if is_number(&parts) => {
                if let Some(double) = exact_double(*number) {
                    *number = Number::Float(double);
                }
            }
            _ => {}
        }
        node
    }

    fn members(&self, parts: &[&Node], map: &mut Map, depth: usize) {
        for (key, entry) in map.iter_mut() {
            for part in parts {
                for schema in self.of_member(part, key) {
                    let empty = Node { value: Value::Null, origin: Origin::Compiler };
                    entry.node = self.node(schema, std::mem::replace(&mut entry.node, empty), depth + 1);
                }
            }
        }
        for part in parts {
            for (key, schema) in part.get("properties").and_then(Node::as_map).into_iter().flatten() {
                if map.contains_key(key) {
                    continue;
                }
                if let Some(default) = self.default(&schema.node) {
                    let origin = default_origin(default);
                    let node = self.node(&schema.node, of_default(default), depth + 1);
                    map.insert(Arc::clone(key), Entry { key: origin, node });
                }
            }
        }
    }

    /// The schemas of a member: its property, or the patterns that fit, or that of all others.
    fn of_member<'n>(&self, part: &'n Node, key: &str) -> Vec<&'n Node> {
        let mut found: Vec<&Node> =
            part.get("properties").and_then(|properties| properties.get(key)).into_iter().collect();
        for (pattern, schema) in part.get("patternProperties").and_then(Node::as_map).into_iter().flatten() {
            if self.patterns.get(pattern).is_some_and(|regex| regex.is_match(key)) {
                found.push(&schema.node);
            }
        }
        if found.is_empty() {
            found.extend(part.get("additionalProperties"));
        }
        found
    }

    fn default<'n>(&'n self, schema: &'n Node) -> Option<&'n Node> {
        parts(self.root, schema).into_iter().find_map(|part| part.get("default"))
    }
}

fn is_number(parts: &[&Node]) -> bool {
    let mut number = false;
    for part in parts {
        if let Some(types) = own_types(part) {
            if types.contains(&"integer") {
                return false;
            }
            number |= types.contains(&"number");
        }
    }
    number
}

/// The double that is exactly this integer.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the result is compared with the integer"
)]
fn exact_double(number: Number) -> Option<f64> {
    match number {
        Number::Int(int) => Some(int as f64).filter(|double| *double as i128 == i128::from(int)),
        Number::Uint(uint) => Some(uint as f64).filter(|double| *double as i128 == i128::from(uint)),
        Number::Float(_) => None,
    }
}

fn default_origin(node: &Node) -> Origin {
    match node.span() {
        Some(schema) => Origin::link(OriginKind::Default { schema }),
        None => Origin::Compiler,
    }
}

/// A copy of a default in which each part has its place in the schema as a default's origin.
fn of_default(node: &Node) -> Node {
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().map(of_default).collect()),
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(key, entry)| {
                    let node = of_default(&entry.node);
                    (Arc::clone(key), Entry { key: node.origin.clone(), node })
                })
                .collect(),
        ),
        scalar => scalar.clone(),
    };
    Node { value, origin: default_origin(node) }
}
