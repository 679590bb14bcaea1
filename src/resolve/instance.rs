//! Instances: their stack, their inputs typed and defaulted, and what every instance may say.

use super::{InstanceScope, Resolution, ResolvedInstance, Stage, builtin, overlay, text};
use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::load::fields::{self, Fields};
use crate::load::{RESERVED, Stack};
use crate::schema::Holder;
use crate::source::{Sources, Span};
use crate::value::{Entry, Map, Node, Origin, Value};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest name of an instance: units append to it, and Kubernetes ends at 63.
const LONGEST_NAME: usize = 53;

/// Keys that every instance has, whether its schema names them or not.
pub(crate) const COMMON: &[&str] = &["namespace", "namespaceLabels", "version", "values"];

/// What an overlay says of one chart.
#[derive(Debug, Default)]
pub(crate) struct ReleaseOverride {
    /// The place of its key.
    pub(crate) span: Option<Span>,
    pub(crate) version: Option<Node>,
    pub(crate) values: Option<Node>,
}

/// Adds the instances of the merged overlay.
pub(super) fn all(resolution: &mut Resolution, spec: &Node, sources: &Sources, sink: &mut Sink) {
    let stacks = spec.get("stacks").and_then(Node::as_map);
    if stacks.is_none_or(Map::is_empty) {
        let finding = Diagnostic::error(
            codes::MISSING_FIELD,
            format!("the environment `{}` has no stacks", resolution.environment.name),
        );
        let hint = overlay::meant_as_base(&resolution.environment.name);
        let _told = sink.report(
            hint.into_iter()
                .fold(finding, Diagnostic::help)
                .at(resolution.environment.span, "")
                .help("name some under `spec.stacks`, such as `k3s: {...}`"),
        );
    }
    let Some(stacks) = stacks else { return };
    for (name, entry) in stacks {
        if let Ok(found) = one(resolution, name, entry, stacks, sources, sink) {
            resolution.instances.push(found);
            namespace(resolution, sink);
        }
    }
}

fn one(
    resolution: &Resolution,
    name: &Arc<str>,
    entry: &Entry,
    names: &Map,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<ResolvedInstance, Reported> {
    let span = entry.key.span().or(entry.node.span()).unwrap_or(resolution.environment.span);
    if !fields::is_label(name, LONGEST_NAME) {
        let _told = sink.report(fields::invalid_label(name, "an instance", LONGEST_NAME, Some(span)));
    }
    let what = format!("the instance `{name}`");
    let written = Fields::any(&entry.node, &what, sink)?;
    let stack = stack(resolution, name, &entry.node, span, sources, sink)?;
    let common = common(&written, &stack, name, names, sink);
    let mut inputs = Map::new();
    for (key, entry) in written.entries() {
        let reserved = RESERVED.contains(&key.as_ref())
            || (COMMON.contains(&key.as_ref()) && !stack.inputs.contains(key));
        if !reserved {
            let _none = inputs.insert(Arc::clone(key), entry.clone());
        }
    }
    let inputs = Node { value: Value::Map(inputs), origin: Origin::Written(span) };
    let typed = typed(&stack, inputs, &what, sink);
    let common = common?;
    let mut inputs = typed?;
    if let Value::Map(map) = &mut inputs.value {
        for (key, node) in [
            ("namespace", &common.namespace),
            ("namespaceLabels", &common.namespace_labels),
            ("version", &common.version),
            ("values", &common.values),
        ] {
            if let (Some(node), false) = (node, map.contains_key(key)) {
                let entry = Entry { key: node.origin.clone(), node: node.clone() };
                let _none = map.insert(key.into(), entry);
            }
        }
    }
    let namespace = inputs.get("namespace").cloned();
    let mut releases = common.releases;
    if common.version.is_some() || common.values.is_some() {
        let only = ReleaseOverride { span: None, version: common.version, values: common.values };
        let _none = releases.insert("".into(), only);
    }
    // The synthetic stacks of `chart` and `manifests` are made of their inputs.
    let stack = builtin::specialize(&stack, resolution.project.capabilities(), &inputs, sources, sink)?;
    let mut scope = Map::new();
    for (key, value) in [("name", name), ("stack", &stack.name)] {
        let node = Node::new(Value::String(Arc::clone(value)), Origin::Written(span));
        let _none = scope.insert(key.into(), Entry { key: Origin::Compiler, node });
    }
    Ok(ResolvedInstance {
        name: Arc::clone(name),
        span,
        stack,
        written: entry.node.clone(),
        inputs,
        scope: Node::new(scope, Origin::Written(span)),
        namespace,
        namespace_labels: common.namespace_labels,
        releases,
        after: common.after,
        delivery: common.delivery,
        helm: common.helm,
        provides: Node::new(Map::new(), Origin::Compiler),
        yielded: Node::new(Vec::new(), Origin::Compiler),
        requires: BTreeMap::new(),
        manifests: Vec::new(),
    })
}

/// The inputs, as the stack's schema has them.
fn typed(stack: &Stack, mut inputs: Node, what: &str, sink: &mut Sink) -> Result<Node, Reported> {
    let also: Vec<&str> = RESERVED.iter().chain(COMMON).copied().collect();
    let mut told = None;
    if let (false, Value::Map(map)) = (stack.has_schema, &mut inputs.value) {
        // What is nearly a key of every instance is told as such; of the rest the missing file is to blame, once.
        let known = |key: &str| did_you_mean(key, also.iter().copied()).is_some();
        let strange: Vec<&Arc<str>> = map.keys().filter(|key| !known(key)).collect();
        if let Some(first) = strange.first() {
            let names = fields::quoted(strange.iter().copied().map(AsRef::as_ref));
            let file = format!("schemas/{}.schema.json", stack.name);
            let fact = format!("the stack `{}` takes no inputs: `{file}` does not exist", stack.name);
            let place = map.get(first.as_ref()).and_then(|entry| entry.key.span());
            let finding =
                Diagnostic::error(codes::UNKNOWN_KEY, fact).at(place, format!("{what} sets {names}"));
            told = Some(
                sink.report(finding.help(format!("write `{file}`, a JSON Schema of the stack's inputs"))),
            );
        }
        map.retain(|key, _| known(key));
    }
    let holder = Holder { what, also: Some(("every instance", &also)) };
    let typed = stack.schema.apply(inputs, holder, sink);
    told.map_or(typed, Err)
}

/// The stack that an instance is of.
fn stack(
    resolution: &Resolution,
    name: &Arc<str>,
    node: &Node,
    span: Span,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<Arc<Stack>, Reported> {
    let (wanted, place) = match node.get("stack").filter(|node| node.value != Value::Null) {
        Some(node) => (fields::text(node, &format!("`stack` of the instance `{name}`"), sink)?, node.span()),
        None => (Arc::clone(name), Some(span)),
    };
    let library = resolution.project.library();
    if let Some(stack) = library.stack(&wanted, sources) {
        return Ok(Arc::clone(stack));
    }
    if library.contains(&wanted) {
        for finding in library.findings(&wanted, sources) {
            let _told = sink.report(finding.clone());
        }
        let fact = format!("the stack `{wanted}` cannot be used: it has errors of its own");
        return Err(sink.report(Diagnostic::error(codes::UNKNOWN_STACK, fact).at(place, "")));
    }
    let finding = Diagnostic::error(codes::UNKNOWN_STACK, format!("there is no stack `{wanted}`"))
        .at(place, "not known");
    let names: Vec<&str> = library.names().map(AsRef::as_ref).collect();
    let finding = match did_you_mean(&wanted, names) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding
            .help(format!("`stackc stack list` shows what there is; a chart without a stack is `{name}: {{stack: chart, ...}}`")),
    };
    Err(sink.report(finding))
}

/// What every instance may say.
struct Common {
    namespace: Option<Node>,
    namespace_labels: Option<Node>,
    version: Option<Node>,
    values: Option<Node>,
    releases: IndexMap<Arc<str>, ReleaseOverride>,
    after: Vec<(Arc<str>, Span)>,
    delivery: Option<crate::model::ChartDelivery>,
    helm: Arc<str>,
}

fn common(
    written: &Fields<'_>,
    stack: &Stack,
    name: &str,
    names: &Map,
    sink: &mut Sink,
) -> Result<Common, Reported> {
    let what = format!("the instance `{name}`");
    let mut failed = None;
    let own =
        |key: &str| written.get(key).filter(|_| !stack.inputs.iter().any(|input| input.as_ref() == key));
    let (namespace, labels, version, values) =
        (own("namespace"), own("namespaceLabels"), own("version"), own("values"));
    if let Some(node) = namespace {
        failed = check_namespace(node, &written.name("namespace"), sink).err().or(failed);
    }
    if let Some(node) = labels {
        match Fields::any(node, &written.name("namespaceLabels"), sink) {
            Ok(labels) => {
                for (label, entry) in labels.entries() {
                    let told = fields::text(&entry.node, &format!("the label `{label}` of {what}"), sink);
                    failed = told.err().or(failed);
                }
            }
            Err(told) => failed = Some(told),
        }
    }
    if let Some(node) = version {
        failed = fields::text(node, &written.name("version"), sink).err().or(failed);
    }
    if let Some(node) = values {
        failed = Fields::any(node, &written.name("values"), sink).err().or(failed);
    }
    for (key, node) in [("version", version), ("values", values)] {
        if node.is_none() || stack.charts.len() == 1 {
            continue;
        }
        let fact = if stack.charts.is_empty() {
            format!("unknown key `{key}` in {what}: the stack `{}` has no chart", stack.name)
        } else {
            format!("`{key}` of {what} does not say of which chart")
        };
        let mut finding = Diagnostic::error(codes::UNKNOWN_KEY, fact).at(written.key_span(key), "");
        finding = if stack.charts.is_empty() {
            finding.help("take it out")
        } else {
            finding.help(format!("write `charts: {{RELEASE: {{{key}: ...}}}}`"))
        };
        failed = Some(sink.report(finding));
    }
    let releases = releases(written, stack, &what, sink);
    let after = written.texts("after", sink).and_then(|after| check_after(after, name, names, sink));
    let delivery = match written.get("deliver") {
        None => Ok(None),
        Some(node) => Fields::open(node, "`deliver` of an instance", &["charts"], sink)
            .and_then(|fields| fields.word("charts", overlay::DELIVERIES, sink)),
    };
    let helm = written.word("helm", &[("4.2", "4.2"), ("3.21", "3.21")], sink);
    match (failed, releases, after, delivery, helm) {
        (None, Ok(releases), Ok(after), Ok(delivery), Ok(helm)) => Ok(Common {
            namespace: namespace.cloned(),
            namespace_labels: labels.cloned(),
            version: version.cloned(),
            values: values.cloned(),
            releases,
            after,
            delivery,
            helm: helm.unwrap_or("4.2").into(),
        }),
        (Some(told), ..)
        | (_, Err(told), ..)
        | (_, _, Err(told), ..)
        | (_, _, _, Err(told), _)
        | (.., Err(told)) => Err(told),
    }
}

fn releases(
    written: &Fields<'_>,
    stack: &Stack,
    what: &str,
    sink: &mut Sink,
) -> Result<IndexMap<Arc<str>, ReleaseOverride>, Reported> {
    let mut found = IndexMap::new();
    let Some(node) = written.get("charts") else { return Ok(found) };
    if stack.charts.is_empty() {
        let fact = format!("unknown key `charts` in {what}: the stack `{}` has no chart", stack.name);
        return Err(sink.report(
            Diagnostic::error(codes::UNKNOWN_KEY, fact)
                .at(written.key_span("charts"), "")
                .help("take it out"),
        ));
    }
    let mut failed = None;
    for (release, entry) in Fields::any(node, &written.name("charts"), sink)?.entries() {
        let what = format!("the chart `{release}` of {what}");
        let parts = Fields::open(&entry.node, &what, &["version", "values"], sink).and_then(|fields| {
            let _version = fields.text("version", sink)?;
            let values = fields.get("values");
            if let Some(values) = values {
                let _map = Fields::any(values, &fields.name("values"), sink)?;
            }
            Ok(ReleaseOverride {
                span: entry.key.span(),
                version: fields.get("version").cloned(),
                values: values.cloned(),
            })
        });
        match parts {
            Ok(parts) => {
                let _none = found.insert(Arc::clone(release), parts);
            }
            Err(told) => failed = Some(told),
        }
    }
    failed.map_or(Ok(found), Err)
}

fn check_namespace(node: &Node, what: &str, sink: &mut Sink) -> Result<(), Reported> {
    let name = fields::text(node, what, sink)?;
    if fields::is_label(&name, 63) {
        Ok(())
    } else {
        Err(sink.report(fields::invalid_label(&name, "a namespace", 63, node.origin.editable())))
    }
}

/// The namespace of the instance that was added last, where its overlay does not give one.
fn namespace(resolution: &mut Resolution, sink: &mut Sink) {
    let index = resolution.instances.len() - 1;
    let instance = &resolution.instances[index];
    let mut found = instance.namespace.clone();
    if found.is_none()
        && let Some(template) = &instance.stack.namespace
    {
        let mut own = Sink::new();
        let scope = InstanceScope::new(resolution, index, Stage::Conditions, None);
        let what = format!("`namespace` of the stack `{}`", instance.stack.name);
        found = text(template, &scope, &what, &mut own).ok().flatten().map(|(_, node)| node);
        // A namespace that is made of an instance's name that is wrong has been told with it.
        if let Some(node) = found.as_ref().filter(|node| node.origin.editable() != Some(instance.span)) {
            let _told = check_namespace(node, &what, &mut own);
        }
        let name = Arc::clone(&instance.name);
        for finding in own.into_found() {
            let _told = sink.report(resolution.while_in(finding, &name));
        }
    }
    let instance = &mut resolution.instances[index];
    if let Some(node) = found {
        for map in [&mut instance.inputs, &mut instance.scope] {
            if let Value::Map(map) = &mut map.value {
                let entry = Entry { key: node.origin.clone(), node: node.clone() };
                let _same = map.insert("namespace".into(), entry);
            }
        }
        instance.namespace = Some(node);
    }
}

/// `after` names instances of this environment.
fn check_after(
    after: Vec<(Arc<str>, Option<Span>)>,
    own: &str,
    names: &Map,
    sink: &mut Sink,
) -> Result<Vec<(Arc<str>, Span)>, Reported> {
    let mut found = Vec::new();
    let mut failed = None;
    for (name, span) in after {
        if name.as_ref() == own {
            let finding =
                Diagnostic::error(codes::UNKNOWN_INSTANCE, format!("`{name}` cannot come after itself"));
            failed = Some(sink.report(finding.at(span, "").help("take the name out of `after`")));
        } else if !names.contains_key(&name) {
            let fact = format!("there is no instance `{name}` to come after");
            let finding = Diagnostic::error(codes::UNKNOWN_INSTANCE, fact).at(span, "not known");
            let names = names.keys().map(AsRef::as_ref);
            failed = Some(sink.report(fields::suggest(finding, &name, names, "the instances are")));
        }
        found.extend(span.map(|span| (name, span)));
    }
    failed.map_or(Ok(found), Err)
}
