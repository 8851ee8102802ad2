//! Finds the endpoint in git's configuration.
//!
//! The order and the forms are those of git-lfs (`lfsapi/endpoint_finder.go`, `lfshttp/endpoint.go`; the vectors record
//! its results): LFS addresses are used as they are, only clone addresses get `/info/lfs`.

use crate::contract::Direction;
use crate::text::error::{Code, Error};
use crate::text::url::percent_decoded;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// One entry of git's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key as `git config --list` prints it.
    pub key: String,
    /// Value.
    pub value: String,
}

/// Arguments for `git-lfs-authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// `user@host` or `host`.
    pub user_and_host: String,
    /// Port, or empty.
    pub port: String,
    /// Path of the repository on the ssh server.
    pub path: String,
}

/// Where the LFS API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// URL. May hold userinfo.
    pub url: String,
    /// For ssh remotes: call `git-lfs-authenticate` there first.
    pub ssh: Option<Ssh>,
}

/// Finds the endpoint for transfers with `remote` in this direction.
pub fn derive(settings: &[Setting], direction: Direction, remote: &str) -> Result<Endpoint, Error> {
    let settings = Settings(settings);
    let upload = direction == Direction::Upload;
    let of = |remote: &str, key: &str| settings.get(&format!("remote.{remote}.{key}"));
    let given = |key: &str| settings.get(key);
    let explicit = upload.then(|| given("lfs.pushurl")).flatten().or_else(|| given("lfs.url"));
    if let Some(url) = explicit {
        return settings.address(url, direction);
    }
    for name in [remote, "origin"] {
        let explicit = upload.then(|| of(name, "lfspushurl")).flatten().or_else(|| of(name, "lfsurl"));
        if let Some(url) = explicit {
            return settings.address(url, direction);
        }
        let clone = upload.then(|| of(name, "pushurl")).flatten().or_else(|| of(name, "url"));
        if let Some(url) = clone {
            return settings.clone_address(url, direction);
        }
    }
    if remote.contains(':') {
        return settings.clone_address(remote, direction);
    }
    Err(Error::new(Code::NotFound, format_args!("neither lfs.url nor the remote {remote} names an LFS server")))
}

/// Whether `.lfsconfig`, which any commit can change, may set this key (git-lfs's list of safe keys).
pub fn allowed_in_repository(key: &str) -> bool {
    const SAFE: [&str; 9] = [
        "lfs.allowincompletepush",
        "lfs.fetchexclude",
        "lfs.fetchinclude",
        "lfs.gitprotocol",
        "lfs.locksverify",
        "lfs.pushurl",
        "lfs.skipdownloaderrors",
        "lfs.url",
        "remote.lfsdefault",
    ];
    let key = folded(key);
    let between =
        |start: &str, end: &str| key.len() > start.len() + end.len() && key.starts_with(start) && key.ends_with(end);
    SAFE.contains(&key.as_str()) || between("lfs.", ".access") || between("remote.", ".lfsurl")
}

/// Section and name are ASCII and case-insensitive; the part between them is neither.
fn folded(key: &str) -> String {
    match (key.find('.'), key.rfind('.')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}{}{}", key[..first].to_ascii_lowercase(), &key[first..last], key[last..].to_ascii_lowercase())
        }
        _ => key.to_ascii_lowercase(),
    }
}

struct Settings<'a>(&'a [Setting]);

impl<'a> Settings<'a> {
    /// The last value of a key; an empty one counts as none.
    fn get(&self, key: &str) -> Option<&'a str> {
        let setting = self.0.iter().rev().find(|setting| folded(&setting.key) == key)?;
        Some(setting.value.as_str()).filter(|value| !value.is_empty())
    }

    /// `url.BASE.insteadOf`: the longest prefix wins, and of equal ones the base that was named first, as in git;
    /// `pushInsteadOf` comes first for uploads.
    fn rewritten(&self, url: &str, direction: Direction) -> String {
        let longest = |name: &str| {
            let mut bases: Vec<&str> = Vec::new();
            let mut best: Option<(usize, usize)> = None;
            for setting in self.0 {
                let folded = folded(&setting.key);
                let Some(base) = folded.strip_prefix("url.").and_then(|rest| rest.strip_suffix(name)) else { continue };
                let base = &setting.key["url.".len().."url.".len() + base.len()];
                let place = bases.iter().position(|known| *known == base).unwrap_or(bases.len());
                if place == bases.len() {
                    bases.push(base);
                }
                let prefix = setting.value.len();
                let wins = best.is_none_or(|(length, other)| prefix > length || (prefix == length && place < other));
                if prefix > 0 && url.starts_with(&setting.value) && wins {
                    best = Some((prefix, place));
                }
            }
            best.map(|(prefix, place)| format!("{}{}", bases[place], &url[prefix..]))
        };
        let push = (direction == Direction::Upload).then(|| longest(".pushinsteadof")).flatten();
        push.or_else(|| longest(".insteadof")).unwrap_or_else(|| url.to_owned())
    }

    fn clone_address(&self, url: &str, direction: Direction) -> Result<Endpoint, Error> {
        let Endpoint { url, ssh } = self.address(url, direction)?;
        let url = url.strip_suffix('/').unwrap_or(&url);
        let suffix = match url {
            _ if url.starts_with("file://") => "",
            _ if url.ends_with(".git") => "/info/lfs",
            _ => ".git/info/lfs",
        };
        Ok(Endpoint { url: format!("{url}{suffix}"), ssh })
    }

    /// The endpoint for an address in any form that git takes.
    fn address(&self, url: &str, direction: Direction) -> Result<Endpoint, Error> {
        let url = self.rewritten(url, direction);
        if url.contains(char::is_control) {
            return Err(Error::new(Code::Malformed, "the remote's address holds a control character"));
        }
        let plain = |url: String| Ok(Endpoint { url, ssh: None });
        if url.starts_with('/') {
            return plain(format!("file://{url}"));
        }
        let Some((scheme, rest)) = url.split_once(':') else { return unusable() };
        let Some(rest) = rest.strip_prefix("//") else {
            // `name::address` is for a program of git's that hydrant does not know.
            return if rest.starts_with(':') { unusable() } else { scp_form(&url) };
        };
        // A scheme has no case (RFC 3986 section 3.1).
        match scheme.to_ascii_lowercase().as_str() {
            scheme @ ("http" | "https" | "file") => plain(format!("{scheme}://{rest}")),
            "git" => match self.get("lfs.gitprotocol").unwrap_or("https") {
                scheme @ ("http" | "https") => plain(format!("{scheme}://{rest}")),
                // Any commit can set it: it must not smuggle in a host.
                _ => Err(Error::new(Code::Malformed, "lfs.gitprotocol is neither http nor https")),
            },
            "ssh" | "git+ssh" | "ssh+git" => ssh_url(rest),
            _ => unusable(),
        }
    }
}

fn unusable() -> Result<Endpoint, Error> {
    Err(Error::new(Code::Rejected, "no LFS server follows from the address: set lfs.url to one of http or https"))
}

/// `user@host:port/path`; the port is ssh's and does not belong to https. User and path may hold percent escapes.
fn ssh_url(rest: &str) -> Result<Endpoint, Error> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if host.contains('[') {
        return unusable();
    }
    let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let login = match user {
        // ssh takes no password from an address; it would end up in a command line.
        Some(user) => format!("{}@{host}", decoded(user.split(':').next().unwrap_or_default())?),
        None => host.to_owned(),
    };
    ssh(&login, host, port, &decoded(path)?, path)
}

/// `user@host:path` or `[user@host:port]:path`; nothing in it is an escape. A path from the root keeps its slash
/// behind the host's, as git-lfs writes it.
fn scp_form(url: &str) -> Result<Endpoint, Error> {
    let (authority, path) = match url.strip_prefix('[').and_then(bracketed) {
        Some(split) => split,
        None => match url.split_once(':') {
            Some(split) => split,
            None => return unusable(),
        },
    };
    let (login, port) =
        if url.starts_with('[') { authority.rsplit_once(':').unwrap_or((authority, "")) } else { (authority, "") };
    let host = login.rsplit_once('@').map_or(login, |(_, host)| host);
    ssh(login, host, port, path, &format!("/{path}"))
}

/// Splits `user@host:port]:path`.
fn bracketed(rest: &str) -> Option<(&str, &str)> {
    let (authority, path) = rest.split_once(']')?;
    Some((authority, path.strip_prefix(':')?))
}

/// What the percent escapes of a part of an ssh address stand for.
fn decoded(part: &str) -> Result<String, Error> {
    let text = String::from_utf8(percent_decoded(part)).ok().filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| Error::new(Code::Malformed, "the remote's ssh address holds bytes that no address has"))
}

/// A part that begins with `-` would be an option of the ssh program (CVE-2017-17831).
fn ssh(login: &str, host: &str, port: &str, path: &str, url_path: &str) -> Result<Endpoint, Error> {
    let options = [login, host, port, path].iter().any(|part| part.starts_with('-'));
    if host.is_empty() || options || !port.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Error::new(Code::Malformed, "the remote's ssh address cannot be used"));
    }
    let ssh = Ssh { user_and_host: login.to_owned(), port: port.to_owned(), path: path.to_owned() };
    // git takes blanks in such a path, a URL does not.
    Ok(Endpoint { url: format!("https://{host}{}", url_path.replace(' ', "%20")), ssh: Some(ssh) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn setting(key: &str, value: &str) -> Setting {
        Setting { key: key.to_owned(), value: value.to_owned() }
    }

    fn derived(settings: &[Setting], direction: Direction) -> Result<(String, String), Error> {
        let Endpoint { url, ssh } = derive(settings, direction, "origin")?;
        let ssh = ssh.map(|ssh| format!("{} {} {}", ssh.user_and_host, ssh.port, ssh.path)).unwrap_or_default();
        Ok((url, ssh))
    }

    /// Every row but those with percent escapes in an scp form, which git does not decode, is what git-lfs 3.3.0 says.
    #[test]
    fn forms_of_remotes() {
        for (remote, url, ssh) in [
            ("HTTPS://Host.Example/x.git", "https://Host.Example/x.git/info/lfs", ""),
            ("Http://h.example/x", "http://h.example/x.git/info/lfs", ""),
            ("GIT://h.example/x", "https://h.example/x.git/info/lfs", ""),
            ("SSH://git@h.example/x.git", "https://h.example/x.git/info/lfs", "git@h.example  /x.git"),
            ("ssh://git@h:22/a%20b.git", "https://h/a%20b.git/info/lfs", "git@h 22 /a b.git"),
            ("ssh://git@h/a b.git", "https://h/a%20b.git/info/lfs", "git@h  /a b.git"),
            ("ssh://me%40corp@h/%C3%BC", "https://h/%C3%BC.git/info/lfs", "me@corp@h  /\u{fc}"),
            ("ssh://git:pw@h/x.git", "https://h/x.git/info/lfs", "git@h  /x.git"),
            ("ssh://git@h/~/x.git", "https://h/~/x.git/info/lfs", "git@h  /~/x.git"),
            ("ssh://a+b@h/50%", "https://h/50%.git/info/lfs", "a+b@h  /50%"),
            ("git@h:/abs/path", "https://h//abs/path.git/info/lfs", "git@h  /abs/path"),
            ("git@h:rel/path.git", "https://h/rel/path.git/info/lfs", "git@h  rel/path.git"),
            ("git@h:~me/x", "https://h/~me/x.git/info/lfs", "git@h  ~me/x"),
            ("[git@h:2222]:/p/x.git", "https://h//p/x.git/info/lfs", "git@h 2222 /p/x.git"),
            ("git@h:a b.git", "https://h/a%20b.git/info/lfs", "git@h  a b.git"),
            ("git@h:my%20repo.git", "https://h/my%20repo.git/info/lfs", "git@h  my%20repo.git"),
        ] {
            let found = derived(&[setting("remote.origin.url", remote)], Direction::Download);
            assert_eq!(found.ok(), Some((url.to_owned(), ssh.to_owned())), "{remote}");
        }
        for remote in [
            "ssh://%2DoProxyCommand=x@h/r",
            "ssh://-oProxyCommand=x/r",
            "ssh://a%0Ab@h/r",
            "ssh://h/a%00b",
            "ssh://h/%ff",
            "ssh://@/r",
            "FTP://h/r",
            "ext::h/r",
        ] {
            assert!(derived(&[setting("remote.origin.url", remote)], Direction::Download).is_err(), "{remote}");
        }
    }

    /// As `git remote get-url` chooses.
    #[test]
    fn of_equal_aliases_the_base_that_was_named_first_wins() {
        let rule = |base: &str, name: &str, value: &str| setting(&format!("url.https://{base}/.{name}"), value);
        let of = |rules: &[Setting], direction| {
            let settings = [&[setting("remote.origin.url", "gh:r")], rules].concat();
            derived(&settings, direction).map(|(url, _)| url.replace(".git/info/lfs", "")).ok()
        };
        let (read, write) = (Direction::Download, Direction::Upload);
        for (rules, read_from, written_to) in [
            (vec![rule("a", "insteadof", "gh:"), rule("b", "insteadof", "gh:")], "a", "a"),
            (vec![rule("b", "insteadof", "gh:"), rule("a", "insteadof", "gh:")], "b", "b"),
            // A base counts from where it stands first, with whatever alias.
            (vec![rule("a", "insteadof", "x"), rule("b", "insteadof", "gh:"), rule("a", "insteadof", "gh:")], "a", "a"),
            (
                vec![rule("a", "pushinsteadof", "x"), rule("b", "insteadof", "gh:"), rule("a", "insteadof", "gh:")],
                "b",
                "b",
            ),
            (vec![rule("a", "insteadof", "g"), rule("b", "insteadof", "gh:")], "b", "b"),
            (
                vec![
                    rule("a", "insteadof", "gh:"),
                    rule("b", "pushInsteadOf", "gh:"),
                    rule("c", "pushinsteadof", "gh:"),
                ],
                "a",
                "b",
            ),
        ] {
            let url = |base: &str| Some(format!("https://{base}/r"));
            assert_eq!((of(&rules, read), of(&rules, write)), (url(read_from), url(written_to)), "{rules:?}");
        }
    }

    #[test]
    fn a_commit_may_choose_among_the_remotes() {
        assert!(allowed_in_repository("remote.lfsdefault") && allowed_in_repository("remote.o.lfsurl"));
        assert!(!allowed_in_repository("remote.o.url") && !allowed_in_repository("remote.pushdefault"));
    }
}
