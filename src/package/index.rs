//! `index.yaml` of an HTTP Helm repository: the versions of one chart and where they are.
//!
//! Indexes of twenty megabytes are usual, and one chart of them is wanted. The text is cut at the names of charts, which
//! stand on lines of their own, and only the part of the wanted one is read as YAML. An index of another shape is read
//! whole.

use super::PackageError;
use super::http::Url;
use crate::diag::did_you_mean;
use crate::source::Sources;
use crate::value::Node;
use crate::yaml;
use std::collections::BTreeMap;
use std::ops::Range;

/// One version of a chart in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) version: String,
    pub(super) url: Url,
    /// The index's own digest of the archive, in hex, where it has one.
    pub(super) digest: Option<String>,
}

/// An index as it was fetched.
#[derive(Debug)]
pub(super) struct Index {
    at: Url,
    text: String,
    /// Where the entry of each chart stands; `None` where the text has another shape.
    charts: Option<BTreeMap<String, Range<usize>>>,
}

impl Index {
    /// An index from this URL.
    pub(super) fn new(at: Url, text: String) -> Self {
        let charts = cut(&text);
        Self { at, text, charts }
    }

    /// The versions of `name`, in the index's order; entries without a usable URL are passed over.
    pub(super) fn versions(&self, name: &str) -> Result<Vec<IndexEntry>, PackageError> {
        if let Some(charts) = &self.charts {
            let Some(range) = charts.get(name) else {
                return Err(self.no_such_chart(name, charts.keys().map(String::as_str)));
            };
            // An alias needs what stands before it: then the whole is read.
            if let Ok(node) = self.read(&self.text[range.clone()]) {
                return self.of_chart(node.get(name), name);
            }
        }
        let whole = self.read(&self.text)?;
        let entries = whole
            .get("entries")
            .and_then(Node::as_map)
            .ok_or_else(|| self.malformed("it has no `entries`".to_owned()))?;
        match entries.get(name) {
            Some(entry) => self.of_chart(Some(&entry.node), name),
            None => Err(self.no_such_chart(name, entries.keys().map(AsRef::as_ref))),
        }
    }

    fn read(&self, text: &str) -> Result<Node, PackageError> {
        let file = Sources::new().add("index.yaml", "");
        yaml::read(file, text, yaml::Options::LENIENT).map_err(|error| self.malformed(error.go_message()))
    }

    fn malformed(&self, words: String) -> PackageError {
        PackageError::Malformed { what: format!("`{}`", self.at), words }
    }

    fn no_such_chart<'a>(&self, name: &str, known: impl Iterator<Item = &'a str>) -> PackageError {
        PackageError::NoSuchChart {
            name: name.to_owned(),
            source: self.at.to_string(),
            near: did_you_mean(name, known).map(str::to_owned),
        }
    }

    fn of_chart(&self, list: Option<&Node>, name: &str) -> Result<Vec<IndexEntry>, PackageError> {
        let list = list
            .and_then(Node::as_list)
            .ok_or_else(|| self.malformed(format!("the entry of `{name}` is not a list")))?;
        Ok(list
            .iter()
            .filter_map(|entry| {
                let version = entry.get("version")?.as_str()?.to_owned();
                let reference = entry.get("urls")?.as_list()?.first()?.as_str()?;
                // An entry for another chart's archive is no entry of this one.
                if entry.get("name").and_then(Node::as_str).is_some_and(|stated| stated != name) {
                    return None;
                }
                let url = self.at.join(reference).ok()?;
                let digest = entry
                    .get("digest")
                    .and_then(Node::as_str)
                    .map(|digest| digest.trim_start_matches("sha256:").to_owned());
                Some(IndexEntry { version, url, digest })
            })
            .collect())
    }
}

/// Where each chart's entry stands in an index as Helm writes it: `entries:`, then names at one depth.
fn cut(text: &str) -> Option<BTreeMap<String, Range<usize>>> {
    let mut charts = BTreeMap::new();
    let mut open: Option<(String, usize)> = None;
    let mut depth = None;
    let mut inside = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let line = line.trim_end();
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if content.starts_with('\t') {
            return None;
        }
        let indent = line.len() - content.len();
        if indent == 0 && !content.starts_with('-') {
            if let Some((name, from)) = open.take() {
                charts.insert(name, from..at).is_none().then_some(())?;
            }
            if inside || content == "..." {
                inside = false;
            } else if line == "entries:" {
                inside = true;
            } else if line.starts_with("entries") || line.starts_with(['{', '"', '\'']) {
                return None;
            }
        } else if inside {
            let depth = *depth.get_or_insert(indent);
            if indent < depth || (indent == 0 && depth == 0) {
                return None;
            }
            if indent == depth && !content.starts_with('-') {
                let (name, _) =
                    content.split_once(": ").or_else(|| Some((content.strip_suffix(':')?, "")))?;
                if name.is_empty()
                    || name.starts_with(['&', '*', '?', '!', '{', '[', '<'])
                    || name.contains('\\')
                {
                    return None;
                }
                if let Some((name, from)) = open.replace((name.trim_matches(['"', '\'']).to_owned(), at)) {
                    charts.insert(name, from..at).is_none().then_some(())?;
                }
            } else if open.is_none() {
                return None;
            }
        } else if content == "entries:" {
            return None;
        }
    }
    if let Some((name, from)) = open {
        charts.insert(name, from..text.len()).is_none().then_some(())?;
    }
    depth.map(|_| charts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &str) -> Index {
        Index::new(Url::parse("https://charts.example.org/index.yaml").expect("a URL"), text.to_owned())
    }

    fn versions(text: &str, name: &str) -> Vec<String> {
        index(text).versions(name).expect(name).into_iter().map(|entry| entry.version).collect()
    }

    #[test]
    fn entries_are_cut_out_in_every_style_that_programs_write() {
        let helms = "apiVersion: v1\nentries:\n  a:\n  - version: 1.0.0\n    description: |\n      b:\n    urls: [a.tgz]\n  \"b\":\n    - {version: 2.0.0, urls: [b.tgz]}\n  # said of c\n  c: [{version: 3.0.0, urls: [c.tgz]}]\ngenerated: x\n";
        assert!(cut(helms).is_some_and(|charts| charts.len() == 3));
        assert_eq!(versions(helms, "a"), ["1.0.0"]);
        assert_eq!(versions(helms, "b"), ["2.0.0"]);
        assert_eq!(versions(helms, "c"), ["3.0.0"]);
    }

    #[test]
    fn other_shapes_are_read_whole() {
        for text in [
            "{\"entries\": {\"a\": [{\"version\": \"1.0.0\", \"urls\": [\"a.tgz\"]}]}}",
            "entries: {a: [{version: 1.0.0, urls: [a.tgz]}]}\n",
            "x: &x [a.tgz]\nentries:\n  a:\n  - version: 1.0.0\n    urls: *x\n",
            "entries:\n  ? a\n  : - {version: 1.0.0, urls: [a.tgz]}\n",
        ] {
            assert_eq!(versions(text, "a"), ["1.0.0"], "{text}");
        }
        assert!(matches!(index("nothing: here\n").versions("a"), Err(PackageError::Malformed { .. })));
        assert!(matches!(index("entries: [").versions("a"), Err(PackageError::Malformed { .. })));
        assert!(matches!(index("entries:\n  a: 7\n").versions("a"), Err(PackageError::Malformed { .. })));
        assert!(matches!(
            index("entries:\n  abc: []\n").versions("abd"),
            Err(PackageError::NoSuchChart { near: Some(_), .. })
        ));
    }

    #[test]
    fn entries_of_other_charts_and_without_a_usable_url_are_passed_over() {
        let text = "entries:\n  a:\n  - {name: b, version: 9.0.0, urls: [b.tgz]}\n  - {version: 8.0.0}\n  - {version: 7.0.0, urls: ['file:///etc/passwd']}\n  - {version: 1.0.0, urls: [a.tgz]}\n";
        assert_eq!(versions(text, "a"), ["1.0.0"]);
    }
}
