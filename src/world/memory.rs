//! A world that is a map: for tests, and for compiling without a machine.

use super::net::{Finished, NetError, Request, Response};
use super::{EntryKind, Exclusive, FolderEntry, World, WorldError, clean};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Files and variables in memory.
#[derive(Debug, Default)]
pub struct MemoryWorld {
    drawn: AtomicU64,
    files: Mutex<BTreeMap<Utf8PathBuf, Vec<u8>>>,
    variables: BTreeMap<String, String>,
    input: Vec<u8>,
}

impl MemoryWorld {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.lock().insert(Utf8PathBuf::from(path), text.as_ref().to_vec());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets what is on standard input.
    #[must_use]
    pub fn with_input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = bytes.as_ref().to_vec();
        self
    }

    /// All files as they are now.
    pub fn files(&self) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Utf8PathBuf, Vec<u8>>> {
        self.files.lock().expect("no thread panics while it holds the files")
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, WorldError> {
        self.lock().get(&clean(path)).cloned().ok_or_else(|| WorldError::Missing(path.to_owned()))
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<FolderEntry>, WorldError> {
        let folder = clean(path);
        let mut entries = BTreeSet::new();
        for file in self.lock().keys() {
            if let Ok(rest) = file.strip_prefix(&folder) {
                let mut parts = rest.components();
                if let Some(name) = parts.next() {
                    let kind = if parts.next().is_some() { EntryKind::Folder } else { EntryKind::File };
                    entries.insert(FolderEntry { name: name.to_string(), kind });
                }
            }
        }
        if entries.is_empty() {
            return Err(WorldError::Missing(path.to_owned()));
        }
        Ok(entries.into_iter().collect())
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let path = clean(path);
        let files = self.lock();
        if files.contains_key(&path) {
            Some(EntryKind::File)
        } else {
            files.keys().any(|file| file.starts_with(&path)).then_some(EntryKind::Folder)
        }
    }

    fn size(&self, path: &Utf8Path) -> Result<u64, WorldError> {
        self.read(path).map(|bytes| bytes.len() as u64)
    }

    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorldError> {
        Ok(clean(path))
    }

    fn now(&self) -> (i64, u32) {
        (0, 0)
    }

    fn random(&self, out: &mut [u8]) {
        // A fixed sequence: the same run makes the same keys, and a search for primes comes to an end.
        for chunk in out.chunks_mut(8) {
            let step = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let mut word = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }

    fn standard_input(&self) -> Result<Vec<u8>, WorldError> {
        Ok(self.input.clone())
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.lock().insert(clean(path), bytes.to_vec());
        Ok(())
    }

    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.write(path, bytes)
    }

    fn exclusive(&self, _path: &Utf8Path) -> Result<Exclusive, WorldError> {
        Ok(Exclusive::alone())
    }

    fn pause(&self, _time: Duration) {}

    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.lock().remove(&clean(path));
        Ok(())
    }

    fn remove_empty_folder(&self, _path: &Utf8Path) -> Result<(), WorldError> {
        Ok(())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn fetch(&self, _request: &Request) -> Result<Response, NetError> {
        Err(NetError::Offline)
    }

    fn execute(&self, program: &str, _arguments: &[&str], _input: &[u8]) -> Result<Finished, WorldError> {
        Err(WorldError::Missing(program.into()))
    }

    fn root(&self) -> Option<&Utf8Path> {
        None
    }
}
