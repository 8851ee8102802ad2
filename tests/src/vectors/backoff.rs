//! How long a retry waits: the vector gives the delay without jitter, an operation shows it with jitter.

use super::fields::number;
use super::scripted::{Scripted, config, is_backoff};
use crate::engine::{Engine, Start};
use hydrant_lfs::contract::Config;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::contract::Head;
use serde_json::Value;

/// So many seeds show where the jitter lies.
const SEEDS: u64 = 6;

pub(super) fn judge(engine: &dyn Engine, vector: &Value) -> Result<(), String> {
    let (retry, expected) = (number(vector, "retry_number")?, number(vector, "expect_delay_ms")?);
    let delay_max =
        number(vector, "max_retry_delay_s").map_or_else(|_| config(engine).retry_delay_max, |max| max * 1000);
    let mut waits = Vec::new();
    for seed in 0..SEEDS {
        let retries_max = u32::try_from(retry + 1).map_err(|_| "so many retries are not played")?;
        let config = Config { seed, retries_max, retry_delay_max: delay_max, ..config(engine) };
        waits.push(wait_before(engine, &config, retry)?);
    }
    waits.iter().try_for_each(|wait| is_backoff(*wait, expected))?;
    // Another delay whose range overlaps would pass so far: the whole range must be in use.
    let widest = waits.iter().max().copied().unwrap_or_default();
    let narrowest = waits.iter().min().copied().unwrap_or_default();
    if expected > 10 && (widest * 10 <= expected * 7 || narrowest * 10 >= expected * 8) {
        return Err(format!("waits of {narrowest} to {widest} ms do not fill the range below {expected} ms"));
    }
    Ok(())
}

/// Milliseconds before the n-th retry of a request that always fails.
fn wait_before(engine: &dyn Engine, config: &Config, retry: u64) -> Result<u64, String> {
    let blobs = vec![crate::world::blob(b"retried")];
    let mut host = Scripted::begin(engine, config, &Start::Batch(Direction::Download, blobs))?;
    let mut waited = 0;
    for _ in 0..retry {
        let (id, _) = host.request()?;
        host.answer_status(id, &Head { status: 503, headers: Vec::new() })?;
        // Without any delay the request comes at once, and there is nothing to wait for.
        waited = if config.retry_delay_max == 0 { 0 } else { host.wait()? };
        host.pass(waited);
    }
    // The wait is over: the request must come now.
    host.request().map(|_| waited)
}
