//! Bytes to trees: files are read and parsed here, with every fault told.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::expr::needs_quotes;
use crate::source::{FileId, Sources, Span};
use crate::value::Node;
use crate::world::World;
use crate::yaml;
use camino::Utf8Path;
use std::sync::Arc;

/// The bytes of a file.
pub(super) fn bytes(world: &dyn World, path: &Utf8Path, sink: &mut Sink) -> Result<Vec<u8>, Reported> {
    world.read(path).map_err(|error| {
        sink.report(
            Diagnostic::error(codes::UNREADABLE_FILE, error.to_string()).help("make the file readable"),
        )
    })
}

/// The one document of a file.
pub(super) fn file(
    world: &dyn World,
    path: &Utf8Path,
    sources: &Sources,
    sink: &mut Sink,
) -> Result<Node, Reported> {
    let bytes = bytes(world, path, sink)?;
    one(path.as_str(), &bytes, sources, sink)
}

/// The one document of a text.
pub(super) fn one(name: &str, bytes: &[u8], sources: &Sources, sink: &mut Sink) -> Result<Node, Reported> {
    let (file, text) = add(name, bytes, sources, sink)?;
    yaml::read(file, &text, yaml::Options::STRICT).map_err(|error| {
        let finding = error.diagnostic(file);
        let quotes = finding.primary.as_ref().and_then(|label| needs_quotes(sources, label.span));
        sink.report(quotes.unwrap_or(finding))
    })
}

/// All documents of a text, and the span of the whole.
pub(super) fn all(
    name: &str,
    bytes: &[u8],
    sources: &Sources,
    sink: &mut Sink,
) -> Result<(Vec<Node>, Span), Reported> {
    let (file, text) = add(name, bytes, sources, sink)?;
    let (documents, errors) = yaml::read_all(file, &text, yaml::Options::STRICT);
    let mut told = None;
    for error in errors {
        told = Some(sink.report(error.diagnostic(file)));
    }
    if let Some(told) = told {
        Err(told)
    } else {
        let nodes = documents.into_iter().map(|document| document.node).collect();
        Ok((nodes, Span::new(file, 0, text.len())))
    }
}

/// The schema of a stack without one: no inputs.
pub(super) fn no_inputs(path: &str, sources: &Sources, sink: &mut Sink) -> Result<Node, Reported> {
    let text = r#"{"type": "object", "additionalProperties": false, "properties": {}}"#;
    one(&format!("<no {path}>"), text.as_bytes(), sources, sink)
}

/// Adds a text to the sources; one that is not UTF-8 is refused with the place of the first wrong byte.
fn add(name: &str, bytes: &[u8], sources: &Sources, sink: &mut Sink) -> Result<(FileId, Arc<str>), Reported> {
    let bytes = yaml::decode(bytes);
    match std::str::from_utf8(&bytes) {
        Ok(text) => {
            let text: Arc<str> = text.into();
            Ok((sources.add(name, Arc::clone(&text)), text))
        }
        Err(error) => {
            let at = error.valid_up_to();
            let file = sources.add(name, String::from_utf8_lossy(&bytes).into_owned());
            Err(sink.report(
                Diagnostic::error(codes::YAML_SYNTAX, "the text is not UTF-8")
                    .at(Span::new(file, at, at + 1), "")
                    .help("save the file as UTF-8"),
            ))
        }
    }
}
