//! Which URL of a setting `http.<url>.*` means a server, and which means it best: git's rules (`git help config`,
//! `http.<url>.*`).

use percent_encoding::percent_decode_str;
use reqwest::Url;

/// How well a URL of a setting means a server. A greater one wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    host: usize,
    path: usize,
    has_user: bool,
}

/// Compares a setting's URL with the one of a server and the user's name that belongs to it. None when it is another.
pub(super) fn compare(pattern: &str, url: &Url, user: Option<&[u8]>) -> Option<Match> {
    let pattern = Url::parse(pattern).ok()?;
    let is_user = |name: &str| user.is_some_and(|user| percent_decode_str(name).eq(user.iter().copied()));
    let has_user = !pattern.username().is_empty();
    let is_same = pattern.scheme() == url.scheme()
        && pattern.port_or_known_default() == url.port_or_known_default()
        && (!has_user || is_user(pattern.username()));
    if !is_same || !is_host(pattern.host_str()?, url.host_str()?) {
        return None;
    }
    let path = path(pattern.path(), url.path())?;
    Some(Match { host: pattern.host_str()?.len(), path, has_user })
}

/// A star stands for one part of a name.
fn is_host(pattern: &str, host: &str) -> bool {
    let (mut wanted, mut parts) = (pattern.split('.'), host.split('.'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == "*" || wanted.eq_ignore_ascii_case(part) => {}
            _ => return false,
        }
    }
}

/// How much of the path is named, and 1 more: the whole, or up to a slash.
fn path(pattern: &str, path: &str) -> Option<usize> {
    let (pattern, path) = (normal(pattern), normal(path));
    let pattern = pattern.strip_suffix(b"/").unwrap_or(&pattern);
    let rest = path.strip_prefix(pattern)?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(pattern.len() + 1)
}

/// A path in which nothing is escaped that need not be. An escaped `/` is none.
fn normal(path: &str) -> Vec<u8> {
    let mut normal = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%').and_then(hex);
        let byte = escaped.unwrap_or(*first);
        rest = if escaped.is_some() { &behind[2..] } else { behind };
        if escaped.is_some_and(|byte| !is_unreserved(byte)) || byte == b'|' {
            normal.extend(format!("%{byte:02X}").bytes());
        } else {
            normal.push(byte);
        }
    }
    normal
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// What means the same whether it is escaped or not (RFC 3986 section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::compare;
    use crate::git::Git;
    use reqwest::Url;

    const SERVER: &str = "https://bob@h.example/team/x.git/info/lfs";

    fn git() -> Git {
        Git::find(Path::new("/")).expect("tests need git").alone(Path::new("/nowhere"))
    }

    /// And here: does it take the one?
    #[test]
    fn as_git_reads_escapes() {
        let git = git();
        let paths = [
            "/a%2Fb",
            "/a%2fb",
            "/a/b",
            "/a%40b",
            "/a@b",
            "/a%20b",
            "/a b",
            "/a%c3%a9b",
            "/a\u{e9}b",
            "/a%21b",
            "/a!b",
            "/a%7Eb",
            "/a%7eb",
            "/a~b",
            "/%61b",
            "/ab",
            "/a%7Cb",
            "/a|b",
            "/a%2Bb",
            "/a+b",
            "/a%3Ab",
            "/a:b",
        ];
        let mut text = String::new();
        for (at, path) in paths.iter().enumerate() {
            text.push_str(&format!("[p{at} \"https://h.example{path}/\"]\nk = 1\n"));
        }
        for path in paths {
            let server = format!("https://h.example{path}/r");
            let url = Url::parse(&server).expect("a URL");
            for (at, pattern) in paths.iter().enumerate() {
                let section = format!("p{at}.k");
                let asked = git.run(&["config", "--file", "-", "--get-urlmatch", &section, &server], text.as_bytes());
                let takes = asked.expect("git runs").stdout == b"1\n";
                let found = compare(&format!("https://h.example{pattern}/"), &url, None);
                assert_eq!(found.is_some(), takes, "{pattern} for {path}");
            }
        }
    }

    /// git itself is asked about each pair: which of the two does it take?
    #[test]
    fn as_git_compares() {
        let git = git();
        let patterns = [
            "https://h.example",
            "https://h.example/",
            "https://H.Example:443/team",
            "https://h.example/team/",
            "https://h.example/team/x",
            "https://h.example/team/x.git",
            "https://h.example/te%61m/x.git/info/lfs",
            "https://bob@h.example/",
            "https://bob@h.example/team/x.git",
            "https://eve@h.example/",
            "https://*.example/",
            "https://*.example/team/x.git/info",
            "https://bob@*.*/team",
            "https://*/",
            "https://h.example:444/",
            "http://h.example/",
            "https://x.h.example/",
            "https://h.example/other",
            "nonsense",
        ];
        let url = Url::parse(SERVER).expect("a URL");
        let of = |pattern| compare(pattern, &url, Some(b"bob"));
        let mut text = String::new();
        for (at, first) in patterns.iter().enumerate() {
            for (other, second) in patterns.iter().enumerate() {
                // A section for each pair, so that git is started once for each of them and not for each question.
                text.push_str(&format!("[p{at}x{other} \"{first}\"]\nk = 1\n[p{at}x{other} \"{second}\"]\nk = 2\n"));
            }
        }
        for (at, first) in patterns.iter().enumerate() {
            for (other, second) in patterns.iter().enumerate() {
                // The later one of two that are equally good.
                let ours = match (of(first), of(second)) {
                    (None, None) => "",
                    (Some(first), Some(second)) if first > second => "1",
                    (Some(_), None) => "1",
                    _ => "2",
                };
                let section = format!("p{at}x{other}.k");
                let asked = git.run(&["config", "--file", "-", "--get-urlmatch", &section, SERVER], text.as_bytes());
                let said = String::from_utf8(asked.expect("git runs").stdout).expect("a number");
                assert_eq!(said.trim(), ours, "{first} and {second}");
            }
        }
    }
}
