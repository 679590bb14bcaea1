//! The functions of expressions: CEL's own, those of Kubernetes, and a few for text that holds data.
//!
//! A function is an entry of a table: its name, how it may be called, and a function over values whose first
//! argument is the receiver. Messages write `{f}` for the function's name.

mod convert;
mod encode;
mod kubernetes;
mod lists;
mod math;
mod network;
mod optional;
mod strings;
mod times;

use super::data::{Budget, List, Members, Val};
use super::fault::Fault;
use super::parser::Dialect;
use regex::{Regex, RegexBuilder};
use std::sync::{Arc, Mutex, PoisonError};

/// What functions may use.
pub(super) struct Tools {
    pub(super) budget: Budget,
    dialect: Dialect,
    patterns: Arc<Patterns>,
}

impl Tools {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self::with(dialect, Arc::default())
    }

    /// With patterns that were compiled before.
    pub(super) fn with(dialect: Dialect, patterns: Arc<Patterns>) -> Self {
        Self { budget: Budget::default(), dialect, patterns }
    }

    /// Whose language is evaluated.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A compiled pattern, kept with the others.
    fn regex(&mut self, pattern: &Arc<str>) -> Result<Regex, Fault> {
        if let Some(regex) = self.patterns.find(pattern) {
            return Ok(regex);
        }
        self.budget.spend(1000)?;
        let regex = match self.dialect {
            Dialect::Stack => RegexBuilder::new(pattern).size_limit(1 << 20).build().map_err(|error| {
                Fault::of_value(format!("`{pattern}` is no pattern")).note(last_line(&error.to_string()))
            })?,
            Dialect::Kubernetes => crate::pattern::compile(pattern)
                .ok_or_else(|| Fault::of_value(format!("`{pattern}` is no pattern")))?,
        };
        self.patterns.keep(pattern, &regex);
        Ok(regex)
    }
}

/// Patterns that were compiled: those of one evaluation, or of all evaluations of one rule.
#[derive(Debug, Default)]
pub(super) struct Patterns(Mutex<Vec<(Arc<str>, Regex)>>);

impl Patterns {
    /// How many are kept.
    const MOST: usize = 64;

    fn find(&self, pattern: &str) -> Option<Regex> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(known, _)| known.as_ref() == pattern).map(|(_, regex)| regex.clone())
    }

    fn keep(&self, pattern: &Arc<str>, regex: &Regex) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < Self::MOST {
            known.push((Arc::clone(pattern), regex.clone()));
        }
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or(text).trim().to_owned()
}

/// What runs a function: the receiver is the first argument.
pub(super) type Run = for<'a> fn(&mut Tools, &[Val<'a>]) -> Result<Val<'a>, Fault>;

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    /// The word before the dot, `math` in `math.ceil`; empty for most.
    pub(super) space: &'static str,
    pub(super) name: &'static str,
    /// Called as `name(x)`.
    pub(super) global: bool,
    /// Called as `x.name()`.
    pub(super) member: bool,
    /// Fewest and most arguments, the receiver included.
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) usage: &'static str,
    pub(super) run: Run,
}

/// `x.name(...)`.
const fn member(name: &'static str, min: usize, max: usize, usage: &'static str, run: Run) -> Function {
    Function { space: "", name, global: false, member: true, min, max, usage, run }
}

/// `name(...)`.
const fn global(name: &'static str, min: usize, max: usize, usage: &'static str, run: Run) -> Function {
    Function { space: "", name, global: true, member: false, min, max, usage, run }
}

/// `name(x)` and `x.name()`.
const fn both(name: &'static str, min: usize, max: usize, usage: &'static str, run: Run) -> Function {
    Function { space: "", name, global: true, member: true, min, max, usage, run }
}

/// `space.name(...)`.
const fn within(
    space: &'static str,
    name: &'static str,
    min: usize,
    max: usize,
    usage: &'static str,
    run: Run,
) -> Function {
    Function { space, name, global: true, member: false, min, max, usage, run }
}

const STACK: &[&[Function]] = &[
    convert::TABLE,
    strings::TABLE,
    lists::TABLE,
    lists::ENDS,
    math::TABLE,
    times::TABLE,
    network::TABLE,
    kubernetes::TABLE,
    encode::TABLE,
];

/// The first that has a name is meant.
const KUBERNETES: &[&[Function]] = &[
    optional::TABLE,
    optional::AUTHORIZER,
    convert::TABLE,
    strings::TABLE,
    lists::TABLE,
    times::TABLE,
    network::TABLE,
    kubernetes::TABLE,
];

/// All functions.
pub(super) fn all(dialect: Dialect) -> impl Iterator<Item = &'static Function> {
    let tables = match dialect {
        Dialect::Stack => STACK,
        Dialect::Kubernetes => KUBERNETES,
    };
    tables.iter().flat_map(|table| table.iter())
}

/// The function of a name that stands alone.
pub(super) fn find(name: &str, dialect: Dialect) -> Option<&'static Function> {
    all(dialect).find(|function| function.name == name && function.space.is_empty())
}

/// The function `space.name`.
pub(super) fn find_in(space: &str, name: &str, dialect: Dialect) -> Option<&'static Function> {
    all(dialect).find(|function| function.space == space && function.name == name)
}

/// Whether a word is the first part of functions' names.
pub(super) fn is_namespace(space: &str) -> bool {
    matches!(space, "math" | "sets" | "base64" | "lists" | "strings")
}

/// A value of the wrong type.
fn wants(what: &str, val: &Val<'_>) -> Fault {
    Fault::of_type(format!("`{{f}}` takes {what}, not {}", val.noun()))
}

fn text<'v>(val: &'v Val<'_>) -> Result<&'v Arc<str>, Fault> {
    match val {
        Val::String(text) => Ok(text),
        other => Err(wants("a string", other)),
    }
}

fn int(val: &Val<'_>) -> Result<i64, Fault> {
    match val {
        Val::Int(number) => Ok(*number),
        other => Err(wants("an integer", other)),
    }
}

fn list<'v, 'a>(val: &'v Val<'a>) -> Result<&'v List<'a>, Fault> {
    match val {
        Val::List(list) => Ok(list),
        other => Err(wants("a list", other)),
    }
}

fn size_of(members: &Members<'_>) -> i64 {
    length(members.len())
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
