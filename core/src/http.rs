//! HTTP rules that do not depend on an API: field syntax, which headers an action may set, where a redirect may lead.

use crate::contract::{Body, Head, Header, Login, Method, Redirect, Request};
use crate::error::{Code, Error};
use crate::limits::REDIRECTS_MAX;
use crate::link::Link;
use crate::url::Url;

/// The media type of the LFS API.
pub(crate) const LFS_JSON: &str = "application/vnd.git-lfs+json";

/// The name of a header: a token of RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c))
}

/// The value of a header: anything on one line that every platform can send (a browser's fetch takes Latin-1).
pub(crate) fn is_field_value(text: &str) -> bool {
    !text.contains(|c: char| (c.is_control() && c != '\t') || c > '\u{ff}')
}

/// What If-Range may hold: a strong entity tag or a date (RFC 9110 section 13.1.5).
pub(crate) fn is_validator(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("W/") && is_field_value(text)
}

/// As git-lfs compares it: case-sensitive, parameters allowed.
pub(crate) fn is_json(content_type: &str) -> bool {
    [LFS_JSON, "application/json"].iter().any(|media_type| {
        content_type.strip_prefix(media_type).is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
    })
}

/// Whether an action may set this header: never what frames or routes the request, carries cookies, or belongs to us.
fn may_set(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let reserved = [
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "if-range",
        "keep-alive",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    !reserved.contains(&name.as_str()) && !name.starts_with("proxy-")
}

/// Whether a status is a redirect that keeps method and body here (git-lfs treats all five alike).
pub(crate) const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// A request on its way: what changes from hop to hop stands apart from what does not.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Our own headers.
    plain: Vec<Header>,
    /// The action's headers: they never leave its origin.
    secret: Vec<Header>,
    pub(crate) body: Body,
    /// The endpoint's login may be added.
    pub(crate) with_login: bool,
    hops: u32,
}

impl Outgoing {
    /// A request of the LFS API at the endpoint.
    pub(crate) fn api(method: Method, url: Url, body: String) -> Self {
        let mut plain = vec![Header::new("Accept", LFS_JSON)];
        let body = match method {
            Method::Get => Body::Empty,
            Method::Post | Method::Put => {
                plain.push(Header::new("Content-Type", LFS_JSON));
                Body::Bytes(body.into_bytes())
            }
        };
        Self { method, url, plain, secret: Vec::new(), body, with_login: true, hops: 0 }
    }

    /// A request to the address of an action. Userinfo in it (some servers put credentials there, which browsers
    /// refuse) becomes a header for that origin.
    pub(crate) fn action(
        method: Method,
        url: Url,
        headers: &[Header],
        plain: Vec<Header>,
        body: Body,
        authenticated: bool,
    ) -> Self {
        let mut url = url;
        let mut secret: Vec<Header> = headers.iter().filter(|header| may_set(&header.name)).cloned().collect();
        let authorized =
            |secret: &[Header]| secret.iter().any(|header| header.name.eq_ignore_ascii_case("authorization"));
        if let Some(userinfo) = url.userinfo.take()
            && !authorized(&secret)
        {
            let colon = if userinfo.contains(':') { "" } else { ":" };
            let login = percent_decoded(&format!("{userinfo}{colon}"));
            secret.push(Header::new("Authorization", format!("Basic {}", base64(&login))));
        }
        let with_login = !authenticated && !authorized(&secret);
        let plain =
            plain.into_iter().filter(|own| !secret.iter().any(|theirs| theirs.name.eq_ignore_ascii_case(&own.name)));
        Self { method, url, plain: plain.collect(), secret, body, with_login, hops: 0 }
    }

    /// The literal request. A platform that cannot report a redirect may follow one only where no secret goes along.
    pub(crate) fn request(&self, login: Login, reports_redirects: bool) -> Request {
        let follow = self.method == Method::Get && self.secret.is_empty() && login == Login::None && !reports_redirects;
        Request {
            method: self.method,
            url: self.url.text(),
            headers: self.plain.iter().chain(&self.secret).cloned().collect(),
            body: self.body.clone(),
            login,
            redirect: if follow { Redirect::Follow } else { Redirect::Report },
        }
    }

    /// Where a 3xx leads: same method and body, at most [`REDIRECTS_MAX`] times, never from https to http; a change of
    /// origin drops the login and every header of the action (git-lfs drops `Authorization` alone and counts no hops).
    pub(crate) fn redirect(&mut self, head: &Head, link: &Link) -> Result<(), Error> {
        if self.hops >= REDIRECTS_MAX {
            return Err(Error::new(
                Code::Rejected,
                format!("{} redirects more than {REDIRECTS_MAX} times", self.url.shown()),
            ));
        }
        let location = head.value("location").and_then(|location| self.url.join(location));
        let Some(mut url) = location else {
            return Err(Error::new(Code::Rejected, format!("{} redirects to no usable address", self.url.shown())));
        };
        url.userinfo = None;
        if self.url.secure && !url.secure {
            return Err(Error::new(Code::Blocked, format!("{} redirects from https to plain http", self.url.shown())));
        }
        link.may_reach(&url)?;
        if url.origin() != self.url.origin() {
            self.secret.clear();
            self.with_login = false;
        }
        self.url = url;
        self.hops += 1;
        Ok(())
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .and_then(|pair| core::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(value >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for (text, expected) in [
            ("application/vnd.git-lfs+json", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=utf-8", true),
            ("text/html", false),
            ("application/jsonx", false),
            ("", false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
        }
    }

    #[test]
    fn userinfo_of_an_action_becomes_a_header() {
        let url = Url::parse("https://user:p%40ss@store.test/o").expect("absolute");
        let outgoing = Outgoing::action(
            Method::Get,
            url,
            &[Header::new("Cookie", "c"), Header::new("X-A", "1")],
            Vec::new(),
            Body::Empty,
            false,
        );
        assert_eq!(outgoing.url.text(), "https://store.test/o");
        assert_eq!(outgoing.secret, [Header::new("X-A", "1"), Header::new("Authorization", "Basic dXNlcjpwQHNz")]);
        assert!(!outgoing.with_login);
    }

    #[test]
    fn base64_forms() {
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
    }
}
