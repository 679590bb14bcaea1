use super::*;
use crate::diag::codes;

fn sample() -> (Sources, Vec<Diagnostic>) {
    let sources = Sources::new();
    let overlay = sources
        .add("overlays/shop/overlay.yaml", "spec:\n  stacks:\n    web:\n      hosts: shop.example.org\n");
    let template =
        sources.add("charts/web/ingress.yaml", "a: 1\n- host: {{ .Values.ingress.host | quote }}\nb: 2\n");
    let found = vec![
        Diagnostic::error(codes::YAML_SYNTAX, "`.Values.ingress.host` is required")
            .at(Span::new(template, 16, 36), "no value here")
            .related(Span::new(overlay, 31, 36), "did you mean `host`?")
            .trace("rendering chart `web` for stack `shop`")
            .help("rename `hosts` to `host`"),
        Diagnostic::warning(codes::UNREADABLE_FILE, "100% of it, a:b"),
    ];
    (sources, found)
}

#[test]
fn human_shows_fact_places_trace_and_advice() {
    let (sources, found) = sample();
    let expected = "\
error[yaml-syntax]: `.Values.ingress.host` is required
   ╭─[charts/web/ingress.yaml:2:12]
 1 │ a: 1
 2 │ - host: {{ .Values.ingress.host | quote }}
   ·            ──────────┬─────────
   ·                      ╰── no value here
 3 │ b: 2
   ╰────
   ╭─[overlays/shop/overlay.yaml:4:7]
 3 │     web:
 4 │       hosts: shop.example.org
   ·       ──┬──
   ·         ╰── did you mean `host`?
   ╰────
  = while: rendering chart `web` for stack `shop`
  = help: rename `hosts` to `host`

warning[unreadable-file]: 100% of it, a:b

1 error, 1 warning
";
    assert_eq!(human(&found, &sources, Style::default()), expected);
}

#[test]
fn short_is_one_line_each() {
    let (sources, found) = sample();
    assert_eq!(
        short(&found, &sources),
        "charts/web/ingress.yaml:2:12: error[yaml-syntax]: `.Values.ingress.host` is required; help: rename `hosts` to `host`\n\
         warning[unreadable-file]: 100% of it, a:b\n"
    );
}

#[test]
fn github_escapes_what_its_runner_reads() {
    let (sources, found) = sample();
    assert_eq!(
        github(&found, &sources),
        "::error file=charts/web/ingress.yaml,line=2,endLine=2,col=12,endColumn=32,title=yaml-syntax::`.Values.ingress.host` is required%0Ahelp: rename `hosts` to `host`\n\
         ::warning title=unreadable-file::100%25 of it, a:b\n"
    );
}

#[test]
fn github_prints_what_is_over_the_limit_as_text() {
    let found: Vec<_> = (0..12).map(|n| Diagnostic::error(codes::YAML_SYNTAX, format!("n{n}"))).collect();
    let text = github(&found, &Sources::new());
    assert_eq!(text.lines().filter(|line| line.starts_with("::error")).count(), 10);
    assert!(text.ends_with("error[yaml-syntax]: n10\nerror[yaml-syntax]: n11\n"));
}

#[test]
fn json_and_sarif_carry_the_place() {
    let (sources, found) = sample();
    let text = json(&found, &sources);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["primary"]["line"], 2);
    assert_eq!(first["related"][0]["file"], "overlays/shop/overlay.yaml");
    let log: serde_json::Value = serde_json::from_str(&sarif(&found, &sources)).expect("JSON");
    let results = &log["runs"][0]["results"];
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 12);
    assert_ne!(results[0]["partialFingerprints"], results[1]["partialFingerprints"]);
}

/// A text of one long line is not drawn, whatever is wrong with it: miette fails at columns above 65,535.
#[test]
fn a_line_that_nobody_can_read_is_not_drawn() {
    let sources = Sources::new();
    let file = sources.add("values.json", format!("{{\"a\": [{}]}}\n", "1,".repeat(50_000)));
    let found =
        [Diagnostic::error(codes::YAML_SYNTAX, "no value").at(Span::new(file, 90_000, 90_001), "here")];
    assert_eq!(
        human(&found, &sources, Style::default()),
        "error[yaml-syntax]: no value\n   ╭─[values.json:1:90001]: here\n\n1 error\n"
    );
}
