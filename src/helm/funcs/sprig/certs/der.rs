//! The little of DER that certificates and keys need: writing values, and walking over them.

/// Tags of universal values.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const BIT_STRING: u8 = 0x03;
    pub(in super::super) const OCTET_STRING: u8 = 0x04;
    pub(in super::super) const NULL: u8 = 0x05;
    pub(in super::super) const OBJECT: u8 = 0x06;
    pub(in super::super) const UTF8: u8 = 0x0c;
    pub(in super::super) const PRINTABLE: u8 = 0x13;
    pub(in super::super) const UTC_TIME: u8 = 0x17;
    pub(in super::super) const GENERALIZED_TIME: u8 = 0x18;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
}

/// One value: tag, length, contents.
pub(super) fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let len = contents.len();
    if len < 0x80 {
        out.push(u8::try_from(len).unwrap_or(0));
    } else {
        let bytes = len.to_be_bytes();
        let used = &bytes[bytes.iter().take_while(|&&b| b == 0).count()..];
        out.push(0x80 | u8::try_from(used.len()).unwrap_or(0));
        out.extend_from_slice(used);
    }
    out.extend_from_slice(contents);
    out
}

/// A sequence of values.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(tag::SEQUENCE, &parts.concat())
}

/// An integer that is not negative, from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let used = &bytes[bytes.iter().take_while(|&&b| b == 0).count()..];
    let mut contents = Vec::with_capacity(used.len() + 1);
    if used.first().is_none_or(|&b| b >= 0x80) {
        contents.push(0);
    }
    contents.extend_from_slice(used);
    value(tag::INTEGER, &contents)
}

/// A bit string of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(tag::BIT_STRING, &[&[0], bytes].concat())
}

/// An object identifier from its encoded contents.
pub(super) fn object(contents: &[u8]) -> Vec<u8> {
    value(tag::OBJECT, contents)
}

/// Walks over values, one after the other.
#[derive(Copy, Clone)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The tag, the contents and the whole of the next value.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if bytes.len() > 4 || bytes.is_empty() {
                return None;
            }
            (bytes.iter().fold(0, |n, &b| n << 8 | usize::from(b)), rest)
        };
        let contents = rest.get(..len)?;
        let whole = &self.0[..self.0.len() - rest.len() + len];
        self.0 = &rest[len..];
        Some((tag, contents, whole))
    }

    /// The contents of the next value, which has to have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, ..)| *found == tag).map(|(_, contents, _)| contents)
    }
}

/// A PEM block (`-----BEGIN KIND-----`).
pub(super) fn to_pem(kind: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {kind}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// The first PEM block of a text: its kind and its bytes. Header lines are skipped.
pub(super) fn from_pem(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(text);
    let mut rest = &*text;
    loop {
        let start = rest.find("-----BEGIN ")?;
        let body = &rest[start + 11..];
        rest = body;
        let Some((kind, body)) = body.split_once("-----") else {
            continue;
        };
        let Some(end) = body.find(&format!("-----END {kind}-----")) else {
            continue;
        };
        let lines: String = body[..end].lines().filter(|line| !line.contains(':')).map(str::trim).collect();
        if let Ok(bytes) = super::super::encoding::decode_base64(lines.as_bytes()) {
            return Some((kind.to_owned(), bytes));
        }
    }
}
