//! What a plain text is: go-yaml's reading of YAML 1.1 (resolve.go, v2.4.2).
//!
//! The writer asks the same question to know what it has to quote.

/// What a text is without a tag.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing, `~`, `null`.
    Null,
    /// `yes`, `off`, `true` ...
    Bool(bool),
    /// An integer of `i64`.
    Int(i64),
    /// An integer above it.
    Uint(u64),
    /// A float; may be infinite or not a number.
    Float(f64),
    /// A date or a time; a string for all that Kubernetes knows.
    Timestamp,
    /// Any other text.
    String,
}

impl Resolved {
    /// go-yaml's short tag for it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Uint(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::String => "!!str",
        }
    }
}

/// What `text` is.
pub fn resolve(text: &str) -> Resolved {
    resolve_tagged(text, true)
}

/// `resolve`; timestamps only where `timestamps` says so, as under a tag such as `!!int`.
pub(super) fn resolve_tagged(text: &str, timestamps: bool) -> Resolved {
    match text.as_bytes() {
        [] => Resolved::Null,
        [b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~', ..] => word(text),
        [b'.', ..] => match text {
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Resolved::Float(f64::INFINITY),
            _ => fraction(text).map_or(Resolved::String, Resolved::Float),
        },
        [b'0'..=b'9' | b'+' | b'-', ..] => number(text, timestamps),
        _ => Resolved::String,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        _ => Resolved::String,
    }
}

fn number(text: &str, timestamps: bool) -> Resolved {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let bytes = text.as_bytes();
    // Plain decimals, which most numbers are.
    if bytes.len() <= 18 && bytes[0] != b'0' && bytes.iter().all(u8::is_ascii_digit) {
        return Resolved::Int(bytes.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')));
    }
    // No number holds any other character.
    if !bytes.iter().all(|byte| {
        byte.is_ascii_hexdigit()
            || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'x' | b'X' | b'o' | b'O')
            || (timestamps && matches!(byte, b':' | b't' | b'T' | b'Z' | b' ' | b','))
    }) {
        return Resolved::String;
    }
    if timestamps && is_timestamp(text) {
        return Resolved::Timestamp;
    }
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    if let Some(whole) = integer(plain) {
        return whole;
    }
    if is_decimal_float(plain)
        && let Ok(number) = plain.parse::<f64>()
        && number.is_finite()
    {
        return Resolved::Float(number);
    }
    // Binary with a second sign: `0b-1`.
    if let Some(digits) = plain.strip_prefix("0b") {
        if let Ok(number) = i64::from_str_radix(digits, 2) {
            return Resolved::Int(number);
        }
        if !digits.starts_with('+')
            && let Ok(number) = u64::from_str_radix(digits, 2)
        {
            return Resolved::Uint(number);
        }
    }
    Resolved::String
}

/// `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Resolved> {
    let (negative, signed, digits) = match text.as_bytes()[0] {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0'] => return Some(Resolved::Int(0)),
        [b'0', ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // Rust would take a second sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0i64.checked_sub_unsigned(size).map(Resolved::Int)
    } else if let Ok(number) = i64::try_from(size) {
        Some(Resolved::Int(number))
    } else {
        (!signed).then_some(Resolved::Uint(size))
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_decimal_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = |at: &mut usize| {
        let start = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        *at - start
    };
    let whole = digits(&mut at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        if digits(&mut at) == 0 && whole == 0 {
            return false;
        }
    } else if whole == 0 {
        return false;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        if digits(&mut at) == 0 {
            return false;
        }
    }
    at == bytes.len()
}

/// `strconv.ParseFloat` of a text that starts with a point: `_` may stand between two digits.
fn fraction(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| at > 0 && digit(at - 1) && digit(at + 1);
    if !(0..bytes.len()).all(|at| bytes[at] != b'_' || separates(at)) {
        return None;
    }
    let plain = text.replace('_', "");
    if !is_decimal_float(&plain) {
        return None;
    }
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Whether Go's `time.Parse` takes it in one of go-yaml's four layouts.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let mut rest = &bytes[5..];
    let year = bytes[..4].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let Some(month) = short_number(&mut rest) else { return false };
    if !literal(&mut rest, b'-') {
        return false;
    }
    let Some(day) = short_number(&mut rest) else { return false };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    if !(1..=days).contains(&day) {
        return false;
    }
    let zoned = match rest {
        [] => return true,
        [b'T' | b't', ..] => {
            rest = &rest[1..];
            true
        }
        [b' ', ..] => {
            rest = rest.trim_ascii_start();
            false
        }
        _ => return false,
    };
    for (limit, end) in [(24, b':'), (60, b':'), (60, 0)] {
        if short_number(&mut rest).is_none_or(|number| number >= limit) {
            return false;
        }
        if end != 0 && !literal(&mut rest, end) {
            return false;
        }
    }
    if let [b'.' | b',', b'0'..=b'9', ..] = rest {
        let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &rest[1 + digits..];
    }
    match rest {
        [] => !zoned,
        [b'Z'] => zoned,
        [b'+' | b'-', h1, h2, b':', m1, m2] if zoned => {
            let number = |a: &u8, b: &u8| {
                (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a - b'0') * 10 + (b - b'0'))
            };
            number(h1, h2).is_some_and(|hour| hour <= 24) && number(m1, m2).is_some_and(|minute| minute <= 60)
        }
        _ => false,
    }
}

/// One or two digits.
fn short_number(rest: &mut &[u8]) -> Option<u32> {
    let digits = rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let number = rest[..digits].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    *rest = &rest[digits..];
    (digits > 0).then_some(number)
}

fn literal(rest: &mut &[u8], byte: u8) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == byte => {
            *rest = after;
            true
        }
        _ => false,
    }
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`: read as text, but quoted for other readers.
pub fn is_base_60(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if !bytes.get(start).is_some_and(u8::is_ascii_digit) || memchr::memchr(b':', bytes).is_none() {
        return false;
    }
    let (text, fraction) = match text.split_once('.') {
        Some((text, fraction)) => (text, fraction),
        None => (text, ""),
    };
    let mut parts = text[start..].split(':');
    let first = parts.next().unwrap_or("");
    let mut count = 0;
    first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && parts.all(|part| {
            count += 1;
            matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
        })
        && count > 0
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_yaml_1_1_as_go_yaml_does() {
        for (text, is) in [
            ("", Resolved::Null),
            ("y", Resolved::Bool(true)),
            ("tRue", Resolved::String),
            ("0123", Resolved::Int(83)),
            ("0o17", Resolved::Int(15)),
            ("089", Resolved::Float(89.0)),
            ("1_000", Resolved::Int(1000)),
            ("-0x1F", Resolved::Int(-31)),
            ("0b-1", Resolved::Int(-1)),
            ("+18446744073709551615", Resolved::Float(18_446_744_073_709_551_615.0)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("-9223372036854775808", Resolved::Int(i64::MIN)),
            ("1e3", Resolved::Float(1000.0)),
            ("1e400", Resolved::String),
            (".5", Resolved::Float(0.5)),
            (".1_5", Resolved::Float(0.15)),
            ("._5", Resolved::String),
            ("1.2.3", Resolved::String),
            ("2001-1-1", Resolved::Timestamp),
            ("2001-02-29", Resolved::String),
            ("2001-12-14t21:59:43.10-05:00", Resolved::Timestamp),
            ("2001-12-14 21:59:43.10", Resolved::Timestamp),
            ("2001-12-14T21:59:43", Resolved::String),
            ("-", Resolved::String),
            ("+", Resolved::String),
            ("0x", Resolved::String),
        ] {
            assert_eq!(resolve(text), is, "{text}");
        }
        for text in ["1:30", "+12:30:45", "1_0:5.5_"] {
            assert!(is_base_60(text), "{text}");
        }
        for text in ["12:60", "1:", ":1", "a:1", "1:30:", "1_:3a"] {
            assert!(!is_base_60(text), "{text}");
        }
    }
}
