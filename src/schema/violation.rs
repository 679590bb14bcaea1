//! What an input violates, in words of our own and at the place in the overlay.
//!
//! The validator says which keyword failed where; the facts for the message are taken from the schema's own tree
//! and from the input's.

use super::{Holder, noun, own_types, parts, wanted};
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::source::Span;
use crate::value::{Entry, Node, Number, Origin, OriginKind, Path, Segment, Value};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use std::sync::Arc;

/// Collects the findings about one input.
pub(super) struct Violations<'a> {
    root: &'a Node,
    input: &'a Node,
    holder: Holder<'a>,
    found: Vec<(usize, Diagnostic)>,
}

/// A place in the input.
struct Spot<'a> {
    path: Path,
    node: &'a Node,
    /// The entry that holds it, where it is a member.
    entry: Option<&'a Entry>,
    /// Its rank in the order of the input.
    rank: usize,
}

impl<'a> Violations<'a> {
    pub(super) fn new(root: &'a Node, input: &'a Node, holder: Holder<'a>) -> Self {
        Self { root, input, holder, found: Vec::new() }
    }

    /// The findings in the order of the input, each once.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(rank, _)| *rank);
        let mut all: Vec<Diagnostic> = Vec::new();
        for (_, finding) in self.found {
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
        all
    }

    /// Integers beyond 64 bits with a sign, which expressions do not have.
    pub(super) fn large_integers(&mut self) {
        let mut large = Vec::new();
        self.input.each_leaf(&mut |path, node| {
            if let Value::Number(Number::Uint(number)) = node.value {
                large.push((path.clone(), number));
            }
        });
        for (path, number) in large {
            let spot = self.walk(path.segments());
            let message =
                format!("{} is {number}, which does not fit a signed integer of 64 bits", self.named(&path));
            let finding = Diagnostic::error(codes::INVALID_VALUE, message);
            let finding = finding.at(place(spot.node), "").help("write it in quotes if it is text");
            self.found.push((spot.rank, finding));
        }
    }

    /// Adds what one error of the validator means.
    pub(super) fn add(&mut self, error: &ValidationError<'_>) {
        let spot = self.spot(error.instance_path().as_str());
        let schema = self.holder(error);
        let own = spot.rank;
        for finding in self.findings(error, &spot, schema) {
            let rank =
                finding.primary.as_ref().and_then(|label| self.rank_of(&spot, label.span)).unwrap_or(own);
            self.found.push((rank, finding));
        }
    }

    /// `` `replicas` of the instance `shop` ``, or the input itself.
    fn named(&self, path: &Path) -> String {
        let what = self.holder.what;
        if path.is_empty() { what.to_owned() } else { format!("`{path}` of {what}") }
    }

    fn spot(&self, pointer: &str) -> Spot<'a> {
        let steps: Vec<Segment> = super::steps(pointer).map(|step| Segment::Key(step.into())).collect();
        self.walk(&steps)
    }

    /// Walks as far as the steps lead; keys that count items are indices.
    fn walk(&self, steps: &[Segment]) -> Spot<'a> {
        let mut spot = Spot { path: Path::default(), node: self.input, entry: None, rank: 0 };
        for step in steps {
            let text = match step {
                Segment::Key(key) => Arc::clone(key),
                Segment::Index(index) => index.to_string().into(),
            };
            match &spot.node.value {
                Value::Map(map) => {
                    let Some(entry) = map.get(&text) else { return spot };
                    let before = map.iter().take_while(|(key, _)| **key != text);
                    spot.rank += 1 + before.map(|(_, entry)| size(&entry.node)).sum::<usize>();
                    spot.path.push(Segment::Key(text));
                    spot.node = &entry.node;
                    spot.entry = Some(entry);
                }
                Value::List(items) => {
                    let Some((index, item)) =
                        text.parse::<usize>().ok().and_then(|index| Some((index, items.get(index)?)))
                    else {
                        return spot;
                    };
                    spot.rank += 1 + items.iter().take(index).map(size).sum::<usize>();
                    spot.path.push(Segment::Index(index));
                    spot.node = item;
                    spot.entry = None;
                }
                _ => return spot,
            }
        }
        spot
    }

    /// The rank of the member whose key a finding underlines.
    fn rank_of(&self, spot: &Spot<'a>, place: Span) -> Option<usize> {
        let map = spot.node.as_map()?;
        let (key, _) = map.iter().find(|(_, entry)| entry.key.span() == Some(place))?;
        let mut path = spot.path.clone();
        path.push(Segment::Key(Arc::clone(key)));
        Some(self.walk(path.segments()).rank)
    }

    /// The schema that holds the keyword which failed.
    fn holder(&self, error: &ValidationError<'_>) -> &'a Node {
        let pointer = error.schema_path().as_str();
        let own = pointer.rsplit_once('/').map_or("", |(holder, _)| holder);
        super::pointer(self.root, own).unwrap_or(self.root)
    }

    fn findings(&self, error: &ValidationError<'_>, spot: &Spot<'a>, schema: &'a Node) -> Vec<Diagnostic> {
        let name = self.named(&spot.path);
        let invalid = |message: String| {
            let finding = Diagnostic::error(codes::INVALID_VALUE, message).at(place(spot.node), "");
            vec![with_origin(described(finding, schema), spot.node)]
        };
        let shown = shown(spot.node);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().map(|key| self.unknown_key(key, spot, schema)).collect()
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                vec![self.missing(key, spot, schema)]
            }
            Kind::Type { .. } => vec![self.wrong_type(spot, schema)],
            Kind::Enum { .. } => {
                let allowed = schema.get("enum").and_then(Node::as_list).unwrap_or_default();
                vec![self.not_allowed(spot, schema, allowed)]
            }
            Kind::Constant { .. } => {
                let allowed = schema.get("const").map(std::slice::from_ref).unwrap_or_default();
                vec![self.not_allowed(spot, schema, allowed)]
            }
            Kind::Minimum { limit } => invalid(format!("{name} is {shown}, less than the least, {limit}")),
            Kind::Maximum { limit } => invalid(format!("{name} is {shown}, more than the most, {limit}")),
            Kind::ExclusiveMinimum { limit } => {
                invalid(format!("{name} is {shown}, and has to be more than {limit}"))
            }
            Kind::ExclusiveMaximum { limit } => {
                invalid(format!("{name} is {shown}, and has to be less than {limit}"))
            }
            Kind::MultipleOf { multiple_of } => {
                invalid(format!("{name} is {shown}, and has to be a multiple of {multiple_of}"))
            }
            Kind::MinLength { limit: 1 } => invalid(format!("{name} is empty")),
            Kind::MinLength { limit } => invalid(format!("{name} has fewer than {limit} characters")),
            Kind::MaxLength { limit } => invalid(format!("{name} has more than {limit} characters")),
            Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
                invalid(format!("{name} is empty"))
            }
            Kind::MinItems { limit } => invalid(format!("{name} has fewer than {limit} items")),
            Kind::MaxItems { limit } => invalid(format!("{name} has more than {limit} items")),
            Kind::MinProperties { limit } => invalid(format!("{name} has fewer than {limit} keys")),
            Kind::MaxProperties { limit } => invalid(format!("{name} has more than {limit} keys")),
            Kind::UniqueItems => vec![self.duplicate(spot)],
            Kind::Pattern { pattern } => {
                invalid(format!("{name} is {shown}, which does not match `{pattern}`"))
            }
            Kind::Format { format } => {
                let noun = format_noun(format);
                invalid(format!("{name} is {shown}, which is no {noun}"))
            }
            Kind::PropertyNames { error } => vec![self.bad_key(error, spot, schema)],
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.alternatives(context, spot, schema)
            }
            Kind::OneOfMultipleValid { .. } => {
                invalid(format!("{name} fits several of its forms, and has to fit exactly one"))
            }
            Kind::Not { .. } | Kind::FalseSchema => {
                let forbidden = schema.get("not");
                let finding = Diagnostic::error(
                    codes::INVALID_VALUE,
                    match spot.node.value {
                        Value::Map(_) | Value::List(_) => format!("{name} cannot be like this"),
                        _ => format!("{name} cannot be {shown}"),
                    },
                );
                let finding = described(finding.at(place(spot.node), ""), forbidden.unwrap_or(schema));
                vec![with_origin(described(finding, schema), spot.node)]
            }
            Kind::Contains => invalid(format!("{name} lacks an item that it has to have")),
            Kind::AdditionalItems { limit } => invalid(format!("{name} has more than {limit} items")),
            Kind::UnevaluatedItems { .. } => invalid(format!("{name} has items that mean nothing")),
            other => invalid(format!("{name} is refused by `{}` of its schema", other.keyword())),
        }
    }

    fn unknown_key(&self, key: &str, spot: &Spot<'a>, schema: &'a Node) -> Diagnostic {
        let place = spot.node.as_map().and_then(|map| map.get(key)).and_then(|entry| entry.key.span());
        let mut known: Vec<&str> = Vec::new();
        for part in parts(self.root, schema) {
            known.extend(
                part.get("properties")
                    .and_then(Node::as_map)
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.as_ref()),
            );
        }
        let finding = Diagnostic::error(
            codes::UNKNOWN_KEY,
            format!("unknown key `{key}` in {}", self.named(&spot.path)),
        )
        .at(place.or_else(|| spot.node.span()), "");
        let finding = match key {
            "true" | "false" => finding.help(
                "YAML reads `on`, `off`, `y` and `n` as booleans, also as keys: write the key in quotes",
            ),
            _ => finding,
        };
        let Some((who, also)) = self.holder.also.filter(|_| spot.path.is_empty()) else {
            return suggest(finding, key, &known, "its keys are", "it has no keys");
        };
        let also: Vec<&str> = also.iter().copied().filter(|also| !known.contains(also)).collect();
        let near = did_you_mean(key, known.iter().chain(&also).copied());
        let finding = match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        };
        let own = if known.is_empty() { String::new() } else { format!("{}; and ", listed(&known)) };
        finding.help(format!("its keys are {own}those of {who}: {}", listed(&also)))
    }

    fn missing(&self, key: &str, spot: &Spot<'a>, schema: &'a Node) -> Diagnostic {
        let place = spot.entry.and_then(|entry| entry.key.span()).or_else(|| spot.node.span());
        let property = parts(self.root, schema)
            .into_iter()
            .find_map(|part| part.get("properties").and_then(|properties| properties.get(key)));
        let message = format!("`{}` of {} is missing", spot.path.key(key), self.holder.what);
        let mut finding =
            Diagnostic::error(codes::MISSING_INPUT, message).at(place, format!("`{key}` is not set here"));
        let example = property.and_then(|property| self.example(property));
        if let Some(property) = property {
            finding = described_by(finding, &parts(self.root, property));
        }
        // a key that is nearly the one that is missing is reported as unknown too: say so here
        let near = spot.node.as_map().and_then(|map| did_you_mean(key, map.keys().map(AsRef::as_ref)));
        match (near, example) {
            (Some(near), _) if !self.knows(schema, near) => {
                finding.help(format!("rename `{near}` to `{key}`"))
            }
            (_, Some(example)) => finding.help(format!("write it, such as `{key}: {example}`")),
            (_, None) => finding.help(format!("write `{key}: ...`")),
        }
    }

    fn knows(&self, schema: &Node, key: &str) -> bool {
        parts(self.root, schema).iter().any(|part| part.get("properties").and_then(|p| p.get(key)).is_some())
    }

    /// A value that fits, in flow style.
    fn example(&self, schema: &Node) -> Option<String> {
        let parts = parts(self.root, schema);
        let first = |key: &str| {
            parts.iter().find_map(|part| part.get(key).and_then(Node::as_list).and_then(<[Node]>::first))
        };
        first("examples")
            .or_else(|| first("enum"))
            .map(|node| node.to_json().to_string())
            .filter(|text| text.len() < 120)
            .map(|text| match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(word) if is_plain(word) => word.to_owned(),
                _ => text,
            })
    }

    fn wrong_type(&self, spot: &Spot<'a>, schema: &'a Node) -> Diagnostic {
        let types = own_types(schema).unwrap_or_default();
        self.not_of_type(spot, &types, schema)
    }

    fn not_of_type(&self, spot: &Spot<'a>, types: &[&str], schema: &'a Node) -> Diagnostic {
        let value = &spot.node.value;
        let message = format!("{} is {}, not {}", self.named(&spot.path), noun(value), wanted(types));
        let finding = Diagnostic::error(codes::WRONG_TYPE, message).at(place(spot.node), "");
        let finding = with_origin(described(finding, schema), spot.node);
        let wants = |name: &str| types.contains(&name);
        match value {
            Value::Null => finding.help("give it a value, or remove the key"),
            Value::String(text) if wants("integer") && text.parse::<i64>().is_ok() => {
                finding.help(format!("remove the quotes: {text}"))
            }
            Value::String(text) if wants("number") && text.parse::<f64>().is_ok_and(f64::is_finite) => {
                finding.help(format!("remove the quotes: {text}"))
            }
            Value::String(text) if wants("boolean") => match text.as_ref() {
                "true" | "false" => finding.help(format!("remove the quotes: {text}")),
                _ => finding.help("write `true` or `false`"),
            },
            Value::Bool(_) if wants("string") => {
                finding.help("YAML reads `on`, `yes`, `y` and the like as booleans: write the word in quotes")
            }
            Value::Number(_) if wants("string") => finding.help("write it in quotes"),
            Value::Number(Number::Float(_)) if wants("integer") => finding.help("write a whole number"),
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Map(_) if wants("array") => {
                finding.help("write a list: a `-` before each item, or `[...]`")
            }
            Value::List(_) if wants("object") => {
                finding.help("write a map: `key: value`; a collection is keyed by the names of its members")
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) if wants("object") => {
                finding.help("write a map: `key: value` on lines of their own, or `{key: value}`")
            }
            _ => finding,
        }
    }

    fn not_allowed(&self, spot: &Spot<'a>, schema: &'a Node, allowed: &[Node]) -> Diagnostic {
        let message = format!("{} cannot be {}", self.named(&spot.path), shown(spot.node));
        let finding = Diagnostic::error(codes::INVALID_VALUE, message).at(place(spot.node), "");
        let finding = with_origin(described(finding, schema), spot.node);
        let texts: Vec<String> = allowed.iter().map(plain_text).collect();
        let words: Vec<&str> = texts.iter().map(String::as_str).collect();
        if matches!(spot.node.value, Value::Bool(_)) && allowed.iter().any(|node| node.as_str().is_some()) {
            let finding =
                finding.help("YAML reads `on`, `off`, `yes` and `no` as booleans: write the word in quotes");
            return finding.help(format!("it can be {}", listed(&words)));
        }
        let word = plain_text(spot.node);
        suggest(finding, &word, &words, "it can be", "nothing is possible here")
    }

    fn duplicate(&self, spot: &Spot<'a>) -> Diagnostic {
        let items = spot.node.as_list().unwrap_or_default();
        let pair = items.iter().enumerate().find_map(|(index, item)| {
            items[..index].iter().find(|earlier| *earlier == item).map(|earlier| (earlier, item))
        });
        let (earlier, item) = pair.unwrap_or((spot.node, spot.node));
        let message = format!("{} has {} twice", self.named(&spot.path), shown(item));
        Diagnostic::error(codes::INVALID_VALUE, message)
            .at(place(item), "again")
            .related(place(earlier), "first here")
            .help("remove one of them")
    }

    fn bad_key(&self, error: &ValidationError<'_>, spot: &Spot<'a>, schema: &'a Node) -> Diagnostic {
        let key = error.instance().as_str().unwrap_or_default().to_owned();
        let place =
            spot.node.as_map().and_then(|map| map.get(key.as_str())).and_then(|entry| entry.key.span());
        let holder = self.named(&spot.path);
        let reason = match error.kind() {
            Kind::Pattern { pattern } => format!("does not match `{pattern}`"),
            Kind::MaxLength { limit } => format!("has more than {limit} characters"),
            Kind::MinLength { limit } => format!("has fewer than {limit} characters"),
            Kind::Enum { .. } => "is none of those that are possible".to_owned(),
            Kind::Format { format } => format!("is no {}", format_noun(format)),
            Kind::Not { .. } => "is not allowed".to_owned(),
            other => format!("is refused by `{}` of the schema", other.keyword()),
        };
        let finding =
            Diagnostic::error(codes::INVALID_VALUE, format!("the key `{key}` of {holder} {reason}"))
                .at(place.or_else(|| spot.node.span()), "");
        match error.kind() {
            Kind::Enum { options } => {
                let known: Vec<&str> =
                    options.as_array().into_iter().flatten().filter_map(|v| v.as_str()).collect();
                suggest(finding, &key, &known, "its keys can be", "it can have no keys")
            }
            _ => described(finding, schema.get("propertyNames").unwrap_or(schema)),
        }
    }

    /// `anyOf` and `oneOf`: where the type decides, the types; else what is wrong with the form that comes nearest.
    fn alternatives(
        &self,
        context: &[Vec<ValidationError<'static>>],
        spot: &Spot<'a>,
        schema: &'a Node,
    ) -> Vec<Diagnostic> {
        let own = |error: &&ValidationError<'_>| self.spot(error.instance_path().as_str()).path == spot.path;
        let mut types: Vec<&str> = Vec::new();
        let mut nearest: Option<(usize, &Vec<ValidationError<'static>>)> = None;
        for errors in context {
            let of_type = errors.iter().filter(own).find(|error| matches!(error.kind(), Kind::Type { .. }));
            if let Some(error) = of_type {
                types.extend(own_types(self.holder(error)).unwrap_or_default());
                continue;
            }
            // a form that another constant marks is not meant
            let marked = errors.iter().filter(|error| matches!(error.kind(), Kind::Constant { .. })).count();
            let weight = errors.len() + 100 * marked;
            if nearest.is_none_or(|(least, _)| weight < least) {
                nearest = Some((weight, errors));
            }
        }
        match nearest {
            None => {
                types.dedup();
                vec![self.not_of_type(spot, &types, schema)]
            }
            Some((_, errors)) => {
                let several = context.len() > 1;
                let mut found = Vec::new();
                for error in errors {
                    let inner = self.spot(error.instance_path().as_str());
                    found.extend(self.findings(error, &inner, self.holder(error)));
                }
                if several {
                    let name = self.named(&spot.path);
                    found = found
                        .into_iter()
                        .map(|finding| {
                            finding.note(format!("{name} has several forms; this is about the nearest"))
                        })
                        .collect();
                }
                found
            }
        }
    }
}

/// The place that a user would edit.
fn place(node: &Node) -> Option<Span> {
    node.origin.editable().or_else(|| node.span())
}

/// Says so where a value is a default.
fn with_origin(finding: Diagnostic, node: &Node) -> Diagnostic {
    match &node.origin {
        Origin::Link(link) if matches!(link.as_ref(), OriginKind::Default { .. }) => {
            finding.note("the value is the schema's own default")
        }
        _ => finding,
    }
}

fn described(finding: Diagnostic, schema: &Node) -> Diagnostic {
    described_by(finding, &[schema])
}

/// Adds the schema's own words.
fn described_by(finding: Diagnostic, parts: &[&Node]) -> Diagnostic {
    match parts.iter().find_map(|part| part.get("description").and_then(Node::as_str)) {
        Some(text) => finding.note(text.trim()),
        None => finding,
    }
}

fn suggest(finding: Diagnostic, word: &str, known: &[&str], lead: &str, none: &str) -> Diagnostic {
    if known.is_empty() {
        return finding.help(none);
    }
    let near = did_you_mean(word, known.iter().copied());
    let finding = match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    };
    finding.help(format!("{lead} {}", listed(known)))
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A value for a message: strings in quotes, collections by their kind.
fn shown(node: &Node) -> String {
    match &node.value {
        Value::List(_) | Value::Map(_) => noun(&node.value),
        Value::Number(Number::Float(number)) => number.to_string(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("\"{}...\"", text.chars().take(57).collect::<String>())
        }
        _ => node.to_json().to_string(),
    }
}

fn plain_text(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.to_string(),
        _ => shown(node),
    }
}

fn is_plain(word: &str) -> bool {
    let first = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    first
        && !reserved.contains(&word.to_ascii_lowercase().as_str())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@'))
}

fn format_noun(format: &str) -> String {
    match format {
        "ipv4" => "IPv4 address".to_owned(),
        "ipv6" => "IPv6 address".to_owned(),
        "email" => "mail address".to_owned(),
        "hostname" => "host name".to_owned(),
        "uri" => "URI".to_owned(),
        "uuid" => "UUID".to_owned(),
        "date-time" => "date and time, such as `2026-01-31T12:00:00Z`".to_owned(),
        "duration" => "duration of ISO 8601, such as `PT1H`".to_owned(),
        other => other.to_owned(),
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Map(map) => map.values().map(|entry| size(&entry.node)).sum(),
        Value::List(items) => items.iter().map(size).sum(),
        _ => 0,
    }
}
