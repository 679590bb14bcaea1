//! Documents as trees of [`Node`], every node and key with its place.

use super::compose::{Builder, Composer, Data, Document, Options};
use super::error::{Error, Extent, Problem};
use super::number::{Whole, as_integer};
use super::parse::Parser;
use crate::source::{FileId, Span};
use crate::value::{Entry, Map, Node, Number, Origin, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The keys that are remembered, to share their strings.
const KEYS: usize = 256;

/// Builds [`Node`]s. Whole floats become integers, as they do on the way through JSON.
pub struct NodeBuilder {
    file: FileId,
    keys: Vec<Option<Arc<str>>>,
}

impl NodeBuilder {
    /// A builder of nodes that lie in `file`.
    pub fn new(file: FileId) -> Self {
        Self { file, keys: vec![None; KEYS] }
    }

    fn written(&self, at: Extent) -> Origin {
        Origin::Written(at.span(self.file))
    }

    fn share(&mut self, key: &str) -> Arc<str> {
        let bytes = key.as_bytes();
        let hash = bytes
            .iter()
            .fold(bytes.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let slot = &mut self.keys[hash % KEYS];
        match slot {
            Some(known) if known.as_ref() == key => Arc::clone(known),
            _ => Arc::clone(slot.insert(Arc::from(key))),
        }
    }
}

impl Builder for NodeBuilder {
    type Value = Node;
    type List = Vec<Node>;
    type Map = Map;

    fn scalar(&mut self, data: Data<'_>, at: Extent) -> Node {
        let value = match data {
            Data::Null => Value::Null,
            Data::Bool(truth) => Value::Bool(truth),
            Data::Int(number) => Value::Number(Number::Int(number)),
            Data::Uint(number) => Value::Number(Number::Uint(number)),
            Data::Float(number) => Value::Number(match as_integer(number) {
                Some(Whole::Int(number)) => Number::Int(number),
                Some(Whole::Uint(number)) => Number::Uint(number),
                None => Number::Float(number),
            }),
            Data::String(text) => Value::String(Arc::from(text)),
        };
        Node { value, origin: self.written(at) }
    }

    fn list(&mut self) -> Vec<Node> {
        Vec::new()
    }

    fn item(&mut self, list: &mut Vec<Node>, value: Node) {
        list.push(value);
    }

    fn end_list(&mut self, list: Vec<Node>, at: Extent) -> Node {
        Node { value: Value::List(list), origin: self.written(at) }
    }

    fn map(&mut self) -> Map {
        Map::default()
    }

    fn member(&mut self, map: &mut Map, key: Cow<'_, str>, key_at: Extent, value: Node) -> Option<Extent> {
        let entry = Entry { key: self.written(key_at), node: value };
        let key = self.share(&key);
        let old = map.insert(key, entry)?;
        let span = old.key.span()?;
        Some(Extent { start: span.start, end: span.end })
    }

    fn end_map(&mut self, map: Map, at: Extent) -> Node {
        Node { value: Value::Map(map), origin: self.written(at) }
    }
}

/// A document of a stream, with its span.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    /// Its content.
    pub node: Node,
    /// From its first character to the end of its content, without `---`.
    pub span: Span,
}

/// Reads the one document of a text; a second one is an error. A text without content is null.
pub fn read(file: FileId, text: &str, options: Options) -> Result<Node, Error> {
    let mut composer = Composer::new(Parser::new(text), options);
    let mut builder = NodeBuilder::new(file);
    let Some(document) = composer.next_document(&mut builder)? else { return Ok(nothing(file)) };
    match composer.next_document(&mut builder)? {
        Some(second) if !second.empty => Err(Error::new(Problem::SecondDocument, second.at, 0)),
        _ => Ok(document.value),
    }
}

/// Reads the first document of a text and nothing behind it, as `sigs.k8s.io/yaml` does: what follows the first
/// document need not even be YAML.
pub fn read_first(file: FileId, text: &str, options: Options) -> Result<Node, Error> {
    let document = first(text, options, &mut NodeBuilder::new(file))?;
    Ok(document.map_or_else(|| nothing(file), |document| document.value))
}

/// Reads the first document of a text with a builder; `None` where the text holds none.
pub fn first<B: Builder>(
    text: &str,
    options: Options,
    builder: &mut B,
) -> Result<Option<Document<B::Value>>, Error> {
    Composer::new(Parser::new(text), options).next_document(builder)
}

/// Reads all documents of a text that hold something. After an error, reading goes on at the next line that
/// starts with `---`, so that every document's first error is found.
pub fn read_all(file: FileId, text: &str, options: Options) -> (Vec<Doc>, Vec<Error>) {
    let mut documents = Vec::new();
    let mut errors = Vec::new();
    let mut from = 0;
    let mut builder = NodeBuilder::new(file);
    loop {
        let mut shifted = Shifted { builder: &mut builder, by: u32::try_from(from).unwrap_or(u32::MAX) };
        let mut composer = Composer::new(Parser::new(&text[from..]), options);
        let error = loop {
            match composer.next_document(&mut shifted) {
                Ok(Some(document)) if document.empty => {}
                Ok(Some(document)) => {
                    let span = shifted.shift(document.at).span(file);
                    documents.push(Doc { node: document.value, span });
                }
                Ok(None) => return (documents, errors),
                Err(error) => break error.shifted(from),
            }
        };
        let at = (error.at().start as usize).max(from);
        errors.push(error);
        let rest = text.as_bytes();
        let next = memchr::memmem::find_iter(&rest[at.min(rest.len())..], b"\n---")
            .map(|found| at + found + 1)
            .find(|start| matches!(rest.get(start + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r')));
        match next {
            Some(next) => from = next,
            None => return (documents, errors),
        }
    }
}

fn nothing(file: FileId) -> Node {
    Node::new(Value::Null, Span::new(file, 0, 0))
}

/// A builder of places further into a text.
struct Shifted<'a> {
    builder: &'a mut NodeBuilder,
    by: u32,
}

impl Shifted<'_> {
    fn shift(&self, at: Extent) -> Extent {
        Extent { start: at.start.saturating_add(self.by), end: at.end.saturating_add(self.by) }
    }
}

impl Builder for Shifted<'_> {
    type Value = Node;
    type List = Vec<Node>;
    type Map = Map;

    fn scalar(&mut self, data: Data<'_>, at: Extent) -> Node {
        let at = self.shift(at);
        self.builder.scalar(data, at)
    }

    fn list(&mut self) -> Vec<Node> {
        self.builder.list()
    }

    fn item(&mut self, list: &mut Vec<Node>, value: Node) {
        self.builder.item(list, value);
    }

    fn end_list(&mut self, list: Vec<Node>, at: Extent) -> Node {
        let at = self.shift(at);
        self.builder.end_list(list, at)
    }

    fn map(&mut self) -> Map {
        self.builder.map()
    }

    fn member(&mut self, map: &mut Map, key: Cow<'_, str>, key_at: Extent, value: Node) -> Option<Extent> {
        let key_at = self.shift(key_at);
        let first = self.builder.member(map, key, key_at, value)?;
        // The composer speaks of its own text.
        Some(Extent { start: first.start.saturating_sub(self.by), end: first.end.saturating_sub(self.by) })
    }

    fn end_map(&mut self, map: Map, at: Extent) -> Node {
        let at = self.shift(at);
        self.builder.end_map(map, at)
    }
}
