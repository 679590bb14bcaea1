//! Checks of a stack's author: compile errors by whoever knows the component.

use crate::diag::{Code, Diagnostic, Reported, Sink, codes};
use crate::expr::Scope;
use crate::load::Check;
use crate::load::fields::Fields;
use crate::resolve::{Extras, InstanceScope, Resolution, rounds, value};
use crate::source::Span;
use crate::value::{Origin, OriginKind, Path, Segment};

/// Runs the checks of an instance that look at inputs.
pub(super) fn inputs(
    resolution: &Resolution,
    index: usize,
    scope: &InstanceScope<'_>,
    extras: &Extras,
    sink: &mut Sink,
) {
    for check in resolution.instances[index].stack.checks.iter().filter(|check| !check.objects) {
        run(resolution, index, check, scope, extras, sink);
    }
}

/// Runs one check.
pub(super) fn run(
    resolution: &Resolution,
    index: usize,
    check: &Check,
    scope: &InstanceScope<'_>,
    extras: &Extras,
    sink: &mut Sink,
) {
    let Ok(rounds) = rounds(&check.rule.guard, scope, sink) else { return };
    for variables in rounds {
        let _told = fire(resolution, index, check, &variables.over(scope), extras, sink);
    }
}

fn fire(
    resolution: &Resolution,
    index: usize,
    check: &Check,
    scope: &dyn Scope,
    extras: &Extras,
    sink: &mut Sink,
) -> Result<(), Reported> {
    let Some(body) = value(&check.rule.body, scope, sink)? else { return Ok(()) };
    let what = format!("the check `{}`", check.rule.id);
    let fields = Fields::any(&body, &what, sink)?;
    let message = fields.required_text("message", sink)?;
    let mut finding = Diagnostic {
        severity: check.severity,
        ..Diagnostic::error(Code::of_check(&check.rule.id), message.as_ref())
    };
    let instance = &resolution.instances[index];
    match fields.text("at", sink)? {
        None => finding = finding.at(instance.span, ""),
        Some(text) => {
            let Some(path) = Path::parse(&text).filter(|path| !path.is_empty()) else {
                let wrong =
                    Diagnostic::error(codes::INVALID_VALUE, format!("`at` of {what} is no path: `{text}`"));
                return Err(
                    sink.report(wrong.at(check.rule.span, "").help("write a path such as `inputs.routes`"))
                );
            };
            let place = place(resolution, index, &path, extras);
            finding = finding.at(place.span, place.label);
            for (span, text) in place.related {
                finding = finding.related(span, text);
            }
        }
    }
    if let Some(help) = fields.text("help", sink)? {
        finding = finding.help(help.as_ref());
    }
    let _told = sink.report(finding);
    Ok(())
}

/// Where a finding about a path is shown.
struct Place {
    span: Span,
    label: String,
    related: Vec<(Span, String)>,
}

/// The place of an input in the overlay, or of the nearest key above it that the overlay writes; the instance's key
/// where a default or the stack itself decides.
fn place(resolution: &Resolution, index: usize, path: &Path, extras: &Extras) -> Place {
    let instance = &resolution.instances[index];
    let mut found = Place { span: instance.span, label: String::new(), related: Vec::new() };
    let root = match path.segments().first() {
        Some(Segment::Key(root)) => root.as_ref(),
        _ => return found,
    };
    let rest = Path::from(path.segments()[1..].to_vec());
    let (tree, rest) = match root {
        "inputs" => (Some(&instance.inputs), rest),
        "charts" => (extras.charts.as_ref(), rest),
        "instance" => return found,
        _ => (Some(&instance.inputs), path.clone()),
    };
    let Some(tree) = tree else { return found };
    if let Some(node) = tree.lookup(&rest) {
        if let Some(span) = written(resolution, &node.origin) {
            found.span = span;
        } else if let Some(span) = default(&node.origin) {
            found.label = format!("`{rest}` has its default here");
            found.related.push((span, "the default".to_owned()));
        } else if let Some(span) = node.origin.editable() {
            found.related.push((span, "set here".to_owned()));
        }
    } else {
        found.label = format!("`{rest}` is not set");
        let mut above = rest.clone();
        while above.pop().is_some() {
            let span = tree.lookup(&above).and_then(|node| written(resolution, &node.origin));
            if let Some(span) = span.filter(|_| !above.is_empty()) {
                found.span = span;
                break;
            }
        }
    }
    found
}

/// The place in an overlay that a value comes from.
fn written(resolution: &Resolution, origin: &Origin) -> Option<Span> {
    let span = origin.editable()?;
    resolution.in_overlay(span).then_some(span)
}

/// The place of the default that a value is.
fn default(origin: &Origin) -> Option<Span> {
    match origin {
        Origin::Link(kind) => match kind.as_ref() {
            OriginKind::Default { schema } => Some(*schema),
            OriginKind::Expression { reads, .. } => match reads.as_slice() {
                [read] => default(&read.origin),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}
