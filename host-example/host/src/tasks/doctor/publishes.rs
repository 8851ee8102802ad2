//! Publishes that were interrupted: where each of them was, by its journal and by what git has of it.
//!
//! A journal is in one of two states. *Intended* names what may have been sent; *bound* holds the exact bytes to push,
//! so what git has of them tells how far it came: nothing, the remote's branch, this branch, or all but the swap.
//!
//! What is told to run is what works: commits of both sides are brought together first, and what the remote replaced
//! meanwhile is not told to be resumed.

use crate::contract::error::{Fault, HostError};
use crate::contract::ledgers::{Bound, Unfinished};
use crate::documents::Documents;
use crate::engine::Guest;
use crate::remote::RemoteLedger;
use crate::repository::committed;
use crate::sessions::journaled::{is_in, standing};
use crate::sessions::ledger::{MANIFEST, SESSIONS, path_in};
use crate::text::{count_text, plain, shell};

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::{FIX, Patient};

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    if repository.is_state_closed() {
        let detail = "the journals cannot be read, so interrupted publishes are not looked at";
        let next = Next::told("the user of this clone can: run hydrant doctor as that user");
        findings.push(Finding::new(FindingKind::PublishUnreadable, detail, next, Cure::Yours).at("hydrant/journal"));
        return Ok(());
    }
    let documents = repository.documents_to_read()?;
    let journals = documents.journals().map_err(|error| Fault::local("the journals cannot be listed", &error))?;
    let mut guest = patient.client.guest()?;
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
    register(&documents, &mut guest, findings)?;
    if RemoteLedger::of_branch(&repository.git).is_ok_and(|ledger| ledger.is_interrupted()) {
        findings.push(Finding::new(
            FindingKind::RewriteInterrupted,
            "a rewrite of unpushed commits was interrupted; its note says how everything was",
            Next::run(FIX, &[]).told_of(format!("{FIX}, or the command that was interrupted, puts everything back")),
            Cure::UndoRewrite,
        ));
    }
    Ok(())
}

fn unreadable(session: &str) -> Finding {
    let detail = "its publish was interrupted, and the journal cannot be read by this version";
    let shown = shell(session);
    let next = format!("keep hydrant/journal/{shown}.json in git's folder, and use the version that wrote it");
    Finding::new(FindingKind::PublishUnreadable, detail, Next::told(next), Cure::Yours).of(session)
}

fn intended(patient: &Patient<'_>, session: &str, blobs: usize) -> Finding {
    let here = patient.repository.top.join(SESSIONS).join(session).symlink_metadata().is_ok();
    let shown = shell(session);
    let detail = format!(
        "a publish of it is under way or was interrupted before it was bound: {} may be on the server, and no \
         manifest names them yet",
        count_text(blobs, "blob")
    );
    let again = format!("hydrant publish {shown}");
    let (next, cure) = if here {
        let told = format!("{again}, with --from DIR where its files came from a folder: nothing is sent twice");
        (Next::run(again, &[session]).told_of(told), Cure::Publish(session.to_owned(), true))
    } else {
        let told = format!("{again} --from DIR with the folder its files came from: nothing is sent twice");
        (Next::told(told), Cure::Yours)
    };
    Finding::new(FindingKind::PublishIntended, detail, next, cure).of(session)
}

/// A register that cannot be read stops whoever would write into it.
fn register(documents: &Documents, guest: &mut Guest, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let why = match documents.register() {
        Ok(None) => return Ok(()),
        Ok(Some(text)) => match guest.read_register(&text) {
            Ok(_) => return Ok(()),
            Err(HostError::Engine(error)) => error.detail,
            Err(stopped) => return Err(stopped.into()),
        },
        Err(error) => error.to_string(),
    };
    let place = "\"$(git rev-parse --git-common-dir)/hydrant/orphans";
    let detail = format!("no publish can name what it replaces: {}", plain(&why));
    let aside = format!("mv -n {place}.json\" {place}-unreadable.json\"");
    let told = format!("move it aside, which keeps it, and a new one is begun: {aside}");
    let next = Next::run(aside, &[]).told_of(told);
    findings.push(Finding::new(FindingKind::RegisterUnreadable, detail, next, Cure::Yours).at("hydrant/orphans.json"));
    Ok(())
}

fn bound(patient: &Patient<'_>, session: &str, bound: &Bound) -> Result<Finding, Fault> {
    let branch = Branch::of(patient)?;
    let is_there = is_in(patient.repository, bound, "@{upstream}")?;
    if !is_there && is_outpaced(patient, bound)? {
        return outpaced(patient, session, bound, branch);
    }
    let (kind, detail) = if !is_there {
        (
            FindingKind::PublishUnpushed,
            "its content is on the server, and the push of its pointers is not known to be done",
        )
    } else if !is_in(patient.repository, bound, "HEAD")? {
        (FindingKind::PublishUnsettled, "the remote has it; branch, index and files here do not follow yet")
    } else if !standing(patient.ledger.files(), bound, session)?.is_empty() {
        (FindingKind::PublishUnswapped, "the remote has it; content still stands here where its pointers belong")
    } else {
        (FindingKind::PublishUnclosed, "it is published and all agree; only its journal is left")
    };
    // A branch that is only behind follows by itself.
    let is_diverged = branch.ahead > 0 && branch.behind > 0;
    let by_hand = if is_diverged { out_of_the_way(patient, session)? } else { Vec::new() };
    let mut commands = Vec::new();
    commands.extend(is_diverged.then(|| PULL_REBASE.to_owned()));
    commands.extend((branch.ahead > 0).then(|| PUSH.to_owned()));
    commands.push(format!("hydrant publish {} --resume", shell(session)));
    let next = if by_hand.is_empty() {
        Next::run(commands.join(" && "), &[session])
    } else {
        Next::told([by_hand, commands].concat().join("; "))
    };
    let detail = format!("a publish of it is under way or was interrupted: {detail}");
    let cure = if is_diverged { Cure::Yours } else { Cure::Publish(session.to_owned(), false) };
    Ok(Finding::new(kind, detail, next, cure).of(session))
}

const PULL_REBASE: &str = "git pull --rebase";
const PUSH: &str = "git push";

/// Somebody else published files of it meanwhile: the bytes that were bound can never be pushed.
fn outpaced(patient: &Patient<'_>, session: &str, bound: &Bound, branch: Branch) -> Result<Finding, Fault> {
    let shown = shell(session);
    if is_seen(patient, bound)? {
        let detail = "a publish of it was interrupted, and this clone has another version of this session by now";
        let told = format!(
            "hydrant publish {shown} --resume puts its files in the place of those; hydrant publish {shown} --abandon \
             gives it up"
        );
        return Ok(Finding::new(FindingKind::PublishUnpushed, detail, Next::told(told), Cure::Yours).of(session));
    }
    let mut steps = out_of_the_way(patient, session)?;
    let whence = if steps.is_empty() { "" } else { "KEPT when its files stood in place, and else " };
    if branch.behind > 0 {
        steps.push(if branch.ahead > 0 { PULL_REBASE } else { "git pull" }.to_owned());
    }
    steps.extend((branch.ahead > 0).then(|| PUSH.to_owned()));
    steps.push(format!(
        "hydrant publish {shown} --from DIR joins them, where DIR is {whence}the folder its files came from; \
         files of the same name become those of DIR"
    ));
    let detail = "a publish of it was interrupted, and the remote has another version of this session by now";
    Ok(Finding::new(FindingKind::PublishUnpushed, detail, Next::told(steps.join("; ")), Cure::Yours).of(session))
}

/// What is to be done before a pull, which refuses to write over what stands in the session's folder.
fn out_of_the_way(patient: &Patient<'_>, session: &str) -> Result<Vec<String>, Fault> {
    let folder = format!("{SESSIONS}/{session}");
    let arguments = ["--literal-pathspecs", "status", "--porcelain", "--ignored", "-uall", "--", &folder];
    let listed = patient.repository.git.read(&arguments, b"")?;
    let is_lock = |line: &&[u8]| line.ends_with(b"/.meta.json.lock");
    if listed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).all(|line| is_lock(&line)) {
        return Ok(Vec::new());
    }
    let shown = shell(&folder);
    let mut steps = vec![format!("move what stands in {shown} to a folder KEPT elsewhere")];
    if let Some(head) = committed::commit(patient.repository, "HEAD")?
        && committed::files(&patient.repository.git, &head, &[&path_in(session, MANIFEST)])?[0].is_some()
    {
        steps.push(format!("git checkout -- {shown}"));
    }
    Ok(steps)
}

/// How the branch stands to the one that it follows, as far as this clone knows.
#[derive(Clone, Copy, Default)]
struct Branch {
    /// Commits that the remote lacks.
    ahead: u64,
    /// Commits that are not here.
    behind: u64,
}

impl Branch {
    fn of(patient: &Patient<'_>) -> Result<Self, Fault> {
        let counted =
            patient.repository.git.run(&["rev-list", "--left-right", "--count", "HEAD...@{upstream}", "--"], b"")?;
        let text = String::from_utf8_lossy(&counted.stdout).into_owned();
        let mut counts = text.split_whitespace().map(|count| count.parse().unwrap_or(0));
        // Without a branch that it follows there is nothing to count; the publish says so.
        Ok(Self { ahead: counts.next().unwrap_or(0), behind: counts.next().unwrap_or(0) })
    }
}

/// Whether the remote has, for a file besides the manifest, neither what is replaced nor what was to be pushed. Two
/// versions of a manifest are merged by whoever resumes; two versions of anything else are not.
fn is_outpaced(patient: &Patient<'_>, bound: &Bound) -> Result<bool, Fault> {
    let Some(commit) = committed::commit(patient.repository, "@{upstream}")? else { return Ok(false) };
    let paths: Vec<&str> = bound.push.iter().map(|file| file.name.as_str()).collect();
    let there = committed::files(&patient.repository.git, &commit, &paths)?;
    let word = |path: &&str| format!("{commit}:{path}");
    let revisions = patient.repository.git.blob_info(&paths.iter().map(word).collect::<Vec<_>>())?;
    let all = bound.push.iter().zip(there.iter().zip(&revisions));
    Ok(all.skip(1).any(|(file, (bytes, revision))| {
        bytes.as_ref() != Some(&file.bytes) && revision.as_ref().map(|blob| &blob.git_oid) != file.replaces.as_ref()
    }))
}

/// Whether the last commit here has what the remote has of all files that were to be pushed.
fn is_seen(patient: &Patient<'_>, bound: &Bound) -> Result<bool, Fault> {
    let names = |commit: String| bound.push.iter().map(move |file| format!("{commit}:{}", file.name)).collect();
    let mut both = Vec::new();
    for revision in ["HEAD", "@{upstream}"] {
        let Some(commit) = committed::commit(patient.repository, revision)? else { return Ok(false) };
        let names: Vec<String> = names(commit);
        let found = patient.repository.git.blob_info(&names)?;
        both.push(found.into_iter().map(|blob| blob.map(|blob| blob.git_oid)).collect::<Vec<_>>());
    }
    Ok(both[0] == both[1])
}
