//! The command line, as clap reads it. The help texts here are the first documentation that users meet.

use crate::schema::kinds::{Minor, minor};
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Compiles typed stacks and overlays into a manifest tree for kluctl and Flux.
#[derive(Debug, Parser)]
#[command(
    name = "stackc",
    version,
    about = "Compiles typed stacks and overlays into a manifest tree for kluctl and Flux",
    long_about = "stackc compiles an environment (an overlay: which stacks, with which inputs) into plain Kubernetes \
manifests that kluctl and Flux consume as they are. Everything is checked before anything is written: types of \
inputs, capabilities that stacks need from each other, every reference between objects, and the order of apply.",
    after_help = "Start with `stackc init` in an empty folder, then `stackc build`.\n\
Exit codes: 0 fine, 1 findings, 2 wrong command line, 3 a fault of the machine or of stackc.",
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The project's folder; without it, the nearest folder upwards that holds a `stackc.yaml`
    #[arg(long, short = 'C', global = true, value_name = "DIR")]
    pub project: Option<Utf8PathBuf>,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Print findings and data only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more about what is done
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Threads to work with; 0 means one for each core
    #[arg(long, short = 'j', global = true, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

/// When to colour.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How findings are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// With the lines they point at
    Human,
    /// One line each
    Short,
    /// One JSON object a line, on standard output
    Json,
    /// A SARIF 2.1.0 log, on standard output
    Sarif,
    /// GitHub Actions annotations, on standard output
    Github,
}

/// Options of commands that compile.
#[derive(Debug, Args)]
pub struct Compile {
    /// An environment, as its folder below `overlays/` is named; repeatable; all of them without it
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environments: Vec<String>,
    /// Override how charts are delivered, whatever the overlays say
    #[arg(long, value_name = "HOW")]
    pub charts: Option<Charts>,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: FindingsFormat,
    /// Fail on warnings too
    #[arg(long)]
    pub deny_warnings: bool,
    /// Compile and render everything anew, whatever earlier builds remember
    #[arg(long)]
    pub fresh: bool,
    /// How packages may be had.
    #[command(flatten)]
    pub access: Access,
}

/// How packages may be had.
#[derive(Copy, Clone, Debug, Default, Args)]
#[command(next_help_heading = "Packages")]
pub struct Access {
    /// Ask no server: packages come from the cache or from the mirror
    #[arg(long)]
    pub offline: bool,
    /// Fail where `stackc.lock` would have to change
    #[arg(long)]
    pub locked: bool,
    /// Both `--offline` and `--locked`
    #[arg(long)]
    pub frozen: bool,
}

impl Access {
    /// Whether the lock may not change.
    pub fn is_locked(self) -> bool {
        self.locked || self.frozen
    }
}

/// How charts are delivered.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Charts {
    /// As the objects that they render to
    Rendered,
    /// As releases: `HelmRelease` for Flux, `helm-chart.yaml` for kluctl
    Release,
    /// As `HelmChart` objects for k3s's own controller
    K3s,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a project in a folder
    #[command(
        long_about = "Writes a project that builds: `stackc.yaml`, one overlay, and what a repository needs around them. \
Files that exist are never touched."
    )]
    Init(Init),
    /// Compile environments and write the manifest tree
    #[command(
        long_about = "Compiles the environments and writes their trees below the output folder of `stackc.yaml`. Only files \
that stackc itself wrote before (those listed in `envs/<env>/.stackc-files`) are replaced or removed. Nothing is \
written where an error was found."
    )]
    Build(Build),
    /// Compile environments without writing anything
    Check(Check),
    /// Hold objects in files against what an API server takes, without a project or a cluster
    #[command(
        long_about = "Reads Kubernetes objects and says what an API server of the given release would refuse: fields that do not \
exist, values of a wrong type, everything that the validation of built-in kinds refuses, and for custom resources the schemas and \
rules of their definitions, as far as these are among the objects or given with `--definitions`. Nothing is sent anywhere. \
Builds hold every object against the same rules.",
        after_help = "Examples:\n  \
stackc validate manifests/\n  \
helm template web ./chart | stackc validate --kubernetes 1.33 -\n  \
stackc validate route.yaml --definitions gateway-api/crds"
    )]
    Validate(Validate),
    /// Show what a build would change, object by object
    Diff(Diff),
    /// Commit the compiled trees to a branch, without touching the work tree
    #[command(
        long_about = "Compiles the environments and writes their trees as one commit on a branch of this or another local \
repository. The work tree and the index are not touched. There is no commit where nothing changed."
    )]
    Publish(Publish),
    /// Pin the packages that environments want in `stackc.lock`, and fetch them
    #[command(
        long_about = "Looks up every chart and manifest that the environments want, whatever way charts are delivered, pins it in \
`stackc.lock` with version and digest, and puts its bytes into the cache, so that builds need no network. What is pinned \
stays as it is until `--update`. Entries that nobody wants any more are dropped, unless `-e` leaves environments out.",
        after_help = "STACKC_MIRROR, or `mirror:` in `stackc.yaml`, names a folder that is read in place of the network.\n\
Example: stackc vendor --update cert-manager"
    )]
    Vendor(Vendor),
    /// List newer versions of the charts that environments want
    Outdated(Outdated),
    /// Print the units of an environment and their order
    Graph(Graph),
    /// Print what an environment needs that is not in its tree
    #[command(
        long_about = "Prints what has to be there before an environment is deployed and is in no file of its tree: machines, \
flags of k3s, kernel modules and settings, ports, firewall rules, DNS records, buckets, and the Secrets that are made by \
hand, with the commands that make them. With `--after`: the commands that show whether the running cluster is well.",
        after_help = "Examples:\n  \
stackc prereqs -e production\n  \
stackc prereqs -e production --format k3s-config --machine node-1 > /etc/rancher/k3s/config.yaml\n  \
stackc prereqs -e production --format nix > k3s.nix\n  \
stackc prereqs -e production --after > verify.sh"
    )]
    Prereqs(Prereqs),
    /// Explain an input: its type, its value, and where the value comes from
    #[command(after_help = "Example: stackc explain -e production coredns.replicas")]
    Explain(Explain),
    /// Set one value of an overlay, in its own line
    #[command(
        long_about = "Sets one value in an overlay and leaves everything else in the file as it is: comments, order, quotes. \
The project is compiled with the new value first; where it does not compile, nothing is written. A value that comes from \
a base is set in the environment's own overlay, unless `--in-base` is given.",
        after_help = "VALUE is read as YAML, by the type of the input: where text is wanted, `1.10` is text.\n\nExamples:\n  \
stackc set -e production shop.image.tag 1.4.2\n  \
stackc set -e production coredns.replicas 3 --dry-run\n  \
stackc set -e production shop.resources.limits '{memory: 2Gi}'\n  \
stackc set -e production deliver.charts release"
    )]
    Set(Set),
    /// Show where a field of the output comes from: its line, the template, the values, the overlay
    #[command(
        after_help = "Example: stackc why -e production Deployment/shop/web spec.template.spec.containers[0].image\n\
An item of a list may be named by its index or by its name: spec.template.spec.containers.web.image"
    )]
    Why(Why),
    /// List every image that the tree names, and the fields that name it
    #[command(
        after_help = "Example: stackc images -e production --charts rendered --as list | xargs -n1 skopeo inspect"
    )]
    Images(Images),
    /// List, show or copy the stacks that can be used
    #[command(subcommand)]
    Stack(Stack),
    /// Print the JSON Schema of `overlay.yaml`, for editors
    #[command(
        long_about = "Prints one JSON Schema of `overlay.yaml` with the inputs of every stack in it, the project's own and the \
built-in ones. Editors complete, explain and check with it; docs/editors.md says how they find it. What is missing is \
found by `stackc check` alone: an overlay may leave to its bases what it does not say.",
        after_help = "Example: stackc schema --write .stackc/overlay.schema.json"
    )]
    Schema(Schema),
    /// Render a chart and print its manifests: a drop-in for `helm template`
    Template(super::template::Args),
    /// Print a completion script for a shell
    #[command(after_help = "Example: stackc completions bash > /etc/bash_completion.d/stackc")]
    Completions(Completions),
}

/// `stackc init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder; made where it does not exist
    #[arg(default_value = ".")]
    pub folder: Utf8PathBuf,
    /// The project's name; the folder's name without it
    #[arg(long)]
    pub name: Option<String>,
}

/// `stackc build`.
#[derive(Debug, Args)]
pub struct Build {
    /// What to compile.
    #[command(flatten)]
    pub compile: Compile,
    /// Write nothing; exit 1 where the tree on disk is not what a build would write
    #[arg(long)]
    pub check: bool,
    /// Remove the trees of environments that are no more
    #[arg(long, conflicts_with_all = ["check", "environments"])]
    pub prune: bool,
}

/// `stackc check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What to compile.
    #[command(flatten)]
    pub compile: Compile,
}

/// `stackc validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// Files, folders (their `*.yaml`, `*.yml` and `*.json`), or `-` for the standard input
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<Utf8PathBuf>,
    /// The release of Kubernetes
    #[arg(long, value_name = "VERSION", default_value = "1.34", value_parser = release)]
    pub kubernetes: Minor,
    /// Custom resource definitions that are not to be checked themselves: a file, a folder, or `-`; repeatable
    #[arg(long, value_name = "PATH")]
    pub definitions: Vec<Utf8PathBuf>,
    /// Fail where an object is of a kind that no definition describes
    #[arg(long)]
    pub strict: bool,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: FindingsFormat,
}

fn release(text: &str) -> Result<Minor, String> {
    minor(text).ok_or_else(|| "a release has the form `1.34`".to_owned())
}

/// `stackc diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// What to compile.
    #[command(flatten)]
    pub compile: Compile,
    /// Compare with the tree at this Git revision instead of the files on disk
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Exit 1 where there are differences
    #[arg(long)]
    pub exit_code: bool,
    /// How the differences are printed
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    pub form: DiffFormat,
}

/// How differences are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// Object by object, field by field
    Text,
    /// A unified diff of the files
    Unified,
    /// JSON
    Json,
}

/// `stackc publish`.
#[derive(Debug, Args)]
pub struct Publish {
    /// What to compile.
    #[command(flatten)]
    pub compile: Compile,
    /// The branch to commit to; made where it does not exist
    #[arg(long, value_name = "BRANCH")]
    pub branch: String,
    /// The repository; the project's own without it
    #[arg(long, value_name = "DIR")]
    pub repository: Option<Utf8PathBuf>,
    /// First line of the commit message
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
}

/// `stackc vendor`.
#[derive(Debug, Args)]
pub struct Vendor {
    /// An environment, as its folder below `overlays/` is named; repeatable; all of them without it
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environments: Vec<String>,
    /// Move these packages, or all without a name, to the newest version in their ranges
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub update: Option<Vec<String>>,
    /// Put the packages into a folder too, laid out as a mirror is read: for machines without network
    #[arg(long, value_name = "DIR")]
    pub to: Option<Utf8PathBuf>,
    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: FindingsFormat,
    /// How packages may be had.
    #[command(flatten)]
    pub access: Access,
}

/// `stackc outdated`.
#[derive(Debug, Args)]
pub struct Outdated {
    /// An environment, as its folder below `overlays/` is named; repeatable; all of them without it
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environments: Vec<String>,
    /// Exit 1 where there are newer versions
    #[arg(long)]
    pub exit_code: bool,
    /// How it is printed; JSON holds the charts that are up to date too
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DataFormat,
}

/// `stackc graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// The environment; may be left out where the project has one
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environment: Option<String>,
    /// How the graph is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GraphFormat,
}

/// How a graph is printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Levels, units, and the reason of every edge
    Text,
    /// Mermaid, for Markdown
    Mermaid,
    /// Graphviz
    Dot,
    /// A picture
    Svg,
}

/// `stackc prereqs`.
#[derive(Debug, Args)]
pub struct Prereqs {
    /// The environment; may be left out where the project has one
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environment: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PrereqsFormat,
    /// Only this machine of several
    #[arg(long, value_name = "NAME", conflicts_with = "after")]
    pub machine: Option<String>,
    /// Print the commands that verify the running cluster instead
    #[arg(long)]
    pub after: bool,
}

/// How prerequisites are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrereqsFormat {
    /// Tables, and commands to copy
    Text,
    /// For programs
    Json,
    /// The `config.yaml` of k3s, a document a machine
    #[value(name = "k3s-config")]
    K3sConfig,
    /// A NixOS module: kernel, firewall and `services.k3s`
    Nix,
}

/// Text for people or JSON for programs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `stackc explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The environment; may be left out where the project has one
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environment: Option<String>,
    /// `INSTANCE.PATH`: `coredns.replicas`, `main-db.databases.shop.owner`
    #[arg(value_name = "PATH")]
    pub path: String,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DataFormat,
}

/// `stackc set`.
#[derive(Debug, Args)]
pub struct Set {
    /// The environment; may be left out where the project has one
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environment: Option<String>,
    /// `INSTANCE.PATH`: `shop.image.tag`; or a path of the overlay: `deliver.charts`
    #[arg(value_name = "PATH")]
    pub path: String,
    /// The value, as YAML in one line
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub value: String,
    /// Change it where it is written now, in a base, for every environment that extends that
    #[arg(long)]
    pub in_base: bool,
    /// Print the change and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the change that is written
    #[arg(long)]
    pub diff: bool,
}

/// `stackc schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Which file
    #[arg(value_name = "FILE", default_value = "overlay")]
    pub of: SchemaOf,
    /// Write it to this file of the project instead
    #[arg(long, value_name = "PATH")]
    pub write: Option<Utf8PathBuf>,
}

/// Which file a schema is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// `overlay.yaml`
    Overlay,
    /// `stackc.yaml`
    Project,
}

/// `stackc why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The environment; may be left out where the project has one
    #[arg(long = "env", short = 'e', value_name = "ENV")]
    pub environment: Option<String>,
    /// The object: `Kind/name` or `Kind/namespace/name`
    #[arg(value_name = "OBJECT")]
    pub object: String,
    /// The field: `spec.replicas`, `data["a.b"]`
    #[arg(value_name = "FIELD")]
    pub field: String,
    /// Override how charts are delivered, whatever the overlays say
    #[arg(long, value_name = "HOW")]
    pub charts: Option<Charts>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DataFormat,
    /// The same as `--format json`
    #[arg(long)]
    pub json: bool,
}

/// `stackc images`.
#[derive(Debug, Args)]
pub struct Images {
    /// What to compile.
    #[command(flatten)]
    pub compile: Compile,
    /// How the images are printed
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    pub form: ImagesFormat,
}

/// How images are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImagesFormat {
    /// Each image with the fields that name it
    Text,
    /// The images alone, a line each
    List,
    /// JSON
    Json,
}

/// `stackc stack`.
#[derive(Debug, Subcommand)]
pub enum Stack {
    /// List the stacks: the project's own and the built-in ones
    List {
        /// How it is printed
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: DataFormat,
    },
    /// Show what a stack takes, needs and gives
    Show {
        /// The stack
        name: String,
        /// How it is printed
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: DataFormat,
    },
    /// Copy a built-in stack into the project, to change it there
    Eject {
        /// The stack
        name: String,
    },
}

/// `stackc completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}
