//! The lock API: create, list, verify, unlock, page by page.
//!
//! Two things differ from git-lfs: when a path is locked already, that lock is reported with its owner; and ids are
//! percent-encoded.

use super::Machine;
use crate::contract::{EffectId, Method};
use crate::git_lfs::response_error::{refusal_in, response_error};
use crate::protocol::call::{Call, Response};
use crate::protocol::link::Link;
use crate::protocol::outbox::{Event, Outbox};
use crate::protocol::outgoing::Outgoing;
use crate::protocol::refusal;
use crate::text::error::{Code, Error, quote};
use crate::text::json::{self, Kind, Value};
use crate::text::limits::{LOCK_ID_BYTES_MAX, LOCK_PAGES_MAX, LOCKS_MAX, NAME_BYTES_MAX};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// One lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The server's id for it.
    pub id: String,
    /// The path it guards.
    pub path: String,
    /// RFC 3339, as the server wrote it, or empty.
    pub locked_at: String,
    /// Who holds it, if the server says.
    pub owner: Option<String>,
}

/// What to do about locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockTask {
    /// Take a lock on a path.
    Create(String),
    /// List locks, of one path or all.
    ListAll(Option<String>),
    /// List our locks and those of others.
    Verify,
    /// Release a lock, by id.
    Unlock {
        /// The server's id for it.
        id: String,
        /// Release it even if it is somebody else's.
        force: bool,
    },
}

/// The result of a lock task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockReport {
    /// `Create`, `Unlock`: the lock taken or released. `ListAll`: the locks listed. `Verify`: our own.
    pub locks: Vec<Lock>,
    /// `Verify`: locks of others. `Create`: the lock that was there already, even if it is our own.
    pub theirs: Vec<Lock>,
    /// False when the server has no lock API.
    pub supported: bool,
    /// Success, or the error.
    pub ended: Result<(), Error>,
}

/// The machine behind `locks`.
#[derive(Debug)]
pub struct Locks {
    task: LockTask,
    /// The refusal of a path, while the locks on it are listed.
    refusal: Option<Error>,
    call: Option<Call>,
    cursor: Option<String>,
    pages: u32,
    report: LockReport,
    done: bool,
}

impl Locks {
    pub(crate) fn new(task: LockTask) -> Result<Self, Error> {
        let text = match &task {
            LockTask::Create(text) | LockTask::ListAll(Some(text)) | LockTask::Unlock { id: text, .. } => text,
            LockTask::ListAll(None) | LockTask::Verify => "-",
        };
        let climbs = matches!(&task, LockTask::Unlock { id, .. } if id == "." || id == "..");
        if text.is_empty() || text.contains(char::is_control) || climbs {
            return Err(Error::new(Code::Malformed, "a lock needs a path or an id on one line"));
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(Error::new(Code::Limit, format_args!("a path or id has more than {NAME_BYTES_MAX} bytes")));
        }
        let report =
            LockReport { locks: Vec::new(), theirs: Vec::new(), supported: true, ended: Err(refusal::unfinished()) };
        Ok(Self { task, refusal: None, call: None, cursor: None, pages: 0, report, done: false })
    }

    fn end(&mut self, ended: Result<(), Error>) {
        self.report.ended = match self.refusal.take() {
            Some(error) => Err(self.told(error)),
            None => ended,
        };
        self.done = true;
    }

    /// The refusal of a path, after the locks on it were listed. It is a conflict once there is one.
    fn told(&mut self, error: Error) -> Error {
        let LockTask::ListAll(Some(path)) = &self.task else { return error };
        self.report.theirs = core::mem::take(&mut self.report.locks);
        self.report.theirs.retain(|lock| lock.path == *path);
        if self.report.theirs.is_empty() { error } else { Error { code: Code::Conflict, ..error } }
    }

    /// Who holds the path? Not every server says so in its refusal, so the locks on it are listed.
    fn refused(&mut self, error: Error) {
        let is_refusal = matches!(error.code, Code::Conflict | Code::Rejected);
        match &self.task {
            LockTask::Create(path) if is_refusal && self.report.theirs.is_empty() => {
                self.task = LockTask::ListAll(Some(path.clone()));
                self.refusal = Some(error);
            }
            LockTask::Create(_) if is_refusal => self.end(Err(Error { code: Code::Conflict, ..error })),
            _ => self.end(Err(error)),
        }
    }

    /// Takes a response into the report; `Some` is the cursor of the next page.
    fn read(&mut self, answer: &Response, now: u64) -> Result<Option<String>, Error> {
        self.pages += 1;
        let status = answer.head.status;
        if !(200..300).contains(&status) {
            let verify = matches!(self.task, LockTask::Verify);
            // 501 always means: no lock API. So does 404 for `Verify`; for other tasks it may mean a lock or a
            // repository.
            self.report.supported = status != 501 && !(verify && status == 404);
            if verify && !self.report.supported {
                return Ok(None);
            }
            let root = json::parse(&answer.body).ok();
            self.report.theirs.extend(root.as_ref().and_then(|root| lock(root.get("lock")?)));
            let refused = refusal::whole("the lock request", &response_error(&answer.head, &answer.body, now), now);
            // A 409 of this API means that the path is locked already, not that the request is wrong.
            return Err(if status == 409 { Error { code: Code::Conflict, ..refused } } else { refused });
        }
        let root = json::parse(&answer.body).ok().filter(Value::is_object).ok_or_else(broken)?;
        // Some servers refuse with 200 and a message, and may show the lock that is there already.
        let is_listed = ["locks", "ours"].iter().any(|key| root.get(key).is_some());
        if !is_listed && root.get("message").and_then(Value::text).is_some_and(|message| !message.is_empty()) {
            self.report.theirs.extend(root.get("lock").and_then(lock));
            let said = refusal_in(&answer.head, &answer.body, now);
            return Err(refusal::whole("the lock request", &said, now));
        }
        match &self.task {
            LockTask::Create(_) | LockTask::Unlock { .. } => {
                self.report.locks.push(root.get("lock").and_then(lock).ok_or_else(broken)?);
                return Ok(None);
            }
            LockTask::ListAll(_) => list(&root, "locks", &mut self.report.locks)?,
            LockTask::Verify => {
                list(&root, "ours", &mut self.report.locks)?;
                list(&root, "theirs", &mut self.report.theirs)?;
            }
        }
        let cursor = root.get("next_cursor").and_then(Value::text).filter(|cursor| !cursor.is_empty());
        if cursor.is_some_and(|cursor| !is_id(cursor)) {
            return Err(broken());
        }
        Ok(cursor.map(str::to_owned))
    }
}

impl Machine for Locks {
    type Report = LockReport;

    fn advance(&mut self, out: &mut Outbox, link: &mut Link) {
        if self.done {
            return;
        }
        let (task, cursor) = (&self.task, self.cursor.as_deref());
        self.call.get_or_insert_with(|| Call::new("the lock request", request(task, cursor, link))).advance(out, link);
    }

    fn on(&mut self, id: EffectId, event: Event, out: &mut Outbox, link: &mut Link) {
        let Some(call) = self.call.as_mut().filter(|call| call.id() == Some(id)) else { return };
        let Some(ended) = call.on(event, out, link) else { return };
        self.call = None;
        match ended.and_then(|answer| self.read(&answer, out.now.wall)) {
            Ok(None) => self.end(Ok(())),
            Ok(Some(cursor)) if self.cursor.as_deref() == Some(&cursor) => {
                self.end(Err(Error::new(Code::Malformed, "the server's list of locks repeats a page")));
            }
            Ok(Some(_))
                if self.pages >= LOCK_PAGES_MAX || self.report.locks.len() + self.report.theirs.len() > LOCKS_MAX =>
            {
                self.end(Err(Error::new(
                    Code::Limit,
                    format_args!("the server lists more than {LOCK_PAGES_MAX} pages or {LOCKS_MAX} locks"),
                )));
            }
            Ok(Some(cursor)) => self.cursor = Some(cursor),
            Err(error) => self.refused(error),
        }
    }

    fn stop(&mut self, out: &mut Outbox) {
        if self.done {
            return;
        }
        match self.call.as_ref().and_then(Call::id) {
            Some(id) => out.cancel(id),
            None => self.end(Err(refusal::stopped())),
        }
    }

    fn wake(&self, now: u64, link: &Link) -> Option<u64> {
        self.call.as_ref().and_then(Call::wake).filter(|at| *at > now || !link.renewing())
    }

    fn left(&self) -> usize {
        usize::from(!self.done)
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(self) -> LockReport {
        self.report
    }
}

/// Whether a text may be the id of a lock or the cursor of a page.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LOCK_ID_BYTES_MAX && !text.contains(char::is_control)
}

fn broken() -> Error {
    Error::new(Code::Malformed, "the lock request: the answer has no lock, or one that cannot be used")
}

/// Takes a list of locks. One that is left out would be taken for none.
fn list(answer: &Value<'_>, key: &str, locks: &mut Vec<Lock>) -> Result<(), Error> {
    for item in answer.get(key).map(Value::items).unwrap_or_default() {
        locks.push(lock(item).ok_or_else(broken)?);
    }
    Ok(())
}

fn lock(value: &Value<'_>) -> Option<Lock> {
    let word = |key| value.get(key).and_then(Value::text).map(quote);
    // Some servers number their locks.
    let id = match &value.get("id")?.kind {
        Kind::Number(spelled) => spelled,
        Kind::String(text) => &**text,
        _ => return None,
    };
    // As it is, so that it can be compared with the name of a file.
    let path = value.get("path").and_then(Value::text).unwrap_or_default();
    if !is_id(id) || path.len() > NAME_BYTES_MAX {
        return None;
    }
    let owner = value.get("owner").and_then(|owner| owner.get("name")?.text().map(quote));
    Some(Lock { id: id.to_owned(), path: path.to_owned(), locked_at: word("locked_at").unwrap_or_default(), owner })
}

fn request(task: &LockTask, cursor: Option<&str>, link: &Link) -> Outgoing {
    let reference = link.config.reference.as_deref();
    let in_body = reference.map(|name| format!("\"ref\":{{\"name\":{}}}", json::quoted(name)));
    let post = |path: &str, fields: Vec<Option<String>>| {
        let fields: Vec<String> = fields.into_iter().flatten().collect();
        Outgoing::api(Method::Post, link.api(path), format!("{{{}}}", fields.join(",")))
    };
    match task {
        LockTask::Create(path) => post("locks", vec![Some(format!("\"path\":{}", json::quoted(path))), in_body]),
        LockTask::Verify => {
            post("locks/verify", vec![in_body, cursor.map(|cursor| format!("\"cursor\":{}", json::quoted(cursor)))])
        }
        LockTask::Unlock { id, force } => {
            let force = force.then(|| "\"force\":true".to_owned());
            post(&format!("locks/{}/unlock", encoded(id)), vec![force, in_body])
        }
        LockTask::ListAll(path) => {
            let fields = [("path", path.as_deref()), ("cursor", cursor), ("refspec", reference)];
            let mut url = link.api("locks");
            for (key, value) in fields {
                if let Some(value) = value {
                    url.path.push(if url.path.contains('?') { '&' } else { '?' });
                    url.path += &format!("{key}={}", encoded(value));
                }
            }
            Outgoing::api(Method::Get, url, String::new())
        }
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}
