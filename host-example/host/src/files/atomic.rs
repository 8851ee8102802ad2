//! A file that takes the place of another one, so that the other one is never lost: they change places, and what was
//! displaced is looked at before anything becomes of it.
//!
//! Rules: the new file is complete before it gets a name that others know; only a file that was made here is ever
//! removed here.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat, fchmod, fstat, openat, renameat_with, statat, unlinkat};
use rustix::io::Errno;

/// Permission bits that a new file takes over. Set-user-id and its like are not among them.
const MODE_MASK: u32 = 0o777;
/// Names tried for a temporary file. A run that was killed may have left one of the same name.
const TEMPORARY_NAMES_MAX: u32 = 16;

/// Numbers the temporary files of this process.
static TEMPORARIES: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
thread_local! {
    /// Stands for a file system that knows only plain renames.
    pub(crate) static CANNOT_EXCHANGE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Which file this is, whatever its name.
pub(crate) type Identity = (u64, u64);

pub(crate) fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

/// What changes whenever bytes are written. The time of the last change of name or mode is left out: changing places
/// changes it.
pub(crate) fn same_content_state(a: &Stat, b: &Stat) -> bool {
    let state = |stat: &Stat| (identity(stat), stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
    state(a) == state(b)
}

/// What stands under a name, without following a symlink.
pub(crate) fn stat_of(folder: &OwnedFd, name: &str) -> io::Result<Option<Stat>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether this very file stands under a name.
pub(crate) fn stands(folder: &OwnedFd, name: &str, file: Identity) -> io::Result<bool> {
    Ok(stat_of(folder, name)?.is_some_and(|stat| identity(&stat) == file))
}

/// A file under a temporary name; it goes with this value unless it got another one.
pub(crate) struct Fresh<'a> {
    folder: &'a OwnedFd,
    name: String,
    /// The file that was made here.
    pub(crate) file: File,
    identity: Identity,
}

impl<'a> Fresh<'a> {
    /// Writes a file. `prefix` begins its name; `mode` none leaves it to the user's mask.
    pub(crate) fn write(folder: &'a OwnedFd, prefix: &str, bytes: &[u8], mode: Option<u32>) -> io::Result<Self> {
        let (mut file, name) = make(folder, prefix)?;
        let made = identity(&fstat(&file)?);
        let written = file.write_all(bytes).and_then(|()| match mode {
            Some(mode) => Ok(fchmod(&file, Mode::from_raw_mode(mode & MODE_MASK))?),
            None => Ok(()),
        });
        let fresh = Self { folder, name, file, identity: made };
        written.map(|()| fresh)
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
        match renameat_with(self.folder, &self.name, self.folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) if cannot(error) => {
                if stat_of(self.folder, name)?.is_some() {
                    return Ok(false);
                }
                rustix::fs::renameat(self.folder, &self.name, self.folder, name)?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Changes places with what stands under a name: it is under the temporary name then. False when the file system
    /// cannot do that.
    pub(crate) fn exchange(&self, name: &str) -> io::Result<bool> {
        #[cfg(test)]
        if CANNOT_EXCHANGE.get() {
            return Ok(false);
        }
        match renameat_with(self.folder, &self.name, self.folder, name, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(error) if cannot(error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the place of what stands under a name, which has another name or is of no use any more.
    pub(crate) fn take_over(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(self.folder, &self.name, self.folder, name)?)
    }

    /// What stands under the temporary name.
    pub(crate) fn at_temporary(&self) -> io::Result<Option<Stat>> {
        stat_of(self.folder, &self.name)
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if matches!(stands(self.folder, &self.name, self.identity), Ok(true)) {
            // Best effort: the next run sweeps it.
            unlinkat(self.folder, &self.name, AtFlags::empty()).ok();
        }
    }
}

/// Whether a file system does not know this way of renaming.
fn cannot(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
}

fn make(folder: &OwnedFd, prefix: &str) -> io::Result<(File, String)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut taken = Errno::EXIST;
    for _ in 0..TEMPORARY_NAMES_MAX {
        let number = TEMPORARIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}{}-{number}.tmp", std::process::id());
        match openat(folder, &name, flags, Mode::from_raw_mode(0o666)) {
            Ok(file) => return Ok((File::from(file), name)),
            Err(error @ Errno::EXIST) => taken = error,
            Err(error) => return Err(error.into()),
        }
    }
    Err(taken.into())
}
