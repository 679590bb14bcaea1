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
//!
//! Everything compiled is `Send + Sync` and never changes. Findings come as diagnostics with places; an empty
//! list in `Err` means that a value failed which the caller has reported already ([`Found::Failed`]).
//!
//! Invariants: evaluation reads nothing but its scope; maps are walked in byte order of their keys; steps,
//! nesting and the sizes of results are bounded; no input panics. A plain path keeps the origin of every leaf it
//! finds; any other result has the origin of its expression with every path that it read.
//!
//! Differences from CEL: no messages, no optionals, no zone names; `has(a['b-c'])` is allowed; `omit` is a name
//! that only results may have; the numbers of JSON that are whole print as integers. The rest of the list is in
//! `docs/decisions/expressions.md`.

mod ast;
mod comprehension;
mod data;
mod each;
mod fault;
mod functions;
mod lexer;
mod machine;
mod net;
mod operators;
mod parser;
mod places;
pub(crate) mod quantity;
mod quotes;
mod result;
mod scope;
mod semver;
mod template;
#[cfg(test)]
mod tests;
mod time;
mod tree;

pub use each::ForEach;
pub use quotes::needs_quotes;
pub use scope::{Binding, Bindings, Bound, Found, Lazy, Scope, Variables};
pub use template::{FreePath, Template};
pub use tree::Tree;
