//! Custom resources: definitions, their schemas and their rules.
//!
//! A definition is read once; the schema of one of its versions is compiled when the first resource of it is seen,
//! and shared from then on, among all clusters that have the same definition where they share a [`Library`].
//!
//! Invariant: an object is copied only where the server would change it before it looks at it.

mod check;
pub(super) mod compile;
mod decode;
pub(super) mod defaults;
mod format;
mod rule;
mod rules;
mod schema;
mod shapes;
#[cfg(test)]
mod tests;

use super::{Cause, CauseKind, Causes, Field, meta};
use crate::schema::kinds::Minor;
use crate::value::{Entry, Map, Node, Origin, Value};
use schema::Schema;
use shapes::Scale;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The definitions of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Definitions(BTreeMap<Named, Arc<Definition>>);

/// Definitions that were read, for clusters that have the same ones.
#[derive(Debug, Default)]
pub struct Library(Mutex<BTreeMap<Named, Vec<Arc<Definition>>>>);

/// A group and a kind.
type Named = (Arc<str>, Arc<str>);

/// One kind.
#[derive(Debug)]
struct Definition {
    spec: Node,
    versions: Vec<Version>,
}

/// One version of a kind, as a definition serves it.
#[derive(Debug)]
pub(super) struct Version {
    named: Named,
    name: Arc<str>,
    /// Whether it has a status subresource: then what is written there is cleared.
    has_status: bool,
    scales: Vec<Scale>,
    source: Node,
    /// As servers before 1.35 read it, and those from then on: they know more formats.
    schemas: [OnceLock<Schema>; 2],
}

impl Definitions {
    /// Takes a definition in, in place of an earlier one of its kind.
    pub fn add(&mut self, definition: &Node) {
        if let Some((named, spec)) = named(definition) {
            let definition = Arc::new(Definition::read(&named, spec));
            self.0.insert(named, definition);
        }
    }

    /// Takes a definition in as [`Self::add`] does, from a library where it holds the same one.
    pub fn add_from(&mut self, library: &Library, definition: &Node) {
        if let Some((named, spec)) = named(definition) {
            let definition = library.take(&named, spec);
            self.0.insert(named, definition);
        }
    }

    /// The version that serves a kind.
    pub(super) fn find(&self, group: &str, version: &str, kind: &str) -> Option<&Version> {
        let definition = self.0.get(&(group.into(), kind.into()))?;
        definition.versions.iter().find(|known| *known.name == *version)
    }
}

impl Library {
    fn take(&self, named: &Named, spec: &Node) -> Arc<Definition> {
        // A definition is complete before it is put in: a panic elsewhere leaves nothing half done.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = known.entry(named.clone()).or_default();
        if let Some(same) = of_kind.iter().find(|known| known.spec == *spec) {
            return Arc::clone(same);
        }
        let definition = Arc::new(Definition::read(named, spec));
        of_kind.push(Arc::clone(&definition));
        definition
    }
}

/// What a definition defines; nothing where it is none.
fn named(definition: &Node) -> Option<(Named, &Node)> {
    let spec = definition.get("spec")?;
    let text = |keys: &[&str]| spec.at(keys).and_then(Node::as_str).map(Arc::<str>::from);
    Some(((text(&["group"])?, text(&["names", "kind"])?), spec))
}

impl Definition {
    fn read(named: &Named, spec: &Node) -> Self {
        let versions = spec.get("versions").and_then(Node::as_list).unwrap_or_default();
        let served = |version: &&Node| version.get("served").and_then(Node::as_bool) == Some(true);
        let versions = versions.iter().filter(served).filter_map(|version| {
            Some(Version {
                named: named.clone(),
                name: version.get("name").and_then(Node::as_str)?.into(),
                has_status: version.at(&["subresources", "status"]).is_some(),
                scales: shapes::scales(version),
                source: version.at(&["schema", "openAPIV3Schema"]).cloned().unwrap_or_else(anything),
                schemas: Default::default(),
            })
        });
        Self { spec: spec.clone(), versions: versions.collect() }
    }
}

/// The schema of a version that states none: everything is kept.
fn anything() -> Node {
    let made = |value: Value| Node { value, origin: Origin::Compiler };
    let keeps = Entry { key: Origin::Compiler, node: made(true.into()) };
    made(Map::from([("x-kubernetes-preserve-unknown-fields".into(), keeps)]).into())
}

impl Version {
    /// Its schema, for a server of this minor release.
    fn schema(&self, minor: u32) -> &Schema {
        let slot = &self.schemas[usize::from(minor >= format::NAMES_SINCE)];
        slot.get_or_init(|| Schema::of_resource(&self.source, minor))
    }

    /// Checks a resource: decoding, metadata, schema, rules.
    pub(super) fn review(&self, object: &Node, release: Minor, causes: &mut Causes) {
        let schema = self.schema(release.1);
        let before = causes.len();
        decode::check(object, schema, release, causes);
        if causes.len() > before {
            return;
        }
        let mut object = Cow::Borrowed(object);
        if decode::is_amended(&object, schema) {
            decode::amend(object.to_mut(), schema);
        }
        if self.has_status
            && object.get("status").is_some()
            && let Value::Map(map) = &mut object.to_mut().value
        {
            map.remove("status");
        }
        let root = Field::root(&object);
        let (group, kind) = &self.named;
        meta::check(root, (group, &self.name, kind), causes);
        for cause in check::check(&object, schema, root).causes {
            causes.push(cause);
        }
        for scale in &self.scales {
            shapes::check_scale(&object, scale, causes);
        }
        shapes::check(&object, schema, causes);
        if !causes.iter().any(hides_rules) {
            rules::check(&object, schema, causes);
        }
    }
}

/// Whether a server that found this does not ask rules.
fn hides_rules(cause: &Cause) -> bool {
    use CauseKind::{Required, TooLong, TooMany, Type, Unsupported};
    matches!(cause.kind, Required | TooLong | TooMany | Type | Unsupported)
}
