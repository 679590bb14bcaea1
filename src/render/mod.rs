//! Phase 4, Program -> Rendering: objects with provenance.
