use super::findings::Findings;
use crate::diag::{Diagnostic, codes, render};
use crate::source::{Sources, Span};

#[test]
fn findings_are_told_again_as_they_were() {
    let sources = Sources::new();
    let overlay = sources.add("overlays/dev/overlay.yaml", "a: 1\nb: 2\n");
    let stack = sources.add("stacks/web/stack.yaml", "c: 3\n");
    let mut finding = Diagnostic::warning(codes::UNREAD_VALUE, "nobody reads `b`")
        .at(Span::new(overlay, 5, 6), "here")
        .related(Span::new(stack, 0, 1), "and there")
        .related(Span::new(overlay, 0, 1), "")
        .trace("while looking")
        .note("a note")
        .help("take it out")
        .object("Kind/name");
    finding.environment = Some("dev".to_owned());
    let found = [finding, Diagnostic::warning(codes::UNREAD_VALUE, "without a place")];
    let kept = serde_json::to_string(&Findings::of(&found, &sources)).expect("JSON");
    let other = Sources::new();
    other.add("in between", "");
    let again = serde_json::from_str::<Findings>(&kept).expect("what was written").again(&other);
    assert_eq!(render::short(&again, &other), render::short(&found, &sources));
    assert_eq!(render::json(&again, &other), render::json(&found, &sources));
    assert_eq!(kept.matches("overlay.yaml").count(), 1, "each text once");
}
