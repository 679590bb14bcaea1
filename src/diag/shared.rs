//! Findings of several environments, with what they share told once.

use super::{Diagnostic, Sink};
use crate::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What environments found, each finding once: a fault in what they share is one fault.
#[derive(Debug, Default)]
pub struct Shared {
    found: Vec<(Diagnostic, Vec<Arc<str>>)>,
    /// Where findings of one place and message stand in the list.
    known: BTreeMap<(Option<Span>, String), Vec<usize>>,
}

impl Shared {
    /// Takes what an environment found.
    pub fn add(&mut self, environment: &Arc<str>, sink: Sink) {
        for mut finding in sink.into_found() {
            finding.environment = None;
            let key = (finding.primary.as_ref().map(|label| label.span), finding.message.clone());
            let alike = self.known.entry(key).or_default();
            if let Some(at) = alike.iter().find(|at| self.found[**at].0 == finding) {
                self.found[*at].1.push(Arc::clone(environment));
            } else {
                alike.push(self.found.len());
                self.found.push((finding, vec![Arc::clone(environment)]));
            }
        }
    }

    /// In the order in which they were found; each names its first environment, and tells of the others.
    pub fn found(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_iter().map(|(mut finding, environments)| {
            let mut names = environments.iter().map(|name| format!("`{name}`"));
            finding.environment = environments.first().map(ToString::to_string);
            let others: Vec<String> = names.by_ref().skip(1).take(4).collect();
            let more = names.count();
            match (others.as_slice(), more) {
                ([], _) => finding,
                ([one], _) => finding.note(format!("it is the same in {one}")),
                ([others @ .., last], 0) => {
                    finding.note(format!("it is the same in {} and {last}", others.join(", ")))
                }
                (others, more) => {
                    finding.note(format!("it is the same in {} and {more} more", others.join(", ")))
                }
            }
        })
    }
}
