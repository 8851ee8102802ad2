//! A login that a commit brings: `.lfsconfig` names a server, and a user and password for it.
//!
//! Rule: it counts after the user of this clone agreed, for its origin alone, and only as long as it says the same.

use sha2::{Digest as _, Sha256};

use super::credential::Credential;
use super::origin::Origin;
use super::userinfo::Split;
use crate::contract::error::HostError;
use crate::net::secret::Secret;

/// Such a login.
pub(crate) struct Brought {
    pub(crate) origin: Origin,
    credential: Credential,
    /// Changes with the login. It is noted in the clone's own configuration, where the login itself has no place.
    pub(crate) fingerprint: String,
    /// The user agreed.
    pub(crate) is_agreed: bool,
}

impl Brought {
    /// The login of a URL; none when it holds no password.
    pub(crate) fn of(url: &str) -> Result<Option<Self>, HostError> {
        let Split { url, user, password: Some(password) } = Split::of(url)? else { return Ok(None) };
        let (origin, user) = (Origin::of_text(&url)?, user.unwrap_or_default());
        let mut digest = Sha256::new();
        // No part can hold a line end, so no two logins are written alike.
        for part in [origin.to_string().as_bytes(), &user, &password] {
            digest.update(part);
            digest.update(b"\n");
        }
        let fingerprint = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let credential = Credential::Basic(user, Secret::new(password));
        Ok(Some(Self { origin, credential, fingerprint, is_agreed: false }))
    }

    /// Whether this URL holds the same login for the same server.
    pub(crate) fn is_of(&self, url: &str) -> bool {
        matches!(Self::of(url), Ok(Some(other)) if other.fingerprint == self.fingerprint)
    }

    /// Whether this URL holds the same login, whatever server it is for.
    pub(crate) fn is_login_of(&self, url: &str) -> bool {
        matches!(Self::of(url), Ok(Some(other)) if other.credential.headers() == self.credential.headers())
    }

    /// Where the agreement is noted: a key of git's configuration.
    pub(crate) fn key(&self) -> String {
        format!("hydrant.{}.trustedlogin", self.origin)
    }

    pub(super) fn credential_for(&self, origin: &Origin) -> Option<&Credential> {
        (self.is_agreed && self.origin == *origin).then_some(&self.credential)
    }
}

#[cfg(test)]
mod tests {
    use super::Brought;

    #[test]
    fn another_login_or_another_server_is_another_question() {
        let of = |url: &str| Brought::of(url).expect("a URL").expect("a login").fingerprint;
        let known = of("https://t:PW@h.example/x");
        assert_eq!(known, of("https://t:PW@H.example:443/other"));
        for other in [
            "https://t:pw@h.example/x",
            "https://u:PW@h.example/x",
            "https://t:PW@h.example:444/x",
            "http://t:PW@h.example/x",
            "https://t:@h.example/x",
            "https://tP:W@h.example/x",
        ] {
            assert_ne!(known, of(other), "{other}");
        }
        let brought = Brought::of("https://t:PW@h.example/x").expect("a URL").expect("a login");
        for (url, is_of, is_login_of) in [
            ("https://t:PW@h.example/", true, true),
            ("http://t:PW@other.example/", false, true),
            ("https://t:pw@h.example/", false, false),
            ("https://h.example/", false, false),
            ("https://t:PW@", false, false),
            ("alias:t:PW@h.example/", false, false),
        ] {
            assert_eq!((brought.is_of(url), brought.is_login_of(url)), (is_of, is_login_of), "{url}");
        }
        assert!(Brought::of("https://t@h.example/x").expect("a URL").is_none());
        assert!(Brought::of("https://h.example/x").expect("a URL").is_none());
    }
}
