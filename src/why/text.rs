//! The answer for people: the line of the output first, then each step below the one that it led to.

use super::{Reason, ReasonKind, Why, shown};
use crate::source::{Sources, Span};
use crate::yaml;
use std::fmt::Write as _;

/// Lines of a value that are shown.
const LINES: usize = 12;

/// The answer as text.
pub fn text(why: &Why, sources: &Sources) -> String {
    let field = if why.field.is_empty() { "(the whole object)".to_owned() } else { why.field.to_string() };
    let mut out = format!("{}  {field}\n", why.object);
    value(why, &mut out);
    out.push('\n');
    if let Some(place) = &why.output {
        let _ = writeln!(out, "output    {}:{}:{}  {}", place.file, place.line, place.column, place.text);
    }
    for reason in &why.reasons {
        write(reason, 0, sources, &mut out);
    }
    out
}

fn value(why: &Why, out: &mut String) {
    let mut bytes = Vec::new();
    let _unwritable = yaml::write(&why.value, yaml::Keys::Natural, &mut bytes);
    let written = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = written.trim_end().lines().collect();
    if let [line] = lines.as_slice() {
        let _ = writeln!(out, "value     {line}");
        return;
    }
    out.push_str("value\n");
    for line in lines.iter().take(LINES) {
        let _ = writeln!(out, "  {line}");
    }
    if lines.len() > LINES {
        let _ = writeln!(
            out,
            "  ... {} lines more; name a field in it to see where that comes from",
            lines.len() - LINES
        );
    }
}

fn write(reason: &Reason, depth: usize, sources: &Sources, out: &mut String) {
    let indent = "  ".repeat(depth);
    let place = |at: Option<Span>| {
        at.map_or_else(String::new, |span| {
            let (place, snippet) = shown(span, sources);
            format!("{place}  {snippet}")
        })
    };
    let here = place(reason.at);
    let line = match &reason.kind {
        ReasonKind::Written => format!("written   {here}"),
        ReasonKind::Replaced => format!("over      {here}"),
        ReasonKind::Default => format!("default   {here}"),
        ReasonKind::Expression => format!("computed  {here}"),
        ReasonKind::Template => format!("template  {here}"),
        ReasonKind::Called => format!("called    {here}"),
        ReasonKind::Within => format!("within    {here}"),
        ReasonKind::Resource(id) => format!("stack     {here}  (resource `{id}`)"),
        ReasonKind::Manifest => format!("manifest  {here}"),
        ReasonKind::Release(name) => format!("stack     {here}  (release `{name}`)"),
        ReasonKind::Instance(name) => format!("overlay   {here}  (instance `{name}`)"),
        ReasonKind::Patched => format!("patch     {here}"),
        ReasonKind::Rule(rule) => format!("rule      {rule}"),
        ReasonKind::Unset => "unset".to_owned(),
        ReasonKind::Compiler => "compiler  made by stackc itself".to_owned(),
        ReasonKind::Input(path) => format!("read      {path}"),
        ReasonKind::Value(path) => format!("value     {path}"),
    };
    let _ = writeln!(out, "{indent}{}", line.trim_end());
    for reason in &reason.because {
        write(reason, depth + 1, sources, out);
    }
}
