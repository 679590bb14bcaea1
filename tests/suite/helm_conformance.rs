//! `stackc template` against the recorded output of Helm 4.2.4 and 3.21.4: real charts, value sets, command lines.
//!
//! `STACKC_ONLY=part` runs only the cases whose name contains `part` and prints the first line that differs.
//! `tests/conformance/known-failures.txt` names cases that are known to differ; a case in it that passes is a failure
//! too, so that the list only shrinks.

use flate2::read::GzDecoder;
use rayon::prelude::*;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use stackc::cli::template::{Outcome, template};
use stackc::world::memory::MemoryWorld;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

const PROFILES: [&str; 2] = ["4.2", "3.21"];

/// A folder of recorded answers, looked for in `shared/` beside this package and above it.
fn shared(name: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared").join(name))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no folder shared/{name} beside or above this package");
    }
    found
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unpacked(path: &Path) -> Option<Vec<u8>> {
    let packed = std::fs::read(path).ok()?;
    let mut out = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut out).expect("a good gzip");
    Some(out)
}

fn json(path: &Path) -> Json {
    serde_json::from_slice(&read(path)).expect("good JSON")
}

fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        hex += &format!("{byte:02x}");
    }
    hex
}

/// One command line with what is expected of it.
struct Case {
    name: String,
    arguments: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
    expected: Expected,
}

enum Expected {
    /// Exactly these bytes.
    Bytes(Vec<u8>),
    /// The hash of the bytes, and those of files.
    Hash { stdout: String, tree: BTreeMap<String, String> },
    /// Success, whatever is printed.
    Success,
    /// An error; its recorded words, of which the end is sure.
    Refused(String),
}

/// What came of a case.
enum Verdict {
    Same,
    /// Refused as expected; whether the words are the recorded ones.
    Refused(bool),
    Different(String),
}

fn run(case: &Case) -> Verdict {
    let mut world = MemoryWorld::new();
    for (path, bytes) in &case.files {
        world = world.with(path, bytes);
    }
    let outcome: Outcome = template(&case.arguments, &world);
    let words = outcome.stderr.lines().last().unwrap_or_default().to_owned();
    match &case.expected {
        Expected::Refused(recorded) => {
            if outcome.failed {
                let tail =
                    recorded.trim().trim_end_matches("Use --debug flag to render out invalid YAML").trim();
                Verdict::Refused(tail.is_empty() || outcome.stderr.contains(tail))
            } else {
                Verdict::Different(format!("not refused; recorded: {recorded}"))
            }
        }
        _ if outcome.failed => Verdict::Different(format!("refused: {}", outcome.stderr.trim())),
        Expected::Success => Verdict::Same,
        Expected::Bytes(expected) if *expected == outcome.stdout => Verdict::Same,
        Expected::Bytes(expected) => Verdict::Different(first_difference(expected, &outcome.stdout)),
        Expected::Hash { stdout, tree } => {
            if sha256(&outcome.stdout) != *stdout {
                return Verdict::Different(format!("other bytes on standard output ({words})"));
            }
            for (path, hash) in tree {
                match world.files().get(camino::Utf8Path::new(path)).map(|bytes| sha256(bytes)) {
                    Some(found) if found == *hash => {}
                    found => return Verdict::Different(format!("file {path}: {found:?}")),
                }
            }
            Verdict::Same
        }
    }
}

fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(bytes).split('\n').map(str::to_owned).collect()
    };
    let (expected, found) = (lines(expected), lines(found));
    let at = expected.iter().zip(&found).take_while(|(a, b)| a == b).count();
    let source = expected[..at.min(expected.len())].iter().rev().find(|line| line.starts_with("# Source:"));
    format!(
        "line {}: expected {:?}, found {:?} [{}; {} and {} lines]",
        at + 1,
        expected.get(at),
        found.get(at),
        source.map_or("", String::as_str),
        expected.len(),
        found.len()
    )
}

fn known_failures(kind: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/known-failures.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned());
    lines.filter(|line| line.starts_with(kind)).collect()
}

/// Runs all cases and fails on every surprise.
fn check(kind: &str, mut cases: Vec<Case>) {
    let only = std::env::var("STACKC_ONLY").ok();
    if let Some(only) = &only {
        cases.retain(|case| case.name.contains(only.as_str()));
    }
    let total = cases.len();
    let verdicts: Vec<(String, Verdict)> =
        cases.into_par_iter().map(|case| (case.name.clone(), run(&case))).collect();
    let known = known_failures(kind);
    let (mut same, mut refused, mut worded, mut surprises) = (0, 0, 0, Vec::new());
    for (name, verdict) in &verdicts {
        let listed = known.contains(name);
        match verdict {
            Verdict::Same => same += 1,
            Verdict::Refused(words) => {
                refused += 1;
                worded += usize::from(*words);
                if only.is_some() && !words {
                    eprintln!("{name}: refused with other words");
                }
            }
            Verdict::Different(why) if !listed => surprises.push(format!("{name}: {why}")),
            Verdict::Different(_) => {}
        }
        if listed && !matches!(verdict, Verdict::Different(_)) {
            surprises.push(format!("{name}: passes; take it off tests/conformance/known-failures.txt"));
        }
    }
    eprintln!(
        "{kind}: {total} cases: {same} equal, {refused} refused as Helm does ({worded} in its words), {} known to differ, {} surprises",
        known.len(),
        surprises.len()
    );
    if let Ok(path) = std::env::var("STACKC_REPORT") {
        std::fs::write(path, surprises.join("\n")).expect("the report is written");
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

fn strings(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn line(profile: &str, words: &[&str], more: Vec<String>) -> Vec<String> {
    let mut line = vec!["--helm".to_owned(), profile.to_owned()];
    line.extend(words.iter().map(|word| (*word).to_owned()));
    line.extend(more);
    line
}

#[test]
fn real_charts_render_to_helms_bytes() {
    let Some(folder) = shared("helm-corpus") else { return };
    let mut cases = Vec::new();
    let mut charts: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    charts.sort();
    for chart in charts.iter().filter(|path| path.is_dir()) {
        let name = chart.file_name().expect("a name").to_string_lossy().into_owned();
        let packed = read(&chart.join("chart.tgz"));
        for case in json(&chart.join("cases.json"))["cases"].as_array().expect("cases") {
            let id = case["case"].as_str().expect("a name");
            let values = std::fs::read(chart.join(id).join("values.yaml")).ok();
            for profile in PROFILES {
                let recorded = unpacked(&chart.join(id).join(format!("helm-{profile}.yaml.gz")));
                let expected = match (recorded, case[format!("error-{profile}")].as_str()) {
                    (Some(bytes), _) => Expected::Bytes(bytes),
                    (None, Some(error)) => Expected::Refused(error.to_owned()),
                    (None, None) => Expected::Success,
                };
                let mut files = vec![("chart.tgz".to_owned(), packed.clone())];
                files.extend(values.clone().map(|bytes| ("values.yaml".to_owned(), bytes)));
                cases.push(Case {
                    name: format!("corpus/{name}/{id}/{profile}"),
                    arguments: line(
                        profile,
                        &["rel", "./chart.tgz", "-n", "ns", "--include-crds"],
                        strings(&case["args"]),
                    ),
                    files,
                    expected,
                });
            }
        }
    }
    check("corpus", cases);
}

#[test]
fn value_sets_render_or_are_refused_as_by_helm() {
    let (Some(folder), Some(corpus)) = (shared("helm-variants"), shared("helm-corpus")) else { return };
    let lines = unpacked(&folder.join("cases.jsonl.gz")).expect("the cases");
    let lines = String::from_utf8(lines).expect("text");
    let mut charts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut cases = Vec::new();
    for (number, text) in lines.lines().enumerate() {
        let case: Json = serde_json::from_str(text).expect("good JSON");
        let chart = case["chart"].as_str().expect("a chart");
        let packed = charts
            .entry(chart.to_owned())
            .or_insert_with(|| read(&corpus.join(chart).join("chart.tgz")))
            .clone();
        for profile in PROFILES {
            let recorded = &case[profile];
            let expected = if recorded["rc"] != 0 {
                Expected::Refused(recorded["error"].as_str().unwrap_or_default().to_owned())
            } else if case["deterministic"] == false {
                Expected::Success
            } else {
                let stdout = recorded["sha256"].as_str().expect("a hash").to_owned();
                Expected::Hash { stdout, tree: BTreeMap::new() }
            };
            cases.push(Case {
                name: format!("variants/{}/{chart}/{profile}", number + 1),
                arguments: line(
                    profile,
                    &["rel", "./chart.tgz", "-n", "ns", "--include-crds", "-f", "v.yaml"],
                    Vec::new(),
                ),
                files: vec![
                    ("chart.tgz".to_owned(), packed.clone()),
                    ("v.yaml".to_owned(), case["values"].to_string().into_bytes()),
                ],
                expected,
            });
        }
    }
    check("variants", cases);
}

#[test]
fn command_lines_give_helms_answers() {
    let (Some(folder), Some(charts)) = (shared("helm-cli"), shared("charts")) else { return };
    let mut cases = Vec::new();
    for case in json(&folder.join("cases.json"))["cases"].as_array().expect("cases") {
        let id = case["id"].as_u64().expect("a number");
        let chart = case["chart"].as_str().expect("a chart");
        let packed = std::fs::read(charts.join(chart)).ok();
        for profile in PROFILES {
            let recorded = &case[format!("helm-{profile}")];
            let text = unpacked(&folder.join("output").join(format!("{id:03}-{profile}.yaml.gz")));
            let tree = recorded["tree_sha256"].as_object().into_iter().flatten();
            let tree: BTreeMap<String, String> =
                tree.map(|(path, hash)| (path.clone(), hash.as_str().expect("a hash").to_owned())).collect();
            let expected = match text {
                _ if recorded["rc"] != 0 => {
                    Expected::Refused(recorded["stderr"].as_str().unwrap_or_default().to_owned())
                }
                _ if recorded["deterministic"] == false => Expected::Success,
                Some(bytes) if tree.is_empty() => Expected::Bytes(bytes),
                _ => Expected::Hash {
                    stdout: recorded["stdout_sha256"].as_str().expect("a hash").to_owned(),
                    tree,
                },
            };
            let arguments = strings(&case["args"]);
            let arguments =
                arguments.into_iter().map(|a| if a == "CHART" { format!("./{chart}") } else { a }).collect();
            let mut files: Vec<(String, Vec<u8>)> =
                packed.clone().map(|bytes| (chart.to_owned(), bytes)).into_iter().collect();
            for (path, text) in case["files"].as_object().into_iter().flatten() {
                files.push((path.clone(), text.as_str().unwrap_or_default().as_bytes().to_vec()));
            }
            cases.push(Case {
                name: format!("cli/{id}/{profile}"),
                arguments: line(profile, &[], arguments),
                files,
                expected,
            });
        }
    }
    check("cli", cases);
}
