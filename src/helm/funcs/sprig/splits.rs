//! Texts to lists and maps of texts.

use super::cast::strings_of;
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::value::types::{ANY, INT, STRING, STRING_MAP};
use crate::helm::value::{Map, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("split", &[&STRING, &STRING], |ctx, args| {
        let parts = charged_pieces(ctx, args.str(1)?, args.str(0)?, None)?;
        numbered(&parts)
    }),
    Function::new("splitn", &[&STRING, &INT, &STRING], splitn),
    Function::new("splitList", &[&STRING, &STRING], |ctx, args| {
        Ok(Value::strings(charged_pieces(ctx, args.str(1)?, args.str(0)?, None)?))
    }),
    Function::new("toStrings", &[&ANY], |ctx, args| {
        let texts = strings_of(args.value(0))?;
        charge(ctx, texts.len())?;
        Ok(Value::strings(texts))
    }),
];

fn charge(ctx: &mut Ctx<'_>, items: usize) -> Result<(), FuncError> {
    ctx.charge(items.saturating_mul(size_of::<Value>()))
}

/// [`pieces`], accounted for before they are made.
fn charged_pieces<'a>(
    ctx: &mut Ctx<'_>,
    text: &'a [u8],
    separator: &[u8],
    limit: Option<usize>,
) -> Result<Vec<&'a [u8]>, FuncError> {
    ctx.charge(text.len())?;
    let count = match separator {
        [] => text.len(),
        separator => memchr::memmem::find_iter(text, separator).count() + 1,
    };
    charge(ctx, count.min(limit.unwrap_or(count)).saturating_mul(2))?;
    Ok(pieces(text, separator, limit))
}

/// `strings.SplitN`; `None` is no limit. An empty separator splits into runes.
fn pieces<'a>(text: &'a [u8], separator: &[u8], limit: Option<usize>) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    let full = |parts: &Vec<_>| limit.is_some_and(|limit| parts.len() + 1 >= limit);
    if separator.is_empty() {
        while !rest.is_empty() && !full(&parts) {
            let (piece, tail) = rest.split_at(strconv::valid_rune(rest).1);
            parts.push(piece);
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    let finder = memchr::memmem::Finder::new(separator);
    while !full(&parts) {
        let Some(at) = finder.find(rest) else {
            break;
        };
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

/// `_0`, `_1`, ...: a map of strings.
#[allow(clippy::unnecessary_wraps, reason = "the answer of a function")]
fn numbered(parts: &[&[u8]]) -> Result<Value, FuncError> {
    let entries =
        parts.iter().enumerate().map(|(at, part)| (format!("_{at}"), Value::String(Str::new(part))));
    Ok(Value::Map(Map::of(&STRING_MAP, entries)))
}

fn splitn(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (separator, limit, text) = (args.str(0)?, args.int(1)?, args.str(2)?);
    let parts = match limit {
        0 => Vec::new(),
        limit => charged_pieces(ctx, text, separator, usize::try_from(limit).ok())?,
    };
    numbered(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        assert_eq!(pieces(b"a,b,c", b",", Some(2)), [&b"a"[..], b"b,c"]);
        assert_eq!(pieces(b"", b",", None), [b""]);
        assert!(pieces(b"", b"", None).is_empty());
        assert_eq!(pieces("h\u{e9}y".as_bytes(), b"", Some(2)), ["h".as_bytes(), "\u{e9}y".as_bytes()]);
    }
}
