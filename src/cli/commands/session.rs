//! One run of a command over a project: where the project is, what was found, and how the run ends.
//!
//! [`run`] is the shell of every command: findings are told once, in the form that was asked for, then data, then what
//! was done. A command that prints data of its own tells findings beside it, so that its output stays one document.

use crate::cli::arguments::{self, Charts, Compile, FindingsFormat, Global};
use crate::cli::{Console, Exit};
use crate::diag::render::{Style, github, human, json, sarif, short};
use crate::diag::{Diagnostic, Reported, Severity, Sink, codes};
use crate::digest::ContentDigest;
use crate::driver::{Build, Compiled, Journey, Memory, Size, Wish, compile_and_keep};
use crate::load::Selection;
use crate::model::ChartDelivery;
use crate::package::cache::Cache;
use crate::package::memo::Releases;
use crate::package::source::Network;
use crate::package::supply::{Access, Fit};
use crate::publish::{complete, is_pending};
use crate::record::{Record, Recorded, Slot};
use crate::source::Sources;
use crate::world::{Below, EntryKind, Exclusive, World, clean};
use camino::{Utf8Path, Utf8PathBuf};

/// How findings are told.
#[derive(Copy, Clone, Debug)]
pub(super) enum Telling {
    /// They are the output: data formats go to standard output.
    Output(FindingsFormat),
    /// The output is something else: they go to standard error, whatever their format.
    Beside(FindingsFormat),
}

/// What a command has at hand.
pub(super) struct Session<'a> {
    /// The project's folder as a world.
    pub(super) world: Below<'a>,
    /// Every text that was read.
    pub(super) sources: Sources,
    /// What was found.
    pub(super) sink: Sink,
    /// Lines for those who asked for more.
    pub(super) details: Vec<String>,
    /// Held while this command works on an output folder.
    held: Option<Exclusive>,
    /// Why nothing was written, where that has to be said.
    pub(super) denied: Option<&'static str>,
    /// The folder that stackc was called in.
    here: &'a dyn World,
    asked: arguments::Access,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Outcome {
    /// How it ended.
    pub(super) exit: Exit,
    /// What goes to standard output.
    pub(super) data: Vec<u8>,
    /// What was done, a line each.
    pub(super) status: Vec<String>,
}

impl Outcome {
    /// All is well, and this is to be printed.
    pub(super) fn data(data: impl Into<Vec<u8>>) -> Self {
        Self { exit: Exit::Fine, data: data.into(), status: Vec::new() }
    }

    /// All is well, and this was done.
    pub(super) fn status(status: Vec<String>) -> Self {
        Self { exit: Exit::Fine, data: Vec::new(), status }
    }
}

/// Runs a command in its project, tells what was found and prints what came of it.
pub(super) fn run(
    global: &Global,
    telling: Telling,
    world: &dyn World,
    console: &mut Console<'_>,
    work: impl FnOnce(&mut Session<'_>) -> Result<Outcome, Reported>,
) -> Exit {
    at(&project_root(global, world), telling, world, console, work)
}

/// As [`run`], in a folder that need not be a project.
pub(super) fn at(
    folder: &Utf8Path,
    telling: Telling,
    world: &dyn World,
    console: &mut Console<'_>,
    work: impl FnOnce(&mut Session<'_>) -> Result<Outcome, Reported>,
) -> Exit {
    let mut session = Session {
        world: Below::new(world, folder),
        sources: Sources::new(),
        sink: Sink::new(),
        details: vec![format!("folder: {folder}")],
        held: None,
        denied: None,
        here: world,
        asked: arguments::Access::default(),
    };
    let outcome = work(&mut session);
    for line in &session.details {
        console.detail(line);
    }
    let found = session.sink.found();
    match telling {
        Telling::Output(format) => tell(found, &session.sources, format, console),
        Telling::Beside(format) => console.talk(&told(found, &session.sources, format, console)),
    }
    if let Some(why) = session.denied {
        console.talk(&format!("error: {why}\n"));
    }
    match outcome {
        Ok(outcome) => {
            if !outcome.data.is_empty() {
                console.data(&outcome.data);
            }
            for line in &outcome.status {
                console.status(line);
            }
            outcome.exit
        }
        Err(_reported) if found.iter().any(is_fault) => Exit::Failure,
        Err(_reported) => Exit::Findings,
    }
}

/// Whether the machine or stackc itself is at fault, not what is written in the project.
fn is_fault(finding: &Diagnostic) -> bool {
    let faults = [codes::INTERNAL, codes::UNWRITTEN, codes::UNWRITABLE_FILE, codes::DAMAGED_JOURNAL];
    finding.severity == Severity::Error && faults.contains(&finding.code)
}

impl Session<'_> {
    /// Compiles what was asked for, and keeps of each environment what `keep` takes.
    pub(super) fn compile<T: Send>(
        &mut self,
        options: &Compile,
        keep: impl Fn(Compiled) -> T + Sync,
    ) -> Result<Build<T>, Reported> {
        let wish = self.wish(options);
        let kept =
            |environment: Compiled| (Recorded::of(&environment.tree, environment.size()), keep(environment));
        let Build { project, environments, journey } = self.compile_wish(&wish, kept)?;
        let (recorded, environments): (Vec<_>, Vec<_>) = environments.into_iter().unzip();
        let Releases { rendered, remembered } = journey.releases;
        if remembered + rendered > 0 {
            self.details.push(format!("charts: {rendered} rendered, {remembered} remembered"));
        }
        if let Some(slot) = self.slot(&wish) {
            slot.keep(&self.world, &self.sources, self.sink.found(), recorded, journey);
        }
        self.deny(options)?;
        Ok(Build { project, environments, journey: Journey::default() })
    }

    /// What the last build of this kind came to, where nothing that it read has changed since.
    pub(super) fn record(&mut self, options: &Compile) -> Option<Record> {
        let wish = self.wish(options);
        self.slot(&wish)?.find(&self.world)
    }

    fn slot(&self, wish: &Wish) -> Option<Slot> {
        if wish.memory == Memory::Nothing { None } else { Slot::of(&self.world, wish) }
    }

    /// Tells what a build came to that need not be made again.
    pub(super) fn retell(&mut self, record: &Record, options: &Compile) -> Result<(), Reported> {
        record.tell(&self.sources, &mut self.sink);
        for environment in record.environments() {
            self.details.push(told_size("nothing changed in", &environment.name, environment.size));
        }
        self.deny(options)
    }

    fn wish(&mut self, options: &Compile) -> Wish {
        self.asked = options.access;
        let selection = selection(&options.environments);
        let access = self.access(self.asked, &selection);
        let memory = if options.fresh { Memory::Nothing } else { Memory::Releases };
        Wish { selection, charts: delivery(options.charts), access, memory }
    }

    /// Compiles these environments, every origin exact.
    pub(super) fn compile_environments<T: Send>(
        &mut self,
        selection: &Selection,
        charts: Option<ChartDelivery>,
        keep: impl Fn(Compiled) -> T + Sync,
    ) -> Result<Build<T>, Reported> {
        let access = self.access(self.asked, selection);
        let wish = Wish { selection: selection.clone(), charts, access, memory: Memory::Nothing };
        self.compile_wish(&wish, keep)
    }

    fn compile_wish<T: Send>(
        &mut self,
        wish: &Wish,
        keep: impl Fn(Compiled) -> T + Sync,
    ) -> Result<Build<T>, Reported> {
        let told = |environment: Compiled| {
            let detail = told_size("compiled", &environment.name, environment.size());
            (detail, keep(environment))
        };
        let build = compile_and_keep(&self.world, &self.sources, wish, &mut self.sink, told)?;
        let (details, environments): (Vec<_>, Vec<_>) = build.environments.into_iter().unzip();
        self.details.extend(details);
        Ok(Build { project: build.project, environments, journey: build.journey })
    }

    /// How packages may be had; `STACKC_MIRROR` names a folder that is read in place of the network.
    pub(super) fn access(&self, asked: arguments::Access, selection: &Selection) -> Access {
        let mirror = self.world.variable("STACKC_MIRROR").filter(|folder| !folder.is_empty());
        Access {
            mirror: mirror.map(|folder| self.seen_from_here(Utf8Path::new(&folder))),
            network: if asked.offline || asked.frozen { Network::Off } else { Network::On },
            fit: match selection {
                _ if !asked.is_locked() => Fit::Enough,
                Selection::All => Fit::Exact,
                Selection::Named(_) => Fit::Mirror,
            },
        }
    }

    /// A folder of the command line or of a variable, which starts from where stackc was called.
    pub(super) fn seen_from_here(&self, folder: &Utf8Path) -> Utf8PathBuf {
        self.here.root().map_or_else(|| folder.to_owned(), |root| clean(&root.join(folder)))
    }

    /// Fails where there are warnings and none are wanted.
    pub(super) fn deny(&mut self, options: &Compile) -> Result<(), Reported> {
        if !options.deny_warnings {
            return Ok(());
        }
        let strict = self.sink.finish_strictly(());
        if strict.is_err() {
            self.denied = Some("warnings are errors with `--deny-warnings`; nothing was written");
        }
        strict
    }

    /// Completes what an interrupted build left, before anything is compared with the files; whether there was any.
    /// Whoever builds into the same folder waits until this command is done.
    pub(super) fn settle(&mut self, root: &Utf8Path) -> Result<bool, Reported> {
        self.hold(root);
        complete(root, &self.world, &mut self.sink)
    }

    /// For commands that write nothing: waits for a build that is at work, and refuses what an interrupted one left.
    pub(super) fn refuse_half_written(&mut self, root: &Utf8Path) -> Result<(), Reported> {
        self.hold(root);
        if !is_pending(root, &self.world) {
            return Ok(());
        }
        let fact = format!("an interrupted build left the tree in `{root}` half written");
        let finding = Diagnostic::error(codes::OUTPUT_DRIFT, fact);
        Err(self.sink.report(finding.help("run `stackc build`, which completes it")))
    }

    /// Waits until nobody else builds into this folder. Without a cache that can be written nobody waits.
    pub(super) fn hold(&mut self, root: &Utf8Path) {
        if self.held.is_none()
            && let (Some(cache), Ok(project)) =
                (Cache::of_user(&self.world), self.world.real_path(Utf8Path::new(".")))
        {
            let name = ContentDigest::of(clean(&project.join(root)).as_str().as_bytes());
            self.held = self.world.exclusive(&cache.folder().join("locks").join(name.hex())).ok();
        }
    }

    /// Lets others build again.
    pub(super) fn let_go(&mut self) {
        self.held = None;
    }

    /// Writes a file that a person is to own.
    pub(super) fn write(&mut self, path: &Utf8Path, text: &str) -> Result<(), Reported> {
        self.world.write(path, text.as_bytes()).map_err(|error| {
            self.sink.report(
                Diagnostic::error(codes::UNWRITABLE_FILE, error.to_string())
                    .help("check the rights and the space of the folder"),
            )
        })
    }

    /// The one environment that a command is about: the named one, or the only one of the project.
    pub(super) fn one(&mut self, named: Option<&str>) -> Result<Selection, Reported> {
        if let Some(name) = named {
            return Ok(selection(&[name.to_owned()]));
        }
        if self.world.kind(Utf8Path::new("stackc.yaml")).is_none() {
            // Loading says what is missing; which environment is meant is not the question yet.
            return Ok(Selection::All);
        }
        let names = environments(&self.world);
        match names.as_slice() {
            [] => Ok(Selection::All),
            [name] => Ok(selection(std::slice::from_ref(name))),
            _ => Err(self.sink.report(
                Diagnostic::error(
                    codes::UNKNOWN_ENVIRONMENT,
                    "this command is about one environment, and the project has several",
                )
                .help(format!("name one with `-e`: {}", names.join(", "))),
            )),
        }
    }
}

/// The folder of the project: `--project`, or the nearest one upwards with a `stackc.yaml`.
fn project_root(global: &Global, world: &dyn World) -> Utf8PathBuf {
    if let Some(folder) = &global.project {
        return folder.clone();
    }
    let mut folder = Utf8PathBuf::from(".");
    let depth = world.root().map_or(0, |root| root.components().count());
    for _ in 0..=depth {
        if world.kind(&folder.join("stackc.yaml")) == Some(EntryKind::File) {
            return folder;
        }
        folder = if folder == Utf8Path::new(".") { "..".into() } else { folder.join("..") };
    }
    ".".into()
}

/// The environments that were named, or all.
pub(super) fn selection(names: &[String]) -> Selection {
    if names.is_empty() {
        Selection::All
    } else {
        Selection::Named(names.iter().map(|name| name.as_str().into()).collect())
    }
}

/// The delivery of charts that was asked for.
pub(super) fn delivery(charts: Option<Charts>) -> Option<ChartDelivery> {
    charts.map(|charts| match charts {
        Charts::Rendered => ChartDelivery::Rendered,
        Charts::Release => ChartDelivery::Release,
        Charts::K3s => ChartDelivery::K3s,
    })
}

/// Prints findings as they were asked for: data formats to standard output, the others to standard error.
fn tell(found: &[Diagnostic], sources: &Sources, format: FindingsFormat, console: &mut Console<'_>) {
    let text = told(found, sources, format, console);
    match format {
        FindingsFormat::Human | FindingsFormat::Short => console.talk(&text),
        FindingsFormat::Json | FindingsFormat::Sarif | FindingsFormat::Github => {
            console.data(text.as_bytes());
        }
    }
}

fn told(found: &[Diagnostic], sources: &Sources, format: FindingsFormat, console: &Console<'_>) -> String {
    match format {
        FindingsFormat::Human => {
            human(found, sources, Style { color: console.color(), width: console.width() })
        }
        FindingsFormat::Short => short(found, sources),
        FindingsFormat::Json => json(found, sources),
        FindingsFormat::Sarif => sarif(found, sources),
        FindingsFormat::Github => github(found, sources),
    }
}

fn environments(world: &dyn World) -> Vec<String> {
    let entries = world.list(Utf8Path::new("overlays")).unwrap_or_default();
    let overlay = |name: &str| Utf8Path::new("overlays").join(name).join("overlay.yaml");
    entries
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.starts_with('.') && world.kind(&overlay(name)) == Some(EntryKind::File))
        .collect()
}

fn told_size(what: &str, environment: &str, size: Size) -> String {
    format!(
        "{what} {environment}: {} in {}, {}",
        count(size.objects, "object"),
        count(size.units, "unit"),
        count(size.files, "file")
    )
}

/// `1 file`, `2 files`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
