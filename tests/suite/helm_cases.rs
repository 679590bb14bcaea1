//! Template texts with the answers of Helm 3.21 and 4.2 (`helm-cases` of the shared folder).

use serde_json::Value as Json;
use stackc::helm::engine::{Context, Options, TemplateFile, parse};
use stackc::helm::profile::{HELM_3_21, HELM_4_2, Profile};
use stackc::helm::stack::on_large_stack;
use stackc::helm::template::Environment;
use stackc::helm::value::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes that look random, the same in every run.
struct Fixed(u64);

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (1_790_000_000, 0)
    }
    fn random(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

fn go_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Float(number.as_f64().expect("a number")),
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(go_value).collect()),
        Json::Object(map) => Value::map(map.iter().map(|(key, item)| (key, go_value(item)))),
    }
}

/// What one template prints, or why it fails.
fn run(template: &str, values: &Json, profile: &'static Profile) -> Result<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let file =
        TemplateFile { path: "t/templates/t.yaml".into(), text: Arc::from(template.as_bytes()), chart: 0 };
    let parsed = parse(vec![file], profile).map_err(|error| text(error.helm_text(profile)))?;
    let Value::Map(own) = go_value(values) else { panic!("values are a map") };
    let release = [
        ("Name", "r".into()),
        ("Namespace", "default".into()),
        ("IsInstall", true.into()),
        ("IsUpgrade", false.into()),
        ("Revision", Value::int(1)),
        ("Service", "Helm".into()),
    ];
    let chart = [("Name", "t".into()), ("Version", "0.1.0".into())];
    let map = Map::of(
        profile.values_type,
        [
            ("Values", own.with_type(profile.values_type).into()),
            ("Release", Value::map(release)),
            ("Chart", Value::map(chart)),
        ],
    );
    let context = Context { map, base_path: "t/templates".into() };
    let rendered = parsed
        .render(&[context], &Options::default(), &mut Fixed(1))
        .map_err(|error| text(error.helm_text(profile)))?;
    Ok(rendered.files.into_iter().map(|file| text(file.text)).collect())
}

fn cases(name: &str) -> Option<Vec<Json>> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path =
        start.ancestors().map(|folder| folder.join("shared/helm-cases").join(name)).find(|p| p.is_file());
    let Some(path) = path else {
        eprintln!("SKIPPED: shared/helm-cases/{name} is not there");
        return None;
    };
    let text = std::fs::read_to_string(path).expect("the cases can be read");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a case is JSON")).collect())
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn templates_print_what_helm_prints() {
    let Some(cases) = cases("oracle-cases.jsonl") else { return };
    let values = cases[0]["values"].clone();
    let failures = on_large_stack(move || {
        let mut failures = Vec::new();
        for case in &cases[1..] {
            let template = case["tpl"].as_str().expect("a template");
            for (profile, want) in [(&HELM_3_21, &case["v3"]), (&HELM_4_2, &case["v4"])] {
                let want = match want["err"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(want["out"].as_str().expect("an output").to_owned()),
                };
                let got = run(template, &values, profile);
                if got != want {
                    failures.push(format!("{} {template}\n  want {want:?}\n  got  {got:?}", profile.name));
                }
            }
        }
        failures
    });
    report(&failures);
}
