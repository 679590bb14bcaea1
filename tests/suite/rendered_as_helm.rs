//! Every rendered release of this repository's environments, object by object, against what Helm makes of the same
//! chart, values, names and capabilities.
//!
//! What a tree changes on purpose is done to Helm's objects here, in the test's own words: namespaces, hooks, the
//! protections of kinds that hold data, and patches of the overlay. Everything else has to be the same. Helm's output is
//! read as Kubernetes reads YAML; the files of the tree by a reader that is not ours.
//!
//! `HELM` names the program (Helm 4.2); without it, a `helm` of that line is looked for.

use super::rendered::{environments, mirror};
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use serde::Deserialize as _;
use serde_json::{Map, Value as Json, json};
use stackc::driver::{Build, Compiled, Wish, compile};
use stackc::model::{ChartDelivery, ObjectSource, Release, flatten};
use stackc::schema::kinds::{self, Scope};
use stackc::source::Sources;
use stackc::value::{Node, Origin, OriginKind, Segment};
use stackc::world::os::OsWorld;
use stackc::{diag, yaml};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Kind with group, namespace, name.
type Id = (String, String, String);

/// The program, where this machine has one of the right line.
fn helm() -> Option<String> {
    let named = std::env::var("HELM").ok();
    let program = named.clone().unwrap_or_else(|| "helm".to_owned());
    let answer = Command::new(&program).args(["version", "--short"]).output().ok();
    let version = answer.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if version.as_ref().is_some_and(|version| version.starts_with("v4.2")) {
        return Some(program);
    }
    assert!(named.is_none(), "`HELM` is to name Helm 4.2; `{program} version` says {version:?}");
    eprintln!("SKIPPED: no Helm 4.2 here (`HELM=PROGRAM`); rendered releases are not held against it");
    None
}

#[test]
fn every_rendered_release_is_what_helm_makes_of_it() {
    let (Some(helm), Some(mirror), Some(build)) = (helm(), mirror(), environments()) else { return };
    let declared = as_releases();
    let mut tasks = Vec::new();
    for environment in &build.environments {
        let apis = apis(environment, declared.environments.iter().find(|of| of.name == environment.name));
        for delivered in environment.sequence.parts().iter().flat_map(|part| &part.releases) {
            assert_eq!(delivered.release.delivery, ChartDelivery::Rendered);
            tasks.push((environment, &delivered.release, apis.clone()));
        }
    }
    let compared: Vec<(usize, Vec<String>)> = tasks
        .par_iter()
        .map(|(environment, release, apis)| {
            let theirs = run(&helm, &mirror, environment, release, apis);
            compare(environment, release, &theirs)
        })
        .collect();
    let objects: usize = compared.iter().map(|(count, _)| count).sum();
    let wrong: Vec<String> = compared.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tasks.len() > 20 && objects > 400, "{} releases, {objects} objects: too few", tasks.len());
    eprintln!("{objects} objects of {} releases are as Helm makes them", tasks.len());
}

/// The same environments with every chart left a release: their declarations are whole there.
fn as_releases() -> Build {
    let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let (sources, mut sink) = (Sources::new(), diag::Sink::new());
    let charts = Some(ChartDelivery::Release);
    let wish = Wish { charts, ..Wish::default() };
    compile(&world, &sources, &wish, &mut sink)
        .unwrap_or_else(|_| panic!("{}", diag::render::short(sink.found(), &sources)))
}

/// The API versions that charts are to see: Kubernetes' own, what stacks declare, and what comes in `crds/` and
/// manifests; not what templates make.
fn apis(environment: &Compiled, declared: Option<&Compiled>) -> String {
    let mut apis = BTreeSet::new();
    let mut add = |group: &str, version: &str, kind: &str| {
        let api = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        apis.insert(format!("{api}/{kind}"));
        apis.insert(api);
    };
    let kubernetes = &environment.sequence.surroundings().environment.kubernetes;
    let minor = kinds::minor(kubernetes).expect("a version of Kubernetes");
    for kind in kinds::all() {
        kind.versions(minor).for_each(|version| add(kind.group, version, kind.kind));
    }
    for crd in
        declared.iter().flat_map(|of| of.sequence.parts()).flat_map(|part| &part.instance.declares.crds)
    {
        crd.versions.iter().for_each(|version| add(&crd.group, version, &crd.kind));
    }
    for placed in environment.sequence.objects() {
        let object = &placed.object;
        if &*object.id.kind != "CustomResourceDefinition" {
            continue;
        }
        if matches!(object.source, ObjectSource::Chart { .. }) && !is_of_crds_folder(&object.node) {
            continue;
        }
        let definition = object.node.to_json();
        let text = |pointer: &str| definition.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
        for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
            if version["served"] == json!(true) {
                add(
                    text("/spec/group"),
                    version["name"].as_str().unwrap_or_default(),
                    text("/spec/names/kind"),
                );
            }
        }
    }
    apis.into_iter().collect::<Vec<_>>().join(",")
}

/// Files of `crds/` are taken as they are: what is in them is written there, and not made by a template.
fn is_of_crds_folder(node: &Node) -> bool {
    let mut origin = &node.get("spec").expect("a definition has a specification").origin;
    while let Some(was) = origin.was() {
        origin = was;
    }
    matches!(origin, Origin::Written(_))
}

/// Helm's objects of a release, changed as a tree has to change them.
fn run(
    helm: &str,
    mirror: &Utf8Path,
    environment: &Compiled,
    release: &Release,
    apis: &str,
) -> BTreeMap<Id, Json> {
    let folder = tempfile::tempdir().expect("a folder");
    let values = folder.path().join("values.json");
    std::fs::write(&values, release.values.to_json().to_string()).expect("values are written");
    let chart = mirror.join(format!("{}-{}.tgz", release.chart.name, release.chart.version));
    let kubernetes = &environment.sequence.surroundings().environment.kubernetes;
    let mut command = Command::new(helm);
    command.args(["template", &release.name, chart.as_str(), "--namespace", &release.namespace]);
    command.arg("--values").arg(&values);
    command.args(["--kube-version", &format!("v{kubernetes}.0"), "--api-versions", apis]);
    if !release.skip_crds {
        command.arg("--include-crds");
    }
    let home = folder.path();
    command.env("HELM_CACHE_HOME", home).env("HELM_CONFIG_HOME", home).env("HELM_DATA_HOME", home);
    let output = command.output().expect("Helm runs");
    assert!(output.status.success(), "{}: {}", release.name, String::from_utf8_lossy(&output.stderr));

    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let file = Sources::new().add("helm", "");
    let mut nodes = Vec::new();
    let (documents, faults) = yaml::read_all(file, &text, yaml::Options::LENIENT);
    assert!(faults.is_empty(), "{}: Helm's output is no YAML", release.name);
    for document in documents {
        flatten(document.node, &mut nodes);
    }
    let mut found = BTreeMap::new();
    for node in nodes {
        let mut object = node.to_json();
        if as_in_a_tree(&mut object, environment, release) {
            let id = id(&object);
            assert!(found.insert(id.clone(), object).is_none(), "Helm makes {id:?} twice");
        }
    }
    found
}

/// What a tree changes of an object of a chart; whether the object has a place in a tree at all.
fn as_in_a_tree(object: &mut Json, environment: &Compiled, release: &Release) -> bool {
    without_empty_metadata(object);
    let annotations = object["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    if let Some(hook) = annotations.get("helm.sh/hook").and_then(Json::as_str) {
        let kept = ["pre-install", "pre-upgrade", "post-install", "post-upgrade"];
        if !hook.split(',').any(|event| kept.contains(&event.trim())) {
            return false;
        }
    }
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let is_hook = annotations.contains_key("helm.sh/hook");
    let is_kept = annotations.get("helm.sh/resource-policy").and_then(Json::as_str) == Some("keep");
    let mut annotations: Map<String, Json> =
        annotations.into_iter().filter(|(key, _)| !key.starts_with("helm.sh/hook")).collect();
    if kind == "Job" || kind == "Pod" && is_hook {
        annotations.insert("kluctl.io/hook".into(), json!("post-deploy"));
        annotations.insert("kustomize.toolkit.fluxcd.io/force".into(), json!("enabled"));
    }
    if kind == "Job" {
        object["spec"].as_object_mut().expect("a specification").remove("ttlSecondsAfterFinished");
    }
    if is_kept || ["CustomResourceDefinition", "Namespace", "PersistentVolumeClaim"].contains(&kind.as_str())
    {
        annotations.insert("kluctl.io/skip-delete".into(), json!("true"));
        annotations.insert("kustomize.toolkit.fluxcd.io/prune".into(), json!("disabled"));
    }
    let (group, _) = group_and_kind(object);
    let scope = kinds::builtin(&group, &kind).map_or_else(
        || {
            let named = |definition: &Json| {
                definition["spec"]["group"] == json!(group)
                    && definition["spec"]["names"]["kind"] == json!(kind)
                    && definition["spec"]["scope"] == json!("Cluster")
            };
            let mut definitions = environment.sequence.objects().iter().map(|placed| &placed.object);
            let cluster = definitions.any(|object| {
                &*object.id.kind == "CustomResourceDefinition" && named(&object.node.to_json())
            });
            if cluster { Scope::Cluster } else { Scope::Namespaced }
        },
        |known| known.scope,
    );
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    metadata.remove("annotations");
    if !annotations.is_empty() {
        metadata.insert("annotations".into(), annotations.into());
    }
    match scope {
        Scope::Cluster => {
            metadata.remove("namespace");
        }
        Scope::Namespaced => {
            let empty = metadata
                .get("namespace")
                .is_none_or(|namespace| namespace.as_str().is_none_or(str::is_empty));
            if empty {
                metadata.insert("namespace".into(), json!(&*release.namespace));
            }
        }
    }
    true
}

fn group_and_kind(object: &Json) -> (String, String) {
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let api = text("apiVersion");
    (api.split_once('/').map_or(String::new(), |(group, _)| group.to_owned()), text("kind"))
}

fn id(object: &Json) -> Id {
    let (group, kind) = group_and_kind(object);
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    (format!("{kind}.{group}"), text("namespace"), text("name"))
}

/// The objects that are in the environment's files, by identity.
fn in_files(environment: &Compiled) -> BTreeMap<Id, Json> {
    let units = format!("envs/{}/", environment.name);
    let mut found = BTreeMap::new();
    for (path, bytes) in environment.tree.files() {
        let is_object = path.extension() == Some("yaml") && path.file_name() != Some("kustomization.yaml");
        if !path.as_str().starts_with(&units) || !is_object {
            continue;
        }
        for document in yaml_serde::Deserializer::from_slice(bytes) {
            let object = Json::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"));
            if object["metadata"]["name"].is_string() {
                found.insert(id(&object), object);
            }
        }
    }
    found
}

/// How many objects were compared, and every difference.
fn compare(environment: &Compiled, release: &Release, theirs: &BTreeMap<Id, Json>) -> (usize, Vec<String>) {
    let files = in_files(environment);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for placed in environment.sequence.objects() {
        let object = &placed.object;
        let mine = matches!(&object.source, ObjectSource::Chart { release: name, namespace, .. }
            if *name == release.name && *namespace == release.namespace);
        if !mine {
            continue;
        }
        let id: Id = (
            format!("{}.{}", object.id.kind, object.id.group),
            object.id.namespace.as_deref().unwrap_or_default().to_owned(),
            object.id.name.to_string(),
        );
        let place = format!("{} {}: {}", environment.name, release.name, object.id);
        match (theirs.get(&id), files.get(&id)) {
            (Some(theirs), Some(written)) => {
                let mut patched = Vec::new();
                object.node.each_leaf(&mut |path, leaf| {
                    if is_patched(&leaf.origin) {
                        patched.push(path.clone());
                    }
                });
                let (mut theirs, mut written) = (theirs.clone(), written.clone());
                for path in &patched {
                    without(&mut theirs, &mut written, path.segments());
                }
                differences(&place, &theirs, &written, &mut wrong);
            }
            (None, _) => wrong.push(format!("{place}: Helm makes no such object")),
            (_, None) => wrong.push(format!("{place}: in no file of the tree")),
        }
        seen.insert(id);
    }
    for (kind, namespace, name) in theirs.keys().filter(|id| !seen.contains(*id)) {
        // A Namespace that a chart makes is one with the compiler's own.
        if kind != "Namespace." {
            wrong
                .push(format!("{} {}: {kind} {namespace}/{name} is missing", environment.name, release.name));
        }
    }
    (seen.len(), wrong)
}

fn is_patched(origin: &Origin) -> bool {
    let here = matches!(origin, Origin::Link(kind) if matches!(kind.as_ref(), OriginKind::Patched { .. }));
    here || origin.was().is_some_and(is_patched)
}

/// Takes out what a patch set: in both, at the end of its path or at the first key that Helm's object lacks.
fn without(theirs: &mut Json, ours: &mut Json, path: &[Segment]) {
    match path {
        [] => {}
        [Segment::Index(index), rest @ ..] => {
            if let (Some(theirs), Some(ours)) = (theirs.get_mut(*index), ours.get_mut(*index)) {
                without(theirs, ours, rest);
            }
        }
        [Segment::Key(key), rest @ ..] => {
            if let (false, Some(theirs), Some(ours)) =
                (rest.is_empty(), theirs.get_mut(&**key), ours.get_mut(&**key))
            {
                return without(theirs, ours, rest);
            }
            for object in [theirs, ours] {
                object.as_object_mut().map(|map| map.remove(&**key));
            }
        }
    }
}

/// `annotations` and `labels` that a template left without anything are not there, for the API server as for us.
fn without_empty_metadata(object: &mut Json) {
    for place in ["", "/spec/template", "/spec/jobTemplate", "/spec/jobTemplate/spec/template"] {
        let metadata = object.pointer_mut(&format!("{place}/metadata")).and_then(Json::as_object_mut);
        if let Some(metadata) = metadata {
            metadata.retain(|key, value| !(["annotations", "labels"].contains(&&**key) && value.is_null()));
        }
    }
}

/// Where two values differ; a number is its value, however it is written.
fn differences(place: &str, theirs: &Json, ours: &Json, wrong: &mut Vec<String>) {
    match (theirs, ours) {
        (Json::Object(left), Json::Object(right)) => {
            for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
                let nothing = || Json::from("(nothing)");
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => differences(&format!("{place}.{key}"), left, right, wrong),
                    (left, right) => wrong.push(format!(
                        "{place}.{key}: Helm has {}, the tree {}",
                        left.cloned().unwrap_or_else(nothing),
                        right.cloned().unwrap_or_else(nothing)
                    )),
                }
            }
        }
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{place}[{index}]"), left, right, wrong);
            }
        }
        (Json::Number(left), Json::Number(right)) if left.as_f64() == right.as_f64() => {}
        (left, right) if left == right => {}
        (left, right) => wrong.push(format!("{place}: Helm has {left}, the tree {right}")),
    }
}
