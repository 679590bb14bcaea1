//! What makes a schema structural: every field has a type of its own, and alternatives only narrow it.

use crate::kube::{Causes, Field};
use crate::pattern;

/// Where a schema stands.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

const ALTERNATIVES: &[&str] = &["allOf", "anyOf", "oneOf"];

fn is_true(schema: Field<'_, '_>, key: &str) -> bool {
    schema.key(key).truth() == Some(true)
}

/// Checks a whole schema.
pub(super) fn check(schema: Field<'_, '_>, causes: &mut Causes) {
    check_node(schema, Level::Root, causes);
    check_completeness(schema, schema, causes);
}

fn check_node(schema: Field<'_, '_>, level: Level, causes: &mut Causes) {
    let kind = schema.key("type");
    let (items, properties, values) =
        (schema.key("items"), schema.key("properties"), schema.key("additionalProperties"));
    let told = items.node().is_some_and(|node| node.as_map().is_some());
    if told {
        check_node(items, Level::Item, causes);
    } else if kind.text() == "array" {
        causes.required(items, "a list tells what its items are");
    }
    for (_, property) in properties.members() {
        check_node(property, Level::Field, causes);
    }
    if values.is_set() {
        if level == Level::Root {
            causes.forbidden(values, "a resource has the fields that are named and no others");
        }
        if values.truth().is_none() {
            check_node(values, Level::Field, causes);
        }
    }
    let embedded = is_true(schema, "x-kubernetes-embedded-resource");
    let preserved = is_true(schema, "x-kubernetes-preserve-unknown-fields");
    let either = is_true(schema, "x-kubernetes-int-or-string");
    if either && preserved {
        let field = schema.key("x-kubernetes-preserve-unknown-fields");
        causes.invalid(field, "an integer or string has no fields");
    }
    if either && embedded {
        causes.invalid(schema.key("x-kubernetes-embedded-resource"), "an integer or string is no resource");
    }
    check_values(schema, causes);
    check_type(schema, level, (embedded, preserved || either), causes);
    check_resource_fields(schema, level, embedded, causes);
    if embedded && !preserved && properties.count() == 0 {
        causes.required(properties, "a resource tells its fields, or keeps all of them");
    }
}

fn check_type(schema: Field<'_, '_>, level: Level, (embedded, free): (bool, bool), causes: &mut Causes) {
    let kind = schema.key("type");
    let values = schema.key("additionalProperties");
    if embedded && kind.text() != "object" {
        if kind.text().is_empty() {
            causes.required(kind, "a resource is an object");
        } else {
            causes.invalid(kind, "a resource is an object");
        }
    } else if kind.text().is_empty() && !free {
        let what = match level {
            Level::Root => "the root",
            Level::Item => "an item",
            Level::Field => "a field",
        };
        causes.required(kind, format!("{what} has a type"));
    }
    if embedded && values.is_set() {
        causes.forbidden(values, "a resource has the fields that are named");
    }
    if level == Level::Root && !matches!(kind.text(), "" | "object") {
        causes.invalid(kind, "the root is an object");
    }
}

/// The fields that every resource has.
fn check_resource_fields(schema: Field<'_, '_>, level: Level, embedded: bool, causes: &mut Causes) {
    let properties = schema.key("properties");
    let resource = level == Level::Root || embedded;
    for key in ["kind", "apiVersion"] {
        let property = properties.key(key);
        if resource && property.is_set() && property.key("type").text() != "string" {
            causes.invalid(property.key("type"), "is `string`");
        }
    }
    let metadata = properties.key("metadata");
    if !metadata.is_set() {
        return;
    }
    if resource && metadata.key("type").text() != "object" {
        causes.invalid(metadata.key("type"), "is `object`");
    }
    if level != Level::Root {
        return;
    }
    let inner = metadata.key("properties");
    let named = inner.count() > 0 && inner.members().all(|(key, _)| matches!(key, "name" | "generateName"));
    let plain = metadata.members().all(|(key, member)| match key {
        "type" | "default" | "example" | "externalDocs" => true,
        "properties" => member.count() == 0 || named,
        _ => !member.is_set() || member.truth() == Some(false) || is_empty(member),
    });
    if !plain {
        causes.forbidden(metadata, "nothing but `name` and `generateName` is told of the metadata");
    }
}

fn is_empty(member: Field<'_, '_>) -> bool {
    member.node().is_some_and(|node| node.as_str() == Some("") || node.as_list().is_some_and(<[_]>::is_empty))
}

/// Whether the alternatives are the well-known way of saying "an integer or a string".
fn is_int_or_string(alternatives: Field<'_, '_>) -> bool {
    alternatives.count() == 2
        && alternatives
            .items()
            .zip(["integer", "string"])
            .all(|(alternative, kind)| alternative.count() == 1 && alternative.key("type").text() == kind)
}

/// The alternatives and the pattern of a schema.
fn check_values(schema: Field<'_, '_>, causes: &mut Causes) {
    for key in ALTERNATIVES {
        let alternatives = schema.key(key);
        if *key == "anyOf" && is_int_or_string(alternatives) {
            continue;
        }
        for (index, alternative) in alternatives.items().enumerate() {
            let any = alternative.key("anyOf");
            let known = *key == "allOf" && index == 0 && is_int_or_string(any);
            check_narrowing(alternative, known, causes);
        }
    }
    if schema.key("not").is_set() {
        check_narrowing(schema.key("not"), false, causes);
    }
    check_pattern(schema.key("pattern"), causes);
}

fn check_pattern(expression: Field<'_, '_>, causes: &mut Causes) {
    if !expression.text().is_empty()
        && pattern::translate(expression.text().as_bytes(), pattern::Groups::Ignore).is_err()
    {
        causes.invalid(expression, format!("`{}` is no regular expression of RE2", expression.text()));
    }
}

/// A schema that only narrows: it has no type, no default and no words of its own.
fn check_narrowing(schema: Field<'_, '_>, int_or_string: bool, causes: &mut Causes) {
    for key in ALTERNATIVES {
        if *key == "anyOf" && int_or_string {
            continue;
        }
        for alternative in schema.key(key).items() {
            check_narrowing(alternative, false, causes);
        }
    }
    if schema.key("not").is_set() {
        check_narrowing(schema.key("not"), false, causes);
    }
    check_pattern(schema.key("pattern"), causes);
    if schema.key("items").is_set() {
        check_narrowing(schema.key("items"), false, causes);
    }
    for (_, property) in schema.key("properties").members() {
        check_narrowing(property, false, causes);
    }
    for key in ["type", "title", "description", "x-kubernetes-list-type", "x-kubernetes-map-type"] {
        let field = schema.key(key);
        // An empty type of a list is one, an empty word is none.
        if field.is_set() && (key.starts_with("x-") || !field.text().is_empty()) {
            causes.forbidden(field, "belongs to the schema that is narrowed");
        }
    }
    for key in [
        "nullable",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
    ] {
        if is_true(schema, key) {
            causes.forbidden(schema.key(key), "belongs to the schema that is narrowed");
        }
    }
    for key in ["additionalProperties", "default"] {
        if schema.key(key).is_set() {
            causes.forbidden(schema.key(key), "belongs to the schema that is narrowed");
        }
    }
    for key in ["x-kubernetes-list-map-keys", "x-kubernetes-validations"] {
        if schema.key(key).count() > 0 {
            causes.forbidden(schema.key(key), "belongs to the schema that is narrowed");
        }
    }
    let properties = schema.key("properties");
    if properties.key("metadata").is_set() {
        causes.forbidden(properties.key("metadata"), "the metadata is not narrowed");
    }
}

/// What alternatives speak of has to be there: `narrowing` is held against `spine`.
fn check_completeness(narrowing: Field<'_, '_>, spine: Field<'_, '_>, causes: &mut Causes) {
    for key in ALTERNATIVES {
        for alternative in narrowing.key(key).items() {
            check_complete(alternative, spine, causes);
        }
    }
    if narrowing.key("not").is_set() {
        check_complete(narrowing.key("not"), spine, causes);
    }
}

fn check_complete(narrowing: Field<'_, '_>, spine: Field<'_, '_>, causes: &mut Causes) {
    if !spine.is_set() {
        causes.required(spine, format!("`{}` speaks of it", narrowing.path()));
        return;
    }
    check_completeness(narrowing, spine, causes);
    if narrowing.key("items").is_set() {
        check_complete(narrowing.key("items"), spine.key("items"), causes);
    }
    let properties = spine.key("properties");
    for (key, property) in narrowing.key("properties").members() {
        check_complete(property, properties.key(key), causes);
    }
}
