//! ConfigMaps and Secrets: their keys, their size, and what a Secret of a known type has to hold.

use crate::kube::formats::{check_text, config_key};
use crate::kube::{CauseKind, Causes, Field};
use crate::yaml;
use base64::Engine as _;
use serde::de::IgnoredAny;

/// A mebibyte.
const MOST_BYTES: usize = 1024 * 1024;
const ACCOUNT_ANNOTATION: &str = "kubernetes.io/service-account.name";

/// `ConfigMap`.
pub(super) fn config_map(object: Field<'_, '_>, causes: &mut Causes) {
    let (data, binary) = (object.key("data"), object.key("binaryData"));
    let mut size = 0;
    for (key, value) in data.members() {
        check_text(value, key, config_key, causes);
        if binary.key(key).is_set() {
            causes.invalid(value, format!("`{key}` stands in `binaryData` as well"));
        }
        size += value.text().len();
    }
    for (key, value) in binary.members() {
        check_text(value, key, config_key, causes);
        size += encoded_size(value.text());
    }
    if size > MOST_BYTES {
        causes.at(object, CauseKind::TooLong, format!("data of {size} bytes, {MOST_BYTES} are allowed"));
    }
}

/// How many bytes a text in base64 stands for.
fn encoded_size(text: &str) -> usize {
    let digits = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r' | b'=')).count();
    digits * 3 / 4
}

/// `Secret`. What stands in `stringData` takes the place of what stands in `data`.
pub(super) fn secret(object: Field<'_, '_>, causes: &mut Causes) {
    let (data, strings) = (object.key("data"), object.key("stringData"));
    let mut size = 0;
    for (key, value) in data.members().filter(|(key, _)| !strings.key(key).is_set()) {
        check_text(value, key, config_key, causes);
        size += encoded_size(value.text());
    }
    for (key, value) in strings.members() {
        check_text(data.alias(key, &value), key, config_key, causes);
        size += value.text().len();
    }
    if size > MOST_BYTES {
        causes.at(data, CauseKind::TooLong, format!("data of {size} bytes, {MOST_BYTES} are allowed"));
    }
    let has = |key: &str| data.key(key).is_set() || strings.key(key).is_set();
    let kind = object.key("type").text();
    let mut need = |key: &str| {
        causes.required(data.key(key), format!("a Secret of type `{kind}` holds it"));
    };
    match kind {
        "kubernetes.io/service-account-token" => {
            let metadata = object.key("metadata");
            let annotations = metadata.key("annotations");
            if annotations.key(ACCOUNT_ANNOTATION).text().is_empty() {
                causes.required(annotations.key(ACCOUNT_ANNOTATION), "a token belongs to a service account");
            }
        }
        "kubernetes.io/dockercfg" => check_document(object, ".dockercfg", causes),
        "kubernetes.io/dockerconfigjson" => check_document(object, ".dockerconfigjson", causes),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            need("username");
            need("password");
        }
        "kubernetes.io/ssh-auth" => {
            let key = "ssh-privatekey";
            let given = if strings.key(key).is_set() { strings.key(key) } else { data.key(key) };
            if given.text().is_empty() {
                need(key);
            }
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !has(key) {
                    need(key);
                }
            }
        }
        _ => {}
    }
}

/// A map in JSON.
fn check_document(object: Field<'_, '_>, key: &str, causes: &mut Causes) {
    let (data, strings) = (object.key("data"), object.key("stringData"));
    let (plain, encoded) = (strings.key(key), data.key(key));
    let (field, bytes) = if plain.is_set() {
        (data.alias(key, &plain), Some(plain.text().as_bytes().to_vec()))
    } else if encoded.is_set() {
        let digits = encoded.text().replace(['\n', '\r'], "");
        (encoded, yaml::BASE64.decode(digits).ok())
    } else {
        causes.required(encoded, "a Secret of this type holds it");
        return;
    };
    // What is no base64 was told where it was decoded.
    let Some(bytes) = bytes else { return };
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let readable = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
    if !readable || !matches!(first, Some(b'{' | b'n')) {
        causes.invalid(field, "is no map in JSON");
    }
}
