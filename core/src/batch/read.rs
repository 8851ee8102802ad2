//! Decodes batch answers, object by object.

use super::{
    Action, Answered, BASIC, Direction, Flaw, Object, Question, Refusal, Refused, RefusedKind, Verdict, distinct,
};
use crate::clock;
use crate::contract::{Head, Header};
use crate::error::quote;
use crate::http;
use crate::json::{self, Value};
use crate::limits::{ACTION_HEADERS_MAX, HEADER_BYTES_MAX, JSON_BYTES_MAX, UNKNOWN_OIDS_MAX};
use crate::oid::{Blob, Oid};
use crate::retry;
use crate::url::Url;
use std::collections::BTreeMap;

/// The zero time of Go servers: it means never.
const GO_ZERO_TIME_MS: i64 = -62_135_596_800_000;
/// `expires_in` lies within this many seconds (git-lfs documents the same).
const EXPIRES_IN_S_MAX: i64 = i32::MAX as i64;

/// What an answer means. `asked_at` is the wall clock just before the request was sent: relative expiry counts from it.
#[expect(clippy::result_large_err, reason = "made once for a hundred objects")]
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
    let places = ["actions", "_links"].map(|key| entry.get(key));
    // What is of another type says nothing, least of all that the server has the object.
    if places.iter().flatten().any(|place| !place.is_object()) {
        return Err(Flaw::NoAction);
    }
    let named = |name: &str| {
        let mut members = places.iter().flatten().flat_map(|place| place.members().iter().rev());
        members.find(|member| member.key == name).map(|member| &member.value)
    };
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
            let verify = named("verify").filter(|verify| verify.kind != json::Kind::Null).map(read).transpose()?;
            Ok(if upload.expired(clock.now) { Verdict::Expired } else { Verdict::Upload(upload, verify) })
        }
    }
}

fn action(value: &Value<'_>, clock: Clock) -> Result<Action, Flaw> {
    let href =
        value.get("href").and_then(Value::text).filter(|href| Url::parse(href).is_some()).ok_or(Flaw::BadHref)?;
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
    let date = clock::rfc3339(value.get("expires_at").and_then(Value::text)?)?;
    (date != GO_ZERO_TIME_MS).then(|| u64::try_from(date).unwrap_or(0))
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
        500 | 502 | 503 | 504 => RefusedKind::Server,
        400..=599 => RefusedKind::Client,
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
