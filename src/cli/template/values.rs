//! The user's values, from files and the `--set` family.

use super::Failed;
use super::flags::Parsed;
use crate::helm::profile::Profile;
use crate::helm::values::strvals::{Flavour, Padding, apply};
use crate::helm::values::{Table, Value, from_json, merge, read as reader, weight};
use crate::source::Sources;
use crate::value::Origin;
use crate::world::World;
use crate::world::chart::words;
use camino::Utf8Path;
use std::sync::Arc;

/// All values of the command line, later flags over earlier ones, kinds of flags in Helm's order.
pub(super) fn read(
    flags: &Parsed,
    profile: &'static Profile,
    world: &dyn World,
    sources: &Sources,
) -> Result<Table, Failed> {
    let mut out = Table::default();
    let mut read = Allowance(MAX_READ);
    let mut values = 0;
    for path in flags.all("values") {
        let bytes = read.file(path, world)?;
        let name = if path.trim() == "-" { "standard input" } else { path };
        let file = sources.add(name, String::from_utf8_lossy(&bytes).into_owned());
        let table = reader::values(&bytes, profile, Some(file)).map_err(|error| {
            let details = match &error.fault {
                Some((fault, 0)) => super::explain::draw(&[fault.diagnostic(file)], sources),
                _ => String::new(),
            };
            Failed { message: format!("failed to parse {path}: {}", error.words), details }
        })?;
        values += weight(&table);
        if values > MAX_VALUES {
            return Err(format!(
                "failed to parse {path}: all values files together hold more than 1 million values, each table counted as 8"
            )
            .into());
        }
        merge(&mut out, &table);
    }
    let mut padding = Padding::default();
    for text in flags.all("set-json") {
        json(text, profile, &mut out, sources, &mut padding)?;
    }
    let kinds = [
        ("set", Flavour::Typed),
        ("set-string", Flavour::String),
        ("set-file", Flavour::File),
        ("set-literal", Flavour::Literal),
    ];
    for (name, flavour) in kinds {
        for text in flags.all(name) {
            let source = sources.add(format!("--{name}"), text.as_str());
            let mut content = |path: &str| read.file(path, world);
            apply(text, flavour, &mut out, Some(source), &mut content, &mut padding)
                .map_err(|error| format!("failed parsing --{name} data: {error}"))?;
        }
    }
    Ok(out)
}

fn json(
    text: &str,
    profile: &Profile,
    out: &mut Table,
    sources: &Sources,
    padding: &mut Padding,
) -> Result<(), Failed> {
    let source = sources.add("--set-json", text);
    let trimmed = text.trim();
    if profile.set_json_object && trimmed.starts_with('{') {
        let parsed = serde_json::from_str::<serde_json::Value>(trimmed);
        let value: Value = parsed
            .map(|json| from_json(&json, &Origin::Written(crate::source::Span::new(source, 0, text.len()))))
            .map_err(|_error| format!("failed parsing --set-json data JSON: {text}"))?;
        let empty = Table::default();
        merge(out, value.as_table().unwrap_or(&empty));
        return Ok(());
    }
    let mut none = |_: &str| Ok(Vec::new());
    apply(text, Flavour::Json, out, Some(source), &mut none, padding)
        .map_err(|_error| Failed::from(format!("failed parsing --set-json data {text}")))
}

/// How many values all values files may hold together, each table counted as 8.
const MAX_VALUES: u64 = 1_000_000;
/// How many bytes of files are read for values in all.
const MAX_READ: usize = 64 << 20;

/// How much may still be read.
struct Allowance(usize);

impl Allowance {
    /// A file, or standard input. The error is Go's.
    fn file(&mut self, path: &str, world: &dyn World) -> Result<Vec<u8>, String> {
        let bytes = if path.trim() == "-" {
            world.standard_input()
        } else if path.contains("://") {
            return Err(format!("{path}: values are not fetched; save them to a file"));
        } else {
            world.read(Utf8Path::new(path))
        };
        let bytes = bytes.map_err(|error| words(&error))?;
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or_else(|| format!("{path}: more than 64 MiB are read for values"))?;
        Ok(bytes)
    }
}

/// The name that `--name-template` makes.
pub(super) fn name_from(
    template: &str,
    profile: &'static Profile,
    world: &dyn World,
) -> Result<String, Failed> {
    use crate::helm::engine::{Context, Options, TemplateFile, parse};
    let file =
        TemplateFile { path: "name-template".to_owned(), text: Arc::from(template.as_bytes()), chart: 0 };
    let failed = |error: crate::helm::engine::TemplateError| {
        Failed::from(String::from_utf8_lossy(&error.helm_text(profile)).into_owned())
    };
    let parsed = parse(vec![file], profile).map_err(failed)?;
    let context = Context { map: crate::helm::value::Map::new(), base_path: String::new() };
    let rendered =
        parsed.render(&[context], &Options::default(), &mut super::Machine(world)).map_err(failed)?;
    let text = rendered.files.into_iter().next().map(|file| file.text).unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::memory::MemoryWorld;

    #[test]
    fn values_are_not_read_without_end() {
        let world = MemoryWorld::new().with("a", "12345").with("b", "12345").with_input("1");
        let mut read = Allowance(10);
        assert_eq!(read.file("a", &world), Ok(b"12345".to_vec()));
        assert_eq!(read.file("b", &world), Ok(b"12345".to_vec()));
        assert_eq!(read.file("-", &world), Err("-: more than 64 MiB are read for values".to_owned()));
    }
}
