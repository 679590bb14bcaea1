//! Numbers as Go prints them.

use std::fmt::Write as _;

/// Appends what `strconv.FormatFloat(number, 'g', -1, 64)` gives: the shortest digits, in exponent form where the
/// decimal exponent is under -4 or at least 6.
pub(super) fn push_float(out: &mut Vec<u8>, number: f64) {
    let mut text = Small::default();
    let _fits = write!(text, "{number:e}");
    push_general(out, text.as_str());
}

/// The same for the nearest `float32`, with go-yaml's names for what is not finite.
pub(super) fn float32_key(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Go narrows it too")]
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let mut text = Small::default();
    let _fits = write!(text, "{number:e}");
    let mut out = Vec::new();
    push_general(&mut out, text.as_str());
    String::from_utf8(out).unwrap_or_default()
}

/// A float as the integer that its JSON text is, where it is one of 64 bits.
///
/// JSON of Go writes whole numbers below 1e21 with the shortest digits and zeros, so `2^60` as a float reads back
/// as 1152921504606847000.
pub(super) fn as_integer(number: f64) -> Option<Whole> {
    if number.fract() != 0.0 || number.abs() >= 1.9e19 {
        return None;
    }
    if number.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
        return Some(Whole::Int(number as i64));
    }
    let mut text = Small::default();
    let _fits = write!(text, "{number}");
    let text = text.as_str();
    match text.parse() {
        Ok(number) => Some(Whole::Int(number)),
        Err(_) => text.parse().ok().map(Whole::Uint),
    }
}

/// An integer of 64 bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Int(i64),
    Uint(u64),
}

/// Rewrites Rust's shortest exponent form (`-1.25e-7`) as Go's `%g`.
fn push_general(out: &mut Vec<u8>, text: &str) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => mantissa,
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !(-4..6).contains(&exponent) && whole != "0" {
        out.extend_from_slice(mantissa.as_bytes());
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        let exponent = exponent.unsigned_abs();
        if exponent < 10 {
            out.push(b'0');
        }
        push_unsigned(out, u64::from(exponent));
        return;
    }
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        for _ in 1..exponent.unsigned_abs() {
            out.push(b'0');
        }
        out.extend_from_slice(&digits);
        return;
    }
    let point = exponent.unsigned_abs() as usize + 1;
    for at in 0..point.max(digits.len()) {
        if at == point {
            out.push(b'.');
        }
        out.push(digits.get(at).copied().unwrap_or(b'0'));
    }
}

/// Appends a decimal integer.
pub(super) fn push_unsigned(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a decimal integer.
pub(super) fn push_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_unsigned(out, number.unsigned_abs());
}

/// A text of a number, on the stack.
#[derive(Default)]
struct Small {
    bytes: [u8; 32],
    len: usize,
}

impl Small {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("0")
    }
}

impl std::fmt::Write for Small {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_go() {
        for (number, text) in [
            (0.1, "0.1"),
            (999_999.9, "999999.9"),
            (123_456_789.5, "1.234567895e+08"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (0.0, "0"),
            (1e-300, "1e-300"),
        ] {
            let mut out = Vec::new();
            push_float(&mut out, number);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
        assert_eq!(float32_key(0.1), "0.1");
        assert_eq!(float32_key(1e300), ".inf");
    }

    #[test]
    fn whole_floats_are_what_their_json_text_says() {
        assert_eq!(as_integer(3.0), Some(Whole::Int(3)));
        assert_eq!(as_integer(-0.0), Some(Whole::Int(0)));
        assert_eq!(as_integer(1_152_921_504_606_846_976.0), Some(Whole::Int(1_152_921_504_606_847_000)));
        assert_eq!(as_integer(1e19), Some(Whole::Uint(10_000_000_000_000_000_000)));
        assert_eq!(as_integer(1e20), None);
        assert_eq!(as_integer(1.5), None);
    }
}
