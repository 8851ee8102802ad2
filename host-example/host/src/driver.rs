//! THE LOOP. What a host of this engine does, all of it:
//!
//! 1. poll; perform each effect it gives; several may be open at once;
//! 2. hand back every answer that is there;
//! 3. at `wait`, sleep until an answer comes or the named tick passes; then poll again;
//! 4. at `done`, stop.
//!
//! It decides nothing: order, concurrency, retries and judgement are the engine's.

mod answers;
pub mod effects;
mod exchange;
pub mod host;
mod shared;
pub mod trace;
mod watch;

use std::pin::pin;
use std::time::Duration;

use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::contract::clock::Clock;
use crate::contract::error::HostError;
use crate::contract::types::{EffectId, Reply, Step};
use crate::driver::effects::{BEAT_MS, Effects};
use crate::driver::host::Host;
use crate::engine::Operation;
pub(crate) use watch::Tracing;
pub use watch::{Tally, Unwatched, Watch};

/// Steps without a wait after which sockets and the wish to stop get their turn.
const BURST_STEPS_MAX: u32 = 64;

/// Drives an operation to its end on the host's own loop, and returns when it is done.
pub fn run(op: &mut Operation, host: &mut Host, watch: &mut dyn Watch) -> Result<(), HostError> {
    host.runtime()?.block_on(drive(op, host, watch))
}

/// Drives an operation to its end.
pub async fn drive(op: &mut Operation, host: &mut Host, watch: &mut dyn Watch) -> Result<(), HostError> {
    LocalSet::new().run_until(turn(op, host, watch)).await
}

async fn turn(op: &mut Operation, host: &mut Host, watch: &mut dyn Watch) -> Result<(), HostError> {
    let clock = Clock::start();
    let mut effects = Effects::new(host.shared.clone());
    let mut cancelled = host.cancel.listen()?;
    let mut beat = interval(Duration::from_millis(BEAT_MS));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut burst = 0;

    loop {
        burst += 1;
        if burst > BURST_STEPS_MAX {
            burst = 0;
            tokio::select! {
                biased;
                () = cancelled.next() => stop(op, host)?,
                () = yield_now() => {}
            }
        }
        // Every answer that is there already, so that one poll sees them all.
        while let Some((id, reply)) = effects.ready() {
            answer(op, host, watch, id, &reply)?;
        }
        match op.poll(clock.now())? {
            Step::Perform(task) => {
                let id = task.id;
                if watch.wants_trace() {
                    watch.trace(&host.shared.spoken.cut(&trace::effect(&task)));
                }
                if let Some(reply) = effects.begin(task) {
                    answer(op, host, watch, id, &reply)?;
                }
            }
            Step::Cancel(id) => {
                if let Some(reply) = effects.cancel(id) {
                    answer(op, host, watch, id, &reply)?;
                }
            }
            Step::Enter(phase) => watch.entered(phase),
            Step::Retry(retry) => {
                if watch.wants_trace() {
                    watch.trace(&host.shared.spoken.cut(&trace::retry(&retry, clock.now().ticks)));
                }
            }
            Step::Note(progress) => watch.progress(&progress.name, progress.done, progress.total),
            Step::Wait(None) if effects.is_idle() => return Err(HostError::local("the engine waits for nothing")),
            Step::Wait(until) => {
                burst = 0;
                if let Some(until) = until.filter(|_| effects.is_idle()) {
                    watch.waiting(until.saturating_sub(clock.now().ticks));
                }
                let mut alarm = pin!(alarm(&clock, until));
                tokio::select! {
                    biased;
                    (id, reply) = effects.next() => answer(op, host, watch, id, &reply)?,
                    () = &mut alarm => {}
                    _ = beat.tick(), if !effects.is_idle() => effects.beat(),
                    () = cancelled.next() => stop(op, host)?,
                }
            }
            Step::Done => break,
        }
    }
    // Effects that were cancelled leave what they staged for the next run.
    effects.settle().await;
    Ok(())
}

fn answer(
    op: &mut Operation,
    host: &Host,
    watch: &mut dyn Watch,
    id: EffectId,
    reply: &Reply,
) -> Result<(), HostError> {
    if watch.wants_trace() {
        watch.trace(&host.shared.spoken.cut(&trace::reply(id, reply)));
    }
    op.reply(id, reply)
}

fn stop(op: &mut Operation, host: &Host) -> Result<(), HostError> {
    host.interrupted.set(true);
    op.stop()
}

/// Rings at a tick of the operation's clock; never, when there is none.
async fn alarm(clock: &Clock, until: Option<u64>) {
    match until.and_then(|tick| clock.at(tick)) {
        Some(moment) => sleep_until(Instant::from_std(moment)).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
