//! A login, and what may become one.
//!
//! Rule: nothing that could begin another line of a protocol gets into a login.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use percent_encoding::percent_decode_str;

use crate::contract::error::HostError;
use crate::net::secret::Secret;

/// A login, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// User and password: bytes, which need not be text.
    Basic(Vec<u8>, Secret),
    /// Headers as somebody gave them.
    Headers(Vec<(String, Secret)>),
}

impl Credential {
    /// The headers to add.
    pub(crate) fn headers(&self) -> Vec<(String, Secret)> {
        match self {
            Credential::Basic(user, password) => {
                let login = STANDARD.encode([user, b":".as_slice(), password.expose()].concat());
                vec![(AUTHORIZATION.into(), Secret::new(format!("Basic {login}")))]
            }
            Credential::Headers(headers) => headers.clone(),
        }
    }
}

/// The header that holds a login.
pub(super) const AUTHORIZATION: &str = "authorization";

/// Percent-decoded bytes of a URL that may go into a credential: one line, nothing hidden.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, HostError> {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    let unreadable = || HostError::local("the login inside the URL cannot be read");
    Some(decoded).filter(|bytes| is_one_line(bytes)).ok_or_else(unreadable)
}

/// Nothing that could begin another line of a protocol.
pub(super) fn is_one_line(bytes: impl AsRef<[u8]>) -> bool {
    !bytes.as_ref().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
