//! Where Pods are put: affinity to nodes and Pods, and how they are spread.

use super::hooks::optional;
use super::pods::{Place, Pod};
use super::require;
use crate::kube::formats::{
    check, check_label_selector, dns_label, dns_subdomain, label_value, qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::BTreeSet;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Whether the values of labels are checked where nodes are selected.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// They are values of labels.
    Labels,
    /// They may be anything.
    Any,
}

/// `affinity` of a Pod.
pub(super) fn check_affinity(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let affinity = pod.spec.key("affinity");
    let nodes = affinity.key("nodeAffinity");
    if nodes.key(REQUIRED).is_set() {
        // Older releases did not look at the values.
        let values = if pod.release < (1, 34) { Values::Any } else { Values::Labels };
        check_node_selector(nodes.key(REQUIRED), values, causes);
    }
    for term in nodes.key(PREFERRED).items() {
        check_weight(term.key("weight"), causes);
        check_term(term.key("preference"), Values::Any, causes);
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        let pods = affinity.key(key);
        pods.key(REQUIRED).items().for_each(|term| check_pod_term(pod, term, causes));
        for weighted in pods.key(PREFERRED).items() {
            check_weight(weighted.key("weight"), causes);
            check_pod_term(pod, weighted.key("podAffinityTerm"), causes);
        }
    }
}

fn check_weight(weight: Field<'_, '_>, causes: &mut Causes) {
    let number = weight.int().unwrap_or(0);
    if !(1..=100).contains(&number) {
        causes.invalid(weight, format!("`{number}` is not within 1 and 100"));
    }
}

/// A selector of nodes that has to be kept.
pub(super) fn check_node_selector(selector: Field<'_, '_>, values: Values, causes: &mut Causes) {
    let terms = selector.key("nodeSelectorTerms");
    if terms.count() == 0 {
        causes.required(terms, "at least one term is needed");
    }
    terms.items().for_each(|term| check_term(term, values, causes));
}

fn check_term(term: Field<'_, '_>, values: Values, causes: &mut Causes) {
    for requirement in term.key("matchExpressions").items() {
        check_requirement(requirement, values, causes);
    }
    for requirement in term.key("matchFields").items() {
        check_field_requirement(requirement, causes);
    }
}

fn refuse_operator(operator: Field<'_, '_>, known: &[&str], causes: &mut Causes) {
    causes.at_with_help(
        operator,
        CauseKind::Invalid,
        format!("`{}` is no operator here", operator.text()),
        format!("write one of `{}`", known.join("`, `")),
    );
}

fn check_requirement(requirement: Field<'_, '_>, values: Values, causes: &mut Causes) {
    let (operator, list) = (requirement.key("operator"), requirement.key("values"));
    match (operator.text(), list.count()) {
        ("In" | "NotIn", 0) => causes.required(list, format!("`{}` wants values", operator.text())),
        ("Exists" | "DoesNotExist", 1..) => {
            causes.forbidden(list, format!("`{}` takes no values", operator.text()));
        }
        ("Gt" | "Lt", count) if count != 1 => {
            causes.required(list, format!("`{}` wants one value", operator.text()));
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt", _) => {}
        _ => refuse_operator(operator, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], causes),
    }
    check(requirement.key("key"), qualified_name, causes);
    if values == Values::Labels {
        list.items().for_each(|value| check(value, label_value, causes));
    }
}

fn check_field_requirement(requirement: Field<'_, '_>, causes: &mut Causes) {
    let (key, operator, list) =
        (requirement.key("key"), requirement.key("operator"), requirement.key("values"));
    match operator.text() {
        "In" | "NotIn" if list.count() == 1 => {}
        "In" | "NotIn" => causes.required(list, "exactly one value is needed"),
        _ => refuse_operator(operator, &["In", "NotIn"], causes),
    }
    if key.text() == "metadata.name" {
        list.items().for_each(|value| check(value, dns_subdomain, causes));
    } else {
        causes.invalid(key, format!("nodes are not selected by `{}`", key.text()));
    }
}

fn check_pod_term(pod: &Pod<'_, '_>, term: Field<'_, '_>, causes: &mut Causes) {
    check_label_selector(term.key("labelSelector"), causes);
    check_label_selector(term.key("namespaceSelector"), causes);
    for name in term.key("namespaces").items() {
        check(term.alias("namespace", &name), dns_label, causes);
    }
    check_label_keys(pod, term, causes);
    let topology = term.key("topologyKey");
    require(topology, causes);
    check(topology, qualified_name, causes);
}

/// Keys of labels that are added to a selector.
fn check_label_keys(pod: &Pod<'_, '_>, owner: Field<'_, '_>, causes: &mut Causes) {
    let selector = owner.key("labelSelector");
    let (same, other) = (owner.key("matchLabelKeys"), owner.key("mismatchLabelKeys"));
    for keys in [same, other].into_iter().filter(|keys| keys.count() > 0) {
        if selector.is_set() {
            keys.items().for_each(|key| check(key, qualified_name, causes));
        } else {
            causes.forbidden(keys, "there is no `labelSelector` to add to");
        }
    }
    if selector.is_set() {
        check_selected_twice(pod, owner, selector, causes);
    }
    for key in same.items().filter(|key| other.items().any(|other| other.text() == key.text())) {
        causes.invalid(key, format!("`{}` is one of `mismatchLabelKeys` as well", key.text()));
    }
}

fn check_selected_twice(
    pod: &Pod<'_, '_>,
    owner: Field<'_, '_>,
    selector: Field<'_, '_>,
    causes: &mut Causes,
) {
    let (same, other) = (owner.key("matchLabelKeys"), owner.key("mismatchLabelKeys"));
    let labels = pod.metadata.key("labels");
    let mut seen: BTreeSet<&str> = selector.key("matchLabels").members().map(|(key, _)| key).collect();
    let written = selector.key("matchExpressions");
    let mut keys: Vec<&str> = written.items().map(|requirement| requirement.key("key").text()).collect();
    // In a Pod, the server has added what the keys stand for before it looks.
    if pod.place == Place::Pod {
        keys.extend([same, other].iter().flat_map(|keys| {
            keys.items().map(|key| key.text()).filter(|key| labels.key(key).is_set()).collect::<Vec<_>>()
        }));
    }
    for key in keys {
        let at = same.items().enumerate().filter(|(_, own)| own.text() == key).last();
        if let Some((index, _)) = at
            && seen.contains(key)
        {
            causes.invalid(
                owner.index(index),
                format!("`{key}` is one of `matchLabelKeys` and of `labelSelector`"),
            );
        }
        seen.insert(key);
    }
}

/// `topologySpreadConstraints` of a Pod.
pub(super) fn check_spread(pod: &Pod<'_, '_>, causes: &mut Causes) {
    const ACTIONS: &[&str] = &["DoNotSchedule", "ScheduleAnyway"];
    let constraints = pod.spec.key("topologySpreadConstraints");
    let kind = |constraint: Field<'_, '_>| {
        (
            constraint.key("topologyKey").text().to_owned(),
            constraint.key("whenUnsatisfiable").text().to_owned(),
        )
    };
    for (index, constraint) in constraints.items().enumerate() {
        let (skew, action, least) =
            (constraint.key("maxSkew"), constraint.key("whenUnsatisfiable"), constraint.key("minDomains"));
        if skew.int().unwrap_or(0) <= 0 {
            causes.invalid(skew, "has to be more than 0");
        }
        require(constraint.key("topologyKey"), causes);
        causes.one_of(action, action.text(), ACTIONS);
        let own = kind(constraint);
        if constraints.items().skip(index + 1).any(|other| kind(other) == own) {
            let place = constraint.key("{topologyKey, whenUnsatisfiable}");
            causes.duplicate(place, "another constraint has the same `topologyKey` and `whenUnsatisfiable`");
        }
        if let Some(number) = least.int() {
            if number <= 0 {
                causes.invalid(least, "has to be more than 0");
            }
            if action.text() != "DoNotSchedule" {
                causes.invalid(least, "goes with `whenUnsatisfiable: DoNotSchedule` alone");
            }
        }
        for key in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            optional(constraint.key(key), &["Honor", "Ignore"], causes);
        }
        if pod.release >= (1, 34) {
            check_label_keys(pod, constraint, causes);
        } else {
            check_old_label_keys(constraint, causes);
        }
        check_label_selector(constraint.key("labelSelector"), causes);
    }
}

/// The rule of releases before 1.34, which add to no selector.
fn check_old_label_keys(constraint: Field<'_, '_>, causes: &mut Causes) {
    let (keys, selector) = (constraint.key("matchLabelKeys"), constraint.key("labelSelector"));
    if keys.count() > 0 && !selector.is_set() {
        causes.forbidden(keys, "there is no `labelSelector`");
    }
    for key in keys.items() {
        check(key, qualified_name, causes);
        let expressions = selector.key("matchExpressions");
        if selector.key("matchLabels").key(key.text()).is_set()
            || expressions.items().any(|requirement| requirement.key("key").text() == key.text())
        {
            causes.invalid(key, format!("`{}` is in `labelSelector` as well", key.text()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, pod_of};
    use super::{PREFERRED, REQUIRED};

    #[test]
    fn terms_of_nodes_and_pods() {
        let nodes = |term: &str| {
            format!("affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: [{term}]}}}}}}")
        };
        let pods = |term: &str| format!("affinity: {{podAffinity: {{{REQUIRED}: [{term}]}}}}");
        let term = format!("affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms");
        check_pods(&[
            ("", &nodes(""), &[&format!("Required {term}")]),
            (
                "",
                &nodes(
                    "{matchExpressions: [{key: a, operator: In}, {key: a, operator: Gt, values: [a, b]}]}",
                ),
                &[
                    &format!("Required {term}[0].matchExpressions[0].values"),
                    &format!("Required {term}[0].matchExpressions[1].values"),
                ],
            ),
            (
                "",
                &nodes("{matchFields: [{key: x, operator: Exists}]}"),
                &[
                    &format!("Invalid {term}[0].matchFields[0].operator"),
                    &format!("Invalid {term}[0].matchFields[0].key"),
                ],
            ),
            (
                "",
                &pods("{}"),
                &[
                    &format!("Required affinity.podAffinity.{REQUIRED}[0].topologyKey"),
                    &format!("Invalid affinity.podAffinity.{REQUIRED}[0].topologyKey"),
                ],
            ),
            (
                "",
                &pods("{topologyKey: z, namespaces: [A], matchLabelKeys: [a]}"),
                &[
                    &format!("Invalid affinity.podAffinity.{REQUIRED}[0].namespace"),
                    &format!("Forbidden affinity.podAffinity.{REQUIRED}[0].matchLabelKeys"),
                ],
            ),
            (
                "",
                &format!(
                    "affinity: {{nodeAffinity: {{{PREFERRED}: [{{weight: 101, preference: {{matchExpressions: [{{key: a, operator: In, values: ['a b']}}]}}}}]}}}}"
                ),
                &[&format!("Invalid affinity.nodeAffinity.{PREFERRED}[0].weight")],
            ),
        ]);
        let value = nodes("{matchExpressions: [{key: a, operator: In, values: ['a b']}]}");
        assert_eq!(pod_of((1, 34), "", &value).len(), 1);
        assert!(pod_of((1, 30), "", &value).is_empty());
    }

    #[test]
    fn constraints_of_spreading() {
        let of = |constraint: &str| format!("topologySpreadConstraints: [{constraint}]");
        let place = "topologySpreadConstraints[0]";
        check_pods(&[
            ("", &of("{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}"), &[]),
            (
                "",
                &of("{minDomains: 0}"),
                &[
                    &format!("Invalid {place}.maxSkew"),
                    &format!("Required {place}.topologyKey"),
                    &format!("Unsupported {place}.whenUnsatisfiable"),
                    &format!("Invalid {place}.minDomains"),
                    &format!("Invalid {place}.minDomains"),
                ],
            ),
            (
                "",
                &of(
                    "{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: z, whenUnsatisfiable: DoNotSchedule}",
                ),
                &[&format!("Duplicate {place}[\"{{topologyKey, whenUnsatisfiable}}\"]")],
            ),
        ]);
        let key = of(
            "{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [a], labelSelector: {matchLabels: {a: b}}}",
        );
        assert!(pod_of((1, 34), "", &key).is_empty(), "the Pod has no label `a` to add");
        assert_eq!(pod_of((1, 33), "", &key), [format!("Invalid {place}.matchLabelKeys[0]")]);
    }
}
