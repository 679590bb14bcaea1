//! Programs made by hand, for the tests of this phase and the later ones.

use super::*;
use crate::check::ProgramParts;
use crate::model::{
    ChartRef, ChartSource, Declares, FluxDelivery, Gvk, KluctlDelivery, ObjectId, ObjectSource, Output,
    PatchBody, StackOwner,
};
use crate::source::Sources;
use crate::value::{Origin, Value};
use serde_json::json;

/// Something to point at.
pub(crate) fn span() -> Span {
    let sources = Sources::new();
    Span::new(sources.add("overlays/test/overlay.yaml", "spec:\n  stacks: {}\n"), 0, 4)
}

pub(crate) fn node(json: &serde_json::Value) -> Node {
    let origin = Origin::Written(span());
    Node::new(Value::from_json(json, &origin), origin)
}

pub(crate) fn object(json: &serde_json::Value) -> Object {
    let text = |pointer: &str| json.pointer(pointer).and_then(serde_json::Value::as_str);
    let gvk = Gvk::new(text("/apiVersion").unwrap_or(""), text("/kind").unwrap_or(""));
    Object {
        id: ObjectId {
            group: Arc::clone(&gvk.group),
            kind: Arc::clone(&gvk.kind),
            namespace: text("/metadata/namespace").map(Arc::from),
            name: text("/metadata/name").unwrap_or("").into(),
        },
        gvk,
        node: node(json),
        source: ObjectSource::Resource { id: "test".into(), span: span(), stack: StackOwner::Library },
    }
}

/// The objects of a program with what an API server asks of their kinds, so that a test says only what it is about.
pub(crate) fn complete(mut parts: ProgramParts) -> ProgramParts {
    for instance in &mut parts.instances {
        for object in &mut instance.objects {
            let mut json = object.node.to_json();
            if complete_object(&object.id.kind, &mut json) {
                object.node = node(&json);
            }
        }
    }
    parts
}

fn complete_object(kind: &str, object: &mut serde_json::Value) -> bool {
    let pods = |object: &mut serde_json::Value, template: &str, policy: Option<&str>| {
        fill(object, &format!("{template}/spec/containers"), json!([{"name": "c"}]));
        let containers = object.pointer_mut(&format!("{template}/spec/containers"));
        for container in containers.and_then(|found| found.as_array_mut()).into_iter().flatten() {
            fill(container, "/image", json!("registry.example.org/c:1.0.0"));
        }
        if let Some(policy) = policy {
            fill(object, &format!("{template}/spec/restartPolicy"), json!(policy));
        }
    };
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => {
            pods(object, "/spec/template", None);
            fill(object, "/spec/selector/matchLabels", json!({"app": "a"}));
            fill(object, "/spec/template/metadata/labels", json!({"app": "a"}));
        }
        "Job" => pods(object, "/spec/template", Some("Never")),
        "CronJob" => {
            pods(object, "/spec/jobTemplate/spec/template", Some("Never"));
            fill(object, "/spec/schedule", json!("@daily"));
        }
        "PersistentVolumeClaim" => {
            fill(object, "/spec/accessModes", json!(["ReadWriteOnce"]));
            fill(object, "/spec/resources/requests/storage", json!("1Gi"));
        }
        "CustomResourceDefinition" => {
            for version in object
                .pointer_mut("/spec/versions")
                .and_then(|found| found.as_array_mut())
                .into_iter()
                .flatten()
            {
                fill(version, "/storage", json!(true));
                let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
                fill(version, "/schema/openAPIV3Schema", any);
            }
        }
        _ => return false,
    }
    true
}

/// Sets what is not there.
fn fill(object: &mut serde_json::Value, pointer: &str, value: serde_json::Value) {
    let mut at = object;
    for key in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[key];
    }
    if at.is_null() {
        *at = value;
    }
}

pub(crate) fn instance(name: &str, namespace: &str, objects: &[serde_json::Value]) -> Instance {
    Instance {
        name: name.into(),
        stack: name.into(),
        span: span(),
        namespace: Some(namespace.into()),
        namespace_span: Some(span()),
        namespace_labels: None,
        delivery: ChartDelivery::Release,
        objects: objects.iter().map(object).collect(),
        references: Vec::new(),
        releases: Vec::new(),
        secrets: Vec::new(),
        provides: Vec::new(),
        declares: Declares::default(),
        after: Vec::new(),
        verify: Vec::new(),
        prereqs: Vec::new(),
    }
}

pub(crate) fn release(name: &str, namespace: &str, delivery: ChartDelivery) -> Release {
    Release {
        name: name.into(),
        namespace: namespace.into(),
        chart: ChartRef {
            source: ChartSource {
                name: "charts".into(),
                kind: ChartSourceKind::Http("https://charts.example.org".into()),
            },
            name: name.into(),
            version: "1.2.3".into(),
            version_origin: Origin::Written(span()),
        },
        values: node(&json!({"replicas": 2})),
        delivery,
        helm: "4.2".into(),
        bootstrap: false,
        skip_crds: false,
        span: span(),
    }
}

pub(crate) fn program(instances: Vec<Instance>) -> ProgramParts {
    ProgramParts {
        environment: Environment {
            name: "test".into(),
            project: "project".into(),
            environment: "production".into(),
            kubernetes: "1.34".into(),
            kubernetes_span: None,
            span: span(),
            output: Output { dir: ".".into(), prefix: "".into() },
        },
        deliver: Deliver {
            charts: ChartDelivery::Release,
            charts_span: None,
            flux: Some(FluxDelivery {
                source_kind: "GitRepository".into(),
                source_name: "flux-system".into(),
                namespace: "flux-system".into(),
                decryption_secret: Some("sops-age".into()),
                ignore: None,
            }),
            kluctl: Some(KluctlDelivery {
                context: Some("test".into()),
                discriminator: "stackc-test".into(),
            }),
        },
        instances,
        bindings: Vec::new(),
        externals: Vec::new(),
        patches: Vec::new(),
        encrypted: Vec::new(),
    }
}

pub(crate) fn patch(kind: &str, namespace: Option<&str>, name: &str, body: PatchBody) -> Patch {
    Patch {
        name: "patch".into(),
        group: None,
        kind: kind.into(),
        namespace: namespace.map(Arc::from),
        target_name: Some(name.into()),
        body,
        target_span: span(),
        span: span(),
    }
}

pub(crate) fn rendered(parts: ProgramParts) -> (Option<Rendering>, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let rendering =
        render(Program::of(parts), &Supplied::nothing(&Sources::new()), Recall::nothing(), &mut sink).ok();
    (rendering, sink.into_found())
}

fn codes_of(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

fn config(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

#[test]
fn objects_get_their_namespace_and_namespaces_are_written() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "r", "namespace": "x"}});
    let (rendering, found) = rendered(program(vec![instance("app", "shop", &[config("c"), role])]));
    assert_eq!(found, []);
    let rendering = rendering.expect("a rendering");
    let ids: Vec<String> = rendering.objects().iter().map(|placed| placed.object.id.to_string()).collect();
    assert_eq!(ids, ["ConfigMap/shop/c", "ClusterRole/r", "Namespace/shop"]);
    let first = rendering.objects()[0].object.node.to_json();
    assert_eq!(first.pointer("/metadata/namespace"), Some(&json!("shop")));
    assert_eq!(rendering.objects()[1].object.node.to_json().pointer("/metadata/namespace"), None);
}

#[test]
fn a_namespace_of_a_stack_gets_the_labels_of_the_instance() {
    let own = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "stack"}}});
    let mut app = instance("app", "shop", &[own, config("c")]);
    app.namespace_labels = Some(node(&json!({"a": "overlay", "b": "overlay"})));
    let (rendering, _) = rendered(program(vec![app]));
    let rendering = rendering.expect("a rendering");
    assert_eq!(rendering.objects().len(), 2);
    let labels = rendering.objects()[0].object.node.to_json();
    assert_eq!(labels.pointer("/metadata/labels"), Some(&json!({"a": "stack", "b": "overlay"})));
    assert_eq!(rendering.objects()[0].part, None);
}

#[test]
fn a_namespace_that_no_one_makes_is_refused() {
    let mut stray = config("c");
    stray["metadata"]["namespace"] = json!("shpo");
    let (_, found) = rendered(program(vec![instance("app", "shop", &[stray])]));
    assert_eq!(codes_of(&found), ["namespace-missing"]);
    assert_eq!(found[0].helps[0], "did you mean `shop`?");
    let system = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "kube-system"}});
    assert_eq!(rendered(program(vec![instance("app", "shop", &[system])])).1, []);
}

#[test]
fn a_kind_that_nothing_brings_is_refused_with_what_may_be_meant() {
    let typo = json!({"apiVersion": "apps/v1", "kind": "Deploymnet", "metadata": {"name": "a"}});
    let group = json!({"apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": {"name": "b"}});
    let old = json!({"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "c"}});
    let (_, found) = rendered(program(vec![instance("app", "shop", &[typo, group, old])]));
    assert_eq!(codes_of(&found), ["unknown-kind"; 3]);
    assert_eq!(found[0].helps[0], "did you mean `Deployment`?");
    assert_eq!(found[1].helps[0], "`Ingress` is of `apiVersion: networking.k8s.io/v1`");
    assert_eq!(found[2].helps[0], "write `apiVersion: batch/v1`");
}

#[test]
fn patches_apply_in_order_and_must_match() {
    let mut parts = program(vec![instance("app", "shop", &[config("c")])]);
    let body = |json| PatchBody::Merge(node(&json));
    parts.patches = vec![
        patch("ConfigMap", Some("shop"), "c", body(json!({"data": {"a": "2", "b": "3"}}))),
        patch(
            "ConfigMap",
            None,
            "c",
            PatchBody::Json(node(&json!([{"op": "test", "path": "/data/a", "value": "2"},
                {"op": "remove", "path": "/data/b"}]))),
        ),
    ];
    let (rendering, found) = rendered(parts.clone());
    assert_eq!(found, []);
    let rendering = rendering.expect("a rendering");
    let json = rendering.objects()[0].object.node.to_json();
    assert_eq!(json.pointer("/data"), Some(&json!({"a": "2"})));
    assert!(
        rendering.objects()[0].object.node.at(&["data", "a"]).is_some_and(|node| node.origin.was().is_some())
    );

    parts.patches = vec![
        patch("ConfigMap", Some("shop"), "d", body(json!({"data": {}}))),
        patch("ConfigMap", Some("shpo"), "c", body(json!({"data": {}}))),
        patch("ConfigMap", Some("shop"), "c", body(json!({"metadata": {"name": "d"}}))),
    ];
    let (_, found) = rendered(parts);
    assert_eq!(
        codes_of(&found),
        ["patch-matches-nothing", "patch-matches-nothing", "patch-changes-identity"]
    );
    assert_eq!(found[0].helps[0], "did you mean the name `c`?");
    assert_eq!(found[1].helps[0], "did you mean `ConfigMap/shop/c`?");
}

#[test]
fn a_patch_for_a_chart_travels_with_its_release() {
    let mut app = instance("app", "shop", &[]);
    app.releases = vec![release("app", "shop", ChartDelivery::Release)];
    let mut parts = program(vec![app]);
    let body = || PatchBody::Merge(node(&json!({"spec": {"replicas": 3}})));
    parts.patches = vec![patch("Deployment", Some("shop"), "app", body())];
    let (rendering, found) = rendered(parts.clone());
    assert_eq!(found, []);
    assert_eq!(rendering.expect("a rendering").parts()[0].releases[0].patches.len(), 1);
    parts.patches = vec![patch("Deployment", Some("other"), "app", body())];
    assert_eq!(codes_of(&rendered(parts.clone()).1), ["patch-matches-nothing"]);
    parts.instances[0].releases[0].delivery = ChartDelivery::K3s;
    parts.patches = vec![patch("Deployment", Some("shop"), "app", body())];
    assert_eq!(codes_of(&rendered(parts).1), ["undeliverable"]);
}

#[test]
fn k3s_delivery_makes_helm_charts() {
    let mut app = instance("app", "shop", &[]);
    app.releases = vec![Release { bootstrap: true, ..release("app", "shop", ChartDelivery::K3s) }];
    let (rendering, found) = rendered(program(vec![app]));
    assert_eq!(found, []);
    let json = rendering.expect("a rendering").objects()[0].object.node.to_json();
    assert_eq!(json.pointer("/metadata"), Some(&json!({"name": "app", "namespace": "kube-system"})));
    let spec = json.pointer("/spec").expect("a spec");
    assert_eq!(spec["repo"], json!("https://charts.example.org"));
    assert_eq!((&spec["version"], &spec["bootstrap"]), (&json!("1.2.3"), &json!(true)));
    assert_eq!((&spec["targetNamespace"], &spec["createNamespace"]), (&json!("shop"), &json!(true)));
    assert!(spec["valuesContent"].as_str().is_some_and(|text| text.contains("replicas")));
}

#[test]
fn ranges_are_refused_where_a_release_stays_one() {
    let mut app = instance("app", "shop", &[]);
    let mut ranged = release("app", "shop", ChartDelivery::Release);
    ranged.chart.version = "^1.2".into();
    app.releases = vec![ranged];
    assert_eq!(codes_of(&rendered(program(vec![app])).1), ["inexact-version"]);
}
