//! Functions of strings. Positions count code points.

use super::convert::text_of;
use super::{Function, Tools, int, length, list, member, text, wants, within};
use crate::expr::data::{Val, double_text};
use crate::expr::fault::Fault;
use std::fmt::Write;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    member("contains", 2, 2, "text.contains('part')", |_, args| {
        Ok(Val::Bool(text(&args[0])?.contains(text(&args[1])?.as_ref())))
    }),
    member("startsWith", 2, 2, "text.startsWith('start')", |_, args| {
        Ok(Val::Bool(text(&args[0])?.starts_with(text(&args[1])?.as_ref())))
    }),
    member("endsWith", 2, 2, "text.endsWith('end')", |_, args| {
        Ok(Val::Bool(text(&args[0])?.ends_with(text(&args[1])?.as_ref())))
    }),
    super::both("matches", 2, 2, "text.matches('^[a-z]+$')", |tools, args| {
        let regex = tools.regex(text(&args[1])?)?;
        Ok(Val::Bool(regex.is_match(text(&args[0])?)))
    }),
    member("find", 2, 2, "text.find('[0-9]+')", |tools, args| {
        let regex = tools.regex(text(&args[1])?)?;
        Ok(Val::text(regex.find(text(&args[0])?).map_or("", |found| found.as_str())))
    }),
    member("findAll", 2, 3, "text.findAll('[0-9]+')", find_all),
    member("lowerAscii", 1, 1, "text.lowerAscii()", |_, args| {
        Ok(Val::text(text(&args[0])?.to_ascii_lowercase()))
    }),
    member("upperAscii", 1, 1, "text.upperAscii()", |_, args| {
        Ok(Val::text(text(&args[0])?.to_ascii_uppercase()))
    }),
    member("trim", 1, 1, "text.trim()", |_, args| Ok(Val::text(text(&args[0])?.trim()))),
    member("charAt", 2, 2, "text.charAt(0)", char_at),
    member("substring", 2, 3, "text.substring(start, end)", substring),
    member("replace", 3, 4, "text.replace('old', 'new')", replace),
    member("split", 2, 3, "text.split(',')", split),
    member("join", 1, 2, "list.join(',')", join),
    member("format", 2, 2, "'%s-%d'.format([text, number])", format),
    member("indexOf", 2, 3, "text.indexOf('part')", index_of),
    member("lastIndexOf", 2, 3, "text.lastIndexOf('part')", last_index_of),
    within("strings", "quote", 1, 1, "strings.quote(text)", |tools, args| {
        let text = text(&args[0])?;
        tools.budget.text(text.len() * 2)?;
        Ok(Val::text(quote(text)))
    }),
];

/// Where a search starts: past the end nothing is found.
fn start(index: i64) -> Result<usize, Fault> {
    usize::try_from(index).map_err(|_negative| Fault::of_value(format!("position {index} is negative")))
}

/// Where a character stands: positions count code points.
fn position(index: i64, size: usize) -> Result<usize, Fault> {
    usize::try_from(index)
        .ok()
        .filter(|index| *index <= size)
        .ok_or_else(|| Fault::of_value(format!("position {index} is outside a text of {size} characters")))
}

fn find_all<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let regex = tools.regex(text(&args[1])?)?;
    let limit = match args.get(2) {
        Some(limit) => usize::try_from(int(limit)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let found: Vec<Val<'a>> =
        regex.find_iter(text(&args[0])?).take(limit).map(|m| Val::text(m.as_str())).collect();
    tools.budget.items(found.len())?;
    Ok(Val::list(found))
}

fn char_at<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let text = text(&args[0])?;
    let at = position(int(&args[1])?, text.chars().count())?;
    Ok(Val::text(text.chars().nth(at).map(String::from).unwrap_or_default()))
}

fn substring<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let text = text(&args[0])?;
    let size = text.chars().count();
    let start = position(int(&args[1])?, size)?;
    let end = match args.get(2) {
        Some(end) => position(int(end)?, size)?,
        None => size,
    };
    if start > end {
        return Err(Fault::of_value(format!("the start {start} lies behind the end {end}")));
    }
    Ok(Val::text(text.chars().skip(start).take(end - start).collect::<String>()))
}

fn replace<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let (whole, old, new) = (text(&args[0])?, text(&args[1])?, text(&args[2])?);
    let limit = match args.get(3) {
        Some(limit) => usize::try_from(int(limit)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let count = whole.matches(old.as_ref()).take(limit).count();
    tools.budget.text(whole.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(Val::text(whole.replacen(old.as_ref(), new, limit)))
}

fn split<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let (whole, separator) = (text(&args[0])?, text(&args[1])?);
    let limit = match args.get(2) {
        Some(limit) => int(limit)?,
        None => -1,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Val::list(Vec::new()));
    }
    let items: Vec<Val<'a>> = if separator.is_empty() {
        let mut items = Vec::new();
        let mut rest = whole.as_ref();
        while let Some(c) = rest.chars().next() {
            if items.len() + 1 == limit {
                items.push(Val::text(rest));
                rest = "";
            } else {
                items.push(Val::text(&rest[..c.len_utf8()]));
                rest = &rest[c.len_utf8()..];
            }
        }
        items
    } else {
        whole.splitn(limit, separator.as_ref()).map(Val::text).collect()
    };
    tools.budget.items(items.len())?;
    Ok(Val::list(items))
}

fn join<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let items = list(&args[0])?.items()?;
    let separator: &str = match args.get(1) {
        Some(separator) => text(separator)?,
        None => "",
    };
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let Val::String(item) = item else {
            let fault =
                Fault::of_type(format!("`join` takes a list of strings; item {index} is {}", item.noun()));
            return Err(fault.help("turn the items into text first: `.map(x, string(x))`"));
        };
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
        tools.budget.text(out.len())?;
    }
    Ok(Val::text(out))
}

fn index_of<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    if let Val::List(_) = &args[0] {
        return super::lists::index_of(tools, args, false);
    }
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    let from = args.get(2).map_or(Ok(0), int)?;
    if part.is_empty() {
        return Ok(Val::Int(from));
    }
    let Some((offset, _)) = whole.char_indices().nth(start(from)?) else { return Ok(Val::Int(-1)) };
    Ok(Val::Int(match whole[offset..].find(part.as_ref()) {
        Some(found) => length(whole[..offset + found].chars().count()),
        None => -1,
    }))
}

fn last_index_of<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    if let Val::List(_) = &args[0] {
        return super::lists::index_of(tools, args, true);
    }
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    let end = match args.get(2) {
        Some(from) => {
            let from = int(from)?;
            if part.is_empty() {
                return Ok(Val::Int(from));
            }
            let Some((offset, _)) = whole.char_indices().nth(start(from)?) else { return Ok(Val::Int(-1)) };
            let end = (offset + part.len()).min(whole.len());
            (offset..=end).rev().find(|end| whole.is_char_boundary(*end)).unwrap_or(offset)
        }
        None => whole.len(),
    };
    Ok(Val::Int(match whole[..end].rfind(part.as_ref()) {
        Some(found) => length(whole[..found].chars().count()),
        None => -1,
    }))
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// `printf` in CEL's form: `%s %d %f %e %b %x %X %o %%`.
fn format<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let pattern: Arc<str> = Arc::clone(text(&args[0])?);
    let items = list(&args[1])?.items()?;
    let mut items = items.iter().enumerate();
    let mut out = String::new();
    let mut rest = pattern.as_ref();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            precision = after[..digits].parse::<usize>().ok().filter(|p| *p <= 1000);
            if precision.is_none() {
                return Err(Fault::of_value("a precision in the format is no number up to 1000"));
            }
            rest = &after[digits..];
        }
        let Some(verb) = rest.chars().next() else {
            return Err(Fault::of_value("the format ends with `%`").help("write `%%` for a percent sign"));
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some((index, item)) = items.next() else {
            return Err(Fault::of_value("the format asks for more values than the list has"));
        };
        let done = one(verb, precision, item, &mut out)?;
        if !done {
            return Err(Fault::of_type(format!(
                "`%{verb}` does not take {}, which is value {index}",
                item.noun()
            )));
        }
        tools.budget.text(out.len())?;
    }
    out.push_str(rest);
    tools.budget.text(out.len())?;
    Ok(Val::text(out))
}

fn one(verb: char, precision: Option<usize>, item: &Val<'_>, out: &mut String) -> Result<bool, Fault> {
    let mut put = |args: std::fmt::Arguments<'_>| out.write_fmt(args).is_ok();
    let digits = precision.unwrap_or(6);
    Ok(match (verb, item) {
        ('s', item) => {
            let mut text = String::new();
            loose(item, &mut text, true, 0)?;
            put(format_args!("{text}"))
        }
        ('d', Val::Int(number)) => put(format_args!("{number}")),
        ('d', Val::Uint(number)) => put(format_args!("{number}")),
        ('d' | 'f' | 'e', Val::Double(number)) if !number.is_finite() => {
            put(format_args!("{}", infinite(*number)))
        }
        ('f', Val::Double(number)) => put(format_args!("{number:.digits$}")),
        ('f', Val::Int(number)) => put(format_args!("{number}.{:0<digits$}", "")),
        ('e', Val::Double(number)) => {
            let text = format!("{number:.digits$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            put(format_args!("{mantissa}e{sign}{exponent:0>2}"))
        }
        ('b', Val::Int(number)) => put(format_args!("{}{:b}", minus(*number), number.unsigned_abs())),
        ('b', Val::Uint(number)) => put(format_args!("{number:b}")),
        ('b', Val::Bool(truth)) => put(format_args!("{}", u8::from(*truth))),
        ('o', Val::Int(number)) => put(format_args!("{}{:o}", minus(*number), number.unsigned_abs())),
        ('o', Val::Uint(number)) => put(format_args!("{number:o}")),
        ('x', Val::Int(number)) => put(format_args!("{}{:x}", minus(*number), number.unsigned_abs())),
        ('X', Val::Int(number)) => put(format_args!("{}{:X}", minus(*number), number.unsigned_abs())),
        ('x', Val::Uint(number)) => put(format_args!("{number:x}")),
        ('X', Val::Uint(number)) => put(format_args!("{number:X}")),
        ('x', Val::String(text)) => text.bytes().all(|b| put(format_args!("{b:02x}"))),
        ('X', Val::String(text)) => text.bytes().all(|b| put(format_args!("{b:02X}"))),
        ('x', Val::Bytes(bytes)) => bytes.iter().all(|b| put(format_args!("{b:02x}"))),
        ('X', Val::Bytes(bytes)) => bytes.iter().all(|b| put(format_args!("{b:02X}"))),
        ('d' | 'f' | 'e' | 'b' | 'o' | 'x' | 'X', _) => false,
        _ => {
            return Err(Fault::of_value(format!("`%{verb}` means nothing in a format"))
                .help("there are `%s %d %f %e %b %o %x %X` and `%%`"));
        }
    })
}

fn minus(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

fn infinite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// The text of `%s`: lists and maps too, maps in the order of their keys.
fn loose(val: &Val<'_>, out: &mut String, outer: bool, depth: usize) -> Result<(), Fault> {
    if out.len() > crate::expr::data::MAX_TEXT || depth > 200 {
        return Err(Fault::limit("this text is too long"));
    }
    match val {
        Val::Null => out.push_str("null"),
        Val::Double(number) if !number.is_finite() => out.push_str(infinite(*number)),
        Val::Double(number) => out.push_str(&double_text(*number)),
        Val::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Val::String(text) if outer => out.push_str(text),
        Val::List(list) => {
            out.push('[');
            for (index, item) in list.items()?.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                loose(item, out, true, depth + 1)?;
            }
            out.push(']');
        }
        Val::Map(map) => {
            out.push('{');
            let mut keys = map.keys();
            keys.sort();
            for (index, key) in keys.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                loose(&key.to_val(), out, true, depth + 1)?;
                out.push_str(": ");
                if let Some(item) = map.get(key) {
                    loose(&item?, out, true, depth + 1)?;
                }
            }
            out.push('}');
        }
        other => match text_of(other) {
            Some(text) => out.push_str(&text),
            None => return Err(wants("values with a text form", other)),
        },
    }
    Ok(())
}
