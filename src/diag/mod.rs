//! What goes wrong, said once, with a place and a way to mend it.
//!
//! A [`Diagnostic`] is data; [`render`] draws it for people and machines. Failure is carried by [`Reported`], a
//! token of no size that only a [`Sink`] makes: a function that returns it has told the user, once.

mod code;
pub mod render;
mod shared;
mod sink;

pub use code::{Code, codes};
pub use shared::Shared;
pub use sink::{Reported, Sink};

use crate::source::Span;

/// How bad it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The build fails.
    Error,
    /// The build passes, unless `--deny-warnings`.
    Warning,
}

/// A place with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding, documented in `docs/codes/`.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The fact: lower case, no full stop, names in backticks.
    pub message: String,
    /// Where the user can edit.
    pub primary: Option<Label>,
    /// Other places that explain it.
    pub related: Vec<Label>,
    /// What led here: `while rendering chart ...`.
    pub trace: Vec<String>,
    /// Facts that help to understand, such as origins of values.
    pub notes: Vec<String>,
    /// How to mend it.
    pub helps: Vec<String>,
    /// The environment, where it concerns one.
    pub environment: Option<String>,
    /// The object that it is about, as `Kind/namespace/name`.
    pub object: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: None,
            related: Vec::new(),
            trace: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            environment: None,
            object: None,
        }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Sets the place to underline, with what is there.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        self.primary = span.into().map(|span| Label { span, text: text.into() });
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn related(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        self.related.extend(span.into().map(|span| Label { span, text: text.into() }));
        self
    }

    /// Adds what led here.
    #[must_use]
    pub fn trace(mut self, text: impl Into<String>) -> Self {
        self.trace.push(text.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Names the object that it is about.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }
}

/// The member of `candidates` that a misspelt `word` most likely means.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = distance(&word.to_lowercase(), &candidate.to_lowercase());
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (table[(i - 1) * width + j] + 1)
                    .min(table[i * width + j - 1] + 1)
                    .min(table[(i - 1) * width + j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_the_nearest_word_and_nothing_far() {
        assert_eq!(did_you_mean("hosts", ["host", "path"]), Some("host"));
        assert_eq!(did_you_mean("relpicas", ["replicas", "resources"]), Some("replicas"));
        assert_eq!(did_you_mean("xyz", ["replicas"]), None);
    }
}
