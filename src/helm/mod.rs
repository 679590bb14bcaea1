//! Helm charts rendered natively: loading, values, the template language, functions, output. Knows no phases.
//!
//! [`value`] are Go's dynamic values, [`fmt`] Go's verbs over them, [`template`] the language, [`funcs`] what it can
//! call; [`profile`] says in what the supported versions of Helm differ.

pub mod fmt;
pub mod funcs;
pub mod profile;
pub mod semver;
pub mod strconv;
pub mod stack;
pub mod template;
pub mod time;
pub mod unicode;
pub mod value;
pub mod values;
