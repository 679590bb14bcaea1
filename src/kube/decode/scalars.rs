//! Texts that built-in types decode themselves: quantities, times and base64, as Go reads them.

const SUFFIXES: &[&str] =
    &["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Whether a text is a quantity. Blanks around it do not count, and digits may be missing.
pub(super) fn is_quantity(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return false;
    }
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    rest = &rest[digits(rest)..];
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = &fraction[digits(fraction)..];
    }
    SUFFIXES.contains(&rest)
        || rest.strip_prefix(['e', 'E']).is_some_and(|power| power.parse::<i64>().is_ok())
}

/// How many digits the fraction of a second has.
#[derive(Copy, Clone)]
pub(super) enum Fraction {
    /// Any, or no fraction at all.
    Any,
    /// Six.
    Micro,
}

/// Whether a text is a time of RFC 3339, as leniently as Go reads one: an hour of one digit, a comma for a point and an offset of 24
/// hours pass.
pub(super) fn is_time(text: &str, fraction: Fraction) -> bool {
    read_time(text.as_bytes(), fraction).is_some()
}

fn read_time(text: &[u8], fraction: Fraction) -> Option<()> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    expect(&mut rest, b'-')?;
    let month = digits(&mut rest, 2)?;
    expect(&mut rest, b'-')?;
    let day = digits(&mut rest, 2)?;
    expect(&mut rest, b'T')?;
    let hour_digits = if rest.get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
    let hour = digits(&mut rest, hour_digits)?;
    expect(&mut rest, b':')?;
    let minute = digits(&mut rest, 2)?;
    expect(&mut rest, b':')?;
    let second = digits(&mut rest, 2)?;
    match (fraction, rest) {
        (Fraction::Any, [b'.' | b',', digit, ..]) if digit.is_ascii_digit() => {
            let end = rest[1..].iter().position(|byte| !byte.is_ascii_digit())?;
            rest = &rest[1 + end..];
        }
        (Fraction::Any, _) => {}
        (Fraction::Micro, [b'.' | b',', ..]) => {
            rest = &rest[1..];
            digits(&mut rest, 6)?;
        }
        (Fraction::Micro, _) => return None,
    }
    let offset_is_right = match rest {
        b"Z" => true,
        [b'+' | b'-', zone @ ..] => {
            let mut zone = zone;
            let hours = digits(&mut zone, 2)?;
            expect(&mut zone, b':')?;
            let minutes = digits(&mut zone, 2)?;
            zone.is_empty() && hours <= 24 && minutes <= 60
        }
        _ => false,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    ((1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60 && offset_is_right).then_some(())
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    taken
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

fn expect(rest: &mut &[u8], byte: u8) -> Option<()> {
    let after = rest.strip_prefix(&[byte])?;
    *rest = after;
    Some(())
}

/// Where a text stops being base64, if it does: line ends do not count, blanks do.
pub(super) fn not_base64(text: &str) -> Option<usize> {
    let (mut taken, mut padding) = (0_usize, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' | b'\r' => {}
            // After two or three of a group of four.
            b'=' if padding < 2 && (taken + padding) % 4 >= 2 => padding += 1,
            _ if padding > 0 => return Some(at),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => taken += 1,
            _ => return Some(at),
        }
    }
    ((taken + padding) % 4 != 0).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_server_reads_them() {
        for text in [
            "0", "1", "-1", "+1.5", "1.", ".5", "100m", "0.5m", "1e3", "1E-3", "1E", "12Ki", "5n", " 1Gi ",
            "1e+05",
        ] {
            assert!(is_quantity(text), "{text}");
        }
        for text in
            ["", " ", "64mi", "1 Gi", "1.1.M", "1K", "1e", "1kb", "true", "five", "1ki", "0x10", "1,5"]
        {
            assert!(!is_quantity(text), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_go_reads_them() {
        for text in [
            "2024-02-29T12:00:00Z",
            "2024-01-31T1:00:00+02:00",
            "2024-01-31T01:00:00.123456789-24:60",
            "2024-01-31T01:00:00,5Z",
        ] {
            assert!(is_time(text, Fraction::Any), "{text}");
        }
        for text in [
            "",
            "2024-01-31",
            "2023-02-29T12:00:00Z",
            "2024-01-31 01:00:00Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31T01:00:00",
            "2024-01-31T01:00:00.Z",
            "2024-01-31T01:00:00+0200",
            "2024-1-31T01:00:00Z",
        ] {
            assert!(!is_time(text, Fraction::Any), "{text}");
        }
        assert!(is_time("2024-01-31T01:00:00.123456Z", Fraction::Micro));
        assert!(!is_time("2024-01-31T01:00:00Z", Fraction::Micro));
        assert!(!is_time("2024-01-31T01:00:00.123Z", Fraction::Micro));
        assert!(!is_time("2024-01-31T01:00:00.1234567Z", Fraction::Micro));
    }

    #[test]
    fn base64_may_hold_line_ends_and_no_blanks() {
        for text in ["", "YQ==", "YWI=", "YWJj", "YWJj\nYQ=\r\n=\n", "//+/"] {
            assert_eq!(not_base64(text), None, "{text}");
        }
        for (text, at) in
            [("not base64!", 3), ("YQ", 2), ("YQ=", 3), ("YQ==YQ==", 4), ("YWJj=", 4), ("Y===", 1), ("-_", 0)]
        {
            assert_eq!(not_base64(text), Some(at), "{text}");
        }
    }
}
