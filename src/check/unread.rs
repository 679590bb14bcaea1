//! Inputs that no expression of their stack reads: a promise that the stack does not keep.

use crate::expr::{ForEach, Tree};
use crate::load::{Guard, Rule, Stack};
use crate::source::Span;
use crate::value::{Node, Path, Segment};
use std::sync::Arc;

/// An input that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its path below the instance.
    pub input: Path,
    /// Its place in the schema.
    pub span: Option<Span>,
}

/// The inputs of a stack that none of its expressions reads, in the order of its schema. Where an expression reads a
/// map as a whole, all its members count as read.
pub fn unread(stack: &Stack) -> Vec<Unread> {
    let mut reads = Reads::default();
    reads.tree(stack.namespace.as_ref());
    for requirement in &stack.requires {
        reads.guard(&requirement.guard);
        reads.tree(requirement.select.as_ref());
    }
    for offer in &stack.provides {
        reads.guard(&offer.guard);
        for (_, tree) in offer.exports.values().chain(&offer.whole) {
            reads.tree(Some(tree));
        }
        reads.paths.extend(offer.fixed_by.clone());
    }
    let rules = [
        &stack.secrets,
        &stack.charts,
        &stack.crds,
        &stack.webhooks,
        &stack.creates,
        &stack.resources,
        &stack.manifests,
        &stack.files,
        &stack.verify,
        &stack.prereqs,
    ];
    for rule in rules.into_iter().flatten().chain(stack.checks.iter().map(|check| &check.rule)) {
        reads.rule(rule);
    }
    let mut found = Vec::new();
    members(&stack.types, &mut Path::default(), &reads.paths, &mut found);
    found
}

/// The members of an object schema that no path reads, deeper where some of a member is read.
fn members(schema: &Node, path: &mut Path, reads: &[Path], found: &mut Vec<Unread>) {
    for (name, entry) in schema.get("properties").and_then(Node::as_map).into_iter().flatten() {
        path.push(Segment::Key(Arc::clone(name)));
        let own = path.segments();
        let whole = reads.iter().any(|read| own.starts_with(read.segments()));
        let below = reads.iter().any(|read| read.segments().starts_with(own));
        if !whole && below {
            members(&entry.node, path, reads, found);
        } else if !whole {
            found.push(Unread { input: path.clone(), span: entry.key.span() });
        }
        let _popped = path.pop();
    }
}

/// The paths below `inputs` that were seen.
#[derive(Default)]
struct Reads {
    paths: Vec<Path>,
}

impl Reads {
    fn tree(&mut self, tree: Option<&Tree>) {
        for read in tree.map(Tree::reads).unwrap_or_default() {
            self.path(&read.path);
        }
    }

    fn guard(&mut self, guard: &Guard) {
        for read in guard.for_each.as_ref().map(ForEach::reads).unwrap_or_default() {
            self.path(&read.path);
        }
        self.tree(guard.when.as_ref());
    }

    fn rule(&mut self, rule: &Rule) {
        self.guard(&rule.guard);
        self.tree(Some(&rule.body));
    }

    fn path(&mut self, path: &Path) {
        if let [Segment::Key(root), rest @ ..] = path.segments()
            && root.as_ref() == "inputs"
        {
            self.paths.push(Path::from(rest.to_vec()));
        }
    }
}
