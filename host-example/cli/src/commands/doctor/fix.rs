//! What `hydrant doctor --fix` does about each finding, through the same code as the commands that it names.
//!
//! The rule it keeps: no bytes of the user's are removed. A leftover that is not one of our pointers is moved to
//! `hydrant/kept`, under a name that nothing has yet.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;

use hydrant_host::text::plain;
use hydrant_host::remote::RemoteLedger;
use hydrant_host::worktree::restoring;
use hydrant_host::worktree::scan::POINTER_BYTES_LIMIT;
use hydrant_host::store::PruneRule;
use hydrant_host::contract::pointers::{Kind, Sample};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::cli::{DoctorArgs, PublishArgs};
use crate::commands::publish::Scene;
use crate::ending::Ending;
use hydrant_host::contract::error::Fault;
use hydrant_host::sessions::gitignore::{self, GITIGNORE};
use hydrant_host::sessions::ledger::{MANIFEST, path_in};
use crate::report::Output;
use hydrant_host::text::quote;

use super::{Cure, Finding, Patient, leftovers};

/// What `--fix` would do.
pub(super) fn plan(cure: &Cure) -> String {
    match cure {
        Cure::Yours => "nothing: this is for you to decide".to_owned(),
        Cure::Publish(session, true) => {
            format!("publish {} again with its content that stands here", quote(session.as_bytes()))
        }
        Cure::Publish(session, false) => format!("finish the publish of {}", quote(session.as_bytes())),
        Cure::UndoRewrite => "put everything back as it was before the rewrite".to_owned(),
        Cure::PutAside(path) => {
            format!("move {} to hydrant/kept, or remove it where it is a pointer of ours", quote(path.as_bytes()))
        }
        Cure::TakeIn(_) => "take it into the cache".to_owned(),
        Cure::Prune => "remove them".to_owned(),
        Cure::Unlock => "take the lock away".to_owned(),
        Cure::WriteGitignore => format!("write {GITIGNORE}; commit it then"),
    }
}

/// Whether the next finding is to be taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// The user asked to stop.
    Stop,
}

/// Does it, and notes down what came of it.
pub(super) fn fix(patient: &Patient<'_>, finding: &mut Finding, arguments: &DoctorArgs, output: &mut Output) -> Then {
    let done = match &finding.cure {
        Cure::Yours => return Then::GoOn,
        Cure::Publish(session, again) => publish(patient, session, *again, arguments, output),
        Cure::UndoRewrite => undo_rewrite(patient),
        Cure::TakeIn(session) => take_in(patient, session, finding.path.as_deref().unwrap_or_default()),
        Cure::PutAside(path) => put_aside(patient, path),
        Cure::Prune => {
            patient.store.prune(PruneRule::default(), true).map(|_| "removed".to_owned()).map_err(Fault::from)
        }
        Cure::Unlock => unlock(patient),
        Cure::WriteGitignore => write_gitignore(patient),
    };
    let is_interrupted = matches!(&done, Err(fault) if fault.ending == Ending::Interrupted);
    finding.fixed = Some(done.map_err(|fault| plain(&fault.detail)));
    if is_interrupted { Then::Stop } else { Then::GoOn }
}

fn publish(
    patient: &Patient<'_>,
    session: &str,
    again: bool,
    arguments: &DoctorArgs,
    output: &mut Output,
) -> Result<String, Fault> {
    let arguments = PublishArgs {
        session: session.to_owned(),
        resume: !again,
        server: arguments.server.clone(),
        limits: arguments.limits.clone(),
        ..PublishArgs::default()
    };
    let came = Scene::look(patient.repository, patient.engine, &arguments)?.publish(output)?;
    if came.interrupted {
        return Err(Fault::interrupted("it was interrupted again; the next run goes on"));
    }
    match came.report.ended {
        Ok(()) => Ok("it is published".to_owned()),
        Err(error) => Err(Fault::failed(error.code, error.detail)),
    }
}

fn undo_rewrite(patient: &Patient<'_>) -> Result<String, Fault> {
    let refused = |refusal: hydrant_host::remote::Refusal| Fault::misuse(refusal.sentence);
    let ledger = RemoteLedger::of_branch(&patient.repository.git).map_err(refused)?;
    ledger.undo_interrupted().map_err(refused)?;
    Ok("everything is as it was before the rewrite".to_owned())
}

fn take_in(patient: &Patient<'_>, session: &str, path: &str) -> Result<String, Fault> {
    restoring::take_in(patient.ledger.files(), &patient.store, &path_in(session, MANIFEST))?;
    if patient.repository.common_dir.join(path).symlink_metadata().is_ok() {
        return Err(Fault::misuse("it stays: somebody else swaps content right now, or it is none of ours"));
    }
    Ok("it is in the cache".to_owned())
}

fn put_aside(patient: &Patient<'_>, path: &str) -> Result<String, Fault> {
    let local = |error: &io::Error| Fault::local("the file cannot be put aside", error);
    let opened = patient.ledger.files().open(path).map_err(|error| local(&error))?;
    let Some(opened) = opened else { return Ok("it is gone already".to_owned()) };
    let full = patient.repository.top.join(path);
    let file_size = opened.size;
    let mut head = Vec::new();
    opened.file.take(POINTER_BYTES_LIMIT as u64).read_to_end(&mut head).map_err(|error| local(&error))?;
    if let Kind::Pointer(_) = patient.engine.guest()?.classify(&Sample { head, file_size })? {
        fs::remove_file(&full).map_err(|error| local(&error))?;
        return Ok("removed: a pointer of ours".to_owned());
    }
    let kept = patient.repository.store_dir().join("kept");
    fs::create_dir_all(&kept).map_err(|error| local(&error))?;
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o700)).map_err(|error| local(&error))?;
    let file = path.rsplit('/').next().unwrap_or(path).trim_start_matches('.');
    for number in 0..1_000_u32 {
        let name = format!("left-{file}-{number}");
        match renameat_with(CWD, &full, CWD, kept.join(&name), RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(format!("moved to hydrant/kept/{name}")),
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(local(&error.into())),
        }
    }
    Err(Fault::misuse("hydrant/kept holds too many files of this name"))
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
    gitignore::complete(&mut patient.engine.guest()?, patient.ledger.files())?;
    Ok(format!("{GITIGNORE} is written; commit it"))
}
