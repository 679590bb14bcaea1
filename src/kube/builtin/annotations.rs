//! Annotations of Pods that mean something, and the profiles of security that they name beside the fields for them.

use super::pods::Pod;
use crate::kube::formats::descending_path;
use crate::kube::{Causes, Field};
use serde_json::Value as Json;

const MIRROR: &str = "kubernetes.io/config.mirror";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Lists of containers, in the order in which a server visits them.
pub(super) const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

/// Checks what annotations mean; faults are told below `place`.
pub(super) fn check_annotated(pod: &Pod<'_, '_>, place: Field<'_, '_>, causes: &mut Causes) {
    for (key, value) in pod.metadata.key("annotations").members() {
        let (at, text) = (place.key(key), value.text());
        match key {
            MIRROR if pod.spec.key("nodeName").text().is_empty() => {
                causes.invalid(at, "a mirror of a static Pod has a `nodeName`");
            }
            TOLERATIONS if !text.is_empty() && !is_list_of_objects(text) => {
                causes.invalid(place, format!("`{key}` is no list of tolerations in JSON"));
            }
            DELETION_COST if !is_cost(text) => {
                causes.invalid(at, format!("`{text}` is no integer of 32 bits"));
            }
            SECCOMP => check_seccomp(at, text, causes),
            _ if key.starts_with(SECCOMP_CONTAINER) => check_seccomp(at, text, causes),
            _ => {
                if let Some(container) = key.strip_prefix(APPARMOR) {
                    check_apparmor(pod, at, (container, text), causes);
                }
            }
        }
    }
}

fn is_list_of_objects(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(Json::Null) => true,
        Ok(Json::Array(items)) => items.iter().all(|item| item.is_object() || item.is_null()),
        _ => false,
    }
}

fn is_cost(text: &str) -> bool {
    let first = text.bytes().next();
    let plain = first == Some(b'-') || text == "0" || first.is_some_and(|byte| (b'1'..=b'9').contains(&byte));
    plain && text.parse::<i32>().is_ok()
}

fn check_seccomp(at: Field<'_, '_>, text: &str, causes: &mut Causes) {
    let fault = match text.strip_prefix("localhost/") {
        Some(path) => descending_path(path),
        None if matches!(text, "runtime/default" | "docker/default" | "unconfined") => Ok(()),
        None => Err("is no seccomp profile"),
    };
    if let Err(reason) = fault {
        causes.invalid(at, format!("`{text}` {reason}"));
    }
}

fn check_apparmor(pod: &Pod<'_, '_>, at: Field<'_, '_>, (name, text): (&str, &str), causes: &mut Causes) {
    let named = CONTAINERS
        .iter()
        .any(|list| pod.spec.key(list).items().any(|container| container.key("name").text() == name));
    if !named {
        causes.invalid(at, format!("there is no container `{name}`"));
    }
    if !matches!(text, "" | "runtime/default" | "unconfined") && !text.starts_with("localhost/") {
        causes.invalid(at, format!("`{text}` is no AppArmor profile"));
    }
}

/// Profiles that stand in an annotation and in a field are the same.
pub(super) fn check_profiles(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let annotations = pod.metadata.key("annotations");
    if annotations.count() == 0 {
        return;
    }
    let security = pod.spec.key("securityContext");
    let own = security.key("seccompProfile");
    check_same(own, own, annotations.key(SECCOMP), causes);
    for list in CONTAINERS {
        for container in pod.spec.key(list).items() {
            let name = container.key("name").text();
            let context = container.key("securityContext");
            let seccomp = context.key("seccompProfile");
            check_same(seccomp, seccomp, annotations.key(&format!("{SECCOMP_CONTAINER}{name}")), causes);
            if pod.system() != "windows" {
                let place = context.key("appArmorProfile");
                let pods = security.key("appArmorProfile");
                let profile = if place.is_set() { place } else { pods };
                check_same(profile, place, annotations.key(&format!("{APPARMOR}{name}")), causes);
            }
        }
    }
}

/// Holds a profile against an annotation; where they differ, it is told at `place`.
fn check_same(profile: Field<'_, '_>, place: Field<'_, '_>, annotation: Field<'_, '_>, causes: &mut Causes) {
    if !profile.is_set() || !annotation.is_set() {
        return;
    }
    let text = annotation.text();
    let same = match profile.key("type").text() {
        "Unconfined" => text == "unconfined",
        "RuntimeDefault" => {
            text == "runtime/default" || (text == "docker/default" && !is_apparmor(annotation))
        }
        "Localhost" => match text.strip_prefix("localhost/") {
            Some(path) => {
                let own = profile.key("localhostProfile");
                if !own.is_set() || own.text() != path {
                    causes.forbidden(place.key("localhostProfile"), format!("the annotation says `{path}`"));
                }
                true
            }
            None => false,
        },
        _ => true,
    };
    if !same {
        causes.forbidden(place.key("type"), format!("the annotation says `{text}`"));
    }
}

fn is_apparmor(annotation: Field<'_, '_>) -> bool {
    annotation.path().names().last().is_some_and(|key| key.starts_with(APPARMOR))
}

#[cfg(test)]
mod tests {
    use super::super::trial::object;
    use super::{APPARMOR, DELETION_COST, MIRROR, SECCOMP, SECCOMP_CONTAINER, TOLERATIONS};

    fn annotated(annotations: &str, spec: &str) -> Vec<String> {
        let pod = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{annotations: {{{annotations}}}}}, spec: {{{spec}}}}}"
        );
        object(&pod, (1, 34))
    }

    #[test]
    fn annotations_that_mean_something() {
        let spec = "containers: [{name: a, image: i}]";
        for (annotations, told) in [
            (format!("{DELETION_COST}: '-5'"), ""),
            (format!("{DELETION_COST}: '+5'"), DELETION_COST),
            (format!("{DELETION_COST}: '05'"), DELETION_COST),
            (format!("{DELETION_COST}: '2147483648'"), DELETION_COST),
            (format!("{MIRROR}: x"), MIRROR),
            (format!("{SECCOMP}: docker/default"), ""),
            (format!("{SECCOMP}: localhost/../x"), SECCOMP),
            (format!("{APPARMOR}a: localhost/x"), ""),
            (format!("{APPARMOR}a: other"), "container.apparmor.security.beta.kubernetes.io/a"),
            (format!("{APPARMOR}b: ''"), "container.apparmor.security.beta.kubernetes.io/b"),
            (format!("{TOLERATIONS}: '[{{}}]'"), ""),
        ] {
            let wanted: Vec<String> = if told.is_empty() {
                Vec::new()
            } else {
                vec![format!("Invalid metadata.annotations[\"{told}\"]")]
            };
            assert_eq!(annotated(&annotations, spec), wanted, "{annotations}");
        }
        assert_eq!(annotated(&format!("{TOLERATIONS}: x"), spec), ["Invalid metadata.annotations"]);
    }

    #[test]
    fn profiles_in_annotations_and_fields_are_the_same() {
        let spec = "containers: [{name: a, image: i, securityContext: {seccompProfile: {type: Localhost, localhostProfile: x}}}]";
        let place = "Forbidden spec.containers[0].securityContext.seccompProfile";
        for (text, told) in
            [("localhost/x", None), ("localhost/y", Some("localhostProfile")), ("unconfined", Some("type"))]
        {
            let told: Vec<String> = told.iter().map(|key| format!("{place}.{key}")).collect();
            assert_eq!(annotated(&format!("{SECCOMP_CONTAINER}a: {text}"), spec), told, "{text}");
        }
    }
}
