//! The locks API: create, list, verify, unlock. Keeps three rules: a lock belongs to the name the caller logged in
//! with, a conflict always shows the lock that stands in the way, and nothing changes before there is room for its
//! answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use http::request::Parts;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::Shared;
use super::answer::{Answer, Refusal, json_answer};
use super::budget::Lease;
use super::json_body::{self, ref_name};
use super::limits::{JSON_BYTES_MAX, LOCK_ANSWER_BYTES_MAX, LOCK_PATH_BYTES_MAX, LOCKS_PAGE_DEFAULT, LOCKS_PAGE_MAX};
use super::lock_book::{Lock, NotLocked, NotUnlocked};
use super::service::{Caller, Visit};

/// Serves `POST …/locks`.
pub(super) async fn create(
    visit: &Visit,
    repository: String,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let caller = enter(visit, head)?;
    let request = json_body::read_object(&caller, body, JSON_BYTES_MAX).await?;
    let path = request.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    if path.is_empty() || path.len() > LOCK_PATH_BYTES_MAX || path.contains('\0') {
        return Err(Refusal::unprocessable("the lock must name the path of a file"));
    }
    let reference = ref_name(&request)?;
    drop(request);
    let owner = caller.owner;
    let room = room(visit).await?;
    match on_disk(&visit.shared, move |shared| shared.locks.lock(&repository, &path, &owner, reference)).await? {
        Ok(lock) => Ok(answer_in(room, StatusCode::CREATED, &json!({ "lock": lock.shown() }))),
        Err(NotLocked::Held(lock)) => {
            let message = format!("{} holds the lock on this path", lock.owner);
            Ok(answer_in(room, StatusCode::CONFLICT, &json!({ "lock": lock.shown(), "message": message })))
        }
        Err(NotLocked::Full) => Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "this server keeps no more locks")),
        Err(NotLocked::Disk(error)) => Err(error.into()),
    }
}

/// Serves `GET …/locks?path=&id=&refspec=&cursor=&limit=`. A lock made without a ref is on every ref.
pub(super) fn list(visit: &Visit, repository: &str, head: &Parts) -> Result<Answer, Refusal> {
    enter(visit, head)?;
    let query: BTreeMap<_, _> = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).collect();
    let asked = |name: &str| query.get(name).map(AsRef::as_ref).filter(|text: &&str| !text.is_empty());
    let limit = match asked("limit") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| bad_limit())?),
    };
    let (path, id, refspec) = (asked("path"), asked("id"), asked("refspec"));
    let wanted = |lock: &Lock| {
        path.is_none_or(|path| lock.path == path)
            && id.is_none_or(|id| lock.number.to_string() == id)
            && (refspec.is_none() || lock.reference.is_none() || lock.reference.as_deref() == refspec)
    };
    let (locks, next) = visit.shared.locks.page(repository, from(asked("cursor"))?, page_size(limit), wanted);
    let shown = locks.iter().map(Lock::shown).collect();
    Ok(page_answer([("locks", shown)].into_iter(), next))
}

/// Serves `POST …/locks/verify`: the caller's own locks and everybody else's, on whatever ref they were made, because
/// a path has one holder on all of them.
pub(super) async fn verify(
    visit: &Visit,
    repository: &str,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let caller = enter(visit, head)?;
    let request = json_body::read_object(&caller, body, JSON_BYTES_MAX).await?;
    ref_name(&request)?;
    let cursor = request.get("cursor").and_then(Value::as_str).filter(|text| !text.is_empty());
    let limit = match request.get("limit") {
        None | Some(Value::Null) => None,
        Some(limit) => Some(limit.as_u64().ok_or_else(bad_limit)?),
    };
    let (locks, next) = visit.shared.locks.page(repository, from(cursor)?, page_size(limit), |_| true);
    let (ours, theirs): (Vec<Lock>, Vec<Lock>) = locks.into_iter().partition(|lock| lock.owner == caller.owner);
    let shown = |locks: Vec<Lock>| locks.iter().map(Lock::shown).collect();
    Ok(page_answer([("ours", shown(ours)), ("theirs", shown(theirs))].into_iter(), next))
}

/// Serves `POST …/locks/<id>/unlock`.
pub(super) async fn unlock(
    visit: &Visit,
    repository: String,
    id: &str,
    head: &Parts,
    body: &mut Incoming,
) -> Result<Answer, Refusal> {
    let caller = enter(visit, head)?;
    let request = json_body::read_object(&caller, body, JSON_BYTES_MAX).await?;
    let force = match request.get("force") {
        None | Some(Value::Null) => false,
        Some(force) => force.as_bool().ok_or_else(|| Refusal::unprocessable("force must be true or false"))?,
    };
    drop(request);
    let owner = caller.owner;
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "there is no such lock");
    let number = id.parse().map_err(|_| unknown())?;
    let room = room(visit).await?;
    match on_disk(&visit.shared, move |shared| shared.locks.unlock(&repository, number, &owner, force)).await? {
        Ok(lock) => Ok(answer_in(room, StatusCode::OK, &json!({ "lock": lock.shown() }))),
        Err(NotUnlocked::Unknown) => Err(unknown()),
        Err(NotUnlocked::Foreign(lock)) => {
            Err(Refusal::new(StatusCode::FORBIDDEN, format!("{} holds this lock, only force takes it", lock.owner)))
        }
        Err(NotUnlocked::Disk(error)) => Err(error.into()),
    }
}

/// The caller; every locks request counts once.
fn enter<'a>(visit: &'a Visit, head: &Parts) -> Result<Caller<'a>, Refusal> {
    let caller = visit.admit(&head.headers)?;
    visit.shared.counters.locks.fetch_add(1, Ordering::Relaxed);
    Ok(caller)
}

/// Room for the answer about one lock. Whoever does not get any may ask again as if for the first time.
async fn room(visit: &Visit) -> Result<Lease, Refusal> {
    let mut lease = visit.lease();
    lease.grow(LOCK_ANSWER_BYTES_MAX).await?;
    Ok(lease)
}

fn answer_in(room: Lease, status: StatusCode, value: &Value) -> Answer {
    let mut answer = json_answer(status, value);
    answer.body_mut().counted_before(room);
    answer
}

/// Runs a change of the locks beside the loop, because it waits for the disk.
async fn on_disk<T: Send + 'static>(
    shared: &Arc<Shared>,
    change: impl FnOnce(&Shared) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let shared = Arc::clone(shared);
    Ok(tokio::task::spawn_blocking(move || change(&shared)).await.map_err(io::Error::other)?)
}

/// The number a cursor stands for.
fn from(cursor: Option<&str>) -> Result<u64, Refusal> {
    cursor.map_or(Ok(0), str::parse).map_err(|_| Refusal::unprocessable("the cursor is not one of this server's"))
}

/// Zero, as absent, means the server's choice.
fn page_size(limit: Option<u64>) -> usize {
    match limit {
        None | Some(0) => LOCKS_PAGE_DEFAULT,
        Some(limit) => usize::try_from(limit).unwrap_or(LOCKS_PAGE_MAX).min(LOCKS_PAGE_MAX),
    }
}

fn bad_limit() -> Refusal {
    Refusal::unprocessable("the limit must be a whole number")
}

/// Lists are always there, even empty; the cursor only when there is more.
fn page_answer(lists: impl Iterator<Item = (&'static str, Vec<Value>)>, next: Option<u64>) -> Answer {
    let mut page: Map<String, Value> = lists.map(|(name, locks)| (name.to_owned(), locks.into())).collect();
    if let Some(next) = next {
        page.insert("next_cursor".into(), next.to_string().into());
    }
    json_answer(StatusCode::OK, &page.into())
}
