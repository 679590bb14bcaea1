//! What commands share: finding the project, and telling what was found.

use crate::cli::arguments::{Charts, Compile, FindingsFormat, Global};
use crate::cli::{Console, Exit};
use crate::diag::render::{Style, github, human, json, sarif, short};
use crate::diag::{Diagnostic, Severity, Sink, codes};
use crate::driver::{Build, Wish, compile};
use crate::load::Selection;
use crate::model::ChartDelivery;
use crate::package::supply::Access;
use crate::source::Sources;
use crate::world::{Below, EntryKind, World};
use camino::{Utf8Path, Utf8PathBuf};

/// The folder of the project: `--project`, or the nearest one upwards with a `stackc.yaml`.
pub(super) fn project_root(global: &Global, world: &dyn World) -> Utf8PathBuf {
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

fn delivery(charts: Option<Charts>) -> Option<ChartDelivery> {
    charts.map(|charts| match charts {
        Charts::Rendered => ChartDelivery::Rendered,
        Charts::Release => ChartDelivery::Release,
        Charts::K3s => ChartDelivery::K3s,
    })
}

/// How packages may be had: `STACKC_MIRROR` names a folder that is read in place of the network.
fn access(world: &dyn World) -> Access {
    let mirror = world.variable("STACKC_MIRROR").filter(|folder| !folder.is_empty()).map(Utf8PathBuf::from);
    Access { mirror, ..Access::default() }
}

/// Compiles, tells what was found, and hands on what came of it: the exit code where nothing did.
pub(super) fn compiled<'w>(
    global: &Global,
    options: &Compile,
    world: &'w dyn World,
    console: &mut Console<'_>,
) -> Result<(Below<'w>, Build), Exit> {
    let world = Below::new(world, &project_root(global, world));
    let sources = Sources::new();
    let mut sink = Sink::new();
    let wish = Wish {
        selection: selection(&options.environments),
        charts: delivery(options.charts),
        access: access(&world),
    };
    let built = compile(&world, &sources, &wish, &mut sink);
    tell(sink.found(), &sources, options.format, console);
    let warned = sink.found().iter().any(|finding| finding.severity == Severity::Warning);
    match built {
        Ok(build) if !(warned && options.deny_warnings) => Ok((world, build)),
        _ => Err(Exit::Findings),
    }
}

/// Prints findings as they were asked for: data formats to standard output, the others to standard error.
pub(super) fn tell(
    found: &[Diagnostic],
    sources: &Sources,
    format: FindingsFormat,
    console: &mut Console<'_>,
) {
    match format {
        FindingsFormat::Human => {
            let style = Style { color: console.color(), width: console.width() };
            console.talk(&human(found, sources, style));
        }
        FindingsFormat::Short => console.talk(&short(found, sources)),
        FindingsFormat::Json => console.data(json(found, sources).as_bytes()),
        FindingsFormat::Sarif => console.data(sarif(found, sources).as_bytes()),
        FindingsFormat::Github => console.data(github(found, sources).as_bytes()),
    }
}

/// The one environment that a command is about: the named one, or the only one of the project.
pub(super) fn one_name(
    global: &Global,
    named: Option<&str>,
    world: &dyn World,
    console: &mut Console<'_>,
) -> Result<String, Exit> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let world = Below::new(world, &project_root(global, world));
    let names = environments(&world);
    if let [name] = names.as_slice() {
        return Ok(name.clone());
    }
    let finding = if names.is_empty() {
        Diagnostic::error(codes::MISSING_FILE, "the project has no environment")
            .help("write `overlays/NAME/overlay.yaml`, or run `stackc init`")
    } else {
        Diagnostic::error(
            codes::UNKNOWN_ENVIRONMENT,
            "this command is about one environment, and the project has several",
        )
        .help(format!("name one with `-e`: {}", names.join(", ")))
    };
    tell(&[finding], &Sources::new(), FindingsFormat::Human, console);
    Err(Exit::Findings)
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

/// `1 file`, `2 files`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
