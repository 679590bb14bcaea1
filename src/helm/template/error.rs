//! The errors of templates, with Go's texts.

use super::tree::Source;
use crate::helm::strconv::{quote, shown};
use crate::helm::value::Str;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Why a function failed.
#[derive(Clone, Debug)]
pub enum FuncError {
    /// A Go error or panic: what stands after "error calling NAME: ".
    Message(Str),
    /// A template that the function executed failed.
    Template(Box<ExecError>),
    /// The same, with words of the function before it.
    Wrapped(Str, Box<ExecError>),
    /// A name that nothing has: the same text, and the name that was perhaps meant.
    Unknown(Str, Option<Str>),
    /// A limit of the render was met; ends it.
    Limit(&'static str),
}

impl FuncError {
    /// A Go error or panic with this text.
    pub fn message(text: impl Into<Str>) -> Self {
        let text = text.into();
        match shown(&text) {
            Cow::Borrowed(_) => Self::Message(text),
            Cow::Owned(cut) => Self::Message(cut.into()),
        }
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) | Self::Unknown(text, _) => fmt::Display::fmt(text, out),
            Self::Template(error) => fmt::Display::fmt(error, out),
            Self::Wrapped(text, error) => write!(out, "{text}{error}"),
            Self::Limit(what) => write!(out, "{}", limit_text(what)),
        }
    }
}

/// What is said of a limit that was met.
pub(crate) fn limit_text(what: &str) -> String {
    format!("the chart needs more than the limit of {what}")
}

/// What made an execution fail, below the place where it did.
#[derive(Clone, Debug)]
pub enum Cause {
    /// A function's own error.
    Text(Str),
    /// A template executed by the function.
    Template(Box<ExecError>),
    /// The same, with words of the function before it.
    Wrapped(Str, Box<ExecError>),
}

/// An execution that failed: one link of a chain from the outermost template to the innermost.
#[derive(Clone, Debug)]
pub struct ExecError {
    /// The template that was executing.
    pub template: Str,
    /// The text it stands in; `None` where no place is known.
    pub source: Option<Arc<Source>>,
    /// Offset of the place in that text.
    pub pos: u32,
    /// Its line, from 1.
    pub line: usize,
    /// Its byte column, from 0 as Go counts.
    pub column: usize,
    /// The expression there, as Go prints it.
    pub expression: Vec<u8>,
    /// What went wrong, up to the cause.
    pub message: Vec<u8>,
    /// What was beneath it.
    pub cause: Option<Cause>,
    /// The name that was perhaps meant, where one was wrong.
    pub meant: Option<Str>,
    /// Whether a limit of this program ended the render, not a rule of the language.
    pub limited: bool,
}

impl ExecError {
    /// The whole text as Go prints it.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append_text(&mut out);
        out
    }

    fn append_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"template: ");
        if let Some(source) = &self.source {
            out.extend_from_slice(&source.name);
            out.extend_from_slice(format!(":{}:{}: executing ", self.line, self.column).as_bytes());
            out.extend_from_slice(&quote(&self.template));
            out.extend_from_slice(b" at <");
            out.extend_from_slice(&self.expression);
            out.extend_from_slice(b">: ");
        } else {
            out.extend_from_slice(&self.template);
            out.extend_from_slice(b": ");
        }
        out.extend_from_slice(&self.message);
        match &self.cause {
            None => {}
            Some(Cause::Text(text)) => out.extend_from_slice(text),
            Some(Cause::Template(inner)) => inner.append_text(out),
            Some(Cause::Wrapped(text, inner)) => {
                out.extend_from_slice(text);
                inner.append_text(out);
            }
        }
    }

    /// The innermost link: where it went wrong.
    pub fn innermost(&self) -> &Self {
        match &self.cause {
            Some(Cause::Template(inner) | Cause::Wrapped(_, inner)) => inner.innermost(),
            _ => self,
        }
    }

    /// The links from the outermost to the innermost.
    pub fn chain(&self) -> Vec<&Self> {
        let mut out = vec![self];
        let mut at = self;
        while let Some(Cause::Template(inner) | Cause::Wrapped(_, inner)) = &at.cause {
            out.push(inner);
            at = inner;
        }
        out
    }

    /// The text that Helm makes of it, for an error while executing a chart's file.
    ///
    /// `required` and `fail` mark their words, which then stand alone behind the outermost place. Helm 4 spreads a
    /// chain over lines where each link of it can be read back (engine.go, `reformatExecErrorMsg`, 4.2.4).
    pub fn helm_text(&self, multi_line: bool) -> Vec<u8> {
        let text = self.text();
        let Some((location, rest)) = split_location(&text) else { return text };
        if let Some(warning) = marked(rest) {
            return [b"execution error at (", location, b"): ", warning].concat();
        }
        if multi_line && let Some(lines) = self.trace() {
            return lines;
        }
        text
    }

    fn trace(&self) -> Option<Vec<u8>> {
        let mut links: Vec<Link> = Vec::new();
        let mut push = |text: &[u8]| -> Option<()> {
            let link = Link::parse(text)?;
            if links.last() != Some(&link) {
                links.push(link);
            }
            Some(())
        };
        let mut at = self;
        loop {
            push(&at.text())?;
            match &at.cause {
                None => break,
                Some(Cause::Text(text)) => {
                    push(text)?;
                    break;
                }
                Some(Cause::Template(inner)) => at = inner,
                Some(Cause::Wrapped(text, inner)) => {
                    push(&[&text[..], &inner.text()].concat())?;
                    at = inner;
                }
            }
        }
        let lines: Vec<u8> = links.iter().flat_map(Link::lines).collect();
        Some(crate::helm::unicode::trim(&lines).to_vec())
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::helm::value::lossy(&self.text()))
    }
}

impl std::error::Error for ExecError {}

/// `required` and `fail` put their words between these.
pub(crate) const MARK_START: &[u8] = b"HELM_ERR_START";
/// The end of such words.
pub(crate) const MARK_END: &[u8] = b"HELM_ERR_END";

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

/// `template: LOCATION: REST`.
fn split_location(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = find(text, b": ")? + 2;
    let second = first + find(&text[first..], b": ")?;
    Some((&text[first..second], &text[second + 2..]))
}

fn marked(text: &[u8]) -> Option<&[u8]> {
    let start = find(text, MARK_START)? + MARK_START.len();
    let end = memchr::memmem::rfind(text, MARK_END)?;
    text.get(start..end)
}

/// One link of a chain as Helm 4 reads it back from its text.
#[derive(PartialEq, Eq)]
struct Link {
    location: Vec<u8>,
    message: Vec<u8>,
    executing: Vec<u8>,
}

impl Link {
    fn parse(text: &[u8]) -> Option<Self> {
        let rest = text.strip_prefix(b"template: ")?;
        if rest.starts_with(b"no template ") {
            return Some(Self { location: Vec::new(), message: text.to_vec(), executing: Vec::new() });
        }
        let until_next =
            |message: &[u8]| message[..find(message, b" template:").unwrap_or(message.len())].to_vec();
        Self::parse_executing(rest, until_next).or_else(|| {
            let at = memchr::memmem::rfind(rest, b": ")?;
            Some(Self {
                location: rest[..at].to_vec(),
                message: until_next(&rest[at + 2..]),
                executing: Vec::new(),
            })
        })
    }

    fn parse_executing(rest: &[u8], until_next: impl Fn(&[u8]) -> Vec<u8>) -> Option<Self> {
        const EXECUTING: &[u8] = b": executing ";
        let at = find(rest, EXECUTING)?;
        let quoted = rest[at + EXECUTING.len()..].strip_prefix(b"\"")?;
        let close = memchr::memchr(b'"', quoted)?;
        let place = quoted[close + 1..].strip_prefix(b" at <")?;
        let end = find(place, b">: ")?;
        Some(Self {
            location: rest[..at].to_vec(),
            message: until_next(&place[end + 3..]),
            executing: [b"executing \"", &quoted[..close], b"\" at <", &place[..end], b">:"].concat(),
        })
    }

    fn lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (text, after) in [(&self.location, "\n  "), (&self.executing, "\n    "), (&self.message, "\n")] {
            if !text.is_empty() {
                out.extend_from_slice(text);
                out.extend_from_slice(after.as_bytes());
            }
        }
        out
    }
}

/// The words of a limit, for the message of an [`ExecError`].
pub(super) fn limit_message(what: &str) -> Vec<u8> {
    limit_text(what).into_bytes()
}
