//! What waits for later phases: checks that look at objects, and outputs that are no Kubernetes objects.

use super::checks;
use super::instance::each;
use super::program::{Late, UnitObjects};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::Fields;
use crate::model::{HostFile, HostFormat, HostSchema};
use crate::resolve::{Extras, InstanceScope, Resolution, Stage};
use crate::value::{Entry, Map, Node, Origin, Value};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::sync::Arc;

/// A check that could not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The instance.
    pub instance: Arc<str>,
    /// The check's id.
    pub check: Arc<str>,
}

/// Runs the checks that look at objects. `objects` holds every object of the environment with its instance's name.
/// Checks of instances whose charts are not rendered are not run, and returned.
pub fn objects(
    late: &Late,
    objects: &[(Arc<str>, &Node)],
    sink: &mut Sink,
) -> Result<Vec<Skipped>, Reported> {
    let mut own = Sink::new();
    let mut skipped = Vec::new();
    let Some(stacks) = &late.stacks else { return Ok(skipped) };
    let resolution = &stacks.resolution;
    let mut all = None;
    for (index, instance) in resolution.instances.iter().enumerate() {
        let stack = &instance.stack;
        if !stack.checks.iter().any(|check| check.objects) {
            continue;
        }
        if !late.whole.get(index).copied().unwrap_or_default() {
            skipped.extend(stack.checks.iter().filter(|check| check.objects).map(|check| Skipped {
                instance: Arc::clone(&instance.name),
                check: Arc::clone(&check.rule.id),
            }));
            continue;
        }
        let list = |filter: &dyn Fn(&str) -> bool| {
            let items: Vec<Node> =
                objects.iter().filter(|(name, _)| filter(name)).map(|(_, node)| Node::clone(node)).collect();
            Node::new(items, Origin::Compiler)
        };
        let extras = Extras {
            charts: stacks.extras[index].charts.clone(),
            objects: Some(Arc::clone(all.get_or_insert_with(|| Arc::new(list(&|_| true))))),
            mine: Some(list(&|name| name == instance.name.as_ref())),
            units: None,
        };
        let scope = InstanceScope::new(resolution, index, Stage::Objects, Some(&extras));
        let mut part = Sink::new();
        for check in stack.checks.iter().filter(|check| check.objects) {
            checks::run(resolution, index, check, &scope, &extras, &mut part);
        }
        tell(resolution, &instance.name, part, &mut own);
    }
    let found = own.finish(skipped);
    sink.merge(own);
    found
}

/// Writes the files of all stacks, once the units and their order are known.
/// `units` may be left out where [`Late::reads_units`] says that nobody reads them.
pub fn files(late: &Late, units: Option<&[UnitObjects]>, sink: &mut Sink) -> Result<Vec<HostFile>, Reported> {
    let mut own = Sink::new();
    let mut found: Vec<HostFile> = Vec::new();
    let Some(stacks) = &late.stacks else { return Ok(found) };
    let resolution = &stacks.resolution;
    let all = units.map(|units| Arc::new(unit_scope(units)));
    for (index, instance) in resolution.instances.iter().enumerate() {
        let stack = &instance.stack;
        if stack.files.is_empty() {
            continue;
        }
        let extras =
            Extras { charts: stacks.extras[index].charts.clone(), units: all.clone(), ..Extras::default() };
        let scope = InstanceScope::new(resolution, index, Stage::Files, Some(&extras));
        let mut part = Sink::new();
        for rule in &stack.files {
            each(rule, &scope, &mut part, |body, sink| {
                let file = file(&body, &instance.name, rule.span, sink)?;
                if let Some(first) = found.iter().find(|known| known.path == file.path) {
                    let fact = format!("two files are written to `{}`", file.path);
                    return Err(sink.report(
                        Diagnostic::error(codes::DUPLICATE_NAME, fact)
                            .at(file.span, format!("by `{}`", file.instance))
                            .related(first.span, format!("by `{}`", first.instance))
                            .help("give one of them another path"),
                    ));
                }
                found.push(file);
                Ok(())
            });
        }
        tell(resolution, &instance.name, part, &mut own);
    }
    resolution.drain_findings(&mut own);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let found = own.finish(found);
    sink.merge(own);
    found
}

fn tell(resolution: &Resolution, instance: &str, part: Sink, sink: &mut Sink) {
    for mut finding in part.into_found() {
        finding.environment = Some(resolution.environment.name.to_string());
        let _told = sink.report(resolution.while_in(finding, instance));
    }
}

fn unit_scope(units: &[UnitObjects]) -> Node {
    let entry = |node: Node| Entry { key: Origin::Compiler, node };
    let items: Vec<Node> = units
        .iter()
        .map(|unit| {
            let objects: Vec<Node> = unit.objects.iter().map(|object| Node::clone(object)).collect();
            let mut map = Map::new();
            let _none = map.insert("name".into(), entry(Node::new(Arc::clone(&unit.name), Origin::Compiler)));
            let level = i64::try_from(unit.level).unwrap_or(i64::MAX);
            let _none = map.insert("level".into(), entry(Node::new(level, Origin::Compiler)));
            let _none = map.insert("objects".into(), entry(Node::new(objects, Origin::Compiler)));
            Node::new(map, Origin::Compiler)
        })
        .collect();
    Node::new(items, Origin::Compiler)
}

fn file(
    body: &Node,
    instance: &Arc<str>,
    span: crate::source::Span,
    sink: &mut Sink,
) -> Result<HostFile, Reported> {
    let fields = Fields::any(body, "a file", sink)?;
    let formats =
        [("text", HostFormat::Text), ("yaml", HostFormat::Yaml), ("cloud-config", HostFormat::CloudConfig)];
    let text = fields.required_text("path", sink)?;
    let path = Utf8Path::new(text.as_ref());
    let below = |part: Utf8Component<'_>| matches!(part, Utf8Component::Normal(_));
    if !path.components().all(below) || text.contains('\\') || text.ends_with('/') {
        let place = fields.get("path").and_then(|node| node.origin.editable());
        let finding = Diagnostic::error(codes::INVALID_VALUE, format!("`{text}` is no path of a file"));
        return Err(sink.report(finding.at(place, "").help("write a relative path without `..`")));
    }
    let format = fields.word("format", &formats, sink)?.unwrap_or(HostFormat::Yaml);
    let content = fields.required("content", sink)?.clone();
    if format == HostFormat::Text && !matches!(content.value, Value::String(_)) {
        let finding = crate::load::fields::wrong_type(&content, "`content` of a text", "a string");
        return Err(sink.report(finding.help("write `format: yaml` for data")));
    }
    let schemas = [("k3s-server", HostSchema::K3sServer), ("k3s-agent", HostSchema::K3sAgent)];
    let schema = fields.word("schema", &schemas, sink)?;
    let limit = match fields.get("limit") {
        None => None,
        Some(node) => match node.as_int().and_then(|bytes| usize::try_from(bytes).ok()) {
            Some(bytes) => Some(bytes),
            None => {
                return Err(sink.report(crate::load::fields::wrong_type(
                    node,
                    "`limit` of a file",
                    "a number of bytes",
                )));
            }
        },
    };
    let path = Utf8PathBuf::from(path);
    Ok(HostFile { path, format, content, instance: Arc::clone(instance), schema, limit, span })
}
