//! From offsets in a scalar's value to places in the file.
//!
//! A plain scalar stands in the file as it is. In quoted, folded and literal scalars the value is walked along
//! the raw text: escapes stand for one character, breaks and indents for blanks. Where that fails, every place
//! is the whole scalar.

use super::ast::At;
use crate::source::{Sources, Span};

/// The map of one scalar.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// No place at all.
    Nowhere,
    /// Every place is the whole.
    Whole(Span),
    /// Value and raw text run in step from this offset on.
    Shifted(Span, u32),
    /// The raw offset of every byte of the value, and of its end.
    Table(Span, Box<[u32]>),
}

impl Places {
    pub(super) fn new(value: &str, span: Option<Span>, sources: &Sources) -> Self {
        let Some(span) = span else { return Self::Nowhere };
        let file = sources.get(span.file);
        let Some(raw) = file.text().get(span.start as usize..span.end as usize) else {
            return Self::Whole(span);
        };
        if raw == value {
            return Self::Shifted(span, span.start);
        }
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        if raw.starts_with(['"', '\'']) && inner == value {
            return Self::Shifted(span, span.start + 1);
        }
        match align(value, raw) {
            Some(table) => {
                Self::Table(span, table.into_iter().map(|at| span.start.saturating_add(at)).collect())
            }
            None => Self::Whole(span),
        }
    }

    /// The place of a range; without one, of the whole scalar.
    pub(super) fn locate(&self, at: Option<At>) -> Option<Span> {
        let (Self::Whole(whole) | Self::Shifted(whole, _) | Self::Table(whole, _)) = self else {
            return None;
        };
        let Some(at) = at else { return Some(*whole) };
        Some(match self {
            Self::Shifted(_, base) => Span {
                file: whole.file,
                start: base.saturating_add(at.start),
                end: base.saturating_add(at.end),
            },
            Self::Table(_, table) => {
                let start = table.get(at.start as usize).copied().unwrap_or(whole.start);
                // the end of a range is one past its last byte, not where the next one starts
                let last = table.get((at.end as usize).saturating_sub(1)).copied();
                let end = if at.end > at.start { last.map_or(whole.end, |last| last + 1) } else { start };
                Span { file: whole.file, start, end: end.max(start) }
            }
            _ => *whole,
        })
    }
}

/// For every byte of `value` the offset in `raw` where it stands.
fn align(value: &str, raw: &str) -> Option<Vec<u32>> {
    let bytes = raw.as_bytes();
    let style = *bytes.first()?;
    let mut at = match style {
        b'"' | b'\'' => 1,
        b'|' | b'>' => memchr::memchr(b'\n', bytes)? + 1,
        _ => 0,
    };
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let mut table = Vec::with_capacity(value.len() + 1);
    let mut before_blank = true;
    for c in value.chars() {
        if matches!(c, ' ' | '\n' | '\t') {
            // a blank of the value stands for any run of breaks and indents, which one blank consumes
            if bytes.get(at).is_some_and(|byte| blank(*byte)) {
                let here = at;
                at += 1;
                if bytes[here] == b'\n' || bytes[here] == b'\r' || c == '\n' {
                    while bytes.get(at).is_some_and(|byte| blank(*byte)) {
                        at += 1;
                    }
                }
                table.push(offset(here)?);
            } else if style == b'"' && bytes.get(at) == Some(&b'\\') {
                table.push(offset(at)?);
                at += 2;
            } else if before_blank {
                table.push(offset(at.saturating_sub(1))?);
            } else if at >= bytes.len() {
                table.push(offset(bytes.len())?);
            } else {
                return None;
            }
            before_blank = true;
            continue;
        }
        if before_blank || matches!(style, b'|' | b'>') {
            // the value has fewer blanks than the raw text
            while !raw[at..].starts_with(c) && bytes.get(at).is_some_and(|byte| blank(*byte)) {
                at += 1;
            }
        }
        before_blank = false;
        let here = offset(at)?;
        let length = raw_length(&raw[at..], c, style)?;
        at += length;
        table.extend(std::iter::repeat_n(here, c.len_utf8()));
        if length == c.len_utf8() {
            for (index, slot) in table.iter_mut().rev().take(length).rev().enumerate() {
                *slot = here + offset(index)?;
            }
        }
    }
    table.push(offset(at)?);
    Some(table)
}

fn offset(at: usize) -> Option<u32> {
    u32::try_from(at).ok()
}

/// How many raw bytes write the character `c`.
fn raw_length(raw: &str, c: char, style: u8) -> Option<usize> {
    if style == b'\'' && c == '\'' {
        return raw.starts_with("''").then_some(2);
    }
    if style == b'"' && raw.starts_with('\\') {
        let escape = *raw.as_bytes().get(1)?;
        let length = match escape {
            b'x' => 4,
            b'u' => 6,
            b'U' => 10,
            _ => 2,
        };
        return (raw.len() >= length && raw.is_char_boundary(length)).then_some(length);
    }
    raw.starts_with(c).then_some(c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(raw: &str, value: &str, part: &str) -> String {
        let sources = Sources::new();
        let file = sources.add("a.yaml", raw);
        let places = Places::new(value, Some(Span::new(file, 0, raw.len())), &sources);
        let start = value.find(part).expect("the part is there");
        let at = At::new(start, start + part.len());
        sources.snippet(places.locate(Some(at)).expect("a place"))
    }

    #[test]
    fn parts_are_found_in_every_style() {
        assert_eq!(found("a ${x.y} b", "a ${x.y} b", "x.y"), "x.y");
        assert_eq!(found("\"a ${x.y} b\"", "a ${x.y} b", "x.y"), "x.y");
        assert_eq!(found("'it''s ${x.y}'", "it's ${x.y}", "x.y"), "x.y");
        assert_eq!(found("\"\\t${x == \\\"a\\\"} ${y}\"", "\t${x == \"a\"} ${y}", "y"), "y");
        assert_eq!(found("|\n    first\n    ${x.y}\n", "first\n${x.y}\n", "x.y"), "x.y");
        assert_eq!(found(">-\n  one\n  two\n\n  ${x.y}\n", "one two\n${x.y}", "x.y"), "x.y");
        assert_eq!(found("one\n    ${x.y} two", "one ${x.y} two", "x.y"), "x.y");
    }
}
