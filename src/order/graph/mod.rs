//! The graph of units as text, Mermaid, DOT and SVG.
//!
//! Edges are those that no other edge implies; arrows run in the order of apply. The same sequence gives the same
//! bytes.

mod layout;
mod svg;

pub use svg::svg;

use super::{Sequence, Unit, UnitKind};
use std::fmt::Write as _;

/// Levels, units, what each waits for and why.
pub fn text(sequence: &Sequence) -> String {
    let units = sequence.units();
    let mut out = String::new();
    let mut level = None;
    for unit in units {
        if level != Some(unit.level) {
            if level.is_some() {
                out.push('\n');
            }
            line(&mut out, format_args!("level {}", unit.level));
            level = Some(unit.level);
        }
        line(&mut out, format_args!("  {}  ({})", unit.name, contents(sequence, unit)));
        for need in &unit.needs {
            if unit.depends_on.contains(&need.unit) {
                let reason = need.reasons.first().map_or("", |reason| reason.text.as_str());
                let more = match need.reasons.len() {
                    0 | 1 => String::new(),
                    count => format!(", and {} more", count - 1),
                };
                line(&mut out, format_args!("    after {}: {reason}{more}", units[need.unit].name));
            }
        }
    }
    let handover: Vec<&str> = sequence.handover().into_iter().map(|unit| &*unit.name).collect();
    if !handover.is_empty() {
        line(&mut out, format_args!("\nbefore Flux can run: {}", handover.join(", ")));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

/// What a unit holds, in words.
fn contents(sequence: &Sequence, unit: &Unit) -> String {
    let mut words = Vec::new();
    let mut count = |number: usize, one: &str, many: &str| match number {
        0 => {}
        1 => words.push(format!("1 {one}")),
        number => words.push(format!("{number} {many}")),
    };
    count(unit.objects.len(), "object", "objects");
    count(unit.releases.len(), "release", "releases");
    count(unit.encrypted.len(), "encrypted file", "encrypted files");
    count(usize::from(unit.reference.is_some()), "reference", "references");
    if unit.kind == UnitKind::Sources {
        words.push("chart sources".to_owned());
    }
    if unit.flux_only() {
        words.push("Flux only".to_owned());
    }
    if let Some(part) = unit.part {
        let part = &sequence.parts()[part];
        if part.instance.stack != part.instance.name {
            words.push(format!("stack {}", part.instance.stack));
        }
    }
    words.join(", ")
}

/// A Mermaid flow chart.
pub fn mermaid(sequence: &Sequence) -> String {
    let mut out = String::from("flowchart LR\n");
    for (index, unit) in sequence.units().iter().enumerate() {
        line(&mut out, format_args!("  u{index}[\"{}\"]", unit.name));
    }
    for (from, to) in arrows(sequence) {
        line(&mut out, format_args!("  u{from} --> u{to}"));
    }
    out
}

/// Graphviz, with the reasons as tooltips.
pub fn dot(sequence: &Sequence) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from(
        "digraph units {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
    );
    for unit in sequence.units() {
        line(
            &mut out,
            format_args!("  \"{}\" [tooltip=\"{}\"];", unit.name, quoted(&contents(sequence, unit))),
        );
    }
    for (from, to) in arrows(sequence) {
        let (first, then) = (&sequence.units()[from], &sequence.units()[to]);
        line(
            &mut out,
            format_args!(
                "  \"{}\" -> \"{}\" [tooltip=\"{}\"];",
                first.name,
                then.name,
                quoted(&why(sequence, from, to))
            ),
        );
    }
    out.push_str("}\n");
    out
}

/// Every edge that no other implies, from the unit that is first to the one that waits.
fn arrows(sequence: &Sequence) -> Vec<(usize, usize)> {
    let waiting = sequence.units().iter().enumerate();
    let mut arrows: Vec<(usize, usize)> =
        waiting.flat_map(|(to, unit)| unit.depends_on.iter().map(move |from| (*from, to))).collect();
    arrows.sort_unstable();
    arrows
}

/// Why one unit waits for another, in words.
fn why(sequence: &Sequence, first: usize, then: usize) -> String {
    let need = sequence.units()[then].needs.iter().find(|need| need.unit == first);
    let reasons = need.map(|need| need.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>());
    reasons.unwrap_or_default().join("\n")
}
