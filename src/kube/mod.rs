//! What a Kubernetes API server takes and refuses, offline.
//!
//! A [`Server`] knows one release of Kubernetes and the custom resource definitions of one cluster; [`Server::review`]
//! says what it would answer when an object is created. The order is the server's: what cannot be decoded hides
//! everything else; then the rules of metadata and of the kind speak together.
//!
//! Invariant: what a server takes is never refused. Where an answer depends on something that is not known offline
//! (ranges of addresses, other objects, admission plugins), there is none.

mod builtin;
mod cause;
mod custom;
mod decode;
mod field;
pub(crate) mod formats;
mod meta;

pub use cause::{Cause, CauseKind, Causes, Layer};
pub use custom::compile::rules_of;
pub use custom::{Definitions, Library};
pub use field::Field;

use crate::schema::kinds::{self, Minor};
use crate::value::Node;

/// An API server of one release, with the definitions that its cluster has.
#[derive(Debug)]
pub struct Server {
    release: Minor,
    definitions: Definitions,
}

/// Whether a kind is known.
#[derive(Debug)]
pub enum Review {
    /// It is, and this is what is wrong with the object; nothing, where it is taken.
    Known(Vec<Cause>),
    /// Neither a built-in kind of the release nor one that a definition brings; what is wrong by the rules of all kinds.
    Unknown(Vec<Cause>),
}

impl Server {
    /// A server of `release` in whose cluster `definitions` are established.
    pub fn new(release: Minor, definitions: Definitions) -> Self {
        Self { release, definitions }
    }

    /// What it would answer when `object` is created.
    pub fn review(&self, object: &Node) -> Review {
        let text = |key: &str| object.get(key).and_then(Node::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let mut causes = Causes::default();
        let built_in = kinds::builtin(group, kind)
            .is_some_and(|known| known.versions(self.release).any(|served| served == version));
        if built_in {
            match decode::decode(object, (group, version, kind), self.release) {
                Err(refused) => causes = refused,
                Ok(decoded) => {
                    let object = Field::root(&decoded);
                    meta::check_builtin(object, (group, version, kind), self.release, &mut causes);
                    builtin::check(object, (group, version, kind), self.release, &mut causes);
                }
            }
            return Review::Known(causes.into_vec());
        }
        let definition = self.definitions.find(group, version, kind);
        if let Some(definition) = definition {
            definition.review(object, self.release, &mut causes);
            return Review::Known(causes.into_vec());
        }
        match decode::metadata(object, self.release) {
            Err(refused) => causes = refused,
            Ok(()) => meta::check(Field::root(object), (group, version, kind), &mut causes),
        }
        Review::Unknown(causes.into_vec())
    }
}
