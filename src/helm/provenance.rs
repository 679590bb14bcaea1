//! Which template text made which output, through every `include` and `tpl`, and which values it read.
//!
//! The executor reports to a [`Recorder`] where the caller wants to know; without one it costs a null check a node.
//! What comes out is a [`Provenance`]: for each file of output a list of spans that do not overlap, each with its place
//! in a template, its scope (the chain of calls, conditions and loops around it) and its evidence (the values read
//! and the impure functions called to make it, through variables too).
//!
//! Text that `include` returns is followed into the output as long as it is only moved, cut into lines or indented
//! (`nindent`, `trim`, `quote`): its spans are found again there. Otherwise the span of the outer action stands.

use super::funcs::sprig::is_empty;
use super::funcs::{Function, Impurity};
use super::purity::ImpureCall;
use super::template::Source;
use super::value::{Event, List, Read, ReadKind, Reads, Str, Tracker, Value, Whence};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A piece of output and what made it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct OutputSpan {
    /// First byte of the output.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Number of the template's text in [`Provenance::sources`].
    pub source: u32,
    /// First byte in that text.
    pub from: u32,
    /// One past the last byte there.
    pub to: u32,
    /// Number of the scope it was made in.
    pub scope: u32,
    /// Number of its evidence; 0 where nothing was read.
    pub evidence: u32,
}

/// What stands around a piece of output: a call of a template, or a condition or loop that let it be made.
#[derive(Copy, Clone, Debug)]
pub struct Scope {
    /// The scope around this one; 0 is the file itself.
    pub parent: u32,
    /// Number of the text that holds the call or condition.
    pub source: u32,
    /// First byte of the call or condition.
    pub from: u32,
    /// One past its last byte; the same as `from` where only the start is known.
    pub to: u32,
    /// Whether it is a call (`include`, `tpl`, `template`).
    pub call: bool,
    /// What was read for it.
    pub evidence: u32,
}

/// Where a pipeline began, in the logs.
#[derive(Copy, Clone, Debug, Default)]
pub struct Mark {
    events: usize,
    captures: usize,
}

/// A text that a nested execution made, with its spans counted from its start.
struct Capture {
    text: Str,
    spans: Vec<OutputSpan>,
}

/// Collects what [`Provenance`] holds while a render runs.
pub struct Recorder {
    tracker: Rc<Tracker>,
    sources: Vec<Arc<Source>>,
    known: IndexMap<usize, u32>,
    scopes: Vec<Scope>,
    scope: u32,
    spans: Vec<OutputSpan>,
    captures: Vec<Capture>,
    /// Captures that a variable holds, by the variable's evidence.
    held: BTreeMap<u32, Vec<Capture>>,
    /// Ranges of the event log.
    evidence: Vec<(u32, u32)>,
    impure: Vec<ImpureCall>,
    /// The call about to be made: its text, its first byte, and the first of its [`Recorder::arguments`].
    pending: (u32, u32, usize),
    /// The events of each argument of the calls that are being made, the innermost call last.
    arguments: Vec<(usize, usize)>,
    /// The events of what stands before the `|`.
    piped: (usize, usize),
    /// The scopes around, the innermost last.
    around: Vec<u32>,
    /// How many spans there are in all.
    count: usize,
    files: Vec<Vec<OutputSpan>>,
    /// What was being evaluated when the render failed.
    failed: Option<OutputSpan>,
}

/// How many spans and scopes are kept, 56 MiB of each; what comes after is told as part of the last.
const MAX_KEPT: usize = 2 << 20;

/// A call that is being made.
#[derive(Copy, Clone, Debug)]
pub(super) struct CallMark {
    /// The first of its arguments.
    first: usize,
    /// Where its events begin.
    from: usize,
    /// The events of the piped argument.
    piped: (usize, usize),
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Recorder {
    /// A recorder of what `tracker` reports.
    pub fn new(tracker: Rc<Tracker>) -> Self {
        let root = Scope { parent: 0, source: 0, from: 0, to: 0, call: true, evidence: 0 };
        Self {
            tracker,
            sources: Vec::new(),
            known: IndexMap::new(),
            scopes: vec![root],
            scope: 0,
            spans: Vec::new(),
            captures: Vec::new(),
            held: BTreeMap::new(),
            evidence: vec![(0, 0)],
            impure: Vec::new(),
            pending: (0, 0, 0),
            arguments: Vec::new(),
            piped: (0, 0),
            around: Vec::new(),
            count: 0,
            files: Vec::new(),
            failed: None,
        }
    }

    fn source(&mut self, source: &Arc<Source>) -> u32 {
        let key = Arc::as_ptr(source).addr();
        if let Some(&number) = self.known.get(&key) {
            return number;
        }
        let number = narrow(self.sources.len());
        self.sources.push(Arc::clone(source));
        self.known.insert(key, number);
        number
    }

    /// Where the logs stand.
    pub(super) fn mark(&self) -> Mark {
        Mark { events: self.tracker.mark(), captures: self.captures.len() }
    }

    /// Text of a template was written.
    pub(super) fn text(&mut self, source: &Arc<Source>, start: usize, end: usize, from: u32) {
        let source = self.source(source);
        let to = from + narrow(end - start);
        let (start, end, scope) = (narrow(start), narrow(end), self.scope);
        let span = OutputSpan { start, end, source, from, to, scope, evidence: 0 };
        self.count += 1;
        match self.spans.last_mut() {
            Some(last) if self.count > MAX_KEPT => last.end = end,
            _ => self.spans.push(span),
        }
    }

    /// An action wrote `out[start..]`.
    pub(super) fn action(
        &mut self,
        source: &Arc<Source>,
        out: &[u8],
        start: usize,
        from: u32,
        to: u32,
        mark: Mark,
    ) {
        let evidence = self.close_evidence(mark);
        let source = self.source(source);
        let own = OutputSpan { start: 0, end: 0, source, from, to, scope: self.scope, evidence };
        let captures = self.captures.split_off(mark.captures.min(self.captures.len()));
        self.count += 1;
        if self.count > MAX_KEPT
            && let Some(last) = self.spans.last_mut()
        {
            last.end = narrow(out.len());
            return;
        }
        let before = self.spans.len();
        let mut filler = Filler { spans: &mut self.spans, own, cursor: start };
        if start < out.len() {
            for capture in &captures {
                filler.capture(capture, out, start);
            }
            if !self.held.is_empty() {
                let uses = |event: &Event| match event {
                    Event::Uses(used) => Some(*used),
                    _ => None,
                };
                let used: Vec<u32> = self
                    .tracker
                    .between(mark.events, usize::MAX, |events| events.iter().filter_map(uses).collect());
                for capture in used.iter().filter_map(|used| self.held.get(used)).flatten() {
                    filler.capture(capture, out, start);
                }
            }
        }
        filler.fill_to(out.len());
        self.count += (self.spans.len() - before).saturating_sub(1);
    }

    /// The pipeline that began at the mark failed: the innermost is told of first.
    pub(super) fn failed(&mut self, source: &Arc<Source>, from: u32, to: u32, mark: Mark) {
        if self.failed.is_none() {
            let evidence = self.close_evidence(mark);
            let source = self.source(source);
            self.failed =
                Some(OutputSpan { start: 0, end: 0, source, from, to, scope: self.scope, evidence });
        }
    }

    /// Makes evidence of what happened since the mark, for a variable that is being set.
    pub(super) fn evidence(&mut self, mark: Mark) -> u32 {
        let captures = self.captures.split_off(mark.captures.min(self.captures.len()));
        let mut evidence = self.close_evidence(mark);
        if !captures.is_empty() {
            // A number of its own, as what it may share with another piece of evidence was not made by these texts.
            evidence = self.add_evidence(mark.events, self.tracker.mark());
            self.held.insert(evidence, captures);
        }
        evidence
    }

    /// Makes evidence of what happened since the mark.
    pub(super) fn close_evidence(&mut self, mark: Mark) -> u32 {
        let end = self.tracker.mark();
        self.evidence_of(mark.events, end)
    }

    fn evidence_of(&mut self, from: usize, to: usize) -> u32 {
        let single = self.tracker.between(from, to, |events| match events {
            [] => Some(0),
            [Event::Uses(evidence)] => Some(*evidence),
            _ => None,
        });
        single.unwrap_or_else(|| self.add_evidence(from, to))
    }

    fn add_evidence(&mut self, from: usize, to: usize) -> u32 {
        self.evidence.push((narrow(from), narrow(to)));
        narrow(self.evidence.len() - 1)
    }

    /// Where a value comes from that was made by what happened between two places of the log.
    fn whence(&mut self, from: usize, to: usize) -> Whence {
        // The steps of one path: the value that stands there.
        let path = self.tracker.between(from, to, |events| {
            let mut last = None;
            for event in events {
                let Event::Read(Read { path, kind: ReadKind::Value }) = event else { return None };
                if last.is_some_and(|last| !self.tracker.is_child(*path, last)) {
                    return None;
                }
                last = Some(*path);
            }
            last
        });
        path.map_or_else(|| Whence::Made(self.evidence_of(from, to)), Whence::Path)
    }

    /// The events of a pipeline so far are those of what the next command is handed.
    pub(super) fn pipe(&mut self, start: Mark) {
        self.piped = (start.events, self.tracker.mark());
    }

    /// A call begins: its arguments come next.
    pub(super) fn begin_call(&mut self) -> CallMark {
        CallMark { first: self.arguments.len(), from: self.tracker.mark(), piped: self.piped }
    }

    /// An argument is about to be evaluated.
    pub(super) fn begin_argument(&self) -> usize {
        self.tracker.mark()
    }

    /// An argument was evaluated.
    pub(super) fn end_argument(&mut self, from: usize) {
        self.arguments.push((from, self.tracker.mark()));
    }

    /// The last argument is the one before the `|`.
    pub(super) fn piped_argument(&mut self, call: &mut CallMark) {
        self.arguments.push(call.piped);
        call.from = call.from.min(call.piped.0);
    }

    fn argument(&self, call: CallMark, at: usize) -> (usize, usize) {
        self.arguments.get(call.first + at).copied().unwrap_or_default()
    }

    /// The conditions and loops of this template, out to the scope `until`, decided what was just done.
    fn note_control(&self, until: Option<u32>) {
        for scope in self.around.iter().rev() {
            let Some(known) = self.scopes.get(*scope as usize) else { break };
            if until == Some(*scope) || until.is_none() && known.call {
                break;
            }
            if known.evidence != 0 {
                self.tracker.note(Event::Uses(known.evidence));
            }
        }
    }

    /// A variable that was declared in the scope `declared` is about to be changed.
    pub(super) fn assigning(&self, declared: u32) {
        self.note_control(Some(declared));
    }

    /// The innermost scope.
    pub(super) fn scope(&self) -> u32 {
        self.scope
    }

    /// A call gave `result`: what it put into containers is known by the places of the arguments.
    pub(super) fn called(&mut self, function: &Function, call: CallMark, values: &[Value], result: &Value) {
        let tracker = Rc::clone(&self.tracker);
        for at in passed_by(function.name, values, result) {
            let (from, to) = self.argument(call, at);
            tracker.spare(from, to);
        }
        match (function.name, result) {
            ("dict", Value::Map(map)) => {
                for (at, key) in values.iter().enumerate().step_by(2) {
                    let (from, to) = self.argument(call, at + 1);
                    let (Value::String(key), true) = (key, from < to) else { continue };
                    map.track_key(&tracker, key, self.whence(from, to));
                }
            }
            ("set", Value::Map(map)) => {
                if let Some(Value::String(key)) = values.get(1) {
                    self.note_control(None);
                    let (from, to) = (self.argument(call, 2).0, self.tracker.mark());
                    // Where the value was piped, what was evaluated after it is part of it too.
                    map.track_key(&tracker, key, self.whence(from, to));
                }
            }
            ("list" | "tuple", Value::List(list)) => {
                for at in 0..list.len() {
                    let (from, to) = self.argument(call, at);
                    if from < to {
                        list.track_item(&tracker, at, self.whence(from, to));
                    }
                }
            }
            ("append" | "push" | "mustAppend" | "mustPush", Value::List(list)) => {
                self.hand_on(values, 0, list);
                let (from, to) = self.argument(call, 1);
                list.track_item(&tracker, list.len().saturating_sub(1), self.whence(from, to));
            }
            ("prepend" | "mustPrepend", Value::List(list)) => {
                self.hand_on(values, 1, list);
                let (from, to) = self.argument(call, 1);
                list.track_item(&tracker, 0, self.whence(from, to));
            }
            ("concat", Value::List(list)) => self.hand_on(values, 0, list),
            (_, value @ (Value::Map(_) | Value::List(_))) if !value.is_tracked() => {
                let evidence = self.evidence_of(call.from, self.tracker.mark());
                match value {
                    Value::Map(map) => map.track_made(&tracker, evidence),
                    Value::List(list) => list.track_made(&tracker, evidence),
                    _ => {}
                }
            }
            _ => {}
        }
        self.arguments.truncate(call.first);
    }

    /// Says of the items of `list` from `at` on that they are those of the lists among `values`.
    fn hand_on(&self, values: &[Value], mut at: usize, list: &List) {
        for old in values.iter().filter_map(Value::as_list) {
            for (index, item) in old.iter().enumerate() {
                if at >= list.len() {
                    return;
                }
                if !item.is_tracked()
                    && let Some(whence) = old.whence(index).filter(|whence| *whence != Whence::Made(0))
                {
                    list.track_item(&self.tracker, at, whence);
                }
                at += 1;
            }
        }
    }

    /// A variable of that evidence was used.
    pub(super) fn uses(&self, evidence: u32) {
        self.tracker.note(Event::Uses(evidence));
    }

    /// A condition, a loop or a call begins.
    /// What was read for it is the evidence that is handed out.
    pub(super) fn enter(&mut self, source: &Arc<Source>, from: u32, to: u32, mark: Mark, call: bool) -> u32 {
        let evidence = self.close_evidence(mark);
        let source = self.source(source);
        self.push_scope(Scope { parent: self.scope, source, from, to, call, evidence });
        evidence
    }

    fn push_scope(&mut self, scope: Scope) {
        if self.scopes.len() < MAX_KEPT {
            self.scopes.push(scope);
            self.scope = narrow(self.scopes.len() - 1);
        }
        self.around.push(self.scope);
    }

    /// The scope that was entered last ends.
    pub(super) fn leave(&mut self) {
        self.around.pop();
        self.scope = self.around.last().copied().unwrap_or(0);
    }

    /// A function is about to be called.
    pub(super) fn calling(&mut self, source: &Arc<Source>, from: u32, call: CallMark) {
        self.pending = (self.source(source), from, call.first);
    }

    /// A function that is not pure is about to be called.
    pub(super) fn impure(&mut self, source: &Arc<Source>, from: u32, function: &'static str, kind: Impurity) {
        let source = self.source(source);
        let number = narrow(self.impure.len());
        self.impure.push(ImpureCall { function, kind, source, from, scope: self.scope });
        self.tracker.note(Event::Impure(number));
    }

    /// A nested execution on `data`, the second argument of the call, begins: its spans are those after the number
    /// returned; the other number is the evidence of the data.
    pub(super) fn open(&mut self, data: &Value) -> (usize, u32) {
        let (source, from, first) = self.pending;
        // Reads in a container that is known are reported one by one.
        let evidence = match self.arguments.get(first + 1) {
            Some(&(from, to)) if !data.is_tracked() => self.evidence_of(from, to),
            _ => 0,
        };
        self.push_scope(Scope { parent: self.scope, source, from, to: from, call: true, evidence });
        (self.spans.len(), evidence)
    }

    /// A nested execution ended: it wrote `text` at `from`, which is about to be cut off.
    pub(super) fn close(&mut self, first: usize, from: usize, text: &Str) {
        self.leave();
        let from = narrow(from);
        let mut spans = self.spans.split_off(first.min(self.spans.len()));
        for span in &mut spans {
            span.start = span.start.saturating_sub(from);
            span.end = span.end.saturating_sub(from);
        }
        if !text.is_empty() {
            self.captures.push(Capture { text: text.clone(), spans });
        }
    }

    /// A file is done; `before` and `after` are its text without and with every `<no value>` taken out.
    pub(super) fn file(&mut self, before: &[u8], after: Option<&[u8]>) {
        let mut spans = std::mem::take(&mut self.spans);
        if after.is_some() {
            let gaps: Vec<usize> = memchr::memmem::find_iter(before, super::template::NO_VALUE).collect();
            for span in &mut spans {
                (span.start, span.end) = (moved(span.start, &gaps), moved(span.end, &gaps));
            }
            spans.retain(|span| span.start < span.end);
        }
        self.files.push(spans);
        self.captures.clear();
        self.held.clear();
        self.arguments.clear();
        self.around.clear();
        self.scope = 0;
    }

    /// Everything recorded.
    pub fn finish(self) -> Provenance {
        Provenance {
            reads: self.tracker.reads(),
            events: self.tracker.take_log(),
            sources: self.sources,
            scopes: self.scopes,
            evidence: self.evidence,
            impure: self.impure,
            files: self.files,
            failed: self.failed,
        }
    }
}

/// The arguments whose values a function threw away, after it was called: they are in no output and decided nothing.
fn passed_by(function: &str, values: &[Value], result: &Value) -> std::ops::Range<usize> {
    match (function, values) {
        // The value that is given back was taken out.
        ("default", [other, _, ..]) if !matches!(other, Value::Nil) && !is_empty(result) => 0..1,
        ("ternary", [_, _, Value::Bool(truth)]) => {
            if *truth {
                1..2
            } else {
                0..1
            }
        }
        // Empty ones before it decided, too.
        ("coalesce", _) => {
            let taken = values.iter().position(|value| !is_empty(value));
            taken.map_or(0..0, |taken| taken + 1..values.len())
        }
        _ => 0..0,
    }
}

/// Where byte `at` of a text lies once the `<no value>` that begin at `gaps`, in order, are taken out of it.
fn moved(at: u32, gaps: &[usize]) -> u32 {
    let length = super::template::NO_VALUE.len();
    let passed = gaps.partition_point(|gap| *gap < at as usize);
    let Some(last) = gaps[..passed].last() else { return at };
    // They do not overlap: all but the last lie before it as a whole.
    let back = (passed - 1) * length + (at as usize - last).min(length);
    at - narrow(back)
}

/// Lays spans of captures into an action's output, and the action's own span into the gaps.
struct Filler<'a> {
    spans: &'a mut Vec<OutputSpan>,
    own: OutputSpan,
    cursor: usize,
}

impl Filler<'_> {
    fn fill_to(&mut self, to: usize) {
        if to > self.cursor {
            self.spans.push(OutputSpan { start: narrow(self.cursor), end: narrow(to), ..self.own });
            self.cursor = to;
        }
    }

    fn place(&mut self, span: &OutputSpan, start: usize, end: usize) {
        if start < self.cursor || start >= end {
            return;
        }
        self.fill_to(start);
        self.spans.push(OutputSpan { start: narrow(start), end: narrow(end), ..*span });
        self.cursor = end;
    }

    fn capture(&mut self, capture: &Capture, out: &[u8], start: usize) {
        let from = self.cursor.max(start);
        let Some(rest) = out.get(from..) else { return };
        if let Some(found) = memchr::memmem::find(rest, &capture.text) {
            let base = from + found;
            for span in &capture.spans {
                self.place(span, base + span.start as usize, base + span.end as usize);
            }
            return;
        }
        self.capture_lines(capture, out, from);
    }

    /// Finds the lines of a capture again, in order, wherever they were indented to.
    fn capture_lines(&mut self, capture: &Capture, out: &[u8], from: usize) {
        let mut at = from;
        let mut next_span = 0;
        let mut line_start = 0;
        for line in capture.text.split(|b| *b == b'\n') {
            let start = line_start;
            line_start += line.len() + 1;
            let body = line.trim_ascii();
            if body.is_empty() {
                continue;
            }
            let lead = line.len() - line.trim_ascii_start().len();
            // A line that was changed is not looked for beyond the next few.
            let window = out.get(at..(at + body.len() + 400).min(out.len())).unwrap_or_default();
            let Some(found) = memchr::memmem::find(window, body) else { continue };
            let shift = at + found;
            let (first, last) = (start + lead, start + lead + body.len());
            while next_span < capture.spans.len() && capture.spans[next_span].end as usize <= first {
                next_span += 1;
            }
            for span in &capture.spans[next_span..] {
                let (s, e) = ((span.start as usize).max(first), (span.end as usize).min(last));
                if span.start as usize >= last {
                    break;
                }
                self.place(span, shift + s - first, shift + e.max(s) - first);
            }
            at = shift + body.len();
        }
    }
}

/// What a render's output was made of.
#[derive(Debug)]
pub struct Provenance {
    /// Every path of the values that was met, and what of it was read.
    pub reads: Reads,
    /// The texts that output came from.
    pub sources: Vec<Arc<Source>>,
    /// What stands around spans; 0 is a file itself.
    pub scopes: Vec<Scope>,
    /// Calls of functions that are not pure.
    pub impure: Vec<ImpureCall>,
    /// For each file, in the order they were rendered, its spans in order.
    pub files: Vec<Vec<OutputSpan>>,
    /// Of a render that failed what was being evaluated, with its scope and evidence as if it had written something.
    pub failed: Option<OutputSpan>,
    events: Vec<Event>,
    evidence: Vec<(u32, u32)>,
}

/// What one piece of evidence says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The values read, each path once, in order.
    pub reads: Vec<Read>,
    /// Numbers of impure calls.
    pub impure: Vec<u32>,
}

impl Provenance {
    /// The span of a file's output that holds byte `offset`.
    pub fn span(&self, file: usize, offset: usize) -> Option<&OutputSpan> {
        let spans = self.files.get(file)?;
        let offset = narrow(offset);
        let at = spans.partition_point(|span| span.end <= offset);
        spans.get(at).filter(|span| span.start <= offset)
    }

    /// The spans of a file's output that lie in a range of its bytes, in order.
    pub fn spans(&self, file: usize, range: std::ops::Range<usize>) -> impl Iterator<Item = &OutputSpan> {
        let spans = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
        let (start, end) = (narrow(range.start), narrow(range.end));
        let first = spans.partition_point(|span| span.end <= start);
        spans[first..].iter().take_while(move |span| span.start < end)
    }

    /// What a piece of evidence says, through the variables it used.
    ///
    /// Where a deeper path of a container was read, the steps towards it are left out.
    pub fn evidence(&self, number: u32) -> Evidence {
        let mut reads: IndexMap<u32, ReadKind> = IndexMap::new();
        let mut out = Evidence::default();
        let mut pending = vec![(number, false)];
        let mut seen = std::collections::BTreeSet::new();
        while let Some((number, spared)) = pending.pop() {
            if number == 0 || !seen.insert((number, spared)) {
                continue;
            }
            let Some(&(from, to)) = self.evidence.get(number as usize) else { continue };
            for event in self.events.get(from as usize..to as usize).unwrap_or_default() {
                match event {
                    Event::Read(read) => {
                        let kind = reads.entry(read.path).or_insert(read.kind);
                        *kind = (*kind).max(read.kind);
                    }
                    Event::Uses(other) => pending.push((*other, spared)),
                    Event::Spares(other) => pending.push((*other, true)),
                    Event::Impure(call) => {
                        if !spared && !out.impure.contains(call) {
                            out.impure.push(*call);
                        }
                    }
                }
            }
        }
        let above = |path: u32| self.reads.paths.get(path as usize).map_or(0, |(parent, _)| *parent);
        let mut parents = std::collections::BTreeSet::new();
        for path in reads.keys() {
            let mut at = *path;
            while at != 0 {
                at = above(at);
                if !parents.insert(at) {
                    break;
                }
            }
        }
        // What is below a container that was read with everything in it goes without saying.
        let is_covered = |path: u32| {
            let mut at = path;
            while at != 0 {
                at = above(at);
                if reads.get(&at) == Some(&ReadKind::All) {
                    return true;
                }
            }
            false
        };
        out.reads = reads
            .iter()
            .filter(|(path, kind)| **kind == ReadKind::All || !parents.contains(path))
            .filter(|(path, _)| **path == 0 || !is_covered(**path))
            .map(|(path, kind)| Read { path: *path, kind: *kind })
            .collect();
        out
    }

    /// The scopes around a span, the innermost first.
    pub fn scopes_of(&self, scope: u32) -> Vec<&Scope> {
        let mut out = Vec::new();
        let mut at = scope;
        while at != 0 {
            let Some(scope) = self.scopes.get(at as usize) else { break };
            out.push(scope);
            at = scope.parent;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_back_by_what_is_taken_out_before_them() {
        let text = b"a<no value>b<no value><no value>c";
        let gaps: Vec<usize> = memchr::memmem::find_iter(text, super::super::template::NO_VALUE).collect();
        assert_eq!(gaps, [1, 12, 22]);
        let places = [0, 1, 5, 11, 12, 13, 22, 25, 32, 33];
        assert_eq!(places.map(|at| moved(at, &gaps)), [0, 1, 1, 1, 2, 2, 2, 2, 2, 3]);
        assert_eq!(moved(7, &[]), 7);
    }

    #[test]
    fn many_gaps_cost_each_span_a_look_and_no_walk() {
        // A walk over all gaps for each of these would be ten thousand million steps.
        let gaps: Vec<usize> = (0..100_000).map(|at| at * 11).collect();
        let sum: u64 = (0..100_000).map(|at| u64::from(moved(at * 11 + 10, &gaps))).sum();
        assert_eq!(sum, (0..100_000).sum::<u64>());
    }
}
