//! One request from door to answer: host and origin, route, login, handler, refusal, log. Keeps three rules: whatever
//! happens, the client gets an answer; it is counted and logged once; and of a request nothing is kept before its
//! caller is let in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::header::{EXPECT, HeaderMap};
use http::request::Parts;
use http::{Method, Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::access::{Action, Verb};
use super::answer::{Answer, Refusal};
use super::budget::Lease;
use super::doorway;
use super::guest::Guest;
use super::limits::DRAIN_BYTES_MAX;
use super::route::{Place, Route};
use super::store::Shelf;
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

/// A request and the connection it came on.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) guest: Arc<Guest>,
}

/// Somebody who may do what the request asks for. Nothing of a body is read for anybody else.
pub(super) struct Caller<'a> {
    visit: &'a Visit,
    /// The name the caller goes by.
    pub(super) owner: String,
}

impl Visit {
    /// Lets a caller of the API in.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Caller<'_>, Refusal> {
        let owner = self.shared.access.admit(headers)?;
        self.guest.let_in();
        Ok(Caller { visit: self, owner })
    }

    /// Lets a caller in who may apply `verb`, to whatever the action names if an action's token says so.
    pub(super) fn admit_action(
        &self,
        headers: &HeaderMap,
        verb: Verb,
        shelf: &Shelf<'_>,
    ) -> Result<(Caller<'_>, Option<Action>), Refusal> {
        let Some(action) = self.shared.access.action_of(headers, verb, shelf)? else {
            return Ok((self.admit(headers)?, None));
        };
        self.guest.let_in();
        Ok((Caller { visit: self, owner: String::new() }, Some(action)))
    }

    /// Memory that this request will hold.
    pub(super) fn lease(&self) -> Lease {
        self.shared.budget.lease(&self.guest)
    }
}

impl Caller<'_> {
    pub(super) fn visit(&self) -> &Visit {
        self.visit
    }
}

/// Answers one request.
pub(super) async fn respond(shared: Arc<Shared>, guest: Arc<Guest>, request: Request<Incoming>) -> Answer {
    let begun = Instant::now();
    let turn = guest.turn(request.version() == Version::HTTP_2);
    let visit = Visit { shared, guest };
    let (head, mut body) = request.into_parts();
    let asked = visit.shared.log.as_ref().map(|_| (head.method.clone(), shown_path(&head)));
    let is_unsent = body.is_end_stream() || head.headers.contains_key(EXPECT);
    let (served, origin) = match visit.shared.doorway.enter(&head) {
        Ok(entry) => (serve(&visit, &entry.base, head, &mut body).await, entry.origin),
        Err(refusal) => {
            drop(head);
            (Err(refusal), None)
        }
    };
    let counted = served.and_then(|mut answer| {
        answer.body_mut().counted(visit.lease())?;
        Ok(answer)
    });
    let mut answer = match counted {
        Ok(answer) => answer,
        Err(refusal) => {
            visit.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
            if !is_unsent {
                drain(&mut body, visit.shared.limits.patience).await;
            }
            refusal.into_answer()
        }
    };
    doorway::expose(&mut answer, origin);
    if let (Some(log), Some((method, path))) = (&visit.shared.log, asked) {
        log(&LogLine { method, path, status: answer.status(), took: begun.elapsed() });
    }
    answer.body_mut().takes_its_turn(turn);
    answer
}

/// The head goes with the answer: a refused request leaves nothing behind while its body is read on.
async fn serve(visit: &Visit, base: &str, head: Parts, body: &mut Incoming) -> Result<Answer, Refusal> {
    if let Some(answer) = doorway::preflight(&head) {
        return Ok(answer);
    }
    let Route { repository, place } = Route::of(head.uri.path()).ok_or_else(Refusal::not_found)?;
    let posted = head.method == Method::POST;
    match place {
        Place::Object { oid } => objects::object(visit, &repository, &oid, &head, body).await,
        Place::Locks if head.method == Method::GET => locks::list(visit, &repository, &head),
        Place::Locks if posted => locks::create(visit, repository, &head, body).await,
        Place::Locks => Err(Refusal::wrong_method("GET, POST")),
        _ if !posted => Err(Refusal::wrong_method("POST")),
        Place::Batch => batch::batch(visit, base, &repository, &head, body).await,
        Place::Verify => batch::verify(visit, &repository, &head, body).await,
        Place::LocksVerify => locks::verify(visit, &repository, &head, body).await,
        Place::Unlock { id } => locks::unlock(visit, repository, &id, &head, body).await,
    }
}

/// Reads on after a refusal, within bounds, and keeps nothing: closing on unread bytes would reset the connection and
/// could take the answer with it. A client that waits for `100 Continue` has sent nothing, and is not asked to.
async fn drain(body: &mut Incoming, patience: Duration) {
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
    tokio::time::timeout(patience, reading).await.ok();
}

fn shown_path(head: &Parts) -> String {
    let mut path: String = head.uri.path().chars().filter(|c| !c.is_control()).collect();
    path.truncate(path.floor_char_boundary(LOGGED_PATH_BYTES_MAX));
    path
}
