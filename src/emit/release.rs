//! Charts that stay releases: `HelmRelease` and sources for Flux, `helm-chart.yaml` for kluctl.
//!
//! A `HelmRelease` lives in the namespace of its release, so that name and namespace are those that `helm list`
//! shows; repositories are shared, in Flux's own namespace.

use super::document::{self, Fields, list};
use super::slashed;
use super::sources::{INTERVAL, Named, Reader, Revision, Source, header, object_name};
use crate::diag::{Diagnostic, Sink, codes};
use crate::model::{ChartSourceKind, Patch, PatchBody, Release};
use crate::order::{Sequence, Unit};
use crate::render::DeliveredRelease;
use crate::schema::kinds;
use crate::value::Node;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// The releases of a unit for Flux; the names of the files.
pub(super) fn write_releases(
    sequence: &Sequence,
    unit: &Unit,
    named: &Named,
    folder: &Utf8Path,
    files: &mut Files,
    sink: &mut Sink,
) -> Vec<String> {
    let Some(flux) = &sequence.surroundings().deliver.flux else { return Vec::new() };
    let mut written = Vec::new();
    for delivered in sequence.releases(unit) {
        let release = &delivered.release;
        let mut put = |kind: &str, node: &Node, sink: &mut Sink| {
            let name = format!("{kind}-{}.yaml", object_name(&release.name));
            files.insert(slashed(folder, &name), document::print(node, sink));
            written.push(name);
        };
        let shared = Source::of_release(delivered);
        let shared = shared.as_ref().map_or(("", ""), |source| (source.kind, named.get(source)));
        let shared = (shared.0, shared.1, &*flux.namespace);
        let spec = Fields::new().with("interval", INTERVAL).with("timeout", "5m");
        let spec = match &release.chart.source.kind {
            ChartSourceKind::Http(_) => {
                spec.with("chart", chart(release, Some(&release.chart.version), &release.chart.name, shared))
            }
            ChartSourceKind::Oci(url) => {
                put("ocirepository", &oci_repository(release, url), sink);
                spec.with(
                    "chartRef",
                    Fields::new().with("kind", "OCIRepository").with("name", Arc::clone(&release.name)),
                )
            }
            ChartSourceKind::Git { path, .. } => {
                let path = format!("./{}", slashed(path, &release.chart.name));
                spec.with("chart", chart(release, None, &path, shared))
            }
            ChartSourceKind::Path(path) => {
                if !matches!(&*flux.source_kind, "GitRepository" | "Bucket") {
                    sink.report(
                        Diagnostic::error(
                            codes::UNDELIVERABLE,
                            format!(
                                "Flux cannot install chart `{}` from a folder where its source is of kind {}",
                                release.chart.name, flux.source_kind
                            ),
                        )
                        .at(
                            unit.part.map(|part| sequence.parts()[part].instance.span),
                            "a chart of the project itself",
                        )
                        .related(release.span, "the release")
                        .help("let Flux read a GitRepository, or publish the chart to a repository"),
                    );
                }
                let path = format!("./{}", slashed(path, &release.chart.name));
                spec.with(
                    "chart",
                    chart(release, None, &path, (&flux.source_kind, &flux.source_name, &flux.namespace)),
                )
            }
        };
        let definitions = if release.skip_crds { "Skip" } else { "CreateReplace" };
        let step = || {
            Fields::new()
                .with("crds", definitions)
                .with("strategy", Fields::new().with("name", "RetryOnFailure").with("retryInterval", "2m"))
        };
        let mut spec = spec
            .with("releaseName", Arc::clone(&release.name))
            .with("install", step())
            .with("upgrade", step());
        if !delivered.patches.is_empty() {
            let patches = list(delivered.patches.iter().map(|patch| patch_entry(patch, release)));
            let renderer =
                Fields::new().with("kustomize", Fields::new().with_node("patches", patches)).node();
            spec = spec.with_node("postRenderers", list([renderer]));
        }
        if release.values.as_map().is_some_and(|values| !values.is_empty()) {
            spec = spec.with_node("values", release.values.clone());
        }
        let node = header("helm.toolkit.fluxcd.io/v2", "HelmRelease", &release.name, &release.namespace)
            .with("spec", spec)
            .node();
        put("helmrelease", &node, sink);
    }
    written
}

/// `spec.chart` of a `HelmRelease`. A chart from a tree of files has a new revision with every change, not with
/// every version.
fn chart(release: &Release, version: Option<&str>, path: &str, source: (&str, &str, &str)) -> Fields {
    let (kind, name, namespace) = source;
    let reference = Fields::new().with("kind", kind).with("name", name);
    let reference =
        if namespace == &*release.namespace { reference } else { reference.with("namespace", namespace) };
    let spec = Fields::new().with("chart", path).with_some("version", version).with("sourceRef", reference);
    let spec = if version.is_some() { spec } else { spec.with("reconcileStrategy", "Revision") };
    Fields::new().with("spec", spec)
}

fn oci_repository(release: &Release, url: &str) -> Node {
    // The media type that Helm gives the layer with the package.
    const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    header("source.toolkit.fluxcd.io/v1", "OCIRepository", &release.name, &release.namespace)
        .with(
            "spec",
            Fields::new()
                .with("interval", INTERVAL)
                .with("url", format!("{}/{}", url.trim_end_matches('/'), release.chart.name))
                .with("ref", Fields::new().with("tag", release.chart.version.replace('+', "_")))
                .with("layerSelector", Fields::new().with("mediaType", LAYER).with("operation", "copy")),
        )
        .node()
}

/// The chart files of a unit for kluctl; the resources that they render to.
pub(super) fn write_charts(
    sequence: &Sequence,
    unit: &Unit,
    folder: &Utf8Path,
    files: &mut Files,
    sink: &mut Sink,
) -> Vec<String> {
    let alone = unit.releases.len() == 1;
    let mut resources = Vec::new();
    for delivered in sequence.releases(unit) {
        let release = &delivered.release;
        let own = if alone { folder.to_owned() } else { slashed(folder, object_name(&release.name)) };
        let source = match &release.chart.source.kind {
            ChartSourceKind::Http(url) => Fields::new()
                .with("repo", Arc::clone(url))
                .with("chartName", Arc::clone(&release.chart.name))
                .with("chartVersion", Arc::clone(&release.chart.version)),
            ChartSourceKind::Oci(url) => Fields::new()
                .with("repo", format!("{}/{}", url.trim_end_matches('/'), release.chart.name))
                .with("chartVersion", Arc::clone(&release.chart.version)),
            ChartSourceKind::Git { url, path, .. } => Fields::new().with(
                "git",
                Fields::new()
                    .with("url", Arc::clone(url))
                    .with_some("ref", Revision::of(delivered).map(|at| at.reference(Reader::Kluctl)))
                    .with("subDir", slashed(path, &release.chart.name).into_string()),
            ),
            ChartSourceKind::Path(path) => {
                let output = &sequence.surroundings().environment.output;
                let from = slashed(slashed(&output.dir, &output.prefix), &own);
                Fields::new().with("path", relative(&from, &slashed(path, &release.chart.name)))
            }
        };
        let chart = source
            .with("releaseName", Arc::clone(&release.name))
            .with("namespace", Arc::clone(&release.namespace))
            .with("skipPrePull", true);
        let chart = if release.skip_crds { chart.with("skipCRDs", true) } else { chart };
        let node = Fields::new().with("helmChart", chart).node();
        files.insert(slashed(&own, "helm-chart.yaml"), document::print(&node, sink));
        files.insert(slashed(&own, "helm-values.yaml"), document::print_object(&release.values, sink));
        let rendered = slashed(&own, "helm-rendered.yaml");
        resources.push(rendered.strip_prefix(folder).unwrap_or(&rendered).to_string());
    }
    resources
}

/// The way from one folder to another, both relative to the project.
fn relative(from: &Utf8Path, to: &Utf8Path) -> String {
    let parts = |path: &Utf8Path| -> Vec<String> {
        path.components()
            .filter(|part| !matches!(part, camino::Utf8Component::CurDir))
            .map(|part| part.to_string())
            .collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common).map(str::to_owned);
    up.chain(to[common..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// The patches of a unit's releases, as its `kustomization.yaml` takes them.
pub(super) fn patches(sequence: &Sequence, unit: &Unit) -> Option<Node> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for DeliveredRelease { release, patches, .. } in sequence.releases(unit) {
        for patch in
            patches.iter().filter(|patch| patch.namespace.is_some() || seen.insert(Arc::clone(&patch.name)))
        {
            entries.push(patch_entry(patch, release));
        }
    }
    (!entries.is_empty()).then(|| list(entries))
}

/// `{target, patch}` for kustomize. Names of a target are regular expressions there. An object of a chart may lack its
/// namespace until it is applied, and kustomize then takes it to be in `default` (`api/types/selector.go`, 0.21.1).
fn patch_entry(patch: &Patch, release: &Release) -> Node {
    let group = patch.group.as_deref().or_else(|| kinds::group_of(&patch.kind));
    let namespace = patch.namespace.as_deref().map(|namespace| {
        if namespace == "default" { namespace.to_owned() } else { format!("{}|default", exact(namespace)) }
    });
    let target = Fields::new()
        .with_some("group", group.filter(|group| !group.is_empty()).map(exact))
        .with("kind", exact(&patch.kind))
        .with_some("name", patch.target_name.as_deref().map(exact))
        .with_some("namespace", namespace);
    let body = match &patch.body {
        PatchBody::Json(operations) => operations.clone(),
        PatchBody::Merge(body) => complete(patch, body, group, release),
    };
    let mut text = Vec::new();
    // What cannot be written was refused where the patch was read: it is a document of the user's.
    let _ = crate::yaml::write(&body, crate::yaml::Keys::Natural, &mut text);
    Fields::new().with("target", target).with("patch", String::from_utf8_lossy(&text).into_owned()).node()
}

/// A strategic merge patch has to name an object; with a target, which one makes no difference.
fn complete(patch: &Patch, body: &Node, group: Option<&str>, release: &Release) -> Node {
    let group = group.unwrap_or_default();
    let version =
        kinds::builtin(group, &patch.kind).and_then(|kind| kind.versions((1, 34)).next()).unwrap_or("v1");
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let name = patch.target_name.as_ref().unwrap_or(&release.name);
    let mut fields = Fields::new().with("apiVersion", api_version).with("kind", Arc::clone(&patch.kind));
    let own = body.get("metadata").and_then(Node::as_map);
    let mut metadata = Fields::new().with("name", Arc::clone(name));
    for (key, entry) in own.into_iter().flatten().filter(|(key, _)| &***key != "name") {
        metadata = metadata.with_node(key, entry.node.clone());
    }
    fields = fields.with("metadata", metadata);
    for (key, entry) in body.as_map().into_iter().flatten() {
        if !matches!(&**key, "apiVersion" | "kind" | "metadata") {
            fields = fields.with_node(key, entry.node.clone());
        }
    }
    fields.node()
}

/// A regular expression that matches a text and nothing else.
fn exact(text: &str) -> String {
    regex::escape(text).replace("\\-", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_one_folder_to_another() {
        let way = |from: &str, to: &str| relative(Utf8Path::new(from), Utf8Path::new(to));
        assert_eq!(way("./deploy/envs/a/unit", "charts/web"), "../../../../charts/web");
        assert_eq!(way("./envs/a/unit", "envs/x"), "../../x");
    }
}
