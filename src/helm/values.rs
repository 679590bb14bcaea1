//! Values: files, the `--set` family, how they are laid over a chart's own, and the Go type that templates see.

pub mod cell;
pub mod coalesce;
mod methods;
pub mod read;
pub mod strvals;
mod tree;

pub use methods::METHODS;
pub use tree::{Data, Table, Value, from_json, members, merge, table_to_go, table_to_json, weight};

/// How deep tables may be laid over each other.
const MAX_NESTING: usize = 1_500;
