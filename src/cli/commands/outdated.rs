//! `stackc outdated`.

use super::session::{Outcome, Session, Telling, run as session, selection};
use crate::cli::arguments::{Access, DataFormat, FindingsFormat, Global, Outdated};
use crate::cli::{Console, Exit};
use crate::diag::Reported;
use crate::driver::wanted;
use crate::package::cache::Cache;
use crate::package::lock::{Lock, Wanted};
use crate::package::outlook::{Outlook, outlook};
use crate::package::source::Packages;
use crate::world::World;
use serde_json::json;

pub(super) fn run(global: &Global, options: &Outdated, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(global, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        let found = asked(options, session)?;
        let outdated: Vec<&Outlook> = found.iter().filter(|outlook| outlook.is_outdated()).collect();
        let outcome = match options.format {
            DataFormat::Json => Outcome::data(data(&found)),
            DataFormat::Text => {
                // Of what could not be asked nobody can say that.
                let nothing =
                    (outdated.is_empty() && !session.sink.failed()).then(|| "nothing newer".to_owned());
                let unknown = found.iter().filter_map(|outlook| {
                    let why = outlook.unknown.as_ref()?;
                    Some(format!(
                        "not known whether there is a newer {}: {why}",
                        outlook.wanted.without_range()
                    ))
                });
                let status = nothing.into_iter().chain(unknown).collect();
                let data = if outdated.is_empty() { String::new() } else { table(&outdated) };
                Outcome { status, ..Outcome::data(data) }
            }
        };
        let differs = session.sink.failed() || (options.exit_code && !outdated.is_empty());
        Ok(Outcome { exit: if differs { Exit::Findings } else { Exit::Fine }, ..outcome })
    })
}

fn asked(options: &Outdated, session: &mut Session<'_>) -> Result<Vec<Outlook>, Reported> {
    let selection = selection(&options.environments);
    let access = session.access(Access::default(), &selection);
    let Session { world, sources, sink, .. } = session;
    let (project, wants) = wanted(world, sources, &selection, sink)?;
    let lock = Lock::load(world, sources, sink)?.unwrap_or_default();
    let mirror = access.mirror.or_else(|| project.file().mirror.clone());
    let packages = Packages::new(world, Cache::open(world), mirror, access.network);
    Ok(outlook(&wants, &lock, &packages, sink))
}

fn table(outdated: &[&Outlook]) -> String {
    let head = ["PACKAGE", "WANTED", "CURRENT", "IN RANGE", "NEWEST", "ENVIRONMENTS"].map(str::to_owned);
    let dash = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    let rows = outdated.iter().map(|outlook| {
        [
            short(&outlook.wanted).to_owned(),
            range(&outlook.wanted).to_owned(),
            dash(&outlook.current),
            dash(&outlook.in_range),
            dash(&outlook.newest),
            outlook.environments.join(", "),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    rows.iter().fold(String::new(), |out, row| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
        out + cells.join("  ").trim_end() + "\n"
    })
}

/// A name that fits a column: of a file, what follows the host.
fn short(wanted: &Wanted) -> &str {
    match wanted {
        Wanted::Chart { name, .. } => name,
        Wanted::Manifest { url } => {
            url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(url, |(_, path)| path)
        }
    }
}

fn range(wanted: &Wanted) -> &str {
    match wanted {
        Wanted::Chart { range, .. } => range,
        Wanted::Manifest { .. } => "-",
    }
}

fn data(found: &[Outlook]) -> String {
    let all: Vec<_> = found
        .iter()
        .map(|outlook| {
            let (chart, manifest, wanted) = match &outlook.wanted {
                Wanted::Chart { name, range, .. } => (Some(name), None, Some(range)),
                Wanted::Manifest { url } => (None, Some(url), None),
            };
            json!({
                "chart": chart,
                "manifest": manifest,
                "source": outlook.wanted.source(),
                "wanted": wanted,
                "current": outlook.current,
                "inRange": outlook.in_range,
                "newest": outlook.newest,
                "unknown": outlook.unknown,
                "environments": outlook.environments,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(all))
}
