//! A first look at values: whether they certainly keep a schema, told without the validator.
//!
//! Making the validator costs more than the rest of a small render, and nearly all values keep their schema. So the
//! schema is first read into a few small nodes that know the common keywords alone. What it says counts only where it
//! is sure: a keyword that is not known here, a shape that the metaschema would not take, a number that doubles cannot
//! hold, and values that break the schema all leave the verdict and the words to the validator.

mod read;

use super::cost::Left;
use crate::helm::values::{Data, Table, Value};

/// Visits of a subschema with a value; more are left to the validator, which has a budget of its own.
const MAX_VISITS: u64 = 200_000;
/// How deep one subschema may lead to the next.
const MAX_DEPTH: u32 = 300;
/// Beyond this a double is not the number that was written.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What is known of a value and a subschema.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
    Unsure,
}

impl Verdict {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unsure => match other() {
                Self::No => Self::No,
                _ => Self::Unsure,
            },
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unsure => Self::Unsure,
        }
    }
}

/// A schema as far as it is known here.
pub(super) struct Quick {
    nodes: Vec<Node>,
    root: u32,
    /// Up to draft 7 a `$ref` hides the keywords beside it, and `format` is asserted.
    old: bool,
}

/// A subschema. Others are named by their number.
#[derive(Default)]
struct Node {
    never: bool,
    reference: Option<u32>,
    /// The allowed kinds, a bit each; none where the keyword is missing.
    kinds: u8,
    required: Box<[Box<str>]>,
    /// Sorted by name.
    properties: Box<[(Box<str>, u32)]>,
    additional: Option<u32>,
    items: Option<u32>,
    rare: Option<Box<Rare>>,
}

/// Keywords that few subschemas have.
#[derive(Default)]
struct Rare {
    choices: Option<Box<[Constant]>>,
    format: bool,
    pattern: bool,
    all_of: Box<[u32]>,
    any_of: Option<Box<[u32]>>,
    one_of: Option<Box<[u32]>>,
    not: Option<u32>,
    condition: Option<u32>,
    then: Option<u32>,
    otherwise: Option<u32>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    above: Option<f64>,
    below: Option<f64>,
    /// Of a text, a list and a table: the least and the most parts.
    lengths: [(Option<u64>, Option<u64>); 3],
    unique: bool,
}

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
/// Whole numbers are numbers, too.
const NUMBER: u8 = 8 | INTEGER;
const FRACTION: u8 = 8;
const TEXT: u8 = 16;
const LIST: u8 = 32;
const TABLE: u8 = 64;

/// A value that a schema spells out.
#[derive(Clone, Debug, PartialEq)]
enum Constant {
    Null,
    Bool(bool),
    Number(f64),
    Text(Box<str>),
    /// A list or an object, which is not looked into.
    Nested,
}

impl Quick {
    /// Whether the values certainly keep the schema.
    pub(super) fn allows(&self, values: &Table, left: &mut Left) -> bool {
        let mut walk = Walk { quick: self, left: left.take(MAX_VISITS) };
        let verdict = walk.visit(self.root, Held::Table(values), 0);
        left.put_back(walk.left);
        verdict == Verdict::Yes
    }
}

/// A value as a schema sees it.
#[derive(Copy, Clone)]
enum Held<'v> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'v str),
    List(&'v [Value]),
    Table(&'v Table),
}

impl<'v> Held<'v> {
    /// Nothing for what JSON cannot hold, or not exactly.
    fn of(value: &'v Value) -> Option<Self> {
        Some(match &value.data {
            Data::Null => Self::Null,
            Data::Bool(truth) => Self::Bool(*truth),
            #[allow(clippy::cast_precision_loss, reason = "what is lost is beyond EXACT, and not taken")]
            Data::Int(number) => return exact(*number as f64).map(Self::Number),
            Data::Float(number) => return exact(*number).map(Self::Number),
            Data::String(text) => Self::Text(text.as_str()?),
            Data::List(items) => Self::List(items),
            Data::Table(table) => Self::Table(table),
        })
    }

    fn kind(self) -> u8 {
        match self {
            Self::Null => NULL,
            Self::Bool(_) => BOOLEAN,
            Self::Number(number) if number.fract() == 0.0 => INTEGER,
            Self::Number(_) => FRACTION,
            Self::Text(_) => TEXT,
            Self::List(_) => LIST,
            Self::Table(_) => TABLE,
        }
    }
}

fn exact(number: f64) -> Option<f64> {
    (number.abs() < EXACT).then_some(number)
}

struct Walk<'q> {
    quick: &'q Quick,
    left: u64,
}

impl<'q> Walk<'q> {
    fn visit(&mut self, id: u32, value: Held<'_>, depth: u32) -> Verdict {
        if self.left == 0 || depth > MAX_DEPTH {
            return Verdict::Unsure;
        }
        self.left -= 1;
        let quick = self.quick;
        let Some(node) = quick.nodes.get(id as usize) else { return Verdict::Unsure };
        if node.never {
            return Verdict::No;
        }
        if let Some(target) = node.reference {
            let verdict = self.visit(target, value, depth + 1);
            if quick.old {
                return verdict;
            }
            return verdict.and(|| self.keywords(node, value, depth + 1));
        }
        self.keywords(node, value, depth + 1)
    }

    fn keywords(&mut self, node: &'q Node, value: Held<'_>, depth: u32) -> Verdict {
        if node.kinds != 0 && node.kinds & value.kind() == 0 {
            return Verdict::No;
        }
        let verdict = match value {
            Held::Table(table) => self.members(node, table, depth),
            Held::List(items) => match node.items {
                Some(inner) => self.each(items.iter(), inner, depth),
                None => Verdict::Yes,
            },
            _ => Verdict::Yes,
        };
        match &node.rare {
            Some(rare) => verdict.and(|| self.rare(rare, value, depth)),
            None => verdict,
        }
    }

    fn one(&mut self, id: u32, value: &Value, depth: u32) -> Verdict {
        match Held::of(value) {
            Some(value) => self.visit(id, value, depth),
            None => Verdict::Unsure,
        }
    }

    fn each<'v>(&mut self, values: impl Iterator<Item = &'v Value>, id: u32, depth: u32) -> Verdict {
        let mut all = Verdict::Yes;
        for value in values {
            all = all.and(|| self.one(id, value, depth));
            if all == Verdict::No {
                break;
            }
        }
        all
    }

    fn members(&mut self, node: &'q Node, table: &Table, depth: u32) -> Verdict {
        if !node.required.iter().all(|name| table.contains_key(name.as_bytes())) {
            return Verdict::No;
        }
        let mut all = Verdict::Yes;
        if node.properties.is_empty() && node.additional.is_none() {
            return all;
        }
        for (key, value) in table.iter() {
            let Some(key) = key.as_str() else { return Verdict::Unsure };
            let known = node.properties.binary_search_by(|(name, _)| (**name).cmp(key));
            let inner = match known {
                Ok(at) => Some(node.properties[at].1),
                Err(_) => node.additional,
            };
            if let Some(inner) = inner {
                all = all.and(|| self.one(inner, value, depth));
                if all == Verdict::No {
                    break;
                }
            }
        }
        all
    }

    fn rare(&mut self, rare: &'q Rare, value: Held<'_>, depth: u32) -> Verdict {
        let scalar = rare.scalar(value, self.quick.old);
        scalar.and(|| {
            let mut all = Verdict::Yes;
            for id in &rare.all_of {
                all = all.and(|| self.visit(*id, value, depth));
            }
            if let Some(ids) = &rare.any_of {
                all = all.and(|| self.any(ids, value, depth));
            }
            if let Some(ids) = &rare.one_of {
                all = all.and(|| self.exactly_one(ids, value, depth));
            }
            if let Some(id) = rare.not {
                all = all.and(|| self.visit(id, value, depth).not());
            }
            if let Some(id) = rare.condition {
                all = all.and(|| {
                    let branch = match self.visit(id, value, depth) {
                        Verdict::Yes => rare.then,
                        Verdict::No => rare.otherwise,
                        Verdict::Unsure => return Verdict::Unsure,
                    };
                    branch.map_or(Verdict::Yes, |id| self.visit(id, value, depth))
                });
            }
            all
        })
    }

    fn any(&mut self, ids: &[u32], value: Held<'_>, depth: u32) -> Verdict {
        let mut best = Verdict::No;
        for id in ids {
            match self.visit(*id, value, depth) {
                Verdict::Yes => return Verdict::Yes,
                Verdict::Unsure => best = Verdict::Unsure,
                Verdict::No => {}
            }
        }
        best
    }

    fn exactly_one(&mut self, ids: &[u32], value: Held<'_>, depth: u32) -> Verdict {
        let (mut found, mut unsure) = (0, false);
        for id in ids {
            match self.visit(*id, value, depth) {
                Verdict::Yes => found += 1,
                Verdict::Unsure => unsure = true,
                Verdict::No => {}
            }
        }
        match found {
            0 if unsure => Verdict::Unsure,
            1 if unsure => Verdict::Unsure,
            1 => Verdict::Yes,
            _ => Verdict::No,
        }
    }
}

impl Rare {
    /// The keywords that look at the value alone.
    fn scalar(&self, value: Held<'_>, old: bool) -> Verdict {
        let mut all = Verdict::Yes;
        if let Some(choices) = &self.choices {
            all = all.and(|| among(choices, value));
        }
        let within = |(least, most): (Option<u64>, Option<u64>), parts: usize| {
            let parts = parts as u64;
            Verdict::of(least.is_none_or(|least| parts >= least) && most.is_none_or(|most| parts <= most))
        };
        match value {
            Held::Number(number) => all.and(|| {
                Verdict::of(
                    self.minimum.is_none_or(|limit| number >= limit)
                        && self.maximum.is_none_or(|limit| number <= limit)
                        && self.above.is_none_or(|limit| number > limit)
                        && self.below.is_none_or(|limit| number < limit),
                )
            }),
            Held::Text(_) if self.pattern || self.format && old => all.and(|| Verdict::Unsure),
            Held::Text(text) => all.and(|| within(self.lengths[0], text.chars().count())),
            Held::List(items) => all
                .and(|| within(self.lengths[1], items.len()))
                .and(|| if self.unique { unique(items) } else { Verdict::Yes }),
            Held::Table(table) => all.and(|| within(self.lengths[2], table.len())),
            Held::Null | Held::Bool(_) => all,
        }
    }
}

fn among(choices: &[Constant], value: Held<'_>) -> Verdict {
    let mut best = Verdict::No;
    for choice in choices {
        match (choice, value) {
            (Constant::Null, Held::Null) => return Verdict::Yes,
            (Constant::Bool(a), Held::Bool(b)) if *a == b => return Verdict::Yes,
            #[allow(clippy::float_cmp, reason = "both are exact")]
            (Constant::Number(a), Held::Number(b)) if *a == b => return Verdict::Yes,
            (Constant::Text(a), Held::Text(b)) if **a == *b => return Verdict::Yes,
            (Constant::Nested, Held::List(_) | Held::Table(_)) => best = Verdict::Unsure,
            _ => {}
        }
    }
    best
}

/// Whether no two items are equal; of short lists of texts alone.
fn unique(items: &[Value]) -> Verdict {
    if items.len() < 2 {
        return Verdict::Yes;
    }
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match Held::of(item) {
            Some(Held::Text(text)) => texts.push(text),
            _ => return Verdict::Unsure,
        }
    }
    texts.sort_unstable();
    Verdict::of(texts.windows(2).all(|pair| pair[0] != pair[1]))
}

#[cfg(test)]
mod tests;
