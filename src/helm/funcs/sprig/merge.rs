//! Merging maps (dario.cat/mergo 1.0) and copying values deeply (mitchellh/copystructure).
//!
//! The rules of a merge, for each key of the source: nil is skipped, or written where it overwrites; two maps merge
//! in place; any other value is written where it overwrites, or where the target has nothing or something empty
//! (false, 0, "", an empty list). What is written is not copied: both maps then share it.

use crate::helm::funcs::{Ctx, FuncError};
use crate::helm::value::{Kind, List, MAX_DEPTH, Map, Value};

fn too_deep() -> FuncError {
    FuncError::Limit("10,000 levels of nesting")
}

/// Emptiness as mergo sees it: a pointer is empty where what it points at is, and structs never are.
fn is_empty(value: &Value) -> bool {
    super::cast::is_empty(value)
}

/// Merges `source` into `target`. False where two values cannot be merged, which ends the merge.
pub(super) fn merge_into(
    ctx: &mut Ctx<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<bool, FuncError> {
    if depth > MAX_DEPTH / 20 {
        return Err(too_deep());
    }
    if target.is_nil() {
        return Ok(true);
    }
    // Values are moved, not looked at: they are read where they are used, and known there by their places.
    let entries = source.entries_unread();
    // A map of strings takes no value of an interface, whatever it holds.
    let typed = target.type_of().elem.is_some_and(|elem| elem.kind != Kind::Interface)
        && source.type_of().elem.is_some_and(|elem| elem.kind == Kind::Interface);
    let mismatch = || {
        let elem = target.type_of().elem.map_or("", |elem| elem.name);
        let words = "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type";
        FuncError::message(format!("{words} {elem}"))
    };
    ctx.spend(2 * entries.len() as u64 + 1)?;
    for (key, value) in entries {
        // As mergo is handed a reflected value, it sees what the target held before this key was merged.
        let held = target.get_unread(&key);
        if value.is_nil() && matches!(value, Value::Nil) {
            if overwrite {
                if typed {
                    return Err(mismatch());
                }
                target.insert_from(source, key, Value::Nil);
            }
            continue;
        }
        match (&held, &value) {
            (Some(Value::Map(inner)), Value::Map(outer))
                if !inner.same(outer) && !merge_into(ctx, inner, outer, overwrite, depth + 1)? =>
            {
                return Ok(false);
            }
            // A pointer is merged only with a pointer.
            (Some(Value::Object(object)), Value::Map(_))
                if object.type_of().kind == Kind::Ptr && !overwrite =>
            {
                return Ok(false);
            }
            _ => {}
        }
        if let Some(held) = held.as_ref().filter(|held| !is_empty(held)) {
            let both_maps = matches!((held, &value), (Value::Map(_), Value::Map(_)));
            if both_maps || !overwrite {
                continue;
            }
        }
        if typed {
            return Err(mismatch());
        }
        ctx.charge(key.len() + size_of::<Value>())?;
        target.insert_from(source, key, value);
    }
    Ok(true)
}

/// A copy that shares no map and no list with the original.
pub(super) fn copy(ctx: &mut Ctx<'_>, value: &Value) -> Result<Value, FuncError> {
    if matches!(value, Value::Nil) {
        return Err(FuncError::message("reflect: call of reflect.Value.Type on zero Value"));
    }
    copy_at(ctx, value, 0)
}

fn copy_at(ctx: &mut Ctx<'_>, value: &Value, depth: usize) -> Result<Value, FuncError> {
    if depth > MAX_DEPTH / 20 {
        return Err(too_deep());
    }
    match value {
        Value::List(list) if !list.is_nil() => {
            ctx.charge(list.len().saturating_mul(size_of::<Value>()).saturating_add(96))?;
            let items = list.iter().map(|item| copy_at(ctx, item, depth + 1)).collect::<Result<_, _>>()?;
            let copied = List::new(list.type_of(), items);
            list.copy_track(&copied);
            Ok(copied.into())
        }
        Value::Map(map) if !map.is_nil() => {
            ctx.charge(map.size().saturating_add(128))?;
            let copied = map.copy();
            for (key, item) in map.entries_unread() {
                if matches!(item, Value::List(_) | Value::Map(_)) {
                    copied.replace_by_copy(key, copy_at(ctx, &item, depth + 1)?);
                }
            }
            Ok(copied.into())
        }
        other => Ok(other.clone()),
    }
}
