//! Manifests by URL as objects of the tree.

use crate::check;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::{ManifestReference, Object, ObjectSource};
use crate::package::supply::{Package, Supplied};
use crate::source::Span;

/// The objects of a pinned manifest. `instance` is the key of its instance in the overlay.
pub(super) fn objects(
    manifest: &ManifestReference,
    instance: Span,
    supplied: &Supplied<'_>,
    sink: &mut Sink,
) -> Result<Vec<Object>, Reported> {
    let package = supplied.package(&Package::of_manifest(&manifest.url), sink)?;
    let differs = |stated: &&str| *stated != package.digest().hex() && !supplied.is_mirrored();
    if let Some(stated) = manifest.sha256.as_deref().filter(differs) {
        let found = package.digest().hex();
        return Err(sink.report(
            Diagnostic::error(
                codes::DIGEST_MISMATCH,
                format!("the manifest `{}` is pinned twice, to different bytes", manifest.name),
            )
            .at(manifest.url_span.unwrap_or(manifest.span), "")
            .related(manifest.span, "the stack states a digest")
            .note(format!("the stack has sha256:{stated}"))
            .note(format!("the lock has sha256:{found}"))
            .help("find out which of them is right; `stackc vendor --update` takes what the source has now"),
        ));
    }
    let mut found = Vec::new();
    for node in package.objects(supplied.sources(), sink)?.iter() {
        let mut node = node.clone();
        if let Some(namespace) = &manifest.namespace {
            check::set_namespace(&mut node, namespace);
        }
        let span = node.span().unwrap_or(manifest.span);
        found.extend(check::object(node, ObjectSource::Manifest { span }, span, instance, sink));
    }
    Ok(found)
}
