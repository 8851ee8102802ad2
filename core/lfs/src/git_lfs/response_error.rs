//! Error responses: their kind, the server's message, how long it asks us to wait. The same for batch, verify and lock
//! requests.

use crate::contract::Head;
use crate::text::error::quote;
use crate::text::headers;
use crate::text::json;
use crate::text::limits::JSON_BYTES_MAX;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// Kinds of responses that are an error for the whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseErrorKind {
    /// 401.
    Login,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 406.
    NotAcceptable,
    /// 409.
    Conflict,
    /// 410.
    Gone,
    /// 413.
    TooLarge,
    /// 422.
    Validation,
    /// 429.
    RateLimited,
    /// 408, and every 5xx that is not named here: it may pass.
    Server,
    /// 501.
    NotImplemented,
    /// 507.
    InsufficientStorage,
    /// 509.
    BandwidthExceeded,
    /// Any other 4xx; 505, 508, 510, 511; 200 with a message in the place of what was asked for.
    Client,
    /// 200 with a Content-Type that is not JSON.
    BadContentType,
    /// 200 with a body that is not the expected JSON.
    BadJson,
    /// 200 with a body in a coding that was not asked for, such as gzip.
    BadCoding,
    /// Any other status.
    UnexpectedStatus,
    /// The server chose a transfer adapter that was not offered.
    UnsupportedTransfer,
    /// The server chose a hash other than sha256.
    UnsupportedHashAlgo,
}

impl ResponseErrorKind {
    /// The whole list with the names in WIT and JSON, in the order of the WIT enum.
    pub const ALL: [(ResponseErrorKind, &'static str); 20] = [
        (ResponseErrorKind::Login, "login"),
        (ResponseErrorKind::Forbidden, "forbidden"),
        (ResponseErrorKind::NotFound, "not-found"),
        (ResponseErrorKind::NotAcceptable, "not-acceptable"),
        (ResponseErrorKind::Conflict, "conflict"),
        (ResponseErrorKind::Gone, "gone"),
        (ResponseErrorKind::TooLarge, "too-large"),
        (ResponseErrorKind::Validation, "validation"),
        (ResponseErrorKind::RateLimited, "rate-limited"),
        (ResponseErrorKind::Server, "server"),
        (ResponseErrorKind::NotImplemented, "not-implemented"),
        (ResponseErrorKind::InsufficientStorage, "insufficient-storage"),
        (ResponseErrorKind::BandwidthExceeded, "bandwidth-exceeded"),
        (ResponseErrorKind::Client, "client"),
        (ResponseErrorKind::BadContentType, "bad-content-type"),
        (ResponseErrorKind::BadJson, "bad-json"),
        (ResponseErrorKind::BadCoding, "bad-coding"),
        (ResponseErrorKind::UnexpectedStatus, "unexpected-status"),
        (ResponseErrorKind::UnsupportedTransfer, "unsupported-transfer"),
        (ResponseErrorKind::UnsupportedHashAlgo, "unsupported-hash-algo"),
    ];

    /// Its name in WIT and JSON.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// A response that is an error for the whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// Its kind.
    pub kind: ResponseErrorKind,
    /// Status code.
    pub status: u16,
    /// The server's message, bounded; empty when it sent none.
    pub message: String,
    /// The server's id for this request.
    pub request_id: Option<String>,
    /// URL of the server's documentation for this error.
    pub documentation_url: Option<String>,
    /// For [`ResponseErrorKind::Login`]: the schemes asked for, lower case, in order.
    pub schemes: Vec<String>,
    /// For [`ResponseErrorKind::Login`]: the first realm.
    pub realm: Option<String>,
    /// Milliseconds to wait, as the server asked.
    pub retry_after: Option<u64>,
}

/// Whether asking again may give another status; for one object or for a whole request.
///
/// Gateways have numbers of their own, such as 520 to 530, so every 5xx may pass but those that say why it will not.
pub const fn retryable(status: u16) -> bool {
    match status {
        408 | 429 => true,
        501 | 505 | 507..=511 => false,
        _ => matches!(status, 500..=599),
    }
}

impl ResponseError {
    pub(crate) fn plain(status: u16) -> Self {
        Self {
            kind: ResponseErrorKind::UnexpectedStatus,
            status,
            message: String::new(),
            request_id: None,
            documentation_url: None,
            schemes: Vec::new(),
            realm: None,
            retry_after: None,
        }
    }
}

/// Reads a response that is not 200; also for the lock and verify APIs.
pub fn response_error(head: &Head, body: &[u8], now: u64) -> ResponseError {
    let kind = match head.status {
        401 => ResponseErrorKind::Login,
        403 => ResponseErrorKind::Forbidden,
        404 => ResponseErrorKind::NotFound,
        406 => ResponseErrorKind::NotAcceptable,
        409 => ResponseErrorKind::Conflict,
        410 => ResponseErrorKind::Gone,
        413 => ResponseErrorKind::TooLarge,
        422 => ResponseErrorKind::Validation,
        429 => ResponseErrorKind::RateLimited,
        501 => ResponseErrorKind::NotImplemented,
        507 => ResponseErrorKind::InsufficientStorage,
        509 => ResponseErrorKind::BandwidthExceeded,
        status if retryable(status) => ResponseErrorKind::Server,
        400..=599 => ResponseErrorKind::Client,
        _ => ResponseErrorKind::UnexpectedStatus,
    };
    let root = Some(body).filter(|body| body.len() <= JSON_BYTES_MAX).and_then(|body| json::parse(body).ok());
    let word = |key| root.as_ref().and_then(|root| root.get(key)?.text().map(quote));
    let (schemes, realm) = if kind == ResponseErrorKind::Login { challenges(head) } else { (Vec::new(), None) };
    ResponseError {
        kind,
        message: word("message").unwrap_or_default(),
        request_id: word("request_id"),
        documentation_url: word("documentation_url"),
        schemes,
        realm,
        retry_after: head.value("retry-after").and_then(|value| headers::retry_after(value, now)),
        ..ResponseError::plain(head.status)
    }
}

/// A refusal that came with status 200: a message, and nothing of what was asked for.
pub(crate) fn refusal_in(head: &Head, body: &[u8], now: u64) -> ResponseError {
    ResponseError { kind: ResponseErrorKind::Client, ..response_error(head, body, now) }
}

/// The coding of a body that the platform did not undo. We ask for none.
pub(crate) fn coding(head: &Head) -> Option<String> {
    head.value("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")).map(quote)
}

/// `LFS-Authenticate` is read first: servers send it so that browsers show no password prompt. Without any scheme,
/// basic is meant.
fn challenges(head: &Head) -> (Vec<String>, Option<String>) {
    let values: Vec<&str> = head.values("lfs-authenticate").chain(head.values("www-authenticate")).collect();
    let mut schemes: Vec<String> = Vec::new();
    for value in &values {
        let scheme = quote(value.split([' ', ',']).next().unwrap_or_default()).to_ascii_lowercase();
        if !scheme.is_empty() && !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    if schemes.is_empty() {
        schemes.push("basic".to_owned());
    }
    let realm = values.iter().find_map(|value| {
        let mut parts = value.split('"');
        while let (Some(before), Some(quoted)) = (parts.next(), parts.next()) {
            if before.ends_with("realm=") {
                return Some(quote(quoted));
            }
        }
        None
    });
    (schemes, realm)
}
