//! `stackc explain`.

use super::session::{Outcome, Telling, run as session};
use crate::cli::arguments::{DataFormat, Explain, FindingsFormat, Global};
use crate::cli::{Console, Exit};
use crate::driver::resolved;
use crate::resolve::{Explanation, Link, LinkKind, explain};
use crate::source::{Sources, Span};
use crate::world::World;
use crate::yaml;
use serde_json::json;

pub(super) fn run(global: &Global, options: &Explain, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let selection = session.one(options.environment.as_deref())?;
        let resolutions = resolved(&session.world, &session.sources, &selection, &mut session.sink)?;
        let resolution = resolutions.first().expect("the selection names one environment");
        let explanation =
            explain(resolution, &options.path).map_err(|finding| session.sink.report(*finding))?;
        Ok(Outcome::data(match options.format {
            DataFormat::Text => text(&explanation, &session.sources),
            DataFormat::Json => data(&explanation, &session.sources),
        }))
    })
}

fn title(explanation: &Explanation) -> String {
    if explanation.path.is_empty() {
        explanation.instance.to_string()
    } else {
        format!("{}.{}", explanation.instance, explanation.path)
    }
}

fn text(explanation: &Explanation, sources: &Sources) -> String {
    let mut out = format!("{}  ({} of stack {})\n", title(explanation), explanation.type_, explanation.stack);
    for line in explanation.description.lines() {
        out.push_str(&format!("  {line}\n"));
    }
    match &explanation.value {
        Some(value) => {
            let mut bytes = Vec::new();
            let _written = yaml::write(value, yaml::Keys::Given, &mut bytes);
            let written = String::from_utf8_lossy(&bytes);
            let written = written.trim_end();
            if written.contains('\n') {
                out.push_str("\nvalue:\n");
                for line in written.lines() {
                    out.push_str(&format!("  {line}\n"));
                }
            } else {
                out.push_str(&format!("\nvalue: {written}\n"));
            }
        }
        None => out.push_str("\nvalue: none; it is not set and has no default\n"),
    }
    if !explanation.chain.is_empty() {
        out.push_str("\nfrom:\n");
        for (index, link) in explanation.chain.iter().enumerate() {
            out.push_str(&format!("  {}\n", line(link, index, sources)));
        }
    }
    out
}

fn line(link: &Link, index: usize, sources: &Sources) -> String {
    let place = link.span.map_or_else(String::new, |span| place(span, sources));
    match &link.kind {
        LinkKind::Written if index == 0 => place,
        LinkKind::Written => format!("{place}  (in place of)"),
        LinkKind::Default if index == 0 => format!("default of {place}"),
        LinkKind::Default => format!("default of {place}  (in place of)"),
        LinkKind::Expression => format!("expression at {place}"),
        LinkKind::Read(path) => format!("  which read {path}: {place}"),
        LinkKind::Patched => format!("patched by {place}"),
        LinkKind::Rule(rule) => format!("rule: {rule}"),
    }
}

fn place(span: Span, sources: &Sources) -> String {
    let snippet = sources.snippet(span);
    let first = snippet.lines().next().unwrap_or("").trim();
    let cut: String = first.chars().take(60).collect();
    let dots = if cut.len() < first.len() || snippet.trim_end().contains('\n') { " ..." } else { "" };
    format!("{}  {cut}{dots}", sources.place(span))
}

fn data(explanation: &Explanation, sources: &Sources) -> String {
    let chain: Vec<_> = explanation
        .chain
        .iter()
        .map(|link| {
            let (kind, detail) = match &link.kind {
                LinkKind::Written => ("written", None),
                LinkKind::Default => ("default", None),
                LinkKind::Expression => ("expression", None),
                LinkKind::Read(path) => ("read", Some(path.to_string())),
                LinkKind::Patched => ("patched", None),
                LinkKind::Rule(rule) => ("rule", Some((*rule).to_owned())),
            };
            json!({"kind": kind, "detail": detail, "place": link.span.map(|span| sources.place(span))})
        })
        .collect();
    let value = json!({
        "path": title(explanation),
        "instance": &*explanation.instance,
        "stack": &*explanation.stack,
        "type": explanation.type_,
        "description": explanation.description,
        "value": explanation.value.as_ref().map(crate::value::Node::to_json),
        "origins": chain,
    });
    format!("{value:#}\n")
}
