//! Where documents lie: manifests in the work tree, the journal and the orphan register in git's own folder.
//!
//! Rules: nothing here writes the work tree; what is written lies where no commit can place anything; a document is
//! replaced only in the state that was expected, by one rename of bytes that are on the disk, so that whoever looks
//! finds the old one or the new one and a full disk changes nothing.

pub mod manifest_write;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use crate::contract::error::HostError;
use crate::contract::names::in_sessions;
use crate::contract::types::{Doc, Saving};
use crate::files::atomic;
use crate::files::digest::blob_of;
use crate::files::lock::{self, Lock};
use crate::files::{Access, Dir, Files, Opened};
use crate::store::format;

/// Bytes of a document at most.
pub const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Bytes of a document of ours at most: a journal holds two manifests and every pointer.
const OURS_BYTES_MAX: u64 = 8 << 20;
/// Bytes of a journal's name at most: with its ending it is a usable file name.
const JOURNAL_NAME_BYTES_MAX: usize = 240;

const JOURNAL: &str = "journal";
/// Folder of the locks of sessions: whoever publishes one holds its lock.
const PUBLISHING: &str = "publishing";
/// How the name of a session's lock ends.
const LOCK_ENDING: &str = ".lock";
/// Folder of the journals of publishes that were given up.
const ABANDONED: &str = "abandoned";
const ORPHANS: &str = "orphans";
/// What our documents are called besides.
const ENDING: &str = ".json";
/// Held while a document is replaced.
const LOCK_FILE: &str = "documents.lock";
/// Begins the name of a document that is being written.
const TEMPORARY: &str = ".hydrant-doc-";

/// The documents of a ledger.
#[derive(Clone)]
pub struct Documents {
    tree: Files,
    state: Option<Rc<Dir>>,
}

/// What became of a saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// These bytes are durable; this is their revision.
    At(String),
    /// The document is gone for good.
    Removed,
    /// It is not in the state that was expected, and was left as it is.
    Conflict,
}

/// A journal that was put aside.
pub(crate) struct Abandoned {
    /// Its name in the folder of ours.
    place: String,
    pub(crate) text: Vec<u8>,
}

impl Abandoned {
    /// Its path in git's folder, where nobody chose another place.
    pub(crate) fn path(&self) -> String {
        format!("hydrant/{}", self.place)
    }
}

/// Whether a document of this name is a journal.
pub(crate) fn is_journal(name: &str) -> bool {
    session_of(name).is_some()
}

/// The session whose journal this is.
fn session_of(name: &str) -> Option<&str> {
    name.strip_prefix(JOURNAL)?.strip_prefix('/')
}

/// Where a name leads.
enum Route<'a> {
    /// The copy in the work tree.
    Tree,
    /// A file of a folder of ours.
    Ours(Rc<Dir>, String),
    /// A file of the caller's.
    Named(&'a Files),
    /// Nowhere: the folder of ours is not there yet.
    Nowhere,
}

impl Documents {
    /// The documents of the work tree with this root, read only.
    pub fn beneath(top: &Path) -> Result<Self, HostError> {
        Ok(Files::beneath(top)?.into())
    }

    /// And the journal and the register, in the folder of git's that holds the cache too.
    pub fn with_state(self, folder: &Path) -> Result<Self, HostError> {
        self.with_state_in(Dir::open_or_create(folder, Access::Owner).map_err(|error| not_opened(&error))?)
    }

    /// The same, where that folder is open.
    pub(crate) fn with_state_in(self, folder: Dir) -> Result<Self, HostError> {
        format::check(&folder).map_err(|error| not_opened(&error))?;
        Ok(Self { state: Some(Rc::new(folder)), ..self })
    }

    /// The journal that an interrupted publish of this session left.
    pub fn journal(&self, session: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.load(&format!("{JOURNAL}/{session}"), None)?.map(|doc| doc.bytes))
    }

    /// The sessions whose publishes were interrupted: each has a journal.
    pub fn journals(&self) -> io::Result<BTreeSet<String>> {
        let Some(state) = &self.state else { return Ok(BTreeSet::new()) };
        match state.existing_dir(JOURNAL) {
            Ok(folder) => {
                let names = folder.names()?;
                Ok(names.iter().filter_map(|name| name.strip_suffix(ENDING)).map(str::to_owned).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }

    /// The turn to publish a session, or to give its publish up, until it is dropped; none while somebody else has it.
    pub(crate) fn turn(&self, session: &str) -> io::Result<Option<Lock>> {
        usable(session)?;
        let state = self.state.as_ref().ok_or_else(|| refused("this command publishes nothing"))?;
        let (folder, name) = (state.dir(PUBLISHING)?, format!("{session}{LOCK_ENDING}"));
        let file = Opened::new(folder.open_or_create_file(name.as_str())?)?.file;
        Lock::try_take(&folder, &name, file, lock::lock)
    }

    /// Puts the journal of this session's publish aside, where no publish looks for it; none when there is none.
    pub(crate) fn abandon(&self, session: &str) -> io::Result<Option<Abandoned>> {
        let route = self.route(&format!("{JOURNAL}/{session}"), None, false)?;
        let (Some(state), Route::Ours(folder, file)) = (&self.state, route) else { return Ok(None) };
        let lock = state.open_or_create_file(LOCK_FILE)?;
        lock.lock()?;
        let Some(text) = read_ours(&folder, &file)? else { return Ok(None) };
        let aside = state.dir(ABANDONED)?;
        // By its digest: the same journal may be given up twice, and is the same then.
        let name = format!("{}{ENDING}", blob_of(&text).oid);
        folder.rename(file.as_str(), &aside, name.as_str())?;
        aside.sync()?;
        folder.sync()?;
        Ok(Some(Abandoned { place: format!("{ABANDONED}/{name}"), text }))
    }

    /// The journals of all publishes that were given up here.
    pub(crate) fn abandoned(&self) -> io::Result<Vec<Abandoned>> {
        let Some(state) = &self.state else { return Ok(Vec::new()) };
        let folder = match state.existing_dir(ABANDONED) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            folder => folder?,
        };
        let names = folder.names()?.into_iter().filter(|name| name.ends_with(ENDING));
        let journal = |name: String| {
            let text = read_ours(&folder, &name).transpose()?;
            Some(text.map(|text| Abandoned { place: format!("{ABANDONED}/{name}"), text }))
        };
        names.filter_map(journal).collect()
    }

    /// The register of orphans, if anything was ever orphaned here.
    pub fn register(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.load(ORPHANS, None)?.map(|doc| doc.bytes))
    }

    /// A document and its revision, which is the digest of its bytes. `files` are the caller's.
    pub(crate) fn load(&self, name: &str, files: Option<&Files>) -> io::Result<Option<Doc>> {
        let bytes = match self.route(name, files, false)? {
            Route::Tree => read_named(&self.tree, name)?,
            Route::Named(files) => read_named(files, name)?,
            Route::Ours(folder, file) => read_ours(&folder, &file)?,
            Route::Nowhere => None,
        };
        Ok(bytes.map(|bytes| Doc { revision: blob_of(&bytes).oid, bytes }))
    }

    /// Replaces, makes or removes a document of ours.
    pub(crate) fn save(&self, saving: &Saving) -> io::Result<Saved> {
        let (Some(state), Route::Ours(folder, file)) = (&self.state, self.route(&saving.name, None, true)?) else {
            return Err(refused("only the journal and the register are written"));
        };
        let lock = state.open_or_create_file(LOCK_FILE)?;
        lock.lock()?;
        sweep(state)?;
        let now = read_ours(&folder, &file)?.map(|bytes| blob_of(&bytes).oid);
        if now != saving.replaces {
            return Ok(Saved::Conflict);
        }
        match &saving.bytes {
            // Written beside the lock, so that the folder of journals never holds anything but journals.
            Some(bytes) => {
                atomic::replace(state, TEMPORARY, &folder, &file, bytes).map(|()| Saved::At(blob_of(bytes).oid))
            }
            None => {
                folder.remove(file.as_str())?;
                folder.sync()?;
                Ok(Saved::Removed)
            }
        }
    }

    fn route<'a>(&self, name: &str, files: Option<&'a Files>, make: bool) -> io::Result<Route<'a>> {
        if in_sessions(name).is_some() {
            return Ok(Route::Tree);
        }
        if name == ORPHANS {
            // Without a folder of ours there is none: a file of this name, which a commit could hold, is never it.
            let Some(state) = &self.state else { return Ok(Route::Nowhere) };
            return Ok(Route::Ours(Rc::clone(state), format!("{ORPHANS}{ENDING}")));
        }
        if let Some(session) = session_of(name) {
            usable(session)?;
            let Some(state) = &self.state else { return Ok(Route::Nowhere) };
            return match if make { state.dir(JOURNAL) } else { state.existing_dir(JOURNAL) } {
                Ok(folder) => Ok(Route::Ours(Rc::new(folder), format!("{session}{ENDING}"))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Route::Nowhere),
                Err(error) => Err(error),
            };
        }
        files.map(Route::Named).ok_or_else(|| refused("this command has no such document"))
    }
}

impl From<Files> for Documents {
    fn from(tree: Files) -> Self {
        Self { tree, state: None }
    }
}

/// All journals in a state folder, to be searched.
pub(crate) fn journals_in(state: &Dir) -> io::Result<Vec<File>> {
    let Some(folder) = state.dir_if_any(JOURNAL)? else { return Ok(Vec::new()) };
    let mut journals = Vec::new();
    for name in folder.names()?.into_iter().filter(|name| name.ends_with(ENDING)) {
        match folder.read(name.as_str()) {
            Ok(file) => journals.push(file),
            // The publish came to its end meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(journals)
}

fn not_opened(error: &io::Error) -> HostError {
    HostError::io("the folder of the journal cannot be opened", error)
}

/// One component that means a file and stays in its folder.
fn usable(session: &str) -> io::Result<()> {
    let dots = session.bytes().all(|byte| byte == b'.');
    if dots || session.len() > JOURNAL_NAME_BYTES_MAX || session.contains(['/', '\0']) {
        return Err(refused("this name cannot be a journal's"));
    }
    Ok(())
}

fn read_named(files: &Files, name: &str) -> io::Result<Option<Vec<u8>>> {
    match files.open(name)? {
        Some(opened) => read(opened.file, DOCUMENT_BYTES_MAX).map(Some),
        None => Ok(None),
    }
}

fn read_ours(folder: &Dir, file: &str) -> io::Result<Option<Vec<u8>>> {
    match folder.read(file) {
        Ok(file) => read(file, OURS_BYTES_MAX).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the document is too large"));
    }
    Ok(bytes)
}

/// What a run that was killed left: the lock is held, so nobody else writes here.
fn sweep(state: &Dir) -> io::Result<()> {
    state.names()?.iter().filter(|name| name.starts_with(TEMPORARY)).try_for_each(|name| state.remove(name.as_str()))
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::files::scratch::Scratch;

    struct Desk {
        scratch: Scratch,
        documents: Documents,
    }

    impl Desk {
        fn new() -> Self {
            let scratch = Scratch::new();
            fs::create_dir_all(scratch.path().join("tree/sessions/a")).expect("a folder");
            fs::write(scratch.path().join("tree/sessions/a/meta.json"), "{}").expect("a file");
            let documents = Documents::beneath(&scratch.path().join("tree"))
                .and_then(|documents| documents.with_state(&scratch.path().join("git/hydrant")))
                .expect("its folders");
            Self { scratch, documents }
        }

        fn state(&self, name: &str) -> PathBuf {
            self.scratch.path().join("git/hydrant").join(name)
        }

        fn save(&self, name: &str, bytes: Option<&str>, replaces: Option<&str>) -> io::Result<Saved> {
            let bytes = bytes.map(|text| text.as_bytes().to_vec());
            let replaces = replaces.map(|text| blob_of(text.as_bytes()).oid);
            self.documents.save(&Saving { name: name.into(), bytes, replaces })
        }

        fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
            Ok(self.documents.load(name, None)?.map(|doc| doc.bytes))
        }
    }

    #[test]
    fn a_journal_is_made_replaced_and_removed_in_the_expected_state_only() {
        let desk = Desk::new();
        assert_eq!(desk.load("journal/a").expect("readable"), None);
        let at = |text: &str| Saved::At(blob_of(text.as_bytes()).oid);
        let save = |bytes, replaces| desk.save("journal/a", bytes, replaces).expect("no fault");
        assert_eq!(save(Some("one"), Some("none")), Saved::Conflict);
        assert_eq!(save(Some("one"), None), at("one"));
        assert_eq!(save(Some("two"), None), Saved::Conflict);
        assert_eq!(save(Some("two"), Some("one")), at("two"));
        assert_eq!(fs::read(desk.state("journal/a.json")).expect("there"), b"two");
        assert_eq!(desk.documents.journal("a").expect("readable"), Some(b"two".to_vec()));
        assert_eq!(save(None, Some("one")), Saved::Conflict);
        assert_eq!(save(None, Some("two")), Saved::Removed);
        assert_eq!(desk.load("journal/a").expect("readable"), None);
    }

    #[test]
    fn a_session_has_one_publisher_at_a_time() {
        let desk = Desk::new();
        let other = Documents::beneath(&desk.scratch.path().join("tree"))
            .and_then(|documents| documents.with_state(&desk.scratch.path().join("git/hydrant")))
            .expect("its folders");
        let turn = desk.documents.turn("a").expect("no fault").expect("free");
        assert!(desk.documents.turn("a").expect("no fault").is_none());
        assert!(other.turn("a").expect("no fault").is_none());
        let another = other.turn("b").expect("no fault");
        assert!(another.is_some());
        drop(turn);
        let turn = other.turn("a").expect("no fault").expect("free again");
        // Where somebody removed the file, it locks nothing; whoever comes next has a file of its own.
        fs::remove_file(desk.state("publishing/a.lock")).expect("there");
        assert!(desk.documents.turn("a").expect("no fault").is_some());
        drop(turn);
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert!(desk.documents.turn(name).is_err(), "{name}");
        }
        assert!(desk.documents.journals().expect("readable").is_empty());
        let bare = Documents::beneath(&desk.scratch.path().join("tree")).expect("the root");
        assert!(bare.turn("a").is_err());
    }

    #[test]
    fn names_stay_in_their_folder_and_the_tree_is_never_written() {
        let desk = Desk::new();
        assert_eq!(desk.load("sessions/a/meta.json").expect("readable"), Some(b"{}".to_vec()));
        assert_eq!(desk.save("orphans", Some("[]"), None).expect("no fault"), Saved::At(blob_of(b"[]").oid));
        assert_eq!(fs::read(desk.state("orphans.json")).expect("there"), b"[]");
        for name in ["journal/", "journal/.", "journal/..", "journal/a/b", "journal/a\0", "sessions/a/meta.json", "x"] {
            assert!(desk.save(name, Some("x"), None).is_err(), "{name}");
        }
        assert!(desk.save(&format!("journal/{}", "n".repeat(300)), Some("x"), None).is_err());
        assert!(desk.load("../x").is_err());
    }

    #[test]
    fn other_names_are_files_of_the_callers() {
        let desk = Desk::new();
        fs::write(desk.scratch.path().join("plan"), "a plan").expect("a file");
        let files = Files::listed(vec![("my plan".into(), desk.scratch.path().join("plan"))]);
        let doc = desk.documents.load("my plan", Some(&files)).expect("readable").expect("there");
        assert_eq!((doc.bytes.as_slice(), doc.revision), (&b"a plan"[..], blob_of(b"a plan").oid));
        assert!(desk.documents.load("another", Some(&files)).expect("readable").is_none());
        // Journal and register are never files of somebody's, not even where there is no place for them.
        let bare = Documents::beneath(&desk.scratch.path().join("tree")).expect("the root");
        for name in ["journal/a", "orphans"] {
            let files = Files::listed(vec![(name.into(), desk.scratch.path().join("plan"))]);
            assert!(bare.load(name, Some(&files)).expect("readable").is_none());
            assert!(bare.save(&Saving { name: name.into(), bytes: Some(Vec::new()), replaces: None }).is_err());
        }
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_a_failed_write_changes_nothing() {
        let desk = Desk::new();
        desk.save("journal/a", Some("old"), None).expect("saved");
        fs::write(desk.state(".hydrant-doc-1-1.tmp"), "half").expect("a leftover");
        // A folder in the place of the document: it is neither read nor replaced.
        fs::create_dir(desk.state("journal/b.json")).expect("a folder");
        assert!(desk.save("journal/b", Some("new"), None).is_err());
        assert_eq!(desk.load("journal/a").expect("readable"), Some(b"old".to_vec()));
        let names = |folder: &str| {
            let entries = fs::read_dir(desk.state(folder)).expect("there").flatten();
            entries.map(|entry| entry.file_name().into_string().expect("text")).collect::<BTreeSet<_>>()
        };
        assert_eq!(names("journal"), ["a.json", "b.json"].map(str::to_owned).into());
        assert_eq!(names(""), ["documents.lock", "journal"].map(str::to_owned).into());
    }
}
