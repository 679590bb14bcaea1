//! The head of a manifest: enough of it to sort it, and proof that the rest is YAML.

use crate::helm::profile::Profile;
use crate::helm::values::read::go_words;
use crate::yaml::{self, Builder, Composer, Extent, Options, Parser};
use std::borrow::Cow;

/// The annotation that makes a hook.
const HOOK: &str = "helm.sh/hook";

/// What Helm decodes of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// The value of the annotation `helm.sh/hook`, where it is there.
    pub hook: Option<String>,
}

impl Head {
    /// Reads the first document of a manifest; the error is Go's.
    ///
    /// Numbers and booleans become text where a field is text; a list or map there, or a text where a map belongs,
    /// is an error (sigs.k8s.io/yaml 1.6 into helm's `SimpleHead`).
    pub fn read(manifest: &[u8], profile: &Profile) -> Result<Self, String> {
        let document = Composer::new(Parser::from_bytes(manifest), Options::LENIENT)
            .next_document(&mut Heads)
            .map_err(|error| go_words(&error))?;
        let Some(document) = document else { return Ok(Self::default()) };
        let mut head = Self::default();
        match document.value {
            Part::Null => {}
            Part::Map(members) => {
                for (field, value) in members {
                    head.set(field, value).map_err(|words| {
                        format!(
                            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {words}"
                        )
                    })?;
                }
            }
            other => {
                let kind = other.kind();
                return Err(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of \
                     type {}",
                    profile.head_type
                ));
            }
        }
        Ok(head)
    }

    fn set(&mut self, field: Field, value: Part) -> Result<(), String> {
        let text = |value: Part, name: &str| match value {
            Part::Null => Ok(String::new()),
            Part::Text(text) | Part::Bool(text) | Part::Number(text) => Ok(text),
            other => Err(format!("{} into Go struct field SimpleHead.{name} of type string", other.kind())),
        };
        let wrong = |value: &Part, name: &str, kind: &str| {
            Err(format!("{} into Go struct field .{name} of type {kind}", value.kind()))
        };
        match field {
            Field::ApiVersion => self.api_version = text(value, "apiVersion")?,
            Field::Kind => self.kind = text(value, "kind")?,
            Field::Metadata => match value {
                Part::Null => {}
                Part::Map(members) => {
                    for (field, value) in members {
                        self.set(field, value)?;
                    }
                }
                other => {
                    return wrong(
                        &other,
                        "metadata",
                        "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }",
                    );
                }
            },
            Field::Name => self.name = text(value, "metadata.name")?,
            Field::Annotations => match value {
                Part::Null => {}
                Part::Map(members) => {
                    for (field, value) in members {
                        let value = text(value, "metadata.annotations")?;
                        if field == Field::Hook {
                            self.hook = Some(value);
                        }
                    }
                }
                other => return wrong(&other, "metadata.annotations", "map[string]string"),
            },
            Field::Hook | Field::Other => {}
        }
        Ok(())
    }
}

/// The fields that matter, by name alone: where a name stands is seen when it is used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Field {
    ApiVersion,
    Kind,
    Metadata,
    Name,
    Annotations,
    Hook,
    Other,
}

/// A value, no more of it than is needed.
enum Part {
    Null,
    Bool(String),
    Number(String),
    Text(String),
    List,
    Map(Vec<(Field, Part)>),
}

impl Part {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List => "array",
            Self::Map(_) => "object",
        }
    }
}

struct Heads;

impl Builder for Heads {
    type Value = Part;
    type List = ();
    type Map = Vec<(Field, Part)>;

    fn scalar(&mut self, data: yaml::Data<'_>, _at: Extent) -> Part {
        match data {
            yaml::Data::Null => Part::Null,
            yaml::Data::Bool(truth) => Part::Bool(if truth { "true" } else { "false" }.to_owned()),
            yaml::Data::Int(number) => Part::Number(number.to_string()),
            yaml::Data::Uint(number) => Part::Number(number.to_string()),
            yaml::Data::Float(number) => Part::Number(number.to_string()),
            yaml::Data::String(text) => Part::Text(text.into_owned()),
        }
    }

    fn list(&mut self) {}

    fn item(&mut self, (): &mut (), _value: Part) {}

    fn end_list(&mut self, (): (), _at: Extent) -> Part {
        Part::List
    }

    fn map(&mut self) -> Self::Map {
        Vec::new()
    }

    fn member(&mut self, map: &mut Self::Map, key: Cow<'_, str>, _at: Extent, value: Part) -> Option<Extent> {
        let field = match key.as_ref() {
            HOOK => Field::Hook,
            key if key.eq_ignore_ascii_case("apiVersion") => Field::ApiVersion,
            key if key.eq_ignore_ascii_case("kind") => Field::Kind,
            key if key.eq_ignore_ascii_case("metadata") => Field::Metadata,
            key if key.eq_ignore_ascii_case("name") => Field::Name,
            key if key.eq_ignore_ascii_case("annotations") => Field::Annotations,
            // Below annotations every value counts, if only by its kind; elsewhere nothing else does.
            _ => match value {
                Part::List | Part::Map(_) => Field::Other,
                _ => return None,
            },
        };
        let value = match (field, value) {
            (Field::Other, Part::Map(_)) => Part::Map(Vec::new()),
            (_, value) => value,
        };
        map.retain(|(known, _)| *known != field);
        map.push((field, value));
        None
    }

    fn end_map(&mut self, map: Self::Map, _at: Extent) -> Part {
        Part::Map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};

    #[test]
    fn reads_what_matters_and_takes_numbers_for_text() {
        let head = Head::read(
            b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: 12\n  annotations:\n    helm.sh/hook: pre-install\n    x: true\nspec: {name: y}\n",
            &HELM_4_2,
        )
        .expect("good");
        assert_eq!((head.api_version.as_str(), head.kind.as_str(), head.name.as_str()), ("v1", "Pod", "12"));
        assert_eq!(head.hook.as_deref(), Some("pre-install"));
        assert_eq!(Head::read(b"# nothing\n", &HELM_4_2).expect("good"), Head::default());
        assert_eq!(Head::read(b"a: 1\n--- x\n: {", &HELM_4_2).expect("the first document counts").kind, "");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let refused = |text: &str| Head::read(text.as_bytes(), &HELM_4_2).expect_err(text);
        assert!(refused("text").ends_with("cannot unmarshal string into Go value of type util.SimpleHead"));
        assert!(
            refused("kind: [a]")
                .contains("cannot unmarshal array into Go struct field SimpleHead.kind of type string")
        );
        let old = Head::read(b"text", &HELM_3_21).expect_err("text");
        assert!(old.ends_with("type releaseutil.SimpleHead"), "{old}");
        assert!(refused("metadata: {annotations: {a: [b]}}").contains("array"));
        assert!(refused("metadata: {annotations: {a: {b: c}}}").contains("object"));
        assert!(refused("metadata: text").contains("string"));
        assert_eq!(
            refused("a: b\n c: d"),
            "error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context"
        );
    }
}
