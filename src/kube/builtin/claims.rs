//! `PersistentVolumeClaims`, alone and in the templates of those who make them.

use super::quotas::check_amount;
use crate::kube::formats::{
    check, check_annotations, check_label_selector, check_labels, dns_subdomain, quantity,
};
use crate::kube::{Causes, Field};
use crate::schema::kinds::Minor;

const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];

/// Whose `spec` it is.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A claim's own.
    Claim,
    /// That of a template within a Pod.
    Template,
}

/// The `spec` of a claim.
pub(super) fn check_spec(spec: Field<'_, '_>, owner: Owner, release: Minor, causes: &mut Causes) {
    let modes = spec.key("accessModes");
    if modes.count() == 0 {
        causes.required(modes, "at least one is needed");
    }
    check_access_modes(modes, causes);
    check_label_selector(spec.key("selector"), causes);
    let resources = spec.key("resources");
    let requests = resources.key("requests");
    // The server tells it without `requests`.
    let own = requests.key("storage");
    let storage = resources.alias("storage", &own);
    if !storage.is_set() {
        causes.required(storage, "a claim asks for an amount of storage");
    } else if quantity(storage).is_some_and(|amount| amount.signum() < 1) {
        causes.invalid(storage, "has to be more than 0");
    } else {
        check_amount(storage, "storage", causes);
    }
    if !spec.key("storageClassName").text().is_empty() {
        check(spec.key("storageClassName"), dns_subdomain, causes);
    }
    check_volume_mode(spec.key("volumeMode"), causes);
    let attributes = spec.key("volumeAttributesClassName");
    // Before 1.34, the field is behind a gate that is closed by default.
    if !attributes.text().is_empty() && release >= (1, 34) {
        check(attributes, dns_subdomain, causes);
    }
    check_sources(spec, owner, causes);
}

fn check_sources(spec: Field<'_, '_>, owner: Owner, causes: &mut Causes) {
    let (source, reference) = (spec.key("dataSource"), spec.key("dataSourceRef"));
    // A reference into another namespace is behind a gate that is closed by default: it is dropped in silence.
    let referenced = reference.is_set() && reference.key("namespace").text().is_empty();
    if referenced {
        check_source(reference, causes);
    }
    // The old field knew two kinds; a claim with another one is taken as if there were none.
    let known = matches!(
        (source.key("apiGroup").text(), source.key("kind").text()),
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
    );
    if !source.is_set() || (owner == Owner::Claim && !referenced && !known) {
        return;
    }
    check_source(source, causes);
    let part = |of: Field<'_, '_>, key: &str| (of.key(key).is_set(), of.key(key).text().to_owned());
    if referenced && ["apiGroup", "kind", "name"].iter().any(|key| part(source, key) != part(reference, key))
    {
        causes.invalid(spec, "`dataSource` and `dataSourceRef` differ");
    }
}

/// The metadata of a template of a claim: labels and annotations, and nothing else.
pub(super) fn check_template_metadata(metadata: Field<'_, '_>, causes: &mut Causes) {
    check_annotations(metadata.key("annotations"), causes);
    check_labels(metadata.key("labels"), causes);
    for (key, value) in metadata.members() {
        let empty = value.text().is_empty() && value.count() == 0 && value.int().unwrap_or(0) == 0;
        if !matches!(key, "annotations" | "labels" | "creationTimestamp") && value.is_set() && !empty {
            causes.forbidden(value, "a template has labels and annotations only");
        }
    }
}

/// The ways in which a volume is opened.
pub(super) fn check_access_modes(modes: Field<'_, '_>, causes: &mut Causes) {
    let (mut alone, mut others) = (false, false);
    for mode in modes.items() {
        if !ACCESS_MODES.contains(&mode.text()) {
            causes.unsupported(modes, mode.text(), ACCESS_MODES);
        } else if mode.text() == "ReadWriteOncePod" {
            alone = true;
        } else {
            others = true;
        }
    }
    if alone && others {
        causes.forbidden(modes, "`ReadWriteOncePod` stands alone");
    }
}

/// Whether a volume is a device or a file system.
pub(super) fn check_volume_mode(mode: Field<'_, '_>, causes: &mut Causes) {
    if mode.is_set() {
        causes.one_of(mode, mode.text(), VOLUME_MODES);
    }
}

fn check_source(source: Field<'_, '_>, causes: &mut Causes) {
    super::require(source.key("name"), causes);
    super::require(source.key("kind"), causes);
    let group = source.key("apiGroup");
    if !group.text().is_empty() {
        check(group, dns_subdomain, causes);
    } else if source.key("kind").text() != "PersistentVolumeClaim" {
        causes.invalid(source, "without an API group, it is a `PersistentVolumeClaim`");
    }
}
