//! The head that all our documents share: `apiVersion`, `kind`, `metadata`.

use super::fields::{self, Fields};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::source::Span;
use crate::value::Node;
use std::sync::Arc;

/// The version of the language.
pub const API_VERSION: &str = "stackc.dev/v1alpha1";

/// A document's head and its body.
pub(super) struct Header<'n> {
    pub(super) name: Arc<str>,
    pub(super) name_span: Option<Span>,
    pub(super) description: Arc<str>,
    pub(super) spec: Option<&'n Node>,
}

/// Reads the head of a document of `kind`; `what` is the thing in words, with its article. `default` is the name of
/// one that may leave it out.
pub(super) fn read<'n>(
    document: &'n Node,
    kind: &str,
    what: &'n str,
    default: Option<&str>,
    sink: &mut Sink,
) -> Result<Header<'n>, Reported> {
    let fields = Fields::open(document, what, &["apiVersion", "kind", "metadata", "spec"], sink)?;
    for (key, wanted) in [("apiVersion", API_VERSION), ("kind", kind)] {
        let node = fields.required(key, sink)?;
        if node.as_str() != Some(wanted) {
            let found = fields::text(node, &fields.name(key), sink)?;
            let finding = Diagnostic::error(
                codes::WRONG_DOCUMENT,
                format!("{what} has `{key}: {wanted}`, not `{found}`"),
            );
            return Err(sink.report(finding.at(node.span(), "").help(format!("write `{key}: {wanted}`"))));
        }
    }
    if let (None, Some(name)) = (fields.get("metadata"), default) {
        let name = Arc::from(name);
        return Ok(Header { name, name_span: None, description: Arc::default(), spec: fields.get("spec") });
    }
    let metadata = fields.required("metadata", sink)?;
    let metadata = Fields::open(metadata, "`metadata`", &["name", "description"], sink)?;
    let name = match (metadata.get("name"), default) {
        (None, Some(name)) => Arc::from(name),
        _ => metadata.required_text("name", sink)?,
    };
    Ok(Header {
        name,
        name_span: metadata.get("name").and_then(Node::span),
        description: metadata.text("description", sink)?.unwrap_or_default(),
        spec: fields.get("spec"),
    })
}
