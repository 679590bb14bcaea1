//! The cache: bytes by their digest, shared by projects and by processes that run at once.
//!
//! A file is written whole under another name and then renamed, so a reader sees all of it or nothing. Every read
//! checks the digest: a damaged entry is removed and counts as absent.

use super::lock::{Pinned, Wanted};
use super::{ContentDigest, PackageError};
use crate::world::{World, WorldError};
use camino::Utf8PathBuf;

/// Bytes by digest, in `$STACKC_CACHE`, `$XDG_CACHE_HOME/stackc` or `~/.cache/stackc`.
pub struct Cache<'a> {
    world: &'a dyn World,
    folder: Utf8PathBuf,
}

impl<'a> Cache<'a> {
    /// The cache of this user; in the project's own folder where the user has none.
    pub fn open(world: &'a dyn World) -> Self {
        Self::of_user(world).unwrap_or_else(|| Self::at(world, Utf8PathBuf::from(".stackc-cache")))
    }

    /// The cache of this user, where variables say where that is.
    pub fn of_user(world: &'a dyn World) -> Option<Self> {
        let set = |name: &str| world.variable(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
        set("STACKC_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("stackc")))
            .or_else(|| set("HOME").map(|home| home.join(".cache/stackc")))
            .or_else(|| set("LOCALAPPDATA").map(|base| base.join("stackc")))
            .map(|folder| Self::at(world, folder))
    }

    /// A cache in a folder that is named.
    pub fn at(world: &'a dyn World, folder: Utf8PathBuf) -> Self {
        Self { world, folder }
    }

    /// Its folder.
    pub fn folder(&self) -> &Utf8PathBuf {
        &self.folder
    }

    /// Where the bytes of a digest are.
    pub fn path(&self, digest: &ContentDigest) -> Utf8PathBuf {
        let hex = digest.hex();
        self.folder.join("sha256").join(&hex[..2]).join(hex)
    }

    /// The bytes, if they are there and whole.
    pub fn get(&self, digest: &ContentDigest) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let bytes = self.world.read(&path).ok()?;
        if ContentDigest::of(&bytes) == *digest {
            Some(bytes)
        } else {
            let _ignored = self.world.remove(&path);
            None
        }
    }

    /// Keeps bytes whose digest the caller has checked or is about to pin.
    pub fn put(&self, bytes: &[u8]) -> Result<ContentDigest, PackageError> {
        let digest = ContentDigest::of(bytes);
        if self.get(&digest).is_none() {
            self.world.keep(&self.path(&digest), bytes).map_err(|error: WorldError| {
                PackageError::World(format!("the cache could not be written: {error}"))
            })?;
        }
        Ok(digest)
    }

    /// Remembers which bytes a version had, for the message about a lock that was changed by hand. Nothing else
    /// reads it, so a note that cannot be written is no error.
    pub(super) fn note(&self, wanted: &Wanted, pinned: &Pinned) {
        let path = self.note_path(wanted, pinned);
        let text = pinned.digest.as_str().as_bytes();
        if self.world.read(&path).ok().as_deref() != Some(text) {
            let _ignored = self.world.keep(&path, text);
        }
    }

    /// The other bytes that a version had here.
    pub(super) fn noted(&self, wanted: &Wanted, pinned: &Pinned) -> Option<ContentDigest> {
        let text = String::from_utf8(self.world.read(&self.note_path(wanted, pinned)).ok()?).ok()?;
        ContentDigest::parse(&text).filter(|noted| *noted != pinned.digest && self.get(noted).is_some())
    }

    fn note_path(&self, wanted: &Wanted, pinned: &Pinned) -> Utf8PathBuf {
        let key = format!("{}\n{}\n{}", wanted.source(), wanted.name(), pinned.version);
        self.folder.join("versions").join(ContentDigest::of(key.as_bytes()).hex())
    }
}

/// Bytes behind their own digest, for entries that are named by something else.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{}\n", ContentDigest::of(body)).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The bytes behind a digest, where it is theirs.
pub(crate) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (digest, body) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)?)?;
    let body = &body[1..];
    (digest == ContentDigest::of(body).as_str().as_bytes()).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    #[test]
    fn a_damaged_entry_is_as_good_as_none() {
        let world = MemoryWorld::new().with_variable("XDG_CACHE_HOME", "/cache");
        let cache = Cache::open(&world);
        let digest = cache.put(b"bytes").expect("room");
        assert_eq!(cache.get(&digest).as_deref(), Some(b"bytes".as_slice()));
        world.write(&cache.path(&digest), b"other").expect("room");
        assert_eq!(cache.get(&digest), None);
        assert!(!world.files().contains_key(&cache.path(&digest)), "the damaged entry is gone");
    }
}
