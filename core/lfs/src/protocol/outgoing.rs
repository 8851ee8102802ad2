//! Requests: which headers an action may set, where a redirect may lead, what changes at each redirect.

use crate::contract::{Body, Config, Head, Header, Login, Method, Redirect, Request};
use crate::git_lfs::batch::{self, Action, BatchRequest, Flaw};
use crate::protocol::link::Link;
use crate::text::error::{Code, Error};
use crate::text::headers::LFS_JSON;
use crate::text::limits::REDIRECTS_MAX;
use crate::text::oid::Blob;
use crate::text::url::{Url, percent_decoded};
use alloc::string::String;
use alloc::vec::Vec;

/// Bodies come as they are. Without this header a server may choose any coding (RFC 9110 section 12.5.3).
pub(crate) fn identity() -> Header {
    Header::new("Accept-Encoding", "identity")
}

/// Whether an action may set this header: never one that frames or routes the request, carries cookies, or is ours.
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

/// The one way of framing that an action may ask for, where a file is sent (git-lfs obeys it, too).
fn is_chunked(header: &Header) -> bool {
    header.name.eq_ignore_ascii_case("transfer-encoding") && header.value.trim().eq_ignore_ascii_case("chunked")
}

/// Whether a status is a redirect that keeps method and body here (git-lfs treats all five alike).
pub(crate) const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// A request. What a redirect changes is kept apart from what stays.
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
        let mut plain = vec![Header::new("Accept", LFS_JSON), identity()];
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
        let is_file = matches!(body, Body::File(_));
        let may_set = |header: &&Header| may_set(&header.name) || (is_file && is_chunked(header));
        let mut secret: Vec<Header> = headers.iter().filter(may_set).cloned().collect();
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

    /// The request to send now. A platform that cannot report redirects may follow one only when the request has no
    /// secret.
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

    /// Follows a 3xx: same method and body, at most [`REDIRECTS_MAX`] times, never from https to http. A change of
    /// origin drops the login and every header of the action (git-lfs drops only `Authorization` and has no limit).
    pub(crate) fn redirect(&mut self, head: &Head, link: &Link) -> Result<(), Error> {
        if self.hops >= REDIRECTS_MAX {
            return Err(Error::new(
                Code::Rejected,
                format_args!("{} redirects more than {REDIRECTS_MAX} times", self.url.shown()),
            ));
        }
        let location = head.value("location").and_then(|location| self.url.join(location));
        let Some(mut url) = location else {
            return Err(Error::new(
                Code::Rejected,
                format_args!("{} redirects to no usable address", self.url.shown()),
            ));
        };
        url.userinfo = None;
        if self.url.secure && !url.secure {
            return Err(Error::new(
                Code::Blocked,
                format_args!("{} redirects from https to plain http", self.url.shown()),
            ));
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

/// The batch request for an endpoint; `None` when there is no object to ask for.
pub fn batch_request(endpoint: &str, request: &BatchRequest) -> Result<Option<Request>, Error> {
    let link = Link::new(Config { insecure_http: true, ..Config::new(endpoint, 0) })?;
    Ok(batch::write_request(request).map(|body| batch_call(&link, body).request(Login::None, true)))
}

/// The request that tells the server to check an upload.
pub fn verify_request(blob: Blob, action: &Action) -> Result<Request, Error> {
    let url = Url::parse(&action.href).ok_or_else(|| Error::new(Code::Malformed, Flaw::BadHref.explain()))?;
    Ok(verify_call(url, &action.headers, blob, false).request(Login::None, true))
}

/// The batch request, before it is sent.
pub(crate) fn batch_call(link: &Link, body: String) -> Outgoing {
    Outgoing::api(Method::Post, link.api("objects/batch"), body)
}

/// The verify request, before it is sent.
pub(crate) fn verify_call(url: Url, headers: &[Header], blob: Blob, authenticated: bool) -> Outgoing {
    let api = [Header::new("Accept", LFS_JSON), identity(), Header::new("Content-Type", LFS_JSON)];
    let body = Body::Bytes(batch::object(blob).into_bytes());
    Outgoing::action(Method::Post, url, headers, api.to_vec(), body, authenticated)
}

#[cfg(test)]
mod tests {
    use super::*;

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
