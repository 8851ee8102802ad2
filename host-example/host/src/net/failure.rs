//! Why a request could not be made, in the closed list of the contract and one sentence. No URL's query gets into it.

use std::error::Error as _;
use std::io;

use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure};
use crate::net::address::{LessPublic, UnknownHost, on_this_machine};
use crate::text::without_number;

/// A failure of a request before or within its answer. What is certain is not tried again: `Io` instead of `Offline`.
pub(crate) fn of_http(error: reqwest::Error) -> Failed {
    let here = error.url().and_then(on_this_machine);
    // The URL may hold a secret query.
    let error = error.without_url();
    let mut innermost = None;
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = unwrapped(cause);
        if let Some(less_public) = inner.downcast_ref::<LessPublic>() {
            return failed(Failure::Blocked, &less_public.to_string());
        }
        if let Some(unknown) = inner.downcast_ref::<UnknownHost>() {
            return failed(Failure::Io, &unknown.to_string());
        }
        let refused = cause.downcast_ref::<io::Error>().map(io::Error::kind) == Some(io::ErrorKind::ConnectionRefused);
        if let (true, Some(here)) = (refused, &here) {
            return failed(Failure::Io, &format!("nothing listens at {here}: is the server running?"));
        }
        if let Some(rustls::Error::InvalidCertificate(why)) = inner.downcast_ref() {
            // A word of policy, not a broken line: trying again is useless.
            return failed(Failure::Blocked, &format!("the server's certificate is not trusted: {why}"));
        }
        innermost = Some(cause.to_string());
        source = cause.source();
    }
    let detail = innermost.map_or_else(|| error.to_string(), |cause| without_number(&cause).to_owned());
    let why = match () {
        () if error.is_timeout() => Failure::TimedOut,
        () if error.is_builder() => Failure::Io,
        () => Failure::Offline,
    };
    failed(why, &detail)
}

/// What an I/O error wraps: these do not name it as their source.
fn unwrapped<'a>(cause: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut inner = cause;
    while let Some(next) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        inner = next;
    }
    inner
}
