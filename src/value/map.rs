//! Maps in written order.
//!
//! Most maps of a document have a handful of members: they are one vector, searched from its start. Larger ones keep an index
//! beside it. A map is one pointer wide, so that scalars do not pay for it, and an empty one takes no memory.
//! Keys are unique; two maps are equal where their members are, in whatever order.

use super::Entry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// From this size on a map has an index.
const MANY: usize = 16;

type Member = (Arc<str>, Entry);

/// A map in written order.
#[derive(Clone, Default)]
pub struct Map(Option<Box<Members>>);

#[derive(Clone, Default)]
struct Members {
    list: Vec<Member>,
    /// The place of every key, where there are many.
    places: Option<BTreeMap<Arc<str>, usize>>,
}

impl Members {
    fn find(&self, key: &str) -> Option<usize> {
        match &self.places {
            None => self.list.iter().position(|(known, _)| known.as_ref() == key),
            Some(places) => places.get(key).copied(),
        }
    }

    fn index(&mut self) {
        self.places = (self.list.len() > MANY)
            .then(|| self.list.iter().enumerate().map(|(at, (key, _))| (Arc::clone(key), at)).collect());
    }

    fn push(&mut self, key: Arc<str>, entry: Entry) -> usize {
        let at = self.list.len();
        if let Some(places) = &mut self.places {
            places.insert(Arc::clone(&key), at);
            self.list.push((key, entry));
        } else {
            self.list.push((key, entry));
            if self.list.len() > MANY {
                self.index();
            }
        }
        at
    }
}

impl Map {
    /// A map without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// A map without members that has room for `count`.
    pub fn with_capacity(count: usize) -> Self {
        Self((count > 0).then(|| Box::new(Members { list: Vec::with_capacity(count), places: None })))
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// A member.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let members = self.0.as_deref()?;
        members.find(key).map(|at| &members.list[at].1)
    }

    /// A member, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        let members = self.0.as_deref_mut()?;
        members.find(key).map(|at| &mut members.list[at].1)
    }

    /// Whether there is such a member.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.as_deref().is_some_and(|members| members.find(key).is_some())
    }

    /// Sets a member: at its place where there is one of that key, which is returned, at the end otherwise.
    pub fn insert(&mut self, key: Arc<str>, entry: Entry) -> Option<Entry> {
        let members = self.0.get_or_insert_default();
        if let Some(at) = members.find(&key) {
            return Some(std::mem::replace(&mut members.list[at].1, entry));
        }
        members.push(key, entry);
        None
    }

    /// The member of a key, which is made where there is none.
    pub fn get_or_insert_with(&mut self, key: Arc<str>, make: impl FnOnce() -> Entry) -> &mut Entry {
        let members = self.0.get_or_insert_default();
        let at = match members.find(&key) {
            Some(at) => at,
            None => members.push(key, make()),
        };
        &mut members.list[at].1
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let members = self.0.as_deref_mut()?;
        let at = members.find(key)?;
        let (_, entry) = members.list.remove(at);
        members.index();
        Some(entry)
    }

    /// Keeps the members that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Arc<str>, &mut Entry) -> bool) {
        if let Some(members) = &mut self.0 {
            members.list.retain_mut(|(key, entry)| keep(key, entry));
            members.index();
        }
    }

    /// The members in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.list().iter())
    }

    /// The members in order, to change.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(self.0.as_deref_mut().map(|members| members.list.iter_mut()).unwrap_or_default())
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> + DoubleEndedIterator + Clone {
        self.list().iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Entry> + DoubleEndedIterator + Clone {
        self.list().iter().map(|(_, entry)| entry)
    }

    /// The values in order, to change.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Entry> {
        self.iter_mut().map(|(_, entry)| entry)
    }

    fn list(&self) -> &[Member] {
        self.0.as_deref().map_or(&[], |members| &members.list)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, entry)| other.get(key) == Some(entry))
    }
}

impl Extend<(Arc<str>, Entry)> for Map {
    fn extend<I: IntoIterator<Item = (Arc<str>, Entry)>>(&mut self, members: I) {
        for (key, entry) in members {
            self.insert(key, entry);
        }
    }
}

impl FromIterator<(Arc<str>, Entry)> for Map {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Entry)>>(members: I) -> Self {
        let mut map = Self::new();
        map.extend(members);
        map
    }
}

impl<const N: usize> From<[(Arc<str>, Entry); N]> for Map {
    fn from(members: [(Arc<str>, Entry); N]) -> Self {
        members.into_iter().collect()
    }
}

impl IntoIterator for Map {
    type Item = (Arc<str>, Entry);
    type IntoIter = std::vec::IntoIter<Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|members| members.list).unwrap_or_default().into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Arc<str>, &'a Entry);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a Arc<str>, &'a mut Entry);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

/// The members of a map in order.
#[derive(Clone, Debug)]
pub struct Iter<'a>(std::slice::Iter<'a, Member>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Arc<str>, &'a Entry);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, entry)| (key, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, entry)| (key, entry))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The members of a map in order, to change.
#[derive(Debug)]
pub struct IterMut<'a>(std::slice::IterMut<'a, Member>);

impl<'a> Iterator for IterMut<'a> {
    type Item = (&'a Arc<str>, &'a mut Entry);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, entry)| (&*key, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IterMut<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Node, Origin, Value};
    use indexmap::IndexMap;

    fn entry(number: i64) -> Entry {
        Entry { key: Origin::Compiler, node: Node::new(number, Origin::Compiler) }
    }

    #[test]
    fn few_and_many_behave_as_one() {
        let mut map = Map::new();
        let mut model: IndexMap<Arc<str>, i64> = IndexMap::new();
        // A walk over residues: keys arrive in no order, and again; some go.
        for n in 0..600_i64 {
            let key: Arc<str> = ((n * 37) % 101).to_string().into();
            let old = map.insert(Arc::clone(&key), entry(n));
            assert_eq!(old.and_then(|old| old.node.as_int()), model.insert(key, n));
            if n % 3 == 0 {
                let gone = ((n * 11) % 101).to_string();
                assert_eq!(map.remove(&gone).is_some(), model.shift_remove(gone.as_str()).is_some());
            }
            assert!(map.iter().map(|(key, _)| key).eq(model.keys()));
        }
        for number in 0..101 {
            let key = number.to_string();
            assert_eq!(map.get(&key).and_then(|entry| entry.node.as_int()), model.get(key.as_str()).copied());
        }
        map.retain(|key, _| key.len() == 1);
        assert!(map.len() <= 10 && map.keys().all(|key| map.contains_key(key)));
    }

    #[test]
    fn order_does_not_tell_maps_apart() {
        let of = |keys: &[&str]| keys.iter().map(|key| (Arc::from(*key), entry(1))).collect::<Map>();
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&["a", "b"]), of(&["a", "c"]));
        assert_ne!(of(&["a"]), of(&["a", "b"]));
    }

    #[test]
    fn scalars_do_not_pay_for_maps() {
        assert_eq!(size_of::<Map>(), 8);
        assert_eq!(size_of::<Value>(), 24);
        assert_eq!(size_of::<Node>(), 40);
    }
}
