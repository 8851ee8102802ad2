//! One folder of the store, by descriptor: short names, no path is ever walked twice.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat, fstat, linkat, mkdirat, open, openat, renameat,
    renameat_with, statat, unlinkat,
};

/// Which access other users get to what is created here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody else: the cache.
    Owner,
    /// As the user's umask says: a folder the user asked for.
    Umask,
}

/// An open folder.
pub(crate) struct Folder {
    descriptor: OwnedFd,
    access: Access,
}

/// What stands under a name.
pub(crate) struct Found {
    /// Length in bytes.
    pub(crate) size: u64,
    /// Seconds since the epoch of the last use, as access and modification times tell it.
    pub(crate) used_seconds: i64,
}

impl Folder {
    /// Opens a folder, creating it and its parents when they are not there.
    pub(crate) fn open_or_create(path: &Path, access: Access) -> io::Result<Folder> {
        if let Ok(folder) = Self::open_path(path, access) {
            return Ok(folder);
        }
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), access.folder_mode().as_raw_mode());
        builder.create(path)?;
        Self::open_path(path, access)
    }

    fn open_path(path: &Path, access: Access) -> io::Result<Folder> {
        let descriptor = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Folder { descriptor, access })
    }

    /// The open folder itself.
    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// Opens a folder inside this one, creating it when it is not there.
    pub(crate) fn folder(&self, name: &str) -> io::Result<Folder> {
        match self.existing_folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder(name)?;
                self.existing_folder(name)
            }
            other => other,
        }
    }

    /// Opens a folder inside this one.
    pub(crate) fn existing_folder(&self, name: &str) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        Ok(Folder { descriptor: openat(&self.descriptor, name, flags, Mode::empty())?, access: self.access })
    }

    /// Makes a folder; one that is there already is as good.
    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        match mkdirat(&self.descriptor, name, self.access.folder_mode()) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What regular file stands under this name.
    pub(crate) fn find(&self, name: &str) -> io::Result<Option<Found>> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(Some(Found::of(&stat))),
            Ok(_) | Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this name stands for this very file.
    pub(crate) fn holds(&self, name: &str, file: &File) -> io::Result<bool> {
        let own = fstat(file)?;
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok((stat.st_dev, stat.st_ino) == (own.st_dev, own.st_ino)),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file to read. A pipe reads as if it were empty: nobody waits for its other end.
    pub(crate) fn read(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        Ok(File::from(openat(&self.descriptor, name, flags, Mode::empty())?))
    }

    /// Creates a file nobody else has.
    pub(crate) fn create_new(&self, name: &str) -> io::Result<File> {
        self.create(name, OFlags::EXCL)
    }

    /// Opens a file to read and write, creating it when it is not there.
    pub(crate) fn open_or_create_file(&self, name: &str) -> io::Result<File> {
        self.create(name, OFlags::empty())
    }

    fn create(&self, name: &str, more: OFlags) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | more;
        Ok(File::from(openat(&self.descriptor, name, flags, self.access.file_mode())?))
    }

    /// Opens an existing file to read and write; none when it is not there.
    pub(crate) fn open_existing(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Some(File::from(descriptor))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a file or folder to a place in another folder.
    pub(crate) fn rename(&self, name: &str, to: &Folder, new_name: &str) -> io::Result<()> {
        Ok(renameat(&self.descriptor, name, &to.descriptor, new_name)?)
    }

    /// The same, where nothing may stand under the new name; false when something does.
    pub(crate) fn rename_new(&self, name: &str, to: &Folder, new_name: &str) -> io::Result<bool> {
        match renameat_with(&self.descriptor, name, &to.descriptor, new_name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST) => Ok(false),
            // A file system that does not know this: nobody else uses names of this kind.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                if statat(&to.descriptor, new_name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Ok(false);
                }
                self.rename(name, to, new_name).map(|()| true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file of another folder a second name in this one; false when this name is taken.
    pub(crate) fn link_from(&self, folder: &OwnedFd, name: &str, own_name: &str) -> io::Result<bool> {
        match linkat(folder, name, &self.descriptor, own_name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file of this folder a second name in another one; false when that name is taken.
    pub(crate) fn link_to(&self, name: &str, folder: &OwnedFd, new_name: &str) -> io::Result<bool> {
        match linkat(&self.descriptor, name, folder, new_name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::EXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The facts of a regular file under this name.
    pub(crate) fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(Some(stat)),
            Ok(_) | Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file; one that is not there is as good.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an empty folder; one that is not empty stays. Says whether it is gone.
    pub(crate) fn remove_empty_folder(&self, name: &str) -> bool {
        // Best effort: an empty folder left behind harms nobody.
        unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR).is_ok()
    }

    /// Names in this folder, in order, without `.` and `..`.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.descriptor)? {
            let name: CString = entry?.file_name().into();
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = name.into_string()
                && name != "."
                && name != ".."
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Notes that an entry was used now. Best effort: it only decides what is pruned first.
    pub(crate) fn touch(&self, name: &str) {
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

impl Found {
    pub(crate) fn of(stat: &Stat) -> Found {
        Found { size: u64::try_from(stat.st_size).unwrap_or(0), used_seconds: stat.st_atime.max(stat.st_mtime) }
    }
}

impl Access {
    fn folder_mode(self) -> Mode {
        match self {
            Access::Owner => Mode::RWXU,
            Access::Umask => Mode::RWXU | Mode::RWXG | Mode::RWXO,
        }
    }

    fn file_mode(self) -> Mode {
        match self {
            Access::Owner => Mode::RUSR | Mode::WUSR,
            Access::Umask => Mode::from_raw_mode(0o666),
        }
    }
}
