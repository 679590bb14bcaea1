//! Values with their origins, before they are handed to the engine.
//!
//! Immutable and shared: a copy of a whole tree is one counter, and changing it copies only the maps on the way.
//! Numbers have Go's types as Helm gives them: floats from files and JSON, `int64` from `--set`.

use crate::helm::value::{self as go, Str};
use crate::value::{Origin, Path, Segment};
use crate::yaml::MAP_WEIGHT;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table of values, by key.
pub type Table = Arc<BTreeMap<Str, Value>>;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Value {
    /// The data.
    pub data: Data,
    /// The place: a line of a values file, or of the text behind `--set`.
    pub origin: Origin,
}

/// The data of a value.
#[derive(Clone, Debug)]
pub enum Data {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An `int64`.
    Int(i64),
    /// A `float64`.
    Float(f64),
    /// A string.
    String(Str),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A table.
    Table(Table),
}

/// Equal where the data is, wherever it came from.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits() || a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Table(a), Self::Table(b)) => a == b,
            _ => false,
        }
    }
}

/// The values of a table at any depth, each table counted as often as it takes the memory of a scalar.
pub fn weight(table: &Table) -> u64 {
    MAP_WEIGHT + table.values().map(Value::weight).sum::<u64>()
}

/// How many values a table has at any depth.
pub fn members(table: &Table) -> usize {
    table.values().map(|value| 1 + value.members()).sum()
}

impl Value {
    /// A value from its parts.
    pub fn new(data: Data, origin: Origin) -> Self {
        Self { data, origin }
    }

    /// An empty table made by nobody in particular.
    pub fn table() -> Self {
        Self::new(Data::Table(Table::default()), Origin::Compiler)
    }

    /// How many values are in it at any depth.
    pub fn members(&self) -> usize {
        match &self.data {
            Data::List(items) => items.iter().map(|item| 1 + item.members()).sum(),
            Data::Table(table) => members(table),
            _ => 0,
        }
    }

    fn weight(&self) -> u64 {
        match &self.data {
            Data::List(items) => 1 + items.iter().map(Self::weight).sum::<u64>(),
            Data::Table(table) => weight(table),
            _ => 1,
        }
    }

    /// The table, where it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The boolean, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The text, where it is a string of UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => text.as_str(),
            _ => None,
        }
    }

    /// Its Go type, as `%T` prints it.
    pub fn go_type(&self) -> &'static str {
        match self.data {
            Data::Null => "<nil>",
            Data::Bool(_) => "bool",
            Data::Int(_) => "int64",
            Data::Float(_) => "float64",
            Data::String(_) => "string",
            Data::List(_) => "[]interface {}",
            Data::Table(_) => "map[string]interface {}",
        }
    }

    /// This tree as the engine's value, without the origins.
    pub fn to_go(&self) -> go::Value {
        match &self.data {
            Data::Null => go::Value::Nil,
            Data::Bool(truth) => go::Value::Bool(*truth),
            Data::Int(number) => go::Value::int64(*number),
            Data::Float(number) => go::Value::Float(*number),
            Data::String(text) => go::Value::String(text.clone()),
            Data::List(items) => go::Value::list(items.iter().map(Self::to_go).collect()),
            Data::Table(table) => go::Value::Map(table_to_go(table)),
        }
    }

    /// This tree as JSON, for the schema validator. Bytes that are no text are replaced.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(truth) => (*truth).into(),
            Data::Int(number) => (*number).into(),
            Data::Float(number) => float_to_json(*number),
            Data::String(text) => text.to_str_lossy().into_owned().into(),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Table(table) => table_to_json(table),
        }
    }

    /// The value at a path below this one.
    pub fn lookup(&self, path: &Path) -> Option<&Self> {
        path.segments().iter().try_fold(self, |value, segment| match (segment, &value.data) {
            (Segment::Key(key), Data::Table(table)) => table.get(key.as_bytes()),
            (Segment::Index(index), Data::List(items)) => items.get(*index),
            _ => None,
        })
    }
}

/// A table as the engine's map.
pub fn table_to_go(table: &Table) -> go::Map {
    go::Map::of(&go::types::MAP, table.iter().map(|(key, value)| (key.clone(), value.to_go())))
}

/// A table as JSON.
pub fn table_to_json(table: &Table) -> serde_json::Value {
    serde_json::Value::Object(
        table.iter().map(|(key, value)| (key.to_str_lossy().into_owned(), value.to_json())).collect(),
    )
}

/// Whole numbers as integers, as JSON Schema counts them; what JSON cannot hold as null.
fn float_to_json(number: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        let whole = number as i64;
        return whole.into();
    }
    serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

/// Lays `over` on `under`: tables merge at every depth, anything else of `over` replaces, `null` stays as `null`
/// (helm 4.2.4 `pkg/chart/v2/loader/load.go`, `MergeMaps`).
pub fn merge(under: &mut Table, over: &Table) {
    if under.is_empty() {
        *under = Arc::clone(over);
        return;
    }
    let under = Arc::make_mut(under);
    for (key, value) in over.iter() {
        match (under.get_mut(key.as_bytes()), value.as_table()) {
            (Some(Value { data: Data::Table(inner), .. }), Some(table)) => merge(inner, table),
            (Some(slot), _) => *slot = value.clone(),
            (None, _) => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The tree of a JSON value as Go decodes it: every number is a float.
pub fn from_json(json: &serde_json::Value, origin: &Origin) -> Value {
    let data = match json {
        serde_json::Value::Null => Data::Null,
        serde_json::Value::Bool(truth) => Data::Bool(*truth),
        serde_json::Value::Number(number) => Data::Float(number.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(text) => Data::String(text.as_str().into()),
        serde_json::Value::Array(items) => {
            Data::List(Arc::new(items.iter().map(|item| from_json(item, origin)).collect()))
        }
        serde_json::Value::Object(map) => Data::Table(Arc::new(
            map.iter().map(|(key, item)| (key.as_str().into(), from_json(item, origin))).collect(),
        )),
    };
    Value::new(data, origin.clone())
}
