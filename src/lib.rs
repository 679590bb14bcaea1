//! `stackc`: a GitOps manifest compiler.
//!
//! A build walks one pipeline, each phase taking the value of the one before it:
//!
//! ```text
//! load -> resolve -> check -> supply -> render -> link -> validate -> order -> emit -> diff -> publish
//! ```
//!
//! Imports run one way: `source`, `digest`, `diag`, `value` < `yaml`, `pattern`, `expr`, `schema`, `kube`, `helm`,
//! `model` < the phases < `driver` < `cli`. Only [`world`] touches files, the environment, the clock, git, processes and the network,
//! and only `load`, `resolve`, `package::supply`, `diff` and `publish` are handed one.

pub mod source;

pub mod digest;

pub mod diag;

pub mod value;

pub mod yaml;

pub mod pattern;

pub mod expr;

pub mod schema;

pub mod kube;

pub mod helm;

pub mod model;

pub mod world;

pub mod package;

pub mod load;

pub mod resolve;

pub mod check;

pub mod render;

pub mod link;

pub mod validate;

pub mod order;

pub mod emit;

pub mod diff;

pub mod publish;

pub mod prereqs;

pub mod why;

pub mod images;

pub mod driver;

pub mod record;

pub mod cli;
