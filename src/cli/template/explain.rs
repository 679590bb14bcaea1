//! `--explain`: which template line, through which calls, and which values made a field.

use super::Failed;
use crate::diag::render::Style;
use crate::diag::{Diagnostic, render};
use crate::helm::engine::{Options, TrackerRef};
use crate::helm::faults::made_text;
use crate::helm::origin::origins;
use crate::helm::release::{Prepared, Rendered};
use crate::helm::value::Tracker;
use crate::source::Sources;
use crate::value::{Node, Path};
use crate::yaml;
use std::fmt::Write as _;

/// How many pieces of one field are told.
const MOST: usize = 40;

/// Draws findings for a terminal.
pub(super) fn draw(found: &[Diagnostic], sources: &Sources) -> String {
    if found.is_empty() { String::new() } else { render::human(found, sources, Style::default()) }
}

/// Options that record where every byte comes from.
pub(super) fn options() -> Options {
    Options { tracker: Some(TrackerRef(Tracker::new())), ..Options::default() }
}

/// The text for every wanted field, `Kind/name:path.of.field`.
pub(super) fn explain(
    wanted: &[String],
    rendered: &Rendered,
    prepared: &Prepared,
    sources: &Sources,
) -> Result<String, Failed> {
    let mut out = String::new();
    for text in wanted {
        let (object, path) = text.split_once(':').ok_or_else(|| {
            Failed::from(format!(
                "--explain {text}: write it as Kind/name:path, such as Deployment/web:spec.replicas"
            ))
        })?;
        let path = Path::parse(path)
            .ok_or_else(|| Failed::from(format!("--explain {text}: `{path}` is no path of a field")))?;
        explain_one(object, &path, rendered, prepared, sources, &mut out)?;
    }
    Ok(out)
}

fn explain_one(
    object: &str,
    path: &Path,
    rendered: &Rendered,
    prepared: &Prepared,
    sources: &Sources,
    out: &mut String,
) -> Result<(), Failed> {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let sorted = &rendered.sorted;
    let fits = |found: &str, wanted: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(found);
    let mut objects = Vec::new();
    let mut any = false;
    for manifest in sorted.manifests.iter().chain(&sorted.hooks) {
        objects.push(format!("{}/{}", manifest.head.kind, manifest.head.name));
        if !fits(&manifest.head.kind, kind) || !fits(&manifest.head.name, name) {
            continue;
        }
        let template = sorted.path(manifest);
        let Some(file) = rendered.output.files.iter().position(|file| *file.path == *template) else {
            continue;
        };
        let text = String::from_utf8_lossy(sorted.bytes(manifest)).into_owned();
        let source = sources.add(format!("{template} (rendered)"), text.as_str());
        let Ok(document) = yaml::read_first(source, &text, yaml::Options::LENIENT) else { continue };
        let Some(node) = document.lookup(path) else { continue };
        any = true;
        let shown = shown(node);
        let _infallible = writeln!(out, "{}/{} {path} = {shown}", manifest.head.kind, manifest.head.name);
        let Some(span) = node.span() else { continue };
        if let Some(provenance) = &rendered.output.provenance {
            let start = manifest.range.start + span.start as usize;
            let end = manifest.range.start + span.end as usize;
            let made = origins(provenance, file, start..end.max(start + 1), &prepared.values);
            let mut said = Vec::new();
            for made in &made {
                let facts = made_text(made, Some(path), sources);
                // A loop makes many pieces of one place; text around values says nothing new.
                let is_plain = made.reads.is_empty() && made.impure.is_empty();
                if said.contains(&facts) || is_plain && !said.is_empty() {
                    continue;
                }
                for fact in &facts {
                    let _infallible = writeln!(out, "  {fact}");
                }
                said.push(facts);
                if said.len() >= MOST {
                    let _infallible = writeln!(out, "  and more; ask for a field in it");
                    break;
                }
            }
        }
    }
    if any {
        return Ok(());
    }
    let mut details = String::from("the chart made:\n");
    for object in objects {
        let _infallible = writeln!(details, "  {object}");
    }
    Err(Failed { message: format!("--explain: no object `{object}` with a field `{path}`"), details })
}

fn shown(node: &Node) -> String {
    let text = node.to_json().to_string();
    if text.chars().count() > 100 {
        format!("{}...", text.chars().take(100).collect::<String>())
    } else {
        text
    }
}
