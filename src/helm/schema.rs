//! `values.schema.json`: the values of a chart and of each subchart held against their schemas.
//!
//! The verdict is the `jsonschema` crate's (drafts 4, 6, 7, 2019-09, 2020-12; the last where none is named), with
//! Go's regular expressions (no look-around). The words are those of the validator in Helm, santhosh-tekuri
//! jsonschema v6, whose tree of errors is rebuilt here; properties come in alphabetical order, where Helm's order
//! changes from run to run. Nothing is fetched: a `$ref` out of the chart is an error, one to a `urn:` means anything.

mod cost;
mod quick;

use super::values::{Table, Value, table_to_json};
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// A chart's schema; compiled when it is first needed, for all releases.
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    bytes: Arc<[u8]>,
    /// Nothing where the schema says more than a first look knows.
    quick: OnceLock<Option<quick::Quick>>,
    compiled: OnceLock<Result<Compiled, String>>,
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Schema({} bytes)", self.0.bytes.len())
    }
}

/// A schema ready to be used, and its text as data.
struct Compiled {
    schema: serde_json::Value,
    validator: Validator,
}

/// What is wrong, by the path of the value.
type Leaves = Vec<(Vec<String>, String)>;

/// A value that breaks a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The chart whose schema it breaks, as the keys under which parents hold it; empty for the chart itself.
    pub chart: Vec<String>,
    /// The path of the value in that chart's values.
    pub path: Vec<String>,
    /// What is wrong, in Helm's words.
    pub text: String,
}

/// All that is wrong with values, by chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Helm's text, without its heading.
    pub text: String,
    /// The same as data.
    pub violations: Vec<Violation>,
}

impl Schema {
    /// A schema from the bytes of the file.
    pub fn new(bytes: Arc<[u8]>) -> Self {
        Self(Arc::new(Inner { bytes, quick: OnceLock::new(), compiled: OnceLock::new() }))
    }

    /// The words that the schema allows at a path of keys, where it lists them.
    pub fn choices(&self, path: &[String]) -> Vec<String> {
        let Ok(schema) = serde_json::from_slice::<serde_json::Value>(&self.0.bytes) else {
            return Vec::new();
        };
        let mut at = &schema;
        for key in path {
            at = follow(&schema, &follow(&schema, at)["properties"][key]);
        }
        let words = follow(&schema, at)["enum"].as_array();
        words.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// Checks the values of one chart: the text of the failure and what makes it up.
    fn check(&self, values: &Table, left: &mut cost::Left) -> Result<(), (String, Leaves)> {
        let quick = self.0.quick.get_or_init(|| quick::Quick::read(&self.0.bytes));
        if quick.as_ref().is_some_and(|quick| quick.allows(values, left)) {
            return Ok(());
        }
        let compiled = self.0.compiled.get_or_init(|| compile(&self.0.bytes));
        let refused = |words: &str| Err((words.to_owned(), vec![(Vec::new(), words.to_owned())]));
        let Compiled { schema, validator } = match compiled {
            Ok(compiled) => compiled,
            Err(words) => return refused(words),
        };
        let json = table_to_json(values);
        let cost = match cost::of(schema, &json, left) {
            Ok(cost) => cost,
            Err(limit) => return refused(limit),
        };
        if validator.is_valid(&json) {
            return Ok(());
        }
        if let Err(limit) = cost.telling() {
            return refused(limit);
        }
        let errors: Vec<ValidationError<'_>> = validator.iter_errors(&json).collect();
        let found: Vec<Found<'_, '_>> = errors.iter().map(|error| Found::new(error, 0)).collect();
        let Some(tree) = schema_node(&found, &[]) else { return Ok(()) };
        let causes = if tree.is_group { tree.causes } else { vec![tree] };
        let mut text = String::new();
        let mut violations = Vec::new();
        for cause in &causes {
            cause.print(0, &mut text, &mut violations);
        }
        Err((text, violations))
    }
}

/// What a `$ref` within the schema means; itself otherwise.
fn follow<'a>(root: &'a serde_json::Value, at: &'a serde_json::Value) -> &'a serde_json::Value {
    let pointer = at["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(at)
}

/// A chart as its schema sees it.
pub trait Validated {
    /// The key under which the parent holds its values.
    fn name(&self) -> &str;
    /// Its schema.
    fn schema(&self) -> Option<&Schema>;
    /// Its subcharts.
    fn children(&self) -> &[Self]
    where
        Self: Sized;
}

/// Checks the values of a chart, then of every subchart.
pub fn validate<C: Validated>(chart: &C, values: &Table) -> Result<(), Failure> {
    let mut failure = Failure::default();
    walk(chart, values, &mut Vec::new(), &mut cost::Left::default(), &mut failure);
    if failure.text.is_empty() { Ok(()) } else { Err(failure) }
}

fn walk<C: Validated>(
    chart: &C,
    values: &Table,
    path: &mut Vec<String>,
    left: &mut cost::Left,
    failure: &mut Failure,
) {
    if let Some(schema) = chart.schema()
        && let Err((text, violations)) = schema.check(values, left)
    {
        let _infallible = write!(failure.text, "{}:\n{text}", chart.name());
        if !failure.text.ends_with('\n') {
            failure.text.push('\n');
        }
        let of = |(at, text)| Violation { chart: path.clone(), path: at, text };
        failure.violations.extend(violations.into_iter().map(of));
    }
    for child in chart.children() {
        let Some(value) = values.get(child.name().as_bytes()).filter(|value| !value.is_null()) else {
            continue;
        };
        if let Some(table) = value.as_table() {
            path.push(child.name().to_owned());
            walk(child, table, path, left, failure);
            path.pop();
        } else {
            let text = wrong_type(value);
            let _infallible = writeln!(failure.text, "{}:\n{text}", child.name());
            let at = vec![child.name().to_owned()];
            failure.violations.push(Violation { chart: path.clone(), path: at, text });
        }
    }
}

fn wrong_type(value: &Value) -> String {
    format!("invalid type for values: expected object (map), got {}", value.go_type())
}

/// Refuses to fetch.
struct Offline;

impl Retrieve for Offline {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        // Helm takes an unresolved name for a schema that allows anything (helm 4.2.4 `jsonschema.go`, `urnLoader`).
        if uri.as_str().starts_with("urn:") {
            return Ok(serde_json::Value::Bool(true));
        }
        Err(format!(
            "failing loading {:?}: schemas are not fetched; put it into the chart's own schema",
            uri.as_str()
        )
        .into())
    }
}

fn compile(bytes: &[u8]) -> Result<Compiled, String> {
    let schema: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| format!("invalid schema: {error}"))?;
    cost::of_compiling(&schema)?;
    let draft = match schema.get("$schema").and_then(|uri| uri.as_str()) {
        Some(uri) => draft_of(uri)?,
        None => Draft::default(),
    };
    let validator = jsonschema::options()
        .with_draft(draft)
        .with_retriever(Offline)
        // `format` is asserted up to draft 7 only.
        .should_validate_formats(matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7))
        .should_ignore_unknown_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(4 << 20).dfa_size_limit(4 << 20))
        .build(&schema)
        .map_err(|error| match error.kind() {
            ValidationErrorKind::Referencing(reason) => reason.to_string(),
            _ => format!(
                "\"file:///values.schema.json#\" is not valid against metaschema: jsonschema validation failed\n- at '{}': {error}",
                error.instance_path()
            ),
        })?;
    Ok(Compiled { schema, validator })
}

/// The draft that a `$schema` names; another one would have to be fetched.
fn draft_of(uri: &str) -> Result<Draft, String> {
    let uri = uri.split('#').next().unwrap_or_default();
    if uri.starts_with("urn:") {
        return Ok(Draft::default());
    }
    let Some(known) = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://")) else {
        return Err(format!("failing loading {uri:?}: no URLLoader registered for {uri:?}"));
    };
    Ok(match known {
        "json-schema.org/schema" => Draft::default(),
        "json-schema.org/draft-04/schema" => Draft::Draft4,
        "json-schema.org/draft-06/schema" => Draft::Draft6,
        "json-schema.org/draft-07/schema" => Draft::Draft7,
        "json-schema.org/draft/2019-09/schema" => Draft::Draft201909,
        "json-schema.org/draft/2020-12/schema" => Draft::Draft202012,
        _ => {
            return Err(format!(
                "failing loading {uri:?}: schemas are not fetched; name a draft that is known"
            ));
        }
    })
}

/// An error and what is left of its way through the schema.
struct Found<'e, 'v> {
    error: &'e ValidationError<'v>,
    way: Vec<String>,
    place: Vec<String>,
}

impl<'e, 'v> Found<'e, 'v> {
    fn new(error: &'e ValidationError<'v>, taken: usize) -> Self {
        let text = |segment: LocationSegment<'_>| segment.to_string();
        let way = error.evaluation_path().into_iter().map(text).skip(taken).collect();
        Self { error, way, place: error.instance_path().into_iter().map(text).collect() }
    }

    fn below(&self, taken: usize) -> Self {
        Self {
            error: self.error,
            way: self.way.get(taken..).unwrap_or_default().to_vec(),
            place: self.place.clone(),
        }
    }
}

/// A node of the tree that Helm's validator makes.
struct Tree {
    place: Vec<String>,
    text: String,
    causes: Vec<Tree>,
    is_group: bool,
}

impl Tree {
    fn leaf(place: &[String], text: String) -> Self {
        Self { place: place.to_vec(), text, causes: Vec::new(), is_group: false }
    }

    fn print(&self, depth: usize, out: &mut String, leaves: &mut Leaves) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&"  ".repeat(depth));
        let mut pointer = String::new();
        for segment in &self.place {
            pointer.push('/');
            pointer.push_str(&escape(segment));
        }
        let _infallible = write!(out, "- at {}: {}", quote(&pointer), self.text);
        if self.causes.is_empty() {
            leaves.push((self.place.clone(), self.text.clone()));
        }
        for cause in &self.causes {
            cause.print(depth + 1, out, leaves);
        }
    }
}

/// As in a URL's fragment, which is how the validator writes pointers.
fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// What failed of one schema at one value.
fn schema_node(found: &[Found<'_, '_>], place: &[String]) -> Option<Tree> {
    // These end the validation of a value at once.
    for keyword in ["type", "const", "enum", "format"] {
        if let Some(first) = found.iter().find(|f| f.way.len() == 1 && f.way[0] == keyword) {
            return Some(Tree::leaf(place, words(first.error)));
        }
    }
    let mut causes = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut groups: Vec<(Vec<String>, Vec<Found<'_, '_>>)> = Vec::new();
    // Where in the groups each is.
    let mut places: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for one in found {
        let keyword = one.way.first().map_or("", String::as_str);
        if let ValidationErrorKind::Required { property } = one.error.kind()
            && one.way.len() == 1
        {
            missing.push(property.as_str().unwrap_or_default().to_owned());
            continue;
        }
        let next = |at: usize| one.place.get(at).cloned().unwrap_or_default();
        let (key, taken) = match keyword {
            _ if one.way.len() <= 1 => (vec![keyword.to_owned(), format!("{:p}", one.error)], 1),
            "properties" | "patternProperties" => {
                (vec![keyword.to_owned(), one.way[1].clone(), next(place.len())], 2)
            }
            "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" | "additionalItems" => {
                (vec![keyword.to_owned(), next(place.len())], 1)
            }
            "items" | "prefixItems" => {
                let is_index = one.way[1].bytes().all(|b| b.is_ascii_digit());
                (vec![keyword.to_owned(), next(place.len())], if is_index { 2 } else { 1 })
            }
            "allOf" => (vec![keyword.to_owned()], 1),
            "dependentSchemas" | "dependencies" => (vec![keyword.to_owned(), one.way[1].clone()], 2),
            _ => (vec![keyword.to_owned()], 1),
        };
        if let Some(at) = places.get(&key) {
            groups[*at].1.push(one.below(taken));
        } else {
            places.insert(key.clone(), groups.len());
            groups.push((key, vec![one.below(taken)]));
        }
    }
    groups.sort_by_key(|(key, _)| rank(&key[0]));
    if !missing.is_empty() {
        let at = groups.iter().take_while(|(key, _)| rank(&key[0]) < rank("required")).count();
        causes.push((at, Tree::leaf(place, required(&missing))));
    }
    let mut out = Vec::new();
    for (at, (key, members)) in groups.iter().enumerate() {
        out.extend(causes.iter().position(|(before, _)| *before == at).map(|at| causes.remove(at).1));
        let deeper = || {
            let mut inner = place.to_vec();
            inner.extend(members[0].place.get(place.len()).cloned());
            inner
        };
        let tree = match key[0].as_str() {
            _ if members[0].way.is_empty() => Some(leaf(members[0].error, place)),
            "properties"
            | "patternProperties"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "items"
            | "prefixItems"
            | "additionalItems"
            | "unevaluatedItems" => schema_node(members, &deeper()),
            "allOf" => Some(branches(members, place, "'allOf' failed")),
            _ => schema_node(members, place),
        };
        out.extend(tree);
    }
    out.extend(causes.into_iter().map(|(_, tree)| tree));
    match out.len() {
        0 => None,
        1 => out.pop(),
        _ => Some(Tree {
            place: place.to_vec(),
            text: "validation failed".to_owned(),
            causes: out,
            is_group: true,
        }),
    }
}

/// The order in which the validator looks at keywords.
fn rank(keyword: &str) -> usize {
    const ORDER: &[&str] = &[
        "$ref",
        "minProperties",
        "maxProperties",
        "required",
        "dependencies",
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "dependentSchemas",
        "dependentRequired",
        "minItems",
        "maxItems",
        "uniqueItems",
        "items",
        "prefixItems",
        "additionalItems",
        "contains",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "not",
        "allOf",
        "anyOf",
        "oneOf",
        "then",
        "else",
    ];
    ORDER.iter().position(|known| *known == keyword).unwrap_or(ORDER.len())
}

/// The failed members of an `allOf`, by their number.
fn branches(members: &[Found<'_, '_>], place: &[String], text: &str) -> Tree {
    let mut numbers: Vec<&String> = members.iter().filter_map(|m| m.way.first()).collect();
    numbers.sort_by_key(|number| number.parse::<usize>().unwrap_or(usize::MAX));
    numbers.dedup();
    let mut of: BTreeMap<&String, Vec<Found<'_, '_>>> = BTreeMap::new();
    for member in members {
        if let Some(number) = member.way.first() {
            of.entry(number).or_default().push(member.below(1));
        }
    }
    let causes = numbers.into_iter().filter_map(|number| schema_node(of.get(number)?, place)).collect();
    Tree { place: place.to_vec(), text: text.to_owned(), causes, is_group: false }
}

/// A keyword that failed by itself.
fn leaf(error: &ValidationError<'_>, place: &[String]) -> Tree {
    let taken = error.evaluation_path().into_iter().count() + 1;
    let contexts = |contexts: &[Vec<ValidationError<'static>>]| -> Vec<Tree> {
        contexts
            .iter()
            .filter_map(|errors| {
                let found: Vec<Found<'_, '_>> = errors.iter().map(|error| Found::new(error, taken)).collect();
                schema_node(&found, place)
            })
            .collect()
    };
    let causes = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            contexts(context)
        }
        _ => Vec::new(),
    };
    Tree { place: place.to_vec(), text: words(error), causes, is_group: false }
}

fn required(missing: &[String]) -> String {
    match missing {
        [one] => format!("missing property {}", quote(one)),
        _ => format!("missing properties {}", quoted(missing)),
    }
}

/// What one keyword says of a value.
fn words(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let instance = error.instance();
    let length = match instance.as_ref() {
        serde_json::Value::String(text) => text.chars().count(),
        serde_json::Value::Array(items) => items.len(),
        serde_json::Value::Object(map) => map.len(),
        _ => 0,
    };
    let counted = |keyword: &str, limit: u64| {
        format!("{keyword}: got {}, want {}", grouped(&length.to_string()), grouped(&limit.to_string()))
    };
    let measured = |keyword: &str, limit: &serde_json::Value| {
        format!("{keyword}: got {}, want {}", number(instance), number(limit))
    };
    match error.kind() {
        Kind::Type { kind } => format!("got {}, want {}", json_kind(instance), wanted(kind)),
        Kind::Constant { expected_value } => match expected_value.as_ref() {
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => "'const' failed".to_owned(),
            value => format!("value must be {}", display(value)),
        },
        Kind::Enum { options } => {
            let options = options.as_array().map_or(&[][..], Vec::as_slice);
            let plain = options.iter().all(|o| !o.is_array() && !o.is_object());
            let shown: Vec<String> = options.iter().map(display).collect();
            match shown.as_slice() {
                _ if !plain => "'enum' failed".to_owned(),
                [one] => format!("value must be {one}"),
                _ => format!("value must be one of {}", shown.join(", ")),
            }
        }
        Kind::Format { format } => format!("{} is not valid {format}", display(instance)),
        Kind::MinProperties { limit } => counted("minProperties", *limit),
        Kind::MaxProperties { limit } => counted("maxProperties", *limit),
        Kind::MinItems { limit } => counted("minItems", *limit),
        Kind::MaxItems { limit } => counted("maxItems", *limit),
        Kind::MinLength { limit } => counted("minLength", *limit),
        Kind::MaxLength { limit } => counted("maxLength", *limit),
        Kind::Minimum { limit } => measured("minimum", limit),
        Kind::Maximum { limit } => measured("maximum", limit),
        Kind::ExclusiveMinimum { limit } => measured("exclusiveMinimum", limit),
        Kind::ExclusiveMaximum { limit } => measured("exclusiveMaximum", limit),
        Kind::MultipleOf { multiple_of } => {
            format!("multipleOf: got {}, want {multiple_of}", number(instance))
        }
        Kind::Required { property } => required(&[property.as_str().unwrap_or_default().to_owned()]),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("additional properties {} not allowed", quoted(unexpected))
        }
        Kind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", length.saturating_sub(*limit))
        }
        Kind::PropertyNames { error } => {
            format!("invalid propertyName {}", quote(error.instance().as_str().unwrap_or_default()))
        }
        Kind::UniqueItems => {
            let items = instance.as_array().map_or(&[][..], Vec::as_slice);
            let pair = (0..items.len())
                .flat_map(|i| (i + 1..items.len()).map(move |j| (i, j)))
                .find(|(i, j)| items[*i] == items[*j]);
            let (i, j) = pair.unwrap_or_default();
            format!("items at {i} and {j} are equal")
        }
        Kind::Contains => "no items match contains schema".to_owned(),
        Kind::Pattern { pattern } => format!(
            "{} does not match pattern {}",
            quote(instance.as_str().unwrap_or_default()),
            quote(pattern)
        ),
        Kind::Not { .. } => "'not' failed".to_owned(),
        Kind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        Kind::OneOfMultipleValid { context } => {
            let matched: Vec<usize> =
                context.iter().enumerate().filter(|(_, c)| c.is_empty()).map(|(at, _)| at).collect();
            match matched.as_slice() {
                [first, second, ..] => format!("'oneOf' failed, subschemas {first}, {second} matched"),
                _ => "'oneOf' failed".to_owned(),
            }
        }
        Kind::FalseSchema => "false schema".to_owned(),
        _ => error.to_string(),
    }
}

fn json_kind(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "boolean",
        serde_json::Value::Number(_) => "number",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "array",
        serde_json::Value::Object(_) => "object",
    }
}

fn wanted(kind: &TypeKind) -> String {
    const ORDER: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
    };
    let names: Vec<&str> = ORDER.into_iter().filter(|name| names.iter().any(|n| n == name)).collect();
    names.join(" or ")
}

fn display(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => quote(text),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => "value".to_owned(),
        serde_json::Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// A number as an English printer writes it.
fn number(value: &serde_json::Value) -> String {
    let text = value.as_f64().map(|number| number.to_string()).unwrap_or_default();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ")
}

/// Single quotes around Go's `%q`.
fn quote(text: &str) -> String {
    let escaped = super::values::strvals::quote(text);
    let inner = escaped[1..escaped.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{inner}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::values::from_json;
    use crate::value::Origin;

    fn check(schema: &str, values: &str) -> String {
        let json: serde_json::Value = serde_json::from_str(values).expect("json");
        let value = from_json(&json, &Origin::Compiler);
        let schema = Schema::new(schema.as_bytes().into());
        match schema.check(value.as_table().expect("table"), &mut cost::Left::default()) {
            Ok(()) => String::new(),
            Err((text, _)) => text,
        }
    }

    #[test]
    fn words_are_helms() {
        let schema = r#"{"type":"object","required":["a","b"],"additionalProperties":false,"properties":{
            "a":{"type":["integer","null"],"minimum":5000},"b":{"enum":["x","y"]},
            "c":{"properties":{"d":{"type":"string","maxLength":2},"e":{"pattern":"^a"}}},
            "l":{"items":{"type":"string"},"uniqueItems":true}}}"#;
        assert_eq!(check(schema, r#"{"a":6000,"b":"x"}"#), "");
        assert_eq!(check(schema, "{}"), "- at '': missing properties 'a', 'b'");
        assert_eq!(check(schema, r#"{"a":"x","b":"x"}"#), "- at '/a': got string, want null or integer");
        assert_eq!(check(schema, r#"{"a":1,"b":"x"}"#), "- at '/a': minimum: got 1, want 5,000");
        assert_eq!(
            check(schema, r#"{"a":null,"b":"z","z":1}"#),
            "- at '/b': value must be one of 'x', 'y'\n- at '': additional properties 'z' not allowed"
        );
        assert_eq!(
            check(schema, r#"{"a":null,"b":"x","c":{"d":"long","e":"b"}}"#),
            "- at '/c/d': maxLength: got 4, want 2\n- at '/c/e': 'b' does not match pattern '^a'"
        );
        assert_eq!(
            check(schema, r#"{"a":null,"b":"x","l":["a",1]}"#),
            "- at '/l/1': got number, want string"
        );
        assert_eq!(
            check(schema, r#"{"a":null,"b":"x","l":["a","a"]}"#),
            "- at '/l': items at 0 and 1 are equal"
        );
    }

    #[test]
    fn combinations_keep_their_trees() {
        let schema = r##"{"$defs":{"n":{"properties":{"p":{"type":"integer"},"q":{"type":"integer"}}}},
            "properties":{"x":{"$ref":"#/$defs/n"},"y":{"anyOf":[{"type":"string"},{"type":"null"}]},
            "z":{"allOf":[{"minLength":3},{"maxLength":1}]},"w":{"not":{"type":"string"}},
            "o":{"oneOf":[{"minimum":1},{"minimum":2},{"minimum":9}]}}}"##;
        assert_eq!(check(schema, r#"{"x":{"p":"a"}}"#), "- at '/x/p': got string, want integer");
        assert_eq!(
            check(schema, r#"{"w":"s","x":{"p":"a","q":"b"}}"#),
            "- at '/w': 'not' failed\n- at '/x': validation failed\n  - at '/x/p': got string, want integer\n  - at '/x/q': got string, want integer"
        );
        assert_eq!(
            check(schema, r#"{"y":1}"#),
            "- at '/y': 'anyOf' failed\n  - at '/y': got number, want string\n  - at '/y': got number, want null"
        );
        assert_eq!(
            check(schema, r#"{"z":"ab"}"#),
            "- at '/z': 'allOf' failed\n  - at '/z': minLength: got 2, want 3\n  - at '/z': maxLength: got 2, want 1"
        );
        assert_eq!(check(schema, r#"{"w":"s"}"#), "- at '/w': 'not' failed");
        assert_eq!(check(schema, r#"{"o":2}"#), "- at '/o': 'oneOf' failed, subschemas 0, 1 matched");
    }

    /// Forty definitions, each of the next one twice.
    fn doubling(applicator: &str) -> String {
        let one = |at: usize| {
            let next = format!(r##"{{"$ref":"#/$defs/d{}"}}"##, at + 1);
            format!(r#""d{at}":{{"{applicator}":[{next},{next}]}}"#)
        };
        let each: Vec<String> = (0..40).map(one).collect();
        format!(r##"{{"$defs":{{{},"d40":{{"type":"string"}}}},"$ref":"#/$defs/d0"}}"##, each.join(","))
    }

    #[test]
    fn a_schema_that_takes_for_ever_is_refused_by_the_name_of_its_limit() {
        for applicator in ["allOf", "anyOf", "oneOf"] {
            let said = check(&doubling(applicator), r#"{"a":1}"#);
            assert_eq!(said, "the schema takes more than 1 million steps to check these values");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
        for schema in [
            r##"{"properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}},"required":["z"]}"##,
            r##"{"$dynamicAnchor":"n","properties":{"a":{"allOf":[{"$dynamicRef":"#n"},{"$dynamicRef":"#n"}]}}}"##,
            r#"{"$id":"https://e.org/s","properties":{"a":{"not":{"$ref":"s"},"if":{"$ref":"https://e.org/s"}}}}"#,
            r##"{"additionalProperties":{"$ref":"#"},"unevaluatedProperties":{"$ref":"#"}}"##,
        ] {
            assert!(check(schema, &deep).contains("1 million steps"), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_is_slow_to_make_ready_is_refused() {
        let many = |of: &str, count: usize| vec![of; count].join(",");
        // Values that keep such a schema need no validator.
        let wide = format!(r#"{{"required":["a"],"allOf":[{}]}}"#, many("{}", 10_001));
        let references = format!(r#"{{"enum":[{}]}}"#, many(r##"{"$ref":"#"}"##, 10_001));
        for schema in [wide, references] {
            assert!(check(&schema, "{}").contains("more than 10,000 references"), "{}", &schema[..20]);
        }
        let large = format!(r#"{{"enum":[{}]}}"#, many("[]", 100_000));
        assert_eq!(check(&large, "{}"), "the schema is made of more than 100,000 objects and lists");
        // What is not evaluated is looked for again and again.
        let values: Vec<String> = (0..400).map(|at| format!(r#""a{at}":1"#)).collect();
        let values = format!("{{{}}}", values.join(","));
        let unevaluated = format!(
            r#"{{"unevaluatedProperties":false,"allOf":[{}]}}"#,
            many(r#"{"properties":{"a":true}}"#, 50)
        );
        assert!(check(&unevaluated, &values).contains("1 million steps"));
        assert!(check(&unevaluated, r#"{"a":1}"#).is_empty());
    }

    #[test]
    fn the_schemas_of_all_charts_have_one_allowance() {
        struct Chart(String, Schema, Vec<Chart>);
        impl Validated for Chart {
            fn name(&self) -> &str {
                &self.0
            }
            fn schema(&self) -> Option<&Schema> {
                Some(&self.1)
            }
            fn children(&self) -> &[Self] {
                &self.2
            }
        }
        // 131,000 visits.
        let slow = doubling("allOf").replacen(r##"{"$ref":"#/$defs/d0"}"##, "", 1);
        let slow = slow.replace(r##""$ref":"#/$defs/d0"}"##, r##""$ref":"#/$defs/d24"}"##);
        let slow = Schema::new(slow.replace("string", "object").into_bytes().into());
        let chart = |count: usize| {
            let one = |at: usize| Chart(format!("c{at}"), slow.clone(), Vec::new());
            Chart("c".to_owned(), Schema::new(b"{}".as_slice().into()), (0..count).map(one).collect())
        };
        let values: Vec<String> = (0..40).map(|at| format!(r#""c{at}":{{}}"#)).collect();
        let json = serde_json::from_str(&format!("{{{}}}", values.join(","))).expect("json");
        let value = from_json(&json, &Origin::Compiler);
        let table = value.as_table().expect("table");
        assert_eq!(validate(&chart(2), table), Ok(()));
        let failure = validate(&chart(40), table).expect_err("too much");
        assert!(failure.text.contains("1 million steps"), "{}", failure.text);
    }

    #[test]
    fn a_draft_that_is_none_is_refused() {
        for uri in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/schema", "urn:x"] {
            assert_eq!(check(&format!(r#"{{"$schema":"{uri}"}}"#), "{}"), "", "{uri}");
        }
        for uri in ["http://json-schema.org/draft-7/schema", "json-schema.org/draft-07/schema", "nope", "#"] {
            let said = check(&format!(r#"{{"$schema":"{uri}"}}"#), "{}");
            assert!(said.starts_with("failing loading"), "{uri}: {said}");
        }
    }

    #[test]
    fn a_schema_may_be_false() {
        assert_eq!(check("false", "{}"), "- at '': false schema");
    }

    #[test]
    fn more_errors_than_memory_can_hold_are_not_told() {
        let wide: Vec<String> = (0..120_000).map(|at| at.to_string()).collect();
        let values = format!(r#"{{"a":[{}]}}"#, wide.join(","));
        let schema =
            r#"{"properties":{"a":{"items":{"allOf":[{"anyOf":[{"type":"string"},{"type":"null"}]}]}}}}"#;
        assert!(
            check(schema, &values).starts_with("the values break the schema in more ways than can be told")
        );
        assert_eq!(check(&schema.replace("null", "number"), &values), "");
    }

    #[test]
    fn a_schema_of_itself_is_no_fault() {
        assert_eq!(check(r##"{"$ref":"#"}"##, r#"{"a":1}"#), "");
        let tree = r##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##;
        assert_eq!(check(tree, r#"{"a":{"a":{}}}"#), "");
        assert_eq!(check(tree, r#"{"a":{"b":{}}}"#), "- at '/a': additional properties 'b' not allowed");
    }

    #[test]
    fn nothing_is_fetched_and_names_mean_anything() {
        assert!(
            check(r#"{"$ref":"https://example.org/x.json"}"#, "{}").contains("https://example.org/x.json")
        );
        assert_eq!(check(r#"{"properties":{"a":{"$ref":"urn:x:y"}}}"#, r#"{"a":1}"#), "");
        assert!(check("{", "{}").starts_with("invalid schema"));
        assert!(check(r#"{"type":"nonsense"}"#, "{}").contains("is not valid against metaschema"));
    }
}
