//! Pointers that the next push would send and whose blobs the server lacks, and their repair.
//!
//! The rule it keeps: without `repair`, and with `dry_run`, nothing is changed here or anywhere; what a repair does is
//! decided by the engine alone.

mod report;

use std::rc::Rc;
use std::time::Instant;

use crate::contract::error::Fault;
use crate::contract::types::{Code, Direction};
use crate::driver;
use crate::driver::trace::place;
use crate::gate::{Allowance, Gate};
use crate::remote::{Reason, Refusal, RemoteLedger};
use crate::repository::{Errand, Repository};
use crate::tasks::client::Client;
use crate::tasks::content_in_git::commits::{self, InCommits};
use crate::tasks::endpoint::{self, ServerOptions};
use crate::tasks::transfer::{self, Runner};
use report::Came;

pub use report::{ContentInFull, Contradiction, MissingPointer, PushReport, ReconcileReport, Remedy, UnknownPointer};

/// Whether to repair, and the way to the server.
#[derive(Clone, Debug, Default)]
pub struct ReconcileOptions {
    /// Repair it: blobs of the cache are sent again, files whose blobs are lost go together with their entries, and the
    /// unpushed commits become one where that is needed.
    pub repair: bool,
    /// Say what a repair would do, and do nothing.
    pub dry_run: bool,
    /// What is let out although it looks like a secret.
    pub allow: Vec<Allowance>,
    /// The server.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

impl Client {
    /// Finds pointers that the next push would send and whose blobs the server lacks, and repairs that when asked to.
    /// The report also tells why a look or a repair came to an early end: see [`ReconcileReport::error`].
    pub fn reconcile(&self, repository: &Repository, options: &ReconcileOptions) -> Result<ReconcileReport, Fault> {
        let named = options.server.remote.as_deref();
        let remote = named.map_or_else(|| repository.remote_for(Errand::Push), |named| Ok(named.to_owned()))?;
        let pushed = RemoteLedger::of_push(&repository.git, &remote, named.is_some());
        let (ledger, not_looked_at) = pushed.map_err(refused)?;
        let repairs = options.repair && !options.dry_run;
        if repairs && ledger.undo_interrupted().map_err(refused)? {
            self.watching().warned("an earlier repair was interrupted: what it had changed here was put back");
        } else if !repairs && ledger.is_interrupted() {
            let first = "an earlier repair was interrupted: --repair first puts back what that one had changed";
            self.watching().warned(first);
        }
        let before = ledger.last_commit().map_err(refused)?;
        let came = operate(self, options, repairs, repository, &ledger)?;
        // Whatever this look comes to, what a repair did is told.
        let looked = self.guest().map_err(Fault::from).and_then(|mut guest| commits::all(repository, &mut guest));
        let in_full = looked.unwrap_or_else(|fault| InCommits {
            unknown: Some(commits::unknown_because(&fault.detail)),
            ..InCommits::default()
        });
        let backup = match came.report.tip {
            Some(_) => ledger.backup_of(&before)?,
            None => None,
        };
        let rewrites = !came.report.removed.is_empty() || came.report.squashed;
        let is_shared = !repairs && rewrites && ledger.is_shared().map_err(refused)?;
        // An address may hold a login.
        let remote = if remote.contains("://") { place(&remote) } else { remote };
        let push = PushReport { remote, reference: ledger.upstream().to_owned(), not_looked_at };
        Ok(ReconcileReport::of(Came { backup, in_full, is_shared, push, ..came }))
    }
}

fn operate(
    client: &Client,
    options: &ReconcileOptions,
    repairs: bool,
    repository: &Repository,
    ledger: &RemoteLedger,
) -> Result<Came, Fault> {
    let started = Instant::now();
    let server = &options.server.of(repository, Errand::Push)?;
    // With nothing to ask about, nobody is looked for, not even over ssh.
    let needed = ledger.sends_small_files().map_err(refused)?;
    let mut destination = endpoint::of_repository(client, repository, Direction::Upload, server, needed)?;
    destination.reference = Some(ledger.upstream().to_owned());
    let limit = transfer::object_bytes_max(options.object_bytes_max, Some(repository))?;
    let (store, documents) = match repairs {
        true => (repository.store()?, repository.documents()?),
        false => (repository.store_to_read()?, repository.documents_to_read()?),
    };
    // Only a repair sends anything.
    let gate = repairs.then(|| Gate::of(repository, &options.allow)).transpose()?.map(Rc::new);
    let mut runner = Runner::new(client, destination, server, limit, |host| {
        host.store(store).documents(documents).ledger(ledger.clone()).gate(gate)
    })?;
    let mut operation = client.guest()?.reconcile(&runner.config, repairs)?;
    let mut watch = client.watching();
    watch.began("reconcile", 1, 0);
    let driven = driver::run(&mut operation, &mut runner.host, &mut **watch);
    watch.ended();
    driven?;
    let mut report = runner.host.heard(operation.finish_reconcile()?);
    report.ended = report.ended.map_err(|error| runner.told(error));
    Ok(Came {
        report,
        repairs,
        plans: options.dry_run,
        backup: None,
        in_full: InCommits::default(),
        is_shared: false,
        push: PushReport::default(),
        seconds: started.elapsed().as_secs_f64(),
        interrupted: runner.host.interrupted(),
    })
}

fn refused(refusal: Refusal) -> Fault {
    let code = match refusal.reason {
        Reason::Denied => Code::Auth,
        Reason::Offline | Reason::Git => Code::Host,
        _ => Code::Rejected,
    };
    Fault::failed(code, refusal.sentence)
}
