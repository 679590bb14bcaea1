//! Phase 5, Rendering -> Linked: references resolved.
