//! What is looked through of a container at most. `docs/limits.md` tells each.

/// Containers within each other.
pub(crate) const DEPTH_MAX: usize = 3;
/// Members of a file, those of the containers in it included: a count.
pub(crate) const MEMBERS_MAX: u64 = 100_000;
/// Bytes of a member's name.
pub(crate) const NAME_BYTES_MAX: usize = 4096;
/// Unpacked bytes of a file that are looked through however small it is: 256 MiB.
pub(crate) const UNPACKED_BYTES_FREE: u64 = 256 * 1024 * 1024;
/// Above that: unpacked bytes for each byte of the file.
pub(crate) const UNPACKED_RATIO_MAX: u64 = 200;
/// Bytes of zip archives in other containers, which are held in memory because they are read from their end: 64 MiB.
pub(crate) const HELD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes that a decoder looks back: 128 MiB, as much as `zstd` and `xz` use unless they are told otherwise.
pub(crate) const WINDOW_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Bytes of one value of a database: 64 MiB.
pub(crate) const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes that a compressed file or one member of a tar archive says of itself: 1 MiB.
pub(crate) const ASIDE_BYTES_MAX: usize = 1024 * 1024;

pub(super) fn too_many_members() -> String {
    format!("it has more than {MEMBERS_MAX} members: pack fewer of them into one file")
}

pub(super) fn long_name() -> String {
    format!("a member's name is longer than {NAME_BYTES_MAX} bytes")
}

pub(super) fn long_headers() -> String {
    format!("its headers are longer than {ASIDE_BYTES_MAX} bytes")
}
