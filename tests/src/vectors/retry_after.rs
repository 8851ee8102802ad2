//! What a server's Retry-After means, as a value and as a wait.

use super::fields::{self, moment, number, text};
use super::scripted::{Scripted, config, is_backoff};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::{Head, Header, Step};
use serde_json::{Value, json};

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let (header, now) = (text(vector, "header")?, moment(vector, "now")?);
    let wait_max = number(vector, "max_retry_time_s").map_or_else(|_| config(engine).wait_max, |max| max * 1000);
    let delay = engine.retry_after(header, now);
    let mut actual = json!({"parsed": delay.is_some()});
    if let Some(delay) = delay {
        actual["delay_ms"] = json!(delay);
    }
    let config = Config { wait_max, ..config(engine) };
    actual["wait"] = json!(waits(engine, &config, header, now, delay)?);
    fields::meets(fields::expect(vector)?, &actual)
}

/// Whether a request is retried; the wait must be what the value asks for, or our own when it asks for nothing.
fn waits(engine: &dyn Engine, config: &Config, header: &str, now: u64, delay: Option<u64>) -> Result<bool, String> {
    let blobs = vec![crate::world::blob(b"limited")];
    let mut host = Scripted::begin(engine, config, &Start::Batch(Direction::Download, blobs))?;
    host.now.wall = now;
    let (id, _) = host.request()?;
    host.answer_status(id, &Head { status: 429, headers: vec![Header::new("Retry-After", header)] })?;
    match host.step() {
        Step::Done => {
            let ended = host.end()?.objects();
            let error = ended.err().ok_or("a refused request ended well")?;
            let until = delay.map(|delay| now.saturating_add(delay));
            if error.retry_at == until {
                return Ok(false);
            }
            Err(format!("expected an error that says to come back at {until:?}, got {:?}", error.retry_at))
        }
        Step::Perform(..) if delay == Some(0) => Ok(true),
        Step::Wait(Some(until)) => {
            let waited = until.saturating_sub(host.now.ticks);
            match delay {
                Some(delay) if delay == waited => {}
                Some(delay) => return Err(format!("expected a wait of {delay} ms, got {waited}")),
                None => is_backoff(waited, hydrant_lfs::text::limits::RETRY_DELAY_MS_MIN)?,
            }
            host.pass(waited);
            host.request().map(|_| true)
        }
        other => Err(format!("expected a wait or the end, got {}", super::scripted::shown(&other))),
    }
}
