//! Maps. `set`, `unset` and the merges change the map they are given, seen by everybody who holds it; `dict`, `pick`
//! and `omit` make new ones with the same values.

use super::cast::strval;
use super::merge::{copy, merge_into};
use crate::helm::funcs::{Args, Ctx, FuncError, Function, mismatch};
use crate::helm::value::types::{ANY, MAP, STRING};
use crate::helm::value::{Map, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::variadic("dict", &[&ANY], dict),
    Function::new("get", &[&MAP, &STRING], |_, args| {
        Ok(args.map(0)?.get(args.str(1)?).unwrap_or_else(|| "".into()))
    }),
    Function::new("set", &[&MAP, &STRING, &ANY], set),
    Function::new("unset", &[&MAP, &STRING], |_, args| {
        let map = args.map(0)?;
        drop(map.remove(args.str(1)?));
        Ok(map.with_type(&MAP).into())
    }),
    Function::new("hasKey", &[&MAP, &STRING], |_, args| Ok(args.map(0)?.contains(args.str(1)?).into())),
    Function::variadic("pluck", &[&STRING, &MAP], pluck),
    Function::variadic("keys", &[&MAP], keys),
    Function::new("values", &[&MAP], |ctx, args| {
        let entries = args.map(0)?.entries();
        charge(ctx, entries.len())?;
        Ok(Value::list(entries.into_iter().map(|(_, value)| value).collect()))
    }),
    Function::variadic("pick", &[&MAP, &STRING], pick),
    Function::variadic("omit", &[&MAP, &STRING], omit),
    Function::variadic("merge", &[&MAP, &MAP], |ctx, args| merge(ctx, args, false, true)),
    Function::variadic("mergeOverwrite", &[&MAP, &MAP], |ctx, args| merge(ctx, args, true, true)),
    Function::variadic("mustMerge", &[&MAP, &MAP], |ctx, args| merge(ctx, args, false, false)),
    Function::variadic("mustMergeOverwrite", &[&MAP, &MAP], |ctx, args| merge(ctx, args, true, false)),
    Function::new("deepCopy", &[&ANY], |ctx, args| copy(ctx, args.value(0))),
    Function::new("mustDeepCopy", &[&ANY], |ctx, args| copy(ctx, args.value(0))),
    Function::variadic("dig", &[&ANY], dig),
];

type Answer = Result<Value, FuncError>;

fn charge(ctx: &mut Ctx<'_>, count: usize) -> Result<(), FuncError> {
    ctx.charge(count.saturating_mul(2 * size_of::<Value>()))
}

fn dict(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    charge(ctx, args.len())?;
    let map = Map::new();
    for at in (0..args.len()).step_by(2) {
        let key = strval(args.value(at))?;
        let value = if at + 1 < args.len() { args.take(at + 1) } else { "".into() };
        map.insert(key, value);
    }
    Ok(map.into())
}

fn set(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let value = args.take(2);
    let (map, key) = (args.map(0)?, args.str(1)?);
    ctx.charge(key.len() + size_of::<Value>())?;
    if map.insert(key.clone(), value) {
        Ok(map.with_type(&MAP).into())
    } else {
        Err(FuncError::message("assignment to entry in nil map"))
    }
}

fn pluck(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let key = args.str(0)?;
    charge(ctx, args.len())?;
    Ok(Value::list(args.rest(1).iter().filter_map(Value::as_map).filter_map(|map| map.get(key)).collect()))
}

/// In order; Go's own order changes from run to run.
fn keys(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut keys = Vec::new();
    for map in args.all().iter().filter_map(Value::as_map) {
        charge(ctx, map.len())?;
        keys.extend(map.keys());
    }
    Ok(Value::strings(keys))
}

fn names<'a>(args: &'a Args<'_>) -> impl Iterator<Item = &'a Str> {
    args.rest(1).iter().filter_map(Value::as_str)
}

fn pick(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (map, picked) = (args.map(0)?, Map::new());
    charge(ctx, args.len())?;
    for name in names(args) {
        if let Some(value) = map.get_unread(name) {
            picked.insert_from(map, name.clone(), value);
        }
    }
    Ok(picked.into())
}

fn omit(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let map = args.map(0)?;
    charge(ctx, map.len())?;
    let kept = if map.is_nil() { Map::new() } else { map.copy().with_type(&MAP) };
    for name in names(args) {
        drop(kept.remove(name));
    }
    Ok(kept.into())
}

fn merge(ctx: &mut Ctx<'_>, args: &mut Args<'_>, overwrite: bool, quiet: bool) -> Answer {
    let given = args.map(0)?;
    let mut target = given.with_type(&MAP);
    for source in args.rest(1).iter().filter_map(Value::as_map) {
        if target.is_nil() && !source.is_nil() {
            target = Map::new();
        }
        match merge_into(ctx, &target, source, overwrite, 0) {
            Ok(true) => {}
            Ok(false) if quiet => return Ok("".into()),
            Ok(false) => return Err(FuncError::message("src and dst must be of same type")),
            Err(error) => return Err(error),
        }
    }
    Ok(target.into())
}

/// Keys, the default, the map. The default counts only where a key is missing: a null that is there is the answer.
fn dig(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let Some(last) = args.len().checked_sub(1).filter(|&last| last >= 2) else {
        return Err(FuncError::message("dig needs at least three arguments"));
    };
    let map_of = |value: &Value| match value {
        Value::Map(map) if map.type_of().is(&MAP) => Ok(map.clone()),
        other => Err(mismatch(other, "map[string]interface {}")),
    };
    let mut map = map_of(args.value(last))?;
    let keys = &args.all()[..last - 1];
    if let Some(odd) = keys.iter().find(|key| key.as_str().is_none()) {
        return Err(mismatch(odd, "string"));
    }
    for (at, key) in keys.iter().filter_map(Value::as_str).enumerate() {
        let Some(value) = map.get(key) else {
            return Ok(args.take(last - 1));
        };
        if at + 1 == keys.len() {
            return Ok(value);
        }
        map = map_of(&value)?;
    }
    Ok(Value::Nil)
}
