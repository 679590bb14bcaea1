//! Findings in a form that can be kept: each with the texts that it points into.

use crate::diag::{Code, Diagnostic, Label, Severity};
use crate::source::{FileId, Sources, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a build found, which did not keep it from being done.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Findings {
    texts: Vec<Text>,
    found: Vec<Finding>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Text {
    name: String,
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Finding {
    code: String,
    is_error: bool,
    message: String,
    primary: Option<Place>,
    related: Vec<Place>,
    trace: Vec<String>,
    notes: Vec<String>,
    helps: Vec<String>,
    environment: Option<String>,
    object: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Place {
    /// The number of its text.
    text: usize,
    start: u32,
    end: u32,
    label: String,
}

impl Findings {
    pub(super) fn of(found: &[Diagnostic], sources: &Sources) -> Self {
        let mut numbers: BTreeMap<FileId, usize> = BTreeMap::new();
        let mut texts = Vec::new();
        let mut place = |label: &Label| {
            let Span { file, start, end } = label.span;
            let text = *numbers.entry(file).or_insert_with(|| {
                let source = sources.get(file);
                texts.push(Text { name: source.name().to_owned(), text: source.text().to_owned() });
                texts.len() - 1
            });
            Place { text, start, end, label: label.text.clone() }
        };
        let found = found
            .iter()
            .map(|finding| Finding {
                code: finding.code.as_str().to_owned(),
                is_error: finding.severity == Severity::Error,
                message: finding.message.clone(),
                primary: finding.primary.as_ref().map(&mut place),
                related: finding.related.iter().map(&mut place).collect(),
                trace: finding.trace.clone(),
                notes: finding.notes.clone(),
                helps: finding.helps.clone(),
                environment: finding.environment.clone(),
                object: finding.object.clone(),
            })
            .collect();
        Self { texts, found }
    }

    /// The findings, pointing into `sources`, to which their texts are added.
    pub(super) fn again(&self, sources: &Sources) -> Vec<Diagnostic> {
        let files: Vec<FileId> =
            self.texts.iter().map(|text| sources.add(text.name.as_str(), text.text.as_str())).collect();
        let label = |place: &Place| {
            let file = *files.get(place.text)?;
            let span = Span { file, start: place.start, end: place.end };
            Some(Label { span, text: place.label.clone() })
        };
        self.found
            .iter()
            .map(|finding| Diagnostic {
                code: Code::of_check(&finding.code),
                severity: if finding.is_error { Severity::Error } else { Severity::Warning },
                message: finding.message.clone(),
                primary: finding.primary.as_ref().and_then(label),
                related: finding.related.iter().filter_map(label).collect(),
                trace: finding.trace.clone(),
                notes: finding.notes.clone(),
                helps: finding.helps.clone(),
                environment: finding.environment.clone(),
                object: finding.object.clone(),
            })
            .collect()
    }
}
