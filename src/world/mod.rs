//! The one door to files, environment, clock, git, network and processes.
//!
//! Phases that may look outside are handed a `&dyn World`; the others cannot reach one. Paths are UTF-8, with
//! `/`, relative to the project's root unless they are absolute. [`os::OsWorld`] is the machine,
//! [`memory::MemoryWorld`] a map for tests.

mod below;
pub mod chart;
pub mod git;
pub mod memory;
pub mod net;
pub mod os;
mod passes_on;
pub mod traced;

pub use below::Below;
pub(crate) use passes_on::passes_on;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::fmt;
use std::time::Duration;

/// What kind of thing a folder's entry is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, a device, a socket.
    Other,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderEntry {
    /// Its name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// Why the outside did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldError {
    /// There is no such file or folder.
    Missing(Utf8PathBuf),
    /// It exists, but it could not be read or written; the system's own words.
    Failed(Utf8PathBuf, String),
}

impl fmt::Display for WorldError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(out, "`{path}` does not exist"),
            Self::Failed(path, words) => write!(out, "`{path}`: {words}"),
        }
    }
}

impl std::error::Error for WorldError {}

/// Held while no other process may do the same; let go when it is dropped, or when the process ends in any way.
pub struct Exclusive(Option<Box<dyn std::any::Any + Send>>);

impl Exclusive {
    /// What holds it: dropping that lets go.
    pub fn held_by(holder: Box<dyn std::any::Any + Send>) -> Self {
        Self(Some(holder))
    }

    /// For a world that only one process sees.
    pub fn alone() -> Self {
        Self(None)
    }
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_some() { "Exclusive" } else { "Exclusive (alone)" })
    }
}

/// Everything outside the program. There are no defaults: a world around another one says of each question whether it
/// passes it on ([`passes_on`]).
pub trait World: Sync {
    /// The bytes of a file.
    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, WorldError>;

    /// The entries of a folder, sorted by name.
    fn list(&self, path: &Utf8Path) -> Result<Vec<FolderEntry>, WorldError>;

    /// What is at a path (links followed), if anything.
    fn kind(&self, path: &Utf8Path) -> Option<EntryKind>;

    /// The size of a file in bytes (links followed).
    fn size(&self, path: &Utf8Path) -> Result<u64, WorldError>;

    /// The path with every link in it resolved: two paths to one folder give the same.
    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorldError>;

    /// The time: seconds and nanoseconds since 1970 in UTC.
    fn now(&self) -> (i64, u32);

    /// Fills a buffer with random bytes.
    fn random(&self, out: &mut [u8]);

    /// Everything on standard input.
    fn standard_input(&self) -> Result<Vec<u8>, WorldError>;

    /// Writes a file so that other processes see the old bytes or the new ones; makes its folders.
    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError>;

    /// As [`World::write`], of bytes that can be made again: nobody waits until the disk has them, so that a power cut may
    /// lose them.
    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError>;

    /// Removes a file; one that is not there is no error.
    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError>;

    /// Removes a folder if it is empty; one that is not, or is not there, is no error.
    fn remove_empty_folder(&self, path: &Utf8Path) -> Result<(), WorldError>;

    /// Waits until no other process holds the file at this path, which is made where it does not exist. A world
    /// that only one process sees has nothing to wait for.
    fn exclusive(&self, path: &Utf8Path) -> Result<Exclusive, WorldError>;

    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Lets some time pass. A world without a clock does not wait.
    fn pause(&self, time: Duration);

    /// One HTTP exchange.
    fn fetch(&self, request: &net::Request) -> Result<net::Response, net::NetError>;

    /// Runs a program in the root folder, hands it `input`, and waits for it.
    fn execute(&self, program: &str, arguments: &[&str], input: &[u8]) -> Result<net::Finished, WorldError>;

    /// The folder on disk that relative paths start from, where there is one (git needs it).
    fn root(&self) -> Option<&Utf8Path>;
}

/// The path without `.` and with each `..` taken off against the name before it, without a look at the disk.
pub fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
