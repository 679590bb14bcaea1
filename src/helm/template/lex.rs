//! Template text to items, as Go's text/template/parse/lex.go.
//!
//! An item is a kind and a range of the text; the lexer is pulled by the parser, never looks ahead, and stops for good
//! at its first error.

use crate::helm::strconv::{append_quote, decode_rune};
use crate::helm::unicode::is_print;
use memchr::memmem;
use std::ops::Range;
use unicode_general_category::{GeneralCategory, get_general_category};

/// The kind of an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl ItemKind {
    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// An item of the text.
#[derive(Copy, Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: ItemKind,
    /// Its first byte in the text.
    pub(super) start: u32,
    /// One past its last byte.
    pub(super) end: u32,
    /// The line it starts on, from 1.
    pub(super) line: u32,
}

impl Item {
    /// Its bytes in the text.
    pub(super) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// An offset, a line: texts end long before 4 GiB.
pub(super) fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";
/// A trim marker and the space beside it.
const MARKER: usize = 2;

/// Splits one template text into items.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    pos: usize,
    start: usize,
    line: usize,
    start_line: usize,
    paren_depth: usize,
    in_action: bool,
    /// The message of the error item.
    pub(super) error: Vec<u8>,
    failed: bool,
    /// Finds the next `{{`.
    left: memmem::Finder<'static>,
}

enum Step {
    Emit(Item),
    Text,
    LeftDelim,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            pos: 0,
            start: 0,
            line: 1,
            start_line: 1,
            paren_depth: 0,
            in_action: false,
            error: Vec::new(),
            failed: false,
            left: memmem::Finder::new(LEFT),
        }
    }

    /// The bytes of an item.
    pub(super) fn bytes(&self, item: Item) -> &'t [u8] {
        self.text.get(item.span()).unwrap_or_default()
    }

    /// The item as it stands in messages.
    pub(super) fn describe(&self, item: Item) -> Vec<u8> {
        let bytes = self.bytes(item);
        match item.kind {
            ItemKind::Eof => b"EOF".to_vec(),
            ItemKind::Error => self.error.clone(),
            kind if kind.is_keyword() => [b"<", bytes, b">"].concat(),
            _ => {
                let mut out = Vec::new();
                if bytes.len() > 10 {
                    let mut cut = 0;
                    for _ in 0..10 {
                        cut += decode_rune(&bytes[cut..]).1;
                    }
                    append_quote(&mut out, &bytes[..cut], false);
                    out.extend_from_slice(b"...");
                } else {
                    append_quote(&mut out, bytes, false);
                }
                out
            }
        }
    }

    /// The next item.
    pub(super) fn next_item(&mut self) -> Item {
        if self.failed {
            return self.item_of(ItemKind::Eof, 0..0);
        }
        let mut step = if self.in_action { self.inside_action() } else { Step::Text };
        loop {
            step = match step {
                Step::Emit(item) => return item,
                Step::Text => self.lex_text(),
                Step::LeftDelim => self.left_delim(),
            };
        }
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.pos..]
    }

    fn next(&mut self) -> Option<char> {
        if let Some(byte @ ..0x80) = self.text.get(self.pos) {
            self.pos += 1;
            self.line += usize::from(*byte == b'\n');
            return Some(char::from(*byte));
        }
        let (c, len) = decode_rune(self.rest());
        if len == 0 {
            return None;
        }
        self.pos += len;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        let (c, len) = decode_rune(self.rest());
        (len > 0).then_some(c)
    }

    fn item_of(&self, kind: ItemKind, span: Range<usize>) -> Item {
        Item { kind, start: narrow(span.start), end: narrow(span.end), line: narrow(self.start_line) }
    }

    fn item(&mut self, kind: ItemKind) -> Item {
        let item = self.item_of(kind, self.start..self.pos);
        self.start = self.pos;
        self.start_line = self.line;
        item
    }

    fn emit(&mut self, kind: ItemKind) -> Step {
        Step::Emit(self.item(kind))
    }

    /// Passes what was scanned since the last item; Go counts its newlines here, too.
    fn ignore(&mut self) {
        self.count_lines();
        self.start = self.pos;
        self.start_line = self.line;
    }

    fn count_lines(&mut self) {
        self.line += memchr::memchr_iter(b'\n', &self.text[self.start..self.pos]).count();
    }

    fn fail(&mut self, message: impl Into<Vec<u8>>) -> Step {
        self.error = message.into();
        self.failed = true;
        Step::Emit(self.item_of(ItemKind::Error, self.start..self.start))
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        match self.rest().first() {
            Some(byte) if valid.contains(byte) => {
                self.pos += 1;
                true
            }
            _ => false,
        }
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn lex_text(&mut self) -> Step {
        let Some(found) = self.left.find(self.rest()) else {
            self.pos = self.text.len();
            if self.pos > self.start {
                self.count_lines();
                return self.emit(ItemKind::Text);
            }
            return self.emit(ItemKind::Eof);
        };
        if found > 0 {
            self.pos += found;
            let mut trim = 0;
            if has_left_trim(&self.text[self.pos + LEFT.len()..]) {
                let text = &self.text[self.start..self.pos];
                trim = text.iter().rev().take_while(|b| is_space(**b)).count();
            }
            self.pos -= trim;
            self.count_lines();
            let item = self.item(ItemKind::Text);
            self.pos += trim;
            self.ignore();
            if item.start < item.end {
                return Step::Emit(item);
            }
        }
        Step::LeftDelim
    }

    /// Whether the text goes on with `}}`, and whether with ` -}}`.
    fn at_right_delim(&self) -> (bool, bool) {
        match self.rest() {
            [b'}', b'}', ..] => (true, false),
            [space, b'-', b'}', b'}', ..] if is_space(*space) => (true, true),
            _ => (false, false),
        }
    }

    fn skip_space(&mut self) {
        self.pos += self.rest().iter().take_while(|b| is_space(**b)).count();
    }

    fn left_delim(&mut self) -> Step {
        self.pos += LEFT.len();
        let marker = if has_left_trim(self.rest()) { MARKER } else { 0 };
        if self.rest()[marker..].starts_with(b"/*") {
            self.pos += marker;
            self.ignore();
            return self.comment();
        }
        let item = self.item(ItemKind::LeftDelim);
        self.in_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Step::Emit(item)
    }

    fn comment(&mut self) -> Step {
        self.pos += 2;
        let Some(end) = memmem::find(self.rest(), b"*/") else {
            return self.fail("unclosed comment");
        };
        self.pos += end + 2;
        let (delim, trim) = self.at_right_delim();
        if !delim {
            return self.fail("comment ends before closing delimiter");
        }
        self.count_lines();
        self.item(ItemKind::Text);
        self.pos += RIGHT.len() + if trim { MARKER } else { 0 };
        if trim {
            self.skip_space();
        }
        self.ignore();
        Step::Text
    }

    fn right_delim(&mut self) -> Step {
        let (_, trim) = self.at_right_delim();
        if trim {
            self.pos += MARKER;
            self.ignore();
        }
        self.pos += RIGHT.len();
        let item = self.item(ItemKind::RightDelim);
        if trim {
            self.skip_space();
            self.ignore();
        }
        self.in_action = false;
        Step::Emit(item)
    }

    fn inside_action(&mut self) -> Step {
        if self.at_right_delim().0 {
            if self.paren_depth == 0 {
                return self.right_delim();
            }
            return self.fail("unclosed left paren");
        }
        let before = self.pos;
        let Some(c) = self.next() else { return self.fail("unclosed action") };
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                self.pos = before;
                self.line -= usize::from(c == '\n');
                self.space()
            }
            '=' => self.emit(ItemKind::Assign),
            ':' => {
                if self.next() == Some('=') {
                    self.emit(ItemKind::Declare)
                } else {
                    self.fail("expected :=")
                }
            }
            '|' => self.emit(ItemKind::Pipe),
            '"' => self.quoted('"', ItemKind::String, "unterminated quoted string"),
            '`' => loop {
                match self.next() {
                    None => return self.fail("unterminated raw quoted string"),
                    Some('`') => return self.emit(ItemKind::RawString),
                    Some(_) => {}
                }
            },
            '$' => {
                if self.at_terminator() {
                    return self.emit(ItemKind::Variable);
                }
                self.word(ItemKind::Variable)
            }
            '\'' => self.quoted('\'', ItemKind::CharConstant, "unterminated character constant"),
            '.' if self.rest().first().is_some_and(|b| !b.is_ascii_digit()) => {
                if self.at_terminator() {
                    self.emit(ItemKind::Dot)
                } else {
                    self.word(ItemKind::Field)
                }
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = before;
                self.number()
            }
            c if is_alphanumeric(c) => {
                self.pos = before;
                self.identifier()
            }
            '(' => {
                self.paren_depth += 1;
                self.emit(ItemKind::LeftParen)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.fail("unexpected right paren");
                }
                self.paren_depth -= 1;
                self.emit(ItemKind::RightParen)
            }
            c if c.is_ascii() && is_print(c) => self.emit(ItemKind::Char),
            c => self.fail(format!("unrecognized character in action: {}", unicode(c))),
        }
    }

    fn space(&mut self) -> Step {
        let first = self.pos;
        while let Some(byte) = self.text.get(self.pos).filter(|byte| is_space(**byte)) {
            // The last space may belong to a ` -}}`.
            if self.at_right_delim().0 {
                if self.pos == first {
                    return self.right_delim();
                }
                break;
            }
            self.pos += 1;
            self.line += usize::from(*byte == b'\n');
        }
        self.emit(ItemKind::Space)
    }

    fn identifier(&mut self) -> Step {
        self.absorb_word();
        let word = &self.text[self.start..self.pos];
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match word {
            b"block" => ItemKind::Block,
            b"break" => ItemKind::Break,
            b"continue" => ItemKind::Continue,
            b"define" => ItemKind::Define,
            b"else" => ItemKind::Else,
            b"end" => ItemKind::End,
            b"if" => ItemKind::If,
            b"range" => ItemKind::Range,
            b"nil" => ItemKind::Nil,
            b"template" => ItemKind::Template,
            b"with" => ItemKind::With,
            b"true" | b"false" => ItemKind::Bool,
            _ => ItemKind::Identifier,
        };
        self.emit(kind)
    }

    fn absorb_word(&mut self) {
        // Words of ASCII are the rule.
        while let Some(byte @ ..0x80) = self.text.get(self.pos) {
            if !WORD[usize::from(*byte)] {
                return;
            }
            self.pos += 1;
        }
        while let Some(c) = self.peek().filter(|&c| is_alphanumeric(c)) {
            self.pos += c.len_utf8();
        }
    }

    /// A field or variable whose first character (`.`, `$`) is past.
    fn word(&mut self, kind: ItemKind) -> Step {
        self.absorb_word();
        if self.at_terminator() { self.emit(kind) } else { self.bad_character() }
    }

    fn bad_character(&mut self) -> Step {
        let c = self.peek().unwrap_or('\u{fffd}');
        self.fail(format!("bad character {}", unicode(c)))
    }

    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    fn quoted(&mut self, mark: char, kind: ItemKind, unterminated: &str) -> Step {
        loop {
            while let Some(b' '..=b'!' | b'#'..=b'&' | b'('..=b'[' | b']'..=b'~') = self.text.get(self.pos) {
                self.pos += 1;
            }
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return self.fail(unterminated);
                    }
                }
                None | Some('\n') => return self.fail(unterminated),
                Some(c) if c == mark => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Step {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            // A complex constant: 1+2i.
            if !self.scan_number() || self.text[..self.pos].last() != Some(&b'i') {
                return self.bad_number();
            }
            return self.emit(ItemKind::Complex);
        }
        self.emit(ItemKind::Number)
    }

    fn bad_number(&mut self) -> Step {
        let mut message = b"bad number syntax: ".to_vec();
        append_quote(&mut message, &self.text[self.start..self.pos], false);
        self.fail(message)
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        let (mut decimal, mut hex) = (true, false);
        if self.accept(b"0") {
            if self.accept(b"xX") {
                (digits, decimal, hex) = (b"0123456789abcdefABCDEF_", false, true);
            } else if self.accept(b"oO") {
                (digits, decimal) = (b"01234567_", false);
            } else if self.accept(b"bB") {
                (digits, decimal) = (b"01_", false);
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if decimal && self.accept(b"eE") || hex && self.accept(b"pP") {
            self.accept(b"+-");
            self.accept_run(b"0123456789_");
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

/// The ASCII characters of words.
const WORD: [bool; 128] = {
    let mut word = [false; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        word[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    word
};

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn has_left_trim(text: &[u8]) -> bool {
    text.len() >= 2 && text[0] == b'-' && is_space(text[1])
}

/// Go's `%#U`.
fn unicode(c: char) -> String {
    if is_print(c) { format!("U+{:04X} '{c}'", u32::from(c)) } else { format!("U+{:04X}", u32::from(c)) }
}

/// A letter, a decimal digit or an underscore.
pub(super) fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() {
        return c == '_' || c.is_ascii_alphanumeric();
    }
    matches!(
        get_general_category(c),
        GeneralCategory::LowercaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::UppercaseLetter
            | GeneralCategory::DecimalNumber
    )
}
