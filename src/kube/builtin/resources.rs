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

/// What a Pod needs beside its containers; the server looks at it as if it were limits.
pub(super) fn check_overhead(overhead: Field<'_, '_>, causes: &mut Causes) {
    for (name, amount) in overhead.members() {
        check_list(overhead.key("limits").alias(name, &amount), name, causes);
    }
    let any = |rule: fn(&str) -> bool| overhead.members().any(|(name, _)| rule(name));
    if any(is_huge_page) && !any(is_basic) {
        causes.forbidden(overhead, "huge pages need `cpu` or `memory` beside them");
    }
}

/// Whether every Pod has it.
fn is_basic(name: &str) -> bool {
    matches!(name, "cpu" | "memory")
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
    if whole.pod.place == Place::Pod {
        // In a Pod, a limit without a request is the request, and the server tells it of both.
        let requests = resources.key("requests");
        for (name, amount) in resources.key("limits").members() {
            if !requests.key(name).is_set() {
                check_list(requests.alias(name, &amount), name, causes);
            }
        }
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
    if any(is_huge_page) && !any(is_basic) {
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
    is_basic(name) || is_huge_page(name)
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
    for (index, container) in pod.spec.key("containers").items().enumerate() {
        for (name, limit) in container.key("resources").key("limits").members() {
            if let (Some(own), Some(most)) = (thousandths(limit), thousandths(limits.key(name)))
                && own > most
            {
                let of = container.key("name").text();
                // The server tells it below the resources of the Pod.
                causes.invalid(
                    resources.key("containers").index(index).key(name).alias("limits", &limit),
                    format!("container `{of}` may use more of `{name}` than the Pod"),
                );
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

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, object, pod_of};

    #[test]
    fn requests_are_within_limits() {
        check_pods(&[
            ("resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1000m, memory: 1G}}", "", &[]),
            ("resources: {limits: {cpu: 1}, requests: {cpu: 1001m}}", "", &["Invalid c.resources.requests"]),
            (
                "resources: {requests: {cpu: -1, gpu: 1}}",
                "",
                &[
                    "Invalid c.resources.requests.cpu",
                    "Invalid c.resources.requests.gpu",
                    "Invalid c.resources.requests.gpu",
                ],
            ),
            ("resources: {requests: {x.org/a: 1}}", "", &["Required c.resources.limits"]),
            (
                "resources: {limits: {x.org/a: 2}, requests: {x.org/a: 1}}",
                "",
                &["Invalid c.resources.requests"],
            ),
            (
                "resources: {limits: {x.org/a: 500m}}",
                "",
                &["Invalid c.resources.limits[\"x.org/a\"]", "Invalid c.resources.requests[\"x.org/a\"]"],
            ),
            (
                "resources: {limits: {cpu: 1, hugepages-2Mi: 3Mi}, requests: {hugepages-2Mi: 3Mi}}",
                "",
                &["Invalid c.resources.limits.hugepages-2Mi", "Invalid c.resources.requests.hugepages-2Mi"],
            ),
            (
                "resources: {limits: {hugepages-2Mi: 2Mi}, requests: {hugepages-2Mi: 2Mi}}",
                "",
                &["Forbidden c.resources"],
            ),
            (
                "resources: {claims: [{name: x}, {name: x, request: a}]}",
                "resourceClaims: [{name: x}]",
                &["Invalid resourceClaims[0]", "Duplicate c.resources.claims[1]"],
            ),
            ("", "overhead: {foo: 1}", &["Invalid overhead.limits.foo", "Invalid overhead.limits.foo"]),
            ("", "overhead: {hugepages-2Mi: 2Mi}", &["Forbidden overhead"]),
        ]);
    }

    #[test]
    fn the_whole_pod_has_room_for_its_containers() {
        let asks = "resources: {requests: {cpu: 1}, limits: {cpu: 2}}";
        let second =
            "initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 1}}}]";
        let whole = |of: &str| format!("{second}, resources: {of}");
        check_pods(&[
            (asks, &whole("{requests: {cpu: 2}}"), &[]),
            (asks, &whole("{requests: {cpu: 1999m}}"), &["Invalid resources.requests.cpu"]),
            (
                asks,
                &whole("{limits: {cpu: 1}}"),
                &["Invalid resources.requests", "Invalid resources.containers[0].cpu.limits"],
            ),
            (
                asks,
                &whole("{limits: {ephemeral-storage: 1}, claims: []}"),
                &["Forbidden resources.claims", "Unsupported resources.limits.ephemeral-storage"],
            ),
        ]);
        assert!(pod_of((1, 33), asks, &whole("{requests: {cpu: 1}}")).is_empty());
    }

    #[test]
    fn a_template_is_not_given_its_limits_as_requests() {
        let container = "{name: a, image: i, resources: {limits: {x.org/a: 500m}}}";
        let template = format!(
            "{{apiVersion: v1, kind: PodTemplate, template: {{spec: {{containers: [{container}]}}}}}}"
        );
        assert_eq!(
            object(&template, (1, 34)),
            ["Invalid template.spec.containers[0].resources.limits[\"x.org/a\"]"]
        );
    }
}
