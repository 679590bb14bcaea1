//! Phase 8, Sequence -> Tree: path -> bytes for Flux, kluctl and k3s.
