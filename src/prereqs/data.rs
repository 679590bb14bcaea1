//! Prerequisites and checks for programs.

use super::{After, Prerequisites};
use crate::model::ManifestReference;
use crate::value::Node;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All of it as JSON: one list a kind, by the plural of its name.
pub fn json(needed: &Prerequisites) -> Value {
    let mut out: BTreeMap<String, Value> = BTreeMap::new();
    let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in &needed.items {
        let mut data = item.data.to_json();
        if let Value::Object(fields) = &mut data {
            let by: Vec<&str> = item.instances.iter().map(AsRef::as_ref).collect();
            fields.insert("neededBy".to_owned(), json!(by));
        }
        kinds.entry(format!("{}s", item.kind)).or_default().push(data);
    }
    out.extend(kinds.into_iter().map(|(kind, items)| (kind, Value::from(items))));
    let machines: serde_json::Map<String, Value> = needed
        .machines
        .iter()
        .map(|machine| {
            let kubelet = machine.kubelet.as_ref().map(Node::to_json);
            let entry =
                json!({"role": &*machine.role, "config": machine.config.to_json(), "kubelet": kubelet});
            (machine.name.to_string(), entry)
        })
        .collect();
    out.insert("environment".to_owned(), json!(&*needed.environment));
    out.insert("k3s".to_owned(), Value::Object(machines));
    let secrets: Vec<Value> = needed
        .secrets
        .iter()
        .map(|secret| {
            let keys: Vec<Value> = secret
                .keys
                .iter()
                .map(|key| json!({"name": &*key.name, "format": key.format.as_deref(), "placeholder": key.placeholder.as_deref(),
                    "description": key.description.as_deref()}))
                .collect();
            let readers: Vec<&str> = secret.readers.iter().map(AsRef::as_ref).collect();
            json!({"kind": "Secret", "namespace": &*secret.namespace, "name": &*secret.name, "keys": keys,
                "neededBy": readers, "supersedable": secret.supersedable, "command": secret.command()})
        })
        .collect();
    out.insert("secrets".to_owned(), Value::from(secrets));
    let references: Vec<Value> = needed
        .references
        .iter()
        .map(|reference| {
            let manifest = &reference.manifest;
            let git = manifest.git.as_ref().map(
                |(url, revision, path)| json!({"url": &**url, "revision": &**revision, "path": &**path}),
            );
            json!({"name": &*manifest.name, "instance": &*reference.instance, "url": &*manifest.url,
                "sha256": manifest.sha256.as_deref(), "flux": git, "kluctl": commands(manifest)})
        })
        .collect();
    out.insert("references".to_owned(), Value::from(references));
    let handover: Vec<&str> = needed.handover.iter().map(AsRef::as_ref).collect();
    out.insert("beforeFlux".to_owned(), json!(handover));
    json!(out)
}

/// The commands that put a fetched manifest into a cluster, checked where its digest is known.
pub(super) fn commands(manifest: &ManifestReference) -> Vec<String> {
    let file = format!("{}.yaml", manifest.name);
    let mut commands = vec![format!("curl -fsSL -o {file} {}", manifest.url)];
    let apply = format!("kubectl apply --server-side -f {file}");
    commands.push(match &manifest.sha256 {
        Some(sha256) => format!("echo '{sha256}  {file}' | sha256sum -c - && {apply}"),
        None => apply,
    });
    commands
}

/// The checks as JSON.
pub fn json_after(environment: &str, checks: &[After]) -> Value {
    let checks: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({"instance": &*check.instance, "id": &*check.id, "description": &*check.description,
                "command": &*check.command})
        })
        .collect();
    json!({"environment": environment, "checks": checks})
}
