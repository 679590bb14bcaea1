use super::*;
use crate::check::ProgramParts;
use crate::diag::Diagnostic;
use crate::model::{
    ChartDelivery, ChartSource, ChartSourceKind, EncryptedFile, HostFormat, ManifestReference, ObjectId,
    PatchBody, Release,
};
use crate::order::tests::{operated, ordered};
use crate::render::tests::{node, patch, release, span};
use serde_json::json;

pub(crate) fn emitted(parts: ProgramParts, hosts: &[HostFile]) -> (Option<Tree>, Vec<Diagnostic>) {
    let (sequence, mut found) = ordered(parts);
    let mut sink = Sink::new();
    let tree = sequence.and_then(|sequence| emit(&sequence, hosts, &mut sink).ok());
    found.extend(sink.into_found());
    (tree, found)
}

fn tree(parts: ProgramParts) -> Tree {
    let (tree, found) = emitted(parts, &[]);
    assert_eq!(found, []);
    tree.expect("a tree")
}

fn text(tree: &Tree, path: &str) -> String {
    let bytes = tree.files().get(Utf8Path::new(path));
    String::from_utf8(bytes.unwrap_or_else(|| panic!("no {path}: {:#?}", tree.files().keys())).clone())
        .expect("UTF-8")
}

#[test]
fn an_environment_is_a_kluctl_project_and_a_folder_for_flux() {
    let tree = tree(operated());
    let paths: Vec<&str> = tree.files().keys().map(|path| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "clusters/test/units.yaml",
            "envs/test/.kluctl.yaml",
            "envs/test/.stackc-files",
            "envs/test/.templateignore",
            "envs/test/app/configmap-c.yaml",
            "envs/test/app/kustomization.yaml",
            "envs/test/app/thing-theirs.yaml",
            "envs/test/deployment.yaml",
            "envs/test/namespaces/kustomization.yaml",
            "envs/test/namespaces/namespace-shop.yaml",
            "envs/test/namespaces/namespace-system.yaml",
            "envs/test/operator/helm-chart.yaml",
            "envs/test/operator/helm-values.yaml",
            "envs/test/operator/kustomization.yaml",
            "envs/test/operator-config/kustomization.yaml",
            "envs/test/operator-config/thing-own.yaml",
            "flux/test/operator/helmrelease-operator.yaml",
            "flux/test/operator/kustomization.yaml",
            "flux/test/sources/helmrepository-charts.yaml",
            "flux/test/sources/kustomization.yaml",
        ]
    );
    assert_eq!(
        text(&tree, "envs/test/deployment.yaml"),
        "deployments:
- path: namespaces
  waitReadiness: true
  tags:
  - namespaces
- barrier: true
  message: level 0
- path: operator
  waitReadiness: true
  tags:
  - operator
- barrier: true
  message: level 1
- path: app
  waitReadiness: true
  tags:
  - app
- path: operator-config
  waitReadiness: true
  tags:
  - operator-config
  - operator
"
    );
    assert_eq!(
        text(&tree, "envs/test/operator/helm-chart.yaml"),
        "helmChart:
  repo: https://charts.example.org
  chartName: operator
  chartVersion: 1.2.3
  releaseName: operator
  namespace: system
  skipPrePull: true
"
    );
    assert_eq!(text(&tree, "envs/test/.templateignore"), "*\n");
    let units = text(&tree, "clusters/test/units.yaml");
    let operator = units.split("---\n").nth(2).expect("the third document");
    assert_eq!(
        operator,
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: operator
  namespace: flux-system
spec:
  dependsOn:
  - name: namespaces
  - name: sources
  interval: 1h
  retryInterval: 2m
  timeout: 10m
  sourceRef:
    kind: GitRepository
    name: flux-system
  path: ./flux/test/operator
  prune: true
  deletionPolicy: Orphan
  wait: true
"
    );
    assert!(!units.contains("postBuild") && !units.contains("decryption"));
}

#[test]
fn the_list_names_every_file_with_its_digest() {
    let tree = tree(operated());
    let list = read_list("test", &text(&tree, "envs/test/.stackc-files")).expect("a list");
    assert_eq!(list.len() + 1, tree.files().len());
    for (path, sum) in &list {
        assert_eq!(sum, &digest(&tree.files()[path]));
    }
    assert_eq!(read_list("test", "x  y\n"), None);
    let list = |path: &str| read_list("test", &format!("{}  {path}\n", "0".repeat(64)));
    assert!(list("hosts/test/machine/config.yaml").is_some());
    for foreign in [
        "../y",
        "/etc/passwd",
        "envs/test",
        "envs/other/a.yaml",
        "envs/test/../../stackc.yaml",
        "stackc.yaml",
        ".git/config",
        "envs/test/.git/config",
        "envs/.git/hooks",
    ] {
        assert_eq!(list(foreign), None, "{foreign}");
    }
}

#[test]
fn patches_travel_with_the_release_to_both_tools() {
    let mut parts = operated();
    parts.patches = vec![patch(
        "Deployment",
        Some("system"),
        "operator",
        PatchBody::Merge(node(&json!({"spec": {"replicas": 2}}))),
    )];
    let tree = tree(parts);
    let entry = "target:
    group: apps
    kind: Deployment
    name: operator
    namespace: system|default
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: operator
    spec:
      replicas: 2
";
    let kluctl = text(&tree, "envs/test/operator/kustomization.yaml");
    assert!(kluctl.contains(entry), "{kluctl}");
    let flux = text(&tree, "flux/test/operator/helmrelease-operator.yaml");
    let indented = flux.replace("\n      ", "\n");
    assert!(indented.contains(entry), "{flux}");
}

#[test]
fn charts_come_from_registries_git_and_folders() {
    let mut parts = operated();
    parts.environment.output.prefix = "deploy".into();
    let with = |kind: ChartSourceKind| {
        let mut parts = parts.clone();
        parts.instances[0].releases[0].chart.source.kind = kind;
        tree(parts)
    };
    let oci = with(ChartSourceKind::Oci("oci://ghcr.io/charts".into()));
    assert!(
        text(&oci, "envs/test/operator/helm-chart.yaml").contains("repo: oci://ghcr.io/charts/operator\n")
    );
    assert!(
        text(&oci, "flux/test/operator/ocirepository-operator.yaml")
            .contains("url: oci://ghcr.io/charts/operator\n")
    );
    assert!(!oci.files().keys().any(|path| path.as_str().contains("sources")));
    let git = with(ChartSourceKind::Git {
        url: "https://example.org/c.git".into(),
        revision: "v1.0.0".into(),
        path: "charts".into(),
    });
    assert!(text(&git, "flux/test/sources/gitrepository-charts.yaml").contains("tag: v1.0.0\n"));
    assert!(text(&git, "envs/test/operator/helm-chart.yaml").contains("subDir: charts/operator\n"));
    let path = with(ChartSourceKind::Path("charts".into()));
    assert!(
        text(&path, "envs/test/operator/helm-chart.yaml").contains("path: ../../../../charts/operator\n")
    );
    assert!(
        text(&path, "flux/test/operator/helmrelease-operator.yaml").contains("chart: ./charts/operator\n")
    );
    assert!(text(&path, "clusters/test/units.yaml").contains("path: ./deploy/envs/test/app\n"));
}

#[test]
fn every_chart_comes_from_its_own_repository() {
    let mut parts = operated();
    let http = |url: &str| ChartSourceKind::Http(url.into());
    let git = || ChartSourceKind::Git {
        url: "https://example.org/c.git".into(),
        revision: "main".into(),
        path: "".into(),
    };
    let sources = [
        ("a", ChartSource::unnamed("podinfo", http("https://one.example.org"))),
        ("b", ChartSource::unnamed("podinfo", http("https://two.example.org"))),
        ("c", ChartSource { name: "podinfo".into(), kind: http("https://three.example.org") }),
        ("d", ChartSource { name: "podinfo".into(), kind: git() }),
        // The name of the source that Flux reads the tree from.
        ("e", ChartSource { name: "flux-system".into(), kind: git() }),
    ];
    let releases = sources.map(|(name, source)| {
        let mut release = release(name, "system", ChartDelivery::Release);
        release.chart.source = source;
        release
    });
    parts.instances[0].releases = releases.into();
    let tree = tree(parts);
    let read = |name: &str| -> serde_json::Value {
        let text = text(&tree, &format!("flux/test/operator/helmrelease-{name}.yaml"));
        yaml_serde::from_str(&text).expect("YAML")
    };
    let mut names = Vec::new();
    for (name, url) in [
        ("a", "https://one.example.org"),
        ("b", "https://two.example.org"),
        ("c", "https://three.example.org"),
        ("d", "https://example.org/c.git"),
        ("e", "https://example.org/c.git"),
    ] {
        let release = read(name);
        let source = &release["spec"]["chart"]["spec"]["sourceRef"];
        let (kind, name) =
            (source["kind"].as_str().expect("a kind"), source["name"].as_str().expect("a name"));
        let file = format!("flux/test/sources/{}-{name}.yaml", kind.to_lowercase());
        assert!(text(&tree, &file).contains(&format!("  url: {url}\n")), "{file}");
        names.push(name.to_owned());
    }
    assert_eq!((names[2].as_str(), names[3].as_str()), ("podinfo", "podinfo"));
    assert!(names[4].starts_with("flux-system-"), "{names:?}");
}

#[test]
fn paths_are_joined_with_slashes() {
    let join = |folder: &str, path: &str| slashed(Utf8Path::new(folder), path).into_string();
    assert_eq!(join("envs/a", "b.yaml"), "envs/a/b.yaml");
    assert_eq!(join("envs/a/", "b/c.yaml"), "envs/a/b/c.yaml");
    assert_eq!((join("", "b").as_str(), join("a", "").as_str(), join("a", "/b").as_str()), ("b", "a", "/b"));
}

#[test]
fn several_releases_of_one_instance_have_a_folder_each() {
    let mut parts = operated();
    let first = parts.instances[0].releases[0].clone();
    parts.instances[0].releases.push(Release { name: "second".into(), ..first });
    let tree = tree(parts);
    let kustomization = text(&tree, "envs/test/operator/kustomization.yaml");
    assert!(
        kustomization.contains("- operator/helm-rendered.yaml\n- second/helm-rendered.yaml\n"),
        "{kustomization}"
    );
    assert!(tree.files().contains_key(Utf8Path::new("envs/test/operator/second/helm-values.yaml")));
    assert!(tree.files().contains_key(Utf8Path::new("flux/test/operator/helmrelease-second.yaml")));
}

#[test]
fn encrypted_files_are_copied_byte_for_byte() {
    let bytes: &[u8] = b"data:\r\n  a: ENC[x]   # odd\n";
    let file = |path: &str, sops_secret: bool| EncryptedFile {
        path: path.into(),
        bytes: bytes.into(),
        objects: vec![(
            ObjectId {
                group: "".into(),
                kind: "Secret".into(),
                namespace: Some("shop".into()),
                name: path.into(),
            },
            Vec::new(),
        )],
        sops_secret,
        creates: Vec::new(),
        recipients: Vec::new(),
        span: span(),
    };
    let mut parts = operated();
    parts.encrypted = vec![file("secrets/a.sops.yaml", false), file("secrets/b.sops.yaml", true)];
    let tree = tree(parts);
    assert_eq!(tree.files()[Utf8Path::new("envs/test/secrets/a.sops.yaml")], bytes);
    assert_eq!(tree.files()[Utf8Path::new("envs/test/sopssecrets/b.sopssecret")], bytes);
    let units = text(&tree, "clusters/test/units.yaml");
    let with_keys: Vec<&str> = units.split("---\n").filter(|unit| unit.contains("decryption:")).collect();
    assert_eq!(with_keys.len(), 1);
    assert!(with_keys[0].contains("name: secrets\n") && with_keys[0].contains("name: sops-age\n"));
}

#[test]
fn references_are_fetched_by_flux_alone() {
    let mut parts = operated();
    parts.instances[0].releases.clear();
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
    let tree = tree(parts);
    let units = text(&tree, "clusters/test/units.yaml");
    assert!(units.contains("    name: operator-crds\n  path: ./config/crd\n  prune: false\n"), "{units}");
    assert!(tree.files().contains_key(Utf8Path::new("flux/test/sources/gitrepository-operator-crds.yaml")));
    assert!(!text(&tree, "envs/test/deployment.yaml").contains("operator-crds"));
}

#[test]
fn host_files_stay_in_their_folder() {
    let host = |path: &str, format, content: &serde_json::Value| HostFile {
        path: path.into(),
        format,
        content: node(content),
        instance: "k3s".into(),
        schema: None,
        limit: None,
        span: span(),
    };
    let good = [
        host("n1/config.yaml", HostFormat::Yaml, &json!({"cluster-init": true})),
        host("n1/cloud.yaml", HostFormat::CloudConfig, &json!({"hostname": "n1"})),
        host("n1/motd", HostFormat::Text, &json!("hello\n")),
    ];
    let (tree, found) = emitted(operated(), &good);
    assert_eq!(found, []);
    let tree = tree.expect("a tree");
    assert_eq!(text(&tree, "hosts/test/n1/config.yaml"), "cluster-init: true\n");
    assert_eq!(text(&tree, "hosts/test/n1/cloud.yaml"), "#cloud-config\nhostname: n1\n");
    assert_eq!(text(&tree, "hosts/test/n1/motd"), "hello\n");
    for bad in ["../x", "/x", "a/../../x", ""] {
        let (_, found) = emitted(operated(), &[host(bad, HostFormat::Text, &json!(""))]);
        assert_eq!(found.len(), 1, "{bad}");
    }
}
