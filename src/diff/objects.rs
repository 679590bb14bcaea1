//! Changes of files as changes of the documents in them.

use super::FileChange;
use super::fields::{self, FieldChange};
use crate::model::{Gvk, ObjectId};
use crate::schema::merge_keys::MergeType;
use crate::source::Sources;
use crate::value::{Node, Value};
use crate::yaml::{self, Options};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

/// What a changed document is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentId {
    /// A Kubernetes object.
    Object(ObjectId),
    /// Any other file.
    File(Utf8PathBuf),
}

impl std::fmt::Display for DocumentId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(id) => write!(out, "{id}"),
            Self::File(path) => write!(out, "{path}"),
        }
    }
}

/// What happens to a document as a whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Whole {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Some of its fields differ.
    Changed(Vec<FieldChange>),
    /// It is text, or encrypted: its bytes differ.
    Rewritten {
        /// The text before, where it may be shown.
        before: Option<String>,
        /// The text now, where it may be shown.
        after: Option<String>,
    },
}

/// A document that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentChange {
    /// What it is.
    pub id: DocumentId,
    /// The unit that it is in now, or was in where it goes.
    pub unit: Option<String>,
    /// The unit that it was in before, where that was another one.
    pub moved_from: Option<String>,
    /// What happens to it.
    pub whole: Whole,
}

/// The kind of place that a document is in: an object for both tools, for Flux alone, a Kustomization.
type Place = &'static str;

struct Document {
    node: Node,
    unit: Option<String>,
}

/// The documents that change in an environment.
pub(super) fn changes(environment: &str, files: &[FileChange]) -> Vec<DocumentChange> {
    let mut before: BTreeMap<(DocumentId, Place), Document> = BTreeMap::new();
    let mut after: BTreeMap<(DocumentId, Place), Document> = BTreeMap::new();
    let mut found = Vec::new();
    for change in files {
        if change.path.file_name() == Some(".stackc-files") {
            continue;
        }
        let read = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| documents(environment, &change.path, bytes));
        let sides = (read(change.before.as_ref()), read(change.after.as_ref()));
        let opaque = matches!(sides.0, Some(None)) || matches!(sides.1, Some(None));
        if opaque {
            found.push(rewritten(environment, change));
            continue;
        }
        before.extend(sides.0.flatten().into_iter().flatten());
        after.extend(sides.1.flatten().into_iter().flatten());
    }
    let mut ids: Vec<&(DocumentId, Place)> =
        before.keys().chain(after.keys().filter(|id| !before.contains_key(*id))).collect();
    ids.sort();
    for key in ids {
        let (old, new) = (before.get(key), after.get(key));
        let unit = new.or(old).and_then(|document| document.unit.clone());
        let moved_from =
            old.and_then(|old| old.unit.clone()).filter(|old| new.is_some() && Some(old) != unit.as_ref());
        let listing =
            matches!(&key.0, DocumentId::File(path) if path.file_name() == Some("kustomization.yaml"));
        if listing && (old.is_none() || new.is_none()) {
            continue;
        }
        let whole = match (old, new) {
            (None, _) => Whole::Added,
            (_, None) => Whole::Removed,
            (Some(old), Some(new)) => {
                let kind = match &key.0 {
                    DocumentId::Object(id) => MergeType::of(&id.group, &id.kind),
                    DocumentId::File(_) => None,
                };
                Whole::Changed(fields::changes(&old.node, &new.node, kind.unwrap_or_else(MergeType::unknown)))
            }
        };
        if matches!(&whole, Whole::Changed(fields) if fields.is_empty()) && moved_from.is_none() {
            continue;
        }
        let change = DocumentChange { id: key.0.clone(), unit, moved_from, whole };
        // The folder for Flux holds the objects of a unit with releases once more.
        if !found.contains(&change) {
            found.push(change);
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The unit that a path belongs to.
fn unit_of(environment: &str, path: &Utf8Path) -> Option<String> {
    let mut parts = path.components().map(|part| part.as_str());
    let place = parts.next()?;
    if !matches!(place, "envs" | "flux") || parts.next()? != environment {
        return None;
    }
    let unit = parts.next()?;
    parts.next().map(|_| unit.to_owned())
}

fn rewritten(environment: &str, change: &FileChange) -> DocumentChange {
    let secret = |bytes: &Vec<u8>| is_encrypted(bytes);
    let hidden = change.before.iter().chain(&change.after).any(secret);
    let text = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().filter(|_| !hidden).and_then(|bytes| String::from_utf8(bytes.clone()).ok())
    };
    let whole = match (&change.before, &change.after) {
        (None, _) => Whole::Added,
        (_, None) => Whole::Removed,
        _ => Whole::Rewritten { before: text(&change.before), after: text(&change.after) },
    };
    DocumentChange {
        id: DocumentId::File(change.path.clone()),
        unit: unit_of(environment, &change.path),
        moved_from: None,
        whole,
    }
}

fn is_encrypted(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"ENC[AES256_GCM").is_some()
}

type Read = Vec<((DocumentId, Place), Document)>;

/// The documents of a file; `None` where it is no YAML, or nothing to look into.
fn documents(environment: &str, path: &Utf8Path, bytes: &[u8]) -> Option<Read> {
    // kluctl's levels read best as lines: its items are no list of named things.
    let levels = path.file_name() == Some("deployment.yaml") && unit_of(environment, path).is_none();
    if !matches!(path.extension(), Some("yaml" | "yml")) || is_encrypted(bytes) || levels {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let file = Sources::new().add(path.as_str(), text);
    let (documents, errors) = yaml::read_all(file, text, Options::default());
    if !errors.is_empty() {
        return None;
    }
    let place: Place = match path.components().next().map(|part| part.as_str()) {
        Some("flux") => "flux",
        Some("clusters") => "clusters",
        Some("hosts") => "hosts",
        _ => "envs",
    };
    let alone = documents.len() == 1;
    let mut read = Vec::new();
    for document in documents {
        let mut node = document.node;
        let text = |keys: &[&str]| node.at(keys).and_then(Node::as_str);
        let object = match (text(&["apiVersion"]), text(&["kind"]), text(&["metadata", "name"])) {
            (Some(api_version), Some(kind), Some(name)) if place != "hosts" => {
                let gvk = Gvk::new(api_version, kind);
                Some(ObjectId {
                    group: gvk.group,
                    kind: gvk.kind,
                    namespace: text(&["metadata", "namespace"]).map(Into::into),
                    name: name.into(),
                })
            }
            _ => None,
        };
        let id = match object {
            Some(id) => DocumentId::Object(id),
            None if alone => DocumentId::File(path.to_owned()),
            None => return None,
        };
        if path.file_name() == Some("kustomization.yaml") {
            // The list of files follows from the objects, which are shown themselves.
            if let Value::Map(map) = &mut node.value {
                map.remove("resources");
            }
        }
        read.push(((id, place), Document { node, unit: unit_of(environment, path) }));
    }
    Some(read)
}
