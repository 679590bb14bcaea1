//! Whole trees with expressions in them: maps, lists, keys, `$each`, `omit`.
//!
//! A [`Tree`] is compiled once for a stack and evaluated for every instance of it. Evaluation reports every
//! finding of the tree, not the first.

use super::each::ForEach;
use super::scope::Scope;
use super::template::{FreePath, Outcome, Template, truth_of};
use crate::diag::{Diagnostic, codes};
use crate::source::{Sources, Span};
use crate::value::{Entry, Map, Node, Origin, Path, Segment, Value};
use std::sync::Arc;

/// A compiled tree.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Branch,
    span: Option<Span>,
}

#[derive(Clone, Debug)]
enum Branch {
    /// No expression below.
    Literal(Node),
    Scalar(Template),
    List(Origin, Vec<Item>),
    Map(Origin, Vec<(Key, Origin, Branch)>),
}

#[derive(Clone, Debug)]
enum Item {
    Plain(Branch),
    Each(Box<Each>),
}

/// `{$each, $when, $item}`.
#[derive(Clone, Debug)]
struct Each {
    rounds: ForEach,
    when: Option<Tree>,
    item: Branch,
}

#[derive(Clone, Debug)]
enum Key {
    Fixed(Arc<str>),
    Computed(Template),
}

impl Tree {
    /// Compiles a tree; all findings in it at once.
    pub fn compile(node: &Node, sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let root = branch(node, sources, &mut findings);
        if findings.is_empty() { Ok(Self { root, span: node.span() }) } else { Err(findings) }
    }

    /// The place of its root.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The tree itself, where it holds no expression.
    pub fn literal(&self) -> Option<&Node> {
        match &self.root {
            Branch::Literal(node) => Some(node),
            _ => None,
        }
    }

    /// Evaluates it; `None` where the root is `omit`. An empty list of findings means that they were told before.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Node>, Vec<Diagnostic>> {
        let mut run = Run::default();
        let node = run.branch(&self.root, scope);
        run.finish(node)
    }

    /// Evaluates one member of a map, or the tree itself for an empty path, without the rest: for values that are
    /// computed field by field. `Ok(None)` where the path does not exist or is `omit`.
    pub fn evaluate_at(&self, path: &[&str], scope: &dyn Scope) -> Result<Option<Node>, Vec<Diagnostic>> {
        let mut at = &self.root;
        for (depth, key) in path.iter().enumerate() {
            match at {
                Branch::Map(_, entries) if entries.iter().all(|(key, ..)| matches!(key, Key::Fixed(_))) => {
                    let found = entries
                        .iter()
                        .find(|(known, ..)| matches!(known, Key::Fixed(k) if k.as_ref() == *key));
                    match found {
                        Some((.., branch)) => at = branch,
                        None => return Ok(None),
                    }
                }
                _ => {
                    let mut run = Run::default();
                    let node = run.branch(at, scope);
                    let node = run.finish(node)?;
                    return Ok(node.and_then(|node| node.at(&path[depth..]).cloned()));
                }
            }
        }
        let mut run = Run::default();
        let node = run.branch(at, scope);
        run.finish(node)
    }

    /// Its keys, where the root is a map without computed keys.
    pub fn keys(&self) -> Option<Vec<Arc<str>>> {
        match &self.root {
            Branch::Literal(node) => node.as_map().map(|map| map.keys().cloned().collect()),
            Branch::Map(_, entries) => entries
                .iter()
                .map(|(key, ..)| match key {
                    Key::Fixed(key) => Some(Arc::clone(key)),
                    Key::Computed(_) => None,
                })
                .collect(),
            _ => None,
        }
    }

    /// Evaluates a condition: it has to be a boolean.
    pub fn condition(&self, scope: &dyn Scope) -> Result<bool, Vec<Diagnostic>> {
        match self.evaluate(scope)? {
            Some(node) => truth_of(&node, self.span),
            None => Err(vec![
                Diagnostic::error(codes::EXPRESSION_OMIT, "a condition cannot be `omit`").at(self.span, ""),
            ]),
        }
    }

    pub(super) fn outcome(&self, scope: &dyn Scope) -> Result<Outcome, Vec<Diagnostic>> {
        match &self.root {
            Branch::Scalar(template) => template.outcome(scope),
            _ => self.evaluate(scope).map(|node| Outcome { node, path: None }),
        }
    }

    /// The paths that its expressions read, without variables of `$each` and of comprehensions.
    pub fn reads(&self) -> Vec<FreePath> {
        let mut found = Vec::new();
        reads(&self.root, &mut found);
        found
    }
}

fn reads(branch: &Branch, found: &mut Vec<FreePath>) {
    match branch {
        Branch::Literal(_) => {}
        Branch::Scalar(template) => found.extend(template.reads()),
        Branch::List(_, items) => {
            for item in items {
                match item {
                    Item::Plain(branch) => reads(branch, found),
                    Item::Each(each) => {
                        found.extend(each.rounds.reads());
                        let mut inner = each.when.as_ref().map(Tree::reads).unwrap_or_default();
                        reads(&each.item, &mut inner);
                        found.extend(inner.into_iter().filter(|free| !each.rounds.binds(&free.path)));
                    }
                }
            }
        }
        Branch::Map(_, entries) => {
            for (key, _, branch) in entries {
                if let Key::Computed(template) = key {
                    found.extend(template.reads());
                }
                reads(branch, found);
            }
        }
    }
}

fn branch(node: &Node, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Branch {
    match &node.value {
        Value::String(text) if Template::is_needed(text) => match Template::parse(node, sources) {
            Ok(template) => match template.literal() {
                Some(text) => Branch::Literal(Node::new(text, node.origin.clone())),
                None => Branch::Scalar(template),
            },
            Err(found) => {
                findings.extend(found);
                Branch::Literal(node.clone())
            }
        },
        Value::List(items) => {
            let items: Vec<Item> = items.iter().map(|node| item(node, sources, findings)).collect();
            if items.iter().all(|item| matches!(item, Item::Plain(Branch::Literal(_)))) {
                return literal(
                    node,
                    items.into_iter().filter_map(|item| match item {
                        Item::Plain(Branch::Literal(node)) => Some(node),
                        _ => None,
                    }),
                );
            }
            Branch::List(node.origin.clone(), items)
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (text, entry) in map {
                let key = if Template::is_needed(text) {
                    match Template::parse_text(text, &entry.key, sources) {
                        Ok(template) => match template.literal() {
                            Some(text) => Key::Fixed(text.into()),
                            None => Key::Computed(template),
                        },
                        Err(found) => {
                            findings.extend(found);
                            Key::Fixed(Arc::clone(text))
                        }
                    }
                } else {
                    if matches!(text.as_ref(), "$each" | "$when" | "$item") {
                        findings.push(misplaced(text, &entry.key));
                    }
                    Key::Fixed(Arc::clone(text))
                };
                entries.push((key, entry.key.clone(), branch(&entry.node, sources, findings)));
            }
            let plain =
                |entry: &(Key, Origin, Branch)| matches!(entry, (Key::Fixed(_), _, Branch::Literal(_)));
            if entries.iter().all(plain) {
                let mut map = Map::with_capacity(entries.len());
                for (key, origin, branch) in entries {
                    if let (Key::Fixed(key), Branch::Literal(node)) = (key, branch) {
                        map.insert(key, Entry { key: origin, node });
                    }
                }
                return Branch::Literal(Node { value: Value::Map(map), origin: node.origin.clone() });
            }
            Branch::Map(node.origin.clone(), entries)
        }
        _ => Branch::Literal(node.clone()),
    }
}

fn literal(node: &Node, items: impl Iterator<Item = Node>) -> Branch {
    Branch::Literal(Node { value: Value::List(items.collect()), origin: node.origin.clone() })
}

fn misplaced(key: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(codes::EXPRESSION_SYNTAX, format!("`{key}` stands in a map that is no item of a list"))
        .at(origin.span(), "")
        .help("items of a list may be `{$each: {each: x, in: \"${...}\"}, $when: ..., $item: ...}`")
        .help("members of a map are made by `transformMap` in an expression, or by keys that are expressions")
}

fn item(node: &Node, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Item {
    let Some(map) =
        node.as_map().filter(|map| ["$each", "$when", "$item"].iter().any(|key| map.contains_key(key)))
    else {
        return Item::Plain(branch(node, sources, findings));
    };
    let wrong = |message: String, span: Option<Span>| {
        Diagnostic::error(codes::EXPRESSION_SYNTAX, message)
            .at(span, "")
            .help("write `{$each: {each: x, in: \"${...}\"}, $when: \"${...}\", $item: ...}`")
    };
    for (key, entry) in map {
        if !matches!(key.as_ref(), "$each" | "$when" | "$item") {
            findings.push(wrong(format!("`{key}` stands beside `$item`"), entry.key.span()));
        }
    }
    let Some(body) = map.get("$item") else {
        findings.push(wrong("`$item` is missing".to_owned(), node.span()));
        return Item::Plain(Branch::Literal(node.clone()));
    };
    let mut take = |result: Result<Tree, Vec<Diagnostic>>| match result {
        Ok(tree) => Some(tree),
        Err(found) => {
            findings.extend(found);
            None
        }
    };
    let when = map.get("$when").and_then(|entry| take(Tree::compile(&entry.node, sources)));
    let rounds = match map.get("$each") {
        None => ForEach::default(),
        Some(entry) => ForEach::compile(&entry.node, sources).unwrap_or_else(|found| {
            findings.extend(found);
            ForEach::default()
        }),
    };
    let item = branch(&body.node, sources, findings);
    Item::Each(Box::new(Each { rounds, when, item }))
}

/// One evaluation of a tree.
#[derive(Default)]
struct Run {
    findings: Vec<Diagnostic>,
    failed: bool,
}

impl Run {
    fn finish<T>(self, result: T) -> Result<T, Vec<Diagnostic>> {
        if self.failed { Err(self.findings) } else { Ok(result) }
    }

    fn take<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(found) => {
                self.failed = true;
                for finding in found {
                    if !self.findings.contains(&finding) {
                        self.findings.push(finding);
                    }
                }
                None
            }
        }
    }

    /// The node of a branch; `None` for `omit`, and after a finding.
    fn branch(&mut self, branch: &Branch, scope: &dyn Scope) -> Option<Node> {
        match branch {
            Branch::Literal(node) => Some(node.clone()),
            Branch::Scalar(template) => self.take(template.evaluate(scope)).flatten(),
            Branch::List(origin, items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Item::Plain(branch) => list.extend(self.branch(branch, scope)),
                        Item::Each(each) => self.each(each, scope, &mut list),
                    }
                }
                Some(Node { value: Value::List(list), origin: origin.clone() })
            }
            Branch::Map(origin, entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (key, key_origin, branch) in entries {
                    let Some((key, key_origin)) = self.key(key, key_origin, scope) else { continue };
                    let Some(node) = self.branch(branch, scope) else { continue };
                    if let Some(other) = map.get(&key) {
                        let other: &Entry = other;
                        let finding = Diagnostic::error(
                            codes::EXPRESSION_VALUE,
                            format!("the key `{key}` is set twice"),
                        )
                        .at(key_origin.span(), "again")
                        .related(other.key.span(), "first here")
                        .help("let the keys differ, or merge the two into one");
                        self.take::<()>(Err(vec![finding]));
                    } else {
                        map.insert(key, Entry { key: key_origin, node });
                    }
                }
                Some(Node { value: Value::Map(map), origin: origin.clone() })
            }
        }
    }

    fn key(&mut self, key: &Key, origin: &Origin, scope: &dyn Scope) -> Option<(Arc<str>, Origin)> {
        match key {
            Key::Fixed(key) => Some((Arc::clone(key), origin.clone())),
            Key::Computed(template) => {
                let node = self.take(template.evaluate(scope)).flatten()?;
                if let Value::String(text) = node.value {
                    return Some((text, node.origin));
                }
                let message = format!("this key is {}, not a string", super::template::article(&node.value));
                let finding = Diagnostic::error(codes::EXPRESSION_TYPE, message)
                    .at(origin.span(), "")
                    .help("write `string(...)` around it");
                self.take::<()>(Err(vec![finding]));
                None
            }
        }
    }

    fn each(&mut self, each: &Each, scope: &dyn Scope, list: &mut Vec<Node>) {
        let Some(rounds) = self.take(each.rounds.expand(scope)) else { return };
        for round in rounds {
            let inner = round.over(scope);
            let wanted = match &each.when {
                None => true,
                Some(when) => match self.take(when.condition(&inner)) {
                    Some(wanted) => wanted,
                    None => continue,
                },
            };
            if wanted {
                list.extend(self.branch(&each.item, &inner));
            }
        }
    }
}

/// Whether a path starts at this name.
pub(super) fn starts_at(path: &Path, name: &str) -> bool {
    matches!(path.segments().first(), Some(Segment::Key(first)) if first.as_ref() == name)
}
