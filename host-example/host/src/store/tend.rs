//! Looking after the store: list, verify, prune, clear. Everything can be asked for without being done.

use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::adopted::{self, ADOPTED, Adopted, Note};
use super::boot::UNPROVED;
use super::stage::{StageFile, is_ours};
use super::{HIDDEN, Rooms, Shape, Store, hash_into, only_read, stage_name, unwatched};
use crate::contract::error::HostError;
use crate::files::digest::{Digesting, is_oid};
use crate::files::platform::effective_user;
use crate::files::{Dir, Facts, is_unwritable, names_no_file};

/// Stages and temporary files older than this many seconds are leftovers when the store is pruned.
const LEFTOVER_AGE_S: i64 = 7 * 24 * 3600;
/// Beginnings of downloads that nobody went on with for so many seconds get nowhere by themselves.
const STALLED_AGE_S: i64 = 24 * 3600;

/// The beginning of a download that stopped, and that nobody goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stalled {
    /// What it is the beginning of.
    pub(crate) oid: String,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// When its last byte came.
    pub(crate) moved: SystemTime,
}

/// One blob of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it hashes to, by name.
    pub oid: String,
    /// Length in bytes.
    pub size: u64,
    /// When it was last used or written.
    pub used: SystemTime,
    /// Whether it is trusted without being hashed again.
    pub proved: bool,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries whose bytes are what they are called.
    pub good: u64,
    /// Bytes of these.
    pub good_bytes: u64,
    /// Oids of entries that are something else.
    pub bad: Vec<String>,
    /// Oids of entries that could not be read, so that nobody knows what they are. These stay.
    pub unreadable: Vec<String>,
    /// Whether the bad ones were removed.
    pub removed: bool,
}

/// What pruning leaves: entries are removed, longest unused first, until both hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct PruneRule {
    /// Bytes that may stay.
    pub bytes_max: Option<u64>,
    /// Time an entry may be unused.
    pub age_max: Option<Duration>,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Oids of entries.
    pub entries: Vec<String>,
    /// Bytes of these.
    pub bytes: u64,
    /// Unfinished downloads and leftovers.
    pub leftovers: u64,
    /// Bytes of these.
    pub leftover_bytes: u64,
}
/// Stages of writers that take no lock are left for so many seconds whatever is asked: somebody may write to them.
const OTHERS_AGE_S: i64 = 24 * 3600;
/// A temporary file of a small blob is never locked: it lives for an instant, so a young one may be in use.
const TEMPORARY_AGE_S: i64 = 60;

impl Store {
    /// All blobs, by oid. A blob that stands in two places is listed once for each.
    pub fn list(&self) -> Result<Vec<Entry>, HostError> {
        self.entries_everywhere().map_err(unreadable)
    }

    /// Hashes every blob. With `act`, those that are not what they are called are removed.
    pub fn verify(&self, act: bool, mut progress: impl FnMut(&Entry)) -> Result<Verified, HostError> {
        self.check(act)?;
        self.verify_telling(act, &mut progress)
    }

    fn verify_telling(&self, act: bool, progress: &mut dyn FnMut(&Entry)) -> Result<Verified, HostError> {
        let mut report = Verified { removed: act, ..Verified::default() };
        for (home, entry) in self.homes().map_err(unreadable)? {
            let name = self.name_in(&home, &entry.oid);
            let folder = self.folder_of(&home).map_err(unreadable)?;
            let mut digest = Digesting::new();
            let read = folder.read(&name).and_then(|mut file| hash_into(&mut digest, &mut file, unwatched));
            match read {
                Ok(_) if digest.clone().finish().oid == entry.oid => {
                    report.good += 1;
                    report.good_bytes += entry.size;
                }
                // Gone meanwhile: somebody else pruned it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // Nothing is known of its bytes: another user's, a disk in trouble, too many open files.
                Err(_) => report.unreadable.push(entry.oid.clone()),
                Ok(_) => {
                    report.bad.push(entry.oid.clone());
                    if act {
                        self.remove_bad(&home, &name).map_err(unwritable)?;
                    }
                }
            }
            progress(&entry);
        }
        if let Some(own) = &self.own {
            let own = own.verify_telling(act, progress)?;
            report.good += own.good;
            report.good_bytes += own.good_bytes;
            report.bad.extend(own.bad);
            report.unreadable.extend(own.unreadable);
        }
        Ok(report)
    }

    /// Removes the longest unused entries until the rule holds, and leftovers. Without `act`, only says which.
    pub fn prune(&self, rule: PruneRule, act: bool) -> Result<Removed, HostError> {
        let mut entries = self.unspared().map_err(unreadable)?;
        entries.sort_by(|(_, a), (_, b)| a.used.cmp(&b.used).then_with(|| a.oid.cmp(&b.oid)));
        let mut left: u64 = entries.iter().map(|(_, entry)| entry.size).sum();
        let oldest = rule.age_max.and_then(|age| SystemTime::now().checked_sub(age));
        entries.retain(|(_, entry)| {
            let over = rule.bytes_max.is_some_and(|max| left > max);
            let unused = oldest.is_some_and(|moment| entry.used < moment);
            if over || unused {
                left -= entry.size;
            }
            over || unused
        });
        self.remove(&entries, LEFTOVER_AGE_S, act)
    }

    /// Removes everything that no other process is writing. Without `act`, only says what.
    pub fn clear(&self, act: bool) -> Result<Removed, HostError> {
        let entries = self.unspared().map_err(unreadable)?;
        self.remove(&entries, -1, act)
    }

    /// A displaced file is somebody's: it is kept when it is not what it was.
    fn remove_bad(&self, home: &Home, name: &str) -> io::Result<()> {
        match (home, self.root()) {
            (Home::Adopted(folder, note), Some(root)) => adopted::keep_aside(root, folder, note),
            _ => self.folder_of(home)?.remove(name),
        }
    }

    /// A displaced file goes only while it is what its oid says.
    fn remove_entry(&self, home: &Home, oid: &str) -> io::Result<()> {
        let (folder, name) = (self.folder_of(home)?, self.name_in(home, oid));
        if matches!(home, Home::Adopted(..)) {
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut folder.read(&name)?, unwatched)?;
            if digest.finish().oid != oid {
                return self.remove_bad(home, &name);
            }
        }
        folder.remove(&name)
    }

    /// Whoever opened it to be read removes nothing.
    fn check(&self, act: bool) -> Result<(), HostError> {
        if act && self.reads { Err(unwritable(only_read())) } else { Ok(()) }
    }

    fn remove(&self, entries: &[(Home, Entry)], leftover_age: i64, act: bool) -> Result<Removed, HostError> {
        self.check(act)?;
        let mut removed = Removed::default();
        for (home, entry) in entries {
            if act {
                self.remove_entry(home, &entry.oid).map_err(unwritable)?;
            }
            removed.bytes += entry.size;
            removed.entries.push(entry.oid.clone());
        }
        self.sweep(leftover_age, act, &mut removed).map_err(unwritable)?;
        if act {
            self.remove_empty_folders();
        }
        Ok(removed)
    }

    /// Stages and temporary files nobody works on.
    fn sweep(&self, age_seconds: i64, act: bool, removed: &mut Removed) -> io::Result<()> {
        let Some(stage) = self.stage() else { return Ok(()) };
        let now = i64::try_from(crate::contract::clock::wall() / 1000).unwrap_or(i64::MAX);
        for name in stage.names()?.into_iter().filter(|name| name.starts_with(HIDDEN)) {
            let Some(found) = stage.find(&name)? else { continue };
            // The note beside a stage lives and dies with the stage.
            let its_stage = name.strip_suffix(".from").unwrap_or(&name);
            let age = if its_stage.ends_with(".tmp") {
                age_seconds.max(TEMPORARY_AGE_S)
            } else if is_locked_kind(its_stage) {
                age_seconds
            } else {
                age_seconds.max(OTHERS_AGE_S)
            };
            if now.saturating_sub(found.used_s) <= age {
                continue;
            }
            // Held until the name is gone: nobody begins to use what is being removed.
            let Use::Free(_lock) = self.use_of(stage, its_stage)? else { continue };
            removed.leftovers += 1;
            removed.leftover_bytes += found.size;
            if act {
                stage.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Downloads that stopped in the middle, longest ago first. Older ones are leftovers, which a prune removes.
    pub(crate) fn stalled(&self) -> io::Result<Vec<Stalled>> {
        let mut stalled = Vec::new();
        let Some(stage) = self.stage() else { return Ok(stalled) };
        for name in stage.names()?.into_iter().filter(|name| is_locked_kind(name)) {
            let Some(found) = stage.find(&name)?.filter(is_stalled) else { continue };
            if matches!(self.use_of(stage, &name)?, Use::Free(_)) {
                let oid = name.trim_start_matches(HIDDEN).trim_end_matches(".part").to_owned();
                let moved = Duration::from_secs(u64::try_from(found.modified.seconds).unwrap_or(0));
                stalled.push(Stalled { oid, bytes: found.size, moved: UNIX_EPOCH + moved });
            }
        }
        stalled.sort_by(|one, other| (one.moved, &one.oid).cmp(&(other.moved, &other.oid)));
        Ok(stalled)
    }

    /// Forgets the beginning of this download, when it still stands where it stood; says whether it did.
    pub(crate) fn drop_stalled(&self, oid: &str) -> io::Result<bool> {
        let Some(folder) = self.stage() else { return Ok(false) };
        let Some(stage) = StageFile::existing(folder, &stage_name(oid))? else { return Ok(false) };
        // Its lock is ours: nobody goes on with it meanwhile.
        if !is_stalled(&Facts::of(&stage.file)?) {
            return Ok(false);
        }
        stage.remove().map(|()| true)
    }

    fn remove_empty_folders(&self) {
        let Shape::Cache(Rooms { root: Some(root), .. }) = &self.shape else { return };
        for folder in self.folders() {
            for name in folder.names().unwrap_or_default() {
                folder.remove_empty_dir(&name);
            }
        }
        if let Ok(unproved) = root.existing_dir(UNPROVED) {
            for name in unproved.names().unwrap_or_default() {
                unproved.remove_empty_dir(&name);
            }
        }
    }

    fn entries_everywhere(&self) -> io::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = self.homes()?.into_iter().map(|(_, entry)| entry).collect();
        if let Some(own) = &self.own {
            entries.extend(own.entries_everywhere()?);
        }
        entries.sort_by(|a, b| a.oid.cmp(&b.oid));
        Ok(entries)
    }

    /// What may go. Of a shared cache nothing else is looked at than what is in it.
    fn unspared(&self) -> io::Result<Vec<(Home, Entry)>> {
        let mut all = self.homes()?;
        all.retain(|(_, entry)| !self.spared.contains(&entry.oid));
        Ok(all)
    }

    fn homes(&self) -> io::Result<Vec<(Home, Entry)>> {
        let mut all = Vec::new();
        match &self.shape {
            Shape::Plain(folder) => read_names(folder, "", &Home::Entries, false, &mut all)?,
            Shape::Cache(rooms) => {
                if let Some(entries) = &rooms.entries {
                    read_fan(entries, &Home::Entries, true, &mut all)?;
                }
                for (index, folder) in self.unproved.iter().enumerate() {
                    read_fan(folder, &Home::Unproved(index), false, &mut all)?;
                }
                if let (Some(root), None) = (&rooms.root, &self.own) {
                    read_adopted(root, self.reads, &mut all)?;
                }
            }
        }
        Ok(all)
    }

    fn folder_of<'a>(&'a self, home: &'a Home) -> io::Result<&'a Dir> {
        match home {
            Home::Entries => self.entries().ok_or_else(only_read),
            Home::Unproved(index) => Ok(&self.unproved[*index]),
            Home::Adopted(folder, _) => Ok(folder),
        }
    }

    fn use_of(&self, stage: &Dir, name: &str) -> io::Result<Use> {
        if self.reads {
            // No lock is taken to look, so that no download finds its stage locked: age alone tells.
            let is_own = |found: Facts| found.owner.0 == effective_user() && found.links == 1;
            return Ok(if stage.find(name)?.is_none_or(is_own) { Use::Free(None) } else { Use::InUse });
        }
        let file = match stage.open_existing(name) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(Use::Free(None)),
            // A lock needs no right to write.
            Err(error) if is_unwritable(&error) => match stage.read(name) {
                Ok(file) => file,
                Err(_) => return Ok(Use::InUse),
            },
            Err(error) => return Err(error),
        };
        Ok(if is_ours(stage, name, &file)? { Use::Free(Some(file)) } else { Use::InUse })
    }

    fn name_in(&self, home: &Home, oid: &str) -> String {
        if let Home::Adopted(_, note) = home { note.name() } else { self.entry_name(oid) }
    }
}

/// Whether somebody works on a stage or temporary file.
enum Use {
    InUse,
    /// Nobody, for as long as this locked file is held; none when the file is gone.
    Free(Option<File>),
}

#[derive(Clone)]
enum Home {
    Entries,
    Unproved(usize),
    /// A file that gave way to its pointer.
    Adopted(Rc<Dir>, Note),
}

fn read_adopted(root: &Dir, reads: bool, all: &mut Vec<(Home, Entry)>) -> io::Result<()> {
    let Some(folder) = root.dir_if_any(ADOPTED)?.map(Rc::new) else { return Ok(()) };
    for (note, found) in Adopted::all(root, reads)? {
        let entry = Entry::new(note.oid.clone(), &found, false);
        all.push((Home::Adopted(Rc::clone(&folder), note), entry));
    }
    Ok(())
}

impl Entry {
    fn new(oid: String, found: &Facts, proved: bool) -> Self {
        let used = UNIX_EPOCH + Duration::from_secs(u64::try_from(found.used_s).unwrap_or(0));
        Entry { oid, size: found.size, used, proved }
    }
}

fn is_stalled(found: &Facts) -> bool {
    let now = i64::try_from(crate::contract::clock::wall() / 1000).unwrap_or(i64::MAX);
    // A look at it is no use of it; whatever is used no more is a leftover.
    now.saturating_sub(found.modified.seconds) > STALLED_AGE_S && now.saturating_sub(found.used_s) <= LEFTOVER_AGE_S
}

/// Whether this is the name of a stage that its writer locks.
fn is_locked_kind(stage: &str) -> bool {
    stage.strip_prefix(HIDDEN).and_then(|rest| rest.strip_suffix(".part")).is_some_and(is_oid)
}

fn read_fan(folder: &Dir, home: &Home, proved: bool, all: &mut Vec<(Home, Entry)>) -> io::Result<()> {
    for fan in folder.names()?.into_iter().filter(|name| name.len() == 2) {
        match folder.existing_dir(&fan) {
            Ok(inner) => read_names(&inner, &fan, home, proved, all)?,
            // A file or a link is no folder of entries.
            Err(error) if error.kind() == io::ErrorKind::NotFound || names_no_file(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read_names(folder: &Dir, fan: &str, home: &Home, proved: bool, all: &mut Vec<(Home, Entry)>) -> io::Result<()> {
    for oid in folder.names()?.into_iter().filter(|name| is_oid(name) && name.starts_with(fan)) {
        if let Some(found) = folder.find(&oid)? {
            all.push((home.clone(), Entry::new(oid, &found, proved)));
        }
    }
    Ok(())
}

fn unreadable(error: io::Error) -> HostError {
    HostError::io("the cache cannot be read", &error)
}

fn unwritable(error: io::Error) -> HostError {
    HostError::io("the cache cannot be changed", &error)
}
