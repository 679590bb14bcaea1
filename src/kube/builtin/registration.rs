//! `APIServices`.

use super::require;
use crate::kube::formats::{check, dns_1035_label, dns_subdomain, is_port};
use crate::kube::{Causes, Field};

const HIGHEST_GROUP: i64 = 20_000;
const HIGHEST_VERSION: i64 = 1000;

/// `APIService`; its name is made of its version and its group.
pub(super) fn api_service(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let (group, version, name) = (spec.key("group"), spec.key("version"), metadata.key("name"));
    let wanted = format!("{}.{}", version.text(), group.text());
    // A name that is missing, or no name at all, is told elsewhere.
    if !name.text().is_empty() && super::path_segment(name.text()).is_ok() && name.text() != wanted {
        causes.invalid(name, format!("its version and its group make it `{wanted}`"));
    }
    if !group.text().is_empty() {
        check(group, dns_subdomain, causes);
    } else if version.text() != "v1" {
        causes.required(group, "only the version `v1` has a group without a name");
    }
    check(version, dns_1035_label, causes);
    for (key, highest) in [("groupPriorityMinimum", HIGHEST_GROUP), ("versionPriority", HIGHEST_VERSION)] {
        let field = spec.key(key);
        if !(1..=highest).contains(&field.int().unwrap_or(0)) {
            causes.invalid(field, format!("is 1 to {highest}"));
        }
    }
    let (service, bundle, insecure) =
        (spec.key("service"), spec.key("caBundle"), spec.key("insecureSkipTLSVerify"));
    let (bundled, insecure_set) = (!bundle.text().is_empty(), insecure.truth() == Some(true));
    if !service.is_set() {
        if bundled {
            causes.invalid(bundle, "an API of the server itself has none");
        }
        if insecure_set {
            causes.invalid(insecure, "an API of the server itself has none");
        }
        return;
    }
    require(service.key("namespace"), causes);
    require(service.key("name"), causes);
    let port = service.key("port");
    if port.int().is_some_and(|number| !is_port(number)) {
        super::check_port_number(port, causes);
    }
    if insecure_set && bundled {
        causes.invalid(insecure, "excludes `caBundle`");
    }
}
