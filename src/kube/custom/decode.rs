//! Strict decoding of custom resources, and what a server does to them before it looks at their values.
//!
//! Fields that the schema does not have are refused, unless it says that they are kept. Then nulls that are not
//! allowed are dropped, and defaults are filled in. An object to which nothing happens is not copied.

use super::check::{cause, shown};
use super::schema::{Additional, Below, Schema};
use crate::diag::did_you_mean;
use crate::kube::decode::metadata;
use crate::kube::{Cause, CauseKind, Causes, Field, Layer};
use crate::schema::kinds::Minor;
use crate::value::{Entry, Map, Node, Path, Value};
use std::sync::Arc;

/// Members that every resource has.
pub(super) const OF_ALL: &[&str] = &["apiVersion", "kind", "metadata"];

/// Whether a value is a whole resource.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    Resource,
    Within,
}

/// Tells every field that does not exist, and metadata that is none, of the object and of resources within it.
pub(super) fn check(object: &Node, schema: &Schema, release: Minor, causes: &mut Causes) {
    if let Err(found) = metadata(object, release) {
        found.into_vec().into_iter().for_each(|cause| causes.push(cause));
    }
    Walk { release: Some(release), causes }.root(object, schema);
}

/// Tells every field that the schema of a value does not have, and nothing of metadata.
pub(super) fn unknown(value: &Node, schema: &Schema, causes: &mut Causes) {
    Walk { release: None, causes }.root(value, schema);
}

struct Walk<'c> {
    /// That of the server, where metadata of resources within the value is looked at.
    release: Option<Minor>,
    causes: &'c mut Causes,
}

fn place(schema: &Schema) -> Place {
    if schema.embedded { Place::Resource } else { Place::Within }
}

impl Walk<'_> {
    fn root(&mut self, object: &Node, schema: &Schema) {
        let root = Field::root(object);
        if schema.preserves {
            self.kept(object, schema, Place::Resource, root);
        } else {
            self.strict(object, Some(schema), Place::Resource, root);
        }
    }

    fn below(&mut self, node: &Node, schema: Option<&Schema>, field: Field<'_, '_>) {
        if let Some(release) = self.release
            && schema.is_some_and(|schema| schema.embedded)
            && node.as_map().is_some()
        {
            self.resource(node, release, field);
        }
        match schema {
            Some(schema) if schema.preserves => self.kept(node, schema, place(schema), field),
            _ => self.strict(node, schema, schema.map_or(Place::Within, place), field),
        }
    }

    /// What a resource within the object has besides its schema.
    fn resource(&mut self, node: &Node, release: Minor, field: Field<'_, '_>) {
        for key in ["apiVersion", "kind"] {
            if let Some(value) = node.get(key)
                && value.as_str().is_none()
            {
                let message = format!("{} is no string", shown(value));
                self.causes.push(Cause {
                    layer: Layer::Decode,
                    ..cause(field.member(key, value), CauseKind::Type, message)
                });
            }
        }
        if let Err(found) = metadata(node, release) {
            for mut cause in found.into_vec() {
                let steps =
                    field.path().segments().iter().chain(cause.path.segments()).cloned().collect::<Vec<_>>();
                cause.path = Path::from(steps);
                self.causes.push(cause);
            }
        }
    }

    /// Below a schema that names all members.
    fn strict(&mut self, node: &Node, schema: Option<&Schema>, place: Place, field: Field<'_, '_>) {
        match &node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    if place == Place::Resource && OF_ALL.contains(&key.as_ref()) {
                        continue;
                    }
                    let known =
                        schema.map(|schema| (schema.properties.get(key.as_ref()), &schema.additional));
                    match known {
                        Some((Some(property), _)) => {
                            self.below(&entry.node, Some(property), field.member(key, &entry.node));
                        }
                        Some((None, Additional::Schema(schema))) => {
                            self.below(&entry.node, Some(schema), field.member(key, &entry.node));
                        }
                        Some((None, Additional::Flag(_))) => {
                            self.below(&entry.node, None, field.member(key, &entry.node));
                        }
                        _ => self.causes.push(no_field(key, schema, field.member(key, &entry.node))),
                    }
                }
            }
            Value::List(items) => {
                let schema = schema.and_then(|schema| schema.items.as_deref());
                for (index, item) in items.iter().enumerate() {
                    self.below(item, schema, field.index(index));
                }
            }
            _ => {}
        }
    }

    /// Below a schema that keeps what it does not know: only what it names is looked at.
    fn kept(&mut self, node: &Node, schema: &Schema, place: Place, field: Field<'_, '_>) {
        match &node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    if place == Place::Resource && OF_ALL.contains(&key.as_ref()) {
                        continue;
                    }
                    let inner = match (schema.properties.get(key.as_ref()), &schema.additional) {
                        (Some(property), _) => Some(property),
                        (None, Additional::Schema(schema)) => Some(&**schema),
                        (None, Additional::Flag(_)) => None,
                        (None, Additional::Unsaid) => continue,
                    };
                    self.below(&entry.node, inner, field.member(key, &entry.node));
                }
            }
            Value::List(items) => {
                let Some(schema) = schema.items.as_deref() else { return };
                for (index, item) in items.iter().enumerate() {
                    self.kept(item, schema, self::place(schema), field.index(index));
                }
            }
            _ => {}
        }
    }
}

fn no_field(key: &str, schema: Option<&Schema>, field: Field<'_, '_>) -> Cause {
    let known = schema.into_iter().flat_map(|schema| schema.properties.keys());
    let near = did_you_mean(key, known.map(AsRef::as_ref));
    Cause {
        kind: CauseKind::Unknown,
        layer: Layer::Decode,
        path: field.path(),
        told: None,
        message: format!("there is no field `{key}`"),
        help: near.map(|near| format!("did you mean `{near}`?")),
    }
}

/// Whether something happens to the object: a null is dropped, a default filled in.
pub(super) fn is_amended(node: &Node, schema: &Schema) -> bool {
    match &node.value {
        Value::Map(map) => {
            let defaults = schema.below.has(Below::DEFAULTS);
            let filled = defaults
                && schema
                    .properties
                    .iter()
                    .any(|(key, property)| property.default.is_some() && !map.contains_key(key));
            filled
                || map.iter().any(|(key, entry)| {
                    schema.member(key).is_some_and(|schema| {
                        is_replaced(&entry.node, schema) || is_amended(&entry.node, schema)
                    })
                })
        }
        Value::List(items) => schema.items.as_deref().is_some_and(|schema| {
            items.iter().any(|item| {
                (is_replaced(item, schema) && schema.default.is_some()) || is_amended(item, schema)
            })
        }),
        _ => false,
    }
}

fn is_replaced(node: &Node, schema: &Schema) -> bool {
    node.value == Value::Null && !schema.nullable
}

/// Drops nulls and fills defaults in.
pub(super) fn amend(node: &mut Node, schema: &Schema) {
    match &mut node.value {
        Value::Map(map) => amend_map(map, schema),
        Value::List(items) => {
            let Some(schema) = schema.items.as_deref() else { return };
            for item in items {
                if is_replaced(item, schema)
                    && let Some(default) = &schema.default
                {
                    *item = default.clone();
                }
                amend(item, schema);
            }
        }
        _ => {}
    }
}

fn amend_map(map: &mut Map, schema: &Schema) {
    map.retain(|key, entry| {
        !schema.member(key).is_some_and(|schema| is_replaced(&entry.node, schema) && schema.default.is_none())
    });
    if schema.below.has(Below::DEFAULTS) {
        for (key, property) in &schema.properties {
            let Some(default) = &property.default else { continue };
            match map.get_mut(key) {
                Some(entry) if is_replaced(&entry.node, property) => entry.node = default.clone(),
                Some(_) => {}
                None => {
                    let entry = Entry { key: default.origin.clone(), node: default.clone() };
                    map.insert(Arc::clone(key), entry);
                }
            }
        }
    }
    for (key, entry) in map {
        if let Some(property) = schema.properties.get(key.as_ref()) {
            amend(&mut entry.node, property);
        } else if let Some(schema) = schema.additional_schema() {
            if is_replaced(&entry.node, schema)
                && let Some(default) = &schema.default
            {
                entry.node = default.clone();
            }
            amend(&mut entry.node, schema);
        }
    }
}
