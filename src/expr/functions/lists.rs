//! Functions of lists and sets.

use super::{Function, Tools, int, length, list, member, wants, within};
use crate::expr::ast::Op;
use crate::expr::comprehension::sort_pairs;
use crate::expr::data::{List, Val, compare, equal};
use crate::expr::fault::Fault;
use crate::expr::machine::contains;
use crate::expr::operators::binary;
use std::cmp::Ordering;

pub(super) const TABLE: &[Function] = &[
    member("isSorted", 1, 1, "list.isSorted()", |_, args| {
        let items = list(&args[0])?.items()?;
        let mut sorted = true;
        for pair in items.windows(2) {
            let order = compare(&pair[0], &pair[1]).ok_or_else(|| no_order(&pair[0], &pair[1]))?;
            sorted &= order != Ordering::Greater;
        }
        Ok(Val::Bool(sorted))
    }),
    member("sum", 1, 1, "list.sum()", sum),
    member("min", 1, 1, "list.min()", |_, args| best(&list(&args[0])?.items()?, Ordering::Less)),
    member("max", 1, 1, "list.max()", |_, args| best(&list(&args[0])?.items()?, Ordering::Greater)),
    member("distinct", 1, 1, "list.distinct()", distinct),
    member("flatten", 1, 2, "list.flatten()", flatten),
    member("reverse", 1, 1, "list.reverse()", reverse),
    member("slice", 3, 3, "list.slice(start, end)", slice),
    member("sort", 1, 1, "list.sort()", |tools, args| {
        let items = list(&args[0])?.items()?;
        tools.budget.spend(items.len() * 4)?;
        let mut pairs: Vec<_> = items.into_iter().map(|item| (item, Val::Null)).collect();
        sort_pairs(&mut pairs)?;
        Ok(Val::list(pairs.into_iter().map(|(item, _)| item).collect()))
    }),
    within("lists", "range", 1, 1, "lists.range(n)", |tools, args| {
        let count = int(&args[0])?;
        let size = usize::try_from(count).unwrap_or(0);
        tools.budget.items(size)?;
        Ok(Val::list((0..count).map(Val::Int).collect()))
    }),
    within("sets", "contains", 2, 2, "sets.contains(list, part)", |tools, args| {
        subset(tools, list(&args[1])?, list(&args[0])?).map(Val::Bool)
    }),
    within("sets", "equivalent", 2, 2, "sets.equivalent(a, b)", |tools, args| {
        let (a, b) = (list(&args[0])?, list(&args[1])?);
        Ok(Val::Bool(subset(tools, a, b)? && subset(tools, b, a)?))
    }),
    within("sets", "intersects", 2, 2, "sets.intersects(a, b)", |tools, args| {
        let (a, b) = (list(&args[0])?, list(&args[1])?);
        for item in a.items()? {
            if contains(b, &item, &mut tools.budget)? {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }),
];

/// Where there are no optional values, the ends of a list are its items.
pub(super) const ENDS: &[Function] = &[
    member("first", 1, 1, "list.first()", |_, args| end_item(&args[0], true)),
    member("last", 1, 1, "list.last()", |_, args| end_item(&args[0], false)),
];

fn no_order(a: &Val<'_>, b: &Val<'_>) -> Fault {
    Fault::of_type(format!("`{{f}}` compares the items, and {} and {} have no order", a.noun(), b.noun()))
}

fn subset(tools: &mut Tools, part: &List<'_>, whole: &List<'_>) -> Result<bool, Fault> {
    for item in part.items()? {
        if !contains(whole, &item, &mut tools.budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sum<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let items = list(&args[0])?.items()?;
    let mut items = items.into_iter();
    let Some(mut total) = items.next() else { return Ok(Val::Int(0)) };
    if !matches!(total, Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Duration(_)) {
        return Err(Fault::of_type(format!("`sum` adds numbers or durations, not {}", total.noun())));
    }
    for item in items {
        total = binary(Op::Add, &total, &item, &mut tools.budget)?;
    }
    Ok(total)
}

/// The least or greatest item.
pub(super) fn best<'a>(items: &[Val<'a>], wanted: Ordering) -> Result<Val<'a>, Fault> {
    let Some(mut found) = items.first() else {
        return Err(Fault::of_value("the list is empty").help("guard with `size(list) > 0`"));
    };
    for item in &items[1..] {
        if compare(item, found).ok_or_else(|| no_order(item, found))? == wanted {
            found = item;
        }
    }
    Ok(found.clone())
}

fn distinct<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let mut kept: Vec<Val<'a>> = Vec::new();
    'items: for item in list(&args[0])?.items()? {
        for known in &kept {
            if equal(known, &item, &mut tools.budget)? {
                continue 'items;
            }
        }
        kept.push(item);
    }
    Ok(Val::list(kept))
}

fn flatten<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let depth = match args.get(1) {
        Some(depth) => {
            usize::try_from(int(depth)?).map_err(|_error| Fault::of_value("the depth is negative"))?
        }
        None => 1,
    };
    let mut items = list(&args[0])?.items()?;
    for _ in 0..depth.min(64) {
        if !items.iter().any(|item| matches!(item, Val::List(_))) {
            break;
        }
        let mut flat = Vec::new();
        for item in items {
            match item {
                Val::List(inner) => flat.extend(inner.items()?),
                other => flat.push(other),
            }
            tools.budget.items(flat.len() / 64)?;
        }
        tools.budget.items(flat.len())?;
        items = flat;
    }
    Ok(Val::list(items))
}

fn reverse<'a>(tools: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    match &args[0] {
        Val::String(text) => {
            tools.budget.text(text.len())?;
            Ok(Val::text(text.chars().rev().collect::<String>()))
        }
        Val::List(list) => {
            let mut items = list.items()?;
            items.reverse();
            Ok(Val::list(items))
        }
        other => Err(wants("a list or a string", other)),
    }
}

fn slice<'a>(_: &mut Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    let items = list(&args[0])?.items()?;
    let (start, end) = (int(&args[1])?, int(&args[2])?);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range.filter(|(start, end)| start <= end && *end <= items.len()) {
        Some((start, end)) => Ok(Val::list(items[start..end].to_vec())),
        None => {
            Err(Fault::of_value(format!("{start} to {end} is no range of a list of {} items", items.len())))
        }
    }
}

fn end_item<'a>(val: &Val<'a>, first: bool) -> Result<Val<'a>, Fault> {
    let items = list(val)?;
    let index = if first { 0 } else { items.len().saturating_sub(1) };
    items.item(index).unwrap_or_else(|| Err(Fault::of_value("the list is empty")))
}

/// Where a list first or last holds a value.
pub(super) fn index_of<'a>(tools: &mut Tools, args: &[Val<'a>], last: bool) -> Result<Val<'a>, Fault> {
    let mut found = -1;
    for (index, item) in list(&args[0])?.items()?.iter().enumerate() {
        if equal(item, &args[1], &mut tools.budget)? {
            found = length(index);
            if !last {
                break;
            }
        }
    }
    Ok(Val::Int(found))
}
