//! Prerequisites as a NixOS module: kernel, firewall and `services.k3s`.
//!
//! Flags that NixOS has an option for become that option, the rest `extraFlags`; what k3s bundles is switched off by
//! flags too, which every release of NixOS takes.

use super::machine::{Machine, plain};
use super::{Item, Prerequisites};
use crate::value::{Node, Value};

/// A module; where there are several machines, a set with the module of each by its name.
pub fn nix(needed: &Prerequisites) -> String {
    let head = format!("# Written by `stackc prereqs -e {} --format nix`.\n", needed.environment);
    match needed.machines.as_slice() {
        [] => format!("{head}{}\n", module(needed, None, 0)),
        [machine] => format!("{head}{}\n", module(needed, Some(machine), 0)),
        machines => {
            let mut out = format!("{head}{{\n");
            for machine in machines {
                let name = attribute(&machine.name);
                out.push_str(&format!("  {name} = {};\n", module(needed, Some(machine), 1)));
            }
            out.push_str("}\n");
            out
        }
    }
}

fn module(needed: &Prerequisites, machine: Option<&Machine>, depth: usize) -> String {
    let mut set = Set::new(depth + 1);
    let field = |item: &Item, name: &str| item.data.get(name).map(plain).unwrap_or_default();
    let modules = needed.of_kind("kernelModule").map(|item| string(&field(item, "name")));
    set.list("boot.kernelModules", modules);
    let mut sysctls = Set::new(depth + 2);
    for item in needed.of_kind("sysctl") {
        let value = item.data.get("value").map_or_else(|| "null".to_owned(), scalar);
        sysctls.add(&string(&field(item, "name")), &value);
    }
    set.nested("boot.kernel.sysctl", sysctls);
    let ports: Vec<String> = needed.of_kind("port").map(|item| field(item, "port")).collect();
    let trusted: Vec<String> =
        needed.of_kind("trustedInterface").map(|item| string(&field(item, "name"))).collect();
    if !ports.is_empty() || !trusted.is_empty() {
        let mut firewall = Set::new(depth + 2);
        firewall.add("enable", "true");
        for (protocol, option) in [("tcp/", "TCP"), ("udp/", "UDP")] {
            let of = || ports.iter().filter_map(|port| port.strip_prefix(protocol));
            firewall.list(
                &format!("allowed{option}Ports"),
                of().filter(|port| port.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned),
            );
            let ranges = of().filter_map(|port| port.split_once('-'));
            firewall.list(
                &format!("allowed{option}PortRanges"),
                ranges.map(|(from, to)| format!("{{ from = {from}; to = {to}; }}")),
            );
        }
        firewall.list("trustedInterfaces", trusted.into_iter());
        set.nested("networking.firewall", firewall);
    }
    if let Some(machine) = machine {
        set.nested("services.k3s", k3s(machine, depth + 2));
    }
    format!("{{ ... }}:\n{}{}", "  ".repeat(depth), set.close())
}

/// Flags that are options of `services.k3s`: the flag, the option.
const OPTIONS: &[(&str, &str)] =
    &[("cluster-init", "clusterInit"), ("server", "serverAddr"), ("token-file", "tokenFile")];

fn k3s(machine: &Machine, depth: usize) -> Set {
    let mut set = Set::new(depth);
    set.add("enable", "true");
    set.add("role", &string(&machine.role));
    for (flag, option) in OPTIONS {
        if let Some(value) = machine.config.get(flag) {
            set.add(option, &scalar(value));
        }
    }
    let mut flags = Vec::new();
    for (flag, values) in machine.flags() {
        if OPTIONS.iter().any(|(known, _)| *known == &*flag) {
            continue;
        }
        let bool = machine.config.get(&flag).and_then(Node::as_bool);
        for value in values {
            // The kubelet's own file is an option as well.
            let file = machine.kubelet.is_some() && &*flag == "kubelet-arg" && value.starts_with("config=");
            match bool {
                _ if file => {}
                Some(true) => flags.push(string(&format!("--{flag}"))),
                _ => flags.push(string(&format!("--{flag}={value}"))),
            }
        }
    }
    set.list("extraFlags", flags.into_iter());
    if let Some(kubelet) = machine.kubelet.as_ref().and_then(Node::as_map) {
        let mut shutdown = Set::new(depth + 1);
        let mut extra = Set::new(depth + 1);
        for (name, entry) in kubelet {
            match &**name {
                "apiVersion" | "kind" => {}
                "shutdownGracePeriod" | "shutdownGracePeriodCriticalPods" => {
                    if shutdown.is_empty() {
                        shutdown.add("enable", "true");
                    }
                    shutdown.add(name, &scalar(&entry.node));
                }
                _ => extra.add(&attribute(name), &scalar(&entry.node)),
            }
        }
        set.nested("gracefulNodeShutdown", shutdown);
        set.nested("extraKubeletConfig", extra);
    }
    set
}

/// An attribute set being written.
struct Set {
    depth: usize,
    lines: Vec<String>,
}

impl Set {
    fn new(depth: usize) -> Self {
        Self { depth, lines: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn add(&mut self, name: &str, value: &str) {
        self.lines.push(format!("{name} = {value};"));
    }

    fn list(&mut self, name: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.collect();
        if items.is_empty() {
            return;
        }
        let short = items.iter().map(String::len).sum::<usize>() < 70;
        let text = if short {
            format!("[ {} ]", items.join(" "))
        } else {
            let pad = "  ".repeat(self.depth);
            let lines = items.iter().fold(String::new(), |out, item| out + &format!("{pad}  {item}\n"));
            format!("[\n{lines}{pad}]")
        };
        self.add(name, &text);
    }

    fn nested(&mut self, name: &str, inner: Self) {
        if !inner.is_empty() {
            self.add(name, &inner.close());
        }
    }

    fn close(self) -> String {
        let pad = "  ".repeat(self.depth);
        let lines = self.lines.iter().fold(String::new(), |out, line| out + &format!("{pad}{line}\n"));
        format!("{{\n{lines}{}}}", "  ".repeat(self.depth - 1))
    }
}

/// A value in Nix.
fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => plain(node),
        Value::String(text) => string(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            format!("[ {} ]", items.join(" "))
        }
        Value::Map(map) => {
            let members: Vec<String> = map
                .iter()
                .map(|(key, entry)| format!("{} = {};", attribute(key), scalar(&entry.node)))
                .collect();
            format!("{{ {} }}", members.join(" "))
        }
    }
}

/// A string in Nix.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name in an attribute set: quoted where it is no identifier.
fn attribute(name: &str) -> String {
    const WORDS: &[&str] = &["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit", "or"];
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\''))
        && !WORDS.contains(&name);
    if plain { name.to_owned() } else { string(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_names_are_quoted_as_nix_reads_them() {
        assert_eq!(string("a\"b\\c${d} $e\n"), r#""a\"b\\c\${d} $e\n""#);
        assert_eq!(attribute("k3s-mgr"), "k3s-mgr");
        assert_eq!(attribute("1st"), "\"1st\"");
        assert_eq!(attribute("with"), "\"with\"");
    }
}
