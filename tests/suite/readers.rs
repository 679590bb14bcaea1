//! What reads a tree, as tests: Flux's own definitions, and kustomize.
//!
//! A tree is its files by path. What is not on this machine is skipped, loudly. Used by the suite for the environments of this
//! repository, and by the tests of `emit` for an environment with one of everything.

use camino::Utf8PathBuf;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes by path below the output folder.
pub(crate) type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// The documents of a file, as another reader of YAML takes them.
pub(crate) fn documents(bytes: &[u8]) -> Vec<Json> {
    yaml_serde::Deserializer::from_slice(bytes)
        .map(|document| Json::deserialize(document).expect("YAML that another reader takes too"))
        .collect()
}

/// Kind, module, file of its definition, version.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("Kustomization", "kustomize-controller@v1.9.4", "kustomize.toolkit.fluxcd.io_kustomizations.yaml", "v1"),
    ("HelmRelease", "helm-controller@v1.6.3", "helm.toolkit.fluxcd.io_helmreleases.yaml", "v2"),
    ("HelmRepository", "source-controller@v1.9.4", "source.toolkit.fluxcd.io_helmrepositories.yaml", "v1"),
    ("GitRepository", "source-controller@v1.9.4", "source.toolkit.fluxcd.io_gitrepositories.yaml", "v1"),
    ("OCIRepository", "source-controller@v1.9.4", "source.toolkit.fluxcd.io_ocirepositories.yaml", "v1"),
];

/// Where Go keeps the modules that were downloaded.
fn module_cache() -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    std::env::var("GOMODCACHE").map_or_else(|_| PathBuf::from(home).join("go/pkg/mod"), PathBuf::from)
}

/// The schema of a kind in Flux's own definitions, closed: a field that is not in it is refused.
fn flux_schema(module: &str, file: &str, version: &str) -> Option<Json> {
    let path = module_cache().join("github.com/fluxcd").join(module).join("config/crd/bases").join(file);
    let definition = documents(&std::fs::read(&path).ok()?).into_iter().next()?;
    let versions = definition.pointer("/spec/versions")?.as_array()?;
    let mut schema =
        versions.iter().find(|entry| entry["name"] == version)?.pointer("/schema/openAPIV3Schema")?.clone();
    close(&mut schema);
    schema["properties"]["metadata"] = json!({"type": "object"});
    Some(schema)
}

fn close(schema: &mut Json) {
    if let Some(map) = schema.as_object_mut() {
        let open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&Json::Bool(true));
        if map.contains_key("properties") && !open && !map.contains_key("additionalProperties") {
            map.insert("additionalProperties".to_owned(), Json::Bool(false));
        }
    }
    match schema {
        Json::Object(map) => map.values_mut().for_each(close),
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds everything that Flux reads against its own definitions; every kind of `wanted` has to be there.
pub(crate) fn taken_by_flux(files: &Files, wanted: &[&str]) {
    for (kind, module, file, version) in KINDS {
        let Some(schema) = flux_schema(module, file, version) else {
            eprintln!("SKIPPED: no definition of {kind}; go mod download github.com/fluxcd/{module}");
            continue;
        };
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let mut seen = false;
        for (path, bytes) in files.iter().filter(|(p, _)| p.starts_with("clusters") || p.starts_with("flux"))
        {
            for document in documents(bytes) {
                let group =
                    document["apiVersion"].as_str().and_then(|api| api.split_once(".toolkit.fluxcd.io/"));
                if document["kind"] == *kind && group.is_some_and(|(_, found)| found == *version) {
                    let errors: Vec<String> = validator
                        .iter_errors(&document)
                        .map(|error| format!("{}: {error}", error.instance_path()))
                        .collect();
                    assert!(errors.is_empty(), "{path}: {errors:#?}\n{document:#}");
                    seen = true;
                }
            }
        }
        assert!(seen || !wanted.contains(kind), "the tree holds no {kind}");
    }
}

/// Builds every folder with a kustomization, with a stand-in where kluctl would render a chart; the number of folders, none
/// without kubectl.
pub(crate) fn taken_by_kustomize(files: &Files) -> usize {
    let kustomize = |folder: &Path| Command::new("kubectl").arg("kustomize").arg(folder).output();
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    let mut taken = 0;
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with("kustomization.yaml")) {
        let unit = folder.path().join(path).parent().expect("a folder").to_owned();
        let kustomization = &documents(bytes)[0];
        let listed = kustomization["resources"].as_array().cloned().unwrap_or_default();
        let missing = |name: &&str| *name == "helm-rendered.yaml" || name.ends_with("/helm-rendered.yaml");
        for (index, resource) in listed.iter().filter_map(Json::as_str).filter(missing).enumerate() {
            let mut text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: stand-in-{index}}}\n");
            let mut targets = BTreeSet::new();
            for patch in kustomization["patches"].as_array().into_iter().flatten().filter(|_| index == 0) {
                // What a patch aims at: its namespace is a pattern of alternatives.
                let of = |key: &str| patch["target"][key].as_str().unwrap_or_default().replace('\\', "");
                let namespace = of("namespace").split('|').next().unwrap_or_default().to_owned();
                // Two patches may aim at one object.
                targets.insert(format!(
                    "---\napiVersion: {}/v1\nkind: {}\nmetadata: {{name: '{}', namespace: '{namespace}'}}\nspec: {{replicas: 1}}\n",
                    of("group"),
                    of("kind"),
                    of("name"),
                ));
            }
            text.extend(targets);
            std::fs::write(unit.join(resource), text).expect("written");
        }
        let Ok(output) = kustomize(&unit) else {
            eprintln!("SKIPPED: no kubectl on this machine");
            return 0;
        };
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        taken += 1;
    }
    taken
}
