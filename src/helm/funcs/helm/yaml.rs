//! `toYaml`, `fromYaml` and their kind, over the reader and the writer of [`crate::yaml`].

use crate::helm::funcs::{Ctx, FuncError};
use crate::helm::gojson::{self, Style, Target};
use crate::helm::value::{MAX_DEPTH, Map, Str, Value, lossy, types};
use crate::yaml::{self, Builder, Data, Emitter, Extent, Options, ToYaml};
use std::borrow::Cow;

impl ToYaml for Value {
    fn to_yaml(&self, to: &mut Emitter<'_>) {
        match self {
            Self::Nil => to.null(),
            Self::Bool(truth) => to.bool(*truth),
            Self::Int(_, number) => to.int(*number),
            Self::Uint(_, number) => to.uint(*number),
            Self::Float(number) => to.float(*number),
            Self::String(text) => to.bytes(text),
            Self::Bytes(bytes) => {
                use base64::Engine as _;
                to.string(&base64::engine::general_purpose::STANDARD.encode(bytes));
            }
            Self::List(list) if list.is_nil() => to.null(),
            Self::List(list) => {
                list.read_all();
                to.list(list.iter());
            }
            Self::Map(map) if map.is_nil() => to.null(),
            Self::Map(map) => {
                map.read_all();
                map.look_unread(|entries| to.map(entries.map(|(key, value)| (key.as_bytes(), value))));
            }
            Self::Object(object) => {
                if let Some(data) = object.to_data().or_else(|| object.underlying()) {
                    data.to_yaml(to);
                } else {
                    let fields = object.fields();
                    let shown = fields.iter().filter(|field| {
                        !(field.omit_empty && crate::helm::funcs::sprig::is_empty(&field.value))
                    });
                    to.map(shown.filter_map(|field| Some((field.json?.as_bytes(), &field.value))));
                }
            }
        }
    }
}

/// Steps that putting so many keys in order counts for.
fn sort_steps(keys: usize) -> u64 {
    keys as u64 * u64::from(keys.checked_ilog2().unwrap_or(0)) / 4
}

/// Accounts for all that writing a value walks over, so that a small value that holds one thing many times cannot
/// grow without bound. A value that contains itself is refused.
fn measure(ctx: &mut Ctx<'_>, value: &Value, depth: usize, bytes: &mut usize) -> Result<(), FuncError> {
    if depth > MAX_DEPTH / 10 {
        return Err(FuncError::message("json: unsupported value: encountered a cycle"));
    }
    // Each value may stand on a line of its own, behind its indentation.
    *bytes += 8 + 2 * depth;
    ctx.spend(1)?;
    if *bytes > 1 << 16 {
        ctx.charge(std::mem::take(bytes))?;
    }
    match value {
        Value::String(text) => {
            let lines = if depth > 0 { memchr::memchr_iter(b'\n', text).count() } else { 0 };
            *bytes = bytes.saturating_add(text.len()).saturating_add(lines.saturating_mul(2 * depth));
        }
        Value::Bytes(text) => *bytes += text.len() * 4 / 3,
        Value::List(list) => {
            for item in list.iter() {
                measure(ctx, item, depth + 1, bytes)?;
            }
        }
        Value::Map(map) => {
            // Keys are put in YAML's order, which is not that of their bytes.
            ctx.spend(sort_steps(map.len()))?;
            return map.look_unread(|entries| {
                for (key, item) in entries {
                    *bytes += key.len();
                    measure(ctx, item, depth + 1, bytes)?;
                }
                Ok(())
            });
        }
        _ => {}
    }
    Ok(())
}

/// Writes a value as `toYaml` does, at the end of `out`.
pub fn write_yaml(ctx: &mut Ctx<'_>, value: &Value, out: &mut Vec<u8>) -> Result<(), FuncError> {
    let mut bytes = 0;
    measure(ctx, value, 0, &mut bytes)?;
    ctx.charge(bytes)?;
    if yaml::to_yaml(value, out).is_err() {
        return Err(match gojson::encode(ctx, value, Style::Compact) {
            Err(FuncError::Message(words)) => {
                FuncError::message([b"error marshaling into JSON: ".as_slice(), &words].concat())
            }
            Err(limit) => limit,
            Ok(_) => FuncError::message("yaml: control characters are not allowed"),
        });
    }
    if out.last() == Some(&b'\n') {
        out.pop();
    }
    Ok(())
}

pub(super) fn to_yaml(ctx: &mut Ctx<'_>, value: &Value) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    write_yaml(ctx, value, &mut out)?;
    Ok(Value::String(out.into()))
}

/// Makes the values that Go's JSON would: every number a float64.
struct GoValues;

impl Builder for GoValues {
    type Value = Value;
    type List = Vec<Value>;
    type Map = Map;

    #[allow(clippy::cast_precision_loss, reason = "JSON numbers are floats in Go")]
    fn scalar(&mut self, data: Data<'_>, _: Extent) -> Value {
        match data {
            Data::Null => Value::Nil,
            Data::Bool(truth) => truth.into(),
            Data::Int(number) => Value::Float(number as f64),
            Data::Uint(number) => Value::Float(number as f64),
            Data::Float(number) => Value::Float(number),
            Data::String(text) => Value::String(text.into()),
        }
    }

    fn list(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn item(&mut self, list: &mut Vec<Value>, value: Value) {
        list.push(value);
    }

    fn end_list(&mut self, list: Vec<Value>, _: Extent) -> Value {
        Value::list(list)
    }

    fn map(&mut self) -> Map {
        Map::new()
    }

    fn member(&mut self, map: &mut Map, key: Cow<'_, str>, at: Extent, value: Value) -> Option<Extent> {
        let known = map.contains(key.as_bytes());
        map.insert(Str::from(key), value);
        known.then_some(at)
    }

    fn end_map(&mut self, map: Map, _: Extent) -> Value {
        map.into()
    }
}

/// `yaml.Unmarshal` of `sigs.k8s.io/yaml` into a map or list: what the variable holds, and the error.
pub fn read_yaml(text: &[u8], target: Target) -> (Value, Option<Vec<u8>>) {
    let empty = || match target {
        Target::Any => Value::Nil,
        Target::Map => Map::new().into(),
        Target::List => Value::list(Vec::new()),
    };
    let Ok(text) = std::str::from_utf8(text) else {
        let words = yaml::first(&lossy(text), Options::LENIENT, &mut GoValues)
            .err()
            .map_or_else(|| "yaml: invalid leading UTF-8 octet".to_owned(), |error| error.go_message());
        return (empty(), Some(format!("error converting YAML to JSON: {words}").into_bytes()));
    };
    let value = match yaml::first(text, Options::LENIENT, &mut GoValues) {
        Ok(document) => document.map_or(Value::Nil, |document| document.value),
        Err(error) => {
            let words = format!("error converting YAML to JSON: {}", error.go_message());
            return (empty(), Some(words.into_bytes()));
        }
    };
    let (kind, name) = match (target, &value) {
        (Target::Any, _) | (Target::Map, Value::Map(_)) | (Target::List, Value::List(_)) => {
            return (value, None);
        }
        (Target::Map | Target::List, Value::Nil) => return (empty(), None),
        (target, value) => {
            let kind = match value {
                Value::Map(_) => "object",
                Value::List(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            let name = if target == Target::Map { types::MAP.name } else { types::LIST.name };
            (kind, name)
        }
    };
    let words = format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type {name}"
    );
    (empty(), Some(words.into_bytes()))
}

/// As `toYaml`, by go-yaml v3.
pub(super) fn to_yaml_pretty(ctx: &mut Ctx<'_>, value: &Value) -> Result<Value, FuncError> {
    let mut bytes = 0;
    measure(ctx, value, 0, &mut bytes)?;
    super::pretty::to_yaml_pretty(ctx, value).map(|text| Value::String(text.into()))
}
