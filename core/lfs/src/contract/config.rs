//! The settings of an operation. The host chooses them once, at the start.

use super::Login;
use super::request::bounded;
use crate::text::error::{Code, Error};
use crate::text::limits::{
    BATCH_OBJECTS_MAX, CHUNK_BYTES_MAX, CONFIG_MS_MAX, CONFIG_RETRIES_MAX, IDLE_MS_MAX, IN_FLIGHT_MAX, NAME_BYTES_MAX,
    OBJECT_BYTES_MAX, POINTER_BYTES_MAX, RETRIES_MAX, RETRY_DELAY_MS_MAX, TRANSFER_BYTES_PER_MS_MIN, TRANSFERS_MAX,
    WAIT_MS_MAX,
};
use crate::text::url::Url;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// The transfer adapter that every server and every client supports, and the only one implemented here.
pub(crate) const BASIC: &str = "basic";

/// Numbers that a host keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLimits {
    /// A file of fewer bytes could be a pointer.
    pub pointer_bytes_below: u32,
    /// Bytes of a chunk at most.
    pub chunk_bytes_max: u32,
    /// Bytes of a name at most.
    pub name_bytes_max: u32,
    /// Bytes of a file body that go out in a millisecond at least.
    pub sent_bytes_per_ms_min: u32,
}

impl HostLimits {
    /// Those of this version.
    pub const HERE: Self = Self {
        pointer_bytes_below: POINTER_BYTES_MAX as u32,
        chunk_bytes_max: CHUNK_BYTES_MAX as u32,
        name_bytes_max: NAME_BYTES_MAX as u32,
        sent_bytes_per_ms_min: TRANSFER_BYTES_PER_MS_MIN as u32,
    };
}

/// The configuration of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// URL of the LFS API, without userinfo.
    pub endpoint: String,
    /// Full name of the git reference to send to the server.
    pub reference: Option<String>,
    /// Transfer adapters to offer. Only `basic` is implemented.
    pub transfers: Vec<String>,
    /// 64 random bits, new for each operation: the jitter of retries and the ids of stages come from them.
    pub seed: u64,
    /// Transfers in flight at most; at most [`IN_FLIGHT_MAX`].
    pub in_flight_max: u32,
    /// Objects in a batch request at most; at most [`BATCH_OBJECTS_MAX`].
    pub batch_objects_max: u32,
    /// Bytes of an object at most.
    pub object_bytes_max: u64,
    /// Retries of one request or object at most.
    pub retries_max: u32,
    /// Milliseconds between retries at most.
    pub retry_delay_max: u64,
    /// Milliseconds that a server may ask us to wait at most.
    pub wait_max: u64,
    /// Milliseconds without a byte at most.
    pub idle_max: u64,
    /// The login to begin with: `Stored` if the user set one up for this server, else `None`.
    pub login: Login,
    /// False where the platform follows redirects without reporting them, as browsers do.
    pub reports_redirects: bool,
    /// Plain http to other machines is allowed.
    pub insecure_http: bool,
}

impl Config {
    /// The defaults, for this endpoint. The seed must be random: it decides the jitter of retries and the ids of
    /// stages.
    pub fn new(endpoint: impl Into<String>, seed: u64) -> Self {
        Self {
            endpoint: endpoint.into(),
            reference: None,
            transfers: vec![BASIC.to_owned()],
            seed,
            in_flight_max: IN_FLIGHT_MAX,
            batch_objects_max: BATCH_OBJECTS_MAX,
            object_bytes_max: OBJECT_BYTES_MAX,
            retries_max: RETRIES_MAX,
            retry_delay_max: RETRY_DELAY_MS_MAX,
            wait_max: WAIT_MS_MAX,
            idle_max: IDLE_MS_MAX,
            login: Login::None,
            reports_redirects: true,
            insecure_http: false,
        }
    }

    /// The same with every number in a range in which arithmetic on it is safe.
    pub(crate) fn clamped(self) -> Self {
        Self {
            object_bytes_max: self.object_bytes_max.min(i64::MAX as u64),
            retries_max: self.retries_max.min(CONFIG_RETRIES_MAX),
            retry_delay_max: self.retry_delay_max.min(CONFIG_MS_MAX),
            wait_max: self.wait_max.min(CONFIG_MS_MAX),
            idle_max: self.idle_max.clamp(1, CONFIG_MS_MAX),
            ..self
        }
    }

    /// The parsed endpoint, or why it may not be used. Checked before any login is attached.
    pub(crate) fn endpoint(&self) -> Result<Url, Error> {
        let names = self.transfers.iter().chain(&self.reference);
        bounded(0, names.map(String::as_str))?;
        if self.transfers.len() > TRANSFERS_MAX {
            return Err(Error::new(Code::Limit, format_args!("more than {TRANSFERS_MAX} transfers are offered")));
        }
        let Some(url) = Url::parse(&self.endpoint) else {
            return Err(Error::new(Code::Malformed, "the LFS server's address is not an absolute http or https URL"));
        };
        if url.userinfo.is_some() {
            return Err(Error::new(Code::Malformed, "the LFS server's address must come without user and password"));
        }
        if !url.secure && !url.is_loopback() && !self.insecure_http {
            return Err(Error::new(
                Code::Blocked,
                format_args!("plain http to {} is not allowed: use https", url.origin()),
            ));
        }
        Ok(url)
    }
}
