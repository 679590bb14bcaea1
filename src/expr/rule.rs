//! Rules of Kubernetes: CEL as an API server has it, over data whose types are declared.
//!
//! The same parser and evaluator as for `${...}`, with the functions of an API server and no others, with optional
//! values, and without `omit`. [`Rule::check`] finds before any evaluation what a server would not compile.

use super::ast::Expr;
use super::checker::{self, Names};
use super::data::Val;
use super::declared::Declared;
use super::fault::Fault;
use super::functions::{Patterns, Tools};
use super::machine::Machine;
use super::parser::{self, Dialect};
use super::scope::Scope;
use super::types::Type;
use std::ops::Range;
use std::sync::Arc;

/// A rule, parsed.
#[derive(Clone, Debug)]
pub struct Rule {
    expr: Expr,
    /// Those that it was evaluated with.
    patterns: Arc<Patterns>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// The fact.
    pub message: String,
    /// Where in the text, in bytes.
    pub at: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// What a rule has to result in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A boolean.
    Truth,
    /// A string.
    Text,
    /// Anything.
    Any,
}

/// The names that a rule may use, and the release of the server that it is new to.
#[derive(Clone, Debug)]
pub struct Declarations<'s> {
    names: Names<'s>,
    minor: u32,
}

/// No names, for a server that is newer than all that can be written.
impl Default for Declarations<'_> {
    fn default() -> Self {
        Self::new(u32::MAX)
    }
}

impl<'s> Declarations<'s> {
    /// No names, for a server of this minor release of Kubernetes 1.
    pub fn new(minor: u32) -> Self {
        Self { names: Names::default(), minor }
    }

    /// Adds a name.
    #[must_use]
    pub fn with(mut self, name: &str, declared: &'s dyn Declared) -> Self {
        self.names.0.push((name.into(), Type::of(declared)));
        self
    }

    /// Adds a name whose value may be absent.
    #[must_use]
    pub fn with_optional(mut self, name: &str, declared: &'s dyn Declared) -> Self {
        self.names.0.push((name.into(), Type::Optional(Arc::new(Type::of(declared)))));
        self
    }
}

/// Checks that a rule compiles: its names, its fields, the types of what its functions take, and its result.
pub fn compile(text: &str, declarations: &Declarations<'_>, wanted: Wanted) -> Result<(), RuleFault> {
    Rule::parse(text)?.check(declarations, wanted).map_err(|fault| RuleFault {
        at: if fault.at.is_empty() { 0..text.len() } else { fault.at.clone() },
        ..fault
    })
}

impl RuleFault {
    fn of(fault: Fault) -> Self {
        let told = fault.told();
        let at = told.at.map_or(0..0, |at| at.start as usize..at.end as usize);
        Self { message: told.message, at, help: told.helps.into_iter().chain(told.notes).next() }
    }
}

impl Rule {
    /// Parses a rule.
    pub fn parse(text: &str) -> Result<Self, RuleFault> {
        let expr = parser::parse(text, 0, text.len(), Dialect::Kubernetes).map_err(RuleFault::of)?;
        Ok(Self { expr, patterns: Arc::default() })
    }

    /// Checks its types.
    pub fn check(&self, declarations: &Declarations<'_>, wanted: Wanted) -> Result<(), RuleFault> {
        let found = checker::check(&self.expr, declarations.names.clone(), declarations.minor)
            .map_err(RuleFault::of)?;
        let fits = match wanted {
            Wanted::Truth => matches!(found, Type::Bool),
            Wanted::Text => matches!(found, Type::String),
            Wanted::Any => true,
        };
        if fits {
            return Ok(());
        }
        let noun = if wanted == Wanted::Truth { "bool" } else { "string" };
        let fault = Fault::of_type(format!("the result is {found}, where {noun} is wanted")).at(self.expr.at);
        Err(RuleFault::of(fault))
    }

    /// Whether it reads a name.
    pub fn reads(&self, name: &str) -> bool {
        self.expr.reads(name)
    }

    /// Whether it holds; `Err` says why that cannot be told.
    pub fn holds(&self, scope: &dyn Scope) -> Result<bool, String> {
        match self.evaluate(scope)? {
            Val::Bool(truth) => Ok(truth),
            other => Err(format!("the result is {}, not a boolean", other.noun())),
        }
    }

    /// The text that it results in.
    pub fn text(&self, scope: &dyn Scope) -> Result<String, String> {
        match self.evaluate(scope)? {
            Val::String(text) => Ok(text.to_string()),
            other => Err(format!("the result is {}, not a string", other.noun())),
        }
    }

    fn evaluate<'a>(&self, scope: &'a dyn Scope) -> Result<Val<'a>, String> {
        let tools = Tools::with(Dialect::Kubernetes, Arc::clone(&self.patterns));
        Machine::new(scope, tools).eval(&self.expr).map_err(|fault| fault.told().message)
    }
}
