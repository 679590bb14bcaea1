//! Versions and constraints as charts use them (Masterminds/semver 3.5).
//!
//! Parsing is lenient: a leading `v` and missing parts are taken, leading zeros of the three numbers too. A
//! constraint is a list of `||` groups of comparisons; a version with a prerelease only matches a group in which
//! at least one comparison names a prerelease. Texts longer than 256 bytes (versions) or 512 bytes (constraints)
//! are refused, as are more than 32 groups.

use std::cmp::Ordering;
use std::fmt;

const MAX_VERSION: usize = 256;
const MAX_CONSTRAINT: usize = 512;
const MAX_GROUPS: usize = 32;

/// A parsed version, with the text it was parsed from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number, 0 where absent.
    pub minor: u64,
    /// Third number, 0 where absent.
    pub patch: u64,
    /// The text after `-`, without it.
    pub prerelease: String,
    /// The text after `+`, without it.
    pub metadata: String,
    /// The text as written.
    pub original: String,
}

/// Why a text is no version or no constraint. `Display` is upstream's wording, which templates can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SemverError {
    /// Not of the shape of a version.
    Invalid,
    /// A number above 2^64.
    Range(String),
    /// A numeric prerelease part with a leading zero.
    LeadingZero,
    /// An empty or odd prerelease part.
    Prerelease,
    /// Over the length limit.
    VersionTooLong,
    /// Not of the shape of a constraint; holds the group as written.
    Improper(String),
    /// The version inside a comparison does not parse.
    Operand,
    /// Over the length limit.
    ConstraintTooLong,
    /// Too many `||`.
    TooManyGroups,
}

impl fmt::Display for SemverError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => out.write_str("invalid semantic version"),
            Self::Range(digits) => write!(
                out,
                "error parsing version segment: strconv.ParseUint: parsing \"{digits}\": value out of range"
            ),
            Self::LeadingZero => out.write_str("version segment starts with 0"),
            Self::Prerelease => out.write_str("invalid prerelease string"),
            Self::VersionTooLong => write!(out, "version string is too long (max {MAX_VERSION} bytes)"),
            // As up to semver 3.4; 3.5 puts the group in quotes.
            Self::Improper(group) => write!(out, "improper constraint: {group}"),
            Self::Operand => out.write_str("constraint parser error"),
            Self::ConstraintTooLong => {
                write!(out, "constraint string is too long (max {MAX_CONSTRAINT} bytes)")
            }
            Self::TooManyGroups => write!(out, "too many constraint groups (max {MAX_GROUPS})"),
        }
    }
}

impl std::error::Error for SemverError {}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(out, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(out, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Reads the grammar's pieces off the front of a text.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn spaces(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)) {
            self.at += 1;
        }
        self.at > start
    }

    fn run(&mut self, class: fn(u8) -> bool) -> Option<&'a [u8]> {
        let start = self.at;
        while self.peek().is_some_and(class) {
            self.at += 1;
        }
        (self.at > start).then(|| &self.text[start..self.at])
    }

    /// `.` and a run, or nothing.
    fn dotted(&mut self, class: fn(u8) -> bool) -> Option<&'a [u8]> {
        let start = self.at;
        if self.eat(b'.')
            && let Some(run) = self.run(class)
        {
            return Some(run);
        }
        self.at = start;
        None
    }

    /// `-` or `+` and dotted identifiers, or nothing.
    fn identifiers(&mut self, lead: u8) -> Option<&'a [u8]> {
        let start = self.at;
        if self.eat(lead) && self.run(is_identifier).is_some() {
            while self.dotted(is_identifier).is_some() {}
            return Some(&self.text[start + 1..self.at]);
        }
        self.at = start;
        None
    }

    fn operand(&mut self) -> Option<Operand<'a>> {
        let start = self.at;
        self.eat(b'v');
        let Some(major) = self.run(is_wild) else {
            self.at = start;
            return None;
        };
        let minor = self.dotted(is_wild);
        let patch = if minor.is_some() { self.dotted(is_wild) } else { None };
        let prerelease = self.identifiers(b'-');
        self.identifiers(b'+');
        Some(Operand { text: &self.text[start..self.at], major, minor, patch, prerelease })
    }

    fn comparison(&mut self) -> Option<(Operator, Operand<'a>)> {
        let start = self.at;
        let rest = &self.text[start..];
        let operator = OPERATORS.iter().find(|(text, _)| rest.starts_with(text));
        let (text, operator) = operator.copied().unwrap_or((b"", Operator::Equal));
        self.at += text.len();
        self.spaces();
        let operand = self.operand();
        if operand.is_none() {
            self.at = start;
        }
        Some((operator, operand?))
    }
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// The characters of a number in a constraint; upstream's class takes `|` too (constraints.go, `cvRegex`).
fn is_wild(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a range is one version, with all its parts, and so names one package.
pub fn is_exact(range: &str) -> bool {
    let core = range.split(['-', '+']).next().unwrap_or(range);
    core.matches('.').count() == 2 && Version::parse(range.as_bytes()).is_ok()
}

impl Version {
    /// Parses leniently: `v1`, `1.2` and `01.2.3` are versions.
    pub fn parse(source: &[u8]) -> Result<Self, SemverError> {
        if source.len() > MAX_VERSION {
            return Err(SemverError::VersionTooLong);
        }
        let mut scan = Scan { text: source, at: 0 };
        scan.eat(b'v');
        let digit = |b: u8| b.is_ascii_digit();
        let major = scan.run(digit).ok_or(SemverError::Invalid)?;
        let minor = scan.dotted(digit);
        let patch = if minor.is_some() { scan.dotted(digit) } else { None };
        let prerelease = scan.identifiers(b'-').unwrap_or_default();
        let metadata = scan.identifiers(b'+').unwrap_or_default();
        if scan.at < source.len() {
            return Err(SemverError::Invalid);
        }
        let number = |digits: &[u8]| {
            let digits = text(digits);
            digits.parse::<u64>().map_err(|_too_large| SemverError::Range(digits.clone()))
        };
        let version = Self {
            major: number(major)?,
            minor: minor.map_or(Ok(0), number)?,
            patch: patch.map_or(Ok(0), number)?,
            prerelease: text(prerelease),
            metadata: text(metadata),
            original: text(source),
        };
        for part in version.prerelease.split('.') {
            if part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(SemverError::LeadingZero);
            }
        }
        Ok(version)
    }

    /// Orders by precedence; metadata does not count.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.major
            .cmp(&other.major)
            .then(self.minor.cmp(&other.minor))
            .then(self.patch.cmp(&other.patch))
            .then_with(|| match (self.prerelease.as_str(), other.prerelease.as_str()) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (a, b) => compare_prerelease(a, b),
            })
    }

    fn successor(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = Self { prerelease: String::new(), metadata: String::new(), ..self.clone() };
        change(&mut next);
        let lead = if self.original.starts_with('v') { "v" } else { "" };
        next.original = format!("{lead}{next}");
        next
    }

    /// The next patch version; of a prerelease, its release. `None` where the number would overflow.
    pub fn inc_patch(&self) -> Option<Self> {
        let patch = if self.prerelease.is_empty() { self.patch.checked_add(1)? } else { self.patch };
        Some(self.successor(|next| next.patch = patch))
    }

    /// The next minor version.
    pub fn inc_minor(&self) -> Option<Self> {
        let minor = self.minor.checked_add(1)?;
        Some(self.successor(|next| {
            next.minor = minor;
            next.patch = 0;
        }))
    }

    /// The next major version.
    pub fn inc_major(&self) -> Option<Self> {
        let major = self.major.checked_add(1)?;
        Some(self.successor(|next| {
            next.major = major;
            next.minor = 0;
            next.patch = 0;
        }))
    }
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        if left == right {
            continue;
        }
        // A number that overflows counts as text (version.go, `comparePrePart`).
        return match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) if left > right => Ordering::Greater,
            (Ok(_), _) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// Longest first.
const OPERATORS: &[(&[u8], Operator)] = &[
    (b"!=", Operator::NotEqual),
    (b">=", Operator::GreaterEqual),
    (b"=>", Operator::GreaterEqual),
    (b"<=", Operator::LessEqual),
    (b"=<", Operator::LessEqual),
    (b"~>", Operator::Tilde),
    (b"=", Operator::Equal),
    (b">", Operator::Greater),
    (b"<", Operator::Less),
    (b"~", Operator::Tilde),
    (b"^", Operator::Caret),
];

struct Operand<'a> {
    text: &'a [u8],
    major: &'a [u8],
    minor: Option<&'a [u8]>,
    patch: Option<&'a [u8]>,
    prerelease: Option<&'a [u8]>,
}

/// From which number on a comparison is open (`1.2`, `1.2.x`: the patch).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Major,
}

#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    version: Version,
    open: Open,
}

/// A parsed constraint.
#[derive(Clone, Debug)]
pub struct Constraint {
    groups: Vec<Vec<Comparison>>,
}

impl Constraint {
    /// Parses `>=1.2, <2 || ~3.1`, `1.2 - 1.4`, `^1`, `1.x` and the like.
    pub fn parse(source: &[u8]) -> Result<Self, SemverError> {
        if source.len() > MAX_CONSTRAINT {
            return Err(SemverError::ConstraintTooLong);
        }
        let source = rewrite_ranges(source);
        let groups = split_groups(&source);
        if groups.len() > MAX_GROUPS {
            return Err(SemverError::TooManyGroups);
        }
        let groups = groups.into_iter().map(parse_group).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether a version satisfies it.
    pub fn matches(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let opened = group.iter().any(|c| !c.version.prerelease.is_empty());
            (opened || version.prerelease.is_empty()) && group.iter().all(|c| c.matches(version))
        })
    }
}

fn split_groups(source: &[u8]) -> Vec<&[u8]> {
    let mut groups = Vec::new();
    let mut rest = source;
    while let Some(at) = memchr::memmem::find(rest, b"||") {
        groups.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    groups.push(rest);
    groups
}

/// `1.2 - 1.4` is `>= 1.2, <= 1.4`.
fn rewrite_ranges(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len() + 8);
    let mut at = 0;
    while at < source.len() {
        if let Some((low, high, end)) = range_at(source, at) {
            out.extend_from_slice(b">= ");
            out.extend_from_slice(low);
            out.extend_from_slice(b", <= ");
            out.extend_from_slice(high);
            out.push(b' ');
            at = end;
        } else {
            out.push(source[at]);
            at += 1;
        }
    }
    out
}

fn range_at(source: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let mut scan = Scan { text: source, at };
    scan.spaces();
    let low = scan.operand()?.text;
    if !(scan.spaces() && scan.eat(b'-') && scan.spaces()) {
        return None;
    }
    let high = scan.operand()?.text;
    scan.spaces();
    Some((low, high, scan.at))
}

fn parse_group(source: &[u8]) -> Result<Vec<Comparison>, SemverError> {
    let improper = || SemverError::Improper(text(source));
    let mut scan = Scan { text: source, at: 0 };
    scan.spaces();
    let mut found = vec![scan.comparison().ok_or_else(improper)?];
    loop {
        let spaced = scan.spaces();
        if scan.at == source.len() {
            break;
        }
        if scan.eat(b',') {
            scan.spaces();
        } else if !spaced {
            return Err(improper());
        }
        found.push(scan.comparison().ok_or_else(improper)?);
    }
    found.into_iter().map(|(operator, operand)| Comparison::new(operator, &operand)).collect()
}

impl Comparison {
    fn new(operator: Operator, operand: &Operand<'_>) -> Result<Self, SemverError> {
        let wild = |part: Option<&[u8]>| part.is_none_or(|p| matches!(p, b"x" | b"X" | b"*"));
        let (open, mut version) = if wild(Some(operand.major)) {
            (Open::Major, b"0.0.0".to_vec())
        } else if wild(operand.minor) {
            (Open::Minor, [operand.major, b".0.0"].concat())
        } else if wild(operand.patch) {
            let minor = operand.minor.unwrap_or_default();
            (Open::Patch, [operand.major, b".", minor, b".0"].concat())
        } else {
            (Open::Nothing, operand.text.to_vec())
        };
        if open != Open::Nothing
            && let Some(prerelease) = operand.prerelease
        {
            version.push(b'-');
            version.extend_from_slice(prerelease);
        }
        let version = Version::parse(&version).map_err(|_error| SemverError::Operand)?;
        Ok(Self { operator, version, open })
    }

    /// Prereleases are let through here: the group has decided about them.
    fn matches(&self, version: &Version) -> bool {
        let own = &self.version;
        let order = version.compare(own);
        let exact = self.open == Open::Nothing;
        match self.operator {
            Operator::Equal if exact => order.is_eq(),
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.differs(version),
            Operator::Greater if exact => order.is_gt(),
            Operator::Greater => match (version.major.cmp(&own.major), self.open) {
                (Ordering::Greater, _) => true,
                (Ordering::Less, _) | (_, Open::Minor) => false,
                (_, Open::Patch) => version.minor > own.minor,
                _ => order.is_gt(),
            },
            Operator::Less => order.is_lt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::LessEqual if exact => order.is_le(),
            // `<=1.2` takes every 1.2.z; `<=*` is `<=0.0` (constraints.go, `constraintLessThanEqual`).
            Operator::LessEqual => match version.major.cmp(&own.major) {
                Ordering::Less => true,
                Ordering::Equal => self.open == Open::Minor || version.minor <= own.minor,
                Ordering::Greater => false,
            },
            Operator::Caret => self.caret(version),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        if (own.major, own.minor, own.patch) == (0, 0, 0) && matches!(self.open, Open::Nothing | Open::Major)
        {
            return true;
        }
        version.major == own.major && (self.open == Open::Minor || version.minor == own.minor)
    }

    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_ne(),
            _ if own.major != version.major => true,
            Open::Minor => false,
            _ if own.minor != version.minor => true,
            Open::Patch => own.prerelease != version.prerelease,
            Open::Major => own.patch != version.patch || version.compare(own).is_ne(),
        }
    }

    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        if own.major > 0 || self.open == Open::Minor {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.open == Open::Patch {
            return version.minor == own.minor;
        }
        version.minor == 0 && own.patch == version.patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_with_all_its_parts_is_exact() {
        for exact in ["1.2.3", "v1.17.2", "1.2.3-rc.1", "1.0.0-rc.1+build.5", "0.0.37"] {
            assert!(is_exact(exact), "{exact}");
        }
        for range in ["1.2", "^1.2.3", "~1.0.0", ">=1.0.0", "1.x.x", "*", "1.2.3 - 2.0.0", "1.2.3.4", ""] {
            assert!(!is_exact(range), "{range}");
        }
    }

    fn check(constraint: &str, version: &str) -> bool {
        let constraint = Constraint::parse(constraint.as_bytes()).unwrap();
        constraint.matches(&Version::parse(version.as_bytes()).unwrap())
    }

    #[test]
    fn versions_are_lenient() {
        assert_eq!(Version::parse(b"v1.2").unwrap().to_string(), "1.2.0");
        assert_eq!(Version::parse(b"1-a.1+b").unwrap().to_string(), "1.0.0-a.1+b");
        for bad in ["", "a", "1.2.3.4", "1.2.3-", "1.2.3 ", "1..2", "V1"] {
            assert_eq!(Version::parse(bad.as_bytes()), Err(SemverError::Invalid), "{bad}");
        }
        assert_eq!(Version::parse(b"1.0.0-01"), Err(SemverError::LeadingZero));
    }

    #[test]
    fn prereleases_need_an_opening_comparison() {
        assert!(!check(">=1.2.0", "1.3.0-alpha"));
        assert!(check(">=1.2.0-0", "1.3.0-alpha"));
        assert!(check(">=1.2.0-0, <2.0.0", "1.33.4-gke.1"));
        assert!(!check("*", "1.0.0-a"));
        assert!(check("^1.21-0 || <1", "1.33.4-gke.1"));
    }

    #[test]
    fn operators_with_open_parts() {
        for (constraint, yes, no) in [
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9", "1.3.0"),
            ("^0.2", "0.2.7", "0.3.0"),
            ("~1", "1.9.0", "2.0.0"),
            ("1.2 - 1.4", "1.4.9", "1.5.0"),
            ("1.x || >=3", "3.1.0", "2.0.0"),
            ("!=1.2", "1.3.0", "1.2.1"),
            ("=> 1, =< 2", "2.9.0", "3.0.0"),
        ] {
            assert!(check(constraint, yes), "{constraint} {yes}");
            assert!(!check(constraint, no), "{constraint} {no}");
        }
    }

    #[test]
    fn improper_constraints() {
        for (source, message) in [
            ("", "improper constraint: "),
            ("a", "improper constraint: a"),
            (">=1.2,", "improper constraint: >=1.2,"),
            ("1 ||", "improper constraint: "),
            ("1x", "constraint parser error"),
        ] {
            assert_eq!(Constraint::parse(source.as_bytes()).unwrap_err().to_string(), message);
        }
    }
}
