//! One release of a chart, from its values to its sorted manifests.
//!
//! Pure: chart, values and capabilities come in, manifests go out. To be called on a large stack
//! ([`stack::on_large_stack`](super::stack::on_large_stack)). The steps and the words of what goes wrong are those of
//! `helm template` (helm 4.2.4 `pkg/action/install.go`).

use super::capabilities::Capabilities;
use super::chart::dependencies::{self, Instance};
use super::chart::{Chart, dependencies::in_range};
use super::context::{self, ReleaseInfo};
use super::engine::{self, Options, TemplateError};
use super::output::{self, BadManifest, RenderedFile, Sorted};
use super::profile::Profile;
use super::provenance::Provenance;
use super::schema::{self, Failure};
use super::template::Environment;
use super::value::Value;
use super::values::Table;
use super::values::coalesce::{Nulls, coalesce};
use std::sync::Arc;

/// What to render.
pub struct Request<'a> {
    /// The chart.
    pub chart: &'a Arc<Chart>,
    /// The user's values: files and the `--set` family, laid over each other.
    pub values: &'a Table,
    /// How the release calls itself.
    pub release: &'a ReleaseInfo,
    /// What the cluster can do.
    pub capabilities: &'a Capabilities,
    /// Which Helm to be.
    pub profile: &'static Profile,
    /// Hold the values against the schemas.
    pub check_schema: bool,
    /// How to execute the templates.
    pub options: Options,
}

/// A chart with its values settled.
pub struct Prepared {
    /// What of the chart is used.
    pub instance: Instance,
    /// All values, with their places.
    pub values: Table,
    /// Those that the user gave, nulls and all.
    pub given: Table,
    /// The same as the engine's value.
    go: super::value::Map,
}

/// What the templates made, unsorted.
#[derive(Debug)]
pub struct Output {
    /// The files, in the order they were rendered.
    pub files: Vec<RenderedFile>,
    /// Where every byte came from, where it was asked for.
    pub provenance: Option<Provenance>,
}

/// Rendered and sorted.
pub struct Rendered {
    /// Manifests and hooks.
    pub sorted: Sorted,
    /// What they were cut from.
    pub output: Output,
}

/// Why there are no manifests.
#[derive(Debug)]
pub enum Fault {
    /// The dependencies cannot be decided: Helm's words.
    Dependencies(String),
    /// The values cannot be coalesced: Helm's words.
    Values(String),
    /// The values break a schema: how, and the values.
    Schema(Failure, Table),
    /// The chart wants another version of Kubernetes.
    KubeVersion {
        /// What it wants.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// A template does not parse or fails.
    Template(TemplateError),
    /// What a template made is no YAML: the fault, and everything that was rendered.
    Manifest(BadManifest, Box<Output>),
}

impl Fault {
    /// Helm's message, as it stands behind `Error: `.
    pub fn helm_text(&self, profile: &Profile) -> Vec<u8> {
        match self {
            Self::Dependencies(words) if profile.wrap_checks => {
                format!("chart dependencies processing failed: {words}").into_bytes()
            }
            Self::Dependencies(words) | Self::Values(words) => words.clone().into_bytes(),
            Self::Schema(failure, _) => format!(
                "values don't meet the specifications of the schema(s) in the following chart(s):\n{}",
                failure.text
            )
            .into_bytes(),
            Self::KubeVersion { wanted, found } => {
                format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}")
                    .into_bytes()
            }
            Self::Template(error) => error.helm_text(profile),
            Self::Manifest(bad, _) => format!("YAML parse error on {}: {}", bad.path, bad.words).into_bytes(),
        }
    }

    /// Whether Helm had a release by then, and says that `--debug` would print it.
    pub fn has_release(&self) -> bool {
        matches!(self, Self::KubeVersion { .. } | Self::Template(_) | Self::Manifest(..))
    }
}

/// Settles which subcharts are used and what the values are.
pub fn prepare(request: &Request<'_>, warnings: &mut Vec<String>) -> Result<Prepared, Fault> {
    let Request { chart, values, profile, .. } = request;
    let instance = dependencies::process(chart, values, profile, warnings).map_err(Fault::Dependencies)?;
    let shared = coalesce(&instance, values, Nulls::Delete, profile, warnings).map_err(Fault::Values)?;
    let endless = |_| Fault::Values("the values contain themselves".to_owned());
    let frozen = shared.freeze().map_err(endless)?;
    if request.check_schema {
        schema::validate(&instance, &frozen)
            .map_err(|failure| Fault::Schema(failure, Table::clone(&frozen)))?;
    }
    let go = shared.to_go().map_err(endless)?;
    Ok(Prepared { instance, values: frozen, given: Table::clone(values), go })
}

/// Renders a prepared chart.
pub fn render(
    request: &Request<'_>,
    prepared: &Prepared,
    environment: &mut dyn Environment,
) -> Result<Rendered, Fault> {
    let metadata = &prepared.instance.metadata;
    let kube = &request.capabilities.kube;
    if !metadata.kube_version.is_empty() && !in_range(&metadata.kube_version, &kube.normalized) {
        let (wanted, found) = (metadata.kube_version.clone(), kube.version.clone());
        return Err(Fault::KubeVersion { wanted, found });
    }
    let texts = context::templates(&prepared.instance);
    let parsed =
        engine::parse_with(texts, request.profile, &request.chart.parsed).map_err(Fault::Template)?;
    if let Some(tracker) = &request.options.tracker {
        tracker.0.attach(&Value::Map(prepared.go.clone()), 0);
    }
    let contexts = context::contexts(
        &prepared.instance,
        &prepared.go,
        request.release,
        request.capabilities,
        request.profile,
    );
    let rendered = parsed.render(&contexts, &request.options, environment).map_err(Fault::Template)?;
    let files: Vec<RenderedFile> = rendered
        .files
        .into_iter()
        .map(|file| RenderedFile { path: file.path.to_str_lossy().into(), bytes: file.text.into() })
        .collect();
    let sorted = output::sort(files.clone(), request.profile);
    let output = Output { files, provenance: rendered.provenance };
    match sorted {
        Ok(sorted) => Ok(Rendered { sorted, output }),
        Err(bad) => Err(Fault::Manifest(bad, Box::new(output))),
    }
}
