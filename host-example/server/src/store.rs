//! The blobs on disk, named by their digest. Keeps four rules: a name only ever holds bytes that hash to it, a name
//! appears in one rename after the bytes are synced, one server at a time uses a store, and no repository sees what
//! another one has unless the store is shared.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::platform::{make_private_dir, open_no_link, private_file};

/// Blobs of all repositories together, in a store that is shared.
const OBJECTS: &str = "objects";
/// Blobs of each repository, in a store that is not.
const REPOSITORIES: &str = "repositories";
/// The repository's name, beside its blobs: their folder is called by a digest, which every file system takes.
const NAME: &str = "name";
/// A store may lie in a work tree, and git takes nothing of it.
const IGNORES: (&str, &[u8]) = (".gitignore", b"*\n");
const INCOMING: &str = "incoming";
const IN_USE: &str = "in-use";

/// Times a lock is tried.
const LOCK_TRIES: u32 = 20;
/// Milliseconds between two tries.
const LOCK_REST_MS: u64 = 5;

/// An object's name: 64 lower-case hex digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Oid(String);

impl Oid {
    pub(super) fn parse(text: &str) -> Option<Oid> {
        let fits = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Oid(text.to_owned()))
    }

    #[cfg(test)]
    pub(super) fn of(bytes: &[u8]) -> Oid {
        Oid(hex(&Sha256::digest(bytes).into()))
    }

    fn folder(&self) -> &str {
        &self.0[..2]
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// `bytes` in lower-case hex.
pub(super) fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Locks a file; false when somebody else has it. Who holds it only because a child of this program was on its way lets
/// go in an instant.
fn lock(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(LOCK_REST_MS)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// A folder of blobs; arrivals under way lie in `incoming/`.
pub(super) struct Store {
    root: PathBuf,
    is_shared: bool,
    arrivals: AtomicU64,
    /// Held by whoever makes a folder for blobs: nobody goes on in one that is not on disk yet.
    making: Arc<Mutex<()>>,
    /// Held locked for as long as the store is open.
    _in_use: File,
}

impl Store {
    /// Opens or creates the store and clears what an earlier run left half received. One that was shared stays so.
    pub(super) fn open(root: &Path, shared: bool) -> io::Result<Store> {
        private_folder(root)?;
        refuse_foreign(root)?;
        let in_use = private_file(&root.join(IN_USE), OpenOptions::new().create(true).truncate(false))?;
        if !lock(&in_use)? {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another server uses this store"));
        }
        ignore_in_git(root)?;
        private_folder(&root.join(INCOMING))?;
        remove_leftovers(&root.join(INCOMING))?;
        let (objects, repositories) = (root.join(OBJECTS), root.join(REPOSITORIES));
        let is_apart = holds_something(&repositories)?;
        if is_apart && (shared || holds_something(&objects)?) {
            let why = "this store keeps the objects of each repository apart: use it without --shared, or another one";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        // The folder says which kind it is, from the first start on.
        let is_shared = !is_apart && (shared || objects.is_dir());
        private_folder(if is_shared { &objects } else { &repositories })?;
        sync_folder(root)?;
        let making = Arc::default();
        Ok(Store { root: root.to_owned(), is_shared, arrivals: AtomicU64::new(0), making, _in_use: in_use })
    }

    /// Where other state of the server is kept.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether all repositories have the same blobs.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The blobs of a repository.
    pub(super) fn shelf(&self, repository: &str) -> Shelf<'_> {
        let (repository, folder) = if self.is_shared {
            (String::new(), self.root.join(OBJECTS))
        } else {
            let digest = hex(&Sha256::digest(repository).into());
            (repository.to_owned(), self.root.join(REPOSITORIES).join(digest))
        };
        Shelf { store: self, repository, folder }
    }
}

/// The blobs that a repository sees: `<aa>/<oid>` in a folder.
pub(super) struct Shelf<'a> {
    store: &'a Store,
    repository: String,
    folder: PathBuf,
}

impl Shelf<'_> {
    /// The repository it is for; all together have no name.
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// The size of a blob it holds.
    pub(super) fn size_of(&self, oid: &Oid) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(self.path(oid)) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A blob to read from, with its size.
    pub(super) fn read(&self, oid: &Oid) -> io::Result<Option<(File, u64)>> {
        match open_no_link(&self.path(oid)) {
            Ok(file) => {
                let found = file.metadata()?;
                Ok(found.is_file().then_some((file, found.len())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A place for bytes that claim to be `oid`. They are hashed in any case, but written only if they are not here.
    pub(super) fn receive(&self, oid: &Oid) -> io::Result<Arrival> {
        let mut arrival = Arrival { oid: oid.clone(), hash: Sha256::new(), size: 0, file: None };
        if self.size_of(oid)?.is_none() {
            let number = self.store.arrivals.fetch_add(1, Ordering::Relaxed);
            let path = self.store.root.join(INCOMING).join(number.to_string());
            let file = private_file(&path, OpenOptions::new().create_new(true))?;
            let name = (!self.store.is_shared).then(|| self.repository.clone());
            let (shelf, target) = (self.folder.clone(), self.path(oid));
            let making = Arc::clone(&self.store.making);
            arrival.file = Some(ArrivalFile { file, path, shelf, name, target, making });
        }
        Ok(arrival)
    }

    fn path(&self, oid: &Oid) -> PathBuf {
        self.folder.join(oid.folder()).join(&oid.0)
    }
}

/// Bytes on their way in. Dropped before `keep`, nothing of them stays.
pub(super) struct Arrival {
    oid: Oid,
    hash: Sha256,
    size: u64,
    file: Option<ArrivalFile>,
}

struct ArrivalFile {
    file: File,
    path: PathBuf,
    /// The folder of the repository's blobs, and the name that has to lie there.
    shelf: PathBuf,
    name: Option<String>,
    target: PathBuf,
    making: Arc<Mutex<()>>,
}

impl ArrivalFile {
    /// The folder of the target, made where it is absent. The name lies there before any blob does.
    fn ready_folder(&self) -> io::Result<&Path> {
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let name_file = self.shelf.join(NAME);
        if let Some(name) = &self.name
            && !name_file.try_exists()?
        {
            private_folder(&self.shelf)?;
            sync_folder(folder_of(&self.shelf))?;
            replace_file(&name_file, name.as_bytes())?;
        }
        let folder = folder_of(&self.target);
        if private_folder(folder)? {
            sync_folder(folder_of(folder))?;
        }
        Ok(folder)
    }
}

impl Arrival {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        match &mut self.file {
            Some(held) => held.file.write_all(bytes),
            None => Ok(()),
        }
    }

    /// Keeps the bytes if they are what they claimed to be, and says whether they are. Blocks until they are on disk.
    pub(super) fn keep(mut self) -> io::Result<bool> {
        let digest = hex(&std::mem::take(&mut self.hash).finalize().into());
        if digest != self.oid.0 {
            return Ok(false);
        }
        if let Some(held) = &self.file {
            held.file.sync_all()?;
            let folder = held.ready_folder()?;
            fs::rename(&held.path, &held.target)?;
            sync_folder(folder)?;
        }
        Ok(true)
    }
}

/// After a rename there is nothing left at the arrival's own path, so removing it is harmless.
impl Drop for ArrivalFile {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Replaces `path` by `bytes` in one durable step. One at a time for one path: all go by way of the same file.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private_file(&beside, OpenOptions::new().create(true).truncate(true))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(folder_of(path))
}

/// A folder that holds something and was never a store is somebody's work: nothing is made or removed there.
fn refuse_foreign(root: &Path) -> io::Result<()> {
    let ours = fs::symlink_metadata(root.join(IN_USE)).is_ok_and(|found| found.is_file());
    if ours || fs::read_dir(root)?.next().is_none() {
        return Ok(());
    }
    let why = "this folder is not empty and no store of this server: name an empty or a new one";
    Err(io::Error::new(io::ErrorKind::AlreadyExists, why))
}

fn holds_something(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says so to git, unless the user has said something else.
fn ignore_in_git(root: &Path) -> io::Result<()> {
    let (name, text) = IGNORES;
    match private_file(&root.join(name), OpenOptions::new().create_new(true)) {
        Ok(mut file) => file.write_all(text),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes arrivals that an earlier run did not finish: files whose names are numbers, as it gave them.
fn remove_leftovers(incoming: &Path) -> io::Result<()> {
    for entry in fs::read_dir(incoming)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = !name.is_empty() && name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
        if ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes a folder only its owner can enter; says whether it is new.
fn private_folder(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    make_private_dir(path)?;
    Ok(true)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;

    use super::*;
    use crate::scratch::Scratch;

    fn put(store: &Store, oid: &Oid, bytes: &[u8]) -> bool {
        let mut arrival = store.shelf("r").receive(oid).expect("a place");
        for piece in bytes.chunks(3) {
            arrival.write(piece).expect("written");
        }
        arrival.keep().expect("no disk error")
    }

    fn incoming(root: &Path) -> usize {
        fs::read_dir(root.join(INCOMING)).expect("folder").count()
    }

    #[test]
    fn oids_are_64_lower_case_digits() {
        assert_eq!(Oid::of(b"").to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(Oid::parse(&Oid::of(b"x").to_string()).is_some());
        for wrong in ["", "../../etc/passwd", &"A".repeat(64), &"a".repeat(63), &"a".repeat(65), &"é".repeat(32)] {
            assert!(Oid::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn keeps_right_bytes_and_nothing_of_wrong_ones() {
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        let oid = Oid::of(b"some bytes");
        assert!(!put(&store, &oid, b"other bytes"));
        assert_eq!(store.shelf("r").size_of(&oid).expect("looked"), None);
        assert!(put(&store, &oid, b"some bytes"));
        assert_eq!(store.shelf("r").size_of(&oid).expect("looked"), Some(10));
        assert!(put(&store, &oid, b"some bytes"), "again is fine");
        assert!(!put(&store, &oid, b"other bytes"), "wrong bytes are wrong even for a known name");
        drop(store.shelf("r").receive(&Oid::of(b"never finished")).expect("a place"));
        assert_eq!(incoming(scratch.path()), 0);
    }

    #[test]
    fn one_server_at_a_time_and_leftovers_go() {
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        assert_eq!(Store::open(scratch.path(), false).err().map(|e| e.kind()), Some(io::ErrorKind::ResourceBusy));
        drop(store);
        fs::write(scratch.path().join(INCOMING).join("7"), b"half").expect("leftover");
        let foreign = scratch.path().join(INCOMING).join("7.txt");
        fs::write(&foreign, b"whose?").expect("a file");
        let store = Store::open(scratch.path(), false).expect("opened again");
        assert_eq!(incoming(scratch.path()), 1);
        assert!(foreign.exists());
        assert!(put(&store, &Oid::of(b"some bytes"), b"some bytes"), "the number is free again");
    }

    #[test]
    fn a_folder_of_somebody_elses_is_left_alone() {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path().join(INCOMING)).expect("a folder");
        fs::write(scratch.path().join(INCOMING).join("1"), b"a letter").expect("a file");
        assert_eq!(Store::open(scratch.path(), false).err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read(scratch.path().join(INCOMING).join("1")).expect("there"), b"a letter");
        assert_eq!(fs::read_dir(scratch.path()).expect("folder").count(), 1);
    }

    #[test]
    fn repositories_see_their_own_blobs_only() {
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        let oid = Oid::of(b"some bytes");
        assert!(put(&store, &oid, b"some bytes"));
        let long = "x".repeat(1000);
        for other in ["", "R", "r/", "../r", "r.git", &long] {
            let shelf = store.shelf(other);
            assert_eq!(shelf.size_of(&oid).expect("looked"), None, "{other}");
            assert!(shelf.read(&oid).expect("looked").is_none(), "{other}");
            let mut arrival = shelf.receive(&oid).expect("a place");
            arrival.write(b"some bytes").expect("written");
            assert!(arrival.keep().expect("kept"), "{other}");
            assert_eq!(store.shelf(other).size_of(&oid).expect("looked"), Some(10));
        }
        assert_eq!(names(scratch.path()).len(), 7);
    }

    /// What the repositories of a store are called.
    fn names(root: &Path) -> BTreeSet<String> {
        let folders = fs::read_dir(root.join(REPOSITORIES)).expect("a folder");
        folders.map(|entry| fs::read_to_string(entry.expect("an entry").path().join(NAME)).expect("a name")).collect()
    }

    #[test]
    fn many_first_uploads_to_one_repository_are_all_kept() {
        const UPLOADS: usize = 8;
        const REPOSITORIES_NEW: usize = 100;
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        let together = Barrier::new(UPLOADS);
        thread::scope(|scope| {
            for upload in 0..UPLOADS {
                let (store, together) = (&store, &together);
                scope.spawn(move || {
                    // Some bring the same bytes.
                    let bytes = format!("bytes {}", upload / 2);
                    let oid = Oid::of(bytes.as_bytes());
                    let kept = (0..REPOSITORIES_NEW).map(|number| {
                        let shelf = store.shelf(&format!("repository {number}"));
                        let mut arrival = shelf.receive(&oid).expect("a place");
                        arrival.write(bytes.as_bytes()).expect("written");
                        together.wait();
                        let kept = arrival.keep();
                        kept.is_ok_and(|kept| kept) && shelf.size_of(&oid).is_ok_and(|size| size.is_some())
                    });
                    assert_eq!(kept.filter(|kept| *kept).count(), REPOSITORIES_NEW);
                });
            }
        });
        assert_eq!(names(scratch.path()).len(), REPOSITORIES_NEW);
        assert_eq!(incoming(scratch.path()), 0);
    }

    #[test]
    fn a_repository_has_its_name_although_an_earlier_run_ended_before_it() {
        for left in [None, Some("name.new"), Some("so")] {
            let scratch = Scratch::new();
            let store = Store::open(scratch.path(), false).expect("opened");
            let folder = store.shelf("r").folder;
            fs::create_dir(&folder).expect("a folder");
            if let Some(left) = left {
                fs::write(folder.join(left), b"some bytes of before").expect("written");
            }
            assert!(put(&store, &Oid::of(b"some bytes"), b"some bytes"));
            assert_eq!(names(scratch.path()), BTreeSet::from(["r".to_owned()]), "{left:?}");
            assert!(!folder.join("name.new").exists(), "{left:?}");
        }
    }

    #[test]
    fn a_store_stays_as_it_was_begun() {
        let bytes = b"some bytes";
        for (first, filled, then, is_shared) in [
            (true, true, true, Some(true)),
            (true, true, false, Some(true)),
            (true, false, true, Some(true)),
            (true, false, false, Some(true)),
            (false, true, false, Some(false)),
            (false, true, true, None),
            (false, false, false, Some(false)),
            // Nothing is lost by it.
            (false, false, true, Some(true)),
        ] {
            let case = format!("{first} {filled} {then}");
            let scratch = Scratch::new();
            let store = Store::open(scratch.path(), first).expect("opened");
            if filled {
                assert!(put(&store, &Oid::of(bytes), bytes));
            }
            drop(store);
            let opened = Store::open(scratch.path(), then);
            assert_eq!(opened.as_ref().ok().map(Store::is_shared), is_shared, "{case}");
            let Ok(store) = opened else { continue };
            assert!(put(&store, &Oid::of(bytes), bytes));
            let other = store.shelf("other").size_of(&Oid::of(bytes)).expect("looked");
            assert_eq!(other.is_some(), store.is_shared(), "{case}");
            drop(store);
            let again = Store::open(scratch.path(), false).expect("opened");
            assert_eq!(Some(again.is_shared()), is_shared, "{case}");
        }
    }

    #[test]
    fn git_is_told_to_ignore_a_store_unless_the_user_says_otherwise() {
        let scratch = Scratch::new();
        let ignores = scratch.path().join(".gitignore");
        drop(Store::open(scratch.path(), false).expect("opened"));
        assert_eq!(fs::read(&ignores).expect("there"), b"*\n");
        fs::write(&ignores, b"incoming\n").expect("written");
        drop(Store::open(scratch.path(), false).expect("opened"));
        assert_eq!(fs::read(&ignores).expect("there"), b"incoming\n");
        fs::remove_file(&ignores).expect("removed");
        drop(Store::open(scratch.path(), false).expect("opened"));
        assert_eq!(fs::read(&ignores).expect("there"), b"*\n", "a store of before is ignored, too");
    }
}
