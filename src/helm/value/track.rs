//! Which values a render reads.
//!
//! Where a caller wants to know, each map and list of the values is given its path ([`Tracker::attach`]); reads
//! of it, through whatever alias or function, are then reported to the [`Tracker`]. Without one a read costs a
//! null check.

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

/// Collects the reads of one render.
#[derive(Default)]
pub struct Tracker {
    paths: RefCell<Vec<(u32, Str)>>,
    children: RefCell<BTreeMap<(u32, Str), u32>>,
    kinds: RefCell<Vec<Option<ReadKind>>>,
    /// What happened since the start, for attributing it to the output being written.
    log: RefCell<Vec<Event>>,
    paused: Cell<bool>,
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

    /// Gives every map and list in `value` its path below `path`. Containers that already have one keep it.
    pub fn attach(self: &Rc<Self>, value: &Value, path: u32) {
        let mut pending = vec![(value.clone(), path)];
        while let Some((value, path)) = pending.pop() {
            match &value {
                Value::Map(map) if map.tracked().is_none() => {
                    map.track(self, path);
                    for (key, item) in map.entries_unread() {
                        if matches!(item, Value::Map(_) | Value::List(_)) {
                            pending.push((item, self.child(path, &key)));
                        }
                    }
                }
                Value::List(list) if list.tracked().is_none() => {
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

    /// Stops or resumes recording, for what the engine itself reads.
    pub fn pause(&self, paused: bool) {
        self.paused.set(paused);
    }

    /// How many events there were so far.
    pub fn mark(&self) -> usize {
        self.log.borrow().len()
    }

    /// Reports an event. After [`MAX_EVENTS`] only the paths themselves are kept.
    pub fn note(&self, event: Event) {
        let mut log = self.log.borrow_mut();
        if log.last() != Some(&event) && log.len() < MAX_EVENTS {
            log.push(event);
        }
    }

    /// The events since a mark.
    pub fn since(&self, mark: usize) -> Vec<Event> {
        self.log.borrow().get(mark..).unwrap_or_default().to_vec()
    }

    /// All events; the log is empty afterwards.
    pub fn take_log(&self) -> Vec<Event> {
        self.log.take()
    }

    /// Reports a read.
    pub fn read(&self, path: u32, kind: ReadKind) {
        if self.paused.get() {
            return;
        }
        if let Some(slot) = self.kinds.borrow_mut().get_mut(path as usize) {
            *slot = (*slot).max(Some(kind));
        }
        self.note(Event::Read(Read { path, kind }));
    }

    /// Everything read.
    pub fn reads(&self) -> Reads {
        Reads { paths: self.paths.borrow().clone(), kinds: self.kinds.borrow().clone() }
    }
}

/// Where a container stands in the values.
#[derive(Default)]
pub(super) struct TrackCell(OnceCell<Box<(Rc<Tracker>, u32)>>);

impl TrackCell {
    pub(super) fn set(&self, tracker: &Rc<Tracker>, path: u32) {
        // A container has one path, the first one given.
        let _first = self.0.set(Box::new((Rc::clone(tracker), path)));
    }

    pub(super) fn path(&self) -> Option<u32> {
        self.0.get().map(|t| t.1)
    }

    pub(super) fn copy_to(&self, other: &Self) {
        if let Some(track) = self.0.get() {
            other.set(&track.0, track.1);
        }
    }

    #[inline]
    pub(super) fn read_key(&self, key: &[u8]) {
        if let Some(track) = self.0.get() {
            track.0.read(track.0.child(track.1, key), ReadKind::Value);
        }
    }

    pub(super) fn read_presence(&self, key: &[u8]) {
        if let Some(track) = self.0.get() {
            track.0.read(track.0.child(track.1, key), ReadKind::Presence);
        }
    }

    pub(super) fn read_keys(&self) {
        if let Some(track) = self.0.get() {
            track.0.read(track.1, ReadKind::Value);
        }
    }

    pub(super) fn read_all(&self) {
        if let Some(track) = self.0.get() {
            track.0.read(track.1, ReadKind::All);
        }
    }

    pub(super) fn read_item(&self, index: usize) {
        if let Some(track) = self.0.get() {
            track.0.read(track.0.child(track.1, index.to_string().as_bytes()), ReadKind::Value);
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
