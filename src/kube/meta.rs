//! The rules of all objects: names, labels, annotations, owners, finalizers.
//!
//! What a server overwrites when an object is created is not looked at: `uid`, times, `managedFields`. A namespace on an object of the
//! whole cluster is cleared in silence.

use super::formats::{self, Rule};
use super::{Cause, CauseKind, Causes, Field, Layer};
use crate::schema::kinds::{self, Minor, Scope};

/// Group, version and name of a kind.
type Kind<'a> = (&'a str, &'a str, &'a str);

/// The longest name of a CronJob: its Jobs append a time of eleven characters.
const LONGEST_CRON_JOB: usize = 52;
/// Finalizers that need no domain.
const STANDARD_FINALIZERS: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];
/// Groups of kinds that take finalizers without a domain.
const FREE_FINALIZERS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "policy",
];
/// Kinds whose `generation` the server does not set when it creates them.
const KEPT_GENERATION: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "Endpoints"),
    ("", "LimitRange"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "ResourceQuota"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apiregistration.k8s.io", "APIService"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("storage.k8s.io", "StorageClass"),
];

/// Checks `metadata` of a custom resource.
pub(super) fn check(object: Field<'_, '_>, _kind: Kind<'_>, causes: &mut Causes) {
    let mut found = Causes::default();
    let metadata = object.key("metadata");
    check_names(metadata, formats::dns_subdomain, &mut found);
    check_namespace(metadata, &mut found);
    check_common(metadata, &mut found);
    hand_over(found, causes);
}

/// Checks `metadata` of a resource that stands within another one: it need not have a name.
pub(super) fn check_within(object: Field<'_, '_>, causes: &mut Causes) {
    let mut found = Causes::default();
    let metadata = object.key("metadata");
    let (name, stem) = (metadata.key("name"), metadata.key("generateName"));
    if !name.text().is_empty() {
        formats::check(name, path_segment, &mut found);
    }
    if !stem.text().is_empty()
        && let Err(reason) = formats::prefix(stem.text(), path_segment)
    {
        found.invalid(stem, format!("`{}` {reason}", stem.text()));
    }
    check_namespace(metadata, &mut found);
    check_common(metadata, &mut found);
    hand_over(found, causes);
}

/// Checks `metadata` of a built-in kind.
pub(super) fn check_builtin(object: Field<'_, '_>, kind: Kind<'_>, release: Minor, causes: &mut Causes) {
    let (group, _, name) = kind;
    let mut found = Causes::default();
    let metadata = object.key("metadata");
    // The server names a LimitRange that has no name.
    if (group, name) != ("", "LimitRange") || metadata.key("name").is_set() {
        check_names(metadata, rule(group, name, release), &mut found);
    }
    if (group, name) == ("batch", "CronJob") {
        check_cron_job(metadata.key("name"), &mut found);
    }
    if kinds::builtin(group, name).is_some_and(|kind| kind.scope == Scope::Namespaced) {
        check_namespace(metadata, &mut found);
    }
    if KEPT_GENERATION.contains(&(group, name)) {
        formats::check_not_negative(metadata.key("generation"), &mut found);
    }
    check_common(metadata, &mut found);
    if !FREE_FINALIZERS.contains(&group) && (group, name) != ("", "Event") {
        for finalizer in metadata.key("finalizers").items() {
            let text = finalizer.text();
            if !text.contains('/') && !STANDARD_FINALIZERS.contains(&text) {
                found.invalid(finalizer, format!("`{text}` has no domain and `/` before its name"));
            }
        }
    }
    hand_over(found, causes);
}

fn hand_over(found: Causes, causes: &mut Causes) {
    for cause in found.into_vec() {
        causes.push(Cause { layer: Layer::Meta, ..cause });
    }
}

/// Which names a kind takes.
fn rule(group: &str, kind: &str, release: Minor) -> Rule {
    match (group, kind) {
        ("", "Namespace") | ("apps", "StatefulSet") => formats::dns_label,
        ("", "Service") if release < (1, 36) => formats::dns_1035_label,
        ("", "Service") => formats::dns_label,
        ("networking.k8s.io", "IPAddress") => formats::canonical_ip,
        ("coordination.k8s.io", "LeaseCandidate") => formats::config_key,
        ("rbac.authorization.k8s.io" | "policy", _)
        | ("", "Event")
        | ("certificates.k8s.io", "CertificateSigningRequest" | "ClusterTrustBundle")
        // Those have to be made of other fields, which the kinds check.
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("apiregistration.k8s.io", "APIService") => path_segment,
        _ => formats::dns_subdomain,
    }
}

/// What can stand in the path of a request.
fn path_segment(text: &str) -> Result<(), formats::Reason> {
    match text {
        "." | ".." => Err("is no name: it means a folder in a path"),
        _ if text.contains(['/', '%']) => Err("may not hold `/` or `%`"),
        _ => Ok(()),
    }
}

fn check_names(metadata: Field<'_, '_>, rule: Rule, causes: &mut Causes) {
    let (name, stem) = (metadata.key("name"), metadata.key("generateName"));
    let mut stem_fails = false;
    if !stem.text().is_empty()
        && let Err(reason) = formats::prefix(stem.text(), rule)
    {
        causes.invalid(stem, format!("`{}` {reason}", stem.text()));
        stem_fails = true;
    }
    match (name.text(), stem.text()) {
        ("", "") => causes.required(name, "an object needs a name"),
        // The name is made of it.
        ("", stem) if stem_fails => {
            causes.invalid(name, format!("a name that starts with `{stem}` is no name"));
        }
        ("", _) => {}
        (text, _) => formats::check_text(name, text, rule, causes),
    }
}

fn check_cron_job(name: Field<'_, '_>, causes: &mut Causes) {
    let length = name.text().len();
    if length > LONGEST_CRON_JOB {
        causes.invalid(
            name,
            format!(
                "`{}` has {length} characters, a CronJob may have {LONGEST_CRON_JOB}: its Jobs append a time",
                name.text()
            ),
        );
    }
}

fn check_namespace(metadata: Field<'_, '_>, causes: &mut Causes) {
    let namespace = metadata.key("namespace");
    if !namespace.text().is_empty() {
        formats::check(namespace, formats::dns_label, causes);
    }
}

fn check_common(metadata: Field<'_, '_>, causes: &mut Causes) {
    formats::check_labels(metadata.key("labels"), causes);
    formats::check_annotations(metadata.key("annotations"), causes);
    check_owners(metadata.key("ownerReferences"), causes);
    let finalizers = metadata.key("finalizers");
    let (mut orphan, mut foreground) = (false, false);
    for finalizer in finalizers.items() {
        let text = finalizer.text();
        formats::check_text(finalizers, text, formats::qualified_name, causes);
        orphan |= text == "orphan";
        foreground |= text == "foregroundDeletion";
    }
    if orphan && foreground {
        causes.invalid(finalizers, "`orphan` and `foregroundDeletion` exclude each other");
    }
}

fn check_owners(owners: Field<'_, '_>, causes: &mut Causes) {
    let mut controllers = 0;
    for owner in owners.items() {
        let version = owner.key("apiVersion").text();
        let version_is_missing = version.is_empty() || version.ends_with('/');
        for (key, is_missing) in [
            ("apiVersion", version_is_missing),
            ("kind", owner.key("kind").text().is_empty()),
            ("name", owner.key("name").text().is_empty()),
            ("uid", owner.key("uid").text().is_empty()),
        ] {
            if is_missing {
                // The server names the field without the place in the list.
                let own = owner.key(key);
                let place = owners.alias(key, &own);
                causes.push(Cause {
                    kind: CauseKind::Invalid,
                    layer: Layer::Meta,
                    path: place.path(),
                    told: place.told(),
                    message: "an owner has to be named by `apiVersion`, `kind`, `name` and `uid`".to_owned(),
                    help: None,
                });
            }
        }
        if version == "v1" && owner.key("kind").text() == "Event" {
            causes.invalid(owners, "an Event owns nothing");
        }
        controllers += usize::from(owner.key("controller").truth() == Some(true));
    }
    if controllers > 1 {
        causes.invalid(owners, format!("{controllers} owners have `controller: true`, one may"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Node, Origin, Value};
    use serde_json::{Value as Json, json};

    fn told(kind: Kind<'_>, object: &Json, release: Minor) -> Vec<String> {
        let node = Node::new(Value::from_json(object, &Origin::Compiler), Origin::Compiler);
        let mut causes = Causes::default();
        check_builtin(Field::root(&node), kind, release, &mut causes);
        let causes = causes.into_vec();
        assert!(causes.iter().all(|cause| cause.layer == Layer::Meta));
        causes.iter().map(|cause| format!("{}: {}", cause.path, cause.message)).collect()
    }

    fn takes(kind: Kind<'_>, name: &str) -> bool {
        told(kind, &json!({"metadata": {"name": name}}), (1, 34)).is_empty()
    }

    #[test]
    fn names_follow_their_kind() {
        let (role, service) = (("rbac.authorization.k8s.io", "v1", "Role"), ("", "v1", "Service"));
        for (kind, good, bad) in [
            (role, "system:a B_", "a/b"),
            (service, "a-1", "1a"),
            (("", "v1", "ConfigMap"), "1a.b", "a_b"),
            (("", "v1", "Namespace"), "1a", "a.b"),
            (("apps", "v1", "StatefulSet"), "1a", "a.b"),
            (("policy", "v1", "PodDisruptionBudget"), "A_b", ".."),
            (("networking.k8s.io", "v1", "IPAddress"), "10.0.0.1", "a"),
        ] {
            assert!(takes(kind, good), "{good}");
            assert!(!takes(kind, bad), "{bad}");
        }
        let digit = json!({"metadata": {"name": "1a"}});
        assert!(told(service, &digit, (1, 36)).is_empty());
        assert!(takes(("batch", "v1", "CronJob"), &"a".repeat(52)));
        assert!(!takes(("batch", "v1", "CronJob"), &"a".repeat(53)));
    }

    #[test]
    fn a_name_may_be_made_of_a_stem() {
        let of = |metadata: Json| told(("", "v1", "ConfigMap"), &json!({"metadata": metadata}), (1, 34));
        assert!(of(json!({"generateName": "a-"})).is_empty());
        assert_eq!(of(json!({})), ["metadata.name: an object needs a name"]);
        assert_eq!(of(json!({"generateName": "B_"})).len(), 2);
    }

    #[test]
    fn the_rest_of_metadata_has_rules_of_its_own() {
        let owner = |controller: bool| json!({"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "b", "controller": controller});
        let object = json!({"metadata": {"name": "a", "namespace": "b.c", "generation": -1,
            "labels": {"a b": "c d"}, "annotations": {"X.y/z": "any thing", "a/b/c": ""},
            "finalizers": ["bare", "orphan", "foregroundDeletion"],
            "ownerReferences": [owner(true), owner(true), {"kind": "Pod"}]}});
        let places: Vec<String> = told(("", "v1", "ConfigMap"), &object, (1, 34))
            .iter()
            .filter_map(|told| told.split(": ").next().map(str::to_owned))
            .collect();
        assert_eq!(
            places,
            [
                "metadata.namespace",
                "metadata.generation",
                "metadata.labels",
                "metadata.labels",
                "metadata.annotations",
                "metadata.ownerReferences[2].apiVersion",
                "metadata.ownerReferences[2].name",
                "metadata.ownerReferences[2].uid",
                "metadata.ownerReferences",
                "metadata.finalizers",
                "metadata.finalizers[0]",
            ]
        );
    }
}
