//! TOML as BurntSushi/toml 1.6 writes and reads it.
//!
//! Written: keys by bytes, plain values before tables, tables indented by two spaces a level. Read: integers are
//! int64, arrays of tables `[]map[string]interface {}`.

mod read;

pub use read::{Spend, decode};

use super::funcs::sprig::TimeObject;
use super::funcs::{Ctx, FuncError};
use super::strconv;
use super::time::format as format_time;
use super::value::{FieldInfo, Kind, List, MAX_DEPTH, Map, Str, Value};

/// Why a value cannot be written.
#[derive(Clone, Debug)]
pub enum EncodeError {
    /// TOML has no way to say it; upstream's words.
    Toml(String),
    /// Upstream panics, or a limit is met.
    Other(FuncError),
}

impl From<FuncError> for EncodeError {
    fn from(error: FuncError) -> Self {
        Self::Other(error)
    }
}

impl From<EncodeError> for FuncError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Toml(text) => Self::message(text),
            EncodeError::Other(error) => error,
        }
    }
}

type Step = Result<(), EncodeError>;

/// `Encoder.Encode`.
pub fn encode(ctx: &mut Ctx<'_>, value: &Value) -> Result<Vec<u8>, EncodeError> {
    if matches!(value, Value::Nil) {
        let words = "reflect: call of reflect.Value.Type on zero Value";
        return Err(FuncError::message(words).into());
    }
    let mut writer = Writer { ctx, out: Vec::new(), charged: 0, path: Vec::new() };
    writer.encode(value)?;
    writer.settle()?;
    Ok(writer.out)
}

/// What TOML makes of a value.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Shape {
    Nothing,
    Plain,
    Table,
    Tables,
}

struct Writer<'a, 'c> {
    ctx: &'a mut Ctx<'c>,
    out: Vec<u8>,
    charged: usize,
    path: Vec<Vec<u8>>,
}

/// The entries of what is a table: a map, or a struct by its Go names.
fn entries(value: &Value) -> Vec<(Str, Value)> {
    match value {
        Value::Map(map) => map.entries(),
        Value::Object(object) => object
            .fields()
            .into_iter()
            .filter(FieldInfo::is_exported)
            .map(|f| (f.name.into(), f.value))
            .collect(),
        _ => Vec::new(),
    }
}

/// Objects that are written as one value: times, durations, versions.
fn text_of(value: &Value) -> Option<Vec<u8>> {
    let Value::Object(object) = value else {
        return None;
    };
    if let Some(time) = object.downcast::<TimeObject>() {
        return Some(format_time(&time.0, b"2006-01-02T15:04:05.999999999Z07:00"));
    }
    let text = match object.to_data() {
        Some(Value::String(text)) => text,
        Some(_) => return None,
        None => object.underlying().and_then(|_| object.to_text())?,
    };
    Some(quoted(&text))
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

fn key_text(key: &[u8]) -> Vec<u8> {
    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.iter().all(bare) { key.to_vec() } else { quoted(key) }
}

impl Writer<'_, '_> {
    /// What a value is to TOML. A list is looked through to its depths each time, so each look is a step.
    fn shape(&mut self, value: &Value, depth: usize) -> Result<Shape, EncodeError> {
        if depth > MAX_DEPTH / 20 {
            return Err(FuncError::Limit("10,000 levels of nesting").into());
        }
        self.ctx.spend(1)?;
        Ok(match value {
            Value::Nil => Shape::Nothing,
            Value::Map(map) if map.is_nil() => Shape::Nothing,
            Value::List(list) if list.is_nil() => Shape::Nothing,
            Value::Map(_) => Shape::Table,
            Value::Object(_) if text_of(value).is_none() => Shape::Table,
            Value::List(list) => self.list_shape(list, depth)?,
            _ => Shape::Plain,
        })
    }

    /// An array of tables, where all items are some. Nil has no place in an array.
    fn list_shape(&mut self, list: &List, depth: usize) -> Result<Shape, EncodeError> {
        let mut tables = !list.is_empty();
        for item in list.iter() {
            match self.shape(item, depth + 1)? {
                Shape::Nothing => {
                    return Err(EncodeError::Toml("toml: cannot encode array with nil element".into()));
                }
                Shape::Table => {}
                _ => tables = false,
            }
        }
        Ok(if tables { Shape::Tables } else { Shape::Plain })
    }

    fn settle(&mut self) -> Result<(), FuncError> {
        self.ctx.charge_growth(self.out.len(), &mut self.charged)
    }

    /// The same once enough was written to be worth it.
    fn settle_now_and_then(&mut self) -> Result<(), FuncError> {
        if self.out.len() - self.charged > 1 << 16 { self.settle() } else { Ok(()) }
    }

    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
    }

    fn indent(&mut self) {
        let width = 2 * self.path.len().saturating_sub(1);
        self.out.resize(self.out.len() + width, b' ');
    }

    fn header(&mut self, open: &[u8], close: &[u8]) {
        self.indent();
        self.out.extend_from_slice(open);
        let keys: Vec<Vec<u8>> = self.path.iter().map(|key| key_text(key)).collect();
        self.out.extend_from_slice(&keys.join(&b'.'));
        self.out.extend_from_slice(close);
        self.newline();
    }

    fn encode(&mut self, value: &Value) -> Step {
        self.settle_now_and_then()?;
        match self.shape(value, self.path.len())? {
            Shape::Nothing => Ok(()),
            Shape::Plain => {
                if self.path.is_empty() {
                    return self.element(value, 0);
                }
                self.indent();
                let key = key_text(self.path.last().map_or(&[], Vec::as_slice));
                self.out.extend_from_slice(&key);
                self.out.extend_from_slice(b" = ");
                self.element(value, 0)?;
                self.newline();
                Ok(())
            }
            Shape::Table => {
                if self.path.len() == 1 {
                    self.newline();
                }
                if !self.path.is_empty() {
                    self.header(b"[", b"]");
                }
                self.table(value)
            }
            Shape::Tables if self.path.is_empty() => {
                Err(EncodeError::Toml("toml: top-level values must be Go maps or structs".into()))
            }
            Shape::Tables => {
                for item in value.as_list().map_or(&[][..], |list| list) {
                    self.newline();
                    self.header(b"[[", b"]]");
                    self.table(item)?;
                }
                Ok(())
            }
        }
    }

    /// The entries of a table: first those on one line, then its tables.
    fn split(&mut self, value: &Value) -> Result<[Vec<(Str, Value)>; 2], EncodeError> {
        let (mut direct, mut tables) = (Vec::new(), Vec::new());
        for (key, item) in entries(value) {
            match self.shape(&item, self.path.len())? {
                Shape::Table | Shape::Tables => tables.push((key, item)),
                _ => direct.push((key, item)),
            }
        }
        Ok([direct, tables])
    }

    fn table(&mut self, value: &Value) -> Step {
        for (key, item) in self.split(value)?.into_iter().flatten() {
            self.path.push(key.to_vec());
            self.encode(&item)?;
            self.path.pop();
        }
        Ok(())
    }

    /// A value on one line.
    fn element(&mut self, value: &Value, depth: usize) -> Step {
        if depth > MAX_DEPTH / 20 {
            return Err(FuncError::Limit("10,000 levels of nesting").into());
        }
        self.settle_now_and_then()?;
        if let Some(text) = text_of(value) {
            self.out.extend_from_slice(&text);
            return Ok(());
        }
        match value {
            Value::Nil => {}
            Value::Bool(truth) => self.out.extend_from_slice(truth.to_string().as_bytes()),
            Value::Int(_, number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Uint(_, number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => self.out.extend_from_slice(float_text(*number).as_bytes()),
            Value::String(text) => self.out.extend_from_slice(&quoted(text)),
            Value::Bytes(bytes) => {
                let items = bytes.iter().map(|&b| Value::Uint(Kind::Uint8, u64::from(b))).collect();
                self.element(&Value::list(items), depth + 1)?;
            }
            Value::List(list) => {
                self.out.push(b'[');
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        self.out.extend_from_slice(b", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(b']');
            }
            Value::Map(_) | Value::Object(_) => self.inline_table(value, depth)?,
        }
        Ok(())
    }

    /// Entries that hold nothing leave their comma behind, as upstream has it (encode.go, `eMap`).
    fn inline_table(&mut self, value: &Value, depth: usize) -> Step {
        let [direct, tables] = self.split(value)?;
        self.out.push(b'{');
        let trailing = !tables.is_empty();
        for (entries, trailing) in [(direct, trailing), (tables, false)] {
            let last = entries.len().saturating_sub(1);
            for (at, (key, item)) in entries.iter().enumerate() {
                if item.is_nil() {
                    continue;
                }
                self.out.extend_from_slice(&key_text(key));
                self.out.extend_from_slice(b" = ");
                self.element(item, depth + 1)?;
                if trailing || at != last {
                    self.out.extend_from_slice(b", ");
                }
            }
        }
        self.out.push(b'}');
        Ok(())
    }
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.into();
    }
    let text = strconv::format_shortest(number);
    if text.contains(['e', '.']) { text } else { format!("{text}.0") }
}

/// An empty table, for readers that have nothing.
fn empty() -> Map {
    Map::new()
}
