//! The engine held against Go's and Helm's own answers, against endless charts, and against nonsense.

use super::*;
use crate::helm::profile::{HELM_3_21, HELM_4_2};
use crate::helm::value::types;
use serde_json::Value as Json;

struct Nothing;

impl Environment for Nothing {
    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }
    fn random(&mut self, out: &mut [u8]) {
        out.fill(7);
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Float(n.as_f64().expect("a number")),
        Json::String(s) => Value::string(s.as_str()),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(map) => Value::map(map.iter().map(|(k, v)| (k, value(v)))),
    }
}

fn file(path: &str, text: &str) -> TemplateFile {
    TemplateFile { path: path.to_owned(), text: Arc::from(text.as_bytes()), chart: 0 }
}

fn run(files: &[(&str, &str)], data: &Json, options: &Options) -> Result<Rendered, TemplateError> {
    let parsed = parse(files.iter().map(|(path, text)| file(path, text)).collect(), &HELM_4_2)?;
    let Value::Map(map) = value(data) else { panic!("a map") };
    parsed.render(&[Context { map, base_path: "t/templates".to_owned() }], options, &mut Nothing)
}

/// `template/cases.jsonl` holds what Go 1.26's text/template printed or said, with `missingkey=zero`.
#[test]
fn executes_as_go_does() {
    let mut lines = include_str!("../template/cases.jsonl").lines();
    let data: Json = serde_json::from_str(lines.next().expect("data")).expect("json");
    let mut wrong = Vec::new();
    for line in lines {
        let case: Json = serde_json::from_str(line).expect("a case");
        let text = case["t"].as_str().expect("text");
        let got = match run(&[("t", text)], &data["data"], &Options::default()) {
            Ok(rendered) => String::from_utf8_lossy(&rendered.files[0].text).into_owned(),
            Err(TemplateError::Parse { error, .. }) => {
                String::from_utf8_lossy(&error.text(b"t")).into_owned()
            }
            Err(TemplateError::Exec { error, .. }) => String::from_utf8_lossy(&error.text())
                .replace("HELM_ERR_START", "")
                .replace("HELM_ERR_END", ""),
        };
        let want = match (&case["o"], &case["e"]) {
            (Json::String(out), _) => out.replace("<no value>", ""),
            (_, Json::String(error)) => error.clone(),
            _ => panic!("no answer for {text}"),
        };
        if got != want {
            wrong.push(format!("{text}\n  got:  {got}\n  want: {want}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `engine-cases.jsonl` holds what the engines of Helm 4.2.4 and 3.21.4 made of charts of a few lines.
#[test]
fn renders_as_helm_does() {
    let mut lines = include_str!("cases.jsonl").lines();
    let head: Json = serde_json::from_str(lines.next().expect("head")).expect("json");
    let mut wrong = Vec::new();
    for line in lines {
        let case: Json = serde_json::from_str(line).expect("a case");
        for profile in [&HELM_4_2, &HELM_3_21] {
            let want = if case["both"].is_object() { &case["both"] } else { &case[profile.name] };
            let mut files: Vec<TemplateFile> = case["files"]
                .as_object()
                .expect("files")
                .iter()
                .map(|(path, text)| file(&format!("t/{path}"), text.as_str().expect("text")))
                .collect();
            if case["helpers"] == true {
                files.push(file("t/templates/_h.tpl", head["helpers"].as_str().expect("text")));
            }
            let Value::Map(values) = value(&head["values"]) else { panic!("a map") };
            let map = Map::of(
                &types::MAP,
                [
                    ("Values", Value::Map(values.with_type(profile.values_type))),
                    ("Release", Value::map([("Name", Value::string("rel"))])),
                ],
            );
            let contexts = [Context { map, base_path: "t/templates".to_owned() }];
            let result = parse(files, profile)
                .and_then(|parsed| parsed.render(&contexts, &Options::default(), &mut Nothing));
            let got: Json = match result {
                Ok(rendered) => {
                    let files = rendered.files.into_iter();
                    let files = files.map(|f| (f.path.to_string(), String::from_utf8_lossy(&f.text).into()));
                    serde_json::json!({ "o": files.collect::<serde_json::Map<String, Json>>() })
                }
                Err(error) => {
                    serde_json::json!({ "e": String::from_utf8_lossy(&error.helm_text(profile)) })
                }
            };
            if got != *want {
                wrong.push(format!("{} {}\n  got:  {got}\n  want: {want}", profile.name, case["files"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn refused(files: &[(&str, &str)]) -> String {
    // A hundredth of the real limits, so that the test is quick.
    let limits = Limits { steps: 300_000, bytes: 8 << 20, string: 1 << 20, output: 4 << 20 };
    stack::on_large_stack(|| {
        let options = Options { limits, ..Options::default() };
        match run(files, &serde_json::json!({ "s": "x" }), &options) {
            Ok(rendered) => {
                panic!("{} bytes", rendered.files.iter().map(|f| f.text.len()).sum::<usize>())
            }
            Err(TemplateError::Exec { error, .. }) => {
                let said = error.innermost().to_string();
                // Helm's own bound of nested includes comes before this engine's.
                assert!(error.limited || said.contains("nested reference"), "{said}");
                said
            }
            Err(error) => String::from_utf8_lossy(&error.helm_text(&HELM_4_2)).into_owned(),
        }
    })
}

#[test]
fn endless_charts_end() {
    let mut wide = String::new();
    for n in 0..24 {
        let twice = format!("{{{{ include \"t{}\" . }}}}", n + 1).repeat(2);
        wide += &format!("{{{{ define \"t{n}\" }}}}{twice}{{{{ end }}}}");
    }
    wide += "{{ define \"t24\" }}x{{ end }}{{ include \"t0\" . }}";
    let mut variables = String::new();
    for n in 0..60_000 {
        variables += &format!("{{{{ $v{n} := $ }}}}");
    }
    let cases = [
        ("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}".to_owned(), "nesting"),
        ("{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}".to_owned(), ""),
        ("{{ range 1000000000 }}{{ end }}".to_owned(), "steps"),
        ("{{ range 1000000000 }}{{ range 1000000000 }}{{ $.s }}{{ end }}{{ end }}".to_owned(), "steps"),
        (wide, "steps"),
        ("{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}".to_owned(), ""),
        ("{{ range 40000000 }}{{ $.s }}0123456789012345678901234567890123456789{{ end }}".to_owned(), ""),
        ("{{ tpl \"{{ tpl $.Template.Name . }}{{ define \\\"q\\\" }}{{ tpl (include \\\"q\\\" .) . }}{{ end }}{{ include \\\"q\\\" . }}\" . }}".to_owned(), ""),
        ("(".repeat(10) + "{{ " + &"(".repeat(100_000) + "1" + &")".repeat(100_000) + " }}", "max expression depth"),
        ("{{ if 1 }}".repeat(100_000), "nested too deep"),
        ("{{ $a := dict }}{{ range 2000000 }}{{ $a = dict \"a\" $a }}{{ end }}{{ print $a }}".to_owned(), "limit"),
        ("{{ $a := dict }}{{ $_ := set $a \"a\" $a }}{{ $a }}".to_owned(), "nesting"),
        ("{{ $a := dict }}{{ range 60 }}{{ $a = dict \"a\" $a \"b\" $a }}{{ end }}{{ $a }}".to_owned(), ""),
        ("{{ range 100000 }}{{ printf \"%1000000d\" 1 }}{{ end }}".to_owned(), ""),
        ("{{ regexReplaceAll (repeat 1200 \"(a)\") \"ab\" \"$1\" }}".to_owned(), "groups"),
        ("{{ range 100000 }}{{ regexMatch (printf \"[a-z]{%d}[0-9]{50}\" .) \"x\" }}{{ end }}".to_owned(), "steps"),
        ("{{ splitList \"\" (repeat 1000000 \"x\") }}".to_owned(), "one string"),
        ("{{ regexFindAll \"a.*b|a\" (repeat 100000 \"a\") -1 }}".to_owned(), ""),
        ("{{ regexReplaceAll \"a\" (repeat 10000 \"a\") (repeat 1000 \"b\") }}".to_owned(), "one string"),
        ("{{ $s := repeat 40000 \"{{1}}\" }}{{ range 60 }}{{ $_ := tpl (print \"{{ if false }}\" . $s \"{{ end }}\") $ }}{{ end }}".to_owned(), "`tpl` parses"),
        (variables + "{{ range 100000 }}{{ $v0 }}{{ end }}", "steps"),
        ("{{ $a := list 1 }}{{ range 60 }}{{ $a = list $a $a }}{{ end }}{{ toToml $a }}".to_owned(), "steps"),
        ("{{ $s := repeat 1000 \"x\" }}{{ $a := list }}{{ range 2000 }}{{ $a = append $a $s }}{{ end }}{{ toToml (dict \"a\" $a) }}".to_owned(), ""),
        ("{{ fromToml (repeat 20000 \"[[a]]\\n\") }}".to_owned(), "steps"),
        ("{{ $l := list }}{{ range until 200 }}{{ $l = append $l (print (repeat 400 \"a.\") \"b\" . \" = 1\") }}{{ end }}{{ fromToml (join \"\\n\" $l) }}".to_owned(), "steps"),
        ("{{ $s := repeat 100000 \"a: 1\\n\" }}{{ range 100 }}{{ $_ := fromYaml $s }}{{ end }}".to_owned(), "steps"),
        ("{{ $s := repeat 100000 \"1,\" }}{{ range 100 }}{{ $_ := fromJsonArray $s }}{{ end }}".to_owned(), "steps"),
        ("{{ $s := repeat 100000 \"x\\n\" }}{{ range 500 }}{{ $s = list $s }}{{ end }}{{ toYaml $s }}".to_owned(), "one string"),
        ("{{ $s := repeat 100000 \"x\\n\" }}{{ range 500 }}{{ $s = list $s }}{{ end }}{{ toYamlPretty $s }}".to_owned(), "one string"),
        ("{{ $m := dict }}{{ range 1000 }}{{ $_ := set $m (toString .) 1 }}{{ end }}{{ range 10000 }}{{ $_ := toYaml $m }}{{ end }}".to_owned(), "steps"),
        ("{{ shuffle (repeat 1000000 \"x\") }}".to_owned(), "one string"),
        ("{{ regexMatch (repeat 30000 \"a|\") \"b\" }}".to_owned(), "steps"),
        ("{{ derivePassword 1 \"long\" (repeat 900000 \"a\") (repeat 900000 \"b\") \"c\" }}".to_owned(), "steps"),
        ("{{1}}".repeat(2_000_000), "8 MiB of actions"),
    ];
    for (text, words) in cases {
        let said = refused(&[("t", &text)]);
        assert!(said.contains(words), "{} {said}", &text[..text.len().min(60)]);
    }
}

/// What functions that are slow by nature count for, whatever they are given.
#[test]
fn slow_functions_cost_what_they_take() {
    let run = |call: &str, steps: u64| {
        let text = format!("{{{{ $_ := {call} }}}}");
        stack::on_large_stack(|| {
            let options = Options { limits: Limits { steps, ..Limits::default() }, ..Options::default() };
            match run(&[("t", &text)], &serde_json::json!({}), &options) {
                Ok(_) => String::new(),
                Err(error) => String::from_utf8_lossy(&error.helm_text(&HELM_4_2)).into_owned(),
            }
        })
    };
    for (call, price) in [
        ("genPrivateKey \"rsa\"", 6_000_000),
        ("genPrivateKey \"dsa\"", 6_000_000),
        ("genCA \"x\" 1", 600_000),
        ("genSelfSignedCert \"x\" (list) (list) 1", 600_000),
        ("bcrypt \"x\"", 400_000),
        ("htpasswd \"a\" \"b\"", 400_000),
        ("derivePassword 1 \"long\" \"a\" \"b\" \"c\"", 800_000),
        ("genPrivateKey \"ecdsa\"", 5_000),
        ("genPrivateKey \"ed25519\"", 5_000),
        ("genCAWithKey \"x\" 1 (genPrivateKey \"ecdsa\")", 45_000),
        ("genCAWithKey (repeat 1000000 \"x\") 1 (genPrivateKey \"ecdsa\")", 200_000),
    ] {
        let said = run(call, price - 1);
        assert!(said.contains("20 million steps"), "{call}: {said:?}");
    }
    for (call, price) in
        [("genPrivateKey \"ecdsa\"", 5_010), ("genCAWithKey \"x\" 1 (genPrivateKey \"ecdsa\")", 45_100)]
    {
        assert_eq!(run(call, price), "", "{call}");
    }
}

/// What a chart makes may be large, what is said of it is not.
#[test]
fn messages_are_short() {
    for text in [
        "{{ fail (repeat 1000000 \"x\") }}",
        "{{ include (repeat 1000000 \"x\") . }}",
        "{{ tpl (print \"{{\" (repeat 1000000 \"x\") ) . }}",
        "{{ mustDateModify (repeat 1000000 \"x\") now }}",
        "{{ mustToDate \"2006\" (repeat 1000000 \"\\x00\") }}",
        "{{ mustRegexMatch (repeat 100000 \"(\") \"x\" }}",
        &format!("{{{{ template \"{}\" }}}}", "x".repeat(1_000_000)),
        &format!("{{{{ {} }}}}", "x".repeat(1_000_000)),
        &format!("{{{{ fail (print {}) }}}}", "1 ".repeat(500_000)),
    ] {
        let said = stack::on_large_stack(|| {
            let result = run(&[("t", text)], &serde_json::json!({}), &Options::default());
            result.map(|_| ()).expect_err("refused").helm_text(&HELM_4_2).len()
        });
        assert!(said < 300_000, "{} {said}", &text[..40]);
    }
}

#[test]
fn output_knows_its_template_and_values() {
    let tracker = Tracker::new();
    let values = serde_json::json!({
        "labels": { "team": "core" }, "name": "web", "on": true, "unused": 1, "image": { "tag": "v1", "repo": "r" }
    });
    let values = value(&values);
    tracker.attach(&values, 0);
    let files = [
        (
            "t/templates/_h.tpl",
            "{{ define \"labels\" }}\napp: {{ .Values.name }}\n{{- range $k, $v := .Values.labels }}\n{{ $k }}: {{ $v }}\n{{- end }}\n{{- end }}",
        ),
        (
            "t/templates/a.yaml",
            "kind: A\n{{- if .Values.on }}\nlabels:\n  {{- include \"labels\" . | nindent 2 }}\n{{- end }}\n{{- $tag := .Values.image.tag }}\nimage: {{ printf \"%s:%s\" .Values.image.repo $tag }}\nid: {{ randAlphaNum 4 }}\n",
        ),
    ];
    let parsed =
        parse(files.iter().map(|(path, text)| file(path, text)).collect(), &HELM_4_2).expect("parses");
    let map = Map::of(&types::MAP, [("Values", values)]);
    let options = Options { tracker: Some(TrackerRef(tracker)), ..Options::default() };
    let rendered = parsed
        .render(&[Context { map, base_path: "t/templates".to_owned() }], &options, &mut Nothing)
        .expect("renders");
    let text = String::from_utf8(rendered.files[0].text.clone()).expect("text");
    assert!(text.starts_with("kind: A\nlabels:\n  \n  app: web\n  team: core\nimage: r:v1\nid: "), "{text}");
    let provenance = rendered.provenance.expect("recorded");
    let path = |number: u32| -> String {
        provenance.reads.segments(number).iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
    };
    let at = |needle: &str| {
        let offset = text.find(needle).expect(needle);
        let span = provenance.span(0, offset).expect(needle);
        let source = &provenance.sources[span.source as usize];
        let template =
            String::from_utf8_lossy(&source.text[span.from as usize..span.to as usize]).into_owned();
        let reads: Vec<String> =
            provenance.evidence(span.evidence).reads.iter().map(|read| path(read.path)).collect();
        let around: Vec<String> = provenance
            .scopes_of(span.scope)
            .iter()
            .flat_map(|scope| provenance.evidence(scope.evidence).reads)
            .map(|read| path(read.path))
            .collect();
        (source.name.to_string(), template.trim().to_owned(), reads, around)
    };
    let own = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(at("web"), ("t/templates/_h.tpl".into(), ".Values.name".into(), own(&["name"]), own(&["on"])));
    let (source, template, _, around) = at("core");
    assert_eq!((source.as_str(), template.as_str()), ("t/templates/_h.tpl", "$v"));
    assert!(around.iter().any(|path| path.starts_with("labels")), "{around:?}");
    let (_, template, mut reads, _) = at("r:v1");
    reads.sort();
    assert_eq!(
        (template.as_str(), reads),
        ("printf \"%s:%s\" .Values.image.repo $tag", own(&["image.repo", "image.tag"]))
    );
    assert_eq!(at("kind").1, "kind: A");

    let impure = crate::helm::purity::impurities(&provenance);
    assert_eq!(impure.len(), 1);
    assert_eq!(impure[0].call.function, "randAlphaNum");
    assert_eq!(impure[0].reaches[0].1.len(), 4);

    let read: Vec<String> = (0..provenance.reads.paths.len())
        .filter(|n| provenance.reads.kinds[*n].is_some())
        .map(|n| path(u32::try_from(n).expect("small")))
        .collect();
    assert!(!read.contains(&"unused".to_owned()) && read.contains(&"labels.team".to_owned()), "{read:?}");
}

/// Pieces of templates, so that random sequences of them often get far.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "if ",
    "else ",
    "end",
    "range ",
    "with ",
    "define \"a\"",
    "template \"a\" .",
    "include \"a\" .",
    "tpl .s .",
    "break",
    "continue",
    "$x",
    "$x := ",
    "$x = ",
    "$",
    ".",
    ".s",
    ".m.k",
    ".l",
    "(",
    ")",
    "|",
    "printf \"%v %d\"",
    "index .l 0",
    "eq 1 1",
    "and ",
    "or ",
    "not ",
    "1",
    "1.5",
    "'a'",
    "\"q\"",
    "`r`",
    "nil",
    "true",
    "/*",
    "*/",
    ",",
    "dict \"k\" .",
    "set .m \"k\" .",
    "toYaml .",
    "nindent 2",
    "quote",
    "block \"b\" .",
    "é",
    "\u{1}",
    "{{ . }}",
    "{{ end }}",
    "{{ if . }}",
    "{{ range . }}",
    "{{ define \"c\" }}",
    "len ",
    "len",
    "0x",
    "_",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Nothing that is written makes the engine panic or hang.
    #[test]
    fn nonsense_is_survived(picks in proptest::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = picks.into_iter().map(|at| PIECES[at]).collect();
        let limits = Limits { steps: 20_000, bytes: 4 << 20, string: 1 << 20, output: 1 << 20 };
        stack::on_large_stack(|| {
            let data = serde_json::json!({ "s": "{{ .m }}", "m": { "k": 1 }, "l": [1, "a", null] });
            let options = Options { limits, tracker: Some(TrackerRef(Tracker::new())), ..Options::default() };
            if let Err(error) = run(&[("t", &text)], &data, &options) {
                for profile in [&HELM_4_2, &HELM_3_21] {
                    assert!(!error.helm_text(profile).is_empty());
                }
            }
        });
    }
}
