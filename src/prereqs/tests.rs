use super::*;
use crate::check::ProgramParts;
use crate::model::{External, ObjectId, Prerequisite, RequiredSecret, SecretKey, Verification};
use crate::order::tests::ordered;
use crate::render::tests::{instance, program, span};
use crate::value::{Origin, Value};
use serde_json::json;

fn sequence(parts: ProgramParts) -> Sequence {
    let (sequence, found) = ordered(parts);
    sequence.unwrap_or_else(|| panic!("{found:#?}"))
}

fn prereq(kind: &str, data: &serde_json::Value) -> Prerequisite {
    Prerequisite {
        id: "id".into(),
        kind: kind.into(),
        data: Node::new(Value::from_json(data, &Origin::Compiler), Origin::Compiler),
    }
}

#[test]
fn nothing_is_needed_where_nothing_is_said() {
    let sequence = sequence(program(vec![instance("app", "shop", &[])]));
    let needed = prerequisites(&sequence, &[]);
    let name = &sequence.surroundings().environment.name;
    assert_eq!(text(&needed), format!("{name} needs nothing that is not in its tree\n"));
    assert!(nix(&needed).ends_with("{ ... }:\n{\n}\n"));
}

#[test]
fn one_thing_that_two_stacks_need_is_listed_once() {
    let mut first = instance("first", "shop", &[]);
    first.prereqs = vec![prereq("port", &json!({"port": "tcp/4240", "why": "health"}))];
    let mut second = instance("second", "shop", &[]);
    second.prereqs = vec![
        prereq("port", &json!({"port": "tcp/4240", "why": "checks"})),
        prereq("port", &json!({"port": "udp/8472", "why": "tunnel"})),
        prereq("sysctl", &json!({"name": "net.ipv4.conf.lxc*.rp_filter", "value": 0})),
        prereq("flyingThing", &json!({"wingSpan": 2})),
    ];
    let needed = prerequisites(&sequence(program(vec![first, second])), &[]);
    let text = text(&needed);
    assert_eq!(text.matches("tcp/4240").count(), 1, "{text}");
    assert!(text.contains("\nflying Thing\n  2\n"), "{text}");
    assert_eq!(json(&needed)["ports"][0]["neededBy"], json!(["first", "second"]));
    let nix = nix(&needed);
    assert!(nix.contains("\"net.ipv4.conf.lxc*.rp_filter\" = 0;"), "{nix}");
    assert!(nix.contains("allowedTCPPorts = [ 4240 ];") && nix.contains("allowedUDPPorts = [ 8472 ];"));
}

#[test]
fn a_secret_outside_the_tree_is_listed_with_its_readers_and_without_values() {
    let mut app = instance("app", "shop", &[]);
    app.secrets = vec![RequiredSecret {
        name: "token".into(),
        namespace: "shop".into(),
        keys: vec![SecretKey {
            name: "key".into(),
            format: Some("base32".into()),
            placeholder: None,
            description: Some("a token".into()),
        }],
        span: span(),
        editable: None,
    }];
    let mut parts = program(vec![app]);
    parts.externals = vec![External {
        name: "token".into(),
        id: ObjectId {
            group: "".into(),
            kind: "Secret".into(),
            namespace: Some("shop".into()),
            name: "token".into(),
        },
        keys: vec!["key".into(), "other".into()],
        supersedable: true,
        span: span(),
    }];
    let needed = prerequisites(&sequence(parts), &[]);
    let text = text(&needed);
    assert!(
        text.contains("shop/token  key (base32), other  app      an encrypted one may take over\n"),
        "{text}"
    );
    assert!(text.contains(
        "$ kubectl create namespace shop\n  $ kubectl -n shop create secret generic token --from-literal=key=\"$KEY\" --from-literal=other=\"$OTHER\"\n"
    ), "{text}");
}

#[test]
fn checks_come_in_the_order_in_which_parts_come_up() {
    let verify = |id: &str| Verification {
        id: id.into(),
        description: "all is well".into(),
        command: format!("kubectl get {id}").into(),
    };
    let object = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let mut late = instance("late", "shop", &[object("late")]);
    late.after = vec![("early".into(), span())];
    late.verify = vec![verify("late")];
    let mut early = instance("early", "shop", &[object("early")]);
    early.verify = vec![verify("early")];
    let sequence = sequence(program(vec![late, early]));
    let checks = after(&sequence);
    let ids: Vec<&str> = checks.iter().map(|check| &*check.id).collect();
    assert_eq!(ids, ["early", "late"]);
    assert!(text_after("e", &checks).contains("\n## early\n# all is well\nkubectl get early\n"));
}
