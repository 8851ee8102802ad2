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
    /// User and password.
    Basic(String, Secret),
    /// Headers a server handed out.
    Headers(Vec<(String, Secret)>),
}

impl Credential {
    /// The headers to add.
    pub(crate) fn headers(&self) -> Vec<(String, Secret)> {
        match self {
            Credential::Basic(user, password) => {
                let value = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())));
                vec![("authorization".into(), Secret::new(value))]
            }
            Credential::Headers(headers) => headers.clone(),
        }
    }
}

/// Percent-decoded text of a URL that may go into a credential: one line, nothing hidden.
pub(super) fn decoded(text: &str) -> Result<String, HostError> {
    let decoded = percent_decode_str(text).decode_utf8().ok().filter(|text| is_one_line(text));
    let decoded = decoded.ok_or_else(|| HostError::local("the login inside the URL cannot be read"))?;
    Ok(decoded.into_owned())
}

/// Nothing that could begin another line of a protocol.
pub(super) fn is_one_line(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}
