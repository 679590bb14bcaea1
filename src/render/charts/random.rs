//! Charts whose output would be another at every build: random numbers, generated keys, the clock.
//!
//! The engine knows which output impure calls reach. Whether they matter shows a second run with another clock and
//! other numbers: a call whose result is thrown away (`default (randAlphaNum 10) .Values.password`) changes nothing.

use super::origins::{collect_defaults, lookup};
use super::printed::documents;
use super::{Task, file_of, piece};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::helm::funcs::Impurity;
use crate::helm::provenance::Provenance;
use crate::helm::purity::{Impure, impurities};
use crate::helm::release::Rendered;
use crate::helm::template::Environment;
use crate::helm::value::Read;
use crate::helm::values::{Data, Table, Value as HelmValue};
use crate::source::Span;
use crate::value::{Node, Path, Segment, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A clock that stands still, and numbers that follow from a seed.
pub(super) struct Fixed {
    seed: u64,
    state: u64,
}

impl Fixed {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }
}

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        // Far enough apart that every format of a date differs: other years, months, days, hours, minutes, seconds.
        (i64::try_from(self.seed).unwrap_or(1) * 72_922_881, 0)
    }

    fn random(&mut self, out: &mut [u8]) {
        // SplitMix64: good enough to find primes with, and the same everywhere.
        for chunk in out.chunks_mut(8) {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Whether an impure call reached the output.
pub(super) fn may_change(rendered: &Rendered) -> bool {
    let provenance = rendered.output.provenance.as_ref();
    provenance.is_some_and(|known| known.impure.iter().any(|call| call.kind != Impurity::Lookup))
}

/// A field that differs between two runs.
struct Change {
    object: String,
    path: Path,
    file: usize,
    /// Its first byte in the file's output.
    offset: usize,
}

/// Tells of every call that makes the output differ between the two runs, with what would turn it off.
pub(super) fn refuse(
    task: &Task<'_>,
    first: &Rendered,
    second: &Rendered,
    values: &Table,
    sink: &mut Sink,
) -> Result<(), Reported> {
    let changes = changes(task, first, second);
    let Some(provenance) = first.output.provenance.as_ref().filter(|_| !changes.is_empty()) else {
        return Ok(());
    };
    let impure = impurities(provenance);
    // Calls under one condition are turned off by one value: they are told together.
    let mut groups: Vec<(Vec<Path>, Vec<&Impure<'_>>, Vec<&Change>)> = Vec::new();
    for change in &changes {
        let at = u32::try_from(change.offset).unwrap_or(u32::MAX);
        let reaches = |impure: &&Impure<'_>| {
            impure.call.kind != Impurity::Lookup
                && impure.reaches.iter().any(|(file, range)| *file == change.file && range.contains(&at))
        };
        let mut calls: Vec<&Impure<'_>> = impure.iter().filter(reaches).collect();
        let read = if let Some(call) = calls.first() {
            call.decided_by.clone()
        } else {
            // What was kept in a map on the way is not followed; the conditions around the output say as much.
            calls.extend(impure.iter().filter(|impure| impure.call.kind != Impurity::Lookup));
            conditions(provenance, change)
        };
        let deciding = deciding(&read, provenance, values);
        match groups.iter_mut().find(|(paths, _, _)| paths.first() == deciding.first()) {
            Some((_, known, fields)) => {
                known.extend(calls);
                fields.push(change);
            }
            None => groups.push((deciding, calls, vec![change])),
        }
    }
    let mut told = None;
    for (deciding, calls, fields) in groups {
        told = Some(sink.report(finding(task, &deciding, &calls, &fields, values, first)));
    }
    told.map_or(Ok(()), Err)
}

/// What the conditions around a field of the output read, the innermost first.
fn conditions(provenance: &Provenance, change: &Change) -> Vec<Read> {
    let Some(span) = provenance.span(change.file, change.offset) else { return Vec::new() };
    let scopes = provenance.scopes_of(span.scope);
    scopes.iter().flat_map(|scope| provenance.evidence(scope.evidence).reads).collect()
}

/// The values among those that conditions read, the one that most likely chooses first.
fn deciding(read: &[Read], provenance: &Provenance, values: &Table) -> Vec<Path> {
    let mut paths: Vec<Path> = read
        .iter()
        .map(|read| {
            let keys = provenance.reads.segments(read.path);
            keys.iter().map(|key| Segment::Key(key.to_str_lossy().into())).collect::<Vec<_>>().into()
        })
        .collect();
    // A word among choices (`method: helm`) says more than a switch of the whole part, and a Secret that exists more
    // than a password, which may not be written down.
    paths.sort_by_key(|path| match lookup(values, path).map(|value| &value.data) {
        Some(Data::String(text)) if !text.is_empty() => 0,
        _ if names_secret(path) => 1,
        Some(Data::Bool(_)) => 2,
        _ => 3,
    });
    paths
}

/// Whether a value is the name of a Secret that is there already, by what charts call such values.
fn names_secret(path: &Path) -> bool {
    let Some(Segment::Key(key)) = path.segments().last() else { return false };
    let key = key.to_lowercase();
    key.contains("existing") || key.ends_with("secret") || key.ends_with("secretname")
}

fn finding(
    task: &Task<'_>,
    deciding: &[Path],
    calls: &[&Impure<'_>],
    fields: &[&Change],
    values: &Table,
    rendered: &Rendered,
) -> Diagnostic {
    let first = fields[0];
    let functions: BTreeSet<&str> = calls.iter().map(|call| call.call.function).collect();
    let functions: Vec<String> = functions.into_iter().map(|name| format!("`{name}`")).collect();
    let by = if functions.is_empty() {
        String::new()
    } else {
        format!(": the chart calls {}", functions.join(", "))
    };
    let mut defaults = BTreeSet::new();
    collect_defaults(task.chart, &mut defaults);
    let chosen = deciding.first().and_then(|path| lookup(values, path).map(|value| (path, value)));
    let own =
        chosen.and_then(|(_, value)| value.origin.editable()).filter(|span| !defaults.contains(&span.file));
    let sources = task.supplied.sources();
    let mut out = Diagnostic::error(
        codes::RANDOM_OUTPUT,
        format!("`{}` of {} would be another at every build{by}", first.path, first.object),
    )
    .at(
        own.unwrap_or(task.instance.span),
        if own.is_some() { "this chooses it" } else { "the chart of this" },
    )
    .object(first.object.clone());
    if let (Some(call), Some(provenance)) = (calls.first(), &rendered.output.provenance)
        && let Some(source) = provenance.sources.get(call.call.source as usize)
    {
        let file = sources
            .add(source.name.to_str_lossy().into_owned(), String::from_utf8_lossy(&source.text).into_owned());
        let from = call.call.from as usize;
        let rest = source.text.get(from..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'}')).unwrap_or(rest.len());
        out = out.related(Span::new(file, from, from + length.max(1)), "called here");
    }
    if fields.len() > 1 {
        let more: Vec<String> =
            fields[1..].iter().take(5).map(|field| format!("`{}` of {}", field.path, field.object)).collect();
        let rest = fields.len() - 1 - more.len();
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        out = out.note(format!("so would {}{rest}", more.join(", ")));
    }
    for path in deciding.iter().take(4) {
        if let Some(value) = lookup(values, path) {
            let place = value
                .origin
                .span()
                .map_or_else(String::new, |span| format!(", set at {}", sources.place(span)));
            out = out
                .note(format!("whether it is called depends on `{path}`, which is {}{place}", shown(value)));
        }
    }
    let keys = |path: &Path, value: &str| {
        let names = path.names();
        let closing = "}".repeat(names.len());
        format!("{{{}: {value}{closing}", names.join(": {"))
    };
    match chosen {
        Some((path, value)) => {
            let choices = choices(task, path, value);
            let help = if names_secret(path) && value.as_str() == Some("") {
                format!(
                    "name a Secret that exists, under `values: {}` of the instance `{}`",
                    keys(path, "..."),
                    task.instance.name
                )
            } else if choices.is_empty() {
                format!(
                    "set another `{path}`, under `values: {}` of the instance `{}`",
                    keys(path, "..."),
                    task.instance.name
                )
            } else {
                format!(
                    "set `values: {}` of the instance `{}`: {}",
                    keys(path, "..."),
                    task.instance.name,
                    choices
                )
            };
            out.help(help)
        }
        None => {
            out.help("give the chart a fixed value, such as the name of a Secret that exists, by its values")
        }
    }
}

/// What a schema or a comment beside the default offers in place of a value.
fn choices(task: &Task<'_>, path: &Path, value: &HelmValue) -> String {
    let keys: Vec<String> = path
        .segments()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.to_string()),
            Segment::Index(_) => None,
        })
        .collect();
    let listed = task.chart.schema.as_ref().map(|schema| schema.choices(&keys)).unwrap_or_default();
    let listed: Vec<String> = listed
        .into_iter()
        .filter(|choice| Some(choice.as_str()) != value.as_str())
        .map(|choice| format!("`{choice}`"))
        .collect();
    if listed.is_empty() { String::new() } else { format!("its schema knows {}", listed.join(", ")) }
}

fn shown(value: &HelmValue) -> String {
    match &value.data {
        Data::Table(_) => "a map".to_owned(),
        Data::List(_) => "a list".to_owned(),
        _ => format!("`{}`", value.to_json()),
    }
}

/// The fields that differ between two runs of one release.
fn changes(task: &Task<'_>, first: &Rendered, second: &Rendered) -> Vec<Change> {
    let sources = task.supplied.sources();
    let mut changes = Vec::new();
    let all = |rendered: &Rendered| {
        let sorted = &rendered.sorted;
        sorted.manifests.iter().chain(&sorted.hooks).cloned().collect::<Vec<_>>()
    };
    let (ours, theirs) = (all(first), all(second));
    for (at, manifest) in ours.iter().enumerate() {
        let other = theirs.get(at).filter(|other| other.head.name == manifest.head.name);
        let Some(other) = other else {
            changes.extend(file_of(manifest, first).map(|file| Change {
                object: format!("{}/{}", manifest.head.kind, manifest.head.name),
                path: Path::of(&["metadata", "name"]),
                file,
                offset: manifest.range.start,
            }));
            continue;
        };
        if first.sorted.bytes(manifest) == second.sorted.bytes(other) {
            continue;
        }
        let Some(file) = file_of(manifest, first) else { continue };
        let others = documents(&piece(other, second), sources);
        for (index, node) in documents(&piece(manifest, first), sources).iter().enumerate() {
            let object = format!("{}/{}", manifest.head.kind, manifest.head.name);
            compare(node, others.get(index), &mut Path::default(), &mut |path, leaf| {
                let start = leaf.span().map_or(0, |span| span.start as usize);
                // A quoted scalar begins with the template's own quote.
                let offset = manifest.range.start + start + usize::from(is_quoted(leaf, task));
                changes.push(Change { object: object.clone(), path: path.clone(), file, offset });
            });
        }
    }
    changes
}

fn is_quoted(leaf: &Node, task: &Task<'_>) -> bool {
    leaf.span().is_some_and(|span| task.supplied.sources().snippet(span).starts_with(['"', '\'']))
}

fn compare(ours: &Node, theirs: Option<&Node>, path: &mut Path, found: &mut dyn FnMut(&Path, &Node)) {
    match (&ours.value, theirs.map(|node| &node.value)) {
        (Value::Map(map), Some(Value::Map(_))) => {
            for (key, entry) in map {
                path.push(Segment::Key(Arc::clone(key)));
                compare(&entry.node, theirs.and_then(|node| node.get(key)), path, found);
                path.pop();
            }
        }
        (Value::List(items), Some(Value::List(others))) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Segment::Index(index));
                compare(item, others.get(index), path, found);
                path.pop();
            }
        }
        (_, Some(value)) if ours.value == *value => {}
        _ => found(path, ours),
    }
}
