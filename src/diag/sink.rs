//! The one collector of findings.

use super::{Diagnostic, Severity};

/// Proof that the user was told: only a [`Sink`] makes it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Reported(());

/// Collects what one piece of work found, in order. Parallel work has a sink each, merged in input order.
#[derive(Debug, Default)]
pub struct Sink {
    found: Vec<Diagnostic>,
    errors: usize,
}

impl Sink {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a finding.
    pub fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
        Reported(())
    }

    /// Whether an error was reported.
    pub fn failed(&self) -> bool {
        self.errors > 0
    }

    /// `value`, or the token where an error was reported so far: the end of a phase that reports all it finds.
    pub fn finish<T>(&self, value: T) -> Result<T, Reported> {
        if self.failed() { Err(Reported(())) } else { Ok(value) }
    }

    /// As [`Self::finish`], where one warning is enough to fail.
    pub fn finish_strictly<T>(&self, value: T) -> Result<T, Reported> {
        if self.found.is_empty() { Ok(value) } else { Err(Reported(())) }
    }

    /// Adds what another sink found behind what this one did.
    pub fn merge(&mut self, other: Self) {
        for diagnostic in other.found {
            let _reported = self.report(diagnostic);
        }
    }

    /// What was found so far, in order.
    pub fn found(&self) -> &[Diagnostic] {
        &self.found
    }

    /// What was found, in order.
    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}
