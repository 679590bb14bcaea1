//! `time.Duration`: nanoseconds as `1h2m3.5s`.

use super::parse::quote;

const UNITS: [(&[u8], u64); 8] = [
    (b"ns", 1),
    (b"us", 1_000),
    ("\u{b5}s".as_bytes(), 1_000),
    ("\u{3bc}s".as_bytes(), 1_000),
    (b"ms", 1_000_000),
    (b"s", 1_000_000_000),
    (b"m", 60_000_000_000),
    (b"h", 3_600_000_000_000),
];

const LIMIT: u64 = 1 << 63;

/// `Duration.String`.
pub fn format_duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let (body, unit) = match total {
        0 => return "0s".into(),
        1..1_000 => (decimal(total, 0), "ns"),
        1_000..1_000_000 => (decimal(total, 3), "\u{b5}s"),
        1_000_000..1_000_000_000 => (decimal(total, 6), "ms"),
        _ => (decimal(total % 60_000_000_000, 9), "s"),
    };
    let minutes = total / 60_000_000_000;
    let lead = match (minutes / 60, minutes % 60) {
        (0, 0) => String::new(),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    };
    format!("{sign}{lead}{body}{unit}")
}

/// A number with so many decimal places, the last ones left out where they are 0.
fn decimal(number: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    let (whole, part) = (number / scale, number % scale);
    if part == 0 {
        return whole.to_string();
    }
    let digits = format!("{part:0width$}", width = places as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `Duration.Round`.
pub fn round_duration(nanoseconds: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanoseconds;
    }
    let rest = nanoseconds % unit;
    let down = nanoseconds - rest;
    if rest.unsigned_abs() * 2 < unit.unsigned_abs() {
        down
    } else {
        down.saturating_add(if nanoseconds < 0 { -unit } else { unit })
    }
}

/// The digits at the front and what follows them; `None` where they exceed 2^63.
fn leading_int(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let mut number: u64 = 0;
    for &digit in &text[..end] {
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0')).filter(|&n| n <= LIMIT)?;
    }
    Some((number, &text[end..]))
}

/// `time.ParseDuration`; the error is Go's text.
pub fn parse_duration(source: &[u8]) -> Result<i64, Vec<u8>> {
    let invalid = || [b"time: invalid duration ".as_slice(), &quote(source)].concat();
    let (negative, mut rest) = match source.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, source),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let start = rest;
        let (whole, after) = leading_int(rest).ok_or_else(invalid)?;
        let mut digits = after.len() < start.len();
        rest = after;
        let (mut fraction, mut scale) = (0u64, 1.0f64);
        if let Some(after) = rest.strip_prefix(b".") {
            let end = after.iter().position(|b| !b.is_ascii_digit()).unwrap_or(after.len());
            for &digit in &after[..end] {
                let next = fraction.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
                match next {
                    Some(next) if fraction <= (LIMIT - 1) / 10 && next <= LIMIT => {
                        fraction = next;
                        scale *= 10.0;
                    }
                    _ => break,
                }
            }
            digits |= end > 0;
            rest = &after[end..];
        }
        if !digits {
            return Err(invalid());
        }
        let end = rest.iter().position(|&b| b == b'.' || b.is_ascii_digit()).unwrap_or(rest.len());
        if end == 0 {
            return Err([b"time: missing unit in duration ".as_slice(), &quote(source)].concat());
        }
        let name = &rest[..end];
        let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == name) else {
            let words = [b"time: unknown unit ".as_slice(), &quote(name), b" in duration ", &quote(source)];
            return Err(words.concat());
        };
        rest = &rest[end..];
        if whole > LIMIT / unit {
            return Err(invalid());
        }
        let mut part = whole * unit;
        if fraction > 0 {
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "Go computes the fraction in float64"
            )]
            let nanoseconds = (fraction as f64 * (*unit as f64 / scale)) as u64;
            part = part.checked_add(nanoseconds).filter(|&n| n <= LIMIT).ok_or_else(invalid)?;
        }
        total = total.checked_add(part).filter(|&n| n <= LIMIT).ok_or_else(invalid)?;
    }
    if negative {
        Ok(0i64.wrapping_sub_unsigned(total))
    } else {
        i64::try_from(total).map_err(|_too_large| invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_and_parse() {
        for (number, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1\u{b5}s"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (3_600_000_000_000, "1h0m0s"),
            (-90_061_000_000_001, "-25h1m1.000000001s"),
        ] {
            assert_eq!(format_duration(number), text);
            assert_eq!(parse_duration(text.as_bytes()), Ok(number));
        }
        assert_eq!(format_duration(i64::MIN), "-2562047h47m16.854775808s");
        assert_eq!(parse_duration(b"1.5h.5m"), Ok(5_430_000_000_000));
    }

    #[test]
    fn bad_durations_have_gos_words() {
        let error = |text: &str| String::from_utf8(parse_duration(text.as_bytes()).unwrap_err()).unwrap();
        assert_eq!(error(""), "time: invalid duration \"\"");
        assert_eq!(error("3"), "time: missing unit in duration \"3\"");
        assert_eq!(error("1d"), "time: unknown unit \"d\" in duration \"1d\"");
        assert_eq!(error("99999999h"), "time: invalid duration \"99999999h\"");
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(round_duration(1_500_000_000, 1_000_000_000), 2_000_000_000);
        assert_eq!(round_duration(-1_499_999_999, 1_000_000_000), -1_000_000_000);
    }
}
