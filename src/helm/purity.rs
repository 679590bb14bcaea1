//! Calls whose result differs from run to run, and the output they reach.
//!
//! The executor records every such call; here they are joined with the spans of the output, and with the values that
//! the conditions around them read: one of those usually turns the call off.

use super::funcs::Impurity;
use super::provenance::Provenance;
use super::value::Read;

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

/// An impure call with what it reaches.
#[derive(Clone, Debug)]
pub struct Impure<'p> {
    /// The call.
    pub call: &'p ImpureCall,
    /// Output that it reaches: number of the file, and a byte range of it.
    pub reaches: Vec<(usize, std::ops::Range<u32>)>,
    /// Values that the conditions and calls around it read, the innermost first: what may turn it off.
    pub decided_by: Vec<Read>,
}

/// Every impure call of a render, joined with the output it reaches.
///
/// `lookup` always gives the empty answer here, which is the same at every run; it is left out where nothing random
/// reaches the same output.
pub fn impurities(provenance: &Provenance) -> Vec<Impure<'_>> {
    let mut out: Vec<Impure<'_>> = provenance
        .impure
        .iter()
        .map(|call| {
            let mut decided_by = Vec::new();
            for scope in provenance.scopes_of(call.scope) {
                for read in provenance.evidence(scope.evidence).reads {
                    if !decided_by.contains(&read) {
                        decided_by.push(read);
                    }
                }
            }
            Impure { call, reaches: Vec::new(), decided_by }
        })
        .collect();
    if out.is_empty() {
        return out;
    }
    for (file, spans) in provenance.files.iter().enumerate() {
        for span in spans {
            let mut calls = provenance.evidence(span.evidence).impure;
            for scope in provenance.scopes_of(span.scope) {
                calls.extend(provenance.evidence(scope.evidence).impure);
            }
            calls.sort_unstable();
            calls.dedup();
            for number in calls {
                let Some(impure) = out.get_mut(number as usize) else { continue };
                match impure.reaches.last_mut() {
                    Some((last, range)) if *last == file && range.end == span.start => range.end = span.end,
                    _ => impure.reaches.push((file, span.start..span.end)),
                }
            }
        }
    }
    let random: Vec<(usize, std::ops::Range<u32>)> = out
        .iter()
        .filter(|i| i.call.kind != Impurity::Lookup)
        .flat_map(|i| i.reaches.iter().cloned())
        .collect();
    out.retain(|impure| {
        impure.call.kind != Impurity::Lookup
            || impure.reaches.iter().any(|(file, range)| {
                random
                    .iter()
                    .any(|(other, hit)| file == other && range.start < hit.end && hit.start < range.end)
            })
    });
    out
}
