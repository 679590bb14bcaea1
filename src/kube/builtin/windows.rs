//! Pods of Windows, and what the operating system that a Pod names allows.

use super::annotations::CONTAINERS;
use super::pods::Pod;
use crate::kube::formats::{check, dns_label, dns_subdomain};
use crate::kube::{Causes, Field};

const SYSTEMS: &[&str] = &["linux", "windows"];
const LONGEST_SPECIFICATION: usize = 64 * 1024;
const LONGEST_DOMAIN: usize = 255;
const LONGEST_USER: usize = 104;

/// `windowsOptions` of a security context.
pub(super) fn check_options(options: Field<'_, '_>, causes: &mut Causes) {
    let (name, specification, user) = (
        options.key("gmsaCredentialSpecName"),
        options.key("gmsaCredentialSpec"),
        options.key("runAsUserName"),
    );
    if name.is_set() {
        check(name, dns_subdomain, causes);
    }
    if specification.is_set() {
        if specification.text().is_empty() {
            causes.invalid(specification, "is empty");
        } else if specification.text().len() > LONGEST_SPECIFICATION {
            causes.invalid(specification, format!("has more than {LONGEST_SPECIFICATION} bytes"));
        }
    }
    if user.is_set()
        && let Err(reason) = user_name(user.text())
    {
        causes.invalid(user, format!("`{}` {reason}", user.text()));
    }
}

/// A user of Windows, with or without a domain.
fn user_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("has a control character");
    }
    let (domain, user) = match text.split_once('\\') {
        Some((_, user)) if user.contains('\\') => return Err("has more than one backslash"),
        Some((domain, user)) => (Some(domain), user),
        None => (None, text),
    };
    if let Some(domain) = domain {
        if domain.len() > LONGEST_DOMAIN {
            return Err("has a domain of more than 255 characters");
        }
        if !is_net_bios(domain)
            && !domain.split('.').all(|label| dns_label(&label.to_ascii_lowercase()).is_ok())
        {
            return Err("has a domain that is neither one of NetBIOS nor one of DNS");
        }
    }
    match user {
        "" => Err("has no user"),
        _ if user.len() > LONGEST_USER => Err("has a user of more than 104 characters"),
        _ if user.chars().all(|mark| matches!(mark, '.' | ' ')) => Err("has a user of dots and blanks"),
        _ if user
            .contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) =>
        {
            Err("has a user with a character that is not allowed")
        }
        _ => Ok(()),
    }
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

/// Containers that run as processes of the node: all of a Pod or none.
pub(super) fn check_host_process(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let of =
        |owner: Field<'_, '_>| owner.key("securityContext").key("windowsOptions").key("hostProcess").truth();
    let whole = of(pod.spec);
    let (mut all, mut processes) = (0_usize, 0_usize);
    for list in CONTAINERS {
        for container in pod.spec.key(list).items() {
            all += 1;
            let own = of(container);
            if let (Some(whole), Some(own)) = (whole, own)
                && whole != own
            {
                let context = container.key("securityContext");
                let options = context.key("windowsOptions");
                causes.invalid(options.key("hostProcess"), format!("the Pod says `{whole}`"));
            }
            processes += usize::from(own.or(whole) == Some(true));
        }
    }
    if processes > 0 {
        if processes != all {
            causes.invalid(pod.spec, "some containers are processes of the node, and others are not");
        }
        if !pod.says("hostNetwork") {
            causes.invalid(pod.spec.key("hostNetwork"), "processes of the node are in its network");
        }
    }
}

/// What a Pod may say that names its operating system.
pub(super) fn check_system(pod: &Pod<'_, '_>, causes: &mut Causes) {
    let system = pod.spec.key("os");
    if !system.is_set() {
        return;
    }
    let context = pod.spec.key("securityContext");
    match pod.system() {
        "" => causes.required(system.key("name"), "has to be set"),
        "linux" => {
            let mut refuse = |context: Field<'_, '_>| {
                if context.key("windowsOptions").is_set() {
                    causes.forbidden(context.key("windowsOptions"), "the Pod is one of Linux");
                }
            };
            refuse(context);
            for list in CONTAINERS {
                let list = pod.spec.key(list);
                list.items().for_each(|container| refuse(container.key("securityContext")));
            }
        }
        "windows" => check_windows(pod, context, causes),
        other => causes.unsupported(system, other, SYSTEMS),
    }
}

fn check_windows(pod: &Pod<'_, '_>, context: Field<'_, '_>, causes: &mut Causes) {
    const OF_PODS: &[&str] = &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ];
    const OF_CONTAINERS: &[&str] = &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let mut refuse = |field: Field<'_, '_>, written: bool| {
        if written {
            causes.forbidden(field, "the Pod is one of Windows");
        }
    };
    for key in OF_PODS {
        refuse(context.key(key), context.key(key).is_set());
    }
    refuse(context.key("sysctls"), context.key("sysctls").count() > 0);
    for key in ["hostUsers", "shareProcessNamespace"] {
        refuse(pod.spec.key(key), pod.spec.key(key).is_set());
    }
    for key in ["hostPID", "hostIPC"] {
        refuse(pod.spec.key(key), pod.says(key));
    }
    for list in CONTAINERS {
        for container in pod.spec.key(list).items() {
            let context = container.key("securityContext");
            for key in OF_CONTAINERS {
                refuse(context.key(key), context.key(key).is_set());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::check_pods;
    use super::user_name;

    #[test]
    fn systems_have_their_own_options() {
        let process = "securityContext: {windowsOptions: {hostProcess: true}}";
        check_pods(&[
            ("", "os: {name: ''}", &["Required os.name"]),
            ("", "os: {name: mac}", &["Unsupported os"]),
            (
                process,
                "os: {name: linux}, hostNetwork: true",
                &["Forbidden c.securityContext.windowsOptions"],
            ),
            (process, "", &["Invalid hostNetwork"]),
            (process, "hostNetwork: true, initContainers: [{name: b, image: i}]", &["Invalid spec"]),
            (
                process,
                "hostNetwork: true, securityContext: {windowsOptions: {hostProcess: false}}",
                &["Invalid c.securityContext.windowsOptions.hostProcess"],
            ),
            (
                "securityContext: {privileged: false}",
                "os: {name: windows}, hostIPC: true, securityContext: {fsGroup: 1}",
                &[
                    "Forbidden securityContext.fsGroup",
                    "Forbidden hostIPC",
                    "Forbidden c.securityContext.privileged",
                ],
            ),
        ]);
    }

    #[test]
    fn users_may_have_a_domain() {
        for good in ["a", "NT AUTHORITY\\SYSTEM", "D.x\\u", "a b"] {
            assert_eq!(user_name(good), Ok(()), "{good}");
        }
        let long = "a".repeat(105);
        for bad in ["", "a\\b\\c", "\\u", ".d\\u", "d\\", "..", "a:b", "a\tb", &long] {
            assert!(user_name(bad).is_err(), "{bad}");
        }
    }
}
