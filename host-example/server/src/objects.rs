//! Storage: `GET`, `HEAD` and `PUT …/objects/<oid>`. Keeps two rules: a blob streams in pieces of a bounded size, and
//! what a PUT brings is kept only after its digest proved to be its name.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Incoming};

use super::access::Verb;
use super::answer::{Answer, AnswerBody, Refusal, empty_answer};
use super::blob_body::BlobBody;
use super::limits::OBJECT_BYTES_MAX;
use super::range::{self, Part};
use super::service::Visit;
use super::store::{Oid, Shelf};

/// Serves one storage request.
pub(super) async fn object(
    visit: &Visit,
    repository: &str,
    oid: &str,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    if !matches!(head.method, Method::GET | Method::HEAD | Method::PUT) {
        return Err(Refusal::wrong_method("GET, HEAD, PUT"));
    }
    let oid = Oid::parse(oid).ok_or_else(|| Refusal::unprocessable("an object's name is 64 lower-case hex digits"))?;
    let shelf = visit.shared.store.shelf(repository);
    let (_, action) = visit.admit_action(&head.headers, Verb::of(&head.method), &shelf)?;
    if let Some(action) = &action {
        action.check(&oid)?;
    }
    if head.method == Method::PUT {
        put(visit, &shelf, &oid, action.map(|action| action.size), head, body).await
    } else {
        get(visit, &shelf, &oid, head)
    }
}

fn get(visit: &Visit, shelf: &Shelf<'_>, oid: &Oid, head: &Parts) -> Result<Answer, Refusal> {
    let shared = &visit.shared;
    let gone = || Refusal::new(StatusCode::NOT_FOUND, "the server does not have this object");
    let (file, size) = shelf.read(oid)?.ok_or_else(gone)?;
    let etag = format!("\"{oid}\"");
    let (status, first, length) = match range::wanted(&head.headers, size, &etag) {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::From { first, length } => (StatusCode::PARTIAL_CONTENT, first, length),
        Part::Nothing => {
            return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "the object has no byte in that range")
                .with("content-range", ascii(&format!("bytes */{size}"))));
        }
    };
    let mut answer = empty_answer(status);
    if head.method == Method::GET {
        shared.counters.gets.fetch_add(1, Ordering::Relaxed);
        let blob = BlobBody::new(Arc::clone(shared), Arc::clone(&visit.guest), file, first, length);
        *answer.body_mut() = AnswerBody::blob(blob);
    }
    let out = answer.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    out.insert(CONTENT_LENGTH, length.into());
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(ETAG, ascii(&etag));
    if status == StatusCode::PARTIAL_CONTENT {
        out.insert(CONTENT_RANGE, ascii(&format!("bytes {first}-{}/{size}", first + length - 1)));
    }
    Ok(answer)
}

async fn put(
    visit: &Visit,
    shelf: &Shelf<'_>,
    oid: &Oid,
    size: Option<u64>,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let shared = &visit.shared;
    let limit = size.unwrap_or(OBJECT_BYTES_MAX).min(OBJECT_BYTES_MAX);
    let wrong_size = || Refusal::unprocessable("the size is not the one the upload was asked for");
    let too_large = || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the object is larger than this server takes");
    if head.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "an object is sent as it is, without coding"));
    }
    match (body.size_hint().exact(), size) {
        (Some(declared), _) if declared > OBJECT_BYTES_MAX => return Err(too_large()),
        (Some(declared), Some(size)) if declared != size => return Err(wrong_size()),
        _ => {}
    }
    let mut arrival = shelf.receive(oid)?;
    while let Some(piece) = next_piece(visit, body).await? {
        shared.counters.bytes_in.fetch_add(piece.len() as u64, Ordering::Relaxed);
        if arrival.size() + piece.len() as u64 > limit {
            return Err(if size.is_some() { wrong_size() } else { too_large() });
        }
        // Written inline: the page cache takes a piece in microseconds, a change of thread costs more.
        arrival.write(&piece)?;
    }
    if size.is_some_and(|size| size != arrival.size()) {
        return Err(wrong_size());
    }
    // No byte moves while the disk syncs, so the connection must not be taken for idle.
    let _busy = visit.guest.busy();
    let kept = tokio::task::spawn_blocking(move || arrival.keep()).await.map_err(io::Error::other)?;
    if !kept? {
        return Err(Refusal::unprocessable("the bytes do not hash to the object's name"));
    }
    shared.counters.puts.fetch_add(1, Ordering::Relaxed);
    Ok(empty_answer(StatusCode::OK))
}

/// The next bytes of a body; none at its proper end.
async fn next_piece(visit: &Visit, body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = tokio::time::timeout(visit.shared.limits.idle, body.frame())
            .await
            .map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body stopped arriving"))?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::new(StatusCode::BAD_REQUEST, "the body broke off")),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    visit.guest.moved();
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

/// Only called with text made of digits and ASCII punctuation; a wrong value would lose the header, not the server.
fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
