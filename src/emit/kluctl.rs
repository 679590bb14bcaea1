//! The kluctl project of an environment: `.kluctl.yaml`, `.templateignore`, `deployment.yaml`.
//!
//! kluctl has no graph of items, so each level of units runs in parallel and a barrier ends it. Its templates are
//! switched off for every file but these two, which therefore never hold a `{{`, `{%` or `{#`.

use super::document::{self, Fields, list, value};
use super::slashed;
use super::units::Folders;
use crate::diag::{Diagnostic, Sink, codes};
use crate::order::{Health, Sequence, Unit};
use crate::value::Node;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn write(
    sequence: &Sequence,
    _folders: &[Folders],
    files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
    sink: &mut Sink,
) {
    let surroundings = sequence.surroundings();
    let Some(kluctl) = &surroundings.deliver.kluctl else { return };
    let environment = &surroundings.environment;
    for (what, text) in [("discriminator", Some(&kluctl.discriminator)), ("context", kluctl.context.as_ref())]
    {
        let Some(text) = text else { continue };
        if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
            sink.report(
                Diagnostic::error(
                    codes::UNDELIVERABLE,
                    format!("the {what} `{text}` would be a template to kluctl"),
                )
                .at(environment.span, "of this environment")
                .help(format!("choose another `deliver.kluctl.{what}`")),
            );
        }
    }
    let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let discriminator = &*kluctl.discriminator;
    if discriminator.len() > 63
        || !discriminator.chars().all(label)
        || !edge(discriminator.chars().next())
        || !edge(discriminator.chars().last())
    {
        sink.report(
            Diagnostic::error(
                codes::INVALID_NAME,
                format!("the discriminator `{discriminator}` is no value of a label"),
            )
            .at(environment.span, "of this environment")
            .help("at most 63 letters, digits, `-`, `_` and `.`: kluctl puts it on every object as a label"),
        );
    }
    let folder = Utf8PathBuf::from(format!("envs/{}", environment.name));
    let target = Fields::new()
        .with("name", Arc::clone(&environment.name))
        .with_some("context", kluctl.context.clone())
        .node();
    let project = Fields::new()
        .with("discriminator", Arc::clone(&kluctl.discriminator))
        .with_node("targets", list([target]))
        .node();
    files.insert(slashed(&folder, ".kluctl.yaml"), document::print(&project, sink));
    files.insert(slashed(&folder, ".templateignore"), b"*\n".to_vec());
    let deployment = Fields::new().with_node("deployments", list(items(sequence))).node();
    files.insert(slashed(&folder, "deployment.yaml"), document::print(&deployment, sink));
}

fn items(sequence: &Sequence) -> Vec<Node> {
    let units: Vec<&Unit> = sequence.units().iter().filter(|unit| !unit.flux_only()).collect();
    let last = units.last().map_or(0, |unit| unit.level);
    let mut items = Vec::new();
    for level in 0..=last {
        let of_level: Vec<&Unit> = units.iter().copied().filter(|unit| unit.level == level).collect();
        if of_level.is_empty() {
            continue;
        }
        items.extend(of_level.iter().map(|unit| item(sequence, unit)));
        let later = of_level.iter().flat_map(|unit| made_later(unit)).collect::<Vec<_>>();
        if level < last || !later.is_empty() {
            let barrier = Fields::new().with("barrier", true).with("message", format!("level {level}"));
            let barrier = if later.is_empty() {
                barrier
            } else {
                barrier.with_node("waitReadinessObjects", list(later))
            };
            items.push(barrier.node());
        }
    }
    items
}

fn item(sequence: &Sequence, unit: &Unit) -> Node {
    let part = unit.part.map(|part| &sequence.parts()[part]);
    let mut tags = vec![Arc::clone(&unit.name)];
    for tag in part.into_iter().flat_map(|part| [&part.instance.stack, &part.instance.name]) {
        if !tags.contains(tag) {
            tags.push(Arc::clone(tag));
        }
    }
    let fields = Fields::new().with("path", Arc::clone(&unit.name));
    let fields = if unit.health == Health::None { fields } else { fields.with("waitReadiness", true) };
    fields.with_node("tags", list(tags.into_iter().map(value))).node()
}

/// Objects that an operator makes once it runs, for the barrier behind its unit.
fn made_later(unit: &Unit) -> Vec<Node> {
    let Health::Listed { checks, .. } = &unit.health else { return Vec::new() };
    checks
        .iter()
        .filter(|check| check.made_later)
        .map(|check| {
            let group = check.api_version.split_once('/').map_or("", |(group, _)| group);
            Fields::new()
                .with("group", group)
                .with("kind", Arc::clone(&check.kind))
                .with("name", Arc::clone(&check.name))
                .with_some("namespace", check.namespace.clone())
                .node()
        })
        .collect()
}
