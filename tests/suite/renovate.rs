//! The preset for Renovate against what it has to find: the well-known sources, and the versions in the overlays here.

use camino::Utf8PathBuf;
use regex::Regex;
use serde_json::Value as Json;
use stackc::diag::{Sink, render};
use stackc::driver;
use stackc::load::{self, Selection};
use stackc::model::ChartSourceKind;
use stackc::package::lock::Wanted;
use stackc::package::supply::Package;
use stackc::source::Sources;
use stackc::world::memory::MemoryWorld;
use stackc::world::os::OsWorld;
use std::fs;

fn root() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn managers() -> Vec<Json> {
    let text = fs::read_to_string(root().join("docs/renovate.json")).expect("the preset");
    let preset: Json = serde_json::from_str(&text).expect("JSON");
    preset["customManagers"].as_array().expect("managers").clone()
}

/// What the preset finds in a text: the package's address with its name, and the version.
fn found(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for manager in managers() {
        for pattern in manager["matchStrings"].as_array().expect("patterns") {
            let pattern = Regex::new(pattern.as_str().expect("text")).expect("a pattern that RE2 takes");
            for captures in pattern.captures_iter(text) {
                let group = |name: &str| captures.name(name).map(|group| group.as_str().to_owned());
                let template = |key: &str| {
                    manager[key].as_str().map(|text| {
                        text.replace("{{{depType}}}", &group("depType").unwrap_or_default())
                            .replace("{{{depName}}}", &group("depName").unwrap_or_default())
                    })
                };
                let name = group("depName").or_else(|| template("depNameTemplate")).expect("a name");
                let place = match manager["datasourceTemplate"].as_str() {
                    Some("helm") => {
                        let url = group("registryUrl").or_else(|| template("registryUrlTemplate"));
                        format!("{}/{name}", url.expect("an address"))
                    }
                    Some("docker") => format!("oci://{}", template("packageNameTemplate").expect("an image")),
                    _ => template("packageNameTemplate").expect("a repository"),
                };
                found.push((place, group("currentValue").expect("a version")));
            }
        }
    }
    found
}

#[test]
fn every_well_known_source_is_known_to_renovate() {
    let world = MemoryWorld::new()
        .with("stackc.yaml", "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {name: none}\n");
    let project = load::load(&world, &Sources::new(), &Selection::Named(Vec::new()), &mut Sink::new());
    for (name, kind) in &project.expect("a project").file().sources {
        let (ChartSourceKind::Http(url) | ChartSourceKind::Oci(url)) = kind else { continue };
        for text in [
            format!("chart: {{source: {name}, name: thing, version: \"1.2.3\"}}\n"),
            format!("chart:\n  source: {name}\n  name: thing\n  version: 1.2.3\n"),
        ] {
            assert_eq!(found(&text), [(format!("{url}/thing"), "1.2.3".to_owned())], "{text}");
        }
    }
}

#[test]
fn charts_from_sources_in_place_are_found() {
    assert_eq!(
        found("chart: {source: {url: \"oci://ghcr.io/example/charts\"}, name: shop, version: \"^1.4\"}\n"),
        [("oci://ghcr.io/example/charts/shop".to_owned(), "^1.4".to_owned())]
    );
    assert_eq!(
        found("chart: {source: {url: https://charts.example.org}, name: shop, version: 1.4.0}\n"),
        [("https://charts.example.org/shop".to_owned(), "1.4.0".to_owned())]
    );
}

#[test]
fn comments_do_not_hide_a_version_and_what_is_none_is_left_alone() {
    let written = "    cilium:   # the network\n      # 1.18 for the old kernels,\n      # until they go\n      version: 1.18.12\n";
    assert_eq!(found(written), [("https://helm.cilium.io/cilium".to_owned(), "1.18.12".to_owned())]);
    let written =
        "chart:\n  source: cilium\n  name: cilium   # as in the docs\n  # pinned\n  version: \"1.18.12\"\n";
    assert_eq!(found(written), [("https://helm.cilium.io/cilium".to_owned(), "1.18.12".to_owned())]);
    for version in ["\"${inputs.version}\"", "${inputs.version}", "\">=1.2, <2\""] {
        let text = format!("chart: {{source: cilium, name: cilium, version: {version}}}\n");
        assert_eq!(found(&text), [], "{version}");
    }
}

#[test]
fn every_version_in_the_overlays_here_is_found() {
    let (world, sources, mut sink) = (OsWorld::new(root()), Sources::new(), Sink::new());
    let wanted = driver::wanted(&world, &sources, &Selection::All, &mut sink);
    let (_, wants) = wanted.unwrap_or_else(|_| panic!("{}", render::short(sink.found(), &sources)));
    let mut held = 0;
    for want in wants {
        let Package::Locked(wanted) = &want.package else { continue };
        let place = sources.place(want.span);
        let Some(file) = place.split(':').next().filter(|file| file.starts_with("overlays/")) else {
            continue;
        };
        let text = fs::read_to_string(root().join(file)).expect("an overlay");
        let (address, range) = match wanted {
            // A chart in Git is a tag of its repository.
            Wanted::Chart { name, range, source } => {
                let rest = source.strip_prefix("git+https://github.com/");
                let address = rest.map_or_else(
                    || format!("{source}/{name}"),
                    |rest| rest.split('?').next().unwrap_or(rest).to_owned(),
                );
                (address, range.clone())
            }
            Wanted::Manifest { url } => {
                let rest = url
                    .strip_prefix("https://github.com/")
                    .and_then(|rest| rest.split_once("/releases/download/v"));
                let (repository, rest) = rest.expect("a release on GitHub; add a manager for others");
                (repository.to_owned(), rest.split('/').next().unwrap_or(rest).to_owned())
            }
        };
        assert!(
            found(&text).contains(&(address.clone(), range.clone())),
            "{place}: `{address}` {range} is not found; write `version` first, or add a manager"
        );
        held += 1;
    }
    assert!(held > 3, "the overlays name {held} versions");
}
