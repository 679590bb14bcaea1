//! Go's regular expression syntax (regexp/syntax 1.26), written again for the `regex` crate.
//!
//! Both are RE2's language and match in linear time, leftmost first. What differs is rewritten: `\d \s \w \b` are
//! ASCII in Go, `\<`, `&&` and `[` inside a class are plain characters there, `{` is one unless it is a count, `\Q..\E`
//! and octal escapes exist, counts end at 1000, and stacked repetitions are errors.

use regex::{Regex, RegexBuilder};
use std::fmt::Write as _;

/// Why an expression is refused; the text is Go's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError(pub Vec<u8>);

/// How much memory a compiled expression may take: as much as the largest that Go takes needs.
const LARGEST: usize = 128 << 20;
const MAX_COUNT: i64 = 1000;
const MAX_DEPTH: usize = 1000;

type Step<T> = Result<T, RegexError>;

fn fault(what: &str, expression: &str) -> RegexError {
    RegexError(format!("error parsing regexp: {what}: `{expression}`").into_bytes())
}

/// An expression that would need too much memory.
pub fn too_large(expression: &str) -> RegexError {
    fault("expression too large", expression)
}

/// The flags that groups change.
#[expect(clippy::struct_excessive_bools, reason = "each flag is on or off")]
#[derive(Copy, Clone, Default, PartialEq, Eq)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    ungreedy: bool,
}

impl Flags {
    fn write(self, out: &mut String) {
        let all = [(self.fold, 'i'), (self.multi_line, 'm'), (self.dot_newline, 's'), (self.ungreedy, 'U')];
        out.extend(all.iter().filter(|(on, _)| *on).map(|(_, c)| c));
        if all.iter().any(|(on, _)| !on) {
            out.push('-');
            out.extend(all.iter().filter(|(on, _)| !on).map(|(_, c)| c));
        }
    }
}

/// An open group: what to come back to when it closes.
struct Group {
    flags: Flags,
    start: usize,
    weight: i64,
}

struct Translator<'a> {
    whole: &'a str,
    rest: &'a str,
    out: String,
    flags: Flags,
    groups: Vec<Group>,
    /// Where the last atom starts in `out`, if there is one that may be repeated.
    atom: Option<usize>,
    /// The largest product of counts in the current group, and of the last atom.
    weight: i64,
    atom_weight: i64,
    /// Of the groups that capture, the whole match first.
    names: Vec<Option<String>>,
    /// What such a group begins with.
    opening: &'static str,
}

/// Whether the groups of a translation capture: what only searches is smaller and faster without.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Groups {
    /// They do.
    Capture,
    /// They do not.
    Ignore,
}

/// The same expression for the `regex` crate, without names, and the names of its groups. Two groups may have one
/// name in Go.
pub fn translate(source: &[u8], groups: Groups) -> Result<(String, Vec<Option<String>>), RegexError> {
    let Ok(whole) = std::str::from_utf8(source) else {
        let text = [b"error parsing regexp: invalid UTF-8: `".as_slice(), source, b"`"].concat();
        return Err(RegexError(text));
    };
    let mut translator = Translator {
        whole,
        rest: whole,
        out: String::with_capacity(whole.len() + 16),
        flags: Flags::default(),
        groups: Vec::new(),
        atom: None,
        weight: 1,
        atom_weight: 1,
        names: vec![None],
        opening: if groups == Groups::Capture { "(" } else { "(?:" },
    };
    translator.run()?;
    Ok((translator.out, translator.names))
}

/// The expression, to search with; `None` where Go refuses it, or where it would need more memory than any should.
pub fn compile(source: &str) -> Option<Regex> {
    let (translated, _) = translate(source.as_bytes(), Groups::Ignore).ok()?;
    RegexBuilder::new(&translated).size_limit(LARGEST).build().ok()
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() {
        out.push(c);
    } else {
        // Writing to a string does not fail.
        let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
    }
}

impl<'a> Translator<'a> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn begin_atom(&mut self) {
        self.atom = Some(self.out.len());
        self.atom_weight = 1;
    }

    fn atom(&mut self, text: &str) {
        self.begin_atom();
        self.out.push_str(text);
    }

    fn run(&mut self) -> Step<()> {
        let mut last_repeat: Option<&'a str> = None;
        while let Some(first) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = None;
            match first {
                '(' if before.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.rest = &before[1..];
                    self.names.push(None);
                    self.open(self.flags, self.opening)?;
                }
                '|' => {
                    self.rest = &before[1..];
                    self.out.push('|');
                    self.atom = None;
                }
                ')' => self.close()?,
                '^' | '$' | '.' => {
                    self.rest = &before[1..];
                    self.atom(&before[..1]);
                }
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.rest = &before[1..];
                    self.repeat(before, &before[..1], None, last_repeat)?;
                    repeat = Some(before);
                }
                '{' => match count(before) {
                    None => {
                        self.rest = &before[1..];
                        self.atom(r"\{");
                    }
                    Some((min, max, after)) => {
                        let text = &before[..before.len() - after.len()];
                        let open = max == -1;
                        if !(0..=MAX_COUNT).contains(&min) || max > MAX_COUNT || !open && min > max {
                            return Err(fault("invalid repeat count", text));
                        }
                        self.rest = after;
                        self.repeat(before, text, Some((min, max)), last_repeat)?;
                        repeat = Some(before);
                    }
                },
                '\\' => self.escape()?,
                c => {
                    self.rest = &before[c.len_utf8()..];
                    self.begin_atom();
                    literal(&mut self.out, c);
                }
            }
            last_repeat = repeat;
        }
        if self.groups.is_empty() { Ok(()) } else { Err(fault("missing closing )", self.whole)) }
    }

    fn open(&mut self, flags: Flags, text: &str) -> Step<()> {
        if self.groups.len() >= MAX_DEPTH {
            return Err(fault("expression nests too deeply", self.whole));
        }
        self.groups.push(Group { flags: self.flags, start: self.out.len(), weight: self.weight });
        self.weight = 1;
        self.flags = flags;
        self.out.push_str(text);
        self.atom = None;
        Ok(())
    }

    fn close(&mut self) -> Step<()> {
        let Some(group) = self.groups.pop() else {
            return Err(fault("unexpected )", self.whole));
        };
        self.rest = &self.rest[1..];
        self.out.push(')');
        self.flags = group.flags;
        self.atom = Some(group.start);
        self.atom_weight = self.weight;
        self.weight = self.weight.max(group.weight);
        Ok(())
    }

    /// A repetition of the last atom; `before` is the text from it on.
    fn repeat(
        &mut self,
        before: &'a str,
        text: &str,
        counts: Option<(i64, i64)>,
        last: Option<&'a str>,
    ) -> Step<()> {
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.rest = &self.rest[1..];
        }
        let until = |from: &'a str| &from[..from.len() - self.rest.len()];
        if let Some(last) = last {
            return Err(fault("invalid nested repetition operator", until(last)));
        }
        let Some(start) = self.atom else {
            return Err(fault("missing argument to repetition operator", until(before)));
        };
        if let Some((min, max)) = counts
            && (min >= 2 || max >= 2)
        {
            let times = if max < 0 { min } else { max };
            self.atom_weight = self.atom_weight.saturating_mul(times.max(1));
            if self.atom_weight > MAX_COUNT {
                return Err(fault("invalid repeat count", until(before)));
            }
            self.weight = self.weight.max(self.atom_weight);
        }
        // Repeating twice (`(?:a*)*` written as `a*(?i)*`) needs the first one closed.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        self.out.push_str(text);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)`, `(?flags:`.
    fn perl_group(&mut self) -> Step<()> {
        let start = self.rest;
        let named = if start.len() > 4 && start.starts_with("(?P<") {
            Some(4)
        } else if start.len() > 3 && start.starts_with("(?<") {
            Some(3)
        } else {
            None
        };
        if let Some(from) = named {
            let Some(end) = start.find('>') else {
                return Err(fault("invalid named capture", start));
            };
            let name = &start[from..end];
            let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                return Err(fault("invalid named capture", &start[..=end]));
            }
            self.rest = &start[end + 1..];
            self.names.push(Some(name.to_owned()));
            return self.open(self.flags, self.opening);
        }
        self.rest = &start[2..];
        let (mut flags, mut on, mut seen) = (self.flags, true, false);
        while let Some(c) = self.next() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_newline = on,
                'U' => flags.ungreedy = on,
                '-' if on => {
                    on = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if on || seen => {
                    let mut text = String::from("(?");
                    flags.write(&mut text);
                    text.push(c);
                    if c == ':' {
                        return self.open(flags, &text);
                    }
                    self.flags = flags;
                    self.out.push_str(&text);
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        let end = start.len() - self.rest.len();
        Err(fault("invalid or unsupported Perl syntax", &start[..end]))
    }

    fn escape(&mut self) -> Step<()> {
        let start = self.rest;
        let simple = match start.as_bytes().get(1) {
            Some(b'A') => r"\A",
            Some(b'z') => r"\z",
            Some(b'b') => r"(?-u:\b)",
            Some(b'B') => r"(?-u:\B)",
            _ => "",
        };
        if !simple.is_empty() {
            self.rest = &start[2..];
            self.atom(simple);
            return Ok(());
        }
        if let Some(quoted) = start.strip_prefix(r"\Q") {
            let (text, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            for c in text.chars() {
                self.begin_atom();
                literal(&mut self.out, c);
            }
            self.rest = rest;
            return Ok(());
        }
        self.begin_atom();
        if let Some(class) = self.unicode_class()? {
            self.out.push_str(&class);
        } else if let Some((negated, set)) = self.perl_class() {
            let lead = if negated { "[^" } else { "[" };
            self.out.push_str(lead);
            self.out.push_str(set);
            self.out.push(']');
        } else {
            let c = self.character_escape()?;
            literal(&mut self.out, c);
        }
        Ok(())
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Step<Option<String>> {
        let start = self.rest;
        let Some(body) = start.strip_prefix(r"\p").or_else(|| start.strip_prefix(r"\P")) else {
            return Ok(None);
        };
        let mut negated = start.as_bytes()[1] == b'P';
        let (name, rest) = match body.chars().next() {
            None => return Err(fault("invalid character class range", start)),
            Some('{') => match body.find('}') {
                None => return Err(fault("invalid character class range", start)),
                Some(end) => (&body[1..end], &body[end + 1..]),
            },
            Some(c) => body.split_at(c.len_utf8()),
        };
        let text = &start[..start.len() - rest.len()];
        let name = name.strip_prefix('^').map_or(name, |name| {
            negated = !negated;
            name
        });
        let lead = if negated { 'P' } else { 'p' };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let class = ["gc", "sc"]
            .iter()
            .map(|kind| format!(r"\{lead}{{{kind}={name}}}"))
            .find(|class| plain && !name.is_empty() && Regex::new(class).is_ok())
            .ok_or_else(|| fault("invalid character class range", text))?;
        self.rest = rest;
        Ok(Some(class))
    }

    /// `\d` and its kind: whether negated, and the set.
    fn perl_class(&mut self) -> Option<(bool, &'static str)> {
        let letter = self.rest.strip_prefix('\\')?.chars().next()?;
        let set = match letter.to_ascii_lowercase() {
            'd' => "0-9",
            's' => r"\t\n\x0C\r\x20",
            'w' => "0-9A-Za-z_",
            _ => return None,
        };
        self.rest = &self.rest[2..];
        Some((letter.is_ascii_uppercase(), set))
    }

    /// One escaped character, after the classes have been tried.
    fn character_escape(&mut self) -> Step<char> {
        let start = self.rest;
        self.rest = &start[1..];
        let Some(c) = self.next() else {
            return Err(fault("trailing backslash at end of expression", ""));
        };
        let octal = |text: &str| text.bytes().next().filter(|b| (b'0'..=b'7').contains(b));
        let code = match c {
            'a' => Some(7),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            '0'..='7' if c == '0' || octal(self.rest).is_some() => {
                let mut code = u32::from(c) - u32::from('0');
                for _ in 0..2 {
                    if let Some(digit) = octal(self.rest) {
                        code = code * 8 + u32::from(digit - b'0');
                        self.rest = &self.rest[1..];
                    } else {
                        break;
                    }
                }
                Some(code)
            }
            'x' => self.hexadecimal(),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        if let Some(code) = code {
            // A surrogate is a rune in Go, that no text holds.
            Ok(char::from_u32(code).unwrap_or('\u{fffd}'))
        } else {
            let end = start.len() - self.rest.len();
            Err(fault("invalid escape sequence", &start[..end]))
        }
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let high = first.to_digit(16);
            let low = self.next().and_then(|c| c.to_digit(16));
            return Some(high? * 16 + low?);
        }
        let (mut code, mut digits) = (0u32, 0);
        loop {
            let c = self.next()?;
            if c == '}' {
                return (digits > 0).then_some(code);
            }
            code = code * 16 + c.to_digit(16)?;
            if code > 0x10_ffff {
                return None;
            }
            digits += 1;
        }
    }

    fn class(&mut self) -> Step<()> {
        let start = self.rest;
        self.begin_atom();
        self.rest = &start[1..];
        let mut set = String::from("[");
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            set.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            let here = self.rest;
            if here.len() > 2
                && here.starts_with("[:")
                && let Some(end) = here[2..].find(":]")
            {
                let name = &here[..end + 4];
                let inner = name[2..end + 2].trim_start_matches('^');
                if !POSIX.contains(&inner) || name[2..].starts_with("^^") {
                    return Err(fault("invalid character class range", name));
                }
                set.push_str(name);
                self.rest = &here[end + 4..];
                continue;
            }
            if let Some(class) = self.unicode_class()? {
                set.push_str(&class);
                continue;
            }
            if let Some((negated, inner)) = self.perl_class() {
                let _ = write!(set, "[{}{inner}]", if negated { "^" } else { "" });
                continue;
            }
            let low = self.class_character(start)?;
            let mut high = low;
            let bytes = self.rest.as_bytes();
            if bytes.len() >= 2 && bytes[0] == b'-' && bytes[1] != b']' {
                self.rest = &self.rest[1..];
                high = self.class_character(start)?;
                if high < low {
                    let text = &here[..here.len() - self.rest.len()];
                    return Err(fault("invalid character class range", text));
                }
            }
            let _ = write!(set, r"\x{{{:X}}}-\x{{{:X}}}", u32::from(low), u32::from(high));
        }
        self.rest = &self.rest[1..];
        set.push(']');
        self.out.push_str(&set);
        Ok(())
    }

    fn class_character(&mut self, whole: &str) -> Step<char> {
        if self.rest.starts_with('\\') {
            return self.character_escape();
        }
        self.next().ok_or_else(|| fault("missing closing ]", whole))
    }
}

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// `{min}`, `{min,}`, `{min,max}` and what follows; -1 is no maximum, and as a minimum a number far too large.
fn count(text: &str) -> Option<(i64, i64, &str)> {
    let (min, rest) = count_number(text.strip_prefix('{')?)?;
    let (bounds, rest) = match rest.strip_prefix(',') {
        None => ((min, min), rest),
        Some(rest) if rest.starts_with('}') => ((min, -1), rest),
        Some(rest) => {
            let (max, rest) = count_number(rest)?;
            (if max < 0 { (-1, max) } else { (min, max) }, rest)
        }
    };
    Some((bounds.0, bounds.1, rest.strip_prefix('}')?))
}

fn count_number(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok().filter(|&n: &i64| n < 100_000_000).unwrap_or(-1), rest))
}
