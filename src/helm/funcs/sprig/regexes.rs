//! Regular expressions as Go has them.

mod program;

use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::value::types::{INT, STRING, STRINGS};
use crate::helm::value::{List, Value};
use crate::pattern::RegexError;
use program::{Program, Refused, Subject, compiled, rune_width};
use std::rc::Rc;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[&STRING, &STRING], |ctx, args| match compiled(ctx, args.str(0)?) {
        Ok(regex) => matches(ctx, &regex, args),
        Err(Refused::Syntax(_)) => Ok(false.into()),
        Err(Refused::Limit(error)) => Err(error),
    }),
    Function::new("mustRegexMatch", &[&STRING, &STRING], |ctx, args| {
        let regex = must(ctx, args)?;
        matches(ctx, &regex, args)
    }),
    Function::new("regexFind", &[&STRING, &STRING], |ctx, args| {
        let regex = panicking(ctx, args)?;
        find(ctx, &regex, args)
    }),
    Function::new("mustRegexFind", &[&STRING, &STRING], |ctx, args| {
        let regex = must(ctx, args)?;
        find(ctx, &regex, args)
    }),
    Function::new("regexFindAll", &[&STRING, &STRING, &INT], |ctx, args| {
        let regex = panicking(ctx, args)?;
        find_all(ctx, &regex, args)
    }),
    Function::new("mustRegexFindAll", &[&STRING, &STRING, &INT], |ctx, args| {
        let regex = must(ctx, args)?;
        find_all(ctx, &regex, args)
    }),
    Function::new("regexReplaceAll", &[&STRING, &STRING, &STRING], |ctx, args| {
        let regex = panicking(ctx, args)?;
        replace(ctx, &regex, args, true)
    }),
    Function::new("mustRegexReplaceAll", &[&STRING, &STRING, &STRING], |ctx, args| {
        let regex = must(ctx, args)?;
        replace(ctx, &regex, args, true)
    }),
    Function::new("regexReplaceAllLiteral", &[&STRING, &STRING, &STRING], |ctx, args| {
        let regex = panicking(ctx, args)?;
        replace(ctx, &regex, args, false)
    }),
    Function::new("mustRegexReplaceAllLiteral", &[&STRING, &STRING, &STRING], |ctx, args| {
        let regex = must(ctx, args)?;
        replace(ctx, &regex, args, false)
    }),
    Function::new("regexSplit", &[&STRING, &STRING, &INT], |ctx, args| {
        let regex = panicking(ctx, args)?;
        split(ctx, &regex, args)
    }),
    Function::new("mustRegexSplit", &[&STRING, &STRING, &INT], |ctx, args| {
        let regex = must(ctx, args)?;
        split(ctx, &regex, args)
    }),
    Function::new("regexQuoteMeta", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len().saturating_mul(2))?;
        let mut out = Vec::with_capacity(text.len() + 8);
        for &byte in text.iter() {
            if br"\.+*?()|[]{}^$".contains(&byte) {
                out.push(b'\\');
            }
            out.push(byte);
        }
        Ok(Value::String(out.into()))
    }),
];

/// For functions that return the error.
fn must(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Result<Rc<Program>, FuncError> {
    compiled(ctx, args.str(0)?).map_err(|refused| match refused {
        Refused::Syntax(RegexError(text)) => FuncError::message(text),
        Refused::Limit(error) => error,
    })
}

/// For functions that panic with it (`regexp.MustCompile`).
fn panicking(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Result<Rc<Program>, FuncError> {
    let source = args.str(0)?;
    compiled(ctx, source).map_err(|refused| {
        let text = match refused {
            Refused::Syntax(RegexError(text)) => text,
            Refused::Limit(error) => return error,
        };
        let raw = strconv::can_backquote(source);
        let quoted = if raw { [b"`".as_slice(), source, b"`"].concat() } else { strconv::quote(source) };
        FuncError::message([b"regexp: Compile(".as_slice(), &quoted, b"): ", &text].concat())
    })
}

trait Haystack {
    /// The second argument.
    fn text(&self) -> &[u8];
}

impl Haystack for Args<'_> {
    fn text(&self) -> &[u8] {
        self.value(1).as_str().map_or(&[], |text| text.as_bytes())
    }
}

fn matches(ctx: &mut Ctx<'_>, regex: &Program, args: &Args<'_>) -> Result<Value, FuncError> {
    Ok(regex.find_at(ctx, &Subject::new(args.text()), 0)?.is_some().into())
}

fn find(ctx: &mut Ctx<'_>, regex: &Program, args: &Args<'_>) -> Result<Value, FuncError> {
    let text = args.text();
    let found = regex.find_at(ctx, &Subject::new(text), 0)?;
    Ok(found.map_or_else(|| "".into(), |(start, end)| Value::String(text[start..end].into())))
}

fn strings(ctx: &mut Ctx<'_>, parts: &[&[u8]]) -> Result<Value, FuncError> {
    ctx.charge(parts.len().saturating_mul(size_of::<Value>()))?;
    Ok(Value::strings(parts.iter().copied()))
}

fn find_all(ctx: &mut Ctx<'_>, regex: &Program, args: &Args<'_>) -> Result<Value, FuncError> {
    let text = args.text();
    let found = regex.find_all(ctx, text, args.int(2)?)?;
    if found.is_empty() {
        return Ok(List::nil(&STRINGS).into());
    }
    let parts: Vec<&[u8]> = found.iter().map(|&(start, end)| &text[start..end]).collect();
    strings(ctx, &parts)
}

fn split(ctx: &mut Ctx<'_>, regex: &Program, args: &Args<'_>) -> Result<Value, FuncError> {
    let (text, limit) = (args.text(), args.int(2)?);
    if limit == 0 {
        return Ok(List::nil(&STRINGS).into());
    }
    if !regex.is_empty() && text.is_empty() {
        return strings(ctx, &[b""]);
    }
    let full = |parts: &Vec<_>| usize::try_from(limit).is_ok_and(|limit| parts.len() + 1 == limit);
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for (start, stop) in regex.find_all(ctx, text, limit)? {
        if full(&parts) {
            break;
        }
        end = start;
        if stop != 0 {
            parts.push(&text[begin..end]);
        }
        begin = stop;
    }
    if end != text.len() {
        parts.push(&text[begin..]);
    }
    strings(ctx, &parts)
}

fn replace(ctx: &mut Ctx<'_>, regex: &Program, args: &Args<'_>, expand: bool) -> Result<Value, FuncError> {
    let (text, template) = (args.text(), args.str(2)?);
    let expands = expand && template.contains(&b'$');
    let mut out = Vec::new();
    let (mut last_end, mut at, mut changed, mut charged) = (0, 0, false, 0_usize);
    let mut locations = if expands { Some(regex.capturing(ctx)?.capture_locations()) } else { None };
    let subject = Subject::new(text);
    while at <= text.len() {
        let found = match &mut locations {
            Some(locations) => regex.captures_at(ctx, locations, &subject, at)?,
            None => regex.find_at(ctx, &subject, at)?,
        };
        let Some((start, end)) = found else {
            break;
        };
        changed = true;
        out.extend_from_slice(&text[last_end..start]);
        // Not for an empty match right after another match.
        if end > last_end || start == 0 {
            if let Some(locations) = &locations {
                let group = |index| {
                    let (start, end) = locations.get(index)?;
                    text.get(subject.given_at(start)..subject.given_at(end))
                };
                expand_template(&regex.names, template, group, &mut out);
            } else {
                out.extend_from_slice(template);
            }
            ctx.charge_growth(out.len(), &mut charged)?;
        }
        last_end = end;
        let width = if at < text.len() { rune_width(&text[at..]) } else { 0 };
        at = if at + width > end {
            at + width
        } else if at + 1 > end {
            at + 1
        } else {
            end
        };
    }
    if !changed {
        return Ok(args.value(1).clone());
    }
    out.extend_from_slice(&text[last_end..]);
    Ok(Value::String(out.into()))
}

/// `Regexp.Expand`: `$1`, `$name` and `${name}`, where a name goes on as far as letters, digits and `_` do, so that
/// `$1W` is the group named `1W`. Groups that are not there give nothing; a `$` that begins nothing stays.
fn expand_template<'t>(
    names: &[Option<String>],
    template: &[u8],
    group: impl Fn(usize) -> Option<&'t [u8]>,
    out: &mut Vec<u8>,
) {
    let mut rest = template;
    while let Some(at) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if rest.get(1) == Some(&b'$') {
            out.push(b'$');
            rest = &rest[2..];
            continue;
        }
        let Some((name, after)) = group_name(rest) else {
            out.push(b'$');
            rest = &rest[1..];
            continue;
        };
        rest = after;
        let numeric = !name.is_empty()
            && name.iter().all(u8::is_ascii_digit)
            && (name.len() == 1 || name[0] != b'0')
            && name.len() <= 9;
        if numeric {
            let index = name.iter().fold(0, |n, d| n * 10 + usize::from(d - b'0'));
            out.extend_from_slice(group(index).unwrap_or_default());
            continue;
        }
        for (index, known) in names.iter().enumerate() {
            if known.as_ref().is_some_and(|known| known.as_bytes() == name)
                && let Some(text) = group(index)
            {
                out.extend_from_slice(text);
                break;
            }
        }
    }
    out.extend_from_slice(rest);
}

/// The name after a `$`, and what follows it.
fn group_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let braced = text.get(1) == Some(&b'{');
    let body = &text[if braced { 2 } else { 1 }..];
    let mut end = 0;
    while end < body.len() {
        let (rune, width) = strconv::valid_rune(&body[end..]);
        let word = rune.is_some_and(|c| {
            c == '_' || crate::helm::unicode::is_letter(c) || crate::helm::unicode::is_digit(c)
        });
        if !word {
            break;
        }
        end += width;
    }
    if end == 0 || braced && body.get(end) != Some(&b'}') {
        return None;
    }
    Some((&body[..end], &body[end + usize::from(braced)..]))
}

#[cfg(test)]
mod tests {
    use crate::pattern::{Groups, translate};

    fn error(source: &str) -> String {
        String::from_utf8(translate(source.as_bytes(), Groups::Ignore).unwrap_err().0).unwrap()
    }

    #[test]
    fn syntax_errors_have_gos_words() {
        for (source, words) in [
            ("a(b", "missing closing ): `a(b`"),
            ("a)b", "unexpected ): `a)b`"),
            ("[a", "missing closing ]: `[a`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("(a{100}){11}", "invalid repeat count: `{11}`"),
            (r"\y", r"invalid escape sequence: `\y`"),
            (r"\8", r"invalid escape sequence: `\8`"),
            (r"a\", "trailing backslash at end of expression: ``"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            (r"\p{Nope}", r"invalid character class range: `\p{Nope}`"),
            ("[[:nope:]]", "invalid character class range: `[:nope:]`"),
        ] {
            assert_eq!(error(source), format!("error parsing regexp: {words}"), "{source}");
        }
    }
}
