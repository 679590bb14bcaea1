//! Flags, width and precision: how one number, string or boolean is laid out (Go's fmt/format.go).

use super::MAX_BYTES;
use crate::helm::strconv::{append_float, append_quote, append_quote_rune, can_backquote, decode_rune};
use crate::helm::unicode::is_print;

/// Flags of one directive.
#[derive(Copy, Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are Go's flags, each independent of the others")]
pub(super) struct Flags {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`.
    pub(super) plus_v: bool,
    /// `%#v`.
    pub(super) sharp_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Flags {
    /// Whether numbers print as they are.
    pub(super) fn are_none(self) -> bool {
        let Self { minus: _, plus, sharp, space, zero, plus_v: _, sharp_v, width, precision } = self;
        !plus && !sharp && !space && !zero && !sharp_v && width.is_none() && precision.is_none()
    }
}

/// The text being made and the flags of the directive at work.
#[derive(Default)]
pub(super) struct Formatter {
    pub(super) out: Vec<u8>,
    pub(super) flags: Flags,
    /// The text got larger than [`MAX_BYTES`]; nothing is written any more.
    pub(super) full: bool,
}

impl Formatter {
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.out.len().saturating_add(bytes.len()) > MAX_BYTES {
            self.full = true;
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    /// Bytes as a list of numbers: charts print all of their files so, to look for a word in them.
    pub(super) fn decimals(&mut self, bytes: &[u8]) {
        self.write(b"[");
        for (at, byte) in bytes.iter().enumerate() {
            let text = [b' ', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10];
            let digits = match byte {
                0..10 => 1,
                10..100 => 2,
                _ => 3,
            };
            if at > 0 {
                self.write(&text[..1]);
            }
            self.write(&text[4 - digits..]);
        }
        self.write(b"]");
    }

    pub(super) fn write_char(&mut self, c: char) {
        self.write(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn write_padding(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        if self.out.len().saturating_add(count) > MAX_BYTES {
            self.full = true;
        } else {
            self.out.extend(std::iter::repeat_n(byte, count));
        }
    }

    /// Writes `bytes` padded to the width, which counts characters.
    pub(super) fn pad(&mut self, bytes: &[u8]) {
        let Some(width) = self.flags.width.filter(|&w| w > 0) else { return self.write(bytes) };
        let padding = width.saturating_sub(count_runes(bytes));
        if self.flags.minus {
            self.write(bytes);
            self.write_padding(padding);
        } else {
            self.write_padding(padding);
            self.write(bytes);
        }
    }

    fn pad_without_zeros(&mut self, bytes: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(bytes);
        self.flags.zero = zero;
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.pad(if value { b"true" } else { b"false" });
    }

    /// `%U`.
    pub(super) fn unicode(&mut self, n: u64) {
        let precision = self.flags.precision.unwrap_or(0).max(4);
        let mut text = format!("U+{n:0width$X}", width = precision.min(60_000)).into_bytes();
        if self.flags.sharp
            && let Some(c) = u32::try_from(n).ok().and_then(char::from_u32).filter(|&c| is_print(c))
        {
            text.extend_from_slice(format!(" '{c}'").as_bytes());
        }
        self.pad_without_zeros(&text);
    }

    /// An integer in base 2, 8, 10 or 16; `upper` for `%X`, `prefix_o` for `%O`.
    pub(super) fn integer(&mut self, magnitude: u64, negative: bool, base: u32, upper: bool, prefix_o: bool) {
        let flags = self.flags;
        let mut wanted = 0;
        if let Some(precision) = flags.precision {
            wanted = precision;
            if precision == 0 && magnitude == 0 {
                let zero = std::mem::replace(&mut self.flags.zero, false);
                self.write_padding(flags.width.unwrap_or(0));
                self.flags.zero = zero;
                return;
            }
        } else if flags.zero
            && !flags.minus
            && let Some(width) = flags.width
        {
            wanted = width;
            if negative || flags.plus || flags.space {
                wanted = wanted.saturating_sub(1);
            }
        }
        if wanted > MAX_BYTES {
            self.full = true;
            return;
        }
        let digits = match (base, upper) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, false) => format!("{magnitude:x}"),
            (16, true) => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        let zeros = wanted.saturating_sub(digits.len());
        let mut text = Vec::with_capacity(zeros + digits.len() + 3);
        if negative {
            text.push(b'-');
        } else if flags.plus {
            text.push(b'+');
        } else if flags.space {
            text.push(b' ');
        }
        if prefix_o {
            text.extend_from_slice(b"0o");
        }
        if flags.sharp {
            match base {
                2 => text.extend_from_slice(b"0b"),
                8 if zeros == 0 && !digits.starts_with('0') => text.push(b'0'),
                16 => text.extend_from_slice(if upper { b"0X" } else { b"0x" }),
                _ => {}
            }
        }
        text.extend(std::iter::repeat_n(b'0', zeros));
        text.extend_from_slice(digits.as_bytes());
        self.pad_without_zeros(&text);
    }

    fn truncate<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let mut at = 0;
        for _ in 0..precision {
            if at >= text.len() {
                break;
            }
            at += decode_rune(&text[at..]).1;
        }
        &text[..at]
    }

    /// `%s`.
    pub(super) fn string(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        self.pad(text);
    }

    /// `%x` and `%X` of a string.
    pub(super) fn hex_string(&mut self, text: &[u8], upper: bool) {
        let flags = self.flags;
        let text = &text[..flags.precision.unwrap_or(text.len()).min(text.len())];
        if text.is_empty() {
            self.write_padding(flags.width.unwrap_or(0));
            return;
        }
        let head: &[u8] = if upper { b"0X" } else { b"0x" };
        let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
        let mut hex = Vec::with_capacity(text.len() * 2);
        for (at, byte) in text.iter().enumerate() {
            if flags.space && at > 0 {
                hex.push(b' ');
            }
            if flags.sharp && (at == 0 || flags.space) {
                hex.extend_from_slice(head);
            }
            hex.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.pad(&hex);
    }

    /// `%q` of a string.
    pub(super) fn quoted(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        let mut quoted = Vec::with_capacity(text.len() + 2);
        if self.flags.sharp && can_backquote(text) {
            quoted.push(b'`');
            quoted.extend_from_slice(text);
            quoted.push(b'`');
        } else {
            append_quote(&mut quoted, text, self.flags.plus);
        }
        self.pad(&quoted);
    }

    /// `%c`.
    pub(super) fn character(&mut self, n: u64) {
        self.pad(rune(n).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of an integer.
    pub(super) fn quoted_character(&mut self, n: u64) {
        let mut quoted = Vec::new();
        append_quote_rune(&mut quoted, rune(n), self.flags.plus);
        self.pad(&quoted);
    }

    /// A float with a strconv verb; the flag's precision overrules `precision`.
    pub(super) fn float(&mut self, value: f64, verb: u8, precision: Option<usize>) {
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        let mut number = Vec::with_capacity(24);
        number.push(b'+');
        append_float(&mut number, value, verb, precision);
        if matches!(number.get(1), Some(b'-' | b'+')) {
            number.remove(0);
        }
        if flags.space && number[0] == b'+' && !flags.plus {
            number[0] = b' ';
        }
        if matches!(number.get(1), Some(b'I' | b'N')) {
            let from = usize::from(number[1] == b'N' && !flags.space && !flags.plus);
            self.pad_without_zeros(&number[from..]);
            return;
        }
        if flags.sharp && verb != b'b' {
            number = sharpen(number, verb, precision);
        }
        if flags.plus || number[0] != b'+' {
            if flags.zero && !flags.minus && flags.width.is_some_and(|w| w > number.len()) {
                let padding = flags.width.unwrap_or(0) - number.len();
                self.write(&number[..1]);
                self.write_padding(padding);
                self.write(&number[1..]);
            } else {
                self.pad(&number);
            }
        } else {
            self.pad(&number[1..]);
        }
    }
}

/// `%#g` and its like: always a decimal point, trailing zeros up to the precision.
fn sharpen(number: Vec<u8>, verb: u8, precision: Option<usize>) -> Vec<u8> {
    let mut digits = match verb {
        b'g' | b'G' | b'x' => i64::try_from(precision.unwrap_or(6)).unwrap_or(i64::MAX),
        _ => 0,
    };
    let hexadecimal = matches!(verb, b'x' | b'X');
    let mut body = number;
    let tail = body
        .iter()
        .position(|&b| matches!(b, b'p' | b'P') || !hexadecimal && matches!(b, b'e' | b'E'))
        .map_or_else(Vec::new, |at| body.split_off(at));
    let mut point = false;
    let mut nonzero = false;
    for &byte in &body[1..] {
        if byte == b'.' {
            point = true;
            continue;
        }
        nonzero |= byte != b'0';
        if nonzero {
            digits -= 1;
        }
    }
    if !point {
        if body.len() == 2 && body[1] == b'0' {
            digits -= 1;
        }
        body.push(b'.');
    }
    body.extend(std::iter::repeat_n(b'0', usize::try_from(digits).unwrap_or(0)));
    body.extend(tail);
    body
}

fn rune(n: u64) -> char {
    u32::try_from(n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn count_runes(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|c| c.valid().chars().count() + c.invalid().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_lists_of_numbers() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut to = Formatter::default();
        to.decimals(&bytes);
        to.decimals(&[]);
        let wanted: Vec<String> = bytes.iter().map(u8::to_string).collect();
        assert_eq!(String::from_utf8_lossy(&to.out), format!("[{}][]", wanted.join(" ")));
    }
}
