//! Text as words: cases, initials, abbreviations, wrapping (huandu/xstrings 1.5, Masterminds/goutils 1.1).

use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::unicode;
use crate::helm::value::types::{INT, STRING};
use crate::helm::value::{Str, Value, lossy};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abbrev", &[&INT, &STRING], |_, args| {
        let (width, text) = (args.int(0)?, args.str(1)?);
        Ok(if width < 4 { Value::String(text.clone()) } else { abbreviate(text, 0, width) })
    }),
    Function::new("abbrevboth", &[&INT, &INT, &STRING], |_, args| {
        let (left, right, text) = (args.int(0)?, args.int(1)?, args.str(2)?);
        let small = right < 4 || left > 0 && right < 7;
        Ok(if small { Value::String(text.clone()) } else { abbreviate(text, left, right) })
    }),
    Function::new("title", &[&STRING], title),
    Function::new("untitle", &[&STRING], untitle),
    Function::new("nospace", &[&STRING], |_, args| Ok(no_space(args.str(0)?))),
    Function::new("initials", &[&STRING], |_, args| Ok(initials(args.str(0)?))),
    Function::new("swapcase", &[&STRING], swap_case),
    Function::new("snakecase", &[&STRING], |_, args| Ok(separated(args.str(0)?, b'_'))),
    Function::new("kebabcase", &[&STRING], |_, args| Ok(separated(args.str(0)?, b'-'))),
    Function::new("camelcase", &[&STRING], |_, args| Ok(pascal_case(args.str(0)?))),
    Function::new("wrap", &[&INT, &STRING], |ctx, args| wrap(ctx, args.str(1)?, args.int(0)?, b"\n", false)),
    Function::new("wrapWith", &[&INT, &STRING, &STRING], |ctx, args| {
        let separator = args.str(1)?;
        let separator: &[u8] = if separator.is_empty() { b"\n" } else { separator };
        wrap(ctx, args.str(2)?, args.int(0)?, separator, true)
    }),
];

type Answer = Result<Value, FuncError>;

/// Cuts to `width` bytes with `...` at the end, and at the front too where `offset` is beyond 4. `width` is at
/// least 4, and at least 7 with an offset above 0.
fn abbreviate(text: &[u8], offset: i64, width: i64) -> Value {
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let len = text.len();
    if len <= width {
        return Value::String(Str::new(text));
    }
    let kept = width - 3;
    let offset = usize::try_from(offset).unwrap_or(0).min(len).min(len - kept);
    let cut = |text: &[u8], kept: usize| [&text[..kept], b"..."].concat();
    let out = if offset <= 4 {
        cut(text, kept)
    } else if width < 7 {
        Vec::new()
    } else if offset + kept < len {
        [b"...".as_slice(), &cut(&text[offset..], kept - 3)].concat()
    } else {
        [b"...", &text[len - kept..]].concat()
    };
    Value::String(out.into())
}

/// `strings.Title`: a letter after a separator. ASCII separators are all but letters, digits and `_`; beyond ASCII
/// only spaces are.
fn title(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut before = ' ';
    let separates = |c: char| {
        if c.is_ascii() {
            !(c.is_ascii_alphanumeric() || c == '_')
        } else {
            !unicode::is_letter(c) && !unicode::is_digit(c) && unicode::is_space(c)
        }
    };
    let text = lossy(args.str(0)?)
        .chars()
        .map(|c| {
            let first = separates(before);
            before = c;
            if first { unicode::to_title(c) } else { c }
        })
        .collect::<String>();
    Ok(Value::String(text.into()))
}

/// The first letter of every word in lower case.
fn untitle(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut first = true;
    let text = lossy(args.str(0)?)
        .chars()
        .map(|c| {
            if unicode::is_space(c) {
                first = true;
                c
            } else if std::mem::take(&mut first) {
                unicode::to_lower(c)
            } else {
                c
            }
        })
        .collect::<String>();
    Ok(Value::String(text.into()))
}

/// Goes by bytes and takes each for a character (goutils `DeleteWhiteSpace`), so that text beyond ASCII is garbled
/// where there is a space in it at all.
fn no_space(text: &Str) -> Value {
    let kept: String = text.iter().map(|&b| char::from(b)).filter(|&c| !unicode::is_space(c)).collect();
    if kept.chars().count() == text.len() { Value::String(text.clone()) } else { Value::String(kept.into()) }
}

/// By bytes taken for characters, as [`no_space`].
fn initials(text: &[u8]) -> Value {
    let mut gap = true;
    let mut out = String::new();
    for c in text.iter().map(|&b| char::from(b)) {
        if unicode::is_space(c) {
            gap = true;
        } else if std::mem::take(&mut gap) {
            out.push(c);
        }
    }
    Value::String(out.into())
}

fn swap_case(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut space = true;
    let text = lossy(args.str(0)?)
        .chars()
        .map(|c| {
            if unicode::is_upper(c) || unicode::is_title(c) {
                space = false;
                unicode::to_lower(c)
            } else if unicode::is_lower(c) {
                if std::mem::take(&mut space) { unicode::to_title(c) } else { unicode::to_upper(c) }
            } else {
                space = unicode::is_space(c);
                c
            }
        })
        .collect::<String>();
    Ok(Value::String(text.into()))
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || unicode::is_space(c)
}

/// `xstrings.ToPascalCase`.
fn pascal_case(text: &Str) -> Value {
    if text.is_empty() {
        return Value::String(Str::EMPTY);
    }
    let text = lossy(text);
    let mut chars = text.chars().peekable();
    let mut out = String::new();
    let mut current = '\0';
    let mut upper_run = false;
    for c in chars.by_ref() {
        current = c;
        if !is_connector(c) {
            upper_run = unicode::is_upper(c);
            current = unicode::to_upper(c);
            break;
        }
        out.push(c);
    }
    if chars.peek().is_none() {
        // Also where it was all connectors: the last one comes twice.
        out.push(current);
        return Value::String(out.into());
    }
    for next in chars {
        let before = current;
        current = next;
        if is_connector(current) && is_connector(before) {
            out.push(before);
            continue;
        }
        if is_connector(before) {
            upper_run = unicode::is_upper(current);
            current = unicode::to_upper(current);
        } else {
            if upper_run {
                if unicode::is_upper(current) {
                    current = unicode::to_lower(current);
                } else {
                    upper_run = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    Value::String(out.into())
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// Chinese characters are letters, but words of another kind (xstrings `isAlphabet`).
fn is_alphabet(c: char) -> bool {
    unicode::is_letter(c)
        && !matches!(c, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

/// The next valid rune, invalid bytes before it skipped (but in the width); `before` where there is none.
fn next_valid(text: &[u8], before: char) -> (char, usize) {
    let mut at = 0;
    while at < text.len() {
        let (rune, width) = strconv::valid_rune(&text[at..]);
        at += width;
        match rune {
            Some(rune) if rune != '\u{fffd}' => return (rune, at),
            _ => {}
        }
    }
    (before, at)
}

/// How far runes of a class go on.
fn run(text: &[u8], from: usize, first: char, class: impl Fn(char, usize) -> bool) -> usize {
    let (mut at, mut rune) = (from, first);
    while at < text.len() {
        let (next, width) = next_valid(&text[at..], rune);
        if !class(next, width) {
            break;
        }
        rune = next;
        at += width;
    }
    at
}

/// The word at the front, its kind, and what follows it.
fn next_word(text: &[u8]) -> (Word, &[u8], &[u8]) {
    let (first, width) = next_valid(text, '\u{fffd}');
    let small = |c: char, _: usize| is_alphabet(c) && !unicode::is_upper(c);
    let (kind, end) = if first == '\u{fffd}' {
        (Word::Invalid, width)
    } else if is_connector(first) {
        (Word::Connector, run(text, width, first, |c, _| is_connector(c)))
    } else if unicode::is_punct(first) {
        (Word::Punctuation, run(text, width, first, |c, _| unicode::is_punct(c)))
    } else if unicode::is_upper(first) {
        (Word::Upper, upper_word(text, first, width))
    } else if is_alphabet(first) {
        (Word::Alphabet, run(text, width, first, small))
    } else if unicode::is_number(first) {
        (Word::Number, run(text, width, first, |c, _| unicode::is_number(c)))
    } else {
        let other = |c: char, width: usize| {
            let known = is_connector(c) || is_alphabet(c) || unicode::is_number(c) || unicode::is_punct(c);
            width > 0 && !known
        };
        (Word::Other, run(text, width, first, other))
    };
    (kind, &text[..end], &text[end..])
}

/// `Word`, or a run of capitals without the one that begins the next word (`HTTPServer`).
fn upper_word(text: &[u8], first: char, width: usize) -> usize {
    if width == text.len() {
        return width;
    }
    let (second, second_width) = next_valid(&text[width..], first);
    let second_end = width + second_width;
    if unicode::is_upper(second) {
        let (mut end, mut last, mut rune) = (second_end, second_width, second);
        while end < text.len() {
            let (next, next_width) = next_valid(&text[end..], rune);
            rune = next;
            if !unicode::is_upper(next) {
                break;
            }
            last = next_width;
            end += next_width;
        }
        if end < text.len() && is_alphabet(rune) { end - last } else { end }
    } else if is_alphabet(second) {
        run(text, second_end, second, |c, _| is_alphabet(c) && !unicode::is_upper(c))
    } else {
        width
    }
}

fn push_word(out: &mut Vec<u8>, kind: Word, word: &[u8], connector: u8) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.extend_from_slice(word);
        return;
    }
    for rune in strconv::runes(word).map(|rune| rune.unwrap_or('\u{fffd}')) {
        if is_connector(rune) {
            out.push(connector);
        } else {
            let rune = if unicode::is_upper(rune) { unicode::to_lower(rune) } else { rune };
            out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// `xstrings.ToSnakeCase` and `ToKebabCase`: a number belongs to the word before or after it by what follows.
fn separated(text: &Str, connector: u8) -> Value {
    let mut out = Vec::with_capacity(text.len() + 8);
    let (mut kind, mut word, mut rest) = next_word(text);
    let starts_word = |kind: Word| !matches!(kind, Word::Connector | Word::Punctuation);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_word(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Word::Number => {}
            Word::Connector => {
                push_word(&mut out, before, last, connector);
                continue;
            }
            Word::Punctuation => continue,
            _ => {
                if kind != Word::Number {
                    if starts_word(kind) {
                        out.push(connector);
                    }
                    continue;
                }
                if rest.is_empty() {
                    continue;
                }
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    push_word(&mut out, Word::Number, number, connector);
                    if starts_word(kind) {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push_word(&mut out, Word::Number, number, connector);
            }
        }
        while matches!(kind, Word::Alphabet | Word::Number) && !word.is_empty() {
            push_word(&mut out, kind, word, connector);
            (kind, word, rest) = next_word(rest);
        }
        if starts_word(kind) && kind != Word::Invalid {
            out.push(connector);
        }
    }
    push_word(&mut out, kind, word, connector);
    Value::String(out.into())
}

/// Breaks lines at spaces so that they are at most `width` bytes; words longer than that are cut where `cut`.
fn wrap(ctx: &mut Ctx<'_>, text: &[u8], width: i64, separator: &[u8], cut: bool) -> Answer {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    ctx.charge(text.len().saturating_add((text.len() / width + 1).saturating_mul(separator.len() + 1)))?;
    let mut out = Vec::new();
    let mut offset = 0;
    let mut line = |from: usize, to: usize| {
        out.extend_from_slice(&text[from..to]);
        out.extend_from_slice(separator);
    };
    while text.len() - offset > width {
        if text[offset] == b' ' {
            offset += 1;
            continue;
        }
        let end = offset + width;
        if let Some(space) = memchr::memrchr(b' ', &text[offset..=end]) {
            line(offset, offset + space);
            offset += space + 1;
        } else if cut {
            line(offset, end);
            offset = end;
        } else if let Some(space) = memchr::memchr(b' ', &text[end..]) {
            line(offset, end + space);
            offset = end + space + 1;
        } else {
            break;
        }
    }
    out.extend_from_slice(&text[offset..]);
    Ok(Value::String(out.into()))
}
