//! Phase 7, Manifests -> Sequence: units and their DAG.
