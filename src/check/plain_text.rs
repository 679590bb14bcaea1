//! Credentials in plain text, which would be in the repository for good: values of Secrets and of `SopsSecret`s.
//!
//! Objects are held against this as they are made, and again once patches were laid over them. Whole encrypted files
//! are the matter of [`crate::load`], by the same rule of what is plain.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::is_plain;
use crate::model::Object;
use crate::source::Span;
use crate::value::{Because, Node, Origin, OriginKind, Read, Value};

/// Refuses what could be read of an object. `place` is where it is made, `instance` the key of its instance in the
/// overlay.
pub(crate) fn refuse(
    object: &Object,
    place: Option<Span>,
    instance: Option<Span>,
    sink: &mut Sink,
) -> Result<(), Reported> {
    let secret = object.id.group.is_empty() && object.id.kind.as_ref() == "Secret";
    let sops = object.id.group.as_ref() == "isindir.github.com" && object.id.kind.as_ref() == "SopsSecret";
    let holders: Vec<&Node> = if secret {
        vec![&object.node]
    } else if sops {
        object
            .node
            .at(&["spec", "secretTemplates"])
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .collect()
    } else {
        return Ok(());
    };
    for holder in holders {
        for field in ["data", "stringData"] {
            for (key, entry) in holder.get(field).and_then(Node::as_map).into_iter().flatten() {
                // Nothing decrypts what stands in a Secret itself, so its cipher text is a value like others.
                let is_filled = is_plain(&entry.node.value) || secret && is_cipher(&entry.node.value);
                if !is_filled {
                    continue;
                }
                let fact = if is_plain(&entry.node.value) {
                    format!("`{field}.{key}` of {} would be written to the tree in plain text", object.id)
                } else {
                    format!("`{field}.{key}` of {} is cipher text that nothing would decrypt", object.id)
                };
                let at = entry.node.origin.editable().or(place);
                let made = because(&object.node.origin);
                let help = if secret {
                    let first =
                        if made.is_some() { "switch it off by the chart's values; then " } else { "" };
                    format!(
                        "{first}encrypt it with sops as `overlays/<env>/secrets/{}.sops.yaml`, or name it under `externals` where somebody else makes it; \
                         a value that was committed is known and has to be changed",
                        object.id.name
                    )
                } else {
                    "encrypt it with `sops encrypt`; a value that was committed is known and has to be changed".to_owned()
                };
                let mut finding =
                    Diagnostic::error(codes::PLAIN_SECRET, fact).at(at, "").object(object.id.to_string());
                if at != place {
                    finding = finding.related(place, "the object is made here");
                }
                if instance != at {
                    finding = finding.related(instance, "for this instance");
                }
                let reads = made.map(|made| reads(made, &entry.node.origin)).unwrap_or_default();
                finding = reads.into_iter().fold(finding, Diagnostic::note);
                return Err(sink.report(finding.help(help)));
            }
        }
    }
    Ok(())
}

/// Whether a value is there, and cipher text of SOPS.
fn is_cipher(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty()) && !is_plain(value)
}

/// What led a template to an object.
fn because(origin: &Origin) -> Option<&Because> {
    match origin {
        Origin::Link(kind) if let OriginKind::Template { because, .. } = kind.as_ref() => Some(because),
        other => because(other.was()?),
    }
}

/// What led a chart to an object and to one value of it, in words.
pub(crate) fn reads_of(object: &Origin, value: &Node) -> Vec<String> {
    because(object).map(|made| reads(made, &value.origin)).unwrap_or_default()
}

/// The values of a chart that decide whether an object is made, and those that one field of it is made from.
fn reads(object: &Because, field: &Origin) -> Vec<String> {
    let paths = |reads: &mut dyn Iterator<Item = &Read>| {
        let mut paths: Vec<String> = Vec::new();
        for path in reads.map(|read| format!("`{}`", read.path)) {
            if !paths.contains(&path) && paths.len() < 4 {
                paths.push(path);
            }
        }
        paths.join(", ")
    };
    let conditions = object.around.iter().filter(|around| !around.is_call);
    let decided = paths(&mut conditions.flat_map(|around| &around.reads));
    let made = because(field).map(|field| paths(&mut field.reads.iter())).unwrap_or_default();
    let notes =
        [("whether the chart makes it depends on", decided), ("the chart makes this value from", made)];
    notes
        .into_iter()
        .filter(|(_, paths)| !paths.is_empty())
        .map(|(words, paths)| format!("{words} {paths}"))
        .collect()
}
