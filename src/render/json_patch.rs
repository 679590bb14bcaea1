//! JSON 6902: a list of operations on places named by JSON pointers.

use super::merge::stamp;
use crate::diag::did_you_mean;
use crate::source::Span;
use crate::value::{Entry, Node, Value};
use std::sync::Arc;

/// Why an operation cannot be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OperationError {
    /// What is wrong.
    pub(super) message: String,
    /// The member of the object that was probably meant.
    pub(super) meant: Option<String>,
    /// The operation, or the member of it that is wrong.
    pub(super) at: Option<Span>,
}

fn fault(message: impl Into<String>, at: &Node) -> OperationError {
    OperationError { message: message.into(), meant: None, at: at.span() }
}

/// Applies every operation of `operations`, a list, to `target`.
pub(super) fn apply(target: &mut Node, operations: &Node) -> Result<(), OperationError> {
    let Some(list) = operations.as_list() else {
        return Err(fault("a JSON 6902 patch is a list of operations", operations));
    };
    list.iter().try_for_each(|operation| apply_one(target, operation))
}

fn apply_one(target: &mut Node, operation: &Node) -> Result<(), OperationError> {
    let word = |key: &str| {
        operation.get(key).ok_or_else(|| fault(format!("an operation needs `{key}`"), operation)).and_then(
            |node| {
                node.as_str()
                    .map(|text| (text, node))
                    .ok_or_else(|| fault(format!("`{key}` is a string"), node))
            },
        )
    };
    let (op, op_node) = word("op")?;
    let (path, path_node) = word("path")?;
    let path = pointer(path, path_node)?;
    let value = || operation.get("value").ok_or_else(|| fault(format!("`{op}` needs `value`"), operation));
    match op {
        "add" => add(target, &path, stamp(value()?, None), path_node),
        "remove" => take(target, &path, path_node).map(drop),
        "replace" => {
            let place = find(target, &path, path_node)?;
            *place = stamp(value()?, Some(&place.origin));
            Ok(())
        }
        "test" => {
            let wanted = value()?;
            if find(target, &path, path_node)? == wanted {
                Ok(())
            } else {
                Err(fault("the value at this path is another one than `test` expects", operation))
            }
        }
        "move" | "copy" => {
            let (from, from_node) = word("from")?;
            let from = pointer(from, from_node)?;
            let node = if op == "move" {
                take(target, &from, from_node)?
            } else {
                find(target, &from, from_node)?.clone()
            };
            add(target, &path, node, path_node)
        }
        _ => Err(OperationError {
            message: format!("`{op}` is no operation of JSON 6902"),
            meant: did_you_mean(op, ["add", "remove", "replace", "move", "copy", "test"]).map(str::to_owned),
            at: op_node.span(),
        }),
    }
}

fn pointer(text: &str, node: &Node) -> Result<Vec<String>, OperationError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(fault(format!("the path `{text}` does not start with `/`"), node));
    };
    Ok(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn find<'a>(target: &'a mut Node, path: &[String], at: &Node) -> Result<&'a mut Node, OperationError> {
    let mut place = target;
    for (depth, part) in path.iter().enumerate() {
        place = match &mut place.value {
            Value::Map(map) => {
                if !map.contains_key(part.as_str()) {
                    let meant = did_you_mean(part, map.keys().map(AsRef::as_ref)).map(str::to_owned);
                    return Err(OperationError { meant, ..nothing(&path[..=depth], at) });
                }
                &mut map.get_mut(part.as_str()).expect("looked up before").node
            }
            Value::List(items) => {
                let index = part.parse::<usize>().ok().filter(|index| *index < items.len());
                let Some(index) = index else { return Err(nothing(&path[..=depth], at)) };
                &mut items[index]
            }
            _ => return Err(nothing(&path[..=depth], at)),
        };
    }
    Ok(place)
}

fn nothing(path: &[String], at: &Node) -> OperationError {
    fault(format!("the object has nothing at `/{}`", path.join("/")), at)
}

fn add(target: &mut Node, path: &[String], node: Node, at: &Node) -> Result<(), OperationError> {
    let Some((last, parents)) = path.split_last() else {
        *target = node;
        return Ok(());
    };
    match &mut find(target, parents, at)?.value {
        Value::Map(map) => {
            let key = node.origin.clone();
            map.insert(Arc::from(last.as_str()), Entry { key, node });
            Ok(())
        }
        Value::List(items) => {
            let index = if last == "-" { Some(items.len()) } else { last.parse().ok() };
            match index.filter(|index| *index <= items.len()) {
                Some(index) => {
                    items.insert(index, node);
                    Ok(())
                }
                None => Err(nothing(path, at)),
            }
        }
        _ => Err(nothing(path, at)),
    }
}

fn take(target: &mut Node, path: &[String], at: &Node) -> Result<Node, OperationError> {
    let Some((last, parents)) = path.split_last() else {
        return Err(fault("the object as a whole cannot be removed", at));
    };
    find(target, path, at)?;
    match &mut find(target, parents, at)?.value {
        Value::Map(map) => Ok(map.remove(last.as_str()).expect("found before").node),
        Value::List(items) => Ok(items.remove(last.parse().expect("found before"))),
        _ => Err(nothing(path, at)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "JSON is made in place")]
    use super::*;
    use crate::value::Origin;
    use serde_json::json;

    fn node(json: &serde_json::Value) -> Node {
        Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
    }

    fn applied(
        target: serde_json::Value,
        operations: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let mut target = node(&target);
        apply(&mut target, &node(&operations)).map_err(|error| error.message)?;
        Ok(target.to_json())
    }

    #[test]
    fn the_six_operations_work_on_maps_and_lists() {
        let object = json!({"a": {"b/c": 1, "list": [1, 3]}});
        let operations = json!([
            {"op": "test", "path": "/a/b~1c", "value": 1},
            {"op": "add", "path": "/a/list/1", "value": 2},
            {"op": "add", "path": "/a/list/-", "value": 4},
            {"op": "replace", "path": "/a/list/0", "value": 0},
            {"op": "copy", "from": "/a/list", "path": "/copy"},
            {"op": "move", "from": "/a/b~1c", "path": "/moved"},
            {"op": "remove", "path": "/a/list/3"}]);
        assert_eq!(
            applied(object, operations),
            Ok(json!({"a": {"list": [0, 2, 3]}, "copy": [0, 2, 3, 4], "moved": 1}))
        );
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        for operation in [
            json!([{"op": "replace", "path": "/x", "value": 1}]),
            json!([{"op": "remove", "path": "/list/7"}]),
            json!([{"op": "add", "path": "/x/y", "value": 1}]),
            json!([{"op": "test", "path": "/list/0", "value": 2}]),
            json!([{"op": "swap", "path": "/list/0"}]),
            json!([{"op": "add", "path": "list", "value": 1}]),
            json!([{"op": "add", "path": "/y"}]),
            json!({"op": "add"}),
        ] {
            assert!(applied(json!({"list": [1]}), operation.clone()).is_err(), "{operation}");
        }
    }
}
