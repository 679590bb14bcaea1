//! The repositories that Flux reads charts and references from: one object each, in Flux's own namespace.
//!
//! Invariant: two objects that differ never have one name. Releases that name the same source share an object; where a
//! name stands for several, as one repository at two commits, a hash of what it stands for is put behind it.

use super::document::{self, Fields};
use super::slashed;
use crate::diag::{Diagnostic, Sink, codes};
use crate::helm::semver::is_exact;
use crate::model::{ChartSourceKind, FluxDelivery, ManifestReference};
use crate::order::Sequence;
use crate::render::{DeliveredRelease, Part};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often Flux looks for drift, and for new commits of a Git source.
pub(super) const INTERVAL: &str = "1h";

/// What one object says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// `HelmRepository` or `GitRepository`.
    pub(super) kind: &'static str,
    /// The name that it would have if it were the only one to have it.
    base: String,
    url: Arc<str>,
    at: Option<Revision>,
}

/// What is taken of a Git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Revision {
    /// As it is written.
    pub(super) written: Arc<str>,
    /// The commit that the lock pins for it.
    pub(super) commit: Option<Arc<str>>,
}

impl Revision {
    /// Of the chart of a release; `None` for one that is not from Git.
    pub(super) fn of(delivered: &DeliveredRelease) -> Option<Self> {
        let ChartSourceKind::Git { revision, .. } = &delivered.release.chart.source.kind else { return None };
        Some(Self { written: Arc::clone(revision), commit: delivered.commit.clone() })
    }

    /// The `ref` of a Git source: the pinned commit, else what the revision looks like.
    pub(super) fn reference(&self, reader: Reader) -> Fields {
        let fields = Fields::new();
        let written = &*self.written;
        let branch = written.strip_prefix("refs/heads/");
        if let Some(commit) = &self.commit {
            // Flux finds a commit quicker in a branch that is known to be one.
            return fields
                .with_some("branch", branch.filter(|_| reader == Reader::Flux))
                .with("commit", Arc::clone(commit));
        }
        let hex = matches!(written.len(), 40 | 64) && written.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (branch, written.strip_prefix("refs/tags/")) {
            _ if hex => fields.with("commit", written),
            _ if reader == Reader::Flux && written.starts_with("refs/") => fields.with("name", written),
            (Some(branch), _) => fields.with("branch", branch),
            (_, Some(tag)) => fields.with("tag", tag),
            _ if is_version(written) => fields.with("tag", written),
            _ => fields.with("branch", written),
        }
    }
}

/// Who reads a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Flux,
    Kluctl,
}

/// Whether a revision looks like the tag of a version: `v1.2.3`, `chart-1.2.3`, `2024.1`. `1.x` and `release-1.2` are
/// how branches are called.
fn is_version(revision: &str) -> bool {
    let plain = revision.strip_prefix('v').unwrap_or(revision);
    let numbers = plain.contains('.')
        && plain.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let behind = revision.match_indices(['-', '_', '/']).map(|(at, _)| at + 1);
    numbers || std::iter::once(0).chain(behind).any(|at| is_exact(&revision[at..]))
}

impl Source {
    /// The source of a release; `None` where it needs no object of its own.
    pub(super) fn of_release(delivered: &DeliveredRelease) -> Option<Self> {
        let source = &delivered.release.chart.source;
        let (kind, url, at) = match &source.kind {
            ChartSourceKind::Http(url) => ("HelmRepository", url, None),
            ChartSourceKind::Git { url, .. } => ("GitRepository", url, Revision::of(delivered)),
            ChartSourceKind::Oci(_) | ChartSourceKind::Path(_) => return None,
        };
        Some(Self { kind, base: object_name(&source.name), url: Arc::clone(url), at })
    }

    /// The source of a reference; `None` where it is not in Git.
    pub(super) fn of_reference(part: &Part, reference: &ManifestReference) -> Option<Self> {
        let (url, revision, _) = reference.git.as_ref()?;
        let base = object_name(&format!("{}-{}", part.instance.name, reference.name));
        let at = Some(Revision { written: Arc::clone(revision), commit: None });
        Some(Self { kind: "GitRepository", base, url: Arc::clone(url), at })
    }

    /// What tells it from others of its name.
    fn identity(&self) -> String {
        let at = self.at.as_ref();
        let written = at.map_or("", |at| &at.written);
        let commit = at.and_then(|at| at.commit.as_deref()).unwrap_or_default();
        format!("{}\n{written}\n{commit}", self.url)
    }
}

/// The sources of an environment, and their names.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeMap<Source, String>);

impl Named {
    /// Those that the units of an environment need.
    pub(super) fn of(sequence: &Sequence) -> Self {
        let Some(flux) = &sequence.surroundings().deliver.flux else { return Self::default() };
        let mut found = BTreeSet::new();
        for unit in sequence.units() {
            found.extend(sequence.releases(unit).filter_map(Source::of_release));
            let part = unit.part.map(|part| &sequence.parts()[part]);
            found.extend(part.zip(unit.reference).and_then(|(part, reference)| {
                Source::of_reference(part, &part.instance.references[reference])
            }));
        }
        Self::name(found, flux)
    }

    fn name(found: BTreeSet<Source>, flux: &FluxDelivery) -> Self {
        let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        // Flux's own source is an object beside them.
        alike.insert((&flux.source_kind, &flux.source_name), 1);
        for source in &found {
            *alike.entry((source.kind, &source.base)).or_default() += 1;
        }
        let name = |source: &Source| {
            if alike.get(&(source.kind, source.base.as_str())).is_some_and(|sources| *sources > 1) {
                hashed(&source.base, &source.identity())
            } else {
                source.base.clone()
            }
        };
        let names: Vec<String> = found.iter().map(name).collect();
        Self(found.into_iter().zip(names).collect())
    }

    /// The name of a source's object.
    pub(super) fn get<'a>(&'a self, source: &'a Source) -> &'a str {
        self.0.get(source).map_or(&source.base, |name| name)
    }

    /// Writes the objects into a folder; the names of the files.
    pub(super) fn write(
        &self,
        sequence: &Sequence,
        folder: &Utf8Path,
        files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
        sink: &mut Sink,
    ) -> Vec<String> {
        let Some(flux) = &sequence.surroundings().deliver.flux else { return Vec::new() };
        let mut written: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (source, name) in &self.0 {
            let spec = Fields::new()
                .with("interval", INTERVAL)
                .with("url", Arc::clone(&source.url))
                .with_some("ref", source.at.as_ref().map(|at| at.reference(Reader::Flux)));
            let node = header("source.toolkit.fluxcd.io/v1", source.kind, name, &flux.namespace)
                .with("spec", spec)
                .node();
            let file = format!("{}-{name}.yaml", source.kind.to_lowercase());
            let bytes = document::print(&node, sink);
            let first = written.get(&file).is_some_and(|first| *first != bytes);
            let own = source.kind == &*flux.source_kind && *name == *flux.source_name;
            if first || own {
                sink.report(
                    Diagnostic::error(
                        codes::UNDELIVERABLE,
                        format!("two sources of Flux would be the {} `{name}`", source.kind),
                    )
                    .at(sequence.surroundings().environment.span, "in this environment")
                    .note(format!("one of them is `{}`", source.url))
                    .help("give one of them another name under `sources` in `stackc.yaml`"),
                );
            }
            written.insert(file, bytes);
        }
        let names = written.keys().cloned().collect();
        files.extend(written.into_iter().map(|(file, bytes)| (slashed(folder, &file), bytes)));
        names
    }
}

/// The head of an object.
pub(super) fn header(api_version: &str, kind: &str, name: &str, namespace: &str) -> Fields {
    Fields::new()
        .with("apiVersion", api_version)
        .with("kind", kind)
        .with("metadata", Fields::new().with("name", name).with("namespace", namespace))
}

/// A DNS label for a name.
pub(super) fn object_name(name: &str) -> String {
    let safe = label(name);
    if safe == name && safe.len() <= 63 && !safe.is_empty() { safe } else { hashed(name, name) }
}

fn label(name: &str) -> String {
    let safe: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    safe.trim_matches('-').to_owned()
}

/// A DNS label for a name, with eight digits of a hash of what it stands for.
fn hashed(name: &str, identity: &str) -> String {
    let short: String = label(name).chars().take(54).collect();
    format!("{}-{}", short.trim_matches('-'), &super::digest(identity.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(written: &str, commit: Option<&str>, reader: Reader) -> String {
        let revision = Revision { written: written.into(), commit: commit.map(Arc::from) };
        revision.reference(reader).node().to_json().to_string()
    }

    #[test]
    fn a_revision_is_a_commit_a_tag_or_a_branch() {
        let guess = |written| print(written, None, Reader::Flux);
        for tag in ["v1.3.0", "greeter-0.1.0", "charts/app-v1.2.3-rc.1", "2024.1", "v1.2", "1.2.3+4"] {
            assert_eq!(guess(tag), format!(r#"{{"tag":"{tag}"}}"#));
        }
        for branch in ["main", "1.x", "release-1.2", "v1", "2-0-stable", "feature/a.b"] {
            assert_eq!(guess(branch), format!(r#"{{"branch":"{branch}"}}"#));
        }
        assert_eq!(guess("refs/tags/x"), r#"{"name":"refs/tags/x"}"#);
        assert_eq!(print("refs/tags/x", None, Reader::Kluctl), r#"{"tag":"x"}"#);
        assert_eq!(print("refs/heads/x", None, Reader::Kluctl), r#"{"branch":"x"}"#);
        assert!(guess(&"a".repeat(40)).starts_with(r#"{"commit""#));
    }

    #[test]
    fn a_pinned_revision_is_its_commit() {
        for reader in [Reader::Flux, Reader::Kluctl] {
            assert_eq!(print("greeter-0.1.0", Some("c0"), reader), r#"{"commit":"c0"}"#);
        }
        assert_eq!(print("refs/heads/x", Some("c0"), Reader::Flux), r#"{"branch":"x","commit":"c0"}"#);
        assert_eq!(print("refs/heads/x", Some("c0"), Reader::Kluctl), r#"{"commit":"c0"}"#);
    }

    #[test]
    fn names_of_sources_are_dns_labels() {
        assert_eq!(object_name("jetstack"), "jetstack");
        assert!(object_name("https://charts.example.org/").starts_with("https---charts-example-org-"));
        assert_ne!(object_name("A"), object_name("a"));
    }

    #[test]
    fn two_sources_never_have_one_name() {
        let flux = FluxDelivery { source_kind: "GitRepository".into(), source_name: "own".into(), ..flux() };
        let source = |kind, base: &str, url: &str, commit: Option<&str>| Source {
            kind,
            base: base.into(),
            url: url.into(),
            at: commit.map(|commit| Revision { written: "main".into(), commit: Some(commit.into()) }),
        };
        let found = [
            source("HelmRepository", "a", "https://one.example.org", None),
            source("HelmRepository", "b", "https://one.example.org", None),
            source("GitRepository", "b", "https://one.example.org", Some("c0")),
            source("GitRepository", "b", "https://one.example.org", Some("c1")),
            source("GitRepository", "own", "https://one.example.org", Some("c0")),
        ];
        let named = Named::name(found.iter().cloned().collect(), &flux);
        let names: Vec<&str> = found.iter().map(|source| named.get(source)).collect();
        assert_eq!(names[..2], ["a", "b"]);
        assert!(names[2].starts_with("b-") && names[3].starts_with("b-") && names[2] != names[3]);
        assert!(names[4].starts_with("own-"));
    }

    fn flux() -> FluxDelivery {
        crate::order::tests::operated().deliver.flux.expect("Flux is delivered to")
    }
}
