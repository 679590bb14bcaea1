//! What differs between two documents, field by field; items of lists are matched by the keys that Kubernetes uses.

use crate::schema::merge_keys::MergeType;
use crate::value::{Node, Path, Segment, Value};
use std::sync::Arc;

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Its path: `spec.template.spec.containers[name=web].image`.
    pub path: String,
    /// What was there.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Option<Value>,
}

/// The fields that differ; `kind` says how lists of a built-in kind are keyed.
pub(super) fn changes(before: &Node, after: &Node, kind: MergeType) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(&before.value, &after.value, kind, &mut String::new(), &mut found);
    found
}

fn compare(before: &Value, after: &Value, kind: MergeType, path: &mut String, found: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Map(old), Value::Map(new)) => {
            let mut keys: Vec<&Arc<str>> =
                old.keys().chain(new.keys().filter(|key| !old.contains_key(key))).collect();
            keys.sort();
            for key in keys {
                let length = path.len();
                push_key(path, key);
                let below = kind.field(key);
                match (old.get(key), new.get(key)) {
                    (Some(old), Some(new)) => match (&old.node.value, &new.node.value) {
                        (Value::List(old), Value::List(new)) => {
                            lists(old, new, below.0.key, below.1, path, found);
                        }
                        (old, new) => compare(old, new, below.1, path, found),
                    },
                    (old, new) => found.push(FieldChange {
                        path: path.clone(),
                        before: old.map(|entry| entry.node.value.clone()),
                        after: new.map(|entry| entry.node.value.clone()),
                    }),
                }
                path.truncate(length);
            }
        }
        (Value::List(old), Value::List(new)) => lists(old, new, None, kind, path, found),
        _ => found.push(FieldChange {
            path: if path.is_empty() { ".".to_owned() } else { path.clone() },
            before: Some(before.clone()),
            after: Some(after.clone()),
        }),
    }
}

fn push_key(path: &mut String, key: &Arc<str>) {
    let alone = Path::from(vec![Segment::Key(Arc::clone(key))]).to_string();
    if !path.is_empty() && !alone.starts_with('[') {
        path.push('.');
    }
    path.push_str(&alone);
}

/// The members that tell the items of a list apart: those of the merge key (with the protocol of ports), else `name`.
fn identities(items: &[Node], key: Option<&str>) -> Option<Vec<String>> {
    let keys: &[&str] = match key {
        Some("") => return None,
        Some(key @ ("containerPort" | "port")) => &[key, "protocol"],
        Some(key) => &[key],
        None => &["name"],
    };
    let mut seen = Vec::with_capacity(items.len());
    for item in items {
        let first = plain(item.get(keys[0])?)?;
        let rest = keys[1..].iter().filter_map(|key| Some(format!(",{key}={}", plain(item.get(key)?)?)));
        let identity = format!("{}={first}{}", keys[0], rest.collect::<String>());
        if seen.contains(&identity) {
            return None;
        }
        seen.push(identity);
    }
    Some(seen)
}

fn plain(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(_) => Some(node.to_json().to_string()),
        _ => None,
    }
}

fn lists(
    old: &[Node],
    new: &[Node],
    key: Option<&str>,
    kind: MergeType,
    path: &mut String,
    found: &mut Vec<FieldChange>,
) {
    if old == new {
        return;
    }
    let length = path.len();
    if let (Some(old_ids), Some(new_ids)) = (identities(old, key), identities(new, key)) {
        let ids = old_ids.iter().chain(new_ids.iter().filter(|id| !old_ids.contains(id)));
        let before = found.len();
        for id in ids {
            let of = |ids: &[String], items: &[Node]| {
                ids.iter().position(|other| other == id).map(|at| items[at].value.clone())
            };
            path.push_str(&format!("[{id}]"));
            match (of(&old_ids, old), of(&new_ids, new)) {
                (Some(old), Some(new)) => compare(&old, &new, kind, path, found),
                (old, new) => found.push(FieldChange { path: path.clone(), before: old, after: new }),
            }
            path.truncate(length);
        }
        if found.len() > before {
            return;
        }
    } else if old.len() == new.len() {
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            path.push_str(&format!("[{index}]"));
            compare(&old.value, &new.value, kind, path, found);
            path.truncate(length);
        }
        return;
    } else if old.iter().chain(new).all(|item| !matches!(item.value, Value::Map(_) | Value::List(_))) {
        let gone = old.iter().enumerate().filter(|(_, item)| !new.contains(item));
        let come = new.iter().enumerate().filter(|(_, item)| !old.contains(item));
        let before = found.len();
        found.extend(gone.map(|(at, item)| FieldChange {
            path: format!("{path}[{at}]"),
            before: Some(item.value.clone()),
            after: None,
        }));
        found.extend(come.map(|(at, item)| FieldChange {
            path: format!("{path}[{at}]"),
            before: None,
            after: Some(item.value.clone()),
        }));
        if found.len() > before {
            return;
        }
    }
    // The order alone, or items that nothing tells apart: the list as a whole.
    found.push(FieldChange {
        path: path.clone(),
        before: Some(Value::List(old.to_vec())),
        after: Some(Value::List(new.to_vec())),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::node;
    use serde_json::{Value as Json, json};

    fn found(before: &Json, after: &Json) -> Vec<String> {
        let kind = MergeType::of("", "Pod").expect("a built-in kind");
        let print = |value: &Option<Value>| {
            value.as_ref().map_or("-".to_owned(), |value| value.to_json().to_string())
        };
        changes(&node(before), &node(after), kind)
            .iter()
            .map(|change| format!("{}: {} -> {}", change.path, print(&change.before), print(&change.after)))
            .collect()
    }

    #[test]
    fn items_are_matched_by_their_keys() {
        let before = json!({"spec": {"containers": [{"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]},
            {"name": "b", "image": "y"}]}});
        let after = json!({"spec": {"containers": [{"name": "c", "image": "z"},
            {"name": "a", "image": "x:2", "ports": [{"containerPort": 80, "name": "http"}]}]}});
        assert_eq!(
            found(&before, &after),
            [
                "spec.containers[name=a].image: \"x:1\" -> \"x:2\"",
                "spec.containers[name=a].ports[containerPort=80].name: - -> \"http\"",
                "spec.containers[name=b]: {\"image\":\"y\",\"name\":\"b\"} -> -",
                "spec.containers[name=c]: - -> {\"image\":\"z\",\"name\":\"c\"}",
            ]
        );
    }

    #[test]
    fn fields_come_go_and_change() {
        let before = json!({"metadata": {"labels": {"a/b": "1"}}, "args": ["x", "y"], "same": {}});
        let after =
            json!({"metadata": {"labels": {"a/b": "2"}}, "args": ["y", "z", "w"], "new": 1, "same": {}});
        assert_eq!(
            found(&before, &after),
            [
                "args[0]: \"x\" -> -",
                "args[1]: - -> \"z\"",
                "args[2]: - -> \"w\"",
                "metadata.labels[\"a/b\"]: \"1\" -> \"2\"",
                "new: - -> 1",
            ]
        );
        assert_eq!(found(&json!({"l": [1, 2]}), &json!({"l": [2, 1]})), ["l[0]: 1 -> 2", "l[1]: 2 -> 1"]);
        assert_eq!(found(&before, &before), Vec::<String>::new());
    }
}
