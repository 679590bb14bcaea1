//! GitHub Actions annotations. A step shows ten errors and ten warnings, so the rest follows as plain text.
//! Escapes: `%`, CR and LF in messages, `:` and `,` in properties as well.

use super::{place, short, word};
use crate::diag::{Diagnostic, Severity};
use crate::source::Sources;

const SHOWN: usize = 10;

/// Workflow commands, errors first, then everything that is over the limit as text.
pub fn github(found: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    let mut rest = Vec::new();
    for severity in [Severity::Error, Severity::Warning] {
        let all = found.iter().filter(|finding| finding.severity == severity);
        for (index, finding) in all.enumerate() {
            if index < SHOWN {
                out.push_str(&annotation(finding, sources));
            } else {
                rest.push(finding.clone());
            }
        }
    }
    out.push_str(&short(&rest, sources));
    out
}

fn annotation(finding: &Diagnostic, sources: &Sources) -> String {
    let mut properties = Vec::new();
    if let Some(label) = &finding.primary {
        let place = place(label.span, sources);
        properties.push(format!("file={}", property(&place.file)));
        properties.push(format!("line={}", place.start.line));
        properties.push(format!("endLine={}", place.end.line));
        if place.start.line == place.end.line {
            properties.push(format!("col={}", place.start.column));
            properties.push(format!("endColumn={}", place.end.column));
        }
    }
    properties.push(format!("title={}", property(finding.code.as_str())));
    let mut text = finding.message.clone();
    for note in &finding.notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    for help in &finding.helps {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    format!("::{} {}::{}\n", word(finding.severity), properties.join(","), message(&text))
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
