//! The batch API as text: the request, and the answer decoded object by object.
//!
//! Sources: git-lfs `docs/api/batch.md`, the measured behaviour of its client, and what real servers send. Where the
//! client hangs, crashes or fails the whole batch (objects left out, repeated or never asked for, one wrongly typed
//! field), each object here gets a verdict of its own.

use crate::clock;
use crate::config::Config;
use crate::contract::{Body, Head, Header, Login, Method, Request};
use crate::error::{Code, Error, quote};
use crate::http::{self, Outgoing};
use crate::json::{self, Value};
use crate::limits::{ACTION_HEADERS_MAX, EXPIRY_MARGIN_MS, HEADER_BYTES_MAX, JSON_BYTES_MAX, UNKNOWN_OIDS_MAX};
use crate::link::Link;
use crate::oid::{Blob, Oid};
use crate::retry;
use crate::url::Url;
use std::collections::{BTreeMap, BTreeSet};

/// The transfer that every server and every client knows, and the only one carried out here.
pub(crate) const BASIC: &str = "basic";
/// The zero time of Go servers: it means never.
const GO_ZERO_TIME: &str = "0001-01-01T00:00:00Z";
/// `expires_in` lies within this many seconds (git-lfs documents the same).
const EXPIRES_IN_S_MAX: i64 = i32::MAX as i64;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server.
    Download,
    /// To the server.
    Upload,
}

impl Direction {
    /// The word of the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Download => "download",
            Direction::Upload => "upload",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which way.
    pub direction: Direction,
    /// Full name of the git reference.
    pub reference: Option<String>,
    /// Transfers offered; none is the same as `basic` alone.
    pub transfers: Vec<String>,
    /// Objects; one oid twice is asked once.
    pub objects: Vec<Blob>,
}

/// Where to send or fetch bytes. All of it may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Absolute URL, as the server wrote it.
    pub href: String,
    /// Headers to send.
    pub headers: Vec<Header>,
    /// Wall-clock milliseconds; none is never.
    pub expires_at: Option<u64>,
}

impl Action {
    /// Whether it has ended, or will within the margin. Strictly: an action that ends exactly at the margin is used.
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
    /// Another size than was asked.
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

    /// The name every boundary uses.
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
    pub(crate) const fn explain(self) -> &'static str {
        match self {
            Flaw::NoAction => "the server offered neither a way to transfer the object nor an error",
            Flaw::MissingFromResponse => "the server left the object out of its answer",
            Flaw::Duplicate => "the server answered for the object more than once",
            Flaw::SizeMismatch => "the server speaks of another size than the pointer",
            Flaw::BadHref => "the server gave an address that is not an absolute http or https URL",
            Flaw::BadHeader => "the server asked for a header that cannot be sent",
        }
    }
}

/// The server's error for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As in HTTP; 0 when the server gave none.
    pub status: u16,
    /// The server's words, bounded.
    pub message: String,
    /// Whether asking again can help.
    pub retryable: bool,
}

/// What the server says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has it already (uploads).
    Present,
    /// Fetch it here.
    Download(Action),
    /// Send it here, then ask the second address to verify, if there is one.
    Upload(Action, Option<Action>),
    /// The permission has run out: ask again.
    Expired,
    /// It will not.
    Refused(Refusal),
    /// The entry is broken.
    Broken(Flaw),
}

/// One object of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The object asked for.
    pub oid: Oid,
    /// The action needs no login besides its headers.
    pub authenticated: bool,
    /// What the server says.
    pub verdict: Verdict,
}

/// An answer that speaks of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The transfer to use.
    pub transfer: String,
    /// One entry for each object asked, in that order.
    pub objects: Vec<Object>,
    /// Objects nobody asked for, bounded.
    pub unknown: Vec<String>,
}

/// Classes of whole answers that speak of no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedKind {
    /// 401.
    Login,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 406.
    NotAcceptable,
    /// 409.
    Conflict,
    /// 410.
    Gone,
    /// 413.
    TooLarge,
    /// 422.
    Validation,
    /// 429.
    RateLimited,
    /// 500, 502, 503, 504 and other 5xx without a class of their own.
    Server,
    /// 501.
    NotImplemented,
    /// 507.
    InsufficientStorage,
    /// 509.
    BandwidthExceeded,
    /// Any other 4xx.
    Client,
    /// 200 with a body that does not call itself JSON.
    BadContentType,
    /// 200 with a body that is not the JSON object it should be.
    BadJson,
    /// Any other status.
    UnexpectedStatus,
    /// A transfer that was not offered.
    UnsupportedTransfer,
    /// Another hash than sha256.
    UnsupportedHashAlgo,
}

impl RefusedKind {
    /// The whole list with the names every boundary uses, in the order of the WIT enum.
    pub const ALL: [(RefusedKind, &'static str); 19] = [
        (RefusedKind::Login, "login"),
        (RefusedKind::Forbidden, "forbidden"),
        (RefusedKind::NotFound, "not-found"),
        (RefusedKind::NotAcceptable, "not-acceptable"),
        (RefusedKind::Conflict, "conflict"),
        (RefusedKind::Gone, "gone"),
        (RefusedKind::TooLarge, "too-large"),
        (RefusedKind::Validation, "validation"),
        (RefusedKind::RateLimited, "rate-limited"),
        (RefusedKind::Server, "server"),
        (RefusedKind::NotImplemented, "not-implemented"),
        (RefusedKind::InsufficientStorage, "insufficient-storage"),
        (RefusedKind::BandwidthExceeded, "bandwidth-exceeded"),
        (RefusedKind::Client, "client"),
        (RefusedKind::BadContentType, "bad-content-type"),
        (RefusedKind::BadJson, "bad-json"),
        (RefusedKind::UnexpectedStatus, "unexpected-status"),
        (RefusedKind::UnsupportedTransfer, "unsupported-transfer"),
        (RefusedKind::UnsupportedHashAlgo, "unsupported-hash-algo"),
    ];

    /// The name every boundary uses.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// An answer that speaks of no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its class.
    pub kind: RefusedKind,
    /// Status code.
    pub status: u16,
    /// The server's words, bounded; empty when it had none.
    pub message: String,
    /// The server's name for this request.
    pub request_id: Option<String>,
    /// Where the server explains itself.
    pub documentation_url: Option<String>,
    /// For [`RefusedKind::Login`]: the schemes asked for, lower case, in order.
    pub schemes: Vec<String>,
    /// For [`RefusedKind::Login`]: the first realm.
    pub realm: Option<String>,
    /// Milliseconds to wait, as the server asked.
    pub retry_after: Option<u64>,
}

/// Objects without repetitions, in their first order.
pub(crate) fn distinct(objects: &[Blob]) -> Vec<Blob> {
    let mut seen = BTreeSet::new();
    objects.iter().copied().filter(|blob| seen.insert(blob.oid)).collect()
}

/// The request's body; `None` when there is nothing to ask.
pub fn ask(question: &Question) -> Option<String> {
    if question.objects.is_empty() {
        return None;
    }
    let objects: Vec<String> = distinct(&question.objects).iter().map(|blob| object(*blob)).collect();
    let mut body = format!("{{\"operation\":\"{}\"", question.direction.name());
    let basic_alone = question.transfers.iter().all(|transfer| transfer == BASIC);
    if !basic_alone {
        let transfers: Vec<String> = question.transfers.iter().map(|transfer| json::quoted(transfer)).collect();
        body += &format!(",\"transfers\":[{}]", transfers.join(","));
    }
    if let Some(reference) = &question.reference {
        body += &format!(",\"ref\":{{\"name\":{}}}", json::quoted(reference));
    }
    body += &format!(",\"objects\":[{}],\"hash_algo\":\"sha256\"}}", objects.join(","));
    Some(body)
}

/// The request to send to an endpoint; `None` when there is nothing to ask.
pub fn request(endpoint: &str, question: &Question) -> Result<Option<Request>, Error> {
    let link = Link::new(Config { insecure_http: true, ..Config::new(endpoint) })?;
    Ok(ask(question).map(|body| asking(&link, body).request(Login::None, true)))
}

/// The batch request on its way.
pub(crate) fn asking(link: &Link, body: String) -> Outgoing {
    Outgoing::api(Method::Post, link.api("objects/batch"), body)
}

/// The request that tells the server to check an upload.
pub fn verify_request(blob: Blob, action: &Action) -> Result<Request, Error> {
    let url = Url::parse(&action.href).ok_or_else(|| Error::new(Code::Malformed, Flaw::BadHref.explain()))?;
    Ok(verifying(url, &action.headers, blob, false).request(Login::None, true))
}

/// The verify request on its way.
pub(crate) fn verifying(url: Url, headers: &[Header], blob: Blob, authenticated: bool) -> Outgoing {
    let api = [Header::new("Accept", http::LFS_JSON), Header::new("Content-Type", http::LFS_JSON)];
    Outgoing::action(Method::Post, url, headers, api.to_vec(), Body::Bytes(object(blob).into_bytes()), authenticated)
}

/// `{"oid":…,"size":…}`: an entry of a batch request, and all of a verify request.
pub fn object(blob: Blob) -> String {
    format!("{{\"oid\":\"{}\",\"size\":{}}}", blob.oid, blob.size)
}

/// What an answer means. `asked_at` is the wall clock just before the request was sent: relative expiry counts from it.
pub fn read(question: &Question, head: &Head, body: &[u8], asked_at: u64, now: u64) -> Result<Answered, Refused> {
    if head.status != 200 {
        return Err(refused_status(head, body, now));
    }
    let refused = |kind| Refused { kind, ..Refused::plain(head.status) };
    if !head.value("content-type").is_some_and(http::is_json) {
        return Err(refused(RefusedKind::BadContentType));
    }
    let root = Some(body).filter(|body| body.len() <= JSON_BYTES_MAX).and_then(|body| json::parse(body).ok());
    let root = root.filter(Value::is_object).ok_or_else(|| refused(RefusedKind::BadJson))?;
    let word = |key| match root.get(key) {
        None => Ok(""),
        Some(value) => value.text().ok_or_else(|| refused(RefusedKind::BadJson)),
    };
    if !matches!(word("hash_algo")?, "" | "sha256") {
        return Err(refused(RefusedKind::UnsupportedHashAlgo));
    }
    let transfer = match word("transfer")? {
        "" => BASIC,
        named => named,
    };
    if transfer != BASIC && !question.transfers.iter().any(|offered| offered == transfer) {
        return Err(refused(RefusedKind::UnsupportedTransfer));
    }
    let entries = match root.get("objects") {
        None => &[],
        Some(Value { kind: json::Kind::Array(items), .. }) => items.as_slice(),
        Some(_) => return Err(refused(RefusedKind::BadJson)),
    };
    let asked = distinct(&question.objects);
    // Filled one by one: collecting a map brings a sort along, which costs the engine more than all of this file.
    let mut found: BTreeMap<Oid, Vec<&Value<'_>>> = BTreeMap::new();
    for blob in &asked {
        found.insert(blob.oid, Vec::new());
    }
    let mut unknown = Vec::new();
    for entry in entries {
        let name = entry.get("oid").and_then(Value::text).unwrap_or_default();
        match Oid::parse(name).and_then(|oid| found.get_mut(&oid)) {
            Some(places) => places.push(entry),
            None if unknown.len() < UNKNOWN_OIDS_MAX => unknown.push(quote(name)),
            None => {}
        }
    }
    let clock = Clock { asked_at, now };
    let objects = asked.iter().map(|blob| {
        let (authenticated, verdict) = match found.get(&blob.oid).map(Vec::as_slice) {
            Some([entry]) => {
                let verdict = verdict(question.direction, *blob, entry, clock).unwrap_or_else(Verdict::Broken);
                (entry.get("authenticated").and_then(Value::truth) == Some(true), verdict)
            }
            Some([_, _, ..]) => (false, Verdict::Broken(Flaw::Duplicate)),
            _ => (false, Verdict::Broken(Flaw::MissingFromResponse)),
        };
        Object { oid: blob.oid, authenticated, verdict }
    });
    Ok(Answered { transfer: transfer.to_owned(), objects: objects.collect(), unknown })
}

#[derive(Clone, Copy)]
struct Clock {
    asked_at: u64,
    now: u64,
}

/// An error beats actions; a size that is given must be the one asked for; then the action of our direction.
fn verdict(direction: Direction, blob: Blob, entry: &Value<'_>, clock: Clock) -> Result<Verdict, Flaw> {
    if let Some(error) = entry.get("error") {
        let status = error.get("code").and_then(Value::integer).and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
        let message = error.get("message").and_then(Value::text).map(quote).unwrap_or_default();
        return Ok(Verdict::Refused(Refusal { status, message, retryable: retryable(status) }));
    }
    if let Some(size) = entry.get("size")
        && size.integer().and_then(|size| u64::try_from(size).ok()) != Some(blob.size)
    {
        return Err(Flaw::SizeMismatch);
    }
    let named = |name: &str| ["actions", "_links"].iter().find_map(|key| entry.get(key)?.get(name));
    let read = |value| action(value, clock);
    match direction {
        Direction::Download => {
            let action = read(named("download").ok_or(Flaw::NoAction)?)?;
            Ok(if action.expired(clock.now) { Verdict::Expired } else { Verdict::Download(action) })
        }
        Direction::Upload => {
            // No upload action: the server has it. One server answers with a download action instead (measured).
            let Some(upload) = named("upload") else { return Ok(Verdict::Present) };
            let upload = read(upload)?;
            let verify = named("verify").map(read).transpose()?;
            Ok(if upload.expired(clock.now) { Verdict::Expired } else { Verdict::Upload(upload, verify) })
        }
    }
}

fn action(value: &Value<'_>, clock: Clock) -> Result<Action, Flaw> {
    let href = value.get("href").and_then(Value::text).filter(|href| Url::parse(href).is_some()).ok_or(Flaw::BadHref)?;
    let mut headers = Vec::new();
    if let Some(map) = value.get("header") {
        if !map.is_object() || map.members().len() > ACTION_HEADERS_MAX {
            return Err(Flaw::BadHeader);
        }
        for member in map.members() {
            let text = member.value.text().ok_or(Flaw::BadHeader)?;
            let bytes = member.key.len() + text.len();
            if bytes > HEADER_BYTES_MAX || !http::is_token(&member.key) || !http::is_field_value(text) {
                return Err(Flaw::BadHeader);
            }
            headers.push(Header::new(member.key.as_ref(), text));
        }
    }
    Ok(Action { href: href.to_owned(), headers, expires_at: expiry(value, clock.asked_at) })
}

/// Relative expiry wins, because it does not suffer from clocks that differ; a date that cannot be read is unknown.
fn expiry(value: &Value<'_>, asked_at: u64) -> Option<u64> {
    let seconds = value.get("expires_in").and_then(Value::integer).filter(|seconds| *seconds != 0);
    if let Some(seconds) = seconds {
        let millis = seconds.clamp(-EXPIRES_IN_S_MAX, EXPIRES_IN_S_MAX) * 1000;
        return Some(asked_at.saturating_add_signed(millis));
    }
    let date = value.get("expires_at").and_then(Value::text).filter(|date| *date != GO_ZERO_TIME)?;
    clock::rfc3339(date).map(|at| u64::try_from(at).unwrap_or(0))
}

/// Whether a status, of one object or of a request, may be another one when asked again.
pub(crate) const fn retryable(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

impl Refused {
    fn plain(status: u16) -> Self {
        Self {
            kind: RefusedKind::UnexpectedStatus,
            status,
            message: String::new(),
            request_id: None,
            documentation_url: None,
            schemes: Vec::new(),
            realm: None,
            retry_after: None,
        }
    }
}

/// A whole answer that is not 200, also of the lock and verify APIs.
pub(crate) fn refused_status(head: &Head, body: &[u8], now: u64) -> Refused {
    let kind = match head.status {
        401 => RefusedKind::Login,
        403 => RefusedKind::Forbidden,
        404 => RefusedKind::NotFound,
        406 => RefusedKind::NotAcceptable,
        409 => RefusedKind::Conflict,
        410 => RefusedKind::Gone,
        413 => RefusedKind::TooLarge,
        422 => RefusedKind::Validation,
        429 => RefusedKind::RateLimited,
        501 => RefusedKind::NotImplemented,
        507 => RefusedKind::InsufficientStorage,
        509 => RefusedKind::BandwidthExceeded,
        400..=499 => RefusedKind::Client,
        500..=599 => RefusedKind::Server,
        _ => RefusedKind::UnexpectedStatus,
    };
    let root = Some(body).filter(|body| body.len() <= JSON_BYTES_MAX).and_then(|body| json::parse(body).ok());
    let word = |key| root.as_ref().and_then(|root| root.get(key)?.text().map(quote));
    let (schemes, realm) = if kind == RefusedKind::Login { challenges(head) } else { (Vec::new(), None) };
    Refused {
        kind,
        message: word("message").unwrap_or_default(),
        request_id: word("request_id"),
        documentation_url: word("documentation_url"),
        schemes,
        realm,
        retry_after: head.value("retry-after").and_then(|value| retry::retry_after(value, now)),
        ..Refused::plain(head.status)
    }
}

/// `LFS-Authenticate` is read first: servers send it so that browsers show no password prompt. None at all means basic.
fn challenges(head: &Head) -> (Vec<String>, Option<String>) {
    let values: Vec<&str> = head.values("lfs-authenticate").chain(head.values("www-authenticate")).collect();
    let mut schemes: Vec<String> = Vec::new();
    for value in &values {
        let scheme = quote(value.split([' ', ',']).next().unwrap_or_default()).to_ascii_lowercase();
        if !scheme.is_empty() && !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    if schemes.is_empty() {
        schemes.push("basic".to_owned());
    }
    let realm = values.iter().find_map(|value| {
        let (_, rest) = value.split_once("realm=\"")?;
        rest.split_once('"').map(|(realm, _)| quote(realm))
    });
    (schemes, realm)
}
