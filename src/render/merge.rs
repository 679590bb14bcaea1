//! Strategic merge: one map laid over another, lists matched by the keys that Kubernetes merges by.
//!
//! The directives `$patch`, `$retainKeys` and `$deleteFromPrimitiveList/...` are those of Kubernetes; any other key
//! that begins with `$` is a field. Lists of kinds that the table of merge keys does not know are replaced, as the API
//! server does. Refused are `$setElementOrder/...`, which only programs write, words that `$patch` does not know, and
//! items without the key of their list.

use crate::schema::merge_keys::MergeType;
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// Why a patch cannot be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MergeError {
    /// A container that is not there, without an image to make it one.
    NoSuchContainer {
        /// Its name.
        name: String,
        /// The containers that are there.
        names: Vec<String>,
        /// The name in the patch.
        at: Option<Span>,
    },
    /// An item of a merged list lacks the key of that list.
    LacksKey { list: String, key: &'static str, at: Option<Span> },
    /// `$patch` holds a word that means nothing.
    UnknownDirective { word: String, at: Option<Span> },
    /// `$setElementOrder/...`: the directive, and where.
    ElementOrder { directive: String, at: Option<Span> },
}

/// Lays `patch` over `target`.
pub(super) fn merge(target: &mut Node, patch: &Node, kind: MergeType) -> Result<(), MergeError> {
    let Value::Map(changes) = &patch.value else {
        *target = stamp(patch, Some(&target.origin));
        return Ok(());
    };
    match directive(changes)? {
        Directive::Replace => {
            *target = stamp(&without_directives(patch), Some(&target.origin));
            return Ok(());
        }
        Directive::Merge | Directive::Delete => {}
    }
    if !matches!(target.value, Value::Map(_)) {
        *target = Node::new(Map::new(), patched(patch, Some(&target.origin)));
    }
    let Value::Map(map) = &mut target.value else { return Ok(()) };
    if let Some(keep) = changes.get("$retainKeys").and_then(|entry| entry.node.as_list()) {
        map.retain(|key, _| keep.iter().any(|word| word.as_str() == Some(key)));
    }
    for (key, change) in changes {
        if let Some(name) = key.strip_prefix("$deleteFromPrimitiveList/") {
            remove_scalars(map, name, &change.node);
        } else if !is_directive(key) {
            merge_field(map, key, change, kind)?;
        }
    }
    Ok(())
}

fn merge_field(map: &mut Map, key: &Arc<str>, change: &Entry, kind: MergeType) -> Result<(), MergeError> {
    let (field, below) = kind.field(key);
    match (&change.node.value, map.get_mut(key)) {
        (Value::Null, _) => {
            map.remove(key);
        }
        (Value::Map(changes), Some(_)) if directive(changes)? == Directive::Delete => {
            map.remove(key);
        }
        (Value::Map(_), Some(entry)) => merge(&mut entry.node, &change.node, below)?,
        (Value::List(items), Some(entry)) => match (field.key, &mut entry.node.value) {
            (Some(""), Value::List(present)) => add_scalars(present, items),
            (Some(merge_key), Value::List(present)) => {
                merge_items(key, present, items, merge_key, below)?;
            }
            _ => entry.node = stamp(&change.node, Some(&entry.node.origin)),
        },
        (Value::List(items), None) if field.key.is_some_and(|merge_key| !merge_key.is_empty()) => {
            let mut present = Vec::new();
            merge_items(key, &mut present, items, field.key.unwrap_or_default(), below)?;
            let node = Node::new(present, patched(&change.node, None));
            map.insert(Arc::clone(key), Entry { key: patched(&change.node, None), node });
        }
        (_, Some(entry)) => entry.node = stamp(&change.node, Some(&entry.node.origin)),
        (Value::Map(changes), None) if directive(changes)? == Directive::Delete => {}
        (Value::Map(_), None) => {
            let mut node = Node::new(Map::new(), patched(&change.node, None));
            merge(&mut node, &change.node, below)?;
            map.insert(Arc::clone(key), Entry { key: patched(&change.node, None), node });
        }
        (_, None) => {
            let node = stamp(&change.node, None);
            map.insert(Arc::clone(key), Entry { key: patched(&change.node, None), node });
        }
    }
    Ok(())
}

fn merge_items(
    list: &str,
    present: &mut Vec<Node>,
    items: &[Node],
    key: &'static str,
    below: MergeType,
) -> Result<(), MergeError> {
    let replaces = |item: &Node| {
        item.as_map().is_some_and(|map| map.len() == 1)
            && item.get("$patch").and_then(Node::as_str) == Some("replace")
    };
    if items.iter().any(replaces) {
        *present = items.iter().filter(|item| !replaces(item)).map(|item| stamp(item, None)).collect();
        return Ok(());
    }
    for item in items {
        let Some(wanted) = item.get(key) else {
            return Err(MergeError::LacksKey { list: list.to_owned(), key, at: item.span() });
        };
        let changes = item.as_map().expect("an item with a member is a map");
        let found = find_item(present, item, key, wanted);
        match (directive(changes)?, found) {
            (Directive::Delete, Some(at)) => {
                present.remove(at);
            }
            (Directive::Delete, None) => {}
            (_, Some(at)) => merge(&mut present[at], item, below)?,
            (_, None) if matches!(list, "containers" | "initContainers") && item.get("image").is_none() => {
                let names = present.iter().filter_map(|have| have.get(key)?.as_str()).map(str::to_owned);
                let name = wanted.as_str().unwrap_or_default().to_owned();
                return Err(MergeError::NoSuchContainer { name, names: names.collect(), at: wanted.span() });
            }
            (_, None) => {
                let mut node = Node::new(Map::new(), patched(item, None));
                merge(&mut node, &without_directives(item), below)?;
                present.push(node);
            }
        }
    }
    Ok(())
}

/// The item with the wanted key; where several have it (a port for TCP and UDP), the one that agrees with the
/// patch in `protocol` and `name` too.
fn find_item(present: &[Node], item: &Node, key: &str, wanted: &Node) -> Option<usize> {
    let with_key = || present.iter().enumerate().filter(|(_, have)| have.get(key) == Some(wanted));
    let agrees = |have: &Node| {
        ["protocol", "name"].iter().all(|field| match (item.get(field), have.get(field)) {
            (Some(a), Some(b)) => a == b,
            (Some(a), None) => *field == "protocol" && a.as_str() == Some("TCP"),
            (None, Some(b)) => *field != "protocol" || b.as_str() == Some("TCP"),
            (None, None) => true,
        })
    };
    if with_key().count() > 1 {
        let exact = with_key().find(|(_, have)| agrees(have)).map(|(at, _)| at);
        if exact.is_some() || item.get("protocol").is_some() {
            return exact;
        }
    }
    with_key().next().map(|(at, _)| at)
}

fn add_scalars(present: &mut Vec<Node>, items: &[Node]) {
    for item in items {
        if !present.contains(item) {
            present.push(stamp(item, None));
        }
    }
}

fn remove_scalars(map: &mut Map, name: &str, gone: &Node) {
    if let Some(Value::List(present)) = map.get_mut(name).map(|entry| &mut entry.node.value) {
        let gone = gone.as_list().unwrap_or_default();
        present.retain(|item| !gone.contains(item));
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

const ELEMENT_ORDER: &str = "$setElementOrder/";

/// Whether a key is no field, but says how to merge.
fn is_directive(key: &str) -> bool {
    matches!(key, "$patch" | "$retainKeys")
        || key.starts_with("$deleteFromPrimitiveList/")
        || key.starts_with(ELEMENT_ORDER)
}

fn directive(map: &Map) -> Result<Directive, MergeError> {
    if let Some((key, entry)) = map.iter().find(|(key, _)| key.starts_with(ELEMENT_ORDER)) {
        let at = entry.key.span().or_else(|| entry.node.span());
        return Err(MergeError::ElementOrder { directive: key.to_string(), at });
    }
    match map.get("$patch").map(|entry| &entry.node) {
        None => Ok(Directive::Merge),
        Some(node) => match node.as_str() {
            Some("merge") => Ok(Directive::Merge),
            Some("replace") => Ok(Directive::Replace),
            Some("delete") => Ok(Directive::Delete),
            _ => Err(MergeError::UnknownDirective {
                word: node.as_str().unwrap_or(node.value.kind()).to_owned(),
                at: node.span(),
            }),
        },
    }
}

fn without_directives(patch: &Node) -> Node {
    let mut copy = patch.clone();
    if let Value::Map(map) = &mut copy.value {
        map.retain(|key, _| !is_directive(key));
    }
    copy
}

fn patched(by: &Node, was: Option<&Origin>) -> Origin {
    match (by.span(), was) {
        (Some(by), was) => Origin::link(OriginKind::Patched { by, was: was.cloned().unwrap_or_default() }),
        (None, Some(was)) => was.clone(),
        (None, None) => by.origin.clone(),
    }
}

/// A copy of a patch's value, every node of it marked as patched in.
pub(super) fn stamp(node: &Node, was: Option<&Origin>) -> Node {
    let value = match &node.value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(key, entry)| {
                    let child = stamp(&entry.node, None);
                    (Arc::clone(key), Entry { key: patched(&entry.node, None), node: child })
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| stamp(item, None)).collect()),
        scalar => scalar.clone(),
    };
    Node { value, origin: patched(node, was) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "JSON is made in place")]
    use super::*;
    use serde_json::json;

    fn node(json: &serde_json::Value) -> Node {
        Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
    }

    fn merged(target: serde_json::Value, patch: serde_json::Value) -> serde_json::Value {
        let mut target = node(&target);
        let kind = MergeType::of("", "Pod").expect("a built-in kind");
        merge(&mut target, &node(&patch), kind).expect("a good patch");
        target.to_json()
    }

    #[test]
    fn lists_merge_by_key_and_other_lists_are_replaced() {
        let pod = json!({"spec": {"containers": [
            {"name": "a", "image": "x:1", "args": ["1", "2"]},
            {"name": "b", "image": "y:1"}]}});
        let patch =
            json!({"spec": {"containers": [{"name": "a", "args": ["3"]}, {"name": "c", "image": "z"}]}});
        assert_eq!(
            merged(pod, patch),
            json!({"spec": {"containers": [
                {"name": "a", "image": "x:1", "args": ["3"]},
                {"name": "b", "image": "y:1"},
                {"name": "c", "image": "z"}]}})
        );
    }

    #[test]
    fn null_and_directives_delete_and_replace() {
        let pod = json!({"metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]},
            "spec": {"hostNetwork": true, "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}]}});
        let patch = json!({"metadata": {"labels": {"a": null}, "finalizers": ["z"],
                "$deleteFromPrimitiveList/finalizers": ["x"]},
            "spec": {"hostNetwork": null, "volumes": [
                {"name": "v", "$patch": "delete"},
                {"name": "w", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}});
        assert_eq!(
            merged(pod, patch),
            json!({"metadata": {"labels": {"b": "2"}, "finalizers": ["y", "z"]},
                "spec": {"volumes": [{"name": "w", "configMap": {"name": "c"}}]}})
        );
        let pod = json!({"spec": {"volumes": [{"name": "v"}], "nodeSelector": {"a": "b"}}});
        let patch = json!({"spec": {"volumes": [{"$patch": "replace"}, {"name": "n"}],
            "nodeSelector": {"$patch": "replace", "c": "d"}}});
        assert_eq!(
            merged(pod, patch),
            json!({"spec": {"volumes": [{"name": "n"}], "nodeSelector": {"c": "d"}}})
        );
    }

    #[test]
    fn one_port_for_two_protocols_is_two_items() {
        let pod = json!({"spec": {"containers": [{"name": "a", "ports": [
            {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]}]}});
        let patch = json!({"spec": {"containers": [{"name": "a", "ports": [
            {"containerPort": 53, "protocol": "TCP", "hostPort": 53}]}]}});
        assert_eq!(
            merged(pod, patch).pointer("/spec/containers/0/ports"),
            Some(&json!([{"containerPort": 53, "protocol": "UDP"},
                {"containerPort": 53, "protocol": "TCP", "hostPort": 53}]))
        );
    }

    #[test]
    fn an_order_of_items_is_refused_and_other_keys_are_fields() {
        let kind = MergeType::of("", "Pod").expect("a built-in kind");
        let order = json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]});
        for patch in [
            json!({"spec": order}),
            json!({"spec": {"$patch": "replace", "$setElementOrder/containers": []}}),
            json!({"spec": {"volumes": [{"name": "new", "$setElementOrder/containers": []}]}}),
        ] {
            let mut pod = node(&json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}));
            let directive = "$setElementOrder/containers".to_owned();
            assert_eq!(
                merge(&mut pod, &node(&patch), kind),
                Err(MergeError::ElementOrder { directive, at: None }),
                "{patch}"
            );
        }
        let patch = json!({"metadata": {"annotations": {"$schema": "s"}}});
        assert_eq!(merged(json!({"metadata": {}}), patch.clone()), patch);
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let mut pod = node(&json!({"spec": {"containers": [{"name": "a"}]}}));
        let patch = node(&json!({"spec": {"containers": [{"image": "x"}]}}));
        let kind = MergeType::of("", "Pod").expect("a built-in kind");
        assert_eq!(
            merge(&mut pod, &patch, kind),
            Err(MergeError::LacksKey { list: "containers".to_owned(), key: "name", at: None })
        );
    }
}
