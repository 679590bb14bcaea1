//! Go's template language: lexer, parser, lowering, execution, errors.

mod ctx;
mod error;
mod lex;
mod literal;
mod parse;
mod tree;

pub use ctx::{Ctx, Environment, Limits};
pub use error::FuncError;
pub use parse::ParseError;
pub use tree::{Source, Template};
