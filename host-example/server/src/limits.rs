//! Every bound of the server in one place, the unit in each name. Nothing a client sends can grow past these.

/// Largest object the server takes: the same 5 GiB the engine allows by default.
pub(super) const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Most objects in one batch request; more is answered 413, and a client halves.
pub(super) const BATCH_OBJECTS_MAX: usize = 1_000;
/// Largest JSON body of any request.
pub(super) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// Largest body of a verify request, which is read before anybody is let in: it names one object.
pub(super) const VERIFY_BYTES_MAX: usize = 4 * 1024;
/// Longest time a JSON body may take to arrive.
pub(super) const JSON_S_MAX: u64 = 60;
/// Longest repository path in an address, after decoding.
pub(super) const REPOSITORY_BYTES_MAX: usize = 1024;
/// How much of a refused body is still read, so that the client sees the answer rather than a reset.
pub(super) const DRAIN_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long the server reads on for that.
pub(super) const DRAIN_MS_MAX: u64 = 2_000;

/// Piece in which a blob is read from disk and handed to the socket.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

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
/// Largest lock file; a lock that would make it larger is refused.
pub(super) const LOCK_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest name of a lock's owner.
pub(super) const OWNER_BYTES_MAX: usize = 256;

/// Connections served at a time; the next ones wait in the listener's queue.
pub(super) const CONNECTIONS_MAX: usize = 256;
/// Streams at a time on one HTTP/2 connection.
pub(super) const STREAMS_MAX: u32 = 64;
/// Largest request head.
pub(super) const HEADER_BYTES_MAX: u32 = 64 * 1024;
/// Longest time a request head may take to arrive.
pub(super) const HEADER_S_MAX: u64 = 30;
/// A connection without a byte in either direction for this long is closed.
pub(super) const IDLE_S_MAX: u64 = 60;
/// HTTP/2 flow-control window: what an upload may have in flight before it is read.
pub(super) const WINDOW_BYTES: u32 = 1024 * 1024;
/// How long a stop waits for answers under way.
pub(super) const STOP_MS_MAX: u64 = 2_000;
/// Pause after a failed accept (for example: no file descriptor left).
pub(super) const ACCEPT_PAUSE_MS: u64 = 50;
/// Threads of a spawned server that sync files to disk.
pub(super) const SYNC_THREADS_MAX: usize = 4;

/// How long an action stays valid unless the configuration says otherwise.
pub(super) const ACTION_LIFE_S_DEFAULT: u64 = 3_600;
