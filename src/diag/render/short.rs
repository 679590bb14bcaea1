//! One line a finding: `file:line:column: error[code]: message; help: ...`, for editors and `grep`.

use super::word;
use crate::diag::Diagnostic;
use crate::source::Sources;

/// One line a finding.
pub fn short(found: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for finding in found {
        if let Some(label) = &finding.primary {
            out.push_str(&sources.place(label.span));
            out.push_str(": ");
        }
        out.push_str(&format!(
            "{}[{}]: {}",
            word(finding.severity),
            finding.code,
            one_line(&finding.message)
        ));
        if let Some(help) = finding.helps.first() {
            out.push_str("; help: ");
            out.push_str(&one_line(help.lines().next().unwrap_or_default()));
        }
        out.push('\n');
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
