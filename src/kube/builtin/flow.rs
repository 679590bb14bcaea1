//! `FlowSchemas` and `PriorityLevelConfigurations`.

use super::require;
use crate::kube::formats::{Rule, check, dns_label, dns_subdomain};
use crate::kube::{Causes, Field};

const VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const HIGHEST_PRECEDENCE: i64 = 10_000;
const MOST_QUEUES: i64 = 10_000_000;
/// Bits of a hash that shuffle sharding may use.
const HASH_BITS: f64 = 60.0;

/// `FlowSchema`.
pub(super) fn schema(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let precedence = spec.key("matchingPrecedence");
    // A missing one, or 0, is 1000.
    let number = precedence.int().unwrap_or(0);
    if number < 0 {
        causes.invalid(precedence, "has to be more than 0");
    } else if number > HIGHEST_PRECEDENCE {
        causes.invalid(precedence, format!("{number} is more than {HIGHEST_PRECEDENCE}"));
    } else if number == 1 && metadata.key("name").text() != "exempt" {
        causes.invalid(precedence, "1 is that of the schema `exempt` alone");
    }
    let method = spec.key("distinguisherMethod");
    if method.is_set() {
        causes.one_of(method.key("type"), method.key("type").text(), &["ByNamespace", "ByUser"]);
    }
    let level = spec.key("priorityLevelConfiguration");
    if require(level.key("name"), causes) {
        check(level.key("name"), dns_subdomain, causes);
    }
    for rule in spec.key("rules").items() {
        check_rule(rule, causes);
    }
}

fn check_rule(rule: Field<'_, '_>, causes: &mut Causes) {
    let subjects = rule.key("subjects");
    if subjects.count() == 0 {
        causes.required(subjects, "a rule needs a subject");
    }
    for subject in subjects.items() {
        check_subject(subject, causes);
    }
    let (resources, urls) = (rule.key("resourceRules"), rule.key("nonResourceRules"));
    if resources.count() + urls.count() == 0 {
        causes.required(rule, "a rule needs `resourceRules` or `nonResourceRules`");
    }
    for resource in resources.items() {
        check_verbs(resource.key("verbs"), causes);
        for key in ["apiGroups", "resources"] {
            let list = resource.key(key);
            if list.count() == 0 {
                causes.required(list, "at least one is needed");
            } else if list.count() > 1 && has_wildcard(list) {
                causes.invalid(list, "`*` stands alone");
            }
        }
        let namespaces = resource.key("namespaces");
        if namespaces.count() == 0 {
            if resource.key("clusterScope").truth() != Some(true) {
                causes.required(namespaces, "a rule names namespaces, or is about the whole cluster");
            }
        } else {
            check_alone_or_each(namespaces, dns_label, causes);
        }
    }
    for url in urls.items() {
        check_verbs(url.key("verbs"), causes);
        let paths = url.key("nonResourceURLs");
        if paths.count() == 0 {
            causes.required(paths, "at least one is needed");
        } else {
            check_alone_or_each(paths, url_path, causes);
        }
    }
}

fn has_wildcard(list: Field<'_, '_>) -> bool {
    list.items().any(|item| item.text() == "*")
}

fn check_alone_or_each(list: Field<'_, '_>, rule: Rule, causes: &mut Causes) {
    if !has_wildcard(list) {
        for item in list.items() {
            check(item, rule, causes);
        }
    } else if list.count() > 1 {
        causes.invalid(list, "`*` stands alone");
    }
}

fn check_verbs(verbs: Field<'_, '_>, causes: &mut Causes) {
    if verbs.count() == 0 {
        causes.required(verbs, "at least one is needed");
    } else if has_wildcard(verbs) {
        if verbs.count() > 1 {
            causes.invalid(verbs, "`*` stands alone");
        }
    } else if let Some(verb) = verbs.items().map(|verb| verb.text()).find(|verb| !VERBS.contains(verb)) {
        causes.unsupported(verbs, verb, VERBS);
    }
}

fn url_path(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text == "/" {
        return Ok(());
    }
    let stars = text.matches('*').count();
    if !text.starts_with('/') {
        Err("does not start with `/`")
    } else if text.contains(' ') {
        Err("has a blank")
    } else if text.contains("//") {
        Err("has an empty step")
    } else if stars > 1 || (stars == 1 && !text.ends_with("/*")) {
        Err("has a `*` before its end")
    } else {
        Ok(())
    }
}

fn check_subject(subject: Field<'_, '_>, causes: &mut Causes) {
    let kind = subject.key("kind");
    let own = match kind.text() {
        "ServiceAccount" => "serviceAccount",
        "User" => "user",
        "Group" => "group",
        other => {
            causes.unsupported(kind, other, &["Group", "ServiceAccount", "User"]);
            return;
        }
    };
    for key in ["serviceAccount", "user", "group"] {
        let field = subject.key(key);
        if key != own {
            if field.is_set() {
                causes.forbidden(field, format!("the subject is a `{}`", kind.text()));
            }
            continue;
        }
        if !field.is_set() {
            causes.required(field, format!("the subject is a `{}`", kind.text()));
            continue;
        }
        let name = field.key("name");
        if require(name, causes) && key == "serviceAccount" && name.text() != "*" {
            check(name, dns_subdomain, causes);
        }
        if key == "serviceAccount" && require(field.key("namespace"), causes) {
            check(field.key("namespace"), dns_label, causes);
        }
    }
}

/// `PriorityLevelConfiguration`.
pub(super) fn level(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let kind = spec.key("type");
    let annotations = metadata.key("annotations");
    if annotations.key("flowcontrol.k8s.io/preserve-zero-concurrency-shares").is_set() {
        causes.forbidden(
            annotations,
            "`flowcontrol.k8s.io/preserve-zero-concurrency-shares` is the server's own",
        );
    }
    if (metadata.key("name").text() == "exempt") != (kind.text() == "Exempt") {
        causes.invalid(kind, "`Exempt` is the type of the level `exempt`, and of no other");
    }
    let (limited, exempt) = (spec.key("limited"), spec.key("exempt"));
    match kind.text() {
        "Exempt" => {
            if limited.is_set() {
                causes.forbidden(limited, "the level is not `Limited`");
            }
            check_shares(exempt, causes);
        }
        "Limited" => {
            if exempt.is_set() {
                causes.forbidden(exempt, "the level is `Limited`");
            }
            if limited.is_set() {
                check_shares(limited, causes);
                check_limited(limited, causes);
            } else {
                causes.required(limited, "the level is `Limited`");
            }
        }
        other => causes.unsupported(kind, other, &["Exempt", "Limited"]),
    }
}

fn check_shares(level: Field<'_, '_>, causes: &mut Causes) {
    crate::kube::formats::check_not_negative(level.key("nominalConcurrencyShares"), causes);
    let percentage = level.key("lendablePercent");
    if percentage.int().is_some_and(|percentage| !(0..=100).contains(&percentage)) {
        causes.invalid(percentage, "a percentage is 0 to 100");
    }
}

fn check_limited(limited: Field<'_, '_>, causes: &mut Causes) {
    crate::kube::formats::check_not_negative(limited.key("borrowingLimitPercent"), causes);
    let response = limited.key("limitResponse");
    let (kind, queuing) = (response.key("type"), response.key("queuing"));
    match kind.text() {
        "Reject" => {
            if queuing.is_set() {
                causes.forbidden(queuing, "requests are rejected, not queued");
            }
        }
        "Queue" if !queuing.is_set() => causes.required(queuing, "requests are queued"),
        "Queue" => check_queuing(queuing, causes),
        other => causes.unsupported(kind, other, &["Queue", "Reject"]),
    }
}

fn check_queuing(queuing: Field<'_, '_>, causes: &mut Causes) {
    // What is missing, or 0, has a default.
    let number = |key: &str, default: i64| match queuing.key(key).int() {
        None | Some(0) => default,
        Some(number) => number,
    };
    let (limit, queues, hand) = (number("queueLengthLimit", 50), number("queues", 64), number("handSize", 8));
    if limit < 1 {
        causes.invalid(queuing.key("queueLengthLimit"), "has to be more than 0");
    }
    if !(1..=MOST_QUEUES).contains(&queues) {
        causes.invalid(queuing.key("queues"), format!("is 1 to {MOST_QUEUES}"));
    }
    if hand < 1 {
        causes.invalid(queuing.key("handSize"), "has to be more than 0");
    } else if hand > queues {
        causes.invalid(queuing.key("handSize"), format!("{hand} is more than the {queues} queues"));
    } else if entropy(queues, hand) > HASH_BITS {
        causes.invalid(
            queuing.key("handSize"),
            format!("a hand of {hand} from {queues} queues needs too many bits"),
        );
    }
}

/// Bits that dealing a hand of queues takes.
#[allow(clippy::cast_precision_loss, reason = "there are few queues")]
fn entropy(queues: i64, hand: i64) -> f64 {
    ((queues as f64).log2() * hand as f64).ceil()
}
