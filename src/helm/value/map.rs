//! [`Map`]: a Go map with string keys. Shared and mutable; a clone is an alias; iteration is by key.

use super::entries::Entries;
use super::track::{TrackCell, Tracker, Whence};
use super::{Str, Type, Value, drop_flat, types};
use std::cell::RefCell;
use std::rc::Rc;

pub(super) struct MapData {
    entries: RefCell<Entries>,
    nil: bool,
    track: TrackCell,
}

/// A Go map with string keys.
#[derive(Clone)]
pub struct Map {
    ty: Type,
    data: Rc<MapData>,
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::with_type_of(&types::MAP, Entries::default(), false)
    }

    /// A map of type `ty` with these entries, of which later ones win; every value has to be of its element type.
    pub fn of<K: Into<Str>>(ty: Type, entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::with_type_of(ty, entries.into_iter().map(|(k, v)| (k.into(), v)).collect(), false)
    }

    /// The nil map of type `ty`: reads as empty, takes no entry.
    pub fn nil(ty: Type) -> Self {
        Self::with_type_of(ty, Entries::default(), true)
    }

    fn with_type_of(ty: Type, entries: Entries, nil: bool) -> Self {
        let data = MapData { entries: RefCell::new(entries), nil, track: TrackCell::default() };
        Self { ty, data: Rc::new(data) }
    }

    /// Whether it is the nil map (`null` in JSON, where an empty one is `{}`).
    pub fn is_nil(&self) -> bool {
        self.data.nil
    }

    /// Its Go type.
    pub fn type_of(&self) -> Type {
        self.ty
    }

    /// The same map (an alias) as another type.
    #[must_use]
    pub fn with_type(&self, ty: Type) -> Self {
        Self { ty, data: Rc::clone(&self.data) }
    }

    /// Whether both are aliases of one map.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }

    /// Identity, for sets of maps already seen.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.data).addr()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.data.entries.borrow().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.data.entries.borrow().len() == 0
    }

    /// The value of `key`; a read.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        let value = self.data.entries.borrow().get(key).cloned();
        self.data.track.read_key(key, value.as_ref());
        value
    }

    /// The value of `key`, without reporting a read: for functions that only move values.
    pub fn get_unread(&self, key: &[u8]) -> Option<Value> {
        self.data.entries.borrow().get(key).cloned()
    }

    /// Whether `key` is there; a read of its presence.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.data.track.read_presence(key);
        self.data.entries.borrow().get(key).is_some()
    }

    /// Sets `key`. False, and nothing changed, where this is the nil map: Go panics with "assignment to entry in
    /// nil map".
    pub fn insert(&self, key: impl Into<Str>, value: Value) -> bool {
        if self.data.nil {
            return false;
        }
        let key = key.into();
        self.data.track.forget(&key);
        let old = self.data.entries.borrow_mut().insert(key, value);
        drop(old);
        true
    }

    /// Sets `key` to the value that `other` has there, which keeps its place in the values.
    pub fn insert_from(&self, other: &Self, key: Str, value: Value) {
        self.data.track.take_over(&key, &other.data.track, &key);
        let old = self.data.entries.borrow_mut().insert(key, value);
        drop(old);
    }

    /// Sets `key` to a copy of what it holds, which stays at its place in the values.
    pub fn replace_by_copy(&self, key: Str, value: Value) {
        let old = self.data.entries.borrow_mut().insert(key, value);
        drop(old);
    }

    /// Removes `key` and hands out what was there.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.data.track.forget(key);
        self.data.entries.borrow_mut().remove(key)
    }

    /// The keys in order.
    pub fn keys(&self) -> Vec<Str> {
        self.data.track.read_keys();
        self.data.entries.borrow().iter().map(|(key, _)| key.clone()).collect()
    }

    /// All entries in order of keys, as they are now, for a loop that reports each as it reads it.
    pub fn entries_for_range(&self) -> Vec<(Str, Value)> {
        self.data.track.read_keys();
        self.entries_unread()
    }

    /// Reports that `key`, which holds `value`, is read.
    pub fn read_key(&self, key: &[u8], value: &Value) {
        self.data.track.read_key(key, Some(value));
    }

    /// Roughly the bytes it takes, without what its values share.
    pub fn size(&self) -> usize {
        self.data.entries.borrow().size()
    }

    /// Whether this is the only handle of the map.
    pub fn is_unshared(&self) -> bool {
        Rc::strong_count(&self.data) == 1
    }

    /// All entries in order of keys, as they are now; a read of all of them.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.data.track.read_all();
        self.data.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The entries without reporting a read: for bookkeeping of the engine, and for copies that keep their paths.
    pub fn entries_unread(&self) -> Vec<(Str, Value)> {
        self.data.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Shows all entries in order of keys, without copying them and without reporting a read. `look` must not change
    /// this map.
    pub fn look_unread<T>(&self, look: impl FnOnce(&mut dyn Iterator<Item = (&Str, &Value)>) -> T) -> T {
        look(&mut self.data.entries.borrow().iter())
    }

    /// Reports that everything in it is read.
    pub fn read_all(&self) {
        self.data.track.read_all();
    }

    /// Visits all entries in order of keys without copying them; a read of all of them. The visitor must not change
    /// this map (nor call back into a template): it would panic. Stops at the first error.
    pub fn try_each<E>(&self, mut visit: impl FnMut(&Str, &Value) -> Result<(), E>) -> Result<(), E> {
        self.data.track.read_all();
        for (key, value) in self.data.entries.borrow().iter() {
            visit(key, value)?;
        }
        Ok(())
    }

    /// A shallow copy: a map of its own with the same (aliased) values, at the same tracked path.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::with_type_of(self.ty, self.data.entries.borrow().clone(), false);
        self.data.track.copy_to(&copy.data.track);
        copy
    }

    /// Says which path of the values this is; see [`Tracker`].
    pub fn track(&self, tracker: &Rc<Tracker>, path: u32) {
        self.data.track.set(tracker, Some(path), 0);
    }

    /// Says which evidence made this map, where nothing is known of it yet.
    pub fn track_made(&self, tracker: &Rc<Tracker>, evidence: u32) {
        self.data.track.set(tracker, None, evidence);
    }

    /// Says where the value under `key` comes from.
    pub fn track_key(&self, tracker: &Rc<Tracker>, key: &[u8], whence: Whence) {
        self.data.track.put(tracker, key, whence);
    }

    /// Whether something is known of where it comes from.
    pub fn is_tracked(&self) -> bool {
        self.data.track.is_set()
    }

    /// Whether it is a map of the values, or a copy of one.
    pub fn has_path(&self) -> bool {
        self.data.track.has_path()
    }

    /// Gives `other`, a changed copy, what is known of this map.
    pub fn copy_track(&self, other: &Self) {
        self.data.track.copy_to(&other.data.track);
    }

    pub(super) fn dismantle(self, pending: &mut Vec<Value>) {
        if let Some(mut data) = Rc::into_inner(self.data) {
            data.entries.get_mut().drain_into(pending);
        }
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.iter().any(|(_, v)| matches!(v, Value::List(_) | Value::Map(_))) {
            let mut pending = Vec::new();
            entries.drain_into(&mut pending);
            drop_flat(pending);
        }
    }
}
