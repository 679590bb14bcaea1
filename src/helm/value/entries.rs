//! What a map holds: few entries in a sorted vector, many in a tree.
//!
//! Most maps of a chart have a handful of entries; a vector of their exact size takes a tenth of a tree's memory and is
//! found in faster.

use super::{Str, Value};
use std::collections::{BTreeMap, btree_map};

/// From this size on a map is a tree.
const MANY: usize = 48;

/// Entries in order of keys.
#[derive(Clone)]
pub(super) enum Entries {
    Few(Vec<(Str, Value)>),
    Many(BTreeMap<Str, Value>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Entries {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self::Few(Vec::with_capacity(count.min(MANY)))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    /// Roughly the bytes it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Few(few) => few.capacity() * 48,
            Self::Many(many) => many.len() * 100,
        }
    }

    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<&Value> {
        match self {
            Self::Few(few) => few
                .binary_search_by(|(k, _)| k.as_bytes().cmp(key))
                .ok()
                .and_then(|at| few.get(at))
                .map(|e| &e.1),
            Self::Many(many) => many.get(key),
        }
    }

    pub(super) fn insert(&mut self, key: Str, value: Value) -> Option<Value> {
        match self {
            Self::Few(few) => {
                // Keys mostly arrive in order.
                if few.last().is_none_or(|(last, _)| *last < key) {
                    if few.len() >= MANY {
                        let mut many: BTreeMap<Str, Value> = std::mem::take(few).into_iter().collect();
                        many.insert(key, value);
                        *self = Self::Many(many);
                    } else {
                        if few.len() == few.capacity() {
                            few.reserve_exact(few.len().clamp(1, 16));
                        }
                        few.push((key, value));
                    }
                    return None;
                }
                match few.binary_search_by(|(k, _)| k.cmp(&key)) {
                    Ok(at) => Some(std::mem::replace(&mut few[at].1, value)),
                    Err(_) if few.len() >= MANY => {
                        let mut many: BTreeMap<Str, Value> = std::mem::take(few).into_iter().collect();
                        many.insert(key, value);
                        *self = Self::Many(many);
                        None
                    }
                    Err(at) => {
                        if few.len() == few.capacity() {
                            few.reserve_exact(few.len().clamp(1, 16));
                        }
                        few.insert(at, (key, value));
                        None
                    }
                }
            }
            Self::Many(many) => many.insert(key, value),
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        match self {
            Self::Few(few) => {
                few.binary_search_by(|(k, _)| k.as_bytes().cmp(key)).ok().map(|at| few.remove(at).1)
            }
            Self::Many(many) => many.remove(key),
        }
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Few(few) => Iter::Few(few.iter()),
            Self::Many(many) => Iter::Many(many.iter()),
        }
    }

    /// Takes all values.
    pub(super) fn drain_into(&mut self, out: &mut Vec<Value>) {
        match std::mem::take(self) {
            Self::Few(few) => out.extend(few.into_iter().map(|(_, value)| value)),
            Self::Many(many) => out.extend(many.into_values()),
        }
    }
}

impl FromIterator<(Str, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut out = Self::with_capacity(entries.size_hint().0);
        for (key, value) in entries {
            out.insert(key, value);
        }
        out
    }
}

/// Entries in order of keys.
pub(super) enum Iter<'a> {
    Few(std::slice::Iter<'a, (Str, Value)>),
    Many(btree_map::Iter<'a, Str, Value>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(few) => few.next().map(|(key, value)| (key, value)),
            Self::Many(many) => many.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Few(few) => few.size_hint(),
            Self::Many(many) => many.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_behave_as_one() {
        let mut entries = Entries::default();
        let mut tree = BTreeMap::new();
        // A walk over residues: keys arrive in no order, and again.
        for n in 0..400_u32 {
            let key = Str::from(((n * 37) % 101).to_string());
            let old = entries.insert(key.clone(), Value::int(i64::from(n)));
            assert_eq!(old.is_some(), tree.insert(key, n).is_some());
            if n % 7 == 0 {
                let gone = Str::from(((n * 11) % 101).to_string());
                assert_eq!(entries.remove(&gone).is_some(), tree.remove(&gone).is_some());
            }
            assert_eq!(entries.len(), tree.len());
        }
        assert!(entries.iter().map(|(k, _)| k).eq(tree.keys()));
        assert!(tree.keys().all(|key| entries.get(key).is_some()));
        assert!(entries.get(b"none").is_none());
    }
}
