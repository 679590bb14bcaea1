//! One environment, stage by stage.

use super::{Resolution, bind, instance, manifests, merge, overlay};
use crate::diag::{Reported, Sink};
use crate::load::{EnvironmentDocuments, Project};
use crate::model::Environment;
use crate::source::Sources;
use crate::value::{Entry, Map, Node, Origin, Value};
use crate::world::World;
use std::sync::{Arc, Mutex};

pub(super) fn resolve(
    world: &dyn World,
    sources: &Sources,
    project: &Arc<Project>,
    documents: &Arc<EnvironmentDocuments>,
    sink: &mut Sink,
) -> Result<Resolution, Reported> {
    let spec = merged(project, documents, sink);
    let name = &documents.name;
    let span = documents.overlay.span;
    let kind = overlay::environment(&spec, sink);
    let kubernetes = overlay::kubernetes(&spec, name, span, sink);
    let deliver = overlay::deliver(&spec, name, sink);
    let externals = overlay::externals(&spec, sink);
    let chain: Vec<_> =
        documents.bases.documents.iter().chain(std::iter::once(&documents.overlay)).cloned().collect();
    let patches = overlay::patches(&spec, &chain, sink);
    let (kind, (kubernetes, kubernetes_span), deliver) = match (kind, kubernetes, deliver) {
        (Ok(kind), Ok(kubernetes), Ok(deliver)) => (kind, kubernetes, deliver),
        // What an environment is decides what its instances mean.
        (Err(told), ..) | (_, Err(told), _) | (.., Err(told)) => return Err(told),
    };
    let mut resolution = Resolution {
        project: Arc::clone(project),
        documents: Arc::clone(documents),
        environment: Environment {
            name: Arc::clone(name),
            project: Arc::clone(&project.file().name),
            environment: Arc::clone(&kind),
            kubernetes: Arc::clone(&kubernetes),
            kubernetes_span,
            span,
            output: project.file().output.clone(),
        },
        deliver,
        externals,
        patches,
        instances: Vec::new(),
        offers: Vec::new(),
        bindings: Vec::new(),
        overlay: overlay_scope(name, &kind, &kubernetes, &spec, span),
        evaluating: Mutex::new(Vec::new()),
        findings: Mutex::new(Vec::new()),
    };
    instance::all(&mut resolution, &spec, sources, sink);
    sink.finish(())?;
    bind::bind(&mut resolution, sources, sink);
    resolution.drain_findings(sink);
    sink.finish(())?;
    manifests::read(&mut resolution, world, sources, sink);
    resolution.drain_findings(sink);
    sink.finish(resolution)
}

/// The `spec` of the overlay over its bases, over the project's defaults.
fn merged(project: &Project, documents: &EnvironmentDocuments, sink: &mut Sink) -> Node {
    let (base, findings) = documents.bases.merged.get_or_init(|| {
        let mut sink = Sink::new();
        let empty = || Node::new(Map::new(), Origin::Compiler);
        let mut base = empty();
        if let Some(defaults) = &project.file().defaults {
            merge::spec(&mut base, defaults, &mut sink);
        }
        for document in &documents.bases.documents {
            merge::spec(&mut base, &document.spec, &mut sink);
        }
        (Arc::new(base), sink.into_found())
    });
    for finding in findings {
        let _told = sink.report(finding.clone());
    }
    let mut spec = Node::clone(base);
    merge::spec(&mut spec, &documents.overlay.spec, sink);
    spec
}

/// What `overlay` means in expressions.
fn overlay_scope(
    name: &Arc<str>,
    environment: &Arc<str>,
    kubernetes: &Arc<str>,
    spec: &Node,
    span: crate::source::Span,
) -> Node {
    let of = |key: &str| spec.get(key).map_or(Origin::Written(span), |node| node.origin.clone());
    let mut map = Map::new();
    for (key, value, origin) in [
        ("name", name, Origin::Written(span)),
        ("environment", environment, of("environment")),
        ("kubernetes", kubernetes, of("kubernetes")),
    ] {
        let node = Node::new(Value::String(Arc::clone(value)), origin);
        let _none = map.insert(key.into(), Entry { key: Origin::Compiler, node });
    }
    Node::new(map, Origin::Written(span))
}
