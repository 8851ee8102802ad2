//! What the tasks of all effects share: the means of this host, and nothing about any one operation.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::files::Files;
use crate::http::{Http, Turns};
use crate::lanes::Lanes;
use crate::login::Logins;
use crate::store::Store;

/// The means effects are performed with; what was not granted is none.
pub(crate) struct Shared {
    pub(crate) store: Option<RefCell<Store>>,
    pub(crate) files: Option<Files>,
    pub(crate) documents: Option<Files>,
    pub(crate) http: Http,
    pub(crate) logins: Arc<Mutex<Logins>>,
    pub(crate) lanes: Lanes,
    pub(crate) turns: Turns,
}
