//! Lists. Every function that changes one makes a new one; items stay shared.

use super::cast::{is_empty, items, nil_dereference, strings_of, strval, to_int};
use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::value::types::{ANY, INT, LIST, LISTS};
use crate::helm::value::{Kind, List, Value, deep_equal};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::variadic("list", &[&ANY], list),
    Function::variadic("tuple", &[&ANY], list),
    Function::new("append", &[&ANY, &ANY], push),
    Function::new("push", &[&ANY, &ANY], push),
    Function::new("mustAppend", &[&ANY, &ANY], push),
    Function::new("mustPush", &[&ANY, &ANY], push),
    Function::new("prepend", &[&ANY, &ANY], prepend),
    Function::new("mustPrepend", &[&ANY, &ANY], prepend),
    Function::new("first", &[&ANY], first),
    Function::new("mustFirst", &[&ANY], first),
    Function::new("last", &[&ANY], last),
    Function::new("mustLast", &[&ANY], last),
    Function::new("rest", &[&ANY], |ctx, args| rest(ctx, args, "find rest on")),
    Function::new("mustRest", &[&ANY], |ctx, args| rest(ctx, args, "find rest on")),
    Function::new("initial", &[&ANY], initial),
    Function::new("mustInitial", &[&ANY], initial),
    Function::new("reverse", &[&ANY], reverse),
    Function::new("mustReverse", &[&ANY], reverse),
    Function::new("compact", &[&ANY], compact),
    Function::new("mustCompact", &[&ANY], compact),
    Function::new("uniq", &[&ANY], uniq),
    Function::new("mustUniq", &[&ANY], uniq),
    Function::variadic("without", &[&ANY, &ANY], without),
    Function::variadic("mustWithout", &[&ANY, &ANY], without),
    Function::new("has", &[&ANY, &ANY], has),
    Function::new("mustHas", &[&ANY, &ANY], has),
    Function::variadic("slice", &[&ANY, &ANY], slice),
    Function::variadic("mustSlice", &[&ANY, &ANY], slice),
    Function::variadic("concat", &[&ANY], concat),
    Function::new("chunk", &[&INT, &ANY], chunk),
    Function::new("mustChunk", &[&INT, &ANY], chunk),
    Function::new("sortAlpha", &[&ANY], sort_alpha),
];

type Answer = Result<Value, FuncError>;

fn charge(ctx: &mut Ctx<'_>, count: usize) -> Result<(), FuncError> {
    ctx.charge(count.saturating_mul(size_of::<Value>()))
}

/// The items of the argument at `at`, else the error that it is no list, with what was to be done.
fn items_at(ctx: &mut Ctx<'_>, args: &Args<'_>, at: usize, doing: &str) -> Result<Vec<Value>, FuncError> {
    let wrong = |kind: Kind| FuncError::message(format!("Cannot {doing} type {}", kind.name()));
    let items = items(args.value(at))?.map_err(wrong)?;
    charge(ctx, items.len())?;
    Ok(items)
}

fn list(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    charge(ctx, args.len())?;
    Ok(Value::list(args.take_rest(0)))
}

fn push(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut items = items_at(ctx, args, 0, "push on")?;
    items.push(args.take(1));
    Ok(Value::list(items))
}

fn prepend(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut items = items_at(ctx, args, 0, "prepend on")?;
    items.insert(0, args.take(1));
    Ok(Value::list(items))
}

/// The same, for a function whose result depends on what is in the items.
fn items_read(ctx: &mut Ctx<'_>, args: &Args<'_>, at: usize, doing: &str) -> Result<Vec<Value>, FuncError> {
    if let Value::List(list) = args.value(at) {
        list.read_all();
    }
    items_at(ctx, args, at, doing)
}

/// One item, without copying the list.
fn pick(args: &Args<'_>, doing: &str, at: fn(usize) -> usize) -> Answer {
    match args.value(0) {
        Value::Nil => Err(nil_dereference()),
        Value::List(list) if list.is_empty() => Ok(Value::Nil),
        Value::List(list) => {
            let at = at(list.len());
            list.read_item(at);
            Ok(list.get(at).cloned().unwrap_or_default())
        }
        Value::Bytes(bytes) => Ok(bytes
            .get(at(bytes.len().max(1)))
            .map_or(Value::Nil, |&byte| Value::Uint(Kind::Uint8, u64::from(byte)))),
        other => Err(FuncError::message(format!("Cannot {doing} type {}", other.kind().name()))),
    }
}

fn first(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    pick(args, "find first on", |_| 0)
}

fn last(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    pick(args, "find last on", |len| len - 1)
}

fn rest(ctx: &mut Ctx<'_>, args: &mut Args<'_>, doing: &str) -> Answer {
    let mut items = items_at(ctx, args, 0, doing)?;
    if items.is_empty() {
        return Ok(List::nil(&LIST).into());
    }
    items.remove(0);
    Ok(Value::list(items))
}

fn initial(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut items = items_at(ctx, args, 0, "find initial on")?;
    match items.pop() {
        None => Ok(List::nil(&LIST).into()),
        Some(_) => Ok(Value::list(items)),
    }
}

fn reverse(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut items = items_at(ctx, args, 0, "find reverse on")?;
    items.reverse();
    Ok(Value::list(items))
}

fn compact(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut items = items_read(ctx, args, 0, "compact on")?;
    items.retain(|item| !is_empty(item));
    Ok(Value::list(items))
}

fn contains(ctx: &mut Ctx<'_>, items: &[Value], wanted: &Value) -> Result<bool, FuncError> {
    ctx.spend(items.len() as u64)?;
    Ok(items.iter().any(|item| deep_equal(wanted, item)))
}

fn uniq(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut kept = Vec::new();
    for item in items_read(ctx, args, 0, "find uniq on")? {
        if !contains(ctx, &kept, &item)? {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn without(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut kept = Vec::new();
    for item in items_read(ctx, args, 0, "find without on")? {
        if !contains(ctx, args.rest(1), &item)? {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn has(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    if matches!(args.value(1), Value::Nil) {
        return Ok(false.into());
    }
    if let Value::List(list) = args.value(1) {
        list.read_all();
        return contains(ctx, list, args.value(0)).map(Value::Bool);
    }
    let items = items_at(ctx, args, 1, "find has on")?;
    contains(ctx, &items, args.value(0)).map(Value::Bool)
}

fn slice(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let len = match args.value(0) {
        Value::Nil => return Err(nil_dereference()),
        Value::List(list) => list.len(),
        Value::Bytes(bytes) => bytes.len(),
        other => {
            let kind = other.kind().name();
            return Err(FuncError::message(format!("list should be type of slice or array but {kind}")));
        }
    };
    if len == 0 {
        return Ok(Value::Nil);
    }
    let bound = |at: usize, default: i64| if args.len() > at { to_int(args.value(at)) } else { default };
    let (start, end) = (bound(1, 0), bound(2, i64::try_from(len).unwrap_or(i64::MAX)));
    let range = (usize::try_from(start).ok().zip(usize::try_from(end).ok()))
        .filter(|(start, end)| start <= end && *end <= len)
        .ok_or_else(|| FuncError::message("reflect.Value.Slice: slice index out of bounds"))?;
    charge(ctx, range.1 - range.0)?;
    Ok(match args.value(0) {
        Value::List(list) => {
            list.read_itself();
            List::new(list.type_of(), list[range.0..range.1].to_vec()).into()
        }
        Value::Bytes(bytes) => Value::Bytes(bytes[range.0..range.1].into()),
        _ => Value::Nil,
    })
}

/// The nil list where there is nothing to join.
fn concat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let mut all = Vec::new();
    for value in args.all() {
        let wrong = |kind: Kind| FuncError::message(format!("Cannot concat type {} as list", kind.name()));
        let mut items = items(value)?.map_err(wrong)?;
        charge(ctx, items.len())?;
        all.append(&mut items);
    }
    Ok(if all.is_empty() { List::nil(&LIST).into() } else { Value::list(all) })
}

/// Go computes the number of chunks in floats, so that a size of 0 asks for an impossible one.
fn chunk(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let size = args.int(0)?;
    let items = items_at(ctx, args, 1, "chunk")?;
    let impossible = || FuncError::message("runtime error: makeslice: len out of range");
    let Some(step) = usize::try_from(size).ok().filter(|&size| size > 0) else {
        // For a size below 0 the count comes out as 0 or less; one item is a chunk of its own.
        let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
        return match len {
            _ if size == 0 => Err(impossible()),
            1 if size < -1 => Ok(List::new(&LISTS, vec![Value::list(items)]).into()),
            0 | 1 => Err(impossible()),
            len if size <= 1 - len => Ok(List::new(&LISTS, Vec::new()).into()),
            _ => Err(impossible()),
        };
    };
    let chunks = items.chunks(step).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(List::new(&LISTS, chunks).into())
}

fn sort_alpha(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let value = args.value(0);
    let mut texts = match value {
        Value::List(_) | Value::Bytes(_) => strings_of(value)?,
        other => vec![strval(other)?],
    };
    charge(ctx, texts.len())?;
    texts.sort();
    Ok(Value::strings(texts))
}
