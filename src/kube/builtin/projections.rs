//! Files that a kubelet writes into volumes: keys, fields, tokens, certificates.

use super::certificates::check_signer;
use super::references::{Reader, check_field, check_resource};
use super::require;
use crate::kube::formats::{check, check_label_selector, dns_subdomain, own_descending_path};
use crate::kube::{Causes, Field};
use std::collections::BTreeSet;

const MOST_MODE: i64 = 0o777;
const KEY_TYPES: &[&str] = &["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096"];
const DAY: i64 = 24 * 3600;

/// The mode of a file.
pub(super) fn check_mode(mode: Field<'_, '_>, causes: &mut Causes) {
    if let Some(bits) = mode.int().filter(|bits| !(0..=MOST_MODE).contains(bits)) {
        causes.at_with_help(
            mode,
            crate::kube::CauseKind::Invalid,
            format!("`{bits}` is no mode of a file: 0 to 511, which is 0777 in octal"),
            "write it with a leading zero, such as `0644`, where YAML is read",
        );
    }
}

/// Keys, and the files that they become.
pub(super) fn check_items(items: Field<'_, '_>, causes: &mut Causes) {
    for item in items.items() {
        require(item.key("key"), causes);
        require(item.key("path"), causes);
        check(item.key("path"), own_descending_path, causes);
        check_mode(item.key("mode"), causes);
    }
}

/// A file about the Pod; the server tells its faults as if it were its list's owner, `place`.
pub(super) fn check_file(file: Field<'_, '_>, place: Field<'_, '_>, causes: &mut Causes) {
    let own = file.key("path");
    let path = place.alias("path", &own);
    require(path, causes);
    check(path, own_descending_path, causes);
    let (field, resource) = (file.key("fieldRef"), file.key("resourceFieldRef"));
    if field.is_set() {
        check_field(place.alias("fieldRef", &field), Reader::File, causes);
        if resource.is_set() {
            causes.invalid(place, "`fieldRef` and `resourceFieldRef` exclude each other");
        }
    } else if resource.is_set() {
        check_resource(place.alias("resourceFieldRef", &resource), Reader::File, causes);
    } else {
        causes.required(place, "a file has `fieldRef` or `resourceFieldRef`");
    }
    check_mode(place.alias("mode", &file.key("mode")), causes);
}

/// A volume of several sources.
pub(super) fn check_projected(volume: Field<'_, '_>, causes: &mut Causes) {
    check_mode(volume.key("defaultMode"), causes);
    let mut paths = Paths { volume, seen: BTreeSet::new() };
    for source in volume.key("sources").items() {
        let mut count = 0;
        for key in [
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
        ] {
            let projection = source.key(key);
            if !projection.is_set() {
                continue;
            }
            count += 1;
            match key {
                "secret" | "configMap" => {
                    require(projection.key("name"), causes);
                    check_items(projection.key("items"), causes);
                    for item in projection.key("items").items() {
                        paths.take_written(item.key("path"), causes);
                    }
                }
                "downwardAPI" => {
                    for file in projection.key("items").items() {
                        check_file(file, projection, causes);
                        paths.take_written(file.key("path"), causes);
                    }
                }
                "serviceAccountToken" => check_token(volume, projection, causes),
                "clusterTrustBundle" => {
                    check_bundle(projection, causes);
                    paths.take(projection.key("path"), causes);
                }
                _ => check_certificate(projection, &mut paths, causes),
            }
        }
        if count > 1 {
            causes.forbidden(source, "a source has one kind");
        }
    }
}

/// Paths that are taken within a volume.
struct Paths<'p, 'n> {
    volume: Field<'p, 'n>,
    seen: BTreeSet<&'n str>,
}

impl<'n> Paths<'_, 'n> {
    fn take(&mut self, path: Field<'_, 'n>, causes: &mut Causes) {
        if !self.seen.insert(path.text()) {
            causes.invalid(self.volume, format!("`{}` is the path of two files", path.text()));
        }
    }

    fn take_written(&mut self, path: Field<'_, 'n>, causes: &mut Causes) {
        if !path.text().is_empty() {
            self.take(path, causes);
        }
    }
}

fn check_token(volume: Field<'_, '_>, token: Field<'_, '_>, causes: &mut Causes) {
    let seconds = token.key("expirationSeconds");
    if let Some(number) = seconds.int() {
        if number < 600 {
            causes.invalid(seconds, format!("`{number}` is less than 10 minutes"));
        } else if number > 1 << 32 {
            causes.invalid(seconds, format!("`{number}` is more than 4294967296"));
        }
    }
    // The server names it without the source.
    let own = token.key("path");
    let path = volume.alias("path", &own);
    if require(path, causes) {
        check(path, own_descending_path, causes);
    }
}

fn check_bundle(bundle: Field<'_, '_>, causes: &mut Causes) {
    let (name, signer, selector, path) =
        (bundle.key("name"), bundle.key("signerName"), bundle.key("labelSelector"), bundle.key("path"));
    match (name.is_set(), signer.is_set()) {
        (true, true) => causes.invalid(bundle, "`name` and `signerName` exclude each other"),
        (true, false) => {
            require(name, causes);
            let own = name.text().rsplit_once(':').map_or(name.text(), |(_, own)| own);
            if let Err(reason) = dns_subdomain(own) {
                causes.invalid(name, format!("`{own}` {reason}"));
            }
            if selector.is_set() {
                causes.invalid(selector, "a bundle with a name is not selected");
            }
        }
        (false, true) => {
            check_signer(signer, causes);
            check_label_selector(selector, causes);
        }
        (false, false) => causes.required(bundle, "`name` or `signerName` is needed"),
    }
    require(path, causes);
    check(path, own_descending_path, causes);
}

fn check_certificate<'n>(certificate: Field<'_, 'n>, paths: &mut Paths<'_, 'n>, causes: &mut Causes) {
    let (signer, kind, seconds) =
        (certificate.key("signerName"), certificate.key("keyType"), certificate.key("maxExpirationSeconds"));
    check_signer(signer, causes);
    causes.one_of(kind, kind.text(), KEY_TYPES);
    if let Some(number) = seconds.int() {
        let host = signer.text().split('/').next().unwrap_or_default();
        let own = host == "kubernetes.io" || host.ends_with(".kubernetes.io");
        let most = if own { DAY } else { 91 * DAY };
        if !(3600..=most).contains(&number) {
            causes.invalid(seconds, format!("`{number}` is not within 3600 and {most}"));
        }
    }
    let mut written = 0;
    for key in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let path = certificate.key(key);
        if !path.text().is_empty() {
            written += 1;
            check(path, own_descending_path, causes);
            paths.take(path, causes);
        }
    }
    if written == 0 {
        causes.required(certificate, "a path is needed, such as `credentialBundlePath`");
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::check_pods;

    #[test]
    fn sources_share_a_directory() {
        let of = |sources: &str| {
            format!("serviceAccountName: s, volumes: [{{name: a, projected: {{sources: [{sources}]}}}}]")
        };
        let volume = "volumes[0].projected";
        check_pods(&[
            ("", &of("{}, {serviceAccountToken: {path: t}}"), &[]),
            (
                "",
                &of("{secret: {name: s}, configMap: {name: c}}"),
                &[&format!("Forbidden {volume}.sources[0]")],
            ),
            (
                "",
                &of(
                    "{secret: {name: s, items: [{key: a, path: x}]}}, {configMap: {name: c, items: [{key: a, path: x}]}}",
                ),
                &[&format!("Invalid {volume}")],
            ),
            (
                "",
                &of("{serviceAccountToken: {expirationSeconds: 599}}"),
                &[
                    &format!("Invalid {volume}.sources[0].serviceAccountToken.expirationSeconds"),
                    &format!("Required {volume}.path"),
                ],
            ),
            (
                "",
                &of("{downwardAPI: {items: [{path: a, fieldRef: {fieldPath: spec.nodeName}}, {path: b}]}}"),
                &[
                    &format!("Unsupported {volume}.sources[0].downwardAPI.fieldRef.fieldPath"),
                    &format!("Required {volume}.sources[0].downwardAPI"),
                ],
            ),
            (
                "",
                &of("{clusterTrustBundle: {name: 'x.org:a:B', labelSelector: {}, path: a}}"),
                &[
                    &format!("Invalid {volume}.sources[0].clusterTrustBundle.name"),
                    &format!("Invalid {volume}.sources[0].clusterTrustBundle.labelSelector"),
                ],
            ),
            (
                "",
                &of(
                    "{podCertificate: {signerName: kubernetes.io/a, keyType: RSA, maxExpirationSeconds: 86401}}",
                ),
                &[
                    &format!("Unsupported {volume}.sources[0].podCertificate.keyType"),
                    &format!("Invalid {volume}.sources[0].podCertificate.maxExpirationSeconds"),
                    &format!("Required {volume}.sources[0].podCertificate"),
                ],
            ),
            (
                "",
                "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: t}}]}}]",
                &[&format!("Forbidden {volume}.sources[0].serviceAccountToken")],
            ),
        ]);
    }
}
