//! Values while an expression runs.
//!
//! Lists and maps of documents are borrowed, never copied; those that an expression makes are shared. Equality
//! and order are CEL's: numbers compare across their types, NaN equals nothing, values of different types are
//! unequal.

use super::declared::{Declared, Listed, Typed};
use super::fault::Fault;
use super::net::{Cidr, Url};
use super::quantity::Quantity;
use super::semver::Semver;
use super::time::Timestamp;
use crate::value::{Map, Node, Number, Value};
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// A value of CEL.
#[derive(Clone)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Arc<str>),
    Bytes(Arc<[u8]>),
    List(List<'a>),
    Map(Members<'a>),
    Timestamp(Timestamp),
    /// Nanoseconds.
    Duration(i64),
    Type(&'static str),
    Ip(IpAddr),
    Cidr(Cidr),
    Url(Arc<Url>),
    Quantity(Quantity),
    Semver(Arc<Semver>),
    Format(&'static str),
    /// A value that may be absent.
    Optional(Option<Arc<Val<'a>>>),
    /// The result that removes a key or an item.
    Omit,
}

/// A list.
#[derive(Clone)]
pub(super) enum List<'a> {
    Nodes(&'a [Node]),
    Owned(Arc<Vec<Val<'a>>>),
    /// What was made of a declared set or map, and still is one.
    Kept {
        items: Arc<Vec<Val<'a>>>,
        listed: Listed<'a>,
    },
    /// Data whose type is declared.
    Declared {
        items: &'a [Node],
        item: &'a dyn Declared,
        listed: Listed<'a>,
    },
}

/// A map.
#[derive(Clone)]
pub(super) enum Members<'a> {
    Nodes(&'a Map),
    Owned(Arc<IndexMap<Key, Val<'a>>>),
    /// Data whose type is declared.
    Declared(Typed<'a>),
}

/// A key of a map; integers of both kinds are equal where their numbers are.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Bool(bool),
    Int(i64),
    Uint(u64),
    String(Arc<str>),
}

impl Key {
    /// The number, where it is one.
    pub(super) fn number(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(i128::from(*number)),
            Self::Uint(number) => Some(i128::from(*number)),
            _ => None,
        }
    }

    pub(super) fn to_val<'a>(&self) -> Val<'a> {
        match self {
            Self::Bool(truth) => Val::Bool(*truth),
            Self::Int(number) => Val::Int(*number),
            Self::Uint(number) => Val::Uint(*number),
            Self::String(text) => Val::String(Arc::clone(text)),
        }
    }

    /// The key that a value is, if it can be one.
    pub(super) fn of(val: &Val<'_>) -> Option<Self> {
        Some(match val {
            Val::Bool(truth) => Self::Bool(*truth),
            Val::Int(number) => Self::Int(*number),
            Val::Uint(number) => Self::Uint(*number),
            Val::Double(number) => Self::Int(integral(*number)?),
            Val::String(text) => Self::String(Arc::clone(text)),
            _ => return None,
        })
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(truth) => truth.hash(state),
            Self::String(text) => text.hash(state),
            Self::Int(_) | Self::Uint(_) => self.number().hash(state),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Bool(_), _) | (_, Self::String(_)) => Ordering::Less,
            (Self::String(_), _) | (_, Self::Bool(_)) => Ordering::Greater,
            (a, b) => a.number().cmp(&b.number()),
        }
    }
}

/// The integer that a double is exactly.
#[allow(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "the range is checked, and equality is meant"
)]
pub(super) fn integral(number: f64) -> Option<i64> {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    (fits && number.trunc() == number).then_some(number as i64)
}

/// What an evaluation may still use.
#[derive(Debug)]
pub(super) struct Budget {
    steps: u64,
}

/// How many steps one evaluation takes at most: well over a second of work.
pub(super) const MAX_STEPS: u64 = 5_000_000;
/// How long a string or bytes value grows.
pub(super) const MAX_TEXT: usize = 4 << 20;
/// How long a list or map grows.
pub(super) const MAX_ITEMS: usize = 200_000;

impl Default for Budget {
    fn default() -> Self {
        Self { steps: MAX_STEPS }
    }
}

impl Budget {
    /// Takes `count` steps.
    pub(super) fn spend(&mut self, count: usize) -> Result<(), Fault> {
        let count = count as u64;
        if self.steps < count {
            return Err(Fault::limit(format!("this takes more than {MAX_STEPS} steps"))
                .help("comprehensions inside comprehensions multiply: compute less in one expression"));
        }
        self.steps -= count;
        Ok(())
    }

    /// Pays for a text that is about to be made.
    pub(super) fn text(&mut self, length: usize) -> Result<(), Fault> {
        if length > MAX_TEXT {
            return Err(Fault::limit(format!("this text would be longer than {MAX_TEXT} bytes")));
        }
        self.spend(length / 64 + 1)
    }

    /// Pays for a list that is about to be made.
    pub(super) fn items(&mut self, count: usize) -> Result<(), Fault> {
        if count > MAX_ITEMS {
            return Err(Fault::limit(format!("this list would have more than {MAX_ITEMS} items")));
        }
        self.spend(count / 8 + 1)
    }
}

impl<'a> Val<'a> {
    /// The value of a node, borrowed.
    pub(super) fn of(node: &'a Node) -> Result<Self, Fault> {
        Ok(match &node.value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(Number::Int(number)) => Self::Int(*number),
            Value::Number(Number::Float(number)) => Self::Double(*number),
            Value::Number(Number::Uint(number)) => {
                return Err(Fault::overflow(format!("{number} does not fit a signed integer of 64 bits"))
                    .related(node.span(), "the number")
                    .help("write it as a string"));
            }
            Value::String(text) => Self::String(Arc::clone(text)),
            Value::List(items) => Self::List(List::Nodes(items)),
            Value::Map(map) => Self::Map(Members::Nodes(map)),
        })
    }

    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    pub(super) fn optional(inner: Option<Self>) -> Self {
        Self::Optional(inner.map(Arc::new))
    }

    /// Whether it is the double that equals nothing.
    pub(super) fn is_nan(&self) -> bool {
        matches!(self, Self::Double(number) if number.is_nan())
    }

    /// Whether it is the value that a type starts from: zero, nothing, empty.
    pub(super) fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Int(0) | Self::Uint(0) | Self::Duration(0) => true,
            Self::Double(number) => *number == 0.0,
            Self::String(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.len() == 0,
            Self::Map(map) => map.len() == 0,
            Self::Optional(inner) => inner.is_none(),
            _ => false,
        }
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Owned(Arc::new(items)))
    }

    pub(super) fn map(members: IndexMap<Key, Self>) -> Self {
        Self::Map(Members::Owned(Arc::new(members)))
    }

    /// CEL's name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Optional(_) => "optional_type",
            Self::Omit => "omit",
        }
    }

    /// What users call it, with an article.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Uint(_) => "an unsigned integer",
            Self::Double(_) => "a number",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Timestamp(_) => "a timestamp",
            Self::Duration(_) => "a duration",
            Self::Type(_) => "a type",
            Self::Ip(_) => "an IP address",
            Self::Cidr(_) => "a CIDR",
            Self::Url(_) => "a URL",
            Self::Quantity(_) => "a quantity",
            Self::Semver(_) => "a version",
            Self::Format(_) => "a format",
            Self::Optional(_) => "an optional value",
            Self::Omit => "`omit`",
        }
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nodes(items) | Self::Declared { items, .. } => items.len(),
            Self::Owned(items) | Self::Kept { items, .. } => items.len(),
        }
    }

    /// How it is equal and adds up.
    pub(super) fn listed(&self) -> Listed<'a> {
        match self {
            Self::Nodes(_) | Self::Owned(_) => Listed::Plain,
            Self::Kept { listed, .. } | Self::Declared { listed, .. } => *listed,
        }
    }

    pub(super) fn item(&self, index: usize) -> Option<Result<Val<'a>, Fault>> {
        match self {
            Self::Nodes(items) => items.get(index).map(Val::of),
            Self::Owned(items) | Self::Kept { items, .. } => items.get(index).cloned().map(Ok),
            Self::Declared { items, item, .. } => items.get(index).map(|node| Val::declared(node, *item)),
        }
    }

    /// All items, each cheap to copy.
    pub(super) fn items(&self) -> Result<Vec<Val<'a>>, Fault> {
        match self {
            Self::Nodes(items) => items.iter().map(Val::of).collect(),
            Self::Owned(items) | Self::Kept { items, .. } => Ok(items.to_vec()),
            Self::Declared { items, item, .. } => {
                items.iter().map(|node| Val::declared(node, *item)).collect()
            }
        }
    }
}

impl<'a> Members<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nodes(map) => map.len(),
            Self::Owned(map) => map.len(),
            Self::Declared(typed) => typed.len(),
        }
    }

    /// The keys in order of writing.
    pub(super) fn keys(&self) -> Vec<Key> {
        match self {
            Self::Nodes(map) => map.keys().map(|key| Key::String(Arc::clone(key))).collect(),
            Self::Owned(map) => map.keys().cloned().collect(),
            Self::Declared(typed) => typed.keys(),
        }
    }

    /// A member.
    pub(super) fn get(&self, key: &Key) -> Option<Result<Val<'a>, Fault>> {
        match (self, key) {
            (Self::Nodes(map), Key::String(key)) => map.get(key.as_ref()).map(|entry| Val::of(&entry.node)),
            (Self::Owned(map), key) => map.get(key).cloned().map(Ok),
            (Self::Declared(typed), Key::String(key)) => typed.get(key),
            (Self::Nodes(_) | Self::Declared(_), _) => None,
        }
    }
}

/// CEL's `==`.
pub(super) fn equal(a: &Val<'_>, b: &Val<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    budget.spend(1)?;
    Ok(match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) => a == b,
        (Val::String(a), Val::String(b)) => a == b,
        (Val::Bytes(a), Val::Bytes(b)) => a == b,
        (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
        (Val::Duration(a), Val::Duration(b)) => a == b,
        (Val::Type(a), Val::Type(b)) | (Val::Format(a), Val::Format(b)) => a == b,
        (Val::Ip(a), Val::Ip(b)) => a == b,
        (Val::Cidr(a), Val::Cidr(b)) => a == b,
        (Val::Url(a), Val::Url(b)) => a == b,
        (Val::Quantity(a), Val::Quantity(b)) => a == b,
        (Val::Semver(a), Val::Semver(b)) => a.compare(b) == Ordering::Equal,
        (Val::Optional(a), Val::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => equal(a, b, budget)?,
            (a, b) => a.is_none() && b.is_none(),
        },
        (Val::List(a), Val::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            if let Listed::Set | Listed::Map(_) = a.listed() {
                return alike(a, b, budget);
            }
            for index in 0..a.len() {
                if let (Some(a), Some(b)) = (a.item(index), b.item(index))
                    && !equal(&a?, &b?, budget)?
                {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Map(a), Val::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for key in a.keys() {
                let (Some(a), Some(b)) = (a.get(&key), b.get(&key)) else { return Ok(false) };
                if !equal(&a?, &b?, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        // A server compares declared data with its like alone.
        (Val::List(List::Declared { .. } | List::Kept { .. }) | Val::Map(Members::Declared(_)), other) => {
            return Err(Fault::of_type(format!("{} does not compare with {}", a.noun(), other.noun())));
        }
        _ => compare_numbers(a, b) == Some(Ordering::Equal),
    })
}

/// Whether two lists hold the same, in any order.
fn alike(a: &List<'_>, b: &List<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    let a = a.items()?;
    for wanted in b.items()? {
        let mut found = false;
        for item in &a {
            if equal(item, &wanted, budget)? {
                found = true;
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers of any type; `None` for NaN and for what is no number.
pub(super) fn compare_numbers(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    Some(match (a, b) {
        (Val::Int(a), Val::Int(b)) => a.cmp(b),
        (Val::Uint(a), Val::Uint(b)) => a.cmp(b),
        (Val::Int(a), Val::Uint(b)) => i128::from(*a).cmp(&i128::from(*b)),
        (Val::Uint(a), Val::Int(b)) => i128::from(*a).cmp(&i128::from(*b)),
        (Val::Double(a), Val::Double(b)) => return a.partial_cmp(b),
        (Val::Double(a), Val::Int(b)) => return compare_with_integer(*a, i128::from(*b)),
        (Val::Double(a), Val::Uint(b)) => return compare_with_integer(*a, i128::from(*b)),
        (Val::Int(a), Val::Double(b)) => {
            return compare_with_integer(*b, i128::from(*a)).map(Ordering::reverse);
        }
        (Val::Uint(a), Val::Double(b)) => {
            return compare_with_integer(*b, i128::from(*a)).map(Ordering::reverse);
        }
        _ => return None,
    })
}

/// Exact, where turning the integer into a double would round.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn compare_with_integer(double: f64, integer: i128) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= 1e30 {
        return Some(Ordering::Greater);
    }
    if double <= -1e30 {
        return Some(Ordering::Less);
    }
    let whole = (double.trunc() as i128).cmp(&integer);
    Some(whole.then(double.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}

/// The order of two values of one ordered type; `None` where CEL defines none.
pub(super) fn compare(a: &Val<'_>, b: &Val<'_>) -> Option<Ordering> {
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::String(a), Val::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Val::Bytes(a), Val::Bytes(b)) => Some(a.cmp(b)),
        (Val::Timestamp(a), Val::Timestamp(b)) => Some(a.cmp(b)),
        (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        _ => compare_numbers(a, b),
    }
}

/// A double as text: integers without a fraction, the shortest digits that read back as the same number.
pub(super) fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        // Rust writes 1e21, Go and JSON 1e+21
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
            _ => text,
        };
    }
    if number == 0.0 { "0".to_owned() } else { format!("{number}") }
}
