//! What a schema says about one input, for `explain`, completion and editors.

use super::typed::Patterns;
use super::{own_types, parts};
use crate::source::Span;
use crate::value::{Node, Path, Segment};
use std::sync::Arc;

/// What is known of an input.
#[derive(Clone, Debug)]
pub struct Description {
    /// Its type in words: `string`, `list of integers`, `` one of `a` and `b` ``.
    pub type_: String,
    /// The schema's text; may be empty.
    pub description: String,
    /// Its default.
    pub default: Option<Node>,
    /// The values that are possible, where they are listed.
    pub allowed: Vec<Node>,
    /// Bounds in words: `at least 1`, `matches ...`.
    pub bounds: Vec<String>,
    /// Values that fit.
    pub examples: Vec<Node>,
    /// Whether its parent has to have it.
    pub required: bool,
    /// The place of its schema.
    pub span: Option<Span>,
}

impl Description {
    /// Whether every value that fits is text.
    pub fn is_text(&self) -> bool {
        if self.allowed.is_empty() {
            self.type_ == "string"
        } else {
            self.allowed.iter().all(|value| value.as_str().is_some())
        }
    }
}

/// What stands for a free key in a path.
const FREE: &str = "NAME";
/// How deep inputs are listed: only a schema that contains itself goes further.
const MAX_DEPTH: usize = 24;

pub(super) fn describe(root: &Node, patterns: &Patterns, path: &Path) -> Option<Description> {
    let mut at = root;
    let mut required = false;
    for step in path.segments() {
        (at, required) = step_into(root, patterns, at, step)?;
    }
    Some(of(root, at, required))
}

fn step_into<'a>(
    root: &'a Node,
    patterns: &Patterns,
    schema: &'a Node,
    step: &Segment,
) -> Option<(&'a Node, bool)> {
    let parts = parts(root, schema);
    match step {
        Segment::Key(key) => {
            let required = is_required(&parts, key);
            let own = parts.iter().find_map(|part| part.get("properties").and_then(|p| p.get(key)));
            let pattern = || {
                parts.iter().find_map(|part| {
                    let members = part.get("patternProperties")?.as_map()?;
                    let fits = |name: &str| patterns.get(name).is_some_and(|regex| regex.is_match(key));
                    members.iter().find(|(name, _)| fits(name)).map(|(_, entry)| &entry.node)
                })
            };
            let rest = || {
                parts
                    .iter()
                    .find_map(|part| part.get("additionalProperties").filter(|node| node.as_map().is_some()))
            };
            own.or_else(pattern).or_else(rest).map(|node| (node, required)).or_else(|| {
                // the forms of `oneOf` and `anyOf`
                forms(&parts).find_map(|form| step_into(root, patterns, form, step))
            })
        }
        Segment::Index(index) => {
            let first = parts.iter().find_map(|part| part.get("prefixItems")?.as_list()?.get(*index));
            first.or_else(|| parts.iter().find_map(|part| part.get("items"))).map(|node| (node, false))
        }
    }
}

fn forms<'a>(parts: &[&'a Node]) -> impl Iterator<Item = &'a Node> {
    let lists = parts.iter().flat_map(|part| [part.get("oneOf"), part.get("anyOf")]);
    lists.flatten().filter_map(Node::as_list).flatten().collect::<Vec<_>>().into_iter()
}

fn is_required(parts: &[&Node], key: &str) -> bool {
    let mut lists = parts.iter().filter_map(|part| part.get("required").and_then(Node::as_list));
    lists.any(|list| list.iter().any(|item| item.as_str() == Some(key)))
}

fn of(root: &Node, schema: &Node, required: bool) -> Description {
    let parts = parts(root, schema);
    let first = |key: &str| parts.iter().find_map(|part| part.get(key));
    let list = |key: &str| first(key).and_then(Node::as_list).unwrap_or_default().to_vec();
    let mut bounds = Vec::new();
    for (key, words) in [
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
        ("multipleOf", "a multiple of"),
        ("minLength", "length at least"),
        ("maxLength", "length at most"),
        ("minItems", "items: at least"),
        ("maxItems", "items: at most"),
        ("minProperties", "keys: at least"),
        ("maxProperties", "keys: at most"),
        ("format", "a"),
        ("pattern", "matches"),
    ] {
        if let Some(node) = first(key) {
            let shown = node.as_str().map_or_else(|| node.to_json().to_string(), |text| format!("`{text}`"));
            bounds.push(format!("{words} {shown}"));
        }
    }
    Description {
        type_: type_in_words(root, schema, 0),
        description: first("description").and_then(Node::as_str).unwrap_or("").trim().to_owned(),
        default: first("default").cloned(),
        allowed: list("enum"),
        bounds,
        examples: list("examples"),
        required,
        span: schema.span(),
    }
}

fn type_in_words(root: &Node, schema: &Node, depth: usize) -> String {
    let parts = parts(root, schema);
    let first = |key: &str| parts.iter().find_map(|part| part.get(key));
    if let Some(allowed) = first("enum").and_then(Node::as_list) {
        let words: Vec<String> = allowed
            .iter()
            .map(|node| {
                format!("`{}`", node.as_str().map_or_else(|| node.to_json().to_string(), ToOwned::to_owned))
            })
            .collect();
        return format!("one of {}", words.join(", "));
    }
    if let Some(node) = first("const") {
        return format!("`{}`", node.as_str().map_or_else(|| node.to_json().to_string(), ToOwned::to_owned));
    }
    let types = parts.iter().find_map(|part| own_types(part));
    match types.as_deref() {
        Some(["array"]) if depth < 4 => match first("items") {
            Some(items) => format!("list of {}", type_in_words(root, items, depth + 1)),
            None => "list".to_owned(),
        },
        Some(["object"]) if depth < 4 => {
            match first("additionalProperties").filter(|node| node.as_map().is_some()) {
                Some(members) => format!("map of {}", type_in_words(root, members, depth + 1)),
                None => "map".to_owned(),
            }
        }
        Some(types) => super::type_words(types).join(" or "),
        None => {
            let mut words: Vec<String> =
                forms(&parts).take(6).map(|form| type_in_words(root, form, depth + 4)).collect();
            words.dedup();
            if words.is_empty() { "any value".to_owned() } else { words.join(" or ") }
        }
    }
}

pub(super) fn inputs(root: &Node) -> Vec<(Path, Description)> {
    let mut found = Vec::new();
    list(root, root, &mut Path::default(), 0, &mut found);
    found
}

fn list(root: &Node, schema: &Node, path: &mut Path, depth: usize, found: &mut Vec<(Path, Description)>) {
    if depth > MAX_DEPTH || found.len() > 10_000 {
        return;
    }
    let parts = parts(root, schema);
    let mut visit = |segment: Segment, member: &Node, required: bool, path: &mut Path| {
        path.push(segment);
        found.push((path.clone(), of(root, member, required)));
        list(root, member, path, depth + 1, found);
        drop(path.pop());
    };
    for part in &parts {
        for (key, entry) in part.get("properties").and_then(Node::as_map).into_iter().flatten() {
            visit(Segment::Key(Arc::clone(key)), &entry.node, is_required(&parts, key), path);
        }
        let others = part.get("patternProperties").and_then(Node::as_map).into_iter().flatten();
        let rest = part.get("additionalProperties").filter(|node| node.as_map().is_some());
        for member in others.map(|(_, entry)| &entry.node).chain(rest) {
            visit(Segment::Key(FREE.into()), member, false, path);
        }
        if let Some(items) = part.get("items").filter(|node| node.as_map().is_some()) {
            visit(Segment::Index(0), items, false, path);
        }
    }
}
