//! Trees held against what reads them: Flux's own definitions, kluctl's strict forms, and kustomize.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    reason = "looks for definitions and for kubectl on this machine, and skips loudly"
)]

use super::tests::emitted;
use super::*;
use crate::check::ProgramParts;
use crate::model::{
    ChartDelivery, ChartSourceKind, DeclaredBy, EncryptedFile, ManifestReference, ObjectId, PatchBody,
    Release,
};
use crate::order::tests::operated;
use crate::render::tests::{instance, node, object, patch, release, span};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[path = "../../tests/suite/readers.rs"]
mod readers;

/// An environment with one of everything that a tree can hold.
fn everything() -> ProgramParts {
    let mut parts = operated();
    let with_source = |name: &str, kind: ChartSourceKind| {
        let mut release = release(name, "system", ChartDelivery::Release);
        release.chart.source.name = format!("{name}-charts").as_str().into();
        release.chart.source.kind = kind;
        release
    };
    let git = ChartSourceKind::Git {
        url: "https://example.org/c.git".into(),
        revision: "v1.0.0".into(),
        path: "charts".into(),
    };
    parts.instances[0].releases.extend([
        with_source("from-oci", ChartSourceKind::Oci("oci://ghcr.io/charts".into())),
        with_source("from-git", git),
        Release { skip_crds: true, ..with_source("from-folder", ChartSourceKind::Path("charts".into())) },
    ]);
    parts.instances[0].declares.crds[0].by = DeclaredBy::Operator;
    parts.instances[0].references = vec![ManifestReference {
        name: "crds".into(),
        url: "https://example.org/crds.yaml".into(),
        sha256: None,
        git: Some(("https://example.org/api.git".into(), "v1.3.0".into(), "config/crd".into())),
        namespace: None,
        by_reference: true,
        url_span: None,
        span: span(),
    }];
    let mut bundled = instance("bundled", "kube-system", &[]);
    bundled.releases = vec![release("bundled", "kube-system", ChartDelivery::K3s)];
    parts.instances.push(bundled);
    parts.instances[1].objects.push(object(
        &json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "j"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "cache"}}]}}}}}}),
    ));
    parts.instances[1].objects.push(object(
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "cache"}}),
    ));
    let body = |replicas: u8| node(&json!({"spec": {"replicas": replicas}}));
    parts.patches = vec![
        patch("Deployment", Some("system"), "operator", PatchBody::Merge(body(2))),
        patch(
            "Deployment",
            None,
            "other.v1",
            PatchBody::Json(node(&json!([{"op": "remove", "path": "/spec/replicas"}]))),
        ),
    ];
    let id = ObjectId {
        group: "".into(),
        kind: "Secret".into(),
        namespace: Some("shop".into()),
        name: "s".into(),
    };
    parts.encrypted = vec![EncryptedFile {
        path: "overlays/test/secrets/s.sops.yaml".into(),
        bytes: b"apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nsops: {}\n"
            .as_slice()
            .into(),
        objects: vec![(id, Vec::new())],
        sops_secret: false,
        creates: Vec::new(),
        recipients: Vec::new(),
        span: span(),
    }];
    if let Some(flux) = &mut parts.deliver.flux {
        flux.ignore = Some(node(&json!({
            "replicas": {"paths": ["/spec/replicas"], "target": {"kind": "ConfigMap", "name": "c"}},
            "everywhere": {"paths": ["/metadata/annotations/x"], "unit": "app"}})));
    }
    parts
}

fn built() -> Tree {
    let (tree, found) = emitted(everything(), &[]);
    assert_eq!(found, []);
    tree.expect("a tree")
}

fn text<'a>(tree: &'a Tree, path: &Utf8Path) -> &'a str {
    std::str::from_utf8(&tree.files()[path]).expect("UTF-8")
}

#[test]
fn what_flux_reads_is_valid_by_its_own_definitions() {
    let kinds = ["Kustomization", "HelmRelease", "HelmRepository", "GitRepository", "OCIRepository"];
    readers::taken_by_flux(built().files(), &kinds);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    discriminator: String,
    targets: Vec<ProjectTarget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectTarget {
    name: String,
    context: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    deployments: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    path: Option<String>,
    #[serde(default)]
    barrier: bool,
    message: Option<String>,
    #[serde(default)]
    wait_readiness: bool,
    #[serde(default)]
    wait_readiness_objects: Vec<ReadinessObject>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadinessObject {
    group: Option<String>,
    kind: Option<String>,
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HelmChartFile {
    helm_chart: HelmChart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HelmChart {
    repo: Option<String>,
    path: Option<String>,
    git: Option<Json>,
    chart_name: Option<String>,
    chart_version: Option<String>,
    release_name: String,
    namespace: String,
    skip_pre_pull: bool,
    #[serde(default, rename = "skipCRDs")]
    skip_crds: bool,
}

fn parsed<T: for<'de> Deserialize<'de>>(tree: &Tree, path: &str) -> T {
    yaml_serde::from_str(text(tree, Utf8Path::new(path))).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn what_kluctl_reads_is_strict() {
    let tree = built();
    let project: Project = parsed(&tree, "envs/test/.kluctl.yaml");
    assert_eq!((project.discriminator.as_str(), project.targets[0].name.as_str()), ("stackc-test", "test"));
    assert_eq!(project.targets[0].context.as_deref(), Some("test"));
    let deployment: Deployment = parsed(&tree, "envs/test/deployment.yaml");
    let mut later = 0;
    for item in &deployment.deployments {
        assert_eq!(item.path.is_none(), item.barrier);
        assert!(item.path.is_some() || !item.wait_readiness, "readiness is of items with a path");
        assert_eq!(item.message.is_some(), item.barrier);
        for made in &item.wait_readiness_objects {
            assert_eq!(made.kind.as_deref(), Some("CustomResourceDefinition"));
            assert_eq!(
                (made.group.as_deref(), made.namespace.as_deref()),
                (Some("apiextensions.k8s.io"), None)
            );
            assert_eq!(made.name, "things.example.org");
            later += 1;
        }
        if let Some(path) = &item.path {
            assert_eq!(item.tags.first(), Some(path));
            assert!(
                tree.files().contains_key(&Utf8PathBuf::from(format!("envs/test/{path}/kustomization.yaml")))
            );
        }
    }
    assert_eq!(later, 1);
    for (path, source) in
        [("operator", "repo"), ("from-oci", "oci"), ("from-git", "git"), ("from-folder", "path")]
    {
        let HelmChartFile { helm_chart: chart } =
            parsed(&tree, &format!("envs/test/operator/{path}/helm-chart.yaml"));
        // kluctl 2.28, pkg/types/helm_chart.go: one source, and a name and version only where they mean something.
        assert_eq!(
            [chart.repo.is_some(), chart.git.is_some(), chart.path.is_some()]
                .iter()
                .filter(|set| **set)
                .count(),
            1
        );
        assert_eq!(chart.chart_name.is_some(), source == "repo");
        assert_eq!(chart.chart_version.is_some(), matches!(source, "repo" | "oci"));
        assert!(chart.skip_pre_pull && !chart.release_name.is_empty() && !chart.namespace.is_empty());
        assert_eq!(chart.skip_crds, source == "path");
    }
}

#[test]
fn what_goes_through_jinja_holds_nothing_of_it() {
    let tree = built();
    for path in ["envs/test/.kluctl.yaml", "envs/test/deployment.yaml"] {
        let text = text(&tree, Utf8Path::new(path));
        assert!(["{{", "{%", "{#"].iter().all(|mark| !text.contains(mark)));
    }
    let mut parts = everything();
    if let Some(kluctl) = &mut parts.deliver.kluctl {
        kluctl.context = Some("{{ evil }}".into());
    }
    assert_eq!(emitted(parts, &[]).1.len(), 1);
}

#[test]
fn every_folder_is_taken_by_kustomize() {
    let taken = readers::taken_by_kustomize(built().files());
    assert!(taken == 0 || taken > 8);
}

#[test]
fn a_patch_reaches_an_object_with_or_without_its_namespace() {
    if std::process::Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        eprintln!("SKIPPED: no kubectl on this machine");
        return;
    }
    let tree = built();
    let folder = tempfile::tempdir().expect("a folder");
    let kustomization = text(&tree, Utf8Path::new("envs/test/operator/kustomization.yaml"));
    let patches = readers::documents(kustomization.as_bytes())[0]["patches"].clone();
    for (namespace, reached) in [("", true), ("namespace: system", true), ("namespace: elsewhere", false)] {
        let object = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: operator\n  {namespace}\nspec: {{replicas: 1}}\n"
        );
        std::fs::write(folder.path().join("object.yaml"), object).expect("written");
        let text = json!({"resources": ["object.yaml"], "patches": patches}).to_string();
        std::fs::write(folder.path().join("kustomization.yaml"), text).expect("written");
        let output = std::process::Command::new("kubectl")
            .arg("kustomize")
            .arg(folder.path())
            .output()
            .expect("kubectl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let built = readers::documents(&output.stdout);
        assert_eq!(built[0]["spec"]["replicas"], if reached { 2 } else { 1 }, "{namespace}");
    }
}

#[test]
fn the_same_environment_gives_the_same_bytes() {
    let first = built();
    let mut parts = everything();
    parts.instances[1].objects.reverse();
    let second = emitted(parts, &[]).0.expect("a tree");
    assert_eq!(first.files(), second.files());
}
