//! What charts came to before: the output of a release, by everything that it is made of.
//!
//! Rendering is a function, so an entry whose key is the same has the same text, and an entry that is missing or
//! damaged costs time and nothing else. Kept are texts without origins: who wants to say where a field comes from
//! renders again. An entry begins with the digest of the rest and counts as absent where that is not so.

use super::ContentDigest;
use super::cache::Cache;
use crate::digest::Digester;
use crate::value::{Node, Number, Value};
use crate::world::World;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The folder in the cache.
const FOLDER: &str = "rendered";
/// How many entries there may be without anybody's name on them.
const SPARE: usize = 256;

/// The build of this program: its sources, dependencies and target. What another one made is of no use.
pub const ENGINE: &str = env!("STACKC_ENGINE");

/// The name of an entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(ContentDigest);

impl Key {
    /// The digits that name it.
    pub fn hex(&self) -> &str {
        self.0.hex()
    }
}

/// Makes a [`Key`] of everything that a text is made of.
#[derive(Clone, Debug)]
pub struct KeyMaker(Digester);

impl Default for KeyMaker {
    /// Of this build of the program.
    fn default() -> Self {
        let mut digester = Digester::default();
        digester.add(ENGINE.as_bytes());
        Self(digester)
    }
}

impl KeyMaker {
    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.add(text.as_bytes());
        self
    }

    /// Adds data, without the places that it comes from.
    pub fn node(&mut self, node: &Node) -> &mut Self {
        match &node.value {
            Value::Null => self.text("null"),
            Value::Bool(truth) => self.text("bool").text(if *truth { "true" } else { "false" }),
            Value::Number(Number::Int(number)) => self.text("int").bytes(&number.to_le_bytes()),
            Value::Number(Number::Uint(number)) => self.text("uint").bytes(&number.to_le_bytes()),
            Value::Number(Number::Float(number)) => self.text("float").bytes(&number.to_bits().to_le_bytes()),
            Value::String(text) => self.text("string").text(text),
            Value::List(items) => {
                self.text("list").bytes(&items.len().to_le_bytes());
                items.iter().fold(self, Self::node)
            }
            Value::Map(map) => {
                self.text("map").bytes(&map.len().to_le_bytes());
                map.iter().fold(self, |maker, (key, entry)| maker.text(key).node(&entry.node))
            }
        }
    }

    /// The key.
    pub fn key(self) -> Key {
        Key(self.0.finish())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.add(bytes);
        self
    }
}

/// One text of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub head: PieceHead,
    /// The text.
    pub text: Arc<str>,
}

/// What is known of a text without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceHead {
    /// The file that it stood in.
    pub path: String,
    /// The kind that it says it has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The name that it says it has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The events that it is a hook for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
}

impl PieceHead {
    /// A file of which nothing but the path is known.
    pub fn of_file(path: &str) -> Self {
        Self { path: path.to_owned(), kind: String::new(), name: String::new(), hook: None }
    }
}

/// What stands before the texts of an entry.
#[derive(Serialize, Deserialize)]
struct Index<'a> {
    length: usize,
    #[serde(flatten)]
    head: std::borrow::Cow<'a, PieceHead>,
}

type Pieces = Arc<Vec<Piece>>;

/// The entries of a machine, shared by threads.
pub struct Memo<'a> {
    world: &'a dyn World,
    folder: Utf8PathBuf,
    at_hand: Mutex<BTreeMap<Key, Pieces>>,
    used: Mutex<BTreeSet<Key>>,
    releases: Releases<AtomicUsize>,
}

/// How many releases there were.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Releases<T = usize> {
    /// Those that were rendered.
    pub rendered: T,
    /// Those that were not, since they had been before.
    pub remembered: T,
}

impl<'a> Memo<'a> {
    /// The entries in this user's cache, where the user has one.
    pub fn open(world: &'a dyn World) -> Option<Self> {
        Some(Self {
            world,
            folder: Cache::of_user(world)?.folder().join(FOLDER),
            at_hand: Mutex::default(),
            used: Mutex::default(),
            releases: Releases::default(),
        })
    }

    /// How many releases there were so far.
    pub fn releases(&self) -> Releases {
        Releases {
            rendered: self.releases.rendered.load(Ordering::Relaxed),
            remembered: self.releases.remembered.load(Ordering::Relaxed),
        }
    }

    /// The names of all entries that were found or made.
    pub fn used(&self) -> BTreeSet<String> {
        lock(&self.used).iter().map(|key| key.hex().to_owned()).collect()
    }

    /// Removes entries that nobody in `wanted` names, where there are many of them; who wants what is asked only then.
    pub fn sweep(&self, wanted: impl FnOnce() -> BTreeSet<String>) {
        let entries = self.world.list(&self.folder).unwrap_or_default();
        if entries.len() <= SPARE {
            return;
        }
        let wanted = wanted();
        let lost: Vec<_> = entries.into_iter().filter(|entry| !wanted.contains(&entry.name)).collect();
        if lost.len() > SPARE.max(wanted.len()) {
            for entry in lost {
                let _ignored = self.world.remove(&self.folder.join(entry.name));
            }
        }
    }

    fn get(&self, key: &Key) -> Option<Pieces> {
        let at_hand = lock(&self.at_hand).get(key).cloned();
        let found = at_hand.or_else(|| {
            let bytes = self.world.read(&self.folder.join(key.hex())).ok()?;
            let pieces = Arc::new(read(&bytes)?);
            lock(&self.at_hand).insert(key.clone(), Arc::clone(&pieces));
            Some(pieces)
        })?;
        lock(&self.used).insert(key.clone());
        Some(found)
    }

    fn put(&self, key: &Key, pieces: Vec<Piece>) {
        // A cache that cannot be written is a cache that is empty next time.
        let _ignored = self.world.keep(&self.folder.join(key.hex()), &write(&pieces));
        lock(&self.at_hand).insert(key.clone(), Arc::new(pieces));
        lock(&self.used).insert(key.clone());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one environment may remember, and whether it did.
#[derive(Clone, Copy, Default)]
pub struct Recall<'a>(Option<(&'a Memo<'a>, &'a AtomicUsize)>);

impl<'a> Recall<'a> {
    /// Nothing is remembered and nothing is kept: every origin is exact.
    pub fn nothing() -> Self {
        Self(None)
    }

    /// What `memo` knows. `hits` counts what came from there, and so has no exact origin.
    pub fn of(memo: &'a Memo<'a>, hits: &'a AtomicUsize) -> Self {
        Self(Some((memo, hits)))
    }

    /// An entry.
    pub fn get(self, key: &Key) -> Option<Pieces> {
        let (memo, hits) = self.0?;
        let found = memo.get(key);
        hits.fetch_add(usize::from(found.is_some()), Ordering::Relaxed);
        found
    }

    /// Keeps an entry for the next time.
    pub fn put(self, key: &Key, pieces: impl FnOnce() -> Vec<Piece>) {
        if let Some((memo, _)) = self.0 {
            memo.put(key, pieces());
        }
    }

    /// Counts a release that was rendered.
    pub fn rendered(self) {
        if let Some((memo, _)) = self.0 {
            memo.releases.rendered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a release that need not be.
    pub fn remembered(self) {
        if let Some((memo, _)) = self.0 {
            memo.releases.remembered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The digest of the rest, the index, the texts.
fn write(pieces: &[Piece]) -> Vec<u8> {
    let index: Vec<Index<'_>> = pieces
        .iter()
        .map(|piece| Index { length: piece.text.len(), head: std::borrow::Cow::Borrowed(&piece.head) })
        .collect();
    let mut body = serde_json::to_vec(&index).unwrap_or_default();
    body.push(b'\n');
    for piece in pieces {
        body.extend_from_slice(piece.text.as_bytes());
    }
    super::cache::sealed(&body)
}

fn read(bytes: &[u8]) -> Option<Vec<Piece>> {
    let body = super::cache::unsealed(bytes)?;
    let end = memchr::memchr(b'\n', body)?;
    let index: Vec<Index<'_>> = serde_json::from_slice(&body[..end]).ok()?;
    let mut rest = std::str::from_utf8(&body[end + 1..]).ok()?;
    let mut pieces = Vec::with_capacity(index.len());
    for Index { length, head } in index {
        let (text, behind) = rest.split_at_checked(length)?;
        pieces.push(Piece { head: head.into_owned(), text: text.into() });
        rest = behind;
    }
    rest.is_empty().then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    fn key(of: &str) -> Key {
        let mut maker = KeyMaker::default();
        maker.text(of);
        maker.key()
    }

    fn opened(world: &MemoryWorld) -> Memo<'_> {
        Memo::open(world).expect("a cache")
    }

    fn pieces() -> Vec<Piece> {
        let head = |path: &str, hook: Option<&str>| PieceHead {
            path: path.to_owned(),
            kind: "Job".to_owned(),
            name: "a".to_owned(),
            hook: hook.map(str::to_owned),
        };
        vec![
            Piece { head: head("web/templates/a.yaml", Some("pre-install")), text: "kind: Jöb\n".into() },
            Piece { head: head("web/templates/b.yaml", None), text: "".into() },
        ]
    }

    #[test]
    fn what_was_kept_is_found_by_the_next_run() {
        let world = MemoryWorld::new().with_variable("STACKC_CACHE", "/cache");
        let hits = AtomicUsize::new(0);
        let first = opened(&world);
        let recall = Recall::of(&first, &hits);
        assert_eq!(recall.get(&key("a")), None);
        recall.put(&key("a"), pieces);
        let second = opened(&world);
        assert_eq!(Recall::of(&second, &hits).get(&key("a")).as_deref(), Some(&pieces()));
        assert_eq!(Recall::of(&second, &hits).get(&key("b")), None);
        assert_eq!(hits.into_inner(), 1);
        assert_eq!((first.used().len(), second.used().len()), (1, 1));
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_none() {
        let world = MemoryWorld::new().with_variable("STACKC_CACHE", "/cache");
        let hits = AtomicUsize::new(0);
        Recall::of(&opened(&world), &hits).put(&key("a"), pieces);
        let (path, bytes) = world.files().into_iter().next().expect("an entry");
        for damaged in [&bytes[..bytes.len() - 1], &bytes[..40], b""] {
            world.write(&path, damaged).expect("room");
            assert_eq!(Recall::of(&opened(&world), &hits).get(&key("a")), None);
        }
        let mut other = bytes.clone();
        *other.last_mut().expect("not empty") ^= 1;
        world.write(&path, &other).expect("room");
        assert_eq!(Recall::of(&opened(&world), &hits).get(&key("a")), None);
    }

    #[test]
    fn entries_that_nobody_names_go_once_they_are_many() {
        let world = MemoryWorld::new().with_variable("STACKC_CACHE", "/cache");
        let hits = AtomicUsize::new(0);
        let memo = opened(&world);
        for number in 0..=SPARE {
            Recall::of(&memo, &hits).put(&key(&number.to_string()), pieces);
        }
        memo.sweep(|| BTreeSet::from([key("0").hex().to_owned()]));
        assert_eq!(world.files().len(), SPARE + 1, "as many as are spared");
        Recall::of(&memo, &hits).put(&key("one more"), pieces);
        memo.sweep(|| BTreeSet::from([key("0").hex().to_owned()]));
        assert_eq!(world.files().len(), 1);
    }

    #[test]
    fn keys_tell_data_apart() {
        let of = |value: Value| {
            let mut maker = KeyMaker::default();
            maker.node(&Node::new(value, crate::value::Origin::Compiler));
            maker.key()
        };
        let list = |items: &[&str]| {
            Value::List(items.iter().map(|item| Node::new(*item, crate::value::Origin::Compiler)).collect())
        };
        assert_ne!(of(Value::Number(Number::Int(1))), of(Value::Number(Number::Float(1.0))));
        assert_ne!(of(Value::String("1".into())), of(Value::Number(Number::Int(1))));
        assert_ne!(of(list(&["a", "b"])), of(list(&["ab"])));
        assert_eq!(of(list(&["a", "b"])), of(list(&["a", "b"])));
    }
}
