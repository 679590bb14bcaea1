//! Building and printing the documents that the compiler itself makes, and printing objects.

use crate::diag::{Diagnostic, Sink, codes};
use crate::value::{Entry, Map, Node, Origin, Value};
use crate::yaml::{self, Keys};
use std::sync::Arc;

/// A value of the compiler's own making.
pub(super) fn value(value: impl Into<Value>) -> Node {
    Node::new(value, Origin::Compiler)
}

/// A list of the compiler's own making.
pub(super) fn list(items: impl IntoIterator<Item = Node>) -> Node {
    value(items.into_iter().collect::<Vec<_>>())
}

/// A map in the order in which it is built.
#[derive(Default)]
pub(super) struct Fields(Map);

impl Fields {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    pub(super) fn with(mut self, key: &str, member: impl Into<Value>) -> Self {
        self.0.insert(Arc::from(key), Entry { key: Origin::Compiler, node: value(member) });
        self
    }

    /// Adds a member that is a node already.
    pub(super) fn with_node(mut self, key: &str, node: Node) -> Self {
        self.0.insert(Arc::from(key), Entry { key: Origin::Compiler, node });
        self
    }

    /// Adds a member where there is a value for it.
    pub(super) fn with_some(self, key: &str, member: Option<impl Into<Value>>) -> Self {
        match member {
            Some(member) => self.with(key, member),
            None => self,
        }
    }

    pub(super) fn node(self) -> Node {
        value(self.0)
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Map(fields.0)
    }
}

/// A document with its keys in the order of the node.
pub(super) fn print(node: &Node, sink: &mut Sink) -> Vec<u8> {
    printed(node, Keys::Given, sink)
}

/// An object, its keys in the order in which `kubectl` prints them.
pub(super) fn print_object(node: &Node, sink: &mut Sink) -> Vec<u8> {
    printed(node, Keys::Natural, sink)
}

fn printed(node: &Node, keys: Keys, sink: &mut Sink) -> Vec<u8> {
    let mut out = Vec::new();
    if yaml::write(node, keys, &mut out).is_err() {
        sink.report(
            Diagnostic::error(codes::UNWRITABLE, "a value cannot be written as YAML")
                .at(node.span(), "in this document")
                .help("it holds a number that is not finite, or nests more than a thousand levels deep"),
        );
    }
    out
}
