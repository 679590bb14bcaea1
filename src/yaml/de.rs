//! Rust types out of a [`Node`], with the place of what does not fit.
//!
//! The error keeps the names that were expected, so that callers can say what was meant. A missing field is
//! reported at the map that lacks it, an unknown one at its key, anything else at its value.

use super::number::float32_key;
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::source::Span;
use crate::value::{Node, Number, Path, Segment, Value, map};
use serde::de::{
    self, Deserialize, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use std::fmt;
use std::sync::Arc;

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct FitError(Box<Fault>);

#[derive(Clone, Debug, PartialEq)]
struct Fault {
    misfit: Misfit,
    span: Option<Span>,
    /// Innermost step first.
    steps: Vec<Segment>,
}

/// How something does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A key that is not known here.
    UnknownField {
        /// The key.
        field: String,
        /// The keys that are.
        expected: &'static [&'static str],
    },
    /// A key that has to be there.
    MissingField(&'static str),
    /// A name that is none of the possible ones.
    UnknownVariant {
        /// The name.
        variant: String,
        /// The possible ones.
        expected: &'static [&'static str],
    },
    /// Anything else, in words.
    Other(String),
}

impl FitError {
    fn new(misfit: Misfit) -> Self {
        Self(Box::new(Fault { misfit, span: None, steps: Vec::new() }))
    }

    fn at(mut self, span: Option<Span>) -> Self {
        self.0.span = self.0.span.or(span);
        self
    }

    fn below(mut self, step: Segment) -> Self {
        self.0.steps.push(step);
        self
    }

    /// How it does not fit.
    pub fn misfit(&self) -> &Misfit {
        &self.0.misfit
    }

    /// The place in the document.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// The path of what does not fit.
    pub fn path(&self) -> Path {
        self.0.steps.iter().rev().cloned().collect::<Vec<_>>().into()
    }

    /// This error as a finding, with the name that was probably meant.
    pub fn diagnostic(&self, code: Code) -> Diagnostic {
        let found = Diagnostic::error(code, self.to_string()).at(self.0.span, "");
        let (word, expected) = match &self.0.misfit {
            Misfit::UnknownField { field, expected } => (field, *expected),
            Misfit::UnknownVariant { variant, expected } => (variant, *expected),
            Misfit::MissingField(field) => return found.help(format!("add `{field}`")),
            Misfit::Other(_) => return found,
        };
        match did_you_mean(word, expected.iter().copied()) {
            Some(meant) => found.help(format!("did you mean `{meant}`?")),
            None if expected.is_empty() => found,
            None => found.help(format!("known here: {}", names(expected))),
        }
    }
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for FitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.misfit {
            Misfit::UnknownField { field, .. } => write!(out, "unknown key `{field}`")?,
            Misfit::MissingField(field) => write!(out, "the key `{field}` is missing")?,
            Misfit::UnknownVariant { variant, .. } => write!(out, "unknown value `{variant}`")?,
            Misfit::Other(text) => out.write_str(text)?,
        }
        if self.0.steps.is_empty() { Ok(()) } else { write!(out, " in `{}`", self.path()) }
    }
}

impl std::error::Error for FitError {}

impl de::Error for FitError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(Misfit::Other(text.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Misfit::UnknownField { field: field.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Misfit::MissingField(field))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Misfit::UnknownVariant { variant: variant.to_owned(), expected })
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("{} where {expected} was expected", describe(&unexpected)))
    }
}

fn describe(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Bool(truth) => format!("the boolean `{truth}`"),
        Unexpected::Unsigned(number) => format!("the integer `{number}`"),
        Unexpected::Signed(number) => format!("the integer `{number}`"),
        Unexpected::Float(number) => format!("the number `{number}`"),
        Unexpected::Str(text) => format!("the string `{text}`"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// Numbers and booleans where a string is wanted.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Coerce {
    No,
    Yes,
}

/// Reads a value out of a tree; types have to fit.
pub fn from_node<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, FitError> {
    T::deserialize(Reader { node, coerce: Coerce::No })
}

/// Reads a value out of a tree; numbers and booleans become strings where strings are wanted, as
/// `sigs.k8s.io/yaml` has it: `appVersion: 1.10` is `"1.1"`.
pub fn from_node_coercing<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, FitError> {
    T::deserialize(Reader { node, coerce: Coerce::Yes })
}

#[derive(Copy, Clone)]
struct Reader<'de> {
    node: &'de Node,
    coerce: Coerce,
}

impl<'de> Reader<'de> {
    fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(Number::Int(number)) => visitor.visit_i64(*number),
            Value::Number(Number::Uint(number)) => visitor.visit_u64(*number),
            Value::Number(Number::Float(number)) => visitor.visit_f64(*number),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => {
                visitor.visit_seq(Items { items: items.iter().enumerate(), coerce: self.coerce })
            }
            Value::Map(map) => {
                visitor.visit_map(Members { rest: map.iter(), value: None, coerce: self.coerce })
            }
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        let text = match &self.node.value {
            _ if self.coerce == Coerce::No => return self.any(visitor),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(Number::Int(number)) => number.to_string(),
            Value::Number(Number::Uint(number)) => number.to_string(),
            Value::Number(Number::Float(number)) => float32_key(*number),
            _ => return self.any(visitor),
        };
        visitor.visit_string(text)
    }
}

impl<'de> de::Deserializer<'de> for Reader<'de> {
    type Error = FitError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        self.any(visitor).map_err(|error| error.at(self.node.span()))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        self.text(visitor).map_err(|error| error.at(self.node.span()))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FitError> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|error: FitError| error.at(self.node.span()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FitError> {
        visitor.visit_newtype_struct(self).map_err(|error: FitError| error.at(self.node.span()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FitError> {
        let one = match &self.node.value {
            Value::String(text) => {
                Some(Variant { name: text, at: self.node.span(), content: None, coerce: self.coerce })
            }
            Value::Map(map) if map.len() == 1 => map.iter().next().map(|(key, entry)| Variant {
                name: key,
                at: entry.key.span(),
                content: Some(&entry.node),
                coerce: self.coerce,
            }),
            _ => None,
        };
        match one {
            Some(variant) => visitor.visit_enum(variant),
            None => Err(de::Error::custom(format_args!(
                "{} where a name or a map with one key was expected",
                self.node.value.kind()
            ))),
        }
        .map_err(|error: FitError| error.at(self.node.span()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
    coerce: Coerce,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = FitError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, FitError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Reader { node, coerce: self.coerce })
            .map(Some)
            .map_err(|error| error.below(Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members<'de> {
    rest: map::Iter<'de>,
    value: Option<(&'de Arc<str>, &'de Node)>,
    coerce: Coerce,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FitError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FitError> {
        let Some((key, entry)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, &entry.node));
        let key = de::value::BorrowedStrDeserializer::new(key);
        seed.deserialize(key).map(Some).map_err(|error: FitError| error.at(entry.key.span()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FitError> {
        let Some((key, node)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(Reader { node, coerce: self.coerce })
            .map_err(|error| error.below(Segment::Key(Arc::clone(key))))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Variant<'de> {
    name: &'de str,
    at: Option<Span>,
    content: Option<&'de Node>,
    coerce: Coerce,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = FitError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), FitError> {
        let name: de::value::StrDeserializer<'_, FitError> = self.name.into_deserializer();
        let value = seed.deserialize(name).map_err(|error| error.at(self.at))?;
        Ok((value, self))
    }
}

impl<'de> Variant<'de> {
    fn content(&self) -> Result<Reader<'de>, FitError> {
        match self.content {
            Some(node) => Ok(Reader { node, coerce: self.coerce }),
            None => Err(de::Error::custom(format_args!("`{}` needs a value: write it as a key", self.name))),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = FitError;

    fn unit_variant(self) -> Result<(), FitError> {
        match self.content {
            None => Ok(()),
            Some(node) if node.value == Value::Null => Ok(()),
            Some(node) => {
                let error: FitError = de::Error::custom(format_args!("`{}` takes no value", self.name));
                Err(error.at(node.span()))
            }
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, FitError> {
        seed.deserialize(self.content()?).map_err(|error| error.below(Segment::Key(self.name.into())))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, FitError> {
        de::Deserializer::deserialize_any(self.content()?, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FitError> {
        de::Deserializer::deserialize_any(self.content()?, visitor)
            .map_err(|error| error.below(Segment::Key(self.name.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::yaml::{Options, read};

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Chart {
        name: String,
        app_version: Option<String>,
        #[serde(default)]
        ports: Vec<u16>,
    }

    fn node(text: &str) -> Node {
        read(Sources::new().add("a.yaml", text), text, Options::STRICT).expect("YAML")
    }

    #[test]
    fn numbers_become_strings_only_where_asked() {
        let node = node("name: a\nappVersion: 1.10\nports: [1]\n");
        let chart: Chart = from_node_coercing(&node).expect("a chart");
        let wanted = Chart { name: "a".into(), app_version: Some("1.1".into()), ports: vec![1] };
        assert_eq!(chart, wanted);
        let error = from_node::<Chart>(&node).expect_err("a number is no string");
        assert_eq!(error.to_string(), "the number `1.1` where a string was expected in `appVersion`");
    }

    #[test]
    fn errors_have_places_and_names() {
        let unknown = node("name: a\nappVersoin: b\n");
        let error = from_node::<Chart>(&unknown).expect_err("an unknown key");
        assert!(matches!(error.misfit(), Misfit::UnknownField { field, .. } if field == "appVersoin"));
        assert_eq!(error.span().map(|span| (span.start, span.end)), Some((8, 18)));
        let nested = node("name: a\nports: [1, 70000]\n");
        let error = from_node::<Chart>(&nested).expect_err("too large");
        assert_eq!(error.path().to_string(), "ports[1]");
        assert_eq!(error.span().map(|span| (span.start, span.end)), Some((19, 24)));
        let missing = node("ports: []\n");
        let error = from_node::<Chart>(&missing).expect_err("no name");
        assert_eq!(error.misfit(), &Misfit::MissingField("name"));
    }
}
