//! Exports against the types of their capabilities.

use crate::diag::{Diagnostic, Sink, codes};
use crate::expr::{Found, Lazy as _};
use crate::resolve::Resolution;
use crate::value::{Entry, Map, Node, Origin};
use std::sync::Arc;

/// Evaluates every export of the offers in force and holds it to its type.
pub(super) fn check(resolution: &Resolution, sink: &mut Sink) {
    for (index, offer) in resolution.offers.iter().enumerate() {
        if offer.displaced.is_some() {
            continue;
        }
        let Some(capability) = resolution.project.capabilities().get(&offer.capability) else { continue };
        let instance = &resolution.instances[offer.instance];
        let span = offer.declared(&resolution.instances).span;
        let provider = resolution.provider(index);
        let mut exports = Map::new();
        let mut failed = false;
        for field in &capability.fields {
            match provider.member(field) {
                Found::Node(node) => {
                    let key = resolution.export_span(index, field).map_or(Origin::Compiler, Origin::Written);
                    let _none = exports.insert(Arc::clone(field), Entry { key, node: node.clone() });
                }
                Found::Absent => {}
                Found::Failed(finding) => {
                    failed = true;
                    if let Some(finding) = finding {
                        let _told = sink.report(*finding);
                    }
                }
                Found::Known(..) | Found::Lazy(_) | Found::Ahead(_) => {}
            }
        }
        if failed {
            continue;
        }
        let mut own = Sink::new();
        let what = format!("the offer of `{}`", offer.capability);
        let _typed = capability.schema.apply(Node::new(exports, span), what.as_str().into(), &mut own);
        for finding in own.into_found() {
            let told = Diagnostic { code: codes::EXPORT_TYPE, ..finding };
            let told = told.related(instance.span, "of this instance");
            let _told = sink.report(resolution.while_in(told, &instance.name));
        }
    }
}
