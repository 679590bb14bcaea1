//! Publishing to a branch: one commit for all environments that change.

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::diff::{ChangeSet, DocumentChange, Whole};
use crate::emit::slashed;
use crate::world::World;
use crate::world::git::{Changes, CommitId, Repository, WorkTree};
use camino::Utf8Path;
use std::fmt::Write as _;

pub(super) fn commit(
    changes: &ChangeSet,
    repository: Option<&Utf8Path>,
    branch: &str,
    title: Option<&str>,
    world: &dyn World,
    sink: &mut Sink,
) -> Result<Option<CommitId>, Reported> {
    if changes.is_empty() {
        return Ok(None);
    }
    let fail = |error: crate::world::WorldError, sink: &mut Sink| {
        sink.report(
            Diagnostic::error(codes::UNUSABLE_REPOSITORY, format!("no commit could be made: {error}"))
                .help("if somebody else moved the branch, run the command again"),
        )
    };
    let path = repository.unwrap_or(Utf8Path::new("."));
    let opened = Repository::open(world, path).map_err(|error| fail(error, sink))?;
    let mut written = Changes::new();
    for file in changes.environments().iter().flat_map(super::super::diff::EnvironmentChanges::files) {
        written.insert(slashed(changes.prefix(), &file.path), file.after.clone());
    }
    let message = message(changes, title);
    let id = opened.commit(branch, changes.tip(), &written, &message).map_err(|error| fail(error, sink))?;
    if let Some(shown) = opened.checked_out(branch) {
        let path = match &shown {
            WorkTree::Here => path,
            WorkTree::At(other) => other,
        };
        sink.report(
            Diagnostic::warning(
                codes::BRANCH_CHECKED_OUT,
                format!("branch `{branch}` is checked out in `{path}`, and its files were not touched"),
            )
            .note("`git status` there now shows the commit backwards, as changes that undo it")
            .help(format!("publish to a branch of its own, or run `git -C {path} reset --hard` once nothing there is worth keeping")),
        );
    }
    Ok(Some(id))
}

/// What changed, environment by environment.
fn message(changes: &ChangeSet, title: Option<&str>) -> String {
    const MOST: usize = 40;
    let changed: Vec<_> =
        changes.environments().iter().filter(|environment| !environment.files().is_empty()).collect();
    let names: Vec<&str> = changed.iter().map(|environment| &**environment.environment()).collect();
    let mut out = title.map_or_else(
        || match names.len() {
            0..=3 => format!("Publish {}", names.join(", ")),
            many => format!("Publish {many} environments"),
        },
        str::to_owned,
    );
    out.push('\n');
    for environment in changed {
        let documents = environment.documents();
        let _ = writeln!(out, "\n{}: {}", environment.environment(), crate::diff::counts(&documents));
        for change in documents.iter().take(MOST) {
            let _ = writeln!(out, "  {}", line(change));
        }
        if documents.len() > MOST {
            let _ = writeln!(out, "  and {} more", documents.len() - MOST);
        }
    }
    out
}

fn line(change: &DocumentChange) -> String {
    let sign = match &change.whole {
        Whole::Added => "+",
        Whole::Removed => "-",
        Whole::Changed(_) | Whole::Rewritten { .. } => "~",
    };
    match &change.whole {
        Whole::Changed(fields) if !fields.is_empty() => {
            let paths: Vec<&str> = fields.iter().take(3).map(|field| field.path.as_str()).collect();
            let more = if fields.len() > 3 { ", ..." } else { "" };
            format!("{sign} {}: {}{more}", change.id, paths.join(", "))
        }
        _ => format!("{sign} {}", change.id),
    }
}
