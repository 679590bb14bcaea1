//! `Rendering -> Linked`: every reference between objects resolved.
//!
//! A reference ends at an object of the tree (or at what a controller makes of one), an encrypted file, a
//! declaration, or an external of the overlay; anything else is an error at the line that a user would edit. Each
//! reference that means "the target first" becomes an [`Edge`] with the field that made it. Which fields refer to
//! what is data, in [`table`].

mod certificates;
mod creations;
mod gateway;
mod ports;
mod secrets;
mod table;
mod universe;

pub use universe::Target;

use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::load::fields::quoted;
use crate::model::{Object, ObjectId, ObjectSource, StackOwner};
use crate::render::Rendering;
use crate::schema::kinds::{self, Scope};
use crate::schema::pods;
use crate::source::Span;
use crate::value::{Node, Origin, OriginKind, Path, Segment, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use table::{NamespaceRule, ROWS, Row, Strength, TargetKind, pod_rows};
use universe::{Known, Universe};

/// The most names that advice lists.
const MAX_NAMES: usize = 5;

/// Who refers.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Referrer {
    /// An object, by index.
    Object(usize),
    /// An instance as a whole, by index: a stack that needs a Secret.
    Part(usize),
}

/// A resolved reference.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Who refers.
    pub from: Referrer,
    /// To what.
    pub to: Target,
    /// The field, as users write it.
    pub field: String,
    /// The place of the field that a user would edit.
    pub at: Option<Span>,
    /// Whether the target has to be there first.
    pub order: bool,
    /// Whether the target is made by a controller of what [`Self::to`] names.
    pub derived: bool,
}

/// The objects of an environment, every reference between them resolved. Only [`link`] makes one.
#[derive(Clone, Debug)]
pub struct Linked {
    rendering: Rendering,
    edges: Vec<Edge>,
}

impl Linked {
    /// The objects.
    pub fn rendering(&self) -> &Rendering {
        &self.rendering
    }

    /// The references, by referrer.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Everything in it, by value.
    pub(crate) fn into_parts(self) -> (Rendering, Vec<Edge>) {
        (self.rendering, self.edges)
    }
}

/// Resolves every reference.
pub fn link(rendering: Rendering, sink: &mut Sink) -> Result<Linked, Reported> {
    let universe = Universe::of(&rendering);
    let mut linker = Linker {
        issuers: namespace_of_issuers(&rendering),
        rendering: &rendering,
        universe: &universe,
        edges: Vec::new(),
        reported: BTreeSet::new(),
        sink,
    };
    secrets::encrypted(&mut linker);
    secrets::supersession(&mut linker);
    secrets::required(&mut linker);
    for (index, placed) in rendering.objects().iter().enumerate() {
        linker.follow(index, &placed.object);
    }
    gateway::check(&mut linker);
    certificates::check(&mut linker);
    ports::check(&mut linker);
    let edges = linker.edges;
    sink.finish(()).map(|()| Linked { rendering, edges })
}

/// The namespace in which cert-manager looks for the Secrets of `ClusterIssuer`s: its own.
fn namespace_of_issuers(rendering: &Rendering) -> Arc<str> {
    use crate::render::KindOwner;
    let owner = rendering.scopes().custom("cert-manager.io", "ClusterIssuer").map(|known| known.owner);
    let part = match owner {
        Some(KindOwner::Declared(part, _)) => Some(part),
        Some(KindOwner::Object(index)) => rendering.objects()[index].part,
        _ => None,
    };
    part.and_then(|part| rendering.parts()[part].instance.namespace.clone())
        .unwrap_or_else(|| Arc::from("cert-manager"))
}

struct Linker<'a> {
    rendering: &'a Rendering,
    universe: &'a Universe,
    issuers: Arc<str>,
    edges: Vec<Edge>,
    /// Identities that were reported as missing already.
    reported: BTreeSet<ObjectId>,
    sink: &'a mut Sink,
}

fn rows_of(kind: &str, group: &str) -> &'static [&'static Row] {
    static ROWS_BY_KIND: OnceLock<BTreeMap<&'static str, Vec<&'static Row>>> = OnceLock::new();
    let table = ROWS_BY_KIND.get_or_init(|| {
        let mut table: BTreeMap<&'static str, Vec<&'static Row>> = BTreeMap::new();
        for row in ROWS {
            for holder in row.holders {
                table.entry(holder).or_default().push(row);
            }
        }
        table
    });
    table.get(format!("{kind}.{group}").as_str()).map(Vec::as_slice).unwrap_or_default()
}

/// The template of Pods in an object, with its path.
pub(crate) fn pod_spec(object: &Object) -> Option<(Path, &Node)> {
    let keys: Vec<&str> = pods::spec_path(&object.id.kind, &object.id.group)?.split('.').collect();
    object.node.at(&keys).map(|node| (Path::of(&keys), node))
}

impl<'a> Linker<'a> {
    fn follow(&mut self, index: usize, object: &'a Object) {
        let mut found: Vec<(&Row, Path, &Node)> = Vec::new();
        for row in rows_of(&object.id.kind, &object.id.group) {
            walk::each(&object.node, row.at, &Path::default(), &mut |path, node| {
                found.push((row, path.clone(), node));
            });
        }
        if let Some((prefix, pods)) = pod_spec(object) {
            for row in pod_rows() {
                walk::each(pods, row.at, &prefix, &mut |path, node| found.push((row, path.clone(), node)));
            }
        }
        for (row, path, node) in found {
            self.reference(index, object, row, path, node);
        }
    }

    fn reference(&mut self, index: usize, object: &Object, row: &Row, path: Path, node: &'a Node) {
        let (path, name_node) = match row.name {
            "" => (path, Some(node)),
            member => (path.key(member), node.get(member)),
        };
        let Some((name_node, name)) = name_node.and_then(|node| node.as_str().map(|name| (node, name)))
        else {
            return;
        };
        if name.is_empty()
            || node.get("optional").and_then(Node::as_bool) == Some(true) && {
                let id = self.identity(object, row, node, name);
                id.is_none_or(|id| self.universe.find(&id).is_none())
            }
        {
            return;
        }
        let Some(id) = self.identity(object, row, node, name) else { return };
        match self.universe.find(&id) {
            Some(known) => {
                self.edges.push(Edge {
                    from: Referrer::Object(index),
                    to: known.target,
                    field: path.to_string(),
                    at: name_node.origin.editable(),
                    order: row.strength != Strength::Exists,
                    derived: known.derived,
                });
                self.check_keys(object, row, node, &id, &known);
                if let Some(port) = &row.port {
                    ports::referred(self, object, (node, port), (&id, &known));
                }
            }
            None if row.strength != Strength::IfThere => self.missing(object, &path, name_node, &id),
            None => {}
        }
    }

    /// The identity that a reference names; `None` where it names no object, such as a user in a binding.
    fn identity(&self, object: &Object, row: &Row, node: &Node, name: &str) -> Option<ObjectId> {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        let (group, kind): (&str, &str) = match row.target {
            TargetKind::Fixed(group, kind) => (group, kind),
            TargetKind::Stated(default_group, default_kind) => {
                let kind = text("kind").unwrap_or(default_kind);
                let group = text("group")
                    .or_else(|| text("apiGroup"))
                    .or_else(|| {
                        text("apiVersion")
                            .map(|version| version.split_once('/').map_or("", |(group, _)| group))
                    })
                    .unwrap_or(if kind == default_kind || text("kind").is_none() {
                        default_group
                    } else {
                        kinds::group_of(kind).unwrap_or(default_group)
                    });
                (group, kind)
            }
        };
        if matches!(kind, "User" | "Group") && !group.is_empty() || kind.is_empty() {
            return None;
        }
        let own = object.id.namespace.clone();
        let namespace = match row.namespace {
            NamespaceRule::Own => own,
            NamespaceRule::Stated => text("namespace").map(Arc::from).or(own),
            NamespaceRule::OfIssuers => own.or_else(|| Some(Arc::clone(&self.issuers))),
        };
        let cluster = self.rendering.scopes().scope(group, kind) == Some(Scope::Cluster);
        let namespace = if cluster { None } else { namespace };
        Some(ObjectId { group: group.into(), kind: kind.into(), namespace, name: name.into() })
    }

    fn check_keys(&mut self, object: &Object, row: &Row, node: &Node, id: &ObjectId, known: &Known) {
        let Some(keys) = &known.keys else { return };
        let mut wrong = Vec::new();
        for pattern in row.keys {
            walk::each(node, pattern, &Path::default(), &mut |_, key| {
                if let Some(text) = key.as_str()
                    && !keys.iter().any(|known| &**known == text)
                {
                    wrong.push((key.origin.clone(), text.to_owned()));
                }
            });
        }
        if node.get("optional").and_then(Node::as_bool) == Some(true) {
            return;
        }
        for (origin, key) in wrong {
            let mut diagnostic = Diagnostic::error(
                codes::MISSING_KEY,
                format!("`{}` reads key `{key}` of `{id}`, which has no such key", object.id),
            )
            .at(origin.editable(), "this key")
            .related(known.span, format!("`{id}` is from here"))
            .object(object.id.to_string());
            if let Some(meant) = did_you_mean(&key, keys.iter().map(AsRef::as_ref)) {
                diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
            } else {
                let list: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                diagnostic = diagnostic.help(format!("its keys: {}", list.join(", ")));
            }
            self.sink.report(diagnostic);
        }
    }

    /// Reports a reference that leads nowhere.
    fn missing(&mut self, object: &Object, path: &Path, node: &Node, id: &ObjectId) {
        if self.reported.contains(id) {
            return;
        }
        let place =
            id.namespace.as_deref().map_or(String::new(), |namespace| format!(" in namespace `{namespace}`"));
        let of_chart = matches!(object.source, ObjectSource::Chart { .. });
        let own = matches!(object.source, ObjectSource::Resource { stack: StackOwner::Project, .. });
        // A name that a stack of the project puts together is mended there; one that it only hands on, in the overlay.
        let in_stack = own && !passes_an_input_on(&node.origin);
        let (at, other) = if in_stack {
            (node.span(), node.origin.editable())
        } else {
            (node.origin.editable(), node.span())
        };
        let other_words = match (in_stack, of_chart) {
            (true, _) => "made from what stands here",
            (_, true) => "a template puts it here",
            (_, false) => "the stack puts it here",
        };
        let mut diagnostic = Diagnostic::error(
            codes::UNRESOLVED_REFERENCE,
            format!("`{}` refers to {} `{}`{place}, which nothing makes", object.id, id.kind, id.name),
        )
        .at(at, format!("`{path}`"))
        .related(other.filter(|span| Some(*span) != at), other_words)
        .object(object.id.to_string());
        for help in self.advice(id) {
            diagnostic = diagnostic.help(help);
        }
        if of_chart {
            let namespace =
                (id.namespace != object.id.namespace).then_some(id.namespace.as_deref()).flatten();
            let namespace = namespace.map_or(String::new(), |namespace| format!("namespace: {namespace}, "));
            diagnostic = diagnostic.help(format!(
                "if a Job or controller of the chart makes it, declare it with the chart: `declares: {{creates: [{{kind: {}, {namespace}name: {}}}]}}`",
                id.kind, id.name
            ));
        }
        self.sink.report(diagnostic);
    }

    /// How to mend a reference to something that is nowhere.
    fn advice(&self, id: &ObjectId) -> Vec<String> {
        let mut helps = Vec::new();
        let same_name = self.universe.of_kind(&id.group, &id.kind).find(|known| known.name == id.name);
        let beside: Vec<&str> = self
            .universe
            .of_kind(&id.group, &id.kind)
            .filter(|known| known.namespace == id.namespace)
            .map(|known| &*known.name)
            .collect();
        if let Some(namespace) = same_name.and_then(|elsewhere| elsewhere.namespace.as_ref()) {
            helps.push(format!(
                "there is one in namespace `{namespace}`, which cannot be referred to from here"
            ));
        }
        if let Some(meant) = did_you_mean(&id.name, beside.iter().copied()) {
            helps.push(format!("did you mean `{meant}`?"));
        } else if (1..=MAX_NAMES).contains(&beside.len()) {
            let names = quoted(beside.iter().copied());
            helps.push(match &id.namespace {
                Some(namespace) => format!("of this kind, namespace `{namespace}` has {names}"),
                None => format!("of this kind the environment has {names}"),
            });
        }
        let namespace =
            id.namespace.as_deref().map_or(String::new(), |namespace| format!("namespace: {namespace}, "));
        let version = if id.group.is_empty() || kinds::builtin(&id.group, &id.kind).is_some() {
            String::new()
        } else {
            format!("apiVersion: {}/v1, ", id.group)
        };
        helps.push(format!(
            "if it exists outside the tree, name it in the overlay: `externals: {{{}: {{{version}kind: {}, {namespace}name: {}}}}}`",
            id.name, id.kind, id.name
        ));
        helps
    }
}

/// Whether a value is one input of the overlay and nothing else.
fn passes_an_input_on(origin: &Origin) -> bool {
    let Origin::Link(kind) = origin else { return false };
    match kind.as_ref() {
        OriginKind::Rule { was, .. } => passes_an_input_on(was),
        // A patch of the overlay stands in the overlay.
        OriginKind::Patched { .. } | OriginKind::Overrides { .. } => true,
        OriginKind::Expression { reads, .. } => match reads.as_slice() {
            [read] => matches!(read.path.segments().first(), Some(Segment::Key(root)) if **root == *"inputs"),
            _ => false,
        },
        OriginKind::Default { .. } | OriginKind::Template { .. } => false,
    }
}

#[cfg(test)]
mod tests;
