//! From the files of a chart to the chart: every file in its role, subcharts unpacked, metadata checked.

use super::archive::{self, Budget};
use super::metadata::{self, Metadata};
use super::{Chart, ChartError, ChartFile};
use crate::helm::engine::ParsedTexts;
use crate::helm::gopath;
use crate::helm::profile::Profile;
use crate::helm::schema::Schema;
use crate::helm::values::{Data, Table, read, weight};
use crate::source::{FileId, Sources};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How deep charts may lie in charts.
const MAX_DEPTH: usize = 64;

/// Loads a chart from its files.
///
/// `place` names the chart's folder or archive in the names of its texts (`cilium-1.18.4.tgz`). Values are added to
/// `sources` so that diagnostics can point into them.
pub fn load(
    files: Vec<ChartFile>,
    place: &str,
    profile: &'static Profile,
    sources: Option<&Sources>,
    budget: &mut Budget,
) -> Result<Chart, ChartError> {
    if profile.detect_chart_version {
        let Some(file) = files.iter().find(|file| &*file.name == "Chart.yaml") else {
            return Err(ChartError::NoChartVersion);
        };
        detect_version(&file.data)?;
    }
    unpacked(files, place, profile, sources, budget)
}

/// The same of files whose version was looked at already.
pub(super) fn unpacked(
    files: Vec<ChartFile>,
    place: &str,
    profile: &'static Profile,
    sources: Option<&Sources>,
    budget: &mut Budget,
) -> Result<Chart, ChartError> {
    Loader { profile, sources, budget }.load(files, place, 0)
}

/// What Helm 4 looks at first: the chart's own `apiVersion`.
pub(super) fn detect_version(chart_yaml: &[u8]) -> Result<(), ChartError> {
    let refuse = |words: String| ChartError::Content("Chart.yaml", words);
    let document = read::document(chart_yaml, None).map_err(refuse)?;
    let api_version = match &document.data {
        Data::Table(table) => table.get(&b"apiVersion"[..]).cloned(),
        Data::Null => None,
        _ => {
            return Err(refuse(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type \
                 loader.chartBase",
                metadata::json_kind(&document)
            )));
        }
    };
    match api_version.as_ref().and_then(metadata::as_text).as_deref() {
        None | Some("" | "v1" | "v2") => Ok(()),
        // Helm 4 loads its charts of the third kind, and then cannot render them.
        Some("v3") => Err(ChartError::InvalidApiVersion),
        Some(_) => Err(ChartError::UnsupportedVersion),
    }
}

struct Loader<'a> {
    profile: &'static Profile,
    sources: Option<&'a Sources>,
    budget: &'a mut Budget,
}

impl Loader<'_> {
    fn load(&mut self, files: Vec<ChartFile>, place: &str, depth: usize) -> Result<Chart, ChartError> {
        if depth > MAX_DEPTH {
            return Err(ChartError::TooDeep);
        }
        self.budget.take_chart()?;
        let mut metadata = None;
        for file in files.iter().filter(|file| &*file.name == "Chart.yaml") {
            self.decode("Chart.yaml", file, metadata.get_or_insert_with(Metadata::default))?;
            if let Some(metadata) = metadata.as_mut().filter(|m| m.api_version.is_empty()) {
                "v1".clone_into(&mut metadata.api_version);
            }
        }
        let mut chart = Chart {
            metadata: Metadata::default(),
            values: Table::default(),
            values_source: None,
            schema: None,
            templates: Vec::new(),
            files: Vec::new(),
            dependencies: Vec::new(),
            warnings: Vec::new(),
            parsed: ParsedTexts::default(),
        };
        let mut subcharts: BTreeMap<String, Vec<ChartFile>> = BTreeMap::new();
        for file in files {
            match &*file.name {
                "Chart.yaml" => {}
                "Chart.lock" => self.check_lock("Chart.lock", &file)?,
                "values.yaml" => (chart.values, chart.values_source) = self.values(&file, place)?,
                "values.schema.json" => chart.schema = Some(Schema::new(file.data)),
                "requirements.yaml" => {
                    let metadata = metadata.get_or_insert_with(Metadata::default);
                    self.decode("requirements.yaml", &file, metadata)?;
                    if metadata.api_version == "v1" {
                        chart.files.push(file);
                    } else {
                        chart.warnings.push(
                            "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend \
                             migrating dependencies to Chart.yaml."
                                .to_owned(),
                        );
                    }
                }
                "requirements.lock" => {
                    self.check_lock("requirements.lock", &file)?;
                    let metadata = metadata.get_or_insert_with(Metadata::default);
                    if metadata.api_version == "v1" {
                        chart.files.push(file);
                    } else {
                        chart.warnings.push(
                            "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend \
                             migrating to Chart.lock."
                                .to_owned(),
                        );
                    }
                }
                name if name.starts_with("templates/") => chart.templates.push(file),
                name if name.starts_with("charts/") && gopath::extension(name) != ".prov" => {
                    let inner = name["charts/".len()..].to_owned();
                    let first = inner.split('/').next().unwrap_or_default().to_owned();
                    subcharts
                        .entry(first)
                        .or_default()
                        .push(ChartFile { name: inner.into(), data: file.data });
                }
                _ => chart.files.push(file),
            }
        }
        chart.metadata = metadata.ok_or(ChartError::ChartYamlMissing)?;
        chart.metadata.validate()?;
        for (name, files) in subcharts {
            if name.starts_with(['_', '.']) {
                continue;
            }
            if let Some(subchart) = self.subchart(&name, files, &chart.metadata.name, place, depth)? {
                chart.dependencies.push(Arc::new(subchart));
            }
        }
        Ok(chart)
    }

    fn subchart(
        &mut self,
        name: &str,
        files: Vec<ChartFile>,
        parent: &str,
        place: &str,
        depth: usize,
    ) -> Result<Option<Chart>, ChartError> {
        let place = format!("{place}/charts/{name}");
        let loaded = if gopath::extension(name) == ".tgz" {
            let Some(file) = files.first() else { return Ok(None) };
            if &*file.name != name {
                return Err(ChartError::SubchartArchive(
                    parent.to_owned(),
                    name.to_owned(),
                    file.name.to_string(),
                ));
            }
            archive::read(&file.data, self.budget).and_then(|files| self.load(files, &place, depth + 1))
        } else {
            // A file right in charts/ belongs to no chart.
            let files = files
                .into_iter()
                .filter_map(|file| {
                    let (_, inner) = file.name.split_once('/')?;
                    Some(ChartFile { name: inner.into(), data: file.data })
                })
                .collect();
            self.load(files, &place, depth + 1)
        };
        loaded
            .map(Some)
            .map_err(|error| ChartError::Subchart(name.to_owned(), parent.to_owned(), Box::new(error)))
    }

    fn decode(&self, name: &'static str, file: &ChartFile, into: &mut Metadata) -> Result<(), ChartError> {
        let package = if self.profile.detect_chart_version { "v2" } else { "chart" };
        read::document(&file.data, None)
            .and_then(|document| metadata::decode(&document, package, into))
            .map_err(|words| ChartError::Content(name, words))
    }

    /// A lock is read and forgotten, but what is wrong with it is an error.
    fn check_lock(&self, name: &'static str, file: &ChartFile) -> Result<(), ChartError> {
        let package = if self.profile.detect_chart_version { "v2" } else { "chart" };
        read::document(&file.data, None)
            .and_then(|document| metadata::check_lock(&document, package))
            .map_err(|words| ChartError::Content(name, words))
    }

    fn values(&mut self, file: &ChartFile, place: &str) -> Result<(Table, Option<FileId>), ChartError> {
        let source =
            self.sources.map(|sources| sources.add(format!("{place}/values.yaml"), text(&file.data)));
        let values = read::values(&file.data, self.profile, source)
            .map_err(|error| ChartError::Content("values.yaml", error.words))?;
        self.budget.take_values(weight(&values))?;
        Ok((values, source))
    }
}

/// A file as a text for diagnostics.
fn text(data: &[u8]) -> Arc<str> {
    String::from_utf8_lossy(data).into()
}
