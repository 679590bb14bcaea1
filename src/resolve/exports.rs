//! Exports: evaluated field by field when somebody reads them, each once.

use super::{InstanceScope, Resolution, Stage};
use crate::diag::{Diagnostic, codes};
use crate::expr::{Found, Scope};
use crate::load::Offer;
use crate::value::Node;
use std::sync::{Arc, PoisonError};

/// How many exports may read each other in a row.
const LONGEST_CHAIN: usize = 64;

/// Evaluates one field of an offer; `None` where it is absent or omitted.
pub(super) fn field_of(
    offer: &Offer,
    field: &str,
    scope: &dyn Scope,
) -> Result<Option<Node>, Vec<Diagnostic>> {
    match (offer.exports.get(field), &offer.whole) {
        (Some((_, tree)), _) => tree.evaluate(scope),
        (None, Some((_, tree))) => Ok(tree.evaluate(scope)?.and_then(|exports| exports.get(field).cloned())),
        (None, None) => Ok(None),
    }
}

impl Resolution {
    /// A field of an offer.
    pub(super) fn export(&self, offer: usize, field: &str) -> Found<'_> {
        let active = &self.offers[offer];
        let Some((name, cell)) = active.exports.get_key_value(field) else {
            return match self.implicit(offer, field) {
                Some(node) => Found::Node(node),
                None => Found::Absent,
            };
        };
        let done = if let Some(done) = cell.get() {
            done
        } else {
            if let Err(finding) = self.enter(offer, name) {
                return Found::Failed(Some(finding));
            }
            let found = self.evaluate(offer, name);
            self.leave();
            cell.get_or_init(|| found)
        };
        match done {
            Ok(Some(node)) => Found::Node(node),
            Ok(None) => self.implicit(offer, field).map_or(Found::Absent, Found::Node),
            Err(finding) => Found::Failed(Some(finding.clone())),
        }
    }

    /// All fields of an offer that are not omitted.
    pub(super) fn export_names(&self, offer: usize) -> Vec<Arc<str>> {
        let active = &self.offers[offer];
        let mut names: Vec<Arc<str>> = active
            .exports
            .keys()
            .filter(|name| matches!(self.export(offer, name), Found::Node(_) | Found::Failed(_)))
            .cloned()
            .collect();
        for name in ["instance", "namespace", "stack"] {
            if self.implicit(offer, name).is_some() {
                names.push(name.into());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// What every offer says: the instance, its stack and its namespace.
    fn implicit(&self, offer: usize, field: &str) -> Option<&Node> {
        let instance = &self.instances[self.offers[offer].instance];
        match field {
            "instance" => instance.scope.get("name"),
            "stack" => instance.scope.get("stack"),
            "namespace" => instance.namespace.as_ref(),
            _ => None,
        }
    }

    /// Evaluates a field. Readers are handed its first finding, which the sink keeps once; the others are told here.
    fn evaluate(&self, offer: usize, field: &str) -> Result<Option<Node>, Box<Diagnostic>> {
        let active = &self.offers[offer];
        let scope = InstanceScope::new(self, active.instance, Stage::Exports, None);
        field_of(active.declared(&self.instances), field, &active.variables.over(&scope)).map_err(
            |findings| {
                let name = &self.instances[active.instance].name;
                let mut findings = findings.into_iter().map(|finding| self.while_in(finding, name));
                let first = findings.next().unwrap_or_else(|| {
                    Diagnostic::error(codes::INTERNAL, format!("the export `{field}` failed without a word"))
                });
                for finding in findings {
                    self.tell(finding);
                }
                Box::new(first)
            },
        )
    }

    fn enter(&self, offer: usize, field: &Arc<str>) -> Result<(), Box<Diagnostic>> {
        let mut chain = self.evaluating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = chain.iter().position(|(o, f)| *o == offer && f == field) {
            return Err(Box::new(self.loop_finding(&chain[at..])));
        }
        if chain.len() >= LONGEST_CHAIN {
            let finding = Diagnostic::error(
                codes::EXPORT_LOOP,
                format!("more than {LONGEST_CHAIN} exports read each other in a row"),
            );
            let (offer, field) = &chain[0];
            return Err(Box::new(finding.at(self.export_span(*offer, field), "starting here")));
        }
        chain.push((offer, Arc::clone(field)));
        Ok(())
    }

    fn leave(&self) {
        let _popped = self.evaluating.lock().unwrap_or_else(PoisonError::into_inner).pop();
    }

    fn loop_finding(&self, chain: &[(usize, Arc<str>)]) -> Diagnostic {
        let name = |(offer, field): &(usize, Arc<str>)| {
            let active = &self.offers[*offer];
            format!("`{}: {}.{field}`", self.instances[active.instance].name, active.capability)
        };
        let mut names: Vec<String> = chain.iter().map(name).collect();
        names.push(names[0].clone());
        let fact = format!("exports read each other in a loop: {}", names.join(" -> "));
        let (offer, field) = &chain[0];
        let mut finding = Diagnostic::error(codes::EXPORT_LOOP, fact).at(
            self.export_span(*offer, field),
            if chain.len() == 1 { "reads itself" } else { "reads the next" },
        );
        for (other, field) in &chain[1..] {
            finding = finding.related(self.export_span(*other, field), "which reads the next");
        }
        self.while_in(
            finding.help("let one of these fields come from an input"),
            &self.instances[self.offers[*offer].instance].name,
        )
    }

    pub(crate) fn export_span(&self, offer: usize, field: &str) -> Option<crate::source::Span> {
        let declared = self.offers[offer].declared(&self.instances);
        declared.exports.get(field).or(declared.whole.as_ref()).map(|(span, _)| *span)
    }

    fn tell(&self, finding: Diagnostic) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }
}
