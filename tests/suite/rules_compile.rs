//! Rules that an API server of 1.34 compiles compile here, and no others: `tests/conformance/rules.jsonl`.
//!
//! The first line of a file is the schema that all in it are about. `RULES=file` takes others.

use serde_json::Value as Json;
use stackc::kube::{Definitions, Review, Server, rules_of};
use stackc::value::{Node, Origin, Value};
use std::fmt::Write as _;

fn node(json: &Json) -> Node {
    Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
}

/// A definition whose `spec` has this schema and this rule.
fn definition(schema: &Json, rule: &str) -> Node {
    let mut spec = schema.clone();
    spec["x-kubernetes-validations"] = serde_json::json!([{"rule": rule}]);
    let root = serde_json::json!({"type": "object", "properties": {"spec": spec}});
    let version = serde_json::json!({"name": "v1", "served": true, "schema": {"openAPIV3Schema": root}});
    node(
        &serde_json::json!({"spec": {"group": "example.org", "names": {"kind": "Thing"}, "versions": [version]}}),
    )
}

#[test]
fn rules_compile_as_on_a_server() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/rules.jsonl");
    let path = std::env::var("RULES").unwrap_or_else(|_unset| own.to_owned());
    let text = std::fs::read_to_string(path).expect("the recorded rules");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line of JSON"));
    let schema = lines.next().expect("the schema")["schema"].take();
    let (mut wrong, mut count) = (String::new(), 0);
    for line in lines {
        let rule = line["rule"].as_str().expect("a rule");
        let (_, causes) = rules_of(&definition(&schema, rule), 34);
        count += 1;
        if causes.is_empty() != line["compiles"].as_bool().expect("a verdict") {
            let said = causes.iter().map(|cause| cause.message.as_str()).collect::<Vec<_>>().join("; ");
            let _written = writeln!(
                wrong,
                "{rule}\n  here: {said}\n  server: {}",
                line["said"].as_str().unwrap_or_default()
            );
        }
    }
    assert!(count > 100, "{count} rules");
    assert!(wrong.is_empty(), "{wrong}");
}

/// What rules say of objects: `tests/conformance/evaluated.jsonl`. `EVALUATED=file` takes others.
#[test]
fn rules_hold_as_on_a_server() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/evaluated.jsonl");
    let path = std::env::var("EVALUATED").unwrap_or_else(|_unset| own.to_owned());
    let text = std::fs::read_to_string(path).expect("the recorded objects");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line of JSON"));
    let schema = lines.next().expect("the schema")["schema"].take();
    let (mut wrong, mut count, mut differ) = (String::new(), 0, 0);
    for line in lines {
        let rule = line["rule"].as_str().expect("a rule");
        let mut definitions = Definitions::default();
        definitions.add(&definition(&schema, rule));
        let server = Server::new((1, 34), definitions);
        let object = serde_json::json!({
            "apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": line["spec"],
        });
        let Review::Known(causes) = server.review(&node(&object)) else { panic!("a known kind") };
        let here = match causes.first() {
            None => "holds",
            Some(cause) if cause.message.contains("cannot be evaluated") => "fails",
            Some(cause) if cause.message.contains("does not hold") => "broken",
            Some(cause) => panic!("{rule}: {}", cause.message),
        };
        count += 1;
        let wanted = line["verdict"].as_str().expect("a verdict");
        if here != wanted {
            let said = causes.first().map(|cause| cause.message.as_str()).unwrap_or_default();
            differ += 1;
            let _written = writeln!(
                wrong,
                "{rule}\n  of {}\n  {here} here, {wanted} on the server: {said}",
                line["spec"]
            );
        }
    }
    assert!(count > 100, "{count} objects");
    assert!(differ == 0, "{differ} of {count} differ:\n{wrong}");
}
