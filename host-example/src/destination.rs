//! Which LFS server is asked, and with which logins.
//!
//! The rules it keeps: what only a commit names (`.lfsconfig`) gets no login unless the user agrees; userinfo leaves
//! the URL before anything else sees it; the user's own settings win over the repository's.

use std::env;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use hydrant_host::engine::Engine;
use hydrant_host::http::HttpOptions;
use hydrant_host::login::{Approver, Logins};
use hydrant_host::secret::Secret;
use hydrant_host::wit::endpoints::{Endpoint, Setting, Ssh};
use hydrant_host::wit::types::{Code, Direction};
use reqwest::Url;

use crate::cli::ServerArgs;
use crate::ending::Fault;
use crate::repository::Repository;
use crate::ssh::{self, Authenticated};

/// Stands for the server when everything is here already and no server can be found.
const NOBODY: &str = "http://127.0.0.1:9/nobody";
/// Bytes of an answer on the terminal at most.
const ANSWER_BYTES_MAX: u64 = 64;

/// A server and the way to it.
pub(crate) struct Destination {
    /// URL without userinfo.
    pub(crate) endpoint: String,
    /// Full name of the git reference to tell the server.
    pub(crate) reference: Option<String>,
    pub(crate) logins: Logins,
    pub(crate) http: HttpOptions,
}

/// The server of `--endpoint`; needs no repository and runs no git before a login is asked for.
pub(crate) fn explicit(url: &str, arguments: &ServerArgs, directory: Option<&Path>) -> Result<Destination, Fault> {
    let mut logins = Logins::new();
    let endpoint = logins.take_userinfo(url)?;
    logins.trust(&endpoint)?;
    logins.environment(&endpoint)?;
    logins.git(directory);
    logins.approver(asker(arguments));
    Ok(Destination { endpoint, reference: None, logins, http: http_options(arguments) })
}

/// No server and no login.
fn nobody(arguments: &ServerArgs) -> Destination {
    let (logins, http) = (Logins::new(), http_options(arguments));
    Destination { endpoint: NOBODY.to_owned(), reference: None, logins, http }
}

/// The server that git's configuration names, or `--endpoint`. When nothing has to be fetched (`needed` is false), a
/// server that cannot be found is no fault.
pub(crate) fn of_repository(
    repository: &Repository,
    engine: &Engine,
    direction: Direction,
    arguments: &ServerArgs,
    needed: bool,
) -> Result<Destination, Fault> {
    let mut destination = match &arguments.endpoint {
        Some(url) => explicit(url, arguments, Some(&repository.top))?,
        None => match derived(repository, engine, direction, arguments, needed) {
            Err(_) if !needed => nobody(arguments),
            other => other?,
        },
    };
    destination.reference = repository.reference();
    let http = git_http(repository, &destination.endpoint)?;
    destination.http.proxy = http.proxy.or(destination.http.proxy);
    destination.http.ca_files.extend(http.ca_file);
    if let Some(header) = http.header {
        destination.logins.headers(&destination.endpoint, vec![header], None)?;
    }
    Ok(destination)
}

fn derived(
    repository: &Repository,
    engine: &Engine,
    direction: Direction,
    arguments: &ServerArgs,
    needed: bool,
) -> Result<Destination, Fault> {
    let remote = match &arguments.remote {
        Some(remote) => remote.clone(),
        None => repository.remote()?,
    };
    let mut guest = engine.guest()?;
    let users = relevant(repository.settings()?);
    let mut commits = Vec::new();
    for setting in repository.repository_settings()? {
        if guest.allowed_in_repository(&setting.key)? {
            commits.push(setting);
        }
    }
    let by_user = guest.derive_endpoint(&users, direction, &remote);
    let both: Vec<Setting> = commits.into_iter().chain(users.iter().cloned()).collect();
    let found = guest.derive_endpoint(&both, direction, &remote)?;
    // The user names the server when the same origin comes out without what commits say.
    let trusted = by_user.is_ok_and(|user| same_place(&user, &found));

    let mut logins = Logins::new();
    let mut endpoint = logins.take_userinfo(&found.url)?;
    let mut asker = asker(arguments);
    if let (Some(ssh), true) = (&found.ssh, needed) {
        if !trusted && !asker.approve(&format!("ssh://{}", ssh.user_and_host)) {
            return Err(Fault::failed(
                Code::Auth,
                "only the repository's content names this ssh server; --trust-endpoint allows to log in there",
            ));
        }
        let mut ask = asked_over_ssh(repository, ssh.clone(), direction);
        if let Some(answer) = ask()? {
            if let Some(href) = &answer.href {
                endpoint = logins.take_userinfo(href)?;
            }
            // The user's ssh vouches for the address it gave.
            logins.trust(&endpoint)?;
            let again = move || match ask() {
                Ok(Some(answer)) => Ok(answer.headers),
                Ok(None) => Err("the server no longer answers over ssh".to_owned()),
                Err(fault) => Err(fault.detail),
            };
            logins.headers(&endpoint, answer.headers, Some(Box::new(again)))?;
        }
    }
    if !is_http(&endpoint) {
        return Err(Fault::failed(
            Code::Host,
            "this remote is not reached over http, so there is no LFS server to ask; --endpoint names one",
        ));
    }
    if trusted || arguments.trust_endpoint {
        logins.trust(&endpoint)?;
    }
    logins.environment(&endpoint)?;
    logins.git(Some(&repository.top));
    logins.approver(asker);
    Ok(Destination { endpoint, reference: None, logins, http: http_options(arguments) })
}

/// Asks the server over the user's ssh, as often as its answers run out.
fn asked_over_ssh(
    repository: &Repository,
    ssh: Ssh,
    direction: Direction,
) -> impl FnMut() -> Result<Option<Authenticated>, Fault> + Send + use<> {
    let (top, command) = (repository.top.clone(), repository.setting("core.sshcommand"));
    move || ssh::authenticate(&top, command.clone(), &ssh, direction)
}

/// The settings that decide about the server. Nothing else enters the sandbox: others may hold secrets.
fn relevant(settings: &[Setting]) -> Vec<Setting> {
    let wanted = |key: &str| {
        matches!(key, "lfs.url" | "lfs.pushurl" | "lfs.gitprotocol")
            || (key.starts_with("remote.")
                && [".url", ".pushurl", ".lfsurl", ".lfspushurl"].iter().any(|end| key.ends_with(end)))
            || (key.starts_with("url.") && (key.ends_with(".insteadof") || key.ends_with(".pushinsteadof")))
    };
    settings.iter().filter(|setting| wanted(&setting.key)).cloned().collect()
}

fn same_place(a: &Endpoint, b: &Endpoint) -> bool {
    let origin = |endpoint: &Endpoint| Url::parse(&endpoint.url).map(|url| url.origin()).ok();
    let host = |endpoint: &Endpoint| endpoint.ssh.as_ref().map(|ssh| (ssh.user_and_host.clone(), ssh.port.clone()));
    origin(a).is_some() && origin(a) == origin(b) && host(a) == host(b)
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

fn http_options(arguments: &ServerArgs) -> HttpOptions {
    HttpOptions { insecure_http: arguments.insecure_http, ..HttpOptions::default() }
}

/// What git's configuration says about the way to this server.
#[derive(Default)]
struct GitHttp {
    proxy: Option<String>,
    ca_file: Option<PathBuf>,
    /// A login that somebody put there, as build services do.
    header: Option<(String, Secret)>,
}

fn git_http(repository: &Repository, endpoint: &str) -> Result<GitHttp, Fault> {
    const WANTED: [&str; 3] = [".proxy", ".sslcainfo", ".extraheader"];
    let wanted = |key: &str| key.starts_with("http.") && WANTED.iter().any(|end| key.ends_with(end));
    let mut http = GitHttp::default();
    if !repository.settings()?.iter().any(|setting| wanted(&setting.key)) {
        return Ok(http);
    }
    // git chooses between `http.proxy` and `http.<url>.proxy` itself.
    let listed = repository.git.run(&["config", "-z", "--get-urlmatch", "http", endpoint], b"")?;
    for entry in listed.stdout.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        match entry.split_once('\n') {
            Some(("http.proxy", value)) if !value.is_empty() => http.proxy = Some(value.to_owned()),
            Some(("http.sslcainfo", value)) if !value.is_empty() => http.ca_file = Some(home_path(value)),
            Some(("http.extraheader", value)) => http.header = authorization(value),
            _ => {}
        }
    }
    Ok(http)
}

/// The header when it is a login. Others are none of a server's business that speaks LFS.
fn authorization(line: &str) -> Option<(String, Secret)> {
    let (name, value) = line.split_once(':')?;
    let is_login = name.trim().eq_ignore_ascii_case("authorization") && !value.contains(['\r', '\n', '\0']);
    is_login.then(|| ("authorization".to_owned(), Secret::new(value.trim())))
}

fn home_path(value: &str) -> PathBuf {
    match (value.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(value),
    }
}

/// Who decides about logins for a server that only the repository's content names.
fn asker(arguments: &ServerArgs) -> Box<dyn Approver> {
    Box::new(Asker { trust: arguments.trust_endpoint })
}

struct Asker {
    trust: bool,
}

impl Approver for Asker {
    fn approve(&mut self, origin: &str) -> bool {
        self.trust || ask(origin).unwrap_or(false)
    }
}

/// Asks on the terminal; without one the answer is no.
fn ask(origin: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    let origin = hydrant_host::process::plain(origin);
    write!(io::stderr(), "Only this repository's content names the server {origin}. Send your login there? [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, ssh: Option<&str>) -> Endpoint {
        let ssh = ssh.map(|host| Ssh { user_and_host: host.into(), port: String::new(), path: "p".into() });
        Endpoint { url: url.into(), ssh }
    }

    #[test]
    fn one_origin_is_one_place() {
        let base = endpoint("https://host/a.git/info/lfs", None);
        assert!(same_place(&base, &endpoint("https://HOST:443/b", None)));
        assert!(!same_place(&base, &endpoint("https://host:444/a", None)));
        assert!(!same_place(&base, &endpoint("http://host/a.git/info/lfs", None)));
        assert!(!same_place(&base, &endpoint("https://host/a.git/info/lfs", Some("git@host"))));
        assert!(!same_place(&endpoint("nonsense", None), &endpoint("nonsense", None)));
    }

    #[test]
    fn only_logins_are_taken_from_extra_headers() {
        let (name, value) = authorization("AUTHORIZATION: basic abc").expect("a login");
        assert_eq!((name.as_str(), value.expose()), ("authorization", "basic abc"));
        assert!(authorization("X-Other: 1").is_none() && authorization("nonsense").is_none());
    }

    #[test]
    fn secrets_of_other_settings_stay_outside() {
        let setting = |key: &str| Setting { key: key.into(), value: "x".into() };
        let kept =
            relevant(&["http.extraheader", "lfs.url", "remote.o.url", "url.x.insteadof", "user.name"].map(setting));
        let keys: Vec<&str> = kept.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["lfs.url", "remote.o.url", "url.x.insteadof"]);
    }
}
