//! The defaults of a definition, held against the schemas that they belong to: what a server refuses when the definition
//! itself is created.

use super::schema::{Below, Schema};
use super::{check as values, decode, rules};
use crate::kube::{CauseKind, Causes, Field};
use crate::value::Node;

/// Checks all defaults of a schema (`openAPIV3Schema`).
pub(in crate::kube) fn check(schema: Field<'_, '_>, minor: u32, causes: &mut Causes) {
    if let Some(node) = schema.node() {
        walk(schema, &Schema::of_resource(node, minor), causes);
    }
}

fn walk(at: Field<'_, '_>, schema: &Schema, causes: &mut Causes) {
    if !schema.below.has(Below::DEFAULTS) {
        return;
    }
    let default = at.key("default");
    if let Some(value) = default.node() {
        one(default, value, schema, causes);
    }
    if let Some(items) = schema.items.as_deref() {
        walk(at.key("items"), items, causes);
    }
    for (key, property) in at.key("properties").members() {
        // What every resource has is held against rules of its own, which no default of a definition breaks in practice.
        let of_all = (schema.resource || schema.embedded) && decode::OF_ALL.contains(&key);
        if let Some(schema) = schema.properties.get(key).filter(|_| !of_all) {
            walk(property, schema, causes);
        }
    }
}

fn one(at: Field<'_, '_>, value: &Node, schema: &Schema, causes: &mut Causes) {
    let mut unknown = Causes::default();
    decode::unknown(value, schema, &mut unknown);
    if !unknown.is_empty() {
        causes.at(at, CauseKind::Invalid, "has a field that the schema does not have");
    }
    let before = causes.len();
    for cause in values::check(value, schema, at).causes {
        causes.push(cause);
    }
    if causes.len() == before {
        rules::check_at(value, schema, at, causes);
    }
}
