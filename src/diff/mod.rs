//! Phase 9, Tree and base -> `ChangeSet`.
