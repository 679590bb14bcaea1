//! `Program -> Rendering`: the objects of an environment, complete and patched.
//!
//! Charts become the objects that they render to, or stay releases, or become k3s's own objects for them. Every object gets the
//! namespace that it lives in (or loses one that it cannot have), the Namespaces that nobody makes are written,
//! and patches are applied, bases first. What is refused here: kinds of which nothing is known, patches that match
//! nothing, and settings that cannot be delivered.

mod charts;
mod declared;
mod json_patch;
mod k3s;
mod manifests;
mod merge;
mod namespaces;
mod patch;
mod scope;

pub use scope::{KindOwner, KnownKind, Scopes};

use crate::check::Program;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::helm::semver;
use crate::model::{
    Binding, ChartDelivery, ChartSourceKind, Deliver, EncryptedFile, Environment, External, Instance, Object,
    Patch, Release,
};
use crate::package::memo::Recall;
use crate::package::supply::{Package, Supplied};
use crate::source::Span;
use crate::value::Node;
use rayon::prelude::*;
use std::sync::Arc;

/// What later phases need of an environment besides its objects.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// What is said of the environment as a whole.
    pub environment: Environment,
    /// How it is delivered.
    pub deliver: Deliver,
    /// Who provides what to whom.
    pub bindings: Vec<Binding>,
    /// What exists outside the tree.
    pub externals: Vec<External>,
    /// The encrypted files.
    pub encrypted: Vec<EncryptedFile>,
}

/// An instance whose objects were taken out: they are among those of the environment.
#[derive(Clone, Debug)]
pub struct Part {
    /// The instance, without its objects and charts; of its manifests by URL those that stay references.
    pub instance: Instance,
    /// Its charts; the objects of those that are rendered are among the others.
    pub releases: Vec<DeliveredRelease>,
}

/// A chart that stays a release, with the patches that its delivery carries.
#[derive(Clone, Debug)]
pub struct DeliveredRelease {
    /// The release.
    pub release: Release,
    /// The commit that the lock pins for a chart from Git.
    pub commit: Option<Arc<str>>,
    /// Patches for objects that the chart may make.
    pub patches: Vec<Patch>,
}

/// An object of the environment and the instance that brought it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The object.
    pub object: Object,
    /// The index of its instance; `None` for what belongs to the environment, such as Namespaces.
    pub part: Option<usize>,
}

/// The objects of an environment, complete and patched. Only [`render`] makes one.
#[derive(Clone, Debug)]
pub struct Rendering {
    surroundings: Surroundings,
    parts: Vec<Part>,
    objects: Vec<Placed>,
    scopes: Scopes,
}

impl Rendering {
    /// What is known besides objects.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The instances, in the order of the overlay.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The objects: those of the instances in their order, then the Namespaces.
    pub fn objects(&self) -> &[Placed] {
        &self.objects
    }

    /// The kinds that are known in this environment.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Everything in it, by value.
    pub(crate) fn into_parts(self) -> (Surroundings, Vec<Part>, Vec<Placed>, Scopes) {
        (self.surroundings, self.parts, self.objects, self.scopes)
    }
}

/// Makes the objects of an environment.
///
/// What `recall` knows is not rendered again; its fields then have no origin but their place in the chart's output.
pub fn render(
    program: Program,
    supplied: &Supplied<'_>,
    recall: Recall<'_>,
    sink: &mut Sink,
) -> Result<Rendering, Reported> {
    let program = program.into_parts();
    let surroundings = Surroundings {
        environment: program.environment,
        deliver: program.deliver,
        bindings: program.bindings,
        externals: program.externals,
        encrypted: program.encrypted,
    };
    let mut remote: Vec<Option<Vec<Object>>> =
        program.instances.iter().map(|instance| fetched(instance, supplied, sink)).collect();
    let known = program
        .instances
        .iter()
        .flat_map(|instance| &instance.objects)
        .chain(remote.iter().flatten().flatten());
    let kubernetes = &surroundings.environment.kubernetes;
    let cluster = charts::Cluster::of(kubernetes, &program.instances, known, supplied, recall);
    let means = charts::Means { cluster: &cluster, supplied, recall };
    let mut rendered = render_charts(&program.instances, means, sink);
    let (mut whole, mut everything) = (Vec::new(), true);
    let mut parts = Vec::with_capacity(program.instances.len());
    let mut objects = Vec::new();
    for (index, mut instance) in program.instances.into_iter().enumerate() {
        let part = Some(index);
        let own = std::mem::take(&mut instance.objects);
        objects.extend(own.into_iter().map(|object| Placed { object, part }));
        let brought = [remote[index].take(), rendered[index].take()];
        // What failed was told; nothing can be said of what it would have brought.
        let complete = brought.iter().all(Option::is_some);
        everything &= complete;
        let brought = brought.into_iter().flatten().flatten();
        objects.extend(brought.map(|object| Placed { object, part }));
        if complete && is_whole(&instance) {
            whole.push(index);
        }
        let mut releases = Vec::new();
        for release in std::mem::take(&mut instance.releases) {
            check_delivery(&release, sink);
            if release.delivery == ChartDelivery::K3s {
                objects.extend(
                    k3s::helm_chart(&release, instance.span, sink).map(|object| Placed { object, part }),
                );
            }
            let commit = supplied.commit(&Package::of_chart(&release.chart));
            releases.push(DeliveredRelease { release, commit, patches: Vec::new() });
        }
        let mut references = std::mem::take(&mut instance.references);
        references.retain(|manifest| instance.keeps(manifest));
        instance.references = references;
        parts.push(Part { instance, releases });
    }
    if !everything {
        // What a patch or a declaration is held against is not all there.
        sink.finish(())?;
    }
    declared::settle(&mut parts, &whole, &objects, supplied.sources(), sink);
    let scopes = Scopes::of(&surroundings.environment.kubernetes, &parts, &objects);
    for placed in &mut objects {
        scope::place(placed, &parts, &scopes, sink);
    }
    namespaces::write(&surroundings, &parts, &mut objects, sink);
    patch::apply(program.patches, &mut objects, &mut parts, sink);
    sink.finish(Rendering { surroundings, parts, objects, scopes })
}

/// The objects of an instance's manifests by URL; none where one could not be had.
fn fetched(instance: &Instance, supplied: &Supplied<'_>, sink: &mut Sink) -> Option<Vec<Object>> {
    let wanted = instance.references.iter().filter(|manifest| !instance.keeps(manifest));
    let read: Vec<_> =
        wanted.map(|manifest| manifests::objects(manifest, instance.span, supplied, sink)).collect();
    let read: Result<Vec<Vec<Object>>, Reported> = read.into_iter().collect();
    read.ok().map(|objects| objects.into_iter().flatten().collect())
}

/// The objects of the charts of each instance, rendered at once, told in order; none where one could not be rendered.
fn render_charts(
    instances: &[Instance],
    means: charts::Means<'_>,
    sink: &mut Sink,
) -> Vec<Option<Vec<Object>>> {
    let done: Vec<(Option<Vec<Object>>, Sink)> = instances
        .par_iter()
        .map(|instance| {
            let mut own = Sink::new();
            let mut found = Some(Vec::new());
            for release in &instance.releases {
                if release.delivery != ChartDelivery::Rendered {
                    continue;
                }
                match charts::objects(release, instance, means, &mut own) {
                    Ok(objects) => {
                        if let Some(found) = &mut found {
                            found.extend(objects);
                        }
                    }
                    Err(_told) => found = None,
                }
            }
            (found, own)
        })
        .collect();
    let mut rendered = Vec::with_capacity(done.len());
    for (objects, own) in done {
        sink.merge(own);
        rendered.push(objects);
    }
    rendered
}

/// Whether everything that an instance's charts and manifests bring is among the objects.
fn is_whole(instance: &Instance) -> bool {
    let brings = !instance.releases.is_empty() || !instance.references.is_empty();
    brings
        && instance.releases.iter().all(|release| release.delivery == ChartDelivery::Rendered)
        && !instance.references.iter().any(|manifest| instance.keeps(manifest))
}

/// Refuses what cannot be delivered in the way that is asked for.
fn check_delivery(release: &Release, sink: &mut Sink) {
    if release.delivery == ChartDelivery::Rendered {
        return;
    }
    let pinned = matches!(release.chart.source.kind, ChartSourceKind::Http(_) | ChartSourceKind::Oci(_));
    if pinned && !semver::is_exact(&release.chart.version) {
        sink.report(
            Diagnostic::error(
                codes::INEXACT_VERSION,
                format!(
                    "`{}` is no exact version, and chart `{}` stays a release",
                    release.chart.version, release.chart.name
                ),
            )
            .at(release.chart.version_origin.editable().unwrap_or(release.span), "a range")
            .help("write one version, such as `1.2.3`; ranges are resolved for rendered charts only"),
        );
    }
}

/// A value as YAML inside a string, as k3s and Helm take values.
fn text(node: &Node, at: Span, sink: &mut Sink) -> Option<String> {
    let mut out = Vec::new();
    if crate::yaml::write(node, crate::yaml::Keys::Natural, &mut out).is_err() {
        sink.report(
            Diagnostic::error(codes::UNWRITABLE, "values cannot be written as YAML")
                .at(node.span().unwrap_or(at), "in these values")
                .help("they hold a number that is not finite, or nest more than a thousand levels deep"),
        );
        return None;
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
pub(crate) mod tests;
