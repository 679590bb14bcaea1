//! The template texts of a chart in parsed form, each parsed once for all releases and threads.
//!
//! A text is parsed when a release first uses it, so that those of subcharts that nobody enables cost nothing. What is
//! kept never changes; a fault is kept like a tree, as a chart is refused for it by every release that uses the file.

use crate::helm::funcs::Registry;
use crate::helm::profile::Profile;
use crate::helm::template::{ParseError, Source, Template, parse_text};
use crate::helm::value::Str;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a text defines, the template of the file itself last; or why it is no template.
pub(in crate::helm) type Parsing = Result<Arc<[Arc<Template>]>, ParseError>;

/// A path and a profile name a parsing. The text is held against the one that was parsed, as a chart may hold two files
/// of one path.
type Key = (Str, &'static str);

/// A text and what it parsed to.
type Known = (Arc<[u8]>, Parsing);

/// Parsed texts; a clone shares them.
#[derive(Clone, Default)]
pub struct ParsedTexts(Arc<Mutex<BTreeMap<Key, Known>>>);

impl fmt::Debug for ParsedTexts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ParsedTexts({})", self.len())
    }
}

impl ParsedTexts {
    /// How many texts are parsed so far.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing is parsed so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parsed form of a text. Two threads that ask for a new one at a time both parse it, and one result is kept.
    pub(in crate::helm) fn parsing(
        &self,
        path: &Str,
        text: &Arc<[u8]>,
        profile: &'static Profile,
    ) -> Parsing {
        let key = (path.clone(), profile.name);
        let known = || {
            let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            texts.get(&key).filter(|(known, _)| Arc::ptr_eq(known, text)).map(|(_, parsing)| parsing.clone())
        };
        if let Some(parsing) = known() {
            return parsing;
        }
        let source = Arc::new(Source { name: path.clone(), text: Arc::clone(text) });
        let parsing = parse_text(&source, Registry::of(profile)).map(Arc::from);
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.entry(key).or_insert_with(|| (Arc::clone(text), parsing.clone()));
        parsing
    }
}
