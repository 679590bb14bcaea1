//! The writer: YAML as `kubectl` prints it and as Helm's `toYaml` does, which is `Marshal` of `sigs.k8s.io/yaml`
//! 1.6.0 (go-yaml v2.4.2 behind Go's JSON).
//!
//! Values are visited through [`ToYaml`], so nothing is converted before it is written. [`to_yaml`] is exact to
//! the byte, with what the way through JSON does to strings; [`write`] looks the same but loses nothing.

mod keys;
mod scalar;

use super::number::{Whole, as_integer, push_float, push_signed, push_unsigned};
use super::text::lossy;
use crate::value::{Node, Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The deepest nesting that is written.
const MAX_DEPTH: usize = 1000;

/// A value that can be written as YAML.
pub trait ToYaml {
    /// Calls the one method of `to` that fits the value.
    fn to_yaml(&self, to: &mut Emitter<'_>);
}

/// The order of the keys of a map.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// go-yaml's natural order, as `kubectl` and `toYaml` have it.
    Natural,
    /// As the value gives them.
    Given,
}

/// A value that `toYaml` cannot write; Helm prints nothing for the whole of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Unwritable;

impl std::fmt::Display for Unwritable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the value cannot be written as YAML: it holds a control character or a number that is not finite, or nests too deep")
    }
}

impl std::error::Error for Unwritable {}

/// Appends `value` as Helm's `toYaml` writes it, with the newline that `toYaml` then trims. Leaves `out` as it was
/// where the value cannot be written.
pub fn to_yaml<V: ToYaml + ?Sized>(value: &V, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let start = out.len();
    let mut emitter = Emitter::new(out, Keys::Natural, false);
    emitter.document(value);
    if emitter.failed {
        out.truncate(start);
        return Err(Unwritable);
    }
    Ok(())
}

/// Appends `value` in the same style with no loss: strings are written as they are, whatever they hold.
///
/// Fails only for numbers that are not finite, and for nesting beyond a thousand levels.
pub fn write<V: ToYaml + ?Sized>(value: &V, keys: Keys, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    let start = out.len();
    let mut emitter = Emitter::new(out, keys, true);
    emitter.document(value);
    if emitter.failed {
        out.truncate(start);
        return Err(Unwritable);
    }
    Ok(())
}

/// Where the next value stands.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    Root,
    /// Behind `-`.
    Item,
    /// Behind `key:`.
    Member,
    /// Behind the `:` of a `?` key.
    ComplexMember,
}

/// Takes one value.
pub struct Emitter<'o> {
    out: &'o mut Vec<u8>,
    /// Where the line starts, moved on by the bytes of characters that take several.
    line_start: usize,
    indent: isize,
    place: Place,
    keys: Keys,
    /// Strings are written as they are, not as they come out of JSON.
    exact: bool,
    depth: usize,
    failed: bool,
}

impl<'o> Emitter<'o> {
    fn new(out: &'o mut Vec<u8>, keys: Keys, exact: bool) -> Self {
        let line_start = out.len();
        Self { out, line_start, indent: -1, place: Place::Root, keys, exact, depth: 0, failed: false }
    }

    fn document<V: ToYaml + ?Sized>(&mut self, value: &V) {
        value.to_yaml(self);
        if self.column() > 0 {
            self.out.push(b'\n');
        }
    }

    /// `null`
    pub fn null(&mut self) {
        self.word("null");
    }

    /// A boolean.
    pub fn bool(&mut self, truth: bool) {
        self.word(if truth { "true" } else { "false" });
    }

    /// An integer.
    pub fn int(&mut self, number: i64) {
        self.space();
        push_signed(self.out, number);
    }

    /// An integer.
    pub fn uint(&mut self, number: u64) {
        self.space();
        push_unsigned(self.out, number);
    }

    /// A float: as an integer where its JSON text is one.
    pub fn float(&mut self, number: f64) {
        match as_integer(number) {
            Some(Whole::Int(number)) => self.int(number),
            Some(Whole::Uint(number)) => self.uint(number),
            None if number.is_finite() => {
                self.space();
                push_float(self.out, number);
            }
            None => self.failed = true,
        }
    }

    /// A string of Go: any bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.string(text),
            Err(_) => self.string(&lossy(bytes)),
        }
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.space();
        if !self.write_simple(text) {
            let text = self.through_json(text);
            self.write_string(&text, false);
        }
    }

    /// A list.
    pub fn list<'v, V: ToYaml + ?Sized + 'v>(&mut self, items: impl IntoIterator<Item = &'v V>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            self.word("[]");
            return;
        }
        let (indent, place) = (self.indent, self.place);
        self.indent = match place {
            // Lists in maps are not indented.
            Place::Member => indent,
            _ => Self::deeper(indent),
        };
        if self.enter() {
            for item in items {
                self.open_line();
                self.out.push(b'-');
                self.place = Place::Item;
                item.to_yaml(self);
                if self.failed {
                    break;
                }
                self.place = Place::Member;
            }
            self.depth -= 1;
        }
        self.indent = indent;
    }

    /// A map, in any order; of equal keys the last one counts only where bytes that are not UTF-8 made them so.
    pub fn map<'v, V: ToYaml + ?Sized + 'v>(&mut self, entries: impl IntoIterator<Item = (&'v [u8], &'v V)>) {
        let mut entries: Vec<(&[u8], &V)> = entries.into_iter().collect();
        if entries.is_empty() {
            self.word("{}");
            return;
        }
        let mended: Vec<(Cow<'_, str>, &V)>;
        if !self.exact && entries.iter().any(|(key, _)| !is_plain_json(key)) {
            // Go's maps are written to JSON in the order of bytes, and read from there.
            entries.sort_by(|a, b| a.0.cmp(b.0));
            let mut changed = BTreeMap::new();
            for (key, value) in &entries {
                let key = lossy(key);
                self.failed |= !fits_simple_key(&key);
                changed.insert(self.through_json(&key).into_owned(), *value);
            }
            mended = changed.into_iter().map(|(key, value)| (Cow::Owned(key), value)).collect();
            entries = mended.iter().map(|(key, value)| (key.as_bytes(), *value)).collect();
        }
        if self.keys == Keys::Natural {
            keys::sort(&mut entries);
        }
        let indent = self.indent;
        self.indent = Self::deeper(indent);
        if self.enter() {
            for (key, value) in entries {
                self.open_line();
                self.key(&lossy(key));
                value.to_yaml(self);
                if self.failed {
                    break;
                }
                self.place = Place::Member;
            }
            self.depth -= 1;
        }
        self.indent = indent;
    }

    fn key(&mut self, key: &str) {
        if Self::is_simple_key(key) {
            self.write_string(key, true);
            self.out.push(b':');
            self.place = Place::Member;
        } else {
            self.put("? ");
            self.write_string(key, false);
            self.place = Place::Member;
            self.open_line();
            self.out.push(b':');
            self.place = Place::ComplexMember;
        }
    }

    fn enter(&mut self) -> bool {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            self.failed = true;
        }
        !self.failed
    }

    fn deeper(indent: isize) -> isize {
        if indent < 0 { 0 } else { indent + 2 }
    }

    /// Goes to where the first or next line of a collection starts.
    fn open_line(&mut self) {
        match self.place {
            Place::Root => {}
            Place::Item | Place::ComplexMember => self.out.push(b' '),
            Place::Member => {
                if self.column() > 0 {
                    self.out.push(b'\n');
                    self.start_of_line();
                }
                self.pad(self.indent);
            }
        }
    }

    fn space(&mut self) {
        if self.place != Place::Root {
            self.out.push(b' ');
        }
    }

    fn word(&mut self, word: &str) {
        self.space();
        self.out.extend_from_slice(word.as_bytes());
    }

    // Characters.

    fn column(&self) -> usize {
        self.out.len().saturating_sub(self.line_start)
    }

    fn column_after(&self, text: &str) -> usize {
        self.column() + text.chars().count()
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        if !text.is_ascii() {
            self.line_start += text.len() - text.chars().count();
        }
    }

    fn start_of_line(&mut self) {
        self.line_start = self.out.len();
    }

    fn pad(&mut self, indent: isize) {
        let indent = usize::try_from(indent).unwrap_or(0);
        self.out.resize(self.out.len() + indent.saturating_sub(self.column()), b' ');
    }

    /// The indent of the lines of a scalar of several.
    fn pad_scalar(&mut self) {
        self.pad(if self.indent < 0 { 2 } else { self.indent + 2 });
    }

    fn continue_line(&mut self) {
        self.out.push(b'\n');
        self.start_of_line();
        self.pad_scalar();
    }

    /// A string as it comes out of Go's JSON and go-yaml's reading of it.
    fn through_json<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if self.exact || text.is_ascii() && !text.contains('\u{7f}') {
            return Cow::Borrowed(text);
        }
        let refused =
            |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
        if text.contains(refused) {
            self.failed = true;
        }
        if !text.contains('\u{85}') {
            return Cow::Borrowed(text);
        }
        // NEL is a line break to go-yaml, and lines are folded.
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\u{85}') {
            let after = rest[at..].trim_start_matches([' ', '\u{85}']);
            let gap = &rest[at..rest.len() - after.len()];
            out.push_str(rest[..at].trim_end_matches(' '));
            match gap.matches('\u{85}').count() {
                1 => out.push(' '),
                breaks => out.extend(std::iter::repeat_n('\n', breaks - 1)),
            }
            let marker = after.starts_with("---") || after.starts_with("...");
            if marker && gap.ends_with('\u{85}') && after[3..].starts_with([' ', '\u{85}']) {
                self.failed = true;
            }
            rest = after;
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

/// Whether a key passes through JSON as it is, at one look.
fn is_plain_json(key: &[u8]) -> bool {
    key.len() < 170 && key.is_ascii() && memchr::memchr(0x7f, key).is_none()
}

/// Whether go-yaml takes a member of a JSON map as one: its key on one line, within 1024 characters.
fn fits_simple_key(key: &str) -> bool {
    let length: usize = key
        .chars()
        .map(|c| match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
            _ => 1,
        })
        .sum();
    length + 2 <= 1024 && !key.contains('\u{85}')
}

impl ToYaml for Node {
    fn to_yaml(&self, to: &mut Emitter<'_>) {
        self.value.to_yaml(to);
    }
}

impl ToYaml for Value {
    fn to_yaml(&self, to: &mut Emitter<'_>) {
        match self {
            Self::Null => to.null(),
            Self::Bool(truth) => to.bool(*truth),
            Self::Number(Number::Int(number)) => to.int(*number),
            Self::Number(Number::Uint(number)) => to.uint(*number),
            Self::Number(Number::Float(number)) => to.float(*number),
            Self::String(text) => to.string(text),
            Self::List(items) => to.list(items),
            Self::Map(map) => to.map(map.iter().map(|(key, entry)| (key.as_bytes(), &entry.node))),
        }
    }
}

impl ToYaml for serde_json::Value {
    fn to_yaml(&self, to: &mut Emitter<'_>) {
        match self {
            Self::Null => to.null(),
            Self::Bool(truth) => to.bool(*truth),
            Self::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => to.int(number),
                (None, Some(number)) => to.uint(number),
                (None, None) => to.float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Self::String(text) => to.string(text),
            Self::Array(items) => to.list(items),
            Self::Object(map) => to.map(map.iter().map(|(key, value)| (key.as_bytes(), value))),
        }
    }
}

impl Value {
    /// This tree as `kubectl` prints it, without loss. A number that is not finite cannot be in it.
    pub fn to_yaml_text(&self, keys: Keys) -> Result<String, Unwritable> {
        let mut out = Vec::new();
        write(self, keys, &mut out)?;
        String::from_utf8(out).map_err(|_not_text| Unwritable)
    }
}
