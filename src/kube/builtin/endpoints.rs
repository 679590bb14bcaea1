//! Endpoints and `EndpointSlices`.

use super::addresses::check_endpoint;
use super::{PROTOCOLS, check_port_number};
use crate::kube::formats::{
    canonical_ip, check, check_text, dns_label, dns_subdomain, label_value, legacy_ip, lenient_ip,
    qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::BTreeSet;

const MOST_ENDPOINTS: usize = 1000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 20_000;
const MOST_HINTS: usize = 8;

/// `Endpoints`.
pub(super) fn endpoints(object: Field<'_, '_>, causes: &mut Causes) {
    for subset in object.key("subsets").items() {
        let (ready, waiting) = (subset.key("addresses"), subset.key("notReadyAddresses"));
        if ready.count() + waiting.count() == 0 {
            causes.required(subset, "`addresses` or `notReadyAddresses` is needed");
        }
        for address in ready.items().chain(waiting.items()) {
            check_endpoint(address.key("ip"), causes);
            if !address.key("hostname").text().is_empty() {
                check(address.key("hostname"), dns_label, causes);
            }
            check_node_name(address.key("nodeName"), causes);
        }
        let ports = subset.key("ports");
        for port in ports.items() {
            let name = port.key("name");
            if !name.text().is_empty() {
                check(name, dns_label, causes);
            } else if ports.count() > 1 {
                causes.required(name, "where there are several ports, each has a name");
            }
            check_port_number(port.key("port"), causes);
            if !port.key("protocol").text().is_empty() {
                causes.one_of(port.key("protocol"), port.key("protocol").text(), PROTOCOLS);
            }
            if port.key("appProtocol").is_set() {
                check(port.key("appProtocol"), qualified_name, causes);
            }
        }
    }
}

fn check_node_name(name: Field<'_, '_>, causes: &mut Causes) {
    if name.is_set() {
        check(name, dns_subdomain, causes);
    }
}

/// `EndpointSlice`.
pub(super) fn slice(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let family = object.key("addressType");
    if family.text().is_empty() {
        causes.required(family, "the kind of addresses has to be told");
    } else {
        causes.one_of(family, family.text(), &["FQDN", "IPv4", "IPv6"]);
    }
    check_slice_ports(object.key("ports"), causes);
    let endpoints = object.key("endpoints");
    if within(endpoints, MOST_ENDPOINTS, causes) {
        for endpoint in endpoints.items() {
            check_slice_endpoint(endpoint, family.text(), release, causes);
        }
    }
}

/// Whether a list has at most `most` items; a cause where it has more.
fn within(list: Field<'_, '_>, most: usize, causes: &mut Causes) -> bool {
    let fits = list.count() <= most;
    if !fits {
        causes.at(list, CauseKind::TooMany, format!("{} items, {most} are allowed", list.count()));
    }
    fits
}

fn check_slice_ports(ports: Field<'_, '_>, causes: &mut Causes) {
    if !within(ports, MOST_PORTS, causes) {
        return;
    }
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let (name, protocol) = (port.key("name"), port.key("protocol"));
        if !name.text().is_empty() {
            check(name, dns_label, causes);
        }
        if !names.insert(name.text()) {
            causes.duplicate(name, format!("`{}` names a port before this one", name.text()));
        }
        if protocol.is_set() {
            causes.one_of(protocol, protocol.text(), PROTOCOLS);
        }
        if port.key("appProtocol").is_set() {
            check(port.key("appProtocol"), qualified_name, causes);
        }
    }
}

fn check_slice_endpoint(endpoint: Field<'_, '_>, family: &str, release: Minor, causes: &mut Causes) {
    let addresses = endpoint.key("addresses");
    if addresses.count() == 0 {
        causes.required(addresses, "an endpoint needs an address");
    }
    within(addresses, MOST_ADDRESSES, causes);
    for address in addresses.items() {
        match family {
            "IPv4" | "IPv6" => {
                // Since 1.33, an IPv6 address has to be in its canonical form.
                let rule = if family == "IPv6" && release >= (1, 33) { canonical_ip } else { legacy_ip };
                let before = causes.len();
                check(address, rule, causes);
                if causes.len() > before {
                    continue;
                }
                let of_four =
                    lenient_ip(address.text()).is_some_and(|address| address.to_canonical().is_ipv4());
                if of_four != (family == "IPv4") {
                    causes.invalid(addresses, format!("`{}` is no {family} address", address.text()));
                }
                check_endpoint(address, causes);
            }
            "FQDN" => check_domain(address, causes),
            _ => {}
        }
    }
    check_node_name(endpoint.key("nodeName"), causes);
    // `deprecatedTopology` is emptied before it is looked at.
    if endpoint.key("hostname").is_set() {
        check(endpoint.key("hostname"), dns_label, causes);
    }
    let hints = endpoint.key("hints");
    if check_hints(hints.key("forZones"), label_value, causes) {
        check_hints(hints.key("forNodes"), dns_subdomain, causes);
    }
}

/// A domain of two labels or more, with or without the dot of the root.
fn check_domain(field: Field<'_, '_>, causes: &mut Causes) {
    let text = field.text();
    if text.is_empty() {
        causes.required(field, "an address is not empty");
        return;
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    let before = causes.len();
    check_text(field, text, dns_subdomain, causes);
    if causes.len() > before {
    } else if !text.contains('.') {
        causes.invalid(field, format!("`{text}` has fewer than two labels"));
    } else if let Some(label) = text.split('.').find(|label| dns_label(label).is_err()) {
        check_text(field, label, dns_label, causes);
    }
}

fn check_hints(hints: Field<'_, '_>, rule: crate::kube::formats::Rule, causes: &mut Causes) -> bool {
    if !within(hints, MOST_HINTS, causes) {
        return false;
    }
    let mut seen = BTreeSet::new();
    for hint in hints.items() {
        let name = hint.key("name");
        if !seen.insert(name.text()) {
            causes.duplicate(name, format!("`{}` stands twice", name.text()));
        }
        check(name, rule, causes);
    }
    true
}
