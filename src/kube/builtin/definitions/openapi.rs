//! What a schema may say at all, and what list types, map types and rules ask of it.

use super::paths::{Brackets, leads};
use crate::kube::{Causes, Field};
use std::collections::BTreeSet;

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];
const REASONS: &[&str] =
    &["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
/// Words of JSON Schema that a definition does not have.
const UNSUPPORTED: &[&str] =
    &["$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"];
const ALTERNATIVES: &[&str] = &["allOf", "oneOf", "anyOf"];

/// What is known of a schema by where it stands.
#[derive(Copy, Clone, Default)]
struct Place {
    root: bool,
    /// Within the fields that every resource has.
    resource: bool,
    /// Why there may be no default.
    no_defaults: bool,
}

/// Whether a schema has words that keep a server from reading it.
pub(super) fn has_unsupported(schema: Field<'_, '_>) -> bool {
    if !schema.is_set() {
        return false;
    }
    let has = UNSUPPORTED.iter().chain(&["$schema"]).any(|key| is_said(schema.key(key)));
    let listed = schema.key("items").node().is_some_and(|items| items.as_list().is_some());
    let refused = schema.key("x-kubernetes-preserve-unknown-fields").truth() == Some(false);
    has || listed
        || refused
        || schema.key("properties").members().any(|(_, part)| has_unsupported(part))
        || ["items", "additionalProperties", "not"].iter().any(|key| has_unsupported(schema.key(key)))
        || ALTERNATIVES.iter().any(|key| schema.key(key).items().any(has_unsupported))
}

fn is_said(field: Field<'_, '_>) -> bool {
    field.count() > 0 || !field.text().is_empty() || field.truth().is_some()
}

/// Checks a whole schema.
pub(super) fn check(schema: Field<'_, '_>, causes: &mut Causes) {
    check_node(schema, Place { root: true, ..Place::default() }, causes);
}

fn check_node(schema: Field<'_, '_>, place: Place, causes: &mut Causes) {
    check_words(schema, place, causes);
    let (properties, values, items) =
        (schema.key("properties"), schema.key("additionalProperties"), schema.key("items"));
    if values.is_set() {
        if properties.count() > 0 && values.truth() != Some(true) {
            causes.forbidden(values, "`properties` and `additionalProperties` exclude each other");
        }
        if values.truth().is_none() {
            let no_defaults = place.no_defaults || place.resource;
            check_node(values, Place { root: false, no_defaults, ..place }, causes);
        }
    }
    let embedded = schema.key("x-kubernetes-embedded-resource").truth() == Some(true);
    for (key, property) in properties.members() {
        let of_all = (place.root || embedded) && matches!(key, "metadata" | "kind" | "apiVersion");
        let below = Place {
            root: false,
            resource: place.resource || of_all,
            no_defaults: place.no_defaults || (of_all && place.root),
        };
        check_node(property, below, causes);
    }
    let below = Place { root: false, ..place };
    if schema.key("not").is_set() {
        check_node(schema.key("not"), below, causes);
    }
    for key in ALTERNATIVES {
        for part in schema.key(key).items() {
            check_node(part, below, causes);
        }
    }
    if items.is_set() {
        match items.node().and_then(|node| node.as_list()) {
            Some(_) => items.items().for_each(|item| check_node(item, below, causes)),
            None => check_node(items, below, causes),
        }
    }
    let preserved = schema.key("x-kubernetes-preserve-unknown-fields");
    if preserved.truth() == Some(false) {
        causes.invalid(preserved, "is `true` or not there");
    }
    check_map_type(schema, causes);
    check_list_type(schema, causes);
    check_rules(schema, causes);
}

fn check_words(schema: Field<'_, '_>, place: Place, causes: &mut Causes) {
    let kind = schema.key("type");
    if !kind.text().is_empty() {
        causes.one_of(kind, kind.text(), TYPES);
    }
    if kind.text() == "null" {
        causes.forbidden(kind, "write `nullable: true` instead");
    }
    if place.no_defaults && schema.key("default").is_set() {
        causes.forbidden(schema.key("default"), "what every resource has takes no defaults");
    }
    for key in UNSUPPORTED {
        if is_said(schema.key(key)) {
            causes.forbidden(schema.key(key), format!("definitions have no `{key}`"));
        }
    }
    if schema.key("items").node().is_some_and(|items| items.as_list().is_some_and(|items| !items.is_empty()))
    {
        causes.forbidden(schema.key("items"), "is one schema, not a list of them");
    }
    let embedded = schema.key("x-kubernetes-embedded-resource");
    if place.resource && embedded.truth() == Some(true) {
        causes.forbidden(embedded, "the metadata of a resource holds no resource");
    }
    if schema.key("uniqueItems").truth() == Some(true) {
        causes.forbidden(schema.key("uniqueItems"), "write `x-kubernetes-list-type: set` instead");
    }
}

/// The type that a list type or a map type asks for.
fn check_kind(schema: Field<'_, '_>, wanted: &str, causes: &mut Causes) -> bool {
    let kind = schema.key("type");
    if kind.text() == wanted {
        return true;
    }
    let fault = format!("is `{wanted}` here");
    if kind.text().is_empty() {
        causes.required(kind, fault);
    } else {
        causes.invalid(kind, fault);
    }
    false
}

fn check_map_type(schema: Field<'_, '_>, causes: &mut Causes) {
    let map = schema.key("x-kubernetes-map-type");
    if map.is_set() {
        check_kind(schema, "object", causes);
        causes.one_of(map, map.text(), &["atomic", "granular"]);
    }
}

fn check_list_type(schema: Field<'_, '_>, causes: &mut Causes) {
    let (list, keys, items) =
        (schema.key("x-kubernetes-list-type"), schema.key("x-kubernetes-list-map-keys"), schema.key("items"));
    if list.is_set() {
        let of_kind = check_kind(schema, "array", causes);
        if of_kind && list.text() == "set" {
            check_set_items(items, causes);
        }
        causes.one_of(list, list.text(), &["atomic", "set", "map"]);
    }
    if keys.count() > 0 && list.text() != "map" {
        let fault = "with `x-kubernetes-list-map-keys`, it is `map`";
        if list.is_set() {
            causes.invalid(list, fault);
        } else {
            causes.required(list, fault);
        }
    }
    if list.text() == "map" {
        check_map_list(keys, items, causes);
    }
    if matches!(list.text(), "map" | "set") && items.key("nullable").truth() == Some(true) {
        causes.forbidden(items.key("nullable"), format!("items of a `{}` are not null", list.text()));
    }
}

fn check_set_items(items: Field<'_, '_>, causes: &mut Causes) {
    let (list, map) = (items.key("x-kubernetes-list-type"), items.key("x-kubernetes-map-type"));
    match items.key("type").text() {
        "array" if list.is_set() && list.text() != "atomic" => {
            causes.invalid(list, "items of a set are `atomic`");
        }
        "object" if map.text() != "atomic" => causes.invalid(map, "items of a set are `atomic`"),
        _ => {}
    }
}

fn check_map_list(keys: Field<'_, '_>, items: Field<'_, '_>, causes: &mut Causes) {
    if keys.count() == 0 {
        causes.required(keys, "a list that is a map has keys");
    }
    if !items.is_set() {
        causes.required(items, "a list that is a map tells what its items are");
        return;
    }
    if items.node().is_some_and(|node| node.as_list().is_some()) {
        causes.invalid(items, "is one schema");
        return;
    }
    let object = items.key("type").text() == "object";
    if !object {
        causes.invalid(items.key("type"), "items of a list that is a map are objects");
    }
    let properties = items.key("properties");
    let mut seen = BTreeSet::new();
    for key in keys.items() {
        let property = properties.key(key.text());
        if object {
            if !property.is_set() {
                causes.invalid(keys, format!("the items have no `{}`", key.text()));
            } else if matches!(property.key("type").text(), "array" | "object") {
                causes.invalid(property.key("type"), "the key of a map is neither a list nor an object");
            }
            if !seen.insert(key.text()) {
                causes.invalid(keys, format!("`{}` stands twice", key.text()));
            }
        }
        if !property.is_set() {
            continue;
        }
        let required = items.key("required").items().any(|name| name.text() == key.text());
        if !required && !property.key("default").is_set() {
            causes.required(property.key("default"), "the key of a map is required, or has a default");
        }
        if property.key("nullable").truth() == Some(true) {
            causes.forbidden(property.key("nullable"), "the key of a map is not null");
        }
    }
}

fn check_rules(schema: Field<'_, '_>, causes: &mut Causes) {
    for rule in schema.key("x-kubernetes-validations").items() {
        let (text, message, reason, path) =
            (rule.key("rule"), rule.key("message"), rule.key("reason"), rule.key("fieldPath"));
        let lines = |text: &str| text.contains(['\n', '\r']);
        let (trimmed, said) = (text.text().trim(), message.text().trim());
        if trimmed.is_empty() {
            causes.required(text, "a rule is an expression");
        } else if !message.text().is_empty() && said.is_empty() {
            causes.invalid(message, "is made of blanks");
        } else if lines(said) {
            causes.invalid(message, "has more than one line");
        } else if lines(trimmed) && said.is_empty() {
            causes.required(message, "a rule of several lines has a message");
        }
        let computed = rule.key("messageExpression");
        if !computed.text().is_empty() && computed.text().trim().is_empty() {
            causes.required(computed, "is made of blanks");
        }
        if reason.is_set() {
            causes.one_of(reason, reason.text(), REASONS);
        }
        if path.text().is_empty() {
            continue;
        }
        if path.text().trim().is_empty() {
            causes.invalid(path, "is made of blanks");
        }
        if lines(path.text()) {
            causes.invalid(path, "has more than one line");
        }
        if !has_unsupported(schema) && !leads(path.text(), schema, Brackets::Allowed, &mut |_, _| {}) {
            causes.invalid(path, format!("`{}` leads to no field", path.text()));
        }
    }
}
