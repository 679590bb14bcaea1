//! Packages: where charts and manifests come from, what the lock pins, and the cache that holds their bytes.
//!
//! `stackc vendor` resolves what an environment wants into exact versions with digests ([`lock`]), fetches the bytes
//! ([`source`]) and keeps them by digest ([`cache`]). A build only ever reads bytes whose digest the lock states.
//! Nothing here is trusted for being fetched: bytes are checked against the lock before anybody sees them, and
//! credentials go to the host they belong to and nowhere else.

pub(crate) mod address;
pub mod cache;
mod credentials;
mod git;
mod http;
mod index;
pub mod lock;
pub mod memo;
pub mod mirror;
mod oci;
pub mod outlook;
mod pack;
mod release;
mod retry;
pub mod source;
pub mod supply;
pub mod vendor;

pub use crate::digest::ContentDigest;

use std::fmt;

/// Why a package could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageError {
    /// The network is needed, and off (`--offline`, `--frozen`, a world without one).
    Offline(String),
    /// A URL that is not one.
    Url(String),
    /// A URL with a login in it; the URL without.
    Login(String),
    /// A login would be sent over a connection that others can read; the URL.
    Readable(String),
    /// The server said no; status and a hint.
    Status {
        /// The URL, without credentials.
        url: String,
        /// The status.
        status: u16,
        /// How often it was asked.
        tries: u32,
    },
    /// The exchange failed.
    Exchange {
        /// The URL, without credentials.
        url: String,
        /// What happened.
        words: String,
    },
    /// The repository has no such chart; the nearest name.
    NoSuchChart {
        /// What was asked for.
        name: String,
        /// Where.
        source: String,
        /// A name that exists and is close.
        near: Option<String>,
    },
    /// The repository has the chart, but no version in the range.
    NoSuchVersion {
        /// The chart.
        name: String,
        /// The range.
        wanted: String,
        /// The newest versions that exist.
        newest: Vec<String>,
    },
    /// What is wanted is neither a version nor a range.
    Range {
        /// The chart.
        name: String,
        /// What stands there.
        range: String,
        /// Why it is none.
        words: String,
    },
    /// What came back is not what it should be.
    Malformed {
        /// What it is.
        what: String,
        /// What is wrong.
        words: String,
    },
    /// The bytes are not those that were pinned.
    Digest {
        /// The package.
        what: String,
        /// What was pinned.
        wanted: ContentDigest,
        /// What came.
        got: ContentDigest,
    },
    /// The bytes are not those that the repository's own index states.
    Stated {
        /// The archive.
        what: String,
        /// What the index states.
        stated: ContentDigest,
        /// What came.
        got: ContentDigest,
    },
    /// Files could not be read or written.
    World(String),
}

impl fmt::Display for PackageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline(what) => write!(out, "{what} is not in the cache, and the network is switched off"),
            Self::Url(url) => write!(out, "`{url}` is no URL that packages can be had from"),
            Self::Login(url) => {
                write!(out, "the address `{url}` is written with a login, which would end up in the lock")
            }
            Self::Readable(url) => {
                write!(out, "`{url}` wants a login, and whoever is on the way to it could read that")
            }
            Self::Status { url, status, tries } => {
                write!(
                    out,
                    "`{url}` answered {status}{}{}",
                    if *tries > 1 { format!(" to each of {tries} attempts") } else { String::new() },
                    match status {
                        401 | 403 => ": the server wants other credentials",
                        404 | 410 => ": there is nothing there",
                        429 => ": too many requests, try again later",
                        500.. => ": the server is at fault, try again later",
                        _ => "",
                    }
                )
            }
            Self::Exchange { url, words } => write!(out, "`{url}` could not be fetched: {words}"),
            Self::NoSuchChart { name, source, near } => {
                write!(out, "`{source}` has no chart `{name}`")?;
                near.as_ref().map_or(Ok(()), |near| write!(out, "; did you mean `{near}`?"))
            }
            Self::NoSuchVersion { name, wanted, newest } => {
                write!(out, "`{name}` has no version `{wanted}`")?;
                if newest.is_empty() {
                    return out.write_str(", nor any other");
                }
                write!(out, "; the newest are {}", newest.join(", "))
            }
            Self::Range { name, range, words } => {
                write!(out, "`{range}` is neither a version of `{name}` nor a range of versions: {words}")
            }
            Self::Malformed { what, words } => write!(out, "{what}: {words}"),
            Self::Digest { what, wanted, got } => {
                write!(
                    out,
                    "the bytes of {what} are not those that the lock pins: it has {wanted}, they are {got}"
                )
            }
            Self::Stated { what, stated, got } => {
                write!(
                    out,
                    "the bytes of {what} are not those that its index states: it has {stated}, they are {got}"
                )
            }
            Self::World(words) => out.write_str(words),
        }
    }
}

impl std::error::Error for PackageError {}
