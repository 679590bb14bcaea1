//! How a string is written: plain, quoted or as a block, by the rules of go-yaml's encoder and emitter (encode.go
//! and emitterc.go, v2.4.2).

use super::Emitter;
use crate::yaml::resolve::{Resolved, is_base_60, resolve};

/// The width behind which a line breaks at the next space.
const WIDTH: usize = 80;

/// Which styles can hold a text.
#[expect(clippy::struct_excessive_bools, reason = "each style is possible or not")]
struct Analysis {
    plain: bool,
    single: bool,
    block: bool,
    multiline: bool,
    lf: bool,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Form {
    Plain,
    Single,
    Double,
    Literal,
}

/// Whether a plain text would be read back as the same string.
fn reads_back(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(
            b'y'
            | b'Y'
            | b'n'
            | b'N'
            | b't'
            | b'T'
            | b'f'
            | b'F'
            | b'o'
            | b'O'
            | b'~'
            | b'.'
            | b'+'
            | b'-'
            | b'0'..=b'9',
        )
        | None => resolve(text) == Resolved::String && !is_base_60(text),
        Some(_) => true,
    }
}

/// Whether a text is printable ASCII that can stand plain; says nothing about what it would be read as.
fn is_simple(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if *first == b' ' || *last == b' ' {
        return false;
    }
    match first {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%'
        | b'@' | b'`' => return false,
        b'?' | b':' | b'-' if matches!(bytes.get(1), None | Some(b' ')) => return false,
        b'-' | b'.' if bytes.len() >= 3 && bytes[1] == *first && bytes[2] == *first => return false,
        _ => {}
    }
    let mut rest = bytes;
    loop {
        let Some(at) = rest.iter().position(|byte| !SIMPLE[usize::from(*byte)]) else { return true };
        match rest[at] {
            b':' if !matches!(rest.get(at + 1), None | Some(b' ')) => {}
            // The byte in front may lie before `rest`.
            b'#' if bytes[bytes.len() - rest.len() + at - 1] != b' ' => {}
            _ => return false,
        }
        rest = &rest[at + 1..];
    }
}

/// Printable ASCII but `:` and `#`.
const SIMPLE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = byte != b':' as usize && byte != b'#' as usize;
        byte += 1;
    }
    table
};

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(
        c,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
    )
}

fn analyze(text: &str) -> Analysis {
    let mut found = Analysis {
        plain: !text.starts_with("---") && !text.starts_with("..."),
        single: true,
        block: true,
        multiline: false,
        lf: false,
    };
    if text.is_empty() {
        found.block = false;
        return found;
    }
    let (mut previous_space, mut previous_break, mut preceded) = (false, false, true);
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let followed = matches!(next, None | Some(' ' | '\t'));
        let indicator = match c {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            '#' => first || preceded,
            '?' | '-' => first && followed,
            ':' => followed,
            _ => false,
        };
        let space = c == ' ';
        let line_break = is_break(c);
        if indicator || ((space || line_break) && (first || next.is_none())) {
            found.plain = false;
        }
        if !is_printable(c) || (line_break && previous_space) {
            found.plain = false;
            found.single = false;
            found.block = false;
        }
        if space {
            if previous_break {
                found.plain = false;
                found.single = false;
            }
            if next.is_none() {
                found.block = false;
            }
        }
        if line_break {
            found.multiline = true;
            found.lf |= c == '\n';
        }
        previous_space = space;
        previous_break = line_break;
        preceded = line_break || matches!(c, ' ' | '\t' | '\0');
        first = false;
    }
    found.plain &= !found.multiline;
    found
}

impl Emitter<'_> {
    /// Writes a value where one look shows how: most strings are short and plain, most long ones lines of ASCII.
    pub(super) fn write_simple(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        if is_simple(bytes) {
            let plain = reads_back(text);
            if plain {
                self.write_plain(text, false);
            }
            return plain;
        }
        let ascii = bytes.iter().fold(true, |ascii, byte| ascii & matches!(byte, b' '..=b'~' | b'\n'));
        let literal = ascii
            && memchr::memchr(b'\n', bytes).is_some()
            && !text.ends_with(' ')
            && memchr::memmem::find(bytes, b" \n").is_none();
        if literal {
            self.write_literal(text);
        }
        literal
    }

    /// Writes a string as a value or, with `simple_key`, as a key in front of its `:`.
    pub(super) fn write_string(&mut self, text: &str, simple_key: bool) {
        if is_simple(text.as_bytes()) && reads_back(text) {
            // go-yaml writes `<<` plain and merges it when it reads it back.
            if self.exact && simple_key && text == "<<" {
                self.put("\"<<\"");
            } else {
                self.write_plain(text, simple_key);
            }
            return;
        }
        let found = analyze(text);
        let mut form = if found.lf {
            Form::Literal
        } else if reads_back(text) {
            Form::Plain
        } else {
            Form::Double
        };
        if form == Form::Plain && !found.plain {
            form = Form::Single;
        }
        if (form == Form::Single && !found.single) || (form == Form::Literal && (!found.block || simple_key))
        {
            form = Form::Double;
        }
        match form {
            Form::Plain => self.write_plain(text, simple_key),
            Form::Single => self.write_single(text, simple_key),
            Form::Double => self.write_double(text, simple_key),
            Form::Literal => self.write_literal(text),
        }
    }

    /// Whether a key can stand in front of its `:` on one line.
    pub(super) fn is_simple_key(text: &str) -> bool {
        text.len() <= 128 && (text.is_ascii() && !text.contains(['\n', '\r']) || !text.contains(is_break))
    }

    fn write_plain(&mut self, text: &str, simple_key: bool) {
        if simple_key || self.column() + text.len() <= WIDTH {
            self.put(text);
            return;
        }
        let bytes = text.as_bytes();
        let mut from = 0;
        let mut spaces = false;
        for at in 0..bytes.len() {
            if bytes[at] != b' ' {
                spaces = false;
                continue;
            }
            if !spaces && bytes.get(at + 1) != Some(&b' ') && self.column_after(&text[from..at]) > WIDTH {
                self.put(&text[from..at]);
                self.continue_line();
                from = at + 1;
            }
            spaces = true;
        }
        self.put(&text[from..]);
    }

    fn write_single(&mut self, text: &str, simple_key: bool) {
        self.put("'");
        let mut spaces = false;
        let mut breaks = false;
        let mut from = 0;
        for (at, c) in text.char_indices() {
            if c == ' ' {
                let next = text.as_bytes().get(at + 1);
                if !simple_key
                    && !spaces
                    && at > 0
                    && !matches!(next, None | Some(b' '))
                    && self.column_after(&text[from..at]) > WIDTH
                {
                    self.put(&text[from..at]);
                    self.continue_line();
                    from = at + 1;
                }
                spaces = true;
                continue;
            }
            if is_break(c) {
                self.put(&text[from..at + c.len_utf8()]);
                self.start_of_line();
                from = at + c.len_utf8();
                breaks = true;
                continue;
            }
            if breaks {
                self.put(&text[from..at]);
                from = at;
                self.pad_scalar();
            }
            if c == '\'' {
                self.put(&text[from..=at]);
                from = at;
            }
            spaces = false;
            breaks = false;
        }
        self.put(&text[from..]);
        self.put("'");
    }

    fn write_double(&mut self, text: &str, simple_key: bool) {
        // go-yaml asks for the byte order mark at the start of the text, wherever it is in it.
        let escape_all = text.starts_with('\u{feff}');
        self.put("\"");
        let mut spaces = false;
        let mut from = 0;
        for (at, c) in text.char_indices() {
            if escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.put(&text[from..at]);
                from = at + c.len_utf8();
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                if !simple_key
                    && !spaces
                    && at > 0
                    && at + 1 < text.len()
                    && self.column_after(&text[from..at]) > WIDTH
                {
                    self.put(&text[from..at]);
                    self.continue_line();
                    if text.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put("\\");
                    }
                    from = at + 1;
                }
                spaces = true;
            } else {
                spaces = false;
            }
        }
        self.put(&text[from..]);
        self.put("\"");
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => {
                let (letter, digits) = match u32::from(c) {
                    0..=0xff => ("\\x", 2),
                    0x100..=0xffff => ("\\u", 4),
                    _ => ("\\U", 8),
                };
                self.put(letter);
                for digit in (0..digits).rev() {
                    let nibble = (u32::from(c) >> (digit * 4)) & 0xf;
                    let hex = char::from_digit(nibble, 16).unwrap_or('0').to_ascii_uppercase();
                    self.put(hex.encode_utf8(&mut [0; 4]));
                }
                return;
            }
        };
        self.put(short);
    }

    fn write_literal(&mut self, text: &str) {
        self.put("|");
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.put("2");
        }
        let mut last = text.chars().rev();
        match (last.next(), last.next()) {
            (Some(end), _) if !is_break(end) => self.put("-"),
            (Some(_), None) => self.put("+"),
            (Some(_), Some(before)) if is_break(before) => self.put("+"),
            _ => {}
        }
        self.put("\n");
        self.start_of_line();
        let mut rest = text;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            let line = &rest[..end];
            if line.is_ascii() {
                if !line.is_empty() {
                    self.pad_scalar();
                    self.put(line);
                }
            } else {
                self.literal_line(line);
            }
            if end == rest.len() {
                return;
            }
            self.put("\n");
            self.start_of_line();
            rest = &rest[end + 1..];
        }
    }

    /// A line without LF, with the other breaks in it.
    fn literal_line(&mut self, line: &str) {
        let mut rest = line;
        while !rest.is_empty() {
            let end = rest.find(is_break).unwrap_or(rest.len());
            if end > 0 {
                self.pad_scalar();
                self.put(&rest[..end]);
            }
            rest = &rest[end..];
            if let Some(c) = rest.chars().next() {
                self.put(&rest[..c.len_utf8()]);
                self.start_of_line();
                rest = &rest[c.len_utf8()..];
            }
        }
    }
}
