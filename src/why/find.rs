//! Objects by the name that a person gives them, fields in them, and their line in the tree.

use super::Place;
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::emit::Tree;
use crate::model::{ChartDelivery, Object, ObjectId};
use crate::order::Sequence;
use crate::source::Sources;
use crate::value::{Node, Path, Segment, Value};
use crate::yaml;

/// The index of an object: `Kind/name`, `Kind/namespace/name`, the kind with its group where that is needed.
pub(super) fn object(sequence: &Sequence, name: &str) -> Result<usize, Box<Diagnostic>> {
    let objects = || sequence.objects().iter().map(|placed| &placed.object.id);
    let fitting: Vec<usize> =
        objects().enumerate().filter(|(_, id)| fits(id, name)).map(|(index, _)| index).collect();
    match fitting.as_slice() {
        [only] => Ok(*only),
        [] => Err(Box::new(missing(sequence, name))),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|index| {
                    let id = &sequence.objects()[*index].object.id;
                    if id.group.is_empty() { id.to_string() } else { qualified(id) }
                })
                .collect();
            let fact = format!("`{name}` names several objects");
            Err(Box::new(
                Diagnostic::error(codes::UNKNOWN_NAME, fact)
                    .help(format!("name one of them: {}", names.join(", "))),
            ))
        }
    }
}

/// `Kind.group/namespace/name`.
fn qualified(id: &ObjectId) -> String {
    let namespace = id.namespace.as_ref().map_or_else(String::new, |namespace| format!("{namespace}/"));
    format!("{}.{}/{namespace}{}", id.kind, id.group, id.name)
}

fn fits(id: &ObjectId, text: &str) -> bool {
    let Some((kind, rest)) = text.split_once('/') else { return false };
    let (kind, group) = kind.split_once('.').map_or((kind, None), |(kind, group)| (kind, Some(group)));
    if !id.kind.eq_ignore_ascii_case(kind) || group.is_some_and(|group| *group != *id.group) {
        return false;
    }
    match rest.split_once('/') {
        None => *id.name == *rest,
        Some((namespace, name)) => id.namespace.as_deref() == Some(namespace) && *id.name == *name,
    }
}

fn missing(sequence: &Sequence, name: &str) -> Diagnostic {
    let environment = &sequence.surroundings().environment.name;
    if !name.contains('/') {
        let fact = format!("`{name}` names no object");
        return Diagnostic::error(codes::UNKNOWN_NAME, fact)
            .help("write it as `Kind/name` or `Kind/namespace/name`, such as `Deployment/shop/web`");
    }
    let finding = Diagnostic::error(
        codes::UNKNOWN_NAME,
        format!("the environment `{environment}` has no object `{name}`"),
    );
    let names: Vec<String> = sequence.objects().iter().map(|placed| placed.object.id.to_string()).collect();
    let kind = name.split_once('/').map_or(name, |(kind, _)| kind);
    let alike: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|known| known.split_once('/').is_some_and(|(known, _)| known.eq_ignore_ascii_case(kind)))
        .collect();
    let finding = match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if (1..=12).contains(&alike.len()) => {
            finding.help(format!("of that kind there are {}", alike.join(", ")))
        }
        None => finding,
    };
    let releases = |part: &crate::render::Part| {
        part.releases
            .iter()
            .filter(|delivered| delivered.release.delivery != ChartDelivery::Rendered)
            .map(|delivered| delivered.release.name.to_string())
            .collect::<Vec<_>>()
    };
    let stay: Vec<String> = sequence.parts().iter().flat_map(releases).collect();
    if stay.is_empty() {
        return finding;
    }
    finding.help(format!("objects of the releases {} are known with `--charts rendered`", stay.join(", ")))
}

/// A step of a path as people write it.
enum Step {
    /// A member or an index. An item of a list may be named by its `name`, too.
    Plain(Segment),
    /// `[name=app]`, `[containerPort=53,protocol=UDP]`: the item with these members, as `diff` prints it.
    Item(Members),
}

/// The steps of a path; `None` where it is malformed.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut found = Vec::new();
    let mut rest = text.strip_prefix('.').unwrap_or(text);
    while let Some((before, members, behind)) = item(rest) {
        found.extend(Path::parse(before)?.segments().iter().cloned().map(Step::Plain));
        found.push(Step::Item(members));
        rest = match behind.strip_prefix('.') {
            Some("") => return None,
            Some(more) => more,
            None if behind.is_empty() || behind.starts_with('[') => behind,
            None => return None,
        };
    }
    found.extend(Path::parse(rest)?.segments().iter().cloned().map(Step::Plain));
    Some(found)
}

/// The members that tell an item from the others.
type Members = Vec<(String, String)>;

/// The first `[key=value]` of a path, with what stands before and behind it. Brackets with quotes hold a key.
fn item(text: &str) -> Option<(&str, Members, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('[')?;
        let inner = &text[open + 1..];
        if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            from = open + 2 + inner[1..].find(quote)? + 1;
            continue;
        }
        let close = inner.find(']')?;
        if let Some((key, value)) = inner[..close].split_once('=') {
            let (value, protocol) = match value.rsplit_once(",protocol=") {
                Some((value, protocol)) => (value, Some(("protocol".to_owned(), protocol.to_owned()))),
                None => (value, None),
            };
            let members = std::iter::once((key.to_owned(), value.to_owned())).chain(protocol).collect();
            return Some((&text[..open], members, &inner[close + 1..]));
        }
        from = open + 1;
    }
}

/// A field of an object, by a path as `diff` prints it or a person writes it.
pub(super) fn field<'o>(object: &'o Object, text: &str) -> Result<(Path, &'o Node), Box<Diagnostic>> {
    let steps = steps(text).ok_or_else(|| {
        let finding = Diagnostic::error(codes::INVALID_VALUE, format!("`{text}` is no path of a field"));
        Box::new(finding.help(
            "write it as `spec.replicas`, `spec.template.spec.containers[name=app].image`, `args[0]` or `data[\"a.b\"]`",
        ))
    })?;
    let mut path = Path::default();
    let mut node = &object.node;
    for wanted in steps {
        let found = match &wanted {
            Step::Plain(segment) => step(node, segment),
            Step::Item(members) => with_members(node, members),
        };
        let Some((step, next)) = found else {
            return Err(Box::new(no_field(object, &path, node, &wanted)));
        };
        path.push(step);
        node = next;
    }
    Ok((path, node))
}

/// The item of a list that has these members.
fn with_members<'n>(node: &'n Node, members: &Members) -> Option<(Segment, &'n Node)> {
    let shown = |node: &Node| match &node.value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(_) => Some(node.to_json().to_string()),
        _ => None,
    };
    let has = |item: &Node| {
        members.iter().all(|(key, value)| item.get(key).and_then(shown).is_some_and(|found| found == *value))
    };
    let items = node.as_list()?;
    items.iter().position(has).map(|index| (Segment::Index(index), &items[index]))
}

fn step<'n>(node: &'n Node, segment: &Segment) -> Option<(Segment, &'n Node)> {
    match segment {
        Segment::Index(index) => node.as_list()?.get(*index).map(|item| (segment.clone(), item)),
        Segment::Key(key) => match node.as_list() {
            None => node.get(key).map(|member| (segment.clone(), member)),
            Some(items) => {
                let named = |item: &Node| item.get("name").and_then(Node::as_str) == Some(key);
                items.iter().position(named).map(|index| (Segment::Index(index), &items[index]))
            }
        },
    }
}

fn no_field(object: &Object, path: &Path, node: &Node, step: &Step) -> Diagnostic {
    let wanted = match step {
        Step::Plain(segment) => {
            let mut wanted = path.clone();
            wanted.push(segment.clone());
            wanted.to_string()
        }
        Step::Item(members) => {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{path}[{}]", members.join(","))
        }
    };
    let finding = Diagnostic::error(codes::UNKNOWN_KEY, format!("`{}` has no field `{wanted}`", object.id));
    let names: Vec<String> = match (node.as_map(), node.as_list()) {
        (Some(map), _) => map.iter().map(|(key, _)| key.to_string()).collect(),
        (_, Some(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                item.get("name")
                    .and_then(Node::as_str)
                    .map_or_else(|| format!("[{index}]"), ToOwned::to_owned)
            })
            .collect(),
        _ => Vec::new(),
    };
    let place = if path.is_empty() { "the object".to_owned() } else { format!("`{path}`") };
    let near = match step {
        Step::Plain(Segment::Key(key)) => did_you_mean(key, names.iter().map(String::as_str)),
        Step::Item(members) => {
            let named = members.iter().find(|(key, _)| key == "name").map(|(_, value)| value);
            named.and_then(|name| did_you_mean(name, names.iter().map(String::as_str)))
        }
        Step::Plain(Segment::Index(_)) => None,
    };
    match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding.help(format!("{place} is a single value")),
        None => finding.help(format!("{place} has {}", names.join(", "))),
    }
}

/// Where a field stands in the tree that an environment is written to.
pub(super) fn place(tree: &Tree, id: &ObjectId, path: &Path) -> Option<Place> {
    let folder = format!("envs/{}/", tree.environment());
    let kind = id.kind.to_lowercase();
    let prefix = if kind == "customresourcedefinition" { "crd-" } else { kind.as_str() };
    for (file, bytes) in tree.files() {
        let name = file.file_name().unwrap_or_default();
        if !file.as_str().starts_with(&folder)
            || !name.starts_with(prefix)
            || file.extension() != Some("yaml")
        {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let sources = Sources::new();
        let source = sources.add(file.as_str(), text);
        let Ok(document) = yaml::read_first(source, text, yaml::Options::STRICT) else { continue };
        if !is(&document, id) {
            continue;
        }
        let span = document.lookup(path)?.span()?;
        let at = sources.get(source).line_column(span.start);
        let output = tree.output();
        return Some(Place {
            file: output.root().join(file).as_str().trim_start_matches("./").to_owned(),
            line: at.line,
            column: at.column,
            text: sources.get(source).line(at.line).trim().to_owned(),
        });
    }
    None
}

fn is(document: &Node, id: &ObjectId) -> bool {
    let text = |keys: &[&str]| document.at(keys).and_then(Node::as_str);
    let group = text(&["apiVersion"]).map(|version| version.split_once('/').map_or("", |(group, _)| group));
    group == Some(&*id.group)
        && text(&["kind"]) == Some(&*id.kind)
        && text(&["metadata", "name"]) == Some(&*id.name)
        && text(&["metadata", "namespace"]) == id.namespace.as_deref()
}
