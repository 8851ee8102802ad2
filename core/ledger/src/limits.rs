//! Every bound of the ledger, with its unit in the name. docs/limits.md and ARCHITECTURE.md list them.

use hydrant_lfs::text::limits::JSON_BYTES_MAX;

/// Bytes of a document such as `meta.json`.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;
/// Entries of a manifest's `files`.
pub const MANIFEST_FILES_MAX: usize = 4096;
/// Bytes of a file's name within a session.
pub const FILE_NAME_BYTES_MAX: usize = 1024;
/// Bytes of one component of a file name, as on common file systems.
pub const NAME_COMPONENT_BYTES_MAX: usize = 255;
/// Bytes of one line of a transcript that is parsed; a longer one counts as an entry.
pub const TRANSCRIPT_LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes of a file that is stored in git.
pub const IN_GIT_BYTES_MAX: usize = 1 << 20;
/// Bytes of a publish's journal.
pub const JOURNAL_BYTES_MAX: usize = JSON_BYTES_MAX;
/// Orphans in the register.
pub const ORPHANS_MAX: usize = 32_768;
/// Times the ledger is loaded again because somebody else changed what a publish replaces.
pub const LEDGER_CONFLICTS_MAX: u32 = 5;
/// Times a document of ours is read and written again because somebody else wrote it meanwhile.
pub const DOCUMENT_CONFLICTS_MAX: u32 = 8;
/// Files swapped at the same time.
pub const SWAPS_IN_FLIGHT_MAX: usize = 4;
/// Times a title is looked for before the session is given up; the ledger's first implementation uses the same number.
pub const SUMMARY_ATTEMPTS_MAX: u64 = 3;
/// Sessions in one report.
pub const SESSIONS_MAX: usize = 262_144;
/// Bytes of the manifests that a repair keeps in memory: those of sessions that lack a blob.
pub const REPAIR_BYTES_MAX: usize = 64 << 20;
/// Paths that a coverage report names.
pub const COVERED_PATHS_MAX: usize = 1024;
