use super::*;
use crate::check::{Program, ProgramParts};
use crate::diag::Severity;
use crate::render::tests::{complete, instance, program};
use serde_json::{Value as Json, json};

fn validated(parts: ProgramParts) -> Vec<Diagnostic> {
    let mut sink = Sink::new();
    let result = crate::render::render(
        Program::of(complete(parts)),
        &crate::package::supply::Supplied::nothing(&crate::source::Sources::new()),
        crate::package::memo::Recall::nothing(),
        &mut sink,
    )
    .and_then(|rendering| crate::link::link(rendering, &mut sink))
    .and_then(|linked| validate(linked, &Library::default(), &mut sink));
    drop(result);
    sink.into_found()
}

fn found(objects: &[Json]) -> Vec<String> {
    let found = validated(program(vec![instance("app", "shop", objects)]));
    found.into_iter().map(|diagnostic| format!("{}: {}", diagnostic.code, diagnostic.message)).collect()
}

fn config(name: &str, metadata: &Json) -> Json {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    object["metadata"]["name"] = json!(name);
    object
}

#[test]
fn one_object_is_made_once() {
    let twice = [config("a", &json!({})), config("b", &json!({})), config("a", &json!({}))];
    assert_eq!(found(&twice), ["duplicate-object: `ConfigMap/shop/a` is made twice in this environment"]);
    let apart = program(vec![
        instance("app", "shop", &[config("a", &json!({}))]),
        instance("other", "shop", &[config("a", &json!({}))]),
    ]);
    assert_eq!(validated(apart).len(), 1);
}

#[test]
fn names_and_labels_are_what_kubernetes_takes() {
    let long = "x".repeat(64);
    let service = |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    let role =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "A:b_c"}});
    assert_eq!(found(&[role, config(&long, &json!({})), service("a-b")]), Vec::<String>::new());
    for (object, code, end) in [
        (service(&long), "invalid-name", "has more than 63 characters"),
        (service("1a"), "invalid-name", "a letter or digit last"),
        (config("A", &json!({})), "invalid-name", "with a letter or digit at both ends of each part"),
        (config("a", &json!({"labels": {"k": long}})), "invalid-name", "has more than 63 characters"),
        (config("a", &json!({"labels": {"k": "-x"}})), "invalid-name", "with a letter or digit at both ends"),
        (
            config("a", &json!({"labels": {"Up.org/k": "x"}})),
            "invalid-name",
            "has a prefix that is no DNS name",
        ),
        (
            config("a", &json!({"labels": {"k": 1}})),
            "wrong-type",
            "of type integer, and a string is expected",
        ),
        (
            config("a", &json!({"annotations": {"k": true}})),
            "wrong-type",
            "of type boolean, and a string is expected",
        ),
        (config("a", &json!({"label": {"k": "x"}})), "unknown-field", "`metadata.label` in ConfigMap/shop/a"),
    ] {
        let found = found(std::slice::from_ref(&object));
        assert!(
            found.len() == 1 && found[0].starts_with(code) && found[0].ends_with(end),
            "{object}: {found:?}"
        );
    }
    let upper = config("a", &json!({"annotations": {"Up.org/k": "any value: at all"}}));
    assert_eq!(found(&[upper]), Vec::<String>::new());
}

#[test]
fn secrets_in_plain_text_are_refused() {
    let secret = |data: Json| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": data});
    assert_eq!(
        found(&[secret(json!({"a": "x"}))]),
        ["plain-secret: `stringData.a` of Secret/shop/s would be written to the tree in plain text"]
    );
    assert_eq!(found(&[secret(json!({"a": ""}))]), Vec::<String>::new());
}

#[test]
fn replicas_are_kept_apart() {
    let deployment = |replicas: u8, pods: Json| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "d"}, "spec": {"replicas": replicas, "template": {"spec": pods}}})
    };
    let spread = json!({"topologySpreadConstraints": [
        {"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]});
    assert_eq!(found(&[deployment(2, spread)]), Vec::<String>::new());
    assert_eq!(found(&[deployment(1, json!({}))]), Vec::<String>::new());
    assert_eq!(
        found(&[deployment(2, json!({"affinity": {"podAntiAffinity": {}}}))]),
        ["missing-spread: the 2 replicas of `Deployment/shop/d` may all run on one node"]
    );
    let mut parts = program(vec![instance("app", "shop", &[deployment(2, json!({}))])]);
    assert_eq!(validated(parts.clone())[0].severity, Severity::Error);
    parts.environment.environment = "staging".into();
    assert_eq!(validated(parts)[0].severity, Severity::Warning);
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"minReplicas": 3, "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}});
    assert_eq!(found(&[deployment(1, json!({})), scaler]).len(), 1);
}
