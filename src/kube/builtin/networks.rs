//! `NetworkPolicies` and the networks of Services.

use super::addresses::holds;
use super::check_port_number;
use crate::kube::formats::{
    check, check_label_selector, is_port, legacy_network, lenient_network, port_name,
};
use crate::kube::{Causes, Field};

/// `NetworkPolicy`.
pub(super) fn policy(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_label_selector(spec.key("podSelector"), causes);
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.key(rules).items() {
            for port in rule.key("ports").items() {
                check_rule_port(port, causes);
            }
            for peer in rule.key(peers).items() {
                check_peer(peer, causes);
            }
        }
    }
    let types = spec.key("policyTypes");
    if types.count() > 2 {
        causes.invalid(types, "there are no more than two types");
        return;
    }
    for kind in types.items() {
        causes.one_of(kind, kind.text(), &["Ingress", "Egress"]);
    }
}

fn check_rule_port(rule: Field<'_, '_>, causes: &mut Causes) {
    let (protocol, port, end) = (rule.key("protocol"), rule.key("port"), rule.key("endPort"));
    if protocol.is_set() {
        causes.one_of(protocol, protocol.text(), super::PROTOCOLS);
    }
    if !port.is_set() {
        if end.is_set() {
            causes.invalid(end, "a range of ports needs the first one in `port`");
        }
        return;
    }
    let Some(first) = port.int() else {
        if end.is_set() {
            causes.invalid(end, "a range of ports begins with a number, not with a name");
        }
        check(port, port_name, causes);
        return;
    };
    check_port_number(port, causes);
    if let Some(last) = end.int() {
        if last < first {
            causes.invalid(end, format!("{last} is below the first port, {first}"));
        }
        if !is_port(last) {
            check_port_number(end, causes);
        }
    }
}

fn check_peer(peer: Field<'_, '_>, causes: &mut Causes) {
    let (pods, namespaces, block) =
        (peer.key("podSelector"), peer.key("namespaceSelector"), peer.key("ipBlock"));
    check_label_selector(pods, causes);
    check_label_selector(namespaces, causes);
    let selects = pods.is_set() || namespaces.is_set();
    if block.is_set() {
        check_block(block, causes);
        if selects {
            causes.forbidden(peer, "`ipBlock` stands alone");
        }
    } else if !selects {
        causes.required(peer, "a peer needs `podSelector`, `namespaceSelector` or `ipBlock`");
    }
}

fn check_block(block: Field<'_, '_>, causes: &mut Causes) {
    let whole = block.key("cidr");
    if !super::require(whole, causes) {
        return;
    }
    check(whole, legacy_network, causes);
    let Some(network) = lenient_network(whole.text()) else { return };
    for except in block.key("except").items() {
        check(except, legacy_network, causes);
        if lenient_network(except.text()).is_some_and(|part| !holds(network, part)) {
            let fault = format!("`{}` is no smaller part of `{}`", except.text(), whole.text());
            causes.invalid(except, fault);
        }
    }
}

/// `ServiceCIDR`.
pub(super) fn service_networks(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    let networks = spec.key("cidrs");
    match networks.count() {
        0 => causes.required(networks, "at least one network is needed"),
        1 | 2 => {
            for network in networks.items() {
                check(network, super::addresses::canonical_network, causes);
            }
            let family =
                |index| lenient_network(networks.index(index).text()).map(|network| network.0.is_ipv4());
            if networks.count() == 2 && family(0).is_some() && family(0) == family(1) {
                causes.invalid(networks, "two networks are of two families");
            }
        }
        _ => causes.invalid(networks, "there are no more than two networks"),
    }
}
