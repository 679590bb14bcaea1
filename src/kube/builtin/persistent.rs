//! `PersistentVolumes`, alone and in `VolumeAttachments`.

use super::affinity::{Values, check_node_selector};
use super::claims::{check_access_modes, check_volume_mode};
use super::require;
use crate::kube::formats::{check, check_text, dns_subdomain, quantity};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;

/// Where the description of a volume stands.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a `PersistentVolume`.
    Own,
    /// In a `VolumeAttachment`.
    Inline,
}

const LONGEST_DRIVER: usize = 63;

/// The name of a CSI driver.
pub(super) fn check_driver_name(name: Field<'_, '_>, causes: &mut Causes) {
    require(name, causes);
    if name.text().len() > LONGEST_DRIVER {
        causes.at(name, CauseKind::TooLong, format!("more than {LONGEST_DRIVER} characters"));
    }
    check_text(name, &name.text().to_lowercase(), dns_subdomain, causes);
}

/// `PersistentVolume`.
pub(super) fn volume(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    check_volume(spec, metadata.key("name").text(), Place::Own, causes);
    let attributes = spec.key("volumeAttributesClassName");
    // Before 1.34, the field is behind a gate that is closed by default.
    if attributes.is_set() && release >= (1, 34) {
        if require(attributes, causes) {
            check(attributes, dns_subdomain, causes);
        }
        if !spec.key("csi").is_set() {
            causes.required(spec.key("csi"), "only volumes of CSI have a class of attributes");
        }
    }
}

/// The `spec` of a volume.
pub(super) fn check_volume(spec: Field<'_, '_>, name: &str, place: Place, causes: &mut Causes) {
    let modes = spec.key("accessModes");
    if modes.count() == 0 {
        causes.required(modes, "at least one is needed");
    }
    check_access_modes(modes, causes);
    match place {
        Place::Own => check_own(spec, causes),
        Place::Inline => check_inline(spec, causes),
    }
    super::sources::check_sources(spec, name, causes);
}

fn check_inline(spec: Field<'_, '_>, causes: &mut Causes) {
    let written = |key: &str| match key {
        "claimRef" | "nodeAffinity" => spec.key(key).is_set(),
        _ => spec.key(key).count() > 0 || !spec.key(key).text().is_empty(),
    };
    for key in ["claimRef", "capacity", "nodeAffinity", "storageClassName"] {
        if written(key) {
            causes.forbidden(spec.key(key), "does not belong into an attachment");
        }
    }
    if !spec.key("csi").is_set() {
        causes.required(spec.key("csi"), "only volumes of CSI are attached");
    }
    let (policy, mode) = (spec.key("persistentVolumeReclaimPolicy"), spec.key("volumeMode"));
    if !matches!(policy.text(), "" | "Retain") {
        causes.forbidden(policy, "an attachment knows `Retain` alone");
    }
    if mode.is_set() && mode.text() != "Filesystem" {
        causes.forbidden(mode, "an attachment knows `Filesystem` alone");
    }
}

fn check_own(spec: Field<'_, '_>, causes: &mut Causes) {
    let capacity = spec.key("capacity");
    if capacity.count() == 0 {
        causes.required(capacity, "a volume has a capacity");
    }
    if !capacity.key("storage").is_set() || capacity.count() > 1 {
        let other = capacity.members().map(|(name, _)| name).find(|name| *name != "storage").unwrap_or("");
        causes.unsupported(capacity, other, &["storage"]);
    }
    for (_, amount) in capacity.members() {
        if quantity(amount).is_some_and(|amount| amount.signum() < 1) {
            causes.invalid(amount, "has to be more than 0");
        }
    }
    let policy = spec.key("persistentVolumeReclaimPolicy");
    if !policy.text().is_empty() {
        causes.one_of(policy, policy.text(), &["Delete", "Recycle", "Retain"]);
    }
    let affinity = spec.key("nodeAffinity");
    if affinity.is_set() {
        if affinity.key("required").is_set() {
            check_node_selector(affinity.key("required"), Values::Labels, causes);
        } else {
            causes.required(affinity.key("required"), "has to be set");
        }
    }
    let host = spec.key("hostPath");
    if policy.text() == "Recycle" && host.is_set() && is_root(host.key("path").text()) {
        causes.forbidden(policy, "the root of a node is not recycled");
    }
    if !spec.key("storageClassName").text().is_empty() {
        check(spec.key("storageClassName"), dns_subdomain, causes);
    }
    check_volume_mode(spec.key("volumeMode"), causes);
}

fn is_root(path: &str) -> bool {
    path.starts_with('/') && path.split('/').all(|step| matches!(step, "" | "." | ".."))
}
