//! One HTTP exchange, without redirects: who may follow where, and with which credentials, is decided by the caller.

use std::fmt;
use std::time::Duration;

/// A GET or POST.
#[derive(Clone, Debug)]
pub struct Request {
    /// `http://` or `https://`.
    pub url: String,
    /// Headers, credentials among them; never logged.
    pub headers: Vec<(String, String)>,
    /// A form body makes it a POST.
    pub form: Option<Vec<(String, String)>>,
    /// A body larger than this is an error.
    pub limit: u64,
    /// For the whole exchange.
    pub timeout: Duration,
}

impl Request {
    /// A GET with a limit on the body.
    pub fn get(url: impl Into<String>, limit: u64) -> Self {
        Self { url: url.into(), headers: Vec::new(), form: None, limit, timeout: Duration::from_mins(2) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// This world has no network (`--offline`, tests).
    Offline,
    /// The body was larger than the limit.
    TooLarge(u64),
    /// The connection broke off: another attempt may succeed.
    Lost(String),
    /// There was no answer in time.
    Late(String),
    /// Anything else, in the library's words; never holds credentials.
    Failed(String),
}

impl fmt::Display for NetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => out.write_str("the network is switched off"),
            Self::TooLarge(limit) => write!(out, "the answer is larger than {limit} bytes"),
            Self::Lost(words) | Self::Late(words) | Self::Failed(words) => out.write_str(words),
        }
    }
}

impl std::error::Error for NetError {}

/// A program that was run to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}
