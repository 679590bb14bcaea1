//! The methods that Helm's `Values` type shows to templates (helm 4.2.4 `pkg/chart/common/values.go`).
//!
//! `Encode` is one of them, but no template has the writer that it wants.

use crate::helm::funcs::{Args, Ctx, FuncError, Function, helm};
use crate::helm::value::types::{ANY, MAP, STRING};
use crate::helm::value::{Map, Value};

/// Methods of `common.Values`.
pub static METHODS: &[Function] = &[
    Function::new("AsMap", &[&MAP], as_map),
    Function::new("Encode", &[&MAP, &crate::helm::value::types::REFLECT], encode),
    Function::new("PathValue", &[&MAP, &STRING], path_value),
    Function::new("Table", &[&MAP, &STRING], table),
    Function::new("YAML", &[&MAP], yaml),
];

fn as_map(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let map = args.map(0)?;
    Ok(Value::Map(if map.is_empty() { Map::new() } else { map.with_type(&MAP) }))
}

fn encode(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    Err(FuncError::message(format!("a {} is no io.Writer", args.value(1).type_name())))
}

fn quoted(name: &[u8], tail: &[u8]) -> FuncError {
    let mut message = crate::helm::strconv::quote(name);
    message.extend_from_slice(tail);
    FuncError::message(message)
}

/// The table at a path of names with dots between them.
fn find_table(map: &Map, path: &[&[u8]]) -> Result<Map, FuncError> {
    let mut at = map.clone();
    for name in path {
        at = match at.get(name) {
            Some(Value::Map(inner)) if inner.type_of().elem.is_some_and(|elem| elem.is(&ANY)) => {
                inner.with_type(map.type_of())
            }
            _ => return Err(quoted(name, b" is not a table")),
        };
    }
    Ok(at)
}

fn table(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let path: Vec<&[u8]> = args.str(1)?.split(|b| *b == b'.').collect();
    find_table(args.map(0)?, &path).map(Value::Map)
}

fn path_value(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(1)?;
    if path.is_empty() {
        return Err(FuncError::message("YAML path cannot be empty"));
    }
    let names: Vec<&[u8]> = path.split(|b| *b == b'.').collect();
    let Some((key, before)) = names.split_last() else { return Ok(Value::Nil) };
    let missing = || quoted(key, b" is not a value");
    let found = match find_table(args.map(0)?, before) {
        Ok(table) => table.get(key),
        Err(_) => None,
    };
    found.filter(|value| value.type_of().is_none_or(|ty| !ty.is(&MAP))).ok_or_else(missing)
}

fn yaml(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    helm::write_yaml(ctx, args.value(0), &mut out)?;
    out.push(b'\n');
    Ok(Value::string(out))
}
