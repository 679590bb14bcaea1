//! Files that are no Kubernetes objects, below `hosts/<env>/`; one that its reader would not take is refused.

use super::{document, may_hold, slashed};
use crate::diag::{Diagnostic, Sink, codes};
use crate::model::{HostFile, HostFormat};
use crate::value::{Node, Value};
use crate::yaml::{self, Keys};
use camino::Utf8PathBuf;
use std::collections::BTreeMap;

pub(super) fn write(
    environment: &str,
    hosts: &[HostFile],
    files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
    sink: &mut Sink,
) {
    let folder = Utf8PathBuf::from(format!("hosts/{environment}"));
    for host in hosts {
        let path = slashed(&folder, &host.path);
        if !may_hold(&path, Some(environment)) {
            sink.report(
                Diagnostic::error(
                    codes::OUTPUT_PATH,
                    format!(
                        "the file `{}` of `{}` can have no place below `{folder}`",
                        host.path.as_str().escape_debug(),
                        host.instance
                    ),
                )
                .at(host.span, "its path")
                .help("write a relative path without `..`, without line breaks, and without names that begin with `.git`"),
            );
            continue;
        }
        let above = files.keys().find(|known| path.starts_with(known) || known.starts_with(&path));
        if let Some(known) = above.filter(|known| **known != path) {
            sink.report(
                Diagnostic::error(codes::OUTPUT_PATH, format!("`{path}` and `{known}` cannot both be files"))
                    .at(host.span, "its path")
                    .help("give one of them another path"),
            );
            continue;
        }
        let bytes = match host.format {
            HostFormat::Text => host.content.as_str().unwrap_or_default().as_bytes().to_vec(),
            HostFormat::Yaml => document::print(&host.content, sink),
            HostFormat::CloudConfig => {
                let mut bytes = b"#cloud-config\n".to_vec();
                bytes.extend(document::print(&host.content, sink));
                bytes
            }
        };
        if let Some(limit) = host.limit.filter(|limit| bytes.len() > *limit) {
            sink.report(too_large(host, bytes.len(), limit));
        }
        if files.insert(path, bytes).is_some() {
            sink.report(
                Diagnostic::error(codes::OUTPUT_PATH, format!("the file `{}` is written twice", host.path))
                    .at(host.span, "written again here")
                    .help("give each file a path of its own, by node or instance"),
            );
        }
    }
}

/// A file that is larger than its reader takes, with what is large in it.
fn too_large(host: &HostFile, bytes: usize, limit: usize) -> Diagnostic {
    let fact = format!("`{}` has {bytes} bytes, and at most {limit} are taken", host.path);
    let mut pieces = Vec::new();
    pieces_of(&host.content, "", &mut pieces);
    pieces.sort_by(|(a, first), (b, second)| second.cmp(first).then_with(|| a.cmp(b)));
    let mut finding = Diagnostic::error(codes::TOO_LARGE, fact).at(host.span, "written here");
    for (name, size) in pieces.iter().take(6) {
        finding = finding.note(format!("{size} bytes: {name}"));
    }
    finding.help(
        "take a stack out of the overlay, shorten its `values`, or let the machine download what is large",
    )
}

/// The members of a file and their sizes; a list by its items, named by what names them.
fn pieces_of(node: &Node, name: &str, pieces: &mut Vec<(String, usize)>) {
    match &node.value {
        Value::Map(map) if name.is_empty() => {
            for (key, entry) in map {
                pieces_of(&entry.node, key, pieces);
            }
        }
        Value::List(items) if items.iter().any(|item| item.as_map().is_some()) => {
            for (index, item) in items.iter().enumerate() {
                let title = ["path", "name"].iter().find_map(|key| item.get(key).and_then(Node::as_str));
                let piece =
                    title.map_or_else(|| format!("{name}[{index}]"), |title| format!("{name}: {title}"));
                pieces.push((piece, size(item)));
            }
        }
        _ => pieces.push((name.to_owned(), size(node))),
    }
}

fn size(node: &Node) -> usize {
    let mut bytes = Vec::new();
    // What cannot be written is told where the whole file is.
    yaml::write(node, Keys::Natural, &mut bytes).map_or(0, |()| bytes.len())
}
