//! The templates that can be named at some moment: those of the charts, and what running `tpl`s defined over them.

use super::parse::{ParseError, parse};
use super::tree::{Source, Template};
use crate::diag::did_you_mean;
use crate::helm::funcs::Registry;
use crate::helm::value::Str;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Templates by name; shared between threads.
#[derive(Debug, Default)]
pub(crate) struct Names(IndexMap<Str, Arc<Template>>);

impl Names {
    /// Adds a definition of a later text: it replaces an older one unless it is empty.
    pub(crate) fn add(&mut self, template: Arc<Template>) {
        match self.0.get_mut(template.name.as_bytes()) {
            Some(_) if template.is_empty() => {}
            Some(old) => *old = template,
            None => {
                self.0.insert(template.name.clone(), template);
            }
        }
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Arc<Template>> {
        self.0.get(name)
    }
}

/// A text given to `tpl`, parsed: its own body and what it defines.
pub(super) struct Inline {
    pub(super) body: Arc<Template>,
    defines: Vec<Arc<Template>>,
}

/// Texts given to `tpl`, parsed once in a render.
type Cache = RefCell<IndexMap<Str, Result<Rc<Inline>, ParseError>>>;

/// A name that is short enough for others to be compared with it.
pub(super) fn meant_word(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(name).ok().filter(|name| name.len() <= 100)
}

/// The templates that can be named.
pub(super) struct Set {
    charts: Arc<Names>,
    /// What running `tpl`s defined, the innermost first.
    over: Option<Rc<Over>>,
    cache: Rc<Cache>,
    functions: &'static Registry,
}

/// How many texts given to `tpl` are kept parsed.
const MAX_CACHED: usize = 8192;

struct Over {
    names: Names,
    below: Option<Rc<Self>>,
}

/// The name of every text given to `tpl`.
const INLINE: &str = "gotpl";

impl Set {
    pub(super) fn new(charts: Arc<Names>, functions: &'static Registry) -> Self {
        Self { charts, over: None, cache: Rc::default(), functions }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<Arc<Template>> {
        let mut over = self.over.as_ref();
        while let Some(layer) = over {
            if let Some(template) = layer.names.get(name) {
                return Some(Arc::clone(template));
            }
            over = layer.below.as_ref();
        }
        self.charts.get(name).cloned()
    }

    /// The name that was perhaps meant by one that nothing has.
    pub(super) fn meant(&self, name: &[u8]) -> Option<Str> {
        let name = meant_word(name)?;
        let layers = std::iter::successors(self.over.as_deref(), |over| over.below.as_deref());
        let names = layers.map(|over| &over.names).chain([&*self.charts]);
        let words = names.flat_map(|names| names.0.keys()).filter_map(|name| meant_word(name));
        did_you_mean(name, words).map(Str::from)
    }

    /// Whether that text was already parsed.
    pub(super) fn knows(&self, text: &Str) -> bool {
        self.cache.borrow().contains_key(text.as_bytes())
    }

    /// The parsed form of a text given to `tpl`.
    pub(super) fn inline(&self, text: &Str) -> Result<Rc<Inline>, ParseError> {
        if let Some(known) = self.cache.borrow().get(text.as_bytes()) {
            return known.clone();
        }
        let source = Arc::new(Source { name: INLINE.into(), text: Arc::from(text.as_bytes()) });
        let parsed = parse(&source, self.functions).map(|mut templates| {
            let body = templates.iter().rposition(|t| t.name == INLINE).map(|at| templates.remove(at));
            let body = body.unwrap_or_else(|| Arc::new(Template::empty(INLINE.into(), &source)));
            Rc::new(Inline { body, defines: templates })
        });
        let mut cache = self.cache.borrow_mut();
        if cache.len() < MAX_CACHED {
            cache.insert(text.clone(), parsed.clone());
        }
        parsed
    }

    /// This set with what a text defines laid over it.
    pub(super) fn with(self: &Rc<Self>, inline: &Inline) -> Rc<Self> {
        if inline.defines.is_empty() {
            return Rc::clone(self);
        }
        let mut names = Names::default();
        for template in &inline.defines {
            if !template.is_empty() || self.get(&template.name).is_none() {
                names.add(Arc::clone(template));
            }
        }
        Rc::new(Self {
            charts: Arc::clone(&self.charts),
            over: Some(Rc::new(Over { names, below: self.over.clone() })),
            cache: Rc::clone(&self.cache),
            functions: self.functions,
        })
    }
}
