//! Who made a piece of output: the template's places and the values behind them, joined from what a render recorded.
//!
//! The questions are asked with a file's number and a range of its bytes ([`Provenance::files`] counts as
//! `Output::files` of a release does); the answers borrow the release's values, whose every value knows where it was
//! written ([`Value::origin`]): the chart's `values.yaml`, a parent chart's, a values file, a `--set`.

use super::provenance::{OutputSpan, Provenance, Scope};
use super::purity::ImpureCall;
use super::value::{Read, ReadKind, Str};
use super::values::{Data, Table, Value};
use crate::value::{Path, Segment};
use std::ops::Range;
use std::sync::Arc;

/// A place in a template, or in a text that was given to `tpl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The template's path; `gotpl` for a text given to `tpl`.
    pub template: Str,
    /// Its line, from 1.
    pub line: usize,
    /// Its byte column, from 1.
    pub column: usize,
    /// The expression that stands there, where it is short.
    pub text: Option<String>,
}

/// A value that was read.
#[derive(Clone, Debug)]
pub struct ReadValue<'v> {
    /// Its path from the root chart's values on: a subchart's begin with its name.
    pub path: Vec<String>,
    /// What of it was read.
    pub kind: ReadKind,
    /// What it is, with its origin; `None` where it is not set.
    pub value: Option<&'v Value>,
}

/// A call, condition or loop around a piece of output.
#[derive(Clone, Debug)]
pub struct Around<'v> {
    /// Where it stands.
    pub place: Place,
    /// Whether it is a call (`include`, `tpl`, `template`).
    pub call: bool,
    /// What was read to decide it.
    pub reads: Vec<ReadValue<'v>>,
}

/// A piece of output with what made it.
#[derive(Clone, Debug)]
pub struct Made<'p, 'v> {
    /// Its bytes in the file.
    pub range: Range<usize>,
    /// The text or action that wrote it.
    pub place: Place,
    /// What stands around that, the innermost first.
    pub around: Vec<Around<'v>>,
    /// The values that it was made of.
    pub reads: Vec<ReadValue<'v>>,
    /// The calls that it was made of whose results differ from run to run.
    pub impure: Vec<&'p ImpureCall>,
}

/// What made the bytes of `range`, in order. Pieces of one place that follow each other are one.
pub fn origins<'p, 'v>(
    provenance: &'p Provenance,
    file: usize,
    range: Range<usize>,
    values: &'v Table,
) -> Vec<Made<'p, 'v>> {
    let mut out: Vec<Made<'p, 'v>> = Vec::new();
    let mut last: Option<OutputSpan> = None;
    for span in provenance.spans(file, range) {
        let same = |last: &OutputSpan| {
            (last.source, last.from, last.scope, last.evidence)
                == (span.source, span.from, span.scope, span.evidence)
        };
        if last.as_ref().is_some_and(same) {
            if let Some(made) = out.last_mut() {
                made.range.end = span.end as usize;
            }
        } else if let Some(made) = made(provenance, span, values) {
            out.push(made);
        }
        last = Some(*span);
    }
    out
}

/// What was being evaluated when a render failed.
pub fn failure<'p, 'v>(provenance: &'p Provenance, values: &'v Table) -> Option<Made<'p, 'v>> {
    made(provenance, provenance.failed.as_ref()?, values)
}

fn made<'p, 'v>(provenance: &'p Provenance, span: &OutputSpan, values: &'v Table) -> Option<Made<'p, 'v>> {
    let evidence = provenance.evidence(span.evidence);
    Some(Made {
        range: span.start as usize..span.end as usize,
        place: place(provenance, span.source, span.from, span.to)?,
        around: provenance
            .scopes_of(span.scope)
            .into_iter()
            .filter_map(|scope| around(provenance, scope, values))
            .collect(),
        reads: evidence.reads.iter().map(|read| read_value(provenance, *read, values)).collect(),
        impure: evidence.impure.iter().filter_map(|call| provenance.impure.get(*call as usize)).collect(),
    })
}

fn around<'v>(provenance: &Provenance, scope: &Scope, values: &'v Table) -> Option<Around<'v>> {
    let reads = provenance.evidence(scope.evidence).reads;
    Some(Around {
        place: place(provenance, scope.source, scope.from, scope.to)?,
        call: scope.call,
        reads: reads.iter().map(|read| read_value(provenance, *read, values)).collect(),
    })
}

/// A place in a text of the provenance.
pub fn place(provenance: &Provenance, source: u32, from: u32, to: u32) -> Option<Place> {
    let source = provenance.sources.get(source as usize)?;
    let before = source.text.get(..from as usize)?;
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let text = source.text.get(from as usize..to as usize).unwrap_or_default();
    let text = String::from_utf8_lossy(text).trim().to_owned();
    Some(Place {
        template: source.name.clone(),
        line: memchr::memchr_iter(b'\n', before).count() + 1,
        column: before.len() - line_start + 1,
        text: (!text.is_empty() && text.len() <= 80 && !text.contains('\n')).then_some(text),
    })
}

/// A read with the value that it read.
pub fn read_value<'v>(provenance: &Provenance, read: Read, values: &'v Table) -> ReadValue<'v> {
    let segments = provenance.reads.segments(read.path);
    let path: Vec<String> = segments.iter().map(|key| key.to_str_lossy().into_owned()).collect();
    let value = find(values, &path);
    ReadValue { path, kind: read.kind, value }
}

/// The value at keys and indices.
fn find<'v>(values: &'v Table, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    below(values.get(first.as_bytes())?, rest)
}

fn below<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |at, key| match &at.data {
        Data::Table(table) => table.get(key.as_bytes()),
        Data::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => None,
    })
}

impl ReadValue<'_> {
    /// Its path as people write it.
    pub fn path_text(&self) -> String {
        let segments = self.path.iter().map(|key| Segment::Key(Arc::from(key.as_str())));
        Path::from(segments.collect::<Vec<_>>()).to_string()
    }

    /// Of a container that was written out whole (`toYaml`), the part that a field came from: the one whose path in it
    /// is the longest end of the field's path.
    #[must_use]
    pub fn narrowed(&self, field: &Path) -> Option<Self> {
        if self.kind != ReadKind::All {
            return None;
        }
        let keys = field.names();
        let whole = self.value?;
        (0..keys.len()).find_map(|from| {
            let value = below(whole, &keys[from..])?;
            let path = self.path.iter().chain(&keys[from..]).cloned().collect();
            Some(Self { path, kind: self.kind, value: Some(value) })
        })
    }
}

#[cfg(test)]
mod tests;
