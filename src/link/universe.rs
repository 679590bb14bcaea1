//! Everything that a reference may name: objects of the tree and what they bring about, encrypted files,
//! declarations, externals, and what every cluster has.

use super::creations;
use crate::model::{Object, ObjectId};
use crate::render::Rendering;
use crate::schema::kinds::Scope;
use crate::source::Span;
use crate::value::Node;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where something that can be referred to is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An object of the tree, by index, or what a controller makes of it.
    Object(usize),
    /// An encrypted file, by index.
    Encrypted(usize),
    /// Made later by a controller of an instance, by index.
    Part(usize),
    /// Outside the tree, by index.
    External(usize),
    /// In every cluster.
    Given,
}

/// Something that can be referred to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) target: Target,
    /// The keys of a Secret or `ConfigMap`; `None` where they are not known.
    pub(super) keys: Option<Vec<Arc<str>>>,
    /// The place that brings it.
    pub(super) span: Option<Span>,
    /// Made by a controller rather than written.
    pub(super) derived: bool,
}

/// All that can be referred to, by identity.
#[derive(Debug, Default)]
pub(super) struct Universe {
    known: BTreeMap<ObjectId, Known>,
}

impl Universe {
    pub(super) fn of(rendering: &Rendering) -> Self {
        let mut universe = Self::default();
        for (index, placed) in rendering.objects().iter().enumerate() {
            let object = &placed.object;
            let keys = keys_of(object);
            let known =
                Known { target: Target::Object(index), keys, span: object.node.span(), derived: false };
            universe.add(object.id.clone(), known);
        }
        for (index, file) in rendering.surroundings().encrypted.iter().enumerate() {
            let target = Target::Encrypted(index);
            for (derived, (id, keys)) in file
                .objects
                .iter()
                .map(|made| (false, made))
                .chain(file.creates.iter().map(|made| (true, made)))
            {
                let keys = (!keys.is_empty()).then(|| keys.clone());
                let span = Some(file.span.head());
                universe.add(id.clone(), Known { target, keys, span, derived });
            }
        }
        for (index, placed) in rendering.objects().iter().enumerate() {
            for (id, keys) in creations::of(&placed.object) {
                let span = placed.object.node.span();
                universe.add(id, Known { target: Target::Object(index), keys, span, derived: true });
            }
        }
        for (index, part) in rendering.parts().iter().enumerate() {
            for created in &part.instance.declares.creates {
                let keys = (!created.keys.is_empty()).then(|| created.keys.clone());
                let span = Some(created.span);
                let mut id = created.id.clone();
                // A declaration takes its instance's namespace before the scopes of custom kinds are known.
                if rendering.scopes().scope(&id.group, &id.kind) == Some(Scope::Cluster) {
                    id.namespace = None;
                }
                universe.add(id, Known { target: Target::Part(index), keys, span, derived: true });
            }
        }
        for (index, external) in rendering.surroundings().externals.iter().enumerate() {
            let keys = (!external.keys.is_empty()).then(|| external.keys.clone());
            let span = Some(external.span);
            let known = Known { target: Target::External(index), keys, span, derived: false };
            universe.add(external.id.clone(), known);
        }
        universe
    }

    fn add(&mut self, id: ObjectId, known: Known) {
        self.known.entry(id).or_insert(known);
    }

    /// What an identity names, if anything.
    pub(super) fn find(&self, id: &ObjectId) -> Option<Known> {
        self.known.get(id).cloned().or_else(|| {
            is_given(id).then_some(Known { target: Target::Given, keys: None, span: None, derived: false })
        })
    }

    /// The identities of a kind.
    pub(super) fn of_kind<'a>(&'a self, group: &'a str, kind: &'a str) -> impl Iterator<Item = &'a ObjectId> {
        self.known.keys().filter(move |id| &*id.group == group && &*id.kind == kind)
    }
}

/// The keys of a Secret or `ConfigMap` that is written out.
fn keys_of(object: &Object) -> Option<Vec<Arc<str>>> {
    if !object.id.group.is_empty() || !matches!(&*object.id.kind, "Secret" | "ConfigMap") {
        return None;
    }
    let maps = ["data", "stringData", "binaryData"].map(|field| object.node.get(field));
    let keys: Vec<Arc<str>> =
        maps.into_iter().flatten().filter_map(Node::as_map).flat_map(|map| map.keys().cloned()).collect();
    // An empty Secret is one that something fills in: the token of a ServiceAccount, for one.
    (!keys.is_empty() || &*object.id.kind == "ConfigMap").then_some(keys)
}

/// What every cluster has from the start.
fn is_given(id: &ObjectId) -> bool {
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let name = &*id.name;
    match (&*id.group, &*id.kind) {
        ("", "ServiceAccount") => name == "default" || matches!(namespace, "kube-system" | "kube-public"),
        ("", "ConfigMap") => {
            name == "kube-root-ca.crt"
                || (namespace, name) == ("kube-system", "extension-apiserver-authentication")
        }
        ("", "Service") => (namespace, name) == ("default", "kubernetes"),
        ("", "Namespace") => {
            matches!(name, "default" | "kube-system" | "kube-public" | "kube-node-lease" | "flux-system")
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            matches!(name, "system-cluster-critical" | "system-node-critical")
        }
        ("rbac.authorization.k8s.io", "ClusterRole") => {
            matches!(name, "cluster-admin" | "admin" | "edit" | "view") || name.starts_with("system:")
        }
        ("rbac.authorization.k8s.io", "Role") => {
            name.starts_with("system:")
                || (namespace, name) == ("kube-system", "extension-apiserver-authentication-reader")
        }
        _ => false,
    }
}
