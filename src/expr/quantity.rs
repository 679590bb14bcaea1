//! Quantities of Kubernetes (`100m`, `1.5Gi`, `1e3`), exact.
//!
//! A quantity is kept as an integer count of nanos, which is the finest grain that Kubernetes keeps; digits
//! beyond it are rounded up, as there.

use std::cmp::Ordering;

/// How a quantity is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Style {
    Binary,
    Decimal,
    Exponent,
}

/// An amount, in nanos.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Quantity {
    nanos: i128,
    style: Style,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

const NANO: i128 = 1_000_000_000;
const DECIMAL: &[(&str, u32)] = &[
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", 103),
    ("u", 106),
    ("n", 109),
];
const BINARY: &[(&str, u32)] = &[("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];

impl Quantity {
    /// Reads a quantity; `None` where it is none, or beyond about 1.7e29.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // A suffix alone is none of it: `Mi` and `.` are 0 to a server.
        if fraction.contains('.') {
            return None;
        }
        let digits = format!("{}{fraction}", whole.trim_start_matches('0'));
        if digits.len() > 36 {
            return None;
        }
        let digits: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        let point = i32::try_from(fraction.len()).ok()?;
        let (style, nanos) = if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
            let scaled = digits.checked_mul(NANO)?.checked_mul(1_i128.checked_shl(*bits)?)?;
            let nanos = divide_up(scaled, 10_i128.checked_pow(u32::try_from(point).ok()?)?);
            // Those of powers of two end where the integers of servers end.
            (Style::Binary, nanos.min(i128::from(i64::MAX) * NANO))
        } else {
            let (style, exponent) = if let Some((_, code)) = DECIMAL.iter().find(|(name, _)| *name == suffix)
            {
                let code = i32::try_from(*code).ok()?;
                (Style::Decimal, if code > 100 { 100 - code } else { code })
            } else {
                let exponent = suffix.strip_prefix(['e', 'E'])?;
                (Style::Exponent, exponent.parse::<i32>().ok().filter(|e| e.abs() < 60)?)
            };
            let shift = exponent - point + 9;
            let nanos = match u32::try_from(shift) {
                Ok(shift) => digits.checked_mul(10_i128.checked_pow(shift)?)?,
                Err(_) => match 10_i128.checked_pow(shift.unsigned_abs()) {
                    Some(scale) => divide_up(digits, scale),
                    None => i128::from(digits > 0),
                },
            };
            (style, nanos)
        };
        Some(Self { nanos: if negative { -nanos } else { nanos }, style })
    }

    /// An integer.
    pub(crate) fn of(number: i64) -> Self {
        Self { nanos: i128::from(number) * NANO, style: Style::Decimal }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }

    pub(crate) fn signum(self) -> i64 {
        match self.nanos.cmp(&0) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    pub(crate) fn add(self, other: Self) -> Option<Self> {
        let style = if self.nanos == 0 { other.style } else { self.style };
        Some(Self { nanos: self.nanos.checked_add(other.nanos)?, style })
    }

    pub(crate) fn subtract(self, other: Self) -> Option<Self> {
        let style = if self.nanos == 0 { other.style } else { self.style };
        Some(Self { nanos: self.nanos.checked_sub(other.nanos)?, style })
    }

    /// Thousandths, rounded up.
    pub(crate) fn milli(self) -> i128 {
        divide_up(self.nanos, NANO / 1000)
    }

    /// The integer, where it is one that fits.
    pub(crate) fn integer(self) -> Option<i64> {
        if self.nanos % NANO == 0 { i64::try_from(self.nanos / NANO).ok() } else { None }
    }

    #[allow(clippy::cast_precision_loss, reason = "the caller asked for the nearest double")]
    pub(crate) fn approximate(self) -> f64 {
        self.nanos as f64 / NANO as f64
    }

    /// The canonical form: the largest suffix that leaves no fraction.
    pub(crate) fn text(self) -> String {
        if self.nanos == 0 {
            return "0".to_owned();
        }
        if self.style == Style::Binary && self.nanos % NANO == 0 && self.nanos.abs() >= 1024 * NANO {
            let whole = self.nanos / NANO;
            for (name, bits) in BINARY {
                let unit = 1_i128 << bits;
                if whole % unit == 0 {
                    return format!("{}{name}", whole / unit);
                }
            }
            return whole.to_string();
        }
        for (name, code) in DECIMAL {
            let exponent = if *code > 100 { 9 - (code - 100) } else { code + 9 };
            let unit = 10_i128.pow(exponent);
            if self.nanos % unit == 0 {
                let amount = self.nanos / unit;
                if self.style == Style::Exponent && *code != 0 {
                    let exponent = i64::from(exponent) - 9;
                    return format!("{amount}e{exponent}");
                }
                return format!("{amount}{name}");
            }
        }
        format!("{}n", self.nanos)
    }
}

fn divide_up(number: i128, by: i128) -> i128 {
    number / by + i128::from(number % by > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_compares_and_prints() {
        for (text, out) in [
            ("100m", "100m"),
            ("0.1", "100m"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("-2", "-2"),
            ("0", "0"),
            ("0.5Ki", "512"),
            ("1n", "1n"),
            ("Mi", "0"),
            ("-", "0"),
            (".5", "500m"),
            ("16Ei", "9223372036854775807"),
        ] {
            assert_eq!(Quantity::parse(text).expect(text).text(), out, "{text}");
        }
        for bad in ["", "1Q", "1.2.3", "1 Mi", "1e", "e", "9e59"] {
            assert!(Quantity::parse(bad).is_none(), "{bad}");
        }
        let compare = |a, b| Quantity::parse(a).expect("valid").compare(Quantity::parse(b).expect("valid"));
        assert_eq!(compare("1Gi", "1G"), Ordering::Greater);
        assert_eq!(compare("0.1", "100m"), Ordering::Equal);
    }
}
