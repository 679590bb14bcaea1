//! Compiled expressions: searching as Go searches, within what a render may use.
//!
//! Searching is linear in the text, but an expression may be large and a text be searched from every place in it. So
//! compiling costs steps by the size of what comes out, and every search by what it may walk over.

use crate::helm::funcs::{Ctx, FuncError};
use crate::helm::strconv;
use crate::pattern::{self, Groups, RegexError};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};
use regex_automata as automata;
use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Sizes that compiling is tried with, in bytes, and the steps that each costs.
const SIZES: &[(usize, u64)] =
    &[(8 << 10, 100), (64 << 10, 1_000), (512 << 10, 10_000), (4 << 20, 200_000), (32 << 20, 2_000_000)];
/// Bytes that one state of a compiled expression takes, about.
const STATE: usize = 100;
/// Steps that reading one byte of source counts for, each time that compiling is tried.
const SOURCE_STEPS: u64 = 64;
/// Bytes of program that one byte of source makes at least, about.
const PROGRAM_A_BYTE: usize = 8;
/// Bytes that are searched in the time of one step.
const BYTES_A_STEP: usize = 64;
/// Up to so many bytes a search is charged as if it read them all.
const SHORT: usize = 4096;
/// What the automaton that counts may take.
const COUNTER_SIZE: usize = 256 << 10;
/// States times bytes that are searched in the time of one step where it is.
const WORK_A_STEP: usize = 1 << 12;
/// Groups times bytes of source that may capture.
const MAX_CAPTURES: usize = 1 << 22;
/// Bytes of compiled expressions kept for the next call.
const CACHED: usize = 32 << 20;

/// Why there is no match and no mismatch.
pub(super) enum Refused {
    /// The expression is none.
    Syntax(RegexError),
    /// The render would use too much.
    Limit(FuncError),
}

impl From<FuncError> for Refused {
    fn from(error: FuncError) -> Self {
        Self::Limit(error)
    }
}

/// A compiled expression.
pub(super) struct Program {
    source: Vec<u8>,
    search: Regex,
    size: usize,
    capturing: OnceCell<Regex>,
    /// Of the groups that capture, the whole match first.
    pub(super) names: Vec<Option<String>>,
    counter: OnceCell<Counter>,
}

/// Expressions by their source, and the bytes that they take.
type Cache = (BTreeMap<Vec<u8>, Result<Rc<Program>, RegexError>>, usize);

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new((BTreeMap::new(), 0)) };
}

/// `regexp.Compile`, or what it gave the last time.
pub(super) fn compiled(ctx: &mut Ctx<'_>, source: &[u8]) -> Result<Rc<Program>, Refused> {
    if let Some(known) = CACHE.with_borrow(|(cache, _)| cache.get(source).cloned()) {
        return known.map_err(Refused::Syntax);
    }
    let program = match Program::new(ctx, source) {
        Ok(program) => Ok(Rc::new(program)),
        Err(Refused::Syntax(error)) => Err(error),
        Err(limit) => return Err(limit),
    };
    CACHE.with_borrow_mut(|(cache, taken)| {
        let size = program.as_ref().map_or(0, |program| program.size) + source.len() + 256;
        if *taken + size > CACHED {
            cache.clear();
            *taken = 0;
        }
        *taken += size;
        cache.insert(source.to_vec(), program.clone());
    });
    program.map_err(Refused::Syntax)
}

/// Compiles with the least room that does, and says how much that was.
fn build(ctx: &mut Ctx<'_>, source: &[u8], translated: &str) -> Result<(Regex, usize), Refused> {
    let least = source.len().saturating_mul(PROGRAM_A_BYTE);
    for (size, steps) in SIZES.iter().filter(|(size, _)| *size >= least) {
        ctx.spend(*steps + source.len() as u64 * SOURCE_STEPS)?;
        let built = RegexBuilder::new(translated).size_limit(*size).nest_limit(5000).build();
        if let Ok(regex) = built {
            return Ok((regex, *size));
        }
    }
    Err(Refused::Syntax(pattern::too_large(&String::from_utf8_lossy(source))))
}

/// Counts the bytes that a search reads. Without an automaton, where there can be none, all that there are count.
struct Counter(Option<(dfa::DFA, RefCell<dfa::Cache>)>);

impl Counter {
    fn new(source: &[u8]) -> Self {
        let translated = pattern::translate(source, Groups::Ignore).ok();
        let settings = dfa::Config::new().cache_capacity(COUNTER_SIZE).skip_cache_capacity_check(true);
        let room = thompson::Config::new().utf8(false).nfa_size_limit(Some(COUNTER_SIZE));
        let built = translated.and_then(|(translated, _)| {
            let words = automata::util::syntax::Config::new().utf8(false).nest_limit(5000);
            dfa::Builder::new().configure(settings).thompson(room).syntax(words).build(&translated).ok()
        });
        Self(built.map(|dfa| {
            let cache = RefCell::new(dfa.create_cache());
            (dfa, cache)
        }))
    }

    /// How many bytes behind `from` a search reads until it knows its answer.
    fn reads(&self, text: &[u8], from: usize) -> usize {
        let rest = text.len() - from;
        let Some((dfa, cache)) = &self.0 else { return rest };
        let mut cache = cache.borrow_mut();
        let input = automata::Input::new(text).range(from..);
        let Ok(mut state) = dfa.start_state_forward(&mut cache, &input) else { return rest };
        for (at, byte) in text[from..].iter().enumerate() {
            match dfa.next_state(&mut cache, state, *byte) {
                Ok(next) if next.is_dead() => return at + 1,
                Ok(next) if !next.is_quit() => state = next,
                _ => return rest,
            }
        }
        rest
    }
}

impl Program {
    fn new(ctx: &mut Ctx<'_>, source: &[u8]) -> Result<Self, Refused> {
        ctx.spend(source.len() as u64)?;
        let (translated, names) = pattern::translate(source, Groups::Ignore).map_err(Refused::Syntax)?;
        let (search, size) = build(ctx, source, &translated)?;
        let (capturing, counter) = (OnceCell::new(), OnceCell::new());
        Ok(Self { source: source.to_vec(), search, size, capturing, names, counter })
    }

    /// Whether the expression is the empty one.
    pub(super) fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// Accounts for a search from a place of the shown text on.
    ///
    /// How far a search reads is not to be told from what it finds: `a.*z|a` reads to the end of the text for each
    /// `a`. So the searches behind the first are made by an automaton that counts, where there is much left to read.
    fn spend(&self, ctx: &mut Ctx<'_>, text: &[u8], from: usize) -> Result<(), FuncError> {
        let bytes = text.len().saturating_sub(from);
        if from == 0 {
            let work = bytes.saturating_mul(self.size / STATE) / WORK_A_STEP;
            return ctx.spend((bytes / BYTES_A_STEP + work) as u64);
        }
        let read = if bytes <= SHORT { bytes } else { self.counter().reads(text, from) };
        // Counting takes twice the time of searching.
        ctx.spend((3 * read / BYTES_A_STEP) as u64)
    }

    fn counter(&self) -> &Counter {
        self.counter.get_or_init(|| Counter::new(&self.source))
    }

    /// The first match at or after a place.
    pub(super) fn find_at(
        &self,
        ctx: &mut Ctx<'_>,
        subject: &Subject<'_>,
        from: usize,
    ) -> Result<Option<(usize, usize)>, FuncError> {
        let mut from = subject.shown_at(from);
        self.spend(ctx, &subject.shown, from)?;
        while let Some(found) = self.search.find_at(&subject.shown, from) {
            if subject.is_boundary(found.start()) {
                return Ok(Some((subject.given_at(found.start()), subject.given_at(found.end()))));
            }
            from = found.start() + 1;
        }
        Ok(None)
    }

    /// The expression with its groups, for [`Program::captures_at`].
    pub(super) fn capturing(&self, ctx: &mut Ctx<'_>) -> Result<&Regex, FuncError> {
        if let Some(regex) = self.capturing.get() {
            return Ok(regex);
        }
        if self.names.len().saturating_mul(self.source.len()) > MAX_CAPTURES {
            return Err(FuncError::Limit("the groups that an expression may capture"));
        }
        let built = pattern::translate(&self.source, Groups::Capture)
            .map_err(Refused::Syntax)
            .and_then(|(translated, _)| build(ctx, &self.source, &translated));
        match built {
            Ok((regex, _)) => Ok(self.capturing.get_or_init(|| regex)),
            Err(Refused::Limit(error)) => Err(error),
            Err(Refused::Syntax(RegexError(text))) => Err(FuncError::message(text)),
        }
    }

    /// As [`Program::find_at`], with the places of the groups in `locations`.
    pub(super) fn captures_at(
        &self,
        ctx: &mut Ctx<'_>,
        locations: &mut CaptureLocations,
        subject: &Subject<'_>,
        from: usize,
    ) -> Result<Option<(usize, usize)>, FuncError> {
        let regex = self.capturing(ctx)?;
        let mut from = subject.shown_at(from);
        self.spend(ctx, &subject.shown, from)?;
        while let Some(found) = regex.captures_read_at(locations, &subject.shown, from) {
            if subject.is_boundary(found.start()) {
                return Ok(Some((subject.given_at(found.start()), subject.given_at(found.end()))));
            }
            from = found.start() + 1;
        }
        Ok(None)
    }

    /// `FindAllStringIndex`: an empty match right after another one does not count.
    pub(super) fn find_all(
        &self,
        ctx: &mut Ctx<'_>,
        text: &[u8],
        limit: i64,
    ) -> Result<Vec<(usize, usize)>, FuncError> {
        let subject = Subject::new(text);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        let (mut at, mut last_end) = (0, None);
        while found.len() < limit && at <= text.len() {
            let Some((start, end)) = self.find_at(ctx, &subject, at)? else {
                break;
            };
            let accepted = end != at || last_end != Some(start);
            at = if end == at { at + rune_width(&text[at..]) } else { end };
            last_end = Some(end);
            if accepted {
                ctx.charge(size_of::<(usize, usize)>() * 2)?;
                found.push((start, end));
            }
        }
        Ok(found)
    }
}

/// A text to search. To Go a byte that is not part of UTF-8 is a U+FFFD one byte wide; here such bytes are written
/// out as that character, and places are counted back.
pub(super) struct Subject<'t> {
    shown: Cow<'t, [u8]>,
    /// Where in the given text a byte was replaced.
    replaced: Vec<usize>,
}

/// By how much the stand-in is longer than the byte.
const LONGER: usize = '\u{fffd}'.len_utf8() - 1;

impl<'t> Subject<'t> {
    pub(super) fn new(given: &'t [u8]) -> Self {
        if std::str::from_utf8(given).is_ok() {
            return Self { shown: Cow::Borrowed(given), replaced: Vec::new() };
        }
        let (mut shown, mut replaced, mut at) = (Vec::with_capacity(given.len() + 64), Vec::new(), 0);
        while at < given.len() {
            let (rune, width) = strconv::valid_rune(&given[at..]);
            if rune.is_some() {
                shown.extend_from_slice(&given[at..at + width]);
            } else {
                replaced.push(at);
                shown.extend_from_slice("\u{fffd}".as_bytes());
            }
            at += width;
        }
        Self { shown: Cow::Owned(shown), replaced }
    }

    fn shown_at(&self, given: usize) -> usize {
        given + LONGER * self.replaced.partition_point(|&at| at < given)
    }

    pub(super) fn given_at(&self, shown: usize) -> usize {
        let (mut low, mut high) = (0, self.replaced.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.replaced[middle] + LONGER * middle < shown {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        shown - LONGER * low
    }

    /// Whether a character may begin there: `\B` alone matches inside of one.
    fn is_boundary(&self, shown: usize) -> bool {
        self.shown.get(shown).is_none_or(|byte| byte & 0xc0 != 0x80)
    }
}

/// The width of the rune at the front, 1 at the end.
pub(super) fn rune_width(text: &[u8]) -> usize {
    if text.is_empty() { 1 } else { strconv::valid_rune(text).1 }
}
