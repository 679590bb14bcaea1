//! The trees of every environment of this repository, held against what reads them: one order for Flux, kluctl and
//! k3s, and the rules by which kluctl and Flux take a tree. Definitions come from the tools' own sources; the reader
//! of YAML is not ours.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value as Json;
use stackc::diag::{Sink, render};
use stackc::driver::{Build, Compiled, Wish, compile};
use stackc::load::Selection;
use stackc::model::ChartDelivery;
use stackc::source::Sources;
use stackc::world::os::OsWorld;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Every environment, with its charts delivered as the overlays say and in each way: as objects where the recorded
/// packages are.
pub(super) fn environments() -> impl Iterator<Item = &'static Compiled> {
    static BUILDS: OnceLock<Vec<Build>> = OnceLock::new();
    let builds = BUILDS.get_or_init(|| {
        // k3s cannot patch what it installs, as docfast wants, nor fetch a chart from Git, as vanixiets does.
        let by_k3s =
            ["boilstream-cfke", "boilstream-eks", "kairos-hcm-cilium", "kairos-hcm-traefik", "quickstart"];
        let all = || Selection::All;
        [
            (None, all()),
            (Some(ChartDelivery::Release), all()),
            (Some(ChartDelivery::K3s), Selection::Named(by_k3s.map(Into::into).to_vec())),
        ]
        .into_iter()
        .map(|(charts, selection)| {
            let world = OsWorld::new(Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")));
            let sources = Sources::new();
            let mut sink = Sink::new();
            let wish = Wish { selection, charts, ..Wish::default() };
            compile(&world, &sources, &wish, &mut sink)
                .unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)))
        })
        .chain(super::rendered::environments())
        .collect()
    });
    builds.iter().flat_map(|build| &build.environments)
}

fn is_rendered(of: &Compiled) -> bool {
    let mut releases = of.sequence.parts().iter().flat_map(|part| &part.releases);
    releases.any(|delivered| delivered.release.delivery == ChartDelivery::Rendered)
}

fn text<'a>(of: &'a Compiled, path: &str) -> &'a str {
    let bytes = of.tree.files().get(Utf8Path::new(path)).unwrap_or_else(|| panic!("{path} is not there"));
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn documents<T: for<'de> Deserialize<'de>>(of: &Compiled, path: &str) -> Vec<T> {
    yaml_serde::Deserializer::from_str(text(of, path))
        .map(|document| {
            T::deserialize(document).unwrap_or_else(|error| panic!("{}: {path}: {error}", of.name))
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    discriminator: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    name: String,
    context: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    deployments: Vec<Item>,
}

/// What kluctl 2.27 takes in an item and stackc has a use for.
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
    kind: String,
    name: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Kustomization {
    api_version: String,
    kind: String,
    metadata: BTreeMap<String, String>,
    spec: Spec,
}

/// The fields of a Flux Kustomization that stackc writes: no `postBuild`, no `targetNamespace`, nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    depends_on: Vec<BTreeMap<String, String>>,
    interval: String,
    retry_interval: String,
    timeout: String,
    source_ref: BTreeMap<String, String>,
    path: String,
    prune: bool,
    deletion_policy: Option<String>,
    wait: Option<bool>,
    #[serde(default)]
    health_checks: Vec<HealthCheck>,
    #[serde(default)]
    health_check_exprs: Vec<BTreeMap<String, String>>,
    decryption: Option<Json>,
    #[serde(default)]
    ignore: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HealthCheck {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
}

impl Kustomization {
    fn name(&self) -> &str {
        &self.metadata["name"]
    }

    fn waits(&self) -> bool {
        self.spec.wait == Some(true) || !self.spec.health_checks.is_empty()
    }

    /// Whether what it applies is fetched from elsewhere.
    fn is_reference(&self) -> bool {
        self.spec.source_ref["name"] != "flux-system"
    }
}

fn kustomizations(of: &Compiled) -> Vec<Kustomization> {
    documents(of, &format!("clusters/{}/units.yaml", of.name))
}

fn deployment(of: &Compiled) -> Vec<Item> {
    let mut all: Vec<Deployment> = documents(of, &format!("envs/{}/deployment.yaml", of.name));
    assert_eq!(all.len(), 1);
    all.remove(0).deployments
}

/// The units that kluctl deploys at once, level after level.
fn levels_of_kluctl(items: &[Item]) -> Vec<BTreeSet<&str>> {
    let mut levels = vec![BTreeSet::new()];
    for item in items {
        match &item.path {
            Some(path) => assert!(levels.last_mut().expect("a level").insert(path.as_str()), "{path} twice"),
            None => levels.push(BTreeSet::new()),
        }
    }
    levels.retain(|level| !level.is_empty());
    levels
}

/// The levels of Flux's graph: a unit comes after all that it depends on. Units that only Flux has take none.
fn levels_of_flux<'a>(units: &'a [Kustomization], deployed: &BTreeSet<&str>) -> BTreeMap<&'a str, usize> {
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    while levels.len() < units.len() {
        let before = levels.len();
        for unit in units {
            let needs: Option<Vec<usize>> = unit
                .spec
                .depends_on
                .iter()
                .map(|need| {
                    let name = need["name"].as_str();
                    levels.get(name).map(|level| level + usize::from(deployed.contains(name)))
                })
                .collect();
            if let Some(needs) = needs {
                levels.insert(unit.name(), needs.into_iter().max().unwrap_or(0));
            }
        }
        assert!(levels.len() > before, "`dependsOn` names a unit that is not there, or runs in a circle");
    }
    levels
}

#[test]
fn flux_kluctl_and_k3s_have_one_order() {
    let mut handed_over = 0;
    for of in environments() {
        let units = kustomizations(of);
        let items = deployment(of);
        let levels = levels_of_kluctl(&items);
        let deployed: BTreeSet<&str> = levels.iter().flatten().copied().collect();
        let of_flux = levels_of_flux(&units, &deployed);
        for (index, level) in levels.iter().enumerate() {
            let expected: BTreeSet<&str> = of_flux
                .iter()
                .filter(|(name, level)| **level == index && deployed.contains(**name))
                .map(|(name, _)| *name)
                .collect();
            assert_eq!(*level, expected, "level {index} of {}", of.name);
        }
        let flux_only: BTreeSet<&str> =
            of_flux.keys().filter(|name| !deployed.contains(**name)).copied().collect();
        for name in flux_only {
            let unit = units.iter().find(|unit| unit.name() == name).expect("a unit");
            assert!(name == "sources" || unit.is_reference(), "kluctl lacks {name} of {}", of.name);
        }

        // What is applied before Flux runs is whole: nothing in it waits for anything outside of it.
        let mut seen = BTreeSet::new();
        for unit in of.sequence.handover() {
            let of_unit = units.iter().find(|other| other.name() == &*unit.name).expect("a unit");
            for need in of_unit.spec.depends_on.iter().map(|need| need["name"].as_str()) {
                assert!(
                    seen.contains(need) || !deployed.contains(need),
                    "{} of {} is handed over before {need}",
                    unit.name,
                    of.name
                );
            }
            seen.insert(unit.name.to_string());
        }

        // k3s applies its folder of manifests file by file, in the order of their names. The folder holds charts as the
        // overlay delivers them, and the order of their objects is another.
        if is_rendered(of) {
            continue;
        }
        for config in of.tree.files().keys().filter(|path| path.file_name() == Some("cloud-config.yaml")) {
            let document: Json = documents(of, config.as_str()).remove(0);
            let manifests: BTreeSet<Utf8PathBuf> = document["write_files"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|file| file["path"].as_str())
                .filter(|path| path.contains("/server/manifests/"))
                .map(Utf8PathBuf::from)
                .collect();
            let order: Vec<usize> = manifests
                .iter()
                .filter_map(|path| {
                    let stem = path.file_stem().unwrap_or_default();
                    let name = stem.split_once('-').map_or(stem, |(_, name)| name);
                    of_flux.get(name).or_else(|| of_flux.get(stem)).copied()
                })
                .collect();
            assert!(order.is_sorted(), "{config}: {manifests:?} is not in the order of {of_flux:?}");
            handed_over += order.len();
        }
    }
    assert!(handed_over > 0, "no environment hands manifests to k3s");
}

#[test]
fn what_k3s_installs_is_the_same_bytes_for_kluctl_flux_and_the_cloud_config() {
    let mut compared = 0;
    for of in environments() {
        let files = of.tree.files();
        for config in files.keys().filter(|path| path.file_name() == Some("cloud-config.yaml")) {
            let document: Json = documents(of, config.as_str()).remove(0);
            let embedded: BTreeSet<&str> = document["write_files"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|file| file["path"].as_str().is_some_and(|path| path.contains("/server/manifests/")))
                .filter_map(|file| file["content"].as_str())
                .flat_map(|content| content.split("---\n"))
                .collect();
            // Flux and kluctl read one folder, so one file is for both.
            let objects = files.keys().filter(|path| {
                path.starts_with("envs") && path.file_name().is_some_and(|name| name.starts_with("helmchart"))
            });
            for object in objects {
                assert!(embedded.contains(text(of, object.as_str())), "{config} has another {object}");
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no cloud-config hands charts to k3s");
}

#[test]
fn kluctl_takes_every_tree() {
    for of in environments() {
        let env = &*of.name;
        for file in [".kluctl.yaml", "deployment.yaml"] {
            let text = text(of, &format!("envs/{env}/{file}"));
            assert!(["{{", "{%", "{#"].iter().all(|mark| !text.contains(mark)), "{env}/{file} is a template");
        }
        assert_eq!(text(of, &format!("envs/{env}/.templateignore")), "*\n");
        let project: Project = documents(of, &format!("envs/{env}/.kluctl.yaml")).remove(0);
        assert_eq!(project.targets.len(), 1);
        assert_eq!(project.targets[0].name, env);
        assert_ne!(project.targets[0].context.as_deref(), Some(""));
        assert!((1..=63).contains(&project.discriminator.len()));

        let items = deployment(of);
        assert!(items.first().is_some_and(|item| item.path.is_some()), "a barrier before anything");
        for item in &items {
            let Some(path) = &item.path else {
                assert!(
                    item.barrier && !item.wait_readiness && item.tags.is_empty() && item.message.is_some()
                );
                for made in &item.wait_readiness_objects {
                    assert!(!made.kind.is_empty() && !made.name.is_empty());
                    assert!(made.group.as_deref() != Some("") && made.namespace.as_deref() != Some(""));
                }
                continue;
            };
            assert!(!item.barrier && item.message.is_none() && item.wait_readiness_objects.is_empty());
            let unit = of.sequence.units().iter().find(|unit| *unit.name == **path).expect("a unit");
            let mut tags = vec![path.clone()];
            if let Some(part) = unit.part.map(|part| &of.sequence.parts()[part]) {
                for tag in [&part.instance.stack, &part.instance.name] {
                    if !tags.contains(&tag.to_string()) {
                        tags.push(tag.to_string());
                    }
                }
            }
            assert_eq!(item.tags, tags);
            folder_is_whole(of, &format!("envs/{env}/{path}"));
            let held = objects(of, &format!("envs/{env}/{path}"));
            let pods = held.iter().any(|object| {
                matches!(
                    object["kind"].as_str(),
                    Some("Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "Pod")
                )
            });
            let claims = held.iter().any(|object| object["kind"] == "PersistentVolumeClaim");
            assert!(
                !(item.wait_readiness && claims && !pods),
                "a claim in {path} would wait for its first Pod"
            );
        }
    }
}

/// A folder holds what its `kustomization.yaml` lists and the files of kluctl's charts, nothing else.
fn folder_is_whole(of: &Compiled, folder: &str) {
    let list: Json = documents(of, &format!("{folder}/kustomization.yaml")).remove(0);
    assert_eq!(list["apiVersion"], "kustomize.config.k8s.io/v1beta1");
    assert_eq!(list["kind"], "Kustomization");
    let listed: BTreeSet<String> = list["resources"]
        .as_array()
        .expect("a list of resources")
        .iter()
        .map(|resource| resource.as_str().expect("a quoted name").to_owned())
        .collect();
    let present: BTreeSet<String> = of
        .tree
        .files()
        .keys()
        .filter_map(|path| path.strip_prefix(folder).ok())
        .map(ToString::to_string)
        .filter(|path| path != "kustomization.yaml")
        .collect();
    let rendered = |chart: &String| chart.replace("helm-chart.yaml", "helm-rendered.yaml");
    let expected: BTreeSet<String> = present
        .iter()
        .filter(|path| !path.ends_with("helm-values.yaml"))
        .map(|path| if path.ends_with("helm-chart.yaml") { rendered(path) } else { path.clone() })
        .collect();
    assert_eq!(listed, expected, "{folder}");
    for chart in present.iter().filter(|path| path.ends_with("helm-chart.yaml")) {
        assert!(present.contains(&chart.replace("helm-chart", "helm-values")), "{folder}/{chart}");
        let chart: Json = documents(of, &format!("{folder}/{chart}")).remove(0);
        let fields = chart["helmChart"].as_object().expect("a chart");
        assert_eq!(fields["skipPrePull"], true);
        assert!(fields["releaseName"].as_str().is_some_and(|name| !name.is_empty()));
        assert_eq!(["repo", "path", "git"].iter().filter(|key| fields.contains_key(**key)).count(), 1);
    }
}

/// The objects of a folder, one a file.
fn objects(of: &Compiled, folder: &str) -> Vec<Json> {
    let list: Json = documents(of, &format!("{folder}/kustomization.yaml")).remove(0);
    list["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .filter(|name| !name.ends_with("helm-rendered.yaml") && !name.contains("sops"))
        .map(|name| {
            let mut all: Vec<Json> = documents(of, &format!("{folder}/{name}"));
            assert_eq!(all.len(), 1, "{folder}/{name}");
            all.remove(0)
        })
        .collect()
}

#[test]
fn flux_takes_every_tree() {
    for of in environments() {
        let mut identities = BTreeSet::new();
        let mut names = BTreeSet::new();
        for unit in kustomizations(of) {
            let name = unit.name().to_owned();
            assert_eq!(unit.api_version, "kustomize.toolkit.fluxcd.io/v1");
            assert_eq!(unit.kind, "Kustomization");
            assert!(names.insert(name.clone()) && name != "flux-system", "{name}");
            let spec = &unit.spec;
            for duration in [&spec.interval, &spec.retry_interval, &spec.timeout] {
                assert!(duration.ends_with(['m', 'h', 's']) && duration.len() > 1, "{name}: {duration}");
            }
            assert!(
                spec.wait.is_none() || spec.health_checks.is_empty(),
                "`wait` makes Flux ignore the checks"
            );
            assert!(
                spec.health_check_exprs.is_empty() || unit.waits(),
                "nobody evaluates the expressions of {name}"
            );
            assert!(spec.ignore.iter().all(|rule| rule["paths"].is_array()));
            let folder = spec.path.trim_start_matches("./");
            let own = if unit.is_reference() { Vec::new() } else { objects(of, folder) };
            for check in &spec.health_checks {
                assert!(!check.api_version.is_empty() && !check.kind.is_empty() && !check.name.is_empty());
                let named = own.iter().find(|object| {
                    object["kind"] == *check.kind
                        && object["apiVersion"] == *check.api_version
                        && object["metadata"]["name"] == *check.name
                });
                match named {
                    Some(object) => assert_eq!(
                        object["metadata"]["namespace"].as_str(),
                        check.namespace.as_deref(),
                        "{}: {name}",
                        of.name
                    ),
                    None => {
                        assert_eq!(check.kind == "CustomResourceDefinition", check.namespace.is_none());
                    }
                }
            }
            if unit.is_reference() {
                assert!(!spec.prune && spec.deletion_policy.as_deref() == Some("Orphan"));
                continue;
            }
            folder_is_whole(of, folder);
            assert_eq!(spec.decryption.is_some(), name == "secrets");
            let mut keep = false;
            for object in own {
                let word = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
                let group = word("/apiVersion").rsplit_once('/').map_or("", |(group, _)| group).to_owned();
                let identity = (
                    group,
                    word("/kind").to_owned(),
                    word("/metadata/namespace").to_owned(),
                    word("/metadata/name").to_owned(),
                );
                let kept = matches!(
                    &*identity.1,
                    "Namespace" | "PersistentVolumeClaim" | "CustomResourceDefinition"
                ) || (identity.0 == "postgresql.cnpg.io"
                    && matches!(&*identity.1, "Cluster" | "Database"));
                if kept {
                    keep = true;
                    let annotations = &object["metadata"]["annotations"];
                    assert_eq!(annotations["kustomize.toolkit.fluxcd.io/prune"], "disabled", "{identity:?}");
                    assert_eq!(annotations["kluctl.io/skip-delete"], "true", "{identity:?}");
                }
                assert!(identities.insert(identity.clone()), "{identity:?} twice in {}", of.name);
            }
            assert!(
                !keep || spec.deletion_policy.as_deref() == Some("Orphan") || name.ends_with("-leaf"),
                "{name}"
            );
        }
    }
}

#[test]
fn the_list_of_files_is_whole() {
    for of in environments() {
        let list = format!("envs/{}/.stackc-files", of.name);
        let listed = stackc::emit::read_list(&of.name, text(of, &list)).expect("a list");
        let present: BTreeSet<&Utf8PathBuf> =
            of.tree.files().keys().filter(|path| *path != Utf8Path::new(&list)).collect();
        assert_eq!(listed.keys().collect::<BTreeSet<_>>(), present);
    }
}
