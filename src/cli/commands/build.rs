//! `stackc build`.

use super::common::{compiled, count, tell};
use crate::cli::arguments::{Build, Global};
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Sink, codes};
use crate::diff::{Base, ChangeSet, diff};
use crate::driver;
use crate::publish::{Destination, complete, publish};
use crate::source::Sources;
use crate::world::World;
use std::sync::Arc;

pub(super) fn run(global: &Global, options: &Build, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let (world, build) = match compiled(global, &options.compile, world, console) {
        Ok(done) => done,
        Err(exit) => return exit,
    };
    let mut sink = Sink::new();
    let names: Vec<Arc<str>> =
        build.environments.iter().map(|environment| Arc::clone(&environment.name)).collect();
    let exit = write(build, &names, options.check, &world, &mut sink, console);
    tell(sink.found(), &Sources::new(), options.compile.format, console);
    exit
}

fn write(
    build: driver::Build,
    names: &[Arc<str>],
    check: bool,
    world: &dyn World,
    sink: &mut Sink,
    console: &mut Console<'_>,
) -> Exit {
    let output = build.environments.first().map(|environment| environment.tree.output().clone());
    if let Some(output) = &output {
        match complete(&output.dir.join(&output.prefix), world, sink) {
            Ok(true) => console.status("completed what an interrupted build had left"),
            Ok(false) => {}
            Err(_reported) => return Exit::Failure,
        }
    }
    let trees = build.environments.into_iter().map(|environment| environment.tree).collect();
    let Ok(changes) = diff(trees, &Base::Files, world, sink) else { return Exit::Findings };
    if check {
        return drift(&changes, names, sink, console);
    }
    for environment in changes.environments() {
        let removed = environment.files().iter().filter(|file| file.after.is_none()).count();
        let written = environment.files().len() - removed;
        let line = match (written, removed) {
            (0, 0) => format!("unchanged, {}", count(environment.unchanged(), "file")),
            (_, 0) => format!("{} written, {} unchanged", count(written, "file"), environment.unchanged()),
            _ => format!(
                "{} written, {removed} removed, {} unchanged",
                count(written, "file"),
                environment.unchanged()
            ),
        };
        console.status(&format!("{}: {line}", environment.environment()));
    }
    match publish(changes, &Destination::Files, world, sink) {
        Ok(_receipt) => Exit::Fine,
        Err(_reported) => Exit::Failure,
    }
}

/// The tree on disk is not what a build would write: one finding an environment, and the files by name.
fn drift(changes: &ChangeSet, names: &[Arc<str>], sink: &mut Sink, console: &mut Console<'_>) -> Exit {
    if changes.is_empty() {
        console.status(&format!("{} up to date", count(names.len(), "environment")));
        return Exit::Fine;
    }
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
    Exit::Findings
}
