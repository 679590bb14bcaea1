//! Pods that end: Jobs and CronJobs.

use super::cron;
use super::pods::{Place, check_template, one_of_if_written};
use super::require;
use crate::kube::formats::{
    check_label_selector, check_not_negative, dns_label, dns_subdomain, label_value, qualified_name, selects,
};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::BTreeSet;

/// More than these, and what failed is not told any more.
const MANY: i64 = 100_000;
const SOME: i64 = 10_000;
const MOST_RULES: usize = 20;
const UIDS: &[&str] = &["batch.kubernetes.io/controller-uid", "controller-uid"];
const NAMES: &[&str] = &["batch.kubernetes.io/job-name", "job-name"];

/// Whose `spec` of a Job it is.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Owner {
    /// A Job's: what is missing was filled in.
    Job,
    /// A CronJob's template: nothing was.
    Template,
}

/// `Job`.
pub(super) fn job(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (metadata, spec) = (object.key("metadata"), object.key("spec"));
    let name = metadata.key("name").text();
    check_spec(spec, Owner::Job, release, causes);
    let before = causes.len();
    check_label_selector(spec.key("selector"), causes);
    let fine = causes.len() == before;
    let manual = spec.key("manualSelector").truth() == Some(true);
    if !manual {
        check_generated_labels(spec, name, causes);
    }
    match (fine, manual) {
        (true, true) => check_manual(spec, causes),
        (true, false) => check_generated_selector(spec, name, causes),
        (false, _) => {}
    }
    let completions = completions(spec, Owner::Job).unwrap_or(0);
    if spec.key("completionMode").text() == "Indexed" && completions > 0 && !name.is_empty() {
        let host = format!("{name}-{}", completions - 1);
        if let Err(reason) = dns_label(&host) {
            causes.invalid(metadata.key("name"), format!("the name of its last Pod, `{host}`, {reason}"));
        }
    }
}

/// A selector of the user's own.
fn check_manual(spec: Field<'_, '_>, causes: &mut Causes) {
    let (selector, template) = (spec.key("selector"), spec.key("template"));
    let metadata = template.key("metadata");
    if !selector.is_set() {
        causes.required(selector, "with `manualSelector`, it has to be set");
    }
    if !selector.is_set() || !selects(selector, metadata.key("labels")) {
        causes.invalid(metadata.key("labels"), "`selector` does not take Pods with these labels");
    }
}

/// The labels of the Pods, to which the server adds those that it selects by.
fn check_generated_labels(spec: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let template = spec.key("template");
    let metadata = template.key("metadata");
    let labels = metadata.key("labels");
    for key in UIDS.iter().filter(|key| labels.key(key).is_set()) {
        causes.invalid(labels.key(key), "the server writes this label");
    }
    for key in NAMES {
        let label = labels.key(key);
        if label.is_set() {
            if !name.is_empty() && label.text() != name {
                causes.invalid(label, format!("this label is the name of the Job, `{name}`"));
            }
        } else if let Err(reason) = label_value(name) {
            let place = template.alias("labels", &labels);
            causes.invalid(place, format!("the server adds `{key}: {name}`, and the name {reason}"));
        }
    }
}

/// A selector that the server makes: it takes no labels but those that the server adds.
fn check_generated_selector(spec: Field<'_, '_>, name: &str, causes: &mut Causes) {
    let (selector, template) = (spec.key("selector"), spec.key("template"));
    let metadata = template.key("metadata");
    let labels = metadata.key("labels");
    // A name that the server makes could be any.
    if !selector.is_set() || name.is_empty() {
        return;
    }
    let of_server = |key: &str| {
        if UIDS.contains(&key) {
            Label::Random
        } else if NAMES.contains(&key) {
            Label::Text(name)
        } else {
            Label::Missing
        }
    };
    if !takes(selector, &of_server) {
        causes.invalid(selector, "the server makes the selector: it takes none but its own labels");
    }
    let of_pods = |key: &str| {
        let label = labels.key(key);
        if label.is_set() { Label::Text(label.text()) } else { of_server(key) }
    };
    if !takes(selector, &of_pods) {
        causes.invalid(labels, "`selector` does not take Pods with these labels");
    }
}

/// A label of the Pods of a Job.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Label<'a> {
    /// There is none.
    Missing,
    /// One that is known.
    Text(&'a str),
    /// One that the server makes up.
    Random,
}

/// Whether a selector takes these labels.
fn takes<'a>(selector: Field<'_, '_>, label: &dyn Fn(&str) -> Label<'a>) -> bool {
    let equal = |(key, value): (&str, Field<'_, '_>)| label(key) == Label::Text(value.text());
    selector.key("matchLabels").members().all(equal)
        && selector.key("matchExpressions").items().all(|requirement| {
            let own = label(requirement.key("key").text());
            let among = requirement.key("values").items().any(|value| own == Label::Text(value.text()));
            match requirement.key("operator").text() {
                "In" => among,
                "NotIn" => !among,
                "DoesNotExist" => own == Label::Missing,
                _ => own != Label::Missing,
            }
        })
}

/// How many Pods have to end well, where that is said.
fn completions(spec: Field<'_, '_>, owner: Owner) -> Option<i64> {
    let said = spec.key("completions").int();
    let alone = owner == Owner::Job && !spec.key("parallelism").is_set();
    said.or(if alone { Some(1) } else { None })
}

fn check_spec(spec: Field<'_, '_>, owner: Owner, release: Minor, causes: &mut Causes) {
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        check_not_negative(spec.key(key), causes);
    }
    if spec.key("maxFailedIndexes").is_set() && !spec.key("backoffLimitPerIndex").is_set() {
        causes.required(spec.key("backoffLimitPerIndex"), "`maxFailedIndexes` needs it");
    }
    check_manager(spec.key("managedBy"), causes);
    check_indexes(spec, owner, causes);
    let (failure, success, replacement) =
        (spec.key("podFailurePolicy"), spec.key("successPolicy"), spec.key("podReplacementPolicy"));
    if failure.is_set() {
        check_failure(spec, failure, causes);
    }
    if success.is_set() {
        if spec.key("completionMode").text() == "Indexed" {
            check_success(success, completions(spec, owner), causes);
        } else {
            causes.invalid(success, "it needs `completionMode: Indexed`");
        }
    }
    if replacement.is_set() {
        let known: &[&str] = if failure.is_set() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        causes.one_of(replacement, replacement.text(), known);
    }
    check_template(spec.key("template"), Place::Template, None, release, causes);
    check_end(spec, causes);
}

/// The Pods of a Job end.
fn check_end(spec: Field<'_, '_>, causes: &mut Causes) {
    let (template, failure) = (spec.key("template"), spec.key("podFailurePolicy"));
    let pod = template.key("spec");
    let policy = pod.key("restartPolicy");
    match policy.text() {
        "" | "Always" => causes.at_with_help(
            policy,
            CauseKind::Required,
            "the Pods of a Job end",
            "write `Never` or `OnFailure`",
        ),
        "Never" => {}
        "OnFailure" => {
            if failure.is_set() {
                causes.invalid(policy, "with `podFailurePolicy`, it is `Never`");
            }
        }
        other => causes.unsupported(policy, other, &["Never", "OnFailure"]),
    }
}

fn check_manager(manager: Field<'_, '_>, causes: &mut Causes) {
    const LONGEST: usize = 63;
    if !manager.is_set() || !require(manager, causes) {
        return;
    }
    let text = manager.text();
    let http = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    match text.split_once('/').filter(|(domain, path)| !domain.is_empty() && !path.is_empty()) {
        None => {
            causes.invalid(manager, format!("`{text}` is no domain with a path, like `example.com/name`"));
        }
        Some((domain, path)) => {
            if let Err(reason) = dns_subdomain(domain) {
                causes.invalid(manager, format!("`{domain}` {reason}"));
            }
            if !path.bytes().all(http) {
                causes.invalid(manager, format!("`{path}` is no path of a URL"));
            }
        }
    }
    if text.len() > LONGEST {
        causes.at(manager, CauseKind::TooLong, format!("more than {LONGEST} characters"));
    }
}

fn check_indexes(spec: Field<'_, '_>, owner: Owner, causes: &mut Causes) {
    let (mode, parallel, failed, backoff) = (
        spec.key("completionMode"),
        spec.key("parallelism"),
        spec.key("maxFailedIndexes"),
        spec.key("backoffLimitPerIndex"),
    );
    if mode.is_set() {
        causes.one_of(mode, mode.text(), &["Indexed", "NonIndexed"]);
    }
    if matches!(mode.text(), "NonIndexed") || !mode.is_set() {
        for field in [backoff, failed].into_iter().filter(Field::is_set) {
            causes.invalid(field, "it needs `completionMode: Indexed`");
        }
    }
    if mode.text() != "Indexed" {
        return;
    }
    let all = completions(spec, owner);
    if all.is_none() {
        causes.required(spec.key("completions"), "with `completionMode: Indexed`, it has to be set");
    }
    let mut within = |field: Field<'_, '_>, most: i64, why: &str| {
        if let Some(number) = field.int().filter(|number| *number > most) {
            causes.invalid(field, format!("`{number}` is more than {most}{why}"));
        }
    };
    within(parallel, MANY, "");
    if let Some(all) = all {
        within(failed, all, ", which is `completions`");
    }
    within(failed, MANY, "");
    if all.is_some_and(|all| all > MANY) && backoff.is_set() {
        within(parallel, SOME, ", and `completions` is above 100000");
        within(failed, SOME, ", and `completions` is above 100000");
        if !failed.is_set() {
            causes.required(failed, "with so many `completions`, it has to be set");
        }
    }
}

fn too_many(list: Field<'_, '_>, most: usize, causes: &mut Causes) {
    if list.count() > most {
        causes.at(list, CauseKind::TooMany, format!("{} of them, {most} are allowed", list.count()));
    }
}

fn check_failure(spec: Field<'_, '_>, policy: Field<'_, '_>, causes: &mut Causes) {
    const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
    let rules = policy.key("rules");
    too_many(rules, MOST_RULES, causes);
    for rule in rules.items() {
        let (action, codes, conditions) =
            (rule.key("action"), rule.key("onExitCodes"), rule.key("onPodConditions"));
        if require(action, causes) {
            causes.one_of(action, action.text(), ACTIONS);
            if action.text() == "FailIndex" && !spec.key("backoffLimitPerIndex").is_set() {
                causes.invalid(action, "`FailIndex` needs `backoffLimitPerIndex`");
            }
        }
        if codes.is_set() {
            check_codes(spec, codes, causes);
        }
        too_many(conditions, MOST_RULES, causes);
        for pattern in conditions.items() {
            crate::kube::formats::check(pattern.key("type"), qualified_name, causes);
            one_of_if_written(pattern.key("status"), &["False", "True", "Unknown"], causes);
        }
        if codes.is_set() == (conditions.count() > 0) {
            causes.invalid(rule, "a rule has either `onExitCodes` or `onPodConditions`");
        }
    }
}

fn check_codes(spec: Field<'_, '_>, codes: Field<'_, '_>, causes: &mut Causes) {
    const MOST_VALUES: usize = 255;
    let (operator, container, values) =
        (codes.key("operator"), codes.key("containerName"), codes.key("values"));
    if require(operator, causes) {
        causes.one_of(operator, operator.text(), &["In", "NotIn"]);
    }
    let template = spec.key("template");
    let pod = template.key("spec");
    let named = ["containers", "initContainers"]
        .iter()
        .any(|list| pod.key(list).items().any(|own| own.key("name").text() == container.text()));
    if container.is_set() && !named {
        causes.invalid(container, format!("there is no container `{}`", container.text()));
    }
    if values.count() == 0 {
        causes.invalid(values, "at least one value is needed");
    }
    too_many(values, MOST_VALUES, causes);
    let mut seen = BTreeSet::new();
    let mut before = None;
    let mut ordered = true;
    for value in values.items() {
        let code = value.int().unwrap_or(0);
        if operator.text() == "In" && code == 0 {
            causes.invalid(value, "a Pod that ends with 0 has not failed");
        }
        if !seen.insert(code) {
            causes.duplicate(value, format!("`{code}` stands before"));
        }
        ordered &= before.is_none_or(|before| before <= code);
        before = Some(code);
    }
    if !ordered {
        causes.invalid(values, "the values are not in order");
    }
}

fn check_success(policy: Field<'_, '_>, completions: Option<i64>, causes: &mut Causes) {
    const LONGEST: usize = 64 * 1024;
    let rules = policy.key("rules");
    if rules.count() == 0 {
        causes.required(rules, "at least one rule is needed");
    }
    too_many(rules, MOST_RULES, causes);
    for rule in rules.items() {
        let (count, indexes) = (rule.key("succeededCount"), rule.key("succeededIndexes"));
        if !count.is_set() && !indexes.is_set() {
            causes.required(rule, "`succeededCount` or `succeededIndexes` is needed");
        }
        if indexes.text().len() > LONGEST {
            causes.at(indexes, CauseKind::TooLong, format!("more than {LONGEST} characters"));
        }
        check_not_negative(count, causes);
        let Some(completions) = completions else { continue };
        let mut named = 0;
        if indexes.is_set() {
            match count_indexes(indexes.text(), completions) {
                Ok(total) => named = total,
                Err(reason) => causes.invalid(indexes, format!("`{}` {reason}", indexes.text())),
            }
        }
        let Some(number) = count.int() else { continue };
        if number > completions {
            causes.invalid(count, format!("`{number}` is more than {completions}, which is `completions`"));
        }
        if indexes.is_set() && number > named {
            causes.invalid(count, format!("`{number}` is more than the {named} of `succeededIndexes`"));
        }
    }
}

/// How many indexes `0,2-4` names.
fn count_indexes(text: &str, completions: i64) -> Result<i64, &'static str> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = |text: &str| text.parse::<i64>().or(Err("has a part that is no number"));
    let (mut total, mut last) = (0, None);
    for part in text.split(',') {
        let (low, high) = match part.split_once('-') {
            Some((_, high)) if high.contains('-') => return Err("has a part with more than one `-`"),
            Some((low, high)) => (number(low)?, Some(number(high)?)),
            None => (number(part)?, None),
        };
        if high.is_some_and(|high| low >= high) || last.is_some_and(|last| last >= low) {
            return Err("is not in order");
        }
        let high = high.unwrap_or(low);
        if high >= completions {
            return Err("has an index that is not below `completions`");
        }
        total += high - low + 1;
        last = Some(high);
    }
    Ok(total)
}

/// `CronJob`.
pub(super) fn cron_job(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let spec = object.key("spec");
    let (schedule, zone, template) = (spec.key("schedule"), spec.key("timeZone"), spec.key("jobTemplate"));
    if require(schedule, causes) {
        let text = schedule.text();
        if text.contains("TZ") {
            causes.at_with_help(
                schedule,
                CauseKind::Invalid,
                "a time zone within the schedule",
                "write it into `timeZone`",
            );
        } else if let Err(reason) = cron::check_schedule(text) {
            causes.invalid(schedule, format!("`{text}` {reason}"));
        }
    }
    if zone.is_set()
        && let Err(reason) = cron::check_zone(zone.text())
    {
        causes.invalid(zone, format!("`{}` {reason}", zone.text()));
    }
    for key in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        check_not_negative(spec.key(key), causes);
    }
    one_of_if_written(spec.key("concurrencyPolicy"), &["Allow", "Forbid", "Replace"], causes);
    let job = template.key("spec");
    check_spec(job, Owner::Template, release, causes);
    if job.key("selector").is_set() {
        causes.invalid(job.key("selector"), "the server makes it");
    }
    if job.key("manualSelector").truth() == Some(true) {
        causes.unsupported(job.key("manualSelector"), "true", &["false"]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::object;
    use super::count_indexes;

    fn job(spec: &str, template: &str) -> Vec<String> {
        let text = format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: j}}, spec: {{template: {{{template}spec: {{restartPolicy: Never, containers: [{{name: a, image: i}}]}}}}, {spec}}}}}"
        );
        object(&text, (1, 34))
    }

    fn check(table: &[(&str, &[&str])]) {
        for (spec, told) in table {
            assert_eq!(job(spec, ""), *told, "{spec}");
        }
    }

    #[test]
    fn numbers_and_modes() {
        check(&[
            ("completions: 0, parallelism: 0, suspend: true", &[]),
            (
                "backoffLimit: -1, ttlSecondsAfterFinished: -1",
                &["Invalid spec.backoffLimit", "Invalid spec.ttlSecondsAfterFinished"],
            ),
            ("completionMode: Indexed", &[]),
            ("completionMode: Indexed, parallelism: 1", &["Required spec.completions"]),
            ("maxFailedIndexes: 1", &["Required spec.backoffLimitPerIndex", "Invalid spec.maxFailedIndexes"]),
            (
                "completionMode: Indexed, completions: 100001, backoffLimitPerIndex: 1, parallelism: 10001",
                &["Invalid spec.parallelism", "Required spec.maxFailedIndexes"],
            ),
            (
                "completionMode: x, podReplacementPolicy: x, managedBy: x",
                &[
                    "Invalid spec.managedBy",
                    "Unsupported spec.completionMode",
                    "Unsupported spec.podReplacementPolicy",
                ],
            ),
        ]);
    }

    #[test]
    fn policies_of_failure_and_success() {
        let rule = "spec.podFailurePolicy.rules[0]";
        check(&[
            (
                "podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, containerName: x, values: [2, 0, 0]}}]}",
                &[
                    &format!("Invalid {rule}.action"),
                    &format!("Invalid {rule}.onExitCodes.containerName"),
                    &format!("Invalid {rule}.onExitCodes.values[1]"),
                    &format!("Invalid {rule}.onExitCodes.values[2]"),
                    &format!("Duplicate {rule}.onExitCodes.values[2]"),
                    &format!("Invalid {rule}.onExitCodes.values"),
                ],
            ),
            (
                "podFailurePolicy: {rules: [{action: Count, onPodConditions: [{type: a b, status: x}]}]}",
                &[
                    &format!("Invalid {rule}.onPodConditions[0].type"),
                    &format!("Unsupported {rule}.onPodConditions[0].status"),
                ],
            ),
            (
                "podFailurePolicy: {rules: [{}]}, podReplacementPolicy: TerminatingOrFailed",
                &[
                    &format!("Required {rule}.action"),
                    &format!("Invalid {rule}"),
                    "Unsupported spec.podReplacementPolicy",
                ],
            ),
            ("successPolicy: {rules: [{succeededCount: 1}]}", &["Invalid spec.successPolicy"]),
            (
                "completionMode: Indexed, completions: 3, successPolicy: {rules: [{}, {succeededIndexes: 1-3}, {succeededIndexes: '0', succeededCount: 2}]}",
                &[
                    "Required spec.successPolicy.rules[0]",
                    "Invalid spec.successPolicy.rules[1].succeededIndexes",
                    "Invalid spec.successPolicy.rules[2].succeededCount",
                ],
            ),
        ]);
        assert_eq!(count_indexes("0,2-4", 5), Ok(4));
        for bad in ["a", "1,1", "2-1", "1-1", "1-2-3", "5", ",", "1,"] {
            assert!(count_indexes(bad, 5).is_err(), "{bad}");
        }
    }

    #[test]
    fn selectors_are_the_servers_own() {
        let labels = |labels: &str| job("completions: 1", &format!("metadata: {{labels: {{{labels}}}}}, "));
        let place = "spec.template.metadata.labels";
        assert!(labels("job-name: j, a: b").is_empty());
        assert_eq!(labels("job-name: k"), [format!("Invalid {place}.job-name")]);
        assert_eq!(labels("controller-uid: k"), [format!("Invalid {place}.controller-uid")]);
        check(&[
            ("selector: {matchLabels: {job-name: j}}", &[]),
            (
                "selector: {matchLabels: {a: b}}",
                &["Invalid spec.selector", "Invalid spec.template.metadata.labels"],
            ),
            (
                "manualSelector: true, selector: {matchLabels: {a: b}}",
                &["Invalid spec.template.metadata.labels"],
            ),
            ("manualSelector: true", &["Required spec.selector", "Invalid spec.template.metadata.labels"]),
        ]);
    }

    #[test]
    fn cron_jobs_have_schedules_and_templates() {
        let cron = |spec: &str, job: &str| {
            let text = format!(
                "{{apiVersion: batch/v1, kind: CronJob, spec: {{{spec}, jobTemplate: {{spec: {{{job}, template: {{spec: {{containers: [{{name: a, image: i}}]}}}}}}}}}}}}"
            );
            object(&text, (1, 34))
        };
        let policy = "Required spec.jobTemplate.spec.template.spec.restartPolicy";
        assert_eq!(cron("schedule: '@daily'", "suspend: true"), [policy]);
        assert_eq!(
            cron("schedule: TZ=UTC * * * * *, timeZone: x, concurrencyPolicy: x", "completionMode: Indexed"),
            [
                "Invalid spec.schedule",
                "Invalid spec.timeZone",
                "Unsupported spec.concurrencyPolicy",
                "Required spec.jobTemplate.spec.completions",
                policy
            ]
        );
        assert_eq!(
            cron("startingDeadlineSeconds: -1", "selector: {}, manualSelector: true"),
            [
                "Required spec.schedule",
                "Invalid spec.startingDeadlineSeconds",
                policy,
                "Invalid spec.jobTemplate.spec.selector",
                "Unsupported spec.jobTemplate.spec.manualSelector"
            ]
        );
    }
}
