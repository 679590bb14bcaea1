//! The phase calls, one screen.

use crate::check;
use crate::diag::{Diagnostic, Reported, Sink, codes};
use crate::emit::Tree;
use crate::load::{EnvironmentDocuments, Project, Selection};
use crate::model::ChartDelivery;
use crate::order::Sequence;
use crate::render::Rendering;
use crate::resolve::Resolution;
use crate::source::Sources;
use crate::value::Node;
use crate::world::World;
use crate::{emit, link, load, order, render, resolve, validate};
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What to compile, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which environments.
    pub selection: Selection,
    /// Overrides how charts are delivered.
    pub charts: Option<ChartDelivery>,
}

/// One environment, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// Its name.
    pub name: Arc<str>,
    /// Its units in order.
    pub sequence: Arc<Sequence>,
    /// Its files.
    pub tree: Tree,
}

/// A project and its environments, compiled.
#[derive(Debug)]
pub struct Build {
    /// The project.
    pub project: Arc<Project>,
    /// The environments, by name.
    pub environments: Vec<Compiled>,
}

/// From the files of a project to the trees of its environments. One error anywhere, and there is no tree at all.
pub fn compile(
    world: &dyn World,
    sources: &Sources,
    wish: &Wish,
    sink: &mut Sink,
) -> Result<Build, Reported> {
    let project = Arc::new(load::load(world, sources, &wish.selection, sink)?);
    let environments =
        each(&project, sink, |documents, sink| environment(world, sources, &project, documents, wish, sink))?;
    Ok(Build { project, environments })
}

/// Runs `work` for every environment at once; findings come in the order of the environments.
fn each<T: Send>(
    project: &Project,
    sink: &mut Sink,
    work: impl Fn(&Arc<EnvironmentDocuments>, &mut Sink) -> Result<T, Reported> + Sync,
) -> Result<Vec<T>, Reported> {
    let done: Vec<(Sink, Option<T>)> = project
        .environments()
        .par_iter()
        .map(|documents| {
            let mut own = Sink::new();
            // A fault of ours in one environment is told like any other and does not take the findings of the rest along.
            let result = catch_unwind(AssertUnwindSafe(|| work(documents, &mut own)));
            let value = result.unwrap_or_else(|_panic| {
                let fact = format!("compiling `{}` ran into a fault of stackc itself", documents.name);
                Err(own.report(
                    Diagnostic::error(codes::INTERNAL, fact)
                        .help("please report it with the overlay that led to it"),
                ))
            });
            (own, value.ok())
        })
        .collect();
    let mut values = Vec::with_capacity(done.len());
    for (own, value) in done {
        sink.merge(own);
        values.extend(value);
    }
    sink.finish(values)
}

fn environment(
    world: &dyn World,
    sources: &Sources,
    project: &Arc<Project>,
    documents: &Arc<EnvironmentDocuments>,
    wish: &Wish,
    sink: &mut Sink,
) -> Result<Compiled, Reported> {
    let mut resolution = resolve::resolve(world, sources, project, documents, sink)?;
    if let Some(how) = wish.charts {
        resolution.deliver_charts(how);
    }
    let program = check::check(resolution, sink)?;
    let late = program.late();
    let rendering = render::render(program, sink)?;
    let linked = link::link(rendering, sink)?;
    let manifests = validate::validate(linked, sink)?;
    check::objects(&late, &by_instance(manifests.linked().rendering()), sink)?;
    let sequence = order::order(manifests, sink)?;
    let files = check::files(&late, &sequence.unit_objects(), sink)?;
    let tree = emit::emit(&sequence, &files, sink)?;
    Ok(Compiled { name: Arc::clone(&documents.name), sequence: Arc::new(sequence), tree })
}

/// Every object with the name of its instance, as checks of objects see them.
fn by_instance(rendering: &Rendering) -> Vec<(Arc<str>, &Node)> {
    let owner = |part: Option<usize>| {
        part.map_or_else(|| Arc::from(""), |part| Arc::clone(&rendering.parts()[part].name))
    };
    rendering.objects().iter().map(|placed| (owner(placed.part), &placed.object.node)).collect()
}

/// One environment of a project, resolved and no further: what `explain` looks into.
pub fn resolved(
    world: &dyn World,
    sources: &Sources,
    selection: &Selection,
    sink: &mut Sink,
) -> Result<Vec<Resolution>, Reported> {
    let project = Arc::new(load::load(world, sources, selection, sink)?);
    each(&project, sink, |documents, sink| resolve::resolve(world, sources, &project, documents, sink))
}
