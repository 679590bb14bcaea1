//! Secrets that stacks need, those that are encrypted, and externals that something else makes after all.

use super::{Edge, Linker, Referrer, Target};
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::model::{ObjectId, SecretKey};
use crate::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Encrypted objects say themselves which namespace they are for: nothing may be added to them.
pub(super) fn encrypted(linker: &mut Linker<'_>) {
    for file in &linker.rendering.surroundings().encrypted {
        for (id, _) in &file.objects {
            let cluster = linker.rendering.scopes().scope(&id.group, &id.kind)
                == Some(crate::schema::kinds::Scope::Cluster);
            if id.namespace.is_none() && !cluster {
                linker.sink.report(
                    Diagnostic::error(
                        codes::ENCRYPTED_WITHOUT_NAMESPACE,
                        format!("`{id}` in `{}` does not say which namespace it is for", file.path),
                    )
                    .at(file.span.head(), "no `metadata.namespace`")
                    .object(id.to_string())
                    .help(format!(
                        "add it with `sops set {} '[\"metadata\"][\"namespace\"]' '\"NAME\"'`",
                        file.path
                    )),
                );
            }
        }
    }
}

/// An external that is in the tree too is outside no more, unless it says that it may be taken over.
pub(super) fn supersession(linker: &mut Linker<'_>) {
    for external in &linker.rendering.surroundings().externals {
        let Some(known) = linker.universe.find(&external.id) else { continue };
        if external.supersedable
            || known.derived
            || matches!(known.target, Target::External(_) | Target::Given)
        {
            continue;
        }
        linker.sink.report(
            Diagnostic::error(
                codes::DUPLICATE_OBJECT,
                format!("external `{}` is in the tree as well: `{}`", external.name, external.id),
            )
            .at(external.span, "said to exist outside")
            .related(known.span, "made here")
            .object(external.id.to_string())
            .help("take it out of `externals`, or write `supersedable: true` if the tree's is to take over"),
        );
    }
}

struct Needed<'a> {
    keys: Vec<(&'a SecretKey, Option<Span>)>,
    first: (usize, Option<Span>, Span),
}

/// Every Secret that a stack says it reads, with its keys.
pub(super) fn required(linker: &mut Linker<'_>) {
    let mut needed: BTreeMap<ObjectId, Needed<'_>> = BTreeMap::new();
    for (index, part) in linker.rendering.parts().iter().enumerate() {
        for secret in &part.instance.secrets {
            let id = ObjectId {
                group: "".into(),
                kind: "Secret".into(),
                namespace: Some(Arc::clone(&secret.namespace)),
                name: Arc::clone(&secret.name),
            };
            if let Some(known) = linker.universe.find(&id) {
                linker.edges.push(Edge {
                    from: Referrer::Part(index),
                    to: known.target,
                    field: format!("secrets.{}", secret.name),
                    at: Some(secret.span),
                    order: true,
                    derived: known.derived,
                });
            }
            let entry = needed
                .entry(id)
                .or_insert_with(|| Needed { keys: Vec::new(), first: (index, secret.editable, secret.span) });
            for key in &secret.keys {
                if entry.keys.iter().all(|(known, _)| known.name != key.name) {
                    entry.keys.push((key, secret.editable));
                }
            }
        }
    }
    for (id, need) in needed {
        check(linker, &id, &need);
    }
}

fn check(linker: &mut Linker<'_>, id: &ObjectId, need: &Needed<'_>) {
    let (part, editable, span) = need.first;
    let part = &linker.rendering.parts()[part];
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let keys: Vec<&str> = need.keys.iter().map(|(key, _)| &*key.name).collect();
    let Some(known) = linker.universe.find(id) else {
        let with = if keys.is_empty() { String::new() } else { format!(" with the keys {}", list(&keys)) };
        let mut diagnostic = Diagnostic::error(
            codes::MISSING_SECRET,
            format!(
                "`{}` needs the Secret `{}` in namespace `{namespace}`{with}",
                part.instance.name, id.name
            ),
        )
        .at(editable.unwrap_or(part.instance.span), "nothing provides it")
        .related(span, "needed here")
        .object(id.to_string());
        let near = linker.universe.of_kind("", "Secret").filter(|known| known.namespace == id.namespace);
        if let Some(meant) = did_you_mean(&id.name, near.map(|known| &*known.name)) {
            diagnostic = diagnostic.help(format!("did you mean `{meant}`?"));
        }
        let environment = &linker.rendering.surroundings().environment.name;
        let stated = if keys.is_empty() { String::new() } else { format!(", keys: [{}]", keys.join(", ")) };
        linker.sink.report(
            diagnostic
                .help(format!("add an encrypted one below `overlays/{environment}/secrets/`"))
                .help(format!(
                    "or, if it exists outside the tree: `externals: {{{}: {{kind: Secret, namespace: {namespace}, name: {}{stated}}}}}`",
                    id.name, id.name
                )),
        );
        linker.reported.insert(id.clone());
        return;
    };
    let Some(have) = &known.keys else { return };
    let missing: Vec<&str> =
        keys.iter().filter(|key| !have.iter().any(|have| &**have == **key)).copied().collect();
    if missing.is_empty() {
        return;
    }
    let mut diagnostic = Diagnostic::error(
        codes::MISSING_KEY,
        format!("`{}` reads {} of `{id}`, which it does not have", part.instance.name, list(&missing)),
    )
    .at(known.span, "its keys are given here")
    .related(span, "read by this stack")
    .object(id.to_string());
    for key in &missing {
        if let Some(meant) = did_you_mean(key, have.iter().map(AsRef::as_ref)) {
            diagnostic = diagnostic.help(format!("is `{meant}` meant to be `{key}`?"));
        }
    }
    let have: Vec<&str> = have.iter().map(AsRef::as_ref).collect();
    linker.sink.report(diagnostic.help(format!("it has {}", list(&have))));
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
