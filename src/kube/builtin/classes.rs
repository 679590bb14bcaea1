//! `PriorityClasses`, `RuntimeClasses` and Leases.

use super::hooks::optional;
use super::resources::check_list;
use crate::kube::formats::{check, check_labels, check_text, dns_label, label_value, qualified_name};
use crate::kube::{Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::BTreeSet;

const HIGHEST_PRIORITY: i64 = 1_000_000_000;
const SYSTEM_PREFIX: &str = "system-";
const SYSTEM_CLASSES: &[(&str, i64)] =
    &[("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// `PriorityClass`.
pub(super) fn priority(object: Field<'_, '_>, causes: &mut Causes) {
    let metadata = object.key("metadata");
    let (name, value) = (metadata.key("name"), object.key("value"));
    let number = value.int().unwrap_or(0);
    if name.text().starts_with(SYSTEM_PREFIX) {
        let known = SYSTEM_CLASSES.contains(&(name.text(), number));
        if !known || object.key("globalDefault").truth() == Some(true) {
            causes.forbidden(name, format!("names with `{SYSTEM_PREFIX}` are those of Kubernetes itself"));
        }
    } else if number > HIGHEST_PRIORITY {
        causes.forbidden(value, format!("{number} is more than {HIGHEST_PRIORITY}"));
    }
    let preemption = object.key("preemptionPolicy");
    if preemption.is_set() && preemption.text().is_empty() {
        causes.required(preemption, "has to be set");
    } else {
        optional(preemption, &["PreemptLowerPriority", "Never"], causes);
    }
}

/// `RuntimeClass`.
pub(super) fn runtime(object: Field<'_, '_>, causes: &mut Causes) {
    check(object.key("handler"), dns_label, causes);
    let overhead = object.key("overhead");
    let (mut pages, mut others) = (false, false);
    for (name, amount) in overhead.key("podFixed").members() {
        check_list(amount, name, causes);
        pages |= name.starts_with("hugepages-");
        others |= matches!(name, "cpu" | "memory");
    }
    if pages && !others {
        causes.forbidden(overhead, "huge pages need `cpu` or `memory` as well");
    }
    let scheduling = object.key("scheduling");
    check_labels(scheduling.key("nodeSelector"), causes);
    let mut seen = BTreeSet::new();
    for toleration in scheduling.key("tolerations").items() {
        check_toleration(toleration, causes);
        let text = |key: &str| toleration.key(key).text();
        if !seen.insert((text("key"), text("operator"), text("value"), text("effect"))) {
            causes.duplicate(toleration, "this toleration stands before");
        }
    }
}

pub(super) fn check_toleration(toleration: Field<'_, '_>, causes: &mut Causes) {
    let (key, operator, value, effect) = (
        toleration.key("key"),
        toleration.key("operator"),
        toleration.key("value"),
        toleration.key("effect"),
    );
    if !key.text().is_empty() {
        check(key, qualified_name, causes);
    } else if operator.text() != "Exists" {
        causes.invalid(operator, "without a key, the operator is `Exists`");
    }
    if toleration.key("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
        causes.invalid(effect, "with `tolerationSeconds`, the effect is `NoExecute`");
    }
    match operator.text() {
        "" | "Equal" => check_text(operator, value.text(), label_value, causes),
        "Exists" => {
            if !value.text().is_empty() {
                causes.invalid(operator, "`Exists` takes no value");
            }
        }
        other => causes.unsupported(operator, other, &["Equal", "Exists"]),
    }
    if !effect.text().is_empty() {
        causes.one_of(effect, effect.text(), &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
    }
}

/// `ControllerRevision`.
pub(super) fn revision(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    crate::kube::formats::check_not_negative(object.key("revision"), causes);
    let data = object.key("data");
    // Since 1.34, it has to be a map.
    let map = data.node().is_some_and(|node| node.as_map().is_some());
    if !data.is_set() || (!map && release >= (1, 34)) {
        causes.required(data, "a revision holds a map");
    }
}

/// `Lease`.
pub(super) fn lease(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let (duration, transitions) = (spec.key("leaseDurationSeconds"), spec.key("leaseTransitions"));
    if duration.int().is_some_and(|seconds| seconds <= 0) {
        causes.invalid(duration, "has to be more than 0");
    }
    crate::kube::formats::check_not_negative(transitions, causes);
    // The other fields are behind a gate that is closed by default.
}
