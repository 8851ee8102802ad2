//! Branch, index and files here follow what the remote confirmed, together or not at all.
//!
//! | step | if the process dies after it, the world is | the next settle |
//! | --- | --- | --- |
//! | the index is locked | as it was; the lock is known to be ours | takes the lock away and begins anew |
//! | files of the push were judged, the branch is held | as it was; git lets go of the branch | the same |
//! | a note says where the branch goes | as it was | the same |
//! | other paths were merged into the tree | the tree is ahead in these | knows them by the note's commit (`ahead`) |
//! | files of the push were written | the same for these | the same |
//! | the index took its place | all but the branch agrees: `git status` shows the step as staged | moves the branch |
//! | the branch moved | all agree | forgets the note |
//!
//! The index goes before the branch: an index behind its branch would undo the remote's commits with the next
//! `git commit`; one that is ahead commits what the remote has. The branch cannot be lost between the two, because git
//! holds it from the judging on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::branch_move::BranchMove;
use super::displacing::displace;
use super::entries::{self, Entries};
use super::index_copy::{IndexCopy, failure_of};
use super::index_lock::IndexLock;
use super::load::fetch;
use super::placing::{self, Plan, Wanted};
use super::settle_note::{Note, Waiting};
use super::{Place, Settled, ahead, commit, preflight, settle_note, standing, words};
use crate::contract::types::{Failed, Failure, Settle};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::documents::manifest_write;
use crate::git::tree::{Entry, Listed};
use crate::process::Finished;

/// What git says when a change of the user's is in the way of a merge.
const IN_THE_WAY: [&str; 5] =
    ["would be overwritten", "not uptodate", "would lose untracked", "Cannot merge", "would be removed"];

pub(super) fn settle(place: &Place, settle: &Settle) -> Result<Settled, Failed> {
    let _lock = IndexLock::take(place)?;
    let begun = settle_note::finish(place)?;
    let settled = follow(place, settle, begun.as_ref())?;
    if settled == Settled::Done {
        // One that stays is found to be done with: the branch is no longer where it says, or nothing is ahead any more.
        Note::remove(place).ok();
        return Ok(settled);
    }
    if !place.is_checked_out()? {
        return Ok(settled);
    }
    // Nothing moved: what was noted before stands, and what this one waits for joins it.
    let mut note = match begun {
        Some(note) => note,
        None => Note { old: place.head()?, tips: Vec::new(), waiting: Vec::new() },
    };
    let waiting = settle_note::waiting(settle);
    note.waiting.retain(|old| waiting.iter().all(|new| new.name != old.name));
    note.waiting.extend(waiting);
    let is_empty = note.tips.is_empty() && note.waiting.is_empty();
    if is_empty { Note::remove(place) } else { note.write(place) }.map_err(words::of_file)?;
    Ok(settled)
}

/// Makes the step, with the index locked.
fn follow(place: &Place, settle: &Settle, begun: Option<&Note>) -> Result<Settled, Failed> {
    let names = || settle.files.iter().map(|file| file.name.as_str());
    placing::sweep(&place.tree, names()).map_err(words::of_file)?;
    let index = IndexCopy::make(place)?;
    let start = begun.map(|begun| ahead::take(place, &index, begun)).transpose()?;
    let Some(way) = Way::find(place, settle, start)? else { return Ok(Settled::Conflict) };
    let listed = index.list(&way.names)?;
    if !way.fits_index(&listed) {
        return Ok(Settled::Conflict);
    }
    let wanted = way.wanted(settle)?;
    let waiting = begun.map_or(&[][..], |begun| &begun.waiting);
    let documents = names().chain(waiting.iter().map(|waiting| waiting.name.as_str()));
    let _manifests = manifest_write::hold(&place.tree, documents).map_err(words::of_host)?;
    let mut plans = Vec::new();
    for file in &wanted {
        let plan = if listed.get(file.name).is_some_and(|entry| entry.skipped) {
            Plan::Leave
        } else {
            placing::plan(&place.tree, file).map_err(words::of_file)?
        };
        plans.push(match plan {
            Plan::InTheWay => return Ok(Settled::Conflict),
            Plan::Long(state) if way.is_as_committed(place, file.name)? => Plan::Displace(state),
            other => other,
        });
    }
    let Ok(branch) = way.hold_branch(place)? else { return Ok(Settled::Conflict) };

    index.take_entries(&way, &listed)?;
    if branch.is_some() {
        way.note(begun).write(place).map_err(words::of_file)?;
    }
    if !index.merge(place, &way, waiting)? {
        return Ok(Settled::Conflict);
    }
    let merged = index.list(&way.names)?;
    for (file, plan) in wanted.iter().zip(&plans) {
        // Out of the sparse part, as git has just found.
        if merged.get(file.name).is_none_or(|entry| !entry.skipped) {
            match plan {
                Plan::Displace(state) => displace(place, file, state),
                _ => placing::place(&place.tree, file, plan),
            }
            .map_err(words::of_file)?;
        }
    }
    place.refresh(&index.git, &way.names)?;
    index.install(place).map_err(words::of_file)?;
    if let Some(branch) = branch {
        branch.commit()?;
    }
    Ok(Settled::Done)
}

/// From where to where this goes.
struct Way<'a> {
    names: Vec<&'a str>,
    head: String,
    /// HEAD, or the tree that it would be with what the work tree is ahead of it.
    start: String,
    /// The tip, or a later commit that is here already.
    target: String,
    here: Entries,
    there: Entries,
    contents: HashMap<String, Vec<u8>>,
}

impl<'a> Way<'a> {
    /// None when HEAD cannot follow.
    fn find(place: &Place, settle: &'a Settle, start: Option<String>) -> Result<Option<Self>, Failed> {
        if !place.is_checked_out()? || preflight::underway(&place.git_dir).is_some() {
            return Ok(None);
        }
        if place.find_commit(&settle.tip)?.is_none() {
            fetch(place, &|| true)?;
        }
        let (head, tip) = (place.head()?, place.commit_of(&settle.tip)?);
        let names: Vec<&str> = settle.files.iter().map(|file| file.name.as_str()).collect();
        let entries_of = |commit: &str| entries::in_commit(place, commit, names.iter().copied());
        let pushed = entries_of(&tip)?;
        let (target, there) = if head == tip || place.is_ancestor(&head, &tip)? {
            (tip, pushed)
        } else if place.is_ancestor(&tip, &head)? {
            // Somebody pulled meanwhile. That is as good, if these files are still what was pushed.
            let there = entries_of(&head)?;
            if names.iter().any(|name| pushed.get(*name) != there.get(*name)) {
                return Ok(None);
            }
            (head.clone(), there)
        } else {
            return Ok(None);
        };
        let start = start.unwrap_or_else(|| head.clone());
        let here = if start == target { there.clone() } else { entries_of(&start)? };
        let contents = Self::contents(place, &names, &here, &there)?;
        Ok(Some(Self { names, head, start, target, here, there, contents }))
    }

    /// The bytes that were pushed, and those that they replace as far as they are no longer than a document: content
    /// that was committed in full is never compared with them.
    fn contents(
        place: &Place,
        names: &[&str],
        here: &Entries,
        there: &Entries,
    ) -> Result<HashMap<String, Vec<u8>>, Failed> {
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for name in names {
            let Some(entry) = entries::file(there, name)? else {
                return Err(words::failed(Failure::Io, &format!("the remote's commit does not hold {name}")));
            };
            new.push((entry.oid.as_str(), *name));
            old.extend(here.get(*name).filter(|entry| entry.is_file()).map(|entry| (entry.oid.as_str(), *name)));
        }
        let mut contents = entries::bytes_of(place, &new, DOCUMENT_BYTES_MAX)?;
        contents.extend(entries::bytes_within(place, &old, DOCUMENT_BYTES_MAX)?);
        Ok(contents)
    }

    /// Whether a file of the work tree is what the last commit here has, as git would store it.
    fn is_as_committed(&self, place: &Place, name: &str) -> Result<bool, Failed> {
        let Some(entry) = self.here.get(name) else { return Ok(false) };
        let hashed = place.git.run_patiently(&["hash-object", "--", name], b"")?;
        Ok(hashed.success() && words::line(&hashed.stdout) == entry.oid)
    }

    /// Whether the index has nothing of the user's under these names.
    fn fits_index(&self, listed: &BTreeMap<String, Listed>) -> bool {
        let ours: BTreeSet<&str> = self.names.iter().copied().collect();
        let above = |path: &str| path.match_indices('/').any(|(end, _)| ours.contains(&path[..end]));
        let below = |name: &str| name.match_indices('/').any(|(end, _)| listed.contains_key(&name[..end]));
        if listed.keys().any(|path| above(path)) || ours.iter().any(|name| below(name)) {
            return false;
        }
        self.names.iter().all(|name| {
            let staged = listed.get(*name).map(|listed| &listed.entry);
            let is_merged = listed.get(*name).is_none_or(|listed| listed.stage == "0");
            is_merged && (staged == self.here.get(*name) || staged == self.there.get(*name))
        })
    }

    fn wanted<'b>(&'b self, settle: &'b Settle) -> Result<Vec<Wanted<'b>>, Failed> {
        let bytes = |entry: &Entry| self.contents.get(&entry.oid).map(Vec::as_slice);
        let mut wanted = Vec::new();
        for file in &settle.files {
            let entry = self.there.get(&file.name);
            let new = entry.and_then(bytes);
            wanted.push(Wanted {
                name: &file.name,
                new: new.ok_or_else(|| words::failed(Failure::Io, "git does not have a file that was pushed"))?,
                committed: self.here.get(&file.name).and_then(bytes),
                expects: file.expects.as_deref(),
                executable: entry.is_some_and(|entry| entry.mode == "100755"),
            });
        }
        Ok(wanted)
    }

    /// What is noted of it, with all that was begun before.
    fn note(&self, begun: Option<&Note>) -> Note {
        let mut tips = begun.map(|begun| begun.tips.clone()).unwrap_or_default();
        tips.retain(|tip| *tip != self.target);
        tips.push(self.target.clone());
        let waiting = begun.map(|begun| begun.waiting.clone()).unwrap_or_default();
        Note { old: self.head.clone(), tips, waiting }
    }

    /// The branch, held where it is; `Ok(None)` when it is there already.
    fn hold_branch(&self, place: &Place) -> Result<Result<Option<BranchMove>, ()>, Failed> {
        if self.head == self.target {
            return Ok(Ok(None));
        }
        let held = BranchMove::prepare(place, &self.head, &self.target)?;
        if held.is_none() {
            BranchMove::is_free(place)?;
        }
        Ok(held.map(Some).ok_or(()))
    }
}

impl IndexCopy {
    /// Gives files of the push their new entries. What the user told git of them stays.
    fn take_entries(&self, way: &Way<'_>, listed: &BTreeMap<String, Listed>) -> Result<(), Failed> {
        let new: BTreeMap<&str, &str> =
            way.names.iter().filter_map(|name| Some((*name, way.there.get(*name)?.oid.as_str()))).collect();
        let changed: BTreeMap<&str, &str> = new
            .into_iter()
            .filter(|(name, _)| listed.get(*name).map(|listed| &listed.entry) != way.there.get(*name))
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.must(&["update-index", "-z", "--index-info"], &commit::index_info(&way.there, &changed))?;
        self.flag(&changed, "--skip-worktree", listed, |listed| listed.skipped)?;
        self.flag(&changed, "--assume-unchanged", listed, |listed| listed.assumed)
    }

    /// Carries all other paths as any fast-forward does: git's own two-way merge, which leaves files of the push alone
    /// because their entries are the new ones already. False when a change of the user's is in the way; then nothing
    /// moved.
    fn merge(&self, place: &Place, way: &Way<'_>, waiting: &[Waiting]) -> Result<bool, Failed> {
        let from =
            |start: &str| self.run(&["read-tree", "-m", "-u", "--no-recurse-submodules", start, &way.target], b"");
        let is_in_the_way = |ended: &Finished| IN_THE_WAY.iter().any(|sign| ended.stderr.contains(sign));
        let mut ended = from(&way.start)?;
        if !ended.success() && is_in_the_way(&ended) {
            // In a copied clone, git takes every file for changed until it has looked at it.
            self.look()?;
            ended = from(&way.start)?;
        }
        if !ended.success()
            && is_in_the_way(&ended)
            && let Some(start) = standing::take(place, self, (&way.start, &way.target), waiting)?
        {
            ended = from(&start)?;
        }
        match ended.success() {
            true => Ok(true),
            false if is_in_the_way(&ended) => Ok(false),
            false => Err(failure_of(&ended)),
        }
    }
}
