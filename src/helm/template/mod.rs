//! Go's template language: lexer, parser, lowering, execution, errors.

mod ctx;
mod error;

pub use ctx::{Ctx, Environment, Limits};
pub use error::FuncError;
