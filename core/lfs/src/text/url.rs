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
        is_ipv4(host) && host.starts_with("127.")
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

/// The bytes that percent escapes stand for. A percent sign that begins none stands for itself.
pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = digit(tail.first()).zip(digit(tail.get(1))).filter(|_| *first == b'%');
        (rest, _) = match escaped {
            // Two hexadecimal digits are a byte.
            Some((high, low)) => (&tail[2..], bytes.push((high << 4 | low) as u8)),
            None => (tail, bytes.push(*first)),
        };
    }
    bytes
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
    let literal = host.starts_with('[') && is_ipv6(&host[1..host.len() - 1]);
    let name = !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'));
    (literal || name).then_some((host, port))
}

/// Whether a text is an IPv4 address: the parser of the library would be a kilobyte of every module.
fn is_ipv4(text: &str) -> bool {
    let is_number = |part: &str| {
        part.bytes().all(|c| c.is_ascii_digit())
            && part.parse::<u8>().is_ok()
            && (part == "0" || !part.starts_with('0'))
    };
    text.split('.').count() == 4 && text.split('.').all(is_number)
}

/// Whether a text is an IPv6 address (RFC 4291 section 2.2).
fn is_ipv6(text: &str) -> bool {
    // Groups of 16 bits; an IPv4 address may stand for the last two.
    let groups = |part: &str, is_last: bool| {
        let (mut count, mut rest) = (0, Some(part).filter(|part| !part.is_empty()));
        while let Some(left) = rest {
            let (group, next) = left.split_once(':').map_or((left, None), |(group, next)| (group, Some(next)));
            let is_hex = matches!(group.len(), 1..=4) && group.bytes().all(|c| c.is_ascii_hexdigit());
            match is_hex {
                true => count += 1,
                false if is_last && next.is_none() && is_ipv4(group) => count += 2,
                false => return None,
            }
            rest = next;
        }
        Some(count)
    };
    match text.as_bytes().windows(2).position(|pair| pair == b"::") {
        None => groups(text, true) == Some(8),
        Some(at) => match (groups(&text[..at], false), groups(&text[at + 2..], true)) {
            (Some(before), Some(after)) => before + after < 8,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of a few parts, as the standard library judges it.
    #[test]
    fn addresses() {
        let parts = ["", "0", "1", "00", "f", "ffff", "10000", "g", "127", "255", "256", "+1", "1.2.3.4", "01.2.3.4"];
        let mut texts: Vec<String> = vec![String::new()];
        for separator in [":", "::", "."] {
            for a in parts {
                for b in parts {
                    for c in ["", "1:2:3:4:5", "1:2:3:4:5:6", "1:2:3:4:5:6:7", "3.4", "1:1.2.3.4", "::", ":"] {
                        texts.push([a, b, c].join(separator));
                        texts.push(format!("{c}{separator}{a}:{b}"));
                        texts.push(format!("{a}::{c}{separator}{b}"));
                    }
                }
            }
        }
        let (mut fours, mut sixes) = (0, 0);
        for text in &texts {
            assert_eq!(is_ipv4(text), text.parse::<core::net::Ipv4Addr>().is_ok(), "{text}");
            assert_eq!(is_ipv6(text), text.parse::<core::net::Ipv6Addr>().is_ok(), "{text}");
            fours += usize::from(is_ipv4(text));
            sixes += usize::from(is_ipv6(text));
        }
        assert!(fours > 10 && sixes > 100, "{fours} and {sixes} addresses of {}", texts.len());
    }

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
