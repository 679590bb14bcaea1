//! Scalars: plain, quoted and block.

use super::{Kind, Mark, Scan, Scanner, Style};
use crate::yaml::error::Problem;
use std::borrow::Cow;

impl Scanner<'_> {
    pub(super) fn fetch_plain(&mut self) -> Scan {
        let key = self.save_simple_key()?;
        self.simple_key_allowed = false;
        let (start, line) = (self.pos, self.line);
        let indent = self.indent + 1;
        let flow = self.flow_level > 0;
        // The lines before this one, once there are several; `piece` is where this line's text starts.
        let mut folded: Option<String> = None;
        let mut piece = start;
        let mut end = start;
        let mut leading_blanks = false;
        loop {
            if self.pos == self.line_start && (self.at_indicator(b'-') || self.at_indicator(b'.')) {
                break;
            }
            if self.byte(0) == b'#' {
                break;
            }
            let stop = self.plain_run(self.pos, flow);
            if stop > self.pos {
                if leading_blanks {
                    let folded = folded.get_or_insert_default();
                    folded.push_str(&self.text[piece..end]);
                    self.fold(folded, end, self.pos, false);
                    leading_blanks = false;
                    piece = self.pos;
                }
                self.pos = stop;
                end = stop;
            }
            if !matches!(self.byte(0), b' ' | b'\t') && self.break_len(self.pos) == 0 {
                break;
            }
            loop {
                match self.byte(0) {
                    b' ' => self.pos += 1,
                    b'\t' => {
                        if leading_blanks && self.column() < indent {
                            let mark = Mark { pos: start, ..Mark::default() };
                            return Err(self.error_here(Problem::PlainTab, mark, "the text starts here"));
                        }
                        self.pos += 1;
                    }
                    _ if self.break_len(self.pos) == 0 => break,
                    _ => {
                        self.skip_break();
                        leading_blanks = true;
                    }
                }
            }
            if !flow && self.column() < indent {
                break;
            }
        }
        let last = &self.text[piece..end];
        let value = match folded {
            Some(mut text) => {
                text.push_str(last);
                Cow::Owned(text)
            }
            None => Cow::Borrowed(last),
        };
        self.push_keyed(Kind::Scalar(value, Style::Plain), start, end, line, key);
        if leading_blanks {
            self.simple_key_allowed = true;
        }
        Ok(())
    }

    /// Adds what the blanks and breaks from `from` to `to` mean between two lines of a text: one break is a
    /// space, of several all but the first stay, and LS and PS stay. With `escaped`, the first break came before
    /// `from` and means nothing.
    fn fold(&self, out: &mut String, from: usize, to: usize, escaped: bool) {
        let mut breaks = 0;
        let mut only_space = false;
        let mut at = from;
        while at < to {
            let len = self.break_len(at);
            if len == 3 {
                out.push_str(&self.text[at..at + 3]);
            } else if len > 0 {
                if breaks > 0 || escaped {
                    out.push('\n');
                } else {
                    only_space = true;
                }
            }
            breaks += usize::from(len > 0);
            at += len.max(1);
        }
        if only_space && breaks == 1 {
            out.push(' ');
        }
    }

    /// The end of the text without blanks and breaks that starts at `from`.
    fn plain_run(&self, from: usize, flow: bool) -> usize {
        let mut at = from;
        while let Some(&byte) = self.bytes.get(at) {
            match PLAIN[usize::from(byte)] {
                0 => {}
                COLON => {
                    if self.is_blankz(at + 1 - self.pos) {
                        break;
                    }
                }
                FLOW => {
                    if flow {
                        break;
                    }
                }
                MAYBE_BREAK => {
                    if self.odd_breaks && self.break_len(at) > 0 {
                        break;
                    }
                }
                _ => break,
            }
            at += 1;
        }
        at
    }

    pub(super) fn fetch_quoted(&mut self) -> Scan {
        let key = self.save_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.mark();
        let single = self.byte(0) == b'\'';
        let style = if single { Style::Single } else { Style::Double };
        self.pos += 1;
        let value = match self.simple_quoted(single) {
            Some(end) => {
                let value = Cow::Borrowed(&self.text[self.pos..end]);
                self.pos = end + 1;
                value
            }
            None => Cow::Owned(self.folded_quoted(single, mark)?),
        };
        self.push_keyed(Kind::Scalar(value, style), mark.pos, self.pos, mark.line, key);
        Ok(())
    }

    /// The closing quote of a text that stands on one line without escapes.
    fn simple_quoted(&self, single: bool) -> Option<usize> {
        let rest = &self.bytes[self.pos..];
        let at = if single {
            memchr::memchr2(b'\'', b'\n', rest)?
        } else {
            memchr::memchr3(b'"', b'\n', b'\\', rest)?
        };
        let closed = match rest[at] {
            b'\'' => rest.get(at + 1) != Some(&b'\''),
            b'"' => true,
            _ => false,
        };
        let end = self.pos + at;
        (closed && (!self.odd_breaks || self.line_end(self.pos) >= end)).then_some(end)
    }

    fn folded_quoted(&mut self, single: bool, start: Mark) -> Scan<String> {
        let quote = if single { b'\'' } else { b'"' };
        let opened = "it opens here";
        let mut text = String::new();
        loop {
            if self.pos == self.line_start && (self.at_indicator(b'-') || self.at_indicator(b'.')) {
                return Err(self.error_here(Problem::QuoteIndicator, start, opened));
            }
            if self.pos >= self.bytes.len() {
                return Err(self.error_here(Problem::QuoteUnclosed, start, opened));
            }
            let mut escaped = false;
            let mut piece = self.pos;
            while !self.is_blankz(0) {
                let byte = self.byte(0);
                if byte == quote {
                    text.push_str(&self.text[piece..self.pos]);
                    if !(single && self.byte(1) == b'\'') {
                        self.pos += 1;
                        return Ok(text);
                    }
                    text.push('\'');
                    self.pos += 2;
                    piece = self.pos;
                } else if byte == b'\\' && !single {
                    text.push_str(&self.text[piece..self.pos]);
                    if self.break_len(self.pos + 1) > 0 {
                        self.pos += 1;
                        self.skip_break();
                        piece = self.pos;
                        escaped = true;
                        break;
                    }
                    self.escape(&mut text, start)?;
                    piece = self.pos;
                } else {
                    self.pos += 1;
                }
            }
            text.push_str(&self.text[piece..self.pos]);
            let gap = self.pos;
            let mut broken = escaped;
            loop {
                if matches!(self.byte(0), b' ' | b'\t') {
                    self.pos += 1;
                } else if self.break_len(self.pos) > 0 {
                    self.skip_break();
                    broken = true;
                } else {
                    break;
                }
            }
            if broken {
                self.fold(&mut text, gap, self.pos, escaped);
            } else {
                text.push_str(&self.text[gap..self.pos]);
            }
        }
    }

    fn escape(&mut self, out: &mut String, start: Mark) -> Scan {
        let opened = "the text starts here";
        let length = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                out.push(match byte {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => {
                        return Err(self.error_here(
                            Problem::Escape("found unknown escape character"),
                            start,
                            opened,
                        ));
                    }
                });
                self.pos += 2;
                return Ok(());
            }
        };
        let mut code: u32 = 0;
        for ahead in 2..2 + length {
            let Some(digit) = char::from(self.byte(ahead)).to_digit(16) else {
                let problem = Problem::Escape("did not find expected hexdecimal number");
                return Err(self.error_here(problem, start, opened));
            };
            code = (code << 4) | digit;
        }
        let Some(c) = char::from_u32(code) else {
            let problem = Problem::Escape("found invalid Unicode character escape code");
            return Err(self.error_here(problem, start, opened));
        };
        out.push(c);
        self.pos += 2 + length;
        Ok(())
    }

    pub(super) fn fetch_block_scalar(&mut self) -> Scan {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let start = self.mark();
        let literal = self.byte(0) == b'|';
        self.pos += 1;
        let (keep, increment) = self.block_header(start)?;

        let mut end = self.pos;
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.max(0) + increment,
        };
        let mut text = String::new();
        let mut leading_break = String::new();
        let mut trailing_breaks = String::new();
        self.block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;
        let mut leading_blank = false;
        while self.pos < self.bytes.len() && self.column() == indent {
            let blank = matches!(self.byte(0), b' ' | b'\t');
            if !literal && !leading_blank && !blank && leading_break.starts_with('\n') {
                if trailing_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&leading_break);
            }
            leading_break.clear();
            text.push_str(&trailing_breaks);
            trailing_breaks.clear();
            leading_blank = blank;
            let line_end = self.line_end(self.pos);
            text.push_str(&self.text[self.pos..line_end]);
            self.pos = line_end;
            end = line_end;
            self.read_break(&mut leading_break);
            self.block_breaks(&mut indent, &mut trailing_breaks, start, &mut end)?;
        }
        if keep != Some(false) {
            text.push_str(&leading_break);
        }
        if keep == Some(true) {
            text.push_str(&trailing_breaks);
        }
        let style = if literal { Style::Literal } else { Style::Folded };
        self.push(Kind::Scalar(Cow::Owned(text), style), start.pos, end, start.line);
        Ok(())
    }

    /// Reads what follows `|` or `>`, to the start of the next line: chomping (`+` is true) and indentation.
    fn block_header(&mut self, start: Mark) -> Scan<(Option<bool>, isize)> {
        let opened = "the block text starts here";
        let mut keep = None;
        let mut increment = 0;
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if keep.is_none() => keep = Some(sign == b'+'),
                b'0' if increment == 0 => {
                    let problem = Problem::BlockHeader("found an indentation indicator equal to 0");
                    return Err(self.error_here(problem, start, opened));
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = isize::from(digit - b'0'),
                _ => break,
            }
            self.pos += 1;
        }
        self.skip_blanks();
        self.skip_comment();
        if !self.is_breakz() {
            let problem = Problem::BlockHeader("did not find expected comment or line break");
            return Err(self.error_here(problem, start, opened));
        }
        self.skip_break();
        Ok((keep, increment))
    }

    /// Steps over indentation and empty lines; finds the indent where it is not known yet.
    fn block_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        start: Mark,
        end: &mut usize,
    ) -> Scan {
        let mut deepest = 0;
        loop {
            // Only spaces lie between the start of the line and here.
            let mut column = self.column();
            while (*indent == 0 || column < *indent) && self.byte(0) == b' ' {
                self.pos += 1;
                column += 1;
            }
            deepest = deepest.max(column);
            if (*indent == 0 || column < *indent) && self.byte(0) == b'\t' {
                return Err(self.error_here(Problem::BlockTab, start, "the block text starts here"));
            }
            if self.break_len(self.pos) == 0 {
                break;
            }
            self.read_break(breaks);
            *end = (*end).max(self.pos.saturating_sub(1));
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

const STOP: u8 = 1;
const COLON: u8 = 2;
const FLOW: u8 = 3;
const MAYBE_BREAK: u8 = 4;

/// What ends a plain scalar.
const PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    table[b' ' as usize] = STOP;
    table[b'\t' as usize] = STOP;
    table[b'\n' as usize] = STOP;
    table[b'\r' as usize] = STOP;
    table[b':' as usize] = COLON;
    table[b',' as usize] = FLOW;
    table[b'?' as usize] = FLOW;
    table[b'[' as usize] = FLOW;
    table[b']' as usize] = FLOW;
    table[b'{' as usize] = FLOW;
    table[b'}' as usize] = FLOW;
    table[0xc2] = MAYBE_BREAK;
    table[0xe2] = MAYBE_BREAK;
    table
};
