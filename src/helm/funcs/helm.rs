//! The functions that Helm adds to sprig's, but for those of the engine.

use super::Function;

/// All of Helm's tables.
pub const TABLES: &[&[Function]] = &[];
