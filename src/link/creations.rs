//! What controllers make of an object, where that can be known from the object: the Secret of a Certificate, the
//! Services of a database cluster.

use crate::model::{Object, ObjectId};
use crate::value::Node;
use std::sync::Arc;

/// Identity, and keys where they are known.
pub(super) type Created = (ObjectId, Option<Vec<Arc<str>>>);

/// Annotations by which cert-manager makes Certificates for an Ingress or a Gateway.
pub(super) const ISSUER_ANNOTATIONS: &[(&str, &str)] =
    &[("cert-manager.io/cluster-issuer", "ClusterIssuer"), ("cert-manager.io/issuer", "Issuer")];

/// What controllers make of `object`.
pub(super) fn of(object: &Object) -> Vec<Created> {
    let mut created = Vec::new();
    let mut make = |kind: &str, name: &str, keys: Option<&[&str]>| {
        let id = ObjectId {
            group: "".into(),
            kind: kind.into(),
            namespace: object.id.namespace.clone(),
            name: name.into(),
        };
        created.push((id, keys.map(|keys| keys.iter().map(|key| Arc::from(*key)).collect())));
    };
    let node = &object.node;
    let text = |keys: &[&str]| node.at(keys).and_then(Node::as_str);
    let name = &*object.id.name;
    const TLS: Option<&[&str]> = Some(&["tls.crt", "tls.key", "ca.crt"]);
    match (&*object.id.group, &*object.id.kind) {
        ("cert-manager.io", "Certificate") => {
            let more = ["keystores", "additionalOutputFormats"]
                .iter()
                .any(|field| node.at(&["spec", field]).is_some());
            if let Some(secret) = text(&["spec", "secretName"]) {
                make("Secret", secret, if more { None } else { TLS });
            }
        }
        ("networking.k8s.io", "Ingress") if has_issuer(node) => {
            for tls in node.at(&["spec", "tls"]).and_then(Node::as_list).unwrap_or_default() {
                if let Some(secret) = tls.get("secretName").and_then(Node::as_str) {
                    make("Secret", secret, TLS);
                }
            }
        }
        ("gateway.networking.k8s.io", "Gateway") if has_issuer(node) => {
            for listener in node.at(&["spec", "listeners"]).and_then(Node::as_list).unwrap_or_default() {
                let refs = listener.at(&["tls", "certificateRefs"]).and_then(Node::as_list);
                for reference in refs.unwrap_or_default() {
                    if let Some(secret) = reference.get("name").and_then(Node::as_str) {
                        make("Secret", secret, TLS);
                    }
                }
            }
        }
        ("postgresql.cnpg.io", "Cluster") => {
            // CloudNativePG 1.25, pkg/specs and internal/management: names are fixed suffixes.
            for suffix in ["rw", "ro", "r"] {
                make("Service", &format!("{name}-{suffix}"), None);
            }
            for suffix in ["ca", "server", "replication"] {
                make("Secret", &format!("{name}-{suffix}"), None);
            }
            make("ServiceAccount", name, None);
            if node.at(&["spec", "bootstrap", "initdb", "secret"]).is_none()
                && node.at(&["spec", "bootstrap", "pg_basebackup"]).is_none()
            {
                make("Secret", &format!("{name}-app"), None);
            }
            let superuser = node.at(&["spec", "enableSuperuserAccess"]).and_then(Node::as_bool) == Some(true);
            if superuser && node.at(&["spec", "superuserSecret"]).is_none() {
                make("Secret", &format!("{name}-superuser"), None);
            }
        }
        ("postgresql.cnpg.io", "Pooler") => {
            make("Service", name, None);
            make("ServiceAccount", name, None);
        }
        ("bitnami.com", "SealedSecret") => {
            make("Secret", text(&["spec", "template", "metadata", "name"]).unwrap_or(name), None);
        }
        ("external-secrets.io", "ExternalSecret") => {
            make("Secret", text(&["spec", "target", "name"]).unwrap_or(name), None);
        }
        _ => {}
    }
    created
}

/// Whether cert-manager looks after the certificates of an Ingress or Gateway.
pub(super) fn has_issuer(node: &Node) -> bool {
    ISSUER_ANNOTATIONS
        .iter()
        .any(|(annotation, _)| node.at(&["metadata", "annotations", annotation]).is_some())
}
