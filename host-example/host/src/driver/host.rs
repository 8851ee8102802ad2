//! The host of one run: where blobs lie, which files may be read, which server may be asked, with which logins.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use reqwest::Url;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use crate::contract::cancel::Cancel;
use crate::contract::error::HostError;
use crate::contract::words::OfServer;
use crate::documents::Documents;
use crate::driver::shared::Shared;
use crate::files::Files;
use crate::files::workers::Workers;
use crate::gate::Gate;
use crate::net::http::{Http, HttpOptions, StageRights};
use crate::net::login::{Logins, Spoken};
use crate::remote::RemoteLedger;
use crate::store::Store;

/// Everything effects are performed with.
pub struct Host {
    pub(crate) shared: Rc<Shared>,
    pub(crate) cancel: Cancel,
    pub(crate) interrupted: Cell<bool>,
    runtime: Option<Rc<Runtime>>,
}

impl Host {
    /// Begins with a host that can do nothing.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// A report of the engine in which no server says a login of the user's.
    pub(crate) fn heard<R: OfServer>(&self, mut report: R) -> R {
        report.each_words(&mut |words| {
            if let Cow::Owned(clean) = self.shared.spoken.cut(words) {
                *words = clean;
            }
        });
        report
    }

    /// Whether the user asked to stop while an operation was driven.
    pub fn interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// Whether bytes of a file were ever on their way to a server.
    pub(crate) fn has_sent(&self) -> bool {
        self.shared.has_sent.get()
    }

    /// Revision of the journal that an operation began, where there was none before. One that took the place of another
    /// may name what somebody else sent.
    pub(crate) fn begun(&self) -> Option<String> {
        self.shared.begun.borrow().clone()
    }

    /// The store, between operations.
    pub fn store_mut(&self) -> Option<RefMut<'_, Store>> {
        self.shared.store.as_ref().map(RefCell::borrow_mut)
    }

    /// The loop that owns store and sockets: one thread, made with the first operation and kept with its connections.
    pub(crate) fn runtime(&mut self) -> Result<Rc<Runtime>, HostError> {
        if self.runtime.is_none() {
            let made = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| HostError::io("the loop cannot start", &error))?;
            self.runtime = Some(Rc::new(made));
        }
        self.runtime.clone().ok_or_else(|| HostError::local("the loop cannot start"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // A prompt of git's that nobody answers must not hold up the end of the program.
        if let Some(runtime) = self.runtime.take().and_then(Rc::into_inner) {
            runtime.shutdown_background();
        }
    }
}

/// Grants a host what it needs, one thing at a time.
#[derive(Default)]
pub struct HostBuilder {
    endpoint: Option<String>,
    store: Option<Store>,
    files: Option<Files>,
    documents: Option<Documents>,
    ledger: Option<RemoteLedger>,
    gate: Option<Rc<Gate>>,
    logins: Option<Logins>,
    http: HttpOptions,
    cancel: Cancel,
}

impl HostBuilder {
    /// The server this run starts from, without userinfo: no request leads to a less public address.
    pub fn endpoint(mut self, url: &str) -> Self {
        self.endpoint = Some(url.to_owned());
        self
    }

    /// Where blobs lie.
    pub fn store(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Files that may be read and uploaded.
    pub fn files(mut self, files: Files) -> Self {
        self.files = Some(files);
        self
    }

    /// The documents of the ledger. Files beneath its root are its documents to read.
    pub fn documents(mut self, documents: impl Into<Documents>) -> Self {
        self.documents = Some(documents.into());
        self
    }

    /// The ledger's remote, and the branch, index and files here that follow it.
    pub fn ledger(mut self, ledger: RemoteLedger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// What looks for secrets in everything that goes out; none where nothing of a session does.
    pub(crate) fn gate(mut self, gate: Option<Rc<Gate>>) -> Self {
        self.gate = gate;
        self
    }

    /// Logins, and the origins that may get them.
    pub fn logins(mut self, logins: Logins) -> Self {
        self.logins = Some(logins);
        self
    }

    /// What ends an operation that runs.
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Settings of the network.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// The host.
    pub fn build(self) -> Result<Host, HostError> {
        let endpoint = match &self.endpoint {
            Some(text) => Some(Url::parse(text).map_err(|_| HostError::local("the endpoint is not a URL"))?),
            None => None,
        };
        let logins = self.logins.unwrap_or_default();
        let shared = Shared {
            store: self.store.map(RefCell::new),
            files: self.files,
            documents: self.documents,
            ledger: self.ledger,
            gate: self.gate,
            aside: OnceCell::new(),
            has_sent: Cell::new(false),
            begun: RefCell::default(),
            http: Http::new(endpoint.as_ref(), self.http)?,
            own_headers: logins.own_headers(),
            logins: Arc::new(Mutex::new(logins)),
            spoken: Spoken::default(),
            workers: Workers::default(),
            stage_rights: StageRights::default(),
        };
        Ok(Host { shared: Rc::new(shared), cancel: self.cancel, interrupted: Cell::new(false), runtime: None })
    }
}
