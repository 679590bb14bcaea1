//! Calls whose result differs from run to run, and the output they reach.
//!
//! The executor records every such call; here they are joined with the spans of the output, and with the values that
//! decided on them: one of those usually turns the call off.
//!
//! `lookup` gives the empty answer here, as in `helm template`, which is the same at every run. It only matters where
//! it decided on a branch that reaches something random: then it is named there ([`Impure::lookups`]).

use super::funcs::Impurity;
use super::origin::{Place, ReadValue, place, read_value};
use super::provenance::{OutputSpan, Provenance};
use super::value::Read;
use super::values::{Data, Table, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A call of a function that is not pure.
#[derive(Clone, Debug)]
pub struct ImpureCall {
    /// The function.
    pub function: &'static str,
    /// Why it is not pure.
    pub kind: Impurity,
    /// Number of the text that holds the call.
    pub source: u32,
    /// First byte of the call there.
    pub from: u32,
    /// Number of the scope it was made in.
    pub scope: u32,
}

/// A call whose result differs from run to run, with what it reaches.
#[derive(Clone, Debug)]
pub struct Impure<'p> {
    /// The call.
    pub call: &'p ImpureCall,
    /// Output that it reaches: number of the file, and a byte range of it; never empty. Notes are output too: who does
    /// not install them leaves their file out.
    pub reaches: Vec<(usize, Range<u32>)>,
    /// Values that the conditions and calls around it read, the innermost first: what may turn it off.
    pub decided_by: Vec<Read>,
    /// Values that were read for the same piece of output: what may stand in for it, as in
    /// `default (randAlphaNum 8) .Values.password`.
    pub beside: Vec<Read>,
    /// The `lookup`s that decided that it was made.
    pub lookups: Vec<&'p ImpureCall>,
}

impl Impure<'_> {
    /// Where the call stands.
    pub fn place(&self, provenance: &Provenance) -> Option<Place> {
        place(provenance, self.call.source, self.call.from, self.call.from)
    }

    /// The values that turn the call off, the most likely ones first: what is not set or empty beside it, then what
    /// decided that it was made.
    pub fn decisions<'v>(&self, provenance: &Provenance, values: &'v Table) -> Vec<ReadValue<'v>> {
        let value = |read: &Read| read_value(provenance, *read, values);
        let mut out: Vec<ReadValue<'v>> = Vec::new();
        let beside = self.beside.iter().map(value).filter(|read| is_empty(read.value));
        for read in beside.chain(self.decided_by.iter().map(value)) {
            if !out.iter().any(|known| known.path == read.path) {
                out.push(read);
            }
        }
        out
    }
}

/// Every call whose result differs from run to run and is in the output, in the order they were made.
pub fn impurities(provenance: &Provenance) -> Vec<Impure<'_>> {
    if provenance.impure.is_empty() {
        return Vec::new();
    }
    let mut seen = Seen { provenance, evidence: BTreeMap::new(), scopes: BTreeMap::new() };
    let mut reached: BTreeMap<u32, Reached> = BTreeMap::new();
    for (file, spans) in provenance.files.iter().enumerate() {
        for span in spans {
            let own = seen.evidence(span.evidence);
            let around = seen.scope(span.scope);
            for number in own.union(&around) {
                reached.entry(*number).or_default().add(file, span, own.contains(number));
            }
        }
    }
    let calls = provenance.impure.iter().enumerate();
    calls
        .filter(|(_, call)| call.kind != Impurity::Lookup)
        .filter_map(|(number, call)| {
            let reached = reached.remove(&u32::try_from(number).ok()?)?;
            Some(seen.joined(call, reached))
        })
        .collect()
}

/// What is known of where a call went.
#[derive(Default)]
struct Reached {
    reaches: Vec<(usize, Range<u32>)>,
    /// Evidence of the first span that holds its result.
    evidence: u32,
    /// Scopes of spans that it reaches.
    scope: u32,
}

impl Reached {
    fn add(&mut self, file: usize, span: &OutputSpan, is_part: bool) {
        if self.reaches.is_empty() {
            self.scope = span.scope;
        }
        if is_part && self.evidence == 0 {
            self.evidence = span.evidence;
        }
        match self.reaches.last_mut() {
            Some((last, range)) if *last == file && range.end == span.start => range.end = span.end,
            _ => self.reaches.push((file, span.start..span.end)),
        }
    }
}

/// The impure calls behind evidence and scopes, looked up once each.
struct Seen<'p> {
    provenance: &'p Provenance,
    evidence: BTreeMap<u32, BTreeSet<u32>>,
    scopes: BTreeMap<u32, BTreeSet<u32>>,
}

impl<'p> Seen<'p> {
    fn evidence(&mut self, number: u32) -> BTreeSet<u32> {
        if number == 0 {
            return BTreeSet::new();
        }
        let provenance = self.provenance;
        let found = || provenance.evidence(number).impure.into_iter().collect();
        self.evidence.entry(number).or_insert_with(found).clone()
    }

    /// Of a scope and all around it.
    fn scope(&mut self, number: u32) -> BTreeSet<u32> {
        let mut out = BTreeSet::new();
        let mut missing = Vec::new();
        let mut at = number;
        while at != 0 {
            if let Some(known) = self.scopes.get(&at) {
                out.clone_from(known);
                break;
            }
            missing.push(at);
            at = self.provenance.scopes.get(at as usize).map_or(0, |scope| scope.parent);
        }
        for scope in missing.into_iter().rev() {
            let evidence = self.provenance.scopes.get(scope as usize).map_or(0, |scope| scope.evidence);
            out.extend(self.evidence(evidence));
            self.scopes.insert(scope, out.clone());
        }
        out
    }

    fn joined(&mut self, call: &'p ImpureCall, reached: Reached) -> Impure<'p> {
        let provenance = self.provenance;
        let mut decided_by = Vec::new();
        for scope in provenance.scopes_of(call.scope) {
            for read in provenance.evidence(scope.evidence).reads {
                if !decided_by.contains(&read) {
                    decided_by.push(read);
                }
            }
        }
        let mut numbers = self.scope(call.scope);
        numbers.extend(self.evidence(reached.evidence));
        numbers.extend(self.scope(reached.scope));
        let lookups = numbers.iter().filter_map(|number| provenance.impure.get(*number as usize));
        Impure {
            call,
            reaches: reached.reaches,
            decided_by,
            beside: provenance.evidence(reached.evidence).reads,
            lookups: lookups.filter(|call| call.kind == Impurity::Lookup).collect(),
        }
    }
}

/// Whether `default` would pass the value by.
fn is_empty(value: Option<&Value>) -> bool {
    match value.map(|value| &value.data) {
        None | Some(Data::Null | Data::Bool(false) | Data::Int(0)) => true,
        Some(Data::Float(number)) => *number == 0.0,
        Some(Data::String(text)) => text.is_empty(),
        Some(Data::List(items)) => items.is_empty(),
        Some(Data::Table(table)) => table.is_empty(),
        Some(_) => false,
    }
}
