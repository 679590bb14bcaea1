//! `Resolution -> Program`: every expression evaluated, every check run, nothing unknown or unread.
//!
//! Stage 6 of the language, and stage 7 for whoever knows the order: [`objects`] runs the checks that look at
//! objects, [`files`] writes the outputs that are no Kubernetes objects. Refused are objects without identity,
//! Secrets in plain text, and exports that are not of their capability's type.

mod charts;
mod checks;
mod declares;
mod exports;
mod instance;
mod late;
mod object;
mod parts;
pub(crate) mod plain_text;
mod program;
mod recipients;
mod secrets;
mod unread;
mod wants;

pub use late::{Skipped, files, objects};
pub(crate) use object::{object, set_namespace};
pub use parts::ProgramParts;
pub use program::{Late, Program, UnitObjects};
pub use unread::{Unread, unread};

use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::model::{Instance, Release};
use crate::resolve::Resolution;
use std::sync::Arc;

/// Evaluates one environment.
pub fn check(resolution: Resolution, sink: &mut Sink) -> Result<Program, Reported> {
    let mut own = Sink::new();
    let resolution = Arc::new(resolution);
    let mut instances = Vec::with_capacity(resolution.instances.len());
    let mut extras = Vec::with_capacity(resolution.instances.len());
    for index in 0..resolution.instances.len() {
        let mut part = Sink::new();
        let (instance, extra) = instance::evaluate(&resolution, index, &mut part);
        for finding in part.into_found() {
            let _told = own.report(resolution.while_in(finding, &resolution.instances[index].name));
        }
        instances.push(instance);
        extras.push(extra);
    }
    exports::check(&resolution, &mut own);
    resolution.drain_findings(&mut own);
    unique_releases(&instances, &mut own);
    secrets::agree(&instances, &mut own);
    secrets::placeholders(&instances, &mut own);
    recipients::check(&resolution, &mut own);
    let program = Program {
        environment: resolution.environment.clone(),
        deliver: resolution.deliver.clone(),
        instances,
        bindings: resolution.bindings.clone(),
        externals: resolution.externals.clone(),
        patches: resolution.patches.clone(),
        encrypted: resolution.documents.encrypted.clone(),
        late: Late { stacks: Some(Arc::new(program::Stacks { resolution, extras })), whole: Vec::new() },
    };
    let name = program.environment.name.to_string();
    let program = own.finish(program);
    for mut finding in own.into_found() {
        finding.environment = Some(name.clone());
        let _told = sink.report(finding);
    }
    program
}

/// Two charts cannot be one release.
fn unique_releases(instances: &[Instance], sink: &mut Sink) {
    let mut seen: Vec<(&Instance, &Release)> = Vec::new();
    for instance in instances {
        for release in &instance.releases {
            let same = |(_, other): &&(&Instance, &Release)| {
                other.name == release.name && other.namespace == release.namespace
            };
            if let Some((other, first)) = seen.iter().find(same) {
                let fact = format!(
                    "two charts are the release `{}` in the namespace `{}`",
                    release.name, release.namespace
                );
                let finding = Diagnostic::error(codes::DUPLICATE_NAME, fact);
                let finding = if other.name == instance.name {
                    let finding = finding
                        .at(instance.span, format!("both are releases of `{}`", instance.name))
                        .related(first.span, "where the first one is named")
                        .help("let the names differ: a chart with `forEach` names each release by its key");
                    let apart = first.span != release.span;
                    if apart {
                        finding.related(release.span, "where the second one is named")
                    } else {
                        finding
                    }
                } else {
                    finding
                        .at(instance.span, format!("a release of `{}`", instance.name))
                        .related(other.span, format!("the first one, of `{}`", other.name))
                        .related(first.span, "where the first one is named")
                        .help("give one of the instances another namespace or another release name")
                };
                let _told = sink.report(finding);
            }
            seen.push((instance, release));
        }
    }
}
