//! A stack as its author wrote it: every part checked for shape, every expression compiled, nothing evaluated.

use super::Capabilities;
use super::fields::{self, Fields};
use crate::diag::{Diagnostic, Reported, Severity, Sink, codes, did_you_mean};
use crate::expr::{ForEach, Tree};
use crate::schema::Schema;
use crate::source::{Sources, Span};
use crate::value::{Map, Node, Path, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stack definition. Shared by all its instances in all environments.
#[derive(Debug)]
pub struct Stack {
    /// Its name, which is its folder's.
    pub name: Arc<str>,
    /// What it is, in a sentence.
    pub description: Arc<str>,
    /// Whether the binary carries it; otherwise the project does.
    pub embedded: bool,
    /// The place of its name.
    pub span: Span,
    /// The type of its inputs.
    pub schema: Arc<Schema>,
    /// Whether that type was written down; without a schema there are no inputs.
    pub has_schema: bool,
    /// The document of that type.
    pub types: Arc<Node>,
    /// The inputs that the type names.
    pub inputs: Vec<Arc<str>>,
    /// The document of a stack that is made of its inputs.
    pub(crate) synthetic: Option<Node>,
    /// The default of the input `namespace`.
    pub namespace: Option<Tree>,
    /// What it needs of others.
    pub requires: Vec<Requirement>,
    /// What it gives to others.
    pub provides: Vec<Offer>,
    /// Secrets that must exist.
    pub secrets: Vec<Rule>,
    /// Its charts.
    pub charts: Vec<Rule>,
    /// CRDs that are not in the tree.
    pub crds: Vec<Rule>,
    /// Webhooks that are not in the tree.
    pub webhooks: Vec<Rule>,
    /// Objects that controllers make.
    pub creates: Vec<Rule>,
    /// Its objects.
    pub resources: Vec<Rule>,
    /// Plain YAML by path or URL.
    pub manifests: Vec<Rule>,
    /// Outputs that are no Kubernetes objects.
    pub files: Vec<Rule>,
    /// What its author knows to go wrong.
    pub checks: Vec<Check>,
    /// Commands for afterwards.
    pub verify: Vec<Rule>,
    /// What has to be there before.
    pub prereqs: Vec<Rule>,
}

/// A part that may be conditional and repeated.
#[derive(Debug)]
pub struct Rule {
    /// Its `id` or `name`, or `#` and its position where it has none.
    pub id: Arc<str>,
    /// Its place.
    pub span: Span,
    /// When it holds, and how often.
    pub guard: Guard,
    /// The rest of it.
    pub body: Tree,
}

/// `when` and `forEach`.
#[derive(Debug, Default)]
pub struct Guard {
    /// Repeated over these; the condition is evaluated once an item.
    pub for_each: Option<ForEach>,
    /// Only where this is true.
    pub when: Option<Tree>,
}

/// A capability that a stack needs.
#[derive(Debug)]
pub struct Requirement {
    /// The capability.
    pub capability: Arc<str>,
    /// Its place.
    pub span: Span,
    /// When, and how often.
    pub guard: Guard,
    /// Whether it may stay unbound.
    pub optional: bool,
    /// Whether the provider has to be there first.
    pub order: bool,
    /// Which of several providers.
    pub select: Option<Tree>,
}

/// A capability that a stack gives.
#[derive(Debug)]
pub struct Offer {
    /// The capability.
    pub capability: Arc<str>,
    /// Its place.
    pub span: Span,
    /// When, and how often.
    pub guard: Guard,
    /// What it says of itself, by field, with the place of the field.
    pub exports: BTreeMap<Arc<str>, (Span, Tree)>,
    /// The same where `exports` is one expression for all fields.
    pub whole: Option<(Span, Tree)>,
    /// Whether it steps back for another provider.
    pub yields: bool,
    /// The input that, set by an overlay, keeps it from stepping back.
    pub fixed_by: Option<Path>,
    /// Offers of one group step back together.
    pub group: Option<Arc<str>>,
    /// The unit to wait for, where it is not the main one.
    pub unit: Option<Arc<str>>,
}

/// A check of the stack's author.
#[derive(Debug)]
pub struct Check {
    /// Its condition and its body: `at`, `message`, `help`.
    pub rule: Rule,
    /// How bad it is when it holds.
    pub severity: Severity,
    /// Whether it looks at objects; otherwise at inputs.
    pub objects: bool,
}

const SPEC: &[&str] = &[
    "namespace",
    "requires",
    "provides",
    "secrets",
    "charts",
    "declares",
    "resources",
    "manifests",
    "files",
    "checks",
    "verify",
    "prereqs",
];

/// Names that an expression of a stack may find; `forEach` may not shadow them.
pub(crate) const ROOTS: &[&str] = &[
    "inputs", "requires", "provides", "yielded", "charts", "instance", "overlay", "units", "objects", "mine",
];

/// The type of a stack's inputs, with their names.
#[derive(Clone)]
pub(crate) struct Inputs {
    pub(crate) schema: Arc<Schema>,
    pub(crate) written: bool,
    pub(crate) types: Arc<Node>,
    pub(crate) names: Vec<Arc<str>>,
}

/// Reads the stack `name` from its document.
pub(crate) fn read(
    name: &Arc<str>,
    document: &Node,
    inputs: Inputs,
    embedded: bool,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<Stack, Reported> {
    let header = super::header::read(document, "Stack", "a stack", None, sink)?;
    if header.name.as_ref() != name.as_ref() {
        let finding = Diagnostic::error(
            codes::NAME_MISMATCH,
            format!("the stack in the folder `{name}` calls itself `{}`", header.name),
        );
        let _told = sink.report(
            finding.at(header.name_span, "").help(format!("write `name: {name}`, or rename the folder")),
        );
    }
    let empty = Node::new(Map::new(), document.origin.clone());
    let fields = Fields::open(header.spec.unwrap_or(&empty), "a stack's `spec`", SPEC, sink)?;
    let declares = match fields.get("declares") {
        Some(node) => Some(Fields::open(node, "`declares`", &["crds", "webhooks", "creates"], sink)?),
        None => None,
    };
    let declared = |key: &str, shape: &Shape<'_>, sink: &mut Sink| {
        declares.map_or_else(Vec::new, |fields| rules(&fields, key, shape, sources, sink))
    };
    let stack = Stack {
        name: Arc::clone(name),
        description: header.description,
        embedded,
        span: header.name_span.or(document.span()).ok_or_else(|| {
            sink.report(Diagnostic::error(
                codes::INTERNAL,
                format!("the stack `{name}` was read without places"),
            ))
        })?,
        schema: inputs.schema,
        has_schema: inputs.written,
        types: inputs.types,
        inputs: inputs.names,
        synthetic: None,
        namespace: fields.get("namespace").and_then(|node| tree(node, sources, sink)),
        requires: requirements(&fields, sources, sink),
        provides: offers(&fields, sources, sink),
        secrets: rules(&fields, "secrets", &SECRET, sources, sink),
        charts: rules(&fields, "charts", &CHART, sources, sink),
        crds: declared("crds", &CRD, sink),
        webhooks: declared("webhooks", &WEBHOOK, sink),
        creates: declared("creates", &CREATES, sink),
        resources: rules(&fields, "resources", &RESOURCE, sources, sink),
        manifests: rules(&fields, "manifests", &MANIFEST, sources, sink),
        files: rules(&fields, "files", &FILE, sources, sink),
        checks: checks(&fields, sources, sink),
        verify: rules(&fields, "verify", &VERIFY, sources, sink),
        prereqs: rules(&fields, "prereqs", &PREREQ, sources, sink),
    };
    sink.finish(stack)
}

/// The keys of one kind of rule.
struct Shape<'a> {
    /// The thing in words.
    what: &'a str,
    /// The key that names it.
    id: &'a str,
    /// Whether `id` is required and part of the guard rather than of the body.
    plain_id: bool,
    /// Keys that have to be there.
    required: &'a [&'a str],
    /// Other keys.
    optional: &'a [&'a str],
}

const SECRET: Shape<'_> = Shape {
    what: "a required Secret",
    id: "name",
    plain_id: false,
    required: &["name", "keys"],
    optional: &["namespace"],
};
const CHART: Shape<'_> = Shape {
    what: "a chart",
    id: "release",
    plain_id: false,
    required: &["release", "chart"],
    optional: &["namespace", "values", "bootstrap", "skipCrds"],
};
const CRD: Shape<'_> = Shape {
    what: "a declared CRD",
    id: "kind",
    plain_id: false,
    required: &["group", "kind", "versions", "scope", "by"],
    optional: &["plural", "stateful"],
};
const WEBHOOK: Shape<'_> = Shape {
    what: "a declared webhook",
    id: "service",
    plain_id: false,
    required: &["groups", "service"],
    optional: &["namespace"],
};
const CREATES: Shape<'_> = Shape {
    what: "an object of `creates`",
    id: "name",
    plain_id: false,
    required: &["kind", "name"],
    optional: &["apiVersion", "namespace", "keys"],
};
const RESOURCE: Shape<'_> =
    Shape { what: "a resource", id: "id", plain_id: true, required: &["object"], optional: &[] };
const MANIFEST: Shape<'_> = Shape {
    what: "a manifest",
    id: "name",
    plain_id: true,
    required: &[],
    optional: &["path", "url", "namespace", "sha256", "delivery", "git"],
};
const FILE: Shape<'_> = Shape {
    what: "a file",
    id: "id",
    plain_id: false,
    required: &["path", "content"],
    optional: &["id", "format", "schema", "limit"],
};
const CHECK: Shape<'_> = Shape {
    what: "a check",
    id: "id",
    plain_id: true,
    required: &["message"],
    optional: &["severity", "at", "help", "phase"],
};
const VERIFY: Shape<'_> = Shape {
    what: "a verification",
    id: "id",
    plain_id: true,
    required: &["command"],
    optional: &["description"],
};
const PREREQ: Shape<'_> =
    Shape { what: "a prerequisite", id: "id", plain_id: true, required: &["kind", "data"], optional: &[] };

/// Compiles the expressions of a tree.
fn tree(node: &Node, sources: &Sources, sink: &mut Sink) -> Option<Tree> {
    compiled(Tree::compile(node, sources), sink)
}

fn compiled<T>(result: Result<T, Vec<Diagnostic>>, sink: &mut Sink) -> Option<T> {
    match result {
        Ok(found) => Some(found),
        Err(findings) => {
            for finding in findings {
                let _told = sink.report(finding);
            }
            None
        }
    }
}

fn guard(fields: &Fields<'_>, sources: &Sources, sink: &mut Sink) -> Guard {
    Guard {
        for_each: fields.get("forEach").and_then(|node| compiled(ForEach::compile(node, sources), sink)),
        when: fields.get("when").and_then(|node| tree(node, sources, sink)),
    }
}

/// The rules under a key. Those that are broken are told and left out.
fn rules(fields: &Fields<'_>, key: &str, shape: &Shape<'_>, sources: &Sources, sink: &mut Sink) -> Vec<Rule> {
    let items = fields.list(key, sink).unwrap_or_default();
    let mut found: Vec<Rule> = Vec::new();
    for (position, node) in items.iter().enumerate() {
        if let Some(rule) = rule(node, position, shape, sources, sink) {
            if shape.plain_id {
                unique(&rule, found.iter(), key, sink);
            }
            found.push(rule);
        }
    }
    found
}

/// Tells where a rule has the name of an earlier one.
fn unique<'r>(rule: &Rule, mut earlier: impl Iterator<Item = &'r Rule>, key: &str, sink: &mut Sink) {
    if let Some(first) = earlier.find(|known| known.id == rule.id) {
        let fact = format!("two entries of `{key}` are called `{}`", rule.id);
        let _told = sink.report(
            Diagnostic::error(codes::DUPLICATE_NAME, fact)
                .at(rule.span, "")
                .related(first.span, "the first one")
                .help("rename one of them"),
        );
    }
}

fn rule(node: &Node, position: usize, shape: &Shape<'_>, sources: &Sources, sink: &mut Sink) -> Option<Rule> {
    let mut known = vec!["when", "forEach"];
    known.extend(shape.required);
    known.extend(shape.optional);
    if shape.plain_id {
        known.push(shape.id);
    }
    let fields = Fields::open(node, shape.what, &known, sink).ok()?;
    let mut complete = true;
    for key in shape.required {
        complete &= fields.required(key, sink).is_ok();
    }
    let id = if shape.plain_id {
        fields.required_text(shape.id, sink).ok()?
    } else {
        fields
            .get(shape.id)
            .and_then(Node::as_str)
            .map_or_else(|| format!("#{}", position + 1).into(), Arc::from)
    };
    let guard = guard(&fields, sources, sink);
    let mut body = fields.entries().clone();
    for key in ["when", "forEach"] {
        let _gone = body.remove(key);
    }
    let body = tree(&Node { value: Value::Map(body), origin: node.origin.clone() }, sources, sink)?;
    let span = fields.get(shape.id).and_then(Node::span).or(node.span())?;
    complete.then_some(Rule { id, span, guard, body })
}

fn requirements(fields: &Fields<'_>, sources: &Sources, sink: &mut Sink) -> Vec<Requirement> {
    let mut found: Vec<Requirement> = Vec::new();
    for node in fields.list("requires", sink).unwrap_or_default() {
        let Some(requirement) = requirement(node, sources, sink) else { continue };
        if let Some(first) = found.iter().find(|known| known.capability == requirement.capability) {
            let finding = Diagnostic::error(
                codes::DUPLICATE_NAME,
                format!("`{}` is required twice", requirement.capability),
            );
            let _told = sink.report(
                finding
                    .at(requirement.span, "")
                    .related(first.span, "the first one")
                    .help("require it once; with `forEach` one entry binds several providers"),
            );
            continue;
        }
        found.push(requirement);
    }
    found
}

/// One entry of `requires`: a name, or a map.
fn requirement(node: &Node, sources: &Sources, sink: &mut Sink) -> Option<Requirement> {
    let span = node.span()?;
    if let Some(name) = node.as_str() {
        return Some(Requirement {
            capability: name.into(),
            span,
            guard: Guard::default(),
            optional: false,
            order: true,
            select: None,
        });
    }
    let known = ["name", "when", "optional", "select", "order", "forEach"];
    let fields = Fields::open(node, "a requirement", &known, sink).ok()?;
    let capability = fields.required_text("name", sink).ok()?;
    Some(Requirement {
        capability,
        span: fields.get("name").and_then(Node::span).unwrap_or(span),
        guard: guard(&fields, sources, sink),
        optional: fields.flag("optional", sink).ok()?,
        order: fields.get("order").is_none() || fields.flag("order", sink).ok()?,
        select: fields.get("select").and_then(|node| tree(node, sources, sink)),
    })
}

fn offers(fields: &Fields<'_>, sources: &Sources, sink: &mut Sink) -> Vec<Offer> {
    let items = fields.list("provides", sink).unwrap_or_default();
    items.iter().filter_map(|node| offer(node, sources, sink)).collect()
}

fn offer(node: &Node, sources: &Sources, sink: &mut Sink) -> Option<Offer> {
    let span = node.span()?;
    if let Some(name) = node.as_str() {
        return Some(Offer {
            capability: name.into(),
            span,
            guard: Guard::default(),
            exports: BTreeMap::new(),
            whole: None,
            yields: false,
            fixed_by: None,
            group: None,
            unit: None,
        });
    }
    let known = ["name", "exports", "when", "yields", "fixedBy", "group", "unit", "forEach"];
    let fields = Fields::open(node, "an offer", &known, sink).ok()?;
    let capability = fields.required_text("name", sink).ok()?;
    let mut exports = BTreeMap::new();
    let mut whole = None;
    if let Some(node) = fields.get("exports").filter(|node| node.as_str().is_some()) {
        whole = tree(node, sources, sink).map(|tree| (node.span().unwrap_or(span), tree));
    } else if let Some(node) = fields.get("exports") {
        for (field, entry) in Fields::any(node, "`exports`", sink).ok()?.entries() {
            let span = entry.key.span().unwrap_or(span);
            if let Some(tree) = tree(&entry.node, sources, sink) {
                exports.insert(Arc::clone(field), (span, tree));
            }
        }
    }
    let fixed_by = match fields.text("fixedBy", sink).ok()? {
        None => None,
        Some(text) => match Path::parse(text.strip_prefix("inputs.").unwrap_or("")) {
            Some(path) if !path.is_empty() => Some(path),
            _ => {
                let finding = Diagnostic::error(codes::INVALID_VALUE, format!("`{text}` names no input"));
                let place = fields.get("fixedBy").and_then(Node::span);
                let _told = sink.report(finding.at(place, "").help("write `fixedBy: inputs.NAME`"));
                None
            }
        },
    };
    Some(Offer {
        capability,
        span: fields.get("name").and_then(Node::span).unwrap_or(span),
        guard: guard(&fields, sources, sink),
        exports,
        whole,
        yields: fields.flag("yields", sink).ok()?,
        fixed_by,
        group: fields.text("group", sink).ok()?,
        unit: fields.text("unit", sink).ok()?,
    })
}

fn checks(fields: &Fields<'_>, sources: &Sources, sink: &mut Sink) -> Vec<Check> {
    let severities = [("error", Severity::Error), ("warning", Severity::Warning)];
    let phases = [("inputs", false), ("objects", true)];
    let mut found: Vec<Check> = Vec::new();
    for (position, node) in fields.list("checks", sink).unwrap_or_default().iter().enumerate() {
        let Some(rule) = rule(node, position, &CHECK, sources, sink) else { continue };
        unique(&rule, found.iter().map(|check| &check.rule), "checks", sink);
        let Ok(fields) = Fields::any(node, "a check", sink) else { continue };
        let severity = fields.word("severity", &severities, sink);
        let objects = fields.word("phase", &phases, sink);
        if let (Ok(severity), Ok(objects)) = (severity, objects) {
            let severity = severity.unwrap_or(Severity::Error);
            found.push(Check { rule, severity, objects: objects.unwrap_or(false) });
        }
    }
    found
}

/// Tells what a stack requires or provides that is no capability, and exports that its type does not name.
pub(crate) fn check_capabilities(stack: &Stack, capabilities: &Capabilities, sink: &mut Sink) {
    let unknown = |name: &Arc<str>, span: Span, sink: &mut Sink| {
        let finding =
            Diagnostic::error(codes::UNKNOWN_CAPABILITY, format!("there is no capability `{name}`"))
                .at(span, "not known");
        let finding = match did_you_mean(name, capabilities.keys().map(AsRef::as_ref)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("describe it in `schemas/capabilities.schema.json`"),
        };
        let _told = sink.report(finding);
    };
    for requirement in &stack.requires {
        if !capabilities.contains_key(&requirement.capability) {
            unknown(&requirement.capability, requirement.span, sink);
        }
    }
    for offer in &stack.provides {
        let Some(capability) = capabilities.get(&offer.capability) else {
            unknown(&offer.capability, offer.span, sink);
            continue;
        };
        for (field, (span, _)) in &offer.exports {
            if !capability.fields.contains(field) {
                let fact = format!("the capability `{}` has no export `{field}`", offer.capability);
                let finding = Diagnostic::error(codes::UNKNOWN_KEY, fact).at(*span, "not known here");
                let names = capability.fields.iter().map(AsRef::as_ref);
                let _told = sink.report(fields::suggest(finding, field, names, "its exports are"));
            }
        }
        if let Some(key) =
            capability.key.as_ref().filter(|key| offer.whole.is_none() && !offer.exports.contains_key(*key))
        {
            let fact = format!(
                "the offer of `{}` does not export `{key}`, which tells providers apart",
                offer.capability
            );
            let _told = sink.report(
                Diagnostic::error(codes::MISSING_FIELD, fact)
                    .at(offer.span, "")
                    .help(format!("add `{key}` to its `exports`")),
            );
        }
    }
}
