//! Whole numbers and floats. Whole ones wrap around at 64 bits, as Go's do.

use super::cast::{printed, to_float, to_int};
use super::decimal::Decimal;
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::value::types::{ANY, FLOAT64, INT, STRING};
use crate::helm::value::{List, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("atoi", &[&STRING], |_, args| Ok(Value::int(strconv::parse_int(args.str(0)?, 10).0))),
    Function::new("int", &[&ANY], |_, args| Ok(Value::int(to_int(args.value(0))))),
    Function::new("int64", &[&ANY], |_, args| Ok(Value::int64(to_int(args.value(0))))),
    Function::new("float64", &[&ANY], |_, args| Ok(to_float(args.value(0)).into())),
    Function::new("toDecimal", &[&ANY], |_, args| {
        let (number, error) = strconv::parse_int(&printed(args.value(0))?, 8);
        Ok(Value::int64(if error.is_none() { number } else { 0 }))
    }),
    Function::variadic("seq", &[&INT], seq),
    Function::new("until", &[&INT], |ctx, args| {
        let count = args.int(0)?;
        steps(ctx, 0, count, if count < 0 { -1 } else { 1 }).map(|items| Value::List(List::ints(items)))
    }),
    Function::new("untilStep", &[&INT, &INT, &INT], |ctx, args| {
        let items = steps(ctx, args.int(0)?, args.int(1)?, args.int(2)?)?;
        Ok(Value::List(List::ints(items)))
    }),
    Function::new("add1", &[&ANY], |_, args| Ok(Value::int64(to_int(args.value(0)).wrapping_add(1)))),
    Function::variadic("add", &[&ANY], |_, args| Ok(fold(0, args.all(), i64::wrapping_add))),
    Function::new("sub", &[&ANY, &ANY], |_, args| {
        Ok(Value::int64(to_int(args.value(0)).wrapping_sub(to_int(args.value(1)))))
    }),
    Function::new("div", &[&ANY, &ANY], |_, args| divide(args, i64::wrapping_div)),
    Function::new("mod", &[&ANY, &ANY], |_, args| divide(args, i64::wrapping_rem)),
    Function::variadic("mul", &[&ANY, &ANY], |_, args| {
        Ok(fold(to_int(args.value(0)), args.rest(1), i64::wrapping_mul))
    }),
    Function::new("add1f", &[&ANY], |_, args| decimal(args.value(0), &[Value::int(1)], Decimal::add)),
    Function::variadic("addf", &[&ANY], |_, args| decimal(&Value::Float(0.0), args.all(), Decimal::add)),
    Function::variadic("subf", &[&ANY, &ANY], |_, args| decimal(args.value(0), args.rest(1), Decimal::sub)),
    Function::variadic("divf", &[&ANY, &ANY], |_, args| decimal(args.value(0), args.rest(1), Decimal::div)),
    Function::variadic("mulf", &[&ANY, &ANY], |_, args| decimal(args.value(0), args.rest(1), Decimal::mul)),
    Function::variadic("biggest", &[&ANY, &ANY], |_, args| {
        Ok(fold(to_int(args.value(0)), args.rest(1), i64::max))
    }),
    Function::variadic("max", &[&ANY, &ANY], |_, args| {
        Ok(fold(to_int(args.value(0)), args.rest(1), i64::max))
    }),
    Function::variadic("min", &[&ANY, &ANY], |_, args| {
        Ok(fold(to_int(args.value(0)), args.rest(1), i64::min))
    }),
    Function::variadic("maxf", &[&ANY, &ANY], |_, args| Ok(fold_floats(args, larger, f64::INFINITY))),
    Function::variadic("minf", &[&ANY, &ANY], |_, args| Ok(fold_floats(args, smaller, f64::NEG_INFINITY))),
    Function::new("ceil", &[&ANY], |_, args| Ok(to_float(args.value(0)).ceil().into())),
    Function::new("floor", &[&ANY], |_, args| Ok(to_float(args.value(0)).floor().into())),
    Function::variadic("round", &[&ANY, &INT, &FLOAT64], round),
];

type Answer = Result<Value, FuncError>;

fn fold(first: i64, rest: &[Value], step: fn(i64, i64) -> i64) -> Value {
    Value::int64(rest.iter().map(to_int).fold(first, step))
}

#[allow(clippy::float_cmp, reason = "the two zeros are equal, and their signs decide")]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a == b && a.is_sign_positive() { a } else { b }
}

#[allow(clippy::float_cmp, reason = "the two zeros are equal, and their signs decide")]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a == b && a.is_sign_negative() { a } else { b }
}

#[allow(clippy::float_cmp, reason = "an infinity equals itself")]
/// `math.Max` and `math.Min`: an infinity of the right sign wins over NaN, and NaN over the rest.
fn fold_floats(args: &Args<'_>, step: fn(f64, f64) -> f64, wins: f64) -> Value {
    let first = to_float(args.value(0));
    let result = args.rest(1).iter().map(to_float).fold(first, |a, b| {
        if a == wins || b == wins {
            wins
        } else if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            step(a, b)
        }
    });
    result.into()
}

fn divide(args: &Args<'_>, step: fn(i64, i64) -> i64) -> Answer {
    match to_int(args.value(1)) {
        0 => Err(FuncError::message("runtime error: integer divide by zero")),
        divisor => Ok(Value::int64(step(to_int(args.value(0)), divisor))),
    }
}

fn decimal(
    first: &Value,
    rest: &[Value],
    step: fn(&Decimal, &Decimal) -> Result<Decimal, FuncError>,
) -> Answer {
    let mut sum = Decimal::from_float(to_float(first))?;
    for value in rest {
        sum = step(&sum, &Decimal::from_float(to_float(value))?)?;
    }
    Ok(sum.to_float().into())
}

/// `start`, `start + step`, ... before `stop`; nothing where the step leads away from it.
fn steps(ctx: &mut Ctx<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    let distance = (i128::from(stop) - i128::from(start)).unsigned_abs();
    let toward = if stop < start { step < 0 } else { step > 0 };
    if !toward || distance == 0 {
        return Ok(Vec::new());
    }
    let count = usize::try_from(distance.div_ceil(u128::from(step.unsigned_abs()))).unwrap_or(usize::MAX);
    ctx.charge(count.saturating_mul(size_of::<Value>()))?;
    ctx.spend(count as u64)?;
    Ok(std::iter::successors(Some(start), |at| Some(at.wrapping_add(step))).take(count).collect())
}

/// The numbers as text with spaces. With three arguments the second is the step.
fn seq(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let number = |at| args.int(at);
    let (start, end, step) = match args.len() {
        1 => (1, number(0)?, None),
        2 => (number(0)?, number(1)?, None),
        3 => (number(0)?, number(2)?, Some(number(1)?)),
        _ => return Ok("".into()),
    };
    let toward = if end < start { -1 } else { 1 };
    if end < start && step.is_some_and(|step| step > 0) {
        return Ok("".into());
    }
    let items = steps(ctx, start, end.wrapping_add(toward), step.unwrap_or(toward))?;
    let texts: Vec<String> = items.iter().map(i64::to_string).collect();
    Ok(texts.join(" ").into())
}

/// `math.Pow(10, exponent)` with Go's roundings: powers by squaring of a fraction, and the inverse for negative
/// exponents (math/pow.go).
fn power_of_ten(exponent: i64) -> f64 {
    let (mut result, mut result_exponent) = (1.0f64, 0i64);
    let (mut base, mut base_exponent) = (0.625f64, 4i64);
    let mut bits = exponent.unsigned_abs();
    while bits != 0 {
        if !(-(1 << 12)..=(1 << 12)).contains(&base_exponent) {
            result_exponent += base_exponent;
            break;
        }
        if bits & 1 == 1 {
            result *= base;
            result_exponent += base_exponent;
        }
        base *= base;
        base_exponent *= 2;
        if base < 0.5 {
            base += base;
            base_exponent -= 1;
        }
        bits >>= 1;
    }
    if exponent < 0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    let mut scale = result_exponent.clamp(-4000, 4000);
    while scale != 0 {
        let step = scale.clamp(-60, 60);
        result *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        scale -= step;
    }
    result
}

/// Half goes up on the digit's fraction, which has the sign of the number, so that -1.5 gives -2.
fn round(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let round_on = if args.len() > 2 { args.float(2)? } else { 0.5 };
    let power = power_of_ten(args.int(1)?);
    let digit = power * to_float(args.value(0));
    let fraction = if digit.is_infinite() { f64::NAN } else { digit.fract() };
    let rounded = if fraction >= round_on { digit.ceil() } else { digit.floor() };
    Ok((rounded / power).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten() {
        for exponent in 0..=22 {
            assert_eq!(
                power_of_ten(exponent).to_bits(),
                10f64.powi(i32::try_from(exponent).unwrap()).to_bits()
            );
        }
        assert_eq!(power_of_ten(-2).to_bits(), 0.01f64.to_bits());
        assert!(power_of_ten(400).is_infinite());
        assert_eq!(power_of_ten(i64::MIN).to_bits(), 0);
    }
}
