//! Where the fields of rendered objects come from: the template's text, what stood around it, the values it read.

use crate::helm::chart::Chart;
use crate::helm::provenance::{OutputSpan, Provenance};
use crate::helm::value::ReadKind;
use crate::helm::values::{Data, Table, Value as HelmValue};
use crate::source::{FileId, Sources, Span};
use crate::value::{Around, Because, Node, Origin, OriginKind, Path, Read, Segment, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The release whose objects are traced.
pub(super) struct Release<'a> {
    pub(super) name: &'a Arc<str>,
    /// The instance in the overlay.
    pub(super) instance: Span,
    /// All values of the release, its charts' own included.
    pub(super) values: &'a Table,
    pub(super) chart: &'a Chart,
}

/// Turns places in rendered text into origins.
pub(super) struct Tracer<'a> {
    release: Release<'a>,
    provenance: &'a Provenance,
    sources: &'a Sources,
    /// `values.yaml` of the chart and its subcharts.
    defaults: BTreeSet<FileId>,
    /// The texts of templates, once somebody points at them.
    texts: BTreeMap<u32, FileId>,
    known: BTreeMap<(u32, Vec<u32>), Arc<Because>>,
}

/// A value that was read, before it is known which part of it became the output.
struct Found<'v> {
    path: Path,
    value: Option<&'v HelmValue>,
    whole: bool,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(release: Release<'a>, provenance: &'a Provenance, sources: &'a Sources) -> Self {
        let mut defaults = BTreeSet::new();
        collect_defaults(release.chart, &mut defaults);
        Self { release, provenance, sources, defaults, texts: BTreeMap::new(), known: BTreeMap::new() }
    }

    /// Replaces the origins of a tree that was read from byte `base` of the output of file `file`.
    pub(super) fn trace(&mut self, node: &mut Node, file: usize, base: usize) {
        self.walk(node, file, base, &mut Vec::new());
    }

    fn walk(&mut self, node: &mut Node, file: usize, base: usize, path: &mut Vec<Segment>) {
        let scalar = !matches!(node.value, Value::Map(_) | Value::List(_));
        node.origin = self.origin(&node.origin, file, base, scalar.then_some(path.as_slice()));
        match &mut node.value {
            Value::Map(map) => {
                for (key, entry) in map.iter_mut() {
                    entry.key = self.origin(&entry.key, file, base, None);
                    path.push(Segment::Key(Arc::clone(key)));
                    self.walk(&mut entry.node, file, base, path);
                    path.pop();
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(Segment::Index(index));
                    self.walk(item, file, base, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// The origin of what stands at a place of the output; `leaf` is the path of a scalar.
    fn origin(&mut self, rendered: &Origin, file: usize, base: usize, leaf: Option<&[Segment]>) -> Origin {
        let Some(place) = rendered.span() else { return rendered.clone() };
        let start = base + place.start as usize;
        let end = if leaf.is_some() {
            base + (place.end as usize).max(place.start as usize + 1)
        } else {
            start + 1
        };
        let spans = self.spans(file, start, end);
        let Some(first) = spans.first().copied() else { return rendered.clone() };
        // Quotes and prefixes are the template's own text: what an action wrote into them says more.
        let chosen = spans.iter().find(|span| span.evidence != 0).copied().unwrap_or(first);
        let mut evidence: Vec<u32> =
            spans.iter().map(|span| span.evidence).filter(|number| *number != 0).collect();
        evidence.sort_unstable();
        evidence.dedup();
        let at = self.place(chosen.source, chosen.from, chosen.to, chosen.evidence == 0, start, chosen.start);
        let because = self.because(chosen.scope, evidence, leaf);
        Origin::link(OriginKind::Template { at, because })
    }

    /// The spans of the output that overlap a range; those of white space around a scalar do no harm.
    fn spans(&self, file: usize, start: usize, end: usize) -> Vec<OutputSpan> {
        let all = self.provenance.files.get(file).map_or(&[][..], Vec::as_slice);
        let at = all.partition_point(|span| span.end as usize <= start);
        all[at..].iter().take_while(|span| (span.start as usize) < end).copied().collect()
    }

    /// The place in the template. Text that the template writes as it is has a place byte by byte.
    fn place(&mut self, source: u32, from: u32, to: u32, exact: bool, offset: usize, start: u32) -> Span {
        let text = self.text(source);
        let (from, to) = (from as usize, to as usize);
        if exact {
            let from = (from + offset.saturating_sub(start as usize)).min(to);
            let rest = &self.provenance.sources[source as usize].text;
            let line = rest.get(from..to).unwrap_or_default();
            let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
            return Span::new(text, from, from + end);
        }
        Span::new(text, from, to)
    }

    /// The text of a template as a source.
    fn text(&mut self, number: u32) -> FileId {
        if let Some(file) = self.texts.get(&number) {
            return *file;
        }
        let (name, text) = match self.provenance.sources.get(number as usize) {
            Some(source) => {
                (source.name.to_str_lossy().into_owned(), String::from_utf8_lossy(&source.text).into_owned())
            }
            None => (String::from("template"), String::new()),
        };
        let file = self.sources.add(name, text);
        self.texts.insert(number, file);
        file
    }

    fn because(&mut self, scope: u32, evidence: Vec<u32>, leaf: Option<&[Segment]>) -> Arc<Because> {
        let key = (scope, evidence);
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        let mut found: Vec<Found<'_>> = Vec::new();
        for number in &key.1 {
            for read in self.found(*number) {
                if !found.iter().any(|known| known.path == read.path) {
                    found.push(read);
                }
            }
        }
        // What came out of a whole table has the origin of its own line in it; that differs from leaf to leaf.
        let narrow = leaf.filter(|_| found.iter().any(|read| read.whole));
        let reads = found.iter().map(|read| self.read(read, narrow)).collect();
        let provenance = self.provenance;
        let mut around = Vec::new();
        for scope in provenance.scopes_of(scope) {
            let reads = self.found(scope.evidence).iter().map(|read| self.read(read, None)).collect();
            let text = self.text(scope.source);
            let at = Span::new(text, scope.from as usize, scope.to as usize);
            around.push(Around { at, is_call: scope.call, reads });
        }
        let (release, instance) = (Arc::clone(self.release.name), self.release.instance);
        let because = Arc::new(Because { release, instance, around, reads });
        if narrow.is_none() {
            self.known.insert(key, Arc::clone(&because));
        }
        because
    }

    fn found(&self, evidence: u32) -> Vec<Found<'a>> {
        if evidence == 0 {
            return Vec::new();
        }
        let values = self.release.values;
        self.provenance
            .evidence(evidence)
            .reads
            .into_iter()
            .map(|read| {
                let keys = self.provenance.reads.segments(read.path);
                let path: Path =
                    keys.iter().map(|key| Segment::Key(key.to_str_lossy().into())).collect::<Vec<_>>().into();
                Found { value: lookup(values, &path), path, whole: read.kind == ReadKind::All }
            })
            .collect()
    }

    fn read(&self, found: &Found<'_>, leaf: Option<&[Segment]>) -> Read {
        let mut path = found.path.clone();
        let mut value = found.value;
        if let (true, Some(leaf), Some(table)) = (found.whole, leaf, value) {
            let inner = (0..leaf.len()).map(|from| Path::from(leaf[from..].to_vec()));
            if let Some((rest, deeper)) =
                inner.filter_map(|rest| Some((table.lookup(&rest)?, rest))).map(|(v, r)| (r, v)).next()
            {
                rest.segments().iter().for_each(|segment| path.push(segment.clone()));
                value = Some(deeper);
            }
        }
        Read { path, origin: value.map_or(Origin::Compiler, |value| self.of_value(value)) }
    }

    /// The origin of a value; one of the chart's own is a default.
    fn of_value(&self, value: &HelmValue) -> Origin {
        match value.origin.span() {
            Some(span) if self.defaults.contains(&span.file) => {
                Origin::link(OriginKind::Default { schema: span })
            }
            _ => value.origin.clone(),
        }
    }
}

/// The value at a path; numbers of lists are keys here.
pub(super) fn lookup<'v>(values: &'v Table, path: &Path) -> Option<&'v HelmValue> {
    let mut segments = path.segments().iter();
    let Some(Segment::Key(first)) = segments.next() else { return None };
    let mut at = values.get(first.as_bytes())?;
    for segment in segments {
        at = match (segment, &at.data) {
            (Segment::Key(key), Data::Table(table)) => table.get(key.as_bytes())?,
            (Segment::Key(key), Data::List(items)) => items.get(key.parse::<usize>().ok()?)?,
            (Segment::Index(index), Data::List(items)) => items.get(*index)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The values files of a chart and its subcharts.
pub(super) fn collect_defaults(chart: &Chart, files: &mut BTreeSet<FileId>) {
    files.extend(chart.values_source);
    for inner in &chart.dependencies {
        collect_defaults(inner, files);
    }
}
