//! URLs as Go's `net/url` (1.26) takes them apart and puts them together.

use crate::helm::funcs::{Args, Ctx, FuncError, Function};
use crate::helm::strconv;
use crate::helm::value::types::{MAP, STRING};
use crate::helm::value::{Kind, Map, Str, Value};
use std::net::Ipv6Addr;

pub(super) static FUNCTIONS: &[Function] =
    &[Function::new("urlParse", &[&STRING], url_parse), Function::new("urlJoin", &[&MAP], url_join)];

/// A part of a URL, which decides what has to be escaped in it.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

impl Part {
    /// Whether a byte stands for itself.
    fn keeps(self, byte: u8) -> bool {
        let marks: &[u8] = match self {
            Self::Path => b"$&+,-./:;=@_~",
            Self::Host | Self::Zone => b"!\"$&'()*+,-.:;<=>[]_~",
            Self::User => b"$&+,-.;=_~",
            Self::Fragment => b"!$&()*+,-./:;=?@_~",
        };
        byte.is_ascii_alphanumeric() || marks.contains(&byte)
    }
}

#[derive(Default)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

/// Go's words of what is wrong.
type Fault = Vec<u8>;

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn quoted(lead: &str, text: &[u8], tail: &str) -> Fault {
    join(&[lead.as_bytes(), &strconv::quote(text), tail.as_bytes()])
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(at, text) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if part.keeps(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && !part.keeps(byte) {
                return Err(quoted("invalid character ", &[byte], " in host name"));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let triple = &text[at..text.len().min(at + 3)];
        let bad = || quoted("invalid URL escape ", triple, "");
        let digit = |place: usize| triple.get(place).and_then(|&b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(1), digit(2)) else {
            return Err(bad());
        };
        let value = u8::try_from(high << 4 | low).unwrap_or(0);
        let percent = triple == b"%25";
        let refused = match part {
            Part::Host => high < 8 && !percent,
            Part::Zone => !percent && value != b' ' && !Part::Host.keeps(value),
            _ => false,
        };
        if refused {
            return Err(bad());
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}

/// The scheme and what follows it; the scheme is empty where there is none.
fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(b"missing protocol scheme".to_vec()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_without_fragment(text: &[u8]) -> Result<Url, Fault> {
    if text.iter().any(|&b| b < b' ' || b == 0x7f) {
        return Err(b"net/url: invalid control character in URL".to_vec());
    }
    let mut url = Url::default();
    if text == b"*" {
        url.path = text.to_vec();
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err(b"first path segment in URL cannot contain colon".to_vec());
        }
    }
    if (!url.scheme.is_empty() || !rest.starts_with(b"///"))
        && let Some(authority) = rest.strip_prefix(b"//")
    {
        let end = memchr::memchr(b'/', authority).unwrap_or(authority.len());
        (url.user, url.host) = parse_authority(&url.scheme, &authority[..end])?;
        rest = &authority[end..];
    }
    url.path = unescape(rest, Part::Path)?;
    Ok(url)
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), Fault> {
    let Some(at) = memchr::memrchr(b'@', authority) else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, &authority[at + 1..])?;
    let info = &authority[..at];
    if !info.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b)) {
        return Err(b"net/url: invalid userinfo".to_vec());
    }
    let (name, password) = cut(info, b':');
    let name = unescape(name, Part::User)?;
    let password = password.map(|text| unescape(text, Part::User)).transpose()?;
    Ok((Some(User { name, password }), host))
}

fn check_port(port: &[u8]) -> Result<(), Fault> {
    let fine = port.is_empty() || port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit);
    if fine { Ok(()) } else { Err(quoted("invalid port ", port, " after host")) }
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, Fault> {
    match memchr::memrchr(b'[', host) {
        Some(0) => return parse_literal(host),
        Some(_) => return Err(b"invalid IP-literal".to_vec()),
        None => {}
    }
    if let Some(first) = memchr::memchr(b':', host) {
        // Schemes whose hosts are well known have to get their colons right.
        let strict = matches!(scheme, b"http" | b"https");
        let colon = if strict { first } else { memchr::memrchr(b':', host).unwrap_or(first) };
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

/// An IPv6 address in brackets.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, Fault> {
    let Some(close) = memchr::memrchr(b']', host) else {
        return Err(b"missing ']' in host".to_vec());
    };
    let (name, port) = (&host[1..close], &host[close + 1..]);
    check_port(port)?;
    let port = unescape(port, Part::Host)?;
    let name = match memchr::memmem::find(name, b"%25") {
        Some(zone) => join(&[&unescape(&name[..zone], Part::Host)?, &unescape(&name[zone..], Part::Zone)?]),
        None => unescape(name, Part::Host)?,
    };
    let (address, zone) = cut(&name, b'%');
    let text = String::from_utf8_lossy(address);
    if text.parse::<std::net::Ipv4Addr>().is_ok() && zone.is_none() {
        return Err(b"invalid IP-literal".to_vec());
    }
    if text.parse::<Ipv6Addr>().is_err() || zone.is_some_and(<[u8]>::is_empty) {
        return Err(quoted("invalid host: ParseAddr(", &name, "): unable to parse IP"));
    }
    Ok(join(&[b"[", &name, b"]", &port]))
}

/// `url.Parse`; the error is Go's text.
fn parse(text: &[u8]) -> Result<Url, Fault> {
    let (before, fragment) = cut(text, b'#');
    let fault = |text: &[u8], words: Fault| join(&[b"parse ", &strconv::quote(text), b": ", &words]);
    let mut url = parse_without_fragment(before).map_err(|words| fault(before, words))?;
    url.fragment =
        unescape(fragment.unwrap_or_default(), Part::Fragment).map_err(|words| fault(text, words))?;
    Ok(url)
}

impl User {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }
}

impl Url {
    /// `URL.String`, for a URL made of its parts.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let authority = !self.host.is_empty() || self.user.is_some();
            if authority || !self.scheme.is_empty() && !self.path.is_empty() {
                out.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                out.extend(user.to_bytes());
                out.push(b'@');
            }
            out.extend(escape(&self.host, Part::Host));
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }

    /// The host without its port and its brackets.
    fn hostname(&self) -> &[u8] {
        let mut host = self.host.as_slice();
        if let Some(colon) = memchr::memrchr(b':', host)
            && check_port(&host[colon..]).is_ok()
        {
            host = &host[..colon];
        }
        match host {
            [b'[', inner @ .., b']'] => inner,
            host => host,
        }
    }
}

fn url_parse(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0)?;
    ctx.charge(text.len())?;
    let url = parse(text).map_err(|words| FuncError::message(join(&[b"unable to parse url: ", &words])))?;
    let user = url.user.as_ref().map(User::to_bytes).unwrap_or_default();
    let entries: [(&str, &[u8]); 8] = [
        ("scheme", &url.scheme),
        ("host", &url.host),
        ("hostname", url.hostname()),
        ("path", &url.path),
        ("query", &url.query),
        ("opaque", &url.opaque),
        ("fragment", &url.fragment),
        ("userinfo", &user),
    ];
    Ok(Value::map(entries.map(|(key, text)| (key, Value::String(Str::new(text))))))
}

fn member(map: &Map, key: &str) -> Result<Vec<u8>, FuncError> {
    match map.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(super::cast::nil_dereference()),
        Some(other) if other.kind() == Kind::String => Ok(super::cast::strval(&other)?.to_vec()),
        Some(other) => {
            let kind = other.kind().name();
            Err(FuncError::message(format!(
                "unable to parse {key} key, must be of type string, but {kind} found"
            )))
        }
    }
}

fn url_join(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Value, FuncError> {
    let map = args.map(0)?;
    let mut url = Url {
        scheme: member(map, "scheme")?,
        host: member(map, "host")?,
        path: member(map, "path")?,
        query: member(map, "query")?,
        opaque: member(map, "opaque")?,
        fragment: member(map, "fragment")?,
        user: None,
    };
    let info = member(map, "userinfo")?;
    if !info.is_empty() {
        let parsed = parse(&join(&[b"proto://", &info, b"@host"]))
            .map_err(|words| FuncError::message(join(&[b"unable to parse userinfo in dict: ", &words])))?;
        url.user = parsed.user;
    }
    let out = url.to_bytes();
    ctx.charge(out.len())?;
    Ok(Value::String(out.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn urls_come_apart_and_together() {
        let url = parse(b"HTTP://bob:p%40ss@server.com:8080/a%20b?q=1&r#top").unwrap();
        assert_eq!(text(url.to_bytes()), "http://bob:p%40ss@server.com:8080/a%20b?q=1&r#top");
        assert_eq!(url.hostname(), b"server.com");
        assert_eq!(parse(b"mailto:a@b").unwrap().opaque, b"a@b");
        assert_eq!(parse(b"http://[::1%25eth0]:80/").unwrap().hostname(), b"::1%eth0");
    }

    #[test]
    fn faults_have_gos_words() {
        for (url, words) in [
            ("://a", r#"parse "://a": missing protocol scheme"#),
            ("a:b:c/d", ""),
            ("1a:b", r#"parse "1a:b": first path segment in URL cannot contain colon"#),
            ("http://a:b/", r#"parse "http://a:b/": invalid port ":b" after host"#),
            ("/%zz", r#"parse "/%zz": invalid URL escape "%zz""#),
            ("http://a b/", r#"parse "http://a b/": invalid character " " in host name"#),
        ] {
            assert_eq!(parse(url.as_bytes()).err().map(text).unwrap_or_default(), words, "{url}");
        }
    }
}
