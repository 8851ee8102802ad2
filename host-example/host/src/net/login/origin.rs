//! An origin: what a login is bound to.

use std::fmt;

use reqwest::Url;

use crate::contract::error::HostError;

/// Scheme, host and port of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL in text.
    pub fn of_text(url: &str) -> Result<Origin, HostError> {
        Url::parse(url).map_err(|_| HostError::local("this is not a URL")).and_then(|url| Origin::of(&url))
    }

    /// The origin of a URL.
    pub fn of(url: &Url) -> Result<Origin, HostError> {
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            (scheme @ ("http" | "https"), Some(host), Some(port)) => {
                Ok(Origin { scheme: scheme.into(), host: host.to_ascii_lowercase(), port })
            }
            _ => Err(HostError::local("only http and https URLs have a login")),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}
