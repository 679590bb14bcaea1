use super::*;
use crate::check::{Program, ProgramParts};
use crate::diag::Diagnostic;
use crate::model::{
    Binding, ChartDelivery, DeclaredBy, DeclaredCrd, DeclaredWebhook, EncryptedFile, ObjectId,
};
use crate::render::tests::{complete, instance, object, program, release, span};
use serde_json::{Value as Json, json};

pub(crate) fn ordered(parts: ProgramParts) -> (Option<Sequence>, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let sequence = crate::render::render(
        Program::of(complete(parts)),
        &crate::package::supply::Supplied::nothing(&crate::source::Sources::new()),
        crate::package::memo::Recall::nothing(),
        &mut sink,
    )
    .and_then(|rendering| crate::link::link(rendering, &mut sink))
    .and_then(|linked| crate::validate::validate(linked, &crate::kube::Library::default(), &mut sink))
    .and_then(|manifests| order(manifests, &mut sink));
    (sequence.ok(), sink.into_found())
}

fn named(api: &str, kind: &str, name: &str) -> Json {
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}})
}

fn declared(group: &str, kind: &str, by: DeclaredBy) -> DeclaredCrd {
    DeclaredCrd {
        group: group.into(),
        kind: kind.into(),
        plural: None,
        versions: vec!["v1".into()],
        namespaced: true,
        by,
        stateful: false,
        span: span(),
    }
}

fn binding(consumer: &str, provider: &str) -> Binding {
    Binding {
        capability: "thing".into(),
        consumer: consumer.into(),
        provider: provider.into(),
        unit: None,
        order: true,
        span: span(),
    }
}

/// An operator as a release, with a resource of its own and one of another instance.
pub(crate) fn operated() -> ProgramParts {
    let mut operator = instance("operator", "system", &[named("example.org/v1", "Thing", "own")]);
    operator.releases = vec![release("operator", "system", ChartDelivery::Release)];
    operator.declares.crds = vec![declared("example.org", "Thing", DeclaredBy::Chart)];
    operator.declares.webhooks =
        vec![DeclaredWebhook { groups: vec!["example.org".into()], service: "hook".into(), span: span() }];
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x: ${y}"}});
    let app = instance("app", "shop", &[named("example.org/v1", "Thing", "theirs"), config]);
    program(vec![operator, app])
}

fn shape(sequence: &Sequence) -> Vec<(String, Vec<String>)> {
    let units = sequence.units();
    units
        .iter()
        .map(|unit| {
            let before = unit.depends_on.iter().map(|need| units[*need].name.to_string()).collect();
            (unit.name.to_string(), before)
        })
        .collect()
}

fn expect(sequence: Option<Sequence>, wanted: &[(&str, &[&str])]) -> Sequence {
    let sequence = sequence.expect("a sequence");
    let wanted: Vec<(String, Vec<String>)> = wanted
        .iter()
        .map(|(name, before)| ((*name).to_owned(), before.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    assert_eq!(shape(&sequence), wanted);
    sequence
}

#[test]
fn custom_resources_come_after_what_brings_them() {
    let (sequence, found) = ordered(operated());
    assert_eq!(found, []);
    let sequence = expect(
        sequence,
        &[
            ("namespaces", &[]),
            ("sources", &[]),
            ("operator", &["namespaces", "sources"]),
            ("app", &["operator"]),
            ("operator-config", &["operator"]),
        ],
    );
    let operator = &sequence.units()[2];
    assert!(operator.orphan, "its chart brings definitions");
    assert_eq!((operator.level, operator.timeout), (1, 600));
    assert_eq!(sequence.units()[3].needs.iter().map(|need| need.reasons.len()).sum::<usize>(), 2 + 2);
}

#[test]
fn definitions_in_the_tree_are_a_unit_of_their_own_and_protected() {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.org"}, "spec": {"group": "example.org", "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"}, "versions": [{"name": "v1", "served": true}]}});
    let deployment = named("apps/v1", "Deployment", "operator");
    let thing = named("example.org/v1", "Thing", "t");
    let operator = instance("operator", "system", &[thing, deployment, definition.clone()]);
    let (sequence, found) = ordered(program(vec![operator]));
    assert_eq!(found, []);
    let sequence = expect(
        sequence,
        &[
            ("namespaces", &[]),
            ("operator-crds", &[]),
            ("operator", &["namespaces", "operator-crds"]),
            ("operator-config", &["operator"]),
        ],
    );
    for placed in sequence.objects() {
        let protected =
            placed.object.node.at(&["metadata", "annotations", "kluctl.io/skip-delete"]).is_some();
        assert_eq!(protected, matches!(&*placed.object.id.kind, "CustomResourceDefinition" | "Namespace"));
    }
    // Alone, they are the instance.
    let (sequence, _) = ordered(program(vec![instance("crds", "x", &[definition])]));
    expect(sequence, &[("crds", &[])]);
}

#[test]
fn what_waits_for_the_world_is_a_leaf_that_nobody_waits_for() {
    let claim = |name: &str| named("v1", "PersistentVolumeClaim", name);
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "j"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "cache"}}]}}}}}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"template": {"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}}}});
    let (sequence, found) =
        ordered(program(vec![instance("app", "shop", &[claim("cache"), claim("data"), job, deployment])]));
    assert_eq!(found, []);
    let sequence =
        expect(sequence, &[("namespaces", &[]), ("app", &["namespaces"]), ("app-leaf", &["namespaces"])]);
    let leaf = &sequence.units()[2];
    let ids: Vec<String> =
        leaf.objects.iter().map(|index| sequence.objects()[*index].object.id.to_string()).collect();
    assert_eq!(ids, ["PersistentVolumeClaim/shop/cache", "CronJob/shop/j"]);
    assert_eq!(leaf.health, Health::None);
}

#[test]
fn a_leaf_does_not_wait_for_what_may_be_waiting_for_it() {
    let listener = json!({"name": "https", "port": 443, "protocol": "HTTPS",
        "tls": {"certificateRefs": [{"name": "tls"}]}});
    let gateway = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "g"},
        "spec": {"gatewayClassName": "c", "listeners": [listener]}});
    let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "c"},
        "spec": {"controllerName": "example.org/c"}});
    let issuer = json!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"name": "i"},
        "spec": {"selfSigned": {}}});
    let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "tls"},
        "spec": {"secretName": "tls", "dnsNames": ["example.org"], "issuerRef": {"name": "i"}}});
    let edge = instance("edge", "shop", &[class, gateway, certificate]);
    let issuers = instance("issuers", "shop", &[issuer]);
    let mut operator = instance("operator", "system", &[named("v1", "ConfigMap", "c")]);
    operator.declares.crds = vec![
        declared("cert-manager.io", "Certificate", DeclaredBy::Chart),
        declared("cert-manager.io", "Issuer", DeclaredBy::Chart),
        declared("gateway.networking.k8s.io", "Gateway", DeclaredBy::Chart),
        DeclaredCrd {
            namespaced: false,
            ..declared("gateway.networking.k8s.io", "GatewayClass", DeclaredBy::Chart)
        },
    ];
    let (sequence, found) = ordered(program(vec![operator, issuers, edge]));
    assert_eq!(found, []);
    expect(
        sequence,
        &[
            ("namespaces", &[]),
            ("operator", &["namespaces"]),
            ("edge", &["operator"]),
            ("issuers", &["operator"]),
            ("edge-leaf", &["issuers"]),
        ],
    );
}

#[test]
fn encrypted_files_and_operator_made_definitions_shape_their_units() {
    let mut parts = operated();
    parts.instances[0].declares.crds = vec![declared("example.org", "Thing", DeclaredBy::Operator)];
    let id = ObjectId {
        group: "".into(),
        kind: "Secret".into(),
        namespace: Some("shop".into()),
        name: "s".into(),
    };
    parts.encrypted = vec![EncryptedFile {
        path: "overlays/test/secrets/s.sops.yaml".into(),
        bytes: b"sops: {}\n".as_slice().into(),
        objects: vec![(id, vec!["token".into()])],
        sops_secret: false,
        creates: Vec::new(),
        recipients: Vec::new(),
        span: span(),
    }];
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "s"}}]}]}}}});
    parts.instances[1].objects.push(object(&deployment));
    let (sequence, found) = ordered(parts);
    assert_eq!(found, []);
    let sequence = expect(
        sequence,
        &[
            ("namespaces", &[]),
            ("sources", &[]),
            ("operator", &["namespaces", "sources"]),
            ("secrets", &["namespaces"]),
            ("app", &["operator", "secrets"]),
            ("operator-config", &["operator"]),
        ],
    );
    let Health::Listed { checks, .. } = &sequence.units()[2].health else { panic!("a list of checks") };
    let names: Vec<&str> = checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names, ["operator", "things.example.org"]);
}

#[test]
fn a_loop_is_refused_with_a_reason_for_every_edge() {
    let config = |name: &str| named("v1", "ConfigMap", name);
    let mut parts = program(vec![
        instance("a", "x", &[config("a")]),
        instance("b", "x", &[config("b")]),
        instance("c", "x", &[config("c")]),
    ]);
    parts.bindings = vec![binding("a", "b"), binding("b", "c")];
    assert_eq!(ordered(parts.clone()).1, []);
    parts.instances[2].after = vec![("a".into(), span())];
    let (_, found) = ordered(parts.clone());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "units wait for each other: `a` -> `b` -> `c` -> `a`");
    assert_eq!(
        found[0].notes,
        [
            "`a` waits for `b`: `a` requires `thing`, which `b` provides",
            "`b` waits for `c`: `b` requires `thing`, which `c` provides",
            "`c` waits for `a`: `c` is said to come after `a`",
        ]
    );
    parts.bindings[0].order = false;
    assert_eq!(ordered(parts.clone()).1, []);
    parts.instances[0].after = vec![("bb".into(), span())];
    assert_eq!(ordered(parts).1[0].helps, ["did you mean `b`?"]);
}

#[test]
fn unit_names_do_not_collide() {
    let config = named("v1", "ConfigMap", "c");
    let (_, found) = ordered(program(vec![instance("namespaces", "x", std::slice::from_ref(&config))]));
    assert_eq!(found[0].code, crate::diag::codes::DUPLICATE_UNIT);
    let mut parts = operated();
    parts.instances.push(instance("operator-config", "x", &[config]));
    assert_eq!(
        ordered(parts).1[0].message,
        "two units would be named `operator-config`: of `operator` and of `operator-config`"
    );
}

#[test]
fn pods_wait_until_nodes_are_initialized() {
    let pods = |spec: Json| json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d"}, "spec": {"template": {"spec": spec}}});
    let tolerant = pods(json!({"tolerations": [{"operator": "Exists"}]}));
    let mut ccm = instance("ccm", "kube-system", &[named("apps/v1", "Deployment", "ccm")]);
    ccm.provides = vec!["initializedNodes".into()];
    let network = instance("network", "kube-system", &[tolerant]);
    let app = instance("app", "kube-public", &[pods(json!({}))]);
    let (sequence, found) = ordered(program(vec![app, network, ccm]));
    assert_eq!(found, []);
    let sequence = expect(sequence, &[("ccm", &[]), ("network", &[]), ("app", &["ccm"])]);
    assert_eq!(sequence.handover().len(), 1);
}

/// A cloud controller on the Pod network starts after it, and a Job of the network that wants initialized nodes is last.
#[test]
fn a_cloud_controller_and_a_network_do_not_wait_for_each_other() {
    let pods = |kind: &str, spec: Json| json!({"apiVersion": if kind == "Job" { "batch/v1" } else { "apps/v1" }, "kind": kind, "metadata": {"name": kind.to_lowercase()}, "spec": {"template": {"spec": spec}}});
    let agent = pods("DaemonSet", json!({"hostNetwork": true, "tolerations": [{"operator": "Exists"}]}));
    let program = |host: bool| {
        let mut ccm = instance("ccm", "kube-system", &[pods("Deployment", json!({"hostNetwork": host}))]);
        ccm.provides = vec!["initializedNodes".into()];
        let mut network = instance("network", "kube-system", &[agent.clone(), pods("Job", json!({}))]);
        network.provides = vec!["podNetwork".into()];
        program(vec![network, ccm])
    };
    let (sequence, found) = ordered(program(false));
    assert_eq!(found, []);
    expect(sequence, &[("network", &[]), ("ccm", &["network"]), ("network-leaf", &["ccm"])]);
    let (sequence, _) = ordered(program(true));
    expect(sequence, &[("ccm", &[]), ("network", &[]), ("network-leaf", &["ccm"])]);
}

#[test]
fn the_graph_prints_in_four_forms() {
    let (sequence, _) = ordered(operated());
    let sequence = sequence.expect("a sequence");
    let text = text(&sequence);
    assert!(
        text.starts_with("level 0\n  namespaces  (2 objects)\n  sources  (chart sources, Flux only)\n"),
        "{text}"
    );
    assert!(
        text.contains("    after operator: `Thing/shop/theirs` needs the definition of Thing, and 1 more\n"),
        "{text}"
    );
    assert!(mermaid(&sequence).contains("  u2 --> u3\n"));
    assert!(dot(&sequence).contains("  \"operator\" -> \"app\" [tooltip="));
    let picture = svg(&sequence);
    assert_eq!(picture.matches("<path class=\"edge\"").count(), 4);
    assert_eq!(picture, svg(&sequence));
}
