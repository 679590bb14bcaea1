//! Prerequisites and checks for people: tables by kind, steps in their order, commands to copy.

use super::machine::plain;
use super::secrets::HandMade;
use super::table::table;
use super::{After, Item, Prerequisites};
use crate::value::Node;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The kinds that have a heading of their own, in the order in which a person needs them. Others follow by name.
const KINDS: &[(&str, &str)] = &[
    ("machine", "Machines"),
    ("nodePool", "Node pools"),
    ("network", "Private network"),
    ("firewall", "Firewall in front of the machines"),
    ("loadBalancer", "Load balancer, made by hand"),
    ("kernelModule", "Kernel modules"),
    ("sysctl", "Kernel settings"),
    ("port", "Ports of the machines' own firewall"),
    ("trustedInterface", "Interfaces that the machines' own firewall trusts"),
    ("bucket", "Buckets"),
    ("dnsRecord", "DNS records"),
    ("placeholder", "Placeholders in the cloud-config"),
];

/// All of it, for people.
pub fn text(needed: &Prerequisites) -> String {
    let mut sections: Vec<(String, String)> = Vec::new();
    let mut section = |head: &str, body: String| {
        if !body.is_empty() {
            sections.push((head.to_owned(), body));
        }
    };
    for (kind, head) in KINDS {
        section(head, items(&needed.of_kind(kind).collect::<Vec<_>>()));
        if *kind == "trustedInterface" {
            section("Flags of k3s", flags(needed));
        }
    }
    let known: BTreeSet<&str> = KINDS.iter().map(|(kind, _)| *kind).chain(["step"]).collect();
    let others: BTreeSet<&Arc<str>> = needed.items.iter().map(|item| &item.kind).collect();
    for kind in others.into_iter().filter(|kind| !known.contains(kind.as_ref())) {
        section(&words(kind), items(&needed.of_kind(kind).collect::<Vec<_>>()));
    }
    section("Secrets that exist in no file of the tree", secrets(needed));
    section("Manifests that are fetched, not in the tree", references(needed));
    for (topic, steps) in topics(needed) {
        section(topic.as_deref().unwrap_or("Steps"), steps);
    }
    section("Before Flux can run", handover(needed));
    if sections.is_empty() {
        return format!("{} needs nothing that is not in its tree\n", needed.environment);
    }
    let mut out = format!("What {} needs that is not in its tree\n", needed.environment);
    for (head, body) in sections {
        out.push_str(&format!("\n{head}\n{body}"));
    }
    out
}

/// Things of one kind, a row each under the names of their fields.
fn items(items: &[&Item]) -> String {
    let mut fields: Vec<&Arc<str>> = Vec::new();
    for (name, _) in items.iter().filter_map(|item| item.data.as_map()).flatten() {
        if !fields.contains(&name) {
            fields.push(name);
        }
    }
    if items.is_empty() {
        return String::new();
    }
    if fields.is_empty() {
        return items.iter().fold(String::new(), |out, item| out + &format!("  {}\n", plain(&item.data)));
    }
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let cell = |name: &&Arc<str>| {
                item.data.get(name).map(plain).unwrap_or_default().trim_end().replace('\n', ", ")
            };
            fields.iter().map(cell).collect()
        })
        .collect();
    if let [_] = fields.as_slice() {
        return rows.into_iter().flatten().fold(String::new(), |out, cell| out + &format!("  {cell}\n"));
    }
    let heads: Vec<String> = fields.iter().map(|name| words(name).to_uppercase()).collect();
    table(&heads, &rows, "  ")
}

/// `privateIP` as `private IP`.
fn words(name: &str) -> String {
    let mut out = String::new();
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && before_lower {
            out.push(' ');
        }
        before_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c);
    }
    out
}

/// Every flag once, with the machines that it is for.
fn flags(needed: &Prerequisites) -> String {
    let mut rows: Vec<(Arc<str>, String, Vec<Arc<str>>)> = Vec::new();
    for machine in &needed.machines {
        for (flag, values) in machine.flags() {
            let value = values.join(", ");
            match rows.iter_mut().find(|(known, other, _)| *known == flag && *other == value) {
                Some((_, _, machines)) => machines.push(Arc::clone(&machine.name)),
                None => rows.push((flag, value, vec![Arc::clone(&machine.name)])),
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let several = needed.machines.len() > 1;
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(flag, value, machines)| {
            let machines = match (several, machines.len() == needed.machines.len()) {
                (false, _) => String::new(),
                (true, true) => "all".to_owned(),
                (true, false) => machines.join(", "),
            };
            vec![format!("--{flag}"), value, machines]
        })
        .collect();
    table(&["FLAG".into(), "VALUE".into(), "MACHINES".into()], &rows, "  ")
}

fn secrets(needed: &Prerequisites) -> String {
    let rows: Vec<Vec<String>> = needed.secrets.iter().map(secret).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = ["SECRET", "KEYS", "READ BY", "LATER"].map(String::from);
    let mut out = table(&heads, &rows, "  ");
    for secret in &needed.secrets {
        for key in &secret.keys {
            if let Some(description) = &key.description {
                out.push_str(&format!(
                    "  {}/{} {}: {description}\n",
                    secret.namespace, secret.name, key.name
                ));
            }
        }
    }
    out.push_str("\n  with each value in a variable, or in a file at PATH:\n");
    let mut namespaces: Vec<&str> = Vec::new();
    for secret in &needed.secrets {
        let namespace = &*secret.namespace;
        let given = matches!(namespace, "default" | "kube-system" | "kube-public" | "kube-node-lease");
        if !given && !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    for namespace in namespaces {
        out.push_str(&format!("  $ kubectl create namespace {namespace}\n"));
    }
    for secret in &needed.secrets {
        out.push_str(&format!("  $ {}\n", secret.command()));
    }
    if needed.targets.cloud_config && needed.secrets.iter().any(has_placeholder) {
        out.push_str(
            "\n  A machine that boots from the filled-in cloud-config makes those with placeholders by itself.\n",
        );
    }
    out
}

fn has_placeholder(secret: &HandMade) -> bool {
    secret.keys.iter().any(|key| key.placeholder.is_some())
}

fn secret(secret: &HandMade) -> Vec<String> {
    let keys: Vec<String> = secret
        .keys
        .iter()
        .map(|key| match &key.format {
            Some(format) => format!("{} ({format})", key.name),
            None => key.name.to_string(),
        })
        .collect();
    let later = if secret.supersedable { "an encrypted one may take over" } else { "" };
    vec![
        format!("{}/{}", secret.namespace, secret.name),
        keys.join(", "),
        secret.readers.join(", "),
        later.to_owned(),
    ]
}

fn references(needed: &Prerequisites) -> String {
    let mut out = String::new();
    for reference in &needed.references {
        let manifest = &reference.manifest;
        out.push_str(&format!("  {} of {}: {}\n", manifest.name, reference.instance, manifest.url));
        if let Some(sha256) = &manifest.sha256 {
            out.push_str(&format!("    SHA-256 {sha256}\n"));
        }
        if needed.targets.flux {
            out.push_str(&match &manifest.git {
                Some((url, revision, path)) => {
                    format!("    Flux fetches {path} of {url} at {revision} by itself\n")
                }
                None => "    Flux has no Git source for it: apply it by hand, as for kluctl\n".to_owned(),
            });
        }
        if needed.targets.cloud_config {
            out.push_str("    the cloud-config downloads it before the rest\n");
        }
        if needed.targets.kluctl {
            out.push_str("    kluctl does not fetch it; before `kluctl deploy`:\n");
            for command in super::data::commands(manifest) {
                out.push_str(&format!("    $ {command}\n"));
            }
        }
    }
    out
}

/// The steps by topic: those without one first.
fn topics(needed: &Prerequisites) -> Vec<(Option<String>, String)> {
    let mut topics: Vec<(Option<String>, Vec<&Item>)> = vec![(None, Vec::new())];
    for item in needed.of_kind("step") {
        let topic = item.data.get("topic").and_then(Node::as_str).map(capital);
        match topics.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, steps)) => steps.push(item),
            None => topics.push((topic, vec![item])),
        }
    }
    topics
        .into_iter()
        .map(|(topic, steps)| {
            let mut out = String::new();
            for (index, item) in steps.iter().enumerate() {
                let field = |name: &str| item.data.get(name).map(plain).unwrap_or_default();
                out.push_str(&format!("  {}. {}\n", index + 1, field("step")));
                for line in field("command").lines() {
                    out.push_str(&format!("     $ {line}\n"));
                }
            }
            (topic, out)
        })
        .collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn handover(needed: &Prerequisites) -> String {
    if !needed.targets.flux || needed.handover.is_empty() || needed.targets.cloud_config {
        return String::new();
    }
    let mut out = format!(
        "  its own Pods need the network and names: {} have to be there first\n",
        needed.handover.join(", ")
    );
    if needed.targets.kluctl {
        let include: Vec<String> = needed.handover.iter().map(|unit| format!("-I {unit}")).collect();
        out.push_str(&format!(
            "  $ kluctl deploy -t {} --project-dir {} {} --abort-on-error\n",
            needed.environment,
            needed.folder,
            include.join(" ")
        ));
    }
    out
}

/// The checks as a script: what each shows stands above it.
pub fn text_after(environment: &str, checks: &[After]) -> String {
    let mut out = format!("# Checks of {environment}, in the order in which its parts come up.\n");
    let mut instance = None;
    for check in checks {
        if instance != Some(&check.instance) {
            out.push_str(&format!("\n## {}\n", check.instance));
            instance = Some(&check.instance);
        }
        for line in check.description.lines() {
            out.push_str(&format!("# {line}\n"));
        }
        out.push_str(&format!("{}\n", check.command.trim_end()));
    }
    out
}
