//! JSON as Go's `encoding/json` writes and reads it.
//!
//! Written: keys by bytes, `<`, `>` and `&` escaped (but in [`Style::Raw`]), floats plain between 1e-6 and 1e21,
//! invalid UTF-8 replaced, nil slices and maps as `null`. Read: every number is a float64, later keys win, errors have
//! Go's words. Neither recurses without bound.

use super::funcs::{Ctx, FuncError};
use super::strconv;
use super::value::{List, MAX_DEPTH, Map, Str, Value, types};
use base64::Engine as _;

/// How JSON is laid out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// On one line.
    Compact,
    /// On one line, `<`, `>` and `&` as they are.
    Raw,
    /// Indented by two spaces.
    Pretty,
}

/// The depth from which on maps on the way are remembered, to find one that contains itself (encode.go).
const SUSPICIOUS_DEPTH: usize = 1000;

/// `json.Marshal`, `json.MarshalIndent` and an encoder without HTML escapes.
pub fn encode(ctx: &mut Ctx<'_>, value: &Value, style: Style) -> Result<Vec<u8>, FuncError> {
    let mut writer = Writer { ctx, out: Vec::new(), charged: 0, style, seen: Vec::new() };
    writer.value(value, 0)?;
    writer.settle()?;
    Ok(writer.out)
}

struct Writer<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    out: Vec<u8>,
    charged: usize,
    style: Style,
    seen: Vec<usize>,
}

impl Writer<'_, '_> {
    /// Accounts for what was written since the last time.
    fn settle(&mut self) -> Result<(), FuncError> {
        self.ctx.charge_growth(self.out.len(), &mut self.charged)
    }

    fn line(&mut self, depth: usize) {
        if self.style == Style::Pretty {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * depth, b' ');
        }
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), FuncError> {
        if self.out.len() - self.charged > 1 << 16 {
            self.settle()?;
        }
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(truth) => self.out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            Value::Int(_, number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Uint(_, number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => self.float(*number)?,
            Value::String(text) => write_string(&mut self.out, text, self.style != Style::Raw),
            Value::Bytes(bytes) => {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                self.out.push(b'"');
                self.out.extend_from_slice(text.as_bytes());
                self.out.push(b'"');
            }
            Value::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Value::List(list) => self.list(list, depth)?,
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) => self.map(map, depth)?,
            Value::Object(object) => {
                if depth > MAX_DEPTH {
                    return Err(FuncError::Limit("10,000 levels of nesting"));
                }
                if let Some(data) = object.to_data().or_else(|| object.underlying()) {
                    return self.value(&data, depth + 1);
                }
                let fields = object.fields().into_iter().filter(|field| {
                    field.json.is_some() && !(field.omit_empty && super::funcs::sprig::is_empty(&field.value))
                });
                let entries: Vec<_> =
                    fields.map(|f| (Str::from(f.json.unwrap_or_default()), f.value)).collect();
                self.entries(&entries, depth)?;
            }
        }
        Ok(())
    }

    fn float(&mut self, number: f64) -> Result<(), FuncError> {
        if !number.is_finite() {
            let text = strconv::format_shortest(number);
            return Err(FuncError::message(format!("json: unsupported value: {text}")));
        }
        write_float(&mut self.out, number);
        Ok(())
    }

    fn list(&mut self, list: &List, depth: usize) -> Result<(), FuncError> {
        list.read_all();
        if depth > MAX_DEPTH {
            return Err(FuncError::Limit("10,000 levels of nesting"));
        }
        self.out.push(b'[');
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.line(depth + 1);
            self.value(item, depth + 1)?;
        }
        if !list.is_empty() {
            self.line(depth);
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, map: &Map, depth: usize) -> Result<(), FuncError> {
        let suspicious = depth > SUSPICIOUS_DEPTH;
        if suspicious {
            if self.seen.contains(&map.id()) {
                let name = map.type_of().name;
                let words = format!("json: unsupported value: encountered a cycle via {name}");
                return Err(FuncError::message(words));
            }
            if depth > MAX_DEPTH {
                return Err(FuncError::Limit("10,000 levels of nesting"));
            }
            self.seen.push(map.id());
        }
        self.out.push(b'{');
        let mut first = true;
        map.try_each(|key, item| self.entry(&mut first, key, item, depth))?;
        if !first {
            self.line(depth);
        }
        self.out.push(b'}');
        if suspicious {
            self.seen.pop();
        }
        Ok(())
    }

    fn entries(&mut self, entries: &[(Str, Value)], depth: usize) -> Result<(), FuncError> {
        self.out.push(b'{');
        let mut first = true;
        for (key, item) in entries {
            self.entry(&mut first, key, item, depth)?;
        }
        if !first {
            self.line(depth);
        }
        self.out.push(b'}');
        Ok(())
    }

    fn entry(&mut self, first: &mut bool, key: &Str, item: &Value, depth: usize) -> Result<(), FuncError> {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
        self.line(depth + 1);
        write_string(&mut self.out, key, self.style != Style::Raw);
        self.out.extend_from_slice(if self.style == Style::Pretty { b": " } else { b":" });
        self.value(item, depth + 1)
    }
}

/// A finite float: plain, but with an exponent below 1e-6 and from 1e21 on.
pub fn write_float(out: &mut Vec<u8>, number: f64) {
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        out.extend_from_slice(strconv::format_plain(number).as_bytes());
        return;
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    out.extend_from_slice(digits.as_bytes());
    out.push(b'e');
    if !exponent.starts_with('-') {
        out.push(b'+');
    }
    out.extend_from_slice(exponent.as_bytes());
}

/// A string in quotes; `html` escapes `<`, `>` and `&` too. Line separators are always escaped.
pub fn write_string(out: &mut Vec<u8>, text: &[u8], html: bool) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let plain = rest
            .iter()
            .position(|&b| !(0x20..0x80).contains(&b) || matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&'))
            .unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        let Some(&byte) = rest.first() else {
            break;
        };
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => 0,
        };
        if short != 0 {
            out.extend_from_slice(&[b'\\', short]);
            rest = &rest[1..];
            continue;
        }
        let (rune, width) = strconv::valid_rune(rest);
        let escaped = match rune {
            None => Some(0xfffd),
            Some(c @ ('\u{2028}' | '\u{2029}')) => Some(u32::from(c)),
            Some(c) if c < ' ' || html && matches!(c, '<' | '>' | '&') => Some(u32::from(c)),
            Some(_) => None,
        };
        match escaped {
            Some(code) => out.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
            None => out.extend_from_slice(&rest[..width]),
        }
        rest = &rest[width..];
    }
    out.push(b'"');
}

/// What a text is decoded into.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `interface {}`.
    Any,
    /// `map[string]interface {}`.
    Map,
    /// `[]interface {}`.
    List,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
        }
    }

    /// What the variable holds before anything is read.
    fn empty(self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::Map => Map::new().into(),
            Self::List => Value::list(Vec::new()),
        }
    }
}

/// `json.Unmarshal`: what the variable holds afterwards, and the error, if any.
pub fn decode(text: &[u8], target: Target) -> (Value, Option<Vec<u8>>) {
    let mut reader = Reader { text, at: 0, error: None };
    let value = match reader.document() {
        Ok(value) => value,
        Err(words) => return (target.empty(), Some(words)),
    };
    let kind = match (target, &value) {
        (Target::Any, _) | (Target::Map, Value::Map(_)) | (Target::List, Value::List(_)) => {
            return (value, reader.error);
        }
        (Target::Map, Value::Nil) if reader.error.is_none() => return (Map::nil(&types::MAP).into(), None),
        (Target::List, Value::Nil) if reader.error.is_none() => {
            return (List::nil(&types::LIST).into(), None);
        }
        (_, Value::Map(_)) => "object",
        (_, Value::List(_)) => "array",
        (_, Value::String(_)) => "string",
        (_, Value::Bool(_)) => "bool",
        _ => "number",
    };
    let words = format!("json: cannot unmarshal {kind} into Go value of type {}", target.name());
    (target.empty(), Some(words.into_bytes()))
}

const MAX_NESTING: usize = 10_000;

type Step<T> = Result<T, Vec<u8>>;

/// A list or map being read.
enum Open {
    List(Vec<Value>),
    Map(Map, Str),
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    error: Option<Vec<u8>>,
}

impl Reader<'_> {
    fn fault<T>(&self, context: &str) -> Step<T> {
        // At the end Go's scanner is fed one space more, which ends a number or a word, but not well.
        let inside =
            ["in literal", "in numeric", "in exponent", "in \\u", "in string escape", "after decimal"];
        let byte = match self.text.get(self.at) {
            Some(&byte) => byte,
            None if inside.iter().any(|start| context.starts_with(start)) => b' ',
            None => return Err(b"unexpected end of JSON input".to_vec()),
        };
        let quoted = match byte {
            b'\'' => r"'\''".into(),
            b'"' => "'\"'".into(),
            _ => {
                let text = strconv::quote(char::from(byte).encode_utf8(&mut [0; 4]).as_bytes());
                format!("'{}'", String::from_utf8_lossy(&text[1..text.len() - 1]))
            }
        };
        Err(format!("invalid character {quoted} {context}").into_bytes())
    }

    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn document(&mut self) -> Step<Value> {
        let mut open: Vec<Open> = Vec::new();
        let value = 'value: loop {
            let mut value = match self.peek() {
                Some(b'[') => {
                    self.deeper(open.len())?;
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        Value::list(Vec::new())
                    } else {
                        open.push(Open::List(Vec::new()));
                        continue;
                    }
                }
                Some(b'{') => {
                    self.deeper(open.len())?;
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        Map::new().into()
                    } else {
                        let key = self.key()?;
                        open.push(Open::Map(Map::new(), key));
                        continue;
                    }
                }
                _ => self.scalar()?,
            };
            // The value is complete: into what is open, which may be complete then, too.
            loop {
                match open.pop() {
                    None => break 'value value,
                    Some(Open::List(mut items)) => {
                        items.push(value);
                        match self.peek() {
                            Some(b',') => {
                                self.at += 1;
                                open.push(Open::List(items));
                                continue 'value;
                            }
                            Some(b']') => value = Value::list(items),
                            _ => return self.fault("after array element"),
                        }
                    }
                    Some(Open::Map(map, key)) => {
                        map.insert(key, value);
                        match self.peek() {
                            Some(b',') => {
                                self.at += 1;
                                let key = self.key()?;
                                open.push(Open::Map(map, key));
                                continue 'value;
                            }
                            Some(b'}') => value = map.into(),
                            _ => return self.fault("after object key:value pair"),
                        }
                    }
                }
                self.at += 1;
            }
        };
        match self.peek() {
            None => Ok(value),
            Some(_) => self.fault("after top-level value"),
        }
    }

    fn deeper(&mut self, depth: usize) -> Step<()> {
        if depth >= MAX_NESTING {
            return self.fault("exceeded max depth");
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Step<Str> {
        if self.peek() != Some(b'"') {
            return self.fault("looking for beginning of object key string");
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return self.fault("after object key");
        }
        self.at += 1;
        Ok(key)
    }

    fn scalar(&mut self) -> Step<Value> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            _ => self.fault("looking for beginning of value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Step<Value> {
        self.at += 1;
        for &letter in &word.as_bytes()[1..] {
            if self.text.get(self.at) != Some(&letter) {
                return self.fault(&format!("in literal {word} (expecting '{}')", char::from(letter)));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Step<Value> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else if !self.digits() {
            return self.fault("in numeric literal");
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !self.digits() {
                return self.fault("after decimal point in numeric literal");
            }
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.digits() {
                return self.fault("in exponent of numeric literal");
            }
        }
        let digits = &self.text[start..self.at];
        Ok(strconv::parse_float(digits).map_or_else(
            |_| {
                let digits = String::from_utf8_lossy(digits);
                let words = format!("json: cannot unmarshal number {digits} into Go value of type float64");
                self.error.get_or_insert(words.into_bytes());
                Value::Nil
            },
            Value::Float,
        ))
    }

    fn hex4(&mut self) -> Step<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.text.get(self.at).and_then(|&b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return self.fault("in \\u hexadecimal character escape");
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn string(&mut self) -> Step<Str> {
        self.at += 1;
        let mut out: Vec<u8> = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .iter()
                .position(|&b| !(0x20..0x80).contains(&b) || b == b'"' || b == b'\\')
                .unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(0x80..) => {
                    let (rune, width) = strconv::valid_rune(&rest[plain..]);
                    let rune = rune.unwrap_or('\u{fffd}');
                    out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
                    self.at += width;
                }
                _ => return self.fault("in string literal"),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Step<()> {
        self.at += 1;
        let byte = match self.text.get(self.at) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let mut code = self.hex4()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10 | (low - 0xdc00));
                    } else {
                        self.at = back;
                    }
                }
                let rune = char::from_u32(code).unwrap_or('\u{fffd}');
                out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return self.fault("in string escape code"),
        };
        out.push(byte);
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, target: Target) -> String {
        String::from_utf8(decode(text.as_bytes(), target).1.unwrap_or_default()).unwrap()
    }

    #[test]
    fn faults_have_gos_words() {
        for (text, words) in [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("nul", "invalid character ' ' in literal null (expecting 'l')"),
            ("-", "invalid character ' ' in numeric literal"),
            ("\"a", "unexpected end of JSON input"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("1 2", "invalid character '2' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("tru\u{e9}", "invalid character '\u{c3}' in literal true (expecting 'e')"),
            ("\"\n\"", r"invalid character '\n' in string literal"),
            ("\"\\q\"", "invalid character 'q' in string escape code"),
            ("'a'", r"invalid character '\'' looking for beginning of value"),
            ("1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"),
        ] {
            assert_eq!(error(text, Target::Any), words, "{text}");
        }
        assert_eq!(
            error("[]", Target::Map),
            "json: cannot unmarshal array into Go value of type map[string]interface {}"
        );
    }

    #[test]
    fn strings_and_floats() {
        let mut out = Vec::new();
        write_string(&mut out, b"<a>&\"\x01\xff\x7f", true);
        write_string(&mut out, "<\u{2028}\u{e9}".as_bytes(), false);
        for number in [1e21, 1e-7, 0.000_001, 123_456_789.0, -0.0, 1.5e300] {
            out.push(b' ');
            write_float(&mut out, number);
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"\\u003ca\\u003e\\u0026\\\"\\u0001\\ufffd\u{7f}\"\"<\\u2028\u{e9}\" 1e+21 1e-7 0.000001 123456789 -0 1.5e+300"
        );
    }
}
