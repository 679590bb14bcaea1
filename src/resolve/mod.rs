//! Phase 2, Project -> Resolution: overlays merged, inputs typed, capabilities bound.
