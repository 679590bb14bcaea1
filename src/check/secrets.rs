//! Secrets that must exist: what is required twice merges, and what stands for a value stays out of objects.

use super::instance::each;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::load::Stack;
use crate::load::fields::Fields;
use crate::model::{Instance, RequiredSecret, SecretKey};
use crate::resolve::InstanceScope;
use crate::source::Span;
use crate::value::{Node, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `secrets` of an instance.
pub(super) fn required(
    stack: &Stack,
    scope: &InstanceScope<'_>,
    instance: &Instance,
    sink: &mut Sink,
) -> Vec<RequiredSecret> {
    let mut found: Vec<RequiredSecret> = Vec::new();
    for rule in &stack.secrets {
        each(rule, scope, sink, |body, sink| {
            let secret = secret(&body, rule.span, instance, sink)?;
            let same = |known: &&mut RequiredSecret| {
                known.name == secret.name && known.namespace == secret.namespace
            };
            match found.iter_mut().find(same) {
                Some(known) => merge(known, secret),
                None => found.push(secret),
            }
            Ok(())
        });
    }
    found
}

fn secret(body: &Node, span: Span, instance: &Instance, sink: &mut Sink) -> Result<RequiredSecret, Reported> {
    let fields = Fields::any(body, "a required Secret", sink)?;
    let name = fields.required_text("name", sink)?;
    let namespace = match (fields.text("namespace", sink)?, &instance.namespace) {
        (Some(namespace), _) => namespace,
        (None, Some(namespace)) => Arc::clone(namespace),
        (None, None) => {
            let fact = format!("the required Secret `{name}` has no namespace");
            return Err(sink.report(
                Diagnostic::error(codes::MISSING_NAMESPACE, fact)
                    .at(instance.span, "")
                    .related(span, "required here")
                    .help(format!("add `namespace: ...` to the instance `{}`", instance.name)),
            ));
        }
    };
    let mut keys = Vec::new();
    for (key, entry) in Fields::any(fields.required("keys", sink)?, "`keys` of a Secret", sink)?.entries() {
        let mut found =
            SecretKey { name: Arc::clone(key), format: None, placeholder: None, description: None };
        if entry.node.value != Value::Null {
            let what = format!("the key `{key}` of the Secret `{name}`");
            let options = Fields::open(
                &entry.node,
                &what,
                &["format", "placeholder", "description", "optional"],
                sink,
            )?;
            found.format = options.text("format", sink)?;
            found.placeholder = options.text("placeholder", sink)?;
            found.description = options.text("description", sink)?;
        }
        keys.push(found);
    }
    let editable = fields.get("name").and_then(|node| node.origin.editable());
    Ok(RequiredSecret { name, namespace, keys, span, editable })
}

fn merge(known: &mut RequiredSecret, more: RequiredSecret) {
    for key in more.keys {
        match known.keys.iter_mut().find(|other| other.name == key.name) {
            Some(other) => {
                other.format = other.format.take().or(key.format);
                other.placeholder = other.placeholder.take().or(key.placeholder);
                other.description = other.description.take().or(key.description);
            }
            None => known.keys.push(key),
        }
    }
}

/// Tells where two parts want different things of one key.
pub(super) fn agree(instances: &[Instance], sink: &mut Sink) {
    let mut seen: BTreeMap<(&str, &str, &str), (&SecretKey, &RequiredSecret)> = BTreeMap::new();
    for secret in instances.iter().flat_map(|instance| &instance.secrets) {
        for key in &secret.keys {
            let (first, other) =
                *seen.entry((&secret.namespace, &secret.name, &key.name)).or_insert((key, secret));
            let differ =
                |a: &Option<Arc<str>>, b: &Option<Arc<str>>| matches!((a, b), (Some(a), Some(b)) if a != b);
            if differ(&first.format, &key.format) || differ(&first.placeholder, &key.placeholder) {
                let fact = format!(
                    "the key `{}` of the Secret `{}/{}` is required in two forms",
                    key.name, secret.namespace, secret.name
                );
                let _told = sink.report(
                    Diagnostic::error(codes::SECRET_CONFLICT, fact)
                        .at(secret.span, "")
                        .related(other.span, "the other form")
                        .help("give both the same `format` and `placeholder`"),
                );
            }
        }
    }
}

/// A placeholder stands for a secret in files of hosts; in an object it would reach the cluster as it is.
pub(super) fn placeholders(instances: &[Instance], sink: &mut Sink) {
    let placeholders: Vec<&Arc<str>> = instances
        .iter()
        .flat_map(|instance| &instance.secrets)
        .flat_map(|secret| &secret.keys)
        .filter_map(|key| key.placeholder.as_ref())
        .filter(|placeholder| !placeholder.is_empty())
        .collect();
    if placeholders.is_empty() {
        return;
    }
    for instance in instances {
        for object in &instance.objects {
            object.node.each_leaf(&mut |path, leaf| {
                let Some(text) = leaf.as_str() else { return };
                if let Some(found) =
                    placeholders.iter().find(|placeholder| text.contains(placeholder.as_ref()))
                {
                    let fact = format!("`{path}` of {} holds the placeholder `{found}`", object.id);
                    let _told = sink.report(
                        Diagnostic::error(codes::PLACEHOLDER_IN_OBJECT, fact)
                            .at(leaf.origin.editable(), "")
                            .object(object.id.to_string())
                            .help(
                                "refer to the Secret by name: placeholders are filled in files of hosts only",
                            ),
                    );
                }
            });
        }
    }
}
