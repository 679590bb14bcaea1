//! Data whose types are told from outside, as the schema of a custom resource tells them.
//!
//! A [`Declared`] says what stands at a place; values are taken by it and not by how they are written: `1` is a double
//! where a number is declared, a text is a time where its format says so. Objects have the fields that are declared
//! and no others, and a field that is null is not there.

use super::data::{Key, Val};
use super::fault::Fault;
use super::parser::RESERVED;
use super::time::{Timestamp, loose_duration};
use crate::value::{Map, Node, Number, Value};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use std::fmt;
use std::sync::Arc;

/// The type of the data at one place.
pub trait Declared: fmt::Debug + Send + Sync {
    /// What it is.
    fn shape(&self) -> Shape<'_>;

    /// Whether it may be null.
    fn nullable(&self) -> bool {
        false
    }

    /// The field of an object, by its name in the data.
    fn field(&self, _name: &str) -> Option<&dyn Declared> {
        None
    }

    /// The names of all fields, for suggestions.
    fn fields(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// What data is.
#[derive(Copy, Clone, Debug)]
pub enum Shape<'a> {
    /// Of no known type: expressions do not see it.
    Hidden,
    /// Of any type.
    Any,
    /// An integer or a string.
    IntOrString,
    /// A boolean.
    Bool,
    /// An integer.
    Int,
    /// A number.
    Double,
    /// A string.
    Text,
    /// Bytes, written as base64.
    Bytes,
    /// A day.
    Date,
    /// A point in time.
    Time,
    /// A span of time.
    Duration,
    /// A list of such items.
    List(&'a dyn Declared, Listed<'a>),
    /// A map whose values are such.
    Map(&'a dyn Declared),
    /// Named fields.
    Object,
    /// What can only be handed to functions, such as `authorizer`.
    Opaque(&'static str),
}

/// How lists are equal and add up.
#[derive(Copy, Clone, Debug)]
pub enum Listed<'a> {
    /// Item by item.
    Plain,
    /// Without order or repetition.
    Set,
    /// By these keys.
    Map(&'a [Arc<str>]),
}

/// Data of any type.
#[derive(Copy, Clone, Debug)]
pub struct Anything;

impl Declared for Anything {
    fn shape(&self) -> Shape<'_> {
        Shape::Any
    }

    fn nullable(&self) -> bool {
        true
    }
}

const SIGNS: &[(&str, &str)] = &[("underscores", "__"), ("dot", "."), ("dash", "-"), ("slash", "/")];

/// A field's name as an expression writes it: `a-b` is `a__dash__b`; `None` where there is no way to write it.
pub fn escaped(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if let Some((word, sign)) = SIGNS.iter().find(|(_, sign)| rest.starts_with(sign)) {
            out.push_str("__");
            out.push_str(word);
            out.push_str("__");
            rest = &rest[sign.len()..];
        } else if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c);
            rest = &rest[1..];
        } else {
            return None;
        }
    }
    Some(out)
}

/// The name that an expression means; `None` where what is written between underscores means nothing.
pub fn unescaped(written: &str) -> Option<String> {
    if !written.contains("__") {
        return Some(written.to_owned());
    }
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(start) = rest.find("__") {
        let inner = &rest[start + 2..];
        let length = inner.find('_').unwrap_or(inner.len());
        if length == 0 || !inner[length..].starts_with("__") {
            // No word between underscores: they stand for themselves.
            out.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        }
        out.push_str(&rest[..start]);
        let word = &inner[..length];
        match SIGNS.iter().find(|(known, _)| *known == word) {
            Some((_, sign)) => out.push_str(sign),
            None if RESERVED.contains(&word) && written.len() == length + 4 => out.push_str(word),
            None => return None,
        }
        rest = &inner[length + 2..];
    }
    out.push_str(rest);
    Some(out)
}

/// Whether expressions see a field of this name.
pub(super) fn visible<'a>(holder: &'a dyn Declared, written: &str) -> Option<&'a dyn Declared> {
    let field = holder.field(&unescaped(written)?)?;
    (!matches!(field.shape(), Shape::Hidden)).then_some(field)
}

/// A map of data, typed.
#[derive(Copy, Clone)]
pub(super) struct Typed<'a> {
    pub(super) map: &'a Map,
    pub(super) declared: &'a dyn Declared,
}

impl<'a> Typed<'a> {
    fn values(self) -> Option<&'a dyn Declared> {
        match self.declared.shape() {
            Shape::Map(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn get(self, key: &str) -> Option<Result<Val<'a>, Fault>> {
        if let Some(values) = self.values() {
            return self.map.get(key).map(|entry| Val::declared(&entry.node, values));
        }
        let name = unescaped(key)?;
        let entry = self.map.get(&name).filter(|entry| entry.node.value != Value::Null)?;
        self.declared.field(&name).map(|field| Val::declared(&entry.node, field))
    }

    pub(super) fn keys(self) -> Vec<Key> {
        let object = self.values().is_none();
        self.map
            .keys()
            .filter(|key| !object || self.declared.field(key).is_some())
            .map(|key| match escaped(key).filter(|_| object) {
                Some(written) => Key::String(written.into()),
                None => Key::String(Arc::clone(key)),
            })
            .collect()
    }

    pub(super) fn len(self) -> usize {
        self.map.len()
    }
}

impl<'a> Val<'a> {
    /// The value of a node as it is declared.
    pub(super) fn declared(node: &'a Node, declared: &'a dyn Declared) -> Result<Self, Fault> {
        let shape = declared.shape();
        let wrong = |wanted: &str| {
            Fault::of_type(format!("this is a {}, where {wanted} is declared", node.value.kind()))
        };
        Ok(match (shape, &node.value) {
            (Shape::Any, _) => Val::of(node)?,
            (_, Value::Null) if declared.nullable() => Self::Null,
            (_, Value::Null) => return Err(Fault::of_type("this is null, which is not allowed here")),
            (Shape::IntOrString | Shape::Int, Value::Number(Number::Int(number))) => Self::Int(*number),
            (Shape::IntOrString | Shape::Text, Value::String(text)) => Self::String(Arc::clone(text)),
            (Shape::IntOrString, _) => return Err(wrong("an integer or a string")),
            (Shape::Int, _) => return Err(wrong("an integer")),
            (Shape::Text, _) => return Err(wrong("a string")),
            (Shape::Bool, Value::Bool(truth)) => Self::Bool(*truth),
            (Shape::Bool, _) => return Err(wrong("a boolean")),
            (Shape::Double, Value::Number(number)) => Self::Double(double(*number)),
            (Shape::Double, _) => return Err(wrong("a number")),
            (Shape::Bytes, Value::String(text)) => {
                let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
                let bytes = URL_SAFE.decode(text);
                Self::Bytes(bytes.map_err(|_error| Fault::of_value("this is no base64 for URLs"))?.into())
            }
            (Shape::Date, Value::String(text)) => point(&format!("{text}T00:00:00Z"), text)?,
            (Shape::Time, Value::String(text)) if text.is_empty() => point("1970-01-01T00:00:00Z", text)?,
            (Shape::Time, Value::String(text)) => {
                point(text, text).or_else(|_fault| point(&format!("{text}Z"), text))?
            }
            (Shape::Duration, Value::String(text)) => {
                let nanos = loose_duration(text);
                Self::Duration(nanos.ok_or_else(|| Fault::of_value(format!("`{text}` is no duration")))?)
            }
            (Shape::Bytes | Shape::Date | Shape::Time | Shape::Duration, _) => return Err(wrong("a string")),
            (Shape::List(item, listed), Value::List(items)) => {
                Self::List(super::data::List::Declared { items, item, listed })
            }
            (Shape::List(..), _) => return Err(wrong("a list")),
            (Shape::Map(_) | Shape::Object, Value::Map(map)) => {
                Self::Map(super::data::Members::Declared(Typed { map, declared }))
            }
            (Shape::Map(_) | Shape::Object, _) => return Err(wrong("a map")),
            (Shape::Hidden | Shape::Opaque(_), _) => {
                return Err(Fault::of_type("the type of this is not known"));
            }
        })
    }
}

fn point<'a>(text: &str, shown: &str) -> Result<Val<'a>, Fault> {
    let time = Timestamp::parse(text).map(Val::Timestamp);
    time.ok_or_else(|| Fault::of_value(format!("`{shown}` is no time")))
}

#[allow(clippy::cast_precision_loss, reason = "the nearest double is meant")]
fn double(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::Uint(number) => number as f64,
        Number::Float(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_back() {
        for (name, written) in [
            ("plain", "plain"),
            ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
            ("a__b", "a__underscores__b"),
            ("namespace", "__namespace__"),
            ("in", "__in__"),
            ("_x_", "_x_"),
            ("$ref", ""),
            ("1st", ""),
        ] {
            let escaped = escaped(name);
            assert_eq!(escaped.as_deref().unwrap_or_default(), written, "{name}");
            if let Some(escaped) = escaped {
                assert_eq!(unescaped(&escaped).as_deref(), Some(name), "{name}");
            }
        }
        assert_eq!(unescaped("a__nothing__b"), None);
        assert_eq!(unescaped("a__in__b"), None);
    }
}
