//! The text of a schema to nodes, in one pass and without the tree between.
//!
//! Refuses, by giving nothing, every schema that holds a keyword whose meaning is not known here, and every one whose
//! shape the metaschema of its draft might not take: those are the validator's.

use super::{BOOLEAN, Constant, INTEGER, LIST, NULL, NUMBER, Node, Quick, Rare, TABLE, TEXT, exact};
use crate::helm::schema::draft_of;
use jsonschema::Draft;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Lists of constants longer than this are not held against each other.
const MAX_CHOICES: usize = 200;

impl Quick {
    /// The nodes of a schema that is known in all its parts.
    pub(in crate::helm::schema) fn read(text: &[u8]) -> Option<Self> {
        let mut builder = Builder::default();
        let mut input = serde_json::Deserializer::from_str(std::str::from_utf8(text).ok()?);
        let root = Subschema { builder: &mut builder, place: Place::Root }.deserialize(&mut input).ok()?;
        input.end().ok()?;
        let Builder { mut nodes, named, references, draft, uses, .. } = builder;
        let draft = draft?;
        let old = matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7);
        // Words that an older draft does not know mean nothing in it.
        if (uses.beyond_draft_4 && draft == Draft::Draft4)
            || (uses.beyond_draft_6 && matches!(draft, Draft::Draft4 | Draft::Draft6))
        {
            return None;
        }
        for (id, name) in references {
            let target = if name == "#" { root } else { *named.get(&name)? };
            nodes.get_mut(id as usize)?.reference = Some(target);
        }
        Some(Self { nodes, root, old })
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// The definitions of the root, as references name them.
    named: BTreeMap<String, u32>,
    references: Vec<(u32, String)>,
    /// The subschemas that say nothing but a kind, by it: most do.
    plain: BTreeMap<u8, u32>,
    /// What `$schema` says; the newest draft where it is missing.
    draft: Option<Draft>,
    uses: Uses,
}

/// What some drafts know and others do not.
#[derive(Default)]
struct Uses {
    /// Schemas that are a boolean, bounds that are numbers, `const`, an empty `required`.
    beyond_draft_4: bool,
    /// `if`, `then`, `else`.
    beyond_draft_6: bool,
}

impl Builder {
    fn add_kinds<E: Error>(&mut self, kinds: u8) -> Result<u32, E> {
        if let Some(id) = self.plain.get(&kinds) {
            return Ok(*id);
        }
        let id = self.add(Node { kinds, ..Node::default() })?;
        self.plain.insert(kinds, id);
        Ok(id)
    }

    fn add<E: Error>(&mut self, node: Node) -> Result<u32, E> {
        let id = u32::try_from(self.nodes.len()).map_err(E::custom)?;
        self.nodes.push(node);
        Ok(id)
    }
}

impl Node {
    fn says_kinds_alone(&self) -> bool {
        let Self { never, reference: _, kinds: _, required, properties, additional, items, rare } = self;
        !never
            && required.is_empty()
            && properties.is_empty()
            && additional.is_none()
            && items.is_none()
            && rare.is_none()
    }
}

/// Leaves the schema to the validator.
fn unknown<E: Error>() -> E {
    E::custom("not known here")
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    Root,
    Inner,
    /// Behind `additionalProperties`, where every draft takes a boolean.
    Additional,
}

/// One subschema; its number.
struct Subschema<'b> {
    builder: &'b mut Builder,
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Subschema<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Subschema<'_> {
    type Value = u32;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a schema")
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<u32, E> {
        match self.place {
            Place::Root => return Err(unknown()),
            Place::Inner => self.builder.uses.beyond_draft_4 = true,
            Place::Additional => {}
        }
        self.builder.add(Node { never: !truth, ..Node::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u32, A::Error> {
        let Self { builder, place } = self;
        let mut draft = (place == Place::Root).then_some(Draft::Draft202012);
        let mut reference = None;
        let mut node = Node::default();
        let mut rare = Rare::default();
        let mut is_rare = false;
        let mut seen = 0_u64;
        while let Some(known) = map.next_key_seed(Keyword::Any)? {
            // Of a key that is there twice the last one counts: rare enough to be left to others.
            let bit = known.bit();
            if seen & bit != 0 {
                return Err(unknown());
            }
            seen |= bit;
            match known {
                Keyword::Any => drop(map.next_value::<IgnoredAny>()?),
                Keyword::Text => drop(map.next_value_seed(IsText)?),
                Keyword::Bool => drop(map.next_value::<bool>()?),
                Keyword::List => drop(map.next_value::<Vec<IgnoredAny>>()?),
                Keyword::Unknown => return Err(unknown()),
                Keyword::Schema if place == Place::Root => {
                    let uri = map.next_value_seed(Text)?;
                    draft = Some(draft_of(&uri).map_err(|_told_elsewhere| unknown())?);
                }
                Keyword::Schema => return Err(unknown()),
                // A name for the whole: what is found by pointers stays where it is.
                Keyword::Id if place == Place::Root && is_plain_url(&map.next_value_seed(Text)?) => {}
                Keyword::Id => return Err(unknown()),
                Keyword::Reference => reference = Some(map.next_value_seed(Text)?.into_string()),
                Keyword::Definitions | Keyword::Defs => {
                    let defined = map.next_value_seed(Named { builder })?;
                    if place == Place::Root {
                        let key = if known == Keyword::Defs { "$defs" } else { "definitions" };
                        for (name, id) in defined {
                            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
                            if name.bytes().all(plain) {
                                builder.named.insert(format!("#/{key}/{name}"), id);
                            }
                        }
                    }
                }
                Keyword::Properties => node.properties = map.next_value_seed(Named { builder })?,
                Keyword::Additional => {
                    let inner = Subschema { builder, place: Place::Additional };
                    node.additional = Some(map.next_value_seed(inner)?);
                }
                Keyword::Type => node.kinds = map.next_value_seed(Kinds)?,
                Keyword::Required => {
                    node.required = map.next_value_seed(Names)?;
                    builder.uses.beyond_draft_4 |= node.required.is_empty();
                }
                Keyword::Items => node.items = Some(inner(builder, &mut map)?),
                _ => {
                    is_rare = true;
                    rare_keyword(known, &mut rare, builder, &mut map)?;
                }
            }
        }
        if is_rare {
            if rare.condition.is_none() {
                (rare.then, rare.otherwise) = (None, None);
            }
            node.rare = Some(Box::new(rare));
        }
        if place == Place::Root {
            builder.draft = draft;
        }
        if reference.is_none() && !is_rare && node.says_kinds_alone() {
            return builder.add_kinds(node.kinds);
        }
        let id = builder.add(node)?;
        if let Some(name) = reference {
            builder.references.push((id, name));
        }
        Ok(id)
    }
}

/// An address without anything that would have to be resolved.
fn is_plain_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain))
}

/// An expression that certainly compiles: single characters, sets of letters and digits, how often they are there.
fn is_plain_pattern(pattern: &str) -> bool {
    let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
    rest = rest.strip_suffix('$').unwrap_or(rest);
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '[' => match rest[1..].split_once(']') {
                Some((set, behind)) if is_plain_set(set) => behind,
                _ => return false,
            },
            '0'..='9' | 'a'..='z' | 'A'..='Z' | ':' | '/' | '_' | '%' | '@' => &rest[1..],
            _ => return false,
        };
        rest = match rest.chars().next() {
            Some('+' | '*' | '?') => &rest[1..],
            Some('{') => match rest[1..].split_once('}') {
                Some((times, behind)) if times.parse::<u8>().is_ok_and(|times| times > 0) => behind,
                _ => return false,
            },
            _ => rest,
        };
    }
    true
}

fn is_plain_set(set: &str) -> bool {
    let mut rest = set.as_bytes();
    while let [first, behind @ ..] = rest {
        let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_lowercase(), b.is_ascii_uppercase());
        if !first.is_ascii_alphanumeric() {
            return false;
        }
        rest = match behind {
            [b'-', last, behind @ ..] if kind(*first) == kind(*last) && first <= last => behind,
            _ => behind,
        };
    }
    !set.is_empty()
}

fn inner<'de, A: MapAccess<'de>>(builder: &mut Builder, map: &mut A) -> Result<u32, A::Error> {
    map.next_value_seed(Subschema { builder, place: Place::Inner })
}

fn rare_keyword<'de, A: MapAccess<'de>>(
    keyword: Keyword,
    rare: &mut Rare,
    builder: &mut Builder,
    map: &mut A,
) -> Result<(), A::Error> {
    match keyword {
        Keyword::Enum => rare.choices = Some(map.next_value_seed(Choices)?),
        Keyword::Const => {
            builder.uses.beyond_draft_4 = true;
            let one = map.next_value_seed(One)?;
            if rare.choices.replace([one].into()).is_some() {
                return Err(unknown());
            }
        }
        Keyword::Format => {
            let format = map.next_value_seed(Text)?;
            rare.format = !matches!(&*format, "int32" | "int64");
        }
        Keyword::AllOf => rare.all_of = map.next_value_seed(Branches { builder })?,
        Keyword::AnyOf => rare.any_of = Some(map.next_value_seed(Branches { builder })?),
        Keyword::OneOf => rare.one_of = Some(map.next_value_seed(Branches { builder })?),
        Keyword::Not => rare.not = Some(inner(builder, map)?),
        Keyword::If => {
            builder.uses.beyond_draft_6 = true;
            rare.condition = Some(inner(builder, map)?);
        }
        Keyword::Then => {
            builder.uses.beyond_draft_6 = true;
            rare.then = Some(inner(builder, map)?);
        }
        Keyword::Else => {
            builder.uses.beyond_draft_6 = true;
            rare.otherwise = Some(inner(builder, map)?);
        }
        Keyword::Minimum => rare.minimum = Some(limit(map)?),
        Keyword::Maximum => rare.maximum = Some(limit(map)?),
        Keyword::Above | Keyword::Below => {
            builder.uses.beyond_draft_4 = true;
            let limit = Some(limit(map)?);
            *(if keyword == Keyword::Above { &mut rare.above } else { &mut rare.below }) = limit;
        }
        Keyword::MinLength => rare.lengths[0].0 = Some(map.next_value()?),
        Keyword::MaxLength => rare.lengths[0].1 = Some(map.next_value()?),
        Keyword::MinItems => rare.lengths[1].0 = Some(map.next_value()?),
        Keyword::MaxItems => rare.lengths[1].1 = Some(map.next_value()?),
        Keyword::MinProperties => rare.lengths[2].0 = Some(map.next_value()?),
        Keyword::MaxProperties => rare.lengths[2].1 = Some(map.next_value()?),
        Keyword::Unique => rare.unique = map.next_value()?,
        Keyword::Pattern if is_plain_pattern(&map.next_value_seed(Text)?) => rare.pattern = true,
        _ => return Err(unknown()),
    }
    Ok(())
}

fn limit<'de, A: MapAccess<'de>>(map: &mut A) -> Result<f64, A::Error> {
    match map.next_value_seed(One)? {
        Constant::Number(number) => Ok(number),
        _ => Err(unknown()),
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Keyword {
    /// Means nothing to a validator, or nothing here.
    Any,
    Text,
    Bool,
    List,
    Unknown,
    Schema,
    Id,
    Reference,
    Definitions,
    Defs,
    Properties,
    Additional,
    Type,
    Required,
    Items,
    Enum,
    Const,
    Format,
    Pattern,
    AllOf,
    AnyOf,
    OneOf,
    Not,
    If,
    Then,
    Else,
    Minimum,
    Maximum,
    Above,
    Below,
    MinLength,
    MaxLength,
    MinItems,
    MaxItems,
    MinProperties,
    MaxProperties,
    Unique,
}

impl Keyword {
    fn named(key: &str) -> Self {
        match key {
            "title" | "description" | "$comment" => Keyword::Text,
            "examples" => Keyword::List,
            "deprecated" | "readOnly" | "writeOnly" => Keyword::Bool,
            "$schema" => Keyword::Schema,
            "$id" => Keyword::Id,
            "$ref" => Keyword::Reference,
            "definitions" => Keyword::Definitions,
            "$defs" => Keyword::Defs,
            "properties" => Keyword::Properties,
            "additionalProperties" => Keyword::Additional,
            "type" => Keyword::Type,
            "required" => Keyword::Required,
            "items" => Keyword::Items,
            "enum" => Keyword::Enum,
            "const" => Keyword::Const,
            "format" => Keyword::Format,
            "pattern" => Keyword::Pattern,
            "allOf" => Keyword::AllOf,
            "anyOf" => Keyword::AnyOf,
            "oneOf" => Keyword::OneOf,
            "not" => Keyword::Not,
            "if" => Keyword::If,
            "then" => Keyword::Then,
            "else" => Keyword::Else,
            "minimum" => Keyword::Minimum,
            "maximum" => Keyword::Maximum,
            "exclusiveMinimum" => Keyword::Above,
            "exclusiveMaximum" => Keyword::Below,
            "minLength" => Keyword::MinLength,
            "maxLength" => Keyword::MaxLength,
            "minItems" => Keyword::MinItems,
            "maxItems" => Keyword::MaxItems,
            "minProperties" => Keyword::MinProperties,
            "maxProperties" => Keyword::MaxProperties,
            "uniqueItems" => Keyword::Unique,
            "id"
            | "patternProperties"
            | "propertyNames"
            | "multipleOf"
            | "contains"
            | "minContains"
            | "maxContains"
            | "prefixItems"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "dependencies"
            | "dependentSchemas"
            | "dependentRequired"
            | "contentEncoding"
            | "contentMediaType"
            | "contentSchema" => Keyword::Unknown,
            // Names of documents, anchors and what else the core may bring.
            other if other.starts_with('$') => Keyword::Unknown,
            _ => Keyword::Any,
        }
    }

    /// Its bit among the keywords that may be there once.
    fn bit(self) -> u64 {
        match self {
            Self::Any | Self::Text | Self::Bool | Self::List => 0,
            other => 1 << (other as u8),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Keyword {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Keyword {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a keyword")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self, E> {
        Ok(Self::named(key))
    }
}

/// A text, owned.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Box<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Box<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Text {
    type Value = Box<str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Box<str>, E> {
        Ok(text.into())
    }
}

/// A text that nobody reads.
struct IsText;

impl<'de> DeserializeSeed<'de> for IsText {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsText {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// A map of names to subschemas, sorted by name.
struct Named<'b> {
    builder: &'b mut Builder,
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Box<[(Box<str>, u32)]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Box<[(Box<str>, u32)]>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("subschemas by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Text)? {
            members.push((name, inner(self.builder, &mut map)?));
        }
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        if members.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(unknown());
        }
        Ok(members.into())
    }
}

/// A list of subschemas with at least one.
struct Branches<'b> {
    builder: &'b mut Builder,
}

impl<'de> DeserializeSeed<'de> for Branches<'_> {
    type Value = Box<[u32]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Branches<'_> {
    type Value = Box<[u32]>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("subschemas")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut ids = Vec::new();
        while let Some(id) =
            list.next_element_seed(Subschema { builder: self.builder, place: Place::Inner })?
        {
            ids.push(id);
        }
        if ids.is_empty() { Err(unknown()) } else { Ok(ids.into()) }
    }
}

/// Names, each once.
struct Names;

impl<'de> DeserializeSeed<'de> for Names {
    type Value = Box<[Box<str>]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Box<[Box<str>]>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element_seed(Text)? {
            names.push(name);
        }
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(unknown());
        }
        Ok(names.into())
    }
}

/// The kinds of `type`: one, or a list of different ones.
struct Kinds;

fn kind<E: Error>(name: &str) -> Result<u8, E> {
    Ok(match name {
        "null" => NULL,
        "boolean" => BOOLEAN,
        "integer" => INTEGER,
        "number" => NUMBER,
        "string" => TEXT,
        "array" => LIST,
        "object" => TABLE,
        _ => return Err(unknown()),
    })
}

impl<'de> DeserializeSeed<'de> for Kinds {
    type Value = u8;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u8, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kinds {
    type Value = u8;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a kind")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<u8, E> {
        kind(name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<u8, A::Error> {
        let mut names: Vec<Box<str>> = Vec::new();
        let mut kinds = 0;
        while let Some(name) = list.next_element_seed(Text)? {
            if names.contains(&name) {
                return Err(unknown());
            }
            kinds |= kind::<A::Error>(&name)?;
            names.push(name);
        }
        if kinds == 0 { Err(unknown()) } else { Ok(kinds) }
    }
}

/// The values of `enum`: at least one, each once.
struct Choices;

impl<'de> DeserializeSeed<'de> for Choices {
    type Value = Box<[Constant]>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Choices {
    type Value = Box<[Constant]>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut choices = Vec::new();
        while let Some(choice) = list.next_element_seed(One)? {
            if choices.len() == MAX_CHOICES || choices.contains(&choice) {
                return Err(unknown());
            }
            choices.push(choice);
        }
        if choices.is_empty() { Err(unknown()) } else { Ok(choices.into()) }
    }
}

/// Any value, of which scalars are kept.
struct One;

impl<'de> DeserializeSeed<'de> for One {
    type Value = Constant;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Constant, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Constant;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Constant, E> {
        Ok(Constant::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Constant, E> {
        Ok(Constant::Bool(truth))
    }

    #[allow(clippy::cast_precision_loss, reason = "what is lost is beyond EXACT, and not taken")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Constant, E> {
        self.visit_f64(number as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "what is lost is beyond EXACT, and not taken")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Constant, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Constant, E> {
        exact(number).map(Constant::Number).ok_or_else(unknown)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Constant, E> {
        Ok(Constant::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Constant, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Constant::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Constant, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Constant::Nested)
    }
}
