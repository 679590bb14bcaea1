//! cert-manager: issuers named by annotations, wildcard names, and backups that have no credentials.

use super::{Edge, Linker, Referrer, Target, creations::ISSUER_ANNOTATIONS};
use crate::diag::{Diagnostic, codes};
use crate::model::{Object, ObjectId};
use crate::value::{Node, Path};

const GROUP: &str = "cert-manager.io";

pub(super) fn check(linker: &mut Linker<'_>) {
    let rendering = linker.rendering;
    for (index, placed) in rendering.objects().iter().enumerate() {
        let object = &placed.object;
        match (&*object.id.group, &*object.id.kind) {
            (GROUP, "Certificate") => certificate(linker, object),
            ("networking.k8s.io", "Ingress") | ("gateway.networking.k8s.io", "Gateway") => {
                annotated(linker, index, object);
            }
            ("postgresql.cnpg.io", "Cluster") => backup(linker, object),
            _ => {}
        }
    }
}

fn certificate(linker: &mut Linker<'_>, object: &Object) {
    let text = |keys: &[&str]| object.node.at(keys).and_then(Node::as_str);
    let Some(name) = text(&["spec", "issuerRef", "name"]) else { return };
    if text(&["spec", "issuerRef", "group"]).is_some_and(|group| group != GROUP) {
        return;
    }
    let kind = text(&["spec", "issuerRef", "kind"]).unwrap_or("Issuer");
    let issuer = issuer_id(object, kind, name);
    let names = object.node.at(&["spec", "dnsNames"]).and_then(Node::as_list).unwrap_or_default();
    for name in names.iter().chain(object.node.at(&["spec", "commonName"])) {
        wildcard(linker, object, name, &issuer);
    }
}

fn issuer_id(object: &Object, kind: &str, name: &str) -> ObjectId {
    let namespace = if kind == "ClusterIssuer" { None } else { object.id.namespace.clone() };
    ObjectId { group: GROUP.into(), kind: kind.into(), namespace, name: name.into() }
}

/// An Ingress or Gateway whose certificates cert-manager makes.
fn annotated(linker: &mut Linker<'_>, index: usize, object: &Object) {
    for (annotation, kind) in ISSUER_ANNOTATIONS {
        let path = Path::of(&["metadata", "annotations", annotation]);
        let Some(node) = object.node.lookup(&path) else { continue };
        let Some(name) = node.as_str() else { continue };
        let group = object.node.at(&["metadata", "annotations", "cert-manager.io/issuer-group"]);
        if group.and_then(Node::as_str).is_some_and(|group| group != GROUP) {
            continue;
        }
        let issuer = issuer_id(object, kind, name);
        match linker.universe.find(&issuer) {
            Some(known) => linker.edges.push(Edge {
                from: Referrer::Object(index),
                to: known.target,
                field: path.to_string(),
                at: node.origin.editable(),
                order: false,
                derived: known.derived,
            }),
            None => linker.missing(object, &path, node, &issuer),
        }
        let spec = |key: &str| object.node.at(&["spec", key]).and_then(Node::as_list).unwrap_or_default();
        for tls in spec("tls") {
            for host in tls.get("hosts").and_then(Node::as_list).unwrap_or_default() {
                wildcard(linker, object, host, &issuer);
            }
        }
        for listener in spec("listeners").iter().filter(|listener| listener.get("tls").is_some()) {
            if let Some(host) = listener.get("hostname") {
                wildcard(linker, object, host, &issuer);
            }
        }
    }
}

/// A wildcard name can be proved by dns01 only, so the issuer's solver for it has to be one.
fn wildcard(linker: &mut Linker<'_>, object: &Object, name: &Node, issuer: &ObjectId) {
    let Some(host) = name.as_str().filter(|host| host.starts_with("*.")) else { return };
    let Some(Target::Object(at)) = linker.universe.find(issuer).map(|known| known.target) else { return };
    let issuer_node = &linker.rendering.objects()[at].object.node;
    let Some(acme) = issuer_node.at(&["spec", "acme"]) else { return };
    let solvers = acme.get("solvers").and_then(Node::as_list).unwrap_or_default();
    let fits = |solver: &&Node| {
        let Some(selector) = solver.get("selector") else { return true };
        let list = |key: &str| selector.get(key).and_then(Node::as_list).unwrap_or_default();
        let names = list("dnsNames");
        let zones = list("dnsZones");
        let within = |zone: &Node| {
            zone.as_str().is_some_and(|zone| host == zone || host.ends_with(&format!(".{zone}")))
        };
        (names.is_empty() && zones.is_empty())
            || names.iter().any(|name| name.as_str() == Some(host))
            || zones.iter().any(within)
    };
    if solvers.iter().filter(fits).any(|solver| solver.get("dns01").is_some()) {
        return;
    }
    let solver = solvers.iter().find(fits);
    linker.sink.report(
        Diagnostic::error(
            codes::WILDCARD_NEEDS_DNS01,
            format!(
                "`{}` wants a certificate for `{host}` from `{issuer}`, which has no dns01 solver for it",
                object.id
            ),
        )
        .at(name.origin.editable(), "a wildcard")
        .related(solver.unwrap_or(acme).origin.editable(), "the solver that would be used")
        .object(object.id.to_string())
        .help("add a `dns01` solver to the issuer, choose another issuer, or list the names one by one"),
    );
}

/// A backup to object storage that names no credentials fails when it runs, not when it is applied.
fn backup(linker: &mut Linker<'_>, object: &Object) {
    let Some(store) = object.node.at(&["spec", "backup", "barmanObjectStore"]) else { return };
    let credentials = ["s3Credentials", "azureCredentials", "googleCredentials"]
        .iter()
        .find_map(|key| store.get(key))
        .filter(|node| node.as_map().is_some_and(|map| !map.is_empty()));
    if credentials.is_some() {
        return;
    }
    let at = store.get("destinationPath").unwrap_or(store);
    linker.sink.report(
        Diagnostic::error(
            codes::BACKUP_WITHOUT_CREDENTIALS,
            format!("`{}` is backed up to object storage without credentials", object.id),
        )
        .at(at.origin.editable(), "nothing says how to sign in there")
        .object(object.id.to_string())
        .help("name a Secret in `s3Credentials: {accessKeyId: {name, key}, secretAccessKey: {name, key}}`, or set `inheritFromIAMRole: true` there"),
    );
}
