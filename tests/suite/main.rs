//! The one integration binary.
#![allow(clippy::disallowed_methods, reason = "tests read their own fixtures")]

mod tidy;
mod yaml;
