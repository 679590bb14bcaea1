//! The scanner: text to tokens, by the algorithm of libyaml as go-yaml v2 has it (scannerc.go, v2.4.2).
//!
//! Block structure is made of tokens too: where a column is deeper than the indent of the block around it, a
//! start token is put in, also behind time, in front of a scalar that turns out to be a key. A scalar is such a
//! *simple key* while the scanner may still meet its `:` on the same line and within 1024 characters; until then
//! the tokens from it on are held back, so the queue stays short.
//!
//! Scalars borrow from the text where what they say stands in it letter by letter.

mod scalar;
mod tag;

use super::error::{Above, Error, Extent, Problem};
use super::input::{Bad, Input};
use std::borrow::Cow;
use std::collections::VecDeque;

/// Nesting that go-yaml refuses, of brackets and of indents each.
const MAX_NESTING: usize = 10_000;
/// How far behind its start a simple key's `:` may be.
const MAX_SIMPLE_KEY: usize = 1024;
/// The block in which go-yaml reads its input: a forbidden character is seen once its block is.
const READ_BLOCK: usize = 512;
/// No simple key.
const NO_KEY: u32 = u32::MAX;

/// How a scalar is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    StreamEnd,
    Version {
        major: u8,
        minor: u8,
    },
    TagDirective(Box<(String, String)>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Handle and suffix.
    Tag(Box<(String, String)>),
    Scalar(Cow<'a, str>, Style),
}

#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    pub at: Extent,
    /// Line of the start, from 0, as go-yaml counts.
    pub line: usize,
    /// The level of `simple_keys` that it may be the start of.
    key: u32,
}

/// A place in the text, as the scanner needs it.
#[derive(Copy, Clone, Debug, Default)]
struct Mark {
    pos: usize,
    line: usize,
    /// In characters.
    column: isize,
    /// Characters before it.
    index: usize,
}

#[derive(Copy, Clone, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    /// Whether its token waits for the `:`.
    held: bool,
    token_number: usize,
    mark: Mark,
}

#[expect(clippy::struct_excessive_bools, reason = "libyaml's scanner is made of such flags")]
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    ascii: bool,
    odd_breaks: bool,
    bad: Option<Bad>,

    pos: usize,
    line: usize,
    line_start: usize,
    /// The characters before `line_start`.
    line_index: usize,
    /// A byte offset and the characters before it, to count on from.
    counted: (usize, usize),

    tokens: VecDeque<Token<'a>>,
    taken: usize,
    available: bool,

    indent: isize,
    indents: Vec<isize>,
    flow_level: usize,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
}

type Scan<T = ()> = Result<T, Error>;

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &Input<'a>) -> Self {
        let start = if input.text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text: input.text,
            bytes: input.text.as_bytes(),
            ascii: input.ascii,
            odd_breaks: input.odd_breaks,
            bad: input.bad,
            pos: start,
            line: 0,
            line_start: start,
            line_index: 0,
            counted: (start, 0),
            tokens: VecDeque::new(),
            taken: 0,
            available: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
        }
    }

    /// The next token; the end of the stream for ever after it.
    pub(super) fn peek(&mut self) -> Scan<&Token<'a>> {
        if !self.available {
            self.fetch_more()?;
        }
        Ok(self.tokens.front().expect("fetching leaves a token in the queue"))
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Scan<Token<'a>> {
        if !self.available {
            self.fetch_more()?;
        }
        let token = self.tokens.pop_front().expect("fetching leaves a token in the queue");
        self.available = false;
        self.taken += 1;
        if matches!(token.kind, Kind::StreamEnd) {
            self.tokens.push_front(token.clone());
            self.available = true;
        }
        Ok(token)
    }

    /// How far it has read.
    pub(super) fn position(&self) -> usize {
        self.pos
    }

    fn fetch_more(&mut self) -> Scan {
        loop {
            if let Some(head) = self.tokens.front() {
                let level = head.key as usize;
                if head.key == NO_KEY
                    || self
                        .simple_keys
                        .get(level)
                        .is_none_or(|key| !key.held || key.token_number != self.taken)
                    || !self.simple_key_is_valid(level)?
                {
                    break;
                }
            }
            self.fetch_next()?;
        }
        self.available = true;
        Ok(())
    }

    fn fetch_next(&mut self) -> Scan {
        self.skip_to_token()?;
        if self.bad.is_some() && self.sees_bad() {
            return Err(self.bad_error());
        }
        let column = self.column();
        self.unroll_indent(column);
        let Some(&byte) = self.bytes.get(self.pos) else { return self.fetch_stream_end() };
        let next = self.byte(1);
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.at_indicator(b'-') {
                return self.fetch_document_indicator(Kind::DocumentStart);
            }
            if self.at_indicator(b'.') {
                return self.fetch_document_indicator(Kind::DocumentEnd);
            }
        }
        let block = self.flow_level == 0;
        match byte {
            b'[' => return self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => return self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => return self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => return self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => return self.fetch_flow_entry(),
            b'-' if self.is_blankz(1) => return self.fetch_block_entry(),
            b'?' if !block || self.is_blankz(1) => return self.fetch_key(),
            b':' if !block || self.is_blankz(1) => return self.fetch_value(),
            b'*' | b'&' => return self.fetch_anchor(),
            b'!' => return self.fetch_tag(),
            b'|' | b'>' if block => return self.fetch_block_scalar(),
            b'\'' | b'"' => return self.fetch_quoted(),
            _ => {}
        }
        let plain = match byte {
            b'-' => !matches!(next, b' ' | b'\t'),
            b'?' | b':' => block && !self.is_blankz(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' => false,
            _ => !self.is_blankz(0),
        };
        if plain {
            return self.fetch_plain();
        }
        let c = self.text[self.pos..].chars().next().unwrap_or('\0');
        Err(self.error(Problem::BadToken(c), self.pos, self.pos + c.len_utf8()))
    }

    // Characters.

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    /// The length of the line break at a byte offset; 0 where there is none.
    fn break_len(&self, at: usize) -> usize {
        match self.bytes.get(at) {
            Some(b'\n') => 1,
            Some(b'\r') => 1 + usize::from(self.bytes.get(at + 1) == Some(&b'\n')),
            Some(0xc2) if self.bytes.get(at + 1) == Some(&0x85) => 2,
            Some(0xe2)
                if self.bytes.get(at + 1) == Some(&0x80)
                    && matches!(self.bytes.get(at + 2), Some(0xa8 | 0xa9)) =>
            {
                3
            }
            _ => 0,
        }
    }

    /// Whether a blank, a break or the end is `ahead` bytes on.
    fn is_blankz(&self, ahead: usize) -> bool {
        match self.bytes.get(self.pos + ahead) {
            None | Some(b' ' | b'\t' | b'\n' | b'\r') => true,
            Some(0xc2 | 0xe2) => self.odd_breaks && self.break_len(self.pos + ahead) > 0,
            Some(_) => false,
        }
    }

    fn is_breakz(&self) -> bool {
        self.pos >= self.bytes.len() || self.break_len(self.pos) > 0
    }

    /// Whether three of `byte` and a blank stand here: `---` or `...`.
    fn at_indicator(&self, byte: u8) -> bool {
        self.byte(0) == byte && self.byte(1) == byte && self.byte(2) == byte && self.is_blankz(3)
    }

    /// The end of the line that `from` is in, without its break.
    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        if !self.odd_breaks {
            return from + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        }
        let mut at = from;
        while at < self.bytes.len() && self.break_len(at) == 0 {
            at += 1;
        }
        at
    }

    fn index(&mut self) -> usize {
        if self.ascii {
            return self.pos;
        }
        let (from, count) = self.counted;
        let more = self.bytes[from..self.pos].iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.counted = (self.pos, count + more);
        count + more
    }

    fn column(&mut self) -> isize {
        let column = if self.ascii { self.pos - self.line_start } else { self.index() - self.line_index };
        isize::try_from(column).unwrap_or(isize::MAX)
    }

    fn mark(&mut self) -> Mark {
        let index = self.index();
        Mark { pos: self.pos, line: self.line, column: self.column(), index }
    }

    /// Steps over a line break, if one stands here.
    fn skip_break(&mut self) {
        let len = self.break_len(self.pos);
        if len > 0 {
            self.pos += len;
            self.line += 1;
            self.line_start = self.pos;
            if !self.ascii {
                self.line_index = self.index();
            }
        }
    }

    /// Steps over a line break and adds it to a text: LF for all but LS and PS, which stay.
    fn read_break(&mut self, out: &mut String) {
        let len = self.break_len(self.pos);
        if len == 3 {
            out.push_str(&self.text[self.pos..self.pos + 3]);
        } else if len > 0 {
            out.push('\n');
        }
        self.skip_break();
    }

    fn skip_blanks(&mut self) {
        while matches!(self.byte(0), b' ' | b'\t') {
            self.pos += 1;
        }
    }

    fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            self.pos = self.line_end(self.pos);
        }
    }

    /// The length of the character that stands here.
    fn width(&self) -> usize {
        self.text.get(self.pos..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }

    // Errors.

    fn sees_bad(&self) -> bool {
        self.pos + 4 > self.bytes.len() / READ_BLOCK * READ_BLOCK
    }

    fn bad_error(&self) -> Error {
        let at = self.bytes.len();
        let (problem, len) = match self.bad {
            Some(Bad::Character(c)) => (Problem::ControlCharacter(c), c.len_utf8()),
            _ => (Problem::InvalidUtf8, 0),
        };
        Error::new(problem, Extent::new(at, at + len), self.line)
    }

    fn error(&self, problem: Problem, start: usize, end: usize) -> Error {
        if self.bad.is_some() && self.sees_bad() {
            return self.bad_error();
        }
        Error::new(problem, Extent::new(start, end), self.line)
    }

    /// An error at the character that stands here, with the place where the token began.
    fn error_here(&self, problem: Problem, context: Mark, text: &'static str) -> Error {
        self.error(problem, self.pos, self.pos + self.width())
            .because(Extent::new(context.pos, context.pos + 1), text)
    }

    // Simple keys.

    fn simple_key_is_valid(&mut self, level: usize) -> Scan<bool> {
        let key = self.simple_keys[level];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.line || key.mark.index + MAX_SIMPLE_KEY < self.index() {
            if key.required {
                return Err(self.missing_colon(key));
            }
            self.simple_keys[level].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn missing_colon(&self, key: SimpleKey) -> Error {
        let line = self.line_end(key.mark.pos);
        let end = key.mark.pos + self.text[key.mark.pos..line].trim_end().len();
        self.error(Problem::MissingColon, key.mark.pos, end)
    }

    /// A `: ` that ends no key. `mark` is where the last token began that could have been one: where that is on a line
    /// above, this line goes on with it.
    fn value_not_allowed(&self, mark: Mark) -> Error {
        let (start, end) = (self.pos, self.pos + 1);
        if mark.line >= self.line {
            return self.error(Problem::ValueNotAllowed(Above::Nothing), start, end);
        }
        let above = self.text[mark.pos..self.line_end(mark.pos)].trim_end();
        let extent = Extent::new(mark.pos, mark.pos + above.len());
        let (problem, words) = match above.split_once(':') {
            Some((_, rest)) if rest.is_empty() || rest.starts_with([' ', '\t']) => {
                (Above::Value, "this key has its value already")
            }
            Some(_) => (Above::Text, "this is text, not a key: is a space missing behind its `:`?"),
            None => (Above::Text, "this is text, not a key: is its `:` missing?"),
        };
        self.error(Problem::ValueNotAllowed(problem), start, end).because(extent, words)
    }

    fn save_simple_key(&mut self) -> Scan<u32> {
        if !self.simple_key_allowed {
            return Ok(NO_KEY);
        }
        let mark = self.mark();
        let required = self.flow_level == 0 && self.indent == mark.column;
        let token_number = self.taken + self.tokens.len();
        self.remove_simple_key()?;
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = SimpleKey { possible: true, required, held: true, token_number, mark };
        Ok(u32::try_from(level).unwrap_or(NO_KEY))
    }

    fn remove_simple_key(&mut self) -> Scan {
        let key = self.simple_keys.last_mut().expect("there is a level for the block context");
        if key.possible {
            if key.required {
                let key = *key;
                return Err(self.missing_colon(key));
            }
            key.possible = false;
        }
        Ok(())
    }

    // Indents.

    fn roll_indent(&mut self, mark: Mark, number: Option<usize>, kind: Kind<'a>) -> Scan {
        if self.flow_level > 0 || self.indent >= mark.column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = mark.column;
        if self.indents.len() > MAX_NESTING {
            return Err(self.error(Problem::IndentTooDeep, mark.pos, mark.pos));
        }
        let token = Token { kind, at: Extent::new(mark.pos, mark.pos), line: mark.line, key: NO_KEY };
        match number {
            Some(number) => self.insert(number, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Puts a token in front of another; at the end, where that one is gone already (see `fetch_flow_end`).
    fn insert(&mut self, number: usize, token: Token<'a>) {
        match number.checked_sub(self.taken) {
            Some(at) => self.tokens.insert(at, token),
            None => self.tokens.push_back(token),
        }
    }

    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.pos, self.pos, self.line);
            self.indent = self.indents.pop().expect("every indent above -1 was pushed");
        }
    }

    fn push(&mut self, kind: Kind<'a>, start: usize, end: usize, line: usize) {
        self.tokens.push_back(Token { kind, at: Extent::new(start, end), line, key: NO_KEY });
    }

    fn push_keyed(&mut self, kind: Kind<'a>, start: usize, end: usize, line: usize, key: u32) {
        self.tokens.push_back(Token { kind, at: Extent::new(start, end), line, key });
    }

    // Tokens.

    fn skip_to_token(&mut self) -> Scan {
        loop {
            // A second byte order mark at the very start; go-yaml looks for it nowhere else.
            if !self.ascii && self.pos == 3 && self.text.starts_with("\u{feff}\u{feff}") {
                self.pos += 3;
            }
            loop {
                match self.byte(0) {
                    b' ' => self.pos += 1,
                    b'\t' if self.flow_level > 0 || !self.simple_key_allowed => self.pos += 1,
                    _ => break,
                }
            }
            self.skip_comment();
            if self.break_len(self.pos) == 0 {
                return Ok(());
            }
            self.skip_break();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn fetch_stream_end(&mut self) -> Scan {
        if self.pos != self.line_start {
            self.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(Kind::StreamEnd, self.pos, self.pos, self.line);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: Kind<'a>) -> Scan {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(kind, self.pos, self.pos + 3, self.line);
        self.pos += 3;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind<'a>) -> Scan {
        let key = self.save_simple_key()?;
        let token_number = self.taken + self.tokens.len();
        self.simple_keys.push(SimpleKey { token_number, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_NESTING {
            return Err(self.error(Problem::FlowTooDeep, self.pos, self.pos + 1));
        }
        self.simple_key_allowed = true;
        self.push_keyed(kind, self.pos, self.pos + 1, self.line, key);
        self.pos += 1;
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'a>) -> Scan {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            // An empty collection is not held back to become a key: go-yaml forgets that it may be one, because
            // the level inside still carries the number of the opening bracket (scannerc.go, v2.4.2).
            let inside = self.simple_keys.pop();
            if let (Some(inside), Some(around)) = (inside, self.simple_keys.last_mut())
                && inside.token_number == around.token_number
            {
                around.held = false;
            }
        }
        self.simple_key_allowed = false;
        self.push(kind, self.pos, self.pos + 1, self.line);
        self.pos += 1;
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Scan {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push(Kind::FlowEntry, self.pos, self.pos + 1, self.line);
        self.pos += 1;
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(Problem::EntryNotAllowed, self.pos, self.pos + 1));
            }
            let mark = self.mark();
            self.roll_indent(mark, None, Kind::BlockSequenceStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push(Kind::BlockEntry, self.pos, self.pos + 1, self.line);
        self.pos += 1;
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.error(Problem::KeyNotAllowed, self.pos, self.pos + 1));
            }
            let mark = self.mark();
            self.roll_indent(mark, None, Kind::BlockMappingStart)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push(Kind::Key, self.pos, self.pos + 1, self.line);
        self.pos += 1;
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan {
        let level = self.simple_keys.len() - 1;
        if self.simple_key_is_valid(level)? {
            let SimpleKey { token_number, mark, .. } = self.simple_keys[level];
            let token =
                Token { kind: Kind::Key, at: Extent::new(mark.pos, mark.pos), line: mark.line, key: NO_KEY };
            self.insert(token_number, token);
            self.roll_indent(mark, Some(token_number), Kind::BlockMappingStart)?;
            self.simple_keys[level].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.value_not_allowed(self.simple_keys[level].mark));
                }
                let mark = self.mark();
                self.roll_indent(mark, None, Kind::BlockMappingStart)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push(Kind::Value, self.pos, self.pos + 1, self.line);
        self.pos += 1;
        Ok(())
    }
}
