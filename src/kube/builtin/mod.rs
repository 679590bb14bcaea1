//! The validation of built-in kinds, one file a group of them.

use super::{Causes, Field};
use crate::schema::kinds::Minor;

/// Checks an object that was decoded. Defaults are not filled in: each rule knows what a missing field means.
pub(super) fn check(
    _object: Field<'_, '_>,
    _kind: (&str, &str, &str),
    _release: Minor,
    _causes: &mut Causes,
) {
}
