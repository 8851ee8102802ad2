//! What this server asks the system for in ways that platforms have of their own.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Reads at a place until the buffer is full, and leaves the file's own place as it is.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(buffer, at)
}

/// Makes a folder and its parents, for the owner alone.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file to write that the owner alone can read.
pub(crate) fn private_file(path: &Path, how: &mut OpenOptions) -> io::Result<File> {
    how.write(true).mode(0o600).open(path)
}

/// Opens a file to read; a symlink at its end is refused.
pub(crate) fn open_no_link(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

/// Opens a file to read, and waits for nobody: what is no file may have nobody at its other end.
pub(crate) fn open_at_once(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// Whether the file belongs to the user who runs this program, or to the system.
pub(crate) fn is_ours(found: &Metadata) -> bool {
    found.uid() == 0 || found.uid() == rustix::process::geteuid().as_raw()
}

/// Whether users who have nothing to do with the file may read it.
pub(crate) fn is_open_to_all(found: &Metadata) -> bool {
    found.mode() & 0o004 != 0
}
