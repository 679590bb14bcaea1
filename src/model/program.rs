//! What an environment is made of once every expression has been evaluated.

use super::{Object, ObjectId};
use crate::digest::ContentDigest;
use crate::source::Span;
use crate::value::Node;
use camino::Utf8PathBuf;
use std::sync::Arc;

/// How charts of an environment or of one instance are delivered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChartDelivery {
    /// As the objects that the chart renders to.
    Rendered,
    /// As a release that the target's Helm controller installs.
    Release,
    /// As `HelmChart` and `HelmChartConfig` for k3s's own controller.
    K3s,
}

/// What is said of an environment as a whole.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The overlay's name, which is its folder's.
    pub name: Arc<str>,
    /// The project's name.
    pub project: Arc<str>,
    /// `production`, `staging`, `development` or `testing`.
    pub environment: Arc<str>,
    /// Major and minor version of Kubernetes, such as `1.34`.
    pub kubernetes: Arc<str>,
    /// Where the overlay says which; the overlay's name where the project does.
    pub kubernetes_span: Option<Span>,
    /// The overlay's `metadata.name`.
    pub span: Span,
    /// Where its tree is written.
    pub output: Output,
}

/// `output` of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The folder, relative to the project.
    pub dir: Utf8PathBuf,
    /// The folder in it that holds `clusters envs flux hosts`; may be empty.
    pub prefix: Utf8PathBuf,
}

impl Output {
    /// The folder that `clusters envs flux hosts` are in, relative to the project.
    pub fn root(&self) -> Utf8PathBuf {
        self.dir.join(&self.prefix)
    }
}

/// `deliver` of an overlay.
#[derive(Clone, Debug)]
pub struct Deliver {
    /// The default for charts, and the place that set it.
    pub charts: ChartDelivery,
    /// The place of that setting, where the overlay has one.
    pub charts_span: Option<Span>,
    /// Flux; `None` where the overlay does not deliver to it.
    pub flux: Option<FluxDelivery>,
    /// kluctl; `None` where the overlay does not deliver to it.
    pub kluctl: Option<KluctlDelivery>,
}

/// `deliver.flux`.
#[derive(Clone, Debug)]
pub struct FluxDelivery {
    /// `GitRepository`, `OCIRepository`, `Bucket` or `ExternalArtifact`.
    pub source_kind: Arc<str>,
    /// The source's name.
    pub source_name: Arc<str>,
    /// Namespace of the Kustomizations and the source.
    pub namespace: Arc<str>,
    /// Secret with the decryption keys, for units with encrypted files.
    pub decryption_secret: Option<Arc<str>>,
    /// `spec.ignore` rules by object or unit, passed on as written.
    pub ignore: Option<Node>,
}

/// `deliver.kluctl`.
#[derive(Clone, Debug)]
pub struct KluctlDelivery {
    /// The kubeconfig context.
    pub context: Option<Arc<str>>,
    /// The discriminator.
    pub discriminator: Arc<str>,
}

/// One instance of a stack in an environment, evaluated.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name, a DNS label.
    pub name: Arc<str>,
    /// The stack it is an instance of.
    pub stack: Arc<str>,
    /// Its key in the overlay.
    pub span: Span,
    /// Its namespace; `None` where neither its stack nor the overlay gives one.
    pub namespace: Option<Arc<str>>,
    /// The place of that namespace that a user would edit.
    pub namespace_span: Option<Span>,
    /// Labels for the namespace, where the compiler writes it.
    pub namespace_labels: Option<Node>,
    /// How its charts and manifests are delivered.
    pub delivery: ChartDelivery,
    /// Objects of `resources` and `manifests`, in written order.
    pub objects: Vec<Object>,
    /// Manifests by URL.
    pub references: Vec<ManifestReference>,
    /// Its charts.
    pub releases: Vec<Release>,
    /// Secrets that must exist.
    pub secrets: Vec<RequiredSecret>,
    /// The capabilities that it offers, those that stepped back left out.
    pub provides: Vec<Arc<str>>,
    /// What it brings that is not in the tree.
    pub declares: Declares,
    /// Edges by hand: the instance, and the place that names it.
    pub after: Vec<(Arc<str>, Span)>,
    /// What a person runs against the running cluster.
    pub verify: Vec<Verification>,
    /// What has to be there before.
    pub prereqs: Vec<Prerequisite>,
}

impl Instance {
    /// Whether a manifest stays a reference: where the target fetches it, and real objects were not asked for.
    pub fn keeps(&self, manifest: &ManifestReference) -> bool {
        manifest.by_reference && self.delivery != ChartDelivery::Rendered
    }
}

/// A command that shows whether the running cluster is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Its id in the stack.
    pub id: Arc<str>,
    /// What it shows.
    pub description: Arc<str>,
    /// The command.
    pub command: Arc<str>,
}

/// Something outside the cluster that has to be there first.
#[derive(Clone, Debug)]
pub struct Prerequisite {
    /// Its id in the stack.
    pub id: Arc<str>,
    /// What kind of thing: `kernelModules`, `sysctls`, `ports`, `dns`, `bucket`, ...
    pub kind: Arc<str>,
    /// The thing, as the stack words it.
    pub data: Node,
}

/// A file that is no Kubernetes object: a `config.yaml` of k3s, a cloud-config.
#[derive(Clone, Debug)]
pub struct HostFile {
    /// Its path below `hosts/<env>/`.
    pub path: Utf8PathBuf,
    /// How its content is written.
    pub format: HostFormat,
    /// The content: a string for text.
    pub content: Node,
    /// The instance that writes it.
    pub instance: Arc<str>,
    /// What it is checked against; a cloud-config is one without saying so.
    pub schema: Option<HostSchema>,
    /// How many bytes whoever reads it takes.
    pub limit: Option<usize>,
    /// Its place in the stack.
    pub span: Span,
}

/// What the content of a [`HostFile`] is checked against.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HostSchema {
    /// The flags of a k3s server.
    K3sServer,
    /// The flags of a k3s agent.
    K3sAgent,
    /// The keys of a Kairos cloud-config.
    CloudConfig,
}

/// How the content of a [`HostFile`] is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostFormat {
    /// As it is.
    Text,
    /// As YAML.
    Yaml,
    /// As YAML under the line `#cloud-config`.
    CloudConfig,
}

/// A chart of an instance.
#[derive(Clone, Debug)]
pub struct Release {
    /// The release's name.
    pub name: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The package.
    pub chart: ChartRef,
    /// The values, computed and overridden.
    pub values: Node,
    /// How it is delivered.
    pub delivery: ChartDelivery,
    /// The engine's profile: `4.2` or `3.21`.
    pub helm: Arc<str>,
    /// k3s: installed before the network is there.
    pub bootstrap: bool,
    /// Whether CRDs of its `crds/` are installed.
    pub skip_crds: bool,
    /// The chart's place in the stack.
    pub span: Span,
}

/// A chart package by source, name and version.
#[derive(Clone, Debug)]
pub struct ChartRef {
    /// Where it is from.
    pub source: ChartSource,
    /// The chart's name there.
    pub name: Arc<str>,
    /// An exact version, or a range that the lock resolves.
    pub version: Arc<str>,
    /// The origin of the version, for messages.
    pub version_origin: crate::value::Origin,
}

/// A chart source by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartSource {
    /// Its name in `stackc.yaml` or among the well-known ones; one that stands in place of a name is called after its
    /// instance and its address.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ChartSourceKind,
}

impl ChartSource {
    /// A source that is written in place of a name. The same address has the same name in an instance whatever the
    /// revision, so that a newer version is a change of one object and not another object.
    pub fn unnamed(instance: &str, kind: ChartSourceKind) -> Self {
        let address = match &kind {
            ChartSourceKind::Http(url) | ChartSourceKind::Oci(url) => url.trim_end_matches('/'),
            ChartSourceKind::Path(path) => path.as_str(),
            ChartSourceKind::Git { url, .. } => url,
        };
        let digest = ContentDigest::of(address.as_bytes());
        Self { name: format!("{instance}-{}", &digest.hex()[..8]).into(), kind }
    }
}

/// What a chart source is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChartSourceKind {
    /// An HTTP repository with an `index.yaml`.
    Http(Arc<str>),
    /// An OCI registry folder, `oci://...`.
    Oci(Arc<str>),
    /// A folder in the project.
    Path(Utf8PathBuf),
    /// A Git repository at a revision, and a folder in it.
    Git {
        /// The repository.
        url: Arc<str>,
        /// Branch, tag or commit.
        revision: Arc<str>,
        /// The folder that holds the charts.
        path: Arc<str>,
    },
}

/// A manifest by URL: its objects, pinned by the lock, or a reference that the target fetches.
#[derive(Clone, Debug)]
pub struct ManifestReference {
    /// Its name among the stack's manifests.
    pub name: Arc<str>,
    /// The URL of the file.
    pub url: Arc<str>,
    /// SHA-256 of the file, in hex, where it is known.
    pub sha256: Option<Arc<str>>,
    /// For Flux: a Git repository, its revision and the folder in it.
    pub git: Option<(Arc<str>, Arc<str>, Arc<str>)>,
    /// The namespace for its objects that name none.
    pub namespace: Option<Node>,
    /// Whether it may stay a reference; else its objects are part of the tree.
    pub by_reference: bool,
    /// The place that a user would edit to name another one.
    pub url_span: Option<Span>,
    /// The place in the stack.
    pub span: Span,
}

/// A Secret that a stack reads.
#[derive(Clone, Debug)]
pub struct RequiredSecret {
    /// Its name.
    pub name: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The keys that are read.
    pub keys: Vec<SecretKey>,
    /// The place in the stack.
    pub span: Span,
    /// The place in the overlay that a user would edit, where a value of it led here.
    pub editable: Option<Span>,
}

/// A key of a required Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// The key.
    pub name: Arc<str>,
    /// `base32`, `pem`, `json`, ...
    pub format: Option<Arc<str>>,
    /// What stands for it in `files`.
    pub placeholder: Option<Arc<str>>,
    /// What it is and where a person gets it.
    pub description: Option<Arc<str>>,
}

/// What a stack brings that is not in the tree while a chart is not rendered, or never is.
#[derive(Clone, Debug, Default)]
pub struct Declares {
    /// CRDs.
    pub crds: Vec<DeclaredCrd>,
    /// Admission webhooks.
    pub webhooks: Vec<DeclaredWebhook>,
    /// Objects that a controller makes later.
    pub creates: Vec<CreatedObject>,
}

/// Who brings what is declared.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DeclaredBy {
    /// The chart.
    Chart,
    /// An operator, once it runs.
    Operator,
}

/// A declared CRD.
#[derive(Clone, Debug)]
pub struct DeclaredCrd {
    /// Its group.
    pub group: Arc<str>,
    /// Its kind.
    pub kind: Arc<str>,
    /// Its plural name, where it is stated.
    pub plural: Option<Arc<str>>,
    /// The versions it serves.
    pub versions: Vec<Arc<str>>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Who brings it.
    pub by: DeclaredBy,
    /// Whether deleting one of its objects deletes data.
    pub stateful: bool,
    /// The place in the stack.
    pub span: Span,
}

/// A declared webhook.
#[derive(Clone, Debug)]
pub struct DeclaredWebhook {
    /// The groups whose objects it admits.
    pub groups: Vec<Arc<str>>,
    /// The Service behind it.
    pub service: Arc<str>,
    /// The place in the stack.
    pub span: Span,
}

/// An object that a controller makes.
#[derive(Clone, Debug)]
pub struct CreatedObject {
    /// Its identity.
    pub id: ObjectId,
    /// For Secrets and `ConfigMaps`: its keys, where they are known.
    pub keys: Vec<Arc<str>>,
    /// The place in the stack.
    pub span: Span,
}

/// What exists outside the tree and may be referred to.
#[derive(Clone, Debug)]
pub struct External {
    /// Its key in the overlay.
    pub name: Arc<str>,
    /// Its identity.
    pub id: ObjectId,
    /// For Secrets and `ConfigMaps`: its keys.
    pub keys: Vec<Arc<str>>,
    /// An encrypted one may take over later.
    pub supersedable: bool,
    /// The place in the overlay.
    pub span: Span,
}

/// A patch of an overlay.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Its key in the overlay.
    pub name: Arc<str>,
    /// Group of the target, where it is stated.
    pub group: Option<Arc<str>>,
    /// Kind of the target.
    pub kind: Arc<str>,
    /// Namespace of the target, where it is stated.
    pub namespace: Option<Arc<str>>,
    /// Name of the target, where it is stated.
    pub target_name: Option<Arc<str>>,
    /// The change.
    pub body: PatchBody,
    /// The place of `target` in the overlay.
    pub target_span: Span,
    /// The place of the patch in the overlay.
    pub span: Span,
}

/// The change that a patch makes.
#[derive(Clone, Debug)]
pub enum PatchBody {
    /// A strategic merge.
    Merge(Node),
    /// JSON 6902: a list of operations.
    Json(Node),
}

/// An encrypted file of the overlay, copied byte for byte.
#[derive(Clone, Debug)]
pub struct EncryptedFile {
    /// Its path in the project.
    pub path: Utf8PathBuf,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// The identities in it, with the keys of Secrets, in order.
    pub objects: Vec<(ObjectId, Vec<Arc<str>>)>,
    /// Whether it holds `SopsSecret` resources, which an operator decrypts, not the GitOps tool.
    pub sops_secret: bool,
    /// The Secrets that an operator makes of its `SopsSecret`s, where their names are readable, with their keys.
    pub creates: Vec<(ObjectId, Vec<Arc<str>>)>,
    /// The age recipients that it is encrypted to.
    pub recipients: Vec<Arc<str>>,
    /// The whole text.
    pub span: Span,
}

/// A requirement met by a provider.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The capability.
    pub capability: Arc<str>,
    /// The instance that requires it.
    pub consumer: Arc<str>,
    /// The instance that provides it.
    pub provider: Arc<str>,
    /// The provider's unit to wait for, where its offer names one.
    pub unit: Option<Arc<str>>,
    /// Whether it makes an edge.
    pub order: bool,
    /// The place of the requirement.
    pub span: Span,
}
