//! The packages that a program names, for the step that gets them.

use super::Program;
use super::program::Late;
use crate::model::ChartDelivery;
use crate::package::supply::{Package, Want};
use crate::value::Segment;
use std::sync::Arc;

impl Program {
    /// Every chart and every manifest by URL, in the order of the overlay, needed for this build or not.
    pub fn wants(&self) -> Vec<Want> {
        let environment = &self.environment.name;
        let want =
            |package, span, needed| Want { package, environment: Arc::clone(environment), span, needed };
        let mut wants = Vec::new();
        for instance in &self.instances {
            for release in &instance.releases {
                let span = release.chart.version_origin.editable().unwrap_or(release.span);
                let needed = release.delivery == ChartDelivery::Rendered;
                wants.push(want(Package::of_chart(&release.chart), span, needed));
            }
            for manifest in &instance.references {
                let span = manifest.url_span.unwrap_or(manifest.span);
                wants.push(want(Package::of_manifest(&manifest.url), span, !instance.keeps(manifest)));
            }
        }
        wants
    }
}

impl Late {
    /// Whether a file of hosts is made of the environment's own units.
    pub fn reads_units(&self) -> bool {
        let Some(stacks) = &self.stacks else { return false };
        let mut rules = stacks.resolution.instances.iter().flat_map(|instance| &instance.stack.files);
        rules.any(|rule| {
            let guard = rule.guard.for_each.as_ref().map(crate::expr::ForEach::reads).unwrap_or_default();
            let when = rule.guard.when.as_ref().map(crate::expr::Tree::reads).unwrap_or_default();
            rule.body.reads().iter().chain(&guard).chain(&when).any(|read| {
                matches!(read.path.segments().first(), Some(Segment::Key(key)) if key.as_ref() == "units")
            })
        })
    }
}
