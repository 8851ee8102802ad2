//! Ctrl-C and its kin: asked once, what runs stops in good order; asked twice, the process ends.
//!
//! The rule it keeps: once this program has taken the signals over, it never swallows one. One thread of its own
//! listens for the whole life of the process, so the second wish is granted whatever the others are doing.

use std::process;
use std::sync::mpsc::{self, Sender};
use std::{io, thread};

use hydrant_host::contract::cancel::Cancel;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::ending::Ending;

/// Takes the signals over, for the rest of the process. Returns when they are listened for.
pub(crate) fn take_over(cancel: Cancel) -> io::Result<()> {
    let (ready, listening) = mpsc::channel();
    thread::Builder::new().name("signals".into()).spawn(move || {
        if let Err(error) = listen(&cancel, &ready) {
            ready.send(Err(error)).ok();
        }
    })?;
    listening.recv().map_err(|_| io::Error::other("the listening thread ended"))?
}

fn listen(cancel: &Cancel, ready: &Sender<io::Result<()>>) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Who started this thread waits for this word.
        ready.send(Ok(())).ok();
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if cancel.cancel() {
                process::exit(Ending::Interrupted as i32);
            }
        }
    })
}
