//! The kinds that Kubernetes itself serves: scope, versions, and the releases that serve them.
//!
//! The table is `schemas/kubernetes/kinds.txt`, made by the script beside it. Custom resources are no part of it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Where objects of a kind live.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// A built-in kind.
#[derive(Debug)]
pub struct BuiltinKind {
    /// Its group; empty for core.
    pub group: &'static str,
    /// Its name.
    pub kind: &'static str,
    /// Where its objects live.
    pub scope: Scope,
    versions: Vec<ServedVersion>,
}

#[derive(Debug)]
struct ServedVersion {
    name: &'static str,
    since: Option<Minor>,
    until: Option<Minor>,
}

/// A release of Kubernetes: major and minor.
pub type Minor = (u32, u32);

/// Reads `1.34`, `v1.34`, `1.34.4` as `(1, 34)`.
pub fn minor(text: &str) -> Option<Minor> {
    let mut parts = text.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

impl BuiltinKind {
    /// The versions that a release of Kubernetes serves, the preferred one first.
    pub fn versions(&self, release: Minor) -> impl Iterator<Item = &'static str> {
        self.versions
            .iter()
            .filter(move |version| {
                version.since.is_none_or(|since| since <= release)
                    && version.until.is_none_or(|until| release < until)
            })
            .map(|version| version.name)
    }
}

type Table = BTreeMap<&'static str, Vec<BuiltinKind>>;

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::new();
        let lines = include_str!("../../schemas/kubernetes/kinds.txt").lines();
        for kind in lines.filter(|line| !line.starts_with('#')).filter_map(read_kind) {
            table.entry(kind.kind).or_default().push(kind);
        }
        table
    })
}

fn read_kind(line: &'static str) -> Option<BuiltinKind> {
    let mut words = line.split(' ');
    let group = words.next().map(|group| if group == "-" { "" } else { group })?;
    let kind = words.next()?;
    let scope = match words.next()? {
        "cluster" => Scope::Cluster,
        _ => Scope::Namespaced,
    };
    let versions = words
        .map(|word| {
            let (rest, until) =
                word.split_once('<').map_or((word, None), |(rest, until)| (rest, minor(until)));
            let (name, since) =
                rest.split_once(">=").map_or((rest, None), |(name, since)| (name, minor(since)));
            ServedVersion { name, since, until }
        })
        .collect();
    Some(BuiltinKind { group, kind, scope, versions })
}

/// The built-in kind of this group and name.
pub fn builtin(group: &str, kind: &str) -> Option<&'static BuiltinKind> {
    table().get(kind)?.iter().find(|known| known.group == group)
}

/// All built-in kinds.
pub fn all() -> impl Iterator<Item = &'static BuiltinKind> {
    table().values().flatten()
}

/// The group of a built-in kind that is named alone; the first one where several groups have it.
pub fn group_of(kind: &str) -> Option<&'static str> {
    table().get(kind)?.first().map(|known| known.group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_and_versions_come_from_the_table() {
        assert_eq!(builtin("", "Pod").map(|kind| kind.scope), Some(Scope::Namespaced));
        assert_eq!(builtin("", "Namespace").map(|kind| kind.scope), Some(Scope::Cluster));
        assert!(builtin("apps", "Pod").is_none());
        let cron = builtin("batch", "CronJob").expect("a built-in kind");
        assert_eq!(cron.versions((1, 34)).collect::<Vec<_>>(), ["v1"]);
        assert_eq!(cron.versions((1, 24)).collect::<Vec<_>>(), ["v1", "v1beta1"]);
        assert_eq!(group_of("Deployment"), Some("apps"));
        assert_eq!(minor("v1.34.4+k3s1"), Some((1, 34)));
    }
}
