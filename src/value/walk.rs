//! Walking to the places that a path with wildcards names.

use super::{Node, Path, Segment, Value};
use std::sync::Arc;

/// Calls `found` with every place in `node` that `pattern` names; `path` is the way to `node`.
pub fn each<'a>(node: &'a Node, pattern: &str, path: &Path, found: &mut dyn FnMut(&Path, &'a Node)) {
    let Some((step, rest)) = split(pattern) else {
        found(path, node);
        return;
    };
    if step == "[]" {
        for (index, item) in node.as_list().unwrap_or_default().iter().enumerate() {
            each(item, rest, &path.index(index), found);
        }
    } else if step == "**" {
        each(node, rest, path, found);
        match &node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    each(&entry.node, pattern, &keyed(path, key), found);
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    each(item, pattern, &path.index(index), found);
                }
            }
            _ => {}
        }
    } else if let Some(ending) = step.strip_prefix('*') {
        for (key, entry) in node.as_map().into_iter().flatten() {
            if key.ends_with(ending) {
                each(&entry.node, rest, &keyed(path, key), found);
            }
        }
    } else if let Some(child) = node.get(step) {
        each(child, rest, &path.key(step), found);
    }
}

fn keyed(path: &Path, key: &Arc<str>) -> Path {
    let mut path = path.clone();
    path.push(Segment::Key(Arc::clone(key)));
    path
}

/// The first step of a pattern and what follows.
fn split(pattern: &str) -> Option<(&str, &str)> {
    if pattern.is_empty() {
        return None;
    }
    if let Some(rest) = pattern.strip_prefix("[]") {
        return Some(("[]", rest.strip_prefix('.').unwrap_or(rest)));
    }
    let end = pattern.find(['.', '[']).unwrap_or(pattern.len());
    let rest = &pattern[end..];
    Some((&pattern[..end], rest.strip_prefix('.').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Origin;
    use serde_json::json;

    fn found(pattern: &str) -> Vec<String> {
        let json = json!({
            "a": [{"b": {"xRef": 1}}, {"b": {"yRef": 2}}],
            "deep": {"down": [{"tokenRef": 3}], "topRef": 4}});
        let node = Node::new(Value::from_json(&json, &Origin::Compiler), Origin::Compiler);
        let mut out = Vec::new();
        each(&node, pattern, &Path::default(), &mut |path, _| out.push(path.to_string()));
        out
    }

    #[test]
    fn patterns_name_places() {
        assert_eq!(found("a[].b.xRef"), ["a[0].b.xRef"]);
        assert_eq!(found("a[].b.*Ref"), ["a[0].b.xRef", "a[1].b.yRef"]);
        assert_eq!(found("deep.**.*Ref"), ["deep.topRef", "deep.down[0].tokenRef"]);
        assert_eq!(found("a[].c"), Vec::<String>::new());
    }
}
