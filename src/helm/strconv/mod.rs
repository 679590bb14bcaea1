//! Numbers and quoted strings as Go's `strconv` reads and writes them.
//!
//! Text is bytes, since a Go string need not be UTF-8. Nothing here fails on any input: a parse gives the value
//! Go gives beside its error, so that callers who ignore the error (sprig's `atoi`) see the same number.

mod float;
mod quote;

pub use float::{append_float, format_float, format_plain, format_shortest, shortest_digits};
pub use quote::{
    append_quote, append_quote_rune, can_backquote, decode_rune, quote, runes, shown, valid_rune,
};

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Why a number did not parse.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not of the shape of a number.
    Syntax,
    /// Of the shape of one, too large for the type.
    Range,
}

impl NumberError {
    /// Go's words.
    pub fn message(self) -> &'static str {
        match self {
            Self::Syntax => "invalid syntax",
            Self::Range => "value out of range",
        }
    }
}

/// Lower-case hexadecimal of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]).map(char::from).collect()
}

/// `strconv.ParseInt(text, base, 64)`; base 0 takes prefixes and underscores. On a range error the value is the
/// nearest end of the range.
pub fn parse_int(text: &[u8], base: u32) -> (i64, Option<NumberError>) {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (magnitude, error) = parse_magnitude(digits, base);
    let end = if negative { i64::MIN } else { i64::MAX };
    match error {
        Some(NumberError::Syntax) => (0, error),
        Some(NumberError::Range) => (end, error),
        None => {
            let signed = i128::from(magnitude) * if negative { -1 } else { 1 };
            i64::try_from(signed).map_or((end, Some(NumberError::Range)), |number| (number, None))
        }
    }
}

/// `strconv.ParseUint(text, base, 64)`, for text without a sign.
pub fn parse_magnitude(text: &[u8], base: u32) -> (u64, Option<NumberError>) {
    let syntax = (0, Some(NumberError::Syntax));
    let (radix, digits) = if base == 0 { base_prefix(text) } else { (base, text) };
    if text.is_empty() || base == 0 && text.contains(&b'_') && !underscores_separate(text) {
        return syntax;
    }
    if digits.is_empty() && text != b"0" {
        return syntax;
    }
    let mut number: u64 = 0;
    let mut overflow = false;
    for &byte in digits {
        if byte == b'_' && base == 0 {
            continue;
        }
        let Some(digit) = char::from(byte).to_digit(radix) else {
            return syntax;
        };
        let next = number.checked_mul(u64::from(radix)).and_then(|n| n.checked_add(u64::from(digit)));
        overflow |= next.is_none();
        number = next.unwrap_or(u64::MAX);
    }
    if overflow { (u64::MAX, Some(NumberError::Range)) } else { (number, None) }
}

fn base_prefix(text: &[u8]) -> (u32, &[u8]) {
    match text {
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', ..] => (8, &text[1..]),
        _ => (10, text),
    }
}

/// Underscores only between digits, or between the base's prefix and a digit.
fn underscores_separate(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let prefixed = matches!(text, [b'0', b'b' | b'B' | b'o' | b'O' | b'x' | b'X', ..]);
    let hex = matches!(text, [b'0', b'x' | b'X', ..]);
    let mut before = if prefixed { b'0' } else { b'^' };
    for &byte in if prefixed { &text[2..] } else { text } {
        let class = match byte {
            b'_' if before != b'0' => return false,
            b'_' => b'_',
            b'0'..=b'9' => b'0',
            b'a'..=b'f' | b'A'..=b'F' if hex => b'0',
            _ if before == b'_' => return false,
            _ => b'!',
        };
        before = class;
    }
    before != b'_'
}

/// `strconv.ParseFloat(text, 64)`.
pub fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    let (negative, body) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let signed = |value: f64| if negative { -value } else { value };
    if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
        return Ok(signed(f64::INFINITY));
    }
    if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    }
    let value = if let [b'0', b'x' | b'X', rest @ ..] = body {
        parse_hex_float(body, rest)?
    } else {
        parse_decimal_float(body)?
    };
    if value.is_infinite() { Err(NumberError::Range) } else { Ok(signed(value)) }
}

fn parse_decimal_float(body: &[u8]) -> Result<f64, NumberError> {
    let body = &*if body.contains(&b'_') {
        if !underscores_separate(body) {
            return Err(NumberError::Syntax);
        }
        Cow::Owned(body.iter().copied().filter(|&b| b != b'_').collect::<Vec<_>>())
    } else {
        Cow::Borrowed(body)
    };
    let mut at = 0;
    let digits = |at: &mut usize| {
        let start = *at;
        while body.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        *at - start
    };
    let mut count = digits(&mut at);
    if body.get(at) == Some(&b'.') {
        at += 1;
        count += digits(&mut at);
    }
    if count == 0 {
        return Err(NumberError::Syntax);
    }
    if matches!(body.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(body.get(at), Some(b'-' | b'+')) {
            at += 1;
        }
        if digits(&mut at) == 0 {
            return Err(NumberError::Syntax);
        }
    }
    if at < body.len() {
        return Err(NumberError::Syntax);
    }
    std::str::from_utf8(body).ok().and_then(|t| t.parse().ok()).ok_or(NumberError::Syntax)
}

fn parse_hex_float(whole: &[u8], body: &[u8]) -> Result<f64, NumberError> {
    if whole.contains(&b'_') && !underscores_separate(whole) {
        return Err(NumberError::Syntax);
    }
    let (mut mantissa, mut exponent, mut seen, mut fraction) = (0u64, 0i64, false, false);
    let mut rest = body;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, char::from(byte).to_digit(16)) {
            (b'_', _) => {}
            (b'.', _) if !fraction => fraction = true,
            (_, Some(digit)) => {
                seen = true;
                if mantissa >> 59 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if fraction { 4 } else { 0 };
                } else {
                    mantissa |= u64::from(digit != 0);
                    exponent += if fraction { 0 } else { 4 };
                }
            }
            _ => break,
        }
        rest = tail;
    }
    let Some((b'p' | b'P', power)) = rest.split_first() else {
        return Err(NumberError::Syntax);
    };
    let unsigned = power.strip_prefix(b"-").or_else(|| power.strip_prefix(b"+")).unwrap_or(power);
    if !seen || unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Syntax);
    }
    let power = parse_int(power, 10).0.clamp(-100_000, 100_000);
    let mut scale = (exponent + power).clamp(-100_000, 100_000);
    #[allow(clippy::cast_precision_loss, reason = "the one rounding of the conversion")]
    let mut value = mantissa as f64;
    while scale != 0 && value != 0.0 && value.is_finite() {
        let step = scale.clamp(-60, 60);
        value *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        scale -= step;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_with_base_zero() {
        let parse = |text: &str| parse_int(text.as_bytes(), 0);
        for (text, number) in
            [("012", 10), ("0x10", 16), ("0b11", 3), ("1_000", 1000), ("0", 0), ("-0o17", -15), ("+5", 5)]
        {
            assert_eq!(parse(text), (number, None), "{text}");
        }
        for text in ["", "08", " 5", "1.9", "1e3", "1__0", "_1", "0x", "--1", "+"] {
            assert_eq!(parse(text), (0, Some(NumberError::Syntax)), "{text}");
        }
        assert_eq!(parse("9223372036854775808"), (i64::MAX, Some(NumberError::Range)));
        assert_eq!(parse("-9223372036854775808"), (i64::MIN, None));
    }

    #[test]
    fn floats() {
        assert_eq!(parse_float(b"0x1.8p1"), Ok(3.0));
        assert_eq!(parse_float(b"1_000.5"), Ok(1000.5));
        assert_eq!(parse_float(b"-Inf"), Ok(f64::NEG_INFINITY));
        assert_eq!(parse_float(b"1e400"), Err(NumberError::Range));
        for text in ["", ".", "1e", "0x1", "1 ", "+nan", "e5"] {
            assert_eq!(parse_float(text.as_bytes()), Err(NumberError::Syntax), "{text}");
        }
    }
}
