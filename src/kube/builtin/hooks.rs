//! Admission webhooks, and what they share with admission policies: rules about resources, and conditions.

use super::{expressions, path_segment, require};
use crate::kube::formats::{
    PORT, check, check_label_selector, check_text, dns_1035_label, dns_subdomain, is_port, qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::BTreeSet;

pub(super) const FAILURE_POLICIES: &[&str] = &["Fail", "Ignore"];
pub(super) const REINVOCATION_POLICIES: &[&str] = &["IfNeeded", "Never"];
const MATCH_POLICIES: &[&str] = &["Equivalent", "Exact"];
const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const REVIEW_VERSIONS: &[&str] = &["v1", "v1beta1"];
const LONGEST_TIMEOUT: i64 = 30;
const MOST_CONDITIONS: usize = 64;

/// `MutatingWebhookConfiguration` and `ValidatingWebhookConfiguration`.
pub(super) fn configuration(object: Field<'_, '_>, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    for hook in object.key("webhooks").items() {
        check_hook(hook, causes);
        let name = hook.key("name");
        if !name.text().is_empty() && !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` names a webhook before this one", name.text()));
        }
    }
}

fn check_hook(hook: Field<'_, '_>, causes: &mut Causes) {
    check_full_name(hook.key("name"), causes);
    for rule in hook.key("rules").items() {
        check_rule(rule, causes);
    }
    optional(hook.key("failurePolicy"), FAILURE_POLICIES, causes);
    check_matching(hook, causes);
    // Validating webhooks have none.
    optional(hook.key("reinvocationPolicy"), REINVOCATION_POLICIES, causes);
    let effects = hook.key("sideEffects");
    if effects.is_set() {
        causes.one_of(effects, effects.text(), &["None", "NoneOnDryRun"]);
    } else {
        causes.required(effects, "a webhook tells whether it has side effects: `None` or `NoneOnDryRun`");
    }
    let timeout = hook.key("timeoutSeconds");
    if timeout.int().is_some_and(|seconds| !(1..=LONGEST_TIMEOUT).contains(&seconds)) {
        causes.invalid(timeout, format!("a timeout is 1 to {LONGEST_TIMEOUT} seconds"));
    }
    let client = hook.key("clientConfig");
    let (url, service) = (client.key("url"), client.key("service"));
    match (url.is_set(), service.is_set()) {
        (true, false) => check_url(url, causes),
        (false, true) => check_service(service, causes),
        _ => causes.required(client, "either `url` or `service` is needed"),
    }
    check_conditions(hook.key("matchConditions"), expressions::Params::None, causes);
    check_review_versions(hook.key("admissionReviewVersions"), causes);
}

/// A value that may be missing.
pub(super) fn optional(field: Field<'_, '_>, known: &[&str], causes: &mut Causes) {
    if field.is_set() {
        causes.one_of(field, field.text(), known);
    }
}

/// Which objects and namespaces a webhook or a policy wants.
pub(super) fn check_matching(owner: Field<'_, '_>, causes: &mut Causes) {
    optional(owner.key("matchPolicy"), MATCH_POLICIES, causes);
    check_label_selector(owner.key("namespaceSelector"), causes);
    check_label_selector(owner.key("objectSelector"), causes);
}

/// A domain of three labels or more.
fn check_full_name(name: Field<'_, '_>, causes: &mut Causes) {
    if !require(name, causes) {
        return;
    }
    let before = causes.len();
    check(name, dns_subdomain, causes);
    if causes.len() == before && name.text().split('.').count() < 3 {
        causes.invalid(name, format!("`{}` is no domain of three labels or more", name.text()));
    }
}

/// Operations on resources.
pub(super) fn check_rule(rule: Field<'_, '_>, causes: &mut Causes) {
    let operations = rule.key("operations");
    check_list(operations, causes);
    for operation in operations.items() {
        causes.one_of(operation, operation.text(), OPERATIONS);
    }
    check_list(rule.key("apiGroups"), causes);
    check_list(rule.key("apiVersions"), causes);
    for version in rule.key("apiVersions").items() {
        require(version, causes);
    }
    check_resources(rule.key("resources"), causes);
    optional(rule.key("scope"), &["*", "Cluster", "Namespaced"], causes);
}

/// A list that has something in it, and `*` only alone.
fn check_list(list: Field<'_, '_>, causes: &mut Causes) {
    if list.count() == 0 {
        causes.required(list, "at least one is needed");
    } else if list.count() > 1 && list.items().any(|item| item.text() == "*") {
        causes.invalid(list, "`*` stands alone");
    }
}

fn check_resources(resources: Field<'_, '_>, causes: &mut Causes) {
    if resources.count() == 0 {
        causes.required(resources, "at least one is needed");
    }
    let (mut all_of, mut of_all) = (BTreeSet::new(), BTreeSet::new());
    let (mut every, mut all, mut plain) = (false, false, false);
    for resource in resources.items() {
        if !require(resource, causes) {
            continue;
        }
        let text = resource.text();
        every |= text == "*/*";
        all |= text == "*";
        let Some((name, part)) = text.split_once('/') else {
            // The last one without a part decides, as on the server.
            plain = text != "*";
            continue;
        };
        if all_of.contains(name) {
            causes.invalid(resource, format!("`{name}/*` covers `{text}`"));
        }
        if of_all.contains(part) {
            causes.invalid(resource, format!("`*/{part}` covers `{text}`"));
        }
        if part == "*" {
            all_of.insert(name);
        }
        if name == "*" {
            of_all.insert(part);
        }
    }
    if every && resources.count() > 1 {
        causes.invalid(resources, "`*/*` stands alone");
    }
    if all && plain {
        causes.invalid(resources, "`*` covers all resources without a part");
    }
}

/// A rule of a policy: it may name objects.
pub(super) fn check_named_rule(rule: Field<'_, '_>, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    for name in rule.key("resourceNames").items() {
        check(name, path_segment, causes);
        if !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` stands twice", name.text()));
        }
    }
    check_rule(rule, causes);
}

/// Conditions in CEL.
pub(super) fn check_conditions(conditions: Field<'_, '_>, params: expressions::Params, causes: &mut Causes) {
    if conditions.count() > MOST_CONDITIONS {
        let fault = format!("{} conditions, {MOST_CONDITIONS} are allowed", conditions.count());
        causes.at(conditions, CauseKind::TooMany, fault);
    }
    let mut names = BTreeSet::new();
    for condition in conditions.items() {
        let (name, expression) = (condition.key("name"), condition.key("expression"));
        if expression.text().trim().is_empty() {
            causes.required(expression, "a condition needs an expression");
        } else {
            expressions::check(
                expression,
                expressions::Use::Match,
                params,
                expression.key("variables"),
                causes,
            );
        }
        if require(name, causes) {
            check(name, qualified_name, causes);
            if !names.insert(name.text()) {
                causes.duplicate(name, format!("`{}` names a condition before this one", name.text()));
            }
        }
    }
}

pub(super) fn check_review_versions(versions: Field<'_, '_>, causes: &mut Causes) {
    if versions.count() == 0 {
        causes.required(versions, "a webhook tells which reviews it reads: `v1` or `v1beta1`");
        return;
    }
    let mut seen = BTreeSet::new();
    for version in versions.items() {
        if seen.insert(version.text()) {
            check(version, dns_1035_label, causes);
        } else {
            causes.invalid(version, format!("`{}` stands twice", version.text()));
        }
    }
    if !REVIEW_VERSIONS.iter().any(|version| seen.contains(version)) {
        causes.invalid(versions, "one of `v1` and `v1beta1` is needed");
    }
}

/// The address of a webhook.
pub(super) fn check_url(field: Field<'_, '_>, causes: &mut Causes) {
    let Some(url) = crate::expr::net::Url::parse(field.text()) else {
        // What has neither a scheme nor a slash is a path, to a server.
        causes.invalid(field, format!("`{}` is no URL like `https://host/path`", field.text()));
        return;
    };
    if url.scheme != "https" {
        causes.invalid(field, "only the scheme `https` is allowed");
    }
    if url.host.is_empty() {
        causes.invalid(field, "the host is missing");
    }
    let (before_fragment, fragment) = field.text().split_once('#').unwrap_or((field.text(), ""));
    let authority = before_fragment.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or(authority);
    for (found, what) in [
        (authority.contains('@'), "a user"),
        (!fragment.is_empty(), "a fragment"),
        (!url.query.is_empty(), "parameters"),
    ] {
        if found {
            causes.invalid(field, format!("the URL of a webhook has no {}", &what[2..]));
        }
    }
}

/// The Service in front of a webhook.
pub(super) fn check_service(service: Field<'_, '_>, causes: &mut Causes) {
    // The server takes the one for the other.
    let (name, namespace) = (service.key("name"), service.key("namespace"));
    require(service.alias("namespace", &name), causes);
    require(service.alias("name", &namespace), causes);
    let port = service.key("port");
    if port.int().is_some_and(|number| !is_port(number)) {
        causes.invalid(port, format!("`{}` {PORT}", port.int().unwrap_or(0)));
    }
    let path = service.key("path");
    let text = path.text();
    if matches!(text, "" | "/") {
        return;
    }
    if text == "//" {
        causes.invalid(path, "has an empty step");
        return;
    }
    if !text.starts_with('/') {
        causes.invalid(path, format!("`{text}` does not start with `/`"));
    }
    // The first character is cut whatever it is, as on the server.
    let mut rest = text.chars();
    rest.next();
    let steps = rest.as_str();
    for step in steps.strip_suffix('/').unwrap_or(steps).split('/') {
        if step.is_empty() {
            causes.invalid(path, format!("`{text}` has an empty step"));
        } else {
            check_text(path, step, dns_subdomain, causes);
        }
    }
}
