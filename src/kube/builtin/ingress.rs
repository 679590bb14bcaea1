//! Ingresses and their classes.

use super::{check_port_number, path_segment, require, require_path_segment};
use crate::kube::formats::{
    check, check_text, dns_1035_label, dns_label, dns_subdomain, lenient_ip, port_name,
    wildcard_dns_subdomain,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;

const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const NOT_IN_PATHS: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
const NOT_AT_THE_END: &[&str] = &["/..", "/."];
const LONGEST_CONTROLLER: usize = 250;

/// `Ingress`.
pub(super) fn ingress(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let (rules, backend, class) =
        (spec.key("rules"), spec.key("defaultBackend"), spec.key("ingressClassName"));
    if rules.count() == 0 && !backend.is_set() {
        causes.invalid(spec, "an Ingress needs a rule or a default backend");
    }
    if backend.is_set() {
        check_backend(backend, release, causes);
    }
    for rule in rules.items() {
        check_rule(rule, release, causes);
    }
    for tls in spec.key("tls").items() {
        for host in tls.key("hosts").items() {
            check_host(host, causes);
        }
        if !tls.key("secretName").text().is_empty() {
            check(tls.key("secretName"), dns_subdomain, causes);
        }
    }
    if class.is_set() {
        check(class, dns_subdomain, causes);
        let metadata = object.key("metadata");
        let written = metadata.key("annotations");
        let annotations = object.alias("annotations", &written);
        let annotation = annotations.key(CLASS_ANNOTATION);
        if annotation.is_set() && annotation.text() != class.text() {
            causes
                .invalid(annotation, format!("differs from `ingressClassName`, which is `{}`", class.text()));
        }
    }
}

fn check_host(host: Field<'_, '_>, causes: &mut Causes) {
    check(host, if host.text().contains('*') { wildcard_dns_subdomain } else { dns_subdomain }, causes);
}

fn check_rule(rule: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (host, http) = (rule.key("host"), rule.key("http"));
    if !host.text().is_empty() {
        if lenient_ip(host.text()).is_some() {
            causes.invalid(host, format!("`{}` is an address, not a DNS name", host.text()));
        }
        check_host(host, causes);
    }
    if !http.is_set() {
        return;
    }
    let paths = http.key("paths");
    if paths.count() == 0 {
        causes.required(paths, "a rule needs a path");
    }
    for path in paths.items() {
        if check_path(path, causes) {
            check_backend(path.key("backend"), release, causes);
        }
    }
}

/// Whether there is a type of path; nothing else is looked at without one.
fn check_path(entry: Field<'_, '_>, causes: &mut Causes) -> bool {
    let (kind, path) = (entry.key("pathType"), entry.key("path"));
    let text = path.text();
    let relative = || format!("`{text}` does not start with `/`");
    if !kind.is_set() {
        causes.required(kind, "a path needs a type");
        return false;
    }
    match kind.text() {
        "Exact" | "Prefix" => {
            if !text.starts_with('/') {
                causes.invalid(path, relative());
            }
            for part in NOT_IN_PATHS.iter().filter(|part| text.contains(**part)) {
                causes.invalid(path, format!("`{text}` has a `{part}`"));
            }
            for end in NOT_AT_THE_END.iter().filter(|end| text.ends_with(**end)) {
                causes.invalid(path, format!("`{text}` ends with `{end}`"));
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !text.starts_with('/') {
                causes.invalid(path, relative());
            }
        }
        other => causes.unsupported(kind, other, &["Exact", "ImplementationSpecific", "Prefix"]),
    }
    true
}

fn check_backend(backend: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (resource, service) = (backend.key("resource"), backend.key("service"));
    match (resource.is_set(), service.is_set()) {
        (true, true) => causes.invalid(backend, "`resource` and `service` exclude each other"),
        (false, false) => causes.invalid(backend, "`resource` or `service` is needed"),
        (true, false) => check_reference(resource, causes),
        (false, true) => {
            if require(service.key("name"), causes) {
                // Names of Services may begin with a digit from 1.35 on.
                let rule = if release >= (1, 35) { dns_label } else { dns_1035_label };
                check(service.key("name"), rule, causes);
            }
            let port = service.key("port");
            let (name, number) = (port.key("name"), port.key("number"));
            match (!name.text().is_empty(), number.int().unwrap_or(0) != 0) {
                (true, true) => causes.invalid(backend, "a port has either a name or a number"),
                (true, false) => check(name, port_name, causes),
                (false, true) => check_port_number(number, causes),
                (false, false) => causes.required(backend, "the name or the number of a port is needed"),
            }
        }
    }
}

fn check_reference(reference: Field<'_, '_>, causes: &mut Causes) {
    if reference.key("apiGroup").is_set() {
        check(reference.key("apiGroup"), dns_subdomain, causes);
    }
    require_path_segment(reference.key("kind"), causes);
    require_path_segment(reference.key("name"), causes);
}

/// `IngressClass`.
pub(super) fn class(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_controller(spec.key("controller"), causes);
    let parameters = spec.key("parameters");
    if !parameters.is_set() {
        return;
    }
    check_reference(parameters, causes);
    let (scope, namespace) = (parameters.key("scope"), parameters.key("namespace"));
    // A missing scope is `Cluster`.
    match scope.text() {
        "Namespace" if !namespace.is_set() => {
            causes.required(namespace, "parameters of the scope `Namespace` are in a namespace");
        }
        "Namespace" => check(namespace, dns_label, causes),
        "Cluster" => forbid_namespace(namespace, causes),
        "" if !scope.is_set() => forbid_namespace(namespace, causes),
        other => causes.unsupported(scope, other, &["Cluster", "Namespace"]),
    }
}

fn forbid_namespace(namespace: Field<'_, '_>, causes: &mut Causes) {
    if namespace.is_set() {
        causes.forbidden(namespace, "parameters of the scope `Cluster` are in no namespace");
    }
}

fn check_controller(controller: Field<'_, '_>, causes: &mut Causes) {
    let text = controller.text();
    if text.len() > LONGEST_CONTROLLER {
        let fault = format!("{} characters, {LONGEST_CONTROLLER} are allowed", text.len());
        causes.at(controller, CauseKind::TooLong, fault);
    }
    if !require(controller, causes) {
        return;
    }
    match text.split_once('/') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            check_text(controller, host, dns_subdomain, causes);
            if !is_http_path(path) {
                causes.invalid(controller, format!("`{path}` is no path of a URL"));
            }
        }
        _ => causes.invalid(controller, format!("`{text}` is no domain with a path, like `acme.io/foo`")),
    }
}

fn is_http_path(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let escape = byte == b'%'
            && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())
            && bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        if !escape && !byte.is_ascii_alphanumeric() && !b"/-._~!$&'()*+,;=:@".contains(&byte) {
            return false;
        }
    }
    true
}

/// The object that an address of a cluster belongs to (`IPAddress`).
pub(super) fn parent(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let parent = spec.key("parentRef");
    if !parent.is_set() {
        causes.required(parent, "an address belongs to an object");
        return;
    }
    if !parent.key("group").text().is_empty() {
        check(parent.key("group"), dns_subdomain, causes);
    }
    require_path_segment(parent.key("resource"), causes);
    require_path_segment(parent.key("name"), causes);
    check(parent.key("namespace"), path_segment, causes);
}
