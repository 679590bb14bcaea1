//! YAML against the recorded answers of `sigs.k8s.io/yaml` and Helm.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value as Json;
use stackc::source::Sources;
use stackc::value::{Node, Number, Origin, Value};
use stackc::yaml::{self, Options, ToYaml};

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
                faults.push(format!("{text:?}: read as {:?}, but {}", node.to_json(), case["err"]))
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
