//! The formats of strings that an API server holds custom resources to. All others mean nothing.
//!
//! They are what its library makes of them, which is at times more or less than a standard says: `ipv4` takes
//! leading zeros, `byte` no empty text, `hostname` no second hyphen without a dot.

use crate::expr;
use crate::kube::formats;
use std::net::Ipv6Addr;
use unicode_general_category::{GeneralCategory, get_general_category};

/// A format that is enforced.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::kube) struct Format(&'static Known);

/// A name without hyphens, what it takes, and what a text is that it does not take.
#[derive(Debug)]
struct Known {
    name: &'static str,
    since: u32,
    takes: fn(&str) -> bool,
    refusal: &'static str,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Known {}

const fn known(name: &'static str, takes: fn(&str) -> bool, refusal: &'static str) -> Known {
    Known { name, since: 0, takes, refusal }
}

/// The minor release from which on the formats of names are enforced: the one after that which brought them, as a server
/// can be rolled back to the one before.
pub(super) const NAMES_SINCE: u32 = 35;

static KNOWN: &[Known] = &[
    known("bsonobjectid", |text| text.len() == 24 && is_hex(text), "no object id of 24 hexadecimal digits"),
    known("uri", expr::is_url, "neither an absolute URI nor an absolute path"),
    known("email", is_email, "no e-mail address"),
    known("hostname", is_hostname, "no host name"),
    known("ipv4", |text| text.contains('.') && formats::lenient_ip(text).is_some(), "no IPv4 address"),
    known("ipv6", |text| text.contains(':') && text.parse::<Ipv6Addr>().is_ok(), "no IPv6 address"),
    known("cidr", |text| formats::lenient_network(text).is_some(), "no CIDR"),
    known("mac", is_mac, "no MAC address"),
    known("uuid", |text| is_uuid(text, None), "no UUID"),
    known("uuid3", |text| is_uuid(text, Some('3')), "no UUID of version 3"),
    known("uuid4", |text| is_uuid(text, Some('4')), "no UUID of version 4"),
    known("uuid5", |text| is_uuid(text, Some('5')), "no UUID of version 5"),
    known("isbn", |text| is_isbn10(text) || is_isbn13(text), "no ISBN"),
    known("isbn10", is_isbn10, "no ISBN of 10 digits"),
    known("isbn13", is_isbn13, "no ISBN of 13 digits"),
    known("creditcard", is_credit_card, "no number of a credit card"),
    known("ssn", is_social_security_number, "no social security number"),
    known("hexcolor", is_hex_color, "no colour such as `#ff0000`"),
    known("rgbcolor", is_rgb_color, "no colour such as `rgb(255,0,0)`"),
    known("byte", is_base64, "no base64"),
    known("password", |_| true, "no password"),
    known("date", is_date, "no date such as `2026-01-31`"),
    known("duration", |text| expr::loose_duration(text).is_some(), "no duration such as `1h30m`"),
    known("datetime", is_date_time, "no time such as `2026-01-31T12:00:00Z`"),
    Known {
        name: "k8sshortname",
        since: NAMES_SINCE,
        takes: |text| formats::dns_label(text).is_ok(),
        refusal: "no name of at most 63 lower-case letters, digits and hyphens",
    },
    Known {
        name: "k8slongname",
        since: NAMES_SINCE,
        takes: |text| formats::dns_subdomain(text).is_ok(),
        refusal: "no name of lower-case letters, digits, hyphens and dots",
    },
];

impl Format {
    /// The format of a name, where a server of this minor release enforces it.
    pub(super) fn of(name: &str, minor: u32) -> Option<Self> {
        let plain = |known: &&Known| {
            known.since <= minor && known.name.chars().eq(name.chars().filter(|c| *c != '-'))
        };
        KNOWN.iter().find(plain).map(Self)
    }

    /// Whether a text is of it.
    pub(super) fn matches(self, text: &str) -> bool {
        (self.0.takes)(text)
    }

    /// What a text is that is not.
    pub(super) fn refusal(self) -> &'static str {
        self.0.refusal
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// 6, 8 or 20 bytes, by colons, by hyphens, by dots in pairs, or with nothing between them.
fn is_mac(text: &str) -> bool {
    let parts = |sign: char, digits: usize, counts: &[usize]| {
        counts.contains(&text.split(sign).count())
            && text.split(sign).all(|part| part.len() == digits && is_hex(part))
    };
    let plain = matches!(text.len(), 12 | 16 | 40) && is_hex(text);
    plain || parts(':', 2, &[6, 8, 20]) || parts('-', 2, &[6, 8, 20]) || parts('.', 4, &[3, 4, 10])
}

fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((part, after)) = rest.split_at_checked(length) else { return false };
        let fits = match (index, version) {
            (2, Some(version)) => part.starts_with(version),
            (3, Some('4' | '5')) => part.starts_with(['8', '9', 'a', 'b', 'A', 'B']),
            _ => true,
        };
        if !is_hex(part) || !fits {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '-' | '\t' | '\n' | '\x0c' | '\r' | ' ')).collect()
}

fn is_isbn10(text: &str) -> bool {
    let text = without_blanks(text);
    let Some((digits, last)) = text.split_at_checked(9) else { return false };
    if text.len() != 10 || !is_digits(digits) {
        return false;
    }
    let last = match last.as_bytes()[0] {
        b'X' => 10,
        digit if digit.is_ascii_digit() => u32::from(digit - b'0'),
        _ => return false,
    };
    let sum: u32 = digits.bytes().zip(1..).map(|(digit, weight)| weight * u32::from(digit - b'0')).sum();
    (sum + 10 * last).is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let text = without_blanks(text);
    if text.len() != 13 || !is_digits(&text) {
        return false;
    }
    let sum: u32 = text
        .bytes()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| weight * u32::from(digit - b'0'))
        .sum();
    sum.is_multiple_of(10)
}

fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = |length: usize| digits.get(..length).and_then(|head| head.parse::<u32>().ok()).unwrap_or(0);
    let of_a_kind = match digits.len() {
        13 => number(1) == 4,
        14 => (300..=305).contains(&number(3)) || matches!(number(2), 36 | 38),
        15 => matches!(number(2), 34 | 37) || matches!(number(4), 2131 | 1800),
        16 => {
            number(1) == 4
                || (51..=55).contains(&number(2))
                || number(4) == 6011
                || matches!(number(2), 65 | 35)
        }
        _ => false,
    };
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| {
            let number = u32::from(digit - b'0') * weight;
            number / 10 + number % 10
        })
        .sum();
    of_a_kind && sum.is_multiple_of(10)
}

/// Eleven characters: the hyphens or blanks have to be there.
fn is_social_security_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            3 | 6 => matches!(byte, b'-' | b' '),
            _ => byte.is_ascii_digit(),
        })
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && is_hex(digits)
}

fn is_rgb_color(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let part = |part: &str| {
        let part = part.trim_matches(['\t', '\n', '\x0c', '\r', ' ']);
        is_digits(part) && (part == "0" || !part.starts_with('0')) && part.parse::<u8>().is_ok()
    };
    inner.split(',').count() == 3 && inner.split(',').all(part)
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length && is_digits(part))?;
        part.parse::<u32>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return false };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

/// A date, `t`, a time with an offset or `z`, in any case.
fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let clock = |text: &str, limits: &[&str]| {
        text.split(':').count() == limits.len()
            && text
                .split(':')
                .zip(limits)
                .all(|(part, limit)| part.len() == 2 && is_digits(part) && part <= *limit)
    };
    let Some((hours, rest)) = time.split_at_checked(8) else { return false };
    let rest = match rest.strip_suffix('z') {
        Some(rest) => rest,
        None => match rest.len().checked_sub(6).and_then(|at| rest.split_at_checked(at)) {
            Some((rest, offset)) if offset.starts_with(['+', '-']) && clock(&offset[1..], &["99", "99"]) => {
                rest
            }
            _ => return false,
        },
    };
    let mut fraction = rest.chars();
    let fraction =
        rest.is_empty() || (fraction.next().is_some_and(|c| c != '\n') && is_digits(fraction.as_str()));
    is_date(date) && clock(hours, &["23", "59", "59"]) && fraction
}

fn is_letter(c: char) -> bool {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    matches!(
        get_general_category(c),
        LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter
    )
}

fn is_symbol(c: char) -> bool {
    use GeneralCategory::{CurrencySymbol, MathSymbol, ModifierSymbol, OtherSymbol};
    matches!(get_general_category(c), CurrencySymbol | MathSymbol | ModifierSymbol | OtherSymbol)
}

fn is_hostname(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || is_letter(c) || is_symbol(c);
    let short = |label: &str| label.len() <= 63;
    if text.len() > 255 || !text.split('.').all(short) {
        return false;
    }
    let Some((labels, top)) = text.rsplit_once('.') else {
        let mut chars = text.chars();
        let first = chars.next().is_some_and(plain);
        let rest = chars.as_str();
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        return first && rest.chars().count() <= 62 && rest.chars().all(plain);
    };
    let label = |label: &str| {
        label.chars().all(|c| plain(c) || c == '-')
            && label.chars().next().is_some_and(plain)
            && label.chars().next_back().is_some_and(plain)
    };
    labels.split('.').all(label) && top.chars().count() >= 2 && top.chars().all(is_letter)
}

/// An address as mail headers hold it, with or without a name. Where the grammar gets rare, it is taken.
fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    let address = match text.strip_suffix('>') {
        Some(inner) => match inner.rsplit_once('<') {
            Some((_, address)) => address,
            None => return false,
        },
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let atom = |text: &str| {
        text.split('.').all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        })
    };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let literal = domain.starts_with('[') && domain.ends_with(']');
    (quoted || atom(local)) && (literal || atom(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_the_server_takes() {
        for (name, good, bad) in [
            ("bsonobjectid", "507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901"),
            ("uri", "https://example.org/a?b=c", "example.org/a"),
            ("uri", "/path", "http://a b"),
            ("email", "Some One <a.b@example.org>", "a.example.org"),
            ("email", "a@b", "a@"),
            ("hostname", "my-host.example.org", "my-other-host"),
            ("hostname", "localhost", "a_b.example.org"),
            ("ipv4", "010.0.0.1", "10.0.0.256"),
            ("ipv4", "::ffff:1.2.3.4", "::1"),
            ("ipv6", "::1", "10.0.0.1"),
            ("cidr", "10.0.0.1/08", "10.0.0.0"),
            ("cidr", "::/0", "::/129"),
            ("mac", "01:23:45:67:89:ab", "01:23:45:67:89"),
            ("mac", "0123.4567.89AB", "0123:4567:89ab"),
            ("mac", "0123456789ab", "0123456789abcd"),
            ("uuid", "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c"),
            ("uuid4", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            ("isbn", "0-321-75104-3", "0-321-75104-4"),
            ("isbn13", "978-0321751041", "978-0321751042"),
            ("creditcard", "4111-1111-1111-1111", "4111-1111-1111-1112"),
            ("ssn", "123-45-6789", "123456789"),
            ("hexcolor", "fff", "#ffff"),
            ("rgbcolor", "rgb( 255 ,0,0)", "rgb(256,0,0)"),
            ("byte", "aGk=", ""),
            ("byte", "aGk/", "aGk"),
            ("date", "2024-02-29", "2023-02-29"),
            ("duration", "22 ns", "soon"),
            ("duration", "1h30m", "1 fortnight"),
            ("date-time", "2024-02-29t23:59:59.123+01:00", "2024-02-29T24:00:00Z"),
            ("datetime", "2024-02-29T23:59:59Z", "2024-02-29 23:59:59Z"),
            ("k8s-short-name", "a-b", "A"),
            ("k8s-long-name", "a.b-c", "a..b"),
        ] {
            let format = Format::of(name, 35).expect(name);
            assert!(format.matches(good), "{name}: {good}");
            assert!(!format.matches(bad), "{name}: {bad}");
        }
    }

    #[test]
    fn other_formats_mean_nothing() {
        assert_eq!(Format::of("int32", 35), None);
        assert_eq!(Format::of("date-and-time", 35), None);
        assert_eq!(Format::of("k8s-short-name", 34), None);
    }
}
