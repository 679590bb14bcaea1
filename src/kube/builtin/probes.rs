//! Probes of containers, and what runs when they start and end.

use super::pods::{Pod, one_of_if_written};
use crate::kube::formats::{check_not_negative, check_port, http_header_name};
use crate::kube::{Causes, Field};

/// How long a Pod has to end, where it does not say so.
const GRACE: i64 = 30;
const SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGRTMIN",
    "SIGRTMAX",
];

/// A probe, and which one it is: `livenessProbe`, `readinessProbe` or `startupProbe`.
pub(super) fn check_probe(pod: &Pod<'_, '_>, probe: Field<'_, '_>, which: &str, causes: &mut Causes) {
    if !probe.is_set() {
        return;
    }
    check_handler(pod, probe, &["exec", "httpGet", "tcpSocket", "grpc"], causes);
    for key in
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
    {
        check_not_negative(probe.key(key), causes);
    }
    let grace = probe.key("terminationGracePeriodSeconds");
    if let Some(seconds) = grace.int().filter(|seconds| *seconds <= 0) {
        causes.invalid(grace, format!("`{seconds}` is not more than 0"));
    }
    if which == "readinessProbe" {
        if grace.is_set() {
            causes.invalid(grace, "a container that is not ready does not end");
        }
    } else if let Some(count) = probe.key("successThreshold").int().filter(|count| !matches!(count, 0 | 1)) {
        causes.invalid(probe.key("successThreshold"), format!("`{count}` is not 1"));
    }
}

/// What runs when a container starts and ends.
pub(super) fn check_lifecycle(pod: &Pod<'_, '_>, lifecycle: Field<'_, '_>, causes: &mut Causes) {
    for key in ["postStart", "preStop"] {
        let hook = lifecycle.key(key);
        if hook.is_set() {
            check_handler(pod, hook, &["exec", "httpGet", "tcpSocket", "sleep"], causes);
        }
    }
    let signal = lifecycle.key("stopSignal");
    if !signal.is_set() {
        return;
    }
    match pod.system() {
        "windows" => causes.one_of(signal, signal.text(), &["SIGKILL", "SIGTERM"]),
        "linux" if !is_real_time(signal.text()) => causes.one_of(signal, signal.text(), SIGNALS),
        _ if !pod.spec.key("os").is_set() => causes.forbidden(signal, "the Pod names no `os.name`"),
        _ => {}
    }
}

/// Signals counted from the ends of their range.
fn is_real_time(text: &str) -> bool {
    let within = |digits: &str, most: u8| {
        !digits.starts_with(['0', '+'])
            && digits.parse::<u8>().is_ok_and(|number| (1..=most).contains(&number))
    };
    text.strip_prefix("SIGRTMIN+").is_some_and(|digits| within(digits, 15))
        || text.strip_prefix("SIGRTMAX-").is_some_and(|digits| within(digits, 14))
}

/// One of `kinds` is there: the first one is checked, the others are too many.
fn check_handler(pod: &Pod<'_, '_>, handler: Field<'_, '_>, kinds: &[&str], causes: &mut Causes) {
    let mut present = kinds.iter().filter(|kind| handler.key(kind).is_set());
    let Some(first) = present.next() else {
        causes.required(handler, format!("one of `{}` is needed", kinds.join("`, `")));
        return;
    };
    let action = handler.key(first);
    match *first {
        "exec" => {
            if action.key("command").count() == 0 {
                causes.required(action.key("command"), "a command is needed");
            }
        }
        "httpGet" => {
            check_port(action.key("port"), causes);
            one_of_if_written(action.key("scheme"), &["HTTP", "HTTPS"], causes);
            let headers = action.key("httpHeaders");
            for header in headers.items() {
                let name = header.key("name").text();
                if let Err(reason) = http_header_name(name) {
                    causes.invalid(headers, format!("`{name}` {reason}"));
                }
            }
        }
        "sleep" => check_sleep(pod, action, causes),
        _ => check_port(action.key("port"), causes),
    }
    for kind in present {
        causes.forbidden(handler.key(kind), format!("there is `{first}` already"));
    }
}

fn check_sleep(pod: &Pod<'_, '_>, action: Field<'_, '_>, causes: &mut Causes) {
    let seconds = action.key("seconds").int().unwrap_or(0);
    let grace = pod.spec.key("terminationGracePeriodSeconds").int().unwrap_or(GRACE);
    // Before 1.33, no time at all was refused.
    let least = i64::from(pod.release < (1, 33));
    if seconds < least || seconds > grace {
        causes.invalid(action, format!("`{seconds}` is not within {least} and {grace}, the time to end"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{check_pods, pod_of};

    #[test]
    fn handlers_and_their_numbers() {
        check_pods(&[
            ("livenessProbe: {httpGet: {port: none-such}, successThreshold: 0}", "", &[]),
            (
                "livenessProbe: {successThreshold: 2, periodSeconds: -1}",
                "",
                &[
                    "Required c.livenessProbe",
                    "Invalid c.livenessProbe.periodSeconds",
                    "Invalid c.livenessProbe.successThreshold",
                ],
            ),
            (
                "readinessProbe: {exec: {}, grpc: {port: 1}, terminationGracePeriodSeconds: 1}",
                "",
                &[
                    "Required c.readinessProbe.exec.command",
                    "Forbidden c.readinessProbe.grpc",
                    "Invalid c.readinessProbe.terminationGracePeriodSeconds",
                ],
            ),
            (
                "startupProbe: {httpGet: {port: 0, scheme: http, httpHeaders: [{name: a b}]}}",
                "",
                &[
                    "Invalid c.startupProbe.httpGet.port",
                    "Unsupported c.startupProbe.httpGet.scheme",
                    "Invalid c.startupProbe.httpGet.httpHeaders",
                ],
            ),
            (
                "lifecycle: {preStop: {sleep: {seconds: 31}}, postStart: {}}",
                "",
                &["Required c.lifecycle.postStart", "Invalid c.lifecycle.preStop.sleep"],
            ),
            ("lifecycle: {preStop: {sleep: {seconds: 31}}}", "terminationGracePeriodSeconds: 40", &[]),
            (
                "lifecycle: {stopSignal: SIGRTMIN+16}",
                "os: {name: linux}",
                &["Unsupported c.lifecycle.stopSignal"],
            ),
            ("lifecycle: {stopSignal: SIGRTMAX-14}", "os: {name: linux}", &[]),
            ("lifecycle: {stopSignal: SIGTERM}", "", &["Forbidden c.lifecycle.stopSignal"]),
        ]);
        let none = "lifecycle: {preStop: {sleep: {seconds: 0}}}";
        assert!(pod_of((1, 34), none, "").is_empty());
        assert_eq!(pod_of((1, 32), none, ""), ["Invalid c.lifecycle.preStop.sleep"]);
    }
}
