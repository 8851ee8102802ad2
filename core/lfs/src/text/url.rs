//! The part of URLs that decides where requests and secrets may go: scheme, origin, loopback, relative references.
//!
//! Anything a platform might read in another way (backslashes, blanks, control characters) is refused, so that the
//! origin checked here is the origin connected to.

use crate::text::limits::URL_BYTES_MAX;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

/// An absolute http or https URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) secure: bool,
    /// `user:password`, percent-encoded as it came. A secret.
    pub(crate) userinfo: Option<String>,
    /// Lower case; IPv6 literals with their brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
}

impl Url {
    pub(crate) fn parse(text: &str) -> Option<Url> {
        if text.len() > URL_BYTES_MAX || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host, if secure { 443 } else { 80 })?;
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Url { secure, userinfo, host: host.to_ascii_lowercase(), port, path })
    }

    /// The URL that a Location header points to from here.
    pub(crate) fn join(&self, reference: &str) -> Option<Url> {
        let reference = reference.trim();
        if reference.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return None;
        }
        let scheme_end = reference.find([':', '/', '?', '#']).filter(|at| reference[*at..].starts_with(':'));
        if scheme_end.is_some() {
            return Url::parse(reference);
        }
        let scheme = if self.secure { "https" } else { "http" };
        if let Some(rest) = reference.strip_prefix("//") {
            return Url::parse(&format!("{scheme}://{rest}"));
        }
        let base = self.path.split('?').next().unwrap_or_default();
        let path = match reference.as_bytes().first() {
            None => return None,
            Some(b'/') => without_dots(reference),
            Some(b'?') => format!("{base}{reference}"),
            Some(_) => without_dots(&format!("{}/{reference}", base.rsplit_once('/').map_or("", |(folder, _)| folder))),
        };
        Url::parse(&format!("{}{path}", self.origin()))
    }

    /// `scheme://host[:port]`, the port only when it is not the scheme's own.
    pub(crate) fn origin(&self) -> String {
        match (self.secure, self.port) {
            (true, 443) => format!("https://{}", self.host),
            (false, 80) => format!("http://{}", self.host),
            (true, port) => format!("https://{}:{port}", self.host),
            (false, port) => format!("http://{}:{port}", self.host),
        }
    }

    /// The whole, without userinfo.
    pub(crate) fn text(&self) -> String {
        self.origin() + &self.path
    }

    /// Without its query, which may be a signature: for errors.
    pub(crate) fn shown(&self) -> String {
        self.origin() + self.path.split('?').next().unwrap_or_default()
    }

    /// A name or literal of this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        if host == "localhost" || host.ends_with(".localhost") || host == "::1" {
            return true;
        }
        host.parse::<core::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

/// A path without its `.` and `..` (RFC 3986 section 5.2.4); query and fragment stay.
fn without_dots(reference: &str) -> String {
    let (path, rest) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/').skip(1) {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    format!("/{}{}{rest}", kept.join("/"), if ends_open && !kept.is_empty() { "/" } else { "" })
}

fn split_port(text: &str, default: u16) -> Option<(&str, u16)> {
    let colon = match text.strip_prefix('[') {
        Some(literal) => 1 + literal.find(']')? + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, port) = text.split_at(colon);
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default,
        Some("") => default,
        Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    let literal = host.starts_with('[') && host[1..host.len() - 1].parse::<core::net::Ipv6Addr>().is_ok();
    let name = !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'));
    (literal || name).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing() {
        for (text, origin, path) in [
            ("https://Lfs.Example.test/a?b#c", "https://lfs.example.test", "/a?b"),
            ("HTTP://h:8080", "http://h:8080", "/"),
            ("https://h:443?q", "https://h", "/?q"),
            ("http://[::1]:3000/x", "http://[::1]:3000", "/x"),
            ("https://u:p@h/x", "https://h", "/x"),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.origin().as_str(), url.path.as_str()), (origin, path));
        }
        for bad in [
            "",
            "/x",
            "ftp://h/",
            "https://",
            "https:///x",
            "https://h:x/",
            "https://h:99999/",
            "https://good\\@evil/",
            "https://a b/",
            "https://h/\n",
            "http://[::1/",
            "http://[x]/",
            "javascript:alert(1)",
            "https://ü/",
        ] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn joining() {
        let base = Url::parse("https://h/a/b?q=1").expect("absolute");
        for (reference, expected) in [
            ("/z", "https://h/z"),
            ("c", "https://h/a/c"),
            ("?x", "https://h/a/b?x"),
            ("//o/x", "https://o/x"),
            ("http://o", "http://o/"),
            ("/x:y", "https://h/x:y"),
            ("../c", "https://h/c"),
            ("../../../c/./d?e=../f", "https://h/c/d?e=../f"),
            ("/x/../y/..", "https://h/"),
            ("/x/y/.", "https://h/x/y/"),
            ("./", "https://h/a/"),
        ] {
            assert_eq!(base.join(reference).map(|u| u.text()).as_deref(), Some(expected));
        }
        for bad in ["", "file:///etc/passwd", "javascript:x", "data:,x", "https:x", "/a\\b", "http://"] {
            assert_eq!(base.join(bad), None, "{bad}");
        }
    }

    #[test]
    fn loopback() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("localhost", true),
            ("a.localhost", true),
            ("[::1]", true),
            ("127.0.0.1.evil.test", false),
            ("localhost.evil.test", false),
            ("10.0.0.1", false),
            ("2130706433", false),
            ("[::2]", false),
        ] {
            let url = Url::parse(&format!("http://{host}:1/")).expect(host);
            assert_eq!(url.is_loopback(), expected, "{host}");
        }
    }
}
