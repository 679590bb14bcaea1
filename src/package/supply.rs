//! Packages for a build: what the programs want, taken by the lock from cache, mirror, network or the project itself.
//!
//! This is the step with a world between `check` and `render`. It runs once for all environments; what it hands on
//! is complete, checked against the lock, and shared by threads, so that `render` needs no world. Refused are
//! packages that the lock does not pin, bytes that are not the pinned ones, and a lock that cannot be read.

use super::cache::Cache;
use super::http::Url;
use super::lock::{Lock, Pinned, Wanted};
use super::source::{Network, Packages, newest};
use super::{ContentDigest, PackageError, address, credentials, lock, mirror};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::helm::chart::archive::{self, Budget};
use crate::helm::chart::folder::read_folder;
use crate::helm::chart::{Chart, ChartError, ChartFile, load};
use crate::helm::profile::Profile;
use crate::model::{ChartRef, ChartSourceKind, flatten};
use crate::source::{Sources, Span};
use crate::value::Node;
use crate::world::chart::ChartDisk;
use crate::world::{EntryKind, World};
use crate::yaml;
use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A package as a program names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// One that the lock pins.
    Locked(Wanted),
    /// A chart in a folder of the project, which is pinned by being there.
    Folder {
        /// The folder that holds charts.
        folder: Utf8PathBuf,
        /// The chart's name.
        name: String,
        /// Its version, or a range.
        range: String,
    },
}

impl Package {
    /// The package of a chart.
    pub fn of_chart(chart: &ChartRef) -> Self {
        let (name, range) = (chart.name.to_string(), chart.version.to_string());
        let source = match &chart.source.kind {
            ChartSourceKind::Path(folder) => return Self::Folder { folder: folder.clone(), name, range },
            ChartSourceKind::Http(url) | ChartSourceKind::Oci(url) => url.trim_end_matches('/').to_owned(),
            ChartSourceKind::Git { url, revision, path } => {
                let path = path.trim_matches('/');
                let path = if path.is_empty() { String::new() } else { format!("#{path}") };
                format!("git+{url}?{revision}{path}")
            }
        };
        Self::Locked(Wanted::Chart { name, range, source })
    }

    /// Whether it is a chart from Git.
    fn is_from_git(&self) -> bool {
        matches!(self, Self::Locked(Wanted::Chart { source, .. }) if source.starts_with("git+"))
    }

    /// The package of plain manifests at a URL.
    pub fn of_manifest(url: &str) -> Self {
        Self::Locked(Wanted::Manifest { url: url.to_owned() })
    }
}

/// A package that an environment names, and where.
#[derive(Clone, Debug)]
pub struct Want {
    /// The package.
    pub package: Package,
    /// The environment.
    pub environment: Arc<str>,
    /// The place that a user would edit to want another one.
    pub span: Span,
    /// Whether this build needs its bytes; else it is delivered as a release or a reference.
    pub needed: bool,
}

/// How packages may be had.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A folder that is read in place of the network.
    pub mirror: Option<Utf8PathBuf>,
    /// Whether the network may be used where the cache lacks something.
    pub network: Network,
    /// How closely the lock has to fit.
    pub fit: Fit,
}

/// How closely the lock has to fit what environments want.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// It pins what this build needs.
    #[default]
    Enough,
    /// `--locked` for some environments: besides, the mirror has the pinned bytes, where it has the package.
    Mirror,
    /// `--locked` for the whole project: besides, the lock pins nothing that no environment wants.
    Exact,
}

/// Every package that a build needs. Only [`supply`] makes one.
pub struct Supplied<'s> {
    sources: &'s Sources,
    mirrored: bool,
    packages: BTreeMap<Package, Result<Arc<Supply>, Reported>>,
    commits: BTreeMap<Package, Arc<str>>,
}

/// One package: its bytes, and what was read of them.
#[derive(Debug)]
pub struct Supply {
    version: Arc<str>,
    digest: ContentDigest,
    place: String,
    content: Content,
    charts: Mutex<BTreeMap<&'static str, Loaded>>,
    files: Mutex<BTreeMap<FileKey, Arc<OnceLock<Objects>>>>,
    manifest: OnceLock<Objects>,
}

/// Path and text of a file: two versions of one dependency have the same paths.
type FileKey = (String, ContentDigest);

/// Objects, and what is wrong with the text that they were read from.
type Objects = (Arc<Vec<Node>>, Vec<Diagnostic>);

type Loaded = Arc<OnceLock<Result<Arc<Chart>, String>>>;

#[derive(Debug)]
enum Content {
    Packed(Vec<u8>),
    Files(Vec<ChartFile>),
}

impl Supply {
    fn new(version: &str, digest: ContentDigest, place: String, content: Content) -> Self {
        let (charts, files, manifest) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Self { version: version.into(), digest, place, content, charts, files, manifest }
    }

    /// The exact version; empty for manifests.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> &ContentDigest {
        &self.digest
    }

    /// The chart, loaded once a profile; the words of what is wrong with it otherwise.
    fn chart(&self, profile: &'static Profile, sources: &Sources) -> Result<Arc<Chart>, String> {
        let cell = {
            let mut charts = self.charts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(charts.entry(profile.name).or_default())
        };
        cell.get_or_init(|| {
            let mut budget = Budget::default();
            let files = match &self.content {
                Content::Packed(bytes) => archive::read(bytes, &mut budget),
                Content::Files(files) => Ok(files.clone()),
            };
            files
                .and_then(|files| load(files, &self.place, profile, Some(sources), &mut budget))
                .map(Arc::new)
                .map_err(|error: ChartError| error.to_string())
        })
        .clone()
    }

    /// The objects of a file of the chart that is no template, read once; `path` names it.
    pub fn file(
        &self,
        path: &str,
        text: &[u8],
        sources: &Sources,
        sink: &mut Sink,
    ) -> Result<Arc<Vec<Node>>, Reported> {
        let cell = {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(files.entry((path.to_owned(), ContentDigest::of(text))).or_default())
        };
        tell(cell.get_or_init(|| read(path, text, yaml::Options::LENIENT, sources)), sink)
    }

    /// The objects of plain manifests, read once.
    pub fn objects(&self, sources: &Sources, sink: &mut Sink) -> Result<Arc<Vec<Node>>, Reported> {
        let read = self.manifest.get_or_init(|| match &self.content {
            Content::Packed(bytes) => read(&self.place, bytes, yaml::Options::STRICT, sources),
            Content::Files(_) => Objects::default(),
        });
        tell(read, sink)
    }
}

fn read(name: &str, bytes: &[u8], options: yaml::Options, sources: &Sources) -> Objects {
    let text: Arc<str> = String::from_utf8_lossy(&yaml::decode(bytes)).into();
    let file = sources.add(name, Arc::clone(&text));
    let (documents, errors) = yaml::read_all(file, &text, options);
    let mut objects = Vec::new();
    for document in documents {
        flatten(document.node, &mut objects);
    }
    (Arc::new(objects), errors.iter().map(|error| error.diagnostic(file)).collect())
}

/// Hands on what was read; what is wrong with it is told to everybody who asks.
fn tell((objects, findings): &Objects, sink: &mut Sink) -> Result<Arc<Vec<Node>>, Reported> {
    let mut told = None;
    for finding in findings {
        told = Some(sink.report(finding.clone()));
    }
    told.map_or_else(|| Ok(Arc::clone(objects)), Err)
}

impl<'s> Supplied<'s> {
    /// Nothing: for programs that want nothing.
    pub fn nothing(sources: &'s Sources) -> Self {
        Self { sources, mirrored: false, packages: BTreeMap::new(), commits: BTreeMap::new() }
    }

    /// The texts of this run, to which rendered ones are added.
    pub fn sources(&self) -> &'s Sources {
        self.sources
    }

    /// Whether a mirror stands in place of the network: its packages are made from the same content, and have digests
    /// of their own.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// The commit that the lock pins for a chart from Git, whether this build needs its bytes or not.
    pub fn commit(&self, package: &Package) -> Option<Arc<str>> {
        self.commits.get(package).cloned()
    }

    /// A package as a chart. `at` is the place that a user would edit to want another one.
    pub fn chart(
        &self,
        package: &Package,
        profile: &'static Profile,
        at: Span,
        sink: &mut Sink,
    ) -> Result<Arc<Chart>, Reported> {
        let supply = self.package(package, sink)?;
        supply.chart(profile, self.sources).map_err(|words| {
            sink.report(
                Diagnostic::error(codes::CHART_MALFORMED, format!("`{}` is no chart: {words}", supply.place))
                    .at(at, "wanted here")
                    .help("take another version, or mend the chart where it is yours"),
            )
        })
    }

    /// A package. That one is missing was told where it was looked for.
    pub fn package(&self, package: &Package, sink: &mut Sink) -> Result<&Arc<Supply>, Reported> {
        match self.packages.get(package) {
            Some(Ok(supply)) => Ok(supply),
            Some(Err(told)) => Err(*told),
            None => {
                let fact = "a package is rendered that no program wanted".to_owned();
                Err(sink.report(Diagnostic::error(codes::INTERNAL, fact).help("please report it")))
            }
        }
    }
}

/// Gets every package that is needed. What cannot be had is told once, and again to nobody who asks for it.
///
/// The project's own files are read from `project`; `world` has what the lock pins, which is the same bytes wherever
/// they come from.
pub fn supply<'s>(
    project: &dyn World,
    world: &dyn World,
    sources: &'s Sources,
    wants: &[Want],
    access: &Access,
    sink: &mut Sink,
) -> Supplied<'s> {
    let mut needed: BTreeMap<&Package, Vec<&Want>> = BTreeMap::new();
    for want in wants.iter().filter(|want| want.needed) {
        needed.entry(&want.package).or_default().push(want);
    }
    let reads_lock = access.fit == Fit::Exact
        || needed.keys().any(|package| matches!(package, Package::Locked(_)))
        || wants.iter().any(|want| want.package.is_from_git());
    let lock = if reads_lock {
        Lock::load(project, sources, sink).map(Option::unwrap_or_default)
    } else {
        Ok(Lock::default())
    };
    if let (Fit::Exact, Ok(lock)) = (access.fit, &lock) {
        superfluous(lock, wants, sink);
    }
    let commits = lock.as_ref().map(|lock| commits(lock, wants)).unwrap_or_default();
    let packages = Packages::new(world, Cache::open(world), access.mirror.clone(), access.network);
    let found: Vec<Result<Supply, Option<Box<Diagnostic>>>> = needed
        .par_iter()
        .map(|(package, wants)| match package {
            Package::Folder { folder, name, range } => from_folder(project, folder, name, range)
                .map_err(|error| Some(Box::new(unavailable(&error, wants)))),
            Package::Locked(wanted) => match &lock {
                Err(_told) => Err(None),
                Ok(lock) => from_lock(&packages, wanted, lock.get(wanted), wants, access.fit).map_err(Some),
            },
        })
        .collect();
    let mut by_digest: BTreeMap<ContentDigest, Arc<Supply>> = BTreeMap::new();
    let mut supplied = Supplied { mirrored: access.mirror.is_some(), commits, ..Supplied::nothing(sources) };
    for (package, found) in needed.into_keys().zip(found) {
        let entry = match found {
            // Two names for the same bytes are read once.
            Ok(supply) => Ok(Arc::clone(by_digest.entry(supply.digest.clone()).or_insert(Arc::new(supply)))),
            Err(Some(finding)) => Err(sink.report(*finding)),
            Err(None) => match &lock {
                Err(told) => Err(*told),
                Ok(_) => continue,
            },
        };
        supplied.packages.insert(package.clone(), entry);
    }
    supplied
}

/// What the lock knows of the charts from Git: a cluster fetches those that stay releases by their commit.
fn commits(lock: &Lock, wants: &[Want]) -> BTreeMap<Package, Arc<str>> {
    let pinned = |package: &Package| match package {
        Package::Locked(wanted) => lock.get(wanted)?.commit.as_deref().map(Arc::from),
        Package::Folder { .. } => None,
    };
    let from_git = wants.iter().map(|want| &want.package).filter(|package| package.is_from_git());
    from_git.filter_map(|package| Some((package.clone(), pinned(package)?))).collect()
}

fn from_lock(
    packages: &Packages<'_>,
    wanted: &Wanted,
    pinned: Option<&Pinned>,
    wants: &[&Want],
    fit: Fit,
) -> Result<Supply, Box<Diagnostic>> {
    let Some(pinned) = pinned else {
        let finding = Diagnostic::error(
            codes::NOT_LOCKED,
            format!("`{}` does not pin {wanted}, which has to be rendered", lock::FILE),
        );
        let finding = placed(finding, wants)
            .help("run `stackc vendor` and commit the lock")
            .help("or leave the chart to the cluster: `deliver: {charts: release}`");
        return Err(Box::new(finding));
    };
    let told = |error: PackageError| Box::new(unavailable(&error, wants));
    let bytes = packages.fetch(wanted, pinned).map_err(told)?;
    if fit != Fit::Enough {
        packages.agrees_with_mirror(wanted, pinned).map_err(told)?;
    }
    let place = match wanted {
        Wanted::Chart { name, .. } => format!("{name}-{}.tgz", pinned.version),
        Wanted::Manifest { url } => url.clone(),
    };
    Ok(Supply::new(&pinned.version, pinned.digest.clone(), place, Content::Packed(bytes)))
}

/// Entries of the lock that `stackc vendor` would drop.
fn superfluous(lock: &Lock, wants: &[Want], sink: &mut Sink) {
    for (wanted, pinned) in lock.entries() {
        if !wants.iter().any(|want| matches!(&want.package, Package::Locked(known) if known == wanted)) {
            let package = format!("{} {}", wanted.without_range(), pinned.version);
            let fact = format!("`{}` pins {}, which no environment wants", lock::FILE, package.trim_end());
            let _told = sink.report(
                Diagnostic::error(codes::LOCK_OUTDATED, fact)
                    .at(lock.place(wanted), "")
                    .help("run `stackc vendor`, which drops it, and commit the lock"),
            );
        }
    }
}

pub(super) fn unavailable(error: &PackageError, wants: &[&Want]) -> Diagnostic {
    if let PackageError::Login(_) = error {
        let mut finding = address::fault(error);
        finding.environment = wants.first().map(|want| want.environment.to_string());
        return finding;
    }
    if let PackageError::Status { url, status: 401 | 403, .. } = error {
        let variable = Url::parse(url).ok().and_then(|url| credentials::variable(&url.host));
        let variable = variable.unwrap_or_else(|| "STACKC_LOGIN_<HOST>".to_owned());
        return placed(Diagnostic::error(codes::PACKAGE_UNAVAILABLE, error.to_string()), wants)
            .help(format!("log in with `docker login`, or set `{variable}` to `user:password`"));
    }
    let (code, help) = match error {
        PackageError::Digest { .. } => (
            codes::DIGEST_MISMATCH,
            "the source has changed what it published, or the lock was edited: find out which; `stackc vendor --update NAME` accepts the new bytes",
        ),
        PackageError::Stated { .. } => {
            (codes::DIGEST_MISMATCH, "tell those who run the repository; nothing of it was kept")
        }
        PackageError::Offline(_) => (codes::PACKAGE_UNAVAILABLE, "run `stackc vendor` once with the network"),
        PackageError::Readable(_) => (
            codes::PACKAGE_UNAVAILABLE,
            "name the source by `https://`; a login goes over plain HTTP to this machine alone",
        ),
        PackageError::Status { status: 429 | 500.., .. } | PackageError::Exchange { .. } => (
            codes::PACKAGE_UNAVAILABLE,
            "try again later; what the cache or a `mirror` has needs no server, see `sources` in `stackc.yaml`",
        ),
        PackageError::NoSuchVersion { .. } | PackageError::Range { .. } => {
            (codes::PACKAGE_UNAVAILABLE, "write a version that exists, or a range such as `^1.2`")
        }
        _ => (codes::PACKAGE_UNAVAILABLE, "see `sources` and `mirror` in `stackc.yaml`"),
    };
    placed(Diagnostic::error(code, error.to_string()), wants).help(help)
}

/// At the first place that wants it, with the others.
fn placed(finding: Diagnostic, wants: &[&Want]) -> Diagnostic {
    let mut spans: Vec<Span> = Vec::new();
    for want in wants {
        if !spans.contains(&want.span) {
            spans.push(want.span);
        }
    }
    let mut rest = spans.into_iter();
    let mut finding = finding.at(rest.next(), "wanted here");
    for span in rest {
        finding = finding.related(span, "and here");
    }
    finding
}

/// A chart of the project: `FOLDER/NAME`, or `FOLDER/NAME-VERSION.tgz`.
fn from_folder(
    world: &dyn World,
    folder: &Utf8Path,
    name: &str,
    range: &str,
) -> Result<Supply, PackageError> {
    let path = folder.join(name);
    let malformed = |what: &Utf8Path, error: &ChartError| PackageError::Malformed {
        what: format!("`{what}`"),
        words: error.to_string(),
    };
    if world.kind(&path) == Some(EntryKind::Folder) {
        let disk = ChartDisk(world);
        let files = read_folder(&disk, &path).map_err(|error| malformed(&path, &error))?;
        let version = version_of(&files).map_err(|error| malformed(&path, &error))?;
        newest(std::slice::from_ref(&version), name, range)?;
        return Ok(Supply::new(&version, digest_of(&files), path.to_string(), Content::Files(files)));
    }
    let mirror = mirror::Mirror::at(world, folder.to_owned());
    let version = newest(&mirror.versions(name)?, name, range)?;
    let bytes = mirror.chart(name, &version)?;
    let place = folder.join(mirror::chart_file(name, &version));
    Ok(Supply::new(&version, ContentDigest::of(&bytes), place.to_string(), Content::Packed(bytes)))
}

/// The version in `Chart.yaml`.
fn version_of(files: &[ChartFile]) -> Result<String, ChartError> {
    let file = files.iter().find(|file| &*file.name == "Chart.yaml").ok_or(ChartError::ChartYamlMissing)?;
    let text = String::from_utf8_lossy(&file.data);
    let id = Sources::new().add("Chart.yaml", "");
    let node = yaml::read_first(id, &text, yaml::Options::LENIENT)
        .map_err(|error| ChartError::Content("Chart.yaml", error.go_message()))?;
    Ok(node.get("version").and_then(Node::as_str).unwrap_or_default().to_owned())
}

/// The digest of a folder's files: names, lengths and bytes.
fn digest_of(files: &[ChartFile]) -> ContentDigest {
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend_from_slice(format!("{} {}\n", file.data.len(), file.name).as_bytes());
        bytes.extend_from_slice(&file.data);
    }
    ContentDigest::of(&bytes)
}
