//! Turns what is wanted into pinned packages, and pins into bytes.

use super::cache::Cache;
use super::http::{Url, get};
use super::lock::{Pinned, Wanted};
use super::{ContentDigest, PackageError, git, index, mirror, oci};
use crate::diag::did_you_mean;
use crate::helm::semver::{Constraint, Version};
use crate::source::Sources;
use crate::value::Node;
use crate::world::World;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

/// The largest archive that is fetched.
const ARCHIVE: u64 = 100 * 1024 * 1024;
/// The largest index, unpacked.
const INDEX: u64 = 64 * 1024 * 1024;

/// Where packages come from in one run: cache, mirror or network.
pub struct Packages<'a> {
    world: &'a dyn World,
    cache: Cache<'a>,
    mirror: Option<Utf8PathBuf>,
    offline: bool,
    indexes: Mutex<BTreeMap<String, Arc<Node>>>,
}

impl<'a> Packages<'a> {
    /// Packages of this user. A `mirror` folder is read in place of the network; `offline` refuses the network.
    pub fn new(world: &'a dyn World, cache: Cache<'a>, mirror: Option<Utf8PathBuf>, offline: bool) -> Self {
        Self { world, cache, mirror, offline, indexes: Mutex::default() }
    }

    /// Finds the version that is wanted now, fetches it, and says what pins it.
    pub fn resolve(&self, wanted: &Wanted) -> Result<Pinned, PackageError> {
        match wanted {
            Wanted::Manifest { url } => {
                let bytes = self.manifest(url)?;
                Ok(Pinned { version: String::new(), digest: self.cache.put(&bytes)?, manifest: None })
            }
            Wanted::Chart { name, range, source } => {
                let offers = self.offers(name, source)?;
                let version = newest(&offers, range).ok_or_else(|| PackageError::NoSuchVersion {
                    name: name.clone(),
                    wanted: range.clone(),
                    newest: sorted(&offers).into_iter().rev().take(5).collect(),
                })?;
                let (bytes, manifest) = self.chart(name, source, &version, None)?;
                Ok(Pinned { version, digest: self.cache.put(&bytes)?, manifest })
            }
        }
    }

    /// The bytes that a pin means: from the cache, else fetched; never other bytes than the pinned ones.
    pub fn fetch(&self, wanted: &Wanted, pinned: &Pinned) -> Result<Vec<u8>, PackageError> {
        if let Some(bytes) = self.cache.get(&pinned.digest) {
            return Ok(bytes);
        }
        let bytes = match wanted {
            Wanted::Manifest { url } => self.manifest(url)?,
            Wanted::Chart { name, source, .. } => {
                self.chart(name, source, &pinned.version, pinned.manifest.as_ref())?.0
            }
        };
        let got = ContentDigest::of(&bytes);
        if got != pinned.digest {
            return Err(PackageError::Digest {
                what: wanted.to_string(),
                wanted: pinned.digest.clone(),
                got,
            });
        }
        self.cache.put(&bytes)?;
        Ok(bytes)
    }

    /// Versions that are newer than the pinned one, newest first; prereleases only where the pinned one is one.
    pub fn newer(&self, wanted: &Wanted, pinned: &Pinned) -> Result<Vec<String>, PackageError> {
        let Wanted::Chart { name, source, .. } = wanted else { return Ok(Vec::new()) };
        if source.starts_with("git+") {
            return Ok(Vec::new());
        }
        let Ok(current) = Version::parse(pinned.version.as_bytes()) else { return Ok(Vec::new()) };
        let mut found: Vec<String> = sorted(&self.offers(name, source)?)
            .into_iter()
            .filter(|offer| {
                Version::parse(offer.as_bytes()).is_ok_and(|version| {
                    version.compare(&current) == Ordering::Greater
                        && (!offer.contains('-') || pinned.version.contains('-'))
                })
            })
            .collect();
        found.reverse();
        Ok(found)
    }

    fn network(&self, what: &str) -> Result<(), PackageError> {
        if self.offline { Err(PackageError::Offline(what.to_owned())) } else { Ok(()) }
    }

    fn manifest(&self, url: &str) -> Result<Vec<u8>, PackageError> {
        if let Some(folder) = &self.mirror {
            if let Some(path) = mirror::manifest(self.world, folder, url) {
                return self.file(&path);
            }
            return Err(PackageError::World(format!("the mirror `{folder}` has nothing for `{url}`")));
        }
        self.network(&format!("`{url}`"))?;
        Ok(get(self.world, &Url::parse(url)?, ARCHIVE)?.1)
    }

    fn file(&self, path: &Utf8Path) -> Result<Vec<u8>, PackageError> {
        self.world.read(path).map_err(|error| PackageError::World(error.to_string()))
    }

    /// The versions that a source has.
    fn offers(&self, name: &str, source: &str) -> Result<Vec<String>, PackageError> {
        if let Some(folder) = &self.mirror {
            let offers: Vec<String> =
                mirror::versions(self.world, folder, name)?.into_iter().map(|(version, _)| version).collect();
            if offers.is_empty() {
                let names = mirror::names(self.world, folder);
                return Err(PackageError::NoSuchChart {
                    name: name.to_owned(),
                    source: folder.to_string(),
                    near: did_you_mean(name, names.iter().map(String::as_str)).map(str::to_owned),
                });
            }
            return Ok(offers);
        }
        self.network(&format!("the list of versions of `{name}`"))?;
        if let Some(rest) = source.strip_prefix("git+") {
            let (url, revision, _) = git_parts(rest);
            return Ok(vec![git::resolve(self.world, url, revision)?]);
        }
        if source.starts_with("oci://") {
            return oci::Repository::new(self.world, source, name)?.tags();
        }
        let (index, at) = self.index(source)?;
        Ok(index::versions(&index, &at, name)?.into_iter().map(|entry| entry.version).collect())
    }

    fn index(&self, source: &str) -> Result<(Arc<Node>, Url), PackageError> {
        let at = Url::parse(&format!("{}/index.yaml", source.trim_end_matches('/')))?;
        let key = at.to_string();
        let known = self
            .indexes
            .lock()
            .expect("no thread panics while it holds the indexes")
            .get(&key)
            .map(Arc::clone);
        if let Some(index) = known {
            return Ok((index, at));
        }
        let (_, bytes) = get(self.world, &at, INDEX)?;
        let malformed = |words: String| PackageError::Malformed { what: format!("`{at}`"), words };
        // Some servers compress whatever they were asked for.
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            GzDecoder::new(bytes.as_slice())
                .take(INDEX)
                .read_to_end(&mut plain)
                .map_err(|error| malformed(error.to_string()))?;
            plain
        } else {
            bytes
        };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let file = Sources::new().add(key.as_str(), "");
        let node = crate::yaml::read(file, &text, crate::yaml::Options::LENIENT)
            .map_err(|error| malformed(error.go_message()))?;
        let index = Arc::new(node);
        let mut indexes = self.indexes.lock().expect("no thread panics while it holds the indexes");
        indexes.insert(key, Arc::clone(&index));
        Ok((index, at))
    }

    /// The bytes of one version, and for OCI the manifest's digest.
    fn chart(
        &self,
        name: &str,
        source: &str,
        version: &str,
        manifest: Option<&ContentDigest>,
    ) -> Result<(Vec<u8>, Option<ContentDigest>), PackageError> {
        if let Some(folder) = &self.mirror {
            let found =
                mirror::versions(self.world, folder, name)?.into_iter().find(|(known, _)| known == version);
            let (_, path) = found.ok_or_else(|| {
                PackageError::World(format!("the mirror `{folder}` has no `{name}` {version}"))
            })?;
            return Ok((self.file(&path)?, None));
        }
        self.network(&format!("chart `{name}` {version}"))?;
        if let Some(rest) = source.strip_prefix("git+") {
            let (url, _, path) = git_parts(rest);
            let folder = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let scratch = self.cache.folder().to_owned();
            return Ok((git::archive(self.world, &scratch, url, version, &folder)?, None));
        }
        if source.starts_with("oci://") {
            let mut repository = oci::Repository::new(self.world, source, name)?;
            let reference = manifest.map_or(version, ContentDigest::as_str);
            let pulled = repository.pull(reference, ARCHIVE)?;
            return Ok((pulled.bytes, Some(pulled.manifest)));
        }
        let (index, at) = self.index(source)?;
        let entry = index::versions(&index, &at, name)?
            .into_iter()
            .find(|entry| entry.version == version)
            .ok_or_else(|| PackageError::NoSuchVersion {
                name: name.to_owned(),
                wanted: version.to_owned(),
                newest: Vec::new(),
            })?;
        let (_, bytes) = get(self.world, &entry.url, ARCHIVE)?;
        if let Some(stated) =
            entry.digest.as_deref().and_then(|hex| ContentDigest::parse(&format!("sha256:{hex}")))
        {
            let got = ContentDigest::of(&bytes);
            if got != stated {
                return Err(PackageError::Digest { what: format!("`{}`", entry.url), wanted: stated, got });
            }
        }
        Ok((bytes, None))
    }
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

/// Whether a version is the one that is written, or in the range.
pub(super) fn matches_range(range: &str, version: &str) -> bool {
    range == version || newest(&[version.to_owned()], range).is_some()
}

/// The offer that is written exactly as wanted, else the newest in the range.
pub(super) fn newest(offers: &[String], range: &str) -> Option<String> {
    if let Some(exact) = offers.iter().find(|offer| *offer == range) {
        return Some(exact.clone());
    }
    let constraint = Constraint::parse(range.as_bytes()).ok()?;
    sorted(offers)
        .into_iter()
        .rev()
        .find(|offer| Version::parse(offer.as_bytes()).is_ok_and(|version| constraint.matches(&version)))
        .or_else(|| {
            // Git offers one commit, which is no version.
            (offers.len() == 1 && offers[0].len() == 40).then(|| offers[0].clone())
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
        assert_eq!(newest(&offers, "^1.2").as_deref(), Some("v1.3.1"));
        assert_eq!(newest(&offers, "1.4.0-rc.1").as_deref(), Some("1.4.0-rc.1"));
        assert_eq!(newest(&offers, "1.3.0").as_deref(), Some("v1.3.0"));
        assert_eq!(newest(&offers, ">=3"), None);
    }

    #[test]
    fn git_locations_are_cut() {
        assert_eq!(git_parts("https://h/x.git?v1#charts/a"), ("https://h/x.git", "v1", "charts/a"));
        assert_eq!(git_parts("https://h/x.git"), ("https://h/x.git", "HEAD", ""));
    }
}
