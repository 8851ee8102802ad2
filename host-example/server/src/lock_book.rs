//! Who holds which path. Keeps three rules: a path of a repository has at most one lock, a change is on disk before it
//! is answered, and a lock file that cannot be read is neither overwritten nor ever written.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::limits::{LOCK_FILE_BYTES_MAX, LOCKS_MAX};
use super::store::replace_file;
use super::times::{now, rfc3339};

const FILE_NAME: &str = "locks.json";

/// One lock. Its number is its id, grows with every lock and is never used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) number: u64,
    pub(super) repository: String,
    pub(super) path: String,
    pub(super) owner: String,
    pub(super) reference: Option<String>,
    pub(super) locked_at: String,
}

impl Lock {
    /// As the protocol shows it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "id": self.number.to_string(),
            "path": self.path,
            "locked_at": self.locked_at,
            "owner": { "name": self.owner },
        })
    }

    fn kept(&self) -> Value {
        json!({
            "id": self.number,
            "repository": self.repository,
            "path": self.path,
            "owner": self.owner,
            "ref": self.reference,
            "locked_at": self.locked_at,
        })
    }

    fn from_kept(value: &Value) -> Option<Lock> {
        let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Lock {
            number: value.get("id")?.as_u64()?,
            repository: text("repository")?,
            path: text("path")?,
            owner: text("owner")?,
            reference: text("ref"),
            locked_at: text("locked_at")?,
        })
    }
}

/// Why a lock was not made.
#[derive(Debug)]
pub(super) enum NotLocked {
    /// The path is held already.
    Held(Box<Lock>),
    /// The server keeps no more locks.
    Full,
    Disk(io::Error),
}

/// Why a lock was not taken off.
#[derive(Debug)]
pub(super) enum NotUnlocked {
    Unknown,
    /// Someone else holds it.
    Foreign(Box<Lock>),
    Disk(io::Error),
}

/// All locks of the server, in the order they were made.
pub(super) struct LockBook {
    file: PathBuf,
    /// Bytes of the file at most.
    bytes_max: u64,
    /// One change at a time, held while the disk works.
    changing: Mutex<()>,
    /// What is on disk; held only to look or to swap, so that no reader waits for the disk.
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    next: u64,
    locks: Vec<Lock>,
}

impl LockBook {
    pub(super) fn open(folder: &Path) -> io::Result<LockBook> {
        LockBook::open_bounded(folder, LOCK_FILE_BYTES_MAX)
    }

    fn open_bounded(folder: &Path, bytes_max: u64) -> io::Result<LockBook> {
        let file = folder.join(FILE_NAME);
        let state = match File::open(&file) {
            Ok(opened) => {
                let mut bytes = Vec::new();
                opened.take(bytes_max).read_to_end(&mut bytes)?;
                let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the server's lock file is damaged");
                serde_json::from_slice(&bytes).ok().as_ref().and_then(State::from_kept).ok_or_else(damaged)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => State { next: 1, locks: Vec::new() },
            Err(error) => return Err(error),
        };
        fs::remove_file(file.with_extension("new")).ok();
        Ok(LockBook { file, bytes_max, changing: Mutex::new(()), state: Mutex::new(state) })
    }

    /// Locks `path` for `owner`. Blocks until the lock is on disk.
    pub(super) fn lock(
        &self,
        repository: &str,
        path: &str,
        owner: &str,
        reference: Option<String>,
    ) -> Result<Lock, NotLocked> {
        let _turn = locked(&self.changing);
        let mut changed = self.state().clone();
        if let Some(held) = changed.locks.iter().find(|lock| lock.repository == repository && lock.path == path) {
            return Err(NotLocked::Held(Box::new(held.clone())));
        }
        if changed.locks.len() >= LOCKS_MAX {
            return Err(NotLocked::Full);
        }
        let lock = Lock {
            number: changed.next,
            repository: repository.to_owned(),
            path: path.to_owned(),
            owner: owner.to_owned(),
            reference,
            locked_at: rfc3339(now()),
        };
        changed.next += 1;
        changed.locks.push(lock.clone());
        let bytes = changed.kept().to_string().into_bytes();
        if bytes.len() as u64 > self.bytes_max {
            return Err(NotLocked::Full);
        }
        replace_file(&self.file, &bytes).map_err(NotLocked::Disk)?;
        *self.state() = changed;
        Ok(lock)
    }

    /// Takes lock `number` off. Another's lock needs `force`. Blocks until that is on disk.
    pub(super) fn unlock(&self, repository: &str, number: u64, owner: &str, force: bool) -> Result<Lock, NotUnlocked> {
        let _turn = locked(&self.changing);
        let mut changed = self.state().clone();
        let found = changed.locks.iter().position(|lock| lock.repository == repository && lock.number == number);
        let place = found.ok_or(NotUnlocked::Unknown)?;
        let lock = changed.locks.remove(place);
        if lock.owner != owner && !force {
            return Err(NotUnlocked::Foreign(Box::new(lock)));
        }
        replace_file(&self.file, changed.kept().to_string().as_bytes()).map_err(NotUnlocked::Disk)?;
        *self.state() = changed;
        Ok(lock)
    }

    /// The first `limit` locks of a repository that are `wanted`, from number `from` on, and the number the next page
    /// begins with.
    pub(super) fn page(
        &self,
        repository: &str,
        from: u64,
        limit: usize,
        wanted: impl Fn(&Lock) -> bool,
    ) -> (Vec<Lock>, Option<u64>) {
        let state = self.state();
        let mut fitting =
            state.locks.iter().filter(|lock| lock.repository == repository && lock.number >= from && wanted(lock));
        let page = fitting.by_ref().take(limit).cloned().collect();
        (page, fitting.next().map(|lock| lock.number))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// A panic elsewhere leaves the state as it was before or after a whole change, so it can be used on.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn kept(&self) -> Value {
        let locks: Vec<Value> = self.locks.iter().map(Lock::kept).collect();
        let mut kept = Map::new();
        kept.insert("version".into(), 1.into());
        kept.insert("next".into(), self.next.into());
        kept.insert("locks".into(), locks.into());
        Value::Object(kept)
    }

    fn from_kept(value: &Value) -> Option<State> {
        if value.get("version")?.as_u64()? != 1 {
            return None;
        }
        let locks = value.get("locks")?.as_array()?.iter().map(Lock::from_kept).collect::<Option<Vec<Lock>>>()?;
        Some(State { next: value.get("next")?.as_u64()?, locks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_path_has_one_holder_and_ids_are_never_used_twice() {
        let scratch = Scratch::new();
        let book = LockBook::open(scratch.path()).expect("opened");
        let first = book.lock("r", "a.bin", "ann", None).expect("locked");
        match book.lock("r", "a.bin", "bob", None) {
            Err(NotLocked::Held(held)) => assert_eq!(*held, first),
            other => panic!("{other:?}"),
        }
        book.lock("other", "a.bin", "bob", None).expect("another repository is another place");
        assert!(matches!(book.unlock("r", first.number, "bob", false), Err(NotUnlocked::Foreign(_))));
        assert!(matches!(book.unlock("other", first.number, "ann", true), Err(NotUnlocked::Unknown)));
        assert_eq!(book.unlock("r", first.number, "bob", true).expect("forced"), first);
        let second = book.lock("r", "a.bin", "bob", None).expect("free again");
        assert!(second.number > first.number);

        drop(book);
        let again = LockBook::open(scratch.path()).expect("opened again");
        assert_eq!(again.page("r", 0, 10, |_| true), (vec![second], None));
    }

    #[test]
    fn a_book_that_could_not_be_read_again_is_not_written() {
        let scratch = Scratch::new();
        let book = LockBook::open_bounded(scratch.path(), 1_000).expect("opened");
        let made = (0..100).take_while(|n| book.lock("r", &format!("{n}"), "ann", None).is_ok()).count() as u64;
        assert!((2..100).contains(&made));
        assert!(matches!(book.lock("r", "more", "ann", None), Err(NotLocked::Full)));
        let again = LockBook::open_bounded(scratch.path(), 1_000).expect("readable");
        assert_eq!(again.page("r", 0, 100, |_| true), book.page("r", 0, 100, |_| true));
        again.unlock("r", 1, "ann", false).expect("there is always room to unlock");
    }

    #[test]
    fn a_reader_does_not_wait_for_a_change() {
        let scratch = Scratch::new();
        let book = LockBook::open(scratch.path()).expect("opened");
        book.lock("r", "a", "ann", None).expect("locked");
        let _turn = locked(&book.changing);
        assert_eq!(book.page("r", 0, 10, |_| true).0.len(), 1);
    }

    #[test]
    fn pages_go_on_where_they_ended_although_locks_vanish() {
        let scratch = Scratch::new();
        let book = LockBook::open(scratch.path()).expect("opened");
        for n in 0..5 {
            book.lock("r", &format!("{n}"), "ann", None).expect("locked");
        }
        let (page, next) = book.page("r", 0, 2, |_| true);
        assert_eq!((page.len(), next), (2, Some(3)));
        book.unlock("r", 3, "ann", false).expect("unlocked");
        let (page, next) = book.page("r", 3, 2, |_| true);
        assert_eq!((page.iter().map(|lock| lock.number).collect::<Vec<_>>(), next), (vec![4, 5], None));
    }

    #[test]
    fn a_damaged_file_stops_the_server_instead_of_being_replaced() {
        let scratch = Scratch::new();
        let file = scratch.path().join(FILE_NAME);
        for damaged in ["", "{", "{}", r#"{"version":2,"next":1,"locks":[]}"#] {
            fs::write(&file, damaged).expect("written");
            assert!(LockBook::open(scratch.path()).is_err(), "{damaged}");
            assert_eq!(fs::read_to_string(&file).expect("read"), damaged);
        }
    }
}
