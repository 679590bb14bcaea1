//! Containers of a Pod: names, images, ports, variables, mounts and devices.

use super::hooks::optional;
use super::pods::{Place, Whole, one_of_if_written};
use super::probes::{check_lifecycle, check_probe};
use super::references::{check_variable, check_variables_from};
use super::resources::check_requirements;
use super::security::check_context;
use super::volumes::Volume;
use super::{PROTOCOLS, require};
use crate::kube::formats::{PORT, check, descending_path, dns_label, is_port, no_backsteps, port_name};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::{BTreeMap, BTreeSet};

const TERMINATION_POLICIES: &[&str] = &["FallbackToLogsOnError", "File"];
/// When an image is pulled.
pub(super) const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const PROBES: &[&str] = &["livenessProbe", "readinessProbe", "startupProbe"];

/// All containers of a Pod.
pub(super) fn check_containers(whole: &Whole<'_, '_>, causes: &mut Causes) {
    let spec = whole.pod.spec;
    check_regular(whole, spec.key("containers"), causes);
    check_initial(whole, spec.key("initContainers"), causes);
    check_ephemeral(whole, spec.key("ephemeralContainers"), causes);
}

fn check_regular(whole: &Whole<'_, '_>, containers: Field<'_, '_>, causes: &mut Causes) {
    if containers.count() == 0 {
        causes.required(containers, "a Pod has containers");
        return;
    }
    let (mut names, mut ports) = (BTreeSet::new(), BTreeSet::new());
    for container in containers.items() {
        check_common(whole, container, causes);
        let name = container.key("name");
        if !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` stands before", name.text()));
        }
        check_living(whole, container, causes);
        let policy = container.key("restartPolicy");
        if whole.pod.release >= (1, 35) {
            check_restart(container, causes);
        } else if whole.pod.release < (1, 34) && policy.is_set() {
            causes.forbidden(policy, "only an init container has a policy of its own");
        }
        check_host_ports(whole, container, &mut ports, causes);
    }
}

/// What a container has that lives as long as the Pod.
fn check_living(whole: &Whole<'_, '_>, container: Field<'_, '_>, causes: &mut Causes) {
    check_lifecycle(&whole.pod, container.key("lifecycle"), causes);
    for key in PROBES {
        check_probe(&whole.pod, container.key(key), key, causes);
    }
}

fn check_initial(whole: &Whole<'_, '_>, containers: Field<'_, '_>, causes: &mut Causes) {
    let regular = whole.pod.spec.key("containers");
    let mut names: BTreeSet<&str> = regular.items().map(|container| container.key("name").text()).collect();
    for container in containers.items() {
        check_common(whole, container, causes);
        let (name, policy) = (container.key("name"), container.key("restartPolicy"));
        let stays = policy.text() == "Always";
        if whole.pod.release < (1, 34) {
            optional(policy, &["Always"], causes);
        } else if whole.pod.release >= (1, 35) && policy.is_set() {
            if stays && container.key("restartPolicyRules").count() > 0 {
                causes.forbidden(
                    container.key("restartPolicyRules"),
                    "with `restartPolicy: Always`, there are none",
                );
            } else if !stays {
                check_restart(container, causes);
            }
        }
        if names.contains(name.text()) {
            causes.duplicate(name, format!("`{}` stands before", name.text()));
        } else if !name.text().is_empty() {
            names.insert(name.text());
        }
        check_host_ports(whole, container, &mut BTreeSet::new(), causes);
        if stays {
            check_living(whole, container, causes);
        } else {
            for key in ["lifecycle"].iter().chain(PROBES).filter(|key| container.key(key).is_set()) {
                causes.at_with_help(
                    container.key(key),
                    CauseKind::Forbidden,
                    "an init container that ends has none",
                    "for a sidecar, write `restartPolicy: Always`",
                );
            }
        }
        if whole.pod.release < (1, 33) && container.key("resizePolicy").count() > 0 {
            causes.invalid(container.key("resizePolicy"), "an init container has none");
        }
    }
}

fn check_ephemeral(whole: &Whole<'_, '_>, containers: Field<'_, '_>, causes: &mut Causes) {
    const REFUSED: &[&str] = &["ports", "lifecycle", "resizePolicy", "restartPolicyRules"];
    let spec = whole.pod.spec;
    let mut others = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        others.extend(spec.key(list).items().map(|container| container.key("name").text()));
    }
    let mut names = others.clone();
    for container in containers.items() {
        check_common(whole, container, causes);
        check_image_of_pod(container, causes);
        let (name, target) = (container.key("name"), container.key("targetContainerName"));
        if !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` stands before", name.text()));
        }
        if !target.text().is_empty() && !others.contains(target.text()) {
            causes.at(target, CauseKind::NotFound, format!("there is no container `{}`", target.text()));
        }
        for key in REFUSED.iter().chain(PROBES).filter(|key| container.key(key).is_set()) {
            causes.forbidden(container.key(key), "an ephemeral container has none");
        }
        if container.key("resources").count() > 0 {
            causes.forbidden(container.key("resources"), "an ephemeral container has none");
        }
        for mount in container.key("volumeMounts").items() {
            for key in ["subPath", "subPathExpr"].iter().filter(|key| !mount.key(key).text().is_empty()) {
                causes.forbidden(mount.key(key), "an ephemeral container mounts whole volumes");
            }
        }
    }
}

/// In a Pod itself, the image has no blanks around it.
pub(super) fn check_image_of_pod(container: Field<'_, '_>, causes: &mut Causes) {
    let image = container.key("image");
    if image.text().trim().len() != image.text().len() {
        causes.invalid(image, "blanks around the name of the image");
    }
}

/// The policy of one container, and its rules: a release that knows them.
fn check_restart(container: Field<'_, '_>, causes: &mut Causes) {
    const MOST_RULES: usize = 20;
    let (policy, rules) = (container.key("restartPolicy"), container.key("restartPolicyRules"));
    if policy.is_set() {
        causes.one_of(policy, policy.text(), &["Always", "Never", "OnFailure"]);
    } else if rules.count() > 0 {
        causes.required(policy, "rules of restarting need a policy");
    }
    if rules.count() > MOST_RULES {
        causes.at(rules, CauseKind::TooLong, format!("more than {MOST_RULES} rules"));
    }
    for rule in rules.items() {
        let codes = rule.key("exitCodes");
        if codes.is_set() {
            causes.one_of(codes.key("operator"), codes.key("operator").text(), &["In", "NotIn"]);
            if codes.key("values").count() > 255 {
                causes.at(codes.key("values"), CauseKind::TooLong, "more than 255 values");
            }
        } else {
            causes.required(codes, "a rule is about exit codes");
        }
    }
}

fn check_common(whole: &Whole<'_, '_>, container: Field<'_, '_>, causes: &mut Causes) {
    if require(container.key("name"), causes) {
        check(container.key("name"), dns_label, causes);
    }
    require(container.key("image"), causes);
    one_of_if_written(container.key("terminationMessagePolicy"), TERMINATION_POLICIES, causes);
    one_of_if_written(container.key("imagePullPolicy"), PULL_POLICIES, causes);
    check_ports(container.key("ports"), causes);
    for variable in container.key("env").items() {
        check_variable(whole, variable, causes);
    }
    check_variables_from(whole, container.key("envFrom"), causes);
    check_mounts(whole, container, causes);
    check_devices(whole, container, causes);
    check_requirements(whole, container.key("resources"), causes);
    check_resize(whole, container.key("resizePolicy"), causes);
    check_context(whole, container.key("securityContext"), causes);
}

fn check_ports(ports: Field<'_, '_>, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let (name, own, host) = (port.key("name"), port.key("containerPort"), port.key("hostPort"));
        if !name.text().is_empty() {
            if port_name(name.text()).is_err() {
                check(name, port_name, causes);
            } else if !names.insert(name.text()) {
                causes.duplicate(name, format!("`{}` stands before", name.text()));
            }
        }
        match own.int().unwrap_or(0) {
            0 => causes.required(own, "a port has a number"),
            number if !is_port(number) => causes.invalid(own, format!("`{number}` {PORT}")),
            _ => {}
        }
        if let Some(number) = host.int().filter(|number| *number != 0 && !is_port(*number)) {
            causes.invalid(host, format!("`{number}` {PORT}"));
        }
        one_of_if_written(port.key("protocol"), PROTOCOLS, causes);
    }
}

/// A protocol, an address and a port of the node.
type HostPort<'n> = (&'n str, &'n str, i64);

fn check_host_ports<'n>(
    whole: &Whole<'_, 'n>,
    container: Field<'_, 'n>,
    taken: &mut BTreeSet<HostPort<'n>>,
    causes: &mut Causes,
) {
    let in_network = whole.pod.place == Place::Pod && whole.pod.says("hostNetwork");
    for port in container.key("ports").items() {
        let mut number = port.key("hostPort").int().unwrap_or(0);
        if number == 0 && in_network {
            number = port.key("containerPort").int().unwrap_or(0);
        }
        let protocol = Some(port.key("protocol").text()).filter(|text| !text.is_empty()).unwrap_or("TCP");
        if number != 0 && !taken.insert((protocol, port.key("hostIP").text(), number)) {
            causes.duplicate(port.key("hostPort"), format!("`{number}` of the node is taken before"));
        }
    }
}

fn check_mounts(whole: &Whole<'_, '_>, container: Field<'_, '_>, causes: &mut Causes) {
    let (mounts, devices) = (container.key("volumeMounts"), container.key("volumeDevices"));
    let of_devices: BTreeMap<&str, &str> =
        devices.items().map(|device| (device.key("name").text(), device.key("devicePath").text())).collect();
    let mut paths = BTreeSet::new();
    for mount in mounts.items() {
        let (name, path) = (mount.key("name"), mount.key("mountPath"));
        if whole.volumes.is_dropped(name.text()) {
            continue;
        }
        require(name, causes);
        if whole.volumes.get(name.text()).is_none() {
            let list = whole.pod.spec.key("volumes");
            let is_faulty = list.items().any(|volume| volume.key("name").text() == name.text());
            let fact =
                if is_faulty { "the volume of this name has a fault: there is no" } else { "there is no" };
            causes.at(name, CauseKind::NotFound, format!("{fact} volume `{}`", name.text()));
        }
        require(path, causes);
        if !paths.insert(path.text()) {
            causes.invalid(path, format!("something is mounted at `{}` before", path.text()));
        }
        if of_devices.contains_key(name.text()) {
            causes.invalid(name, format!("`{}` is one of `volumeDevices`", name.text()));
        }
        if of_devices.values().any(|device| *device == path.text()) {
            causes.invalid(path, format!("`{}` is one of `volumeDevices`", path.text()));
        }
        check_mount_details(container, mounts, mount, causes);
    }
}

/// What a server says of a mount without saying of which one.
fn check_mount_details(
    container: Field<'_, '_>,
    mounts: Field<'_, '_>,
    mount: Field<'_, '_>,
    causes: &mut Causes,
) {
    for key in ["subPath", "subPathExpr"] {
        check(mounts.alias(key, &mount.key(key)), descending_path, causes);
    }
    if !mount.key("subPath").text().is_empty() && !mount.key("subPathExpr").text().is_empty() {
        causes.invalid(mount.key("subPathExpr"), "`subPath` and `subPathExpr` exclude each other");
    }
    let propagation = mount.key("mountPropagation");
    if propagation.is_set() {
        let place = mounts.alias("mountPropagation", &propagation);
        causes.one_of(place, propagation.text(), &["Bidirectional", "HostToContainer", "None"]);
        let privileged = container.key("securityContext").key("privileged").truth() == Some(true);
        if propagation.text() == "Bidirectional" && !privileged {
            causes.forbidden(place, "`Bidirectional` needs a privileged container");
        }
    }
    let recursive = mount.key("recursiveReadOnly");
    if recursive.is_set() {
        let place = mounts.alias("recursiveReadOnly", &recursive);
        causes.one_of(place, recursive.text(), &["Disabled", "Enabled", "IfPossible"]);
        if matches!(recursive.text(), "Enabled" | "IfPossible") {
            if mount.key("readOnly").truth() != Some(true) {
                causes.forbidden(place, "it needs `readOnly`");
            }
            if propagation.is_set() && propagation.text() != "None" {
                causes.forbidden(place, "it does not go with `mountPropagation`");
            }
        }
    }
}

fn check_devices(whole: &Whole<'_, '_>, container: Field<'_, '_>, causes: &mut Causes) {
    let mounts: BTreeMap<&str, &str> = container
        .key("volumeMounts")
        .items()
        .map(|mount| (mount.key("name").text(), mount.key("mountPath").text()))
        .collect();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for device in container.key("volumeDevices").items() {
        let (name, path) = (device.key("name"), device.key("devicePath"));
        let (named, way) = (name.text(), path.text());
        require(name, causes);
        if names.contains(named) {
            causes.invalid(name, format!("`{named}` stands before"));
        }
        match whole.volumes.get(named) {
            None => causes.at(name, CauseKind::NotFound, format!("there is no volume `{named}`")),
            Some(Volume::Other) => {
                causes.invalid(name, "only claims and ephemeral volumes can be devices");
            }
            Some(Volume::Claim) => {}
        }
        require(path, causes);
        if paths.contains(way) {
            causes.invalid(path, format!("`{way}` stands before"));
        }
        if no_backsteps(way).is_err() {
            check(path, no_backsteps, causes);
        } else {
            paths.insert(way);
        }
        if mounts.contains_key(named) {
            causes.invalid(name, format!("`{named}` is one of `volumeMounts`"));
        }
        if mounts.values().any(|mount| *mount == way) {
            causes.invalid(path, format!("`{way}` is one of `volumeMounts`"));
        }
        if !named.is_empty() {
            names.insert(named);
        }
    }
}

fn check_resize(whole: &Whole<'_, '_>, policies: Field<'_, '_>, causes: &mut Causes) {
    let ends = whole.pod.spec.key("restartPolicy").text() == "Never";
    let mut seen = BTreeSet::new();
    for entry in policies.items() {
        let (resource, policy) = (entry.key("resourceName").text(), entry.key("restartPolicy").text());
        if !seen.insert(resource) {
            causes.duplicate(entry, format!("`{resource}` stands before"));
        }
        for (text, known) in [(resource, ["cpu", "memory"]), (policy, ["NotRequired", "RestartContainer"])] {
            if text.is_empty() {
                causes.required(policies, "a resource and a policy are needed");
            } else {
                causes.one_of(policies, text, &known);
            }
        }
        if ends && policy != "NotRequired" {
            causes.invalid(policies, "in a Pod that does not restart, it is `NotRequired`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, pod_of};

    #[test]
    fn names_ports_and_policies() {
        check_pods(&[
            ("ports: [{containerPort: 80}, {containerPort: 80}]", "", &[]),
            ("imagePullPolicy: Sometimes", "", &["Unsupported c.imagePullPolicy"]),
            ("terminationMessagePolicy: ''", "", &[]),
            ("ports: [{name: 80, containerPort: 0}]", "", &["Required c.ports[0].containerPort"]),
            (
                "ports: [{name: '80', containerPort: 70000}]",
                "",
                &["Invalid c.ports[0].name", "Invalid c.ports[0].containerPort"],
            ),
            (
                "ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2, protocol: tcp}]",
                "",
                &["Duplicate c.ports[1].name", "Unsupported c.ports[1].protocol"],
            ),
            (
                "ports: [{containerPort: 1, hostPort: 9}, {containerPort: 2, hostPort: 9}]",
                "",
                &["Duplicate c.ports[1].hostPort"],
            ),
            (
                "ports: [{containerPort: 1}, {containerPort: 1}]",
                "hostNetwork: true",
                &["Duplicate c.ports[1].hostPort"],
            ),
            (
                "ports: [{containerPort: 1, hostPort: 2}]",
                "hostNetwork: true",
                &["Invalid c.ports[0].hostPort"],
            ),
            (
                "",
                "initContainers: [{name: a, image: i, livenessProbe: {exec: {command: [x]}}}]",
                &["Duplicate initContainers[0].name", "Forbidden initContainers[0].livenessProbe"],
            ),
            ("", "initContainers: [{name: b, image: i, restartPolicy: Always, lifecycle: {}}]", &[]),
            (
                "",
                "ephemeralContainers: [{name: e, image: i, targetContainerName: x, ports: []}]",
                &[
                    "NotFound ephemeralContainers[0].targetContainerName",
                    "Forbidden ephemeralContainers[0].ports",
                    "Forbidden ephemeralContainers",
                ],
            ),
            ("", "initContainers: [{name: b, image: ' i'}]", &["Invalid initContainers[0].image"]),
        ]);
    }

    #[test]
    fn mounts_and_devices_need_their_volumes() {
        let volumes = "volumes: [{name: v, emptyDir: {}}, {name: b, persistentVolumeClaim: {claimName: c}}]";
        check_pods(&[
            (
                "volumeMounts: [{name: v, mountPath: a}, {name: v, mountPath: b, subPath: ../x}]",
                volumes,
                &["Invalid c.volumeMounts.subPath"],
            ),
            (
                "volumeMounts: [{name: x, mountPath: a}, {name: v, mountPath: a}]",
                volumes,
                &["NotFound c.volumeMounts[0].name", "Invalid c.volumeMounts[1].mountPath"],
            ),
            (
                "volumeMounts: [{name: v, mountPath: a, mountPropagation: Bidirectional}]",
                volumes,
                &["Forbidden c.volumeMounts.mountPropagation"],
            ),
            (
                "volumeMounts: [{name: v, mountPath: a, recursiveReadOnly: Enabled}]",
                volumes,
                &["Forbidden c.volumeMounts.recursiveReadOnly"],
            ),
            (
                "volumeDevices: [{name: v, devicePath: /a}, {name: b, devicePath: /a/../b}]",
                volumes,
                &["Invalid c.volumeDevices[0].name", "Invalid c.volumeDevices[1].devicePath"],
            ),
        ]);
        // In 1.34, rules of restarting are behind a gate: a policy that is no sidecar's is dropped.
        let policy = "restartPolicy: Never";
        let first = "initContainers: [{name: b, image: i, restartPolicy: Never}]";
        for (release, told) in [((1, 33), 2), ((1, 34), 0), ((1, 35), 0)] {
            assert_eq!(pod_of(release, policy, first).len(), told, "{release:?}");
        }
        let mount = "volumeMounts: [{name: i, mountPath: a}]";
        let image = "volumes: [{name: i, image: {pullPolicy: x}}]";
        assert!(pod_of((1, 34), mount, image).is_empty(), "dropped before 1.35");
        assert_eq!(pod_of((1, 35), mount, image).len(), 3);
    }
}
