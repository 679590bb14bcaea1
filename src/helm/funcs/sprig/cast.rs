//! Conversions that many functions share: to text, to numbers, emptiness (sprig's `strval`, spf13/cast 1.7).

use crate::helm::fmt;
use crate::helm::funcs::FuncError;
use crate::helm::strconv;
use crate::helm::value::{Kind, Str, Value};

/// What Go's runtime says where nil is asked for its type.
pub(super) fn nil_dereference() -> FuncError {
    FuncError::message("runtime error: invalid memory address or nil pointer dereference")
}

/// Sprig's `strval`: strings and bytes as they are, texts of their own, else `%v`.
pub fn strval(value: &Value) -> Result<Str, FuncError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bytes(bytes) => Ok(Str::new(bytes)),
        Value::Object(object) if object.to_text().is_some() => Ok(object.to_text().unwrap_or_default()),
        other => {
            let mut out = Vec::new();
            fmt::append_value(&mut out, other)?;
            Ok(out.into())
        }
    }
}

/// `fmt.Sprint` of one value.
pub(super) fn printed(value: &Value) -> Result<Str, FuncError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => {
            let mut out = Vec::new();
            fmt::append_value(&mut out, other)?;
            Ok(out.into())
        }
    }
}

/// Sprig's `strslice`: the texts of a list without its nils; of anything else its text, and nothing of nil.
pub fn strings_of(value: &Value) -> Result<Vec<Str>, FuncError> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            list.read_all();
            list.iter().filter(|item| !matches!(item, Value::Nil)).map(strval).collect()
        }
        Value::Bytes(bytes) => Ok(bytes.iter().map(|b| Str::from(b.to_string())).collect()),
        other => Ok(vec![strval(other)?]),
    }
}

/// Sprig's `empty`: nil, false, 0, and what has no length. Structs never are.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Bool(truth) => !truth,
        Value::Int(_, number) => *number == 0,
        Value::Uint(_, number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Object(object) => match object.underlying() {
            Some(Value::Object(_)) | None => false,
            Some(plain) => is_empty(&plain),
        },
    }
}

/// Go's conversion of a float to an `int64` on amd64: what does not fit is the lowest number.
pub(super) fn float_to_int(number: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "checked to be in range")]
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// `cast.ToInt64`, which is `cast.ToInt` too; 0 for what is no number.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => number.cast_signed(),
        Value::Float(number) => float_to_int(*number),
        Value::Bool(truth) => i64::from(*truth),
        Value::String(text) => match strconv::parse_int(trim_zero_decimal(text), 0) {
            (number, None) => number,
            _ => 0,
        },
        Value::Object(object) => match object.underlying() {
            // Months and weekdays are of kind int; a duration, of kind int64, is not taken.
            Some(Value::Int(Kind::Int, number)) => number,
            _ => 0,
        },
        _ => 0,
    }
}

/// `1.00` reads as `1`; `1.50` stays as it is.
fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|&&b| b == b'0').count();
    match text.len().checked_sub(zeros + 1) {
        Some(dot) if zeros > 0 && text[dot] == b'.' => &text[..dot],
        _ => text,
    }
}

/// `cast.ToFloat64`; 0 for what is no number.
#[allow(clippy::cast_precision_loss, reason = "as Go converts")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::String(text) => strconv::parse_float(text).unwrap_or(0.0),
        Value::Object(_) => to_int(value) as f64,
        _ => 0.0,
    }
}

/// The items of a slice, as `reflect` hands them out; the kind of what is none; nil panics. Who looks into the items
/// reports that itself ([`List::read_all`](crate::helm::value::List::read_all)).
pub(super) fn items(value: &Value) -> Result<Result<Vec<Value>, Kind>, FuncError> {
    match value {
        Value::Nil => Err(nil_dereference()),
        Value::List(list) => {
            list.read_itself();
            Ok(Ok(list.to_vec()))
        }
        Value::Bytes(bytes) => {
            Ok(Ok(bytes.iter().map(|&b| Value::Uint(Kind::Uint8, u64::from(b))).collect()))
        }
        other => Ok(Err(other.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_numbers() {
        for (text, number) in
            [("012", 10), ("08", 0), ("0x10", 16), ("1.9", 0), ("1.00", 1), (".0", 0), ("1e3", 0), ("", 0)]
        {
            assert_eq!(to_int(&text.into()), number, "{text}");
        }
        assert_eq!(to_int(&Value::Float(-1.9)), -1);
        assert_eq!(to_int(&Value::Float(1e300)), i64::MIN);
    }
}
