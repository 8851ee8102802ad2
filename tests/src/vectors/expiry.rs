//! When an action ends, and whether it is used.

use super::clock;
use super::fields::{moment, number, word};
use super::scripted::{ENDPOINT, STORAGE, Scripted, config};
use crate::engine::{Answer, Engine, Start};
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Want;
use hydrant_lfs::contract::{Effect, Head, Header, Step};
use hydrant_lfs::git_lfs::batch::{BatchRequest, Verdict};
use hydrant_lfs::text::limits::EXPIRY_MARGIN_MS;
use serde_json::{Value, json};

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let (requested_at, now) = (moment(vector, "requested_at")?, moment(vector, "now")?);
    let mut action = vector.get("action").cloned().unwrap_or_else(|| json!({}));
    action["href"] = json!(STORAGE);
    let actions = json!({ "download": action });
    let expect = vector.get("expect").ok_or("the vector expects nothing")?;
    if let Some(effective) = expect.get("effective") {
        let expected = match effective.as_str() {
            Some(date) => Some(clock::parse(date).ok_or_else(|| format!("effective is no date: {date}"))?),
            None => None,
        };
        let got = effective_end(engine, &actions, requested_at)?;
        if got != expected {
            return Err(format!("effective: expected {expected:?}, got {got:?}"));
        }
    }
    let expired =
        expect.get("expired").and_then(Value::as_bool).ok_or("the vector does not say whether it is expired")?;
    // The margin is fixed here; another one is the same question asked at another time.
    let margin = number(vector, "margin_s").map_or(EXPIRY_MARGIN_MS, |seconds| seconds * 1000);
    let now = (now + margin).checked_sub(EXPIRY_MARGIN_MS).ok_or("the vector's time is out of reach")?;
    let used = is_used(engine, &actions, requested_at, now)?;
    if used == expired {
        return Err(format!(
            "expired: expected {expired}, but the action is {}",
            if used { "used" } else { "not used" }
        ));
    }
    match expect.as_object().into_iter().flatten().find(|(key, _)| !matches!(key.as_str(), "expired" | "effective")) {
        Some((key, _)) => Err(format!("no judge knows what to make of {key}")),
        None => word(vector, "action").map_or(Ok(()), |_| Err("the action is no object".to_owned())),
    }
}

/// When the action ends, read at a time at which nothing has ended yet.
fn effective_end(engine: &dyn Engine, actions: &Value, requested_at: u64) -> Result<Option<u64>, String> {
    let blob = crate::world::blob(b"expiring");
    let question =
        BatchRequest { direction: Direction::Download, reference: None, transfers: Vec::new(), objects: vec![blob] };
    let body = json!({"objects": [{"oid": blob.oid.to_string(), "size": blob.size, "actions": actions}]});
    let head = Head { status: 200, headers: vec![Header::new("Content-Type", "application/json")] };
    let answer = Answer { head, body: body.to_string().into_bytes(), asked_at: requested_at, now: 0 };
    match engine.read_response(ENDPOINT, &question, &answer).map(|answered| answered.objects) {
        Ok(objects) => match objects.first().map(|object| &object.verdict) {
            Some(Verdict::Download(action)) => Ok(action.expires_at),
            // Only what ended before 1970 has ended at its first moment.
            Some(Verdict::Expired) => Ok(Some(0)),
            other => Err(format!("expected an action, got {other:?}")),
        },
        Err(refused) => Err(format!("expected an answer, got {}", refused.kind.name())),
    }
}

/// Whether an operation that asked at `requested_at` uses the action at `now`; otherwise it must ask again, later.
fn is_used(engine: &dyn Engine, actions: &Value, requested_at: u64, now: u64) -> Result<bool, String> {
    let blob = crate::world::blob(b"expiring");
    let want = Want { name: "file".to_owned(), oid: blob.oid.to_string(), size: blob.size };
    let mut host = Scripted::begin(engine, &config(engine), &Start::Download(vec![want]))?;
    host.now.wall = requested_at;
    let (id, _, asked) = host.batch()?;
    host.offer(id, &asked, actions)?;
    host.now.wall = now;
    match host.step() {
        Step::Perform(_, Effect::Http(exchange)) if exchange.stage.is_some() => Ok(true),
        Step::Wait(Some(until)) => {
            host.pass(until.saturating_sub(host.now.ticks));
            host.batch().map(|_| false)
        }
        other => Err(format!("expected a download or a wait, got {}", super::scripted::shown(&other))),
    }
}
