//! What the fuzz targets do with their bytes, as plain functions that the tests drive too.
//!
//! Every body holds for any input: it may be refused, but nothing panics, hangs or outgrows its limits, and what is
//! accepted behaves.

use stackc::helm::capabilities::Capabilities;
use stackc::helm::chart::archive::{self, Budget};
use stackc::helm::chart::{ChartFile, load};
use stackc::helm::context::ReleaseInfo;
use stackc::helm::engine::Options;
use stackc::helm::profile::{HELM_3_21, HELM_4_2, Profile};
use stackc::helm::release::{Fault, Request, prepare, render};
use stackc::helm::stack::on_large_stack;
use stackc::helm::template::{Environment, Limits};
use stackc::helm::values::{Table, read};
use std::sync::Arc;

const PROFILES: [&Profile; 2] = [&HELM_4_2, &HELM_3_21];
const CHART: &[u8] = b"apiVersion: v2\nname: c\nversion: 0.1.0\n";
const VALUES: &[u8] =
    br#"{"s": "{{ .Values.n }}", "n": 1.5, "l": [1, "a", null], "m": {"k": {"d": true}}, "e": {}}"#;

/// A clock and a die that never move.
struct Still;

impl Environment for Still {
    fn now(&mut self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
    fn random(&mut self, out: &mut [u8]) {
        out.fill(7);
    }
}

/// A render's files, or Helm's words; `None` where the chart or its values are refused before.
fn rendered(
    files: Vec<ChartFile>,
    values: &Table,
    profile: &'static Profile,
) -> Option<Result<Vec<u8>, Vec<u8>>> {
    let chart = load(files, "c", profile, None, &mut Budget::default()).ok()?;
    // A hundredth of what a user may spend: the fuzzer has more to do.
    let limits = Limits { steps: 200_000, bytes: 8 << 20, string: 2 << 20, output: 2 << 20 };
    let request = Request {
        chart: &Arc::new(chart),
        values,
        release: &ReleaseInfo { name: "r".into(), namespace: "n".into(), is_upgrade: false },
        capabilities: &Capabilities::default(),
        profile,
        check_schema: true,
        options: Options { limits, ..Options::default() },
    };
    let prepared = prepare(&request, &mut Vec::new()).ok()?;
    let output = match render(&request, &prepared, &mut Still) {
        Ok(rendered) => {
            // Manifests are pieces of the files.
            for manifest in rendered.sorted.manifests.iter().chain(&rendered.sorted.hooks) {
                assert!(rendered.sorted.files[manifest.file].bytes.get(manifest.range.clone()).is_some());
            }
            rendered.output
        }
        Err(Fault::Manifest(_, output)) => *output,
        Err(fault) => return Some(Err(fault.helm_text(profile))),
    };
    Some(Ok(output.files.iter().flat_map(|file| file.bytes.to_vec()).collect()))
}

fn chart(template: &[u8]) -> Vec<ChartFile> {
    let file = |name: &str, data: &[u8]| ChartFile { name: name.into(), data: data.into() };
    vec![file("Chart.yaml", CHART), file("templates/t.yaml", template)]
}

/// The bytes are the text of a template. It renders twice to the same bytes, or fails twice with the same words.
pub fn template(bytes: &[u8]) {
    on_large_stack(|| {
        for profile in PROFILES {
            let values = read::values(VALUES, profile, None).expect("values");
            let once = rendered(chart(bytes), &values, profile);
            assert_eq!(once, rendered(chart(bytes), &values, profile), "a render is not repeatable");
            assert!(!matches!(once, Some(Err(words)) if words.is_empty()), "an error without words");
        }
    });
}

/// The bytes are a values file. What `toYaml` makes of it reads as the same values.
pub fn values(bytes: &[u8]) {
    on_large_stack(|| {
        for profile in PROFILES {
            let Ok(values) = read::values(bytes, profile, None) else { continue };
            settles(&values, profile);
        }
    });
}

/// `toYaml` of values, with the line end that it cuts off, is read back as values of the same `toYaml`; or is empty,
/// where Go's writer gives up.
fn settles(values: &Table, profile: &'static Profile) {
    let written = |values: &Table| match rendered(chart(b"{{ toYaml .Values }}\n"), values, profile) {
        Some(Ok(text)) => text,
        _ => Vec::new(),
    };
    let text = written(values);
    // The key `<<` is written as it is and read as a merge, and a next line as a space: so in Go.
    let odd = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if text.trim_ascii().is_empty() || odd(b"<<") || odd("\u{85}".as_bytes()) {
        return;
    }
    let Ok(back) = read::values(&text, profile, None) else {
        panic!("what toYaml wrote is refused:\n{}", String::from_utf8_lossy(&text));
    };
    assert_eq!(
        String::from_utf8_lossy(&text),
        String::from_utf8_lossy(&written(&back)),
        "what toYaml wrote reads as something else"
    );
}

/// The bytes are a packed chart. Its files have clean names below the chart, and it renders or is refused.
pub fn archive(bytes: &[u8]) {
    on_large_stack(|| {
        let Ok(files) = archive::read(bytes, &mut Budget::default()) else { return };
        for file in &files {
            let escapes = file.name.starts_with('/') || file.name.split('/').any(|part| part == "..");
            assert!(!escapes && !file.name.is_empty(), "{}", file.name);
        }
        for profile in PROFILES {
            let values = read::values(VALUES, profile, None).expect("values");
            let _done = rendered(files.clone(), &values, profile);
        }
    });
}

/// The bytes spell a value (see [`spelled`]). `toYaml` of it reads back as the same value.
pub fn to_yaml(bytes: &[u8]) {
    let mut rest = bytes;
    let value = serde_json::json!({ "v": spelled(&mut rest, 0) }).to_string();
    on_large_stack(|| {
        for profile in PROFILES {
            let Ok(values) = read::values(value.as_bytes(), profile, None) else { continue };
            settles(&values, profile);
        }
    });
}

/// A value of JSON from bytes: the first says what it is, the following are its content. Bytes run out into nulls.
fn spelled(bytes: &mut &[u8], depth: usize) -> serde_json::Value {
    use serde_json::Value as Json;
    let Some(kind) = next(bytes) else { return Json::Null };
    let size = usize::from(kind >> 3);
    match kind & 7 {
        0 => Json::Null,
        1 => Json::Bool(size % 2 == 0),
        2 => Json::from(i64::from(next(bytes).unwrap_or(0)) - 100),
        3 => {
            let mut bits = [0; 8];
            bits.fill_with(|| next(bytes).unwrap_or(0));
            let number = f64::from_bits(u64::from_be_bytes(bits));
            if number.is_finite() { Json::from(number) } else { Json::Null }
        }
        4 | 5 => Json::from(text(bytes, size)),
        6 if depth < 20 => {
            Json::from((0..size.min(8)).map(|_| spelled(bytes, depth + 1)).collect::<Vec<_>>())
        }
        7 if depth < 20 => {
            Json::Object((0..size.min(8)).map(|n| (text(bytes, n), spelled(bytes, depth + 1))).collect())
        }
        _ => Json::Null,
    }
}

fn next(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn text(bytes: &mut &[u8], size: usize) -> String {
    let (head, rest) = bytes.split_at(size.min(bytes.len()));
    *bytes = rest;
    String::from_utf8_lossy(head).into_owned()
}
