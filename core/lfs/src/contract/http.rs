//! Requests and answers, spelled out: what is on the wire is decided here and sent by the host.

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
    /// Read.
    Get,
    /// Ask.
    Post,
    /// Store.
    Put,
}

/// Which login the host adds to a request, for origins the user approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// No login.
    None,
    /// The login the user has for this origin.
    Stored,
    /// The stored one was refused: get another, or answer `failed(denied)`.
    Renewed,
}

/// What happens at a 3xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// The 3xx is the answer.
    Report,
    /// The platform may follow; asked only without login and without secret headers.
    Follow,
}

/// A range of a named file as it was at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The file.
    pub name: String,
    /// The state it must still have, before and after.
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
    /// A file of the host's, hashed while it is sent.
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

/// A literal HTTP request.
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

/// Where the body of a 200 or 206 goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name: new for each try, so that nobody else writes there.
    pub id: StageId,
    /// The blob it should be.
    pub blob: Blob,
    /// What a 206 is written after. A 200 begins with nothing.
    pub resume: Option<Resume>,
}

impl Stage {
    /// Bytes of an older stage that it begins with.
    pub fn resumed(&self) -> u64 {
        self.resume.as_ref().map_or(0, |resume| resume.bytes)
    }
}

/// The beginning of an older stage that becomes the beginning of a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The older stage, as the host named it.
    pub stage: StageId,
    /// Bytes of it to take.
    pub bytes: u64,
}

/// A request, where its answer goes, and the bounds the host enforces by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What to send.
    pub request: Request,
    /// None: the body is fed as chunks. Some: a 200 or 206 is written aside.
    pub stage: Option<Stage>,
    /// The host reads at most this many bytes of the answer's body, then ends it as if it were over.
    pub answer_bytes_max: u64,
    /// Milliseconds without a byte in either direction after which the host answers `failed(timed-out)`.
    pub idle_max: u64,
}

/// Status line and headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// Headers as received.
    pub headers: Vec<Header>,
}

impl Head {
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
