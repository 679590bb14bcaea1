//! The functions of sprig 3.3, but for `env` and `expandenv`, which Helm takes out.
//!
//! One file a subject. Where a function's behaviour is odd, the oddity is sprig's or that of a library under it,
//! and the comment says which.

mod cast;
mod certs;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod lists;
mod merge;
mod numbers;
mod paths;
mod random;
mod reflect;
mod regexes;
mod splits;
mod strings;
mod urls;
mod versions;
mod words;

pub use cast::{is_empty, strings_of, strval};
pub use dates::TimeObject;

use super::Function;

/// All of sprig's tables.
pub static TABLES: &[&[Function]] = &[
    certs::FUNCTIONS,
    crypto::FUNCTIONS,
    dates::FUNCTIONS,
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    numbers::FUNCTIONS,
    paths::FUNCTIONS,
    random::FUNCTIONS,
    reflect::FUNCTIONS,
    regexes::FUNCTIONS,
    splits::FUNCTIONS,
    strings::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
    words::FUNCTIONS,
];
