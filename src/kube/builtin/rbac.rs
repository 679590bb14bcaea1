//! Roles and bindings of RBAC. Verbs, groups and resources are free text: a server looks at none of them.

use super::require_path_segment;
use crate::kube::formats::{check, check_label_selector, dns_subdomain};
use crate::kube::{Causes, Field};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Where a role or a binding holds.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// `Role`, `RoleBinding`.
    Namespace,
    /// `ClusterRole`, `ClusterRoleBinding`.
    Cluster,
}

/// `Role` and `ClusterRole`.
pub(super) fn role(object: Field<'_, '_>, reach: Reach, causes: &mut Causes) {
    for rule in object.key("rules").items() {
        policy_rule(rule, reach, causes);
    }
    let aggregation = object.key("aggregationRule");
    if reach == Reach::Namespace || !aggregation.is_set() {
        return;
    }
    let selectors = aggregation.key("clusterRoleSelectors");
    if selectors.count() == 0 {
        causes.required(selectors, "an aggregation needs at least one selector");
    }
    for selector in selectors.items() {
        let before = causes.len();
        check_label_selector(selector, causes);
        if causes.len() > before {
            causes.invalid(selector, "this is no usable selector of labels");
        }
    }
}

fn policy_rule(rule: Field<'_, '_>, reach: Reach, causes: &mut Causes) {
    if rule.key("verbs").count() == 0 {
        causes.required(rule.key("verbs"), "a rule needs at least one verb");
    }
    let (groups, resources) = (rule.key("apiGroups"), rule.key("resources"));
    let urls = rule.key("nonResourceURLs");
    if urls.count() > 0 {
        if reach == Reach::Namespace {
            causes.invalid(urls, "a role of a namespace cannot speak of URLs");
        }
        if groups.count() + resources.count() + rule.key("resourceNames").count() > 0 {
            causes.invalid(urls, "a rule speaks either of resources or of URLs");
        }
        return;
    }
    if groups.count() == 0 {
        causes.required(groups, "a rule about resources needs at least one API group");
    }
    if resources.count() == 0 {
        causes.required(resources, "a rule about resources needs at least one resource");
    }
}

/// `RoleBinding` and `ClusterRoleBinding`.
pub(super) fn binding(object: Field<'_, '_>, reach: Reach, causes: &mut Causes) {
    let role = object.key("roleRef");
    let group = role.key("apiGroup");
    if !matches!(group.text(), "" | GROUP) {
        causes.unsupported(group, group.text(), &[GROUP]);
    }
    let kinds: &[&str] = match reach {
        Reach::Namespace => &["Role", "ClusterRole"],
        Reach::Cluster => &["ClusterRole"],
    };
    if !kinds.contains(&role.key("kind").text()) {
        causes.unsupported(role.key("kind"), role.key("kind").text(), kinds);
    }
    require_path_segment(role.key("name"), causes);
    for subject in object.key("subjects").items() {
        check_subject(subject, reach, causes);
    }
}

fn check_subject(subject: Field<'_, '_>, reach: Reach, causes: &mut Causes) {
    let (kind, name, group) = (subject.key("kind"), subject.key("name"), subject.key("apiGroup"));
    if name.text().is_empty() {
        causes.required(name, "a subject needs a name");
    }
    match kind.text() {
        "ServiceAccount" => {
            if !name.text().is_empty() {
                check(name, dns_subdomain, causes);
            }
            if !group.text().is_empty() {
                causes.unsupported(group, group.text(), &[""]);
            }
            if reach == Reach::Cluster && subject.key("namespace").text().is_empty() {
                causes.required(subject.key("namespace"), "a service account is found by its namespace");
            }
        }
        "User" | "Group" => {
            if !matches!(group.text(), "" | GROUP) {
                causes.unsupported(group, group.text(), &[GROUP]);
            }
        }
        other => causes.unsupported(kind, other, &["ServiceAccount", "User", "Group"]),
    }
}
