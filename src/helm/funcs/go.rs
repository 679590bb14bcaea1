//! The functions that Go's text/template brings itself.

use super::Function;

/// Go's builtins.
pub const FUNCTIONS: &[Function] = &[];
