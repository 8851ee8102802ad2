//! Publishes that were interrupted: where each of them was, by its journal and by what git has of it.
//!
//! A journal is in one of two states. *Intended* names what may have been sent; *bound* holds the exact bytes to push,
//! so what git has of them tells how far it came: nothing, the remote's branch, this branch, or all but the swap.

use std::collections::HashMap;
use std::io;

use hydrant_host::documents::Documents;
use hydrant_host::error::HostError;
use hydrant_host::remote_ledger::RemoteLedger;
use hydrant_host::wit::ledgers::{Bound, Unfinished};

use crate::committed;
use crate::ending::Fault;
use crate::ledger::{SESSIONS, path_in};
use crate::report::{count_text, quote};

use super::{Cure, Finding, Kind, Patient};

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    let documents = Documents::beneath(&repository.top)?.with_state(&repository.store_dir())?;
    let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
    let mut guest = patient.engine.guest()?;
    for session in journals {
        let journal = match documents.journal(&session) {
            Ok(None) => continue,
            Ok(Some(text)) => guest.read_journal(&text),
            Err(error) => Err(HostError::io("the journal", &error)),
        };
        findings.push(match journal {
            Ok(Unfinished::Intended(blobs)) => intended(patient, &session, blobs.len()),
            Ok(Unfinished::Bound(bound)) => self::bound(patient, &session, &bound)?,
            Err(HostError::Engine(_) | HostError::Local(_)) => unreadable(&session),
            Err(stopped) => return Err(stopped.into()),
        });
    }
    if RemoteLedger::of_branch(&repository.git).is_ok_and(|ledger| ledger.is_interrupted()) {
        findings.push(Finding::new(
            Kind::RewriteInterrupted,
            "a rewrite of unpushed commits was interrupted; its note says how everything was",
            "hydrant doctor --fix, or the command that was interrupted, puts everything back",
            Cure::UndoRewrite,
        ));
    }
    Ok(())
}

fn unreadable(session: &str) -> Finding {
    let detail = "its publish was interrupted, and the journal cannot be read by this version";
    let shown = quote(session.as_bytes());
    let run = format!("keep hydrant/journal/{shown}.json in git's folder, and use the version that wrote it");
    Finding::new(Kind::PublishUnreadable, detail, run, Cure::Yours).of(session)
}

fn intended(patient: &Patient<'_>, session: &str, blobs: usize) -> Finding {
    let here = patient.repository.top.join(SESSIONS).join(session).symlink_metadata().is_ok();
    let shown = quote(session.as_bytes());
    let detail = format!(
        "a publish of it was interrupted before it was bound: {} may be on the server, and no manifest names them yet",
        count_text(blobs, "blob")
    );
    let run = if here {
        format!("hydrant publish {shown}, with --from DIR where its files came from a folder: nothing is sent twice")
    } else {
        format!("hydrant publish {shown} --from DIR with the folder its files came from: nothing is sent twice")
    };
    let cure = if here { Cure::Publish(session.to_owned(), true) } else { Cure::Yours };
    Finding::new(Kind::PublishIntended, detail, run, cure).of(session)
}

fn bound(patient: &Patient<'_>, session: &str, bound: &Bound) -> Result<Finding, Fault> {
    let (kind, detail) = if !is_in(patient, bound, "@{upstream}")? {
        (Kind::PublishUnpushed, "its content is on the server, and the push of its pointers is not known to be done")
    } else if !is_in(patient, bound, "HEAD")? {
        (Kind::PublishUnsettled, "the remote has it; branch, index and files here do not follow yet")
    } else if stands(patient, bound, session)? {
        (Kind::PublishUnswapped, "the remote has it; content still stands here where its pointers belong")
    } else {
        (Kind::PublishUnclosed, "it is published and all agree; only its journal is left")
    };
    let run = format!("hydrant publish {} --resume", quote(session.as_bytes()));
    let detail = format!("a publish of it was interrupted: {detail}");
    Ok(Finding::new(kind, detail, run, Cure::Publish(session.to_owned(), false)).of(session))
}

/// Whether a commit has all that was to be pushed, as far as this clone knows.
fn is_in(patient: &Patient<'_>, bound: &Bound, revision: &str) -> Result<bool, Fault> {
    let Some(commit) = committed::commit(patient.repository, revision)? else { return Ok(false) };
    let paths: Vec<&str> = bound.push.iter().map(|file| file.name.as_str()).collect();
    let there = committed::files(patient.repository, &commit, &paths)?;
    Ok(bound.push.iter().zip(&there).all(|(file, there)| there.as_ref() == Some(&file.bytes)))
}

/// Whether content stands where a pointer belongs.
fn stands(patient: &Patient<'_>, bound: &Bound, session: &str) -> Result<bool, Fault> {
    let pushed: HashMap<&str, &[u8]> = bound.push.iter().map(|file| (&*file.name, &*file.bytes)).collect();
    for name in &bound.in_place {
        let path = path_in(session, name);
        let Ok(Some(mut opened)) = patient.ledger.files().open(&path) else { continue };
        let pointer = pushed.get(path.as_str()).copied().unwrap_or_default();
        if opened.size != pointer.len() as u64 {
            return Ok(true);
        }
        let mut now = Vec::new();
        io::Read::read_to_end(&mut opened.file, &mut now)
            .map_err(|error| Fault::local("a file of the session cannot be read", &error))?;
        if now != pointer {
            return Ok(true);
        }
    }
    Ok(false)
}
