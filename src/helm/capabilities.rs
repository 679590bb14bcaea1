//! What a chart is told of the cluster: its version and its APIs.

use super::values::strvals::quote;
use std::sync::Arc;

/// The group/versions that Helm built for Kubernetes 1.36 knows without a cluster, in alphabetical order
/// (client-go 0.36 and apiextensions). No kinds: those have to be named with `--api-versions`.
pub const DEFAULT_API_VERSIONS: &[&str] = &[
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
    "apiextensions.k8s.io/v1beta1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1alpha1",
    "certificates.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "internal.apiserver.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1alpha1",
    "rbac.authorization.k8s.io/v1beta1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1alpha3",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1beta2",
    "scheduling.k8s.io/v1",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storage.k8s.io/v1beta1",
    "storagemigration.k8s.io/v1beta1",
    "v1",
];

/// A version of Kubernetes as a chart sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// `.Version`: `v1.36.0`, with a vendor's suffix where the profile keeps it.
    pub version: String,
    /// What constraints are held against: no suffix.
    pub normalized: String,
    /// `1`.
    pub major: String,
    /// `36`.
    pub minor: String,
}

impl Default for KubeVersion {
    /// The version that both profiles are built for.
    fn default() -> Self {
        Self {
            version: "v1.36.0".to_owned(),
            normalized: "v1.36.0".to_owned(),
            major: "1".to_owned(),
            minor: "36".to_owned(),
        }
    }
}

impl KubeVersion {
    /// Reads `1.34`, `v1.34.4+k3s1`, `1.34.0-eks-123` (apimachinery 0.36 `ParseGeneric`); the error is its text.
    pub fn parse(text: &str, keep_suffix: bool) -> Result<Self, String> {
        let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let bare = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let mut end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
        if end == 0 {
            return Err(format!("could not parse {} as version", quote(text)));
        }
        while let Some(rest) = bare[end..].strip_prefix('.') {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if digits == 0 {
                break;
            }
            end += 1 + digits;
        }
        let numbers = &bare[..end];
        let components: Vec<&str> = numbers.split('.').collect();
        if components.len() < 2 {
            return Err(format!("illegal version string {}", quote(text)));
        }
        let mut parsed = Vec::new();
        for (at, component) in components.iter().enumerate() {
            if at == 0 && component.starts_with('0') && *component != "0" {
                return Err(format!(
                    "illegal zero-prefixed version component {} in {}",
                    quote(component),
                    quote(text)
                ));
            }
            let number: u64 = component.parse().map_err(|_too_large| {
                format!(
                    "illegal non-numeric version component {} in {}: strconv.ParseUint: parsing {}: value out of range",
                    quote(component),
                    quote(text),
                    quote(component)
                )
            })?;
            parsed.push(number.to_string());
        }
        let normalized = format!("v{}", parsed.join("."));
        let version = match (keep_suffix, text.starts_with('v')) {
            (false, _) => normalized.clone(),
            (true, true) => text.to_owned(),
            (true, false) => format!("v{text}"),
        };
        Ok(Self { version, normalized, major: parsed[0].clone(), minor: parsed[1].clone() })
    }
}

/// What `.Capabilities` holds.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The version of Kubernetes.
    pub kube: KubeVersion,
    /// `group/version`, and `group/version/Kind` where known.
    pub api_versions: Arc<[Arc<str>]>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::new(KubeVersion::default(), [])
    }
}

impl Capabilities {
    /// Helm's own list and `more`.
    pub fn new(kube: KubeVersion, more: impl IntoIterator<Item = Arc<str>>) -> Self {
        let known = DEFAULT_API_VERSIONS.iter().map(|version| Arc::from(*version));
        Self { kube, api_versions: known.chain(more).collect() }
    }

    /// Exactly these: for a build, which knows the cluster's APIs.
    pub fn exactly(kube: KubeVersion, api_versions: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self { kube, api_versions: api_versions.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_apimachinery_reads_them() {
        let kept = KubeVersion::parse("1.34.0-eks-123", true).expect("good");
        assert_eq!((kept.version.as_str(), kept.normalized.as_str()), ("v1.34.0-eks-123", "v1.34.0"));
        let dropped = KubeVersion::parse("v1.34.4+k3s1", false).expect("good");
        assert_eq!((dropped.version.as_str(), dropped.minor.as_str()), ("v1.34.4", "34"));
        assert_eq!(KubeVersion::parse("1.28", true).expect("good").version, "v1.28");
        assert_eq!(KubeVersion::parse("abc", true).expect_err("bad"), "could not parse \"abc\" as version");
        assert_eq!(KubeVersion::parse("1", true).expect_err("bad"), "illegal version string \"1\"");
        assert_eq!(
            KubeVersion::parse("01.2", true).expect_err("bad"),
            "illegal zero-prefixed version component \"01\" in \"01.2\""
        );
    }
}
