//! Semantic versions, as Kubernetes' CEL library reads them.

use std::cmp::Ordering;

/// A version: `1.2.3-rc.1+build`.
#[derive(Clone, Debug)]
pub(crate) struct Semver {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    pre: Vec<Identifier>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Semver {
    /// Reads a strict version.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
        let (numbers, pre) = rest.split_once('-').map_or((rest, None), |(rest, pre)| (rest, Some(pre)));
        let mut parts = numbers.split('.').map(number);
        let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() {
            return None;
        }
        let word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if build.is_some_and(|build| !build.split('.').all(word)) {
            return None;
        }
        let pre = match pre {
            None => Vec::new(),
            Some(pre) => pre
                .split('.')
                .map(|part| match word(part) {
                    true if part.bytes().all(|b| b.is_ascii_digit()) => number(part).map(Identifier::Number),
                    true => Some(Identifier::Word(part.to_owned())),
                    false => None,
                })
                .collect::<Option<_>>()?,
        };
        Some(Self { major, minor, patch, pre, text: text.to_owned() })
    }

    /// Reads a version with a leading `v`, missing parts or leading zeros.
    pub(super) fn parse_loose(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut parts: Vec<String> = text[..end]
            .split('.')
            .map(|part| {
                let short = part.trim_start_matches('0');
                if short.is_empty() && !part.is_empty() { "0".to_owned() } else { short.to_owned() }
            })
            .collect();
        if parts.len() < 3 && end < text.len() {
            return None;
        }
        while parts.len() < 3 {
            parts.push("0".to_owned());
        }
        Self::parse(&format!("{}{}", parts.join("."), &text[end..]))
    }

    /// The order of versions; builds do not count.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let numbers = (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch));
        numbers.then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                for (a, b) in self.pre.iter().zip(&other.pre) {
                    let order = match (a, b) {
                        (Identifier::Number(a), Identifier::Number(b)) => a.cmp(b),
                        (Identifier::Number(_), Identifier::Word(_)) => Ordering::Less,
                        (Identifier::Word(_), Identifier::Number(_)) => Ordering::Greater,
                        (Identifier::Word(a), Identifier::Word(b)) => a.cmp(b),
                    };
                    if order != Ordering::Equal {
                        return order;
                    }
                }
                self.pre.len().cmp(&other.pre.len())
            }
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

fn number(part: &str) -> Option<u64> {
    let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let leading = part.len() > 1 && part.starts_with('0');
    if digits && !leading { part.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_the_specification_says() {
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.0.1",
        ];
        for pair in order.windows(2) {
            let (a, b) = (Semver::parse(pair[0]).expect("valid"), Semver::parse(pair[1]).expect("valid"));
            assert_eq!(a.compare(&b), Ordering::Less, "{pair:?}");
        }
        for bad in ["1.0", "v1.0.0", "1.0.0-", "01.0.0", "1.0.0-01", "1.0.0+", "1.2.3.4"] {
            assert!(Semver::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(Semver::parse_loose("v1.02").map(|v| (v.major, v.minor, v.patch)), Some((1, 2, 0)));
    }
}
