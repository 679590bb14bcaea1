//! Files of machines: every key is one that k3s or Kairos knows, and holds what it takes.
//!
//! A flag that k3s does not know keeps it from starting; a key that Kairos does not know is ignored without a word.
//! Both are found here, before a machine is. What is known is data, in `schemas/hosts`.

use crate::diag::{Diagnostic, Sink, codes, did_you_mean};
use crate::load::fields::article;
use crate::model::{HostFile, HostFormat, HostSchema};
use crate::value::{Entry, Node, Origin, Value};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Checks the files of machines that have a schema.
pub fn hosts(files: &[HostFile], sink: &mut Sink) {
    for file in files {
        let schema = match (file.format, file.schema) {
            (HostFormat::CloudConfig, None) => HostSchema::CloudConfig,
            (_, Some(schema)) => schema,
            (_, None) => continue,
        };
        let mut check = Check { file, table: table(schema), schema, sink };
        check.node(&file.content, "", "");
    }
}

/// What a key takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Takes {
    Bool,
    Int,
    String,
    Scalar,
    List,
    Map,
    Any,
    Stage,
}

/// Paths of keys and what they take; children stand under their parent's path.
#[derive(Debug, Default)]
struct Table {
    keys: BTreeMap<&'static str, BTreeMap<&'static str, Takes>>,
}

fn table(schema: HostSchema) -> &'static Table {
    static SERVER: OnceLock<Table> = OnceLock::new();
    static AGENT: OnceLock<Table> = OnceLock::new();
    static CLOUD_CONFIG: OnceLock<Table> = OnceLock::new();
    let (cell, text) = match schema {
        HostSchema::K3sServer => (&SERVER, include_str!("../../schemas/hosts/k3s-server.txt")),
        HostSchema::K3sAgent => (&AGENT, include_str!("../../schemas/hosts/k3s-agent.txt")),
        HostSchema::CloudConfig => (&CLOUD_CONFIG, include_str!("../../schemas/hosts/cloud-config.txt")),
    };
    cell.get_or_init(|| read(text))
}

fn read(text: &'static str) -> Table {
    let mut table = Table::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((path, takes)) = line.split_once(' ') else { continue };
        let takes = match takes {
            "bool" => Takes::Bool,
            "int" => Takes::Int,
            "string" => Takes::String,
            "scalar" => Takes::Scalar,
            "list" => Takes::List,
            "map" => Takes::Map,
            "stage" => Takes::Stage,
            _ => Takes::Any,
        };
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        table.keys.entry(parent).or_default().insert(key, takes);
        if let Some(list) = parent.strip_suffix("/[]") {
            table.keys.entry(list).or_default().insert("[]", Takes::Map);
        }
    }
    table
}

struct Check<'a> {
    file: &'a HostFile,
    table: &'static Table,
    schema: HostSchema,
    sink: &'a mut Sink,
}

impl Check<'_> {
    /// Checks what is below `node`: `row` is its path in the table, `place` the path as a person reads it.
    fn node(&mut self, node: &Node, row: &str, place: &str) {
        let Some(known) = self.table.keys.get(row) else { return };
        match &node.value {
            Value::Map(map) => {
                for (key, entry) in map {
                    // k3s adds to what is there where a name ends in `+`.
                    let name = if self.schema == HostSchema::CloudConfig {
                        key.as_ref()
                    } else {
                        key.strip_suffix('+').unwrap_or(key)
                    };
                    let (column, takes) = match (known.get_key_value(name), known.get("*")) {
                        (Some((column, takes)), _) => (*column, *takes),
                        (None, Some(takes)) => ("*", *takes),
                        (None, None) => {
                            self.unknown(key, entry, place, known);
                            continue;
                        }
                    };
                    self.value(&entry.node, &join(row, column), &join(place, key), takes);
                }
            }
            Value::List(items) => {
                let row = join(row, "[]");
                let takes = known.get("[]").copied().unwrap_or(Takes::Map);
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &row, &format!("{place}[{index}]"), takes);
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, node: &Node, row: &str, place: &str, takes: Takes) {
        let scalar = !matches!(node.value, Value::Map(_) | Value::List(_) | Value::Null);
        let fits = match takes {
            Takes::Bool => node.as_bool().is_some(),
            Takes::Int => node.as_int().is_some(),
            Takes::String => node.as_str().is_some(),
            Takes::Scalar => scalar,
            Takes::Map => node.as_map().is_some(),
            Takes::List => node.as_list().is_some() || scalar && self.schema != HostSchema::CloudConfig,
            Takes::Stage => node.as_list().is_some(),
            Takes::Any => true,
        };
        if !fits {
            let wanted = match takes {
                Takes::Bool => "true or false",
                Takes::Int => "a whole number",
                Takes::String => "a string",
                Takes::Scalar => "a single value",
                Takes::List | Takes::Stage => "a list",
                Takes::Map | Takes::Any => "a map",
            };
            let fact = format!(
                "`{}` of `{}` is {}, and {} takes {wanted}",
                place.replace('/', "."),
                self.file.path,
                article(node.value.kind()),
                self.reader()
            );
            self.sink.report(
                self.at(Diagnostic::error(codes::WRONG_TYPE, fact), &node.origin)
                    .help(format!("give it {wanted}")),
            );
            return;
        }
        self.node(node, if takes == Takes::Stage { "stage" } else { row }, place);
    }

    fn unknown(&mut self, key: &str, entry: &Entry, place: &str, known: &BTreeMap<&'static str, Takes>) {
        let place =
            if place.is_empty() { String::new() } else { format!(" in `{}`", place.replace('/', ".")) };
        let what = if self.schema == HostSchema::CloudConfig { "key" } else { "flag" };
        let fact =
            format!("{} knows no {what} `{key}`{place}, which `{}` holds", self.reader(), self.file.path);
        let finding = self.at(Diagnostic::error(codes::UNKNOWN_KEY, fact), &entry.key);
        self.sink.report(match did_you_mean(key, known.keys().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(match self.schema {
                HostSchema::K3sServer => "`k3s server --help` lists them",
                HostSchema::K3sAgent => "`k3s agent --help` lists them",
                HostSchema::CloudConfig => "the reference of Kairos lists them",
            }),
        });
    }

    fn at(&self, finding: Diagnostic, origin: &Origin) -> Diagnostic {
        let at = origin.editable().or_else(|| origin.span()).unwrap_or(self.file.span);
        let finding = finding.at(at, "");
        if at == self.file.span {
            finding
        } else {
            finding.related(self.file.span, "the file is written here")
        }
    }

    fn reader(&self) -> &'static str {
        match self.schema {
            HostSchema::K3sServer => "a k3s server",
            HostSchema::K3sAgent => "a k3s agent",
            HostSchema::CloudConfig => "Kairos",
        }
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}/{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Sources, Span};
    use crate::yaml;

    fn found(schema: HostSchema, text: &str) -> Vec<String> {
        let id: FileId = Sources::new().add("c.yaml", text);
        let content = yaml::read(id, text, yaml::Options::STRICT).expect("YAML");
        let file = HostFile {
            path: "n/c.yaml".into(),
            format: HostFormat::Yaml,
            content,
            instance: "i".into(),
            schema: Some(schema),
            limit: None,
            span: Span::new(id, 0, 0),
        };
        let mut sink = Sink::new();
        hosts(&[file], &mut sink);
        sink.into_found()
            .into_iter()
            .map(|finding| format!("{}: {}", finding.code, finding.message))
            .collect()
    }

    #[test]
    fn flags_of_servers_and_agents_are_told_apart() {
        let text = "cluster-init: true\nnode-ip: 10.0.0.1\ntls-san+: [a]\nkubelet-arg: [a=b]\n";
        assert_eq!(found(HostSchema::K3sServer, text), [""; 0]);
        assert_eq!(
            found(HostSchema::K3sAgent, text),
            [
                "unknown-key: a k3s agent knows no flag `cluster-init`, which `n/c.yaml` holds",
                "unknown-key: a k3s agent knows no flag `tls-san+`, which `n/c.yaml` holds",
            ]
        );
        assert_eq!(
            found(HostSchema::K3sServer, "cluster-init: 'true'\netcd-snapshot-retention: many\n"),
            [
                "wrong-type: `cluster-init` of `n/c.yaml` is a string, and a k3s server takes true or false",
                "wrong-type: `etcd-snapshot-retention` of `n/c.yaml` is a string, and a k3s server takes a whole number",
            ]
        );
    }

    #[test]
    fn a_cloud_config_is_checked_down_to_the_steps_of_its_stages() {
        let good = "users: [{name: k, ssh_authorized_keys: [a]}]\nk3s: {enabled: true, env: {A: b}}\nstages:\n  boot:\n  - {name: step, commands: [a], files: [{path: /a, content: b, permissions: 384}]}\n  boot.after: []\nwrite_files: [{path: /a, content: b, permissions: '0600'}]\n";
        assert_eq!(found(HostSchema::CloudConfig, good), [""; 0]);
        assert_eq!(
            found(
                HostSchema::CloudConfig,
                "users: [{nme: k}]\nstages:\n  boots: []\n  boot:\n  - {command: [a]}\n  - {commands: a}\nk3s: {args: x}\nwrite_files: [a]\n"
            ),
            [
                "unknown-key: Kairos knows no key `nme` in `users[0]`, which `n/c.yaml` holds",
                "unknown-key: Kairos knows no key `boots` in `stages`, which `n/c.yaml` holds",
                "unknown-key: Kairos knows no key `command` in `stages.boot[0]`, which `n/c.yaml` holds",
                "wrong-type: `stages.boot[1].commands` of `n/c.yaml` is a string, and Kairos takes a list",
                "wrong-type: `k3s.args` of `n/c.yaml` is a string, and Kairos takes a list",
                "wrong-type: `write_files[0]` of `n/c.yaml` is a string, and Kairos takes a map",
            ]
        );
    }
}
