//! Objects before the API server of their environment: every cause that it would refuse them for, at a line that a user can edit.
//!
//! The server is one of the overlay's release, with the definitions that are among the objects. What is said of objects that a server
//! would take is nobody's business here. One fault in several objects is told once.

use super::maker;
use crate::check::plain_text;
use crate::diag::{Code, Diagnostic, Sink, codes, did_you_mean};
use crate::kube::{Cause, CauseKind, Definitions, Layer, Library, Review, Server};
use crate::model::{Gvk, Object, ObjectId, ObjectSource, StackOwner};
use crate::render::Rendering;
use crate::schema::kinds::{self, Minor};
use crate::source::Span;
use crate::value::{Node, Number, Origin, OriginKind, Path, Segment, Value};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most objects that a finding names besides its own.
const MAX_NAMES: usize = 4;

/// Holds every object of an environment against its server.
pub(super) fn check(rendering: &Rendering, library: &Library, sink: &mut Sink) {
    let Some(release) = kinds::minor(&rendering.surroundings().environment.kubernetes) else { return };
    let mut definitions = Definitions::default();
    for placed in rendering.objects() {
        if is_definition(&placed.object.node) {
            definitions.add_from(library, &placed.object.node);
        }
    }
    let server = Server::new(release, definitions);
    let refused: Vec<Reviewed> =
        rendering.objects().par_iter().map(|placed| reviewed(&server, &placed.object)).collect();
    let mut told = Told::default();
    for (placed, review) in rendering.objects().iter().zip(refused) {
        let instance = placed.part.map(|part| rendering.parts()[part].instance.span);
        for cause in review.causes {
            told.add(&placed.object, &cause, instance);
        }
    }
    told.report(sink);
}

/// How many objects of which kinds could not be held against anything, by `apiVersion` and kind.
pub type Unchecked = BTreeMap<(String, String), usize>;

/// Holds objects that belong to no environment against a server that knows the definitions among them, and `more`.
pub fn loose(objects: Vec<Node>, more: &[Node], release: Minor, sink: &mut Sink) -> Unchecked {
    let mut definitions = Definitions::default();
    for node in more.iter().chain(&objects).filter(|node| is_definition(node)) {
        definitions.add(node);
    }
    let server = Server::new(release, definitions);
    let objects: Vec<Object> = objects.into_iter().filter_map(|node| object(node, sink)).collect();
    let all: Vec<Reviewed> = objects.par_iter().map(|object| reviewed(&server, object)).collect();
    let mut told = Told::default();
    let mut unchecked = Unchecked::new();
    for (object, review) in objects.iter().zip(all) {
        for cause in &review.causes {
            told.add(object, cause, None);
        }
        if review.is_known {
            continue;
        }
        // The groups of definitions are domains; those without a dot are Kubernetes' own.
        let group = &*object.gvk.group;
        if !group.contains('.') || kinds::all().any(|known| known.group == group) {
            sink.report(not_served(object, release));
        } else {
            let kind = (object.gvk.api_version(), object.gvk.kind.to_string());
            *unchecked.entry(kind).or_default() += 1;
        }
    }
    told.report(sink);
    unchecked
}

fn is_definition(node: &Node) -> bool {
    node.get("kind").and_then(Node::as_str) == Some("CustomResourceDefinition")
}

/// A document as an object; a document that is none is told.
fn object(node: Node, sink: &mut Sink) -> Option<Object> {
    fn text(node: Option<&Node>) -> Option<&str> {
        node.and_then(Node::as_str).filter(|text| !text.is_empty())
    }
    let (Some(api_version), Some(kind)) = (text(node.get("apiVersion")), text(node.get("kind"))) else {
        let fact = "a document without `apiVersion` and `kind` is no object";
        sink.report(
            Diagnostic::error(codes::INVALID_OBJECT, fact)
                .at(node.span().map(Span::head), "")
                .help("name the files of objects, or their folder"),
        );
        return None;
    };
    let metadata = |key: &str| text(node.at(&["metadata", key]));
    let gvk = Gvk::new(api_version, kind);
    let id = ObjectId {
        group: Arc::clone(&gvk.group),
        kind: Arc::clone(&gvk.kind),
        namespace: metadata("namespace").map(Arc::from),
        name: metadata("name").or(metadata("generateName")).unwrap_or_default().into(),
    };
    let span = node.span()?;
    Some(Object { id, gvk, node, source: ObjectSource::Manifest { span } })
}

/// A kind of Kubernetes' own groups that the release does not have, or no longer has.
fn not_served(object: &Object, release: Minor) -> Diagnostic {
    let gvk = &object.gvk;
    let fact =
        format!("Kubernetes {}.{} serves no `{}` of `{}`", release.0, release.1, gvk.kind, gvk.api_version());
    let at = object.node.get("apiVersion").and_then(Node::span);
    let finding = Diagnostic::error(codes::UNKNOWN_KIND, fact).at(at, "").object(object.id.to_string());
    let served = kinds::all().filter(|known| known.kind == &*gvk.kind).find_map(|known| {
        Some(Gvk {
            group: known.group.into(),
            version: known.versions(release).next()?.into(),
            kind: known.kind.into(),
        })
    });
    match served {
        Some(served) => finding.help(format!("write `apiVersion: {}`", served.api_version())),
        None => match did_you_mean(&gvk.kind, kinds::all().map(|known| known.kind)) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")),
            None => finding,
        },
    }
}

struct Reviewed {
    causes: Vec<Cause>,
    is_known: bool,
}

fn reviewed(server: &Server, object: &Object) -> Reviewed {
    let (mut causes, is_known) = match server.review(&as_written(&object.node)) {
        Review::Known(causes) => (causes, true),
        Review::Unknown(causes) => (causes, false),
    };
    if is_encrypted(&object.node) {
        causes.retain(|cause| !is_of_encryption(&object.node, cause));
    }
    Reviewed { causes, is_known }
}

/// The object as its text reads back: a number such as `2.0`, which an expression may have made, is written as `2`.
fn as_written(node: &Node) -> Cow<'_, Node> {
    fn whole(number: f64) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and far below 2^53")]
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    }
    fn holds_whole(node: &Node) -> bool {
        match &node.value {
            Value::Number(Number::Float(number)) => whole(*number).is_some(),
            Value::List(items) => items.iter().any(holds_whole),
            Value::Map(map) => map.values().any(|entry| holds_whole(&entry.node)),
            _ => false,
        }
    }
    fn mend(node: &mut Node) {
        match &mut node.value {
            Value::Number(number) => {
                if let Number::Float(float) = number
                    && let Some(whole) = whole(*float)
                {
                    *number = Number::Int(whole);
                }
            }
            Value::List(items) => items.iter_mut().for_each(mend),
            Value::Map(map) => map.values_mut().for_each(|entry| mend(&mut entry.node)),
            _ => {}
        }
    }
    if !holds_whole(node) {
        return Cow::Borrowed(node);
    }
    let mut node = node.clone();
    mend(&mut node);
    Cow::Owned(node)
}

/// Whether SOPS encrypted the object in its place: what decrypts it takes its own mark away.
fn is_encrypted(node: &Node) -> bool {
    node.at(&["sops", "mac"]).is_some()
}

/// Whether a cause is about what encryption put there: its mark, or a value that is another one once decrypted.
fn is_of_encryption(node: &Node, cause: &Cause) -> bool {
    let is_mark = matches!(cause.path.segments().first(), Some(Segment::Key(key)) if &**key == "sops");
    let is_cipher = |node: &Node| node.as_str().is_some_and(|text| text.starts_with("ENC["));
    is_mark || node.lookup(&cause.path).is_some_and(is_cipher)
}

/// Findings in the order in which they were made, those of one place and fact together.
#[derive(Default)]
struct Told {
    found: Vec<(Diagnostic, Vec<String>)>,
    known: BTreeMap<(Option<Span>, String), usize>,
}

impl Told {
    fn add(&mut self, object: &Object, cause: &Cause, instance: Option<Span>) {
        let spot = spot(&object.node, cause);
        // What a stack of the library says by itself nobody can edit.
        let at = spot.place.filter(|_| !is_of_library(object, spot.node, spot.place)).or(instance);
        let fact = format!("{:?} {} {}", cause.kind, cause.path, cause.message);
        let index = *self.known.entry((at, fact)).or_insert(self.found.len());
        if let Some((first, others)) = self.found.get_mut(index) {
            let id = object.id.to_string();
            if first.object.as_ref() != Some(&id) && !others.contains(&id) {
                others.push(id);
            }
        } else {
            let places = Places { at, spot, instance };
            self.found.push((finding(object, cause, &places), Vec::new()));
        }
    }

    fn report(self, sink: &mut Sink) {
        for (mut finding, others) in self.found {
            if !others.is_empty() {
                let more = others.len().saturating_sub(MAX_NAMES);
                let mut names = others.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
                if more > 0 {
                    names += &format!(" and {more} more");
                }
                finding = finding.note(format!("it is the same in {names}"));
            }
            sink.report(finding);
        }
    }
}

fn code(cause: &Cause) -> Code {
    match (cause.layer, cause.kind) {
        (_, CauseKind::Unknown) => codes::UNKNOWN_FIELD,
        (_, CauseKind::Type) => codes::WRONG_TYPE,
        (_, CauseKind::Required) => codes::MISSING_FIELD,
        (Layer::Meta, _) => codes::INVALID_NAME,
        (Layer::CustomRule, _) => codes::RULE_VIOLATED,
        _ => codes::INVALID_FIELD,
    }
}

/// Where a finding points.
struct Places<'a> {
    at: Option<Span>,
    spot: Spot<'a>,
    instance: Option<Span>,
}

fn finding(object: &Object, cause: &Cause, places: &Places<'_>) -> Diagnostic {
    let Places { at, spot, instance } = places;
    let fact = match (cause.kind, cause.path.is_empty()) {
        (CauseKind::Unknown, _) => format!("unknown field `{}` in {}", cause.path, object.id),
        (_, true) => format!("{}: {}", object.id, cause.message),
        (_, false) => format!("`{}` of {}: {}", cause.path, object.id, cause.message),
    };
    let mut finding = Diagnostic::error(code(cause), fact).at(*at, "").object(object.id.to_string());
    let line = template(spot.node).filter(|line| Some(*line) != *at);
    finding = finding.related(line, "the chart writes it here");
    if line.is_none() && spot.place != *at {
        let words = if is_default(&spot.node.origin) {
            "the default of an input"
        } else {
            "the stack writes it here"
        };
        finding = finding.related(spot.place, words);
    } else if line.is_none() {
        let made = maker(object).filter(|made| at.is_none_or(|at| at.file != made.file));
        finding = finding.related(made, "the object is made here");
    }
    if !is_own(object) && instance != at {
        finding = finding.related(*instance, "for this instance");
    }
    for note in plain_text::reads_of(&object.node.origin, spot.node) {
        finding = finding.note(note);
    }
    if !is_own(object)
        && let Some(inputs) = inputs(spot.node)
    {
        finding = finding.note(format!("the stack makes this value from {inputs}"));
    }
    // How to write a value is no help with what a chart writes.
    if let Some(help) = cause.help.as_ref().filter(|_| is_own(object) || cause.kind != CauseKind::Type) {
        finding = finding.help(help.clone());
    }
    match patch(object, cause) {
        Some(help) => finding.help(help),
        None if cause.help.is_none() && cause.layer == Layer::Meta && cause.kind == CauseKind::Invalid => {
            finding.help("Kubernetes would refuse the object: shorten or respell it")
        }
        None => finding,
    }
}

/// Whether a place is in a stack of the library, or is the default of one of its inputs.
fn is_of_library(object: &Object, node: &Node, place: Option<Span>) -> bool {
    let ObjectSource::Resource { span, stack: StackOwner::Library, .. } = &object.source else {
        return false;
    };
    let of_defaults = match &node.origin {
        Origin::Link(kind) if let OriginKind::Expression { reads, .. } = kind.as_ref() => {
            reads.iter().all(|read| is_default(&read.origin))
        }
        origin => is_default(origin),
    };
    of_defaults || place.is_some_and(|place| place.file == span.file)
}

fn is_default(origin: &Origin) -> bool {
    matches!(origin, Origin::Link(kind) if matches!(kind.as_ref(), OriginKind::Default { .. }))
}

/// What an expression of a stack reads to make a value.
fn inputs(node: &Node) -> Option<String> {
    let Origin::Link(kind) = &node.origin else { return None };
    let OriginKind::Expression { reads, .. } = kind.as_ref() else { return None };
    let paths: Vec<String> = reads.iter().take(MAX_NAMES).map(|read| format!("`{}`", read.path)).collect();
    (!paths.is_empty()).then(|| paths.join(", "))
}

/// Whether the object stands in a document of the project.
fn is_own(object: &Object) -> bool {
    match &object.source {
        ObjectSource::Resource { stack, .. } => *stack == StackOwner::Project,
        ObjectSource::Manifest { .. } => true,
        ObjectSource::Chart { .. } | ObjectSource::Compiler { .. } => false,
    }
}

/// The patch that reaches what the user cannot edit.
fn patch(object: &Object, cause: &Cause) -> Option<String> {
    if is_own(object) {
        return None;
    }
    let mut pointer = String::new();
    for name in cause.path.names() {
        pointer += "/";
        pointer += &name.replace('~', "~0").replace('/', "~1");
    }
    let namespace =
        object.id.namespace.as_ref().map(|namespace| format!("namespace: {namespace}, ")).unwrap_or_default();
    let change = match (cause.kind, object.node.lookup(&cause.path)) {
        (CauseKind::Unknown, _) => format!("`{{op: remove, path: {pointer}}}`"),
        (_, Some(_)) if !cause.path.is_empty() => format!("`{{op: replace, path: {pointer}, value: ...}}`"),
        (_, None) if !cause.path.is_empty() => format!("`{{op: add, path: {pointer}, value: ...}}`"),
        _ => "what has to change".to_owned(),
    };
    let values = match object.source {
        ObjectSource::Chart { .. } => "change the values of the chart, or ",
        _ => "change the inputs of the instance, or ",
    };
    Some(format!(
        "{values}patch it in the overlay: `target: {{kind: {}, {namespace}name: {}}}`, `patch:` with {change}",
        object.id.kind, object.id.name
    ))
}

/// What a cause is about: the value, or what is nearest above it, and the place of it that a user would edit.
struct Spot<'a> {
    node: &'a Node,
    place: Option<Span>,
}

/// The place is that of the value, or of its key where it is no scalar or should not be there.
fn spot<'a>(object: &'a Node, cause: &Cause) -> Spot<'a> {
    let key = |path: &Path| object.key_at(path).and_then(Origin::editable);
    let mut path = cause.path.clone();
    if let Some(node) = object.lookup(&path) {
        if let Some(spot) = member(node, &cause.message) {
            return spot;
        }
        let own = node.origin.editable();
        let is_scalar = !matches!(node.value, Value::Map(_) | Value::List(_));
        let place = if is_scalar && cause.kind != CauseKind::Unknown {
            own.or_else(|| key(&path))
        } else {
            key(&path).or(own)
        };
        return Spot { node, place };
    }
    while path.pop().is_some() {
        if let Some(node) = object.lookup(&path) {
            return Spot { node, place: key(&path).or_else(|| node.origin.editable().map(Span::head)) };
        }
    }
    Spot { node: object, place: None }
}

/// The member of a map that a fact names: a server names the map only. A key that the fact begins with is at fault itself.
fn member<'a>(node: &'a Node, fact: &str) -> Option<Spot<'a>> {
    let map = node.as_map()?;
    let first = fact.strip_prefix('`').and_then(|rest| rest.split('`').next());
    let named = fact.split('`').skip(1).step_by(2).find_map(|name| map.get(name).map(|entry| (name, entry)));
    if let Some((name, entry)) = named {
        let origin = if first == Some(name) { &entry.key } else { &entry.node.origin };
        return Some(Spot { node: &entry.node, place: origin.editable() });
    }
    let value = map.values().find(|entry| first.is_some() && entry.node.as_str() == first)?;
    Some(Spot { node: &value.node, place: value.node.origin.editable() })
}

/// The line of a template that made a value.
fn template(node: &Node) -> Option<Span> {
    let mut origin = &node.origin;
    loop {
        if let Origin::Link(kind) = origin
            && let OriginKind::Template { at, .. } = kind.as_ref()
        {
            return Some(*at);
        }
        origin = origin.was()?;
    }
}
