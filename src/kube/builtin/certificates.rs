//! `CertificateSigningRequests`.

use super::require;
use crate::kube::formats::{check_text, dns_label, dns_subdomain};
use crate::kube::{CauseKind, Causes, Field};
use crate::yaml;
use base64::Engine as _;
use std::collections::BTreeSet;

const USAGES: &[&str] = &[
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];
const SHORTEST: i64 = 600;
const LONGEST_SIGNER: usize = 253 + 1 + 253 + 1 + 63;

/// `CertificateSigningRequest`. Its status is emptied before it is looked at.
pub(super) fn request(object: Field<'_, '_>, causes: &mut Causes) {
    let spec = object.key("spec");
    if !is_request(spec.key("request").text()) {
        causes.invalid(spec.key("request"), "is no PEM block `CERTIFICATE REQUEST` in base64");
    }
    let usages = spec.key("usages");
    if usages.count() == 0 {
        causes.required(usages, "at least one is needed");
    }
    let mut seen = BTreeSet::new();
    for usage in usages.items() {
        causes.one_of(usage, usage.text(), USAGES);
        if !seen.insert(usage.text()) {
            causes.duplicate(usage, format!("`{}` stands twice", usage.text()));
        }
    }
    let signer = spec.key("signerName");
    if signer.text() == "kubernetes.io/legacy-unknown" {
        causes.invalid(signer, "the signer of old is not allowed in this version");
    } else {
        check_signer(signer, causes);
    }
    let expiration = spec.key("expirationSeconds");
    if expiration.int().is_some_and(|seconds| seconds < SHORTEST) {
        causes.invalid(expiration, format!("is less than {SHORTEST} seconds"));
    }
}

/// Whether it is a request in PEM; its signature is not looked at.
fn is_request(encoded: &str) -> bool {
    let digits = encoded.replace(['\n', '\r'], "");
    let Ok(bytes) = yaml::BASE64.decode(digits) else {
        // What is no base64 was told where it was decoded.
        return true;
    };
    let text = String::from_utf8_lossy(&bytes);
    let (begin, end) = ("-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----");
    text.find(begin).is_some_and(|at| text[at..].contains(end))
}

/// `domain/path`.
pub(super) fn check_signer(signer: Field<'_, '_>, causes: &mut Causes) {
    if !require(signer, causes) {
        return;
    }
    let text = signer.text();
    let Some((domain, path)) = text.split_once('/').filter(|(_, path)| !path.contains('/')) else {
        causes.invalid(signer, format!("`{text}` is no domain with a path, like `example.com/signer`"));
        return;
    };
    if domain.len() > 253 {
        causes.at(signer, CauseKind::TooLong, "the domain has more than 253 characters");
    }
    if let Some(label) = domain.split('.').find(|label| dns_label(label).is_err()) {
        check_text(signer, label, dns_label, causes);
    }
    if !domain.contains('.') {
        causes.invalid(signer, format!("`{domain}` has fewer than two labels"));
    }
    if let Some(label) = path.split('.').find(|label| dns_subdomain(label).is_err()) {
        check_text(signer, label, dns_subdomain, causes);
    }
    if text.len() > LONGEST_SIGNER {
        causes.at(signer, CauseKind::TooLong, format!("more than {LONGEST_SIGNER} characters"));
    }
}
