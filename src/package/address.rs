//! Addresses that people write down: none of them holds a login.
//!
//! They go into the lock, into trees and into messages, all of which others read.

use super::PackageError;
use crate::diag::{Diagnostic, Reported, Sink, codes};

/// What to do about an address with a login in it.
const HELP: &str = "take the login out of the address; `docker login`, git's credential helpers or `STACKC_LOGIN_<HOST>` give it";

/// Refuses an address that holds a login, whatever is done with it.
pub(crate) fn refuse_login(url: &str, sink: &mut Sink) -> Result<(), Reported> {
    if holds_login(url) { Err(sink.report(fault(&PackageError::Login(without_login(url))))) } else { Ok(()) }
}

/// The finding has no place: the line would be printed, and the login with it.
pub(super) fn fault(error: &PackageError) -> Diagnostic {
    Diagnostic::error(codes::PACKAGE_UNAVAILABLE, error.to_string()).help(HELP)
}

/// Whether a URL holds a password, or the user that stands for a token; the user of `ssh` is part of the address.
pub(super) fn holds_login(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or("");
    authority.rsplit_once('@').is_some_and(|(user, _)| scheme != "ssh" || user.contains(':'))
}

/// Takes user info out of every URL in a text.
pub(super) fn without_login(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail.find(['/', ' ', '\'', '"']).unwrap_or(tail.len());
        let authority = &tail[..end];
        out.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = &tail[end..];
    }
    out + rest
}
