//! Which requests go through a proxy, and through which.
//!
//! Rule: a proxy that cannot be used fails the requests that would go through it, and no others.

use std::env;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use crate::net::address::is_loopback;

/// Schemes of proxies that can be used.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
/// Stands for any proxy where only the exceptions matter.
const ANY: &str = "http://proxy.invalid";

/// The proxies of the way to one server.
pub(super) struct Proxies {
    /// For requests of http and of https.
    of: [(&'static str, Option<Named>); 2],
    exceptions: Matcher,
}

/// A proxy that somebody named. Nothing prints it: its URL may hold a password.
#[derive(Clone)]
pub(super) enum Named {
    Usable(Url),
    /// Why it is of no use.
    Unusable(&'static str),
}

impl Proxies {
    /// git's own setting, else the environment as curl reads it. The empty text means no proxy.
    pub(super) fn new(configured: Option<&str>) -> Self {
        let named = |names: &[&str]| match configured {
            Some(proxy) => Some(proxy.to_owned()),
            None => names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty())),
        };
        let of = [
            // Never HTTP_PROXY in capitals: a web server can set it from a request's header.
            ("http", ["http_proxy", "all_proxy", "ALL_PROXY"].as_slice()),
            ("https", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].as_slice()),
        ];
        let of =
            of.map(|(scheme, names)| (scheme, named(names).filter(|text| !text.is_empty()).map(|text| read(&text))));
        let named = env::var("no_proxy").or_else(|_| env::var("NO_PROXY")).unwrap_or_default();
        let exceptions = Matcher::builder().http(ANY).https(ANY).no(named).build();
        Self { of, exceptions }
    }

    /// The proxy that a request for this URL goes through.
    pub(super) fn to(&self, url: &Url) -> Option<&Named> {
        // This machine is never asked through a proxy, however it is spelled.
        if is_loopback(url) {
            return None;
        }
        let (_, named) = self.of.iter().find(|(scheme, _)| *scheme == url.scheme())?;
        let named = named.as_ref()?;
        let uri: http::Uri = url.as_str().parse().ok()?;
        self.exceptions.intercept(&uri).map(|_| named)
    }
}

fn read(text: &str) -> Named {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // curl's short word for the oldest of them.
    let full = match full.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("socks") => format!("socks4://{rest}"),
        _ => full,
    };
    match Url::parse(&full) {
        Ok(url) if !url.has_host() => Named::Unusable("the configured proxy names no host"),
        Ok(url) if SCHEMES.contains(&url.scheme()) => Named::Usable(url),
        Ok(_) => Named::Unusable("the configured proxy is none of http, https, socks4, socks4a, socks5 and socks5h"),
        Err(_) => Named::Unusable("the configured proxy is not a URL"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, Proxies};
    use reqwest::Url;

    fn through(configured: &str, url: &str) -> String {
        match Proxies::new(Some(configured)).to(&Url::parse(url).expect("a URL")) {
            None => "none".into(),
            Some(Named::Usable(proxy)) => proxy.to_string(),
            Some(Named::Unusable(why)) => (*why).to_owned(),
        }
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        for proxy in ["proxy.invalid:8080", "socks5h://proxy.invalid", "gopher://proxy.invalid", "http://"] {
            for away in ["http://8.8.8.8/", "https://h.invalid/"] {
                assert_ne!(through(proxy, away), "none", "{proxy} {away}");
            }
            for own in ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]/", "http://a.localhost/"] {
                assert_eq!(through(proxy, own), "none", "{proxy} {own}");
            }
        }
        // The empty text wins over whatever the environment says.
        assert_eq!(through("", "http://8.8.8.8/"), "none");
    }

    #[test]
    fn forms_of_a_proxy() {
        for (configured, read) in [
            ("proxy.invalid:8080", "http://proxy.invalid:8080/"),
            ("HTTPS://me:pw@proxy.invalid", "https://me:pw@proxy.invalid/"),
            ("socks://proxy.invalid:1080", "socks4://proxy.invalid:1080"),
            ("Socks5h://proxy.invalid:1080", "socks5h://proxy.invalid:1080"),
            ("gopher://h", "the configured proxy is none of http, https, socks4, socks4a, socks5 and socks5h"),
            ("http://", "the configured proxy is not a URL"),
            ("socks5://", "the configured proxy names no host"),
        ] {
            assert_eq!(through(configured, "https://h.invalid/"), read, "{configured}");
        }
    }
}
