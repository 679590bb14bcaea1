//! What is newer than what environments have: the question behind `stackc outdated`.

use super::lock::{Lock, Wanted};
use super::source::{Packages, is_exact, newest};
use super::supply::{Want, unavailable};
use super::vendor::{at_once, by_package};
use crate::diag::Sink;
use std::sync::Arc;

/// One chart, and where it could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// What is wanted.
    pub wanted: Wanted,
    /// The version of the lock, or the exact one that is wanted; `None` for a range that nothing pins.
    pub current: Option<String>,
    /// The newest in the wanted range, where it is newer.
    pub in_range: Option<String>,
    /// The newest of all, where it is newer.
    pub newest: Option<String>,
    /// The environments that want it.
    pub environments: Vec<Arc<str>>,
}

impl Outlook {
    /// Whether there is anything newer.
    pub fn is_outdated(&self) -> bool {
        self.newest.is_some()
    }
}

/// Every chart that is wanted, with what its source has now. What cannot be asked is told.
pub fn outlook(wants: &[Want], lock: &Lock, packages: &Packages<'_>, sink: &mut Sink) -> Vec<Outlook> {
    let wanted: Vec<(&Wanted, Vec<&Want>)> =
        by_package(wants).into_iter().filter(|(wanted, _)| matches!(wanted, Wanted::Chart { .. })).collect();
    let asked = at_once(&wanted, |(wanted, _)| {
        let Wanted::Chart { name, range, .. } = wanted else { return Ok((None, Vec::new(), None)) };
        let current = lock
            .get(wanted)
            .map(|pinned| pinned.version.clone())
            .or_else(|| is_exact(range).then(|| range.clone()));
        let newer = packages.newer(wanted, current.as_deref().unwrap_or("0.0.0"))?;
        let in_range = newest(&newer, name, range).ok();
        Ok((current, newer, in_range))
    });
    let mut found = Vec::new();
    for ((wanted, wants), asked) in wanted.into_iter().zip(asked) {
        match asked {
            Ok((current, newer, in_range)) => {
                let mut environments: Vec<Arc<str>> =
                    wants.iter().map(|want| Arc::clone(&want.environment)).collect();
                environments.sort();
                environments.dedup();
                found.push(Outlook {
                    wanted: wanted.clone(),
                    current,
                    in_range,
                    newest: newer.into_iter().next(),
                    environments,
                });
            }
            Err(error) => {
                let _told = sink.report(unavailable(&error, &wants));
            }
        }
    }
    found
}
