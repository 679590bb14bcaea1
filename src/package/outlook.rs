//! What is newer than what environments have: the question behind `stackc outdated`.

use super::lock::{Lock, Wanted};
use super::release;
use super::source::{Packages, newest};
use super::supply::{Want, unavailable};
use super::vendor::{at_once, by_package};
use crate::diag::Sink;
use crate::helm::semver::is_exact;
use std::sync::Arc;

/// One package, and where it could go.
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
    /// Why nobody can say what is newer, where that is so.
    pub unknown: Option<String>,
    /// The environments that want it.
    pub environments: Vec<Arc<str>>,
}

impl Outlook {
    /// Whether there is anything newer.
    pub fn is_outdated(&self) -> bool {
        self.newest.is_some()
    }
}

/// What a source says of one package.
#[derive(Default)]
struct Answer {
    current: Option<String>,
    in_range: Option<String>,
    newest: Option<String>,
    unknown: Option<String>,
}

/// Everything that is wanted, with what its source has now. A chart whose source cannot be asked is told as an error.
pub fn outlook(wants: &[Want], lock: &Lock, packages: &Packages<'_>, sink: &mut Sink) -> Vec<Outlook> {
    let wanted: Vec<(&Wanted, Vec<&Want>)> = by_package(wants).into_iter().collect();
    let asked = at_once(&wanted, |(wanted, _)| match wanted {
        Wanted::Chart { name, range, .. } => {
            let current = lock
                .get(wanted)
                .map(|pinned| pinned.version.clone())
                .or_else(|| is_exact(range).then(|| range.clone()));
            let newer = packages.newer(wanted, current.as_deref().unwrap_or("0.0.0"))?;
            let in_range = newest(&newer, name, range).ok();
            Ok(Answer { current, in_range, newest: newer.into_iter().next(), unknown: None })
        }
        Wanted::Manifest { url } => Ok(manifest(wanted, url, packages)),
    });
    let mut found = Vec::new();
    for ((wanted, wants), asked) in wanted.into_iter().zip(asked) {
        match asked {
            Ok(Answer { current, in_range, newest, unknown }) => {
                let mut environments: Vec<Arc<str>> =
                    wants.iter().map(|want| Arc::clone(&want.environment)).collect();
                environments.sort();
                environments.dedup();
                found.push(Outlook {
                    wanted: wanted.clone(),
                    current,
                    in_range,
                    newest,
                    unknown,
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

/// A file by URL is one version; whether there are newer ones can be known only where its address names a release. A
/// server that hands out files need not have tags, so that is no error.
fn manifest(wanted: &Wanted, url: &str, packages: &Packages<'_>) -> Answer {
    let Some(release) = release::named(url) else {
        return Answer { unknown: Some("its address names no release".to_owned()), ..Answer::default() };
    };
    let answer = Answer { current: Some(release.tag.to_owned()), ..Answer::default() };
    match packages.newer(wanted, release.tag) {
        Ok(newer) => Answer { newest: newer.into_iter().next(), ..answer },
        Err(error) => Answer { unknown: Some(error.to_string()), ..answer },
    }
}
