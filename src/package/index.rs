//! `index.yaml` of an HTTP Helm repository: the versions of one chart and where they are.

use super::PackageError;
use super::http::Url;
use crate::diag::did_you_mean;
use crate::value::Node;

/// One version of a chart in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) version: String,
    pub(super) url: Url,
    /// The index's own digest of the archive, in hex, where it has one.
    pub(super) digest: Option<String>,
}

/// The versions of `name`, in the index's order; entries without a usable URL are passed over.
pub(super) fn versions(index: &Node, at: &Url, name: &str) -> Result<Vec<IndexEntry>, PackageError> {
    let malformed =
        |words: &str| PackageError::Malformed { what: format!("`{at}`"), words: words.to_owned() };
    let entries =
        index.get("entries").and_then(Node::as_map).ok_or_else(|| malformed("it has no `entries`"))?;
    let Some(found) = entries.get(name) else {
        return Err(PackageError::NoSuchChart {
            name: name.to_owned(),
            source: at.to_string(),
            near: did_you_mean(name, entries.keys().map(AsRef::as_ref)).map(str::to_owned),
        });
    };
    let list = found.node.as_list().ok_or_else(|| malformed("the chart's entry is not a list"))?;
    Ok(list
        .iter()
        .filter_map(|entry| {
            let version = entry.get("version")?.as_str()?.to_owned();
            let reference = entry.get("urls")?.as_list()?.first()?.as_str()?;
            // An entry for another chart's archive is no entry of this one.
            if entry.get("name").and_then(Node::as_str).is_some_and(|stated| stated != name) {
                return None;
            }
            let url = at.join(reference).ok()?;
            let digest = entry
                .get("digest")
                .and_then(Node::as_str)
                .map(|digest| digest.trim_start_matches("sha256:").to_owned());
            Some(IndexEntry { version, url, digest })
        })
        .collect())
}
