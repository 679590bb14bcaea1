//! A change set for people and for programs.

use super::schemas;
use super::{ChangeSet, DocumentChange, DocumentId, EnvironmentChanges, FieldChange, Whole};
use crate::value::Value;
use similar::{ChangeTag, TextDiff};
use std::fmt::Write as _;

/// Object by object, field by field.
pub fn text(changes: &ChangeSet) -> String {
    let mut out = String::new();
    for environment in changes.environments() {
        let documents = environment.documents();
        if documents.is_empty() && environment.files().is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}: {}", environment.environment(), counts(&documents));
        for change in &documents {
            document(&mut out, change);
        }
    }
    if out.is_empty() {
        out.push_str("no changes\n");
    }
    out
}

/// How many documents come, change and go.
pub(crate) fn counts(documents: &[DocumentChange]) -> String {
    let number = |wanted: fn(&Whole) -> bool| documents.iter().filter(|change| wanted(&change.whole)).count();
    let added = number(|whole| matches!(whole, Whole::Added));
    let removed = number(|whole| matches!(whole, Whole::Removed));
    let changed = documents.len() - added - removed;
    format!("{added} added, {changed} changed, {removed} removed")
}

fn document(out: &mut String, change: &DocumentChange) {
    let sign = match &change.whole {
        Whole::Added => '+',
        Whole::Removed => '-',
        Whole::Changed(_) | Whole::Rewritten { .. } => '~',
    };
    let unit = match (&change.unit, &change.id) {
        (Some(unit), DocumentId::Object(_)) => format!("  ({unit})"),
        _ => String::new(),
    };
    let _ = writeln!(out, "  {sign} {}{unit}", change.id);
    if let Some(from) = &change.moved_from {
        let _ = writeln!(out, "      moved from unit {from}");
    }
    match &change.whole {
        Whole::Added | Whole::Removed => {}
        Whole::Changed(fields) if is_definition(&change.id) => schemas::text(out, fields, field),
        Whole::Changed(fields) => fields.iter().for_each(|change| field(out, change)),
        Whole::Rewritten { before: Some(before), after: Some(after) } => lines(out, before, after),
        Whole::Rewritten { .. } => out.push_str("      its bytes differ\n"),
    }
}

fn is_definition(id: &DocumentId) -> bool {
    matches!(id, DocumentId::Object(id) if &*id.kind == "CustomResourceDefinition")
}

fn field(out: &mut String, change: &FieldChange) {
    if let (Some(Value::String(before)), Some(Value::String(after))) = (&change.before, &change.after)
        && (before.contains('\n') || after.contains('\n'))
    {
        let _ = writeln!(out, "      {}:", change.path);
        lines(out, before, after);
        return;
    }
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let _ = writeln!(out, "      {}: {} -> {}", change.path, short(before), short(after));
        }
        (None, Some(after)) => {
            let _ = writeln!(out, "      + {}: {}", change.path, short(after));
        }
        (Some(before), None) => {
            let _ = writeln!(out, "      - {}: {}", change.path, short(before));
        }
        (None, None) => {}
    }
}

/// Lines that differ, each with three lines around it.
fn lines(out: &mut String, before: &str, after: &str) {
    let diff = TextDiff::from_lines(before, after);
    for group in diff.grouped_ops(3) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let _ = writeln!(out, "        {sign} {}", change.value().trim_end_matches('\n'));
        }
    }
}

/// A value on one line, cut where it is long.
fn short(value: &Value) -> String {
    const MOST: usize = 200;
    let text = match value {
        Value::String(text) if !text.is_empty() && text.chars().all(|c| !c.is_control() && c != '"') => {
            text.to_string()
        }
        other => other.to_json().to_string(),
    };
    if text.chars().count() <= MOST {
        return text;
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{cut}…")
}

/// A unified diff of the files, as `git diff` prints it.
pub fn unified(changes: &ChangeSet) -> String {
    let mut out = String::new();
    for environment in changes.environments() {
        for file in environment.files() {
            let name = |side: &str, there: bool| {
                if there { format!("{side}/{}", file.path) } else { "/dev/null".to_owned() }
            };
            let text = |bytes: &Option<Vec<u8>>| {
                bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            let (before, after) =
                (text(&file.before).unwrap_or_default(), text(&file.after).unwrap_or_default());
            let diff = TextDiff::from_lines(before.as_str(), after.as_str());
            let _ = write!(
                out,
                "{}",
                diff.unified_diff()
                    .context_radius(3)
                    .header(&name("a", file.before.is_some()), &name("b", file.after.is_some()))
            );
        }
    }
    out
}

/// The change set as JSON.
pub fn json(changes: &ChangeSet) -> serde_json::Value {
    let environments: Vec<serde_json::Value> = changes.environments().iter().map(environment).collect();
    serde_json::json!({ "environments": environments })
}

fn environment(changes: &EnvironmentChanges) -> serde_json::Value {
    let files: Vec<serde_json::Value> = changes
        .files()
        .iter()
        .map(|file| {
            let change = match (&file.before, &file.after) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            };
            serde_json::json!({"path": file.path.as_str(), "change": change})
        })
        .collect();
    let documents: Vec<serde_json::Value> = changes.documents().iter().map(document_json).collect();
    serde_json::json!({
        "name": &**changes.environment(),
        "unchanged": changes.unchanged(),
        "files": files,
        "documents": documents,
    })
}

fn document_json(change: &DocumentChange) -> serde_json::Value {
    let mut out = serde_json::Map::new();
    match &change.id {
        DocumentId::Object(id) => {
            out.insert("group".into(), (*id.group).into());
            out.insert("kind".into(), (*id.kind).into());
            out.insert("namespace".into(), id.namespace.as_deref().into());
            out.insert("name".into(), (*id.name).into());
        }
        DocumentId::File(path) => {
            out.insert("file".into(), path.as_str().into());
        }
    }
    out.insert("unit".into(), change.unit.as_deref().into());
    if let Some(from) = &change.moved_from {
        out.insert("movedFrom".into(), from.as_str().into());
    }
    let word = match &change.whole {
        Whole::Added => "added",
        Whole::Removed => "removed",
        Whole::Changed(_) | Whole::Rewritten { .. } => "changed",
    };
    out.insert("change".into(), word.into());
    if let Whole::Changed(fields) = &change.whole {
        let fields = fields.iter().map(|field| {
            let mut out = serde_json::Map::from_iter([("path".to_owned(), field.path.as_str().into())]);
            out.extend(field.before.as_ref().map(|value| ("before".to_owned(), value.to_json())));
            out.extend(field.after.as_ref().map(|value| ("after".to_owned(), value.to_json())));
            serde_json::Value::Object(out)
        });
        out.insert("fields".into(), fields.collect());
    }
    serde_json::Value::Object(out)
}
