//! Where an input comes from: its type, its value, and the chain of places that made it.

use super::{Resolution, ResolvedInstance};
use crate::diag::{Diagnostic, codes};
use crate::load::fields;
use crate::source::Span;
use crate::value::{Node, Origin, OriginKind, Path, Segment};
use std::sync::Arc;

/// One input, explained.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The instance.
    pub instance: Arc<str>,
    /// The stack that it is of.
    pub stack: Arc<str>,
    /// The path below the instance; empty for the instance itself.
    pub path: Path,
    /// The type as the schema words it.
    pub type_: String,
    /// What it is for.
    pub description: String,
    /// The value, where it has one.
    pub value: Option<Node>,
    /// Where the value comes from, newest first.
    pub chain: Vec<Link>,
}

/// A link of the chain of origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What happened there.
    pub kind: LinkKind,
    /// The place.
    pub span: Option<Span>,
}

/// What happened at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The value is written there.
    Written,
    /// It is the default of a schema.
    Default,
    /// An expression made it.
    Expression,
    /// That expression read this path.
    Read(Path),
    /// A patch changed it.
    Patched,
    /// A rule of the compiler set it.
    Rule(&'static str),
}

/// Explains `INSTANCE.PATH`.
pub fn explain(resolution: &Resolution, path: &str) -> Result<Explanation, Box<Diagnostic>> {
    let parsed = Path::parse(path).ok_or_else(|| {
        let finding = Diagnostic::error(codes::INVALID_VALUE, format!("`{path}` is no path"));
        Box::new(finding.help("write it as `instance.input`, such as `coredns.replicas`"))
    })?;
    let Some(Segment::Key(name)) = parsed.segments().first() else {
        let finding = Diagnostic::error(codes::INVALID_VALUE, "the path does not start with an instance");
        return Err(Box::new(finding.help("write it as `instance.input`, such as `coredns.replicas`")));
    };
    let Some(instance) = resolution.instances.iter().find(|instance| instance.name == *name) else {
        let finding = Diagnostic::error(
            codes::UNKNOWN_INSTANCE,
            format!("the environment `{}` has no instance `{name}`", resolution.environment.name),
        );
        let names = resolution.instances.iter().map(|instance| instance.name.as_ref());
        return Err(Box::new(fields::suggest(finding, name, names, "its instances are")));
    };
    let rest = Path::from(parsed.segments()[1..].to_vec());
    let value = value(instance, &rest);
    let typed = instance.stack.schema.describe(&rest);
    if value.is_none() && typed.is_none() {
        return Err(Box::new(unknown(instance, &rest)));
    }
    let mut chain = Vec::new();
    if let Some(value) = &value {
        links(&value.origin, &mut chain);
    }
    let (type_, description) = match typed {
        Some(typed) => (typed.type_, typed.description),
        None => (value.as_ref().map_or("", |node| node.value.kind()).to_owned(), common(&rest).to_owned()),
    };
    Ok(Explanation {
        instance: Arc::clone(&instance.name),
        stack: Arc::clone(&instance.stack.name),
        path: rest,
        type_,
        description,
        value,
        chain,
    })
}

/// The value at a path: a typed input, or what every instance may say.
fn value(instance: &ResolvedInstance, path: &Path) -> Option<Node> {
    instance.inputs.lookup(path).or_else(|| instance.written.lookup(path)).cloned()
}

fn unknown(instance: &ResolvedInstance, path: &Path) -> Diagnostic {
    let finding = Diagnostic::error(
        codes::UNKNOWN_KEY,
        format!("the stack `{}` has no input `{path}`", instance.stack.name),
    );
    let mut above = path.clone();
    let last = match above.pop() {
        Some(Segment::Key(key)) => key,
        _ => Arc::from(""),
    };
    let names: Vec<String> = if above.is_empty() {
        instance.stack.inputs.iter().map(ToString::to_string).collect()
    } else {
        let map = instance.inputs.lookup(&above).and_then(Node::as_map);
        map.into_iter().flatten().map(|(key, _)| key.to_string()).collect()
    };
    fields::suggest(finding, &last, names.iter().map(String::as_str), "there are")
}

/// What the keys are for that every instance may have.
fn common(path: &Path) -> &'static str {
    match path.segments().first() {
        Some(Segment::Key(key)) => match key.as_ref() {
            "namespace" => "The namespace of the instance.",
            "namespaceLabels" => "Labels of its namespace, where the compiler writes it.",
            "version" => "The version of its chart.",
            "values" => "Values of its chart, merged last.",
            "charts" => "Version and values by release.",
            "stack" => "The stack that it is an instance of.",
            "after" => "Instances that come first.",
            "deliver" => "How its charts are delivered.",
            "helm" => "The profile of the chart engine.",
            _ => "",
        },
        _ => "",
    }
}

/// The chain of an origin, newest first.
fn links(origin: &Origin, chain: &mut Vec<Link>) {
    let kind = match origin {
        Origin::Compiler => return,
        Origin::Written(span) => {
            chain.push(Link { kind: LinkKind::Written, span: Some(*span) });
            return;
        }
        Origin::Link(kind) => kind,
    };
    match kind.as_ref() {
        OriginKind::Default { schema } => chain.push(Link { kind: LinkKind::Default, span: Some(*schema) }),
        OriginKind::Overrides { by, was } => {
            chain.push(Link { kind: LinkKind::Written, span: Some(*by) });
            links(was, chain);
        }
        OriginKind::Patched { by, was } => {
            chain.push(Link { kind: LinkKind::Patched, span: Some(*by) });
            links(was, chain);
        }
        OriginKind::Rule { rule, was } => {
            chain.push(Link { kind: LinkKind::Rule(rule), span: None });
            links(was, chain);
        }
        // Inputs are never made by charts.
        OriginKind::Template { at, .. } => chain.push(Link { kind: LinkKind::Written, span: Some(*at) }),
        OriginKind::Expression { at, reads } => {
            chain.push(Link { kind: LinkKind::Expression, span: Some(*at) });
            for read in reads {
                chain.push(Link { kind: LinkKind::Read(read.path.clone()), span: read.origin.span() });
            }
        }
    }
}
