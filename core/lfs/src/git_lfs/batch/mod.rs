//! The batch API as text. [`write_request`] writes requests, [`read_response`] reads responses.
//!
//! Sources: git-lfs `docs/api/batch.md`, the measured behaviour of its client, and what real servers send. Where that
//! client hangs, crashes or fails the whole batch (objects left out, repeated or never asked for, one wrongly typed
//! field), each object here gets a verdict of its own.

mod request;
mod response;

pub use request::{distinct, object, write_request};
pub use response::read_response;

use crate::contract::{Direction, Header, shown_url};
use crate::text::limits::EXPIRY_MARGIN_MS;
use crate::text::oid::{Blob, Oid};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A batch request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRequest {
    /// Download or upload.
    pub direction: Direction,
    /// Full name of the git reference.
    pub reference: Option<String>,
    /// Transfer adapters offered; none is the same as `basic` alone.
    pub transfers: Vec<String>,
    /// Objects. An oid that comes twice is asked for once.
    pub objects: Vec<Blob>,
}

/// Where to send or fetch bytes. All of it may be secret, and most of it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    /// Absolute URL, as the server wrote it.
    pub href: String,
    /// Headers to send.
    pub headers: Vec<Header>,
    /// Wall-clock milliseconds; none: it never expires.
    pub expires_at: Option<u64>,
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("href", &shown_url(&self.href))
            .field("headers", &self.headers)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Action {
    /// Whether it has expired, or will within the margin. An action that expires exactly at the margin is still used.
    pub(crate) fn expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| at < now.saturating_add(EXPIRY_MARGIN_MS))
    }
}

/// Why one object's entry cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No usable action and no error.
    NoAction,
    /// The server left the object out.
    MissingFromResponse,
    /// The server answered the object more than once.
    Duplicate,
    /// The size is not the one asked for.
    SizeMismatch,
    /// Not an absolute http or https URL.
    BadHref,
    /// A header that cannot be sent.
    BadHeader,
}

impl Flaw {
    /// The whole list, in the order of the WIT enum.
    pub const ALL: [Flaw; 6] = [
        Flaw::NoAction,
        Flaw::MissingFromResponse,
        Flaw::Duplicate,
        Flaw::SizeMismatch,
        Flaw::BadHref,
        Flaw::BadHeader,
    ];

    /// Its name in WIT and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Flaw::NoAction => "no-action",
            Flaw::MissingFromResponse => "missing-from-response",
            Flaw::Duplicate => "duplicate",
            Flaw::SizeMismatch => "size-mismatch",
            Flaw::BadHref => "bad-href",
            Flaw::BadHeader => "bad-header",
        }
    }

    /// One sentence for people.
    pub const fn explain(self) -> &'static str {
        match self {
            Flaw::NoAction => "the server offered neither a way to transfer the object nor an error",
            Flaw::MissingFromResponse => "the server left the object out of its answer",
            Flaw::Duplicate => "the server answered for the object more than once",
            Flaw::SizeMismatch => "the batch response has another size than the pointer",
            Flaw::BadHref => "the server gave an address that is not an absolute http or https URL",
            Flaw::BadHeader => "the server asked for a header that cannot be sent",
        }
    }
}

/// The server's error for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectError {
    /// HTTP status code; 0 when the server gave none.
    pub status: u16,
    /// The server's message, bounded.
    pub message: String,
    /// Whether asking again can help.
    pub retryable: bool,
}

/// What the server says about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it already (uploads).
    Present,
    /// Fetch it here.
    Download(Action),
    /// Send it here, then send a verify request to the second action, if there is one.
    Upload(Action, Option<Action>),
    /// The server offered an action, but it has expired: ask again.
    Expired,
    /// The server refuses it.
    Refused(ObjectError),
    /// The entry cannot be used.
    Broken(Flaw),
}

/// One object of a batch response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchObject {
    /// The object asked for.
    pub oid: Oid,
    /// The action needs no login besides its headers.
    pub authenticated: bool,
    /// What the server says.
    pub verdict: Verdict,
}

/// A batch response with objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchResponse {
    /// The transfer adapter to use.
    pub transfer: String,
    /// One entry for each object asked, in that order.
    pub objects: Vec<BatchObject>,
    /// Oids in the response that were not asked for; bounded.
    pub unknown: Vec<String>,
}
