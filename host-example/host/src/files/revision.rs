//! An open file and the state it is in: what was opened is what is read, and its identity is compared before and after.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::facts::{Facts, Kind};

/// A file written this many milliseconds ago or less may change again without its times showing it.
const UNSTABLE_MS: u64 = 2_000;
/// Marks the revision of such a file.
const UNSTABLE: &str = "-unstable";
/// An open regular file and the state it had when it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// Length in bytes.
    pub size: u64,
    /// Its state.
    pub revision: Revision,
}

/// State of a file: compared for equality only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    identity: String,
    unstable: bool,
}

impl Opened {
    /// A file that is open already.
    pub(crate) fn new(file: File) -> io::Result<Opened> {
        let facts = Facts::of(&file)?;
        if facts.kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "only regular files are read"));
        }
        Ok(Opened { size: facts.size, revision: Revision::of(&facts, SystemTime::now()), file })
    }

    /// Whether the file is still in the state it was opened in.
    pub fn unchanged(&self) -> io::Result<bool> {
        Ok(Revision::of(&Facts::of(&self.file)?, SystemTime::now()).same(&self.revision))
    }
}

impl Revision {
    fn of(facts: &Facts, now: SystemTime) -> Revision {
        let Facts { identity, size, modified, changed, .. } = facts;
        let identity = format!(
            "{:x}-{:x}-{size:x}-{:x}.{:x}-{:x}.{:x}",
            identity.device, identity.inode, modified.seconds, modified.nanos, changed.seconds, changed.nanos
        );
        let changed = UNIX_EPOCH + Duration::from_secs(u64::try_from(modified.seconds).unwrap_or(0));
        // One second more: the fraction of the file's time is left out above.
        let unstable = now.duration_since(changed).map_or(true, |age| age < Duration::from_millis(UNSTABLE_MS + 1000));
        Revision { identity, unstable }
    }

    /// Whether two revisions name one state. Whether it was old enough to be trusted does not matter here.
    pub fn same(&self, other: &Revision) -> bool {
        self.identity == other.identity
    }

    /// Whether they differ in nothing but the time of the last change of name, mode or content: another name, or other
    /// permissions, change it as well.
    pub fn same_but_for_names(&self, other: &Revision) -> bool {
        let state = |revision: &Revision| revision.identity.rsplit_once('-').map(|(state, _)| state.to_owned());
        state(self).is_some_and(|own| state(other) == Some(own))
    }

    /// Whether the file could have changed once more without its times showing it.
    pub fn is_unstable(&self) -> bool {
        self.unstable
    }

    /// The text the engine keeps.
    pub fn text(&self) -> String {
        if self.unstable { format!("{}{UNSTABLE}", self.identity) } else { self.identity.clone() }
    }

    /// A revision the engine gave back.
    pub fn from_text(text: &str) -> Revision {
        match text.strip_suffix(UNSTABLE) {
            Some(identity) => Revision { identity: identity.into(), unstable: true },
            None => Revision { identity: text.into(), unstable: false },
        }
    }
}
