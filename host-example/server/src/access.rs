//! Who may do what: the run's token, the configured user, and action tokens. Keeps three rules: secrets are compared as
//! digests in constant time, an action token opens one verb on one object of one repository for a limited time, and no
//! token stands in an address.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::Refusal;
use super::limits::OWNER_BYTES_MAX;
use super::store::{Oid, Shelf, hex};
use super::times::{now, rfc3339};

/// User name that goes with the token when a program asks for one.
pub(super) const TOKEN_USER: &str = "hydrant";
const CHALLENGE: &str = "Basic realm=\"hydrant\"";
const ACTION_PREFIX: &str = "hydrant-action.";
const ANONYMOUS: &str = "anonymous";

/// What an action token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Download,
    Upload,
    Verify,
}

impl Verb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Verb::Download => "download",
            Verb::Upload => "upload",
            Verb::Verify => "verify",
        }
    }

    /// The verb an object request needs.
    pub(super) fn of(method: &Method) -> Verb {
        if method == Method::PUT { Verb::Upload } else { Verb::Download }
    }
}

/// What a judged action token is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action {
    oid: Oid,
    pub(super) size: u64,
}

impl Action {
    /// One token opens one object.
    pub(super) fn check(&self, oid: &Oid) -> Result<(), Refusal> {
        if self.oid == *oid {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::FORBIDDEN, "the action's token is for something else"))
    }
}

/// The doors of one run. Only the run's token is kept as text, because the user has to be shown it.
pub(super) struct Access {
    open: bool,
    token: String,
    token_digest: Digest,
    basic: Option<(Digest, Digest)>,
    action_key: [u8; 32],
    action_life: Duration,
}

type Digest = [u8; 32];

impl Access {
    pub(super) fn new(
        open: bool,
        token: Option<String>,
        basic: Option<&(String, String)>,
        action_life: Duration,
    ) -> io::Result<Access> {
        let token = match token {
            Some(token) if token.is_empty() => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the server's token may not be empty"));
            }
            Some(token) => token,
            None => fresh_secret()?,
        };
        Ok(Access {
            open,
            token_digest: digest(&token),
            token,
            basic: basic.map(|(user, password)| (digest(user), digest(password))),
            action_key: random()?,
            action_life,
        })
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The name of the caller, who may use the API.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        match Login::of(headers) {
            Login::Basic { user, password } if self.open || self.knows(&user, &password) => Ok(owner_name(&user)),
            Login::Bearer(token) if self.open || same(&digest(&token), &self.token_digest) => Ok(ANONYMOUS.into()),
            Login::None | Login::Unreadable if self.open => Ok(ANONYMOUS.into()),
            _ => Err(Refusal::new(StatusCode::UNAUTHORIZED, "this server needs its token as password or bearer")
                .with("lfs-authenticate", HeaderValue::from_static(CHALLENGE))),
        }
    }

    /// What the caller's action token allows; none when there is no such token. It is judged even on an open server,
    /// so that its expiry can be relied on.
    pub(super) fn action_of(
        &self,
        headers: &HeaderMap,
        verb: Verb,
        shelf: &Shelf<'_>,
    ) -> Result<Option<Action>, Refusal> {
        match Login::of(headers) {
            Login::Bearer(token) if token.starts_with(ACTION_PREFIX) => {
                self.judge_action(&token, verb, shelf.repository(), now()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The action object a batch answer carries.
    pub(super) fn action(&self, href: String, verb: Verb, shelf: &Shelf<'_>, oid: &Oid, size: u64) -> Value {
        let expires = now().saturating_add(self.action_life);
        let token = self.action_token(verb, shelf.repository(), oid, size, expires.as_millis());
        json!({
            "href": href,
            "header": { "Authorization": format!("Bearer {token}") },
            "expires_in": self.action_life.as_secs(),
            "expires_at": rfc3339(expires),
        })
    }

    fn action_token(&self, verb: Verb, repository: &str, oid: &Oid, size: u64, expires_ms: u128) -> String {
        let seal = hex(&self.action_seal(verb, repository, oid, size, expires_ms));
        format!("{ACTION_PREFIX}{oid}.{size}.{expires_ms}.{seal}")
    }

    /// The token says itself what it is for, so it can be judged before anything of a body is read.
    fn judge_action(&self, token: &str, verb: Verb, repository: &str, now: Duration) -> Result<Action, Refusal> {
        let refused = |why| Refusal::new(StatusCode::FORBIDDEN, why);
        let malformed = || refused("the action's token is malformed");
        let mut parts = token[ACTION_PREFIX.len()..].split('.');
        let mut part = || parts.next().ok_or_else(malformed);
        let oid = Oid::parse(part()?).ok_or_else(malformed)?;
        let size = part()?.parse().map_err(|_| malformed())?;
        let expires_ms = part()?.parse().map_err(|_| malformed())?;
        let seal = part()?;
        let expected = hex(&self.action_seal(verb, repository, &oid, size, expires_ms));
        if parts.next().is_some() || !same(&digest(seal), &digest(&expected)) {
            return Err(refused("the action's token is for something else"));
        }
        if now.as_millis() >= expires_ms {
            return Err(refused("the action has expired, ask for it again"));
        }
        Ok(Action { oid, size })
    }

    /// The key stands on both sides of the message, so a seal cannot be extended.
    fn action_seal(&self, verb: Verb, repository: &str, oid: &Oid, size: u64, expires_ms: u128) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.action_key);
        hash.update(format!("{} {oid} {size} {expires_ms} {repository}", verb.name()));
        hash.update(self.action_key);
        hash.finalize().into()
    }

    /// Both comparisons always run: the time tells nothing about which part was wrong.
    fn knows(&self, user: &str, password: &str) -> bool {
        let (user, password) = (digest(user), digest(password));
        let by_token = same(&password, &self.token_digest);
        let by_pair = self.basic.as_ref().is_some_and(|pair| same(&user, &pair.0) & same(&password, &pair.1));
        by_token | by_pair
    }
}

/// What the Authorization header says.
enum Login {
    None,
    Basic { user: String, password: String },
    Bearer(String),
    Unreadable,
}

impl Login {
    fn of(headers: &HeaderMap) -> Login {
        let Some(value) = headers.get(AUTHORIZATION) else { return Login::None };
        Self::parse(value).unwrap_or(Login::Unreadable)
    }

    fn parse(value: &HeaderValue) -> Option<Login> {
        let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Login::Bearer(rest.trim().to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = BASE64.decode(rest.trim()).ok()?;
        // Clients write names in letters of their own, and some give a name and no password.
        let text = String::from_utf8_lossy(&bytes);
        let (user, password) = text.split_once(':').unwrap_or((&text, ""));
        Some(Login::Basic { user: user.to_owned(), password: password.to_owned() })
    }
}

/// A user name fit to be shown to other people: bounded, no control characters, never empty.
fn owner_name(user: &str) -> String {
    let mut name: String = user.chars().filter(|c| !c.is_control()).collect();
    name.truncate(name.floor_char_boundary(OWNER_BYTES_MAX));
    if name.is_empty() { ANONYMOUS.into() } else { name }
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

/// Equality whose time does not depend on where the digests differ.
fn same(a: &Digest, b: &Digest) -> bool {
    std::hint::black_box(a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b))) == 0
}

/// A word that nobody can guess.
pub(super) fn fresh_secret() -> io::Result<String> {
    Ok(hex(&random()?))
}

fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::getrandom(&mut bytes).map_err(io::Error::from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::store::Store;

    fn access(open: bool) -> Access {
        let pair = ("ann".to_owned(), "secret".to_owned());
        Access::new(open, Some("tok".to_owned()), Some(&pair), Duration::from_secs(60)).expect("random bytes")
    }

    fn with(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().expect("a header value"));
        headers
    }

    fn basic(text: &str) -> HeaderMap {
        with(&format!("Basic {}", BASE64.encode(text)))
    }

    #[test]
    fn token_and_pair_open_the_door_and_nothing_else_does() {
        let access = access(false);
        assert_eq!(access.admit(&basic("hydrant:tok")).expect("admitted"), "hydrant");
        assert_eq!(access.admit(&basic("anyone:tok")).expect("admitted"), "anyone");
        assert_eq!(access.admit(&basic("ann:secret")).expect("admitted"), "ann");
        assert_eq!(access.admit(&with("bearer tok")).expect("admitted"), "anonymous");
        for refused in [
            HeaderMap::new(),
            basic("bob:secret"),
            basic("ann:wrong"),
            basic("tok"),
            with("Bearer nope"),
            with("Basic ***"),
            with("Digest tok"),
        ] {
            let refusal = access.admit(&refused).expect_err("refused");
            assert_eq!(refusal.status, StatusCode::UNAUTHORIZED);
            assert_eq!(refusal.header.expect("a challenge").0, "lfs-authenticate");
        }
    }

    #[test]
    fn an_open_server_takes_names_as_they_come() {
        let access = access(true);
        assert_eq!(access.admit(&HeaderMap::new()).expect("admitted"), "anonymous");
        assert_eq!(access.admit(&basic("eve:whatever")).expect("admitted"), "eve");
        assert_eq!(access.admit(&basic("e\u{7}ve:x")).expect("admitted"), "eve");
        assert_eq!(access.admit(&basic("eve")).expect("admitted"), "eve");
        assert_eq!(access.admit(&basic("eve:")).expect("admitted"), "eve");
        let latin = with(&format!("Basic {}", BASE64.encode(b"J\xfcrgen:x")));
        assert_eq!(access.admit(&latin).expect("admitted"), "J\u{fffd}rgen");
        for nameless in [basic(":x"), basic(""), with("Bearer x"), with("Basic ***"), with("Digest x")] {
            assert_eq!(access.admit(&nameless).expect("admitted"), "anonymous", "{nameless:?}");
        }
    }

    #[test]
    fn an_action_may_last_for_ever() {
        let access = Access::new(true, None, None, Duration::MAX).expect("random bytes");
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        let address = "http://127.0.0.1:1/x".to_owned();
        let action = access.action(address, Verb::Download, &store.shelf("r"), &Oid::of(b"a"), 1);
        assert_eq!(action["expires_at"], "9999-12-31T23:59:59Z");
    }

    #[test]
    fn an_action_token_opens_one_verb_on_one_object_of_one_repository_until_it_expires() {
        let access = access(true);
        let (oid, other) = (Oid::of(b"a"), Oid::of(b"b"));
        let token = access.action_token(Verb::Upload, "r", &oid, 7, 5_000);
        let judged = |token: &str, verb, repository, now| {
            access.judge_action(token, verb, repository, Duration::from_millis(now))
        };
        assert_eq!(judged(&token, Verb::Upload, "r", 4_999).expect("valid"), Action { oid: oid.clone(), size: 7 });
        let stretched = token.replace(".5000.", ".9000.");
        let renamed = token.replace(&oid.to_string(), &other.to_string());
        for (token, verb, repository, now) in [
            (token.as_str(), Verb::Upload, "r", 5_000),
            (&token, Verb::Download, "r", 0),
            (&token, Verb::Verify, "r", 0),
            (&token, Verb::Upload, "", 0),
            (&token, Verb::Upload, "r2", 0),
            (&stretched, Verb::Upload, "r", 0),
            (&renamed, Verb::Upload, "r", 0),
            (&token.replace(".7.", ".8."), Verb::Upload, "r", 0),
            (&format!("{token}.more"), Verb::Upload, "r", 0),
            (ACTION_PREFIX, Verb::Upload, "r", 0),
        ] {
            let refusal = judged(token, verb, repository, now).expect_err("refused");
            assert_eq!(refusal.status, StatusCode::FORBIDDEN, "{token}");
        }
        let action = judged(&token, Verb::Upload, "r", 0).expect("valid");
        assert!(action.check(&oid).is_ok());
        assert_eq!(action.check(&other).expect_err("another object").status, StatusCode::FORBIDDEN);
        let scratch = Scratch::new();
        let store = Store::open(scratch.path(), false).expect("opened");
        let of = |login: &str| access.action_of(&with(login), Verb::Upload, &store.shelf("r"));
        assert!(of(&format!("Bearer {token}")).is_err(), "expired long ago");
        assert_eq!(of("Bearer tok").expect("no action"), None);
    }
}
