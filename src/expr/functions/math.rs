//! `math.*`.

use super::lists::best;
use super::{Function, wants, within};
use crate::expr::data::{List, Val};
use crate::expr::fault::Fault;
use std::cmp::Ordering;

pub(super) const TABLE: &[Function] = &[
    within("math", "greatest", 1, usize::MAX, "math.greatest(a, b)", |_, args| {
        extreme(args, Ordering::Greater)
    }),
    within("math", "least", 1, usize::MAX, "math.least(a, b)", |_, args| extreme(args, Ordering::Less)),
    within("math", "ceil", 1, 1, "math.ceil(1.5)", |_, args| double(&args[0]).map(|n| Val::Double(n.ceil()))),
    within("math", "floor", 1, 1, "math.floor(1.5)", |_, args| {
        double(&args[0]).map(|n| Val::Double(n.floor()))
    }),
    within("math", "round", 1, 1, "math.round(1.5)", |_, args| {
        double(&args[0]).map(|n| Val::Double(n.round()))
    }),
    within("math", "trunc", 1, 1, "math.trunc(1.5)", |_, args| {
        double(&args[0]).map(|n| Val::Double(n.trunc()))
    }),
    within("math", "isNaN", 1, 1, "math.isNaN(x)", |_, args| double(&args[0]).map(|n| Val::Bool(n.is_nan()))),
    within("math", "isInf", 1, 1, "math.isInf(x)", |_, args| {
        double(&args[0]).map(|n| Val::Bool(n.is_infinite()))
    }),
    within("math", "isFinite", 1, 1, "math.isFinite(x)", |_, args| {
        double(&args[0]).map(|n| Val::Bool(n.is_finite()))
    }),
    within("math", "sqrt", 1, 1, "math.sqrt(x)", |_, args| number(&args[0]).map(|n| Val::Double(n.sqrt()))),
    within("math", "abs", 1, 1, "math.abs(x)", |_, args| match &args[0] {
        Val::Int(n) => {
            n.checked_abs().map(Val::Int).ok_or_else(|| Fault::overflow("the result does not fit 64 bits"))
        }
        Val::Uint(n) => Ok(Val::Uint(*n)),
        Val::Double(n) => Ok(Val::Double(n.abs())),
        other => Err(wants("a number", other)),
    }),
    within("math", "sign", 1, 1, "math.sign(x)", |_, args| match &args[0] {
        Val::Int(n) => Ok(Val::Int(n.signum())),
        Val::Uint(n) => Ok(Val::Uint(u64::from(*n > 0))),
        Val::Double(n) if n.is_nan() || *n == 0.0 => Ok(Val::Double(*n)),
        Val::Double(n) => Ok(Val::Double(n.signum())),
        other => Err(wants("a number", other)),
    }),
    within("math", "bitAnd", 2, 2, "math.bitAnd(a, b)", |_, args| bits(args, |a, b| a & b)),
    within("math", "bitOr", 2, 2, "math.bitOr(a, b)", |_, args| bits(args, |a, b| a | b)),
    within("math", "bitXor", 2, 2, "math.bitXor(a, b)", |_, args| bits(args, |a, b| a ^ b)),
    within("math", "bitNot", 1, 1, "math.bitNot(a)", |_, args| match &args[0] {
        Val::Int(n) => Ok(Val::Int(!n)),
        Val::Uint(n) => Ok(Val::Uint(!n)),
        other => Err(wants("an integer", other)),
    }),
    within("math", "bitShiftLeft", 2, 2, "math.bitShiftLeft(a, 2)", |_, args| shift(args, true)),
    within("math", "bitShiftRight", 2, 2, "math.bitShiftRight(a, 2)", |_, args| shift(args, false)),
];

fn double(val: &Val<'_>) -> Result<f64, Fault> {
    match val {
        Val::Double(number) => Ok(*number),
        other => Err(wants("a number with a fraction", other).help("write `double(x)` around an integer")),
    }
}

#[allow(clippy::cast_precision_loss, reason = "the nearest double is meant")]
fn number(val: &Val<'_>) -> Result<f64, Fault> {
    match val {
        Val::Double(number) => Ok(*number),
        Val::Int(number) => Ok(*number as f64),
        Val::Uint(number) => Ok(*number as f64),
        other => Err(wants("a number", other)),
    }
}

fn extreme<'a>(args: &[Val<'a>], wanted: Ordering) -> Result<Val<'a>, Fault> {
    let items = match args {
        [Val::List(list)] => List::items(list)?,
        _ => args.to_vec(),
    };
    for item in &items {
        if !matches!(item, Val::Int(_) | Val::Uint(_) | Val::Double(_)) {
            return Err(wants("numbers", item));
        }
    }
    best(&items, wanted)
}

fn bits<'a>(args: &[Val<'a>], apply: impl Fn(u64, u64) -> u64) -> Result<Val<'a>, Fault> {
    match (&args[0], &args[1]) {
        (Val::Int(a), Val::Int(b)) => Ok(Val::Int(apply(a.cast_unsigned(), b.cast_unsigned()).cast_signed())),
        (Val::Uint(a), Val::Uint(b)) => Ok(Val::Uint(apply(*a, *b))),
        (Val::Int(_) | Val::Uint(_), other) => Err(wants("two integers of one type", other)),
        (other, _) => Err(wants("integers", other)),
    }
}

fn shift<'a>(args: &[Val<'a>], left: bool) -> Result<Val<'a>, Fault> {
    let count = super::int(&args[1])?;
    let Ok(count) = u32::try_from(count) else {
        return Err(Fault::of_value(format!("a shift by {count} bits is not possible")));
    };
    let apply = |bits: u64| if left { bits.checked_shl(count) } else { bits.checked_shr(count) }.unwrap_or(0);
    match &args[0] {
        Val::Int(number) => Ok(Val::Int(apply(number.cast_unsigned()).cast_signed())),
        Val::Uint(number) => Ok(Val::Uint(apply(*number))),
        other => Err(wants("an integer", other)),
    }
}
