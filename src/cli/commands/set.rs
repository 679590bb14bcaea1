//! `stackc set`: one value of an overlay, changed in its own line.
//!
//! The project is compiled with the changed text before anything is written: what would not build is not written.

use super::session::{Outcome, Session, Telling, run as session};
use crate::cli::arguments::{Access, FindingsFormat, Global, Set};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, Severity, Sink, codes};
use crate::driver::{Wish, compile};
use crate::load::fields::suggest;
use crate::load::{self, EnvironmentDocuments, OverlayDocument, Project, SPEC, Selection};
use crate::schema::Description;
use crate::source::Sources;
use crate::value::{Node, Path, Segment};
use crate::world::World;
use crate::yaml::edit::{self, EditError};
use camino::Utf8PathBuf;
use similar::TextDiff;
use std::sync::Arc;

pub(super) fn run(global: &Global, options: &Set, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let selection = session.one(options.environment.as_deref())?;
        let project = load::load(&session.world, &session.sources, &selection, &mut session.sink)?;
        let Some(documents) = project.environments().first() else {
            return session.sink.finish(Outcome::status(Vec::new()));
        };
        let place = place(&project, documents, options, session)?;
        let edit = edited(&place, options, session)?;
        if edit.before == edit.after {
            return Ok(Outcome::status(vec![format!("{}: unchanged, it is that already", place.file)]));
        }
        let left = validate(&place, &edit, &selection, session)?;
        let mut outcome = Outcome::status(Vec::new());
        if options.dry_run {
            outcome.data = difference(&place, &edit).into_bytes();
            return Ok(outcome);
        }
        // A link stays one: the file behind it is the one that is owned.
        let file = session.world.real_path(&place.file).unwrap_or_else(|_| place.file.clone());
        session.write(&file, &edit.after)?;
        if options.diff {
            outcome.data = difference(&place, &edit).into_bytes();
        }
        outcome.status.push(place.told(options, &edit));
        outcome.status.extend(left);
        Ok(outcome)
    })
}

/// Where a value is written, and what it may be.
struct Place {
    /// The overlay's file.
    file: Utf8PathBuf,
    /// The path in the file.
    path: Path,
    /// Whether only text fits there.
    is_text: bool,
    /// The value that is there now, and the file that it comes from.
    now: Option<(Node, Utf8PathBuf)>,
}

/// The text before and after, and the value as it is written.
struct Edit {
    before: String,
    after: String,
    value: String,
}

impl Place {
    fn told(&self, options: &Set, edit: &Edit) -> String {
        let shown = |node: &Node| {
            let text = node.to_json().to_string();
            if text.len() > 60 { "another value".to_owned() } else { text }
        };
        match &self.now {
            Some((old, file)) if *file == self.file => {
                format!("{}: {} is {}, it was {}", self.file, options.path, edit.value, shown(old))
            }
            Some((old, file)) => format!(
                "{}: {} is {} here; {file} says {} and is as it was",
                self.file,
                options.path,
                edit.value,
                shown(old)
            ),
            None => format!("{}: {} is {}; it was not set", self.file, options.path, edit.value),
        }
    }
}

fn file_of(document: &OverlayDocument) -> Utf8PathBuf {
    document.folder.join("overlay.yaml")
}

fn place(
    project: &Project,
    documents: &EnvironmentDocuments,
    options: &Set,
    session: &mut Session<'_>,
) -> Result<Place, Reported> {
    let wrong = |fact: String| {
        Diagnostic::error(codes::INVALID_VALUE, fact)
            .help("write it as `instance.input`, such as `coredns.replicas`")
    };
    let Some(path) = Path::parse(&options.path) else {
        return Err(session.sink.report(wrong(format!("`{}` is no path", options.path))));
    };
    let Some(Segment::Key(first)) = path.segments().first().cloned() else {
        return Err(session.sink.report(wrong("the path does not start with an instance".to_owned())));
    };
    // The overlay's own document first, then the bases, nearest first.
    let chain: Vec<&Arc<OverlayDocument>> =
        std::iter::once(&documents.overlay).chain(documents.bases.documents.iter().rev()).collect();
    let stacks = |document: &OverlayDocument| document.spec.get("stacks").cloned();
    let is_instance = chain.iter().any(|d| stacks(d).is_some_and(|s| s.get(&first).is_some()));
    let (below, is_text) = if is_instance {
        let stack = chain
            .iter()
            .find_map(|d| Some(stacks(d)?.get(&first)?.get("stack")?.as_str()?.to_owned()))
            .unwrap_or_else(|| first.to_string());
        let rest = Path::from(path.segments()[1..].to_vec());
        let library = project.library();
        let typed = library.stack(&stack, &session.sources).and_then(|stack| stack.schema.describe(&rest));
        // What every instance has is in no schema.
        let common = || ["namespace", "version", "helm"].map(|key| Path::of(&[key])).contains(&rest);
        let is_text = typed.as_ref().map_or_else(common, Description::is_text);
        (Path::of(&["stacks"]), is_text && !rest.is_empty())
    } else if SPEC.contains(&&*first) {
        (Path::default(), path == Path::of(&["kubernetes"]))
    } else {
        let mut names: Vec<String> = Vec::new();
        for stacks in chain.iter().filter_map(|d| stacks(d)) {
            names.extend(stacks.as_map().into_iter().flatten().map(|(name, _)| name.to_string()));
        }
        let fact = format!("the environment `{}` has no instance `{first}`", documents.name);
        let finding = Diagnostic::error(codes::UNKNOWN_INSTANCE, fact);
        let names = names.iter().map(String::as_str);
        return Err(session.sink.report(suggest(finding, &first, names, "its instances are")));
    };
    let mut steps = below.segments().to_vec();
    steps.extend(path.segments().iter().cloned());
    let below_spec = Path::from(steps.clone());
    let now = chain
        .iter()
        .find_map(|document| Some((document.spec.lookup(&below_spec)?.clone(), file_of(document))));
    let file = match &now {
        Some((_, file)) if options.in_base => file.clone(),
        None if options.in_base => {
            let fact = format!("`{}` is written in no base of `{}`", options.path, documents.name);
            let finding = Diagnostic::error(codes::UNKNOWN_NAME, fact);
            return Err(session.sink.report(finding.help("leave `--in-base` out to set it here")));
        }
        _ => file_of(&documents.overlay),
    };
    let mut whole = vec![Segment::Key("spec".into())];
    whole.extend(steps);
    Ok(Place { file, path: Path::from(whole), is_text, now })
}

fn edited(place: &Place, options: &Set, session: &mut Session<'_>) -> Result<Edit, Reported> {
    let bytes = session
        .world
        .read(&place.file)
        .map_err(|error| session.sink.report(Diagnostic::error(codes::UNREADABLE_FILE, error.to_string())))?;
    let Ok(before) = String::from_utf8(bytes) else {
        let fact = format!("`{}` is not UTF-8", place.file);
        return Err(session.sink.report(Diagnostic::error(codes::UNREADABLE_FILE, fact)));
    };
    let sources = Sources::new();
    let file = sources.add(place.file.as_str(), before.as_str());
    let value = if place.is_text {
        edit::text_value(file, &before, &place.path, &options.value)
    } else {
        options.value.trim().to_owned()
    };
    match edit::set(file, &before, &place.path, &value) {
        Ok(after) => Ok(Edit { before, after, value }),
        Err(error) => {
            let code = match &error {
                EditError::Value(_) => codes::INVALID_VALUE,
                EditError::NoSuchPlace(_) => codes::UNKNOWN_KEY,
                EditError::Shared(_) | EditError::Form(_) => codes::UNEDITABLE,
            };
            let mut finding = Diagnostic::error(code, error.to_string());
            if let EditError::Shared(span) | EditError::Form(span) = &error {
                // The text is the session's too, where the finding is drawn.
                let text = session.sources.add(place.file.as_str(), before.as_str());
                finding = finding
                    .at(crate::source::Span::new(text, span.start as usize, span.end as usize).head(), "");
            }
            Err(session.sink.report(match error {
                EditError::Value(_) => finding.help("quote it for the shell: '{a: 1}', '[x, y]', '\"text\"'"),
                EditError::NoSuchPlace(_) => {
                    finding.help("set what holds it as a whole, such as the list: '[x, y]'")
                }
                EditError::Shared(_) | EditError::Form(_) => {
                    finding.help(format!("change `{}` in an editor", place.file))
                }
            }))
        }
    }
}

/// Compiles the project with the new text: the environment, or every one where a base changes. What is left to do is
/// the answer.
fn validate(
    place: &Place,
    edit: &Edit,
    selection: &Selection,
    session: &mut Session<'_>,
) -> Result<Option<String>, Reported> {
    let own = matches!(selection, Selection::Named(names) if names.iter().any(|name| place.file.starts_with(format!("overlays/{name}"))));
    let selection = if own { selection.clone() } else { Selection::All };
    // What was found in the old text is not asked about any more.
    session.sources = Sources::new();
    let world = session.world.with_file(&place.file, edit.after.as_bytes());
    let access = session.access(Access::default(), &selection);
    let wish = Wish { selection, access, ..Wish::default() };
    let mut own = Sink::new();
    let compiled = compile(&world, &session.sources, &wish, &mut own);
    // Which package a new version is stands in the lock once somebody looked it up, which needs the overlay first.
    let unpinned = |finding: &Diagnostic| finding.code == codes::NOT_LOCKED;
    let only_unpinned =
        own.found().iter().all(|finding| finding.severity == Severity::Warning || unpinned(finding));
    if compiled.is_err() && only_unpinned {
        return Ok(Some("the lock does not pin that yet: run `stackc vendor`".to_owned()));
    }
    session.sink.merge(own);
    if let Err(reported) = compiled {
        session.denied = Some("the project would not compile with it; nothing was written");
        return Err(reported);
    }
    Ok(None)
}

/// The change as a unified diff.
fn difference(place: &Place, edit: &Edit) -> String {
    let diff = TextDiff::from_lines(&edit.before, &edit.after);
    diff.unified_diff().header(&format!("a/{}", place.file), &format!("b/{}", place.file)).to_string()
}
