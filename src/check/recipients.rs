//! SopsSecrets against the keys that the environment's operator decrypts with.
//!
//! A file encrypted to anybody else is taken by every tool on the way and fails in the cluster alone, so it is refused
//! wherever the operator says which recipients are its own.

use crate::diag::{Diagnostic, Sink, codes};
use crate::expr::{Found, Lazy as _};
use crate::resolve::Resolution;
use crate::source::Span;
use crate::value::Node;

/// Holds every SopsSecret to the recipients of the operators in force.
pub(super) fn check(resolution: &Resolution, sink: &mut Sink) {
    let mut known: Vec<(String, Span)> = Vec::new();
    for (index, offer) in resolution.offers.iter().enumerate() {
        if offer.displaced.is_some() || &*offer.capability != "secretDecryption" {
            continue;
        }
        let provider = resolution.provider(index);
        if !matches!(provider.member("kind"), Found::Node(kind) if kind.as_str() == Some("SopsSecret")) {
            continue;
        }
        let Found::Node(recipients) = provider.member("recipients") else { continue };
        let place = recipients.origin.editable().filter(|span| resolution.in_overlay(*span));
        let own = resolution.instances[offer.instance].span;
        for recipient in recipients.as_list().unwrap_or_default().iter().filter_map(Node::as_str) {
            known.push((recipient.to_owned(), place.unwrap_or(own)));
        }
    }
    let Some((_, place)) = known.first() else { return };
    for file in resolution.documents.encrypted.iter().filter(|file| file.sops_secret) {
        if file.recipients.iter().any(|recipient| known.iter().any(|(own, _)| **own == **recipient)) {
            continue;
        }
        let to = if file.recipients.is_empty() {
            "no age recipient at all".to_owned()
        } else {
            file.recipients.join(", ")
        };
        let own: Vec<&str> = known.iter().map(|(recipient, _)| recipient.as_str()).collect();
        let name = file.objects.first().map_or_else(String::new, |(id, _)| id.to_string());
        sink.report(
            Diagnostic::error(
                codes::WRONG_RECIPIENTS,
                format!("`{}` is not encrypted to the key that decrypts in the cluster", file.path),
            )
            .at(file.span.head(), format!("encrypted to {to}"))
            .related(*place, "the recipients of the operator")
            .object(name)
            .help(format!(
                "run `sops rotate --in-place --add-age {} {}`, and let `.sops.yaml` name that recipient",
                own.join(","),
                file.path
            )),
        );
    }
}
