//! `ResourceQuotas`, `LimitRanges` and the capacity of Nodes: names of resources and quantities of them.

use crate::kube::formats::{Quantity, check_quantity_not_negative, check_text, qualified_name, quantity};
use crate::kube::{Causes, Field};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Resources that a quota counts, by their plain names.
const QUOTA_RESOURCES: &[&str] = &[
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// Resources that come in whole numbers.
const WHOLE_RESOURCES: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
const SCOPES: &[&str] = &[
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];
const COMPUTE: &[&str] =
    &["cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];

/// Whether the resource is one of Kubernetes itself.
pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether the resource is one that devices bring.
pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && qualified_name(&format!("requests.{name}")).is_ok()
}

/// A name of a resource: one of Kubernetes itself, or one with a domain before it.
pub(super) fn check_resource_name(field: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let before = causes.len();
    check_text(field, name, qualified_name, causes);
    let known = name == "storage" || is_counted(name) || name.contains('/');
    if causes.len() == before && !known {
        causes.invalid(field, format!("`{name}` is no resource of Kubernetes, and has no domain before it"));
    }
}

/// Whether a quota counts it by this plain name.
fn is_counted(name: &str) -> bool {
    QUOTA_RESOURCES.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

/// A quantity of a resource.
pub(super) fn check_amount(field: Field<'_, '_>, name: &str, causes: &mut Causes) {
    check_quantity_not_negative(field, causes);
    let whole = WHOLE_RESOURCES.contains(&name) || is_extended(name);
    if whole && quantity(field).is_some_and(|quantity| quantity.milli().rem_euclid(1000) != 0) {
        causes.invalid(field, format!("`{name}` comes in whole numbers"));
    }
}

/// `ResourceQuota`.
pub(super) fn quota(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let hard = spec.key("hard");
    for (name, amount) in hard.members() {
        check_resource_name(amount, name, causes);
        if !name.contains('/') && !is_counted(name) {
            causes.invalid(amount, format!("a quota does not count `{name}`"));
        }
        check_amount(amount, name, causes);
    }
    let scopes = spec.key("scopes");
    let mut seen = BTreeSet::new();
    for scope in scopes.items() {
        check_scope(scopes, scope.text(), hard, causes);
        seen.insert(scope.text());
    }
    check_conflicts(scopes, &seen, causes);
    check_scope_selector(spec, causes);
}

fn check_scope(field: Field<'_, '_>, scope: &str, hard: Field<'_, '_>, causes: &mut Causes) {
    if !SCOPES.contains(&scope) {
        causes.invalid(field, format!("`{scope}` is no scope"));
    }
    for (name, _) in hard.members() {
        let fits = match scope {
            "BestEffort" => name == "pods",
            "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
            "CrossNamespacePodAffinity"
            | "NotBestEffort"
            | "NotTerminating"
            | "PriorityClass"
            | "Terminating" => COMPUTE.contains(&name),
            _ => true,
        };
        if is_counted(name) && !fits {
            causes.invalid(field, format!("the scope `{scope}` does not count `{name}`"));
        }
    }
}

fn check_conflicts(field: Field<'_, '_>, scopes: &BTreeSet<&str>, causes: &mut Causes) {
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if scopes.contains(one) && scopes.contains(other) {
            causes.invalid(field, format!("`{one}` and `{other}` exclude each other"));
        }
    }
}

fn check_scope_selector(spec: Field<'_, '_>, causes: &mut Causes) {
    let selector = spec.key("scopeSelector");
    let expressions = selector.key("matchExpressions");
    let mut seen = BTreeSet::new();
    for requirement in expressions.items() {
        let own = (requirement.key("scopeName"), requirement.key("operator"), requirement.key("values"));
        // The server tells none of them apart.
        let (scope, operator) =
            (expressions.alias("scopeName", &own.0), expressions.alias("operator", &own.1));
        let values = expressions.alias("values", &own.2);
        check_scope(scope, scope.text(), spec.key("hard"), causes);
        let classes = matches!(scope.text(), "PriorityClass" | "VolumeAttributesClass");
        if SCOPES.contains(&scope.text()) && !classes && operator.text() != "Exists" {
            causes
                .invalid(operator, format!("the scope `{}` takes the operator `Exists` alone", scope.text()));
        }
        match operator.text() {
            "In" | "NotIn" if values.count() == 0 => {
                causes.required(values, format!("`{}` wants values", operator.text()));
            }
            "Exists" | "DoesNotExist" if values.count() > 0 => {
                causes.invalid(values, format!("`{}` takes no values", operator.text()));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => causes.invalid(operator, format!("`{other}` is no operator")),
        }
        seen.insert(scope.text());
    }
    check_conflicts(expressions, &seen, causes);
}

/// `LimitRange`.
pub(super) fn limits(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let mut kinds = BTreeSet::new();
    for limit in spec.key("limits").items() {
        let kind = limit.key("type");
        let before = causes.len();
        check_text(kind, kind.text(), qualified_name, causes);
        let plain = !kind.text().contains('/');
        if causes.len() == before
            && plain
            && !matches!(kind.text(), "Pod" | "Container" | "PersistentVolumeClaim")
        {
            let fault = format!("`{}` is none of `Pod`, `Container`, `PersistentVolumeClaim`", kind.text());
            causes.invalid(kind, fault);
        }
        if !kinds.insert(kind.text()) {
            causes.duplicate(kind, format!("`{}` stands before", kind.text()));
        }
        check_limit(limit, kind.text(), causes);
    }
}

const BOUNDS: &[&str] = &["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

fn check_limit(limit: Field<'_, '_>, kind: &str, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    for bound in BOUNDS {
        let amounts = limit.key(bound);
        if kind == "Pod" && bound.starts_with("default") {
            if amounts.count() > 0 {
                causes.forbidden(amounts, "pods have no defaults");
            }
            continue;
        }
        for (name, amount) in amounts.members() {
            names.insert(name);
            check_resource_name(amount, name, causes);
            if matches!(kind, "Pod" | "Container") {
                check_of_container(amount, name, causes);
            }
        }
    }
    let (most, least) = (limit.key("max"), limit.key("min"));
    if kind == "PersistentVolumeClaim" && !most.key("storage").is_set() && !least.key("storage").is_set() {
        causes.required(limit.key("limits"), "`min` or `max` of `storage` is needed");
    }
    for name in names {
        check_bounds(limit, kind, name, causes);
    }
}

/// A resource that containers ask for.
pub(super) fn check_of_container(amount: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let known = if name.contains('/') {
        is_native(name) || is_extended(name)
    } else {
        matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
    };
    if !known {
        causes.invalid(amount, format!("containers do not ask for `{name}`"));
    }
}

fn more(one: Option<Quantity>, other: Option<Quantity>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.compare(other) == Ordering::Greater)
}

fn check_bounds(limit: Field<'_, '_>, kind: &str, name: &str, causes: &mut Causes) {
    let at = |bound: &str| quantity(limit.key(bound).key(name));
    let (most, least) = (at("max"), at("min"));
    let (mut default, mut request) = (at("default"), at("defaultRequest"));
    match kind {
        "Pod" => (default, request) = (None, None),
        // A container's defaults are taken from what is there.
        "Container" => {
            default = default.or(most);
            request = request.or(default).or(least);
        }
        _ => {}
    }
    let mut fault = |bound: &str, wrong: bool, fault: &str| {
        if wrong {
            causes.invalid(limit.key(bound).key(name), format!("`{name}`: {fault}"));
        }
    };
    fault("min", more(least, most), "`min` is more than `max`");
    fault("defaultRequest", more(least, request), "`min` is more than `defaultRequest`");
    fault("defaultRequest", more(request, most), "`defaultRequest` is more than `max`");
    fault("defaultRequest", more(request, default), "`defaultRequest` is more than `default`");
    fault("default", more(least, default), "`min` is more than `default`");
    fault("default", more(default, most), "`default` is more than `max`");
    let ratio = at("maxLimitRequestRatio");
    fault("maxLimitRequestRatio", more(Some(Quantity::of(1)), ratio), "the ratio is less than 1");
    if let (Some(ratio), Some(least), Some(most)) = (ratio, least, most) {
        let highest = most.approximate() / least.approximate();
        fault("maxLimitRequestRatio", ratio.approximate() > highest, "the ratio is more than `max` by `min`");
    }
    if !is_native(name) || name.starts_with("hugepages-") {
        let differ = more(request, default) || more(default, request);
        fault("defaultRequest", differ, "`default` and `defaultRequest` have to be equal");
    }
}
