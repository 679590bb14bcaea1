//! JSON Schema: types of inputs, defaults, and places of violations; and what is known of Kubernetes' own kinds.

pub mod kinds;
pub mod merge_keys;
