//! The parsed form of a template: what the executor walks and what messages quote.
//!
//! Immutable, shared by `Arc` between threads. Functions are resolved, constants typed, names interned. A node is
//! named by its [`At`]: its byte offset and its kind are unique within a text.

use super::literal::Number;
use crate::helm::funcs::Function;
use crate::helm::strconv::append_quote;
use crate::helm::value::Str;
use std::sync::Arc;

/// One parsed text: a file of a chart, or a string given to `tpl`.
#[derive(Debug)]
pub struct Source {
    /// The name given to the parser; stands in the places of messages.
    pub name: Str,
    /// The whole text.
    pub text: Arc<[u8]>,
}

impl Source {
    /// A part of the text.
    pub(super) fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// A named template: a whole file, or a `define` in one.
#[derive(Debug)]
pub struct Template {
    /// The name that `include` and `template` use.
    pub name: Str,
    /// The text it stands in.
    pub source: Arc<Source>,
    pub(super) root: List,
}

impl Template {
    /// A template that prints nothing.
    pub(super) fn empty(name: Str, source: &Arc<Source>) -> Self {
        Self { name, source: Arc::clone(source), root: List::default() }
    }

    /// Whether there is nothing but space and comments in it: such a definition replaces no other.
    pub(super) fn is_empty(&self) -> bool {
        self.root.nodes.iter().all(|node| match node {
            Node::Text { start, end, .. } => {
                let text = &self.source.text[*start as usize..*end as usize];
                String::from_utf8_lossy(text).trim().is_empty()
            }
            _ => false,
        })
    }
}

/// The kind of a node, to tell apart those that start at one byte.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Text,
    Action,
    If,
    With,
    Range,
    Template,
    Break,
    Continue,
    List,
    Pipe,
    Command,
    Operand,
    /// A chain of fields on a parenthesised pipeline or a function.
    Chain,
}

/// The name of a node within its text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) pos: u32,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) pos: u32,
    pub(super) nodes: Box<[Node]>,
}

#[derive(Debug)]
pub(super) enum Node {
    /// Text between actions: a range of the source.
    Text {
        pos: u32,
        start: u32,
        end: u32,
    },
    Action(Box<Pipe>),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template {
        pos: u32,
        name: Str,
        pipe: Option<Box<Pipe>>,
    },
    Break(u32),
    Continue(u32),
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: List,
    pub(super) otherwise: Option<List>,
}

/// A variable's number within the text, where `$` is 0, and the bytes of its name there.
#[derive(Copy, Clone, Debug)]
pub(super) struct Name {
    pub(super) id: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A numeric constant and how it was written.
#[derive(Debug)]
pub(super) struct Numeral {
    pub(super) number: Number,
    pub(super) text: Str,
}

#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) pos: u32,
    /// One past the last byte of the pipeline's text.
    pub(super) end: u32,
    pub(super) assign: bool,
    pub(super) declares: Box<[Name]>,
    pub(super) commands: Box<[Command]>,
}

#[derive(Debug)]
pub(super) struct Command {
    pub(super) pos: u32,
    pub(super) operands: Box<[Operand]>,
}

/// Small, as a chart has tens of thousands: what can be read from the source is not kept a second time.
#[derive(Debug)]
pub(super) enum Operand {
    Dot(u32),
    Nil(u32),
    Bool(u32, bool),
    Number {
        pos: u32,
        numeral: Box<Numeral>,
    },
    /// `pos` and `end` are around the quotes.
    String {
        pos: u32,
        end: u32,
        text: Str,
    },
    Field {
        pos: u32,
        fields: Box<[Str]>,
    },
    Variable {
        pos: u32,
        name: Name,
        fields: Box<[Str]>,
    },
    Function {
        pos: u32,
        function: &'static Function,
    },
    Pipe(Box<Pipe>),
    Chain {
        pos: u32,
        inner: Box<Operand>,
        fields: Box<[Str]>,
    },
}

impl Node {
    pub(super) fn at(&self) -> At {
        let (pos, kind) = match self {
            Self::Text { pos, .. } => (*pos, NodeKind::Text),
            Self::Action(pipe) => (pipe.pos, NodeKind::Action),
            Self::If(branch) => (branch.pipe.pos, NodeKind::If),
            Self::With(branch) => (branch.pipe.pos, NodeKind::With),
            Self::Range(branch) => (branch.pipe.pos, NodeKind::Range),
            Self::Template { pos, .. } => (*pos, NodeKind::Template),
            Self::Break(pos) => (*pos, NodeKind::Break),
            Self::Continue(pos) => (*pos, NodeKind::Continue),
        };
        At { pos, kind }
    }
}

impl Operand {
    pub(super) fn at(&self) -> At {
        let (pos, kind) = match self {
            Self::Pipe(pipe) => return pipe.at(),
            Self::Chain { pos, .. } => (*pos, NodeKind::Chain),
            Self::Dot(pos)
            | Self::Nil(pos)
            | Self::Bool(pos, _)
            | Self::Number { pos, .. }
            | Self::String { pos, .. }
            | Self::Field { pos, .. }
            | Self::Variable { pos, .. }
            | Self::Function { pos, .. } => (*pos, NodeKind::Operand),
        };
        At { pos, kind }
    }
}

impl Pipe {
    pub(super) fn at(&self) -> At {
        At { pos: self.pos, kind: NodeKind::Pipe }
    }
}

impl Command {
    pub(super) fn at(&self) -> At {
        At { pos: self.pos, kind: NodeKind::Command }
    }
}

impl Template {
    /// The text of a node as messages quote it (Go's `Node.String`): made from the tree, so that spaces and comments
    /// of the source are not in it.
    pub(super) fn describe(&self, at: At) -> Vec<u8> {
        let mut printer = Printer { source: &self.source, out: Vec::new() };
        if at.kind == NodeKind::List {
            printer.list(&self.root);
        } else {
            printer.find_in_list(&self.root, at);
        }
        printer.out
    }

    /// The text of an operand as messages quote it.
    pub(super) fn describe_operand(&self, operand: &Operand) -> Vec<u8> {
        let mut printer = Printer { source: &self.source, out: Vec::new() };
        printer.operand(operand, false);
        printer.out
    }

    /// Line (from 1) and byte column (from 0, as Go counts) of an offset.
    pub(super) fn line_column(&self, pos: u32) -> (usize, usize) {
        let before = &self.source.text[..(pos as usize).min(self.source.text.len())];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = memchr::memrchr(b'\n', before).map_or(before.len(), |at| before.len() - at - 1);
        (line, column)
    }
}

struct Printer<'t> {
    source: &'t Source,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn source_bytes(&mut self, start: u32, end: u32) {
        self.out.extend_from_slice(self.source.bytes(start, end));
    }

    fn list(&mut self, list: &List) {
        for node in &list.nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text { start, end, .. } => {
                self.source_bytes(*start, *end);
            }
            Node::Action(pipe) => {
                self.put(b"{{");
                self.pipe(pipe);
                self.put(b"}}");
            }
            Node::If(branch) => self.branch(b"if", branch),
            Node::With(branch) => self.branch(b"with", branch),
            Node::Range(branch) => self.branch(b"range", branch),
            Node::Template { name, pipe, .. } => {
                self.put(b"{{template ");
                append_quote(&mut self.out, name, false);
                if let Some(pipe) = pipe {
                    self.put(b" ");
                    self.pipe(pipe);
                }
                self.put(b"}}");
            }
            Node::Break(_) => self.put(b"{{break}}"),
            Node::Continue(_) => self.put(b"{{continue}}"),
        }
    }

    fn branch(&mut self, keyword: &[u8], branch: &Branch) {
        self.put(b"{{");
        self.put(keyword);
        self.put(b" ");
        self.pipe(&branch.pipe);
        self.put(b"}}");
        self.list(&branch.list);
        if let Some(otherwise) = &branch.otherwise {
            self.put(b"{{else}}");
            self.list(otherwise);
        }
        self.put(b"{{end}}");
    }

    fn pipe(&mut self, pipe: &Pipe) {
        for (at, name) in pipe.declares.iter().enumerate() {
            if at > 0 {
                self.put(b", ");
            }
            self.source_bytes(name.start, name.end);
        }
        if !pipe.declares.is_empty() {
            self.put(if pipe.assign { b" = " } else { b" := " });
        }
        for (at, command) in pipe.commands.iter().enumerate() {
            if at > 0 {
                self.put(b" | ");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for (at, operand) in command.operands.iter().enumerate() {
            if at > 0 {
                self.put(b" ");
            }
            self.operand(operand, true);
        }
    }

    fn operand(&mut self, operand: &Operand, parenthesised: bool) {
        match operand {
            Operand::Dot(_) => self.put(b"."),
            Operand::Nil(_) => self.put(b"nil"),
            Operand::Bool(_, b) => self.put(if *b { b"true" } else { b"false" }),
            Operand::Number { numeral, .. } => self.put(&numeral.text),
            Operand::String { pos, end, .. } => self.source_bytes(*pos, *end),
            Operand::Field { fields, .. } => self.fields(fields),
            Operand::Variable { name, fields, .. } => {
                self.source_bytes(name.start, name.end);
                self.fields(fields);
            }
            Operand::Function { function, .. } => self.put(function.name.as_bytes()),
            Operand::Pipe(pipe) if parenthesised => {
                self.put(b"(");
                self.pipe(pipe);
                self.put(b")");
            }
            Operand::Pipe(pipe) => self.pipe(pipe),
            Operand::Chain { inner, fields, .. } => {
                self.operand(inner, true);
                self.fields(fields);
            }
        }
    }

    fn fields(&mut self, fields: &[Str]) {
        for field in fields {
            self.put(b".");
            self.put(field);
        }
    }

    /// Prints the node named `at` where it is below; whether it was found.
    fn find_in_list(&mut self, list: &List, at: At) -> bool {
        list.nodes.iter().any(|node| {
            if node.at() == at {
                self.node(node);
                return true;
            }
            match node {
                Node::Action(pipe) => self.find_in_pipe(pipe, at),
                Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                    self.find_in_pipe(&branch.pipe, at)
                        || self.find_in_list(&branch.list, at)
                        || branch.otherwise.as_ref().is_some_and(|list| self.find_in_list(list, at))
                }
                Node::Template { pipe: Some(pipe), .. } => self.find_in_pipe(pipe, at),
                _ => false,
            }
        })
    }

    fn find_in_pipe(&mut self, pipe: &Pipe, at: At) -> bool {
        if pipe.at() == at {
            self.pipe(pipe);
            return true;
        }
        pipe.commands.iter().any(|command| {
            if command.at() == at {
                self.command(command);
                return true;
            }
            command.operands.iter().any(|operand| self.find_in_operand(operand, at))
        })
    }

    fn find_in_operand(&mut self, operand: &Operand, at: At) -> bool {
        if operand.at() == at {
            self.operand(operand, false);
            return true;
        }
        match operand {
            Operand::Pipe(pipe) => self.find_in_pipe(pipe, at),
            Operand::Chain { inner, .. } => self.find_in_operand(inner, at),
            _ => false,
        }
    }
}
