//! The small formats that many rules share: names, label values, ports, addresses, paths, quantities, selectors.
//!
//! A rule about text is a [`Rule`]: it says in a few words why the text is not taken, so that `` `{text}` {reason} ``
//! reads as a sentence. Nothing here allocates where the text is fine.

use super::{CauseKind, Causes, Field};
pub(crate) use crate::expr::quantity::Quantity;
use crate::value::{Number, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is not taken, after "it".
pub(crate) type Reason = &'static str;

/// A rule that a text has to keep.
pub(crate) type Rule = fn(&str) -> Result<(), Reason>;

/// Holds the text of a field against a rule; a missing one counts as the empty text.
pub(crate) fn check(field: Field<'_, '_>, rule: Rule, causes: &mut Causes) {
    check_text(field, field.text(), rule, causes);
}

/// Holds a text that stands at, or somewhere below, `field` against a rule.
pub(crate) fn check_text(field: Field<'_, '_>, text: &str, rule: Rule, causes: &mut Causes) {
    if let Err(reason) = rule(text) {
        causes.invalid(field, format!("`{text}` {reason}"));
    }
}

fn at_most(text: &str, most: usize, reason: Reason) -> Result<(), Reason> {
    if text.len() > most { Err(reason) } else { Ok(()) }
}

/// Whether `text` begins with one of `edge`, ends so, and holds only `inner` between.
fn framed(text: &str, first: fn(u8) -> bool, inner: fn(u8) -> bool, last: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(start), Some(end)) => first(*start) && last(*end) && bytes.iter().all(|byte| inner(*byte)),
        _ => false,
    }
}

fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn label_byte(byte: u8) -> bool {
    lower_or_digit(byte) || byte == b'-'
}

fn is_label(text: &str) -> bool {
    framed(text, lower_or_digit, label_byte, lower_or_digit)
}

/// A DNS label of RFC 1123.
pub(crate) fn dns_label(text: &str) -> Result<(), Reason> {
    at_most(text, 63, "has more than 63 characters")?;
    if is_label(text) {
        Ok(())
    } else {
        Err("is no DNS label: lower-case letters, digits and `-`, with a letter or digit at both ends")
    }
}

/// A DNS subdomain of RFC 1123; its parts may be longer than 63 characters.
pub(crate) fn dns_subdomain(text: &str) -> Result<(), Reason> {
    at_most(text, 253, "has more than 253 characters")?;
    if text.split('.').all(is_label) {
        Ok(())
    } else {
        Err(
            "is no DNS name: lower-case letters, digits, `-` and `.`, with a letter or digit at both ends of each part",
        )
    }
}

/// A DNS subdomain whose parts may hold `_` as well, at their beginning too.
pub(crate) fn dns_subdomain_with_underscores(text: &str) -> Result<(), Reason> {
    at_most(text, 253, "has more than 253 characters")?;
    let part = |part: &str| {
        let rest = part.strip_prefix('_').unwrap_or(part);
        framed(rest, lower_or_digit, |byte| label_byte(byte) || byte == b'_', lower_or_digit)
    };
    if text.split('.').all(part) {
        Ok(())
    } else {
        Err(
            "is no DNS name: lower-case letters, digits, `-`, `_` and `.`, with a letter or digit at both ends of each part",
        )
    }
}

/// A DNS label of RFC 1035: it starts with a letter.
pub(crate) fn dns_1035_label(text: &str) -> Result<(), Reason> {
    at_most(text, 63, "has more than 63 characters")?;
    if framed(text, |byte| byte.is_ascii_lowercase(), label_byte, lower_or_digit) {
        Ok(())
    } else {
        Err(
            "is no DNS label of RFC 1035: lower-case letters, digits and `-`, a letter first, a letter or digit last",
        )
    }
}

/// `*.` and a DNS subdomain.
pub(crate) fn wildcard_dns_subdomain(text: &str) -> Result<(), Reason> {
    at_most(text, 253, "has more than 253 characters")?;
    match text.strip_prefix("*.") {
        Some(rest) if rest.split('.').all(is_label) => Ok(()),
        _ => Err("is no wildcard DNS name: `*.` and a DNS name"),
    }
}

/// A name to which a server adds characters (`generateName`): a dash at its end is fine.
pub(crate) fn prefix(text: &str, rule: Rule) -> Result<(), Reason> {
    match text.strip_suffix('-') {
        Some(stem) if !stem.is_empty() => {
            let mut cut: Vec<char> = stem.chars().collect();
            cut.pop();
            cut.push('a');
            rule(&cut.into_iter().collect::<String>())
        }
        _ => rule(text),
    }
}

fn word(text: &str) -> bool {
    let edge = |byte: u8| byte.is_ascii_alphanumeric();
    framed(text, edge, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'), edge)
}

/// `name` or `prefix/name`: keys of labels, names of resources and conditions.
pub(crate) fn qualified_name(text: &str) -> Result<(), Reason> {
    let name = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => return Err("has more than one `/`"),
        Some(("", _)) => return Err("has nothing before its `/`"),
        Some((prefix, name)) => {
            dns_subdomain(prefix).or(Err("has a prefix that is no DNS name"))?;
            name
        }
        None => text,
    };
    at_most(name, 63, "has a name of more than 63 characters")?;
    if word(name) {
        Ok(())
    } else {
        Err(
            "is no qualified name: letters, digits, `-`, `_` and `.`, with a letter or digit at both ends, and a DNS name and `/` before where wanted",
        )
    }
}

/// The key of an annotation: a qualified name whose prefix may be in upper case.
pub(crate) fn annotation_key(text: &str) -> Result<(), Reason> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        qualified_name(&text.to_ascii_lowercase())
    } else {
        qualified_name(text)
    }
}

/// The value of a label; it may be empty.
pub(crate) fn label_value(text: &str) -> Result<(), Reason> {
    at_most(text, 63, "has more than 63 characters")?;
    if text.is_empty() || word(text) {
        Ok(())
    } else {
        Err("is no label value: letters, digits, `-`, `_` and `.`, with a letter or digit at both ends")
    }
}

/// An identifier of C.
pub(crate) fn c_identifier(text: &str) -> Result<(), Reason> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if framed(text, |byte| byte.is_ascii_alphabetic() || byte == b'_', inner, inner) {
        Ok(())
    } else {
        Err("is no identifier: letters, digits and `_`, no digit first")
    }
}

fn no_parent(text: &str) -> Result<(), Reason> {
    match text {
        "." => Err("is a directory"),
        _ if text.starts_with("..") => Err("starts with `..`"),
        _ => Ok(()),
    }
}

/// The name of an environment variable, as releases before 1.32 want it.
pub(crate) fn environment_name(text: &str) -> Result<(), Reason> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'_');
    if !framed(text, first, first_or_digit, first_or_digit) {
        return Err("is no name of a variable: letters, digits, `_`, `-` and `.`, no digit first");
    }
    no_parent(text)
}

fn first_or_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// The name of an environment variable since 1.32: anything printable but `=`.
pub(crate) fn relaxed_environment_name(text: &str) -> Result<(), Reason> {
    match text {
        "" => Err("is empty"),
        _ if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') => Ok(()),
        _ => Err("is no name of a variable: printable ASCII characters without `=`"),
    }
}

/// A key of a ConfigMap or Secret.
pub(crate) fn config_key(text: &str) -> Result<(), Reason> {
    at_most(text, 253, "has more than 253 characters")?;
    if text.is_empty() || !text.bytes().all(first_or_digit) {
        return Err("is no key: letters, digits, `-`, `_` and `.`");
    }
    no_parent(text)
}

/// The name of a header.
pub(crate) fn http_header_name(text: &str) -> Result<(), Reason> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        Ok(())
    } else {
        Err("is no header name: letters, digits and `-`")
    }
}

/// The number of a port.
pub(crate) fn is_port(number: i64) -> bool {
    (1..=65535).contains(&number)
}

/// What a port number has to be, for messages.
pub(crate) const PORT: &str = "is no port: 1 to 65535";

/// The name of a port.
pub(crate) fn port_name(text: &str) -> Result<(), Reason> {
    at_most(text, 15, "has more than 15 characters")?;
    if text.is_empty() || !text.bytes().all(label_byte) {
        Err("is no port name: lower-case letters, digits and `-`")
    } else if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Err("has no letter")
    } else if text.contains("--") {
        Err("has two `-` in a row")
    } else if text.starts_with('-') || text.ends_with('-') {
        Err("starts or ends with `-`")
    } else {
        Ok(())
    }
}

/// A port where a number or a name may stand; a missing one is the number 0.
pub(crate) fn check_port(field: Field<'_, '_>, causes: &mut Causes) {
    if let Some(name) = field.node().and_then(|node| node.as_str()) {
        check_text(field, name, port_name, causes);
        return;
    }
    let number = field.int().unwrap_or(0);
    if !is_port(number) {
        causes.invalid(field, format!("`{number}` {PORT}"));
    }
}

/// A percentage: digits and `%`.
pub(crate) fn percent(text: &str) -> Result<(), Reason> {
    match text.strip_suffix('%') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ => Err("is no percentage: digits and `%`"),
    }
}

/// The number of a percentage; none where it is none, the largest number where it is beyond that.
fn percentage(text: &str) -> Option<i64> {
    percent(text).ok()?;
    Some(text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
}

/// A number of zero or more, or a percentage.
pub(crate) fn check_int_or_percent(field: Field<'_, '_>, causes: &mut Causes) {
    if let Some(text) = field.node().and_then(|node| node.as_str()) {
        check_text(field, text, percent, causes);
    } else {
        check_not_negative(field, causes);
    }
}

/// A percentage of at most 100; numbers are not looked at.
pub(crate) fn check_at_most_all(field: Field<'_, '_>, causes: &mut Causes) {
    if percentage(field.text()).is_some_and(|percentage| percentage > 100) {
        causes.invalid(field, format!("`{}` is more than all", field.text()));
    }
}

/// Whether a number or a percentage is zero, as what is neither is; a missing one is not.
pub(crate) fn is_zero(field: Field<'_, '_>) -> bool {
    match field.node().and_then(|node| node.as_str()) {
        Some(text) => percentage(text).or_else(|| text.parse().ok()).unwrap_or(0) == 0,
        None => field.int() == Some(0),
    }
}

/// A number of zero or more.
pub(crate) fn check_not_negative(field: Field<'_, '_>, causes: &mut Causes) {
    if let Some(number) = field.int().filter(|number| *number < 0) {
        causes.invalid(field, format!("`{number}` is negative"));
    }
}

/// The quantity in a field, written as text or as a number; none where there is none that can be counted with.
pub(crate) fn quantity(field: Field<'_, '_>) -> Option<Quantity> {
    match &field.node()?.value {
        // A server takes off blanks around it.
        Value::String(text) => Quantity::parse(text.trim()),
        Value::Number(Number::Int(number)) => Some(Quantity::of(*number)),
        Value::Number(Number::Uint(number)) => Quantity::parse(&number.to_string()),
        Value::Number(Number::Float(number)) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

/// A quantity of zero or more.
pub(crate) fn check_quantity_not_negative(field: Field<'_, '_>, causes: &mut Causes) {
    if let Some(quantity) = quantity(field).filter(|quantity| quantity.signum() < 0) {
        causes.invalid(field, format!("`{}` is negative", quantity.text()));
    }
}

/// A path without a part `..`.
pub(crate) fn no_backsteps(text: &str) -> Result<(), Reason> {
    if text.split('/').any(|part| part == "..") { Err("has a part `..`") } else { Ok(()) }
}

/// A relative path that leads down.
pub(crate) fn descending_path(text: &str) -> Result<(), Reason> {
    if text.starts_with('/') {
        return Err("is no relative path");
    }
    no_backsteps(text)
}

/// A relative path that leads down, and to no file that a kubelet keeps for itself.
pub(crate) fn own_descending_path(text: &str) -> Result<(), Reason> {
    descending_path(text)?;
    if text.starts_with("..") { Err("starts with `..`") } else { Ok(()) }
}

/// An address as servers read old fields: zeros may lead in its numbers, IPv4 may stand in IPv6.
pub(crate) fn lenient_ip(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let strict = text.parse::<Ipv6Addr>().ok();
        return strict.or_else(|| without_zeros(text).parse().ok()).map(IpAddr::V6);
    }
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        *octet = octet_of(parts.next()?)?;
    }
    parts.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(octets)))
}

fn octet_of(text: &str) -> Option<u8> {
    let digits = text.trim_start_matches('0');
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        None
    } else if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

/// An IPv6 address without the zeros that lead in its numbers.
fn without_zeros(text: &str) -> String {
    let mut inside = false;
    let mut next = text.chars().skip(1);
    text.chars()
        .filter(|digit| {
            let more = next.next().is_some_and(|digit| digit.is_ascii_hexdigit());
            let leads = *digit == '0' && !inside && more;
            inside = digit.is_ascii_hexdigit() && !leads;
            !leads
        })
        .collect()
}

/// An address of an old field.
pub(crate) fn legacy_ip(text: &str) -> Result<(), Reason> {
    lenient_ip(text).map(|_| ()).ok_or("is no IP address")
}

/// An address of a new field: no leading zeros, no IPv4 in IPv6, in its shortest form.
pub(crate) fn canonical_ip(text: &str) -> Result<(), Reason> {
    let address: IpAddr = match text.parse() {
        Ok(address) => address,
        Err(_) if lenient_ip(text).is_some() => return Err("has a number with a leading zero"),
        Err(_) => return Err("is no IP address"),
    };
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Err("is an IPv4 address written as IPv6"),
        _ if address.to_string() != text => Err("is not in its canonical form"),
        _ => Ok(()),
    }
}

/// A network as servers read old fields: an address, and how many of its bits count.
pub(crate) fn lenient_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address = lenient_ip(address)?;
    let bits = octet_of(bits)?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// A network of an old field.
pub(crate) fn legacy_network(text: &str) -> Result<(), Reason> {
    lenient_network(text).map(|_| ()).ok_or("is no network: an address, `/` and a number of bits")
}

/// A selector of labels, where one is given.
pub(crate) fn check_label_selector(selector: Field<'_, '_>, causes: &mut Causes) {
    check_labels(selector.key("matchLabels"), causes);
    for requirement in selector.key("matchExpressions").items() {
        check_requirement(requirement, causes);
    }
}

fn check_requirement(requirement: Field<'_, '_>, causes: &mut Causes) {
    let (operator, values) = (requirement.key("operator"), requirement.key("values"));
    match operator.text() {
        "In" | "NotIn" if values.count() == 0 => {
            causes.required(values, format!("`{}` wants values", operator.text()));
        }
        "In" | "NotIn" => {}
        "Exists" | "DoesNotExist" if values.count() > 0 => {
            causes.forbidden(values, format!("`{}` takes no values", operator.text()));
        }
        "Exists" | "DoesNotExist" => {}
        other => causes.at_with_help(
            operator,
            CauseKind::Invalid,
            format!("`{other}` is no operator"),
            "write one of `In`, `NotIn`, `Exists`, `DoesNotExist`",
        ),
    }
    check(requirement.key("key"), qualified_name, causes);
    for value in values.items() {
        check(value, label_value, causes);
    }
}

/// Labels; a fault is one of the whole map, as the server says it.
pub(crate) fn check_labels(labels: Field<'_, '_>, causes: &mut Causes) {
    for (key, value) in labels.members() {
        check_text(labels, key, qualified_name, causes);
        check_text(labels, value.text(), label_value, causes);
    }
}

/// Annotations; a fault is one of the whole map, as the server says it.
pub(crate) fn check_annotations(annotations: Field<'_, '_>, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in annotations.members() {
        check_text(annotations, key, annotation_key, causes);
        size += key.len() + value.text().len();
    }
    if size > 256 * 1024 {
        causes.at(
            annotations,
            CauseKind::TooLong,
            format!("annotations of {size} bytes, 262144 are allowed"),
        );
    }
}

/// Whether a selector of labels takes an object with these labels; a faulty requirement takes none.
pub(crate) fn selects(selector: Field<'_, '_>, labels: Field<'_, '_>) -> bool {
    let equal = selector.key("matchLabels").members().all(|(key, wanted)| {
        let label = labels.key(key);
        label.is_set() && label.text() == wanted.text()
    });
    equal
        && selector.key("matchExpressions").items().all(|requirement| {
            let label = labels.key(requirement.key("key").text());
            let among = || requirement.key("values").items().any(|value| value.text() == label.text());
            match requirement.key("operator").text() {
                "In" => label.is_set() && among(),
                "NotIn" => !label.is_set() || !among(),
                "Exists" => label.is_set(),
                "DoesNotExist" => !label.is_set(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::value::Node;
    use crate::yaml::{self, Options};

    fn read(text: &str) -> Node {
        let file = Sources::default().add("object.yaml", text.to_owned());
        yaml::read(file, text, Options::default()).expect("YAML")
    }

    #[test]
    fn names_are_held_against_their_rules() {
        let long = "a".repeat(64);
        let table: &[(Rule, &[&str], &[&str])] = &[
            (dns_label, &["a", "0a-b"], &["", "-a", "a-", "A", "a.b", "a_b", &long]),
            (dns_subdomain, &["a.b", "0.a-b", &long], &["", "a..b", "a.", ".a", "a_b", "A"]),
            (dns_subdomain_with_underscores, &["_a.b_c"], &["a_", "__a", "_"]),
            (dns_1035_label, &["a", "a-0"], &["0a", "", "a-"]),
            (wildcard_dns_subdomain, &["*.a.b"], &["*", "a", "*.", "*.*.a"]),
            (qualified_name, &["a", "A.b_c", "x.y/Z"], &["", "/a", "a/", "X/a", "a/b/c", "_a", &long]),
            (annotation_key, &["X.y/Z"], &["x_y/z", ""]),
            (label_value, &["", "A_b.c", "1"], &["-a", "a b", &long]),
            (c_identifier, &["_a1"], &["1a", "", "a-b"]),
            (environment_name, &["a.b-c", "_"], &["1a", "a b", "..a", ""]),
            (relaxed_environment_name, &["1 a:b", "..", " "], &["", "a=b", "\u{7f}", "\u{e4}"]),
            (config_key, &["a", "A-_.b", ".a", "1"], &["", ".", "..", "..a", "a/b"]),
            (http_header_name, &["X-A"], &["", "a b", "a_b"]),
            (port_name, &["http", "a-1"], &["", "1", "a--b", "-a", "A", "abcdefghijklmnop"]),
            (percent, &["0%", "120%"], &["%", "1", "-1%", "1.5%"]),
            (no_backsteps, &["a/b", "..a"], &["..", "a/../b"]),
            (own_descending_path, &["a/b", "", "a/..b"], &["/a", "../a", "..a"]),
            (
                legacy_ip,
                &["010.0.0.1", "::1", "00001::", "::ffff:1.2.3.04"],
                &["1.2.3", "256.0.0.0", "", "g::"],
            ),
            (canonical_ip, &["10.0.0.1", "::1"], &["010.0.0.1", "0::1", "::ffff:1.2.3.4", "a"]),
            (
                legacy_network,
                &["10.0.0.1/8", "::/0", "1.2.3.4/08"],
                &["1.2.3.4", "1.2.3.4/33", "::/129", "a/1"],
            ),
        ];
        for (at, (rule, good, bad)) in table.iter().enumerate() {
            for text in *good {
                assert_eq!(rule(text), Ok(()), "{at}: {text}");
            }
            for text in *bad {
                assert!(rule(text).is_err(), "{at}: {text}");
            }
        }
        assert!(prefix("a-", dns_label).is_ok() && prefix("ab-", dns_label).is_ok());
        assert!(prefix("-", dns_label).is_err());
    }

    #[test]
    fn selectors_are_checked_and_select() {
        let object = read(
            "{s: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: NotIn, values: [d]}]}, \
             l: {a: b, c: e}, bad: {matchLabels: {a: -}, matchExpressions: [{key: c, operator: In}, {operator: X}]}}",
        );
        let root = Field::root(&object);
        assert!(selects(root.key("s"), root.key("l")));
        assert!(!selects(root.key("bad"), root.key("l")));
        let mut causes = Causes::default();
        check_label_selector(root.key("s"), &mut causes);
        assert!(causes.is_empty());
        check_label_selector(root.key("bad"), &mut causes);
        let paths: Vec<String> = causes.into_vec().iter().map(|cause| cause.path.to_string()).collect();
        let items = "bad.matchExpressions";
        assert_eq!(
            paths,
            [
                "bad.matchLabels".to_owned(),
                format!("{items}[0].values"),
                format!("{items}[1].operator"),
                format!("{items}[1].key")
            ]
        );
    }

    #[test]
    fn numbers_and_percentages_are_told_apart() {
        let object = read("{a: 0%, b: 0, c: 120%, d: -1, e: x, q: 0.5, r: 500m}");
        let root = Field::root(&object);
        assert!(is_zero(root.key("a")) && is_zero(root.key("b")) && !is_zero(root.key("c")));
        let count = |rule: fn(Field<'_, '_>, &mut Causes), key: &str| {
            let mut causes = Causes::default();
            rule(root.key(key), &mut causes);
            causes.len()
        };
        assert_eq!(["a", "b", "c", "d", "e"].map(|key| count(check_int_or_percent, key)), [0, 0, 0, 1, 1]);
        assert_eq!(["b", "c", "e"].map(|key| count(check_at_most_all, key)), [0, 1, 0]);
        assert_eq!(quantity(root.key("q")), quantity(root.key("r")));
    }
}
