//! Where one field of the output comes from: its line in the tree, what made it, and every value behind that.
//!
//! Everything is read from a compiled environment: the origins that the phases kept are the answer. Refused are
//! objects and fields that the environment does not have, with the nearest that it has.

mod data;
mod find;
mod text;

pub use data::json;
pub use text::text;

use crate::diag::Diagnostic;
use crate::emit::Tree;
use crate::model::{ObjectId, ObjectSource};
use crate::order::Sequence;
use crate::render::Placed;
use crate::source::{Sources, Span};
use crate::value::{Around, Because, Node, Origin, OriginKind, Path, Read};
use std::sync::Arc;

/// A field of an object and all that led to it.
#[derive(Clone, Debug)]
pub struct Why {
    /// The object.
    pub object: ObjectId,
    /// The unit that it is applied with.
    pub unit: Arc<str>,
    /// The field.
    pub field: Path,
    /// Its value.
    pub value: Node,
    /// Where it stands in the tree.
    pub output: Option<Place>,
    /// What made it, the newest first.
    pub reasons: Vec<Reason>,
}

/// A line of a file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, from the project's folder.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The text of that line.
    pub text: String,
}

/// A step on the way to a value, and what led to that step.
#[derive(Clone, Debug)]
pub struct Reason {
    /// What happened.
    pub kind: ReasonKind,
    /// Where.
    pub at: Option<Span>,
    /// The steps before it.
    pub because: Vec<Reason>,
}

/// What happened on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// It is written there.
    Written,
    /// It is written there, and something else took its place.
    Replaced,
    /// It is the default of a schema or of a chart.
    Default,
    /// An expression of a stack made it.
    Expression,
    /// That read this path of the inputs, or of what capabilities export.
    Input(Path),
    /// A template of a chart made it.
    Template,
    /// That was called from there.
    Called,
    /// It stands in this condition or loop.
    Within,
    /// That read this value of the chart.
    Value(Path),
    /// It belongs to this resource of the stack.
    Resource(Arc<str>),
    /// It belongs to a plain manifest.
    Manifest,
    /// It belongs to this release of a chart of the stack.
    Release(Arc<str>),
    /// The object belongs to this instance.
    Instance(Arc<str>),
    /// A patch changed it.
    Patched,
    /// A rule of the compiler set it.
    Rule(&'static str),
    /// Nobody set it.
    Unset,
    /// The compiler made it.
    Compiler,
}

/// Finds a field by the object's and its own name, and what led to it.
pub fn why(sequence: &Sequence, tree: &Tree, object: &str, field: &str) -> Result<Why, Box<Diagnostic>> {
    let found = find::object(sequence, object)?;
    let placed = &sequence.objects()[found];
    let object = &placed.object;
    let (path, node) = find::field(object, field)?;
    let unit = sequence.units().iter().find(|unit| unit.objects.contains(&found));
    Ok(Why {
        object: object.id.clone(),
        unit: unit.map_or_else(|| Arc::from(""), |unit| Arc::clone(&unit.name)),
        output: find::place(tree, &object.id, &path),
        value: node.clone(),
        reasons: all(placed, node, sequence),
        field: path,
    })
}

/// The steps of a field: what the stack has for it, its own steps, and the instance in the overlay.
fn all(placed: &Placed, node: &Node, sequence: &Sequence) -> Vec<Reason> {
    let step = |kind, at| Reason { kind, at, because: Vec::new() };
    let own = reasons(&node.origin, ReasonKind::Written);
    let (before, after) = match &placed.object.source {
        ObjectSource::Resource { id, span, .. } => {
            (Some(step(ReasonKind::Resource(Arc::clone(id)), Some(*span))), None)
        }
        ObjectSource::Manifest { span } => (Some(step(ReasonKind::Manifest, Some(*span))), None),
        ObjectSource::Chart { release, span, .. } => {
            (None, Some(step(ReasonKind::Release(Arc::clone(release)), Some(*span))))
        }
        ObjectSource::Compiler { reason } => (Some(step(ReasonKind::Rule(reason), None)), None),
    };
    let part = placed.part.map(|part| &sequence.parts()[part]);
    let instance = part
        .map(|part| step(ReasonKind::Instance(Arc::clone(&part.instance.name)), Some(part.instance.span)));
    before.into_iter().chain(own).chain(after).chain(instance).collect()
}

/// The steps of an origin, newest first; `plain` is what a place means that is just written down.
fn reasons(origin: &Origin, plain: ReasonKind) -> Vec<Reason> {
    let step = |kind, at, because| Reason { kind, at, because };
    let kind = match origin {
        Origin::Compiler => return vec![step(ReasonKind::Compiler, None, Vec::new())],
        Origin::Written(span) => return vec![step(plain, Some(*span), Vec::new())],
        Origin::Link(kind) => kind,
    };
    let (mut steps, was) = match kind.as_ref() {
        OriginKind::Default { schema } => (vec![step(ReasonKind::Default, Some(*schema), Vec::new())], None),
        OriginKind::Overrides { by, was } => {
            (vec![step(plain, Some(*by), Vec::new())], Some((was, ReasonKind::Replaced)))
        }
        OriginKind::Patched { by, was } => {
            (vec![step(ReasonKind::Patched, Some(*by), Vec::new())], Some((was, ReasonKind::Replaced)))
        }
        OriginKind::Rule { rule, was } => {
            (vec![step(ReasonKind::Rule(rule), None, Vec::new())], Some((was, plain)))
        }
        OriginKind::Expression { at, reads } => {
            (vec![step(ReasonKind::Expression, Some(*at), inputs(reads))], None)
        }
        OriginKind::Template { at, because } => {
            (vec![step(ReasonKind::Template, Some(*at), template(because))], None)
        }
    };
    if let Some((was, plain)) = was.filter(|(was, _)| !matches!(was, Origin::Compiler)) {
        steps.extend(reasons(was, plain));
    }
    steps
}

fn inputs(reads: &[Read]) -> Vec<Reason> {
    let input = |read: &Read| Reason {
        kind: ReasonKind::Input(read.path.clone()),
        at: None,
        because: reasons(&read.origin, ReasonKind::Written),
    };
    reads.iter().map(input).collect()
}

/// What led to a template: calls and conditions, then the values.
fn template(because: &Because) -> Vec<Reason> {
    let around = |around: &Around| Reason {
        kind: if around.is_call { ReasonKind::Called } else { ReasonKind::Within },
        at: Some(around.at),
        because: values(&around.reads),
    };
    let mut steps: Vec<Reason> = because.around.iter().map(around).collect();
    steps.extend(values(&because.reads));
    steps
}

fn values(reads: &[Read]) -> Vec<Reason> {
    let value = |read: &Read| {
        let because = match &read.origin {
            Origin::Compiler => vec![Reason { kind: ReasonKind::Unset, at: None, because: Vec::new() }],
            origin => reasons(origin, ReasonKind::Written),
        };
        Reason { kind: ReasonKind::Value(read.path.clone()), at: None, because }
    };
    reads.iter().map(value).collect()
}

/// A place and the first line of what stands there.
fn shown(span: Span, sources: &Sources) -> (String, String) {
    let snippet = sources.snippet(span);
    let first = snippet.lines().next().unwrap_or("").trim();
    let mut cut: String = first.chars().take(72).collect();
    if cut.len() < first.len() || snippet.trim_end().contains('\n') {
        cut.push_str(" ...");
    }
    (sources.place(span), cut)
}
