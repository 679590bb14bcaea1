//! Names, labels and annotations, by the rules of `apimachinery/pkg/util/validation` (1.34).

use crate::diag::{Diagnostic, Sink, codes};
use crate::link::pod_spec;
use crate::model::Object;
use crate::source::Span;
use crate::value::{Map, Node, Path, Value};

pub(super) fn check(object: &Object, fallback: Option<Span>, sink: &mut Sink) {
    if let Err(why) = name(object) {
        let at = object.node.at(&["metadata", "name"]).and_then(|node| node.origin.editable());
        sink.report(fault(
            object,
            format!("the name `{}` of a {} {why}", object.id.name, object.id.kind),
            at.or(fallback),
        ));
    }
    metadata(object, &["metadata"], fallback, sink);
    if let Some((path, _)) = pod_spec(object) {
        let keys: Vec<String> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                crate::value::Segment::Key(key) => key.to_string(),
                crate::value::Segment::Index(index) => index.to_string(),
            })
            .collect();
        if let Some((last, parents)) = keys.split_last()
            && last == "spec"
            && !parents.is_empty()
        {
            let keys: Vec<&str> = parents.iter().map(String::as_str).chain(["metadata"]).collect();
            metadata(object, &keys, fallback, sink);
        }
    }
}

fn fault(object: &Object, message: String, at: Option<Span>) -> Diagnostic {
    Diagnostic::error(codes::INVALID_NAME, message)
        .at(at, "")
        .object(object.id.to_string())
        .help("Kubernetes would refuse the object: shorten or respell it")
}

/// Whether a kind takes the object's name.
fn name(object: &Object) -> Result<(), String> {
    let name = &*object.id.name;
    match (&*object.id.group, &*object.id.kind) {
        ("", "Namespace") => label(name),
        ("", "Service") => label(name).and_then(|()| {
            if name.starts_with(|first: char| first.is_ascii_digit()) {
                Err("starts with a digit".to_owned())
            } else {
                Ok(())
            }
        }),
        ("rbac.authorization.k8s.io", _) => match name {
            "" => Err("is empty".to_owned()),
            "." | ".." => Err("is no path segment".to_owned()),
            _ if name.contains(['/', '%']) => Err("may not hold `/` or `%`".to_owned()),
            _ => Ok(()),
        },
        ("batch", "CronJob") => subdomain(name).and_then(|()| longest(name, 52)),
        _ => subdomain(name),
    }
}

fn longest(text: &str, most: usize) -> Result<(), String> {
    match text.len() {
        0 => Err("is empty".to_owned()),
        length if length > most => Err(format!("has {length} characters, {most} are allowed")),
        _ => Ok(()),
    }
}

/// A DNS label of RFC 1123.
fn label(text: &str) -> Result<(), String> {
    longest(text, 63)?;
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-') {
        Ok(())
    } else {
        Err("may hold lower-case letters, digits and `-` only, and starts and ends with a letter or digit"
            .to_owned())
    }
}

/// A DNS subdomain of RFC 1123; its parts may be longer than 63 characters.
fn subdomain(text: &str) -> Result<(), String> {
    longest(text, 253)?;
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if text.split('.').all(part) {
        Ok(())
    } else {
        Err("may hold lower-case letters, digits, `-` and `.` only, and every part starts and ends with a letter or digit".to_owned())
    }
}

fn metadata(object: &Object, keys: &[&str], fallback: Option<Span>, sink: &mut Sink) {
    let Some(node) = object.node.at(keys) else { return };
    for (field, labels) in [("labels", true), ("annotations", false)] {
        let Some(map) = node.get(field).and_then(Node::as_map) else { continue };
        let path = Path::of(keys).key(field);
        pairs(object, map, &path, labels, fallback, sink);
    }
}

fn pairs(object: &Object, map: &Map, path: &Path, labels: bool, fallback: Option<Span>, sink: &mut Sink) {
    let word = if labels { "label" } else { "annotation" };
    for (key, entry) in map {
        let at = entry.node.origin.editable().or(fallback);
        if let Err(why) = qualified(key, labels) {
            let at = entry.key.editable().or(at);
            sink.report(fault(object, format!("the key of {word} `{key}` {why}"), at));
        }
        match &entry.node.value {
            Value::String(text) if labels => {
                if let Err(why) = label_value(text) {
                    sink.report(fault(object, format!("the value `{text}` of label `{key}` {why}"), at));
                }
            }
            Value::String(_) | Value::Null => {}
            other => {
                sink.report(
                    Diagnostic::error(
                        codes::INVALID_NAME,
                        format!("{word} `{key}` is of type {}, and {word}s are strings", other.kind()),
                    )
                    .at(at, format!("`{path}`"))
                    .object(object.id.to_string())
                    .help("quote it, or make a string of it with `string(...)`"),
                );
            }
        }
    }
}

/// `prefix/name`; the prefix of an annotation may be in upper case.
fn qualified(key: &str, label: bool) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        let prefix = if label { prefix.to_owned() } else { prefix.to_ascii_lowercase() };
        subdomain(&prefix).map_err(|why| format!("has a prefix that {why}"))?;
    }
    longest(name, 63)?;
    words(name)
}

fn label_value(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    longest(text, 63)?;
    words(text)
}

fn words(text: &str) -> Result<(), String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().last()) {
        Ok(())
    } else {
        Err("may hold letters, digits, `-`, `_` and `.` only, and starts and ends with a letter or digit"
            .to_owned())
    }
}
