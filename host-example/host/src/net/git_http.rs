//! What git's configuration says about requests over http: `http.*` and `http.<url>.*`, chosen as git chooses.
//!
//! Values are bytes: a header or a path need not be text.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::files::platform::path_of;
use crate::net::http::{ClientCertificate, Way};
use crate::net::login::Origin;
use crate::net::secret::Secret;
use crate::net::url_match::{Match, compare};

/// The settings `http.*` in git's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct GitHttp {
    entries: Vec<Entry>,
    /// Where relative paths begin: the top of the work tree, and without one the folder of this process.
    top: PathBuf,
    /// The user's name that a URL of this origin holds.
    user: Option<(Origin, Vec<u8>)>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The URL that it is for; none when it is for all.
    url: Option<String>,
    /// Lower case, as `git config --list` prints it.
    name: String,
    value: Secret,
}

impl GitHttp {
    /// The settings among what `git config --list -z` prints.
    pub(crate) fn of_list(listed: &[u8]) -> Self {
        let entries = listed.split(|byte| *byte == 0).filter_map(|entry| {
            let (key, value) = match entry.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&entry[..at], &entry[at + 1..]),
                None => (entry, [].as_slice()),
            };
            let key = std::str::from_utf8(key).ok()?.strip_prefix("http.")?;
            let (url, name) = match key.rsplit_once('.') {
                Some((url, name)) => (Some(url.to_owned()), name),
                None => (None, key),
            };
            Some(Entry { url, name: name.to_owned(), value: Secret::new(value) })
        });
        Self { entries: entries.collect(), ..Self::default() }
    }

    /// The same in a work tree, at whose top git goes before it reads any file.
    pub(crate) fn at_top(self, top: &Path) -> Self {
        Self { top: top.to_owned(), ..self }
    }

    /// The same where the URL of the server names a user, whom the URL of a setting may name too.
    pub(crate) fn of_user(self, origin: Origin, user: Option<Vec<u8>>) -> Self {
        Self { user: user.map(|user| (origin, user)), ..self }
    }

    /// The way to a server. Each of git's variables stands in for its setting.
    pub(crate) fn way(&self, url: &Url) -> Way {
        self.way_in(url, |name| env::var_os(name))
    }

    fn way_in(&self, url: &Url, environment: impl Fn(&str) -> Option<OsString>) -> Way {
        let path = |name| self.path(name, url);
        let of_environment = |name| environment(name).filter(|value| !value.is_empty()).map(|path| self.top.join(path));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let certificate = of_environment("GIT_SSL_CERT").or_else(|| path("sslcert"));
        Way {
            ca_files: of_environment("GIT_SSL_CAINFO").or_else(|| path("sslcainfo")).into_iter().collect(),
            ca_folders: of_environment("GIT_SSL_CAPATH").or_else(|| path("sslcapath")).into_iter().collect(),
            // The empty text means no proxy, whatever the environment says.
            proxy: self.last("proxy", url).map(text),
            certificate: certificate.map(|chain| ClientCertificate {
                key: of_environment("GIT_SSL_KEY").or_else(|| path("sslkey")).unwrap_or_else(|| chain.clone()),
                chain,
            }),
        }
    }

    /// The lines of `http.extraHeader` for a server, in order. An empty one takes back those before it.
    pub(crate) fn extra_headers(&self, url: &Url) -> Vec<(String, Secret)> {
        let mut headers = Vec::new();
        for value in self.values("extraheader", url) {
            if value.is_empty() {
                headers.clear();
            }
            headers.extend(header(value));
        }
        headers
    }

    /// The file of cookies for a server.
    pub(crate) fn cookie_file(&self, url: &Url) -> Option<PathBuf> {
        self.path("cookiefile", url)
    }

    /// A path of the user's, who may begin it with `~/`.
    fn path(&self, name: &str, url: &Url) -> Option<PathBuf> {
        let value = self.last(name, url).filter(|value| !value.is_empty())?;
        Some(match (value.strip_prefix(b"~/"), env::var_os("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(path_of(rest)),
            _ => self.top.join(path_of(value)),
        })
    }

    fn last(&self, name: &str, url: &Url) -> Option<&[u8]> {
        self.values(name, url).pop()
    }

    /// The values that git would take, one after the other: none that is for the server less than one before it.
    fn values(&self, name: &str, url: &Url) -> Vec<&[u8]> {
        let user = self.user.as_ref().filter(|(origin, _)| Origin::of(url).is_ok_and(|of_url| of_url == *origin));
        let user = user.map(|(_, user)| user.as_slice());
        let mut best = Match::default();
        let mut values = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.name == name) {
            let how = match &entry.url {
                None => Match::default(),
                Some(pattern) => match compare(pattern, url, user) {
                    Some(how) => how,
                    None => continue,
                },
            };
            if how >= best {
                best = how;
                values.push(entry.value.expose());
            }
        }
        values
    }
}

/// `Name: value`. What has no value is nothing to send, as curl reads it.
fn header(line: &[u8]) -> Option<(String, Secret)> {
    let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
    let name = std::str::from_utf8(name).ok()?.trim().to_ascii_lowercase();
    let value = value[1..].trim_ascii();
    (!name.is_empty() && !value.is_empty()).then(|| (name, Secret::new(value)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use super::{GitHttp, Secret};
    use crate::net::login::Origin;
    use reqwest::Url;

    fn settings(list: &[(&str, &str)]) -> GitHttp {
        let text: Vec<String> = list.iter().map(|(key, value)| format!("{key}\n{value}\0")).collect();
        GitHttp::of_list(text.concat().as_bytes())
    }

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL of this test")
    }

    #[test]
    fn headers_are_collected_as_git_does() {
        const ALL: &str = "http.extraheader";
        const HOST: &str = "http.https://h/.extraheader";
        const TEAM: &str = "http.https://h/team.extraheader";
        const BOB: &str = "http.https://bob@h/team.extraheader";
        for (list, headers) in [
            (vec![(ALL, "A: 1"), (ALL, "b:2")], "a=1 b=2"),
            (vec![(ALL, "A: 1"), (HOST, "B: 2"), (TEAM, "C: 3")], "a=1 b=2 c=3"),
            // Who means the server less than somebody before is not heard.
            (vec![(HOST, "B: 2"), (ALL, "A: 1")], "b=2"),
            (vec![(TEAM, "C: 3"), (HOST, "B: 2"), (TEAM, "D: 4")], "c=3 d=4"),
            (vec![(BOB, "E: 5"), (TEAM, "C: 3")], "e=5"),
            (vec![(TEAM, "C: 3"), (BOB, "E: 5")], "c=3 e=5"),
            (vec![(ALL, "A: 1"), (ALL, ""), (ALL, "B: 2")], "b=2"),
            (vec![(ALL, "A: 1"), (HOST, ""), (ALL, "C: 3")], ""),
            (vec![(ALL, "A: 1"), ("http.https://other/.extraheader", "")], "a=1"),
            (vec![(ALL, "Empty:"), (ALL, "nonsense"), (ALL, ": x"), (ALL, "A: b: c")], "a=b: c"),
            (vec![("http.https://eve@h/team.extraheader", "A: 1"), ("https.extraheader", "B: 2")], ""),
        ] {
            let server = url("https://h/team/x.git/info/lfs");
            let origin = Origin::of(&server).expect("an origin");
            let found = settings(&list).of_user(origin, Some(b"bob".to_vec())).extra_headers(&server);
            let shown =
                |(name, value): &(String, Secret)| format!("{name}={}", String::from_utf8_lossy(value.expose()));
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>().join(" "), headers, "{list:?}");
        }
        let bytes = GitHttp::of_list(b"http.extraheader\nX: p\xe4\0").extra_headers(&url("https://h/"));
        assert_eq!(bytes[0].1.expose(), b"p\xe4");
    }

    #[test]
    fn the_way_to_each_server_is_its_own() {
        let list = [
            ("http.proxy", "http://all.invalid:1"),
            ("http.https://h/.proxy", ""),
            ("http.sslcapath", "/folder"),
            ("http.https://h/.sslcainfo", "own.pem"),
            ("http.sslcert", "all.pem"),
            ("http.https://h:444/.sslcert", "own.pem"),
            ("http.https://h:444/.sslkey", "own.key"),
        ];
        let http = settings(&list);
        let nothing = |_: &str| None;
        let (own, other) = (url("https://h/x"), url("https://h:444/x"));
        let (own, other) = (http.way_in(&own, nothing), http.way_in(&other, nothing));
        assert_eq!((own.proxy.as_deref(), other.proxy.as_deref()), (Some(""), Some("http://all.invalid:1")));
        assert_eq!((own.ca_files.len(), other.ca_files.len(), other.ca_folders.len()), (1, 0, 1));
        let (own, other) = (own.certificate.expect("one"), other.certificate.expect("one"));
        assert_eq!((own.chain, own.key), ("all.pem".into(), "all.pem".into()));
        assert_eq!((other.chain, other.key), ("own.pem".into(), "own.key".into()));

        let variables = |name: &str| name.starts_with("GIT_SSL_").then(|| OsString::from(name));
        let way = http.way_in(&url("https://h:444/x"), variables);
        assert_eq!((way.ca_files, way.ca_folders), (vec!["GIT_SSL_CAINFO".into()], vec!["GIT_SSL_CAPATH".into()]));
        assert_eq!(way.certificate.expect("one").chain, Path::new("GIT_SSL_CERT"));
        // An empty one is none, and one stands in for the other's setting no more than for its own.
        let one = |name: &str| match name {
            "GIT_SSL_CAINFO" => Some(OsString::from("var.pem")),
            _ => Some(OsString::new()),
        };
        let way = http.way_in(&url("https://h/x"), one);
        assert_eq!((way.ca_files, way.ca_folders), (vec!["var.pem".into()], vec!["/folder".into()]));
    }

    #[test]
    fn relative_paths_begin_at_the_top_of_the_work_tree() {
        let home = PathBuf::from(std::env::var_os("HOME").expect("tests have a home"));
        for (value, path) in [
            ("own.pem", "/top/own.pem".into()),
            ("../own.pem", "/top/../own.pem".into()),
            ("/etc/own.pem", "/etc/own.pem".into()),
            ("~/own.pem", home.join("own.pem")),
            ("a/~/own.pem", "/top/a/~/own.pem".into()),
        ] {
            let names =
                ["sslcainfo", "sslcapath", "sslcert", "sslkey", "cookiefile"].map(|name| format!("http.{name}"));
            let list: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), value)).collect();
            let (http, server) = (settings(&list).at_top(Path::new("/top")), url("https://h/"));
            let way = http.way_in(&server, |_| None);
            let certificate = way.certificate.expect("one");
            let found = [way.ca_files[0].clone(), way.ca_folders[0].clone(), certificate.chain, certificate.key];
            assert!(found.iter().chain(&http.cookie_file(&server)).all(|one| *one == path), "{value}: {found:?}");
            // git's variables know no `~`.
            let way = http.way_in(&server, |_| Some(OsString::from(value)));
            let certificate = way.certificate.expect("one");
            let found = [way.ca_files[0].clone(), way.ca_folders[0].clone(), certificate.chain, certificate.key];
            assert!(found.iter().all(|one| *one == Path::new("/top").join(value)), "{value}: {found:?}");
        }
    }
}
