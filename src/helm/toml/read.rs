//! Reading TOML.

use crate::helm::funcs::FuncError;
use crate::helm::funcs::sprig::TimeObject;
use crate::helm::strconv;
use crate::helm::time::{Zone, parse as parse_time};
use crate::helm::value::{List, Map, Str, Value, types};
use std::collections::BTreeSet;

/// How many parts a dotted key may have; each is a table in the one before.
const MAX_PARTS: usize = 1000;

const MAX_DEPTH: usize = 500;

/// Accounts for steps.
pub type Spend<'a> = &'a mut dyn FnMut(u64) -> Result<(), FuncError>;

/// `toml.Unmarshal` into a map: what it holds, and the error with upstream's frame (`toml: line 3 (last key "a"):`).
pub fn decode(text: &[u8], spend: Spend<'_>) -> Result<(Map, Option<String>), FuncError> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Ok((Map::new(), Some("toml: line 1: invalid UTF-8 byte".into())));
    };
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
        last_key: String::new(),
        defined: BTreeSet::new(),
        implicit: BTreeSet::new(),
        spend,
        limit: None,
    };
    let root = Map::new();
    let read = reader.document(&root);
    if let Some(limit) = reader.limit {
        return Err(limit);
    }
    match read {
        Ok(()) => Ok((root, None)),
        Err(words) => {
            let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..reader.at.min(text.len())]).count() + 1;
            let key = match reader.last_key.as_str() {
                "" => String::new(),
                key => format!(" (last key {key:?})"),
            };
            Ok((super::empty(), Some(format!("toml: line {line}{key}: {words}"))))
        }
    }
}

type Step<T> = Result<T, String>;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    last_key: String,
    /// Tables that were opened by a header, and keys that were set, by their dotted path.
    defined: BTreeSet<Vec<Str>>,
    /// Tables that exist because something in them does.
    implicit: BTreeSet<Vec<Str>>,
    spend: Spend<'a>,
    /// What ended the reading, where it was not the text.
    limit: Option<FuncError>,
}

impl Reader<'_> {
    /// Accounts for work that is more than reading the text once.
    fn spend(&mut self, steps: usize) -> Step<()> {
        (self.spend)(steps as u64).map_err(|limit| {
            let words = limit.to_string();
            self.limit = Some(limit);
            words
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.text[self.at..].starts_with(text.as_bytes());
        if found {
            self.at += text.len();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Blanks, line ends and comments.
    fn space(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.at += 1,
                Some(b'\r') if self.text.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'#') => {
                    let rest = &self.text[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn found(&self) -> String {
        if self.peek().is_none() {
            "end of file".into()
        } else {
            let rune = strconv::valid_rune(&self.text[self.at..]).0.unwrap_or('\u{fffd}');
            match rune {
                '\n' => "'\\n'".into(),
                '\r' => "'\\r'".into(),
                '\t' => "'\\t'".into(),
                rune => format!("'{rune}'"),
            }
        }
    }

    fn end_of_line(&mut self) -> Step<()> {
        self.blanks();
        match self.peek() {
            None | Some(b'\n' | b'#') => Ok(()),
            Some(b'\r') if self.text.get(self.at + 1) == Some(&b'\n') => Ok(()),
            Some(_) => {
                let found = self.found();
                Err(format!(
                    "expected a top-level item to end with a newline, comment, or EOF, but got {found} instead"
                ))
            }
        }
    }

    fn document(&mut self, root: &Map) -> Step<()> {
        let mut table = root.clone();
        let mut prefix: Vec<Str> = Vec::new();
        loop {
            self.space();
            if self.peek().is_none() {
                return Ok(());
            }
            if self.eat("[[") {
                prefix = self.header("]]")?;
                table = self.open_item(root, &prefix)?;
            } else if self.eat("[") {
                prefix = self.header("]")?;
                table = self.open_table(root, &prefix)?;
            } else {
                self.key_value(&table, &prefix, 0)?;
            }
            self.last_key = dotted(&prefix);
            self.end_of_line()?;
        }
    }

    fn header(&mut self, close: &str) -> Step<Vec<Str>> {
        self.last_key.clear();
        self.blanks();
        let keys = self.keys()?;
        self.blanks();
        if !self.eat(close) {
            let found = self.found();
            return Err(format!(
                "expected '.' or '{}' to end table name, but got {found} instead",
                &close[..1]
            ));
        }
        Ok(keys)
    }

    /// The table below `map` that a key names, made where it is not there; of an array of tables its last one.
    fn descend(&mut self, map: &Map, path: &[Str]) -> Step<Map> {
        let key = path.last().cloned().unwrap_or_default();
        match map.get(&key) {
            None => {
                let table = Map::new();
                map.insert(key, table.clone().into());
                self.implicit.insert(path.to_vec());
                Ok(table)
            }
            Some(Value::Map(table)) => Ok(table),
            Some(Value::List(list)) if list.type_of().is(&types::MAPS) => {
                list.last().and_then(Value::as_map).cloned().ok_or_else(|| already(path))
            }
            Some(_) => Err(already(path)),
        }
    }

    fn parent(&mut self, root: &Map, path: &[Str]) -> Step<Map> {
        self.spend(path.len() * path.len() / 4)?;
        let mut map = root.clone();
        for end in 1..path.len() {
            map = self.descend(&map, &path[..end])?;
        }
        Ok(map)
    }

    fn open_table(&mut self, root: &Map, path: &[Str]) -> Step<Map> {
        let parent = self.parent(root, path)?;
        let key = path.last().cloned().unwrap_or_default();
        if parent.contains(&key) && (!self.implicit.remove(path) || self.defined.contains(path)) {
            return Err(already(path));
        }
        let table = self.descend(&parent, path)?;
        self.implicit.remove(path);
        self.defined.insert(path.to_vec());
        Ok(table)
    }

    fn open_item(&mut self, root: &Map, path: &[Str]) -> Step<Map> {
        let parent = self.parent(root, path)?;
        let key = path.last().cloned().unwrap_or_default();
        let mut items = match parent.get(&key) {
            None => Vec::new(),
            Some(Value::List(list)) if list.type_of().is(&types::MAPS) => list.into_items(),
            Some(_) => return Err(already(path)),
        };
        self.spend((items.len() + self.defined.len() + self.implicit.len()) / 4)?;
        // What was defined below the item before may be defined again below this one.
        self.defined.retain(|known| !known.starts_with(path));
        self.implicit.retain(|known| !known.starts_with(path));
        let table = Map::new();
        items.push(table.clone().into());
        parent.insert(key, List::new(&types::MAPS, items).into());
        Ok(table)
    }

    fn key_value(&mut self, table: &Map, prefix: &[Str], depth: usize) -> Step<()> {
        let keys = self.keys()?;
        self.blanks();
        if !self.eat("=") {
            if self.peek().is_none() {
                return Err("unexpected EOF; expected key separator '='".into());
            }
            let found = self.found();
            return Err(format!("expected '.' or '=', but got {found} instead"));
        }
        // Every part of a key is looked up by the path to it.
        self.spend(keys.len() * (prefix.len() + keys.len()) / 4)?;
        let mut path = prefix.to_vec();
        let mut map = table.clone();
        for key in &keys[..keys.len() - 1] {
            path.push(key.clone());
            if self.defined.contains(&path) {
                return Err(already(&path));
            }
            map = self.descend(&map, &path)?;
        }
        let key = keys.last().cloned().unwrap_or_default();
        path.push(key.clone());
        self.last_key = dotted(&path);
        self.blanks();
        let value = self.value(&path, depth)?;
        if map.contains(&key) {
            return Err(already(&path));
        }
        map.insert(key, value);
        self.defined.insert(path);
        Ok(())
    }

    fn keys(&mut self) -> Step<Vec<Str>> {
        let mut keys = Vec::new();
        loop {
            self.blanks();
            keys.push(match self.peek() {
                Some(b'"') => self.basic_string()?.into(),
                Some(b'\'') => self.literal_string()?,
                _ => {
                    let rest = &self.text[self.at..];
                    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
                    let end = rest.iter().position(|b| !bare(b)).unwrap_or(rest.len());
                    if end == 0 && matches!(self.peek(), Some(b'=' | b']' | b'.')) {
                        return Err(format!("unexpected {}: key name appears blank", self.found()));
                    }
                    if end == 0 {
                        let found = self.found();
                        return Err(format!("expected start of a key but got {found} instead"));
                    }
                    self.at += end;
                    Str::new(&rest[..end])
                }
            });
            self.blanks();
            if !self.eat(".") {
                return Ok(keys);
            }
            if keys.len() > MAX_PARTS {
                return Err(format!("a key of more than {MAX_PARTS} parts"));
            }
        }
    }

    fn value(&mut self, path: &[Str], depth: usize) -> Step<Value> {
        if depth > MAX_DEPTH {
            return Err("value is nested too deep".into());
        }
        match self.peek() {
            Some(b'"') if self.eat("\"\"\"") => self.long_string(true),
            Some(b'"') => self.basic_string().map(|text| Value::String(text.into())),
            Some(b'\'') if self.eat("'''") => self.long_string(false),
            Some(b'\'') => self.literal_string().map(Value::String),
            Some(b'[') => self.array(path, depth),
            Some(b'{') => self.inline_table(path, depth),
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-') => self.bare_value(),
            None => Err("unexpected EOF; expected value".into()),
            _ => {
                let found = self.found();
                Err(format!("expected value but found {found} instead"))
            }
        }
    }

    fn array(&mut self, path: &[Str], depth: usize) -> Step<Value> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if self.eat("]") {
                return Ok(Value::list(items));
            }
            if self.peek() == Some(b',') {
                return Err("unexpected comma".to_owned());
            }
            let mut inner = path.to_vec();
            inner.push(items.len().to_string().into());
            items.push(self.value(&inner, depth + 1)?);
            self.space();
            if !self.eat(",") && self.peek() != Some(b']') {
                let found = self.found();
                return Err(format!("expected a comma (',') or array terminator (']'), but got {found}"));
            }
        }
    }

    fn inline_table(&mut self, path: &[Str], depth: usize) -> Step<Value> {
        self.at += 1;
        let table = Map::new();
        loop {
            self.space();
            if self.eat("}") {
                self.spend(self.implicit.len() / 4)?;
                self.implicit.retain(|known| !known.starts_with(path));
                return Ok(table.into());
            }
            self.key_value(&table, path, depth + 1)?;
            self.space();
            if !self.eat(",") && self.peek() != Some(b'}') {
                let found = self.found();
                return Err(format!(
                    "expected a comma or an inline table terminator '}}', but got {found} instead"
                ));
            }
        }
    }

    fn literal_string(&mut self) -> Step<Str> {
        self.at += 1;
        let rest = &self.text[self.at..];
        match rest.iter().position(|&b| b == b'\'' || b == b'\n') {
            Some(end) if rest[end] == b'\'' => {
                self.at += end + 1;
                Ok(Str::new(&rest[..end]))
            }
            Some(_) => Err("strings cannot contain newlines".into()),
            None => Err("unexpected EOF; expected \"'\"".into()),
        }
    }

    fn basic_string(&mut self) -> Step<Vec<u8>> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                None => return Err("unexpected EOF; expected '\"'".into()),
                Some(b'\n') => return Err("strings cannot contain newlines".into()),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Step<()> {
        self.at += 1;
        let Some(kind) = self.peek() else {
            return Err("unexpected EOF".into());
        };
        self.at += 1;
        let width = match kind {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => {
                out.push(match kind {
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    b'e' => 0x1b,
                    b'"' | b'\\' => kind,
                    _ => return Err(format!("invalid escape in string '\\{}'", char::from(kind))),
                });
                return Ok(());
            }
        };
        let digits = self.text.get(self.at..self.at + width).and_then(|d| std::str::from_utf8(d).ok());
        let rune = digits
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32)
            .ok_or_else(|| "escaped character is not a valid UTF-8 code point".to_owned())?;
        self.at += width;
        out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// A string of several lines; its three quotes are read.
    fn long_string(&mut self, basic: bool) -> Step<Value> {
        let quote = if basic { b'"' } else { b'\'' };
        if !self.eat("\r\n") {
            self.eat("\n");
        }
        let mut out = Vec::new();
        loop {
            let Some(byte) = self.peek() else {
                let close = char::from(quote);
                return Err(format!("unexpected EOF; expected '{close}{close}{close}'"));
            };
            if byte == quote {
                let count = self.text[self.at..].iter().take_while(|&&b| b == quote).count();
                if count >= 3 {
                    let inside = (count - 3).min(2);
                    out.resize(out.len() + inside, quote);
                    self.at += inside + 3;
                    return Ok(Value::String(out.into()));
                }
                out.resize(out.len() + count, quote);
                self.at += count;
            } else if byte == b'\\' && basic {
                let after = &self.text[self.at + 1..];
                let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
                if after.get(blank) == Some(&b'\n') {
                    let skip = after.iter().take_while(|b| b.is_ascii_whitespace()).count();
                    self.at += 1 + skip;
                } else {
                    self.escape(&mut out)?;
                }
            } else if byte == b'\r' && self.text.get(self.at + 1) == Some(&b'\n') {
                self.at += 1;
            } else {
                out.push(byte);
                self.at += 1;
            }
        }
    }

    /// A boolean, a number, a date or a time.
    fn bare_value(&mut self) -> Step<Value> {
        let rest = &self.text[self.at..];
        let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':' | b'_');
        let mut end = rest.iter().position(|b| !word(b)).unwrap_or(rest.len());
        // A date and a time may be parted by a space.
        if end == 10
            && rest[4] == b'-'
            && rest.get(10) == Some(&b' ')
            && rest.get(11).is_some_and(u8::is_ascii_digit)
        {
            end = 11 + rest[11..].iter().position(|b| !word(b)).unwrap_or(rest.len() - 11);
        }
        let text = &rest[..end];
        let shown = String::from_utf8_lossy(text).into_owned();
        let value = match text {
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            _ if is_date(text) => date(text).ok_or_else(|| format!("Invalid TOML Datetime: {shown:?}."))?,
            _ => number(text).map_err(|out_of_range| {
                if out_of_range {
                    format!("{shown} is out of range for int64")
                } else if text[0].is_ascii_alphabetic() {
                    format!("expected value but found {shown:?} instead")
                } else if text.len() > 1 && text[0] == b'0' && text.iter().all(u8::is_ascii_digit) {
                    format!("Invalid integer {shown:?}: cannot have leading zeroes")
                } else {
                    format!("Invalid integer {shown:?}")
                }
            })?,
        };
        self.at += end;
        Ok(value)
    }
}

fn dotted(path: &[Str]) -> String {
    path.iter().map(|key| key.to_str_lossy().into_owned()).collect::<Vec<_>>().join(".")
}

fn already(path: &[Str]) -> String {
    format!("Key '{}' has already been defined.", dotted(path))
}

fn is_date(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    digits == 4 && text.get(4) == Some(&b'-') || digits == 2 && text.get(2) == Some(&b':')
}

fn date(text: &[u8]) -> Option<Value> {
    let text: Vec<u8> =
        text.iter().map(|&b| if b == b' ' || b == b't' { b'T' } else { b.to_ascii_uppercase() }).collect();
    let local = |name: &str| Zone::Fixed(name.to_owned(), 0);
    let layouts: [(&str, Zone); 7] = [
        ("2006-01-02T15:04:05.999999999Z07:00", Zone::Utc),
        ("2006-01-02T15:04Z07:00", Zone::Utc),
        ("2006-01-02T15:04:05.999999999", local("datetime-local")),
        ("2006-01-02T15:04", local("datetime-local")),
        ("2006-01-02", local("date-local")),
        ("15:04:05.999999999", local("time-local")),
        ("15:04", local("time-local")),
    ];
    layouts
        .into_iter()
        .find_map(|(layout, zone)| parse_time(layout.as_bytes(), &text, &zone).ok())
        .map(|time| Value::object(TimeObject(time)))
}

/// An integer or a float; the error says whether it was out of range.
fn number(text: &[u8]) -> Result<Value, bool> {
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    match unsigned {
        b"inf" => {
            let negative = text[0] == b'-';
            return Ok(Value::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
        }
        b"nan" => return Ok(Value::Float(f64::NAN)),
        _ => {}
    }
    let prefixed = matches!(unsigned, [b'0', b'x' | b'o' | b'b', ..]);
    let leading_zero = unsigned.len() > 1 && unsigned[0] == b'0' && unsigned[1].is_ascii_digit();
    let between_digits = (0..unsigned.len()).all(|at| {
        unsigned[at] != b'_'
            || at > 0
                && unsigned[at - 1].is_ascii_hexdigit()
                && unsigned.get(at + 1).is_some_and(u8::is_ascii_hexdigit)
    });
    let starts_with_digit = unsigned.first().is_some_and(u8::is_ascii_digit);
    if leading_zero || !between_digits || !starts_with_digit || prefixed && unsigned.len() != text.len() {
        return Err(false);
    }
    let plain: Vec<u8> = text.iter().copied().filter(|&b| b != b'_').collect();
    let float = !prefixed && unsigned.iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
    if float {
        let dot_between = memchr::memchr(b'.', unsigned).is_none_or(|at| {
            at > 0
                && unsigned[at - 1].is_ascii_digit()
                && unsigned.get(at + 1).is_some_and(u8::is_ascii_digit)
        });
        if !dot_between {
            return Err(false);
        }
        return strconv::parse_float(&plain)
            .map(Value::Float)
            .map_err(|error| error == strconv::NumberError::Range);
    }
    match strconv::parse_int(&plain, if prefixed { 0 } else { 10 }) {
        (number, None) => Ok(Value::int64(number)),
        (_, Some(error)) => Err(error == strconv::NumberError::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match decode(text.as_bytes(), &mut |_| Ok(())) {
            Ok((map, None)) => format!("{:?}", Value::from(map)),
            Ok((_, Some(error))) => error,
            Err(limit) => limit.to_string(),
        }
    }

    #[test]
    fn documents_are_read() {
        let text = "a = 1 # c\nb.c = \"x\\n\"\n[t]\nl = [1, 2.5,\n true]\ni = {x = 'y', z = 0x1F}\n[[s]]\nn = 1\n[[s]]\nn = 2\n[s.u]\nk = 1_000\n";
        assert_eq!(
            shown(text),
            "{a: 1 b: {c: \"x\\n\" } s: [{n: 1 } {n: 2 u: {k: 1000 } } ] t: {i: {x: \"y\" z: 31 } l: [1 2.5 true ] } }"
        );
        assert_eq!(shown("a = \"\"\"\nx\\\n  y\"\"\"\"\n"), "{a: \"xy\\\"\" }");
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(shown("a = 1\na = 2"), "toml: line 2 (last key \"a\"): Key 'a' has already been defined.");
        assert_eq!(shown("[a]\n[a]"), "toml: line 2: Key 'a' has already been defined.");
        assert!(shown("a = ").starts_with("toml: line 1 (last key \"a\")"));
        assert!(shown("a = 01").contains("Invalid integer"));
    }
}
