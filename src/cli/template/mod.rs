//! `stackc template`: a drop-in for `helm template`.
//!
//! Standard output and the exit code are Helm's, byte for byte; standard error begins with Helm's message and goes on
//! with what Helm does not know: the place in the template, the values behind it, how to mend it.

mod explain;
mod flags;
mod manifests;
mod values;

use super::{Console, Exit};
use crate::helm::ahead;
use crate::helm::capabilities::{Capabilities, KubeVersion};
use crate::helm::chart::dependencies::missing;
use crate::helm::chart::{Chart, ChartError, load_path};
use crate::helm::context::ReleaseInfo;
use crate::helm::engine::{Options, TemplateError};
use crate::helm::faults;
use crate::helm::profile::{HELM_4_2, Profile};
use crate::helm::release::{self, Fault, Request};
use crate::helm::stack;
use crate::helm::template::Environment;
use crate::helm::values::Table;
use crate::helm::values::strvals::quote;
use crate::source::Sources;
use crate::world::World;
use crate::world::chart::ChartDisk;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args as _;
use flags::Parsed;
use std::ffi::OsString;
use std::sync::Arc;

/// The arguments of `stackc template`: Helm's own, which clap only passes on.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// NAME, CHART and the flags of `helm template`; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<OsString>,
}

/// What a command line printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    /// Helm knows 0 and 1.
    pub failed: bool,
}

/// Runs the command.
pub fn run(arguments: &Args, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let words: Vec<String> =
        arguments.arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let outcome = console.stream(|out| outcome(&words, world, Memory::Left, out));
    console.data(&outcome.stdout);
    if !outcome.stderr.is_empty() {
        console.talk(&outcome.stderr);
    }
    if outcome.failed { Exit::Findings } else { Exit::Fine }
}

/// What is printed for a command line.
pub fn template(arguments: &[String], world: &dyn World) -> Outcome {
    let mut printed = Vec::new();
    let mut outcome = outcome(arguments, world, Memory::Freed, &mut |bytes| printed.extend_from_slice(bytes));
    printed.append(&mut outcome.stdout);
    outcome.stdout = printed;
    outcome
}

/// What becomes of a chart and what was made of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Memory {
    /// It is given back, as whoever asked goes on.
    Freed,
    /// The process ends next, and the system takes all of it at once: giving back each part is a tenth of a run.
    Left,
}

impl Memory {
    /// The end of a value.
    fn done<T>(self, value: T) {
        match self {
            Self::Freed => drop(value),
            Self::Left => std::mem::forget(value),
        }
    }
}

/// Runs a command line. Manifests go to `out` as they are put in order; the rest is in the outcome.
fn outcome(
    arguments: &[String],
    world: &dyn World,
    memory: Memory,
    out: &mut (dyn FnMut(&[u8]) + Send),
) -> Outcome {
    stack::on_large_stack(|| {
        let mut outcome = Outcome::default();
        if let Err(error) = Run::start(arguments, world, memory, out, &mut outcome) {
            outcome.failed = true;
            outcome.stderr.push_str("Error: ");
            outcome.stderr.push_str(&error.message);
            outcome.stderr.push('\n');
            if !error.details.is_empty() {
                outcome.stderr.push('\n');
                outcome.stderr.push_str(&error.details);
            }
        }
        outcome
    })
}

/// A command that failed: Helm's message, and more.
struct Failed {
    message: String,
    details: String,
}

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self { message, details: String::new() }
    }
}

impl From<&str> for Failed {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// The clock and the random numbers of the machine.
struct Machine<'a>(&'a dyn World);

impl Environment for Machine<'_> {
    fn now(&mut self) -> (i64, u32) {
        self.0.now()
    }

    fn random(&mut self, out: &mut [u8]) {
        self.0.random(out);
    }
}

struct Run<'a> {
    profile: &'static Profile,
    flags: Parsed,
    world: &'a dyn World,
    sources: Sources,
    memory: Memory,
    out: &'a mut (dyn FnMut(&[u8]) + Send),
    outcome: &'a mut Outcome,
}

impl<'a> Run<'a> {
    fn start(
        arguments: &[String],
        world: &'a dyn World,
        memory: Memory,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
        outcome: &'a mut Outcome,
    ) -> Result<(), Failed> {
        let profile = match flags::profile_name(arguments) {
            None => &HELM_4_2,
            Some(name) => Profile::named(name).ok_or_else(|| {
                format!("unknown version {} for --helm: it can be 4.2 or 3.21", quote(name))
            })?,
        };
        let flags = flags::parse(arguments, profile)?;
        for warning in &flags.warnings {
            outcome.stderr.push_str(warning);
            outcome.stderr.push('\n');
        }
        if flags.is_on("help") {
            outcome.stdout = flags::help().into_bytes();
            return Ok(());
        }
        let mut run = Run { profile, flags, world, sources: Sources::new(), memory, out, outcome };
        let done = run.all();
        memory.done(run.sources);
        done
    }

    fn all(&mut self) -> Result<(), Failed> {
        if self.flags.arguments.is_empty() {
            return Err("\"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]".into());
        }
        if let Some((name, why)) = self.flags.refused() {
            return Err(Failed {
                message: format!("--{name} cannot be served: {why}"),
                details: "stackc template works without a cluster, the network and other programs; leave the flag out\n".to_owned(),
            });
        }
        let kube = match self.flags.last("kube-version").filter(|text| !text.is_empty()) {
            None => KubeVersion::default(),
            Some(text) => KubeVersion::parse(text, self.profile.keep_kube_suffix)
                .map_err(|error| format!("invalid kube version '{text}': {error}"))?,
        };
        self.dry_run()?;
        let (name, reference) = self.name_and_chart()?;
        let path = self.locate(&reference)?;
        let user = values::read(&self.flags, self.profile, self.world, &self.sources)?;
        let chart = Arc::new(self.load(&path)?);
        let done = ahead::while_parsing(&chart, self.profile, || self.release(&chart, &user, name, kube));
        self.memory.done((chart, user));
        done
    }

    fn release(
        &mut self,
        chart: &Arc<Chart>,
        user: &Table,
        name: String,
        kube: KubeVersion,
    ) -> Result<(), Failed> {
        self.check_chart(chart)?;
        check_name(&name, self.profile, self.outcome)?;
        let more = self.flags.all("api-versions").iter().map(|version| Arc::from(version.as_str()));
        let capabilities = Capabilities::new(kube, more);
        let release =
            ReleaseInfo { name, namespace: self.namespace(), is_upgrade: self.flags.is_on("is-upgrade") };
        self.render(chart, user, &release, &capabilities)
    }

    fn render(
        &mut self,
        chart: &Arc<Chart>,
        user: &Table,
        release: &ReleaseInfo,
        capabilities: &Capabilities,
    ) -> Result<(), Failed> {
        let explained = self.flags.all("explain").to_vec();
        let request = Request {
            chart,
            values: user,
            release,
            capabilities,
            profile: self.profile,
            check_schema: !self.flags.is_on("skip-schema-validation"),
            options: if explained.is_empty() { Options::default() } else { explain::options() },
        };
        let mut warnings = Vec::new();
        let prepared = release::prepare(&request, &mut warnings);
        for warning in warnings {
            self.outcome.stderr.push_str(&warning);
            self.outcome.stderr.push('\n');
        }
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => return Err(self.failed(&fault, None)),
        };
        let rendered = release::render(&request, &prepared, &mut Machine(self.world));
        let done = match rendered {
            Ok(rendered) if explained.is_empty() => {
                let done = self.print(&rendered.sorted, &prepared.instance, release);
                self.memory.done(rendered);
                done
            }
            Ok(rendered) => {
                let text = explain::explain(&explained, &rendered, &prepared, &self.sources)?;
                self.outcome.stdout = text.into_bytes();
                Ok(())
            }
            Err(fault) => {
                if let (Fault::Manifest(_, output), true) = (&fault, self.flags.is_on("debug")) {
                    self.print_broken(&output.files);
                }
                let fault = match fault {
                    Fault::Manifest(..) => self.traced(request, fault),
                    Fault::Template(TemplateError::Exec { ref error, .. }) if !error.innermost().limited => {
                        self.traced(request, fault)
                    }
                    fault => fault,
                };
                Err(self.failed(&fault, Some(&prepared)))
            }
        };
        self.memory.done(prepared);
        done
    }

    /// A failed render once more, with every byte traced: only a failure pays for it.
    fn traced(&self, mut request: Request<'_>, fault: Fault) -> Fault {
        request.options = explain::options();
        let Ok(prepared) = release::prepare(&request, &mut Vec::new()) else { return fault };
        release::render(&request, &prepared, &mut Machine(self.world)).err().unwrap_or(fault)
    }

    /// Helm's message, and what is known besides.
    fn failed(&self, fault: &Fault, prepared: Option<&release::Prepared>) -> Failed {
        let mut message = String::from_utf8_lossy(&fault.helm_text(self.profile)).into_owned();
        if fault.has_release() && !self.flags.is_on("debug") {
            message.push_str("\n\nUse --debug flag to render out invalid YAML");
        }
        let found = faults::diagnostics(fault, prepared, None, &self.sources);
        let details = explain::draw(&found, &self.sources);
        Failed { message, details }
    }

    fn dry_run(&mut self) -> Result<(), Failed> {
        let server = || {
            Err(Failed {
                message: "--dry-run=server cannot be served: it needs a cluster".to_owned(),
                details: "leave the flag out: template never changes anything\n".to_owned(),
            })
        };
        if self.flags.is_on("validate") {
            return Err("--validate cannot be served: it needs a cluster".into());
        }
        let Some(value) = self.flags.last("dry-run") else { return Ok(()) };
        if !self.profile.structured_log {
            return match value {
                // What is no dry run renders without a cluster there all the same.
                "" | "client" | "true" | "none" | "false" => Ok(()),
                "server" => server(),
                _ => Err(
                    "invalid dry-run flag. Flag must one of the following: false, true, none, client, server"
                        .into(),
                ),
            };
        }
        let warn = match value {
            "client" => return Ok(()),
            "server" => return server(),
            "unset" => "--dry-run is deprecated and should be replaced with '--dry-run=client'".to_owned(),
            "1" | "t" | "T" | "true" | "TRUE" | "True" => {
                format!(
                    "boolean '--dry-run={value}' flag is deprecated and must be replaced with '--dry-run=client'"
                )
            }
            "none" | "0" | "f" | "F" | "false" | "FALSE" | "False" => {
                return Err(format!(
                    "invalid dry-run value ({}). Must be \"server\" or \"client\"",
                    quote(value)
                )
                .into());
            }
            _ => {
                return Err(format!(
                    "invalid dry-run value ({}). Must be \"none\", \"server\", or \"client\"",
                    quote(value)
                )
                .into());
            }
        };
        self.outcome.stderr.push_str(&format!("level=WARN msg={}\n", quote(&warn)));
        Ok(())
    }

    /// The release's name and the chart, as the arguments and flags give them.
    fn name_and_chart(&self) -> Result<(String, String), Failed> {
        let template = self.flags.last("name-template").filter(|text| !text.is_empty());
        match self.flags.arguments.as_slice() {
            [_, _, more @ ..] if !more.is_empty() => {
                Err(format!("expected at most two arguments, unexpected arguments: {}", more.join(", "))
                    .into())
            }
            [_, _] if self.flags.is_on("generate-name") => {
                Err("cannot set --generate-name and also specify a name".into())
            }
            [_, _] if template.is_some() => Err("cannot set --name-template and also specify a name".into()),
            [name, chart] => Ok((name.clone(), chart.clone())),
            [chart] => match template {
                Some(template) => Ok((values::name_from(template, self.profile, self.world)?, chart.clone())),
                // Helm gives the name before it looks at --generate-name, which so does nothing here.
                None => Ok(("release-name".to_owned(), chart.clone())),
            },
            _ => Err("no chart provided".into()),
        }
    }

    fn locate(&self, reference: &str) -> Result<Utf8PathBuf, Failed> {
        let reference = reference.trim();
        let path = Utf8Path::new(reference);
        if self.world.kind(path).is_some() {
            return Ok(path.to_owned());
        }
        if path.is_absolute() || reference.starts_with('.') {
            return Err(format!("path {} not found", quote(reference)).into());
        }
        let message = if reference.contains("://") {
            format!(
                "{} cannot be fetched: charts are read from folders and archives on disk",
                quote(reference)
            )
        } else if reference.contains('/') {
            let repository = reference.split('/').next().unwrap_or_default();
            format!("repo {repository} not found")
        } else {
            format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {reference}")
        };
        Err(Failed {
            message,
            details: format!(
                "there is no folder or file `{reference}` here; name a chart's folder or its .tgz (`helm pull` fetches one; builds take theirs from `stackc vendor`)\n"
            ),
        })
    }

    fn load(&mut self, path: &Utf8Path) -> Result<Chart, Failed> {
        load_path(&ChartDisk(self.world), path, self.profile, Some(&self.sources)).map_err(|error| {
            let hidden = matches!(
                error,
                ChartError::Archive(_)
                    | ChartError::ArchiveTooLarge
                    | ChartError::ArchivedFileTooLarge(_)
                    | ChartError::EmptyArchive
                    | ChartError::AbsolutePath
                    | ChartError::OutsideBase(_)
                    | ChartError::ParentDirectory
                    | ChartError::IllegalName
                    | ChartError::ChartYamlNotInBase
            );
            match error {
                ChartError::GzipHeader(words) => {
                    format!("file '{path}' does not appear to be a valid chart file (details: {words})")
                        .into()
                }
                // Helm 4 keeps the reason to itself.
                error if hidden && self.profile.detect_chart_version => Failed {
                    message: "unable to load chart archive".to_owned(),
                    details: format!("{path}: {error}\n"),
                },
                error => error.to_string().into(),
            }
        })
    }

    fn check_chart(&mut self, chart: &Chart) -> Result<(), Failed> {
        let metadata = &chart.metadata;
        for warning in &chart.warnings {
            self.outcome.stderr.push_str(&format!("{warning}\n"));
        }
        if !matches!(metadata.kind.as_str(), "" | "application") {
            return Err(format!("{} charts are not installable", metadata.kind).into());
        }
        if metadata.deprecated {
            self.outcome.stderr.push_str(if self.profile.structured_log {
                "level=WARN msg=\"this chart is deprecated\"\n"
            } else {
                "WARNING: This chart is deprecated\n"
            });
        }
        let missing = missing(chart);
        if !missing.is_empty() {
            let head = if self.profile.wrap_checks {
                "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies"
            } else {
                "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies"
            };
            let names = missing.join(", ");
            return Err(
                format!("{head}: found in Chart.yaml, but missing in charts/ directory: {names}").into()
            );
        }
        Ok(())
    }

    fn namespace(&self) -> String {
        let given = self.flags.last("namespace").map(str::to_owned);
        let given = given.or_else(|| self.world.variable("HELM_NAMESPACE"));
        given.filter(|namespace| !namespace.is_empty()).unwrap_or_else(|| "default".to_owned())
    }
}

/// The rule for names of releases (helm 4.2.4 `pkg/chart/v2/util/validate_name.go`).
fn check_name(name: &str, profile: &Profile, outcome: &mut Outcome) -> Result<(), Failed> {
    let part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    let words = if name.is_empty() {
        "no name provided"
    } else if name.len() > 53 || !name.split('.').all(part) {
        "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and \
         the length must not be longer than 53"
    } else {
        return Ok(());
    };
    let words = format!("release name {}: {words}", quote(name));
    if !profile.wrap_checks {
        return Err(words.into());
    }
    outcome
        .stderr
        .push_str(&format!("level=ERROR msg=\"release name check failed\" error={}\n", quote(&words)));
    Err(format!("release name check failed: {words}").into())
}

/// The command for the list of commands and for completions.
pub fn command() -> clap::Command {
    Args::augment_args(clap::Command::new("template"))
}
