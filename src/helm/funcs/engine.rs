//! The functions that are part of the engine: `include`, `tpl`, `required`, `fail`.

use super::Function;

/// Helm's functions that need the template set.
pub const FUNCTIONS: &[Function] = &[];
