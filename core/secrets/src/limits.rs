//! The limits of a search. `docs/limits.md` explains each.

/// Bytes of a line at most: 32 MiB. A longer one cannot be checked, and is refused.
pub const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
