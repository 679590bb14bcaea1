//! A world that remembers what it was asked, so that the same questions can be put again.
//!
//! What is compiled is a function of the answers that a world gave. If every one of them is the same today, so is what
//! comes out. Only answers that can be had again are of use: whoever asks for the time, for chance, for standard input,
//! for the network or for another program leaves no trace at all.

use super::net::{Finished, NetError, Request, Response};
use super::{EntryKind, Exclusive, FolderEntry, World, WorldError, passes_on};
use crate::digest::ContentDigest;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Something that a world can be asked again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// The bytes of a file.
    Read(Utf8PathBuf),
    /// The entries of a folder.
    List(Utf8PathBuf),
    /// What is at a path.
    Kind(Utf8PathBuf),
    /// How large a file is.
    Size(Utf8PathBuf),
    /// Where a path leads to.
    Leads(Utf8PathBuf),
    /// A variable.
    Variable(String),
}

impl Question {
    fn ask(&self, world: &dyn World) -> String {
        match self {
            Self::Read(path) => bytes(&world.read(path)),
            Self::List(path) => list(&world.list(path)),
            Self::Kind(path) => kind(world.kind(path)),
            Self::Size(path) => short(&world.size(path)),
            Self::Leads(path) => short(&world.real_path(path)),
            Self::Variable(name) => variable(world.variable(name).as_deref()),
        }
    }
}

/// Questions and their answers, in a form that can be kept: long answers and values of variables as their digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace(Vec<(Question, String)>);

impl Trace {
    /// Whether the world answers today as it did then.
    pub fn holds(&self, world: &dyn World) -> bool {
        self.0.par_iter().all(|(question, answer)| question.ask(world) == *answer)
    }

    /// How many questions there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Another world, listened to.
pub struct Traced<'a> {
    world: &'a dyn World,
    asked: Mutex<BTreeMap<Question, String>>,
    repeatable: AtomicBool,
}

impl<'a> Traced<'a> {
    /// Listens to `world` from now on.
    pub fn new(world: &'a dyn World) -> Self {
        Self { world, asked: Mutex::default(), repeatable: AtomicBool::new(true) }
    }

    /// What was asked; `None` where that cannot be asked again, or where two answers to one question differed.
    pub fn trace(self) -> Option<Trace> {
        let asked = self.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.repeatable.into_inner().then(|| Trace(asked.into_iter().collect()))
    }

    fn note(&self, question: Question, answer: String) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = asked.get(&question) {
            if *before != answer {
                self.spoil();
            }
        } else {
            asked.insert(question, answer);
        }
    }

    fn spoil(&self) {
        self.repeatable.store(false, Ordering::Relaxed);
    }
}

fn bytes(answer: &Result<Vec<u8>, WorldError>) -> String {
    match answer {
        Ok(bytes) => ContentDigest::of(bytes).as_str().to_owned(),
        Err(error) => failure(error),
    }
}

fn list(answer: &Result<Vec<FolderEntry>, WorldError>) -> String {
    match answer {
        Ok(entries) => {
            let mut text = String::new();
            for entry in entries {
                let _ = writeln!(text, "{} {}", kind(Some(entry.kind)), entry.name);
            }
            ContentDigest::of(text.as_bytes()).as_str().to_owned()
        }
        Err(error) => failure(error),
    }
}

fn short(answer: &Result<impl ToString, WorldError>) -> String {
    answer.as_ref().map_or_else(failure, ToString::to_string)
}

fn failure(error: &WorldError) -> String {
    format!("! {error}")
}

fn kind(answer: Option<EntryKind>) -> String {
    match answer {
        None => "none",
        Some(EntryKind::File) => "file",
        Some(EntryKind::Folder) => "folder",
        Some(EntryKind::Other) => "other",
    }
    .to_owned()
}

/// A variable may be a secret.
fn variable(answer: Option<&str>) -> String {
    answer.map_or_else(|| "none".to_owned(), |text| ContentDigest::of(text.as_bytes()).as_str().to_owned())
}

impl World for Traced<'_> {
    passes_on!(world: root);

    fn read(&self, path: &Utf8Path) -> Result<Vec<u8>, WorldError> {
        let answer = self.world.read(path);
        self.note(Question::Read(path.to_owned()), bytes(&answer));
        answer
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<FolderEntry>, WorldError> {
        let answer = self.world.list(path);
        self.note(Question::List(path.to_owned()), list(&answer));
        answer
    }

    fn kind(&self, path: &Utf8Path) -> Option<EntryKind> {
        let answer = self.world.kind(path);
        self.note(Question::Kind(path.to_owned()), kind(answer));
        answer
    }

    fn size(&self, path: &Utf8Path) -> Result<u64, WorldError> {
        let answer = self.world.size(path);
        self.note(Question::Size(path.to_owned()), short(&answer));
        answer
    }

    fn real_path(&self, path: &Utf8Path) -> Result<Utf8PathBuf, WorldError> {
        let answer = self.world.real_path(path);
        self.note(Question::Leads(path.to_owned()), short(&answer));
        answer
    }

    fn now(&self) -> (i64, u32) {
        self.spoil();
        self.world.now()
    }

    fn random(&self, out: &mut [u8]) {
        self.spoil();
        self.world.random(out);
    }

    fn standard_input(&self) -> Result<Vec<u8>, WorldError> {
        self.spoil();
        self.world.standard_input()
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.spoil();
        self.world.write(path, bytes)
    }

    fn keep(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), WorldError> {
        self.spoil();
        self.world.keep(path, bytes)
    }

    fn remove(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.spoil();
        self.world.remove(path)
    }

    fn remove_empty_folder(&self, path: &Utf8Path) -> Result<(), WorldError> {
        self.spoil();
        self.world.remove_empty_folder(path)
    }

    fn exclusive(&self, path: &Utf8Path) -> Result<Exclusive, WorldError> {
        self.spoil();
        self.world.exclusive(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        let answer = self.world.variable(name);
        self.note(Question::Variable(name.to_owned()), variable(answer.as_deref()));
        answer
    }

    fn pause(&self, time: Duration) {
        self.spoil();
        self.world.pause(time);
    }

    fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        self.spoil();
        self.world.fetch(request)
    }

    fn execute(&self, program: &str, arguments: &[&str], input: &[u8]) -> Result<Finished, WorldError> {
        self.spoil();
        self.world.execute(program, arguments, input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    fn asked(world: &MemoryWorld) -> Traced<'_> {
        let traced = Traced::new(world);
        assert_eq!(traced.read("a/b".into()).ok().as_deref(), Some(b"text".as_slice()));
        assert!(traced.read("a/c".into()).is_err());
        assert_eq!(traced.list("a".into()).map(|entries| entries.len()), Ok(1));
        assert_eq!(traced.kind("d".into()), None);
        assert_eq!(traced.variable("HOME"), None);
        traced
    }

    #[test]
    fn holds_while_every_answer_is_the_same() {
        let world = MemoryWorld::new().with("a/b", "text");
        let trace = asked(&world).trace().expect("only what can be asked again was asked");
        assert_eq!(trace.len(), 5);
        assert!(trace.holds(&world));
        assert!(trace.holds(&MemoryWorld::new().with("a/b", "text").with("e", "nobody asked")));
        for other in [
            MemoryWorld::new().with("a/b", "text "),
            MemoryWorld::new().with("a/b", "text").with("a/c", ""),
            MemoryWorld::new().with("a/b", "text").with("a/z", ""),
            MemoryWorld::new().with("a/b", "text").with("d", ""),
            MemoryWorld::new().with("a/b", "text").with_variable("HOME", ""),
            MemoryWorld::new(),
        ] {
            assert!(!trace.holds(&other));
        }
    }

    #[test]
    fn what_cannot_be_asked_again_leaves_no_trace() {
        let world = MemoryWorld::new().with("a/b", "text");
        let time = asked(&world);
        time.now();
        assert_eq!(time.trace(), None);
        let chance = asked(&world);
        chance.random(&mut [0]);
        assert_eq!(chance.trace(), None);
        let changed = asked(&world);
        world.write("a/b".into(), b"other").expect("room");
        let _other = changed.read("a/b".into());
        assert_eq!(changed.trace(), None);
    }

    #[test]
    fn values_of_variables_are_not_kept() {
        let world = MemoryWorld::new().with_variable("TOKEN", "hunter2");
        let traced = Traced::new(&world);
        traced.variable("TOKEN");
        let text = serde_json::to_string(&traced.trace()).expect("JSON");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
