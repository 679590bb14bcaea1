//! Names and shapes of the domain: objects, releases, environments, what stacks need and give.
//!
//! These are the nouns that phases hand to each other. They hold data and no behaviour beyond naming and
//! comparing; every string that crosses a module has a type of its own where mixing two up would matter.

mod object;
mod program;

pub use object::{Gvk, Object, ObjectId, ObjectSource, StackOwner, Stage, flatten};
pub use program::{
    Binding, ChartDelivery, ChartRef, ChartSource, ChartSourceKind, CreatedObject, DeclaredBy, DeclaredCrd,
    DeclaredWebhook, Declares, Deliver, EncryptedFile, Environment, External, FluxDelivery, HostFile,
    HostFormat, HostSchema, Instance, KluctlDelivery, ManifestReference, Output, Patch, PatchBody,
    Prerequisite, Release, RequiredSecret, SecretKey, Verification,
};
