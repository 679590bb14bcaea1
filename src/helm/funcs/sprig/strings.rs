//! Text: trimming, cutting, quoting, indenting, replacing. Lengths are bytes, as Go's are.

use super::cast::{printed, strings_of, strval};
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::unicode;
use crate::helm::value::types::{ANY, INT, STRING};
use crate::helm::value::{Str, Value, lossy};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("hello", &[], |_, _| Ok("Hello!".into())),
    Function::new("trunc", &[&INT, &STRING], trunc),
    Function::new("trim", &[&STRING], |_, args| Ok(slice(unicode::trim(args.str(0)?)))),
    Function::new("upper", &[&STRING], |_, args| Ok(map_runes(args.str(0)?, unicode::to_upper))),
    Function::new("lower", &[&STRING], |_, args| Ok(map_runes(args.str(0)?, unicode::to_lower))),
    Function::new("substr", &[&INT, &INT, &STRING], substr),
    Function::new("repeat", &[&INT, &STRING], repeat),
    Function::new("trimall", &[&STRING, &STRING], trim_all),
    Function::new("trimAll", &[&STRING, &STRING], trim_all),
    Function::new("trimSuffix", &[&STRING, &STRING], trim_suffix),
    Function::new("trimPrefix", &[&STRING, &STRING], trim_prefix),
    Function::new("contains", &[&STRING, &STRING], contains),
    Function::new("hasPrefix", &[&STRING, &STRING], |_, args| {
        Ok(args.str(1)?.starts_with(args.str(0)?).into())
    }),
    Function::new("hasSuffix", &[&STRING, &STRING], |_, args| {
        Ok(args.str(1)?.ends_with(args.str(0)?).into())
    }),
    Function::variadic("quote", &[&ANY], quote),
    Function::variadic("squote", &[&ANY], squote),
    Function::variadic("cat", &[&ANY], cat),
    Function::new("indent", &[&INT, &STRING], |ctx, args| indent(ctx, args, b"")),
    Function::new("nindent", &[&INT, &STRING], |ctx, args| indent(ctx, args, b"\n")),
    Function::new("replace", &[&STRING, &STRING, &STRING], replace),
    Function::new("plural", &[&STRING, &STRING, &INT], |_, args| {
        Ok(args.take(usize::from(args.int(2)? != 1)))
    }),
    Function::new("toString", &[&ANY], |_, args| strval(args.value(0)).map(Value::String)),
    Function::new("join", &[&STRING, &ANY], join),
];

type Answer = Result<Value, FuncError>;

/// A part of a string as a string.
fn slice(bytes: &[u8]) -> Value {
    Value::String(Str::new(bytes))
}

/// What Go's runtime says of a slice expression that does not fit.
fn out_of_range(bounds: &str) -> FuncError {
    FuncError::message(format!("runtime error: slice bounds out of range {bounds}"))
}

/// `strings.Map`: every invalid byte becomes U+FFFD.
fn map_runes(text: &Str, change: fn(char) -> char) -> Value {
    if text.is_ascii() {
        return Value::String(text.iter().map(|&b| change(char::from(b))).collect::<String>().into());
    }
    Value::String(lossy(text).chars().map(change).collect::<String>().into())
}

/// `strings.TrimFunc`; an invalid byte counts as U+FFFD.
fn trim_matches(text: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let mut text = text;
    while !text.is_empty() {
        let (rune, width) = strconv::valid_rune(text);
        if !cut(rune.unwrap_or('\u{fffd}')) {
            break;
        }
        text = &text[width..];
    }
    while !text.is_empty() {
        let (rune, width) = last_rune(text);
        if !cut(rune.unwrap_or('\u{fffd}')) {
            break;
        }
        text = &text[..text.len() - width];
    }
    text
}

/// The last rune of a text that is not empty, and its width.
fn last_rune(text: &[u8]) -> (Option<char>, usize) {
    for width in (1..=text.len().min(4)).rev() {
        let tail = &text[text.len() - width..];
        if let (Some(rune), decoded) = strconv::valid_rune(tail)
            && decoded == width
        {
            return (Some(rune), width);
        }
    }
    (None, 1)
}

fn trunc(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (count, text) = (args.int(0)?, args.str(1)?);
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let place = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok(if count < 0 && len.saturating_add(count) > 0 {
        slice(&text[place(len + count)..])
    } else if count >= 0 && len > count {
        slice(&text[..place(count)])
    } else {
        Value::String(text.clone())
    })
}

fn substr(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (start, end, text) = (args.int(0)?, args.int(1)?, args.str(2)?);
    let len = text.len();
    let place = |n: i64| usize::try_from(n).ok();
    if start < 0 {
        return match place(end) {
            None => Err(out_of_range(&format!("[:{end}]"))),
            Some(end) if end > len => Err(out_of_range(&format!("[:{end}] with length {len}"))),
            Some(end) => Ok(slice(&text[..end])),
        };
    }
    let begin = place(start).unwrap_or(0);
    match place(end).filter(|&end| end <= len) {
        None if begin > len => Err(out_of_range(&format!("[{start}:{len}]"))),
        None => Ok(slice(&text[begin..])),
        Some(end) if begin > end => Err(out_of_range(&format!("[{start}:{end}]"))),
        Some(end) => Ok(slice(&text[begin..end])),
    }
}

/// A count for `strings.Repeat`.
fn repeat_count(count: i64) -> Result<usize, FuncError> {
    usize::try_from(count).map_err(|_negative| FuncError::message("strings: negative Repeat count"))
}

fn repeat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (count, text) = (repeat_count(args.int(0)?)?, args.str(1)?);
    let size = text
        .len()
        .checked_mul(count)
        .filter(|&size| i64::try_from(size).is_ok())
        .ok_or_else(|| FuncError::message("strings: Repeat output length overflow"))?;
    ctx.charge(size)?;
    Ok(Value::String(text.repeat(if text.is_empty() { 0 } else { count }).into()))
}

fn trim_all(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (cutset, text) = (lossy(args.str(0)?), args.str(1)?);
    Ok(slice(trim_matches(text, |c| cutset.contains(c))))
}

fn trim_suffix(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (suffix, text) = (args.str(0)?, args.str(1)?);
    Ok(text.strip_suffix(suffix.as_bytes()).map_or_else(|| Value::String(text.clone()), slice))
}

fn trim_prefix(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (prefix, text) = (args.str(0)?, args.str(1)?);
    Ok(text.strip_prefix(prefix.as_bytes()).map_or_else(|| Value::String(text.clone()), slice))
}

fn contains(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Ok(memchr::memmem::find(args.str(1)?, args.str(0)?).is_some().into())
}

fn quote(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut out = Vec::new();
    for value in args.all().iter().filter(|v| !matches!(v, Value::Nil)) {
        let text = strval(value)?;
        ctx.charge(text.len() + 3)?;
        if !out.is_empty() {
            out.push(b' ');
        }
        strconv::append_quote(&mut out, &text, false);
    }
    Ok(Value::String(out.into()))
}

fn squote(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut out = Vec::new();
    for value in args.all().iter().filter(|v| !matches!(v, Value::Nil)) {
        let text = printed(value)?;
        ctx.charge(text.len() + 3)?;
        if !out.is_empty() {
            out.push(b' ');
        }
        out.push(b'\'');
        out.extend_from_slice(&text);
        out.push(b'\'');
    }
    Ok(Value::String(out.into()))
}

fn cat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut out = Vec::new();
    let values = args.all().iter().filter(|v| !matches!(v, Value::Nil));
    for (at, value) in values.enumerate() {
        let text = printed(value)?;
        ctx.charge(text.len() + 1)?;
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&text);
    }
    Ok(Value::String(out.into()))
}

/// `indent`, and with a newline in front `nindent`: empty lines are indented too.
fn indent(ctx: &mut Ctx<'_>, args: &mut Args<'_>, lead: &[u8]) -> Answer {
    let (spaces, text) = (repeat_count(args.int(0)?)?, args.str(1)?);
    let breaks = memchr::memchr_iter(b'\n', text).count();
    let size = spaces.saturating_mul(breaks + 1).saturating_add(text.len() + lead.len());
    ctx.charge(size)?;
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(lead);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(&text[start..=end]);
        start = end + 1;
    }
    out.resize(out.len() + spaces, b' ');
    out.extend_from_slice(&text[start..]);
    Ok(Value::String(out.into()))
}

fn replace(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (old, new, text) = (args.str(0)?, args.str(1)?, args.str(2)?);
    if old == new {
        return Ok(Value::String(text.clone()));
    }
    if old.is_empty() {
        return replace_nothing(ctx, new, text);
    }
    let finder = memchr::memmem::Finder::new(old.as_bytes());
    let count = finder.find_iter(text).count();
    if count == 0 {
        return Ok(Value::String(text.clone()));
    }
    let size = (text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    ctx.charge(size)?;
    let mut out = Vec::with_capacity(size);
    let mut start = 0;
    for at in finder.find_iter(text) {
        out.extend_from_slice(&text[start..at]);
        out.extend_from_slice(new);
        start = at + old.len();
    }
    out.extend_from_slice(&text[start..]);
    Ok(Value::String(out.into()))
}

/// The empty text is found before every rune and at the end.
fn replace_nothing(ctx: &mut Ctx<'_>, new: &[u8], text: &[u8]) -> Answer {
    let count = strconv::runes(text).count() + 1;
    let size = text.len().saturating_add(count.saturating_mul(new.len()));
    ctx.charge(size)?;
    let mut out = Vec::with_capacity(size);
    let mut rest = text;
    while !rest.is_empty() {
        let (_, width) = strconv::valid_rune(rest);
        out.extend_from_slice(new);
        out.extend_from_slice(&rest[..width]);
        rest = &rest[width..];
    }
    out.extend_from_slice(new);
    Ok(Value::String(out.into()))
}

fn join(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (separator, texts) = (args.str(0)?.clone(), strings_of(args.value(1))?);
    let gaps = separator.len().saturating_mul(texts.len().saturating_sub(1));
    ctx.charge(texts.iter().fold(gaps, |sum, text| sum.saturating_add(text.len())))?;
    let parts: Vec<&[u8]> = texts.iter().map(Str::as_bytes).collect();
    Ok(Value::String(parts.join(separator.as_bytes()).into()))
}
