//! One JSON object a line, for programs; the fields are an interface and only ever grow.

use super::{place, word};
use crate::diag::{Diagnostic, Label};
use crate::source::Sources;
use serde_json::{Value, json};

/// One JSON object a line.
pub fn json(found: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for finding in found {
        let value = json!({
            "code": finding.code.as_str(),
            "severity": word(finding.severity),
            "message": finding.message,
            "primary": finding.primary.as_ref().map(|label| self::label(label, sources)),
            "related": finding.related.iter().map(|label| self::label(label, sources)).collect::<Vec<_>>(),
            "trace": finding.trace,
            "notes": finding.notes,
            "helps": finding.helps,
            "environment": finding.environment,
            "object": finding.object,
        });
        out.push_str(&value.to_string());
        out.push('\n');
    }
    out
}

fn label(label: &Label, sources: &Sources) -> Value {
    let place = place(label.span, sources);
    json!({
        "file": place.file,
        "line": place.start.line,
        "column": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
        "text": label.text,
    })
}
