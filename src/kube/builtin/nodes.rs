//! Namespaces and Nodes.

use super::quotas::check_amount;
use crate::kube::formats::{check, check_text, label_value, legacy_network, lenient_network, qualified_name};
use crate::kube::{Causes, Field};
use std::collections::BTreeSet;

/// `Namespace`.
pub(super) fn namespace(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let finalizers = spec.key("finalizers");
    for finalizer in finalizers.items() {
        let text = finalizer.text();
        check_text(finalizers, text, qualified_name, causes);
        if !text.contains('/') && !matches!(text, "kubernetes" | "orphan" | "foregroundDeletion") {
            causes.invalid(
                finalizers,
                format!("`{text}` is no finalizer of Kubernetes, and has no domain before it"),
            );
        }
    }
}

/// `Node`.
pub(super) fn node(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, status) = (object.key("spec"), object.key("status"));
    let mut seen = BTreeSet::new();
    for taint in spec.key("taints").items() {
        let (key, value, effect) = (taint.key("key"), taint.key("value"), taint.key("effect"));
        check(key, qualified_name, causes);
        check(value, label_value, causes);
        if super::require(effect, causes) {
            causes.one_of(effect, effect.text(), &["NoExecute", "NoSchedule", "PreferNoSchedule"]);
        }
        if !seen.insert((effect.text(), key.text())) {
            causes.duplicate(taint, "this key and effect stand before");
        }
    }
    for key in ["capacity", "allocatable"] {
        for (name, amount) in status.key(key).members() {
            check_amount(amount, name, causes);
        }
    }
    // The one of old stands for the list where that is missing.
    let (networks, lone) = (spec.key("podCIDRs"), spec.key("podCIDR"));
    if networks.count() == 0 && !lone.text().is_empty() {
        check(lone, legacy_network, causes);
    }
    let before = causes.len();
    for network in networks.items() {
        check(network, legacy_network, causes);
    }
    let of_six = |network: Field<'_, '_>| {
        lenient_network(network.text()).is_some_and(|(address, _)| address.is_ipv6())
    };
    if networks.count() > 1 && causes.len() == before {
        let six = networks.items().filter(|network| of_six(*network)).count();
        if networks.count() > 2 || six != 1 {
            causes.invalid(networks, "two networks are of two families");
        }
    }
}
