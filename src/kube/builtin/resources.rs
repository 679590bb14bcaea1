//! What containers and Pods ask for: names, amounts, requests within limits, claims.

use super::annotations::CONTAINERS;
use super::pods::{Place, Pod, Whole};
use super::quotas::{check_amount, check_of_container, check_resource_name, is_native};
use crate::kube::formats::{Quantity, check, dns_label, quantity};
use crate::kube::{CauseKind, Causes, Field};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Amounts are held in thousandths: what a server rounds them to.
type Amounts<'n> = BTreeMap<&'n str, i128>;

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether more of it may be promised than there is.
fn is_overcommitted(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn thousandths(field: Field<'_, '_>) -> Option<i128> {
    quantity(field).map(Quantity::milli)
}

/// An amount of a resource in a list of a container.
pub(super) fn check_list(amount: Field<'_, '_>, name: &str, causes: &mut Causes) {
    check_resource_name(amount, name, causes);
    check_of_container(amount, name, causes);
    check_amount(amount, name, causes);
    check_pages(amount, name, causes);
}

/// Huge pages come in whole numbers.
fn check_pages(amount: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let whole = |value: Quantity| (value.milli() + 999).div_euclid(1000);
    let size = Quantity::parse(size).filter(|size| size.signum() > 0 && size.milli() % 1000 == 0);
    let fits = match (size, quantity(amount)) {
        (Some(size), Some(amount)) => whole(amount) % whole(size) == 0,
        (None, _) => false,
        (_, None) => true,
    };
    if !fits {
        causes.invalid(amount, format!("is no whole number of pages of `{name}`"));
    }
}

/// `resources` of a container.
pub(super) fn check_requirements(whole: &Whole<'_, '_>, resources: Field<'_, '_>, causes: &mut Causes) {
    for list in ["limits", "requests"] {
        resources.key(list).members().for_each(|(name, amount)| check_list(amount, name, causes));
    }
    check_bounds(resources, causes);
    check_claims(whole, resources.key("claims"), causes);
}

/// Requests are within limits.
fn check_bounds(resources: Field<'_, '_>, causes: &mut Causes) {
    let (limits, requests) = (resources.key("limits"), resources.key("requests"));
    for (name, request) in requests.members() {
        let limit = limits.key(name);
        if !limit.is_set() {
            if !is_overcommitted(name) {
                causes.required(limits, format!("`{name}` needs a limit, the same as its request"));
            }
            continue;
        }
        let (Some(asked), Some(most)) = (thousandths(request), thousandths(limit)) else { continue };
        match asked.cmp(&most) {
            Ordering::Equal => {}
            _ if !is_overcommitted(name) => {
                causes.invalid(requests, format!("the request of `{name}` is not its limit"));
            }
            Ordering::Greater => {
                causes.invalid(requests, format!("the request of `{name}` is above its limit"));
            }
            Ordering::Less => {}
        }
    }
    let any = |rule: fn(&str) -> bool| {
        [limits, requests].iter().any(|list| list.members().any(|(name, _)| rule(name)))
    };
    if any(is_huge_page) && !any(|name| matches!(name, "cpu" | "memory")) {
        causes.forbidden(resources, "huge pages need `cpu` or `memory` beside them");
    }
}

fn check_claims(whole: &Whole<'_, '_>, claims: Field<'_, '_>, causes: &mut Causes) {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for claim in claims.items() {
        let (name, request) = (claim.key("name").text(), claim.key("request").text());
        if name.is_empty() {
            causes.required(claim, "a claim has a name");
            continue;
        }
        let taken = match request {
            "" => seen.iter().any(|(before, _)| *before == name),
            _ => seen.contains(&(name, "")) || seen.contains(&(name, request)),
        };
        if taken {
            causes.duplicate(claim, format!("`{name}` stands before"));
        } else if !request.is_empty() {
            check(claim.key("request"), dns_label, causes);
        }
        seen.insert((name, request));
        if !whole.claims.contains(name) {
            let fact = format!("the Pod has no claim `{name}` in its `resourceClaims`");
            causes.at(claim, CauseKind::NotFound, fact);
        }
    }
}

/// `resources` of a whole Pod.
pub(super) fn check_whole(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let resources = pod.spec.key("resources");
    if !resources.is_set() || pod.release < (1, 34) {
        return;
    }
    if pod.system() == "windows" {
        causes.forbidden(resources, "a Pod of Windows has none");
        return;
    }
    if resources.key("claims").is_set() {
        causes.forbidden(resources.key("claims"), "claims are those of containers");
    }
    for list in ["limits", "requests"] {
        for (name, amount) in resources.key(list).members() {
            let before = causes.len();
            check_resource_name(amount, name, causes);
            if causes.len() == before && !is_of_pods(name) {
                causes.unsupported(amount, name, &["cpu", "hugepages-", "memory"]);
            }
            check_amount(amount, name, causes);
            check_pages(amount, name, causes);
        }
    }
    check_bounds(resources, causes);
    check_sums(pod, resources, causes);
}

fn is_of_pods(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_page(name)
}

/// What the containers ask for together is within what the Pod has.
fn check_sums(pod: &Pod<'_, '_>, resources: Field<'_, '_>, causes: &mut Causes) {
    let (limits, requests) = (resources.key("limits"), resources.key("requests"));
    let asked = sum(pod, "requests");
    for (name, sum) in &asked {
        let request = requests.key(name);
        if let Some(own) = thousandths(request) {
            if *sum > own {
                causes.invalid(request, format!("the containers ask for more of `{name}` together"));
            }
        } else if pod.place == Place::Pod
            && limits.count() > 0
            && is_overcommitted(name)
            && thousandths(limits.key(name)).is_some_and(|most| *sum > most)
        {
            // In a Pod, what its containers ask for is its request where it has none.
            causes.invalid(
                requests,
                format!("the containers ask for more of `{name}` than the limit of the Pod"),
            );
        }
    }
    for (name, sum) in &sum(pod, "limits") {
        if is_huge_page(name) && thousandths(limits.key(name)).is_some_and(|own| *sum > own) {
            causes.invalid(limits.key(name), format!("the containers may use more of `{name}` together"));
        }
    }
    for container in pod.spec.key("containers").items() {
        for (name, limit) in container.key("resources").key("limits").members() {
            if let (Some(own), Some(most)) = (thousandths(limit), thousandths(limits.key(name)))
                && own > most
            {
                causes.invalid(limit, format!("`{name}` is above the limit of the Pod"));
            }
        }
    }
}

/// How much a Pod needs at most at one time.
fn sum<'n>(pod: &Pod<'_, 'n>, list: &str) -> Amounts<'n> {
    let add = |sums: &mut Amounts<'n>, container: Field<'_, 'n>| {
        let resources = container.key("resources");
        for (name, amount) in resources.key(list).members() {
            *sums.entry(name).or_default() += thousandths(amount).unwrap_or(0);
        }
        if list == "requests" && pod.place == Place::Pod {
            for (name, amount) in resources.key("limits").members() {
                if !resources.key("requests").key(name).is_set() {
                    *sums.entry(name).or_default() += thousandths(amount).unwrap_or(0);
                }
            }
        }
    };
    let (mut all, mut sidecars, mut first) = (Amounts::new(), Amounts::new(), Amounts::new());
    pod.spec.key("containers").items().for_each(|container| add(&mut all, container));
    for container in pod.spec.key(CONTAINERS[0]).items() {
        let at_once = if container.key("restartPolicy").text() == "Always" {
            add(&mut all, container);
            add(&mut sidecars, container);
            sidecars.clone()
        } else {
            let mut at_once = sidecars.clone();
            add(&mut at_once, container);
            at_once
        };
        raise(&mut first, at_once);
    }
    raise(&mut all, first);
    all
}

fn raise<'n>(sums: &mut Amounts<'n>, others: Amounts<'n>) {
    for (name, other) in others {
        let sum = sums.entry(name).or_default();
        *sum = (*sum).max(other);
    }
}
