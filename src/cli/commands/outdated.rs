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
            DataFormat::Text if outdated.is_empty() => Outcome::status(vec!["nothing newer".to_owned()]),
            DataFormat::Text => Outcome::data(table(&outdated)),
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
    let head = ["CHART", "WANTED", "CURRENT", "IN RANGE", "NEWEST", "ENVIRONMENTS"].map(str::to_owned);
    let dash = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
    let rows = outdated.iter().map(|outlook| {
        [
            outlook.wanted.name().to_owned(),
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

fn range(wanted: &Wanted) -> &str {
    match wanted {
        Wanted::Chart { range, .. } => range,
        Wanted::Manifest { .. } => "",
    }
}

fn data(found: &[Outlook]) -> String {
    let all: Vec<_> = found
        .iter()
        .map(|outlook| {
            json!({
                "chart": outlook.wanted.name(),
                "source": outlook.wanted.source(),
                "wanted": range(&outlook.wanted),
                "current": outlook.current,
                "inRange": outlook.in_range,
                "newest": outlook.newest,
                "environments": outlook.environments,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(all))
}
