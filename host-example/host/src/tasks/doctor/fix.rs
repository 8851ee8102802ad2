//! What is done about each finding, through the same tasks as the commands that it names.
//!
//! The rule it keeps: no bytes of the user's are removed. A leftover that is not one of our pointers is moved to
//! `hydrant/kept`, under a name that nothing has yet.

use std::fs;
use std::io::{self, Read};

use crate::contract::error::{Fault, FaultKind};
use crate::contract::pointers::{Kind, Sample};
use crate::files::platform::{make_private_dir, rename_new};
use crate::remote::{Refusal, RemoteLedger};
use crate::sessions::gitignore::{self, GITIGNORE};
use crate::sessions::ledger::{MANIFEST, path_in};
use crate::store::PruneRule;
use crate::tasks::publish::PublishOptions;
use crate::text::count_text;
use crate::worktree::restoring;
use crate::worktree::scan::POINTER_BYTES_LIMIT;
use crate::worktree::swap;

use super::finding::{Cure, Finding};
use super::patient::{DoctorOptions, Patient};
use super::{git_lfs, leftovers};

/// Whether the next finding is to be taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// The user asked to stop.
    Stop,
}

/// Does it, and notes down what came of it.
pub(super) fn fix(patient: &Patient<'_>, finding: &mut Finding, options: &DoctorOptions) -> Then {
    let done = match finding.cure() {
        Cure::Yours => return Then::GoOn,
        Cure::Publish(session, again) => publish(patient, session, *again, options),
        Cure::UndoRewrite => undo_rewrite(patient),
        Cure::TakeIn(session) => take_in(patient, session, finding.path.as_deref().unwrap_or_default()),
        Cure::PutAside(path) => put_aside(patient, path),
        Cure::Prune => {
            patient.store.prune(PruneRule::default(), true).map(|_| "removed".to_owned()).map_err(Fault::from)
        }
        Cure::Forget(oids) => forget(patient, oids),
        Cure::Unlock => unlock(patient),
        Cure::WriteGitignore => write_gitignore(patient),
        Cure::LeaveSessions(value) => git_lfs::leave_sessions(patient, value),
    };
    let is_interrupted = matches!(&done, Err(fault) if fault.kind == FaultKind::Interrupted);
    finding.came(done);
    if is_interrupted { Then::Stop } else { Then::GoOn }
}

fn publish(patient: &Patient<'_>, session: &str, again: bool, options: &DoctorOptions) -> Result<String, Fault> {
    let asked = PublishOptions {
        session: session.to_owned(),
        resume: !again,
        again,
        server: options.server.clone(),
        object_bytes_max: options.object_bytes_max,
        ..PublishOptions::default()
    };
    let report = patient.client.publish(patient.repository, &asked)?;
    if report.was_interrupted() {
        return Err(Fault::interrupted("it was interrupted again; the next run goes on"));
    }
    match report.ended {
        None => Ok("it is published".to_owned()),
        Some(error) => Err(Fault::failed(error.code.0, error.detail)),
    }
}

fn undo_rewrite(patient: &Patient<'_>) -> Result<String, Fault> {
    let refused = |refusal: Refusal| Fault::misuse(refusal.sentence);
    let ledger = RemoteLedger::of_branch(&patient.repository.git).map_err(refused)?;
    ledger.undo_interrupted().map_err(refused)?;
    Ok("everything is as it was before the rewrite".to_owned())
}

fn take_in(patient: &Patient<'_>, session: &str, path: &str) -> Result<String, Fault> {
    // Where an asset lay is told by its temporary file, which is a finding of its own.
    let beside = if session.is_empty() { MANIFEST.to_owned() } else { path_in(session, MANIFEST) };
    restoring::take_in(patient.ledger.files(), &patient.store, &beside)?;
    if patient.repository.common_dir.join(path).symlink_metadata().is_ok() {
        return Err(Fault::misuse("it stays: somebody else swaps content right now, or it is none of ours"));
    }
    Ok("it is in the cache".to_owned())
}

fn put_aside(patient: &Patient<'_>, path: &str) -> Result<String, Fault> {
    let local = |error: &io::Error| Fault::local("the file cannot be put aside", error);
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with(swap::TEMPORARY) {
        // Content that the cache has by now needs this name no more.
        restoring::take_in(patient.ledger.files(), &patient.store, path)?;
    }
    let opened = patient.ledger.files().open(path).map_err(|error| local(&error))?;
    let Some(opened) = opened else { return Ok("it is gone: nothing of it is lost".to_owned()) };
    let full = patient.repository.top.join(path);
    let file_size = opened.size;
    let mut head = Vec::new();
    opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head).map_err(|error| local(&error))?;
    if let Kind::Pointer(_) = patient.client.guest()?.classify(&Sample { head, file_size })? {
        fs::remove_file(&full).map_err(|error| local(&error))?;
        return Ok("removed: a pointer of ours".to_owned());
    }
    let kept = patient.repository.store_dir().join("kept");
    make_private_dir(&kept).map_err(|error| local(&error))?;
    let file = name.trim_start_matches('.');
    for number in 0..1_000_u32 {
        let name = format!("left-{file}-{number}");
        if rename_new(&full, &kept.join(&name)).map_err(|error| local(&error))? {
            return Ok(format!("moved to hydrant/kept/{name}"));
        }
    }
    Err(Fault::misuse("hydrant/kept holds too many files of this name"))
}

fn forget(patient: &Patient<'_>, oids: &[String]) -> Result<String, Fault> {
    let mut forgotten = 0;
    for oid in oids {
        let dropped = patient.store.drop_stalled(oid);
        forgotten += usize::from(dropped.map_err(|error| Fault::local("a beginning cannot be removed", &error))?);
    }
    Ok(format!("{} forgotten; `hydrant hydrate` begins anew", count_text(forgotten, "beginning")))
}

fn unlock(patient: &Patient<'_>) -> Result<String, Fault> {
    // The file in hand keeps others of ours out while the name goes.
    match leftovers::stale_index_lock(patient.repository)? {
        Some((path, _held)) => {
            fs::remove_file(path).map_err(|error| Fault::local("the lock cannot be taken away", &error))?;
            Ok("the lock is gone".to_owned())
        }
        None => Ok("it is gone already".to_owned()),
    }
}

fn write_gitignore(patient: &Patient<'_>) -> Result<String, Fault> {
    gitignore::complete(&mut patient.client.guest()?, patient.ledger.files())?;
    Ok(format!("{GITIGNORE} is written; commit it"))
}
