//! What the user's settings say about the network.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::net::address::Reach;

/// Seconds a connection may take to be made.
const CONNECT_S_MAX: u64 = 30;

/// The way to the server of a URL. Asked once for each origin.
pub type WayTo = Arc<dyn Fn(&Url) -> Way + Send + Sync>;

/// What the user's settings say about the network.
#[derive(Clone)]
pub struct HttpOptions {
    /// Plain http to other machines is allowed.
    pub insecure_http: bool,
    /// The way to each server: git's `http.*`, `http.<url>.*` and their variables.
    pub way_to: WayTo,
    /// The user approved the endpoint: a client certificate goes there, and to no other server.
    pub endpoint_approved: bool,
    /// The endpoint itself may not be less public than this.
    pub endpoint_reach_min: Reach,
    /// Time a connection may take to be made.
    pub connect_timeout: Duration,
    /// Where git is asked for the password of a client certificate's key.
    pub work_dir: Option<PathBuf>,
}

/// Settings of the way to one server. Nothing prints them: the proxy's URL may hold a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Files of more certificates to trust there, in PEM: git's `http.sslCAInfo`.
    pub ca_files: Vec<PathBuf>,
    /// Folders of such files: git's `http.sslCAPath`.
    pub ca_folders: Vec<PathBuf>,
    /// The proxy: git's `http.proxy`. The empty text means none, nothing means the environment's.
    pub proxy: Option<String>,
    /// The certificate that shows who we are: git's `http.sslCert` and `http.sslKey`.
    pub certificate: Option<ClientCertificate>,
}

/// A client certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and those that lead to its authority.
    pub chain: PathBuf,
    /// Its key. It may be the same file.
    pub key: PathBuf,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            insecure_http: false,
            way_to: Arc::new(|_| Way::default()),
            endpoint_approved: false,
            endpoint_reach_min: Reach::Loopback,
            connect_timeout: Duration::from_secs(CONNECT_S_MAX),
            work_dir: None,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("insecure_http", &self.insecure_http)
            .field("endpoint_approved", &self.endpoint_approved)
            .field("endpoint_reach_min", &self.endpoint_reach_min)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}
