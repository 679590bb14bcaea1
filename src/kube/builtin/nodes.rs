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
    let (networks, lone) = (spec.key("podCIDRs"), spec.key("podCIDR"));
    // The one of old takes the place of a list that does not begin with it.
    if !lone.text().is_empty() && networks.index(0).text() != lone.text() {
        check(lone, legacy_network, causes);
        return;
    }
    let before = causes.len();
    for network in networks.items() {
        check(network, legacy_network, causes);
    }
    let of_six = |network: &Field<'_, '_>| {
        lenient_network(network.text()).is_some_and(|(address, _)| address.is_ipv6())
    };
    if networks.count() > 1
        && causes.len() == before
        && (networks.count() > 2 || networks.items().filter(of_six).count() != 1)
    {
        causes.invalid(networks, "two networks are of two families");
    }
}
