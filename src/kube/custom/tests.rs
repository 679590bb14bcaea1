use super::{Definitions, Library};
use crate::kube::{CauseKind, Review, Server};
use crate::source::Sources;
use crate::value::Node;
use crate::yaml::{self, Options};
use proptest::prelude::*;

pub(super) fn node(text: &str) -> Node {
    let sources = Sources::default();
    let file = sources.add("test.yaml", text.to_owned());
    yaml::read(file, text, Options::default()).expect("valid YAML")
}

/// A server that knows one kind, whose `spec` has this schema.
fn server(spec: &str) -> Server {
    let mut definitions = Definitions::default();
    definitions.add(&definition(spec));
    Server::new((1, 34), definitions)
}

fn definition(spec: &str) -> Node {
    let indented = spec.replace('\n', "\n            ");
    let text = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.org
  names: {{kind: Thing}}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            {indented}
  - name: v0
    served: false
    schema: {{openAPIV3Schema: {{type: object}}}}
"
    );
    node(&text)
}

/// What a server says of a `spec`: kinds and fields.
fn verdict(server: &Server, spec: &str) -> Vec<String> {
    let object = format!(
        "apiVersion: example.org/v1\nkind: Thing\nmetadata: {{name: one, namespace: two}}\nspec: {spec}\n"
    );
    match server.review(&node(&object)) {
        Review::Known(causes) => {
            causes.iter().map(|cause| format!("{:?} {}", cause.kind, cause.path)).collect()
        }
        Review::Unknown(_) => vec!["unknown".to_owned()],
    }
}

/// Holds verdicts about values of `spec.a` against its schema.
fn holds(a: &str, cases: &[(&str, &[&str])]) {
    let server = server(&format!("type: object\nproperties:\n  a: {a}"));
    for (value, wanted) in cases {
        assert_eq!(verdict(&server, &format!("{{a: {value}}}")), *wanted, "{a}: {value}");
    }
}

#[test]
fn versions_that_are_not_served_are_unknown() {
    let server = server("type: object");
    let object = |version: &str| {
        node(&format!(
            "{{apiVersion: example.org/{version}, kind: Thing, metadata: {{name: a, namespace: b}}}}"
        ))
    };
    assert!(matches!(server.review(&object("v1")), Review::Known(causes) if causes.is_empty()));
    assert!(matches!(server.review(&object("v0")), Review::Unknown(_)));
    assert!(matches!(server.review(&object("v2")), Review::Unknown(_)));
}

#[test]
fn clusters_share_what_is_the_same() {
    let library = Library::default();
    let taken = |maximum: u32| {
        let mut definitions = Definitions::default();
        definitions.add_from(&library, &definition(&format!("type: integer\nmaximum: {maximum}")));
        definitions
    };
    let find = |definitions: &Definitions| {
        std::ptr::from_ref(definitions.find("example.org", "v1", "Thing").expect("it is served"))
    };
    let (one, same, other) = (taken(1), taken(1), taken(2));
    assert_eq!(find(&one), find(&same));
    assert_ne!(find(&one), find(&other));
}

#[test]
fn fields_have_to_be_known() {
    holds(
        "{type: object, properties: {b: {type: string}}}",
        &[
            ("{b: x}", &[]),
            ("{c: x}", &["Unknown spec.a.c"]),
            ("{b: x, c: {d: 1}, e: []}", &["Unknown spec.a.c", "Unknown spec.a.e"]),
        ],
    );
    holds(
        "{type: object, additionalProperties: {type: integer}}",
        &[("{b: 1}", &[]), ("{b: x}", &["Type spec.a.b"])],
    );
    holds(
        "{type: object, additionalProperties: true}",
        &[("{b: 1}", &[]), ("{b: {c: 1}}", &["Unknown spec.a.b.c"])],
    );
    holds(
        "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {b: {type: object}}}",
        &[("{c: {d: 1}}", &[]), ("{b: {c: 1}}", &["Unknown spec.a.b.c"])],
    );
    holds("{type: array, items: {type: object}}", &[("[{}]", &[]), ("[{b: 1}]", &["Unknown spec.a[0].b"])]);
    holds("{x-kubernetes-preserve-unknown-fields: true}", &[("[{b: 1}]", &[]), ("null", &[])]);
}

#[test]
fn metadata_is_read_with_everything_else() {
    let server = server("type: object");
    let object =
        node("{apiVersion: example.org/v1, kind: Thing, metadata: {name: a, lables: {}}, spec: {b: 1}}");
    let Review::Known(causes) = server.review(&object) else { panic!("known") };
    let paths: Vec<String> = causes.iter().map(|cause| cause.path.to_string()).collect();
    assert_eq!(paths, ["metadata.lables", "spec.b"]);
}

#[test]
fn types_are_those_of_json() {
    let kinds: &[(&str, &str)] = &[
        ("string", "x"),
        ("integer", "1"),
        ("number", "1.5"),
        ("boolean", "true"),
        ("object", "{}"),
        ("array", "[]"),
    ];
    for (kind, _) in kinds {
        let items = if *kind == "array" { ", items: {type: string}" } else { "" };
        for (other, value) in kinds {
            let wanted: &[&str] = if kind == other || (*kind == "number" && *other == "integer") {
                &[]
            } else {
                &["Type spec.a"]
            };
            holds(&format!("{{type: {kind}{items}}}"), &[(value, wanted)]);
        }
    }
    holds("{type: integer}", &[("1.0", &[]), ("1e3", &[]), ("9223372036854775808", &["Type spec.a"])]);
    holds(
        "{x-kubernetes-int-or-string: true}",
        &[("1", &[]), ("x", &[]), ("1.5", &["Type spec.a"]), ("true", &["Type spec.a"])],
    );
}

#[test]
fn nulls_are_dropped_or_defaulted_or_kept() {
    holds("{type: string}", &[("null", &[])]);
    holds("{type: string, nullable: true, minLength: 1}", &[("null", &[])]);
    holds("{type: string, nullable: true, enum: [x]}", &[("null", &["Unsupported spec.a"])]);
    holds("{type: string, default: xy, minLength: 3}", &[("null", &["Invalid spec.a"])]);
    holds("{type: array, items: {type: string}}", &[("[null]", &["Type spec.a[0]"])]);
    holds(
        "{type: object, additionalProperties: {type: string}, minProperties: 1}",
        &[("{b: null}", &["Invalid spec.a"])],
    );
    holds(
        "{type: object, required: [b], properties: {b: {type: string}}}",
        &[("{b: null}", &["Required spec.a.b"])],
    );
}

#[test]
fn defaults_come_before_everything_else() {
    let server = server(
        "type: object
default: {}
properties:
  a: {type: integer, default: 7}
  b: {type: object, default: {}, properties: {c: {type: string, default: deep}}}
required: [a]
x-kubernetes-validations:
- {rule: \"self.a == 7 && self.b.c == 'deep'\", message: as the defaults are}",
    );
    assert_eq!(verdict(&server, "{}"), [""; 0]);
    assert_eq!(verdict(&server, "null"), [""; 0]);
    assert_eq!(verdict(&server, "{a: 8}"), ["Invalid spec"]);
}

#[test]
fn bounds_hold() {
    holds(
        "{type: integer, minimum: 1, maximum: 3, multipleOf: 2}",
        &[("2", &[]), ("0", &["Invalid spec.a"]), ("4", &["Invalid spec.a"]), ("3", &["Invalid spec.a"])],
    );
    holds(
        "{type: number, minimum: 1, exclusiveMinimum: true, maximum: 2, exclusiveMaximum: true}",
        &[("1.5", &[]), ("1.0", &["Invalid spec.a"]), ("2", &["Invalid spec.a"])],
    );
    holds(
        "{type: string, minLength: 2, maxLength: 3, pattern: '^[a-zé]+$'}",
        &[
            ("éé", &[]),
            ("a", &["Invalid spec.a"]),
            ("abcd", &["TooLong spec.a"]),
            ("AB", &["Invalid spec.a"]),
        ],
    );
    holds(
        "{type: array, minItems: 1, maxItems: 2, items: {type: integer}}",
        &[("[1]", &[]), ("[]", &["Invalid spec.a"]), ("[1, 2, 3]", &["TooMany spec.a"])],
    );
    holds(
        "{type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: integer}}",
        &[("{b: 1}", &[]), ("{}", &["Invalid spec.a"]), ("{b: 1, c: 2, d: 3}", &["TooMany spec.a"])],
    );
    holds("{type: string, enum: [x, w]}", &[("x", &[]), ("z", &["Unsupported spec.a"])]);
    holds("{type: integer, enum: [1, 2]}", &[("1", &[]), ("1.0", &[]), ("3", &["Unsupported spec.a"])]);
    holds("{type: string, format: ipv4}", &[("1.2.3.4", &[]), ("x", &["Type spec.a"])]);
    holds("{type: integer, format: int32}", &[("3000000000", &[])]);
}

#[test]
fn schemas_are_combined() {
    let range = "{type: integer, anyOf: [{minimum: 10}, {maximum: 0}]}";
    holds(range, &[("10", &[]), ("-1", &[]), ("5", &["Invalid spec.a", "Invalid spec.a"])]);
    let one = "{type: object, properties: {b: {type: string}, c: {type: string}}, oneOf: [{required: [b]}, {required: [c]}]}";
    holds(
        one,
        &[
            ("{b: x}", &[]),
            ("{}", &["Invalid spec.a", "Required spec.a.b"]),
            ("{b: x, c: w}", &["Invalid spec.a"]),
        ],
    );
    holds(
        "{type: integer, allOf: [{minimum: 1}, {maximum: 3}]}",
        &[("2", &[]), ("4", &["Invalid spec.a", "Invalid spec.a"])],
    );
    holds("{type: string, not: {enum: [x]}}", &[("w", &[]), ("x", &["Invalid spec.a"])]);
}

#[test]
fn sets_and_maps_hold_each_item_once() {
    holds(
        "{type: array, items: {type: string}, x-kubernetes-list-type: set}",
        &[("[x, w]", &[]), ("[x, w, x, x]", &["Duplicate spec.a[2]"])],
    );
    holds("{type: array, items: {type: string}}", &[("[x, x]", &[])]);
    holds(
        "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [b, c], items: {type: object, properties: {b: {type: string}, c: {type: integer}, d: {type: string}}}}",
        &[
            ("[{b: x, c: 1}, {b: x, c: 2}]", &[]),
            ("[{b: x, c: 1, d: p}, {b: x, c: 1, d: q}]", &["Duplicate spec.a[1]"]),
        ],
    );
}

#[test]
fn resources_within_are_resources() {
    let within =
        "{type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}";
    holds(
        within,
        &[
            ("{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: b}}", &[]),
            ("{apiVersion: v1, kind: Secret, metadata: {nmae: x}}", &["Unknown spec.a.metadata.nmae"]),
            ("{apiVersion: v1, kind: Secret, metadata: {name: a/b}}", &["Invalid spec.a.metadata.name"]),
            ("{apiVersion: 1, kind: Secret}", &["Type spec.a.apiVersion"]),
            ("{kind: Secret}", &["Required spec.a.apiVersion"]),
            ("{apiVersion: a/b/c, kind: 1up}", &["Invalid spec.a.apiVersion", "Invalid spec.a.kind"]),
        ],
    );
}

/// Holds a rule on `spec` against objects that satisfy it and such that do not.
fn rule(fields: &str, rule: &str, good: &[&str], bad: &[&str]) {
    let quoted = rule.replace('\'', "''");
    let server = server(&format!(
        "type: object\nproperties: {{{fields}}}\nx-kubernetes-validations: [{{rule: '{quoted}', message: no}}]"
    ));
    for value in good {
        assert_eq!(verdict(&server, value), [""; 0], "{rule}: {value}");
    }
    for value in bad {
        assert_eq!(verdict(&server, value), ["Invalid spec"], "{rule}: {value}");
    }
}

#[test]
fn rules_see_values_by_their_schema() {
    let fields = "a: {type: number}";
    rule(fields, "self.a / 2.0 == 0.5", &["{a: 1}", "{a: 1.0}"], &["{a: 2}", "{}"]);
    let fields = "a: {type: string, format: date-time}";
    rule(
        fields,
        "self.a < timestamp('2026-01-01T00:00:00Z')",
        &["{a: '2025-01-01T00:00:00Z'}"],
        &["{a: '2027-01-01T00:00:00Z'}"],
    );
    let fields = "a: {type: string, format: duration}";
    rule(fields, "self.a <= duration('1h')", &["{a: 60m}"], &["{a: 61m}"]);
    let fields = "a: {x-kubernetes-int-or-string: true}";
    rule(
        fields,
        "type(self.a) == int ? self.a < 5 : self.a.endsWith('%')",
        &["{a: 4}", "{a: 50%}"],
        &["{a: 5}", "{a: '50'}"],
    );
    let fields = "a-b: {type: string}, namespace: {type: string}";
    rule(
        fields,
        "self.a__dash__b == self.__namespace__",
        &["{a-b: x, namespace: x}"],
        &["{a-b: x, namespace: w}"],
    );
    let fields = "a: {type: object, additionalProperties: {type: integer}}";
    rule(
        fields,
        "self.a.all(key, self.a[key] > 0 && key.size() < 4)",
        &["{a: {x-w: 1}}"],
        &["{a: {x: 0}}", "{a: {long: 1}}"],
    );
    let fields = "a: {type: array, x-kubernetes-list-type: set, items: {type: string}}";
    rule(fields, "self.a == ['x', 'w']", &["{a: [w, x]}"], &["{a: [x, z]}", "{a: [x]}"]);
    let fields = "a: {type: string, nullable: true}";
    rule(fields, "!has(self.a)", &["{a: null}", "{}"], &["{a: x}"]);
}

#[test]
fn rules_may_use_what_a_server_has() {
    let fields = "a: {type: string}, b: {type: array, items: {type: string}}";
    rule(fields, "self.?a.orValue('x') == 'x'", &["{}", "{a: x}"], &["{a: w}"]);
    rule(fields, "self.?a.optMap(v, v.size() > 1).orValue(true)", &["{}", "{a: xy}"], &["{a: x}"]);
    rule(fields, "self.b[?0].hasValue() && !optional.none().hasValue()", &["{b: [x]}"], &["{b: []}"]);
    rule(fields, "[?self.?a, 'z'].size() == 2 && {?'k': self.?a}.size() == 1", &["{a: x}"], &["{}"]);
    rule(fields, "self.b.all(i, v, i < 2 && v != '')", &["{b: [x, w]}"], &["{b: [x, w, z]}", "{b: ['']}"]);
    rule(fields, "!format.dns1123Label().validate(self.a).hasValue()", &["{a: ab}"], &["{a: A_}"]);
    rule(
        fields,
        "self.b.first().value() == self.b.last().value()",
        &["{b: [x, w, x]}"],
        &["{b: [x, w]}", "{b: []}"],
    );
    rule(
        fields,
        "isQuantity(self.a) && quantity(self.a).isGreaterThan(quantity('1Gi'))",
        &["{a: 2Gi}"],
        &["{a: 1Mi}", "{a: x}"],
    );
    rule(
        fields,
        "cidr(self.a).containsIP('10.0.0.1') && cidr(self.a).ip().family() == 4",
        &["{a: 10.0.0.0/8}"],
        &["{a: 11.0.0.0/8}", "{a: x}"],
    );
    rule(
        fields,
        "url(self.a).getHostname() == 'example.org'",
        &["{a: 'https://example.org:1/x'}"],
        &["{a: 'https://x'}"],
    );
    rule(fields, "type(ip(self.a)) == net.IP", &["{a: '::1'}"], &["{a: x}"]);
    rule(fields, r"self.a.matches('^\\d+$')", &["{a: '12'}"], &["{a: '٣'}"]);
}

#[test]
fn rules_about_changes_wait_for_one() {
    let fields = "a: {type: string}";
    rule(fields, "self.a == oldSelf.a", &["{a: x}"], &[]);
    let server = server(
        "type: object
properties: {a: {type: string}}
x-kubernetes-validations:
- {rule: \"oldSelf.hasValue() || self.a == 'x'\", optionalOldSelf: true, reason: FieldValueForbidden, fieldPath: .a}",
    );
    assert_eq!(verdict(&server, "{a: x}"), [""; 0]);
    assert_eq!(verdict(&server, "{a: w}"), ["Forbidden spec.a"]);
}

#[test]
fn broken_schemas_hide_rules_where_they_do_on_a_server() {
    let server = server(
        "type: object
properties: {a: {type: string, maxLength: 3, pattern: '^x'}}
x-kubernetes-validations: [{rule: \"self.a == 'xx'\"}]",
    );
    assert_eq!(verdict(&server, "{a: xxxx}"), ["TooLong spec.a"]);
    assert_eq!(verdict(&server, "{a: w}"), ["Invalid spec.a", "Invalid spec"]);
    assert_eq!(verdict(&server, "{a: 1}"), ["Type spec.a"]);
}

#[test]
fn messages_are_the_definitions_own() {
    let server = server(
        "type: object
properties: {a: {type: integer}}
x-kubernetes-validations:
- {rule: self.a > 1, message: a is small., messageExpression: \"'a is ' + string(self.a)\"}
- {rule: self.a > 2, message: a is small.}
- {rule: self.a > 3}",
    );
    let object =
        node("{apiVersion: example.org/v1, kind: Thing, metadata: {name: a, namespace: b}, spec: {a: 0}}");
    let Review::Known(causes) = server.review(&object) else { panic!("known") };
    let messages: Vec<&str> = causes.iter().map(|cause| cause.message.as_str()).collect();
    assert_eq!(messages, ["a is 0", "a is small", "`self.a > 3` does not hold"]);
    assert!(causes.iter().all(|cause| cause.kind == CauseKind::Invalid));
}

/// Random text of the shape of a schema or of an object.
fn data() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "type",
        "object",
        "array",
        "string",
        "integer",
        "properties",
        "items",
        "default",
        "nullable",
        "required",
        "anyOf",
        "oneOf",
        "not",
        "enum",
        "pattern",
        "format",
        "date-time",
        "byte",
        "a",
        "b",
        "[a",
        "1",
        "1.5",
        "null",
        "true",
        "x-kubernetes-list-type",
        "map",
        "set",
        "x-kubernetes-list-map-keys",
        "additionalProperties",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
        "rule",
        "self.a == self.b",
        "self.all(x, x > 1)",
        "minimum",
        "maxLength",
        "kind",
        "apiVersion",
        "metadata",
    ]);
    let leaf = word.clone().prop_map(|word| serde_json::to_string(word).expect("text"));
    let plain =
        prop_oneof![leaf.clone(), Just("null".to_owned()), Just("3".to_owned()), Just("true".to_owned())];
    plain.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map(word.clone(), inner, 0..6).prop_map(|members| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{}: {value}", serde_json::to_string(key).expect("text")))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics(schema in data(), object in data()) {
        let server = server(&schema);
        verdict(&server, &object);
    }
}
