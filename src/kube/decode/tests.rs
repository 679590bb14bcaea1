//! Decoding, by example.

use super::*;
use crate::value::Origin;
use serde_json::{Value as Json, json};

fn object(json: &Json) -> Node {
    Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
}

/// What is told, by field: JSON has no order.
fn told(json: &Json, kind: (&str, &str, &str), release: Minor) -> Vec<String> {
    let mut told: Vec<String> = match decode(&object(json), kind, release) {
        Ok(_) => Vec::new(),
        Err(causes) => causes
            .into_vec()
            .into_iter()
            .map(|cause| {
                let help = cause.help.map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{}: {}{help}", cause.path, cause.message)
            })
            .collect(),
    };
    told.sort();
    told
}

const DEPLOYMENT: (&str, &str, &str) = ("apps", "v1", "Deployment");

#[test]
fn fields_that_do_not_exist_are_told_with_what_was_meant() {
    let object = json!({"spec": {
        "relpicas": 2, "Paused": true, "containers": [],
        "template": {"spec": {"containers": [{"name": "a", "livenessProbe": {"exec": {"periodSeconds": 3}}}], "replicas": 1}}}});
    let gone = "there is no such field";
    assert_eq!(
        told(&object, DEPLOYMENT, (1, 34)),
        [
            format!("spec.Paused: {gone} (write `paused`: names of fields count in their case)"),
            format!("spec.containers: {gone} (it belongs to `spec.template.spec`)"),
            format!("spec.relpicas: {gone} (did you mean `replicas`?)"),
            format!(
                "spec.template.spec.containers[0].livenessProbe.exec.periodSeconds: {gone} (it belongs to `spec.template.spec.containers[0].livenessProbe`)"
            ),
            format!("spec.template.spec.replicas: {gone} (it belongs to `spec`)"),
        ]
    );
}

#[test]
fn a_release_has_the_fields_that_it_has() {
    let pod = json!({"spec": {"hostnameOverride": "a", "containers": []}});
    let kind = ("", "v1", "Pod");
    assert_eq!(
        told(&pod, kind, (1, 33)),
        [
            "spec.hostnameOverride: there is no such field (Kubernetes knows it from 1.34 on, and the environment has 1.33)"
        ]
    );
    assert!(told(&pod, kind, (1, 34)).is_empty());
    let later = json!({"spec": {"whatever": "a"}});
    assert_eq!(told(&later, kind, (1, 34)).len(), 1);
    assert!(told(&later, kind, (1, 99)).is_empty());
}

#[test]
fn values_have_their_type() {
    let object = json!({
        "metadata": {"labels": {"a": 1}, "creationTimestamp": "yesterday"},
        "spec": {"replicas": "3", "minReadySeconds": 2.0, "revisionHistoryLimit": 3_000_000_000_u64, "paused": "true",
            "template": {"spec": {"containers": [{"args": {"a": "b"}, "ports": [{"containerPort": "http"}],
                "livenessProbe": {"httpGet": {"port": true}},
                "resources": {"limits": {"memory": "64mi", "cpu": 0.5}}}]}}}});
    assert_eq!(
        told(&object, DEPLOYMENT, (1, 34)),
        [
            "metadata.creationTimestamp: `yesterday` is no time (write it as `2006-01-02T15:04:05Z`)",
            "metadata.labels.a: it is of type integer, and a string is expected (quote it, or make a string of it with `string(...)`)",
            "spec.minReadySeconds: `2.0` is no integer (write it without a point)",
            "spec.paused: it is of type string, and a boolean is expected (write `true` without quotes)",
            "spec.replicas: it is of type string, and an integer is expected (write `3` without quotes, or make an integer of it with `int(...)`)",
            "spec.revisionHistoryLimit: `3000000000` does not fit (write an integer from -2147483648 to 2147483647)",
            "spec.template.spec.containers[0].args: it is of type map, and a list is expected (write its items with `- `)",
            "spec.template.spec.containers[0].livenessProbe.httpGet.port: it is of type boolean, and an integer or a string is expected",
            "spec.template.spec.containers[0].ports[0].containerPort: it is of type string, and an integer is expected",
            "spec.template.spec.containers[0].resources.limits.memory: `64mi` is no quantity (write a number with a suffix that Kubernetes knows, as `500m`, `2`, `64Mi` or `1.5Gi`)",
        ]
    );
    let secret = json!({"data": {"a": "not base64!"}});
    assert_eq!(
        told(&secret, ("", "v1", "Secret"), (1, 34)),
        [
            "data.a: the text is no base64 at byte 3 (encode it in base64, or write it under `stringData` where the kind has that)"
        ]
    );
}

#[test]
fn nulls_and_fields_behind_a_gate_are_not_held() {
    let pod = object(&json!({
        "metadata": {"name": null, "labels": {"a": null}},
        "spec": {"hostnameOverride": "No Name", "containers": [null, {"name": "b", "args": [null, "c"],
            "resources": {"requests": {"cpu": null}}}]}}));
    let kept = decode(&pod, ("", "v1", "Pod"), (1, 34)).expect("an object");
    assert_eq!(
        kept.to_json(),
        json!({
            "metadata": {"labels": {"a": ""}},
            "spec": {"containers": [{}, {"name": "b", "args": ["", "c"], "resources": {"requests": {"cpu": "0"}}}]}})
    );
    let plain = object(&json!({"spec": {"containers": []}}));
    assert!(matches!(decode(&plain, ("", "v1", "Pod"), (1, 34)), Ok(Cow::Borrowed(_))));
}

#[test]
fn schemas_that_decode_themselves_let_unknown_fields_pass() {
    let of = |schema: Json| {
        let object = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}});
        told(&object, ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), (1, 34)).len()
    };
    assert_eq!(of(json!({"properties": {"a": {"typ": "string"}}})), 1);
    assert_eq!(of(json!({"items": {"typ": "string"}})), 0);
    assert_eq!(of(json!({"items": {"type": 3}})), 1);
    assert_eq!(of(json!({"additionalProperties": "yes"})), 1);
    assert_eq!(of(json!({"additionalProperties": true, "default": [1], "enum": [null]})), 0);
}
