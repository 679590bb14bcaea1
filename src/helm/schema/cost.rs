//! What it would cost to hold values against a schema, told before it is done.
//!
//! The validator cannot be interrupted, and a schema of a kilobyte can take it years (`allOf` of two `$ref`s to the
//! next of forty) or all memory (`anyOf`, which keeps what every branch says). So the same way is walked here first,
//! every branch of it, on a budget. A walk counts at least what the validator visits: where a `$ref` cannot be told
//! from another, all that it may mean are walked.

use crate::helm::stack;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ptr::from_ref;

/// Visits of a subschema with a value that a validation may take. The largest known schemas have 5,000 nodes.
const MAX_VISITS: u64 = 1_000_000;
/// The same, each with its depth in the schema, where the values break the schema and each visit may leave an error
/// that names its way.
const MAX_TOLD: u64 = 2_000_000;
/// How many objects and lists a schema may be made of.
const MAX_NODES: u64 = 100_000;
/// How many references a schema may make, and how many schemas may stand in one list: what the validator makes ready
/// takes it the square of these.
const MAX_WIDE: usize = 10_000;
/// How deep one subschema may lead to the next.
const MAX_DEPTH: u64 = 4_000;

/// The name of the limit on visits.
const VISITS: &str = "the schema takes more than 1 million steps to check these values";
/// The name of the limit on what errors say.
const TOLD: &str =
    "the values break the schema in more ways than can be told: more than 2 million steps lead to them";
/// The name of the limit on depth.
const DEPTH: &str = "the schema is nested more than 4,000 levels deep for these values";

/// The name of the limit on size.
const NODES: &str = "the schema is made of more than 100,000 objects and lists";
/// The name of the limits on references and on lists of schemas.
const WIDE: &str = "the schema makes more than 10,000 references, or has as many schemas in one list";

/// Whether a schema can be made ready for use: the limit that it breaks.
pub(super) fn of_compiling(schema: &Value) -> Result<(), &'static str> {
    let (mut nodes, mut references) = (0, 0);
    let mut pending = vec![schema];
    while let Some(at) = pending.pop() {
        match at {
            Value::Object(map) => {
                references += usize::from(text(map, "$ref").is_some());
                if SAME_EACH.iter().any(|key| map.get(*key).map_or(0, parts) > MAX_WIDE)
                    || references > MAX_WIDE
                {
                    return Err(WIDE);
                }
                pending.extend(map.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => continue,
        }
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(NODES);
        }
    }
    Ok(())
}

/// What a validation costs.
pub(super) struct Cost {
    told: u64,
}

impl Cost {
    /// Why the errors of these values cannot be told, where they cannot.
    pub(super) fn telling(&self) -> Result<(), &'static str> {
        if self.told > MAX_TOLD { Err(TOLD) } else { Ok(()) }
    }
}

/// What the validations of one release may still take.
pub(super) struct Left(u64);

impl Left {
    /// Takes at most so many steps off.
    pub(super) fn take(&mut self, most: u64) -> u64 {
        let taken = self.0.min(most);
        self.0 -= taken;
        taken
    }

    /// Puts back what was taken and not used.
    pub(super) fn put_back(&mut self, steps: u64) {
        self.0 += steps;
    }
}

impl Default for Left {
    fn default() -> Self {
        Self(MAX_VISITS)
    }
}

/// What it costs to hold `value` against `schema`; the limit that it breaks.
pub(super) fn of(schema: &Value, value: &Value, left: &mut Left) -> Result<Cost, &'static str> {
    let mut names = Names::default();
    names.collect(schema);
    let mut walk = Walk { root: schema, names, left: left.0, told: 0, open: BTreeSet::new() };
    let walked = walk.visit(schema, schema, value, 0);
    left.0 = walk.left;
    walked?;
    Ok(Cost { told: walk.told })
}

/// The subschemas that have a name of their own: by `$id`, by anchor.
#[derive(Default)]
struct Names<'s> {
    documents: BTreeMap<&'s str, &'s Value>,
    anchors: BTreeMap<&'s str, Vec<&'s Value>>,
}

impl<'s> Names<'s> {
    fn collect(&mut self, at: &'s Value) {
        match at {
            Value::Object(map) => {
                if let Some(id) = own_id(map) {
                    self.documents.insert(id.trim_end_matches('#'), at);
                }
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(name) = text(map, key) {
                        self.anchors.entry(name).or_default().push(at);
                    }
                }
                for key in ["$id", "id"] {
                    if let Some((_, name)) = text(map, key).and_then(|id| id.split_once('#'))
                        && !name.is_empty()
                    {
                        self.anchors.entry(name).or_default().push(at);
                    }
                }
                map.values().for_each(|inner| self.collect(inner));
            }
            Value::Array(items) => items.iter().for_each(|inner| self.collect(inner)),
            _ => {}
        }
    }
}

fn text<'s>(map: &'s Map<String, Value>, key: &str) -> Option<&'s str> {
    map.get(key)?.as_str()
}

/// The name of a subschema that is a document of its own.
fn own_id(map: &Map<String, Value>) -> Option<&str> {
    text(map, "$id").or_else(|| text(map, "id")).filter(|id| !id.starts_with('#'))
}

struct Walk<'s> {
    root: &'s Value,
    names: Names<'s>,
    /// Visits that are left.
    left: u64,
    told: u64,
    /// The subschemas being visited, with their values: one that leads to itself adds nothing.
    open: BTreeSet<(usize, usize)>,
}

/// Keywords whose schema looks at the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Keywords whose list of schemas looks at the same value.
const SAME_EACH: [&str; 3] = ["allOf", "anyOf", "oneOf"];

impl<'s> Walk<'s> {
    fn spend(&mut self, visits: usize, depth: u64) -> Result<(), &'static str> {
        let visits = visits as u64;
        self.told = self.told.saturating_add(visits.saturating_mul(1 + depth));
        let left = self.left.checked_sub(visits);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(VISITS)
    }

    /// `base` is the document that the subschema belongs to.
    fn visit(
        &mut self,
        schema: &'s Value,
        base: &'s Value,
        value: &Value,
        depth: u64,
    ) -> Result<(), &'static str> {
        self.spend(1, depth)?;
        let Some(map) = schema.as_object() else { return Ok(()) };
        if depth > MAX_DEPTH || stack::is_low() {
            return Err(DEPTH);
        }
        let pair = (from_ref(schema).addr(), from_ref(value).addr());
        if !self.open.insert(pair) {
            return Ok(());
        }
        let base = if own_id(map).is_some() { schema } else { base };
        // What is not evaluated is found by evaluating once more for each of the properties, all of them each time.
        let unevaluated = map.contains_key("unevaluatedProperties") || map.contains_key("unevaluatedItems");
        let before = self.left;
        self.same(map, base, value, depth + 1)?;
        if unevaluated {
            let once = usize::try_from(before - self.left).unwrap_or(usize::MAX);
            self.spend(once.saturating_mul(parts(value).saturating_pow(2)), depth)?;
        }
        match value {
            Value::Object(_) => self.members(map, base, value, depth + 1)?,
            Value::Array(items) => self.items(map, base, items, depth + 1)?,
            _ => {}
        }
        self.open.remove(&pair);
        Ok(())
    }

    /// The subschemas that look at the value itself.
    fn same(
        &mut self,
        map: &'s Map<String, Value>,
        base: &'s Value,
        value: &Value,
        depth: u64,
    ) -> Result<(), &'static str> {
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(reference) = text(map, key) {
                for (target, base) in self.resolve(reference, base) {
                    self.visit(target, base, value, depth)?;
                }
            }
        }
        for key in SAME {
            if let Some(inner) = map.get(key) {
                self.visit(inner, base, value, depth)?;
            }
        }
        for key in SAME_EACH {
            for inner in map.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.visit(inner, base, value, depth)?;
            }
        }
        for key in ["enum", "required"] {
            self.spend(map.get(key).map_or(0, parts), 0)?;
        }
        Ok(())
    }

    fn members(
        &mut self,
        map: &'s Map<String, Value>,
        base: &'s Value,
        of: &Value,
        depth: u64,
    ) -> Result<(), &'static str> {
        let Value::Object(members) = of else { return Ok(()) };
        let a_name = Value::Null;
        let properties = map.get("properties").and_then(Value::as_object);
        let patterns = map.get("patternProperties").and_then(Value::as_object);
        self.spend(patterns.map_or(0, Map::len).saturating_mul(members.len()), 0)?;
        for key in ["dependentSchemas", "dependencies"] {
            let each = map.get(key).and_then(Value::as_object);
            for (_, inner) in each.into_iter().flatten().filter(|(name, _)| members.contains_key(*name)) {
                self.visit(inner, base, of, depth)?;
            }
        }
        for (name, member) in members {
            if let Some(inner) = properties.and_then(|properties| properties.get(name)) {
                self.visit(inner, base, member, depth)?;
            }
            for inner in patterns.into_iter().flat_map(Map::values) {
                self.visit(inner, base, member, depth)?;
            }
            for key in ["additionalProperties", "unevaluatedProperties"] {
                if let Some(inner) = map.get(key) {
                    self.visit(inner, base, member, depth)?;
                }
            }
            if let Some(inner) = map.get("propertyNames") {
                self.visit(inner, base, &a_name, depth)?;
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        map: &'s Map<String, Value>,
        base: &'s Value,
        items: &[Value],
        depth: u64,
    ) -> Result<(), &'static str> {
        for (at, item) in items.iter().enumerate() {
            for key in ["items", "prefixItems"] {
                match map.get(key) {
                    Some(Value::Array(each)) => {
                        if let Some(inner) = each.get(at) {
                            self.visit(inner, base, item, depth)?;
                        }
                    }
                    Some(inner) => self.visit(inner, base, item, depth)?,
                    None => {}
                }
            }
            for key in ["additionalItems", "unevaluatedItems", "contains"] {
                if let Some(inner) = map.get(key) {
                    self.visit(inner, base, item, depth)?;
                }
            }
        }
        Ok(())
    }

    /// What a reference may mean, each with the document that it belongs to; nothing for one out of the chart.
    fn resolve(&self, reference: &str, base: &'s Value) -> Vec<(&'s Value, &'s Value)> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let bases: Vec<&'s Value> = if document.is_empty() {
            vec![base, self.root]
        } else {
            let named = |id: &str| id == document || id.ends_with(&format!("/{document}"));
            self.names.documents.iter().filter(|(id, _)| named(id)).map(|(_, at)| *at).collect()
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let found = self.names.anchors.get(fragment);
            return found.into_iter().flatten().map(|at| (*at, base)).collect();
        }
        let pointer = unescaped(fragment);
        // A document may be named by its own pointer: what is found first is it.
        bases.into_iter().find_map(|base| base.pointer(&pointer).map(|at| (at, base))).into_iter().collect()
    }
}

/// A fragment without the escapes of URLs (`%25`).
fn unescaped(fragment: &str) -> String {
    let mut out = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            rest = &behind[2..];
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How many members or items a value has.
fn parts(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    }
}
