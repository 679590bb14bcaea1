//! Regular expressions as Go has them.

mod syntax;

pub use syntax::RegexError;

use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::value::types::{INT, STRING, STRINGS};
use crate::helm::value::{List, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[&STRING, &STRING], |_, args| {
        Ok(compiled(args.str(0)?).is_ok_and(|regex| regex.find_at(args.text(), 0).is_some()).into())
    }),
    Function::new("mustRegexMatch", &[&STRING, &STRING], |_, args| {
        Ok(must(args)?.find_at(args.text(), 0).is_some().into())
    }),
    Function::new("regexFind", &[&STRING, &STRING], |_, args| Ok(find(&*panicking(args)?, args))),
    Function::new("mustRegexFind", &[&STRING, &STRING], |_, args| Ok(find(&*must(args)?, args))),
    Function::new("regexFindAll", &[&STRING, &STRING, &INT], |ctx, args| {
        find_all(ctx, &*panicking(args)?, args)
    }),
    Function::new("mustRegexFindAll", &[&STRING, &STRING, &INT], |ctx, args| {
        find_all(ctx, &*must(args)?, args)
    }),
    Function::new("regexReplaceAll", &[&STRING, &STRING, &STRING], |ctx, args| {
        replace(ctx, &*panicking(args)?, args, true)
    }),
    Function::new("mustRegexReplaceAll", &[&STRING, &STRING, &STRING], |ctx, args| {
        replace(ctx, &*must(args)?, args, true)
    }),
    Function::new("regexReplaceAllLiteral", &[&STRING, &STRING, &STRING], |ctx, args| {
        replace(ctx, &*panicking(args)?, args, false)
    }),
    Function::new("mustRegexReplaceAllLiteral", &[&STRING, &STRING, &STRING], |ctx, args| {
        replace(ctx, &*must(args)?, args, false)
    }),
    Function::new("regexSplit", &[&STRING, &STRING, &INT], |ctx, args| split(ctx, &*panicking(args)?, args)),
    Function::new("mustRegexSplit", &[&STRING, &STRING, &INT], |ctx, args| split(ctx, &*must(args)?, args)),
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

/// Memory that one compiled expression may take.
const SIZE_LIMIT: usize = 64 << 20;
/// Compiled expressions kept for the next call.
const CACHED: usize = 256;

/// A compiled expression.
#[derive(Debug)]
pub struct GoRegex {
    regex: regex::bytes::Regex,
    names: Vec<Option<String>>,
    empty: bool,
}

impl GoRegex {
    /// `regexp.Compile`.
    pub fn new(source: &[u8]) -> Result<Self, RegexError> {
        let (translated, names) = syntax::translate(source)?;
        let regex = regex::bytes::RegexBuilder::new(&translated)
            .size_limit(SIZE_LIMIT)
            .nest_limit(5000)
            .build()
            .map_err(|_too_large| syntax::too_large(&String::from_utf8_lossy(source)))?;
        Ok(Self { regex, names, empty: source.is_empty() })
    }

    /// The first match at or after a place.
    pub fn find_at(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        self.regex.find_at(text, from).map(|found| (found.start(), found.end()))
    }

    /// `FindAllStringIndex`: an empty match right after another one does not count.
    fn find_all(&self, text: &[u8], limit: i64) -> Vec<(usize, usize)> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let (mut at, mut last_end) = (0, None);
        while found.len() < limit && at <= text.len() {
            let Some((start, end)) = self.find_at(text, at) else {
                break;
            };
            let accepted = end != at || last_end != Some(start);
            at = if end == at { at + rune_width(&text[at..]) } else { end };
            last_end = Some(end);
            if accepted {
                found.push((start, end));
            }
        }
        found
    }
}

/// The width of the rune at the front, 1 at the end.
fn rune_width(text: &[u8]) -> usize {
    if text.is_empty() { 1 } else { strconv::decode_rune(text).1 }
}

type Cache = BTreeMap<Vec<u8>, Result<Rc<GoRegex>, RegexError>>;

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache::new()) };
}

fn compiled(source: &[u8]) -> Result<Rc<GoRegex>, RegexError> {
    CACHE.with_borrow_mut(|cache| {
        if let Some(known) = cache.get(source) {
            return known.clone();
        }
        if cache.len() >= CACHED {
            cache.clear();
        }
        let regex = GoRegex::new(source).map(Rc::new);
        cache.insert(source.to_vec(), regex.clone());
        regex
    })
}

/// For functions that return the error.
fn must(args: &Args<'_>) -> Result<Rc<GoRegex>, FuncError> {
    compiled(args.str(0)?).map_err(|RegexError(text)| FuncError::message(text))
}

/// For functions that panic with it (`regexp.MustCompile`).
fn panicking(args: &Args<'_>) -> Result<Rc<GoRegex>, FuncError> {
    let source = args.str(0)?;
    compiled(source).map_err(|RegexError(text)| {
        let raw = std::str::from_utf8(source).is_ok_and(|s| {
            s.chars().all(|c| c != '`' && c != '\u{feff}' && (c == '\t' || c >= ' ' && c != '\u{7f}'))
        });
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

fn find(regex: &GoRegex, args: &Args<'_>) -> Value {
    let text = args.text();
    regex.find_at(text, 0).map_or_else(|| "".into(), |(start, end)| Value::String(text[start..end].into()))
}

fn strings(ctx: &mut Ctx<'_>, parts: &[&[u8]]) -> Result<Value, FuncError> {
    ctx.charge(parts.len().saturating_mul(size_of::<Value>()))?;
    Ok(Value::strings(parts.iter().copied()))
}

fn find_all(ctx: &mut Ctx<'_>, regex: &GoRegex, args: &Args<'_>) -> Result<Value, FuncError> {
    let text = args.text();
    let found = regex.find_all(text, args.int(2)?);
    if found.is_empty() {
        return Ok(List::nil(&STRINGS).into());
    }
    let parts: Vec<&[u8]> = found.iter().map(|&(start, end)| &text[start..end]).collect();
    strings(ctx, &parts)
}

fn split(ctx: &mut Ctx<'_>, regex: &GoRegex, args: &Args<'_>) -> Result<Value, FuncError> {
    let (text, limit) = (args.text(), args.int(2)?);
    if limit == 0 {
        return Ok(List::nil(&STRINGS).into());
    }
    if !regex.empty && text.is_empty() {
        return strings(ctx, &[b""]);
    }
    let full = |parts: &Vec<_>| usize::try_from(limit).is_ok_and(|limit| parts.len() + 1 == limit);
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for (start, stop) in regex.find_all(text, limit) {
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

fn replace(ctx: &mut Ctx<'_>, regex: &GoRegex, args: &Args<'_>, expand: bool) -> Result<Value, FuncError> {
    let (text, template) = (args.text(), args.str(2)?);
    let expands = expand && template.contains(&b'$');
    let mut out = Vec::new();
    let (mut last_end, mut at, mut changed, mut charged) = (0, 0, false, 0);
    let mut locations = regex.regex.capture_locations();
    while at <= text.len() {
        let found = if expands {
            regex.regex.captures_read_at(&mut locations, text, at).map(|m| (m.start(), m.end()))
        } else {
            regex.find_at(text, at)
        };
        let Some((start, end)) = found else {
            break;
        };
        changed = true;
        out.extend_from_slice(&text[last_end..start]);
        // Not for an empty match right after another match.
        if end > last_end || start == 0 {
            if expands {
                expand_template(&regex.names, template, text, &locations, &mut out);
            } else {
                out.extend_from_slice(template);
            }
            ctx.charge(out.len() - charged)?;
            charged = out.len();
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
fn expand_template(
    names: &[Option<String>],
    template: &[u8],
    text: &[u8],
    locations: &regex::bytes::CaptureLocations,
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
            if let Some((start, end)) = locations.get(index) {
                out.extend_from_slice(&text[start..end]);
            }
            continue;
        }
        for (index, known) in names.iter().enumerate() {
            if known.as_ref().is_some_and(|known| known.as_bytes() == name)
                && let Some((start, end)) = locations.get(index)
            {
                out.extend_from_slice(&text[start..end]);
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
        let (rune, width) = strconv::decode_rune(&body[end..]);
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
    use super::*;

    fn error(source: &str) -> String {
        String::from_utf8(GoRegex::new(source.as_bytes()).unwrap_err().0).unwrap()
    }

    fn all(source: &str, text: &str) -> Vec<String> {
        let regex = GoRegex::new(source.as_bytes()).unwrap();
        regex.find_all(text.as_bytes(), -1).into_iter().map(|(a, b)| text[a..b].to_owned()).collect()
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

    #[test]
    fn classes_are_ascii_and_odd_characters_plain() {
        assert_eq!(all(r"\w+", "a\u{e9}b_1 \u{663}"), ["a", "b_1"]);
        assert_eq!(all(r"[a&&b]+", "a&b"), ["a&b"]);
        assert_eq!(all(r"\<a{,2}", "<a{,2}"), ["<a{,2}"]);
        assert_eq!(all(r"\Qa.b\E+", "a.bb a-b"), ["a.bb"]);
        assert_eq!(all("a*", "baac"), ["", "aa", ""]);
        assert_eq!(all(r"[\d[:alpha:]\-\]]+", "a1-]."), ["a1-]"]);
        assert_eq!(all(r"\x{48}\151\x21", "Hi!"), ["Hi!"]);
    }
}
