//! Expressions in CEL that admission policies and webhooks hold.

use crate::kube::{Causes, Field};

/// Whether a policy has parameters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Params {
    /// It has.
    Some,
    /// It has none.
    None,
}

/// What an expression is for: it tells which type it has.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A boolean.
    Condition,
    /// Text.
    Message,
    /// Text, or nothing.
    Annotation,
    /// Anything: the variable of this index, which knows those before it.
    Variable(usize),
    /// A list of steps.
    JsonPatch,
    /// An object.
    ApplyConfiguration,
}

/// Checks an expression. `variables` are those of the policy.
pub(super) fn check(
    _field: Field<'_, '_>,
    _purpose: Use,
    _params: Params,
    _variables: Field<'_, '_>,
    _causes: &mut Causes,
) {
}
