//! `Resolution -> Program`: every expression evaluated, every check run, nothing unknown or unread.

mod program;

pub use program::{Program, UnitObjects};
