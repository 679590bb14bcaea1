//! Events, in both their APIs.

use super::require;
use crate::kube::formats::{check, check_text, dns_subdomain, qualified_name};
use crate::kube::{Causes, Field};

const LONGEST_WORD: usize = 128;
const LONGEST_NOTE: usize = 1024;

/// `Event` of `group`: the old API and the new one name fields differently.
pub(super) fn event(object: Field<'_, '_>, group: &str, causes: &mut Causes) {
    let new = group == "events.k8s.io";
    let metadata = object.key("metadata");
    let place = metadata.key("namespace");
    // Where none is written, it is the namespace of the request.
    let place = if place.text().is_empty() { "default" } else { place.text() };
    let about = object.key(if new { "regarding" } else { "involvedObject" });
    let of_object = about.key("namespace");
    let time = object.key("eventTime");
    if time.is_set() {
        if of_object.text().is_empty() && !matches!(place, "default" | "kube-system") {
            causes.invalid(of_object, format!("the Event is in the namespace `{place}`"));
        }
        let reporter = object.key(if new { "reportingController" } else { "reportingComponent" });
        require(reporter, causes);
        check(reporter, qualified_name, causes);
        for (key, most) in
            [("reportingInstance", LONGEST_WORD), ("action", LONGEST_WORD), ("reason", LONGEST_WORD)]
        {
            let field = object.key(key);
            require(field, causes);
            within(field, most, causes);
        }
        within(object.key(if new { "note" } else { "message" }), LONGEST_NOTE, causes);
    } else if of_object.text().is_empty() {
        if place != "default" {
            causes.invalid(of_object, format!("the Event is in the namespace `{place}`"));
        }
    } else if of_object.text() != place {
        causes.invalid(of_object, format!("the Event is in the namespace `{place}`"));
    }
    let written = metadata.key("namespace");
    check_text(object.alias("namespace", &written), place, dns_subdomain, causes);
    if new {
        check_new(object, causes);
    }
}

fn within(field: Field<'_, '_>, most: usize, causes: &mut Causes) {
    if field.text().len() > most {
        causes.invalid(field, format!("{} characters, {most} are allowed", field.text().len()));
    }
}

fn check_new(object: Field<'_, '_>, causes: &mut Causes) {
    let series = object.key("series");
    if series.is_set() {
        if series.key("count").int().unwrap_or(0) < 2 {
            causes.invalid(series.key("count"), "a series has two Events or more");
        }
        if !series.key("lastObservedTime").is_set() {
            causes.required(series.key("lastObservedTime"), "has to be set");
        }
    }
    if !object.key("eventTime").is_set() {
        causes.required(object.key("eventTime"), "has to be set");
    }
    if !matches!(object.key("type").text(), "Normal" | "Warning") {
        causes.invalid(object.key("type"), "is `Normal` or `Warning`");
    }
    let source = object.key("deprecatedSource");
    for (field, set) in [
        (object.key("deprecatedFirstTimestamp"), object.key("deprecatedFirstTimestamp").is_set()),
        (object.key("deprecatedLastTimestamp"), object.key("deprecatedLastTimestamp").is_set()),
        (object.key("deprecatedCount"), object.key("deprecatedCount").int().unwrap_or(0) != 0),
        (source, !source.key("component").text().is_empty() || !source.key("host").text().is_empty()),
    ] {
        if set {
            causes.invalid(field, "belongs to the old API");
        }
    }
}
