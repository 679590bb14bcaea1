//! `Resolution -> Program`: every expression evaluated, every check run, nothing unknown or unread.

mod parts;
mod program;

pub use parts::ProgramParts;
pub use program::{Program, UnitObjects};
