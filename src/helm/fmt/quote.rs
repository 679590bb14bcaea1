//! strconv's quoting.

use unicode_general_category::{GeneralCategory, get_general_category};

/// The first character of `bytes` and its length; U+FFFD and 1 where the bytes are not valid UTF-8 (0 for none).
pub fn decode_rune(bytes: &[u8]) -> (char, usize) {
    let Some(&first) = bytes.first() else { return ('\u{fffd}', 0) };
    if first < 0x80 {
        return (char::from(first), 1);
    }
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or(""),
    };
    valid.chars().next().map_or(('\u{fffd}', 1), |c| (c, c.len_utf8()))
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::SpaceSeparator
    )
}

/// `strconv.Quote`.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    append_quote(&mut out, text, false);
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
        let (c, len) = decode_rune(rest);
        if len == 1 && first >= 0x80 {
            push_hex(out, b"\\x", u32::from(first), 2);
        } else {
            append_escaped(out, c, '"', ascii);
        }
        rest = &rest[len..];
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
        let (c, len) = decode_rune(rest);
        let bad = match len {
            1 => c == '\u{fffd}' || c < ' ' && c != '\t' || c == '`' || c == '\u{7f}',
            _ => c == '\u{feff}',
        };
        if bad {
            return false;
        }
        rest = &rest[len..];
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
        let mut out = Vec::new();
        append_quote(&mut out, "é😀".as_bytes(), true);
        assert_eq!(out, br#""\u00e9\U0001f600""#);
    }
}
