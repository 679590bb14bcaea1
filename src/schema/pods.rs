//! Pods: which kinds hold a template of them, and what a specification names of its own namespace and of the cluster.
//!
//! It is data, for all who follow what Pods need: hooks that take it along, references, and order.

use crate::value::{Node, Path, walk};

/// Where the specification of Pods is in a kind, as `Kind.group` and path.
const SPECS: &[(&str, &str)] = &[
    ("CronJob.batch", "spec.jobTemplate.spec.template.spec"),
    ("DaemonSet.apps", "spec.template.spec"),
    ("Deployment.apps", "spec.template.spec"),
    ("Job.batch", "spec.template.spec"),
    ("Pod.", "spec"),
    ("PodTemplate.", "template.spec"),
    ("Pooler.postgresql.cnpg.io", "spec.template.spec"),
    ("ReplicaSet.apps", "spec.template.spec"),
    ("ReplicationController.", "spec.template.spec"),
    ("StatefulSet.apps", "spec.template.spec"),
];

/// The path to the specification of the Pods that a kind makes.
pub fn spec_path(kind: &str, group: &str) -> Option<&'static str> {
    let is_kind = |holder: &str| holder.split_once('.') == Some((kind, group));
    SPECS.iter().find(|(holder, _)| is_kind(holder)).map(|(_, path)| *path)
}

/// A place in the specification of Pods that names an object.
#[derive(Debug)]
pub struct Use {
    /// Path to the reference, as [`walk::each`] takes it.
    pub at: &'static str,
    /// The member that holds the name; empty where the reference is the name itself.
    pub name: &'static str,
    /// The group of what is named.
    pub group: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Paths below the reference that hold keys of a Secret or `ConfigMap`.
    pub keys: &'static [&'static str],
}

const fn named(at: &'static str, name: &'static str, group: &'static str, kind: &'static str) -> Use {
    Use { at, name, group, kind, keys: &[] }
}

const fn keyed(
    at: &'static str,
    name: &'static str,
    kind: &'static str,
    keys: &'static [&'static str],
) -> Use {
    Use { at, name, group: "", kind, keys }
}

/// Everything that a specification of Pods names.
pub const USES: &[Use] = &[
    named("serviceAccountName", "", "", "ServiceAccount"),
    named("imagePullSecrets[]", "name", "", "Secret"),
    named("priorityClassName", "", "scheduling.k8s.io", "PriorityClass"),
    named("runtimeClassName", "", "node.k8s.io", "RuntimeClass"),
    keyed("volumes[].secret", "secretName", "Secret", &["items[].key"]),
    keyed("volumes[].configMap", "name", "ConfigMap", &["items[].key"]),
    keyed("volumes[].projected.sources[].secret", "name", "Secret", &["items[].key"]),
    keyed("volumes[].projected.sources[].configMap", "name", "ConfigMap", &["items[].key"]),
    named("volumes[].persistentVolumeClaim", "claimName", "", "PersistentVolumeClaim"),
    named("volumes[].csi.nodePublishSecretRef", "name", "", "Secret"),
    named(
        "volumes[].ephemeral.volumeClaimTemplate.spec.storageClassName",
        "",
        "storage.k8s.io",
        "StorageClass",
    ),
    named("containers[].envFrom[].secretRef", "name", "", "Secret"),
    named("containers[].envFrom[].configMapRef", "name", "", "ConfigMap"),
    keyed("containers[].env[].valueFrom.secretKeyRef", "name", "Secret", &["key"]),
    keyed("containers[].env[].valueFrom.configMapKeyRef", "name", "ConfigMap", &["key"]),
    named("initContainers[].envFrom[].secretRef", "name", "", "Secret"),
    named("initContainers[].envFrom[].configMapRef", "name", "", "ConfigMap"),
    keyed("initContainers[].env[].valueFrom.secretKeyRef", "name", "Secret", &["key"]),
    keyed("initContainers[].env[].valueFrom.configMapKeyRef", "name", "ConfigMap", &["key"]),
];

/// Calls `found` with kind and name of everything that a specification of Pods names.
pub fn each_name(pods: &Node, found: &mut dyn FnMut(&'static str, &str)) {
    for place in USES {
        walk::each(pods, place.at, &Path::default(), &mut |_, node| {
            let name = if place.name.is_empty() { Some(node) } else { node.get(place.name) };
            if let Some(name) = name.and_then(Node::as_str) {
                found(place.kind, name);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Origin, Value};
    use serde_json::json;

    #[test]
    fn what_pods_name_is_found() {
        let json = json!({
            "serviceAccountName": "account",
            "imagePullSecrets": [{"name": "registry"}],
            "volumes": [
                {"csi": {"driver": "d", "nodePublishSecretRef": {"name": "publish"}}},
                {"projected": {"sources": [{"configMap": {"name": "part"}}]}}],
            "initContainers": [{"envFrom": [{"secretRef": {"name": "early"}}]}]});
        let pods = Node::new(Value::from_json(&json, &Origin::Compiler), Origin::Compiler);
        let mut out = Vec::new();
        each_name(&pods, &mut |kind, name| out.push(format!("{kind}/{name}")));
        assert_eq!(
            out,
            ["ServiceAccount/account", "Secret/registry", "ConfigMap/part", "Secret/publish", "Secret/early"]
        );
        assert_eq!(spec_path("CronJob", "batch"), Some("spec.jobTemplate.spec.template.spec"));
        assert_eq!(spec_path("Pod", ""), Some("spec"));
        assert_eq!(spec_path("Pod", "example.org"), None);
    }
}
