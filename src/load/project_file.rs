//! `stackc.yaml`: the project's name, its chart sources, where trees go, what overlays start from.

use super::fields::{self, Fields};
use super::header;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::{ChartSource, ChartSourceKind, Output};
use crate::package::address::refuse_login;
use crate::source::Span;
use crate::value::{Map, Node};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Chart repositories that most clusters use, so that a stack can name them.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("autoscaler", "https://kubernetes.github.io/autoscaler"),
    ("bitnami", "oci://registry-1.docker.io/bitnamicharts"),
    ("cilium", "https://helm.cilium.io"),
    ("cnpg", "https://cloudnative-pg.github.io/charts"),
    ("containeroo", "https://charts.containeroo.ch"),
    ("coredns", "https://coredns.github.io/helm"),
    ("eks", "https://aws.github.io/eks-charts"),
    ("envoy-gateway", "oci://docker.io/envoyproxy"),
    ("external-dns", "https://kubernetes-sigs.github.io/external-dns"),
    ("grafana", "https://grafana.github.io/helm-charts"),
    ("hcloud", "https://charts.hetzner.cloud"),
    ("ingress-nginx", "https://kubernetes.github.io/ingress-nginx"),
    ("jetstack", "https://charts.jetstack.io"),
    ("longhorn", "https://charts.longhorn.io"),
    ("metrics-server", "https://kubernetes-sigs.github.io/metrics-server"),
    ("podinfo", "https://stefanprodan.github.io/podinfo"),
    ("prometheus-community", "https://prometheus-community.github.io/helm-charts"),
    ("sealed-secrets", "https://bitnami-labs.github.io/sealed-secrets"),
    ("sops-secrets-operator", "https://isindir.github.io/sops-secrets-operator"),
    ("traefik", "https://traefik.github.io/charts"),
];

/// The project's own document.
#[derive(Debug)]
pub struct ProjectFile {
    /// The project's name.
    pub name: Arc<str>,
    /// Chart sources by name, the well-known ones included.
    pub sources: BTreeMap<Arc<str>, ChartSourceKind>,
    /// Where trees go.
    pub output: Output,
    /// A folder of packages that is read in place of the network.
    pub mirror: Option<Utf8PathBuf>,
    /// What every overlay starts from: `environment`, `kubernetes`, `deliver`.
    pub defaults: Option<Node>,
}

/// Reads `stackc.yaml`.
pub(super) fn read(document: &Node, sink: &mut Sink) -> Result<ProjectFile, Reported> {
    let header = header::read(document, "Project", "`stackc.yaml`", None, sink)?;
    if !fields::is_label(&header.name, 63) {
        let _told = sink.report(fields::invalid_label(&header.name, "a project", 63, header.name_span));
    }
    let empty = Node::new(Map::new(), document.origin.clone());
    let known = ["sources", "output", "mirror", "defaults"];
    let fields = Fields::open(header.spec.unwrap_or(&empty), "the project's `spec`", &known, sink)?;
    let mut sources: BTreeMap<Arc<str>, ChartSourceKind> = WELL_KNOWN
        .iter()
        .map(|(name, url)| (Arc::from(*name), kind_of_url(url).expect("the table holds URLs of two kinds")))
        .collect();
    if let Some(node) = fields.get("sources") {
        for (name, entry) in Fields::any(node, "`sources`", sink)?.entries() {
            if let Ok(source) = source(&entry.node, sink) {
                sources.insert(Arc::clone(name), source);
            }
        }
    }
    let output = match fields.get("output") {
        None => Output { dir: ".".into(), prefix: Utf8PathBuf::new() },
        Some(node) => {
            let fields = Fields::open(node, "`output`", &["dir", "prefix"], sink)?;
            let dir = fields.text("dir", sink)?.unwrap_or_else(|| ".".into());
            let prefix = fields.text("prefix", sink)?.unwrap_or_default();
            let span = |key: &str| fields.get(key).and_then(Node::span);
            Output {
                dir: inside(&dir, span("dir"), true, sink)?,
                prefix: inside(&prefix, span("prefix"), false, sink)?,
            }
        }
    };
    let mirror = fields.text("mirror", sink)?.map(|text| Utf8PathBuf::from(text.as_ref()));
    let defaults = fields.get("defaults");
    if let Some(node) = defaults {
        let _checked = Fields::open(node, "`defaults`", &["environment", "kubernetes", "deliver"], sink);
    }
    Ok(ProjectFile { name: header.name, sources, output, mirror, defaults: defaults.cloned() })
}

/// A chart source as it is written in `stackc.yaml` or in place of its name.
pub(crate) fn source(node: &Node, sink: &mut Sink) -> Result<ChartSourceKind, Reported> {
    let fields = Fields::open(node, "a chart source", &["url", "path", "git", "revision"], sink)?;
    let wrong = |words: &str, sink: &mut Sink| {
        sink.report(
            Diagnostic::error(codes::INVALID_VALUE, words)
                .at(node.span(), "")
                .help("write `{url: https://...}`, `{url: oci://...}`, `{path: FOLDER}` or `{git: URL, revision: REV, path: FOLDER}`"),
        )
    };
    match (fields.text("url", sink)?, fields.text("git", sink)?) {
        (Some(_), Some(_)) => Err(wrong("a chart source has either `url` or `git`", sink)),
        (Some(url), None) => {
            for key in ["path", "revision"] {
                if fields.get(key).is_some() {
                    return Err(wrong(&format!("a chart source with `url` has no `{key}`"), sink));
                }
            }
            refuse_login(&url, sink)?;
            kind_of_url(&url).ok_or_else(|| {
                wrong(&format!("`{url}` is no `http://`, `https://` or `oci://` address"), sink)
            })
        }
        (None, Some(url)) => {
            refuse_login(&url, sink)?;
            let revision = fields.required_text("revision", sink)?;
            Ok(ChartSourceKind::Git { url, revision, path: fields.text("path", sink)?.unwrap_or_default() })
        }
        (None, None) => match fields.text("path", sink)? {
            Some(path) => Ok(ChartSourceKind::Path(Utf8PathBuf::from(path.as_ref()))),
            None => Err(wrong("a chart source needs `url`, `path` or `git`", sink)),
        },
    }
}

fn kind_of_url(url: &str) -> Option<ChartSourceKind> {
    if url.starts_with("oci://") {
        Some(ChartSourceKind::Oci(url.into()))
    } else if url.starts_with("https://") || url.starts_with("http://") {
        Some(ChartSourceKind::Http(url.into()))
    } else {
        None
    }
}

/// A relative path; one that climbs out is refused unless `climbs`.
fn inside(text: &str, span: Option<Span>, climbs: bool, sink: &mut Sink) -> Result<Utf8PathBuf, Reported> {
    let path = Utf8Path::new(text);
    let wrong = path.components().any(|part| match part {
        Utf8Component::ParentDir => !climbs,
        Utf8Component::RootDir | Utf8Component::Prefix(_) => !climbs,
        Utf8Component::CurDir | Utf8Component::Normal(_) => false,
    });
    if wrong || text.contains('\\') {
        let finding =
            Diagnostic::error(codes::INVALID_VALUE, format!("`{text}` is no folder below the output"));
        return Err(sink.report(finding.at(span, "").help("write a relative path with `/` and without `..`")));
    }
    Ok(path.to_owned())
}

/// A chart source by name.
pub(crate) fn named(sources: &BTreeMap<Arc<str>, ChartSourceKind>, name: &str) -> Option<ChartSource> {
    sources.get_key_value(name).map(|(name, kind)| ChartSource { name: Arc::clone(name), kind: kind.clone() })
}
