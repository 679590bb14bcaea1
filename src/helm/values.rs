//! The methods that Helm's `Values` type shows to templates.

use super::funcs::Function;

/// Methods of `common.Values`.
pub const METHODS: &[Function] = &[];
