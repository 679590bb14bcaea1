//! `stackc build`.

use super::session::{Outcome, Session, Telling, count, run as session};
use crate::cli::arguments::{Build, Global};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::diff::{Base, ChangeSet, EnvironmentChanges, diff};
use crate::emit::Tree;
use crate::publish::{Destination, is_pending, publish};
use crate::record::Recorded;
use crate::world::{EntryKind, World};
use camino::Utf8Path;
use std::collections::BTreeSet;

pub(super) fn run(global: &Global, options: &Build, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Output(options.compile.format), world, console, |session| {
        if let Some(done) = unchanged(options, session)? {
            return Ok(done);
        }
        let trees = session.compile(&options.compile, |environment| environment.tree)?.environments;
        write(trees, options, session)
    })
}

/// The end of a build that has nothing to do: what it reads is what the last one read, and the files are what that wrote.
fn unchanged(options: &Build, session: &mut Session<'_>) -> Result<Option<Outcome>, Reported> {
    let Some(record) = session.record(&options.compile) else { return Ok(None) };
    let Some(first) = record.environments().first() else { return Ok(None) };
    session.hold(&first.root);
    let names: BTreeSet<&str> = record.environments().iter().map(|known| &*known.name).collect();
    let stands = !is_pending(&first.root, &session.world)
        && orphans(&first.root, &names, options, session).is_empty()
        && record.stands(&session.world);
    if !stands {
        session.let_go();
        return Ok(None);
    }
    session.retell(&record, &options.compile)?;
    let environments = record.environments();
    let status = if options.check {
        vec![up_to_date(environments.len())]
    } else {
        let line = |known: &Recorded| format!("{}: {}", known.name, all_unchanged(known.size.files));
        environments.iter().map(line).collect()
    };
    Ok(Some(Outcome::status(status)))
}

fn write(mut trees: Vec<Tree>, options: &Build, session: &mut Session<'_>) -> Result<Outcome, Reported> {
    let Some(output) = trees.first().map(|tree| tree.output().clone()) else {
        return Ok(Outcome::status(Vec::new()));
    };
    let (root, mut status) = (output.root(), Vec::new());
    if options.check {
        session.refuse_half_written(&root)?;
    } else if session.settle(&root)? {
        status.push("completed what an interrupted build had left".to_owned());
    }
    let names: BTreeSet<&str> = trees.iter().map(|tree| &**tree.environment()).collect();
    let lost = orphans(&root, &names, options, session);
    if options.prune {
        trees.extend(lost.into_iter().map(|name| Tree::empty(name.into(), output.clone())));
    } else {
        for name in lost {
            session.sink.report(orphaned(&name, options));
        }
    }
    let changes = diff(trees, &Base::Files, &session.world, &mut session.sink)?;
    if options.check {
        drift(&changes, &mut session.sink)?;
        status.push(up_to_date(changes.environments().len()));
        return Ok(Outcome::status(status));
    }
    session.deny(&options.compile)?;
    status.extend(changes.environments().iter().map(summary));
    publish(changes, &Destination::Files, &session.world, &mut session.sink)?;
    Ok(Outcome::status(status))
}

/// The environments that have a tree and no overlay any more; none where only some environments are built.
fn orphans(root: &Utf8Path, names: &BTreeSet<&str>, options: &Build, session: &Session<'_>) -> Vec<String> {
    if !options.compile.environments.is_empty() {
        return Vec::new();
    }
    let entries = session.world.list(&root.join("envs")).unwrap_or_default();
    let has_list =
        |name: &str| session.world.kind(&root.join(Tree::list_path(name))) == Some(EntryKind::File);
    let lost = |name: &String| !names.contains(name.as_str()) && has_list(name);
    entries.into_iter().map(|entry| entry.name).filter(lost).collect()
}

fn orphaned(name: &str, options: &Build) -> Diagnostic {
    let fact = format!("`{name}` is no environment of the project any more, and its tree is still there");
    let code = codes::ORPHANED_TREE;
    let finding = if options.check { Diagnostic::error(code, fact) } else { Diagnostic::warning(code, fact) };
    finding.help("`stackc build --prune` removes it; what reconciles from it may then delete what it made")
}

fn up_to_date(environments: usize) -> String {
    format!("{} up to date", count(environments, "environment"))
}

fn all_unchanged(files: usize) -> String {
    format!("unchanged, {}", count(files, "file"))
}

/// What happens to the files of an environment, in one line.
fn summary(environment: &EnvironmentChanges) -> String {
    let removed = environment.files().iter().filter(|file| file.after.is_none()).count();
    let written = environment.files().len() - removed;
    let files = match (written, removed) {
        (0, 0) => all_unchanged(environment.unchanged()),
        (_, 0) => format!("{} written, {} unchanged", count(written, "file"), environment.unchanged()),
        _ => format!(
            "{} written, {removed} removed, {} unchanged",
            count(written, "file"),
            environment.unchanged()
        ),
    };
    format!("{}: {files}", environment.environment())
}

/// Where the tree on disk is not what a build would write: one finding an environment, with the files by name.
fn drift(changes: &ChangeSet, sink: &mut Sink) -> Result<(), Reported> {
    for environment in changes.environments().iter().filter(|environment| !environment.files().is_empty()) {
        let files: Vec<String> = environment
            .files()
            .iter()
            .take(10)
            .map(|file| match (&file.before, &file.after) {
                (None, _) => format!("{} is missing", file.path),
                (_, None) => format!("{} is left over", file.path),
                _ => format!("{} differs", file.path),
            })
            .collect();
        let rest = environment.files().len() - files.len();
        let mut finding = Diagnostic::error(
            codes::OUTPUT_DRIFT,
            format!("the tree of `{}` is not what a build writes", environment.environment()),
        );
        for file in files {
            finding = finding.note(file);
        }
        if rest > 0 {
            finding = finding.note(format!("and {rest} more"));
        }
        sink.report(finding.help("run `stackc build` and commit what it writes"));
    }
    sink.finish(())
}
