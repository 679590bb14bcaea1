//! What charts are told of the cluster: the overlay's Kubernetes, its APIs, and the custom kinds of the environment.
//!
//! Custom kinds count where stacks declare them or bring them in `crds/` and manifests; those that templates make do
//! not, since what a template makes may depend on them.

use super::{chart_of, memory, package_of, profile_of, values};
use crate::diag::Sink;
use crate::digest::{ContentDigest, Digester};
use crate::helm::capabilities::{Capabilities, KubeVersion};
use crate::helm::chart::{ChartFile, dependencies};
use crate::helm::profile::Profile;
use crate::model::{ChartDelivery, Instance, Object, Release};
use crate::package::memo::{Piece, PieceHead, Recall};
use crate::package::supply::Supplied;
use crate::schema::kinds;
use crate::value::Node;
use crate::yaml;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The cluster as charts see it.
pub(in crate::render) struct Cluster {
    kubernetes: Arc<str>,
    apis: BTreeSet<Arc<str>>,
    digest: OnceLock<ContentDigest>,
}

impl Cluster {
    /// The cluster of an environment. What cannot be read here is told when it is rendered.
    pub(in crate::render) fn of<'a>(
        kubernetes: &Arc<str>,
        instances: &[Instance],
        objects: impl Iterator<Item = &'a Object>,
        supplied: &Supplied<'_>,
        recall: Recall<'_>,
    ) -> Self {
        let (kubernetes, apis, digest) = (Arc::clone(kubernetes), BTreeSet::new(), OnceLock::new());
        let mut cluster = Self { kubernetes, apis, digest };
        let release = kinds::minor(&cluster.kubernetes).unwrap_or((1, 34));
        for kind in kinds::all() {
            for version in kind.versions(release) {
                cluster.add(kind.group, version, kind.kind);
            }
        }
        for object in objects {
            cluster.definition(&object.node);
        }
        for instance in instances {
            for declared in &instance.declares.crds {
                for version in &declared.versions {
                    cluster.add(&declared.group, version, &declared.kind);
                }
            }
            for release in &instance.releases {
                if release.delivery != ChartDelivery::Rendered || release.skip_crds {
                    continue;
                }
                cluster.definitions(release, supplied, recall);
            }
        }
        cluster
    }

    /// Adds what a release brings in `crds/`. What is wrong with it is told when it is rendered.
    fn definitions(&mut self, release: &Release, supplied: &Supplied<'_>, recall: Recall<'_>) {
        let mut told_later = Sink::new();
        let Ok(supply) = package_of(release, supplied, &mut told_later) else { return };
        let mut read = |path: &str, text: &[u8]| {
            if let Ok(nodes) = supply.file(path, text, supplied.sources(), &mut told_later) {
                nodes.iter().for_each(|node| self.definition(node));
            }
        };
        let key = memory::definitions_key(release, supply);
        if let Some(pieces) = recall.get(&key) {
            pieces.iter().for_each(|piece| read(&piece.head.path, piece.text.as_bytes()));
            return;
        }
        let Ok(chart) = chart_of(release, supplied, &mut Sink::new()) else { return };
        let table = values::table(&release.values);
        let Ok(used) = dependencies::process(&chart, &table, profile_of(release), &mut Vec::new()) else {
            return;
        };
        let files = used.crds();
        for (path, file) in &files {
            read(path, &file.data);
        }
        if told_later.found().is_empty() {
            recall.put(&key, || {
                let piece = |(path, file): &(String, &ChartFile)| Piece {
                    head: PieceHead::of_file(path),
                    text: String::from_utf8_lossy(&yaml::decode(&file.data)).into(),
                };
                files.iter().map(piece).collect()
            });
        }
    }

    /// What tells this cluster from others.
    pub(super) fn digest(&self) -> &ContentDigest {
        self.digest.get_or_init(|| {
            let mut digester = Digester::default();
            digester.add(self.kubernetes.as_bytes());
            for api in &self.apis {
                digester.add(api.as_bytes());
            }
            digester.finish()
        })
    }

    fn add(&mut self, group: &str, version: &str, kind: &str) {
        let api = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        self.apis.insert(format!("{api}/{kind}").into());
        self.apis.insert(api.into());
    }

    fn definition(&mut self, node: &Node) {
        if node.get("kind").and_then(Node::as_str) != Some("CustomResourceDefinition") {
            return;
        }
        let text = |keys: &[&str]| node.at(keys).and_then(Node::as_str).map(str::to_owned);
        let (Some(group), Some(kind)) = (text(&["spec", "group"]), text(&["spec", "names", "kind"])) else {
            return;
        };
        for version in node.at(&["spec", "versions"]).and_then(Node::as_list).unwrap_or_default() {
            if version.get("served").and_then(Node::as_bool) == Some(true)
                && let Some(name) = version.get("name").and_then(Node::as_str)
            {
                self.add(&group, name, &kind);
            }
        }
    }

    /// `.Capabilities`.
    pub(super) fn capabilities(&self, profile: &Profile) -> Capabilities {
        // `1.34` names a release of Kubernetes; charts expect a version of three numbers, as clusters have it.
        let kube = KubeVersion::parse(
            &format!("v{}.0", self.kubernetes.trim_start_matches('v')),
            profile.keep_kube_suffix,
        );
        Capabilities::exactly(kube.unwrap_or_default(), self.apis.iter().cloned())
    }
}
