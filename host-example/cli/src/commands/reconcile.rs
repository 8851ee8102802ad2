//! `hydrant reconcile`: pointers that the next push would send and whose blobs the server lacks, and their repair.
//!
//! The rule it keeps: without `--repair`, and with `--dry-run`, nothing is changed here or anywhere; what a repair does
//! is decided by the engine alone.

use std::env;
use std::time::Instant;

use hydrant_host::documents::Documents;
use hydrant_host::driver;
use hydrant_host::engine::Engine;
use hydrant_host::remote::{Reason, Refusal, RemoteLedger};
use hydrant_host::contract::types::{Code, Direction};

use crate::cli::ReconcileArgs;
use hydrant_host::tasks::endpoint;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::transfer::{self, Runner};
use crate::reconcile_report::{self, Came};
use crate::report::Output;
use hydrant_host::repository::Repository;

pub(crate) fn run(arguments: &ReconcileArgs, output: &mut Output) -> Result<Ending, Fault> {
    let repository = Repository::around(&env::current_dir()?)?;
    let ledger = RemoteLedger::of_branch(&repository.git).map_err(refused)?;
    let repairs = arguments.repair && !arguments.dry_run;
    if repairs && ledger.undo_interrupted().map_err(refused)? {
        output.note("an earlier repair was interrupted: what it had changed here was put back");
    } else if !repairs && ledger.is_interrupted() {
        output.warn("an earlier repair was interrupted: --repair first puts back what that one had changed");
    }
    let before = ledger.last_commit().map_err(refused)?;
    let engine = Engine::load()?;
    let came = operate(arguments, repairs, &repository, &ledger, &engine, output)?;
    let backup = match came.report.tip {
        Some(_) => ledger.backup_of(&before)?,
        None => None,
    };
    Ok(reconcile_report::say(&Came { backup, ..came }, output))
}

fn operate(
    arguments: &ReconcileArgs,
    repairs: bool,
    repository: &Repository,
    ledger: &RemoteLedger,
    engine: &Engine,
    output: &Output,
) -> Result<Came, Fault> {
    let started = Instant::now();
    let server = &arguments.server;
    // With nothing to ask about, nobody is looked for, not even over ssh.
    let needed = ledger.sends_small_files().map_err(refused)?;
    let destination = destination::of_repository(repository, engine, Direction::Upload, server, needed)?;
    let limit = operate::object_bytes_max(&arguments.limits, Some(repository))?;
    let store = repository.store()?;
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let mut runner = Runner::new(engine, &output.voice, destination, server, limit, |host| {
        host.store(store).documents(documents).ledger(ledger.clone())
    })?;
    let mut operation = engine.guest()?.reconcile(&runner.config, repairs)?;
    let mut watcher = runner.watcher("reconcile", 1, 0);
    let driven = driver::run(&mut operation, &mut runner.host, &mut watcher);
    watcher.end();
    driven?;
    Ok(Came {
        report: operation.finish_reconcile()?,
        repairs,
        plans: arguments.dry_run,
        backup: None,
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
