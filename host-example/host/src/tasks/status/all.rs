//! The status of every session of a ledger.
//!
//! The rule it keeps: what is kept of a session until the end is what the report says of it.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::contract::error::Fault;
use crate::contract::report::ErrorReport;
use crate::engine::{Engine, Guest};
use crate::repository::Repository;
use crate::sessions::coverage;
use crate::sessions::ledger::{Ledger, SESSIONS};
use crate::store::Store;

use super::{Counts, Interrupted, Judged, LedgerStatus, SessionLine, UnreadableSession, judge, summary};

/// Threads at most.
const THREADS_MAX: usize = 8;
/// Sessions that a thread takes at once.
const SESSIONS_A_PART: usize = 256;

/// A ledger, and what is known of it beforehand.
pub(super) struct All<'a> {
    pub(super) repository: &'a Repository,
    pub(super) engine: &'a Engine,
    pub(super) ledger: &'a Ledger,
    pub(super) interrupted: &'a Interrupted,
    /// The bound on objects that decides about `too-large`.
    pub(super) limit: u64,
    /// Git is not asked whether the checkout can be read.
    pub(super) sessions_only: bool,
}

/// What one thread looks with.
struct Eye {
    guest: Guest,
    store: Store,
}

impl All<'_> {
    /// Looks at every session, and then at what no manifest speaks for; nothing where no session is.
    pub(super) fn look(
        &self,
        guest: &mut Guest,
        counts: impl FnOnce() -> Result<Counts, Fault>,
    ) -> Result<Option<LedgerStatus>, Fault> {
        let names = self.ledger.folders()?;
        let told =
            self.each(&names, |eye, name| match self.ledger.find(&mut eye.guest, &eye.store, name, self.limit) {
                Ok(None) => Ok(None),
                Ok(Some(session)) => {
                    let is_interrupted = self.interrupted.has(name);
                    let summary = summary(&mut eye.guest, self.repository, &session, is_interrupted)?;
                    Ok(Some((SessionLine::Summary(Box::new(summary)), session.status.tally)))
                }
                Err(fault) => {
                    let session = UnreadableSession { session: name.to_owned(), error: ErrorReport::from(&fault) };
                    Ok(Some((SessionLine::Unreadable(session), coverage::unreadable())))
                }
            })?;
        let Some(told) = told else { return Ok(None) };
        let judged = if self.sessions_only {
            None
        } else {
            let mut checkout = coverage::checkout(self.repository, &[]);
            checkout.sessions.extend(told.iter().map(|(_, tally)| *tally));
            let (readiness, hydration) = judge(guest, &checkout)?;
            Some(Judged { readiness, hydration })
        };
        let sessions = told.into_iter().map(|(line, _)| line).collect();
        let kept_out = coverage::kept_out(self.repository, &[SESSIONS.to_owned()])?.line();
        let Counts { assets, unnamed } = counts()?;
        Ok(Some(LedgerStatus { judged, sessions, assets, unnamed, kept_out }))
    }

    /// Tells something of each folder that is a session, in the order of the names; each thread takes a part of them.
    /// Whether there is any at all, git says meanwhile; none where there is not.
    fn each<T: Send>(
        &self,
        names: &[String],
        tell: impl Fn(&mut Eye, &str) -> Result<Option<T>, Fault> + Sync,
    ) -> Result<Option<Vec<T>>, Fault> {
        let parts: Vec<&[String]> = names.chunks(SESSIONS_A_PART).collect();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = parts.len().min(cores).clamp(1, THREADS_MAX);
        let next = AtomicUsize::new(0);
        // Whoever is done with a part takes the next one, because other programs slow each core down as they like.
        let take_parts = || -> Result<Vec<(usize, Vec<T>)>, Fault> {
            let mut eye = Eye { guest: self.engine.guest()?, store: self.repository.cache_to_read()? };
            let mut told = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(at) else { return Ok(told) };
                let part = part.iter().filter_map(|name| tell(&mut eye, name).transpose());
                told.push((at, part.collect::<Result<_, _>>()?));
            }
        };
        thread::scope(|scope| {
            let asked = thread::Builder::new().spawn_scoped(scope, || self.repository.has_sessions());
            // Where no thread is to be had, this one does it all.
            let spawned: Vec<_> =
                (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, take_parts).ok()).collect();
            let mut told = take_parts()?;
            for thread in spawned {
                told.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            let has_sessions = match asked {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic))?,
                Err(_) => self.repository.has_sessions()?,
            };
            told.sort_unstable_by_key(|(at, _)| *at);
            Ok(has_sessions.then(|| told.into_iter().flat_map(|(_, part)| part).collect()))
        })
    }
}
