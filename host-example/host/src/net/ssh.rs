//! Asks a server that is reached over ssh where its LFS API is, through the user's own ssh.
//!
//! The rule it keeps: nothing from a URL is ever an option: a part that begins with `-` is refused, the host holds only
//! what hosts are made of, `--` stands before it, and the remote command's path is quoted.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::contract::endpoints::Ssh;
use crate::contract::types::{Code, Direction};
use crate::git::find_program;
use crate::net::secret::Secret;
use crate::process::{self, Bounds};
use reqwest::header::HeaderName;
use serde_json::Value;

use crate::contract::error::Fault;

/// Bytes of the server's answer at most.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Seconds the user's ssh may take, a passphrase included.
const SSH_SECONDS_MAX: u64 = 120;
/// Headers of one answer at most.
const HEADERS_MAX: usize = 64;

/// What the server said.
pub(crate) struct Authenticated {
    /// The LFS URL to use instead of the guessed one.
    pub(crate) href: Option<String>,
    /// Headers for every request there.
    pub(crate) headers: Vec<(String, Secret)>,
}

/// Asks. None when the server does not know the command: then the guessed URL and the usual logins are tried.
pub(crate) fn authenticate(
    directory: &Path,
    core_ssh_command: Option<String>,
    ssh: &Ssh,
    direction: Direction,
) -> Result<Option<Authenticated>, Fault> {
    let verb = match direction {
        Direction::Download => "download",
        Direction::Upload => "upload",
    };
    let arguments = arguments(ssh, verb)?;
    let mut command = user_ssh(directory, core_ssh_command)?;
    command.args(arguments).current_dir(directory);
    let bounds = Bounds { stdout_bytes_max: ANSWER_BYTES_MAX, time_max: Duration::from_secs(SSH_SECONDS_MAX) };
    let ended = process::run(command, b"", bounds)
        .map_err(|fault| Fault::failed(Code::Host, format!("ssh to the server gave no answer: {fault}")))?;
    if ended.success() {
        return parse(&ended.stdout).map(Some);
    }
    if is_unknown_command(ended.status.code(), &ended.stderr) {
        return Ok(None);
    }
    Err(Fault::failed(Code::Auth, format!("ssh to the server failed: {}", first_words(&ended.stderr))))
}

fn arguments(ssh: &Ssh, verb: &str) -> Result<Vec<String>, Fault> {
    let refused =
        |what: &str| Err(Fault::failed(Code::Malformed, format!("the {what} of the ssh address is not usable")));
    let odd = |text: &str| text.starts_with('-') || text.contains(|c: char| c.is_control());
    // The user's own ssh configuration may put this into shell commands (`ProxyCommand`, `Match exec`).
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._@:-[]+~=,".contains(c);
    if ssh.user_and_host.is_empty() || odd(&ssh.user_and_host) || !ssh.user_and_host.chars().all(harmless) {
        return refused("host");
    }
    // `user@-host` is no option to ssh, yet nothing honest looks like it.
    if ssh.user_and_host.rsplit('@').next().is_none_or(|host| host.is_empty() || host.starts_with('-')) {
        return refused("host");
    }
    if !ssh.port.bytes().all(|byte| byte.is_ascii_digit()) || ssh.port.len() > 5 {
        return refused("port");
    }
    if ssh.path.is_empty() || odd(&ssh.path) {
        return refused("path");
    }
    let mut arguments = Vec::new();
    if !ssh.port.is_empty() {
        arguments.extend(["-p".to_owned(), ssh.port.clone()]);
    }
    arguments.extend(["--".to_owned(), ssh.user_and_host.clone()]);
    arguments.push(format!("git-lfs-authenticate {} {verb}", shell_word(&ssh.path)));
    Ok(arguments)
}

/// Whether the server has no such command, in the words of shells and of the servers that stand in for one. What ssh
/// itself cannot do ends with 255.
fn is_unknown_command(code: Option<i32>, words: &str) -> bool {
    const WORDS: [&str; 9] = [
        "command not found",
        "git-lfs-authenticate: not found",
        "not found: git-lfs-authenticate",
        "no such file or directory",
        "unrecognized command",
        "unknown command",
        "unknown git/gitolite command",
        "invalid command",
        "is not recognized as",
    ];
    let words = words.to_ascii_lowercase();
    code == Some(127) || (code != Some(255) && WORDS.iter().any(|known| words.contains(known)))
}

/// A path as one word of the remote shell; plain paths stay as they are, which servers without a shell expect.
fn shell_word(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '+' | '@' | ':' | ',');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// The user's ssh: `GIT_SSH_COMMAND`, `core.sshCommand`, `GIT_SSH`, `ssh`, as git chooses.
fn user_ssh(directory: &Path, core_ssh_command: Option<String>) -> Result<Command, Fault> {
    let line = env::var("GIT_SSH_COMMAND").ok().filter(|line| !line.is_empty()).or(core_ssh_command);
    if let Some(line) = line.filter(|line| !line.trim().is_empty()) {
        let mut command = Command::new("/bin/sh");
        // As git does it: the line is the user's own shell text, our arguments reach it as parameters.
        command.args(["-c", &format!("{line} \"$@\""), "ssh"]);
        return Ok(command);
    }
    let none = |what: &str| Fault::failed(Code::Host, format!("the remote is reached over ssh, and {what}"));
    match env::var_os("GIT_SSH").filter(|program| !program.is_empty()).map(PathBuf::from) {
        // A path is meant from where the user stands.
        Some(program) if program.components().count() > 1 => Ok(Command::new(std::path::absolute(program)?)),
        Some(name) => {
            let found = name.to_str().and_then(|name| find_program(name, directory));
            found.map(Command::new).ok_or_else(|| none("the program that GIT_SSH names was not found on PATH"))
        }
        None => find_program("ssh", directory).map(Command::new).ok_or_else(|| none("no ssh was found on PATH")),
    }
}

fn parse(answer: &[u8]) -> Result<Authenticated, Fault> {
    let broken =
        || Fault::failed(Code::Malformed, "the server's answer over ssh is not what git-lfs-authenticate says");
    let answer: Value = serde_json::from_slice(answer).map_err(|_| broken())?;
    let fields = answer.as_object().ok_or_else(broken)?;
    let href = match fields.get("href") {
        None | Some(Value::Null) => None,
        Some(Value::String(href)) if href.is_empty() => None,
        Some(Value::String(href)) if !href.contains(|c: char| c.is_control() || c == ' ') => Some(href.clone()),
        Some(_) => return Err(broken()),
    };
    let mut headers = Vec::new();
    if let Some(Value::Object(given)) = fields.get("header") {
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().filter(|value| !value.contains(['\r', '\n', '\0'])).ok_or_else(broken)?;
            if HeaderName::from_bytes(name.as_bytes()).is_err() || headers.len() >= HEADERS_MAX {
                return Err(broken());
            }
            headers.push((name.clone(), Secret::new(value)));
        }
    }
    Ok(Authenticated { href, headers })
}

fn first_words(text: &str) -> String {
    const WORDS_CHARS_MAX: usize = 300;
    if text.is_empty() { "it said nothing".to_owned() } else { text.chars().take(WORDS_CHARS_MAX).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(user_and_host: &str, port: &str, path: &str) -> Ssh {
        Ssh { user_and_host: user_and_host.into(), port: port.into(), path: path.into() }
    }

    #[test]
    fn arguments_keep_options_and_shells_out() {
        let good = arguments(&ssh("git@host", "2222", "team/repo.git"), "download").expect("plain");
        assert_eq!(good, ["-p", "2222", "--", "git@host", "git-lfs-authenticate team/repo.git download"]);
        let quoted = arguments(&ssh("host", "", "a b;c'd"), "upload").expect("quoted");
        assert_eq!(quoted[2], r"git-lfs-authenticate 'a b;c'\''d' upload");
        for user in ["git", "build+ci", "us~er", "a=b", "a,b", "me@corp.example"] {
            let taken = arguments(&ssh(&format!("{user}@host"), "", "p"), "download").expect("a user");
            assert_eq!(taken[1], format!("{user}@host"));
        }
        for (host, port, path) in [
            ("-oProxyCommand=x", "", "p"),
            ("git@-oProxyCommand=x", "", "p"),
            ("", "", "p"),
            ("git@", "", "p"),
            ("ho st", "", "p"),
            ("ho`id`st", "", "p"),
            ("us$(id)er@host", "", "p"),
            ("h\u{f6}st", "", "p"),
            ("host", "22x", "p"),
            ("host", "-1", "p"),
            ("host", "", "-p"),
            ("host", "", "a\nb"),
            ("host", "", ""),
        ] {
            assert!(arguments(&ssh(host, port, path), "download").is_err(), "{host} {port} {path}");
        }
    }

    #[test]
    fn servers_without_the_command() {
        for (code, words, is_unknown) in [
            (127, "", true),
            (127, "bash: git-lfs-authenticate: command not found", true),
            (1, "sh: 1: git-lfs-authenticate: not found", true),
            (128, "fatal: unrecognized command 'git-lfs-authenticate r download'", true),
            (1, "FATAL: unknown git/gitolite command: 'git-lfs-authenticate r download'", true),
            (1, "Invalid command: git-lfs-authenticate", true),
            (1, "ERROR: Unknown command", true),
            (126, "exec: /usr/lib/git-lfs-authenticate: No such file or directory", true),
            (1, "ERROR: Repository not found.", false),
            (1, "", false),
            (255, "ssh: connect to host h port 22: Connection refused", false),
            (255, "ssh: exec proxy: command not found", false),
        ] {
            assert_eq!(is_unknown_command(Some(code), words), is_unknown, "{code} {words}");
        }
        assert!(!is_unknown_command(None, ""));
    }

    #[test]
    fn answers_are_checked() {
        let good =
            parse(br#"{"href":"https://h/x","header":{"Authorization":"secret"},"expires_in":5}"#).expect("good");
        assert_eq!(good.href.as_deref(), Some("https://h/x"));
        assert_eq!(good.headers[0].1.expose(), b"secret");
        assert!(parse(b"{}").expect("nothing to add").href.is_none());
        for (given, names) in [
            (&br#"{"header":null}"#[..], &[][..]),
            (br#"{"header":{"Authorization":null}}"#, &[]),
            (br#"{"header":{"X_Tok":"1","x-9!#$%&'*+.^_`|~":"2"}}"#, &["X_Tok", "x-9!#$%&'*+.^_`|~"]),
        ] {
            let headers = parse(given).expect("an answer").headers;
            assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
        }
        for bad in [&b"[]"[..], b"no", br#"{"href":5}"#, br#"{"header":{"a b":"c"}}"#, br#"{"header":{"a":"c\nd"}}"#] {
            assert!(parse(bad).is_err());
        }
    }
}
