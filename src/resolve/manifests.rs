//! Plain manifests: their paths are evaluated and the files read while the world is at hand.

use super::{InstanceScope, Resolution, ResolvedInstance, Stage, rounds, value};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::fields::Fields;
use crate::load::{PathError, Rule, SYNTHETIC_STACKS};
use crate::source::{Sources, Span};
use crate::value::Node;
use crate::world::World;
use camino::Utf8Path;
use std::sync::Arc;

/// One entry of `manifests`, evaluated, with its objects.
#[derive(Debug)]
pub(crate) struct LoadedManifest {
    pub(crate) name: Arc<str>,
    pub(crate) span: Span,
    /// `path url namespace sha256 delivery git`.
    pub(crate) body: Node,
    /// The objects, by file; none for one by URL.
    pub(crate) objects: Vec<Arc<Vec<Node>>>,
    pub(crate) reference: bool,
}

impl LoadedManifest {
    /// Whether it is named by URL.
    pub(crate) fn is_remote(&self) -> bool {
        self.body.get("url").is_some_and(|url| url.as_str().is_some())
    }
}

pub(super) fn read(resolution: &mut Resolution, world: &dyn World, sources: &Sources, sink: &mut Sink) {
    for index in 0..resolution.instances.len() {
        let mut own = Sink::new();
        let found = of_instance(resolution, index, world, sources, &mut own);
        for finding in own.into_found() {
            let _told = sink.report(resolution.while_in(finding, &resolution.instances[index].name));
        }
        resolution.instances[index].manifests = found;
    }
}

fn of_instance(
    resolution: &Resolution,
    index: usize,
    world: &dyn World,
    sources: &Sources,
    sink: &mut Sink,
) -> Vec<LoadedManifest> {
    let mut found = Vec::new();
    let scope = InstanceScope::new(resolution, index, Stage::Exports, None);
    let instance = &resolution.instances[index];
    for rule in &instance.stack.manifests {
        for variables in rounds(&rule.guard, &scope, sink).unwrap_or_default() {
            if let Ok(Some(body)) = value(&rule.body, &variables.over(&scope), sink) {
                found.extend(one(resolution, instance, world, sources, (rule, body), sink));
            }
        }
    }
    found
}

fn one(
    resolution: &Resolution,
    instance: &ResolvedInstance,
    world: &dyn World,
    sources: &Sources,
    (rule, body): (&Rule, Node),
    sink: &mut Sink,
) -> Result<LoadedManifest, Reported> {
    let synthetic = instance.stack.embedded && SYNTHETIC_STACKS.contains(&instance.stack.name.as_ref());
    let (what, instance) = if synthetic {
        (format!("the instance `{}`", instance.name), instance.span)
    } else {
        (format!("the manifest `{}`", rule.id), instance.span)
    };
    let (reference, path) = {
        let fields = Fields::any(&body, &what, sink)?;
        let deliveries = [("inline", false), ("reference", true)];
        let reference = fields.word("delivery", &deliveries, sink)?.unwrap_or(false);
        let path = fields.text("path", sink)?;
        let url = fields.text("url", sink)?;
        let at = |key: &str| fields.get(key).and_then(|node| node.origin.editable()).unwrap_or(rule.span);
        match (&path, &url) {
            (Some(_), Some(_)) => {
                let finding =
                    Diagnostic::error(codes::INVALID_VALUE, format!("{what} has both `path` and `url`"));
                return Err(sink.report(finding.at(at("url"), "").help("keep one of them")));
            }
            (None, None) => {
                let finding =
                    Diagnostic::error(codes::MISSING_FIELD, format!("{what} has neither `path` nor `url`"));
                let place = if synthetic { instance } else { rule.span };
                return Err(sink.report(finding.at(place, "").help("add one of them")));
            }
            (Some(_), None) if reference => {
                let finding = Diagnostic::error(
                    codes::INVALID_VALUE,
                    format!("{what} is a file and cannot stay a reference"),
                );
                return Err(sink.report(finding.at(at("path"), "").help("take `delivery: reference` out")));
            }
            _ => {}
        }
        (reference, path.map(|path| (path, at("path"))))
    };
    let mut objects = Vec::new();
    if let Some((path, place)) = path {
        let files = resolution.project.manifests();
        objects = match files.objects(world, Utf8Path::new(path.as_ref()), sources, sink) {
            Ok(read) => read?,
            Err(error) => {
                let fact = match error {
                    PathError::Outside => format!("the manifest `{path}` lies outside the project"),
                    PathError::Missing => format!("there is no manifest `{path}`"),
                    PathError::Endless => {
                        format!("the folder `{path}` has no end: a link in it leads back to it")
                    }
                    PathError::Empty => format!("the folder `{path}` holds no manifest"),
                };
                let finding = Diagnostic::error(codes::MISSING_FILE, fact).at(place, "");
                return Err(sink.report(
                    finding.help("paths of manifests start from the project's folder, without `..`"),
                ));
            }
        };
    }
    Ok(LoadedManifest { name: Arc::clone(&rule.id), span: rule.span, body, objects, reference })
}
