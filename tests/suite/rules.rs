//! The trees of this repository's environments against what kluctl, Flux and Kubernetes accept.
//!
//! What `trees` does not look at: scopes, definitions apart from their resources, hooks, strict YAML, digests, Flux's own
//! definitions, kustomize itself, and the types of Kubernetes.

use crate::readers::{self, Files, documents};
use camino::{Utf8Path, Utf8PathBuf};
use k8s_openapi::api;
use serde_json::Value as Json;
use stackc::schema::kinds;
use stackc::source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// The files of every environment, compiled as its overlay says.
fn environments() -> Vec<(&'static str, &'static Files)> {
    let mut names = BTreeSet::new();
    super::trees::environments()
        .map(|built| (&*built.name, built.tree.files()))
        .filter(|(name, _)| names.insert(*name))
        .collect()
}

/// A file of objects that a unit lists: its unit's folder, its path, its documents.
struct Listed<'f> {
    unit: &'f Utf8Path,
    path: Utf8PathBuf,
    objects: Vec<Json>,
}

/// Every folder with a `kustomization.yaml`, and what that file says.
fn units(files: &Files) -> BTreeMap<&Utf8Path, Json> {
    files
        .iter()
        .filter(|(path, _)| path.ends_with("kustomization.yaml"))
        .map(|(path, bytes)| (path.parent().expect("a folder"), documents(bytes).remove(0)))
        .collect()
}

fn resources(kustomization: &Json) -> impl Iterator<Item = &str> {
    kustomization["resources"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

/// All objects of an environment, with their files; what kluctl renders later and encrypted files are left out.
fn listed(files: &Files) -> Vec<Listed<'_>> {
    let mut found = Vec::new();
    for (unit, kustomization) in units(files) {
        for name in resources(&kustomization) {
            let path = unit.join(name);
            if name.ends_with("helm-rendered.yaml") || !files.contains_key(&path) {
                continue;
            }
            let objects = documents(&files[&path]);
            if objects.iter().all(|object| object.get("sops").is_none()) {
                found.push(Listed { unit, path, objects });
            }
        }
    }
    found
}

fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

fn group(object: &Json) -> &str {
    text(object, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group)
}

#[test]
fn namespaces_are_where_they_belong() {
    for (_, files) in environments() {
        for listed in listed(files) {
            for object in &listed.objects {
                let namespaced = match kinds::builtin(group(object), text(object, "/kind")) {
                    Some(kind) => kind.scope == kinds::Scope::Namespaced,
                    None => match text(object, "/kind") {
                        "ClusterIssuer" | "GatewayClass" | "ClusterImageCatalog" => false,
                        "Issuer" | "Certificate" | "Cluster" | "Database" | "Pooler" | "HelmRelease" => true,
                        _ => continue,
                    },
                };
                let said = object.pointer("/metadata/namespace").is_some();
                assert_eq!(said, namespaced, "{}", listed.path);
            }
        }
    }
}

#[test]
fn custom_resources_do_not_share_a_unit_with_what_serves_them() {
    for (_, files) in environments() {
        let mut served: BTreeSet<(&Utf8Path, String)> = BTreeSet::new();
        let all = listed(files);
        for listed in &all {
            for object in &listed.objects {
                if object["kind"] == "CustomResourceDefinition" {
                    served.insert((listed.unit, text(object, "/spec/group").to_owned()));
                }
                for rule in object["webhooks"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|hook| hook["rules"].as_array())
                    .flatten()
                {
                    for group in rule["apiGroups"].as_array().into_iter().flatten().filter_map(Json::as_str) {
                        served.insert((listed.unit, group.to_owned()));
                    }
                }
            }
        }
        for listed in &all {
            for object in listed.objects.iter().filter(|object| group(object).contains('.')) {
                let own = (listed.unit, group(object).to_owned());
                assert!(
                    !served.contains(&own) || kinds::builtin(&own.1, text(object, "/kind")).is_some(),
                    "{}",
                    listed.path
                );
            }
        }
    }
}

#[test]
fn no_hook_is_left() {
    for (_, files) in environments() {
        for listed in listed(files) {
            for object in &listed.objects {
                let hooks = object["metadata"]["annotations"].as_object().into_iter().flatten();
                let left: Vec<_> = hooks.filter(|(key, _)| key.starts_with("helm.sh/hook")).collect();
                assert!(left.is_empty(), "{}: {left:?}", listed.path);
            }
        }
    }
}

#[test]
fn the_yaml_is_strict() {
    for (_, files) in environments() {
        for (path, bytes) in files {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            assert!(!text.contains('\r') && text.ends_with('\n') && !text.starts_with('\u{feff}'), "{path}");
        }
        for listed in listed(files) {
            assert_eq!(listed.objects.len(), 1, "{} holds one object", listed.path);
            let sources = Sources::new();
            let text = std::str::from_utf8(&files[&listed.path]).expect("UTF-8");
            let file = sources.add(listed.path.as_str(), text);
            let read = stackc::yaml::read(file, text, stackc::yaml::Options::STRICT)
                .unwrap_or_else(|error| panic!("{}: {}", listed.path, error.go_message()));
            assert_eq!(read.to_json(), listed.objects[0], "{}: two readers disagree", listed.path);
        }
    }
}

#[test]
fn an_environment_lists_its_files() {
    use sha2::Digest as _;
    for (environment, files) in environments() {
        let own = Utf8PathBuf::from(format!("envs/{environment}/.stackc-files"));
        let mut lines = Vec::new();
        for (path, bytes) in files.iter().filter(|(path, _)| **path != own) {
            let mut digest = String::new();
            for byte in sha2::Sha256::digest(bytes) {
                digest += &format!("{byte:02x}");
            }
            lines.push((path.as_str(), digest));
        }
        lines.sort();
        let wanted: String = lines.iter().map(|(path, digest)| [digest, "  ", path, "\n"].concat()).collect();
        assert_eq!(String::from_utf8_lossy(&files[&own]), wanted);
    }
}

#[test]
fn flux_takes_every_environment() {
    for (environment, files) in environments() {
        let wanted: &[&str] = if environment == "docfast" {
            &["Kustomization", "HelmRelease", "HelmRepository"]
        } else {
            &["Kustomization"]
        };
        readers::taken_by_flux(files, wanted);
    }
}

#[test]
fn kustomize_takes_every_unit() {
    for (environment, files) in environments() {
        let taken = readers::taken_by_kustomize(files);
        assert!(taken == 0 || taken == units(files).len(), "{environment}");
    }
}

/// Whether everything in `wanted` is in `found` too.
fn lacks(wanted: &Json, found: &Json, path: &str, missing: &mut Vec<String>) {
    match (wanted, found) {
        (Json::Object(wanted), Json::Object(found)) => {
            for (key, value) in wanted {
                match found.get(key) {
                    Some(found) => lacks(value, found, &format!("{path}.{key}"), missing),
                    None if value.is_null()
                        || *value == serde_json::json!({})
                        || *value == serde_json::json!([]) => {}
                    None => missing.push(format!("{path}.{key}")),
                }
            }
        }
        (Json::Array(wanted), Json::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                lacks(wanted, found, &format!("{path}[{index}]"), missing);
            }
        }
        _ if wanted == found => {}
        _ => missing.push(format!("{path}: {wanted} became {found}")),
    }
}

/// An object as its Kubernetes type takes it; `None` for a type that is not in the list.
fn typed(object: &Json) -> Option<Result<Json, serde_json::Error>> {
    macro_rules! as_types {
        ($($api:literal $kind:literal $type:ty),* $(,)?) => {
            match (text(object, "/apiVersion"), text(object, "/kind")) {
                $(($api, $kind) => Some(
                    serde_json::from_value::<$type>(object.clone()).and_then(|typed| serde_json::to_value(typed)),
                ),)*
                _ => None,
            }
        };
    }
    as_types! {
        "v1" "ConfigMap" api::core::v1::ConfigMap,
        "v1" "LimitRange" api::core::v1::LimitRange,
        "v1" "Namespace" api::core::v1::Namespace,
        "v1" "PersistentVolume" api::core::v1::PersistentVolume,
        "v1" "PersistentVolumeClaim" api::core::v1::PersistentVolumeClaim,
        "v1" "Pod" api::core::v1::Pod,
        "v1" "ResourceQuota" api::core::v1::ResourceQuota,
        "v1" "Secret" api::core::v1::Secret,
        "v1" "Service" api::core::v1::Service,
        "v1" "ServiceAccount" api::core::v1::ServiceAccount,
        "admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration" api::admissionregistration::v1::MutatingWebhookConfiguration,
        "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" api::admissionregistration::v1::ValidatingWebhookConfiguration,
        "apiextensions.k8s.io/v1" "CustomResourceDefinition" k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
        "apiregistration.k8s.io/v1" "APIService" k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService,
        "apps/v1" "DaemonSet" api::apps::v1::DaemonSet,
        "apps/v1" "Deployment" api::apps::v1::Deployment,
        "apps/v1" "StatefulSet" api::apps::v1::StatefulSet,
        "autoscaling/v2" "HorizontalPodAutoscaler" api::autoscaling::v2::HorizontalPodAutoscaler,
        "batch/v1" "CronJob" api::batch::v1::CronJob,
        "batch/v1" "Job" api::batch::v1::Job,
        "coordination.k8s.io/v1" "Lease" api::coordination::v1::Lease,
        "networking.k8s.io/v1" "Ingress" api::networking::v1::Ingress,
        "networking.k8s.io/v1" "IngressClass" api::networking::v1::IngressClass,
        "networking.k8s.io/v1" "NetworkPolicy" api::networking::v1::NetworkPolicy,
        "policy/v1" "PodDisruptionBudget" api::policy::v1::PodDisruptionBudget,
        "rbac.authorization.k8s.io/v1" "ClusterRole" api::rbac::v1::ClusterRole,
        "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" api::rbac::v1::ClusterRoleBinding,
        "rbac.authorization.k8s.io/v1" "Role" api::rbac::v1::Role,
        "rbac.authorization.k8s.io/v1" "RoleBinding" api::rbac::v1::RoleBinding,
        "scheduling.k8s.io/v1" "PriorityClass" api::scheduling::v1::PriorityClass,
        "storage.k8s.io/v1" "CSIDriver" api::storage::v1::CSIDriver,
        "storage.k8s.io/v1" "StorageClass" api::storage::v1::StorageClass,
    }
}

#[test]
fn every_object_of_kubernetes_is_of_its_type() {
    let mut count = 0;
    for (_, files) in environments() {
        for listed in listed(files) {
            for object in &listed.objects {
                match typed(object) {
                    Some(Ok(found)) => {
                        let mut missing = Vec::new();
                        lacks(object, &found, "", &mut missing);
                        assert!(missing.is_empty(), "{}: the type does not know {missing:?}", listed.path);
                        count += 1;
                    }
                    Some(Err(error)) => panic!("{}: {error}", listed.path),
                    None => {
                        let known = kinds::builtin(group(object), text(object, "/kind")).is_some();
                        assert!(!known, "{}: add its type to the list", listed.path);
                    }
                }
            }
        }
    }
    assert!(count > 30, "{count} objects");
}
