//! `Chart.yaml`: decoded as Go decodes it into Helm's structs, then checked and cleaned.
//!
//! Numbers and booleans become text where a field is text; a list or map there is an error with Go's words. Field
//! names match in any case (helm 4.2.4 `pkg/chart/v2/metadata.go`, sigs.k8s.io/yaml 1.6).

use super::ChartError;
use crate::helm::semver::Version;
use crate::helm::value::Str;
use crate::helm::values::strvals::quote;
use crate::helm::values::{Data, Table, Value};
use std::collections::BTreeMap;

/// What a chart says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// The project's page.
    pub home: String,
    /// Where its sources are; `None` where the field is absent.
    pub sources: Option<Vec<String>>,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Search words.
    pub keywords: Option<Vec<String>>,
    /// Who keeps it.
    pub maintainers: Vec<Maintainer>,
    /// An image.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// A condition of its own, which nothing reads.
    pub condition: String,
    /// Tags of its own, which nothing reads.
    pub tags: String,
    /// The version of what it installs.
    pub app_version: String,
    /// Nobody should use it any more.
    pub deprecated: bool,
    /// Notes for other programs; `None` where the field is absent.
    pub annotations: Option<Vec<(String, String)>>,
    /// The versions of Kubernetes that it works with.
    pub kube_version: String,
    /// The charts that it needs; `None` where the field is absent.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, `library` or empty.
    pub kind: String,
}

/// Who keeps a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Page.
    pub url: String,
}

/// A chart that a chart needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// The name in its own `Chart.yaml`; the alias once dependencies are processed.
    pub name: String,
    /// A version or a range.
    pub version: String,
    /// Where it is published.
    pub repository: String,
    /// Paths of booleans in the values, separated by commas.
    pub condition: String,
    /// Names under `tags` in the values.
    pub tags: Vec<String>,
    /// Decided while dependencies are processed.
    pub enabled: bool,
    /// What the parent takes of its values.
    pub import_values: Vec<ImportValue>,
    /// The name that it goes by in this chart.
    pub alias: String,
}

/// An entry of `import-values`.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportValue {
    /// A name under the child's `exports`.
    Export(String),
    /// A table of the child and where it goes in the parent.
    Map {
        /// The child's path.
        child: String,
        /// The parent's path.
        parent: String,
    },
    /// Something else, which is ignored.
    Other,
}

/// Why a value does not fit a field, in the words of Go's JSON decoder.
struct Mismatch(String);

/// Decodes a document over what `metadata` holds already.
///
/// Go goes on behind a field that does not fit and reports the first; `package` is the name of Helm's package in
/// its words.
pub(super) fn decode(document: &Value, package: &str, metadata: &mut Metadata) -> Result<(), String> {
    let mut first = None;
    match &document.data {
        Data::Null => {}
        Data::Table(table) => {
            for (key, value) in table.iter() {
                let decoded = metadata_field(metadata, key, value, package);
                if let (Err(Mismatch(words)), None) = (decoded, &first) {
                    first = Some(words);
                }
            }
        }
        _ => {
            first = Some(format!(
                "json: cannot unmarshal {} into Go value of type {package}.Metadata",
                json_kind(document)
            ));
        }
    }
    first.map_or(Ok(()), |words| Err(format!("error unmarshaling JSON: while decoding JSON: {words}")))
}

fn metadata_field(out: &mut Metadata, key: &Str, value: &Value, package: &str) -> Result<(), Mismatch> {
    let key = key.to_str_lossy().to_lowercase();
    let at = |field: &str| format!("Metadata.{field}");
    match key.as_str() {
        "name" => text(value, &at("name"), &mut out.name),
        "home" => text(value, &at("home"), &mut out.home),
        "sources" => optional_texts(value, &at("sources"), &mut out.sources),
        "version" => text(value, &at("version"), &mut out.version),
        "description" => text(value, &at("description"), &mut out.description),
        "keywords" => optional_texts(value, &at("keywords"), &mut out.keywords),
        "maintainers" => {
            let items = structs(value, "maintainers", package, "Maintainer")?;
            out.maintainers.clear();
            items.iter().try_for_each(|item| maintainer(item, package, &mut out.maintainers))
        }
        "icon" => text(value, &at("icon"), &mut out.icon),
        "apiversion" => text(value, &at("apiVersion"), &mut out.api_version),
        "condition" => text(value, &at("condition"), &mut out.condition),
        "tags" => text(value, &at("tags"), &mut out.tags),
        "appversion" => text(value, &at("appVersion"), &mut out.app_version),
        "deprecated" => truth(value, &at("deprecated"), &mut out.deprecated),
        "annotations" => annotations(value, &mut out.annotations),
        "kubeversion" => text(value, &at("kubeVersion"), &mut out.kube_version),
        "dependencies" => dependencies(value, package, &mut out.dependencies),
        "type" => text(value, &at("type"), &mut out.kind),
        _ => Ok(()),
    }
}

fn dependencies(value: &Value, package: &str, out: &mut Option<Vec<Dependency>>) -> Result<(), Mismatch> {
    let items = structs(value, "dependencies", package, "Dependency")?;
    let mut made = Vec::new();
    let done = items.iter().try_for_each(|item| dependency(item, package, &mut made));
    *out = (!value.is_null()).then_some(made);
    done
}

/// Null entries keep their place, marked by a name that no file can hold, until validation refuses them.
const NULL_ENTRY: &str = "\0";

fn maintainer(item: &Value, package: &str, out: &mut Vec<Maintainer>) -> Result<(), Mismatch> {
    let mut made = Maintainer::default();
    let done = match fields(item, "maintainers", package, "Maintainer")? {
        None => {
            NULL_ENTRY.clone_into(&mut made.name);
            Ok(())
        }
        Some(table) => each(table, |key, value| match key {
            "name" => text(value, "Maintainer.maintainers.name", &mut made.name),
            "email" => text(value, "Maintainer.maintainers.email", &mut made.email),
            "url" => text(value, "Maintainer.maintainers.url", &mut made.url),
            _ => Ok(()),
        }),
    };
    out.push(made);
    done
}

fn dependency(item: &Value, package: &str, out: &mut Vec<Dependency>) -> Result<(), Mismatch> {
    let mut made = Dependency::default();
    let at = |field: &str| format!("Dependency.dependencies.{field}");
    let done = match fields(item, "dependencies", package, "Dependency")? {
        None => {
            NULL_ENTRY.clone_into(&mut made.name);
            Ok(())
        }
        Some(table) => each(table, |key, value| match key {
            "name" => text(value, &at("name"), &mut made.name),
            "version" => text(value, &at("version"), &mut made.version),
            "repository" => text(value, &at("repository"), &mut made.repository),
            "condition" => text(value, &at("condition"), &mut made.condition),
            "tags" => {
                let mut tags = None;
                let done = optional_texts(value, &at("tags"), &mut tags);
                made.tags = tags.unwrap_or_default();
                done
            }
            "enabled" => truth(value, &at("enabled"), &mut made.enabled),
            "import-values" => {
                made.import_values = match &value.data {
                    Data::Null => Vec::new(),
                    Data::List(items) => items.iter().map(import_value).collect(),
                    _ => return Err(mismatch(value, &at("import-values"), "[]interface {}")),
                };
                Ok(())
            }
            "alias" => text(value, &at("alias"), &mut made.alias),
            _ => Ok(()),
        }),
    };
    out.push(made);
    done
}

fn import_value(item: &Value) -> ImportValue {
    match &item.data {
        Data::String(name) => ImportValue::Export(name.to_str_lossy().into_owned()),
        Data::Table(table) => {
            let path = |key: &str| match table.get(key.as_bytes()).map(|v| &v.data) {
                Some(Data::String(path)) => path.to_str_lossy().into_owned(),
                Some(Data::Bool(truth)) => truth.to_string(),
                Some(Data::Int(number)) => number.to_string(),
                Some(Data::Float(number)) => number.to_string(),
                _ => "<nil>".to_owned(),
            };
            ImportValue::Map { child: path("child"), parent: path("parent") }
        }
        _ => ImportValue::Other,
    }
}

fn each(table: &Table, mut field: impl FnMut(&str, &Value) -> Result<(), Mismatch>) -> Result<(), Mismatch> {
    let mut first = Ok(());
    for (key, value) in table.iter() {
        let done = field(&key.to_str_lossy().to_lowercase(), value);
        if first.is_ok() {
            first = done;
        }
    }
    first
}

/// The entries of a list of structs.
fn structs<'a>(value: &'a Value, field: &str, package: &str, name: &str) -> Result<&'a [Value], Mismatch> {
    match &value.data {
        Data::Null => Ok(&[]),
        Data::List(items) => Ok(items),
        _ => Err(mismatch(value, &format!("Metadata.{field}"), &format!("[]*{package}.{name}"))),
    }
}

fn fields<'a>(
    item: &'a Value,
    field: &str,
    package: &str,
    name: &str,
) -> Result<Option<&'a Table>, Mismatch> {
    match &item.data {
        Data::Null => Ok(None),
        Data::Table(table) => Ok(Some(table)),
        _ => Err(mismatch(item, &format!("Metadata.{field}"), &format!("{package}.{name}"))),
    }
}

fn text(value: &Value, field: &str, out: &mut String) -> Result<(), Mismatch> {
    if let Some(text) = as_text(value) {
        *out = text;
        Ok(())
    } else if value.is_null() {
        Ok(())
    } else {
        Err(mismatch(value, field, "string"))
    }
}

/// What a scalar becomes in a text field: numbers are printed as 32-bit floats there (sigs.k8s.io/yaml 1.6
/// `convertToJSONableObject`), so that `1.10` is `1.1`.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match &value.data {
        Data::String(text) => Some(text.to_str_lossy().into_owned()),
        Data::Int(number) => Some(number.to_string()),
        Data::Float(number) => Some(short_float(*number)),
        Data::Bool(truth) => Some(truth.to_string()),
        Data::Null | Data::List(_) | Data::Table(_) => None,
    }
}

/// Go's `FormatFloat(n, 'g', -1, 32)`.
fn short_float(number: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "that is what the format does")]
    let short = format!("{:e}", number as f32);
    let Some((digits, exponent)) = short.split_once('e') else { return short };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        #[allow(clippy::cast_possible_truncation, reason = "that is what the format does")]
        return (number as f32).to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn truth(value: &Value, field: &str, out: &mut bool) -> Result<(), Mismatch> {
    match value.data {
        Data::Bool(truth) => *out = truth,
        Data::Null => {}
        _ => return Err(mismatch(value, field, "bool")),
    }
    Ok(())
}

fn optional_texts(value: &Value, field: &str, out: &mut Option<Vec<String>>) -> Result<(), Mismatch> {
    let items = match &value.data {
        Data::Null => {
            *out = None;
            return Ok(());
        }
        Data::List(items) => items,
        _ => return Err(mismatch(value, field, "[]string")),
    };
    let mut texts = Vec::new();
    let mut first = Ok(());
    for item in items.iter() {
        let mut made = String::new();
        let done = text(item, field, &mut made);
        if first.is_ok() {
            first = done;
        }
        texts.push(made);
    }
    *out = Some(texts);
    first
}

fn annotations(value: &Value, out: &mut Option<Vec<(String, String)>>) -> Result<(), Mismatch> {
    let table = match &value.data {
        Data::Null => return Ok(()),
        Data::Table(table) => table,
        _ => return Err(mismatch(value, "Metadata.annotations", "map[string]string")),
    };
    let mut made: BTreeMap<String, String> = out.take().unwrap_or_default().into_iter().collect();
    let mut first = Ok(());
    for (key, value) in table.iter() {
        let mut content = String::new();
        let done = text(value, "Metadata.annotations", &mut content);
        let key = key.to_str_lossy().into_owned();
        if done.is_ok() {
            made.insert(key, content);
        } else if first.is_ok() {
            first = done;
        }
    }
    *out = Some(made.into_iter().collect());
    first
}

pub(super) fn json_kind(value: &Value) -> &'static str {
    match value.data {
        Data::Null => "null",
        Data::Bool(_) => "bool",
        Data::Int(_) | Data::Float(_) => "number",
        Data::String(_) => "string",
        Data::List(_) => "array",
        Data::Table(_) => "object",
    }
}

fn mismatch(value: &Value, field: &str, wanted: &str) -> Mismatch {
    Mismatch(format!(
        "json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
        json_kind(value)
    ))
}

/// Checks a lock file as far as Go's decoder would.
pub(super) fn check_lock(document: &Value, package: &str) -> Result<(), String> {
    let wrong = |words: String| Err(format!("error unmarshaling JSON: while decoding JSON: {words}"));
    let table = match &document.data {
        Data::Null => return Ok(()),
        Data::Table(table) => table,
        _ => {
            return wrong(format!(
                "json: cannot unmarshal {} into Go value of type {package}.Lock",
                json_kind(document)
            ));
        }
    };
    for (key, value) in table.iter() {
        let done = match key.to_str_lossy().to_lowercase().as_str() {
            "generated" => match &value.data {
                Data::Null => Ok(()),
                Data::String(text) if is_time(&text.to_str_lossy()) => Ok(()),
                Data::String(text) => {
                    let text = quote(&text.to_str_lossy());
                    return wrong(format!(
                        "parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text} as \"2006\""
                    ));
                }
                _ => return wrong("Time.UnmarshalJSON: input is not a JSON string".to_owned()),
            },
            "digest" => text(value, "Lock.digest", &mut String::new()),
            "dependencies" => dependencies(value, package, &mut None),
            _ => Ok(()),
        };
        if let Err(Mismatch(words)) = done {
            return wrong(words.replace("Metadata.", "Lock."));
        }
    }
    Ok(())
}

/// The shape of RFC 3339, as `time.Time` reads it from JSON.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let mut zone = text.get(19..).unwrap_or_default();
    if let Some(fraction) = zone.strip_prefix(['.', ',']) {
        zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let offset = zone.strip_prefix(['+', '-']).is_some_and(|rest| {
        rest.len() == 5
            && rest.chars().enumerate().all(|(at, c)| if at == 2 { c == ':' } else { c.is_ascii_digit() })
    });
    digits(0..4)
        && digits(5..7)
        && digits(8..10)
        && digits(11..13)
        && digits(14..16)
        && digits(17..19)
        && separators.iter().all(|(at, c)| bytes.get(*at) == Some(c))
        && (zone == "Z" || offset)
}

impl Metadata {
    /// Cleans every text and checks what Helm checks, in its order.
    pub fn validate(&mut self) -> Result<(), ChartError> {
        for field in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(field);
        }
        let lists = [&mut self.sources, &mut self.keywords];
        lists.into_iter().flatten().flatten().for_each(sanitize);
        let refuse = |words: String| Err(ChartError::Invalid(words));
        if self.api_version.is_empty() {
            return refuse("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return refuse("chart.metadata.name is required".to_owned());
        }
        if self.name == "." || self.name == ".." {
            return refuse(format!("chart.metadata.name {} is not allowed", quote(&self.name)));
        }
        if self.name != crate::helm::gopath::base(&self.name) {
            return refuse(format!("chart.metadata.name {} is invalid", quote(&self.name)));
        }
        if self.version.is_empty() {
            return refuse("chart.metadata.version is required".to_owned());
        }
        if Version::parse(self.version.as_bytes()).is_err() {
            return refuse(format!("chart.metadata.version {} is invalid", quote(&self.version)));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return refuse("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in &mut self.maintainers {
            if maintainer.name == NULL_ENTRY {
                return refuse("maintainers must not contain empty or null nodes".to_owned());
            }
            [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
        }
        self.validate_dependencies()
    }

    fn validate_dependencies(&mut self) -> Result<(), ChartError> {
        let refuse = |words: String| Err(ChartError::Invalid(words));
        let mut names: Vec<String> = Vec::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            if dependency.name == NULL_ENTRY {
                return refuse("dependencies must not contain empty or null nodes".to_owned());
            }
            for field in [
                &mut dependency.name,
                &mut dependency.version,
                &mut dependency.repository,
                &mut dependency.condition,
            ] {
                sanitize(field);
            }
            dependency.tags.iter_mut().for_each(sanitize);
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !dependency.alias.chars().all(plain) {
                return refuse(format!(
                    "dependency {} has disallowed characters in the alias",
                    quote(&dependency.name)
                ));
            }
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if names.contains(key) {
                return refuse(format!("more than one dependency with name or alias {}", quote(key)));
            }
            names.push(key.clone());
        }
        Ok(())
    }

    /// Whether it only lends its partials to other charts.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }
}

/// White space becomes a space, what cannot be printed goes.
fn sanitize(text: &mut String) {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return;
    }
    *text = text
        .chars()
        .filter_map(|c| {
            if c.is_whitespace() { Some(' ') } else { crate::helm::unicode::is_print(c).then_some(c) }
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_short() {
        for (number, text) in [
            (1.1, "1.1"),
            (1.0, "1"),
            (1e6, "1e+06"),
            (123_456.0, "123456"),
            (0.00001, "1e-05"),
            (20.04, "20.04"),
            (1_234_567.5, "1.2345675e+06"),
        ] {
            assert_eq!(short_float(number), text);
        }
    }

    #[test]
    fn texts_are_cleaned() {
        let mut text = "a\u{a0}b\tc\u{200b}d\u{7}ü".to_owned();
        sanitize(&mut text);
        assert_eq!(text, "a b cdü");
    }
}
