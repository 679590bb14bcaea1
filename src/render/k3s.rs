//! Charts for k3s's own Helm controller: one `HelmChart` object a release.

use crate::diag::{Diagnostic, Sink, codes};
use crate::model::{ChartSourceKind, Gvk, Object, ObjectId, ObjectSource, Release, Stage};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// Where k3s looks after `HelmChart` objects by convention.
const NAMESPACE: &str = "kube-system";

/// The object of a release; `None`, reported, for a source that k3s cannot fetch from.
pub(super) fn helm_chart(release: &Release, instance: Span, sink: &mut Sink) -> Option<Object> {
    let origin = Origin::link(OriginKind::Rule {
        rule: "a chart that k3s installs is a HelmChart object",
        was: Origin::Written(release.span),
    });
    let mut spec = Fields { map: Map::new(), origin: origin.clone() };
    match &release.chart.source.kind {
        ChartSourceKind::Http(url) => {
            spec.add("repo", Arc::clone(url));
            spec.add("chart", Arc::clone(&release.chart.name));
        }
        ChartSourceKind::Oci(url) => {
            spec.add("chart", format!("{}/{}", url.trim_end_matches('/'), release.chart.name));
        }
        ChartSourceKind::Path(_) | ChartSourceKind::Git { .. } => {
            sink.report(
                Diagnostic::error(
                    codes::UNDELIVERABLE,
                    format!(
                        "k3s cannot fetch chart `{}`: it is no package of a repository",
                        release.chart.name
                    ),
                )
                .at(instance, "delivered by k3s")
                .related(release.span, "the release")
                .help("choose `release` or `rendered` in `deliver: {charts: ...}` of this instance"),
            );
            return None;
        }
    }
    let version = Node::new(Arc::clone(&release.chart.version), release.chart.version_origin.clone());
    spec.add_node("version", version);
    spec.add("targetNamespace", Arc::clone(&release.namespace));
    if !crate::render::namespaces::is_given(&release.namespace) {
        spec.add("createNamespace", true);
    }
    if release.bootstrap {
        spec.add("bootstrap", true);
    }
    if release.values.as_map().is_some_and(|map| !map.is_empty()) {
        let node =
            Node::new(super::text(&release.values, release.span, sink)?, release.values.origin.clone());
        spec.add_node("valuesContent", node);
    }
    let mut metadata = Fields { map: Map::new(), origin: origin.clone() };
    metadata.add("name", Arc::clone(&release.name));
    metadata.add("namespace", NAMESPACE);
    let mut object = Fields { map: Map::new(), origin: origin.clone() };
    object.add("apiVersion", "helm.cattle.io/v1");
    object.add("kind", "HelmChart");
    object.add("metadata", metadata.map);
    object.add("spec", spec.map);
    let gvk = Gvk::new("helm.cattle.io/v1", "HelmChart");
    Some(Object {
        id: ObjectId {
            group: Arc::clone(&gvk.group),
            kind: Arc::clone(&gvk.kind),
            namespace: Some(NAMESPACE.into()),
            name: Arc::clone(&release.name),
        },
        gvk,
        node: Node::new(object.map, origin),
        source: ObjectSource::Chart {
            release: Arc::clone(&release.name),
            namespace: Arc::clone(&release.namespace),
            span: release.span,
            stage: Stage::With,
        },
    })
}

struct Fields {
    map: Map,
    origin: Origin,
}

impl Fields {
    fn add(&mut self, key: &str, value: impl Into<Value>) {
        let node = Node::new(value, self.origin.clone());
        self.add_node(key, node);
    }

    fn add_node(&mut self, key: &str, node: Node) {
        self.map.insert(Arc::from(key), Entry { key: self.origin.clone(), node });
    }
}
