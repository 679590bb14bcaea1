//! Filling the lock: every package that environments want is looked up once, fetched, and pinned.
//!
//! What is pinned already stays as it is until somebody asks for an update. The lock is written last, in one piece, and
//! two processes that vendor at once do not undo each other: each adds its own changes to what it finds then.

use super::cache::Cache;
use super::lock::{self, Lock, Pinned, Wanted};
use super::source::{Packages, differs};
use super::supply::{Package, Want, unavailable};
use super::{ContentDigest, PackageError};
use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::source::Sources;
use crate::world::World;
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many packages are fetched at once: it is servers that are waited for, not processors.
const AT_ONCE: usize = 8;

/// Which pins may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// None.
    Nothing,
    /// All, within their ranges.
    Everything,
    /// Those of these packages, within their ranges; even to other bytes of the same version.
    Named(Vec<String>),
}

/// Which environments are considered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All: what none of them wants is dropped.
    Project,
    /// Some: the rest of the lock is left alone.
    Part,
}

/// What became of one entry of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(Wanted, Pinned),
    /// It had another version or other bytes.
    Moved(Wanted, Pinned, Pinned),
    /// Nobody wants it any more.
    Dropped(Wanted, Pinned),
}

/// The packages of these wants that a lock pins, with all who want each.
pub(super) fn by_package(wants: &[Want]) -> BTreeMap<&Wanted, Vec<&Want>> {
    let mut found: BTreeMap<&Wanted, Vec<&Want>> = BTreeMap::new();
    for want in wants {
        if let Package::Locked(wanted) = &want.package {
            found.entry(wanted).or_default().push(want);
        }
    }
    found
}

/// Pins every package that is wanted; all that cannot be had is told.
pub fn vendor(
    wants: &[Want],
    lock: &Lock,
    update: &Update,
    packages: &Packages<'_>,
    sink: &mut Sink,
) -> Result<Vec<(Wanted, Pinned)>, Reported> {
    let wanted: Vec<(&Wanted, Vec<&Want>)> = by_package(wants).into_iter().collect();
    if let Update::Named(names) = update {
        for name in names {
            if !wanted.iter().any(|(wanted, _)| is_called(wanted, name)) {
                unknown(name, wanted.iter().map(|(wanted, _)| wanted.name()), sink);
            }
        }
        sink.finish(())?;
    }
    let found = at_once(&wanted, |(wanted, _)| pin(wanted, lock, update, packages));
    let mut pins = Vec::with_capacity(found.len());
    for ((wanted, wants), found) in wanted.into_iter().zip(found) {
        match found {
            Ok(pinned) => pins.push((wanted.clone(), pinned)),
            Err(error) => {
                let _told = sink.report(unavailable(&error, &wants));
            }
        }
    }
    sink.finish(pins)
}

fn is_called(wanted: &Wanted, name: &str) -> bool {
    wanted.name() == name
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>, sink: &mut Sink) {
    let known: Vec<&str> = known.collect();
    let finding =
        Diagnostic::error(codes::UNKNOWN_PACKAGE, format!("no environment wants a package `{name}`"));
    let help = match did_you_mean(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the environments want no package at all".to_owned(),
        None => format!("they want {}", known.join(", ")),
    };
    let _told = sink.report(finding.help(help));
}

fn pin(
    wanted: &Wanted,
    lock: &Lock,
    update: &Update,
    packages: &Packages<'_>,
) -> Result<Pinned, PackageError> {
    let named = matches!(update, Update::Named(names) if names.iter().any(|name| is_called(wanted, name)));
    let old = lock.get(wanted);
    if let Some(pinned) = old.filter(|_| !named && *update != Update::Everything) {
        let _bytes = packages.fetch(wanted, pinned)?;
        return Ok(pinned.clone());
    }
    let (found, bytes) = packages.look_up(wanted)?;
    if let Some(pinned) = old.filter(|pinned| !named && is_republished(pinned, &found)) {
        return Err(differs(wanted, pinned, found.digest));
    }
    packages.keep(wanted, &found, &bytes)?;
    Ok(found)
}

/// Whether the same version has other bytes now; a Git branch that moved on is no such case.
fn is_republished(old: &Pinned, new: &Pinned) -> bool {
    old.version == new.version && old.commit == new.commit && old.digest != new.digest
}

/// Enters pins into the project's lock and writes it, if it changes and `write` says so; what changed.
pub fn enter(
    world: &dyn World,
    sources: &Sources,
    pins: &[(Wanted, Pinned)],
    scope: Scope,
    sink: &mut Sink,
) -> Result<(Lock, Vec<Change>), Reported> {
    let place = world.real_path(Utf8Path::new(".")).unwrap_or_default();
    let guard =
        Cache::open(world).folder().join("projects").join(ContentDigest::of(place.as_str().as_bytes()).hex());
    let unwritable =
        |words: String| Diagnostic::error(codes::UNWRITABLE_FILE, words).help("make it writable");
    let held = world.exclusive(&guard).map_err(|error| sink.report(unwritable(error.to_string())))?;
    let before = Lock::load(world, sources, sink)?;
    let (lock, changes) = changed(before.as_ref().unwrap_or(&Lock::default()), pins, scope);
    if before.as_ref() != Some(&lock) && !(before.is_none() && lock.entries().next().is_none()) {
        world
            .write(Utf8Path::new(lock::FILE), lock.text().as_bytes())
            .map_err(|error| sink.report(unwritable(error.to_string())))?;
    }
    drop(held);
    Ok((lock, changes))
}

/// A lock with these pins in it.
pub fn changed(before: &Lock, pins: &[(Wanted, Pinned)], scope: Scope) -> (Lock, Vec<Change>) {
    let mut lock = before.clone();
    let mut changes = Vec::new();
    let mut dropped = Vec::new();
    if scope == Scope::Project {
        for (wanted, _) in before.entries() {
            if !pins.iter().any(|(known, _)| known == wanted) {
                dropped.extend(lock.remove(wanted).map(|pinned| (wanted.clone(), pinned)));
            }
        }
    }
    for (wanted, pinned) in pins {
        match lock.insert(wanted.clone(), pinned.clone()) {
            Some(old) if old == *pinned => {}
            Some(old) => changes.push(Change::Moved(wanted.clone(), old, pinned.clone())),
            None => {
                // Another range of the same package took its place.
                let at = dropped.iter().position(|(old, _)| old.is_same_package(wanted));
                changes.push(match at.map(|at| dropped.remove(at).1) {
                    Some(old) => Change::Moved(wanted.clone(), old, pinned.clone()),
                    None => Change::Added(wanted.clone(), pinned.clone()),
                });
            }
        }
    }
    changes.extend(dropped.into_iter().map(|(wanted, pinned)| Change::Dropped(wanted, pinned)));
    (lock, changes)
}

/// Does `work` for every item, several at once; results in the order of the items.
pub(super) fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(name: &str, range: &str, version: &str) -> (Wanted, Pinned) {
        let digest = ContentDigest::of(version.as_bytes());
        let source = "https://charts.example.org".to_owned();
        (
            Wanted::Chart { name: name.into(), range: range.into(), source },
            Pinned { version: version.into(), digest, manifest: None, commit: None },
        )
    }

    #[test]
    fn some_environments_add_and_all_of_them_drop() {
        let mut before = Lock::default();
        for (wanted, pinned) in [pin("a", "^1", "1.0.0"), pin("b", "2.0.0", "2.0.0"), pin("c", "1", "1.0.0")]
        {
            before.insert(wanted, pinned);
        }
        let pins = [pin("a", "^1", "1.1.0"), pin("b", "3.0.0", "3.0.0"), pin("d", "1", "1.0.0")];
        let (part, changes) = changed(&before, &pins, Scope::Part);
        assert_eq!((part.entries().count(), changes.len()), (5, 3));
        let (whole, changes) = changed(&before, &pins, Scope::Project);
        assert_eq!(whole.entries().count(), 3);
        let words: Vec<String> = changes
            .iter()
            .map(|change| match change {
                Change::Added(wanted, pinned) => format!("+{}{}", wanted.name(), pinned.version),
                Change::Moved(wanted, old, new) => {
                    format!("{}{}>{}", wanted.name(), old.version, new.version)
                }
                Change::Dropped(wanted, pinned) => format!("-{}{}", wanted.name(), pinned.version),
            })
            .collect();
        assert_eq!(words, ["a1.0.0>1.1.0", "b2.0.0>3.0.0", "+d1.0.0", "-c1.0.0"]);
        assert_eq!(changed(&whole, &pins, Scope::Project), (whole.clone(), Vec::new()));
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(at_once(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(at_once(&[] as &[usize], |item| *item), Vec::<usize>::new());
    }
}
