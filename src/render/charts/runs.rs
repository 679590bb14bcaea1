//! Two runs of one release, held against each other: documents by what they are, not by where they stand.
//!
//! A document is the same in both runs where file, kind, namespace and name are; what is left of one kind in one file
//! has another name each time. What only one run makes is a difference, whichever it is.

use super::{Task, file_of, piece, printed};
use crate::helm::output::Manifest;
use crate::helm::release::Rendered;
use crate::value::{Node, Path, Segment, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A field or object that differs between two runs.
pub(super) struct Change<'r> {
    /// The run that has it.
    pub(super) run: &'r Rendered,
    /// The object.
    pub(super) object: String,
    /// The field; none for an object that only one run makes.
    pub(super) path: Option<Path>,
    /// The file of the output.
    pub(super) file: usize,
    /// Its first byte in the file's output.
    pub(super) offset: usize,
}

impl Change<'_> {
    /// What it is, for a list.
    pub(super) fn words(&self) -> String {
        let object = &self.object;
        self.path
            .as_ref()
            .map_or_else(|| format!("{object} as a whole"), |path| format!("`{path}` of {object}"))
    }
}

/// A document of one run.
struct Document<'r> {
    run: &'r Rendered,
    manifest: &'r Manifest,
    node: Node,
}

impl<'r> Document<'r> {
    fn path(&self) -> &'r str {
        self.run.sorted.path(self.manifest)
    }

    fn text(&self, keys: &[&str]) -> &str {
        self.node.at(keys).and_then(Node::as_str).unwrap_or_default()
    }

    fn kind(&self) -> (&str, &str, &str) {
        (self.path(), self.text(&["apiVersion"]), self.text(&["kind"]))
    }

    fn name(&self) -> (&str, &str) {
        (self.text(&["metadata", "namespace"]), self.text(&["metadata", "name"]))
    }

    /// A difference at `leaf`, which is in it.
    fn change(&self, path: Option<Path>, leaf: &Node, task: &Task<'_>) -> Option<Change<'r>> {
        let span = leaf.span();
        let start = span.map_or(0, |span| span.start as usize);
        // A quoted scalar begins with the template's own quote.
        let is_quoted =
            span.is_some_and(|span| task.supplied.sources().snippet(span).starts_with(['"', '\'']));
        Some(Change {
            run: self.run,
            object: format!("{}/{}", self.text(&["kind"]), self.text(&["metadata", "name"])),
            path,
            file: file_of(self.manifest, self.run)?,
            offset: self.manifest.range.start + start + usize::from(is_quoted),
        })
    }
}

/// What differs between two runs of one release.
pub(super) fn changes<'r>(task: &Task<'_>, first: &'r Rendered, second: &'r Rendered) -> Vec<Change<'r>> {
    let (ours, mut theirs) = (changed(task, first, second), changed(task, second, first));
    let mut changes = Vec::new();
    let mut pair = |ours: &Document<'r>, theirs: &Document<'r>| {
        compare([&ours.node, &theirs.node], &mut Path::default(), &mut |side, path, leaf| {
            let document = if side == Side::Ours { ours } else { theirs };
            changes.extend(document.change(Some(path.clone()), leaf, task));
        });
    };
    let mut alone = Vec::new();
    for document in ours {
        match theirs
            .iter()
            .position(|other| other.kind() == document.kind() && other.name() == document.name())
        {
            Some(at) => pair(&document, &theirs.remove(at)),
            None => alone.push(document),
        }
    }
    let mut single = Vec::new();
    for document in alone {
        match theirs.iter().position(|other| other.kind() == document.kind()) {
            Some(at) => pair(&document, &theirs.remove(at)),
            None => single.push(document),
        }
    }
    changes.extend(
        single.iter().chain(&theirs).filter_map(|document| document.change(None, &document.node, task)),
    );
    changes
}

/// The documents of a run that the other one did not make byte for byte.
fn changed<'r>(task: &Task<'_>, run: &'r Rendered, other: &Rendered) -> Vec<Document<'r>> {
    let mut known: BTreeMap<(&str, &[u8]), usize> = BTreeMap::new();
    for manifest in manifests(other) {
        *known.entry((other.sorted.path(manifest), other.sorted.bytes(manifest))).or_default() += 1;
    }
    let mut documents = Vec::new();
    for manifest in manifests(run) {
        match known.get_mut(&(run.sorted.path(manifest), run.sorted.bytes(manifest))) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                let nodes = printed::documents(&piece(manifest, run), task.supplied.sources());
                documents.extend(nodes.into_iter().map(|node| Document { run, manifest, node }));
            }
        }
    }
    documents
}

fn manifests(run: &Rendered) -> impl Iterator<Item = &Manifest> {
    let sorted = &run.sorted;
    sorted.manifests.iter().chain(&sorted.hooks).chain(&sorted.unknown_hooks)
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
}

/// Tells of every place where two values differ, in the one that has it; ours where both have.
fn compare(nodes: [&Node; 2], path: &mut Path, found: &mut dyn FnMut(Side, &Path, &Node)) {
    let [ours, theirs] = nodes;
    match (&ours.value, &theirs.value) {
        (Value::Map(map), Value::Map(other)) => {
            for (key, entry) in map {
                path.push(Segment::Key(Arc::clone(key)));
                match other.get(key) {
                    Some(other) => compare([&entry.node, &other.node], path, found),
                    None => found(Side::Ours, path, &entry.node),
                }
                path.pop();
            }
            for (key, entry) in other.iter().filter(|(key, _)| !map.contains_key(key)) {
                path.push(Segment::Key(Arc::clone(key)));
                found(Side::Theirs, path, &entry.node);
                path.pop();
            }
        }
        (Value::List(items), Value::List(others)) => {
            for index in 0..items.len().max(others.len()) {
                path.push(Segment::Index(index));
                match (items.get(index), others.get(index)) {
                    (Some(ours), Some(theirs)) => compare([ours, theirs], path, found),
                    (Some(only), None) => found(Side::Ours, path, only),
                    (None, Some(only)) => found(Side::Theirs, path, only),
                    (None, None) => {}
                }
                path.pop();
            }
        }
        (ours_value, theirs_value) if ours_value == theirs_value => {}
        _ => found(Side::Ours, path, ours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Origin;
    use serde_json::{Value as Json, json};

    fn differences(ours: &Json, theirs: &Json) -> Vec<String> {
        let node = |json| Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler);
        let mut out = Vec::new();
        compare([&node(ours), &node(theirs)], &mut Path::default(), &mut |side, path, _| {
            out.push(format!("{}{path}", if side == Side::Ours { "" } else { "+" }));
        });
        out
    }

    #[test]
    fn what_either_has_is_found() {
        let ours = json!({"a": 1, "b": {"c": [1, 2]}, "d": "x", "same": [{"e": null}]});
        let theirs = json!({"b": {"c": [1, 3, 4]}, "d": {"y": 1}, "new": 1, "same": [{"e": null}]});
        assert_eq!(differences(&ours, &theirs), ["a", "b.c[1]", "+b.c[2]", "d", "+new"]);
        assert_eq!(differences(&ours, &ours), Vec::<String>::new());
    }
}
