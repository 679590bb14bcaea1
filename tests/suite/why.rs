//! `why` and its answers, over a project with a chart, a stack and a patch.

use stackc::diag::{Diagnostic, Sink};
use stackc::driver::{Compiled, Wish, compile};
use stackc::source::Sources;
use stackc::why::{json, text, why};
use stackc::world::memory::MemoryWorld;

const OVERLAY: &str = "\
apiVersion: stackc.dev/v1alpha1
kind: Overlay
metadata: {name: dev}
spec:
  environment: development
  kubernetes: \"1.34\"
  stacks:
    web:
      stack: chart
      chart: {source: ours, name: web, version: 1.0.0}
      namespace: shop
      values: {replicas: 3}
    note:
      namespace: shop
      text: hello
  patches:
    calm:
      target: {kind: Deployment, namespace: shop, name: web}
      patch: {spec: {minReadySeconds: 5}}
";

fn world() -> MemoryWorld {
    MemoryWorld::new()
        .with(
            "stackc.yaml",
            "apiVersion: stackc.dev/v1alpha1\nkind: Project\nmetadata: {name: shop}\nspec:\n  sources:\n    ours: {path: charts}\n",
        )
        .with("overlays/dev/overlay.yaml", OVERLAY)
        .with("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .with("charts/web/values.yaml", "replicas: 1\nimage:\n  tag: \"1.2\"\n")
        .with(
            "charts/web/templates/_image.tpl",
            "{{- define \"image\" }}registry.example/web:{{ .Values.image.tag }}{{ end }}\n",
        )
        .with(
            "charts/web/templates/deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  minReadySeconds: 1\n  \
             {{- if .Values.replicas }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n  \
             selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      \
             topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}]\n      \
             containers:\n      - name: app\n        image: {{ include \"image\" . }}\n",
        )
        .with(
            "stacks/note/stack.yaml",
            "apiVersion: stackc.dev/v1alpha1\nkind: Stack\nmetadata: {name: note}\nspec:\n  resources:\n    - id: note\n      object:\n        \
             apiVersion: v1\n        kind: ConfigMap\n        metadata: {name: note}\n        data: {text: \"${inputs.text}\", tone: \"${inputs.tone}\", both: \"${inputs.text} ${inputs.tone}\", fixed: yes sir}\n",
        )
        .with(
            "schemas/note.schema.json",
            r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"text": {"type": "string"}, "tone": {"type": "string", "default": "plain"}}}"#,
        )
}

fn compiled() -> (Compiled, Sources) {
    let sources = Sources::new();
    let mut sink = Sink::new();
    let wish = Wish::default();
    let build = compile(&world(), &sources, &wish, &mut sink);
    let build = build.unwrap_or_else(|_| panic!("{:#?}", sink.found()));
    (build.environments.into_iter().next().expect("one environment"), sources)
}

fn asked(object: &str, field: &str) -> String {
    let (environment, sources) = compiled();
    let answer = why(&environment.sequence, &environment.tree, object, field);
    text(&answer.unwrap_or_else(|finding| panic!("{finding:#?}")), &sources)
}

fn refused(object: &str, field: &str) -> Diagnostic {
    let (environment, _sources) = compiled();
    *why(&environment.sequence, &environment.tree, object, field).expect_err("it is not there")
}

/// The words stand in this order.
fn in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let at = rest.find(word).unwrap_or_else(|| panic!("no `{word}` in order in\n{text}"));
        rest = &rest[at + word.len()..];
    }
}

#[test]
fn a_field_of_a_chart_leads_over_its_template_to_the_overlay() {
    let text = asked("Deployment/shop/web", "spec.replicas");
    in_order(
        &text,
        &[
            "value     3",
            "output    envs/dev/web/deployment-web.yaml:",
            "replicas: 3",
            "template  web/templates/deployment.yaml:8:",
            "within",
            "value     replicas",
            "overlays/dev/overlay.yaml:12:26  3",
            "(release `web`)",
            "overlay   overlays/dev/overlay.yaml:8:5",
        ],
    );
}

#[test]
fn a_chart_s_own_value_is_a_default_and_calls_are_told() {
    let text = asked("deployment/web", "spec.template.spec.containers.app.image");
    in_order(
        &text,
        &[
            "spec.template.spec.containers[0].image",
            "template  web/templates/_image.tpl:1:",
            "called    web/templates/deployment.yaml:",
            "value     image.tag",
            "default   charts/web/values.yaml:3:8",
        ],
    );
}

#[test]
fn a_patch_stands_before_what_it_changed() {
    let text = asked("Deployment.apps/shop/web", "spec.minReadySeconds");
    in_order(
        &text,
        &[
            "value     5",
            "patch     overlays/dev/overlay.yaml:19:",
            "template  web/templates/deployment.yaml:6:",
        ],
    );
}

#[test]
fn resources_lead_over_the_stack_to_overlay_and_schema() {
    in_order(
        &asked("ConfigMap/note", "data.text"),
        &[
            "stack     stacks/note/stack.yaml:",
            "(resource `note`)",
            "written   overlays/dev/overlay.yaml:15:13",
        ],
    );
    in_order(
        &asked("ConfigMap/note", "data.tone"),
        &["stack     stacks/note/stack.yaml:", "(resource `note`)", "default   schemas/note.schema.json:"],
    );
    in_order(
        &asked("ConfigMap/note", "data.both"),
        &[
            "value     hello plain",
            "computed  stacks/note/stack.yaml:",
            "read      inputs.text",
            "read      inputs.tone",
            "default ",
        ],
    );
    in_order(&asked("ConfigMap/note", "data.fixed"), &["written   stacks/note/stack.yaml:"]);
    in_order(&asked("Namespace/shop", "metadata.name"), &["value     shop"]);
}

#[test]
fn json_says_the_same() {
    let (environment, sources) = compiled();
    let answer =
        why(&environment.sequence, &environment.tree, "ConfigMap/note", "data.tone").expect("it is there");
    let json = json(&answer, &sources);
    assert_eq!(json["value"], "plain");
    assert_eq!(json["output"]["text"], "tone: plain");
    assert_eq!(json["reasons"][0]["kind"], "resource");
    assert_eq!(json["reasons"][1]["kind"], "default");
    assert_eq!(json["reasons"][2]["detail"], "note");
}

#[test]
fn items_are_named_as_diff_prints_them() {
    for path in ["[name=app].image", "[0].image", ".app.image"] {
        let field = format!("spec.template.spec.containers{path}");
        let told = asked("Deployment/web", &field);
        assert!(told.contains("spec.template.spec.containers[0].image"), "{field}: {told}");
    }
    let finding = refused("Deployment/web", "spec.template.spec.containers[name=ap].image");
    assert!(finding.message.contains("`spec.template.spec.containers[name=ap]`"), "{finding:?}");
    assert_eq!(finding.helps, ["did you mean `app`?"]);
    for path in ["spec[name=app]x", "spec[name=app].", "spec[name=app"] {
        assert!(refused("Deployment/web", path).helps.join("; ").contains("write it as"), "{path}");
    }
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let help = |finding: &Diagnostic| finding.helps.join("; ");
    assert!(help(&refused("Deployment/shop/wep", "spec")).contains("did you mean `Deployment/shop/web`?"));
    assert!(help(&refused("web", "spec")).contains("Kind/name"));
    assert!(help(&refused("Deployment/web", "spec.replica")).contains("did you mean `replicas`?"));
    assert!(help(&refused("Deployment/web", "spec.template.spec.containers.ap")).contains("app"));
    assert!(help(&refused("Deployment/web", "spec..x")).contains("write it as"));
}
