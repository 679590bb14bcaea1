//! Which values a render reads.
//!
//! Where a caller wants to know, each map and list of the values is given its path ([`Tracker::attach`]); reads
//! of it, through whatever alias or function, are then reported to the [`Tracker`]. Containers that templates make
//! (`dict`, `list`, `merge`, `fromYaml`) remember for each key where its value came from ([`Whence`]), so that a value
//! is known again when it is read there. Without a tracker a read costs a null check.

use super::{Str, Value};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was read of a path.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadKind {
    /// Only whether the key is there.
    Presence,
    /// The value; of a container, only to go on into it (a deeper read follows) or to hand it on.
    Value,
    /// The container's value with everything below.
    All,
}

/// A path of the values that was read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Number of the path in [`Reads::paths`].
    pub path: u32,
    /// What of it.
    pub kind: ReadKind,
}

/// Something that happened while a piece of output was made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A value was read.
    Read(Read),
    /// A variable was used, whose own making is this numbered evidence.
    Uses(u32),
    /// As [`Event::Uses`], where what was impure in it was thrown away.
    Spares(u32),
    /// A function that is not pure was called: its number.
    Impure(u32),
}

/// The paths of a render and what was read of them.
#[derive(Debug, Default)]
pub struct Reads {
    /// Every path that was met: `(parent, segment)`, 0 being the root.
    pub paths: Vec<(u32, Str)>,
    /// What was read of each path, by number; `None` where it was only passed.
    pub kinds: Vec<Option<ReadKind>>,
}

impl Reads {
    /// The segments of a path from the root.
    pub fn segments(&self, mut path: u32) -> Vec<Str> {
        let mut out = Vec::new();
        while path != 0 {
            let Some((parent, segment)) = self.paths.get(path as usize) else { break };
            out.push(segment.clone());
            path = *parent;
        }
        out.reverse();
        out
    }
}

/// How many events are kept: 48 MiB.
const MAX_EVENTS: usize = 4 << 20;

/// Where a value that a template put into a container comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// It stands at this path of the values.
    Path(u32),
    /// It was made by what this numbered evidence says; 0 where nothing that is tracked went into it.
    Made(u32),
}

/// Collects the reads of one render.
#[derive(Default)]
pub struct Tracker {
    paths: RefCell<Vec<(u32, Str)>>,
    children: RefCell<BTreeMap<(u32, Str), u32>>,
    kinds: RefCell<Vec<Option<ReadKind>>>,
    /// What happened since the start, for attributing it to the output being written.
    log: RefCell<Vec<Event>>,
    /// An event is not logged twice in a row, unless somebody may count from between the two.
    floor: Cell<usize>,
}

impl Tracker {
    /// A tracker with only the root path, number 0.
    pub fn new() -> Rc<Self> {
        let tracker = Self::default();
        tracker.paths.borrow_mut().push((0, Str::EMPTY));
        tracker.kinds.borrow_mut().push(None);
        Rc::new(tracker)
    }

    /// The number of the path `segment` below `parent`.
    pub fn child(&self, parent: u32, segment: &[u8]) -> u32 {
        let key = (parent, Str::new(segment));
        let mut children = self.children.borrow_mut();
        if let Some(&path) = children.get(&key) {
            return path;
        }
        let mut paths = self.paths.borrow_mut();
        let path = u32::try_from(paths.len()).unwrap_or(u32::MAX);
        paths.push((parent, key.1.clone()));
        self.kinds.borrow_mut().push(None);
        children.insert(key, path);
        path
    }

    /// Whether `path` stands right below `parent`.
    pub fn is_child(&self, path: u32, parent: u32) -> bool {
        path != 0 && self.paths.borrow().get(path as usize).is_some_and(|(above, _)| *above == parent)
    }

    /// Gives every map and list in `value` its path below `path`. Containers that already have one keep it.
    pub fn attach(self: &Rc<Self>, value: &Value, path: u32) {
        let mut pending = vec![(value.clone(), path)];
        while let Some((value, path)) = pending.pop() {
            match &value {
                Value::Map(map) if !map.is_tracked() => {
                    map.track(self, path);
                    map.look_unread(|entries| {
                        let containers = entries.filter(|(_, v)| matches!(v, Value::Map(_) | Value::List(_)));
                        pending.extend(containers.map(|(key, v)| (v.clone(), self.child(path, key))));
                    });
                }
                Value::List(list) if !list.is_tracked() => {
                    list.track(self, path);
                    for (index, item) in list.iter().enumerate() {
                        if matches!(item, Value::Map(_) | Value::List(_)) {
                            pending.push((item.clone(), self.child(path, index.to_string().as_bytes())));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// How many events there were so far, for somebody who will ask what came after.
    pub fn mark(&self) -> usize {
        let mark = self.log.borrow().len();
        self.floor.set(mark);
        mark
    }

    /// Reports an event. After [`MAX_EVENTS`] only the paths themselves are kept.
    pub fn note(&self, event: Event) {
        let mut log = self.log.borrow_mut();
        let repeated = log.len() > self.floor.get() && log.last() == Some(&event);
        if !repeated && log.len() < MAX_EVENTS {
            log.push(event);
        }
    }

    /// What happened between two marks was thrown away: its reads decided on that, its chance did not.
    pub fn spare(&self, from: usize, to: usize) {
        for event in self.log.borrow_mut().get_mut(from..to).unwrap_or_default() {
            match event {
                Event::Uses(evidence) => *event = Event::Spares(*evidence),
                Event::Impure(_) => *event = Event::Spares(0),
                Event::Read(_) | Event::Spares(_) => {}
            }
        }
    }

    /// Shows the events between two marks.
    pub fn between<T>(&self, from: usize, to: usize, look: impl FnOnce(&[Event]) -> T) -> T {
        look(self.log.borrow().get(from..to).unwrap_or_default())
    }

    /// All events; the log is empty afterwards.
    pub fn take_log(&self) -> Vec<Event> {
        self.log.take()
    }

    /// Reports a read.
    pub fn read(&self, path: u32, kind: ReadKind) {
        if let Some(slot) = self.kinds.borrow_mut().get_mut(path as usize) {
            *slot = (*slot).max(Some(kind));
        }
        self.note(Event::Read(Read { path, kind }));
    }

    fn read_from(&self, whence: Whence, kind: ReadKind) {
        match whence {
            Whence::Path(path) => self.read(path, kind),
            Whence::Made(0) => {}
            Whence::Made(evidence) => self.note(Event::Uses(evidence)),
        }
    }

    /// Everything read.
    pub fn reads(&self) -> Reads {
        Reads { paths: self.paths.borrow().clone(), kinds: self.kinds.borrow().clone() }
    }
}

/// What is known of where a container and the values in it come from.
#[derive(Clone)]
struct Track {
    tracker: Rc<Tracker>,
    /// A container of the values, or a copy of one: its path.
    path: Option<u32>,
    /// One that a function made: the evidence of the call.
    made: u32,
    /// What was put under single keys since, or is known better.
    keys: RefCell<BTreeMap<Str, Whence>>,
}

impl Track {
    fn whence(&self, key: &[u8]) -> Whence {
        match (self.keys.borrow().get(key), self.path) {
            (Some(whence), _) => *whence,
            (None, Some(path)) => Whence::Path(self.tracker.child(path, key)),
            (None, None) => Whence::Made(self.made),
        }
    }

    fn read(&self, key: &[u8], value: Option<&Value>, kind: ReadKind) {
        let whence = self.whence(key);
        // What a made container holds and has a place of its own reports its own reads, and more exactly.
        if matches!(whence, Whence::Path(_)) || !value.is_some_and(Value::is_tracked) {
            self.tracker.read_from(whence, kind);
        }
    }

    fn read_itself(&self, kind: ReadKind) {
        self.tracker.read_from(self.path.map_or(Whence::Made(self.made), Whence::Path), kind);
    }
}

/// Room for a [`Track`] in a container; empty and without cost where nobody tracks.
#[derive(Default)]
pub(super) struct TrackCell(OnceCell<Box<Track>>);

impl TrackCell {
    pub(super) fn set(&self, tracker: &Rc<Tracker>, path: Option<u32>, made: u32) {
        // A container has one path, the first one given.
        let track = Track { tracker: Rc::clone(tracker), path, made, keys: RefCell::default() };
        let _first = self.0.set(Box::new(track));
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.get().is_some()
    }

    /// Whether it is a container of the values or a copy of one.
    pub(super) fn has_path(&self) -> bool {
        self.0.get().is_some_and(|track| track.path.is_some())
    }

    pub(super) fn copy_to(&self, other: &Self) {
        if let Some(track) = self.0.get() {
            let _first = other.0.set(track.clone());
        }
    }

    pub(super) fn whence(&self, key: &[u8]) -> Option<Whence> {
        self.0.get().map(|track| track.whence(key))
    }

    /// Says where the value that is now under `key` comes from.
    pub(super) fn put(&self, tracker: &Rc<Tracker>, key: &[u8], whence: Whence) {
        self.set(tracker, None, 0);
        if let Some(track) = self.0.get() {
            track.keys.borrow_mut().insert(Str::new(key), whence);
        }
    }

    /// The value under `key` was replaced by one of which nothing is known yet.
    pub(super) fn forget(&self, key: &[u8]) {
        if let Some(track) = self.0.get() {
            track.keys.borrow_mut().insert(Str::new(key), Whence::Made(0));
        }
    }

    /// The value under `key` was taken over from `other`, where it stands under `from`.
    pub(super) fn take_over(&self, key: &[u8], other: &Self, from: &[u8]) {
        match (self.0.get(), other.0.get()) {
            (_, Some(track)) => self.put(&track.tracker, key, track.whence(from)),
            (Some(_), None) => self.forget(key),
            (None, None) => {}
        }
    }

    #[inline]
    pub(super) fn read_key(&self, key: &[u8], value: Option<&Value>) {
        if let Some(track) = self.0.get() {
            track.read(key, value, ReadKind::Value);
        }
    }

    pub(super) fn read_presence(&self, key: &[u8]) {
        if let Some(track) = self.0.get() {
            track.read(key, None, ReadKind::Presence);
        }
    }

    pub(super) fn read_keys(&self) {
        if let Some(track) = self.0.get() {
            track.read_itself(ReadKind::Value);
        }
    }

    pub(super) fn read_all(&self) {
        if let Some(track) = self.0.get() {
            track.read_itself(ReadKind::All);
            for whence in track.keys.borrow().values() {
                track.tracker.read_from(*whence, ReadKind::All);
            }
        }
    }

    pub(super) fn read_item(&self, index: usize, value: Option<&Value>) {
        if let Some(track) = self.0.get() {
            track.read(index.to_string().as_bytes(), value, ReadKind::Value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_seen_through_aliases_and_copies() {
        let tracker = Tracker::new();
        let values = Value::map([("a", Value::map([("b", Value::int(1)), ("c", Value::int(2))]))]);
        tracker.attach(&values, 0);
        let alias = values.as_map().and_then(|m| m.get(b"a")).expect("a");
        let copy = alias.as_map().expect("map").copy();
        assert!(copy.get(b"c").is_some());
        let reads = tracker.reads();
        let read: Vec<Vec<Str>> = (0..reads.paths.len())
            .filter(|&n| reads.kinds[n].is_some())
            .map(|n| reads.segments(u32::try_from(n).expect("small")))
            .collect();
        assert_eq!(read, [vec![Str::from("a")], vec![Str::from("a"), Str::from("c")]]);
    }
}
