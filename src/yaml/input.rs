//! Bytes before they are YAML: encodings and the characters that YAML does not allow.
//!
//! Finds in one pass what the scanner wants to know of a whole text: the first forbidden character, whether it is
//! ASCII throughout, and whether lines end only with LF.

use std::borrow::Cow;

/// A text and what one pass over it found.
#[derive(Clone, Debug)]
pub(super) struct Input<'a> {
    /// The text up to the first forbidden character.
    pub text: &'a str,
    /// The forbidden character behind it.
    pub bad: Option<Bad>,
    /// Every character is ASCII.
    pub ascii: bool,
    /// A CR, NEL, LS or PS is in it.
    pub odd_breaks: bool,
}

/// Why a text ends early.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// A character that YAML forbids.
    Character(char),
    /// Bytes that are not UTF-8.
    NotUtf8,
}

const CHUNK: usize = 64;

impl<'a> Input<'a> {
    /// Looks through a text.
    pub(super) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut input = Self { text, bad: None, ascii: true, odd_breaks: false };
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + CHUNK).min(bytes.len());
            let plain =
                bytes[at..end].iter().fold(true, |plain, &byte| plain & matches!(byte, b' '..=b'~' | b'\n'));
            if plain {
                at = end;
                continue;
            }
            let mut end = end;
            while !text.is_char_boundary(end) {
                end += 1;
            }
            for (offset, c) in text[at..end].char_indices() {
                input.ascii &= c.is_ascii();
                input.odd_breaks |= matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
                if !allowed(c) {
                    input.text = &text[..at + offset];
                    input.bad = Some(Bad::Character(c));
                    return input;
                }
            }
            at = end;
        }
        input
    }

    /// Looks through bytes: what is not UTF-8 ends the text.
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(error) => {
                let valid = std::str::from_utf8(&bytes[..error.valid_up_to()])
                    .expect("the bytes up to the first fault are UTF-8");
                let mut input = Self::new(valid);
                input.bad = input.bad.or(Some(Bad::NotUtf8));
                input
            }
        }
    }
}

/// The characters of readerc.go (go-yaml v2.4.2).
fn allowed(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
            | '\u{10000}'..='\u{10ffff}'
    )
}

/// Bytes as UTF-8: UTF-16 with a byte order mark is converted, all else is left as it is.
pub fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (rest, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return Cow::Borrowed(bytes),
    };
    let unit = |pair: &[u8; 2]| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let (pairs, odd) = rest.as_chunks::<2>();
    let mut out = Vec::with_capacity(bytes.len());
    for c in char::decode_utf16(pairs.iter().map(unit)) {
        let Ok(c) = c else {
            out.push(0xff);
            break;
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    if !odd.is_empty() {
        out.push(0xff);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_first_forbidden_character() {
        let text = format!("{}\u{7f}b", "é".repeat(70));
        let input = Input::new(&text);
        assert_eq!(input.text.len(), 140);
        assert_eq!(input.bad, Some(Bad::Character('\u{7f}')));
        assert!(!input.ascii);
        assert!(Input::new("a\tb\n").ascii);
        assert!(Input::new("a\r\n").odd_breaks);
        assert_eq!(Input::from_bytes(b"ab\xff").bad, Some(Bad::NotUtf8));
    }

    #[test]
    fn utf_16_becomes_utf_8() {
        assert_eq!(decode(b"\xff\xfea\0:\0").as_ref(), b"a:");
        assert_eq!(decode(b"\xfe\xff\0a\0:").as_ref(), b"a:");
        assert_eq!(decode(b"\xff\xfea\0\0\xd8").as_ref(), b"a\xff");
    }
}
