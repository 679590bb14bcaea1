//! What is known of a failure, and of a field, beyond Helm's own words.

use crate::diag::render::Style;
use crate::diag::{Diagnostic, render};
use crate::helm::engine::Options;
use crate::helm::release::{Fault, Prepared, Rendered};
use crate::helm::values::Table;
use crate::source::Sources;

/// Draws findings for a terminal.
pub(super) fn draw(found: &[Diagnostic], sources: &Sources) -> String {
    render::human(found, sources, Style::default())
}

pub(super) fn options() -> Options {
    Options::default()
}

pub(super) fn details(_fault: &Fault, _prepared: Option<&Prepared>, _sources: &Sources) -> String {
    String::new()
}

pub(super) fn explain(
    _paths: &[String],
    _rendered: &Rendered,
    _values: &Table,
    _sources: &Sources,
) -> Result<String, super::Failed> {
    Ok(String::new())
}
