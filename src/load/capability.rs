//! The registry of capabilities: what stacks can give to each other, and the type of each.

use super::fields::Fields;
use crate::diag::{Reported, Sink};
use crate::schema::Schema;
use crate::source::Span;
use crate::value::Node;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A capability.
#[derive(Debug)]
pub struct Capability {
    /// Its name.
    pub name: Arc<str>,
    /// What it stands for.
    pub description: Arc<str>,
    /// Whether a cluster can have it once only: `x-exclusive`.
    pub exclusive: bool,
    /// The export that tells several providers apart: `x-key`.
    pub key: Option<Arc<str>>,
    /// The type of its exports.
    pub schema: Arc<Schema>,
    /// The exports that the type names.
    pub fields: Vec<Arc<str>>,
    /// The place of its name in the schema.
    pub span: Option<Span>,
}

/// All capabilities by name.
pub type Capabilities = BTreeMap<Arc<str>, Arc<Capability>>;

/// Adds the capabilities of one schema document.
pub(super) fn read(document: &Node, found: &mut Capabilities, sink: &mut Sink) -> Result<(), Reported> {
    let fields = Fields::any(document, "the schema of capabilities", sink)?;
    let properties = Fields::any(fields.required("properties", sink)?, "`properties`", sink)?;
    for (name, entry) in properties.entries() {
        let Ok(parts) = Fields::any(&entry.node, "a capability", sink) else { continue };
        let Ok(schema) = Schema::compile(&entry.node, sink) else { continue };
        let capability = Capability {
            name: Arc::clone(name),
            description: parts.text("description", sink)?.unwrap_or_default(),
            exclusive: parts.flag("x-exclusive", sink)?,
            key: parts.text("x-key", sink)?,
            schema: Arc::new(schema),
            fields: entry
                .node
                .get("properties")
                .and_then(Node::as_map)
                .map(|map| map.keys().cloned().collect())
                .unwrap_or_default(),
            span: entry.key.span(),
        };
        let _replaced = found.insert(Arc::clone(name), Arc::new(capability));
    }
    Ok(())
}
