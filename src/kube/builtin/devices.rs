//! Devices that are allocated dynamically: their classes, the claims for them, and the slices that offer them.

use super::affinity::{Values, check_node_selector};
use super::claims::check_template_metadata;
use super::persistent::check_driver_name;
use super::quotas::is_extended;
use super::require;
use crate::expr::Rule;
use crate::kube::custom::compile::told;
use crate::kube::formats::{
    Rule as TextRule, c_identifier, check, check_text, dns_label, dns_subdomain, label_value, qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use std::collections::{BTreeMap, BTreeSet};

const MOST_REQUESTS: usize = 32;
const MOST_ALTERNATIVES: usize = 8;
const MOST_DEVICES: usize = 128;
const MOST_PROPERTIES: usize = 32;
const MOST_TAINTS: usize = 4;
const LONGEST_TEXT: usize = 10 * 1024;
const LONGEST_VALUE: usize = 64;
const LONGEST_DOMAIN: usize = 63;
const LONGEST_ID: usize = 32;

/// Names of requests, each with those of its alternatives.
type Requests<'n> = BTreeMap<&'n str, BTreeSet<&'n str>>;

/// Whether a list has at most `most` items; a cause where it has more.
fn within(list: Field<'_, '_>, most: usize, causes: &mut Causes) {
    if list.count() > most {
        causes.at(list, CauseKind::TooMany, format!("{} items, {most} are allowed", list.count()));
    }
}

/// Names that are not to stand twice.
fn check_unique<'n>(
    fields: impl Iterator<Item = (&'n str, usize)>,
    list: Field<'_, 'n>,
    key: &str,
    causes: &mut Causes,
) {
    let mut seen = BTreeSet::new();
    for (name, index) in fields {
        if !seen.insert(name) {
            let item = list.index(index);
            let field = if key.is_empty() { item } else { item.key(key) };
            causes.duplicate(field, format!("`{name}` stands before"));
        }
    }
}

fn check_names(list: Field<'_, '_>, key: &str, causes: &mut Causes) {
    let names = list
        .items()
        .enumerate()
        .map(|(index, item)| (if key.is_empty() { item.text() } else { item.key(key).text() }, index));
    check_unique(names, list, key, causes);
}

/// `DeviceClass`.
pub(super) fn class(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_selectors(spec.key("selectors"), causes);
    within(spec.key("config"), MOST_REQUESTS, causes);
    for config in spec.key("config").items() {
        check_configuration(config, causes);
    }
    let name = spec.key("extendedResourceName");
    if name.is_set() && !is_extended(name.text()) {
        causes.invalid(name, format!("`{}` is no name of a resource that devices bring", name.text()));
    }
}

/// `ResourceClaim`.
pub(super) fn claim(object: Field<'_, '_>, causes: &mut Causes) {
    check_claim(object.key("spec"), causes);
}

/// `ResourceClaimTemplate`.
pub(super) fn template(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_template_metadata(spec.key("metadata"), causes);
    check_claim(spec.key("spec"), causes);
}

fn check_claim(spec: Field<'_, '_>, causes: &mut Causes) {
    let devices = spec.key("devices");
    let requests = devices.key("requests");
    let mut names = Requests::new();
    within(requests, MOST_REQUESTS, causes);
    for request in requests.items() {
        let alternatives = request.key("firstAvailable");
        names.insert(
            request.key("name").text(),
            alternatives.items().map(|alternative| alternative.key("name").text()).collect(),
        );
        check_request(request, causes);
    }
    check_names(requests, "name", causes);
    let constraints = devices.key("constraints");
    within(constraints, MOST_REQUESTS, causes);
    for constraint in constraints.items() {
        check_references(constraint.key("requests"), &names, causes);
        let attribute = constraint.key("matchAttribute");
        if attribute.is_set() {
            check_full_name(attribute, causes);
        } else if !constraint.key("distinctAttribute").is_set() {
            causes.required(attribute, "has to be set");
        }
    }
    let configs = devices.key("config");
    within(configs, MOST_REQUESTS, causes);
    for config in configs.items() {
        check_references(config.key("requests"), &names, causes);
        check_configuration(config, causes);
    }
}

fn check_request(request: Field<'_, '_>, causes: &mut Causes) {
    check(request.key("name"), dns_label, causes);
    let (exactly, alternatives) = (request.key("exactly"), request.key("firstAvailable"));
    within(alternatives, MOST_ALTERNATIVES, causes);
    for alternative in alternatives.items() {
        check(alternative.key("name"), dns_label, causes);
        check_wanted(alternative, causes);
    }
    check_names(alternatives, "name", causes);
    if exactly.is_set() {
        check_wanted(exactly, causes);
    }
    match (exactly.is_set(), alternatives.count() > 0) {
        (false, false) => causes.required(request, "`exactly` or `firstAvailable` is needed"),
        (true, true) => causes.invalid(request, "`exactly` and `firstAvailable` exclude each other"),
        _ => {}
    }
}

fn check_wanted(wanted: Field<'_, '_>, causes: &mut Causes) {
    if require(wanted.key("deviceClassName"), causes) {
        check(wanted.key("deviceClassName"), dns_subdomain, causes);
    }
    check_selectors(wanted.key("selectors"), causes);
    let (mode, count) = (wanted.key("allocationMode"), wanted.key("count"));
    let number = count.int().unwrap_or(0);
    match mode.text() {
        // A missing count is 1.
        "" | "ExactCount" if number < 0 => causes.invalid(count, "has to be more than 0"),
        "" | "ExactCount" => {}
        "All" if number != 0 => causes.invalid(count, "all devices are wanted"),
        "All" => {}
        other => causes.unsupported(mode, other, &["All", "ExactCount"]),
    }
    for toleration in wanted.key("tolerations").items() {
        check_toleration(toleration, causes);
    }
}

fn check_toleration(toleration: Field<'_, '_>, causes: &mut Causes) {
    let (key, operator, value, effect) = (
        toleration.key("key"),
        toleration.key("operator"),
        toleration.key("value"),
        toleration.key("effect"),
    );
    if !key.text().is_empty() {
        check(key, qualified_name, causes);
    }
    match operator.text() {
        // A missing operator is `Equal`.
        "" | "Equal" => check(value, label_value, causes),
        "Exists" if !value.text().is_empty() => causes.invalid(value, "`Exists` takes no value"),
        "Exists" => {}
        other => causes.unsupported(operator, other, &["Equal", "Exists"]),
    }
    if !effect.text().is_empty() {
        causes.one_of(effect, effect.text(), &["NoExecute", "NoSchedule"]);
    }
}

/// Selectors in CEL: their grammar alone is looked at, the data of devices has types of its own.
fn check_selectors(selectors: Field<'_, '_>, causes: &mut Causes) {
    within(selectors, MOST_REQUESTS, causes);
    for selector in selectors.items() {
        let cel = selector.key("cel");
        if !cel.is_set() {
            causes.required(cel, "a selector is an expression");
            continue;
        }
        let expression = cel.key("expression");
        if expression.text().len() > LONGEST_TEXT {
            causes.at(expression, CauseKind::TooLong, format!("more than {LONGEST_TEXT} characters"));
        } else if let Err(fault) = Rule::parse(expression.text()) {
            causes.push(told(expression, expression.text(), fault));
        }
    }
}

fn check_references(list: Field<'_, '_>, names: &Requests<'_>, causes: &mut Causes) {
    within(list, MOST_REQUESTS, causes);
    for reference in list.items() {
        let text = reference.text();
        let (request, alternative) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        if alternative.is_none_or(|alternative| !alternative.contains('/')) {
            for part in [Some(request), alternative].into_iter().flatten() {
                check_text(reference, part, dns_label, causes);
            }
        }
        let known = names
            .get(request)
            .is_some_and(|parts| alternative.is_none_or(|alternative| parts.contains(alternative)));
        if !known {
            causes.invalid(reference, format!("the claim has no request `{text}`"));
        }
    }
    check_names(list, "", causes);
}

fn check_configuration(config: Field<'_, '_>, causes: &mut Causes) {
    let opaque = config.key("opaque");
    if !opaque.is_set() {
        causes.required(opaque, "has to be set");
        return;
    }
    check_driver_name(opaque.key("driver"), causes);
    let parameters = opaque.key("parameters");
    if !parameters.is_set() {
        causes.required(parameters, "has to be set");
    } else if parameters.node().is_some_and(|node| node.as_map().is_none()) {
        causes.invalid(parameters, "is a map");
    }
}

/// `domain/name`.
fn check_full_name(field: Field<'_, '_>, causes: &mut Causes) {
    if !require(field, causes) {
        return;
    }
    if field.text().contains('/') {
        check_name(field, field.text(), causes);
    } else {
        causes.invalid(field, format!("`{}` has no domain", field.text()));
    }
}

/// A name of a property, with or without a domain.
fn check_name(field: Field<'_, '_>, text: &str, causes: &mut Causes) {
    let (domain, id) = text.split_once('/').map_or((None, text), |(domain, id)| (Some(domain), id));
    // A server does not look at what has more parts.
    if id.contains('/') {
        return;
    }
    if let Some(domain) = domain {
        check_part(field, domain, (dns_subdomain, LONGEST_DOMAIN), causes);
    }
    check_part(field, id, (c_identifier, LONGEST_ID), causes);
}

fn check_part(field: Field<'_, '_>, part: &str, (rule, most): (TextRule, usize), causes: &mut Causes) {
    if part.is_empty() {
        causes.required(field, "has an empty part");
    } else if part.len() > most {
        causes.at(field, CauseKind::TooLong, format!("`{part}` has more than {most} characters"));
    } else {
        check_text(field, part, rule, causes);
    }
}

/// `ResourceSlice`.
pub(super) fn slice(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    check_driver_name(spec.key("driver"), causes);
    let pool = spec.key("pool");
    if require(pool.key("name"), causes) {
        for part in pool.key("name").text().split('/') {
            check_text(pool.key("name"), part, dns_subdomain, causes);
        }
    }
    if pool.key("resourceSliceCount").int().unwrap_or(0) < 1 {
        causes.invalid(pool.key("resourceSliceCount"), "has to be more than 0");
    }
    crate::kube::formats::check_not_negative(pool.key("generation"), causes);
    check_nodes(spec, causes);
    let devices = spec.key("devices");
    within(devices, MOST_DEVICES, causes);
    for device in devices.items() {
        check_device(device, causes);
    }
    check_names(devices, "name", causes);
}

/// The nodes that reach the devices: told in one way.
fn check_nodes(spec: Field<'_, '_>, causes: &mut Causes) {
    let (node, selector) = (spec.key("nodeName"), spec.key("nodeSelector"));
    let mut ways = 0;
    if node.is_set() {
        if node.text().is_empty() {
            causes.invalid(node, "is empty");
        } else {
            ways += 1;
            check(node, dns_subdomain, causes);
        }
    }
    if selector.is_set() {
        ways += 1;
        check_node_selector(selector, Values::Labels, causes);
        if selector.key("nodeSelectorTerms").count() != 1 {
            causes.invalid(selector.key("nodeSelectorTerms"), "one term is needed");
        }
    }
    for key in ["allNodes", "perDeviceNodeSelection"] {
        match spec.key(key).truth() {
            Some(true) => ways += 1,
            Some(false) => causes.invalid(spec.key(key), "is `true` or not there"),
            None => {}
        }
    }
    match ways {
        0 => causes
            .required(spec, "`nodeName`, `nodeSelector`, `allNodes` or `perDeviceNodeSelection` is needed"),
        1 => {}
        _ => causes.invalid(spec, "nodes are told in more than one way"),
    }
}

fn check_device(device: Field<'_, '_>, causes: &mut Causes) {
    check(device.key("name"), dns_label, causes);
    let (attributes, capacity) = (device.key("attributes"), device.key("capacity"));
    if attributes.count() + capacity.count() > MOST_PROPERTIES {
        causes.invalid(device, format!("more than {MOST_PROPERTIES} attributes and capacities"));
    }
    for (name, attribute) in attributes.members() {
        check_name(attribute, name, causes);
        let mut values = attribute.members().filter(|(_, value)| value.is_set());
        match (values.next(), values.next()) {
            (None, _) => causes.required(attribute, "an attribute has a value"),
            (Some(_), Some(_)) => causes.invalid(attribute, "an attribute has one value"),
            (Some((key, value)), None) => {
                if value.text().len() > LONGEST_VALUE {
                    causes.at(value, CauseKind::TooLong, format!("more than {LONGEST_VALUE} characters"));
                }
                if key == "version" && crate::expr::semver::Semver::parse(value.text()).is_none() {
                    causes.invalid(value, format!("`{}` is no semantic version", value.text()));
                }
            }
        }
    }
    for (name, amount) in capacity.members() {
        check_name(amount, name, causes);
    }
    let taints = device.key("taints");
    within(taints, MOST_TAINTS, causes);
}
