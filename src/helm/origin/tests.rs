//! Every way a value can take from the values to the output, and what is known of it there.

use super::*;
use crate::helm::engine::{Context, Options, TemplateFile, TrackerRef, parse};
use crate::helm::profile::HELM_4_2;
use crate::helm::purity::impurities;
use crate::helm::stack;
use crate::helm::template::Environment;
use crate::helm::value::{Map, Tracker, types};
use crate::helm::values::{read, table_to_go};

struct Fixed(u64);

impl Environment for Fixed {
    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }
    /// The same for short texts, and anything for large numbers, so that a search for primes ends.
    fn random(&mut self, out: &mut [u8]) {
        if out.len() < 64 {
            return out.fill(7);
        }
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

const VALUES: &str = "
name: web
alias: other
enabled: true
disabled: false
count: 3
image: {repo: r, tag: v1}
labels: {team: core, tier: front}
ports: [80, 443]
hosts: [{host: a.example, path: /}, {host: b.example, path: /x}]
defaults: {cpu: 1, memory: 2}
override: {memory: 4}
text: '{{ .Values.name }}-{{ .Values.alias }}'
empty: ''
";

const PARTIALS: &str = r#"
{{- define "name" }}{{ .Values.name | trunc 3 }}{{ end }}
{{- define "field" }}{{ .key }}: {{ .value }}{{ end }}
{{- define "plain" }}<{{ . }}>{{ end }}
{{- define "choice" }}{{ if .Values.enabled }}{{ .Values.alias }}{{ else }}{{ .Values.name }}{{ end }}{{ end }}
{{- define "store" }}{{ if .Values.enabled }}{{ $_ := set . "stored" .Values.alias }}{{ end }}{{ end }}"#;

struct Render {
    text: String,
    provenance: Provenance,
    values: Table,
}

fn render(template: &str) -> Render {
    let values = read::values(VALUES.as_bytes(), &HELM_4_2, None).expect("good values");
    let (template, given) = (template.to_owned(), Arc::clone(&values));
    let (text, provenance) = stack::on_large_stack(move || {
        let tracker = Tracker::new();
        let go = crate::helm::value::Value::Map(table_to_go(&given));
        tracker.attach(&go, 0);
        let file = |path: &str, text: &str| TemplateFile {
            path: path.to_owned(),
            text: Arc::from(text.as_bytes()),
            chart: 0,
        };
        let files = vec![file("c/templates/_p.tpl", PARTIALS), file("c/templates/a.yaml", &template)];
        let parsed = parse(files, &HELM_4_2).expect("parses");
        let map = Map::of(&types::MAP, [("Values", go)]);
        let options = Options { tracker: Some(TrackerRef(tracker)), ..Options::default() };
        let contexts = [Context { map, base_path: "c/templates".to_owned() }];
        let mut rendered = parsed.render(&contexts, &options, &mut Fixed(1)).expect("renders");
        let text = String::from_utf8(rendered.files.remove(0).text).expect("text");
        (text, rendered.provenance.expect("recorded"))
    });
    Render { text, provenance, values }
}

impl Render {
    fn made(&self, needle: &str) -> Vec<Made<'_, '_>> {
        let start = self.text.find(needle).unwrap_or_else(|| panic!("no {needle} in {}", self.text));
        origins(&self.provenance, 0, start..start + needle.len(), &self.values)
    }
}

fn paths(reads: &[ReadValue<'_>]) -> Vec<String> {
    let mut out: Vec<String> = reads.iter().map(|read| read.path.join(".")).collect();
    out.sort();
    out
}

/// Renders, finds `needle` in the output, and compares all paths that its pieces read.
fn check(template: &str, needle: &str, wanted: &[&str]) {
    let render = render(template);
    let mut found: Vec<String> = render.made(needle).iter().flat_map(|made| paths(&made.reads)).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, wanted, "{template} -> {}", render.text);
}

#[test]
fn plain_reads() {
    check("{{ .Values.name }}", "web", &["name"]);
    // The same value twice in a row is read twice.
    check("{{ .Values.name }}{{ .Values.name }}!", "web!", &["name"]);
    check("a: {{ .Values.image.repo }}:{{ .Values.image.tag }}", "r:v1", &["image.repo", "image.tag"]);
    check("{{ .Values.missing | default .Values.name }}", "web", &["missing", "name"]);
    check("{{ printf \"%s-%d\" .Values.name (.Values.count | int) }}", "web-3", &["count", "name"]);
    check("{{ index .Values.ports 1 }}", "443", &["ports.1"]);
    check("{{ dig \"tag\" \"none\" .Values.image }}", "v1", &["image.tag"]);
    check("{{ ternary .Values.name .Values.alias .Values.enabled }}", "web", &["alias", "enabled", "name"]);
}

#[test]
fn through_variables() {
    check("{{ $x := .Values.name }}{{ $x }}", "web", &["name"]);
    check("{{ $i := .Values.image }}{{ $i.tag }}", "v1", &["image.tag"]);
    check(
        "{{ $x := printf \"%s%s\" .Values.name .Values.alias }}{{ $y := upper $x }}{{ $y }}",
        "WEBOTHER",
        &["alias", "name"],
    );
    // The condition under which a variable got its value belongs to it; one that stands around both does not.
    check(
        "{{ $x := \"\" }}{{ if .Values.enabled }}{{ $x = .Values.name }}{{ end }}{{ $x }}",
        "web",
        &["enabled", "name"],
    );
    check(
        "{{ if .Values.enabled }}{{ $x := \"\" }}{{ $x = .Values.name }}{{ $x }}{{ end }}",
        "web",
        &["name"],
    );
    check("{{ $x := \"a\" }}{{ $x = .Values.name }}{{ $x = \"zz\" }}{{ $x }}", "zz", &[]);
}

#[test]
fn through_dots() {
    check("{{ with .Values.name }}{{ . }}{{ end }}", "web", &["name"]);
    check("{{ with .Values.image }}{{ .tag }}{{ end }}", "v1", &["image.tag"]);
    check("{{ with dict \"a\" .Values.name }}{{ .a }}{{ end }}", "web", &["name"]);
    check("{{ include \"plain\" .Values.name }}", "web", &["name"]);
    check("{{ template \"plain\" .Values.name }}", "web", &["name"]);
    check("{{ .Values.name | include \"plain\" }}", "web", &["name"]);
    check("{{ with .Values.name }}{{ $.Values.alias }}{{ end }}", "other", &["alias"]);
}

#[test]
fn through_loops() {
    check("{{ range .Values.ports }}{{ . }} {{ end }}", "443", &["ports.1"]);
    check("{{ range $i, $p := .Values.ports }}{{ $p }} {{ end }}", "443", &["ports.1"]);
    check("{{ range $k, $v := .Values.labels }}{{ $k }}={{ $v }} {{ end }}", "team=core", &["labels.team"]);
    check(
        "{{ range .Values.hosts }}{{ .host }}{{ .path }} {{ end }}",
        "b.example/x",
        &["hosts.1.host", "hosts.1.path"],
    );
    check("{{ range $h := .Values.hosts }}{{ $h.host }} {{ end }}", "b.example", &["hosts.1.host"]);
    check("{{ range splitList \"e\" .Values.name }}{{ . }},{{ end }}", "b,", &["name"]);
    check("{{ range $n := until (int .Values.count) }}{{ $n }};{{ end }}", "2;", &["count"]);
    check("{{ range list .Values.name .Values.alias }}{{ . }} {{ end }}", "other", &["alias"]);
    let joined =
        "{{ $l := list }}{{ range .Values.hosts }}{{ $l = append $l .host }}{{ end }}{{ join \",\" $l }}";
    check(joined, "a.example,b.example", &["hosts.0.host", "hosts.1.host"]);
    check(
        "{{ range concat (list .Values.name) (list .Values.alias) }}{{ . }} {{ end }}",
        "other",
        &["alias"],
    );
}

#[test]
fn through_dicts() {
    let template =
        "{{ include \"field\" (dict \"key\" .Values.name \"value\" .Values.image.tag \"root\" $) }}";
    check(template, "web", &["name"]);
    check(template, "v1", &["image.tag"]);
    check("{{ $d := dict \"a\" .Values.name \"b\" .Values.alias }}{{ $d.b }}", "other", &["alias"]);
    check(
        "{{ $d := dict \"in\" (dict \"b\" .Values.alias \"c\" .Values.name) }}{{ $d.in.b }}",
        "other",
        &["alias"],
    );
    check("{{ $d := dict }}{{ $_ := set $d \"k\" .Values.name }}{{ $d.k }}", "web", &["name"]);
    check("{{ $d := dict }}{{ $_ := .Values.name | set $d \"k\" }}{{ $d.k }}", "web", &["name"]);
    // What a template puts into the values is not what the user said.
    check("{{ $_ := set .Values \"name\" .Values.alias }}{{ .Values.name }}", "other", &["alias"]);
    check("{{ $_ := set .Values \"name\" \"fixed\" }}{{ .Values.name }}", "fixed", &[]);
    // Through the context, set in another template, under a condition there.
    check("{{ include \"store\" . }}{{ .stored }}", "other", &["alias", "enabled"]);
    check(
        "{{ range $k, $v := dict \"a\" .Values.name \"b\" .Values.alias }}{{ $k }}={{ $v }} {{ end }}",
        "b=other",
        &["alias"],
    );
    check(
        "{{ (pick .Values.image \"tag\").tag }} {{ (omit .Values.image \"tag\").repo }}",
        "v1 r",
        &["image.repo", "image.tag"],
    );
}

#[test]
fn through_merges() {
    let both = "{{ $m := mergeOverwrite (deepCopy .Values.defaults) .Values.override }}";
    let read = |template: &str, needle: &str| {
        let render = render(&format!("{both}{template}"));
        let made = render.made(needle);
        made.iter().flat_map(|made| paths(&made.reads)).collect::<Vec<_>>()
    };
    assert_eq!(read("{{ $m.memory }}!", "4"), ["defaults", "override.memory"]);
    assert_eq!(read("{{ $m.cpu }}!", "1"), ["defaults.cpu", "override"]);
    check(
        "{{ (merge (dict) .Values.override .Values.defaults).memory }}!",
        "4",
        &["defaults", "override.memory"],
    );
    // A whole map, merged: what of the values is in it.
    let found = read("{{ toYaml $m }}", "memory: 4");
    assert!(
        found.contains(&"override.memory".to_owned()) && found.contains(&"defaults".to_owned()),
        "{found:?}"
    );
}

#[test]
fn through_texts() {
    check("{{ toYaml .Values.image }}", "repo: r", &["image"]);
    check("{{ (fromYaml (toYaml .Values.image)).tag }}", "v1", &["image"]);
    check("{{ toYaml .Values.labels | nindent 2 }}", "core", &["labels"]);
    check("{{ tpl .Values.text . }}", "web", &["name"]);
    check("{{ tpl .Values.text . }}", "other", &["alias"]);
    check("{{ tpl (printf \"%s!\" .Values.text) $ | quote }}", "web-other", &["alias", "name"]);
    check("{{ include \"name\" . | upper }}", "WEB", &["name"]);
    check("{{ $n := include \"name\" . }}{{ $n }}", "web", &["name"]);
    check("{{ join \",\" .Values.ports }}", "80,443", &["ports"]);
    let render = render("{{ toYaml .Values.labels }}");
    let made = render.made("front");
    let field = Path::parse("metadata.labels.tier").expect("a path");
    let part = made[0].reads[0].narrowed(&field).expect("a part");
    assert_eq!(part.path_text(), "labels.tier");
}

#[test]
fn conditions_are_told() {
    let render = render("x: {{ include \"choice\" . }}");
    let made = render.made("other");
    assert_eq!(paths(&made[0].reads), ["alias"]);
    assert_eq!(made[0].place.template, "c/templates/_p.tpl");
    let around: Vec<(bool, Vec<String>)> =
        made[0].around.iter().map(|around| (around.call, paths(&around.reads))).collect();
    assert_eq!(around, [(false, vec!["enabled".to_owned()]), (true, Vec::new())]);
    assert_eq!((made[0].around[1].place.line, made[0].around[1].place.column), (1, 7));
}

#[test]
fn reads_are_counted_at_any_depth() {
    let reads = |template: &str| {
        let render = render(template);
        let known = &render.provenance.reads;
        let mut out: Vec<String> = (0..known.paths.len())
            .filter(|number| known.kinds[*number].is_some())
            .map(|number| {
                let segments = known.segments(u32::try_from(number).expect("small"));
                segments.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
            })
            .collect();
        out.sort();
        out
    };
    assert_eq!(reads("{{ .Values.image.tag }}"), ["image", "image.tag"]);
    assert_eq!(reads("{{ if hasKey .Values \"disabled\" }}{{ end }}"), ["disabled"]);
    // Merging moves values; what is read of the result is read.
    assert_eq!(reads("{{ (merge (dict) .Values.image).tag }}"), ["image", "image.tag"]);
    assert_eq!(
        reads("{{ range .Values.hosts }}{{ .host }}{{ end }}"),
        ["hosts", "hosts.0", "hosts.0.host", "hosts.1", "hosts.1.host",]
    );
}

#[test]
fn randomness_is_followed() {
    let found = |template: &str| {
        let render = render(template);
        let output = &render.text;
        impurities(&render.provenance)
            .into_iter()
            .map(|impure| {
                let reached =
                    impure.reaches.iter().map(|(_, range)| range.start as usize..range.end as usize);
                let text: String = reached.map(|range| &output[range]).collect();
                let decisions = impure.decisions(&render.provenance, &render.values);
                let decided: Vec<String> = decisions.iter().map(|read| read.path.join(".")).collect();
                let lookups = impure.lookups.len();
                let line = impure.place(&render.provenance).map_or(0, |place| place.line);
                format!("{}:{line} {:?} {decided:?} {lookups}", impure.call.function, text)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(found("a\np: {{ randAlphaNum 2 }}\nq"), ["randAlphaNum:2 \"FF\" [] 0"]);
    // The value that was not set is the one to set; the condition comes after it.
    assert_eq!(
        found("{{ if .Values.enabled }}{{ .Values.empty | default (randAlphaNum 2) | b64enc }}{{ end }}"),
        ["randAlphaNum:1 \"RkY=\" [\"empty\", \"enabled\"] 0"]
    );
    // Through a variable, a dict, the context and a condition.
    assert_eq!(found("{{ $x := randAlphaNum 2 }}a {{ $x }} b"), ["randAlphaNum:1 \"FF\" [] 0"]);
    assert_eq!(found("{{ $_ := set . \"x\" (randAlphaNum 2) }}a {{ .x }} b"), ["randAlphaNum:1 \"FF\" [] 0"]);
    assert_eq!(found("{{ if eq (randAlphaNum 1) \"F\" }}yes{{ end }} no"), ["randAlphaNum:1 \"yes\" [] 0"]);
    // Nothing random reaches the output.
    assert!(found("{{ $x := randAlphaNum 2 }}a").is_empty());
    assert!(found("{{ if .Values.disabled }}{{ randAlphaNum 2 }}{{ end }}a").is_empty());
    assert!(found("{{ if lookup \"v1\" \"Secret\" \"n\" \"s\" }}a{{ else }}b{{ end }}").is_empty());
    // The usual way to keep a password: the look-up decides, and is always empty here.
    assert_eq!(
        found(
            "{{ $old := lookup \"v1\" \"Secret\" \"n\" \"s\" }}{{ $p := \"\" }}{{ if $old }}{{ $p = $old.data.p }}\
             {{ else }}{{ $p = randAlphaNum 2 }}{{ end }}p: {{ $p | quote }}"
        ),
        ["randAlphaNum:1 \"\\\"FF\\\"\" [] 1"]
    );
    let cert =
        "{{ $c := genCA \"x\" 1 }}{{ if .Values.enabled }}c: {{ $c.Cert | b64enc | trunc 4 }}{{ end }}";
    let found = found(cert);
    assert!(found[0].starts_with("genCA:1 \"LS0t\""), "{found:?}");
}
