//! Constants of the language: quoted strings, characters, numbers, read as Go's strconv reads them.

use crate::helm::strconv::{append_quote, decode_rune};
use std::borrow::Cow;

/// What strconv says of text that it cannot read.
pub(super) const SYNTAX: &str = "invalid syntax";

/// `strconv.Unquote` of a `"` or backquoted string.
pub(super) fn unquote(quoted: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    let [first, inner @ .., last] = quoted else { return Err(SYNTAX) };
    if first != last {
        return Err(SYNTAX);
    }
    if *first == b'`' {
        if inner.contains(&b'`') {
            return Err(SYNTAX);
        }
        if inner.contains(&b'\r') {
            return Ok(Cow::Owned(inner.iter().copied().filter(|b| *b != b'\r').collect()));
        }
        return Ok(Cow::Borrowed(inner));
    }
    if !inner.contains(&b'\\') && !inner.contains(first) && std::str::from_utf8(inner).is_ok() {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        if rest[0] == *first || rest[0] == b'\n' {
            return Err(SYNTAX);
        }
        let (unit, len) = unquote_unit(rest, *first)?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = &rest[len..];
    }
    Ok(Cow::Owned(out))
}

enum Unit {
    Byte(u8),
    Char(char),
}

/// `strconv.UnquoteChar`: one character or escape, and its length.
fn unquote_unit(text: &[u8], mark: u8) -> Result<(Unit, usize), &'static str> {
    let first = *text.first().ok_or(SYNTAX)?;
    if first == mark && (mark == b'\'' || mark == b'"') {
        return Err(SYNTAX);
    }
    if first != b'\\' {
        let (c, len) = decode_rune(text);
        return Ok((Unit::Char(c), len));
    }
    let escape = *text.get(1).ok_or(SYNTAX)?;
    let simple = |byte: u8| Ok((Unit::Byte(byte), 2));
    match escape {
        b'a' => simple(7),
        b'b' => simple(8),
        b'f' => simple(12),
        b'n' => simple(b'\n'),
        b'r' => simple(b'\r'),
        b't' => simple(b'\t'),
        b'v' => simple(11),
        b'\\' => simple(b'\\'),
        b'\'' | b'"' if escape == mark => simple(escape),
        b'x' | b'u' | b'U' => {
            let count = match escape {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            let digits = text.get(2..2 + count).ok_or(SYNTAX)?;
            let mut n: u32 = 0;
            for digit in digits {
                let value = char::from(*digit).to_digit(16).ok_or(SYNTAX)?;
                n = n.checked_mul(16).and_then(|n| n.checked_add(value)).ok_or(SYNTAX)?;
            }
            if escape == b'x' {
                return Ok((Unit::Byte(u8::try_from(n).unwrap_or(0)), 4));
            }
            Ok((Unit::Char(char::from_u32(n).ok_or(SYNTAX)?), 2 + count))
        }
        b'0'..=b'7' => {
            let digits = text.get(1..4).ok_or(SYNTAX)?;
            let mut n: u32 = 0;
            for digit in digits {
                n = n * 8 + char::from(*digit).to_digit(8).ok_or(SYNTAX)?;
            }
            Ok((Unit::Byte(u8::try_from(n).ok().ok_or(SYNTAX)?), 4))
        }
        _ => Err(SYNTAX),
    }
}

/// A numeric constant: everything it can be, as the parameter it is given to decides.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
}

/// What a numeric constant is where nothing says what it should be.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Ideal {
    Int(i64),
    Float(f64),
    /// It does not fit an `int`.
    Overflow,
}

impl Number {
    /// The number's own type, as its `text` says: with a point or an exponent it is a float.
    pub(super) fn ideal(&self, text: &[u8]) -> Ideal {
        let hex = text.len() > 2
            && text[0] == b'0'
            && matches!(text[1], b'x' | b'X')
            && !text.iter().any(|b| matches!(b, b'p' | b'P'));
        let rune = text.first() == Some(&b'\'');
        match (self.float, self.int) {
            (Some(f), _) if !hex && !rune && text.iter().any(|b| b".eEpP".contains(b)) => Ideal::Float(f),
            (_, Some(n)) => Ideal::Int(n),
            _ => Ideal::Overflow,
        }
    }
}

/// Reads a character constant (`'a'`).
pub(super) fn character(text: &[u8]) -> Result<Number, Vec<u8>> {
    let (unit, len) =
        unquote_unit(text.get(1..).unwrap_or_default(), b'\'').map_err(|e| e.as_bytes().to_vec())?;
    if text.get(1 + len..) != Some(b"'") {
        return Err([b"malformed character constant: ", text].concat());
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(c) => u32::from(c),
    };
    Ok(Number { int: Some(i64::from(code)), uint: Some(u64::from(code)), float: Some(f64::from(code)) })
}

/// Reads a number. Complex ones, which no function of Helm takes, are refused.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "as Go converts"
)]
pub(super) fn number(text: &[u8]) -> Result<Number, Vec<u8>> {
    let illegal = |what: &str| {
        let mut message = format!("{what}: ").into_bytes();
        append_quote(&mut message, text, false);
        message
    };
    let mut number = Number { uint: parse_uint(text), ..Number::default() };
    number.int = match text {
        [b'-', rest @ ..] => parse_uint(rest).and_then(|n| 0_i64.checked_sub_unsigned(n)),
        [b'+', rest @ ..] => parse_uint(rest).and_then(|n| i64::try_from(n).ok()),
        _ => number.uint.and_then(|n| i64::try_from(n).ok()),
    };
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(n) = number.int {
        number.float = Some(n as f64);
    } else if let Some(n) = number.uint {
        number.float = Some(n as f64);
    } else if let Some(f) = parse_float(text) {
        if !text.iter().any(|b| b".eEpP".contains(b)) {
            return Err(illegal("integer overflow"));
        }
        number.float = Some(f);
        if (f as i64) as f64 == f {
            number.int = Some(f as i64);
        }
        if (f as u64) as f64 == f {
            number.uint = Some(f as u64);
        }
    }
    if number == Number::default() { Err(illegal("illegal number syntax")) } else { Ok(number) }
}

/// `strconv.ParseUint(text, 0, 64)`: prefixes 0x 0o 0b and 0, underscores between digits.
fn parse_uint(text: &[u8]) -> Option<u64> {
    let (base, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] => (16, digits),
        [b'0', b'o' | b'O', digits @ ..] => (8, digits),
        [b'0', b'b' | b'B', digits @ ..] => (2, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, digits),
        _ => (10, text),
    };
    if digits.is_empty() || digits.contains(&b'_') && !underscores_fine(text) {
        return None;
    }
    let mut n: u64 = 0;
    for digit in digits.iter().filter(|b| **b != b'_') {
        let value = char::from(*digit).to_digit(base)?;
        n = n.checked_mul(u64::from(base))?.checked_add(u64::from(value))?;
    }
    Some(n)
}

/// Whether underscores stand only between digits (or a base prefix and a digit).
fn underscores_fine(text: &[u8]) -> bool {
    let mut before = b'^';
    let mut rest = match text {
        [b'-' | b'+', rest @ ..] => rest,
        _ => text,
    };
    let mut hex = false;
    if let [b'0', prefix @ (b'b' | b'B' | b'o' | b'O' | b'x' | b'X'), tail @ ..] = rest {
        before = b'0';
        hex = matches!(prefix, b'x' | b'X');
        rest = tail;
    }
    for byte in rest {
        if byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit() {
            before = b'0';
        } else if *byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// `strconv.ParseFloat(text, 64)` of what the lexer takes for a number; `None` where it is malformed or infinite.
fn parse_float(text: &[u8]) -> Option<f64> {
    if text.contains(&b'_') && !underscores_fine(text) {
        return None;
    }
    let plain: Vec<u8> = text.iter().copied().filter(|b| *b != b'_').collect();
    let plain = std::str::from_utf8(&plain).ok()?;
    let (negative, body) = match plain.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, plain.strip_prefix('+').unwrap_or(plain)),
    };
    let value = match body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        Some(hex) => hex_float(hex)?,
        None if body.starts_with(|c: char| c.is_ascii_digit() || c == '.') => body.parse::<f64>().ok()?,
        None => return None,
    };
    let value = if negative { -value } else { value };
    value.is_finite().then_some(value)
}

fn hex_float(hex: &str) -> Option<f64> {
    let (mantissa, exponent) = hex.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(value * 2.0_f64.powi(exponent.checked_sub(shift)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unquoted_as_go_does() {
        for (quoted, text) in [
            (r#""a\n\x41\101\u00e9\U0001F600\"""#, "a\nAA\u{e9}\u{1f600}\"".as_bytes()),
            ("`a\\n\r\nb`", b"a\\n\nb"),
            (r#""\xff""#, b"\xff"),
        ] {
            assert_eq!(unquote(quoted.as_bytes()).expect(quoted).as_ref(), text);
        }
        for bad in [r#""\'""#, r#""\q""#, r#""\ud800""#, r#""\400""#] {
            assert!(unquote(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_what_their_text_allows() {
        let int = |text: &str| number(text.as_bytes()).expect(text).int;
        for (text, want) in [
            ("1", Some(1)),
            ("0777", Some(511)),
            ("1_000", Some(1000)),
            ("0x1F", Some(31)),
            ("-0b11", Some(-3)),
            ("1e3", Some(1000)),
            ("1.5", None),
            ("18446744073709551615", None),
        ] {
            assert_eq!(int(text), want, "{text}");
        }
        assert_eq!(number(b"1.5").expect("float").float, Some(1.5));
        assert_eq!(number(b"0x1p-2").expect("float").float, Some(0.25));
        assert_eq!(number(b"08"), Err(b"integer overflow: \"08\"".to_vec()));
        assert_eq!(number(b"1e400"), Err(b"illegal number syntax: \"1e400\"".to_vec()));
        assert_eq!(character(br"'\n'").expect("char").int, Some(10));
    }
}
