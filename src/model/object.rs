//! Kubernetes objects and their identity.

use crate::source::Span;
use crate::value::{Node, Value};
use std::fmt;
use std::sync::Arc;

/// Group, version and kind; the core group is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// `apps`, `cert-manager.io`, or empty.
    pub group: Arc<str>,
    /// `v1`.
    pub version: Arc<str>,
    /// `Deployment`.
    pub kind: Arc<str>,
}

impl Gvk {
    /// From the `apiVersion` and `kind` of an object.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// `group/version`, or the version alone.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// What makes an object one object for the API server; the version is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The API group, empty for core.
    pub group: Arc<str>,
    /// The kind.
    pub kind: Arc<str>,
    /// The namespace; `None` on cluster-scoped objects.
    pub namespace: Option<Arc<str>>,
    /// The name.
    pub name: Arc<str>,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(out, "{}/{}/{}", self.kind, namespace, self.name),
            None => write!(out, "{}/{}", self.kind, self.name),
        }
    }
}

/// Who wrote a stack.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StackOwner {
    /// The project.
    Project,
    /// The binary carries it.
    Library,
}

/// What made an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSource {
    /// `resources` of a stack, by the resource's id.
    Resource {
        /// The resource's `id`.
        id: Arc<str>,
        /// Its place in the stack's document.
        span: Span,
        /// Who can change that document.
        stack: StackOwner,
    },
    /// A plain manifest.
    Manifest {
        /// The document in the file.
        span: Span,
    },
    /// A chart, by release.
    Chart {
        /// The release.
        release: Arc<str>,
        /// Its namespace, where objects that name none live.
        namespace: Arc<str>,
        /// The chart's place in the stack.
        span: Span,
        /// When it is wanted.
        stage: Stage,
    },
    /// The compiler itself: Namespaces, sources.
    Compiler {
        /// Why, in words.
        reason: &'static str,
    },
}

/// When a release wants an object.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before everything else of the release: its `pre-install` and `pre-upgrade` hooks, in as many steps as Jobs wait
    /// for each other, from 0.
    Before(u32),
    /// With the rest of the release.
    With,
}

/// An object with all that is known of it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its identity.
    pub id: ObjectId,
    /// Its group, version and kind.
    pub gvk: Gvk,
    /// Its data, every leaf with its origin.
    pub node: Node,
    /// What made it.
    pub source: ObjectSource,
}

/// Adds the objects of a YAML document: none for an empty one, the items of a `List`.
pub fn flatten(document: Node, objects: &mut Vec<Node>) {
    let list = document.get("kind").and_then(Node::as_str) == Some("List")
        && document.get("apiVersion").and_then(Node::as_str) == Some("v1");
    match document.value {
        Value::Null => {}
        Value::Map(mut map) if list => {
            let items = map.remove("items").map(|entry| entry.node.value);
            if let Some(Value::List(items)) = items {
                for item in items {
                    flatten(item, objects);
                }
            }
        }
        _ => objects.push(document),
    }
}
