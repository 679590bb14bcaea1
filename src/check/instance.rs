//! One instance: every part of its stack evaluated.

use super::object::{object, set_namespace};
use super::{charts, checks, declares, secrets};
use crate::diag::{Reported, Sink};
use crate::load::Rule;
use crate::load::fields::Fields;
use crate::model::{
    Declares, Instance, ManifestReference, Object, ObjectSource, Prerequisite, StackOwner, Verification,
};
use crate::package::address::refuse_login;
use crate::resolve::{
    Extras, InstanceScope, LoadedManifest, Resolution, ResolvedInstance, Stage, rounds, value,
};
use crate::value::{Node, Value};
use std::sync::Arc;

/// The instance `index`, as far as it can be evaluated, and what later stages read of it.
pub(super) fn evaluate(resolution: &Resolution, index: usize, sink: &mut Sink) -> (Instance, Extras) {
    let resolved = &resolution.instances[index];
    let stack = &resolved.stack;
    let mut extras = Extras::default();
    let before = InstanceScope::new(resolution, index, Stage::Exports, None);
    let releases = match charts::releases(resolution, index, &before, sink) {
        Ok((releases, scope)) => {
            extras.charts = Some(scope);
            releases
        }
        Err(_told) => Vec::new(),
    };
    let namespace = resolved.namespace.as_ref().and_then(Node::as_str).map(Arc::from);
    let mut found = Instance {
        name: Arc::clone(&resolved.name),
        stack: Arc::clone(&stack.name),
        span: resolved.span,
        namespace,
        namespace_span: resolved.namespace.as_ref().and_then(|node| node.origin.editable()),
        namespace_labels: resolved.namespace_labels.clone(),
        delivery: resolved.delivery.unwrap_or(resolution.deliver.charts),
        objects: Vec::new(),
        references: Vec::new(),
        releases,
        secrets: Vec::new(),
        provides: provides(resolved),
        declares: Declares::default(),
        after: resolved.after.clone(),
        verify: Vec::new(),
        prereqs: Vec::new(),
    };
    // What a broken chart leaves unknown would only be told a second time.
    if extras.charts.is_some() {
        parts(resolution, index, &extras, &mut found, sink);
    }
    (found, extras)
}

/// Everything that may read `charts`.
fn parts(resolution: &Resolution, index: usize, extras: &Extras, found: &mut Instance, sink: &mut Sink) {
    let resolved = &resolution.instances[index];
    let stack = &resolved.stack;
    let scope = InstanceScope::new(resolution, index, Stage::Parts, Some(extras));
    found.declares = declares::declares(stack, &scope, resolved, sink);
    let owner = if stack.embedded { StackOwner::Library } else { StackOwner::Project };
    for rule in &stack.resources {
        each(rule, &scope, sink, |body, sink| {
            let node = taken(body, "object");
            let source = ObjectSource::Resource { id: Arc::clone(&rule.id), span: rule.span, stack: owner };
            found.objects.push(object(node, source, rule.span, resolved.span, sink)?);
            Ok(())
        });
    }
    for manifest in &resolved.manifests {
        manifest_objects(manifest, resolved.span, &mut found.objects, sink);
        if manifest.is_remote()
            && let Ok(reference) = reference(manifest, sink)
        {
            found.references.push(reference);
        }
    }
    found.secrets = secrets::required(stack, &scope, found, sink);
    for rule in &stack.verify {
        each(rule, &scope, sink, |body, sink| {
            let fields = Fields::any(&body, "a verification", sink)?;
            found.verify.push(Verification {
                id: Arc::clone(&rule.id),
                description: fields.text("description", sink)?.unwrap_or_default(),
                command: fields.required_text("command", sink)?,
            });
            Ok(())
        });
    }
    for rule in &stack.prereqs {
        each(rule, &scope, sink, |body, sink| {
            let fields = Fields::any(&body, "a prerequisite", sink)?;
            found.prereqs.push(Prerequisite {
                id: Arc::clone(&rule.id),
                kind: fields.required_text("kind", sink)?,
                data: fields.required("data", sink)?.clone(),
            });
            Ok(())
        });
    }
    checks::inputs(resolution, index, &scope, extras, sink);
}

/// A member of a map, or the whole where it has none.
fn taken(mut whole: Node, member: &str) -> Node {
    let found = match &mut whole.value {
        Value::Map(map) => map.remove(member),
        _ => None,
    };
    found.map_or(whole, |entry| entry.node)
}

/// The names of what an instance offers and did not step back from.
fn provides(instance: &ResolvedInstance) -> Vec<Arc<str>> {
    let offers = instance.provides.as_map().into_iter().flatten();
    offers.filter(|(_, entry)| entry.node.as_bool() == Some(true)).map(|(name, _)| Arc::clone(name)).collect()
}

/// Evaluates the body of a rule once a round, and hands it on.
pub(super) fn each(
    rule: &Rule,
    scope: &InstanceScope<'_>,
    sink: &mut Sink,
    mut take: impl FnMut(Node, &mut Sink) -> Result<(), Reported>,
) {
    let Ok(rounds) = rounds(&rule.guard, scope, sink) else { return };
    for variables in rounds {
        if let Ok(Some(body)) = value(&rule.body, &variables.over(scope), sink) {
            let _told = take(body, sink);
        }
    }
}

fn manifest_objects(
    manifest: &LoadedManifest,
    instance: crate::source::Span,
    objects: &mut Vec<Object>,
    sink: &mut Sink,
) {
    let namespace = manifest.body.get("namespace").filter(|node| node.as_str().is_some());
    for file in &manifest.objects {
        for node in file.iter() {
            let Some(span) = node.span() else { continue };
            let mut node = node.clone();
            if let Some(namespace) = namespace {
                set_namespace(&mut node, namespace);
            }
            let source = ObjectSource::Manifest { span };
            objects.extend(object(node, source, span, instance, sink));
        }
    }
}

fn reference(manifest: &LoadedManifest, sink: &mut Sink) -> Result<ManifestReference, Reported> {
    let what = format!("the manifest `{}`", manifest.name);
    let fields = Fields::any(&manifest.body, &what, sink)?;
    let git = match fields.get("git") {
        None => None,
        Some(node) => {
            let parts = Fields::open(node, "`git` of a manifest", &["url", "revision", "path"], sink)?;
            let part = |key: &str, sink: &mut Sink| parts.required_text(key, sink);
            Some((part("url", sink)?, part("revision", sink)?, part("path", sink)?))
        }
    };
    let url = fields.required_text("url", sink)?;
    refuse_login(&url, sink)?;
    if let Some((url, _, _)) = &git {
        refuse_login(url, sink)?;
    }
    Ok(ManifestReference {
        name: Arc::clone(&manifest.name),
        url,
        sha256: fields.text("sha256", sink)?,
        git,
        namespace: fields.get("namespace").filter(|node| node.as_str().is_some()).cloned(),
        by_reference: manifest.reference,
        url_span: fields.get("url").and_then(|node| node.origin.editable()),
        span: manifest.span,
    })
}
