//! A schema as it is used: compiled once, then input after input is completed and checked.

use super::violation::Violations;
use super::{defaults, lint};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::value::{Node, Path};
use jsonschema::{Draft, PatternOptions, Validator};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A compiled JSON Schema (2020-12) that knows the place of each of its parts.
///
/// It is closed: references lead inside the document, and what [`lint`](super) does not know is refused.
#[derive(Debug)]
pub struct Schema {
    root: Node,
    validator: Validator,
    patterns: Patterns,
}

/// What an input belongs to, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Its name, such as "the instance `shop`".
    pub what: &'a str,
    /// The keys that it has beside those of the schema, and what has them all.
    pub also: Option<(&'a str, &'a [&'a str])>,
}

impl<'a> From<&'a str> for Holder<'a> {
    fn from(what: &'a str) -> Self {
        Self { what, also: None }
    }
}

/// The patterns of `patternProperties`, compiled.
pub(super) type Patterns = BTreeMap<Arc<str>, Regex>;

impl Schema {
    /// Compiles a schema; everything that is wrong with it is told.
    pub fn compile(root: &Node, sink: &mut Sink) -> Result<Self, Reported> {
        let mut patterns = Patterns::new();
        let found = lint::faults(root, &mut patterns);
        if let Some(told) = found.into_iter().map(|finding| sink.report(finding)).last() {
            return Err(told);
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(&root.to_json());
        match validator {
            Ok(validator) => Ok(Self { root: root.clone(), validator, patterns }),
            Err(error) => {
                let place = super::pointer(root, error.instance_path().as_str());
                let finding = Diagnostic::error(codes::INVALID_SCHEMA, "this is no JSON Schema");
                let finding = finding.at(place.unwrap_or(root).span(), "");
                Err(sink.report(finding.note(error.to_string().to_lowercase())))
            }
        }
    }

    /// The document.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Adds what is missing and has a default, and makes every `number` a double. Says nothing about the rest.
    pub fn complete(&self, input: Node) -> Node {
        defaults::complete(&self.root, &self.patterns, input)
    }

    /// What an input violates, in the order of the input.
    pub fn violations(&self, input: &Node, holder: Holder<'_>) -> Vec<Diagnostic> {
        let json = input.to_json();
        let mut violations = Violations::new(&self.root, input, holder);
        violations.large_integers();
        if !self.validator.is_valid(&json) {
            for error in self.validator.iter_errors(&json) {
                violations.add(&error);
            }
        }
        violations.finish()
    }

    /// Completes an input and checks it; everything that is wrong with it is told.
    pub fn apply(&self, input: Node, holder: Holder<'_>, sink: &mut Sink) -> Result<Node, Reported> {
        let input = self.complete(input);
        let found = self.violations(&input, holder);
        match found.into_iter().map(|finding| sink.report(finding)).last() {
            Some(told) => Err(told),
            None => Ok(input),
        }
    }

    /// What is known of the input at a path.
    pub fn describe(&self, path: &Path) -> Option<super::Description> {
        super::describe::describe(&self.root, &self.patterns, path)
    }

    /// Every input, outermost first: members of maps with free keys stand under `NAME`, items of lists under
    /// `[0]`.
    pub fn inputs(&self) -> Vec<(Path, super::Description)> {
        super::describe::inputs(&self.root)
    }
}
