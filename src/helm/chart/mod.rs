//! Helm charts as they are packed: files read, bounded and sorted into their roles; nothing rendered yet.
//!
//! A [`Chart`] is immutable and shared: one that was loaded serves any number of releases. What a release changes
//! (disabled dependencies, aliases, imported values) is in [`dependencies::Instance`].

pub mod archive;
pub mod dependencies;
mod error;
pub mod folder;
pub mod ignore;
mod load;
pub mod metadata;

pub use error::ChartError;
pub use folder::load_path;
pub use load::load;
pub use metadata::{Dependency, ImportValue, Maintainer, Metadata};

use crate::helm::schema::Schema;
use crate::helm::values::Table;
use crate::source::FileId;
use std::sync::Arc;

/// One file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Its path inside the chart, with `/`.
    pub name: Arc<str>,
    /// Its bytes, without a byte order mark.
    pub data: Arc<[u8]>,
}

/// A chart with its subcharts.
#[derive(Clone, Debug)]
pub struct Chart {
    /// `Chart.yaml`, and `requirements.yaml` of old charts.
    pub metadata: Metadata,
    /// `values.yaml`.
    pub values: Table,
    /// `values.yaml` as a text that diagnostics can point into.
    pub values_source: Option<FileId>,
    /// `values.schema.json`.
    pub schema: Option<Schema>,
    /// The files below `templates/`, in packed order.
    pub templates: Vec<ChartFile>,
    /// Everything that templates reach through `.Files`, `crds/` included.
    pub files: Vec<ChartFile>,
    /// The charts in `charts/`, sorted by the name of their folder or archive.
    pub dependencies: Vec<Arc<Chart>>,
    /// What was odd about the files but stops nothing.
    pub warnings: Vec<String>,
}

impl Chart {
    /// The files of `crds/` that hold manifests, in packed order; those of the subcharts are theirs.
    pub fn crds(&self) -> impl Iterator<Item = &ChartFile> {
        self.files.iter().filter(|file| {
            let extension = crate::helm::gopath::extension(&file.name);
            file.name.starts_with("crds/")
                && [".yaml", ".yml", ".json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        })
    }
}
