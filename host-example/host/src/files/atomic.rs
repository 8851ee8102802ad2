//! A file that takes the place of another one, so that the other one is never lost: they change places, and what was
//! displaced is looked at before anything becomes of it.
//!
//! Rules: the new file is complete before it gets a name that others know; only a file that was made here is ever
//! removed here.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::dir::{Dir, set_permissions};
use super::facts::{Facts, Identity};

/// Names tried for a temporary file. A run that was killed may have left one of the same name.
const TEMPORARY_NAMES_MAX: u32 = 16;
/// How the name of every temporary file ends.
pub(crate) const TEMPORARY_END: &str = ".tmp";

/// Numbers the temporary files of this process.
static TEMPORARIES: AtomicU64 = AtomicU64::new(0);

/// Whether this very file stands under a name.
pub(crate) fn stands(dir: &Dir, name: &str, file: Identity) -> io::Result<bool> {
    Ok(dir.facts(name)?.is_some_and(|facts| facts.identity == file))
}

/// A name that no other file of this process has: `prefix` and `.tmp` tell whose it is.
pub(crate) fn temporary_name(prefix: &str) -> String {
    let number = TEMPORARIES.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}-{number}{TEMPORARY_END}", std::process::id())
}

/// Puts bytes in the place of whatever stands under a name, durably: whoever looks finds the old file or the new one.
/// The temporary file lies in `beside`, which may be the same folder.
pub(crate) fn replace(beside: &Dir, prefix: &str, dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let fresh = Fresh::write(beside, prefix, bytes, None)?;
    fresh.file.sync_all()?;
    fresh.dir.rename(fresh.name.as_str(), dir, name)?;
    dir.sync()
}

/// A file under a temporary name; it goes with this value unless it got another one.
pub(crate) struct Fresh<'a> {
    dir: &'a Dir,
    name: String,
    /// The file that was made here.
    pub(crate) file: File,
    identity: Identity,
}

impl<'a> Fresh<'a> {
    /// An empty file. `prefix` begins its name.
    pub(crate) fn make(dir: &'a Dir, prefix: &str) -> io::Result<Self> {
        let mut tries = 1..TEMPORARY_NAMES_MAX;
        loop {
            let name = temporary_name(prefix);
            match dir.create_new(name.as_str()) {
                Ok(file) => return Ok(Self { identity: Facts::of(&file)?.identity, dir, name, file }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A file with these bytes. `permissions` none leaves them to the user's mask.
    pub(crate) fn write(dir: &'a Dir, prefix: &str, bytes: &[u8], permissions: Option<u32>) -> io::Result<Self> {
        let mut fresh = Self::make(dir, prefix)?;
        fresh.file.write_all(bytes)?;
        if let Some(permissions) = permissions {
            set_permissions(&fresh.file, permissions)?;
        }
        Ok(fresh)
    }

    /// Which file was made here.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Its temporary name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes a name under which nothing stands; false when something does.
    pub(crate) fn take_free(&self, name: &str) -> io::Result<bool> {
        self.dir.rename_new(self.name.as_str(), self.dir, name)
    }

    /// Changes places with what stands under a name: it is under the temporary name then. False when the file system
    /// cannot do that.
    pub(crate) fn exchange(&self, name: &str) -> io::Result<bool> {
        self.dir.exchange(self.name.as_str(), name)
    }

    /// Takes the place of what stands under a name, which has another name or is of no use any more.
    pub(crate) fn take_over(&self, name: impl rustix::path::Arg) -> io::Result<()> {
        self.dir.rename(self.name.as_str(), self.dir, name)
    }

    /// What stands under the temporary name.
    pub(crate) fn at_temporary(&self) -> io::Result<Option<Facts>> {
        self.dir.facts(self.name.as_str())
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if matches!(stands(self.dir, &self.name, self.identity), Ok(true)) {
            // Best effort: the next run sweeps it.
            self.dir.remove(self.name.as_str()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::Access;
    use crate::files::scratch::Scratch;

    #[test]
    fn a_file_of_a_temporary_name_that_is_not_ours_stays() {
        let scratch = Scratch::new();
        let dir = Dir::open(scratch.path(), Access::Owner).expect("a folder");
        let last = temporary_name(".x-");
        let number = last.trim_end_matches(TEMPORARY_END).rsplit('-').next().and_then(|text| text.parse().ok());
        let next = number.map_or(0, |number: u64| number + 1);
        let taken = next..next + u64::from(TEMPORARY_NAMES_MAX) - 1;
        let names: Vec<_> = taken.map(|number| format!(".x-{}-{number}{TEMPORARY_END}", std::process::id())).collect();
        for name in &names {
            fs::write(scratch.path().join(name), "theirs").expect("a file");
        }
        let fresh = Fresh::write(&dir, ".x-", b"ours", None).expect("the next name");
        assert!(!names.iter().any(|name| name == fresh.name()));
        drop(fresh);
        for name in &names {
            assert_eq!(fs::read(scratch.path().join(name)).expect("there"), b"theirs");
        }
    }
}
