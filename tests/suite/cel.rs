//! What cel-go with Kubernetes' libraries answers, in `tests/conformance/cel.jsonl`, is what `${...}` answers.
//!
//! A row is an expression with its `value`, or with `error` where cel-go refuses it. What differs on purpose is named in
//! `docs/decisions/expressions.md` and is not in the table.

use serde_json::Value as Json;
use stackc::expr::{Tree, Variables};
use stackc::source::{Sources, Span};
use stackc::value::Node;
use stackc::yaml;

/// The inputs that rows read.
const INPUTS: &str = r"
replicas: 3
name: shop
ratio: 1.5
big: 9223372036854775807
tags: [b, a, c]
empty: {}
none: []
ports: {web: 80, admin: 8080}
nodes: {b: {ip: 10.0.0.2}, a: {ip: 10.0.0.1}}
nothing: null
odd-name: 1
mixed: [1, 2.5, x]
'yes': true
text: häß€𝒳 z
";

fn answer(expression: &str) -> Result<Json, String> {
    let sources = Sources::new();
    let file = sources.add("inputs.yaml", INPUTS);
    let inputs = yaml::read(file, INPUTS, yaml::Options::STRICT).expect("good inputs");
    let scope = Variables::new().with("inputs", inputs);
    let text = format!("${{{expression}}}");
    let file = sources.add("stack.yaml", text.as_str());
    let node = Node::new(text.as_str(), Span::new(file, 0, text.len()));
    match Tree::compile(&node, &sources).and_then(|tree| tree.evaluate(&scope)) {
        Ok(Some(node)) => Ok(node.to_json()),
        Ok(None) => Err("omitted".to_owned()),
        Err(found) => {
            Err(found.iter().map(|d| format!("{}: {}", d.code, d.message)).collect::<Vec<_>>().join("; "))
        }
    }
}

/// Equal, where whole floats beyond what JSON tells apart from integers are numbers only.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => {
            let whole = |n: &serde_json::Number| n.as_f64().is_some_and(|n| n.abs() >= 1e15);
            x == y || x.as_f64() == y.as_f64() && (x.is_f64() == y.is_f64() || whole(x))
        }
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

#[test]
fn expressions_are_those_of_cel() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/cel.jsonl");
    let rows = std::fs::read_to_string(path).expect("the table");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in rows.lines() {
        let row: Json = serde_json::from_str(line).expect("a row is JSON");
        let expression = row["expression"].as_str().expect("an expression");
        count += 1;
        match (row.get("value"), answer(expression)) {
            (Some(wanted), Ok(found)) if same(wanted, &found) => {}
            (None, Err(_)) => {}
            (Some(wanted), found) => wrong.push(format!("{expression}\n    wants {wanted}, has {found:?}")),
            (None, Ok(found)) => wrong.push(format!("{expression}\n    wants {}, has {found}", row["error"])),
        }
    }
    assert!(count > 200, "the table is empty");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
