//! Logins: who gets one, and where it comes from.
//!
//! Rule: a login is added only to a request for an origin the user approved, it never enters the sandbox, and it is
//! asked for only when the engine says that the server wants one.

mod credential;
mod git_credential;
mod origin;

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::sync::Arc;

use reqwest::Url;
use tokio::sync::Mutex;

use crate::contract::error::HostError;
use crate::contract::failure::failed;
use crate::contract::types::{Failed, Failure, Login};
use crate::net::secret::Secret;
pub(crate) use credential::Credential;
use credential::{decoded, is_one_line};
use git_credential::GitCredential;
pub use origin::Origin;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A login is sent there.
    SendLogin,
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
    /// User names that stood in URLs without a password.
    users: HashMap<Origin, String>,
    git: Option<GitCredential>,
    /// Asked before git.
    source: Option<LoginSource>,
    approver: Option<Arc<dyn Approver>>,
    current: HashMap<Origin, Current>,
}

enum Source {
    Fixed(Credential),
    Renewable { headers: Vec<(String, Secret)>, again: Option<HeaderSource>, given: bool },
}

/// The login in use for an origin.
struct Current {
    credential: Credential,
    /// Came from git, which wants to hear how it went.
    from_git: bool,
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
        let mut parsed = Url::parse(url).map_err(|_| HostError::local("the endpoint is not a URL"))?;
        let user = decoded(parsed.username())?;
        let password = parsed.password().map(decoded).transpose()?;
        if user.is_empty() && password.is_none() {
            return Ok(url.to_owned());
        }
        let cannot = |()| HostError::local("the login cannot be taken out of this URL");
        parsed.set_username("").map_err(cannot)?;
        parsed.set_password(None).map_err(cannot)?;
        let origin = Origin::of(&parsed)?;
        match password {
            Some(password) => {
                self.add(origin, Source::Fixed(Credential::Basic(user, Secret::new(password))));
            }
            None => {
                self.users.insert(origin, user);
            }
        }
        Ok(parsed.into())
    }

    /// Reads user and token of the environment, for the endpoint's origin alone.
    pub fn environment(&mut self, endpoint: &str) -> Result<(), HostError> {
        let named = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
        let Some(token) = named(TOKEN_VARIABLE) else { return Ok(()) };
        let user = named(USER_VARIABLE).unwrap_or_else(|| TOKEN_USER.to_owned());
        if !is_one_line(&user) || !is_one_line(&token) || user.contains(':') {
            return Err(HostError::local(format!("{USER_VARIABLE} and {TOKEN_VARIABLE} cannot be sent as a login")));
        }
        let origin = Origin::of_text(endpoint)?;
        // Before everything else: whoever sets it means it.
        let sources = self.sources.entry(origin).or_default();
        sources.insert(0, Source::Fixed(Credential::Basic(user, Secret::new(token))));
        Ok(())
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

    /// Who is asked about an origin that is not approved yet.
    pub fn approver(&mut self, approver: Arc<dyn Approver>) {
        self.approver = Some(approver);
    }

    fn add(&mut self, origin: Origin, source: Source) {
        self.sources.entry(origin).or_default().push(source);
    }

    /// The login in use, when there is one and it may be used.
    fn known(&self, origin: &Origin) -> Option<Credential> {
        self.current.get(origin).map(|current| current.credential.clone())
    }

    /// Finds a login; another one than before when the last was refused. May start git and may ask the user.
    fn find(&mut self, url: &Url, renew: bool) -> Result<Credential, String> {
        let origin = Origin::of(url).map_err(|error| error.to_string())?;
        self.approve(&origin)?;
        if let (Some(credential), false) = (self.known(&origin), renew) {
            return Ok(credential);
        }
        let refused = self.current.remove(&origin);
        let first = refused.as_ref().map_or(0, |refused| refused.next);
        let none = match refused {
            Some(_) => |why: &str| format!("the login that was sent was refused, and {why}"),
            None => str::to_owned,
        };
        if let (Some(refused), Some(git)) = (refused.filter(|refused| refused.from_git), &self.git) {
            git.reject(url, &refused.credential);
        }
        let sources = self.sources.entry(origin.clone()).or_default();
        for (index, source) in sources.iter_mut().enumerate().skip(first) {
            if let Some(credential) = source.give()? {
                // A source that can give more than once is asked again before the next one.
                let next = if source.has_more() { index } else { index + 1 };
                let current = Current { credential: credential.clone(), from_git: false, told: true, next };
                self.current.insert(origin, current);
                return Ok(credential);
            }
        }
        // After the last source comes the one of the caller, and after that git.
        let next = sources.len() + 1;
        let asked = self.source.as_ref().filter(|_| first < next).and_then(|source| source(&bare(url)));
        if let Some((user, password)) = asked {
            let credential = Credential::Basic(user, password);
            let current = Current { credential: credential.clone(), from_git: false, told: true, next };
            self.current.insert(origin, current);
            return Ok(credential);
        }
        let Some(git) = &self.git else { return Err(none("no login is known for this server")) };
        let credential = git.fill(url, self.users.get(&origin).map(String::as_str)).map_err(|why| none(&why))?;
        let current = Current { credential: credential.clone(), from_git: true, told: false, next };
        self.current.insert(origin, current);
        Ok(credential)
    }

    fn approve(&mut self, origin: &Origin) -> Result<(), String> {
        if self.trusted.contains(origin) {
            return Ok(());
        }
        if !self.approver.as_ref().is_some_and(|one| one.approve(&origin.to_string(), Question::SendLogin)) {
            return Err(format!("logins are not sent to {origin} without your approval"));
        }
        self.trusted.push(origin.clone());
        Ok(())
    }
}

impl Source {
    fn give(&mut self) -> Result<Option<Credential>, String> {
        match self {
            Source::Fixed(credential) => Ok(Some(credential.clone())),
            Source::Renewable { headers, given: given @ false, .. } => {
                *given = true;
                Ok(Some(Credential::Headers(headers.clone())))
            }
            Source::Renewable { again: Some(again), .. } => again().map(|fresh| Some(Credential::Headers(fresh))),
            Source::Renewable { again: None, .. } => Ok(None),
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
        && let Some(credential) = held.known(&origin)
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
    let url = url.clone();
    let told = tokio::task::spawn_blocking(move || {
        if let (Some(git), Some(current)) = (&held.git, held.current.get(&origin)) {
            git.approve(&url, &current.credential);
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
