//! What the server says: answers, refusals and their JSON form. Keeps one rule: only answers of a known small size are
//! held in memory; a blob is a stream.

use std::borrow::Cow;
use std::io;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::blob_body::BlobBody;

/// The media type of every JSON answer.
pub(super) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// A small body, or a blob that streams.
pub(super) type Body = Either<Full<Bytes>, BlobBody>;
/// One answer.
pub(super) type Answer = Response<Body>;

/// Why a request is not served: a status and one sentence for people.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: Cow<'static, str>,
    /// A header the status asks for: a login challenge, the allowed methods, the size of an object.
    pub(super) header: Option<(&'static str, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { status, message: message.into(), header: None }
    }

    pub(super) fn with(mut self, name: &'static str, value: HeaderValue) -> Refusal {
        self.header = Some((name, value));
        self
    }

    pub(super) fn unprocessable(message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub(super) fn not_found() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "there is nothing at this address")
    }

    pub(super) fn wrong_method(allowed: &'static str) -> Refusal {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not answer that method")
            .with("allow", HeaderValue::from_static(allowed))
    }

    pub(super) fn into_answer(self) -> Answer {
        let mut answer = json_answer(self.status, &json!({ "message": self.message }));
        if let Some((name, value)) = self.header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

/// A failing disk: 507 when it is full, 500 otherwise. The system's own words may name paths, so they are not sent.
impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "the server's disk is full")
            }
            _ => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server could not use its store"),
        }
    }
}

/// `value` as an answer of the protocol's media type.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = small_answer(status, value.to_string().into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(LFS_JSON));
    answer
}

/// An answer with no body.
pub(super) fn empty_answer(status: StatusCode) -> Answer {
    small_answer(status, Bytes::new())
}

fn small_answer(status: StatusCode, bytes: Bytes) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(bytes)));
    *answer.status_mut() = status;
    answer
}
