//! The schema of one version of a definition, compiled from its document.
//!
//! Invariant: nothing here refuses a definition. What an API server would not have taken is left out, so that a
//! definition of a later release loses the rule that is not known and nothing else.

use super::format::Format;
use super::rule::Rule;
use crate::pattern;
use crate::value::{Node, Number, Value};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The type that a schema asks for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::kube) enum Kind {
    /// None is asked for.
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
}

/// What `additionalProperties` says.
#[derive(Debug)]
pub(in crate::kube) enum Additional {
    /// Nothing.
    Unsaid,
    /// Any value, or none.
    Flag(bool),
    /// Values of this schema.
    Schema(Box<Schema>),
}

/// `x-kubernetes-list-type`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::kube) enum ListType {
    Atomic,
    Set,
    /// A map with these keys.
    Map(Vec<Arc<str>>),
}

/// One schema.
#[expect(clippy::struct_excessive_bools, reason = "flags as the document has them, each its own")]
#[derive(Debug)]
pub(in crate::kube) struct Schema {
    pub(in crate::kube) kind: Kind,
    pub(in crate::kube) nullable: bool,
    pub(in crate::kube) format: Option<Format>,
    /// The format as it is written, which rules are typed by.
    pub(in crate::kube) format_name: Arc<str>,
    pub(in crate::kube) properties: BTreeMap<Arc<str>, Self>,
    pub(in crate::kube) additional: Additional,
    pub(in crate::kube) items: Option<Box<Self>>,
    pub(in crate::kube) required: Vec<Arc<str>>,
    pub(in crate::kube) default: Option<Node>,
    pub(in crate::kube) values: Vec<Node>,
    pub(in crate::kube) limits: Option<Box<Limits>>,
    pub(in crate::kube) junctions: Option<Box<Junctions>>,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub(in crate::kube) preserves: bool,
    /// `x-kubernetes-embedded-resource`.
    pub(in crate::kube) embedded: bool,
    /// Whether values are whole resources: the root, and what is embedded.
    pub(in crate::kube) resource: bool,
    pub(in crate::kube) list_type: ListType,
    pub(in crate::kube) rules: Vec<Rule>,
    /// What there is at or below it, so that walks can end early.
    pub(in crate::kube) below: Below,
}

/// What a schema or one below it has.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::kube) struct Below(u8);

impl Below {
    pub(in crate::kube) const DEFAULTS: Self = Self(1);
    pub(in crate::kube) const RULES: Self = Self(2);
    /// Lists that are sets or maps, and embedded resources.
    pub(in crate::kube) const SHAPES: Self = Self(4);
    /// Rules that do not stand in `allOf` alone.
    pub(in crate::kube) const OWN_RULES: Self = Self(8);

    pub(in crate::kube) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Bounds of a value.
#[derive(Debug, Default)]
pub(in crate::kube) struct Limits {
    pub(in crate::kube) maximum: Option<(f64, Bound)>,
    pub(in crate::kube) minimum: Option<(f64, Bound)>,
    pub(in crate::kube) multiple_of: Option<f64>,
    pub(in crate::kube) max_length: Option<i64>,
    pub(in crate::kube) min_length: Option<i64>,
    pub(in crate::kube) max_items: Option<i64>,
    pub(in crate::kube) min_items: Option<i64>,
    pub(in crate::kube) max_properties: Option<i64>,
    pub(in crate::kube) min_properties: Option<i64>,
    pub(in crate::kube) unique_items: bool,
    pub(in crate::kube) pattern: Option<Pattern>,
}

/// Whether a bound may be reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::kube) enum Bound {
    Inclusive,
    Exclusive,
}

/// Schemas that are combined.
#[derive(Debug, Default)]
pub(in crate::kube) struct Junctions {
    pub(in crate::kube) all_of: Vec<Schema>,
    pub(in crate::kube) any_of: Vec<Schema>,
    pub(in crate::kube) one_of: Vec<Schema>,
    pub(in crate::kube) not: Option<Schema>,
}

/// A regular expression, compiled when it is first asked.
#[derive(Debug)]
pub(in crate::kube) struct Pattern {
    pub(in crate::kube) text: Arc<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// Whether it is found in a text; an expression that cannot be compiled is found in all.
    pub(in crate::kube) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| pattern::compile(&self.text));
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

fn flag(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or_default()
}

fn number(node: &Node, key: &str) -> Option<f64> {
    match node.get(key)?.value {
        Value::Number(number) => Some(as_double(number)),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "bounds are doubles in schemas")]
pub(super) fn as_double(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::Uint(number) => number as f64,
        Number::Float(number) => number,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "an integer that JSON writes with a fraction of zero")]
fn count(node: &Node, key: &str) -> Option<i64> {
    match node.get(key)?.value {
        Value::Number(Number::Int(number)) => Some(number),
        Value::Number(Number::Float(number)) => Some(number as i64),
        _ => None,
    }
}

fn list<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

fn texts(node: &Node, key: &str) -> Vec<Arc<str>> {
    list(node, key).iter().filter_map(Node::as_str).map(Arc::from).collect()
}

impl Schema {
    /// Compiles the schema of a resource, for a server of this minor release.
    pub(in crate::kube) fn of_resource(node: &Node, minor: u32) -> Self {
        Self { resource: true, ..Self::compile(node, minor) }
    }

    /// Compiles a schema.
    fn compile(node: &Node, minor: u32) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default();
        let schemas =
            |key: &str| list(node, key).iter().map(|node| Self::compile(node, minor)).collect::<Vec<_>>();
        let int_or_string = flag(node, "x-kubernetes-int-or-string");
        let kind = match text("type") {
            _ if int_or_string => Kind::IntOrString,
            "object" => Kind::Object,
            "array" => Kind::Array,
            "string" => Kind::String,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            _ => Kind::Any,
        };
        let properties: BTreeMap<Arc<str>, Self> = node
            .get("properties")
            .and_then(Node::as_map)
            .into_iter()
            .flatten()
            .map(|(name, entry)| (Arc::clone(name), Self::compile(&entry.node, minor)))
            .collect();
        let additional = match node.get("additionalProperties") {
            Some(Node { value: Value::Bool(allowed), .. }) => Additional::Flag(*allowed),
            Some(schema @ Node { value: Value::Map(_), .. }) => {
                Additional::Schema(Box::new(Self::compile(schema, minor)))
            }
            _ => Additional::Unsaid,
        };
        let items = node
            .get("items")
            .filter(|items| items.as_map().is_some())
            .map(|items| Box::new(Self::compile(items, minor)));
        let list_type = match text("x-kubernetes-list-type") {
            "set" => ListType::Set,
            "map" => ListType::Map(texts(node, "x-kubernetes-list-map-keys")),
            _ => ListType::Atomic,
        };
        let junctions = Junctions {
            all_of: schemas("allOf"),
            any_of: schemas("anyOf"),
            one_of: schemas("oneOf"),
            not: node.get("not").filter(|not| not.as_map().is_some()).map(|not| Self::compile(not, minor)),
        };
        let mut schema = Self {
            kind,
            nullable: flag(node, "nullable"),
            format: Format::of(text("format"), minor),
            format_name: text("format").into(),
            properties,
            additional,
            items,
            required: texts(node, "required"),
            default: node.get("default").filter(|default| default.value != Value::Null).cloned(),
            values: list(node, "enum").to_vec(),
            limits: limits(node),
            junctions: junctions.any().then(|| Box::new(junctions)),
            preserves: flag(node, "x-kubernetes-preserve-unknown-fields"),
            embedded: flag(node, "x-kubernetes-embedded-resource"),
            resource: flag(node, "x-kubernetes-embedded-resource"),
            list_type,
            rules: list(node, "x-kubernetes-validations").iter().filter_map(Rule::read).collect(),
            below: Below::default(),
        };
        schema.below = schema.gather();
        schema
    }

    fn gather(&self) -> Below {
        let mut below = Below::default();
        if self.default.is_some() {
            below.add(Below::DEFAULTS);
        }
        if !self.rules.is_empty() {
            below.add(Below::RULES);
            below.add(Below::OWN_RULES);
        }
        if self.embedded || self.list_type != ListType::Atomic {
            below.add(Below::SHAPES);
        }
        for child in self.children() {
            below.add(child.below);
        }
        // Of combined schemas only rules count: they have neither defaults nor shapes.
        let junctions = self.junctions.as_deref();
        let combined = junctions.into_iter().flat_map(|all| all.all_of.iter());
        if combined.into_iter().any(|schema| schema.below.has(Below::RULES)) {
            below.add(Below::RULES);
        }
        below
    }

    /// The schemas of members and items.
    pub(in crate::kube) fn children(&self) -> impl Iterator<Item = &Self> {
        self.properties.values().chain(self.additional_schema()).chain(self.items.as_deref())
    }

    /// The schema of members that no property names.
    pub(in crate::kube) fn additional_schema(&self) -> Option<&Self> {
        match &self.additional {
            Additional::Schema(schema) => Some(schema),
            _ => None,
        }
    }

    /// The schema of a member.
    pub(in crate::kube) fn member(&self, key: &str) -> Option<&Self> {
        self.properties.get(key).or_else(|| self.additional_schema())
    }
}

impl Junctions {
    fn any(&self) -> bool {
        !self.all_of.is_empty() || !self.any_of.is_empty() || !self.one_of.is_empty() || self.not.is_some()
    }
}

fn limits(node: &Node) -> Option<Box<Limits>> {
    const KEYS: &[&str] = &[
        "maximum",
        "minimum",
        "multipleOf",
        "maxLength",
        "minLength",
        "maxItems",
        "minItems",
        "maxProperties",
        "minProperties",
        "uniqueItems",
        "pattern",
    ];
    let map = node.as_map()?;
    if !KEYS.iter().any(|key| map.contains_key(key)) {
        return None;
    }
    let bound = |key: &str| if flag(node, key) { Bound::Exclusive } else { Bound::Inclusive };
    let pattern = node.get("pattern").and_then(Node::as_str).filter(|pattern| !pattern.is_empty());
    Some(Box::new(Limits {
        maximum: number(node, "maximum").map(|maximum| (maximum, bound("exclusiveMaximum"))),
        minimum: number(node, "minimum").map(|minimum| (minimum, bound("exclusiveMinimum"))),
        multiple_of: number(node, "multipleOf"),
        max_length: count(node, "maxLength"),
        min_length: count(node, "minLength"),
        max_items: count(node, "maxItems"),
        min_items: count(node, "minItems"),
        max_properties: count(node, "maxProperties"),
        min_properties: count(node, "minProperties"),
        unique_items: flag(node, "uniqueItems"),
        pattern: pattern.map(Pattern::new),
    }))
}
