//! `toYamlPretty`: YAML by go-yaml 3 with an indent of two, straight from Go's values.
//!
//! Against `toYaml`: items of lists in maps are indented, lines are never folded, floats are printed by Go (`1e+06`),
//! keys sort a little differently, and bytes that are not UTF-8 become `!!binary`.

use crate::helm::funcs::{Ctx, FuncError, sprig};
use crate::helm::strconv;
use crate::helm::unicode;
use crate::helm::value::{FieldInfo, Kind, Str, Value};
use crate::yaml::{Resolved, is_base_60, resolve};
use base64::Engine as _;
use std::cmp::Ordering;

/// The longest key that stands on the line of its value.
const SIMPLE_KEY: usize = 128;
const MAX_DEPTH: usize = 1000;
/// Steps that comparing two keys, character by character, counts for.
const COMPARISON_STEPS: u64 = 16;

/// The text of a value, without the last line end.
pub(super) fn to_yaml_pretty(ctx: &mut Ctx<'_>, value: &Value) -> Result<Vec<u8>, FuncError> {
    let mut writer = Writer { ctx, out: Vec::new(), charged: 0 };
    writer.node(value, 0, Place::Line)?;
    writer.settle()?;
    Ok(writer.out)
}

/// What stands before a node on its line.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    /// Nothing: the node may begin here.
    Line,
    /// `- `.
    Item,
    /// `key:`, or the `:` of a key on lines of its own.
    Key,
}

struct Writer<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    out: Vec<u8>,
    charged: usize,
}

/// How a scalar is written.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Writer<'_, '_> {
    fn settle(&mut self) -> Result<(), FuncError> {
        self.ctx.charge_growth(self.out.len(), &mut self.charged)
    }

    fn break_line(&mut self, indent: usize) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + indent, b' ');
    }

    fn scalar(&mut self, place: Place, text: &[u8]) {
        if place == Place::Key {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(text);
    }

    /// Accounts for looking through a long text, and for writing it with its lines indented.
    fn expect_text(&mut self, text: &[u8], indent: usize) -> Result<(), FuncError> {
        if text.len() < 1 << 16 {
            return Ok(());
        }
        let lines = memchr::memchr_iter(b'\n', text).count();
        self.ctx.spend(text.len() as u64 / 8)?;
        self.ctx
            .charge(text.len().saturating_mul(size_of::<char>()).saturating_add(lines.saturating_mul(indent)))
    }

    /// A node whose lines are indented by `indent`.
    fn node(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), FuncError> {
        if indent > 2 * MAX_DEPTH {
            return Err(FuncError::Limit("1,000 levels of nesting"));
        }
        self.ctx.spend(1)?;
        if self.out.len() - self.charged > 1 << 16 {
            self.settle()?;
        }
        match value {
            Value::Nil => self.scalar(place, b"null"),
            Value::Bool(truth) => self.scalar(place, truth.to_string().as_bytes()),
            Value::Int(_, number) => self.scalar(place, number.to_string().as_bytes()),
            Value::Uint(_, number) => self.scalar(place, number.to_string().as_bytes()),
            Value::Float(number) => self.scalar(place, float_text(*number).as_bytes()),
            Value::String(text) => {
                self.expect_text(text, indent)?;
                self.string(text, indent, place);
            }
            Value::Bytes(bytes) => {
                let items: Vec<Value> =
                    bytes.iter().map(|&b| Value::Uint(Kind::Uint8, u64::from(b))).collect();
                self.list(&items, indent, place)?;
            }
            Value::List(list) => {
                list.read_all();
                self.list(list, indent, place)?;
            }
            Value::Map(map) => {
                let mut entries = map.entries();
                sort(self.ctx, &mut entries)?;
                self.map(&entries, indent, place)?;
            }
            Value::Object(object) => match (object.to_data(), object.to_text(), object.underlying()) {
                // A time stands plain, a version as a string, a duration as its text.
                (Some(Value::String(text)), ..) if value.type_name() == "time.Time" => {
                    self.scalar(place, &text);
                }
                (Some(data), ..) => self.node(&data, indent, place)?,
                (None, Some(text), Some(_)) => self.string(&text, indent, place),
                (None, None, Some(plain)) => self.node(&plain, indent, place)?,
                (None, _, None) => {
                    let fields = object.fields().into_iter();
                    let entries: Vec<(Str, Value)> = fields
                        .filter(FieldInfo::is_exported)
                        .filter(|field| !(field.omit_empty && sprig::is_empty(&field.value)))
                        .map(|field| (Str::from(field.name.to_ascii_lowercase()), field.value))
                        .collect();
                    self.map(&entries, indent, place)?;
                }
            },
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], indent: usize, place: Place) -> Result<(), FuncError> {
        if items.is_empty() {
            self.scalar(place, b"[]");
            return Ok(());
        }
        for (at, item) in items.iter().enumerate() {
            if at > 0 || place == Place::Key {
                self.break_line(indent);
            }
            self.out.extend_from_slice(b"- ");
            self.node(item, indent + 2, Place::Item)?;
        }
        Ok(())
    }

    fn map(&mut self, entries: &[(Str, Value)], indent: usize, place: Place) -> Result<(), FuncError> {
        if entries.is_empty() {
            self.scalar(place, b"{}");
            return Ok(());
        }
        for (at, (key, item)) in entries.iter().enumerate() {
            if at > 0 || place == Place::Key {
                self.break_line(indent);
            }
            let long = key.len() > SIMPLE_KEY || key.iter().any(|&b| matches!(b, b'\n' | b'\r'));
            if long {
                self.out.extend_from_slice(b"? ");
                self.string(key, indent + 2, Place::Item);
                self.break_line(indent);
                self.out.push(b':');
                let inner =
                    if matches!(item, Value::Map(_) | Value::List(_)) { Place::Item } else { Place::Key };
                if inner == Place::Item {
                    self.out.push(b' ');
                }
                self.node(item, indent + 2, inner)?;
                continue;
            }
            self.key(key);
            self.out.push(b':');
            self.node(item, indent + 2, Place::Key)?;
        }
        Ok(())
    }

    /// A key on one line.
    fn key(&mut self, key: &[u8]) {
        let Ok(text) = std::str::from_utf8(key) else {
            self.binary(key);
            return;
        };
        match style_of(text) {
            Style::Plain if !text.is_empty() => self.out.extend_from_slice(key),
            Style::Single => self.single(text),
            _ => self.double(text),
        }
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(b"!!binary ");
        self.out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(bytes).as_bytes());
    }

    fn string(&mut self, bytes: &[u8], indent: usize, place: Place) {
        if place == Place::Key {
            self.out.push(b' ');
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.binary(bytes);
            return;
        };
        match style_of(text) {
            Style::Plain => self.out.extend_from_slice(bytes),
            Style::Single => self.single(text),
            Style::Double => self.double(text),
            Style::Literal => self.literal(text, indent.max(2)),
        }
    }

    fn single(&mut self, text: &str) {
        self.out.push(b'\'');
        self.out.extend_from_slice(text.replace('\'', "''").as_bytes());
        self.out.push(b'\'');
    }

    fn double(&mut self, text: &str) {
        self.out.push(b'"');
        for c in text.chars() {
            let short = match c {
                '\0' => '0',
                '\u{7}' => 'a',
                '\u{8}' => 'b',
                '\t' => 't',
                '\n' => 'n',
                '\u{b}' => 'v',
                '\u{c}' => 'f',
                '\r' => 'r',
                '\u{1b}' => 'e',
                '"' => '"',
                '\\' => '\\',
                '\u{85}' => 'N',
                '\u{a0}' => '_',
                '\u{2028}' => 'L',
                '\u{2029}' => 'P',
                _ => '\0',
            };
            let code = u32::from(c);
            if short != '\0'
                && (c != '\u{a0}' && !matches!(c, '\u{2028}' | '\u{2029}') || !is_printable(c) || is_break(c))
            {
                self.out.push(b'\\');
                self.out.extend_from_slice(short.encode_utf8(&mut [0; 4]).as_bytes());
            } else if is_printable(c) {
                self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else if code <= 0xff {
                self.out.extend_from_slice(format!("\\x{code:02X}").as_bytes());
            } else if code <= 0xffff {
                self.out.extend_from_slice(format!("\\u{code:04X}").as_bytes());
            } else {
                self.out.extend_from_slice(format!("\\U{code:08X}").as_bytes());
            }
        }
        self.out.push(b'"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push(b'|');
        if text.starts_with(|c: char| c == ' ' || is_break(c)) {
            self.out.push(b'2');
        }
        let body = text.strip_suffix('\n');
        match body {
            None => self.out.push(b'-'),
            Some(body) if body.is_empty() || body.ends_with('\n') => self.out.push(b'+'),
            Some(_) => {}
        }
        let body = body.unwrap_or(text);
        for line in body.split('\n') {
            if line.is_empty() {
                self.out.push(b'\n');
            } else {
                self.break_line(indent);
                self.out.extend_from_slice(line.as_bytes());
            }
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The characters that go-yaml writes as they are.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// The style of a string, as encoder and emitter agree on it (encode.go, emitterc.go of go-yaml 3.0.4).
fn style_of(text: &str) -> Style {
    let plain = resolve(text) == Resolved::String && !is_base_60(text);
    let facts = Facts::of(text);
    if text.contains('\n') {
        return if facts.block { Style::Literal } else { Style::Double };
    }
    match () {
        () if !plain => Style::Double,
        () if facts.plain => Style::Plain,
        () if facts.single => Style::Single,
        () => Style::Double,
    }
}

/// In which styles a text can be written.
struct Facts {
    plain: bool,
    single: bool,
    block: bool,
}

impl Facts {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let blank = |at: usize| chars.get(at).is_none_or(|&c| c == ' ' || c == '\t' || is_break(c));
        let spaced = |at: usize| chars.get(at).is_none_or(|&c| c == ' ' || c == '\t');
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut tab, mut space_break, mut break_space, mut breaks) =
            (false, false, false, false, false);
        for (at, &c) in chars.iter().enumerate() {
            let before_blank = at == 0 || blank(at - 1);
            indicators |= match c {
                '#' if at == 0 || before_blank => true,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    at == 0
                }
                '?' | '-' => at == 0 && spaced(at + 1),
                ':' => spaced(at + 1),
                _ => false,
            };
            tab |= c == '\t';
            special |= c != '\t' && !is_printable(c) && !matches!(c, '\r' | '\u{85}');
            special |= matches!(c, '\r' | '\u{85}');
            if is_break(c) {
                breaks = true;
                space_break |= at > 0 && chars[at - 1] == ' ';
            } else if c == ' ' {
                break_space |= at > 0 && is_break(chars[at - 1]);
            }
        }
        let edge = |c: Option<&char>| c.is_some_and(|&c| c == ' ' || is_break(c));
        let edges = edge(chars.first()) || edge(chars.last());
        let unsafe_text = space_break || tab || special;
        Self {
            plain: !(edges || break_space || unsafe_text || breaks || indicators),
            single: !(break_space || unsafe_text),
            block: !(chars.last() == Some(&' ') || space_break || special || text.is_empty()),
        }
    }
}

fn float_text(number: f64) -> String {
    match strconv::format_shortest(number).as_str() {
        "+Inf" => ".inf".into(),
        "-Inf" => "-.inf".into(),
        "NaN" => ".nan".into(),
        text => text.into(),
    }
}

/// By natural order; an insertion sort, since that order is not total.
fn sort(ctx: &mut Ctx<'_>, entries: &mut [(Str, Value)]) -> Result<(), FuncError> {
    for at in 1..entries.len() {
        let mut to = at;
        while to > 0 && before(&entries[to].0, &entries[to - 1].0) {
            entries.swap(to, to - 1);
            to -= 1;
        }
        ctx.spend(COMPARISON_STEPS * (1 + at - to) as u64)?;
    }
    Ok(())
}

/// Whether a key comes before another one: letters by code point, numbers by value (sorter.go).
fn before(a: &[u8], b: &[u8]) -> bool {
    let runes = |text: &[u8]| strconv::runes(text).map(|r| r.unwrap_or('\u{fffd}')).collect::<Vec<char>>();
    let (a, b) = (runes(a), runes(b));
    let mut digits = false;
    for at in 0..a.len().min(b.len()) {
        if a[at] == b[at] {
            digits = unicode::is_digit(a[at]);
            continue;
        }
        let (left, right) = (unicode::is_letter(a[at]), unicode::is_letter(b[at]));
        if left && right {
            return a[at] < b[at];
        }
        if left || right {
            return if digits { left } else { right };
        }
        let number = |text: &[char], start: i64| {
            let run = text[at..].iter().take_while(|c| unicode::is_digit(**c));
            run.fold((start, at), |(number, end), &c| {
                let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
                (number.wrapping_mul(10).wrapping_add(digit), end + 1)
            })
        };
        let zero = a[at] == '0' || b[at] == '0';
        let in_number =
            zero && a[..at].iter().rev().take_while(|c| unicode::is_digit(**c)).any(|&c| c != '0');
        let start = i64::from(in_number);
        let ((left, left_end), (right, right_end)) = (number(&a, start), number(&b, start));
        return match left.cmp(&right).then(left_end.cmp(&right_end)) {
            Ordering::Equal => a[at] < b[at],
            order => order.is_lt(),
        };
    }
    a.len() < b.len()
}
