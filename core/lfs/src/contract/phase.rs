//! The phases of a publish. The table is the crash argument: the simulation kills the process in every row.

/// How far a publish is.
///
/// | phase | holds on entry | if the process dies in it, the state is | the next run |
/// | --- | --- | --- | --- |
/// | hash | nothing is written | unchanged | starts over |
/// | intend | oids and the ledger's base are known | unchanged | starts over |
/// | upload | the journal names the oids | blobs without a reference, all named | starts over; the server has some |
/// | bind | a receipt for every file | the same; no tracked path was touched | starts over, or pushes |
/// | push | the journal holds the exact bytes | remote old or new; its content shows which | pushes the same bytes |
/// | settle | the remote has manifest and pointers | remote right, local branch behind | settles |
/// | swap | branch, index and manifest agree with it | content in place, or in the cache | swaps what still matches |
/// | done | each file is a pointer, or was left | a journal that is not needed | removes it |
///
/// In *intend*, oids of an unfinished journal that the new one does not name go to the orphan register before that
/// journal is replaced. *Bind* writes receipts, base and the exact bytes of the push into the journal, so that the next
/// run needs neither files nor server. A push of bytes that the remote already holds changes nothing. The journal is
/// removed when every oid in it is referenced or registered.
///
/// If the computer is lost in `upload`, its journal is lost, too; then only the server can find those blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Files are hashed, documents and ledger are read.
    Hash,
    /// The journal names what will be sent.
    Intend,
    /// Blobs go to the server.
    Upload,
    /// Receipts become manifest and pointers; the journal holds the exact bytes.
    Bind,
    /// The remote takes manifest and pointers.
    Push,
    /// The local branch, index and manifest follow.
    Settle,
    /// Pointers take the place of content.
    Swap,
    /// Orphans are registered and the journal is removed.
    Done,
}

impl Phase {
    /// All of them, in the order of a publish and of the WIT enum.
    pub const ALL: [Phase; 8] =
        [Phase::Hash, Phase::Intend, Phase::Upload, Phase::Bind, Phase::Push, Phase::Settle, Phase::Swap, Phase::Done];

    /// Its name in WIT and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Hash => "hash",
            Phase::Intend => "intend",
            Phase::Upload => "upload",
            Phase::Bind => "bind",
            Phase::Push => "push",
            Phase::Settle => "settle",
            Phase::Swap => "swap",
            Phase::Done => "done",
        }
    }
}
