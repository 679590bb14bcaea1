//! What a schema says about the shape of lists and of resources within a resource, and of the scale subresource.
//!
//! Sets hold no item twice, maps no key twice; a resource within has an `apiVersion` and a `kind`.

use super::check::{cause, shown};
use super::schema::{Below, ListType, Schema};
use crate::kube::formats::dns_1035_label;
use crate::kube::{Cause, CauseKind, Causes, Field, Layer, meta};
use crate::value::{Node, Number, Path, Value};
use std::sync::Arc;

/// Walks the object; the root is no resource within.
pub(super) fn check(object: &Node, schema: &Schema, causes: &mut Causes) {
    let root = Field::root(object);
    if let Value::Map(map) = &object.value {
        for (key, entry) in map {
            if let Some(schema) = schema.member(key) {
                walk(&entry.node, schema, root.member(key, &entry.node), causes);
            }
        }
    }
}

fn walk(node: &Node, schema: &Schema, field: Field<'_, '_>, causes: &mut Causes) {
    if !schema.below.has(Below::SHAPES) {
        return;
    }
    match &node.value {
        Value::Map(map) => {
            if schema.embedded {
                embedded(field, causes);
            }
            for (key, entry) in map {
                if let Some(schema) = schema.member(key) {
                    walk(&entry.node, schema, field.member(key, &entry.node), causes);
                }
            }
        }
        Value::List(items) => {
            match &schema.list_type {
                ListType::Atomic => {}
                ListType::Set => {
                    repeated(
                        items,
                        |a, b| a == b,
                        |index, item| {
                            let message = format!("{} stands twice in a set", shown(item));
                            causes.push(cause(field.index(index), CauseKind::Duplicate, message));
                        },
                    );
                }
                ListType::Map(keys) => keyed(items, keys, field, causes),
            }
            if let Some(schema) = schema.items.as_deref() {
                for (index, item) in items.iter().enumerate() {
                    walk(item, schema, field.index(index), causes);
                }
            }
        }
        _ => {}
    }
}

/// Calls `tell` for the second appearance of each item.
fn repeated(items: &[Node], same: impl Fn(&Node, &Node) -> bool, mut tell: impl FnMut(usize, &Node)) {
    for (index, item) in items.iter().enumerate() {
        if items[..index].iter().filter(|before| same(before, item)).take(2).count() == 1 {
            tell(index, item);
        }
    }
}

fn keyed(items: &[Node], keys: &[Arc<str>], field: Field<'_, '_>, causes: &mut Causes) {
    let odd = items.iter().position(|item| !matches!(item.value, Value::Null | Value::Map(_)));
    if let Some(index) = odd {
        let message = "the items of this list have to be maps";
        causes.push(cause(field.index(index), CauseKind::Invalid, message));
        return;
    }
    let same = |a: &Node, b: &Node| keys.iter().all(|key| a.get(key) == b.get(key));
    repeated(items, same, |index, item| {
        let parts: Vec<String> = keys
            .iter()
            .filter_map(|key| item.get(key).map(|node| format!("`{key}` {}", shown(node))))
            .collect();
        let message = if parts.is_empty() {
            format!("two items have no `{}`", keys.join("`, `"))
        } else {
            format!("two items have {}", parts.join(" and "))
        };
        causes.push(cause(field.index(index), CauseKind::Duplicate, message));
    });
}

fn embedded(field: Field<'_, '_>, causes: &mut Causes) {
    meta::check_within(field, causes);
    for key in ["apiVersion", "kind"] {
        let member = field.key(key);
        let node = field.node().and_then(|node| node.get(key));
        match node.map(|node| &node.value) {
            None => causes.push(cause(member, CauseKind::Required, format!("`{key}` is missing"))),
            Some(Value::String(text)) if text.is_empty() => {
                causes.push(cause(member, CauseKind::Invalid, "this is empty"));
            }
            Some(Value::String(text)) if key == "apiVersion" && text.matches('/').count() > 1 => {
                let message = format!("`{text}` is not of the form `GROUP/VERSION`");
                causes.push(cause(member, CauseKind::Invalid, message));
            }
            Some(Value::String(text))
                if key == "kind" && dns_1035_label(&text.to_ascii_lowercase()).is_err() =>
            {
                let message = format!("`{text}` is no kind: letters, digits and hyphens, a letter first");
                causes.push(cause(member, CauseKind::Invalid, message));
            }
            // What is no string was told while decoding.
            Some(_) => {}
        }
    }
}

/// A path of the scale subresource.
#[derive(Debug)]
pub(super) struct Scale {
    keys: Vec<Arc<str>>,
    wants: Scaled,
}

#[derive(Copy, Clone, Debug)]
enum Scaled {
    Count,
    Text,
}

/// The paths of a version that names a scale subresource.
pub(super) fn scales(version: &Node) -> Vec<Scale> {
    let Some(scale) = version.at(&["subresources", "scale"]) else { return Vec::new() };
    let paths = [
        ("specReplicasPath", Scaled::Count),
        ("statusReplicasPath", Scaled::Count),
        ("labelSelectorPath", Scaled::Text),
    ];
    paths
        .into_iter()
        .filter_map(|(key, wants)| {
            let path = scale.get(key).and_then(Node::as_str)?;
            let keys = path.strip_prefix('.').unwrap_or(path).split('.').map(Into::into).collect();
            Some(Scale { keys, wants })
        })
        .collect()
}

/// The numbers that a scale subresource reads have to be counts.
pub(super) fn check_scale(object: &Node, scale: &Scale, causes: &mut Causes) {
    let mut at = object;
    for key in &scale.keys {
        match &at.value {
            Value::Map(map) => match map.get(key) {
                Some(entry) => at = &entry.node,
                None => return,
            },
            Value::Null => return,
            // Its type was told by the schema.
            _ => break,
        }
    }
    let wrong = match (&at.value, scale.wants) {
        (Value::Number(Number::Int(number)), Scaled::Count) if *number < 0 => "is negative",
        (Value::Number(Number::Int(number)), Scaled::Count) if *number > i64::from(i32::MAX) => {
            "does not fit 32 bits"
        }
        (Value::Number(Number::Int(_)), Scaled::Count) | (Value::String(_), Scaled::Text) => return,
        (_, Scaled::Count) => "is not written as an integer",
        (_, Scaled::Text) => "is no string",
    };
    let keys: Vec<&str> = scale.keys.iter().map(AsRef::as_ref).collect();
    let path = Path::of(&keys);
    // What is of another type was told by the schema, here or on the way.
    if causes.iter().any(|told| path.segments().starts_with(told.path.segments())) {
        return;
    }
    causes.push(Cause {
        kind: CauseKind::Invalid,
        layer: Layer::CustomSchema,
        path,
        told: None,
        message: format!("{} {wrong}, and the `scale` subresource reads it", shown(at)),
        help: None,
    });
}
