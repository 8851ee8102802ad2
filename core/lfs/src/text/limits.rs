//! Every bound of the transfers, with its unit in the name. docs/limits.md and ARCHITECTURE.md list them.

/// A pointer is shorter than this many bytes (git-lfs spec: "less than 1024"); at or above it a file is content.
pub const POINTER_BYTES_MAX: usize = 1024;
/// Bytes of an object unless configuration says otherwise: 5 GiB, as in the ledger's first implementation.
pub const OBJECT_BYTES_MAX: u64 = 5 << 30;
/// Bytes of a response that is read as JSON.
pub const JSON_BYTES_MAX: usize = 8 << 20;
/// Bytes read of the response to a failed transfer.
pub const ERROR_BYTES_MAX: usize = 64 << 10;
/// Values in one JSON text: deep nests of small arrays take fifty times their bytes in memory.
pub const JSON_VALUES_MAX: usize = 512 << 10;
/// Nesting of JSON arrays and objects.
pub const JSON_DEPTH_MAX: usize = 64;
/// Bytes of a name that a caller gives: of an object, a file, a session, a path, a git reference.
pub const NAME_BYTES_MAX: usize = 4096;
/// Bytes of one chunk of a reply: every copy into the sandbox stays short.
pub const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Transfer adapters that configuration may offer.
pub const TRANSFERS_MAX: usize = 16;
/// Objects or files in one operation.
pub const WANTS_MAX: usize = 65_536;
/// Objects in one batch request; git-lfs uses the same number.
pub const BATCH_OBJECTS_MAX: u32 = 100;
/// Batch requests in flight: the next ones are sent while earlier objects are transferred.
pub const BATCHES_IN_FLIGHT_MAX: usize = 3;
/// Oids in a response that were not asked for: at most this many are reported.
pub const UNKNOWN_OIDS_MAX: usize = 16;
/// Transfers in flight.
pub const IN_FLIGHT_MAX: u32 = 32;
/// Transfers in flight while the server is near.
pub const IN_FLIGHT_NEAR_MAX: usize = 8;
/// Transfers of large objects in flight, near or far.
pub const IN_FLIGHT_LARGE_MAX: usize = 8;
/// An object of at least this many bytes is large.
pub const LARGE_BYTES_MIN: u64 = 1 << 20;
/// A server is far when its quickest response took longer than this.
pub const NEAR_ROUND_TRIP_MS_MAX: u64 = 5;
/// Cache lookups in flight.
pub const CHECKS_IN_FLIGHT_MAX: usize = 64;
/// Files read for hashing at the same time.
pub const READS_IN_FLIGHT_MAX: usize = 4;
/// Retries of one request or object.
pub const RETRIES_MAX: u32 = 8;
/// First delay between retries; it doubles.
pub const RETRY_DELAY_MS_MIN: u64 = 250;
/// Longest delay between retries.
pub const RETRY_DELAY_MS_MAX: u64 = 10_000;
/// Longest wait that a server may ask for.
pub const WAIT_MS_MAX: u64 = 300_000;
/// Retries that configuration may allow.
pub const CONFIG_RETRIES_MAX: u32 = 1000;
/// Milliseconds that configuration may set for any wait: a day.
pub const CONFIG_MS_MAX: u64 = 86_400_000;
/// Times a refused login is renewed in one operation.
pub const LOGIN_RENEWALS_MAX: u32 = 3;
/// Times one object's action may be refused with 401 or 403 before the object fails.
pub const ACTION_REFUSALS_MAX: u32 = 2;
/// Redirects of one request.
pub const REDIRECTS_MAX: u32 = 3;
/// Times bytes of the wrong digest are fetched before the object fails.
pub const WRONG_BYTES_MAX: u32 = 2;
/// An action that ends within this time is treated as ended.
pub const EXPIRY_MARGIN_MS: u64 = 5_000;
/// Milliseconds without a byte.
pub const IDLE_MS_MAX: u64 = 30_000;
/// Milliseconds for one response that is read as JSON, from request to end.
pub const ANSWER_MS_MAX: u64 = 120_000;
/// Milliseconds for one transfer, to which time for its size is added.
pub const TRANSFER_MS_MAX: u64 = 300_000;
/// Bytes a millisecond: the size of a transfer divided by this is added to `TRANSFER_MS_MAX`.
pub const TRANSFER_BYTES_PER_MS_MIN: u64 = 4;
/// Milliseconds between two notes of progress of one object.
pub const NOTE_MS_MIN: u64 = 100;
/// Bytes of an error's sentence.
pub const DETAIL_BYTES_MAX: usize = 512;
/// Bytes quoted of a server's message.
pub const QUOTE_BYTES_MAX: usize = 200;
/// Bytes of a URL.
pub const URL_BYTES_MAX: usize = 16 << 10;
/// Headers of one action.
pub const ACTION_HEADERS_MAX: usize = 64;
/// Bytes of one header's name and value.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Bytes of a lock's id or of a cursor.
pub const LOCK_ID_BYTES_MAX: usize = 1024;
/// Pages of a lock listing.
pub const LOCK_PAGES_MAX: u32 = 1000;
/// Locks in one listing.
pub const LOCKS_MAX: usize = 65_536;
