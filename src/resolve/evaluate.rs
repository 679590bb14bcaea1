//! Evaluating the parts of a stack: conditions, rounds of `forEach`, texts.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::expr::{Bindings, Scope, Tree};
use crate::load::Guard;
use crate::load::fields;
use crate::value::{Node, Segment, Value};
use std::sync::Arc;

/// The value of a tree; `None` where it is `omit`.
pub(crate) fn value(tree: &Tree, scope: &dyn Scope, sink: &mut Sink) -> Result<Option<Node>, Reported> {
    tree.evaluate(scope).map_err(|findings| tell(findings, sink))
}

/// A string; `None` where it is omitted.
pub(crate) fn text(
    tree: &Tree,
    scope: &dyn Scope,
    what: &str,
    sink: &mut Sink,
) -> Result<Option<(Arc<str>, Node)>, Reported> {
    match value(tree, scope, sink)? {
        None => Ok(None),
        Some(node) => fields::text(&node, what, sink).map(|text| Some((text, node))),
    }
}

/// The rounds of a part in which its condition holds: one without variables where it has no `forEach`.
pub(crate) fn rounds(guard: &Guard, scope: &dyn Scope, sink: &mut Sink) -> Result<Vec<Bindings>, Reported> {
    let all = match &guard.for_each {
        None => vec![Bindings::default()],
        Some(for_each) => for_each.expand(scope).map_err(|findings| tell(findings, sink))?,
    };
    let Some(when) = &guard.when else { return Ok(all) };
    let mut kept = Vec::new();
    let mut failed = None;
    for bindings in all {
        match when.condition(&bindings.over(scope)) {
            Ok(true) => kept.push(bindings),
            Ok(false) => {}
            Err(findings) => failed = Some(tell(findings, sink)),
        }
    }
    failed.map_or(Ok(kept), Err)
}

/// The key of the innermost item of a round: its key in the map, or its index.
pub(super) fn key(bindings: &Bindings) -> Option<Arc<str>> {
    let last = bindings.0.last()?;
    match last.path.as_ref().and_then(|path| path.segments().last()) {
        Some(Segment::Key(key)) => Some(Arc::clone(key)),
        Some(Segment::Index(index)) => Some(index.to_string().into()),
        None => match &last.node.value {
            Value::String(text) => Some(Arc::clone(text)),
            other => Some(other.to_json().to_string().into()),
        },
    }
}

fn tell(findings: Vec<Diagnostic>, sink: &mut Sink) -> Reported {
    let mut told = None;
    for finding in findings {
        told = Some(sink.report(finding));
    }
    told.unwrap_or_else(|| {
        sink.report(Diagnostic::error(codes::INTERNAL, "an expression failed without a word"))
    })
}
