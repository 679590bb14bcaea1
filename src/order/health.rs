//! When custom resources are healthy: the table of `schemas/health/`, embedded.

use crate::source::Sources;
use crate::value::Node;
use crate::yaml::{self, Options};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const FILES: &[(&str, &str)] = &[
    ("cert-manager.yaml", include_str!("../../schemas/health/cert-manager.yaml")),
    ("cnpg.yaml", include_str!("../../schemas/health/cnpg.yaml")),
    ("gateway-api.yaml", include_str!("../../schemas/health/gateway-api.yaml")),
    ("k3s.yaml", include_str!("../../schemas/health/k3s.yaml")),
    ("nodes.yaml", include_str!("../../schemas/health/nodes.yaml")),
    ("secrets.yaml", include_str!("../../schemas/health/secrets.yaml")),
];

type Table = BTreeMap<(String, String), String>;

fn read(name: &str, text: &str, table: &mut Table) -> Option<()> {
    let file = Sources::new().add(name, text);
    let node = yaml::read(file, text, Options::STRICT).ok()?;
    for entry in node.as_list()? {
        let word = |key: &str| entry.get(key).and_then(Node::as_str).map(str::to_owned);
        for kind in entry.get("kinds")?.as_list()? {
            table.insert((word("group")?, kind.as_str()?.to_owned()), word("current")?);
        }
    }
    Some(())
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::new();
        for (name, text) in FILES {
            read(name, text, &mut table).expect("the embedded table is well-formed, a test reads it");
        }
        table
    })
}

/// The expression that is true once an object of this kind is healthy; `None` where kstatus knows by itself.
pub(super) fn current(group: &str, kind: &str) -> Option<&'static str> {
    table().get(&(group.to_owned(), kind.to_owned())).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_table_is_embedded_and_well_formed() {
        assert!(current("cert-manager.io", "ClusterIssuer").is_some_and(|text| text.contains("Ready")));
        assert!(current("gateway.networking.k8s.io", "TLSRoute").is_some());
        assert_eq!(current("apps", "Deployment"), None);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/health");
        let on_disk = std::path::Path::new(folder)
            .read_dir()
            .expect("the folder of the table")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with("README"))
            .count();
        assert_eq!(on_disk, FILES.len());
    }

    #[test]
    fn every_expression_is_cel() {
        for expression in table().values() {
            assert!(cel::Program::compile(expression).is_ok(), "{expression}");
        }
    }
}
