//! The references that objects make, as data: which field of which kind names an object of which kind.
//!
//! A row says where the reference is, what it names and in which namespace, and whether the target has to be there
//! first. Adding a kind is adding rows. Routes, whose references depend on what a Gateway admits, are in
//! [`super::gateway`].

use super::ports::PortField;
use crate::schema::pods;
use std::sync::OnceLock;

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// Kinds that hold the reference, as `Kind.group`.
    pub(super) holders: &'static [&'static str],
    /// Path to the reference: `.` steps into maps, `[]` into the items of a list, `**` to any depth, and a name may
    /// start with `*`.
    pub(super) at: &'static str,
    /// The member that holds the name; empty where the reference is the name itself.
    pub(super) name: &'static str,
    /// What is named.
    pub(super) target: TargetKind,
    /// In which namespace it is.
    pub(super) namespace: NamespaceRule,
    /// Paths below the reference that hold keys of the target, a Secret or `ConfigMap`.
    pub(super) keys: &'static [&'static str],
    /// The port of the target, a Service.
    pub(super) port: Option<PortField>,
    /// What the reference means for order and for faults.
    pub(super) strength: Strength,
}

/// The kind that a reference names.
#[derive(Debug)]
pub(super) enum TargetKind {
    /// Always this: group and kind.
    Fixed(&'static str, &'static str),
    /// `kind` and `group` (or `apiGroup`, or `apiVersion`) beside the name, with these defaults.
    Stated(&'static str, &'static str),
}

/// The namespace of a namespaced target.
#[derive(Debug)]
pub(super) enum NamespaceRule {
    /// The holder's own.
    Own,
    /// The member `namespace` beside the name, else the holder's own.
    Stated,
    /// The holder's own, or cert-manager's where the holder has none.
    OfIssuers,
}

/// What a reference means for order and for faults.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// The target has to be there first; its absence is an error.
    Before,
    /// The target has to exist; either may be first.
    Exists,
    /// Where the target is in the tree it comes first; its absence says nothing.
    IfThere,
}

use NamespaceRule::{OfIssuers, Own, Stated as Beside};
use Strength::{Before, Exists, IfThere};
use TargetKind::{Fixed, Stated};

const SECRET: TargetKind = Fixed("", "Secret");
const CONFIG_MAP: TargetKind = Fixed("", "ConfigMap");
const STORAGE_CLASS: TargetKind = Fixed("storage.k8s.io", "StorageClass");
const SERVICE: TargetKind = Fixed("", "Service");
const CNPG_CLUSTER: TargetKind = Fixed("postgresql.cnpg.io", "Cluster");
const ISSUERS: &[&str] = &["Issuer.cert-manager.io", "ClusterIssuer.cert-manager.io"];
const CLUSTER: &[&str] = &["Cluster.postgresql.cnpg.io"];
const OF_CLUSTER: &[&str] = &[
    "Pooler.postgresql.cnpg.io",
    "ScheduledBackup.postgresql.cnpg.io",
    "Backup.postgresql.cnpg.io",
    "Database.postgresql.cnpg.io",
    "Publication.postgresql.cnpg.io",
    "Subscription.postgresql.cnpg.io",
];
const BINDINGS: &[&str] =
    &["RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"];
const WEBHOOKS: &[&str] = &[
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration.admissionregistration.k8s.io",
];

const fn row(
    holders: &'static [&'static str],
    at: &'static str,
    name: &'static str,
    target: TargetKind,
    namespace: NamespaceRule,
    strength: Strength,
) -> Row {
    Row { holders, at, name, target, namespace, keys: &[], port: None, strength }
}

const fn keyed(
    holders: &'static [&'static str],
    at: &'static str,
    name: &'static str,
    target: TargetKind,
    keys: &'static [&'static str],
) -> Row {
    Row { holders, at, name, target, namespace: OfIssuers, keys, port: None, strength: Before }
}

/// A Service and one of its ports.
const fn served(
    holders: &'static [&'static str],
    at: &'static str,
    namespace: NamespaceRule,
    port: PortField,
    strength: Strength,
) -> Row {
    Row { holders, at, name: "name", target: SERVICE, namespace, keys: &[], port: Some(port), strength }
}

/// The port of an Ingress' backend.
const INGRESS_PORT: PortField = PortField { at: &["port.number", "port.name"], default: None };
/// The port of what calls a webhook or an aggregated API.
const HTTPS_PORT: PortField = PortField { at: &["port"], default: Some(443) };
/// The port of a route's backend.
pub(super) const ROUTE_PORT: PortField = PortField { at: &["port"], default: None };

/// All rows but those of Pods.
pub(super) const ROWS: &[Row] = &[
    // Accounts and rights.
    row(&["ServiceAccount."], "imagePullSecrets[]", "name", SECRET, Own, Before),
    row(BINDINGS, "roleRef", "name", Stated("rbac.authorization.k8s.io", "Role"), Own, Before),
    row(BINDINGS, "subjects[]", "name", Stated("", "ServiceAccount"), Beside, Exists),
    // Storage.
    row(
        &["StatefulSet.apps"],
        "spec.volumeClaimTemplates[].spec.storageClassName",
        "",
        STORAGE_CLASS,
        Own,
        Before,
    ),
    row(&["StatefulSet.apps"], "spec.serviceName", "", SERVICE, Own, IfThere),
    row(&["PersistentVolumeClaim."], "spec.storageClassName", "", STORAGE_CLASS, Own, Before),
    row(&["PersistentVolumeClaim."], "spec.volumeName", "", Fixed("", "PersistentVolume"), Own, IfThere),
    row(&["PersistentVolume."], "spec.storageClassName", "", STORAGE_CLASS, Own, IfThere),
    // Scaling.
    row(
        &["HorizontalPodAutoscaler.autoscaling"],
        "spec.scaleTargetRef",
        "name",
        Stated("apps", ""),
        Own,
        Before,
    ),
    row(
        &["VerticalPodAutoscaler.autoscaling.k8s.io"],
        "spec.targetRef",
        "name",
        Stated("apps", ""),
        Own,
        Before,
    ),
    // Ingress.
    row(
        &["Ingress.networking.k8s.io"],
        "spec.ingressClassName",
        "",
        Fixed("networking.k8s.io", "IngressClass"),
        Own,
        Before,
    ),
    row(&["Ingress.networking.k8s.io"], "spec.tls[]", "secretName", SECRET, Own, Exists),
    served(&["Ingress.networking.k8s.io"], "spec.defaultBackend.service", Own, INGRESS_PORT, Exists),
    served(
        &["Ingress.networking.k8s.io"],
        "spec.rules[].http.paths[].backend.service",
        Own,
        INGRESS_PORT,
        Exists,
    ),
    // Gateway API; routes are followed in code.
    row(
        &["Gateway.gateway.networking.k8s.io"],
        "spec.gatewayClassName",
        "",
        Fixed("gateway.networking.k8s.io", "GatewayClass"),
        Own,
        Before,
    ),
    row(
        &["Gateway.gateway.networking.k8s.io"],
        "spec.listeners[].tls.certificateRefs[]",
        "name",
        Stated("", "Secret"),
        Beside,
        Exists,
    ),
    row(
        &["GatewayClass.gateway.networking.k8s.io"],
        "spec.parametersRef",
        "name",
        Stated("", ""),
        Beside,
        IfThere,
    ),
    // Webhooks and aggregated APIs.
    served(WEBHOOKS, "webhooks[].clientConfig.service", Beside, HTTPS_PORT, Before),
    served(&["APIService.apiregistration.k8s.io"], "spec.service", Beside, HTTPS_PORT, Before),
    served(
        &["CustomResourceDefinition.apiextensions.k8s.io"],
        "spec.conversion.webhook.clientConfig.service",
        Beside,
        HTTPS_PORT,
        Exists,
    ),
    // cert-manager.
    row(
        &["Certificate.cert-manager.io", "CertificateRequest.cert-manager.io"],
        "spec.issuerRef",
        "name",
        Stated("cert-manager.io", "Issuer"),
        Own,
        Before,
    ),
    keyed(ISSUERS, "spec.acme.solvers[].dns01.**.*SecretRef", "name", SECRET, &["key"]),
    keyed(ISSUERS, "spec.acme.externalAccountBinding.keySecretRef", "name", SECRET, &["key"]),
    keyed(ISSUERS, "spec.vault.**.*SecretRef", "name", SECRET, &["key"]),
    keyed(ISSUERS, "spec.ca", "secretName", SECRET, &[]),
    row(
        ISSUERS,
        "spec.acme.solvers[].http01.gatewayHTTPRoute.parentRefs[]",
        "name",
        Stated("gateway.networking.k8s.io", "Gateway"),
        Beside,
        Exists,
    ),
    // CloudNativePG.
    row(OF_CLUSTER, "spec.cluster", "name", CNPG_CLUSTER, Own, Before),
    row(&["Pooler.postgresql.cnpg.io"], "spec.pgbouncer.authQuerySecret", "name", SECRET, Own, Before),
    row(CLUSTER, "spec.bootstrap.*.secret", "name", SECRET, Own, Before),
    row(
        CLUSTER,
        "spec.bootstrap.recovery.backup",
        "name",
        Fixed("postgresql.cnpg.io", "Backup"),
        Own,
        Before,
    ),
    row(CLUSTER, "spec.superuserSecret", "name", SECRET, Own, Before),
    row(CLUSTER, "spec.imagePullSecrets[]", "name", SECRET, Own, Before),
    row(CLUSTER, "spec.managed.roles[].passwordSecret", "name", SECRET, Own, Before),
    row(CLUSTER, "spec.storage.storageClass", "", STORAGE_CLASS, Own, Before),
    row(CLUSTER, "spec.walStorage.storageClass", "", STORAGE_CLASS, Own, Before),
    row(CLUSTER, "spec.tablespaces[].storage.storageClass", "", STORAGE_CLASS, Own, Before),
    row(CLUSTER, "spec.priorityClassName", "", Fixed("scheduling.k8s.io", "PriorityClass"), Own, Before),
    keyed(CLUSTER, "spec.backup.barmanObjectStore.s3Credentials.*", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.backup.barmanObjectStore.azureCredentials.*", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.backup.barmanObjectStore.googleCredentials.*", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.backup.barmanObjectStore.endpointCA", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.externalClusters[].password", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.externalClusters[].sslKey", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.externalClusters[].sslCert", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.externalClusters[].sslRootCert", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.monitoring.customQueriesConfigMap[]", "name", CONFIG_MAP, &["key"]),
    keyed(CLUSTER, "spec.monitoring.customQueriesSecret[]", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.env[].valueFrom.secretKeyRef", "name", SECRET, &["key"]),
    keyed(CLUSTER, "spec.env[].valueFrom.configMapKeyRef", "name", CONFIG_MAP, &["key"]),
    keyed(CLUSTER, "spec.envFrom[].secretRef", "name", SECRET, &[]),
    keyed(CLUSTER, "spec.envFrom[].configMapRef", "name", CONFIG_MAP, &[]),
    // Traefik.
    row(&["IngressRoute.traefik.io"], "spec.tls", "secretName", SECRET, Own, Exists),
    served(&["IngressRoute.traefik.io"], "spec.routes[].services[]", Beside, ROUTE_PORT, IfThere),
    row(
        &["IngressRoute.traefik.io"],
        "spec.routes[].middlewares[]",
        "name",
        Fixed("traefik.io", "Middleware"),
        Beside,
        Before,
    ),
];

/// The rows of every kind with a template of Pods; they begin at its specification.
pub(super) fn pod_rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let row = |found: &pods::Use| Row {
            holders: &[],
            at: found.at,
            name: found.name,
            target: Fixed(found.group, found.kind),
            namespace: Own,
            keys: found.keys,
            port: None,
            strength: Before,
        };
        pods::USES.iter().map(row).collect()
    })
}
