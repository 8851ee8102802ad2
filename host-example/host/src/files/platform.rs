//! Small things that platforms do in ways of their own.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Access, Dir};

/// Where Linux names its boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Where Linux keeps the id of the machine.
const MACHINE_ID: &str = "/etc/machine-id";
/// Where the name of the machine stands.
const HOST_NAMES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];
/// Bytes of any of these at most.
const WORD_BYTES_MAX: u64 = 256;

/// Reads at a place, and leaves the file's own place as it is.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// The same until the buffer is full.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

/// A path as git prints it: its bytes.
pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes.to_vec()))
}

/// Whether a file can be run as a program.
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// Makes a folder that nobody else can look into, and its parents.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(path)
}

/// Makes a folder that nobody else can look into; an error when something stands there.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Number of the user as whom this process makes files.
pub(crate) fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens a file of ours to write, which is made when it is not there and that nobody else can read.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create(true).truncate(false), 0o600);
    options.open(path)
}

/// Moves a file to a name under which nothing stands; false when something does.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<bool> {
    let folder = |path: &Path| Dir::open(path.parent().unwrap_or(Path::new("/")), Access::Owner);
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    folder(from)?.rename_new(name(from).as_os_str(), &folder(to)?, name(to).as_os_str())
}

/// Whether a process of this number is gone. Where nobody may ask, it is not.
pub(crate) fn is_process_gone(number: i32) -> bool {
    let process = rustix::process::Pid::from_raw(number);
    process.is_some_and(|process| rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH))
}

/// The name of the running boot; none where the system has none.
pub(crate) fn boot() -> Option<String> {
    word_in(BOOT_ID)
}

/// What a file of the system holds, if it holds anything.
fn word_in(path: &str) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(WORD_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned()).filter(|word| !word.is_empty())
}

/// The id that the system gives this machine; none where it gives none.
pub(crate) fn machine_id() -> Option<String> {
    // A container may be made before it has one.
    word_in(MACHINE_ID).filter(|id| id != "uninitialized")
}

/// What this machine is called.
pub(crate) fn host_name() -> String {
    HOST_NAMES.into_iter().find_map(word_in).unwrap_or_else(|| "a machine without a name".to_owned())
}

/// Random bytes; none where there is no randomness yet.
pub fn random_bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).ok().map(|()| bytes)
}
