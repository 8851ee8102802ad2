//! The user's own credential helpers, through `git credential`.
//!
//! Rule: nothing from a URL reaches git's line protocol before it is known to be one line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use super::credential::{Credential, decoded, is_one_line};
use crate::git::{Git, is_in_bare};
use crate::net::secret::Secret;
use crate::process::{Bounds, run};

/// Seconds the user has to answer a prompt of git's.
const FILL_S_MAX: u64 = 300;
/// Seconds a helper has to note how a login went.
const NOTE_S_MAX: u64 = 30;
/// Bytes of git's answer at most.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// `git credential` as the user has it set up.
pub(super) struct GitCredential {
    work_dir: Option<PathBuf>,
}

impl GitCredential {
    pub(super) fn new(work_dir: Option<&Path>) -> Self {
        GitCredential { work_dir: work_dir.map(Path::to_path_buf) }
    }

    /// Asks the helpers, and through them perhaps the user.
    pub(super) fn fill(&self, url: &Url, user: Option<&str>) -> Result<Credential, String> {
        let mut input = description(url)?;
        if let Some(user) = user {
            line(&mut input, "username", user)?;
        }
        let output = self.credential("fill", &input, FILL_S_MAX)?;
        let text = String::from_utf8(output).map_err(|_| "git's answer is not text".to_owned())?;
        parse(&text).ok_or_else(|| "git has no login for this server".to_owned())
    }

    /// Tells the helpers that a login was accepted. What they make of it is theirs.
    pub(super) fn approve(&self, url: &Url, credential: &Credential) {
        self.tell("approve", url, credential);
    }

    /// Tells the helpers that a login was refused.
    pub(super) fn reject(&self, url: &Url, credential: &Credential) {
        self.tell("reject", url, credential);
    }

    fn tell(&self, verb: &str, url: &Url, credential: &Credential) {
        let Credential::Basic(user, password) = credential else { return };
        let described = description(url).and_then(|mut input| {
            line(&mut input, "username", user)?;
            line(&mut input, "password", password.expose())?;
            Ok(input)
        });
        // A helper that fails to remember is asked again next time; nothing else follows from it.
        if let Ok(input) = described {
            self.credential(verb, &input, NOTE_S_MAX).ok();
        }
    }

    fn credential(&self, verb: &str, input: &str, seconds: u64) -> Result<Vec<u8>, String> {
        let here = self.work_dir.as_deref().unwrap_or(Path::new("."));
        // No settings of a folder that a commit may have made: the user's own are found from anywhere.
        let here = if is_in_bare(here) { Path::new("/") } else { here };
        let git = Git::find(here).map_err(|fault| format!("{fault}, so it has no login"))?;
        let mut command = git.command();
        command.args(["credential", verb]);
        let bounds = Bounds { stdout_bytes_max: ANSWER_BYTES_MAX, time_max: Duration::from_secs(seconds) };
        let finished = run(command, input.as_bytes(), bounds).map_err(|fault| format!("git credential: {fault}"))?;
        if finished.success() { Ok(finished.stdout) } else { Err("git has no login for this server".to_owned()) }
    }
}

/// What git is told about a URL: as for the repository itself, so that the helpers find the same login.
fn description(url: &Url) -> Result<String, String> {
    let mut text = String::new();
    line(&mut text, "protocol", url.scheme())?;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    line(&mut text, "host", &host)?;
    let path = decoded(url.path()).map_err(|error| error.to_string())?;
    let path = path.trim_start_matches('/');
    let path = path.split("/info/lfs").next().unwrap_or(path);
    if !path.is_empty() {
        line(&mut text, "path", path)?;
    }
    Ok(text)
}

fn line(text: &mut String, key: &str, value: &str) -> Result<(), String> {
    if !is_one_line(value) {
        return Err("this URL cannot be described to git".to_owned());
    }
    text.push_str(key);
    text.push('=');
    text.push_str(value);
    text.push('\n');
    Ok(())
}

/// User and password out of git's answer.
fn parse(answer: &str) -> Option<Credential> {
    let value = |key: &str| {
        answer.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).filter(|value| !value.is_empty())
    };
    let user = value("username").unwrap_or_default();
    Some(Credential::Basic(user.to_owned(), Secret::new(value("password")?)))
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
        let asked = description(&url("https://h.example:8443/a/b.git/info/lfs/objects/batch")).expect("describable");
        assert_eq!(asked, "protocol=https\nhost=h.example:8443\npath=a/b.git\n");
        assert_eq!(description(&url("https://h.example/")).expect("describable"), "protocol=https\nhost=h.example\n");
    }

    #[test]
    fn no_url_begins_another_line() {
        for path in ["/a%0Aprotocol=http", "/a%0d%0ab", "/a%00b"] {
            assert!(description(&url(&format!("https://h.example{path}"))).is_err(), "{path}");
        }
    }

    #[test]
    fn answers_of_git() {
        let found = parse("protocol=https\nusername=me\npassword=pa=ss\n").expect("a login");
        assert_eq!(format!("{found:?}"), "Basic(\"me\", ***)");
        assert!(parse("username=me\n").is_none());
        assert!(parse("quit=1\n").is_none());
    }
}
