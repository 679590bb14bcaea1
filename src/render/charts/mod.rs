//! Charts as objects: each release rendered in process, its hooks compiled away, every field with its origin.
//!
//! A release sees what the environment says of itself and nothing of the machine: the overlay's Kubernetes, the custom
//! kinds that the environment knows, a clock that stands still. Refused are charts whose output depends on more than
//! that, hooks that a tree cannot carry, and values that a chart does not take.

mod cluster;
mod faults;
mod hooks;
mod origins;
mod random;
mod unread;
mod values;

pub(super) use cluster::Cluster;

use crate::check;
use crate::diag::{Reported, Sink};
use crate::helm::chart::{Chart, ChartFile};
use crate::helm::context::ReleaseInfo;
use crate::helm::engine::{Options, TrackerRef};
use crate::helm::output::Manifest;
use crate::helm::profile::{HELM_4_2, Profile};
use crate::helm::release::{self as engine, Output, Prepared, Rendered, Request};
use crate::helm::stack;
use crate::helm::value::Tracker;
use crate::helm::values::Table;
use crate::model::{Instance, Object, ObjectSource, Release, Stage, flatten};
use crate::package::supply::{Package, Supplied, Supply};
use crate::value::{Because, Node, Origin, OriginKind};
use crate::yaml;
use hooks::{Early, Fate, Runs};
use origins::Tracer;
use std::sync::Arc;

/// One release to be rendered, and where it stands.
struct Task<'a> {
    release: &'a Release,
    instance: &'a Instance,
    supply: &'a Supply,
    chart: &'a Arc<Chart>,
    profile: &'static Profile,
    supplied: &'a Supplied<'a>,
}

/// The package of a release, loaded for its profile.
fn chart_of<'s>(
    release: &Release,
    supplied: &'s Supplied<'_>,
    sink: &mut Sink,
) -> Result<(&'s Arc<Supply>, Arc<Chart>, &'static Profile), Reported> {
    let profile = Profile::named(&release.helm).unwrap_or(&HELM_4_2);
    let at = release.chart.version_origin.editable().unwrap_or(release.span);
    let (supply, chart) = supplied.chart(&Package::of_chart(&release.chart), profile, at, sink)?;
    Ok((supply, chart, profile))
}

/// The objects of a release.
pub(super) fn objects(
    release: &Release,
    instance: &Instance,
    cluster: &Cluster,
    supplied: &Supplied<'_>,
    sink: &mut Sink,
) -> Result<Vec<Object>, Reported> {
    let (supply, chart, profile) = chart_of(release, supplied, sink)?;
    let task = Task { release, instance, supply, chart: &chart, profile, supplied };
    let mut own = Sink::new();
    let done = stack::on_large_stack(|| {
        let found = task.render(cluster, &mut own);
        own.finish(()).and(found)
    });
    sink.merge(own);
    done
}

impl Task<'_> {
    fn render(&self, cluster: &Cluster, sink: &mut Sink) -> Result<Vec<Object>, Reported> {
        faults::refuse_incomplete(self, sink)?;
        let values = values::table(&self.release.values);
        let info = ReleaseInfo {
            name: self.release.name.to_string(),
            namespace: self.release.namespace.to_string(),
            is_upgrade: false,
        };
        let capabilities = cluster.capabilities(self.profile);
        let request = || Request {
            chart: self.chart,
            values: &values,
            release: &info,
            capabilities: &capabilities,
            profile: self.profile,
            check_schema: true,
            options: Options { tracker: Some(TrackerRef(Tracker::new())), ..Options::default() },
        };
        let sources = self.supplied.sources();
        let first = request();
        let prepared = engine::prepare(&first, &mut Vec::new())
            .map_err(|fault| faults::tell(self, &fault, None, sink))?;
        let rendered = engine::render(&first, &prepared, &mut random::Fixed::new(1))
            .map_err(|fault| faults::tell(self, &fault, Some(&prepared), sink))?;
        if random::may_change(&rendered) {
            // Only a second run with another clock and other numbers shows what of it really changes.
            let second = request();
            if let Ok(again) = engine::prepare(&second, &mut Vec::new())
                .and_then(|prepared| engine::render(&second, &prepared, &mut random::Fixed::new(2)))
            {
                random::refuse(self, &rendered, &again, &prepared.values, sink)?;
            }
        }
        unread::warn(self, &values, &prepared, &rendered, sink);
        let mut objects = self.definitions(&prepared, sink);
        self.manifests(&rendered, &prepared.values, sources, &mut objects, sink);
        hooks::pull_forward(&mut objects);
        sink.finish(objects)
    }

    /// The files of `crds/`, as they are.
    fn definitions(&self, prepared: &Prepared, sink: &mut Sink) -> Vec<Object> {
        let mut objects = Vec::new();
        if self.release.skip_crds {
            return objects;
        }
        for (path, file) in prepared.instance.crds() {
            let _told = self.definitions_of(&path, file, &mut objects, sink);
        }
        objects
    }

    fn definitions_of(
        &self,
        path: &str,
        file: &ChartFile,
        objects: &mut Vec<Object>,
        sink: &mut Sink,
    ) -> Result<(), Reported> {
        for node in self.supply.file(path, file, self.supplied.sources(), sink)?.iter() {
            let mut node = node.clone();
            if let Some(at) = node.span() {
                let (release, instance) = (Arc::clone(&self.release.name), self.instance.span);
                let because = Arc::new(Because { release, instance, around: Vec::new(), reads: Vec::new() });
                node.origin = Origin::link(OriginKind::Template { at, because });
            }
            objects.extend(self.object(node, Stage::With, sink));
        }
        Ok(())
    }

    /// What the templates made, without its hooks' marks.
    fn manifests(
        &self,
        rendered: &Rendered,
        values: &Table,
        sources: &crate::source::Sources,
        objects: &mut Vec<Object>,
        sink: &mut Sink,
    ) {
        let sorted = &rendered.sorted;
        let release = origins::Release {
            name: &self.release.name,
            instance: self.instance.span,
            values,
            chart: self.chart,
        };
        let mut tracer =
            rendered.output.provenance.as_ref().map(|known| Tracer::new(release, known, sources));
        let mut early = Vec::new();
        let hooks = sorted.hooks.iter().chain(&sorted.unknown_hooks);
        for manifest in sorted.manifests.iter().chain(hooks) {
            for mut node in documents(manifest, rendered, sources) {
                if let Some((tracer, file)) = tracer.as_mut().zip(file_of(manifest, rendered)) {
                    tracer.trace(&mut node, file, manifest.range.start);
                }
                let what = format!("{}/{}", manifest.head.kind, manifest.head.name);
                let hook = manifest.head.hook.as_deref();
                let runs = Runs::of(&manifest.head.kind);
                let stage = match hook.map(|events| hooks::fate(events, runs)) {
                    None => Stage::With,
                    Some(Fate::Kept(stage)) => stage,
                    Some(Fate::Dropped) => continue,
                    Some(Fate::Unsupported(why)) => {
                        let events = hook.unwrap_or_default();
                        sink.report(hooks::unsupported(&what, events, why, self.instance.span, node.span()));
                        continue;
                    }
                };
                if stage != Stage::With {
                    early.push(Early { object: objects.len(), weight: hooks::weight(&node), runs });
                }
                hooks::without_empty_metadata(&mut node);
                if let Ok(mut object) = self.object(node, stage, sink) {
                    hooks::settle(&mut object);
                    objects.push(object);
                }
            }
        }
        hooks::queue(objects, &early);
    }

    fn object(&self, node: Node, stage: Stage, sink: &mut Sink) -> Result<Object, Reported> {
        let source = ObjectSource::Chart {
            release: Arc::clone(&self.release.name),
            namespace: Arc::clone(&self.release.namespace),
            span: self.release.span,
            stage,
        };
        let place = node.span().unwrap_or(self.release.span);
        check::object(node, source, place, self.instance.span, sink)
    }
}

/// The objects in one document of the output; a `List` gives its items.
fn documents(manifest: &Manifest, rendered: &Rendered, sources: &crate::source::Sources) -> Vec<Node> {
    let sorted = &rendered.sorted;
    let text: Arc<str> = String::from_utf8_lossy(sorted.bytes(manifest)).into();
    let file = sources.add(format!("{} (rendered)", sorted.path(manifest)), Arc::clone(&text));
    let mut objects = Vec::new();
    // That it is YAML was found when it was sorted.
    if let Ok(document) = yaml::read_first(file, &text, yaml::Options::LENIENT) {
        flatten(document, &mut objects);
    }
    objects
}

/// The number of the output file of a manifest in the provenance, which knows them as they were rendered.
fn file_of(manifest: &Manifest, rendered: &Rendered) -> Option<usize> {
    let path = rendered.sorted.path(manifest);
    output_file(&rendered.output, path)
}

fn output_file(output: &Output, path: &str) -> Option<usize> {
    output.files.iter().position(|file| *file.path == *path)
}
