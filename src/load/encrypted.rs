//! Encrypted Secrets: their bytes are kept as they are, only what stays readable in them is read.
//!
//! Refused is what a repository must not hold: a document without SOPS metadata, and one with a value that SOPS
//! was told to leave in plain text.

use super::fields::Fields;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::{EncryptedFile, Gvk, ObjectId};
use crate::source::Span;
use crate::value::{Node, Value};
use camino::Utf8Path;
use std::sync::Arc;

const SOPS_SECRET_GROUP: &str = "isindir.github.com";

/// Reads the identities in an encrypted file.
pub(super) fn read(
    path: &Utf8Path,
    bytes: Arc<[u8]>,
    documents: &[Node],
    span: Span,
    sink: &mut Sink,
) -> Result<EncryptedFile, Reported> {
    let mut file = EncryptedFile {
        path: path.to_owned(),
        bytes,
        objects: Vec::new(),
        sops_secret: false,
        creates: Vec::new(),
        recipients: Vec::new(),
        span,
    };
    for document in documents.iter().filter(|document| document.value != Value::Null) {
        let _told = object(path, document, &mut file, sink);
    }
    if file.objects.is_empty() && !sink.failed() {
        let finding = Diagnostic::error(codes::NOT_ENCRYPTED, format!("`{path}` holds no object"));
        let _told =
            sink.report(finding.at(span.head(), "").help("put an encrypted Secret here, or remove the file"));
    }
    file.recipients.sort();
    file.recipients.dedup();
    sink.finish(file)
}

fn object(
    path: &Utf8Path,
    document: &Node,
    file: &mut EncryptedFile,
    sink: &mut Sink,
) -> Result<(), Reported> {
    let fields = Fields::any(document, "an encrypted object", sink)?;
    let encrypt = format!("run `sops encrypt --in-place {path}`");
    let api_version = fields.required_text("apiVersion", sink)?;
    let kind = fields.required_text("kind", sink)?;
    let metadata = Fields::any(fields.required("metadata", sink)?, "`metadata`", sink)?;
    let name = metadata.required_text("name", sink)?;
    let namespace = metadata.required_text("namespace", sink)?;
    let gvk = Gvk::new(&api_version, &kind);
    let id = ObjectId { group: gvk.group, kind: Arc::clone(&kind), namespace: Some(namespace), name };
    let Some(sops) = fields.get("sops").filter(|sops| sops.get("mac").is_some()) else {
        let finding = Diagnostic::error(codes::NOT_ENCRYPTED, format!("{id} in `{path}` is not encrypted"));
        return Err(sink.report(
            finding
                .at(document.span().map(Span::head), "no `sops` metadata below")
                .object(id.to_string())
                .help(encrypt),
        ));
    };
    for recipient in sops.get("age").and_then(Node::as_list).unwrap_or_default() {
        if let Some(Value::String(recipient)) = recipient.get("recipient").map(|node| &node.value) {
            file.recipients.push(Arc::clone(recipient));
        }
    }
    let keys;
    if kind.as_ref() == "SopsSecret" && id.group.as_ref() == SOPS_SECRET_GROUP {
        file.sops_secret = true;
        keys = Vec::new();
        for template in document.at(&["spec", "secretTemplates"]).and_then(Node::as_list).unwrap_or_default()
        {
            let keys = secret_keys(path, template, &id, sink);
            if let Some(name) = template.get("name").and_then(Node::as_str).filter(|name| !is_cipher(name)) {
                let secret = ObjectId {
                    group: "".into(),
                    kind: "Secret".into(),
                    namespace: id.namespace.clone(),
                    name: name.into(),
                };
                file.creates.push((secret, keys));
            }
        }
    } else {
        keys = secret_keys(path, document, &id, sink);
    }
    file.objects.push((id, keys));
    Ok(())
}

/// The keys of `data` and `stringData`, each of which has to hold cipher text.
fn secret_keys(path: &Utf8Path, holder: &Node, id: &ObjectId, sink: &mut Sink) -> Vec<Arc<str>> {
    let mut keys = Vec::new();
    for field in ["data", "stringData"] {
        let Some(map) = holder.get(field).and_then(Node::as_map) else { continue };
        for (key, entry) in map {
            if is_plain(&entry.node.value) {
                let fact = format!("`{field}.{key}` of {id} in `{path}` is plain text");
                let _told = sink.report(
                    Diagnostic::error(codes::NOT_ENCRYPTED, fact)
                        .at(entry.key.span(), "not encrypted")
                        .object(id.to_string())
                        .help("let `encrypted_regex` of `.sops.yaml` cover it, encrypt again, and change the value: it is in the history now"),
                );
            }
            keys.push(Arc::clone(key));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Whether a value can be read by everybody: it is not empty, and no cipher text of SOPS.
pub(crate) fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty() && !is_cipher(text),
        Value::Null => false,
        _ => true,
    }
}

fn is_cipher(text: &str) -> bool {
    text.starts_with("ENC[") && text.ends_with(']')
}
