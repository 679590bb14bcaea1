//! Template texts with the answers of Helm 3.21 and 4.2 (`helm-cases` of the shared folder).

use serde_json::Value as Json;
use stackc::helm::capabilities::Capabilities;
use stackc::helm::chart::archive::Budget;
use stackc::helm::chart::{ChartFile, load};
use stackc::helm::context::ReleaseInfo;
use stackc::helm::engine::Options;
use stackc::helm::profile::{HELM_3_21, HELM_4_2, Profile};
use stackc::helm::release::{Fault, Request, prepare, render};
use stackc::helm::stack::on_large_stack;
use stackc::helm::template::Environment;
use stackc::helm::values::read;
use std::path::PathBuf;
use std::sync::Arc;

/// The day of the recording, and bytes that look random but are the same in every run.
struct Fixed(u64);

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (RECORDED, 0)
    }
    fn random(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

const RECORDED: i64 = 1_795_176_000;
const CHART: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"9.8\"\n";

/// What one template prints, or why it fails.
fn run(template: &str, values: &Json, profile: &'static Profile) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let values = values.to_string();
    let values = read::values(values.as_bytes(), profile, None)
        .map_err(|error| format!("the values do not load: {error:?}"))?;
    let files = [("Chart.yaml", CHART), ("templates/t.yaml", template)];
    let files = files.map(|(name, data)| ChartFile { name: name.into(), data: data.as_bytes().into() });
    let chart = load(files.to_vec(), "t", profile, None, &mut Budget::default())
        .map_err(|error| format!("the chart does not load: {error}"))?;
    let request = Request {
        chart: &Arc::new(chart),
        values: &values,
        release: &ReleaseInfo { name: "rel".into(), namespace: "ns".into(), is_upgrade: false },
        capabilities: &Capabilities::default(),
        profile,
        check_schema: false,
        options: Options::default(),
    };
    let prepared = prepare(&request, &mut Vec::new()).map_err(|fault| text(&fault.helm_text(profile)))?;
    // What a template prints need not be a manifest.
    let output = match render(&request, &prepared, &mut Fixed(1)) {
        Ok(rendered) => rendered.output,
        Err(Fault::Manifest(_, output)) => *output,
        Err(fault) => return Err(text(&fault.helm_text(profile))),
    };
    Ok(output.files.iter().map(|file| text(&file.bytes)).collect())
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

#[test]
fn templates_print_what_helm_prints() {
    let Some(cases) = cases("oracle-cases.jsonl") else { return };
    let failures: Vec<String> = on_large_stack(move || {
        let values = &cases[0]["values"];
        let mut failures = Vec::new();
        for case in &cases[1..] {
            let template = case["tpl"].as_str().expect("a template");
            for (profile, want) in [(&HELM_3_21, &case["v3"]), (&HELM_4_2, &case["v4"])] {
                let want = match want["err"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(want["out"].as_str().expect("an output").to_owned()),
                };
                let got = run(template, values, profile);
                if got != want {
                    failures.push(format!("{} {template}\n  want {want:?}\n  got  {got:?}", profile.name));
                }
            }
        }
        failures
    });
    assert!(failures.is_empty(), "{} answers differ:\n{}", failures.len(), failures.join("\n\n"));
}
