//! One folder, held open: names within it, and no path is ever walked twice.
//!
//! Rule: no symlink is followed, and nothing above the folder is reached.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, accessat, fchmod, fchown, fstat, linkat, mkdirat, open, openat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::path::Arg;

use super::facts::{Facts, Kind, SET_GROUP};
use super::platform::effective_user;

/// How what is read is opened. Without blocking: a pipe may stand there.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
/// Permission bits that a file can have: it is never a program.
const FILE_BITS: u32 = 0o666;
/// How a folder is opened.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

#[cfg(test)]
thread_local! {
    /// Stands for a file system that knows only plain renames.
    pub(crate) static CANNOT_EXCHANGE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Which access other users get to what is created here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody else, unless the folder is a shared one: the cache.
    Owner,
    /// As the user's umask says: a folder the user asked for.
    Umask,
    /// Those whom these permission bits of a folder name: `core.sharedRepository`.
    Shared(u32),
}

/// An open folder.
#[derive(Debug)]
pub(crate) struct Dir {
    descriptor: OwnedFd,
    access: Access,
}

impl Dir {
    /// Opens a folder of the user's choice: a symlink that leads to it is followed.
    pub(crate) fn open(path: &Path, access: Access) -> io::Result<Self> {
        let descriptor = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY, Mode::empty())?;
        let shared = match access {
            Access::Owner => Facts::from(&fstat(&descriptor)?).shared_with(),
            Access::Umask | Access::Shared(_) => None,
        };
        Ok(Self { descriptor, access: shared.map_or(access, Access::Shared) })
    }

    /// The same; it and its parents are made when they are not there.
    pub(crate) fn open_or_create(path: &Path, access: Access) -> io::Result<Self> {
        if let Ok(dir) = Self::open(path, access) {
            dir.share()?;
            return Ok(dir);
        }
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), access.folder_bits());
        builder.create(path)?;
        let dir = Self::open(path, access)?;
        dir.share()?;
        Ok(dir)
    }

    /// What is known of this folder itself.
    pub(crate) fn own_facts(&self) -> io::Result<Facts> {
        Ok(Facts::from(&fstat(&self.descriptor)?))
    }

    /// Whether names can be made here, as far as rights and the file system tell.
    pub(crate) fn is_writable(&self) -> bool {
        use rustix::fs::Access;
        accessat(&self.descriptor, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
    }

    /// The same folder, shared with those whom these permission bits name.
    pub(crate) fn shared_with(self, bits: u32) -> io::Result<Self> {
        let shared = Self { access: Access::Shared(bits), ..self };
        shared.share().map(|()| shared)
    }

    /// Gives a folder of ours the rights of what is shared; those of somebody else's are not ours to change. What was
    /// made in it before gets them first, so that a folder which has them needs no second look.
    fn share(&self) -> io::Result<()> {
        let Access::Shared(bits) = self.access else { return Ok(()) };
        let facts = self.own_facts()?;
        if facts.owner.0 == effective_user() && !facts.has_mode(bits | SET_GROUP) {
            self.share_beneath()?;
            fchmod(&self.descriptor, mode(bits | SET_GROUP))?;
        }
        Ok(())
    }

    fn share_beneath(&self) -> io::Result<()> {
        for name in self.names()? {
            let shared = match self.facts(name.as_str())? {
                Some(facts) if facts.kind == Kind::Dir => self.existing_dir(name.as_str()).and_then(|dir| dir.share()),
                // One with another name besides is also somebody else's.
                Some(facts) if facts.kind == Kind::File && facts.links == 1 => {
                    self.read(name.as_str()).and_then(|file| self.share_file(file)).map(drop)
                }
                _ => Ok(()),
            };
            match shared {
                // Gone meanwhile, or of another user who shares nothing.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {}
                shared => shared?,
            }
        }
        Ok(())
    }

    /// The same for a file that was made here.
    fn share_file(&self, file: File) -> io::Result<File> {
        let Access::Shared(bits) = self.access else { return Ok(file) };
        let (facts, bits) = (Facts::of(&file)?, bits & FILE_BITS);
        if facts.owner.0 == effective_user() && !facts.has_mode(bits) {
            set_permissions(&file, bits)?;
        }
        Ok(file)
    }

    /// The same folder once more.
    pub(crate) fn reopen(&self) -> io::Result<Self> {
        self.existing_dir(".")
    }

    /// Opens a folder inside this one, making it when it is not there.
    pub(crate) fn dir(&self, name: impl Arg + Copy) -> io::Result<Self> {
        match self.existing_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_dir(name)?;
                self.existing_dir(name)
            }
            Ok(dir) => dir.share().map(|()| dir),
            other => other,
        }
    }

    /// Opens a folder inside this one.
    pub(crate) fn existing_dir(&self, name: impl Arg) -> io::Result<Self> {
        Ok(Self { descriptor: openat(&self.descriptor, name, FOLDER, Mode::empty())?, access: self.access })
    }

    /// Opens a folder inside this one; none when it is not there.
    pub(crate) fn dir_if_any(&self, name: impl Arg) -> io::Result<Option<Self>> {
        match self.existing_dir(name) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder; one that is there already is as good.
    pub(crate) fn make_dir(&self, name: impl Arg + Copy) -> io::Result<()> {
        match mkdirat(&self.descriptor, name, mode(self.access.folder_bits())) {
            // The umask had its say, too.
            Ok(()) if matches!(self.access, Access::Shared(_)) => self.existing_dir(name)?.share(),
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What stands under this name.
    pub(crate) fn facts(&self, name: impl Arg) -> io::Result<Option<Facts>> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Facts::from(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What regular file stands under this name.
    pub(crate) fn find(&self, name: impl Arg) -> io::Result<Option<Facts>> {
        Ok(self.facts(name)?.filter(|facts| facts.kind == Kind::File))
    }

    /// Whether this name stands for this very file.
    pub(crate) fn holds(&self, name: impl Arg, file: &File) -> io::Result<bool> {
        let own = Facts::of(file)?;
        Ok(self.facts(name)?.is_some_and(|there| there.identity == own.identity))
    }

    /// Opens a file to read.
    pub(crate) fn read(&self, name: impl Arg) -> io::Result<File> {
        Ok(File::from(openat(&self.descriptor, name, READ, Mode::empty())?))
    }

    /// Creates a file that was not there.
    pub(crate) fn create_new(&self, name: impl Arg) -> io::Result<File> {
        self.create(name, OFlags::EXCL)
    }

    /// Opens a file to read and write, creating it when it is not there.
    pub(crate) fn open_or_create_file(&self, name: impl Arg) -> io::Result<File> {
        self.create(name, OFlags::NONBLOCK)
    }

    /// The same; one that is made is for its owner alone, whatever else is made here.
    pub(crate) fn open_or_create_private(&self, name: impl Arg) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        Ok(File::from(openat(&self.descriptor, name, flags, Mode::RUSR | Mode::WUSR)?))
    }

    fn create(&self, name: impl Arg, more: OFlags) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | more;
        self.share_file(File::from(openat(&self.descriptor, name, flags, mode(self.access.file_bits()))?))
    }

    /// Opens an existing file to read and write; none when it is not there.
    pub(crate) fn open_existing(&self, name: impl Arg) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Some(File::from(descriptor))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The beginning of a small file of ours, so many bytes at most; none when it is not there.
    pub(crate) fn read_small(&self, name: impl Arg, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.read(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Moves a file or folder to a place in another folder, over what stands there.
    pub(crate) fn rename(&self, name: impl Arg, to: &Self, new_name: impl Arg) -> io::Result<()> {
        Ok(renameat(&self.descriptor, name, &to.descriptor, new_name)?)
    }

    /// The same, where nothing may stand under the new name; false when something does.
    pub(crate) fn rename_new(&self, name: impl Arg + Copy, to: &Self, new_name: impl Arg + Copy) -> io::Result<bool> {
        match renameat_with(&self.descriptor, name, &to.descriptor, new_name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            // A file system that does not know this: nobody else uses names of this kind.
            Err(error) if cannot(error) => {
                if to.facts(new_name)?.is_some() {
                    return Ok(false);
                }
                self.rename(name, to, new_name).map(|()| true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Two names change places. False when the file system cannot do that.
    pub(crate) fn exchange(&self, name: impl Arg, other: impl Arg) -> io::Result<bool> {
        #[cfg(test)]
        if CANNOT_EXCHANGE.get() {
            return Ok(false);
        }
        match renameat_with(&self.descriptor, name, &self.descriptor, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(error) if cannot(error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file a second name in another folder.
    pub(crate) fn link(&self, name: impl Arg, to: &Self, new_name: impl Arg) -> io::Result<Linked> {
        match linkat(&self.descriptor, name, &to.descriptor, new_name, AtFlags::empty()) {
            Ok(()) => Ok(Linked::Done),
            Err(Errno::EXIST) => Ok(Linked::Taken),
            Err(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::NOTSUP | Errno::NOSYS) => Ok(Linked::Impossible),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; one that is not there is as good.
    pub(crate) fn remove(&self, name: impl Arg) -> io::Result<()> {
        match unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an empty folder; one that is not empty stays. Says whether it is gone.
    pub(crate) fn remove_empty_dir(&self, name: impl Arg) -> bool {
        // Best effort: an empty folder left behind harms nobody.
        unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR).is_ok()
    }

    /// Whether nothing is in this folder, whatever its name, but for one that may be.
    pub(crate) fn is_empty_but_for(&self, one: &str) -> io::Result<bool> {
        for entry in rustix::fs::Dir::read_from(&self.descriptor)? {
            let name = entry?.file_name().to_bytes().to_owned();
            if ![b".", b"..".as_slice(), one.as_bytes()].contains(&name.as_slice()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Names in this folder, in order, without `.` and `..`. A name that is not UTF-8 is none of ours.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.descriptor)? {
            match entry?.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Notes that an entry was used now. Best effort: it only decides what is pruned first.
    pub(crate) fn touch(&self, name: impl Arg) {
        use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let times = Timestamps { last_access: now, last_modification: omit };
        utimensat(&self.descriptor, name, &times, AtFlags::SYMLINK_NOFOLLOW).ok();
    }

    /// Makes the names of this folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }
}

/// What became of a second name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linked {
    /// The file has it.
    Done,
    /// Something stands there already.
    Taken,
    /// It lies on another file system, or on one that knows no second names.
    Impossible,
}

/// Opens a file of the user's by its path, to read; a symlink at its end is refused.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    Ok(File::from(open(path, READ, Mode::empty())?))
}

/// Gives an open file these permission bits.
pub(crate) fn set_permissions(file: &File, permissions: u32) -> io::Result<()> {
    Ok(fchmod(file, mode(permissions))?)
}

/// Gives an open file an owner. Best effort: only who may do that can have to.
pub(crate) fn set_owner(file: &File, (user, group): (u32, u32)) {
    let (user, group) = (rustix::fs::Uid::from_raw(user), rustix::fs::Gid::from_raw(group));
    fchown(file, Some(user), Some(group)).ok();
}

/// Whether a file system does not know this way of renaming.
fn cannot(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
}

#[allow(clippy::useless_conversion, clippy::cast_possible_truncation, reason = "the platforms differ in this type")]
fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits as rustix::fs::RawMode)
}

impl Access {
    fn folder_bits(self) -> u32 {
        match self {
            Access::Owner => 0o700,
            Access::Umask => 0o777,
            Access::Shared(bits) => bits,
        }
    }

    fn file_bits(self) -> u32 {
        self.folder_bits() & FILE_BITS
    }
}
