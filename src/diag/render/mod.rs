//! Draws findings for people (`human`, `short`) and machines (`json`, `sarif`, `github`).
//!
//! Every renderer is a function from findings and [`Sources`] to text: same findings, same bytes. Which one runs
//! and where the text goes is decided in `cli`.

mod github;
mod human;
mod json;
mod sarif;
mod short;

pub use github::github;
pub use human::{Style, human};
pub use json::json;
pub use sarif::sarif;
pub use short::short;

use super::{Diagnostic, Severity};
use crate::source::{LineColumn, Sources, Span};

/// `error` or `warning`.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A span as people count: file, first and last line and column.
struct Place {
    file: String,
    start: LineColumn,
    end: LineColumn,
}

fn place(span: Span, sources: &Sources) -> Place {
    let file = sources.get(span.file);
    Place {
        file: file.name().to_owned(),
        start: file.line_column(span.start),
        end: file.line_column(span.end),
    }
}

/// How many findings of each severity there are: `2 errors, 1 warning`; empty where there are none.
pub fn tally(found: &[Diagnostic]) -> String {
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    let plural = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    [plural(count(Severity::Error), "error"), plural(count(Severity::Warning), "warning")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
