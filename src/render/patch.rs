//! Patches: which objects they mean, and applying them in order, each on the last result.
//!
//! A patch whose target is nowhere among the objects may mean one that an unrendered chart makes: it then travels
//! with the releases of that namespace (all of them, where the target names none), to be applied by the tool that
//! renders the chart. k3s's controller has no such step, so there it is refused.

use super::{
    Part, Placed,
    json_patch::{self, OperationError},
    merge::{self, MergeError},
};
use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::model::{ChartDelivery, Gvk, Object, Patch, PatchBody};
use crate::schema::kinds;
use crate::schema::merge_keys::MergeType;
use crate::value::Node;
use std::sync::Arc;

pub(super) fn apply(patches: Vec<Patch>, objects: &mut [Placed], parts: &mut [Part], sink: &mut Sink) {
    for patch in patches {
        let mut matched = false;
        for placed in objects.iter_mut().filter(|placed| matches(&patch, &placed.object)) {
            matched = true;
            if let Err(diagnostic) = apply_one(&patch, &mut placed.object) {
                sink.report(*diagnostic);
            }
        }
        if !matched {
            carry(&patch, objects, parts, sink);
        }
    }
}

fn matches(patch: &Patch, object: &Object) -> bool {
    let agrees = |wanted: Option<&str>, have: Option<&str>| wanted.is_none_or(|wanted| have == Some(wanted));
    patch.kind == object.id.kind
        && agrees(patch.group.as_deref(), Some(&object.id.group))
        && agrees(patch.namespace.as_deref(), object.id.namespace.as_deref())
        && agrees(patch.target_name.as_deref(), Some(&object.id.name))
}

fn apply_one(patch: &Patch, object: &mut Object) -> Result<(), Box<Diagnostic>> {
    let mut changed = object.node.clone();
    match &patch.body {
        PatchBody::Merge(body) => {
            let kind = MergeType::of(&object.gvk.group, &object.gvk.kind).unwrap_or_else(MergeType::unknown);
            merge::merge(&mut changed, body, kind)
                .map_err(|error| Box::new(merge_fault(patch, object, error)))?;
        }
        PatchBody::Json(operations) => {
            json_patch::apply(&mut changed, operations)
                .map_err(|error| Box::new(operation_fault(patch, object, error)))?;
        }
    }
    let text = |keys: &[&str]| changed.at(keys).and_then(Node::as_str);
    let gvk = Gvk::new(text(&["apiVersion"]).unwrap_or_default(), text(&["kind"]).unwrap_or_default());
    let same = gvk.group == object.id.group
        && gvk.kind == object.id.kind
        && text(&["metadata", "name"]) == Some(&object.id.name)
        && text(&["metadata", "namespace"]) == object.id.namespace.as_deref();
    if !same {
        return Err(Box::new(
            Diagnostic::error(
                codes::PATCH_CHANGES_IDENTITY,
                format!("patch `{}` changes the identity of `{}`", patch.name, object.id),
            )
            .at(patch.span, "this patch")
            .object(object.id.to_string())
            .help("a patch may not change group, kind, namespace or name: take those lines out of it"),
        ));
    }
    object.gvk = gvk;
    object.node = changed;
    Ok(())
}

fn merge_fault(patch: &Patch, object: &Object, error: MergeError) -> Diagnostic {
    let (message, at, help) = match error {
        MergeError::LacksKey { list, key, at } => (
            format!("an item of `{list}` lacks `{key}`, by which the items of that list are matched"),
            at,
            format!("add `{key}` to the item, or replace the list with an item `{{$patch: replace}}`"),
        ),
        MergeError::NoSuchContainer { name, names, at } => {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let help = match did_you_mean(&name, names.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if names.is_empty() => "there are none of this kind".to_owned(),
                None => format!("there are {}", quoted.join(", ")),
            };
            (
                format!("there is no container `{name}`, and without an `image` a patch makes none"),
                at,
                format!("{help}; a container that is added has an `image`"),
            )
        }
        MergeError::UnknownDirective { word, at } => (
            format!("`$patch: {word}` is no directive of a strategic merge"),
            at,
            "write `merge`, `replace` or `delete`".to_owned(),
        ),
        MergeError::ElementOrder { directive, at } => (
            format!("`{directive}` is written by programs that compute patches, and is not carried out here"),
            at,
            "leave it out; where the order of a list matters, replace the list with an item `{$patch: replace}`"
                .to_owned(),
        ),
    };
    Diagnostic::error(codes::BAD_PATCH, message)
        .at(at.unwrap_or(patch.span), "")
        .trace(format!("while patching `{}` with `{}`", object.id, patch.name))
        .object(object.id.to_string())
        .help(help)
}

fn operation_fault(patch: &Patch, object: &Object, error: OperationError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(codes::BAD_PATCH, error.message)
        .at(error.at.unwrap_or(patch.span), "")
        .trace(format!("while patching `{}` with `{}`", object.id, patch.name))
        .object(object.id.to_string());
    if let Some(meant) = error.meant {
        diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
    }
    diagnostic.help("`add` makes what is not there yet; `replace`, `remove`, `move`, `copy` and `test` want it there, as the tree shows it without this patch")
}

/// Hands a patch that matched nothing to the releases that may make its target, or refuses it.
fn carry(patch: &Patch, objects: &[Placed], parts: &mut [Part], sink: &mut Sink) {
    let may_hold = |namespace: &str| patch.namespace.as_deref().is_none_or(|wanted| wanted == namespace);
    let mut by_k3s = None;
    let mut carriers = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        for (at, delivered) in part.releases.iter().enumerate() {
            if may_hold(&delivered.release.namespace) {
                match delivered.release.delivery {
                    ChartDelivery::Release => carriers.push((index, at)),
                    ChartDelivery::K3s => {
                        by_k3s = by_k3s.or(Some((part.instance.span, Arc::clone(&delivered.release.name))));
                    }
                    ChartDelivery::Rendered => {}
                }
            }
        }
    }
    if !carriers.is_empty() {
        for (index, at) in carriers {
            parts[index].releases[at].patches.push(patch.clone());
        }
        return;
    }
    let target = describe(patch);
    let mut diagnostic = match by_k3s {
        Some((span, release)) => Diagnostic::error(
            codes::UNDELIVERABLE,
            format!("patch `{}` cannot reach {target} inside a chart that k3s installs", patch.name),
        )
        .at(patch.target_span, "not among the objects of the tree")
        .related(span, format!("k3s installs `{release}`, and its controller cannot patch"))
        .help("set it in the chart's `values`, or choose `deliver: {charts: release}` for that instance"),
        None => Diagnostic::error(
            codes::PATCH_MATCHES_NOTHING,
            format!("patch `{}` matches nothing: there is no {target}", patch.name),
        )
        .at(patch.target_span, "no such object"),
    };
    if let Some(meant) = nearest(patch, objects) {
        diagnostic = diagnostic.help(meant);
    } else if diagnostic.helps.is_empty() {
        diagnostic = diagnostic.help("correct the target, or take the patch out");
    }
    let stays = |part: &Part| {
        part.releases.iter().any(|delivered| delivered.release.delivery != ChartDelivery::Rendered)
    };
    if patch.namespace.is_some() && parts.iter().any(stays) {
        diagnostic = diagnostic.note(format!(
            "no release is installed in namespace `{}`; where a release makes objects in another namespace, leave `namespace` out of the target",
            patch.namespace.as_deref().unwrap_or_default()
        ));
    }
    sink.report(diagnostic);
}

fn describe(patch: &Patch) -> String {
    match (&patch.namespace, &patch.target_name) {
        (Some(namespace), Some(name)) => format!("`{}/{namespace}/{name}`", patch.kind),
        (None, Some(name)) => format!("`{}/{name}`", patch.kind),
        (Some(namespace), None) => format!("{} in namespace `{namespace}`", patch.kind),
        (None, None) => format!("`{}`", patch.kind),
    }
}

/// The object that a mistaken target probably means.
fn nearest(patch: &Patch, objects: &[Placed]) -> Option<String> {
    let of_kind: Vec<&Object> =
        objects.iter().map(|placed| &placed.object).filter(|object| object.id.kind == patch.kind).collect();
    if of_kind.is_empty() {
        let present = || objects.iter().map(|placed| &*placed.object.id.kind);
        let cased = present().find(|kind| kind.eq_ignore_ascii_case(&patch.kind));
        // A kind that exists and that the tree happens to lack is no slip of the pen.
        let misspelt = || {
            if kinds::group_of(&patch.kind).is_some() { None } else { did_you_mean(&patch.kind, present()) }
        };
        if let Some(meant) = cased.or_else(misspelt) {
            return Some(format!("did you mean the kind `{meant}`?"));
        }
    }
    let name = patch.target_name.as_deref()?;
    let same_name = objects.iter().map(|placed| &placed.object).find(|object| &*object.id.name == name);
    let elsewhere = of_kind.iter().find(|object| &*object.id.name == name).copied();
    if let Some(object) = elsewhere {
        return Some(format!("did you mean `{}`?", object.id));
    }
    let near =
        of_kind.iter().filter(|object| patch.namespace.is_none() || patch.namespace == object.id.namespace);
    if let Some(meant) = did_you_mean(name, near.map(|object| &*object.id.name)) {
        return Some(format!("did you mean the name `{meant}`?"));
    }
    if let Some(object) = same_name {
        return Some(format!("did you mean `{}`?", object.id));
    }
    (!of_kind.is_empty()).then(|| {
        let mut names: Vec<String> = of_kind.iter().map(|object| format!("`{}`", object.id)).collect();
        names.sort();
        names.truncate(5);
        format!("objects of this kind: {}", names.join(", "))
    })
}
