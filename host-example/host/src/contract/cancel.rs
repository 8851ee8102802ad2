//! How a caller ends what runs.
//!
//! Rule: what runs ends in good order. It says what is done, and a later run goes on from there.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::contract::error::HostError;

/// Ends what runs, in good order. Clones are one and the same, in any thread.
#[derive(Clone)]
pub struct Cancel(Arc<Inner>);

struct Inner {
    asked: watch::Sender<bool>,
    arm: Mutex<Option<Arm>>,
}

/// Begins to listen for the wish to stop.
type Arm = Box<dyn FnOnce(Cancel) -> io::Result<()> + Send>;

impl Cancel {
    /// Nobody asked yet.
    pub fn new() -> Self {
        Self(Arc::new(Inner { asked: watch::Sender::new(false), arm: Mutex::new(None) }))
    }

    /// The same; `arm` is called once, when the first thing runs that can be ended: a program takes its signals over
    /// then, and not before.
    pub fn armed_by(arm: impl FnOnce(Cancel) -> io::Result<()> + Send + 'static) -> Self {
        Self(Arc::new(Inner { asked: watch::Sender::new(false), arm: Mutex::new(Some(Box::new(arm))) }))
    }

    /// Asks to stop. True when somebody asked before.
    pub fn cancel(&self) -> bool {
        self.0.asked.send_replace(true)
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.0.asked.borrow()
    }

    /// From now on somebody reacts to the wish.
    pub fn listen(&self) -> Result<Cancelled, HostError> {
        let arm = self.0.arm.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(arm) = arm {
            arm(self.clone()).map_err(|error| HostError::io("signals cannot be received", &error))?;
        }
        Ok(Cancelled { asked: self.0.asked.subscribe(), told: false })
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

/// One party that waits for the wish to stop.
pub struct Cancelled {
    asked: watch::Receiver<bool>,
    told: bool,
}

impl Cancelled {
    /// Waits for the wish, which may be an old one. It is told once.
    pub async fn next(&mut self) {
        if !self.told && self.asked.wait_for(|asked| *asked).await.is_ok() {
            self.told = true;
            return;
        }
        std::future::pending().await
    }
}
