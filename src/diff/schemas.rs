//! What changes in the schema of a custom resource definition, told as fields of its resources.
//!
//! A new version of a chart brings thousands of changed lines of schemas, most of them descriptions. A reviewer wants to
//! know which fields come, go, or mean something else.

use super::FieldChange;
use crate::value::{Path, Segment, Value};
use std::fmt::Write as _;

/// A part of a definition's schema.
struct Place<'a> {
    /// The version that it belongs to: `v1`.
    version: &'a str,
    /// The field of the resource: `spec.foo[].bar`; empty for the resource itself.
    field: String,
    /// What is said of it: `type`, `default`; empty for all of it.
    keyword: String,
}

/// Writes the changes of schemas as changes of fields; the others are handed to `other`.
pub(super) fn text(out: &mut String, changes: &[FieldChange], other: impl Fn(&mut String, &FieldChange)) {
    let mut descriptions = 0;
    for change in changes {
        let Some(Place { version, field, keyword }) = place(&change.path) else {
            other(out, change);
            continue;
        };
        let field = if field.is_empty() { "the resource" } else { field.as_str() };
        match (keyword.as_str(), &change.before, &change.after) {
            ("description", ..) => descriptions += 1,
            ("", None, Some(after)) => {
                let _ = writeln!(out, "      + {version} {field}{}", of_type(after));
            }
            ("", Some(before), None) => {
                let _ = writeln!(out, "      - {version} {field}{}", of_type(before));
            }
            _ => {
                let path = format!("{version} {field}: {keyword}");
                other(out, &FieldChange { path, ..change.clone() });
            }
        }
    }
    match descriptions {
        0 => {}
        1 => out.push_str("      one description of a field differs\n"),
        count => {
            let _ = writeln!(out, "      {count} descriptions of fields differ");
        }
    }
}

/// ` (string)`, where the schema says so.
fn of_type(schema: &Value) -> String {
    let Value::Map(map) = schema else { return String::new() };
    let kind = map.get("type").and_then(|entry| entry.node.as_str());
    let kind = kind.or_else(|| map.contains_key("x-kubernetes-int-or-string").then_some("integer or string"));
    kind.map_or(String::new(), |kind| format!(" ({kind})"))
}

fn place(path: &str) -> Option<Place<'_>> {
    let (version, rest) = path.strip_prefix("spec.versions[name=")?.split_once(']')?;
    let rest = rest.strip_prefix(".schema.openAPIV3Schema")?;
    // Items that are told by a key (`[name=x]`) are no path that can be read, and no field either.
    let keyed = rest.find('=').and_then(|at| rest[..at].rfind('['));
    let (readable, keyed) = rest.split_at(keyed.unwrap_or(rest.len()));
    let path = Path::parse(readable.strip_prefix('.').unwrap_or(readable))?;
    let mut field = Path::default().to_string();
    let mut steps = path.segments();
    loop {
        match steps {
            [Segment::Key(word), name @ Segment::Key(_), rest @ ..] if **word == *"properties" => {
                if !field.is_empty() && !matches!(name, Segment::Key(key) if key.contains('.')) {
                    field.push('.');
                }
                field += &Path::from(vec![name.clone()]).to_string();
                steps = rest;
            }
            [Segment::Key(word), rest @ ..] if **word == *"items" => {
                field += "[]";
                steps = rest;
            }
            [Segment::Key(word), rest @ ..] if **word == *"additionalProperties" => {
                field += ".*";
                steps = rest;
            }
            rest => {
                let keyword = Path::from(rest.to_vec()).to_string() + keyed;
                return Some(Place { version, field, keyword });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Map, Origin};

    #[test]
    fn places_are_fields_of_the_resource() {
        let told = |path: &str| {
            place(path).map(|place| format!("{} {} {}", place.version, place.field, place.keyword))
        };
        let of = |rest: &str| told(&format!("spec.versions[name=v1].schema.openAPIV3Schema{rest}"));
        assert_eq!(of("").as_deref(), Some("v1  "));
        assert_eq!(of(".properties.spec.properties.foo").as_deref(), Some("v1 spec.foo "));
        assert_eq!(of(".properties.spec.items.properties.a.type").as_deref(), Some("v1 spec[].a type"));
        assert_eq!(of(".properties.a.additionalProperties.maximum").as_deref(), Some("v1 a.* maximum"));
        assert_eq!(of(".properties.a.required[2]").as_deref(), Some("v1 a required[2]"));
        assert_eq!(of(".properties.a.oneOf[name=x].type").as_deref(), Some("v1 a oneOf[name=x].type"));
        assert_eq!(of(".properties[\"a.b\"].type").as_deref(), Some("v1 [\"a.b\"] type"));
        assert_eq!(told("spec.versions[name=v1].served"), None);
    }

    #[test]
    fn a_reviewer_sees_fields_and_no_descriptions() {
        let root = "spec.versions[name=v1].schema.openAPIV3Schema.properties.spec";
        let change = |path: &str, before: Option<Value>, after: Option<Value>| FieldChange {
            path: format!("{root}{path}"),
            before,
            after,
        };
        let text_value = |text: &str| Some(Value::from(text));
        let schema =
            Value::from_json(&serde_json::json!({"type": "string", "description": "x"}), &Origin::Compiler);
        let whole = FieldChange { path: "metadata.labels.a".into(), before: None, after: text_value("b") };
        let changes = [
            whole,
            change(".properties.new", None, Some(schema)),
            change(".properties.old", Some(Value::Map(Map::default())), None),
            change(".properties.size.maximum", Some(Value::from(3)), Some(Value::from(5))),
            change(".description", text_value("a"), text_value("b")),
            change(".properties.size.description", text_value("a"), text_value("b")),
        ];
        let mut out = String::new();
        text(&mut out, &changes, |out, change| {
            let _ = writeln!(out, "      {}", change.path);
        });
        let wanted = "      metadata.labels.a
      + v1 spec.new (string)
      - v1 spec.old
      v1 spec.size: maximum
      2 descriptions of fields differ
";
        assert_eq!(out, wanted);
    }
}
