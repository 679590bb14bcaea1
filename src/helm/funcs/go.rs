//! The functions that Go's text/template brings itself (funcs.go, Go 1.26), but for `slice`: sprig's stands before it.

use super::{Args, Body, Ctx, FuncError, Function};
use crate::helm::fmt::{append_indirect, sprint, sprintf, sprintln};
use crate::helm::strconv::decode_rune;
use crate::helm::unicode::is_print;
use crate::helm::value::types::{ANY, REFLECT, STRING};
use crate::helm::value::{Kind, Str, TypeInfo, Value};
use std::cmp::Ordering;

/// Go's builtins.
pub static FUNCTIONS: &[Function] = &[
    Function { body: Body::And, ..Function::variadic("and", &[&REFLECT, &REFLECT], not) },
    Function { body: Body::Or, ..Function::variadic("or", &[&REFLECT, &REFLECT], not) },
    Function { body: Body::Len, ..Function::new("len", &[&REFLECT], not) },
    Function { body: Body::Call, ..Function::variadic("call", &[&REFLECT, &REFLECT], not) },
    Function::new("not", &[&REFLECT], not),
    Function::variadic("eq", &[&REFLECT, &REFLECT], eq),
    Function::new("ne", &[&REFLECT, &REFLECT], ne),
    Function::new("lt", &[&REFLECT, &REFLECT], lt),
    Function::new("le", &[&REFLECT, &REFLECT], le),
    Function::new("gt", &[&REFLECT, &REFLECT], gt),
    Function::new("ge", &[&REFLECT, &REFLECT], ge),
    Function::variadic("index", &[&REFLECT, &REFLECT], index),
    Function::variadic("print", &[&ANY], print),
    Function::variadic("printf", &[&STRING, &ANY], printf),
    Function::variadic("println", &[&ANY], println),
    Function::variadic("html", &[&ANY], html),
    Function::variadic("js", &[&ANY], js),
    Function::variadic("urlquery", &[&ANY], urlquery),
];

/// Go's truth: not the zero of its type; structs are always true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(b) => *b,
        Value::Int(_, n) => *n != 0,
        Value::Uint(_, n) => *n != 0,
        Value::Float(f) => *f != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::Object(object) => match object.underlying() {
            Some(Value::Object(_)) | None => true,
            Some(plain) => is_true(&plain),
        },
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the shape of every function")]
fn not(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(!is_true(args.value(0))))
}

/// A value as comparison sees it: named numbers are numbers.
enum Basic {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(Str),
    Other,
}

impl Basic {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(_, n) => Self::Int(*n),
            Value::Uint(_, n) => Self::Uint(*n),
            Value::Float(f) => Self::Float(*f),
            Value::String(text) => Self::String(text.clone()),
            Value::Object(object) => match object.underlying() {
                Some(Value::Object(_)) | None => Self::Other,
                Some(plain) => Self::of(&plain),
            },
            _ => Self::Other,
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    value.type_name()
}

fn incompatible(a: &Value, b: &Value) -> FuncError {
    FuncError::message(format!("incompatible types for comparison: {} and {}", type_name(a), type_name(b)))
}

fn bad_comparison() -> FuncError {
    FuncError::message("invalid type for comparison")
}

fn equal(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(match (Basic::of(a), Basic::of(b)) {
        (Basic::Bool(a), Basic::Bool(b)) => a == b,
        (Basic::Int(a), Basic::Int(b)) => a == b,
        (Basic::Uint(a), Basic::Uint(b)) => a == b,
        (Basic::Int(a), Basic::Uint(b)) | (Basic::Uint(b), Basic::Int(a)) => u64::try_from(a) == Ok(b),
        #[allow(clippy::float_cmp, reason = "Go compares so")]
        (Basic::Float(a), Basic::Float(b)) => a == b,
        (Basic::String(a), Basic::String(b)) => a == b,
        (Basic::Other, Basic::Other) => return equal_other(a, b),
        _ if a.is_untyped_nil() || b.is_untyped_nil() => false,
        _ => return Err(incompatible(a, b)),
    })
}

fn equal_other(a: &Value, b: &Value) -> Result<bool, FuncError> {
    if a.kind() != b.kind() && !a.is_untyped_nil() && !b.is_untyped_nil() {
        let (shown_a, shown_b) = (sprintf(b"%s", std::slice::from_ref(a))?, sprint(std::slice::from_ref(b))?);
        let parts: [&[u8]; 8] = [
            b"non-comparable types ",
            &shown_a,
            b": ",
            type_name(a).as_bytes(),
            b", ",
            type_name(b).as_bytes(),
            b": ",
            &shown_b,
        ];
        return Err(FuncError::message(parts.concat()));
    }
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() == b.is_nil());
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b) {
        return Ok(a.same(b) || a.type_of().kind != Kind::Ptr && a.type_of().is(b.type_of()) && a.equals(b));
    }
    let shown = sprintf(b"%s", std::slice::from_ref(b))?;
    let parts: [&[u8]; 4] = [b"non-comparable type ", &shown, b": ", type_name(b).as_bytes()];
    Err(FuncError::message(parts.concat()))
}

fn eq(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    if args.len() < 2 {
        return Err(FuncError::message("missing argument for comparison"));
    }
    for other in args.rest(1) {
        if equal(args.value(0), other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ne(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(!equal(args.value(0), args.value(1))?))
}

/// The order of two values; `None` where they have none (NaN).
fn compare(a: &Value, b: &Value) -> Result<Option<Ordering>, FuncError> {
    let (left, right) = (Basic::of(a), Basic::of(b));
    Ok(match (&left, &right) {
        (Basic::Other, _) | (_, Basic::Other) | (Basic::Bool(_), Basic::Bool(_)) => {
            return Err(bad_comparison());
        }
        (Basic::Int(a), Basic::Int(b)) => Some(a.cmp(b)),
        (Basic::Uint(a), Basic::Uint(b)) => Some(a.cmp(b)),
        (Basic::Int(a), Basic::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Basic::Uint(a), Basic::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Basic::Float(a), Basic::Float(b)) => a.partial_cmp(b),
        (Basic::String(a), Basic::String(b)) => Some(a.cmp(b)),
        _ => return Err(incompatible(a, b)),
    })
}

fn lt(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(compare(args.value(0), args.value(1))? == Some(Ordering::Less)))
}

fn le(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let order = compare(args.value(0), args.value(1))?;
    Ok(Value::Bool(matches!(order, Some(Ordering::Less | Ordering::Equal))))
}

/// Go's `gt` is "not le", `ge` "not lt": both hold for NaN.
fn gt(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let order = compare(args.value(0), args.value(1))?;
    Ok(Value::Bool(!matches!(order, Some(Ordering::Less | Ordering::Equal))))
}

fn ge(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(compare(args.value(0), args.value(1))? != Some(Ordering::Less)))
}

/// An index into something of length `cap`; `cap` itself passes, as in Go.
fn index_of(value: &Value, cap: usize) -> Result<usize, FuncError> {
    let Some(n) = value.as_integer() else {
        return Err(FuncError::message(match value.type_of() {
            None => "cannot index slice/array with nil".to_owned(),
            Some(ty) => format!("cannot index slice/array with type {ty}"),
        }));
    };
    usize::try_from(n)
        .ok()
        .filter(|n| *n <= cap)
        .ok_or_else(|| FuncError::message(format!("index out of range: {n}")))
}

fn index(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut item = args.take(0);
    if item.is_untyped_nil() {
        return Err(FuncError::message("index of untyped nil"));
    }
    for at in args.rest(1) {
        item = match &item {
            Value::Nil => return Err(FuncError::message("index of nil pointer")),
            Value::List(list) => {
                let at = index_of(at, list.len())?;
                list.read_item(at);
                list.get(at)
                    .cloned()
                    .ok_or_else(|| FuncError::message("reflect: slice index out of range"))?
            }
            Value::Bytes(bytes) => {
                let byte = bytes.get(index_of(at, bytes.len())?).copied();
                byte_value(byte.ok_or_else(|| FuncError::message("reflect: slice index out of range"))?)
            }
            Value::String(text) => {
                let byte = text.get(index_of(at, text.len())?).copied();
                byte_value(byte.ok_or_else(|| FuncError::message("reflect: string index out of range"))?)
            }
            Value::Map(map) => match at {
                Value::String(key) => {
                    map.get(key).unwrap_or_else(|| Value::zero(map.type_of().elem.unwrap_or(&ANY)))
                }
                Value::Nil => return Err(FuncError::message("value is nil; should be of type string")),
                other => {
                    let message = format!("value has type {}; should be string", type_name(other));
                    return Err(FuncError::message(message));
                }
            },
            other => {
                return Err(FuncError::message(format!("can't index item of type {}", pointed(other))));
            }
        };
    }
    Ok(item)
}

fn byte_value(byte: u8) -> Value {
    Value::Uint(Kind::Uint8, u64::from(byte))
}

/// The type name of a value, of what it points at where it is a pointer.
fn pointed(value: &Value) -> &'static str {
    match value.type_of() {
        Some(TypeInfo { kind: Kind::Ptr, elem: Some(elem), .. }) => elem.name,
        Some(ty) => ty.name,
        None => "<nil>",
    }
}

fn print(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::string(sprint(args.all())?))
}

fn printf(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = sprintf(args.str(0)?, args.rest(1))?;
    Ok(Value::string(text))
}

fn println(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::string(sprintln(args.all())?))
}

/// The text of operands that are about to be escaped: pointers print what they point at, nil `<no value>`. A struct
/// is no field any more, and does without the `String` of its pointer.
fn operands_text(args: &Args<'_>) -> Result<Vec<u8>, FuncError> {
    let mut shown = Vec::with_capacity(args.len());
    for value in args.all() {
        shown.push(match value {
            Value::Nil => Value::string("<no value>"),
            Value::Object(object) if object.type_of().kind == Kind::Ptr => {
                let mut text = Vec::new();
                append_indirect(&mut text, value)?;
                Value::string(text)
            }
            value => value.clone(),
        });
    }
    sprint(&shown)
}

fn html(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = operands_text(args)?;
    let mut out = Vec::with_capacity(text.len());
    for &byte in &text {
        ctx.fits(out.len())?;
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(byte),
        }
    }
    Ok(Value::string(out))
}

fn js(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = operands_text(args)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while !rest.is_empty() {
        ctx.fits(out.len())?;
        let (c, len) = decode_rune(rest);
        match c {
            '\\' => out.extend_from_slice(br"\\"),
            '\'' => out.extend_from_slice(br"\'"),
            '"' => out.extend_from_slice(br#"\""#),
            '<' | '>' | '&' | '=' | '\0'..'\u{20}' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes());
            }
            c if c.is_ascii() || is_print(c) => out.extend_from_slice(&rest[..len]),
            c => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
        rest = &rest[len..];
    }
    Ok(Value::string(out))
}

/// `url.QueryEscape`.
fn urlquery(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = operands_text(args)?;
    let mut out = Vec::with_capacity(text.len());
    for &byte in &text {
        ctx.fits(out.len())?;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            byte => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(Value::string(out))
}
