//! Strict decoding of built-in kinds: fields that exist, of the type that they have.
//!
//! The rules are those of a server that is asked for strict field validation: names count in their case, numbers of integers have no
//! point and fit, `status` is read like the rest. A `null` is a field that is not there; in a map or a list of strings, quantities or
//! types it is an empty one. Fields that a release drops, as their feature gate is off, are dropped here.
//!
//! For a release that is newer than the table a field that is not in it may exist: then it is let through.

mod nearby;
mod scalars;
mod table;

use super::{Cause, CauseKind, Causes, Field, Layer};
use crate::schema::kinds::Minor;
use crate::value::{Entry, Map, Node, Number, Value};
use nearby::Way;
use scalars::Fraction;
use std::borrow::Cow;
use std::sync::Arc;
use table::{Otherwise, Shape, Table};

/// The object as a server holds it: without nulls, and without fields whose feature is off.
pub(super) fn decode<'a>(
    object: &'a Node,
    kind: (&str, &str, &str),
    release: Minor,
) -> Result<Cow<'a, Node>, Causes> {
    let table = Table::get();
    let Some(root) = table.kind(kind) else { return Ok(Cow::Borrowed(object)) };
    let mut decoder = Decoder::new(table, release);
    let way = Way { up: None, index: root };
    decoder.fields(Field::root(object), &way, Strictness::Strict);
    if !decoder.causes.is_empty() {
        Err(decoder.causes)
    } else if decoder.changes {
        Ok(Cow::Owned(decoder.kept(object, &Shape::Struct(root))))
    } else {
        Ok(Cow::Borrowed(object))
    }
}

/// What all kinds have: `metadata`.
pub(super) fn metadata(object: &Node, release: Minor) -> Result<(), Causes> {
    let table = Table::get();
    // Any kind leads there.
    let Some(root) = table.kind(("", "v1", "ConfigMap")) else { return Ok(()) };
    let mut decoder = Decoder::new(table, release);
    let root_field = Field::root(object);
    if let Some(known) = table.at(root).field("metadata", decoder.release) {
        let way = Way { up: None, index: root };
        decoder.value(root_field.key("metadata"), &known.shape, &way, Strictness::Strict);
    }
    if decoder.causes.is_empty() { Ok(()) } else { Err(decoder.causes) }
}

/// Whether a field that does not exist is refused; what decodes itself drops it.
#[derive(Copy, Clone, PartialEq)]
enum Strictness {
    Strict,
    Lax,
}

struct Decoder {
    table: &'static Table,
    release: Minor,
    lets_unknown: bool,
    causes: Causes,
    /// Whether there are nulls, or fields that are dropped.
    changes: bool,
}

impl Decoder {
    fn new(table: &'static Table, release: Minor) -> Self {
        Self {
            table,
            release: table.nearest(release),
            lets_unknown: table.is_older_than(release),
            causes: Causes::default(),
            changes: false,
        }
    }

    /// The members of an object against the fields of its type.
    fn fields(&mut self, at: Field<'_, '_>, way: &Way<'_>, strictness: Strictness) {
        let known = self.table.at(way.index);
        for (name, member) in at.members() {
            match known.field(name, self.release) {
                Some(field) => {
                    self.changes |= field.is_dropped(self.release);
                    self.value(member, &field.shape, way, strictness);
                }
                None if strictness == Strictness::Lax || self.lets_unknown => {}
                None => {
                    let help = nearby::help(self.table, way, at, name, self.release);
                    self.refuse(member, CauseKind::Unknown, "there is no such field".to_owned(), help);
                }
            }
        }
    }

    fn value(&mut self, at: Field<'_, '_>, shape: &Shape, way: &Way<'_>, strictness: Strictness) {
        let Some(node) = at.node() else { return };
        match (shape, &node.value) {
            (_, Value::Null) => self.changes = true,
            (Shape::Free, _)
            | (Shape::Text, Value::String(_))
            | (Shape::Truth, Value::Bool(_))
            | (Shape::Number, Value::Number(_)) => {}
            (Shape::Struct(index), Value::Map(_)) => {
                self.fields(at, &Way { up: Some(way), index: *index }, strictness);
            }
            (Shape::List(item), Value::List(_)) => {
                for below in at.items() {
                    self.value(below, item, way, strictness);
                }
            }
            (Shape::Map(item), Value::Map(_)) => {
                for (_, below) in at.members() {
                    self.value(below, item, way, strictness);
                }
            }
            (Shape::Int32, Value::Number(number)) => {
                self.integer(at, *number, i64::from(i32::MIN)..=i64::from(i32::MAX));
            }
            (Shape::Int64, Value::Number(number)) => self.integer(at, *number, i64::MIN..=i64::MAX),
            (Shape::IntOrText, Value::Number(number)) => {
                self.integer(at, *number, i64::from(i32::MIN)..=i64::from(i32::MAX));
            }
            (Shape::IntOrText, Value::String(_)) | (Shape::Quantity, Value::Number(_)) => {}
            (Shape::Quantity, Value::String(text)) if !scalars::is_quantity(text) => self.refuse(
                at,
                CauseKind::Type,
                format!("`{text}` is no quantity"),
                Some(
                    "write a number with a suffix that Kubernetes knows, as `500m`, `2`, `64Mi` or `1.5Gi`"
                        .to_owned(),
                ),
            ),
            (Shape::Time, Value::String(text)) if !scalars::is_time(text, Fraction::Any) => self.refuse(
                at,
                CauseKind::Type,
                format!("`{text}` is no time"),
                Some("write it as `2006-01-02T15:04:05Z`".to_owned()),
            ),
            (Shape::MicroTime, Value::String(text)) if !scalars::is_time(text, Fraction::Micro) => self
                .refuse(
                    at,
                    CauseKind::Type,
                    format!("`{text}` is no time with microseconds"),
                    Some("write it as `2006-01-02T15:04:05.000000Z`".to_owned()),
                ),
            (Shape::Bytes, Value::String(text)) => {
                if let Some(byte) = scalars::not_base64(text) {
                    // The value may be a secret: it is not shown.
                    let message = format!("the text is no base64 at byte {byte}");
                    let help = "encode it in base64, or write it under `stringData` where the kind has that";
                    self.refuse(at, CauseKind::Type, message, Some(help.to_owned()));
                }
            }
            (Shape::Quantity | Shape::Time | Shape::MicroTime, Value::String(_)) => {}
            // Go takes the numbers of bytes for bytes.
            (Shape::Bytes, Value::List(items)) if items.iter().all(is_byte) => {}
            (Shape::Lax(other, schema), _) => self.lax(at, *other, *schema, way),
            (_, other) => self.mistyped(at, shape, other),
        }
    }

    /// What decodes itself: a schema, or the other form; some of them take anything else for nothing.
    fn lax(&mut self, at: Field<'_, '_>, other: Otherwise, schema: usize, way: &Way<'_>) {
        let Some(node) = at.node() else { return };
        match (other, &node.value) {
            (_, Value::Map(_)) => self.fields(at, &Way { up: Some(way), index: schema }, Strictness::Lax),
            (Otherwise::Schemas, Value::List(_)) => {
                for below in at.items() {
                    self.value(below, &Shape::Struct(schema), way, Strictness::Lax);
                }
            }
            (Otherwise::Texts, Value::List(_)) => {
                for below in at.items() {
                    self.value(below, &Shape::Text, way, Strictness::Lax);
                }
            }
            (Otherwise::Truth, Value::Bool(_)) | (Otherwise::Schemas | Otherwise::Texts, _) => {}
            (Otherwise::Truth, value) => {
                let message =
                    format!("it is of type {}, and a boolean or a schema is expected", value.kind());
                self.refuse(at, CauseKind::Type, message, None);
            }
        }
    }

    fn integer(&mut self, at: Field<'_, '_>, number: Number, range: std::ops::RangeInclusive<i64>) {
        let (message, help) = match number {
            Number::Int(number) if range.contains(&number) => return,
            Number::Int(number) => (
                format!("`{number}` does not fit"),
                format!("write an integer from {} to {}", range.start(), range.end()),
            ),
            Number::Uint(number) => (
                format!("`{number}` does not fit"),
                format!("write an integer from {} to {}", range.start(), range.end()),
            ),
            Number::Float(number) => {
                (format!("`{number:?}` is no integer"), "write it without a point".to_owned())
            }
        };
        self.refuse(at, CauseKind::Type, message, Some(help));
    }

    fn mistyped(&mut self, at: Field<'_, '_>, shape: &Shape, value: &Value) {
        let wanted = match shape {
            Shape::Text => "a string",
            Shape::Truth => "a boolean",
            Shape::Int32 | Shape::Int64 => "an integer",
            Shape::Number => "a number",
            Shape::Quantity => "a quantity",
            Shape::IntOrText => "an integer or a string",
            Shape::Time | Shape::MicroTime => "a time",
            Shape::Bytes => "a string in base64",
            Shape::List(_) => "a list",
            Shape::Map(_) | Shape::Struct(_) => "a map",
            Shape::Free | Shape::Lax(..) => return,
        };
        let help = match (shape, value) {
            (Shape::Text | Shape::Bytes, Value::Bool(_) | Value::Number(_)) => {
                Some("quote it, or make a string of it with `string(...)`".to_owned())
            }
            (Shape::Int32 | Shape::Int64, Value::String(text)) if text.parse::<i64>().is_ok() => {
                Some(format!("write `{text}` without quotes, or make an integer of it with `int(...)`"))
            }
            (Shape::Truth, Value::String(text)) if matches!(&**text, "true" | "false") => {
                Some(format!("write `{text}` without quotes"))
            }
            (Shape::List(_), Value::Map(_)) => Some("write its items with `- `".to_owned()),
            _ => None,
        };
        let message = format!("it is of type {}, and {wanted} is expected", value.kind());
        self.refuse(at, CauseKind::Type, message, help);
    }

    fn refuse(&mut self, at: Field<'_, '_>, kind: CauseKind, message: String, help: Option<String>) {
        self.causes.push(Cause { kind, layer: Layer::Decode, path: at.path(), told: None, message, help });
    }

    /// A copy of what was found right, as it is held.
    fn kept(&self, node: &Node, shape: &Shape) -> Node {
        let value = match (shape, &node.value) {
            (Shape::Struct(index), Value::Map(map)) => Value::Map(self.kept_fields(map, *index)),
            (Shape::Lax(_, schema), Value::Map(map)) => Value::Map(self.kept_fields(map, *schema)),
            (Shape::Lax(Otherwise::Schemas, schema), Value::List(items)) => {
                let shape = Shape::Struct(*schema);
                Value::List(items.iter().map(|item| self.kept_item(item, &shape)).collect())
            }
            (Shape::List(item_shape), Value::List(items)) => {
                Value::List(items.iter().map(|item| self.kept_item(item, item_shape)).collect())
            }
            (Shape::Map(item_shape), Value::Map(map)) => {
                let member = |entry: &Entry| Entry {
                    key: entry.key.clone(),
                    node: self.kept_item(&entry.node, item_shape),
                };
                Value::Map(map.iter().map(|(key, entry)| (Arc::clone(key), member(entry))).collect())
            }
            (_, value) => value.clone(),
        };
        Node { value, origin: node.origin.clone() }
    }

    fn kept_fields(&self, map: &Map, index: usize) -> Map {
        let known = self.table.at(index);
        let member = |(key, entry): (&Arc<str>, &Entry)| {
            if entry.node.value == Value::Null {
                return None;
            }
            let node = match known.field(key, self.release) {
                Some(field) if field.is_dropped(self.release) => return None,
                Some(field) => self.kept(&entry.node, &field.shape),
                None => entry.node.clone(),
            };
            Some((Arc::clone(key), Entry { key: entry.key.clone(), node }))
        };
        map.iter().filter_map(member).collect()
    }

    /// An item of a list or a map: null is the empty value of its type.
    fn kept_item(&self, node: &Node, shape: &Shape) -> Node {
        if node.value != Value::Null {
            return self.kept(node, shape);
        }
        let value = match shape {
            Shape::Text | Shape::Bytes => Value::from(""),
            Shape::Truth => Value::from(false),
            Shape::Int32 | Shape::Int64 | Shape::Number | Shape::IntOrText => Value::from(0),
            Shape::Quantity => Value::from("0"),
            Shape::Struct(_) | Shape::Map(_) => Value::Map(Map::new()),
            Shape::List(_) => Value::List(Vec::new()),
            Shape::Time | Shape::MicroTime | Shape::Free | Shape::Lax(..) => Value::Null,
        };
        Node { value, origin: node.origin.clone() }
    }
}

fn is_byte(node: &Node) -> bool {
    node.value == Value::Null || node.as_int().is_some_and(|number| u8::try_from(number).is_ok())
}

#[cfg(test)]
mod tests;
