//! The lock API: what is made of a server's answer.

use super::fields::{self, body, status, text, word};
use super::scripted::{Scripted, config, shown};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::{Body, Effect, EffectId, Exchange, Head, Header, Request, Step};
use hydrant_lfs::operations::{Lock, LockReport, LockTask};
use hydrant_lfs::text::error::Code;
use serde_json::{Value, json};

/// Requests after which a run is endless.
const REQUESTS_MAX: usize = 64;

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let call = text(vector, "call")?;
    let task = match call {
        "create" => LockTask::Create("a/b.bin".to_owned()),
        "list" => LockTask::ListAll(None),
        "verify" => LockTask::Verify,
        "unlock" => LockTask::Unlock { id: "L1".to_owned(), force: false },
        other => return Err(format!("no judge knows the call {other}")),
    };
    let mut head = Head { status: status(vector)?, headers: fields::headers(vector.get("headers"))? };
    if head.value("content-type").is_none() {
        head.headers.push(Header::new("Content-Type", "application/vnd.git-lfs+json"));
    }
    let mut host = Scripted::begin(engine, &config(engine), &Start::Locks(task))?;
    let (id, first) = host.request()?;
    host.answer(id, head.clone(), &body(vector)?)?;
    let next = play(&mut host, &first, &head, &body(vector)?)?;
    let report = host.end()?.lock_report().map_err(|error| format!("no report: {error:?}"))?;
    fields::meets(fields::expect(vector)?, &told(call, &report, next, fields::expect(vector)?)?)
}

/// Answers every try of the first request alike and every later page with an empty one. The cursor that was asked for
/// is told.
fn play(host: &mut Scripted, first: &Exchange, head: &Head, body: &[u8]) -> Result<Option<String>, String> {
    let mut cursor = None;
    for _ in 0..REQUESTS_MAX {
        match host.step() {
            Step::Done => return Ok(cursor),
            Step::Wait(Some(until)) if until > host.now.ticks => host.pass(until - host.now.ticks),
            Step::Perform(id, Effect::Http(exchange)) if same(&exchange.request, &first.request) => {
                host.answer(id, head.clone(), body)?;
            }
            Step::Perform(id, Effect::Http(exchange)) => {
                cursor = Some(cursor_of(&exchange.request)?);
                empty_page(host, id)?;
            }
            other => return Err(format!("expected a request or the end, got {}", shown(&other))),
        }
    }
    Err("it asks for ever".to_owned())
}

/// The same request, whatever login it asks for.
fn same(one: &Request, other: &Request) -> bool {
    one.url == other.url && one.body == other.body && one.method == other.method
}

fn empty_page(host: &mut Scripted, id: EffectId) -> Result<(), String> {
    host.answer_json(id, &json!({"locks": [], "ours": [], "theirs": []}))
}

/// Where a later page begins: in the query of a list, in the body of a verify request.
fn cursor_of(request: &Request) -> Result<String, String> {
    let in_query = request.url.split(['?', '&']).find_map(|pair| pair.strip_prefix("cursor="));
    let in_body = match &request.body {
        Body::Bytes(body) => serde_json::from_slice::<Value>(body).ok(),
        Body::Empty | Body::File(_) => None,
    };
    let in_body = in_body.as_ref().and_then(|body| word(body, "cursor"));
    in_query.or(in_body).map(str::to_owned).ok_or_else(|| format!("another request without a cursor: {}", request.url))
}

/// The report, in the vector's words.
fn told(
    call: &str,
    report: &LockReport,
    next: Option<String>,
    expect: &serde_json::Map<String, Value>,
) -> Result<Value, String> {
    let ids = |locks: &[Lock]| locks.iter().map(|lock| lock.id.clone()).collect::<Vec<_>>();
    if !report.supported {
        // Whoever only wants to know whether others hold locks is not stopped; whoever wants one does not get it.
        let ended = report.ended.is_ok();
        let told = json!({"error": "not-supported"});
        return if ended == (call == "verify") { Ok(told) } else { Err(format!("it ends with {:?}", report.ended)) };
    }
    if let Err(error) = &report.ended {
        let mut told = json!({"error": error_word(error.code, expect.get("error").and_then(Value::as_str))});
        if let Some(message) = expect.get("message").and_then(Value::as_str) {
            // The server's words stand in the sentence for people.
            told["message"] = if error.detail.contains(message) { json!(message) } else { json!(error.detail) };
        }
        if let Some(lock) = report.theirs.first() {
            told["existing"] = json!(lock.id);
        }
        return Ok(told);
    }
    let mut told = match call {
        "verify" => json!({"ours": ids(&report.locks), "theirs": ids(&report.theirs)}),
        "list" => json!({"ok": ids(&report.locks)}),
        _ => match report.locks.as_slice() {
            [lock] => json!({"ok": one(lock, expect.get("ok"))}),
            locks => return Err(format!("{} locks where one is expected", locks.len())),
        },
    };
    told["next"] = json!(next);
    Ok(told)
}

/// What the vector asks of a lock.
fn one(lock: &Lock, expected: Option<&Value>) -> Value {
    let mut all = json!({"id": lock.id, "path": lock.path, "owner": lock.owner, "locked_at": lock.locked_at});
    if let (Some(all), Some(expected)) = (all.as_object_mut(), expected.and_then(Value::as_object)) {
        all.retain(|key, _| expected.contains_key(key));
    }
    all
}

/// The vectors' word for a code. Where several words fit one code, the expected one is taken if it fits.
fn error_word(code: Code, expected: Option<&str>) -> &'static str {
    let fitting: &[&'static str] = match code {
        Code::Auth => &["forbidden", "login", "unauthorized", "auth"],
        Code::Conflict => &["conflict"],
        Code::Malformed => &["bad-response"],
        Code::NotFound => &["not-found"],
        Code::Busy => &["server", "rate-limited", "busy"],
        _ => &[],
    };
    let asked = fitting.iter().find(|word| Some(**word) == expected);
    asked.or(fitting.first()).copied().unwrap_or(code.name())
}
