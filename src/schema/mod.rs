//! JSON Schema: types of inputs, defaults, and places of violations; and what is known of Kubernetes' own kinds.
//!
//! [`Schema::compile`] takes a schema as a [`Node`] tree (JSON is YAML: read it with [`crate::yaml`]), so that each
//! keyword has a place; [`Schema::apply`] completes an input with defaults and checks it; [`Schema::describe`] and
//! [`Schema::inputs`] tell what may be set. All of it is 2020-12; what a schema may not say is refused when it is
//! compiled. Compiled schemas are `Send + Sync` and are used for thousands of inputs.

pub mod kinds;
pub mod merge_keys;
pub mod pods;

mod defaults;
mod describe;
mod lint;
#[cfg(test)]
mod tests;
mod typed;
mod violation;

pub use describe::Description;
pub use typed::{Holder, Schema};

use crate::value::{Node, Value};

/// How many references lead from one to the next.
const MAX_REFERENCES: usize = 32;

/// The steps of a JSON pointer, unescaped.
fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// The part of a schema at a JSON pointer; references on the way are followed.
fn pointer<'a>(root: &'a Node, pointer: &str) -> Option<&'a Node> {
    let mut at = root;
    for step in steps(pointer) {
        at = match &at.value {
            Value::Map(map) => match map.get(step.as_str()) {
                Some(entry) if step == "$ref" => {
                    entry.node.as_str().and_then(|text| target(root, text)).unwrap_or(&entry.node)
                }
                Some(entry) => &entry.node,
                None => return None,
            },
            Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index))?,
            _ => return None,
        };
    }
    Some(at)
}

/// What a local reference leads to.
fn target<'a>(root: &'a Node, reference: &str) -> Option<&'a Node> {
    let local = reference.strip_prefix('#')?;
    if !local.is_empty() && !local.starts_with('/') {
        return None;
    }
    let mut at = root;
    for step in steps(local) {
        at = match &at.value {
            Value::Map(map) => &map.get(step.as_str())?.node,
            Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The schemas that hold for one value at once: itself, what it refers to, and those of `allOf`.
fn parts<'a>(root: &'a Node, schema: &'a Node) -> Vec<&'a Node> {
    fn collect<'a>(root: &'a Node, schema: &'a Node, depth: usize, found: &mut Vec<&'a Node>) {
        if depth > MAX_REFERENCES || found.len() > 1000 {
            return;
        }
        found.push(schema);
        if let Some(referred) = schema.get("$ref").and_then(Node::as_str).and_then(|text| target(root, text))
        {
            collect(root, referred, depth + 1, found);
        }
        for part in schema.get("allOf").and_then(Node::as_list).into_iter().flatten() {
            collect(root, part, depth + 1, found);
        }
    }
    let mut found = Vec::new();
    collect(root, schema, 0, &mut found);
    found
}

/// The types that a schema itself states.
fn own_types(schema: &Node) -> Option<Vec<&str>> {
    let node = schema.get("type")?;
    match &node.value {
        Value::List(items) => Some(items.iter().filter_map(Node::as_str).collect()),
        _ => node.as_str().map(|name| vec![name]),
    }
}

/// Types of JSON Schema in users' words.
fn type_words(types: &[&str]) -> Vec<&'static str> {
    let mut words: Vec<&str> = types
        .iter()
        .map(|name| match *name {
            "null" => "null",
            "boolean" => "boolean",
            "integer" => "integer",
            "number" => "number",
            "string" => "string",
            "array" => "list",
            "object" => "map",
            _ => "value",
        })
        .collect();
    words.dedup();
    words
}

fn articled(word: &str) -> String {
    match word {
        "null" => "null".to_owned(),
        "integer" => "an integer".to_owned(),
        other => format!("a {other}"),
    }
}

/// `a string`, `a string or a list`.
fn wanted(types: &[&str]) -> String {
    let words: Vec<String> = type_words(types).into_iter().map(articled).collect();
    match words.as_slice() {
        [] => "what is wanted".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// What a value is, with an article.
fn noun(value: &Value) -> String {
    articled(value.kind())
}
