//! What keeps Pods running: Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers.

use super::claims::{Owner, check_spec};
use super::pods::{Place, check_template, one_of_if_written};
use crate::kube::formats::{
    check, check_at_most_all, check_int_or_percent, check_label_selector, check_not_negative, dns_label,
    is_zero, selects,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;

/// Whether a selector of Pods is one.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Selector {
    /// It is there, and can be read.
    Fine,
    /// It is missing: it selects nothing.
    Missing,
    /// It is there, and cannot be read.
    Faulty,
}

/// A selector that has to be there.
fn check_selector(selector: Field<'_, '_>, causes: &mut Causes) -> Selector {
    if !selector.is_set() {
        causes.required(selector, "has to be set");
        return Selector::Missing;
    }
    let before = causes.len();
    check_label_selector(selector, causes);
    let faulty = causes.len() > before;
    if faulty {
        causes.invalid(selector, "it cannot be read");
    } else if is_empty(selector) {
        causes.invalid(selector, "an empty selector takes all Pods");
    }
    if faulty { Selector::Faulty } else { Selector::Fine }
}

fn is_empty(selector: Field<'_, '_>) -> bool {
    selector.key("matchLabels").count() + selector.key("matchExpressions").count() == 0
}

/// The template has the labels that are selected.
fn check_selected(spec: Field<'_, '_>, causes: &mut Causes) {
    let (selector, template) = (spec.key("selector"), spec.key("template"));
    let metadata = template.key("metadata");
    let labels = metadata.key("labels");
    if !selector.is_set() || !selects(selector, labels) {
        causes.invalid(labels, "`selector` does not take Pods with these labels");
    }
}

/// Pods that are kept running restart, and have no deadline.
fn check_endless(template: Field<'_, '_>, causes: &mut Causes) {
    let spec = template.key("spec");
    let (policy, deadline) = (spec.key("restartPolicy"), spec.key("activeDeadlineSeconds"));
    one_of_if_written(policy, &["Always"], causes);
    if deadline.is_set() {
        causes.forbidden(deadline, "Pods that are kept running have no deadline");
    }
}

fn check_numbers(spec: Field<'_, '_>, keys: &[&str], causes: &mut Causes) {
    for key in keys {
        check_not_negative(spec.key(key), causes);
    }
}

/// The template of a Deployment or a ReplicaSet.
fn check_replicated(spec: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let selector = check_selector(spec.key("selector"), causes);
    if selector == Selector::Faulty {
        return;
    }
    if selector == Selector::Missing || !is_empty(spec.key("selector")) {
        check_selected(spec, causes);
    }
    check_template(spec.key("template"), Place::Template, None, release, causes);
    check_endless(spec.key("template"), causes);
}

/// `Deployment`.
pub(super) fn deployment(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    const DEADLINE: i64 = 600;
    let spec = object.key("spec");
    check_numbers(
        spec,
        &["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"],
        causes,
    );
    check_replicated(spec, release, causes);
    check_strategy(spec.key("strategy"), causes);
    let deadline = spec.key("progressDeadlineSeconds");
    let ready = spec.key("minReadySeconds").int().unwrap_or(0);
    if deadline.int().unwrap_or(DEADLINE) <= ready {
        causes.invalid(deadline, format!("it is not more than `minReadySeconds`, which is {ready}"));
    }
}

fn check_strategy(strategy: Field<'_, '_>, causes: &mut Causes) {
    let rolling = strategy.key("rollingUpdate");
    match strategy.key("type").text() {
        "" | "RollingUpdate" => {
            let (unavailable, surge) = (rolling.key("maxUnavailable"), rolling.key("maxSurge"));
            check_int_or_percent(unavailable, causes);
            check_int_or_percent(surge, causes);
            if is_zero(unavailable) && is_zero(surge) {
                causes.invalid(unavailable, "it cannot be 0 where `maxSurge` is 0");
            }
            check_at_most_all(unavailable, causes);
        }
        "Recreate" => {
            if rolling.is_set() {
                causes.forbidden(rolling, "`Recreate` does not roll");
            }
        }
        other => causes.unsupported(strategy, other, &["Recreate", "RollingUpdate"]),
    }
}

/// `ReplicaSet`.
pub(super) fn replica_set(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    check_numbers(spec, &["replicas", "minReadySeconds"], causes);
    check_replicated(spec, release, causes);
}

/// `DaemonSet`.
pub(super) fn daemon_set(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let selector = spec.key("selector");
    let before = causes.len();
    check_label_selector(selector, causes);
    if causes.len() == before {
        check_selected(spec, causes);
    }
    if selector.is_set() && is_empty(selector) {
        causes.invalid(selector, "an empty selector takes all Pods");
    }
    check_template(spec.key("template"), Place::Template, None, release, causes);
    check_endless(spec.key("template"), causes);
    check_numbers(spec, &["minReadySeconds", "revisionHistoryLimit"], causes);
    let strategy = spec.key("updateStrategy");
    match strategy.key("type").text() {
        "" | "RollingUpdate" => check_rolling_daemons(strategy.key("rollingUpdate"), causes),
        "OnDelete" => {}
        other => causes.unsupported(strategy, other, &["OnDelete", "RollingUpdate"]),
    }
}

fn check_rolling_daemons(rolling: Field<'_, '_>, causes: &mut Causes) {
    let (unavailable, surge) = (rolling.key("maxUnavailable"), rolling.key("maxSurge"));
    for field in [unavailable, surge] {
        check_int_or_percent(field, causes);
        check_at_most_all(field, causes);
    }
    // Where nothing is said, one is replaced after the other, and none beside it.
    let ends = !is_zero(unavailable);
    let surges = surge.is_set() && !is_zero(surge);
    match (ends, surges) {
        (true, true) => {
            causes.invalid(surge, "it has to be 0 where `maxUnavailable` is not, which is 1 by default");
        }
        (false, false) => causes.required(unavailable, "it cannot be 0 where `maxSurge` is 0"),
        _ => {}
    }
}

/// `StatefulSet`.
pub(super) fn stateful_set(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let management = spec.key("podManagementPolicy");
    if !matches!(management.text(), "" | "OrderedReady" | "Parallel") {
        causes.at_with_help(
            management,
            CauseKind::Invalid,
            format!("there is no policy `{}`", management.text()),
            "write `OrderedReady` or `Parallel`",
        );
    }
    check_update(spec.key("updateStrategy"), causes);
    let retention = spec.key("persistentVolumeClaimRetentionPolicy");
    for key in ["whenDeleted", "whenScaled"] {
        one_of_if_written(retention.key(key), &["Delete", "Retain"], causes);
    }
    check_numbers(spec, &["replicas", "minReadySeconds"], causes);
    check_not_negative(spec.key("ordinals").key("start"), causes);
    let (service, claims) = (spec.key("serviceName"), spec.key("volumeClaimTemplates"));
    // Older releases looked at neither.
    if release >= (1, 34) {
        for claim in claims.items() {
            check_spec(claim.key("spec"), Owner::Template, release, causes);
        }
        if !service.text().is_empty() {
            check(service, dns_label, causes);
        }
    }
    let selector = check_selector(spec.key("selector"), causes);
    let template = spec.key("template");
    if selector != Selector::Faulty {
        if selector == Selector::Missing || !is_empty(spec.key("selector")) {
            check_selected(spec, causes);
        }
        check_template(template, Place::StatefulSet, Some(claims), release, causes);
    }
    check_endless(template, causes);
}

fn check_update(strategy: Field<'_, '_>, causes: &mut Causes) {
    let rolling = strategy.key("rollingUpdate");
    match strategy.key("type").text() {
        "" | "RollingUpdate" => {
            let unavailable = rolling.key("maxUnavailable");
            check_not_negative(rolling.key("partition"), causes);
            check_int_or_percent(unavailable, causes);
            if is_zero(unavailable) {
                causes.invalid(unavailable, "it cannot be 0");
            }
            check_at_most_all(unavailable, causes);
        }
        "OnDelete" => {
            if rolling.is_set() {
                causes.invalid(rolling, "`OnDelete` does not roll");
            }
        }
        other => causes.at_with_help(
            strategy,
            CauseKind::Invalid,
            format!("there is no strategy `{other}`"),
            "write `RollingUpdate` or `OnDelete`",
        ),
    }
}

/// `ReplicationController`.
pub(super) fn replication_controller(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    check_numbers(spec, &["replicas", "minReadySeconds"], causes);
    let (selector, template) = (spec.key("selector"), spec.key("template"));
    let metadata = template.key("metadata");
    let labels = metadata.key("labels");
    // Without a selector, it is the labels of the template.
    if selector.count() == 0 && labels.count() == 0 {
        causes.required(selector, "has to be set");
    }
    if !template.is_set() {
        causes.required(template, "has to be set");
        return;
    }
    let taken = selector.members().all(|(key, wanted)| {
        let label = labels.key(key);
        label.is_set() && label.text() == wanted.text()
    });
    if !taken {
        causes.invalid(labels, "`selector` does not take Pods with these labels");
    }
    check_template(template, Place::Template, None, release, causes);
    check_endless(template, causes);
}

/// `PodTemplate`.
pub(super) fn pod_template(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    check_template(object.key("template"), Place::Template, None, release, causes);
}

#[cfg(test)]
mod tests {
    use super::super::trial::object;

    fn check(kind: &str, table: &[(&str, &[&str])]) {
        let version = if kind == "ReplicationController" { "v1" } else { "apps/v1" };
        let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: i}]}}";
        for (spec, told) in table {
            let selector = if spec.contains("selector:") { "" } else { "selector: {matchLabels: {a: b}}, " };
            let object = object(
                &format!("{{apiVersion: {version}, kind: {kind}, spec: {{{selector}{template}, {spec}}}}}"),
                (1, 34),
            );
            assert_eq!(object, *told, "{kind}: {spec}");
        }
    }

    #[test]
    fn deployments_roll_or_not() {
        check(
            "Deployment",
            &[
                ("strategy: {rollingUpdate: {maxSurge: 120%, maxUnavailable: 100%}}", &[]),
                (
                    "strategy: {rollingUpdate: {maxUnavailable: 120%}}",
                    &["Invalid spec.strategy.rollingUpdate.maxUnavailable"],
                ),
                (
                    "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}",
                    &["Invalid spec.strategy.rollingUpdate.maxUnavailable"],
                ),
                ("strategy: {type: Recreate, rollingUpdate: {}}", &["Forbidden spec.strategy.rollingUpdate"]),
                ("strategy: {type: x}", &["Unsupported spec.strategy"]),
                ("minReadySeconds: 600", &["Invalid spec.progressDeadlineSeconds"]),
                (
                    "replicas: -1, selector: {matchLabels: {a: c}}",
                    &["Invalid spec.replicas", "Invalid spec.template.metadata.labels"],
                ),
                ("selector: {}", &["Invalid spec.selector"]),
                (
                    "selector: {matchLabels: {a: -}}",
                    &["Invalid spec.selector.matchLabels", "Invalid spec.selector"],
                ),
            ],
        );
        let told = object("{apiVersion: apps/v1, kind: Deployment, spec: {}}", (1, 34));
        assert_eq!(
            told,
            [
                "Required spec.selector",
                "Invalid spec.template.metadata.labels",
                "Required spec.template.spec.containers"
            ]
        );
    }

    #[test]
    fn pods_that_are_kept_do_not_end() {
        let spec = "metadata: {labels: {a: b}}, spec: {restartPolicy: Never, activeDeadlineSeconds: 1, ephemeralContainers: [{name: e, image: i}], containers: [{name: a, image: ' i'}]}";
        let of = |selector: &str| format!("spec: {{selector: {selector}, template: {{{spec}}}}}");
        let told = [
            "Forbidden spec.template.spec.ephemeralContainers",
            "Unsupported spec.template.spec.restartPolicy",
            "Forbidden spec.template.spec.activeDeadlineSeconds",
        ];
        for kind in ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"] {
            let text = format!("{{apiVersion: apps/v1, kind: {kind}, {}}}", of("{matchLabels: {a: b}}"));
            assert_eq!(object(&text, (1, 34)), told, "{kind}");
        }
        let text = format!("{{apiVersion: v1, kind: ReplicationController, {}}}", of("{a: b}"));
        assert_eq!(object(&text, (1, 34)), told);
    }

    #[test]
    fn daemons_are_replaced_one_way() {
        let place = "spec.updateStrategy.rollingUpdate";
        check(
            "DaemonSet",
            &[
                ("updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", &[]),
                ("updateStrategy: {rollingUpdate: {maxSurge: 1}}", &[&format!("Invalid {place}.maxSurge")]),
                (
                    "updateStrategy: {rollingUpdate: {maxUnavailable: 0}}",
                    &[&format!("Required {place}.maxUnavailable")],
                ),
                ("updateStrategy: {type: OnDelete, rollingUpdate: {maxSurge: x}}", &[]),
                ("selector: {}", &["Invalid spec.selector"]),
            ],
        );
    }

    #[test]
    fn sets_of_named_pods() {
        check(
            "StatefulSet",
            &[
                (
                    "podManagementPolicy: x, serviceName: a.b, ordinals: {start: -1}",
                    &[
                        "Invalid spec.podManagementPolicy",
                        "Invalid spec.ordinals.start",
                        "Invalid spec.serviceName",
                    ],
                ),
                (
                    "updateStrategy: {type: OnDelete, rollingUpdate: {}}",
                    &["Invalid spec.updateStrategy.rollingUpdate"],
                ),
                (
                    "updateStrategy: {rollingUpdate: {partition: -1, maxUnavailable: 0}}",
                    &[
                        "Invalid spec.updateStrategy.rollingUpdate.partition",
                        "Invalid spec.updateStrategy.rollingUpdate.maxUnavailable",
                    ],
                ),
                (
                    "persistentVolumeClaimRetentionPolicy: {whenScaled: x}",
                    &["Unsupported spec.persistentVolumeClaimRetentionPolicy.whenScaled"],
                ),
                (
                    "volumeClaimTemplates: [{metadata: {name: A}, spec: {}}]",
                    &[
                        "Required spec.volumeClaimTemplates[0].spec.accessModes",
                        "Required spec.volumeClaimTemplates[0].spec.resources.storage",
                        "Invalid spec.template.spec.volumes[0].name",
                    ],
                ),
            ],
        );
        let mounted = "{apiVersion: apps/v1, kind: StatefulSet, spec: {selector: {matchLabels: {a: b}}, \
             volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1}}}}], \
             template: {metadata: {labels: {a: b}}, spec: {hostname: A, containers: [{name: a, image: i, volumeMounts: [{name: d, mountPath: x}]}]}}}}";
        assert!(object(mounted, (1, 34)).is_empty());
    }

    #[test]
    fn controllers_select_by_labels_alone() {
        check(
            "ReplicationController",
            &[
                ("selector: {a: b}", &[]),
                ("selector: {}", &[]),
                ("selector: {a: c}", &["Invalid spec.template.metadata.labels"]),
            ],
        );
        let bare = "{apiVersion: v1, kind: ReplicationController, spec: {}}";
        assert_eq!(object(bare, (1, 34)), ["Required spec.selector", "Required spec.template"]);
    }
}
