//! `forEach` and `$each`: lists of `{each: VAR, key: VAR?, in: EXPR}`, outermost first.
//!
//! A map runs in byte order of its keys, a list's keys are its indices. Later entries see the variables of
//! earlier ones. A variable that shadows a name in scope is refused.

use super::parser::RESERVED;
use super::scope::{Binding, Bindings, Scope};
use super::template::{FreePath, article};
use super::tree::{Tree, starts_at};
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::source::{Sources, Span};
use crate::value::{Node, Number, Path, Segment, Value};
use std::sync::Arc;

/// How many rounds all entries of one `forEach` make together.
const MAX_ROUNDS: usize = 100_000;

/// A compiled `forEach`; without entries it makes one round without variables.
#[derive(Clone, Debug, Default)]
pub struct ForEach {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    each: Variable,
    key: Option<Variable>,
    range: Tree,
}

#[derive(Clone, Debug)]
struct Variable {
    name: Arc<str>,
    span: Option<Span>,
}

impl ForEach {
    /// Compiles `{each, key, in}` or a list of such.
    pub fn compile(node: &Node, sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let mut entries = Vec::new();
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            entries.extend(entry(item, sources, &mut findings));
        }
        if findings.is_empty() { Ok(Self { entries }) } else { Err(findings) }
    }

    /// Whether there is nothing to repeat.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The variables, outermost first.
    pub fn variables(&self) -> Vec<Arc<str>> {
        self.entries
            .iter()
            .flat_map(|entry| std::iter::once(&entry.each).chain(&entry.key))
            .map(|variable| Arc::clone(&variable.name))
            .collect()
    }

    /// The paths that its ranges read, without its own variables.
    pub fn reads(&self) -> Vec<FreePath> {
        let found = self.entries.iter().flat_map(|entry| entry.range.reads());
        found.filter(|free| !self.binds(&free.path)).collect()
    }

    /// Whether a path starts at one of its variables.
    pub fn binds(&self, path: &Path) -> bool {
        self.variables().iter().any(|name| starts_at(path, name))
    }

    /// All rounds, in order; [`Bindings::over`] makes the scope of one.
    pub fn expand(&self, scope: &dyn Scope) -> Result<Vec<Bindings>, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let mut names = scope.names();
        for entry in &self.entries {
            for variable in std::iter::once(&entry.each).chain(&entry.key) {
                if names.contains(&variable.name) {
                    findings.push(
                        Diagnostic::error(
                            codes::SHADOWED_NAME,
                            format!("`{}` is in scope already", variable.name),
                        )
                        .at(variable.span, "this would hide it")
                        .help("give the variable another name"),
                    );
                }
                names.push(Arc::clone(&variable.name));
            }
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut rounds = vec![Bindings::default()];
        for entry in &self.entries {
            let mut next = Vec::new();
            let mut failed = false;
            for round in &rounds {
                match turns(entry, &round.over(scope)) {
                    Ok(turns) => {
                        for turn in turns {
                            let mut bindings = round.0.clone();
                            bindings.extend(turn);
                            next.push(Bindings(bindings));
                        }
                    }
                    Err(found) => {
                        failed = true;
                        findings.extend(found);
                    }
                }
                if next.len() > MAX_ROUNDS {
                    return Err(vec![
                        Diagnostic::error(
                            codes::EXPRESSION_LIMIT,
                            format!("this makes more than {MAX_ROUNDS} rounds"),
                        )
                        .at(entry.range.span(), ""),
                    ]);
                }
            }
            if failed {
                return Err(findings);
            }
            rounds = next;
        }
        Ok(rounds)
    }
}

/// The bindings of each turn of one entry.
fn turns(entry: &Entry, scope: &dyn Scope) -> Result<Vec<Vec<Binding>>, Vec<Diagnostic>> {
    let outcome = entry.range.outcome(scope)?;
    let span = entry.range.span();
    let Some(node) = outcome.node else {
        return Err(vec![Diagnostic::error(codes::EXPRESSION_OMIT, "`in` cannot be `omit`").at(span, "")]);
    };
    let path = outcome.path;
    let bind = |key: Node, item: Node, segment: Segment| {
        let mut bindings = Vec::with_capacity(2);
        let path = path.clone().map(|mut path| {
            path.push(segment);
            path
        });
        bindings.push(Binding { name: Arc::clone(&entry.each.name), node: Arc::new(item), path });
        if let Some(variable) = &entry.key {
            bindings.push(Binding { name: Arc::clone(&variable.name), node: Arc::new(key), path: None });
        }
        bindings
    };
    match node.value {
        Value::List(items) => Ok(items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let number = Value::Number(Number::Int(i64::try_from(index).unwrap_or(i64::MAX)));
                bind(Node { value: number, origin: item.origin.clone() }, item, Segment::Index(index))
            })
            .collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            Ok(entries
                .into_iter()
                .map(|(key, entry)| {
                    let name = Node { value: Value::String(Arc::clone(&key)), origin: entry.key };
                    bind(name, entry.node, Segment::Key(key))
                })
                .collect())
        }
        ref other => {
            let message = format!("`in` is {}, neither a list nor a map", article(other));
            let finding = Diagnostic::error(codes::EXPRESSION_TYPE, message).at(span, "");
            let finding = match node.origin.editable() {
                place if place == span => finding,
                place => finding.related(place, "the value"),
            };
            Err(vec![finding.help("where it may be null or absent, guard it: `has(a.b) ? a.b : []`")])
        }
    }
}

fn entry(node: &Node, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Option<Entry> {
    let form = "write `{each: VARIABLE, key: VARIABLE, in: \"${...}\"}`; `key` may be left out";
    let wrong = |message: String, span: Option<Span>| {
        Diagnostic::error(codes::EXPRESSION_SYNTAX, message).at(span, "").help(form)
    };
    let Some(map) = node.as_map() else {
        findings.push(wrong(format!("this is {}, not a map", article(&node.value)), node.span()));
        return None;
    };
    let before = findings.len();
    for (key, entry) in map {
        if !matches!(key.as_ref(), "each" | "key" | "in") {
            let finding = wrong(format!("`{key}` means nothing here"), entry.key.span());
            findings.push(match did_you_mean(key, ["each", "key", "in"]) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
    }
    let mut variable = |key: &str| {
        let entry = map.get(key)?;
        // YAML takes `n` and `y` for booleans; a variable is called as it is written
        let written = match (&entry.node.value, entry.node.span()) {
            (Value::Bool(_), Some(span)) => Some(sources.snippet(span)),
            (value, _) => value.as_str().map(ToOwned::to_owned),
        };
        match written {
            Some(name) if is_name(&name) => Some(Variable { name: name.into(), span: entry.node.span() }),
            _ => {
                findings.push(wrong(format!("`{key}` is no name of a variable"), entry.node.span()));
                None
            }
        }
    };
    let (each, key) = (variable("each"), variable("key"));
    for wanted in ["each", "in"] {
        if !map.contains_key(wanted) {
            findings.push(wrong(format!("`{wanted}` is missing"), node.span()));
        }
    }
    let range = map.get("in").and_then(|entry| match Tree::compile(&entry.node, sources) {
        Ok(tree) => Some(tree),
        Err(found) => {
            findings.extend(found);
            None
        }
    });
    if findings.len() > before { None } else { Some(Entry { each: each?, key, range: range? }) }
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED.contains(&name)
        && name != "omit"
}
