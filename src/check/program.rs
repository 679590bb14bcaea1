//! The hand-off of this phase: an environment whose every expression has been evaluated.

use crate::model::{
    Binding, ChartDelivery, Deliver, EncryptedFile, Environment, External, Instance, Patch, Release,
};
use crate::resolve::{Extras, Resolution};
use crate::value::Node;
use std::sync::Arc;

/// An environment, evaluated. Only this phase makes one.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) environment: Environment,
    pub(super) deliver: Deliver,
    pub(super) instances: Vec<Instance>,
    pub(super) bindings: Vec<Binding>,
    pub(super) externals: Vec<External>,
    pub(super) patches: Vec<Patch>,
    pub(super) encrypted: Vec<EncryptedFile>,
    pub(super) late: Late,
}

/// What [`objects`](super::objects) and [`files`](super::files) need of the stacks, once the later phases have
/// taken the program apart. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Late {
    /// `None` for a program that was made by hand.
    pub(super) stacks: Option<Arc<Stacks>>,
    /// By instance: whether all its charts are rendered.
    pub(super) whole: Vec<bool>,
}

#[derive(Debug)]
pub(super) struct Stacks {
    pub(super) resolution: Arc<Resolution>,
    /// By instance.
    pub(super) extras: Vec<Extras>,
}

/// The objects of one unit, for `files`, which may read them.
#[derive(Clone, Debug)]
pub struct UnitObjects {
    /// The unit's name.
    pub name: Arc<str>,
    /// How many levels of units come before it.
    pub level: usize,
    /// Its objects, as they are delivered by k3s.
    pub objects: Vec<Arc<Node>>,
}

impl Program {
    /// What is said of the environment as a whole.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// How it is delivered.
    pub fn deliver(&self) -> &Deliver {
        &self.deliver
    }

    /// Its instances, in the order of the overlay.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Who provides what to whom.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What exists outside the tree.
    pub fn externals(&self) -> &[External] {
        &self.externals
    }

    /// The patches: bases first, then in the order of their keys.
    pub fn patches(&self) -> &[Patch] {
        &self.patches
    }

    /// What checks of objects and files of hosts need, for when the program has been taken apart.
    pub fn late(&self) -> Late {
        let rendered = |release: &Release| release.delivery == ChartDelivery::Rendered;
        let whole = self.instances.iter().map(|instance| instance.releases.iter().all(rendered)).collect();
        Late { whole, ..self.late.clone() }
    }

    /// Overrides how every chart is delivered, whatever the overlay says.
    pub fn deliver_charts(&mut self, how: ChartDelivery) {
        self.deliver.charts = how;
        for instance in &mut self.instances {
            instance.delivery = how;
            for release in &mut instance.releases {
                release.delivery = how;
            }
        }
    }

    /// Whether a chart is rendered here.
    pub fn renders_charts(&self) -> bool {
        let mut releases = self.instances.iter().flat_map(|instance| &instance.releases);
        releases.any(|release| release.delivery == ChartDelivery::Rendered)
    }

    /// The encrypted files.
    pub fn encrypted(&self) -> &[EncryptedFile] {
        &self.encrypted
    }
}
