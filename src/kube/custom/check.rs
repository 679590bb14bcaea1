//! A value against a schema, as the validator of OpenAPI in an API server goes through it.
//!
//! Its order and its counting are kept, as they decide which alternative of `anyOf` and `oneOf` it speaks of: the one
//! that most of its checks passed.

use super::schema::{Additional, Bound, Junctions, Kind, Limits, Schema, as_double};
use crate::kube::{Cause, CauseKind, Field, Layer};
use crate::value::{Map, Node, Number, Value};

/// What one schema found.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) causes: Vec<Cause>,
    /// How many checks were made and passed, as the server counts.
    passed: usize,
}

impl Verdict {
    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        for cause in other.causes {
            self.add(cause);
        }
    }

    /// Adds a cause, once.
    fn add(&mut self, cause: Cause) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    fn fault(&mut self, field: Field<'_, '_>, kind: CauseKind, message: impl Into<String>) {
        self.add(cause(field, kind, message));
    }

    fn is_valid(&self) -> bool {
        self.causes.is_empty()
    }
}

pub(super) fn cause(field: Field<'_, '_>, kind: CauseKind, message: impl Into<String>) -> Cause {
    Cause {
        kind,
        layer: Layer::CustomSchema,
        path: field.path(),
        told: None,
        message: message.into(),
        help: None,
    }
}

/// A value, shortened, for a message.
pub(super) fn shown(node: &Node) -> String {
    const LONGEST: usize = 60;
    let text = match &node.value {
        Value::String(text) => text.to_string(),
        Value::Number(Number::Int(number)) => number.to_string(),
        Value::Number(Number::Uint(number)) => number.to_string(),
        Value::Number(Number::Float(number)) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => return "null".to_owned(),
        Value::List(_) => return "a list".to_owned(),
        Value::Map(_) => return "a map".to_owned(),
    };
    if text.chars().count() > LONGEST {
        format!("`{}...`", text.chars().take(LONGEST).collect::<String>())
    } else {
        format!("`{text}`")
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "anything",
        Kind::Object => "a map",
        Kind::Array => "a list",
        Kind::String => "a string",
        Kind::Integer => "an integer",
        Kind::Number => "a number",
        Kind::Boolean => "a boolean",
        Kind::IntOrString => "an integer or a string",
    }
}

/// Checks a value.
pub(super) fn check(node: &Node, schema: &Schema, field: Field<'_, '_>) -> Verdict {
    let mut verdict = Verdict::default();
    if node.value == Value::Null {
        if schema.kind == Kind::Any || schema.nullable {
            verdict.passed += 1;
        } else {
            verdict.fault(field, CauseKind::Type, format!("this is null, not {}", noun(schema.kind)));
        }
        among(node, schema, field, &mut verdict);
        return verdict;
    }
    if schema.kind != Kind::Any || schema.format.is_some() {
        if is_of_type(node, schema) {
            verdict.passed += 1;
        } else {
            let message = format!("{} is no{}", shown(node), noun(schema.kind).trim_start_matches('a'));
            let message = match noun(schema.kind) {
                noun if noun.starts_with("an ") => format!("{} is not {noun}", shown(node)),
                _ => message,
            };
            verdict.fault(field, CauseKind::Type, message);
        }
        verdict.passed += 1;
    }
    if let Some(junctions) = &schema.junctions {
        combined(node, junctions, field, &mut verdict);
    }
    verdict.passed += 2;
    match &node.value {
        Value::String(text) => {
            if let Some(limits) = &schema.limits {
                in_length(text, limits, field, &mut verdict);
            }
            verdict.passed += 1;
            if let Some(format) = schema.format {
                if !format.matches(text) {
                    let message = format!("{} is {}", shown(node), format.refusal());
                    verdict.fault(field, CauseKind::Type, message);
                }
                verdict.passed += 1;
            }
        }
        Value::Number(number) => {
            if let Some(limits) = &schema.limits {
                in_range(*number, limits, field, &mut verdict);
            }
            verdict.passed += 2;
        }
        Value::List(items) => {
            list(items, schema, field, &mut verdict);
            verdict.passed += 2;
        }
        _ => {}
    }
    among(node, schema, field, &mut verdict);
    verdict.passed += 1;
    if let Value::Map(map) = &node.value {
        object(map, schema, field, &mut verdict);
        verdict.passed += 1;
    }
    verdict.passed += 1;
    verdict
}

/// The type alone. A string of a known format may be a list for the server, oddly: its items are looked at, no more.
fn is_of_type(node: &Node, schema: &Schema) -> bool {
    let kind = schema.kind;
    match &node.value {
        Value::String(_) | Value::List(_)
            if schema.format.is_some()
                && !matches!(kind, Kind::Integer | Kind::Number | Kind::IntOrString) =>
        {
            true
        }
        Value::String(_) => matches!(kind, Kind::String | Kind::IntOrString),
        Value::List(_) => kind == Kind::Array,
        Value::Map(_) => kind == Kind::Object,
        Value::Bool(_) => kind == Kind::Boolean,
        Value::Number(Number::Int(_)) => matches!(kind, Kind::Integer | Kind::Number | Kind::IntOrString),
        Value::Number(number) => match kind {
            Kind::Number => true,
            Kind::Integer | Kind::IntOrString => is_whole(as_double(*number)),
            _ => false,
        },
        Value::Null => false,
    }
}

/// Whether a number with a fraction counts as an integer of JSON.
fn is_whole(number: f64) -> bool {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    const NEAR: f64 = 1e-9;
    if number.abs() > LARGEST {
        return false;
    }
    let whole = number.trunc();
    let off = (number - whole).abs();
    off == 0.0 || (whole != 0.0 && off / (number.abs() + whole.abs()) < NEAR)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "as the server compares: by conversion"
)]
fn is_same(node: &Node, known: &Node) -> bool {
    match (&node.value, &known.value) {
        (Value::Number(Number::Int(a)), Value::Number(Number::Int(b))) => a == b,
        (Value::Number(a), Value::Number(Number::Int(b))) => as_double(*a) as i64 == *b,
        (Value::Number(a), Value::Number(b)) => as_double(*a) == as_double(*b),
        _ => node == known,
    }
}

fn among(node: &Node, schema: &Schema, field: Field<'_, '_>, verdict: &mut Verdict) {
    let values = &schema.values;
    let hit = |known: &Node| known.value != Value::Null && is_same(node, known);
    if values.is_empty() || values.iter().any(hit) {
        return;
    }
    let known: Vec<String> = values.iter().map(shown).collect();
    let message = format!("{} is not supported", shown(node));
    let help = Some(format!("write one of {}", known.join(", ")));
    verdict.add(Cause { help, ..cause(field, CauseKind::Unsupported, message) });
}

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The first of the bounds of a string that it breaks.
fn in_length(text: &str, limits: &Limits, field: Field<'_, '_>, verdict: &mut Verdict) {
    if let Some(most) = limits.max_length.filter(|most| length(text) > *most) {
        let message = format!("this has {} characters, {most} are allowed", length(text));
        verdict.fault(field, CauseKind::TooLong, message);
    } else if let Some(least) = limits.min_length.filter(|least| length(text) < *least) {
        let message = if text.is_empty() {
            "this is empty".to_owned()
        } else {
            format!("this has {} characters, at least {least} are wanted", length(text))
        };
        verdict.fault(field, CauseKind::Invalid, message);
    } else if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
        let value = shown(&Node::new(text, crate::value::Origin::Compiler));
        verdict.fault(field, CauseKind::Invalid, format!("{value} does not match `{}`", pattern.text));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the server takes the whole part of bounds of integers")]
fn in_range(number: Number, limits: &Limits, field: Field<'_, '_>, verdict: &mut Verdict) {
    let value = shown(&Node { value: Value::Number(number), origin: crate::value::Origin::Compiler });
    let integer = match number {
        Number::Int(number) => Some(number),
        Number::Uint(_) | Number::Float(_) => None,
    };
    let double = as_double(number);
    if let Some(factor) = limits.multiple_of {
        let fits = match integer {
            Some(integer) => (factor as i64) > 0 && integer % (factor as i64) == 0,
            None => {
                factor > 0.0 && is_whole(if factor < 1.0 { 1.0 / factor * double } else { double / factor })
            }
        };
        if !fits {
            verdict.fault(field, CauseKind::Invalid, format!("{value} is no multiple of {factor}"));
        }
    }
    if let Some((least, bound)) = limits.minimum {
        let order = match integer {
            Some(integer) => Some(integer.cmp(&(least as i64))),
            None => double.partial_cmp(&least),
        };
        let below = order.is_some_and(|order| order.is_lt() || (bound == Bound::Exclusive && order.is_eq()));
        if below {
            let wanted = if bound == Bound::Exclusive { "more than" } else { "at least" };
            verdict.fault(
                field,
                CauseKind::Invalid,
                format!("{value} is too small: {wanted} {least} is wanted"),
            );
        }
    }
    if let Some((most, bound)) = limits.maximum {
        let order = match integer {
            Some(integer) => Some(integer.cmp(&(most as i64))),
            None => double.partial_cmp(&most),
        };
        let above = order.is_some_and(|order| order.is_gt() || (bound == Bound::Exclusive && order.is_eq()));
        if above {
            let wanted = if bound == Bound::Exclusive { "less than" } else { "at most" };
            verdict.fault(
                field,
                CauseKind::Invalid,
                format!("{value} is too large: {wanted} {most} is wanted"),
            );
        }
    }
}

fn list(items: &[Node], schema: &Schema, field: Field<'_, '_>, verdict: &mut Verdict) {
    if let Some(schema) = &schema.items {
        for (index, item) in items.iter().enumerate() {
            verdict.merge(check(item, schema, field.index(index)));
        }
    }
    let Some(limits) = &schema.limits else { return };
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(least) = limits.min_items.filter(|least| count < *least) {
        let message = format!("there are {count} items, at least {least} are wanted");
        verdict.fault(field, CauseKind::Invalid, message);
    }
    if let Some(most) = limits.max_items.filter(|most| count > *most) {
        verdict.fault(field, CauseKind::TooMany, format!("there are {count} items, {most} are allowed"));
    }
    if limits.unique_items && (1..items.len()).any(|at| items[..at].contains(&items[at])) {
        verdict.fault(field, CauseKind::Invalid, "an item stands here twice");
    }
}

fn object(map: &Map, schema: &Schema, field: Field<'_, '_>, verdict: &mut Verdict) {
    if let Some(limits) = &schema.limits {
        let count = i64::try_from(map.len()).unwrap_or(i64::MAX);
        if let Some(least) = limits.min_properties.filter(|least| count < *least) {
            let message = format!("there are {count} members, at least {least} are wanted");
            verdict.fault(field, CauseKind::Invalid, message);
        }
        if let Some(most) = limits.max_properties.filter(|most| count > *most) {
            let message = format!("there are {count} members, {most} are allowed");
            verdict.fault(field, CauseKind::TooMany, message);
        }
    }
    for (key, entry) in map {
        let member = field.member(key, &entry.node);
        if let Some(property) = schema.properties.get(key.as_ref()) {
            verdict.merge(check(&entry.node, property, member));
        } else {
            match &schema.additional {
                Additional::Schema(schema) => verdict.merge(check(&entry.node, schema, member)),
                Additional::Flag(false) => {
                    verdict.fault(
                        field,
                        CauseKind::Invalid,
                        format!("`{key}` is no member that is allowed here"),
                    );
                }
                Additional::Flag(true) | Additional::Unsaid => {}
            }
        }
    }
    for key in &schema.required {
        if !map.contains_key(key) {
            verdict.fault(field.key(key), CauseKind::Required, format!("`{key}` is missing"));
        }
    }
}

/// `anyOf`, `oneOf`, `allOf` and `not`.
fn combined(node: &Node, junctions: &Junctions, field: Field<'_, '_>, verdict: &mut Verdict) {
    if !junctions.any_of.is_empty() {
        let mut best: Option<Verdict> = None;
        let mut passed = None;
        for schema in &junctions.any_of {
            let found = check(node, schema, field);
            if found.is_valid() {
                passed = Some(found);
                break;
            }
            if best.as_ref().is_none_or(|best| found.passed > best.passed) {
                best = Some(found);
            }
        }
        if passed.is_none() {
            verdict.fault(field, CauseKind::Invalid, "none of the alternatives of `anyOf` fits");
        }
        verdict.merge(passed.or(best).unwrap_or_default());
    }
    if !junctions.one_of.is_empty() {
        let mut best: Option<Verdict> = None;
        let mut first = None;
        let mut count = 0_usize;
        for schema in &junctions.one_of {
            let found = check(node, schema, field);
            if found.is_valid() {
                count += 1;
                best = None;
                first.get_or_insert(found);
            } else if count == 0 && best.as_ref().is_none_or(|best| found.passed > best.passed) {
                best = Some(found);
            }
        }
        if count == 1 {
            verdict.merge(first.unwrap_or_default());
        } else {
            let message = match count {
                0 => "none of the alternatives of `oneOf` fits".to_owned(),
                _ => format!("{count} alternatives of `oneOf` fit, where one has to"),
            };
            verdict.fault(field, CauseKind::Invalid, message);
            verdict.merge(best.unwrap_or_default());
        }
    }
    if !junctions.all_of.is_empty() {
        let mut all = true;
        for schema in &junctions.all_of {
            let found = check(node, schema, field);
            all &= found.is_valid();
            verdict.merge(found);
        }
        if !all {
            verdict.fault(field, CauseKind::Invalid, "not all schemas of `allOf` fit");
        }
    }
    if let Some(schema) = &junctions.not
        && check(node, schema, field).is_valid()
    {
        verdict.fault(field, CauseKind::Invalid, "this fits what `not` excludes");
    }
}
