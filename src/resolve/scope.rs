//! What names mean in the expressions of one instance, by stage.

use super::{Bound, Resolution};
use crate::expr::{Found, Lazy, Scope};
use crate::value::Node;
use std::cell::OnceCell;
use std::sync::Arc;

/// How far the evaluation has come; what belongs to a later stage cannot be read.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Before the namespace is known, and conditions of offers and requirements: `inputs instance overlay`.
    Conditions,
    /// Exports, charts and the paths of manifests: `requires provides yielded` too.
    Exports,
    /// Everything else in a stack: `charts` too.
    Parts,
    /// Checks of objects: `objects` and `mine` too.
    Objects,
    /// Files: `units` too.
    Files,
}

/// Names that only exist in late stages.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) charts: Option<Node>,
    /// The same for all instances, as are `units`.
    pub(crate) objects: Option<Arc<Node>>,
    pub(crate) mine: Option<Node>,
    pub(crate) units: Option<Arc<Node>>,
}

/// The names of one instance.
pub(crate) struct InstanceScope<'r> {
    resolution: &'r Resolution,
    index: usize,
    stage: Stage,
    extras: Option<&'r Extras>,
    requires: Requires<'r>,
}

impl<'r> InstanceScope<'r> {
    /// The scope of the instance `index`.
    pub(crate) fn new(
        resolution: &'r Resolution,
        index: usize,
        stage: Stage,
        extras: Option<&'r Extras>,
    ) -> Self {
        let requires = Requires { resolution, index, members: OnceCell::new() };
        Self { resolution, index, stage, extras, requires }
    }

    fn ahead(&self) -> Found<'_> {
        let now = match self.stage {
            Stage::Conditions => "here only `inputs`, `instance` and `overlay` can be read",
            Stage::Exports => {
                "here only `inputs`, `instance`, `overlay`, `requires`, `provides` and `yielded` can be read"
            }
            Stage::Parts => {
                "`units` can be read in `files` only, `objects` and `mine` in checks with `phase: objects` only"
            }
            Stage::Objects => "`units` can be read in `files` only",
            Stage::Files => "`objects` and `mine` can be read in checks with `phase: objects` only",
        };
        Found::Ahead(now.to_owned())
    }
}

impl Scope for InstanceScope<'_> {
    fn variable(&self, name: &str) -> Found<'_> {
        let instance = &self.resolution.instances[self.index];
        let late = |node: fn(&Extras) -> Option<&Node>| match self.extras.and_then(node) {
            Some(node) => Found::Node(node),
            None => self.ahead(),
        };
        let bound = self.stage >= Stage::Exports;
        match name {
            "inputs" => Found::Node(&instance.inputs),
            "instance" => Found::Node(&instance.scope),
            "overlay" => Found::Node(&self.resolution.overlay),
            "requires" if bound => Found::Lazy(&self.requires),
            "provides" if bound => Found::Node(&instance.provides),
            "yielded" if bound => Found::Node(&instance.yielded),
            "requires" | "provides" | "yielded" => self.ahead(),
            "charts" => late(|extras| extras.charts.as_ref()),
            "objects" => late(|extras| extras.objects.as_deref()),
            "mine" => late(|extras| extras.mine.as_ref()),
            "units" => late(|extras| extras.units.as_deref()),
            _ => Found::Absent,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        crate::load::stack::ROOTS.iter().map(|name| Arc::from(*name)).collect()
    }
}

/// Names with what is computed when it is read.
type Members<'r> = Vec<(Arc<str>, Box<dyn Lazy + 'r>)>;

/// `requires`.
struct Requires<'r> {
    resolution: &'r Resolution,
    index: usize,
    members: OnceCell<Members<'r>>,
}

impl<'r> Requires<'r> {
    fn members(&self) -> &Members<'r> {
        self.members.get_or_init(|| {
            let resolution = self.resolution;
            let bound = &resolution.instances[self.index].requires;
            bound
                .iter()
                .map(|(capability, bound)| {
                    let member: Box<dyn Lazy + 'r> = match bound {
                        Bound::One(offer) => Box::new(Provider { resolution, offer: *offer }),
                        Bound::Many(offers) => Box::new(Providers {
                            members: offers
                                .iter()
                                .map(|(key, offer)| (Arc::clone(key), Provider { resolution, offer: *offer }))
                                .collect(),
                        }),
                    };
                    (Arc::clone(capability), member)
                })
                .collect()
        })
    }
}

impl Lazy for Requires<'_> {
    fn member(&self, key: &str) -> Found<'_> {
        match self.members().iter().find(|(capability, _)| capability.as_ref() == key) {
            Some((_, member)) => Found::Lazy(member.as_ref()),
            None => Found::Absent,
        }
    }

    fn keys(&self) -> Vec<Arc<str>> {
        self.members().iter().map(|(capability, _)| Arc::clone(capability)).collect()
    }

    fn absent(&self, key: &str) -> Option<String> {
        let stack = &self.resolution.instances[self.index].stack;
        if stack.requires.iter().any(|requirement| requirement.capability.as_ref() == key) {
            Some(format!("nothing is bound to `{key}` here: guard it with `has(requires.{key})`"))
        } else {
            Some(format!("the stack `{}` does not require `{key}`: add it to `requires`", stack.name))
        }
    }
}

/// What one provider exports.
pub(crate) struct Provider<'r> {
    pub(super) resolution: &'r Resolution,
    pub(super) offer: usize,
}

impl Lazy for Provider<'_> {
    fn member(&self, key: &str) -> Found<'_> {
        self.resolution.export(self.offer, key)
    }

    fn keys(&self) -> Vec<Arc<str>> {
        self.resolution.export_names(self.offer)
    }

    fn absent(&self, key: &str) -> Option<String> {
        let offer = &self.resolution.offers[self.offer];
        let instance = &self.resolution.instances[offer.instance].name;
        Some(format!("`{instance}` does not export `{key}` with its `{}`", offer.capability))
    }
}

/// Providers by the key of a `forEach`.
struct Providers<'r> {
    members: Vec<(Arc<str>, Provider<'r>)>,
}

impl Lazy for Providers<'_> {
    fn member(&self, key: &str) -> Found<'_> {
        match self.members.iter().find(|(known, _)| known.as_ref() == key) {
            Some((_, provider)) => Found::Lazy(provider),
            None => Found::Absent,
        }
    }

    fn keys(&self) -> Vec<Arc<str>> {
        self.members.iter().map(|(key, _)| Arc::clone(key)).collect()
    }
}
