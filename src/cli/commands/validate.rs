//! `stackc validate`.

use super::session::{Outcome, Session, Telling, at as session, count};
use crate::cli::arguments::Validate;
use crate::cli::{Console, Exit};
use crate::diag::{Diagnostic, Reported, codes};
use crate::load::{PathError, loose};
use crate::validate::{Unchecked, loose as review};
use crate::value::Node;
use crate::world::World;
use camino::{Utf8Path, Utf8PathBuf};

pub(super) fn run(options: &Validate, world: &dyn World, console: &mut Console<'_>) -> Exit {
    session(Utf8Path::new(""), Telling::Output(options.format), world, console, |session| {
        let objects = read(session, &options.paths);
        let definitions = read(session, &options.definitions);
        let (objects, definitions) = (objects?, definitions?);
        let count_of_all = objects.len();
        let unchecked = review(objects, &definitions, options.kubernetes, &mut session.sink);
        if options.strict {
            for (api_version, kind) in unchecked.keys() {
                let fact = format!("no definition describes the kind `{kind}` of `{api_version}`");
                session.sink.report(
                    Diagnostic::error(codes::UNKNOWN_KIND, fact)
                        .help("give the definition with `--definitions`, or leave `--strict` out"),
                );
            }
        }
        let (major, minor) = options.kubernetes;
        let known = count_of_all - unchecked.values().sum::<usize>();
        let fine = format!("{} fine for Kubernetes {major}.{minor}", count(known, "object"));
        session.sink.finish(Outcome::status(vec![fine + &not_checked(&unchecked)]))
    })
}

/// `; not checked, since no definition describes them: 2 Foo (a.b/v1)`.
fn not_checked(unchecked: &Unchecked) -> String {
    if unchecked.is_empty() {
        return String::new();
    }
    let kinds: Vec<String> = unchecked
        .iter()
        .map(|((api_version, kind), count)| format!("{count} {kind} ({api_version})"))
        .collect();
    format!("; not checked, since no definition describes them: {}", kinds.join(", "))
}

fn read(session: &mut Session<'_>, paths: &[Utf8PathBuf]) -> Result<Vec<Node>, Reported> {
    let mut objects = Vec::new();
    let mut told = None;
    for path in paths {
        match loose(&session.world, path, &session.sources, &mut session.sink) {
            Ok(Ok(found)) => objects.extend(found),
            Ok(Err(reported)) => told = Some(reported),
            Err(error) => {
                let fact = match error {
                    PathError::Missing | PathError::Outside => format!("there is no file or folder `{path}`"),
                    PathError::Empty => format!("the folder `{path}` holds no `*.yaml`, `*.yml` or `*.json`"),
                    PathError::Endless => {
                        format!("the folder `{path}` has no end: a link in it leads back to it")
                    }
                };
                told = Some(session.sink.report(Diagnostic::error(codes::MISSING_FILE, fact)));
            }
        }
    }
    told.map_or(Ok(objects), Err)
}
