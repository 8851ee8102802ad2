//! Finds the endpoint in git's configuration.
//!
//! The order and the forms are those of git-lfs (`lfsapi/endpoint_finder.go`, `lfshttp/endpoint.go`; the vectors record
//! its results): LFS addresses are used as they are, only clone addresses get `/info/lfs`.

use crate::contract::Direction;
use crate::text::error::{Code, Error};
use alloc::borrow::ToOwned as _;
use alloc::string::String;

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
    const SAFE: [&str; 8] = [
        "lfs.allowincompletepush",
        "lfs.fetchexclude",
        "lfs.fetchinclude",
        "lfs.gitprotocol",
        "lfs.locksverify",
        "lfs.pushurl",
        "lfs.skipdownloaderrors",
        "lfs.url",
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

    /// `url.BASE.insteadOf`: the longest prefix wins, `pushInsteadOf` comes first for uploads.
    fn rewritten(&self, url: &str, direction: Direction) -> String {
        let longest = |name: &str| {
            let rules = self.0.iter().filter_map(|setting| {
                let base = folded(&setting.key).strip_prefix("url.")?.strip_suffix(name)?.len();
                Some((&setting.key["url.".len().."url.".len() + base], setting.value.as_str()))
            });
            rules
                .filter(|(_, prefix)| !prefix.is_empty() && url.starts_with(prefix))
                .max_by_key(|(_, prefix)| prefix.len())
        };
        let push = (direction == Direction::Upload).then(|| longest(".pushinsteadof")).flatten();
        match push.or_else(|| longest(".insteadof")) {
            Some((base, prefix)) => format!("{base}{}", &url[prefix.len()..]),
            None => url.to_owned(),
        }
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
        match url.split_once("://") {
            Some(("http" | "https" | "file", _)) => plain(url),
            Some(("git", rest)) => match self.get("lfs.gitprotocol").unwrap_or("https") {
                scheme @ ("http" | "https") => plain(format!("{scheme}://{rest}")),
                // Any commit can set it: it must not smuggle in a host.
                _ => Err(Error::new(Code::Malformed, "lfs.gitprotocol is neither http nor https")),
            },
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => ssh_url(rest),
            Some(_) => unusable(),
            None if url.contains("::") => unusable(),
            None => scp_form(&url),
        }
    }
}

fn unusable() -> Result<Endpoint, Error> {
    Err(Error::new(Code::Rejected, "no LFS server follows from the address: set lfs.url to one of http or https"))
}

/// `user@host:port/path`; the port is ssh's and does not belong to https.
fn ssh_url(rest: &str) -> Result<Endpoint, Error> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if host.contains('[') {
        return unusable();
    }
    let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
    // ssh takes no password from an address; it would end up in a command line.
    let user = user.map(|user| user.split(':').next().unwrap_or_default());
    let login = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
    ssh(&login, port, path, path)
}

/// `user@host:path` or `[user@host:port]:path`.
fn scp_form(url: &str) -> Result<Endpoint, Error> {
    let (authority, path) = match url.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some(bracketed) => bracketed,
        None => match url.split_once(':') {
            Some(split) => split,
            None => return unusable(),
        },
    };
    let (login, port) =
        if url.starts_with('[') { authority.rsplit_once(':').unwrap_or((authority, "")) } else { (authority, "") };
    ssh(login, port, path, &format!("/{}", path.strip_prefix('/').unwrap_or(path)))
}

/// A part that begins with `-` would be an option of the ssh program (CVE-2017-17831).
fn ssh(login: &str, port: &str, path: &str, url_path: &str) -> Result<Endpoint, Error> {
    let host = login.rsplit_once('@').map_or(login, |(_, host)| host);
    let options = [login, host, port, path].iter().any(|part| part.starts_with('-'));
    if host.is_empty() || options || !port.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Error::new(Code::Malformed, "the remote's ssh address cannot be used"));
    }
    let ssh = Ssh { user_and_host: login.to_owned(), port: port.to_owned(), path: path.to_owned() };
    Ok(Endpoint { url: format!("https://{host}{url_path}"), ssh: Some(ssh) })
}
