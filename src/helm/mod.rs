//! Helm charts rendered natively: loading, values, the template language, functions, output. Knows no phases.
//!
//! [`value`] are Go's dynamic values, [`fmt`] Go's verbs over them, [`template`] the language, [`funcs`] what it can
//! call; [`profile`] says in what the supported versions of Helm differ.

pub mod ahead;
pub mod capabilities;
pub mod chart;
pub mod context;
pub mod engine;
pub mod faults;
pub mod fmt;
pub mod funcs;
mod glob;
pub mod gojson;
pub mod gopath;
pub mod origin;
pub mod output;
pub mod profile;
pub mod provenance;
pub mod purity;
pub mod release;
pub mod schema;
pub mod semver;
pub mod stack;
pub mod strconv;
pub mod template;
pub mod time;
pub mod toml;
pub mod unicode;
pub mod value;
pub mod values;
