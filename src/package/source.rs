//! Turns what is wanted into pinned packages, and pins into bytes.
//!
//! A version is looked for once, when it is pinned; a pin is only ever answered with bytes of its digest. The mirror,
//! where there is one, stands for the network altogether.

use super::cache::Cache;
use super::http::{Url, get};
use super::index::Index;
use super::lock::{Pinned, Wanted};
use super::mirror::Mirror;
use super::{ContentDigest, PackageError, git, oci, release};
use crate::helm::chart::archive::{self, Budget};
use crate::helm::chart::{Metadata, load};
use crate::helm::profile::HELM_3_21;
use crate::helm::semver::{Constraint, Version, is_exact};
use crate::world::{EntryKind, World};
use camino::Utf8PathBuf;
use flate2::read::GzDecoder;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, OnceLock};

/// The largest archive that is fetched.
const ARCHIVE: u64 = 100 * 1024 * 1024;
/// The largest index, unpacked.
const INDEX: u64 = 100 * 1024 * 1024;

/// Whether servers may be asked.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// They may.
    #[default]
    On,
    /// `--offline`, `--frozen`.
    Off,
}

type Shared<T> = Arc<OnceLock<Result<Arc<T>, PackageError>>>;

/// Where packages come from in one run: cache, mirror or network.
pub struct Packages<'a> {
    world: &'a dyn World,
    cache: Cache<'a>,
    mirror: Option<Mirror<'a>>,
    network: Network,
    indexes: Mutex<BTreeMap<String, Shared<Index>>>,
}

/// A package before it is pinned.
struct Found {
    version: String,
    bytes: Vec<u8>,
    manifest: Option<ContentDigest>,
    commit: Option<String>,
}

impl Found {
    fn new(version: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { version: version.into(), bytes, manifest: None, commit: None }
    }
}

impl<'a> Packages<'a> {
    /// Packages of this user. A `mirror` folder is read in place of the network.
    pub fn new(
        world: &'a dyn World,
        cache: Cache<'a>,
        mirror: Option<Utf8PathBuf>,
        network: Network,
    ) -> Self {
        let mirror = mirror.map(|folder| Mirror::at(world, folder));
        Self { world, cache, mirror, network, indexes: Mutex::default() }
    }

    /// Finds the version that is wanted now, fetches it, looks into it, and says what pins it. The cache does not have
    /// it yet.
    pub fn look_up(&self, wanted: &Wanted) -> Result<(Pinned, Vec<u8>), PackageError> {
        let found = match wanted {
            Wanted::Manifest { url } => Found::new("", self.manifest(url)?),
            Wanted::Chart { name, range, source } => {
                let found = self.find(name, range, source)?;
                let chart = opened(&format!("chart `{name}` {}", found.version), &found.bytes)?;
                is_the_wanted(&chart, name, &found.version)?;
                found
            }
        };
        let pinned = Pinned {
            version: found.version,
            digest: ContentDigest::of(&found.bytes),
            manifest: found.manifest,
            commit: found.commit,
        };
        Ok((pinned, found.bytes))
    }

    /// Keeps what was looked up.
    pub fn keep(&self, wanted: &Wanted, pinned: &Pinned, bytes: &[u8]) -> Result<(), PackageError> {
        self.cache.put(bytes)?;
        self.cache.note(wanted, pinned);
        Ok(())
    }

    /// Looks up what is wanted and keeps it.
    pub fn resolve(&self, wanted: &Wanted) -> Result<Pinned, PackageError> {
        let (pinned, bytes) = self.look_up(wanted)?;
        self.keep(wanted, &pinned, &bytes)?;
        Ok(pinned)
    }

    /// The bytes that a pin means: from the cache, else fetched; never other bytes than the pinned ones.
    pub fn fetch(&self, wanted: &Wanted, pinned: &Pinned) -> Result<Vec<u8>, PackageError> {
        if let Some(bytes) = self.cache.get(&pinned.digest) {
            return Ok(bytes);
        }
        let bytes = match &self.mirror {
            Some(mirror) => self.mirrored(mirror, wanted, pinned)?,
            None => self.served(wanted, pinned)?,
        };
        let got = ContentDigest::of(&bytes);
        if got != pinned.digest {
            return Err(differs(wanted, pinned, got));
        }
        // They are the pinned ones: a cache that cannot be written costs the same way again next time.
        let _kept = self.keep(wanted, pinned, &bytes);
        Ok(bytes)
    }

    /// What the mirror has for a pin.
    fn mirrored(
        &self,
        mirror: &Mirror<'_>,
        wanted: &Wanted,
        pinned: &Pinned,
    ) -> Result<Vec<u8>, PackageError> {
        if let Some(bytes) = mirror.pinned(wanted, pinned) {
            return Ok(bytes);
        }
        let folder = mirror.folder();
        let words = if self.world.kind(folder) == Some(EntryKind::Folder) {
            format!("the mirror `{folder}` has no {} {}", wanted.without_range(), pinned.version)
        } else {
            format!("the mirror `{folder}` is no folder")
        };
        Err(PackageError::World(words.trim_end().to_owned()))
    }

    /// What the source of a pin has.
    fn served(&self, wanted: &Wanted, pinned: &Pinned) -> Result<Vec<u8>, PackageError> {
        // A lock that was changed by hand is told apart from a cache that was never filled.
        if let (Network::Off, Some(other)) = (self.network, self.cache.noted(wanted, pinned)) {
            return Err(differs(wanted, pinned, other));
        }
        match wanted {
            Wanted::Manifest { url } => self.manifest(url),
            Wanted::Chart { name, source, .. } => self.chart(name, source, pinned),
        }
    }

    /// Whether the mirror, where it has this package at all, has the pinned bytes.
    pub fn agrees_with_mirror(&self, wanted: &Wanted, pinned: &Pinned) -> Result<(), PackageError> {
        match self.mirror.as_ref().and_then(|mirror| mirror.pinned(wanted, pinned)) {
            Some(bytes) if ContentDigest::of(&bytes) != pinned.digest => {
                Err(differs(wanted, pinned, ContentDigest::of(&bytes)))
            }
            _ => Ok(()),
        }
    }

    /// Versions that are newer than a given one, newest first; prereleases only where the given one is one.
    pub fn newer(&self, wanted: &Wanted, current: &str) -> Result<Vec<String>, PackageError> {
        let (name, source) = match wanted {
            Wanted::Chart { name, source, .. } => (name, source),
            Wanted::Manifest { url } => return self.newer_tags(url),
        };
        let Ok(now) = Version::parse(current.as_bytes()) else { return Ok(Vec::new()) };
        let offers = match (source.strip_prefix("git+"), &self.mirror) {
            (Some(location), None) => {
                self.online(|| format!("the tags of `{name}`"))?;
                let (url, revision, _) = git_parts(location);
                git::sibling_tags(self.world, url, revision)?
            }
            _ => self.offers(name, source)?,
        };
        let mut found: Vec<String> = sorted(&offers)
            .into_iter()
            .filter(|offer| Version::parse(offer.as_bytes()).is_ok_and(|version| is_newer(&version, &now)))
            .collect();
        found.reverse();
        Ok(found)
    }

    /// Tags of newer releases with the file at a URL, newest first; none where the URL names no release.
    fn newer_tags(&self, url: &str) -> Result<Vec<String>, PackageError> {
        let Some(now) = release::named(url) else { return Ok(Vec::new()) };
        let Some((prefix, current)) = release::version(now.tag) else { return Ok(Vec::new()) };
        let tags = if let Some(mirror) = &self.mirror {
            mirror.manifest_tags(url, now.tag)?
        } else {
            self.online(|| format!("the tags of `{}`", now.repository()))?;
            let versions = git::sibling_tags(self.world, &now.repository(), now.tag)?;
            versions.into_iter().map(|version| format!("{prefix}{version}")).collect()
        };
        let mut newer: Vec<(Version, String)> = tags
            .into_iter()
            .filter_map(|tag| {
                let (before, version) = release::version(&tag)?;
                (before == prefix && is_newer(&version, &current)).then_some((version, tag))
            })
            .collect();
        newer.sort_by(|(a, x), (b, y)| b.compare(a).then_with(|| x.cmp(y)));
        Ok(newer.into_iter().map(|(_, tag)| tag).collect())
    }

    fn online(&self, what: impl Fn() -> String) -> Result<(), PackageError> {
        if self.network == Network::Off { Err(PackageError::Offline(what())) } else { Ok(()) }
    }

    fn manifest(&self, url: &str) -> Result<Vec<u8>, PackageError> {
        if let Some(mirror) = &self.mirror {
            return mirror.manifest(url);
        }
        self.online(|| format!("`{url}`"))?;
        Ok(get(self.world, &Url::parse(url)?, ARCHIVE)?.1)
    }

    /// The versions that a source has.
    fn offers(&self, name: &str, source: &str) -> Result<Vec<String>, PackageError> {
        if let Some(mirror) = &self.mirror {
            return mirror.versions(name);
        }
        self.online(|| format!("the list of versions of `{name}`"))?;
        if source.starts_with("oci://") {
            return oci::Repository::new(self.world, source, name)?.tags();
        }
        Ok(self.index(source)?.versions(name)?.into_iter().map(|entry| entry.version).collect())
    }

    /// The best version in a range, with its bytes.
    fn find(&self, name: &str, range: &str, source: &str) -> Result<Found, PackageError> {
        if self.mirror.is_none() {
            self.online(|| format!("chart `{name}` {range}"))?;
            if let Some(location) = source.strip_prefix("git+") {
                return self.find_in_git(name, range, location);
            }
            // An exact version is asked for as it stands: there are registries that list nothing.
            if source.starts_with("oci://") && is_exact(range) {
                match oci::Repository::new(self.world, source, name)?.pull(range, ARCHIVE) {
                    Ok(pulled) => {
                        let found = Found::new(range, pulled.bytes);
                        return Ok(Found { manifest: Some(pulled.manifest), ..found });
                    }
                    Err(PackageError::Status { status: 404, .. }) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        let offers = self.offers(name, source)?;
        let version = newest(&offers, name, range)?;
        if let Some(mirror) = &self.mirror {
            let bytes = mirror.chart(name, &version)?;
            return Ok(Found::new(version, bytes));
        }
        if source.starts_with("oci://") {
            let pulled = oci::Repository::new(self.world, source, name)?.pull(&version, ARCHIVE)?;
            return Ok(Found { manifest: Some(pulled.manifest), ..Found::new(version, pulled.bytes) });
        }
        let bytes = self.listed(name, source, &version)?;
        Ok(Found::new(version, bytes))
    }

    fn find_in_git(&self, name: &str, range: &str, location: &str) -> Result<Found, PackageError> {
        let (url, revision, _) = git_parts(location);
        let commit = git::resolve(self.world, url, revision)?;
        let bytes = self.packed_in_git(name, location, &commit)?;
        let version = opened(&format!("chart `{name}` at {revision}"), &bytes)?.version;
        newest(std::slice::from_ref(&version), name, range)?;
        Ok(Found { commit: Some(commit), ..Found::new(version, bytes) })
    }

    /// The bytes of a pinned chart, from where it was pinned.
    fn chart(&self, name: &str, source: &str, pinned: &Pinned) -> Result<Vec<u8>, PackageError> {
        self.online(|| format!("chart `{name}` {}", pinned.version))?;
        if let Some(location) = source.strip_prefix("git+") {
            let commit = if let Some(commit) = &pinned.commit {
                commit.clone()
            } else {
                let (url, revision, _) = git_parts(location);
                git::resolve(self.world, url, revision)?
            };
            return self.packed_in_git(name, location, &commit);
        }
        if source.starts_with("oci://") {
            let reference = pinned.manifest.as_ref().map_or(pinned.version.as_str(), ContentDigest::as_str);
            return Ok(oci::Repository::new(self.world, source, name)?.pull(reference, ARCHIVE)?.bytes);
        }
        self.listed(name, source, &pinned.version)
    }

    fn packed_in_git(&self, name: &str, location: &str, commit: &str) -> Result<Vec<u8>, PackageError> {
        let (url, _, path) = git_parts(location);
        let folder = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        git::chart(self.world, self.cache.folder(), url, commit, &folder)
    }

    fn listed(&self, name: &str, source: &str, version: &str) -> Result<Vec<u8>, PackageError> {
        let entries = self.index(source)?.versions(name)?;
        let entry = entries.iter().find(|entry| entry.version == version).ok_or_else(|| {
            let offers: Vec<String> = entries.iter().map(|entry| entry.version.clone()).collect();
            PackageError::NoSuchVersion {
                name: name.to_owned(),
                wanted: version.to_owned(),
                newest: sorted(&offers).into_iter().rev().take(5).collect(),
            }
        })?;
        let (_, bytes) = get(self.world, &entry.url, ARCHIVE)?;
        let stated = entry.digest.as_deref().and_then(|hex| ContentDigest::parse(&format!("sha256:{hex}")));
        match stated {
            Some(stated) if stated != ContentDigest::of(&bytes) => Err(PackageError::Stated {
                what: format!("`{}`", entry.url),
                stated,
                got: ContentDigest::of(&bytes),
            }),
            _ => Ok(bytes),
        }
    }

    /// The index of a repository, fetched once in a run.
    fn index(&self, source: &str) -> Result<Arc<Index>, PackageError> {
        let at = Url::parse(&format!("{}/index.yaml", source.trim_end_matches('/')))?;
        let slot = Arc::clone(
            self.indexes
                .lock()
                .expect("no thread panics while it holds the indexes")
                .entry(at.to_string())
                .or_default(),
        );
        slot.get_or_init(|| self.fetch_index(at).map(Arc::new)).clone()
    }

    fn fetch_index(&self, at: Url) -> Result<Index, PackageError> {
        let (_, bytes) = get(self.world, &at, INDEX)?;
        let malformed = |words: String| PackageError::Malformed { what: format!("`{at}`"), words };
        // Some servers compress whatever they were asked for.
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            GzDecoder::new(bytes.as_slice())
                .take(INDEX + 1)
                .read_to_end(&mut plain)
                .map_err(|error| malformed(error.to_string()))?;
            if plain.len() as u64 > INDEX {
                return Err(malformed(format!("it unpacks to more than {INDEX} bytes")));
            }
            plain
        } else {
            bytes
        };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        Ok(Index::new(at, text))
    }
}

pub(super) fn differs(wanted: &Wanted, pinned: &Pinned, got: ContentDigest) -> PackageError {
    let what = format!("{} {}", wanted.without_range(), pinned.version);
    PackageError::Digest { what: what.trim_end().to_owned(), wanted: pinned.digest.clone(), got }
}

/// What a chart says of itself; one that cannot be loaded is not pinned.
fn opened(what: &str, bytes: &[u8]) -> Result<Metadata, PackageError> {
    let mut budget = Budget::default();
    archive::read(bytes, &mut budget)
        .and_then(|files| load(files, "chart", &HELM_3_21, None, &mut budget))
        .map(|chart| chart.metadata)
        .map_err(|error| PackageError::Malformed { what: what.to_owned(), words: error.to_string() })
}

/// An index or a tag says which chart an archive is; the archive has to say the same.
fn is_the_wanted(chart: &Metadata, name: &str, version: &str) -> Result<(), PackageError> {
    let same = |a: &str, b: &str| {
        a == b
            || matches!((Version::parse(a.as_bytes()), Version::parse(b.as_bytes())),
                (Ok(a), Ok(b)) if a.compare(&b) == Ordering::Equal)
    };
    if chart.name == name && same(&chart.version, version) {
        return Ok(());
    }
    Err(PackageError::Malformed {
        what: format!("chart `{name}` {version}"),
        words: format!("the archive says that it holds `{}` {}", chart.name, chart.version),
    })
}

/// Whether a version is newer; prereleases count only for whoever has one.
fn is_newer(version: &Version, now: &Version) -> bool {
    version.compare(now) == Ordering::Greater && (version.prerelease.is_empty() || !now.prerelease.is_empty())
}

/// `URL?revision#path`.
fn git_parts(text: &str) -> (&str, &str, &str) {
    let (rest, path) = text.split_once('#').unwrap_or((text, ""));
    let (url, revision) = rest.rsplit_once('?').unwrap_or((rest, "HEAD"));
    (url, revision, path)
}

fn sorted(offers: &[String]) -> Vec<String> {
    let mut known: Vec<(Version, &String)> = offers
        .iter()
        .filter_map(|offer| Version::parse(offer.as_bytes()).ok().map(|version| (version, offer)))
        .collect();
    known.sort_by(|(a, x), (b, y)| a.compare(b).then_with(|| x.cmp(y)));
    known.into_iter().map(|(_, offer)| offer.clone()).collect()
}

/// The offer that is written exactly as wanted, else the newest in the range.
pub(super) fn newest(offers: &[String], name: &str, range: &str) -> Result<String, PackageError> {
    if let Some(exact) = offers.iter().find(|offer| *offer == range) {
        return Ok(exact.clone());
    }
    let constraint = Constraint::parse(range.as_bytes()).map_err(|error| PackageError::Range {
        name: name.to_owned(),
        range: range.to_owned(),
        words: error.to_string(),
    })?;
    let known = sorted(offers);
    known
        .iter()
        .rev()
        .find(|offer| Version::parse(offer.as_bytes()).is_ok_and(|version| constraint.matches(&version)))
        .cloned()
        .ok_or_else(|| PackageError::NoSuchVersion {
            name: name.to_owned(),
            wanted: range.to_owned(),
            newest: known.into_iter().rev().take(5).collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_in_the_range_wins_and_an_exact_name_is_taken_as_it_stands() {
        let offers: Vec<String> = ["1.2.0", "v1.3.1", "1.4.0-rc.1", "2.0.0", "v1.3.0"]
            .iter()
            .map(|&offer| offer.to_owned())
            .collect();
        assert_eq!(newest(&offers, "a", "^1.2").as_deref(), Ok("v1.3.1"));
        assert_eq!(newest(&offers, "a", "1.4.0-rc.1").as_deref(), Ok("1.4.0-rc.1"));
        assert_eq!(newest(&offers, "a", "1.3.0").as_deref(), Ok("v1.3.0"));
        assert!(
            matches!(newest(&offers, "a", ">=3"), Err(PackageError::NoSuchVersion { newest, .. }) if newest[0] == "2.0.0")
        );
        assert!(matches!(newest(&offers, "a", "latest"), Err(PackageError::Range { .. })));
    }

    #[test]
    fn git_locations_are_cut() {
        assert_eq!(git_parts("https://h/x.git?v1#charts/a"), ("https://h/x.git", "v1", "charts/a"));
        assert_eq!(git_parts("https://h/x.git"), ("https://h/x.git", "HEAD", ""));
    }
}
