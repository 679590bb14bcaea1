//! The phase calls, one screen.

use crate::check::{self, Program};
use crate::diag::{Diagnostic, Reported, Shared, Sink, codes};
use crate::emit::Tree;
use crate::kube::Library;
use crate::load::{EnvironmentDocuments, Project, Selection};
use crate::model::{ChartDelivery, HostFile};
use crate::order::Sequence;
use crate::package::memo::{Memo, Recall, Releases};
use crate::package::supply::{self, Access, Supplied};
use crate::render::Rendering;
use crate::resolve::Resolution;
use crate::source::Sources;
use crate::value::Node;
use crate::world::World;
use crate::world::traced::{Trace, Traced};
use crate::{emit, link, load, order, render, resolve, validate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// What to compile, and how.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Which environments.
    pub selection: Selection,
    /// Overrides how charts are delivered.
    pub charts: Option<ChartDelivery>,
    /// How packages may be had.
    pub access: Access,
    /// Whether what was rendered before may be taken again.
    pub memory: Memory,
}

/// Whether what was rendered before may be taken again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Memory {
    /// No: every field has its exact origin, whether somebody asks for it or not.
    #[default]
    Nothing,
    /// Yes, where nothing is found: a finding is placed by rendering again.
    Releases,
}

/// One environment, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// Its name.
    pub name: Arc<str>,
    /// Its units in order.
    pub sequence: Arc<Sequence>,
    /// What is no Kubernetes object: configurations of k3s and of machines.
    pub hosts: Vec<HostFile>,
    /// Its files.
    pub tree: Tree,
}

/// How large an environment is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Objects.
    pub objects: usize,
    /// Units.
    pub units: usize,
    /// Files.
    pub files: usize,
}

impl Compiled {
    /// How large it is.
    pub fn size(&self) -> Size {
        Size {
            objects: self.sequence.objects().len(),
            units: self.sequence.units().len(),
            files: self.tree.files().len(),
        }
    }
}

/// A project and what was kept of its environments.
#[derive(Debug)]
pub struct Build<T = Compiled> {
    /// The project.
    pub project: Arc<Project>,
    /// The environments, by name.
    pub environments: Vec<T>,
    /// What was read of the project, and what came out of memory.
    pub journey: Journey,
}

/// How a build came to its result.
#[derive(Debug, Default)]
pub struct Journey {
    /// Every question that was asked of the project, with the answers; `None` where more was asked than can be asked again,
    /// or nothing is to be remembered.
    pub trace: Option<Trace>,
    /// The entries of memory that were of use.
    pub memories: BTreeSet<String>,
    /// How many releases were rendered, and how many were not.
    pub releases: Releases,
}

/// From the files of a project to the trees of its environments. One error anywhere, and there is no tree at all.
pub fn compile(
    world: &dyn World,
    sources: &Sources,
    wish: &Wish,
    sink: &mut Sink,
) -> Result<Build, Reported> {
    compile_and_keep(world, sources, wish, sink, std::convert::identity)
}

/// As [`compile`], with what `keep` makes of each environment. The rest of it goes as soon as it is compiled: a
/// thousand of them with every origin of every value are much larger than their files.
pub fn compile_and_keep<T: Send>(
    world: &dyn World,
    sources: &Sources,
    wish: &Wish,
    sink: &mut Sink,
    keep: impl Fn(Compiled) -> T + Sync,
) -> Result<Build<T>, Reported> {
    let remembers = wish.memory == Memory::Releases;
    let traced = remembers.then(|| Traced::new(world));
    let files: &dyn World = traced.as_ref().map_or(world, |traced| traced);
    let project = Arc::new(load::load(files, sources, &wish.selection, sink)?);
    let plans = plans(files, sources, &project, wish, sink);
    let wants: Vec<_> = plans.iter().flat_map(Plan::wants).collect();
    let supplied = supply::supply(files, world, sources, &wants, &access(&project, wish), sink);
    let memo = remembers.then(|| Memo::open(world)).flatten();
    let common = Common { supplied: &supplied, library: &Library::default() };
    let environments = each(plans.into_par_iter(), sink, |plan, sink| {
        from_memory(plan, &common, memo.as_ref(), sink).map(&keep)
    });
    let journey = Journey {
        trace: traced.and_then(Traced::trace),
        memories: memo.as_ref().map(Memo::used).unwrap_or_default(),
        releases: memo.as_ref().map(Memo::releases).unwrap_or_default(),
    };
    sink.finish(Build { project, environments, journey })
}

fn plans(
    world: &dyn World,
    sources: &Sources,
    project: &Arc<Project>,
    wish: &Wish,
    sink: &mut Sink,
) -> Vec<Plan> {
    each(project.environments().par_iter(), sink, |documents, sink| {
        resolve::resolve(world, sources, project, documents, sink)
            .and_then(|resolution| check::check(resolution, sink))
            .map(|program| Plan::new(program, wish.charts))
    })
}

/// The mirror is the wish's own, or the project's.
fn access(project: &Project, wish: &Wish) -> Access {
    let mirror = wish.access.mirror.clone().or_else(|| project.file().mirror.clone());
    Access { mirror, ..wish.access.clone() }
}

/// One thing that is worked on for itself, with a name for messages.
trait Named {
    fn name(&self) -> &Arc<str>;
}

impl Named for &Arc<EnvironmentDocuments> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
}

impl Named for Plan {
    fn name(&self) -> &Arc<str> {
        &self.program.environment().name
    }
}

/// A program, and what it was before its delivery was overridden where files of hosts are made of that.
#[derive(Clone)]
struct Plan {
    program: Program,
    as_written: Option<Program>,
}

impl Plan {
    fn new(mut program: Program, charts: Option<ChartDelivery>) -> Self {
        let mut as_written = None;
        if let Some(how) = charts {
            as_written = program.late().reads_units().then(|| program.clone());
            program.deliver_charts(how);
        }
        Self { program, as_written }
    }

    fn wants(&self) -> Vec<supply::Want> {
        self.as_written.iter().chain([&self.program]).flat_map(Program::wants).collect()
    }
}

/// Runs `work` for every environment at once; findings come in the order of the environments. What failed is left out,
/// and told.
fn each<T: Send, I: Named + Send>(
    items: impl IndexedParallelIterator<Item = I>,
    sink: &mut Sink,
    work: impl Fn(I, &mut Sink) -> Result<T, Reported> + Sync,
) -> Vec<T> {
    let done: Vec<(Arc<str>, Sink, Option<T>)> = items
        .map(|item| {
            let (mut own, name) = (Sink::new(), Arc::clone(item.name()));
            // A fault of ours in one environment is told like any other and does not take the findings of the rest along.
            let result = catch_unwind(AssertUnwindSafe(|| work(item, &mut own)));
            let value = result.unwrap_or_else(|_panic| {
                let fact = format!("compiling `{name}` ran into a fault of stackc itself");
                Err(own.report(
                    Diagnostic::error(codes::INTERNAL, fact)
                        .help("please report it with the overlay that led to it"),
                ))
            });
            (name, own, value.ok())
        })
        .collect();
    let mut values = Vec::with_capacity(done.len());
    let mut shared = Shared::default();
    for (name, own, value) in done {
        shared.add(&name, own);
        values.extend(value);
    }
    for finding in shared.found() {
        sink.report(finding);
    }
    values
}

/// What all environments have in common.
struct Common<'a> {
    supplied: &'a Supplied<'a>,
    /// Definitions, so that those that several clusters have are read once.
    library: &'a Library,
}

/// Compiles an environment with what is remembered of its releases. What comes from memory has no origins, so where
/// anything is found the environment is compiled anew, to tell where.
fn from_memory(
    plan: Plan,
    common: &Common<'_>,
    memo: Option<&Memo<'_>>,
    sink: &mut Sink,
) -> Result<Compiled, Reported> {
    let Some(memo) = memo.filter(|_| plan.program.renders_charts()) else {
        return environment(plan, common, Recall::nothing(), sink);
    };
    let (again, hits, mut own) = (plan.clone(), AtomicUsize::new(0), Sink::new());
    let done = environment(plan, common, Recall::of(memo, &hits), &mut own);
    if own.found().is_empty() || hits.into_inner() == 0 {
        sink.merge(own);
        return done;
    }
    environment(again, common, Recall::nothing(), sink)
}

fn environment(
    plan: Plan,
    common: &Common<'_>,
    recall: Recall<'_>,
    sink: &mut Sink,
) -> Result<Compiled, Reported> {
    let (name, late) = (Arc::clone(plan.name()), plan.program.late());
    let sequence = sequence(plan.program, common, recall, sink)?;
    let units = match plan.as_written {
        Some(program) => Some(self::sequence(program, common, recall, sink)?.unit_objects()),
        None => late.reads_units().then(|| sequence.unit_objects()),
    };
    let files = check::files(&late, units.as_deref(), sink)?;
    validate::hosts(&files, sink);
    let tree = emit::emit(&sequence, &files, sink)?;
    Ok(Compiled { name, sequence: Arc::new(sequence), hosts: files, tree })
}

fn sequence(
    program: Program,
    common: &Common<'_>,
    recall: Recall<'_>,
    sink: &mut Sink,
) -> Result<Sequence, Reported> {
    let late = program.late();
    let rendering = render::render(program, common.supplied, recall, sink)?;
    let linked = link::link(rendering, sink)?;
    let manifests = validate::validate(linked, common.library, sink)?;
    check::objects(&late, &by_instance(manifests.linked().rendering()), sink)?;
    order::order(manifests, sink)
}

/// Every object with the name of its instance, as checks of objects see them.
fn by_instance(rendering: &Rendering) -> Vec<(Arc<str>, &Node)> {
    let owner = |part: Option<usize>| {
        part.map_or_else(|| Arc::from(""), |part| Arc::clone(&rendering.parts()[part].instance.name))
    };
    rendering.objects().iter().map(|placed| (owner(placed.part), &placed.object.node)).collect()
}

/// The packages that environments want, needed for a build or not.
pub fn wanted(
    world: &dyn World,
    sources: &Sources,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<(Arc<Project>, Vec<supply::Want>), Reported> {
    let project = Arc::new(load::load(world, sources, selection, sink)?);
    let programs = each(project.environments().par_iter(), sink, |documents, sink| {
        resolve::resolve(world, sources, &project, documents, sink)
            .and_then(|resolution| check::check(resolution, sink))
    });
    let wants = programs.iter().flat_map(Program::wants).collect();
    sink.finish((project, wants))
}

/// One environment of a project, resolved and no further: what `explain` looks into.
pub fn resolved(
    world: &dyn World,
    sources: &Sources,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<Vec<Resolution>, Reported> {
    let project = Arc::new(load::load(world, sources, selection, sink)?);
    let found = each(project.environments().par_iter(), sink, |documents, sink| {
        resolve::resolve(world, sources, &project, documents, sink)
    });
    sink.finish(found)
}
