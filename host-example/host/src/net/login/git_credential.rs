//! The user's own credential helpers, through `git credential`.
//!
//! Rule: nothing from a URL reaches git's line protocol before it is known to be one line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use super::credential::{AUTHORIZATION, Credential, decoded, is_one_line};
use super::origin::Origin;
use crate::contract::types::Direction;
use crate::git::{Git, is_in_bare};
use crate::net::secret::Secret;
use crate::process::{Bounds, run};

/// Seconds the user has to answer a prompt of git's.
const FILL_S_MAX: u64 = 300;
/// Seconds a helper has to note how a login went.
const NOTE_S_MAX: u64 = 30;
/// Bytes of git's answer at most.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Tells git, from 2.46 on, that another scheme than user and password will do.
const CAPABLE: &[u8] = b"capability[]=authtype\n";
/// Why there is no login.
const NONE: &str = "git has no login for this server";

/// What git answered, to be given back to it as it is when the login was accepted or refused.
#[derive(Clone, Debug)]
pub(super) struct Answer(pub(super) Secret);

/// `git credential` as the user has it set up.
pub(super) struct GitCredential {
    work_dir: Option<PathBuf>,
    /// The server of a repository, and the remote that it belongs to.
    server: Option<Server>,
}

struct Server {
    endpoint: Url,
    remote: String,
    direction: Direction,
}

impl GitCredential {
    pub(super) fn new(work_dir: Option<&Path>) -> Self {
        GitCredential { work_dir: work_dir.map(Path::to_path_buf), server: None }
    }

    pub(super) fn of_remote(self, endpoint: &str, remote: &str, direction: Direction) -> Self {
        let server =
            Url::parse(endpoint).ok().map(|endpoint| Server { endpoint, remote: remote.to_owned(), direction });
        GitCredential { server, ..self }
    }

    /// Asks the helpers, and through them perhaps the user.
    pub(super) fn fill(&self, url: &Url, user: Option<&[u8]>) -> Result<(Credential, Answer), String> {
        let mut input = description(&self.asked_for(url))?;
        if let Some(user) = user {
            line(&mut input, "username", user)?;
        }
        input.extend_from_slice(CAPABLE);
        let answer = self.credential("fill", &input, FILL_S_MAX)?;
        let credential = parse(&answer).ok_or(NONE)?;
        Ok((credential, Answer(Secret::new(answer))))
    }

    /// Tells the helpers that a login was accepted. What they make of it is theirs.
    pub(super) fn approve(&self, answer: &Secret) {
        // A helper that fails to remember is asked again next time; nothing else follows from it.
        self.credential("approve", answer.expose(), NOTE_S_MAX).ok();
    }

    /// Tells the helpers that a login was refused.
    pub(super) fn reject(&self, answer: &Secret) {
        self.credential("reject", answer.expose(), NOTE_S_MAX).ok();
    }

    /// The URL that the helpers are asked about: the remote's as git itself spells it, where it lies at the same
    /// origin, so that a login that is kept for a path is found; else the server's.
    fn asked_for(&self, url: &Url) -> Url {
        let Some(Server { endpoint, remote, direction }) = &self.server else { return url.clone() };
        let origin = Origin::of(url).ok();
        let is_there = |other: &Url| Origin::of(other).ok() == origin;
        if !is_there(endpoint) {
            return url.clone();
        }
        let command: &[&str] = match direction {
            Direction::Download => &["remote", "get-url", "--", remote],
            Direction::Upload => &["remote", "get-url", "--push", "--", remote],
        };
        let asked = self.git().ok().and_then(|git| git.read(command, b"").ok());
        let of_remote = asked.and_then(|said| Url::parse(String::from_utf8(said).ok()?.trim_end()).ok());
        of_remote.filter(is_there).unwrap_or_else(|| endpoint.clone())
    }

    fn git(&self) -> Result<Git, String> {
        let here = self.work_dir.as_deref().unwrap_or(Path::new("."));
        // No settings of a folder that a commit may have made: the user's own are found from anywhere.
        let here = if is_in_bare(here) { Path::new("/") } else { here };
        Git::find(here).map_err(|fault| format!("{fault}, so it has no login"))
    }

    fn credential(&self, verb: &str, input: &[u8], seconds: u64) -> Result<Vec<u8>, String> {
        let mut command = self.git()?.command();
        command.args(["credential", verb]);
        let bounds = Bounds { stdout_bytes_max: ANSWER_BYTES_MAX, time_max: Duration::from_secs(seconds) };
        let finished = run(command, input, bounds).map_err(|fault| format!("git credential: {fault}"))?;
        if finished.success() { Ok(finished.stdout) } else { Err(NONE.to_owned()) }
    }
}

/// Asks for the password of the key of a client certificate, as git does, and tries it: git hears whether it opens the
/// key.
pub(crate) fn certificate_password<T>(
    work_dir: Option<&Path>,
    certificate: &Path,
    open: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, String> {
    let git = GitCredential::new(work_dir);
    let mut input = b"protocol=cert\nhost=\nusername=\n".to_vec();
    line(&mut input, "path", certificate.as_os_str().as_encoded_bytes())?;
    let answer = git.credential("fill", &input, FILL_S_MAX).map_err(|_| "git has no password for it".to_owned())?;
    let password = value(&answer, b"password").ok_or("git has no password for it")?;
    let (opened, answer) = (open(password), Secret::new(answer.clone()));
    match opened {
        Some(opened) => {
            git.approve(&answer);
            Ok(opened)
        }
        None => {
            git.reject(&answer);
            Err("the password that git gave does not open it".to_owned())
        }
    }
}

/// What git is told about a URL: as for the repository itself, so that the helpers find the same login.
fn description(url: &Url) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    line(&mut text, "protocol", url.scheme().as_bytes())?;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    line(&mut text, "host", host.as_bytes())?;
    let path = url.path().trim_matches('/');
    let path = path.split("/info/lfs").next().unwrap_or(path);
    if !path.is_empty() {
        line(&mut text, "path", &decoded(path).map_err(|error| error.to_string())?)?;
    }
    Ok(text)
}

fn line(text: &mut Vec<u8>, key: &str, value: &[u8]) -> Result<(), String> {
    if !is_one_line(value) {
        return Err("this URL cannot be described to git".to_owned());
    }
    for part in [key.as_bytes(), b"=", value, b"\n"] {
        text.extend_from_slice(part);
    }
    Ok(())
}

/// The value of a line of git's answer.
fn value<'a>(answer: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    answer.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(key)?.strip_prefix(b"="))
}

/// The login of git's answer: a scheme and what it carries, or user and password. An empty password is one.
fn parse(answer: &[u8]) -> Option<Credential> {
    if let (Some(scheme), Some(carried)) = (value(answer, b"authtype"), value(answer, b"credential")) {
        let header = Secret::new([scheme, b" ", carried].concat());
        return Some(Credential::Headers(vec![(AUTHORIZATION.to_owned(), header)]));
    }
    let user = value(answer, b"username").unwrap_or_default();
    Some(Credential::Basic(user.to_vec(), Secret::new(value(answer, b"password")?)))
}

#[cfg(test)]
mod tests {
    use super::{description, parse};
    use reqwest::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL of this test")
    }

    #[test]
    fn git_is_asked_for_the_repository_itself() {
        for (server, path) in [
            ("https://h.example:8443/a/b.git/info/lfs/objects/batch", "path=a/b.git\n"),
            ("https://h.example:8443/a/b", "path=a/b\n"),
            ("https://h.example:8443/a/b/", "path=a/b\n"),
            ("https://h.example:8443/a%20b/%C3%BC", "path=a b/\u{fc}\n"),
            ("https://h.example:8443/", ""),
        ] {
            let asked = description(&url(server)).expect("describable");
            let expected = format!("protocol=https\nhost=h.example:8443\n{path}");
            assert_eq!(String::from_utf8(asked).expect("text"), expected, "{server}");
        }
    }

    #[test]
    fn no_url_begins_another_line() {
        for path in ["/a%0Aprotocol=http", "/a%0d%0ab", "/a%00b"] {
            assert!(description(&url(&format!("https://h.example{path}"))).is_err(), "{path}");
        }
    }

    #[test]
    fn answers_of_git() {
        for (answer, header) in [
            (&b"protocol=https\nusername=me\npassword=pa=ss\n"[..], Some("Basic bWU6cGE9c3M=")),
            (b"username=me\npassword=\n", Some("Basic bWU6")),
            (b"password=p\n", Some("Basic OnA=")),
            (b"username=me\npassword=p\xe4\n", Some("Basic bWU6cOQ=")),
            (b"capability[]=authtype\nauthtype=Bearer\ncredential=T k=\n", Some("Bearer T k=")),
            (b"capability[]=authtype\nauthtype=Bearer\nusername=me\npassword=p\n", Some("Basic bWU6cA==")),
            (b"username=me\n", None),
            (b"quit=1\n", None),
        ] {
            let found = parse(answer).map(|found| found.headers()[0].1.expose().to_vec());
            assert_eq!(found.as_deref(), header.map(str::as_bytes), "{}", answer.escape_ascii());
        }
        let found = parse(b"username=me\npassword=p\n").expect("a login");
        assert!(!format!("{found:?}").contains("\"p\""));
    }
}
