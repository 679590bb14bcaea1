//! `Linked -> Manifests`: each object once, as the API server of its environment takes it, no secret in plain text.
//!
//! Nothing that an API server takes is refused ([`crate::kube`]), but for two things that are faults all the same: one object made
//! twice, of which one would silently win, and a Secret whose value anyone with the repository could read.

mod hosts;
mod review;
mod spread;

pub use hosts::hosts;
pub use review::{Unchecked, loose};

use crate::check::plain_text;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::kube::Library;
use crate::link::Linked;
use crate::model::{Object, ObjectId, ObjectSource};
use crate::source::Span;
use std::collections::BTreeMap;

/// The objects of an environment, valid. Only [`validate`] makes one.
#[derive(Clone, Debug)]
pub struct Manifests {
    linked: Linked,
}

impl Manifests {
    /// The objects and their references.
    pub fn linked(&self) -> &Linked {
        &self.linked
    }

    /// Everything in it, by value.
    pub(crate) fn into_linked(self) -> Linked {
        self.linked
    }
}

/// Checks every object.
pub fn validate(linked: Linked, library: &Library, sink: &mut Sink) -> Result<Manifests, Reported> {
    unique(&linked, sink);
    review::check(linked.rendering(), library, sink);
    let rendering = linked.rendering();
    let production = &*rendering.surroundings().environment.environment == "production";
    for placed in rendering.objects() {
        let object = &placed.object;
        let fallback = placed.part.map(|part| rendering.parts()[part].instance.span);
        // Again, as a patch may have put something in.
        let _told = plain_text::refuse(object, maker(object).or(fallback), fallback, sink);
        spread::check(object, fallback, rendering, production, sink);
    }
    sink.finish(Manifests { linked })
}

fn maker(object: &Object) -> Option<Span> {
    match &object.source {
        ObjectSource::Resource { span, .. } | ObjectSource::Manifest { span } => Some(*span),
        ObjectSource::Chart { .. } | ObjectSource::Compiler { .. } => object.node.span(),
    }
}

/// One identity, one object: neither tool notices a second one, and the last to be applied wins.
fn unique(linked: &Linked, sink: &mut Sink) {
    struct First {
        span: Option<Span>,
        instance: Option<Span>,
    }
    let rendering = linked.rendering();
    let mut seen: BTreeMap<&ObjectId, First> = BTreeMap::new();
    let mut take = |id, span: Option<Span>, instance: Option<Span>, sink: &mut Sink| {
        let Some(first) = seen.get(id) else {
            seen.insert(id, First { span, instance });
            return;
        };
        // Two instances of one stack point at one line of it: then the instances tell them apart.
        let (at, before) = if first.span == span && first.instance != instance {
            (instance, first.instance)
        } else {
            (span.or(instance), first.span.or(first.instance))
        };
        let mut finding =
            Diagnostic::error(codes::DUPLICATE_OBJECT, format!("`{id}` is made twice in this environment"))
                .at(at, "made again here")
                .related(before, "made first here")
                .object(id.to_string())
                .help(
                    "rename one of them or take one away: the tools would apply both, and the last would win",
                );
        if first.instance != instance {
            for (owner, place) in [(instance, at), (first.instance, before)] {
                finding = finding.related(owner.filter(|_| owner != place), "by this instance");
            }
        }
        sink.report(finding);
    };
    for placed in rendering.objects() {
        let instance = placed.part.map(|part| rendering.parts()[part].instance.span);
        take(&placed.object.id, maker(&placed.object), instance, sink);
    }
    for file in &rendering.surroundings().encrypted {
        for (id, _) in &file.objects {
            take(id, Some(file.span.head()), None, sink);
        }
    }
}

#[cfg(test)]
mod tests;
