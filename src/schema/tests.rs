//! Defaults, messages and what a schema may say.

use super::*;
use crate::diag::{Diagnostic, Sink};
use crate::source::Sources;
use crate::value::{Origin, OriginKind, Path};
use crate::yaml;

const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["email"],
  "$defs": {
    "size": {"type": "string", "pattern": "^[0-9]+Gi$", "default": "10Gi", "description": "How large."},
    "node": {
      "type": "object",
      "additionalProperties": false,
      "required": ["ip"],
      "properties": {
        "ip": {"type": "string", "format": "ipv4", "description": "Its address.", "examples": ["10.0.0.2"]},
        "role": {"enum": ["server", "agent"], "default": "agent"},
        "weight": {"type": "number", "default": 1}
      }
    }
  },
  "properties": {
    "email": {"type": "string", "description": "Who is told.", "examples": ["ops@example.com"]},
    "replicas": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2, "description": "How many Pods."},
    "routing": {"type": "string", "enum": ["native", "tunnel"], "default": "tunnel"},
    "on": {"type": "boolean", "default": false},
    "mode": {"enum": ["on", "off"]},
    "cpu": {"type": "number"},
    "size": {"$ref": "#/$defs/size"},
    "nodes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/node"}, "propertyNames": {"pattern": "^[a-z]+$"}},
    "list": {"type": "array", "items": {"$ref": "#/$defs/node"}, "uniqueItems": true, "minItems": 1},
    "optional": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}},
    "present": {"type": "object", "default": {}, "properties": {"a": {"type": "integer", "default": 1}}},
    "either": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {"name": {"type": "string"}}}]},
    "both": {"allOf": [{"type": "object", "properties": {"x": {"type": "integer", "default": 5}}}, {"properties": {"y": {"type": "string", "default": "z"}}}]},
    "image": {"type": "object", "properties": {"tag": {"type": "string", "minLength": 1, "not": {"const": "latest", "description": "Name a version."}}}},
    "labels": {"type": "object", "patternProperties": {"^app/": {"type": "number"}}, "additionalProperties": {"type": "string"}},
    "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]}
  }
}"##;

fn read(sources: &Sources, name: &str, text: &str) -> Node {
    let file = sources.add(name, text);
    yaml::read(file, text, yaml::Options::STRICT).unwrap_or_else(|error| panic!("{}", error.go_message()))
}

fn schema(sources: &Sources, text: &str) -> Result<Schema, Vec<Diagnostic>> {
    let node = read(sources, "schemas/test.schema.json", text);
    let mut sink = Sink::new();
    Schema::compile(&node, &mut sink).map_err(|_reported| sink.into_found())
}

fn apply(input: &str) -> Result<(Sources, Node), (Sources, Vec<Diagnostic>)> {
    let sources = Sources::new();
    let schema = schema(&sources, SCHEMA).expect("a valid schema");
    let input = read(&sources, "overlay.yaml", input);
    let mut sink = Sink::new();
    match schema.apply(input, "the instance `test`".into(), &mut sink) {
        Ok(node) => Ok((sources, node)),
        Err(_) => Err((sources, sink.into_found())),
    }
}

/// `code: message [underlined] help | help`.
fn refused(input: &str) -> Vec<String> {
    let (sources, found) = apply(input).expect_err(input);
    found
        .iter()
        .map(|d| {
            let place = d.primary.as_ref().map(|label| sources.snippet(label.span)).unwrap_or_default();
            format!("{}: {} [{}] {}", d.code, d.message, place.trim_end(), d.helps.join(" | "))
        })
        .collect()
}

#[test]
fn defaults_fill_what_is_missing_and_know_their_place() {
    let (sources, node) =
        apply("email: a@b\nnodes: {b: {ip: 1.2.3.4}}\nlist: [{ip: 1.2.3.5, role: server}]\nboth: {}\n")
            .expect("valid");
    assert_eq!(
        node.to_json().to_string(),
        r#"{"both":{"x":5,"y":"z"},"email":"a@b","list":[{"ip":"1.2.3.5","role":"server","weight":1.0}],"nodes":{"b":{"ip":"1.2.3.4","role":"agent","weight":1.0}},"on":false,"present":{"a":1},"replicas":2,"routing":"tunnel","size":"10Gi"}"#
    );
    let replicas = node.get("replicas").expect("there");
    let Origin::Link(link) = &replicas.origin else { panic!("no link") };
    let OriginKind::Default { schema } = link.as_ref() else { panic!("no default") };
    assert_eq!(
        (sources.snippet(*schema).as_str(), sources.name(schema.file).as_ref()),
        ("2", "schemas/test.schema.json")
    );
}

#[test]
fn numbers_become_doubles_wherever_the_schema_says_number() {
    let (_, node) = apply("email: a\ncpu: 2\nlabels: {app/x: 3, y: 'z'}\npair: [4, a, 5]\n").expect("valid");
    assert_eq!(node.get("cpu").expect("there").value, Value::Number(crate::value::Number::Float(2.0)));
    assert_eq!(node.at(&["labels", "app/x"]).expect("there").to_json().to_string(), "3.0");
    assert_eq!(node.get("pair").expect("there").to_json().to_string(), r#"[4.0,"a",5]"#);
}

#[test]
fn every_violation_is_told_in_order_with_its_remedy() {
    let keys = "its keys are `email`, `replicas`, `routing`, `on`, `mode`, `cpu`, `size`, `nodes`, `list`, `optional`, `present`, `either`, `both`, `image`, `labels` and `pair`";
    let overlay = "emial: x\nreplicas: '3'\nrouting: nativ\non: false\nnodes:\n  web:\n    rol: agent\n  X: {ip: 1.2.3}";
    assert_eq!(
        refused(overlay),
        [
            format!("missing-input: `email` of the instance `test` is missing [{overlay}] rename `emial` to `email`"),
            format!("unknown-key: unknown key `emial` in the instance `test` [emial] did you mean `email`? | {keys}"),
            "wrong-type: `replicas` of the instance `test` is a string, not an integer ['3'] remove the quotes: 3".to_owned(),
            "invalid-value: `routing` of the instance `test` cannot be \"nativ\" [nativ] did you mean `native`? | it can be `native` and `tunnel`".to_owned(),
            format!("unknown-key: unknown key `true` in the instance `test` [on] YAML reads `on`, `off`, `y` and `n` as booleans, also as keys: write the key in quotes | {keys}"),
            "missing-input: `nodes.web.ip` of the instance `test` is missing [web] write it, such as `ip: \"10.0.0.2\"`".to_owned(),
            "unknown-key: unknown key `rol` in `nodes.web` of the instance `test` [rol] did you mean `role`? | its keys are `ip`, `role` and `weight`".to_owned(),
            "invalid-value: the key `X` of `nodes` of the instance `test` does not match `^[a-z]+$` [X] ".to_owned(),
            "invalid-value: `nodes.X.ip` of the instance `test` is \"1.2.3\", which is no IPv4 address [1.2.3] ".to_owned(),
        ]
    );
}

fn one(input: &str, wanted: &str) {
    assert_eq!(refused(&format!("email: a\n{input}")), [wanted], "{input}");
}

#[test]
fn each_keyword_has_its_message() {
    one("replicas: 0", "invalid-value: `replicas` of the instance `test` is 0, less than the least, 1 [0] ");
    one(
        "replicas: 10",
        "invalid-value: `replicas` of the instance `test` is 10, more than the most, 9 [10] ",
    );
    one(
        "replicas: 1.5",
        "wrong-type: `replicas` of the instance `test` is a number, not an integer [1.5] write a whole number",
    );
    one(
        "replicas:",
        "wrong-type: `replicas` of the instance `test` is null, not an integer [] give it a value, or remove the key",
    );
    one(
        "size: 10G",
        "invalid-value: `size` of the instance `test` is \"10G\", which does not match `^[0-9]+Gi$` [10G] ",
    );
    one(
        "size: 1.10",
        "wrong-type: `size` of the instance `test` is a number, not a string [1.10] write it in quotes",
    );
    one(
        "size: on",
        "wrong-type: `size` of the instance `test` is a boolean, not a string [on] YAML reads `on`, `yes`, `y` and the like as booleans: write the word in quotes",
    );
    one(
        "mode: off",
        "invalid-value: `mode` of the instance `test` cannot be false [off] YAML reads `on`, `off`, `yes` and `no` as booleans: write the word in quotes | it can be `on` and `off`",
    );
    one("list: []", "invalid-value: `list` of the instance `test` is empty [[]] ");
    one(
        "list: a",
        "wrong-type: `list` of the instance `test` is a string, not a list [a] write a list: a `-` before each item, or `[...]`",
    );
    one(
        "nodes: [a]",
        "wrong-type: `nodes` of the instance `test` is a list, not a map [[a]] write a map: `key: value`; a collection is keyed by the names of its members",
    );
    one(
        "image: {tag: latest}",
        "invalid-value: `image.tag` of the instance `test` cannot be \"latest\" [latest] ",
    );
    one("image: {tag: ''}", "invalid-value: `image.tag` of the instance `test` is empty [''] ");
    one(
        "either: 3",
        "wrong-type: `either` of the instance `test` is an integer, not a string or a map [3] write it in quotes",
    );
    one(
        "either: {nam: x, name: z}",
        "unknown-key: unknown key `nam` in `either` of the instance `test` [nam] did you mean `name`? | its keys are `name`",
    );
    one(
        "optional: {b: 9223372036854775808}",
        "invalid-value: `optional.b` of the instance `test` is 9223372036854775808, which does not fit a signed integer of 64 bits [9223372036854775808] write it in quotes if it is text",
    );
    one(
        "list: [{ip: 1.2.3.4}, {ip: 1.2.3.4}]",
        "invalid-value: `list` of the instance `test` has a map twice [{ip: 1.2.3.4}] remove one of them",
    );
}

#[test]
fn messages_carry_the_schemas_own_words() {
    let (_, found) = apply("email: a\nreplicas: x\n").expect_err("wrong");
    assert_eq!(found[0].notes, ["How many Pods."]);
    let (_, found) = apply("email: a\nsize: 1\n").expect_err("wrong");
    assert_eq!(found[0].notes, ["How large."]);
    let (_, found) = apply("replicas: 2\n").expect_err("wrong");
    assert_eq!(
        (found[0].notes.as_slice(), found[0].helps[0].as_str()),
        (["Who is told.".to_owned()].as_slice(), "write it, such as `email: ops@example.com`")
    );
}

fn fault(text: &str) -> String {
    let sources = Sources::new();
    let found = schema(&sources, text).expect_err(text);
    let place = found[0].primary.as_ref().map(|label| sources.snippet(label.span)).unwrap_or_default();
    assert!(found.iter().all(|finding| finding.code.as_str() == "invalid-schema"), "{found:?}");
    format!("{} [{place}]", found[0].message)
}

#[test]
fn what_a_schema_may_not_say_is_refused() {
    for (text, wanted) in [
        (
            r#"{"oneOf": [{"properties": {"a": {"default": 1}}}]}"#,
            "a default stands where it depends on the value whether it holds [\"default\"]",
        ),
        (
            r##"{"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"default": 1}}}"##,
            "a default stands where it depends on the value whether it holds [\"default\"]",
        ),
        (r#"{"propertees": {}}"#, "`propertees` is no keyword that is supported here [\"propertees\"]"),
        (r#"{"type": "strin"}"#, "`strin` is no type of JSON Schema [\"strin\"]"),
        (
            r##"{"$ref": "#/$defs/none"}"##,
            "`#/$defs/none` leads to nothing in this schema [\"#/$defs/none\"]",
        ),
        (
            r#"{"$ref": "https://example.org/x.json"}"#,
            "this reference leaves the document [\"https://example.org/x.json\"]",
        ),
        (
            r#"{"properties": {"a": {"type": "integer", "default": "x"}}}"#,
            "the default is a string, not an integer [\"x\"]",
        ),
        (
            r#"{"properties": {"a": {"enum": ["x"], "default": "y"}}}"#,
            "the default is none of the values of `enum` [\"y\"]",
        ),
        (r#"{"pattern": "(?=a)"}"#, "this is no pattern [\"(?=a)\"]"),
        (r#"{"format": "cidr"}"#, "this format is not known, and would not be checked [\"cidr\"]"),
        (r#"{"minimum": "x"}"#, "this is no JSON Schema [\"x\"]"),
        ("[]", "a schema is a map, not a list [[]]"),
    ] {
        assert_eq!(fault(text), wanted, "{text}");
    }
}

#[test]
fn a_schema_that_contains_itself_ends() {
    let sources = Sources::new();
    let text = r##"{"type": "object", "properties": {"a": {"$ref": "#", "default": {}}}}"##;
    let schema = schema(&sources, text).expect("valid");
    let mut sink = Sink::new();
    assert!(schema.apply(read(&sources, "o.yaml", "{}"), "x".into(), &mut sink).is_ok());
    assert!(!schema.inputs().is_empty());
}

#[test]
fn inputs_are_described() {
    let sources = Sources::new();
    let schema = schema(&sources, SCHEMA).expect("valid");
    let tell =
        |path: &str| schema.describe(&Path::parse(path).expect("a path")).map(|d| (d.type_, d.description));
    let told = |type_: &str, text: &str| Some((type_.to_owned(), text.to_owned()));
    assert_eq!(tell("replicas"), told("integer", "How many Pods."));
    assert_eq!(tell("size"), told("string", "How large."));
    assert_eq!(tell("nodes"), told("map of map", ""));
    assert_eq!(tell("nodes.web.role"), told("one of `server`, `agent`", ""));
    assert_eq!(tell("list[3].ip"), told("string", "Its address."));
    assert_eq!(tell("either"), told("string or map", ""));
    assert_eq!(tell("either.name"), told("string", ""));
    assert_eq!(tell("nothing"), None);
    let replicas = schema.describe(&Path::of(&["replicas"])).expect("there");
    assert_eq!((replicas.bounds.join(", "), replicas.required), ("at least 1, at most 9".to_owned(), false));
    let paths: Vec<String> = schema.inputs().iter().map(|(path, _)| path.to_string()).collect();
    assert!(
        paths.contains(&"nodes.NAME.ip".to_owned()) && paths.contains(&"list[0].ip".to_owned()),
        "{paths:?}"
    );
}

#[test]
fn schemas_and_findings_cross_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Schema>();
    shared::<crate::expr::Tree>();
    shared::<crate::expr::ForEach>();
}
