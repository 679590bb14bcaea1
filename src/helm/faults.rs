//! What went wrong in a render, for people: the place in the template, the value at fault, where that value comes
//! from, and what it may have been meant to be.

use super::funcs::Impurity;
use super::origin::{self, Made, Place, ReadValue};
use super::output::BadManifest;
use super::provenance::Provenance;
use super::release::{Fault, Output, Prepared};
use super::schema::Failure;
use super::template::ExecError;
use super::values::{Data, Table, Value, coalesce::print_value};
use crate::diag::{Diagnostic, codes, did_you_mean};
use crate::source::{FileId, Sources, Span};
use crate::value::{Node, Origin, Path, Segment};
use crate::yaml;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The findings behind a fault; none where Helm's message says all there is. `written` is what the values were made
/// of, where their keys have places.
pub fn diagnostics(
    fault: &Fault,
    prepared: Option<&Prepared>,
    written: Option<&Node>,
    sources: &Sources,
) -> Vec<Diagnostic> {
    match fault {
        Fault::Schema(failure, values) => schema(failure, values, written),
        Fault::Template(super::engine::TemplateError::Exec { error, provenance, .. }) => {
            vec![execution(error, provenance.as_deref(), prepared, sources)]
        }
        Fault::Template(super::engine::TemplateError::Parse { path, error }) => {
            let file = template_source(path, prepared, sources);
            let message = String::from_utf8_lossy(&error.message).into_owned();
            let found = Diagnostic::error(codes::HELM_TEMPLATE, message);
            vec![match &error.name {
                Some(name) => {
                    let found =
                        found.at(file.map(|file| Span::new(file, name.start, name.end)), "this function");
                    name.meant
                        .into_iter()
                        .fold(found, |found, meant| found.help(format!("did you mean `{meant}`?")))
                }
                None => found.at(file.map(|file| line_span(sources, file, error.line)), ""),
            }]
        }
        Fault::Manifest(bad, output) => vec![manifest(bad, output, prepared, sources)],
        Fault::Dependencies(_) | Fault::Values(_) | Fault::KubeVersion { .. } => Vec::new(),
    }
}

/// The text of a template, found again by its path.
fn template_source(path: &str, prepared: Option<&Prepared>, sources: &Sources) -> Option<FileId> {
    let templates = super::context::templates(&prepared?.instance);
    let file = templates.into_iter().rev().find(|file| file.path == path)?;
    Some(sources.add(path, String::from_utf8_lossy(&file.text).into_owned()))
}

fn line_span(sources: &Sources, file: FileId, line: usize) -> Span {
    let text = sources.get(file);
    let start: usize = text.text().split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Span::new(file, start, start + text.line(line).len())
}

fn path_of(path: &[String]) -> Path {
    Path::from(path.iter().map(|key| Segment::Key(Arc::from(key.as_str()))).collect::<Vec<_>>())
}

fn path_text(path: &[String]) -> String {
    path_of(path).to_string()
}

/// The value at keys and indices, and the deepest one on the way.
fn walk<'a>(root: &'a Value, path: &[String]) -> (Option<&'a Value>, &'a Value, usize) {
    let mut at = root;
    for (taken, key) in path.iter().enumerate() {
        let next = match &at.data {
            Data::Table(table) => table.get(key.as_bytes()),
            Data::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return (None, at, taken),
        }
    }
    (Some(at), at, path.len())
}

fn root(values: &Table) -> Value {
    Value::new(Data::Table(Arc::clone(values)), Origin::Compiler)
}

fn schema(failure: &Failure, values: &Table, written: Option<&Node>) -> Vec<Diagnostic> {
    let root = root(values);
    failure
        .violations
        .iter()
        .map(|violation| {
            let path: Vec<String> = violation.chart.iter().chain(&violation.path).cloned().collect();
            let (found, deepest, _) = walk(&root, &path);
            let shown =
                if path.is_empty() { "the values".to_owned() } else { format!("`{}`", path_text(&path)) };
            let mut out = Diagnostic::error(codes::HELM_SCHEMA, format!("{shown}: {}", violation.text));
            let extra = unexpected(&violation.text);
            let culprit = extra.as_ref().and_then(|name| {
                found.and_then(Value::as_table).and_then(|table| table.get(name.as_bytes()))
            });
            let culprit = culprit.or(found).unwrap_or(deepest).origin.span();
            let key = extra.as_ref().and_then(|name| {
                let mut whole = path.clone();
                whole.push(name.clone());
                written?.key_at(&path_of(&whole)).and_then(Origin::editable)
            });
            out = match key.filter(|key| culprit.is_none_or(|value| value.file == key.file)) {
                Some(key) => out.at(key, "not known here"),
                None => out.at(culprit, "this value"),
            };
            if let (Some(name), Some(table)) = (&extra, found.and_then(Value::as_table)) {
                let others: Vec<String> = table
                    .keys()
                    .map(|key| key.to_str_lossy().into_owned())
                    .filter(|key| key != name)
                    .collect();
                if let Some(meant) = did_you_mean(name, others.iter().map(String::as_str)) {
                    out = out.help(format!("`{meant}` exists: did you mean it instead of `{name}`?"));
                }
            }
            out
        })
        .collect()
}

/// The first name in "additional properties 'a', 'b' not allowed".
fn unexpected(text: &str) -> Option<String> {
    let rest = text.strip_prefix("additional properties '")?;
    rest.split('\'').next().map(str::to_owned)
}

fn execution(
    error: &ExecError,
    provenance: Option<&Provenance>,
    prepared: Option<&Prepared>,
    sources: &Sources,
) -> Diagnostic {
    let mut files = BTreeMap::new();
    let inner = error.innermost();
    let mut message = String::from_utf8_lossy(&inner.message).into_owned();
    if let Some(super::template::Cause::Text(text)) = &inner.cause {
        message.push_str(&text.to_str_lossy());
    }
    // The chart's own words stand between marks (helm 4.2.4 `engine.go`, `warnWrap`).
    if let Some(own) = message.split("HELM_ERR_START").nth(1) {
        message = own.split("HELM_ERR_END").next().unwrap_or(own).to_owned();
    }
    let mut out = Diagnostic::error(codes::HELM_TEMPLATE, message.trim());
    let expression = String::from_utf8_lossy(&inner.expression).into_owned();
    out = out.at(exec_span(inner, &mut files, sources), "while this is evaluated");
    for link in error.chain().iter().rev().skip(1) {
        if let Some(span) = exec_span(link, &mut files, sources) {
            out = out.trace(format!("called from {}", sources.place(span)));
        }
    }
    if let Some(meant) = &inner.meant {
        out = out.help(format!("did you mean `{meant}`?"));
    }
    let Some(prepared) = prepared else { return out };
    let (values, given) = (&prepared.values, &prepared.given);
    let template = error.template.to_str_lossy();
    let mut told = Vec::new();
    for path in value_paths(&expression) {
        let path: Vec<String> = chart_keys(&template, prepared).into_iter().chain(path).collect();
        out = about_value(out, &path, values, given, sources);
        told.push(path);
    }
    // The text that `tpl` runs is a value too, and the one to mend.
    let by_tpl = |link: &&&ExecError| matches!(link.cause, Some(super::template::Cause::Wrapped(..)));
    for link in error.chain().iter().filter(by_tpl) {
        for path in value_paths(&String::from_utf8_lossy(&link.expression)) {
            let keys = chart_keys(&link.template.to_str_lossy(), prepared);
            let path: Vec<String> = keys.into_iter().chain(path).collect();
            if !told.contains(&path) {
                out = about_value(out, &path, values, given, sources);
                told.push(path);
            }
        }
    }
    let Some(made) = provenance.and_then(|provenance| origin::failure(provenance, values)) else {
        return out;
    };
    // Containers are read on the way to what is in them.
    let mut about = |mut out: Diagnostic, reads: &[ReadValue<'_>]| {
        for (at, read) in reads.iter().enumerate() {
            let on_the_way = |path: &Vec<String>| path.starts_with(&read.path);
            let is_told =
                reads[at + 1..].iter().any(|later| on_the_way(&later.path)) || told.iter().any(on_the_way);
            if !is_told && told.len() < MOST_TOLD {
                out = about_value(out, &read.path, values, given, sources);
                told.push(read.path.clone());
            }
        }
        out
    };
    out = about(out, &made.reads);
    for around in made.around.iter().filter(|around| !around.call) {
        out = about(out.note(format!("inside {}", place_text(&around.place))), &around.reads);
    }
    out
}

/// How many values are told of that led to one fault.
const MOST_TOLD: usize = 12;

/// The keys under which the root's values hold those of the chart that a template belongs to.
fn chart_keys(template: &str, prepared: &Prepared) -> Vec<String> {
    let mut keys = Vec::new();
    let mut at = &prepared.instance;
    let mut rest = template.strip_prefix(&format!("{}/", at.metadata.name)).unwrap_or_default();
    while let Some(inner) = rest.strip_prefix("charts/") {
        let Some(child) = at.children.iter().find(|c| inner.starts_with(&format!("{}/", c.metadata.name)))
        else {
            break;
        };
        keys.push(child.metadata.name.clone());
        rest = &inner[child.metadata.name.len() + 1..];
        at = child;
    }
    keys
}

/// The paths behind `.Values` that an expression names.
fn value_paths(expression: &str) -> Vec<Vec<String>> {
    let mut out: Vec<Vec<String>> = Vec::new();
    for (at, _) in expression.match_indices(".Values.") {
        let rest = &expression[at + ".Values.".len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        let path: Vec<String> =
            rest[..end].split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        if !path.is_empty() && !out.contains(&path) {
            out.push(path);
        }
    }
    out
}

/// Says what a value is and where it was set, or what is missing and what may have been meant.
fn about_value(
    out: Diagnostic,
    path: &[String],
    values: &Table,
    given: &Table,
    sources: &Sources,
) -> Diagnostic {
    let root = root(values);
    let (found, deepest, taken) = walk(&root, path);
    let place = |value: &Value| value.origin.span().map(|span| sources.place(span));
    let name = path_text(&path[..taken]);
    if let Some(value) = found {
        let text = short(value);
        return match place(value) {
            Some(place) => out.note(format!("`{}` is {text}, set at {place}", path_text(path))),
            None => out.note(format!("`{}` is {text}", path_text(path))),
        };
    }
    let missing = &path[taken];
    let Data::Table(table) = &deepest.data else {
        let text = short(deepest);
        let span = deepest.origin.span();
        return out
            .note(format!("`{name}` is {text}, not a table: `{missing}` cannot be read of it"))
            .related(span, "it is set here");
    };
    if let Some(null) = taken_away(given, &path[..=taken]) {
        let name = path_text(&path[..=taken]);
        let place = null.span().map(|span| format!(" at {}", sources.place(span))).unwrap_or_default();
        return out.note(format!("`{name}` is set to null{place}, which takes the chart's default away"));
    }
    let out = if name.is_empty() {
        out.note(format!("there is no value `{missing}`"))
    } else {
        out.note(format!("`{name}` holds no `{missing}`")).related(deepest.origin.span(), "this table")
    };
    let keys: Vec<String> = table.keys().map(|key| key.to_str_lossy().into_owned()).collect();
    match did_you_mean(missing, keys.iter().map(String::as_str)) {
        Some(meant) => out.help(format!("did you mean `{meant}`?")),
        None => out,
    }
}

/// Where the user set a value to null, which is how defaults are deleted.
fn taken_away(given: &Table, path: &[String]) -> Option<Origin> {
    let root = root(given);
    let (found, ..) = walk(&root, path);
    found.filter(|value| matches!(value.data, Data::Null)).map(|value| value.origin.clone())
}

/// A value in a few words.
fn short(value: &Value) -> String {
    match &value.data {
        Data::Null => "null".to_owned(),
        Data::Table(table) => format!("a table of {} keys", table.len()),
        Data::List(items) => format!("a list of {} items", items.len()),
        Data::String(text) if text.len() > 60 => "a text".to_owned(),
        Data::String(text) => format!("the text `{}`", text.to_str_lossy()),
        _ => format!("`{}`", print_value(value)),
    }
}

fn exec_span(error: &ExecError, files: &mut BTreeMap<Vec<u8>, FileId>, sources: &Sources) -> Option<Span> {
    let source = error.source.as_ref()?;
    let key = [&source.name[..], b"\0", &source.text[..source.text.len().min(64)]].concat();
    let file = *files.entry(key).or_insert_with(|| {
        sources
            .add(source.name.to_str_lossy().into_owned(), String::from_utf8_lossy(&source.text).into_owned())
    });
    let (start, end) = expression_range(&source.text, error.pos as usize, &error.expression);
    Some(Span::new(file, start, end))
}

/// Where the expression that Go names stands: its position is that of a part of it, often the last one.
fn expression_range(text: &[u8], position: usize, expression: &[u8]) -> (usize, usize) {
    let from = position.saturating_sub(expression.len());
    let to = (position + expression.len()).min(text.len());
    let around = text.get(from..to).unwrap_or_default();
    let found = (!expression.is_empty()).then(|| memchr::memmem::find(around, expression)).flatten();
    if let Some(at) = found {
        return (from + at, from + at + expression.len());
    }
    let rest = text.get(position..).unwrap_or_default();
    let length = rest.iter().position(|b| b.is_ascii_whitespace() || *b == b'}').unwrap_or(rest.len());
    (position, position + length.clamp(1, 60))
}

fn manifest(
    bad: &BadManifest,
    output: &Output,
    prepared: Option<&Prepared>,
    sources: &Sources,
) -> Diagnostic {
    let rendered = output.files.iter().position(|file| file.path == bad.path);
    let Some(number) = rendered else { return Diagnostic::error(codes::HELM_YAML, bad.words.as_str()) };
    let bytes = &output.files[number].bytes;
    let file = sources.add(format!("{} (rendered)", bad.path), String::from_utf8_lossy(bytes).into_owned());
    let document = &bytes[bad.range.clone()];
    let fault = yaml::Composer::new(yaml::Parser::from_bytes(document), yaml::Options::LENIENT)
        .next_document(&mut yaml::NodeBuilder::new(file))
        .err();
    let offset = bad.range.start + fault.as_ref().map_or(0, |fault| fault.at().start as usize);
    let end = bad.range.start + fault.as_ref().map_or(1, |fault| fault.at().end as usize);
    let words = fault.as_ref().map_or_else(|| bad.words.clone(), ToString::to_string);
    let mut out = Diagnostic::error(codes::HELM_YAML, words).at(Span::new(file, offset, end), "");
    let Some(provenance) = &output.provenance else { return out };
    // The fault is seen at the end of what caused it: the whole line is to blame.
    let line = bytes[..offset.min(bytes.len())].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let mut said = Vec::new();
    for at in [offset, line] {
        for fact in origin_of(provenance, number, at, prepared, sources) {
            if !said.contains(&fact) {
                out = out.note(fact.clone());
                said.push(fact);
            }
        }
    }
    out
}

/// What made the byte at `offset` of a file: the template's place, those around it, and the values read.
pub fn origin_of(
    provenance: &Provenance,
    file: usize,
    offset: usize,
    prepared: Option<&Prepared>,
    sources: &Sources,
) -> Vec<String> {
    let none = Table::default();
    let values = prepared.map_or(&none, |prepared| &prepared.values);
    let made = origin::origins(provenance, file, offset..offset + 1, values);
    made.iter().flat_map(|made| made_text(made, None, sources)).collect()
}

/// What made a piece of output, a line each; `field` is the path of the field that it is, where that is known.
pub fn made_text(made: &Made<'_, '_>, field: Option<&Path>, sources: &Sources) -> Vec<String> {
    let mut out = vec![format!("made by {}", place_text(&made.place))];
    for read in &made.reads {
        out.push(format!("  {}", read_text(read, sources)));
        if let Some(part) = field.and_then(|field| read.narrowed(field)) {
            out.push(format!("  {}", read_text(&part, sources)));
        }
    }
    for call in &made.impure {
        out.push(match call.kind {
            Impurity::Lookup => {
                format!("  from `{}`, which asks the cluster and finds nothing here", call.function)
            }
            _ => format!("  from `{}`, which gives another result each time", call.function),
        });
    }
    for around in &made.around {
        let what = if around.call { "called from" } else { "inside" };
        out.push(format!("{what} {}", place_text(&around.place)));
        // A call's arguments are told where they are used.
        let reads = if around.call { &[] } else { &around.reads[..] };
        out.extend(reads.iter().map(|read| format!("  {}", read_text(read, sources))));
    }
    out
}

fn place_text(place: &Place) -> String {
    let at = format!("{}:{}:{}", place.template, place.line, place.column);
    match &place.text {
        Some(text) => format!("{at}: {text}"),
        None => at,
    }
}

/// A value that was read, and where it is set.
fn read_text(read: &ReadValue<'_>, sources: &Sources) -> String {
    let name = read.path_text();
    match read.value {
        None => format!("read `.Values.{name}`, which is not set"),
        Some(value) => match value.origin.span() {
            Some(span) => format!("read `.Values.{name}`: {}, set at {}", short(value), sources.place(span)),
            None => format!("read `.Values.{name}`: {}", short(value)),
        },
    }
}
