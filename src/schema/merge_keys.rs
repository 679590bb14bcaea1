//! How lists of built-in kinds merge: the key that tells their items apart.
//!
//! The table is `schemas/kubernetes/merge-keys.txt`, made by the script beside it from the struct tags that
//! Kubernetes itself merges by. A list that is not in it is replaced as a whole, as the API server does.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// How one field merges.
#[derive(Copy, Clone, Debug, Default)]
pub struct FieldMerge {
    /// For lists that merge: the key of their items, empty for lists of scalars.
    pub key: Option<&'static str>,
    below: Option<&'static str>,
}

/// The fields of a type that merge in their own way.
#[derive(Copy, Clone, Debug, Default)]
pub struct MergeType(Option<&'static str>);

struct Table {
    kinds: BTreeMap<&'static str, Vec<(&'static str, &'static str)>>,
    types: BTreeMap<&'static str, BTreeMap<&'static str, FieldMerge>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table { kinds: BTreeMap::new(), types: BTreeMap::new() };
        for line in include_str!("../../schemas/kubernetes/merge-keys.txt").lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next()) {
                (Some("kind"), Some(group)) => {
                    if let (Some(kind), Some(name)) = (words.next(), words.next()) {
                        let group = if group == "-" { "" } else { group };
                        table.kinds.entry(kind).or_default().push((group, name));
                    }
                }
                (Some("type"), Some(name)) => {
                    table.types.insert(name, words.map(read_field).collect());
                }
                _ => {}
            }
        }
        table
    })
}

fn read_field(word: &'static str) -> (&'static str, FieldMerge) {
    let (word, key) = word.split_once('@').map_or((word, None), |(word, key)| (word, Some(key)));
    let (name, below) = word.split_once(':').map_or((word, None), |(name, below)| (name, Some(below)));
    (name, FieldMerge { key, below })
}

impl MergeType {
    /// The type of a built-in kind; `None` for any other, whose lists are all replaced.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        let (_, name) = table().kinds.get(kind)?.iter().find(|(known, _)| *known == group)?;
        Some(Self(Some(name)))
    }

    /// A type of which nothing is known.
    pub fn unknown() -> Self {
        Self(None)
    }

    /// How a field merges, and the type below it.
    pub fn field(self, name: &str) -> (FieldMerge, Self) {
        let merge = self
            .0
            .and_then(|own| table().types.get(own))
            .and_then(|fields| fields.get(name))
            .copied()
            .unwrap_or_default();
        (merge, Self(merge.below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_merge_by_name_and_their_ports_by_number() {
        let deployment = MergeType::of("apps", "Deployment").expect("a built-in kind");
        let mut at = deployment;
        for field in ["spec", "template", "spec"] {
            at = at.field(field).1;
        }
        let (containers, container) = at.field("containers");
        assert_eq!(containers.key, Some("name"));
        assert_eq!(container.field("ports").0.key, Some("containerPort"));
        assert_eq!(container.field("args").0.key, None);
        assert!(MergeType::of("example.org", "Thing").is_none());
    }
}
