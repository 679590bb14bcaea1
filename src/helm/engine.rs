//! Rendering: the templates of a chart and its subcharts, parsed once, executed any number of times.
//!
//! Most callers want [`release`](super::release), which settles values and contexts first; this is the part below it:
//!
//! ```
//! use stackc::helm::engine::{self, Context, Options, TemplateFile};
//! use stackc::helm::template::Environment;
//! use stackc::helm::value::{Map, Value};
//! use stackc::helm::{profile::HELM_4_2, stack};
//! use std::sync::Arc;
//!
//! struct Fixed;
//! impl Environment for Fixed {
//!     fn now(&mut self) -> (i64, u32) {
//!         (0, 0)
//!     }
//!     fn random(&mut self, out: &mut [u8]) {
//!         out.fill(7);
//!     }
//! }
//!
//! let text = Arc::from(&b"replicas: {{ .Values.replicas | default 2 }}"[..]);
//! let file = TemplateFile { path: "web/templates/a.yaml".to_owned(), text, chart: 0 };
//! let parsed = engine::parse(vec![file], &HELM_4_2).expect("a template"); // shared between threads and releases
//! let text = stack::on_large_stack(|| {
//!     let map = Map::new(); // one context a chart
//!     map.insert("Values", Value::map([("replicas", Value::int(3))]));
//!     let contexts = [Context { map, base_path: "web/templates".to_owned() }];
//!     let rendered = parsed.render(&contexts, &Options::default(), &mut Fixed).expect("renders");
//!     rendered.files[0].text.clone()
//! });
//! assert_eq!(text, b"replicas: 3");
//! ```
//!
//! Files are parsed and rendered in Helm's order: the deepest first, within a depth from z to a; of two definitions of
//! one name the later parsed one counts. All files of one chart share one context map, so what one `set`s there the
//! files after it see.

use super::funcs::Registry;
use super::profile::Profile;
use super::provenance::{Provenance, Recorder};
use super::stack;
use super::template::{Ctx, Environment, ExecError, Limits, Names, ParseError};
use super::value::{Map, Str, Tracker, Value};
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

mod texts;

pub use texts::ParsedTexts;

/// A template file of a chart.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    /// Its path from the root chart's name on: `web/charts/db/templates/service.yaml`.
    pub path: String,
    /// Its text.
    pub text: Arc<[u8]>,
    /// The number of its chart's context in what [`Parsed::render`] is given.
    pub chart: usize,
}

/// What the templates of one chart see.
#[derive(Clone)]
pub struct Context {
    /// `.Values`, `.Release`, `.Chart`, ...; gets `.Template` before each file.
    pub map: Map,
    /// `.Template.BasePath`: `web/charts/db/templates`.
    pub base_path: String,
}

/// Why a chart's templates do not parse or do not render.
#[derive(Clone, Debug)]
pub enum TemplateError {
    /// A file is no template.
    Parse {
        /// Its path.
        path: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// A file's execution failed.
    Exec {
        /// Its path.
        path: String,
        /// The chain of links down to the fault.
        error: Box<ExecError>,
        /// What led there ([`Provenance::failed`]), where a tracker was given.
        provenance: Option<Arc<Provenance>>,
    },
}

impl TemplateError {
    /// Helm's own words, as they stand behind `Error: `.
    pub fn helm_text(&self, profile: &Profile) -> Vec<u8> {
        match self {
            Self::Parse { path, error } => {
                // Helm quotes the text after the last `: ` of Go's message (engine.go, `cleanupParseError`).
                let text = error.text(path.as_bytes());
                let at = memchr::memmem::rfind(&text, b": ").map_or(0, |at| at + 2);
                [format!("parse error at ({path}:{}): ", error.line).as_bytes(), &text[at..]].concat()
            }
            Self::Exec { error, .. } => error.helm_text(profile.multi_line_errors),
        }
    }

    /// The path of the file that was parsed or executed.
    pub fn path(&self) -> &str {
        match self {
            Self::Parse { path, .. } | Self::Exec { path, .. } => path,
        }
    }
}

/// Parsed templates; immutable and shared.
#[derive(Debug)]
pub struct Parsed {
    profile: &'static Profile,
    names: Arc<Names>,
    /// In order of rendering; partials are not among them.
    files: Vec<(Str, usize)>,
}

/// How to render.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `required` and `fail` pass, as `helm lint` wants it.
    pub lint: bool,
    /// Bounds.
    pub limits: Limits,
    /// Record provenance, and reads of containers that this tracker was attached to.
    pub tracker: Option<TrackerRef>,
}

/// A shared [`Tracker`].
#[derive(Clone)]
pub struct TrackerRef(pub Rc<Tracker>);

impl std::fmt::Debug for TrackerRef {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tracker")
    }
}

/// One file's output.
#[derive(Clone, Debug)]
pub struct RenderedFile {
    /// Its path.
    pub path: Str,
    /// Its text.
    pub text: Vec<u8>,
}

/// A chart's output, in the order it was rendered.
#[derive(Debug)]
pub struct Rendered {
    /// The files; partials are not among them.
    pub files: Vec<RenderedFile>,
    /// Where it came from, where a tracker was given.
    pub provenance: Option<Provenance>,
}

/// Parses the templates of a chart with all its subcharts. Of two files of one path the later one counts.
///
/// # Errors
/// The first file in Helm's order that is no template.
pub fn parse(files: Vec<TemplateFile>, profile: &'static Profile) -> Result<Parsed, TemplateError> {
    parse_with(files, profile, &ParsedTexts::default())
}

/// The same, of texts that may be parsed already: a chart keeps those of all its releases in
/// [`Chart::parsed`](super::chart::Chart::parsed).
///
/// # Errors
/// The first file in Helm's order that is no template.
pub fn parse_with(
    files: Vec<TemplateFile>,
    profile: &'static Profile,
    texts: &ParsedTexts,
) -> Result<Parsed, TemplateError> {
    stack::on_large_stack(move || parse_here(files, profile, texts))
}

/// Helm's order of paths: the deepest first, within a depth from z to a.
pub(super) fn in_order(a: &str, b: &str) -> Ordering {
    let depth = |path: &str| memchr::memchr_iter(b'/', path.as_bytes()).count();
    (depth(b), b).cmp(&(depth(a), a))
}

fn parse_here(
    files: Vec<TemplateFile>,
    profile: &'static Profile,
    texts: &ParsedTexts,
) -> Result<Parsed, TemplateError> {
    let mut names = Names::default();
    let mut order = files;
    order.sort_by(|a, b| in_order(&a.path, &b.path));
    order.dedup_by(|later, kept| {
        // The sort is stable: of equal paths the later one comes second and has to stay.
        let same = later.path == kept.path;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    let mut rendered = Vec::new();
    let mut actions = 0;
    for file in order {
        let name = Str::from(&file.path);
        actions += action_bytes(&file.text);
        if actions > MAX_ACTIONS {
            let message = super::template::limit_text("8 MiB of actions in all templates").into_bytes();
            return Err(TemplateError::Parse {
                path: file.path,
                error: ParseError { line: 1, message, name: None },
            });
        }
        match texts.parsing(&name, &file.text, profile) {
            Ok(templates) => {
                for template in templates.iter() {
                    names.add(Arc::clone(template));
                }
            }
            Err(error) => return Err(TemplateError::Parse { path: file.path, error }),
        }
        let base = file.path.rsplit('/').next().unwrap_or_default();
        if !base.starts_with('_') {
            rendered.push((name, file.chart));
        }
    }
    Ok(Parsed { profile, names: Arc::new(names), files: rendered })
}

/// How much of the templates of a chart and all its subcharts, each alias counted, may stand between `{{` and `}}`: a
/// tree takes up to fifty times the memory of its text. The largest known chart has one of them.
const MAX_ACTIONS: usize = 8 << 20;

/// How many bytes of a template may become a tree.
pub(super) fn action_bytes(text: &[u8]) -> usize {
    let mut sum = 0;
    let mut rest = text;
    while let Some(start) = memchr::memmem::find(rest, b"{{") {
        let action = &rest[start..];
        let end = memchr::memmem::find(action, b"}}").map_or(action.len(), |end| end + 2);
        sum += end;
        rest = &action[end..];
    }
    sum
}

impl Parsed {
    /// The version of Helm it was parsed for.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// Executes every file on its chart's context. To be called on a large stack ([`stack::on_large_stack`]), as
    /// templates may nest a thousand deep; on a small one they have to nest less.
    ///
    /// # Errors
    /// The first file in Helm's order that fails.
    pub fn render(
        &self,
        contexts: &[Context],
        options: &Options,
        environment: &mut dyn Environment,
    ) -> Result<Rendered, TemplateError> {
        let recorder = options.tracker.as_ref().map(|t| Box::new(Recorder::new(Rc::clone(&t.0))));
        let mut ctx = Ctx::for_render(
            self.profile,
            environment,
            options.limits,
            Arc::clone(&self.names),
            Registry::of(self.profile),
            recorder,
        );
        ctx.set_lint(options.lint);
        let mut files = Vec::with_capacity(self.files.len());
        for (path, chart) in &self.files {
            let Some(context) = contexts.get(*chart) else { continue };
            let Some(template) = self.names.get(path) else { continue };
            let about: [(&str, Value); 2] = [
                ("Name", Value::String(path.clone())),
                ("BasePath", Value::string(context.base_path.as_str())),
            ];
            context.map.insert("Template", Value::Map(Map::of(self.profile.values_type, about)));
            let dot = Value::Map(context.map.with_type(self.profile.values_type));
            if let Err(error) = ctx.execute(template, &dot, 0) {
                let provenance = ctx.into_provenance().map(Arc::new);
                return Err(TemplateError::Exec { path: path.to_string(), error, provenance });
            }
            let text = ctx.take_file();
            ctx.lower_output_limit(text.len());
            files.push(RenderedFile { path: path.clone(), text });
        }
        Ok(Rendered { files, provenance: ctx.into_provenance() })
    }
}

#[cfg(test)]
mod tests;
