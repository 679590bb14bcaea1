//! Objects before the rules of their kinds, for tests: written in YAML, with what is told in short.

use crate::kube::{Causes, Field};
use crate::schema::kinds::Minor;
use crate::source::Sources;
use crate::yaml::{self, Options};

/// What is told of an object, as `Kind path` with the paths that a server tells, in order.
pub(super) fn object(text: &str, release: Minor) -> Vec<String> {
    let file = Sources::default().add("object.yaml", text.to_owned());
    let node = yaml::read(file, text, Options::default()).expect("YAML");
    let part = |key: &str| node.get(key).and_then(|node| node.as_str()).unwrap_or_default();
    let (group, version) = part("apiVersion").split_once('/').unwrap_or(("", part("apiVersion")));
    let mut causes = Causes::default();
    super::check(Field::root(&node), (group, version, part("kind")), release, &mut causes);
    causes
        .into_vec()
        .iter()
        .map(|cause| format!("{:?} {}", cause.kind, cause.told.as_ref().unwrap_or(&cause.path)))
        .collect()
}

/// A Pod of one container, with more in the container and in the `spec`; paths are told from `spec` on.
pub(super) fn pod(container: &str, spec: &str) -> Vec<String> {
    pod_of((1, 34), container, spec)
}

/// As [`pod`], before the server of a release.
pub(super) fn pod_of(release: Minor, container: &str, spec: &str) -> Vec<String> {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: a, image: i, {container}}}], {spec}}}}}"
    );
    let told = object(&text, release);
    told.into_iter().map(|line| line.replacen(" spec.", " ", 1).replace(" containers[0].", " c.")).collect()
}

/// Holds a table of containers and `spec`s against what is told of each.
pub(super) fn check_pods(table: &[(&str, &str, &[&str])]) {
    for (container, spec, told) in table {
        assert_eq!(pod(container, spec), *told, "{container} / {spec}");
    }
}
