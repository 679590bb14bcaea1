//! The answer for programs.

use super::{Reason, ReasonKind, Why, shown};
use crate::source::Sources;
use serde_json::{Value, json as object};

/// The answer as JSON.
pub fn json(why: &Why, sources: &Sources) -> Value {
    let output = why.output.as_ref().map(
        |place| object!({"file": place.file, "line": place.line, "column": place.column, "text": place.text}),
    );
    object!({
        "object": {
            "group": &*why.object.group,
            "kind": &*why.object.kind,
            "namespace": why.object.namespace.as_deref(),
            "name": &*why.object.name,
        },
        "unit": &*why.unit,
        "field": why.field.to_string(),
        "value": why.value.to_json(),
        "output": output,
        "reasons": reasons(&why.reasons, sources),
    })
}

fn reasons(all: &[Reason], sources: &Sources) -> Vec<Value> {
    all.iter().map(|reason| one(reason, sources)).collect()
}

fn one(reason: &Reason, sources: &Sources) -> Value {
    let (kind, detail) = match &reason.kind {
        ReasonKind::Written => ("written", None),
        ReasonKind::Replaced => ("replaced", None),
        ReasonKind::Default => ("default", None),
        ReasonKind::Expression => ("expression", None),
        ReasonKind::Template => ("template", None),
        ReasonKind::Called => ("called", None),
        ReasonKind::Within => ("within", None),
        ReasonKind::Patched => ("patched", None),
        ReasonKind::Unset => ("unset", None),
        ReasonKind::Compiler => ("compiler", None),
        ReasonKind::Input(path) => ("input", Some(path.to_string())),
        ReasonKind::Value(path) => ("value", Some(path.to_string())),
        ReasonKind::Resource(id) => ("resource", Some(id.to_string())),
        ReasonKind::Manifest => ("manifest", None),
        ReasonKind::Release(name) => ("release", Some(name.to_string())),
        ReasonKind::Instance(name) => ("instance", Some(name.to_string())),
        ReasonKind::Rule(rule) => ("rule", Some((*rule).to_owned())),
    };
    let at = reason.at.map(|span| shown(span, sources));
    object!({
        "kind": kind,
        "detail": detail,
        "place": at.as_ref().map(|(place, _)| place),
        "text": at.as_ref().map(|(_, text)| text),
        "because": reasons(&reason.because, sources),
    })
}
