//! Which requests come in at all: the Host header and the browser's Origin. Keeps one rule: a page the user never named
//! cannot use the server, neither by a rebound name nor across origins.

use std::net::{IpAddr, SocketAddr};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, StatusCode};

use super::answer::{Answer, Refusal, empty_answer};

const METHODS: &str = "GET, HEAD, POST, PUT";
const HEADERS: &str = "Authorization, Content-Type, Accept, Range, If-Range";
const EXPOSED: &str = "ETag, Retry-After, Content-Range, Content-Length, Accept-Ranges, LFS-Authenticate";
const PREFLIGHT_S: &str = "600";
const PRIVATE_NETWORK_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE_NETWORK_GIVEN: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The names the server answers to.
pub(super) struct Doorway {
    bound: SocketAddr,
    public: Option<Public>,
    origins: Vec<String>,
}

/// An extra name from the configuration: `lfs.example.org`, with a port or a scheme when a proxy stands in front.
struct Public {
    scheme: &'static str,
    authority: String,
}

/// A request that came in.
#[derive(Debug)]
pub(super) struct Entry {
    /// `http://host:port` as the client wrote it: the start of every address the server hands out.
    pub(super) base: String,
    /// The foreign page that asks, when the user named it.
    pub(super) origin: Option<HeaderValue>,
}

impl Doorway {
    pub(super) fn new(bound: SocketAddr, public: Option<&str>, origins: &[String]) -> Doorway {
        let public = public.map(|name| {
            let (scheme, rest) = match name.split_once("://") {
                Some(("https", rest)) => ("https", rest),
                Some((_, rest)) => ("http", rest),
                None => ("http", name),
            };
            Public { scheme, authority: rest.trim_end_matches('/').to_owned() }
        });
        let origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Doorway { bound, public, origins }
    }

    /// The address to tell people.
    pub(super) fn url(&self) -> String {
        match self.bound {
            SocketAddr::V4(at) if at.ip().is_unspecified() => format!("http://127.0.0.1:{}", at.port()),
            SocketAddr::V6(at) if at.ip().is_unspecified() => format!("http://[::1]:{}", at.port()),
            at => format!("http://{at}"),
        }
    }

    pub(super) fn enter(&self, head: &Parts) -> Result<Entry, Refusal> {
        let base = self.base(head)?;
        let origin = self.origin(&head.headers, &base)?;
        Ok(Entry { base, origin })
    }

    /// Both places that can name the host must name an accepted one, and the same one.
    fn base(&self, head: &Parts) -> Result<String, Refusal> {
        let misdirected = || Refusal::new(StatusCode::MISDIRECTED_REQUEST, "this server does not answer to that host");
        let mut hosts = head.headers.get_all(header::HOST).iter();
        let written = match (hosts.next(), hosts.next()) {
            (None, _) => None,
            (Some(host), None) => Some(host.to_str().map_err(|_| misdirected())?),
            (Some(_), Some(_)) => return Err(misdirected()),
        };
        let host = match (head.uri.authority().map(Authority::as_str), written) {
            (Some(uri), Some(header)) if uri.eq_ignore_ascii_case(header) => uri,
            (Some(uri), None) => uri,
            (None, Some(header)) => header,
            _ => return Err(misdirected()),
        };
        match &self.public {
            Some(public) if public.authority.eq_ignore_ascii_case(host) => Ok(format!("{}://{host}", public.scheme)),
            _ if self.is_own_name(host) => Ok(format!("http://{host}")),
            _ => Err(misdirected()),
        }
    }

    /// The bound address, or `localhost` where that leads here. A server on all addresses takes any literal address:
    /// rebinding needs a name.
    fn is_own_name(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if host.contains('@') || authority.port_u16().unwrap_or(80) != self.bound.port() {
            return false;
        }
        let bound = self.bound.ip();
        let name = authority.host();
        if name.eq_ignore_ascii_case("localhost") {
            return bound.is_loopback() || bound.is_unspecified();
        }
        let literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        literal.is_ok_and(|ip| ip == bound || bound.is_unspecified())
    }

    fn origin(&self, headers: &HeaderMap, base: &str) -> Result<Option<HeaderValue>, Refusal> {
        let Some(value) = headers.get(header::ORIGIN) else { return Ok(None) };
        let origin = value.to_str().unwrap_or_default().to_ascii_lowercase();
        if self.origins.contains(&origin) {
            Ok(Some(value.clone()))
        } else if origin == base.to_ascii_lowercase() {
            Ok(None)
        } else {
            Err(Refusal::new(StatusCode::FORBIDDEN, "pages of that origin may not use this server"))
        }
    }
}

/// The answer to a browser's question before the request itself.
pub(super) fn preflight(head: &Parts) -> Option<Answer> {
    let asked = head.method == Method::OPTIONS && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    asked.then(|| {
        let mut answer = empty_answer(StatusCode::NO_CONTENT);
        let out = answer.headers_mut();
        out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        out.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_S));
        if head.headers.contains_key(PRIVATE_NETWORK_ASKED) {
            out.insert(PRIVATE_NETWORK_GIVEN, HeaderValue::from_static("true"));
        }
        answer
    })
}

/// Lets the page of `origin` read the answer. The answer differs by origin, so caches must know.
pub(super) fn expose(answer: &mut Answer, origin: Option<HeaderValue>) {
    let out = answer.headers_mut();
    out.insert(header::VARY, HeaderValue::from_static("Origin"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin {
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn base(doorway: &Doorway, host: &str) -> Result<String, StatusCode> {
        doorway.enter(&head("/", &[("host", host)])).map(|entry| entry.base).map_err(|refusal| refusal.status)
    }

    #[test]
    fn only_its_own_names_reach_a_loopback_server() {
        let doorway = Doorway::new("127.0.0.1:8080".parse().expect("address"), Some("https://lfs.example.org"), &[]);
        assert_eq!(base(&doorway, "127.0.0.1:8080").expect("own"), "http://127.0.0.1:8080");
        assert_eq!(base(&doorway, "LocalHost:8080").expect("own"), "http://LocalHost:8080");
        assert_eq!(base(&doorway, "lfs.example.org").expect("public"), "https://lfs.example.org");
        for foreign in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.0.0.2:8080",
            "evil.example:8080",
            "localhost.evil.example:8080",
            "lfs.example.org:8080",
            "user@localhost:8080",
            "[::1]:8080",
            "",
        ] {
            assert_eq!(base(&doorway, foreign), Err(StatusCode::MISDIRECTED_REQUEST), "{foreign}");
        }
        let two = head("http://127.0.0.1:8080/", &[("host", "evil.example")]);
        assert!(doorway.enter(&two).is_err(), "the address and the header disagree");
        assert!(doorway.enter(&head("/", &[])).is_err(), "no host at all");
    }

    #[test]
    fn a_server_on_all_addresses_takes_literals_but_no_names() {
        let doorway = Doorway::new("0.0.0.0:80".parse().expect("address"), None, &[]);
        assert!(base(&doorway, "192.168.1.5").is_ok());
        assert!(base(&doorway, "[fe80::1]:80").is_ok());
        assert!(base(&doorway, "localhost").is_ok());
        assert!(base(&doorway, "rebound.example").is_err());
        assert_eq!(doorway.url(), "http://127.0.0.1:80");
    }

    #[test]
    fn only_named_origins_come_in() {
        let named = ["https://app.example/".to_owned()];
        let doorway = Doorway::new("127.0.0.1:8080".parse().expect("address"), None, &named);
        let enter = |origin| {
            let parts = head("/", &[("host", "127.0.0.1:8080"), ("origin", origin)]);
            doorway.enter(&parts).map(|entry| entry.origin.is_some()).map_err(|refusal| refusal.status)
        };
        assert_eq!(enter("https://app.example"), Ok(true));
        assert_eq!(enter("http://127.0.0.1:8080"), Ok(false), "its own page needs no permission");
        for foreign in ["https://app.example.evil", "http://app.example", "null", "http://localhost:8080"] {
            assert_eq!(enter(foreign), Err(StatusCode::FORBIDDEN), "{foreign}");
        }
    }
}
