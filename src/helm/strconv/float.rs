//! strconv's `FormatFloat`.

/// Formats as `strconv.FormatFloat(value, verb, precision, 64)`: verbs `e E f g G b x X`; precision `None` is the
/// shortest text that reads back as the same number.
pub fn format_float(value: f64, verb: u8, precision: Option<usize>) -> String {
    let mut out = Vec::with_capacity(24);
    append_float(&mut out, value, verb, precision);
    String::from_utf8(out).expect("digits are ASCII")
}

/// Appends what [`format_float`] gives.
pub fn append_float(out: &mut Vec<u8>, value: f64, verb: u8, precision: Option<usize>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value < 0.0 { b"-Inf" } else { b"+Inf" });
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    match verb {
        b'e' | b'E' => append_exponent(out, &Decimal::of(value, precision.map(|p| p + 1)), precision, verb),
        b'f' => append_fixed(out, value, precision),
        b'g' | b'G' => append_general(out, value, verb, precision),
        b'b' => append_binary(out, value),
        b'x' | b'X' => append_hexadecimal(out, value, precision, verb),
        _ => {
            out.push(b'%');
            out.push(verb);
        }
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`, which is also `%v` and `%g`.
pub fn format_shortest(value: f64) -> String {
    format_float(value, b'g', None)
}

/// `strconv.FormatFloat(value, 'f', -1, 64)`.
pub fn format_plain(value: f64) -> String {
    format_float(value, b'f', None)
}

/// The shortest digits that read back as this number, and the place of the point: 12.5 is `("125", 2)`, 0 is
/// `("0", 1)`. For finite numbers.
pub fn shortest_digits(value: f64) -> (String, i32) {
    let Decimal { digits, point } = Decimal::of(value.abs(), None);
    if digits.is_empty() {
        return ("0".to_owned(), 1);
    }
    (String::from_utf8(digits).expect("digits are ASCII"), point)
}

/// More digits than any float64 has: from here on there are only zeros.
const EXACT: usize = 1100;

/// The shortest text that reads back. Where two of that length are equally near, Rust takes the upper one and Go the
/// even one; with fewer digits than [`UNIQUE`] there is only one.
fn shortest_text(value: f64) -> String {
    const UNIQUE: usize = 15;
    let text = format!("{value:e}");
    let digits = text.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    if digits < UNIQUE {
        return text;
    }
    let nearest = format!("{value:.*e}", digits - 1);
    if nearest.parse() == Ok(value) { nearest } else { text }
}

/// Digits without leading and trailing zeros, the decimal point standing before digit `point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    /// Rounded to `digits` significant digits; the shortest exact ones for `None`.
    fn of(value: f64, digits: Option<usize>) -> Self {
        let text = match digits {
            None => shortest_text(value),
            Some(digits) => format!("{value:.*e}", digits.saturating_sub(1).min(EXACT)),
        };
        let (mantissa, exponent) = text.split_once('e').expect("`{:e}` writes an exponent");
        let exponent: i32 = exponent.parse().expect("`{:e}` writes a small exponent");
        let mut all: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while all.last() == Some(&b'0') {
            all.pop();
        }
        let point = if all.is_empty() { 0 } else { exponent + 1 };
        Self { digits: all, point }
    }

    fn digit(&self, at: usize) -> u8 {
        self.digits.get(at).copied().unwrap_or(b'0')
    }
}

/// `d.ddde±dd`; `precision` digits after the point, all there are for `None`.
fn append_exponent(out: &mut Vec<u8>, decimal: &Decimal, precision: Option<usize>, verb: u8) {
    out.push(decimal.digit(0));
    let after = precision.unwrap_or_else(|| decimal.digits.len().saturating_sub(1));
    if after > 0 {
        out.push(b'.');
        out.extend((1..=after).map(|at| decimal.digit(at)));
    }
    out.push(verb);
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.abs()).as_bytes());
}

fn append_fixed(out: &mut Vec<u8>, value: f64, precision: Option<usize>) {
    match precision {
        None => append_positional(out, &Decimal::of(value, None)),
        Some(precision) => {
            let exact = precision.min(EXACT);
            out.extend_from_slice(format!("{value:.exact$}").as_bytes());
            out.extend(std::iter::repeat_n(b'0', precision - exact));
        }
    }
}

fn append_general(out: &mut Vec<u8>, value: f64, verb: u8, precision: Option<usize>) {
    let wanted = precision.map(|p| p.max(1));
    let decimal = Decimal::of(value, wanted);
    let count = i32::try_from(decimal.digits.len()).unwrap_or(i32::MAX);
    // The exponent form is used below 1e-4 and from the precision on; 6 for the shortest text (strconv/ftoa.go).
    let threshold = match wanted {
        None => 6,
        Some(wanted) => {
            let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
            if wanted > count && count >= decimal.point { count } else { wanted }
        }
    };
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= threshold {
        let after = decimal.digits.len().saturating_sub(1);
        append_exponent(out, &decimal, Some(after), if verb == b'g' { b'e' } else { b'E' });
        return;
    }
    append_positional(out, &decimal);
}

/// All digits, without an exponent.
fn append_positional(out: &mut Vec<u8>, decimal: &Decimal) {
    if decimal.point <= 0 {
        out.push(b'0');
        if !decimal.digits.is_empty() {
            out.push(b'.');
            out.extend(std::iter::repeat_n(b'0', usize::try_from(-decimal.point).unwrap_or(0)));
            out.extend_from_slice(&decimal.digits);
        }
    } else {
        let point = usize::try_from(decimal.point).unwrap_or(0);
        out.extend((0..point).map(|at| decimal.digit(at)));
        if decimal.digits.len() > point {
            out.push(b'.');
            out.extend_from_slice(&decimal.digits[point..]);
        }
    }
}

/// Mantissa and binary exponent, as `value = mantissa * 2^exponent`.
fn split(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    if exponent == 0 { (fraction, 1 - 1023 - 52) } else { (fraction | 1 << 52, exponent - 1023 - 52) }
}

fn append_binary(out: &mut Vec<u8>, value: f64) {
    let (mantissa, exponent) = split(value);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

fn append_hexadecimal(out: &mut Vec<u8>, value: f64, precision: Option<usize>, verb: u8) {
    let (mut mantissa, mut exponent) = split(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // One digit before the point: shift so that bit 60 is the leading one.
        exponent += 52;
        mantissa <<= 60 - 52;
        while mantissa & (1 << 60) == 0 {
            mantissa <<= 1;
            exponent -= 1;
        }
        if let Some(precision) = precision.filter(|&p| p < 15) {
            let shift = u32::try_from(precision * 4).unwrap_or(0);
            let extra = (mantissa << shift) & ((1 << 60) - 1);
            mantissa >>= 60 - shift;
            if extra | (mantissa & 1) > 1 << 59 {
                mantissa += 1;
            }
            mantissa <<= 60 - shift;
            if mantissa & (1 << 61) != 0 {
                mantissa >>= 1;
                exponent += 1;
            }
        }
    }
    let lower = verb == b'x';
    let digit = |n: u64| {
        let n = usize::try_from(n & 15).unwrap_or(0);
        if lower { b"0123456789abcdef"[n] } else { b"0123456789ABCDEF"[n] }
    };
    out.extend_from_slice(if lower { b"0x" } else { b"0X" });
    out.push(b'0' + u8::from(mantissa & (1 << 60) != 0));
    mantissa <<= 4;
    match precision {
        None if mantissa != 0 => {
            out.push(b'.');
            while mantissa != 0 {
                out.push(digit(mantissa >> 60));
                mantissa <<= 4;
            }
        }
        Some(precision) if precision > 0 => {
            out.push(b'.');
            for _ in 0..precision {
                out.push(digit(mantissa >> 60));
                mantissa <<= 4;
            }
        }
        _ => {}
    }
    out.push(if lower { b'p' } else { b'P' });
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_form_is_gos() {
        for (value, text) in [
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (0.1, "0.1"),
            (0.0, "0"),
            (-0.0, "-0"),
            (1e20, "1e+20"),
            (1e100, "1e+100"),
            (999_999.9, "999999.9"),
            (3.0, "3"),
        ] {
            assert_eq!(format_float(value, b'g', None), text);
        }
        // Equally near to ...99.2 and ...99.3.
        assert_eq!(format_plain(900_719_925_474_099.2), "900719925474099.2");
        assert_eq!(format_plain(1e22), "10000000000000000000000");
        assert_eq!((format_plain(0.0), format_plain(-0.5)), ("0".to_owned(), "-0.5".to_owned()));
        assert_eq!(format_float(123_456.0, b'g', Some(3)), "1.23e+05");
        assert_eq!(format_float(100.0, b'g', Some(3)), "100");
        assert_eq!(format_float(1.0, b'e', Some(6)), "1.000000e+00");
        assert_eq!(format_float(2.5, b'f', Some(0)), "2");
        assert_eq!(format_float(1.0, b'x', None), "0x1p+00");
        assert_eq!(format_float(1.0, b'b', None), "4503599627370496p-52");
    }
}
