//! What goes wrong in one expression, before it is known where the expression stands.
//!
//! A [`Fault`] is made deep in the evaluator with a range in the scalar's text; the template that owns the text
//! turns it into a diagnostic.

use super::ast::At;
use crate::diag::{Code, Diagnostic, codes};
use crate::source::Span;

/// An error of an expression.
#[derive(Clone, Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) at: Option<At>,
    pub(super) label: String,
    pub(super) related: Vec<(Span, String)>,
    pub(super) notes: Vec<String>,
    pub(super) helps: Vec<String>,
    /// A finding of somebody else (a lazily computed value), told as it is.
    pub(super) foreign: Foreign,
}

/// Whether the finding is somebody else's.
#[derive(Clone, Debug)]
pub(super) enum Foreign {
    No,
    Finding(Box<Diagnostic>),
    /// And was told before.
    Told,
}

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            at: None,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            foreign: Foreign::No,
        }))
    }

    /// A value of the wrong type.
    pub(super) fn of_type(message: impl Into<String>) -> Self {
        Self::new(codes::EXPRESSION_TYPE, message)
    }

    /// A value of the right type that the function refuses.
    pub(super) fn of_value(message: impl Into<String>) -> Self {
        Self::new(codes::EXPRESSION_VALUE, message)
    }

    /// A number beyond its range.
    pub(super) fn overflow(message: impl Into<String>) -> Self {
        Self::new(codes::EXPRESSION_OVERFLOW, message)
    }

    /// More work than an expression may cause.
    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(codes::EXPRESSION_LIMIT, message)
    }

    /// What another evaluation found; `None` where it has been told already.
    pub(super) fn foreign(finding: Option<Box<Diagnostic>>) -> Self {
        let mut fault = Self::new(codes::EXPRESSION_VALUE, "");
        fault.0.foreign = finding.map_or(Foreign::Told, Foreign::Finding);
        fault
    }

    /// Sets the place, unless a smaller one is known already.
    pub(super) fn at(mut self, at: At) -> Self {
        self.0.at.get_or_insert(at);
        self
    }

    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        if self.0.label.is_empty() {
            self.0.label = text.into();
        }
        self
    }

    pub(super) fn related(mut self, span: Option<Span>, text: impl Into<String>) -> Self {
        self.0.related.extend(span.map(|span| (span, text.into())));
        self
    }

    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.0.notes.push(text.into());
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.0.helps.push(text.into());
        self
    }

    pub(super) fn code(&self) -> &Code {
        &self.0.code
    }

    /// Puts the name of the function that failed into the message.
    pub(super) fn of_function(mut self, name: &str) -> Self {
        self.0.message = self.0.message.replace("{f}", name);
        self
    }

    pub(super) fn is_foreign(&self) -> bool {
        !matches!(self.0.foreign, Foreign::No)
    }

    pub(super) fn has_related(&self) -> bool {
        !self.0.related.is_empty()
    }

    /// What is wrong, where no diagnostic is made of it.
    pub(super) fn told(self) -> Inner {
        *self.0
    }

    /// The diagnostic, with ranges turned into places by `locate`; `None` where it has been told already.
    pub(super) fn into_diagnostic(self, locate: impl Fn(Option<At>) -> Option<Span>) -> Option<Diagnostic> {
        let inner = *self.0;
        match inner.foreign {
            Foreign::No => {}
            Foreign::Told => return None,
            Foreign::Finding(finding) => return Some(*finding),
        }
        let mut diagnostic = Diagnostic::error(inner.code, inner.message).at(locate(inner.at), inner.label);
        for (span, text) in inner.related {
            diagnostic = diagnostic.related(span, text);
        }
        diagnostic.notes = inner.notes;
        diagnostic.helps = inner.helps;
        Some(diagnostic)
    }
}
