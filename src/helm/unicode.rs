//! Go's view of characters: its classes and its one-to-one case mappings.
//!
//! Rust maps case to several characters where Unicode's special casing says so; Go never does. Rust's "upper case"
//! is a wider class than Go's, which is the general category alone.

use unicode_general_category::{GeneralCategory as Category, get_general_category as category};

/// `unicode.IsUpper`.
pub fn is_upper(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_uppercase() } else { category(c) == Category::UppercaseLetter }
}

/// `unicode.IsLower`.
pub fn is_lower(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_lowercase() } else { category(c) == Category::LowercaseLetter }
}

/// `unicode.IsTitle`.
pub fn is_title(c: char) -> bool {
    !c.is_ascii() && category(c) == Category::TitlecaseLetter
}

/// `unicode.IsLetter`.
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    matches!(
        category(c),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
    )
}

/// `unicode.IsDigit`.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { category(c) == Category::DecimalNumber }
}

/// `unicode.IsNumber`.
pub fn is_number(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    matches!(category(c), Category::DecimalNumber | Category::LetterNumber | Category::OtherNumber)
}

/// `unicode.IsPunct`.
pub fn is_punct(c: char) -> bool {
    matches!(
        category(c),
        Category::ConnectorPunctuation
            | Category::DashPunctuation
            | Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
            | Category::OtherPunctuation
    )
}

/// `unicode.IsSpace`.
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(
        category(c),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::PrivateUse
            | Category::Unassigned
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::SpaceSeparator
    )
}

/// `unicode.ToLower`.
pub fn to_lower(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => lower,
        // Only U+0130 maps to two characters.
        _ => 'i',
    }
}

/// `unicode.ToUpper`.
pub fn to_upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => greek_upper(c),
    }
}

/// The characters whose full mapping is longer than one and which have a simple mapping too: Greek with iota below.
fn greek_upper(c: char) -> char {
    let shift = match u32::from(c) {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => 9,
        _ => 0,
    };
    char::from_u32(u32::from(c) + shift).unwrap_or(c)
}

/// `unicode.ToTitle`.
pub fn to_title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no title case.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        _ => to_upper(c),
    }
}

/// The white space of Unicode that is ASCII.
fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// `bytes.TrimSpace`: without the white space of Unicode at both ends; bytes that are no text are none.
pub fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = trim_start(bytes);
    loop {
        let kept = bytes.iter().rposition(|byte| !is_ascii_space(*byte)).map_or(0, |last| last + 1);
        bytes = &bytes[..kept];
        let last = (1..=bytes.len().min(4)).find_map(|n| {
            let tail = std::str::from_utf8(&bytes[bytes.len() - n..]).ok()?;
            let mut chars = tail.chars();
            chars.next().filter(|_| chars.next().is_none())
        });
        match last {
            Some(c) if c.is_whitespace() => bytes = &bytes[..bytes.len() - c.len_utf8()],
            _ => return bytes,
        }
    }
}

/// Without the white space of Unicode at the start.
pub fn trim_start(mut bytes: &[u8]) -> &[u8] {
    loop {
        let kept = bytes.iter().position(|byte| !is_ascii_space(*byte)).unwrap_or(bytes.len());
        bytes = &bytes[kept..];
        let width = match bytes.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            _ => return bytes,
        };
        let first = bytes.get(..width).and_then(|head| std::str::from_utf8(head).ok());
        match first.and_then(|text| text.chars().next()) {
            Some(c) if c.is_whitespace() => bytes = &bytes[c.len_utf8()..],
            _ => return bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_one_to_one() {
        assert_eq!(to_upper('\u{df}'), '\u{df}');
        assert_eq!(to_lower('\u{130}'), 'i');
        assert_eq!(to_upper('\u{1fb3}'), '\u{1fbc}');
        assert_eq!(to_title('\u{1c6}'), '\u{1c5}');
        assert_eq!(to_title('\u{e9}'), '\u{c9}');
    }

    #[test]
    fn white_space_goes_from_both_ends() {
        assert_eq!(trim("\u{a0}\u{2003}x\u{85} ".as_bytes()), b"x");
        assert_eq!(trim(b" \xff \n"), b"\xff");
        assert_eq!(trim_start(b"\xc2"), b"\xc2");
    }

    #[test]
    fn classes() {
        assert!(is_upper('\u{c9}') && !is_upper('\u{24b6}'));
        assert!(is_print('\u{1f600}') && !is_print('\u{a0}') && !is_print('\u{200b}'));
        assert!(is_punct('_') && !is_punct('$'));
    }
}
