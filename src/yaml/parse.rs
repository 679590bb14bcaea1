//! The parser: tokens to events, by the state machine of libyaml as go-yaml v2 has it (parserc.go, v2.4.2).
//!
//! It keeps its own stack, so nesting costs no stack of the thread.

use super::error::{Error, Extent, Problem};
use super::input::Input;
use super::scan::{Kind, Scanner, Style, Token};
use std::borrow::Cow;

/// One step of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// What happens.
    pub kind: EventKind<'a>,
    /// Where: of a scalar with its quotes, without its anchor and tag.
    pub at: Extent,
    /// The line of `at`, from 0, as go-yaml counts.
    pub(super) line: usize,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind<'a> {
    /// A document starts.
    DocumentStart,
    /// It ends.
    DocumentEnd,
    /// The stream ends, and says so from here on.
    StreamEnd,
    /// `*name`
    Alias(&'a str),
    /// A scalar.
    Scalar(Scalar<'a>),
    /// A list starts.
    SequenceStart {
        /// `&name`
        anchor: Option<&'a str>,
    },
    /// It ends.
    SequenceEnd,
    /// A map starts; keys and values follow in turn.
    MappingStart {
        /// `&name`
        anchor: Option<&'a str>,
    },
    /// It ends.
    MappingEnd,
}

/// A scalar as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar<'a> {
    /// Its text, unfolded and unescaped.
    pub text: Cow<'a, str>,
    /// How it is written.
    pub style: Style,
    /// The whole tag, such as `tag:yaml.org,2002:str`.
    pub tag: Option<Box<str>>,
    /// `&name`
    pub anchor: Option<&'a str>,
}

impl Scalar<'_> {
    /// Whether what it is follows from its text: plain without a tag, or with the tag `!`.
    pub(super) fn implicit(&self) -> bool {
        match self.tag.as_deref() {
            None => self.style == Style::Plain,
            Some(tag) => tag == "!",
        }
    }
}

#[derive(Copy, Clone, Debug)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Reads events one by one.
pub struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where the collections around the place start.
    marks: Vec<Extent>,
    tag_directives: Vec<(String, String)>,
}

type Parse<T> = Result<T, Error>;

impl<'a> Parser<'a> {
    /// A parser of a text.
    pub fn new(text: &'a str) -> Self {
        Self::of(&Input::new(text))
    }

    /// A parser of bytes: an error follows where they stop being UTF-8.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self::of(&Input::from_bytes(bytes))
    }

    fn of(input: &Input<'a>) -> Self {
        Self {
            scanner: Scanner::new(input),
            state: State::ImplicitDocumentStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
        }
    }

    /// How far the text has been looked at.
    pub fn position(&self) -> usize {
        self.scanner.position()
    }

    /// The next event.
    pub fn next_event(&mut self) -> Parse<Event<'a>> {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.open()?;
                self.block_sequence()
            }
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => {
                self.open()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.open()?;
                self.flow_sequence(true)
            }
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_value(State::FlowPairEnd),
            State::FlowPairEnd => {
                self.state = State::FlowSequence;
                let token = self.scanner.peek()?;
                let at = Extent::new(token.at.start as usize, token.at.start as usize);
                Ok(Event { kind: EventKind::MappingEnd, at, line: token.line })
            }
            State::FlowMappingFirst => {
                self.open()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_value(State::FlowMappingKey),
            State::FlowMappingEmptyValue => {
                self.state = State::FlowMappingKey;
                self.empty_here()
            }
            State::End => self.end(),
        }
    }

    fn end(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        Ok(Event { kind: EventKind::StreamEnd, at: token.at, line: token.line })
    }

    /// Takes the token that opens a collection.
    fn open(&mut self) -> Parse<()> {
        let token = self.scanner.take()?;
        self.marks.push(token.at);
        Ok(())
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn error(problem: Problem, token: &Token<'_>) -> Error {
        Error::new(problem, token.at, token.line)
    }

    fn error_in(&mut self, problem: Problem, text: &'static str) -> Parse<Event<'a>> {
        let opened = self.marks.pop().unwrap_or_default();
        let token = self.scanner.peek()?;
        let opened = Extent { start: opened.start, end: opened.start + 1 };
        Err(Self::error(problem, token).because(opened, text))
    }

    fn empty(at: Extent, line: usize) -> Event<'a> {
        let scalar = Scalar { text: Cow::Borrowed(""), style: Style::Plain, tag: None, anchor: None };
        Event { kind: EventKind::Scalar(scalar), at, line }
    }

    /// An empty scalar in front of the next token.
    fn empty_here(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        Ok(Self::empty(Extent { start: token.at.start, end: token.at.start }, token.line))
    }

    /// An empty scalar behind a token that was taken.
    fn empty_behind(token: &Token<'a>) -> Event<'a> {
        Self::empty(Extent { start: token.at.end, end: token.at.end }, token.line)
    }

    fn document_start(&mut self, implicit: bool) -> Parse<Event<'a>> {
        if !implicit {
            while matches!(self.scanner.peek()?.kind, Kind::DocumentEnd) {
                self.scanner.take()?;
            }
        }
        let token = self.scanner.peek()?;
        let (at, line) = (token.at, token.line);
        match token.kind {
            Kind::StreamEnd => {
                self.state = State::End;
                self.end()
            }
            Kind::Version { .. } | Kind::TagDirective(_) | Kind::DocumentStart => {
                self.explicit_start(at, line)
            }
            _ if implicit => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                Ok(Event {
                    kind: EventKind::DocumentStart,
                    at: Extent { start: at.start, end: at.start },
                    line,
                })
            }
            _ => self.explicit_start(at, line),
        }
    }

    fn explicit_start(&mut self, at: Extent, line: usize) -> Parse<Event<'a>> {
        self.directives()?;
        let token = self.scanner.peek()?;
        if !matches!(token.kind, Kind::DocumentStart) {
            return Err(Self::error(Problem::ExpectedDocumentStart, token));
        }
        let at = at.to(token.at);
        self.scanner.take()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event { kind: EventKind::DocumentStart, at, line })
    }

    fn document_content(&mut self) -> Parse<Event<'a>> {
        match self.scanner.peek()?.kind {
            Kind::Version { .. }
            | Kind::TagDirective(_)
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => {
                self.pop_state();
                self.empty_here()
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Parse<Event<'a>> {
        let token = self.scanner.peek()?;
        let (mut at, line) = (Extent { start: token.at.start, end: token.at.start }, token.line);
        if matches!(token.kind, Kind::DocumentEnd) {
            at = token.at;
            self.scanner.take()?;
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        Ok(Event { kind: EventKind::DocumentEnd, at, line })
    }

    fn directives(&mut self) -> Parse<()> {
        let mut version = false;
        loop {
            let token = self.scanner.peek()?;
            match &token.kind {
                Kind::Version { major, minor } => {
                    if version {
                        return Err(Self::error(Problem::DuplicateVersion, token));
                    }
                    if (*major, *minor) != (1, 1) {
                        return Err(Self::error(Problem::IncompatibleVersion, token));
                    }
                    version = true;
                }
                Kind::TagDirective(pair) => {
                    if self.tag_directives.iter().any(|(handle, _)| *handle == pair.0) {
                        return Err(Self::error(Problem::DuplicateTagDirective, token));
                    }
                    let pair = pair.as_ref().clone();
                    self.tag_directives.push(pair);
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        Ok(())
    }

    fn whole_tag(&self, tag: &Token<'a>, start: Extent) -> Parse<Box<str>> {
        let Kind::Tag(pair) = &tag.kind else { return Ok(Box::from("")) };
        let (handle, suffix) = pair.as_ref();
        let defaults = match handle.as_str() {
            "" => Some(""),
            "!" => Some("!"),
            "!!" => Some("tag:yaml.org,2002:"),
            _ => None,
        };
        let declared = self.tag_directives.iter().find(|(known, _)| known == handle);
        let whole = match (declared, defaults) {
            (Some((_, prefix)), _) if !handle.is_empty() => format!("{prefix}{suffix}"),
            (_, Some(prefix)) => format!("{prefix}{suffix}"),
            _ => String::new(),
        };
        if whole.is_empty() && !handle.is_empty() {
            return Err(Error::new(Problem::UndefinedTagHandle, tag.at, tag.line)
                .because(start, "while reading this value"));
        }
        Ok(whole.into())
    }

    fn node(&mut self, block: bool, indentless: bool) -> Parse<Event<'a>> {
        let mut anchor = None;
        let mut tag: Option<Token<'a>> = None;
        let token = self.scanner.peek()?;
        let (start, line) = (token.at, token.line);
        let mut properties = start;
        match token.kind {
            Kind::Alias(name) => {
                self.scanner.take()?;
                self.pop_state();
                return Ok(Event { kind: EventKind::Alias(name), at: start, line });
            }
            Kind::Anchor(name) => {
                anchor = Some(name);
                self.scanner.take()?;
                let next = self.scanner.peek()?;
                if matches!(next.kind, Kind::Tag(_)) {
                    properties = next.at;
                    tag = Some(self.scanner.take()?);
                }
            }
            Kind::Tag(_) => {
                tag = Some(self.scanner.take()?);
                let next = self.scanner.peek()?;
                if let Kind::Anchor(name) = next.kind {
                    properties = next.at;
                    anchor = Some(name);
                    self.scanner.take()?;
                }
            }
            _ => {}
        }
        let tag = match tag {
            Some(token) => Some(self.whole_tag(&token, start)?).filter(|tag| !tag.is_empty()),
            None => None,
        };
        let token = self.scanner.peek()?;
        let at = token.at;
        let (kind, state) = match token.kind {
            Kind::BlockEntry if indentless => {
                (EventKind::SequenceStart { anchor }, Some(State::IndentlessSequence))
            }
            Kind::Scalar(..) => {
                let Token { kind: Kind::Scalar(text, style), at, line, .. } = self.scanner.take()? else {
                    return self.end();
                };
                self.pop_state();
                let scalar = Scalar { text, style, tag, anchor };
                return Ok(Event { kind: EventKind::Scalar(scalar), at, line });
            }
            Kind::FlowSequenceStart => (EventKind::SequenceStart { anchor }, Some(State::FlowSequenceFirst)),
            Kind::FlowMappingStart => (EventKind::MappingStart { anchor }, Some(State::FlowMappingFirst)),
            Kind::BlockSequenceStart if block => {
                (EventKind::SequenceStart { anchor }, Some(State::BlockSequenceFirst))
            }
            Kind::BlockMappingStart if block => {
                (EventKind::MappingStart { anchor }, Some(State::BlockMappingFirst))
            }
            _ if anchor.is_some() || tag.is_some() => {
                let scalar = Scalar { text: Cow::Borrowed(""), style: Style::Plain, tag, anchor };
                self.pop_state();
                let at = Extent { start: properties.end, end: properties.end };
                return Ok(Event { kind: EventKind::Scalar(scalar), at, line });
            }
            _ => return Err(Self::error(Problem::NoContent, token)),
        };
        let line = token.line;
        if let Some(state) = state {
            self.state = state;
        }
        Ok(Event { kind, at, line })
    }

    fn block_sequence(&mut self) -> Parse<Event<'a>> {
        match self.scanner.peek()?.kind {
            Kind::BlockEntry => {
                let dash = self.scanner.take()?;
                self.state = State::BlockSequence;
                match self.scanner.peek()?.kind {
                    Kind::BlockEntry | Kind::BlockEnd => Ok(Self::empty_behind(&dash)),
                    _ => {
                        self.states.push(State::BlockSequence);
                        self.node(true, false)
                    }
                }
            }
            Kind::BlockEnd => self.close(EventKind::SequenceEnd),
            _ => self.error_in(Problem::ExpectedDash, "the list starts here"),
        }
    }

    /// Takes the token that ends a collection.
    fn close(&mut self, kind: EventKind<'a>) -> Parse<Event<'a>> {
        self.pop_state();
        self.marks.pop();
        let token = self.scanner.take()?;
        Ok(Event { kind, at: token.at, line: token.line })
    }

    fn indentless_sequence(&mut self) -> Parse<Event<'a>> {
        if matches!(self.scanner.peek()?.kind, Kind::BlockEntry) {
            let dash = self.scanner.take()?;
            self.state = State::IndentlessSequence;
            return match self.scanner.peek()?.kind {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => Ok(Self::empty_behind(&dash)),
                _ => {
                    self.states.push(State::IndentlessSequence);
                    self.node(true, false)
                }
            };
        }
        self.pop_state();
        let token = self.scanner.peek()?;
        let at = Extent { start: token.at.start, end: token.at.start };
        Ok(Event { kind: EventKind::SequenceEnd, at, line: token.line })
    }

    fn block_mapping_key(&mut self) -> Parse<Event<'a>> {
        match self.scanner.peek()?.kind {
            Kind::Key => {
                let key = self.scanner.take()?;
                self.state = State::BlockMappingValue;
                match self.scanner.peek()?.kind {
                    Kind::Key | Kind::Value | Kind::BlockEnd => Ok(Self::empty_behind(&key)),
                    _ => {
                        self.states.push(State::BlockMappingValue);
                        self.node(true, true)
                    }
                }
            }
            Kind::BlockEnd => self.close(EventKind::MappingEnd),
            _ => self.error_in(Problem::ExpectedKey, "the map starts here"),
        }
    }

    fn block_mapping_value(&mut self) -> Parse<Event<'a>> {
        self.state = State::BlockMappingKey;
        if !matches!(self.scanner.peek()?.kind, Kind::Value) {
            return self.empty_here();
        }
        let colon = self.scanner.take()?;
        match self.scanner.peek()?.kind {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(Self::empty_behind(&colon)),
            _ => {
                self.states.push(State::BlockMappingKey);
                self.node(true, true)
            }
        }
    }

    fn flow_sequence(&mut self, first: bool) -> Parse<Event<'a>> {
        if !matches!(self.scanner.peek()?.kind, Kind::FlowSequenceEnd) {
            if !first {
                if !matches!(self.scanner.peek()?.kind, Kind::FlowEntry) {
                    return self.error_in(Problem::ExpectedFlowSequence, "the list starts here");
                }
                self.scanner.take()?;
            }
            match self.scanner.peek()?.kind {
                Kind::Key => {
                    let token = self.scanner.take()?;
                    self.state = State::FlowPairKey;
                    let kind = EventKind::MappingStart { anchor: None };
                    return Ok(Event { kind, at: token.at, line: token.line });
                }
                Kind::FlowSequenceEnd => {}
                _ => {
                    self.states.push(State::FlowSequence);
                    return self.node(false, false);
                }
            }
        }
        self.close(EventKind::SequenceEnd)
    }

    fn flow_pair_key(&mut self) -> Parse<Event<'a>> {
        match self.scanner.peek()?.kind {
            // go-yaml swallows the token here (parserc.go, v2.4.2).
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                let token = self.scanner.take()?;
                self.state = State::FlowPairValue;
                Ok(Self::empty_behind(&token))
            }
            _ => {
                self.states.push(State::FlowPairValue);
                self.node(false, false)
            }
        }
    }

    fn flow_value(&mut self, then: State) -> Parse<Event<'a>> {
        if matches!(self.scanner.peek()?.kind, Kind::Value) {
            self.scanner.take()?;
            let ended = matches!(
                (&self.scanner.peek()?.kind, then),
                (Kind::FlowEntry, _)
                    | (Kind::FlowSequenceEnd, State::FlowPairEnd)
                    | (Kind::FlowMappingEnd, State::FlowMappingKey)
            );
            if !ended {
                self.states.push(then);
                return self.node(false, false);
            }
        }
        self.state = then;
        self.empty_here()
    }

    fn flow_mapping_key(&mut self, first: bool) -> Parse<Event<'a>> {
        if !matches!(self.scanner.peek()?.kind, Kind::FlowMappingEnd) {
            if !first {
                if !matches!(self.scanner.peek()?.kind, Kind::FlowEntry) {
                    return self.error_in(Problem::ExpectedFlowMapping, "the map starts here");
                }
                self.scanner.take()?;
            }
            match self.scanner.peek()?.kind {
                Kind::Key => {
                    self.scanner.take()?;
                    self.state = State::FlowMappingValue;
                    return match self.scanner.peek()?.kind {
                        Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => self.empty_here(),
                        _ => {
                            self.states.push(State::FlowMappingValue);
                            self.node(false, false)
                        }
                    };
                }
                Kind::FlowMappingEnd => {}
                _ => {
                    self.states.push(State::FlowMappingEmptyValue);
                    return self.node(false, false);
                }
            }
        }
        self.close(EventKind::MappingEnd)
    }
}
