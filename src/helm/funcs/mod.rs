//! What templates can call: the shape of a function, the table of all of them, and what a function may ask of the
//! render that calls it ([`Ctx`]).
//!
//! # Writing a function
//!
//! ```ignore
//! pub static FUNCTIONS: &[Function] = &[
//!     Function::new("trunc", &[&INT, &STRING], trunc),
//!     Function::variadic("join", &[&STRING, &ANY], join),       // the last type is the one of each extra argument
//!     Function::new("now", &[], now).impure(Impurity::Clock),
//! ];
//!
//! fn trunc(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
//!     let (count, text) = (args.int(0)?, args.str(1)?);
//!     ...
//! }
//! ```
//!
//! - `params` are the Go types of the upstream function. The executor checks the number of arguments, checks and
//!   converts each as Go's `reflect` does ("wrong type for value; expected string; got float64"), and adapts
//!   constants (`1` into a `float64` parameter), so a function gets what its types say and never repeats a check.
//!   With an [`ANY`](super::value::types::ANY) parameter it gets any value, [`Value::Nil`] included. A slice or
//!   map parameter may be a nil map or list of that type; a pointer parameter may be `Nil`.
//! - A value returned as `Nil` is Go's nil interface. A nil slice or map of a type is `List::nil`, `Map::nil`.
//! - The type tag of what it returns is the upstream function's static type where that is concrete: `set` returns its
//!   map `.with_type(&types::MAP)` even where it was given a `common.Values`.
//! - `Err` is both a Go `error` and a Go panic: the text is what stands after "error calling NAME: "
//!   (`runtime error: index out of range [0] with length 0` for a panic of the runtime).
//! - A function that makes output that may be much larger than its input (`repeat`, `indent`, `until`, `join`)
//!   first calls [`Ctx::charge`] with its size in bytes; one that loops long, with the number of turns in
//!   [`Ctx::spend`].
//! - Functions that are not pure carry `.impure(..)`; the executor records the call. Clock and random bytes come from
//!   [`Ctx::now`] and [`Ctx::random`] only.

pub mod engine;
pub mod go;
pub mod helm;
pub mod sprig;

pub use super::template::{Ctx, FuncError};

use super::profile::Profile;
use super::value::{List, Map, Str, Type, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

/// Why a call's result may differ from run to run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impurity {
    /// Reads the clock or the time zone.
    Clock,
    /// Random bytes: `rand*`, `uuidv4`, `gen*`, `htpasswd`, `bcrypt`, `encryptAES`, `shuffle`.
    Random,
    /// Asks the network.
    Network,
    /// Asks a cluster: always the empty answer here, which is deterministic but may guard a random value.
    Lookup,
}

/// The code of a function: already checked arguments to a value.
pub type Call = fn(&mut Ctx<'_>, &mut Args<'_>) -> Result<Value, FuncError>;

/// How the executor calls it.
#[derive(Copy, Clone)]
pub enum Body {
    /// Arguments first, then the code.
    Plain(Call),
    /// `and`: arguments up to the first false one.
    And,
    /// `or`: arguments up to the first true one.
    Or,
    /// `len`, which tells nil from what is missing.
    Len,
    /// `call`, which names its argument.
    Call,
}

/// A function or method that templates can call.
#[derive(Copy, Clone)]
pub struct Function {
    /// Its name in templates.
    pub name: &'static str,
    /// The Go types of its parameters; of a variadic one the last is the type of each extra argument.
    /// For a method the first is the receiver, which template arguments do not count.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// Why its result may differ from run to run.
    pub impurity: Option<Impurity>,
    /// In which profiles it exists; `None` is all.
    pub only: Option<fn(&Profile) -> bool>,
    /// Its code.
    pub body: Body,
}

impl Function {
    /// A function with a fixed number of parameters.
    pub const fn new(name: &'static str, params: &'static [Type], call: Call) -> Self {
        Self { name, params, variadic: false, impurity: None, only: None, body: Body::Plain(call) }
    }

    /// A function whose last parameter takes any number of arguments.
    pub const fn variadic(name: &'static str, params: &'static [Type], call: Call) -> Self {
        Self { name, params, variadic: true, impurity: None, only: None, body: Body::Plain(call) }
    }

    /// The same, recorded as not pure.
    #[must_use]
    pub const fn impure(self, impurity: Impurity) -> Self {
        Self { impurity: Some(impurity), ..self }
    }

    /// The same, only in some profiles.
    #[must_use]
    pub const fn only(self, only: fn(&Profile) -> bool) -> Self {
        Self { only: Some(only), ..self }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// The arguments of a call, checked against the parameter types of the [`Function`].
///
/// The typed accessors fail only where the table's types and the code disagree.
pub struct Args<'a>(&'a mut [Value]);

impl<'a> Args<'a> {
    /// Arguments as the executor hands them over.
    pub fn new(values: &'a mut [Value]) -> Self {
        Self(values)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> &[Value] {
        self.0
    }

    /// Those from `from` on: the extra arguments of a variadic function.
    pub fn rest(&self, from: usize) -> &[Value] {
        self.0.get(from..).unwrap_or_default()
    }

    /// Takes those from `from` on.
    pub fn take_rest(&mut self, from: usize) -> Vec<Value> {
        self.0.get_mut(from..).unwrap_or_default().iter_mut().map(std::mem::take).collect()
    }

    /// The argument, nil where there is none.
    pub fn value(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Nil)
    }

    /// Takes the argument, leaving nil.
    pub fn take(&mut self, at: usize) -> Value {
        self.0.get_mut(at).map(std::mem::take).unwrap_or_default()
    }

    /// A `string`.
    pub fn str(&self, at: usize) -> Result<&Str, FuncError> {
        match self.value(at) {
            Value::String(text) => Ok(text),
            other => Err(mismatch(other, "string")),
        }
    }

    /// A `[]byte`.
    pub fn bytes(&self, at: usize) -> Result<&[u8], FuncError> {
        match self.value(at) {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(mismatch(other, "[]uint8")),
        }
    }

    /// A signed integer of any kind.
    pub fn int(&self, at: usize) -> Result<i64, FuncError> {
        match self.value(at) {
            Value::Int(_, n) => Ok(*n),
            other => Err(mismatch(other, "int")),
        }
    }

    /// A `float64`.
    pub fn float(&self, at: usize) -> Result<f64, FuncError> {
        match self.value(at) {
            Value::Float(n) => Ok(*n),
            other => Err(mismatch(other, "float64")),
        }
    }

    /// A `bool`.
    pub fn bool(&self, at: usize) -> Result<bool, FuncError> {
        match self.value(at) {
            Value::Bool(b) => Ok(*b),
            other => Err(mismatch(other, "bool")),
        }
    }

    /// A map.
    pub fn map(&self, at: usize) -> Result<&Map, FuncError> {
        match self.value(at) {
            Value::Map(map) => Ok(map),
            other => Err(mismatch(other, "map[string]interface {}")),
        }
    }

    /// A slice.
    pub fn list(&self, at: usize) -> Result<&List, FuncError> {
        match self.value(at) {
            Value::List(list) => Ok(list),
            other => Err(mismatch(other, "[]interface {}")),
        }
    }
}

/// What Go's runtime says of a failed type assertion; also where a table's types and its code disagree.
pub fn mismatch(value: &Value, wanted: &str) -> FuncError {
    let got = value.type_of().map_or("nil", |t| t.name);
    FuncError::message(format!("interface conversion: interface {{}} is {got}, not {wanted}"))
}

/// All functions of one profile by name.
#[derive(Debug)]
pub struct Registry(BTreeMap<&'static str, &'static Function>);

impl Registry {
    /// The functions of `profile`: Go's, over them sprig's, over them Helm's, over them the engine's.
    pub fn of(profile: &'static Profile) -> &'static Self {
        static NEW: OnceLock<Registry> = OnceLock::new();
        static OLD: OnceLock<Registry> = OnceLock::new();
        let cell = if profile.is(&super::profile::HELM_3_21) { &OLD } else { &NEW };
        cell.get_or_init(|| {
            let tables = [go::FUNCTIONS].into_iter().chain(sprig::TABLES.iter().copied());
            let tables = tables.chain(helm::TABLES.iter().copied()).chain([engine::FUNCTIONS]);
            Self(
                tables
                    .flatten()
                    .filter(|f| f.only.is_none_or(|only| only(profile)))
                    .map(|f| (f.name, f))
                    .collect(),
            )
        })
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.0.get(name).copied()
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.keys().copied()
    }
}
