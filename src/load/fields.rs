//! Reads the maps of our own documents: known keys only, every fault with its place.

use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::source::Span;
use crate::value::{Entry, Map, Node, Origin, OriginKind, Value};
use std::sync::Arc;

/// A text with its place.
pub(crate) type Text = (Arc<str>, Option<Span>);

/// A map whose keys are known, with the words for it in messages.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    map: &'n Map,
    span: Option<Span>,
    what: &'n str,
}

impl<'n> Fields<'n> {
    /// The members of `node`, which has to be a map of `known` keys only. `what` is the thing in words, with names in
    /// backticks.
    pub(crate) fn open(
        node: &'n Node,
        what: &'n str,
        known: &[&str],
        sink: &mut Sink,
    ) -> Result<Self, Reported> {
        let fields = Self::any(node, what, sink)?;
        for (key, entry) in fields.map {
            if !known.contains(&key.as_ref()) {
                let _told = sink.report(unknown_key(key, entry, what, known));
            }
        }
        Ok(fields)
    }

    /// The members of `node`, whatever their keys.
    pub(crate) fn any(node: &'n Node, what: &'n str, sink: &mut Sink) -> Result<Self, Reported> {
        match &node.value {
            Value::Map(map) => Ok(Self { map, span: node.span(), what }),
            _ => Err(sink.report(wrong_type(node, what, "a map"))),
        }
    }

    /// All members.
    pub(crate) fn entries(&self) -> &'n Map {
        self.map
    }

    /// A member; one that is null counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.map.get(key).map(|entry| &entry.node).filter(|node| node.value != Value::Null)
    }

    /// The place of a member's key.
    pub(crate) fn key_span(&self, key: &str) -> Option<Span> {
        self.map.get(key).and_then(|entry| entry.key.span())
    }

    /// A member that has to be there.
    pub(crate) fn required(&self, key: &str, sink: &mut Sink) -> Result<&'n Node, Reported> {
        self.get(key).ok_or_else(|| {
            let place = self.key_span(key).or(self.span.map(Span::head));
            sink.report(
                Diagnostic::error(codes::MISSING_FIELD, format!("`{key}` is missing in {}", self.what))
                    .at(place, "")
                    .help(format!("add `{key}: ...` here")),
            )
        })
    }

    /// A string, where the member is there.
    pub(crate) fn text(&self, key: &str, sink: &mut Sink) -> Result<Option<Arc<str>>, Reported> {
        self.get(key).map(|node| text(node, &self.name(key), sink)).transpose()
    }

    /// A string that has to be there and not be empty.
    pub(crate) fn required_text(&self, key: &str, sink: &mut Sink) -> Result<Arc<str>, Reported> {
        let node = self.required(key, sink)?;
        let found = text(node, &self.name(key), sink)?;
        if found.is_empty() {
            let words = format!("{} is empty", self.name(key));
            return Err(sink.report(Diagnostic::error(codes::INVALID_VALUE, words).at(node.span(), "")));
        }
        Ok(found)
    }

    /// A boolean; `false` where the member is absent.
    pub(crate) fn flag(&self, key: &str, sink: &mut Sink) -> Result<bool, Reported> {
        match self.get(key) {
            None => Ok(false),
            Some(node) => {
                node.as_bool().ok_or_else(|| sink.report(wrong_type(node, &self.name(key), "true or false")))
            }
        }
    }

    /// The items of a list; none where the member is absent.
    pub(crate) fn list(&self, key: &str, sink: &mut Sink) -> Result<&'n [Node], Reported> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) => {
                node.as_list().ok_or_else(|| sink.report(wrong_type(node, &self.name(key), "a list")))
            }
        }
    }

    /// A list of strings; empty where the member is absent.
    pub(crate) fn texts(&self, key: &str, sink: &mut Sink) -> Result<Vec<Text>, Reported> {
        let mut found = Vec::new();
        let mut failed = None;
        for item in self.list(key, sink)? {
            match text(item, &format!("an item of {}", self.name(key)), sink) {
                Ok(text) => found.push((text, item.span())),
                Err(told) => failed = Some(told),
            }
        }
        failed.map_or(Ok(found), Err)
    }

    /// A member of a set of words, where it is there.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        sink: &mut Sink,
    ) -> Result<Option<T>, Reported> {
        let Some(node) = self.get(key) else { return Ok(None) };
        word(node, &self.name(key), words, sink).map(Some)
    }

    /// The name of a member in messages.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("`{key}` of {}", self.what)
    }
}

/// The string of a node.
pub(crate) fn text(node: &Node, what: &str, sink: &mut Sink) -> Result<Arc<str>, Reported> {
    match &node.value {
        Value::String(text) => Ok(Arc::clone(text)),
        Value::Number(_) | Value::Bool(_) => {
            Err(sink.report(wrong_type(node, what, "a string").help(if made(&node.origin) {
                "write `string(...)` around it"
            } else {
                "put it in quotes: YAML reads it as a number or a boolean"
            })))
        }
        _ => Err(sink.report(wrong_type(node, what, "a string"))),
    }
}

/// Whether an expression made the value.
fn made(origin: &Origin) -> bool {
    matches!(origin, Origin::Link(kind) if matches!(kind.as_ref(), OriginKind::Expression { .. }))
}

/// The meaning of one of `words`.
pub(crate) fn word<T: Copy>(
    node: &Node,
    what: &str,
    words: &[(&str, T)],
    sink: &mut Sink,
) -> Result<T, Reported> {
    let found = text(node, what, sink)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == found.as_ref()) {
        return Ok(*meaning);
    }
    let all = words.iter().map(|(word, _)| *word);
    let mut finding =
        Diagnostic::error(codes::INVALID_VALUE, format!("{what} cannot be `{found}`")).at(node.span(), "");
    finding = match did_you_mean(&found, all.clone()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("it is one of {}", quoted(all))),
    };
    Err(sink.report(finding))
}

/// The finding for a value of the wrong type; `wanted` with its article.
pub(crate) fn wrong_type(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    let label = format!("this is {}", article(node.value.kind()));
    Diagnostic::error(codes::WRONG_TYPE, format!("{what} has to be {wanted}")).at(node.span(), label)
}

/// The finding for a key that nobody knows.
pub(crate) fn unknown_key(key: &str, entry: &Entry, what: &str, known: &[&str]) -> Diagnostic {
    let found = Diagnostic::error(codes::UNKNOWN_KEY, format!("unknown key `{key}` in {what}"))
        .at(entry.key.span(), "not known here");
    suggest(found, key, known.iter().copied(), "the keys here are")
}

/// Adds the nearest candidate as advice, or all of them where none is near and they are few.
pub(crate) fn suggest<'a>(
    finding: Diagnostic,
    word: &str,
    candidates: impl Iterator<Item = &'a str> + Clone,
    lead: &str,
) -> Diagnostic {
    match did_you_mean(word, candidates.clone()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if candidates.clone().next().is_none() => finding,
        None => finding.help(format!("{lead} {}", quoted(candidates))),
    }
}

/// `a`, `b` and `c`.
pub(crate) fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The name of a type with its article.
pub(crate) fn article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "integer" => "an integer".to_owned(),
        other => format!("a {other}"),
    }
}

/// Whether `name` is a DNS label of at most `longest` bytes.
pub(crate) fn is_label(name: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= longest
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// The finding for a name that is no DNS label.
pub(crate) fn invalid_label(name: &str, what: &str, longest: usize, span: Option<Span>) -> Diagnostic {
    let fact = if name.len() > longest && is_label(name, usize::MAX) {
        format!("the name of {what} has {} characters: at most {longest} are allowed", name.len())
    } else {
        format!("`{name}` cannot be the name of {what}")
    };
    Diagnostic::error(codes::INVALID_NAME, fact).at(span, "").help(format!(
        "use lower-case letters, digits and `-`, starting and ending with a letter or digit, at most {longest} characters"
    ))
}
