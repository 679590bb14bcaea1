//! The little language of `--set`, `--set-string`, `--set-json`, `--set-file` and `--set-literal`.
//!
//! `a.b[2].c=value,d={x,y}`: works on the characters one by one, as Helm does (4.2.4 `pkg/strvals`), so that every
//! odd line gives Helm's result or Helm's error. Lists end at 65,536, nesting at 30.

use super::tree::{Data, Table, Value, from_json};
use crate::helm::value::Str;
use crate::source::{FileId, Span};
use crate::value::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The highest index of a list.
const MAX_INDEX: usize = 65_536;
/// How many items may be put in, in all, for the indexes of one command line to be reached.
const MAX_PADDING: usize = 1_000_000;
/// The deepest name.
const MAX_LEVEL: usize = 30;

/// What stands for a value behind `=`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `--set`: booleans, null and whole numbers are told from text.
    Typed,
    /// `--set-string`: text.
    String,
    /// `--set-json`: JSON.
    Json,
    /// `--set-file`: the name of a file whose content is the value.
    File,
    /// `--set-literal`: text to the end of the line, nothing escaped.
    Literal,
}

/// Reads the files that `--set-file` names; the error is the system's words.
pub type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// How many items lists got so that an index could be reached; one for all arguments of a command line.
#[derive(Debug, Default)]
pub struct Padding(usize);

/// Applies one argument to `into`. On an error, what stood before the fault has been applied.
pub fn apply(
    text: &str,
    flavour: Flavour,
    into: &mut Table,
    source: Option<FileId>,
    read: ReadFile<'_>,
    padding: &mut Padding,
) -> Result<(), String> {
    let mut parser = Parser { text, at: 0, start: 0, flavour, source, read, padding };
    loop {
        parser.start = parser.at;
        match parser.key(Arc::make_mut(into), 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(message)) => return Err(message),
        }
    }
}

enum Stop {
    /// The text is read: Go's `io.EOF`.
    End,
    Error(String),
}

fn fail<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(message.into()))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where the assignment being read starts.
    start: usize,
    flavour: Flavour,
    source: Option<FileId>,
    read: ReadFile<'a>,
    padding: &'a mut Padding,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn back(&mut self, c: char) {
        self.at -= c.len_utf8();
    }

    fn origin(&self) -> Origin {
        self.source.map_or(Origin::Compiler, |file| Origin::Written(Span::new(file, self.start, self.at)))
    }

    fn value(&self, data: Data) -> Value {
        Value::new(data, self.origin())
    }

    /// What stands before one of `stops`, and which; `None` at the end of the text. Escapes are taken off, and an
    /// escape at the very end is dropped.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut out = String::new();
        while let Some(c) = self.next() {
            if stops.contains(&c) {
                return (out, Some(c));
            }
            if c == '\\' && self.flavour != Flavour::Literal {
                match self.next() {
                    Some(c) => out.push(c),
                    None => break,
                }
            } else {
                out.push(c);
            }
        }
        (out, None)
    }

    /// One assignment, from the name that starts here.
    fn key(&mut self, data: &mut BTreeMap<Str, Value>, level: usize) -> Result<(), Stop> {
        let stops: &[char] =
            if self.flavour == Flavour::Literal { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => fail(format!("key {} has no value", quote(&key))),
            Some('[') => {
                let index = self.index()?;
                let list = match data.get(key.as_bytes()) {
                    None => Vec::new(),
                    Some(Value { data: Data::List(items), .. }) => items.as_ref().clone(),
                    // Helm 4.2.4 asserts the type and turns the panic into this text.
                    Some(other) => {
                        return fail(format!("unable to parse key: {}", conversion(other, "[]interface {}")));
                    }
                };
                let mut list = list;
                let done = self.item(&mut list, index, level);
                let done = match done {
                    Err(Panic::Stop(stop)) => Err(stop),
                    Err(Panic::Recovered(text)) => return fail(text),
                    Ok(()) => Ok(()),
                };
                self.set(data, &key, Data::List(Arc::new(list)));
                done
            }
            Some('=') => self.assign(data, &key),
            Some(',') => {
                self.set(data, &key, Data::String(Str::EMPTY));
                fail(format!("key {} has no value (cannot end with ,)", quote(&key)))
            }
            Some(_) => {
                if level + 1 > MAX_LEVEL {
                    return fail(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_LEVEL}"
                    ));
                }
                let mut inner = match data.get(key.as_bytes()) {
                    None => Table::default(),
                    Some(Value { data: Data::Table(table), .. }) => Arc::clone(table),
                    Some(other) => {
                        return fail(format!(
                            "unable to parse key: {}",
                            conversion(other, "map[string]interface {}")
                        ));
                    }
                };
                let done = self.key(Arc::make_mut(&mut inner), level + 1);
                if done.is_ok() && inner.is_empty() {
                    return fail(format!("key map {} has no value", quote(&key)));
                }
                if !inner.is_empty() {
                    self.set(data, &key, Data::Table(inner));
                }
                done
            }
        }
    }

    /// The value behind `key=`.
    fn assign(&mut self, data: &mut BTreeMap<Str, Value>, key: &str) -> Result<(), Stop> {
        match self.flavour {
            Flavour::Literal => {
                let rest = self.rest();
                self.set(data, key, Data::String(rest.as_str().into()));
                Ok(())
            }
            Flavour::Json => {
                let value = self.json()?;
                put(data, key, value);
                // Blanks and a comma may follow.
                self.blank();
                Ok(())
            }
            _ => match self.next() {
                None => {
                    self.set(data, key, Data::String(Str::EMPTY));
                    Err(Stop::End)
                }
                Some('{') => {
                    let list = self.braces()?;
                    self.set(data, key, list);
                    Ok(())
                }
                Some(c) => {
                    self.back(c);
                    let (text, _) = self.until(&[',']);
                    match self.convert(&text) {
                        Ok(value) => self.set(data, key, value),
                        Err(message) => {
                            self.set(data, key, Data::Null);
                            return fail(message);
                        }
                    }
                    Ok(())
                }
            },
        }
    }

    /// The value behind `list[i]`, or what goes on below it.
    fn item(&mut self, list: &mut Vec<Value>, index: i64, level: usize) -> Result<(), Panic> {
        let Ok(at) = usize::try_from(index) else {
            return Err(Panic::error(format!("negative {index} index not allowed")));
        };
        let (between, stop) = self.until(&['[', '.', '=']);
        if !between.is_empty() {
            return Err(Panic::error(format!("unexpected data at end of array index: {}", quote(&between))));
        }
        match stop {
            None => Err(Panic::Stop(Stop::End)),
            Some('=') => {
                let value = match self.flavour {
                    Flavour::Literal => {
                        let rest = self.rest();
                        self.value(Data::String(rest.as_str().into()))
                    }
                    Flavour::Json => {
                        let value = self.json()?;
                        self.put_at(list, at, value)?;
                        self.blank();
                        return Ok(());
                    }
                    _ => match self.next() {
                        None => self.value(Data::String(Str::EMPTY)),
                        Some('{') => {
                            let list = self.braces()?;
                            self.value(list)
                        }
                        Some(c) => {
                            self.back(c);
                            let (text, _) = self.until(&[',']);
                            let data = self.convert(&text).map_err(Panic::error)?;
                            self.value(data)
                        }
                    },
                };
                self.put_at(list, at, value)
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get(at).map(|v| &v.data) {
                    None | Some(Data::Null) => Vec::new(),
                    Some(Data::List(items)) => items.as_ref().clone(),
                    Some(_) => {
                        return Err(Panic::Recovered(format!(
                            "unable to parse key: {}",
                            conversion(&list[at], "[]interface {}")
                        )));
                    }
                };
                self.item(&mut inner, next, level)?;
                let value = self.value(Data::List(Arc::new(inner)));
                self.put_at(list, at, value)
            }
            Some(_) => {
                let mut inner = match list.get(at).map(|v| &v.data) {
                    Some(Data::Table(table)) => Arc::clone(table),
                    _ => Table::default(),
                };
                // Unlike a name's, this level is not counted (helm 4.2.4 `pkg/strvals/parser.go`, `listItem`).
                let done = self.key(Arc::make_mut(&mut inner), level);
                if list.len() > at || done.is_ok() {
                    let value = self.value(Data::Table(inner));
                    self.put_at(list, at, value)?;
                }
                done.map_err(Panic::Stop)
            }
        }
    }

    fn rest(&mut self) -> String {
        let rest = self.text[self.at..].to_owned();
        self.at = self.text.len();
        rest
    }

    /// `[N]`, behind the bracket.
    fn index(&mut self) -> Result<i64, Stop> {
        let (text, stop) = self.until(&[']']);
        if stop.is_none() {
            return fail("error parsing index: EOF");
        }
        text.parse().or_else(|error: std::num::ParseIntError| {
            let reason = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                    "value out of range"
                }
                _ => "invalid syntax",
            };
            fail(format!("error parsing index: strconv.Atoi: parsing {}: {reason}", quote(&text)))
        })
    }

    /// `{a,b}`, behind the brace.
    fn braces(&mut self) -> Result<Data, Stop> {
        let mut list = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            if stop.is_none() {
                return fail("list must terminate with '}'");
            }
            let data = self.convert(&text).map_err(Stop::Error)?;
            list.push(self.value(data));
            if stop == Some('}') {
                match self.next() {
                    Some(',') | None => {}
                    Some(c) => self.back(c),
                }
                return Ok(Data::List(Arc::new(list)));
            }
        }
    }

    /// Skips blanks and one comma; true where a comma or the end came.
    fn blank(&mut self) -> bool {
        loop {
            match self.next() {
                None | Some(',') => return true,
                Some(c) if c.is_whitespace() => {}
                Some(c) => {
                    self.back(c);
                    return false;
                }
            }
        }
    }

    /// The JSON value that starts here; null where there is none.
    fn json(&mut self) -> Result<Value, Stop> {
        if self.blank() {
            return Ok(self.value(Data::Null));
        }
        let mut values =
            serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<serde_json::Value>();
        match values.next() {
            Some(Ok(json)) => {
                self.at += values.byte_offset();
                Ok(from_json(&json, &self.origin()))
            }
            Some(Err(error)) => fail(error.to_string()),
            None => fail("EOF"),
        }
    }

    fn convert(&mut self, text: &str) -> Result<Data, String> {
        Ok(match self.flavour {
            Flavour::Typed => typed(text),
            Flavour::File => Data::String(Str::from((self.read)(text)?.as_slice())),
            _ => Data::String(text.into()),
        })
    }

    fn set(&self, data: &mut BTreeMap<Str, Value>, key: &str, value: Data) {
        put(data, key, self.value(value));
    }

    fn put_at(&mut self, list: &mut Vec<Value>, at: usize, value: Value) -> Result<(), Panic> {
        if at > MAX_INDEX {
            return Err(Panic::error(format!(
                "index of {at} is greater than maximum supported index of {MAX_INDEX}"
            )));
        }
        if list.len() <= at {
            self.padding.0 += at + 1 - list.len();
            if self.padding.0 > MAX_PADDING {
                return Err(Panic::error("the indexes of lists make more than 1,000,000 items".to_owned()));
            }
            list.resize(at + 1, self.value(Data::Null));
        }
        list[at] = value;
        Ok(())
    }
}

/// An empty name sets nothing.
fn put(data: &mut BTreeMap<Str, Value>, key: &str, value: Value) {
    if !key.is_empty() {
        data.insert(key.into(), value);
    }
}

/// How reading an item ends badly: where Go panics, the list that was being built is lost.
enum Panic {
    Stop(Stop),
    Recovered(String),
}

impl Panic {
    fn error(message: String) -> Self {
        Self::Stop(Stop::Error(message))
    }
}

impl From<Stop> for Panic {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// `--set` tells booleans, null and whole numbers from text; a leading zero makes text.
fn typed(text: &str) -> Data {
    if text.eq_ignore_ascii_case("true") {
        Data::Bool(true)
    } else if text.eq_ignore_ascii_case("false") {
        Data::Bool(false)
    } else if text.eq_ignore_ascii_case("null") {
        Data::Null
    } else if text == "0" {
        Data::Int(0)
    } else if text.starts_with('0') {
        Data::String(text.into())
    } else {
        text.parse().map_or_else(|_not_a_number| Data::String(text.into()), Data::Int)
    }
}

fn conversion(value: &Value, wanted: &str) -> String {
    let found = if value.is_null() { "nil" } else { value.go_type() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

/// Go's `%q`.
pub fn quote(text: &str) -> String {
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
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, flavour: Flavour) -> Result<String, String> {
        let mut table = Table::default();
        let mut read = |name: &str| {
            if name == "f" { Ok(b"content".to_vec()) } else { Err(format!("open {name}: no such file")) }
        };
        apply(text, flavour, &mut table, None, &mut read, &mut Padding::default())?;
        Ok(super::super::tree::table_to_json(&table).to_string())
    }

    #[test]
    fn lists_are_not_made_long_without_end() {
        let many =
            |count: usize| (0..count).map(|at| format!("a{at}[60000]=1")).collect::<Vec<_>>().join(",");
        assert!(parsed(&many(16), Flavour::Typed).is_ok());
        let said = parsed(&many(17), Flavour::Typed).expect_err("too many");
        assert_eq!(said, "the indexes of lists make more than 1,000,000 items");
    }

    #[test]
    fn set_types_values_and_builds_paths() {
        for (text, json) in [
            (
                "a=1,b=x,c=true,d=null,e=0,f=007,g=1.5,h=",
                r#"{"a":1,"b":"x","c":true,"d":null,"e":0,"f":"007","g":"1.5","h":""}"#,
            ),
            ("a.b[2].c=x", r#"{"a":{"b":[null,null,{"c":"x"}]}}"#),
            ("a={}", r#"{"a":[""]}"#),
            ("a={x,1,null},b=2", r#"{"a":["x",1,null],"b":2}"#),
            (r"n\.o=1,p=a\,b", r#"{"n.o":1,"p":"a,b"}"#),
            ("a[0][1]=x,a[0][0]=y", r#"{"a":[["y","x"]]}"#),
            ("=x", "{}"),
            ("a=TRUE", r#"{"a":true}"#),
            ("a=-5", r#"{"a":-5}"#),
            ("", "{}"),
        ] {
            assert_eq!(parsed(text, Flavour::Typed).as_deref(), Ok(json), "{text}");
        }
    }

    #[test]
    fn other_flavours_read_values_their_way() {
        assert_eq!(parsed("a=1,b=null", Flavour::String).as_deref(), Ok(r#"{"a":"1","b":"null"}"#));
        assert_eq!(parsed("a=f", Flavour::File).as_deref(), Ok(r#"{"a":"content"}"#));
        assert_eq!(parsed("a=g", Flavour::File), Err("open g: no such file".to_owned()));
        assert_eq!(parsed("a.b=x,y={z}\\", Flavour::Literal).as_deref(), Ok(r#"{"a":{"b":"x,y={z}\\"}}"#));
        assert_eq!(
            parsed(r#"a=[1,{"b":2}] ,c= "x",d="#, Flavour::Json).as_deref(),
            Ok(r#"{"a":[1,{"b":2}],"c":"x","d":null}"#)
        );
    }

    #[test]
    fn errors_are_helms() {
        for (text, message) in [
            ("a", "key \"a\" has no value"),
            ("a,", "key \"a\" has no value (cannot end with ,)"),
            ("a[x]=1", "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("a[-1]=1", "negative -1 index not allowed"),
            ("a[65537]=1", "index of 65537 is greater than maximum supported index of 65536"),
            ("a[0]b=1", "unexpected data at end of array index: \"b\""),
            ("a={x", "list must terminate with '}'"),
            ("a.=1", "key map \"a\" has no value"),
            (
                "a=1,a.b=2",
                "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
            ),
            (
                "a=x,a[0]=2",
                "unable to parse key: interface conversion: interface {} is string, not []interface {}",
            ),
        ] {
            assert_eq!(parsed(text, Flavour::Typed), Err(message.to_owned()), "{text}");
        }
        let deep = format!("{}=1", ["a"; 32].join("."));
        assert!(parsed(&deep, Flavour::Typed).is_err());
    }
}
