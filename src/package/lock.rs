//! `stackc.lock`: what each package that an environment wants is, to the byte.
//!
//! One block an entry, sorted, one fact a line, nothing that depends on a machine or a clock: two branches that
//! vendor different packages merge without a conflict.

use super::ContentDigest;
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::source::Span;
use crate::value::Node;
use std::collections::BTreeMap;

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
    /// The exact version; for Git, the commit. Empty for manifests.
    pub version: String,
    /// The bytes.
    pub digest: ContentDigest,
    /// For OCI: the manifest.
    pub manifest: Option<ContentDigest>,
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    entries: BTreeMap<Wanted, Pinned>,
}

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
        }
        out
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
        for entry in document.get("packages").and_then(Node::as_list).unwrap_or_default() {
            match read_entry(entry) {
                Ok((wanted, pinned)) => {
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

const KEYS: &[&str] = &["chart", "range", "source", "version", "manifest", "digest", "ociManifest"];

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
    };
    Ok((wanted, pinned))
}

/// Versions and ranges are quoted always (`1.10` is a number otherwise), so that a line's form never changes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::yaml::{Options, read};

    fn parse(text: &str) -> Result<Lock, Vec<Diagnostic>> {
        let file = Sources::new().add("stackc.lock", text);
        Lock::read(&read(file, text, Options::STRICT).expect("YAML"))
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
            lock.insert(wanted, Pinned { version: "1.10".into(), digest: digest.clone(), manifest });
        }
        lock.insert(
            Wanted::Manifest { url: "https://example.org/a.yaml".into() },
            Pinned { version: String::new(), digest: digest.clone(), manifest: None },
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
    }
}
