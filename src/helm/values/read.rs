//! Values from YAML, as `sigs.k8s.io/yaml` hands them to Go: with the places where they are written.

use super::tree::{Data, Table, Value, merge};
use crate::helm::profile::Profile;
use crate::helm::value::Str;
use crate::source::{FileId, Span};
use crate::value::Origin;
use crate::yaml::{self, Builder, Composer, Extent, Options, Parser, Problem};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many values one file may hold, each map counted as [`yaml::MAP_WEIGHT`]: the largest known has some ten thousand.
pub const MAX_WEIGHT: u64 = 1_000_000;

/// Why a text does not hold values.
#[derive(Clone, Debug)]
pub struct ReadError {
    /// Helm's words.
    pub words: String,
    /// The place in the text, where one is to blame.
    pub at: Option<Span>,
    /// The same fault as the reader knows it, and how far into the text its offsets start.
    pub fault: Option<(yaml::Error, usize)>,
}

/// The first document of a text. Numbers keep their kinds; a text without content is null.
///
/// The error is Go's.
pub fn document(data: &[u8], source: Option<FileId>) -> Result<Value, String> {
    compose(data, source, 0, false, &mut MAX_WEIGHT.clone()).map_err(|error| go_words(&error))
}

/// A values file: a table, numbers as floats.
///
/// Helm 4 merges all documents of the file, Helm 3 reads the first. To Helm 4 every line has an end, the last one too.
pub fn values(data: &[u8], profile: &Profile, source: Option<FileId>) -> Result<Table, ReadError> {
    let data = yaml::decode(data);
    if profile.merge_value_documents && matches!(data, Cow::Owned(_)) {
        // Its lines are put together again with ends of one byte.
        let words = "cannot unmarshal yaml document: error converting YAML to JSON: yaml: incomplete UTF-16 character";
        return Err(ReadError { words: words.to_owned(), at: None, fault: None });
    }
    let mut left = MAX_WEIGHT;
    if !profile.merge_value_documents {
        return table(&data, source, 0, "", &mut left);
    }
    let data = if data.ends_with(b"\n") { data } else { Cow::Owned([&data, &b"\n"[..]].concat()) };
    let mut out = Table::default();
    for (start, end) in documents(&data)? {
        let one = table(&data[start..end], source, start, "cannot unmarshal yaml document: ", &mut left)?;
        merge(&mut out, &one);
    }
    Ok(out)
}

/// Where the documents of a values file lie: cut at lines that start with `---` (apimachinery 0.36 `YAMLReader`).
///
/// A marker in front of the first content stays with it; behind a marker only a comment may stand.
fn documents(data: &[u8]) -> Result<Vec<(usize, usize)>, ReadError> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < data.len() {
        let end = memchr::memchr(b'\n', &data[at..]).map_or(data.len(), |found| at + found + 1);
        if let Some(rest) = data[at..end].strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let words = format!("error reading yaml document: invalid Yaml document separator: {rest}");
                return Err(ReadError { words, at: None, fault: None });
            }
            if start < at {
                out.push((start, at));
                start = end;
            }
        }
        at = end;
    }
    if start < data.len() {
        out.push((start, data.len()));
    }
    Ok(out)
}

fn table(
    data: &[u8],
    source: Option<FileId>,
    offset: usize,
    prefix: &str,
    left: &mut u64,
) -> Result<Table, ReadError> {
    let value = compose(data, source, offset, true, left).map_err(|error| {
        let at = source.map(|file| {
            let at = error.at();
            Span::new(file, at.start as usize + offset, at.end as usize + offset)
        });
        ReadError { words: format!("{prefix}{}", go_words(&error)), at, fault: Some((error, offset)) }
    })?;
    match value.data {
        Data::Table(table) => Ok(table),
        Data::Null => Ok(Table::default()),
        data => {
            let kind = match data {
                Data::List(_) => "array",
                Data::String(_) => "string",
                Data::Bool(_) => "bool",
                _ => "number",
            };
            let words = format!(
                "{prefix}error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value \
                 of type map[string]interface {{}}"
            );
            Err(ReadError { words, at: value.origin.span(), fault: None })
        }
    }
}

fn compose(
    data: &[u8],
    source: Option<FileId>,
    offset: usize,
    floats: bool,
    left: &mut u64,
) -> Result<Value, yaml::Error> {
    let data = yaml::decode(data);
    let mut builder = Values { source, offset, floats };
    let options = Options { max_weight: *left, ..Options::LENIENT };
    let mut composer = Composer::new(Parser::from_bytes(&data), options);
    let document = composer.next_document(&mut builder)?;
    *left = left.saturating_sub(composer.weight());
    Ok(document.map_or_else(|| Value::new(Data::Null, Origin::Compiler), |document| document.value))
}

/// What `yaml.Unmarshal` says.
pub(crate) fn go_words(error: &yaml::Error) -> String {
    let words = error.go_message();
    match error.problem() {
        Problem::UnsupportedKey("<nil>") => {
            "error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: ..."
                .to_owned()
        }
        _ => format!("error converting YAML to JSON: {words}"),
    }
}

/// Builds [`Value`]s.
struct Values {
    source: Option<FileId>,
    /// Where the text starts in the source.
    offset: usize,
    floats: bool,
}

impl Values {
    fn origin(&self, at: Extent) -> Origin {
        self.source.map_or(Origin::Compiler, |file| {
            Origin::Written(Span::new(file, at.start as usize + self.offset, at.end as usize + self.offset))
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "Go reads JSON numbers as float64, which rounds large ones")]
impl Builder for Values {
    type Value = Value;
    type List = Vec<Value>;
    type Map = BTreeMap<Str, Value>;

    fn scalar(&mut self, data: yaml::Data<'_>, at: Extent) -> Value {
        let data = match data {
            yaml::Data::Null => Data::Null,
            yaml::Data::Bool(truth) => Data::Bool(truth),
            yaml::Data::Int(number) if self.floats => Data::Float(number as f64),
            yaml::Data::Int(number) => Data::Int(number),
            yaml::Data::Uint(number) => Data::Float(number as f64),
            yaml::Data::Float(number) => Data::Float(number),
            yaml::Data::String(text) => Data::String(text.as_ref().into()),
        };
        Value::new(data, self.origin(at))
    }

    fn list(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn item(&mut self, list: &mut Vec<Value>, value: Value) {
        list.push(value);
    }

    fn end_list(&mut self, list: Vec<Value>, at: Extent) -> Value {
        Value::new(Data::List(Arc::new(list)), self.origin(at))
    }

    fn map(&mut self) -> Self::Map {
        BTreeMap::new()
    }

    fn member(
        &mut self,
        map: &mut Self::Map,
        key: Cow<'_, str>,
        _key_at: Extent,
        value: Value,
    ) -> Option<Extent> {
        map.insert(key.as_ref().into(), value);
        None
    }

    fn end_map(&mut self, map: Self::Map, at: Extent) -> Value {
        Value::new(Data::Table(Arc::new(map)), self.origin(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::table_to_json;
    use super::*;
    use crate::helm::profile::{HELM_3_21, HELM_4_2};

    fn json(text: &str, profile: &Profile) -> String {
        match values(text.as_bytes(), profile, None) {
            Ok(table) => table_to_json(&table).to_string(),
            Err(error) => error.words,
        }
    }

    #[test]
    fn documents_merge_in_the_newer_profile_only() {
        let text = "# c\na: {b: 1}\n--- # x\na: {c: 2}\nd: 1\n";
        assert_eq!(json(text, &HELM_4_2), r#"{"a":{"b":1,"c":2},"d":1}"#);
        assert_eq!(json(text, &HELM_3_21), r#"{"a":{"b":1}}"#);
        assert_eq!(json("---\na: 1\n", &HELM_4_2), r#"{"a":1}"#);
        assert_eq!(json("", &HELM_4_2), "{}");
        assert_eq!(json("a: |\n  x", &HELM_4_2), r#"{"a":"x\n"}"#);
        let wide: Vec<u8> = "\u{feff}a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(values(&wide, &HELM_4_2, None).is_err_and(|error| error.words.ends_with("UTF-16 character")));
        assert_eq!(values(&wide, &HELM_3_21, None).map(|table| table.len()).ok(), Some(1));
        assert_eq!(json("a: |\n  x", &HELM_3_21), r#"{"a":"x"}"#);
        assert_eq!(
            json("a: 1\n---b\n", &HELM_4_2),
            "error reading yaml document: invalid Yaml document separator: b"
        );
    }

    #[test]
    fn errors_are_gos() {
        assert_eq!(
            json("text\n", &HELM_4_2),
            "cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal \
             string into Go value of type map[string]interface {}"
        );
        assert_eq!(
            json("a: b: c\n", &HELM_3_21),
            "error converting YAML to JSON: yaml: mapping values are not allowed in this context"
        );
    }

    #[test]
    fn places_are_those_of_the_whole_file() {
        let sources = crate::source::Sources::new();
        let text = "a: 1\n---\nb: two\n";
        let file = sources.add("v.yaml", text);
        let table = values(text.as_bytes(), &HELM_4_2, Some(file)).expect("good");
        let place = |key: &str| sources.place(table[key.as_bytes()].origin.span().expect("written"));
        assert_eq!(place("a"), "v.yaml:1:4");
        assert_eq!(place("b"), "v.yaml:3:4");
    }
}
