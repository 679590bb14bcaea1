//! Services. Which addresses and node ports a cluster has is its own affair, and so is whether it has two families of
//! addresses: nothing here speaks of that.

use super::addresses::check_endpoint;
use super::{PROTOCOLS, check_port_number, check_port_value};
use crate::kube::formats::{
    PORT, check, check_labels, check_port, check_text, dns_label, dns_subdomain, is_port, legacy_ip,
    legacy_network, qualified_name,
};
use crate::kube::{Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::{BTreeMap, BTreeSet};

const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const FAMILIES: &[&str] = &["IPv4", "IPv6"];
/// A day.
const LONGEST_AFFINITY: i64 = 86_400;

/// What a Service is, its type filled in.
#[derive(Copy, Clone)]
struct Shape<'n> {
    kind: &'n str,
    headless: bool,
}

impl Shape<'_> {
    fn has_node_ports(self) -> bool {
        matches!(self.kind, "NodePort" | "LoadBalancer")
    }
}

/// Checks a Service.
pub(super) fn service(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let kind = spec.key("type").text();
    let kind = if kind.is_empty() { "ClusterIP" } else { kind };
    causes.one_of(spec.key("type"), kind, &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    let (one, all) = (spec.key("clusterIP"), spec.key("clusterIPs"));
    // An address that stands alone stands for the list.
    let lone = all.count() == 0;
    let headless =
        if lone { one.text() == "None" } else { all.count() == 1 && all.index(0).text() == "None" };
    let shape = Shape { kind, headless };
    check_annotations(object, causes);
    if kind == "ExternalName" {
        check_external_name(spec, causes);
    } else {
        check_addresses(spec, causes);
    }
    if headless && shape.has_node_ports() {
        let fault = format!("a Service of type `{kind}` cannot be headless");
        causes.invalid(if lone { one } else { all.index(0) }, fault);
    }
    check_ports(spec.key("ports"), shape, causes);
    check_node_ports(spec, shape, causes);
    check_labels(spec.key("selector"), causes);
    check_affinity(spec, causes);
    for address in spec.key("externalIPs").items() {
        check_endpoint(address, causes);
    }
    check_load_balancer(object, kind, causes);
    check_traffic(spec, kind, release, causes);
}

fn check_annotations(object: Field<'_, '_>, causes: &mut Causes) {
    let metadata = object.key("metadata");
    let annotations = metadata.key("annotations");
    let (hints, mode) = (annotations.key(TOPOLOGY_HINTS), annotations.key(TOPOLOGY_MODE));
    if hints.is_set() && mode.is_set() && hints.text() != mode.text() {
        causes.invalid(mode, format!("differs from the annotation `{TOPOLOGY_HINTS}`"));
    }
}

fn check_external_name(spec: Field<'_, '_>, causes: &mut Causes) {
    for key in ["clusterIP", "clusterIPs"] {
        let field = spec.key(key);
        if field.count() > 0 || !field.text().is_empty() {
            let field = spec.alias("clusterIPs", &field);
            causes.forbidden(field, "a Service of type `ExternalName` has no address in the cluster");
        }
    }
    for key in ["ipFamilies", "ipFamilyPolicy"] {
        let field = spec.key(key);
        if field.is_set() && (key == "ipFamilyPolicy" || field.count() > 0) {
            causes.forbidden(field, "a Service of type `ExternalName` has no families of addresses");
        }
    }
    let name = spec.key("externalName");
    let text = name.text();
    // The name may end with the dot of the root.
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        causes.required(name, "a Service of type `ExternalName` needs the name that it stands for");
    } else {
        check_text(name, text, dns_subdomain, causes);
    }
}

fn check_addresses(spec: Field<'_, '_>, causes: &mut Causes) {
    let (one, all) = (spec.key("clusterIP"), spec.key("clusterIPs"));
    let families = spec.key("ipFamilies");
    if !one.text().is_empty() && all.count() > 0 && all.index(0).text() != one.text() {
        causes.invalid(all, format!("the first one differs from `clusterIP`, which is `{}`", one.text()));
    } else if one.text().is_empty() && all.count() > 0 {
        causes.invalid(all, "`clusterIP` has to name the first one");
    }
    let mut seen = BTreeSet::new();
    for family in families.items() {
        causes.one_of(family, family.text(), FAMILIES);
        if !seen.insert(family.text()) {
            causes.duplicate(family, format!("`{}` stands twice", family.text()));
        }
    }
    let policy = spec.key("ipFamilyPolicy");
    if policy.is_set() {
        let known = &["PreferDualStack", "RequireDualStack", "SingleStack"];
        causes.one_of(policy, policy.text(), known);
    }
    let before = causes.len();
    if all.count() == 0 {
        if !matches!(one.text(), "" | "None") {
            check(one, legacy_ip, causes);
        }
        if causes.len() == before {
            check_family(one, families.index(0), causes);
        }
        check_single_stack(policy, 0, families.count(), causes);
        return;
    }
    for (index, address) in all.items().enumerate() {
        if address.text() != "None" || index > 0 {
            check(address, legacy_ip, causes);
        } else if all.count() > 1 {
            causes.invalid(all, "`None` stands alone");
        }
    }
    if all.count() > 2 {
        causes.invalid(all, "a Service has at most two addresses");
    }
    if causes.len() > before {
        return;
    }
    for index in 0..all.count() {
        check_family(all.index(index), families.index(index), causes);
    }
    let of_six = all.items().filter(|address| address.text().contains(':')).count();
    if all.count() == 2 && of_six != 1 {
        causes.invalid(all, "two addresses are of two families");
    }
    check_single_stack(policy, all.count(), families.count(), causes);
}

fn check_family(address: Field<'_, '_>, family: Field<'_, '_>, causes: &mut Causes) {
    let of_six = address.text().contains(':');
    let told = matches!((family.text(), of_six), ("IPv4", true) | ("IPv6", false));
    if told && !matches!(address.text(), "" | "None") {
        causes.invalid(address, format!("`{}` is not of the family `{}`", address.text(), family.text()));
    }
}

/// Two of something need a policy that allows two; without one, a Service has one family.
fn check_single_stack(policy: Field<'_, '_>, addresses: usize, families: usize, causes: &mut Causes) {
    let headless_default = !policy.is_set() && addresses == 0;
    let single = policy.text() == "SingleStack" || !policy.is_set();
    if single && !headless_default && (addresses == 2 || families == 2) {
        causes.invalid(policy, "two families need the policy `PreferDualStack` or `RequireDualStack`");
    }
}

fn check_ports(ports: Field<'_, '_>, shape: Shape<'_>, causes: &mut Causes) {
    if ports.count() == 0 && !shape.headless && shape.kind != "ExternalName" {
        causes.required(ports, "a Service needs a port unless it is headless");
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for port in ports.items() {
        let name = port.key("name");
        if !name.text().is_empty() {
            check(name, dns_label, causes);
            if !names.insert(name.text()) {
                causes.duplicate(name, format!("`{}` names a port before this one", name.text()));
            }
        } else if ports.count() > 1 {
            causes.required(name, "where there are several ports, each has a name");
        }
        check_service_port(port, shape, causes);
        if !numbers.insert((protocol(port), port.key("port").int())) {
            causes.duplicate(port, "this port and protocol stand before");
        }
    }
}

fn protocol<'n>(port: Field<'_, 'n>) -> &'n str {
    let protocol = port.key("protocol").text();
    if protocol.is_empty() { "TCP" } else { protocol }
}

fn check_service_port(port: Field<'_, '_>, shape: Shape<'_>, causes: &mut Causes) {
    check_port_number(port.key("port"), causes);
    causes.one_of(port.key("protocol"), protocol(port), PROTOCOLS);
    let target = port.key("targetPort");
    // Neither 0 nor an empty name is a target: it is the port itself then.
    if target.int().map_or_else(|| !target.text().is_empty(), |number| number != 0) {
        check_port(target, causes);
    } else {
        check_port_value(target, port.key("port").int().unwrap_or(0), causes);
    }
    if port.key("appProtocol").is_set() {
        check(port.key("appProtocol"), qualified_name, causes);
    }
    let node_port = port.key("nodePort");
    if shape.kind == "ClusterIP" && node_port.int().unwrap_or(0) != 0 {
        causes.forbidden(node_port, "a Service of type `ClusterIP` has no ports on nodes");
    }
}

/// Ports on nodes, as a server gives them: once each, except to ports of the same number, which share one over several
/// protocols. A negative one is no wish where it is the first of its number.
fn check_node_ports(spec: Field<'_, '_>, shape: Shape<'_>, causes: &mut Causes) {
    let ports = spec.key("ports");
    let without = spec.key("allocateLoadBalancerNodePorts").truth() == Some(false);
    let (mut of_number, mut taken, mut given) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.items().enumerate() {
        let (number, field) = (port.key("port").int(), port.key("nodePort"));
        let mut node_port = field.int().unwrap_or(0);
        if shape.has_node_ports() && (node_port != 0 || !(shape.kind == "LoadBalancer" && without)) {
            let known = of_number.get(&number).copied();
            let wished = |other: &Field<'_, '_>| other.key("port").int() == number;
            let wish = known.is_none().then(|| {
                let mut wishes = ports.items().filter(wished).filter_map(|other| other.key("nodePort").int());
                wishes.find(|wish| *wish > 0)
            });
            let wanted = match (wish, known) {
                (Some(Some(wish)), _) => Some(wish),
                (_, Some(known)) if node_port != 0 && node_port != known => Some(node_port),
                _ => None,
            };
            if let Some(wanted) = wanted.filter(|wanted| !is_port(*wanted)) {
                causes.invalid(field, format!("`{wanted}` {PORT}"));
                return;
            }
            if let Some(wanted) = wanted.filter(|wanted| !taken.insert(*wanted)) {
                causes.invalid(field, format!("the port {wanted} on nodes is given to another port before"));
                return;
            }
            // One that nobody wishes for is told apart by where it stands.
            let made = -1 - i64::try_from(index).unwrap_or(0);
            let shared = *of_number.entry(number).or_insert(wanted.unwrap_or(made));
            node_port = wanted.unwrap_or(shared);
        }
        if node_port != 0 && !given.insert((protocol(port), node_port)) {
            causes.duplicate(field, "the port on nodes is given to a port of this protocol before");
        }
    }
}

fn check_affinity(spec: Field<'_, '_>, causes: &mut Causes) {
    let affinity = spec.key("sessionAffinity");
    match affinity.text() {
        "" | "None" => {}
        "ClientIP" => {
            let config = spec.key("sessionAffinityConfig");
            let client = config.key("clientIP");
            let timeout = client.key("timeoutSeconds");
            if timeout.int().is_some_and(|seconds| !(1..=LONGEST_AFFINITY).contains(&seconds)) {
                causes.invalid(timeout, format!("a timeout is 1 to {LONGEST_AFFINITY} seconds"));
            }
        }
        other => causes.unsupported(affinity, other, &["ClientIP", "None"]),
    }
}

fn check_load_balancer(object: Field<'_, '_>, kind: &str, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let balancer = kind == "LoadBalancer";
    let (written, annotations) = (spec.key("loadBalancerSourceRanges"), metadata.key("annotations"));
    let ranges = spec.alias("LoadBalancerSourceRanges", &written);
    let annotation = annotations.key(SOURCE_RANGES);
    if ranges.count() > 0 {
        if !balancer {
            causes.forbidden(ranges, "only a Service of type `LoadBalancer` has source ranges");
        }
        for range in ranges.items() {
            check_text(range, range.text().trim(), legacy_network, causes);
        }
    } else if annotation.is_set() {
        if !balancer {
            causes.forbidden(annotation, "only a Service of type `LoadBalancer` has source ranges");
        }
        if !annotation.text().trim().is_empty() {
            for range in annotation.text().split(',') {
                check_text(annotation, range.trim(), legacy_network, causes);
            }
        }
    }
    if !balancer {
        for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
            if spec.key(key).is_set() {
                causes.forbidden(spec.key(key), "only a Service of type `LoadBalancer` has it");
            }
        }
    } else if spec.key("loadBalancerClass").is_set() {
        check(spec.key("loadBalancerClass"), qualified_name, causes);
    }
}

fn check_traffic(spec: Field<'_, '_>, kind: &str, release: Minor, causes: &mut Causes) {
    let external = spec.key("externalTrafficPolicy");
    let reachable = matches!(kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && spec.key("externalIPs").count() > 0);
    if !external.text().is_empty() {
        if reachable {
            causes.one_of(external, external.text(), &["Cluster", "Local"]);
        } else {
            causes.invalid(external, "nothing outside the cluster reaches this Service");
        }
    }
    let health = spec.key("healthCheckNodePort");
    let port = health.int().unwrap_or(0);
    if port != 0 {
        if kind != "LoadBalancer" || external.text() != "Local" {
            let fault = "only a `LoadBalancer` with the traffic policy `Local` is asked for its health";
            causes.invalid(health, fault);
        } else {
            check_port_number(health, causes);
        }
    }
    let internal = spec.key("internalTrafficPolicy");
    if internal.is_set() {
        causes.one_of(internal, internal.text(), &["Cluster", "Local"]);
    }
    let distribution = spec.key("trafficDistribution");
    if distribution.is_set() {
        // The two other values are behind a gate that is open since 1.34.
        let known: &[&str] = match release {
            (1, ..=33) => &["PreferClose"],
            _ => &["PreferClose", "PreferSameZone", "PreferSameNode"],
        };
        causes.one_of(distribution, distribution.text(), known);
    }
}
