//! User and password in a URL.

use reqwest::Url;

use super::credential::decoded;
use crate::contract::error::HostError;

/// A URL, and what stood in it for a login.
pub(crate) struct Split {
    /// Without its userinfo.
    pub(crate) url: String,
    /// An empty one is none.
    pub(crate) user: Option<Vec<u8>>,
    /// An empty one is one.
    pub(crate) password: Option<Vec<u8>>,
}

impl Split {
    pub(crate) fn of(url: &str) -> Result<Self, HostError> {
        let mut parsed = Url::parse(url).map_err(|_| HostError::local("the endpoint is not a URL"))?;
        let user = Some(decoded(parsed.username())?).filter(|user| !user.is_empty());
        let mut password = parsed.password().map(decoded).transpose()?;
        if password.is_none() && user.is_some() && has_colon(url) {
            password = Some(Vec::new());
        }
        if user.is_none() && password.is_none() {
            return Ok(Self { url: url.to_owned(), user, password });
        }
        let cannot = |()| HostError::local("the login cannot be taken out of this URL");
        parsed.set_username("").map_err(cannot)?;
        parsed.set_password(None).map_err(cannot)?;
        Ok(Self { url: parsed.into(), user, password })
    }
}

/// Whether the userinfo of a URL that has one holds a colon: a parsed URL does not tell of an empty password.
fn has_colon(url: &str) -> bool {
    let authority = url.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(userinfo, _)| userinfo.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::Split;

    #[test]
    fn parts_of_a_url() {
        for (url, clean, user, password) in [
            ("https://a:b@h/x", "https://h/x", Some(&b"a"[..]), Some(&b"b"[..])),
            ("https://a:@h/x", "https://h/x", Some(b"a"), Some(b"")),
            ("https://a@h/x", "https://h/x", Some(b"a"), None),
            ("https://:b@h/x", "https://h/x", None, Some(b"b")),
            ("https://a%40b:p%e4@h/x", "https://h/x", Some(b"a@b"), Some(b"p\xe4")),
            ("https://a:p@ss@h/x", "https://h/x", Some(b"a"), Some(b"p@ss")),
            ("https://a@h/x:@y", "https://h/x:@y", Some(b"a"), None),
            ("https://a@h?:@y", "https://h/?:@y", Some(b"a"), None),
            ("https://a@h\\:@y", "https://h/:@y", Some(b"a"), None),
            ("http://127.0.0.1:80", "http://127.0.0.1:80", None, None),
        ] {
            let found = Split::of(url).expect("a URL");
            assert_eq!((found.url.as_str(), found.user.as_deref(), found.password.as_deref()), (clean, user, password));
        }
    }
}
