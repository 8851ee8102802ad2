//! The phases of a publish. The table is the crash argument: the simulation dies in every row of it.

/// How far a publish is.
///
/// | phase | holds on entry | if we die in it, the world is | the next run |
/// | --- | --- | --- | --- |
/// | hash | nothing is written | unchanged | starts over |
/// | intend | oids and the ledger's base are known | unchanged | starts over |
/// | upload | the journal names the oids | blobs without a reference, all named | starts over; "have it" |
/// | bind | a receipt for every file | the same; no tracked path was touched | starts over, or pushes |
/// | push | the journal holds the exact bytes | remote old or new, asked by content | pushes the same bytes |
/// | settle | the remote has manifest and pointers | remote right, branch behind | settles |
/// | swap | branch, index and manifest agree with it | content in place, or in the cache | swaps what still matches |
/// | done | each file is a pointer, or was left | a journal too much | closes it |
///
/// In *intend*, oids of an unfinished journal that the new one does not name go to the orphan register before that
/// journal is replaced. *Bind* writes receipts, base and the exact bytes of the push into it, so that the next run
/// needs neither files nor server. A push of bytes that the remote already holds changes nothing. The journal goes
/// when every oid in it is referenced or registered.
///
/// A machine that is lost in `upload` takes its journal along; such blobs only the server can find.
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
    /// The remote takes them.
    Push,
    /// Branch, index and manifest follow.
    Settle,
    /// Pointers take the place of content.
    Swap,
    /// Everything is where it belongs.
    Done,
}

impl Phase {
    /// The whole list, in the order in which a publish passes them and of the WIT enum.
    pub const ALL: [Phase; 8] =
        [Phase::Hash, Phase::Intend, Phase::Upload, Phase::Bind, Phase::Push, Phase::Settle, Phase::Swap, Phase::Done];

    /// The name every boundary uses.
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
