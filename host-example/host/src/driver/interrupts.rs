//! Ctrl-C and its kin: asked once, what runs stops in good order; asked twice, the process ends.
//!
//! The rule it keeps: once this program has taken the signals over, it never swallows one. One thread of its own
//! listens for the whole life of the process, so the second wish is granted whatever the others are doing.

use std::process;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::{io, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::HostError;

/// Exit code of a process the user interrupted.
const EXIT_INTERRUPTED: i32 = 130;

/// What the listening thread tells, once there is one.
static ASKED: Mutex<Option<watch::Receiver<bool>>> = Mutex::new(None);

/// Whether the user asked to stop. Signals count from the first `Interrupts::listen` on.
pub fn interrupted() -> bool {
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    asked.as_ref().is_some_and(|asked| *asked.borrow())
}

/// One party that wants to hear of the user's wish to stop.
pub struct Interrupts {
    asked: watch::Receiver<bool>,
    told: bool,
}

impl Interrupts {
    /// Takes the signals over, for the rest of the process.
    pub fn listen() -> Result<Self, HostError> {
        let mut held = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = match &*held {
            Some(asked) => asked.clone(),
            None => {
                let started = start().map_err(|error| HostError::io("signals cannot be received", &error))?;
                held.insert(started).clone()
            }
        };
        Ok(Self { asked, told: false })
    }

    /// Waits for the wish to stop, which may be an old one. It is told once.
    pub async fn next(&mut self) {
        // The sender lives as long as the process.
        if !self.told && self.asked.wait_for(|asked| *asked).await.is_ok() {
            self.told = true;
            return;
        }
        std::future::pending().await
    }
}

/// Starts the listening thread and returns when it listens.
fn start() -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let (ready, listening) = mpsc::channel();
    thread::Builder::new().name("interrupts".into()).spawn(move || {
        if let Err(error) = listen(&sender, &ready) {
            ready.send(Err(error)).ok();
        }
    })?;
    let gone = |_| io::Error::other("the listening thread ended");
    listening.recv().map_err(gone)?.map(|()| receiver)
}

fn listen(asked: &watch::Sender<bool>, ready: &Sender<io::Result<()>>) -> io::Result<()> {
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
            if asked.send_replace(true) {
                process::exit(EXIT_INTERRUPTED);
            }
        }
    })
}
