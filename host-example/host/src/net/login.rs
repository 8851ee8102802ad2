//! Logins: who gets one, and where it comes from.
//!
//! Rule: a login is added only to a request for an origin the user approved, and it never enters the sandbox. What the
//! user gave for just this origin goes with the first request: servers answer strangers with 403, 404 or a page to sign
//! in at, not only with 401. Whoever has logins for many servers is asked after a refusal alone.

mod brought;
mod cookies;
mod credential;
mod git_credential;
mod netrc;
mod origin;
mod own_headers;
mod spoken;
mod userinfo;

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Url;
use tokio::sync::Mutex;

use crate::contract::error::HostError;
use crate::contract::failure::failed;
use crate::contract::types::{Direction, Failed, Failure, Login};
use crate::net::secret::Secret;
pub(crate) use brought::Brought;
pub(crate) use credential::Credential;
use credential::is_one_line;
pub(crate) use git_credential::certificate_password;
use git_credential::{Answer, GitCredential};
pub use origin::Origin;
pub(crate) use own_headers::{HeadersFor, OwnHeaders};
pub(crate) use spoken::Spoken;
pub(crate) use userinfo::Split;

/// The user's name that goes with a token when none is given.
const TOKEN_USER: &str = "oauth2";
/// The environment's user and token, for the endpoint's origin.
const USER_VARIABLE: &str = "HYDRANT_LFS_USER";
const TOKEN_VARIABLE: &str = "HYDRANT_LFS_TOKEN";

/// Decides where only a commit names the server. It is asked when it matters, and may ask the user.
pub trait Approver: Send + Sync {
    /// Whether this may be done at a place, an origin such as `https://host:8443`, with its path where that is known.
    fn approve(&self, place: &str, question: Question) -> bool;
}

impl<F: Fn(&str, Question) -> bool + Send + Sync> Approver for F {
    fn approve(&self, place: &str, question: Question) -> bool {
        self(place, question)
    }
}

/// What is to be done at a place that only a commit names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// A login is sent there.
    SendLogin,
    /// A login is sent there that the commit itself brings.
    SendBroughtLogin,
    /// Files are sent there.
    SendFiles,
    /// It is asked for objects, though it lies in a nearer network than the user's own server.
    AskForObjects,
}

/// Gives user and password for a URL without userinfo, or none. Asked when a server wants a login or refused one.
pub type LoginSource = Arc<dyn Fn(&str) -> Option<(String, Secret)> + Send + Sync>;

/// Gets fresh headers, or says why there are none.
pub type HeaderSource = Box<dyn FnMut() -> Result<Vec<(String, Secret)>, String> + Send>;

/// Where logins come from, and the origins that may get them.
#[derive(Default)]
pub struct Logins {
    trusted: Vec<Origin>,
    sources: HashMap<Origin, Vec<Source>>,
    /// User names that stood in URLs.
    users: HashMap<Origin, Vec<u8>>,
    /// A login that a commit brings, for its origin alone.
    brought: Option<Brought>,
    own_headers: OwnHeaders,
    git: Option<GitCredential>,
    /// Asked before git.
    source: Option<LoginSource>,
    approver: Option<Arc<dyn Approver>>,
    current: HashMap<Origin, Current>,
}

enum Source {
    /// A login for just this origin.
    Given(Credential),
    /// What the user's settings say for the URL of each request.
    OfSettings,
    /// One for every server that has none of its own.
    ForAny(Credential),
    Renewable {
        headers: Vec<(String, Secret)>,
        again: Option<HeaderSource>,
        given: bool,
    },
}

/// What is kept of a login in use.
enum Kept {
    Credential(Credential),
    /// The settings have one for each URL, or none.
    OfSettings,
}

/// The login in use for an origin.
struct Current {
    credential: Kept,
    /// What git said, when it came from git, which wants to hear how it went.
    from_git: Option<Answer>,
    told: bool,
    /// Source to try next when this one is refused.
    next: usize,
}

impl Logins {
    /// No login, and nobody trusted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The user approved this URL's origin.
    pub fn trust(&mut self, url: &str) -> Result<(), HostError> {
        let origin = Origin::of_text(url)?;
        if !self.trusted.contains(&origin) {
            self.trusted.push(origin);
        }
        Ok(())
    }

    /// Takes the userinfo out of a URL and remembers it as that origin's login.
    pub fn take_userinfo(&mut self, url: &str) -> Result<String, HostError> {
        let Split { url: clean, user, password } = Split::of(url)?;
        if let Some(user) = &user {
            self.users.insert(Origin::of_text(&clean)?, user.clone());
        }
        if let Some(password) = password {
            let credential = Credential::Basic(user.unwrap_or_default(), Secret::new(password));
            self.add(Origin::of_text(&clean)?, Source::Given(credential));
        }
        Ok(clean)
    }

    /// Whether the user approved this URL's origin.
    pub(crate) fn trusts(&self, url: &str) -> bool {
        Origin::of_text(url).is_ok_and(|origin| self.trusted.contains(&origin))
    }

    /// The user's name that stood in a URL of this origin.
    pub(crate) fn user(&self, origin: &Origin) -> Option<&[u8]> {
        self.users.get(origin).map(Vec::as_slice)
    }

    /// Reads user and token of the environment, for the endpoint's origin alone.
    pub fn environment(&mut self, endpoint: &str) -> Result<(), HostError> {
        let named = |name| env::var_os(name).map(OsString::into_encoded_bytes).filter(|value| !value.is_empty());
        let Some(token) = named(TOKEN_VARIABLE) else { return Ok(()) };
        let user = named(USER_VARIABLE).unwrap_or_else(|| TOKEN_USER.into());
        if !is_one_line(&user) || !is_one_line(&token) || user.contains(&b':') {
            return Err(HostError::local(format!("{USER_VARIABLE} and {TOKEN_VARIABLE} cannot be sent as a login")));
        }
        let origin = Origin::of_text(endpoint)?;
        // Before everything else: whoever sets it means it.
        let sources = self.sources.entry(origin).or_default();
        sources.insert(0, Source::Given(Credential::Basic(user, Secret::new(token))));
        Ok(())
    }

    /// Reads what `.netrc` says about the endpoint's host.
    pub fn netrc(&mut self, endpoint: &str) -> Result<(), HostError> {
        let url = Url::parse(endpoint).map_err(|_| HostError::local("the endpoint is not a URL"))?;
        let origin = Origin::of(&url)?;
        let user = self.users.get(&origin).map(Vec::as_slice);
        if let Some(found) = url.host_str().and_then(|host| netrc::of_user(host, user)) {
            let source = if found.is_named { Source::Given } else { Source::ForAny };
            self.add(origin, source(found.credential));
        }
        Ok(())
    }

    /// The lines of `http.extraHeader` for each URL of this one's origin. The last one that is a login becomes one; the
    /// others, and the cookies of this file, go with every request to it.
    pub(crate) fn extra_headers(
        &mut self,
        url: &str,
        headers: HeadersFor,
        cookie_file: Option<PathBuf>,
    ) -> Result<(), HostError> {
        let origin = Origin::of_text(url)?;
        self.add(origin.clone(), Source::OfSettings);
        self.own_headers = OwnHeaders::new(origin, headers, cookie_file);
        Ok(())
    }

    /// The headers of the user's for each request; none while he did not approve their origin. Reads his cookies.
    pub(crate) fn own_headers(&self) -> OwnHeaders {
        if self.own_headers.is_for_any_of(&self.trusted) {
            self.own_headers.with_cookies()
        } else {
            OwnHeaders::default()
        }
    }

    /// A login that a commit brings for its server.
    pub(crate) fn bring(&mut self, brought: Brought) {
        self.brought = Some(brought);
    }

    /// Whether a login was given for just this URL's origin, and may be sent there: it goes with the first request.
    pub(crate) fn has_given(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let Ok(origin) = Origin::of(&url) else { return false };
        let is_given = |source: &Source| match source {
            Source::ForAny(_) => false,
            Source::OfSettings => self.own_headers.login(&url).is_some(),
            Source::Given(_) | Source::Renewable { .. } => true,
        };
        let given = self.sources.get(&origin).is_some_and(|sources| sources.iter().any(is_given));
        (given && self.trusted.contains(&origin)) || self.brought_for(&origin).is_some()
    }

    /// Headers that `git-lfs-authenticate` gave for this URL, and how to get them again.
    pub fn headers(
        &mut self,
        url: &str,
        headers: Vec<(String, Secret)>,
        again: Option<HeaderSource>,
    ) -> Result<(), HostError> {
        let origin = Origin::of_text(url)?;
        self.add(origin, Source::Renewable { headers, again, given: false });
        Ok(())
    }

    /// Who is asked before git.
    pub fn source(&mut self, source: LoginSource) {
        self.source = Some(source);
    }

    /// Allows `git credential`, run in this folder. It is started only when no other source has a login.
    pub fn git(&mut self, work_dir: Option<&Path>) {
        self.git = Some(GitCredential::new(work_dir));
    }

    /// The same for the server of a repository: helpers that keep logins by path are told the path of its remote.
    pub(crate) fn git_of_remote(&mut self, work_dir: &Path, endpoint: &str, remote: &str, direction: Direction) {
        self.git = Some(GitCredential::new(Some(work_dir)).of_remote(endpoint, remote, direction));
    }

    /// Who is asked about an origin that is not approved yet.
    pub fn approver(&mut self, approver: Arc<dyn Approver>) {
        self.approver = Some(approver);
    }

    fn add(&mut self, origin: Origin, source: Source) {
        self.sources.entry(origin).or_default().push(source);
    }

    /// The login in use, when there is one and it may be used.
    fn known(&self, origin: &Origin, url: &Url) -> Option<Credential> {
        self.current.get(origin).map(|current| match &current.credential {
            Kept::Credential(credential) => credential.clone(),
            Kept::OfSettings => Credential::Headers(self.own_headers.login(url).into_iter().collect()),
        })
    }

    /// The login that a commit brings, where the user agreed to send it and it was not refused.
    fn brought_for(&self, origin: &Origin) -> Option<&Credential> {
        self.brought.as_ref().and_then(|brought| brought.credential_for(origin))
    }

    /// Finds a login; another one than before when the last was refused. May start git and may ask the user.
    fn find(&mut self, url: &Url, renew: bool) -> Result<Credential, String> {
        let origin = Origin::of(url).map_err(|error| error.to_string())?;
        if !self.trusted.contains(&origin)
            && !renew
            && let Some(credential) = self.brought_for(&origin)
        {
            return Ok(credential.clone());
        }
        self.approve(&origin)?;
        if let (Some(credential), false) = (self.known(&origin, url), renew) {
            return Ok(credential);
        }
        let refused = self.current.remove(&origin);
        let first = refused.as_ref().map_or(0, |refused| refused.next);
        let none = match refused {
            Some(_) => |why: &str| format!("the login that was sent was refused, and {why}"),
            None => str::to_owned,
        };
        if let (Some(Answer(answer)), Some(git)) = (refused.and_then(|refused| refused.from_git), &self.git) {
            git.reject(&answer);
        }
        let of_settings = self.own_headers.login(url);
        let sources = self.sources.entry(origin.clone()).or_default();
        for (index, source) in sources.iter_mut().enumerate().skip(first) {
            if let (Source::OfSettings, Some(login)) = (&*source, &of_settings) {
                let credential = Credential::Headers(vec![login.clone()]);
                self.keep(origin, Kept::OfSettings, None, index + 1);
                return Ok(credential);
            }
            if let Some(credential) = source.give()? {
                // A source that can give more than once is asked again before the next one.
                let next = if source.has_more() { index } else { index + 1 };
                return Ok(self.use_now(origin, credential, None, next));
            }
        }
        // After the last source comes what a commit brings, then the one of the caller, and after that git.
        let last = sources.len();
        if let Some(credential) = self.brought_for(&origin).filter(|_| first <= last).cloned() {
            return Ok(self.use_now(origin, credential, None, last + 1));
        }
        let asked = self.source.as_ref().filter(|_| first <= last + 1).and_then(|source| source(&bare(url)));
        if let Some((user, password)) = asked {
            return Ok(self.use_now(origin, Credential::Basic(user.into(), password), None, last + 2));
        }
        let Some(git) = &self.git else { return Err(none("no login is known for this server")) };
        let user = self.users.get(&origin).map(Vec::as_slice);
        let (credential, answer) = git.fill(url, user).map_err(|why| none(&why))?;
        Ok(self.use_now(origin, credential, Some(answer), last + 2))
    }

    fn use_now(&mut self, origin: Origin, credential: Credential, git: Option<Answer>, next: usize) -> Credential {
        self.keep(origin, Kept::Credential(credential.clone()), git, next);
        credential
    }

    fn keep(&mut self, origin: Origin, credential: Kept, from_git: Option<Answer>, next: usize) {
        self.current.insert(origin, Current { credential, told: from_git.is_none(), from_git, next });
    }

    fn approve(&mut self, origin: &Origin) -> Result<(), String> {
        if self.trusted.contains(origin) {
            return Ok(());
        }
        if !self.approver.as_ref().is_some_and(|one| one.approve(&origin.to_string(), Question::SendLogin)) {
            return Err(format!(
                "logins are not sent to {origin} without your approval: `git config lfs.url URL` gives it"
            ));
        }
        self.trusted.push(origin.clone());
        Ok(())
    }
}

impl Source {
    fn give(&mut self) -> Result<Option<Credential>, String> {
        match self {
            Source::Given(credential) | Source::ForAny(credential) => Ok(Some(credential.clone())),
            Source::Renewable { headers, given: given @ false, .. } => {
                *given = true;
                Ok(Some(Credential::Headers(headers.clone())))
            }
            Source::Renewable { again: Some(again), .. } => again().map(|fresh| Some(Credential::Headers(fresh))),
            Source::OfSettings | Source::Renewable { again: None, .. } => Ok(None),
        }
    }

    fn has_more(&self) -> bool {
        matches!(self, Source::Renewable { again: Some(_), .. })
    }
}

/// The login a request is to carry.
pub(crate) async fn find(logins: &Arc<Mutex<Logins>>, url: &Url, login: Login) -> Result<Option<Credential>, Failed> {
    let renew = match login {
        Login::None => return Ok(None),
        Login::Stored => false,
        Login::Renewed => true,
    };
    let mut held = Arc::clone(logins).lock_owned().await;
    if !renew
        && let Ok(origin) = Origin::of(url)
        && held.trusted.contains(&origin)
        && let Some(credential) = held.known(&origin, url)
    {
        return Ok(Some(credential));
    }
    // Git may ask the user, so the loop goes on meanwhile; the lock makes all others wait for the same answer.
    let asked = url.clone();
    let found = tokio::task::spawn_blocking(move || held.find(&asked, renew)).await;
    match found {
        Ok(Ok(credential)) => Ok(Some(credential)),
        Ok(Err(why)) => Err(failed(Failure::Denied, &why)),
        Err(_) => Err(failed(Failure::Io, "the login could not be looked up")),
    }
}

/// The login of this URL's origin was accepted: git may remember it.
pub(crate) async fn worked(logins: &Arc<Mutex<Logins>>, url: &Url) {
    let mut held = Arc::clone(logins).lock_owned().await;
    let Ok(origin) = Origin::of(url) else { return };
    let Some(current) = held.current.get_mut(&origin).filter(|current| !current.told) else { return };
    current.told = true;
    let told = tokio::task::spawn_blocking(move || {
        if let (Some(git), Some(current)) = (&held.git, held.current.get(&origin))
            && let Some(Answer(answer)) = &current.from_git
        {
            git.approve(answer);
        }
    });
    // Waited for, once a run: a process that ends first would leave the helper without the word.
    told.await.ok();
}

/// A URL without userinfo and query.
fn bare(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    // A URL of http always takes them.
    bare.set_username("").ok();
    bare.set_password(None).ok();
    bare.into()
}

#[cfg(test)]
mod tests;
