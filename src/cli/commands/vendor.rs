//! `stackc vendor`.

use super::session::{Outcome, Session, Telling, count, run as session, selection};
use crate::cli::arguments::{Global, Vendor};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::driver::wanted;
use crate::load::Selection;
use crate::package::cache::Cache;
use crate::package::lock::{self, Lock, Pinned, Wanted};
use crate::package::mirror::Mirror;
use crate::package::source::Packages;
use crate::package::vendor::{Change, Scope, Update, changed, enter, vendor};
use crate::world::World;

pub(super) fn run(global: &Global, options: &Vendor, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Output(options.format), world, console, |session| pinned(options, session))
}

fn pinned(options: &Vendor, session: &mut Session<'_>) -> Result<Outcome, Reported> {
    let selection = selection(&options.environments);
    let access = session.access(options.access, &selection);
    let folder = options.to.as_deref().map(|folder| session.seen_from_here(folder));
    let Session { world, sources, sink, .. } = session;
    let (project, wants) = wanted(world, sources, &selection, sink)?;
    let lock = Lock::load(world, sources, sink)?.unwrap_or_default();
    let mirror = access.mirror.or_else(|| project.file().mirror.clone());
    let packages = Packages::new(world, Cache::open(world), mirror, access.network);
    let update = match options.update.as_deref() {
        None => Update::Nothing,
        Some([]) => Update::Everything,
        Some(names) => Update::Named(names.to_vec()),
    };
    let scope = if selection == Selection::All { Scope::Project } else { Scope::Part };
    let pins = vendor(&wants, &lock, &update, &packages, sink)?;
    let (lock, changes) = if options.access.is_locked() {
        (lock.clone(), unchanged(changed(&lock, &pins, scope).1, sink)?)
    } else {
        enter(world, sources, &pins, scope, sink)?
    };
    let mut status: Vec<String> = changes.iter().map(line).collect();
    if let (Some(folder), Some(named)) = (folder, &options.to) {
        copy(&Mirror::at(world, folder), &packages, &pins, sink)?;
        status.push(format!("{} in {named}", count(pins.len(), "package")));
    }
    let state = if changes.is_empty() { "unchanged".to_owned() } else { summary(&changes) };
    status.push(format!("{}: {}, {state}", lock::FILE, count(lock.entries().count(), "package")));
    Ok(Outcome::status(status))
}

/// No changes; any is an error.
fn unchanged(changes: Vec<Change>, sink: &mut Sink) -> Result<Vec<Change>, Reported> {
    for change in &changes {
        let fact = format!("`{}` would change: {}", lock::FILE, line(change));
        let _told = sink.report(
            Diagnostic::error(codes::LOCK_OUTDATED, fact)
                .help("run `stackc vendor` without `--locked` and `--frozen`, and commit the lock"),
        );
    }
    sink.finish(changes)
}

fn copy(
    mirror: &Mirror<'_>,
    packages: &Packages<'_>,
    pins: &[(Wanted, Pinned)],
    sink: &mut Sink,
) -> Result<(), Reported> {
    for (wanted, pinned) in pins {
        let done = packages.fetch(wanted, pinned).and_then(|bytes| mirror.put(wanted, pinned, &bytes));
        if let Err(error) = done {
            let _told = sink.report(
                Diagnostic::error(codes::UNWRITABLE_FILE, error.to_string())
                    .help("choose a folder that can be written with `--to`"),
            );
        }
    }
    sink.finish(())
}

fn line(change: &Change) -> String {
    let name = |wanted: &Wanted| wanted.name().to_owned();
    match change {
        Change::Added(wanted, pinned) if pinned.version.is_empty() => format!("added    {}", name(wanted)),
        Change::Added(wanted, pinned) => {
            format!("added    {} {}  from {}", name(wanted), pinned.version, wanted.source())
        }
        Change::Moved(wanted, old, new) if old.version == new.version => {
            format!(
                "moved    {} {}: other bytes, {} -> {}",
                name(wanted),
                new.version,
                old.digest,
                new.digest
            )
        }
        Change::Moved(wanted, old, new) => {
            format!("moved    {} {} -> {}", name(wanted), old.version, new.version)
        }
        Change::Dropped(wanted, pinned) => {
            let package = format!("{} {}", name(wanted), pinned.version);
            format!("dropped  {}, which no environment wants", package.trim_end())
        }
    }
}

fn summary(changes: &[Change]) -> String {
    let number = |of: fn(&Change) -> bool| changes.iter().filter(|change| of(change)).count();
    let parts = [
        (number(|change| matches!(change, Change::Added(..))), "added"),
        (number(|change| matches!(change, Change::Moved(..))), "moved"),
        (number(|change| matches!(change, Change::Dropped(..))), "dropped"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    parts.join(", ")
}
