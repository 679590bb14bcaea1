//! Comprehensions: `all exists exists_one filter map sortBy transformList transformMap transformMapEntry`.
//!
//! Lists run in their order, maps in byte order of their keys.

use super::ast::{Macro, MacroKind};
use super::data::{Key, Val, compare};
use super::fault::Fault;
use super::machine::{Item, Machine, Spot, What, decisive, key_text};
use crate::value::Origin;
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::sync::Arc;

impl<'a> Machine<'a> {
    /// What a comprehension runs over: for each round its one or two variables.
    fn rounds(&mut self, parts: &Macro) -> Result<Vec<(Val<'a>, Option<Val<'a>>)>, Fault> {
        let two = parts.second.is_some();
        let range = match self.item(&parts.range)? {
            Item::Spot(Spot { what: What::Lazy(lazy), path }) if !two => {
                self.note(&path, &Origin::Compiler);
                let mut keys = lazy.keys();
                keys.sort();
                return Ok(keys.into_iter().map(|key| (Val::String(key), None)).collect());
            }
            Item::Spot(spot) => self.take(&spot).map_err(|fault| fault.at(parts.range.at))?,
            Item::Val(val) => val,
        };
        match range {
            Val::List(list) => {
                self.tools.budget.items(list.len())?;
                let items = list.items().map_err(|fault| fault.at(parts.range.at))?;
                Ok(items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        if two {
                            (Val::Int(i64::try_from(index).unwrap_or(i64::MAX)), Some(item))
                        } else {
                            (item, None)
                        }
                    })
                    .collect())
            }
            Val::Map(map) => {
                self.tools.budget.items(map.len())?;
                let mut keys = map.keys();
                keys.sort();
                keys.into_iter()
                    .map(|key| {
                        let value = if two { map.get(&key).transpose()? } else { None };
                        Ok((key.to_val(), value))
                    })
                    .collect()
            }
            other => Err(self
                .wrong(
                    format!("a comprehension runs over a list or a map, not {}", other.noun()),
                    &[&parts.range],
                )
                .at(parts.range.at)),
        }
    }

    /// `optMap` and `optFlatMap`.
    fn optional_map(&mut self, parts: &Macro) -> Result<Val<'a>, Fault> {
        let inner = match self.eval(&parts.range)? {
            Val::Optional(Some(inner)) => inner.as_ref().clone(),
            none @ Val::Optional(None) => return Ok(none),
            other => {
                let fault = Fault::of_type(format!("{} is no optional value", other.noun()));
                return Err(fault.at(parts.range.at));
            }
        };
        self.locals.push((Arc::clone(&parts.first.text), inner));
        let body = self.eval(&parts.body);
        self.locals.pop();
        match (body?, parts.kind) {
            (body, MacroKind::OptionalMap) => Ok(Val::optional(Some(body))),
            (body @ Val::Optional(_), _) => Ok(body),
            (other, _) => {
                Err(Fault::of_type(format!("the result is {}, not an optional value", other.noun()))
                    .at(parts.body.at))
            }
        }
    }

    pub(super) fn comprehension(&mut self, parts: &Macro) -> Result<Val<'a>, Fault> {
        if matches!(parts.kind, MacroKind::OptionalMap | MacroKind::OptionalFlatMap) {
            return self.optional_map(parts);
        }
        let rounds = self.rounds(parts)?;
        let depth = self.locals.len();
        let mut run =
            Run { machine: self, parts, failed: None, count: 0, list: Vec::new(), map: IndexMap::new() };
        for (first, second) in rounds {
            let machine = &mut *run.machine;
            machine.locals.truncate(depth);
            machine.locals.push((Arc::clone(&parts.first.text), first.clone()));
            if let (Some(name), Some(val)) = (&parts.second, &second) {
                machine.locals.push((Arc::clone(&name.text), val.clone()));
            }
            let decided = run.round(first);
            if !matches!(decided, Ok(None)) {
                run.machine.locals.truncate(depth);
                return decided.map(|val| val.unwrap_or(Val::Null));
            }
        }
        run.machine.locals.truncate(depth);
        run.finish()
    }
}

/// The state of one comprehension.
struct Run<'m, 'a> {
    machine: &'m mut Machine<'a>,
    parts: &'m Macro,
    failed: Option<Fault>,
    count: usize,
    list: Vec<(Val<'a>, Val<'a>)>,
    map: IndexMap<Key, Val<'a>>,
}

impl<'a> Run<'_, 'a> {
    /// One round; a value where it decides the whole.
    fn round(&mut self, first: Val<'a>) -> Result<Option<Val<'a>>, Fault> {
        let parts = self.parts;
        if let Some(filter) = &parts.filter
            && !self.machine.truth(filter, "the filter")?
        {
            return Ok(None);
        }
        match parts.kind {
            MacroKind::All | MacroKind::Exists => {
                let decides = parts.kind == MacroKind::Exists;
                match self.machine.truth(&parts.body, "the condition") {
                    Ok(truth) if truth == decides => return Ok(Some(Val::Bool(decides))),
                    Ok(_) => {}
                    Err(fault) => {
                        decisive(&fault)?;
                        self.failed.get_or_insert(fault);
                    }
                }
            }
            MacroKind::ExistsOne => {
                self.count += usize::from(self.machine.truth(&parts.body, "the condition")?);
            }
            MacroKind::Filter => {
                if self.machine.truth(&parts.body, "the condition")? {
                    self.list.push((Val::Null, first));
                }
            }
            MacroKind::Map | MacroKind::TransformList => {
                let val = self.machine.eval(&parts.body)?;
                self.list.push((Val::Null, val));
            }
            MacroKind::SortBy => {
                let key = self.machine.eval(&parts.body)?;
                self.list.push((key, first));
            }
            MacroKind::TransformMap => {
                let val = self.machine.eval(&parts.body)?;
                if let Some(key) = Key::of(&first) {
                    self.map.insert(key, val);
                }
            }
            // These are no loops.
            MacroKind::OptionalMap | MacroKind::OptionalFlatMap => {}
            MacroKind::TransformMapEntry => match self.machine.eval(&parts.body)? {
                Val::Map(entries) => {
                    for key in entries.keys() {
                        let Some(val) = entries.get(&key) else { continue };
                        let text = key_text(&key);
                        if self.map.insert(key, val?).is_some() {
                            return Err(
                                Fault::of_value(format!("the key `{text}` results twice")).at(parts.body.at)
                            );
                        }
                    }
                }
                other => {
                    return Err(Fault::of_type(format!(
                        "the result is {}, not a map of one entry",
                        other.noun()
                    ))
                    .at(parts.body.at));
                }
            },
        }
        Ok(None)
    }

    fn finish(self) -> Result<Val<'a>, Fault> {
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        let mut list = self.list;
        Ok(match self.parts.kind {
            MacroKind::All => Val::Bool(true),
            MacroKind::Exists => Val::Bool(false),
            MacroKind::ExistsOne => Val::Bool(self.count == 1),
            MacroKind::TransformMap | MacroKind::TransformMapEntry => Val::map(self.map),
            MacroKind::SortBy => {
                sort_pairs(&mut list).map_err(|fault| fault.at(self.parts.body.at))?;
                Val::list(list.into_iter().map(|(_, item)| item).collect())
            }
            MacroKind::Filter
            | MacroKind::Map
            | MacroKind::TransformList
            | MacroKind::OptionalMap
            | MacroKind::OptionalFlatMap => Val::list(list.into_iter().map(|(_, item)| item).collect()),
        })
    }
}

/// Sorts by the first of each pair; all have to be of one ordered type.
pub(super) fn sort_pairs(pairs: &mut [(Val<'_>, Val<'_>)]) -> Result<(), Fault> {
    for window in pairs.windows(2) {
        if compare(&window[0].0, &window[1].0).is_none() {
            let (a, b) = (window[0].0.noun(), window[1].0.noun());
            return Err(Fault::of_type(format!("{a} and {b} have no order")));
        }
    }
    pairs.sort_by(|a, b| compare(&a.0, &b.0).unwrap_or(Ordering::Equal));
    Ok(())
}
