//! The functions of sprig.

use super::Function;

/// All of sprig's tables.
pub const TABLES: &[&[Function]] = &[];
