#![allow(clippy::needless_pass_by_value, reason = "JSON is made in place")]

use super::*;
use crate::check::{Program, ProgramParts};
use crate::model::{CreatedObject, DeclaredBy, DeclaredCrd, External, RequiredSecret, SecretKey};
use crate::render::tests::{instance, program, span};
use serde_json::{Value as Json, json};

pub(crate) fn linked(parts: ProgramParts) -> (Option<Linked>, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let linked = crate::render::render(
        Program::of(parts),
        &crate::package::supply::Supplied::nothing(&crate::source::Sources::new()),
        crate::package::memo::Recall::nothing(),
        &mut sink,
    )
    .and_then(|rendering| link(rendering, &mut sink));
    (linked.ok(), sink.into_found())
}

pub(crate) fn crd(group: &str, kind: &str, namespaced: bool) -> DeclaredCrd {
    DeclaredCrd {
        group: group.into(),
        kind: kind.into(),
        plural: None,
        versions: vec!["v1".into()],
        namespaced,
        by: DeclaredBy::Chart,
        stateful: false,
        span: span(),
    }
}

fn found(objects: &[Json]) -> Vec<Diagnostic> {
    let mut app = instance("app", "shop", objects);
    app.declares.crds = vec![
        crd("cert-manager.io", "Certificate", true),
        crd("cert-manager.io", "ClusterIssuer", false),
        crd("gateway.networking.k8s.io", "Gateway", true),
        crd("gateway.networking.k8s.io", "HTTPRoute", true),
        crd("gateway.networking.k8s.io", "ReferenceGrant", true),
        crd("gateway.networking.k8s.io", "GatewayClass", false),
        crd("postgresql.cnpg.io", "Cluster", true),
        crd("postgresql.cnpg.io", "Pooler", true),
        crd("postgresql.cnpg.io", "ScheduledBackup", true),
    ];
    linked(program(vec![app, instance("other", "other", &[])])).1
}

fn codes_of(objects: &[Json]) -> Vec<String> {
    found(objects).into_iter().map(|diagnostic| diagnostic.code.to_string()).collect()
}

fn deployment(spec: Json) -> Json {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": spec}}})
}

fn named(api: &str, kind: &str, name: &str) -> Json {
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}})
}

#[test]
fn pods_refer_to_what_exists() {
    let spec = json!({"serviceAccountName": "web", "priorityClassName": "system-node-critical",
        "volumes": [{"name": "v", "configMap": {"name": "settings", "items": [{"key": "a.yaml", "path": "a"}]}}],
        "containers": [{"name": "c", "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a.yaml"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "maybe", "key": "x", "optional": true}}}]}]});
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a.yaml": ""}});
    let account = named("v1", "ServiceAccount", "web");
    assert_eq!(codes_of(&[deployment(spec.clone()), settings, account]), Vec::<String>::new());

    let near = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "setting"}, "data": {"b.yaml": ""}});
    let all = found(&[deployment(spec), near]);
    let messages: Vec<&str> = all.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`Deployment/shop/web` refers to ServiceAccount `web` in namespace `shop`, which nothing makes",
            "`Deployment/shop/web` refers to ConfigMap `settings` in namespace `shop`, which nothing makes",
            "`Deployment/shop/web` refers to ConfigMap `settings` in namespace `shop`, which nothing makes",
        ]
    );
    assert_eq!(all[1].helps[0], "did you mean `setting`?");
    assert_eq!(
        all[1].primary.as_ref().map(|label| label.text.as_str()),
        Some("`spec.template.spec.volumes[0].configMap.name`")
    );
}

#[test]
fn keys_are_checked_where_they_are_known() {
    let spec = json!({"containers": [{"name": "c", "env": [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "hots"}}}]}]});
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"host": ""}});
    let all = found(&[deployment(spec), settings]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].code, codes::MISSING_KEY);
    assert_eq!(all[0].helps, ["did you mean `host`?"]);
}

#[test]
fn a_secret_may_be_external_encrypted_or_made_later() {
    let spec = json!({"containers": [], "imagePullSecrets": [{"name": "pull"}]});
    let id = ObjectId {
        group: "".into(),
        kind: "Secret".into(),
        namespace: Some("shop".into()),
        name: "pull".into(),
    };
    let app = || instance("app", "shop", &[deployment(spec.clone())]);
    assert_eq!(linked(program(vec![app()])).1.len(), 1);
    let mut external = program(vec![app()]);
    external.externals = vec![External {
        name: "pull".into(),
        id: id.clone(),
        keys: Vec::new(),
        supersedable: false,
        span: span(),
    }];
    assert_eq!(linked(external.clone()).1, []);
    let mut made = program(vec![app()]);
    made.instances[0].declares.creates =
        vec![CreatedObject { id: id.clone(), keys: Vec::new(), span: span() }];
    let (made, none) = linked(made);
    assert_eq!(none, []);
    assert_eq!(made.expect("linked").edges()[0].to, Target::Part(0));
    // In the tree as well as outside.
    external.instances[0].objects.push(crate::render::tests::object(&named("v1", "Secret", "pull")));
    assert_eq!(linked(external).1[0].code, codes::DUPLICATE_OBJECT);
}

#[test]
fn a_stack_needs_its_secrets_with_their_keys() {
    let key =
        |name: &str| SecretKey { name: name.into(), format: None, placeholder: None, description: None };
    let mut app = instance("app", "shop", &[]);
    app.secrets = vec![RequiredSecret {
        name: "token".into(),
        namespace: "shop".into(),
        keys: vec![key("user"), key("password")],
        span: span(),
        editable: None,
    }];
    let mut parts = program(vec![app]);
    let (_, all) = linked(parts.clone());
    assert_eq!(
        all[0].message,
        "`app` needs the Secret `token` in namespace `shop` with the keys `user`, `password`"
    );
    parts.externals = vec![External {
        name: "token".into(),
        id: ObjectId {
            group: "".into(),
            kind: "Secret".into(),
            namespace: Some("shop".into()),
            name: "token".into(),
        },
        keys: vec!["user".into(), "pasword".into()],
        supersedable: false,
        span: span(),
    }];
    let (_, all) = linked(parts);
    assert_eq!(all[0].message, "`app` reads `password` of `Secret/shop/token`, which it does not have");
    assert_eq!(all[0].helps[0], "is `pasword` meant to be `password`?");
}

#[test]
fn bindings_and_scaling_name_what_exists() {
    let role = named("rbac.authorization.k8s.io/v1", "Role", "reader");
    let binding = |name: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "default"}, {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}]})
    };
    assert_eq!(codes_of(&[role.clone(), binding("reader")]), Vec::<String>::new());
    assert_eq!(codes_of(&[role, binding("raeder")]), ["unresolved-reference"]);
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    assert_eq!(codes_of(std::slice::from_ref(&scaler)), ["unresolved-reference"]);
    assert_eq!(codes_of(&[scaler, deployment(json!({"containers": []}))]), Vec::<String>::new());
}

#[test]
fn certificates_need_their_issuer_and_wildcards_dns01() {
    let issuer = |solver: Json| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer",
        "metadata": {"name": "letsencrypt"}, "spec": {"acme": {"solvers": [solver]}}})
    };
    let certificate = |issuer: &str, host: &str| {
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "c"}, "spec": {"secretName": "c-tls", "dnsNames": [host],
            "issuerRef": {"kind": "ClusterIssuer", "name": issuer}}})
    };
    let http = json!({"http01": {"ingress": {}}});
    let dns = json!({"dns01": {"cloudflare": {"apiTokenSecretRef": {"name": "token", "key": "t"}}}});
    assert_eq!(
        codes_of(&[issuer(http.clone()), certificate("letsencrypt", "a.example.org")]),
        Vec::<String>::new()
    );
    assert_eq!(
        codes_of(&[issuer(http.clone()), certificate("letsencrpyt", "a.example.org")]),
        ["unresolved-reference"]
    );
    assert_eq!(
        codes_of(&[issuer(http), certificate("letsencrypt", "*.example.org")]),
        ["wildcard-needs-dns01"]
    );
    let token =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "data": {"t": ""}});
    assert_eq!(
        codes_of(&[issuer(dns), certificate("letsencrypt", "*.example.org"), token]),
        Vec::<String>::new()
    );
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "i", "annotations": {"cert-manager.io/cluster-issuer": "nobody"}},
        "spec": {"tls": [{"hosts": ["a.example.org"], "secretName": "i-tls"}]}});
    assert_eq!(codes_of(&[ingress]), ["unresolved-reference"]);
}

#[test]
fn a_pooler_needs_its_cluster_and_a_backup_credentials() {
    let cluster = |backup: Json| {
        json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "db"},
        "spec": {"backup": backup}})
    };
    let of = |kind: &str, name: &str| {
        json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": kind,
        "metadata": {"name": "x"}, "spec": {"cluster": {"name": name}}})
    };
    assert_eq!(
        codes_of(&[cluster(json!(null)), of("Pooler", "db"), of("ScheduledBackup", "db")]),
        Vec::<String>::new()
    );
    assert_eq!(codes_of(&[cluster(json!(null)), of("Pooler", "bd")]), ["unresolved-reference"]);
    let store = json!({"barmanObjectStore": {"destinationPath": "s3://b", "s3Credentials": {}}});
    assert_eq!(codes_of(&[cluster(store)]), ["backup-without-credentials"]);
    let store = json!({"barmanObjectStore": {"destinationPath": "s3://b",
        "s3Credentials": {"accessKeyId": {"name": "s3", "key": "id"}}}});
    assert_eq!(codes_of(&[cluster(store)]), ["unresolved-reference"]);
    // What the operator makes of a cluster may be mounted.
    let uses =
        deployment(json!({"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "db-app"}}]}]}));
    assert_eq!(codes_of(&[cluster(json!(null)), uses]), Vec::<String>::new());
}

#[test]
fn a_gateway_admits_routes_and_grants_allow_backends() {
    let gateway = |from: &str| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"name": "g", "namespace": "other"}, "spec": {"gatewayClassName": "c", "listeners": [
            {"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": from,
                "selector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}}}]}})
    };
    let class = named("gateway.networking.k8s.io/v1", "GatewayClass", "c");
    let service = |namespace: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": namespace}});
    let route = |backend: &str| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "r"}, "spec": {"parentRefs": [{"name": "g", "namespace": "other"}],
            "rules": [{"backendRefs": [{"name": "s", "port": 80, "namespace": backend}]}]}})
    };
    let all = |from: &str, backend: &str, more: &[Json]| {
        let mut objects = vec![gateway(from), class.clone(), service(backend), route(backend)];
        objects.extend(more.iter().cloned());
        codes_of(&objects)
    };
    assert_eq!(all("All", "shop", &[]), Vec::<String>::new());
    assert_eq!(all("Selector", "shop", &[]), Vec::<String>::new());
    assert_eq!(all("Same", "shop", &[]), ["route-not-admitted"]);
    assert_eq!(all("All", "other", &[]), ["missing-reference-grant"]);
    let grant = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "ReferenceGrant",
        "metadata": {"name": "g", "namespace": "other"}, "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
            "to": [{"group": "", "kind": "Service"}]}});
    assert_eq!(all("All", "other", &[grant]), Vec::<String>::new());
}
