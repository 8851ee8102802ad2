//! Decodes batch responses, object by object.

use super::{Action, BatchObject, BatchRequest, BatchResponse, Flaw, ObjectError, Verdict, distinct};
use crate::contract::config::BASIC;
use crate::contract::{Direction, Head, Header};
use crate::git_lfs::response_error::{ResponseError, ResponseErrorKind, coding, refusal_in, response_error, retryable};
use crate::order::order;
use crate::text::dates;
use crate::text::error::quote;
use crate::text::headers;
use crate::text::json::{self, Value};
use crate::text::limits::{ACTION_HEADERS_MAX, HEADER_BYTES_MAX, JSON_BYTES_MAX, UNKNOWN_OIDS_MAX};
use crate::text::oid::{Blob, Oid};
use crate::text::url::Url;
use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

/// The zero time of Go servers: it means never.
const GO_ZERO_TIME_MS: i64 = -62_135_596_800_000;
/// `expires_in` lies within this many seconds (git-lfs documents the same).
const EXPIRES_IN_S_MAX: i64 = i32::MAX as i64;

/// Reads a batch response. `asked_at` is the wall clock just before the request was sent: relative expiry counts from
/// it.
#[expect(clippy::result_large_err, reason = "made once for a hundred objects")]
pub fn read_response(
    request: &BatchRequest,
    head: &Head,
    body: &[u8],
    asked_at: u64,
    now: u64,
) -> Result<BatchResponse, ResponseError> {
    if head.status != 200 {
        return Err(response_error(head, body, now));
    }
    let refused = |kind| ResponseError { kind, ..ResponseError::plain(head.status) };
    if !head.value("content-type").is_some_and(headers::is_json) {
        return Err(refused(ResponseErrorKind::BadContentType));
    }
    let root = Some(body).filter(|body| body.len() <= JSON_BYTES_MAX).and_then(|body| json::parse(body).ok());
    let root = root.filter(Value::is_object).ok_or_else(|| match coding(head) {
        Some(coding) => ResponseError { message: coding, ..refused(ResponseErrorKind::BadCoding) },
        None => refused(ResponseErrorKind::BadJson),
    })?;
    let word = |key| match root.get(key) {
        None => Ok(""),
        Some(value) => value.text().ok_or_else(|| refused(ResponseErrorKind::BadJson)),
    };
    if !matches!(word("hash_algo")?, "" | "sha256") {
        return Err(refused(ResponseErrorKind::UnsupportedHashAlgo));
    }
    let transfer = match word("transfer")? {
        "" => BASIC,
        named => named,
    };
    if transfer != BASIC && !request.transfers.iter().any(|offered| offered == transfer) {
        return Err(refused(ResponseErrorKind::UnsupportedTransfer));
    }
    let entries = match root.get("objects") {
        // Some servers refuse with 200 and a message.
        None if root.get("message").is_some() => return Err(refusal_in(head, body, now)),
        None => &[],
        Some(Value { kind: json::Kind::Array(items), .. }) => items.as_slice(),
        Some(_) => return Err(refused(ResponseErrorKind::BadJson)),
    };
    let asked = distinct(&request.objects);
    let by_oid = order(asked.len(), &|a, b| asked[a].oid.cmp(&asked[b].oid));
    let mut found = vec![Found::Nothing; asked.len()];
    let mut unknown = Vec::new();
    for entry in entries {
        let name = entry.get("oid").and_then(Value::text).unwrap_or_default();
        let place = |oid: Oid| by_oid.binary_search_by(|at| asked[*at].oid.cmp(&oid)).ok();
        match Oid::parse(name).and_then(place) {
            Some(place) => {
                let found = &mut found[by_oid[place]];
                *found = if matches!(found, Found::Nothing) { Found::One(entry) } else { Found::More };
            }
            None if unknown.len() < UNKNOWN_OIDS_MAX => unknown.push(quote(name)),
            None => {}
        }
    }
    let times = Times { asked_at, now };
    let objects = asked.iter().zip(found).map(|(blob, found)| {
        let (authenticated, verdict) = match found {
            Found::One(entry) => {
                let verdict = verdict(request.direction, *blob, entry, times).unwrap_or_else(Verdict::Broken);
                (entry.get("authenticated").and_then(Value::truth) == Some(true), verdict)
            }
            Found::More => (false, Verdict::Broken(Flaw::Duplicate)),
            Found::Nothing => (false, Verdict::Broken(Flaw::MissingFromResponse)),
        };
        BatchObject { oid: blob.oid, authenticated, verdict }
    });
    Ok(BatchResponse { transfer: transfer.to_owned(), objects: objects.collect(), unknown })
}

/// What a response holds about one object.
#[derive(Clone)]
enum Found<'a> {
    Nothing,
    One(&'a Value<'a>),
    More,
}

#[derive(Clone, Copy)]
struct Times {
    asked_at: u64,
    now: u64,
}

/// The verdict on one object: an error outweighs actions; a size, if given, must be the one asked for; then the action
/// for our direction counts.
fn verdict(direction: Direction, blob: Blob, entry: &Value<'_>, times: Times) -> Result<Verdict, Flaw> {
    if let Some(error) = entry.get("error") {
        let status = error.get("code").and_then(Value::integer).and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
        let message = error.get("message").and_then(Value::text).map(quote).unwrap_or_default();
        return Ok(Verdict::Refused(ObjectError { status, message, retryable: retryable(status) }));
    }
    if let Some(size) = entry.get("size")
        && size.integer().and_then(|size| u64::try_from(size).ok()) != Some(blob.size)
    {
        return Err(Flaw::SizeMismatch);
    }
    let places = ["actions", "_links"].map(|key| entry.get(key));
    // A member of another type says nothing: above all not that the server has the object.
    if places.iter().flatten().any(|place| !place.is_object()) {
        return Err(Flaw::NoAction);
    }
    let named = |name: &str| places.iter().flatten().find_map(|place| place.get(name));
    let read = |value| action(value, times);
    match direction {
        Direction::Download => {
            let action = read(named("download").ok_or(Flaw::NoAction)?)?;
            Ok(if action.expired(times.now) { Verdict::Expired } else { Verdict::Download(action) })
        }
        Direction::Upload => {
            // No upload action: the server has it. One server answers with a download action instead (measured).
            let Some(upload) = named("upload") else { return Ok(Verdict::Present) };
            let upload = read(upload)?;
            let verify = named("verify").map(read).transpose()?;
            Ok(if upload.expired(times.now) { Verdict::Expired } else { Verdict::Upload(upload, verify) })
        }
    }
}

fn action(value: &Value<'_>, times: Times) -> Result<Action, Flaw> {
    let href =
        value.get("href").and_then(Value::text).filter(|href| Url::parse(href).is_some()).ok_or(Flaw::BadHref)?;
    let mut sent = Vec::new();
    if let Some(map) = value.get("header") {
        if !map.is_object() || map.members().len() > ACTION_HEADERS_MAX {
            return Err(Flaw::BadHeader);
        }
        // As everywhere, null says nothing.
        for member in map.members().iter().filter(|member| member.value.kind != json::Kind::Null) {
            let text = member.value.text().ok_or(Flaw::BadHeader)?;
            let bytes = member.key.len() + text.len();
            if bytes > HEADER_BYTES_MAX || !headers::is_token(&member.key) || !headers::is_field_value(text) {
                return Err(Flaw::BadHeader);
            }
            sent.push(Header::new(member.key.as_ref(), text));
        }
    }
    Ok(Action { href: href.to_owned(), headers: sent, expires_at: expiry(value, times.asked_at) })
}

/// Relative expiry wins, because it does not depend on two clocks. A date that cannot be read counts as none.
fn expiry(value: &Value<'_>, asked_at: u64) -> Option<u64> {
    let seconds = value.get("expires_in").and_then(Value::integer).filter(|seconds| *seconds != 0);
    if let Some(seconds) = seconds {
        let millis = seconds.clamp(-EXPIRES_IN_S_MAX, EXPIRES_IN_S_MAX) * 1000;
        return Some(asked_at.saturating_add_signed(millis));
    }
    let date = dates::rfc3339(value.get("expires_at").and_then(Value::text)?)?;
    (date != GO_ZERO_TIME_MS).then(|| u64::try_from(date).unwrap_or(0))
}
