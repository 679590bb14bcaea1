//! IP addresses, networks and URLs, as strictly as Kubernetes' CEL library reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: an address and how many of its bits count.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

/// Reads an address; no zones, no leading zeros, no IPv4 in IPv6.
pub(super) fn parse_ip(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
        _ => Some(address),
    }
}

impl Cidr {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = parse_ip(address)?;
        let plain = !bits.is_empty() && bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit());
        if !plain || (bits.len() > 1 && bits.starts_with('0')) {
            return None;
        }
        let bits: u8 = bits.parse().ok()?;
        (bits <= width(address)).then_some(Self { address, bits })
    }

    pub(super) fn contains(self, address: IpAddr) -> bool {
        width(self.address) == width(address) && mask(self.address, self.bits) == mask(address, self.bits)
    }

    pub(super) fn contains_cidr(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.address)
    }

    pub(super) fn masked(self) -> Self {
        Self { address: mask(self.address, self.bits), bits: self.bits }
    }

    pub(super) fn text(self) -> String {
        format!("{}/{}", self.address, self.bits)
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    }
}

/// Whether traffic to it may leave the machine and the link.
pub(super) fn is_global_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(broadcast
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || is_link_local_unicast(address))
}

/// `169.254.0.0/16` and `fe80::/10`.
pub(super) fn is_link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// `224.0.0.0/24` and `ff02::/16`.
pub(super) fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    }
}

/// An absolute URL or an absolute path, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) text: String,
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
}

/// Whether a text is an absolute URL or an absolute path, as Go reads one in a request.
pub fn is_url(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let rest = rest.split('?').next().unwrap_or(rest);
    if text.is_empty() || text.bytes().any(|byte| byte.is_ascii_control()) {
        return false;
    }
    match rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
            valid_user(user) && valid_host(host) && valid_escapes(path)
        }
        None if rest.starts_with('/') => valid_escapes(rest),
        // What follows a scheme without a slash may be anything: `mailto:`.
        None => !scheme.is_empty(),
    }
}

/// The scheme, which may be empty, and what follows it; `None` where there is a colon and nothing before it.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
    match end.map(|end| text.split_at(end)) {
        Some(("", rest)) if rest.starts_with(':') => None,
        Some((scheme, rest)) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some(rest.strip_prefix(':').map_or(("", text), |rest| (scheme, rest)))
        }
        _ => Some(("", text)),
    }
}

fn valid_user(user: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    user.chars().all(plain) && valid_escapes(user)
}

impl Url {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !is_url(text) {
            return None;
        }
        let (scheme, rest) = split_scheme(text)?;
        let scheme = scheme.to_ascii_lowercase();
        let rest = rest.split('#').next().unwrap_or(rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (authority.rsplit('@').next().unwrap_or(authority), path)
            }
            // What has a scheme and no path, as `mailto:`, has none of the parts.
            None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
            None => ("", rest),
        };
        Some(Self {
            text: text.to_owned(),
            scheme,
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }

    /// The host without its port, IPv6 without brackets.
    pub(super) fn host_name(&self) -> &str {
        let host = &self.host;
        if let Some(inner) = host.strip_prefix('[') {
            return inner.split(']').next().unwrap_or(inner);
        }
        host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name)
    }

    pub(super) fn port(&self) -> &str {
        let after = self.host.rsplit_once(']').map_or(self.host.as_str(), |(_, after)| after);
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }

    /// The parameters with all their values, decoded, in order of appearance.
    pub(super) fn parameters(&self) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(key), Some(value)) = (decode(key), decode(value)) else { continue };
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => found.push((key, vec![value])),
            }
        }
        found
    }
}

fn valid_host(host: &str) -> bool {
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((inner, after)) = rest.rsplit_once(']') else { return false };
        if inner.split('%').next().is_none_or(|address| address.parse::<Ipv6Addr>().is_err()) {
            return false;
        }
        ("", after)
    } else {
        host.rfind(':').map_or((host, ""), |at| host.split_at(at))
    };
    let valid_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    // Of what is escaped, only bytes beyond ASCII may stand in a name, and the percent sign itself.
    let escaped = |at: usize| {
        let digits = name.get(at + 1..at + 3).unwrap_or_default();
        digits == "25" || digits.starts_with(|c: char| c.to_digit(16).is_some_and(|digit| digit >= 8))
    };
    valid_port
        && valid_escapes(name)
        && memchr::memchr_iter(b'%', name.as_bytes()).all(escaped)
        && !name.contains([' ', '\\', '^', '`', '{', '|', '}', '#', '?', '@', '/'])
}

fn valid_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'%', bytes).all(|at| {
        bytes.len() > at + 2 && bytes[at + 1].is_ascii_hexdigit() && bytes[at + 2].is_ascii_hexdigit()
    })
}

fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_addresses_and_networks() {
        let net = Cidr::parse("10.42.0.0/16").expect("valid");
        assert!(net.contains("10.42.255.1".parse().expect("valid")));
        assert!(!net.contains("10.43.0.1".parse().expect("valid")));
        assert!(!net.contains("::1".parse().expect("valid")));
        assert!(net.contains_cidr(Cidr::parse("10.42.3.0/24").expect("valid")));
        assert!(!net.contains_cidr(Cidr::parse("10.0.0.0/8").expect("valid")));
        assert_eq!(Cidr::parse("10.42.1.2/16").expect("valid").masked().text(), "10.42.0.0/16");
        assert!(Cidr::parse("0.0.0.0/0").expect("valid").contains("1.2.3.4".parse().expect("valid")));
        for bad in ["10.0.0.0", "10.0.0.0/33", "010.0.0.0/8", "10.0.0.0/08", "::ffff:1.2.3.4/96", "/8"] {
            assert!(Cidr::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn urls_come_apart() {
        let url = Url::parse("https://user@example.org:8080/a%20b?k=1&k=2&e=%3D#top").expect("valid");
        assert_eq!(
            (url.scheme.as_str(), url.host.as_str(), url.host_name(), url.port()),
            ("https", "example.org:8080", "example.org", "8080")
        );
        assert_eq!(url.path, "/a%20b");
        assert_eq!(
            url.parameters(),
            [("k".into(), vec!["1".into(), "2".into()]), ("e".into(), vec!["=".into()])]
        );
        let six = Url::parse("http://[::1]:80").expect("valid");
        assert_eq!((six.host_name(), six.port()), ("::1", "80"));
        for bad in [
            "",
            "example.org",
            "http://a b",
            "1http://x",
            "http://h:port/",
            "http://[::zz]/",
            "http://h#top",
            "http://u|x@h/",
            "://h",
            "http://h%41/",
            "/%zz",
        ] {
            assert!(Url::parse(bad).is_none(), "{bad}");
        }
        for good in [
            "*",
            "/",
            "/a b",
            "mailto:",
            "mailto:a@b",
            "http://h<>/",
            "http://h%E9/",
            "http://a:b:80/",
            "x:y z",
        ] {
            assert!(Url::parse(good).is_some(), "{good}");
        }
    }
}
