//! One row of a table: what the server does, how the program is called, and what must come of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::evidence::{Evidence, Voice};
use crate::liar::{Script, Seen};

/// Cases that run at the same time; most of them wait.
const CASES_AT_ONCE: usize = 8;

/// What the program is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Hydrate,
    Upload,
}

/// How it must end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// Everything is there.
    Done,
    /// One code for each object; the empty text is an object that is there.
    Codes(&'static [&'static str]),
    /// No object could even be tried, for this reason.
    Whole(&'static str),
}

/// Whether `home` speaks TLS, and whether the program trusts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    Trusted,
    Unknown,
    /// The server shows the first of these certificates, and the program is given the second to trust.
    Named(&'static str, &'static str),
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) job: Job,
    /// Length of each object.
    pub(crate) sizes: &'static [usize],
    /// `home` speaks TLS.
    pub(crate) tls: Tls,
    /// The endpoint without scheme; `{home}` is the server.
    pub(crate) endpoint: &'static str,
    /// `home` is the proxy of the environment.
    pub(crate) proxied: bool,
    /// More arguments.
    pub(crate) flags: &'static [&'static str],
    /// What both servers do.
    pub(crate) script: Script,
    pub(crate) ends: Ends,
    /// Seconds it may take.
    pub(crate) seconds: u64,
    /// What else must be true; the requests in their order.
    pub(crate) also: fn(&[Seen], &Evidence) -> Result<(), String>,
}

/// A small object, no second try, two seconds of patience.
pub(crate) const HYDRATE: Case = Case {
    name: "",
    job: Job::Hydrate,
    sizes: &[5_000],
    tls: Tls::None,
    endpoint: "{home}/r",
    proxied: false,
    flags: &["--retries", "0"],
    script: |talk| talk.honest(),
    ends: Ends::Done,
    seconds: 20,
    also: |_, _| Ok(()),
};

/// The same the other way.
pub(crate) const UPLOAD: Case = Case { job: Job::Upload, ..HYDRATE };

/// Runs a table, each row once with a JSON report and once in words.
#[track_caller]
pub(crate) fn run(table: &[Case]) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CASES_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = table.get(at / 2) else { return };
                    let voice = if at.is_multiple_of(2) { Voice::Json } else { Voice::Words };
                    if let Err(why) = judge(case, voice) {
                        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                        failures.push(format!("{} ({voice:?}): {why}", case.name));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn judge(case: &Case, voice: Voice) -> Result<(), String> {
    let evidence = Evidence::gather(case, voice)?;
    evidence.is_clean().map_err(|why| evidence.with(&why))?;
    evidence.ends(case.ends).map_err(|why| evidence.with(&why))?;
    (case.also)(&evidence.seen, &evidence).map_err(|why| evidence.with(&why))
}
