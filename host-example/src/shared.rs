//! What the tasks of all effects share: the means of this host, and nothing about any one operation.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::documents::Documents;
use crate::files::Files;
use crate::http::{Http, Turns};
use crate::lanes::Lanes;
use crate::login::Logins;
use crate::remote_ledger::RemoteLedger;
use crate::store::Store;
use crate::swap::Aside;

/// The means effects are performed with; what was not granted is none.
pub(crate) struct Shared {
    pub(crate) store: Option<RefCell<Store>>,
    pub(crate) files: Option<Files>,
    pub(crate) documents: Option<Documents>,
    pub(crate) ledger: Option<RemoteLedger>,
    /// Made with the first swap.
    pub(crate) aside: OnceCell<Arc<Aside>>,
    pub(crate) http: Http,
    pub(crate) logins: Arc<Mutex<Logins>>,
    pub(crate) lanes: Lanes,
    pub(crate) turns: Turns,
}

impl Shared {
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
