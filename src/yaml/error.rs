//! What can be wrong with a YAML text, where, and how to mend it.
//!
//! An [`Error`] is one pointer wide and knows byte offsets only; [`Error::diagnostic`] adds the text that they lie
//! in. [`Error::go_message`] says the same in the words of go-yaml v2, for output that must equal Helm's.

use super::compose::MAP_WEIGHT;
use crate::diag::{Diagnostic, codes};
use crate::source::{FileId, Span};
use std::fmt::{self, Write as _};

/// A byte range of the text that was read.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Extent {
    /// The range `start..end`; offsets beyond 4 GiB saturate.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }

    /// This range in a text.
    pub fn span(self, file: FileId) -> Span {
        Span { file, start: self.start, end: self.end }
    }

    /// From the start of this one to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: self.end.max(last.end) }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is said in words by its message")]
pub enum Problem {
    // The bytes.
    InvalidUtf8,
    ControlCharacter(char),
    // The scanner.
    BadToken(char),
    MissingColon,
    FlowTooDeep,
    IndentTooDeep,
    EntryNotAllowed,
    KeyNotAllowed,
    ValueNotAllowed(Above),
    Directive(&'static str),
    Tag(&'static str),
    AnchorName,
    BlockHeader(&'static str),
    BlockTab,
    PlainTab,
    QuoteIndicator,
    QuoteUnclosed,
    Escape(&'static str),
    // The parser.
    ExpectedDocumentStart,
    DuplicateVersion,
    IncompatibleVersion,
    DuplicateTagDirective,
    UndefinedTagHandle,
    NoContent,
    ExpectedDash,
    ExpectedKey,
    ExpectedFlowSequence,
    ExpectedFlowMapping,
    // What the document says.
    UnknownAnchor(String),
    ContainsItself(String),
    ExcessiveAliasing,
    WrongTag { found: &'static str, text: String, tag: String },
    Binary,
    MergeNotMap,
    KeyNotScalar,
    UnsupportedKey(&'static str),
    NotFinite(String),
    DuplicateKey(String),
    TooDeep(usize),
    TooLarge(u64),
    SecondDocument,
}

/// What a `: ` that cannot stand where it does goes on with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Above {
    /// Nothing: it is the second one of its line.
    Nothing,
    /// A key that has its value already.
    Value,
    /// A text that was meant to be a key.
    Text,
}

/// Which part of go-yaml finds it: decides how it counts lines.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Layer {
    Reader,
    Scanner,
    Parser,
    Document,
}

impl Problem {
    fn layer(&self) -> Layer {
        match self {
            Self::InvalidUtf8 | Self::ControlCharacter(_) => Layer::Reader,
            Self::BadToken(_)
            | Self::MissingColon
            | Self::FlowTooDeep
            | Self::IndentTooDeep
            | Self::EntryNotAllowed
            | Self::KeyNotAllowed
            | Self::ValueNotAllowed(_)
            | Self::Directive(_)
            | Self::Tag(_)
            | Self::AnchorName
            | Self::BlockHeader(_)
            | Self::BlockTab
            | Self::PlainTab
            | Self::QuoteIndicator
            | Self::QuoteUnclosed
            | Self::Escape(_) => Layer::Scanner,
            Self::ExpectedDocumentStart
            | Self::DuplicateVersion
            | Self::IncompatibleVersion
            | Self::DuplicateTagDirective
            | Self::UndefinedTagHandle
            | Self::NoContent
            | Self::ExpectedDash
            | Self::ExpectedKey
            | Self::ExpectedFlowSequence
            | Self::ExpectedFlowMapping => Layer::Parser,
            _ => Layer::Document,
        }
    }
}

/// A text that is refused, with the place.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    problem: Problem,
    at: Extent,
    related: Option<(Extent, &'static str)>,
    /// The line as go-yaml counts it, from 0: NEL, LS and PS end lines too.
    line: usize,
}

impl Error {
    pub(super) fn new(problem: Problem, at: Extent, line: usize) -> Self {
        Self(Box::new(Inner { problem, at, related: None, line }))
    }

    pub(super) fn because(mut self, at: Extent, text: &'static str) -> Self {
        self.0.related = Some((at, text));
        self
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Where.
    pub fn at(&self) -> Extent {
        self.0.at
    }

    /// A second place that explains it: the first of two equal keys, the bracket that is not closed.
    pub fn related(&self) -> Option<Extent> {
        self.0.related.map(|(at, _)| at)
    }

    /// Whether the text is at fault rather than what it says. go-yaml binds aliases while it parses.
    pub(super) fn is_syntax(&self) -> bool {
        self.0.problem.layer() != Layer::Document || matches!(self.0.problem, Problem::UnknownAnchor(_))
    }

    /// This error, found `by` bytes further into a larger text.
    #[must_use]
    pub(super) fn shifted(mut self, by: usize) -> Self {
        let by = u32::try_from(by).unwrap_or(u32::MAX);
        let shift =
            |at: Extent| Extent { start: at.start.saturating_add(by), end: at.end.saturating_add(by) };
        self.0.at = shift(self.0.at);
        self.0.related = self.0.related.map(|(at, text)| (shift(at), text));
        self
    }

    /// The text that `sigs.k8s.io/yaml` has for it, behind `error converting YAML to JSON: `.
    ///
    /// Lines are counted as `fail` in decode.go (v2.4.2) does: the scanner's from 1, the parser's from 0, and
    /// none on the first line.
    pub fn go_message(&self) -> String {
        let line = match (self.0.problem.layer(), self.0.line) {
            (Layer::Scanner, line) if line > 0 => Some(line + 1),
            (Layer::Parser, line) if line > 0 => Some(line),
            _ => None,
        };
        let mut out = "yaml: ".to_owned();
        if let Some(line) = line {
            let _infallible = write!(out, "line {line}: ");
        }
        let text = match &self.0.problem {
            Problem::InvalidUtf8 => "invalid leading UTF-8 octet",
            Problem::ControlCharacter(_) => "control characters are not allowed",
            Problem::BadToken(_) => "found character that cannot start any token",
            Problem::MissingColon => "could not find expected ':'",
            Problem::FlowTooDeep | Problem::IndentTooDeep => "exceeded max depth of 10000",
            Problem::EntryNotAllowed => "block sequence entries are not allowed in this context",
            Problem::KeyNotAllowed => "mapping keys are not allowed in this context",
            Problem::ValueNotAllowed(_) => "mapping values are not allowed in this context",
            Problem::Directive(text)
            | Problem::Tag(text)
            | Problem::BlockHeader(text)
            | Problem::Escape(text) => text,
            Problem::AnchorName => "did not find expected alphabetic or numeric character",
            Problem::BlockTab => "found a tab character where an indentation space is expected",
            Problem::PlainTab => "found a tab character that violates indentation",
            Problem::QuoteIndicator => "found unexpected document indicator",
            Problem::QuoteUnclosed => "found unexpected end of stream",
            Problem::ExpectedDocumentStart => "did not find expected <document start>",
            Problem::DuplicateVersion => "found duplicate %YAML directive",
            Problem::IncompatibleVersion => "found incompatible YAML document",
            Problem::DuplicateTagDirective => "found duplicate %TAG directive",
            Problem::UndefinedTagHandle => "found undefined tag handle",
            Problem::NoContent => "did not find expected node content",
            Problem::ExpectedDash => "did not find expected '-' indicator",
            Problem::ExpectedKey => "did not find expected key",
            Problem::ExpectedFlowSequence => "did not find expected ',' or ']'",
            Problem::ExpectedFlowMapping => "did not find expected ',' or '}'",
            Problem::UnknownAnchor(name) => return format!("yaml: unknown anchor '{name}' referenced"),
            Problem::ContainsItself(name) => return format!("yaml: anchor '{name}' value contains itself"),
            Problem::ExcessiveAliasing => "document contains excessive aliasing",
            Problem::WrongTag { found, text, tag } => {
                return format!("yaml: cannot decode {found} `{text}` as a {tag}");
            }
            Problem::Binary => "!!binary value contains invalid base64 data",
            Problem::MergeNotMap => "map merge requires map or sequence of maps as the value",
            Problem::KeyNotScalar => "invalid map key",
            Problem::UnsupportedKey("<nil>") => {
                return "unsupported map key of type: %!s(<nil>), key: <nil>, value: ".to_owned();
            }
            Problem::UnsupportedKey(kind) => return format!("unsupported map key of type: {kind}, key: "),
            Problem::NotFinite(text) => return format!("json: unsupported value: {text}"),
            Problem::DuplicateKey(key) => {
                return format!(
                    "yaml: unmarshal errors:\n  line {}: key {key:?} already set in map",
                    self.0.line + 1
                );
            }
            Problem::TooDeep(_) => "exceeded max depth",
            Problem::TooLarge(_) => "document holds too many values",
            Problem::SecondDocument => "expected a single document in the stream",
        };
        out.push_str(text);
        out
    }

    /// This error as a finding in `file`, whose text is the one that was read.
    pub fn diagnostic(&self, file: FileId) -> Diagnostic {
        let code = match self.0.problem {
            Problem::DuplicateKey(_) => codes::YAML_DUPLICATE_KEY,
            _ => codes::YAML_SYNTAX,
        };
        let advice = self.advice();
        let mut found = Diagnostic::error(code, self.to_string()).at(self.0.at.span(file), advice.label);
        if let Some((at, text)) = self.0.related {
            found = found.related(at.span(file), text);
        }
        if advice.help.is_empty() { found } else { found.help(advice.help) }
    }

    fn advice(&self) -> Advice {
        let (label, help) = match &self.0.problem {
            Problem::InvalidUtf8 => ("", "save the file as UTF-8"),
            Problem::ControlCharacter(_) => {
                ("", "remove the character, or write it as an escape such as `\\x00` inside double quotes")
            }
            Problem::BadToken('\t') => ("a tab", "indent with spaces: YAML does not allow tabs there"),
            Problem::BadToken('@' | '`') => {
                ("", "put the value in quotes: `@` and a backtick are reserved at the start of a value")
            }
            Problem::BadToken('%') => ("", "put the value in quotes: `%` starts a directive"),
            Problem::BadToken(_) => ("", "put the value in quotes"),
            Problem::MissingColon => (
                "a key without its `:`",
                "write `key: value` with a space behind the colon, or indent the line deeper where it continues the text above",
            ),
            Problem::TooLarge(_) => ("", "check for a mistake in what made this text"),
            Problem::FlowTooDeep | Problem::IndentTooDeep | Problem::TooDeep(_) => {
                ("", "no Kubernetes object nests so deep: check for a mistake in what made this text")
            }
            Problem::EntryNotAllowed => (
                "",
                "put the `-` on a line of its own, indented no less than its key; quote a value that starts with `- `",
            ),
            Problem::KeyNotAllowed => {
                ("", "put the key on a line of its own; quote a value that starts with `? `")
            }
            Problem::ValueNotAllowed(Above::Nothing) => (
                "a second `: ` in one line",
                "quote a value that holds `: `, or check the indentation of this line and of the one above",
            ),
            Problem::ValueNotAllowed(Above::Value) => (
                "this line is indented deeper",
                "indent this line as the key above it is, or take the value of that key away where a map should follow",
            ),
            Problem::ValueNotAllowed(Above::Text) => (
                "this line goes on with the text above",
                "write `key: value` with a space behind the colon, and indent this line as the keys beside it are",
            ),
            Problem::Directive(_) => {
                ("", "a line that starts with `%` is a directive: quote or indent it if it is text")
            }
            Problem::Tag(_) | Problem::UndefinedTagHandle => {
                ("", "quote a value that starts with `!`: it is read as a tag")
            }
            Problem::AnchorName => {
                ("", "quote a value that starts with `&` or `*`: they name anchors and aliases")
            }
            Problem::BlockHeader(_) => (
                "",
                "behind `|` or `>` only `-`, `+`, a digit from 1 to 9 and a comment may follow; the text starts on the next line",
            ),
            Problem::BlockTab | Problem::PlainTab => {
                ("", "indent with spaces: YAML does not allow tabs there")
            }
            Problem::QuoteIndicator | Problem::QuoteUnclosed => {
                ("", "close the quote, or double a quote that is part of the text")
            }
            Problem::Escape(_) => (
                "",
                "write a backslash as `\\\\`, or use single quotes, where a backslash is only a backslash",
            ),
            Problem::ExpectedDocumentStart => {
                ("", "check the indentation, or start the next document with a line `---`")
            }
            Problem::IncompatibleVersion => ("", "remove the `%YAML` line: Kubernetes reads YAML 1.1 only"),
            Problem::DuplicateVersion | Problem::DuplicateTagDirective => ("", "remove one of them"),
            Problem::NoContent => {
                ("", "write a value here, or quote one that starts with a character such as `]`, `}` or `,`")
            }
            Problem::ExpectedDash => ("", "start the line with `- `, or indent it as the items above are"),
            Problem::ExpectedKey => (
                "",
                "indent the line exactly as the other keys of its map are; quote a value that starts with a quote, `{` or `[`, and one that holds `{{`",
            ),
            Problem::ExpectedFlowSequence => ("", "separate the items with `,` and close the list with `]`"),
            Problem::ExpectedFlowMapping => (
                "",
                "separate the members with `,` and close the map with `}`; quote a value that starts with `{{`",
            ),
            Problem::UnknownAnchor(_) => {
                ("", "define it above with `&name`, or quote the value if it is text that starts with `*`")
            }
            Problem::ContainsItself(_) => ("", "take the alias out of the value that it names"),
            Problem::ExcessiveAliasing => {
                ("", "write the values out instead of building them from aliases of aliases")
            }
            Problem::WrongTag { .. } => ("", "remove the tag or change the value"),
            Problem::Binary => ("", "write standard base64, padded with `=`"),
            Problem::MergeNotMap => ("", "`<<` takes a map, an alias of a map, or a list of them"),
            Problem::KeyNotScalar => {
                ("", "quote a key that starts with `{` or `[`; an unquoted `{{ ... }}` is read as a map")
            }
            Problem::UnsupportedKey(_) => ("", "quote the key"),
            Problem::NotFinite(_) => {
                ("", "quote it, if it is meant as text: JSON and Kubernetes know no such number")
            }
            Problem::DuplicateKey(_) => ("set again here", "keep one of the two"),
            Problem::SecondDocument => ("", "keep one document in this file"),
        };
        Advice { label, help }
    }
}

struct Advice {
    label: &'static str,
    help: &'static str,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            Problem::InvalidUtf8 => out.write_str("the text is not UTF-8"),
            Problem::ControlCharacter(c) => {
                write!(out, "control character U+{:04X} is not allowed in YAML", u32::from(*c))
            }
            Problem::BadToken('\t') => out.write_str("a tab cannot indent YAML"),
            Problem::BadToken(c) => write!(out, "`{c}` cannot start a value"),
            Problem::MissingColon => {
                out.write_str("this line is neither `key: value` nor part of the text above")
            }
            Problem::FlowTooDeep | Problem::IndentTooDeep => {
                out.write_str("more than 10000 levels of nesting")
            }
            Problem::EntryNotAllowed => out.write_str("a list item cannot start here"),
            Problem::KeyNotAllowed => out.write_str("a key cannot start here"),
            Problem::ValueNotAllowed(_) => out.write_str("`: ` cannot stand here"),
            Problem::Directive(text) => write!(out, "malformed `%` directive: {text}"),
            Problem::Tag(text) => write!(out, "malformed tag: {text}"),
            Problem::AnchorName => out.write_str("malformed name of an anchor or alias"),
            Problem::BlockHeader(text) => write!(out, "malformed start of a block text: {text}"),
            Problem::BlockTab => out.write_str("a tab stands where a block text is indented"),
            Problem::PlainTab => out.write_str("a tab stands where a continued text is indented"),
            Problem::QuoteIndicator => out.write_str("a document ends inside a quoted text"),
            Problem::QuoteUnclosed => out.write_str("a quoted text is not closed"),
            Problem::Escape(text) => write!(out, "malformed escape in double quotes: {text}"),
            Problem::ExpectedDocumentStart => out.write_str("text behind the end of the document"),
            Problem::DuplicateVersion => out.write_str("a second `%YAML` directive"),
            Problem::IncompatibleVersion => out.write_str("a version of YAML other than 1.1"),
            Problem::DuplicateTagDirective => out.write_str("a second `%TAG` directive for one handle"),
            Problem::UndefinedTagHandle => out.write_str("a tag with an undefined handle"),
            Problem::NoContent => out.write_str("a value was expected here"),
            Problem::ExpectedDash => {
                out.write_str("a `-` was expected: this line does not belong to the list above")
            }
            Problem::ExpectedKey => {
                out.write_str("a key was expected: this does not belong to the map above")
            }
            Problem::ExpectedFlowSequence => out.write_str("`,` or `]` was expected"),
            Problem::ExpectedFlowMapping => out.write_str("`,` or `}` was expected"),
            Problem::UnknownAnchor(name) => write!(out, "the anchor `{name}` is not defined"),
            Problem::ContainsItself(name) => write!(out, "the value of the anchor `{name}` contains itself"),
            Problem::ExcessiveAliasing => out.write_str("the aliases of this document expand to too much"),
            Problem::WrongTag { found, text, tag } => {
                write!(out, "`{text}` is {found} and cannot be read as `{tag}`")
            }
            Problem::Binary => out.write_str("a `!!binary` value is not base64"),
            Problem::MergeNotMap => out.write_str("`<<` merges something that is not a map"),
            Problem::KeyNotScalar => out.write_str("a list or map cannot be a key"),
            Problem::UnsupportedKey(kind) => match *kind {
                "<nil>" => out.write_str("null cannot be a key"),
                _ => out.write_str("an integer above 9223372036854775807 cannot be a key"),
            },
            Problem::NotFinite(_) => out.write_str("infinity and not-a-number cannot be values"),
            Problem::DuplicateKey(key) => write!(out, "the key `{key}` is set twice"),
            Problem::TooDeep(limit) => write!(out, "more than {limit} levels of nesting"),
            Problem::TooLarge(limit) => {
                write!(out, "more than {limit} values, each map counted as {MAP_WEIGHT}")
            }
            Problem::SecondDocument => out.write_str("a second document"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self} at {}..{}", self.0.at.start, self.0.at.end)
    }
}

impl std::error::Error for Error {}
