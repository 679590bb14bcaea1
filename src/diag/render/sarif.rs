//! SARIF 2.1.0 for code scanning: one run, one category, relative URIs, stable fingerprints.

use super::{place, word};
use crate::diag::{Diagnostic, Label};
use crate::source::Sources;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// GitHub keeps this many results of a run.
const KEPT: usize = 5_000;

/// A SARIF log with one run.
pub fn sarif(found: &[Diagnostic], sources: &Sources) -> String {
    let mut codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| json!({"id": code, "name": code})).collect();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> =
        found.iter().take(KEPT).map(|finding| result(finding, &codes, &mut seen, sources)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "stackc", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "automationDetails": {"id": "stackc/"},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(
    finding: &Diagnostic,
    codes: &[&str],
    seen: &mut BTreeMap<String, usize>,
    sources: &Sources,
) -> Value {
    let mut text = finding.message.clone();
    for part in finding.notes.iter().chain(&finding.helps) {
        text.push_str(". ");
        text.push_str(part);
    }
    let identity = [
        finding.code.as_str(),
        &finding.message,
        &finding.primary.as_ref().map_or_else(String::new, |label| place(label.span, sources).file),
        finding.object.as_deref().unwrap_or(""),
    ]
    .join("\0");
    let occurrence = seen.entry(identity.clone()).and_modify(|count| *count += 1).or_insert(0);
    let digest = Sha256::digest(format!("{identity}\0{occurrence}").as_bytes());
    let fingerprint = digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": codes.binary_search(&finding.code.as_str()).unwrap_or(0),
        "level": word(finding.severity),
        "message": {"text": text},
        "locations": finding.primary.iter().map(|label| location(label, sources)).collect::<Vec<_>>(),
        "relatedLocations": finding.related.iter().map(|label| location(label, sources)).collect::<Vec<_>>(),
        "partialFingerprints": {"stackc/v1": fingerprint},
    })
}

fn location(label: &Label, sources: &Sources) -> Value {
    let place = place(label.span, sources);
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": {
                "startLine": place.start.line,
                "startColumn": place.start.column,
                "endLine": place.end.line,
                "endColumn": place.end.column,
            },
        },
    });
    if !label.text.is_empty() {
        value["message"] = json!({"text": label.text});
    }
    value
}

fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~@+=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
