//! `Project -> Resolution`: overlays merged with origins, inputs typed and defaulted, capabilities bound.
//!
//! Stages 1 to 5 of the language: merge, type, conditions of offers and requirements, binding, and exports that are
//! evaluated field by field when somebody reads them. Refused are unknown stacks and inputs, requirements that
//! nobody meets, and two providers of what a cluster has once.

mod bind;
mod builtin;
mod environment;
mod evaluate;
mod explain;
mod exports;
mod instance;
mod manifests;
pub(crate) mod merge;
pub(crate) mod overlay;
mod scope;

pub(crate) use evaluate::{rounds, text, value};
pub use explain::{Explanation, Link, LinkKind, explain};
pub(crate) use instance::ReleaseOverride;
pub(crate) use manifests::LoadedManifest;
pub(crate) use scope::{Extras, InstanceScope, Provider, Stage};

use crate::diag::{Diagnostic, Reported, Sink};
use crate::expr::Bindings;
use crate::load::{EnvironmentDocuments, Project};
use crate::model::{Binding, Deliver, Environment, External, Patch};
use crate::source::{Sources, Span};
use crate::value::Node;
use crate::world::World;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// An environment whose inputs are typed and whose capabilities are bound.
#[derive(Debug)]
pub struct Resolution {
    pub(crate) project: Arc<Project>,
    pub(crate) documents: Arc<EnvironmentDocuments>,
    pub(crate) environment: Environment,
    pub(crate) deliver: Deliver,
    pub(crate) externals: Vec<External>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) instances: Vec<ResolvedInstance>,
    pub(crate) offers: Vec<ActiveOffer>,
    pub(crate) bindings: Vec<Binding>,
    /// What `overlay` means in expressions.
    pub(crate) overlay: Node,
    /// Exports that are being evaluated, to see a loop.
    evaluating: Mutex<Vec<(usize, Arc<str>)>>,
    /// What lazily evaluated exports found.
    findings: Mutex<Vec<Diagnostic>>,
}

/// An instance with its inputs.
#[derive(Debug)]
pub(crate) struct ResolvedInstance {
    pub(crate) name: Arc<str>,
    /// Its key in the overlay.
    pub(crate) span: Span,
    pub(crate) stack: Arc<crate::load::Stack>,
    /// What the overlays write, merged.
    pub(crate) written: Node,
    /// What `inputs` means: typed, with defaults, and `namespace version values` where they are known.
    pub(crate) inputs: Node,
    /// What `instance` means.
    pub(crate) scope: Node,
    pub(crate) namespace: Option<Node>,
    pub(crate) namespace_labels: Option<Node>,
    /// `version` and `values` by release; the empty name stands for the only one.
    pub(crate) releases: IndexMap<Arc<str>, ReleaseOverride>,
    pub(crate) after: Vec<(Arc<str>, Span)>,
    pub(crate) delivery: Option<crate::model::ChartDelivery>,
    pub(crate) helm: Arc<str>,
    /// What `provides` means.
    pub(crate) provides: Node,
    /// What `yielded` means.
    pub(crate) yielded: Node,
    /// What `requires` means.
    pub(crate) requires: BTreeMap<Arc<str>, Bound>,
    pub(crate) manifests: Vec<LoadedManifest>,
}

/// Who meets a requirement.
#[derive(Debug)]
pub(crate) enum Bound {
    /// One offer, by its index.
    One(usize),
    /// Offers by the key of the `forEach`.
    Many(IndexMap<Arc<str>, usize>),
}

/// An export that was evaluated: a value, omitted, or why there is none.
type Exported = Result<Option<Node>, Box<Diagnostic>>;

/// An offer whose condition holds.
#[derive(Debug)]
pub(crate) struct ActiveOffer {
    /// The instance, by its index.
    pub(crate) instance: usize,
    /// The offer in its stack, by its index.
    pub(crate) offer: usize,
    pub(crate) capability: Arc<str>,
    pub(crate) variables: Bindings,
    /// The value of the export that tells providers apart.
    pub(crate) key: Option<Node>,
    /// What keeps an offer that yields from doing so.
    pub(crate) fixed: Option<Span>,
    /// Whether it stepped back for the offer with this index.
    pub(crate) displaced: Option<usize>,
    /// The exports, evaluated when they are read.
    exports: BTreeMap<Arc<str>, OnceLock<Exported>>,
}

impl ActiveOffer {
    /// Whether it steps back for others.
    pub(crate) fn yields(&self, instances: &[ResolvedInstance]) -> bool {
        self.fixed.is_none() && self.declared(instances).yields
    }

    /// The offer as the stack declares it.
    pub(crate) fn declared<'r>(&self, instances: &'r [ResolvedInstance]) -> &'r crate::load::Offer {
        &instances[self.instance].stack.provides[self.offer]
    }
}

impl Resolution {
    /// The project that it was resolved from.
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// What is said of the environment as a whole.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The names of the instances, in the order of the overlay, each with its stack's.
    pub fn instances(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.instances.iter().map(|instance| (&instance.name, &instance.stack.name))
    }

    /// Whether a place lies in an overlay of this environment.
    pub(crate) fn in_overlay(&self, span: Span) -> bool {
        let documents = &self.documents;
        let mut overlays = documents.bases.documents.iter().chain(std::iter::once(&documents.overlay));
        overlays.any(|document| document.span.file == span.file)
    }

    /// A finding with the instance that it happened in. Where it points at an overlay, the place says that already;
    /// one that has a trace comes from another instance, whose export this one reads.
    pub(crate) fn while_in(&self, finding: Diagnostic, instance: &str) -> Diagnostic {
        let told = finding.primary.as_ref().is_some_and(|label| self.in_overlay(label.span));
        if told || !finding.trace.is_empty() {
            finding
        } else {
            finding.trace(format!("while evaluating the instance `{instance}`"))
        }
    }

    /// What an offer exports.
    pub(crate) fn provider(&self, offer: usize) -> Provider<'_> {
        Provider { resolution: self, offer }
    }

    /// Takes what lazily evaluated exports found so far.
    pub(crate) fn drain_findings(&self, sink: &mut Sink) {
        let found = std::mem::take(&mut *self.findings.lock().unwrap_or_else(PoisonError::into_inner));
        for finding in found {
            let _told = sink.report(finding);
        }
    }
}

/// Resolves one environment of a project.
///
/// The world is asked for plain manifests only.
pub fn resolve(
    world: &dyn World,
    sources: &Sources,
    project: &Arc<Project>,
    documents: &Arc<EnvironmentDocuments>,
    sink: &mut Sink,
) -> Result<Resolution, Reported> {
    let mut own = Sink::new();
    let resolution = environment::resolve(world, sources, project, documents, &mut own);
    let failed = own.failed();
    for mut finding in own.into_found() {
        finding.environment = Some(documents.name.to_string());
        let _told = sink.report(finding);
    }
    debug_assert_eq!(failed, resolution.is_err(), "a failure is told, and what is told is a failure");
    resolution
}
