//! The machines that k3s runs on: the `config.yaml` of each, as the tree has it.

use super::Item;
use crate::model::{HostFile, HostFormat};
use crate::order::Sequence;
use crate::value::{Node, Value};
use crate::yaml::{self, Keys};
use std::sync::Arc;

/// A machine and its configuration.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name.
    pub name: Arc<str>,
    /// `server` or `agent`.
    pub role: Arc<str>,
    /// What `/etc/rancher/k3s/config.yaml` holds.
    pub config: Node,
    /// What the kubelet's own configuration holds, where there is one.
    pub kubelet: Option<Node>,
}

/// The machines of an environment, servers first.
pub(super) fn machines(sequence: &Sequence, hosts: &[HostFile], items: &[Item]) -> Vec<Machine> {
    let distribution = |host: &&HostFile| {
        sequence.parts().iter().any(|part| {
            part.instance.name == host.instance
                && part.instance.provides.iter().any(|name| &**name == "k3sConfig")
        })
    };
    let files = || hosts.iter().filter(distribution).filter(|host| host.format == HostFormat::Yaml);
    let mut found: Vec<Machine> = files()
        .filter(|host| host.path.file_name() == Some("config.yaml"))
        .filter_map(|host| {
            let folder = host.path.parent()?;
            let kubelet = files().find(|other| {
                other.path.parent() == Some(folder)
                    && other.content.get("kind").and_then(Node::as_str) == Some("KubeletConfiguration")
            });
            let name: Arc<str> = folder.as_str().into();
            let role = items
                .iter()
                .filter(|item| &*item.kind == "machine")
                .find(|item| item.data.get("name").and_then(Node::as_str) == Some(&name))
                .and_then(|item| item.data.get("role"))
                .and_then(Node::as_str)
                .map_or_else(|| Arc::from("server"), Arc::from);
            Some(Machine {
                name,
                role,
                config: host.content.clone(),
                kubelet: kubelet.map(|file| file.content.clone()),
            })
        })
        .collect();
    found.sort_by_key(|machine| &*machine.role != "server");
    found
}

impl Machine {
    /// The flags in their order: name, and each value that it is given.
    pub(super) fn flags(&self) -> Vec<(Arc<str>, Vec<String>)> {
        let members = self.config.as_map().into_iter().flatten();
        members
            .map(|(name, entry)| {
                let values = match &entry.node.value {
                    Value::List(items) => items.iter().map(plain).collect(),
                    _ => vec![plain(&entry.node)],
                };
                (Arc::clone(name), values)
            })
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }
}

/// A scalar as a person writes it; maps and lists in one line.
pub(super) fn plain(node: &Node) -> String {
    match &node.value {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Map(map) => map
            .iter()
            .map(|(key, entry)| format!("{key}={}", plain(&entry.node)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Bool(_) | Value::Number(_) => node.to_json().to_string(),
    }
}

/// The `config.yaml` of each machine; a line says whose it is where there are several.
pub fn k3s_config(machines: &[Machine]) -> String {
    let documents: Vec<String> = machines
        .iter()
        .map(|machine| {
            let mut bytes = format!("# /etc/rancher/k3s/config.yaml of {}\n", machine.name).into_bytes();
            let written = yaml::write(&machine.config, Keys::Natural, &mut bytes);
            // What the tree holds was written once already.
            written.expect("a configuration that was emitted can be written");
            String::from_utf8(bytes).expect("the writer writes UTF-8")
        })
        .collect();
    documents.join("---\n")
}
