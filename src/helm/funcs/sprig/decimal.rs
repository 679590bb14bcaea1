//! Decimal arithmetic for the functions that end in `f` (shopspring/decimal): a whole number and a power of ten.

use crate::helm::funcs::FuncError;
use crate::helm::strconv;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Pow, Signed, Zero};

/// Decimal places of a quotient.
const DIVISION_PRECISION: i64 = 16;

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

fn ten_to(power: i64) -> BigInt {
    BigInt::from(10).pow(u64::try_from(power).unwrap_or(0))
}

impl Decimal {
    /// The shortest decimal number that reads back as this float.
    pub(super) fn from_float(number: f64) -> Result<Self, FuncError> {
        if !number.is_finite() {
            let text = strconv::format_shortest(number);
            return Err(FuncError::message(format!("Cannot create a Decimal from {text}")));
        }
        if number == 0.0 {
            return Ok(Self { digits: BigInt::zero(), exponent: 0 });
        }
        let (digits, point) = strconv::shortest_digits(number);
        let exponent = i64::from(point) - i64::try_from(digits.len()).unwrap_or(0);
        let magnitude = BigInt::from(digits.parse::<u64>().unwrap_or(0));
        Ok(Self { digits: if number < 0.0 { -magnitude } else { magnitude }, exponent })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(0.0)
    }

    /// Both with the smaller of the two exponents.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |d: &Self| &d.digits * ten_to(d.exponent - exponent);
        (scaled(self), scaled(other), exponent)
    }

    #[allow(clippy::unnecessary_wraps, reason = "one shape for all four operations")]
    pub(super) fn add(&self, other: &Self) -> Result<Self, FuncError> {
        let (a, b, exponent) = self.aligned(other);
        Ok(Self { digits: a + b, exponent })
    }

    #[allow(clippy::unnecessary_wraps, reason = "one shape for all four operations")]
    pub(super) fn sub(&self, other: &Self) -> Result<Self, FuncError> {
        let (a, b, exponent) = self.aligned(other);
        Ok(Self { digits: a - b, exponent })
    }

    #[allow(clippy::unnecessary_wraps, reason = "one shape for all four operations")]
    pub(super) fn mul(&self, other: &Self) -> Result<Self, FuncError> {
        Ok(Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent })
    }

    /// To 16 decimal places, half away from zero.
    pub(super) fn div(&self, other: &Self) -> Result<Self, FuncError> {
        if other.digits.is_zero() {
            return Err(FuncError::message("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (a, b) = if shift < 0 {
            (self.digits.clone(), &other.digits * ten_to(-shift))
        } else {
            (&self.digits * ten_to(shift), other.digits.clone())
        };
        let (mut quotient, rest) = a.div_rem(&b);
        if rest.abs() * 2 >= b.abs() {
            quotient += if a.is_negative() == b.is_negative() { 1 } else { -1 };
        }
        Ok(Self { digits: quotient, exponent: -DIVISION_PRECISION })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calc(op: fn(&Decimal, &Decimal) -> Result<Decimal, FuncError>, a: f64, b: f64) -> f64 {
        op(&Decimal::from_float(a).unwrap(), &Decimal::from_float(b).unwrap()).unwrap().to_float()
    }

    #[test]
    fn arithmetic_is_decimal() {
        let same = |a: f64, b: f64| assert_eq!(a.to_bits(), b.to_bits());
        same(calc(Decimal::add, 0.1, 0.2), 0.3);
        same(calc(Decimal::mul, 1.1, 1.1), 1.21);
        same(calc(Decimal::div, 10.0, 3.0), 3.333_333_333_333_333_3);
        same(calc(Decimal::div, -2.0, 3.0), -0.666_666_666_666_666_7);
        same(calc(Decimal::div, 1e-20, 3.0), 0.0);
        assert!(Decimal::from_float(f64::NAN).is_err());
    }
}
