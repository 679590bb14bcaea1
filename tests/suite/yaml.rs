//! YAML against the recorded answers of `sigs.k8s.io/yaml` and Helm.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value as Json;
use stackc::source::Sources;
use stackc::value::{Node, Number, Origin, Value};
use stackc::yaml::{self, Composer, Keys, NodeBuilder, Options, Parser, ToYaml};

/// A file of recorded answers, looked for in `shared/` beside this package and above it.
fn recorded(path: &str) -> Option<Vec<u8>> {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    loop {
        if let Ok(bytes) = std::fs::read(folder.join("shared").join(path)) {
            return Some(bytes);
        }
        if !folder.pop() {
            #[expect(clippy::print_stderr, reason = "a test that does not run has to say so")]
            {
                eprintln!("SKIPPED: no recorded answers at shared/{path}");
            }
            return None;
        }
    }
}

fn lines(bytes: &[u8]) -> Vec<Json> {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// Equal by value and by integer or float. A float that JSON writes without a point is an integer there.
fn same(node: &Node, json: &Json) -> bool {
    match (&node.value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(a), Json::Bool(b)) => a == b,
        (Value::String(a), Json::String(b)) => a.as_ref() == b,
        (Value::Number(Number::Int(a)), Json::Number(b)) => {
            b.as_i64() == Some(*a) || (*a == 0 && b.to_string() == "-0.0")
        }
        (Value::Number(Number::Uint(a)), Json::Number(b)) => b.as_i64().is_none() && b.as_u64() == Some(*a),
        (Value::Number(Number::Float(a)), Json::Number(b)) => b.as_u64().is_none() && b.as_f64() == Some(*a),
        (Value::List(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, entry)| b.get(&**key).is_some_and(|b| same(&entry.node, b)))
        }
        _ => false,
    }
}

fn from_json(json: &Json) -> Node {
    Node::new(Value::from_json(json, &Origin::Compiler), Origin::Compiler)
}

/// Numbers as Helm holds them: every one a float.
fn as_float64(mut node: Node) -> Node {
    match &mut node.value {
        #[expect(clippy::cast_precision_loss, reason = "that is what Helm does")]
        Value::Number(number) => {
            *number = Number::Float(match *number {
                Number::Int(number) => number as f64,
                Number::Uint(number) => number as f64,
                Number::Float(number) => number,
            });
        }
        Value::List(items) => items.iter_mut().for_each(|item| *item = as_float64(item.clone())),
        Value::Map(map) => map.values_mut().for_each(|entry| entry.node = as_float64(entry.node.clone())),
        _ => {}
    }
    node
}

fn check_reading(cases: &[Json]) -> Vec<String> {
    let sources = Sources::new();
    let mut faults = Vec::new();
    for case in cases {
        let text = case["yaml"].as_str().expect("a text");
        let file = sources.add("case.yaml", text);
        let lenient = yaml::read_first(file, text, Options::LENIENT);
        let strict = yaml::read_first(file, text, Options::STRICT);
        let wanted =
            case.get("json").and_then(Json::as_str).filter(|_| case.get("err").is_none_or(Json::is_null));
        match (wanted, &lenient) {
            (None, Err(error)) => {
                let found = format!("{:?}", error.diagnostic(file));
                assert!(found.contains("Label"), "{text:?}: no place in {found}");
            }
            (None, Ok(node)) => {
                faults.push(format!("{text:?}: read as {:?}, but {}", node.to_json(), case["err"]));
            }
            (Some(json), Err(error)) => faults.push(format!("{text:?}: {error:?}, but {json}")),
            (Some(json), Ok(node)) => {
                let json = serde_json::from_str(json).expect("recorded JSON");
                if !same(node, &json) {
                    faults.push(format!("{text:?}: {} is not {json}", node.to_json()));
                }
            }
        }
        if wanted.is_some() && (case.get("strict_err").is_some()) != strict.is_err() {
            faults
                .push(format!("{text:?}: strict reading gives {strict:?}, but {:?}", case.get("strict_err")));
        }
    }
    faults
}

#[test]
fn reads_what_kubernetes_reads() {
    let Some(packed) = recorded("yaml-cases/cases.jsonl.gz") else { return };
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).expect("gzip");
    let cases = lines(&bytes);
    assert!(cases.len() > 1900, "{} cases", cases.len());
    let faults = check_reading(&cases);
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn reads_what_helm_reads() {
    let Some(bytes) = recorded("helm-cases/fromyaml-cases.jsonl") else { return };
    let cases = lines(&bytes);
    assert!(cases.len() > 100, "{} cases", cases.len());
    let sources = Sources::new();
    let mut faults = Vec::new();
    for case in &cases {
        let text = case["yaml"].as_str().expect("a text");
        let json = case["json"].as_str().map(|json| serde_json::from_str(json).expect("recorded JSON"));
        let json: Json = json.expect("an answer");
        // `fromYaml` takes maps only and returns its error as a map.
        let refused = json["Error"].as_str();
        match (yaml::read_first(sources.add("case.yaml", text), text, Options::LENIENT), refused) {
            (Ok(node), None) if as_float64(node.clone()) == as_float64(from_json(&json)) => {}
            (Ok(node), None) if node.value == Value::Null && json == serde_json::json!({}) => {}
            (Ok(node), Some(error)) if error.contains("cannot unmarshal") && node.as_map().is_none() => {}
            (Err(error), Some(wanted)) => {
                let found = format!("error converting YAML to JSON: {}", error.go_message());
                // Go goes on to print the key.
                let open = found.ends_with("invalid map key") || found.contains("unsupported map key");
                if found != wanted && !(open && wanted.starts_with(&found)) {
                    faults.push(format!("{text:?}: {found}, but {wanted}"));
                }
            }
            (found, _) => faults.push(format!("{text:?}: {found:?}, but {json}")),
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn writes_what_helm_writes() {
    let Some(bytes) = recorded("helm-cases/toyaml-cases.jsonl") else { return };
    let cases = lines(&bytes);
    assert!(cases.len() > 1900, "{} cases", cases.len());
    let mut faults = Vec::new();
    for case in cases.iter().filter(|case| case["unstable"] != true) {
        let wanted = case["out"].as_str().expect("an output");
        // Helm's values hold every number as a float.
        let written = text_of(&as_float64(from_json(&case["in"])));
        if written != wanted {
            faults.push(format!("{}: {written:?}, but {wanted:?}", case["in"]));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// What `toYaml` prints; nothing for what it cannot.
fn text_of(value: &impl ToYaml) -> String {
    let mut out = Vec::new();
    match yaml::to_yaml(value, &mut out) {
        Ok(()) => String::from_utf8(out).expect("text"),
        Err(_) => String::new(),
    }
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

fn refused(text: &str) -> yaml::Error {
    let file = Sources::new().add("hostile.yaml", "");
    yaml::read(file, text, Options::LENIENT).expect_err("hostile")
}

#[test]
fn hostile_texts_are_refused_with_a_place() {
    use stackc::yaml::{Above, Problem};

    // Deep nesting, closed and open, flow and block.
    for text in [
        nested("[", "]", 10_000),
        nested("{a: ", "}", 10_000),
        "[".repeat(5_000_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        (0..5_000).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect(),
    ] {
        let error = refused(&text);
        assert!(
            matches!(error.problem(), Problem::TooDeep(_) | Problem::FlowTooDeep | Problem::IndentTooDeep),
            "{error:?}"
        );
    }
    // Aliases of aliases.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [below.as_str(); 9].join(", "));
    }
    assert_eq!(refused(&bomb).problem(), &Problem::ExcessiveAliasing);
    // A long text, copied often.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 90].join(", "));
    assert_eq!(refused(&long).problem(), &Problem::ExcessiveAliasing);
    let members: Vec<_> = (0..100).map(|n| format!("k{n}: 1")).collect();
    let mut merges = format!("a: &a {{{}}}\n", members.join(", "));
    for n in 0..2_000 {
        merges += &format!("m{n}: {{<<: [*a, *a, *a, *a, *a, *a, *a, *a]}}\n");
    }
    assert_eq!(refused(&merges).problem(), &Problem::ExcessiveAliasing);

    for (text, problem, start) in [
        ("a:\n\tb: 1\n", Problem::BadToken('\t'), 3),
        ("a: b\0c\n", Problem::ControlCharacter('\0'), 4),
        ("a: *b\n", Problem::UnknownAnchor("b".into()), 3),
        ("a: &a [*a]\n", Problem::ContainsItself("a".into()), 7),
        ("a: 'b\n", Problem::QuoteUnclosed, 6),
        ("a: b: c\n", Problem::ValueNotAllowed(Above::Nothing), 4),
        ("a: b\n  c: d\n", Problem::ValueNotAllowed(Above::Value), 8),
        ("x:\n  host:a.b\n    c: d\n", Problem::ValueNotAllowed(Above::Text), 19),
        ("- b\n  c: d\n", Problem::ValueNotAllowed(Above::Text), 7),
        ("a: @b\n", Problem::BadToken('@'), 3),
        ("a: 1\n---\nb: 2\n", Problem::SecondDocument, 9),
        ("a: {{ b }}\n", Problem::KeyNotScalar, 4),
        ("~: a\n'': b\n", Problem::UnsupportedKey("<nil>"), 0),
        ("a: [.inf]\nb: 1\n", Problem::NotFinite("+Inf".into()), 4),
    ] {
        let error = refused(text);
        assert_eq!((error.problem(), error.at().start), (&problem, start), "{text:?}");
    }
    // CRLF and a byte order mark are fine.
    let text = "\u{feff}a: 1\r\nb: |\r\n  x\r\n";
    let node = yaml::read(Sources::new().add("a", text), text, Options::STRICT).expect("fine");
    assert_eq!(node.to_json(), serde_json::json!({"a": 1, "b": "x\n"}));
    // Long scalars and many documents stay linear.
    for text in ["a: '".to_owned() + &"é ".repeat(2_000_000) + "'", "--- a\n".repeat(200_000)] {
        let (documents, errors) = yaml::read_all(Sources::new().add("a", ""), &text, Options::STRICT);
        assert!(!documents.is_empty() && errors.is_empty());
    }
}

#[test]
fn the_deepest_tree_fits_the_stack_of_a_thread() {
    let text = nested("[", "]", 1000);
    std::thread::spawn(move || {
        let node =
            yaml::read(Sources::new().add("a", ""), &text, Options::STRICT).expect("a thousand levels");
        let copy = node.clone();
        assert!(copy == node);
        assert_eq!(node.to_json().to_string(), text);
        assert!(yaml::read(Sources::new().add("a", ""), &text_of(&node), Options::STRICT) == Ok(copy));
    })
    .join()
    .expect("no overflow");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,8}",
            "[ -~]{0,90}",
            "[-0-9+._:eExobT ]{0,12}",
            any::<String>(),
            "[ \\n\\ta\u{85}\u{2028}\u{feff}:#'\"é]{0,20}",
            Just("y".to_owned()),
            Just("null".to_owned()),
            Just("<<".to_owned()),
        ]
    }

    fn value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>()
                .prop_filter("whole floats are integers in JSON", |n| n.fract() != 0.0)
                .prop_map(Json::from),
            text().prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec((text(), inner), 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

        #[test]
        fn what_is_written_reads_back(json in value()) {
            let node = from_json(&json);
            for keys in [Keys::Natural, Keys::Given] {
                let written = node.value.to_yaml_text(keys).expect("finite and shallow");
                let back = yaml::read(Sources::new().add("a", ""), &written, Options::STRICT);
                prop_assert_eq!(back.as_ref(), Ok(&node), "{}", written);
                // What was read is written as it was.
                prop_assert_eq!(back.expect("equal").value.to_yaml_text(keys).expect("as before"), written);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let bytes = yaml::decode(&bytes);
            let mut composer = Composer::new(Parser::from_bytes(&bytes), Options::LENIENT);
            let mut builder = NodeBuilder::new(Sources::new().add("a", ""));
            while let Ok(Some(document)) = composer.next_document(&mut builder) {
                prop_assert!(document.at.end as usize <= bytes.len());
            }
        }

        #[test]
        fn any_yaml_like_text_is_read_or_refused(
            text in "([a-c'\"|>&*!?:,{}\\[\\]#%@ \\n\\t-]|: |- |\n  |<<: \\*a|&a |\\\\x4|é){0,40}"
        ) {
            let (_, errors) = yaml::read_all(Sources::new().add("a", ""), &text, Options::STRICT);
            for error in errors {
                prop_assert!(text.get(error.at().start as usize..error.at().end as usize).is_some(), "{:?}", error);
            }
        }

        #[test]
        fn another_reader_agrees_on_what_is_written(json in value()) {
            let node = from_json(&json);
            let written = node.value.to_yaml_text(Keys::Natural).expect("finite and shallow");
            // YAML 1.2 reads neither these breaks nor a byte order mark as go-yaml does.
            prop_assume!(!written.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']));
            let other: Json = yaml_serde::from_str(&written).map_err(|e| TestCaseError::fail(format!("{e}: {written}")))?;
            prop_assert!(from_json(&other) == node, "{}", written);
        }
    }
}
