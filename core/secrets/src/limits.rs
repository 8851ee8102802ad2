//! The limits of a search. `docs/limits.md` explains each.

/// Bytes of a line at most: 32 MiB. A longer one cannot be checked, and is refused.
pub const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of lines that are joined because they tell a text piece by piece: 1 MiB. A secret over the end of a longer run
/// is looked for in each part.
pub const DELTAS_BYTES_MAX: usize = 1024 * 1024;
/// Rules that a repository adds, at most.
pub const ADDED_TOKENS_MAX: usize = 200;
/// Bytes of the pattern of such a rule at most.
pub const ADDED_PATTERN_BYTES_MAX: usize = 1024;
