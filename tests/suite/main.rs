//! The one integration binary.
#![allow(clippy::disallowed_methods, reason = "tests read their own fixtures")]
#![allow(clippy::panic, clippy::print_stderr, reason = "tests fail so, and say what they skip")]

mod apiserver;
mod cases;
mod cel;
mod cli;
mod determinism;
mod guide;
mod helm_cases;
mod helm_conformance;
mod helm_properties;
mod incremental;
mod overlays;
mod packages;
mod readers;
mod rendered;
mod rendered_as_helm;
mod renovate;
mod rules;
mod rules_compile;
mod schemas;
mod stack_docs;
mod tidy;
mod trees;
mod vendor;
mod why;
mod yaml;

/// A cache for the programs that tests start, away from the user's own.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");
