//! The functions that Helm adds to sprig's, but for those of the engine (Helm's pkg/engine/funcs.go).
//!
//! The `from` functions never fail: what is wrong stands in the map's `Error`, or is the list's one item. The `to`
//! functions give the empty text for what they cannot write (`toToml` the error's text), their `must` forms fail.

mod pretty;
mod yaml;

pub use yaml::{read_yaml, write_yaml};

use super::{Args, Ctx, FuncError, Function, Impurity};
use crate::helm::gojson::{self, Style, Target};
use crate::helm::toml;
use crate::helm::value::types::{ANY, STRING};
use crate::helm::value::{Map, Value};

/// All of Helm's tables.
pub static TABLES: &[&[Function]] = &[FUNCTIONS];

static FUNCTIONS: &[Function] = &[
    Function::new("toYaml", &[&ANY], |ctx, args| quiet(yaml::to_yaml(ctx, args.value(0)))),
    Function::new("mustToYaml", &[&ANY], |ctx, args| yaml::to_yaml(ctx, args.value(0)))
        .only(|profile| profile.must_to_yaml),
    Function::new("toYamlPretty", &[&ANY], |ctx, args| quiet(yaml::to_yaml_pretty(ctx, args.value(0)))),
    Function::new("fromYaml", &[&STRING], |ctx, args| {
        let text = args.str(0)?.clone();
        ctx.charge(text.len())?;
        ctx.spend(text.len() as u64)?;
        Ok(or_error_entry(read_yaml(&text, Target::Map)))
    }),
    Function::new("fromYamlArray", &[&STRING], |ctx, args| {
        let text = args.str(0)?.clone();
        ctx.charge(text.len())?;
        ctx.spend(text.len() as u64)?;
        Ok(or_error_item(read_yaml(&text, Target::List)))
    }),
    Function::new("toJson", &[&ANY], |ctx, args| quiet(to_json(ctx, args))),
    Function::new("mustToJson", &[&ANY], to_json),
    Function::new("fromJson", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len())?;
        ctx.spend(text.len() as u64)?;
        Ok(or_error_entry(gojson::decode(text, Target::Map)))
    }),
    Function::new("fromJsonArray", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len())?;
        ctx.spend(text.len() as u64)?;
        Ok(or_error_item(gojson::decode(text, Target::List)))
    }),
    Function::new("toToml", &[&ANY], |ctx, args| match toml::encode(ctx, args.value(0)) {
        Err(toml::EncodeError::Toml(text)) => Ok(text.into()),
        other => other.map(|text| Value::String(text.into())).map_err(Into::into),
    }),
    Function::new("mustToToml", &[&ANY], |ctx, args| {
        toml::encode(ctx, args.value(0)).map(|text| Value::String(text.into())).map_err(Into::into)
    })
    .only(|profile| profile.must_to_yaml),
    Function::new("fromToml", &[&STRING], |ctx, args| {
        let text = args.str(0)?;
        ctx.charge(text.len())?;
        ctx.spend(text.len() as u64)?;
        let (map, error) = toml::decode(text, &mut |steps| ctx.spend(steps))?;
        Ok(or_error_entry((map.into(), error.map(String::into_bytes))))
    }),
    Function::new("lookup", &[&STRING, &STRING, &STRING, &STRING], |_, _| Ok(Map::new().into()))
        .impure(Impurity::Lookup),
    // Helm does not resolve names unless it is told to.
    Function::new("getHostByName", &[&STRING], |_, _| Ok("".into())).impure(Impurity::Network),
];

type Answer = Result<Value, FuncError>;

/// The empty text in place of an error.
fn quiet(answer: Answer) -> Answer {
    match answer {
        Err(FuncError::Message(_)) => Ok("".into()),
        other => other,
    }
}

fn to_json(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    gojson::encode(ctx, args.value(0), Style::Compact).map(|text| Value::String(text.into()))
}

/// The map, with the error in it.
fn or_error_entry((value, error): (Value, Option<Vec<u8>>)) -> Value {
    if let (Some(error), Some(map)) = (error, value.as_map()) {
        map.insert("Error", Value::String(error.into()));
    }
    value
}

/// The list, or one of the error.
fn or_error_item((value, error): (Value, Option<Vec<u8>>)) -> Value {
    match error {
        Some(error) => Value::list(vec![Value::String(error.into())]),
        None => value,
    }
}
