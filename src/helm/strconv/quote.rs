//! strconv's quoting.

use crate::helm::unicode::is_print;
use std::borrow::Cow;

/// The first rune of a Go string: the character, or `None` for a byte that is not part of valid UTF-8, and its width
/// (0 for the empty text).
pub fn valid_rune(text: &[u8]) -> (Option<char>, usize) {
    let width = match text.first() {
        None => return (None, 0),
        Some(first @ ..0x80) => return (Some(char::from(*first)), 1),
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        Some(_) => return (None, 1),
    };
    match text.get(..width).and_then(|bytes| std::str::from_utf8(bytes).ok()) {
        Some(piece) => (piece.chars().next(), width),
        None => (None, 1),
    }
}

/// `utf8.DecodeRune`: as [`valid_rune`], with U+FFFD for what is not valid.
pub fn decode_rune(text: &[u8]) -> (char, usize) {
    let (rune, width) = valid_rune(text);
    (rune.unwrap_or('\u{fffd}'), width)
}

/// The runes of a Go string, each invalid byte as `None`.
pub fn runes(text: &[u8]) -> impl Iterator<Item = Option<char>> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (rune, width) = valid_rune(rest);
        rest = &rest[width..];
        Some(rune)
    })
}

/// The most bytes that a message shows of one text.
const SHOWN: usize = 64 << 10;

/// A text as messages show it: of a very long one the beginning, and how long it is. A message may be repeated for
/// each template around it, so none may be as long as what a chart can make.
pub fn shown(text: &[u8]) -> Cow<'_, [u8]> {
    if text.len() <= SHOWN {
        return Cow::Borrowed(text);
    }
    let end = (SHOWN - 3..=SHOWN).rev().find(|at| text[*at] & 0xc0 != 0x80).unwrap_or(SHOWN);
    Cow::Owned([&text[..end], format!("... ({} bytes)", text.len()).as_bytes()].concat())
}

/// `strconv.Quote`, for messages: of a very long text the beginning.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let text = shown(text);
    let mut out = Vec::with_capacity(text.len() + 2);
    append_quote(&mut out, &text, false);
    out
}

/// Appends `strconv.Quote`, or `QuoteToASCII`.
pub fn append_quote(out: &mut Vec<u8>, text: &[u8], ascii: bool) {
    out.push(b'"');
    let mut rest = text;
    while let Some(&first) = rest.first() {
        // Runs of plain text are the rule.
        let run =
            rest.iter().take_while(|b| (b' '..=b'~').contains(*b) && **b != b'"' && **b != b'\\').count();
        if run > 0 {
            out.extend_from_slice(&rest[..run]);
            rest = &rest[run..];
            continue;
        }
        let (rune, width) = valid_rune(rest);
        match rune {
            Some(c) => append_escaped(out, c, '"', ascii),
            None => push_hex(out, b"\\x", u32::from(first), 2),
        }
        rest = &rest[width..];
    }
    out.push(b'"');
}

/// Appends `strconv.QuoteRune`, or `QuoteRuneToASCII`.
pub fn append_quote_rune(out: &mut Vec<u8>, c: char, ascii: bool) {
    out.push(b'\'');
    append_escaped(out, c, '\'', ascii);
    out.push(b'\'');
}

fn append_escaped(out: &mut Vec<u8>, c: char, mark: char, ascii: bool) {
    if c == mark || c == '\\' {
        out.push(b'\\');
        push_char(out, c);
        return;
    }
    if (!ascii || c.is_ascii()) && is_print(c) {
        push_char(out, c);
        return;
    }
    let simple = match c {
        '\u{7}' => b'a',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{b}' => b'v',
        _ => 0,
    };
    if simple != 0 {
        out.extend_from_slice(&[b'\\', simple]);
    } else if c < ' ' || c == '\u{7f}' {
        push_hex(out, b"\\x", u32::from(c), 2);
    } else if u32::from(c) < 0x10000 {
        push_hex(out, b"\\u", u32::from(c), 4);
    } else {
        push_hex(out, b"\\U", u32::from(c), 8);
    }
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_hex(out: &mut Vec<u8>, head: &[u8], n: u32, width: usize) {
    out.extend_from_slice(head);
    out.extend_from_slice(format!("{n:0width$x}").as_bytes());
}

/// `strconv.CanBackquote`: a single line without control characters other than tab, and without backquotes.
pub fn can_backquote(text: &[u8]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let (rune, width) = valid_rune(rest);
        if rune.is_none_or(|c| c < ' ' && c != '\t' || matches!(c, '`' | '\u{7f}' | '\u{feff}')) {
            return false;
        }
        rest = &rest[width..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, quoted) in [
            ("a\"b\\c\n".as_bytes(), r#""a\"b\\c\n""#),
            ("\u{a0}\u{200b}\u{7f}\u{1}".as_bytes(), r#""\u00a0\u200b\x7f\x01""#),
            ("日本😀é\u{301}".as_bytes(), "\"日本😀é\u{301}\""),
            (b"h\xc3", r#""h\xc3""#),
            ("\u{e000}\u{10ffff}".as_bytes(), r#""\ue000\U0010ffff""#),
        ] {
            assert_eq!(String::from_utf8_lossy(&quote(text)), quoted);
        }
        let long = "é".repeat(40_000);
        let cut = String::from_utf8(quote(long.as_bytes())).expect("text");
        assert!(cut.starts_with("\"éé") && cut.ends_with("é... (80000 bytes)\""), "{}", cut.len());
        let mut out = Vec::new();
        append_quote(&mut out, "é😀".as_bytes(), true);
        assert_eq!(out, br#""\u00e9\U0001f600""#);
    }
}
