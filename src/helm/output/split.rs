//! Cutting a stream into documents, as each profile cuts it.

use crate::helm::unicode::{trim, trim_start};
use std::ops::Range;

/// The documents of a stream that are not blank.
///
/// At line starts (helm 4.2.4, `(?m)^---[ \t]*`) a document keeps the white space at its end; else (before,
/// `(?:^|\s*\n)---\s*`) white space around a marker belongs to the marker, and a marker right behind one is text.
/// Both cut a marker that is glued to text.
pub fn split(stream: &[u8], at_line_start: bool) -> Vec<Range<usize>> {
    if at_line_start { split_lines(stream) } else { split_blank(stream) }
}

fn split_lines(stream: &[u8]) -> Vec<Range<usize>> {
    let start = stream.len() - trim_start(stream).len();
    let mut documents = Vec::new();
    let mut push = |from: usize, to: usize| {
        let document = trim_start(&stream[from..to]);
        if !document.is_empty() {
            documents.push(to - document.len()..to);
        }
    };
    let mut from = start;
    for found in memchr::memmem::find_iter(&stream[start..], b"---").map(|at| at + start) {
        if found < from || found != start && stream[found - 1] != b'\n' {
            continue;
        }
        push(from, found);
        from = found + 3;
        while matches!(stream.get(from), Some(b' ' | b'\t')) {
            from += 1;
        }
    }
    push(from, stream.len());
    documents
}

fn split_blank(stream: &[u8]) -> Vec<Range<usize>> {
    let start = stream.len() - trim_start(stream).len();
    let end = start + trim(stream).len();
    let mut documents = Vec::new();
    let mut push = |from: usize, to: usize| {
        if from < to {
            let document = trim_start(&stream[from..to]);
            let first = to - document.len();
            documents.push(first..first + trim(document).len());
        }
    };
    let blank = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c);
    let mut from = start;
    for found in memchr::memmem::find_iter(&stream[..end], b"---") {
        // The line break in front has to be left over by the marker before.
        let marked = found == start || found > from && stream[found - 1] == b'\n';
        if found < from || !marked {
            continue;
        }
        let mut to = found;
        while to > from && blank(stream[to - 1]) {
            to -= 1;
        }
        push(from, to);
        from = found + 3;
        while from < end && blank(stream[from]) {
            from += 1;
        }
    }
    push(from, end);
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stream: &str, at_line_start: bool) -> Vec<&str> {
        split(stream.as_bytes(), at_line_start).into_iter().map(|range| &stream[range]).collect()
    }

    #[test]
    fn the_newer_profile_cuts_at_line_starts() {
        assert_eq!(texts("a: 1\n---\nb: 2\n", true), ["a: 1\n", "b: 2\n"]);
        assert_eq!(texts("\n\n--- # x\nb: 2", true), ["# x\nb: 2"]);
        assert_eq!(texts("a\n\n---apiVersion: v1\n", true), ["a\n\n", "apiVersion: v1\n"]);
        assert_eq!(texts("a\n ---\nb", true), ["a\n ---\nb"]);
        assert_eq!(texts("---\n---\n \n", true), Vec::<&str>::new());
        assert_eq!(texts("x ---\n----\n", true), ["x ---\n", "-\n"]);
    }

    #[test]
    fn the_older_profile_eats_white_space_around_markers() {
        assert_eq!(texts("a: 1\n\n---\n\n b: 2\n", false), ["a: 1", "b: 2"]);
        assert_eq!(texts("---\n---\na", false), ["---\na"]);
        assert_eq!(texts("a\n---   \n---b\n", false), ["a", "---b"]);
        assert_eq!(texts("a\n---b\n", false), ["a", "b"]);
        assert_eq!(texts("a\r\n---\r\nb", false), ["a", "b"]);
    }
}
