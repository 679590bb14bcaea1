//! Phase 10, `ChangeSet` -> Receipt: the only writer.
