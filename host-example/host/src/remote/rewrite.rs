//! One commit in the place of all that the remote lacks: branch, index and files change together or not at all.
//!
//! | step | if the process dies after it, the world is | the next rewrite |
//! | --- | --- | --- |
//! | the index is locked | as it was; the lock is known to be ours | takes the lock away and begins anew |
//! | everything was judged, the commit made | as it was; nothing names the commit | the same |
//! | the note says what is about to change | as it was | takes the note away |
//! | the backup ref holds the old tip | as it was | takes note and ref away |
//! | files were removed and written | these files are ahead of the branch | puts them back as the tip has them |
//! | the index took its place | files and index are ahead of the branch | puts both back |
//! | the branch moved | all agree, and the backup ref holds the old tip | takes the note away |
//!
//! What a process that died changed is put back, never completed: the server may say something else by then. Only
//! what stands exactly as the rewrite left it is put back, so that nothing of the user's is written over. The branch
//! cannot be lost between judging and moving, because git holds it. A file is taken aside before it is removed, and
//! looked at once more.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::branch_move::BranchMove;
use super::entries::{self, Entries};
use super::index_copy::IndexCopy;
use super::index_lock::IndexLock;
use super::placing;
use super::range::{self, holds_exactly};
use super::rewrite_files::{remove_exactly, write_over};
use super::rewrite_lists::{files_of, list};
use super::rewrite_note::Note;
use super::rewrite_undo::{Undone, undo};
use super::{DURABLE, PLAIN_INDEX, Place, Rewritten, SHARED, commit, preflight, words};
use crate::contract::types::{Failed, Failure, PushFile, Rewrite, RewriteFile};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::documents::manifest_write;
use crate::git::GitFault;
use crate::git::tree::Listed;

/// Where old tips stay.
pub(crate) const BACKUPS: &str = "refs/hydrant/backup";
/// Hex digits of a commit in the name of its backup ref.
const SHORT_DIGITS: usize = 12;
/// Commits whose subjects stay in the message of the one that takes their place.
const SUBJECTS_MAX: usize = 100;
/// What the branch's log says.
const WHY: &str = "hydrant: one commit in the place of unpushed ones";

/// A point at which a process can die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Committed,
    Noted,
    BackedUp,
    Placed,
    Indexed,
    Moved,
}

#[cfg(test)]
thread_local! {
    /// The step after which this process dies.
    pub(super) static DIES_AFTER: std::cell::Cell<Option<Step>> = const { std::cell::Cell::new(None) };
}

/// Says that a step is done.
fn reached(step: Step) {
    #[cfg(test)]
    assert!(DIES_AFTER.get() != Some(step), "dies after {step:?}");
    // Only tests stop here.
    let _ = step;
}

pub(super) fn rewrite(place: &Place, rewrite: &Rewrite) -> Result<Rewritten, Failed> {
    let _lock = IndexLock::take(place)?;
    undo(place)?;
    if range::is_shared(place)? {
        return Err(words::failed(Failure::Refused, SHARED));
    }
    let names: BTreeSet<&str> = rewrite.files.iter().map(|file| file.name.as_str()).collect();
    if names.len() != rewrite.files.len() {
        return Err(words::failed(Failure::Io, "a file of the new commit was named twice"));
    }
    placing::sweep(&place.tree, names.iter().copied()).map_err(words::of_file)?;
    if !fits_refs(place, rewrite)? {
        return Ok(Rewritten::Conflict);
    }
    let _manifests = manifest_write::hold(&place.tree, names.iter().copied()).map_err(words::of_host)?;
    let index = IndexCopy::make(place)?;
    let there = files_of(place, &rewrite.tip, &names)?;
    let listed = list(&index, &names)?;
    if !fits_files(place, rewrite, &there, &listed)? {
        return Ok(Rewritten::Conflict);
    }
    let change = Change::of(place, rewrite, there)?;
    let new = change.commit(place, rewrite)?;
    reached(Step::Committed);
    if new == rewrite.tip {
        return Ok(Rewritten::At(new));
    }
    let names = names.into_iter().map(str::to_owned).collect();
    let note = Note { tip: rewrite.tip.clone(), new, backup: backup_ref(&rewrite.tip), names };
    match change.carry_out(place, rewrite, &note, &index, &listed) {
        Ok(true) => {
            // The next rewrite does it otherwise.
            Note::remove(place).ok();
            Ok(Rewritten::At(note.new))
        }
        Ok(false) => undo(place).map(|_| Rewritten::Conflict),
        Err(why) => match undo(place) {
            // git moved the branch and did not get to say so.
            Ok(Undone::Complete) => Ok(Rewritten::At(note.new)),
            Ok(_) => Err(why),
            Err(worse) => {
                let sentence =
                    format!("{}; and what was changed could not be put back yet: {}", why.detail, worse.detail);
                Err(words::failed(why.why, &sentence))
            }
        },
    }
}

/// Puts back what a rewrite changed that was interrupted; says whether there was one.
pub(super) fn undo_interrupted(place: &Place) -> Result<bool, Failed> {
    if Note::read(place)?.is_none() {
        return Ok(false);
    }
    let _lock = IndexLock::take(place)?;
    Ok(undo(place)? != Undone::Nothing)
}

/// The newest ref under which a commit is kept.
pub(super) fn backup_of(place: &Place, commit: &str) -> Result<Option<String>, GitFault> {
    let arguments =
        ["for-each-ref", "--sort=-refname", "--count=1", "--format=%(refname)", "--points-at", commit, BACKUPS];
    let listed = words::line(&place.git.read(&arguments, b"")?);
    Ok((!listed.is_empty()).then_some(listed))
}

/// Branch, base and what is under way are as they were looked at.
fn fits_refs(place: &Place, rewrite: &Rewrite) -> Result<bool, Failed> {
    let branch = place.git.run(&["symbolic-ref", "--quiet", "HEAD"], b"")?;
    let is_here = words::line(&branch.stdout) == format!("refs/heads/{}", place.branch);
    if !is_here || preflight::underway(&place.git_dir).is_some() || place.head()? != rewrite.tip {
        return Ok(false);
    }
    Ok(place.known_base()?.as_ref() == Some(&rewrite.base) && place.is_ancestor(&rewrite.base, &rewrite.tip)?)
}

/// Last commit, index and work tree hold exactly what each file replaces.
fn fits_files(
    place: &Place,
    rewrite: &Rewrite,
    there: &Entries,
    listed: &BTreeMap<String, Listed>,
) -> Result<bool, Failed> {
    let mut same: Vec<(&str, &RewriteFile)> = Vec::new();
    for file in &rewrite.files {
        let (Some(entry), Some(listed)) = (there.get(&file.name), listed.get(&file.name)) else { return Ok(false) };
        let is_staged = listed.stage == "0" && listed.entry.is_file() && listed.entry.oid == entry.oid;
        let is_same = entry.is_file() && is_staged && !listed.skipped;
        if !is_same || !holds_exactly(place, &file.name, &file.replaces) {
            return Ok(false);
        }
        same.push((&entry.oid, file));
    }
    let blobs: Vec<(&str, &str)> = same.iter().map(|(oid, file)| (*oid, file.name.as_str())).collect();
    let bytes = entries::bytes_of(place, &blobs, DOCUMENT_BYTES_MAX)?;
    Ok(same.iter().all(|(oid, file)| bytes.get(*oid).is_some_and(|bytes| *bytes == file.replaces)))
}

/// What changes, as git stores it.
struct Change {
    /// The files as the tip has them.
    there: Entries,
    /// Names of files that are written, with their new blobs.
    written: BTreeMap<String, String>,
    removed: Vec<String>,
}

impl Change {
    fn of(place: &Place, rewrite: &Rewrite, there: Entries) -> Result<Self, Failed> {
        let mut files = Vec::new();
        let mut removed = Vec::new();
        for file in &rewrite.files {
            match &file.bytes {
                Some(bytes) => files.push(PushFile { name: file.name.clone(), bytes: bytes.clone(), replaces: None }),
                None => removed.push(file.name.clone()),
            }
        }
        let blobs = if files.is_empty() { Vec::new() } else { commit::store(place, &files)? };
        let written = files.into_iter().map(|file| file.name).zip(blobs).collect();
        Ok(Self { there, written, removed })
    }

    /// Lines of `git update-index --index-info`; `modes` are those of files that are there.
    fn index_info(&self, modes: &Entries) -> Vec<u8> {
        let written: BTreeMap<&str, &str> = self.written.iter().map(|(name, oid)| (&**name, &**oid)).collect();
        let mut lines = commit::index_info(modes, &written);
        lines.extend(removals(self.removed.iter().map(String::as_str), &self.there));
        lines
    }

    /// The new last commit: the tip's tree but for these files, after the base.
    fn commit(&self, place: &Place, rewrite: &Rewrite) -> Result<String, Failed> {
        let tree_of = |commit: &str| {
            let answer = place.git.read(&["rev-parse", "--verify", &format!("{commit}^{{tree}}")], b"");
            answer.map(|answer| words::line(&answer)).map_err(Failed::from)
        };
        let tree = if rewrite.files.is_empty() { tree_of(&rewrite.tip)? } else { self.tree(place, &rewrite.tip)? };
        if tree == tree_of(&rewrite.base)? {
            // A commit of nothing helps nobody.
            return Ok(rewrite.base.clone());
        }
        commit::commit(place, &tree, &rewrite.base, &message(place, rewrite)?)
    }

    fn tree(&self, place: &Place, tip: &str) -> Result<String, Failed> {
        let index = place.scratch("index").map_err(words::of_file)?;
        let git = place.git.clone().with_variable("GIT_INDEX_FILE", &index.0);
        let run = |words: &[&str], input: &[u8]| {
            let arguments: Vec<&str> = DURABLE.iter().chain(&PLAIN_INDEX).chain(words).copied().collect();
            git.read(&arguments, input).map_err(Failed::from)
        };
        run(&["read-tree", tip], b"")?;
        run(&["update-index", "-z", "--index-info"], &self.index_info(&self.there))?;
        Ok(words::line(&run(&["write-tree"], b"")?))
    }

    /// Every change there is, in the order of the table. False when something of the user's came in between: then what
    /// was changed must be put back.
    fn carry_out(
        &self,
        place: &Place,
        rewrite: &Rewrite,
        note: &Note,
        index: &IndexCopy,
        listed: &BTreeMap<String, Listed>,
    ) -> Result<bool, Failed> {
        note.write(place).map_err(words::of_file)?;
        reached(Step::Noted);
        let zero = "0".repeat(note.tip.len());
        let keep = ["update-ref", "-m", WHY, &note.backup, &note.tip, &zero];
        place.git.read(&[&DURABLE[..], &keep].concat(), b"")?;
        reached(Step::BackedUp);
        let Some(branch) = BranchMove::prepare_for(place, &note.tip, &note.new, WHY)? else { return Ok(false) };
        for file in &rewrite.files {
            if !self.place(place, file).map_err(words::of_file)? {
                return Ok(false);
            }
        }
        reached(Step::Placed);
        self.take_entries(place, index, listed)?;
        index.install(place).map_err(words::of_file)?;
        reached(Step::Indexed);
        branch.commit()?;
        reached(Step::Moved);
        Ok(true)
    }

    /// One file of the work tree; false when it is no longer what it was.
    fn place(&self, place: &Place, file: &RewriteFile) -> io::Result<bool> {
        let Some(new) = &file.bytes else { return remove_exactly(place, &file.name, &file.replaces) };
        if !holds_exactly(place, &file.name, &file.replaces) {
            return Ok(false);
        }
        write_over(place, &file.name, new, &file.replaces)?;
        Ok(holds_exactly(place, &file.name, new))
    }

    /// Gives these files their new entries. What the user told git of them, and every other entry, stays.
    fn take_entries(&self, place: &Place, index: &IndexCopy, listed: &BTreeMap<String, Listed>) -> Result<(), Failed> {
        if self.there.is_empty() {
            return Ok(());
        }
        let staged = listed.iter().map(|(name, listed)| (name.clone(), listed.entry.clone())).collect();
        index.must(&["update-index", "-z", "--index-info"], &self.index_info(&staged))?;
        let written: BTreeMap<&str, &str> = self.written.iter().map(|(name, oid)| (&**name, &**oid)).collect();
        index.flag(&written, "--assume-unchanged", listed, |listed| listed.assumed)?;
        let names: Vec<&str> = written.into_keys().collect();
        place.refresh(&index.git, &names).map_err(Failed::from)
    }
}

/// The new commit's message: what was done, and what the commits were called that it stands for.
fn message(place: &Place, rewrite: &Rewrite) -> Result<String, Failed> {
    let range = format!("{}..{}", rewrite.base, rewrite.tip);
    let most = format!("--max-count={}", SUBJECTS_MAX + 1);
    let subjects = ["log", "--no-merges", "--no-show-signature", "--encoding=UTF-8", "--format=%s"];
    let asked = [&subjects[..], &[&most, &range, "--"]].concat();
    let listed = place.git.read(&asked, b"")?;
    let listed = String::from_utf8_lossy(&listed);
    let mut text = format!("{}\n\nIn the place of, newest first:\n", rewrite.message);
    for (at, subject) in listed.lines().enumerate() {
        text += &if at < SUBJECTS_MAX { format!("- {subject}\n") } else { "- and older ones\n".to_owned() };
    }
    Ok(text)
}

/// Lines of `git update-index --index-info` that take entries out.
fn removals<'a>(names: impl Iterator<Item = &'a str>, there: &Entries) -> Vec<u8> {
    let mut lines = Vec::new();
    for name in names {
        let digits = there.get(name).map_or(40, |entry| entry.oid.len());
        lines.extend_from_slice(format!("0 {}\t{name}\0", "0".repeat(digits)).as_bytes());
    }
    lines
}

fn backup_ref(tip: &str) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let short: String = tip.chars().take(SHORT_DIGITS).collect();
    format!("{BACKUPS}/{seconds}-{short}")
}
