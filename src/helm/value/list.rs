//! [`List`]: a Go slice. Immutable; a clone is an alias.

use super::track::{TrackCell, Tracker, Whence};
use super::{Str, Type, Value, drop_flat, types};
use std::ops::Deref;
use std::rc::Rc;

pub(super) struct ListData {
    items: Vec<Value>,
    nil: bool,
    pub(super) track: TrackCell,
}

/// A Go slice. Derefs to `[Value]`.
#[derive(Clone)]
pub struct List {
    ty: Type,
    data: Rc<ListData>,
}

impl List {
    /// A slice of type `ty`; every item has to be of its element type.
    pub fn new(ty: Type, items: Vec<Value>) -> Self {
        Self { ty, data: Rc::new(ListData { items, nil: false, track: TrackCell::default() }) }
    }

    /// A `[]interface {}`.
    pub fn any(items: Vec<Value>) -> Self {
        Self::new(&types::LIST, items)
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::new(&types::STRINGS, items.into_iter().map(|s| Value::String(s.into())).collect())
    }

    /// A `[]int`.
    pub fn ints(items: impl IntoIterator<Item = i64>) -> Self {
        Self::new(&types::INTS, items.into_iter().map(Value::int).collect())
    }

    /// The nil slice of type `ty`.
    pub fn nil(ty: Type) -> Self {
        Self { ty, data: Rc::new(ListData { items: Vec::new(), nil: true, track: TrackCell::default() }) }
    }

    /// Whether it is the nil slice (`null` in JSON, where an empty one is `[]`).
    pub fn is_nil(&self) -> bool {
        self.data.nil
    }

    /// Its Go type.
    pub fn type_of(&self) -> Type {
        self.ty
    }

    /// The same slice as another type.
    #[must_use]
    pub fn with_type(&self, ty: Type) -> Self {
        Self { ty, data: Rc::clone(&self.data) }
    }

    /// Whether this is the only handle of the slice.
    pub fn is_unshared(&self) -> bool {
        Rc::strong_count(&self.data) == 1
    }

    /// Identity, for sets of lists already seen.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.data).addr()
    }

    /// Whether both are one slice.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }

    /// The items, taken out where nobody else holds the list, else copied.
    pub fn into_items(self) -> Vec<Value> {
        match Rc::try_unwrap(self.data) {
            Ok(mut data) => std::mem::take(&mut data.items),
            Err(data) => data.items.clone(),
        }
    }

    /// Says which path of the values this is; see [`Tracker`].
    pub fn track(&self, tracker: &Rc<Tracker>, path: u32) {
        self.data.track.set(tracker, Some(path), 0);
    }

    /// Says which evidence made this list, where nothing is known of it yet.
    pub fn track_made(&self, tracker: &Rc<Tracker>, evidence: u32) {
        self.data.track.set(tracker, None, evidence);
    }

    /// Says where an item comes from.
    pub fn track_item(&self, tracker: &Rc<Tracker>, index: usize, whence: Whence) {
        self.data.track.put(tracker, index.to_string().as_bytes(), whence);
    }

    /// Where an item comes from, where that is known.
    pub fn whence(&self, index: usize) -> Option<Whence> {
        self.data.track.whence(index.to_string().as_bytes())
    }

    /// Whether something is known of where it comes from.
    pub fn is_tracked(&self) -> bool {
        self.data.track.is_set()
    }

    /// Whether it is a list of the values, or a copy of one.
    pub fn has_path(&self) -> bool {
        self.data.track.has_path()
    }

    /// Gives `other`, a copy, what is known of this list.
    pub fn copy_track(&self, other: &Self) {
        self.data.track.copy_to(&other.data.track);
    }

    /// Reports that its length or its items are looked at, whatever is in them.
    pub fn read_itself(&self) {
        self.data.track.read_keys();
    }

    /// Reports that everything in it is read.
    pub fn read_all(&self) {
        self.data.track.read_all();
    }

    /// Reports that an item is read.
    pub fn read_item(&self, index: usize) {
        self.data.track.read_item(index, self.data.items.get(index));
    }

    pub(super) fn dismantle(self, pending: &mut Vec<Value>) {
        if let Some(mut data) = Rc::into_inner(self.data) {
            pending.append(&mut data.items);
        }
    }
}

impl Deref for List {
    type Target = [Value];
    fn deref(&self) -> &[Value] {
        &self.data.items
    }
}

impl Drop for ListData {
    fn drop(&mut self) {
        if self.items.iter().any(|v| matches!(v, Value::List(_) | Value::Map(_))) {
            drop_flat(std::mem::take(&mut self.items));
        }
    }
}
