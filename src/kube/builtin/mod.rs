//! The validation of built-in kinds, one file a group of them.

mod addresses;
mod affinity;
mod annotations;
mod certificates;
mod claims;
mod classes;
mod config;
mod containers;
mod cron;
mod definitions;
mod devices;
mod endpoints;
mod events;
mod expressions;
mod flow;
mod hooks;
mod ingress;
mod jobs;
mod networks;
mod nodes;
mod persistent;
mod pods;
mod policies;
mod probes;
mod projections;
mod quotas;
mod rbac;
mod references;
mod registration;
mod resources;
mod scaling;
mod security;
mod services;
mod sources;
mod storage;
#[cfg(test)]
mod trial;
mod volumes;
mod windows;
mod workloads;

#[cfg(test)]
mod tests;

use super::formats::{PORT, Reason, is_port};
use super::{Causes, Field};
use crate::schema::kinds::Minor;

/// Checks an object that was decoded. Defaults are not filled in: each rule knows what a missing field means.
pub(super) fn check(
    object: Field<'_, '_>,
    (group, version, kind): (&str, &str, &str),
    release: Minor,
    causes: &mut Causes,
) {
    match (group, kind) {
        ("", "ConfigMap") => config::config_map(object, causes),
        ("", "Endpoints") => endpoints::endpoints(object, causes),
        ("" | "events.k8s.io", "Event") => events::event(object, group, causes),
        ("", "LimitRange") => quotas::limits(object, causes),
        ("", "Namespace") => nodes::namespace(object, causes),
        ("", "Node") => nodes::node(object, causes),
        ("", "PersistentVolume") => persistent::volume(object, release, causes),
        ("", "PersistentVolumeClaim") => {
            claims::check_spec(object.key("spec"), claims::Owner::Claim, release, causes);
        }
        ("", "Pod") => pods::pod(object, release, causes),
        ("", "PodTemplate") => workloads::pod_template(object, release, causes),
        ("", "ReplicationController") => workloads::replication_controller(object, release, causes),
        ("", "ResourceQuota") => quotas::quota(object, causes),
        ("", "Secret") => config::secret(object, causes),
        ("", "Service") => services::service(object, release, causes),
        ("admissionregistration.k8s.io", _) => match kind {
            "MutatingAdmissionPolicy" => policies::mutating(object, causes),
            "MutatingAdmissionPolicyBinding" => policies::mutating_binding(object, causes),
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
                hooks::configuration(object, causes);
            }
            "ValidatingAdmissionPolicy" => policies::validating(object, causes),
            "ValidatingAdmissionPolicyBinding" => policies::validating_binding(object, causes),
            _ => {}
        },
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            definitions::definition(object, release, causes);
        }
        ("apiregistration.k8s.io", "APIService") => registration::api_service(object, causes),
        ("apps", "ControllerRevision") => classes::revision(object, release, causes),
        ("apps", "DaemonSet") => workloads::daemon_set(object, release, causes),
        ("apps", "Deployment") => workloads::deployment(object, release, causes),
        ("apps", "ReplicaSet") => workloads::replica_set(object, release, causes),
        ("apps", "StatefulSet") => workloads::stateful_set(object, release, causes),
        ("autoscaling", "HorizontalPodAutoscaler") => scaling::autoscaler(object, version, release, causes),
        ("batch", "CronJob") => jobs::cron_job(object, release, causes),
        ("batch", "Job") => jobs::job(object, release, causes),
        ("certificates.k8s.io", "CertificateSigningRequest") => certificates::request(object, causes),
        ("coordination.k8s.io", "Lease") => classes::lease(object, causes),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(object, release, causes),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => flow::schema(object, causes),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => flow::level(object, causes),
        ("networking.k8s.io", "IPAddress") => ingress::parent(object, causes),
        ("networking.k8s.io", "Ingress") => ingress::ingress(object, release, causes),
        ("networking.k8s.io", "IngressClass") => ingress::class(object, causes),
        ("networking.k8s.io", "NetworkPolicy") => networks::policy(object, causes),
        ("networking.k8s.io", "ServiceCIDR") => networks::service_networks(object, causes),
        ("node.k8s.io", "RuntimeClass") => classes::runtime(object, causes),
        ("policy", "PodDisruptionBudget") => scaling::budget(object, causes),
        ("rbac.authorization.k8s.io", "ClusterRole") => rbac::role(object, rbac::Reach::Cluster, causes),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => {
            rbac::binding(object, rbac::Reach::Cluster, causes);
        }
        ("rbac.authorization.k8s.io", "Role") => rbac::role(object, rbac::Reach::Namespace, causes),
        ("rbac.authorization.k8s.io", "RoleBinding") => {
            rbac::binding(object, rbac::Reach::Namespace, causes);
        }
        ("scheduling.k8s.io", "PriorityClass") => classes::priority(object, causes),
        // Older versions of the API have other shapes.
        ("resource.k8s.io", _) if matches!(version, "v1" | "v1beta2") => match kind {
            "DeviceClass" => devices::class(object, causes),
            "ResourceClaim" => devices::claim(object, causes),
            "ResourceClaimTemplate" => devices::template(object, causes),
            "ResourceSlice" => devices::slice(object, causes),
            _ => {}
        },
        ("storage.k8s.io", "CSIDriver") => storage::driver(object, causes),
        ("storage.k8s.io", "CSINode") => storage::node(object, causes),
        ("storage.k8s.io", "CSIStorageCapacity") => storage::capacity(object, causes),
        ("storage.k8s.io", "StorageClass") => storage::class(object, causes),
        ("storage.k8s.io", "VolumeAttachment") => storage::attachment(object, causes),
        ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes_class(object, causes),
        _ => {}
    }
}

/// Protocols of ports.
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// A part of a path of a URL: the names of roles, of kinds and of metrics.
fn path_segment(text: &str) -> Result<(), Reason> {
    match text {
        "." | ".." => Err("is a step in a path"),
        _ if text.contains('/') => Err("has a `/`"),
        _ if text.contains('%') => Err("has a `%`"),
        _ => Ok(()),
    }
}

/// A part of a path that has to be there.
fn require_path_segment(field: Field<'_, '_>, causes: &mut Causes) {
    if require(field, causes) {
        super::formats::check(field, path_segment, causes);
    }
}

/// Whether there is text; a cause where there is none.
fn require(field: Field<'_, '_>, causes: &mut Causes) -> bool {
    let there = !field.text().is_empty();
    if !there {
        causes.required(field, "has to be set");
    }
    there
}

/// The number of a port; a missing one is 0, which is none.
fn check_port_number(field: Field<'_, '_>, causes: &mut Causes) {
    check_port_value(field, field.int().unwrap_or(0), causes);
}

/// A number that a field of a port stands for.
fn check_port_value(field: Field<'_, '_>, number: i64, causes: &mut Causes) {
    if !is_port(number) {
        causes.invalid(field, format!("`{number}` {PORT}"));
    }
}
