//! What the tasks of all effects share: the means of this host, and nothing about any one operation.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::documents::Documents;
use crate::files::digest::is_oid;
use crate::files::workers::Workers;
use crate::files::{Files, Opened};
use crate::gate::Gate;
use crate::net::http::{Http, StageRights};
use crate::net::login::{Logins, OwnHeaders, Spoken};
use crate::remote::RemoteLedger;
use crate::store::Store;
use crate::worktree::swap::Aside;

/// The means effects are performed with; what was not granted is none.
pub(crate) struct Shared {
    pub(crate) store: Option<RefCell<Store>>,
    pub(crate) files: Option<Files>,
    pub(crate) documents: Option<Documents>,
    pub(crate) ledger: Option<RemoteLedger>,
    /// What looks at everything that goes out; none where nothing of a session does.
    pub(crate) gate: Option<Rc<Gate>>,
    /// Made with the first swap.
    pub(crate) aside: OnceCell<Arc<Aside>>,
    /// Bytes of a file were on their way to a server, whatever became of them.
    pub(crate) has_sent: Cell<bool>,
    /// Revision of the journal that was begun where there was none.
    pub(crate) begun: RefCell<Option<String>>,
    pub(crate) http: Http,
    pub(crate) logins: Arc<Mutex<Logins>>,
    pub(crate) own_headers: OwnHeaders,
    /// The logins that were sent.
    pub(crate) spoken: Spoken,
    pub(crate) workers: Workers,
    pub(crate) stage_rights: StageRights,
}

/// Begins the names of blobs of the cache.
pub(crate) const CACHED: &str = "cache/";

impl Shared {
    /// Opens what the engine names: a blob of the store, or a file that was granted. A store's names lead to no file of
    /// a work tree, whatever stands there.
    pub(crate) fn open(&self, name: &str) -> io::Result<Option<Opened>> {
        match (cached(name), &self.store) {
            (Some(oid), Some(store)) => store.borrow().open_entry(oid),
            _ => self.files_of(name).ok_or_else(|| io::Error::other("this command reads no files"))?.open(name),
        }
    }

    /// The files among which a name lies; none for a blob of the store. Without a store only the user's own word makes
    /// such a name a file.
    pub(crate) fn files_of(&self, name: &str) -> Option<&Files> {
        let files = self.files.as_ref()?;
        (cached(name).is_none() || (self.store.is_none() && files.is_listed(name))).then_some(files)
    }

    /// Where the store takes what is displaced; none when the store is not one that does.
    pub(crate) fn aside(&self) -> io::Result<Option<Arc<Aside>>> {
        if let Some(aside) = self.aside.get() {
            return Ok(Some(Arc::clone(aside)));
        }
        let Some(store) = &self.store else { return Ok(None) };
        let store = store.borrow();
        let Some(root) = store.root() else { return Ok(None) };
        let aside = Arc::new(Aside::open(root)?);
        Ok(Some(Arc::clone(self.aside.get_or_init(|| aside))))
    }
}

/// The oid of a blob that is named.
fn cached(name: &str) -> Option<&str> {
    name.strip_prefix(CACHED).filter(|oid| is_oid(oid))
}
