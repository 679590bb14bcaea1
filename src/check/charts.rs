//! Charts of an instance: which package, where, with which values. The user's `values` are merged last.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::{self, Fields};
use crate::load::{chart_source, named_source};
use crate::model::{ChartRef, ChartSource, Release};
use crate::resolve::{InstanceScope, Resolution, ResolvedInstance, merge, rounds, value};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, Value};
use std::sync::Arc;

/// Helm's own limit for the name of a release.
const LONGEST_RELEASE: usize = 53;

/// The releases of an instance, and what `charts` means in its other parts.
pub(super) fn releases(
    resolution: &Resolution,
    index: usize,
    scope: &InstanceScope<'_>,
    sink: &mut Sink,
) -> Result<(Vec<Release>, Node), Reported> {
    let instance = &resolution.instances[index];
    let mut found: Vec<Release> = Vec::new();
    let mut failed = None;
    for rule in &instance.stack.charts {
        let rounds = match rounds(&rule.guard, scope, sink) {
            Ok(rounds) => rounds,
            Err(told) => {
                failed = Some(told);
                continue;
            }
        };
        for variables in rounds {
            let body = match value(&rule.body, &variables.over(scope), sink) {
                Ok(Some(body)) => body,
                Ok(None) => continue,
                Err(told) => {
                    failed = Some(told);
                    continue;
                }
            };
            match release(resolution, instance, &body, rule.span, sink) {
                Ok(release) => found.push(release),
                Err(told) => failed = Some(told),
            }
        }
    }
    for (name, over) in &instance.releases {
        if !name.is_empty() && failed.is_none() && !found.iter().any(|release| release.name == *name) {
            let fact = format!("the instance `{}` has no chart with the release `{name}`", instance.name);
            let finding = Diagnostic::error(codes::UNKNOWN_KEY, fact).at(over.span, "not known here");
            let names = found.iter().map(|release| release.name.as_ref());
            failed = Some(sink.report(fields::suggest(finding, name, names, "its releases are")));
        }
    }
    if let Some(told) = failed {
        return Err(told);
    }
    let mut charts = Map::new();
    for release in &found {
        let mut map = Map::new();
        let mut put = |key: &str, node: Node| {
            let _none = map.insert(key.into(), Entry { key: node.origin.clone(), node });
        };
        let origin = Origin::Written(release.span);
        put("version", Node::new(Arc::clone(&release.chart.version), release.chart.version_origin.clone()));
        put("namespace", Node::new(Arc::clone(&release.namespace), origin.clone()));
        put("values", release.values.clone());
        let node = Node::new(map, origin.clone());
        let _same = charts.insert(Arc::clone(&release.name), Entry { key: origin, node });
    }
    Ok((found, Node::new(charts, Origin::Written(instance.span))))
}

fn release(
    resolution: &Resolution,
    instance: &ResolvedInstance,
    body: &Node,
    span: Span,
    sink: &mut Sink,
) -> Result<Release, Reported> {
    let fields = Fields::any(body, "a chart", sink)?;
    let name = fields.required_text("release", sink)?;
    if !fields::is_label(&name, LONGEST_RELEASE) {
        let place = fields.get("release").and_then(|node| node.origin.editable());
        return Err(sink.report(fields::invalid_label(&name, "a release", LONGEST_RELEASE, place)));
    }
    let namespace = match (fields.get("namespace"), &instance.namespace) {
        (Some(node), _) | (None, Some(node)) => fields::text(node, "`namespace` of a chart", sink)?,
        (None, None) => {
            let fact = format!("the release `{name}` has no namespace");
            return Err(sink.report(
                Diagnostic::error(codes::MISSING_NAMESPACE, fact)
                    .at(instance.span, "")
                    .related(span, "the chart")
                    .help(format!("add `namespace: ...` to the instance `{}`", instance.name)),
            ));
        }
    };
    let over = instance.releases.get(&name).or_else(|| instance.releases.get(""));
    let chart = chart(resolution, &fields, over.and_then(|over| over.version.as_ref()), instance, sink)?;
    let mut values = match fields.get("values") {
        None => Node::new(Map::new(), Origin::Written(span)),
        Some(node @ Node { value: Value::Map(_), .. }) => node.clone(),
        Some(node) => return Err(sink.report(fields::wrong_type(node, "`values` of a chart", "a map"))),
    };
    if let Some(own) = over.and_then(|over| over.values.as_ref()) {
        merge::values(&mut values, own);
    }
    Ok(Release {
        name,
        namespace,
        chart,
        values,
        delivery: instance.delivery.unwrap_or(resolution.deliver.charts),
        helm: Arc::clone(&instance.helm),
        bootstrap: fields.flag("bootstrap", sink)?,
        skip_crds: fields.flag("skipCrds", sink)?,
        span,
    })
}

fn chart(
    resolution: &Resolution,
    fields: &Fields<'_>,
    version: Option<&Node>,
    instance: &ResolvedInstance,
    sink: &mut Sink,
) -> Result<ChartRef, Reported> {
    let node = fields.required("chart", sink)?;
    let parts = Fields::open(node, "`chart`", &["source", "name", "version"], sink)?;
    let source_node = parts.required("source", sink)?;
    let source = match &source_node.value {
        Value::String(name) => {
            let sources = &resolution.project.file().sources;
            named_source(sources, name).ok_or_else(|| {
                let finding =
                    Diagnostic::error(codes::UNKNOWN_SOURCE, format!("there is no chart source `{name}`"))
                        .at(source_node.origin.editable(), "not known");
                let finding = match crate::diag::did_you_mean(name, sources.keys().map(AsRef::as_ref)) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding,
                };
                sink.report(
                    finding.help(format!("add `{name}: {{url: ...}}` under `sources` in `stackc.yaml`")),
                )
            })?
        }
        _ => ChartSource::unnamed(&instance.name, chart_source(source_node, sink)?),
    };
    let version = match version {
        Some(node) => node,
        None => parts.required("version", sink)?,
    };
    let text = fields::text(version, "`version` of a chart", sink)?;
    if text.is_empty() {
        let finding = Diagnostic::error(codes::INVALID_VALUE, "the version of a chart is empty");
        return Err(sink.report(finding.at(version.origin.editable(), "").help("name a version")));
    }
    Ok(ChartRef {
        source,
        name: parts.required_text("name", sink)?,
        version: text,
        version_origin: version.origin.clone(),
    })
}
