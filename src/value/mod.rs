//! The values that documents, inputs and objects are made of: data, and where each piece of it came from.
//!
//! A [`Node`] is a [`Value`] with its [`Origin`]. Maps keep the order in which they were written. Strings are
//! shared, so that cloning a scalar is cheap; whole trees are shared behind `Arc` by their owners.

pub mod map;
mod origin;
mod path;
pub mod walk;

pub use map::Map;
pub use origin::{Around, Because, Origin, OriginKind, Read};
pub use path::{Path, Segment};

use crate::source::Span;
use std::sync::Arc;

/// Data as Kubernetes knows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A map with string keys.
    Map(Map),
}

/// A number: integers stay exact over the whole range of `i64` and `u64`.
#[derive(Copy, Clone, Debug)]
pub enum Number {
    /// An integer that fits `i64`.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// Any other number; never NaN or infinite.
    Float(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits() || a == b,
            _ => false,
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// The data.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// Nodes are equal where their data is, wherever they came from.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A value in a map, with the place of its key.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The place of the key.
    pub key: Origin,
    /// The value.
    pub node: Node,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Node {
    /// A node from its parts.
    pub fn new(value: impl Into<Value>, origin: impl Into<Origin>) -> Self {
        Self { value: value.into(), origin: origin.into() }
    }

    /// The span that a diagnostic about this node underlines, if it has one.
    pub fn span(&self) -> Option<Span> {
        self.origin.span()
    }

    /// The member `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(map) => map.get(key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The member reached by keys, maps only.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// The map, where it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, where it is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The boolean, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The integer, where it is one that fits.
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Number(Number::Int(number)) => Some(number),
            _ => None,
        }
    }

    /// This tree as JSON, for the schema validator and for `--format json`.
    pub fn to_json(&self) -> serde_json::Value {
        self.value.to_json()
    }

    /// Calls `visit` for every leaf (scalars, and empty lists and maps) with its path, in order.
    pub fn each_leaf(&self, visit: &mut dyn FnMut(&Path, &Self)) {
        fn walk(node: &Node, path: &mut Path, visit: &mut dyn FnMut(&Path, &Node)) {
            match &node.value {
                Value::Map(map) if !map.is_empty() => {
                    for (key, entry) in map {
                        path.push(Segment::Key(Arc::clone(key)));
                        walk(&entry.node, path, visit);
                        path.pop();
                    }
                }
                Value::List(items) if !items.is_empty() => {
                    for (index, item) in items.iter().enumerate() {
                        path.push(Segment::Index(index));
                        walk(item, path, visit);
                        path.pop();
                    }
                }
                _ => visit(path, node),
            }
        }
        walk(self, &mut Path::default(), visit);
    }

    /// The origin of the key at a path, where a map holds it.
    pub fn key_at(&self, path: &Path) -> Option<&Origin> {
        let (Segment::Key(key), holders) = path.segments().split_last()? else { return None };
        let holder = self.lookup(&Path::from(holders.to_vec()))?;
        holder.as_map()?.get(key).map(|entry| &entry.key)
    }

    /// The node at a path.
    pub fn lookup(&self, path: &Path) -> Option<&Self> {
        path.segments().iter().try_fold(self, |node, segment| match segment {
            Segment::Key(key) => node.get(key),
            Segment::Index(index) => node.as_list().and_then(|items| items.get(*index)),
        })
    }
}

impl Value {
    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What users call this type: `null`, `boolean`, `integer`, `number`, `string`, `list`, `map`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(Number::Float(_)) => "number",
            Self::Number(_) => "integer",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// This tree as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(truth) => (*truth).into(),
            Self::Number(Number::Int(number)) => (*number).into(),
            Self::Number(Number::Uint(number)) => (*number).into(),
            Self::Number(Number::Float(number)) => (*number).into(),
            Self::String(text) => text.as_ref().into(),
            Self::List(items) => items.iter().map(Node::to_json).collect(),
            Self::Map(map) => {
                map.iter().map(|(key, entry)| (key.to_string(), entry.node.to_json())).collect()
            }
        }
    }

    /// The tree of a JSON value, every node with the same origin.
    pub fn from_json(json: &serde_json::Value, origin: &Origin) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => Self::Number(match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Number::Int(number),
                (None, Some(number)) => Number::Uint(number),
                (None, None) => Number::Float(number.as_f64().unwrap_or(0.0)),
            }),
            serde_json::Value::String(text) => Self::String(text.as_str().into()),
            serde_json::Value::Array(items) => Self::List(
                items.iter().map(|item| Node::new(Self::from_json(item, origin), origin.clone())).collect(),
            ),
            serde_json::Value::Object(map) => Self::Map(
                map.iter()
                    .map(|(key, item)| {
                        let node = Node::new(Self::from_json(item, origin), origin.clone());
                        (Arc::from(key.as_str()), Entry { key: origin.clone(), node })
                    })
                    .collect(),
            ),
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Number::Int(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Node>> for Value {
    fn from(items: Vec<Node>) -> Self {
        Self::List(items)
    }
}
