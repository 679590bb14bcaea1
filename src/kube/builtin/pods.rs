//! Pods, their templates, and what their `spec` says as a whole; the parts are in the files beside this one.

use super::affinity::{check_affinity, check_spread};
use super::annotations::{check_annotated, check_profiles};
use super::classes::check_toleration;
use super::containers::{self, check_containers};
use super::resources::{check_overhead, check_whole};
use super::security::{check_host_users, check_pod_context};
use super::volumes::{Volumes, check_volumes};
use super::{require, windows};
use crate::kube::formats::{
    check, check_annotations, check_labels, check_text, dns_label, dns_subdomain,
    dns_subdomain_with_underscores, legacy_ip, qualified_name,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::BTreeSet;

/// Where the `spec` of a Pod stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a Pod.
    Pod,
    /// In the template of a workload.
    Template,
    /// In the template of a StatefulSet, which names its Pods itself.
    StatefulSet,
}

/// A Pod, or the template of one.
#[derive(Copy, Clone)]
pub(super) struct Pod<'p, 'n> {
    /// Its `metadata`.
    pub(super) metadata: Field<'p, 'n>,
    /// Its `spec`.
    pub(super) spec: Field<'p, 'n>,
    /// Where it stands.
    pub(super) place: Place,
    /// The release of the server.
    pub(super) release: Minor,
}

/// What the rules of containers have to know of their Pod.
pub(super) struct Whole<'p, 'n> {
    /// The Pod.
    pub(super) pod: Pod<'p, 'n>,
    /// Its volumes, as far as they are fine.
    pub(super) volumes: Volumes<'n>,
    /// The names of its claims to resources.
    pub(super) claims: BTreeSet<&'n str>,
}

impl<'n> Pod<'_, 'n> {
    /// Whether its `spec` says so at `key`.
    pub(super) fn says(&self, key: &str) -> bool {
        self.spec.key(key).truth() == Some(true)
    }

    /// The name of its operating system; empty where it says none.
    pub(super) fn system(&self) -> &'n str {
        self.spec.key("os").key("name").text()
    }
}

/// `Pod`.
pub(super) fn pod(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (metadata, spec) = (object.key("metadata"), object.key("spec"));
    let pod = Pod { metadata, spec, place: Place::Pod, release };
    check_annotated(&pod, metadata.key("annotations"), causes);
    check_spec(&pod, None, causes);
    check_profiles(&pod, causes);
    if service_account(spec).is_empty() {
        for volume in spec.key("volumes").items() {
            for source in volume.key("projected").key("sources").items() {
                if source.key("serviceAccountToken").is_set() {
                    causes
                        .forbidden(source.key("serviceAccountToken"), "the Pod has no `serviceAccountName`");
                }
            }
        }
    }
    for list in ["containers", "initContainers"] {
        spec.key(list).items().for_each(|container| containers::check_image_of_pod(container, causes));
    }
    if spec.key("ephemeralContainers").count() > 0 {
        causes
            .forbidden(spec.key("ephemeralContainers"), "ephemeral containers are added to a Pod that runs");
    }
    if !spec.key("nodeName").text().is_empty() && spec.key("schedulingGates").count() > 0 {
        causes.forbidden(spec.key("nodeName"), "a Pod with scheduling gates has no node yet");
    }
}

/// The name of a Pod's account; the old field counts where the new one is empty.
fn service_account<'n>(spec: Field<'_, 'n>) -> &'n str {
    match spec.key("serviceAccountName").text() {
        "" => spec.key("serviceAccount").text(),
        name => name,
    }
}

/// A template; a StatefulSet makes volumes of its `claims`.
pub(super) fn check_template<'n>(
    template: Field<'_, 'n>,
    place: Place,
    claims: Option<Field<'_, 'n>>,
    release: Minor,
    causes: &mut Causes,
) {
    let (metadata, spec) = (template.key("metadata"), template.key("spec"));
    let pod = Pod { metadata, spec, place, release };
    // The server names these without `metadata`.
    let (labels, annotations) = (metadata.key("labels"), metadata.key("annotations"));
    check_labels(template.alias("labels", &labels), causes);
    check_annotations(template.alias("annotations", &annotations), causes);
    check_annotated(&pod, template.alias("annotations", &annotations), causes);
    check_spec(&pod, claims, causes);
    check_profiles(&pod, causes);
    if spec.key("ephemeralContainers").count() > 0 {
        causes.forbidden(spec.key("ephemeralContainers"), "a template has no ephemeral containers");
    }
}

const RESTART_POLICIES: &[&str] = &["Always", "Never", "OnFailure"];
const DNS_POLICIES: &[&str] = &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const PREEMPTION_POLICIES: &[&str] = &["Never", "PreemptLowerPriority"];

fn check_spec<'n>(pod: &Pod<'_, 'n>, made: Option<Field<'_, 'n>>, causes: &mut Causes) {
    let spec = pod.spec;
    let claims = spec.key("resourceClaims");
    let whole = Whole {
        pod: *pod,
        volumes: check_volumes(pod, made, causes),
        claims: claims
            .items()
            .map(|claim| claim.key("name").text())
            .filter(|name| !name.is_empty())
            .collect(),
    };
    check_claims(claims, causes);
    check_containers(&whole, causes);
    check_whole(pod, causes);
    check_host_ports(pod, causes);
    one_of_if_written(spec.key("restartPolicy"), RESTART_POLICIES, causes);
    one_of_if_written(spec.key("dnsPolicy"), DNS_POLICIES, causes);
    check_labels(spec.key("nodeSelector"), causes);
    check_pod_context(pod, causes);
    check_affinity(pod, causes);
    check_dns(pod, causes);
    check_gates(spec, causes);
    check_spread(pod, causes);
    windows::check_host_process(pod, causes);
    check_host_users(pod, causes);
    check_names(pod, causes);
    for toleration in spec.key("tolerations").items() {
        // Numbers are compared behind a gate that newer releases open.
        let compares = matches!(toleration.key("operator").text(), "Gt" | "Lt");
        if !compares || pod.release < (1, 36) {
            check_toleration(toleration, causes);
        }
    }
    for alias in spec.key("hostAliases").items() {
        check(alias.key("ip"), legacy_ip, causes);
        alias.key("hostnames").items().for_each(|name| check(name, dns_subdomain, causes));
    }
    if let Some(seconds) = spec.key("activeDeadlineSeconds").int()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        causes.invalid(
            spec.key("activeDeadlineSeconds"),
            format!("`{seconds}` is not within 1 and 2147483647"),
        );
    }
    let preemption = spec.key("preemptionPolicy");
    if preemption.is_set() && require(preemption, causes) {
        causes.one_of(preemption, preemption.text(), PREEMPTION_POLICIES);
    }
    check_overhead(spec.key("overhead"), causes);
    windows::check_system(pod, causes);
}

/// A text that has a default where it is empty or missing.
pub(super) fn one_of_if_written(field: Field<'_, '_>, known: &[&str], causes: &mut Causes) {
    if !field.text().is_empty() {
        causes.one_of(field, field.text(), known);
    }
}

fn check_claims(claims: Field<'_, '_>, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for claim in claims.items() {
        let (name, own, template) =
            (claim.key("name"), claim.key("resourceClaimName"), claim.key("resourceClaimTemplateName"));
        if require(name, causes) {
            if seen.insert(name.text()) {
                check(name, dns_label, causes);
            } else {
                causes.duplicate(name, format!("`{}` stands before", name.text()));
            }
        }
        // Before 1.31, both were below `source`.
        let is_old = claim.key("source").is_set();
        match (own.is_set(), template.is_set()) {
            (true, true) => {
                causes
                    .invalid(claim, "`resourceClaimName` and `resourceClaimTemplateName` exclude each other");
            }
            (false, false) if !is_old => {
                causes.invalid(claim, "`resourceClaimName` or `resourceClaimTemplateName` is needed");
            }
            _ => {}
        }
        for name in [own, template].into_iter().filter(Field::is_set) {
            check(name, dns_subdomain, causes);
        }
    }
}

/// In the network of the node, a container's port is the node's.
fn check_host_ports(pod: &Pod<'_, '_>, causes: &mut Causes) {
    if !pod.says("hostNetwork") {
        return;
    }
    for container in pod.spec.key("containers").items() {
        for port in container.key("ports").items() {
            let host = port.key("hostPort").int().filter(|number| *number != 0);
            if host.is_some_and(|host| Some(host) != port.key("containerPort").int()) {
                causes.invalid(port.key("hostPort"), "with `hostNetwork`, it is the same as `containerPort`");
            }
        }
    }
}

fn check_gates(spec: Field<'_, '_>, causes: &mut Causes) {
    for gate in spec.key("readinessGates").items() {
        check(gate.key("conditionType"), qualified_name, causes);
    }
    let mut seen = BTreeSet::new();
    for gate in spec.key("schedulingGates").items() {
        let name = gate.key("name").text();
        if let Err(reason) = qualified_name(name) {
            causes.invalid(gate, format!("`{name}` {reason}"));
        }
        if !seen.insert(name) {
            causes.duplicate(gate, format!("`{name}` stands before"));
        }
    }
}

fn check_dns(pod: &Pod<'_, '_>, causes: &mut Causes) {
    const MOST_SERVERS: usize = 3;
    const MOST_SEARCHES: usize = 32;
    const LONGEST_SEARCHES: usize = 2048;
    let config = pod.spec.key("dnsConfig");
    let (servers, searches) = (config.key("nameservers"), config.key("searches"));
    if pod.spec.key("dnsPolicy").text() == "None" && servers.count() == 0 {
        let missing = if config.is_set() { servers } else { config };
        causes.required(missing, "with `dnsPolicy: None`, a Pod names its servers");
        return;
    }
    if servers.count() > MOST_SERVERS {
        causes.invalid(servers, format!("more than {MOST_SERVERS} servers"));
    }
    servers.items().for_each(|server| check(server, legacy_ip, causes));
    if searches.count() > MOST_SEARCHES {
        causes.invalid(searches, format!("more than {MOST_SEARCHES} domains to search"));
    }
    let length: usize = searches.items().map(|search| search.text().len() + 1).sum();
    if length > LONGEST_SEARCHES + 1 {
        causes
            .invalid(searches, format!("the domains to search have more than {LONGEST_SEARCHES} characters"));
    }
    // Since 1.33, underscores are fine, and so is the root alone.
    let relaxed = pod.release >= (1, 33);
    for search in searches.items().filter(|search| !relaxed || search.text() != ".") {
        let text = search.text();
        let rule = if relaxed { dns_subdomain_with_underscores } else { dns_subdomain };
        if let Err(reason) = rule(text.strip_suffix('.').unwrap_or(text)) {
            causes.invalid(search, format!("`{text}` {reason}"));
        }
    }
    for option in config.key("options").items().filter(|option| option.key("name").text().is_empty()) {
        causes.required(option, "an option has a name");
    }
}

fn check_names(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let spec = pod.spec;
    let mut names = vec![("nodeName", dns_subdomain as fn(&str) -> _), ("priorityClassName", dns_subdomain)];
    // A StatefulSet overwrites both.
    if pod.place != Place::StatefulSet {
        names.extend([("hostname", dns_label as fn(&str) -> _), ("subdomain", dns_label)]);
    }
    for (key, rule) in names {
        if !spec.key(key).text().is_empty() {
            check(spec.key(key), rule, causes);
        }
    }
    let account = service_account(spec);
    if !account.is_empty() {
        check_text(spec.key("serviceAccountName"), account, dns_subdomain, causes);
    }
    if spec.key("runtimeClassName").is_set() {
        check(spec.key("runtimeClassName"), dns_subdomain, causes);
    }
    let hostname = spec.key("hostnameOverride");
    if hostname.is_set() {
        for key in ["setHostnameAsFQDN", "hostNetwork"].iter().filter(|key| pod.says(key)) {
            causes.forbidden(hostname, format!("it does not go with `{key}`"));
        }
        if hostname.text().len() > 64 {
            causes.at(hostname, CauseKind::TooLong, "more than 64 characters");
        }
        check(hostname, dns_subdomain, causes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, object, pod_of};

    #[test]
    fn policies_names_and_deadlines() {
        check_pods(&[
            ("", "restartPolicy: '', dnsPolicy: Default, runtimeClassName: a.b", &[]),
            (
                "",
                "restartPolicy: Sometimes, dnsPolicy: x, preemptionPolicy: x",
                &["Unsupported restartPolicy", "Unsupported dnsPolicy", "Unsupported preemptionPolicy"],
            ),
            (
                "",
                "hostname: a.b, subdomain: A, nodeName: a_b, priorityClassName: P, serviceAccount: S",
                &[
                    "Invalid nodeName",
                    "Invalid priorityClassName",
                    "Invalid hostname",
                    "Invalid subdomain",
                    "Invalid serviceAccountName",
                ],
            ),
            (
                "",
                "runtimeClassName: '', activeDeadlineSeconds: 0",
                &["Invalid runtimeClassName", "Invalid activeDeadlineSeconds"],
            ),
            (
                "",
                "nodeName: x, schedulingGates: [{name: a/b}, {name: a/b}, {}], readinessGates: [{conditionType: '-'}]",
                &[
                    "Invalid readinessGates[0].conditionType",
                    "Duplicate schedulingGates[1]",
                    "Invalid schedulingGates[2]",
                    "Forbidden nodeName",
                ],
            ),
            (
                "",
                "nodeSelector: {a: b c}, hostAliases: [{ip: x, hostnames: [A]}]",
                &["Invalid nodeSelector", "Invalid hostAliases[0].ip", "Invalid hostAliases[0].hostnames[0]"],
            ),
            (
                "",
                "tolerations: [{}, {operator: Exists, value: x}, {key: a, tolerationSeconds: 1}]",
                &[
                    "Invalid tolerations[0].operator",
                    "Invalid tolerations[1].operator",
                    "Invalid tolerations[2].effect",
                ],
            ),
            (
                "",
                "resourceClaims: [{name: a, resourceClaimName: c, resourceClaimTemplateName: t}, {name: a, resourceClaimName: C}]",
                &[
                    "Invalid resourceClaims[0]",
                    "Duplicate resourceClaims[1].name",
                    "Invalid resourceClaims[1].resourceClaimName",
                ],
            ),
        ]);
        assert_eq!(object("{apiVersion: v1, kind: Pod, spec: {}}", (1, 34)), ["Required spec.containers"]);
    }

    #[test]
    fn servers_and_domains_to_search() {
        check_pods(&[
            ("", "dnsPolicy: None", &["Required dnsConfig"]),
            ("", "dnsPolicy: None, dnsConfig: {}", &["Required dnsConfig.nameservers"]),
            ("", "dnsConfig: {nameservers: [1.1.1.01, '::1'], searches: [., a_b.c., x]}", &[]),
            (
                "",
                "dnsConfig: {nameservers: [a, 1.1.1.1, 1.1.1.1, 1.1.1.1], searches: [A], options: [{}]}",
                &[
                    "Invalid dnsConfig.nameservers",
                    "Invalid dnsConfig.nameservers[0]",
                    "Invalid dnsConfig.searches[0]",
                    "Required dnsConfig.options[0]",
                ],
            ),
        ]);
        assert_eq!(pod_of((1, 32), "", "dnsConfig: {searches: [a_b, .]}").len(), 2);
    }
}
