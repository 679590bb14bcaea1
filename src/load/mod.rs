//! Phase 1, root -> Project: documents with spans, names as written.
