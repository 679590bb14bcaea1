//! Conversions between types, and `size`.

use super::{Function, Tools, both, global, length, size_of, wants};
use crate::expr::data::{Val, double_text};
use crate::expr::fault::Fault;
use crate::expr::net::{Cidr, parse_ip};
use crate::expr::time::{Timestamp, duration_text, parse_duration};
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    both("size", 1, 1, "size(x)", size),
    global("int", 1, 1, "int(x)", to_int),
    global("uint", 1, 1, "uint(x)", to_uint),
    global("double", 1, 1, "double(x)", to_double),
    global("string", 1, 1, "string(x)", to_string),
    global("bytes", 1, 1, "bytes('text')", to_bytes),
    global("bool", 1, 1, "bool('true')", to_bool),
    global("dyn", 1, 1, "dyn(x)", |_, args| Ok(args[0].clone())),
    global("type", 1, 1, "type(x)", |_, args| Ok(Val::Type(args[0].type_name()))),
    global("duration", 1, 1, "duration('1h30m')", to_duration),
    global("timestamp", 1, 1, "timestamp('2026-01-31T12:00:00Z')", to_timestamp),
];

fn size<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    Ok(Val::Int(match &args[0] {
        Val::String(text) => length(text.chars().count()),
        Val::Bytes(bytes) => length(bytes.len()),
        Val::List(list) => length(list.len()),
        Val::Map(map) => size_of(map),
        other => return Err(wants("a string, a list, a map or bytes", other)),
    }))
}

fn beyond(number: &str, kind: &str) -> Fault {
    Fault::overflow(format!("{number} does not fit {kind} of 64 bits"))
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked, and the fraction is to be cut off")]
fn to_int<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let kind = "a signed integer";
    Ok(Val::Int(match &args[0] {
        Val::Int(number) => *number,
        Val::Uint(number) => i64::try_from(*number).map_err(|_error| beyond(&number.to_string(), kind))?,
        Val::Double(number) => {
            // the ends are refused, as in cel-go: doubles near them are no exact integers
            if *number > -9_223_372_036_854_775_808.0 && *number < 9_223_372_036_854_775_807.0 {
                *number as i64
            } else {
                return Err(beyond(&double_text(*number), kind));
            }
        }
        Val::String(text) => text.parse().map_err(|_error| {
            Fault::of_value(format!("\"{text}\" is no integer"))
                .help("use `double(x)` for a number with a fraction")
        })?,
        Val::Timestamp(time) => time.seconds,
        Val::Duration(nanos) => *nanos,
        other => return Err(wants("a number, a string, a timestamp or a duration", other)),
    }))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn to_uint<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let kind = "an unsigned integer";
    Ok(Val::Uint(match &args[0] {
        Val::Uint(number) => *number,
        Val::Int(number) => u64::try_from(*number).map_err(|_error| beyond(&number.to_string(), kind))?,
        Val::Double(number) => {
            if *number >= 0.0 && *number < 18_446_744_073_709_551_615.0 {
                *number as u64
            } else {
                return Err(beyond(&double_text(*number), kind));
            }
        }
        // Without a sign: Rust would take a plus.
        Val::String(text) => text
            .parse()
            .ok()
            .filter(|_| !text.starts_with('+'))
            .ok_or_else(|| Fault::of_value(format!("\"{text}\" is no unsigned integer")))?,
        other => return Err(wants("a number or a string", other)),
    }))
}

#[allow(clippy::cast_precision_loss, reason = "the nearest double is meant")]
fn to_double<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    Ok(Val::Double(match &args[0] {
        Val::Double(number) => *number,
        Val::Int(number) => *number as f64,
        Val::Uint(number) => *number as f64,
        Val::String(text) => {
            text.parse().map_err(|_error| Fault::of_value(format!("\"{text}\" is no number")))?
        }
        other => return Err(wants("a number or a string", other)),
    }))
}

/// The text of a value that has one.
pub(super) fn text_of(val: &Val<'_>) -> Option<Arc<str>> {
    Some(match val {
        Val::String(text) => Arc::clone(text),
        Val::Int(number) => number.to_string().into(),
        Val::Uint(number) => number.to_string().into(),
        Val::Double(number) => double_text(*number).into(),
        Val::Bool(truth) => truth.to_string().into(),
        Val::Timestamp(time) => time.text().into(),
        Val::Duration(nanos) => duration_text(*nanos).into(),
        Val::Ip(address) => address.to_string().into(),
        Val::Cidr(net) => net.text().into(),
        Val::Url(url) => url.text.as_str().into(),
        Val::Quantity(quantity) => quantity.text().into(),
        Val::Semver(version) => version.text().into(),
        Val::Type(name) => Arc::from(*name),
        _ => return None,
    })
}

fn to_string<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    if let Val::Bytes(bytes) = &args[0] {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Val::text(text)),
            Err(_) => Err(Fault::of_value("these bytes are no UTF-8 text").help("use `base64.encode(...)`")),
        };
    }
    text_of(&args[0]).map(Val::String).ok_or_else(|| {
        let fault = wants("a scalar", &args[0]);
        match args[0] {
            Val::List(_) | Val::Map(_) => {
                fault.help("use `yaml(x)` or `json(x)` for text that holds data, or `list.join(',')`")
            }
            _ => fault,
        }
    })
}

fn to_bytes<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    match &args[0] {
        Val::Bytes(bytes) => Ok(Val::Bytes(Arc::clone(bytes))),
        Val::String(text) => Ok(Val::Bytes(text.as_bytes().into())),
        other => Err(wants("a string", other)),
    }
}

fn to_bool<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    match &args[0] {
        Val::Bool(truth) => Ok(Val::Bool(*truth)),
        Val::String(text) => match text.as_ref() {
            "1" | "t" | "true" | "T" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "false" | "F" | "FALSE" | "False" => Ok(Val::Bool(false)),
            _ => Err(Fault::of_value(format!("\"{text}\" is no boolean"))),
        },
        other => Err(wants("a string", other)),
    }
}

fn to_duration<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    match &args[0] {
        Val::Duration(nanos) => Ok(Val::Duration(*nanos)),
        Val::String(text) => parse_duration(text).map(Val::Duration).ok_or_else(|| {
            Fault::of_value(format!("\"{text}\" is no duration"))
                .help("units are h, m, s, ms, us and ns: `1h30m`")
        }),
        other => Err(wants("a string", other)),
    }
}

fn to_timestamp<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    match &args[0] {
        Val::Timestamp(time) => Ok(Val::Timestamp(*time)),
        Val::Int(seconds) => Timestamp::new(*seconds, 0)
            .map(Val::Timestamp)
            .ok_or_else(|| beyond(&seconds.to_string(), "a timestamp")),
        Val::String(text) => Timestamp::parse(text).map(Val::Timestamp).ok_or_else(|| {
            Fault::of_value(format!("\"{text}\" is no timestamp")).help("write it as `2026-01-31T12:00:00Z`")
        }),
        other => Err(wants("a string", other)),
    }
}

/// An address, from its value or its text.
pub(super) fn address(val: &Val<'_>) -> Result<std::net::IpAddr, Fault> {
    match val {
        Val::Ip(address) => Ok(*address),
        Val::String(text) => parse_ip(text).ok_or_else(|| {
            Fault::of_value(format!("\"{text}\" is no IP address"))
                .help("it has no prefix length and no leading zeros")
        }),
        other => Err(wants("an IP address", other)),
    }
}

/// A network, from its value or its text.
pub(super) fn network(val: &Val<'_>) -> Result<Cidr, Fault> {
    match val {
        Val::Cidr(net) => Ok(*net),
        Val::String(text) => Cidr::parse(text).ok_or_else(|| {
            Fault::of_value(format!("\"{text}\" is no CIDR")).help("write it as `10.0.0.0/16`")
        }),
        other => Err(wants("a CIDR", other)),
    }
}
