//! `stackc.lock`: what each package that an environment wants is, to the byte.
//!
//! One block an entry, sorted, one fact a line, nothing that depends on a machine or a clock: two branches that
//! vendor different packages merge without a conflict.

use super::ContentDigest;
use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::source::{FileId, Sources, Span};
use crate::value::Node;
use crate::world::{World, WorldError};
use crate::yaml;
use camino::Utf8Path;
use std::collections::BTreeMap;

/// The file's name, in the project's folder.
pub const FILE: &str = "stackc.lock";

/// What is wanted: a chart by source, name and range, or a manifest by URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// A chart.
    Chart {
        /// The chart's name.
        name: String,
        /// A version or a range.
        range: String,
        /// `https://...`, `oci://...`, or `git+URL?revision#path`.
        source: String,
    },
    /// A file of plain manifests.
    Manifest {
        /// Where it is.
        url: String,
    },
}

impl Wanted {
    /// The chart's name, or the manifest's URL.
    pub fn name(&self) -> &str {
        match self {
            Self::Chart { name, .. } => name,
            Self::Manifest { url } => url,
        }
    }

    /// Where it is from.
    pub fn source(&self) -> &str {
        match self {
            Self::Chart { source, .. } => source,
            Self::Manifest { url } => url,
        }
    }

    /// The package in a message that names a version itself.
    pub fn without_range(&self) -> String {
        match self {
            Self::Chart { name, .. } => format!("chart `{name}`"),
            Self::Manifest { url } => format!("`{url}`"),
        }
    }

    /// Whether both are the same package, whatever the range.
    pub fn is_same_package(&self, other: &Self) -> bool {
        self.name() == other.name() && self.source() == other.source()
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chart { name, range, .. } => write!(out, "chart `{name}` {range}"),
            Self::Manifest { url } => write!(out, "`{url}`"),
        }
    }
}

/// What a package was pinned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The exact version. Empty for manifests.
    pub version: String,
    /// The bytes.
    pub digest: ContentDigest,
    /// For OCI: the manifest.
    pub manifest: Option<ContentDigest>,
    /// For Git: the commit.
    pub commit: Option<String>,
}

/// The whole file.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    entries: BTreeMap<Wanted, Pinned>,
    places: BTreeMap<Wanted, Span>,
}

impl PartialEq for Lock {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for Lock {}

const HEAD: &str = "# Written by `stackc vendor`: commit it, do not edit it.\nversion: 1\npackages:";

impl Lock {
    /// What a package is pinned to.
    pub fn get(&self, wanted: &Wanted) -> Option<&Pinned> {
        self.entries.get(wanted)
    }

    /// Pins a package; what it was pinned to before.
    pub fn insert(&mut self, wanted: Wanted, pinned: Pinned) -> Option<Pinned> {
        self.entries.insert(wanted, pinned)
    }

    /// Unpins a package; what it was pinned to.
    pub fn remove(&mut self, wanted: &Wanted) -> Option<Pinned> {
        self.entries.remove(wanted)
    }

    /// Where the entry of a package stands in the file.
    pub fn place(&self, wanted: &Wanted) -> Option<Span> {
        self.places.get(wanted).copied()
    }

    /// All entries, sorted.
    pub fn entries(&self) -> impl Iterator<Item = (&Wanted, &Pinned)> {
        self.entries.iter()
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut out = String::from(HEAD);
        if self.entries.is_empty() {
            out.push_str(" []\n");
            return out;
        }
        out.push('\n');
        for (wanted, pinned) in &self.entries {
            match wanted {
                Wanted::Chart { name, range, source } => {
                    out.push_str(&format!("  - chart: {}\n    range: {}\n", quoted(name), quoted(range)));
                    out.push_str(&format!(
                        "    source: {}\n    version: {}\n",
                        quoted(source),
                        quoted(&pinned.version)
                    ));
                }
                Wanted::Manifest { url } => out.push_str(&format!("  - manifest: {}\n", quoted(url))),
            }
            out.push_str(&format!("    digest: {}\n", pinned.digest));
            if let Some(manifest) = &pinned.manifest {
                out.push_str(&format!("    ociManifest: {manifest}\n"));
            }
            if let Some(commit) = &pinned.commit {
                out.push_str(&format!("    commit: {}\n", quoted(commit)));
            }
        }
        out
    }

    /// Reads the project's lock; `None` where it has none.
    pub fn load(world: &dyn World, sources: &Sources, sink: &mut Sink) -> Result<Option<Self>, Reported> {
        let bytes = match world.read(Utf8Path::new(FILE)) {
            Ok(bytes) => bytes,
            Err(WorldError::Missing(_)) => return Ok(None),
            Err(error) => {
                let finding = Diagnostic::error(codes::UNREADABLE_FILE, error.to_string());
                return Err(sink.report(finding.help("make the file readable")));
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let file = sources.add(FILE, text.as_str());
        Self::parse(file, &text).map(Some).map_err(|found| {
            found.into_iter().map(|finding| sink.report(finding)).last().expect("what fails says why")
        })
    }

    /// Reads the file's text.
    pub fn parse(file: FileId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        if let Some(span) = conflict(file, text) {
            let finding = Diagnostic::error(codes::LOCK_MALFORMED, "the lock holds an unfinished merge")
                .at(span, "both sides changed it here")
                .help("keep one side, `git checkout --theirs stackc.lock`, then run `stackc vendor`: it adds what is missing and drops what nobody wants");
            return Err(vec![finding]);
        }
        let document = yaml::read(file, text, yaml::Options::STRICT).map_err(|error| {
            vec![error.diagnostic(file).help("the lock is written by `stackc vendor`: restore it from Git")]
        })?;
        Self::read(&document)
    }

    /// Reads the file's document. Everything odd is an error with a place: the lock is what a build trusts.
    pub fn read(document: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut lock = Self::default();
        let mut wrong = Vec::new();
        let fault = |span: Option<Span>, message: String| {
            Diagnostic::error(codes::LOCK_MALFORMED, message)
                .at(span, "")
                .help("restore the file from Git, or remove it and run `stackc vendor`")
        };
        if document.get("version").and_then(Node::as_int) != Some(1) {
            wrong.push(fault(document.span(), "this lock is not of version 1".to_owned()));
            return Err(wrong);
        }
        let Some(packages) = document.get("packages").and_then(Node::as_list) else {
            wrong.push(fault(document.span(), "this lock has no list of `packages`".to_owned()));
            return Err(wrong);
        };
        for entry in packages {
            match read_entry(entry) {
                Ok((wanted, pinned)) => {
                    lock.places.extend(entry.span().map(|span| (wanted.clone(), span)));
                    if lock.entries.insert(wanted.clone(), pinned).is_some() {
                        wrong.push(fault(entry.span(), format!("{wanted} is pinned twice")));
                    }
                }
                Err(words) => wrong.push(fault(entry.span(), words)),
            }
        }
        if wrong.is_empty() { Ok(lock) } else { Err(wrong) }
    }
}

const KEYS: &[&str] = &["chart", "range", "source", "version", "manifest", "digest", "ociManifest", "commit"];

fn read_entry(entry: &Node) -> Result<(Wanted, Pinned), String> {
    let map = entry.as_map().ok_or("an entry is not a map")?;
    for key in map.keys() {
        if !KEYS.contains(&key.as_ref()) {
            let near = did_you_mean(key, KEYS.iter().copied())
                .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            return Err(format!("an entry has the unknown key `{key}`{near}"));
        }
    }
    let text = |key: &str| entry.get(key).and_then(Node::as_str).map(str::to_owned);
    let needed = |key: &str| text(key).ok_or_else(|| format!("an entry has no `{key}`"));
    let digest = |key: &str, value: String| {
        ContentDigest::parse(&value)
            .ok_or_else(|| format!("`{key}` is not `sha256:` and 64 hexadecimal digits"))
    };
    let wanted = match text("manifest") {
        Some(url) => Wanted::Manifest { url },
        None => Wanted::Chart { name: needed("chart")?, range: needed("range")?, source: needed("source")? },
    };
    let version = if matches!(wanted, Wanted::Chart { .. }) { needed("version")? } else { String::new() };
    let pinned = Pinned {
        version,
        digest: digest("digest", needed("digest")?)?,
        manifest: text("ociManifest").map(|value| digest("ociManifest", value)).transpose()?,
        commit: text("commit"),
    };
    Ok((wanted, pinned))
}

/// The first line that Git left where two branches changed one place.
fn conflict(file: FileId, text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let marker = line.trim_end();
        if ["<<<<<<<", ">>>>>>>"].iter().any(|sign| marker.starts_with(sign)) || marker == "=======" {
            return Some(Span::new(file, start, start + marker.len()));
        }
        start += line.len();
    }
    None
}

/// Versions and ranges are quoted always (`1.10` is a number otherwise), so that a line's form never changes.
fn quoted(text: &str) -> String {
    // A JSON string is a YAML string, whatever a server put into it.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Lock, Vec<Diagnostic>> {
        Lock::parse(Sources::new().add(FILE, text), text)
    }

    #[test]
    fn what_is_written_is_read_and_sorted() {
        let digest = ContentDigest::of(b"x");
        let mut lock = Lock::default();
        for (name, manifest) in [("b", Some(digest.clone())), ("a", None)] {
            let wanted = Wanted::Chart {
                name: name.into(),
                range: "1.10".into(),
                source: "https://charts.example.org".into(),
            };
            let commit = manifest.is_none().then(|| "c0ffee".to_owned());
            lock.insert(wanted, Pinned { version: "1.10".into(), digest: digest.clone(), manifest, commit });
        }
        lock.insert(
            Wanted::Manifest { url: "https://example.org/a.yaml".into() },
            Pinned { version: String::new(), digest: digest.clone(), manifest: None, commit: None },
        );
        let text = lock.text();
        assert_eq!(parse(&text).expect("a lock"), lock);
        assert!(text.find("chart: \"a\"") < text.find("chart: \"b\""), "sorted: {text}");
        assert_eq!(parse(&Lock::default().text()).expect("a lock"), Lock::default());
    }

    #[test]
    fn what_is_odd_is_refused_with_its_place() {
        let head = "version: 1\npackages:\n";
        for (entry, words) in [
            ("- {manifest: u, digest: 'sha256:zz'}", "64 hexadecimal"),
            ("- {manifest: u}", "no `digest`"),
            ("- {manifest: u, digset: x}", "did you mean `digest`"),
            ("- {chart: a, digest: x}", "no `range`"),
        ] {
            let found = parse(&format!("{head}{entry}\n")).expect_err(entry);
            assert!(found[0].message.contains(words), "{}", found[0].message);
            assert!(found[0].primary.is_some());
        }
        assert!(parse("version: 2\n").is_err());
        assert!(parse("version: 1\n").is_err());
        let merged = format!("{head}<<<<<<< HEAD\n- {{manifest: u}}\n=======\n>>>>>>> other\n");
        let found = parse(&merged).expect_err("a merge");
        assert!(found[0].message.contains("unfinished merge"));
        assert_eq!(found[0].primary.as_ref().map(|label| label.span.start as usize), Some(head.len()));
    }
}
