//! `StorageClasses`, `CSIDrivers`, `CSINodes`, `VolumeAttachments`, `VolumeAttributesClasses` and `CSIStorageCapacities`.

use super::hooks::optional;
use super::persistent::{Place, check_driver_name, check_volume};
use super::require;
use crate::kube::formats::{
    check, check_label_selector, check_not_negative, check_quantity_not_negative, check_text, dns_subdomain,
    qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::BTreeSet;

const MOST_PARAMETERS: usize = 512;
const MOST_PARAMETER_BYTES: usize = 256 * 1024;
const LONGEST_NODE_ID: usize = 256;
const SHORTEST_TOKEN: i64 = 600;
const LONGEST_TOKEN: i64 = 1 << 32;

/// `StorageClass`.
pub(super) fn class(object: Field<'_, '_>, causes: &mut Causes) {
    check_provisioner(object.key("provisioner"), causes);
    check_parameters(object.key("parameters"), causes);
    let policy = object.key("reclaimPolicy");
    if !policy.text().is_empty() {
        causes.one_of(policy, policy.text(), &["Delete", "Retain"]);
    }
    optional(object.key("volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"], causes);
    let mut seen = Vec::new();
    for term in object.key("allowedTopologies").items() {
        let expressions = check_topology(term, causes);
        // A term that asks for nothing is a double of nothing, to a server.
        if expressions.is_empty() || seen.contains(&expressions) {
            causes.duplicate(term.key("matchLabelExpressions"), "these expressions stand before");
        }
        seen.push(expressions);
    }
}

fn check_provisioner(field: Field<'_, '_>, causes: &mut Causes) {
    if require(field, causes) {
        check_text(field, &field.text().to_lowercase(), qualified_name, causes);
    }
}

fn check_parameters(parameters: Field<'_, '_>, causes: &mut Causes) {
    if parameters.count() > MOST_PARAMETERS {
        let fault = format!("{} parameters, {MOST_PARAMETERS} are allowed", parameters.count());
        causes.at(parameters, CauseKind::TooLong, fault);
        return;
    }
    let mut size = 0;
    for (key, value) in parameters.members() {
        if key.is_empty() {
            causes.invalid(parameters, "a parameter has a name");
        }
        size += key.len() + value.text().len();
    }
    if size > MOST_PARAMETER_BYTES {
        let fault = format!("parameters of {size} bytes, {MOST_PARAMETER_BYTES} are allowed");
        causes.at(parameters, CauseKind::TooLong, fault);
    }
}

type Expressions<'n> = std::collections::BTreeMap<&'n str, BTreeSet<&'n str>>;

fn check_topology<'n>(term: Field<'_, 'n>, causes: &mut Causes) -> Expressions<'n> {
    let mut found = Expressions::new();
    for expression in term.key("matchLabelExpressions").items() {
        let (key, values) = (expression.key("key"), expression.key("values"));
        if values.count() == 0 {
            causes.required(values, "at least one is needed");
        }
        let mut seen = BTreeSet::new();
        for value in values.items() {
            if !seen.insert(value.text()) {
                causes.duplicate(value, format!("`{}` stands twice", value.text()));
            }
        }
        check(key, qualified_name, causes);
        if found.insert(key.text(), seen).is_some() {
            causes.duplicate(key, format!("`{}` stands before", key.text()));
        }
    }
    found
}

/// `VolumeAttributesClass`.
pub(super) fn attributes_class(object: Field<'_, '_>, causes: &mut Causes) {
    check_provisioner(object.key("driverName"), causes);
    let parameters = object.key("parameters");
    check_parameters(parameters, causes);
    if parameters.count() == 0 {
        causes.required(parameters, "at least one is needed");
    }
}

/// `CSIDriver`.
pub(super) fn driver(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    optional(spec.key("fsGroupPolicy"), &["File", "None", "ReadWriteOnceWithFSType"], causes);
    let modes = spec.key("volumeLifecycleModes");
    for mode in modes.items() {
        if !matches!(mode.text(), "Persistent" | "Ephemeral") {
            causes.unsupported(modes, mode.text(), &["Persistent", "Ephemeral"]);
        }
    }
    let mut audiences = BTreeSet::new();
    for request in spec.key("tokenRequests").items() {
        let (audience, expiration) = (request.key("audience"), request.key("expirationSeconds"));
        if !audiences.insert(audience.text()) {
            causes.duplicate(audience, format!("`{}` stands twice", audience.text()));
        } else if expiration.int().is_some_and(|seconds| !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&seconds))
        {
            causes.invalid(expiration, format!("a token lives {SHORTEST_TOKEN} to {LONGEST_TOKEN} seconds"));
        }
    }
    let period = spec.key("nodeAllocatableUpdatePeriodSeconds");
    if period.int().is_some_and(|seconds| seconds < 10) {
        causes.invalid(period, "is less than 10 seconds");
    }
}

/// `CSINode`.
pub(super) fn node(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let mut names = BTreeSet::new();
    for driver in spec.key("drivers").items() {
        let (name, id, allocatable) = (driver.key("name"), driver.key("nodeID"), driver.key("allocatable"));
        check_driver_name(name, causes);
        require(id, causes);
        if id.text().len() > LONGEST_NODE_ID {
            causes.invalid(id, format!("more than {LONGEST_NODE_ID} characters"));
        }
        check_not_negative(allocatable.key("count"), causes);
        if !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` stands before", name.text()));
        }
        let mut keys = BTreeSet::new();
        for key in driver.key("topologyKeys").items() {
            if key.text().is_empty() {
                causes.required(driver, "a key of a topology is not empty");
            }
            if !keys.insert(key.text()) {
                causes.duplicate(driver, format!("the key `{}` stands twice", key.text()));
            }
            check_text(driver, key.text(), qualified_name, causes);
        }
    }
}

/// `VolumeAttachment`.
pub(super) fn attachment(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_driver_name(spec.key("attacher"), causes);
    let source = spec.key("source");
    let (inline, name) = (source.key("inlineVolumeSpec"), source.key("persistentVolumeName"));
    match (inline.is_set(), name.is_set()) {
        (false, false) => causes.required(source, "`inlineVolumeSpec` or `persistentVolumeName` is needed"),
        (true, true) => {
            causes.forbidden(source, "`inlineVolumeSpec` and `persistentVolumeName` exclude each other");
        }
        (false, true) => {
            require(name, causes);
        }
        (true, false) => check_volume(inline, "", Place::Inline, causes),
    }
    if name.is_set() {
        check(name, dns_subdomain, causes);
    }
    check(spec.key("nodeName"), dns_subdomain, causes);
}

/// `CSIStorageCapacity`.
pub(super) fn capacity(object: Field<'_, '_>, causes: &mut Causes) {
    check_label_selector(object.key("nodeTopology"), causes);
    check(object.key("storageClassName"), dns_subdomain, causes);
    check_quantity_not_negative(object.key("capacity"), causes);
}
