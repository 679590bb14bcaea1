//! Security contexts of Pods and containers.

use super::annotations::CONTAINERS;
use super::hooks::optional;
use super::pods::{Pod, Whole};
use super::require;
use super::windows::check_options;
use crate::kube::formats::{check, descending_path};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::BTreeSet;

const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];

/// A number of a user or a group.
fn check_id(id: Field<'_, '_>, causes: &mut Causes) {
    if let Some(number) = id.int().filter(|number| !(0..=i64::from(i32::MAX)).contains(number)) {
        causes.invalid(id, format!("`{number}` is not within 0 and 2147483647"));
    }
}

/// The context of a whole Pod.
pub(super) fn check_pod_context(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let context = pod.spec.key("securityContext");
    if pod.says("shareProcessNamespace") && pod.says("hostPID") {
        let shared = pod.spec.key("shareProcessNamespace");
        let place = context.alias("shareProcessNamespace", &shared);
        causes.invalid(place, "`shareProcessNamespace` and `hostPID` exclude each other");
    }
    if !context.is_set() {
        return;
    }
    for key in ["fsGroup", "runAsUser", "runAsGroup"] {
        check_id(context.key(key), causes);
    }
    context.key("supplementalGroups").items().for_each(|group| check_id(group, causes));
    check_sysctls(pod, context.key("sysctls"), causes);
    optional(context.key("fsGroupChangePolicy"), &["Always", "OnRootMismatch"], causes);
    optional(context.key("supplementalGroupsPolicy"), &["Merge", "Strict"], causes);
    optional(context.key("seLinuxChangePolicy"), &["MountOption", "Recursive"], causes);
    check_shared(context, causes);
}

/// What the contexts of Pods and of containers have in common.
fn check_shared(context: Field<'_, '_>, causes: &mut Causes) {
    check_seccomp(context.key("seccompProfile"), causes);
    check_apparmor(context.key("appArmorProfile"), causes);
    check_options(context.key("windowsOptions"), causes);
}

/// The context of a container.
pub(super) fn check_context(whole: &Whole<'_, '_>, context: Field<'_, '_>, causes: &mut Causes) {
    if !context.is_set() {
        return;
    }
    for key in ["runAsUser", "runAsGroup"] {
        check_id(context.key(key), causes);
    }
    let mount = context.key("procMount");
    if mount.is_set() {
        causes.one_of(mount, mount.text(), &["Default", "Unmasked"]);
        let own_users = whole.pod.spec.key("hostUsers").truth() == Some(false);
        if mount.text() == "Unmasked" && !own_users {
            causes.invalid(mount, "`Unmasked` needs `hostUsers: false`");
        }
    }
    if context.key("allowPrivilegeEscalation").truth() == Some(false) {
        if context.key("privileged").truth() == Some(true) {
            causes.invalid(context, "`allowPrivilegeEscalation: false` does not go with `privileged`");
        }
        let capabilities = context.key("capabilities");
        if capabilities.key("add").items().any(|capability| capability.text() == "CAP_SYS_ADMIN") {
            causes.invalid(context, "`allowPrivilegeEscalation: false` does not go with `CAP_SYS_ADMIN`");
        }
    }
    check_shared(context, causes);
}

fn check_seccomp(profile: Field<'_, '_>, causes: &mut Causes) {
    if !profile.is_set() {
        return;
    }
    let (kind, file) = (profile.key("type"), profile.key("localhostProfile"));
    if require(kind, causes) {
        causes.one_of(kind, kind.text(), PROFILES);
    }
    match (kind.text(), file.is_set()) {
        ("Localhost", true) => check(file, descending_path, causes),
        ("Localhost", false) => causes.required(file, "a local profile is a file"),
        (_, true) => causes.invalid(file, "only a local profile is a file"),
        (_, false) => {}
    }
}

fn check_apparmor(profile: Field<'_, '_>, causes: &mut Causes) {
    const LONGEST: usize = 4095;
    if !profile.is_set() {
        return;
    }
    let (kind, file) = (profile.key("type"), profile.key("localhostProfile"));
    match kind.text() {
        "" => causes.required(kind, "has to be set"),
        "Localhost" => {
            let text = file.text();
            if text.trim().len() != text.len() {
                causes.invalid(file, "blanks around the name of the profile");
            } else if text.is_empty() {
                causes.required(file, "a local profile has a name");
            }
            if text.len() > LONGEST {
                causes.at(file, CauseKind::TooLong, format!("more than {LONGEST} characters"));
            }
        }
        known if PROFILES.contains(&known) => {
            if file.is_set() {
                causes.invalid(file, "only a local profile has a name");
            }
        }
        other => causes.unsupported(kind, other, PROFILES),
    }
}

fn check_sysctls(pod: &Pod<'_, '_>, sysctls: Field<'_, '_>, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    for sysctl in sysctls.items() {
        let name = sysctl.key("name");
        if require(name, causes) {
            if !is_sysctl(name.text()) {
                causes.invalid(name, format!("`{}` is no name of a sysctl", name.text()));
            } else if names.contains(name.text()) {
                causes.duplicate(name, format!("`{}` stands before", name.text()));
            }
        }
        if let Some(key) = namespace(&normal(name.text())).filter(|key| pod.says(key)) {
            causes.invalid(name, format!("with `{key}`, it is a setting of the node"));
        }
        names.insert(name.text());
    }
}

/// Parts of lower-case letters, digits, `-` and `_`, with dots or slashes between.
fn is_sysctl(name: &str) -> bool {
    let edge =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let inner =
            |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
    };
    name.len() <= 253 && name.split(['.', '/']).all(part)
}

/// A name with dots between its parts; where its first mark is a slash, the two are exchanged.
fn normal(name: &str) -> String {
    match name.find(['.', '/']).map(|at| name.as_bytes()[at]) {
        Some(b'/') => name
            .chars()
            .map(|mark| match mark {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
        _ => name.to_owned(),
    }
}

/// Which namespace of the node a sysctl belongs to.
fn namespace(name: &str) -> Option<&'static str> {
    const COMMUNICATION: &[&str] = &[
        "kernel.sem",
        "kernel.shm",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
        "kernel.msg",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
    ];
    if name.starts_with("net.") {
        Some("hostNetwork")
    } else if COMMUNICATION.contains(&name) || name.starts_with("fs.mqueue.") {
        Some("hostIPC")
    } else {
        None
    }
}

/// A Pod with users of its own has little else of the node.
pub(super) fn check_host_users(pod: &Pod<'_, '_>, causes: &mut Causes) {
    if pod.spec.key("hostUsers").truth() != Some(false) {
        return;
    }
    // The server writes two of them with a capital letter.
    for (key, told) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        // Newer releases open the network behind a gate.
        if pod.says(key) && (key != "hostNetwork" || pod.release < (1, 36)) {
            causes.forbidden(
                pod.spec.alias(told, &pod.spec.key(key)),
                format!("`{key}` does not go with `hostUsers: false`"),
            );
        }
    }
    if pod.release < (1, 34) {
        return;
    }
    for list in CONTAINERS {
        for container in pod.spec.key(list).items() {
            if container.key("volumeDevices").count() > 0 {
                causes.forbidden(container.key("volumeDevices"), "devices do not go with `hostUsers: false`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, pod_of};

    #[test]
    fn contexts_of_pods_and_containers() {
        check_pods(&[
            ("securityContext: {runAsNonRoot: true, runAsUser: 0}", "", &[]),
            (
                "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
                "",
                &["Invalid c.securityContext"],
            ),
            (
                "securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}",
                "",
                &["Invalid c.securityContext"],
            ),
            (
                "securityContext: {runAsUser: -1, procMount: Unmasked}",
                "",
                &["Invalid c.securityContext.runAsUser", "Invalid c.securityContext.procMount"],
            ),
            ("securityContext: {procMount: Unmasked}", "hostUsers: false", &[]),
            (
                "securityContext: {seccompProfile: {type: Localhost}}",
                "",
                &["Required c.securityContext.seccompProfile.localhostProfile"],
            ),
            (
                "securityContext: {appArmorProfile: {type: Unconfined, localhostProfile: x}}",
                "",
                &["Invalid c.securityContext.appArmorProfile.localhostProfile"],
            ),
            (
                "",
                "securityContext: {fsGroup: 2147483648, fsGroupChangePolicy: No, supplementalGroups: [-1]}",
                &[
                    "Invalid securityContext.fsGroup",
                    "Invalid securityContext.supplementalGroups[0]",
                    "Unsupported securityContext.fsGroupChangePolicy",
                ],
            ),
            (
                "",
                "hostNetwork: true, securityContext: {sysctls: [{name: net/ipv4/x, value: a}, {name: A}, {name: kernel.shmmax}]}",
                &["Invalid securityContext.sysctls[0].name", "Invalid securityContext.sysctls[1].name"],
            ),
            (
                "",
                "hostPID: true, shareProcessNamespace: true",
                &["Invalid securityContext.shareProcessNamespace"],
            ),
            ("volumeDevices: []", "hostPID: true, hostUsers: false", &["Forbidden HostPID"]),
        ]);
        let volumes = "hostUsers: false, volumes: [{name: b, persistentVolumeClaim: {claimName: c}}]";
        let device = "volumeDevices: [{name: b, devicePath: /a}]";
        assert_eq!(pod_of((1, 34), device, volumes), ["Forbidden c.volumeDevices"]);
        assert!(pod_of((1, 33), device, volumes).is_empty());
    }
}
