//! Rules that an API server of 1.34 compiles compile here, and no others: `tests/conformance/rules.jsonl`.
//!
//! The first line is the schema that all are about. `RULES=file` takes others.

use serde_json::Value as Json;
use stackc::kube::rules_of;
use stackc::value::{Node, Origin, Value};
use std::fmt::Write as _;

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
        let mut spec = schema.clone();
        spec["x-kubernetes-validations"] = serde_json::json!([{"rule": rule}]);
        let root = serde_json::json!({"type": "object", "properties": {"spec": spec}});
        let definition = serde_json::json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": root}}]}});
        let node = Node::new(Value::from_json(&definition, &Origin::Compiler), Origin::Compiler);
        let (_, causes) = rules_of(&node, 34);
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
