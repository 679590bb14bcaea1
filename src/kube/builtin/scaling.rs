//! `HorizontalPodAutoscalers` and `PodDisruptionBudgets`.

use super::hooks::optional;
use super::quotas::{check_of_container, check_resource_name};
use super::require_path_segment;
use crate::kube::formats::{
    check, check_at_most_all, check_int_or_percent, check_label_selector, dns_label, quantity,
};
use crate::kube::{Causes, Field};
use crate::schema::kinds::Minor;

const SOURCES: &[(&str, &str)] = &[
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const SOURCE_NAMES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
const LONGEST_PERIOD: i64 = 1800;
const LONGEST_WINDOW: i64 = 3600;

/// Whether a reference may name a kind of the core group, which has no name.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Group {
    Any,
    Named,
}

/// `HorizontalPodAutoscaler`.
pub(super) fn autoscaler(object: Field<'_, '_>, version: &str, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let (least, most) = (spec.key("minReplicas"), spec.key("maxReplicas"));
    let highest = most.int().unwrap_or(0);
    // Scaling to zero is behind a gate that is closed until 1.36.
    let bound = i64::from(release < (1, 36));
    if least.int().is_some_and(|least| least < bound) {
        causes.invalid(least, format!("is less than {bound}"));
    }
    if highest < 1 {
        causes.invalid(most, "has to be 1 or more");
    }
    // A missing minimum is 1.
    if highest < least.int().unwrap_or(1) {
        let fewest = least.int().unwrap_or(1);
        causes.invalid(most, format!("{highest} is less than `minReplicas`, which is {fewest}"));
    }
    let target = spec.key("scaleTargetRef");
    let group = if target.key("kind").text() == "ReplicationController" { Group::Any } else { Group::Named };
    check_reference(target, group, release, causes);
    if version == "v1" {
        // The percentage becomes a metric; what else there is stands in annotations.
        let percentage = spec.key("targetCPUUtilizationPercentage");
        if percentage.int().is_some_and(|percentage| percentage < 1) {
            causes.invalid(percentage, "has to be 1 or more");
        }
        return;
    }
    let metrics = spec.key("metrics");
    for metric in metrics.items() {
        check_metric(metric, release, causes);
    }
    let lasting = |metric: Field<'_, '_>| matches!(metric.key("type").text(), "Object" | "External");
    if least.int() == Some(0) && !metrics.items().any(lasting) {
        causes.forbidden(metrics, "only a metric of an object or from outside lets a workload scale to zero");
    }
    let behavior = spec.key("behavior");
    check_scaling(behavior.key("scaleUp"), causes);
    check_scaling(behavior.key("scaleDown"), causes);
}

fn check_reference(reference: Field<'_, '_>, group: Group, release: Minor, causes: &mut Causes) {
    require_path_segment(reference.key("kind"), causes);
    require_path_segment(reference.key("name"), causes);
    // Servers look at it since 1.34.
    if release < (1, 34) {
        return;
    }
    let api_version = reference.key("apiVersion");
    match api_version.text().split_once('/') {
        Some((_, rest)) if rest.contains('/') => {
            causes.invalid(api_version, format!("`{}` is no group with a version", api_version.text()));
        }
        None | Some(("", _)) if group == Group::Named => {
            causes.invalid(api_version, "the API group is missing: `apps/v1`, for example");
        }
        _ => {}
    }
}

fn check_metric(metric: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let kind = metric.key("type");
    if kind.text().is_empty() {
        causes.required(kind, "a metric has a type");
    }
    if !SOURCE_NAMES.contains(&kind.text()) {
        causes.unsupported(kind, kind.text(), SOURCE_NAMES);
    }
    let present = || SOURCES.iter().map(|(_, key)| *key).filter(|key| metric.key(key).is_set());
    if let Some(key) = present().next() {
        check_source(metric.key(key), key, release, causes);
    }
    let wanted = SOURCES.iter().find(|(name, _)| *name == kind.text()).map(|(_, key)| *key);
    if let Some(key) = wanted.filter(|key| !metric.key(key).is_set()) {
        causes.required(metric.key(key), format!("a metric of type `{}` is described here", kind.text()));
    }
    // One source that is not the wanted one is told by what is missing.
    if present().count() > 1 {
        for key in present().filter(|key| Some(*key) != wanted) {
            let fault = format!("does not belong to a metric of type `{}`", kind.text());
            causes.forbidden(metric.key(key), fault);
        }
    }
}

fn check_source(source: Field<'_, '_>, kind: &str, release: Minor, causes: &mut Causes) {
    let target = source.key("target");
    let (value, average, utilization) =
        (target.key("value"), target.key("averageValue"), target.key("averageUtilization"));
    match kind {
        "object" => {
            check_reference(source.key("describedObject"), Group::Any, release, causes);
            check_identifier(source, causes);
        }
        "external" | "pods" => check_identifier(source, causes),
        _ => {
            if source.key("name").text().is_empty() {
                causes.required(source.key("name"), "the resource has to be named");
            } else if kind == "containerResource" {
                check_resource_name(source.key("name"), source.key("name").text(), causes);
                check_of_container(source.key("name"), source.key("name").text(), causes);
            }
            if kind == "containerResource" {
                let container = source.key("container");
                if container.text().is_empty() {
                    causes.required(container, "the container has to be named");
                } else {
                    check(container, dns_label, causes);
                }
            }
        }
    }
    check_target(target, causes);
    match kind {
        "pods" if !average.is_set() => causes.required(average, "pods are measured by an average"),
        "pods" => {}
        "object" | "external" => {
            if !value.is_set() && !average.is_set() {
                causes.required(average, "`value` or `averageValue` is needed");
            } else if kind == "external" && value.is_set() && average.is_set() {
                causes.forbidden(value, "`value` and `averageValue` exclude each other");
            }
        }
        _ => {
            if !utilization.is_set() && !average.is_set() {
                causes.required(utilization, "`averageUtilization` or `averageValue` is needed");
            } else if utilization.is_set() && average.is_set() {
                causes.forbidden(average, "`averageUtilization` and `averageValue` exclude each other");
            }
        }
    }
}

fn check_identifier(source: Field<'_, '_>, causes: &mut Causes) {
    let metric = source.key("metric");
    require_path_segment(metric.key("name"), causes);
}

fn check_target(target: Field<'_, '_>, causes: &mut Causes) {
    let kind = target.key("type");
    if kind.text().is_empty() {
        causes.required(kind, "a target has a type");
    }
    if !matches!(kind.text(), "Utilization" | "Value" | "AverageValue") {
        let fault = format!("`{}` is none of `Utilization`, `Value` and `AverageValue`", kind.text());
        causes.invalid(kind, fault);
    }
    for key in ["value", "averageValue"] {
        let field = target.key(key);
        if quantity(field).is_some_and(|quantity| quantity.signum() != 1) {
            causes.invalid(field, "has to be more than 0");
        }
    }
    let utilization = target.key("averageUtilization");
    if utilization.int().is_some_and(|percentage| percentage < 1) {
        causes.invalid(utilization, "has to be more than 0");
    }
}

fn check_scaling(rules: Field<'_, '_>, causes: &mut Causes) {
    if !rules.is_set() {
        return;
    }
    let window = rules.key("stabilizationWindowSeconds");
    if window.int().is_some_and(|seconds| !(0..=LONGEST_WINDOW).contains(&seconds)) {
        causes.invalid(window, format!("a window is 0 to {LONGEST_WINDOW} seconds"));
    }
    optional(rules.key("selectPolicy"), &["Disabled", "Max", "Min"], causes);
    let policies = rules.key("policies");
    // Where there is no list, there is a default one.
    if policies.is_set() && policies.count() == 0 {
        causes.required(policies, "at least one policy is needed");
    }
    for policy in policies.items() {
        causes.one_of(policy.key("type"), policy.key("type").text(), &["Percent", "Pods"]);
        let (value, period) = (policy.key("value"), policy.key("periodSeconds"));
        if value.int().unwrap_or(0) <= 0 {
            causes.invalid(value, "has to be more than 0");
        }
        if !(1..=LONGEST_PERIOD).contains(&period.int().unwrap_or(0)) {
            causes.invalid(period, format!("a period is 1 to {LONGEST_PERIOD} seconds"));
        }
    }
    super::super::formats::check_quantity_not_negative(rules.key("tolerance"), causes);
}

/// `PodDisruptionBudget`.
pub(super) fn budget(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let (least, most) = (spec.key("minAvailable"), spec.key("maxUnavailable"));
    if least.is_set() && most.is_set() {
        causes.invalid(spec, "`minAvailable` and `maxUnavailable` exclude each other");
    }
    for bound in [least, most] {
        if bound.is_set() {
            check_int_or_percent(bound, causes);
            check_at_most_all(bound, causes);
        }
    }
    check_label_selector(spec.key("selector"), causes);
    optional(spec.key("unhealthyPodEvictionPolicy"), &["AlwaysAllow", "IfHealthyBudget"], causes);
}
