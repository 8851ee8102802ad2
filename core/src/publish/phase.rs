//! The phases of a publish. The table is the crash argument: the simulation dies in every row of it.

/// How far a publish is.
///
/// | phase | holds on entry | if we die in it, the world is | the next run |
/// | --- | --- | --- | --- |
/// | hash | nothing written | unchanged | starts over |
/// | intend | oids and the ledger's base known; oids of an unfinished journal that the new one does not name go to the orphan register before that journal is replaced | unchanged | starts over |
/// | upload | the journal names the oids | maybe blobs without a reference, all named | starts over; the server says "have it" |
/// | bind | a receipt for every file | as before, until the journal holds receipts, base and the exact bytes to push; no tracked path was touched | starts over, or pushes these bytes |
/// | push | the journal holds the exact bytes | remote old or new; asked by content | pushes the same bytes, which changes nothing where they are |
/// | settle | the remote confirmed manifest and pointers | remote right, branch behind, tree as the user left it | settles |
/// | swap | branch, index entries of these paths and local manifest agree with the remote | content still in place, or already in the cache | swaps what still matches |
/// | done | every file still at its hashed state is a pointer; others are reported and left | journal there until every oid is referenced or registered | closes the journal |
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
    pub const ALL: [Phase; 8] = [
        Phase::Hash,
        Phase::Intend,
        Phase::Upload,
        Phase::Bind,
        Phase::Push,
        Phase::Settle,
        Phase::Swap,
        Phase::Done,
    ];

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
