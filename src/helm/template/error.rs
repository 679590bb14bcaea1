//! The errors of templates, with Go's texts.

use crate::helm::value::Str;
use std::fmt;

/// Why a function failed.
#[derive(Clone, Debug)]
pub enum FuncError {
    /// A Go error or panic: what stands after "error calling NAME: ".
    Message(Str),
    /// A limit of the render was met; ends it.
    Limit(&'static str),
}

impl FuncError {
    /// A Go error or panic with this text.
    pub fn message(text: impl Into<Str>) -> Self {
        Self::Message(text.into())
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) => fmt::Display::fmt(text, out),
            Self::Limit(what) => write!(out, "the render exceeds its limit of {what}"),
        }
    }
}
