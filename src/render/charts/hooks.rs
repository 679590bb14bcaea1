//! Hooks compiled away: a tree is applied as a whole, by tools that know nothing of Helm's hooks.
//!
//! What runs before an installation or upgrade becomes a unit before the rest, with the accounts, roles and
//! configuration that it uses; where there are several Jobs or Pods in it, each is a unit of its own that waits for the
//! one before. What runs behind stays with the rest; tests and what runs at a deletion or rollback are left out. Jobs
//! are made so that both tools run a changed one again.

use crate::diag::{Diagnostic, codes};
use crate::model::{Object, ObjectSource, Stage};
use crate::schema::pods;
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What becomes of an object that is a hook.
pub(super) enum Fate {
    /// It is part of the tree.
    Kept(Stage),
    /// It has no place in a tree.
    Dropped,
    /// It cannot be carried over; why.
    Unsupported(&'static str),
}

/// Whether an object of a kind does something by itself, and then is done.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// A Job or a Pod.
    Once,
    /// Anything else.
    Never,
}

impl Runs {
    /// By the kind of an object.
    pub(super) fn of(kind: &str) -> Self {
        if matches!(kind, "Job" | "Pod") { Self::Once } else { Self::Never }
    }
}

/// What the value of `helm.sh/hook` means for a tree.
pub(super) fn fate(events: &str, runs: Runs) -> Fate {
    let (mut before, mut behind) = (false, false);
    for event in events.split(',').map(|event| event.trim().to_lowercase()) {
        match event.as_str() {
            "pre-install" | "pre-upgrade" => before = true,
            "post-install" | "post-upgrade" => behind = true,
            "test" | "test-success" | "pre-delete" | "post-delete" | "pre-rollback" | "post-rollback" => {}
            _ => return Fate::Unsupported("no version of Helm that is known here has such a hook"),
        }
    }
    match (before, behind) {
        // What only has to be there is there from the start.
        (true, true) if runs == Runs::Never => Fate::Kept(Stage::Before(0)),
        (true, true) => {
            Fate::Unsupported("it is to run before the release and behind it, and a tree is applied once")
        }
        (true, false) => Fate::Kept(Stage::Before(0)),
        (false, true) => Fate::Kept(Stage::With),
        (false, false) => Fate::Dropped,
    }
}

/// The diagnostic for a hook that cannot be carried over.
pub(super) fn unsupported(
    object: &str,
    events: &str,
    why: &str,
    at: Span,
    template: Option<Span>,
) -> Diagnostic {
    Diagnostic::error(
        codes::HOOK_UNSUPPORTED,
        format!("the hook `{events}` of `{object}` has no place in a tree"),
    )
    .at(at, "in the chart of this")
    .related(template, "made here")
    .note(why)
    .object(object)
    .help(
        "switch the hook off by the chart's values, or leave the chart to Helm: `deliver: {charts: release}`",
    )
}

/// Takes out `annotations` and `labels` that a template left without anything, of the object and of the Pods and Jobs
/// that it makes: for the API server they are not there, and a check that asks for them would find a null. Anywhere
/// else a null is data.
pub(super) fn without_empty_metadata(object: &mut Object) {
    emptied_of_nulls(&mut object.node);
    let path = pods::spec_path(&object.id.kind, &object.id.group).and_then(|path| path.strip_suffix(".spec"));
    let mut at = &mut object.node;
    for step in path.into_iter().flat_map(|path| path.split('.')) {
        let Value::Map(map) = &mut at.value else { return };
        let Some(entry) = map.get_mut(step) else { return };
        at = &mut entry.node;
        if step != "spec" {
            emptied_of_nulls(at);
        }
    }
}

fn emptied_of_nulls(holder: &mut Node) {
    let Value::Map(map) = &mut holder.value else { return };
    if let Some(Value::Map(metadata)) = map.get_mut("metadata").map(|entry| &mut entry.node.value) {
        metadata.retain(|key, entry| {
            !(matches!(&**key, "annotations" | "labels") && entry.node.value == Value::Null)
        });
    }
}

/// Takes the marks of hooks off an object of a release, and makes Jobs, and Pods that are hooks, run again when they
/// change: what is in them cannot be changed.
pub(super) fn settle(object: &mut Object) {
    let origin =
        Origin::link(OriginKind::Rule { rule: "hooks are compiled away", was: object.node.origin.clone() });
    let is_job = &*object.id.group == "batch" && &*object.id.kind == "Job";
    let is_pod = object.id.group.is_empty() && &*object.id.kind == "Pod";
    let is_hook = object.node.at(&["metadata", "annotations", "helm.sh/hook"]).is_some();
    let Value::Map(map) = &mut object.node.value else { return };
    if is_job && let Some(Value::Map(spec)) = map.get_mut("spec").map(|entry| &mut entry.node.value) {
        // Flux would make it again each time that it is gone.
        spec.remove("ttlSecondsAfterFinished");
    }
    let Some(Value::Map(metadata)) = map.get_mut("metadata").map(|entry| &mut entry.node.value) else {
        return;
    };
    let entry = |value: &str| Entry { key: origin.clone(), node: Node::new(value, origin.clone()) };
    if is_job || is_pod && is_hook {
        let annotations = metadata.get_or_insert_with(Arc::from("annotations"), || Entry {
            key: origin.clone(),
            node: Node::new(Map::new(), origin.clone()),
        });
        if let Value::Map(annotations) = &mut annotations.node.value {
            annotations.insert("kluctl.io/hook".into(), entry("post-deploy"));
            annotations.insert("kustomize.toolkit.fluxcd.io/force".into(), entry("enabled"));
        }
    }
    let emptied = match metadata.get_mut("annotations").map(|entry| &mut entry.node.value) {
        Some(Value::Map(annotations)) => {
            let before = annotations.len();
            annotations.retain(|key, _| !(key.starts_with("helm.sh/hook")));
            before > 0 && annotations.is_empty()
        }
        _ => false,
    };
    if emptied {
        metadata.remove("annotations");
    }
}

/// The value of `helm.sh/hook-weight`.
pub(super) fn weight(node: &Node) -> i64 {
    let written = node.at(&["metadata", "annotations", "helm.sh/hook-weight"]);
    written.and_then(|node| node.as_int().or_else(|| node.as_str()?.parse().ok())).unwrap_or(0)
}

fn stage_of(object: &mut Object) -> Option<&mut Stage> {
    match &mut object.source {
        ObjectSource::Chart { stage, .. } => Some(stage),
        _ => None,
    }
}

/// A hook that comes before the release, by its number among the objects.
pub(super) struct Early {
    pub(super) object: usize,
    pub(super) weight: i64,
    pub(super) runs: Runs,
}

/// Puts early hooks into steps: one for each Job or Pod, which Helm waits for, in Helm's order. What else is a hook
/// belongs to the first of them that its weight puts it before; behind the last one nothing waits, so it goes with that.
pub(super) fn queue(objects: &mut [Object], early: &[Early]) {
    let mut waits: Vec<(i64, Arc<str>, bool, usize)> = early
        .iter()
        .filter(|hook| hook.runs == Runs::Once)
        .filter_map(|hook| {
            let id = &objects.get(hook.object)?.id;
            // Of two with one name Helm takes the Pod first.
            Some((hook.weight, Arc::clone(&id.name), &*id.kind != "Pod", hook.object))
        })
        .collect();
    waits.sort();
    let last = waits.len().saturating_sub(1);
    for hook in early {
        let step = waits.iter().position(|(weight, _, _, object)| match hook.runs {
            Runs::Once => *object == hook.object,
            Runs::Never => *weight >= hook.weight,
        });
        if let Some(stage) = objects.get_mut(hook.object).and_then(stage_of) {
            *stage = Stage::Before(u32::try_from(step.unwrap_or(last)).unwrap_or(u32::MAX));
        }
    }
}

/// Kind and name of an object in the namespace of its release, and when it is wanted at the latest.
type Wanted = BTreeMap<(String, String), Stage>;

fn want(wanted: &mut Wanted, kind: &str, name: &str, stage: Stage) {
    let known = wanted.entry((kind.to_owned(), name.to_owned())).or_insert(stage);
    *known = stage.min(*known);
}

/// Moves what early objects use before them, too: of Pods accounts with their roles, configuration, claims; of webhooks
/// their Services.
pub(super) fn pull_forward(objects: &mut [Object]) {
    let mut wanted = Wanted::new();
    for object in objects.iter() {
        let ObjectSource::Chart { stage: stage @ Stage::Before(_), .. } = object.source else { continue };
        if &*object.id.kind == "ServiceAccount" {
            want(&mut wanted, "ServiceAccount", &object.id.name, stage);
        }
        for service in services(object) {
            want(&mut wanted, "Service", service, stage);
        }
        if let Some(pods) = pods_of(object) {
            pods::each_name(pods, &mut |kind, name| want(&mut wanted, kind, name, stage));
        }
    }
    let mut roles = Wanted::new();
    for object in objects.iter().filter(|object| is_binding(object)) {
        let accounts = subjects(object).map(|name| ("ServiceAccount".to_owned(), name.to_owned()));
        let Some(stage) = accounts.filter_map(|account| wanted.get(&account)).min() else { continue };
        want(&mut roles, &object.id.kind, &object.id.name, *stage);
        let text = |key: &str| object.node.at(&["roleRef", key]).and_then(Node::as_str).unwrap_or_default();
        want(&mut roles, text("kind"), text("name"), *stage);
    }
    for object in objects {
        let key = (object.id.kind.to_string(), object.id.name.to_string());
        let by = [wanted.get(&key), roles.get(&key)].into_iter().flatten().min();
        if let (Some(by), Some(stage)) = (by, stage_of(object)) {
            *stage = *by.min(stage);
        }
    }
}

fn is_binding(object: &Object) -> bool {
    &*object.id.group == "rbac.authorization.k8s.io" && object.id.kind.ends_with("Binding")
}

fn subjects(object: &Object) -> impl Iterator<Item = &str> {
    let list = object.node.get("subjects").and_then(Node::as_list).unwrap_or_default();
    list.iter()
        .filter(|subject| subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount"))
        .filter_map(|subject| subject.get("name").and_then(Node::as_str))
}

/// The Services that a webhook names.
fn services(object: &Object) -> impl Iterator<Item = &str> {
    let is_webhook = &*object.id.group == "admissionregistration.k8s.io";
    let list = object.node.get("webhooks").filter(|_| is_webhook).and_then(Node::as_list).unwrap_or_default();
    list.iter().filter_map(|webhook| webhook.at(&["clientConfig", "service", "name"])?.as_str())
}

/// The specification of the Pods that an object makes.
fn pods_of(object: &Object) -> Option<&Node> {
    let path = pods::spec_path(&object.id.kind, &object.id.group)?;
    path.split('.').try_fold(&object.node, |node, step| node.get(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Gvk, ObjectId};
    use crate::source::Sources;
    use serde_json::{Value as Json, json};

    fn object(json: &Json) -> Object {
        let text = |pointer: &str| json.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        let gvk = Gvk::new(text("/apiVersion"), text("/kind"));
        let (group, kind) = (Arc::clone(&gvk.group), text("/kind").into());
        let span = Span::new(Sources::new().add("a", ""), 0, 0);
        Object {
            id: ObjectId { group, kind, namespace: None, name: text("/metadata/name").into() },
            gvk,
            node: Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler),
            source: ObjectSource::Chart {
                release: "r".into(),
                namespace: "n".into(),
                span,
                stage: Stage::With,
            },
        }
    }

    fn runs(kind: &str, name: &str) -> Object {
        let api = if kind == "Pod" { "v1" } else { "batch/v1" };
        object(&json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}}))
    }

    #[test]
    fn only_metadata_that_is_metadata_loses_its_nulls() {
        let mut job = object(&json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {"name": "a", "annotations": null},
            "spec": {"metadata": {"labels": null}, "jobTemplate": {"metadata": {"labels": null},
                "spec": {"template": {"metadata": {"labels": null, "name": "b"}, "spec": {}}}}}}));
        without_empty_metadata(&mut job);
        assert_eq!(
            job.node.to_json(),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"},
                "spec": {"metadata": {"labels": null}, "jobTemplate": {"metadata": {},
                    "spec": {"template": {"metadata": {"name": "b"}, "spec": {}}}}}})
        );
        let policy = json!({"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "a"},
            "spec": {"rules": [{"mutate": {"patchStrategicMerge": {"metadata": {"annotations": null}}}}]}});
        let mut kept = object(&policy);
        without_empty_metadata(&mut kept);
        assert_eq!(kept.node.to_json(), policy);
    }

    #[test]
    fn pods_that_are_hooks_are_made_again_as_jobs_are() {
        let pod = |annotations: Json| {
            let mut pod = object(&json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "a", "annotations": annotations}, "spec": {}}));
            settle(&mut pod);
            pod.node.to_json()["metadata"].clone()
        };
        assert_eq!(
            pod(json!({"helm.sh/hook": "pre-upgrade"})),
            json!({"name": "a", "annotations": {
                "kluctl.io/hook": "post-deploy", "kustomize.toolkit.fluxcd.io/force": "enabled"}})
        );
        assert_eq!(pod(json!({"a": "b"})), json!({"name": "a", "annotations": {"a": "b"}}));
    }

    #[test]
    fn hooks_of_one_weight_wait_for_each_other_by_name() {
        let mut objects =
            [runs("Job", "b"), runs("Job", "a"), runs("Pod", "b"), runs("Secret", "z"), runs("Job", "first")];
        let early = |object: usize, weight: i64, kind: &str| Early { object, weight, runs: Runs::of(kind) };
        let hooks = [
            early(0, 1, "Job"),
            early(1, 1, "Job"),
            early(2, 1, "Pod"),
            early(3, 1, "Secret"),
            early(4, -5, "Job"),
        ];
        queue(&mut objects, &hooks);
        let steps = objects.each_mut().map(|object| *stage_of(object).expect("an object of a chart"));
        assert_eq!(steps, [3, 1, 2, 1, 0].map(Stage::Before));
    }
}
