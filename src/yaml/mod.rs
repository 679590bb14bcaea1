//! YAML as Kubernetes reads and prints it: a spanned reader that agrees with `sigs.k8s.io/yaml` 1.6.0 (go-yaml
//! v2.4, YAML 1.1) on what is accepted and what it means.
//!
//! Which function to call:
//!
//! - [`read`]: the one document of a file of ours, as a [`Node`](crate::value::Node) tree with places. With
//!   [`Options::STRICT`] a key that is set twice is an error that names both places.
//! - [`read_all`]: every document of a stream of manifests, each with its span, and the errors of those that
//!   cannot be read. [`read_first`]: the first one only, as Helm reads values.
//! - [`first`], [`Composer`]: the same with a [`Builder`] of your own, without a tree in between.
//! - [`Parser`]: bare events.
//! - [`from_node`], [`from_node_coercing`]: Rust types (serde) out of a tree, with errors that have places.
//! - [`resolve()`]: what a plain text means.
//! - [`edit::set`]: one value of a document changed, everything else as it was.
//! - [`decode`]: bytes of a file to UTF-8 where they are UTF-16.
//!
//! Writing:
//!
//! - [`to_yaml`]: what Helm's `toYaml` prints, to the byte, for any value that is [`ToYaml`].
//! - [`write`]: the same style for our own files, without loss, with keys in natural or in given order.
//!
//! An [`Error`] holds byte offsets; [`Error::diagnostic`] makes a finding of it with a place and advice, and
//! [`Error::go_message`] gives go-yaml's own words.
//!
//! Strings with what looks like a number, whole floats and the like: integers of 64 bits stay exact; a whole float
//! becomes an integer in [`Node`](crate::value::Node) (JSON knows no difference), a [`Builder`] sees it as it is
//! written. Keys are strings always: `y: 1` sets the key `true`. Infinity and not-a-number are refused.
//!
//! Bounds: nesting by [`Options::max_depth`] (a thousand), aliases by go-yaml's ratio of expanded to written
//! nodes and by the bytes they copy; nothing recurses.

mod compose;
mod de;
pub mod edit;
mod error;
mod input;
mod node;
mod number;
mod parse;
mod resolve;
mod scan;
mod text;
mod write;

pub(crate) use compose::BASE64;
pub use compose::{Builder, Composer, Data, Document, Duplicates, MAP_WEIGHT, Options};
pub use de::{FitError, Misfit, from_node, from_node_coercing};
pub use error::{Above, Error, Extent, Problem};
pub use input::decode;
pub use node::{Doc, NodeBuilder, first, read, read_all, read_first};
pub use parse::{Event, EventKind, Parser, Scalar};
pub use resolve::{Resolved, is_base_60, resolve};
pub use scan::Style;
pub use write::{Emitter, Keys, ToYaml, Unwritable, to_yaml, write};
