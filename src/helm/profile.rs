//! The versions of Helm whose behaviour can be chosen, and every difference between them, as data.
//!
//! Code never asks "which version": it asks for one of these properties.

use super::value::{Type, TypeInfo, types};

/// A version of Helm.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a difference between versions, independent of the others"
)]
pub struct Profile {
    /// As a release names it: `4.2`, `3.21`.
    pub name: &'static str,
    /// Execution errors are spread over lines, one link of the chain after the other (from 4.0).
    pub multi_line_errors: bool,
    /// The Go type of `.Values`.
    pub values_type: Type,
    /// Has `mustToYaml` and `mustToToml`, which 3.21 lacks.
    pub must_to_yaml: bool,
    /// `.Chart` is a map by Go field names (from 4.0), else a struct.
    pub chart_is_map: bool,
    /// The documents of a values file are merged (from 4.0); else only the first counts.
    pub merge_value_documents: bool,
    /// `--set-json` takes a whole object besides `path=value` (from 4.0).
    pub set_json_object: bool,
    /// Nulls of a chart's own values are dropped before user values are laid over them (from 4.2).
    pub drop_default_nulls: bool,
    /// A document ends at `---` in the first column and keeps its trailing white space (from 4.2.4); else white
    /// space around the marker belongs to the marker.
    pub split_at_line_start: bool,
    /// Webhook configurations are installed last (from 4.0); else they sort among the kinds without a place.
    pub webhooks_last: bool,
    /// `.Capabilities.KubeVersion.Version` keeps a vendor's suffix such as `-gke.1` (from 4.1).
    pub keep_kube_suffix: bool,
    /// Two aliases of one chart have metadata of their own (from 4.0); else they share conditions and import-values
    /// (helm issues 31187, 13025).
    pub copy_alias_metadata: bool,
    /// Log lines are structured: `level=WARN msg="..."` (from 4.0).
    pub structured_log: bool,
    /// The `apiVersion` of a chart is looked at before anything else of it (from 4.0): an unknown one is refused,
    /// and whatever is wrong with an archive is only said to be wrong.
    pub detect_chart_version: bool,
    /// Failed release names and dependencies are said to be failed checks (from 4.0).
    pub wrap_checks: bool,
    /// The Go type that a manifest's head is read into, as errors name it.
    pub head_type: &'static str,
    /// The version that `.Capabilities.HelmVersion.Version` gives.
    pub helm_version: &'static str,
}

/// `common.Values`, the type of `.Values` in Helm 4.
pub static VALUES_4: TypeInfo = TypeInfo::named("common.Values", &types::MAP, super::values::METHODS);
/// `chartutil.Values`, the type of `.Values` in Helm 3.
pub static VALUES_3: TypeInfo = TypeInfo::named("chartutil.Values", &types::MAP, super::values::METHODS);

/// Helm 4.2, the default.
pub static HELM_4_2: Profile = Profile {
    name: "4.2",
    multi_line_errors: true,
    values_type: &VALUES_4,
    must_to_yaml: true,
    chart_is_map: true,
    merge_value_documents: true,
    set_json_object: true,
    drop_default_nulls: true,
    split_at_line_start: true,
    webhooks_last: true,
    keep_kube_suffix: true,
    copy_alias_metadata: true,
    structured_log: true,
    detect_chart_version: true,
    wrap_checks: true,
    head_type: "util.SimpleHead",
    helm_version: "v4.2",
};

/// Helm 3.21.
pub static HELM_3_21: Profile = Profile {
    name: "3.21",
    multi_line_errors: false,
    values_type: &VALUES_3,
    must_to_yaml: false,
    chart_is_map: false,
    merge_value_documents: false,
    set_json_object: false,
    drop_default_nulls: false,
    split_at_line_start: false,
    webhooks_last: false,
    keep_kube_suffix: false,
    copy_alias_metadata: false,
    structured_log: false,
    detect_chart_version: false,
    wrap_checks: false,
    head_type: "releaseutil.SimpleHead",
    helm_version: "v3.21",
};

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
