//! The graph as a picture that needs no program to look at.

use super::layout::{Layout, ROW, lay_out};
use super::{arrows, contents, why};
use crate::order::{Sequence, UnitKind};
use std::fmt::Write as _;

const BOX_HEIGHT: i64 = 30;
const ROW_HEIGHT: i64 = 44;
const COLUMN_GAP: i64 = 64;
const MARGIN: i64 = 24;
const HEADER: i64 = 44;
/// The width of a character of the labels; boxes are as wide as their names need.
const CHARACTER: i64 = 8;

/// An SVG of the units, levels from left to right.
pub fn svg(sequence: &Sequence) -> String {
    let units = sequence.units();
    let arrows = arrows(sequence);
    let layout = lay_out(units.len(), &arrows);
    let (left, widths) = columns(sequence, &layout);
    let right = left.last().zip(widths.last()).map_or(MARGIN, |(left, width)| left + width);
    let width = (right + MARGIN).max(360);
    let height = HEADER + layout.height * ROW_HEIGHT / ROW + MARGIN + LEGEND_HEIGHT;
    let y = |row: i64| HEADER + row * ROW_HEIGHT / ROW;
    let mut out = String::new();
    let environment = &sequence.surroundings().environment.name;
    put(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"ui-sans-serif, system-ui, sans-serif\" font-size=\"13\">"
        ),
    );
    put(&mut out, format_args!("<title>Units of {} in their order</title>", escape(environment)));
    out.push_str(STYLE);
    put(&mut out, format_args!("<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"));
    put(
        &mut out,
        format_args!("<text class=\"head\" x=\"{MARGIN}\" y=\"28\">{}</text>", escape(environment)),
    );
    for (route, (from, to)) in layout.routes.iter().zip(&arrows) {
        let mut path = String::new();
        for pair in route.windows(2) {
            let (a, b) = (&layout.spots[pair[0]], &layout.spots[pair[1]]);
            let (ax, bx) = (left[a.column] + widths[a.column], left[b.column]);
            let (ay, by) = (y(a.row), y(b.row));
            if path.is_empty() {
                let start = left[a.column] + box_width(&units[*from].name);
                let _ = write!(path, "M{start} {ay}L{ax} {ay}");
            }
            let middle = i64::midpoint(ax, bx);
            let _ = write!(path, "C{middle} {ay} {middle} {by} {bx} {by}");
            if b.unit.is_none() {
                let _ = write!(path, "L{} {by}", left[b.column] + widths[b.column]);
            }
        }
        put(
            &mut out,
            format_args!(
                "<path class=\"edge\" d=\"{path}\"><title>{} before {}:\n{}</title></path>",
                escape(&units[*from].name),
                escape(&units[*to].name),
                escape(&why(sequence, *from, *to))
            ),
        );
    }
    for spot in &layout.spots {
        let Some(unit) = spot.unit.map(|unit| &units[unit]) else { continue };
        let (x, top) = (left[spot.column], y(spot.row) - BOX_HEIGHT / 2);
        let wide = box_width(&unit.name);
        put(
            &mut out,
            format_args!(
                "<g class=\"{}\"><title>{}</title><rect x=\"{x}\" y=\"{top}\" width=\"{wide}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>",
                class(unit.kind),
                escape(&contents(sequence, unit)),
                x + wide / 2,
                top + 20,
                escape(&unit.name)
            ),
        );
    }
    legend(&mut out, sequence, height - LEGEND_HEIGHT);
    out.push_str("</svg>\n");
    out
}

const LEGEND_HEIGHT: i64 = 30;

const STYLE: &str = "<style>\
.ground{fill:#fff}.head{font-size:16px;font-weight:600;fill:#24292f}\
.edge{fill:none;stroke:#8c959f;stroke-width:1.3;marker-end:url(#tip)}.edge:hover{stroke:#0969da;stroke-width:2.4}\
rect{stroke-width:1.2}text{fill:#24292f}\
.base rect{fill:#f6f8fa;stroke:#8c959f}.main rect{fill:#ddf4ff;stroke:#218bff}.crds rect{fill:#fbefff;stroke:#a475f9}\
.config rect{fill:#dafbe1;stroke:#2da44e}.leaf rect{fill:#fff8c5;stroke:#bf8700;stroke-dasharray:4 3}\
.flux rect{fill:#f6f8fa;stroke:#8c959f;stroke-dasharray:2 3}.note{font-size:12px;fill:#57606a}\
</style><defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
<path d=\"M0 0L8 4L0 8z\" fill=\"#8c959f\"/></marker></defs>\n";

fn class(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Namespaces | UnitKind::Secrets | UnitKind::SopsSecrets => "base",
        UnitKind::Sources | UnitKind::Reference => "flux",
        UnitKind::Crds | UnitKind::Pre(_) => "crds",
        UnitKind::Main => "main",
        UnitKind::Config => "config",
        UnitKind::Leaf => "leaf",
    }
}

fn legend(out: &mut String, sequence: &Sequence, top: i64) {
    const WORDS: &[(&str, &str)] = &[
        ("base", "of the environment"),
        ("flux", "Flux only"),
        ("crds", "definitions"),
        ("main", "instances"),
        ("config", "their custom resources"),
        ("leaf", "nothing waits for it"),
    ];
    let mut x = MARGIN;
    for (name, words) in WORDS {
        if !sequence.units().iter().any(|unit| class(unit.kind) == *name) {
            continue;
        }
        put(
            out,
            format_args!(
                "<g class=\"{name}\"><rect x=\"{x}\" y=\"{}\" width=\"14\" height=\"14\" rx=\"3\"/><text class=\"note\" x=\"{}\" y=\"{}\">{words}</text></g>",
                top + 2,
                x + 20,
                top + 14
            ),
        );
        x += 44 + i64::try_from(words.len()).unwrap_or(0) * 7;
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn box_width(name: &str) -> i64 {
    i64::try_from(name.len()).unwrap_or(0) * CHARACTER + 20
}

/// Where each column starts, and how wide it is.
fn columns(sequence: &Sequence, layout: &Layout) -> (Vec<i64>, Vec<i64>) {
    let mut widths = vec![0; layout.columns];
    for spot in &layout.spots {
        let own = spot.unit.map_or(0, |unit| box_width(&sequence.units()[unit].name));
        widths[spot.column] = widths[spot.column].max(own);
    }
    let mut left = Vec::with_capacity(widths.len());
    let mut x = MARGIN;
    for width in &widths {
        left.push(x);
        x += width + COLUMN_GAP;
    }
    (left, widths)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
