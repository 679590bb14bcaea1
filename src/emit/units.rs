//! The folders of units: objects, copied files, releases, each with its `kustomization.yaml`.
//!
//! `envs/<env>/<unit>/` is read by kluctl, and by Flux where everything in it is an object. A unit with releases
//! has a second folder for Flux, `flux/<env>/<unit>/`, with `HelmRelease`s in place of kluctl's chart files and its
//! objects once more: a folder may not refer to files outside it.

use super::document::{self, Fields, list, value};
use super::sources::Named;
use super::{names, release, slashed};
use crate::diag::Sink;
use crate::order::{Sequence, Unit, UnitKind};
use crate::value::Node;
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

/// Where the folders of a unit are, below the prefix.
pub(super) struct Folders {
    /// What Flux applies; `None` where Flux fetches it from elsewhere.
    pub(super) flux: Option<Utf8PathBuf>,
}

/// Writes the folders of every unit; the answer is by unit.
pub(super) fn write(sequence: &Sequence, named: &Named, files: &mut Files, sink: &mut Sink) -> Vec<Folders> {
    sequence.units().iter().map(|unit| write_unit(sequence, unit, named, files, sink)).collect()
}

fn write_unit(
    sequence: &Sequence,
    unit: &Unit,
    named: &Named,
    files: &mut Files,
    sink: &mut Sink,
) -> Folders {
    let environment = &sequence.surroundings().environment.name;
    let plain = Utf8PathBuf::from(format!("envs/{environment}/{}", unit.name));
    let for_flux = Utf8PathBuf::from(format!("flux/{environment}/{}", unit.name));
    match unit.kind {
        UnitKind::Sources => {
            let resources = named.write(sequence, &for_flux, files, sink);
            kustomization(&for_flux, &resources, None, files, sink);
            return Folders { flux: Some(for_flux) };
        }
        UnitKind::Reference => return Folders { flux: None },
        _ => {}
    }
    let own = own_files(sequence, unit, sink);
    let put = |folder: &Utf8PathBuf, files: &mut Files| {
        for (name, bytes) in &own {
            files.insert(slashed(folder, name), bytes.clone());
        }
        own.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    if unit.releases.is_empty() {
        let resources = put(&plain, files);
        kustomization(&plain, &resources, None, files, sink);
        return Folders { flux: Some(plain) };
    }
    let deliver = &sequence.surroundings().deliver;
    if deliver.kluctl.is_some() {
        let mut resources = put(&plain, files);
        resources.extend(release::write_charts(sequence, unit, &plain, files, sink));
        let patches = release::patches(sequence, unit);
        kustomization(&plain, &resources, patches, files, sink);
    }
    if deliver.flux.is_some() {
        let mut resources = put(&for_flux, files);
        resources.extend(release::write_releases(sequence, unit, named, &for_flux, files, sink));
        kustomization(&for_flux, &resources, None, files, sink);
    }
    Folders { flux: Some(for_flux) }
}

/// Objects and copied files of a unit, by file name, in the order of apply.
fn own_files(sequence: &Sequence, unit: &Unit, sink: &mut Sink) -> Vec<(String, Vec<u8>)> {
    let usual = unit.part.and_then(|part| sequence.parts()[part].instance.namespace.as_deref());
    let objects = || unit.objects.iter().map(|index| &sequence.objects()[*index].object);
    let mut own: Vec<(String, Vec<u8>)> = names::of_objects(objects(), usual)
        .into_iter()
        .zip(objects())
        .map(|(name, object)| (name, document::print_object(&object.node, sink)))
        .collect();
    let copies = || unit.encrypted.iter().map(|index| &sequence.surroundings().encrypted[*index]);
    // kluctl decrypts whatever ends like YAML and holds SOPS metadata; a SopsSecret has to stay as it is.
    let ending = (unit.kind == UnitKind::SopsSecrets).then_some(".sopssecret");
    let copied = names::of_copies(copies().map(|file| file.path.as_path()), ending);
    let mut copied: Vec<_> = copied.into_iter().zip(copies().map(|file| file.bytes.to_vec())).collect();
    copied.sort();
    own.extend(copied);
    own
}

fn kustomization(
    folder: &Utf8PathBuf,
    resources: &[String],
    patches: Option<Node>,
    files: &mut Files,
    sink: &mut Sink,
) {
    let mut document = Fields::new()
        .with("apiVersion", "kustomize.config.k8s.io/v1beta1")
        .with("kind", "Kustomization")
        .with_node("resources", list(resources.iter().map(|name| value(name.as_str()))));
    if let Some(patches) = patches {
        document = document.with_node("patches", patches);
    }
    files.insert(slashed(folder, "kustomization.yaml"), document::print(&document.node(), sink));
}
