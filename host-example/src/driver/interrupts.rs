//! Ctrl-C and its kin: asked once, an operation stops in good order; asked twice, the process ends.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::HostError;

/// Exit code of a process the user interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// Ctrl-C and its kin: the first asks the operation to stop, the second ends the process.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    asked: bool,
}

impl Interrupts {
    /// Takes the signals over from here on.
    pub(super) fn listen() -> Result<Self, HostError> {
        let listen = |kind| signal(kind).map_err(|error| HostError::io("signals cannot be received", &error));
        Ok(Interrupts {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            asked: false,
        })
    }

    /// The next wish to stop; the second one is granted here.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        if self.asked {
            process::exit(EXIT_INTERRUPTED);
        }
        self.asked = true;
    }
}
