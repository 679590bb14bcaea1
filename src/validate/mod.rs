//! Phase 6, Linked -> Manifests: identities unique, objects valid.
