//! What keeps a chart from being rendered, at the place in the overlay or stack that leads to it.

use super::Task;
use super::origins::collect_defaults;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::helm::chart::dependencies::missing;
use crate::helm::faults;
use crate::helm::release::{Fault, Prepared};
use crate::source::{FileId, Span};
use crate::value::Node;
use std::collections::BTreeSet;

/// Refuses what Helm would not install: a library, and a chart without the charts that it lists.
pub(super) fn refuse_incomplete(task: &Task<'_>, sink: &mut Sink) -> Result<(), Reported> {
    let name = &task.release.chart.name;
    let absent = missing(task.chart);
    let (fact, help) = if task.chart.metadata.is_library() {
        (format!("`{name}` is a library chart, which makes no objects itself"), "name a chart that uses it")
    } else if !absent.is_empty() {
        let list: Vec<String> = absent.iter().map(|name| format!("`{name}`")).collect();
        let fact = format!("the package of `{name}` lacks charts that it lists: {}", list.join(", "));
        (fact, "run `helm dependency build` on the chart, and package it with its `charts` folder")
    } else {
        return Ok(());
    };
    let at = task.release.chart.version_origin.editable().unwrap_or(task.instance.span);
    Err(sink.report(Diagnostic::error(codes::HELM_CHART, fact).at(at, "this chart").help(help)))
}

/// Reports a fault of the engine: the chart's own words, where the user can change something.
pub(super) fn tell(task: &Task<'_>, fault: &Fault, prepared: Option<&Prepared>, sink: &mut Sink) -> Reported {
    let sources = task.supplied.sources();
    let ours = files_of_user(task);
    let mut found = faults::diagnostics(fault, prepared, Some(&task.release.values), sources);
    if found.is_empty() {
        let text = String::from_utf8_lossy(&fault.helm_text(task.profile)).into_owned();
        found.push(Diagnostic::error(codes::HELM_CHART, text.trim().to_owned()));
    }
    let mut defaults = BTreeSet::new();
    collect_defaults(task.chart, &mut defaults);
    let mut told = None;
    for mut finding in found {
        let place = finding.primary.take();
        let named = finding.related.iter().map(|label| label.span).find(|span| ours.contains(&span.file));
        let at = match (&place, named) {
            (Some(label), _) if ours.contains(&label.span.file) => label.span,
            (_, Some(span)) => span,
            _ => task.instance.span,
        };
        let text = match &place {
            _ if at == task.instance.span => "the chart of this",
            Some(label) if label.span == at => label.text.as_str(),
            _ => "this value",
        };
        let mut finding = finding.at(at, text).trace(format!(
            "while rendering the release `{}` of chart `{}` {}",
            task.release.name,
            task.release.chart.name,
            task.supply.version()
        ));
        if let Some(label) = place.filter(|label| label.span != at) {
            let words = if defaults.contains(&label.span.file) {
                "the chart's default".to_owned()
            } else {
                label.text
            };
            finding = finding.related(label.span, words);
        }
        if finding.helps.is_empty() {
            finding = finding.help(format!(
                "change `values` of the instance `{}`, or take another version of the chart",
                task.instance.name
            ));
        }
        told = Some(sink.report(finding));
    }
    told.unwrap_or_else(|| sink.report(Diagnostic::error(codes::INTERNAL, "a chart failed without a reason")))
}

/// The files that values of the release come from: overlays, stacks, schemas.
fn files_of_user(task: &Task<'_>) -> BTreeSet<FileId> {
    let mut files: BTreeSet<FileId> = [task.instance.span.file, task.release.span.file].into();
    let mut add = |span: Option<Span>| files.extend(span.map(|span| span.file));
    each(&task.release.values, &mut |node| {
        add(node.origin.editable());
        add(node.span());
    });
    files
}

fn each(node: &Node, found: &mut dyn FnMut(&Node)) {
    found(node);
    for entry in node.as_map().into_iter().flatten() {
        each(&entry.1.node, found);
    }
    for item in node.as_list().unwrap_or_default() {
        each(item, found);
    }
}
