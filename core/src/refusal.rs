//! What the words and statuses of a server mean, as errors.

use crate::batch::{Refused, RefusedKind, retryable};
use crate::error::{Code, Error};

/// A whole answer that speaks of no object. Never `missing`: such an answer is not definite about anything.
pub(crate) fn whole(what: &str, refused: &Refused, now: u64) -> Error {
    let code = match refused.kind {
        RefusedKind::Login | RefusedKind::Forbidden => Code::Auth,
        RefusedKind::NotFound | RefusedKind::Gone => Code::NotFound,
        RefusedKind::RateLimited | RefusedKind::Server => Code::Busy,
        RefusedKind::BadContentType
        | RefusedKind::BadJson
        | RefusedKind::UnexpectedStatus
        | RefusedKind::UnsupportedTransfer
        | RefusedKind::UnsupportedHashAlgo => Code::Malformed,
        RefusedKind::NotAcceptable
        | RefusedKind::Conflict
        | RefusedKind::TooLarge
        | RefusedKind::Validation
        | RefusedKind::NotImplemented
        | RefusedKind::InsufficientStorage
        | RefusedKind::BandwidthExceeded
        | RefusedKind::Client => Code::Rejected,
    };
    let said = match refused.kind {
        RefusedKind::BadContentType => "the server answered with something that is not JSON".to_owned(),
        RefusedKind::BadJson => "the server answered with broken JSON".to_owned(),
        RefusedKind::UnsupportedTransfer => "the server chose a transfer that was not offered".to_owned(),
        RefusedKind::UnsupportedHashAlgo => "the server wants another hash than sha256".to_owned(),
        _ if refused.message.is_empty() => format!("the server answered {}", refused.status),
        _ => format!("the server answered {}: {}", refused.status, refused.message),
    };
    let retry_after = refused.retry_after.map(|wait| now.saturating_add(wait));
    Error { retry_after, ..Error::new(code, format!("{what}: {said}")) }
}

/// A server's error for one object in an answer to many. Only here is 404 definite.
pub(crate) fn object(status: u16, message: &str) -> Error {
    let code = match status {
        404 => Code::Missing,
        410 => Code::Removed,
        401 | 403 => Code::Auth,
        status if retryable(status) => Code::Busy,
        _ => Code::Rejected,
    };
    let words = if message.is_empty() { String::new() } else { format!(": {message}") };
    Error::new(code, format!("the server answered {status} for this object{words}"))
}

/// The status of a transfer that was neither bytes nor success.
pub(crate) fn transfer(what: &str, status: u16) -> Error {
    let code = match status {
        401 | 403 => Code::Auth,
        404 => Code::NotFound,
        410 => Code::Removed,
        status if retryable(status) => Code::Busy,
        100..=399 => Code::Malformed,
        _ => Code::Rejected,
    };
    Error::new(code, format!("{what}: the server answered {status}"))
}

/// An action that ended before it could be used.
pub(crate) fn expired() -> Error {
    Error::new(Code::Busy, "the server's permission ended before it could be used")
}

/// Stopped by the host.
pub(crate) fn stopped() -> Error {
    Error::new(Code::Unfinished, "it was stopped")
}

/// Finished by the host before it was done.
pub(crate) fn unfinished() -> Error {
    Error::new(Code::Unfinished, "it was ended before it was done")
}

/// A host that answers what the contract allows and the question does not.
pub(crate) fn unfitting() -> Error {
    Error::new(Code::Host, "the host's answer does not fit")
}
