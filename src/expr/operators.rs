//! Operators: arithmetic that refuses to overflow, comparison across numeric types, `in`.

use super::ast::Op;
use super::data::{Budget, Key, List, Val, compare, equal};
use super::declared::{Listed, escaped};
use super::fault::Fault;
use super::machine::contains;
use std::cmp::Ordering;
use std::sync::Arc;

/// The types that names of CEL stand for.
pub(super) fn type_constant(name: &str) -> Option<&'static str> {
    ["null_type", "bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "optional_type"]
        .into_iter()
        .find(|known| *known == name)
}

fn mismatch(op: Op, a: &Val<'_>, b: &Val<'_>) -> Fault {
    let fault = Fault::of_type(format!("`{}` does not take {} and {}", op.symbol(), a.noun(), b.noun()));
    let numbers = |val: &Val<'_>| matches!(val, Val::Int(_) | Val::Uint(_) | Val::Double(_));
    match (op, a, b) {
        (Op::Add, Val::String(_), _) | (Op::Add, _, Val::String(_)) => fault
            .help("turn the other one into text with `string(...)`, or write the text around the `${...}`"),
        (Op::Add, Val::Map(_), Val::Map(_)) => {
            fault.help("maps do not add up: name the keys, or use `transformMap`")
        }
        (Op::In, _, _) => fault.help("what follows `in` is a list, or a map whose keys are asked for"),
        _ if numbers(a) && numbers(b) => fault
            .help("numbers of different types do not mix: write `double(x)` or `int(x)`, or `2.0` for `2`"),
        (Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual, _, _) => {
            fault.help("only values of one type have an order; quoted numbers are strings: `int(x)`")
        }
        _ => fault,
    }
}

fn overflow(op: Op) -> Fault {
    Fault::overflow(format!("the result of `{}` does not fit 64 bits", op.symbol()))
}

/// Applies a binary operator.
pub(super) fn binary<'a>(op: Op, a: &Val<'a>, b: &Val<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match op {
        Op::Equal => return Ok(Val::Bool(equal(a, b, budget)?)),
        Op::Unequal => return Ok(Val::Bool(!equal(a, b, budget)?)),
        Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual => return relation(op, a, b),
        Op::In => return membership(a, b, budget),
        _ => {}
    }
    match (a, b) {
        (Val::Int(x), Val::Int(y)) => integers(op, *x, *y),
        (Val::Uint(x), Val::Uint(y)) => unsigned(op, *x, *y),
        (Val::Double(x), Val::Double(y)) => match op {
            Op::Add => Ok(Val::Double(x + y)),
            Op::Subtract => Ok(Val::Double(x - y)),
            Op::Multiply => Ok(Val::Double(x * y)),
            Op::Divide => Ok(Val::Double(x / y)),
            _ => Err(mismatch(op, a, b)),
        },
        (Val::String(x), Val::String(y)) if op == Op::Add => {
            budget.text(x.len() + y.len())?;
            Ok(Val::text([x.as_ref(), y.as_ref()].concat()))
        }
        (Val::Bytes(x), Val::Bytes(y)) if op == Op::Add => {
            budget.text(x.len() + y.len())?;
            Ok(Val::Bytes([x.as_ref(), y.as_ref()].concat().into()))
        }
        (Val::List(x), Val::List(y)) if op == Op::Add => {
            budget.items(x.len() + y.len())?;
            // An empty list adds nothing, not even what kind of list it is.
            if matches!(x.listed(), Listed::Plain) && (x.len() == 0 || y.len() == 0) {
                return Ok(if x.len() == 0 { b.clone() } else { a.clone() });
            }
            let mut items = x.items()?;
            let listed = x.listed();
            match listed {
                Listed::Plain => {
                    items.extend(y.items()?);
                    return Ok(Val::list(items));
                }
                Listed::Set => {
                    for item in y.items()? {
                        if !contains(x, &item, budget)? {
                            items.push(item);
                        }
                    }
                }
                Listed::Map(keys) => {
                    for item in y.items()? {
                        match with_keys(&items, &item, keys, budget)? {
                            Some(at) => items[at] = item,
                            None => items.push(item),
                        }
                    }
                }
            }
            Ok(Val::List(List::Kept { items: Arc::new(items), listed }))
        }
        (Val::Duration(x), Val::Duration(y)) => {
            let result = match op {
                Op::Add => x.checked_add(*y),
                Op::Subtract => x.checked_sub(*y),
                _ => return Err(mismatch(op, a, b)),
            };
            result.map(Val::Duration).ok_or_else(|| overflow(op))
        }
        (Val::Timestamp(time), Val::Duration(span)) if matches!(op, Op::Add | Op::Subtract) => {
            let span = if op == Op::Add { Some(*span) } else { span.checked_neg() };
            span.and_then(|span| time.add(span)).map(Val::Timestamp).ok_or_else(|| overflow(op))
        }
        (Val::Duration(span), Val::Timestamp(time)) if op == Op::Add => {
            time.add(*span).map(Val::Timestamp).ok_or_else(|| overflow(op))
        }
        (Val::Timestamp(x), Val::Timestamp(y)) if op == Op::Subtract => {
            x.since(*y).map(Val::Duration).ok_or_else(|| overflow(op))
        }
        _ => Err(mismatch(op, a, b)),
    }
}

/// The item of a list that is a map which has the keys of another item.
fn with_keys<'a>(
    items: &[Val<'a>],
    wanted: &Val<'a>,
    keys: &[Arc<str>],
    budget: &mut Budget,
) -> Result<Option<usize>, Fault> {
    for (at, item) in items.iter().enumerate() {
        if same_keys(item, wanted, keys, budget)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether two items of a list that is a map have the same keys.
fn same_keys(a: &Val<'_>, b: &Val<'_>, keys: &[Arc<str>], budget: &mut Budget) -> Result<bool, Fault> {
    let (Val::Map(a), Val::Map(b)) = (a, b) else { return Ok(false) };
    for key in keys {
        let key = Key::String(escaped(key).map_or_else(|| Arc::clone(key), Into::into));
        let same = match (a.get(&key).transpose()?, b.get(&key).transpose()?) {
            (Some(a), Some(b)) => equal(&a, &b, budget)?,
            (a, b) => a.is_none() && b.is_none(),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn integers<'a>(op: Op, x: i64, y: i64) -> Result<Val<'a>, Fault> {
    let result = match op {
        Op::Add => x.checked_add(y),
        Op::Subtract => x.checked_sub(y),
        Op::Multiply => x.checked_mul(y),
        Op::Divide | Op::Remainder if y == 0 => return Err(by_zero()),
        Op::Divide => x.checked_div(y),
        _ => x.checked_rem(y),
    };
    result.map(Val::Int).ok_or_else(|| overflow(op))
}

fn unsigned<'a>(op: Op, x: u64, y: u64) -> Result<Val<'a>, Fault> {
    let result = match op {
        Op::Add => x.checked_add(y),
        Op::Subtract => x.checked_sub(y),
        Op::Multiply => x.checked_mul(y),
        Op::Divide | Op::Remainder if y == 0 => return Err(by_zero()),
        Op::Divide => x.checked_div(y),
        _ => x.checked_rem(y),
    };
    result.map(Val::Uint).ok_or_else(|| overflow(op))
}

fn by_zero() -> Fault {
    Fault::of_value("division by zero")
}

/// The minus sign.
pub(super) fn negate<'a>(val: &Val<'a>) -> Result<Val<'a>, Fault> {
    match val {
        Val::Int(number) => number.checked_neg().map(Val::Int).ok_or_else(|| overflow(Op::Subtract)),
        Val::Double(number) => Ok(Val::Double(-number)),
        Val::Duration(span) => span.checked_neg().map(Val::Duration).ok_or_else(|| overflow(Op::Subtract)),
        other => Err(Fault::of_type(format!("`-` takes a number, not {}", other.noun()))),
    }
}

fn relation<'a>(op: Op, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>, Fault> {
    let Some(order) = compare(a, b) else {
        let nan = |val: &Val<'_>| matches!(val, Val::Double(number) if number.is_nan());
        let number = |val: &Val<'_>| matches!(val, Val::Int(_) | Val::Uint(_) | Val::Double(_));
        if number(a) && number(b) && (nan(a) || nan(b)) {
            return Ok(Val::Bool(false));
        }
        return Err(mismatch(op, a, b));
    };
    Ok(Val::Bool(match op {
        Op::Less => order == Ordering::Less,
        Op::LessEqual => order != Ordering::Greater,
        Op::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

fn membership<'a>(a: &Val<'a>, b: &Val<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match b {
        Val::List(list) => Ok(Val::Bool(contains(list, a, budget)?)),
        Val::Map(map) => Ok(Val::Bool(Key::of(a).is_some_and(|key| map.get(&key).is_some()))),
        _ => Err(mismatch(Op::In, a, b)),
    }
}
