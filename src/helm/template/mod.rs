//! Go's template language: lexer, parser, execution, errors.
//!
//! Text goes through [`lex`] and [`parse`] into a [`tree`] with resolved functions and typed constants, which [`exec`]
//! and [`call`] walk. Files and functions are named after Go's, so that both can be read side by side.

mod call;
mod ctx;
mod error;
mod exec;
mod lex;
mod literal;
mod nested;
mod parse;
mod set;
mod tree;

pub use ctx::{Ctx, Environment, Limits};
pub(crate) use error::limit_text;
pub use error::{Cause, ExecError, FuncError};
pub use parse::{ParseError, WrongName};
pub use tree::{Source, Template};

pub(crate) use exec::NO_VALUE;
pub(crate) use parse::parse as parse_text;
pub(crate) use set::Names;
