//! The language of `${...}`: CEL over [`Node`](crate::value::Node)s, with places, origins and bounds.
//!
//! What is here, by use:
//!
//! - [`Tree::compile`] once for each part of a stack, [`Tree::evaluate`] for each instance: maps, lists, computed
//!   keys, `{$each, $when, $item}` items and `omit`. [`Tree::condition`] for `when`, [`Tree::evaluate_at`] for
//!   exports that are computed field by field, [`Tree::reads`] for the paths it reads, before any evaluation.
//! - [`ForEach::compile`] and [`ForEach::expand`] for `forEach`; [`Bindings::over`] is the scope of a round.
//! - [`Template`] for a single scalar.
//! - [`Scope`] and [`Lazy`] are what the caller implements: root names and members that are computed when they are
//!   read. [`Variables`] is a scope of plain nodes.
//! - [`needs_quotes`]: whether a YAML error is really an expression without quotes.
//! - [`Rule`] is an expression of an API server: the same language over data whose types are [`Declared`], with the
//!   functions of a server alone and with optional values; [`compile`] checks names and types before any evaluation.
//!
//! Everything compiled is `Send + Sync` and never changes. Findings come as diagnostics with places; an empty
//! list in `Err` means that a value failed which the caller has reported already ([`Found::Failed`]).
//!
//! Invariants: evaluation reads nothing but its scope; maps are walked in byte order of their keys; steps,
//! nesting and the sizes of results are bounded; no input panics. A plain path keeps the origin of every leaf it
//! finds; any other result has the origin of its expression with every path that it read.
//!
//! Differences of `${...}` from CEL: no messages, no optionals, no zone names; `has(a['b-c'])` is allowed; `omit` is a name
//! that only results may have; the numbers of JSON that are whole print as integers. The rest of the list is in
//! `docs/decisions/expressions.md`.

mod ast;
mod checker;
mod comprehension;
mod data;
mod declared;
mod each;
mod fault;
mod functions;
mod lexer;
mod machine;
pub(crate) mod net;
mod operators;
mod parser;
mod places;
pub(crate) mod quantity;
mod quotes;
mod result;
mod rule;
mod scope;
pub(crate) mod semver;
mod signatures;
mod template;
#[cfg(test)]
mod tests;
pub(crate) mod time;
mod tree;
mod types;

pub use declared::{Anything, Declared, Listed, Shape, escaped, unescaped};
pub use each::ForEach;
pub use net::is_url;
pub(crate) use parser::RESERVED;
pub use quotes::needs_quotes;
pub use rule::{Declarations, Rule, RuleFault, Wanted, compile};
pub use scope::{Binding, Bindings, Bound, Found, Given, Lazy, Scope, Variables};
pub use template::{FreePath, Template};
pub use time::loose_duration;
pub use tree::Tree;
