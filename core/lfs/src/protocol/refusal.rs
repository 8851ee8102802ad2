//! Errors from the statuses and messages of a server, and from the failures of a host.

use crate::contract::{Failed, Failure};
use crate::git_lfs::response_error::{ResponseError, ResponseErrorKind, retryable};
use crate::text::error::{Code, Error, quote};
use alloc::borrow::ToOwned as _;
use alloc::string::String;

/// A response that is an error for the whole request. Never `missing`: it says nothing certain about one object.
pub fn whole(what: &str, refused: &ResponseError, now: u64) -> Error {
    let code = match refused.kind {
        ResponseErrorKind::Login | ResponseErrorKind::Forbidden => Code::Auth,
        ResponseErrorKind::NotFound | ResponseErrorKind::Gone => Code::NotFound,
        ResponseErrorKind::RateLimited | ResponseErrorKind::Server => Code::Busy,
        ResponseErrorKind::BadContentType
        | ResponseErrorKind::BadJson
        | ResponseErrorKind::BadCoding
        | ResponseErrorKind::UnexpectedStatus
        | ResponseErrorKind::UnsupportedTransfer
        | ResponseErrorKind::UnsupportedHashAlgo => Code::Malformed,
        ResponseErrorKind::NotAcceptable
        | ResponseErrorKind::Conflict
        | ResponseErrorKind::TooLarge
        | ResponseErrorKind::Validation
        | ResponseErrorKind::NotImplemented
        | ResponseErrorKind::InsufficientStorage
        | ResponseErrorKind::BandwidthExceeded
        | ResponseErrorKind::Client => Code::Rejected,
    };
    let said = match refused.kind {
        ResponseErrorKind::BadContentType => "the server answered with something that is not JSON".to_owned(),
        ResponseErrorKind::BadJson => "the server answered with broken JSON".to_owned(),
        ResponseErrorKind::BadCoding => {
            format!("the server answered in the coding {}, which it was asked not to use", refused.message)
        }
        ResponseErrorKind::UnsupportedTransfer => "the server chose a transfer that was not offered".to_owned(),
        ResponseErrorKind::UnsupportedHashAlgo => {
            "the server uses another hash algorithm than sha256, which is not supported".to_owned()
        }
        _ if refused.message.is_empty() => format!("the server answered {}", refused.status),
        _ => format!("the server answered {}: {}", refused.status, refused.message),
    };
    let retry_at = refused.retry_after.map(|wait| now.saturating_add(wait));
    Error { retry_at, ..Error::new(code, format_args!("{what}: {said}")) }
}

/// A server's error for one object in a batch response. Only here is 404 certain.
pub fn object(status: u16, message: &str) -> Error {
    let code = match status {
        404 => Code::Missing,
        410 => Code::Removed,
        401 | 403 => Code::Auth,
        status if retryable(status) => Code::Busy,
        _ => Code::Rejected,
    };
    let words = if message.is_empty() { String::new() } else { format!(": {message}") };
    Error::new(code, format_args!("the server answered {status} for this object{words}"))
}

/// A 404 for all objects of a request, from a server that would take this one. It proves nothing.
pub fn would_take() -> Error {
    Error::new(Code::NotFound, "the server answered 404 to the whole request, and would take this object")
}

/// The status of a transfer that failed.
pub fn transfer(what: &str, status: u16) -> Error {
    let code = match status {
        401 | 403 => Code::Auth,
        404 => Code::NotFound,
        410 => Code::Removed,
        status if retryable(status) => Code::Busy,
        100..=399 => Code::Malformed,
        _ => Code::Rejected,
    };
    Error::new(code, format_args!("{what}: the server answered {status}"))
}

/// An action that expired before it could be used.
pub fn expired() -> Error {
    Error::new(Code::Busy, "the server's link expired before it could be used")
}

/// Stopped by the host.
pub fn stopped() -> Error {
    Error::new(Code::Unfinished, "it was stopped")
}

/// Finished by the host before it was done.
pub fn unfinished() -> Error {
    Error::new(Code::Unfinished, "it was stopped before it was done")
}

/// A reply that the contract allows and that does not fit the effect.
pub fn unfitting() -> Error {
    Error::new(Code::Host, "the host gave a reply that this step does not accept")
}

/// What a host's failure means for the object or operation it ends.
pub fn failed(what: &str, failed: &Failed) -> Error {
    let (code, default) = match failed.why {
        Failure::Offline => (Code::Host, "the server cannot be reached"),
        Failure::TimedOut => (Code::Host, "the connection stalled: no byte arrived in time"),
        Failure::Denied => (Code::Auth, "access denied"),
        Failure::Refused => (Code::Rejected, "the remote refused"),
        Failure::NotFound => (Code::NotFound, "not found"),
        Failure::NoSpace => (Code::Host, "there is no space left"),
        Failure::Blocked => (Code::Blocked, "the platform does not allow it"),
        Failure::Aborted => (Code::Unfinished, "it was stopped"),
        Failure::Io => (Code::Host, "reading or writing failed"),
    };
    let words = quote(&failed.detail);
    Error::new(code, format_args!("{what}: {}", if words.is_empty() { default } else { &words }))
}

/// Whether trying again may help.
pub fn passing(why: Failure) -> bool {
    matches!(why, Failure::Offline | Failure::TimedOut)
}
