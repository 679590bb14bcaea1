//! The rules of all objects: names, labels, annotations, owners, finalizers.

use super::{Causes, Field};

/// Checks `metadata`.
pub(super) fn check(_object: Field<'_, '_>, _kind: (&str, &str, &str), _causes: &mut Causes) {}
