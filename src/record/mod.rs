//! What the last build of a project read, and what came of it: enough to say that nothing has changed.
//!
//! A build is a function of the answers that the project gave to its questions. A record keeps the answers, by digest,
//! and the digests of the files that were written. If the project answers the same today, and the files are still those,
//! the build is done, with the findings that it had. Anything else, a damaged record as well, and the build is made as if
//! there were no record.

mod findings;

use crate::diag::{Diagnostic, Sink};
use crate::digest::Digester;
use crate::driver::{Journey, Size, Wish};
use crate::emit::{self, Tree};
use crate::package::cache::{Cache, sealed, unsealed};
use crate::package::memo::{ENGINE, Memo};
use crate::package::supply::Fit;
use crate::source::Sources;
use crate::world::World;
use crate::world::traced::Trace;
use camino::{Utf8Path, Utf8PathBuf};
use findings::Findings;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The folder in the cache.
const FOLDER: &str = "builds";
/// How many records are kept; beyond that the older half goes.
const ROOM: usize = 200;

/// What a build read and made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    /// When it was made, in seconds since 1970: older ones go first.
    written: i64,
    trace: Trace,
    environments: Vec<Recorded>,
    findings: Findings,
    /// The entries of memory that it was of use to keep.
    memories: BTreeSet<String>,
}

/// An environment as it was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its name.
    pub name: Arc<str>,
    /// How large it is.
    pub size: Size,
    /// Where its files are, below the project.
    pub root: Utf8PathBuf,
    /// The digest of its list of files.
    list: String,
}

impl Recorded {
    /// What there is to keep of an environment.
    pub fn of(tree: &Tree, size: Size) -> Self {
        let list = tree.files().get(&Tree::list_path(tree.environment()));
        Self {
            name: Arc::clone(tree.environment()),
            size,
            root: tree.output().root(),
            list: list.map(|bytes| emit::digest(bytes)).unwrap_or_default(),
        }
    }

    /// Whether its files are there as they were written.
    fn stands(&self, world: &dyn World) -> bool {
        let Ok(list) = world.read(&self.root.join(Tree::list_path(&self.name))) else { return false };
        if emit::digest(&list) != self.list {
            return false;
        }
        let listed = std::str::from_utf8(&list).ok().and_then(|text| emit::read_list(&self.name, text));
        listed.is_some_and(|listed| {
            listed.par_iter().all(|(path, digest)| {
                world.read(&self.root.join(path)).is_ok_and(|bytes| emit::digest(&bytes) == *digest)
            })
        })
    }
}

impl Record {
    /// The environments, by name.
    pub fn environments(&self) -> &[Recorded] {
        &self.environments
    }

    /// Whether all files are there as they were written.
    pub fn stands(&self, world: &dyn World) -> bool {
        self.environments.iter().all(|environment| environment.stands(world))
    }

    /// Tells again what was found.
    pub fn tell(&self, sources: &Sources, sink: &mut Sink) {
        for finding in self.findings.again(sources) {
            sink.report(finding);
        }
    }
}

/// The place of the record of one project, built in one way.
pub struct Slot {
    folder: Utf8PathBuf,
    name: String,
}

impl Slot {
    /// The place for builds of this kind in this folder; none where the lock has to be compared with a mirror, which no
    /// record can tell.
    pub fn of(world: &dyn World, wish: &Wish) -> Option<Self> {
        if wish.access.fit != Fit::Enough {
            return None;
        }
        let (root, cache) = (world.root()?, Cache::of_user(world)?);
        let mut digester = Digester::default();
        let kind = format!("{:?} {:?} {:?}", wish.selection, wish.charts, wish.access.mirror.is_some());
        digester.add(ENGINE.as_bytes()).add(root.as_str().as_bytes()).add(kind.as_bytes());
        Some(Self { folder: cache.folder().join(FOLDER), name: digester.finish().hex().to_owned() })
    }

    /// The record, where one is there and the project is as it was.
    pub fn find(&self, world: &dyn World) -> Option<Record> {
        read(world, &self.folder.join(&self.name)).filter(|record| record.trace.holds(world))
    }

    /// Keeps what a build read and made; a build that cannot be told from another one is not kept. A cache that cannot
    /// be written costs time at the next build and nothing else.
    pub fn keep(
        &self,
        world: &dyn World,
        sources: &Sources,
        found: &[Diagnostic],
        environments: Vec<Recorded>,
        journey: Journey,
    ) {
        let Some(trace) = journey.trace else { return };
        let record = Record {
            written: world.now().0,
            trace,
            environments,
            findings: Findings::of(found, sources),
            memories: journey.memories,
        };
        let Ok(body) = serde_json::to_vec(&record) else { return };
        let _ignored = world.keep(&self.folder.join(&self.name), &sealed(&body));
        if journey.releases.rendered > 0 {
            self.tidy(world);
        }
    }

    /// Removes the older half of too many records, and memories that no record names. All records are read only where
    /// there is that much.
    fn tidy(&self, world: &dyn World) {
        let names = world.list(&self.folder).unwrap_or_default();
        let records = || -> Vec<(Option<Record>, Utf8PathBuf)> {
            let paths = names.par_iter().map(|entry| self.folder.join(&entry.name));
            paths.map(|path| (read(world, &path), path)).collect()
        };
        if names.len() > ROOM {
            let mut records = records();
            records.sort_by_key(|(record, _)| record.as_ref().map(|record| record.written));
            for (_, path) in records.drain(..ROOM / 2) {
                let _ignored = world.remove(&path);
            }
        }
        if let Some(memo) = Memo::open(world) {
            let kept = || records().into_iter().filter_map(|(record, _)| record);
            memo.sweep(|| kept().flat_map(|record| record.memories).collect());
        }
    }
}

fn read(world: &dyn World, path: &Utf8Path) -> Option<Record> {
    serde_json::from_slice(unsealed(&world.read(path).ok()?)?).ok()
}

#[cfg(test)]
mod tests;
