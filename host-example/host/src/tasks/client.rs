//! What all tasks of one caller share.

use std::cell::{OnceCell, RefCell, RefMut};
use std::sync::Arc;

use crate::contract::cancel::Cancel;
use crate::contract::error::HostError;
use crate::driver::{Unwatched, Watch};
use crate::engine::{Engine, Guest};
use crate::net::login::{Approver, LoginSource, Question};
use crate::net::secret::Secret;

/// The engine, who looks on, what ends a task, and who answers questions. Make one and keep it.
///
/// A new one shows nothing, says no to every question, and gets logins where git gets them. Its tasks return when they
/// are done, and each has a loop of its own: an async program calls them from a thread that may wait.
pub struct Client {
    engine: OnceCell<Engine>,
    watch: RefCell<Box<dyn Watch>>,
    pub(crate) cancel: Cancel,
    pub(crate) approver: Arc<dyn Approver>,
    pub(crate) login_source: Option<LoginSource>,
}

impl Client {
    /// A client that shows nothing and says no to every question.
    pub fn new() -> Self {
        Self {
            engine: OnceCell::new(),
            watch: RefCell::new(Box::new(Unwatched)),
            cancel: Cancel::new(),
            approver: Arc::new(Denies),
            login_source: None,
        }
    }

    /// Who looks on, for a progress bar or a log.
    pub fn watch(self, watch: impl Watch + 'static) -> Self {
        Self { watch: RefCell::new(Box::new(watch)), ..self }
    }

    /// What ends a task that runs.
    pub fn cancel(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// Who decides where only a commit names the server. A function will do.
    pub fn approver(self, approver: impl Approver + 'static) -> Self {
        Self { approver: Arc::new(approver), ..self }
    }

    /// Where a login comes from, before git's credential helpers are asked.
    pub fn login_source(self, source: impl Fn(&str) -> Option<(String, Secret)> + Send + Sync + 'static) -> Self {
        Self { login_source: Some(Arc::new(source)), ..self }
    }

    /// The engine. It is loaded when the first task needs it.
    pub fn engine(&self) -> Result<&Engine, HostError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::load()?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// A fresh sandbox.
    pub fn guest(&self) -> Result<Guest, HostError> {
        self.engine()?.guest()
    }

    /// What ends a task that runs.
    pub fn cancellation(&self) -> &Cancel {
        &self.cancel
    }

    pub(crate) fn watching(&self) -> RefMut<'_, Box<dyn Watch>> {
        self.watch.borrow_mut()
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// Says no.
struct Denies;

impl Approver for Denies {
    fn approve(&self, _place: &str, _question: Question) -> bool {
        false
    }
}
