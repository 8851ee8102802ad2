//! What the system says of a file, in one shape on every platform.

use std::fs::File;
use std::io;

use rustix::fs::{FileType, Stat, fstat};

/// Permission bits. Set-user-id and its like are not among them.
const PERMISSIONS: u32 = 0o777;

/// Permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// Marks a folder whose own permission bits say who shares what is made in it. git marks shared folders so, too: what
/// is made there belongs to the folder's group.
pub(super) const SET_GROUP: u32 = 0o2000;

/// What a name or an open file is, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) identity: Identity,
    /// Bytes.
    pub(crate) size: u64,
    /// When bytes were written last.
    pub(crate) modified: Moment,
    /// When bytes, names, mode or owner changed last.
    pub(crate) changed: Moment,
    /// Seconds since the epoch of the last use, as access and modification times tell it.
    pub(crate) used_s: i64,
    /// Permission bits.
    pub(crate) permissions: u32,
    /// Permission bits and all others.
    mode: u32,
    /// Numbers of user and group.
    pub(crate) owner: (u32, u32),
    /// Names.
    pub(crate) links: u64,
}

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symlink.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// Which file this is, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// A time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since the epoch.
    pub(crate) seconds: i64,
    pub(crate) nanos: u64,
}

impl Facts {
    /// Of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&fstat(file)?))
    }

    /// Whether no bytes were written in between. Another name or mode does not count: changing places changes it.
    pub(crate) fn is_same_content(&self, other: &Self) -> bool {
        let state = |facts: &Self| (facts.identity, facts.size, facts.modified);
        state(self) == state(other)
    }

    /// Whether nothing at all changed in between, not even a name.
    pub(crate) fn is_same_state(&self, other: &Self) -> bool {
        self.is_same_content(other) && (self.mode, self.changed) == (other.mode, other.changed)
    }

    /// Who shares what is made in this folder, where it is a shared one: its permission bits.
    pub(crate) fn shared_with(&self) -> Option<u32> {
        let is_shared = self.mode & SET_GROUP != 0 && self.permissions & OTHERS != 0;
        is_shared.then_some(self.permissions)
    }

    /// Whether the permission bits, and the mark of a shared folder, are these.
    pub(crate) fn has_mode(&self, bits: u32) -> bool {
        self.mode & (PERMISSIONS | SET_GROUP) == bits
    }

    /// A regular file of so many bytes.
    pub(crate) fn is_file_of(&self, size: u64) -> bool {
        self.kind == Kind::File && self.size == size
    }
}

impl From<&Stat> for Facts {
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        clippy::cast_sign_loss,
        clippy::useless_conversion,
        reason = "the platforms differ in the types of these numbers"
    )]
    fn from(stat: &Stat) -> Self {
        let moment = |seconds, nanos| Moment { seconds, nanos };
        let mode = stat.st_mode as u32;
        Self {
            kind: Kind::from(FileType::from_raw_mode(stat.st_mode)),
            identity: Identity { device: stat.st_dev as u64, inode: stat.st_ino as u64 },
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: moment(stat.st_mtime as i64, u64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            changed: moment(stat.st_ctime as i64, u64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
            used_s: (stat.st_atime as i64).max(stat.st_mtime as i64),
            permissions: mode & PERMISSIONS,
            mode,
            owner: (stat.st_uid as u32, stat.st_gid as u32),
            links: stat.st_nlink as u64,
        }
    }
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Dir,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}
