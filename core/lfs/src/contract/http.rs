//! HTTP requests and responses as data: the core decides what goes over the wire, and the host sends it.

use super::{Revision, StageId};
use crate::text::oid::Blob;
use crate::text::url::Url;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// HTTP methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

/// The login that the host adds to a request, for origins that the user approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// No login.
    None,
    /// The login that the user has for this origin.
    Stored,
    /// The server refused the stored login: get another one, or reply `failed(denied)`.
    Renewed,
}

/// What the host does at a 3xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// Do not follow it: reply with the 3xx.
    Report,
    /// The platform may follow it. Used only for requests without a login and without secret headers.
    Follow,
}

/// A range of a named file as it was at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The file.
    pub name: String,
    /// The revision that it must have before and after.
    pub revision: Revision,
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// Where the host takes a request body from. File bytes never pass through the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes of a file, which the host hashes while it sends them.
    File(Slice),
}

/// One header line. The value of an action header is a secret, so no value is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Name, any case.
    pub name: String,
    /// Value.
    pub value: String,
}

impl Header {
    /// A header.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// An HTTP request, to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute URL without userinfo. Its query may be a secret.
    pub url: String,
    /// Headers besides those the host must add itself.
    pub headers: Vec<Header>,
    /// Body.
    pub body: Body,
    /// The login to add.
    pub login: Login,
    /// What to do at a 3xx.
    pub redirect: Redirect,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown_url(&self.url))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .field("login", &self.login)
            .field("redirect", &self.redirect)
            .finish()
    }
}

/// A URL for a debug print: without userinfo, query and fragment.
pub(crate) fn shown_url(text: &str) -> String {
    Url::parse(text).map_or_else(|| "…".to_owned(), |url| url.shown())
}

/// Where the body of a 200, 203 or 206 goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its id, new for each try: nobody else writes there.
    pub id: StageId,
    /// The blob that its bytes should be.
    pub blob: Blob,
    /// The bytes of a 206 follow these. Any other begins with an empty stage.
    pub resume: Option<Resume>,
}

impl Stage {
    /// How many bytes of an older stage it begins with.
    pub fn resumed(&self) -> u64 {
        self.resume.as_ref().map_or(0, |resume| resume.bytes)
    }
}

/// The first bytes of an older stage, which become the first bytes of a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The older stage, as the host named it in `partial`.
    pub stage: StageId,
    /// How many of its bytes to take.
    pub bytes: u64,
}

/// A request, where its response goes, and the bounds that the host enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What to send.
    pub request: Request,
    /// None: the body comes as chunks. Some: the body of a 200, 203 or 206 is written to the stage.
    pub stage: Option<Stage>,
    /// The host reads at most this many bytes of the response body, then replies as if it ended there.
    pub answer_bytes_max: u64,
    /// After this many milliseconds without a byte in either direction, the host replies `failed(timed-out)`.
    pub idle_max: u64,
}

/// Status line and headers of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Headers as received.
    pub headers: Vec<Header>,
}

impl Head {
    /// Whether a body with this status may be a blob, and so goes to the stage.
    pub const fn is_staged(status: u16) -> bool {
        matches!(status, 200 | 203 | 206)
    }

    /// Values of a header, in order, whatever the case of its name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.trim())
    }

    /// The first value of a header.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }
}
