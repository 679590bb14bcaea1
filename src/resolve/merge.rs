//! Overlays onto their bases: maps merge deep, everything else replaces, null deletes.
//!
//! Every leaf that replaces another keeps the chain of what it replaced. Below `values` (Helm's own nulls) and
//! below the `patch` of a patch (the API server's) null is data.

use crate::diag::{Diagnostic, Sink, codes};
use crate::value::{Map, Node, Origin, OriginKind, Path, Segment, Value};
use std::sync::Arc;

/// Merges `over` onto `base`; both are the `spec` of an overlay.
pub(super) fn spec(base: &mut Node, over: &Node, sink: &mut Sink) {
    let mut merge = Merge { path: Path::default(), delete: true, sink };
    merge.node(base, over);
}

/// Merges data onto data with null as data: values onto values.
pub(crate) fn values(base: &mut Node, over: &Node) {
    let mut sink = Sink::new();
    let mut merge = Merge { path: Path::default(), delete: false, sink: &mut sink };
    merge.node(base, over);
}

struct Merge<'s> {
    path: Path,
    /// Whether null deletes here.
    delete: bool,
    sink: &'s mut Sink,
}

impl Merge<'_> {
    fn node(&mut self, base: &mut Node, over: &Node) {
        if let (Value::Map(map), Value::Map(changes)) = (&mut base.value, &over.value) {
            self.map(map, changes);
            base.origin = over.origin.clone();
        } else {
            let was = std::mem::take(&mut base.origin);
            *base = self.fresh(over);
            if let Some(by) = over.span() {
                base.origin = Origin::link(OriginKind::Overrides { by, was });
            }
        }
    }

    fn map(&mut self, map: &mut Map, changes: &Map) {
        for (key, change) in changes {
            self.path.push(Segment::Key(Arc::clone(key)));
            let outer = self.delete;
            self.delete = outer && !self.null_is_data();
            if self.delete && change.node.value == Value::Null {
                if map.remove(key).is_none() {
                    self.nothing_deleted(change.key.span().or(change.node.span()));
                }
            } else if let Some(entry) = map.get_mut(key) {
                self.node(&mut entry.node, &change.node);
                entry.key = change.key.clone();
            } else {
                let mut entry = change.clone();
                entry.node = self.fresh(&change.node);
                let _none = map.insert(Arc::clone(key), entry);
            }
            self.delete = outer;
            let _popped = self.path.pop();
        }
    }

    /// A copy of `over` where nothing was before: nulls in it delete nothing.
    fn fresh(&mut self, over: &Node) -> Node {
        match &over.value {
            Value::Map(changes) if self.delete => {
                let mut map = Map::with_capacity(changes.len());
                self.map(&mut map, changes);
                Node { value: Value::Map(map), origin: over.origin.clone() }
            }
            _ => over.clone(),
        }
    }

    /// Whether null is data at and below the current path.
    fn null_is_data(&self) -> bool {
        let key = |index: usize| match self.path.segments().get(index) {
            Some(Segment::Key(key)) => Some(key.as_ref()),
            _ => None,
        };
        let depth = self.path.segments().len();
        match key(0) {
            Some("stacks") => depth > 2 && key(depth - 1) == Some("values"),
            Some("patches") => depth == 3 && key(2) == Some("patch"),
            _ => false,
        }
    }

    fn nothing_deleted(&mut self, span: Option<crate::source::Span>) {
        let finding =
            Diagnostic::error(codes::DELETES_NOTHING, format!("`{}: null` deletes nothing", self.path))
                .at(span, "no base sets it");
        let help = match self.path.segments() {
            [_, Segment::Key(name)] => {
                format!("take the line out; to use `{name}` as it is, write `{name}: {{}}`")
            }
            _ => "take the line out, or give it a value".to_owned(),
        };
        let _told = self.sink.report(finding.help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(json: &serde_json::Value) -> Node {
        Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
    }

    fn merged(base: &serde_json::Value, over: &serde_json::Value) -> (serde_json::Value, Vec<String>) {
        let mut base = node(base);
        let mut sink = Sink::new();
        spec(&mut base, &node(over), &mut sink);
        (base.to_json(), sink.found().iter().map(|found| found.message.clone()).collect())
    }

    #[test]
    fn maps_merge_and_the_rest_replaces() {
        let (found, told) = merged(
            &json!({"stacks": {"a": {"x": 1, "l": [1, 2], "m": {"k": 1}}}}),
            &json!({"stacks": {"a": {"x": 2, "l": [3], "m": {"j": 2}}, "b": {}}}),
        );
        assert_eq!(found, json!({"stacks": {"a": {"x": 2, "l": [3], "m": {"k": 1, "j": 2}}, "b": {}}}));
        assert_eq!(told, Vec::<String>::new());
    }

    #[test]
    fn null_deletes_what_is_there_and_nothing_else() {
        let (found, told) = merged(
            &json!({"stacks": {"a": {"x": 1}, "b": {}}}),
            &json!({"stacks": {"a": {"x": null, "y": {"z": null}}, "b": null}}),
        );
        assert_eq!(found, json!({"stacks": {"a": {"y": {}}}}));
        assert_eq!(told, ["`stacks.a.y.z: null` deletes nothing"]);
    }

    #[test]
    fn below_values_and_patches_null_is_data() {
        let over =
            json!({"stacks": {"a": {"values": {"x": null}}}, "patches": {"p": {"patch": {"spec": null}}}});
        let (found, told) = merged(&json!({"stacks": {"a": {"values": {"x": 1, "y": 2}}}}), &over);
        assert_eq!(
            found,
            json!({"stacks": {"a": {"values": {"x": null, "y": 2}}}, "patches": {"p": {"patch": {"spec": null}}}})
        );
        assert_eq!(told, Vec::<String>::new());
    }
}
