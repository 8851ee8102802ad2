//! Every bound of the server in one place. Nothing a client sends can grow past these.
//!
//! What depends on the place where a server stands is a `Limits`, which its configuration carries; the rest are
//! constants, the unit in each name.

use std::time::Duration;

/// How much of the server its callers may use at once, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. When they run out, strangers go first, and then whoever asks nothing.
    pub connections_max: usize,
    /// Connections of one address that showed no valid login yet. One more, and the oldest of them go, as many as are
    /// too many. Fresh ones stay, so there may be more for that long.
    pub strangers_per_address_max: usize,
    /// Nobody is asked to go for another's sake before this time: a request that was sent at once is heard.
    pub fresh: Duration,
    /// A connection must have been let in by a request this long after it was opened, whatever bytes it sends.
    pub head: Duration,
    /// A connection that was let in is closed after this time without a request, or within one without progress.
    pub idle: Duration,
    /// Longest time a JSON body may take to arrive.
    pub json: Duration,
    /// Longest time a request waits for memory or an unread body is read on after a refusal.
    pub patience: Duration,
    /// How long a stop waits for answers under way.
    pub stop: Duration,
    /// What requests of all connections may hold in memory together: bodies, answers, pieces of blobs.
    pub memory_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 256,
            strangers_per_address_max: 64,
            fresh: Duration::from_millis(250),
            head: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            json: Duration::from_secs(60),
            patience: Duration::from_secs(2),
            stop: Duration::from_secs(2),
            memory_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// Largest object the server takes: the same 5 GiB the engine allows by default.
pub(super) const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Most objects in one batch request; more is answered 413, and a client halves.
pub(super) const BATCH_OBJECTS_MAX: usize = 1_000;
/// Largest JSON body of any request.
pub(super) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// Most values in a JSON body: a value takes many times the memory of its text.
pub(super) const JSON_VALUES_MAX: usize = 50_000;
/// Largest body of a verify request, which names one object.
pub(super) const VERIFY_BYTES_MAX: usize = 4 * 1024;
/// Longest repository path in an address, after decoding.
pub(super) const REPOSITORY_BYTES_MAX: usize = 1024;
/// How much of a refused body is still read, so that the client sees the answer rather than a reset.
pub(super) const DRAIN_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Piece in which a blob is read from disk and handed to the socket.
pub(super) const PIECE_BYTES: usize = 64 * 1024;
/// First piece on an HTTP/2 stream, whose window may be closed.
pub(super) const FIRST_PIECE_BYTES: usize = 1024;
/// Step in which a body that arrives takes memory.
pub(super) const BODY_STEP_BYTES: usize = 16 * 1024;
/// Answers up to this length are not counted: their number is bounded by connections and streams.
pub(super) const UNCOUNTED_BYTES_MAX: usize = 1024;

/// Locks held by all repositories together.
pub(super) const LOCKS_MAX: usize = 10_000;
/// Longest locked path.
pub(super) const LOCK_PATH_BYTES_MAX: usize = 4096;
/// Longest ref name kept with a lock.
pub(super) const REF_BYTES_MAX: usize = 1024;
/// Locks on a page when the client names no limit.
pub(super) const LOCKS_PAGE_DEFAULT: usize = 100;
/// Most locks on a page.
pub(super) const LOCKS_PAGE_MAX: usize = 1_000;
/// Largest answer about one lock: its path, every byte of it escaped, and its owner, twice.
pub(super) const LOCK_ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Largest lock file; a lock that would make it larger is refused.
pub(super) const LOCK_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest name of a lock's owner.
pub(super) const OWNER_BYTES_MAX: usize = 256;

/// Largest file of a token.
pub(super) const TOKEN_FILE_BYTES_MAX: u64 = 4 * 1024;

/// Streams at a time on one HTTP/2 connection.
pub(super) const STREAMS_MAX: u32 = 32;
/// Largest request head of HTTP/1.1. It is also the largest buffer of such a connection.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Largest list of headers of HTTP/2, where one connection may bring many at once.
pub(super) const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// HTTP/2 flow-control window of a stream and of a connection: what may arrive before it is read.
pub(super) const WINDOW_BYTES: u32 = 256 * 1024;
/// Pause after a failed accept (for example: no file descriptor left).
pub(super) const ACCEPT_PAUSE_MS: u64 = 50;
/// Threads of a spawned server that sync files to disk.
pub(super) const SYNC_THREADS_MAX: usize = 4;

/// How long an action stays valid unless the configuration says otherwise.
pub(super) const ACTION_LIFE_S_DEFAULT: u64 = 3_600;
