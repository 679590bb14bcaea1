//! Helm charts as they are packed: files read, bounded and sorted into their roles; nothing rendered yet.
//!
//! A [`Chart`] is immutable and shared: one that was loaded serves any number of releases, environments and threads.
//! What a release changes (disabled dependencies, aliases, imported values) is in [`dependencies::Instance`].

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

use crate::helm::engine::ParsedTexts;
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

/// A chart with its subcharts, made ready once for all its releases.
///
/// Loading decides what the files are. The schema is compiled and each template parsed by the first release that needs
/// it, and kept here, so whoever renders a chart more than once keeps the `Arc<Chart>`; clones share what is kept.
/// Nothing of a release stays behind in it.
///
/// ```
/// use stackc::helm::capabilities::{Capabilities, KubeVersion};
/// use stackc::helm::chart::{Chart, load_path};
/// use stackc::helm::context::ReleaseInfo;
/// use stackc::helm::engine::Options;
/// use stackc::helm::profile::HELM_4_2;
/// use stackc::helm::release::{self, Request};
/// use stackc::helm::stack;
/// use stackc::helm::template::Environment;
/// use stackc::helm::values::read;
/// use stackc::world::{chart::ChartDisk, memory::MemoryWorld};
/// use std::sync::Arc;
///
/// struct Fixed; // no clock and no dice: the same bytes at every run
/// impl Environment for Fixed {
///     fn now(&mut self) -> (i64, u32) {
///         (0, 0)
///     }
///     fn random(&mut self, out: &mut [u8]) {
///         out.fill(7);
///     }
/// }
///
/// let world = MemoryWorld::new()
///     .with("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n")
///     .with("web/values.yaml", "replicas: 1\n")
///     .with("web/templates/app.yaml", "kind: App\nspec: { replicas: {{ .Values.replicas }} }\n");
/// let chart = load_path(&ChartDisk(&world), "web".into(), &HELM_4_2, None).expect("a chart");
/// let chart = Arc::new(chart);
///
/// let manifest = |values: &str| {
///     let values = read::values(values.as_bytes(), &HELM_4_2, None).expect("values");
///     stack::on_large_stack(|| {
///         let request = Request {
///             chart: &chart,
///             values: &values,
///             release: &ReleaseInfo {
///                 name: "web".to_owned(),
///                 namespace: "shop".to_owned(),
///                 is_upgrade: false,
///             },
///             capabilities: &Capabilities::new(KubeVersion::default(), []),
///             profile: &HELM_4_2,
///             check_schema: true,
///             options: Options::default(),
///         };
///         let prepared = release::prepare(&request, &mut Vec::new()).expect("values fit");
///         let rendered = release::render(&request, &prepared, &mut Fixed).expect("renders");
///         let text = rendered.sorted.bytes(&rendered.sorted.manifests[0]);
///         String::from_utf8_lossy(text).into_owned()
///     })
/// };
/// let (small, large) = std::thread::scope(|scope| {
///     let small = scope.spawn(|| manifest("{}"));
///     let large = scope.spawn(|| manifest("replicas: 5"));
///     (small.join().expect("no panic"), large.join().expect("no panic"))
/// });
/// assert!(small.ends_with("replicas: 1 }\n") && large.ends_with("replicas: 5 }\n"));
/// assert_eq!(chart.parsed.len(), 1); // parsed once for both
/// ```
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
    /// The templates of this chart and its subcharts, as far as they were parsed for releases of this chart.
    pub parsed: ParsedTexts,
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
