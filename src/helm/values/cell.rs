//! Values while they are laid over each other: tables that several places share and that can still change.
//!
//! Helm's coalescing leaves one Go map reachable from a chart and from its parent's globals, and what is merged into
//! it through one is seen through the other (helm 4.2.4 `coalesce.go`, the shallow `copyMap` in `coalesceGlobals`).
//! So tables that are touched are shared cells; those that are not stay the immutable ones they came from.

use super::tree::{Data, Table, Value};
use crate::helm::value::{self as go, Str};
use crate::value::Origin;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// How deep values may be nested; deeper ones contain themselves.
const MAX_DEPTH: usize = 1_500;

/// A table that can be changed through every handle.
#[derive(Clone, Default)]
pub struct Shared(Rc<RefCell<BTreeMap<Str, Cell>>>);

/// A value of a shared table.
#[derive(Clone)]
pub enum Cell {
    /// Anything that is not changed in place: a scalar, a list, a table nobody has touched.
    Fixed(Value),
    /// A table that is shared.
    Table(Shared, Origin),
}

impl Cell {
    /// An empty table.
    pub fn table() -> Self {
        Self::Table(Shared::default(), Origin::Compiler)
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        match self {
            Self::Fixed(value) => value.as_table().is_some(),
            Self::Table(..) => true,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Fixed(Value { data: Data::Null, .. }))
    }

    /// This value without sharing.
    pub fn freeze(&self) -> Result<Value, Endless> {
        self.freeze_at(0)
    }

    fn freeze_at(&self, depth: usize) -> Result<Value, Endless> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Table(shared, origin) => {
                Ok(Value::new(Data::Table(shared.freeze_at(depth)?), origin.clone()))
            }
        }
    }
}

/// Values that contain themselves: Helm dies of them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Endless;

impl Shared {
    /// A table that starts as `table`.
    pub fn thaw(table: &Table) -> Self {
        let cells = table.iter().map(|(key, value)| (key.clone(), Cell::Fixed(value.clone())));
        Self(Rc::new(RefCell::new(cells.collect())))
    }

    /// Whether both are one table.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The value of `key`. A table comes as a handle of the table here, to be changed in place.
    pub fn get(&self, key: &[u8]) -> Option<Cell> {
        let mut cells = self.0.borrow_mut();
        let cell = cells.get_mut(key)?;
        if let Cell::Fixed(Value { data: Data::Table(table), origin }) = cell {
            *cell = Cell::Table(Self::thaw(table), origin.clone());
        }
        Some(cell.clone())
    }

    /// The same without making tables changeable.
    pub fn peek<T>(&self, key: &[u8], look: impl FnOnce(&Cell) -> T) -> Option<T> {
        self.0.borrow().get(key).map(look)
    }

    /// Whether `key` is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.0.borrow().contains_key(key)
    }

    /// The table at `key`, where it is one.
    pub fn table(&self, key: &[u8]) -> Option<Self> {
        match self.get(key) {
            Some(Cell::Table(shared, _)) => Some(shared),
            _ => None,
        }
    }

    /// The table reached by a path of keys between dots.
    pub fn table_at(&self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self.clone(), |table, key| table.table(key.as_bytes()))
    }

    /// Sets `key`.
    pub fn insert(&self, key: Str, cell: Cell) {
        self.0.borrow_mut().insert(key, cell);
    }

    /// Removes `key`.
    pub fn remove(&self, key: &[u8]) {
        self.0.borrow_mut().remove(key);
    }

    /// How many values it has itself.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Its keys.
    pub fn keys(&self) -> Vec<Str> {
        self.0.borrow().keys().cloned().collect()
    }

    /// How many values are in it at any depth; counting ends soon after `limit`.
    pub fn members(&self, limit: usize) -> usize {
        let mut count = 0;
        for cell in self.0.borrow().values() {
            if count > limit {
                break;
            }
            count += 1;
            match cell {
                Cell::Fixed(value) => count += value.members(),
                Cell::Table(table, _) => count += table.members(limit.saturating_sub(count)),
            }
        }
        count
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// A new table with the same values: tables in it are shared with this one.
    #[must_use]
    pub fn shallow_copy(&self) -> Self {
        let mut cells = self.0.borrow_mut();
        for cell in cells.values_mut() {
            if let Cell::Fixed(Value { data: Data::Table(table), origin }) = cell {
                *cell = Cell::Table(Self::thaw(table), origin.clone());
            }
        }
        Self(Rc::new(RefCell::new(cells.clone())))
    }

    /// This table without sharing.
    pub fn freeze(&self) -> Result<Table, Endless> {
        self.freeze_at(0)
    }

    fn freeze_at(&self, depth: usize) -> Result<Table, Endless> {
        if depth > MAX_DEPTH {
            return Err(Endless);
        }
        let cells = self.0.try_borrow().map_err(|_borrowed| Endless)?;
        let frozen: Result<BTreeMap<Str, Value>, Endless> =
            cells.iter().map(|(key, cell)| Ok((key.clone(), cell.freeze_at(depth + 1)?))).collect();
        Ok(Arc::new(frozen?))
    }

    /// This table as the engine's map, with the sharing.
    pub fn to_go(&self) -> Result<go::Map, Endless> {
        self.to_go_at(0, &mut Vec::new())
    }

    fn to_go_at(&self, depth: usize, made: &mut Vec<(Self, go::Map)>) -> Result<go::Map, Endless> {
        if depth > MAX_DEPTH {
            return Err(Endless);
        }
        // Only what has a second handle can be met again.
        let shared = Rc::strong_count(&self.0) > 1;
        if shared && let Some((_, map)) = made.iter().find(|(table, _)| table.same(self)) {
            return Ok(map.clone());
        }
        let map = go::Map::new();
        if shared {
            made.push((self.clone(), map.clone()));
        }
        for (key, cell) in self.0.borrow().iter() {
            let value = match cell {
                Cell::Fixed(value) => value.to_go(),
                Cell::Table(table, _) => go::Value::Map(table.to_go_at(depth + 1, made)?),
            };
            map.insert(key.clone(), value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::values::from_json;

    fn shared(json: &str) -> Shared {
        let json: serde_json::Value = serde_json::from_str(json).expect("json");
        let value = from_json(&json, &Origin::Compiler);
        Shared::thaw(value.as_table().expect("table"))
    }

    #[test]
    fn a_shallow_copy_shares_the_tables_below() {
        let original = shared(r#"{"a":{"b":1},"c":1}"#);
        let copy = original.shallow_copy();
        copy.table(b"a").expect("table").insert("x".into(), Cell::table());
        copy.remove(b"c");
        assert!(original.table(b"a").expect("table").contains(b"x"));
        assert!(original.contains(b"c"));
        let go = original.to_go().expect("finite");
        assert_eq!(go.len(), 2);
    }

    #[test]
    fn a_table_in_itself_is_an_error() {
        let test = || {
            let table = shared("{}");
            table.insert("self".into(), Cell::Table(table.clone(), Origin::Compiler));
            assert!(table.freeze().is_err());
            table.remove(b"self");
        };
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(test)
            .expect("a thread")
            .join()
            .expect("no overflow");
    }
}
