//! Branch, index and files here follow what the remote confirmed, together or not at all.
//!
//! | step | if the process dies after it, the world is | the next run |
//! | --- | --- | --- |
//! | the index is locked | as it was; the lock is known to be ours | takes the lock away and begins anew |
//! | everything was judged, the branch is held | as it was; git lets go of the branch | the same |
//! | other paths were merged into the tree | the tree is ahead in these; they equal the tip | sees that they do |
//! | files of the push were written | the same for these | the same |
//! | a note says where the branch goes | the same | finds the index without it, and begins anew |
//! | the index took its place | all but the branch agrees: `git status` shows the step as staged | moves the branch |
//! | the branch moved | all agree | nothing to do |
//!
//! The index goes before the branch: an index behind its branch would undo the remote's commits with the next
//! `git commit`; one that is ahead commits what the remote has. The branch cannot be lost between the two, because git
//! holds it from the judging on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::branch_move::BranchMove;
use super::displacing::displace;
use super::entries::{self, Entries, Entry};
use super::index_copy::{IndexCopy, Listed, failure_of};
use super::index_lock::IndexLock;
use super::load::fetch;
use super::placing::{self, Plan, Wanted};
use super::{Place, Settled, commit, preflight, settle_note, words};
use crate::documents::DOCUMENT_BYTES_MAX;
use crate::manifest_write;
use crate::process::Finished;
use crate::wit::types::{Failed, Failure, Settle};

/// What git says when a change of the user's is in the way of a merge.
const IN_THE_WAY: [&str; 5] =
    ["would be overwritten", "not uptodate", "would lose untracked", "Cannot merge", "would be removed"];

pub(super) fn settle(place: &Place, settle: &Settle) -> Result<Settled, Failed> {
    let _lock = IndexLock::take(place)?;
    settle_note::finish(place)?;
    let names = || settle.files.iter().map(|file| file.name.as_str());
    placing::sweep(&place.tree, names()).map_err(words::of_file)?;
    let Some(way) = Way::find(place, settle)? else { return Ok(Settled::Conflict) };
    let index = IndexCopy::make(place)?;
    let listed = index.list(&way.names)?;
    if !way.fits_index(&listed) {
        return Ok(Settled::Conflict);
    }
    let wanted = way.wanted(settle)?;
    let _manifests = manifest_write::hold(&place.tree, names()).map_err(words::of_host)?;
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
    if !index.merge(place, &way)? {
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
    place.refresh(&index.git, &way.names).map_err(words::of_fault)?;
    let Some(branch) = branch else {
        index.install(place).map_err(words::of_file)?;
        return Ok(Settled::Done);
    };
    settle_note::write(place, &way.head, &way.target).map_err(words::of_file)?;
    index.install(place).map_err(words::of_file)?;
    branch.commit()?;
    // One that stays is found to be done with: the branch is no longer where it says.
    settle_note::remove(place).ok();
    Ok(Settled::Done)
}

/// From where to where this goes.
struct Way<'a> {
    names: Vec<&'a str>,
    head: String,
    /// The tip, or a later commit that is here already.
    target: String,
    here: Entries,
    there: Entries,
    contents: HashMap<String, Vec<u8>>,
}

impl<'a> Way<'a> {
    /// None when HEAD cannot follow.
    fn find(place: &Place, settle: &'a Settle) -> Result<Option<Self>, Failed> {
        let branch = place.git.run(&["symbolic-ref", "--quiet", "HEAD"], b"").map_err(words::of_fault)?;
        if words::line(&branch.stdout) != format!("refs/heads/{}", place.branch)
            || preflight::underway(&place.git_dir).is_some()
        {
            return Ok(None);
        }
        if place.commit_of(&settle.tip).is_err() {
            fetch(place, &|| true)?;
        }
        let (head, tip) = (place.head()?, place.commit_of(&settle.tip)?);
        let names: Vec<&str> = settle.files.iter().map(|file| file.name.as_str()).collect();
        let entries_of = |commit: &str| entries::in_commit(place, commit, names.iter().copied());
        let here = entries_of(&head)?;
        let (target, there) = if head == tip {
            (tip, here.clone())
        } else if place.is_ancestor(&head, &tip)? {
            let there = entries_of(&tip)?;
            (tip, there)
        } else if place.is_ancestor(&tip, &head)? {
            // Somebody pulled meanwhile. That is as good, if these files are still what was pushed.
            let pushed = entries_of(&tip)?;
            if names.iter().any(|name| pushed.get(*name) != here.get(*name)) {
                return Ok(None);
            }
            (head.clone(), here.clone())
        } else {
            return Ok(None);
        };
        let contents = Self::contents(place, &names, &here, &there)?;
        Ok(Some(Self { names, head, target, here, there, contents }))
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
        let hashed = place.git.run_patiently(&["hash-object", "--", name], b"").map_err(words::of_fault)?;
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

    /// The branch, held where it is; `Ok(None)` when it is there already.
    fn hold_branch(&self, place: &Place) -> Result<Result<Option<BranchMove>, ()>, Failed> {
        if self.head == self.target {
            return Ok(Ok(None));
        }
        Ok(BranchMove::prepare(place, &self.head, &self.target)?.map(Some).ok_or(()))
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
    fn merge(&self, place: &Place, way: &Way<'_>) -> Result<bool, Failed> {
        let merge = ["read-tree", "-m", "-u", "--no-recurse-submodules", &way.head, &way.target];
        let mut ended = self.run(&merge, b"")?;
        if !ended.success() && is_in_the_way(&ended) && self.take_finished(place, way)? {
            ended = self.run(&merge, b"")?;
        }
        match ended.success() {
            true => Ok(true),
            false if is_in_the_way(&ended) => Ok(false),
            false => Err(failure_of(&ended)),
        }
    }

    /// After a run that died, paths can be in the tree already as the target has them: their entries follow. Says
    /// whether there were any.
    fn take_finished(&self, place: &Place, way: &Way<'_>) -> Result<bool, Failed> {
        let arguments = ["diff-tree", "-r", "-z", "--no-renames", &way.head, &way.target];
        let answer = place.git.read(&arguments, b"").map_err(words::of_fault)?;
        let mut fields = answer.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let mut changed = Vec::new();
        // `:mode mode oid oid status NUL path NUL`; a name with a line end cannot be hashed by name.
        while let (Some(facts), Some(path)) = (fields.next(), fields.next()) {
            let facts: Vec<String> = facts.split(' ').map(str::to_owned).collect();
            let is_file = matches!(facts.get(1).map(String::as_str), Some("100644" | "100755"));
            if is_file && !path.contains('\n') && place.tree.open(&path).is_ok_and(|found| found.is_some()) {
                changed.push((path.into_owned(), facts));
            }
        }
        let asked: String = changed.iter().flat_map(|(path, _)| [path.as_str(), "\n"]).collect();
        if changed.is_empty() {
            return Ok(false);
        }
        // Through the filters, as git would store it.
        let hashed = self.must(&["hash-object", "--stdin-paths"], asked.as_bytes())?;
        let hashed = String::from_utf8_lossy(&hashed).into_owned();
        let mut lines = Vec::new();
        let staged = self.staged_changes(way)?;
        for ((path, facts), oid) in changed.iter().zip(hashed.lines()) {
            if facts.get(3).is_some_and(|new| new == oid) && !staged.contains(path) {
                lines.extend_from_slice(format!("{} {oid} 0\t{path}\0", facts[1]).as_bytes());
            }
        }
        if lines.is_empty() {
            return Ok(false);
        }
        self.must(&["update-index", "-z", "--index-info"], &lines)?;
        Ok(true)
    }

    /// Paths whose entry is not the one of HEAD.
    fn staged_changes(&self, way: &Way<'_>) -> Result<BTreeSet<String>, Failed> {
        let answer = self.must(&["diff-index", "--cached", "--name-only", "--no-renames", "-z", &way.head], b"")?;
        Ok(answer.split(|byte| *byte == 0).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }
}

fn is_in_the_way(ended: &Finished) -> bool {
    IN_THE_WAY.iter().any(|sign| ended.stderr.contains(sign))
}
