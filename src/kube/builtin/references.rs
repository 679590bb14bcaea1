//! Variables of containers, and references to fields, resources and keys elsewhere.

use super::pods::Whole;
use super::require;
use crate::kube::formats::{
    Reason, Rule, annotation_key, check, check_text, config_key, dns_label, dns_subdomain, environment_name,
    no_backsteps, prefix, qualified_name, quantity, relaxed_environment_name,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;

/// Who reads a field of the Pod.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Reader {
    /// A variable.
    Variable,
    /// A file of a volume.
    File,
}

/// Fields that a variable can read.
const OF_VARIABLES: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// Fields that a file can read.
const OF_FILES: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
/// Fields that a Pod has, whoever may read them.
const OTHERS: &[&str] = &["spec.restartPolicy", "spec.schedulerName", "status.phase"];
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
/// Units in which bytes are counted.
const UNITS: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// The rule of names of variables, which is relaxed since 1.32.
fn variable_name(release: Minor) -> Rule {
    if release >= (1, 32) { relaxed_environment_name } else { environment_name }
}

/// A name to which characters may be added.
fn named_prefix(text: &str) -> Result<(), Reason> {
    prefix(text, dns_subdomain)
}

/// A variable.
pub(super) fn check_variable(whole: &Whole<'_, '_>, variable: Field<'_, '_>, causes: &mut Causes) {
    if require(variable.key("name"), causes) {
        check(variable.key("name"), variable_name(whole.pod.release), causes);
    }
    let from = variable.key("valueFrom");
    if !from.is_set() {
        return;
    }
    let mut sources = 0;
    for key in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let source = from.key(key);
        if !source.is_set() {
            continue;
        }
        sources += 1;
        match key {
            "fieldRef" => check_field(source, Reader::Variable, causes),
            "resourceFieldRef" => check_resource(source, Reader::Variable, causes),
            "fileKeyRef" => check_file_key(whole, source, causes),
            _ => {
                check(source.key("name"), dns_subdomain, causes);
                if require(source.key("key"), causes) {
                    check(source.key("key"), config_key, causes);
                }
            }
        }
    }
    if sources == 0 {
        causes.invalid(from, "a source is needed, such as `fieldRef`, `configMapKeyRef` or `secretKeyRef`");
    } else if !variable.key("value").text().is_empty() {
        causes.invalid(from, "`value` and `valueFrom` exclude each other");
    } else if sources > 1 {
        causes.invalid(from, "more than one source");
    }
}

fn check_file_key(whole: &Whole<'_, '_>, source: Field<'_, '_>, causes: &mut Causes) {
    let (key, volume, path) = (source.key("key"), source.key("volumeName"), source.key("path"));
    if require(key, causes) {
        check(key, relaxed_environment_name, causes);
    }
    if require(volume, causes) {
        check(volume, dns_label, causes);
    }
    if require(path, causes) {
        check(path, no_backsteps, causes);
    }
    let volumes = whole.pod.spec.key("volumes");
    let found = volumes.items().filter(|own| own.key("name").text() == volume.text()).last();
    match found.map(|own| own.key("emptyDir").is_set() || own.count() == 1) {
        None => causes.at(volume, CauseKind::NotFound, format!("there is no volume `{}`", volume.text())),
        Some(false) => causes.invalid(volume, format!("`{}` is no `emptyDir`", volume.text())),
        Some(true) => {}
    }
}

/// Variables from whole ConfigMaps and Secrets.
pub(super) fn check_variables_from(whole: &Whole<'_, '_>, list: Field<'_, '_>, causes: &mut Causes) {
    for entry in list.items() {
        if !entry.key("prefix").text().is_empty() {
            check(entry.key("prefix"), variable_name(whole.pod.release), causes);
        }
        let mut sources = 0;
        for key in ["configMapRef", "secretRef"] {
            let source = entry.key(key);
            if source.is_set() {
                sources += 1;
                if require(source.key("name"), causes) {
                    check(source.key("name"), named_prefix, causes);
                }
            }
        }
        if sources != 1 {
            causes.invalid(list, "each entry has either `configMapRef` or `secretRef`");
        }
    }
}

/// A reference to a field of the Pod.
pub(super) fn check_field(reference: Field<'_, '_>, reader: Reader, causes: &mut Causes) {
    let (version, path) = (reference.key("apiVersion"), reference.key("fieldPath"));
    if !require(path, causes) {
        return;
    }
    let text = path.text();
    if !matches!(version.text(), "" | "v1") {
        causes.invalid(path, format!("Pods have no version `{}`", version.text()));
        return;
    }
    let known = if reader == Reader::File { OF_FILES } else { OF_VARIABLES };
    let Some((map, key)) = subscript(text) else {
        // An old name of the same field.
        let text = if text == "spec.host" { "spec.nodeName" } else { text };
        if [OF_FILES, OF_VARIABLES, OTHERS].iter().any(|fields| fields.contains(&text)) {
            causes.one_of(path, text, known);
        } else {
            causes.at_with_help(
                path,
                CauseKind::Invalid,
                format!("a Pod has no field `{text}` to refer to"),
                format!("write one of `{}`", known.join("`, `")),
            );
        }
        return;
    };
    match map {
        "metadata.annotations" => check_text(reference, key, annotation_key, causes),
        "metadata.labels" => check_text(reference, key, qualified_name, causes),
        _ => causes.invalid(path, format!("`{map}` has no members")),
    }
}

/// Splits `map['key']`.
fn subscript(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix("']")?.split_once("['").filter(|(map, _)| !map.is_empty())
}

/// A reference to a resource of a container.
pub(super) fn check_resource(reference: Field<'_, '_>, reader: Reader, causes: &mut Causes) {
    let (container, resource) = (reference.key("containerName"), reference.key("resource"));
    let name = resource.text();
    let pages = name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if reader == Reader::File && container.text().is_empty() {
        causes.required(container, "a file is about the resources of one container");
    } else if require(resource, causes) && !pages {
        causes.one_of(resource, name, RESOURCES);
    }
    let divisor = reference.key("divisor");
    let Some(unit) = quantity(divisor).filter(|unit| unit.signum() != 0) else { return };
    let known: &[&str] = match name {
        "limits.cpu" | "requests.cpu" => &["1m", "1"],
        _ if pages || RESOURCES.contains(&name) => UNITS,
        _ => return,
    };
    let unit = unit.text();
    if !known.contains(&&*unit) {
        causes.invalid(divisor, format!("`{unit}` is none of `{}`", known.join("`, `")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, pod_of};

    #[test]
    fn variables_have_one_source_that_is_there() {
        check_pods(&[
            ("env: [{name: 'a b:c'}, {name: A, value: x}, {name: A}]", "", &[]),
            ("env: [{name: a=b}, {}]", "", &["Invalid c.env[0].name", "Required c.env[1].name"]),
            ("env: [{name: a, valueFrom: {}}]", "", &["Invalid c.env[0].valueFrom"]),
            (
                "env: [{name: a, value: x, valueFrom: {secretKeyRef: {name: s, key: a/b}}}]",
                "",
                &["Invalid c.env[0].valueFrom.secretKeyRef.key", "Invalid c.env[0].valueFrom"],
            ),
            (
                "env: [{name: a, valueFrom: {fieldRef: {fieldPath: metadata.labels}}}]",
                "",
                &["Unsupported c.env[0].valueFrom.fieldRef.fieldPath"],
            ),
            (
                "env: [{name: a, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a b']\"}}}]",
                "",
                &["Invalid c.env[0].valueFrom.fieldRef"],
            ),
            ("env: [{name: a, valueFrom: {fieldRef: {fieldPath: spec.host}}}]", "", &[]),
            (
                "env: [{name: a, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1Mi}}}]",
                "",
                &["Invalid c.env[0].valueFrom.resourceFieldRef.divisor"],
            ),
            (
                "env: [{name: a, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1024Ki}}}]",
                "",
                &[],
            ),
            (
                "envFrom: [{prefix: a=, secretRef: {name: s-}}, {}]",
                "",
                &["Invalid c.envFrom[0].prefix", "Invalid c.envFrom"],
            ),
        ]);
        assert_eq!(pod_of((1, 31), "env: [{name: 'a b'}]", ""), ["Invalid c.env[0].name"]);
    }
}
