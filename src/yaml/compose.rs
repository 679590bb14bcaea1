//! The composer: events to values, by the rules of go-yaml v2's decoder (decode.go, v2.4.2) and of the step to
//! JSON behind it (sigs.k8s.io/yaml 1.6.0).
//!
//! Keys become strings, aliases are expanded, `<<` merges, and what JSON cannot hold is refused. Values are made
//! by a [`Builder`], without a tree in between. Nesting costs heap, never stack; expansion of aliases is bounded
//! as in go-yaml, and the bytes that it copies besides.

use super::error::{Error, Extent, Problem};
use super::number::float32_key;
use super::parse::{Event, EventKind, Parser, Scalar};
use super::resolve::{Resolved, resolve, resolve_tagged};
use super::text::lossy;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// The bytes of text that aliases may copy in one document.
const MAX_ALIASED_BYTES: usize = 64 << 20;

/// As Go's `StdEncoding`: padded, with any bits behind the last byte.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// How to read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What becomes of a key that is set twice.
    pub duplicates: Duplicates,
    /// The deepest nesting of lists and maps that is read.
    pub max_depth: usize,
    /// How many values are read in all, each map counted as [`MAP_WEIGHT`]: what takes memory by the value has to bound
    /// it.
    pub max_weight: u64,
}

/// How many scalars a map takes the memory of.
pub const MAP_WEIGHT: u64 = 8;

/// What becomes of a key that is set twice.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// It is an error, with both places.
    Refuse,
    /// The last one wins, as Helm and `kubectl` have it.
    LastWins,
}

impl Options {
    /// For files of a project: a key that is set twice is an error.
    pub const STRICT: Self = Self { duplicates: Duplicates::Refuse, max_depth: 1000, max_weight: u64::MAX };
    /// For charts and what they render: the last key wins.
    pub const LENIENT: Self =
        Self { duplicates: Duplicates::LastWins, max_depth: 1000, max_weight: u64::MAX };
}

impl Default for Options {
    fn default() -> Self {
        Self::STRICT
    }
}

/// A scalar that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of `i64`.
    Int(i64),
    /// An integer above it.
    Uint(u64),
    /// A float, finite; may be whole, which JSON writes as an integer up to 1e21.
    Float(f64),
    /// A string.
    String(Cow<'a, str>),
}

/// Makes values out of what the composer reads.
///
/// Extents lie in the text; a value that came through an alias has the place where it is written.
pub trait Builder {
    /// A value.
    type Value;
    /// A list that is being read.
    type List;
    /// A map that is being read.
    type Map;

    /// A scalar.
    fn scalar(&mut self, data: Data<'_>, at: Extent) -> Self::Value;
    /// A list starts.
    fn list(&mut self) -> Self::List;
    /// The next item of a list.
    fn item(&mut self, list: &mut Self::List, value: Self::Value);
    /// A list is whole.
    fn end_list(&mut self, list: Self::List, at: Extent) -> Self::Value;
    /// A map starts.
    fn map(&mut self) -> Self::Map;
    /// Sets a member of a map; where it was set already, the new value replaces the old one and the place of the
    /// old key is returned.
    fn member(
        &mut self,
        map: &mut Self::Map,
        key: Cow<'_, str>,
        key_at: Extent,
        value: Self::Value,
    ) -> Option<Extent>;
    /// A map is whole.
    fn end_map(&mut self, map: Self::Map, at: Extent) -> Self::Value;
}

/// A document that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<V> {
    /// What it holds; a document without content is null.
    pub value: V,
    /// From its first character to the end of its content, without `---`.
    pub at: Extent,
    /// Whether it holds nothing: no content but comments.
    pub empty: bool,
}

enum Frame<'a, B: Builder> {
    List { list: B::List, start: Extent },
    Map(MapFrame<'a, B>),
}

struct MapFrame<'a, B: Builder> {
    /// Lent to the frame above while that one is merged into it.
    map: Option<Members<'a, B>>,
    start: Extent,
    key: Option<(Key<'a>, Extent)>,
    /// Maps still to come that are merged into this one.
    merging: usize,
    /// Whether this one is merged into the frame below.
    merged: bool,
}

struct Members<'a, B: Builder> {
    map: B::Map,
    id: usize,
    /// The keys that were not written as strings, with the kinds that each was written as, a bit for each.
    typed: BTreeMap<Cow<'a, str>, u8>,
}

/// A key as the string that it becomes in JSON.
#[derive(Clone, PartialEq)]
struct Key<'a> {
    text: Cow<'a, str>,
    /// What it was before: `1` and `"1"` are two keys for go-yaml, also where it refuses equal ones.
    kind: KeyKind,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum KeyKind {
    String,
    Bool,
    Int,
    Float,
    /// One that will be refused.
    Null,
}

impl<'a, B: Builder> Members<'a, B> {
    /// Sets a member; gives the place of an equal key that was set before.
    fn set(&mut self, builder: &mut B, key: Key<'a>, at: Extent, value: B::Value) -> Option<Extent> {
        let first = match key.kind {
            KeyKind::String if self.typed.is_empty() => {
                return builder.member(&mut self.map, key.text, at, value);
            }
            _ => builder.member(&mut self.map, key.text.clone(), at, value),
        };
        let kinds = self.typed.entry(key.text).or_default();
        if first.is_some() && *kinds == 0 {
            *kinds = 1 << KeyKind::String as u8;
        }
        let kind = 1 << key.kind as u8;
        let again = *kinds & kind != 0;
        *kinds |= kind;
        first.filter(|_| again)
    }
}

/// How many maps one `<<` may merge.
const MAX_MERGED: usize = 10_000;

/// How many doubts are kept; what has more of them is refused at once.
const MAX_DOUBTS: usize = 1000;

/// What is an error if it is still there at the end of the document.
struct Doubt {
    error: Error,
    /// The members that it is in: map, key and place of the key.
    below: Vec<(usize, String, Extent)>,
}

impl Doubt {
    /// Whether the member that was just set at a place threw it out.
    fn is_replaced(&self, (map, key, at): &(usize, String, Extent)) -> bool {
        self.below.iter().any(|(in_map, name, place)| in_map == map && name == key && place != at)
    }
}

/// An event as it is kept for aliases: aliases in it are bound already.
#[derive(Clone)]
enum Step<'a> {
    Event(Event<'a>),
    Alias { of: Range<usize>, at: Extent },
}

struct Anchor {
    start: usize,
    end: Option<usize>,
}

/// Events that are read again.
struct Cursor<'a> {
    /// The items of a merged list; else the log.
    items: Option<Rc<[Step<'a>]>>,
    range: Range<usize>,
    /// The end of the alias, where it is one.
    alias: Option<u32>,
}

/// Composes the documents of one stream.
pub struct Composer<'a> {
    parser: Parser<'a>,
    options: Options,
    /// Events of anchored nodes of this document.
    log: Vec<Step<'a>>,
    anchors: Vec<Anchor>,
    names: BTreeMap<&'a str, usize>,
    /// Anchored nodes that have not ended, with their depth.
    open: Vec<(usize, usize)>,
    live_depth: usize,
    cursors: Vec<Cursor<'a>>,
    decoded: usize,
    aliased: usize,
    alias_depth: usize,
    aliased_bytes: usize,
    /// What was read so far, as [`Options::max_weight`] counts it.
    weight: u64,
    /// How many maps were begun.
    maps: usize,
    doubtful: Vec<Doubt>,
    /// Where the content of this document starts.
    content_start: Option<u32>,
    /// Where the content that was read last ends.
    last_end: u32,
    line: usize,
    ended: bool,
}

type Compose<T> = Result<T, Error>;

impl<'a> Composer<'a> {
    /// What was read so far, as [`Options::max_weight`] counts it.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// A composer of what a parser reads.
    pub fn new(parser: Parser<'a>, options: Options) -> Self {
        Self {
            parser,
            options,
            log: Vec::new(),
            anchors: Vec::new(),
            names: BTreeMap::new(),
            open: Vec::new(),
            live_depth: 0,
            cursors: Vec::new(),
            decoded: 0,
            aliased: 0,
            alias_depth: 0,
            aliased_bytes: 0,
            weight: 0,
            maps: 0,
            doubtful: Vec::new(),
            content_start: None,
            last_end: 0,
            line: 0,
            ended: false,
        }
    }

    /// How far the text has been looked at.
    pub fn position(&self) -> usize {
        self.parser.position()
    }

    /// The next document; `None` at the end of the stream. After an error there is nothing more.
    pub fn next_document<B: Builder>(&mut self, builder: &mut B) -> Compose<Option<Document<B::Value>>> {
        if self.ended {
            return Ok(None);
        }
        let document = self.document(builder);
        self.ended = !matches!(document, Ok(Some(_)));
        document
    }

    fn document<B: Builder>(&mut self, builder: &mut B) -> Compose<Option<Document<B::Value>>> {
        let start = self.parser.next_event()?;
        if start.kind == EventKind::StreamEnd {
            return Ok(None);
        }
        self.log.clear();
        self.anchors.clear();
        self.names.clear();
        self.open.clear();
        self.live_depth = 0;
        self.cursors.clear();
        self.decoded = 1;
        self.aliased = 0;
        self.alias_depth = 0;
        self.aliased_bytes = 0;
        self.doubtful.clear();
        self.content_start = None;
        self.last_end = start.at.end;

        let (value, empty) = match self.root(builder) {
            Ok(root) => root,
            Err(error) => return Err(self.first_error(error)),
        };
        let end = self.last_end;
        self.parser.next_event()?;
        let at = Extent { start: self.content_start.unwrap_or(end).min(end), end };
        Ok(Some(Document { value, at, empty }))
    }

    /// go-yaml reads a document to its end before it looks at what it says, so faults of syntax come first.
    fn first_error(&mut self, error: Error) -> Error {
        if error.is_syntax() || matches!(error.problem(), Problem::TooDeep(_) | Problem::TooLarge(_)) {
            return error;
        }
        loop {
            match self.parser.next_event() {
                Err(syntax) => return syntax,
                Ok(Event { kind: EventKind::DocumentEnd | EventKind::StreamEnd, .. }) => return error,
                Ok(_) => {}
            }
        }
    }

    fn root<B: Builder>(&mut self, builder: &mut B) -> Compose<(B::Value, bool)> {
        let mut frames: Vec<Frame<'a, B>> = Vec::new();
        loop {
            let (event, aliased) = self.pull()?;
            self.line = event.line;
            let mut empty = false;
            let value = match event.kind {
                EventKind::Scalar(scalar) => {
                    match frames.last_mut() {
                        Some(Frame::Map(frame)) if frame.merging > 0 => {
                            return Err(self.error(Problem::MergeNotMap, event.at));
                        }
                        Some(Frame::Map(frame)) if frame.key.is_none() => {
                            if !aliased && is_merge(&scalar) {
                                self.last_end = event.at.end;
                                frame.merging = self.merge(event.at)?;
                            } else {
                                self.count(event.at)?;
                                match self.key(scalar, event.at)? {
                                    Ok(key) => frame.key = Some((key, event.at)),
                                    Err(problem) => {
                                        // Without a key yet: no later member of this map replaces it.
                                        self.put_doubt(problem, event.at, &frames)?;
                                        let key = Key { text: Cow::Borrowed(""), kind: KeyKind::Null };
                                        if let Some(Frame::Map(frame)) = frames.last_mut() {
                                            frame.key = Some((key, event.at));
                                        }
                                    }
                                }
                            }
                            continue;
                        }
                        _ => {}
                    }
                    self.count(event.at)?;
                    empty = scalar.text.is_empty() && event.at.start == event.at.end;
                    let data = self.data(scalar, event.at)?;
                    if let Data::Float(number) = data
                        && !number.is_finite()
                    {
                        let name = match number {
                            number if number.is_nan() => "NaN",
                            number if number > 0.0 => "+Inf",
                            _ => "-Inf",
                        };
                        let problem = Problem::NotFinite(name.to_owned());
                        self.put_doubt(problem, event.at, &frames)?;
                    }
                    builder.scalar(data, event.at)
                }
                EventKind::SequenceStart { .. } => {
                    self.check_start(&mut frames, event.at, true)?;
                    frames.push(Frame::List { list: builder.list(), start: event.at });
                    continue;
                }
                EventKind::MappingStart { .. } => {
                    self.weight += MAP_WEIGHT - 1;
                    let lent = self.check_start(&mut frames, event.at, false)?;
                    let merged = lent.is_some();
                    self.maps += 1;
                    let id = self.maps;
                    let map =
                        lent.unwrap_or_else(|| Members { map: builder.map(), id, typed: BTreeMap::new() });
                    let map = Some(map);
                    frames.push(Frame::Map(MapFrame { map, start: event.at, key: None, merging: 0, merged }));
                    continue;
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    let end = |start: Extent| {
                        let end = if event.at.end > event.at.start { event.at.end } else { self.last_end };
                        Extent { start: start.start, end: end.max(start.end) }
                    };
                    match frames.pop() {
                        Some(Frame::List { list, start }) => builder.end_list(list, end(start)),
                        Some(Frame::Map(mut frame)) => {
                            let map =
                                frame.map.take().expect("a map is whole only once nothing is merged into it");
                            if frame.merged {
                                if let Some(Frame::Map(below)) = frames.last_mut() {
                                    below.map = Some(map);
                                    below.merging -= 1;
                                }
                                continue;
                            }
                            builder.end_map(map.map, end(frame.start))
                        }
                        None => return Err(self.error(Problem::NoContent, event.at)),
                    }
                }
                EventKind::Alias(_)
                | EventKind::DocumentStart
                | EventKind::DocumentEnd
                | EventKind::StreamEnd => return Err(self.error(Problem::NoContent, event.at)),
            };
            match frames.last_mut() {
                None => match self.doubtful.pop() {
                    Some(doubt) => return Err(doubt.error),
                    None => return Ok((value, empty)),
                },
                Some(Frame::List { list, .. }) => builder.item(list, value),
                Some(Frame::Map(frame)) => {
                    let (key, at) = frame.key.take().expect("a value follows a key");
                    let map = frame.map.as_mut().expect("nothing is merged while a value is read");
                    match self.options.duplicates {
                        Duplicates::LastWins if self.doubtful.is_empty() => {
                            builder.member(&mut map.map, key.text, at, value);
                        }
                        Duplicates::LastWins => {
                            let place = (map.id, key.text.clone().into_owned(), at);
                            if builder.member(&mut map.map, key.text, at, value).is_some() {
                                self.doubtful.retain(|doubt| !doubt.is_replaced(&place));
                            }
                        }
                        Duplicates::Refuse => {
                            let name = key.text.clone();
                            if let Some(first) = map.set(builder, key, at, value) {
                                return Err(self
                                    .error(Problem::DuplicateKey(name.into_owned()), at)
                                    .because(first, "set here first"));
                            }
                        }
                    }
                }
            }
        }
    }

    fn error(&self, problem: Problem, at: Extent) -> Error {
        Error::new(problem, at, self.line)
    }

    /// What JSON cannot hold: an error, unless a later key of the same name replaces what it is in.
    fn put_doubt<B: Builder>(
        &mut self,
        problem: Problem,
        at: Extent,
        frames: &[Frame<'a, B>],
    ) -> Compose<()> {
        if self.doubtful.len() >= MAX_DOUBTS {
            return Err(self.error(problem, at));
        }
        let below = frames.iter().filter_map(|frame| match frame {
            Frame::Map(MapFrame { map: Some(map), key: Some((key, at)), .. }) => {
                Some((map.id, key.text.clone().into_owned(), *at))
            }
            _ => None,
        });
        let below = below.collect();
        self.doubtful.push(Doubt { error: self.error(problem, at), below });
        Ok(())
    }

    /// What the start of a collection means where it stands; gives the map that it is merged into.
    fn check_start<B: Builder>(
        &mut self,
        frames: &mut [Frame<'a, B>],
        at: Extent,
        list: bool,
    ) -> Compose<Option<Members<'a, B>>> {
        if frames.len() >= self.options.max_depth {
            return Err(self.error(Problem::TooDeep(self.options.max_depth), at));
        }
        self.count(at)?;
        if let Some(Frame::Map(frame)) = frames.last_mut() {
            if frame.merging > 0 {
                return if list { Err(self.error(Problem::MergeNotMap, at)) } else { Ok(frame.map.take()) };
            }
            if frame.key.is_none() {
                return Err(self.error(Problem::KeyNotScalar, at));
            }
        }
        Ok(None)
    }

    // Events, aliases and merges.

    /// The next step of the document, from the parser or from what is read again.
    fn step(&mut self) -> Compose<Step<'a>> {
        while let Some(cursor) = self.cursors.last_mut() {
            if let Some(at) = cursor.range.next() {
                return Ok(match &cursor.items {
                    Some(items) => items[at].clone(),
                    None => self.log[at].clone(),
                });
            }
            if let Some(end) = cursor.alias {
                self.alias_depth -= 1;
                self.last_end = end;
            }
            self.cursors.pop();
        }
        let event = self.parser.next_event()?;
        self.record(event)
    }

    /// Binds aliases, and keeps events of anchored nodes.
    fn record(&mut self, event: Event<'a>) -> Compose<Step<'a>> {
        let anchor = match &event.kind {
            EventKind::Scalar(Scalar { anchor, .. })
            | EventKind::SequenceStart { anchor }
            | EventKind::MappingStart { anchor } => *anchor,
            EventKind::Alias(name) => {
                let Some(anchor) = self.names.get(name).map(|&id| &self.anchors[id]) else {
                    return Err(self.error(Problem::UnknownAnchor((*name).to_owned()), event.at));
                };
                let Some(end) = anchor.end else {
                    return Err(self.error(Problem::ContainsItself((*name).to_owned()), event.at));
                };
                let step = Step::Alias { of: anchor.start..end, at: event.at };
                if !self.open.is_empty() {
                    self.log.push(step.clone());
                }
                return Ok(step);
            }
            _ => None,
        };
        if let Some(name) = anchor {
            self.names.insert(name, self.anchors.len());
            self.open.push((self.anchors.len(), self.live_depth));
            self.anchors.push(Anchor { start: self.log.len(), end: None });
        }
        if !self.open.is_empty() {
            self.log.push(Step::Event(event.clone()));
        }
        match event.kind {
            EventKind::SequenceStart { .. } | EventKind::MappingStart { .. } => self.live_depth += 1,
            EventKind::SequenceEnd | EventKind::MappingEnd => self.live_depth -= 1,
            _ => {}
        }
        let depth = self.live_depth;
        while let Some(&(id, _)) = self.open.last().filter(|(_, at)| *at == depth) {
            self.anchors[id].end = Some(self.log.len());
            self.open.pop();
        }
        Ok(Step::Event(event))
    }

    /// The next event, aliases expanded; and whether it is the first of one.
    fn pull(&mut self) -> Compose<(Event<'a>, bool)> {
        let mut aliased = false;
        loop {
            match self.step()? {
                Step::Event(event) => {
                    if let EventKind::Scalar(scalar) = &event.kind
                        && self.alias_depth > 0
                    {
                        self.aliased_bytes += scalar.text.len();
                        if self.aliased_bytes > MAX_ALIASED_BYTES {
                            return Err(self.error(Problem::ExcessiveAliasing, event.at));
                        }
                    }
                    self.content_start.get_or_insert(event.at.start);
                    if event.at.end > event.at.start {
                        self.last_end = event.at.end;
                    }
                    return Ok((event, aliased));
                }
                Step::Alias { of, at } => {
                    self.count(at)?;
                    self.alias_depth += 1;
                    self.cursors.push(Cursor { items: None, range: of, alias: Some(at.end) });
                    aliased = true;
                }
            }
        }
    }

    /// Counts a node; the share of nodes that came through aliases is bounded as in go-yaml.
    fn count(&mut self, at: Extent) -> Compose<()> {
        self.decoded += 1;
        self.weight += 1;
        if self.weight > self.options.max_weight {
            return Err(self.error(Problem::TooLarge(self.options.max_weight), at));
        }
        if self.alias_depth == 0 {
            return Ok(());
        }
        self.aliased += 1;
        if self.aliased > 100 && self.decoded > 1000 {
            #[expect(clippy::cast_precision_loss, reason = "go-yaml computes the ratio in floats")]
            let (aliased, decoded) = (self.aliased as f64, self.decoded as f64);
            let allowed = if self.decoded <= 400_000 {
                0.99
            } else if self.decoded >= 4_000_000 {
                0.10
            } else {
                0.99 - 0.89 * ((decoded - 400_000.0) / 3_600_000.0)
            };
            if aliased / decoded > allowed {
                return Err(self.error(Problem::ExcessiveAliasing, at));
            }
        }
        Ok(())
    }

    /// Reads what stands behind `<<`: the number of maps that follow and are merged, a list's last item first.
    fn merge(&mut self, at: Extent) -> Compose<usize> {
        match self.step()? {
            step @ (Step::Alias { .. } | Step::Event(Event { kind: EventKind::MappingStart { .. }, .. })) => {
                self.again(vec![step]);
                Ok(1)
            }
            Step::Event(Event { kind: EventKind::SequenceStart { .. }, .. }) => {
                let mut items = Vec::new();
                let mut depth = 0;
                let mut item = Vec::new();
                loop {
                    let step = self.step()?;
                    match &step {
                        Step::Event(Event { kind, .. }) => match kind {
                            EventKind::MappingStart { .. } => depth += 1,
                            EventKind::SequenceStart { .. } if depth > 0 => depth += 1,
                            EventKind::SequenceEnd if depth == 0 => break,
                            EventKind::MappingEnd | EventKind::SequenceEnd => depth -= 1,
                            _ if depth > 0 => {}
                            _ => return Err(self.error(Problem::MergeNotMap, at)),
                        },
                        Step::Alias { .. } => {}
                    }
                    item.push(step);
                    if items.len() > MAX_MERGED {
                        return Err(self.error(Problem::ExcessiveAliasing, at));
                    }
                    if depth == 0 {
                        items.push(std::mem::take(&mut item));
                    }
                }
                let count = items.len();
                for item in items {
                    self.again(item);
                }
                Ok(count)
            }
            Step::Event(_) => Err(self.error(Problem::MergeNotMap, at)),
        }
    }

    fn again(&mut self, steps: Vec<Step<'a>>) {
        let range = 0..steps.len();
        self.cursors.push(Cursor { items: Some(steps.into()), range, alias: None });
    }

    // Scalars.

    fn data(&self, scalar: Scalar<'a>, at: Extent) -> Compose<Data<'a>> {
        if scalar.tag.is_some() {
            return self.tagged(scalar, at);
        }
        if !scalar.implicit() {
            return Ok(Data::String(scalar.text));
        }
        Ok(match resolve(&scalar.text) {
            Resolved::Null => Data::Null,
            Resolved::Bool(truth) => Data::Bool(truth),
            Resolved::Int(number) => Data::Int(number),
            Resolved::Uint(number) => Data::Uint(number),
            Resolved::Float(number) => Data::Float(number),
            Resolved::Timestamp | Resolved::String => Data::String(scalar.text),
        })
    }

    fn tagged(&self, scalar: Scalar<'a>, at: Extent) -> Compose<Data<'a>> {
        let tag = scalar.tag.as_deref().unwrap_or("");
        let short = tag.strip_prefix("tag:yaml.org,2002:");
        if short == Some("binary") {
            let text: String = scalar.text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            let Ok(bytes) = BASE64.decode(text) else {
                return Err(self.error(Problem::Binary, at));
            };
            return Ok(Data::String(Cow::Owned(lossy(&bytes).into_owned())));
        }
        let Some(wanted @ ("bool" | "int" | "float" | "null" | "timestamp")) = short else {
            return Ok(Data::String(scalar.text));
        };
        let resolved = resolve_tagged(&scalar.text, wanted == "timestamp");
        match (wanted, resolved) {
            ("null", Resolved::Null) => Ok(Data::Null),
            ("bool", Resolved::Bool(truth)) => Ok(Data::Bool(truth)),
            ("int", Resolved::Int(number)) => Ok(Data::Int(number)),
            ("int", Resolved::Uint(number)) => Ok(Data::Uint(number)),
            #[expect(clippy::cast_precision_loss, reason = "go-yaml converts it so")]
            ("float", Resolved::Int(number)) => Ok(Data::Float(number as f64)),
            ("float", Resolved::Float(number)) => Ok(Data::Float(number)),
            ("timestamp", Resolved::Timestamp) => Ok(Data::String(scalar.text)),
            _ => Err(self.error(
                Problem::WrongTag {
                    found: resolved.tag(),
                    text: scalar.text.clone().into_owned(),
                    tag: format!("!!{wanted}"),
                },
                at,
            )),
        }
    }

    fn key(&self, scalar: Scalar<'a>, at: Extent) -> Compose<Result<Key<'a>, Problem>> {
        let (text, kind) = match self.data(scalar, at)? {
            Data::String(text) => (text, KeyKind::String),
            Data::Bool(truth) => (Cow::Borrowed(if truth { "true" } else { "false" }), KeyKind::Bool),
            Data::Int(number) => (Cow::Owned(number.to_string()), KeyKind::Int),
            Data::Float(number) => (Cow::Owned(float32_key(number)), KeyKind::Float),
            Data::Null => return Ok(Err(Problem::UnsupportedKey("<nil>"))),
            Data::Uint(_) => return Ok(Err(Problem::UnsupportedKey("uint64"))),
        };
        Ok(Ok(Key { text, kind }))
    }
}

fn is_merge(scalar: &Scalar<'_>) -> bool {
    scalar.text == "<<" && (scalar.implicit() || scalar.tag.as_deref() == Some("tag:yaml.org,2002:merge"))
}
