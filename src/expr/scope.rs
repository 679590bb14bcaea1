//! What names mean while an expression is evaluated.
//!
//! The caller owns all data; expressions borrow it. A [`Scope`] answers for root names, a [`Lazy`] for members
//! that are computed when first asked for. Cycles among lazy values are the caller's to detect: it answers
//! [`Found::Failed`] with its finding.

use super::declared::Declared;
use crate::diag::Diagnostic;
use crate::value::{Node, Path};
use std::sync::Arc;

/// The answer to a name.
pub enum Found<'a> {
    /// Data; reads of it are recorded under the name.
    Node(&'a Node),
    /// Data that stands elsewhere too: reads of it are recorded under that path.
    Known(&'a Node, Path),
    /// A map whose members are computed when they are read.
    Lazy(&'a dyn Lazy),
    /// There is no such name or key.
    Absent,
    /// It will exist in a later stage of the evaluation; says what may be read now.
    Ahead(String),
    /// It could not be computed: the finding, or `None` where it has been told already.
    Failed(Option<Box<Diagnostic>>),
}

/// What a name stands for whose type is declared.
pub enum Given<'a> {
    /// Data of this type.
    Data(&'a Node, &'a dyn Declared),
    /// An optional value that is absent.
    Nothing,
}

/// Root names.
pub trait Scope {
    /// What a root name means.
    fn variable(&self, name: &str) -> Found<'_>;

    /// What a root name means whose type is declared; asked first.
    fn given(&self, _name: &str) -> Option<Given<'_>> {
        None
    }

    /// All root names, for suggestions and to refuse shadowing.
    fn names(&self) -> Vec<Arc<str>>;
}

/// A map whose members are computed when they are read.
pub trait Lazy {
    /// What a member is.
    fn member(&self, key: &str) -> Found<'_>;

    /// All keys, in order.
    fn keys(&self) -> Vec<Arc<str>>;

    /// Why a key is absent, where more can be said than that it is.
    fn absent(&self, _key: &str) -> Option<String> {
        None
    }
}

/// A scope of plain nodes by name.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    nodes: Vec<(Arc<str>, Arc<Node>)>,
}

impl Variables {
    /// No names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name, or replaces what it means.
    #[must_use]
    pub fn with(mut self, name: &str, node: impl Into<Arc<Node>>) -> Self {
        let node = node.into();
        match self.nodes.iter_mut().find(|(known, _)| known.as_ref() == name) {
            Some(slot) => slot.1 = node,
            None => self.nodes.push((name.into(), node)),
        }
        self
    }
}

impl Scope for Variables {
    fn variable(&self, name: &str) -> Found<'_> {
        match self.nodes.iter().find(|(known, _)| known.as_ref() == name) {
            Some((_, node)) => Found::Node(node),
            None => Found::Absent,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.nodes.iter().map(|(name, _)| Arc::clone(name)).collect()
    }
}

/// A variable of `forEach` or `$each` and what it stands for.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The variable.
    pub name: Arc<str>,
    /// Its value.
    pub node: Arc<Node>,
    /// Where the value stands under a root name, if it was found by a plain path.
    pub path: Option<Path>,
}

/// The variables of one round of a `forEach`, outermost first.
#[derive(Clone, Debug, Default)]
pub struct Bindings(pub Vec<Binding>);

impl Bindings {
    /// The scope of these variables over `outer`.
    pub fn over<'a>(&'a self, outer: &'a dyn Scope) -> Bound<'a> {
        Bound { bindings: self, outer }
    }

    /// The keys of the round, joined for messages: empty for no `forEach`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Variables over an outer scope.
pub struct Bound<'a> {
    bindings: &'a Bindings,
    outer: &'a dyn Scope,
}

impl Scope for Bound<'_> {
    fn variable(&self, name: &str) -> Found<'_> {
        match self.bindings.0.iter().rev().find(|binding| binding.name.as_ref() == name) {
            Some(Binding { node, path: Some(path), .. }) => Found::Known(node, path.clone()),
            Some(Binding { node, path: None, .. }) => Found::Node(node),
            None => self.outer.variable(name),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.outer.names();
        names.extend(self.bindings.0.iter().map(|binding| Arc::clone(&binding.name)));
        names
    }
}
