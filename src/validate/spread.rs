//! Several replicas that nothing keeps apart may all sit on one machine: then they survive no more than one would.

use crate::diag::{Diagnostic, Severity, Sink, codes};
use crate::link::pod_spec;
use crate::model::Object;
use crate::render::Rendering;
use crate::source::Span;
use crate::value::Node;

pub(super) fn check(
    object: &Object,
    instance: Option<Span>,
    rendering: &Rendering,
    production: bool,
    sink: &mut Sink,
) {
    let (field, default) = match (&*object.id.group, &*object.id.kind) {
        ("apps", "Deployment" | "StatefulSet") => ("replicas", None),
        ("postgresql.cnpg.io", "Pooler") => ("instances", None),
        _ => return,
    };
    let written = object.node.at(&["spec", field]);
    let least = scaled_to(object, rendering);
    let (count, place) = match (written, least) {
        (_, Some(least)) => (least.as_int(), Some(least)),
        (Some(written), None) => (written.as_int(), Some(written)),
        (None, None) => (default, None),
    };
    let Some(count) = count.filter(|count| *count > 1) else { return };
    let pods = pod_spec(object).map(|(_, node)| node);
    let spread = |node: &Node| {
        let rules = |keys: &[&str]| {
            node.at(keys).is_some_and(|rules| match (rules.as_list(), rules.as_map()) {
                (Some(list), _) => !list.is_empty(),
                (_, Some(map)) => !map.is_empty(),
                _ => false,
            })
        };
        rules(&["topologySpreadConstraints"]) || rules(&["affinity", "podAntiAffinity"])
    };
    if pods.is_some_and(spread) {
        return;
    }
    let at = place.and_then(|node| node.origin.editable()).or_else(|| object.node.span());
    let mut diagnostic = Diagnostic::warning(
        codes::MISSING_SPREAD,
        format!("the {count} replicas of `{}` may all run on one node", object.id),
    )
    .at(at, "more than one, and nothing keeps them apart")
    .related(instance, "of this instance")
    .object(object.id.to_string())
    .help("add `topologySpreadConstraints` or a `podAntiAffinity` to the template of its Pods, by an input of the stack or a patch");
    if production {
        diagnostic.severity = Severity::Error;
    }
    sink.report(diagnostic);
}

/// The least number of replicas that an autoscaler keeps of an object.
fn scaled_to<'a>(object: &Object, rendering: &'a Rendering) -> Option<&'a Node> {
    rendering.objects().iter().map(|placed| &placed.object).find_map(|scaler| {
        let target = scaler.node.at(&["spec", "scaleTargetRef"]);
        let names = |key: &str, wanted: &str| {
            target.and_then(|target| target.get(key)).and_then(Node::as_str) == Some(wanted)
        };
        let hit = &*scaler.id.kind == "HorizontalPodAutoscaler"
            && scaler.id.namespace == object.id.namespace
            && names("kind", &object.id.kind)
            && names("name", &object.id.name);
        if hit { scaler.node.at(&["spec", "minReplicas"]) } else { None }
    })
}
