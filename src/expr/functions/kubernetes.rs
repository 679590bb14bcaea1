//! Quantities, versions and named formats of Kubernetes.

use super::{Function, global, member, text, wants};
use crate::expr::data::{Val, compare};
use crate::expr::fault::Fault;
use crate::expr::quantity::Quantity;
use crate::expr::semver::Semver;
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    global("quantity", 1, 1, "quantity('1.5Gi')", |_, args| match &args[0] {
        Val::Quantity(quantity) => Ok(Val::Quantity(*quantity)),
        other => {
            let text = text(other)?;
            Quantity::parse(text).map(Val::Quantity).ok_or_else(|| {
                Fault::of_value(format!("\"{text}\" is no quantity"))
                    .help("write it as `500m`, `2` or `1.5Gi`")
            })
        }
    }),
    global("isQuantity", 1, 1, "isQuantity(text)", |_, args| {
        Ok(Val::Bool(Quantity::parse(text(&args[0])?).is_some()))
    }),
    member("sign", 1, 1, "quantity(text).sign()", sign),
    member("isInteger", 1, 1, "quantity(text).isInteger()", |_, args| {
        Ok(Val::Bool(quantity(&args[0])?.integer().is_some()))
    }),
    member("asInteger", 1, 1, "quantity(text).asInteger()", |_, args| {
        quantity(&args[0])?
            .integer()
            .map(Val::Int)
            .ok_or_else(|| Fault::of_value("the quantity is no integer of 64 bits"))
    }),
    member("asApproximateFloat", 1, 1, "quantity(text).asApproximateFloat()", |_, args| {
        Ok(Val::Double(quantity(&args[0])?.approximate()))
    }),
    member("add", 2, 2, "quantity(text).add(other)", |_, args| arithmetic(args, Quantity::add)),
    member("sub", 2, 2, "quantity(text).sub(other)", |_, args| arithmetic(args, Quantity::subtract)),
    member("compareTo", 2, 2, "quantity(text).compareTo(other)", |_, args| {
        Ok(Val::Int(match order(args)? {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }))
    }),
    member("isGreaterThan", 2, 2, "quantity(text).isGreaterThan(other)", |_, args| {
        Ok(Val::Bool(order(args)? == Ordering::Greater))
    }),
    member("isLessThan", 2, 2, "quantity(text).isLessThan(other)", |_, args| {
        Ok(Val::Bool(order(args)? == Ordering::Less))
    }),
    global("semver", 1, 2, "semver('1.2.3')", |_, args| {
        let parsed = version(args)?;
        parsed.map(|version| Val::Semver(Arc::new(version))).ok_or_else(|| {
            let text = text(&args[0]).map(ToString::to_string).unwrap_or_default();
            Fault::of_value(format!("\"{text}\" is no semantic version"))
                .help("it has three numbers and no `v`; `semver(text, true)` forgives both")
        })
    }),
    global("isSemver", 1, 2, "isSemver(text)", |_, args| Ok(Val::Bool(version(args)?.is_some()))),
    member("major", 1, 1, "semver(text).major()", |_, args| number(semver(&args[0])?.major)),
    member("minor", 1, 1, "semver(text).minor()", |_, args| number(semver(&args[0])?.minor)),
    member("patch", 1, 1, "semver(text).patch()", |_, args| number(semver(&args[0])?.patch)),
    super::within("format", "named", 1, 1, "format.named('dns1123Label')", |_, args| {
        let name = text(&args[0])?;
        format_named(name).map(Val::Format).ok_or_else(|| {
            let known: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
            Fault::of_value(format!("there is no format `{name}`"))
                .note(format!("there are {}", known.join(", ")))
        })
    }),
    named("dns1123Label", |_, _| Ok(Val::Format("dns1123Label"))),
    named("dns1123Subdomain", |_, _| Ok(Val::Format("dns1123Subdomain"))),
    named("dns1035Label", |_, _| Ok(Val::Format("dns1035Label"))),
    named("qualifiedName", |_, _| Ok(Val::Format("qualifiedName"))),
    named("labelValue", |_, _| Ok(Val::Format("labelValue"))),
    named("uri", |_, _| Ok(Val::Format("uri"))),
    named("uuid", |_, _| Ok(Val::Format("uuid"))),
    named("byte", |_, _| Ok(Val::Format("byte"))),
    named("date", |_, _| Ok(Val::Format("date"))),
    named("datetime", |_, _| Ok(Val::Format("datetime"))),
    named("dns1123LabelPrefix", |_, _| Ok(Val::Format("dns1123LabelPrefix"))),
    named("dns1123SubdomainPrefix", |_, _| Ok(Val::Format("dns1123SubdomainPrefix"))),
    named("dns1035LabelPrefix", |_, _| Ok(Val::Format("dns1035LabelPrefix"))),
    member("isValid", 2, 2, "format.dns1123Label().isValid(text)", |_, args| is_valid(args).map(Val::Bool)),
];

/// Whether a quantity is negative, zero or positive.
pub(super) fn sign<'a>(_: &mut super::Tools, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
    Ok(Val::Int(quantity(&args[0])?.signum()))
}

/// Whether a text is of a format.
pub(super) fn is_valid(args: &[Val<'_>]) -> Result<bool, Fault> {
    let Val::Format(name) = &args[0] else { return Err(wants("a format", &args[0])) };
    let text = text(&args[1])?;
    let check = FORMATS.iter().find(|(known, _)| known == name).map(|(_, check)| check);
    Ok(check.is_some_and(|check| check(text)))
}

/// The format of a name.
pub(super) fn format_named(name: &str) -> Option<&'static str> {
    FORMATS.iter().map(|(known, _)| *known).find(|known| *known == name)
}

const fn named(name: &'static str, run: super::Run) -> Function {
    super::within("format", name, 0, 0, "format.dns1123Label()", run)
}

/// A check of a text.
type Check = fn(&str) -> bool;

const FORMATS: &[(&str, Check)] = &[
    ("dns1123Label", label),
    ("dns1123Subdomain", |text| text.len() <= 253 && text.split('.').all(label_of_any_length)),
    // A prefix may end in a hyphen, as something is to follow it.
    ("dns1123LabelPrefix", |text| label(prefix(text))),
    ("dns1123SubdomainPrefix", |text| text.len() <= 253 && prefix(text).split('.').all(label_of_any_length)),
    ("dns1035LabelPrefix", |text| label(prefix(text)) && text.starts_with(|c: char| c.is_ascii_lowercase())),
    ("dns1035Label", |text| label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())),
    ("qualifiedName", |text| {
        let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
        let prefix_fits = prefix.is_none_or(|p| p.len() <= 253 && p.split('.').all(label_of_any_length));
        prefix_fits && !name.is_empty() && word(name)
    }),
    ("labelValue", word),
    ("uri", |text| crate::expr::net::Url::parse(text).is_some()),
    ("uuid", |text| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, b)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            })
    }),
    ("byte", |text| super::encode::decode(text).is_some()),
    ("date", |text| {
        text.len() == 10 && crate::expr::time::Timestamp::parse(&format!("{text}T00:00:00Z")).is_some()
    }),
    ("datetime", |text| crate::expr::time::Timestamp::parse(text).is_some()),
];

fn prefix(text: &str) -> &str {
    text.strip_suffix('-').unwrap_or(text)
}

fn label(text: &str) -> bool {
    text.len() <= 63 && label_of_any_length(text)
}

fn label_of_any_length(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().all(|b| inner(b) || b == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

fn word(text: &str) -> bool {
    let ends = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}

fn quantity(val: &Val<'_>) -> Result<Quantity, Fault> {
    match val {
        Val::Quantity(quantity) => Ok(*quantity),
        Val::String(text) => Err(wants("a quantity", val).help(format!("write `quantity('{text}')`"))),
        other => Err(wants("a quantity", other)),
    }
}

fn arithmetic<'a>(
    args: &[Val<'a>],
    apply: fn(Quantity, Quantity) -> Option<Quantity>,
) -> Result<Val<'a>, Fault> {
    let other = match &args[1] {
        Val::Int(number) => Quantity::of(*number),
        other => quantity(other)?,
    };
    apply(quantity(&args[0])?, other)
        .map(Val::Quantity)
        .ok_or_else(|| Fault::overflow("the quantity is too large"))
}

fn order(args: &[Val<'_>]) -> Result<Ordering, Fault> {
    match (&args[0], &args[1]) {
        (Val::Quantity(a), Val::Quantity(b)) => Ok(a.compare(*b)),
        (Val::Semver(a), Val::Semver(b)) => Ok(a.compare(b)),
        (Val::Quantity(_), other) => Err(wants("a quantity", other).help("write `quantity(...)` around it")),
        (Val::Semver(_), other) => Err(wants("a version", other).help("write `semver(...)` around it")),
        (a, b) => {
            let fault = wants("quantities or versions", a);
            Err(if compare(a, b).is_some() { fault.help("write `<` or `>`") } else { fault })
        }
    }
}

fn version(args: &[Val<'_>]) -> Result<Option<Semver>, Fault> {
    let text = text(&args[0])?;
    match args.get(1) {
        None | Some(Val::Bool(false)) => Ok(Semver::parse(text)),
        Some(Val::Bool(true)) => Ok(Semver::parse_loose(text)),
        Some(other) => Err(wants("a boolean", other)),
    }
}

fn semver<'v>(val: &'v Val<'_>) -> Result<&'v Semver, Fault> {
    match val {
        Val::Semver(version) => Ok(version),
        Val::String(text) => Err(wants("a version", val).help(format!("write `semver('{text}')`"))),
        other => Err(wants("a version", other)),
    }
}

fn number<'a>(number: u64) -> Result<Val<'a>, Fault> {
    i64::try_from(number).map(Val::Int).map_err(|_error| Fault::overflow("the number does not fit 64 bits"))
}
