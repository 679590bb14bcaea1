//! Charts as objects: each release rendered in process, its hooks compiled away, every field with its origin.
//!
//! A release sees what the environment says of itself and nothing of the machine: the overlay's Kubernetes, the custom
//! kinds that the environment knows, a clock that stands still. Refused are charts whose output depends on more than
//! that, hooks that a tree cannot carry, and values that a chart does not take.

mod cluster;
mod faults;
mod hooks;
mod memory;
mod origins;
mod printed;
mod random;
mod runs;
mod unread;
mod values;

pub(super) use cluster::Cluster;

use crate::diag::{Reported, Sink};
use crate::helm::chart::Chart;
use crate::helm::context::ReleaseInfo;
use crate::helm::engine::{Options, TrackerRef};
use crate::helm::output::Manifest;
use crate::helm::profile::{HELM_4_2, Profile};
use crate::helm::release::{self as engine, Output, Prepared, Rendered, Request};
use crate::helm::stack;
use crate::helm::value::Tracker;
use crate::model::{Instance, Object, Release};
use crate::package::memo::{Piece, PieceHead, Recall};
use crate::package::supply::{Package, Supplied, Supply};
use crate::value::Node;
use origins::Tracer;
use printed::Printed;
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

/// What a release is rendered with, besides itself and its package.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    /// What it is told of the cluster.
    pub(super) cluster: &'a Cluster,
    /// The packages.
    pub(super) supplied: &'a Supplied<'a>,
    /// What was rendered before.
    pub(super) recall: Recall<'a>,
}

fn profile_of(release: &Release) -> &'static Profile {
    Profile::named(&release.helm).unwrap_or(&HELM_4_2)
}

/// The package of a release.
fn package_of<'s>(
    release: &Release,
    supplied: &'s Supplied<'_>,
    sink: &mut Sink,
) -> Result<&'s Arc<Supply>, Reported> {
    supplied.package(&Package::of_chart(&release.chart), sink)
}

/// The package of a release, loaded for its profile.
fn chart_of(release: &Release, supplied: &Supplied<'_>, sink: &mut Sink) -> Result<Arc<Chart>, Reported> {
    let at = release.chart.version_origin.editable().unwrap_or(release.span);
    let package = Package::of_chart(&release.chart);
    supplied.chart(&package, profile_of(release), at, sink)
}

/// The objects of a release.
pub(super) fn objects(
    release: &Release,
    instance: &Instance,
    means: Means<'_>,
    sink: &mut Sink,
) -> Result<Vec<Object>, Reported> {
    let Means { cluster, supplied, recall } = means;
    let supply = package_of(release, supplied, sink)?;
    let keys = memory::Keys::of(release, supply, cluster);
    if let Some(objects) = memory::objects(&keys, Printed { release, instance, supply, supplied }, recall) {
        recall.remembered();
        return Ok(objects);
    }
    recall.rendered();
    let chart = chart_of(release, supplied, sink)?;
    let task = Task { release, instance, supply, chart: &chart, profile: profile_of(release), supplied };
    let mut own = Sink::new();
    let done = stack::on_large_stack(|| {
        let found = task.render(cluster, &mut own);
        own.finish(()).and(found)
    });
    let (objects, pieces) = match done {
        Ok(done) => done,
        Err(told) => {
            sink.merge(own);
            return Err(told);
        }
    };
    if own.found().is_empty() {
        // What is found wants to be found again, with its places.
        recall.put(&keys.manifests, || pieces);
    }
    sink.merge(own);
    Ok(objects)
}

impl Task<'_> {
    fn render(&self, cluster: &Cluster, sink: &mut Sink) -> Result<(Vec<Object>, Vec<Piece>), Reported> {
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
        let first = request();
        let prepared = engine::prepare(&first, &mut Vec::new())
            .map_err(|fault| faults::tell(self, &fault, None, sink))?;
        let rendered = engine::render(&first, &prepared, &mut random::Fixed::of(random::Run::First))
            .map_err(|fault| faults::tell(self, &fault, Some(&prepared), sink))?;
        if random::may_change(&rendered) {
            // Only a second run with another clock and other numbers shows what of it really changes.
            let second = request();
            let mut other = random::Fixed::of(random::Run::Second);
            let again = engine::prepare(&second, &mut Vec::new())
                .and_then(|prepared| engine::render(&second, &prepared, &mut other));
            match again {
                Ok(again) => random::refuse(self, &rendered, &again, &prepared.values, sink)?,
                Err(fault) => return Err(random::fails(self, &rendered, &fault, sink)),
            }
            random::warn(self, &rendered, sink);
        }
        unread::warn(self, &values, &prepared, &rendered, sink);
        let (objects, pieces) = self.objects(&prepared, &rendered, sink);
        sink.finish((objects, pieces))
    }

    /// The objects with their origins, and the texts that they were read from.
    fn objects(
        &self,
        prepared: &Prepared,
        rendered: &Rendered,
        sink: &mut Sink,
    ) -> (Vec<Object>, Vec<Piece>) {
        let Self { release, instance, supply, supplied, .. } = *self;
        let printed = Printed { release, instance, supply, supplied };
        let mut objects = Vec::new();
        if !release.skip_crds {
            for (path, file) in prepared.instance.crds() {
                let _told = printed.definitions(&path, &file.data, &mut objects, sink);
            }
        }
        let traced = origins::Release {
            name: &release.name,
            instance: instance.span,
            values: &prepared.values,
            chart: self.chart,
        };
        let provenance = rendered.output.provenance.as_ref();
        let mut tracer = provenance.map(|known| Tracer::new(traced, known, supplied.sources()));
        let sorted = &rendered.sorted;
        let hooks = sorted.hooks.iter().chain(&sorted.unknown_hooks);
        let manifests: Vec<&Manifest> = sorted.manifests.iter().chain(hooks).collect();
        let pieces: Vec<Piece> = manifests.iter().map(|manifest| piece(manifest, rendered)).collect();
        let trace = |at: usize, node: &mut Node| {
            let manifest = manifests[at];
            if let Some((tracer, file)) = tracer.as_mut().zip(file_of(manifest, rendered)) {
                tracer.trace(node, file, manifest.range.start);
            }
        };
        printed.manifests(&pieces, trace, &mut objects, sink);
        (objects, pieces)
    }
}

/// One document of the output.
fn piece(manifest: &Manifest, rendered: &Rendered) -> Piece {
    let sorted = &rendered.sorted;
    Piece {
        head: PieceHead {
            path: sorted.path(manifest).to_owned(),
            kind: manifest.head.kind.clone(),
            name: manifest.head.name.clone(),
            hook: manifest.head.hook.clone(),
        },
        text: String::from_utf8_lossy(sorted.bytes(manifest)).into(),
    }
}

/// The number of the output file of a manifest in the provenance, which knows them as they were rendered.
fn file_of(manifest: &Manifest, rendered: &Rendered) -> Option<usize> {
    let path = rendered.sorted.path(manifest);
    output_file(&rendered.output, path)
}

fn output_file(output: &Output, path: &str) -> Option<usize> {
    output.files.iter().position(|file| *file.path == *path)
}
