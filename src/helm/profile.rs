//! The versions of Helm whose behaviour can be chosen, and every difference between them, as data.
//!
//! Code never asks "which version": it asks for one of these properties.

use super::value::{Type, TypeInfo, types};

/// A version of Helm.
#[derive(Debug)]
pub struct Profile {
    /// As a release names it: `4.2`, `3.21`.
    pub name: &'static str,
    /// Execution errors are spread over lines, one link of the chain after the other (from 4.0).
    pub multi_line_errors: bool,
    /// The Go type of `.Values`.
    pub values_type: Type,
    /// Has `mustToYaml` and `mustToToml`, which 3.21 lacks.
    pub must_to_yaml: bool,
}

/// `common.Values`, the type of `.Values` in Helm 4.
pub static VALUES_4: TypeInfo = TypeInfo::named("common.Values", &types::MAP, super::values::METHODS);
/// `chartutil.Values`, the type of `.Values` in Helm 3.
pub static VALUES_3: TypeInfo = TypeInfo::named("chartutil.Values", &types::MAP, super::values::METHODS);

/// Helm 4.2, the default.
pub static HELM_4_2: Profile =
    Profile { name: "4.2", multi_line_errors: true, values_type: &VALUES_4, must_to_yaml: true };

/// Helm 3.21.
pub static HELM_3_21: Profile =
    Profile { name: "3.21", multi_line_errors: false, values_type: &VALUES_3, must_to_yaml: false };

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        [&HELM_4_2, &HELM_3_21].into_iter().find(|p| p.name == name)
    }

    /// Whether it is the same profile.
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
