//! Which kinds exist in an environment, and where their objects live.

use super::{Part, Placed};
use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::model::{DeclaredBy, ObjectSource};
use crate::schema::kinds::{self, Minor, Scope};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who brings a kind that Kubernetes itself does not have.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KindOwner {
    /// A `CustomResourceDefinition` in the tree: the index of the object.
    Object(usize),
    /// A declaration: the index of the instance, and who makes the definition.
    Declared(usize, DeclaredBy),
    /// The distribution or the delivery tool; nothing in the tree brings it.
    Cluster,
}

/// A custom kind.
#[derive(Clone, Debug)]
pub struct KnownKind {
    /// Where its objects live.
    pub scope: Scope,
    /// The versions that are served; empty where any is taken.
    pub versions: Vec<Arc<str>>,
    /// The plural name, where it is known.
    pub plural: Option<Arc<str>>,
    /// Whether deleting one of its objects deletes data.
    pub stateful: bool,
    /// Who brings it.
    pub owner: KindOwner,
    /// The place that says so.
    pub span: Option<Span>,
}

/// Group and kind.
type GroupKind = (Arc<str>, Arc<str>);

/// The kinds of an environment.
#[derive(Clone, Debug)]
pub struct Scopes {
    release: Option<Minor>,
    custom: BTreeMap<GroupKind, KnownKind>,
}

/// Kinds that k3s and Flux bring with themselves, before anything of the tree is applied.
const OF_THE_CLUSTER: &[(&str, &str)] = &[
    ("helm.cattle.io", "HelmChart"),
    ("helm.cattle.io", "HelmChartConfig"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("source.toolkit.fluxcd.io", "Bucket"),
    ("source.toolkit.fluxcd.io", "ExternalArtifact"),
    ("source.toolkit.fluxcd.io", "GitRepository"),
    ("source.toolkit.fluxcd.io", "HelmChart"),
    ("source.toolkit.fluxcd.io", "HelmRepository"),
    ("source.toolkit.fluxcd.io", "OCIRepository"),
];

/// Custom resources whose deletion deletes data, whoever declares them.
const STATEFUL: &[(&str, &str)] = &[("postgresql.cnpg.io", "Cluster"), ("postgresql.cnpg.io", "Database")];

impl Scopes {
    pub(super) fn of(release: &str, parts: &[Part], objects: &[Placed]) -> Self {
        let mut custom = BTreeMap::new();
        for (group, kind) in OF_THE_CLUSTER {
            custom.entry((Arc::from(*group), Arc::from(*kind))).or_insert(KnownKind {
                scope: Scope::Namespaced,
                versions: Vec::new(),
                plural: None,
                stateful: false,
                owner: KindOwner::Cluster,
                span: None,
            });
        }
        let stateful = |group: &str, kind: &str| STATEFUL.contains(&(group, kind));
        for (index, placed) in objects.iter().enumerate() {
            if let Some(((group, kind), known)) = read_definition(index, &placed.object.node) {
                let known = KnownKind { stateful: stateful(&group, &kind), ..known };
                custom.entry((group, kind)).or_insert(known);
            }
        }
        for (index, part) in parts.iter().enumerate() {
            for declared in &part.instance.declares.crds {
                let key = (Arc::clone(&declared.group), Arc::clone(&declared.kind));
                let marked = declared.stateful || stateful(&declared.group, &declared.kind);
                let known: &mut KnownKind = custom.entry(key).or_insert_with(|| KnownKind {
                    scope: if declared.namespaced { Scope::Namespaced } else { Scope::Cluster },
                    versions: declared.versions.clone(),
                    plural: declared.plural.clone(),
                    stateful: false,
                    owner: KindOwner::Declared(index, declared.by),
                    span: Some(declared.span),
                });
                known.stateful |= marked;
            }
        }
        Self { release: kinds::minor(release), custom }
    }

    /// Where objects of a kind live; `None` for a kind that nobody brings.
    pub fn scope(&self, group: &str, kind: &str) -> Option<Scope> {
        kinds::builtin(group, kind)
            .map(|known| known.scope)
            .or_else(|| self.custom(group, kind).map(|known| known.scope))
    }

    /// A custom kind.
    pub fn custom(&self, group: &str, kind: &str) -> Option<&KnownKind> {
        self.custom.get(&(Arc::from(group), Arc::from(kind)))
    }

    /// All custom kinds, by group and kind.
    pub fn customs(&self) -> impl Iterator<Item = (&str, &str, &KnownKind)> {
        self.custom.iter().map(|((group, kind), known)| (&**group, &**kind, known))
    }

    /// The versions in which a kind is served; `None` for a kind that nobody brings, empty where any is taken.
    fn versions(&self, group: &str, kind: &str) -> Option<Vec<&str>> {
        match kinds::builtin(group, kind) {
            Some(known) => Some(known.versions(self.release.unwrap_or((1, 34))).collect()),
            None => self.custom(group, kind).map(|known| known.versions.iter().map(AsRef::as_ref).collect()),
        }
    }

    fn api_versions_of(&self, kind: &str) -> Vec<String> {
        let release = self.release.unwrap_or((1, 34));
        let builtin = kinds::all().filter(|known| known.kind == kind).flat_map(|known| {
            known.versions(release).take(1).map(|version| join(known.group, version)).collect::<Vec<_>>()
        });
        let custom = self
            .customs()
            .filter(|(_, name, _)| *name == kind)
            .map(|(group, _, known)| join(group, known.versions.first().map_or("v1", AsRef::as_ref)));
        builtin.chain(custom).collect()
    }

    /// The kind of a group that a misspelt one most likely means.
    fn nearest_kind(&self, group: &str, kind: &str) -> Option<&str> {
        let builtin = kinds::all().filter(|known| known.group == group).map(|known| known.kind);
        let custom = self.customs().filter(|(own, ..)| *own == group).map(|(_, kind, _)| kind);
        did_you_mean(kind, builtin.chain(custom))
    }

    fn kind_names(&self) -> impl Iterator<Item = &str> {
        kinds::all().map(|known| known.kind).chain(self.customs().map(|(_, kind, _)| kind))
    }
}

fn join(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The kind that an object defines, if it is a `CustomResourceDefinition`.
fn read_definition(index: usize, node: &Node) -> Option<(GroupKind, KnownKind)> {
    if node.get("kind")?.as_str()? != "CustomResourceDefinition" {
        return None;
    }
    let spec = node.get("spec")?;
    let text = |keys: &[&str]| spec.at(keys).and_then(Node::as_str).map(Arc::from);
    let versions = spec.get("versions")?.as_list()?.iter();
    let known = KnownKind {
        scope: match spec.get("scope")?.as_str()? {
            "Cluster" => Scope::Cluster,
            _ => Scope::Namespaced,
        },
        versions: versions
            .filter(|version| version.get("served").and_then(Node::as_bool) == Some(true))
            .filter_map(|version| version.get("name")?.as_str().map(Arc::from))
            .collect(),
        plural: text(&["names", "plural"]),
        stateful: false,
        owner: KindOwner::Object(index),
        span: node.span(),
    };
    Some(((text(&["group"])?, text(&["names", "kind"])?), known))
}

/// The place in the overlay or stack that an object comes from.
pub(super) fn place_of(placed: &Placed, parts: &[Part]) -> Option<Span> {
    let own = match &placed.object.source {
        ObjectSource::Resource { span, .. } | ObjectSource::Manifest { span } => Some(*span),
        ObjectSource::Chart { .. } | ObjectSource::Compiler { .. } => None,
    };
    own.or_else(|| placed.object.node.span()).or_else(|| placed.part.map(|part| parts[part].instance.span))
}

/// Puts an object where its kind lives: into its instance's namespace, or out of any.
pub(super) fn place(placed: &mut Placed, parts: &[Part], scopes: &Scopes, sink: &mut Sink) {
    let gvk = placed.object.gvk.clone();
    let Some(versions) = scopes.versions(&gvk.group, &gvk.kind) else {
        sink.report(unknown_kind(placed, parts, scopes));
        return;
    };
    if !versions.is_empty() && !versions.contains(&&*gvk.version) {
        let node = placed.object.node.get("apiVersion");
        let written = node.and_then(|node| node.origin.editable());
        let served = join(&gvk.group, versions[0]);
        let mut finding = Diagnostic::error(
            codes::UNKNOWN_KIND,
            format!("`{}` is not served as `{}`", gvk.kind, gvk.api_version()),
        )
        .object(placed.object.id.to_string());
        // Nobody edits the files of a chart: the instance leads to another version of it.
        finding = if of_release(placed).is_some() {
            let at = placed.object.node.origin.editable().or_else(|| place_of(placed, parts));
            finding
                .at(at, "the chart of this")
                .related(node.and_then(Node::span).filter(|span| Some(*span) != at), "this version")
                .help(format!(
                    "take a version of the chart that makes it as `{served}`, or change its values"
                ))
        } else {
            finding
                .at(written.or_else(|| place_of(placed, parts)), "this version")
                .help(format!("write `apiVersion: {served}`"))
        };
        sink.report(finding);
        return;
    }
    match scopes.scope(&gvk.group, &gvk.kind) {
        Some(Scope::Cluster) => {
            placed.object.id.namespace = None;
            if let Some(Value::Map(metadata)) = member(&mut placed.object.node, "metadata") {
                metadata.remove("namespace");
            }
        }
        _ if placed.object.id.namespace.is_some() => {}
        _ if of_release(placed).is_some() => {
            if let Some(namespace) = of_release(placed) {
                let was = placed.object.node.origin.clone();
                set_namespace(
                    placed,
                    namespace,
                    OriginKind::Rule { rule: "the namespace of the release", was },
                );
            }
        }
        _ => match placed.part.and_then(|part| parts[part].instance.namespace.clone()) {
            Some(namespace) => {
                let was = placed.part.and_then(|part| parts[part].instance.namespace_span);
                let was = was.map_or(Origin::Compiler, Origin::from);
                set_namespace(
                    placed,
                    namespace,
                    OriginKind::Rule { rule: "the namespace of the instance", was },
                );
            }
            None => {
                sink.report(
                    Diagnostic::error(
                        codes::NAMESPACE_MISSING,
                        format!("`{}` has no namespace to live in", placed.object.id),
                    )
                    .at(place_of(placed, parts), "no `metadata.namespace`")
                    .related(
                        placed.part.map(|part| parts[part].instance.span),
                        "this instance has no `namespace` either",
                    )
                    .object(placed.object.id.to_string())
                    .help("set `namespace` of the instance in the overlay"),
                );
            }
        },
    }
}

/// The value of a map's member, made an empty map where it is missing.
fn member<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Value> {
    match &mut node.value {
        Value::Map(map) => map.get_mut(key).map(|entry| &mut entry.node.value),
        _ => None,
    }
}

/// The namespace of the release that made an object.
fn of_release(placed: &Placed) -> Option<Arc<str>> {
    match &placed.object.source {
        ObjectSource::Chart { namespace, .. } => Some(Arc::clone(namespace)),
        _ => None,
    }
}

fn set_namespace(placed: &mut Placed, namespace: Arc<str>, rule: OriginKind) {
    let origin = Origin::link(rule);
    if let Some(Value::Map(metadata)) = member(&mut placed.object.node, "metadata") {
        let entry = Entry { key: origin.clone(), node: Node::new(Arc::clone(&namespace), origin) };
        let mut rebuilt = Map::with_capacity(metadata.len() + 1);
        for (key, value) in std::mem::take(metadata) {
            let name = &*key == "name";
            rebuilt.insert(key, value);
            if name {
                rebuilt.insert(Arc::from("namespace"), entry.clone());
            }
        }
        rebuilt.get_or_insert_with(Arc::from("namespace"), || entry);
        *metadata = rebuilt;
    }
    placed.object.id.namespace = Some(namespace);
}

fn unknown_kind(placed: &Placed, parts: &[Part], scopes: &Scopes) -> Diagnostic {
    let gvk = &placed.object.gvk;
    let at = placed.object.node.get("kind").and_then(|node| node.origin.editable());
    let mut diagnostic = Diagnostic::error(
        codes::UNKNOWN_KIND,
        format!("nothing in this environment brings the kind `{}` of `{}`", gvk.kind, gvk.api_version()),
    )
    .at(at.or_else(|| place_of(placed, parts)), "unknown kind")
    .object(placed.object.id.to_string());
    let same = scopes.api_versions_of(&gvk.kind);
    if let Some(api_version) = same.first() {
        diagnostic = diagnostic.help(format!("`{}` is of `apiVersion: {api_version}`", gvk.kind));
    } else if let Some(meant) =
        scopes.nearest_kind(&gvk.group, &gvk.kind).or_else(|| did_you_mean(&gvk.kind, scopes.kind_names()))
    {
        return diagnostic.help(format!("did you mean `{meant}`?"));
    }
    if kinds::all().any(|known| known.group == &*gvk.group) {
        // Nobody adds kinds to the groups of Kubernetes itself.
        if same.is_empty() {
            diagnostic = diagnostic.help(format!(
                "`{}` has the kinds of Kubernetes itself only: correct `kind`, or write the `apiVersion` that this kind is of",
                gvk.api_version()
            ));
        }
        return diagnostic;
    }
    diagnostic.help(format!(
        "add the stack that brings it to the overlay, or declare it in `declares.crds`: `{{group: {}, kind: {}, versions: [{}], scope: Namespaced, by: chart}}`",
        gvk.group, gvk.kind, gvk.version
    ))
}
