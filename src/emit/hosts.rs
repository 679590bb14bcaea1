//! Files that are no Kubernetes objects, below `hosts/<env>/`.

use super::document;
use crate::diag::{Diagnostic, Sink, codes};
use crate::model::{HostFile, HostFormat};
use camino::{Utf8Component, Utf8PathBuf};
use std::collections::BTreeMap;

pub(super) fn write(
    environment: &str,
    hosts: &[HostFile],
    files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>,
    sink: &mut Sink,
) {
    let folder = Utf8PathBuf::from(format!("hosts/{environment}"));
    for host in hosts {
        let inside = host.path.components().all(|part| matches!(part, Utf8Component::Normal(_)));
        if !inside || host.path.as_str().is_empty() {
            sink.report(
                Diagnostic::error(
                    codes::OUTPUT_PATH,
                    format!(
                        "the file `{}` of `{}` would be written outside `{folder}`",
                        host.path, host.instance
                    ),
                )
                .at(host.span, "its path")
                .help("write a relative path without `..`"),
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
        if files.insert(folder.join(&host.path), bytes).is_some() {
            sink.report(
                Diagnostic::error(codes::OUTPUT_PATH, format!("the file `{}` is written twice", host.path))
                    .at(host.span, "written again here")
                    .help("give each file a path of its own, by node or instance"),
            );
        }
    }
}
