//! Releases that were rendered before, with the same package, values and cluster.
//!
//! Two entries a release: the definitions that its package brings, which the cluster of all others is made of, and
//! what its templates made in that cluster. What comes from here has no origins beyond its place in the text.

use super::printed::Printed;
use super::{Cluster, profile_of};
use crate::diag::Sink;
use crate::model::{Object, Release};
use crate::package::memo::{Key, KeyMaker, Recall};
use crate::package::supply::Supply;

/// The names of a release's entries.
pub(super) struct Keys {
    definitions: Key,
    pub(super) manifests: Key,
}

impl Keys {
    pub(super) fn of(release: &Release, supply: &Supply, cluster: &Cluster) -> Self {
        let chart = of_chart(release, supply);
        let mut manifests = chart.clone();
        manifests.text("manifests").text(&release.name).text(&release.namespace);
        manifests.text(cluster.digest().as_str());
        Self { definitions: definitions(chart), manifests: manifests.key() }
    }
}

/// The entry of the definitions in `crds/` that a release brings: which they are depends on its values.
pub(super) fn definitions_key(release: &Release, supply: &Supply) -> Key {
    definitions(of_chart(release, supply))
}

fn definitions(mut chart: KeyMaker) -> Key {
    chart.text("definitions");
    chart.key()
}

/// What both entries are made of.
fn of_chart(release: &Release, supply: &Supply) -> KeyMaker {
    let mut maker = KeyMaker::default();
    maker.text(supply.digest().as_str()).text(profile_of(release).name).node(&release.values);
    maker
}

/// The objects of a release, where both of its entries are there.
pub(super) fn objects(keys: &Keys, printed: Printed<'_>, recall: Recall<'_>) -> Option<Vec<Object>> {
    let manifests = recall.get(&keys.manifests)?;
    let mut sink = Sink::new();
    let mut objects = Vec::new();
    if !printed.release.skip_crds {
        for piece in recall.get(&keys.definitions)?.iter() {
            printed.definitions(&piece.head.path, piece.text.as_bytes(), &mut objects, &mut sink).ok()?;
        }
    }
    printed.manifests(&manifests, |_, _| (), &mut objects, &mut sink);
    // What was kept had no findings; if there are some, only a rendering can place them.
    sink.found().is_empty().then_some(objects)
}
