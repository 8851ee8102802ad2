//! Which LFS server is asked, and with which logins.
//!
//! The rules it keeps: what only a commit names (`.lfsconfig`) gets no login and no content unless the user agrees, and
//! is not even asked when it is less public than the user's own server; userinfo leaves the URL before anything else
//! sees it, and is a login only when the user wrote it or agreed to it; the user's own settings win over the
//! repository's.

use std::path::Path;
use std::sync::Arc;

use crate::contract::endpoints::{Endpoint, Setting, Ssh};
use crate::contract::types::{Code, Direction};
use crate::net::address::{Reach, is_plain_abroad, reaches};
use crate::net::git_http::GitHttp;
use crate::net::http::HttpOptions;
use crate::net::login::{Approver, Brought, Logins, Origin, Question, Split};
use reqwest::Url;

use crate::contract::error::{Fault, HostError};
use crate::driver::trace::place;
use crate::net::ssh::{self, Authenticated};
use crate::repository::{Errand, Repository};
use crate::tasks::client::Client;
use crate::text::quote;

/// Stands for the server when everything is here already and no server can be found.
const NOBODY: &str = "http://127.0.0.1:9/nobody";

/// Where an address comes from.
pub(crate) const ANOTHER_ADDRESS: &str = "`git config lfs.url URL` or --endpoint URL";

/// Which server is asked, and how patiently. What is none or false is found out, or left to the engine.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// URL of the LFS server, instead of the one that git's configuration gives. It may hold a login.
    pub endpoint: Option<String>,
    /// Remote whose server is asked.
    pub remote: Option<String>,
    /// Approve a server that only a commit names: it is asked, and may get logins and uploads.
    pub trust_endpoint: bool,
    /// Allow plain http to other machines.
    pub insecure_http: bool,
    /// Seconds without a byte after which a transfer is given up.
    pub idle_s_max: Option<u64>,
    /// Seconds that a server may ask to wait before the next try.
    pub wait_s_max: Option<u64>,
    /// Tries after the first that fails for a passing reason.
    pub retries_max: Option<u32>,
    /// Transfers at the same time.
    pub in_flight_max: Option<u32>,
    /// Objects in one request to the server.
    pub batch_objects_max: Option<u32>,
}

impl ServerOptions {
    /// With the remote of this errand, unless the user named one, or there is none of that name.
    pub(crate) fn of(&self, repository: &Repository, errand: Errand) -> Result<Self, Fault> {
        let remote = repository.remote_for(errand)?;
        let chosen = self.remote.clone().or_else(|| Some(remote).filter(|remote| is_set(repository, remote)));
        Ok(Self { remote: chosen, ..self.clone() })
    }
}

/// A server and the way to it.
pub(crate) struct Destination {
    /// URL without userinfo.
    pub(crate) endpoint: String,
    /// Full name of the git reference to tell the server.
    pub(crate) reference: Option<String>,
    pub(crate) logins: Logins,
    pub(crate) http: HttpOptions,
}

/// The server that the options name; needs no repository and runs no git before a login is asked for.
pub(crate) fn explicit(
    client: &Client,
    options: &ServerOptions,
    directory: Option<&Path>,
) -> Result<Destination, Fault> {
    let mut destination = given(client, options)?;
    destination.logins.git(directory);
    destination.logins.netrc(&destination.endpoint)?;
    destination.http.work_dir = directory.map(Path::to_owned);
    Ok(destination)
}

fn given(client: &Client, options: &ServerOptions) -> Result<Destination, Fault> {
    let url = options.endpoint.as_deref().ok_or_else(|| Fault::misuse("no server is named"))?;
    let is_one = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_one {
        // It may hold a password, and nobody can say where.
        return Err(Fault::misuse("--endpoint: an http or https URL is expected"));
    }
    let mut logins = Logins::new();
    let endpoint = logins.take_userinfo(url)?;
    logins.trust(&endpoint)?;
    logins.environment(&endpoint)?;
    client.furnish(&mut logins, options);
    let http = HttpOptions { endpoint_approved: true, ..http_options(options) };
    Ok(Destination { endpoint, reference: None, logins, http })
}

/// Refuses plain http to another machine, and says what allows it.
pub(crate) fn check_plain_http(endpoint: &str, options: &ServerOptions) -> Result<(), Fault> {
    let Ok(url) = Url::parse(endpoint) else { return Ok(()) };
    if !is_plain_abroad(&url) || options.insecure_http {
        return Ok(());
    }
    let shown = place(endpoint);
    let told = format!("{shown}: plain http is not allowed: use https, or --insecure-http where you trust the network");
    Err(Fault::failed(Code::Blocked, told))
}

/// No server and no login.
fn nobody(options: &ServerOptions) -> Destination {
    let (logins, http) = (Logins::new(), http_options(options));
    Destination { endpoint: NOBODY.to_owned(), reference: None, logins, http }
}

/// The server that git's configuration names, or `--endpoint`. When nothing has to be fetched (`needed` is false), a
/// server that cannot be found is no fault.
pub(crate) fn of_repository(
    client: &Client,
    repository: &Repository,
    direction: Direction,
    options: &ServerOptions,
    needed: bool,
) -> Result<Destination, Fault> {
    let mut destination = match &options.endpoint {
        Some(_) => given(client, options)?,
        None => match derived(client, repository, direction, options, needed) {
            Err(_) if !needed => nobody(options),
            other => other?,
        },
    };
    destination.reference = repository.reference();
    configured(repository, &mut destination)?;
    let remote = own_remote(repository, options, direction)?;
    destination.logins.git_of_remote(&repository.top, &destination.endpoint, &remote, direction);
    destination.logins.netrc(&destination.endpoint)?;
    destination.http.work_dir = Some(repository.top.clone());
    Ok(destination)
}

/// Takes what git's configuration says about this server, and the way to every other.
fn configured(repository: &Repository, destination: &mut Destination) -> Result<(), Fault> {
    let Destination { endpoint, logins, http, .. } = destination;
    let url = Url::parse(endpoint).map_err(|_| Fault::misuse("the endpoint is not a URL"))?;
    let origin = Origin::of(&url)?;
    let user = logins.user(&origin).map(<[u8]>::to_vec);
    let settings = GitHttp::of_list(repository.listed()?).at_top(&repository.top).of_user(origin, user);
    let cookie_file = settings.cookie_file(&url);
    let settings = Arc::new(settings);
    let of_headers = Arc::clone(&settings);
    logins.extra_headers(endpoint, Arc::new(move |url| of_headers.extra_headers(url)), cookie_file)?;
    http.endpoint_approved = logins.trusts(endpoint);
    http.way_to = Arc::new(move |url| settings.way(url));
    Ok(())
}

/// The user's own remote: one that he named, else where git pulls from or pushes to.
fn own_remote(repository: &Repository, options: &ServerOptions, direction: Direction) -> Result<String, Fault> {
    match (&options.remote, direction) {
        (Some(remote), _) => is_known(repository, remote).map(|()| remote.clone()),
        (None, Direction::Download) => repository.remote_for(Errand::Pull),
        (None, Direction::Upload) => repository.remote_for(Errand::Push),
    }
}

/// Whether git's configuration knows a remote of this name.
fn is_set(repository: &Repository, remote: &str) -> bool {
    let keys = ["url", "pushurl", "lfsurl", "lfspushurl"];
    keys.iter().any(|key| repository.setting(&format!("remote.{remote}.{key}")).is_some())
}

/// A remote that the user named is one of his, unless it is an address.
fn is_known(repository: &Repository, remote: &str) -> Result<(), Fault> {
    if is_set(repository, remote) || remote.contains([':', '/']) {
        return Ok(());
    }
    let shown = quote(remote.as_bytes());
    Err(Fault::misuse(format!("there is no remote {shown}; `git remote` lists those of this repository")))
}

/// The remote to read from: the user's choice, else the one of his that `.lfsconfig` names, else git-lfs's rule.
fn remote_to_ask(
    repository: &Repository,
    options: &ServerOptions,
    direction: Direction,
    commits: &[Setting],
) -> Result<String, Fault> {
    let own = own_remote(repository, options, direction)?;
    if direction == Direction::Upload || options.remote.is_some() || repository.chosen_remote().is_some() {
        return Ok(own);
    }
    let named = commits.iter().rev().find(|setting| setting.key == "remote.lfsdefault").map(|setting| &setting.value);
    let is_users = |name: &&String| repository.setting(&format!("remote.{name}.url")).is_some();
    Ok(named.filter(is_users).cloned().unwrap_or(own))
}

/// Whose word names the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// The user's: without what commits say, the same address comes out.
    ByUser,
    /// The user's server, and another place on it, or another login, of a commit's choice.
    OnUsersServer,
    /// A commit's alone.
    ByCommit,
}

impl Named {
    fn of(user: Option<&Endpoint>, found: &Endpoint) -> Self {
        match user {
            Some(user) if same_address(user, found) => Self::ByUser,
            Some(user) if same_place(user, found) => Self::OnUsersServer,
            _ => Self::ByCommit,
        }
    }
}

fn derived(
    client: &Client,
    repository: &Repository,
    direction: Direction,
    options: &ServerOptions,
    needed: bool,
) -> Result<Destination, Fault> {
    let mut guest = client.guest()?;
    let users = relevant(repository.settings()?);
    let mut commits = Vec::new();
    for setting in repository.committed_settings()? {
        if guest.allowed_in_repository(&setting.key)? {
            commits.push(setting.clone());
        }
    }
    let remote = remote_to_ask(repository, options, direction, &commits)?;
    let user = guest.derive_endpoint(&users, direction, &remote).ok();
    let both: Vec<Setting> = commits.iter().chain(&users).cloned().collect();
    let found = guest.derive_endpoint(&both, direction, &remote).map_err(named_by_nobody)?;
    let named = Named::of(user.as_ref(), &found);
    let is_own = is_rewritten_login(&users, &found);

    let mut logins = Logins::new();
    // The user's own userinfo is a login for the user's own server; one of a commit's choice has to be agreed to.
    let mut endpoint = Split::of(&found.url)?.url;
    match &user {
        Some(user) if named != Named::ByCommit => drop(logins.take_userinfo(&user.url)?),
        _ if is_own => drop(logins.take_userinfo(&found.url)?),
        _ => {}
    }
    let approved = needed && approve(client, named, user.as_ref(), &found, direction, options)?;
    if let Some(brought) = Brought::of(&found.url)?.filter(|_| needed && named != Named::ByUser && !is_own)
        && guest.derive_endpoint(&commits, direction, &remote).is_ok_and(|alone| brought.is_login_of(&alone.url))
    {
        // The words of a commit, and not what the user rewrites addresses to.
        logins.bring(agreed_to(client, repository, options, brought));
    }
    if let (Some(ssh), true) = (&found.ssh, needed) {
        if named == Named::ByCommit
            && !agrees(client, options, &format!("ssh://{}", ssh.user_and_host), Question::SendLogin)
        {
            return Err(Fault::failed(
                Code::Auth,
                format!(
                    "only the repository's content names this ssh server: `git config lfs.url {}` is your approval, \
                     --trust-endpoint is it for once",
                    place(&found.url)
                ),
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
            // An address alone is no login: the others are asked.
            if !answer.headers.is_empty() {
                logins.headers(&endpoint, answer.headers, Some(Box::new(again)))?;
            }
        }
    }
    if !is_http(&endpoint) {
        return Err(Fault::failed(
            Code::Host,
            format!(
                "this remote is not reached over http, so there is no LFS server to ask: {ANOTHER_ADDRESS} names one"
            ),
        ));
    }
    if named != Named::ByCommit || options.trust_endpoint {
        logins.trust(&endpoint)?;
    }
    logins.environment(&endpoint)?;
    client.furnish(&mut logins, options);
    let mut http = http_options(options);
    if named == Named::ByCommit && !approved {
        // What was looked up here is looked up again for the connection: it must still pass then.
        http.endpoint_reach_min = reach_of_user(user.as_ref());
    }
    Ok(Destination { endpoint, reference: None, logins, http })
}

/// Nothing names a server: what does.
fn named_by_nobody(error: HostError) -> Fault {
    match Fault::from(error) {
        Fault { code: Code::NotFound, detail, .. } => {
            Fault::failed(Code::NotFound, format!("{detail}: {ANOTHER_ADDRESS} does"))
        }
        other => other,
    }
}

/// Whether the login in this address is one that the user wrote into `url.<base>.insteadOf`.
fn is_rewritten_login(users: &[Setting], found: &Endpoint) -> bool {
    let Ok(Some(login)) = Brought::of(&found.url) else { return false };
    users.iter().any(|setting| {
        let base = setting.key.strip_prefix("url.").and_then(|key| key.rsplit_once('.'));
        base.is_some_and(|(base, _)| found.url.starts_with(base) && login.is_of(base))
    })
}

/// Asks the user, where a commit's word does not suffice: true when the user agreed, false when nobody had to be asked.
fn approve(
    client: &Client,
    named: Named,
    user: Option<&Endpoint>,
    found: &Endpoint,
    direction: Direction,
    options: &ServerOptions,
) -> Result<bool, Fault> {
    let question = match (named, direction) {
        (Named::ByUser, _) => return Ok(false),
        (_, Direction::Upload) => Question::SendFiles,
        (Named::ByCommit, Direction::Download) if is_nearer(user, found) => Question::AskForObjects,
        (Named::OnUsersServer | Named::ByCommit, Direction::Download) => return Ok(false),
    };
    let place = place(&found.url);
    if agrees(client, options, &place, question) {
        return Ok(true);
    }
    let denied = format!(
        "only this repository's content names the server {place}: `git config lfs.url {place}` is your approval, \
         --trust-endpoint is it for once"
    );
    Err(Fault::failed(Code::Auth, denied))
}

/// Whether the user agreed that a login is sent which the repository brings: before, as the clone's own configuration
/// notes, or now.
fn agreed_to(client: &Client, repository: &Repository, options: &ServerOptions, mut brought: Brought) -> Brought {
    let key = brought.key();
    brought.is_agreed = repository.setting(&key).is_some_and(|known| known == brought.fingerprint);
    if !brought.is_agreed && agrees(client, options, &brought.origin.to_string(), Question::SendBroughtLogin) {
        brought.is_agreed = true;
        // Where it cannot be noted, it is asked for again.
        repository.git.run(&["config", "--local", &key, &brought.fingerprint], b"").ok();
    }
    brought
}

/// Whether a server lies where the user's own server could not lead: in a less public network, or on an open line.
fn is_nearer(user: Option<&Endpoint>, found: &Endpoint) -> bool {
    let is_plain = |endpoint: &Endpoint| Url::parse(&endpoint.url).is_ok_and(|url| url.scheme() == "http");
    // A name that means nothing here is a proxy's to resolve, or leads nowhere.
    let least = Url::parse(&found.url).ok().and_then(|url| reaches(&url)).map_or(Reach::Public, |(least, _)| least);
    least < reach_of_user(user) || (is_plain(found) && !user.is_some_and(is_plain))
}

/// How public the user's own server is.
fn reach_of_user(user: Option<&Endpoint>) -> Reach {
    let url = user.and_then(|user| Url::parse(&user.url).ok());
    url.and_then(|url| reaches(&url)).map_or(Reach::Public, |(_, most)| most)
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

fn same_address(a: &Endpoint, b: &Endpoint) -> bool {
    let ssh = |endpoint: &Endpoint| {
        endpoint.ssh.as_ref().map(|ssh| (ssh.user_and_host.clone(), ssh.port.clone(), ssh.path.clone()))
    };
    a.url == b.url && ssh(a) == ssh(b)
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

fn http_options(options: &ServerOptions) -> HttpOptions {
    // git's variables count without a repository, too.
    let way_to = Arc::new(|url: &Url| GitHttp::default().way(url));
    HttpOptions { insecure_http: options.insecure_http, way_to, ..HttpOptions::default() }
}

/// Whether the caller agrees: beforehand, or asked now.
fn agrees(client: &Client, options: &ServerOptions, place: &str, question: Question) -> bool {
    options.trust_endpoint || client.approver.approve(place, question)
}

/// Agrees to everything.
struct Agrees;

impl Approver for Agrees {
    fn approve(&self, _place: &str, _question: Question) -> bool {
        true
    }
}

impl Client {
    /// Tells where logins come from besides the settings, and who decides about them.
    fn furnish(&self, logins: &mut Logins, options: &ServerOptions) {
        if let Some(source) = &self.login_source {
            logins.source(Arc::clone(source));
        }
        logins.approver(if options.trust_endpoint { Arc::new(Agrees) } else { Arc::clone(&self.approver) });
    }
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
    fn whose_word_names_the_server() {
        let user = endpoint("https://me:pw@host/a.git/info/lfs", None);
        let named = |found: &str| Named::of(Some(&user), &endpoint(found, None));
        assert_eq!(named("https://me:pw@host/a.git/info/lfs"), Named::ByUser);
        assert_eq!(named("https://host/a.git/info/lfs"), Named::OnUsersServer);
        assert_eq!(named("https://you:pw@host/a.git/info/lfs"), Named::OnUsersServer);
        assert_eq!(named("https://me:pw@host/b"), Named::OnUsersServer);
        assert_eq!(named("https://me:pw@elsewhere/a.git/info/lfs"), Named::ByCommit);
        assert_eq!(Named::of(None, &user), Named::ByCommit);
    }

    #[test]
    fn a_commit_leads_to_no_nearer_server() {
        let public = endpoint("https://8.8.8.8/r", None);
        for near in ["https://127.0.0.1/r", "http://localhost:1/r", "https://10.0.0.1/r", "http://9.9.9.9/r"] {
            assert!(is_nearer(Some(&public), &endpoint(near, None)), "{near}");
            assert!(is_nearer(None, &endpoint(near, None)), "{near}");
        }
        assert!(!is_nearer(Some(&public), &endpoint("https://9.9.9.9/r", None)));
        assert!(!is_nearer(Some(&endpoint("http://127.0.0.1/r", None)), &endpoint("http://127.0.0.1:2/r", None)));
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
