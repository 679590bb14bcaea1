//! `clusters/<env>/units.yaml`: one Flux Kustomization a unit.
//!
//! Never `postBuild` (without it Flux never looks at `$`), `decryption` only where a unit holds encrypted files,
//! always a `timeout`.

use super::document::{self, Fields, list, value};
use super::slashed;
use super::sources::{Named, Source};
use super::units::Folders;
use crate::diag::{Diagnostic, Sink, codes};
use crate::model::{Environment, FluxDelivery};
use crate::order::{Health, HealthCheck, Sequence, Unit, UnitKind};
use crate::value::Node;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn write(
    sequence: &Sequence,
    folders: &[Folders],
    named: &Named,
    files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
    sink: &mut Sink,
) {
    let surroundings = sequence.surroundings();
    let Some(flux) = &surroundings.deliver.flux else { return };
    supported(&surroundings.environment, sink);
    let mut out = Vec::new();
    for (unit, folders) in sequence.units().iter().zip(folders) {
        if !out.is_empty() {
            out.extend_from_slice(b"---\n");
        }
        let node = kustomization(sequence, flux, unit, named, folders.flux.as_deref());
        out.extend(document::print(&node, sink));
    }
    let environment = &surroundings.environment.name;
    files.insert(Utf8PathBuf::from(format!("clusters/{environment}/units.yaml")), out);
}

/// The Flux whose API the tree is written in, and the oldest minor version of Kubernetes that it supports.
const FLUX: (&str, u16) = ("2.9", 34);

/// Flux's controllers call APIs that an older cluster may not serve.
fn supported(environment: &Environment, sink: &mut Sink) {
    let (release, oldest) = FLUX;
    let Some(("1", minor)) = environment.kubernetes.split_once('.') else { return };
    if minor.parse::<u16>().is_ok_and(|minor| minor >= oldest) {
        return;
    }
    let version = &environment.kubernetes;
    sink.report(
        Diagnostic::warning(
            codes::UNSUPPORTED_KUBERNETES,
            format!("Kubernetes {version} is older than what Flux {release} supports, which begins with 1.{oldest}"),
        )
        .at(environment.kubernetes_span, "the cluster's version")
        .help("upgrade the cluster, run an older Flux in it, or deliver with kluctl alone: `deliver: {kluctl: {}}`"),
    );
}

fn kustomization(
    sequence: &Sequence,
    flux: &FluxDelivery,
    unit: &Unit,
    named: &Named,
    folder: Option<&Utf8Path>,
) -> Node {
    let units = sequence.units();
    let mut spec = Fields::new();
    if !unit.depends_on.is_empty() {
        let names = unit
            .depends_on
            .iter()
            .map(|need| Fields::new().with("name", Arc::clone(&units[*need].name)).node());
        spec = spec.with_node("dependsOn", list(names));
    }
    spec = spec.with("interval", "1h").with("retryInterval", "2m").with("timeout", duration(unit.timeout));
    let part = unit.part.map(|part| &sequence.parts()[part]);
    let reference =
        part.zip(unit.reference).map(|(part, reference)| (part, &part.instance.references[reference]));
    let fetched = reference.and_then(|(part, reference)| {
        Some((Source::of_reference(part, reference)?, reference.git.as_ref().map(|(_, _, path)| path)?))
    });
    spec = if let Some((from, path)) = fetched {
        spec.with("sourceRef", Fields::new().with("kind", from.kind).with("name", named.get(&from)))
            .with("path", format!("./{}", path.trim_start_matches("./").trim_matches('/')))
    } else {
        let prefix = &sequence.surroundings().environment.output.prefix;
        let path = folder.map(|folder| slashed(prefix, folder)).unwrap_or_default();
        spec.with("sourceRef", source(flux)).with("path", format!("./{path}"))
    };
    // What is fetched from elsewhere is other people's: nothing of it is removed when they drop it.
    spec = spec.with("prune", unit.kind != UnitKind::Reference);
    if unit.orphan {
        spec = spec.with("deletionPolicy", "Orphan");
    }
    spec = match &unit.health {
        Health::None => spec.with("wait", false),
        Health::All { expressions } => expressed(spec.with("wait", true), expressions),
        Health::Listed { checks, expressions } => {
            expressed(spec.with_node("healthChecks", list(checks.iter().map(check))), expressions)
        }
    };
    if unit.kind == UnitKind::Secrets {
        let decryption = Fields::new().with("provider", "sops");
        let decryption = match &flux.decryption_secret {
            Some(secret) => decryption.with("secretRef", Fields::new().with("name", Arc::clone(secret))),
            None => decryption,
        };
        spec = spec.with("decryption", decryption);
    }
    let ignored = ignored(sequence, flux, unit);
    if !ignored.is_empty() {
        spec = spec.with_node("ignore", list(ignored));
    }
    Fields::new()
        .with("apiVersion", "kustomize.toolkit.fluxcd.io/v1")
        .with("kind", "Kustomization")
        .with(
            "metadata",
            Fields::new().with("name", Arc::clone(&unit.name)).with("namespace", Arc::clone(&flux.namespace)),
        )
        .with("spec", spec)
        .node()
}

fn source(flux: &FluxDelivery) -> Fields {
    Fields::new().with("kind", Arc::clone(&flux.source_kind)).with("name", Arc::clone(&flux.source_name))
}

fn duration(seconds: u32) -> String {
    // Less than half a minute would be raised by Flux.
    let seconds = seconds.max(30);
    if seconds.is_multiple_of(60) { format!("{}m", seconds / 60) } else { format!("{seconds}s") }
}

fn expressed(spec: Fields, expressions: &[crate::order::Expression]) -> Fields {
    if expressions.is_empty() {
        return spec;
    }
    let entries = expressions.iter().map(|expression| {
        Fields::new()
            .with("apiVersion", Arc::clone(&expression.api_version))
            .with("kind", Arc::clone(&expression.kind))
            .with("current", expression.current)
            .node()
    });
    spec.with_node("healthCheckExprs", list(entries))
}

fn check(check: &HealthCheck) -> Node {
    Fields::new()
        .with("apiVersion", Arc::clone(&check.api_version))
        .with("kind", Arc::clone(&check.kind))
        .with("name", Arc::clone(&check.name))
        .with_some("namespace", check.namespace.clone())
        .node()
}

/// The rules of `deliver.flux.ignore` that concern a unit: those that name it, or an object in it, or neither.
fn ignored(sequence: &Sequence, flux: &FluxDelivery, unit: &Unit) -> Vec<Node> {
    let rules = flux.ignore.as_ref().and_then(Node::as_map);
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    rules
        .into_iter()
        .flatten()
        .map(|(_, entry)| &entry.node)
        .filter(|rule| match (text(rule, "unit"), rule.get("target")) {
            (Some(name), _) => name == *unit.name,
            (None, None) => !unit.flux_only(),
            (None, Some(target)) => unit.objects.iter().any(|index| {
                let id = &sequence.objects()[*index].object.id;
                let agrees = |key: &str, have: Option<&str>| {
                    text(target, key).is_none_or(|wanted| Some(wanted.as_str()) == have)
                };
                agrees("kind", Some(&id.kind))
                    && agrees("group", Some(&id.group))
                    && agrees("name", Some(&id.name))
                    && agrees("namespace", id.namespace.as_deref())
            }),
        })
        .map(|rule| {
            let members = rule.as_map().into_iter().flatten().filter(|(key, _)| &***key != "unit");
            members
                .fold(Fields::new(), |fields, (key, entry)| fields.with_node(key, entry.node.clone()))
                .node()
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|node| value(node.value))
        .collect()
}
