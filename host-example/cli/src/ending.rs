//! How a command ends: the exit codes.

use hydrant_host::contract::error::{Fault, FaultKind};

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Everything that was asked for is done.
    Done = 0,
    /// Some objects failed; the report names them.
    SomeFailed = 1,
    /// The command line or the place it was called from makes no sense.
    Misuse = 2,
    /// The operation as a whole failed.
    Failed = 3,
    /// Ended by the user; the next run goes on.
    Interrupted = 130,
}

impl Ending {
    /// The exit code of a command that could not go on.
    pub(crate) fn of(fault: &Fault) -> Self {
        match fault.kind {
            FaultKind::Part => Self::SomeFailed,
            FaultKind::Misuse => Self::Misuse,
            FaultKind::Whole => Self::Failed,
            FaultKind::Interrupted => Self::Interrupted,
        }
    }
}
