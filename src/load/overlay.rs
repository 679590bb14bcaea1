//! Overlays as they are written, and the order in which their bases apply.

use super::fields::{self, Fields};
use super::header;
use crate::diag::{Diagnostic, Reported, Sink, codes, did_you_mean};
use crate::source::Span;
use crate::value::{Map, Node};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One `overlay.yaml`. Shared by all environments that extend it.
#[derive(Debug)]
pub struct OverlayDocument {
    /// Its folder, relative to the project.
    pub folder: Utf8PathBuf,
    /// Its name.
    pub name: Arc<str>,
    /// What it is, in a sentence.
    pub description: Arc<str>,
    /// The place of its name.
    pub span: Span,
    /// The folders that it extends, each with its place.
    pub extends: Vec<(Utf8PathBuf, Span)>,
    /// Everything else below `spec`.
    pub spec: Node,
}

/// The keys of an overlay's `spec`.
pub(crate) const SPEC: &[&str] =
    &["extends", "environment", "kubernetes", "stacks", "externals", "patches", "deliver"];

/// Reads the overlay of a folder.
pub(super) fn read(folder: &Utf8Path, document: &Node, sink: &mut Sink) -> Result<OverlayDocument, Reported> {
    let expected = folder.file_name().unwrap_or_default();
    // Only an environment has a name that anybody uses.
    let base = folder.components().count() != 2;
    let header = header::read(document, "Overlay", "an overlay", base.then_some(expected), sink)?;
    if header.name.as_ref() != expected {
        let finding = Diagnostic::error(
            codes::NAME_MISMATCH,
            format!("the overlay in the folder `{expected}` calls itself `{}`", header.name),
        );
        let help = format!("write `name: {expected}`, or rename the folder");
        let _told = sink.report(finding.at(header.name_span, "").help(help));
    } else if !fields::is_label(&header.name, 53) {
        let _told = sink.report(fields::invalid_label(&header.name, "an overlay", 53, header.name_span));
    }
    let empty = Node::new(Map::new(), document.origin.clone());
    let spec = header.spec.unwrap_or(&empty);
    let fields = Fields::open(spec, "an overlay's `spec`", SPEC, sink)?;
    for key in ["stacks", "externals", "patches", "deliver"] {
        if let Some(node) = fields.get(key) {
            let _checked = Fields::any(node, &fields.name(key), sink);
        }
    }
    let mut extends = Vec::new();
    for (text, span) in fields.texts("extends", sink)? {
        let Some(span) = span else { continue };
        if let Some(path) = resolve(folder, &text) {
            extends.push((path, span));
        } else {
            let finding =
                Diagnostic::error(codes::MISSING_FILE, format!("the base `{text}` lies outside the project"));
            let _told = sink.report(
                finding.at(span, "").help("name a folder of the project, relative to this overlay's own"),
            );
        }
    }
    let mut rest = fields.entries().clone();
    let _gone = rest.remove("extends");
    Ok(OverlayDocument {
        folder: folder.to_owned(),
        name: header.name,
        description: header.description,
        span: header.name_span.or(document.span()).ok_or_else(|| {
            sink.report(Diagnostic::error(codes::INTERNAL, format!("`{folder}` was read without places")))
        })?,
        extends,
        spec: Node::new(rest, spec.origin.clone()),
    })
}

/// The folder that `text` names from `folder`; `None` where it leaves the project.
fn resolve(folder: &Utf8Path, text: &str) -> Option<Utf8PathBuf> {
    let text = text.strip_suffix("/overlay.yaml").unwrap_or(text);
    let mut path = folder.to_owned();
    for part in Utf8Path::new(text).components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Utf8Component::Normal(name) => path.push(name),
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The documents of an environment in the order in which they apply, itself last: depth first, left to right, each
/// once. Loops are told with their chain.
pub(super) fn linearize(
    top: &Arc<OverlayDocument>,
    documents: &BTreeMap<Utf8PathBuf, Arc<OverlayDocument>>,
    sink: &mut Sink,
) -> Vec<Arc<OverlayDocument>> {
    struct Walk<'a> {
        documents: &'a BTreeMap<Utf8PathBuf, Arc<OverlayDocument>>,
        done: BTreeSet<&'a Utf8Path>,
        chain: Vec<(&'a Arc<OverlayDocument>, Span)>,
        order: Vec<Arc<OverlayDocument>>,
    }
    fn visit<'a>(walk: &mut Walk<'a>, document: &'a Arc<OverlayDocument>, via: Span, sink: &mut Sink) {
        if walk.done.contains(document.folder.as_path()) {
            return;
        }
        if let Some(at) = walk.chain.iter().position(|(known, _)| known.folder == document.folder) {
            let _told = sink.report(chain_finding(&walk.chain[at..], document, via));
            return;
        }
        walk.chain.push((document, via));
        for (folder, span) in &document.extends {
            if let Some(base) = walk.documents.get(folder) {
                visit(walk, base, *span, sink);
            }
        }
        let _popped = walk.chain.pop();
        let _new = walk.done.insert(document.folder.as_path());
        walk.order.push(Arc::clone(document));
    }
    let mut walk = Walk { documents, done: BTreeSet::new(), chain: Vec::new(), order: Vec::new() };
    visit(&mut walk, top, top.span, sink);
    walk.order
}

/// The finding for a loop, written from its member with the least path, so that it is told once.
fn chain_finding(chain: &[(&Arc<OverlayDocument>, Span)], again: &OverlayDocument, via: Span) -> Diagnostic {
    // Each link: a document, and the place in it that names the next one.
    let mut links: Vec<(&Utf8Path, Span)> = Vec::new();
    for (index, (document, _)) in chain.iter().enumerate() {
        let next = chain.get(index + 1).map_or(via, |(_, span)| *span);
        links.push((&document.folder, next));
    }
    debug_assert_eq!(links[0].0, again.folder);
    let least = (0..links.len()).min_by_key(|index| links[*index].0).unwrap_or(0);
    links.rotate_left(least);
    let mut names: Vec<String> = links.iter().map(|(folder, _)| format!("`{folder}`")).collect();
    names.push(format!("`{}`", links[0].0));
    let fact = if links.len() == 1 {
        format!("the overlay {} extends itself", names[0])
    } else {
        format!("overlays extend each other: {}", names.join(" -> "))
    };
    let mut finding = Diagnostic::error(codes::EXTENDS_LOOP, fact).at(links[0].1, "");
    for (_, span) in &links[1..] {
        finding = finding.related(*span, "then here");
    }
    finding.help("take one of these lines out")
}

/// The finding for a base that does not exist.
pub(super) fn missing_base(folder: &Utf8Path, span: Span, known: &[Utf8PathBuf]) -> Diagnostic {
    let finding =
        Diagnostic::error(codes::MISSING_FILE, format!("there is no overlay in `{folder}`")).at(span, "");
    let name = folder.file_name().unwrap_or_default();
    let near = known
        .iter()
        .find(|path| path.file_name() == Some(name))
        .map(|path| path.as_str())
        .or_else(|| did_you_mean(folder.as_str(), known.iter().map(|path| path.as_str())));
    match near {
        Some(near) => {
            finding.help(format!("did you mean `{near}`? paths start from the overlay's own folder"))
        }
        // What lies directly below `overlays` is an environment.
        None if folder.parent() == Some(Utf8Path::new("overlays")) => finding.help(format!(
            "write the base as `{folder}/NAME/overlay.yaml`, a folder deeper than environments are, and extend `../{name}/NAME`"
        )),
        None => finding.help(format!("write `{folder}/overlay.yaml`, or correct the path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_found_from_the_overlay_s_folder() {
        let folder = Utf8Path::new("overlays/shop");
        let find = |text| resolve(folder, text).map(Utf8PathBuf::into_string);
        assert_eq!(find("../base/k3s").as_deref(), Some("overlays/base/k3s"));
        assert_eq!(find("./../base/k3s/overlay.yaml").as_deref(), Some("overlays/base/k3s"));
        assert_eq!(find("../../../elsewhere"), None);
        assert_eq!(find("/etc"), None);
    }
}
