//! Charts whose output would be another at every build: random numbers, generated keys, the clock.
//!
//! The engine knows which output impure calls reach. Whether they matter shows a second run with another clock and
//! other numbers: a call whose result is thrown away (`default (randAlphaNum 10) .Values.password`) changes nothing. Two
//! runs that agree prove nothing where a condition asked for a random number, which may be another at a third run: that
//! is a warning.

use super::Task;
use super::origins::{collect_defaults, lookup};
use super::runs::{Change, changes};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::helm::funcs::Impurity;
use crate::helm::provenance::Provenance;
use crate::helm::purity::{Impure, ImpureCall, impurities};
use crate::helm::release::{Fault, Rendered};
use crate::helm::template::Environment;
use crate::helm::value::Read;
use crate::helm::values::{Data, Table, Value as HelmValue};
use crate::source::Span;
use crate::value::{Path, Segment};
use std::collections::{BTreeMap, BTreeSet};

/// One of the two runs of a chart.
#[derive(Copy, Clone, Debug)]
pub(super) enum Run {
    /// The one whose output is taken.
    First,
    /// The one that it is held against.
    Second,
}

/// A clock that stands still, and numbers that follow from a seed.
pub(super) struct Fixed {
    now: i64,
    state: u64,
}

impl Fixed {
    pub(super) fn of(run: Run) -> Self {
        // On both sides of every date that a chart of today compares with, and so that every format of a date differs:
        // 2001-02-03 04:05:06, a Saturday, and 2064-11-27 19:48:53, a Thursday.
        match run {
            Run::First => Self { now: 981_173_106, state: 1 },
            Run::Second => Self { now: 2_995_040_933, state: 2 },
        }
    }
}

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (self.now, 0)
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

/// Tells of every call that makes the output differ between the two runs, with what would turn it off.
pub(super) fn refuse<'r>(
    task: &Task<'_>,
    first: &'r Rendered,
    second: &'r Rendered,
    values: &Table,
    sink: &mut Sink,
) -> Result<(), Reported> {
    let changes = changes(task, first, second);
    let impure_of = |run: &'r Rendered| run.output.provenance.as_ref().map(impurities).unwrap_or_default();
    let (ours, theirs) =
        if changes.is_empty() { Default::default() } else { (impure_of(first), impure_of(second)) };
    // Calls under one condition are turned off by one value: they are told together.
    let mut groups: Vec<(Vec<Path>, Vec<&Impure<'_>>, Vec<&Change<'_>>)> = Vec::new();
    for change in &changes {
        let Some(provenance) = &change.run.output.provenance else { continue };
        let impure = if std::ptr::eq(change.run, first) { &ours } else { &theirs };
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
        match groups.iter_mut().find(|(paths, _, fields)| {
            paths.first() == deciding.first() && std::ptr::eq(fields[0].run, change.run)
        }) {
            Some((_, known, fields)) => {
                known.extend(calls);
                fields.push(change);
            }
            None => groups.push((deciding, calls, vec![change])),
        }
    }
    let mut told = None;
    for (deciding, calls, fields) in groups {
        told = Some(sink.report(finding(task, &deciding, &calls, &fields, values)));
    }
    told.map_or(Ok(()), Err)
}

/// What the conditions around a field of the output read, the innermost first.
fn conditions(provenance: &Provenance, change: &Change<'_>) -> Vec<Read> {
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
    fields: &[&Change<'_>],
    values: &Table,
) -> Diagnostic {
    let first = fields[0];
    let by = calling(calls.iter().map(|call| call.call));
    let mut defaults = BTreeSet::new();
    collect_defaults(task.chart, &mut defaults);
    let chosen = deciding.first().and_then(|path| lookup(values, path).map(|value| (path, value)));
    let own =
        chosen.and_then(|(_, value)| value.origin.editable()).filter(|span| !defaults.contains(&span.file));
    let sources = task.supplied.sources();
    let mut out = Diagnostic::error(
        codes::RANDOM_OUTPUT,
        match &first.path {
            Some(path) => format!("`{path}` of {} would be another at every build{by}", first.object),
            None => format!("{} would be there at some builds and not at others{by}", first.object),
        },
    )
    .at(
        own.unwrap_or(task.instance.span),
        if own.is_some() { "this chooses it" } else { "the chart of this" },
    )
    .object(first.object.clone());
    if let (Some(call), Some(provenance)) = (calls.first(), &first.run.output.provenance) {
        out = out.related(place_of(task, provenance, call.call.source, call.call.from), "called here");
    }
    if fields.len() > 1 {
        let more: Vec<String> = fields[1..].iter().take(5).map(|field| field.words()).collect();
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

/// The functions that were called, as the end of a sentence.
fn calling<'c>(calls: impl Iterator<Item = &'c ImpureCall>) -> String {
    let functions: BTreeSet<&str> = calls.map(|call| call.function).collect();
    let functions: Vec<String> = functions.into_iter().map(|name| format!("`{name}`")).collect();
    if functions.is_empty() { String::new() } else { format!(": the chart calls {}", functions.join(", ")) }
}

/// The rest of the line or action from a byte of a template on.
fn place_of(task: &Task<'_>, provenance: &Provenance, source: u32, from: u32) -> Option<Span> {
    let source = provenance.sources.get(source as usize)?;
    let (name, text) = (source.name.to_str_lossy(), String::from_utf8_lossy(&source.text));
    let file = task.supplied.sources().add(name.into_owned(), text.into_owned());
    let from = from as usize;
    let rest = source.text.get(from..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'}')).unwrap_or(rest.len());
    Some(Span::new(file, from, from + length.max(1)))
}

fn is_chance(call: &ImpureCall) -> bool {
    matches!(call.kind, Impurity::Clock | Impurity::Random)
}

/// The second run failed where the first did not.
pub(super) fn fails(task: &Task<'_>, first: &Rendered, fault: &Fault, sink: &mut Sink) -> Reported {
    let provenance = first.output.provenance.as_ref();
    let calls = || provenance.into_iter().flat_map(|known| &known.impure).filter(|call| is_chance(call));
    let fact = format!("the chart fails at some builds and not at others{}", calling(calls()));
    let mut finding =
        Diagnostic::error(codes::RANDOM_OUTPUT, fact).at(task.instance.span, "the chart of this");
    if let Some((provenance, call)) = provenance.zip(calls().next()) {
        finding = finding.related(place_of(task, provenance, call.source, call.from), "called here");
    }
    let words = String::from_utf8_lossy(&fault.helm_text(task.profile)).trim().to_owned();
    sink.report(
        finding
            .note(format!("with other numbers and another clock: {words}"))
            .help("give the chart a fixed value, such as the name of a Secret that exists, by its values"),
    )
}

/// Warns of conditions and loops that asked for a random number: that two runs agree does not prove that all do. What
/// asks for the time only is left to the two clocks, which differ over every date between them; charts ask whether a
/// duration is one by adding it to the time.
pub(super) fn warn(task: &Task<'_>, rendered: &Rendered, sink: &mut Sink) {
    let Some(provenance) = &rendered.output.provenance else { return };
    let mut known: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut places: BTreeMap<(u32, u32), Vec<&ImpureCall>> = BTreeMap::new();
    for scope in provenance.scopes.iter().filter(|scope| !scope.call && scope.evidence != 0) {
        let is_notes = provenance
            .sources
            .get(scope.source as usize)
            .is_some_and(|source| source.name.ends_with(b"NOTES.txt"));
        if is_notes {
            continue;
        }
        let numbers =
            known.entry(scope.evidence).or_insert_with(|| provenance.evidence(scope.evidence).impure);
        let calls = numbers.iter().filter_map(|number| provenance.impure.get(*number as usize));
        let calls: Vec<&ImpureCall> = calls.filter(|call| call.kind == Impurity::Random).collect();
        if !calls.is_empty() {
            places.entry((scope.source, scope.from)).or_default().extend(calls);
        }
    }
    for ((source, from), calls) in places {
        let fact = "what the chart makes depends on a condition that may be another at every build";
        let fact = format!("{fact}{}", calling(calls.iter().copied()));
        sink.report(
            Diagnostic::warning(codes::RANDOM_OUTPUT, fact)
                .at(task.instance.span, "the chart of this")
                .related(place_of(task, provenance, source, from), "asked here")
                .note("two runs with other numbers and another clock made the same, which does not prove that all do")
                .help("give the chart a fixed value in place of the call, by its values, or take a chart that does not ask"),
        );
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
