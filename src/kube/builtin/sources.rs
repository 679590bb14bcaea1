//! What a `PersistentVolume` is made of: exactly one source.

use super::hooks::optional;
use super::persistent::check_driver_name;
use super::require;
use crate::kube::formats::{check, dns_label, dns_subdomain, no_backsteps};
use crate::kube::{Causes, Field};

/// The sources, in the order in which a server looks at them: the first one is checked, the others are too many.
const SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];
const HIGHEST_UNIT: i64 = 255;

/// Checks the source of a volume named `name`.
pub(super) fn check_sources(spec: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let mut present = SOURCES.iter().filter(|key| spec.key(key).is_set());
    let Some(first) = present.next() else {
        causes.required(spec, "a volume needs a source");
        return;
    };
    check_source(spec.key(first), first, name, causes);
    for key in present {
        // Flex volumes are looked at wherever they stand.
        if *key == "flexVolume" {
            check_source(spec.key(key), key, name, causes);
        } else {
            causes.forbidden(spec.key(key), format!("the source of the volume is `{first}`"));
        }
    }
    if spec.key("local").is_set() && *first == "local" && !spec.key("nodeAffinity").is_set() {
        causes.required(spec.key("nodeAffinity"), "a local volume is on a node");
    }
}

pub(super) fn check_source(source: Field<'_, '_>, kind: &str, name: &str, causes: &mut Causes) {
    let mut all = |keys: &[&str]| {
        for key in keys {
            require(source.key(key), causes);
        }
    };
    match kind {
        "photonPersistentDisk" => all(&["pdID"]),
        "portworxVolume" => all(&["volumeID"]),
        "vsphereVolume" => all(&["volumePath"]),
        "scaleIO" => all(&["gateway", "system", "volumeName"]),
        "hostPath" => {
            if require(source.key("path"), causes) {
                check(source.key("path"), no_backsteps, causes);
                let kinds = &[
                    "",
                    "BlockDevice",
                    "CharDevice",
                    "Directory",
                    "DirectoryOrCreate",
                    "File",
                    "FileOrCreate",
                    "Socket",
                ];
                optional(source.key("type"), kinds, causes);
            }
        }
        "local" => {
            if require(source.key("path"), causes) {
                check(source.key("path"), no_backsteps, causes);
            }
        }
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            require(source.key(if kind == "gcePersistentDisk" { "pdName" } else { "volumeID" }), causes);
            check_unit(source.key("partition"), causes);
        }
        "nfs" => {
            require(source.key("server"), causes);
            require(source.key("path"), causes);
            if !source.key("path").text().starts_with('/') {
                causes.invalid(source.key("path"), "does not start with `/`");
            }
        }
        "glusterfs" => {
            all(&["endpoints", "path"]);
            if source.key("endpointsNamespace").is_set() {
                check(source.key("endpointsNamespace"), dns_label, causes);
            }
        }
        "flocker" => check_flocker(source, causes),
        "quobyte" => check_quobyte(source, causes),
        "rbd" => {
            check_monitors(source, causes);
            require(source.key("image"), causes);
        }
        "cephfs" => check_monitors(source, causes),
        "iscsi" => check_iscsi(source, name, causes),
        "cinder" => {
            require(source.key("volumeID"), causes);
            check_secret(source.key("secretRef"), causes);
        }
        "fc" => check_fibre_channel(source, causes),
        "flexVolume" => check_flex(source, causes),
        "azureFile" => {
            all(&["secretName", "shareName"]);
            if source.key("secretNamespace").is_set() {
                require(source.key("secretNamespace"), causes);
            }
        }
        "azureDisk" => check_azure_disk(source, causes),
        "storageos" => {
            if require(source.key("volumeName"), causes) {
                check(source.key("volumeName"), dns_label, causes);
            }
            if !source.key("volumeNamespace").text().is_empty() {
                check(source.key("volumeNamespace"), dns_label, causes);
            }
            check_secret(source.key("secretRef"), causes);
        }
        _ => check_csi(source, causes),
    }
}

/// A number from 0 to 255.
fn check_unit(field: Field<'_, '_>, causes: &mut Causes) {
    if field.int().is_some_and(|number| !(0..=HIGHEST_UNIT).contains(&number)) {
        causes.invalid(field, format!("is 0 to {HIGHEST_UNIT}"));
    }
}

fn check_monitors(source: Field<'_, '_>, causes: &mut Causes) {
    if source.key("monitors").count() == 0 {
        causes.required(source.key("monitors"), "at least one is needed");
    }
}

/// A secret of another namespace.
fn check_secret(reference: Field<'_, '_>, causes: &mut Causes) {
    if reference.is_set() {
        require(reference.key("name"), causes);
        require(reference.key("namespace"), causes);
    }
}

fn check_flocker(source: Field<'_, '_>, causes: &mut Causes) {
    let (name, id) = (source.key("datasetName"), source.key("datasetUUID"));
    match (name.text().is_empty(), id.text().is_empty()) {
        (true, true) => causes.required(source, "`datasetName` or `datasetUUID` is needed"),
        (false, false) => causes.invalid(source, "`datasetName` and `datasetUUID` exclude each other"),
        _ => {}
    }
    if name.text().contains('/') {
        causes.invalid(name, "has a `/`");
    }
}

fn check_quobyte(source: Field<'_, '_>, causes: &mut Causes) {
    let (registry, tenant) = (source.key("registry"), source.key("tenant"));
    if require(registry, causes) {
        if tenant.text().len() > 64 {
            causes.required(tenant, "has more than 64 characters");
        } else {
            for _ in registry.text().split(',').filter(|pair| !is_host_and_port(pair)) {
                causes.invalid(registry, "is a host with a port, or several with commas between");
            }
        }
    }
    require(source.key("volume"), causes);
}

fn is_host_and_port(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once("]:")
            .is_some_and(|(host, port)| !host.contains(['[', ']']) && !port.contains(['[', ']', ':'])),
        None => text.matches(':').count() == 1 && !text.contains(['[', ']']),
    }
}

fn check_iscsi(source: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let (portal, target, written) =
        (source.key("targetPortal"), source.key("iqn"), source.key("initiatorName"));
    let initiator = source.alias("initiatorname", &written);
    require(portal, causes);
    if initiator.is_set() && name.len() + 1 + portal.text().len() > 64 {
        causes.invalid(portal, "with the name of the volume, it has more than 64 characters");
    }
    if require(target, causes) {
        check(target, iscsi_name, causes);
    }
    check_unit(source.key("lun"), causes);
    let secret = source.key("secretRef");
    let authenticated =
        ["chapAuthDiscovery", "chapAuthSession"].iter().any(|key| source.key(key).truth() == Some(true));
    if secret.is_set() {
        require(secret.key("name"), causes);
    } else if authenticated {
        causes.required(secret, "CHAP needs a secret");
    }
    if initiator.is_set() {
        check(source.alias("initiatorname", &initiator), iscsi_name, causes);
    }
}

fn iscsi_name(text: &str) -> Result<(), &'static str> {
    let digits = |rest: &str, count: usize| {
        rest.chars().count() == count + 1 && rest.chars().skip(1).all(|digit| digit.is_ascii_alphanumeric())
    };
    let good = match text.get(..3) {
        Some("iqn") => text.match_indices("iqn.").any(|(at, _)| is_qualified_iscsi_name(&text[at + 4..])),
        Some("eui") => digits(&text[3..], 16),
        Some("naa") => digits(&text[3..], 32),
        _ => false,
    };
    if good { Ok(()) } else { Err("is no name of iSCSI: `iqn.`, `eui.` or `naa.` and what belongs to it") }
}

/// A year and a month, a domain backwards, and what its owner writes after a colon.
fn is_qualified_iscsi_name(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('.') else { return false };
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let dated = date.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2));
    let Some((domain, own)) = rest.split_once(':') else { return false };
    let of_domain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let free = |letter: char| !letter.is_ascii_whitespace() && !",;*&$|".contains(letter);
    dated && !domain.is_empty() && domain.bytes().all(of_domain) && !own.is_empty() && own.chars().all(free)
}

fn check_fibre_channel(source: Field<'_, '_>, causes: &mut Causes) {
    let (names, ids, unit) = (source.key("targetWWNs"), source.key("wwids"), source.key("lun"));
    match (names.count(), ids.count()) {
        (0, 0) => causes.required(names, "`targetWWNs` or `wwids` is needed"),
        (0, _) => {}
        (_, others) => {
            if others > 0 {
                causes.invalid(names, "`targetWWNs` and `wwids` exclude each other");
            }
            if unit.is_set() {
                check_unit(unit, causes);
            } else {
                causes.required(unit, "`targetWWNs` need a number of a unit");
            }
        }
    }
}

fn check_flex(source: Field<'_, '_>, causes: &mut Causes) {
    require(source.key("driver"), causes);
    for (key, value) in source.key("options").members() {
        let space = key.split('/').next().unwrap_or(key).to_lowercase();
        let reserved = ["kubernetes.io", "k8s.io"]
            .iter()
            .any(|own| space.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
        if reserved {
            causes.invalid(value, format!("`{space}` is reserved"));
        }
    }
}

fn check_azure_disk(source: Field<'_, '_>, causes: &mut Causes) {
    let (disk, kind) = (source.key("diskURI"), source.key("kind"));
    require(source.key("diskName"), causes);
    require(disk, causes);
    optional(source.key("cachingMode"), &["None", "ReadOnly", "ReadWrite"], causes);
    optional(kind, &["Dedicated", "Managed", "Shared"], causes);
    // A missing kind is `Shared`.
    let prefix = if kind.text() == "Managed" { "/subscriptions/" } else { "https://" };
    if !disk.text().starts_with(prefix) {
        causes.unsupported(disk, disk.text(), &[&format!("{prefix}...")]);
    }
}

fn check_csi(source: Field<'_, '_>, causes: &mut Causes) {
    check_driver_name(source.key("driver"), causes);
    require(source.key("volumeHandle"), causes);
    for key in [
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
    ] {
        let reference = source.key(key);
        if !reference.is_set() {
            continue;
        }
        if require(reference.key("name"), causes) {
            check(reference.key("name"), dns_subdomain, causes);
        }
        if require(reference.key("namespace"), causes) {
            check(reference.key("namespace"), dns_label, causes);
        }
    }
}
