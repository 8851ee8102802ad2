//! One request from door to answer: host and origin, route, handler, refusal, log. Keeps one rule: whatever happens,
//! the client gets an answer, and it is counted and logged once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::header::EXPECT;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::activity::Activity;
use super::answer::{Answer, Refusal};
use super::doorway::{self, Entry};
use super::limits::{DRAIN_BYTES_MAX, DRAIN_MS_MAX};
use super::route::Route;
use super::{Shared, batch, locks, objects};

const LOGGED_PATH_BYTES_MAX: usize = 512;

/// One served request. It names no header, no query and no body, so it holds no secret.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The request's method.
    pub method: Method,
    /// The request's path, bounded.
    pub path: String,
    /// The answer's status.
    pub status: StatusCode,
    /// Time until the answer's head was ready; a blob may still be streaming.
    pub took: Duration,
}

impl fmt::Display for LogLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, status, took } = self;
        write!(out, "{method} {path} {} {:.1} ms", status.as_u16(), took.as_secs_f64() * 1e3)
    }
}

/// Answers one request.
pub(super) async fn respond(shared: Arc<Shared>, activity: Arc<Activity>, request: Request<Incoming>) -> Answer {
    let begun = Instant::now();
    let (head, mut body) = request.into_parts();
    let (served, origin) = match shared.doorway.enter(&head) {
        Ok(entry) => (serve(&shared, &activity, &entry, &head, &mut body).await, entry.origin),
        Err(refusal) => (Err(refusal), None),
    };
    let mut answer = match served {
        Ok(answer) => answer,
        Err(refusal) => {
            shared.counters.refused.fetch_add(1, Ordering::Relaxed);
            drain(&head, &mut body).await;
            refusal.into_answer()
        }
    };
    doorway::expose(&mut answer, origin);
    if let Some(log) = &shared.log {
        log(&line(&head, answer.status(), begun.elapsed()));
    }
    answer
}

async fn serve(
    shared: &Arc<Shared>,
    activity: &Arc<Activity>,
    entry: &Entry,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    if let Some(answer) = doorway::preflight(head) {
        return Ok(answer);
    }
    let route = Route::of(head.uri.path()).ok_or_else(Refusal::not_found)?;
    let posted = head.method == Method::POST;
    match route {
        Route::Object { oid } => objects::object(shared, activity, &oid, head, body).await,
        Route::Locks { repository } if head.method == Method::GET => locks::list(shared, &repository, head),
        Route::Locks { repository } if posted => locks::create(shared, repository, head, body).await,
        Route::Locks { .. } => Err(Refusal::wrong_method("GET, POST")),
        _ if !posted => Err(Refusal::wrong_method("POST")),
        Route::Batch => batch::batch(shared, &entry.base, head, body).await,
        Route::Verify => batch::verify(shared, head, body).await,
        Route::LocksVerify { repository } => locks::verify(shared, &repository, head, body).await,
        Route::Unlock { repository, id } => locks::unlock(shared, repository, &id, head, body).await,
    }
}

/// Reads on after a refusal, within bounds: closing on unread bytes would reset the connection and could take the
/// answer with it. A client that waits for `100 Continue` has sent nothing, and is not asked to.
async fn drain(head: &Parts, body: &mut Incoming) {
    if body.is_end_stream() || head.headers.contains_key(EXPECT) {
        return;
    }
    let mut left = DRAIN_BYTES_MAX;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    tokio::time::timeout(Duration::from_millis(DRAIN_MS_MAX), reading).await.ok();
}

fn line(head: &Parts, status: StatusCode, took: Duration) -> LogLine {
    let mut path: String = head.uri.path().chars().filter(|c| !c.is_control()).collect();
    path.truncate(path.floor_char_boundary(LOGGED_PATH_BYTES_MAX));
    LogLine { method: head.method.clone(), path, status, took }
}
