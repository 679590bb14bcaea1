//! What functions and operators take and give, for the check of types: those that an API server has.
//!
//! A line of `@` and a number starts what a minor release brought; what stands before is older than all that matter.
//! A server takes something new in definitions from the release after that on, so that it could be rolled back.
//!
//! One line an overload: `RECEIVER.name(ARGUMENT, ...) RESULT` for what is called on a value, `name(ARGUMENT, ...) RESULT`
//! for the rest. `A` and `B` stand for any type, the same one wherever they stand in a line. Operators are called by
//! what is written between their operands.

use super::ast::Style;
use super::types::Type;
use std::collections::BTreeMap;
use std::sync::Arc;

const LINES: &str = "
+(int, int) int
+(uint, uint) uint
+(double, double) double
+(string, string) string
+(bytes, bytes) bytes
+(list<A>, list<A>) list<A>
+(duration, duration) duration
+(timestamp, duration) timestamp
+(duration, timestamp) timestamp
-(int, int) int
-(uint, uint) uint
-(double, double) double
-(duration, duration) duration
-(timestamp, duration) timestamp
-(timestamp, timestamp) duration
-(int) int
-(double) double
*(int, int) int
*(uint, uint) uint
*(double, double) double
/(int, int) int
/(uint, uint) uint
/(double, double) double
%(int, int) int
%(uint, uint) uint
==(A, A) bool
!=(A, A) bool
in(A, list<A>) bool
in(A, map<A, B>) bool
[](list<A>, int) A
[](map<A, B>, A) B
?:(bool, A, A) A
size(string) int
size(bytes) int
size(list<A>) int
size(map<A, B>) int
string.size() int
bytes.size() int
list<A>.size() int
map<A, B>.size() int
int(int) int
int(uint) int
int(double) int
int(string) int
int(timestamp) int
int(duration) int
uint(uint) uint
uint(int) uint
uint(double) uint
uint(string) uint
double(double) double
double(int) double
double(uint) double
double(string) double
bool(bool) bool
bool(string) bool
bytes(bytes) bytes
bytes(string) bytes
string(string) string
string(bool) string
string(int) string
string(uint) string
string(double) string
string(bytes) string
string(timestamp) string
string(duration) string
duration(duration) duration
duration(string) duration
duration(int) duration
timestamp(timestamp) timestamp
timestamp(string) timestamp
timestamp(int) timestamp
dyn(A) dyn
type(A) type
matches(string, string) bool
string.matches(string) bool
string.contains(string) bool
string.startsWith(string) bool
string.endsWith(string) bool
string.charAt(int) string
string.indexOf(string) int
string.indexOf(string, int) int
string.lastIndexOf(string) int
string.lastIndexOf(string, int) int
string.lowerAscii() string
string.upperAscii() string
string.replace(string, string) string
string.replace(string, string, int) string
string.split(string) list<string>
string.split(string, int) list<string>
string.substring(int) string
string.substring(int, int) string
string.trim() string
string.format(list<dyn>) string
list<string>.join() string
list<string>.join(string) string
strings.quote(string) string
string.find(string) string
string.findAll(string) list<string>
string.findAll(string, int) list<string>
timestamp.getFullYear() int
timestamp.getFullYear(string) int
timestamp.getMonth() int
timestamp.getMonth(string) int
timestamp.getDate() int
timestamp.getDate(string) int
timestamp.getDayOfMonth() int
timestamp.getDayOfMonth(string) int
timestamp.getDayOfWeek() int
timestamp.getDayOfWeek(string) int
timestamp.getDayOfYear() int
timestamp.getDayOfYear(string) int
timestamp.getHours() int
timestamp.getHours(string) int
timestamp.getMinutes() int
timestamp.getMinutes(string) int
timestamp.getSeconds() int
timestamp.getSeconds(string) int
timestamp.getMilliseconds() int
timestamp.getMilliseconds(string) int
duration.getHours() int
duration.getMinutes() int
duration.getSeconds() int
duration.getMilliseconds() int
list<A>.indexOf(A) int
url(string) url
isURL(string) bool
url.getScheme() string
url.getHost() string
url.getHostname() string
url.getPort() string
url.getEscapedPath() string
url.getQuery() map<string, list<string>>
authorizer.path(string) pathcheck
authorizer.group(string) groupcheck
authorizer.serviceAccount(string, string) authorizer
pathcheck.check(string) decision
groupcheck.resource(string) resourcecheck
resourcecheck.subresource(string) resourcecheck
resourcecheck.namespace(string) resourcecheck
resourcecheck.name(string) resourcecheck
resourcecheck.check(string) decision
decision.allowed() bool
decision.reason() string
decision.errored() bool
decision.error() string
@28
[](optional<list<A>>, int) optional<A>
[](optional<map<A, B>>, A) optional<B>
list<A>.lastIndexOf(A) int
list<A>.first() optional<A>
list<A>.last() optional<A>
optional.of(A) optional<A>
optional.ofNonZeroValue(A) optional<A>
optional.none() optional<A>
optional<A>.hasValue() bool
optional<A>.value() A
optional<A>.or(optional<A>) optional<A>
optional<A>.orValue(A) A
optional.unwrap(list<optional<A>>) list<A>
list<optional<A>>.unwrapOpt() list<A>
quantity(string) quantity
isQuantity(string) bool
sign(quantity) int
quantity.isInteger() bool
quantity.asInteger() int
quantity.asApproximateFloat() double
quantity.add(quantity) quantity
quantity.add(int) quantity
quantity.sub(quantity) quantity
quantity.sub(int) quantity
quantity.isLessThan(quantity) bool
quantity.isGreaterThan(quantity) bool
quantity.compareTo(quantity) int
@29
sets.contains(list<A>, list<A>) bool
sets.equivalent(list<A>, list<A>) bool
sets.intersects(list<A>, list<A>) bool
@30
string(ip) string
string(cidr) string
ip(string) ip
isIP(string) bool
ip.isCanonical(string) bool
ip.family() int
ip.isUnspecified() bool
ip.isLoopback() bool
ip.isLinkLocalMulticast() bool
ip.isLinkLocalUnicast() bool
ip.isGlobalUnicast() bool
cidr(string) cidr
isCIDR(string) bool
cidr.containsIP(ip) bool
cidr.containsIP(string) bool
cidr.containsCIDR(cidr) bool
cidr.containsCIDR(string) bool
cidr.ip() ip
cidr.masked() cidr
cidr.prefixLength() int
@31
format.named(string) optional<format>
format.dns1123Label() format
format.dns1123Subdomain() format
format.dns1035Label() format
format.qualifiedName() format
format.dns1123LabelPrefix() format
format.dns1123SubdomainPrefix() format
format.dns1035LabelPrefix() format
format.labelValue() format
format.uri() format
format.uuid() format
format.byte() format
format.date() format
format.datetime() format
format.validate(string) optional<list<string>>
resourcecheck.fieldSelector(string) resourcecheck
resourcecheck.labelSelector(string) resourcecheck
@33
semver(string) semver
semver(string, bool) semver
isSemver(string) bool
isSemver(string, bool) bool
semver.major() int
semver.minor() int
semver.patch() int
semver.isLessThan(semver) bool
semver.isGreaterThan(semver) bool
semver.compareTo(semver) int
@34
list<A>.slice(int, int) list<A>
list<list<A>>.flatten() list<A>
list<dyn>.flatten(int) list<dyn>
list<A>.reverse() list<A>
list<A>.distinct() list<A>
lists.range(int) list<int>
";

/// Overloads that differ in one type only.
const ORDERED: &[&str] = &["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];
const NUMBERS: &[&str] = &["int", "uint", "double"];

/// The minor release that brought comprehensions of two variables.
pub(super) const TWO_VARIABLES: u32 = 32;

/// The minor release that brought the functions of lists that sort, cut and join.
pub(super) const LISTS: u32 = 34;

/// What one overload takes, the receiver first, and gives.
#[derive(Clone, Debug)]
pub(super) struct Overload {
    pub(super) takes: Vec<Type<'static>>,
    pub(super) gives: Type<'static>,
    /// The minor release that brought it.
    pub(super) since: u32,
}

/// All overloads by name and way of calling.
#[derive(Debug)]
pub(super) struct Signatures(BTreeMap<(Style, String), Vec<Overload>>);

impl Signatures {
    /// Reads the table.
    pub(super) fn new() -> Self {
        let mut found = Self(BTreeMap::new());
        let mut since = 0;
        for line in LINES.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix('@') {
                Some(minor) => since = minor.parse().unwrap_or(u32::MAX),
                None => found.add(line, since),
            }
        }
        for op in ["<", "<=", ">", ">="] {
            for a in ORDERED {
                for b in ORDERED {
                    if a == b || (NUMBERS.contains(a) && NUMBERS.contains(b)) {
                        found.add(&format!("{op}({a}, {b}) bool"), 0);
                    }
                }
            }
        }
        for item in ORDERED {
            found.add(&format!("list<{item}>.isSorted() bool"), 0);
            found.add(&format!("list<{item}>.min() {item}"), 0);
            found.add(&format!("list<{item}>.max() {item}"), 0);
            found.add(&format!("list<{item}>.sort() list<{item}>"), LISTS);
        }
        for item in ["int", "uint", "double", "duration"] {
            found.add(&format!("list<{item}>.sum() {item}"), 0);
        }
        found
    }

    /// The overloads of a name.
    pub(super) fn find(&self, call: Style, name: &str) -> &[Overload] {
        self.0.get(&(call, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, line: &str, since: u32) {
        let read = || {
            let mut rest = line;
            let mut takes = Vec::new();
            let mut call = Style::Free;
            // A receiver is a type before a dot; `sets.contains` is a name with a dot in it.
            if let Some((receiver, after)) = receiver(line) {
                takes.push(receiver);
                rest = after;
                call = Style::Member;
            }
            let (name, rest) = rest.split_once('(')?;
            let (mut inner, result) = rest.rsplit_once(')')?;
            while !inner.is_empty() {
                let (argument, after) = read_type(inner)?;
                takes.push(argument);
                inner = after.trim_start_matches([',', ' ']);
            }
            let (gives, _) = read_type(result.trim())?;
            Some(((call, name.to_owned()), Overload { takes, gives, since }))
        };
        if let Some((key, overload)) = read() {
            self.0.entry(key).or_default().push(overload);
        }
    }
}

/// Names that look like a type before a dot, and belong to the name.
const SPACES: &[&str] = &[
    "strings.",
    "lists.",
    "sets.",
    "optional.",
    "ip.isCanonical",
    "format.named",
    "format.d",
    "format.q",
    "format.l",
    "format.u",
    "format.b",
];

fn receiver(line: &str) -> Option<(Type<'static>, &str)> {
    if SPACES.iter().any(|space| line.starts_with(space)) {
        return None;
    }
    let (receiver, after) = read_type(line)?;
    Some((receiver, after.strip_prefix('.')?))
}

/// A type at the start of a text, and what follows.
fn read_type(text: &str) -> Option<(Type<'static>, &str)> {
    let length = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let plain = match name {
        "dyn" => Type::Dyn,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::OfTypes,
        "A" => Type::Variable(0),
        "B" => Type::Variable(1),
        "ip" => Type::Opaque("net.IP"),
        "cidr" => Type::Opaque("net.CIDR"),
        "url" => Type::Opaque("kubernetes.URL"),
        "quantity" => Type::Opaque("kubernetes.Quantity"),
        "semver" => Type::Opaque("kubernetes.Semver"),
        "format" => Type::Opaque("kubernetes.NamedFormat"),
        "authorizer" => Type::Opaque("kubernetes.authorization.Authorizer"),
        "pathcheck" => Type::Opaque("kubernetes.authorization.PathCheck"),
        "groupcheck" => Type::Opaque("kubernetes.authorization.GroupCheck"),
        "resourcecheck" => Type::Opaque("kubernetes.authorization.ResourceCheck"),
        "decision" => Type::Opaque("kubernetes.authorization.Decision"),
        "list" | "optional" => {
            let (item, rest) = read_type(rest.strip_prefix('<')?)?;
            let rest = rest.strip_prefix('>')?;
            let item = Arc::new(item);
            return Some((if name == "list" { Type::List(item) } else { Type::Optional(item) }, rest));
        }
        "map" => {
            let (key, rest) = read_type(rest.strip_prefix('<')?)?;
            let (value, rest) = read_type(rest.trim_start_matches([',', ' ']))?;
            return Some((Type::Map(Arc::new(key), Arc::new(value)), rest.strip_prefix('>')?));
        }
        _ => return None,
    };
    Some((plain, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let signatures = Signatures::new();
        let read: usize = signatures.0.values().map(Vec::len).sum();
        let lines = LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('@')).count();
        // Four comparisons of eight types and six pairs of numbers, four functions of eight, one of four.
        assert_eq!(read, lines + 4 * (8 + 6) + 4 * 8 + 4);
        for (call, name, count) in [
            (Style::Free, "sets.contains", 1),
            (Style::Member, "contains", 1),
            (Style::Free, "ip.isCanonical", 1),
            (Style::Member, "isLoopback", 1),
            (Style::Member, "validate", 1),
            (Style::Free, "format.byte", 1),
            (Style::Member, "format", 1),
            (Style::Free, "optional.of", 1),
            (Style::Member, "orValue", 1),
            (Style::Member, "ip", 1),
            (Style::Free, "-", 8),
        ] {
            assert_eq!(signatures.find(call, name).len(), count, "{name}");
        }
    }
}
