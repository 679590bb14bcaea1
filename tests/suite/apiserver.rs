//! Objects against the recorded verdicts of a real API server.
//!
//! `APISERVER_SHOW=layer` (or `layer:kind`, or an id) prints the disagreements; they are written to the folder of the
//! build's temporary files as well. `APISERVER_CASES=file` and `APISERVER_DEFINITIONS=file` take others than those that are shared.

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use stackc::kube::{Cause, CauseKind, Definitions, Review, Server};
use stackc::source::Sources;
use stackc::value::{Node, Origin, Value};
use stackc::yaml::{self, Options};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;

/// How many recorded verdicts may still differ, by the layer that spoke on the server.
const OPEN: &[(&str, usize)] = &[
    ("accepted", 0),
    ("builtin/pods", 0),
    // Ranges of addresses and families of a cluster (`23f234560f5f`, `46a158686246`, `48e61fc4d6c6`, `5f31a28a886a`), and
    // the estimated cost of expressions (`b6d177a05038`, `bf56bbd705a5`).
    ("builtin/rest", 6),
    ("crd-cel", 0),
    ("crd-schema", 0),
    ("decode/builtin", 0),
    ("decode/custom", 0),
    ("meta", 0),
    ("no-such-kind", 0),
];

/// Kinds that are Pods or make them.
const PODS: &[&str] = &[
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

fn recorded(name: &str) -> Option<String> {
    let variable = if name.starts_with("cases") { "APISERVER_CASES" } else { "APISERVER_DEFINITIONS" };
    if let Some(own) = std::env::var_os(variable) {
        return Some(std::fs::read_to_string(own).expect("a readable file"));
    }
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let path = beside.map(|up| up.join("shared/apiserver-cases").join(name)).find(|path| path.is_file());
    let Some(path) = path else {
        eprintln!("SKIPPED: no recorded verdicts at shared/apiserver-cases/{name}");
        return None;
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("a readable file");
    GzDecoder::new(file).read_to_string(&mut text).expect("text");
    Some(text)
}

fn server(definitions: &str) -> Server {
    let mut known = Definitions::default();
    for document in &documents(definitions) {
        known.add(document);
    }
    Server::new((1, 34), known)
}

fn documents(definitions: &str) -> Vec<Node> {
    let sources = Sources::default();
    let file = sources.add("crds.yaml", definitions.to_owned());
    let (documents, faults) = yaml::read_all(file, definitions, Options::default());
    assert!(faults.is_empty(), "{faults:?}");
    documents.into_iter().map(|document| document.node).collect()
}

/// Names of fields inside the server, and those of the versions that it serves: causes here stand where they can be
/// mended.
const INSIDE: &[(&str, &str)] = &[
    ("annotations/", "metadata/annotations/"),
    ("scheduling/tolerations/tolerations/", "scheduling/tolerations/"),
    ("spec/LoadBalancerSourceRanges", "spec/loadBalancerSourceRanges"),
    ("spec/additionalPrinterColumns", "spec/versions/0/additionalPrinterColumns"),
    ("spec/resources/storage", "spec/resources/requests/storage"),
    ("spec/selectableFields", "spec/versions/0/selectableFields"),
    ("spec/subresources", "spec/versions/0/subresources"),
    ("spec/validation/", "spec/versions/0/schema/"),
];

/// Fields as the server and we write them, in one form.
fn plain(path: &str) -> String {
    let path = path.replace(['[', '.'], "/").replace([']', '"', '\''], "");
    match INSIDE.iter().find(|(inside, _)| path.starts_with(inside)) {
        Some((inside, served)) => path.replacen(inside, served, 1),
        None => path,
    }
}

/// The causes of a server, each by its kind and its field. Combined schemas (`anyOf` and its kind) and rules of the whole
/// object have none there; what the scale subresource reads has a dot before it.
fn named(case: &Json) -> Vec<String> {
    let causes = case["causes"].as_array().into_iter().flatten();
    causes
        .map(|cause| {
            let text = |key: &str| cause[key].as_str().unwrap_or_default();
            format!("{} {}", text("type").trim_start_matches("FieldValue"), plain(text("field")))
        })
        .filter(|cause| !cause.ends_with("<nil>") && !cause.contains(" /"))
        .collect()
}

/// Ours in the same form.
fn own(causes: &[Cause]) -> Vec<String> {
    const COMBINED: &[&str] = &["`anyOf`", "`oneOf`", "`allOf`", "`not`"];
    let plainly = causes
        .iter()
        .filter(|cause| !cause.path.is_empty() && !cause.message.contains("`scale`"))
        .filter(|cause| !COMBINED.iter().any(|word| cause.message.contains(word)));
    plainly
        .map(|cause| {
            let kind = match cause.kind {
                CauseKind::Type => "TypeInvalid".to_owned(),
                CauseKind::Unsupported => "NotSupported".to_owned(),
                other => format!("{other:?}"),
            };
            format!("{kind} {}", plain(&cause.path.to_string()))
        })
        .collect()
}

fn told(causes: &[Cause]) -> String {
    causes
        .iter()
        .map(|cause| format!("{:?} {:?} {}: {}", cause.layer, cause.kind, cause.path, cause.message))
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn verdicts_are_the_servers() {
    let (Some(cases), Some(definitions)) = (recorded("cases.jsonl.gz"), recorded("crds.yaml.gz")) else {
        return;
    };
    let server = server(&definitions);
    let show = std::env::var("APISERVER_SHOW").unwrap_or_default();
    let (mut wrong, mut all): (BTreeMap<String, usize>, BTreeMap<String, usize>) = Default::default();
    let (mut fields, mut of_fields, mut unlike) = (0, 0, 0);
    let mut report = String::new();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let mut layer = if text("verdict") == "accepted" { "accepted" } else { text("layer") }.to_owned();
        if layer == "builtin" {
            layer += if PODS.contains(&text("kind")) { "/pods" } else { "/rest" };
        } else if layer == "decode" {
            let (group, _) = text("apiVersion").split_once('/').unwrap_or_default();
            let custom = stackc::schema::kinds::builtin(group, text("kind")).is_none();
            layer += if custom { "/custom" } else { "/builtin" };
        }
        let body = if case["raw"].is_string() { text("raw").to_owned() } else { case["object"].to_string() };
        let (causes, refused) = match read(&body) {
            Err(fault) => (fault, true),
            Ok(object) => match server.review(&object) {
                Review::Unknown(_) => ("unknown kind".to_owned(), true),
                Review::Known(causes) => {
                    if layer != "accepted" && !layer.starts_with("decode") && !causes.is_empty() {
                        for cause in case["causes"].as_array().into_iter().flatten() {
                            let field = plain(cause["field"].as_str().unwrap_or_default());
                            of_fields += 1;
                            fields += usize::from(causes.iter().any(|own| {
                                plain(&own.told.as_ref().unwrap_or(&own.path).to_string()) == field
                            }));
                        }
                    }
                    if layer.starts_with("crd") {
                        let (theirs, ours) = (named(&case), own(&causes));
                        let names = |found: &Vec<String>, other: &Vec<String>| {
                            found.iter().filter(|name| !other.contains(name)).cloned().collect::<Vec<_>>()
                        };
                        let (missing, more) = (names(&theirs, &ours), names(&ours, &theirs));
                        if !missing.is_empty() || !more.is_empty() {
                            unlike += 1;
                            let (id, server) = (text("id"), text("message"));
                            report += &format!(
                                "causes {id}: missing {missing:?}, more {more:?}\n  server: {server}\n"
                            );
                        }
                    }
                    (told(&causes), !causes.is_empty())
                }
            },
        };
        *all.entry(layer.clone()).or_default() += 1;
        let differs = refused != (layer != "accepted");
        let shown = show == layer || show == text("id") || show == format!("{layer}:{}", text("kind"));
        if differs || show == text("id") {
            *wrong.entry(layer.clone()).or_default() += usize::from(differs);
            let entry = format!(
                "{layer} {} {} [{}] {}\n  server: {}\n  here: {causes}\n",
                text("id"),
                text("kind"),
                text("class"),
                text("mutation"),
                text("message")
            );
            if shown {
                eprintln!("{entry}  {body}\n");
            }
            report += &entry;
        }
    }
    let mut summary = String::new();
    for (layer, count) in &all {
        let _written = writeln!(summary, "{layer}: {} of {count} differ", wrong.get(layer).unwrap_or(&0));
    }
    let _written = writeln!(summary, "fields named as the server names them: {fields} of {of_fields}");
    let _written = writeln!(summary, "custom resources with other causes than the server's: {unlike}");
    eprintln!("{summary}");
    let _kept = std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/apiserver.txt"), report + &summary);
    for (layer, count) in wrong {
        let open = OPEN.iter().find(|(known, _)| *known == layer).map_or(0, |(_, open)| *open);
        assert!(count <= open, "{layer}: {count} verdicts differ, {open} may\n{summary}");
    }
}

#[test]
fn every_rule_of_the_definitions_compiles() {
    let Some(definitions) = recorded("crds.yaml.gz") else { return };
    let mut count = 0;
    for document in &documents(&definitions) {
        let (rules, causes) = stackc::kube::rules_of(document, 34);
        let name = document.at(&["spec", "names", "kind"]).and_then(Node::as_str).unwrap_or_default();
        assert!(causes.is_empty(), "{name}: {}", told(&causes));
        count += rules;
    }
    assert_eq!(count, 1639);
}

/// The object of a body: as JSON, which tells `2.0` from `2`, where no key stands in it twice.
fn read(body: &str) -> Result<Node, String> {
    let sources = Sources::default();
    let file = sources.add("object.json", body.to_owned());
    yaml::read(file, body, Options::STRICT).map_err(|fault| format!("{fault:?}"))?;
    let json: Json = serde_json::from_str(body).map_err(|fault| fault.to_string())?;
    Ok(Node::new(Value::from_json(&json, &Origin::Compiler), Origin::Compiler))
}
