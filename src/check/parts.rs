//! A [`Program`] taken apart by the next phase.

use super::Program;
use crate::model::{Binding, Deliver, EncryptedFile, Environment, External, Instance, Patch};

/// What a [`Program`] holds.
#[derive(Clone, Debug)]
pub struct ProgramParts {
    /// What is said of the environment as a whole.
    pub environment: Environment,
    /// How it is delivered.
    pub deliver: Deliver,
    /// Its instances, in the order of the overlay.
    pub instances: Vec<Instance>,
    /// Who provides what to whom.
    pub bindings: Vec<Binding>,
    /// What exists outside the tree.
    pub externals: Vec<External>,
    /// The patches, in the order of their application.
    pub patches: Vec<Patch>,
    /// The encrypted files.
    pub encrypted: Vec<EncryptedFile>,
}

impl Program {
    /// Everything in it, by value.
    pub fn into_parts(self) -> ProgramParts {
        ProgramParts {
            environment: self.environment,
            deliver: self.deliver,
            instances: self.instances,
            bindings: self.bindings,
            externals: self.externals,
            patches: self.patches,
            encrypted: self.encrypted,
        }
    }

    /// A program made by hand, for the tests of later phases.
    #[cfg(test)]
    pub(crate) fn of(parts: ProgramParts) -> Self {
        Self {
            environment: parts.environment,
            deliver: parts.deliver,
            instances: parts.instances,
            bindings: parts.bindings,
            externals: parts.externals,
            patches: parts.patches,
            encrypted: parts.encrypted,
            late: super::Late::default(),
        }
    }
}
