//! Why a chart cannot be loaded, in Helm's words.

use super::archive::{MAX_CHART_SIZE, MAX_FILE_SIZE};
use std::fmt;

/// A chart that cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartError {
    /// The path leads nowhere.
    NotFound(String),
    /// A file or folder could not be read: the system's words.
    Unreadable(String),
    /// The file is no gzip: its name and what it seems to be.
    NotAnArchive(String, &'static str),
    /// The gzip's header is broken.
    GzipHeader(String),
    /// The stream is broken.
    Archive(String),
    /// More than 100 MiB.
    ArchiveTooLarge,
    /// More files than a chart may have; Helm knows no such limit.
    TooManyFiles,
    /// More charts in it than a chart may have; Helm knows no such limit.
    TooManyCharts,
    /// More values in all its charts than there may be; Helm knows no such limit.
    TooManyValues,
    /// Rules of `.helmignore` that take too long; Helm knows no such limit.
    SlowIgnore,
    /// One file of more than 5 MiB.
    ArchivedFileTooLarge(String),
    /// One file of a folder of more than 5 MiB.
    FileTooLarge(String),
    /// Nothing in it.
    EmptyArchive,
    /// An entry with an absolute path.
    AbsolutePath,
    /// An entry that lies in no folder.
    OutsideBase(String),
    /// An entry with `..`.
    ParentDirectory,
    /// An entry such as `c:/x`.
    IllegalName,
    /// `Chart.yaml` is not where it belongs.
    ChartYamlNotInBase,
    /// A device, a socket, a pipe.
    IrregularFile(String),
    /// A link that leads nowhere or in circles.
    Link(String, String),
    /// A rule of `.helmignore`.
    Ignore(String),
    /// A folder without `Chart.yaml`: its path and the system's words.
    NoChartYaml(String),
    /// No `Chart.yaml` among the files.
    ChartYamlMissing,
    /// The same, found while looking for the chart's version (Helm 4).
    NoChartVersion,
    /// An `apiVersion` that Helm 4 does not know.
    UnsupportedVersion,
    /// An `apiVersion` that Helm 4 loads and cannot render.
    InvalidApiVersion,
    /// A file of the chart that is not what it should be: its name and why.
    Content(&'static str, String),
    /// The metadata breaks a rule.
    Invalid(String),
    /// A subchart: its folder or archive, the chart that holds it, and why.
    Subchart(String, String, Box<ChartError>),
    /// An archive in `charts/` with a folder's files: chart, expected and found name.
    SubchartArchive(String, String, String),
    /// Charts nested deeper than anybody nests them.
    TooDeep,
}

impl fmt::Display for ChartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(path) => write!(out, "path {path:?} not found"),
            Self::Unreadable(words)
            | Self::Archive(words)
            | Self::GzipHeader(words)
            | Self::Ignore(words) => out.write_str(words),
            Self::NotAnArchive(name, _)
                if matches!(crate::helm::gopath::extension(name), ".yml" | ".yaml") =>
            {
                write!(out, "file '{name}' seems to be a YAML file, but expected a gzipped archive")
            }
            Self::NotAnArchive(name, kind) => {
                write!(out, "file '{name}' does not appear to be a gzipped archive; got '{kind}'")
            }
            Self::TooManyFiles => {
                write!(out, "the chart has more than {} files", super::archive::MAX_FILES)
            }
            Self::TooManyCharts => out.write_str("the chart has more than 5000 charts in it"),
            Self::TooManyValues => out.write_str(
                "the chart and the charts in it bring more than 1 million values, each table counted as 8",
            ),
            Self::SlowIgnore => {
                out.write_str(".helmignore takes more than 100 million steps to read this folder")
            }
            Self::ArchiveTooLarge => {
                write!(out, "decompressed chart is larger than the maximum size {MAX_CHART_SIZE}")
            }
            Self::ArchivedFileTooLarge(name) => write!(
                out,
                "decompressed chart file {name:?} is larger than the maximum file size {MAX_FILE_SIZE}"
            ),
            Self::FileTooLarge(name) => {
                write!(out, "chart file {name:?} is larger than the maximum file size {MAX_FILE_SIZE}")
            }
            Self::EmptyArchive => out.write_str("no files in chart archive"),
            Self::AbsolutePath => out.write_str("chart illegally contains absolute paths"),
            Self::OutsideBase(name) => {
                write!(out, "chart illegally contains content outside the base directory: {name:?}")
            }
            Self::ParentDirectory => out.write_str("chart illegally references parent directory"),
            Self::IllegalName => out.write_str("chart contains illegally named files"),
            Self::ChartYamlNotInBase => out.write_str("chart yaml not in base directory"),
            Self::IrregularFile(name) => {
                write!(out, "cannot load irregular file {name} as it has file mode type bits set")
            }
            Self::Link(path, words) => write!(out, "error evaluating symlink {path}: {words}"),
            Self::NoChartYaml(path) => {
                write!(out, "unable to detect chart at {path}: open {path}: no such file or directory")
            }
            Self::ChartYamlMissing => out.write_str("Chart.yaml file is missing"),
            Self::NoChartVersion => out.write_str("unable to detect chart version, no Chart.yaml found"),
            Self::UnsupportedVersion => out.write_str("unsupported chart version"),
            Self::InvalidApiVersion => out.write_str("invalid chart apiVersion"),
            Self::Content(name, words) => write!(out, "cannot load {name}: {words}"),
            Self::Invalid(words) => write!(out, "validation: {words}"),
            Self::Subchart(name, chart, error) => {
                write!(out, "error unpacking subchart {name} in {chart}: {error}")
            }
            Self::SubchartArchive(chart, expected, found) => {
                write!(out, "error unpacking subchart tar in {chart}: expected {expected}, got {found}")
            }
            Self::TooDeep => out.write_str("charts are nested more than 64 levels deep"),
        }
    }
}

impl std::error::Error for ChartError {}
