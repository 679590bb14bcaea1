//! Phase 3, Resolution -> Program: expressions evaluated, checks run.
