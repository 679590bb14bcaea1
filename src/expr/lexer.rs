//! Tokens of CEL, and the end of an expression inside longer text.
//!
//! Offsets count from the start of the scalar's text, so that one map turns them into places in the file.

use super::ast::{At, Literal};
use super::fault::Fault;
use crate::diag::codes;
use std::sync::Arc;

/// What a token is.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Literal(Literal),
    /// A name, keywords and reserved words included.
    Word(Arc<str>),
    /// A name between backquotes, only good after a dot.
    Quoted(Arc<str>),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// Longest first: the first that matches wins.
const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "<", ">", "+", "-",
    "*", "/", "%", "!",
];

fn syntax(message: impl Into<String>, start: usize, end: usize) -> Fault {
    Fault::new(codes::EXPRESSION_SYNTAX, message).at(At::new(start, end))
}

/// Splits `text[start..end]`.
pub(super) fn tokens(text: &str, start: usize, end: usize) -> Result<Vec<(Token, At)>, Fault> {
    let mut lexer = Lexer { text, at: start, end };
    let mut found = Vec::new();
    loop {
        lexer.skip_blank();
        let from = lexer.at;
        let token = lexer.token()?;
        let done = matches!(token, Token::End);
        found.push((token, At::new(from, lexer.at)));
        if done {
            return Ok(found);
        }
    }
}

/// The offset of the `}` that ends the expression which starts at `start` (after its `${`); `None` without one.
/// Strings, comments and nested braces are respected.
pub(super) fn end_of_expression(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'"' | b'\'' => {
                at = end_of_string(bytes, at, is_raw(bytes, start, at))?;
                continue;
            }
            b'`' => at += 1 + text[at + 1..].find('`')?,
            b'/' if bytes.get(at + 1) == Some(&b'/') => at += text[at..].find('\n')?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether the quote at `at` opens a raw string: `r`, `br`, `rb` before it and no name around them.
fn is_raw(bytes: &[u8], start: usize, at: usize) -> bool {
    let mut from = at;
    while from > start
        && at - from < 3
        && (bytes[from - 1].is_ascii_alphanumeric() || bytes[from - 1] == b'_')
    {
        from -= 1;
    }
    let prefix = &bytes[from..at];
    prefix.len() <= 2
        && prefix.iter().any(|b| matches!(b, b'r' | b'R'))
        && prefix.iter().all(|b| b"rRbB".contains(b))
}

/// One past the end of the string that opens at `at`.
fn end_of_string(bytes: &[u8], at: usize, raw: bool) -> Option<usize> {
    let quote = bytes[at];
    let triple = bytes[at..].starts_with(&[quote, quote, quote]);
    let mut at = at + if triple { 3 } else { 1 };
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\\' && !raw {
            at += 2;
        } else if byte == quote && !triple {
            return Some(at + 1);
        } else if byte == quote && bytes[at..].starts_with(&[quote, quote, quote]) {
            return Some(at + 3);
        } else if matches!(byte, b'\n' | b'\r') && !triple {
            return None;
        } else {
            at += 1;
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..self.end]
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
            self.at += blank;
            if !self.rest().starts_with("//") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.end - self.at);
        }
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let second = rest.as_bytes().get(1).copied().unwrap_or(0);
        if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
            return self.number();
        }
        if first == '`' {
            let Some(length) = rest[1..].find('`') else {
                return Err(syntax("this backquote is not closed", self.at, self.end));
            };
            let name = Arc::from(&rest[1..=length]);
            self.at += length + 2;
            return Ok(Token::Quoted(name));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let prefix = &rest[..length];
            let quoted = rest[length..].starts_with(['"', '\'']);
            if quoted && length <= 2 && prefix.bytes().all(|b| b"rRbB".contains(&b)) {
                let lower = prefix.to_ascii_lowercase();
                if lower != "rr" && lower != "bb" {
                    return self.string(length, lower.contains('r'), lower.contains('b'));
                }
            }
            let word = Arc::from(prefix);
            self.at += length;
            return Ok(Token::Word(word));
        }
        if first == '"' || first == '\'' {
            return self.string(0, false, false);
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let fault =
            syntax(format!("`{first}` means nothing in an expression"), self.at, self.at + first.len_utf8());
        Err(match first {
            '=' => fault.help("write `==` to compare"),
            '&' => fault.help("write `&&` for \"and\""),
            '|' => fault.help("write `||` for \"or\"; there are no pipes in CEL: call functions instead"),
            '$' => fault.help("inside `${...}` names are written without `$`"),
            _ => fault,
        })
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let rest = self.rest();
        let bytes = rest.as_bytes();
        if rest.starts_with("0x") || rest.starts_with("0X") {
            let length = 2 + bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
            let digits = rest[2..length].to_owned();
            return self.integer(start, length, &digits, 16);
        }
        let digits =
            |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut length = digits(0);
        let mut float = false;
        if bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent > 0 {
                float = true;
                length += 1 + sign + exponent;
            }
        }
        if !float {
            let text = rest[..length].to_owned();
            return self.integer(start, length, &text, 10);
        }
        let number: f64 = rest[..length].parse().unwrap_or(f64::INFINITY);
        self.at += length;
        self.no_letter(start)?;
        if number.is_finite() {
            Ok(Token::Literal(Literal::Double(number)))
        } else {
            Err(syntax("this number is too large", start, self.at))
        }
    }

    fn integer(&mut self, start: usize, length: usize, digits: &str, radix: u32) -> Result<Token, Fault> {
        let number = u64::from_str_radix(digits, radix);
        self.at += length;
        let unsigned = self.rest().starts_with(['u', 'U']);
        self.at += usize::from(unsigned);
        self.no_letter(start)?;
        let too_large = || {
            Fault::overflow("this integer does not fit 64 bits")
                .at(At::new(start, start + length))
                .help("write it as a string, or as a number with a decimal point")
        };
        let number = number.map_err(|_error| too_large())?;
        if unsigned {
            return Ok(Token::Literal(Literal::Uint(number)));
        }
        // `-9223372036854775808` is a minus and a number that alone would not fit: the parser joins them
        match i64::try_from(number) {
            Ok(number) => Ok(Token::Literal(Literal::Int(number))),
            Err(_) if number == 1 << 63 => Ok(Token::Literal(Literal::Int(i64::MIN))),
            Err(_) => Err(too_large()),
        }
    }

    /// A number must not run into a name.
    fn no_letter(&self, start: usize) -> Result<(), Fault> {
        if self.rest().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            let fault = syntax("letters follow a number", start, self.at + 1);
            return Err(fault.help("quote it if it is text; a name cannot start with a digit"));
        }
        Ok(())
    }

    fn string(&mut self, prefix: usize, raw: bool, bytes: bool) -> Result<Token, Fault> {
        let start = self.at;
        let open = start + prefix;
        let Some(close) = end_of_string(&self.text.as_bytes()[..self.end], open, raw) else {
            return Err(syntax("this string is not closed", start, self.end));
        };
        let quote = self.text.as_bytes()[open];
        let marks =
            if self.text[open..close].len() >= 6 && self.text.as_bytes()[open..].starts_with(&[quote; 3]) {
                3
            } else {
                1
            };
        let body = &self.text[open + marks..close - marks];
        self.at = close;
        if raw {
            return Ok(Token::Literal(if bytes {
                Literal::Bytes(body.as_bytes().into())
            } else {
                Literal::String(body.into())
            }));
        }
        let base = open + marks;
        if bytes {
            let mut out = Vec::with_capacity(body.len());
            unescape(body, base, true, &mut |piece| match piece {
                Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Piece::Byte(byte) => out.push(byte),
            })?;
            return Ok(Token::Literal(Literal::Bytes(out.into())));
        }
        let mut out = String::with_capacity(body.len());
        unescape(body, base, false, &mut |piece| match piece {
            Piece::Char(c) => out.push(c),
            Piece::Byte(byte) => out.push(char::from(byte)),
        })?;
        Ok(Token::Literal(Literal::String(out.into())))
    }
}

enum Piece {
    Char(char),
    Byte(u8),
}

/// Resolves the escapes of a string; `base` is the offset of `body`.
fn unescape(body: &str, base: usize, bytes: bool, put: &mut dyn FnMut(Piece)) -> Result<(), Fault> {
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let at = base + body.len() - rest.len();
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            put(Piece::Char(c));
            continue;
        }
        let Some(escape) = rest.chars().next() else {
            return Err(syntax("a backslash ends this string", at, at + 1));
        };
        rest = &rest[escape.len_utf8()..];
        let simple = match escape {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => Some(escape),
            _ => None,
        };
        if let Some(c) = simple {
            put(Piece::Char(c));
            continue;
        }
        let (radix, length, from) = match escape {
            'x' | 'X' => (16, 2, 0),
            'u' => (16, 4, 0),
            'U' => (16, 8, 0),
            '0'..='3' => (8, 3, 1),
            _ => {
                let fault =
                    syntax(format!("`\\{escape}` is no escape of a string"), at, at + 1 + escape.len_utf8());
                return Err(
                    fault.help("double the backslash, or write the string as r'...', where it means itself")
                );
            }
        };
        let whole = &body[at - base + 2 - from..];
        let digits = whole.get(..length).filter(|d| d.chars().all(|c| c.is_digit(radix)));
        let code = digits.and_then(|d| u32::from_str_radix(d, radix).ok());
        let Some(code) = code else {
            return Err(syntax(format!("`\\{escape}` needs {length} digits"), at, at + 2));
        };
        rest = &whole[length..];
        if bytes && !matches!(escape, 'u' | 'U') {
            match u8::try_from(code) {
                Ok(byte) => put(Piece::Byte(byte)),
                Err(_) => return Err(syntax("this escape is no byte", at, at + 2)),
            }
        } else {
            match char::from_u32(code) {
                Some(c) => put(Piece::Char(c)),
                None => return Err(syntax("this escape is no character", at, at + 2 + length)),
            }
        }
    }
    Ok(())
}
