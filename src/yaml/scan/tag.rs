//! Directives, anchors, aliases and tags.

use super::{Kind, Mark, Scan, Scanner};
use crate::yaml::error::Problem;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl Scanner<'_> {
    fn word(&mut self) -> (usize, usize) {
        let start = self.pos;
        while is_word(self.byte(0)) {
            self.pos += 1;
        }
        (start, self.pos)
    }

    pub(super) fn fetch_anchor(&mut self) -> Scan {
        let key = self.save_simple_key()?;
        self.simple_key_allowed = false;
        let (start, line) = (self.pos, self.line);
        let alias = self.byte(0) == b'*';
        self.pos += 1;
        let (from, to) = self.word();
        let ends = self.is_blankz(0)
            || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if from == to || !ends {
            return Err(self.error(Problem::AnchorName, start, self.pos + self.width()));
        }
        let name = &self.text[from..to];
        let kind = if alias { Kind::Alias(name) } else { Kind::Anchor(name) };
        self.push_keyed(kind, start, to, line, key);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Scan {
        let key = self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark();
        let (mut handle, mut suffix);
        if self.byte(1) == b'<' {
            self.pos += 2;
            handle = String::new();
            suffix = self.tag_uri(false, "", start)?;
            if self.byte(0) != b'>' {
                return Err(self.tag_error(false, start, "did not find the expected '>'"));
            }
            self.pos += 1;
        } else {
            handle = self.tag_handle(false, start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                suffix = self.tag_uri(false, "", start)?;
            } else {
                suffix = self.tag_uri(false, &handle, start)?;
                handle = "!".to_owned();
                // A lone `!`.
                if suffix.is_empty() {
                    std::mem::swap(&mut handle, &mut suffix);
                }
            }
        }
        if !self.is_blankz(0) {
            return Err(self.tag_error(false, start, "did not find expected whitespace or line break"));
        }
        self.push_keyed(Kind::Tag(Box::new((handle, suffix))), start.pos, self.pos, start.line, key);
        Ok(())
    }

    fn tag_error(&self, directive: bool, start: Mark, text: &'static str) -> crate::yaml::Error {
        let problem = if directive { Problem::Directive(text) } else { Problem::Tag(text) };
        self.error_here(problem, start, "it starts here")
    }

    fn tag_handle(&mut self, directive: bool, start: Mark) -> Scan<String> {
        let from = self.pos;
        if self.byte(0) != b'!' {
            return Err(self.tag_error(directive, start, "did not find expected '!'"));
        }
        self.pos += 1;
        self.word();
        if self.byte(0) == b'!' {
            self.pos += 1;
        } else if directive && self.pos > from + 1 {
            return Err(self.tag_error(directive, start, "did not find expected '!'"));
        }
        Ok(self.text[from..self.pos].to_owned())
    }

    fn tag_uri(&mut self, directive: bool, head: &str, start: Mark) -> Scan<String> {
        let mut uri = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut any = !head.is_empty();
        loop {
            match self.byte(0) {
                b'%' => self.uri_escape(directive, &mut uri, start)?,
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.pos += 1;
                }
                _ => break,
            }
            any = true;
        }
        if any {
            Ok(String::from_utf8_lossy(&uri).into_owned())
        } else {
            Err(self.tag_error(directive, start, "did not find expected tag URI"))
        }
    }

    /// Reads one character written as `%XX` octets.
    fn uri_escape(&mut self, directive: bool, uri: &mut Vec<u8>, start: Mark) -> Scan {
        let mut left = None;
        while left != Some(0) {
            let digit = |ahead| char::from(self.byte(ahead)).to_digit(16);
            let octet = match (self.byte(0), digit(1), digit(2)) {
                (b'%', Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(0),
                _ => return Err(self.tag_error(directive, start, "did not find URI escaped octet")),
            };
            left = Some(match left {
                None => match octet {
                    0..=0x7f => 0,
                    0xc0..=0xdf => 1,
                    0xe0..=0xef => 2,
                    0xf0..=0xf7 => 3,
                    _ => {
                        return Err(self.tag_error(
                            directive,
                            start,
                            "found an incorrect leading UTF-8 octet",
                        ));
                    }
                },
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.tag_error(directive, start, "found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => left - 1,
            });
            uri.push(octet);
            self.pos += 3;
        }
        Ok(())
    }

    pub(super) fn fetch_directive(&mut self) -> Scan {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.mark();
        self.pos += 1;
        let (from, to) = self.word();
        if from == to {
            return Err(self.tag_error(true, start, "could not find expected directive name"));
        }
        if !self.is_blankz(0) {
            return Err(self.tag_error(true, start, "found unexpected non-alphabetical character"));
        }
        let kind = match &self.text[from..to] {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number(start)?;
                if self.byte(0) != b'.' {
                    return Err(self.tag_error(true, start, "did not find expected digit or '.' character"));
                }
                self.pos += 1;
                Kind::Version { major, minor: self.version_number(start)? }
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.tag_handle(true, start)?;
                if !matches!(self.byte(0), b' ' | b'\t') {
                    return Err(self.tag_error(true, start, "did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.tag_uri(true, "", start)?;
                if !self.is_blankz(0) {
                    let text = "did not find expected whitespace or line break";
                    return Err(self.tag_error(true, start, text));
                }
                Kind::TagDirective(Box::new((handle, prefix)))
            }
            _ => return Err(self.tag_error(true, start, "found unknown directive name")),
        };
        let end = self.pos;
        self.skip_blanks();
        self.skip_comment();
        if !self.is_breakz() {
            return Err(self.tag_error(true, start, "did not find expected comment or line break"));
        }
        self.skip_break();
        self.push(kind, start.pos, end, start.line);
        Ok(())
    }

    fn version_number(&mut self, start: Mark) -> Scan<u8> {
        let mut value = 0;
        let mut length = 0;
        while self.byte(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.tag_error(true, start, "found extremely long version number"));
            }
            value = value * 10 + (self.byte(0) - b'0');
            self.pos += 1;
        }
        if length == 0 {
            return Err(self.tag_error(true, start, "did not find expected version number"));
        }
        Ok(value)
    }
}
