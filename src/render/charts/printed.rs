//! What a release printed, read as objects: its hooks compiled away, its definitions as they are in the package.
//!
//! It is the same whether the release was rendered now or before; only a rendering knows more of where fields come from
//! than their place in the text.

use super::hooks::{self, Early, Fate, Runs};
use crate::check;
use crate::diag::{Reported, Sink};
use crate::model::{Instance, Object, ObjectSource, Release, Stage, flatten};
use crate::package::memo::Piece;
use crate::package::supply::{Supplied, Supply};
use crate::source::Sources;
use crate::value::{Because, Node, Origin, OriginKind};
use crate::yaml;
use std::sync::Arc;

/// A release whose output is read, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Printed<'a> {
    pub(super) release: &'a Release,
    pub(super) instance: &'a Instance,
    pub(super) supply: &'a Supply,
    pub(super) supplied: &'a Supplied<'a>,
}

impl Printed<'_> {
    /// The objects in a file of `crds/`, as they are.
    pub(super) fn definitions(
        self,
        path: &str,
        text: &[u8],
        objects: &mut Vec<Object>,
        sink: &mut Sink,
    ) -> Result<(), Reported> {
        for node in self.supply.file(path, text, self.supplied.sources(), sink)?.iter() {
            let mut node = node.clone();
            if let Some(at) = node.span() {
                let (release, instance) = (Arc::clone(&self.release.name), self.instance.span);
                let because = Arc::new(Because { release, instance, around: Vec::new(), reads: Vec::new() });
                node.origin = Origin::link(OriginKind::Template { at, because });
            }
            objects.extend(self.object(node, Stage::With, sink));
        }
        Ok(())
    }

    /// What the templates made, without its hooks' marks. `trace` puts better origins into what stands in a piece.
    pub(super) fn manifests(
        self,
        pieces: &[Piece],
        mut trace: impl FnMut(usize, &mut Node),
        objects: &mut Vec<Object>,
        sink: &mut Sink,
    ) {
        let mut early = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            for mut node in documents(piece, self.supplied.sources()) {
                trace(at, &mut node);
                let what = format!("{}/{}", piece.head.kind, piece.head.name);
                let hook = piece.head.hook.as_deref();
                let runs = Runs::of(&piece.head.kind);
                let stage = match hook.map(|events| hooks::fate(events, runs)) {
                    None => Stage::With,
                    Some(Fate::Kept(stage)) => stage,
                    Some(Fate::Dropped) => continue,
                    Some(Fate::Unsupported(why)) => {
                        let events = hook.unwrap_or_default();
                        sink.report(hooks::unsupported(&what, events, why, self.instance.span, node.span()));
                        continue;
                    }
                };
                if stage != Stage::With {
                    early.push(Early { object: objects.len(), weight: hooks::weight(&node), runs });
                }
                if let Ok(mut object) = self.object(node, stage, sink) {
                    hooks::without_empty_metadata(&mut object);
                    hooks::settle(&mut object);
                    objects.push(object);
                }
            }
        }
        hooks::queue(objects, &early);
        hooks::pull_forward(objects);
    }

    fn object(self, node: Node, stage: Stage, sink: &mut Sink) -> Result<Object, Reported> {
        let source = ObjectSource::Chart {
            release: Arc::clone(&self.release.name),
            namespace: Arc::clone(&self.release.namespace),
            span: self.release.span,
            stage,
        };
        let place = node.span().unwrap_or(self.release.span);
        check::object(node, source, place, self.instance.span, sink)
    }
}

/// The objects in one document of the output; a `List` gives its items.
pub(super) fn documents(piece: &Piece, sources: &Sources) -> Vec<Node> {
    let file = sources.add(format!("{} (rendered)", piece.head.path), Arc::clone(&piece.text));
    let mut objects = Vec::new();
    // That it is YAML was found when it was sorted.
    if let Ok(document) = yaml::read_first(file, &piece.text, yaml::Options::LENIENT) {
        flatten(document, &mut objects);
    }
    objects
}
