//! What the server says: answers, refusals and their JSON form. Keeps one rule: an answer in memory is small or counted
//! in the budget, and a blob is a stream.

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use serde_json::{Value, json};

use super::blob_body::BlobBody;
use super::budget::{Exhausted, Lease};
use super::guest::Turn;
use super::limits::UNCOUNTED_BYTES_MAX;

/// The media type of every JSON answer.
pub(super) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// Seconds after which a client may ask again when memory ran out.
const BUSY_S: &str = "1";

/// One answer.
pub(super) type Answer = Response<AnswerBody>;

/// The body of an answer. The request is under way until it is handed over.
pub(super) struct AnswerBody {
    content: Content,
    _turn: Option<Turn>,
}

enum Content {
    Small(Bytes),
    Counted(Bytes),
    Blob(Box<BlobBody>),
}

impl AnswerBody {
    fn small(bytes: Bytes) -> AnswerBody {
        AnswerBody { content: Content::Small(bytes), _turn: None }
    }

    pub(super) fn blob(blob: BlobBody) -> AnswerBody {
        AnswerBody { content: Content::Blob(Box::new(blob)), _turn: None }
    }

    /// Ends `turn` when the body ends.
    pub(super) fn takes_its_turn(&mut self, turn: Turn) {
        self._turn = Some(turn);
    }

    /// Counts what is held in memory and is not counted yet; nothing is held when there is no room for it. Nobody waits
    /// for room with the bytes in hand: what is not counted would be neither small nor few.
    pub(super) fn counted(&mut self, mut lease: Lease) -> Result<(), Exhausted> {
        if let Content::Small(bytes) = &mut self.content
            && bytes.len() > UNCOUNTED_BYTES_MAX
        {
            let held = std::mem::take(bytes);
            lease.try_grow(held.len())?;
            self.content = Content::Counted(lease.bind(held.into()));
        }
        Ok(())
    }

    /// Counts what is held in memory by a lease that has room for it already.
    pub(super) fn counted_before(&mut self, lease: Lease) {
        if let Content::Small(bytes) = &mut self.content {
            self.content = Content::Counted(lease.bind(std::mem::take(bytes).into()));
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.content {
            Content::Small(bytes) | Content::Counted(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Blob(blob) => blob.poll_piece(cx).map(|piece| piece.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

impl AnswerBody {
    fn left(&self) -> u64 {
        match &self.content {
            Content::Small(bytes) | Content::Counted(bytes) => bytes.len() as u64,
            Content::Blob(blob) => blob.left(),
        }
    }
}

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

/// Too many requests hold memory at once. They end soon, by themselves or because others need it.
impl From<Exhausted> for Refusal {
    fn from(_: Exhausted) -> Refusal {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is busy, ask again")
            .with("retry-after", HeaderValue::from_static(BUSY_S))
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
    let mut answer = Response::new(AnswerBody::small(bytes));
    *answer.status_mut() = status;
    answer
}
