//! The fields of built-in kinds, release by release.
//!
//! The table is `schemas/kubernetes/fields.txt`, made by `fields.py` beside it from the OpenAPI documents of Kubernetes. Its first line
//! names the oldest and the newest release in it. A `kind` line leads from group, version and kind to a type; a `type` line has
//! the fields of one, each `name[:shape][>=since][<until][~dropped]`:
//!
//! - A shape is one letter, the name of a type, or `[` or `{` (list, map) before another shape; without one it is a string.
//! - A field with `~1.33` is decoded and dropped by releases before that, and with `~` by all, as its feature gate is off by default.

use crate::schema::kinds::{Minor, minor};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What a value has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Truth,
    Int32,
    Int64,
    Number,
    Quantity,
    IntOrText,
    Time,
    MicroTime,
    /// Base64.
    Bytes,
    /// Anything.
    Free,
    /// What decodes itself, and without the strict rules: one schema (of the type named) or the other form.
    Lax(Otherwise, usize),
    List(Box<Shape>),
    Map(Box<Shape>),
    /// The fields of the type at this place in the table.
    Struct(usize),
}

/// What may stand in place of a schema.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    Truth,
    Schemas,
    Texts,
}

/// A field of a type.
#[derive(Debug)]
pub(super) struct FieldType {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    since: Option<Minor>,
    until: Option<Minor>,
    /// The first release that does not drop it.
    dropped_before: Option<Minor>,
}

impl FieldType {
    fn is_in(&self, release: Minor) -> bool {
        self.since.is_none_or(|since| since <= release) && self.until.is_none_or(|until| release < until)
    }

    /// Whether a release decodes it and forgets it.
    pub(super) fn is_dropped(&self, release: Minor) -> bool {
        self.dropped_before.is_some_and(|first| release < first)
    }

    /// The first release that knows it, where that is told.
    pub(super) fn since(&self) -> Option<Minor> {
        self.since
    }
}

/// A type.
#[derive(Debug)]
pub(super) struct Struct(Vec<FieldType>);

impl Struct {
    /// A field that a release knows.
    pub(super) fn field(&self, name: &str, release: Minor) -> Option<&FieldType> {
        self.all(name).find(|field| field.is_in(release))
    }

    /// A field that some release knows.
    pub(super) fn ever(&self, name: &str) -> Option<&FieldType> {
        self.all(name).next()
    }

    /// The fields that a release knows.
    pub(super) fn fields(&self, release: Minor) -> impl Iterator<Item = &FieldType> {
        self.0.iter().filter(move |field| field.is_in(release))
    }

    fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a FieldType> + use<'a, 'n> {
        let start = self.0.partition_point(|field| field.name < name);
        self.0[start..].iter().take_while(move |field| field.name == name)
    }
}

/// The whole table.
#[derive(Debug)]
pub(super) struct Table {
    oldest: Minor,
    newest: Minor,
    kinds: BTreeMap<(&'static str, &'static str, &'static str), usize>,
    types: Vec<Struct>,
}

impl Table {
    /// The table, read when it is first asked for.
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self::read(include_str!("../../../schemas/kubernetes/fields.txt")))
    }

    /// The type of a kind, by group, version and kind.
    pub(super) fn kind(&self, kind: (&str, &str, &str)) -> Option<usize> {
        self.kinds.get(&kind).copied()
    }

    /// A type.
    pub(super) fn at(&self, index: usize) -> &Struct {
        &self.types[index]
    }

    /// The release of the table that stands for one that it may not have.
    pub(super) fn nearest(&self, release: Minor) -> Minor {
        release.clamp(self.oldest, self.newest)
    }

    /// Whether a release may have fields that the table has not heard of.
    pub(super) fn is_older_than(&self, release: Minor) -> bool {
        self.newest < release
    }

    fn read(text: &'static str) -> Self {
        let named = text.lines().filter_map(|line| line.strip_prefix("type ")?.split(' ').next());
        let names: BTreeMap<&str, usize> = named.enumerate().map(|(at, name)| (name, at)).collect();
        let mut table = Self { oldest: (1, 0), newest: (1, 0), kinds: BTreeMap::new(), types: Vec::new() };
        for line in text.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("#") => {
                    let mut release = || words.next().and_then(minor).unwrap_or((1, 0));
                    (table.oldest, table.newest) = (release(), release());
                }
                Some("kind") => {
                    let mut word = || words.next().unwrap_or_default();
                    let kind = (word(), word(), word());
                    if let Some(at) = names.get(word()) {
                        table.kinds.insert((if kind.0 == "-" { "" } else { kind.0 }, kind.1, kind.2), *at);
                    }
                }
                _ => table.types.push(Struct(words.skip(1).map(|word| field(word, &names)).collect())),
            }
        }
        table
    }
}

fn field(word: &'static str, names: &BTreeMap<&str, usize>) -> FieldType {
    let (word, dropped) = word.split_once('~').map_or((word, None), |(word, mark)| (word, Some(mark)));
    let (word, until) = word.split_once('<').map_or((word, None), |(word, mark)| (word, minor(mark)));
    let (word, since) = word.split_once(">=").map_or((word, None), |(word, mark)| (word, minor(mark)));
    let (name, written) = word.split_once(':').unwrap_or((word, ""));
    let dropped_before = dropped.map(|mark| minor(mark).unwrap_or((u32::MAX, 0)));
    FieldType { name, shape: shape(written, names), since, until, dropped_before }
}

fn shape(written: &str, names: &BTreeMap<&str, usize>) -> Shape {
    if let Some(item) = written.strip_prefix('[') {
        return Shape::List(Box::new(shape(item, names)));
    }
    if let Some(item) = written.strip_prefix('{') {
        return Shape::Map(Box::new(shape(item, names)));
    }
    let lax = |other| names.get("JSONSchemaProps").map_or(Shape::Free, |at| Shape::Lax(other, *at));
    match written {
        "" => Shape::Text,
        "b" => Shape::Truth,
        "i" => Shape::Int32,
        "l" => Shape::Int64,
        "n" => Shape::Number,
        "q" => Shape::Quantity,
        "p" => Shape::IntOrText,
        "t" => Shape::Time,
        "m" => Shape::MicroTime,
        "y" => Shape::Bytes,
        "ob" => lax(Otherwise::Truth),
        "oa" => lax(Otherwise::Schemas),
        "os" => lax(Otherwise::Texts),
        name => names.get(name).map_or(Shape::Free, |at| Shape::Struct(*at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::kinds;

    #[test]
    fn every_served_version_of_every_kind_has_its_fields() {
        let table = Table::get();
        for release in (table.oldest.1..=table.newest.1).map(|minor| (1, minor)) {
            for kind in kinds::all() {
                for version in kind.versions(release) {
                    let known = table.kind((kind.group, version, kind.kind));
                    assert!(known.is_some(), "{} {version} {}", kind.group, kind.kind);
                }
            }
        }
    }

    #[test]
    fn fields_come_and_go_with_releases() {
        let table = Table::get();
        let pod = table.at(table.kind(("", "v1", "Pod")).expect("a kind"));
        let Some(Shape::Struct(spec)) = pod.field("spec", (1, 34)).map(|field| field.shape.clone()) else {
            panic!("a type");
        };
        let spec = table.at(spec);
        assert!(spec.field("hostnameOverride", (1, 33)).is_none());
        assert!(spec.field("hostnameOverride", (1, 34)).is_some_and(|field| field.is_dropped((1, 34))));
        assert!(spec.field("hostnameOverride", (1, 35)).is_some_and(|field| !field.is_dropped((1, 35))));
        assert_eq!(spec.field("hostIPC", (1, 30)).map(|field| &field.shape), Some(&Shape::Truth));
        assert!(spec.field("hostipc", (1, 34)).is_none());
        assert_eq!(table.nearest((1, 20)), table.oldest);
        assert!(table.is_older_than((1, 99)));
    }
}
