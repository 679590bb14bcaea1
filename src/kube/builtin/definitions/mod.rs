//! `CustomResourceDefinitions`: names, versions, conversion, columns, subresources; their schemas in the files beside.
//!
//! A server gathers what all versions have in common before it looks at it. Here each version is looked at where it
//! stands, and what is the same in all of them is told once.

mod openapi;
mod paths;
mod structural;

use super::hooks::{check_review_versions, check_service, check_url};
use super::require;
use crate::kube::custom::{compile, defaults};
use crate::kube::formats::{check, check_text, dns_1035_label, dns_subdomain};
use crate::kube::{CauseKind, Causes, Field};
use crate::schema::kinds::Minor;
use std::collections::BTreeSet;

const APPROVAL: &str = "api-approved.kubernetes.io";
const LONGEST_WARNING: usize = 256;
const COLUMN_FORMATS: &[&str] =
    &["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const COLUMN_TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];
/// Members of a schema that its root may have where there is a status.
const AT_ROOT: &[&str] = &[
    "description",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Checks a definition.
pub(super) fn definition(object: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let (group, names, name) = (spec.key("group"), spec.key("names"), metadata.key("name"));
    let wanted = format!("{}.{}", names.key("plural").text(), group.text());
    if !name.text().is_empty() && name.text() != wanted {
        causes.invalid(name, format!("its plural and its group make it `{wanted}`"));
    }
    check_group(group, causes);
    if require(spec.key("scope"), causes) {
        causes.one_of(spec.key("scope"), spec.key("scope").text(), &["Cluster", "Namespaced"]);
    }
    check_names(names, causes);
    check_versions(spec.key("versions"), release, causes);
    check_conversion(spec.key("conversion"), causes);
    check_preservation(spec, causes);
    check_approval(object, causes);
}

fn check_group(group: Field<'_, '_>, causes: &mut Causes) {
    if !require(group, causes) {
        return;
    }
    if dns_subdomain(group.text()).is_err() {
        check(group, dns_subdomain, causes);
    } else if !group.text().contains('.') {
        causes.invalid(group, format!("`{}` is no domain of two labels or more", group.text()));
    }
}

fn check_names(names: Field<'_, '_>, causes: &mut Causes) {
    let (plural, singular) = (names.key("plural"), names.key("singular"));
    let (kind, list) = (names.key("kind"), names.key("listKind"));
    if require(plural, causes) {
        check(plural, dns_1035_label, causes);
    }
    // A missing singular is the kind in lower case; a missing kind of lists is the kind and `List`.
    if require(kind, causes) {
        check_text(kind, &kind.text().to_lowercase(), dns_1035_label, causes);
        if list.text() == kind.text() {
            causes.invalid(list, "a list is of another kind than its items");
        }
    } else if list.text().is_empty() {
        causes.required(list, "there is no kind to make it of");
    }
    if !singular.text().is_empty() {
        check(singular, dns_1035_label, causes);
    } else if kind.text().is_empty() {
        causes.required(singular, "there is no kind to make it of");
    } else if kind.text().to_lowercase().len() > 63 || dns_1035_label(&kind.text().to_lowercase()).is_err() {
        check_text(singular, &kind.text().to_lowercase(), dns_1035_label, causes);
    }
    if !list.text().is_empty() {
        check_text(list, &list.text().to_lowercase(), dns_1035_label, causes);
    } else if !kind.text().is_empty() {
        check_text(list, &format!("{}list", kind.text().to_lowercase()), dns_1035_label, causes);
    }
    for key in ["shortNames", "categories"] {
        for name in names.key(key).items() {
            check(name, dns_1035_label, causes);
        }
    }
}

fn check_versions(versions: Field<'_, '_>, release: Minor, causes: &mut Causes) {
    let mut names = BTreeSet::new();
    let mut stored = 0;
    let mut unique = true;
    for (index, version) in versions.items().enumerate() {
        let name = version.key("name");
        unique &= names.insert(name.text());
        stored += usize::from(version.key("storage").truth() == Some(true));
        check(name, dns_1035_label, causes);
        check_deprecation(version, causes);
        let schema = version.key("schema");
        let schema = schema.key("openAPIV3Schema");
        if !schema.is_set() {
            causes.required(schema, "without a schema, no field is kept");
        }
        let before = |key: &str| (0..index).any(|earlier| is_same(versions.index(earlier), version, key));
        if schema.is_set() && !before("schema") {
            let subresources = version.key("subresources");
            check_schema(schema, subresources.key("status").is_set(), release, causes);
        }
        if !before("subresources") {
            let subresources = version.key("subresources");
            check_scale(subresources.key("scale"), causes);
        }
        if !before("additionalPrinterColumns") {
            for column in version.key("additionalPrinterColumns").items() {
                check_column(column, causes);
            }
        }
    }
    check_selectable(versions, causes);
    if !unique {
        causes.invalid(versions, "two versions have the same name");
    }
    if stored != 1 {
        causes.invalid(versions, format!("{stored} versions are stored, where one has to be"));
    }
}

/// A server puts together what all versions have in common, and then misses the schema beside the fields, or the other
/// way round, where it did so with one of the two.
fn check_selectable(versions: Field<'_, '_>, causes: &mut Causes) {
    let same = |key: &str| {
        let first = versions.index(0);
        versions.items().all(|version| {
            let empty = version.key(key).count() + first.key(key).count() == 0;
            empty || version.key(key).node() == first.key(key).node()
        })
    };
    let (schemas, fields) = (same("schema"), same("selectableFields"));
    for (index, version) in versions.items().enumerate() {
        let selectable = version.key("selectableFields");
        if selectable.count() > 0 && schemas != fields {
            if index == 0 || !fields {
                let fault =
                    "versions of one schema have the same fields to select by, others have other ones";
                causes.invalid(selectable, fault);
            }
        } else if index == 0 || !fields {
            let schema = version.key("schema");
            paths::check_selectable(selectable, schema.key("openAPIV3Schema"), causes);
        }
    }
}

/// Whether two versions have the same under a key.
fn is_same(one: Field<'_, '_>, other: Field<'_, '_>, key: &str) -> bool {
    one.key(key).is_set() && one.key(key).node() == other.key(key).node()
}

fn check_deprecation(version: Field<'_, '_>, causes: &mut Causes) {
    let warning = version.key("deprecationWarning");
    if !warning.is_set() {
        return;
    }
    let text = warning.text();
    if version.key("deprecated").truth() != Some(true) {
        causes.invalid(warning, "the version is not deprecated");
    } else if text.is_empty() {
        causes.invalid(warning, "is empty");
    } else if text.len() > LONGEST_WARNING {
        causes.invalid(warning, format!("{} characters, {LONGEST_WARNING} are allowed", text.len()));
    } else if text.chars().any(char::is_control) {
        causes.invalid(warning, "has a character that cannot be printed");
    }
}

fn check_schema(schema: Field<'_, '_>, has_status: bool, release: Minor, causes: &mut Causes) {
    if has_status {
        check_root(schema, causes);
    }
    if schema.key("nullable").truth() == Some(true) {
        causes.forbidden(schema.key("nullable"), "a resource is not null");
    }
    let before = causes.len();
    if !openapi::has_unsupported(schema) {
        structural::check(schema, causes);
        if causes.len() == before && holds(schema, "default") {
            defaults::check(schema, release.1, causes);
        }
    }
    // What is not structural has no rules that could be compiled, and neither has what is wrong otherwise.
    let sound = causes.len() == before;
    openapi::check(schema, causes);
    if sound && causes.len() == before && holds(schema, "x-kubernetes-validations") {
        compile::rules(schema, release.1, causes);
    }
}

/// Whether a member of this name stands anywhere in it: without one, there is no need to compile the schema.
fn holds(schema: Field<'_, '_>, key: &str) -> bool {
    schema.members().any(|(name, member)| name == key || holds(member, key))
        || schema.items().any(|item| holds(item, key))
}

fn check_root(schema: Field<'_, '_>, causes: &mut Causes) {
    let kind = schema.key("type");
    if !matches!(kind.text(), "" | "object") {
        causes.invalid(kind, "where there is a status, the root is an object");
        return;
    }
    let empty = |member: Field<'_, '_>| {
        member.truth() == Some(false) || (member.node().is_some_and(|node| node.as_str() == Some("")))
    };
    let other =
        schema.members().find(|(key, member)| !AT_ROOT.contains(key) && member.is_set() && !empty(*member));
    if let Some((key, _)) = other {
        causes.invalid(schema, format!("where there is a status, the root does not have `{key}`"));
    }
}

fn check_scale(scale: Field<'_, '_>, causes: &mut Causes) {
    if !scale.is_set() {
        return;
    }
    for (key, roots) in [
        ("specReplicasPath", &[".spec."][..]),
        ("statusReplicasPath", &[".status."]),
        ("labelSelectorPath", &[".spec.", ".status."]),
    ] {
        let path = scale.key(key);
        if path.text().is_empty() {
            if key != "labelSelectorPath" {
                causes.required(path, "has to be set");
            }
        } else if !path.text().starts_with('.') {
            causes.invalid(path, format!("`{}` is no path that starts with `.`", path.text()));
        } else if !roots.iter().any(|root| path.text().starts_with(root)) {
            causes.invalid(path, format!("`{}` does not lead below `{}`", path.text(), roots.join("` or `")));
        }
    }
}

fn check_column(column: Field<'_, '_>, causes: &mut Causes) {
    require(column.key("name"), causes);
    let (kind, format, path) = (column.key("type"), column.key("format"), column.key("jsonPath"));
    if require(kind, causes) && !COLUMN_TYPES.contains(&kind.text()) {
        let known = COLUMN_TYPES.join("`, `");
        causes.at_with_help(
            kind,
            CauseKind::Invalid,
            format!("`{}` is no type of a column", kind.text()),
            format!("write one of `{known}`"),
        );
    }
    if !format.text().is_empty() && !COLUMN_FORMATS.contains(&format.text()) {
        causes.invalid(format, format!("`{}` is no format of a column", format.text()));
    }
    if require(path, causes) && !path.text().starts_with('.') {
        causes.invalid(path, format!("`{}` is no path that starts with `.`", path.text()));
    }
}

fn check_conversion(conversion: Field<'_, '_>, causes: &mut Causes) {
    if !conversion.is_set() {
        return;
    }
    let (strategy, webhook) = (conversion.key("strategy"), conversion.key("webhook"));
    if require(strategy, causes) {
        causes.one_of(strategy, strategy.text(), &["None", "Webhook"]);
    }
    let (client, versions) = (webhook.key("clientConfig"), webhook.key("conversionReviewVersions"));
    if strategy.text() != "Webhook" {
        if client.is_set() {
            causes.forbidden(client, "the strategy is not `Webhook`");
        }
        if versions.count() > 0 {
            causes.forbidden(versions, "the strategy is not `Webhook`");
        }
        return;
    }
    let (url, service) = (client.key("url"), client.key("service"));
    match (client.is_set(), url.is_set(), service.is_set()) {
        (false, ..) => causes.required(client, "the strategy is `Webhook`"),
        (true, true, false) => check_url(url, causes),
        (true, false, true) => check_service(service, causes),
        _ => causes.required(client, "either `url` or `service` is needed"),
    }
    check_review_versions(versions, causes);
}

fn check_preservation(spec: Field<'_, '_>, causes: &mut Causes) {
    let preserved = spec.key("preserveUnknownFields");
    if preserved.truth() != Some(true) {
        return;
    }
    causes.invalid(preserved, "write `x-kubernetes-preserve-unknown-fields` into the schema instead");
    let conversion = spec.key("conversion");
    let strategy = conversion.key("strategy");
    if conversion.is_set() && strategy.text() != "None" {
        causes.invalid(strategy, "where unknown fields are kept, nothing is converted");
    }
}

fn check_approval(object: Field<'_, '_>, causes: &mut Causes) {
    let (spec, metadata) = (object.key("spec"), object.key("metadata"));
    let group = spec.key("group").text();
    let protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if !protected {
        return;
    }
    let annotations = metadata.key("annotations");
    let annotation = annotations.key(APPROVAL);
    let approved = crate::expr::net::Url::parse(annotation.text())
        .is_some_and(|url| !url.scheme.is_empty() && !url.host.is_empty());
    if annotation.text().is_empty() {
        causes
            .required(annotation, format!("`{group}` belongs to Kubernetes: who approved it has to be told"));
    } else if !approved && !annotation.text().starts_with("unapproved") {
        causes.invalid(annotation, "is neither a URL nor a reason that starts with `unapproved`");
    }
}
