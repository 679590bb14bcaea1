//! What becomes of rendered files: split into documents, hooks told from manifests, ordered by kind, written down.
//!
//! Bytes are never changed, only cut: every [`Manifest`] is a range of a rendered file, so that what is known of the
//! file's bytes is known of the manifest.

mod head;
mod split;

pub use head::Head;
pub use split::split;

use super::profile::Profile;
use super::unicode;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// The order in which Helm installs kinds (4.2.4 `pkg/release/v1/util/kind_sorter.go`).
const INSTALL_ORDER: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where they have a place, they come last.
const WEBHOOKS: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The events that a hook may name; `test-success` is an old word for `test`.
const EVENTS: &[&str] = &[
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// A rendered file.
#[derive(Clone, Debug)]
pub struct RenderedFile {
    /// Its template: `chart/templates/x.yaml`.
    pub path: Arc<str>,
    /// What it rendered to.
    pub bytes: Arc<[u8]>,
}

/// One document of a rendered file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file's number in the rendering.
    pub file: usize,
    /// Its bytes in the file.
    pub range: Range<usize>,
    /// What was read of it.
    pub head: Head,
    /// A hook that runs as a test.
    pub is_test: bool,
}

/// A rendered chart, sorted.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    /// The rendered files, by path; notes and partials are not among them.
    pub files: Vec<RenderedFile>,
    /// What is installed, in order.
    pub manifests: Vec<Manifest>,
    /// What runs around that, in order of kinds.
    pub hooks: Vec<Manifest>,
    /// Hooks with an event that Helm does not know, which it drops without a word.
    pub unknown_hooks: Vec<Manifest>,
}

/// A document that is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadManifest {
    /// The file's path.
    pub path: Arc<str>,
    /// The bytes of the document in the file.
    pub range: Range<usize>,
    /// Go's words.
    pub words: String,
}

impl Sorted {
    /// The bytes of a manifest.
    pub fn bytes(&self, manifest: &Manifest) -> &[u8] {
        self.files
            .get(manifest.file)
            .and_then(|file| file.bytes.get(manifest.range.clone()))
            .unwrap_or_default()
    }

    /// The template of a manifest.
    pub fn path(&self, manifest: &Manifest) -> &str {
        self.files.get(manifest.file).map_or("", |file| &file.path)
    }
}

/// Sorts what was rendered. Files called `NOTES.txt` and partials are left out, blank files too.
pub fn sort(mut files: Vec<RenderedFile>, profile: &Profile) -> Result<Sorted, BadManifest> {
    files.retain(|file| !file.path.ends_with("NOTES.txt"));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut sorted = Sorted::default();
    for (number, file) in files.iter().enumerate() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if name.starts_with('_') || unicode::trim(&file.bytes).is_empty() {
            continue;
        }
        for range in split(&file.bytes, profile.split_at_line_start) {
            let head = Head::read(&file.bytes[range.clone()], profile).map_err(|words| BadManifest {
                path: Arc::clone(&file.path),
                range: range.clone(),
                words,
            })?;
            let manifest =
                |is_test| Manifest { file: number, range: range.clone(), head: head.clone(), is_test };
            match head.hook.as_deref() {
                None => sorted.manifests.push(manifest(false)),
                Some(events) => {
                    let events: Vec<String> = events.split(',').map(|e| e.trim().to_lowercase()).collect();
                    // An unknown event drops the document without a word (helm 4.2.4 `manifest_sorter.go`).
                    if events.iter().all(|event| EVENTS.contains(&event.as_str())) {
                        let is_test = events.iter().any(|e| matches!(e.as_str(), "test" | "test-success"));
                        sorted.hooks.push(manifest(is_test));
                    } else {
                        sorted.unknown_hooks.push(manifest(false));
                    }
                }
            }
        }
    }
    for manifests in [&mut sorted.manifests, &mut sorted.hooks] {
        manifests.sort_by(|a, b| place(&a.head.kind, profile).cmp(&place(&b.head.kind, profile)));
    }
    sorted.files = files;
    Ok(sorted)
}

/// Known kinds by their place, unknown ones behind them by name.
fn place<'a>(kind: &'a str, profile: &Profile) -> (usize, &'a str) {
    let webhooks = if profile.webhooks_last { WEBHOOKS } else { &[] };
    let known = INSTALL_ORDER.iter().chain(webhooks).position(|known| *known == kind);
    known.map_or((usize::MAX, kind), |at| (at, ""))
}

/// A document as it stands in a stream: `---`, the source and the content, piece by piece.
pub fn pieces<'a>(path: &'a str, content: &'a [u8]) -> [&'a [u8]; 5] {
    [b"---\n# Source: ", path.as_bytes(), b"\n", content, b"\n"]
}

/// Adds a document to a stream.
pub fn write_document(out: &mut Vec<u8>, path: &str, content: &[u8]) {
    for piece in pieces(path, content) {
        out.extend_from_slice(piece);
    }
}

/// The documents of a finished stream that `--show-only` means, in the order of the patterns; the first pattern that
/// means none is the error.
pub fn show_only(stream: &[u8], patterns: &[String], profile: &Profile) -> Result<Vec<u8>, String> {
    let documents = split(stream, profile.split_at_line_start);
    let sources: Vec<(Range<usize>, Option<Cow<'_, str>>)> =
        documents.into_iter().map(|range| (range.clone(), source(&stream[range]))).collect();
    let mut out = Vec::new();
    for pattern in patterns {
        let mut missing = true;
        for (range, source) in &sources {
            let Some(source) = source else { continue };
            if super::gopath::matches(pattern, source).unwrap_or(false) {
                missing = false;
                out.extend_from_slice(b"---\n");
                out.extend_from_slice(&stream[range.clone()]);
                out.push(b'\n');
            }
        }
        if missing {
            return Err(format!("could not find template {pattern} in chart"));
        }
    }
    Ok(out)
}

/// What `# Source: [^/]+/(.+)` captures first in a document.
fn source(document: &[u8]) -> Option<Cow<'_, str>> {
    const MARK: &[u8] = b"# Source: ";
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&document[at..], MARK) {
        let rest = &document[at + found + MARK.len()..];
        // The chart's name may not be empty; a line break in it does not matter to the expression, one in the path does.
        if let Some(slash) = memchr::memchr(b'/', rest).filter(|slash| *slash > 0) {
            let path = &rest[slash + 1..];
            let end = memchr::memchr(b'\n', path).unwrap_or(path.len());
            if end > 0 {
                return Some(String::from_utf8_lossy(&path[..end]));
            }
        }
        at += found + MARK.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};

    fn file(path: &str, text: &str) -> RenderedFile {
        RenderedFile { path: path.into(), bytes: text.as_bytes().into() }
    }

    fn kinds(sorted: &[Manifest]) -> Vec<&str> {
        sorted.iter().map(|m| &*m.head.kind).collect()
    }

    #[test]
    fn manifests_are_ordered_by_kind_then_file() {
        let files = || {
            vec![
                file("c/templates/b.yaml", "kind: Zebra\n---\nkind: ValidatingWebhookConfiguration\n"),
                file("c/templates/a.yaml", "kind: APIService\n---\nkind: Service\n---\nkind: Ant\n"),
                file("c/templates/NOTES.txt", "kind: Hello\n"),
                file("c/templates/_x.yaml", "kind: Hello\n"),
                file("c/templates/blank.yaml", " \n\t"),
            ]
        };
        let new = sort(files(), &HELM_4_2).expect("good");
        assert_eq!(
            kinds(&new.manifests),
            ["Service", "APIService", "ValidatingWebhookConfiguration", "Ant", "Zebra"]
        );
        let old = sort(files(), &HELM_3_21).expect("good");
        assert_eq!(
            kinds(&old.manifests),
            ["Service", "APIService", "Ant", "ValidatingWebhookConfiguration", "Zebra"]
        );
    }

    #[test]
    fn hooks_are_kept_apart_and_unknown_ones_dropped() {
        let hook =
            |events: &str| format!("kind: Pod\nmetadata:\n  annotations:\n    helm.sh/hook: {events}\n");
        let files = vec![
            file("c/templates/a.yaml", &hook("'pre-install, TEST'")),
            file("c/templates/b.yaml", &hook("crd-install")),
            file("c/templates/c.yaml", &hook("post-delete")),
        ];
        let sorted = sort(files, &HELM_4_2).expect("good");
        assert!(sorted.manifests.is_empty());
        assert_eq!(sorted.hooks.iter().map(|h| h.is_test).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn shows_only_what_is_asked_for() {
        let stream = b"---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/b.yaml\nb: 1\n";
        let shown = show_only(stream, &["templates/b*".to_owned()], &HELM_4_2).expect("there");
        assert_eq!(shown, b"---\n# Source: c/templates/b.yaml\nb: 1\n\n");
        let shown = show_only(stream, &["templates/b*".to_owned()], &HELM_3_21).expect("there");
        assert_eq!(shown, b"---\n# Source: c/templates/b.yaml\nb: 1\n");
        assert_eq!(
            show_only(stream, &["x".to_owned()], &HELM_4_2).expect_err("missing"),
            "could not find template x in chart"
        );
    }
}
