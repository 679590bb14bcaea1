//! Volumes of Pods: names and sources. What a PersistentVolume can be made of as well is in `sources.rs`.

use super::claims::{self, check_spec};
use super::containers::PULL_POLICIES;
use super::persistent::check_driver_name;
use super::pods::{Place, Pod, one_of_if_written};
use super::projections::{check_file, check_items, check_mode, check_projected};
use super::require;
use super::sources::check_source;
use crate::kube::formats::{check, descending_path, dns_label, dns_subdomain, quantity};
use crate::kube::{Causes, Field};
use std::collections::{BTreeMap, BTreeSet};

/// What a volume is, for those who mount it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Volume {
    /// A claim, which can be a device.
    Claim,
    /// Anything else.
    Other,
}

/// The volumes of a Pod that are fine, by name.
#[derive(Debug, Default)]
pub(super) struct Volumes<'n> {
    known: BTreeMap<&'n str, Volume>,
    dropped: Vec<&'n str>,
}

impl Volumes<'_> {
    /// What the volume `name` is.
    pub(super) fn get(&self, name: &str) -> Option<Volume> {
        self.known.get(name).copied()
    }

    /// Whether a server drops the volume `name` and its mounts, as it does not know its source yet.
    pub(super) fn is_dropped(&self, name: &str) -> bool {
        self.dropped.contains(&name)
    }
}

/// The sources, in the order in which a server looks at them: the first one is checked, the others are too many.
const SOURCES: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// Checks the volumes of a Pod, beside those that a StatefulSet makes of its `claims`.
pub(super) fn check_volumes<'n>(
    pod: &Pod<'_, 'n>,
    claims: Option<Field<'_, 'n>>,
    causes: &mut Causes,
) -> Volumes<'n> {
    let list = pod.spec.key("volumes");
    let mut volumes = Volumes::default();
    let mut added = BTreeSet::new();
    for claim in claims.iter().flat_map(Field::items) {
        let metadata = claim.key("metadata");
        let name = metadata.key("name");
        if added.insert(name.text()) && check_added(list, name, causes) {
            volumes.known.insert(name.text(), Volume::Claim);
        }
    }
    let of_pod = if pod.place == Place::Pod { pod.metadata.key("name").text() } else { "" };
    for volume in list.items() {
        let name = volume.key("name");
        if added.contains(name.text()) {
            continue;
        }
        if volume.key("image").is_set() && pod.release < (1, 35) {
            volumes.dropped.push(name.text());
            continue;
        }
        let before = causes.len();
        check_sources(pod, volume, of_pod, causes);
        if require(name, causes) {
            check(name, dns_label, causes);
        }
        if volumes.known.contains_key(name.text()) {
            causes.duplicate(name, format!("`{}` stands before", name.text()));
        }
        if causes.len() == before {
            let claim = ["persistentVolumeClaim", "ephemeral"].iter().any(|key| volume.key(key).is_set());
            volumes.known.insert(name.text(), if claim { Volume::Claim } else { Volume::Other });
        }
        check_not_own_claim(list, volume, of_pod, causes);
    }
    volumes
}

/// A volume that a StatefulSet puts before the others, by the name of a claim.
fn check_added(list: Field<'_, '_>, name: Field<'_, '_>, causes: &mut Causes) -> bool {
    let before = causes.len();
    let place = list.index(0);
    if require(place.alias("name", &name), causes) {
        check(place.alias("name", &name), dns_label, causes);
    } else {
        require(place.key("persistentVolumeClaim").alias("claimName", &name), causes);
    }
    causes.len() == before
}

/// A claim is none that the Pod makes for an ephemeral volume.
fn check_not_own_claim(list: Field<'_, '_>, volume: Field<'_, '_>, of_pod: &str, causes: &mut Causes) {
    let source = volume.key("persistentVolumeClaim");
    let claim = source.key("claimName");
    if of_pod.is_empty() || !source.is_set() {
        return;
    }
    let made = claim.text().strip_prefix(of_pod).and_then(|rest| rest.strip_prefix('-'));
    let own = |name: &str| {
        list.items().any(|other| other.key("ephemeral").is_set() && other.key("name").text() == name)
    };
    if made.is_some_and(own) {
        causes.invalid(claim, "the Pod makes this claim for an ephemeral volume");
    }
}

fn check_sources(pod: &Pod<'_, '_>, volume: Field<'_, '_>, of_pod: &str, causes: &mut Causes) {
    let mut present = SOURCES.iter().filter(|key| volume.key(key).is_set());
    // Without any, it is an empty directory.
    let Some(first) = present.next() else { return };
    let name = volume.key("name").text();
    let source = volume.key(first);
    match *first {
        "emptyDir" => {
            let limit = source.key("sizeLimit");
            if quantity(limit).is_some_and(|limit| limit.signum() < 0) {
                causes.forbidden(limit, "the limit is negative");
            }
        }
        "gitRepo" => {
            require(source.key("repository"), causes);
            check(source.key("directory"), descending_path, causes);
        }
        "gcePersistentDisk" => {
            // The server has a name of its own for this one.
            check_source(volume.alias("persistentDisk", &source), first, name, causes);
        }
        "secret" | "configMap" => {
            require(source.key(if *first == "secret" { "secretName" } else { "name" }), causes);
            check_mode(source.key("defaultMode"), causes);
            check_items(source.key("items"), causes);
        }
        "iscsi" => {
            check_source(source, first, "", causes);
            let portal = source.key("targetPortal").text();
            if source.key("initiatorName").is_set() && name.len() + 1 + portal.len() > 64 {
                causes.invalid(volume.key("name"), "with its portal, it has more than 64 characters");
            }
        }
        "persistentVolumeClaim" => {
            require(source.key("claimName"), causes);
        }
        "downwardAPI" => {
            check_mode(source.key("defaultMode"), causes);
            source.key("items").items().for_each(|file| check_file(file, source, causes));
        }
        "projected" => check_projected(source, causes),
        "cinder" => {
            require(source.key("volumeID"), causes);
            check_secret(source.key("secretRef"), causes);
        }
        "storageos" => {
            let (volume, namespace) = (source.key("volumeName"), source.key("volumeNamespace"));
            if require(volume, causes) {
                check(volume, dns_label, causes);
            }
            if !namespace.text().is_empty() {
                check(namespace, dns_label, causes);
            }
            check_secret(source.key("secretRef"), causes);
        }
        "csi" => {
            check_driver_name(source.key("driver"), causes);
            let secret = source.key("nodePublishSecretRef");
            if secret.is_set() && require(secret.key("name"), causes) {
                check(source.alias("name", &secret.key("name")), dns_subdomain, causes);
            }
        }
        "ephemeral" => check_ephemeral(pod, volume, of_pod, causes),
        "image" => {
            if pod.place == Place::Pod {
                require(source.key("reference"), causes);
            }
            one_of_if_written(source.key("pullPolicy"), PULL_POLICIES, causes);
        }
        kind => check_source(source, kind, name, causes),
    }
    for key in present {
        causes.forbidden(volume.key(key), format!("the volume has `{first}` already"));
    }
}

fn check_secret(reference: Field<'_, '_>, causes: &mut Causes) {
    if reference.is_set() {
        require(reference.key("name"), causes);
    }
}

fn check_ephemeral(pod: &Pod<'_, '_>, volume: Field<'_, '_>, of_pod: &str, causes: &mut Causes) {
    let source = volume.key("ephemeral");
    let template = source.key("volumeClaimTemplate");
    if template.is_set() {
        claims::check_template_metadata(template.key("metadata"), causes);
        check_spec(template.key("spec"), claims::Owner::Template, pod.release, causes);
    } else {
        causes.required(template, "an ephemeral volume has a template of a claim");
    }
    let name = volume.key("name");
    if !of_pod.is_empty() && !name.text().is_empty() {
        let claim = format!("{of_pod}-{}", name.text());
        if let Err(reason) = dns_subdomain(&claim) {
            causes.invalid(name, format!("the name of its claim, `{claim}`, {reason}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::check_pods;

    #[test]
    fn a_volume_has_a_name_and_one_source() {
        check_pods(&[
            ("", "volumes: [{name: a}]", &[]),
            (
                "",
                "volumes: [{emptyDir: {}}, {name: A}, {name: a}, {name: a}]",
                &["Required volumes[0].name", "Invalid volumes[1].name", "Duplicate volumes[3].name"],
            ),
            (
                "",
                "volumes: [{name: a, emptyDir: {}, hostPath: {path: /x}}]",
                &["Forbidden volumes[0].hostPath"],
            ),
            (
                "",
                "volumes: [{name: a, emptyDir: {sizeLimit: -1}}]",
                &["Forbidden volumes[0].emptyDir.sizeLimit"],
            ),
            (
                "",
                "volumes: [{name: a, hostPath: {path: ../x, type: Dir}}]",
                &["Invalid volumes[0].hostPath.path", "Unsupported volumes[0].hostPath.type"],
            ),
            (
                "",
                "volumes: [{name: a, secret: {defaultMode: 512, items: [{key: '', path: ..x, mode: -1}]}}]",
                &[
                    "Required volumes[0].secret.secretName",
                    "Invalid volumes[0].secret.defaultMode",
                    "Required volumes[0].secret.items[0].key",
                    "Invalid volumes[0].secret.items[0].path",
                    "Invalid volumes[0].secret.items[0].mode",
                ],
            ),
            ("", "volumes: [{name: a, configMap: {}}]", &["Required volumes[0].configMap.name"]),
            (
                "",
                "volumes: [{name: a, gcePersistentDisk: {partition: 256}}]",
                &["Required volumes[0].persistentDisk.pdName", "Invalid volumes[0].persistentDisk.partition"],
            ),
            (
                "",
                "volumes: [{name: a, csi: {driver: UPPER.x, nodePublishSecretRef: {name: A}}}]",
                &["Invalid volumes[0].csi.name"],
            ),
            (
                "",
                "volumes: [{name: a, gitRepo: {directory: /x}}]",
                &["Required volumes[0].gitRepo.repository", "Invalid volumes[0].gitRepo.directory"],
            ),
        ]);
    }

    #[test]
    fn an_ephemeral_volume_makes_a_claim() {
        check_pods(&[
            (
                "",
                "volumes: [{name: a, ephemeral: {}}]",
                &["Required volumes[0].ephemeral.volumeClaimTemplate"],
            ),
            (
                "",
                "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {metadata: {name: x}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1}}}}}}, {name: b, persistentVolumeClaim: {claimName: p-a}}]",
                &[
                    "Forbidden volumes[0].ephemeral.volumeClaimTemplate.metadata.name",
                    "Invalid volumes[1].persistentVolumeClaim.claimName",
                ],
            ),
        ]);
    }
}
