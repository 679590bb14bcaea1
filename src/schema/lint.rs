//! What a schema of inputs may say.
//!
//! Refused are keywords that nobody knows, references that leave the document or lead nowhere, defaults below
//! `oneOf`, `anyOf`, `if` and the like (whether they hold would depend on the value they make), and defaults that
//! their own schema refuses at first sight.

use super::typed::Patterns;
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::value::{Entry, Node, Number, Value};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One schema each.
const ONE: &[&str] = &[
    "additionalProperties",
    "items",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Lists of schemas.
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Maps of schemas.
const MAPS: &[&str] = &["properties", "patternProperties", "$defs", "dependentSchemas"];
/// Keywords below which a default has no place.
const CONDITIONAL: &[&str] = &[
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
];
/// Keywords without schemas in them.
const PLAIN: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "required",
    "dependentRequired",
];
const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];
/// Formats that are checked.
const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "json-pointer",
    "regex",
    "uri",
    "uri-reference",
    "uuid",
];

/// All that is wrong with a schema; fills in the patterns of `patternProperties`.
pub(super) fn faults(root: &Node, patterns: &mut Patterns) -> Vec<Diagnostic> {
    let mut lint = Lint { root, patterns, found: Vec::new(), followed: BTreeSet::new() };
    lint.schema(root, false, 0);
    lint.found
}

struct Lint<'a> {
    root: &'a Node,
    patterns: &'a mut Patterns,
    found: Vec<Diagnostic>,
    /// References that were followed into conditional schemas.
    followed: BTreeSet<String>,
}

fn fault(message: impl Into<String>, node: &Node) -> Diagnostic {
    Diagnostic::error(codes::INVALID_SCHEMA, message).at(node.span(), "")
}

impl<'a> Lint<'a> {
    fn schema(&mut self, node: &'a Node, conditional: bool, depth: usize) {
        if depth > 100 {
            self.found.push(fault("this schema nests deeper than 100 levels", node));
            return;
        }
        let map = match &node.value {
            Value::Bool(_) => return,
            Value::Map(map) => map,
            other => {
                self.found.push(fault(format!("a schema is a map, not a {}", other.kind()), node));
                return;
            }
        };
        for (key, entry) in map {
            let below = conditional || CONDITIONAL.contains(&key.as_ref());
            if ONE.contains(&key.as_ref()) {
                self.schema(&entry.node, below, depth + 1);
            } else if LISTS.contains(&key.as_ref()) {
                match entry.node.as_list() {
                    Some(items) => items.iter().for_each(|item| self.schema(item, below, depth + 1)),
                    None => self.found.push(fault(format!("`{key}` is a list of schemas"), &entry.node)),
                }
            } else if MAPS.contains(&key.as_ref()) {
                self.members(key, entry, below, depth);
            } else {
                self.plain(key, entry, conditional);
            }
        }
        if let Some(default) = map.get("default") {
            self.default(node, default, conditional);
        }
    }

    fn members(&mut self, key: &str, entry: &'a Entry, conditional: bool, depth: usize) {
        let Some(members) = entry.node.as_map() else {
            self.found.push(fault(format!("`{key}` is a map of schemas"), &entry.node));
            return;
        };
        for (name, member) in members {
            if key == "patternProperties" && !self.patterns.contains_key(name) {
                match Regex::new(name) {
                    Ok(regex) => drop(self.patterns.insert(Arc::clone(name), regex)),
                    Err(_) => self.found.push(
                        Diagnostic::error(codes::INVALID_SCHEMA, format!("`{name}` is no pattern"))
                            .at(member.key.span(), "")
                            .note("look-around and back-references are not supported"),
                    ),
                }
            }
            self.schema(&member.node, conditional, depth + 1);
        }
    }

    fn plain(&mut self, key: &str, entry: &'a Entry, conditional: bool) {
        let node = &entry.node;
        match key {
            "$ref" => self.reference(node, conditional),
            "type" => {
                let types = match &node.value {
                    Value::List(items) => items.iter().map(Node::as_str).collect(),
                    _ => vec![node.as_str()],
                };
                for name in types {
                    if !name.is_some_and(|name| TYPES.contains(&name)) {
                        let shown = name.unwrap_or("this");
                        let finding = fault(format!("`{shown}` is no type of JSON Schema"), node);
                        self.found.push(match did_you_mean(shown, TYPES.iter().copied()) {
                            Some(near) => finding.help(format!("did you mean `{near}`?")),
                            None => finding.help(format!("types are {}", TYPES.join(", "))),
                        });
                    }
                }
            }
            "format" => {
                if !node.as_str().is_some_and(|name| FORMATS.contains(&name)) {
                    let finding = fault("this format is not known, and would not be checked", node);
                    self.found
                        .push(finding.help(format!("use a `pattern`, or one of {}", FORMATS.join(", "))));
                }
            }
            "pattern" => {
                if node.as_str().is_none_or(|pattern| Regex::new(pattern).is_err()) {
                    let finding = fault("this is no pattern", node);
                    self.found.push(finding.note("look-around and back-references are not supported"));
                }
            }
            "$schema" => {
                if node.as_str().is_none_or(|name| {
                    name.trim_end_matches('#') != "https://json-schema.org/draft/2020-12/schema"
                }) {
                    let finding = fault("the dialect is not JSON Schema 2020-12", node);
                    self.found.push(finding.help("write `https://json-schema.org/draft/2020-12/schema`"));
                }
            }
            _ if PLAIN.contains(&key) || key.starts_with("x-") => {}
            _ => {
                let known = ONE.iter().chain(LISTS).chain(MAPS).chain(PLAIN).copied();
                let finding = Diagnostic::error(
                    codes::INVALID_SCHEMA,
                    format!("`{key}` is no keyword that is supported here"),
                )
                .at(entry.key.span(), "");
                self.found.push(match did_you_mean(key, known) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("notes of your own start with `x-`"),
                });
            }
        }
    }

    fn reference(&mut self, node: &'a Node, conditional: bool) {
        let text = node.as_str().unwrap_or("");
        match super::target(self.root, text) {
            Some(target) => {
                if conditional && self.followed.insert(text.to_owned()) {
                    self.defaults_below(target, 0);
                }
            }
            None if text.starts_with('#') => {
                self.found.push(fault(format!("`{text}` leads to nothing in this schema"), node));
            }
            None => {
                let finding = fault("this reference leaves the document", node);
                self.found.push(finding.help("copy the definition into `$defs` and write `#/$defs/NAME`"));
            }
        }
    }

    /// Defaults in what a conditional schema refers to.
    fn defaults_below(&mut self, node: &'a Node, depth: usize) {
        let Some(map) = node.as_map().filter(|_| depth < 100) else { return };
        if let Some(default) = map.get("default") {
            self.conditional_default(default);
        }
        for (key, entry) in map {
            if ONE.contains(&key.as_ref()) {
                self.defaults_below(&entry.node, depth + 1);
            } else if LISTS.contains(&key.as_ref()) {
                entry
                    .node
                    .as_list()
                    .into_iter()
                    .flatten()
                    .for_each(|item| self.defaults_below(item, depth + 1));
            } else if MAPS.contains(&key.as_ref()) {
                let members = entry.node.as_map().into_iter().flatten();
                members.for_each(|(_, member)| self.defaults_below(&member.node, depth + 1));
            } else if key.as_ref() == "$ref" {
                self.reference(&entry.node, true);
            }
        }
    }

    fn conditional_default(&mut self, default: &Entry) {
        let finding = Diagnostic::error(
            codes::INVALID_SCHEMA,
            "a default stands where it depends on the value whether it holds",
        )
        .at(default.key.span(), "")
        .note("below `oneOf`, `anyOf`, `not`, `if`, `contains` and the like no default can apply")
        .help("state it where the property always holds, or let the stack's expression decide");
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    fn default(&mut self, schema: &Node, default: &Entry, conditional: bool) {
        if conditional {
            self.conditional_default(default);
            return;
        }
        if let Some(types) = super::own_types(schema)
            && !types.iter().any(|name| fits(&default.node, name))
        {
            let message =
                format!("the default is {}, not {}", super::noun(&default.node.value), super::wanted(&types));
            self.found.push(fault(message, &default.node));
        }
        if let Some(allowed) = schema.get("enum").and_then(Node::as_list)
            && !allowed.contains(&default.node)
        {
            self.found.push(fault("the default is none of the values of `enum`", &default.node));
        }
    }
}

/// Whether a value is of a type of JSON Schema.
pub(super) fn fits(node: &Node, name: &str) -> bool {
    match &node.value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(Number::Float(number)) => {
            name == "number" || (name == "integer" && number.fract() == 0.0)
        }
        Value::Number(_) => matches!(name, "integer" | "number"),
        Value::String(_) => name == "string",
        Value::List(_) => name == "array",
        Value::Map(_) => name == "object",
    }
}
